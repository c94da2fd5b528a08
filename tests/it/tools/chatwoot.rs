//! Chatwoot on loopback, after its documents (developers.chatwoot.com/api-reference) and its sources: see
//! `src/pure/mirrors/chatwoot.rs`.

use super::{Asked, Fault, SECRET, Shown, Tool, one_of, only};
use hmac::{Hmac, KeyInit, Mac};
use lanka::pure::domain::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;
use std::time::Duration;

/// The token's user, and the agent who answers.
const LANKA: u64 = 3;
const EMMA: u64 = 7;
const INBOX: u64 = 5;

/// Chatwoot.
#[derive(Default)]
pub struct Chatwoot {
    contacts: Vec<Value>,
    conversations: Vec<Value>,
    messages: Vec<Value>,
}

const CONTACT: [(&str, &str); 9] = [
    ("inbox_id", "number"),
    ("name", "text"),
    ("email", "any"),
    ("phone_number", "any"),
    ("identifier", "any"),
    ("blocked", "bool"),
    ("custom_attributes", "object"),
    ("additional_attributes", "object"),
    ("source_id", "text"),
];

const CONVERSATION: [(&str, &str); 8] = [
    ("source_id!", "text"),
    ("inbox_id!", "number"),
    ("contact_id!", "number"),
    ("status", "text"),
    ("assignee_id", "number"),
    ("team_id", "number"),
    ("custom_attributes", "object"),
    ("additional_attributes", "object"),
];

const MESSAGE: [(&str, &str); 8] = [
    ("content", "text"),
    ("message_type", "text"),
    ("private", "bool"),
    ("content_type", "text"),
    ("content_attributes", "object"),
    ("source_id", "text"),
    ("echo_id", "text"),
    ("attachments[]", "list"),
];

fn merge(into: &mut Value, from: &Value) {
    for (key, value) in from.as_object().into_iter().flatten() {
        match (into[key].is_object(), value.is_object()) {
            (true, true) => merge(&mut into[key], value),
            _ => into[key] = value.clone(),
        }
    }
}

fn id(value: &Value) -> u64 {
    value["id"].as_u64().unwrap_or_default()
}

fn not_found() -> (u16, Value) {
    (404, json!({"error": "Resource could not be found"}))
}

/// The fields of a form; a file is its name, in a list.
fn of_form(asked: &Asked) -> Result<Value, String> {
    let boundary = asked.header("content-type").split_once("boundary=").ok_or("a form without a boundary")?.1;
    let body = String::from_utf8_lossy(&asked.body);
    let mut fields = json!({});
    let parts: Vec<&str> = body.split(&format!("--{boundary}")).collect();
    if parts.last().is_none_or(|last| last.trim() != "--") {
        return Err("the form has no end".to_owned());
    }
    for part in &parts[1..parts.len() - 1] {
        let (head, value) = part.split_once("\r\n\r\n").ok_or("a part without a head")?;
        let value = value.strip_suffix("\r\n").ok_or("a part without an end")?;
        let name =
            head.split("name=\"").nth(1).and_then(|rest| rest.split('"').next()).ok_or("a part without a name")?;
        match head.split("filename=\"").nth(1).and_then(|rest| rest.split('"').next()) {
            Some(file) => {
                let mut files = fields[name].as_array().cloned().unwrap_or_default();
                files.push(file.into());
                fields[name] = files.into();
            }
            None if name == "content_attributes" => {
                fields[name] = serde_json::from_str(value).map_err(|_| "content_attributes is no JSON")?;
            }
            None if name == "private" => fields[name] = (value == "true").into(),
            None => fields[name] = value.into(),
        }
    }
    Ok(fields)
}

/// A conversation changed.
fn touch(conversation: &mut Value) {
    let now = Timestamp::now();
    conversation["updated_at"] = (now.as_microsecond() as f64 / 1_000_000.0).into();
    conversation["last_activity_at"] = now.as_second().into();
}

