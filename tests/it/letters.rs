//! Letters to the desk's own people: once each, whatever happens, and nothing when there is nothing to tell.

use crate::commands::Place;
use crate::desk::{Desk, at, mail};
use crate::endpoint::Endpoint;
use crate::post_office::{PostOffice, Reply, Taken};
use crate::support::scratch;
use lanka::config::{Environment, Settings};
use lanka::pure::domain::Timestamp;
use lanka::shell::alerts::Alerts;
use lanka::shell::hands::Saying;
use lanka::shell::letters::{LETTER_DEAD, Letters};
use lanka::shell::privacy::Privacy;
use mail_parser::{MessageParser, MimeHeaders};
use std::sync::{Arc, Mutex};

const PASS: &str = "dmarc=pass header.from=firma.example";

/// A desk whose mail channel sends by a post office, with letters.
async fn open(office: &PostOffice, letters: &str) -> Desk {
    let smtp = format!(
        "[channels.mail.smtp]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"Kauppa <asiakaspalvelu@kauppa.example>\"\n",
        office.address.port()
    );
    let more = format!("{smtp}\n[defaults]\ntime_zone = \"Europe/Helsinki\"\nlanguages = [\"fi\"]\n{letters}");
    Desk::open_with(|config| format!("{config}\n{more}")).await
}

/// A clock that is set.
#[derive(Clone)]
struct Watch(Arc<Mutex<Timestamp>>);

impl Watch {
    fn at(text: &str) -> Self {
        Self(Arc::new(Mutex::new(at(text))))
    }

    fn set(&self, text: &str) {
        *self.0.lock().unwrap() = at(text);
    }

    fn letters(&self, desk: &Desk, alerts: &Alerts) -> Letters {
        let now = self.0.clone();
        desk.letters(alerts, Arc::new(move || *now.lock().unwrap()))
    }
}

/// A customer's mail that has its clocks.
async fn asked(desk: &Desk, id: &str, received: &str, subject: &str, text: &str) {
    let date = jiff::fmt::rfc2822::to_string(&at(received).to_zoned(jiff::tz::TimeZone::UTC)).expect("a date");
    desk.take("mail", received, mail(id, "Minna <minna@firma.example>", &date, PASS, "", subject, text)).await;
    let now = at(received);
    desk.keeper(Arc::new(move || now)).until_idle().await.expect("kept");
}

fn subject(taken: &Taken) -> String {
    MessageParser::default().parse(&taken.text).expect("a mail").subject().expect("a subject").to_owned()
}

const MONTHLY: &str = "[letters.kuukausi]\nabout = \"report\"\nevery = \"month\"\nat = \"07:00\"\nto = [\"pomo@kauppa.example\", \"asiakas@firma.example\"]\norganisations = [\"firma.example\"]\n";

#[tokio::test]
async fn a_report_is_sent_once_to_each_when_its_month_is_over() {
    let office = PostOffice::open().await;
    let desk = open(&office, MONTHLY).await;
    asked(&desk, "a@firma.example", "2026-10-05T08:00:00Z", "Tulostin jumissa", "Tulostin ei toimi.").await;
    asked(&desk, "b@firma.example", "2026-11-01T05:30:00Z", "Toinen asia", "Tämä on marraskuuta.").await;
    let (watch, alerts) = (Watch::at("2026-10-20T08:00:00Z"), Alerts::logged());
    let (one, other) = (watch.letters(&desk, &alerts), watch.letters(&desk, &alerts));
    // September's is of before anybody asked for letters.
    one.look().await;
    watch.set("2026-11-01T04:59:00Z");
    one.look().await;
    assert_eq!(office.taken().len(), 0);
    watch.set("2026-11-01T05:00:00Z");
    tokio::join!(one.look(), other.look());
    // A new start is no news, nor is the next day.
    watch.letters(&desk, &alerts).look().await;
    watch.set("2026-11-02T05:00:00Z");
    one.look().await;
    let taken = office.taken();
    let mut to: Vec<&str> = taken.iter().flat_map(|mail| &mail.to).map(String::as_str).collect();
    to.sort_unstable();
    assert_eq!(to, ["asiakas@firma.example", "pomo@kauppa.example"]);
    for mail in &taken {
        assert_eq!(mail.from, "", "nobody is told when it does not arrive");
        assert_eq!(mail.header("Auto-Submitted").as_deref(), Some("auto-generated"));
        assert!(subject(mail).contains("firma.example 1.10.2026–31.10.2026"), "{}", subject(mail));
        let parsed = MessageParser::default().parse(&mail.text).expect("a mail");
        let text = parsed.body_text(0).expect("a text").into_owned();
        assert!(text.contains("Tiketit: 1 (edellinen jakso 0)"), "{text}");
        let page = parsed.attachment(0).expect("the page");
        assert_eq!(page.attachment_name(), Some("report-2026-10.html"));
        let page = String::from_utf8_lossy(page.contents()).into_owned();
        assert!(page.contains("<h1>Raportti: firma.example</h1>") && page.contains("</html>"), "{page}");
        assert_eq!(mail.to.len(), 1, "nobody sees who else gets it");
    }
    assert_ne!(taken[0].header("Message-ID"), taken[1].header("Message-ID"));
    let bodies = desk.count("SELECT count(*) FROM letter WHERE body IS NOT NULL").await;
    assert_eq!(bodies, 0, "what was sent is not kept");
    // A month in which no daemon ran is made up for, the latest.
    watch.set("2027-02-10T10:00:00Z");
    one.look().await;
    assert_eq!(office.taken().len(), 4);
    assert!(subject(&office.taken()[3]).contains("1.1.2027–31.1.2027"));
}

