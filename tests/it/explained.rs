//! Why things are where they are, as agents read it: the story told in each language, what was stored before there were
//! codes, and what mirrors hear.

use crate::desk::Desk;
use crate::story::run;
use jiff::tz::TimeZone;
use lanka::pure::domain::say::Language;
use lanka::shell::store::Store;
use lanka::shell::store::presence::Presence;
use lanka::shell::store::reader::Reader;

/// The store, read in a language on the clock of Helsinki.
fn read_in(desk: &Desk, language: Language) -> Store {
    let time_zone = TimeZone::get("Europe/Helsinki").expect("a zone");
    desk.store.clone().read_by(Reader { language, time_zone })
}

/// What every message says of itself, in order of time.
async fn told(desk: &Desk, language: Language) -> Vec<String> {
    let store = read_in(desk, language);
    let mut told = Vec::new();
    for line in store.threads(None, None, 10).await.expect("threads") {
        let (_, messages) = store.thread(line.id).await.expect("a thread").expect("a ticket");
        for message in messages {
            let route = store.route(message.id).await.expect("a route").expect("a message");
            let by_decision: Vec<String> = route.decisions.into_iter().filter_map(|line| line.sentence).collect();
            assert_eq!(by_decision.join(" "), message.sentence, "the route says the same");
            told.push((message.occurred_at, message.sentence));
        }
    }
    told.sort();
    told.into_iter().map(|(_, sentence)| sentence).collect()
}

#[tokio::test]
async fn the_story_is_told_in_each_language() {
    let desk = run(["chat", "mail", "call"], true).await;
    let table: [(Language, [&str; 3]); 3] = [
        (
            Language::English,
            [
                "Nobody known has this address; a new contact; nothing ties it to a known matter; a new ticket.",
                "Same customer: order 40…45 and the name are in both (from the message of 3 March 10:00 on facebook); \
                 it names order 40…45, a number of this matter (from the message of 3 March 10:00 on facebook); \
                 nothing spoke against it.",
                "The caller's number +358…67 was named earlier in an authenticated mail (from the e-mail of 5 March 12:00); \
                 it is the contact's only open matter of these days (the message of 3 March 10:00 on facebook); \
                 nothing spoke against it.",
            ],
        ),
        (
            Language::Finnish,
            [
                "Osoite ei ole kenenkään tunnetun asiakkaan; uusi asiakas; \
                 mikään ei liitä viestiä tunnettuun asiaan; uusi tiketti.",
                "Sama asiakas: order 40…45 ja nimi ovat molemmissa (viestistä 3.3. klo 10.00 kanavalla facebook); \
                 viestissä on order 40…45, joka on tämän asian numero (viestistä 3.3. klo 10.00 kanavalla facebook); \
                 mikään ei puhunut vastaan.",
                "Soittajan numero +358…67 mainittiin aiemmin aidoksi todetussa sähköpostissa (sähköpostista 5.3. klo 12.00); \
                 tämä on asiakkaan ainoa avoin asia näiltä päiviltä (viesti 3.3. klo 10.00 kanavalla facebook); \
                 mikään ei puhunut vastaan.",
            ],
        ),
        (
            Language::Swedish,
            [
                "Ingen känd kund har den här adressen; en ny kund; \
                 inget knyter meddelandet till ett känt ärende; ett nytt ärende.",
                "Samma kund: order 40…45 och namnet finns i båda (från meddelandet den 3 mars kl. 10.00 i kanalen facebook); \
                 meddelandet nämner order 40…45, som hör till det här ärendet \
                 (från meddelandet den 3 mars kl. 10.00 i kanalen facebook); inget talade emot det.",
                "Numret +358…67, som det ringdes från, nämndes tidigare i ett e-postmeddelande vars avsändare är styrkt \
                 (från e-postmeddelandet den 5 mars kl. 12.00); det är kundens enda öppna ärende från de senaste dagarna \
                 (meddelandet den 3 mars kl. 10.00 i kanalen facebook); inget talade emot det.",
            ],
        ),
    ];
    for (language, expected) in table {
        assert_eq!(told(&desk, language).await, expected);
    }
}

