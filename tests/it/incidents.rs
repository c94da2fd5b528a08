//! What many speak of at once, and what one customer comes back for: through ingest, the loop and the database.

use crate::desk::{Desk, at, chat, mail};
use jiff::{SignedDuration, Timestamp};
use lanka::config::{Environment, Settings};
use lanka::pure::domain::incident::IncidentPolicy;
use lanka::shell::alerts::Alerts;
use lanka::shell::incidents::Incidents;
use std::sync::{Arc, Mutex};

#[path = "../bench/month.rs"]
#[expect(dead_code, reason = "the benchmark replays more of it")]
mod month;

const BEGIN: &str = "2026-03-02T08:00:00Z";

/// What holds where nothing else is configured.
fn defaults() -> IncidentPolicy {
    let Ok(settings) = Settings::load(&[], &Environment::of::<String, String>([])) else { panic!("the defaults") };
    settings.sections.incidents.policy()
}

/// A desk with monitoring, an agent's tool, and a loop whose clock the test sets.
struct Room {
    desk: Desk,
    alerts: Alerts,
    incidents: Incidents,
    now: Arc<Mutex<Timestamp>>,
    count: u32,
}

impl Room {
    async fn open(change: impl FnOnce(&mut IncidentPolicy)) -> Self {
        let mut room = Self::before_the_first_look(change).await;
        room.look().await;
        room
    }

    /// What is delivered now teaches what is usual when the loop first looks.
    async fn before_the_first_look(change: impl FnOnce(&mut IncidentPolicy)) -> Self {
        let desk = Desk::open_with(|text| {
            format!("{text}\n[channels.monitoring]\nkind = \"alertmanager\"\ntoken = {{ env = \"WHSEC\" }}\n[mirrors.tool]\nkind = \"webhook\"\nurl = \"https://tool.example/\"\nsecret = {{ env = \"WHSEC\" }}\n")
        })
        .await;
        let mut policy = defaults();
        policy.rules.contacts_min = 20.0;
        change(&mut policy);
        let alerts = Alerts::logged();
        let now = Arc::new(Mutex::new(at(BEGIN)));
        let clock = now.clone();
        let incidents = Incidents::new(desk.store.clone(), desk.ingest.registry(), policy, alerts.clone())
            .with_clock(Arc::new(move || *clock.lock().expect("the time")));
        Self { desk, alerts, incidents, now, count: 0 }
    }

    /// Lets a loop look, at this time and no other.
    async fn look(&mut self) {
        self.desk.told().await;
        self.incidents.look().await.expect("a look");
    }

    async fn later(&mut self, minutes: i64) {
        {
            let mut now = self.now.lock().expect("the time");
            *now += SignedDuration::from_mins(minutes);
        }
        self.look().await;
    }

    fn time(&self) -> String {
        self.now.lock().expect("the time").to_string()
    }

    /// A mail of somebody, taken in and looked at.
    async fn mail(&mut self, from: &str, subject: &str, text: &str) {
        self.count += 1;
        let (time, id) = (self.time(), format!("m{}@x", self.count));
        let date = at(&time).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
        let body = mail(&id, &format!("<{from}>"), &date, "", "", subject, text);
        self.desk.take("mail", &time, body).await;
        self.look().await;
    }

    async fn alert(&mut self, status: &str, fingerprint: &str, summary: &str) {
        let time = self.time();
        let began = at(BEGIN);
        let body = serde_json::json!({ "version": "4", "alerts": [{ "status": status, "startsAt": began, "endsAt": time, "fingerprint": fingerprint,
            "labels": { "alertname": "TillGateway", "severity": "critical" }, "annotations": { "summary": summary } }] });
        self.desk.take("monitoring", &time, body.to_string()).await;
        self.look().await;
    }

