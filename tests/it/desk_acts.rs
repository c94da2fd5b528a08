//! What agents do in a tool of theirs: told as signed JSON, put where the message is that it is on.

use crate::desk::{Desk, at, call, mail, messenger};
use crate::endpoint::SECRET;
use crate::support::{database, eventually, scratch};
use lanka::pure::domain::secret::Secret;
use lanka::pure::wire::standard_webhooks::{ID_HEADER, SIGNATURE_HEADER, SigningKey, TIMESTAMP_HEADER, sign};
use serde_json::{Value, json};
use sqlx::Row;
use std::process::{Child, Command, Stdio};

/// The desk of these tests: one more channel, and the numbers of the agents' tool.
async fn open() -> Desk {
    Desk::open_with(|config| {
        config.replace(
            "[channels.mail]",
            "ticket = { pattern = '\\bPK-\\d{5}\\b', role = \"secret\" }\n[channels.desk]\nkind = \"desk\"\nsecret = { env = \"WHSEC\" }\n[channels.mail]",
        )
    })
    .await
}

fn act(id: &str, kind: &str, (channel, key): (&str, &str), at: &str, more: &Value) -> String {
    let mut act = json!({"event_id": id, "type": kind, "on": {"channel": channel, "source_key": key}, "at": at});
    if let (Some(act), Some(more)) = (act.as_object_mut(), more.as_object()) {
        act.extend(more.clone());
    }
    act.to_string()
}

const PASS: &str = "dkim=pass header.d=posti.example; dmarc=pass header.from=posti.example";

/// A customer's mail; she gives her number in it.
fn complaint() -> String {
    let text = "Tilaus 40012345 on rikki. Soittakaa 040 555 0123.\n\nMinna Virtanen";
    let from = "Minna Virtanen <minna@posti.example>";
    mail("c1@posti.example", from, "Mon, 2 Mar 2026 10:00:00 +0000", PASS, "", "Rikki", text)
}

/// The mail that an agent answered it with.
fn answer() -> Value {
    let message = "From: Kauppa <asiakaspalvelu@kauppa.example>\r\nTo: Minna Virtanen <minna@posti.example>\r\n\
        Subject: Re: Rikki [PK-10001]\r\nDate: Mon, 2 Mar 2026 11:00:00 +0000\r\nMessage-ID: <d1@kauppa.example>\r\n\
        In-Reply-To: <c1@posti.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
        Hei Minna, uusi on matkalla.\r\n\r\n> Tilaus 40012345 on rikki.\r\n";
    json!({"message": message, "ticket_ref": "PK-10001"})
}

/// The story: a mail, a call about the same, and what the desk did about each.
fn story() -> Vec<(&'static str, String)> {
    let (of_mail, of_call) = (("mail", "c1@posti.example"), ("phone", "1772447400.1"));
    vec![
        ("mail", complaint()),
        ("phone", call("+358405550123", "2026-03-02T10:30:00Z", "1772447400.1")),
        (
            "desk",
            act("a1", "note", of_call, "2026-03-02T10:40:00Z", &json!({"text": "Odottaa uutta, tilaus 40012345."})),
        ),
        ("desk", act("a2", "reply", of_mail, "2026-03-02T11:00:01Z", &answer())),
        ("desk", act("a3", "close", of_call, "2026-03-02T12:00:00Z", &json!({}))),
        ("desk", act("a4", "close", of_mail, "2026-03-02T12:01:00Z", &json!({}))),
    ]
}

async fn play(desk: &Desk, story: &[(&str, String)], is_one_batch: bool) {
    for (minute, (channel, body)) in story.iter().enumerate() {
        desk.deliver(channel, &format!("2026-03-02T13:{minute:02}:00Z"), body.as_str()).await;
        if !is_one_batch {
            desk.decide().await;
        }
    }
    desk.decide().await;
}