#[tokio::test]
async fn what_is_only_considered_is_told_in_each_language() {
    let desk = run(["chat", "mail", "call"], false).await;
    for (language, expected, why) in [
        (
            Language::English,
            "Nobody known has this address; a new contact; nothing ties it to a known matter; a new ticket; \
             also considered: another contact (the same full name within days, from the message of 3 March 10:00 on facebook).",
            "The same full name within days. Two people can share a name, so this joins nothing by itself.",
        ),
        (
            Language::Finnish,
            "Osoite ei ole kenenkään tunnetun asiakkaan; uusi asiakas; mikään ei liitä viestiä tunnettuun asiaan; uusi tiketti; \
             harkittiin myös: toinen asiakas (sama koko nimi muutaman päivän sisällä, viestistä 3.3. klo 10.00 kanavalla facebook).",
            "Sama koko nimi muutaman päivän sisällä. Kahdella ihmisellä voi olla sama nimi, joten tämä ei yksin yhdistä mitään.",
        ),
        (
            Language::Swedish,
            "Ingen känd kund har den här adressen; en ny kund; inget knyter meddelandet till ett känt ärende; ett nytt ärende; \
             också övervägt: en annan kund (samma fullständiga namn inom några dagar, från meddelandet den 3 mars kl. 10.00 i kanalen facebook).",
            "Samma fullständiga namn inom några dagar. Två personer kan ha samma namn, så det räcker inte för att slå ihop dem.",
        ),
    ] {
        assert_eq!(told(&desk, language).await[1], expected);
        let suggestions = read_in(&desk, language).suggestions(false, 10).await.expect("suggestions");
        let [only] = suggestions.as_slice() else { panic!("{suggestions:?}") };
        assert_eq!((only.code.as_str(), only.why.as_str()), ("full_name", why));
    }
}

#[tokio::test]
async fn a_mail_that_joins_what_came_before_tells_of_all_of_it() {
    let desk = run(["call", "chat", "mail"], true).await;
    let told = told(&desk, Language::English).await;
    for part in [
        "The caller's number +358…67 was named earlier in an authenticated mail (the call of 6 March 16:00)",
        "same customer: order 40…45 and the name are in both (from the message of 3 March 10:00 on facebook)",
        "another ticket is the same matter of the same contact, who was not known as one before (the call of 6 March 16:00)",
    ] {
        assert!(told[1].contains(part), "{part}: {}", told[1]);
    }
}

#[tokio::test]
async fn what_was_stored_as_text_is_read_as_it_was_written() {
    let desk = run(["chat", "mail", "call"], false).await;
    for statement in [
        r#"UPDATE decision SET reasons = '[{"rule": "number", "text": "It named a number. So it was."},
            {"rule": "order_number", "text": "Same customer, as it was said then.", "bits": 14}]'"#,
        "UPDATE suggestion SET says = NULL, why = 'The same name.'",
        "UPDATE contact_link SET says = NULL, why = 'They were one.'",
    ] {
        sqlx::query(statement).execute(&desk.store.pool).await.expect("rows of before");
    }
    let told = told(&desk, Language::Finnish).await;
    let of_before = "It named a number; same customer, as it was said then";
    assert!(told.iter().all(|sentence| sentence.starts_with(of_before)), "{told:?}");
    assert!(told[1].contains("harkittiin myös: toinen asiakas (the same name"), "{}", told[1]);
    let store = read_in(&desk, Language::Finnish);
    let suggestions = store.suggestions(false, 10).await.expect("suggestions");
    assert_eq!((suggestions[0].code.as_str(), suggestions[0].why.as_str()), ("plain", "The same name."));
    let one = suggestions[0].one.id.expect("a contact").to_string();
    let contact = store.contact(&one).await.unwrap_or_else(|error| panic!("{error}"));
    let journal: Vec<_> = contact.journal.iter().map(|link| (link.why.as_str(), link.code.as_deref())).collect();
    assert!(journal.iter().all(|link| *link == ("They were one.", None)), "{journal:?}");
}

#[tokio::test]
async fn mirrors_get_the_words_and_the_codes() {
    let desk = run(["chat", "mail", "call"], false).await;
    let store = read_in(&desk, Language::Swedish);
    let presence = Presence::open(&desk.store).await.expect("presence");
    let claimant = presence.claimant().expect("a connection");
    let mut posts = Vec::new();
    loop {
        let now = jiff::Timestamp::now();
        let claimed = store.claim_posts("desk", 100, claimant, 60, now).await.expect("posts");
        if claimed.is_empty() {
            break;
        }
        for claimed in claimed {
            let delivered = lanka::shell::store::outbox::Settled::Delivered;
            store.settle_post(claimed.id, claimed.attempt, delivered, (&[], &[]), None, now).await.expect("settled");
            posts.push(serde_json::to_value(claimed.post).expect("JSON"));
        }
    }
    let suggested = posts.iter().find(|post| post["change"] == "suggestion.made").expect("a suggestion");
    assert_eq!(suggested["detail"]["code"], "full_name");
    assert!(suggested["detail"]["why"].as_str().is_some_and(|why| why.starts_with("Samma fullständiga namn")));
    assert!(suggested["detail"].get("says").is_none(), "{suggested}");
    let added = posts.iter().filter(|post| post["change"] == "message.added").collect::<Vec<_>>();
    assert_eq!(added.len(), 3);
    for post in added {
        let message = &post["message"];
        assert!(message["sentence"].as_str().is_some_and(|sentence| sentence.ends_with('.')), "{message}");
        for reason in message["reasons"].as_array().expect("reasons") {
            let is_text = |key: &str| reason[key].as_str().is_some_and(|text| !text.is_empty());
            assert!(is_text("rule") && is_text("code") && is_text("text"), "{reason}");
        }
    }
}
