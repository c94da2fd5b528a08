//! Zammad on loopback, after its documents (docs.zammad.org/en/latest/api/) and its sources: see `src/pure/mirrors/zammad.rs`.

use super::{Asked, Fault, Office, SECRET, Shown, Stand, Tool, one_of, only};
use crate::late::facebook;
use hmac::{Hmac, KeyInit as _, Mac as _};
use lanka::pure::domain::Timestamp;
use serde_json::{Value, json};
use sha1::Sha1;

/// The token's user, an agent.
const LANKA: u64 = 3;
/// The agent who answers.
const EMMA: u64 = 5;
/// Whose the tickets are that nobody has.
const NOBODY: u64 = 1;

/// Zammad.
#[derive(Default)]
pub struct Zammad {
    users: Vec<Value>,
    tickets: Vec<Value>,
    articles: Vec<Value>,
}

const USER: [(&str, &str); 18] = [
    ("login", "text"),
    ("firstname", "text"),
    ("lastname", "text"),
    ("email", "text"),
    ("phone", "text"),
    ("mobile", "text"),
    ("fax", "text"),
    ("web", "text"),
    ("department", "text"),
    ("street", "text"),
    ("zip", "text"),
    ("city", "text"),
    ("country", "text"),
    ("address", "text"),
    ("note", "text"),
    ("roles", "list"),
    ("organization", "text"),
    ("lanka_contact", "text"),
];

const TICKET: [(&str, &str); 12] = [
    ("pending_time", "text"),
    ("title", "text"),
    ("group", "text"),
    ("group_id", "number"),
    ("customer_id", "number"),
    ("state", "text"),
    ("priority", "text"),
    ("owner_id", "number"),
    ("tags", "text"),
    ("note", "text"),
    ("preferences", "object"),
    ("lanka_ticket", "text"),
];

const ARTICLE: [(&str, &str); 13] = [
    ("ticket_id!", "number"),
    ("body!", "text"),
    ("subject", "text"),
    ("content_type", "text"),
    ("type", "text"),
    ("sender", "text"),
    ("internal", "bool"),
    ("origin_by_id", "number"),
    ("message_id", "text"),
    ("in_reply_to", "text"),
    ("preferences", "object"),
    ("attachments", "list"),
    ("time_unit", "number"),
];

const SEARCH: [(&str, &str); 5] =
    [("condition!", "object"), ("limit", "number"), ("page", "number"), ("sort_by", "text"), ("order_by", "text")];

fn merge(into: &mut Value, from: &Value) {
    for (key, value) in from.as_object().into_iter().flatten() {
        into[key] = value.clone();
    }
}

fn id(value: &Value) -> u64 {
    value["id"].as_u64().unwrap_or_default()
}

/// A ticket changed: `app/models/ticket/sets_close_time.rb`.
fn touch(ticket: &mut Value, by: u64, was: &Value) {
    let now = now();
    if ticket["state"] == "closed" && *was != "closed" {
        ticket["last_close_at"] = now.clone();
    }
    ticket["updated_by_id"] = by.into();
    ticket["updated_at"] = now;
}

/// As Zammad writes times.
fn now() -> Value {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string().into()
}

impl Zammad {
    fn user(&mut self, asked: &Asked, of: Option<u64>) -> Result<(u16, Value), String> {
        let body = asked.json();
        only(&body, &USER)?;
        let email = body["email"].as_str().unwrap_or_default().to_lowercase();
        if !email.is_empty() && !email.contains('@') {
            return Ok((422, json!({"error": format!("Invalid email '{email}'")})));
        }
        if !email.is_empty() && self.users.iter().any(|user| user["email"] == email && Some(id(user)) != of) {
            let why = format!("Email address '{email}' is already used for another user.");
            return Ok((422, json!({"error": why, "error_human": why})));
        }
        if body["note"].as_str().unwrap_or_default().chars().count() > 5_000 {
            return Err("the note is longer than 5000".to_owned());
        }
        if let Some(of) = of {
            let Some(user) = self.users.iter_mut().find(|user| id(user) == of) else { return Ok((404, json!({}))) };
            merge(user, &body);
            return Ok((200, user.clone()));
        }
        if let Some(roles) = body["roles"].as_array()
            && roles.iter().any(|role| role != "Customer")
        {
            return Err("an agent may make customers only".to_owned());
        }
        let identifies = ["firstname", "lastname", "phone", "mobile", "email"];
        if identifies.iter().all(|key| body[key].as_str().unwrap_or_default().is_empty()) {
            return Err("At least one identifier (firstname, lastname, phone, mobile or email) for user is required."
                .to_owned());
        }
        let mut user = json!({"id": 100 + self.users.len(), "role_ids": [3], "active": true, "lanka_contact": ""});
        merge(&mut user, &body);
        user["email"] = email.into();
        self.users.push(user.clone());
        Ok((201, user))
    }

