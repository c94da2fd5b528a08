//! Days in the life of a desk, by a clock of the test's: the night before midsummer, the holidays, and the Monday after. What
//! customers get and what agents see are printed side by side, with every promise about time and what became of it:
//! `cargo test --test it day:: -- --nocapture`.

use crate::answers::Office;
use crate::desk::{at, call, mail};
use jiff::tz::TimeZone;
use lanka::config::{Environment, Settings};
use lanka::pure::channels::desk::{API, GivenAct, KIND, given};
use lanka::pure::domain::Timestamp;
use lanka::shell::Clock;
use lanka::shell::alerts::Alerts;
use lanka::shell::deliver::{Deliver, Limits};
use lanka::shell::incidents::Incidents;
use lanka::shell::ingest::Ingest;
use lanka::shell::letters::Letters;
use lanka::shell::reconsider::Reconsider;
use lanka::shell::store::raw_event::{Hearing, NewRawEvent, RawBody};
use serde_json::{Value, json};
use sqlx::Row;
use std::sync::{Arc, Mutex};

const CONFIG: &str = r#"
[defaults]
time_zone = "Europe/Helsinki"
languages = ["fi"]
[letters.aamu]
about = "dust"
every = "day"
at = "08:00"
to = ["tiimi@kauppa.example"]
"#;

/// Width of the customers' column.
const COLUMN: usize = 88;

/// The desk, its clock, and what was seen of it.
struct Days {
    office: Office,
    now: Arc<Mutex<Timestamp>>,
    ingest: Ingest,
    reconsider: Reconsider,
    deliver: Deliver,
    incidents: Incidents,
    letters: Letters,
    /// Local time, what customers said and got, what agents saw and did.
    lines: Vec<(String, String, String)>,
    seen: [usize; 4],
    acts: u32,
}

impl Days {
    async fn open(begin: &str) -> Self {
        let office = Office::open_with(CONFIG).await;
        let now = Arc::new(Mutex::new(local(begin)));
        let clock: Clock = {
            let now = now.clone();
            Arc::new(move || *now.lock().unwrap())
        };
        let Ok(settings) = Settings::load(&[], &Environment::of::<String, String>([])) else { panic!("the defaults") };
        let mut policy = settings.sections.incidents.policy();
        policy.rules.contacts_min = 20.0;
        let alerts = Alerts::logged();
        let (store, registry) = (office.desk.store.clone(), office.desk.ingest.registry());
        let ingest = office.desk.ingest.clone().with_clock(clock.clone());
        let reconsider = Reconsider::new(store.clone(), registry.clone()).with_clock(clock.clone());
        let incidents = Incidents::new(store, registry, policy, alerts.clone()).with_clock(clock.clone());
        let letters = office.desk.letters(&alerts, clock.clone());
        // Makes the tables of a month that no wall clock has come to.
        office.desk.keeper(clock.clone()).until_idle().await.expect("kept");
        let deliver = office.desk.deliverer(Limits::default()).with_clock(clock);
        Self { office, now, ingest, reconsider, deliver, incidents, letters, lines: Vec::new(), seen: [0; 4], acts: 0 }
    }

    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    /// Lets time pass; whatever is due in between is done when it is.
    async fn until(&mut self, time: &str) {
        let to = local(time);
        loop {
            let due: Option<jiff_sqlx::Timestamp> =
                sqlx::query_scalar("SELECT min(keep_at) FROM ticket WHERE merged_into IS NULL")
                    .fetch_one(&self.office.desk.store.pool)
                    .await
                    .expect("a time");
            // Letters are due at eight.
            let day = self.now().to_zoned(zone()).date();
            let eight = [day, day.tomorrow().expect("a day")]
                .map(|day| day.at(8, 0, 0, 0).to_zoned(zone()).expect("a time").timestamp());
            let next = eight.into_iter().chain(due.map(|due| due.to_jiff())).filter(|at| *at > self.now()).min();
            let Some(next) = next.filter(|next| *next <= to) else { break };
            *self.now.lock().unwrap() = next;
            self.settle().await;
        }
        *self.now.lock().unwrap() = to;
    }