/// What stands, without ids.
async fn end(desk: &Desk) -> Vec<String> {
    let sql = "SELECT concat_ws('|', 'message', m.channel, m.namespace, m.source_key, m.direction, m.own_text, m.marks, m.numbers,
            i.value, k.state, k.closed_at) AS line
            FROM message m LEFT JOIN identity i ON i.id = m.identity_id LEFT JOIN ticket k ON k.id = m.ticket_id
        UNION ALL SELECT concat_ws('|', 'ticket', state, closed_at, opened_at) FROM ticket WHERE merged_into IS NULL
        UNION ALL SELECT concat_ws('|', 'event', e.kind, e.by, m.source_key, e.data->>'occurred_at') FROM ticket_event e
            LEFT JOIN message m ON m.id = e.message_id WHERE e.kind LIKE 'close%'
        UNION ALL SELECT concat_ws('|', 'item', r.channel, i.role, i.what, i.source_key, m.source_key) FROM raw_item i
            JOIN raw_event r ON r.id = i.raw_event LEFT JOIN message m ON m.id = i.message_id
        UNION ALL SELECT concat_ws('|', 'told', o.change, m.source_key) FROM outbox o LEFT JOIN message m ON m.id = o.message_id
        UNION ALL SELECT concat_ws('|', 'waits', count(*)) FROM early_act
        UNION ALL SELECT concat_ws('|', 'quarantine', code) FROM quarantine ORDER BY line";
    let rows = sqlx::query(sql).fetch_all(&desk.store.pool).await.expect(sql);
    rows.iter().map(|row| row.get("line")).collect()
}

#[tokio::test]
async fn acts_end_the_same_whenever_they_come() {
    let story = story();
    let desk = open().await;
    play(&desk, &story, false).await;
    let expected = end(&desk).await;
    let shown = expected.join("\n");
    assert_eq!(expected.iter().filter(|line| line.starts_with("ticket|closed|2026-03-02 12:01")).count(), 1, "{shown}");
    assert_eq!(expected.iter().filter(|line| line.starts_with("ticket|")).count(), 1, "{shown}");
    for line in [
        "message|mail|mail|c1@posti.example|from_customer|",
        "message|desk|mail|d1@kauppa.example|from_agent|Hei Minna, uusi on matkalla.|{}|{PK-10001}|minna@posti.example|",
        "message|desk|desk:desk|a1|from_agent|Odottaa uutta, tilaus 40012345.|{internal}|{40012345}|+358405550123|",
        "event|close|desk|1772447400.1|2026-03-02T12:00:00Z",
        "event|closed|desk|c1@posti.example|2026-03-02T12:01:00Z",
        "told|ticket.closed|c1@posti.example",
        "item|desk|update|close|a4|c1@posti.example",
        "waits|0",
    ] {
        // An own text that is the whole text is stored once.
        let line = line.replace("Odottaa uutta, tilaus 40012345.|", "");
        assert!(expected.iter().any(|found| found.starts_with(&line)), "{line} is not in\n{shown}");
    }
    assert_eq!(expected.iter().filter(|line| line.starts_with("event|closed")).count(), 1, "{shown}");
    for order in [[3, 2, 4, 0, 1, 5], [2, 0, 4, 3, 1, 5], [4, 3, 2, 0, 1, 5], [0, 3, 2, 4, 1, 5]] {
        let shuffled: Vec<_> = order.iter().map(|place: &usize| story[*place].clone()).collect();
        for is_one_batch in [false, true] {
            let desk = open().await;
            play(&desk, &shuffled, is_one_batch).await;
            assert_eq!(end(&desk).await.join("\n"), shown, "{order:?}, one batch: {is_one_batch}");
        }
    }
    let desk = open().await;
    play(&desk, &story, true).await;
    assert_eq!(end(&desk).await.join("\n"), shown, "in one batch");
    // Everything is there, before it waits for anything.
    let all_first: Vec<_> = [5, 4, 3, 2, 1, 0].iter().map(|place: &usize| story[*place].clone()).collect();
    let desk = open().await;
    play(&desk, &all_first[..4], false).await;
    assert_eq!(desk.count("SELECT count(*) FROM early_act").await, 4);
    assert_eq!(desk.count("SELECT count(*) FROM raw_item WHERE role = 'update' AND message_id IS NULL").await, 4);
    assert_eq!(desk.tally().await, (0, 0, 0));
}

