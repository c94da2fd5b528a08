//! Promises P2 to P5 through the real store: each case a few deliveries, and what must stand at the
//! end. A row reads: what comes, by which channel; how many contacts and tickets there are then.

use crate::desk::{Desk, call, mail, messenger};
use crate::endpoint::SECRET;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const PASS: &str = "dmarc=pass header.from=posti.example";
const FAIL: &str = "dmarc=fail header.from=posti.example";
const NONE: &str = "spf=none smtp.mailfrom=posti.example; dkim=none; dmarc=none header.from=posti.example";
const MINNA: &str = "Minna Virtanen <minna@posti.example>";

/// Each delivery at its own minute; those of one channel come in the order given.
async fn check(name: &str, deliveries: &[(&str, String)], contacts: i64, tickets: i64) -> Desk {
    let desk = Desk::open().await;
    for (minute, (channel, body)) in deliveries.iter().enumerate() {
        desk.take(channel, &format!("2026-03-10T12:{minute:02}:00Z"), body.clone()).await;
    }
    let found = desk.tally().await;
    assert_eq!(found, (contacts, tickets, 0), "{name}: (contacts, tickets, quarantined)");
    desk
}

fn letter(id: &str, from: &str, results: &str, headers: &str, text: &str) -> (&'static str, String) {
    ("mail", mail(id, from, "Tue, 10 Mar 2026 10:00:00 +0000", results, headers, "Asia", text))
}

fn chat(mid: &str, psid: &str, text: &str) -> (&'static str, String) {
    ("facebook", messenger(mid, psid, "2026-03-10T11:00:00Z", text))
}

#[tokio::test]
async fn a_thing_delivered_often_is_one_message() {
    let one = letter("a@x", MINNA, PASS, "", "Missä paketti 40012345?");
    let relayed = one.1.replace("by mx.kauppa.example with ESMTPS id x1", "by mx.kauppa.example with ESMTPS id other");
    let desk = check("the same mail, twice and over another relay", &[one.clone(), one, ("mail", relayed)], 1, 1).await;
    assert_eq!(desk.count("SELECT count(*) FROM message").await, 1);
    assert_eq!(desk.count("SELECT count(*) FROM raw_event").await, 3, "every delivery is kept");
    assert_eq!(desk.count("SELECT count(*) FROM raw_item WHERE role = 'repeat'").await, 2);

    let desk = check("a message id, twice", &[chat("m1", "P1", "Hei"), chat("m1", "P1", "Hei")], 1, 1).await;
    assert_eq!(desk.count("SELECT count(*) FROM message").await, 1);
}

#[tokio::test]
async fn a_forged_mail_sent_first_suppresses_nothing() {
    // The forger knows the Message-ID, the sender, even the words.
    let genuine = letter("known@posti.example", MINNA, PASS, "", "Peruutan tilauksen 40012345.");
    let forged = letter("known@posti.example", MINNA, FAIL, "", "Peruutan tilauksen 40012345.");
    let other = letter("known@posti.example", MINNA, FAIL, "", "Vaihtakaa tilinumero.");
    for first in [forged, other] {
        let desk = check("forged first", &[first, genuine.clone()], 2, 2).await;
        assert_eq!(desk.count("SELECT count(*) FROM message WHERE assurance = 3").await, 1, "the genuine one is there");
        assert_eq!(desk.count("SELECT count(*) FROM message WHERE 'contradicted' = ANY(marks)").await, 1);
    }
    let reused = letter("known@posti.example", MINNA, PASS, "", "Ihan muuta.");
    let desk = check("one id, two contents", &[genuine, reused], 1, 1).await;
    assert_eq!(desk.count("SELECT count(*) FROM message WHERE 'message_id_reused' = ANY(marks)").await, 1);
}

#[tokio::test]
async fn what_can_be_forged_joins_nothing() {
    let chat_with_number = chat("m1", "P1", "Tilaus 40012345 puuttuu.\n\nT. Minna Virtanen");
    check(
        "an unsigned mail names the number and the name",
        &[chat_with_number.clone(), letter("a@x", MINNA, NONE, "", "Tilaus 40012345.\r\n\r\nMinna Virtanen")],
        2,
        2,
    )
    .await;
    check(
        "a signed one joins",
        &[chat_with_number.clone(), letter("a@x", MINNA, PASS, "", "Tilaus 40012345.\r\n\r\nMinna Virtanen")],
        1,
        1,
    )
    .await;
    check(
        "a contradicted one stays apart",
        &[chat_with_number.clone(), letter("a@x", MINNA, FAIL, "", "Tilaus 40012345.\r\n\r\nMinna Virtanen")],
        2,
        2,
    )
    .await;
    check(
        "another name with the number",
        &[
            chat_with_number.clone(),
            letter("a@x", "Pekka Laine <p@posti.example>", PASS, "", "Tilaus 40012345.\r\n\r\nPekka Laine"),
        ],
        2,
        2,
    )
    .await;
    check("a number and no name", &[chat("m1", "P1", "Tilaus 40012345"), chat("m2", "P2", "Tilaus 40012345")], 2, 2)
        .await;
    check(
        "only the name",
        &[chat("m1", "P1", "Hei\n\nT. Minna Virtanen"), letter("a@x", MINNA, PASS, "", "Hei\r\n\r\nMinna Virtanen")],
        2,
        2,
    )
    .await;
}