    fn ticket(&mut self, asked: &Asked, of: Option<u64>) -> Result<(u16, Value), String> {
        let body = asked.json();
        only(&body, &TICKET)?;
        if !body["state"].is_null() {
            one_of(&body["state"], &["new", "open", "pending reminder", "closed", "pending close"])?;
        }
        if body["state"].as_str().is_some_and(|state| state.starts_with("pending")) {
            let until = body["pending_time"].as_str().ok_or("Missing required value for field 'pending_time'!")?;
            until.parse::<Timestamp>().map_err(|_| format!("{until} is no time"))?;
        }
        if !body["group"].is_null() && !["Support", "Feedback"].iter().any(|group| body["group"] == *group) {
            return Err("No lookup value found for 'group'".to_owned());
        }
        if !body["priority"].is_null() {
            one_of(&body["priority"], &["1 low", "2 normal", "3 high"])?;
        }
        if let Some(of) = of {
            let Some(ticket) = self.tickets.iter_mut().find(|ticket| id(ticket) == of) else {
                return Ok((404, json!({"error": format!("Couldn't find Ticket with 'id'={of}")})));
            };
            let was = ticket["state"].clone();
            merge(ticket, &body);
            touch(ticket, LANKA, &was);
            return Ok((200, ticket.clone()));
        }
        for key in ["title", "group", "customer_id"] {
            if body[key].is_null() || body[key] == "" {
                return Err(format!("{key} is missing"));
            }
        }
        if !self.users.iter().any(|user| id(user) == body["customer_id"].as_u64().unwrap_or_default()) {
            return Err("Invalid value for param 'customer_id'".to_owned());
        }
        let number = self.tickets.len() as u64 + 1;
        let mut ticket = json!({"id": number, "number": (10_000 + number).to_string(), "state": "new", "owner_id": 1,
            "last_close_at": null, "updated_at": now()});
        merge(&mut ticket, &body);
        self.tickets.push(ticket.clone());
        Ok((201, ticket))
    }

    fn article(&mut self, asked: &Asked) -> Result<(u16, Value), String> {
        let body = asked.json();
        only(&body, &ARTICLE)?;
        one_of(&body["content_type"], &["text/plain", "text/html"])?;
        one_of(&body["sender"], &["Agent", "Customer"])?;
        // Anything else by an agent would be transported.
        one_of(&body["type"], &["note", "chat", "phone", "web"])?;
        let text = body["body"].as_str().unwrap_or_default();
        if text.is_empty() || text.chars().count() > 1_500_000 {
            return Err("Need at least an 'article body' field.".to_owned());
        }
        if !self.tickets.iter().any(|ticket| ticket["id"] == body["ticket_id"]) {
            return Err("there is no such ticket".to_owned());
        }
        match body["origin_by_id"].as_u64() {
            Some(origin) if !self.users.iter().any(|user| id(user) == origin) => {
                return Err("Invalid value for param 'origin_by_id'".to_owned());
            }
            Some(_) if body["sender"] != "Customer" => {
                return Err("with origin_by_id Zammad takes the sender for a customer".to_owned());
            }
            None if body["sender"] == "Customer" => {
                return Err("a customer's article without its author is the ticket's customer's".to_owned());
            }
            _ => {}
        }
        if body["sender"] == "Customer" && body["internal"] == true {
            return Err("a customer's article for agents alone".to_owned());
        }
        for file in body["attachments"].as_array().into_iter().flatten() {
            only(file, &[("filename!", "text"), ("data!", "text"), ("mime-type!", "text")])?;
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD
                .decode(file["data"].as_str().unwrap_or_default())
                .map_err(|_| "Invalid base64 for attachment".to_owned())?;
        }
        Ok((201, self.add(&body, LANKA)))
    }

