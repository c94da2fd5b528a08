//! From what a channel read to a message: times, limits, marks, and the facts read out of texts in
//! five languages.

use lanka::pure::decide::normalise::{SUBJECT_CHARS_MAX, TEXT_BYTES_MAX, normalise};
use lanka::pure::domain::Timestamp;
use lanka::pure::domain::id::IdMint;
use lanka::pure::domain::identity::{Assurance, EmailAddress, Identity, PhoneNumber};
use lanka::pure::domain::message::*;
use lanka::pure::domain::phrases::{Denials, Phrases, flatten};
use lanka::pure::domain::policy::{Matter, Policy, Windows};
use lanka::pure::domain::queue::{self, WrittenTo};
use lanka::pure::domain::service::Like;
use lanka::pure::domain::ticket::{MatterKind, Priority};
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

pub const ARRIVAL: &str = "2026-05-12T10:00:00Z";

/// A desk with the usual kinds of numbers.
static POLICY: LazyLock<Policy> = LazyLock::new(policy);

pub fn policy() -> Policy {
    let matter = |name: &str, pattern: &str, role| Matter {
        name: name.to_owned(),
        pattern: regex::Regex::new(pattern).unwrap(),
        role,
    };
    let windows = Windows {
        chat_session: Duration::from_secs(2700),
        one_open: Duration::from_secs(14 * 86400),
        closed_continues: Duration::from_secs(3 * 86400),
    };
    Policy {
        region: "FI".to_owned(),
        time_zone: jiff::tz::TimeZone::UTC,
        own_domains: HashSet::from(["desk.example".to_owned()]),
        agents: vec!["*@helpers.example".to_owned()],
        public_domains: HashSet::new(),
        organisations: HashSet::new(),
        matters: Arc::new(vec![
            matter("order", r"\b4\d{7}\b", MatterRole::Secret),
            matter("invoice", r"\b26\d{5}\b", MatterRole::Secret),
            matter("tracking", r"\bJJFI\d{16}\b", MatterRole::Secret),
            matter("ticket", r"\bKK-\d{5}\b", MatterRole::Secret),
            matter("bill", r"\b88[- ]?(\d{6})\b", MatterRole::Secret),
            matter("agreement", r"(?i)\bSV[- ]?(30\d{5})\b", MatterRole::Organisation),
            matter("point", r"\b64305700(?: ?\d){10}\b", MatterRole::Public),
            matter("case", r"(?i)ärende[ -]?(\d{6})", MatterRole::Secret),
        ]),
        lexicon: Arc::new(lanka::config::Settings::bare().unwrap().triage.lexicon()),
        urgency: Default::default(),
        learnt: Default::default(),
        new_matter: phrases("new_matter"),
        is_back: phrases("is_back"),
        again: phrases("again"),
        said_before: phrases("said_before"),
        not_mine: phrases("not_mine"),
        not_owner: phrases("not_owner"),
        not_there: Denials::default(),
        not_me: phrases("not_me"),
        same_number: phrases("same_number"),
        windows,
        channel_windows: HashMap::new(),
        notices: Default::default(),
        automatic_max: 5,
        own_addresses: HashSet::from([EmailAddress::parse("help@desk.example").unwrap()]),
        own_numbers: HashSet::from([PhoneNumber::parse("09 4272 0000", "FI").unwrap()]),
        fact_key: [0; 32],
        mirrors: Vec::new(),
        rules: Default::default(),
        routing: Default::default(),
        channel_like: Default::default(),
    }
}

/// A list of the defaults.
pub fn phrases(list: &str) -> Phrases {
    let defaults: toml::Table = include_str!("../../config/default.toml").parse().unwrap();
    let lists = defaults["phrases"][list].as_table().unwrap().values().flat_map(|list| list.as_array().unwrap());
    Phrases::of(lists.map(|phrase| phrase.as_str().unwrap()))
}

/// What says that another acted, and what honest people say who are only unhappy.
#[test]
fn denials_are_told_from_complaints() {
    for (list, text, is_denial) in [
        ("not_me", "En ole vaihtanut pankkia!", true),
        ("not_me", "Pekka: ei ole vaihtanut tiliä, ei tiedä mistään.", true),
        ("not_me", "Hon har inte bytt bank. Någon har läst hennes post.", true),
        ("not_me", "Someone is impersonating me", true),
        ("not_me", "Mina pole midagi suunanud!", true),
        ("not_me", "Das war ich nicht, jemand gibt sich als mich aus", true),
        ("not_me", "Onko joku lukenut viestini?", false),
        ("not_me", "Har någon läst mitt mejl?", false),
        ("not_me", "Has anybody read my email? Has somebody read my email yet?", false),
        ("not_me", "Hat jemand meine Mail gelesen?", false),
        ("not_me", "The invoice is in my name.", false),
        ("not_me", "Als der Bote kam, war ich nicht zu Hause", false),
        ("not_me", "Herr Laine war er nicht, war sie nicht erreichbar", false),
        ("same_number", "I have NOT lost my phone", true),
        ("same_number", "Jag har inte bytt nummer", true),
        ("same_number", "Har inget nytt nummer", true),
        ("same_number", "En ole vaihtanut numeroa", true),
        ("same_number", "Mistä näen tilauksen numeron?", false),
        ("not_mine", "Se ei oo mun, se on serkun", true),
        ("not_mine", "Tämä taisi mennä väärälle Hannalle", true),
        ("not_mine", "Vika ei ole minun syytäni", false),
        ("not_mine", "Paketti meni väärään osoitteeseen", false),
        ("not_mine", "Det har kommit fel vara", false),
        ("not_mine", "Paketet levererades till fel adress", false),
        ("not_mine", "Das ist nicht meine Schuld", false),
        ("not_owner", "Veikko soitti naapurin puhelimella", true),
        ("not_owner", "Rang from her husband's mobile", true),
        ("not_owner", "Called about her mobile", false),
    ] {
        assert_eq!(phrases(list).is_in(&flatten(text, 1000)), is_denial, "{list}: {text}");
    }
}

