//! The command line, through the real binary: what goes in by files, what comes out, and how it ends.

use crate::desk::{call, mail, messenger};
use crate::dovecot::{Dovecot, PASSWORD, USER};
use crate::endpoint::{Answer, Endpoint};
use crate::post_office::PostOffice;
use crate::support::{TestDb, database, scratch};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The key of Standard Webhooks' own test vector.
const CHAT_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const CHANNELS: &str = r#"
[identity]
own_domains = ["kauppa.example"]
agents = ["*@kauppa.example"]

[matters]
order = { pattern = '\b4\d{7}\b', role = "secret" }

[channels.mail]
kind = "maildir"
path = "DIR/mail"
addresses = ["asiakaspalvelu@kauppa.example"]
trusted_authserv = "mx.kauppa.example"
file_bytes_max = 10000

[channels.facebook]
kind = "messenger"
app_secret = { env = "SECRET" }
verify_token = { env = "SECRET" }

[channels.chat]
kind = "webchat"
secret = { env = "WHSEC" }

[channels.phone]
kind = "asterisk"
path = "DIR/Master.csv"
time_zone = "UTC"
own_numbers = ["+358 9 4272 0000"]

[mirrors.desk]
kind = "webhook"
url = "https://desk.example/hook"
secret = { env = "WHSEC" }
"#;

/// A configuration over a database of the test's own.
pub(crate) struct Place {
    dir: tempfile::TempDir,
    db: TestDb,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let place = Self { dir: scratch(), db: database().await };
        place.configure(CHANNELS);
        place
    }

    pub(crate) fn configure(&self, channels: &str) {
        let dir = self.dir.path().display().to_string();
        let own = format!(
            "data_dir = \"{dir}/data\"\n[database]\nurl = {{ env = \"URL\" }}\n[security]\nkeys = [{{ id = \"1\", env = \"KEY\" }}]\n"
        );
        self.write("lanka.toml", &(own + &channels.replace("DIR", &dir)));
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        fs::write(&path, content).expect("written");
        path
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = lanka(arguments);
        command.args(["--config", &self.dir.path().join("lanka.toml").display().to_string()]);
        command.env("URL", &self.db.url);
        command.current_dir(self.dir.path());
        command
    }

    /// Runs a command that must succeed, and gives what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "lanka {arguments:?}: {}: {said}", output.status);
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// The JSON lines that a command prints.
    pub(crate) fn rows(&self, arguments: &[&str]) -> Vec<Value> {
        let arguments = [arguments, &["--format", "json"]].concat();
        let text = self.run(&arguments);
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {line}")))
            .collect()
    }

    pub(crate) fn row(&self, arguments: &[&str]) -> Value {
        let mut rows = self.rows(arguments);
        assert_eq!(rows.len(), 1, "{arguments:?}: {rows:?}");
        rows.remove(0)
    }

    pub(crate) async fn texts(&self, sql: &'static str) -> Vec<String> {
        sqlx::query_scalar(sql).fetch_all(&self.db.pool).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.db.pool).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }
}

fn lanka(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanka"));
    command.args(arguments).env("SECRET", "secret-of-the-test").env("WHSEC", CHAT_SECRET);
    command.env("KEY", "a key of the test, of more than 32 characters").stdin(Stdio::null());
    command
}

fn ended(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Files of others, beside the checkout; they are not part of it.
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(name);
    if !path.exists() {
        println!("not run: there is no ../shared/{name}");
    }
    path.exists().then_some(path)
}

fn files_under(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let mut entries: Vec<PathBuf> =
        fs::read_dir(path).expect("a directory").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    entries.iter().flat_map(|entry| files_under(entry)).collect()
}

fn chat(event: &str, text: &str) -> String {
    json!({"event_id": event, "type": "message", "conversation_id": "c1", "visitor": {"id": "v1", "name": "Minna"}, "text": text,
        "sent_at": "2026-03-02T10:00:00Z"})
    .to_string()
}

fn old_mail(id: &str, headers: &str, text: &str) -> String {
    format!(
        "{headers}From: Minna <minna@posti.example>\nTo: asiakaspalvelu@kauppa.example\nSubject: Hei\nMessage-ID: <{id}>\n\n{text}\n"
    )
}

fn outcome(deliveries: i64, messages: i64, repeats: i64, quarantined: i64) -> Value {
    json!({"deliveries": deliveries, "messages": messages, "repeats": repeats, "legs": 0, "updates": 0, "quarantined": quarantined})
}

