//! Zendesk on loopback, after its documents (developer.zendesk.com/api-reference/): see `src/pure/mirrors/zendesk.rs`.

use super::{Asked, Fault, SECRET, Shown, Tool, one_of, only};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use lanka::pure::domain::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::time::Duration;

/// The API's user, and the agent who answers.
const LANKA: u64 = 900;
const EMMA: u64 = 901;

/// Zendesk.
#[derive(Default)]
pub struct Zendesk {
    users: Vec<Value>,
    tickets: Vec<Value>,
    comments: Vec<Value>,
    /// Upload tokens with the names of their files.
    uploads: HashMap<String, String>,
    /// What was made under an idempotency key, with the hash of its body.
    made: HashMap<String, (Vec<u8>, Value)>,
    events: u64,
    /// The order in which tickets changed last.
    changes: u64,
    /// How often the export was asked this minute.
    exported: usize,
}

const USER: [(&str, &str); 13] = [
    ("name", "text"),
    ("external_id", "text"),
    ("email", "text"),
    ("phone", "any"),
    ("role", "text"),
    ("identities", "list"),
    ("skip_verify_email", "bool"),
    ("user_fields", "object"),
    ("notes", "text"),
    ("details", "text"),
    ("tags", "list"),
    ("locale", "text"),
    ("verified", "bool"),
];

const TICKET: [(&str, &str); 15] = [
    ("subject", "text"),
    ("comment", "object"),
    ("requester_id", "number"),
    ("submitter_id", "number"),
    ("assignee_id", "number"),
    ("group_id", "number"),
    ("external_id", "text"),
    ("priority", "text"),
    ("status", "text"),
    ("type", "text"),
    ("tags", "list"),
    ("custom_fields", "list"),
    ("metadata", "object"),
    ("via_followup_source_id", "number"),
    ("organization_id", "number"),
];

fn merge(into: &mut Value, from: &Value) {
    for (key, value) in from.as_object().into_iter().flatten() {
        into[key] = value.clone();
    }
}

fn id(value: &Value) -> u64 {
    value["id"].as_u64().unwrap_or_default()
}

fn not_found() -> (u16, Value) {
    (404, json!({"error": "RecordNotFound", "description": "Not found"}))
}

fn invalid(field: &str, why: &str) -> (u16, Value) {
    let details = json!({ field: [{"description": why, "error": "InvalidValue"}] });
    (422, json!({"error": "RecordInvalid", "description": "Record validation errors", "details": details}))
}

impl Zendesk {
    fn create_or_update(&mut self, asked: &Asked) -> Result<(u16, Value), String> {
        let body = asked.json();
        only(&body, &[("user!", "object")])?;
        let wanted = &body["user"];
        only(wanted, &USER)?;
        if wanted["skip_verify_email"] != true {
            return Err("Zendesk would mail the customer".to_owned());
        }
        one_of(&wanted["role"], &["end-user"])?;
        let name = wanted["name"].as_str().unwrap_or_default();
        if name.is_empty() || name.chars().count() > 255 {
            return Err("name is missing, or too long".to_owned());
        }
        for identity in wanted["identities"].as_array().into_iter().flatten() {
            only(identity, &[("type!", "text"), ("value!", "text")])?;
            one_of(&identity["type"], &["email", "phone_number", "twitter", "facebook", "google"])?;
        }
        if wanted["email"].as_str().is_some_and(|email| !email.contains('@')) {
            return Ok(invalid("email", "Email is not properly formatted"));
        }
        let is = |user: &&mut Value, key: &str| !wanted[key].is_null() && user[key] == wanted[key];
        let found = self.users.iter_mut().find(|user| is(user, "external_id") || is(user, "email"));
        if let Some(user) = found {
            merge(user, wanted);
            return Ok((200, json!({"user": user})));
        }
        let mut user = json!({"id": 1_000 + self.users.len(), "external_id": null, "email": null});
        merge(&mut user, wanted);
        self.users.push(user.clone());
        Ok((201, json!({"user": user})))
    }

