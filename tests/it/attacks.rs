//! Attacks and look-alikes, a story each: what was said, and what stands at the end. Nobody gets in by pretending.
//!
//! Keys that begin with `x` are the attacker's or the stranger's, `d` is the desk's, all others are the customer's.
//! **Of every story:** what is the stranger's lies with a customer's only where it is marked `unverified`; it never
//! changes where answers go (the last message of a participant that he was verified for; whoever came in by the id of the
//! desk's message alone is answered when an agent picks him); what it states is not
//! kept as vouched for; and it is marked, suggested or told.
//!
//! `needs` names protections each of which alone keeps the stranger out: played without one of them, the story ends
//! otherwise. So no protection can be taken away, or break, without a story that tells.

use crate::desk::{Desk, at};
use crate::late::*;
use lanka::pure::domain::rule::Rule;
use lanka::shell::daemon::denied_readings;
use serde_json::json;
use std::collections::BTreeSet;

const EVE: &str = "Eve Paha <eve@toinen.example>";
/// A mail that is signed by nobody, or by another domain than its sender's.
pub(crate) const NOTHING: &str = "spf=none; dkim=none; dmarc=none";
/// Aligned, and signed by nobody.
pub(crate) const NOTHING_BUT_SPF: &str = "spf=pass smtp.mailfrom=firma.example; dmarc=none";
const FOREIGN: &str = "spf=pass smtp.mailfrom=toinen.example; dkim=pass header.d=toinen.example; dmarc=none";
const ON_V: (&str, &str) = ("mail", "v@posti.example");
const MINNAS: &str = "Tilaus 40012345 puuttuu.\n\nMinna Virtanen";
const NUMBER: &str = "358401234567";

struct Attack {
    name: &'static str,
    said: Vec<Said>,
    people: &'static str,
    tickets: &'static str,
    /// What is said aloud of the stranger's messages: marks, reasons that warn, suggestions, alerts.
    aloud: &'static str,
    needs: &'static [Rule],
}

/// What Minna wrote, and what the desk answered her.
pub(crate) fn before() -> Vec<Said> {
    vec![
        letter("v", "03-03 10:00", MINNA, MINNAS),
        told("d", "03-03 12:00", ON_V, "minna@posti.example", "Hei Minna, selvitämme."),
    ]
}

fn then(mut said: Vec<Said>, more: impl IntoIterator<Item = Said>) -> Vec<Said> {
    said.extend(more);
    said
}

/// A mail whose bytes are changed.
pub(crate) fn altered(said: Said, from: &str, to: &str) -> Said {
    assert!(said.body.contains(from), "{from} stands nowhere in {}", said.body);
    Said { body: said.body.replacen(from, to, 1), ..said }
}