#[tokio::test]
async fn a_customers_mail_that_a_colleague_passes_on_is_the_customers() {
    const OURS: &str = "dkim=pass header.d=kauppa.example; dmarc=pass header.from=kauppa.example";
    const NOT_OURS: &str = "dkim=fail; dmarc=fail header.from=kauppa.example";
    let passed_on = |from: &str, results: &str| {
        let text = "Välitän asiakkaan viestin.\r\n\r\nBegin forwarded message:\r\n\r\nFrom: Minna Virtanen <minna@posti.example>\r\n\
            Subject: Tilaus\r\nDate: Tue, 10 Mar 2026 09:00:00 +0000\r\nTo: antti@kauppa.example\r\n\r\nMissä paketti 40012345?\r\n\r\nMinna Virtanen";
        letter("f@x", from, results, "", text)
    };
    let hers = letter("a@x", MINNA, PASS, "", "Joko tiedätte?");
    let antti = "Antti Aho <antti@kauppa.example>";
    let desk = check("by a colleague", &[passed_on(antti, OURS), hers.clone()], 1, 1).await;
    assert_eq!(desk.count("SELECT count(*) FROM message WHERE direction = 'from_customer'").await, 2);
    assert_eq!(desk.count("SELECT count(*) FROM fact WHERE kind = 'number'").await, 1, "her words are read");
    check("by one who is none", &[passed_on(antti, NOT_OURS), hers.clone()], 1, 2).await;
    check("by a stranger", &[passed_on("Ville <ville@muu.example>", PASS), hers], 2, 2).await;
}

#[tokio::test]
async fn who_answers_the_desk_is_believed_where_it_wrote_to_him_alone() {
    let question = letter("q@x", MINNA, PASS, "", "Missä paketti?");
    let reply = |cc: &str| {
        let sent = format!(
            "From: Asiakaspalvelu <asiakaspalvelu@kauppa.example>\r\nTo: Minna <minna@posti.example>\r\n{cc}\
            Subject: Re: Asia\r\nDate: Tue, 10 Mar 2026 10:30:00 +0000\r\nMessage-ID: <desk@kauppa.example>\r\nIn-Reply-To: <q@x>\r\n\r\nSelvitämme.\r\n"
        );
        ("mail", sent)
    };
    let answer =
        |from: &str, results: &str| letter("b@x", from, results, "In-Reply-To: <desk@kauppa.example>\r\n", "Joko?");
    let hers = answer(MINNA, FAIL);
    check("her signature broke", &[question.clone(), reply(""), hers.clone()], 1, 1).await;
    check("others had it too", &[question.clone(), reply("Cc: ville@muu.example\r\n"), hers.clone()], 2, 2).await;
    check("nobody had written", &[question.clone(), hers], 2, 2).await;
    let other = answer("Minna Virtanen <minna.virtanen@toinen.example>", "dmarc=pass header.from=toinen.example");
    check("from another address", &[question.clone(), reply(""), other], 1, 1).await;
    let imitated = answer("Minna Virtanen <minna@p0sti.example>", "dmarc=pass header.from=p0sti.example");
    check("from one that looks like hers", &[question, reply(""), imitated], 2, 2).await;
}

#[tokio::test]
async fn a_browser_is_whoever_types_his_name() {
    let chat = |id: &str, name: &str, text: &str| {
        let visitor = serde_json::json!({"id": "v-1", "name": name});
        let body = serde_json::json!({"event_id": id, "type": "message", "conversation_id": id, "visitor": visitor,
            "text": text, "sent_at": "2026-03-10T11:00:00Z"});
        ("chat", body.to_string())
    };
    let (merja, camilla) = (chat("1", "Merja Hyvönen", "Hei"), chat("2", "Camilla Hyvönen", "Moi"));
    let again = chat("3", "Merja Hyvönen", "Vielä yksi kysymys");
    let desk = check("two in turn, and the first comes back", &[merja, camilla, again], 2, 2).await;
    assert_eq!(desk.count("SELECT count(*) FROM identity").await, 3, "one for each time");
    let found = chat("4", "Minna Virtanen", "Lasku 40012345, mihin se lähtee?");
    let bill = letter("a@x", MINNA, PASS, "", "Lasku 40012345 on väärin.\r\n\r\nMinna Virtanen");
    check("who comes to what is known with a bill", &[bill, found], 2, 2).await;
}

/// Whoever tries number after number gets nothing by it, not even when the people are weighed anew.
#[tokio::test]
async fn a_number_that_was_guessed_after_many_others_joins_nobody() {
    let others = (1..=5).map(|n| {
        let from = format!("Asiakas{n} Sukunimi{n} <a{n}@muu{n}.example>");
        let pass = format!("dmarc=pass header.from=muu{n}.example");
        letter(&format!("o{n}@x"), &from, &pass, "", &format!("Tilaus 4000000{n} puuttuu."))
    });
    let hers = letter("m@x", MINNA, PASS, "", "Tilaus 40000009 puuttuu.");
    let guess = |n: u32| says(&format!("g{n}"), "358407654321", "Minna Virtanen", &format!("Entä tilaus 4000000{n}?"));
    let known: Vec<_> = others.chain([hers]).collect();
    let tried = |numbers: &[u32]| known.iter().cloned().chain(numbers.iter().map(|n| guess(*n))).collect::<Vec<_>>();
    check("known at once", &tried(&[9]), 6, 6).await;
    let desk = check("after five of others", &tried(&[1, 2, 3, 4, 5, 9]), 7, 12).await;
    // Everybody once more, with all that is known.
    sqlx::query("INSERT INTO reconsider SELECT id, tenant, true, now() FROM contact ON CONFLICT DO NOTHING")
        .execute(&desk.store.pool)
        .await
        .expect("due");
    desk.decide().await;
    assert_eq!(desk.tally().await, (7, 12, 0), "weighed anew");
}

