//! The same through the real binary: what is printed, how it ends, what a replay leaves; and suggestions.

use super::*;
use crate::commands::Place;
use serde_json::{Value, json};
use std::process::Output;

const CHANNELS: &str = r#"
[matters]
order = { pattern = '\b4\d{7}\b', role = "secret" }

[channels.chat]
kind = "webchat"
secret = { env = "WHSEC" }

[channels.other]
kind = "webchat"
secret = { env = "WHSEC" }
tenant = "other"
"#;

/// A line of the web chat, as a recorded stream has it.
fn line(channel: &str, event: &str, visitor: &str, text: &str) -> String {
    let raw = json!({"event_id": event, "type": "message", "conversation_id": visitor, "visitor": {"id": visitor}, "text": text,
        "sent_at": "2026-03-02T10:00:00Z"});
    json!({"channel": channel, "received_at": "2026-03-02T10:00:01Z", "encoding": "utf-8", "raw": raw.to_string()})
        .to_string()
}

/// A desk with these lines taken in.
async fn place(lines: &[String]) -> Place {
    let place = Place::new().await;
    place.configure(CHANNELS);
    let events = place.write("events.jsonl", &format!("{}\n", lines.join("\n")));
    place.run(&["import", "--events", &events.display().to_string()]);
    place
}

