//! People who change their number, groups, receipts: what the vendors' updates make of the desk's
//! database, through the real store. Each delivery stands at a minute of one day.

use crate::desk::{Desk, at, call, messenger};
use crate::endpoint::{Answer, Endpoint};
use serde_json::{Value, json};

const OLD: &str = "358401234567";
const NEW: &str = "358409999999";

/// A delivery of the business's account, at a minute of the day.
fn whatsapp(list: &str, element: Value) -> String {
    let value = json!({"metadata": {"display_phone_number": "358941234500"}, list: [element]});
    let change = json!({"field": "messages", "value": value});
    json!({"object": "whatsapp_business_account", "entry": [{"id": "WABA", "changes": [change]}]}).to_string()
}

fn minute(n: u32) -> String {
    format!("2026-03-10T{:02}:{:02}:00Z", 8 + n / 60, n % 60)
}

fn seconds(n: u32) -> String {
    at(&minute(n)).as_second().to_string()
}

/// Something said, by number and user id; either may be empty.
fn says(n: u32, number: &str, user: &str, text: &str) -> (u32, String) {
    let mut message =
        json!({"id": format!("wamid.{n}"), "timestamp": seconds(n), "type": "text", "text": {"body": text}});
    for (key, value) in [("from", number), ("from_user_id", user)].into_iter().filter(|(_, value)| !value.is_empty()) {
        message[key] = value.into();
    }
    (n, whatsapp("messages", message))
}

/// The platform's notice of a new number, and of the user ids where `users` says so.
fn moves(n: u32, from: &str, to: &str, users: Option<(&str, &str)>) -> (u32, String) {
    let mut system = json!({"type": "user_changed_number", "body": "User changed", "wa_id": to});
    if let Some((previous, current)) = users {
        system["previous_user_id"] = previous.into();
        system["user_id"] = current.into();
    }
    let notice =
        json!({"from": from, "id": format!("wamid.{n}"), "timestamp": seconds(n), "type": "system", "system": system});
    (n, whatsapp("messages", notice))
}

async fn take(desk: &Desk, deliveries: &[(u32, String)]) {
    for (n, body) in deliveries {
        desk.take("whatsapp", &minute(*n), body.clone()).await;
    }
}

/// Contacts in the order of their first message: the minutes of the messages that are theirs.
async fn people(desk: &Desk) -> Vec<Vec<u32>> {
    let rows: Vec<(uuid::Uuid, String)> = sqlx::query_as(
        "SELECT i.contact_id, m.source_key FROM message m JOIN identity i ON i.id = m.identity_id
         WHERE m.source_key LIKE 'wamid.%' ORDER BY m.occurred_at",
    )
    .fetch_all(&desk.store.pool)
    .await
    .expect("messages");
    let mut people: Vec<(uuid::Uuid, Vec<u32>)> = Vec::new();
    for (contact, key) in rows {
        let n = key.trim_start_matches("wamid.").parse().expect("a minute");
        match people.iter_mut().find(|(known, _)| *known == contact) {
            Some((_, messages)) => messages.push(n),
            None => people.push((contact, vec![n])),
        }
    }
    people.into_iter().map(|(_, messages)| messages).collect()
}

/// Whose each message is, and that it is the same however the deliveries are ordered.
async fn check(name: &str, deliveries: &[(u32, String)], expected: &[&[u32]], tickets: i64) {
    for order in orders(deliveries) {
        let minutes: Vec<u32> = order.iter().map(|(n, _)| *n).collect();
        let desk = Desk::open().await;
        // What comes late comes with its own time all the same.
        for (_, body) in &order {
            desk.take("whatsapp", &minute(600), body.clone()).await;
        }
        assert_eq!(people(&desk).await, expected, "{name}, {minutes:?}");
        let (_, found, faults) = desk.tally().await;
        assert_eq!((found, faults), (tickets, 0), "{name}, {minutes:?}: (tickets, faults)");
    }
}