pub fn event() -> RawEvent {
    RawEvent {
        id: IdMint::new(1).next(ARRIVAL.parse().unwrap()),
        tenant: "main".to_owned(),
        channel: "support".to_owned(),
        kind: "any".to_owned(),
        received_at: ARRIVAL.parse().unwrap(),
        trusted_at: None,
        origin: String::new(),
        body: bytes::Bytes::new(),
    }
}

fn normalised(incoming: Incoming) -> Message {
    normalise(&event(), 0, incoming, IdMint::new(2).next(ARRIVAL.parse().unwrap()), &POLICY)
}

pub fn mail(from: &str) -> Incoming {
    let (name, address) = from.rsplit_once(' ').unwrap_or(("", from));
    let mut incoming = Incoming::new("mail", "key");
    incoming.sender.name = (!name.is_empty()).then(|| name.to_owned());
    let identity = Identity::email(&EmailAddress::parse(address).unwrap());
    incoming.sender.identities.push(SenderIdentity { identity, assurance: Assurance::Verified });
    incoming.authentication = Some(Authentication::Pass);
    incoming
}

pub fn chat(name: &str) -> Incoming {
    let mut incoming = Incoming::new("page", "key");
    incoming.sender.name = (!name.is_empty()).then(|| name.to_owned());
    let identity = Identity::opaque("visitor", "shop", "v-1").unwrap();
    incoming.sender.identities.push(SenderIdentity { identity, assurance: Assurance::Plausible });
    incoming
}

fn call(outcome: CallOutcome, text: &str) -> Incoming {
    let mut incoming = Incoming::new("exchange", "key");
    let identity = Identity::phone(&PhoneNumber::parse("+358401234567", "FI").unwrap());
    incoming.sender.identities.push(SenderIdentity { identity, assurance: Assurance::Plausible });
    let start: Timestamp = ARRIVAL.parse().unwrap();
    let leg = CallLeg {
        start,
        key: "1".to_owned(),
        from: "0401234567".to_owned(),
        to: "200".to_owned(),
        at: "200".to_owned(),
        duration_s: 30,
        talk_s: 0,
        outcome,
        recording: String::new(),
    };
    incoming.content = Content::Call(
        Call { outcome, duration_s: 30, talk_s: 0, answered_by: String::new(), legs: vec![leg] },
        text.to_owned(),
    );
    incoming
}

fn says(mut incoming: Incoming, text: &str) -> Incoming {
    incoming.content = Content::Text(text.to_owned());
    incoming
}

/// The facts in one line: `order 40012345; tel +358401234567; name Minna Virtanen`.
pub fn shown(message: &Message) -> String {
    let shown = message.facts.iter().map(|fact| match &fact.value {
        FactValue::Number { matter, value, .. } => format!("{matter} {value}"),
        FactValue::Claim(identity) => {
            format!("{} {}", if identity.scheme == "mailto" { "mail" } else { "tel" }, identity.value)
        }
        FactValue::Name(name) => format!("name {}", name.written()),
        FactValue::Company(company) => format!("company {}", company.written()),
    });
    shown.collect::<Vec<_>>().join("; ")
}

