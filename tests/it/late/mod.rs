//! Evidence that comes late: each story is played in all orders of arrival, delivery by delivery and in one batch,
//! and must end the same.
//!
//! A story is what was said, each with its own time, and what stands at the end: `people` are the messages of each
//! contact, `tickets` those of each ticket, groups divided by `|`. What arrives out of order is received no earlier
//! than what came before it, as in life.

mod apart;
mod heard;
mod stories;
mod worlds;

use crate::desk::{Desk, at, call, messenger};
use serde_json::json;
use sqlx::{AssertSqlSafe, Row};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const MINNA: &str = "Minna Virtanen <minna@posti.example>";
pub(crate) const PEKKA: &str = "Pekka Laine <pekka@kirje.example>";
const PASS: &str = "dmarc=pass";
const FAIL: &str = "dmarc=fail";
pub(crate) const PHONE: &str = "0401234567";

/// Orders tried of a story with more deliveries than [`ALL_ORDERS_OF_MAX`].
const SHUFFLES: usize = 60;

/// All orders of so many deliveries are tried.
const ALL_ORDERS_OF_MAX: usize = 5;

/// One delivery.
#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) key: &'static str,
    pub(crate) channel: &'static str,
    pub(crate) at: String,
    pub(crate) body: String,
}

struct Story {
    name: &'static str,
    said: Vec<Said>,
    people: &'static str,
    tickets: &'static str,
}

fn story(name: &'static str, said: Vec<Said>, people: &'static str, tickets: &'static str) -> Story {
    Story { name, said, people, tickets }
}

/// `03-05 10:00` of 2026.
fn instant(day: &str) -> String {
    format!("2026-{}:00Z", day.replace(' ', "T"))
}

pub(crate) fn letter(key: &'static str, day: &str, from: &str, text: &str) -> Said {
    letter_with(key, day, from, PASS, "", text)
}

pub(crate) fn letter_with(key: &'static str, day: &str, from: &str, result: &str, headers: &str, text: &str) -> Said {
    let domain = from.rsplit_once('@').map_or("", |(_, domain)| domain.trim_end_matches('>'));
    let results = format!("{result} header.from={domain}");
    let date = at(&instant(day)).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
    let id = format!("{key}@{domain}");
    let body = crate::desk::mail(&id, from, &date, &results, headers, "Asia", &text.replace('\n', "\r\n"));
    Said { key, channel: "mail", at: instant(day), body }
}

/// A mail with a subject of its own.
pub(crate) fn titled(key: &'static str, day: &str, from: &str, subject: &str, text: &str) -> Said {
    let said = letter(key, day, from, text);
    Said { body: said.body.replacen("Subject: Asia", &format!("Subject: {subject}"), 1), ..said }
}

pub(crate) fn answer_to(key: &str) -> String {
    format!("In-Reply-To: <{key}>\r\n")
}

pub(crate) fn facebook(key: &'static str, day: &str, person: &str, text: &str) -> Said {
    Said { key, channel: "facebook", at: instant(day), body: messenger(key, person, &instant(day), text) }
}

pub(crate) fn phone(key: &'static str, day: &str, number: &str) -> Said {
    Said { key, channel: "phone", at: instant(day), body: call(number, &instant(day), key) }
}

pub(crate) fn browser(key: &'static str, day: &str, visitor: &str, text: &str) -> Said {
    let body = json!({"event_id": key, "type": "message", "conversation_id": key, "visitor": {"id": visitor},
        "text": text, "sent_at": instant(day)});
    Said { key, channel: "chat", at: instant(day), body: body.to_string() }
}

pub(crate) fn whatsapp(key: &'static str, day: &str, number: &str, name: &str, text: &str) -> Said {
    let seconds = at(&instant(day)).as_second().to_string();
    let message = json!({"id": key, "from": number, "timestamp": seconds, "type": "text", "text": {"body": text}});
    let contact = json!({"profile": {"name": name}, "wa_id": number});
    let value = json!({"messaging_product": "whatsapp", "metadata": {"display_phone_number": "358941234500"},
        "contacts": [contact], "messages": [message]});
    let body = json!({"object": "whatsapp_business_account",
        "entry": [{"id": "WABA", "changes": [{"field": "messages", "value": value}]}]});
    Said { key, channel: "whatsapp", at: instant(day), body: body.to_string() }
}