    fn add(&mut self, body: &Value, by: u64) -> Value {
        let mut article = json!({"id": 100 + self.articles.len(), "created_by_id": by, "created_at": now(), "preferences": {},
            "message_id": null, "origin_by_id": null, "to": "", "from": if by == EMMA { "Emma Taylor" } else { "lanka" }, "attachments": []});
        merge(&mut article, body);
        self.articles.push(article.clone());
        let on = self.tickets.iter_mut().find(|ticket| ticket["id"] == body["ticket_id"]);
        if let Some(ticket) = on {
            let was = ticket["state"].clone();
            touch(ticket, by, &was);
        }
        article
    }

    fn search(&self, asked: &Asked, among: &[Value], prefix: &str) -> Result<(u16, Value), String> {
        let body = asked.json();
        only(&body, &SEARCH)?;
        if asked.query.get("expand").map(String::as_str) != Some("true") {
            return Err("without expand older versions answer otherwise".to_owned());
        }
        let conditions = body["condition"].as_object().cloned().unwrap_or_default();
        let mut found = among.to_vec();
        for (attribute, wanted) in conditions {
            only(&wanted, &[("operator!", "text"), ("value!", "text")])?;
            let attribute = attribute.strip_prefix(prefix).ok_or_else(|| format!("{attribute} is no attribute"))?;
            let value = wanted["value"].as_str().unwrap_or_default();
            if attribute == "updated_at" {
                one_of(&wanted["operator"], &["after (absolute)"])?;
                value.parse::<Timestamp>().map_err(|_| format!("{value} is no time"))?;
                found.retain(|one| one[attribute].as_str().is_some_and(|at| at >= value));
            } else {
                one_of(&wanted["operator"], &["is"])?;
                found.retain(|one| one[attribute] == value);
            }
        }
        if let Some(by) = body["sort_by"].as_str() {
            one_of(&body["sort_by"], &["id", "updated_at"])?;
            one_of(&body["order_by"], &["asc"])?;
            found.sort_by_key(|one| (one[by].as_str().unwrap_or_default().to_owned(), id(one)));
        }
        let limit = body["limit"].as_u64().unwrap_or(50).min(200) as usize;
        let page = body["page"].as_u64().unwrap_or(1).max(1) as usize;
        Ok((200, found.into_iter().skip((page - 1) * limit).take(limit).collect()))
    }

    fn merge_tickets(&mut self, source: u64, number: &str) -> (u16, Value) {
        let failed = |why: &str| (200, json!({"result": "failed", "message": why}));
        let Some(into) = self.tickets.iter().find(|ticket| ticket["number"] == number).map(id) else {
            return failed("The target ticket number could not be found.");
        };
        let Some(from) = self.tickets.iter_mut().find(|ticket| id(ticket) == source) else {
            return failed("The source ticket could not be found.");
        };
        if from["state"] == "merged" {
            return (422, json!({"error": "It is not possible to merge into an already merged ticket."}));
        }
        from["state"] = "merged".into();
        from["owner_id"] = 1.into();
        for article in self.articles.iter_mut().filter(|article| article["ticket_id"] == source) {
            article["ticket_id"] = into.into();
        }
        self.add(
            &json!({"ticket_id": source, "type": "note", "sender": "Agent", "internal": false, "body": "merged",
            "content_type": "text/plain"}),
            LANKA,
        );
        (200, json!({"result": "success", "target_ticket": {"id": into}, "source_ticket": {"id": source}}))
    }

    fn tag(&mut self, asked: &Asked, is_added: bool) -> Result<(u16, Value), String> {
        let body = asked.json();
        only(&body, &[("item!", "text"), ("object!", "text"), ("o_id!", "number")])?;
        one_of(&body["object"], &["Ticket"])?;
        let Some(ticket) = self.tickets.iter_mut().find(|ticket| ticket["id"] == body["o_id"]) else {
            return Ok((404, json!({})));
        };
        let item = body["item"].as_str().unwrap_or_default();
        let tags = ticket["tags"].as_str().unwrap_or_default().split(',').filter(|tag| *tag != item && !tag.is_empty());
        let tags: Vec<&str> = tags.chain(is_added.then_some(item)).collect();
        ticket["tags"] = tags.join(",").into();
        Ok((if is_added { 201 } else { 200 }, json!(true)))
    }

