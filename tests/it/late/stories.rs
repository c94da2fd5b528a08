//! The stories, and what stands at the end of each.

use super::*;

#[tokio::test]
async fn chat_mail_and_call_are_one() {
    check(story(
        "the number in chat, number and name and telephone in a mail, a call",
        vec![
            facebook("f", "03-03 08:00", "P1", ORDER),
            letter("a", "03-05 10:00", MINNA, "Tilausnumero 40012345.\n\nTerveisin\nMinna Virtanen\nPuh. 040 123 4567"),
            phone("c", "03-06 14:00", PHONE),
        ],
        "a c f",
        "a c f",
    ))
    .await;
}

#[tokio::test]
async fn a_household_phone_is_nobodys() {
    check(story(
        "two people of different names give one telephone as theirs",
        vec![
            letter("a", "03-05 10:00", MINNA, "Lamppu on rikki.\n\nMinna Virtanen\nPuh. 040 123 4567"),
            phone("c", "03-06 14:00", PHONE),
            letter("b", "03-10 10:00", PEKKA, "Laskusta puuttuu rivi.\n\nPekka Laine\nPuh. 040 123 4567"),
        ],
        "a | b | c (shared)",
        "a | b | c",
    ))
    .await;
    check(story(
        "also when it called twice, before and after",
        vec![
            phone("c", "03-04 14:00", PHONE),
            letter("a", "03-05 10:00", MINNA, "Lamppu on rikki.\n\nMinna Virtanen\nPuh. 040 123 4567"),
            letter("b", "03-10 10:00", PEKKA, "Laskusta puuttuu rivi.\n\nPekka Laine\nPuh. 040 123 4567"),
            phone("d", "03-11 14:00", PHONE),
        ],
        "a | b | c d (shared)",
        "a | b | c d",
    ))
    .await;
}

#[tokio::test]
async fn a_call_is_not_the_owners_where_an_agent_notes_that() {
    const DENIED: &str = "Soittaja ei ollut Minna Virtanen, vaan kysyi tilauksesta 40012345.";
    check(story(
        "her number was shown by another, between calls of her own",
        vec![
            letter("a", "03-03 10:00", MINNA, "Tilaus 40012345 puuttuu.\n\nMinna Virtanen\nPuh. 040 123 4567"),
            phone("c", "03-04 14:00", PHONE),
            phone("x", "03-05 14:00", PHONE),
            note("n", "03-05 14:10", ("phone", "x"), DENIED),
            phone("d", "03-06 14:00", PHONE),
        ],
        "a c d | n x",
        "a c d | n x",
    ))
    .await;
    check(story(
        "before she was heard of, and twice",
        vec![
            phone("x", "03-02 14:00", PHONE),
            note("n", "03-02 14:10", ("phone", "x"), DENIED),
            phone("y", "03-02 15:00", PHONE),
            note("m", "03-02 15:10", ("phone", "y"), DENIED),
            letter("a", "03-03 10:00", MINNA, "Tilaus 40012345 puuttuu.\n\nMinna Virtanen\nPuh. 040 123 4567"),
            phone("c", "03-04 14:00", PHONE),
        ],
        "a c | m y | n x",
        "a c | m y | n x",
    ))
    .await;
    check(story(
        "her WhatsApp is of the same number",
        vec![
            whatsapp("w", "03-04 10:00", "358401234567", "Minna Virtanen", "Tilaus 40012345 puuttuu."),
            phone("x", "03-05 14:00", PHONE),
            note("n", "03-05 14:10", ("phone", "x"), DENIED),
            whatsapp("v", "03-06 10:00", "358401234567", "Minna Virtanen", "Kiitos, se tuli."),
        ],
        "n x | v w",
        "n x | v w",
    ))
    .await;
}

