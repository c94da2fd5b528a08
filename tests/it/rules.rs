//! What rules are for: a story each, which ends as it should with the rule, and otherwise without it.
//!
//! These are rules that cost nothing on the labelled stories when they are left out (`cargo bench --bench ablate`);
//! those that keep strangers out are in `attacks`.

use crate::attacks::{NOTHING_BUT_SPF, altered, before, open_without};
use crate::late::*;
use lanka::pure::domain::rule::Rule;

const ON_A: (&str, &str) = ("mail", "a@posti.example");
const ANTTI: &str = "Antti Aalto <antti@firma.example>";
const BO: &str = "Bo Berg <bo@firma.example>";
const PASS: &str = "dmarc=pass";
const LEAK: &str = "Kahvinkeitin vuotaa pöydälle joka kerta kun se lämpenee.";

struct Need {
    rule: Rule,
    said: Vec<Said>,
    people: &'static str,
    tickets: &'static str,
}

fn need(rule: Rule, said: Vec<Said>, people: &'static str, tickets: &'static str) -> Need {
    Need { rule, said, people, tickets }
}

/// Two matters of hers, both open.
fn two() -> Vec<Said> {
    vec![
        titled("a", "03-03 10:00", MINNA, "Kahvinkeittimen vuoto", LEAK),
        titled("b", "03-03 11:00", MINNA, "Hyllyn toimitus", "Hylly puuttuu."),
    ]
}

fn and(mut said: Vec<Said>, more: Said) -> Vec<Said> {
    said.push(more);
    said
}

/// An answer to a mail, or to nothing, in a subject.
fn answer_in(said: Said, subject: &str) -> Said {
    altered(said, "Subject: Asia", &format!("Subject: Re: {subject}"))
}

/// The visitor goes on with a conversation.
fn goes_on(said: Said, conversation: &str) -> Said {
    let key = said.key;
    altered(said, &format!("\"conversation_id\":\"{key}\""), &format!("\"conversation_id\":\"{conversation}\""))
}

/// Mended, and closed.
fn mended() -> Vec<Said> {
    vec![
        titled("a", "03-01 10:00", MINNA, "Lamppu", "Tilaus 40012345 on rikki.\n\nMinna Virtanen"),
        told("d", "03-01 12:00", ON_A, "minna@posti.example", "Vaihdettu."),
        close("dc", "03-02 10:00", ON_A),
    ]
}