fn whatsapp(id: &str, from: &str, name: &str, message: serde_json::Value) -> (&'static str, String) {
    let mut message = message;
    message["from"] = from.into();
    message["id"] = id.into();
    message["timestamp"] = "1773140000".into();
    let contact = serde_json::json!({"profile": {"name": name}, "wa_id": from});
    let value = serde_json::json!({"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]});
    let change = serde_json::json!({"field": "messages", "value": value});
    let body =
        serde_json::json!({"object": "whatsapp_business_account", "entry": [{"id": "WABA", "changes": [change]}]});
    ("whatsapp", body.to_string())
}

fn says(id: &str, from: &str, name: &str, text: &str) -> (&'static str, String) {
    whatsapp(id, from, name, serde_json::json!({"type": "text", "text": {"body": text}}))
}

/// Two people who speak of each other are two, whichever writes first.
#[tokio::test]
async fn people_who_know_each_other_stay_apart() {
    const ANNA: &str = "358401112222";
    const PEKKA: &str = "358502223333";
    let card = |name: &str, phone: &str| {
        let card = serde_json::json!({"name": {"formatted_name": name}, "phones": [{"phone": phone}]});
        whatsapp("card", ANNA, "Anna", serde_json::json!({"type": "contacts", "contacts": [card]}))
    };
    let anna = |text: &str| says("a", ANNA, "Anna Virtanen", text);
    let pekka = |text: &str| says("p", PEKKA, "Pekka Virtanen", text);
    let nameless = |mid: &str, psid: &str, text: &str| chat(mid, psid, text);
    let from_anna = |text: &str| letter("a@x", "Anna Virtanen <anna@posti.example>", PASS, "", text);
    let from_pekka = |text: &str| letter("p@x", "Pekka Virtanen <pekka@posti.example>", PASS, "", text);
    let forwarded = |text: &str| {
        let message = serde_json::json!({"type": "text", "text": {"body": text}, "context": {"forwarded": true}});
        whatsapp("f", ANNA, "Anna", message)
    };
    let vcard = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Pekka Virtanen\r\nTEL:+358502223333\r\nEND:VCARD\r\n";
    let post = serde_json::json!({"object": "page", "entry": [{"id": "PAGE", "messaging": [{"sender": {"id": "P1"},
        "recipient": {"id": "PAGE"}, "timestamp": 1_773_140_000_000_i64, "message": {"mid": "m1", "attachments": [
            {"type": "fallback", "payload": {"title": "Pekan putki, puh. 050 222 3333", "url": "https://x.example"}}]}}]}]});
    let shared_post = ("facebook", post.to_string());
    let tellus = "Anna sanoo: soittakaa numeroon 040 111 2222";
    for (name, one, other) in [
        (
            "a card of a third person",
            card("Pekka", "+358 50 222 3333"),
            says("p", PEKKA, "Pekka", "Vaimoni numero on 040 111 2222"),
        ),
        (
            "a card, and the other names a number",
            card("Pekka", "+358 50 222 3333"),
            says("p", PEKKA, "P", "Voi soittaa myös 040 111 2222"),
        ),
        (
            "a card with a name that writes lines",
            card("X\n\nT. Pekka\n050 222 3333", "1"),
            says("p", PEKKA, "P", tellus),
        ),
        ("a business card in the text", says("a", ANNA, "Anna", vcard), says("p", PEKKA, "P", tellus)),
        ("a business card in a mail", from_anna(vcard), says("p", PEKKA, "P", "Osoitteeni on anna@posti.example")),
        ("a post that is shared", shared_post, says("p", PEKKA, "P", "Hei")),
        ("a message that is forwarded", forwarded("Soittakaa 050 222 3333. T. Pekka"), says("p", PEKKA, "P", tellus)),
        ("spouses", anna("mieheni numero on 050 222 3333"), pekka("vaimoni numero on 040 111 2222")),
        ("spouses who say less", anna("Soittakaa 050 222 3333"), pekka("Tai 040 111 2222")),
        (
            "spouses in Swedish",
            anna("min mans nummer är +358 50 222 3333"),
            pekka("min frus nummer är +358 40 111 2222"),
        ),
        (
            "spouses in English",
            anna("my husband's number is +358 50 222 3333"),
            pekka("call my wife at +358 40 111 2222"),
        ),
        (
            "spouses in Estonian",
            anna("mu mehe number on +358 50 222 3333"),
            pekka("minu naise telefon on +358 40 111 2222"),
        ),
        (
            "spouses in German",
            anna("die Nummer meines Mannes: +358 50 222 3333"),
            pekka("Nummer meiner Frau: +358 40 111 2222"),
        ),
        (
            "spouses by mail",
            from_anna("Mieheni osoite on pekka@posti.example"),
            from_pekka("Vaimoni meili: anna@posti.example"),
        ),
        (
            "a mother for her child",
            says("a", ANNA, "Anna", "Poikani numero on 050 222 3333"),
            says("p", PEKKA, "Ville", "Äidin numero on 040 111 2222"),
        ),
        (
            "without a name: a mother",
            nameless("m1", "P1", "Tyttäreni numero on 050 222 3333"),
            says("p", PEKKA, "Ella", "Hei"),
        ),
        (
            "a secretary",
            says("a", ANNA, "", "Johtajamme tavoittaa numerosta 050 222 3333"),
            says("p", PEKKA, "", "Sihteerini vastaa 040 111 2222"),
        ),
        (
            "a colleague's telephone",
            says("a", ANNA, "", "call me at my colleague's +358 50 222 3333"),
            says("p", PEKKA, "", "my colleague's number is +358 40 111 2222"),
        ),
        (
            "a signature forwarded",
            from_anna(
                "Kts. alla.\r\n\r\n-----Original Message-----\r\nFrom: Pekka Virtanen <pekka@posti.example>\r\nSent: Monday\r\nTo: Anna\r\nSubject: Asia\r\n\r\nTerveisin\r\nPekka Virtanen\r\n050 222 3333",
            ),
            pekka("Vaimo on anna@posti.example"),
        ),
    ] {
        check(name, &[one.clone(), other.clone()], 2, 2).await;
        check(name, &[other, one], 2, 2).await;
    }
    let caller = ("phone", call("0502223333", "2026-03-10T11:30:00Z", "1.1"));
    check("a caller whom his wife named", &[from_anna("Mieheni puh. 050 222 3333"), caller.clone()], 2, 2).await;
    check("a caller who named himself", &[from_pekka("Numeroni on 050 222 3333"), caller], 1, 1).await;
    let mutual = [from_pekka("Numeroni on 050 222 3333"), says("p", PEKKA, "Pekka", "Meilini on pekka@posti.example")];
    check("one person on two channels", &mutual, 1, 1).await;
    let desk = check("spouses who say less", &[anna("Soittakaa 050 222 3333"), pekka("Tai 040 111 2222")], 2, 2).await;
    assert_eq!(desk.count("SELECT count(*) FROM suggestion WHERE target_kind = 'contact'").await, 1);
}

#[tokio::test]
async fn a_denied_sender_is_told_of_once() {
    let desk = Desk::open().await;
    let now = lanka::pure::domain::Timestamp::now();
    let (_, genuine) = letter("a@x", MINNA, PASS, "", "Paketti on rikki.");
    desk.take("mail", &now.to_string(), genuine).await;
    let readings = || lanka::shell::daemon::denied_readings(&desk.store, now);
    assert!(readings().await.expect("readings").is_empty());
    for id in ["b@x", "c@x"] {
        let (_, forged) = letter(id, MINNA, FAIL, "", "Vaihtakaa tilinumero.");
        desk.take("mail", &now.to_string(), forged).await;
        let why = "SELECT count(*) FROM decision WHERE reasons::text LIKE '%new_contact%'";
        assert_eq!(desk.count(why).await, 1, "only the genuine one is of an address that nobody had");
    }
    let known = "SELECT count(*) FROM decision WHERE reasons::text LIKE '%denied_known%'";
    assert_eq!(desk.count(known).await, 1);
    let readings = readings().await.expect("readings");
    let [reading] = readings.as_slice() else { panic!("{readings:?}") };
    assert_eq!((reading.code, reading.subject.as_str(), reading.value), ("sender_contradicted", "mail", 2.0));
    assert!(!reading.message.contains("minna"), "{}", reading.message);
    assert!(
        lanka::shell::daemon::denied_readings(&desk.store, now + jiff::SignedDuration::from_hours(2))
            .await
            .expect("readings")
            .is_empty()
    );
}

#[tokio::test]
async fn an_unsigned_mail_from_a_known_address_is_on_its_thread_and_marked() {
    let first = letter("a@x", MINNA, PASS, "", "Paketti on rikki.");
    let unsigned = letter("b@x", MINNA, NONE, "In-Reply-To: <a@x>\r\n", "Lisäys: myös laatikko.");
    let desk = check("unsigned reply", &[first, unsigned], 1, 1).await;
    assert_eq!(desk.count("SELECT count(*) FROM message WHERE 'unverified' = ANY(marks)").await, 1);
    assert_eq!(desk.count("SELECT max(assurance)::bigint FROM identity").await, 3);
}

#[tokio::test]
async fn a_stranger_gets_on_no_ticket_by_a_reference_or_a_number() {
    let first = letter("a@x", MINNA, PASS, "", "Tilaus 40012345 on rikki.");
    let elsewhere = "dmarc=pass header.from=muu.example";
    let by_reference = letter(
        "b@x",
        "Ville Vieras <v@muu.example>",
        elsewhere,
        "In-Reply-To: <a@x>\r\nReferences: <a@x>\r\n",
        "Rahat tänne.",
    );
    let desk = check("a stranger's reply", &[first.clone(), by_reference], 2, 2).await;
    assert_eq!(desk.count("SELECT count(*) FROM suggestion WHERE target_kind = 'ticket'").await, 1);
    check(
        "a stranger's number",
        &[first, letter("c@x", "Ville Vieras <v@muu.example>", elsewhere, "", "Tilaus 40012345.")],
        2,
        2,
    )
    .await;
}

#[tokio::test]
async fn a_caller_is_known_only_if_the_number_was_named_before_and_by_one() {
    let named = letter("a@x", MINNA, PASS, "", "Soittakaa.\r\n\r\nTerveisin\r\nMinna Virtanen\r\n040 123 4567");
    let after = ("phone", call("0401234567", "2026-03-10T11:30:00Z", "1.1"));
    let before = ("phone", call("0401234567", "2026-03-10T09:00:00Z", "1.1"));
    check("named, then called", &[named.clone(), after.clone()], 1, 1).await;
    check("called before the mail", &[before, named.clone()], 2, 2).await;
    let pekka = letter(
        "b@x",
        "Pekka Laine <p@posti.example>",
        PASS,
        "",
        "Soittakaa.\r\n\r\nTerveisin\r\nPekka Laine\r\n040 123 4567",
    );
    check("named by two", &[named, pekka, after.clone()], 3, 3).await;
    let unsigned = letter("a@x", MINNA, NONE, "", "Soittakaa.\r\n\r\nTerveisin\r\nMinna Virtanen\r\n040 123 4567");
    check("named in an unsigned mail", &[unsigned, after], 2, 2).await;
}

#[tokio::test]
async fn legs_of_a_call_are_one_message() {
    let leg = |src: &str, dst: &str, start: &str, answered: bool, sequence: u32| {
        let answer = if answered { format!("\"{start}\"") } else { String::new() };
        let disposition = if answered { "ANSWERED" } else { "NO ANSWER" };
        let talk = if answered { 30 } else { 0 };
        (
            "phone",
            format!(
                "\"\",\"{src}\",\"{dst}\",\"ctx\",\"\"\"\" <{src}>\",\"PJSIP/a-1\",\"PJSIP/b-1\",\"Dial\",\"x\",\"{start}\",{answer},\"{start}\",30,{talk},\"{disposition}\",\"DOCUMENTATION\",\"9.{sequence}\",\"\",\"\",\"9.1\",{sequence}\n"
            ),
        )
    };
    let missed = leg("0401234567", "+358942720000", "2026-03-10 11:00:00", false, 1);
    let internal = leg("200", "201", "2026-03-10 11:00:10", true, 2);
    let desk = Desk::open_with(|config| config.replace("own_numbers", "columns = [\"accountcode\",\"src\",\"dst\",\"dcontext\",\"clid\",\"channel\",\"dstchannel\",\"lastapp\",\"lastdata\",\"start\",\"answer\",\"end\",\"duration\",\"billsec\",\"disposition\",\"amaflags\",\"uniqueid\",\"userfield\",\"peeraccount\",\"linkedid\",\"sequence\"]\nown_numbers")).await;
    for (minute, (channel, line)) in [&internal, &missed, &internal].into_iter().enumerate() {
        desk.take(channel, &format!("2026-03-10T12:0{minute}:00Z"), line.clone()).await;
    }
    assert_eq!(desk.tally().await, (1, 1, 0));
    assert_eq!(desk.count("SELECT count(*) FROM message").await, 1);
    assert_eq!(desk.count("SELECT jsonb_array_length(call->'legs')::bigint FROM message").await, 2);
    assert_eq!(
        desk.count("SELECT count(*) FROM message WHERE call->>'outcome' = 'answered' AND ticket_id IS NOT NULL").await,
        1
    );
    assert_eq!(
        desk.count("SELECT count(*) FROM message WHERE 'call_back' = ANY(marks)").await,
        0,
        "a colleague took it"
    );
}

#[tokio::test]
async fn automatic_mail_opens_nothing_and_reaches_its_ticket() {
    let first = letter("a@x", MINNA, PASS, "", "Paketti on rikki.");
    let vacation =
        letter("b@x", MINNA, PASS, "In-Reply-To: <a@x>\r\nAuto-Submitted: auto-replied\r\n", "Olen lomalla.");
    let stray = letter("c@x", "Kaisa <k@posti.example>", PASS, "Auto-Submitted: auto-replied\r\n", "Olen lomalla.");
    let desk = check("vacation", &[first, vacation, stray], 2, 1).await;
    assert_eq!(desk.count("SELECT count(*) FROM message WHERE ticket_id IS NOT NULL").await, 2);
}

/// What mail programs say of a mail of the desk's is on its ticket, and a closed one stays closed by it.
#[tokio::test]
async fn reports_and_absences_are_on_the_ticket_of_their_mail_and_open_nothing() {
    let posted = |id: &str, from: &str, time: &str, results: &str, headers: &str, text: &str| {
        mail(id, from, &format!("Tue, 10 Mar 2026 {time}:00 +0000"), results, headers, "Asia", text)
    };
    let report = |id: &str, time: &str, kind: &str, part: &str| {
        let text = format!(
            "--b\r\n\r\nA report.\r\n--b\r\nContent-Type: message/{kind}\r\n\r\n{part}\r\n--b\r\n\
             Content-Type: message/rfc822\r\n\r\nMessage-ID: <out@x>\r\nSubject: Asia\r\n\r\nHei\r\n--b--"
        );
        let plain = posted(id, "MAILER-DAEMON@mx.example", time, NONE, "", &text);
        let multipart = format!("multipart/report; report-type={kind}; boundary=b");
        plain.replace("text/plain; charset=utf-8", &multipart)
    };
    let failed = "Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; minna@posti.example\r\nAction: failed\r\nStatus: 5.1.1\r\n";
    let abuse = "Feedback-Type: abuse\r\nUser-Agent: x/1\r\nVersion: 1\r\n";
    let away = "In-Reply-To: <out@x>\r\nAuto-Submitted: auto-replied\r\n";
    let own = "dmarc=pass header.from=kauppa.example";
    let answer =
        posted("out@x", "Anna <anna@kauppa.example>", "12:01", own, "In-Reply-To: <a@x>\r\n", "Uusi on matkalla.");
    let answer = answer.replace("To: asiakaspalvelu@kauppa.example", "To: minna@posti.example");
    let desk = Desk::open().await;
    desk.take("mail", "2026-03-10T12:00:00Z", posted("a@x", MINNA, "12:00", PASS, "", "Paketti on rikki.")).await;
    desk.take("mail", "2026-03-10T12:01:00Z", answer).await;
    assert_eq!(desk.tally().await, (1, 1, 0));
    assert_eq!(desk.count("SELECT count(*) FROM message WHERE direction = 'from_agent'").await, 1, "it is an agent's");
    let close = "UPDATE ticket SET state = 'closed', closed_at = '2026-03-10T12:02:00Z'";
    sqlx::query(close).execute(&desk.store.pool).await.expect("closed");
    let automatic = [
        report("r1@x", "12:03", "delivery-status", failed),
        report("r2@x", "12:04", "feedback-report", abuse),
        posted("r3@x", MINNA, "12:05", PASS, away, "Olen lomalla."),
        posted("r4@x", MINNA, "12:06", NONE, away, "Olen lomalla."),
    ];
    for (minute, body) in (3..).zip(automatic) {
        desk.take("mail", &format!("2026-03-10T12:{minute:02}:00Z"), body).await;
        let on_it = desk.count("SELECT count(*) FROM message WHERE ticket_id IS NOT NULL AND auto IS NOT NULL").await;
        let closed = desk.count("SELECT count(*) FROM ticket WHERE state = 'closed'").await;
        assert_eq!((on_it, closed, desk.tally().await.1), (minute - 2, 1, 1), "{minute}");
    }
    let takes_part = desk.count("SELECT count(*) FROM ticket_participant").await;
    assert_eq!(takes_part, 1, "no mail program takes part");
    let answer = posted("b@x", MINNA, "12:09", PASS, "In-Reply-To: <out@x>\r\n", "Paketti ei tullut vieläkään.");
    desk.take("mail", "2026-03-10T12:09:00Z", answer).await;
    assert_eq!(desk.count("SELECT count(*) FROM ticket WHERE state = 'open'").await, 1, "a person's answer opens it");
}

#[tokio::test]
async fn two_matters_of_one_contact_are_two_tickets_and_a_tie_is_no_guess() {
    let one = letter("a@x", MINNA, PASS, "", "Tilaus 40012345 on rikki.");
    let two = letter("b@x", MINNA, PASS, "", "Tilaus 40099999 puuttuu kokonaan.");
    let which = letter("c@x", MINNA, PASS, "", "Milloin saan vastauksen?");
    check("two numbers", &[one.clone(), two.clone()], 1, 2).await;
    let desk = check("a tie", &[one, two, which], 1, 3).await;
    assert_eq!(desk.count("SELECT count(*) FROM suggestion WHERE target_kind = 'ticket'").await, 2);
}

#[tokio::test]
async fn one_bad_delivery_stops_nothing() {
    let desk = Desk::open().await;
    desk.deliver("facebook", "2026-03-10T12:00:00Z", "{\"object\":").await;
    desk.deliver("phone", "2026-03-10T12:00:00Z", "\"half a li").await;
    desk.deliver("mail", "2026-03-10T12:00:00Z", "").await;
    desk.deliver("facebook", "2026-03-10T12:00:01Z", chat("m1", "P1", "Hei, missä paketti?").1).await;
    desk.decide().await;
    assert_eq!(desk.tally().await, (1, 1, 3));
    assert_eq!(desk.count("SELECT count(*) FROM raw_pending").await, 0);
    assert_eq!(
        desk.count("SELECT count(*) FROM quarantine WHERE raw_event IS NOT NULL").await,
        3,
        "whole, and in sight"
    );
}

#[tokio::test]
async fn two_daemons_on_one_database_make_no_contact_or_ticket_twice() {
    let desk = Desk::open().await;
    for n in 0..300 {
        let body = messenger(&format!("m{n}"), &format!("P{}", n % 7), "2026-03-10T11:00:00Z", "Hei, missä paketti?");
        desk.deliver("facebook", "2026-03-10T12:00:00Z", body).await;
    }
    let small = desk.ingest_of(10);
    let (one, two, three) = (small.clone(), small.clone(), small.clone());
    let (_keep, stop) = tokio::sync::watch::channel(false);
    tokio::join!(one.run(stop.clone(), true), two.run(stop.clone(), true), three.run(stop, true));
    desk.decide().await;
    assert_eq!(desk.tally().await, (7, 7, 0));
    assert_eq!(desk.count("SELECT count(*) FROM message").await, 300);
}

#[tokio::test]
async fn what_was_erased_is_not_taken_in_again() {
    let desk = Desk::open().await;
    let (channel, body) = chat("m1", "P1", "Hei, missä paketti?");
    desk.take(channel, "2026-03-10T12:00:00Z", body.clone()).await;
    // As an erasure does: the rows go, the keyed hash of the message's id stays.
    let erase = "WITH key AS (SELECT key_hash FROM ticket_reference WHERE kind = 'message')
        INSERT INTO tombstone SELECT key_hash, now() FROM key";
    for sql in [erase, "DELETE FROM message", "DELETE FROM ticket_reference", "DELETE FROM seen"] {
        sqlx::query(sql).execute(&desk.store.pool).await.expect(sql);
    }
    desk.take(channel, "2026-03-10T12:01:00Z", format!("{body} ")).await;
    assert_eq!(desk.count("SELECT count(*) FROM message").await, 0);
    assert_eq!(desk.count("SELECT count(*) FROM raw_pending").await, 0);
}

/// Erased deliveries of every size leave neither rows with their bytes nor files, however they come
/// again: as they were, in other bytes, by an import, by a replay.
#[tokio::test]
async fn erased_bytes_are_not_kept() {
    let erase = |desk: &Desk| {
        let pool = desk.store.pool.clone();
        async move {
            let keys = "INSERT INTO tombstone SELECT key_hash, now() FROM ticket_reference WHERE kind = 'message'";
            for sql in [keys, "DELETE FROM message", "DELETE FROM ticket_reference", "DELETE FROM raw_item"] {
                sqlx::query(sql).execute(&pool).await.expect(sql);
            }
        }
    };
    let kept =
        "SELECT count(*) FROM raw_event WHERE position('paketti'::bytea IN body) > 0 OR content_hash IS NOT NULL";
    let files = async |desk: &Desk| {
        // As the hourly look does with what was put long ago.
        desk.store.forget_unnamed(std::time::Duration::ZERO).await.expect("contents");
        let folders = std::fs::read_dir(desk.content_dir()).expect("the content store").flatten();
        let files =
            folders.filter(|folder| folder.file_name() != "incoming").filter_map(|f| std::fs::read_dir(f.path()).ok());
        files.flatten().count()
    };
    let small = letter("a@x", MINNA, PASS, "", "Missä paketti?");
    let large = (small.0, format!("{}{}", small.1, "x".repeat(300_000)));
    for (name, (channel, body)) in
        [("a mail", small), ("a large mail", large), ("a chat", chat("m1", "P1", "Missä paketti?"))]
    {
        let desk = Desk::open().await;
        let raw = desk.deliver(channel, "2026-03-10T12:00:00Z", body.clone()).await;
        desk.decide().await;
        assert_eq!(desk.count(kept).await, 1, "{name}: there, to begin with");
        erase(&desk).await;
        // By a replay: nothing new came, the delivery itself is read again.
        desk.store.put_back(&[raw], lanka::pure::domain::Timestamp::now()).await.expect("put back");
        desk.decide().await;
        assert_eq!(desk.count(kept).await, 0, "{name}: replayed");
        assert_eq!(files(&desk).await, 0, "{name}: replayed");
        desk.take(channel, "2026-03-10T12:01:00Z", body.clone()).await;
        assert_eq!((desk.count(kept).await, files(&desk).await), (0, 0), "{name}: the same bytes");
        desk.take(channel, "2026-03-10T12:02:00Z", format!("{body} ")).await;
        assert_eq!((desk.count(kept).await, files(&desk).await), (0, 0), "{name}: other bytes");
        let history = lanka::shell::store::raw_event::NewRawEvent {
            tenant: "main".to_owned(),
            channel: channel.to_owned(),
            kind: "any".to_owned(),
            received_at: crate::desk::at("2026-03-10T12:03:00Z"),
            trusted_at: None,
            origin: "history".to_owned(),
            body: lanka::shell::store::raw_event::RawBody::Bytes(format!("{body}  ").into()),
        };
        let quiet = lanka::shell::store::raw_event::Hearing::Quiet;
        desk.store.record_as(&[history], None, quiet).await.expect("recorded");
        desk.decide().await;
        assert_eq!((desk.count(kept).await, files(&desk).await), (0, 0), "{name}: imported");
        assert_eq!(desk.count("SELECT count(*) FROM message").await, 0, "{name}");
        assert_eq!(desk.count("SELECT count(*) FROM quarantine").await, 0, "{name}");
        assert_eq!(desk.count("SELECT count(*) FROM raw_pending").await, 0, "{name}");
        assert_eq!(desk.count("SELECT count(*) FROM raw_item WHERE source_key <> ''").await, 0, "{name}");
    }
}

#[tokio::test]
async fn a_delivery_whose_bytes_are_gone_stops_nothing() {
    let desk = Desk::open().await;
    let large = format!("{}{}", letter("a@x", MINNA, PASS, "", "Hei").1, "x".repeat(300_000));
    desk.deliver("mail", "2026-03-10T12:00:00Z", large).await;
    for entry in std::fs::read_dir(desk.content_dir()).expect("the content store").flatten() {
        std::fs::remove_dir_all(entry.path()).or_else(|_| std::fs::remove_file(entry.path())).expect("removed");
    }
    desk.take("facebook", "2026-03-10T12:00:01Z", chat("m1", "P1", "Hei, missä paketti?").1).await;
    assert_eq!(desk.tally().await, (1, 1, 1));
    assert_eq!(desk.count("SELECT count(*) FROM quarantine WHERE code = 'bytes_lost'").await, 1);
}

#[tokio::test]
async fn nobody_speaks_as_the_desk_by_its_address_alone() {
    let first = letter("a@x", MINNA, PASS, "", "Paketti on rikki.");
    let (genuine, forged) = ("dmarc=pass header.from=kauppa.example", "spf=none; dkim=none; dmarc=none");
    // The desk's own address, and an agent's.
    for from in ["Kauppa <asiakaspalvelu@kauppa.example>", "Anna <anna@kauppa.example>"] {
        let desk_says = |results: &str| {
            let mail = letter("r@kauppa.example", from, results, "In-Reply-To: <a@x>\r\n", "Maksakaa tänne.");
            (mail.0, mail.1.replace("To: asiakaspalvelu@kauppa.example", "To: minna@posti.example"))
        };
        for (results, tickets, of_agents) in [(forged, 2, 0), (genuine, 1, 1)] {
            let desk = check(&format!("{from}, {results}"), &[first.clone(), desk_says(results)], 1, tickets).await;
            let found = desk.count("SELECT count(*) FROM message WHERE direction = 'from_agent'").await;
            assert_eq!(found, of_agents, "{from}, {results}");
        }
    }
    let to_the_desk = letter("r@x", "Anna <anna@kauppa.example>", genuine, "", "Soittakaa Minnalle.");
    let desk = check("to the desk alone", &[to_the_desk], 0, 1).await;
    assert_eq!(desk.count("SELECT count(*) FROM message WHERE direction = 'from_agent'").await, 0);
}

#[tokio::test]
async fn what_a_visitors_window_says_of_itself_opens_nothing() {
    let desk = Desk::open().await;
    let event = |n: u32, kind: &str, visitor: &str| serde_json::json!({"event_id": n.to_string(), "type": kind, "visitor": {"id": visitor}, "sent_at": "2026-03-10T12:00:00Z"});
    let kinds = ["typing", "read", "presence", "session_start", "session_end"];
    let notices: Vec<_> = (0u32..).zip(kinds).map(|(n, kind)| event(n, kind, "v-1")).collect();
    desk.take("chat", "2026-03-10T12:00:01Z", serde_json::Value::from(notices).to_string()).await;
    assert_eq!(desk.tally().await, (0, 0, 0), "notices");
    desk.take("chat", "2026-03-10T12:00:02Z", r#"{"event_id":"bad"}"#).await;
    assert_eq!(desk.tally().await, (0, 0, 1), "nobody said it");
    assert_eq!(desk.count("SELECT count(*) FROM message").await, 0);
    desk.take("chat", "2026-03-10T12:00:03Z", event(9, "message", "v-2").to_string()).await;
    assert_eq!(desk.tally().await, (1, 1, 1), "an empty line of somebody");
    let low = "SELECT count(*) FROM ticket WHERE priority = 'low' AND kind = '{}'";
    assert_eq!(desk.count(low).await, 1, "opens a ticket of kind none");
}

#[tokio::test]
async fn many_matters_of_one_sender_cost_what_many_senders_do() {
    let items = |from: u32| {
        let item = |n: u32| {
            serde_json::json!({"event_id": format!("e{n}"), "type": "message", "visitor": {"id": "v-1"}, "sent_at": "2026-03-10T12:00:00Z",
                "text": format!("Tilaus 4{n:07}")})
        };
        serde_json::Value::from((from..from + 4000).map(item).collect::<Vec<_>>()).to_string()
    };
    let desk = Desk::open().await;
    let began = std::time::Instant::now();
    desk.take("chat", "2026-03-10T12:00:01Z", items(0)).await;
    println!("4,000 items: {:?}", began.elapsed());
    assert_eq!(desk.count("SELECT count(*) FROM message").await, 4000);
    assert_eq!(desk.count("SELECT count(*) FROM ticket").await, 4000, "each is a matter of its own");
}

/// A site that vouches for who is logged in: whoever gives another's id without that is shown as unverified, and
/// gets to no matter by naming its number.
#[tokio::test]
async fn a_visitor_who_is_not_vouched_for_gets_nowhere_by_a_number() {
    let vouching = "kind = \"webchat\"\nidentity_secret = { env = \"WHSEC\" }";
    let desk = Desk::open_with(|config| config.replace("kind = \"webchat\"", vouching)).await;
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
    mac.update(b"v-1");
    let vouched = hex::encode(mac.finalize().into_bytes());
    let by_number = "SELECT count(*) FROM decision WHERE reasons::text LIKE '%\"number\"%'";
    let unverified = "SELECT count(*) FROM message WHERE 'unverified' = ANY(marks)";
    for (minute, verified, text, expected) in [
        (0, vouched.as_str(), "Missä tilaukseni 40012345 on?", (0, 0)),
        (1, &vouched, "Uusi asia: tilaus 40054321 tuli rikki", (0, 0)),
        (2, "", "Peruuttakaa tilaus 40012345", (0, 1)),
        (3, "64219298", "Peruuttakaa tilaus 40012345", (0, 2)),
        (4, &vouched, "Missä se 40012345 viipyy?", (1, 2)),
    ] {
        let event = serde_json::json!({"event_id": format!("e{minute}"), "type": "message", "text": text,
            "conversation_id": format!("c{minute}"), "visitor": {"id": "v-1", "verified": verified},
            "sent_at": format!("2026-03-10T11:0{minute}:00Z")});
        desk.take("chat", &format!("2026-03-10T12:0{minute}:00Z"), event.to_string()).await;
        assert_eq!((desk.count(by_number).await, desk.count(unverified).await), expected, "{minute}: {text}");
    }
}