    /// Does all that is to be done at this time, and notes what is seen of it.
    async fn settle(&mut self) {
        let clock = {
            let now = self.now.clone();
            Arc::new(move || *now.lock().unwrap())
        };
        let keeper = self.office.desk.keeper(clock);
        self.decide().await;
        while keeper.until_idle().await.expect("kept") > 0 {
            self.decide().await;
        }
        self.office.desk.told().await;
        self.incidents.look().await.expect("a look");
        self.letters.look().await;
        self.deliver.until_idle().await.expect("delivered");
        self.note();
    }

    async fn decide(&self) {
        let (_keep, stop) = tokio::sync::watch::channel(false);
        self.ingest.run(stop, true).await;
        self.reconsider.until_idle().await.expect("decided anew");
    }

    /// What came out since the last look.
    fn note(&mut self) {
        let [mails, chats, meta, tool] = self.seen;
        let (post, site) = (self.office.post.taken(), self.office.site.seen());
        let (graph, told) = (self.office.graph.got(), self.office.tool.seen());
        self.seen = [post.len(), site.len(), graph.len(), told.len()];
        for letter in &post[mails..] {
            let parsed = mail_parser::MessageParser::default().parse(&letter.text).expect("a mail");
            let text = parsed.body_text(0).expect("words").into_owned();
            match letter.to[0].ends_with("@kauppa.example") {
                true => self.line("", &format!("letter: {}", parsed.subject().unwrap_or_default())),
                false => self.line(&format!("→ {}: {}", letter.to[0], one_line(&text)), ""),
            }
        }
        for request in &site[chats..] {
            self.line(&format!("→ chat: {}", one_line(request.json()["text"].as_str().unwrap_or_default())), "");
        }
        for sent in &graph[meta..] {
            self.line(&format!("→ {}: {}", sent.to, one_line(&sent.text)), "");
        }
        for request in &told[tool..] {
            if let Some(line) = agents_line(&request.json()) {
                self.line("", &line);
            }
        }
    }

    fn line(&mut self, customers: &str, agents: &str) {
        let time = self.now().to_zoned(zone()).strftime("%a %H:%M").to_string();
        self.lines.push((time, customers.to_owned(), agents.to_owned()));
    }

    /// A customer writes a mail.
    async fn mail(&mut self, time: &str, who: &str, id: &str, headers: &str, subject: &str, text: &str) {
        self.until(time).await;
        self.line(&format!("{who} writes: {subject}: {}", one_line(text)), "");
        let (now, domain) = (self.now(), who.split('@').nth(1).expect("a domain"));
        let date = jiff::fmt::rfc2822::to_string(&now.to_zoned(TimeZone::UTC)).expect("a date");
        let pass = format!("dmarc=pass header.from={domain}");
        let body = mail(id, who, &date, &pass, headers, subject, text);
        self.office.desk.deliver("mail", &now.to_string(), body).await;
        self.settle().await;
    }

    /// A visitor of the shop says something.
    async fn chat(&mut self, time: &str, visitor: &str, id: &str, text: &str) {
        self.until(time).await;
        self.line(&format!("{visitor} in the chat: {text}"), "");
        let now = self.now().to_string();
        let body = json!({"event_id": id, "type": "message", "conversation_id": visitor, "visitor": {"id": visitor}, "text": text, "sent_at": now});
        self.office.desk.deliver("chat", &now, body.to_string()).await;
        self.settle().await;
    }

    /// Somebody calls, and nobody takes it.
    async fn missed_call(&mut self, time: &str, from: &str, id: &str) {
        self.until(time).await;
        self.line(&format!("{from} calls, and nobody is there"), "");
        let now = self.now().to_string();
        let body = call(from, &now, id).replace("ANSWERED", "NO ANSWER").replace(",65,60,", ",65,0,");
        self.office.desk.deliver("phone", &now, body).await;
        self.settle().await;
    }