    fn change_user(&mut self, asked: &Asked, of: u64) -> Result<(u16, Value), String> {
        let body = asked.json();
        only(&body, &[("user!", "object")])?;
        only(&body["user"], &USER)?;
        let Some(user) = self.users.iter_mut().find(|user| id(user) == of) else { return Ok(not_found()) };
        merge(user, &body["user"]);
        Ok((200, json!({"user": user})))
    }

    /// Its addresses, the first mail address first.
    fn identities(&self, of: u64) -> Value {
        let Some(user) = self.users.iter().find(|user| id(user) == of) else { return Value::Null };
        let first = user["email"]
            .as_str()
            .map(|email| json!({"id": of * 10, "type": "email", "value": email, "primary": true}));
        let more = user["identities"].as_array().into_iter().flatten().zip(1..);
        let more = more
            .map(|(one, n)| json!({"id": of * 10 + n, "type": one["type"], "value": one["value"], "primary": false}));
        json!({"identities": first.into_iter().chain(more).collect::<Vec<_>>()})
    }

    fn drop_identity(&mut self, of: u64, identity: u64) -> (u16, Value) {
        let Some(user) = self.users.iter_mut().find(|user| id(user) == of) else { return not_found() };
        match identity % 10 {
            0 => user["email"] = Value::Null,
            n => {
                let place = n as usize - 1;
                if let Some(one) = user["identities"].as_array_mut().and_then(|all| all.get_mut(place)) {
                    *one = json!({"type": "email", "value": ""});
                }
            }
        }
        (204, Value::Null)
    }

    /// What a ticket may hold, and its comment.
    fn check(&self, ticket: &Value) -> Result<(), String> {
        only(ticket, &TICKET)?;
        for (key, words) in [
            ("priority", &["urgent", "high", "normal", "low"][..]),
            ("status", &["new", "open", "pending", "hold", "solved", "closed"][..]),
        ] {
            if !ticket[key].is_null() {
                one_of(&ticket[key], words)?;
            }
        }
        if ticket["metadata"].to_string().len() > 1_024 {
            return Err("metadata is larger than 1 kB".to_owned());
        }
        let comment = &ticket["comment"];
        if comment.is_null() {
            return Ok(());
        }
        only(comment, &[("body!", "text"), ("public!", "bool"), ("author_id", "number"), ("uploads", "list")])?;
        let body = comment["body"].as_str().unwrap_or_default();
        if body.is_empty() || body.len() > 65_535 {
            return Err("the comment is empty, or is cut in silence".to_owned());
        }
        let author = comment["author_id"].as_u64().unwrap_or(LANKA);
        if author != LANKA && !self.users.iter().any(|user| id(user) == author) {
            return Err("there is no such author".to_owned());
        }
        if author != LANKA && comment["public"] == false {
            return Err("a customer's comment for agents alone".to_owned());
        }
        Ok(())
    }

    fn open(&mut self, asked: &Asked) -> Result<(u16, Value), String> {
        let key = asked.header("idempotency-key").to_owned();
        if key.is_empty() || key.len() > 255 {
            return Err("a ticket is made without an idempotency key".to_owned());
        }
        let hash = Sha256::digest(&asked.body).to_vec();
        match self.made.get(&key) {
            Some((same, made)) if *same == hash => return Ok((201, made.clone())),
            Some(_) => return Ok((400, json!({"error": "IdempotentRequestError"}))),
            None => {}
        }
        let body = asked.json();
        only(&body, &[("ticket!", "object")])?;
        let wanted = &body["ticket"];
        self.check(wanted)?;
        if wanted["comment"].is_null() {
            return Err("a ticket without a comment".to_owned());
        }
        if !self.users.iter().any(|user| user["id"] == wanted["requester_id"]) {
            return Err("there is no such requester".to_owned());
        }
        let mut ticket = json!({"id": 1 + self.tickets.len(), "assignee_id": null, "status": "new"});
        merge(&mut ticket, wanted);
        let on = id(&ticket);
        self.tickets.push(ticket.clone());
        self.touch(on);
        if let Some(closed) = wanted["via_followup_source_id"].as_u64() {
            if let Some(source) = self.tickets.iter_mut().find(|ticket| id(ticket) == closed) {
                source["followup_ids"] = json!([on]);
            }
            self.touch(closed);
        }
        let event = self.add(on, &wanted["comment"], &Value::Null, LANKA)?;
        let made = json!({"ticket": ticket, "audit": {"events": [event]}});
        self.made.insert(key, (hash, made.clone()));
        Ok((201, made))
    }

