//! People handed over whole, and erased for good: everything that the database and the content store hold is searched
//! for what was theirs, whatever comes again.

use crate::commands::Place;
use crate::desk::{Desk, call, chat, messenger};
use crate::late::{PEKKA, Said, anew, letter};
use lanka::pure::domain::Timestamp;
use lanka::pure::domain::id::RawEventId;
use lanka::shell::hands::Saying;
use lanka::shell::privacy::Privacy;
use lanka::shell::store::StoreError;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use std::time::Duration;

const SAYING: Saying<'static> = Saying { by: "anna", why: "asked for it" };

/// What is hers: no trace of it may be left.
const HERS: [&str; 11] = [
    "minna",
    "virtanen",
    "posti.example",
    "psid-hers",
    "m-hers",
    "40012345",
    "401234567",
    "keittiön lamppu",
    "lasku.pdf",
    "%pdf-hers",
    "v-hers",
];

fn mail(id: &str, text: &str) -> String {
    let date = "Thu, 05 Mar 2026 10:00:00 +0000";
    format!(
        "Received: from mail.sender.example (mail.sender.example [192.0.2.1])\r\n\tby mx.kauppa.example with ESMTPS id x1;\r\n\t{date}\r\n\
         Authentication-Results: mx.kauppa.example;\r\n\tdmarc=pass header.from=posti.example\r\nFrom: Minna Virtanen <minna@posti.example>\r\n\
         To: asiakaspalvelu@kauppa.example\r\nSubject: Keittiön lamppu\r\nDate: {date}\r\nMessage-ID: <{id}@posti.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n\
         --m\r\nContent-Type: application/pdf; name=\"lasku.pdf\"\r\nContent-Disposition: attachment; filename=\"lasku.pdf\"\r\n\r\n%PDF-hers\r\n--m--\r\n"
    )
}

/// A delivery of two customers' messages.
fn batch() -> String {
    let one = |psid: &str, mid: &str, text: &str| json!({"sender": {"id": psid}, "recipient": {"id": "PAGE"}, "timestamp": 1772700000000_i64, "message": {"mid": mid, "text": text}});
    json!({"object": "page", "entry": [{"id": "PAGE", "time": 1772700000000_i64, "messaging": [
        one("PSID-hers", "m-hers-2", "Keittiön lamppu vilkkuu taas, terveisin Minna."),
        one("PSID-his", "m-his", "Missä pakettini on?"),
    ]}]})
    .to_string()
}

/// Her mail, chat, call and batch; Pekka's mail, put on her ticket by hand; what an agent said of it.
fn deliveries() -> Vec<(&'static str, &'static str, String)> {
    let signed =
        "Keittiön lamppu on rikki. Tilausnumero 40012345.\r\n\r\nTerveisin\r\nMinna Virtanen\r\nPuh. 040 123 4567";
    let large = format!("Vielä: keittiön lamppu. {}", "Minna Virtanen odottaa. ".repeat(14_000));
    let Said { channel, at, body, .. } = letter("b", "03-06 11:00", PEKKA, "Tilaus 40099999 puuttuu.");
    let _ = at;
    vec![
        (
            "facebook",
            "2026-03-03T08:00:00Z",
            messenger(
                "m-hers-1",
                "PSID-hers",
                "2026-03-03T08:00:00Z",
                "Tilaus 40012345: keittiön lamppu?\n\nMinna Virtanen",
            ),
        ),
        ("mail", "2026-03-05T10:00:00Z", mail("a1", signed)),
        ("mail", "2026-03-05T11:00:00Z", mail("a2", &large)),
        ("phone", "2026-03-05T12:00:00Z", call("0401234567", "2026-03-05T12:00:00Z", "1772712000.1")),
        ("facebook", "2026-03-05T13:00:00Z", batch()),
        ("chat", "2026-03-05T14:00:00Z", chat("m-hers-3", "v-hers", "Onko keittiön lamppu tulossa?")),
        (channel, "2026-03-06T11:00:00Z", body),
    ]
}

struct Case {
    desk: Desk,
    privacy: Privacy,
    raw: Vec<RawEventId>,
}

impl Case {
    async fn open() -> Self {
        let desk = Desk::open().await;
        let mut raw = Vec::new();
        for (channel, at, body) in deliveries() {
            raw.push(desk.deliver(channel, at, body).await);
            desk.decide().await;
        }
        let privacy = Privacy::new(desk.store.clone(), desk.ingest.registry());
        let case = Self { desk, privacy, raw };
        // One person, whatever the evidence carried, and his mail on her ticket.
        let ids = case.texts("SELECT DISTINCT i.contact_id::text FROM identity i WHERE value IN ('minna@posti.example', 'PSID-hers', '+358401234567', 'v-hers')").await;
        for other in &ids[1..] {
            case.desk.hands().link(&ids[0], other, SAYING).await.expect("linked");
        }
        let messages = case.texts("SELECT id::text FROM message WHERE source_key = 'b@kirje.example'").await;
        let ticket = case.of("a1@posti.example", "ticket_id").await;
        case.desk
            .hands()
            .move_to(&messages, &ticket, Saying { by: "anna", why: "Minna Virtanen said so" })
            .await
            .expect("moved");
        case
    }