fn people() -> Vec<Need> {
    let hers = |key, day| letter(key, day, MINNA, "Lamppu on rikki.\n\nMinna Virtanen\nPuh. 040 123 4567");
    let on_call = ("phone", "c");
    vec![
        need(
            Rule::MutualNaming,
            vec![
                hers("a", "03-03 10:00"),
                whatsapp("w", "03-04 10:00", "358401234567", "Minna", "Sähköpostini on minna@posti.example."),
            ],
            "a w",
            "a w",
        ),
        need(
            Rule::CalledBefore,
            vec![
                hers("a", "03-03 10:00"),
                phone("c", "03-04 14:00", PHONE),
                whatsapp("w", "03-05 10:00", "358401234567", "Minna Virtanen", "Joko se on tulossa?"),
            ],
            "a c w",
            "a c w",
        ),
        need(
            Rule::NotedOwner,
            vec![
                hers("a", "03-03 10:00"),
                phone("c", "03-04 14:00", PHONE),
                note("n", "03-04 14:10", on_call, "Soittaja oli Minna Virtanen."),
                letter(
                    "b",
                    "03-06 10:00",
                    "Bo Berg <bo@posti.example>",
                    "Hylly puuttuu.\n\nBo Berg\nPuh. 040 123 4567",
                ),
            ],
            "a c n | b",
            "a c n | b",
        ),
        need(
            Rule::HalfName,
            vec![
                letter(
                    "a",
                    "03-03 10:00",
                    "Jukka Laine <jukka@posti.example>",
                    "Tilaus 40012345 puuttuu.\n\nJukka Laine",
                ),
                letter("b", "03-04 10:00", "Jani Laine <jani@posti.example>", "Tilaus 40012345 puuttuu.\n\nJani Laine"),
                whatsapp("w", "03-05 10:00", "358401234567", "J. Laine", "Joko tilaus 40012345 on tulossa?"),
            ],
            "a | b | w",
            "a | b | w",
        ),
        need(
            Rule::OwnAccount,
            vec![
                letter(
                    "a",
                    "03-03 10:00",
                    "Rauno Pirhonen <rauno@posti.example>",
                    "Tilaus 40012345 puuttuu.\n\nRauno Pirhonen",
                ),
                whatsapp(
                    "w",
                    "03-04 10:00",
                    "358401234567",
                    "Essi Pirhonen",
                    "Isä kysyy tilauksesta 40012345.\n\nRauno Pirhonen",
                ),
            ],
            "a | w",
            "a | w",
        ),
        need(
            Rule::CallerNamedAlike,
            vec![
                phone("c", "03-04 14:00", PHONE),
                note("n", "03-04 14:10", on_call, "Soittaja oli Minna Virtanen."),
                hers("a", "03-05 10:00"),
            ],
            "a c n",
            "a c n",
        ),
        need(
            Rule::NotedCaller,
            vec![
                letter("a", "03-03 10:00", MINNA, "Tilaus 40012345 puuttuu.\n\nMinna Virtanen"),
                phone("c", "03-04 14:00", "anonymous"),
                note("n", "03-04 14:10", on_call, "Soittaja Minna Virtanen, tilaus 40012345."),
            ],
            "a c n",
            "a c n",
        ),
        need(
            Rule::AnswerInName,
            and(
                before(),
                letter_with(
                    "w",
                    "03-04 10:00",
                    "Minna Virtanen <mv@toinen.example>",
                    PASS,
                    &answer_to("d@kauppa.example"),
                    "Kiitos.",
                ),
            ),
            "v d w",
            "v d w",
        ),
        need(
            Rule::AnswerProves,
            and(
                before(),
                letter_with(
                    "w",
                    "03-04 10:00",
                    MINNA,
                    "dmarc=fail",
                    &answer_to("d@kauppa.example"),
                    "Kiitos tiedosta, odotan.",
                ),
            ),
            "v d w",
            "v d w",
        ),
        need(
            Rule::BrowserAgain,
            vec![
                browser("a", "03-03 10:00", "V1", "Lamppu on rikki.\n\nT. Minna Virtanen"),
                browser("b", "03-04 10:00", "V1", "Hylly puuttuu.\n\nT. Pekka Laine"),
                browser("c", "03-05 10:00", "V1", "Onko lampusta uutta?\n\nT. Minna Virtanen"),
            ],
            "a c | b",
            "a c | b",
        ),
    ]
}

