//! The way back: where answers go, on which wire, what came of them, and what a killed daemon leaves behind.

use crate::desk::{Desk, at, call, chat, mail, messenger, quoting};
use crate::endpoint::{Answer, Endpoint};
use crate::graph::{Failure, Graph};
use crate::post_office::{PostOffice, Reply};
use lanka::pure::domain::Timestamp;
use lanka::pure::domain::answer::CarriedFile;
use lanka::pure::domain::id::TicketId;
use lanka::shell::answers::{Answers, GiveError, Given, Giving};
use lanka::shell::deliver::{Deliver, Limits};
use serde_json::json;
use sqlx::Row;
use std::time::Duration;

/// What Meta approved of the desk's words; all of them are known to the stand-in but the last.
const TEMPLATES: &str = r#"
[[channels.whatsapp.templates]]
name = "vastaus_valmis"
language = "fi"
text = "Hei {{1}}, asiasi {{2}} on hoidettu."

[[channels.whatsapp.templates]]
name = "tervehdys"
language = "fi"
text = "Voimmeko palata asiaan?"

[[channels.whatsapp.templates]]
name = "vanha"
language = "fi"
text = "Tätä ei enää ole."
"#;

const WAIT: Duration = Duration::from_secs(20);

/// A desk that can answer on every channel, with the vendors' stand-ins.
pub struct Office {
    pub desk: Desk,
    pub deliver: Deliver,
    pub graph: Graph,
    pub post: PostOffice,
    pub site: Endpoint,
    pub tool: Endpoint,
}

impl Office {
    pub async fn open() -> Self {
        Self::open_with("").await
    }

    /// The same with more in its configuration.
    pub async fn open_with(more: &str) -> Self {
        let (graph, post) = (Graph::open().await, PostOffice::open().await);
        let (site, tool) = (Endpoint::start().await, Endpoint::start().await);
        let meta = format!(
            "verify_token = {{ env = \"SECRET\" }}\naccess_token = {{ env = \"SECRET\" }}\napi_url = \"{}\"",
            graph.url()
        );
        let smtp = format!(
            "smtp = {{ host = \"127.0.0.1\", port = {}, tls = \"none\", from = \"Kauppa <asiakaspalvelu@kauppa.example>\", reply_token = true }}",
            post.address.port()
        );
        let desk = Desk::open_with(|config| {
            config
                .replace("verify_token = { env = \"SECRET\" }", &meta)
                .replace(
                    "trusted_authserv = \"mx.kauppa.example\"",
                    &format!("trusted_authserv = \"mx.kauppa.example\"\n{smtp}"),
                )
                .replace(
                    "[channels.chat]\nkind = \"webchat\"",
                    &format!("[channels.chat]\nkind = \"webchat\"\nanswer_url = \"{}\"", site.url("/answers")),
                )
                .replace("https://desk.example/hook", &tool.url("/hook"))
                + TEMPLATES
                + more
                + "\n[http]\nallow_private_addresses = true\n\n[channels.agents]\nkind = \"desk\"\nsecret = { env = \"WHSEC\" }\n"
        })
        .await;
        let deliver = desk.deliverer(Limits { backoff_first: Duration::from_millis(600), ..Limits::default() });
        Self { desk, deliver, graph, post, site, tool }
    }

    /// The ticket of the message with a vendor's id.
    pub async fn ticket(&self, source_key: &str) -> TicketId {
        let id = sqlx::query_scalar("SELECT ticket_id FROM message WHERE source_key = $1").bind(source_key);
        TicketId(id.fetch_one(&self.desk.store.pool).await.unwrap_or_else(|error| panic!("{source_key}: {error}")))
    }

    /// Gives an answer by way of the API, with the ingest running beside.
    pub async fn give(&self, key: &str, ticket: TicketId, text: &str, to: Option<&str>) -> Result<Given, GiveError> {
        self.say(key, ticket, text, to, false).await
    }

    async fn say(
        &self,
        key: &str,
        ticket: TicketId,
        text: &str,
        to: Option<&str>,
        is_note: bool,
    ) -> Result<Given, GiveError> {
        self.say_with(key, ticket, text, (to, is_note), &[]).await
    }

    async fn say_with(
        &self,
        key: &str,
        ticket: TicketId,
        text: &str,
        (to, is_note): (Option<&str>, bool),
        files: &[CarriedFile],
    ) -> Result<Given, GiveError> {
        let answers = Answers::new(self.desk.store.clone(), self.desk.ingest.registry());
        let giving = Giving {
            tenant: "main".to_owned(),
            key: key.to_owned(),
            ticket,
            text: text.to_owned(),
            by: "Aino".to_owned(),
            to: to.map(str::to_owned),
            is_note,
            files: files.to_vec(),
        };
        let deciding = async {
            loop {
                self.desk.take_in().await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            given = answers.give(&giving, WAIT) => given,
            () = deciding => unreachable!(),
        }
    }

    /// What the message of a text says of its way: `channel progress`.
    async fn way(&self, text: &str) -> String {
        let row =
            sqlx::query("SELECT channel, coalesce(progress, '-') AS progress FROM message WHERE text = $1").bind(text);
        let row = row.fetch_one(&self.desk.store.pool).await.unwrap_or_else(|error| panic!("{text}: {error}"));
        format!("{} {}", row.get::<&str, _>("channel"), row.get::<&str, _>("progress"))
    }

    pub async fn deliver(&self) {
        self.deliver.until_idle().await.expect("delivered");
    }
}

const MINNA: &str = "Minna Virtanen <minna@posti.example>";
const PASS: &str = "dmarc=pass header.from=posti.example";

fn letter(id: &str, headers: &str, subject: &str, text: &str) -> String {
    let date = jiff::fmt::rfc2822::to_string(&Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC)).expect("a date");
    mail(id, MINNA, &date, PASS, headers, subject, text)
}