#[tokio::test]
async fn a_caller_is_who_named_the_number_before() {
    check(story(
        "named before the call",
        vec![
            letter("a", "03-05 10:00", MINNA, "Lamppu on rikki.\n\nMinna Virtanen\nPuh. 040 123 4567"),
            phone("c", "03-06 14:00", PHONE),
        ],
        "a c",
        "a c",
    ))
    .await;
    check(story(
        "named after it",
        vec![
            phone("c", "03-04 14:00", PHONE),
            letter("a", "03-05 10:00", MINNA, "Lamppu on rikki.\n\nMinna Virtanen\nPuh. 040 123 4567"),
        ],
        "a | c",
        "a | c",
    ))
    .await;
    check(story(
        "named between two calls",
        vec![
            phone("c", "03-04 14:00", PHONE),
            letter("a", "03-05 10:00", MINNA, "Lamppu on rikki.\n\nMinna Virtanen\nPuh. 040 123 4567"),
            phone("d", "03-06 14:00", PHONE),
        ],
        "a c d",
        "a c d",
    ))
    .await;
}

#[tokio::test]
async fn whoever_names_each_other_is_one() {
    check(story(
        "a mail names the number, the number the mail",
        vec![
            letter("a", "03-05 10:00", MINNA, "Lamppu on rikki.\n\nMinna Virtanen\nPuh. 040 123 4567"),
            whatsapp("w", "03-06 10:00", "358401234567", "Minna", "Hei, sähköpostini on minna@posti.example"),
            facebook("f", "03-07 10:00", "P1", "Hei, missä tilaus 40012345?"),
        ],
        "a w | f",
        "a w | f",
    ))
    .await;
}

#[tokio::test]
async fn a_browser_used_in_turn() {
    check(story(
        "two people, and the first again",
        vec![
            browser("x", "03-03 10:00", "V1", "Lamppu on rikki.\n\nT. Minna Virtanen"),
            browser("y", "03-05 10:00", "V1", "Lasku puuttuu.\n\nT. Pekka Laine"),
            browser("z", "03-07 10:00", "V1", "Lamppu on taas rikki.\n\nT. Minna Virtanen"),
        ],
        "x z | y",
        "x z | y",
    ))
    .await;
}

#[tokio::test]
async fn a_number_that_was_passed_on() {
    check(story(
        "quiet for two months, then somebody of another name",
        vec![
            whatsapp("w", "01-05 10:00", "358401234567", "Minna Virtanen", "Lamppu on rikki"),
            whatsapp("v", "03-10 10:00", "358401234567", "Pekka Laine", "Lasku puuttuu"),
            whatsapp("u", "03-11 10:00", "358401234567", "Pekka Laine", "Onko se jo tulossa?"),
        ],
        "w | u v",
        "w | u v",
    ))
    .await;
}

#[tokio::test]
async fn a_number_that_its_owner_left() {
    check(story(
        "the platform says so, and somebody else gets the number",
        vec![
            whatsapp("w", "03-01 10:00", "358401234567", "Minna Virtanen", "Lamppu on rikki"),
            changed_number("n", "03-05 10:00", "358401234567", "358407654321"),
            whatsapp("u", "03-06 10:00", "358407654321", "Minna Virtanen", "Onko uutta?"),
            whatsapp("v", "03-07 10:00", "358401234567", "Pekka Laine", "Lasku puuttuu"),
        ],
        "u w | v",
        "u w | v",
    ))
    .await;
    check(story(
        "of the same name as who had it",
        vec![
            whatsapp("w", "03-01 10:00", "358401234567", "Minna Virtanen", "Lamppu on rikki"),
            changed_number("n", "03-05 10:00", "358401234567", "358407654321"),
            whatsapp("v", "04-07 10:00", "358401234567", "Minna Virtanen", "Lasku puuttuu"),
        ],
        "w | v",
        "w | v",
    ))
    .await;
}