fn mails() -> Vec<Attack> {
    let reply = || answer_to("d@kauppa.example");
    let spoof = |result: &str, headers: &str, text: &str| letter_with("x", "03-04 10:00", MINNA, result, headers, text);
    vec![
        Attack {
            name: "her address, which her domain denies",
            said: then(before(), [spoof("dmarc=fail", "", MINNAS)]),
            people: "v d | x",
            tickets: "v d | x",
            aloud: "alert sender_contradicted, x contradicted",
            needs: &[Rule::Denied],
        },
        Attack {
            name: "her address, denied, in answer to her own mail",
            said: then(before(), [spoof("dmarc=fail", &answer_to("v@posti.example"), "Uusi tilinumero on alla.")]),
            people: "v d | x",
            tickets: "v d | x",
            aloud: "alert sender_contradicted, x contradicted, x suggests ticket of v",
            needs: &[Rule::Denied],
        },
        Attack {
            name: "her address, which nothing vouches for",
            said: then(before(), [spoof(NOTHING, "", "Lähettäkää se toiseen osoitteeseen.")]),
            people: "v d x",
            tickets: "v d x",
            aloud: "x unverified",
            needs: &[],
        },
        Attack {
            name: "her address, signed by another domain",
            said: then(before(), [spoof(FOREIGN, "", "Lähettäkää se toiseen osoitteeseen.")]),
            people: "v d x",
            tickets: "v d x",
            aloud: "x sender_unaligned, x unaligned, x unverified",
            needs: &[],
        },
        Attack {
            name: "her address, unsigned, with the number of a matter that is closed",
            said: then(before(), [close("dc", "03-03 13:00", ON_V), spoof(NOTHING, "", "Tilaus 40012345 perutaan.")]),
            people: "v d x",
            tickets: "v d (closed) | x",
            aloud: "x suggests ticket of v, x unverified",
            needs: &[Rule::NumberVouched],
        },
        Attack {
            name: "a domain that looks like hers, within her thread",
            said: then(
                before(),
                [letter_with(
                    "x",
                    "03-04 10:00",
                    "Minna Virtanen <minna@p0sti.example>",
                    "dmarc=pass",
                    &reply(),
                    "Tilini on vaihtunut.",
                )],
            ),
            people: "v d | x",
            tickets: "v d | x",
            aloud: "x suggests contact of d, x suggests ticket of d",
            needs: &[Rule::ImitatedTicket, Rule::ImitatedContact],
        },
        Attack {
            name: "another mail address, with her name and number",
            said: then(before(), [letter("x", "03-04 10:00", "Minna Virtanen <minna@muu.example>", MINNAS)]),
            people: "v d | x",
            tickets: "v d | x",
            aloud: "x suggests contact of v, x suggests ticket of v",
            needs: &[Rule::SecondAccount],
        },
        Attack {
            name: "another mail address and a telephone it gives, with her name and number",
            said: then(
                before(),
                [
                    letter(
                        "xa",
                        "03-04 10:00",
                        "Minna Virtanen <minna@muu.example>",
                        "Tilaus 40012345: uusi numeroni on 040 765 4321.\n\nMinna Virtanen",
                    ),
                    whatsapp("xb", "03-04 11:00", "358407654321", "Minna Virtanen", "Tilaus 40012345, joko maksoitte?"),
                ],
            ),
            people: "v d | xa xb",
            tickets: "v d | xa xb",
            aloud: "xa suggests contact of v, xa suggests ticket of v, xb suggests ticket of v",
            needs: &[Rule::SecondAccount],
        },
        Attack {
            name: "a copy of her profile, with the number she showed to others",
            said: vec![
                whatsapp("v", "03-03 10:00", "358401234567", "Minna Virtanen", "Tilaus 40012345 puuttuu."),
                whatsapp("x", "03-04 10:00", "358407654321", "Minna Virtanen", "Uusi numeroni. Tilaus 40012345?"),
            ],
            people: "v | x",
            tickets: "v | x",
            aloud: "x suggests contact of v, x suggests ticket of v",
            needs: &[Rule::SecondAccount],
        },
        Attack {
            name: "a domain that looks like hers, with her name and number",
            said: then(before(), [letter("x", "03-04 10:00", "Minna Virtanen <minna@postl.example>", MINNAS)]),
            people: "v d | x",
            tickets: "v d | x",
            aloud: "x suggests contact of v, x suggests ticket of v",
            needs: &[],
        },
        Attack {
            name: "her firm's domain with a word beside it, with her name and number",
            said: vec![
                letter("v", "03-03 10:00", "Minna Virtanen <minna@kaivurit.example>", MINNAS),
                letter("x", "03-04 10:00", "Minna Virtanen <minna@kaivurit-oy.example>", MINNAS),
            ],
            people: "v | x",
            tickets: "v | x",
            aloud: "x suggests contact of v, x suggests ticket of v",
            needs: &[],
        },
        Attack {
            name: "a domain with letters of another alphabet",
            said: then(before(), [letter("x", "03-04 10:00", "Minna Virtanen <minna@xn--psti-55d.example>", MINNAS)]),
            people: "v d | x",
            tickets: "v d | x",
            aloud: "x suggests contact of v, x suggests ticket of v",
            needs: &[],
        },
        Attack {
            name: "a domain that looks like the desk's own",
            said: vec![
                whatsapp("v", "03-03 10:00", "358407654321", "Minna Virtanen", "Tilaus 40012345 puuttuu."),
                letter("x", "03-04 10:00", "Minna Virtanen <minna@kaupppa.example>", MINNAS),
            ],
            people: "v | x",
            tickets: "v | x",
            aloud: "x lookalike, x suggests contact of v, x suggests ticket of v, x unverified",
            needs: &[Rule::ImitatedDesk],
        },
        Attack {
            name: "her address in Reply-To",
            said: then(
                before(),
                [letter_with(
                    "x",
                    "03-04 10:00",
                    EVE,
                    "dmarc=pass",
                    "Reply-To: Minna Virtanen <minna@posti.example>\r\n",
                    MINNAS,
                )],
            ),
            people: "v d | x",
            tickets: "v d | x",
            aloud: "x names_conflict, x suggests ticket of v",
            needs: &[],
        },
        // His own mail, on a ticket of his own: nothing of hers is touched, and nothing is said.
        Attack {
            name: "her address in Sender and Return-Path",
            said: then(
                before(),
                [letter_with(
                    "x",
                    "03-04 10:00",
                    EVE,
                    "dmarc=pass",
                    "Sender: minna@posti.example\r\nReturn-Path: <minna@posti.example>\r\n",
                    "Perun tilauksen.",
                )],
            ),
            people: "v d | x",
            tickets: "v d | x",
            aloud: "",
            needs: &[],
        },
        Attack {
            name: "another's Reply-To under her address",
            said: then(before(), [spoof(NOTHING, "Reply-To: eve@toinen.example\r\n", "Vastatkaa tähän.")]),
            people: "v d x",
            tickets: "v d x",
            aloud: "x unverified",
            needs: &[],
        },
        Attack {
            name: "two From headers, the second signed",
            said: then(
                before(),
                [altered(
                    spoof("dmarc=pass", &format!("From: {EVE}\r\n"), MINNAS),
                    "header.from=posti.example",
                    "header.from=toinen.example",
                )],
            ),
            people: "v d x",
            tickets: "v d x",
            aloud: "x several_senders, x unverified",
            needs: &[],
        },
        Attack {
            name: "two addresses in one From",
            said: then(
                before(),
                [altered(
                    letter("x", "03-04 10:00", EVE, MINNAS),
                    &format!("From: {EVE}"),
                    &format!("From: {EVE}, {MINNA}"),
                )],
            ),
            people: "v d | x",
            tickets: "v d | x",
            aloud: "x names_conflict, x several_senders, x suggests ticket of v, x unverified",
            needs: &[],
        },
        Attack {
            name: "a display name that is her address",
            said: then(
                before(),
                [letter("x", "03-04 10:00", "\"minna@posti.example\" <eve@toinen.example>", "Perukaa tilaus.")],
            ),
            people: "v d | x",
            tickets: "v d | x",
            aloud: "",
            needs: &[],
        },
        Attack {
            name: "another's results above her address",
            said: then(
                before(),
                [altered(
                    spoof(NOTHING, "", MINNAS),
                    "From: ",
                    "Authentication-Results: mx.toinen.example; dmarc=pass header.from=posti.example\r\nFrom: ",
                )],
            ),
            people: "v d x",
            tickets: "v d x",
            aloud: "x unverified",
            needs: &[],
        },
        Attack {
            name: "a sender at her provider who has the number",
            said: then(
                before(),
                [letter(
                    "x",
                    "03-04 10:00",
                    "Eve Paha <eve@posti.example>",
                    "Koska tilaus 40012345 tulee?\n\nEve Paha",
                )],
            ),
            people: "v d | x",
            tickets: "v d | x",
            aloud: "x names_conflict, x suggests ticket of v",
            needs: &[Rule::Entitled],
        },
        Attack {
            name: "a sender at her provider who answers her mail",
            said: then(
                before(),
                [letter_with(
                    "x",
                    "03-04 10:00",
                    "Eve Paha <eve@posti.example>",
                    "dmarc=pass",
                    &answer_to("v@posti.example"),
                    "Koska se tulee?",
                )],
            ),
            people: "v d | x",
            tickets: "v d | x",
            aloud: "x suggests ticket of v",
            needs: &[Rule::Entitled],
        },
        Attack {
            name: "an unsigned colleague of a firm",
            said: vec![
                letter(
                    "v",
                    "03-03 10:00",
                    "Antti Aalto <antti@firma.example>",
                    "Tilaus 40012345 puuttuu.\n\nAntti Aalto",
                ),
                letter_with(
                    "x",
                    "03-04 10:00",
                    "Bo Berg <bo@firma.example>",
                    NOTHING,
                    &answer_to("v@firma.example"),
                    "Perumme sen, 40012345.",
                ),
            ],
            people: "v | x",
            tickets: "v | x",
            aloud: "x names_conflict, x suggests ticket of v, x unverified",
            needs: &[Rule::ColleagueVouched],
        },
        Attack {
            name: "somebody of her name answers the desk",
            said: then(
                before(),
                [letter_with(
                    "x",
                    "03-04 10:00",
                    "Minna <m@toinen.example>",
                    "dmarc=pass",
                    &reply(),
                    "Tilini on vaihtunut.\n\nMinna",
                )],
            ),
            people: "v d | x",
            tickets: "v d x",
            aloud: "x suggests contact of d",
            needs: &[Rule::AnswerFullName],
        },
    ]
}