fn now() -> String {
    Timestamp::now().to_string()
}

/// The story of the mission: a question on Messenger, a complaint by mail, a call; the answers go where the customer is, he
/// answers them, and it is one ticket.
#[tokio::test]
async fn answers_go_where_the_customer_is_and_come_back_to_the_ticket() {
    let office = Office::open().await;
    office
        .desk
        .take("facebook", &now(), messenger("m_1", "P1", &now(), "Tilaus 40012345 puuttuu.\n\nMinna Virtanen"))
        .await;
    let ticket = office.ticket("m_1").await;
    let given = office.give("k1", ticket, "Se lähti eilen.", None).await.expect("given");
    assert_eq!(given.to.as_ref().map(|to| to.address.as_str()), Some("messenger:P1"));
    office.deliver().await;
    let got = office.graph.got();
    assert_eq!((got.len(), got[0].to.as_str(), got[0].text.as_str()), (1, "P1", "Se lähti eilen."));
    assert!(got[0].along.starts_with("lanka."), "{got:?}");
    assert_eq!(office.way("Se lähti eilen.").await, "facebook sent");

    // Meta's echo of it, a receipt, and the customer's quotation: nothing of it is a message of its own.
    let echo = json!({"object": "page", "entry": [{"id": "PAGE", "messaging": [
        {"sender": {"id": "PAGE"}, "recipient": {"id": "P1"}, "timestamp": at(&now()).as_millisecond(),
         "message": {"mid": got[0].id, "is_echo": true, "app_id": 1, "metadata": got[0].along, "text": got[0].text}},
        {"sender": {"id": "P1"}, "recipient": {"id": "PAGE"}, "timestamp": at(&now()).as_millisecond(),
         "delivery": {"mids": [got[0].id], "watermark": at(&now()).as_millisecond()}},
        {"sender": {"id": "P1"}, "recipient": {"id": "PAGE"}, "timestamp": at(&now()).as_millisecond(),
         "message": {"mid": "m_2", "text": "Kiitos!", "reply_to": {"mid": got[0].id}}}]}]});
    office.desk.take("facebook", &now(), echo.to_string()).await;
    assert_eq!(office.way("Se lähti eilen.").await, "facebook delivered");
    assert_eq!(office.ticket("m_2").await, ticket);
    assert_eq!(office.desk.count("SELECT count(*) FROM message").await, 3);

    // He goes on by mail, naming the order; answers follow him there. (A mail's time is to the second.)
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    office
        .desk
        .take("mail", &now(), letter("a@posti.example", "", "Tilaus", "Tilausnumero 40012345.\n\nMinna Virtanen"))
        .await;
    assert_eq!(office.ticket("a@posti.example").await, ticket, "the number is known to him alone");
    let given = office.give("k2", ticket, "Lähetämme uuden.", None).await.expect("given");
    assert_eq!(given.to.as_ref().map(|to| to.channel.as_str()), Some("mail"));
    office.deliver().await;
    let sent = office.post.taken();
    let envelope = (sent[0].from.as_str(), sent[0].to[0].as_str());
    assert_eq!((sent.len(), envelope), (1, ("asiakaspalvelu@kauppa.example", "minna@posti.example")));
    assert_eq!(sent[0].header("In-Reply-To").as_deref(), Some("<a@posti.example>"));
    let id = sent[0].header("Message-ID").expect("an id");
    assert_eq!(office.way("Lähetämme uuden.").await, "mail sent");

    // His mail program keeps the headers, or the address alone.
    let reply = letter("b@posti.example", &format!("In-Reply-To: {id}\r\n"), "Re: Tilaus", "Hyvä.");
    office.desk.take("mail", &now(), reply).await;
    assert_eq!(office.ticket("b@posti.example").await, ticket);
    let token = sent[0].header("Reply-To").expect("an address").split(['<', '>']).nth(1).expect("it").to_owned();
    let bare = letter("c@posti.example", "", "vielä", "Ja toinen asia?")
        .replace("To: asiakaspalvelu@kauppa.example", &format!("To: {token}"));
    office.desk.take("mail", &now(), bare).await;
    assert_eq!(office.ticket("c@posti.example").await, ticket);

    // The tool hears of each answer once, and how far it came.
    let seen = office.tool.seen();
    let of = |change: &str, text: &str| {
        let is = |v: &serde_json::Value| v["type"] == format!("lanka.{change}") && v["data"]["message"]["text"] == text;
        seen.iter().map(|request| request.json()).filter(is).count()
    };
    assert_eq!((of("message.added", "Se lähti eilen."), of("message.added", "Lähetämme uuden.")), (1, 1));
    assert!(of("message.updated", "Lähetämme uuden.") >= 1);
    assert!(!seen.iter().any(|request| request.json()["type"] == "lanka.answer.due"), "mirrors carry nothing");
}

