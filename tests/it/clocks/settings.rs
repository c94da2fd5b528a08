//! Hours, targets and contracts as they are configured: what is refused, and which rule holds for which ticket.

use super::{at, minutes, shown};
use crate::config::{good, load_text, mistakes};
use lanka::pure::channels::kind;
use lanka::pure::decide::targets::targets;
use lanka::pure::domain::service::{ChannelFeatures, Features, Service};
use lanka::pure::domain::ticket::{MatterKind, Priority};
use std::time::Duration;

const CHANNELS: &str = r#"
[channels.mail]
kind = "maildir"
path = "/var/mail/support"
addresses = ["support@example.fi"]
[channels.shop-chat]
kind = "webchat"
secret = { env = "SHOP_CHAT_SECRET" }
[channels.phone]
kind = "asterisk"
path = "/var/log/asterisk/Master.csv"
columns = ["src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "accountcode", "userfield"]
"#;

fn service(text: &str) -> Service {
    good(load_text(&format!("{text}\n{CHANNELS}"), &[])).service()
}

#[test]
fn contradictions_and_slips() {
    let table: &[(&str, &[(usize, &str, &str)])] = &[
        ("[service]\nholidays = \"NO\"", &[(2, "service.holidays", "write \"FI\", \"SE\", \"EE\", or \"none\"")]),
        ("[service]\nwarn_percent = 0", &[(2, "service.warn_percent", "1 to 100")]),
        ("[service]\nhours = \"ever\"", &[(2, "service.hours", "write \"always\", or a table of weekdays")]),
        ("[service]\ntime_zone = \"Helsinki\"", &[(2, "service.time_zone", "not a time zone")]),
        ("[service.hours]\nmonady = []", &[(2, "service.hours.monady", "did you mean \"monday\"?")]),
        ("[service.hours]\nmonday = \"08:00-16:00\"", &[(2, "service.hours.monday", "an array is wanted here")]),
        ("[service.hours]\nmonday = [\"8-16\"]", &[(2, "service.hours.monday.0", "write \"08:00-16:00\"")]),
        (
            "[service.hours]\nmonday = [\"08:00-08:00\"]",
            &[(2, "service.hours.monday.0", "\"00:00-24:00\" for the whole day")],
        ),
        (
            "[service.hours]\nmonday = [\"08:00-12:00\", \"11:00-16:00\"]",
            &[(2, "service.hours.monday.1", "11:00-16:00 overlaps 08:00-12:00: write one span for both")],
        ),
        (
            "[service.hours]\nmonday = [\"22:00-09:00\"]",
            &[(1, "service.hours.tuesday.0", "08:00-16:00 begins while 22:00-09:00 of monday still runs")],
        ),
        (
            "[service.hours]\nsunday = [\"22:00-06:00\"]\nmonday = [\"06:00-12:00\", \"12:00-24:00\"]\ntuesday = [\"00:00-08:00\"]",
            &[],
        ),
        ("[service.dates]\n\"31.12.2026\" = []", &[(2, "service.dates.31.12.2026", "not a date")]),
        ("[service.dates]\n2026-02-30 = []", &[(2, "service.dates.2026-02-30", "not a date")]),
        (
            "[service.dates]\n2026-12-31 = [\"08:00-12:00\", \"09:00-10:00\"]",
            &[(2, "service.dates.2026-12-31.1", "overlaps")],
        ),
        ("[service.targets.mine]\nfirst_answer = \"1h\"", &[(1, "service.targets.mine.rank", "required, and missing")]),
        ("[service.targets.mine]\nrank = 1", &[(1, "service.targets.mine", "sets no target")]),
        ("[service.targets.Mine]\nrank = 1\nsolution = \"1h\"", &[(1, "service.targets.Mine", "not a name")]),
        (
            "[service.targets.rest]\nsolution = \"soon\"",
            &[(2, "service.targets.rest.solution", "not a length of time")],
        ),
        ("[service.targets.rest]\nsolution = \"30s\"", &[(2, "service.targets.rest.solution", "or \"none\"")]),
        ("[service.targets.rest]\nlike = [\"fax\"]", &[(2, "service.targets.rest.like.0", "")]),
        (
            "[service.targets.rest]\nchannels = [\"mail\", \"shop-caht\"]",
            &[(2, "service.targets.rest.channels.1", "there is no channel \"shop-caht\", did you mean \"shop-chat\"?")],
        ),
        (
            "[service.targets.rest]\nchannel_kinds = [\"mail-dir\"]",
            &[(2, "service.targets.rest.channel_kinds.0", "maildir")],
        ),
        (
            "[service.targets.rest]\ncontracts = [\"gold\"]",
            &[(2, "service.targets.rest.contracts.0", "there is no contract \"gold\"")],
        ),
        ("[contracts.gold]\nfirst_answer = \"1h\"", &[(1, "contracts.gold.organisations", "required, and missing")]),
        ("[contracts.gold]\norganisations = []", &[(2, "contracts.gold.organisations", "is empty")]),
        (
            "[contracts.gold]\norganisations = [\"a.example.fi\"]\n[contracts.silver]\norganisations = [\"b.example.fi\", \"A.example.fi\"]",
            &[(4, "contracts.silver.organisations.1", "contracts.gold is with a.example.fi already")],
        ),
        (
            "[contracts.gold]\norganisations = [\"gmail.com\"]",
            &[(2, "contracts.gold.organisations.0", "anybody can have an address")],
        ),
        (
            "[contracts.gold]\norganisations = [\"a.fi\"]\nhours = \"always\"\nholidays = \"FI\"",
            &[(4, "contracts.gold.holidays", "has no closed days")],
        ),
        (
            "[contracts.gold]\norganisations = [\"a.fi\"]\nhours = { sunday = [\"22:00-09:00\"] }",
            &[(3, "contracts.gold.hours.monday.0", "begins while 22:00-09:00 of sunday still runs")],
        ),
        (
            "[contracts.gold]\norganisations = [\"a.fi\"]\n[contracts.gold.targets.x]\nrank = 1\nsolution = \"1h\"\ncontracts = [\"gold\"]",
            &[(6, "contracts.gold.targets.x.contracts", "a rule of a contract holds for that alone")],
        ),
    ];
    for (text, expected) in table {
        mistakes(&format!("{text}\n{CHANNELS}"), expected);
    }
}

/// `mail high problem of a.fi`: channels by name, urgency, kinds, organisations.
fn ticket(text: &str) -> Features {
    let mut features = Features { priority: Some(Priority::Normal), ..Features::default() };
    for word in text.split_whitespace() {
        let of = match word {
            "mail" => "maildir",
            "shop-chat" => "webchat",
            "phone" => "asterisk",
            _ => "",
        };
        if let Some(kind) = kind(of) {
            let (name, kind, like) = (word.to_owned(), kind.name.to_owned(), kind.like);
            features.channels.push(ChannelFeatures { name, kind, like });
        } else if let Some(priority) = Priority::parse(word) {
            features.priority = Some(priority);
        } else if let Some(kind) = MatterKind::parse(word) {
            features.kinds.push(kind);
        } else {
            features.organisations.push(word.to_owned());
        }
    }
    features
}

/// `first 8h by rest, next on mail 8h by rest, solution 40h by rest`
fn told(service: &Service, text: &str) -> String {
    let features = ticket(text);
    let promise = targets(service, &features);
    let length =
        |target: Option<Duration>| target.map_or("none".to_owned(), |target| format!("{}m", target.as_secs() / 60));
    let mut told: Vec<String> = Vec::new();
    for said in &promise.why {
        let place = said.channel.map_or(String::new(), |channel| format!(" on {channel}"));
        let by = said.rule.unwrap_or("itself");
        let whose = if said.by_contract { promise.contract.unwrap_or("?") } else { "service" };
        told.push(format!("{}{place} {} by {whose}.{by}", said.clock.as_str(), length(said.goal.target())));
    }
    told.join(", ")
}

#[test]
fn which_rule_holds() {
    let defaults = service("");
    let own = service(
        r#"
        [service.targets.rest]
        first_answer = "30m"
        [service.targets.complaints]
        rank = 50
        kinds = ["feedback"]
        channels = ["mail"]
        solution = "none"
        [service.targets.golden-chat]
        rank = 10
        contracts = ["gold"]
        like = ["chat"]
        next_answer = "1m"
        [service.targets.call]
        enabled = false
        [contracts.gold]
        organisations = ["a.fi"]
        first_answer = "15m"
        targets = { urgent = { rank = 1, priorities = ["high"], first_answer = "5m", solution = "4h" } }
        "#,
    );
    let table = [
        (
            &defaults,
            "mail",
            "first_answer 240m by service.rest, solution 2400m by service.rest, next_answer on mail 240m by service.rest",
        ),
        (
            &defaults,
            "mail high",
            "first_answer 60m by service.urgent, solution 480m by service.urgent, next_answer on mail 60m by service.urgent",
        ),
        (
            &defaults,
            "shop-chat",
            "first_answer 10m by service.chat, solution 2400m by service.rest, next_answer on shop-chat 10m by service.chat",
        ),
        (
            &defaults,
            "shop-chat high",
            "first_answer 5m by service.urgent-chat, solution 480m by service.urgent, next_answer on shop-chat 5m by service.urgent-chat",
        ),
        (
            &defaults,
            "phone",
            "first_answer 120m by service.call, solution 2400m by service.rest, next_answer on phone 120m by service.call",
        ),
        (
            &defaults,
            "mail shop-chat",
            "first_answer 240m by service.rest, solution 2400m by service.rest, next_answer on mail 240m by service.rest, next_answer on shop-chat 10m by service.chat",
        ),
        (&defaults, "", "first_answer 240m by service.rest, solution 2400m by service.rest"),
        (
            &own,
            "phone",
            "first_answer 30m by service.rest, solution 2400m by service.rest, next_answer on phone 240m by service.rest",
        ),
        (
            &own,
            "mail feedback problem",
            "first_answer 30m by service.rest, solution none by service.complaints, next_answer on mail 240m by service.rest",
        ),
        (
            &own,
            "phone feedback",
            "first_answer 30m by service.rest, solution 2400m by service.rest, next_answer on phone 240m by service.rest",
        ),
        (
            &own,
            "mail b.fi",
            "first_answer 30m by service.rest, solution 2400m by service.rest, next_answer on mail 240m by service.rest",
        ),
        (
            &own,
            "mail a.fi",
            "first_answer 15m by gold.itself, solution 2400m by service.rest, next_answer on mail 240m by service.rest",
        ),
        (
            &own,
            "mail tuki.a.fi",
            "first_answer 15m by gold.itself, solution 2400m by service.rest, next_answer on mail 240m by service.rest",
        ),
        (
            &own,
            "shop-chat a.fi",
            "first_answer 15m by gold.itself, solution 2400m by service.rest, next_answer on shop-chat 1m by service.golden-chat",
        ),
        (
            &own,
            "mail high b.fi a.fi",
            "first_answer 5m by gold.urgent, solution 240m by gold.urgent, next_answer on mail 60m by service.urgent",
        ),
    ];
    for (service, text, expected) in table {
        assert_eq!(told(service, text), expected, "{text}");
    }
    let set = [
        ("LANKA__SERVICE__TARGETS__URGENT_CHAT__FIRST_ANSWER", "3m"),
        ("LANKA__SERVICE__TARGETS__MY_MAIL", "{ rank = 1, like = [\"mail\"], next_answer = \"7m\" }"),
        ("LANKA__CONTRACTS__THE_DEAR__ORGANISATIONS", "[\"c.fi\"]"),
        ("LANKA__CONTRACTS__THE_DEAR__TARGETS__ALL_CALLS", "{ rank = 1, like = [\"call\"], first_answer = \"2m\" }"),
    ];
    let by_variables = good(load_text(CHANNELS, &set)).service();
    let first =
        |text: &str| targets(&by_variables, &ticket(text)).targets.first_answer.map(|target| target.as_secs() / 60);
    assert_eq!(["shop-chat high", "phone c.fi", "phone"].map(first), [3, 2, 120].map(Some));
    let mails = ticket("mail shop-chat");
    let promise = targets(&defaults, &mails);
    let next = |channel| promise.targets.next_answer_on(channel).map(|target| target.as_secs() / 60);
    assert_eq!([Some("mail"), Some("shop-chat"), Some("other"), None].map(next), [240, 10, 240, 240].map(Some));
    assert_eq!(promise.targets.warn_percent, 75);
}

#[test]
fn whose_hours_hold() {
    let service = service(
        r#"
        [service]
        holidays = "FI"
        [service.dates]
        2026-12-31 = ["08:00-12:00"]
        [contracts.day-and-night]
        organisations = ["a.fi"]
        hours = "always"
        [contracts.saturdays]
        organisations = ["b.fi"]
        hours = { saturday = ["10:00-14:00"] }
        dates = { 2026-06-20 = ["10:00-12:00"] }
        [contracts.sweden]
        organisations = ["c.se"]
        time_zone = "Europe/Stockholm"
        holidays = "SE"
        [contracts.dear]
        organisations = ["d.fi"]
        first_answer = "1m"
        "#,
    );
    // Friday 16:10 in Helsinki, and an hour; then the eve of juhannus; then New Year's Eve.
    let table = [
        ("nobody.fi", "2026-03-27 16:10", "2026-03-30 09:00"),
        ("a.fi", "2026-03-27 16:10", "2026-03-27 17:10"),
        ("b.fi", "2026-03-27 16:10", "2026-03-28 11:00"),
        ("c.se", "2026-03-27 16:10", "2026-03-30 09:10"),
        ("d.fi", "2026-03-27 16:10", "2026-03-30 09:00"),
        ("nobody.fi", "2026-06-19 09:00", "2026-06-22 09:00"),
        ("a.fi", "2026-06-19 09:00", "2026-06-19 10:00"),
        ("b.fi", "2026-06-19 09:00", "2026-06-20 11:00"),
        ("c.se", "2026-12-07 00:00", "2026-12-07 10:00"),
        ("nobody.fi", "2026-12-31 11:30", "2027-01-04 08:30"),
        ("b.fi", "2026-12-31 11:30", "2027-01-02 10:30"),
    ];
    for (organisation, from, expected) in table {
        let features = ticket(&format!("mail {organisation}"));
        let promise = targets(&service, &features);
        assert_eq!(shown(promise.hours.after(at(from), minutes(60))), expected, "{organisation} from {from}");
    }
}