/// The platform says that somebody has another number.
pub(crate) fn changed_number(key: &'static str, day: &str, old: &str, new: &str) -> Said {
    let seconds = at(&instant(day)).as_second().to_string();
    let system = json!({"type": "user_changed_number", "wa_id": new, "body": "changed"});
    let message = json!({"id": key, "from": old, "timestamp": seconds, "type": "system", "system": system});
    let value = json!({"messaging_product": "whatsapp", "metadata": {"display_phone_number": "358941234500"},
        "messages": [message]});
    let body = json!({"object": "whatsapp_business_account",
        "entry": [{"id": "WABA", "changes": [{"field": "messages", "value": value}]}]});
    Said { key, channel: "whatsapp", at: instant(day), body: body.to_string() }
}

fn act(key: &'static str, day: &str, kind: &str, on: (&str, &str), more: serde_json::Value) -> Said {
    let on = json!({"channel": on.0, "source_key": on.1});
    let mut act = json!({"event_id": key, "type": kind, "on": on, "at": instant(day)});
    if let (Some(act), serde_json::Value::Object(more)) = (act.as_object_mut(), more) {
        act.extend(more);
    }
    Said { key, channel: "desk", at: instant(day), body: act.to_string() }
}

pub(crate) fn note(key: &'static str, day: &str, on: (&str, &str), text: &str) -> Said {
    act(key, day, "note", on, json!({ "text": text }))
}

pub(crate) fn close(key: &'static str, day: &str, on: (&str, &str)) -> Said {
    act(key, day, "close", on, json!({}))
}

pub(crate) fn reopen(key: &'static str, day: &str, on: (&str, &str)) -> Said {
    act(key, day, "reopen", on, json!({}))
}

/// An agent takes a ticket, or nobody has it any more.
pub(crate) fn assign(key: &'static str, day: &str, on: (&str, &str), owner: Option<&str>) -> Said {
    act(key, day, "assign", on, json!({ "owner": owner }))
}

/// The desk waits for the customer.
pub(crate) fn wait(key: &'static str, day: &str, on: (&str, &str)) -> Said {
    act(key, day, "await", on, json!({}))
}

/// It waits no longer.
pub(crate) fn resume(key: &'static str, day: &str, on: (&str, &str)) -> Said {
    act(key, day, "resume", on, json!({}))
}

/// An agent puts a ticket into a queue.
pub(crate) fn route(key: &'static str, day: &str, on: (&str, &str), queue: &str) -> Said {
    act(key, day, "route", on, json!({ "queue": queue }))
}

/// The mail that an agent sent, about a customer's mail.
fn answer(key: &'static str, day: &str, on: (&str, &str), to: &str) -> Said {
    let date = at(&instant(day)).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
    let mail = format!(
        "From: Kauppa <asiakaspalvelu@kauppa.example>\r\nTo: {to}\r\nSubject: Re: Asia\r\nDate: {date}\r\n\
         Message-ID: <{key}@kauppa.example>\r\nIn-Reply-To: <{}>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\nHei, asia on hoidossa.\r\n",
        on.1
    );
    act(key, day, "reply", on, json!({ "message": mail }))
}

/// The mail that an agent sent, about a customer's mail, and what it says.
pub(crate) fn told(key: &'static str, day: &str, on: (&str, &str), to: &str, text: &str) -> Said {
    let said = answer(key, day, on, to);
    Said { body: said.body.replacen("Hei, asia on hoidossa.", text, 1), ..said }
}

/// A desk with a channel of agents' acts.
pub(crate) async fn open() -> Desk {
    let rule = "\n[routing]\nqueues = [\"sales\"]\n[routing.rules.key]\nqueue = \"key\"\norganisations = [\"avain.example\"]\n";
    open_with(|config| config + rule).await
}