#[tokio::test]
async fn a_key_is_one_answer() {
    let office = Office::open().await;
    office.desk.take("facebook", &now(), messenger("m_1", "P1", &now(), "Moi")).await;
    let ticket = office.ticket("m_1").await;
    let first = office.give("k1", ticket, "Hei.", None).await.expect("given");
    let again = office.give("k1", ticket, "Hei.", None).await.expect("given");
    assert_eq!((again.message, again.already), (first.message, true));
    assert!(matches!(office.give("k1", ticket, "Muuta.", None).await, Err(GiveError::KeyReused)));
    // The same words to somebody else are another answer: he must not be left without.
    office.desk.take("facebook", &now(), messenger("m_2", "P2", &now(), "Terve")).await;
    let other = office.ticket("m_2").await;
    assert!(matches!(office.give("k1", other, "Hei.", None).await, Err(GiveError::KeyReused)));
    office.give("k2", ticket, "Hei.", None).await.expect("given");
    office.deliver().await;
    office.deliver().await;
    assert_eq!(office.graph.got().len(), 2);
}

#[tokio::test]
async fn notes_never_reach_a_customer() {
    let office = Office::open().await;
    office.desk.take("facebook", &now(), messenger("m_1", "P1", &now(), "Moi")).await;
    let ticket = office.ticket("m_1").await;
    let given = office.say("k1", ticket, "Hankala asiakas.", None, true).await.expect("noted");
    assert_eq!((given.ticket, given.to), (Some(ticket), None));
    office.deliver().await;
    assert_eq!(office.graph.got(), []);
    let shown = |v: &serde_json::Value| v["data"]["message"]["marks"] == json!(["internal"]);
    assert_eq!(office.tool.seen().iter().filter(|request| shown(&request.json())).count(), 1);
}

/// A ticket of two conversations is closed by one word on it; the customer's next opens it again.
#[tokio::test]
async fn a_ticket_is_closed_whole() {
    let office = Office::open().await;
    let question = messenger("m_1", "P1", &now(), "Tilaus 40012345 puuttuu.\n\nMinna Virtanen");
    office.desk.take("facebook", &now(), question).await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let complaint = letter("a@posti.example", "", "Tilaus", "Tilausnumero 40012345.\n\nMinna Virtanen");
    office.desk.take("mail", &now(), complaint).await;
    let ticket = office.ticket("a@posti.example").await;
    let act = json!({"event_id": "d-1", "type": "close", "ticket": ticket.to_string(), "by": "Aino", "at": now()});
    office.desk.take("agents", &now(), act.to_string()).await;
    let state = "SELECT count(*) FROM ticket WHERE state = 'closed'";
    assert_eq!(office.desk.count(state).await, 1);
    office.desk.take("agents", &now(), act.to_string()).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    office.desk.take("facebook", &now(), quoting("m_2", "P1", "Ei se tullutkaan.", "m_1")).await;
    assert_eq!((office.desk.count(state).await, office.ticket("m_2").await), (0, ticket));
}

#[tokio::test]
async fn what_cannot_be_sent_is_said_before_it_is_stored() {
    let office = Office::open().await;
    let old = (Timestamp::now() - jiff::SignedDuration::from_hours(25)).to_string();
    office.desk.take("facebook", &old, messenger("m_1", "P1", &old, "Moi")).await;
    let stranger = letter("x@posti.example", "", "Moi", "Lasku on väärin.").replace(PASS, "dmarc=none");
    office.desk.take("mail", &now(), stranger).await;
    office.desk.take("phone", &now(), call("+358401234567", &now(), "1.1")).await;
    let table = [("m_1", "window_closed"), ("x@posti.example", "unverified"), ("1.1", "call_back")];
    for (key, expected) in table {
        let ticket = office.ticket(key).await;
        match office.give(key, ticket, "Vastaus.", None).await {
            Err(GiveError::Nowhere(obstacle)) => assert_eq!(obstacle.code(), expected, "{key}"),
            other => panic!("{key}: {other:?}"),
        }
    }
    // The agent takes the doubtful address upon himself.
    let ticket = office.ticket("x@posti.example").await;
    office.give("picked", ticket, "Katsomme laskun.", Some("mail")).await.expect("given");
    office.deliver().await;
    assert_eq!(office.post.taken().len(), 1);
    assert_eq!(office.desk.count("SELECT count(*) FROM raw_event WHERE channel = 'api'").await, 1);
}