impl Chatwoot {
    /// A field of a conversation is another.
    fn altered(&mut self, ticket: &str, key: &str, value: Value) {
        let of = id(self.of(ticket).expect("a conversation"));
        let found = self.conversations.iter_mut().find(|found| id(found) == of).expect("it");
        match key {
            "team" => found["meta"] = json!({ "team": value }),
            key => found[key] = value,
        }
        touch(found);
    }

    /// Priority, team or labels of a conversation.
    fn set(&mut self, asked: &Asked, on: u64, what: &str) -> Result<(u16, Value), String> {
        let body = asked.json();
        let Some(found) = self.conversations.iter_mut().find(|found| id(found) == on) else { return Ok(not_found()) };
        match what {
            "toggle_priority" => {
                only(&body, &[("priority!", "text")])?;
                one_of(&body["priority"], &["urgent", "high", "medium", "low"])?;
                found["priority"] = body["priority"].clone();
            }
            "assignments" => {
                only(&body, &[("team_id!", "number")])?;
                one_of(&body["team_id"].to_string().into(), &["0", "3"])?;
                found["meta"] = json!({"team": if body["team_id"] == 3 { json!({"id": 3}) } else { Value::Null }});
            }
            _ => {
                only(&body, &[("labels!", "list")])?;
                found["labels"] = body["labels"].clone();
            }
        }
        touch(found);
        Ok((200, if what == "toggle_priority" { Value::Null } else { json!({"payload": found["labels"]}) }))
    }

    /// An agent gives a conversation another status.
    fn given(&mut self, ticket: &str, status: &str) -> Value {
        let on = self.of(ticket).expect("a conversation");
        let (on, before) = (id(on), on["status"].clone());
        self.turn(on, &status.into()).expect("it");
        let changed = json!([{"status": {"previous_value": before, "current_value": status}}]);
        self.changed(ticket, Value::Null, changed, "conversation_status_changed")
    }

    /// What Chatwoot tells of a conversation that changed.
    fn changed(&self, ticket: &str, assignee: Value, changed: Value, event: &str) -> Value {
        let of = self.of(ticket).expect("a conversation");
        json!({"additional_attributes": {}, "can_reply": true, "channel": "Channel::Api", "id": id(of), "inbox_id": INBOX, "messages": [],
            "meta": {"assignee": assignee, "team": null}, "status": of["status"], "unread_count": 0,
            "timestamp": Timestamp::now().as_second(), "updated_at": of["updated_at"], "changed_attributes": changed, "event": event})
    }

    fn contact(&mut self, asked: &Asked, of: Option<u64>) -> Result<(u16, Value), String> {
        let body = asked.json();
        only(&body, &CONTACT)?;
        let taken = |key: &str| {
            let value = &body[key];
            !value.is_null() && self.contacts.iter().any(|contact| contact[key] == *value && Some(id(contact)) != of)
        };
        for key in ["email", "phone_number", "identifier"] {
            if taken(key) {
                return Ok((422, json!({"message": format!("{key} has already been taken"), "attributes": [key]})));
            }
        }
        if let Some(phone) = body["phone_number"].as_str()
            && !(phone.starts_with('+') && phone[1..].bytes().all(|byte| byte.is_ascii_digit()) && phone.len() <= 16)
        {
            return Ok((
                422,
                json!({"message": "Phone number should be in e164 format", "attributes": ["phone_number"]}),
            ));
        }
        if let Some(of) = of {
            let Some(contact) = self.contacts.iter_mut().find(|contact| id(contact) == of) else {
                return Ok(not_found());
            };
            merge(contact, &body);
            return Ok((200, json!({"payload": contact})));
        }
        if body["inbox_id"] != INBOX {
            return Err("inbox_id is missing, or another's".to_owned());
        }
        let mut contact =
            json!({"id": 10 + self.contacts.len(), "email": null, "phone_number": null, "custom_attributes": {}});
        merge(&mut contact, &body);
        self.contacts.push(contact.clone());
        Ok((
            200,
            json!({"payload": {"contact": contact, "contact_inbox": {"source_id": body["source_id"], "inbox": {"id": INBOX}}}}),
        ))
    }