/// Such a desk with a configuration that is changed.
pub(crate) async fn open_with(change: impl FnOnce(String) -> String) -> Desk {
    let acts = "[channels.desk]\nkind = \"desk\"\nsecret = { env = \"WHSEC\" }\n[channels.mail]";
    Desk::open_with(|config| change(config.replace("[channels.mail]", acts))).await
}

/// Everything is forgotten, as if the desk had just been opened.
pub(crate) async fn forget(desk: &Desk) {
    let tables = "ticket_participant identity contact raw_event raw_pending seen cursor quarantine tombstone fact edge \
        contact_link alias suggestion ticket ticket_reference ticket_event early_update message attachment media_job \
        raw_item decision lane outbox link profile sender_check early_act reconsider former_identity";
    let sql: String = tables.split_whitespace().map(|table| format!("DELETE FROM {table};")).collect();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&desk.store.pool).await.expect("empty tables");
}

pub(crate) async fn play(desk: &Desk, said: &[&Said], is_one_batch: bool) {
    let mut received = said[0].at.clone();
    for said in said {
        received = received.max(said.at.clone());
        desk.deliver(said.channel, &received, said.body.as_str()).await;
        if !is_one_batch {
            desk.decide().await;
        }
    }
    desk.decide().await;
}

pub(crate) async fn texts(desk: &Desk, sql: &str) -> Vec<String> {
    let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&desk.store.pool).await;
    rows.unwrap_or_else(|error| panic!("{sql}: {error}")).iter().map(|row| row.get(0)).collect()
}

/// Messages by what they share, as a story writes it.
async fn groups(desk: &Desk, sql: &'static str) -> String {
    let rows = sqlx::query(sql).fetch_all(&desk.store.pool).await.expect(sql);
    let mut groups: BTreeMap<String, (BTreeSet<String>, String)> = BTreeMap::new();
    for row in &rows {
        let (key, word): (String, String) = (row.get("key"), row.get("word"));
        let group = groups.entry(row.get("of")).or_default();
        group.0.insert(key.split_once('@').map_or(key.clone(), |(key, _)| key.to_owned()));
        group.1 = word;
    }
    let shown = |(keys, word): (BTreeSet<String>, String)| {
        keys.into_iter().chain(Some(word).filter(|word| !word.is_empty())).collect::<Vec<_>>().join(" ")
    };
    let mut shown: Vec<String> = groups.into_values().map(shown).collect();
    shown.sort();
    shown.join(" | ")
}

/// A story's groups in the spelling of [`groups`].
pub(crate) fn sorted(groups: &str) -> String {
    let mut groups: Vec<String> = groups
        .split('|')
        .map(|group| {
            let mut keys: Vec<&str> = group.split_whitespace().collect();
            keys.sort_by_key(|key| (key.starts_with('('), *key));
            keys.join(" ")
        })
        .collect();
    groups.sort();
    groups.join(" | ")
}

/// Whose the messages are, and on which tickets.
pub(crate) async fn end(desk: &Desk) -> (String, String) {
    let people = "SELECT m.source_key AS key, coalesce(i.contact_id, m.id)::text AS of,
            CASE WHEN coalesce(c.kind, 'person') = 'person' THEN '' ELSE '(' || c.kind || ')' END AS word
        FROM message m LEFT JOIN identity i ON i.id = m.identity_id LEFT JOIN contact c ON c.id = i.contact_id";
    let tickets = "SELECT m.source_key AS key, m.ticket_id::text AS of,
            coalesce('(' || nullif(concat_ws(':', nullif(t.state, 'open'), t.owner,
                CASE WHEN t.awaited_since IS NOT NULL THEN 'awaited' END, nullif(t.queue, 'support')), '') || ')', '') AS word
        FROM message m JOIN ticket t ON t.id = m.ticket_id";
    (groups(desk, people).await, groups(desk, tickets).await)
}