#[tokio::test]
async fn acts_that_come_twice_are_done_once() {
    let story = story();
    for is_one_batch in [false, true] {
        let (once, twice) = (open().await, open().await);
        play(&once, &story, is_one_batch).await;
        let mut doubled = story.clone();
        doubled.extend(story[2..].iter().cloned());
        play(&twice, &doubled, is_one_batch).await;
        let without_items =
            |lines: Vec<String>| lines.into_iter().filter(|line| !line.starts_with("item|")).collect::<Vec<_>>();
        assert_eq!(without_items(end(&once).await), without_items(end(&twice).await), "one batch: {is_one_batch}");
        assert_eq!(twice.count("SELECT count(*) FROM raw_item WHERE role = 'repeat'").await, 4);
        // Twice before the message comes, and once more after it.
        let early = open().await;
        let waited =
            [&story[3], &story[3], &story[2], &story[2], &story[0], &story[1], &story[4], &story[5], &story[3]];
        play(&early, &waited.map(Clone::clone), is_one_batch).await;
        assert_eq!(without_items(end(&once).await), without_items(end(&early).await), "one batch: {is_one_batch}");
    }
}

#[tokio::test]
async fn a_ticket_is_closed_with_its_last_conversation_and_reopens() {
    let desk = open().await;
    let story = story();
    let state = async || {
        let row = sqlx::query("SELECT state, closed_at::text AS at FROM ticket WHERE merged_into IS NULL")
            .fetch_one(&desk.store.pool)
            .await;
        let row = row.expect("one ticket");
        (row.get::<String, _>("state"), row.get::<Option<String>, _>("at").is_some())
    };
    let told = async |change: &'static str| -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM outbox WHERE change = $1")
            .bind(change)
            .fetch_one(&desk.store.pool)
            .await
            .expect("a count")
    };
    play(&desk, &story[..5], false).await;
    assert_eq!(
        (state().await, told("ticket.closed").await),
        (("open".to_owned(), false), 0),
        "the mail is not answered yet"
    );
    play(&desk, &story[5..], false).await;
    assert_eq!((state().await, told("ticket.closed").await), (("closed".to_owned(), true), 1));
    // An answer to what the desk sent, a day later.
    let again = mail(
        "c2@posti.example",
        "Minna Virtanen <minna@posti.example>",
        "Tue, 3 Mar 2026 09:00:00 +0000",
        PASS,
        "In-Reply-To: <d1@kauppa.example>\r\n",
        "Re: Rikki [PK-10001]",
        "Uusikin on rikki.",
    );
    desk.take("mail", "2026-03-03T09:00:10Z", again).await;
    assert_eq!((state().await, told("ticket.reopened").await), (("open".to_owned(), false), 1));
    let close = |id: &str, at: &str| act(id, "close", ("mail", "c1@posti.example"), at, &json!({}));
    desk.take("desk", "2026-03-03T09:30:00Z", close("a5", "2026-03-03T08:59:00Z")).await;
    assert_eq!(state().await, ("open".to_owned(), false), "that was before her answer");
    desk.take("desk", "2026-03-03T10:00:00Z", close("a6", "2026-03-03T09:59:00Z")).await;
    assert_eq!((state().await, told("ticket.closed").await), (("closed".to_owned(), true), 2), "the call stays closed");
    // What was said before the closing, and only comes now, opens nothing.
    let late = mail(
        "c3@posti.example",
        "Minna Virtanen <minna@posti.example>",
        "Tue, 3 Mar 2026 09:20:00 +0000",
        PASS,
        "In-Reply-To: <c2@posti.example>\r\n",
        "Re: Rikki [PK-10001]",
        "Ja kansi puuttuu.",
    );
    desk.take("mail", "2026-03-03T11:00:00Z", late).await;
    assert_eq!((state().await, told("ticket.reopened").await), (("closed".to_owned(), true), 1));
    assert_eq!(desk.tally().await, (1, 1, 0));
}