#[tokio::test]
async fn files_of_every_form_are_imported_with_their_own_times() {
    let place = Place::new().await;
    let from = "From minna@posti.example Thu Aug 22 12:36:23 2002\n";
    let date = "Date: Thu, 22 Aug 2002 12:30:00 +0000\n";
    let received = "Received: from a.example by mx.kauppa.example; Sat, 03 Jan 2009 10:00:00 +0000\nDate: Sat, 03 Jan 2009 09:59:00 +0000\n";
    let mbox =
        format!("{from}{}\n{from}{}", old_mail("m1@x", date, "yksi\n\n>From kaksi"), old_mail("m2@x", "", "kolme"));
    place.write("box", &mbox);
    place.write("Maildir/cur/1262304000.M1P1.host:2,S", &old_mail("m3@x", "", "neljä"));
    place.write("Maildir/new/1262304001.M1P1.host", &old_mail("m4@x", "", "viisi"));
    place.write("one.eml", &old_mail("m5@x", received, "kuusi"));
    place.write("large.eml", &"x".repeat(10_001));
    place.write("chat.jsonl", &format!("{}\n{}\n", chat("e1", "hei"), chat("e2", "hei taas")));
    place.write(
        "chat.json",
        &serde_json::to_string_pretty(&serde_json::from_str::<Value>(&chat("e3", "vielä")).expect("JSON"))
            .expect("JSON"),
    );
    place.write("cdr.csv", &format!("{}half a line\n", call("0401234567", "2026-03-06T14:00:00Z", "1772805600.1")));
    let table: &[(&str, &[&str], Value)] = &[
        ("mail", &["box"], outcome(2, 2, 0, 0)),
        ("mail", &["Maildir"], outcome(2, 2, 0, 0)),
        ("mail", &["one.eml", "large.eml"], outcome(1, 1, 0, 1)),
        ("mail", &["box", "Maildir", "one.eml"], outcome(5, 0, 5, 0)),
        ("chat", &["chat.jsonl", "chat.json"], outcome(3, 3, 0, 0)),
        ("phone", &["cdr.csv"], outcome(2, 1, 0, 1)),
    ];
    for (channel, files, expected) in table {
        assert_eq!(place.row(&[&["import", "--channel", channel], *files].concat()), *expected, "{channel} {files:?}");
    }
    let times = sqlx::query_as::<_, (String, String, String)>(
        "SELECT source_key, to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), text FROM message ORDER BY 1",
    );
    let times = times.fetch_all(&place.db.pool).await.expect("messages");
    let text = |key: &str| times.iter().find(|row| row.0 == key).map(|row| (row.1.as_str(), row.2.trim_end()));
    for (key, expected) in [
        ("m1@x", ("2002-08-22 12:30", "yksi\n\nFrom kaksi")),
        ("m2@x", ("2002-08-22 12:36", "kolme")),
        ("m3@x", ("2010-01-01 00:00", "neljä")),
        ("m5@x", ("2009-01-03 09:59", "kuusi")),
        ("e1", ("2026-03-02 10:00", "hei")),
        ("1772805600.1", ("2026-03-06 14:00", "")),
    ] {
        assert_eq!(text(key), Some(expected), "{key}");
    }
    assert_eq!(place.count("SELECT count(*) FROM outbox").await, 0, "history tells no mirror");
    assert_eq!(place.count("SELECT count(*) FROM cursor").await, 0, "and acknowledges nothing");
    place.write("told.jsonl", &chat("e4", "uusi"));
    place.run(&["import", "--channel", "chat", "--mirror", "told.jsonl"]);
    assert_ne!(place.count("SELECT count(*) FROM outbox").await, 0, "unless it is asked to");
}

/// The story as a recorded stream.
fn stream() -> Vec<Value> {
    let recorded = |channel: &str, received_at: &str, raw: String| json!({"event_id": "x", "channel": channel, "received_at": received_at, "encoding": "utf-8", "raw": raw});
    let date = "Thu, 05 Mar 2026 10:00:00 +0000";
    let words = "Hei,\r\n\r\nkahvinkeitin tuli rikki. Tilausnumero 40012345.\r\n\r\nTerveisin\r\nMinna Virtanen\r\nPuh. 040 123 4567";
    let complaint = mail(
        "a1@posti.example",
        "Minna Virtanen <minna@posti.example>",
        date,
        "dmarc=pass header.from=posti.example",
        "",
        "Reklamaatio",
        words,
    );
    vec![
        recorded(
            "facebook",
            "2026-03-03T08:00:01Z",
            messenger("m_1", "PSID-77", "2026-03-03T08:00:00Z", "Hei, milloin kahvinkeitin tulee? Tilaus 40012345."),
        ),
        recorded("mail", "2026-03-05T10:00:01Z", complaint.clone()),
        recorded("phone", "2026-03-06T14:01:05Z", call("0401234567", "2026-03-06T14:00:00Z", "1772805600.1")),
        recorded("mail", "2026-03-06T15:00:00Z", complaint),
        recorded("facebook", "2026-03-06T16:00:00Z", messenger("m_2", "PSID-88", "2026-03-06T16:00:00Z", "moi")),
    ]
}

fn lines(values: &[Value]) -> String {
    values.iter().map(|value| format!("{value}\n")).collect()
}

#[tokio::test]
async fn a_stream_comes_out_as_it_went_in_and_a_second_time_changes_nothing() {
    let place = Place::new().await;
    place.write("events.jsonl", &lines(&stream()));
    place.write(
        "profiles.json",
        &json!({"PSID-77": {"first_name": "Minna", "last_name": "Virtanen"}, "PSID-88": {"first_name": "Olli"}})
            .to_string(),
    );
    let import = ["import", "--events", "events.jsonl", "--profiles", "profiles.json"];
    assert_eq!(place.row(&import), outcome(5, 4, 1, 0));
    let assigned = place.rows(&["export", "assignments"]);
    let column = |key: &str| assigned.iter().map(|line| line[key].clone()).collect::<Vec<_>>();
    assert_eq!(column("role"), ["first", "first", "first", "repeat", "first"]);
    assert_eq!(column("source_key"), ["m_1", "a1@posti.example", "1772805600.1", "a1@posti.example", "m_2"]);
    assert_eq!(column("received_at"), stream().iter().map(|line| line["received_at"].clone()).collect::<Vec<_>>());
    for key in ["contact_id", "ticket_id"] {
        let ids = column(key);
        assert!(ids[..4].iter().all(|id| *id == ids[0] && id.is_string()), "{key}: {ids:?}");
        assert_ne!(ids[4], ids[0], "{key}");
    }
    assert_eq!(
        (&assigned[3]["duplicate_of"], &assigned[3]["message_id"]),
        (&assigned[1]["message_id"], &assigned[1]["message_id"])
    );
    assert_eq!(assigned[3]["at_arrival"], assigned[1]["at_arrival"]);
    assert_eq!(assigned[0]["numbers"], json!(["40012345"]));
    let keys: Vec<&String> = assigned[0].as_object().expect("an object").keys().collect();
    #[rustfmt::skip]
    let expected = ["at_arrival", "channel", "channel_kind", "contact_id", "direction", "duplicate_of", "effect", "feedback", "item", "matter_kind", "message_id", "numbers",
        "occurred_at", "priority", "problem", "raw_event", "received_at", "role", "source_key", "suggested", "ticket_id"];
    assert_eq!(keys, expected);

    let contacts = place.rows(&["export", "contacts"]);
    assert_eq!(contacts[0]["identities"][0]["first_at"], "2026-03-03T08:00:00Z");
    let names: Vec<&Value> = contacts.iter().map(|contact| &contact["name"]).collect();
    assert_eq!(names, ["Minna Virtanen", "Olli"]);
    let threads = place.rows(&["export", "threads"]);
    let told: Vec<usize> = threads.iter().map(|thread| thread["messages"].as_array().map_or(0, Vec::len)).collect();
    assert_eq!(told, [3, 1]);

    let raw = place.rows(&["export", "raw"]);
    let without_notes: Vec<Value> = stream()
        .into_iter()
        .map(|mut line| {
            line.as_object_mut().expect("an object").remove("event_id");
            line
        })
        .collect();
    assert_eq!(raw, without_notes);

    assert_eq!(place.row(&import), outcome(5, 0, 5, 0));
    let again = place.rows(&["export", "assignments"]);
    assert_eq!(again.iter().filter(|line| line["role"] == "first").count(), 4);
    assert_eq!(place.rows(&["export", "contacts"]), contacts);
    assert!(place.rows(&["quarantine", "list"]).is_empty());
}