fn threads() -> Vec<Attack> {
    let with_cc = || {
        altered(letter("v", "03-03 10:00", MINNA, MINNAS), "Subject:", "Cc: Eve Paha <eve@toinen.example>\r\nSubject:")
    };
    vec![
        Attack {
            name: "an outsider in Cc answers her mail",
            said: vec![
                with_cc(),
                told("d", "03-03 12:00", ON_V, "minna@posti.example", "Hei Minna, selvitämme."),
                letter_with("x", "03-04 10:00", EVE, "dmarc=pass", &answer_to("v@posti.example"), "Perukaa tilaus."),
            ],
            people: "v d | x",
            tickets: "v d | x",
            aloud: "x suggests ticket of v",
            needs: &[Rule::Entitled],
        },
        Attack {
            name: "an outsider in Cc answers the desk in her address",
            said: vec![
                with_cc(),
                told("d", "03-03 12:00", ON_V, "minna@posti.example, eve@toinen.example", "Hei, selvitämme."),
                letter_with("x", "03-04 10:00", MINNA, "dmarc=fail", &answer_to("d@kauppa.example"), "Perukaa tilaus."),
            ],
            people: "v d | x",
            tickets: "v d | x",
            aloud: "alert sender_contradicted, x contradicted, x suggests ticket of d",
            needs: &[Rule::Denied],
        },
        Attack {
            name: "a forwarded mail that was never written",
            said: then(
                before(),
                [altered(
                    letter(
                        "x",
                        "03-04 10:00",
                        EVE,
                        "Alla.\n\n---------- Forwarded message ---------\nFrom: Minna Virtanen <minna@posti.example>\nSubject: Tilaus\nTo: eve@toinen.example\n\nTilaus 40012345 perutaan.\n\nMinna Virtanen",
                    ),
                    "Subject: Asia",
                    "Subject: Fwd: Tilaus",
                )],
            ),
            people: "v d | x",
            tickets: "v d | x",
            aloud: "x forwarded",
            needs: &[],
        },
        Attack {
            name: "a colleague's forward that no colleague sent",
            said: then(
                before(),
                [altered(
                    letter_with(
                        "x",
                        "03-04 10:00",
                        "Kauppa <myyja@kauppa.example>",
                        "dmarc=fail",
                        "",
                        "Alla.\n\n---------- Forwarded message ---------\nFrom: Minna Virtanen <minna@posti.example>\nSubject: Tilaus\nTo: myyja@kauppa.example\n\nTilaus 40012345 perutaan.\n\nMinna Virtanen",
                    ),
                    "Subject: Asia",
                    "Subject: Fwd: Tilaus",
                )],
            ),
            people: "v d | x",
            tickets: "v d | x",
            aloud: "alert sender_contradicted, x contradicted, x forwarded",
            needs: &[],
        },
        Attack {
            name: "her words are quoted",
            said: vec![
                letter(
                    "v",
                    "03-03 10:00",
                    MINNA,
                    "Kahvinkeitin vuotaa pöydälle joka kerta kun se lämpenee.\n\nMinna Virtanen",
                ),
                letter(
                    "x",
                    "03-04 10:00",
                    EVE,
                    "Perukaa.\n\n3.3.2026 10.00 Minna Virtanen kirjoitti:\n> Kahvinkeitin vuotaa pöydälle joka kerta kun se lämpenee.",
                ),
            ],
            people: "v | x",
            tickets: "v | x",
            aloud: "x suggests ticket of v",
            needs: &[Rule::Entitled],
        },
        Attack {
            name: "her Message-ID, on another mail",
            said: then(
                before(),
                [altered(
                    letter("x", "03-04 10:00", EVE, "Perukaa tilaus."),
                    "Message-ID: <x@toinen.example>",
                    "Message-ID: <v@posti.example>",
                )],
            ),
            people: "v d | v",
            tickets: "v d | v",
            aloud: "v message_id_reused",
            needs: &[],
        },
        Attack {
            name: "a mail dated before the call whose number it gives",
            said: vec![
                phone("v", "03-05 14:00", PHONE),
                altered(
                    letter("x", "03-06 10:00", EVE, "Soitan pian.\n\nEve Paha\nPuh. 040 123 4567"),
                    "Date: Fri, 06 Mar 2026 10:00:00",
                    "Date: Wed, 04 Mar 2026 12:00:00",
                ),
            ],
            people: "v | x",
            tickets: "v | x",
            aloud: "x suggests contact of v",
            needs: &[],
        },
    ]
}