    /// An agent answers by way of lanka.
    async fn answer(&mut self, time: &str, on: &str, text: &str) {
        self.until(time).await;
        let ticket = self.office.ticket(on).await;
        self.acts += 1;
        self.line("", &format!("Aino answers: {text}"));
        let (key, now) = (format!("answer-{}", self.acts), self.now());
        let act = GivenAct {
            key: &key,
            ticket: &ticket.to_string(),
            is_note: false,
            text,
            is_automatic: false,
            by: "Aino",
            to: None,
            files: &[],
            at: now,
        };
        let event = NewRawEvent {
            tenant: "main".to_owned(),
            channel: API.to_owned(),
            kind: KIND.name.to_owned(),
            received_at: now,
            trusted_at: Some(now),
            origin: "an agent".to_owned(),
            body: RawBody::Bytes(given(&act).into()),
        };
        self.office.desk.store.record(&[event], None).await.expect("recorded");
        self.settle().await;
    }

    /// An agent does something in the tool.
    async fn act(&mut self, time: &str, what: &str, on: &str, more: Value) {
        self.until(time).await;
        let ticket = self.office.ticket(on).await;
        self.acts += 1;
        self.line("", &format!("Aino: {what}"));
        let now = self.now().to_string();
        let mut act =
            json!({"event_id": format!("act-{}", self.acts), "type": what, "ticket": ticket.to_string(), "at": now});
        act.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        self.office.desk.deliver("agents", &now, act.to_string()).await;
        self.settle().await;
    }

    /// Every promise about time, and what became of it.
    async fn promises(&self) -> Vec<String> {
        let rows = sqlx::query(
            "SELECT k.number, c.clock, c.round, to_char(c.due_at AT TIME ZONE 'Europe/Helsinki', 'FMDy HH24:MI') AS due,
                to_char(c.ended_at AT TIME ZONE 'Europe/Helsinki', 'FMDy HH24:MI') AS ended,
                CASE WHEN c.ended_at <= c.due_at THEN 'kept' WHEN c.ended_at IS NULL AND c.due_at > $1 THEN 'runs' ELSE 'broken' END AS state, c.breached_at IS NOT NULL AS said
             FROM ticket_clock c JOIN ticket k ON k.id = c.ticket_id
             WHERE c.clock <> 'solution' AND c.started_at >= '2026-06-18T00:00:00Z' ORDER BY c.started_at, k.number",
        )
        .bind(jiff_sqlx::Timestamp::from(self.now()))
        .fetch_all(&self.office.desk.store.pool)
        .await
        .expect("clocks");
        let told = |row: &sqlx::postgres::PgRow| {
            let (number, due): (i64, Option<String>) = (row.get("number"), row.get("due"));
            let done =
                row.get::<Option<String>, _>("ended").map_or("not done".to_owned(), |ended| format!("done {ended}"));
            let said = if row.get("said") { ", said aloud" } else { "" };
            let clock: &str = row.get("clock");
            format!("#{number} {clock} by {}: {done}, {}{said}", due.unwrap_or_default(), row.get::<&str, _>("state"))
        };
        rows.iter().map(told).collect()
    }

    /// Whether a line of a time has words, on the customers' side or the agents'.
    fn has(&self, time: &str, customers: &str, agents: &str) -> bool {
        self.lines.iter().any(|(at, left, right)| at == time && left.contains(customers) && right.contains(agents))
    }
}

fn zone() -> TimeZone {
    TimeZone::get("Europe/Helsinki").expect("the zone")
}

