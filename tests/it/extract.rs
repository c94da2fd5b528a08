//! Names and telephone numbers read out of what customers write: two tables of texts under
//! `tests/fixtures/extract`, a row a text, by language and by country.

use crate::normalise::{chat, event, mail, policy};
use lanka::pure::decide::normalise::normalise;
use lanka::pure::domain::id::IdMint;
use lanka::pure::domain::identity::TEL;
use lanka::pure::domain::message::{Content, FactValue, Incoming, Message, Reference, ReferenceKind};
use lanka::pure::domain::policy::Policy;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The rows of a table: three fields, the second of which tells the sender, and what is to be found.
fn rows(table: &str) -> Vec<[String; 4]> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/extract").join(table);
    let text = std::fs::read_to_string(path).expect("the table");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            // A text may hold a bar, the fields before and behind it may not.
            let (key, rest) = line.split_once('|').expect(line);
            let (from, rest) = rest.split_once('|').expect(line);
            let (text, found) = rest.rsplit_once('|').expect(line);
            [key, from, text, found].map(|field| field.trim().replace("\\n", "\n"))
        })
        .collect()
}

fn read(incoming: Incoming, text: &str, policy: &Policy) -> Message {
    let incoming = Incoming { content: Content::Text(text.to_owned()), ..incoming };
    normalise(&event(), 0, incoming, IdMint::new(2).next(event().received_at), policy)
}