#[tokio::test]
async fn a_customer_may_quote_what_the_desk_said() {
    let desk = open().await;
    desk.take(
        "facebook",
        "2026-03-02T10:00:01Z",
        messenger("m1", "P1", "2026-03-02T10:00:00Z", "Missä paketti 40012345?"),
    )
    .await;
    let said = json!({"text": "Huomenna perillä.", "message_id": "m2"});
    desk.take("desk", "2026-03-02T10:05:00Z", act("a1", "reply", ("facebook", "m1"), "2026-03-02T10:05:00Z", &said))
        .await;
    // The platform tells of the same message: it is known.
    let ms = at("2026-03-02T10:05:01Z").as_millisecond();
    let echo = json!({"object": "page", "entry": [{"id": "PAGE", "time": ms, "messaging": [{"sender": {"id": "PAGE"},
        "recipient": {"id": "P1"}, "timestamp": ms, "message": {"mid": "m2", "text": "Huomenna perillä.", "is_echo": true}}]}]});
    desk.take("facebook", "2026-03-02T10:05:02Z", echo.to_string()).await;
    let ms = at("2026-03-09T10:00:00Z").as_millisecond();
    let quoting = json!({"object": "page", "entry": [{"id": "PAGE", "time": ms, "messaging": [{"sender": {"id": "P1"},
        "recipient": {"id": "PAGE"}, "timestamp": ms, "message": {"mid": "m3", "text": "Ei tullut.", "reply_to": {"mid": "m2"}}}]}]});
    desk.take("facebook", "2026-03-09T10:00:01Z", quoting.to_string()).await;
    assert_eq!(desk.tally().await, (1, 1, 0));
    assert_eq!(desk.count("SELECT count(*) FROM message").await, 3);
    assert_eq!(desk.count("SELECT count(*) FROM message WHERE source_key = 'm2' AND namespace = 'messenger:PAGE' AND direction = 'from_agent'").await, 1);
    let why = "SELECT count(*) FROM decision d JOIN message m ON m.id = d.message_id WHERE m.source_key = 'm3' AND d.reasons::text LIKE '%desk_message%'";
    assert_eq!(desk.count(why).await, 1, "it answers something that the desk sent");
}

#[tokio::test]
async fn the_number_of_the_agents_tool_leads_to_the_matter() {
    let desk = open().await;
    play(&desk, &story()[..4], false).await;
    let from = "Minna Virtanen <minna@posti.example>";
    // Another matter is open too, so that nothing but the number tells which is meant.
    let other = mail(
        "c5@posti.example",
        from,
        "Wed, 4 Mar 2026 10:00:00 +0000",
        PASS,
        "",
        "Uusi tilaus",
        "Toinen asia: tilaus 40077777 puuttuu.",
    );
    desk.take("mail", "2026-03-04T10:00:05Z", other).await;
    let named =
        mail("c6@posti.example", from, "Thu, 5 Mar 2026 10:00:00 +0000", PASS, "", "PK-10001", "Milloin se tulee?");
    desk.take("mail", "2026-03-05T10:00:05Z", named).await;
    let together =
        "SELECT count(DISTINCT ticket_id) FROM message WHERE source_key IN ('c1@posti.example', 'c6@posti.example')";
    assert_eq!(desk.count(together).await, 1);
    assert_eq!(desk.tally().await, (1, 2, 0));
}

