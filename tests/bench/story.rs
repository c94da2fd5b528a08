//! One customer, three channels, two tools: she asks on Messenger, complains by mail and phones; agents answer her in RT and in
//! their mailbox, and she answers them. It is one ticket everywhere, on which everything stands once and in order; who has it, and
//! that it is done, and open again, is told in RT and known everywhere.

use super::conversations::{self, holding};
use super::dovecot::Dovecot;
use super::tool::{AFTERMATH, CALL, DESK, Desk, Got, facebook, mail, phone};
use super::{MIRROR, Rt, remote};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

const MARJATTA: &str = "Marjatta Kuusela <marjatta.kuusela@posti.example>";
const ADDRESS: &str = "marjatta.kuusela@posti.example";
const PSID: &str = "7301946284410237";
const PHONE: &str = "0401234567";

/// What is said, in this order: who, on which channel, and the words by which it is known.
const SAID: [(&str, &str, &str); 10] = [
    ("from_customer", "facebook", "Milloin tilauksen 48217093 kahvinkeitin tulee?"),
    ("from_customer", "mail", "Kahvinkeitin tuli, ja sen kannu on rikki."),
    ("from_customer", "phone", ""),
    ("from_agent", "mail", "Uusi kannu on matkalla."),
    ("from_customer", "mail", "Kiitos, nopeaa!"),
    ("from_customer", "facebook", "Sopiiko torstai?"),
    ("from_agent", "facebook", "Torstai sopii."),
    ("from_customer", "facebook", "Hienoa."),
    ("from_agent", MIRROR, "Hankala asiakas."),
    ("from_agent", "facebook", "Kuljettaja soittaa ensin."),
];

/// Plays it beside whatever the desk has seen before. Gives how many messages it took, and what is wrong.
pub async fn play(desk: &Desk, rt: &Rt, dovecot: &Dovecot) -> (usize, Vec<String>) {
    let before = desk.got();
    let story = Story { desk, rt, dovecot };
    let mut problems = Vec::new();
    let ticket = story.comes_in(&mut problems).await;
    let number = desk.eventually("the ticket is in RT", async || remote(desk, ticket).await).await;
    story.goes_by_mail(ticket, &number, &mut problems).await;
    story.goes_by_messenger(ticket, &number, &mut problems).await;
    story.goes_on_in_the_mailbox(ticket, &number).await;
    tokio::time::sleep(AFTERMATH).await;
    desk.drained(Duration::from_secs(60)).await;
    let mut got = desk.got();
    for old in before {
        got.remove(got.iter().position(|got| *got == old).expect("what was got stays got"));
    }
    if got != [to_her("graph", 6), to_her("graph", 9), to_her("mail", 3)] {
        problems.push(format!("the customer got {got:?}"));
    }
    problems.extend(story.stands_in_lanka(ticket).await);
    problems.extend(story.stands_in_rt(ticket, &number).await);
    problems.extend(story.stands_in_the_mailbox(ticket).await);
    story.is_done(ticket, &number).await;
    (SAID.len(), problems)
}

/// What of the story she is to get.
fn to_her(way: &'static str, said: usize) -> Got {
    (way, if way == "mail" { ADDRESS } else { PSID }.to_owned(), SAID[said].2.to_owned())
}

struct Story<'a> {
    desk: &'a Desk,
    rt: &'a Rt,
    dovecot: &'a Dovecot,
}