/// The assignments with every id replaced by its place of first mention, so that two databases compare.
fn without_ids(lines: Vec<Value>) -> Vec<Value> {
    fn walk(value: &mut Value, known: &mut HashMap<String, usize>) {
        match value {
            Value::String(text) if text.len() == 36 && text.matches('-').count() == 4 => {
                let next = known.len();
                *value = json!(*known.entry(text.clone()).or_insert(next));
            }
            Value::Array(values) => values.iter_mut().for_each(|value| walk(value, known)),
            Value::Object(fields) => fields.values_mut().for_each(|value| walk(value, known)),
            _ => {}
        }
    }
    let mut known = HashMap::new();
    lines
        .into_iter()
        .map(|mut line| {
            walk(&mut line, &mut known);
            line
        })
        .collect()
}

#[tokio::test]
async fn what_was_exported_raw_comes_in_as_the_same_threads() {
    let whatsapp =
        "[channels.wa]\nkind = \"whatsapp\"\napp_secret = { env = \"SECRET\" }\nverify_token = { env = \"SECRET\" }\n";
    let channels = CHANNELS.replace("[mirrors.desk]", &format!("{whatsapp}\n[mirrors.desk]"));
    let (one, other) = (Place::new().await, Place::new().await);
    one.configure(&channels);
    other.configure(&channels);
    let letter = |id: &str, day: &str, text: &str| {
        format!("From minna@posti.example {day} 10:00:00 2024\nFrom: Minna <minna@posti.example>\nDate: {day} 2024 10:00:00 +0000\nMessage-ID: <{id}@posti.example>\nSubject: Tilaus\n\n{text}\n\n")
            .replacen("Date: Mon Mar  4 2024", "Date: Mon, 4 Mar 2024", 1)
            .replacen("Date: Fri Jun  7 2024", "Date: Fri, 7 Jun 2024", 1)
    };
    let mbox = letter("1", "Mon Mar  4", "Missä paketti 40012345?") + &letter("2", "Fri Jun  7", "Toinen asia.");
    one.write("old.mbox", &mbox);
    one.write("events.jsonl", &lines(&stream()));
    one.run(&["import", "--events", "events.jsonl"]);
    assert_eq!(one.row(&["import", "--channel", "mail", "old.mbox"]), outcome(2, 2, 0, 0));
    let said = |id: &str, text: &str| json!({"event_id": id, "type": "message", "conversation_id": "c", "visitor": {"id": "v-1", "name": "Minna"}, "text": text, "sent_at": "2026-03-07T10:00:00Z"});
    one.write(
        "chat.json",
        &json!([said("1", "Moi, tilaus 40012345"), said("2", "haloo"), {"event_id": "bad"}]).to_string(),
    );
    one.run(&["import", "--channel", "chat", "chat.json"]);
    let wa = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": {
        "messaging_product": "whatsapp", "metadata": {"display_phone_number": "358942720000", "phone_number_id": "2"},
        "contacts": [{"profile": {"name": "Minna"}, "wa_id": "358401234567"}],
        "messages": [{"from": "358401234567", "id": "wamid.1", "timestamp": "1772805600", "type": "text", "text": {"body": "Hei"}}]}}]}]});
    one.write("wa.json", &wa.to_string());
    one.run(&["import", "--channel", "wa", "wa.json"]);

    let raw = one.run(&["export", "raw"]);
    assert!(raw.contains("\"trusted_at\":\"2024-03-04T10:00:00Z\""), "the date of the mbox: {raw}");
    other.write("raw.jsonl", &raw);
    other.run(&["import", "--events", "raw.jsonl"]);
    let expected = without_ids(one.rows(&["export", "assignments"]));
    let kinds: std::collections::BTreeSet<&str> =
        expected.iter().filter_map(|line| line["channel_kind"].as_str()).collect();
    assert_eq!(kinds.len(), 5, "{kinds:?}");
    let found = without_ids(other.rows(&["export", "assignments"]));
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    let marks = "SELECT count(*) FROM message WHERE 'date_doubtful' = ANY(marks)";
    assert_eq!(other.count(marks).await, one.count(marks).await);
    assert_eq!(other.run(&["export", "raw"]), raw, "and out again as it came in");
}

