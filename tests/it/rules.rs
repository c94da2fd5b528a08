//! What rules are for: a story each, which ends as it should with the rule, and otherwise without it.
//!
//! These are rules that cost nothing on the labelled stories when they are left out (`cargo bench --bench ablate`);
//! those that keep strangers out are in `attacks`.

use crate::attacks::{NOTHING, NOTHING_BUT_SPF, altered, before, open_without};
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

/// Said in the vendor's group.
fn in_group(said: Said) -> Said {
    altered(said, "{\"from\":", "{\"group_id\":\"G1\",\"from\":")
}

/// From an account that the platform knows by an id of its own too, or by that alone.
fn with_id(said: Said, is_hidden: bool) -> Said {
    let said = altered(said, "\"messages\":[{", "\"messages\":[{\"from_user_id\":\"FI.1\",");
    let said = altered(said, "\"contacts\":[{", "\"contacts\":[{\"user_id\":\"FI.1\",");
    match is_hidden {
        true => altered(altered(said, "\"from\":\"358401234567\",", ""), ",\"wa_id\":\"358401234567\"", ""),
        false => said,
    }
}

/// What is known of people beside what they say: platforms, agents' notes, who had a number when.
fn people_by_others() -> Vec<Need> {
    let on = |key| ("phone", key);
    let w = |key, day, text| whatsapp(key, day, "358401234567", "Minna Virtanen", text);
    let signed = |key, day, from, text: &str| letter(key, day, from, &format!("{text}\nPuh. 040 123 4567"));
    vec![
        need(
            Rule::PlatformVouches,
            vec![
                w("w", "03-03 10:00", "Lamppu on rikki."),
                with_id(w("v", "03-20 10:00", "Hylly puuttuu."), true),
                with_id(w("u", "03-21 10:00", "Onko hyllystä uutta?"), false),
            ],
            "u v w",
            "u v | w",
        ),
        need(
            Rule::ClaimInTime,
            vec![
                signed("a", "03-01 10:00", MINNA, "Lamppu on rikki.\n\nMinna Virtanen"),
                w("w", "03-02 10:00", "Sähköpostini on minna@posti.example."),
                changed_number("n", "03-05 10:00", "358401234567", "358407654321"),
                phone("c", "03-07 14:00", PHONE),
            ],
            "a w | c",
            "a w | c",
        ),
        need(
            Rule::SharedMailbox,
            vec![
                letter("a", "03-03 10:00", "perhe@posti.example", "Tilaus 40012345 puuttuu.\n\nMinna Virtanen"),
                letter("b", "03-04 10:00", "perhe@posti.example", "Lasku L-10001 puuttuu.\n\nPekka Laine"),
                whatsapp("w", "03-05 10:00", "358407654321", "Minna Virtanen", "Joko tilaus 40012345 on tulossa?"),
            ],
            "a b (shared) | w",
            "a b | w",
        ),
        need(
            Rule::GivenByTwo,
            vec![
                facebook("f", "03-03 10:00", "P1", "Tilasin iskän puhelimella, 40012345. 040 123 4567"),
                signed("a", "03-04 10:00", MINNA, "Peruutan tilauksen 40012345.\n\nMinna Virtanen"),
                phone("c", "03-05 14:00", PHONE),
                note("n", "03-05 14:10", on("c"), "Soittaja Minna Virtanen, tilaus 40012345."),
            ],
            "f | a c n",
            "f | a c n",
        ),
        need(
            Rule::SharedCaller,
            vec![
                signed(
                    "a",
                    "03-03 10:00",
                    "Maija Rönnholm <maija@posti.example>",
                    "Lamppu on rikki.\n\nMaija Rönnholm",
                ),
                letter(
                    "b",
                    "03-04 10:00",
                    "Siiri Rönnholm <siiri@posti.example>",
                    "Tilaus 40012345.\n\nSiiri Rönnholm",
                ),
                phone("c", "03-05 14:00", PHONE),
                note("n", "03-05 14:10", on("c"), "Siiri R. kysyi tilauksesta 40012345."),
            ],
            "a | b | c n (shared)",
            "a | b | c n",
        ),
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
                whatsapp("w", "03-05 10:00", "358401234567", "🌻", "Joko se on tulossa?"),
            ],
            "a c w",
            "a c w",
        ),
        need(
            Rule::CalledSince,
            vec![
                whatsapp("w", "03-02 10:00", "358401234567", "Minna V", "Lamppu on rikki."),
                hers("a", "03-03 10:00"),
                phone("c", "03-04 14:00", PHONE),
            ],
            "a c w",
            "a c w",
        ),
        need(
            Rule::NotThere,
            vec![
                letter("a", "03-03 10:00", MINNA, "Tilaus 40012345 puuttuu.\n\nMinna Virtanen\nPuh. 040 123 4567"),
                whatsapp("x", "03-04 10:00", "358449998877", "Minna Virtanen", "Vaihtakaa 40012345 osoite."),
                phone("c", "03-05 14:00", PHONE),
                note("n", "03-05 14:10", on_call, "Minna Virtanen. WhatsAppia hänellä ei ole lainkaan."),
            ],
            "a c n | x",
            "a c n | x",
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
            Rule::SecondAccount,
            vec![
                letter("a", "03-03 10:00", MINNA, "Tilaus 40012345 puuttuu.\n\nMinna Virtanen"),
                letter(
                    "b",
                    "03-04 10:00",
                    "Minna Virtanen <mv@toinen.example>",
                    "Uusi osoitteeni on tämä, tilaus 40012345.\n\nMinna Virtanen",
                ),
            ],
            "a | b",
            "a | b",
        ),
        need(
            Rule::Disowned,
            vec![
                letter("a", "03-03 10:00", MINNA, "Tilaus 40012345 puuttuu.\n\nMinna Virtanen"),
                whatsapp(
                    "w",
                    "03-04 10:00",
                    "358407654321",
                    "Minna Virtanen",
                    "Sain viestin tilauksesta 40012345, mutta en ole tilannut mitään.",
                ),
            ],
            "a | w",
            "a | w",
        ),
        need(
            Rule::Swapped,
            vec![
                letter("a", "03-03 10:00", MINNA, "Tilaus 40012345 puuttuu.\n\nMinna Virtanen"),
                whatsapp(
                    "w",
                    "03-04 10:00",
                    "358407654321",
                    "Minna Virtanen",
                    "Kuoressa on 40012345, tilaukseni on 40012354.",
                ),
            ],
            "a | w",
            "a | w",
        ),
        need(
            Rule::BrowserUnnamed,
            vec![
                browser("a", "03-03 10:00", "V1", "Lamppu on rikki.\n\nT. Minna Virtanen"),
                browser("b", "03-04 10:00", "V1", "Hylly puuttuu.\n\nT. Pekka Laine"),
                browser("c", "03-05 10:00", "V1", "Joko se on valmis?"),
            ],
            "a | b | c",
            "a | b | c",
        ),
        need(
            Rule::NotOwner,
            vec![
                letter("a", "03-03 10:00", MINNA, "Tilaus 40012345 puuttuu.\n\nMinna Virtanen\nPuh. 040 123 4567"),
                phone("c", "03-04 14:00", PHONE),
                note("n", "03-04 14:10", on_call, "Kysyi osoitetta. Soittaja ei ollut Minna Virtanen."),
            ],
            "a | c n",
            "a | c n",
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
                hers("a", "03-15 10:00"),
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

/// What holds a thread together, or keeps it from another.
fn threads() -> Vec<Need> {
    let of_two = |said: Said| and(two(), said);
    let hers = |key, day: &str, headers: &str, text: &str| letter_with(key, day, MINNA, PASS, headers, text);
    let hint = |key, day: &str, more: &str, text: &str| {
        hers(key, day, &format!("Thread-Index: Adb1AAAAAAAAAAAAAAAAAAAAAAAAAA{more}==\r\n"), text)
    };
    let talk = |key, day: &str, text: &str| browser(key, day, "V1", text);
    vec![
        need(
            Rule::Group,
            vec![
                in_group(whatsapp("w", "03-03 10:00", "358401234567", "Minna Virtanen", "Lamppu on rikki.")),
                in_group(whatsapp("v", "03-04 10:00", "358407654321", "Pekka Laine", "Niin meilläkin.")),
            ],
            "v | w",
            "v w",
        ),
        need(
            Rule::Conversation,
            vec![
                talk("a", "03-03 10:00", "Lamppu on rikki."),
                talk("b", "03-04 10:00", "Uusi asia: hylly puuttuu."),
                altered(
                    talk("r", "03-05 10:00", "Onko uutta?"),
                    "\"conversation_id\":\"r\"",
                    "\"conversation_id\":\"a\"",
                ),
            ],
            "a b r",
            "a r | b",
        ),
        need(
            Rule::ThreadHint,
            vec![
                hint("a", "03-03 10:00", "", LEAK),
                titled("b", "03-03 11:00", MINNA, "Hyllyn toimitus", "Hylly puuttuu."),
                hint("r", "03-04 10:00", "AAAAAAAA", "Onko uutta?"),
            ],
            "a b r",
            "a r | b",
        ),
        need(
            Rule::LateParent,
            and(
                of_two(hers("r", "03-04 10:00", &answer_to("p@posti.example"), "Sopii sittenkin.")),
                titled("p", "03-05 10:00", MINNA, "Käynti", "Sopiiko huomenna?"),
            ),
            "a b p r",
            "a | b | p r",
        ),
        need(
            Rule::JoinedThread,
            and(
                of_two(hers("r", "03-04 10:00", &answer_to("p@posti.example"), "Sopii sittenkin.")),
                hers("p", "03-05 10:00", &answer_to("a@posti.example"), "Sopiiko huomenna?"),
            ),
            "a b p r",
            "a p r | b",
        ),
        need(
            Rule::OneMatter,
            vec![
                titled("a", "03-03 10:00", MINNA, "Kahvinkeitin", "Tilaus 40099999 vuotaa."),
                hers("r", "03-04 10:00", &answer_to("p@posti.example"), "Tilaus 40012345 sopii."),
                hers("p", "03-05 10:00", &answer_to("a@posti.example"), "Sopiiko huomenna?"),
            ],
            "a p r",
            "a p | r",
        ),
        need(
            Rule::DeskLatest,
            of_two(altered(
                letter("o", "03-04 10:00", "Kauppa <asiakaspalvelu@kauppa.example>", "Asentaja tulee huomenna."),
                "To: asiakaspalvelu@kauppa.example",
                "To: minna@posti.example",
            )),
            "a b o",
            "a | b o",
        ),
        need(
            Rule::NumberBelieved,
            and(
                and(
                    vec![letter("a", "03-03 10:00", MINNA, LEAK)],
                    letter_with("x", "03-04 10:00", MINNA, NOTHING, &answer_to("a@posti.example"), "Myös 40099999."),
                ),
                titled("b", "03-05 10:00", MINNA, "Hylly", "Tilaus 40099999 puuttuu."),
            ),
            "a b x",
            "a x | b",
        ),
        need(
            Rule::OwnNumber,
            vec![
                whatsapp("w", "03-02 10:00", "358401234567", "Minna Virtanen", "Missä tilaus 40012345 on?"),
                titled("b", "03-07 10:00", MINNA, "Vuokra", "Laskussa L-10001 on virhe.\n\nMinna Virtanen"),
                whatsapp("v", "03-08 10:00", "358401234567", "Minna Virtanen", "Entä lasku L-10001?"),
            ],
            "b v w",
            "b v | w",
        ),
        need(
            Rule::SilentOther,
            and(
                before(),
                letter_with(
                    "r",
                    "03-25 10:00",
                    MINNA,
                    PASS,
                    &answer_to("d@kauppa.example"),
                    "Aivan eri asia: ovi narisee.",
                ),
            ),
            "v d r",
            "v d | r",
        ),
        need(
            Rule::SharedMatters,
            vec![
                phone("c", "03-03 14:00", PHONE),
                note("n", "03-03 14:10", ("phone", "c"), "Soittaja Minna Virtanen, mittari vaihdetaan."),
                phone("e", "03-04 14:00", PHONE),
                note("m", "03-04 14:10", ("phone", "e"), "Soittaja Pekka Laine, kaivo on kuiva."),
            ],
            "c e m n (shared)",
            "c n | e m",
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

#[tokio::test]
async fn what_others_say_of_people() {
    check(people_by_others()).await;
}

#[tokio::test]
async fn what_is_one_thread() {
    check(threads()).await;
}

/// What a message shows to be one is one ticket as soon as it is taken in, before anybody is decided on anew.
#[tokio::test]
async fn what_is_one_at_once() {
    let said = [
        facebook("f", "03-03 10:00", "P1", "Lamppu on rikki."),
        letter("a", "03-03 11:00", MINNA, "Tilaus 40012345 puuttuu.\n\nMinna Virtanen"),
        facebook("g", "03-03 12:00", "P1", "Tilaus on 40012345.\n\nT. Minna Virtanen"),
    ];
    for (without, tickets) in [(&[][..], "a f g"), (&[Rule::JoinedContacts], "a g | f")] {
        let desk = open_without(without).await;
        for said in &said {
            desk.deliver(said.channel, &said.at, said.body.as_str()).await;
            desk.take_in().await;
        }
        assert_eq!(end(&desk).await, (sorted("a f g"), sorted(tickets)), "{without:?}");
    }
}