/// Checks what is read out of texts; reports every row that differs at once.
fn check(make: impl Fn(&str) -> Incoming, table: &[(&str, &str, &str)]) {
    let mut wrong = Vec::new();
    for (from, text, expected) in table {
        let found = shown(&normalised(says(make(from), text)));
        if found != *expected {
            wrong.push(format!("{from:?} {text:?}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), table.len(), wrong.join("\n"));
}

#[test]
fn chat_texts_give_names_and_numbers() {
    check(
        chat,
        &[
            // Nothing to read.
            ("", "", ""),
            ("", "Hei", ""),
            ("", "Moikka!", ""),
            ("", "Ei toimi", ""),
            ("", "EI TOIMI", ""),
            ("", "Kiitos Minna!", ""),
            ("", "Thanks John", ""),
            ("", "Milloin tulee? Huomenna", ""),
            ("", "Toimiiko? Odotan", ""),
            ("", "Paketti on hukassa. Olen Helsingissä", ""),
            ("", "TV rikki", ""),
            ("", "Kivilahti", ""),
            ("", "T-paita on liian pieni", ""),
            ("", "Terveisiä sinnekin", ""),
            ("", "olen Nordean asiakas", ""),
            ("", "I am still waiting", ""),
            ("", "this is Urgent", ""),
            ("", "Onko Matti Virtanen täällä?", ""),
            ("", "Tilasin kaksi: Samsung Galaxy", ""),
            // Signed.
            ("", "Tilaus 40012345. T. Minna Virtanen", "order 40012345; name Minna Virtanen"),
            ("", "Tilaus 40012345, t. minna", "order 40012345; name minna"),
            ("", "Missä paketti on? terv. Minna", "name Minna"),
            ("", "Missä paketti on?\nterv Minna", "name Minna"),
            ("", "Missä paketti on?\n\nTerveisin\nMinna Virtanen", "name Minna Virtanen"),
            ("", "Laite ei käynnisty\n- Minna Virtanen", "name Minna Virtanen"),
            ("", "Laite ei käynnisty\n/Minna", "name Minna"),
            ("", "Kiitos avusta! /Minna", "name Minna"),
            ("", "Paket 40012345 har inte kommit. Mvh Anna Berg", "order 40012345; name Anna Berg"),
            ("", "Var är paketet?\nMed vänliga hälsningar, Bo-Göran Åkerblom", "name Bo-Göran Åkerblom"),
            ("", "Order 40012345 is late. Regards, John Smith", "order 40012345; name John Smith"),
            ("", "Still no parcel\nThanks, John", "name John"),
            ("", "Still no parcel. Thanks and best regards, John Smith", "name John Smith"),
            ("", "Pakk ei ole saabunud. Tervitades, Ene Oras", "name Ene Oras"),
            ("", "Lugupidamisega\nKadri Tamm", "name Kadri Tamm"),
            ("", "Das Gerät ist kaputt. Mit freundlichen Grüßen, Jürgen Müller", "name Jürgen Müller"),
            ("", "Das Gerät ist kaputt. LG Anke", "name Anke"),
            ("", "Yst. terv. Matti Meikäläinen", "name Matti Meikäläinen"),
            ("", "Ordern är 40012345. Carina", "order 40012345; name Carina"),
            ("", "40012345 Matti Virtanen", "order 40012345; name Matti Virtanen"),
            ("", "40012345 Samsung Galaxy", "order 40012345"),
            ("", "Tilausnumeroni: 40012345 t. Minna Virtanen", "order 40012345; name Minna Virtanen"),
            (
                "",
                "minna.virtanen@posti.example\nminnav94@posti.example",
                "mail minna.virtanen@posti.example; mail minnav94@posti.example",
            ),
            ("", "88-224178 står det. Kundnr SV-3014402", "bill 224178; agreement 3014402"),
            ("", "lukema on 112 pilkku 7, Eila Suvantovaara", "name Eila Suvantovaara"),
            ("", "Minna Virtanen", "name Minna Virtanen"),
            ("", "Uusi numero 041 318 2260\nNea", "tel +358413182260; name Nea"),
            ("Oyin", "No power here\nOyin", "name Oyin"),
            // Introduced.
            ("", "Hei, nimeni on Minna Virtanen ja tilasin laitteen", "name Minna Virtanen"),
            ("", "hei mun nimi on minna ja tilasin laitteen", "name minna"),
            ("", "Hei, olen Timo Nieminen, paketti puuttuu", "name Timo Nieminen"),
            ("", "Moi, Erkki Lahdenpohja tässä, lasku on tuplana", "name Erkki Lahdenpohja"),
            ("", "Heippa! Nea Vuorikallio täällä, mikä tilanne?", "name Nea Vuorikallio"),
            ("", "Hello, my name is Chloe Barber and my order is lost", "name Chloe Barber"),
            ("", "Hi, this is Chloe Barber, it is lost", "name Chloe Barber"),
            ("", "Hej, jag heter Anna Berg och undrar", "name Anna Berg"),
            ("", "Tere, minu nimi on Kadri Tamm", "name Kadri Tamm"),
            ("", "Guten Tag, mein Name ist Jürgen Müller", "name Jürgen Müller"),
            ("", "Hallo, hier ist Anke von Bergen, wann kommt es?", "name Anke von Bergen"),
            ("", "Nimi: Minna Virtanen\nPuhelin: 040 123 4567", "tel +358401234567; name Minna Virtanen"),
            // Who the channel says it is.
            ("Matti Virtanen", "Ei toimi. Matti", "name Matti Virtanen; name Matti"),
            ("Mäkinen, Johanna", "hei?", "name Mäkinen, Johanna"),
            ("Kahvila Pihlaja", "hei", ""),
            ("Putki Itä Oy", "hei", "company Putki Itä Oy"),
            ("🔥", "Haloo", ""),
            // Addresses.
            ("", "minna.virtanen@posti.example, Tilaus 40012345.", "order 40012345; mail minna.virtanen@posti.example"),
            ("", "osoite on Minna@Posti.Example.", "mail minna@posti.example"),
            ("", "kirjoitin teille help@desk.example ja anna@helpers.example", ""),
            ("", "seuratkaa @minna ja a@b", ""),
            ("", "(mailto:a.b+c@x.example)", "mail a.b+c@x.example"),
        ],
    );
}

#[test]
fn phones_are_read_in_every_spelling_and_nothing_else_is_one() {
    check(
        chat,
        &[
            ("", "040 123 4567", "tel +358401234567"),
            ("", "040-1234567", "tel +358401234567"),
            ("", "040.123.4567", "tel +358401234567"),
            ("", "+358 40 1234567", "tel +358401234567"),
            ("", "+358 (0)40 123 4567", "tel +358401234567"),
            ("", "+358(0)401234567", "tel +358401234567"),
            ("", "00358 40 1234567", "tel +358401234567"),
            ("", "+44 7700 900496", "tel +447700900496"),
            ("", "Numeroni on +44 7700 900496.", "tel +447700900496"),
            ("", "358401234567", "tel +358401234567"),
            ("", "tel:+358401234567", "tel +358401234567"),
            ("", "puh.0401234567", "tel +358401234567"),
            ("", "puh 40 123 4567", "tel +358401234567"),
            ("", "tfn 0457 - 313 9921", "tel +3584573139921"),
            ("", "(09) 123 4567", "tel +35891234567"),
            ("", "040\u{a0}123\u{a0}4567", "tel +358401234567"),
            ("", "040\u{2013}1234567", "tel +358401234567"),
            ("", "Soittakaa 040 1234567/050 765 4321", "tel +358401234567; tel +358507654321"),
            ("", "0401234567 5 kpl", "tel +358401234567"),
            ("", "040 1234567, 5 kpl", "tel +358401234567"),
            ("", "Mobile +46 70 123 45 67", "tel +46701234567"),
            ("", "tel. +372 5123 4567", "tel +37251234567"),
            ("", "0049 30 123456", "tel +4930123456"),
            ("", "+44 7911 123456", "tel +447911123456"),
            ("", "Tel. +49 40 8127-0", "tel +494081270"),
            ("", "Tel. +49 40 812711-2", "tel +4940812711"),
            ("", "tilaus 40012345 puh 0401234567", "order 40012345; tel +358401234567"),
            ("", "40012345 0401234567", "order 40012345; tel +358401234567"),
            // Ours, and the firm's.
            ("", "soitin numeroon 09 4272 0000", ""),
            ("", "Vaihde 093 543 578", ""),
            ("", "Växel: 09 354 3578", ""),
            ("", "Switchboard 09 354 3578", ""),
            ("", "Fax 09 354 3578", ""),
            ("", "09 354 3578 (vaihde)", ""),
            // Anything but phones.
            ("", "12.03.2026", ""),
            ("", "01.02.2026", ""),
            ("", "2026-02-01 ja 01/02/2026", ""),
            ("", "klo 08.00 - 16.00", ""),
            ("", "klo 09.30-10.30", ""),
            ("", "FI21 1234 5600 0007 85", ""),
            ("", "FI2112345600000785", ""),
            ("", "viite 0401 2345 67", ""),
            ("", "00100 Helsinki", ""),
            ("", "Y-tunnus 0201256-6", ""),
            ("", "010203-123A", ""),
            ("", "010203-1234", ""),
            ("", "1 914,20 €", ""),
            ("", "https://x.example/0401234567", ""),
            ("", "laite FI01234567", ""),
            ("", "040123456789012345", ""),
            ("", "5512 3456", ""),
        ],
    );
}

#[test]
fn national_phones_are_those_of_the_region() {
    let table = [
        ("SE", "Ring 070-123 45 67", "tel +46701234567"),
        ("SE", "08-123 456 78", "tel +46812345678"),
        ("SE", "850101-1234", ""),
        ("DE", "Tel. 0171 1234567", "tel +491711234567"),
        ("DE", "(030) 1234 5678", "tel +493012345678"),
        ("DE", "DE89 3704 0044 0532 0130 00", ""),
        ("EE", "telefon 5123 4567", "tel +37251234567"),
        ("EE", "tel: 512 3456", "tel +3725123456"),
        ("EE", "5123 4567", ""),
        ("EE", "Palun abi.\n\nLugupidamisega\nKadri Tamm\n5123 4567", "tel +37251234567; name Kadri Tamm"),
        ("EE", "37251234567", "tel +37251234567"),
        ("EE", "isikukood 38501010002", ""),
    ];
    for (region, text, expected) in table {
        let policy = Policy { region: region.to_owned(), matters: Arc::new(Vec::new()), ..policy() };
        let message = normalise(&event(), 0, says(chat(""), text), IdMint::new(2).next(event().received_at), &policy);
        assert_eq!(shown(&message), expected, "{region} {text}");
    }
}

#[test]
fn numbers_are_canonical_and_never_made_of_two() {
    check(
        chat,
        &[
            ("", "tilaus 40012345", "order 40012345"),
            ("", "tilaus 4001 2345", "order 40012345"),
            ("", "tilaus 4001\u{a0}2345", "order 40012345"),
            ("", "tilaus 4001-2345", "order 40012345"),
            ("", "tilaus 4001 2345, 2 kpl", "order 40012345"),
            ("", "tilaus 4001 2345 2 kpl", "order 40012345"),
            ("", "4001 2345 4001 2346", "order 40012345; order 40012346"),
            ("", "40012345 4001 2346", "order 40012345; order 40012346"),
            ("", "40012345 40012345", "order 40012345"),
            ("", "4001 2345\n4001 2346", "order 40012345; order 40012346"),
            ("", "40 01 23 45", "order 40012345"),
            ("", "4001\n2345", ""),
            ("", "4001, 2345", ""),
            ("", "4001  2345", ""),
            ("", "4001 23456", ""),
            ("", "940012345", ""),
            ("", "040 4123 4567", "tel +3584041234567"),
            ("", "+358 40 012 345", "tel +35840012345"),
            ("", "40 012 345 €", ""),
            ("", "FI21 4001 2345 0007 85", ""),
            ("", "050 2612345", "tel +358502612345"),
            ("", "laskut 2612345 ja 26 12346", "invoice 2612345; invoice 2612346"),
            ("", "jjfi 2053 0880 4185 9395", "tracking JJFI2053088041859395"),
            ("", "JJFI2053 0880 4185 9395", "tracking JJFI2053088041859395"),
            ("", "KK-49217", "ticket KK-49217"),
            ("", "kk 49217", "ticket KK-49217"),
            ("", "88 224178", "bill 224178"),
            ("", "88-224178", "bill 224178"),
            ("", "88\u{2013}224178", "bill 224178"),
            ("", "sv3040018", "agreement 3040018"),
            ("", "SV-3040018 ja SV 3040018", "agreement 3040018"),
            ("", "643057000000119038", "point 643057000000119038"),
            ("", "64305700 0000 1190 38", "point 643057000000119038"),
            ("", "Ärende 123456", "case 123456"),
            ("", "ärende-123456 på 40012345", "case 123456; order 40012345"),
            ("", "nr40012345", ""),
            ("", "ä40012345", ""),
            ("", "€40012345€", "order 40012345"),
        ],
    );
}

#[test]
fn mails_give_the_signature_but_not_the_quote() {
    let virtanen = "Minna Virtanen minna.virtanen@posti.example";
    check(
        mail,
        &[
            (
                virtanen,
                "Hei,\n\nLaite on rikki.\n\nTerveisin\nMinna Virtanen\nPutki Itä Oy\nPuh. 040 123 4567\nVaihde 09 354 3578",
                "tel +358401234567; name Minna Virtanen; company Putki Itä Oy",
            ),
            (
                virtanen,
                "Laite on rikki.\n\nMinna Virtanen\n040 123 4567\n\nLähetetty iPhonesta",
                "tel +358401234567; name Minna Virtanen",
            ),
            (
                "m@posti.example",
                "Laite on rikki. 40012345\n\nMinna Virtanen\nMetallityö Virtanen Ky\ngsm 0400 744 290",
                "order 40012345; tel +358400744290; name Minna Virtanen; company Metallityö Virtanen Ky",
            ),
            (
                "info@putki.example",
                "Hej, modemet startar om. Nina-Marie Forsbäck, kundnr SV-3028463, tel 040 7295583\n\nSkickat från min iPhone",
                "agreement 3028463; tel +358407295583; name Nina-Marie Forsbäck",
            ),
            (
                "oy@putki.example",
                "Kiitos!\n\nMvh\nAnna Berg\nanna.berg@putki.example",
                "mail anna.berg@putki.example; name Anna Berg",
            ),
            (virtanen, "Katso vastaus.\n\n> Tilaus 40012345\n> Matti Korhonen 050 765 4321", "name Minna Virtanen"),
            (virtanen, "Tilaus 40012345 puuttuu.\n\nT. Liisa", "order 40012345; name Minna Virtanen; name Liisa"),
            ("Asiakaspalvelu x@putki.example", "Laite on rikki", ""),
            ("tomi@putki.example", "Kindly help.\n\nBest regards\nJean Williamson", "name Jean Williamson"),
            ("tomi@putki.example", "Palun abi.\n\nLugupidamisega\nAleksander", "name Aleksander"),
            ("tomi@putki.example", "Laite on rikki\n\nAsiakaspalvelu\nPutki Oy", ""),
            ("tomi@putki.example", "Laite on rikki.\n\nYt. Sirkka Tulivuori", "name Sirkka Tulivuori"),
        ],
    );
}

#[test]
fn the_sender_and_the_desk_are_no_claims() {
    let mut incoming = says(mail("Minna minna@posti.example"), "minna@posti.example tai liisa@posti.example");
    incoming.sender.stated.push(Identity::email(&EmailAddress::parse("minna@koti.example").unwrap()));
    incoming.sender.stated.push(Identity::email(&EmailAddress::parse("help@desk.example").unwrap()));
    assert_eq!(shown(&normalised(incoming)), "mail minna@koti.example; mail liisa@posti.example; name Minna");
}

#[test]
fn the_subject_gives_numbers_and_an_agent_only_what_he_noted() {
    let mut incoming = says(mail("x@posti.example"), "ks. otsikko");
    incoming.subject = Some("Re: Ei toimi [KK-49217]".to_owned());
    assert_eq!(shown(&normalised(incoming)), "ticket KK-49217");
    for (text, expected) in [
        ("Soittaja Minna Virtanen, tilaus 40012345.", "order 40012345; name Minna Virtanen"),
        ("Soittaja oli Minna Virtanen.", "name Minna Virtanen"),
        ("Minna Virtanen, lasku 88-226391, maksaa erissä", "bill 226391; name Minna Virtanen"),
        ("Hei, selvitämme asian.\n\nTerveisin\nMatti Agentti", ""),
        ("Kund Anna Berg ringde", "name Anna Berg"),
        ("Minna Virtanen kysyi hyvityksestä", "name Minna Virtanen"),
        ("Rohan, bad line (driving)", "name Rohan"),
        ("Anna meille palautetta", ""),
    ] {
        let mut incoming = says(Incoming::new("exchange", "key"), text);
        incoming.direction = Direction::FromAgent;
        assert_eq!(shown(&normalised(incoming)), expected, "{text}");
    }
}

#[test]
fn times_are_believed_as_far_as_they_can_be() {
    // (Date, is the vendor's own and signed, trusted time of the item, of the event) → (occurred, trusted, doubtful)
    let (none, t0) = (None, Some("2026-05-12T09:00:00Z"));
    let table = [
        (none, false, none, none, ARRIVAL, ARRIVAL, false),
        (none, false, t0, none, "2026-05-12T09:00:00Z", "2026-05-12T09:00:00Z", false),
        (none, false, none, t0, "2026-05-12T09:00:00Z", "2026-05-12T09:00:00Z", false),
        (Some("2026-05-12T08:59:00Z"), false, t0, none, "2026-05-12T08:59:00Z", "2026-05-12T09:00:00Z", false),
        (Some("2026-05-10T10:00:00Z"), false, t0, none, "2026-05-10T10:00:00Z", "2026-05-12T09:00:00Z", false),
        (Some("2026-05-10T09:00:00Z"), false, t0, none, "2026-05-10T09:00:00Z", "2026-05-12T09:00:00Z", false),
        (Some("2026-05-10T08:00:00Z"), false, t0, none, "2026-05-12T09:00:00Z", "2026-05-12T09:00:00Z", true),
        (Some("2026-05-12T09:20:00Z"), false, t0, none, "2026-05-12T09:00:00Z", "2026-05-12T09:00:00Z", false),
        (Some("2026-05-12T10:20:00Z"), false, t0, none, "2026-05-12T09:00:00Z", "2026-05-12T09:00:00Z", true),
        (Some("1970-01-01T00:00:00Z"), false, t0, none, "2026-05-12T09:00:00Z", "2026-05-12T09:00:00Z", true),
        (Some("2099-01-01T00:00:00Z"), false, t0, none, "2026-05-12T09:00:00Z", "2026-05-12T09:00:00Z", true),
        (Some("-009998-01-02T00:00:00Z"), false, none, none, ARRIVAL, ARRIVAL, true),
        (Some("9999-12-20T00:00:00Z"), false, none, none, ARRIVAL, ARRIVAL, true),
        (Some("2026-05-12T09:30:00Z"), true, none, none, "2026-05-12T09:30:00Z", "2026-05-12T09:30:00Z", false),
        (Some("2025-05-12T09:30:00Z"), true, none, t0, "2025-05-12T09:30:00Z", "2025-05-12T09:30:00Z", false),
        (Some("2026-05-12T10:05:00Z"), true, none, none, ARRIVAL, ARRIVAL, false),
        (Some("2099-01-01T00:00:00Z"), true, none, none, ARRIVAL, ARRIVAL, true),
        (none, false, Some("2027-01-01T00:00:00Z"), none, ARRIVAL, ARRIVAL, false),
    ];
    for (date, signed, of_item, of_event, occurred, trusted, doubtful) in table {
        let parse = |text: Option<&str>| text.map(|text| text.parse::<Timestamp>().unwrap());
        let mut incoming = says(mail("x@posti.example"), "hei");
        incoming.occurred_at = parse(date);
        incoming.occurred_trusted = signed;
        incoming.trusted_at = parse(of_item);
        let event = RawEvent { trusted_at: parse(of_event), ..event() };
        let message = normalise(&event, 0, incoming, IdMint::new(2).next(event.received_at), &POLICY);
        let found = (
            message.occurred_at.to_string(),
            message.trusted_at.to_string(),
            message.incoming.marks.contains(&Mark::DateDoubtful),
        );
        assert_eq!(
            found,
            (occurred.to_owned(), trusted.to_owned(), doubtful),
            "{date:?} {signed} {of_item:?} {of_event:?}"
        );
    }
}

#[test]
fn marks_tell_what_could_be_forged() {
    let of_mail = |assurance, authentication| {
        let mut incoming = says(mail("x@posti.example"), "hei");
        incoming.sender.identities[0].assurance = assurance;
        incoming.authentication = Some(authentication);
        incoming
    };
    let of_visitor = |assurance| {
        let mut incoming = chat("");
        incoming.sender.identities[0].assurance = assurance;
        incoming
    };
    let table = [
        (of_visitor(Assurance::Verified), vec![]),
        (of_visitor(Assurance::Plausible), vec![]),
        (of_visitor(Assurance::Asserted), vec![Mark::Unverified]),
        (of_mail(Assurance::Verified, Authentication::Pass), vec![]),
        (of_mail(Assurance::Plausible, Authentication::Aligned), vec![]),
        (of_mail(Assurance::Proven, Authentication::None), vec![]),
        (of_mail(Assurance::Asserted, Authentication::None), vec![Mark::Unverified]),
        (of_mail(Assurance::Contradicted, Authentication::Fail), vec![Mark::Contradicted]),
        (chat(""), vec![]),
        (call(CallOutcome::Answered, ""), vec![Mark::Unverified]),
        // Whether there is a number to call back is the channel's to say.
        (call(CallOutcome::Missed, ""), vec![Mark::Unverified]),
        (
            Incoming { marks: vec![Mark::Forwarded, Mark::CallBack, Mark::Forwarded], ..chat("") },
            vec![Mark::Forwarded, Mark::CallBack],
        ),
    ];
    for (incoming, expected) in table {
        assert_eq!(normalised(incoming).incoming.marks, expected);
    }
}

#[test]
fn texts_are_bounded_and_cleaned() {
    let mut incoming = says(
        mail("a\u{0}b\r\nBcc: x@posti.example"),
        &format!("a\u{0}b\r\nc\rd\u{1b}[2J\te\u{7f}{}", "ä".repeat(TEXT_BYTES_MAX)),
    );
    incoming.subject = Some(format!("x\u{0}\n\u{202e}{}", "ö".repeat(5000)));
    incoming.source_key = format!("{}\u{0}", "k".repeat(9000));
    incoming.references = (0..500)
        .map(|n| Reference {
            kind: ReferenceKind::Ancestor,
            namespace: "mail".to_owned(),
            key: if n == 0 { "k".repeat(9000) } else { format!("r{n}") },
        })
        .collect();
    for assurance in [Assurance::Asserted, Assurance::Proven] {
        let identity = incoming.sender.identities[0].identity.clone();
        incoming.sender.identities.insert(0, SenderIdentity { identity, assurance });
    }
    let message = normalised(incoming);
    let text = message.incoming.content.text();
    assert!(
        text.starts_with("ab\nc\nd[2J\te")
            && text.len() <= TEXT_BYTES_MAX
            && message.incoming.marks.contains(&Mark::Truncated)
    );
    assert_eq!(message.incoming.subject.as_ref().unwrap().chars().count(), SUBJECT_CHARS_MAX);
    assert!(message.incoming.source_key.len() <= 1000);
    assert_eq!(message.incoming.source_key, message.incoming.references[0].key);
    assert_eq!(message.incoming.references.len(), 64);
    assert_eq!(message.incoming.sender.identities.len(), 1);
    assert_eq!(message.assurance, Assurance::Verified);
    assert_eq!(message.incoming.sender.name.as_deref(), Some("a b Bcc:"));
}

#[test]
fn the_desk_is_never_a_customer() {
    let message = normalised(says(mail("Aino Agentti aino@desk.example"), "ks. alla"));
    assert!(message.customer().identities.is_empty() && message.facts.is_empty());
    let mut incoming = call(CallOutcome::Answered, "");
    incoming.sender.identities[0].identity = Identity::phone(&PhoneNumber::parse("+358942720000", "FI").unwrap());
    assert!(normalised(incoming).customer().identities.is_empty());
    let mut incoming = says(mail("Aino aino@desk.example"), "Hei");
    incoming.direction = Direction::FromAgent;
    incoming.recipient = mail("Minna minna@posti.example").sender;
    let message = normalised(incoming);
    assert_eq!((message.customer().identities.len(), shown(&message).as_str()), (1, "name Minna"));
    assert_eq!(message.incoming.sender.identities.len(), 1);
}

#[test]
fn what_says_nothing_and_what_says_a_new_matter() {
    // (text, says nothing, says a new matter)
    let table = [
        ("", true, false),
        ("Hei", true, false),
        ("hei?", true, false),
        ("Moi! 🙂", true, false),
        ("👍👍", true, false),
        ("kiitos paljon!!", true, false),
        ("God morgon", true, false),
        ("Tack så mycket", true, false),
        ("Thank you very much", true, false),
        ("ok", true, false),
        ("Tere päevast", true, false),
        ("Guten Tag, vielen Dank", true, false),
        ("Hei! T. Minna", true, false),
        ("Hei, laite on rikki", false, false),
        ("40012345", false, false),
        ("040 123 4567", false, false),
        ("Ei toimi", false, false),
        ("Mulla ois ihan uusi asia: lasku", false, true),
        ("Tämä on toinen asia.", false, true),
        ("This is a new matter", false, true),
        ("This is not a new issue, the same as before", false, false),
        ("Ei ole uusi asia vaan sama", false, false),
        ("Ett nytt ärende: fakturan", false, true),
        ("Mul on teine küsimus", false, true),
        ("Ich habe ein neues Anliegen", false, true),
        ("Another question: when do you open?", false, true),
    ];
    for (text, nothing, new_matter) in table {
        let message = normalised(says(chat(""), text));
        assert_eq!((message.says_nothing, message.says_new_matter), (nothing, new_matter), "{text:?}");
    }
    let with = |subject: &str, media_type: &str| {
        let mut incoming = says(mail("x@posti.example"), "");
        incoming.subject = (!subject.is_empty()).then(|| subject.to_owned());
        let source = AttachmentSource::Remote(Remote::at("1"));
        incoming.attachments.extend((!media_type.is_empty()).then(|| Attachment {
            name: None,
            media_type: media_type.to_owned(),
            source,
            inline: false,
        }));
        normalised(incoming).says_nothing
    };
    assert!(with("", "") && with("Hei", "") && with("Re: Laite on rikki [KK-49217]", "") && with("", "image/webp"));
    assert!(
        !with("Laite on rikki", "")
            && !with("", "application/pdf")
            && !with("", "audio/ogg")
            && !with("[KK-49217]", "")
    );
    assert!(!normalised(call(CallOutcome::Answered, "")).says_nothing);
}

#[test]
fn triage_reads_kind_and_urgency() {
    let table = [
        ("Hei", "", "low"),
        ("Laite ei toimi", "problem", "normal"),
        ("Laite ei toimi ja työt seisovat", "problem", "high"),
        ("Laite savuaa!", "problem", "high"),
        ("Voisitteko lähettää kopion laskusta", "service", "normal"),
        ("Kiitos erinomaisesta palvelusta", "feedback", "low"),
        ("Palautetta: tuotteelle saisi olla ohje", "feedback", "low"),
        ("Haluan palauttaa laitteen", "service", "normal"),
        ("Missä paketti on, se on myöhässä", "problem", "normal"),
        ("Kan ni skicka en offert?", "service", "normal"),
        ("Fakturan är fel", "problem", "normal"),
        ("Could you send me a quote?", "service", "normal"),
        ("The device does not work, please hurry", "problem", "high"),
        ("Excellent service!", "feedback", "low"),
        ("Seade ei tööta", "problem", "normal"),
        ("Sooviksin pakkumist", "service", "normal"),
        ("Das Gerät funktioniert nicht", "problem", "normal"),
        ("Lukema on 112", "", "low"),
        ("Ei ole kiire, mutta laite ei toimi", "problem", "normal"),
        ("No hurry at all, but the device does not work", "problem", "normal"),
        ("Mittarin lukema muuton aikaan oli 112 ja nyt 115", "", "low"),
    ];
    for (text, kind, priority) in table {
        let found = normalised(says(chat(""), text)).triage;
        let kinds: Vec<&str> = found.kind.iter().map(|kind| kind.as_str()).collect();
        assert_eq!((kinds.join(" ").as_str(), found.priority.as_str()), (kind, priority), "{text:?}");
    }
    let missed = normalised(call(CallOutcome::Missed, "")).triage;
    assert_eq!((missed.kind.len(), missed.priority.as_str()), (0, "normal"));
    let automatic = normalised(Incoming { auto: Some(Auto::Vacation), ..says(chat(""), "kiire, ei toimi") }).triage;
    assert_eq!((automatic.kind.len(), automatic.priority.as_str()), (0, "low"));
}

/// `rule>queue` of each queue that a message may lead to, with `?` where it depends on who turns out to have said it.
fn routes(incoming: Incoming, channel: &str) -> String {
    let rule =
        |name: &str, queue: &str| queue::Rule { name: name.to_owned(), queue: queue.to_owned(), ..Default::default() };
    let address = |address: &str| WrittenTo::Address(address.to_owned());
    let rules = vec![
        queue::Rule { organisations: ["iso.example".to_owned()].into(), ..rule("big", "key-customers") },
        queue::Rule { priorities: vec![Priority::High], like: vec![Like::Call], ..rule("urgent-calls", "duty") },
        queue::Rule { to: vec![address("sales@desk.example")], ..rule("sales-mail", "sales") },
        queue::Rule { to: vec![WrittenTo::Domain("lab.desk.example".to_owned())], ..rule("lab", "lab") },
        queue::Rule { to: vec![WrittenTo::Number("+358942720000".to_owned())], ..rule("sales-line", "sales") },
        queue::Rule { to: vec![WrittenTo::Number("200".to_owned())], ..rule("extension", "switchboard") },
        queue::Rule {
            words: Some(Phrases::of(["lasku*", "faktura*"])),
            like: vec![Like::Mail],
            ..rule("bills", "billing")
        },
        queue::Rule { channels: vec!["shop".to_owned()], ..rule("shop", "shop") },
        queue::Rule { languages: vec!["sv".to_owned()], ..rule("swedish", "svenska") },
        queue::Rule {
            kinds: vec![MatterKind::Feedback],
            without_kinds: vec![MatterKind::Problem, MatterKind::Service],
            ..rule("thanks", "feedback")
        },
    ];
    let routing = queue::Routing { default: "support".to_owned(), rules, others: Vec::new() };
    let likes = [("mail", Like::Mail), ("phone", Like::Call), ("shop", Like::Chat), ("other", Like::Chat)];
    let channel_like = likes.into_iter().map(|(name, like)| (name.to_owned(), like)).collect();
    let policy = Policy { routing, channel_like, ..policy() };
    let event = RawEvent { channel: channel.to_owned(), ..event() };
    let message = normalise(&event, 0, incoming, IdMint::new(2).next(ARRIVAL.parse().unwrap()), &policy);
    let shown = message.routes.iter().map(|route| {
        let is_open = if route.by_organisation { "?" } else { "" };
        format!("{}>{}{is_open}", route.rule.as_deref().unwrap_or("-"), route.queue)
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn rules_lead_to_queues_the_first_that_fits() {
    let to = |from: &str, to: &str, text: &str| {
        let mut incoming = says(mail(from), text);
        incoming.written_to.push(Identity::email(&EmailAddress::parse(to).unwrap()));
        incoming
    };
    let dialled = |to: &str, text: &str| {
        let mut incoming = call(CallOutcome::Answered, text);
        if let Content::Call(call, _) = &mut incoming.content {
            call.legs[0].to = to.to_owned();
        }
        incoming
    };
    let text = "Missä tilaukseni on?";
    for (name, incoming, channel, expected) in [
        ("no rule", to("a@b.example", "help@desk.example", text), "mail", "big>key-customers? ->support"),
        ("an address", to("a@b.example", "Sales@desk.example", text), "mail", "big>key-customers? sales-mail>sales"),
        ("a domain", to("a@b.example", "x@lab.desk.example", text), "mail", "big>key-customers? lab>lab"),
        ("his firm", to("a@iso.example", "sales@desk.example", text), "mail", "big>key-customers"),
        ("a part of it", to("a@x.iso.example", "help@desk.example", text), "mail", "big>key-customers"),
        (
            "a word",
            to("a@b.example", "help@desk.example", "Laskussa on virhe."),
            "mail",
            "big>key-customers? bills>billing",
        ),
        ("a word elsewhere", says(chat("A"), "Laskussa on virhe."), "other", "big>key-customers? ->support"),
        ("a channel", says(chat("A"), "Laskussa on virhe."), "shop", "big>key-customers? shop>shop"),
        ("a number", dialled("0942720000", ""), "phone", "big>key-customers? sales-line>sales"),
        ("an extension", dialled("200", ""), "phone", "big>key-customers? extension>switchboard"),
        ("urgent", dialled("0942720000", "Tuotanto seis, kiire!"), "phone", "big>key-customers? urgent-calls>duty"),
        (
            "a language",
            to("a@b.example", "help@desk.example", "Hej, jag undrar när min beställning kommer och var den är nu?"),
            "mail",
            "big>key-customers? swedish>svenska",
        ),
        (
            "thanks alone",
            to("a@b.example", "help@desk.example", "Palautetta: hyvä palvelu."),
            "mail",
            "big>key-customers? thanks>feedback",
        ),
        (
            "a complaint with a fault",
            to("a@b.example", "help@desk.example", "Palautetta: laite on rikki."),
            "mail",
            "big>key-customers? ->support",
        ),
    ] {
        assert_eq!(routes(incoming, channel), expected, "{name}");
    }
}

#[test]
fn automatic_mail_and_notices_claim_nothing() {
    let text = "Olen lomalla. Kiireellisissä soita Matti Korhonen 050 765 4321, tilaus 40012345";
    let vacation = Incoming { auto: Some(Auto::Vacation), ..says(mail("Minna m@posti.example"), text) };
    assert_eq!(shown(&normalised(vacation)), "order 40012345; name Minna");
    let notice =
        Incoming { what: What::Notice, ..says(chat("Minna"), "User Minna changed from 358401234567 to 358507654321") };
    assert_eq!(shown(&normalised(notice)), "name Minna");
}

/// Hostile bodies stay within a time that grows with the text alone. The limit is for an unoptimised
/// build on a busy machine; what is quadratic in these texts takes minutes.
#[test]
fn hostile_texts_are_read_in_bounded_time() {
    let many = |make: fn(u32) -> String| (0..10_000).map(make).collect::<String>();
    let table: Vec<(&str, String)> = vec![
        ("orders", many(|n| format!("{} ", 40_000_000 + n))),
        ("orders in lines", many(|n| format!("{}\n", 40_000_000 + n))),
        ("orders in groups", many(|n| format!("{} {} ", 4000 + n % 1000, n % 10_000))),
        ("phones", many(|n| format!("0401{n:06}, "))),
        ("phones in one run", many(|n| format!("0401{n:06} "))),
        ("labelled", many(|n| format!("puh {} ", 401_000_000 + n))),
        ("addresses", many(|n| format!("a{n}@x.example "))),
        ("ats", "@".repeat(100_000)),
        ("digits", "4".repeat(1_000_000)),
        ("zeros", "0 ".repeat(500_000)),
        ("blanks", " ".repeat(1_000_000)),
        ("lines", "\n".repeat(1_000_000)),
        ("closings", "t. ".repeat(100_000)),
        ("thanks", "Kiitos ja terveisin ".repeat(20_000)),
        ("names", "Minna Virtanen. ".repeat(20_000)),
        ("introductions", "nimeni on Minna Virtanen ".repeat(20_000)),
        ("hyphens", "-".repeat(1_000_000)),
        ("slashes", " /Minna".repeat(50_000)),
        ("emoji", "🙂".repeat(100_000)),
        ("umlauts", "ääöÅ 4001ä2345 ".repeat(30_000)),
        ("fields", "Nimi: Minna\n".repeat(30_000)),
    ];
    for (name, text) in table {
        for make in [mail, |_: &str| chat("")] {
            let incoming = says(make("x@posti.example"), &text);
            let begun = std::time::Instant::now();
            let message = normalised(incoming);
            assert!(message.facts.len() <= 32, "{name}");
            assert!(begun.elapsed() < Duration::from_secs(15), "{name}: {:?}", begun.elapsed());
        }
    }
}

proptest! {
    #[test]
    fn nothing_makes_it_panic_or_say_too_much(text in ".{0,400}", name in ".{0,40}", subject in ".{0,80}", is_mail in any::<bool>(), date in any::<i32>()) {
        let mut incoming = says(if is_mail { mail("x@posti.example") } else { chat("") }, &text);
        incoming.sender.name = Some(name);
        incoming.subject = Some(subject);
        incoming.occurred_at = Timestamp::from_second(i64::from(date)).ok();
        let message = normalised(incoming);
        prop_assert!(message.facts.len() <= 32);
        prop_assert!(message.occurred_at <= message.received_at && message.trusted_at <= message.received_at);
    }

    #[test]
    fn nothing_in_the_words_people_use_makes_it_panic(words in prop::collection::vec(prop::sample::select(vec![
        "Hei", "t.", "T.", "/", "-", "–", "Minna", "Virtanen", "ä", "040", "123", "4567", "+358", "(0)", "40012345", "4001", "2345", "@", "a@b.example", ".", ",", "\n", "\n\n",
        "> ", "Mvh", "Kiitos", "ja", "nimeni on", "täällä", "this is", "von", "🙂", "KK-", "kk", "49217", "JJFI", "€", "FI21", "01.02.", "2026", "\u{a0}", "İ", "ß", "Å", "olen",
    ]), 0..60), spaced in any::<bool>()) {
        let text = words.join(if spaced { " " } else { "" });
        for incoming in [mail("Minna x@posti.example"), chat("")] {
            let message = normalised(says(incoming, &text));
            prop_assert!(message.facts.len() <= 32);
            let own = &message.own_text;
            prop_assert!(own.len() <= text.len());
        }
    }
}
