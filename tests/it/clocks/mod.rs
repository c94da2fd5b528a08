//! Clocks: tables that a person can check by an almanac, and a count minute by minute over random histories.

mod minutes;
mod settings;
mod shown;

pub(crate) use minutes::Dice;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use lanka::pure::decide::clock::clocks;
use lanka::pure::decide::route::of_clock;
use lanka::pure::domain::Timestamp;
use lanka::pure::domain::clock::{Clock, ClockKind, Happened, Happening, Targets};
use lanka::pure::domain::holiday::Country;
use lanka::pure::domain::hours::{Hours, Span, Week};
use lanka::pure::domain::id::TicketId;
use lanka::pure::domain::outbox::Change;
use std::collections::BTreeMap;
use std::time::Duration;

const HELSINKI: &str = "Europe/Helsinki";

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("a zone")
}

fn spans(text: &str) -> Vec<Span> {
    text.split_whitespace().map(|span| Span::parse(span).expect("a span")).collect()
}

/// Weekdays as given, the weekend closed.
fn weekdays(text: &str) -> Week {
    [text, text, text, text, text, "", ""].map(spans)
}

/// Finnish office hours, 08:00 to 16:00, with some dates of their own.
fn office(dates: &[(&str, &str)]) -> Hours {
    let date = |text: &str| text.parse::<Date>().expect("a date");
    let dates: BTreeMap<Date, Vec<Span>> = dates.iter().map(|(on, at)| (date(on), spans(at))).collect();
    Hours::new(zone(HELSINKI), weekdays("08:00-16:00"), Some(Country::Finland), dates)
}

/// Every date from and to a time.
fn daily(zone_name: &str, text: &str) -> Hours {
    Hours::new(zone(zone_name), std::array::from_fn(|_| spans(text)), None, BTreeMap::new())
}

/// `2026-03-27 15:50` on the wall of the zone; `2026-10-25 03:30+02` where it shows a time twice.
fn at_in(zone_name: &str, text: &str) -> Timestamp {
    if let Some((wall, offset)) = text.split_once('+') {
        return format!("{}:00+{offset}:00", wall.replace(' ', "T")).parse().expect("a time with its offset");
    }
    let wall: DateTime = format!("{}:00", text.replace(' ', "T")).parse().expect("a time");
    zone(zone_name).to_timestamp(wall).expect("a time")
}

fn at(text: &str) -> Timestamp {
    at_in(HELSINKI, text)
}