fn numbers() -> Vec<Attack> {
    let hers = || letter("v", "03-03 10:00", MINNA, "Lamppu on rikki.\n\nMinna Virtanen\nPuh. 040 123 4567");
    let guess = |key, hour: &str, number: &str| {
        let text = format!("Koska {number} tulee?\n\nMinna Virtanen");
        whatsapp(key, &format!("03-10 {hour}"), "358407654321", "Minna Virtanen", &text)
    };
    let other = |key, n: &str| {
        let text = format!("Tilaus 4000000{n} puuttuu.\n\nPekka Laine");
        letter(key, &format!("03-0{n} 09:00"), PEKKA, &text)
    };
    vec![
        Attack {
            name: "her number below a stranger's mail, before she used it",
            said: vec![
                letter("x", "03-01 10:00", EVE, "Mitä takuu kattaa?\n\nEve Paha\nPuh. 040 123 4567"),
                phone("c", "03-02 14:00", PHONE),
                letter("v", "03-03 10:00", MINNA, "Soitin eilen.\n\nMinna Virtanen\nPuh. 040 123 4567"),
            ],
            people: "c (shared) | v | x",
            tickets: "c | v | x",
            aloud: "c is nobody's",
            needs: &[Rule::SharedNumber],
        },
        Attack {
            name: "her number below an unsigned mail, before she used it",
            said: vec![
                letter_with("x", "03-01 10:00", EVE, NOTHING, "", "Mitä takuu kattaa?\n\nEve Paha\nPuh. 040 123 4567"),
                phone("c", "03-02 14:00", PHONE),
            ],
            people: "c | x",
            tickets: "c | x",
            aloud: "x suggests contact of c, x unverified",
            needs: &[Rule::VouchedOnly],
        },
        Attack {
            name: "her number below a stranger's mail, after she used it",
            said: vec![
                whatsapp("v", "03-03 10:00", NUMBER, "Minna Virtanen", "Lamppu on rikki."),
                letter("x", "03-04 10:00", EVE, "Perukaa tilaus.\n\nEve Paha\nPuh. 040 123 4567"),
            ],
            people: "v | x",
            tickets: "v | x",
            aloud: "x names_conflict",
            needs: &[],
        },
        Attack {
            name: "an unsigned mail that would split her from her calls",
            said: vec![
                hers(),
                phone("c", "03-04 14:00", PHONE),
                letter_with("x", "03-05 10:00", EVE, NOTHING, "", "Perukaa.\n\nEve Paha\nPuh. 040 123 4567"),
            ],
            people: "v c | x",
            tickets: "v c | x",
            aloud: "x names_conflict, x unverified",
            needs: &[Rule::SharedByVouched],
        },
        Attack {
            name: "her number below a stranger's mail, long before she gave it herself",
            said: vec![
                letter("x", "01-02 10:00", EVE, "Mitä takuu kattaa?\n\nEve Paha\nPuh. 040 123 4567"),
                letter("v", "03-10 10:00", MINNA, "Lamppu on rikki.\n\nMinna Virtanen\nPuh. 040 123 4567"),
                phone("c", "03-12 14:00", PHONE),
            ],
            people: "v | c | x",
            tickets: "v | c | x",
            aloud: "x suggests contact of c",
            needs: &[Rule::OtherClaim],
        },
        Attack {
            name: "somebody who says that her call was his, after she gave the number",
            said: vec![
                phone("c", "03-04 14:00", PHONE),
                letter("v", "03-05 10:00", MINNA, "Lamppu on rikki.\n\nMinna Virtanen\nPuh. 040 123 4567"),
                letter(
                    "x",
                    "03-06 10:00",
                    "Minna <mm@toinen.example>",
                    "Soitin teille numerosta 040 123 4567.\n\nMinna",
                ),
            ],
            people: "v | c | x",
            tickets: "v | c | x",
            aloud: "x suggests contact of c",
            needs: &[Rule::FirstClaim],
        },
        // A household's telephone looks the same. The call is set apart, nothing is shown to anybody.
        Attack {
            name: "a signed mail that gives her number too",
            said: vec![
                hers(),
                phone("c", "03-04 14:00", PHONE),
                letter("x", "03-05 10:00", EVE, "Perukaa.\n\nEve Paha\nPuh. 040 123 4567"),
            ],
            people: "v | c (shared) | x",
            tickets: "v | c | x",
            aloud: "c is nobody's",
            needs: &[Rule::SharedNumber],
        },
        Attack {
            name: "many name one order",
            said: then(
                vec![letter("v", "03-03 10:00", MINNA, MINNAS), facebook("f", "03-03 11:00", "P1", ORDER)],
                [
                    ("xa", "10:00", "Aino Aro <aino@yksi.example>"),
                    ("xb", "11:00", "Bertta Berg <bertta@kaksi.example>"),
                    ("xc", "12:00", "Cecilia Ceder <cecilia@kolme.example>"),
                    ("xd", "13:00", "Daniel Dahl <daniel@viisi.example>"),
                    ("xe", "14:00", "Eero Eskola <eero@kuusi.example>"),
                    ("xf", "15:00", "Frans Forss <frans@seitsemän.example>"),
                    ("xg", "16:00", "Gitta Grahn <gitta@kymmenen.example>"),
                ]
                .map(|(key, hour, from)| letter(key, &format!("03-04 {hour}"), from, "Koska tilaus 40012345 tulee?")),
            ),
            people: "v f | xa | xb | xc | xd | xe | xf | xg",
            tickets: "v f | xa | xb | xc | xd | xe | xf | xg",
            aloud: "xa names_conflict, xa suggests ticket of v, xb names_conflict, xb suggests ticket of v, \
                xb suggests ticket of xa, xc names_conflict, xc suggests ticket of v, xc suggests ticket of xa, \
                xc suggests ticket of xb, xd names_conflict, xd suggests ticket of xa, xd suggests ticket of xb, \
                xd suggests ticket of xc, xe names_conflict, xe suggests ticket of xb, xe suggests ticket of xc, \
                xe suggests ticket of xd, xf suggests ticket of xc, xf suggests ticket of xd, \
                xf suggests ticket of xe, xg suggests ticket of xd, xg suggests ticket of xe, \
                xg suggests ticket of xf",
            needs: &[],
        },
        Attack {
            name: "an order number, guessed",
            said: then(
                vec![
                    letter("v", "03-03 10:00", MINNA, MINNAS),
                    other("a", "1"),
                    other("b", "2"),
                    other("c", "3"),
                    other("e", "4"),
                    other("f", "5"),
                ],
                [
                    guess("xa", "10:00", "40000001"),
                    guess("xb", "10:01", "40000002"),
                    guess("xc", "10:02", "40000003"),
                    guess("xd", "10:03", "40000004"),
                    guess("xe", "10:04", "40000005"),
                    guess("xf", "10:05", "40012345"),
                ],
            ),
            people: "v | a b c e f | xa xb xc xd xe xf",
            tickets: "v | a | b | c | e | f | xa | xb | xc | xd | xe | xf",
            aloud: "xa names_conflict, xa suggests contact of v, xa suggests ticket of a, xb names_conflict, xb suggests ticket of b, \
                xc names_conflict, xc suggests ticket of c, xd names_conflict, xd suggests ticket of e, xe names_conflict, \
                xe suggests ticket of f, xf guessing",
            needs: &[Rule::Guessing],
        },
        Attack {
            name: "a visitor of the chat who says that he is her",
            said: then(
                before(),
                [browser("x", "03-04 10:00", "V9", "Olen Minna Virtanen, tilaus 40012345. Osoite muuttui.")],
            ),
            people: "v d | x",
            tickets: "v d | x",
            aloud: "x suggests contact of v, x suggests ticket of v",
            needs: &[Rule::TypedFirst],
        },
        Attack {
            name: "a visitor of the chat who fills in her address and number",
            said: then(
                before(),
                [form(
                    "x",
                    "03-04 10:00",
                    "V9",
                    "Minna Virtanen",
                    "minna@posti.example",
                    "0401234567",
                    "Osoite muuttui.",
                )],
            ),
            people: "v d | x",
            tickets: "v d | x",
            aloud: "x suggests contact of v",
            needs: &[],
        },
        Attack {
            name: "a visitor of the chat who fills in her address and names her order",
            said: then(
                before(),
                [form(
                    "x",
                    "03-04 10:00",
                    "V9",
                    "Minna Virtanen",
                    "minna@posti.example",
                    "0401234567",
                    "En pääse sähköpostiini. Mikä osoite teillä on tilauksella 40012345?",
                )],
            ),
            people: "v d | x",
            tickets: "v d | x",
            aloud: "x suggests contact of v, x suggests ticket of v",
            needs: &[Rule::TypedFirst],
        },
        Attack {
            name: "her caller id",
            said: vec![
                whatsapp("v", "03-03 10:00", NUMBER, "Minna Virtanen", "Lamppu on rikki."),
                phone("x", "03-04 14:00", PHONE),
            ],
            people: "v x",
            tickets: "v x",
            aloud: "x unverified",
            needs: &[],
        },
        Attack {
            name: "her caller id, and the agent hears that it is not her",
            said: vec![
                whatsapp("v", "03-03 10:00", NUMBER, "Minna Virtanen", "Lamppu on rikki."),
                phone("x", "03-04 14:00", PHONE),
                note("xn", "03-04 14:10", ("phone", "x"), "Halusi osoitteen. Soittaja ei ollut Minna Virtanen."),
            ],
            people: "v | x xn",
            tickets: "v | x xn",
            aloud: "x unverified, xn internal, xn not_owner",
            needs: &[Rule::NotOwner],
        },
        Attack {
            name: "her caller id, by whom she lent her telephone to",
            said: vec![
                whatsapp("v", "03-03 10:00", NUMBER, "Minna Virtanen", "Lamppu on rikki."),
                phone("x", "03-04 14:00", PHONE),
                note("xn", "03-04 14:10", ("phone", "x"), "Veikko Mattila soitti naapurin Minnan puhelimella."),
            ],
            people: "v | x xn",
            tickets: "v | x xn",
            aloud: "x unverified, xn internal, xn not_owner",
            needs: &[Rule::NotOwner],
        },
        Attack {
            name: "her telephone, which a colleague has now",
            said: vec![
                whatsapp("v", "03-03 10:00", NUMBER, "Minna V", "Lamppu on rikki. Minna Virtanen"),
                whatsapp("x", "03-04 10:00", NUMBER, "Minna V", "Hei, täällä Pekka Laine. Koska tilaukseni tulee?"),
            ],
            people: "v | x",
            tickets: "v | x",
            aloud: "x passed_on",
            needs: &[Rule::AccountHandedOn],
        },
        Attack {
            name: "her name and order from a parcel, and she says that her number is as it was",
            said: then(
                before(),
                [
                    whatsapp("x", "03-04 10:00", "358405550000", "Minna Virtanen", "40012345, tässä uusi numeroni."),
                    letter("v2", "03-05 08:00", MINNA, "En ole vaihtanut numeroa! 40012345\n\nMinna Virtanen"),
                ],
            ),
            people: "v d v2 | x",
            tickets: "v d v2 | x",
            aloud: "v2 suggests ticket of x, x suggests contact of v, x suggests ticket of v",
            needs: &[Rule::NotThere],
        },
        Attack {
            name: "her thread, in her name from another address, and she says that her bank is as it was",
            said: then(
                before(),
                [
                    letter_with(
                        "x",
                        "03-04 10:00",
                        "Minna Virtanen <minna.v@toinen.example>",
                        "dmarc=pass",
                        &answer_to("d@kauppa.example"),
                        "Tilini on vaihtunut.\n\nMinna Virtanen",
                    ),
                    letter("v2", "03-05 08:00", MINNA, "En ole vaihtanut pankkia. 40012345\n\nMinna Virtanen"),
                ],
            ),
            people: "v d v2 | x",
            tickets: "v d v2 | x",
            aloud: "x suggests contact of v, x suggests ticket of d",
            needs: &[Rule::NotThere],
        },
        Attack {
            name: "her number, which was quiet for long, in another name",
            said: vec![
                whatsapp("v", "03-03 10:00", NUMBER, "Minna Virtanen", "Lamppu on rikki."),
                whatsapp("x", "05-10 10:00", NUMBER, "Pekka Laine", "Hei, koska tilaukseni tulee?"),
            ],
            people: "v | x",
            tickets: "v | x",
            aloud: "x passed_on",
            needs: &[Rule::NumberPassedOn],
        },
        Attack {
            name: "her browser, in another name",
            said: vec![
                browser("v", "03-03 10:00", "V1", "Lamppu on rikki.\n\nT. Minna Virtanen"),
                browser("x", "03-03 10:20", "V1", "Perukaa.\n\nT. Pekka Laine"),
            ],
            people: "v | x",
            tickets: "v | x",
            aloud: "x passed_on",
            needs: &[Rule::BrowserPassedOn],
        },
        Attack {
            name: "her husband, who has the number",
            said: then(
                before(),
                [letter(
                    "x",
                    "03-04 10:00",
                    "Pekka Virtanen <pv@kirje.example>",
                    "Perumme tilauksen 40012345.\n\nPekka Virtanen",
                )],
            ),
            people: "v d | x",
            tickets: "v d | x",
            aloud: "x names_conflict, x suggests ticket of v",
            needs: &[],
        },
        Attack {
            name: "spouses who give each other's addresses",
            said: vec![
                letter(
                    "v",
                    "03-03 10:00",
                    MINNA,
                    "Lamppu on rikki.\n\nMinna Virtanen\nminna@posti.example, pekka.virtanen@kirje.example",
                ),
                letter(
                    "x",
                    "03-04 10:00",
                    "Pekka Virtanen <pekka.virtanen@kirje.example>",
                    "Lamppu on rikki.\n\nPekka Virtanen\nminna@posti.example",
                ),
            ],
            people: "v | x",
            tickets: "v | x",
            aloud: "x suggests contact of v",
            needs: &[Rule::NamesConflict],
        },
        Attack {
            name: "a role's mailbox, signed with her name",
            said: vec![
                whatsapp("v", "03-03 10:00", "358407654321", "Minna Virtanen", "Tilaus 40012345 puuttuu."),
                letter("x", "03-04 10:00", "Minna Virtanen <info@toinen.example>", MINNAS),
            ],
            people: "v | x (shared)",
            tickets: "v | x",
            aloud: "x is nobody's, x suggests ticket of v",
            needs: &[Rule::RoleMailbox],
        },
    ]
}