/// All orders of at most four deliveries, and the one given of more.
fn orders(deliveries: &[(u32, String)]) -> Vec<Vec<(u32, String)>> {
    if deliveries.len() > 4 {
        return vec![deliveries.to_vec()];
    }
    if deliveries.len() <= 1 {
        return vec![deliveries.to_vec()];
    }
    let mut all = Vec::new();
    for n in 0..deliveries.len() {
        let mut rest = deliveries.to_vec();
        let first = rest.remove(n);
        all.extend(orders(&rest).into_iter().map(|order| [vec![first.clone()], order].concat()));
    }
    all
}

#[tokio::test]
async fn a_new_number_is_the_same_person() {
    let users = Some(("FI.1", "FI.2"));
    let table: Vec<(&str, Vec<(u32, String)>, &[&[u32]])> = vec![
        (
            "by number alone",
            vec![says(1, OLD, "", "Hei"), moves(2, OLD, NEW, None), says(3, NEW, "", "Minä taas")],
            &[&[1, 3]],
        ),
        (
            "by both ids",
            vec![says(1, OLD, "FI.1", "Hei"), moves(2, OLD, NEW, users), says(3, NEW, "FI.2", "Minä taas")],
            &[&[1, 3]],
        ),
        (
            "the number is hidden afterwards",
            vec![says(1, OLD, "FI.1", "Hei"), moves(2, OLD, NEW, users), says(3, "", "FI.2", "Minä")],
            &[&[1, 3]],
        ),
        (
            "only the old id was known",
            vec![says(1, "", "FI.1", "Hei"), moves(2, OLD, NEW, users), says(3, NEW, "", "Minä taas")],
            &[&[1, 3]],
        ),
        (
            "twice in a row",
            vec![
                says(1, OLD, "", "Hei"),
                moves(2, OLD, NEW, None),
                moves(3, NEW, "358405550001", None),
                says(4, "358405550001", "", "Taas"),
            ],
            &[&[1, 4]],
        ),
    ];
    for (name, deliveries, expected) in table {
        check(name, &deliveries, expected, 1).await;
    }
}

#[tokio::test]
async fn whoever_writes_from_the_old_number_later_is_somebody_else() {
    let users = Some(("FI.1", "FI.2"));
    let table: Vec<(&str, Vec<(u32, String)>, &[&[u32]], i64)> = vec![
        (
            "the next owner",
            vec![says(1, OLD, "", "Hei"), moves(2, OLD, NEW, None), says(9, OLD, "", "Kuka siellä?")],
            &[&[1], &[9]],
            2,
        ),
        (
            "the next owner has an id",
            vec![
                says(1, OLD, "FI.1", "Hei"),
                moves(2, OLD, NEW, users),
                says(9, OLD, "FI.77", "Kuka?"),
                says(10, NEW, "FI.2", "Minä"),
            ],
            &[&[1, 10], &[9]],
            2,
        ),
        (
            "nobody had written before",
            vec![moves(2, OLD, NEW, None), says(3, NEW, "", "Minä"), says(9, OLD, "", "Kuka siellä?")],
            &[&[3], &[9]],
            2,
        ),
    ];
    for (name, deliveries, expected, tickets) in table {
        // The next owner cannot write before the notice: an operator keeps a number for weeks.
        let desk = Desk::open().await;
        take(&desk, &deliveries).await;
        assert_eq!(people(&desk).await, expected, "{name}");
        assert_eq!(desk.tally().await.1, tickets, "{name}: tickets");
    }
}

#[tokio::test]
async fn the_old_number_proves_nothing_any_more() {
    let desk = Desk::open().await;
    take(&desk, &[says(1, OLD, "", "Hei"), moves(2, OLD, NEW, None)]).await;
    // A call from it is the next owner's as well, over another channel.
    desk.take("phone", &minute(30), call("0401234567", &minute(29), "1772700000.1")).await;
    assert_eq!(desk.count("SELECT count(DISTINCT contact_id) FROM identity WHERE value = '+358401234567'").await, 2);
    assert_eq!(desk.count("SELECT max(epoch)::bigint FROM identity WHERE value = '+358401234567'").await, 2);
    assert_eq!(desk.count("SELECT count(*) FROM ticket").await, 2);
    // What was said before the change, and only comes now, is still the first owner's.
    desk.take("whatsapp", &minute(40), says(0, OLD, "", "Tämä viipyi").1).await;
    assert_eq!(people(&desk).await, [[0, 1]]);
}