#[tokio::test]
async fn an_account_that_another_has_now() {
    let w = |key, day, text| whatsapp(key, day, "358401234567", "Minna V", text);
    check(story(
        "a colleague names himself",
        vec![
            w("w", "03-01 10:00", "Lamppu on rikki. Minna Virtanen"),
            w("v", "03-07 10:00", "Täällä Pekka Laine, lasku puuttuu."),
            w("u", "03-07 10:05", "Siis helmikuun."),
        ],
        "u v | w",
        "u v | w",
    ))
    .await;
    check(story(
        "and she is back",
        vec![
            w("w", "03-01 10:00", "Lamppu on rikki. Minna Virtanen"),
            w("v", "03-07 10:00", "Täällä Pekka Laine, lasku puuttuu."),
            w("u", "03-08 10:05", "Täällä Minna Virtanen, joko lamppu tulee?"),
        ],
        "u w | v",
        "u w | v",
    ))
    .await;
    check(story(
        "a colleague gives it as his, and writes by his own profile",
        vec![
            whatsapp("w", "03-01 10:00", "358401234567", "Minna Virtanen", "Lamppu on rikki."),
            letter("a", "03-05 10:00", PEKKA, "Hoidan nyt tilaukset.\n\nPekka Laine\nPuh. 040 123 4567"),
            whatsapp("v", "03-07 10:00", "358401234567", "Pekka L", "Lasku puuttuu"),
        ],
        "w | a | v",
        "w | a | v",
    ))
    .await;
}

#[tokio::test]
async fn who_had_it_is_told_by_what_came_between() {
    check(story(
        "a call between shows that the number was never quiet",
        vec![
            whatsapp("w", "01-05 10:00", "358401234567", "Minna Virtanen", "Lamppu on rikki"),
            phone("c", "02-10 10:00", PHONE),
            whatsapp("v", "03-10 10:00", "358401234567", "Pekka Laine", "Lasku puuttuu"),
        ],
        "c v w",
        "w | c | v",
    ))
    .await;
    check(story(
        "and the numbers that each named are his own",
        vec![
            whatsapp("w", "01-05 10:00", "358401234567", "Minna Virtanen", "Tilaus 40012345 puuttuu"),
            whatsapp("v", "03-10 10:00", "358401234567", "Pekka Laine", "Tilaus 40099999 puuttuu"),
            letter("a", "03-11 10:00", MINNA, "Tilausnumero 40012345.\n\nMinna Virtanen"),
            letter("b", "03-12 10:00", PEKKA, "Tilausnumero 40099999.\n\nPekka Laine"),
        ],
        "a w | b v",
        "a w | b v",
    ))
    .await;
}

#[tokio::test]
async fn an_agents_note_names_the_caller() {
    check(story(
        "a note after the call: who it was, and about which order",
        vec![
            phone("c", "03-04 14:00", PHONE),
            note("n", "03-04 14:10", ("phone", "c"), "Soittaja Minna Virtanen, tilaus 40012345 puuttuu."),
            letter("a", "03-05 10:00", MINNA, "Tilausnumero 40012345.\n\nTerveisin\nMinna Virtanen"),
        ],
        "a c n",
        "a c n",
    ))
    .await;
}

const ON_A: (&str, &str) = ("mail", "a@posti.example");

#[tokio::test]
async fn an_answer_from_a_second_address() {
    let a = || letter("a", "03-05 10:00", MINNA, "Lamppu on rikki.\n\nMinna Virtanen");
    let headers = answer_to("d@kauppa.example");
    check(story(
        "in the same full name",
        vec![
            a(),
            answer("d", "03-05 12:00", ON_A, "minna@posti.example"),
            letter_with(
                "r",
                "03-06 10:00",
                "Minna Virtanen <minna@tyo.example>",
                PASS,
                &headers,
                "Kiitos.\n\nMinna Virtanen",
            ),
        ],
        "a d r",
        "a d r",
    ))
    .await;
    check(story(
        "from a domain made to look like hers",
        vec![
            a(),
            answer("d", "03-05 12:00", ON_A, "minna@posti.example"),
            letter_with(
                "r",
                "03-06 10:00",
                "Minna Virtanen <minna@p0sti.example>",
                PASS,
                &headers,
                "Kiitos.\n\nMinna Virtanen",
            ),
        ],
        "a d | r",
        "a d | r",
    ))
    .await;
}