    fn filter(asked: &Asked, among: &[Value]) -> Result<Vec<Value>, String> {
        let body = asked.json();
        only(&body, &[("payload!", "list")])?;
        let mut found = among.to_vec();
        for wanted in body["payload"].as_array().into_iter().flatten() {
            only(
                wanted,
                &[
                    ("attribute_key!", "text"),
                    ("attribute_model", "text"),
                    ("filter_operator!", "text"),
                    ("values!", "list"),
                    ("query_operator!", "any"),
                    ("custom_attribute_type", "text"),
                ],
            )?;
            one_of(&wanted["filter_operator"], &["equal_to"])?;
            let key = wanted["attribute_key"].as_str().unwrap_or_default();
            let is_custom = wanted["attribute_model"] == "custom_attribute";
            found.retain(|one| {
                let value = if is_custom { &one["custom_attributes"][key] } else { &one[key] };
                wanted["values"].as_array().is_some_and(|values| values.contains(value))
            });
        }
        Ok(found)
    }

    fn conversation(&mut self, asked: &Asked) -> Result<(u16, Value), String> {
        let body = asked.json();
        only(&body, &CONVERSATION)?;
        one_of(&body["status"], &["open", "resolved", "pending", "snoozed"])?;
        if body["inbox_id"] != INBOX || !self.contacts.iter().any(|contact| contact["id"] == body["contact_id"]) {
            return Ok(not_found());
        }
        let mut conversation =
            json!({"id": 1 + self.conversations.len(), "labels": [], "priority": null, "meta": {"team": null}});
        merge(&mut conversation, &body);
        touch(&mut conversation);
        self.conversations.push(conversation.clone());
        Ok((200, conversation))
    }

    fn message(&mut self, asked: &Asked, on: u64) -> Result<(u16, Value), String> {
        let body = if asked.header("content-type").starts_with("multipart/") { of_form(asked)? } else { asked.json() };
        only(&body, &MESSAGE)?;
        one_of(&body["message_type"], &["outgoing", "incoming"])?;
        let files = body["attachments[]"].as_array().map_or(0, Vec::len);
        let content = body["content"].as_str().unwrap_or_default();
        if content.chars().count() > 150_000 || (content.is_empty() && files == 0) || files > 15 {
            return Err("content is missing, or too long".to_owned());
        }
        if body["message_type"] == "incoming" && body["private"] == true {
            return Err("an incoming message for agents alone".to_owned());
        }
        let Some(conversation) = self.conversations.iter_mut().find(|found| id(found) == on) else {
            return Ok(not_found());
        };
        if body["message_type"] == "incoming" && conversation["status"] != "open" {
            conversation["status"] = "open".into();
            touch(conversation);
        }
        Ok((200, self.add(&body, on, LANKA)))
    }

    fn add(&mut self, body: &Value, on: u64, by: u64) -> Value {
        let mut message = json!({"id": 100 + self.messages.len(), "conversation_id": on, "inbox_id": INBOX, "status": "sent",
            "private": false, "source_id": null, "content_attributes": {}, "created_at": Timestamp::now().as_second(), "by": by});
        merge(&mut message, body);
        self.messages.push(message.clone());
        if let Some(conversation) = self.conversations.iter_mut().find(|found| id(found) == on) {
            // Without a look at `updated_at`: `app/models/message.rb`.
            conversation["last_activity_at"] = Timestamp::now().as_second().into();
        }
        message
    }

    /// A new status leaves an activity message.
    fn turn(&mut self, on: u64, status: &Value) -> Option<Value> {
        let conversation = self.conversations.iter_mut().find(|found| id(found) == on)?;
        conversation["status"] = status.clone();
        touch(conversation);
        let conversation = conversation.clone();
        self.add(&json!({"content": "The status changed", "message_type": "activity"}), on, 0);
        Some(conversation)
    }