    fn of(&self, ticket: &str) -> Option<&Value> {
        self.tickets.iter().find(|found| found["lanka_ticket"] == ticket)
    }

    /// An agent changes a ticket of lanka's.
    fn change(&mut self, ticket: &str, fields: Value) -> Value {
        let of = id(self.of(ticket).expect("a ticket"));
        let ticket = self.tickets.iter_mut().find(|found| id(found) == of).expect("it");
        let was = ticket["state"].clone();
        for (key, value) in fields.as_object().expect("fields") {
            ticket[key] = value.clone();
        }
        touch(ticket, EMMA, &was);
        let ticket = ticket.clone();
        self.hook(&ticket, json!({}))
    }

    fn hook(&self, ticket: &Value, article: Value) -> Value {
        let agent = |id: u64| match id {
            EMMA => json!({"id": EMMA, "login": "emma@kauppa.example", "firstname": "Emma", "lastname": "Taylor"}),
            NOBODY => json!({"id": NOBODY, "login": "-", "firstname": "-", "lastname": ""}),
            _ => json!({"id": LANKA, "login": "lanka@kauppa.example", "firstname": "lanka", "lastname": ""}),
        };
        let mut ticket = ticket.clone();
        ticket["updated_by"] = agent(ticket["updated_by_id"].as_u64().unwrap_or(LANKA));
        ticket["group"] = json!({"id": 1, "name": ticket["group"]});
        ticket["owner"] = agent(ticket["owner_id"].as_u64().unwrap_or(NOBODY));
        ticket["customer"] =
            self.users.iter().find(|user| user["id"] == ticket["customer_id"]).cloned().unwrap_or_default();
        let mut article = article;
        if let Some(by) = article["created_by_id"].as_u64() {
            article["created_by"] = agent(by);
        }
        json!({"ticket": ticket, "article": article})
    }
}

impl Tool for Zammad {
    fn config(name: &str, url: &str) -> String {
        format!(
            "[mirrors.{name}]\nkind = \"zammad\"\nurl = \"{url}\"\ntoken = {{ env = \"SECRET\" }}\ngroup = \"Support\"\n\
             webhook_secret = {{ env = \"SECRET\" }}\ntimeout_s = 1\nqueues = {{ feedback = \"Feedback\" }}\n\n"
        )
    }

    fn answer(&mut self, asked: &Asked) -> Result<(u16, Value), String> {
        if asked.header("authorization") != format!("Token token={SECRET}") {
            return Ok((401, json!({"error": "Can't find User for Token"})));
        }
        if asked.method != "GET" && asked.header("content-type") != "application/json" {
            return Err("the body is not said to be JSON".to_owned());
        }
        let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
        let ["api", "v1", path @ ..] = &path[..] else { return Err("no such path".to_owned()) };
        let number = |text: &str| text.parse::<u64>().map_err(|_| format!("{text} is no id"));
        match (asked.method.as_str(), path) {
            ("POST", ["users", "search"]) => self.search(asked, &self.users, "user."),
            ("POST", ["users"]) => self.user(asked, None),
            ("PUT", ["users", id]) => self.user(asked, Some(number(id)?)),
            ("POST", ["tickets", "search"]) => self.search(asked, &self.tickets, "ticket."),
            ("POST", ["tickets"]) => self.ticket(asked, None),
            ("PUT", ["tickets", id]) => self.ticket(asked, Some(number(id)?)),
            ("GET", ["tickets", of]) => {
                let of = number(of)?;
                let found = self.tickets.iter().find(|ticket| id(ticket) == of);
                Ok(found.map_or((404, json!({"error": "Couldn't find Ticket"})), |ticket| (200, ticket.clone())))
            }
            ("GET", ["ticket_articles", "by_ticket", of]) => {
                let of = number(of)?;
                let found = self.articles.iter().filter(|article| article["ticket_id"] == of);
                let found = found.cloned().map(|mut article| {
                    let by = if article["created_by_id"] == EMMA { "emma" } else { "lanka" };
                    article["created_by"] = format!("{by}@kauppa.example").into();
                    article
                });
                Ok((200, found.collect()))
            }
            ("POST", ["ticket_articles"]) => self.article(asked),
            ("POST", ["tags", "add"]) => self.tag(asked, true),
            ("DELETE", ["tags", "remove"]) => self.tag(asked, false),
            ("GET", ["ticket_attachment", _, _, "7"]) => Ok((200, json!("the file"))),
            ("PUT", ["ticket_merge", source, into]) => Ok(self.merge_tickets(number(source)?, into)),
            _ => Err("no such path".to_owned()),
        }
    }