#[tokio::test]
async fn a_server_that_hiccups_is_tried_again_with_the_same_mail() {
    let office = PostOffice::open().await;
    let desk = open(&office, &MONTHLY.replace(", \"asiakas@firma.example\"", "")).await;
    let (watch, alerts) = (Watch::at("2026-10-20T08:00:00Z"), Alerts::logged());
    let letters = watch.letters(&desk, &alerts);
    letters.look().await;
    // The second is taken, and the word of it lost.
    office.then([Reply::Say("451 later"), Reply::HangUp]);
    watch.set("2026-11-01T05:00:00Z");
    letters.look().await;
    letters.look().await;
    assert_eq!(office.taken().len(), 0, "not before its time");
    watch.set("2026-11-01T05:01:00Z");
    letters.look().await;
    assert_eq!(office.taken().len(), 1);
    watch.set("2026-11-01T05:10:00Z");
    watch.letters(&desk, &alerts).look().await;
    let taken = office.taken();
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[0].text, taken[1].text, "the same mail, under one id");
    assert_eq!(desk.count("SELECT count(*) FROM letter WHERE state = 'pending'").await, 0);

    // Refused for good, it is said aloud, until one arrives.
    office.then([Reply::Say("550 no such user")]);
    watch.set("2026-12-01T05:00:00Z");
    letters.look().await;
    letters.look().await;
    let standing = || {
        alerts.active().iter().filter(|alert| alert.code == LETTER_DEAD).map(|a| a.message.clone()).collect::<Vec<_>>()
    };
    assert!(standing()[0].contains("550") && !standing()[0].contains('@'), "{:?}", standing());
    let line = &desk.store.letter_lines().await.expect("lines")[0];
    assert_eq!((line.slot.as_str(), line.delivered, line.pending, line.dead), ("2026-12-01", 0, 0, 1));
    watch.set("2027-01-01T05:00:00Z");
    letters.look().await;
    assert_eq!((standing().len(), office.taken().len()), (0, 3));

    // One that nobody takes for two days is given up.
    office.then(std::iter::repeat_n(Reply::Say("451 later"), 200));
    for hour in 0..60_i64 {
        let now = at("2027-02-01T05:00:00Z") + jiff::SignedDuration::from_hours(hour);
        watch.set(&now.to_string());
        letters.look().await;
    }
    let line = &desk.store.letter_lines().await.expect("lines")[0];
    assert_eq!((line.pending, line.dead), (0, 1));
}

#[tokio::test]
async fn a_recipient_who_is_refused_is_told_of_until_all_have_their_letter() {
    let office = PostOffice::open().await;
    let desk = open(&office, MONTHLY).await;
    let (watch, alerts) = (Watch::at("2026-10-20T08:00:00Z"), Alerts::logged());
    let letters = watch.letters(&desk, &alerts);
    letters.look().await;
    let standing = || alerts.active().iter().filter(|alert| alert.code == LETTER_DEAD).count();
    // One is refused, the other has it.
    office.then([Reply::Say("550 no such user")]);
    watch.set("2026-11-01T05:00:00Z");
    letters.look().await;
    assert_eq!((office.taken().len(), standing()), (1, 1));
    // One has December's, the other is to get it still.
    office.then([Reply::Say("250 taken"), Reply::Say("451 later")]);
    watch.set("2026-12-01T05:00:00Z");
    letters.look().await;
    assert_eq!((office.taken().len(), standing()), (2, 1));
    watch.set("2026-12-01T05:02:00Z");
    letters.look().await;
    assert_eq!((office.taken().len(), standing()), (3, 0));
}