impl Story<'_> {
    /// A question this morning, a complaint an hour later, a call just now: one ticket, by the order and the telephone that stands
    /// under the mail.
    async fn comes_in(&self, problems: &mut Vec<String>) -> Uuid {
        let (desk, now) = (self.desk, Timestamp::now());
        let ago = |minutes: i64| now - SignedDuration::from_mins(minutes);
        let asked = format!("{}\n\nTerveisin\nMarjatta Kuusela", SAID[0].2);
        desk.facebook(facebook("story.1", PSID, ago(180), &asked)).await;
        let ticket = desk.ticket("story.1").await;
        let complaint =
            format!("{}\n\nTilaus 48217093.\n\nTerveisin\nMarjatta Kuusela\npuh. 040 123 4567\n", SAID[1].2);
        desk.mail(&mail("story.2@posti.example", MARJATTA, DESK, ago(120), "", "Kannu rikki", &complaint));
        let mailed = desk.ticket("story.2@posti.example").await;
        desk.call(&phone(PHONE, now - CALL, "1795000000.3"));
        let phoned = desk.ticket("1795000000.3").await;
        if [mailed, phoned] != [ticket; 2] {
            problems.push(format!("she is on three tickets: {ticket}, {mailed} and {phoned}"));
        }
        ticket
    }

    /// She wrote by mail last (a call is nothing to write to): there the answer goes, and she answers it.
    async fn goes_by_mail(&self, ticket: Uuid, number: &str, problems: &mut Vec<String>) {
        let desk = self.desk;
        self.say(number, "correspond", 3).await;
        self.reaches(to_her("mail", 3)).await;
        let sent = desk.post.taken().into_iter().next_back().expect("the answer");
        let id = sent.header("Message-ID").unwrap_or_default();
        let headers = format!("In-Reply-To: {id}\r\nReferences: {id}\r\n");
        let quoting = format!("{}\n\n> {}\n", SAID[4].2, SAID[3].2);
        desk.mail(&mail(
            "story.4@posti.example",
            MARJATTA,
            DESK,
            Timestamp::now(),
            &headers,
            "Re: Kannu rikki",
            &quoting,
        ));
        self.joins("story.4@posti.example", ticket, problems).await;
    }

    /// She writes on Messenger: there the next answer goes. Meta tells of it, and she answers that too, quoting it.
    async fn goes_by_messenger(&self, ticket: Uuid, number: &str, problems: &mut Vec<String>) {
        // A mail's time is to the second: this is later.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let desk = self.desk;
        desk.facebook(facebook("story.5", PSID, Timestamp::now(), SAID[5].2)).await;
        self.joins("story.5", ticket, problems).await;
        self.say(number, "correspond", 6).await;
        self.reaches(to_her("graph", 6)).await;
        let sent = desk.graph.got().into_iter().next_back().expect("the answer");
        let ms = Timestamp::now().as_millisecond();
        let told = json!({"object": "page", "entry": [{"id": "PAGE", "messaging": [
            {"sender": {"id": "PAGE"}, "recipient": {"id": PSID}, "timestamp": ms,
             "message": {"mid": sent.id, "is_echo": true, "app_id": 1, "metadata": sent.along, "text": sent.text}},
            {"sender": {"id": PSID}, "recipient": {"id": "PAGE"}, "timestamp": ms, "delivery": {"mids": [sent.id], "watermark": ms}},
            {"sender": {"id": PSID}, "recipient": {"id": "PAGE"}, "timestamp": ms + 1,
             "message": {"mid": "story.6", "text": SAID[7].2, "reply_to": {"mid": sent.id}}}]}]});
        desk.facebook(told.to_string()).await;
        self.joins("story.6", ticket, problems).await;
    }

    /// An agent notes something in RT; a colleague sees it in the mailbox, and answers there.
    async fn goes_on_in_the_mailbox(&self, ticket: Uuid, number: &str) {
        self.say(number, "comment", 8).await;
        let noted = async || holding(self.dovecot, ticket, SAID[8].2).await.into_iter().next_back();
        self.desk.eventually("the note is in the mailbox", noted).await;
        let asked = holding(self.dovecot, ticket, SAID[7].2).await;
        conversations::reply(self.desk, asked.last().expect("her last mail"), "story.10", SAID[9].2);
        self.reaches(to_her("graph", 9)).await;
    }

    /// An agent takes the ticket in RT, is done with it, and takes it up again; in the end nobody has it.
    async fn is_done(&self, ticket: Uuid, number: &str) {
        let agent = self.rt.told["agents"][0]["user"].clone();
        let turns = [
            (json!({ "Owner": agent }), "open", true),
            (json!({ "Status": "resolved" }), "closed", true),
            (json!({ "Status": "open" }), "open", true),
            (json!({ "Owner": "Nobody" }), "open", false),
        ];
        for (fields, state, is_owned) in turns {
            self.rt.change(number, &fields).await;
            let stands = async || {
                let row = sqlx::query_as("SELECT state, owner IS NOT NULL FROM ticket WHERE id = $1").bind(ticket);
                let stands: (String, bool) = row.fetch_one(&mut self.desk.database().await?).await.ok()?;
                (stands == (state.to_owned(), is_owned)).then_some(())
            };
            self.desk.eventually(&format!("{fields} in lanka"), stands).await;
        }
        let told = async || {
            let last = holding(self.dovecot, ticket, "this ticket").await.into_iter().next_back()?;
            last.text.contains("Nobody has this ticket any more.").then_some(())
        };
        self.desk.eventually("the mailbox is told that nobody has it", told).await;
    }

    /// An agent writes in RT what is next, when RT shows all that was said before.
    async fn say(&self, number: &str, verb: &str, next: usize) {
        let shows_all = async || (self.rt.history(number).await.len() >= next).then_some(());
        self.desk.eventually("RT shows what was said", shows_all).await;
        self.rt.say(number, verb, SAID[next].2).await;
    }

    async fn joins(&self, source_key: &str, ticket: Uuid, problems: &mut Vec<String>) {
        let joined = self.desk.ticket(source_key).await;
        if joined != ticket {
            problems.push(format!("{source_key} is on ticket {joined}, not on {ticket}"));
        }
    }

    async fn reaches(&self, expected: Got) {
        let what = format!("the customer has {expected:?}");
        self.desk.eventually(&what, async || self.desk.got().contains(&expected).then_some(())).await;
    }

    /// The ticket holds what was said and nothing else, in order.
    async fn stands_in_lanka(&self, ticket: Uuid) -> Vec<String> {
        let rows: Vec<(String, String, String)> =
            sqlx::query_as("SELECT direction, channel, text FROM message WHERE ticket_id = $1 ORDER BY id")
                .bind(ticket)
                .fetch_all(&mut self.desk.database().await.expect("the database"))
                .await
                .expect("messages");
        let is_said = rows.len() == SAID.len()
            && rows.iter().zip(SAID).all(|((by, channel, text), (said_by, on, words))| {
                (by.as_str(), channel.as_str()) == (said_by, on) && text.contains(words)
            });
        if is_said { Vec::new() } else { vec![format!("the ticket holds {rows:?}")] }
    }

    /// RT has one ticket of it, and shows what lanka wrote there, and what was written there, each once and in order.
    async fn stands_in_rt(&self, ticket: Uuid, number: &str) -> Vec<String> {
        let mut problems = Vec::new();
        let query: String =
            url::form_urlencoded::byte_serialize(format!("'CF.{{lanka}}'='{ticket}'").as_bytes()).collect();
        let found = self.rt.get(&format!("/tickets?query={query}")).await;
        if found["total"] != 1 {
            problems.push(format!("RT has {} tickets of it", found["total"]));
        }
        let written_there: Vec<(String, Uuid)> =
            sqlx::query_as("SELECT remote_id, object FROM link WHERE mirror = $1 AND object_kind = 'message'")
                .bind(MIRROR)
                .fetch_all(&mut self.desk.database().await.expect("the database"))
                .await
                .expect("links");
        let history = self.rt.history(number).await;
        let message = |said: &super::Said| match said.of_message() {
            Some((message, _)) => Some(message),
            None => written_there.iter().find(|(remote, _)| *remote == said.id).map(|(_, message)| *message),
        };
        let shown: Vec<Option<Uuid>> = history.iter().map(message).collect();
        let expected: Vec<Option<Uuid>> = self.said(ticket).await.into_iter().map(Some).collect();
        if shown != expected {
            problems.push(format!("RT shows {shown:?}, it should be {expected:?}"));
        }
        let notes: Vec<usize> = (0..history.len()).filter(|n| history[*n].kind == "Comment").collect();
        if notes != [8] {
            problems.push(format!("RT shows those at {notes:?} as comments"));
        }
        problems
    }

    /// The mailbox has it as one conversation, with each mail once; what is among colleagues says so.
    async fn stands_in_the_mailbox(&self, ticket: Uuid) -> Vec<String> {
        let expected = self.desk.expected(conversations::MIRROR).await;
        let mut problems = conversations::compare(self.dovecot, &expected).await.problems;
        let mails = holding(self.dovecot, ticket, "").await;
        if mails.len() != SAID.len() {
            problems.push(format!("its conversation holds {} mails", mails.len()));
        }
        let internal: Vec<&str> =
            mails.iter().map(|mail| mail.text.as_str()).filter(|text| text.contains("INTERNAL")).collect();
        if internal.len() != 1 || !internal[0].contains(SAID[8].2) {
            problems.push(format!("{} mails are marked as internal", internal.len()));
        }
        problems
    }

    /// The messages of a ticket in the order decided. (What was written in RT is told to the mailbox alone.)
    async fn said(&self, ticket: Uuid) -> Vec<Uuid> {
        self.desk.expected(conversations::MIRROR).await.lanes.remove(&ticket).unwrap_or_default()
    }
}