#[tokio::test]
async fn an_answer_whose_signature_broke() {
    let a = || letter("a", "03-05 10:00", MINNA, "Lamppu on rikki.\n\nMinna Virtanen");
    let headers = answer_to("d@kauppa.example");
    let broken = |from: &str| letter_with("r", "03-06 10:00", from, FAIL, &headers, "Kiitos.\n\nMinna Virtanen");
    check(story(
        "from the address that the desk had written to",
        vec![a(), answer("d", "03-05 12:00", ON_A, "minna@posti.example"), broken(MINNA)],
        "a d r",
        "a d r",
    ))
    .await;
    check(story(
        "from another address",
        vec![
            a(),
            answer("d", "03-05 12:00", ON_A, "minna@posti.example"),
            broken("Minna Virtanen <minna@tyo.example>"),
        ],
        "a d | r",
        "a d | r",
    ))
    .await;
    check(story(
        "when the desk had written to two",
        vec![a(), answer("d", "03-05 12:00", ON_A, "minna@posti.example, pekka@kirje.example"), broken(MINNA)],
        "a d | r",
        "a d | r",
    ))
    .await;
}

#[tokio::test]
async fn what_was_said_between() {
    check(story(
        "a message older than the last one bridges the gap",
        vec![
            letter("a", "03-01 10:00", MINNA, "Lamppu on rikki."),
            letter("b", "03-20 10:00", MINNA, "Onko uutta?"),
            letter("c", "03-10 10:00", MINNA, "Hei, odotan vastausta."),
        ],
        "a b c",
        "a b c",
    ))
    .await;
    check(story(
        "a parent that comes late",
        vec![
            letter("a", "03-01 10:00", MINNA, "Lamppu on rikki."),
            letter_with(
                "b",
                "03-02 10:00",
                "Antti Aalto <antti@posti.example>",
                PASS,
                &answer_to("a@posti.example"),
                "Sama vika minulla.",
            ),
            letter_with("c", "03-03 10:00", MINNA, PASS, &answer_to("b@posti.example"), "Hyvä tietää."),
        ],
        "a c | b",
        "a b c",
    ))
    .await;
    check(story(
        "a closing that comes late",
        vec![
            letter("a", "03-01 10:00", MINNA, "Lamppu on rikki."),
            close("x", "03-02 10:00", ON_A),
            letter("b", "03-10 10:00", MINNA, "Lasku puuttuu vielä."),
        ],
        "a b",
        "a (closed) | b",
    ))
    .await;
}

#[tokio::test]
async fn what_the_desk_does_with_a_ticket_stands_whenever_it_is_told() {
    let rest = || [letter("a", "03-01 10:00", MINNA, "Lamppu on rikki."), close("x", "03-02 10:00", ON_A)];
    let told = |name, acts: Vec<Said>, tickets| story(name, rest().into_iter().chain(acts).collect(), "a", tickets);
    for story in [
        told("open again", vec![reopen("y", "03-03 10:00", ON_A)], "a"),
        told("open again before it was closed", vec![reopen("y", "03-01 12:00", ON_A)], "a (closed)"),
        told("closed again", vec![reopen("y", "03-03 10:00", ON_A), close("z", "03-04 10:00", ON_A)], "a (closed)"),
        told("taken", vec![assign("y", "03-01 11:00", ON_A, Some("Aino"))], "a (closed:Aino)"),
        told(
            "taken, and taken over",
            vec![assign("y", "03-01 11:00", ON_A, Some("Aino")), assign("z", "03-01 12:00", ON_A, Some("Eino"))],
            "a (closed:Eino)",
        ),
        told(
            "taken, and let go",
            vec![assign("y", "03-01 11:00", ON_A, Some("Aino")), assign("z", "03-01 12:00", ON_A, None)],
            "a (closed)",
        ),
        // The tool's clock is behind.
        told("taken before it came", vec![assign("y", "02-28 11:00", ON_A, Some("Aino"))], "a (closed:Aino)"),
    ] {
        check(story).await;
    }
    check(story(
        "of tickets that turn out to be one, who took either last",
        vec![
            facebook("f", "03-03 08:00", "P1", ORDER),
            assign("y", "03-03 09:00", ("facebook", "f"), Some("Aino")),
            letter("a", "03-05 10:00", MINNA, "Tilausnumero 40012345.\n\nMinna Virtanen"),
            assign("z", "03-05 11:00", ON_A, Some("Eino")),
        ],
        "a f",
        "a f (Eino)",
    ))
    .await;
    check(story(
        "open again on one channel, what was closed on another goes on",
        vec![
            letter("a", "03-01 10:00", MINNA, "Lamppu on rikki."),
            close("x", "03-02 10:00", ON_A),
            reopen("y", "03-12 10:00", ON_A),
            letter("b", "03-13 10:00", MINNA, "Lasku puuttuu vielä."),
        ],
        "a b",
        "a b",
    ))
    .await;
}