/// A message of the chat with a form filled in.
fn form(key: &'static str, day: &str, visitor: &str, name: &str, email: &str, phone: &str, text: &str) -> Said {
    let said = browser(key, day, visitor, text);
    let mut body: serde_json::Value = serde_json::from_str(&said.body).expect("JSON");
    body["visitor"] = json!({"id": visitor, "name": name, "email": email, "phone": phone});
    Said { body: body.to_string(), ..said }
}

/// A desk at which everybody may have an address at `posti.example`, without some rules.
pub(crate) async fn open_without(rules: &[Rule]) -> Desk {
    let without: Vec<&str> = rules.iter().map(|rule| rule.as_str()).collect();
    open_with(|config| {
        config.replace("[matters]", "[matters]\ninvoice = '\\bL-\\d{5}\\b'").replace(
            "[identity]",
            &format!("[identity]\nwithout = {without:?}\npublic_domains = [\"posti.example\", \"kirje.example\"]"),
        )
    })
    .await
}

/// Reasons that tell an agent to look twice.
const WARNINGS: &str = "'contradicted', 'sender_unaligned', 'several_senders', 'lookalike', 'guessing', 'names_conflict', \
    'message_id_reused', 'passed_on', 'tie'";

/// What is said aloud of the stranger's messages.
async fn aloud(desk: &Desk, last: &str) -> String {
    let key = "split_part(m.source_key, '@', 1)";
    let marks = format!(
        "SELECT {key} || ' ' || mark AS line FROM message m, unnest(m.marks) mark WHERE m.source_key LIKE 'x%' OR mark = 'message_id_reused'"
    );
    let reasons = format!(
        "SELECT DISTINCT {key} || ' ' || (r->>'rule') AS line FROM message m JOIN decision e ON e.message_id = m.id,
            jsonb_array_elements(e.reasons) r WHERE m.source_key LIKE 'x%' AND r->>'rule' IN ({WARNINGS})"
    );
    let suggested = format!(
        "SELECT DISTINCT {key} || ' suggests ' || s.target_kind || ' of ' || split_part(b.source_key, '@', 1) AS line
            FROM suggestion s JOIN message m ON m.id = s.message_id JOIN message b ON b.id = s.by_message
            WHERE s.state = 'open' AND (m.source_key LIKE 'x%' OR b.source_key LIKE 'x%')"
    );
    let shared = "SELECT split_part(m.source_key, '@', 1) || ' is nobody''s' AS line FROM message m JOIN identity i ON i.id = m.identity_id
            JOIN contact c ON c.id = i.contact_id WHERE c.kind = 'shared'";
    let lines = format!("{marks} UNION {reasons} UNION {suggested} UNION {shared}");
    let mut lines: BTreeSet<String> = texts(desk, &lines).await.into_iter().collect();
    let now = at(last).saturating_add(jiff::SignedDuration::from_mins(1)).expect("a time");
    let alerts = denied_readings(&desk.store, now).await.expect("readings");
    lines.extend(alerts.iter().map(|alert| format!("alert {}", alert.code)));
    lines.into_iter().collect::<Vec<_>>().join(", ")
}