#[tokio::test]
async fn a_letter_that_waits_while_somebody_is_erased_is_not_sent() {
    let office = PostOffice::open().await;
    let desk = open(&office, MONTHLY).await;
    asked(&desk, "a@firma.example", "2026-10-05T08:00:00Z", "Tulostin jumissa", "Tulostin ei toimi.").await;
    let (watch, alerts) = (Watch::at("2026-10-20T08:00:00Z"), Alerts::logged());
    let letters = watch.letters(&desk, &alerts);
    letters.look().await;
    office.then([Reply::Say("451 later"), Reply::Say("451 later")]);
    watch.set("2026-11-01T05:00:00Z");
    letters.look().await;
    let kept = "SELECT count(*) FROM letter WHERE body IS NOT NULL";
    assert_eq!(desk.count(kept).await, 2);
    let minna: uuid::Uuid =
        sqlx::query_scalar("SELECT contact_id FROM identity").fetch_one(&desk.store.pool).await.expect("her");
    let privacy = Privacy::new(desk.store.clone(), desk.ingest.registry());
    privacy.erase(None, &minna.to_string(), Saying { by: "anna", why: "asked for it" }).await.expect("erased");
    assert_eq!(desk.count(kept).await, 0);
    watch.set("2026-11-01T06:00:00Z");
    letters.look().await;
    assert_eq!(office.taken().len(), 0);
    // And in reports he is not counted any more.
    let now = at("2026-11-01T06:00:00Z");
    desk.keeper(Arc::new(move || now)).until_idle().await.expect("kept");
    let asked = "SELECT count(*) FROM report_ticket WHERE asked_at IS NOT NULL OR organisation IS NOT NULL";
    assert_eq!(desk.count(asked).await, 0);
}

#[tokio::test]
async fn dust_is_told_on_days_of_service_when_there_is_some() {
    let office = PostOffice::open().await;
    let endpoint = Endpoint::start().await;
    let room = format!(
        "[mirrors.room]\nkind = \"webhook\"\nurl = \"{}\"\nsecret = {{ env = \"WHSEC\" }}\ninsecure_http = true\n[http]\nallow_private_addresses = true\n",
        endpoint.url("/room")
    );
    let daily = "[letters.poly]\nabout = \"dust\"\nevery = \"day\"\nat = \"08:00\"\nto = [\"tiimi@kauppa.example\"]\nmirrors = [\"room\"]\n";
    let desk = open(&office, &format!("{room}{daily}")).await;
    let (watch, alerts) = (Watch::at("2026-11-19T06:30:00Z"), Alerts::logged());
    let letters = watch.letters(&desk, &alerts);
    letters.look().await;
    // Friday: nothing is there.
    watch.set("2026-11-20T06:30:00Z");
    letters.look().await;
    assert_eq!(office.taken().len(), 0);
    asked(&desk, "a@firma.example", "2026-11-20T07:00:00Z", "Tulostin\r\n jumissa", "Tulostin ei toimi, auttakaa.")
        .await;
    // The same day again, Saturday and Sunday tell nothing.
    for now in ["2026-11-20T15:00:00Z", "2026-11-21T06:30:00Z", "2026-11-22T06:30:00Z"] {
        watch.set(now);
        letters.look().await;
    }
    assert_eq!(office.taken().len(), 0);
    watch.set("2026-11-24T06:30:00Z");
    letters.look().await;
    let taken = office.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(subject(&taken[0]), "Pölyttyy 24.11.2026: 1 vastaamatta");
    let text =
        MessageParser::default().parse(&taken[0].text).expect("a mail").body_text(0).expect("a text").into_owned();
    assert!(text.contains("Vastaa asiakkaalle.") && text.contains("#1  20.11.2026 9.00  Tulostin jumissa"), "{text}");
    let said: Vec<String> = endpoint.seen().iter().map(|request| request.json().to_string()).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("1 vastaamatta; vastaamatta #1") && !said[0].contains("Tulostin"), "{said:?}");
}