#[tokio::test]
async fn a_bad_line_of_a_stream_costs_no_other() {
    let place = Place::new().await;
    let good: Vec<String> = stream().iter().map(Value::to_string).collect();
    let typo = good[4].replace("facebook", "facebok");
    let content = format!("{}\nnot json\n{}\n{typo}\n\n{}\n{}", good[0], good[1], good[2], &good[3][..40]);
    place.write("events.jsonl", &content);
    let output =
        place.command(&["import", "--events", "events.jsonl", "--format", "json"]).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in [
        "events.jsonl:2: it is not JSON (character ",
        "events.jsonl:4: 1 delivery names the channel \"facebok\", and no such channel is configured, did you mean \"facebook\"?",
        "events.jsonl:7: the line ends in the middle of its JSON: was it cut off?",
        "3 lines of events.jsonl were not imported, the others were",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told, outcome(3, 3, 0, 0));
}

#[tokio::test]
async fn a_call_put_through_is_one_message_answered_by_a_person() {
    let place = Place::new().await;
    let columns = "columns = [\"accountcode\", \"src\", \"dst\", \"dcontext\", \"clid\", \"channel\", \"dstchannel\", \"lastapp\", \"lastdata\", \"start\", \"answer\", \"end\", \"duration\", \"billsec\", \"disposition\", \"amaflags\", \"uniqueid\", \"userfield\", \"peeraccount\", \"linkedid\", \"sequence\"]\nown_numbers";
    place.configure(&CHANNELS.replace("own_numbers", columns));
    let leg = |dst: &str, device: &str, app: &str, start: &str, seconds: u32, disposition: &str, id: &str, n: u32| {
        let talk = if disposition == "ANSWERED" { seconds } else { 0 };
        format!(
            "\"\",\"0401234567\",\"{dst}\",\"in\",\"\",\"PJSIP/trunk-01\",\"{device}\",\"{app}\",\"\",\"2026-03-05 {start}\",,\"2026-03-05 {start}\",{seconds},{talk},\"{disposition}\",\"3\",\"{id}\",\"\",\"\",\"{id}\",{n}\n"
        )
    };
    let log = [
        leg("0942720000", "PJSIP/201-01", "Dial", "10:00:00", 20, "ANSWERED", "1772704800.1", 1),
        leg("0942720000", "PJSIP/202-02", "Dial", "11:00:00", 15, "NO ANSWER", "1772708400.9", 4),
        leg("0942720000", "PJSIP/202-02", "Dial", "10:00:20", 90, "ANSWERED", "1772704800.1", 2),
        leg("0942720000", "PJSIP/203-02", "Dial", "12:00:00", 5, "BUSY", "1772712000.9", 5),
        leg("0942720000", "", "VoiceMail", "13:00:00", 30, "ANSWERED", "1772715600.9", 6),
    ];
    let path = place.write("log.csv", &log.concat()).display().to_string();
    let calls = [
        json!({"outcome": "answered", "answered_by": "202", "talk_s": 110, "duration_s": 110}),
        json!({"outcome": "missed", "answered_by": null, "talk_s": 0, "duration_s": 15}),
        json!({"outcome": "busy", "answered_by": null, "talk_s": 0, "duration_s": 5}),
        json!({"outcome": "voicemail", "answered_by": null, "talk_s": 30, "duration_s": 30}),
    ];
    let parsed = lanka(&["parse", "--kind", "asterisk"]).arg(&path).output().expect("it starts");
    let parsed = String::from_utf8(parsed.stdout).expect("UTF-8");
    let found: Vec<Value> = parsed.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")).collect();
    assert_eq!(found.len(), calls.len(), "{parsed}");
    for (found, expected) in found.iter().zip(&calls) {
        for (key, value) in expected.as_object().expect("an object") {
            assert_eq!(&found["call"][key], value, "{key}: {found}");
        }
    }
    assert_eq!(found[0]["call"]["legs"].as_array().map(Vec::len), Some(2));
    place.run(&["import", "--channel", "phone", "log.csv"]);
    let threads = place.run(&["thread", "show", "1"]);
    for part in
        ["call, answered, at 202, 110 s of talk", "call, missed, 0 s", "call, busy, 0 s", "call, voicemail, 30 s"]
    {
        assert!(threads.contains(part), "{part}: {threads}");
    }
}

#[tokio::test]
async fn recorded_contacts_are_all_accounted_for() {
    let Some(dir) = shared("omni") else { return };
    let place = Place::new().await;
    // The desk's own doings have no channel yet.
    let events = fs::read_to_string(dir.join("events.jsonl")).expect("a stream");
    let events: Vec<&str> = events.lines().filter(|line| !line.contains("\"channel\": \"desk\"")).collect();
    let names = events
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["channel"].clone())
        .collect::<std::collections::HashSet<_>>();
    assert_eq!(names.len(), 5, "{names:?}");
    place.write("events.jsonl", &(events.join("\n") + "\n"));
    let columns = "columns = [\"accountcode\", \"src\", \"dst\", \"dcontext\", \"clid\", \"channel\", \"dstchannel\", \"lastapp\", \"lastdata\", \"start\", \"answer\", \"end\", \"duration\", \"billsec\", \"disposition\", \"amaflags\", \"uniqueid\", \"userfield\", \"peeraccount\", \"linkedid\", \"sequence\"]\nown_numbers";
    let whatsapp = "[channels.whatsapp]\nkind = \"whatsapp\"\napp_secret = { env = \"SECRET\" }\nverify_token = { env = \"SECRET\" }\n";
    let channels = CHANNELS
        .replace("channels.mail", "channels.email")
        .replace("channels.facebook", "channels.messenger")
        .replace("channels.chat", "channels.webchat");
    let channels = channels
        .replace("channels.phone", "channels.call")
        .replace("own_numbers", columns)
        .replace("kauppa.example", "kauppakone.example");
    place.configure(&format!("{channels}{whatsapp}"));
    let profiles = dir.join("messenger_profiles.json").display().to_string();
    let import = ["import", "--events", "events.jsonl", "--profiles", &profiles];
    let count = events.len() as i64;
    let first = place.row(&import);
    assert_eq!((&first["deliveries"], &first["quarantined"]), (&json!(count), &json!(0)));
    let assigned = place.rows(&["export", "assignments"]);
    assert_eq!(assigned.len() as i64, count, "one delivery of this stream is one item");
    let second = place.row(&import);
    assert_eq!(second, outcome(count, 0, count, 0), "all of it is known the second time");
    assert_eq!(place.rows(&["export", "raw"]).len() as i64, 2 * count);
}