    fn change(&mut self, asked: &Asked, of: u64) -> Result<(u16, Value), String> {
        let body = asked.json();
        only(&body, &[("ticket!", "object")])?;
        let wanted = body["ticket"].clone();
        self.check(&wanted)?;
        let Some(ticket) = self.tickets.iter_mut().find(|ticket| id(ticket) == of) else { return Ok(not_found()) };
        if ticket["status"] == "closed" {
            return Ok(invalid("status", "Status closed prevents ticket update"));
        }
        if wanted["status"] == "solved" && ticket["assignee_id"].is_null() && wanted["assignee_id"].is_null() {
            return Ok(invalid("base", "Assignee is required when solving a ticket"));
        }
        for key in ["status", "assignee_id", "priority", "tags", "type", "group_id"] {
            if !wanted[key].is_null() {
                ticket[key] = wanted[key].clone();
            }
        }
        let ticket = ticket.clone();
        self.touch(of);
        let mut events = vec![json!({"id": 1, "type": "Change"})];
        if !wanted["comment"].is_null() {
            events.push(self.add(of, &wanted["comment"], &wanted["metadata"], LANKA)?);
        }
        Ok((200, json!({"ticket": ticket, "audit": {"events": events}})))
    }

    fn add(&mut self, on: u64, comment: &Value, metadata: &Value, by: u64) -> Result<Value, String> {
        let mut files = Vec::new();
        for token in comment["uploads"].as_array().into_iter().flatten() {
            let token = token.as_str().unwrap_or_default();
            files.push(self.uploads.remove(token).ok_or("an upload that is none, or used")?);
        }
        let author = comment["author_id"].as_u64().unwrap_or(by);
        let custom = if metadata.is_null() { json!({}) } else { metadata.clone() };
        let comment = json!({"id": 5_000 + self.comments.len(), "type": "Comment", "author_id": author, "body": comment["body"],
            "plain_body": comment["body"], "public": comment["public"], "ticket": on, "actor": by, "files": files,
            "attachments": [], "metadata": {"system": {}, "custom": custom}, "created_at": Timestamp::now().to_string()});
        self.comments.push(comment.clone());
        self.touch(on);
        Ok(comment)
    }