#[tokio::test]
async fn chats_are_answered_in_their_session() {
    let office = Office::open().await;
    office.desk.take("chat", &now(), chat("c1", "v1", "Moi, onko teillä lamppuja?")).await;
    let ticket = office.ticket("c1").await;
    office.site.answer([Answer::Status(503)]);
    office.give("k1", ticket, "On.", None).await.expect("given");
    for _ in 0..3 {
        office.deliver().await;
        tokio::time::sleep(Duration::from_millis(1_300)).await;
    }
    let seen = office.site.seen();
    assert_eq!(seen.iter().map(|request| request.status).collect::<Vec<_>>(), [503, 200]);
    assert!(seen.iter().all(|request| request.is_signed()));
    let (one, other) = (seen[0].json(), seen[1].json());
    assert_eq!(one["event_id"], other["event_id"], "the site shows it once");
    assert_eq!(
        (&one["conversation_id"], &one["visitor"]["id"], &one["text"]),
        (&json!("v1"), &json!("v1"), &json!("On."))
    );
    assert_eq!(office.way("On.").await, "chat sent");
}

#[tokio::test]
async fn vendors_refusals_come_back_to_the_agent() {
    let office = Office::open().await;
    office.desk.take("facebook", &now(), messenger("m_1", "P1", &now(), "Moi")).await;
    let ticket = office.ticket("m_1").await;
    office.graph.fail([Failure::Error(400, 551)]);
    office.give("k1", ticket, "Hei.", None).await.expect("given");
    office.give("k2", ticket, "Hei taas.", None).await.expect("given");
    office.deliver().await;
    assert_eq!(office.way("Hei.").await, "facebook failed");
    assert_eq!(office.way("Hei taas.").await, "facebook sent", "one that is dead holds up nothing");
    let failed = |v: &serde_json::Value| v["data"]["message"]["progress"] == "failed";
    assert!(office.tool.seen().iter().any(|request| failed(&request.json())));
}

/// The vendor has done the work and its answer is lost; or the daemon is killed before it could note the answer.
#[tokio::test]
async fn what_a_vendor_reports_as_sent_is_not_sent_again() {
    let office = Office::open().await;
    office.desk.take("facebook", &now(), messenger("m_1", "P1", &now(), "Moi")).await;
    let ticket = office.ticket("m_1").await;
    office.graph.fail([Failure::LostAfter]);
    office.give("k1", ticket, "Hei.", None).await.expect("given");
    office.deliver().await;
    assert_eq!(office.way("Hei.").await, "facebook -");
    let got = office.graph.got().remove(0);
    let echo = json!({"object": "page", "entry": [{"id": "PAGE", "messaging": [
        {"sender": {"id": "PAGE"}, "recipient": {"id": "P1"}, "timestamp": at(&now()).as_millisecond(),
         "message": {"mid": got.id, "is_echo": true, "app_id": 1, "metadata": got.along, "text": got.text}}]}]});
    office.desk.take("facebook", &now(), echo.to_string()).await;
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    office.deliver().await;
    assert_eq!(office.graph.got().len(), 1);
    assert_eq!(office.way("Hei.").await, "facebook sent");
    assert_eq!(office.desk.count("SELECT count(*) FROM outbox WHERE state = 'pending'").await, 0);
}

#[tokio::test]
async fn long_texts_go_in_pieces_each_once() {
    let office = Office::open().await;
    office.desk.take("facebook", &now(), messenger("m_1", "P1", &now(), "Moi")).await;
    let ticket = office.ticket("m_1").await;
    let text = "sana ".repeat(1_000);
    office.give("k1", ticket, text.trim_end(), None).await.expect("given");
    // Of three pieces the second fails once.
    office.graph.fail([Failure::Error(500, 2)]);
    for _ in 0..3 {
        office.deliver().await;
        office.graph.fail(office.graph.got().len().eq(&1).then_some(Failure::Error(500, 2)));
        tokio::time::sleep(Duration::from_millis(1_300)).await;
    }
    let got = office.graph.got();
    let whole: Vec<&str> = got.iter().map(|got| got.text.as_str()).collect();
    assert_eq!(whole.join(" "), text.trim_end());
    assert!(got.iter().all(|got| got.text.chars().count() <= 2_000));
}

#[tokio::test]
async fn statuses_of_whatsapp_find_their_answer() {
    let office = Office::open().await;
    let said = json!({"object": "whatsapp_business_account", "entry": [{"id": "WABA", "changes": [{"field": "messages", "value": {
        "messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550001111", "phone_number_id": "106540352242922"},
        "contacts": [{"profile": {"name": "Anna"}, "wa_id": "358401234567"}],
        "messages": [{"from": "358401234567", "id": "wamid.1", "timestamp": Timestamp::now().as_second().to_string(), "type": "text", "text": {"body": "Hei"}}]}}]}]});
    office.desk.take("whatsapp", &now(), said.to_string()).await;
    let ticket = office.ticket("wamid.1").await;
    office.give("k1", ticket, "Hei Anna.", None).await.expect("given");
    office.deliver().await;
    let got = office.graph.got();
    assert_eq!(
        (got[0].from.as_str(), got[0].to.as_str(), got[0].quotes.as_str()),
        ("106540352242922", "358401234567", "wamid.1")
    );
    let status = |word: &str| {
        json!({"object": "whatsapp_business_account", "entry": [{"id": "WABA", "changes": [{"field": "messages", "value": {
        "messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550001111", "phone_number_id": "106540352242922"},
        "statuses": [{"id": got[0].id, "status": word, "timestamp": Timestamp::now().as_second().to_string(), "recipient_id": "358401234567",
            "biz_opaque_callback_data": got[0].along}]}}]}]})
        .to_string()
    };
    for (word, expected) in [("read", "whatsapp read"), ("delivered", "whatsapp read")] {
        office.desk.take("whatsapp", &now(), status(word)).await;
        assert_eq!(office.way("Hei Anna.").await, expected);
    }
}