    fn thread(&self, ticket: &str) -> Vec<Shown> {
        let Some(ticket) = self.of(ticket) else { return Vec::new() };
        let of_it = self.articles.iter().filter(|article| article["ticket_id"] == ticket["id"]);
        let shown = of_it.map(|article| Shown {
            id: id(article),
            stamp: article["preferences"]["lanka"].clone(),
            text: article["body"].as_str().unwrap_or_default().to_owned(),
            is_note: article["internal"] == true,
            is_customers: article["sender"] == "Customer",
            files: article["attachments"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|file| file["filename"].as_str().unwrap_or_default().to_owned())
                .collect(),
        });
        shown.collect()
    }

    fn state(&self, ticket: &str) -> String {
        self.of(ticket).and_then(|ticket| ticket["state"].as_str()).unwrap_or_default().to_owned()
    }

    fn people(&self) -> Vec<String> {
        self.users.iter().map(ToString::to_string).collect()
    }

    fn write(&mut self, ticket: &str, text: &str, is_note: bool) -> Value {
        let ticket = self.of(ticket).expect("a ticket").clone();
        let body = json!({"ticket_id": ticket["id"], "type": "note", "sender": "Agent", "internal": is_note, "subject": "",
            "body": format!("<div>{}</div>", text.replace('\n', "<br>")), "content_type": "text/html"});
        let article = self.add(&body, EMMA);
        let ticket = self.tickets.iter().find(|found| found["id"] == ticket["id"]).expect("it");
        self.hook(ticket, article)
    }

    fn close(&mut self, ticket: &str) -> Value {
        self.change(ticket, json!({"state": "closed"}))
    }

    fn reopen(&mut self, ticket: &str) -> Value {
        self.change(ticket, json!({"state": "open"}))
    }

    fn assign(&mut self, ticket: &str, is_taken: bool) -> Value {
        let owner = if is_taken { EMMA } else { NOBODY };
        self.change(ticket, json!({"owner_id": owner, "last_owner_update_at": now()}))
    }

    fn awaits(&mut self, ticket: &str) -> Value {
        self.change(ticket, json!({"state": "pending reminder", "pending_time": now()}))
    }

    fn put(&mut self, ticket: &str) -> Value {
        self.change(ticket, json!({"group": "Feedback"}))
    }

    fn calm(&mut self, ticket: &str) {
        self.change(ticket, json!({"priority": "1 low"}));
    }

    fn fields(&self, ticket: &str) -> String {
        let ticket = self.of(ticket).expect("a ticket");
        let word = |key: &str| ticket[key].as_str().unwrap_or_default();
        super::fields_of(word("group"), &word("priority")[2..], word("tags").split(','))
    }

    fn last(&mut self, ticket: &str) -> Value {
        let ticket = self.of(ticket).expect("a ticket").clone();
        let article = self.articles.iter().rev().find(|article| article["ticket_id"] == ticket["id"]);
        self.hook(&ticket, article.cloned().unwrap_or_else(|| json!({})))
    }

    fn bustle(&mut self, threads: usize) {
        for _ in 0..threads {
            let number = self.tickets.len() as u64 + 1;
            let ticket = json!({"id": number, "number": (10_000 + number).to_string(), "state": "closed", "lanka_ticket": "",
                "last_close_at": now(), "updated_at": now()});
            self.tickets.push(ticket);
        }
    }

    fn signed(body: &[u8], _now: Timestamp) -> Vec<(String, Vec<u8>)> {
        let mut mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).expect("a key of any length");
        mac.update(body);
        let mac = format!("sha1={}", hex::encode(mac.finalize().into_bytes()));
        vec![("x-zammad-trigger".to_owned(), b"lanka".to_vec()), ("x-hub-signature".to_owned(), mac.into_bytes())]
    }
}

#[tokio::test]
async fn a_story_is_told_whole() {
    super::story::<Zammad>(None).await;
}

#[tokio::test]
async fn a_story_is_told_once_when_every_answer_is_lost() {
    super::story::<Zammad>(Some((Fault::Lost, usize::MAX))).await;
}