/// The assignment of a message by the vendor's id.
fn assigned(place: &Place, key: &str) -> Value {
    let rows = place.rows(&["export", "assignments"]);
    rows.into_iter().find(|row| row["source_key"] == key).unwrap_or_else(|| panic!("no {key}"))
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn failed(place: &Place, arguments: &[&str]) -> String {
    let Output { status, stderr, stdout, .. } = place.command(arguments).output().expect("it starts");
    assert_eq!((status.code(), stdout.len()), (Some(1), 0), "lanka {arguments:?}");
    String::from_utf8(stderr).expect("UTF-8")
}

#[tokio::test]
async fn a_ticket_is_put_into_a_queue_and_waits_for_its_customer() {
    let place =
        place(&[line("chat", "m0", "v0", "Hei, laskusta."), line("chat", "m1", "v1", "Palautetta: hyvä palvelu.")])
            .await;
    let ticket = |key: &str| word(&assigned(&place, key)["ticket_id"]).to_owned();
    let (one, other) = (ticket("m0"), ticket("m1"));
    let shown = |ticket: &str| {
        let mut shown = place.rows(&["thread", "show", ticket]).remove(0)["ticket"].take();
        let is_awaited = shown["awaited_since"].is_string();
        (word(&shown["queue"]).to_owned(), word(&shown["queue_rule"].take()).to_owned(), is_awaited)
    };
    let stands = |queue: &str, rule: &str, is_awaited| (queue.to_owned(), rule.to_owned(), is_awaited);
    assert_eq!((shown(&one), shown(&other)), (stands("support", "", false), stands("feedback", "feedback", false)));
    assert!(failed(&place, &["thread", "route", &one, "feedbak"]).contains("did you mean \"feedback\"?"));
    assert!(failed(&place, &["thread", "route", "999", "feedback"]).contains("there is no ticket \"999\""));
    place.run(&["thread", "route", &one, "feedback"]);
    place.run(&["thread", "await", &one]);
    assert_eq!(shown(&one), stands("feedback", "", true));
    place.run(&["thread", "route", &one, "support"]);
    place.run(&["thread", "await", &one, "--over"]);
    assert_eq!(shown(&one), stands("support", "", false));
    let queues = place.rows(&["queue", "list"]);
    let counts = |key: &str| -> Vec<i64> { queues.iter().map(|line| line[key].as_i64().unwrap_or(-1)).collect() };
    let names: Vec<&str> = queues.iter().map(|line| word(&line["queue"])).collect();
    assert_eq!((names, counts("open"), counts("put")), (vec!["feedback", "support"], vec![1, 1], vec![0, 1]));
    assert_eq!(place.rows(&["thread", "list", "--queue", "feedback"]).len(), 1);
}

#[tokio::test]
async fn what_cannot_be_done_is_said_in_a_sentence() {
    let mut lines: Vec<String> =
        (0..13).map(|n| line("chat", &format!("m{n}"), &format!("v{n}"), "Hei, laskusta.")).collect();
    lines.push(line("other", "y", "w", "Hei, laskusta."));
    let place = place(&lines).await;
    let before = place.rows(&["export", "assignments"]);
    let (one, foreign) = (assigned(&place, "m0"), assigned(&place, "y"));
    let (contact, ticket, message) = (word(&one["contact_id"]), word(&one["ticket_id"]), word(&one["message_id"]));
    let nobody = "01a201b7-a736-7000-833c-6468fcfd2fe6";
    let table: &[(&[&str], &str)] = &[
        (&["contact", "show", "minna"], "there is no contact \"minna\""),
        (&["contact", "show", nobody], "there is no contact"),
        (&["contact", "link", contact, nobody], "there is no contact"),
        (&["contact", "link", contact, contact], "one contact already"),
        (&["contact", "link", contact, word(&foreign["contact_id"])], "nothing is joined across firms"),
        (&["contact", "unlink", contact, "mailto:a@posti.example"], "has no identity \"mailto:a@posti.example\""),
        (&["contact", "unlink", contact, "webchat:v0"], "nothing would stay"),
        (&["thread", "merge", ticket, ticket], "already"),
        (&["thread", "merge", ticket, "999"], "there is no ticket \"999\""),
        (&["thread", "merge", ticket, word(&foreign["ticket_id"])], "nothing is put together across firms"),
        (&["thread", "move", "nothing", "--to", ticket], "there is no message \"nothing\""),
        (&["thread", "move", message, "--to", ticket], "already"),
        (&["thread", "split", message], "by itself already"),
        (&["review", "accept", "17"], "there is no suggestion \"17\""),
        (&["review", "reject", nobody], "there is no suggestion"),
    ];
    for (arguments, expected) in table {
        let said = failed(&place, arguments);
        assert!(said.contains(expected), "lanka {arguments:?}: {said}");
    }
    assert_eq!(place.rows(&["export", "assignments"]), before, "nothing is done");
    for n in 1..12 {
        let other = assigned(&place, &format!("m{n}"));
        place.run(&["contact", "link", contact, word(&other["contact_id"])]);
    }
    let last = assigned(&place, "m12");
    let said = failed(&place, &["contact", "link", contact, word(&last["contact_id"])]);
    assert!(said.contains("13 identities") && said.contains("at most 12"), "{said}");
    let usage = place.command(&["contact", "link", contact, nobody, "--by", " "]).output().expect("it starts");
    assert_eq!(usage.status.code(), Some(2), "somebody must have done it");
}

#[tokio::test]
async fn what_is_done_is_printed_kept_and_stands_after_a_replay() {
    let place = place(&[
        line("chat", "a", "v1", "Tilaus 40012345 puuttuu."),
        line("chat", "b", "v2", "Tilaus 40077777 puuttuu."),
        line("chat", "c", "v1", "Onko uutta?"),
    ])
    .await;
    let (a, b) = (assigned(&place, "a"), assigned(&place, "b"));
    let (one, other) = (word(&a["contact_id"]), word(&b["contact_id"]));
    let linked = place.row(&["contact", "link", one, other, "--by", "anna", "--why", "she said so"]);
    assert_eq!((word(&linked["act"]), word(&linked["by"]), word(&linked["why"])), ("link", "anna", "she said so"));
    assert_eq!(linked["contacts"], json!([{"id": one, "identities": ["webchat:v1", "webchat:v2"]}]));
    let shown = place.row(&["contact", "show", other]);
    assert_eq!(shown["id"], a["contact_id"], "an id that was merged away");
    let acts: Vec<(&str, &str)> =
        shown["journal"].as_array().expect("rows").iter().map(|row| (word(&row["act"]), word(&row["by"]))).collect();
    assert_eq!(acts, [("link", "anna"), ("join", "lanka")]);
    assert_eq!(word(&shown["words"][0]["class"]), "agent_same");

    let text = place.run(&["thread", "merge", word(&b["ticket_id"]), "1", "--by", "anna", "--why", "one delivery"]);
    assert!(text.contains("merge by anna: one delivery") && text.contains("3 messages"), "{text}");
    let text = place.run(&["thread", "show", "2"]);
    assert!(text.contains("merge by anna: 1 message from") && text.contains("one delivery"), "{text}");
    let split = place.row(&["thread", "split", "c", "--by", "anna"]);
    assert_eq!(split["tickets"].as_array().map(Vec::len), Some(2), "{split}");

    let stands = place.rows(&["export", "assignments"]);
    let (contacts, threads) = (place.run(&["export", "contacts"]), place.run(&["export", "threads"]));
    place.run(&["replay"]);
    assert_eq!(place.rows(&["export", "assignments"]), stands);
    assert_eq!((place.run(&["export", "contacts"]), place.run(&["export", "threads"])), (contacts, threads));

    let text = place.run(&["contact", "unlink", one, "webchat:v2", "--by", "bea", "--why", "two sisters"]);
    assert!(text.contains("unlink by bea: two sisters") && text.contains(other), "{text}");
    let text = place.run(&["contact", "show", one]);
    for part in ["is one with", "withdrawn", "by bea: two sisters", "is not one with"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

async fn waiting(desk: &Desk, kind: &str) -> Vec<String> {
    let waiting = desk.store.suggestions(false, 100).await.expect("suggestions");
    waiting.into_iter().filter(|line| line.kind == kind).map(|line| line.id.to_string()).collect()
}

#[tokio::test]
async fn suggested_people_are_joined_or_kept_apart() {
    let two =
        || vec![facebook("f", "03-03 08:00", "P1", "Tilaus 40012345 puuttuu."), minna("a", "03-05 10:00", NUMBER)];
    let desk = played("a number without a name", &two(), "a | f", "a | f", &[]).await;
    let ids = waiting(&desk, "contact").await;
    assert_eq!(ids.len(), 1);
    desk.hands().accept(&ids[0], SAYING).await.expect("accepted");
    assert_eq!(end(&desk).await.0, "a f");
    settled(&desk, "accepted").await;
    let again = desk.hands().reject(&ids[0], SAYING).await.expect_err("answered");
    assert!(again.to_string().contains("is accepted by anna already"), "{again}");

    let desk = played("a number without a name", &two(), "a | f", "a | f", &[]).await;
    let ids = waiting(&desk, "contact").await;
    desk.hands().reject(&ids[0], SAYING).await.expect("rejected");
    let more = [
        minna("b", "03-06 10:00", "Tilaus 40099999 myös.\n\nMinna Virtanen"),
        facebook("g", "03-07 10:00", "P1", "Tilaus 40099999!\n\nT. Minna Virtanen"),
    ];
    play(&desk, &more.iter().collect::<Vec<_>>(), false).await;
    assert_eq!(end(&desk).await.0, sorted("a b | f g"));
    assert_eq!(waiting(&desk, "contact").await, Vec::<String>::new());
    let mut all = desk.store.suggestions(true, 100).await.expect("suggestions");
    all.retain(|line| line.kind == "contact");
    assert!(all.iter().all(|line| line.state == "rejected" && line.answered_by.as_deref() == Some("anna")), "{all:?}");
    settled(&desk, "rejected").await;
}

#[tokio::test]
async fn suggested_tickets_are_merged_or_kept_apart() {
    let story = vec![
        minna("a", "03-03 10:00", "Tilaus 40012345 puuttuu."),
        minna("b", "03-04 10:00", "Tilaus 40099999 puuttuu."),
        minna("c", "03-05 10:00", "Onko uutta?"),
    ];
    let desk = played("a tie", &story, "a b c", "a | b | c", &[]).await;
    let ids = waiting(&desk, "ticket").await;
    assert_eq!(ids.len(), 2, "either may be meant");
    let to = async |id: &str| {
        let all = desk.store.suggestions(true, 100).await.expect("suggestions");
        all.into_iter().find(|line| line.id.to_string() == id).and_then(|line| line.other.id).map(|id| id.to_string())
    };
    let first = of(&desk, "a", "m.ticket_id").await;
    let (mut to_first, mut to_second) = (&ids[0], &ids[1]);
    if to(to_first).await != Some(first) {
        (to_first, to_second) = (to_second, to_first);
    }
    desk.hands().reject(to_second, SAYING).await.expect("rejected");
    settled(&desk, "one rejected").await;
    assert_eq!(end(&desk).await.1, sorted("a | b | c"));
    desk.hands().accept(to_first, SAYING).await.expect("accepted");
    assert_eq!(end(&desk).await.1, sorted("a c | b"));
    settled(&desk, "one accepted").await;
}

#[tokio::test]
async fn what_is_suggested_is_told_once_and_never_of_what_was_kept_apart() {
    let two =
        || vec![facebook("f", "03-03 08:00", "P1", "Tilaus 40012345 puuttuu."), minna("a", "03-05 10:00", NUMBER)];
    let again = facebook("g", "03-05 11:00", "P1", "Siis tilaus 40012345, joko löytyi?");
    let once_more = facebook("h", "03-05 11:10", "P1", "Tilausta 40012345 tarkoitan.");
    let told = async |desk: &Desk| {
        let sql = "SELECT m.source_key FROM outbox o JOIN message m ON m.ticket_id = o.ticket_id AND m.source_key IN ('f', 'a@posti.example')
            WHERE o.change = 'suggestion.made' AND o.detail::text LIKE '%ticket%' ORDER BY 1";
        texts(desk, sql).await
    };
    for is_rejected in [false, true] {
        let desk = played("a number without a name", &two(), "a | f", "a | f", &[]).await;
        assert_eq!(told(&desk).await, ["a@posti.example"]);
        for id in waiting(&desk, "ticket").await.iter().filter(|_| is_rejected) {
            desk.hands().reject(id, SAYING).await.expect("rejected");
        }
        play(&desk, &[&again], false).await;
        play(&desk, &[&once_more], false).await;
        assert_eq!(end(&desk).await.1, sorted("a | f g h"));
        // Each of the two tickets hears of the other, once.
        let expected: &[&str] = if is_rejected { &["a@posti.example"] } else { &["a@posti.example", "f"] };
        assert_eq!(told(&desk).await, expected, "rejected: {is_rejected}");
    }
}