#[tokio::test]
async fn a_mail_server_that_hangs_up_gets_the_same_mail_again() {
    let office = Office::open().await;
    office.desk.take("mail", &now(), letter("a@posti.example", "", "Moi", "Onko lamppuja?")).await;
    let ticket = office.ticket("a@posti.example").await;
    office.post.then([Reply::HangUp, Reply::Say("451 4.3.0 later")]);
    office.give("k1", ticket, "On.", None).await.expect("given");
    for _ in 0..4 {
        office.deliver().await;
        tokio::time::sleep(Duration::from_millis(1_300)).await;
    }
    let taken = office.post.taken();
    assert_eq!(taken.len(), 2, "taken before it hung up, and again");
    assert_eq!(taken[0].text, taken[1].text, "the same mail: programs show it once");
    assert_eq!(office.way("On.").await, "mail sent");
    // It comes back to our own mailbox, from a list that the customer is on.
    let copy = format!(
        "Received: from list.example (list.example [192.0.2.9])\r\n\tby mx.kauppa.example with ESMTPS id x9;\r\n\tMon, 2 Mar 2026 10:00:00 +0000\r\n\
         Authentication-Results: mx.kauppa.example;\r\n\tdmarc=pass header.from=kauppa.example\r\n{}",
        taken[0].text
    );
    let before = office.desk.count("SELECT count(*) FROM message").await;
    office.desk.take("mail", &now(), copy).await;
    assert_eq!(office.desk.count("SELECT count(*) FROM message").await, before, "our own words are no news");
}

/// Whoever is contradicted, mentioned or merely replies-to gets nothing.
#[tokio::test]
async fn nobody_draws_answers_to_himself() {
    let office = Office::open().await;
    office
        .desk
        .take(
            "mail",
            &now(),
            letter("a@posti.example", "Reply-To: eve@evil.example\r\n", "Moi", "Tilaus 40012345 puuttuu."),
        )
        .await;
    let ticket = office.ticket("a@posti.example").await;
    let forged = letter(
        "e@posti.example",
        "In-Reply-To: <a@posti.example>\r\nReply-To: eve@evil.example\r\n",
        "Re: Moi",
        "Vastaa minulle.",
    )
    .replace(PASS, "dmarc=fail header.from=posti.example");
    office.desk.take("mail", &now(), forged).await;
    office.desk.take("chat", &now(), chat("c1", "v9", "Olen Minna, minna@posti.example, tilaus 40012345.")).await;
    office.give("k1", ticket, "Selvitämme.", None).await.expect("given");
    office.deliver().await;
    assert_eq!(office.post.taken()[0].to, ["minna@posti.example"]);
    assert_eq!((office.graph.got().len(), office.site.seen().len()), (0, 0));
    for picked in ["eve@evil.example", "mailto:eve@evil.example", "chat", "webchat:v9"] {
        assert!(matches!(office.give(picked, ticket, "?", Some(picked)).await, Err(GiveError::Nowhere(_))), "{picked}");
    }
}

/// What a program at a customer's answers to the `n`th mail.
fn by_itself(n: usize, mark: &str) -> String {
    letter(&format!("robot{n}@posti.example"), &format!("{mark}\r\n"), "Re: Tilaus", &format!("Vastaamme pian ({n})."))
}

/// What a program in a tool answers to the `n`th message.
fn of_tool(n: usize, ticket: TicketId, to: Option<&str>) -> String {
    let text = format!("Kiitos viestistä ({n}).");
    json!({"event_id": format!("d-{n}"), "type": "answer", "ticket": ticket.to_string(), "text": text, "to": to, "at": now()})
        .to_string()
}