/// What no attack does, each with a statement that finds where one did.
const NEVER: &[(&str, &str)] = &[
    (
        "a stranger's message among a customer's, unmarked",
        "SELECT m.source_key FROM message m JOIN identity i ON i.id = m.identity_id WHERE m.source_key LIKE 'x%'
            AND NOT m.marks && ARRAY['unverified', 'contradicted'] AND EXISTS (SELECT 1 FROM message o JOIN identity oi ON oi.id = o.identity_id
                WHERE oi.contact_id = i.contact_id AND o.source_key NOT LIKE 'x%')",
    ),
    (
        "answers go to a stranger",
        "SELECT x.source_key FROM (SELECT DISTINCT ON (m.ticket_id) m.ticket_id, m.source_key FROM message m
                JOIN identity i ON i.id = m.identity_id JOIN ticket_participant p ON p.ticket_id = m.ticket_id AND p.contact_id = i.contact_id
                    AND p.entitled_by <> 'desk_message'
                WHERE m.direction = 'from_customer' AND m.assurance >= 2 ORDER BY m.ticket_id, m.occurred_at DESC) x
            WHERE x.source_key LIKE 'x%' AND EXISTS (SELECT 1 FROM message o WHERE o.ticket_id = x.ticket_id AND o.source_key NOT LIKE 'x%')",
    ),
    (
        "what a stranger states is a customer's",
        "SELECT m.source_key FROM fact f JOIN message m ON m.id = f.message_id JOIN identity i ON i.id = m.identity_id
            WHERE m.source_key LIKE 'x%' AND f.assurance > 0 AND EXISTS (SELECT 1 FROM message o JOIN identity oi ON oi.id = o.identity_id
                WHERE oi.contact_id = i.contact_id AND o.source_key NOT LIKE 'x%')",
    ),
];