#[tokio::test]
async fn every_mail_of_the_corpora_is_imported_or_named() {
    let Some(dir) = shared("mail") else { return };
    let place = Place::new().await;
    place.configure(&CHANNELS.replace("file_bytes_max = 10000", ""));
    let files: Vec<String> = files_under(&dir).iter().map(|file| file.display().to_string()).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let outcome = place.row(&[&["import", "--channel", "mail"], files.as_slice()].concat());
    let count = |key: &str| outcome[key].as_i64().unwrap_or(0);
    assert!(count("deliveries") >= files.len() as i64, "{outcome}");
    assert_eq!(count("messages") + count("repeats") + count("quarantined"), count("deliveries"), "{outcome}");
    assert_eq!(place.rows(&["export", "assignments"]).len() as i64, count("messages") + count("repeats"));
    // Expected values and notes lie among the mails: they are no mails, and nothing else is a fault but these.
    let faults = place.rows(&["quarantine", "list", "--limit", "100000"]);
    let codes: std::collections::BTreeSet<&str> = faults.iter().filter_map(|line| line["code"].as_str()).collect();
    assert!(codes.iter().all(|code| ["not_a_mail", "empty", "no_sender"].contains(code)), "{codes:?}");
    println!("{} files: {outcome}", files.len());
}

#[test]
fn parse_reads_every_file_and_says_what_it_cannot_read() {
    for (kind, folder) in [
        ("whatsapp", "fixtures/whatsapp"),
        ("messenger", "fixtures/messenger"),
        ("webchat", "fixtures/webchat"),
        ("webchat", "fixtures/generic"),
        ("asterisk", "fixtures/calls"),
        ("imap", "mail/python-test-email"),
        ("maildir", "mail/zammad"),
        ("imap", "mail/mikel-mail"),
    ] {
        let Some(folder) = shared(folder) else { continue };
        let files = files_under(&folder);
        let output = lanka(&["parse", "--kind", kind]).args(&files).output().expect("it starts");
        assert_eq!(ended(&output), (Some(0), String::new()), "{kind}");
        let lines: Vec<Value> = String::from_utf8(output.stdout)
            .expect("UTF-8")
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        for file in files {
            let of: Vec<&Value> = lines.iter().filter(|line| line["file"] == *file.display().to_string()).collect();
            assert!(!of.is_empty(), "{} gave nothing", file.display());
            let whole = |line: &&Value| match line["what"] == "fault" {
                true => line["code"].is_string() && line["detail"].is_string(),
                false => line["source_key"].is_string() && line["direction"].is_string(),
            };
            assert!(of.iter().all(whole), "{of:?}");
        }
    }
}