    /// Ordinary matters of many firms, an hour of them.
    async fn usual_hour(&mut self) {
        for n in 0..30 {
            let text = ["Saisinko laskun uudestaan", "Missä tilaukseni viipyy", "Haluaisin varata ajan"][n % 3];
            let from = format!("matti@firma{n}.example");
            self.count += 1;
            let (time, id) = (self.time(), format!("m{}@x", self.count));
            let date = at(&time).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
            self.desk.deliver("mail", &time, mail(&id, &format!("<{from}>"), &date, "", "", "Kysymys", text)).await;
        }
        self.desk.decide().await;
        self.look().await;
        self.later(61).await;
    }

    fn standing(&self) -> Vec<String> {
        self.alerts.active().iter().map(|alert| format!("{} {}", alert.code, alert.subject)).collect()
    }

    async fn shown(&self) -> Vec<(String, String, i64)> {
        let all = self.desk.store.incidents(None, None, 50).await.expect("incidents");
        all.into_iter().map(|one| (one.sort, one.state, one.tickets)).collect()
    }
}

const TILLS: [&str; 7] = [
    "Kassa ei toimi, asiakkaat jonottavat",
    "Kassan fungerar inte alls",
    "The till is down in both our shops",
    "Kassat nurin koko myymälässä",
    "Kassajärjestelmä jumissa aamusta asti",
    "Our tills are not working",
    "Kassa herjaa virhettä",
];

#[tokio::test]
async fn many_customers_on_one_thing_are_an_incident() {
    let mut room = Room::open(|_| ()).await;
    room.usual_hour().await;
    for (n, text) in TILLS.iter().enumerate() {
        room.mail(&format!("anna@kauppias{n}.example"), "Apua", text).await;
        let expected: &[&str] = if n < 4 { &[] } else { &["incident #1"] };
        assert_eq!(room.standing(), expected, "after {} contacts", n + 1);
    }
    assert_eq!(room.shown().await, [("customers".to_owned(), "open".to_owned(), 7)]);
    // Each ticket's tool hears of it once.
    let told =
        "SELECT count(*) FROM outbox WHERE change = 'incident.linked' AND mirror = 'tool' AND detail->>'number' = '1'";
    assert_eq!(room.desk.count(told).await, 7);
    room.look().await;
    assert_eq!(room.desk.count(told).await, 7);
    assert_eq!(room.desk.count("SELECT count(*) FROM ticket_event WHERE kind = 'incident'").await, 7);
    // Another process that starts now says nothing again, and hears no more of it than that it is over.
    let other = Alerts::logged();
    let clock = room.now.clone();
    let policy = defaults();
    let second = Incidents::new(room.desk.store.clone(), room.desk.ingest.registry(), policy, other.clone())
        .with_clock(Arc::new(move || *clock.lock().expect("the time")));
    second.look().await.expect("a look");
    assert_eq!(other.active().len(), 0);
    room.later(119).await;
    assert_eq!(room.standing(), ["incident #1"]);
    room.later(2).await;
    assert_eq!(room.standing(), Vec::<String>::new());
    assert_eq!(room.shown().await, [("customers".to_owned(), "closed".to_owned(), 7)]);
    assert_eq!(room.desk.count("SELECT tickets FROM report_incident").await, 7);
    // What was said within the window is gone with it.
    assert_eq!(room.desk.count("SELECT count(*) FROM heard").await, 0);
}

/// A phrase of trouble counts in a message that is else thought to bring nothing.
#[tokio::test]
async fn trouble_is_trouble_in_whatever_message() {
    let mut room = Room::open(|_| ()).await;
    room.usual_hour().await;
    for n in 0..5 {
        room.mail(&format!("anna@kauppias{n}.example"), "", "Moi! Kassalla pelkkä pyörivä ympyrä Kiitos jo etukäteen")
            .await;
    }
    let low = "SELECT count(*) FROM message WHERE priority = 'low'";
    assert_eq!(room.desk.count(low).await, 5, "these are to be low: take other words if they are not");
    assert_eq!(room.standing(), ["incident #1"]);
}