    /// `GET /conversations`: 25 a page.
    fn list(&self, asked: &Asked) -> Result<(u16, Value), String> {
        let query: Vec<(&str, &str)> = asked.query.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let inbox = INBOX.to_string();
        let [("inbox_id", of), ("page", page), ("sort_by", "last_activity_at_desc"), ("status", "all")] = query[..]
        else {
            return Err(format!("the list is asked for by {query:?}"));
        };
        let page: usize = page.parse().ok().filter(|page| *page > 0).ok_or("page is no number")?;
        let mut found: Vec<&Value> = self.conversations.iter().filter(|_| of == inbox).collect();
        found.sort_by_key(|found| std::cmp::Reverse((found["last_activity_at"].as_i64(), id(found))));
        let rows: Vec<&Value> = found.into_iter().skip((page - 1) * 25).take(25).collect();
        Ok((200, json!({"data": {"meta": {"all_count": self.conversations.len()}, "payload": rows}})))
    }

    /// A message as lists have it.
    fn listed(&self, message: &Value) -> Value {
        let mut listed = message.clone();
        let kinds = ["incoming", "outgoing", "activity"];
        listed["message_type"] = kinds.iter().position(|kind| message["message_type"] == *kind).into();
        if message["message_type"] != "activity" {
            listed["sender"] = self.hook(message)["sender"].clone();
        }
        listed
    }

    fn page(&self, asked: &Asked, on: u64) -> Result<(u16, Value), String> {
        if let Some(other) = asked.query.keys().find(|key| !matches!(key.as_str(), "after" | "before")) {
            return Err(format!("messages are not asked for by {other}"));
        }
        let place = |key: &str| match asked.query.get(key) {
            Some(value) => value.parse::<u64>().map(Some).map_err(|_| format!("{key} is no number")),
            None => Ok(None),
        };
        let of_it = self.messages.iter().filter(|message| message["conversation_id"] == on);
        let page: Vec<Value> = match (place("after")?, place("before")?) {
            (Some(after), None) => {
                of_it.filter(|message| id(message) > after).take(100).map(|one| self.listed(one)).collect()
            }
            // The latest, or those before one.
            (None, before) => {
                let of_it = of_it.filter(|message| before.is_none_or(|before| id(message) < before));
                let mut latest: Vec<Value> = of_it.rev().take(20).map(|one| self.listed(one)).collect();
                latest.reverse();
                latest
            }
            _ => return Err("after and before are not asked for together".to_owned()),
        };
        Ok((200, json!({"meta": {}, "payload": page})))
    }

    fn change(&mut self, asked: &Asked, of: u64) -> Result<(u16, Value), String> {
        let Some(message) = self.messages.iter_mut().find(|message| id(message) == of) else { return Ok(not_found()) };
        if asked.method == "DELETE" {
            message["content"] = "This message was deleted".into();
            message["content_attributes"] = json!({"deleted": true});
            return Ok((200, Value::Null));
        }
        let body = asked.json();
        only(&body, &[("status!", "text"), ("external_error", "text")])?;
        one_of(&body["status"], &["sent", "delivered", "read", "failed"])?;
        merge(message, &body);
        Ok((200, message.clone()))
    }

    fn toggle(&mut self, asked: &Asked, on: u64) -> Result<(u16, Value), String> {
        let body = asked.json();
        only(&body, &[("status!", "text"), ("snoozed_until", "number")])?;
        one_of(&body["status"], &["open", "resolved", "pending", "snoozed"])?;
        if self.turn(on, &body["status"]).is_none() {
            return Ok(not_found());
        }
        Ok((
            200,
            json!({"meta": {}, "payload": {"success": true, "current_status": body["status"], "conversation_id": on}}),
        ))
    }

    fn of(&self, ticket: &str) -> Option<&Value> {
        self.conversations.iter().find(|found| found["custom_attributes"]["lanka_ticket"] == ticket)
    }