/// Reports every row that differs at once, and how many rows each key has.
fn check(table: &str, found: impl Fn(&[String; 4]) -> Vec<String>) -> BTreeMap<String, usize> {
    let (rows, mut counts, mut wrong) = (rows(table), BTreeMap::new(), Vec::new());
    for row in &rows {
        *counts.entry(row[0].clone()).or_default() += 1;
        let found = found(row).join(";");
        if found != row[3] {
            wrong.push(format!("{} {:?}\n  expected {}\n  found    {found}", row[0], row[2], row[3]));
        }
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    counts
}

#[test]
fn names_are_read_where_people_sign_and_introduce_themselves() {
    let policy = Policy { matters: Arc::new(Vec::new()), ..policy() };
    let counts = check("names.txt", |[_, from, text, _]| {
        let incoming = if from.contains('@') { mail(from) } else { chat(from) };
        let facts = read(incoming, text, &policy).facts;
        let name = |value: &FactValue| match value {
            FactValue::Name(name) => Some(name.written().to_owned()),
            _ => None,
        };
        facts.iter().filter_map(|fact| name(&fact.value)).collect()
    });
    assert!(counts.len() == 5 && counts.values().all(|count| *count >= 25), "{counts:?}");
}

#[test]
fn phones_are_read_as_the_countries_write_them() {
    let counts = check("phones.txt", |[region, kind, text, _]| {
        let policy = Policy { region: region.clone(), matters: Arc::new(Vec::new()), ..policy() };
        let incoming = if kind == "m" { mail("x@posti.example") } else { chat("") };
        let facts = read(incoming, text, &policy).facts;
        let phone = |value: &FactValue| match value {
            FactValue::Claim(identity) if identity.scheme == TEL => Some(identity.value.clone()),
            _ => None,
        };
        facts.iter().filter_map(|fact| phone(&fact.value)).collect()
    });
    assert!(counts.values().sum::<usize>() >= 60, "{counts:?}");
}

#[test]
fn firms_are_read_beside_the_name() {
    let table = [
        (
            "m@posti.example",
            "Laite on rikki.\n\nMinna Virtanen\nMetallityö Virtanen Ky\ngsm 0400 744 290",
            "Metallityö Virtanen Ky",
        ),
        ("m@posti.example", "Hej\n\nMvh\nPer Olsson, VD, Åbo Rör Ab", "Åbo Rör Ab"),
        ("m@posti.example", "Tere\n\nLugupidamisega\nHelen Ilves\nMüügijuht | Toru OÜ | toru@toru.example", "Toru OÜ"),
        ("m@posti.example", "Hi\n\nRegards\nRob Fenton - Pipeworks Ltd.", "Pipeworks Ltd"),
        ("m@posti.example", "Hallo\n\nMfG\nThomas Keller\nRohrbau GmbH & Co. KG\nHauptstr. 1", "Rohrbau GmbH & Co. KG"),
        ("Putki Itä Oy info@putki.example", "Hei", "Putki Itä Oy"),
        ("Minna Virtanen / Putki Itä Oy m@putki.example", "Hei\n\nT. Minna\nPutki Itä OY", "Putki Itä Oy"),
        // What is written about is nobody's employer.
        ("m@posti.example", "Tilasin teiltä Putki Oy:n kautta.\n\nMinna", ""),
        ("m@posti.example", "Lasku tuli osoitteella Putki Itä Oy\nse on väärin.\n\nT. Minna Virtanen", ""),
        ("m@posti.example", "As soon as possible, as agreed.\n\nRegards\nJohn", ""),
    ];
    for (from, text, expected) in table {
        let facts = read(mail(from), text, &policy()).facts;
        let company = |value: &FactValue| match value {
            FactValue::Company(company) => Some(company.written().to_owned()),
            _ => None,
        };
        let found: Vec<String> = facts.iter().filter_map(|fact| company(&fact.value)).collect();
        assert_eq!(found.join(";"), expected, "{text}");
    }
}

#[test]
fn an_old_matter_is_back_in_every_language() {
    let table = [
        ("Taas sama vika, modeemi sammuu", true),
        ("Netti meni taas poikki", true),
        ("Vika uusiutui eilen illalla", true),
        ("Felet är tillbaka", true),
        ("Den är trasig igen", true),
        ("The problem is back", true),
        ("It's still not working", true),
        ("Sama viga jälle", true),
        ("Der Fehler ist wieder da", true),
        ("Milloin vika korjataan?", false),
        ("Vika ei ole uusiutunut, kiitos", false),
        ("My money came, thank you", false),
        ("Tämä on uusi asia", false),
        ("Inte samma fel som sist", false),
        // Beside the number of the matter less is enough.
        ("40012345 is back", true),
        ("Haava aukesi samasta kohdasta, 40012345", true),
        ("Hello again, order 40012345", false),
        ("My boss is back on Monday", false),
    ];
    for (text, expected) in table {
        assert_eq!(read(chat(""), text, &policy()).says_is_back, expected, "{text}");
    }
    // Also where its subject has the number.
    let titled = Incoming { subject: Some("Order 40012345".to_owned()), ..chat("") };
    assert!(read(titled, "The crack is back, 40012345.", &policy()).says_is_back);
    // And in an answer.
    for (text, expected) in [
        ("Sama kohta hiertää taas", true),
        ("it's doing it again, silence since Sunday", true),
        ("Den hakar upp sig igen", true),
        ("Thanks again!", false),
        ("Hej igen, när är ni öppna?", false),
        ("Hello again, when do you open?", false),
        ("Never again!", false),
    ] {
        let mut answer = chat("");
        answer.references.push(Reference {
            kind: ReferenceKind::Reply,
            namespace: "chat".to_owned(),
            key: "m-1".to_owned(),
        });
        assert_eq!(read(answer, text, &policy()).says_is_back, expected, "{text}");
    }
}

#[test]
fn what_was_said_before_is_spoken_of() {
    for (text, expected) in [
        ("Laitoin eilen kyselyn Elinalle", true),
        ("Kysyin tiistaina kaapelista", true),
        ("As I wrote last week, it leaks", true),
        ("Jag skrev i går om fakturan", true),
        ("Wie geschrieben, der Mischer", true),
        ("Küsisin seda juba", true),
        ("Milloin tulette?", false),
        ("Can you write to me?", false),
    ] {
        assert_eq!(read(chat(""), text, &policy()).refers_back, expected, "{text}");
    }
}

#[test]
fn what_follows_thanks_is_no_name() {
    let named = |value: &FactValue| match value {
        FactValue::Name(name) => Some(name.written().to_owned()),
        _ => None,
    };
    for (text, expected) in [
        ("ja tack. skicka bekräftelsen till mikaela.tallqvist@brevlada.example", ""),
        ("ja tack, till mikaela@brevlada.example", ""),
        ("ja tack. ring till 0401234567", ""),
        ("tulee illalla. kiitos, minna virtanen", "minna virtanen"),
        ("Kiitos! T. Minna", "Minna"),
    ] {
        let facts = read(chat(""), text, &policy()).facts;
        let found: Vec<String> = facts.iter().filter_map(|fact| named(&fact.value)).collect();
        assert_eq!(found.join(";"), expected, "{text}");
    }
}

#[test]
fn a_firm_of_the_senders_name_is_no_other_person() {
    let text = "Passt. Rechnung bitte auf die Firma.\n\nTheo Brandis\nOfenbau Brandis";
    let facts = read(mail("Theo Brandis brandis@ofenbau-brandis.example"), text, &policy()).facts;
    let others =
        facts.iter().filter(|fact| matches!(&fact.value, FactValue::Name(name) if name.written() != "Theo Brandis"));
    assert_eq!(others.count(), 0);
}