#[tokio::test]
async fn what_is_no_incident() {
    let mut room = Room::open(|_| ()).await;
    room.usual_hour().await;
    // Answers to one mailing, thanks, greetings, one customer's many mails, absence notes.
    for n in 0..8 {
        room.mail(&format!("a@ma{n}.example"), "Re: Syyskampanja alkoi", "Linkki kampanjaan ei toimi").await;
        room.mail(&format!("b@mb{n}.example"), "", "Kiitos!").await;
        room.mail(&format!("c@mc{n}.example"), "", "Hei").await;
        room.mail("same@one.example", &format!("Kirjautuminen {n}"), "Kirjautuminen ei onnistu").await;
    }
    for n in 0..8 {
        let (time, id) = (room.time(), format!("auto{n}@x"));
        let date = at(&time).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
        let headers = "Auto-Submitted: auto-replied\r\n";
        let body = mail(&id, &format!("<d@md{n}.example>"), &date, "", headers, "Poissa", "Puhelin ei toimi lomalla");
        room.desk.take("mail", &time, body).await;
    }
    room.look().await;
    assert_eq!(room.shown().await, []);
    assert_eq!(room.standing(), Vec::<String>::new());
}

#[tokio::test]
async fn an_alert_and_the_contacts_about_it_meet_on_one_incident() {
    let mut room = Room::open(|_| ()).await;
    room.usual_hour().await;
    room.alert("firing", "f1", "No till answers").await;
    assert_eq!(room.desk.count("SELECT count(*) FROM ticket WHERE priority = 'high' AND kind = '{problem}'").await, 1);
    assert_eq!(room.shown().await, []);
    room.mail("a@yksi.example", "", "Kassa ei toimi").await;
    assert_eq!(room.shown().await, []);
    room.mail("b@kaksi.example", "", "Meillä kassat nurin").await;
    assert_eq!(room.shown().await, [("customers".to_owned(), "open".to_owned(), 3)]);
    // Told again it is nothing new; and another alert of the same joins.
    room.alert("firing", "f1", "No till answers").await;
    room.alert("firing", "f2", "Till gateway slow").await;
    assert_eq!(room.shown().await, [("customers".to_owned(), "open".to_owned(), 4)]);
    // It lasts while an alert stands.
    room.later(600).await;
    room.alert("resolved", "f1", "No till answers").await;
    assert_eq!(room.shown().await, [("customers".to_owned(), "open".to_owned(), 4)]);
    room.alert("resolved", "f2", "Till gateway slow").await;
    assert_eq!(room.shown().await, [("customers".to_owned(), "closed".to_owned(), 4)]);
    assert_eq!(room.desk.count("SELECT count(*) FROM incident WHERE ended_by = 'resolved'").await, 1);
    // The alerts' tickets are closed, the customers' are not; and an alert is no customer's word in the reports.
    let closed = "SELECT count(*) FROM ticket k JOIN message m ON m.id = k.opened_by WHERE k.state = 'closed' AND m.auto = 'alert'";
    assert_eq!(room.desk.count(closed).await, 2);
    assert_eq!(room.desk.count("SELECT count(*) FROM ticket WHERE state = 'closed'").await, 2);
    assert_eq!(
        room.desk
            .count("SELECT sum(from_customer)::bigint FROM report_ticket WHERE 'monitoring' = ANY(channels)")
            .await,
        0
    );
}