#[test]
fn parse_prints_the_form_that_scripts_rely_on() {
    let dir = scratch();
    let path = dir.path().join("one.eml");
    let text = "From: Minna <minna@posti.example>\r\nTo: a@b.example\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\nSubject: Tilaus\r\nMessage-ID: <1@x>\r\nIn-Reply-To: <0@x>\r\n\
        Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nUusi.\r\n\r\n> Vanha.\r\n\
        --b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\nabc\r\n--b--\r\n";
    fs::write(&path, text).expect("written");
    let output = lanka(&["parse", "--kind", "maildir"]).arg(&path).output().expect("it starts");
    let line: Value = serde_json::from_slice(&output.stdout).expect("one line");
    let expected = json!({
        "file": path, "what": "message", "source_key": "1@x", "direction": "from_customer",
        "sender": {"name": "Minna", "identities": [{"scheme": "mailto", "value": "minna@posti.example", "assurance": "asserted"}]},
        "occurred_at": "2026-03-02T10:00:00Z", "subject": "Tilaus", "text": "Uusi.\n\n> Vanha.", "own_text": "Uusi.",
        "attachments": [{"name": "a.pdf", "type": "application/pdf", "bytes": 3, "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}],
        "references": [{"kind": "reply", "namespace": "mail", "key": "0@x"}], "marks": ["unverified", "date_doubtful"],
        "auto": "vacation",
    });
    assert_eq!(line, expected);
}

#[tokio::test]
async fn every_end_has_its_code_and_one_sentence() {
    let place = Place::new().await;
    place.write("bad.toml", "[htp]\nlisten = 3\n");
    place.write("typo.jsonl", &lines(&stream()).replace("\"mail\"", "\"mial\""));
    place.write("broken.jsonl", "{}\n");
    place.write("a.eml", "Subject: a\n\nb\n");
    let config = place.dir.path().join("lanka.toml").display().to_string();
    let bad = place.dir.path().join("bad.toml").display().to_string();
    #[rustfmt::skip]
    let table: &[(&[&str], i32, &str)] = &[
        (&["check"], 0, ""),
        (&["check", "--config", &bad], 78, "bad.toml:1: htp: unknown key, did you mean \"http\"?"),
        (&["--config", &bad, "thread", "list"], 78, "bad.toml:1"),
        (&["--config", "nowhere.toml", "run", "--until-idle"], 78, "nowhere.toml"),
        (&["--config", &config, "migrate"], 0, "up to date"),
        (&["frobnicate"], 2, "unrecognized subcommand"),
        (&["thread", "show"], 2, "required"),
        (&["--format", "xml", "check"], 2, "xml"),
        (&["import", "--channel", "mail"], 2, "required"),
        (&["import", "--channel", "mail", "--events", "a.eml"], 2, "cannot be used with"),
        (&["import", "--channel", "mial", "a.eml"], 2, "did you mean \"mail\"?"),
        (&["import", "--channel", "mail", "nothing.eml"], 1, "cannot read nothing.eml"),
        (&["import", "--events", "nothing.jsonl"], 1, "cannot read nothing.jsonl"),
        (&["import", "--events", "typo.jsonl"], 1, "2 deliveries name the channel \"mial\", and no such channel is configured, did you mean \"mail\"?"),
        (&["import", "--events", "broken.jsonl"], 1, "broken.jsonl:1: `channel` is missing"),
        (&["import", "--events", "typo.jsonl", "--profiles", "a.eml"], 1, "a.eml: "),
        (&["parse", "--kind", "mail", "a.eml"], 2, "the kinds are alertmanager, asterisk, desk, imap"),
        (&["parse", "--kind", "imap", "a.eml", "nothing.eml"], 1, "cannot read nothing.eml"),
        (&["thread", "show", "77"], 1, "there is no ticket \"77\""),
        (&["explain", "nobody@x"], 1, "there is no message \"nobody@x\""),
        (&["quarantine", "show", "7"], 1, "nothing waits in quarantine under 7"),
        (&["quarantine", "retry", "7"], 1, "nothing waits in quarantine under 7"),
        (&["quarantine", "drop", "7"], 1, "nothing waits in quarantine under 7"),
        (&["outbox", "retry"], 2, "required"),
        (&["replay", "--since", "yesterday"], 2, "is not a time"),
        (&["replay"], 0, ""),
        (&["--help"], 0, ""),
    ];
    for (arguments, code, part) in table {
        let output = place.command(arguments).output().expect("it starts");
        let (ended, said) = ended(&output);
        assert_eq!(ended, Some(*code), "{arguments:?}: {said}");
        assert!(said.contains(part) && (*code == 0 || !said.is_empty()), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
    }
    assert_eq!(
        place.count("SELECT count(*) FROM raw_event").await,
        3,
        "the good lines of the stream with a typing error, and nothing else"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_named_can_be_reached_or_check_says_what_cannot() {
    let place = Place::new().await;
    let endpoint = Endpoint::start().await;
    endpoint.otherwise(Answer::Status(405));
    let channels = CHANNELS.replace("https://desk.example/hook", &endpoint.url("/hook"));
    place.configure(&channels);
    let tried = |output: &Output| -> Vec<(String, String)> {
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        // Before them comes what is only a warning: the chat by Messenger has no token.
        lines
            .skip_while(|line| line["level"] == "warning")
            .map(|line| {
                (line["what"].as_str().expect("text").to_owned(), line["result"].as_str().expect("text").to_owned())
            })
            .collect()
    };
    let check = ["check", "--connect", "--format", "json"];
    let output = place.command(&check).output().expect("it starts");
    assert_eq!(output.status.code(), Some(78), "addresses on this machine are private ones");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("mirrors.desk.url") && said.contains("allow_private_addresses"), "{said}");
    let allowed = format!("[http]\nallow_private_addresses = true\n{channels}");
    place.configure(&allowed);
    let output = place.command(&check).output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        tried(&output),
        [("database", "works"), ("mail", "fails"), ("phone", "fails"), ("desk", "works")]
            .map(|(a, b)| (a.to_owned(), b.to_owned())),
    );
    assert_eq!(endpoint.seen().len(), 1);
    place.write("mail/new/.keep", "");
    place.write("Master.csv", "");
    let output = place.command(&check).output().expect("it starts");
    assert_eq!((output.status.code(), tried(&output).len()), (Some(0), 4));
    let seen = endpoint.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen[0].body.is_empty() && seen[0].header("webhook-id").is_none(), "nothing that looks like a change");
    for status in [301, 502] {
        endpoint.answer([Answer::Status(status)]);
        let output = place.command(&check).output().expect("it starts");
        assert_eq!(output.status.code(), Some(1), "{status}");
        assert!(String::from_utf8_lossy(&output.stdout).contains(&status.to_string()));
    }
    assert!(!place.dir.path().join("data").exists(), "it makes nothing");
}

/// Where answers go out by mail, and the folder that agents work in, are tried too; no mail is sent and no folder made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_servers_and_folders_are_tried() {
    let (place, post, dovecot) = (Place::new().await, PostOffice::open().await, Dovecot::start().await);
    let port = post.address.port();
    let authserv = "trusted_authserv = \"mx.kauppa.example\"";
    assert!(CHANNELS.contains(authserv));
    let sends = |port: u16, more: &str| {
        let smtp = format!("{authserv}\nsmtp = {{ host = \"127.0.0.1\", port = {port}, tls = \"none\"{more} }}");
        let before = CHANNELS.split("[mirrors.").next().unwrap_or_default().replace(authserv, &smtp);
        before.replace("kind = \"asterisk\"", "kind = \"asterisk\"\nenabled = false")
    };
    let inbox = |folder: &str, file: &str| {
        format!(
            "\n[mirrors.inbox]\nkind = \"mailbox\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nuser = \"{USER}\"\n\
             password = {{ file = \"{file}\" }}\nfolder = \"{folder}\"\naddress = \"asiakaspalvelu@kauppa.example\"\n",
            dovecot.port
        )
    };
    place.write("password", PASSWORD);
    place.write("wrong", "not-it");
    place.write("mail/new/.keep", "");
    let login = ", user = \"desk\", password = { file = \"password\" }";
    for (config, sending, folder) in [
        (sends(port, "") + &inbox("INBOX", "password"), "works", "works"),
        (sends(port, "") + &inbox("Tukipyynnöt", "password"), "works", "later"),
        (sends(port, login) + &inbox("INBOX", "wrong"), "fails", "fails"),
        (sends(1, "") + &inbox("INBOX", "password"), "fails", "works"),
    ] {
        place.configure(&config);
        let output = place.command(&["check", "--connect", "--format", "json"]).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let of = |what: &str| lines.iter().find(|line| line["what"] == what).map(|line| line["result"].clone());
        assert_eq!((of("answers:mail"), of("inbox")), (Some(sending.into()), Some(folder.into())), "{said}");
        assert!(!said.contains(PASSWORD) && !said.contains("not-it"), "{said}");
        assert_eq!(output.status.code(), Some(i32::from(sending == "fails" || folder == "fails")), "{said}");
    }
    assert_eq!(post.taken().len(), 0);
    let folders = dovecot.command("INBOX", b"LIST \"\" Tukipyynn*").await;
    assert_eq!(folders, Vec::<String>::new(), "none was made");
}

#[tokio::test]
async fn what_was_quarantined_is_shown_retried_and_dropped() {
    let place = Place::new().await;
    // A layout that does not fit the log; and a line that fits none.
    place.configure(
        &CHANNELS.replace(
            "own_numbers",
            "columns = [\"uniqueid\", \"src\", \"dst\", \"start\", \"disposition\"]\nown_numbers",
        ),
    );
    place.write(
        "cdr.csv",
        &format!("{}half a \u{1b}[2J line\n", call("0401234567", "2026-03-06T14:00:00Z", "1772805600.1")),
    );
    assert_eq!(place.row(&["import", "--channel", "phone", "cdr.csv"])["quarantined"], 2);
    let waiting = place.rows(&["quarantine", "list"]);
    assert_eq!(waiting.len(), 2);
    let id = |at: usize| waiting[at]["id"].to_string();
    let (bad, good) = (id(0), id(1));
    let shown = place.row(&["quarantine", "show", &bad]);
    assert_eq!(shown["payload"]["raw"], "half a \u{1b}[2J line\n");
    let shown = place.run(&["quarantine", "show", &bad]);
    assert!(shown.contains("half a \\u{1b}[2J line") && !shown.contains('\u{1b}'), "{shown}");
    place.configure(CHANNELS);
    assert_eq!(place.row(&["quarantine", "retry", &good]), json!({"deliveries": 1, "quarantined": 0}));
    assert_eq!(place.count("SELECT count(*) FROM message").await, 1);
    assert_eq!(place.row(&["quarantine", "retry", "--all"]), json!({"deliveries": 1, "quarantined": 1}));
    let bad = place.row(&["quarantine", "list"])["id"].to_string();
    assert_eq!(place.row(&["replay"]), json!({"deliveries": 1, "quarantined": 1}), "what waits is read again");
    assert_eq!(
        place.command(&["quarantine", "drop", &bad]).output().expect("it starts").status.code(),
        Some(1),
        "it waits under another number now"
    );
    let bad = place.row(&["quarantine", "list"])["id"].to_string();
    place.run(&["quarantine", "drop", &bad]);
    assert!(place.rows(&["quarantine", "list"]).is_empty());
    let states = place.rows(&["quarantine", "list", "--all"]);
    assert_eq!(states.iter().filter(|line| line["state"] == "retried").count(), 3, "nothing is forgotten");
    assert_eq!(place.count("SELECT count(*) FROM raw_event").await, 2);
}

#[tokio::test]
async fn a_message_is_explained_and_its_thread_found() {
    let place = Place::new().await;
    place.write("events.jsonl", &lines(&stream()));
    place.run(&["import", "--events", "events.jsonl", "--mirror"]);
    let assigned = place.rows(&["export", "assignments"]);
    let message = assigned[1]["message_id"].as_str().expect("an id");
    let by_id = place.row(&["explain", message]);
    for name in ["a1@posti.example", "<a1@posti.example>"] {
        assert_eq!(place.row(&["explain", name]), by_id, "{name}");
    }
    let roles: Vec<&Value> =
        by_id["deliveries"].as_array().expect("deliveries").iter().map(|line| &line["role"]).collect();
    assert_eq!(roles, ["first", "repeat"]);
    assert_eq!(
        by_id["identity"],
        json!({"scheme": "mailto", "value": "minna@posti.example", "epoch": 1, "assurance": "verified"})
    );
    assert_eq!(
        (&by_id["ticket"]["id"], &by_id["contact"]["id"]),
        (&assigned[1]["ticket_id"], &assigned[1]["contact_id"])
    );
    assert!(by_id["decisions"][0]["reasons"].as_array().is_some_and(|reasons| !reasons.is_empty()), "{by_id}");
    assert!(
        by_id["outbox"]
            .as_array()
            .is_some_and(|posts| posts.iter().any(|post| post["mirror"] == "desk" && post["state"] == "pending")),
        "{by_id}"
    );
    let text = place.run(&["explain", message]);
    for part in ["imported from events.jsonl, line 2", "mailto:minna@posti.example", "verified", "went to", "desk: "] {
        assert!(text.contains(part), "{part}: {text}");
    }

    let ticket = assigned[1]["ticket_id"].as_str().expect("an id");
    let thread = place.row(&["thread", "show", ticket]);
    let number = format!("#{}", thread["ticket"]["number"]);
    assert_eq!(place.row(&["thread", "show", &number]), thread);
    assert!(place.run(&["thread", "show", ticket]).contains("kahvinkeitin tuli rikki"));
    for (find, expected) in [("rikki", 1), ("minna@posti", 1), ("MINNA VIRTANEN", 1), ("100%", 0)] {
        assert_eq!(place.rows(&["thread", "find", find]).len(), expected, "{find}");
    }
    assert_eq!(place.rows(&["thread", "list", "--limit", "1"]).len(), 1);
    assert!(place.run(&["thread", "find", "100%"]).contains("no threads"));
}

#[tokio::test]
async fn the_state_of_every_way_in_and_out_is_shown() {
    let place = Place::new().await;
    place.write("events.jsonl", &lines(&stream()));
    place.run(&["import", "--events", "events.jsonl", "--mirror"]);
    let channels = place.rows(&["channels"]);
    let shown: Vec<(&Value, &Value)> = channels.iter().map(|line| (&line["name"], &line["last_at"])).collect();
    assert_eq!(
        shown,
        [
            (&json!("chat"), &json!(null)),
            (&json!("facebook"), &json!("2026-03-06T16:00:00Z")),
            (&json!("mail"), &json!("2026-03-06T15:00:00Z")),
            (&json!("phone"), &json!("2026-03-06T14:01:05Z")),
        ]
    );
    assert!(place.run(&["channels"]).contains("never"));
    let pending = place.row(&["outbox"])["pending"].as_i64().expect("a number");
    assert!(pending > 0);
    let first = "UPDATE outbox SET state = 'dead', why = 'it said 410', attempts = 9 WHERE id = (SELECT min(id::text)::uuid FROM outbox)";
    sqlx::query(first).execute(&place.db.pool).await.expect("one is dead");
    assert_eq!(place.row(&["outbox"])["dead"], 1);
    let dead = place.row(&["outbox", "--dead"]);
    assert_eq!((&dead["why"], &dead["attempts"]), (&json!("it said 410"), &json!(9)));
    let id = dead["id"].as_str().expect("an id");
    place.run(&["outbox", "retry", id]);
    assert_eq!(place.row(&["outbox"])["pending"], pending);
    assert_eq!(
        place.command(&["outbox", "retry", id]).output().expect("it starts").status.code(),
        Some(1),
        "it is not dead any more"
    );
    place.run(&["outbox", "retry", "--all-dead"]);
}

#[tokio::test]
async fn run_until_idle_takes_in_what_lies_there() {
    let place = Place::new().await;
    place.configure(CHANNELS.split("[mirrors").next().expect("channels"));
    place.write("mail/new/1772000000.M1P1.host", &old_mail("m1@x", "", "hei"));
    fs::create_dir_all(place.dir.path().join("mail/cur")).expect("made");
    fs::create_dir_all(place.dir.path().join("mail/tmp")).expect("made");
    place.write("Master.csv", &call("0401234567", "2026-03-06T14:00:00Z", "1772805600.1"));
    place.run(&["run", "--until-idle"]);
    let lines = place.rows(&["export", "assignments"]);
    let mut keys: Vec<&str> = lines.iter().filter_map(|line| line["source_key"].as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["1772805600.1", "m1@x"]);
    // The same by hand is known already.
    assert_eq!(place.row(&["import", "--channel", "phone", "Master.csv"]), outcome(1, 0, 1, 0));
}

#[tokio::test]
async fn a_reader_who_has_seen_enough_is_no_error() {
    let place = Place::new().await;
    let many: Vec<String> = (0..300).map(|n| chat(&format!("e{n}"), &"pitkä ".repeat(200))).collect();
    place.write("chat.jsonl", &many.join("\n"));
    place.run(&["import", "--channel", "chat", "chat.jsonl"]);
    let mut child =
        place.command(&["export", "raw"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut reader = BufReader::new(child.stdout.take().expect("a pipe"));
    reader.read_line(&mut String::new()).expect("a line");
    drop(reader);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(ended(&output), (Some(0), String::new()));
}

#[tokio::test]
async fn what_agents_did_is_imported_with_the_rest() {
    let place = Place::new().await;
    place.configure(&format!("{CHANNELS}\n[channels.agents]\nkind = \"desk\"\nsecret = {{ env = \"WHSEC\" }}\n"));
    let event = |channel: &str, at: &str, raw: String| json!({"channel": channel, "received_at": at, "encoding": "utf-8", "raw": raw});
    let act = |id: &str, kind: &str, at: &str, more: Value| {
        let mut act =
            json!({"event_id": id, "type": kind, "on": {"channel": "facebook", "source_key": "m_1"}, "at": at});
        act.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        event("agents", at, act.to_string())
    };
    let said = json!({"text": "Huomenna.", "message_id": "m_2"});
    let stream = [
        act("d-1", "note", "2026-03-02T10:00:00Z", json!({"text": "Soitto kuljetukseen tehty."})),
        event(
            "facebook",
            "2026-03-02T10:00:01Z",
            messenger("m_1", "PSID-1", "2026-03-02T10:00:00Z", "Missä paketti 40012345?"),
        ),
        act("d-2", "reply", "2026-03-02T10:05:00Z", said.clone()),
        act("d-2", "reply", "2026-03-02T10:06:00Z", said),
        act("d-3", "close", "2026-03-02T11:00:00Z", json!({})),
    ];
    place.write("events.jsonl", &lines(&stream));
    assert_eq!(place.row(&["import", "--events", "events.jsonl"])["messages"], 3);
    let assigned = place.rows(&["export", "assignments"]);
    let column = |key: &str| assigned.iter().map(|line| line[key].clone()).collect::<Vec<_>>();
    assert_eq!(column("role"), ["first", "first", "first", "repeat", "update"]);
    assert_eq!(column("source_key"), ["d-1", "m_1", "m_2", "m_2", "d-3"]);
    for key in ["contact_id", "ticket_id"] {
        assert!(column(key).iter().all(|id| *id == assigned[1][key] && id.is_string()), "{key}: {assigned:?}");
    }
    let threads = place.rows(&["export", "threads"]);
    assert_eq!((threads.len(), &threads[0]["ticket"]["state"]), (1, &json!("closed")));
    assert_eq!(place.row(&["import", "--events", "events.jsonl"])["messages"], 0);
    assert_eq!(place.rows(&["export", "threads"]), threads);
}