/// A program in a tool and one at the customer's answer each other: it ends by itself, all of it is on the ticket, and it is said
/// aloud. A person who picks the address writes all the same.
#[tokio::test]
async fn programs_that_answer_each_other_come_to_an_end() {
    let office = Office::open().await;
    office.desk.take("mail", &now(), letter("a@posti.example", "", "Tilaus", "Missä tilaukseni on?")).await;
    let ticket = office.ticket("a@posti.example").await;
    let readings = || lanka::shell::daemon::loop_readings(&office.desk.store, 5, Timestamp::now());
    let mut answered = 0;
    for n in 0..12 {
        office.desk.take("agents", &now(), of_tool(n, ticket, None)).await;
        office.deliver().await;
        let is_sent = office.post.taken().len() > n;
        if !is_sent {
            break;
        }
        assert!(readings().await.expect("readings").iter().all(|one| one.value < one.limit), "{n}");
        let told = letter_to(&office, n, "Auto-Submitted: auto-replied");
        office.desk.take("mail", &now(), told).await;
        answered += 1;
    }
    assert_eq!(answered, 5);
    let why = sqlx::query_scalar::<_, String>("SELECT progress_why FROM message WHERE text = 'Kiitos viestistä (5).'");
    let why = why.fetch_one(&office.desk.store.pool).await.expect("why");
    assert!(why.contains("A program answers") && why.contains("pick the address"), "{why}");
    assert_eq!(office.way("Kiitos viestistä (5).").await, "agents failed");
    let shown = sqlx::query_scalar("SELECT count(*) FROM message WHERE ticket_id = $1").bind(ticket.0);
    let shown: i64 = shown.fetch_one(&office.desk.store.pool).await.expect("messages");
    assert_eq!(shown, 1 + 5 + 6, "the question, five automatic answers, six of the tool's");
    // Agents are told where they look; and by the API, before anything is stored.
    let answers = Answers::new(office.desk.store.clone(), office.desk.ingest.registry());
    let view = answers.view("main", ticket).await.expect("a view").expect("a ticket");
    assert_eq!(view.obstacle.map(|obstacle| obstacle.code()), Some("mail_loop"));
    assert_eq!(view.others.first().map(|other| other.address.as_str()), Some("mailto:minna@posti.example"));
    assert!(matches!(office.give("k1", ticket, "Hei.", None).await, Err(GiveError::Nowhere(_))));
    let readings = readings().await.expect("readings");
    let said: Vec<_> = readings.iter().map(|one| (one.code, one.subject.as_str(), one.value > one.limit)).collect();
    assert_eq!(said, [("mail_loop", "mail", true)]);
    assert!(readings[0].message.contains("ticket #1") && !readings[0].message.contains('@'), "{}", readings[0].message);
    let failed = |v: &serde_json::Value| v["data"]["message"]["progress"] == "failed";
    assert_eq!(office.tool.seen().iter().filter(|request| failed(&request.json())).count(), 1);

    let given = office.give("k2", ticket, "Olen ihminen.", Some("mailto:minna@posti.example")).await.expect("given");
    assert_eq!(given.to.map(|to| to.channel).as_deref(), Some("mail"));
    office.deliver().await;
    assert_eq!(office.way("Olen ihminen.").await, "mail sent");

    // An hour later it is over.
    let later = Timestamp::now() + jiff::SignedDuration::from_mins(61);
    let readings = lanka::shell::daemon::loop_readings(&office.desk.store, 5, later).await.expect("readings");
    assert_eq!(readings, []);
}

/// The answer of a program to the `n`th mail that was taken for the customer.
fn letter_to(office: &Office, n: usize, mark: &str) -> String {
    let id = office.post.taken()[n].header("Message-ID").expect("an id");
    by_itself(n, &format!("In-Reply-To: {id}\r\n{mark}"))
}

/// What counts, and against whom: programs, not people, nor what comes of reading.
#[tokio::test]
async fn automatic_mail_is_counted_by_contact_and_kind() {
    let bounce = "Auto-Submitted: auto-replied\r\nX-Failed-Recipients: minna@posti.example";
    for (name, mark, from, expected) in [
        ("absence notes", "Auto-Submitted: auto-replied", MINNA, Some("mail_loop")),
        ("a program that says so", "Auto-Submitted: auto-generated", MINNA, Some("mail_loop")),
        (
            "bounces, whoever they are from",
            bounce,
            "Mail Delivery System <MAILER-DAEMON@posti.example>",
            Some("mail_loop"),
        ),
        ("a person", "X-Mailer: Posti 1.0", MINNA, None),
        ("a person on a list", "Precedence: list", MINNA, None),
    ] {
        let office = Office::open().await;
        office.desk.take("mail", &now(), letter("a@posti.example", "", "Tilaus", "Missä tilaukseni on?")).await;
        let ticket = office.ticket("a@posti.example").await;
        office.give("k1", ticket, "Se lähti eilen.", None).await.expect("given");
        office.deliver().await;
        let id = office.post.taken()[0].header("Message-ID").expect("an id");
        for n in 0..5 {
            let mail = by_itself(n, &format!("In-Reply-To: {id}\r\n{mark}")).replace(MINNA, from);
            office.desk.take("mail", &now(), mail).await;
        }
        let on_it = sqlx::query_scalar("SELECT count(*) FROM message WHERE ticket_id = $1").bind(ticket.0);
        assert_eq!(
            on_it.fetch_one(&office.desk.store.pool).await.ok(),
            Some(7_i64),
            "{name}: all of it is on the ticket"
        );
        let answers = Answers::new(office.desk.store.clone(), office.desk.ingest.registry());
        let view = answers.view("main", ticket).await.expect("a view").expect("a ticket");
        assert_eq!(view.obstacle.map(|obstacle| obstacle.code()), expected, "{name}");
        if expected.is_some() {
            // What was said more than an hour ago is past.
            let moved =
                "UPDATE message SET id = (substr((lanka_uuid_floor(now() - interval '61 minutes'))::text, 1, 13)
                || substr(id::text, 14))::uuid WHERE auto IS NOT NULL";
            sqlx::query(moved).execute(&office.desk.store.pool).await.expect("an hour earlier");
            let view = answers.view("main", ticket).await.expect("a view").expect("a ticket");
            assert_eq!(view.obstacle, None, "{name}, an hour later");
        }
    }
}