#[tokio::test]
async fn an_alert_that_fires_anew_opens_its_ticket_again() {
    let room = Room::open(|_| ()).await;
    let alert = async |status: &str, began: &str, ended: &str, received: &str| {
        let body = serde_json::json!({ "version": "4", "alerts": [{ "status": status, "startsAt": began, "endsAt": ended, "fingerprint": "f1",
            "labels": { "alertname": "DiskFull" } }] });
        room.desk.take("monitoring", received, body.to_string()).await;
        let (tickets, open) = (
            room.desk.count("SELECT count(*) FROM ticket").await,
            room.desk.count("SELECT count(*) FROM ticket WHERE state = 'open'").await,
        );
        (tickets, open, room.desk.count("SELECT count(*) FROM message").await)
    };
    let never = "0001-01-01T00:00:00Z";
    let (first, over, second) = ("2026-03-02T08:00:00Z", "2026-03-02T08:30:00Z", "2026-03-02T09:00:00Z");
    assert_eq!(alert("firing", first, never, "2026-03-02T08:00:10Z").await, (1, 1, 1));
    assert_eq!(alert("firing", first, never, "2026-03-02T08:20:10Z").await, (1, 1, 1), "told again");
    assert_eq!(alert("resolved", first, over, "2026-03-02T08:30:10Z").await, (1, 0, 1));
    assert_eq!(alert("firing", second, never, "2026-03-02T09:00:10Z").await, (1, 1, 2), "a new round");
    assert_eq!(alert("resolved", second, "2026-03-02T09:10:00Z", "2026-03-02T09:10:10Z").await, (1, 0, 2));
    let later = "2026-05-02T09:00:00Z";
    assert_eq!(alert("firing", later, never, "2026-05-02T09:00:10Z").await, (2, 1, 3), "much later");
    assert_eq!(room.desk.count("SELECT count(*) FROM ticket WHERE follow_up_of IS NOT NULL").await, 1);
    // The other way round: resolved is told before firing.
    let body = |status: &str| {
        let alert = serde_json::json!({ "status": status, "startsAt": first, "endsAt": over, "fingerprint": "f9", "labels": { "alertname": "Late" } });
        serde_json::json!({ "version": "4", "alerts": [alert] }).to_string()
    };
    room.desk.take("monitoring", "2026-03-02T08:31:00Z", body("resolved")).await;
    room.desk.take("monitoring", "2026-03-02T08:32:00Z", body("firing")).await;
    assert_eq!(room.desk.count("SELECT count(*) FROM ticket WHERE state = 'closed' AND title = 'Late'").await, 1);
}

#[tokio::test]
async fn many_of_one_organisation_are_a_sort_of_their_own() {
    let mut room = Room::open(|_| ()).await;
    room.usual_hour().await;
    for n in 0..6 {
        room.mail(&format!("person{n}@suurasiakas.example"), &format!("Apua {n}"), "Kirjautuminen ei onnistu").await;
    }
    let all = room.desk.store.incidents(None, None, 50).await.expect("incidents");
    let shown: Vec<_> = all.iter().map(|one| (one.sort.as_str(), one.organisation.as_deref(), one.tickets)).collect();
    assert_eq!(shown, [("organisation", Some("suurasiakas.example"), 6)]);
}

#[tokio::test]
async fn agents_have_the_last_word() {
    let mut room = Room::open(|_| ()).await;
    room.usual_hour().await;
    for (n, text) in TILLS[..5].iter().enumerate() {
        room.mail(&format!("anna@kauppias{n}.example"), "Apua", text).await;
    }
    let store = room.desk.store.clone();
    let (incident, tenant) = store.incident(None, "1").await.expect("a look").expect("an incident");
    let tickets = store.tickets_of_incident(incident.id).await.expect("tickets");
    assert_eq!(tickets.len(), 5);
    let now = at(BEGIN);
    let first = tickets[0].id;
    assert!(store.unlink_incident((incident.id, &tenant), first, "Aino", now).await.expect("an act"));
    assert!(!store.unlink_incident((incident.id, &tenant), first, "Aino", now).await.expect("an act"));
    // What was taken off stays off, and speaks of it no more.
    room.look().await;
    assert_eq!(store.tickets_of_incident(incident.id).await.expect("tickets").len(), 4);
    assert!(store.recurring(first).await.expect("a look").is_none());
    assert!(store.link_incident((&incident, &tenant), first, &[], "Aino", now).await.expect("an act"));
    assert_eq!(store.recurring(first).await.expect("a look").incidents[0].number, 1);
    assert!(store.close_incident(incident.id, "Aino", now).await.expect("an act"));
    assert!(!store.close_incident(incident.id, "Aino", now).await.expect("an act"));
    room.look().await;
    assert_eq!(room.standing(), Vec::<String>::new());
    // Those who spoke of it begin no other.
    room.mail("anna@kauppias0.example", "Apua", TILLS[0]).await;
    assert_eq!(room.shown().await.len(), 1);
}