/// Plays an attack; gives what is wrong then, a line each.
async fn faults(desk: &Desk, attack: &Attack) -> Vec<String> {
    forget(desk).await;
    play(desk, &attack.said.iter().collect::<Vec<_>>(), false).await;
    let (people, tickets) = end(desk).await;
    let mut faults = Vec::new();
    for (what, found, wanted) in
        [("people", people, sorted(attack.people)), ("tickets", tickets, sorted(attack.tickets))]
    {
        if found != wanted {
            faults.push(format!("{what} are {found}, not {wanted}"));
        }
    }
    for (what, sql) in NEVER {
        faults.extend(texts(desk, sql).await.into_iter().map(|key| format!("{what}: {key}")));
    }
    faults
}

async fn check(attacks: Vec<Attack>) {
    let desk = open_without(&[]).await;
    let mut wrong = Vec::new();
    for attack in &attacks {
        let mut found = faults(&desk, attack).await;
        let last = attack.said.iter().map(|said| said.at.as_str()).max().expect("something said");
        let aloud = aloud(&desk, last).await;
        if aloud != attack.aloud {
            found.push(format!("aloud is {aloud:?}"));
        }
        // Deciding anew makes no difference.
        let stands = end(&desk).await;
        anew(&desk).await;
        if end(&desk).await != stands {
            found.push("decided anew it is another".to_owned());
        }
        wrong.extend(found.into_iter().map(|fault| format!("{}: {fault}", attack.name)));
    }
    let needed: BTreeSet<Rule> = attacks.iter().flat_map(|attack| attack.needs).copied().collect();
    for rule in needed {
        let desk = open_without(&[rule]).await;
        for attack in attacks.iter().filter(|attack| attack.needs.contains(&rule)) {
            if faults(&desk, attack).await.is_empty() {
                wrong.push(format!("{}: it fails without {} too", attack.name, rule.as_str()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn mails_in_her_name() {
    check(mails()).await;
}

#[tokio::test]
async fn threads_that_are_hers() {
    check(threads()).await;
}

#[tokio::test]
async fn numbers_that_are_hers() {
    check(numbers()).await;
}