/// What is suggested: by which message, of what, by which other message.
async fn suggested(desk: &Desk) -> Vec<String> {
    let sql = "SELECT concat_ws(' ', s.target_kind, split_part(m.source_key, '@', 1), split_part(b.source_key, '@', 1), s.class) AS line
        FROM suggestion s JOIN message m ON m.id = s.message_id JOIN message b ON b.id = s.by_message WHERE s.state = 'open' ORDER BY line";
    texts(desk, sql).await
}

/// What must never be, whatever came: each statement finds nothing.
const NEVER: &[(&str, &str)] = &[
    (
        "an identity of a contact that is gone",
        "SELECT i.value FROM identity i LEFT JOIN contact c ON c.id = i.contact_id WHERE c.id IS NULL OR c.merged_into IS NOT NULL",
    ),
    (
        "a message on a ticket that is gone",
        "SELECT m.source_key FROM message m LEFT JOIN ticket t ON t.id = m.ticket_id
         WHERE m.ticket_id IS NOT NULL AND (t.id IS NULL OR t.merged_into IS NOT NULL)",
    ),
    (
        "a reference to a ticket that is gone",
        "SELECT r.kind FROM ticket_reference r LEFT JOIN ticket t ON t.id = r.ticket_id
         WHERE r.ticket_id IS NOT NULL AND (t.id IS NULL OR t.merged_into IS NOT NULL)",
    ),
    (
        "a reference elsewhere than its message",
        "SELECT m.source_key || ' ' || r.kind FROM ticket_reference r JOIN message m ON m.id = r.message_id
         WHERE r.ticket_id IS DISTINCT FROM m.ticket_id AND r.kind NOT IN ('wanted', 'doubted')",
    ),
    (
        "a last ticket that is gone",
        "SELECT i.value FROM identity i LEFT JOIN alias a ON a.id = i.last_ticket
            LEFT JOIN ticket t ON t.id = coalesce(a.now, i.last_ticket)
         WHERE i.last_ticket IS NOT NULL AND (t.id IS NULL OR t.merged_into IS NOT NULL)",
    ),
    (
        "a last ticket that is not that of the last message",
        "SELECT i.value FROM identity i LEFT JOIN alias a ON a.id = i.last_ticket
         WHERE coalesce(a.now, i.last_ticket) IS DISTINCT FROM (SELECT m.ticket_id FROM message m
            WHERE m.identity_id = i.id AND m.ticket_id IS NOT NULL ORDER BY m.occurred_at DESC, m.id DESC LIMIT 1)",
    ),
    (
        "a participant or ticket of participants that is gone",
        "SELECT p.entitled_by FROM ticket_participant p JOIN contact c ON c.id = p.contact_id JOIN ticket t ON t.id = p.ticket_id
         WHERE c.merged_into IS NOT NULL OR t.merged_into IS NOT NULL",
    ),
    (
        "somebody who speaks on a ticket and takes no part in it",
        "SELECT m.source_key FROM message m JOIN identity i ON i.id = m.identity_id WHERE m.ticket_id IS NOT NULL AND m.auto IS NULL
         AND NOT EXISTS (SELECT 1 FROM ticket_participant p WHERE p.ticket_id = m.ticket_id AND p.contact_id = i.contact_id)",
    ),
    (
        "somebody who takes part in a ticket and says nothing there",
        "SELECT p.entitled_by FROM ticket_participant p WHERE NOT EXISTS (SELECT 1 FROM message m JOIN identity i ON i.id = m.identity_id
            WHERE m.ticket_id = p.ticket_id AND p.contact_id = i.contact_id)",
    ),
    (
        "a contact that stands and has no address, or is gone and has one",
        "SELECT c.id::text FROM contact c WHERE (c.merged_into IS NULL) <> EXISTS (SELECT 1 FROM identity i WHERE i.contact_id = c.id)",
    ),
    (
        "a ticket that stands and has no message, or is gone and has one",
        "SELECT t.title FROM ticket t WHERE (t.merged_into IS NULL) <> EXISTS (SELECT 1 FROM message m WHERE m.ticket_id = t.id)",
    ),
    (
        "a contact without the id of its oldest identity",
        "SELECT contact_id::text FROM identity GROUP BY contact_id HAVING min(id::text) <> contact_id::text",
    ),
    (
        "a ticket without the id of the oldest that its messages opened",
        "SELECT t.title FROM ticket t WHERE t.merged_into IS NULL AND NOT t.held AND t.number <> (SELECT min(o.number) FROM ticket o
            JOIN message m ON m.id = o.opened_by WHERE m.ticket_id = t.id)",
    ),
    (
        "an id that was given out and leads nowhere",
        "SELECT g.id::text FROM (SELECT id, merged_into FROM contact UNION ALL SELECT id, merged_into FROM ticket) g
            LEFT JOIN alias a ON a.id = g.id WHERE a.now IS DISTINCT FROM g.merged_into",
    ),
    (
        "an alias of what is gone itself",
        "SELECT a.object FROM alias a WHERE NOT EXISTS (SELECT 1 FROM contact c WHERE c.id = a.now AND c.merged_into IS NULL AND a.object = 'contact')
            AND NOT EXISTS (SELECT 1 FROM ticket t WHERE t.id = a.now AND t.merged_into IS NULL AND a.object = 'ticket')",
    ),
    (
        "an open suggestion of somebody to himself",
        "SELECT s.says::text FROM suggestion s JOIN message m ON m.id = s.message_id JOIN identity i ON i.id = m.identity_id
            LEFT JOIN alias a ON a.id = s.target WHERE s.state = 'open' AND s.target_kind = 'contact' AND coalesce(a.now, s.target) = i.contact_id",
    ),
    (
        "an open suggestion of a ticket to itself",
        "SELECT s.says::text FROM suggestion s JOIN message m ON m.id = s.message_id LEFT JOIN alias a ON a.id = s.target
         WHERE s.state = 'open' AND s.target_kind = 'ticket' AND coalesce(a.now, s.target) = m.ticket_id",
    ),
    (
        "a number that does not lead to a ticket on which it is named",
        "SELECT m.source_key FROM message m JOIN fact f ON f.message_id = m.id AND f.kind = 'number' WHERE m.ticket_id IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM ticket_reference r WHERE r.key_hash = f.key_hash AND r.ticket_id = m.ticket_id)",
    ),
    (
        "a lane with a gap",
        "SELECT l.last_sequence::text || ' of ' || count(o.id)::text FROM lane l LEFT JOIN outbox o ON o.ticket_id = l.ticket_id AND o.mirror = l.mirror
         GROUP BY l.ticket_id, l.mirror, l.last_sequence
         HAVING count(o.id) <> l.last_sequence OR max(o.sequence) <> l.last_sequence OR count(DISTINCT o.sequence) <> l.last_sequence",
    ),
    (
        "a move of which the source does not hear before the target",
        "SELECT o.change FROM outbox o LEFT JOIN outbox b ON b.id = o.after_id
         WHERE o.after_id IS NOT NULL AND (b.id IS NULL OR b.ticket_id <> o.other_ticket OR b.other_ticket <> o.ticket_id OR b.change <> o.change
            OR b.message_id IS DISTINCT FROM o.message_id OR b.mirror <> o.mirror)",
    ),
    ("somebody who waits to be decided on", "SELECT tenant FROM reconsider"),
    ("a delivery in quarantine", "SELECT code FROM quarantine"),
];