fn shown(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".to_owned(), |at| at.to_zoned(zone(HELSINKI)).strftime("%Y-%m-%d %H:%M").to_string())
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

#[test]
fn service_time_between_two_instants() {
    let office = office(&[("2026-12-31", "08:00-12:00"), ("2026-05-15", "")]);
    let nights = daily(HELSINKI, "00:00-08:00");
    let shift = Hours::new(zone(HELSINKI), weekdays("22:00-06:00"), Some(Country::Finland), BTreeMap::new());
    let early = daily(HELSINKI, "03:30-05:00");
    let always = Hours::always(zone(HELSINKI));
    let new_york = daily("America/New_York", "00:00-08:00");
    let table: [(&str, &Hours, &str, &str, u64); 27] = [
        ("one working day", &office, "2026-03-26 00:00", "2026-03-27 00:00", 480),
        ("within one span", &office, "2026-03-26 09:15", "2026-03-26 09:45", 30),
        ("over a night", &office, "2026-03-26 15:50", "2026-03-27 08:20", 30),
        ("over a weekend", &office, "2026-03-27 15:50", "2026-03-30 08:20", 30),
        ("in the night alone", &office, "2026-03-26 17:00", "2026-03-27 07:59", 0),
        ("backwards", &office, "2026-03-27 12:00", "2026-03-26 12:00", 0),
        ("a whole week", &office, "2026-03-09 00:00", "2026-03-16 00:00", 5 * 480),
        ("over Easter 2026: Friday and Monday are closed", &office, "2026-04-02 15:00", "2026-04-07 09:00", 120),
        ("over juhannus 2026: the eve, a Friday, is closed", &office, "2026-06-18 15:00", "2026-06-22 09:00", 120),
        ("juhannus 2027 is a week later", &office, "2027-06-18 08:00", "2027-06-18 16:00", 480),
        ("its eve in 2027", &office, "2027-06-25 00:00", "2027-06-26 00:00", 0),
        ("vappu 2026, a Friday", &office, "2026-04-30 08:00", "2026-05-04 08:00", 480),
        ("the day after Ascension, closed by a date", &office, "2026-05-13 08:00", "2026-05-18 08:00", 480),
        ("independence day 2026, a Sunday, takes no other day", &office, "2026-12-07 00:00", "2026-12-08 00:00", 480),
        ("pyhäinpäivä, a Saturday, takes no other day", &office, "2026-10-30 00:00", "2026-11-02 00:00", 480),
        ("Christmas 2026: the eve is a Thursday", &office, "2026-12-23 15:00", "2026-12-28 09:00", 120),
        ("New Year's Eve, shortened by a date", &office, "2026-12-31 00:00", "2027-01-01 00:00", 240),
        ("loppiainen 2027, a Wednesday", &office, "2027-01-05 15:00", "2027-01-07 09:00", 120),
        ("the spring day has no 03:00 to 04:00", &nights, "2026-03-29 00:00", "2026-03-29 12:00", 420),
        ("the autumn day has it twice", &nights, "2026-10-25 00:00", "2026-10-25 12:00", 540),
        ("the spring day of New York", &new_york, "2026-03-08 06:00", "2026-03-08 20:00", 420),
        ("a span that begins in the hour that is left out", &early, "2026-03-29 00:00", "2026-03-29 12:00", 60),
        ("a span that begins in the hour that comes twice", &early, "2026-10-25 00:00", "2026-10-25 12:00", 120),
        ("a night shift over midnight", &shift, "2026-03-24 20:00", "2026-03-25 12:00", 480),
        ("Friday's night shift ends on Saturday", &shift, "2026-03-27 12:00", "2026-03-30 12:00", 480),
        (
            "Thursday's goes on into Good Friday, and none begins there",
            &shift,
            "2026-04-02 12:00",
            "2026-04-06 12:00",
            480,
        ),
        ("day and night over the spring day", &always, "2026-03-29 00:00", "2026-03-30 00:00", 23 * 60),
    ];
    for (what, hours, from, to, expected) in table {
        assert_eq!(hours.worked(at(from), at(to)), minutes(expected), "{what}");
    }
}

#[test]
fn when_so_much_service_time_has_passed() {
    let office = office(&[]);
    let nights = daily(HELSINKI, "00:00-08:00");
    let shift = Hours::new(zone(HELSINKI), weekdays("22:00-06:00"), None, BTreeMap::new());
    let never = Hours::new(zone(HELSINKI), weekdays(""), None, BTreeMap::new());
    let once = Hours::new(
        zone(HELSINKI),
        weekdays(""),
        None,
        BTreeMap::from([("2027-02-01".parse().expect("a date"), spans("10:00-11:00"))]),
    );
    let table: [(&str, &Hours, &str, u64, &str); 17] = [
        ("at once", &office, "2026-03-28 12:00", 0, "2026-03-28 12:00"),
        ("Friday 15:50 and half an hour", &office, "2026-03-27 15:50", 30, "2026-03-30 08:20"),
        (
            "a whole day ends at closing time, not at the next opening",
            &office,
            "2026-03-26 08:00",
            480,
            "2026-03-26 16:00",
        ),
        ("a minute more does", &office, "2026-03-26 08:00", 481, "2026-03-27 08:01"),
        ("asked in the night", &office, "2026-03-26 02:00", 480, "2026-03-26 16:00"),
        ("asked at closing time", &office, "2026-03-26 16:00", 10, "2026-03-27 08:10"),
        ("asked on Saturday", &office, "2026-03-28 12:00", 10, "2026-03-30 08:10"),
        ("Maundy Thursday to Tuesday", &office, "2026-04-02 15:50", 30, "2026-04-07 08:20"),
        ("before juhannus to Monday", &office, "2026-06-18 15:50", 30, "2026-06-22 08:20"),
        ("before Christmas to Monday", &office, "2026-12-23 15:50", 30, "2026-12-28 08:20"),
        ("forty hours are a week", &office, "2026-03-09 08:00", 2_400, "2026-03-13 16:00"),
        ("seven hours of the spring night", &nights, "2026-03-29 00:00", 420, "2026-03-29 08:00"),
        ("four hours of the autumn night", &nights, "2026-10-25 00:00", 240, "2026-10-25 03:00"),
        ("over midnight", &shift, "2026-03-24 23:30", 60, "2026-03-25 00:30"),
        ("never open", &never, "2026-03-24 23:30", 1, "never"),
        ("open once, for an hour", &once, "2026-03-24 12:00", 60, "2027-02-01 11:00"),
        ("and never for longer", &once, "2026-03-24 12:00", 61, "never"),
    ];
    for (what, hours, from, allowed, expected) in table {
        assert_eq!(shown(hours.after(at(from), minutes(allowed))), expected, "{what}");
    }
}

#[test]
fn whether_and_when_the_desk_is_there() {
    let office = office(&[("2026-12-31", "08:00-12:00")]);
    let table = [
        ("2026-03-26 08:00", true, "2026-03-26 08:00"),
        ("2026-03-26 07:59", false, "2026-03-26 08:00"),
        ("2026-03-26 15:59", true, "2026-03-26 15:59"),
        ("2026-03-26 16:00", false, "2026-03-27 08:00"),
        ("2026-03-27 16:00", false, "2026-03-30 08:00"),
        ("2026-04-02 16:00", false, "2026-04-07 08:00"),
        ("2026-12-31 12:00", false, "2027-01-04 08:00"),
    ];
    for (when, open, next) in table {
        assert_eq!(office.is_open(at(when)), open, "{when}");
        assert_eq!(shown(office.next_open(at(when))), next, "{when}");
    }
    let always = Hours::always(zone(HELSINKI));
    assert!(always.is_open(at("2026-12-25 03:00")));
    let never = Hours::new(zone(HELSINKI), weekdays(""), None, BTreeMap::new());
    assert_eq!(never.next_open(at("2026-12-25 03:00")), None);
}

#[test]
fn spans_as_they_are_written() {
    let table: [(&str, Option<&str>); 13] = [
        ("08:00-16:00", Some("08:00-16:00")),
        ("08:00 - 16:00", Some("08:00-16:00")),
        ("22:00-06:00", Some("22:00-06:00")),
        ("00:00-24:00", Some("00:00-24:00")),
        ("16:00-00:00", Some("16:00-24:00")),
        ("08:00-08:00", None),
        ("24:00-08:00", None),
        ("8-16", None),
        ("8:00-16:00", None),
        ("08:00", None),
        ("08:60-16:00", None),
        ("08:00-25:00", None),
        ("+8:00-16:00", None),
    ];
    for (text, expected) in table {
        assert_eq!(Span::parse(text).ok().map(|span| span.to_string()).as_deref(), expected, "{text}");
    }
}

/// Ten minutes for answers on the chat, two hours for others, eight for the solution; warned at three quarters.
fn promised() -> Targets {
    Targets {
        first_answer: Some(minutes(120)),
        next_answer: Some(minutes(120)),
        next_on: BTreeMap::from([("chat".to_owned(), Some(minutes(10)))]),
        solution: Some(minutes(480)),
        warn_percent: 75,
    }
}

/// `03-26 09:00 asked, 03-26 09:30 answered`, all in 2026, on the mail unless another channel is named.
fn history(text: &str) -> Vec<Happening> {
    let happening = |text: &str| {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [day, time, what, rest @ ..] = words.as_slice() else { panic!("{text}: no happening") };
        let what = match *what {
            "asked" => Happened::Asked,
            "answered" => Happened::Answered,
            "awaited" => Happened::Awaited,
            "resumed" => Happened::Resumed,
            "closed" => Happened::Closed,
            "reopened" => Happened::Reopened,
            other => panic!("{other} never happens"),
        };
        let said = matches!(what, Happened::Asked | Happened::Answered);
        let channel = said.then(|| rest.first().copied().unwrap_or("mail").to_owned());
        Happening { at: at(&format!("2026-{day} {time}")), what, channel }
    };
    text.split(", ").map(happening).collect()
}

/// `first 1 met 30 of 120 due 03-26 11:00`: each clock in its state at a time, with what it took.
fn told(happenings: &[Happening], now: &str) -> String {
    let clocks = clocks(happenings, &promised(), &office(&[]));
    let one = |clock: &Clock| {
        let kind = match clock.kind {
            ClockKind::FirstAnswer => "first".to_owned(),
            ClockKind::NextAnswer => format!("next{}", clock.round),
            ClockKind::Solution => "solution".to_owned(),
        };
        let state = clock.state(at(&format!("2026-{now}")));
        let worked = clock.worked.map_or(String::new(), |worked| format!(" {}m", worked.as_secs() / 60));
        let due = clock.due_at.map_or(String::new(), |due| format!(" due {}", &shown(Some(due))[5..]));
        format!("{kind} {}{worked}{due}", state.as_str())
    };
    clocks.iter().map(one).collect::<Vec<_>>().join("; ")
}

#[test]
fn the_clocks_of_a_ticket() {
    let table: [(&str, &str, &str, &str); 24] = [
        (
            "asked, and waits",
            "03-26 09:00 asked",
            "03-26 09:30",
            "first running due 03-26 11:00; solution running due 03-27 09:00",
        ),
        (
            "answered in time",
            "03-26 09:00 asked, 03-26 09:30 answered",
            "03-26 09:30",
            "first met 30m due 03-26 11:00; solution running due 03-27 09:00",
        ),
        (
            "answered at the last instant",
            "03-26 09:00 asked, 03-26 11:00 answered",
            "03-26 12:00",
            "first met 120m due 03-26 11:00; solution running due 03-27 09:00",
        ),
        (
            "answered too late",
            "03-26 09:00 asked, 03-26 11:01 answered",
            "03-26 12:00",
            "first breached 121m due 03-26 11:00; solution running due 03-27 09:00",
        ),
        (
            "not answered in time",
            "03-26 09:00 asked",
            "03-26 11:00",
            "first breached due 03-26 11:00; solution running due 03-27 09:00",
        ),
        (
            "a deadline at closing time",
            "03-26 14:00 asked",
            "03-26 16:00",
            "first breached due 03-26 16:00; solution running due 03-27 14:00",
        ),
        (
            "answered in the evening after it",
            "03-26 14:00 asked, 03-26 18:00 answered",
            "03-26 18:00",
            "first breached 120m due 03-26 16:00; solution running due 03-27 14:00",
        ),
        (
            "Friday's late question is due on Monday",
            "03-27 15:50 asked",
            "03-28 12:00",
            "first running due 03-30 09:50; solution running due 03-30 15:50",
        ),
        (
            "closed without an answer",
            "03-26 09:00 asked, 03-26 10:00 closed",
            "03-26 12:00",
            "first met 60m due 03-26 11:00; solution met 60m due 03-27 09:00",
        ),
        (
            "the desk spoke first",
            "03-26 09:00 answered, 03-26 10:00 asked",
            "03-26 10:00",
            "next1 running due 03-26 12:00; solution running due 03-27 10:00",
        ),
        ("only the desk spoke", "03-26 09:00 answered, 03-26 10:00 closed", "03-26 12:00", ""),
        (
            "questions in a row are one round",
            "03-26 09:00 asked, 03-26 09:10 answered, 03-26 10:00 asked, 03-26 10:30 asked, 03-26 11:00 answered, 03-26 12:00 asked",
            "03-26 12:30",
            "first met 10m due 03-26 11:00; next1 met 60m due 03-26 12:00; next2 running due 03-26 14:00; solution running due 03-27 09:00",
        ),
        (
            "a chat on a mail's ticket",
            "03-26 09:00 asked, 03-26 09:10 answered, 03-26 10:00 asked chat, 03-26 10:05 asked",
            "03-26 10:05",
            "first met 10m due 03-26 11:00; next1 running due 03-26 10:10; solution running due 03-27 09:00",
        ),
        (
            "waiting for the customer",
            "03-26 09:00 asked, 03-26 10:00 answered, 03-26 10:00 awaited",
            "03-31 12:00",
            "first met 60m due 03-26 11:00; solution paused 60m",
        ),
        (
            "he comes back",
            "03-26 09:00 asked, 03-26 10:00 answered, 03-26 10:00 awaited, 03-31 12:00 asked",
            "03-31 12:00",
            "first met 60m due 03-26 11:00; next1 running due 03-31 14:00; solution running due 04-01 11:00",
        ),
        (
            "the desk waits no longer, and closes",
            "03-26 09:00 asked, 03-26 10:00 answered, 03-26 10:00 awaited, 03-30 08:00 resumed, 03-30 09:00 closed",
            "03-31 12:00",
            "first met 60m due 03-26 11:00; solution met 120m due 03-30 15:00",
        ),
        (
            "closed while waiting for him",
            "03-26 09:00 asked, 03-26 10:00 answered, 03-26 10:00 awaited, 03-31 12:00 closed",
            "03-31 12:00",
            "first met 60m due 03-26 11:00; solution met 60m due 04-01 11:00",
        ),
        (
            "waited for after it was late already",
            "03-26 09:00 asked, 03-27 10:00 answered, 03-27 10:00 awaited",
            "03-31 12:00",
            "first breached 540m due 03-26 11:00; solution breached 540m due 03-27 09:00",
        ),
        (
            "who waits without having answered owes the answer",
            "03-26 09:00 asked, 03-26 09:30 awaited",
            "03-26 10:00",
            "first running due 03-26 11:00; solution paused 30m",
        ),
        (
            "reopened by an agent: the time between does not count",
            "03-26 09:00 asked, 03-26 10:00 answered, 03-26 10:00 closed, 03-31 10:00 reopened",
            "03-31 10:00",
            "first met 60m due 03-26 11:00; solution running due 04-01 09:00",
        ),
        (
            "asked again on a closed ticket",
            "03-26 09:00 asked, 03-26 10:00 answered, 03-26 10:00 closed, 03-31 10:00 asked, 03-31 11:00 answered, 03-31 11:00 closed",
            "03-31 12:00",
            "first met 60m due 03-26 11:00; next1 met 60m due 03-31 12:00; solution met 120m due 04-01 09:00",
        ),
        (
            "an answered call",
            "03-26 09:00 asked phone, 03-26 09:00 answered phone, 03-26 09:05 closed",
            "03-26 12:00",
            "first met 0m due 03-26 11:00; solution met 5m due 03-27 09:00",
        ),
        (
            "what is so already",
            "03-26 09:00 asked, 03-26 09:10 reopened, 03-26 09:20 resumed, 03-26 09:30 closed, 03-26 10:00 closed, 03-26 11:00 awaited",
            "03-26 12:00",
            "first met 30m due 03-26 11:00; solution met 30m due 03-27 09:00",
        ),
        (
            "over Easter",
            "04-02 15:50 asked",
            "04-07 08:00",
            "first running due 04-07 09:50; solution running due 04-07 15:50",
        ),
    ];
    for (what, happenings, now, expected) in table {
        assert_eq!(told(&history(happenings), now), expected, "{what}");
    }
}

/// The ticket of a mail and that of the call about it, joined: the same clocks as if all had been on one ticket.
#[test]
fn joined_tickets_and_late_messages() {
    let mail = history("03-26 09:00 asked, 03-26 12:00 answered, 03-26 12:00 awaited");
    let call = history("03-26 10:00 asked phone, 03-26 10:05 answered phone, 03-26 13:00 asked phone");
    let joined: Vec<Happening> = mail.iter().chain(&call).cloned().collect();
    let expected = "first met 65m due 03-26 11:00; next1 running due 03-26 15:00; solution running due 03-27 10:00";
    assert_eq!(told(&joined, "03-26 14:00"), expected, "the call answered the mail");
    assert_eq!(told(&mail, "03-26 14:00"), "first breached 180m due 03-26 11:00; solution paused 180m", "apart again");

    let reversed: Vec<Happening> = joined.iter().rev().cloned().collect();
    assert_eq!(told(&reversed, "03-26 14:00"), expected, "whatever is read first");

    let closed = history("03-26 09:00 asked, 03-26 09:30 answered, 03-26 10:00 closed");
    let open = history("03-26 09:40 asked");
    let merged = history("03-26 11:00 reopened");
    let joined: Vec<Happening> = closed.iter().chain(&open).chain(&merged).cloned().collect();
    let expected = "first met 30m due 03-26 11:00; next1 met 20m due 03-26 11:40; solution running due 03-27 10:00";
    assert_eq!(told(&joined, "03-26 11:00"), expected, "a closed ticket joined into an open one");
}

#[test]
fn what_is_not_promised_has_no_clock() {
    let happenings = history("03-26 09:00 asked, 03-26 09:10 answered, 03-26 09:20 asked, 03-26 09:30 asked chat");
    let none = Targets::default();
    assert_eq!(clocks(&happenings, &none, &office(&[])), []);
    let silent = Targets { warn_percent: 100, ..promised() };
    assert!(clocks(&happenings, &silent, &office(&[])).iter().all(|clock| clock.warn_at.is_none()));
    let chats = Targets { next_answer: None, first_answer: None, solution: None, ..promised() };
    let on_chat = history("03-26 09:00 asked, 03-26 09:10 answered, 03-26 09:20 asked chat");
    let kinds: Vec<ClockKind> = clocks(&on_chat, &chats, &office(&[])).iter().map(|clock| clock.kind).collect();
    assert_eq!(kinds, [ClockKind::NextAnswer], "chats alone");
    let warned = clocks(&history("03-27 15:00 asked"), &promised(), &office(&[]));
    assert_eq!(shown(warned[0].warn_at), "2026-03-30 08:30", "90 of 120 minutes");
}

#[test]
fn what_tools_are_told_of_a_clock() {
    let ticket = TicketId(uuid::Uuid::from_u128(9));
    let running = clocks(&history("03-27 15:00 asked"), &promised(), &office(&[])).remove(0);
    let told = of_clock(Change::ClockWarned, ticket, &running);
    assert_eq!((told.change, told.ticket), (Change::ClockWarned, ticket));
    let detail: serde_json::Value = serde_json::from_str(&told.detail.expect("particulars")).expect("JSON");
    let expected = serde_json::json!({
        "clock": "first_answer", "round": 1, "due_at": "2026-03-30T06:00:00Z", "target_s": 7200,
    });
    assert_eq!(detail, expected);
    for change in [Change::ClockWarned, Change::ClockBreached] {
        assert_eq!(Change::parse(change.as_str()), Some(change));
    }
}