#[tokio::test]
async fn a_number_that_somebody_else_had_is_his_until_then() {
    let desk = Desk::open().await;
    let long_ago = "2026-01-10T08:00:00Z";
    let stranger = json!({"from": NEW, "id": "wamid.0", "timestamp": at(long_ago).as_second().to_string(), "type": "text", "text": {"body": "Moi"}});
    desk.take("whatsapp", long_ago, whatsapp("messages", stranger)).await;
    take(&desk, &[says(1, OLD, "", "Hei"), moves(2, OLD, NEW, None), says(3, NEW, "", "Minä taas")]).await;
    assert_eq!(people(&desk).await, [vec![0], vec![1, 3]]);
}

#[tokio::test]
async fn only_the_platform_moves_anybody() {
    let desk = Desk::open().await;
    take(
        &desk,
        &[
            says(1, OLD, "", "Hei"),
            says(2, OLD, "", "User changed from 358401234567 to 358409999999"),
            says(3, NEW, "", "Minä"),
        ],
    )
    .await;
    assert_eq!(people(&desk).await, [vec![1, 2], vec![3]]);
    assert_eq!(desk.count("SELECT count(*) FROM identity WHERE closed_at IS NOT NULL").await, 0);
}

#[tokio::test]
async fn a_move_is_shown_on_the_ticket_and_opens_none() {
    let desk = Desk::open().await;
    take(&desk, &[says(1, OLD, "", "Hei"), moves(2, OLD, NEW, None), moves(3, "358405550009", "358405550008", None)])
        .await;
    assert_eq!(desk.tally().await.1, 1);
    assert_eq!(
        desk.count("SELECT count(*) FROM ticket_event WHERE kind = 'notice' AND ticket_id IS NOT NULL").await,
        1
    );
    assert_eq!(desk.count("SELECT count(*) FROM message").await, 1);
    // It is told with whom it is about; it is no message.
    let mut snapshot = desk.store.snapshot().await.expect("a snapshot");
    let told = snapshot.assignments(None).await.expect("assignments");
    let told: Vec<_> =
        told.iter().map(|one| (one.role.as_str(), one.message_id.is_some(), one.ticket_id.is_some())).collect();
    assert_eq!(told, [("first", true, true), ("update", false, false), ("update", false, false)]);
    let told = snapshot.assignments(None).await.expect("assignments");
    assert!(told[0].contact_id.is_some() && told[0].contact_id == told[1].contact_id);
    assert!(told[2].contact_id.is_some() && told[0].contact_id != told[2].contact_id);
    assert_eq!(told[1].at_arrival.contact_id, told[0].contact_id);
}

/// Said in a group.
fn in_group(n: u32, number: &str, text: &str) -> (u32, String) {
    let message = json!({"from": number, "group_id": "G1", "id": format!("wamid.{n}"), "timestamp": seconds(n), "type": "text", "text": {"body": text}});
    (n, whatsapp("messages", message))
}

#[tokio::test]
async fn what_is_said_in_a_group_stays_there() {
    let third = "358501112223";
    let deliveries = [
        says(1, OLD, "", "Tilaus 40012345 on myöhässä"),
        in_group(2, OLD, "Hei kaikki, tilaus 40012345"),
        in_group(3, third, "Hei vaan"),
        says(4, OLD, "", "Onko uutta tilauksesta 40012345?"),
        says(5, third, "", "Minulla on oma asia"),
        in_group(6, third, "Kiitos"),
    ];
    let desk = Desk::open().await;
    take(&desk, &deliveries).await;
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT string_agg(split_part(source_key, '.', 2), ',' ORDER BY occurred_at) FROM message GROUP BY ticket_id ORDER BY min(occurred_at)",
    )
    .fetch_all(&desk.store.pool)
    .await
    .expect("tickets");
    assert_eq!(rows.iter().map(|(list,)| list.as_str()).collect::<Vec<_>>(), ["1,4", "2,3,6", "5"]);
    assert_eq!(desk.count("SELECT count(*) FROM ticket_participant WHERE entitled_by = 'group'").await, 1);
}