    /// A ticket changed.
    fn touch(&mut self, of: u64) {
        self.changes += 1;
        let (order, now) = (self.changes, Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        if let Some(ticket) = self.tickets.iter_mut().find(|ticket| id(ticket) == of) {
            (ticket["updated_at"], ticket["order"]) = (now.into(), order.into());
        }
    }

    /// The incremental export, ten times a minute. That it leaves out the last minute is not played.
    fn export(&mut self, asked: &Asked) -> Result<(u16, Value), String> {
        self.exported += 1;
        if self.exported > 10 {
            return Ok((429, json!("Number of allowed incremental ticket export API requests per minute exceeded")));
        }
        if let Some(other) =
            asked.query.keys().find(|key| !matches!(key.as_str(), "start_time" | "cursor" | "per_page"))
        {
            return Err(format!("the export is not asked for by {other}"));
        }
        let number =
            |key: &str| asked.query.get(key).map(|value| value.parse::<i64>().map_err(|_| format!("{key}: {value}")));
        let after = match (number("start_time").transpose()?, asked.query.get("cursor")) {
            (Some(start), None) if start > Timestamp::now().as_second() - 60 => {
                return Ok((422, json!({"error": "StartTimeTooRecent"})));
            }
            (Some(_), None) => 0,
            (None, Some(cursor)) => {
                let order = cursor.strip_prefix("after+").and_then(|order| order.parse().ok());
                order.ok_or("a cursor that was not given out")?
            }
            _ => return Err("an export wants either start_time or cursor".to_owned()),
        };
        let size = number("per_page").transpose()?.unwrap_or(1_000).clamp(1, 1_000) as usize;
        let order = |ticket: &Value| ticket["order"].as_u64().unwrap_or_default();
        let mut left: Vec<&Value> = self.tickets.iter().filter(|ticket| order(ticket) > after).collect();
        left.sort_by_key(|ticket| order(ticket));
        let page = &left[..left.len().min(size)];
        let last = page.last().map_or(after, |last| order(last));
        Ok((
            200,
            json!({"tickets": page, "after_cursor": format!("after+{last}"), "after_url": "", "before_cursor": null,
            "end_of_stream": left.len() <= size}),
        ))
    }

    /// Pages are of three: what is there is more often on several.
    fn page(&self, asked: &Asked, on: u64) -> Result<(u16, Value), String> {
        let known = ["include", "sort", "page[size]", "page[after]"];
        if let Some(other) = asked.query.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(format!("comments are not asked for by {other}"));
        }
        let after: Option<u64> = asked.query.get("page[after]").and_then(|after| after.parse().ok());
        let is_latest = match asked.query.get("sort").map(String::as_str) {
            None | Some("created_at") => false,
            Some("-created_at") => true,
            Some(other) => return Err(format!("comments are not sorted by {other}")),
        };
        let is_left = |of: &u64| after.is_none_or(|after| if is_latest { *of < after } else { *of > after });
        let of_it = self.comments.iter().filter(|comment| comment["ticket"] == on && is_left(&id(comment)));
        let mut left: Vec<&Value> = of_it.collect();
        if is_latest {
            left.reverse();
        }
        let page = &left[..left.len().min(3)];
        let cursor = page.last().map(|last| id(last).to_string());
        let mut answer =
            json!({"comments": page, "meta": {"has_more": left.len() > 3, "after_cursor": cursor}, "links": {}});
        if asked.query.get("include").map(String::as_str) == Some("users") {
            let staff = [(LANKA, "lanka"), (EMMA, "Emma Taylor")];
            let mut users = staff.map(|(id, name)| json!({"id": id, "name": name, "role": "agent"})).to_vec();
            users.extend(self.users.iter().cloned());
            answer["users"] = users.into();
        }
        Ok((200, answer))
    }

    fn of(&self, ticket: &str) -> Option<&Value> {
        let external_id = format!("lanka:{ticket}");
        self.tickets.iter().rev().find(|found| found["external_id"] == external_id)
    }

    /// An agent changes a field.
    fn altered(&mut self, ticket: &str, key: &str, value: Value) -> Value {
        let of = id(self.of(ticket).expect("a ticket"));
        self.tickets.iter_mut().find(|found| id(found) == of).expect("it")[key] = value;
        self.touch(of);
        self.of(ticket).expect("it").clone()
    }

    fn event(&mut self, on: &Value, actor: u64, kind: &str, event: Value) -> Value {
        self.events += 1;
        json!({"account_id": 1, "detail": {"actor_id": actor.to_string(), "external_id": on["external_id"], "id": id(on).to_string(),
            "updated_at": on["updated_at"], "status": on["status"].as_str().unwrap_or_default().to_uppercase(), "subject": on["subject"]},
            "event": event, "id": format!("event-{}", self.events), "subject": format!("zen:ticket:{}", id(on)),
            "time": Timestamp::now().to_string(), "type": format!("zen:event-type:ticket.{kind}"), "zendesk_event_version": "2022-11-06"})
    }

    fn added(&mut self, comment: &Value) -> Value {
        let on = self.tickets.iter().find(|found| found["id"] == comment["ticket"]).cloned().unwrap_or_default();
        let author = comment["author_id"].as_u64().unwrap_or_default();
        let is_staff = author == LANKA || author == EMMA;
        let name = if author == EMMA { "Emma Taylor" } else { "somebody" };
        let actor = comment["actor"].as_u64().unwrap_or_default();
        let event = json!({"comment": {"author": {"id": author.to_string(), "is_staff": is_staff, "name": name}, "body": comment["body"],
            "id": id(comment).to_string(), "is_public": comment["public"]}, "meta": {"sequence": {"id": "01J", "position": 1}}});
        self.event(&on, actor, "comment_added", event)
    }
}

impl Tool for Zendesk {
    const TICK: Duration = Duration::from_secs(1);