    fn hook(&self, message: &Value) -> Value {
        let on = self
            .conversations
            .iter()
            .find(|found| found["id"] == message["conversation_id"])
            .cloned()
            .unwrap_or_default();
        let sender = match (message["message_type"].as_str(), message["by"].as_u64()) {
            (Some("incoming"), _) => json!({"id": on["contact_id"], "name": "Minna", "type": "contact"}),
            (_, Some(EMMA)) => {
                json!({"id": EMMA, "name": "Emma Taylor", "email": "emma@kauppa.example", "type": "user"})
            }
            _ => json!({"id": LANKA, "name": "lanka", "type": "user"}),
        };
        json!({"account": {"id": 1, "name": "Kauppa"}, "additional_attributes": {}, "content_attributes": message["content_attributes"],
            "content_type": "text", "content": message["content"], "conversation": on, "created_at": Timestamp::now().to_string(),
            "id": message["id"], "inbox": {"id": INBOX, "name": "lanka"}, "message_type": message["message_type"],
            "private": message["private"], "sender": sender, "source_id": message["source_id"], "event": "message_created"})
    }
}

impl Tool for Chatwoot {
    /// Times of conversations are whole seconds.
    const TICK: Duration = Duration::from_secs(1);

    fn config(name: &str, url: &str) -> String {
        format!(
            "[mirrors.{name}]\nkind = \"chatwoot\"\nurl = \"{url}\"\naccount = 1\ninbox = {INBOX}\ntoken = {{ env = \"SECRET\" }}\n\
             webhook_secret = {{ env = \"SECRET\" }}\ntimeout_s = 1\nqueues = {{ feedback = 3 }}\n\n"
        )
    }

    fn answer(&mut self, asked: &Asked) -> Result<(u16, Value), String> {
        if asked.header("api_access_token") != SECRET {
            return Ok((401, json!({"error": "Invalid Access Token"})));
        }
        let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
        let ["api", "v1", "accounts", "1", path @ ..] = &path[..] else { return Err("no such path".to_owned()) };
        let number = |text: &str| text.parse::<u64>().map_err(|_| format!("{text} is no id"));
        match (asked.method.as_str(), path) {
            ("POST", ["contacts", "filter"]) => {
                Ok((200, json!({"meta": {}, "payload": Self::filter(asked, &self.contacts)?})))
            }
            ("POST", ["contacts"]) => self.contact(asked, None),
            ("PUT", ["contacts", of]) => self.contact(asked, Some(number(of)?)),
            ("POST", ["conversations", "filter"]) => {
                Ok((200, json!({"meta": {}, "payload": Self::filter(asked, &self.conversations)?})))
            }
            ("GET", ["conversations"]) => self.list(asked),
            ("POST", ["conversations"]) => self.conversation(asked),
            ("GET", ["conversations", of]) => {
                let of = number(of)?;
                let found = self.conversations.iter().find(|found| id(found) == of);
                Ok(found.map_or_else(not_found, |found| (200, found.clone())))
            }
            ("GET", ["conversations", on, "messages"]) => self.page(asked, number(on)?),
            ("POST", ["conversations", on, "messages"]) => self.message(asked, number(on)?),
            ("PATCH" | "DELETE", ["conversations", _, "messages", of]) => self.change(asked, number(of)?),
            ("POST", ["conversations", on, what @ ("toggle_priority" | "assignments" | "labels")]) => {
                self.set(asked, number(on)?, what)
            }
            ("POST", ["conversations", on, "toggle_status"]) => self.toggle(asked, number(on)?),
            _ => Err("no such path".to_owned()),
        }
    }

    fn thread(&self, ticket: &str) -> Vec<Shown> {
        let Some(on) = self.of(ticket) else { return Vec::new() };
        let of_it = self
            .messages
            .iter()
            .filter(|message| message["conversation_id"] == on["id"] && message["message_type"] != "activity");
        let shown = of_it.map(|message| Shown {
            id: id(message),
            stamp: message["content_attributes"]["lanka"].clone(),
            // As it is shown: Markdown's escapes are not.
            text: message["content"].as_str().unwrap_or_default().replace('\\', ""),
            is_note: message["private"] == true,
            is_customers: message["message_type"] == "incoming",
            files: message["attachments[]"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|file| file.as_str().unwrap_or_default().to_owned())
                .collect(),
        });
        shown.collect()
    }

    fn state(&self, ticket: &str) -> String {
        self.of(ticket).and_then(|found| found["status"].as_str()).unwrap_or_default().to_owned()
    }

    fn people(&self) -> Vec<String> {
        self.contacts.iter().chain(&self.messages).map(ToString::to_string).collect()
    }