/// An instant of the desk's clock.
fn local(text: &str) -> Timestamp {
    let civil: jiff::civil::DateTime = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    civil.to_zoned(zone()).expect("a time").timestamp()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What an agent reads of a change, short.
fn agents_line(told: &Value) -> Option<String> {
    let (kind, data) = (told["type"].as_str()?.strip_prefix("lanka.")?, &told["data"]);
    let ticket = &data["ticket"];
    let head = format!("#{} {kind}", ticket["number"]);
    let text = data["message"]["text"].as_str().map(one_line).unwrap_or_default();
    match kind {
        "ticket.opened" => {
            Some(format!("{head} [{}, {}] {}", ticket["kind"], ticket["priority"].as_str()?, ticket["title"].as_str()?))
        }
        "message.added" if data["message"]["direction"] == "from_customer" => Some(format!("{head}: {text}")),
        "message.added" | "message.updated" | "ticket.routed" => None,
        _ => Some(head),
    }
}

/// What was usual before: forty customers of the spring, read in as history.
async fn spring(days: &Days) {
    for n in 0..40 {
        let text = [
            "Voitteko lähettää laskun uudelleen?",
            "Milloin tilaus toimitetaan?",
            "Mikä on hinnaston päivitys?",
            "Haluaisin tilata lisää kuittirullia.",
        ][n % 4];
        let date = "Tue, 12 May 2026 09:00:00 +0300";
        let (id, from) = (format!("s{n}@vanha{n}.example"), format!("a@vanha{n}.example"));
        let pass = format!("dmarc=pass header.from=vanha{n}.example");
        let event = NewRawEvent {
            tenant: "main".to_owned(),
            channel: "mail".to_owned(),
            kind: "maildir".to_owned(),
            received_at: at("2026-05-12T06:00:00Z"),
            trusted_at: None,
            origin: "an old mailbox".to_owned(),
            body: RawBody::Bytes(mail(&id, &from, date, &pass, "", "Asia", text).into_bytes().into()),
        };
        days.office.desk.store.record_as(&[event], None, Hearing::Quiet).await.expect("recorded");
    }
    days.decide().await;
}

#[tokio::test]
async fn midsummer_and_the_monday_after() {
    let mut days = Days::open("2026-06-18T20:30:00").await;
    spring(&days).await;
    days.settle().await;
    (days.seen, days.lines) = (days.seen, Vec::new());
    let stands_still = "Kassa ei käynnisty, emme pysty myymään mitään. Apua!";
    // The night before the holiday.
    days.mail("2026-06-18T20:40:00", "minna@kukka.example", "m1@kukka.example", "", "Kassa", stands_still).await;
    days.chat("2026-06-18T21:05:00", "v1", "c1", "Hei, voiko tilauksen noutaa lauantaina?").await;
    let absent = "Auto-Submitted: auto-replied\r\nIn-Reply-To: <m1@kukka.example>\r\n";
    days.mail(
        "2026-06-18T23:30:00",
        "minna@kukka.example",
        "m2@kukka.example",
        absent,
        "Poissa: Kassa",
        "Olen lomalla juhannuksen.",
    )
    .await;
    // Midsummer Eve.
    days.missed_call("2026-06-19T10:00:00", "0401234567", "1781852400.1").await;
    // Monday: the rush.
    days.act("2026-06-22T08:05:00", "assign", "m1@kukka.example", json!({"owner": "Aino"})).await;
    days.answer(
        "2026-06-22T08:40:00",
        "m1@kukka.example",
        "Hei Minna, käynnistin kassan etänä uudelleen. Toimiiko se nyt?",
    )
    .await;
    days.act("2026-06-22T08:41:00", "await", "m1@kukka.example", json!({"by": "Aino"})).await;
    for n in 0..6 {
        let (time, who) = (format!("2026-06-22T09:{:02}:00", n * 3), format!("myymala@liike{n}.example"));
        let text = ["Maksupääte ei toimi, kortit eivät mene läpi.", "Maksupääte jumissa, mitään ei voi maksaa."][n % 2];
        days.mail(&time, &who, &format!("r{n}@liike{n}.example"), "", "Maksupääte", text).await;
    }
    days.mail(
        "2026-06-22T09:30:00",
        "minna@kukka.example",
        "m3@kukka.example",
        "In-Reply-To: <m1@kukka.example>\r\n",
        "Re: Kassa",
        "Toimii nyt, mutta kuittitulostin ei tulosta.",
    )
    .await;
    days.answer("2026-06-22T09:50:00", "m3@kukka.example", "Vaihda rulla ja paina vihreää nappia.").await;
    days.act("2026-06-22T11:00:00", "close", "m1@kukka.example", json!({})).await;
    for n in 0..5 {
        days.answer("2026-06-22T11:30:00", &format!("r{n}@liike{n}.example"), "Maksupäätteet toimivat taas.").await;
        days.act("2026-06-22T11:31:00", "close", &format!("r{n}@liike{n}.example"), json!({})).await;
    }
    days.mail(
        "2026-06-22T12:10:00",
        "minna@kukka.example",
        "m4@kukka.example",
        "In-Reply-To: <m1@kukka.example>\r\n",
        "Re: Kassa",
        "Tulostin ei vieläkään tulosta, voitteko soittaa?",
    )
    .await;
    days.mail(
        "2026-06-22T16:30:00",
        "kari@putki.example",
        "k1@putki.example",
        "",
        "Tarjous",
        "Pyytäisin tarjouksen kahdesta kassasta.",
    )
    .await;
    days.until("2026-06-23T09:00:00").await;

    for (time, left, right) in &days.lines {
        let mut left: Vec<char> = left.chars().collect();
        left.truncate(COLUMN);
        println!("{time}  {:COLUMN$}  {right}", left.into_iter().collect::<String>());
    }
    println!("\nPromises:");
    let promises = days.promises().await;
    promises.iter().for_each(|promise| println!("  {promise}"));

    for (time, customers, agents) in [
        // At night nobody is promised anything before the holidays are over.
        ("Thu 20:40", "→ minna@kukka.example: Hei! Kiitos viestistäsi. Olemme vastaanottaneet sen numerolla #41", ""),
        ("Thu 20:40", "Vastaamme viimeistään maanantaina klo 12.00.", ""),
        (
            "Thu 21:05",
            "→ chat: Kiitos, viestisi on vastaanotettu (#42). Vastaamme viimeistään maanantaina klo 8.10.",
            "",
        ),
        ("Fri 10:00", "", "#43 ticket.opened"),
        ("Mon 08:00", "", "letter: Pölyttyy 22.6.2026"),
        ("Mon 08:10", "", "#42 clock.breached"),
        ("Mon 08:40", "→ minna@kukka.example: Hei Minna, käynnistin kassan", ""),
        ("Mon 08:41", "", "#41 ticket.awaited"),
        // The fifth customer of the rush makes it one incident, and the sixth comes onto it.
        ("Mon 09:12", "", "#44 incident.linked"),
        ("Mon 09:12", "", "#48 incident.linked"),
        ("Mon 09:15", "", "#49 incident.linked"),
        ("Mon 09:30", "", "#41 ticket.resumed"),
        ("Mon 10:00", "", "#44 clock.breached"),
        ("Mon 11:00", "→ minna@kukka.example: Hei! Asiasi #41 on merkitty hoidetuksi.", ""),
        ("Mon 12:10", "", "#41 ticket.reopened"),
        ("Mon 16:30", "Vastaamme viimeistään huomenna klo 12.00.", ""),
        ("Tue 08:00", "", "letter: Pölyttyy 23.6.2026"),
    ] {
        assert!(days.has(time, customers, agents), "{time} {customers} {agents}");
    }
    // Nobody is told anything on the holidays, and a program nothing at all.
    let told =
        |day: &str| days.lines.iter().filter(|(at, left, _)| at.starts_with(day) && left.starts_with('→')).count();
    assert_eq!((told("Fri"), told("Sat"), told("Sun")), (0, 0, 0));
    assert!(!days.lines.iter().any(|(at, left, _)| at == "Thu 23:30" && left.starts_with('→')));
    // Each promise was kept, runs, or its breach was said aloud when it happened.
    let unsaid: Vec<&String> =
        promises.iter().filter(|of| of.contains("broken") && !of.contains("said aloud")).collect();
    assert_eq!(unsaid, Vec::<&String>::new());
    let count = |word: &str| promises.iter().filter(|of| of.contains(word)).count();
    assert_eq!((count(", kept"), count("broken"), count(", runs")), (2, 9, 1), "{promises:#?}");
    for broken in promises.iter().filter(|of| of.contains("broken")) {
        let mut words = broken.split_whitespace();
        let (number, due) = (words.next().unwrap_or_default(), broken.split("by ").nth(1).unwrap_or_default());
        let due = due.split(':').take(2).collect::<Vec<_>>().join(":");
        assert!(days.has(&due, "", &format!("{number} clock.breached")), "{broken}");
    }
}