#[tokio::test]
async fn the_desk_waits_for_the_customer_until_he_says_something() {
    let first = || letter("a", "03-01 10:00", MINNA, "Lamppu on rikki.");
    let told = |name, more: Vec<Said>, groups, tickets| {
        story(name, [first()].into_iter().chain(more).collect(), groups, tickets)
    };
    let waits = || wait("x", "03-02 10:00", ON_A);
    for story in [
        told("it waits", vec![waits()], "a", "a (awaited)"),
        told("he answers", vec![waits(), letter("b", "03-03 10:00", MINNA, "Lasku puuttuu vielä.")], "a b", "a b"),
        told(
            "he had written before",
            vec![letter("b", "03-01 12:00", MINNA, "Lasku puuttuu vielä."), waits()],
            "a b",
            "a b (awaited)",
        ),
        told("an agent says that it waits no longer", vec![waits(), resume("y", "03-02 12:00", ON_A)], "a", "a"),
        told(
            "and again that it does",
            vec![waits(), resume("y", "03-02 12:00", ON_A), wait("z", "03-02 13:00", ON_A)],
            "a",
            "a (awaited)",
        ),
        told("on a closed ticket nobody waits", vec![waits(), close("y", "03-02 12:00", ON_A)], "a", "a (closed)"),
        told(
            "open again it is work",
            vec![waits(), close("y", "03-02 12:00", ON_A), reopen("z", "03-02 13:00", ON_A)],
            "a",
            "a",
        ),
    ] {
        check(story).await;
    }
    check(story(
        "of tickets that turn out to be one, what was said last of either",
        vec![
            facebook("f", "03-03 08:00", "P1", ORDER),
            letter("a", "03-05 10:00", MINNA, "Tilausnumero 40012345.\n\nMinna Virtanen"),
            wait("y", "03-05 11:00", ("facebook", "f")),
            facebook("g", "03-05 12:00", "P1", "Kiitos, tässä se on."),
            wait("z", "03-05 13:00", ON_A),
        ],
        "a f g",
        "a f g (awaited)",
    ))
    .await;
}