#[tokio::test]
async fn a_story_is_told_when_every_request_is_refused_once() {
    for status in [500, 403, 422] {
        super::story::<Zammad>(Some((Fault::Refused(status), usize::MAX))).await;
    }
}

#[tokio::test]
async fn a_story_is_told_to_one_who_asks_for_patience() {
    super::story::<Zammad>(Some((Fault::Busy, usize::MAX))).await;
}

#[tokio::test]
async fn a_story_is_told_once_when_answers_come_too_late() {
    super::story::<Zammad>(Some((Fault::Late, 6))).await;
}

#[tokio::test]
async fn agents_answer_in_it() {
    super::agents::<Zammad>().await;
}

#[tokio::test]
async fn two_of_them_hear_each_other() {
    super::peers::<Zammad>().await;
}

/// Zammad lets several users have one `lanka_contact`.
#[tokio::test]
async fn a_newcomer_with_several_tickets_at_once_is_one_user() {
    let stand = Stand::<Zammad>::open().await;
    let office = Office::open(&Zammad::config("helpdesk", &stand.url())).await;
    let said = [
        facebook("f1", "03-04 10:00", "P1", "Onko lamppuja?"),
        facebook("f2", "03-04 10:05", "P1", "Uusi asia: ovi ei mene kiinni."),
        facebook("f3", "03-04 10:10", "P1", "Uusi asia: lasku puuttuu."),
    ];
    office.hear(&said).await;
    assert_eq!(office.desk.count("SELECT count(*) FROM ticket").await, 3);
    office.deliver().await;
    let people = stand.tool().people();
    assert_eq!((people.len(), stand.offences()), (1, Vec::new()), "{people:?}");
}

#[tokio::test]
async fn who_has_a_ticket_and_that_it_is_open_again_comes_back() {
    super::owners::<Zammad>("Emma Taylor").await;
}

/// A file that an agent sends along is fetched with the token, and goes out with the answer; one elsewhere is not.
#[tokio::test]
async fn files_of_agents_go_along() {
    let stand = super::Stand::<Zammad>::open().await;
    let office = super::Office::open(&Zammad::config("helpdesk", &stand.url())).await;
    let ticket = super::asked::<Zammad>(&office).await;
    let mut reply = stand.tool().write(&ticket, "Ohessa.", false);
    let file = |url: String| {
        json!({"id": 7, "filename": "ohje.pdf", "size": "8", "url": url,
        "preferences": {"Content-Type": "application/pdf", "Mime-Type": "application/pdf"}})
    };
    reply["article"]["attachments"] = json!([
        file(format!("{}/api/v1/ticket_attachment/1/2/7", stand.url())),
        file("https://evil.example/x".to_owned())
    ]);
    office.hook::<Zammad>("helpdesk", &reply).await.expect("signed");
    office.try_delivery().await;
    assert_eq!(office.graph.got(), [], "its file is not here yet");
    office.fetch().await;
    office.deliver().await;
    let got: Vec<String> = office.graph.got().into_iter().map(|got| got.text).collect();
    assert_eq!(got.len(), 2, "{got:?}");
    assert_eq!(got[0], "Ohessa.");
    assert_eq!(office.desk.count("SELECT count(*) FROM attachment WHERE lost IS NOT NULL").await, 1);
    assert_eq!(stand.offences(), Vec::<String>::new());
}

#[tokio::test]
async fn odd_deliveries_break_nothing() {
    super::odd::<Zammad>().await;
}

#[tokio::test]
async fn set_up_later_it_gets_what_is_said_then() {
    super::later::<Zammad>().await;
}

/// What a trigger or an agent's mail program writes is no agent's word.
#[tokio::test]
async fn what_programs_write_goes_to_nobody() {
    super::robots::<Zammad>(&[
        ("a trigger", &[("/article/sender", json!("System"))], 0),
        (
            "an absence note",
            &[("/article/type", json!("email")), ("/article/preferences", json!({"is-auto-response": true}))],
            1,
        ),
        ("one that is a note there", &[("/article/preferences", json!({"is-auto-response": true}))], 1),
    ])
    .await;
}

#[tokio::test]
async fn queue_urgency_and_kind_follow_and_waiting_comes_back() {
    super::fields::<Zammad>("pending reminder").await;
}