    async fn texts(&self, sql: &str) -> Vec<String> {
        let rows = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(&self.desk.store.pool).await;
        rows.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    async fn of(&self, key: &str, column: &str) -> String {
        let sql = format!(
            "SELECT {column}::text FROM message m LEFT JOIN identity i ON i.id = m.identity_id WHERE source_key = '{key}'"
        );
        self.texts(&sql).await.pop().unwrap_or_else(|| panic!("there is no {key}"))
    }

    async fn hers(&self) -> String {
        self.of("a1@posti.example", "i.contact_id").await
    }

    /// Where what is hers is found: in each row of every table, in the bytes of deliveries, in files.
    async fn traces(&self) -> Vec<String> {
        self.desk.store.forget_unnamed(Duration::ZERO).await.expect("contents");
        let tables = self
            .texts(
                "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> '_sqlx_migrations'",
            )
            .await;
        assert!(tables.len() > 30, "{tables:?}");
        let mut all = Vec::new();
        for table in tables {
            for row in self.texts(&format!("SELECT to_jsonb(t)::text FROM {table} t")).await {
                all.push((table.clone(), row));
            }
        }
        for body in sqlx::query_scalar::<_, Vec<u8>>("SELECT body FROM raw_event WHERE body IS NOT NULL")
            .fetch_all(&self.desk.store.pool)
            .await
            .expect("bodies")
        {
            let text = String::from_utf8_lossy(&body).into_owned();
            // JSON escapes what is not ASCII.
            let text = serde_json::from_str::<Value>(&text).map_or(text, |value| value.to_string());
            all.push(("the bytes of a delivery".to_owned(), text));
        }
        for file in files_under(&self.desk.content_dir()) {
            all.push((
                file.display().to_string(),
                String::from_utf8_lossy(&std::fs::read(&file).expect("a file")).into_owned(),
            ));
        }
        let mut traces = Vec::new();
        for (place, text) in all {
            let text = text.to_lowercase();
            let terms = HERS.iter().filter(|term| text.contains(*term));
            traces.extend(terms.map(|term| format!("{place}: {term} in {text:.600}")));
        }
        traces
    }

    async fn erase(&self, id: &str) -> lanka::shell::privacy::Erased {
        self.privacy.erase(None, id, SAYING).await.unwrap_or_else(|error| panic!("{error}"))
    }

    async fn is_clean(&self, when: &str) {
        let traces = self.traces().await;
        assert!(traces.is_empty(), "{when}:\n{}", traces.join("\n"));
        let orphans = "SELECT count(*) FROM erasing";
        assert_eq!(self.desk.count(orphans).await, 0, "{when}");
    }
}

fn files_under(path: &std::path::Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
    let entries = entries.map(|entry| entry.expect("an entry").path());
    entries.flat_map(|entry| if entry.is_dir() { files_under(&entry) } else { vec![entry] }).collect()
}

#[tokio::test]
async fn erased_stays_erased() {
    let case = Case::open().await;
    let (hers, desk) = (case.hers().await, &case.desk);
    assert!(case.traces().await.len() > 20, "there is much to begin with");
    let (messages, tickets) =
        (desk.count("SELECT count(*) FROM message").await, desk.count("SELECT count(*) FROM ticket").await);
    let ticket = case.of("b@kirje.example", "ticket_id").await;
    let told = "SELECT count(*) FROM outbox WHERE change = 'contact.erased'";
    let erased = case.erase(&hers).await;
    assert_eq!((erased.messages, erased.already, erased.left.len()), (6, false, 0), "{erased:?}");
    case.is_clean("erased").await;
    assert!(desk.count(told).await >= 1, "mirrors are told");
    let gaps = "SELECT count(*) FROM (SELECT max(sequence) - count(*) AS gap FROM outbox GROUP BY mirror, ticket_id) l WHERE gap <> 0";
    assert_eq!(desk.count(gaps).await, 0, "lanes have no gap");
    let counts = (desk.count("SELECT count(*) FROM message").await, desk.count("SELECT count(*) FROM ticket").await);
    assert_eq!(counts, (messages, tickets), "threads keep their order");
    let others = case.texts("SELECT text FROM message WHERE redacted_at IS NULL ORDER BY text").await;
    assert_eq!(
        others.iter().map(|text| text.trim()).collect::<Vec<_>>(),
        ["Missä pakettini on?", "Tilaus 40099999 puuttuu."]
    );
    assert_eq!(case.of("b@kirje.example", "ticket_id").await, ticket, "what others said stays where it is");
    assert!(desk.hands().link(&hers, &hers, SAYING).await.is_err(), "her id leads to nobody");

    // All that was delivered, again: as it was, in other bytes, as history, and what is about it.
    for (channel, at, body) in deliveries() {
        desk.take(channel, at, body.clone()).await;
        desk.take(channel, at, format!("{body} ")).await;
        desk.deliver_quietly(channel, format!("{body}  ")).await;
        desk.decide().await;
    }
    case.is_clean("delivered again").await;
    let about = |what: Value| {
        let mut messaging =
            json!({"sender": {"id": "PSID-hers"}, "recipient": {"id": "PAGE"}, "timestamp": 1772700001000_i64});
        messaging.as_object_mut().expect("an object").extend(what.as_object().expect("an object").clone());
        json!({"object": "page", "entry": [{"id": "PAGE", "time": 1, "messaging": [messaging]}]}).to_string()
    };
    for what in [
        json!({"message_edit": {"mid": "m-hers-1", "text": "Keittiön lamppu, Minna Virtanen", "num_edit": 1}}),
        json!({"reaction": {"mid": "m-hers-1", "action": "react", "emoji": "x", "reaction": "other"}}),
    ] {
        desk.take("facebook", "2026-03-07T10:00:00Z", about(what)).await;
    }
    case.is_clean("told about").await;
    let all = case.texts("SELECT id::text FROM raw_event").await;
    let all: Vec<RawEventId> = all.iter().map(|id| id.parse().expect("an id")).collect();
    assert!(all.len() > case.raw.len());
    desk.store.put_back(&all, Timestamp::now()).await.expect("put back");
    desk.decide().await;
    case.is_clean("replayed").await;
    anew(desk).await;
    case.is_clean("decided anew").await;
    assert_eq!(case.of("b@kirje.example", "ticket_id").await, ticket, "and stays there");
    assert_eq!(desk.count("SELECT count(*) FROM message WHERE source_key <> ''").await, 2, "nothing was taken in");
    assert_eq!(desk.count("SELECT count(*) FROM quarantine").await, 0);
    assert!(case.erase(&hers).await.already);

    // The other one of the batch is there, and can be read again.
    assert!(
        case.texts("SELECT encode(body, 'escape') FROM raw_event WHERE body IS NOT NULL")
            .await
            .iter()
            .any(|body| body.contains("m-his"))
    );

    // She herself may come back: as a stranger.
    desk.take("mail", "2026-03-20T10:00:00Z", mail("a9", "Hei taas.")).await;
    assert_ne!(case.of("a9@posti.example", "i.contact_id").await, hers);
}

#[tokio::test]
async fn what_is_cut_off_is_finished() {
    for is_daemon in [false, true] {
        let case = Case::open().await;
        let hers = case.hers().await;
        let person = case.privacy.find(None, &hers).await.expect("she is there");
        let registry = case.desk.ingest.registry();
        let keyer = &registry.tenants["main"].keyer;
        // The first step only: the process ends.
        case.desk.store.erase(&person, &[], SAYING, (keyer, &[]), Timestamp::now()).await.expect("begun");
        assert!(case.desk.count("SELECT count(*) FROM erasing").await > 0);
        assert!(!case.traces().await.is_empty(), "her deliveries are there still");
        if is_daemon {
            let (_keep, stop) = tokio::sync::watch::channel(false);
            tokio::spawn(case.privacy.clone().keep_up(stop));
            crate::support::eventually("a daemon finishes it", async || {
                (case.desk.count("SELECT count(*) FROM erasing").await == 0).then_some(())
            })
            .await;
        } else {
            let again = case.erase(&hers).await;
            assert_eq!((again.already, again.left.len()), (true, 0));
            assert!(again.deliveries > 0);
        }
        case.is_clean("finished").await;
        assert_eq!(case.erase(&hers).await.deliveries, 0, "and again nothing is left to do");
    }
}

/// What could not be read, and names her, goes; where others are beside her, somebody must look.
#[tokio::test]
async fn unread_deliveries_that_name_her_go() {
    let case = Case::open().await;
    let hers = case.hers().await;
    case.desk
        .take("facebook", "2026-03-07T10:00:00Z", "{\"object\": \"page\", \"entry\": \"PSID-hers, m-hers-1\"")
        .await;
    let odd = json!({"sender": {"id": "PSID-hers"}, "nothing": "Minna Virtanen"});
    let mut mixed: Value = serde_json::from_str(&batch()).expect("JSON");
    let messaging = mixed["entry"][0]["messaging"].as_array_mut().expect("a list");
    messaging[0] = odd;
    messaging[1]["message"]["mid"] = json!("m-his-2");
    case.desk.take("facebook", "2026-03-07T11:00:00Z", mixed.to_string()).await;
    let waiting = "SELECT count(*) FROM quarantine WHERE state = 'waiting'";
    let before = case.desk.count(waiting).await;
    assert!(before >= 1, "one at least cannot be read");
    let erased = case.erase(&hers).await;
    let left: Vec<String> = erased.left.iter().map(|left| left.raw_event.to_string()).collect();
    assert!(case.desk.count(waiting).await < before);
    println!(
        "{:#?}",
        case.texts("SELECT to_jsonb(q)::text FROM quarantine q UNION ALL SELECT to_jsonb(i)::text FROM raw_item i")
            .await
    );
    let bodies = case.texts("SELECT id::text FROM raw_event WHERE position('PSID-hers'::bytea IN body) > 0").await;
    assert_eq!(bodies, left, "what is left is told");
}

#[tokio::test]
async fn what_is_handed_over_is_whole_and_nobody_elses() {
    let case = Case::open().await;
    let person = case.privacy.find(None, &case.hers().await).await.expect("she is there");
    let mut rows: Vec<(String, String)> = Vec::new();
    let each = |what: &'static str, row: Value| {
        rows.push((what.to_owned(), row.to_string().to_lowercase()));
        Ok::<(), StoreError>(())
    };
    case.privacy.held(&person, each).await.expect("held");
    let all: String = rows.iter().map(|(_, row)| row.as_str()).collect::<Vec<_>>().join("\n");
    for term in HERS.iter().filter(|term| **term != "%pdf-hers") {
        assert!(all.contains(term), "{term} is hers");
    }
    for term in ["pekka", "kirje.example", "40099999", "psid-his", "pakettini"] {
        assert!(!all.contains(term), "{term} is not hers");
    }
    for what in [
        "contact",
        "identity",
        "fact",
        "message",
        "attachment",
        "decision",
        "ticket",
        "delivered_item",
        "delivery",
        "file",
        "outbox",
        "contact_link",
    ] {
        assert!(rows.iter().any(|(name, _)| name == what), "{what} is handed over");
    }
    let count = |what: &str| rows.iter().filter(|(name, _)| name == what).count();
    assert_eq!((count("message"), count("delivery"), count("identity")), (6, 6, 4));
}