#[tokio::test]
async fn a_ticket_is_in_the_queue_of_what_is_wanted_first() {
    let complaint = "Olen pettynyt palveluun, kiitos kuitenkin hyvästä palautteesta.";
    for story in [
        story("by no rule", vec![letter("a", "03-01 10:00", MINNA, "Lamppu on rikki.")], "a", "a"),
        story(
            "an agent's word stands",
            vec![
                letter("a", "03-01 10:00", MINNA, "Lamppu on rikki."),
                route("y", "03-01 11:00", ON_A, "sales"),
                letter("b", "03-02 10:00", MINNA, "Lasku puuttuu vielä."),
            ],
            "a b",
            "a b (sales)",
        ),
        story(
            "of two the later",
            vec![
                letter("a", "03-01 10:00", MINNA, "Lamppu on rikki."),
                route("y", "03-01 11:00", ON_A, "sales"),
                route("z", "03-01 12:00", ON_A, "feedback"),
            ],
            "a",
            "a (feedback)",
        ),
        story("what only thanks", vec![letter("a", "03-01 10:00", MINNA, complaint)], "a", "a (feedback)"),
        story(
            "what is wanted first leads, whatever comes of it",
            vec![letter("a", "03-01 10:00", MINNA, complaint), letter("b", "03-01 12:00", MINNA, "Lamppu on rikki.")],
            "a b",
            "a b (feedback)",
        ),
        story(
            "whose firm shows later",
            vec![
                facebook("f", "03-03 08:00", "P1", ORDER),
                letter(
                    "a",
                    "03-05 10:00",
                    "Minna Virtanen <minna@avain.example>",
                    "Tilausnumero 40012345.\n\nMinna Virtanen",
                ),
            ],
            "a f",
            "a f (key)",
        ),
        story(
            "of tickets that turn out to be one, the earlier",
            vec![
                facebook("f", "03-03 08:00", "P1", ORDER),
                letter("a", "03-05 10:00", MINNA, "Palautetta: hyvä palvelu. Tilausnumero 40012345.\n\nMinna Virtanen"),
            ],
            "a f",
            "a f",
        ),
    ] {
        check(story).await;
    }
}

#[tokio::test]
async fn one_thing_leads_to_another() {
    check(story(
        "a mail that holds two numbers joins the two who hold one each",
        vec![
            facebook("f", "03-03 08:00", "P1", ORDER),
            whatsapp("w", "03-04 08:00", "358407654321", "Minna Virtanen", "Missä tilaus 40099999 on?"),
            letter("a", "03-05 10:00", MINNA, "Tilaukset 40012345 ja 40099999.\n\nMinna Virtanen"),
        ],
        "a f w",
        "a | f | w",
    ))
    .await;
    check(story(
        "a number that two of other names hold joins only its own",
        vec![
            facebook("f", "03-03 08:00", "P1", ORDER),
            facebook("g", "03-04 08:00", "P2", "Tilaus 40012345?\n\nT. Pekka Laine"),
            letter("a", "03-05 10:00", PEKKA, "Tilausnumero 40012345.\n\nPekka Laine"),
            phone("c", "03-06 10:00", PHONE),
        ],
        "f | a g | c",
        "f | a g | c",
    ))
    .await;
    check(story(
        "what is closed stays closed when its people become one",
        vec![
            facebook("f", "03-03 08:00", "P1", ORDER),
            close("x", "03-03 12:00", ("facebook", "f")),
            letter("a", "03-20 10:00", MINNA, "Lamppu on rikki.\n\nMinna Virtanen"),
            facebook("g", "03-21 08:00", "P1", "Sähköpostini on minna@posti.example."),
            letter("b", "03-22 10:00", MINNA, "Tilauksesta 40012345 vielä.\n\nMinna Virtanen"),
        ],
        "a b f g",
        "f (closed) | a b g",
    ))
    .await;
}

#[tokio::test]
async fn a_busy_week() {
    check(story(
        "three people, two of them by several ways, one telephone in a household",
        vec![
            facebook("f", "03-03 08:00", "P1", ORDER),
            letter("a", "03-05 10:00", MINNA, "Tilausnumero 40012345.\n\nMinna Virtanen\nPuh. 040 123 4567"),
            phone("c", "03-06 14:00", PHONE),
            answer("d", "03-06 15:00", ON_A, "minna@posti.example"),
            letter_with("r", "03-07 10:00", MINNA, PASS, &answer_to("d@kauppa.example"), "Kiitos!"),
            letter("b", "03-10 10:00", PEKKA, "Laskusta puuttuu rivi.\n\nPekka Laine\nPuh. 040 123 4567"),
            phone("e", "03-11 14:00", PHONE),
            letter("k", "03-11 15:00", "Antti Aalto <antti@posti.example>", "Ovi ei mene kiinni.\n\nAntti Aalto"),
        ],
        "a d f r | b | c e (shared) | k",
        "a d f r | b | c e | k",
    ))
    .await;
}