    fn write(&mut self, ticket: &str, text: &str, is_note: bool) -> Value {
        let on = id(self.of(ticket).expect("a conversation"));
        let message = self.add(&json!({"content": text, "message_type": "outgoing", "private": is_note}), on, EMMA);
        self.hook(&message)
    }

    fn close(&mut self, ticket: &str) -> Value {
        self.given(ticket, "resolved")
    }

    fn reopen(&mut self, ticket: &str) -> Value {
        self.given(ticket, "open")
    }

    fn assign(&mut self, ticket: &str, is_taken: bool) -> Value {
        let emma = json!({"id": EMMA, "name": "Emma Taylor", "available_name": "Emma", "type": "user"});
        let (assignee, taker) = if is_taken { (emma, json!(EMMA)) } else { (Value::Null, Value::Null) };
        let of = id(self.of(ticket).expect("a conversation"));
        touch(self.conversations.iter_mut().find(|found| id(found) == of).expect("it"));
        let changed = json!([{"assignee_id": {"previous_value": null, "current_value": taker}}, {"updated_at": {}}]);
        self.changed(ticket, assignee, changed, "conversation_updated")
    }

    fn awaits(&mut self, ticket: &str) -> Value {
        self.given(ticket, "snoozed")
    }

    fn put(&mut self, ticket: &str) -> Value {
        self.altered(ticket, "team", json!({"id": 3, "name": "feedback"}));
        let changed = json!([{"team_id": {"previous_value": null, "current_value": 3}}]);
        let mut told = self.changed(ticket, Value::Null, changed, "conversation_updated");
        told["meta"]["team"] = json!({"id": 3, "name": "feedback"});
        told
    }

    fn calm(&mut self, ticket: &str) {
        self.altered(ticket, "priority", json!("low"));
    }

    fn fields(&self, ticket: &str) -> String {
        let of = self.of(ticket).expect("a conversation");
        let group = if of["meta"]["team"]["id"] == 3 { "Feedback" } else { "Support" };
        let priority = match of["priority"].as_str() {
            None | Some("medium") => "normal",
            Some(other) => other,
        };
        super::fields_of(group, priority, of["labels"].as_array().into_iter().flatten().filter_map(Value::as_str))
    }

    fn last(&mut self, ticket: &str) -> Value {
        let on = id(self.of(ticket).expect("a conversation"));
        let told = |message: &&Value| message["conversation_id"] == on && message["message_type"] != "activity";
        let message = self.messages.iter().rev().find(told).expect("a message");
        self.hook(message)
    }

    fn bustle(&mut self, threads: usize) {
        for _ in 0..threads {
            let mut conversation = json!({"id": 1 + self.conversations.len(), "inbox_id": INBOX, "status": "resolved",
                "custom_attributes": {}});
            touch(&mut conversation);
            self.conversations.push(conversation);
        }
    }

    fn signed(body: &[u8], now: Timestamp) -> Vec<(String, Vec<u8>)> {
        let time = now.as_second().to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
        for part in [time.as_bytes(), b".", body] {
            mac.update(part);
        }
        let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
        vec![
            ("x-chatwoot-timestamp".to_owned(), time.into_bytes()),
            ("x-chatwoot-signature".to_owned(), signature.into_bytes()),
        ]
    }
}

#[tokio::test]
async fn a_story_is_told_whole() {
    super::story::<Chatwoot>(None).await;
}

#[tokio::test]
async fn a_story_is_told_once_when_every_answer_is_lost() {
    super::story::<Chatwoot>(Some((Fault::Lost, usize::MAX))).await;
}

#[tokio::test]
async fn a_story_is_told_when_every_request_is_refused_once() {
    for status in [500, 403, 422] {
        super::story::<Chatwoot>(Some((Fault::Refused(status), usize::MAX))).await;
    }
}

#[tokio::test]
async fn a_story_is_told_to_one_who_asks_for_patience() {
    super::story::<Chatwoot>(Some((Fault::Busy, usize::MAX))).await;
}