/// A WhatsApp message of some hours ago.
fn whatsapp(id: &str, hours: i64, text: &str) -> (String, String) {
    let at = Timestamp::now() - jiff::SignedDuration::from_hours(hours);
    let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "WABA", "changes": [{"field": "messages", "value": {
        "messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550001111", "phone_number_id": "106540352242922"},
        "contacts": [{"profile": {"name": "Minna Virtanen"}, "wa_id": "358401234567"}],
        "messages": [{"from": "358401234567", "id": id, "timestamp": at.as_second().to_string(), "type": "text", "text": {"body": text}}]}}]}]});
    (at.to_string(), body.to_string())
}

/// A day has passed: the agent is told what can be sent before he writes, and sends it as Meta wants it.
#[tokio::test]
async fn templates_are_sent_when_a_day_has_passed() {
    let office = Office::open().await;
    let (at, question) = whatsapp("wamid.1", 30, "Missä tilaukseni on?");
    office.desk.take("whatsapp", &at, question).await;
    let ticket = office.ticket("wamid.1").await;
    let answers = Answers::new(office.desk.store.clone(), office.desk.ingest.registry());
    let view = answers.view("main", ticket).await.expect("a view").expect("a ticket");
    assert_eq!(view.obstacle.map(|obstacle| obstacle.code()), Some("window_closed"));
    let told: Vec<(&str, &str)> = view.templates.iter().map(|one| (one.name.as_str(), one.text.as_str())).collect();
    let known = [
        ("vastaus_valmis", "Hei {{1}}, asiasi {{2}} on hoidettu."),
        ("tervehdys", "Voimmeko palata asiaan?"),
        ("vanha", "Tätä ei enää ole."),
    ];
    assert_eq!(told, known);
    assert!(view.says.is_some_and(|says| says.contains("/template NAME")), "{view:?}");

    // What does not go is said before it is stored, and goes in no other form.
    for (text, expected) in [
        ("Se lähti eilen.", "window_closed"),
        ("/template tuntematon", "template_unknown"),
        ("/template vastaus_valmis\nMinna", "template_parameters"),
        ("/template vastaus_valmis\nMinna\n\n", "template_parameters"),
        ("/template vastaus_valmis\nMinna\n40012345     nyt", "template_parameters"),
    ] {
        match office.give("k0", ticket, text, None).await {
            Err(GiveError::Nowhere(obstacle)) => assert_eq!(obstacle.code(), expected, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    // A tool stores what was written there first: it ends there, and says why.
    let act = json!({"event_id": "d-1", "type": "answer", "ticket": ticket.to_string(), "at": now(), "text": "/template tuntematon"});
    office.desk.take("agents", &now(), act.to_string()).await;
    office.deliver().await;
    assert_eq!(
        (office.graph.got(), office.way("/template tuntematon").await),
        (Vec::new(), "agents failed".to_owned())
    );

    let asked = "/template vastaus_valmis\nMinna\n4001 2345";
    office.give("k1", ticket, asked, None).await.expect("given");
    office.give("k2", ticket, "/template tervehdys", None).await.expect("given");
    office.give("k3", ticket, "/template vanha", None).await.expect("given");
    office.deliver().await;
    let got: Vec<String> = office.graph.got().into_iter().map(|got| got.text).collect();
    assert_eq!(got, ["vastaus_valmis fi: Minna | 4001 2345", "tervehdys fi: "]);
    assert_eq!(office.graph.got()[0].quotes, "wamid.1");
    assert_eq!(office.way("Hei Minna, asiasi 4001 2345 on hoidettu.").await, "whatsapp sent");
    assert_eq!(office.way("Tätä ei enää ole.").await, "whatsapp failed", "Meta has it no more");
    // The same again is the same; another template, or other words in it, are not.
    assert!(office.give("k1", ticket, asked, None).await.expect("given").already);
    for other in [
        "/template tervehdys",
        "/template vastaus_valmis\nMinna\n4001 9999",
        "Hei Minna, asiasi 4001 2345 on hoidettu.",
    ] {
        assert!(matches!(office.give("k1", ticket, other, None).await, Err(GiveError::KeyReused)), "{other}");
    }
}

/// Inside the window a template is one of two things to send; elsewhere it is nothing, and never words.
#[tokio::test]
async fn templates_are_sent_where_there_are_any() {
    let office = Office::open().await;
    let (at, question) = whatsapp("wamid.1", 1, "Missä tilaukseni on?");
    office.desk.take("whatsapp", &at, question).await;
    office.desk.take("facebook", &now(), messenger("m_1", "P1", &now(), "Moi")).await;
    office.desk.take("chat", &now(), chat("c1", "v1", "Moi, onko teillä lamppuja?")).await;
    let on = office.ticket("wamid.1").await;
    office.give("k1", on, "/template tervehdys", None).await.expect("given");
    office.give("k2", on, "Se lähti eilen.", None).await.expect("given");
    for key in ["m_1", "c1"] {
        let ticket = office.ticket(key).await;
        match office.give(key, ticket, "/template tervehdys", None).await {
            Err(GiveError::Nowhere(obstacle)) => assert_eq!(obstacle.code(), "template_none", "{key}"),
            other => panic!("{key}: {other:?}"),
        }
    }
    office.deliver().await;
    let got: Vec<String> = office.graph.got().into_iter().map(|got| got.text).collect();
    assert_eq!(got, ["tervehdys fi: ", "Se lähti eilen."]);
    assert_eq!(office.site.seen().len(), 0);
    let answers = Answers::new(office.desk.store.clone(), office.desk.ingest.registry());
    let view = answers.view("main", on).await.expect("a view").expect("a ticket");
    assert!(view.templates.is_empty() && view.to.is_some_and(|to| to.until.is_some()));
}

fn file(name: &str, media_type: &str, bytes: &'static [u8]) -> CarriedFile {
    CarriedFile { name: name.to_owned(), media_type: media_type.to_owned(), bytes: bytes.into() }
}

/// Files go along wherever an answer goes; under one key there is one answer with its files; a template takes none.
#[tokio::test]
async fn files_go_along() {
    let office = Office::open().await;
    office.desk.take("mail", &now(), letter("a@posti.example", "", "Tilaus", "Missä kuitti on?")).await;
    office.desk.take("facebook", &now(), messenger("m_1", "P1", &now(), "Moi")).await;
    let (at, question) = whatsapp("wamid.1", 1, "Kuittia?");
    office.desk.take("whatsapp", &at, question).await;
    office.desk.take("chat", &now(), chat("c1", "v1", "Kuittia?")).await;
    let files = [file("kuitti.pdf", "application/pdf", b"%PDF-1.7 kuitti"), file("kuva.png", "image/png", b"PNG kuva")];
    for key in ["a@posti.example", "m_1", "wamid.1", "c1"] {
        let ticket = office.ticket(key).await;
        let given = office.say_with(key, ticket, "Tässä.", (None, false), &files).await.expect("given");
        let again = office.say_with(key, ticket, "Tässä.", (None, false), &files).await.expect("given");
        assert_eq!((again.message, again.already), (given.message, true), "{key}");
        let other = [files[0].clone(), file("kuva.png", "image/png", b"PNG muu")];
        for files in [&other[..], &files[..1], &[]] {
            let reused = office.say_with(key, ticket, "Tässä.", (None, false), files).await;
            assert!(matches!(reused, Err(GiveError::KeyReused)), "{key}: {reused:?}");
        }
    }
    office.deliver().await;
    let sent = office.post.taken().remove(0);
    let mail = sent.text;
    assert!(mail.contains("filename=\"kuitti.pdf\"") && mail.contains("image/png"), "{mail}");
    let got = |to: &str| -> Vec<String> {
        office.graph.got().into_iter().filter(|got| got.to == to).map(|got| got.text).collect()
    };
    assert_eq!(got("P1"), ["Tässä.", "[file]", "[image]"]);
    assert_eq!(got("358401234567"), ["Tässä.", "[document]", "[image]"]);
    let shown = office.site.seen()[0].json();
    assert_eq!(
        (&shown["attachments"][0]["name"], shown["attachments"].as_array().map(Vec::len)),
        (&json!("kuitti.pdf"), Some(2))
    );

    let ticket = office.ticket("wamid.1").await;
    match office.say_with("k9", ticket, "/template tervehdys", (None, false), &files).await {
        Err(GiveError::Nowhere(obstacle)) => assert_eq!(obstacle.code(), "template_files"),
        other => panic!("{other:?}"),
    }
}

/// What a tool hands over with a file that cannot be read goes to nobody without it.
#[tokio::test]
async fn answers_without_their_files_are_none() {
    let office = Office::open().await;
    office.desk.take("facebook", &now(), messenger("m_1", "P1", &now(), "Moi")).await;
    let ticket = office.ticket("m_1").await.to_string();
    let good = json!({"name": "a.png", "type": "image/png", "data": "UE5H"});
    for (n, attachments) in [
        json!([{"name": "a.png", "type": "image/png", "data": "?"}]),
        json!([good, {"name": "b.png", "type": "image/png"}]),
        json!("UE5H"),
        json!(vec![good.clone(); 11]),
    ]
    .into_iter()
    .enumerate()
    {
        let act = json!({"event_id": format!("d-{n}"), "type": "answer", "ticket": ticket, "text": "Tässä.", "attachments": attachments});
        office.desk.take("agents", &now(), act.to_string()).await;
    }
    assert_eq!(office.desk.count("SELECT count(*) FROM quarantine WHERE code = 'bad_attachment'").await, 4);
    let act = json!({"event_id": "d-9", "type": "answer", "ticket": ticket, "text": "Tässä.", "attachments": [good]});
    office.desk.take("agents", &now(), act.to_string()).await;
    office.deliver().await;
    let got: Vec<String> = office.graph.got().into_iter().map(|got| got.text).collect();
    assert_eq!(got, ["Tässä.", "[image]"]);
}