fn tickets() -> Vec<Need> {
    let of_two = |said: Said| and(two(), said);
    let hers = |headers: &str, text: &str| letter_with("r", "03-04 10:00", MINNA, PASS, headers, text);
    let firm = |from, result: &str, text: &str| letter_with("b", "03-04 10:00", from, result, "", text);
    let antti = || titled("a", "03-03 10:00", ANTTI, "Kahvinkeittimen vuoto", "Tilaus 40012345 vuotaa.\n\nAntti Aalto");
    vec![
        need(
            Rule::DeskMessage,
            and(
                before(),
                letter_with(
                    "e",
                    "03-04 10:00",
                    "Eero Eskola <eero@toinen.example>",
                    PASS,
                    &answer_to("d@kauppa.example"),
                    "Vastaan Minnan puolesta.",
                ),
            ),
            "v d | e",
            "v d e",
        ),
        need(Rule::Reply, of_two(hers(&answer_to("a@posti.example"), "Onko uutta?")), "a b r", "a r | b"),
        need(
            Rule::SameParent,
            and(
                of_two(hers(&answer_to("z@kauppa.example"), "Sopii minulle.")),
                letter_with("s", "03-05 10:00", MINNA, PASS, &answer_to("z@kauppa.example"), "Vai sopiiko sittenkään?"),
            ),
            "a b r s",
            "a | b | r s",
        ),
        need(
            Rule::Quoted,
            of_two(hers("", &format!("Onko uutta?\n\n3.3.2026 10.00 Minna Virtanen kirjoitti:\n> {LEAK}"))),
            "a b r",
            "a r | b",
        ),
        need(Rule::Subject, of_two(answer_in(hers("", "Onko uutta?"), "Kahvinkeittimen vuoto")), "a b r", "a r | b"),
        need(
            Rule::TellingSubject,
            vec![
                titled("a", "03-03 10:00", MINNA, "Kysymys", "Milloin olette auki?"),
                titled("b", "03-03 11:00", MINNA, "Hyllyn toimitus", "Hylly puuttuu."),
                answer_in(hers("", "Onko uutta?"), "Kysymys"),
            ],
            "a b r",
            "a | b | r",
        ),
        need(
            Rule::SubjectFirm,
            vec![
                antti(),
                answer_in(
                    letter_with("b", "03-04 10:00", BO, PASS, &format!("Cc: {ANTTI}\r\n"), "Onko uutta?\n\nBo Berg"),
                    "Kahvinkeittimen vuoto",
                ),
            ],
            "a | b",
            "a | b",
        ),
        need(
            Rule::ColleagueConfirmed,
            vec![antti(), firm(BO, NOTHING_BUT_SPF, "Jatkan Antin asiaa, 40012345.\n\nBo Berg")],
            "a | b",
            "a | b",
        ),
        need(
            Rule::Session,
            vec![
                facebook("f", "03-03 10:00", "P1", "Kahvinkeitin vuotaa."),
                facebook("g", "03-03 10:10", "P1", "Uusi asia: hylly puuttuu."),
                facebook("h", "03-03 10:20", "P1", "Se on se ruskea."),
            ],
            "f g h",
            "f | g h",
        ),
        need(
            Rule::NoSession,
            of_two(titled("r", "03-03 11:10", MINNA, "Lasku", "Laskussa on virhe.")),
            "a b r",
            "a | b | r",
        ),
        need(
            Rule::IsBack,
            and(mended(), titled("b", "03-05 10:00", MINNA, "Lamppu", "Sama vika on taas.")),
            "a b d",
            "a b d",
        ),
        need(
            Rule::NumberInTalk,
            vec![
                browser("a", "03-03 10:00", "V1", "Tilaus 40012345 on rikki."),
                browser("b", "03-03 12:00", "V1", "Uusi asia: tilaus 40055555 puuttuu."),
                browser("c", "03-04 10:00", "V1", "Onko jo uutta?"),
                goes_on(browser("e", "03-04 10:05", "V1", "Siis 40012345."), "c"),
            ],
            "a b c e",
            "a c e | b",
        ),
        need(
            Rule::ClosedOther,
            and(
                mended(),
                letter_with("r", "03-03 10:00", MINNA, PASS, &answer_to("d@kauppa.example"), "Entä 40099999?"),
            ),
            "a d r",
            "a d (closed) | r",
        ),
        need(
            Rule::FollowUp,
            and(
                mended(),
                letter_with("r", "05-10 10:00", MINNA, PASS, &answer_to("d@kauppa.example"), "Kiitos, entä takuu?"),
            ),
            "a d r",
            "a d (closed) | r",
        ),
        need(
            Rule::OtherNumber,
            and(before(), letter("b", "03-04 10:00", MINNA, "Tilaus 40099999 on rikki.")),
            "v d b",
            "v d | b",
        ),
        need(
            Rule::NewMatter,
            and(before(), letter("b", "03-04 10:00", MINNA, "Uusi asia: ovi narisee.")),
            "v d b",
            "v d | b",
        ),
        need(
            Rule::AutoOpensNone,
            vec![letter_with("e", "03-04 10:00", MINNA, PASS, "Auto-Submitted: auto-replied\r\n", "Olen lomalla.")],
            "e",
            "",
        ),
    ]
}

async fn check(needs: Vec<Need>) {
    let whole = open_without(&[]).await;
    let mut wrong = Vec::new();
    for Need { rule, said, people, tickets } in needs {
        let wanted = (sorted(people), sorted(tickets));
        let said: Vec<&Said> = said.iter().collect();
        forget(&whole).await;
        play(&whole, &said, false).await;
        let found = end(&whole).await;
        if found != wanted {
            wrong.push(format!("{}: {found:?}, not {wanted:?}", rule.as_str()));
        }
        let without = open_without(&[rule]).await;
        play(&without, &said, false).await;
        if end(&without).await == wanted {
            wrong.push(format!("{}: without it the end is the same", rule.as_str()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn who_is_one_person() {
    check(people()).await;
}

#[tokio::test]
async fn what_is_one_matter() {
    check(tickets()).await;
}