/// A receipt for message 1 of the business.
fn receipt(n: u32, state: &str) -> (u32, String) {
    let mut status = json!({"id": "wamid.1", "status": state, "timestamp": seconds(n), "recipient_id": OLD});
    if state == "failed" {
        status["errors"] =
            json!([{"code": 131026, "title": "Message undeliverable", "error_data": {"details": "Old telephone"}}]);
    }
    (n, whatsapp("statuses", status))
}

#[tokio::test]
async fn receipts_count_as_the_greatest_of_them() {
    let table: [(&[&str], &str, Option<&str>); 7] = [
        (&["sent", "delivered", "read"], "read", None),
        (&["read", "delivered", "sent"], "read", None),
        (&["delivered", "played", "read"], "played", None),
        (&["sent", "failed"], "failed", Some("131026 Message undeliverable: Old telephone")),
        (&["failed", "sent"], "failed", Some("131026 Message undeliverable: Old telephone")),
        (&["failed", "delivered"], "delivered", None),
        (&["sent", "deleted"], "sent", None),
    ];
    for (states, expected, why) in table {
        let echo = json!({"from": "358941234500", "to": OLD, "id": "wamid.1", "timestamp": seconds(1), "type": "text", "text": {"body": "Hei"}});
        let desk = Desk::open().await;
        let receipts: Vec<_> = (2..).zip(states).map(|(n, state)| receipt(n, state)).collect();
        let (first, last) = receipts.split_at(1);
        // The first receipt is here before what it is about, the others come with it or after it.
        take(&desk, first).await;
        desk.deliver("whatsapp", &minute(20), whatsapp("message_echoes", echo)).await;
        take(&desk, last).await;
        let found: (Option<String>, Option<String>) = sqlx::query_as("SELECT progress, progress_why FROM message")
            .fetch_one(&desk.store.pool)
            .await
            .expect("one");
        assert_eq!((found.0.as_deref(), found.1.as_deref()), (Some(expected), why), "{states:?}");
    }
}

#[tokio::test]
async fn a_receipt_until_an_instant_is_for_all_that_was_sent_before() {
    let event = |kind: &str, n: u32, body: Value| {
        let (sender, recipient) = if kind == "message" { ("PAGE", "P1") } else { ("P1", "PAGE") };
        let ms = at(&minute(n)).as_millisecond();
        json!({"object": "page", "entry": [{"id": "PAGE", "time": ms, "messaging": [{
            "sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": ms, kind: body}]}]})
        .to_string()
    };
    let until = |n: u32| json!({"watermark": at(&minute(n)).as_millisecond()});
    let desk = Desk::open().await;
    desk.take("facebook", &minute(1), messenger("m0", "P1", &minute(1), "Hei")).await;
    for n in [2, 4, 6] {
        desk.take(
            "facebook",
            &minute(n),
            event("message", n, json!({"mid": format!("e{n}"), "text": "Hei hei", "is_echo": true})),
        )
        .await;
    }
    for (kind, n, watermark) in [("read", 7, 3), ("delivery", 8, 5)] {
        desk.take("facebook", &minute(n), event(kind, n, until(watermark))).await;
    }
    let found: Vec<(String, Option<String>)> =
        sqlx::query_as("SELECT source_key, progress FROM message ORDER BY occurred_at")
            .fetch_all(&desk.store.pool)
            .await
            .expect("messages");
    let found: Vec<_> = found.iter().map(|(key, progress)| (key.as_str(), progress.as_deref())).collect();
    assert_eq!(found, [("m0", None), ("e2", Some("read")), ("e4", Some("delivered")), ("e6", None)]);
}