    fn config(name: &str, url: &str) -> String {
        format!(
            "[mirrors.{name}]\nkind = \"zendesk\"\nurl = \"{url}\"\nuser = \"lanka@kauppa.example\"\nuser_id = {LANKA}\n\
             token = {{ env = \"SECRET\" }}\nwebhook_secret = {{ env = \"SECRET\" }}\ntimeout_s = 1\n\
             queues = {{ feedback = 3 }}\n\n"
        )
    }

    fn answer(&mut self, asked: &Asked) -> Result<(u16, Value), String> {
        let login = STANDARD.encode(format!("lanka@kauppa.example/token:{SECRET}"));
        let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
        if path == ["attachments", "token", "other-brand"] {
            let is_shown = asked.headers.contains_key("authorization");
            return if is_shown {
                Err("the token is shown elsewhere".to_owned())
            } else {
                Ok((200, json!("the file")))
            };
        }
        if asked.header("authorization") != format!("Basic {login}") {
            return Ok((401, json!({"error": "Couldn't authenticate you"})));
        }
        if path == ["attachments", "token", "private"] {
            return Ok((200, json!("the file")));
        }
        let ["api", "v2", path @ ..] = &path[..] else { return Err("no such path".to_owned()) };
        let number = |text: &str| text.parse::<u64>().map_err(|_| format!("{text} is no id"));
        let query = |key: &str| asked.query.get(key).cloned().unwrap_or_default();
        match (asked.method.as_str(), path) {
            ("GET", ["users", "show_many"]) => {
                let found = self.users.iter().filter(|user| user["external_id"] == query("external_ids"));
                Ok((200, json!({"users": found.collect::<Vec<_>>()})))
            }
            ("GET", ["users", "search"]) => {
                let email = query("query").strip_prefix("email:").ok_or("a search for what?")?.to_owned();
                let found = self.users.iter().filter(|user| user["email"] == email);
                Ok((200, json!({"users": found.collect::<Vec<_>>(), "count": 1})))
            }
            ("POST", ["users", "create_or_update"]) => self.create_or_update(asked),
            ("PUT", ["users", of]) => self.change_user(asked, number(of)?),
            ("GET", ["users", of, "identities"]) => Ok((200, self.identities(number(of)?))),
            ("DELETE", ["users", of, "identities", one]) => Ok(self.drop_identity(number(of)?, number(one)?)),
            ("GET", ["tickets"]) => {
                let found = self.tickets.iter().filter(|ticket| ticket["external_id"] == query("external_id"));
                Ok((200, json!({"tickets": found.collect::<Vec<_>>()})))
            }
            ("POST", ["tickets"]) => self.open(asked),
            ("GET", ["tickets", of]) => {
                let of = number(of)?;
                let found = self.tickets.iter().find(|ticket| id(ticket) == of);
                Ok(found.map_or_else(not_found, |ticket| (200, json!({"ticket": ticket}))))
            }
            ("PUT", ["tickets", of]) => self.change(asked, number(of)?),
            ("GET", ["incremental", "tickets", "cursor"]) => self.export(asked),
            ("GET", ["tickets", on, "comments"]) => self.page(asked, number(on)?),
            ("PUT", ["tickets", _, "comments", of, "redact"]) => {
                let (of, body) = (number(of)?, asked.json());
                only(&body, &[("text!", "text")])?;
                let Some(comment) = self.comments.iter_mut().find(|comment| id(comment) == of) else {
                    return Ok(not_found());
                };
                if comment["body"] != body["text"] {
                    return Err("the text is not in the comment".to_owned());
                }
                (comment["body"], comment["plain_body"]) = ("▇▇▇".into(), "▇▇▇".into());
                Ok((200, json!({"comment": comment})))
            }
            ("POST", ["uploads"]) => {
                if query("filename").is_empty() || asked.header("content-type").is_empty() || asked.body.is_empty() {
                    return Err("an upload without name, type or bytes".to_owned());
                }
                let token = format!("token-{}", hex::encode(&Sha256::digest(&asked.body)[..8]));
                self.uploads.insert(token.clone(), query("filename"));
                Ok((201, json!({"upload": {"token": token, "attachment": {"file_name": query("filename")}}})))
            }
            _ => Err("no such path".to_owned()),
        }
    }