#[tokio::test]
async fn the_command_line_hands_over_and_erases() {
    let place = Place::new().await;
    let file = place.write("a.eml", &mail("a1", "Keittiön lamppu on rikki."));
    place.run(&["import", "--channel", "mail", &file.display().to_string()]);
    let contact = place.row(&["export", "contacts"]);
    let id = contact["id"].as_str().expect("an id");
    let lines = place.rows(&["contact", "export", id]);
    assert!(
        lines.iter().any(|line| line["what"] == "message"
            && line["row"]["text"].as_str().is_some_and(|text| text.contains("lamppu")))
    );
    let dir = file.with_file_name("hers");
    let said = place.run(&["contact", "export", id, "--into", &dir.display().to_string()]);
    assert!(said.contains("rows in"), "{said}");
    let held = std::fs::read_to_string(dir.join("held.jsonl")).expect("the rows");
    assert_eq!(held.lines().count(), lines.len());
    let names: Vec<_> = files_under(&dir.join("files"));
    assert_eq!(names.len(), 1);
    assert!(String::from_utf8_lossy(&std::fs::read(&names[0]).expect("a file")).contains("%PDF-hers"));
    let again =
        place.command(&["contact", "export", id, "--into", &dir.display().to_string()]).output().expect("it starts");
    assert_eq!(again.status.code(), Some(1), "a directory that is there is left alone");
    let erased = place.row(&["contact", "erase", id, "--by", "anna", "--why", "asked for it"]);
    assert_eq!((&erased["act"], &erased["by"], &erased["messages"]), (&json!("erase"), &json!("anna"), &json!(1)));
    place.run(&["import", "--channel", "mail", &file.display().to_string()]);
    place.run(&["replay"]);
    assert!(place.rows(&["export", "contacts"]).is_empty());
    for form in ["assignments", "threads", "raw"] {
        let text = place.run(&["export", form]).to_lowercase();
        for term in ["minna", "posti.example", "lamppu"] {
            assert!(!text.contains(term), "{form}: {term} in {text}");
        }
    }
    let said = place.run(&["contact", "erase", id]);
    assert!(said.contains("was erased before"), "{said}");
    for arguments in [
        &["contact", "export", id][..],
        &["contact", "show", id],
        &["contact", "erase", "01a201b7-a736-7000-833c-6468fcfd2fe6"],
    ] {
        let output = place.command(arguments).output().expect("it starts");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    }
}