#[test]
fn what_is_wrong_with_letters_is_said() {
    let dir = scratch();
    let channel = |name: &str, smtp: bool| {
        let smtp = if smtp {
            format!("[channels.{name}.smtp]\nhost = \"127.0.0.1\"\ntls = \"none\"\n")
        } else {
            String::new()
        };
        format!(
            "[channels.{name}]\nkind = \"maildir\"\npath = \"/tmp/{name}\"\naddresses = [\"{name}@kauppa.example\"]\n{smtp}"
        )
    };
    let one = channel("mail", true);
    let room = "[mirrors.room]\nkind = \"slack\"\nurl = { env = \"ROOM\" }\n";
    let letter = |more: &str| format!("[letters.x]\nabout = \"report\"\nevery = \"month\"\nat = \"07:00\"\n{more}");
    let to = "to = [\"a@b.example\"]\n";
    for (config, says) in [
        (format!("{one}{}", letter(to)), ""),
        (format!("{one}{}", letter("")), "it goes to nobody: set `to` or `mirrors`"),
        (format!("{}{}", channel("mail", false), letter(to)), "no channel sends mail: give one a table `smtp`"),
        (format!("{one}{}{}", channel("b", true), letter(to)), "say which channel sends it: b, mail"),
        (format!("{one}{}{}channel = \"b\"\n", channel("b", true), letter(to)), ""),
        (format!("{one}{}channel = \"c\"\n", letter(to)), "no channel \"c\" sends mail"),
        (format!("{one}{}", letter("to = [\"mail@kauppa.example\"]\n")), "is read by a channel: it would come back"),
        (format!("{one}{}", letter("to = [\"pomo\"]\n")), "\"pomo\" is no address"),
        (format!("{one}{}", letter(to).replace("07:00", "7")), "is no time of the day like \"07:00\""),
        (format!("{one}{}", letter(to).replace("month", "fortnight")), "\"fortnight\" is none of \"day\", \"week\""),
        (format!("{one}{}", letter(to).replace("report", "weather")), "\"weather\" is not known; one of: report, dust"),
        (
            format!("{one}{room}{}", letter("mirrors = [\"room\"]\n").replace("report", "dust")),
            "\"room\" takes no alerts",
        ),
        (
            format!("{one}{room}alerts = true\n{}", letter("mirrors = [\"rom\"]\n").replace("report", "dust")),
            "did you mean \"room\"?",
        ),
        (format!("{one}{}", letter(&format!("{to}texts = true\n")).replace("report", "dust")), "are for reports"),
        (format!("{one}{}", letter(&format!("{to}colour = \"red\"\n"))), "colour"),
    ] {
        let file = dir.path().join("lanka.toml");
        std::fs::write(&file, &config).unwrap();
        let problems = match Settings::load(&[file], &Environment::of([("ROOM", "https://hooks.example/x")])) {
            Ok(_) => String::new(),
            Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        };
        assert!(if says.is_empty() { problems.is_empty() } else { problems.contains(says) }, "{config}\n{problems}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_listed_and_tried_out_on_the_command_line() {
    let office = PostOffice::open().await;
    let place = Place::new().await;
    place.configure(&format!(
        "[defaults]\ntime_zone = \"Europe/Helsinki\"\nlanguages = [\"fi\"]\n[channels.mail]\nkind = \"maildir\"\npath = \"DIR/mail\"\n\
         addresses = [\"asiakaspalvelu@kauppa.example\"]\nsmtp = {{ host = \"127.0.0.1\", port = {}, tls = \"none\" }}\n{MONTHLY}",
        office.address.port()
    ));
    place.write("mail/new/.keep", "");
    place.run(&["run", "--until-idle"]);
    let line = place.row(&["letter", "list"]);
    assert_eq!(
        (&line["name"], &line["about"], &line["every"], &line["at"]),
        (&"kuukausi".into(), &"report".into(), &"month".into(), &"07:00".into())
    );
    assert_eq!(line["recipients"], 2);
    let next: Timestamp = line["next"].as_str().expect("a time").parse().expect("a time");
    let zone = jiff::tz::TimeZone::get("Europe/Helsinki").expect("the zone");
    let next_local = next.to_zoned(zone);
    assert!(next > Timestamp::now() && (next_local.day(), next_local.hour()) == (1, 7), "{next_local}");
    assert_eq!(office.taken().len(), 0, "nothing of before it was configured");
    assert_eq!(place.run(&["letter", "send", "kuukausi"]).trim(), "sent to 2");
    assert_eq!(office.taken().len(), 2);
    office.then([Reply::Say("550 no such user")]);
    for (arguments, says) in [
        (["letter", "send", "kuukausi"], "sent to 1, not to 1: the mail server refuses it (550)"),
        (["letter", "send", "viikko"], "there is no letter \"viikko\""),
    ] {
        let output = place.command(&arguments).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(says), "{said}");
    }
}