pub(crate) async fn unsound(desk: &Desk) -> Vec<String> {
    let mut found = Vec::new();
    for (what, sql) in NEVER {
        found.extend(texts(desk, sql).await.into_iter().map(|row| format!("{what}: {row}")));
    }
    found
}

/// The rows that deciding anew may write.
pub(crate) async fn rows(desk: &Desk) -> Vec<String> {
    let tables = [
        "contact",
        "identity",
        "fact",
        "contact_link",
        "alias",
        "ticket",
        "ticket_participant",
        "ticket_reference",
        "ticket_event",
        "message",
        "decision",
        "lane",
        "outbox",
        "suggestion",
        "former_identity",
    ];
    let sql: Vec<String> =
        tables.iter().map(|table| format!("SELECT '{table} ' || t::text AS line FROM {table} t")).collect();
    let edges = "SELECT concat_ws(' ', 'edge', identity_a, identity_b, class, state) AS line FROM edge";
    texts(desk, &format!("{} UNION ALL {edges} ORDER BY line", sql.join(" UNION ALL "))).await
}

/// Everybody is decided on anew.
pub(crate) async fn anew(desk: &Desk) {
    sqlx::query(
        "INSERT INTO reconsider (contact_id, tenant, quiet, since) SELECT id, tenant, false, now() FROM contact",
    )
    .execute(&desk.store.pool)
    .await
    .expect("due");
    desk.decide().await;
}