    fn thread(&self, ticket: &str) -> Vec<Shown> {
        let external_id = format!("lanka:{ticket}");
        let on: Vec<u64> = self.tickets.iter().filter(|found| found["external_id"] == external_id).map(id).collect();
        let of_it =
            self.comments.iter().filter(|comment| comment["ticket"].as_u64().is_some_and(|of| on.contains(&of)));
        let shown = of_it.map(|comment| Shown {
            id: id(comment),
            stamp: comment["metadata"]["custom"]["lanka"].clone(),
            text: comment["body"].as_str().unwrap_or_default().to_owned(),
            is_note: comment["public"] == false,
            is_customers: comment["author_id"].as_u64().is_some_and(|author| author != LANKA && author != EMMA),
            files: comment["files"]
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
        let comments = self.comments.iter().map(|comment| comment["body"].to_string());
        self.users.iter().map(ToString::to_string).chain(comments).collect()
    }

    fn write(&mut self, ticket: &str, text: &str, is_note: bool) -> Value {
        let on = id(self.of(ticket).expect("a ticket"));
        let comment = json!({"body": text, "public": !is_note, "author_id": EMMA});
        let comment = self.add(on, &comment, &Value::Null, EMMA).expect("written");
        self.added(&comment)
    }

    fn close(&mut self, ticket: &str) -> Value {
        let of = id(self.of(ticket).expect("a ticket"));
        let on = self.tickets.iter_mut().find(|found| id(found) == of).expect("it");
        on["status"] = "solved".into();
        self.touch(of);
        let on = self.tickets.iter().find(|found| id(found) == of).expect("it").clone();
        self.event(&on, EMMA, "status_changed", json!({"current": "SOLVED", "previous": "OPEN"}))
    }

    fn reopen(&mut self, ticket: &str) -> Value {
        let of = id(self.of(ticket).expect("a ticket"));
        let on = self.tickets.iter_mut().find(|found| id(found) == of).expect("it");
        on["status"] = "open".into();
        let on = on.clone();
        self.event(&on, EMMA, "status_changed", json!({"current": "OPEN", "previous": "SOLVED"}))
    }

    fn assign(&mut self, ticket: &str, is_taken: bool) -> Value {
        let on = self.of(ticket).expect("a ticket").clone();
        let (current, previous) =
            if is_taken { (json!("235324"), Value::Null) } else { (Value::Null, json!("235324")) };
        self.event(&on, EMMA, "agent_assignment_changed", json!({"current": current, "previous": previous}))
    }

    fn awaits(&mut self, ticket: &str) -> Value {
        let on = self.altered(ticket, "status", json!("pending"));
        self.event(&on, EMMA, "status_changed", json!({"current": "PENDING", "previous": "OPEN"}))
    }

    fn put(&mut self, ticket: &str) -> Value {
        let on = self.altered(ticket, "group_id", json!(3));
        self.event(&on, EMMA, "group_assignment_changed", json!({"current": "3", "previous": null}))
    }

    fn calm(&mut self, ticket: &str) {
        self.altered(ticket, "priority", json!("low"));
    }

    fn fields(&self, ticket: &str) -> String {
        let ticket = self.of(ticket).expect("a ticket");
        let group = if ticket["group_id"] == 3 { "Feedback" } else { "Support" };
        let tags = ticket["tags"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let kind = ticket["type"].as_str().unwrap_or_default();
        let is_problem = ticket["tags"].as_array().is_some_and(|tags| tags.contains(&json!("lanka-problem")));
        assert_eq!(kind, if is_problem { "incident" } else { "question" });
        super::fields_of(group, ticket["priority"].as_str().unwrap_or_default(), tags)
    }

    fn last(&mut self, ticket: &str) -> Value {
        let on = id(self.of(ticket).expect("a ticket"));
        let comment = self.comments.iter().rev().find(|comment| comment["ticket"] == on).cloned().expect("a comment");
        self.added(&comment)
    }

    fn bustle(&mut self, threads: usize) {
        for _ in 0..threads {
            let of = 1 + self.tickets.len() as u64;
            self.tickets.push(json!({"id": of, "external_id": "shop:7", "status": "solved"}));
            self.touch(of);
        }
    }

    fn wait(&mut self) {
        self.exported = 0;
    }

    fn signed(body: &[u8], now: Timestamp) -> Vec<(String, Vec<u8>)> {
        let time = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
        mac.update(time.as_bytes());
        mac.update(body);
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        vec![
            ("x-zendesk-webhook-signature-timestamp".to_owned(), time.into_bytes()),
            ("x-zendesk-webhook-signature".to_owned(), signature.into_bytes()),
        ]
    }
}

#[tokio::test]
async fn a_story_is_told_whole() {
    super::story::<Zendesk>(None).await;
}

#[tokio::test]
async fn a_story_is_told_once_when_every_answer_is_lost() {
    super::story::<Zendesk>(Some((Fault::Lost, usize::MAX))).await;
}

#[tokio::test]
async fn a_story_is_told_when_every_request_is_refused_once() {
    for status in [500, 403, 409] {
        super::story::<Zendesk>(Some((Fault::Refused(status), usize::MAX))).await;
    }
}

#[tokio::test]
async fn a_story_is_told_to_one_who_asks_for_patience() {
    super::story::<Zendesk>(Some((Fault::Busy, usize::MAX))).await;
}

#[tokio::test]
async fn a_story_is_told_once_when_answers_come_too_late() {
    super::story::<Zendesk>(Some((Fault::Late, 6))).await;
}

#[tokio::test]
async fn agents_answer_in_it() {
    super::agents::<Zendesk>().await;
}

#[tokio::test]
async fn two_of_them_hear_each_other() {
    super::peers::<Zendesk>().await;
}

#[tokio::test]
async fn who_has_a_ticket_and_that_it_is_open_again_comes_back() {
    super::owners::<Zendesk>("Zendesk agent 235324").await;
}

/// What Zendesk has closed for good takes nothing more: it goes on in a follow-up, whose answers come back too.
#[tokio::test]
async fn what_is_closed_for_good_is_followed_up() {
    let stand = super::Stand::<Zendesk>::open().await;
    let office = super::Office::open(&Zendesk::config("helpdesk", &stand.url())).await;
    let ticket = super::asked::<Zendesk>(&office).await;
    stand.tool().tickets[0]["status"] = "closed".into();
    let now = Timestamp::now().to_string();
    office.desk.take("facebook", &now, crate::desk::messenger("m_2", "P1", &now, "Ei se tullut.")).await;
    office.deliver().await;
    let now = Timestamp::now().to_string();
    office.desk.take("facebook", &now, crate::desk::messenger("m_3", "P1", &now, "Haloo?")).await;
    office.deliver().await;
    {
        let tool = stand.tool();
        assert_eq!(tool.tickets.len(), 2);
        assert_eq!(tool.tickets[1]["via_followup_source_id"], tool.tickets[0]["id"]);
    }
    office.is_mirrored(&stand).await;
    let reply = stand.tool().write(&ticket, "Se lähti eilen.", false);
    office.hook::<Zendesk>("helpdesk", &reply).await.expect("signed");
    office.deliver().await;
    assert_eq!(office.graph.got().len(), 1);
    // That the old one is closed says nothing of what is asked in the new one.
    tokio::time::sleep(Zendesk::TICK).await;
    stand.tool().touch(1);
    for _ in 0..3 {
        office.desk.look("helpdesk").await.expect("looked");
        office.desk.decide().await;
    }
    assert_eq!(office.desk.count("SELECT count(*) FROM ticket WHERE state = 'closed'").await, 0);
}

/// A file of a comment.
fn file(url: String) -> Value {
    json!({"id": 7, "file_name": "ohje.pdf", "content_type": "application/pdf", "content_url": url, "size": 8})
}

/// What the customer has, after looks that fetch all there is.
async fn looked(office: &super::Office) -> Vec<String> {
    for _ in 0..4 {
        office.desk.look("helpdesk").await.expect("looked");
        office.desk.decide().await;
    }
    office.fetch().await;
    office.deliver().await;
    office.graph.got().into_iter().map(|got| got.text).collect()
}

/// An agent's files: beside a webhook, which has none, they follow the words; without one they come along. The token is shown
/// at the configured address alone.
#[tokio::test]
async fn files_of_agents_go_along() {
    let secret = "webhook_secret = { env = \"SECRET\" }\n";
    for (is_called, messages) in [(true, 3), (false, 2)] {
        let stand = super::Stand::<Zendesk>::open().await;
        let config = Zendesk::config("helpdesk", &stand.url());
        let office = super::Office::open(&if is_called { config } else { config.replace(secret, "") }).await;
        let ticket = super::asked::<Zendesk>(&office).await;
        let reply = stand.tool().write(&ticket, "Ohessa.", false);
        let here = format!("{}/attachments/token/private?name=ohje.pdf", stand.url());
        let elsewhere = format!("http://localhost:{}/attachments/token/other-brand", stand.address.port());
        let files = [file(here), file(elsewhere)];
        stand.tool().comments.last_mut().expect("the reply")["attachments"] = files.to_vec().into();
        if is_called {
            office.hook::<Zendesk>("helpdesk", &reply).await.expect("signed");
        }
        let got = looked(&office).await;
        assert_eq!((got.len(), got[0].as_str()), (3, "Ohessa."), "{got:?}");
        assert_eq!(office.desk.count("SELECT count(*) FROM message").await, messages);
        assert_eq!(stand.offences(), Vec::<String>::new());
    }
}

/// The first line of an answer holds for its files too, which come apart from it.
#[tokio::test]
async fn files_stay_where_the_words_say() {
    for (words, reached) in [
        ("/note\nKatsokaa sopimusta.", &[][..]),
        ("/template tervehdys\nMinna", &[][..]),
        ("/to messenger:P1\nOhessa.", &["Ohessa.", "[file]"][..]),
        ("/to mailto:pois@posti.example\nOhessa.", &[][..]),
    ] {
        let stand = super::Stand::<Zendesk>::open().await;
        let office = super::Office::open(&Zendesk::config("helpdesk", &stand.url())).await;
        let ticket = super::asked::<Zendesk>(&office).await;
        let reply = stand.tool().write(&ticket, words, false);
        let url = format!("{}/attachments/token/private?name=ohje.pdf", stand.url());
        let file =
            json!({"id": 7, "file_name": "ohje.pdf", "content_type": "application/pdf", "content_url": url, "size": 8});
        stand.tool().comments.last_mut().expect("the reply")["attachments"] = json!([file]);
        office.hook::<Zendesk>("helpdesk", &reply).await.expect("signed");
        let got = looked(&office).await;
        assert_eq!(got, reached, "{words}");
        assert_eq!(office.desk.count("SELECT count(*) FROM message").await, 3, "{words}");
    }
}

/// Ten exports a minute: the eleventh is told to wait, and the next minute goes on.
#[tokio::test]
async fn the_export_asks_for_patience() {
    let stand = super::Stand::<Zendesk>::open().await;
    let office = super::Office::open(&Zendesk::config("helpdesk", &stand.url())).await;
    let ticket = super::asked::<Zendesk>(&office).await;
    let mut refused = 0;
    for _ in 0..14 {
        refused += usize::from(office.desk.look("helpdesk").await.is_err());
    }
    assert_eq!(refused, 3, "one look kept where looks begin, ten asked");
    stand.tool().write(&ticket, "Se lähti eilen.", false);
    stand.tool().wait();
    office.desk.look("helpdesk").await.expect("looked");
    office.desk.decide().await;
    assert_eq!(office.desk.count("SELECT count(*) FROM message WHERE text = 'Se lähti eilen.'").await, 1);
}

#[tokio::test]
async fn odd_deliveries_break_nothing() {
    super::odd::<Zendesk>().await;
}

#[tokio::test]
async fn set_up_later_it_gets_what_is_said_then() {
    super::later::<Zendesk>().await;
}

/// What Zendesk itself writes is no agent's word.
#[tokio::test]
async fn what_programs_write_goes_to_nobody() {
    super::robots::<Zendesk>(&[
        ("its own account acts", &[("/detail/actor_id", json!("-1"))], 1),
        ("its own account writes", &[("/event/comment/author/id", json!("-1"))], 1),
        ("nobody of the staff", &[("/event/comment/author/is_staff", json!(false))], 0),
    ])
    .await;
}

#[tokio::test]
async fn queue_urgency_and_kind_follow_and_waiting_comes_back() {
    super::fields::<Zendesk>("pending").await;
}