#[tokio::test]
async fn nobody_comes_to_a_matter_by_what_the_desk_answered_him() {
    // A mail that its sender's domain denies: the desk's answer goes to whoever really has the address.
    let desk = open().await;
    desk.take("mail", "2026-03-02T10:00:05Z", complaint()).await;
    let text = "Lähettäkää tilauksen 40012345 tiedot.";
    let denied = "dkim=fail; dmarc=fail header.from=posti.example";
    let from = "Minna Virtanen <minna@posti.example>";
    let forged = mail("f1@posti.example", from, "Tue, 3 Mar 2026 10:00:00 +0000", denied, "", "Tiedot", text);
    desk.take("mail", "2026-03-03T10:00:05Z", forged).await;
    let reply = act("a9", "reply", ("mail", "f1@posti.example"), "2026-03-03T11:00:00Z", &answer());
    desk.take("desk", "2026-03-03T11:00:01Z", reply).await;
    let shared =
        "SELECT count(*) FROM (SELECT ticket_id FROM ticket_participant GROUP BY ticket_id HAVING count(*) > 1) t";
    assert_eq!((desk.tally().await, desk.count(shared).await), ((2, 2, 0), 0));
    let on_forged =
        "SELECT count(DISTINCT ticket_id) FROM message WHERE source_key IN ('f1@posti.example', 'd1@kauppa.example')";
    assert_eq!(desk.count(on_forged).await, 1, "the answer is where the mail is that it answers");
}

/// The daemon, ended with the test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn acts_come_by_webhook_and_forged_ones_do_not() {
    let (db, dir) = (database().await, scratch());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let file = dir.path().join("lanka.toml");
    let config = format!(
        "data_dir = \"{}/data\"\n[database]\nurl = {{ env = \"URL\" }}\n[security]\nkeys = [{{ id = \"1\", env = \"KEY\" }}]\n\
         [http]\nlisten = \"127.0.0.1:{port}\"\n[channels.chat]\nkind = \"webchat\"\nsecret = {{ env = \"WHSEC\" }}\n\
         [channels.agents]\nkind = \"desk\"\nsecret = {{ env = \"WHSEC\" }}\n",
        dir.path().display()
    );
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanka"));
    command.args(["run", "--config"]).arg(&file).env("URL", &db.url).env("WHSEC", SECRET);
    command.env("KEY", "0123456789abcdef0123456789abcdef").stdin(Stdio::null());
    let _daemon = Daemon(command.spawn().unwrap());
    lanka::shell::carriers::install_tls_provider();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
    eventually("the daemon listens", async || client.get(url("/healthz")).send().await.ok()).await;

    let post = async |channel: &str, id: &str, body: &str, secret: Option<&str>| {
        let mut request = client.post(url(&format!("/hooks/{channel}"))).body(body.to_owned());
        if let Some(secret) = secret {
            let (key, now) = (SigningKey::parse(&Secret::new(secret)).unwrap(), jiff::Timestamp::now().as_second());
            let headers = [
                (ID_HEADER, id.to_owned()),
                (TIMESTAMP_HEADER, now.to_string()),
                (SIGNATURE_HEADER, sign(&key, id, now, body.as_bytes())),
            ];
            request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        }
        request.send().await.unwrap().status().as_u16()
    };
    let now = jiff::Timestamp::now().to_string();
    let on = ("chat", "wc-1");
    let close = act("a2", "close", on, &now, &json!({}));
    let reply = act("a1", "reply", on, &now, &json!({"text": "Sulkemisaika on 18."}));
    let other_key = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    assert_eq!(post("agents", "msg_0", &close, None).await, 401);
    assert_eq!(post("agents", "msg_0", &close, Some(other_key)).await, 401);
    // Before the question: it waits.
    assert_eq!(post("agents", "msg_1", &reply, Some(SECRET)).await, 200);
    let question = json!({"event_id": "wc-1", "type": "message", "conversation_id": "c", "visitor": {"id": "v-1"},
        "text": "Milloin suljette?", "sent_at": now});
    assert_eq!(post("chat", "msg_2", &question.to_string(), Some(SECRET)).await, 200);
    assert_eq!(post("agents", "msg_3", &close, Some(SECRET)).await, 200);
    eventually("the closed ticket with the answer", async || {
        let sql = "SELECT count(*) FROM ticket k JOIN message m ON m.ticket_id = k.id WHERE k.state = 'closed' AND m.channel = 'agents'";
        let seen: i64 = sqlx::query_scalar(sql).fetch_one(&db.pool).await.unwrap();
        (seen == 1).then_some(())
    })
    .await;
    let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM raw_event").fetch_one(&db.pool).await.unwrap();
    assert_eq!(stored, 3, "what was not signed is not there");
}