#[tokio::test]
async fn who_comes_for_the_third_time_is_urgent() {
    let mut room = Room::open(|_| ()).await;
    let urgent = "SELECT count(*) FROM ticket WHERE priority = 'high' AND merged_into IS NULL";
    for (n, text) in [
        "Kellarin vesivuoto tihkuu seinästä, milloin korjaaja tulee?",
        "Kellarin vesivuoto tihkuu edelleen, missä korjaaja?",
        "Vesivuoto kellarin seinästä, korjaaja ei ole tullut",
    ]
    .iter()
    .enumerate()
    {
        room.mail("pirjo@posti.example", "Vesivuoto", text).await;
        assert_eq!(room.desk.count(urgent).await, i64::from(n == 2), "after mail {}", n + 1);
        room.later(24 * 60).await;
    }
    assert_eq!(room.desk.count("SELECT times::bigint FROM again").await, 3);
    assert_eq!(
        room.desk.count("SELECT count(*) FROM outbox WHERE change = 'contact.again' AND mirror = 'tool'").await,
        1
    );
    assert_eq!(room.desk.count("SELECT count(*) FROM decision WHERE reasons @> '[{\"rule\": \"again\"}]'").await, 1);
    room.look().await;
    assert_eq!(
        room.desk.count("SELECT count(*) FROM outbox WHERE change = 'contact.again' AND mirror = 'tool'").await,
        1
    );
}

#[tokio::test]
async fn each_part_can_be_switched_off() {
    let mut room = Room::open(|policy| {
        policy.outages = false;
        policy.again = None;
    })
    .await;
    room.usual_hour().await;
    for (n, text) in TILLS.iter().enumerate() {
        room.mail(&format!("anna@kauppias{n}.example"), "Apua", text).await;
        room.desk.take("chat", &room.time(), chat(&format!("c{n}"), "v1", text)).await;
    }
    room.look().await;
    assert_eq!(room.shown().await, []);
    assert_eq!(
        room.desk.count("SELECT count(*) FROM heard").await + room.desk.count("SELECT count(*) FROM again").await,
        0
    );
}

/// A morning of the made-up month through the daemon's loop, with what it stores, after the half month that teaches what is usual.
#[tokio::test]
async fn a_month_in_small_has_one_incident() {
    let mut room = Room::before_the_first_look(|_| ()).await;
    let begin = at("2026-03-01T22:00:00Z");
    let hour = |hour: i64| begin + SignedDuration::from_hours(hour);
    let said = month::month(1, month::Outage::Languages, begin);
    let within = |from: Timestamp, until: Timestamp| said.iter().filter(move |one| one.at >= from && one.at <= until);
    for (n, one) in within(begin, hour(16 * 24 + 7)).enumerate() {
        room.desk.deliver("mail", &one.at.to_string(), mail_of(&format!("u{n}@x"), one)).await;
    }
    room.desk.decide().await;
    *room.now.lock().expect("the time") = hour(16 * 24 + 7);
    room.look().await;
    let (mut of_it, mut found_by) = (0, None);
    for (n, one) in within(hour(16 * 24 + 7), hour(16 * 24 + 12)).enumerate() {
        *room.now.lock().expect("the time") = one.at + SignedDuration::from_secs(3);
        room.desk.take("mail", &one.at.to_string(), mail_of(&format!("s{n}@x"), one)).await;
        room.look().await;
        of_it += usize::from(one.is_of_outage);
        if found_by.is_none() && !room.standing().is_empty() {
            found_by = Some(of_it);
        }
    }
    let shown = room.shown().await;
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert!(found_by.is_some_and(|by| by <= 7) && shown[0].2 >= 14, "found by contact {found_by:?}: {shown:?}");
}

/// Something said, as a mail.
fn mail_of(id: &str, one: &month::Said) -> String {
    let from = match &one.firm {
        Some(firm) => format!("p{}@{firm}", one.contact),
        None => format!("p{}@gmail.com", one.contact),
    };
    let date = one.at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
    mail(id, &format!("<{from}>"), &date, "", "", one.subject.as_deref().unwrap_or(""), &one.text)
}