#[tokio::test]
async fn a_file_of_the_history_comes_to_its_message() {
    let history = json!({"threads": [{"id": OLD, "messages": [
        {"from": OLD, "id": "wamid.1", "timestamp": seconds(1), "type": "media_placeholder", "history_context": {"status": "READ"}}]}]});
    let image = json!({"from": OLD, "id": "wamid.1", "timestamp": seconds(1), "type": "image",
        "image": {"id": "2423", "mime_type": "image/jpeg", "caption": "rikki"}});
    let desk = Desk::open().await;
    desk.take("whatsapp", &minute(5), whatsapp("history", history)).await;
    let file = whatsapp("messages", image).replace("\"field\":\"messages\"", "\"field\":\"history\"");
    desk.take("whatsapp", &minute(6), file).await;
    assert_eq!(desk.count("SELECT count(*) FROM message WHERE text = 'rikki'").await, 1);
    assert_eq!(desk.count("SELECT count(*) FROM attachment WHERE remote = '2423'").await, 1);
}

#[tokio::test]
async fn what_was_unsent_is_redacted_and_the_fact_is_kept() {
    let desk = Desk::open().await;
    desk.take("facebook", &minute(1), messenger("m1", "P1", &minute(1), "Salainen")).await;
    let gone = messenger("m1", "P1", &minute(2), "").replace("\"text\":\"\"", "\"is_deleted\":true");
    desk.take("facebook", &minute(2), gone).await;
    assert_eq!(desk.count("SELECT count(*) FROM message WHERE text = '' AND redacted_at IS NOT NULL").await, 1);
    assert_eq!(
        desk.count("SELECT count(*) FROM ticket_event WHERE kind = 'delete' AND ticket_id IS NOT NULL").await,
        1
    );
}

#[tokio::test]
async fn names_are_asked_of_the_vendor_once_and_kept() {
    let graph = Endpoint::start().await;
    let url = graph.url("");
    let desk = Desk::open_with(|config| {
        let asked = format!("kind = \"messenger\"\naccess_token = {{ env = \"SECRET\" }}\napi_url = \"{url}\"");
        config.replace("kind = \"messenger\"", &asked)
    })
    .await;
    for (n, person) in [(1, "P1"), (2, "P1"), (3, "P2")] {
        desk.take("facebook", &minute(n), messenger(&format!("m{n}"), person, &minute(n), "Hei")).await;
    }
    assert_eq!(desk.count("SELECT count(*) FROM profile WHERE state = 'pending'").await, 2);
    // One is busy first, the other does not tell; whoever writes by another channel is not asked about.
    desk.take("whatsapp", &minute(4), says(4, OLD, "", "Hei").1).await;
    graph.otherwise(Answer::Body(400, br#"{"error":{"code":4,"message":"limit"}}"#.to_vec()));
    let now = jiff::Timestamp::now();
    let profiles = desk.profiles();
    assert_eq!(profiles.once(now).await.expect("asked"), 2);
    assert_eq!(profiles.once(now).await.expect("asked"), 0, "not before it is due");
    let later = now + jiff::SignedDuration::from_secs(120);
    graph.answer([Answer::Body(200, r#"{"first_name":"Minna","last_name":"Virtanen","id":"1"}"#.into())]);
    graph.otherwise(Answer::Body(403, br#"{"error":{"code":230,"message":"no consent"}}"#.to_vec()));
    assert_eq!(profiles.once(later).await.expect("asked"), 2);
    assert_eq!(profiles.once(later + jiff::SignedDuration::from_hours(24)).await.expect("asked"), 0, "kept");
    assert_eq!(desk.count("SELECT count(*) FROM contact WHERE name = 'Minna Virtanen'").await, 1);
    assert_eq!(desk.count("SELECT count(*) FROM identity WHERE names = '{Minna Virtanen}'").await, 1);
    assert_eq!(desk.count("SELECT count(*) FROM profile WHERE state = 'done'").await, 2);
    let seen = graph.seen();
    assert_eq!(seen.len(), 4);
    for request in seen {
        assert_eq!(request.header("authorization"), Some("Bearer secret-of-the-test"));
        assert!(request.path.starts_with("/P1") || request.path.starts_with("/P2"), "{}", request.path);
    }
}