/// What is wrong after a play, a line each.
async fn faults(desk: &Desk, story: &Story) -> Vec<String> {
    let (people, tickets) = end(desk).await;
    let mut faults = Vec::new();
    if people != sorted(story.people) {
        faults.push(format!("people are {people}"));
    }
    if tickets != sorted(story.tickets) {
        faults.push(format!("tickets are {tickets}"));
    }
    faults.extend(unsound(desk).await);
    let before = rows(desk).await;
    anew(desk).await;
    let after = rows(desk).await;
    if before != after {
        let gone = before.iter().filter(|row| !after.contains(row)).map(|row| format!("- {row}"));
        let new = after.iter().filter(|row| !before.contains(row)).map(|row| format!("+ {row}"));
        faults.push("deciding anew changes something".to_owned());
        if std::env::var_os("LATE_ROWS").is_some() {
            eprintln!("{}", gone.chain(new).collect::<Vec<_>>().join("\n"));
        }
    }
    faults
}

fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = vec![Vec::new()];
    if count <= ALL_ORDERS_OF_MAX {
        for _ in 0..count {
            let longer = |order: &Vec<usize>| -> Vec<Vec<usize>> {
                let next = (0..count).filter(|n| !order.contains(n));
                next.map(|n| [order.as_slice(), &[n]].concat()).collect()
            };
            all = all.iter().flat_map(longer).collect();
        }
        return all;
    }
    let mut seed: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut order: Vec<usize> = (0..count).collect();
    all = vec![order.clone()];
    for _ in 1..SHUFFLES {
        for n in (1..count).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(n, usize::try_from(seed >> 33).unwrap_or(0) % (n + 1));
        }
        all.push(order.clone());
    }
    all
}

/// Plays a story in all orders. Gives what went wrong: the fault, and in which orders.
async fn attempt(story: &Story) -> BTreeMap<String, Vec<String>> {
    let desk = open().await;
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut first: Option<Vec<String>> = None;
    for order in orders(story.said.len()) {
        for is_one_batch in [false, true] {
            forget(&desk).await;
            let said: Vec<&Said> = order.iter().map(|n| &story.said[*n]).collect();
            play(&desk, &said, is_one_batch).await;
            let keys: Vec<&str> = said.iter().map(|said| said.key).collect();
            let shown = format!("{}{}", keys.join(","), if is_one_batch { " in one batch" } else { "" });
            let suggested = suggested(&desk).await;
            let expected = first.get_or_insert_with(|| suggested.clone());
            let other = (*expected != suggested).then(|| format!("suggestions are {suggested:?}, not {expected:?}"));
            for fault in faults(&desk, story).await.into_iter().chain(other) {
                found.entry(fault).or_default().push(shown.clone());
            }
        }
    }
    found
}

async fn check(story: Story) {
    let found = attempt(&story).await;
    let shown: Vec<String> = found
        .iter()
        .map(|(fault, orders)| {
            format!("{fault}\n    in {} orders, as {}", orders.len(), orders[..orders.len().min(4)].join("; "))
        })
        .collect();
    assert!(
        found.is_empty(),
        "{}: people {}, tickets {} are wanted\n{}",
        story.name,
        sorted(story.people),
        sorted(story.tickets),
        shown.join("\n")
    );
}

pub(crate) const ORDER: &str = "Tilaus 40012345 puuttuu.\n\nT. Minna Virtanen";