#[tokio::test]
async fn a_story_is_told_once_when_answers_come_too_late() {
    super::story::<Chatwoot>(Some((Fault::Late, 6))).await;
}

#[tokio::test]
async fn agents_answer_in_it() {
    super::agents::<Chatwoot>().await;
}

#[tokio::test]
async fn two_of_them_hear_each_other() {
    super::peers::<Chatwoot>().await;
}

/// Chatwoot tells of a status and not who gave it: what lanka did there comes back too, late when Chatwoot was away.
#[tokio::test]
async fn an_opening_of_ours_that_is_told_late_opens_nothing() {
    let stand = super::Stand::<Chatwoot>::open().await;
    let office = super::Office::open(&Chatwoot::config("helpdesk", &stand.url())).await;
    let ticket = super::asked::<Chatwoot>(&office).await;
    let stands = async || crate::late::texts(&office.desk, "SELECT state FROM ticket").await;
    let opened = stand.tool().reopen(&ticket);
    office.hook::<Chatwoot>("helpdesk", &opened).await.expect("signed");
    let now = Timestamp::now().to_string();
    let closed = json!({"event_id": "d-1", "type": "close", "ticket": ticket, "at": now});
    office.desk.take("api", &now, closed.to_string()).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let opened = stand.tool().reopen(&ticket);
    office.hook::<Chatwoot>("helpdesk", &opened).await.expect("signed");
    assert_eq!(stands().await, ["closed"], "it has not heard yet that the ticket is closed");
    assert_eq!(office.desk.count("SELECT count(*) FROM ticket_event WHERE kind = 'reopen'").await, 0);
    office.deliver().await;
    assert_eq!(stand.tool().state(&ticket), "resolved");
    let opened = stand.tool().reopen(&ticket);
    office.hook::<Chatwoot>("helpdesk", &opened).await.expect("signed");
    assert_eq!(stands().await, ["open"], "an agent's");
}

#[tokio::test]
async fn who_has_a_ticket_and_that_it_is_open_again_comes_back() {
    super::owners::<Chatwoot>("Emma Taylor").await;
}

/// A delivery that was signed long ago, and one whose time was changed.
#[tokio::test]
async fn an_old_delivery_is_a_replay() {
    let stand = super::Stand::<Chatwoot>::open().await;
    let office = super::Office::open(&Chatwoot::config("helpdesk", &stand.url())).await;
    let ticket = super::asked::<Chatwoot>(&office).await;
    let body = stand.tool().write(&ticket, "Se lähti eilen.", false).to_string().into_bytes();
    let old = Chatwoot::signed(&body, Timestamp::now() - jiff::SignedDuration::from_mins(6));
    assert!(office.knock("helpdesk", &old, body.clone()).await.is_err());
    let mut fresher = old;
    fresher[0].1 = Timestamp::now().as_second().to_string().into_bytes();
    assert!(office.knock("helpdesk", &fresher, body).await.is_err());
    assert_eq!(office.desk.count("SELECT count(*) FROM message").await, 1);
}

#[tokio::test]
async fn odd_deliveries_break_nothing() {
    super::odd::<Chatwoot>().await;
}

#[tokio::test]
async fn set_up_later_it_gets_what_is_said_then() {
    super::later::<Chatwoot>().await;
}

/// What Chatwoot itself writes (a greeting, a rule of its own, a bot) is no agent's word, whatever name it bears.
#[tokio::test]
async fn what_programs_write_goes_to_nobody() {
    let bot = json!({"id": 1, "name": "Botti", "type": "agent_bot"});
    super::robots::<Chatwoot>(&[
        ("a greeting", &[("/message_type", json!("template"))], 0),
        ("a bot", &[("/sender", bot)], 0),
        ("nobody", &[("/sender", Value::Null)], 0),
        ("a rule in an agent's name", &[("/content_attributes", json!({"automation_rule_id": 3}))], 1),
        ("a campaign", &[("/additional_attributes", json!({"campaign_id": 3}))], 1),
    ])
    .await;
}

#[tokio::test]
async fn queue_urgency_and_kind_follow_and_waiting_comes_back() {
    super::fields::<Chatwoot>("snoozed").await;
}
