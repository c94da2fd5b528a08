//! Clocks against a count of minutes: each minute of a calendar is looked at by itself, and each clock moved by it.
//!
//! Nothing here knows of spans that are added up, of offsets or of rules of holidays: what a wall clock shows is asked
//! for each minute, and the holidays are a list.

use super::zone;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use lanka::pure::decide::clock::clocks;
use lanka::pure::domain::Timestamp;
use lanka::pure::domain::clock::{Clock, ClockKind, Happened, Happening, Targets};
use lanka::pure::domain::holiday::Country;
use lanka::pure::domain::hours::{Hours, Span};
use std::collections::BTreeMap;
use std::time::Duration;

const ZONES: [&str; 6] =
    ["Europe/Helsinki", "Europe/Stockholm", "Europe/Tallinn", "UTC", "America/New_York", "Asia/Kathmandu"];

/// Where the windows begin: before DST days of Europe and America, Easter, juhannus, Christmas, leap day, and else.
const WINDOWS: [&str; 9] = [
    "2026-03-20",
    "2026-10-16",
    "2026-03-01",
    "2026-10-25",
    "2026-03-27",
    "2026-06-12",
    "2026-12-18",
    "2028-02-20",
    "2026-08-03",
];

/// Finnish holidays within the windows, out of the almanac.
const HOLIDAYS: [&str; 14] = [
    "2026-04-03",
    "2026-04-05",
    "2026-04-06",
    "2026-05-01",
    "2026-06-19",
    "2026-06-20",
    "2026-10-31",
    "2026-12-06",
    "2026-12-24",
    "2026-12-25",
    "2026-12-26",
    "2027-01-01",
    "2027-01-06",
    "2026-05-14",
];

const WINDOW_MIN: i64 = 24 * 24 * 60;
const HISTORIES: usize = 10_000;

/// Numbers that are the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: i64) -> i64 {
        i64::try_from(self.next() % u64::try_from(end).expect("some")).expect("small")
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(i64::try_from(of.len()).expect("few"))).expect("small")]
    }
}

/// What the wall clock shows in each minute of a window: the date and the minutes after midnight.
fn wall(zone: &TimeZone, from: Timestamp) -> Vec<(Date, i64)> {
    let shown = |minute: i64| {
        let shown = zone.to_datetime(instant(from, minute));
        (shown.date(), i64::from(shown.hour()) * 60 + i64::from(shown.minute()))
    };
    (0..WINDOW_MIN).map(shown).collect()
}

fn instant(from: Timestamp, minute: i64) -> Timestamp {
    Timestamp::from_second(from.as_second() + minute * 60).expect("a time")
}

/// A calendar as a table: from and to minutes after midnight; to is less where it goes over midnight.
#[derive(Clone, Debug)]
struct Table {
    week: [Vec<(i64, i64)>; 7],
    holidays: bool,
    dates: BTreeMap<Date, Vec<(i64, i64)>>,
}

impl Table {
    fn any(dice: &mut Dice, wall: &[(Date, i64)]) -> Self {
        let week = std::array::from_fn(|day| if day < 5 || dice.below(3) == 0 { some_spans(dice) } else { Vec::new() });
        let dates = (0..dice.below(4)).map(|_| (dice.one(wall).0, some_spans(dice))).collect();
        Self { week, holidays: dice.below(2) == 0, dates }
    }

    fn of(&self, date: Date) -> &[(i64, i64)] {
        let place = match date.weekday() {
            Weekday::Monday => 0,
            Weekday::Tuesday => 1,
            Weekday::Wednesday => 2,
            Weekday::Thursday => 3,
            Weekday::Friday => 4,
            Weekday::Saturday => 5,
            Weekday::Sunday => 6,
        };
        match self.dates.get(&date) {
            Some(spans) => spans,
            None if self.holidays && HOLIDAYS.contains(&date.to_string().as_str()) => &[],
            None => &self.week[place],
        }
    }

    fn is_open(&self, (date, minute): (Date, i64)) -> bool {
        let today = |(from, to): &(i64, i64)| *from <= minute && (to <= from || minute < *to);
        let overnight = |(from, to): &(i64, i64)| to < from && minute < *to;
        self.of(date).iter().any(today) || self.of(date.yesterday().expect("a date")).iter().any(overnight)
    }

    fn hours(&self, zone: &TimeZone) -> Hours {
        let text = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
        let span = |(from, to): &(i64, i64)| Span::parse(&format!("{}-{}", text(*from), text(*to))).expect("a span");
        let spans = |list: &Vec<(i64, i64)>| list.iter().map(span).collect::<Vec<_>>();
        let dates = self.dates.iter().map(|(date, list)| (*date, spans(list))).collect();
        let country = self.holidays.then_some(Country::Finland);
        Hours::new(zone.clone(), self.week.each_ref().map(spans), country, dates)
    }
}

/// None, one or several, some over midnight, some overlapping.
fn some_spans(dice: &mut Dice) -> Vec<(i64, i64)> {
    match dice.below(8) {
        0 => Vec::new(),
        1 => vec![(0, 24 * 60)],
        2 => vec![(22 * 60, 6 * 60)],
        3 => vec![(8 * 60, 11 * 60 + 30), (12 * 60, 16 * 60)],
        4 | 5 => vec![(8 * 60, 16 * 60)],
        _ => (0..=dice.below(3))
            .map(|_| (dice.below(24 * 60), dice.below(24 * 60 + 1)))
            .filter(|(from, to)| from != to)
            .collect(),
    }
}

const HAPPENED: [Happened; 6] =
    [Happened::Asked, Happened::Answered, Happened::Awaited, Happened::Resumed, Happened::Closed, Happened::Reopened];

/// What happens in which minute, the happenings of one minute in the order in which they count.
fn any_history(dice: &mut Dice) -> Vec<(i64, usize, bool)> {
    let mut minute = dice.below(6 * 24 * 60);
    let mut history = Vec::new();
    for _ in 0..=dice.below(14) {
        let kinds = [0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 4, 5];
        history.push((minute, dice.one(&kinds), dice.below(3) == 0));
        minute += match dice.below(4) {
            0 => 0,
            1 => dice.below(30),
            2 => dice.below(8 * 60),
            _ => dice.below(24 * 60),
        };
    }
    history.sort_unstable();
    history
}

/// A clock that minutes are counted on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Counted {
    kind: ClockKind,
    round: i32,
    started: i64,
    target: i64,
    warns: Option<i64>,
    worked: i64,
    runs: bool,
    paused: Option<i64>,
    ended: Option<i64>,
    due: Option<i64>,
    warned: Option<i64>,
}

impl Counted {
    fn minute(&mut self, minute: i64) {
        self.worked += 1;
        if self.worked == self.target {
            self.due = Some(minute + 1);
        }
        if Some(self.worked) == self.warns {
            self.warned = Some(minute + 1);
        }
    }
}

/// Targets in minutes.
struct Goals {
    first: Option<i64>,
    next: Option<i64>,
    chat: Option<i64>,
    solution: Option<i64>,
    percent: i64,
}

/// Counts every minute of the window on every clock that runs in it.
fn count(history: &[(i64, usize, bool)], goals: &Goals, open: &[bool]) -> Vec<Counted> {
    let mut clocks: Vec<Counted> = Vec::new();
    let (mut spoken, mut closed, mut rounds, mut asked_ever) = (false, false, 0, false);
    // The place of the clocks that can still change, none where nothing is promised.
    let (mut answer, mut waiting, mut solution): (Option<usize>, bool, Option<usize>) = (None, false, None);
    let mut events = history.iter().peekable();
    for minute in 0..WINDOW_MIN {
        while let Some((_, what, chat)) = events.next_if(|event| event.0 == minute) {
            let mut begin = |kind, round, target: Option<i64>| {
                let target = target?;
                let warns = (goals.percent < 100).then_some(target * goals.percent / 100);
                let (runs, worked) = (true, 0);
                let (paused, ended, due, warned) = (None, None, None, None);
                clocks.push(Counted {
                    kind,
                    round,
                    started: minute,
                    target,
                    warns,
                    worked,
                    runs,
                    paused,
                    ended,
                    due,
                    warned,
                });
                Some(clocks.len() - 1)
            };
            match what {
                0 => {
                    if !waiting {
                        waiting = true;
                        answer = if spoken || asked_ever {
                            rounds += 1;
                            begin(ClockKind::NextAnswer, rounds, if *chat { goals.chat } else { goals.next })
                        } else {
                            begin(ClockKind::FirstAnswer, 1, goals.first)
                        };
                    }
                    if !asked_ever {
                        asked_ever = true;
                        solution = begin(ClockKind::Solution, 1, goals.solution);
                    }
                }
                1 => spoken = true,
                _ => {}
            }
            if (*what == 1 || *what == 4 && !closed) && waiting {
                waiting = false;
                if let Some(place) = answer.take() {
                    (clocks[place].runs, clocks[place].ended) = (false, Some(minute));
                }
            }
            if let Some(solution) = solution.map(|place| &mut clocks[place]) {
                let (runs, paused, ended) = match what {
                    0 => (true, None, None),
                    2 if !closed => (false, solution.paused.or(Some(minute)), None),
                    3 if !closed => (true, None, None),
                    4 if !closed => (false, None, Some(minute)),
                    5 if closed => (true, None, None),
                    _ => (solution.runs, solution.paused, solution.ended),
                };
                (solution.runs, solution.paused, solution.ended) = (runs, paused, ended);
            }
            closed = match what {
                0 | 5 => false,
                4 => true,
                _ => closed,
            };
        }
        if open[usize::try_from(minute).expect("a place")] {
            clocks.iter_mut().filter(|clock| clock.runs).for_each(|clock| clock.minute(minute));
        }
        let over = |clock: &Counted| !clock.runs || clock.due.is_some();
        if events.peek().is_none() && clocks.iter().all(over) {
            break;
        }
    }
    clocks.iter_mut().for_each(|clock| would_have_been(clock, open));
    clocks.sort_by_key(|clock| (clock.kind, clock.round));
    clocks
}

/// What ended in time would have been late, had it not.
fn would_have_been(clock: &mut Counted, open: &[bool]) {
    let Some(ended) = clock.ended else { return };
    let worked = clock.worked;
    for minute in ended..WINDOW_MIN {
        if clock.due.is_some() {
            break;
        }
        if open[usize::try_from(minute).expect("a place")] {
            clock.minute(minute);
        }
    }
    clock.worked = worked;
}

/// Whether two times are one, or both beyond what was counted.
fn same(found: Option<Timestamp>, counted: Option<i64>, from: Timestamp, paused: bool) -> bool {
    match (found, counted) {
        (found, Some(minute)) => found == Some(instant(from, minute)),
        (Some(found), None) => !paused && found > instant(from, WINDOW_MIN),
        // A calendar without an hour in it.
        (None, None) => true,
    }
}

fn agree(clock: &Clock, counted: &Counted, from: Timestamp) -> bool {
    let minutes = |length: Duration| i64::try_from(length.as_secs() / 60).expect("few");
    let time = |minute: Option<i64>| minute.map(|minute| instant(from, minute));
    (clock.kind, clock.round) == (counted.kind, counted.round)
        && clock.started_at == instant(from, counted.started)
        && minutes(clock.target) == counted.target
        && clock.worked.map(minutes) == (!counted.runs).then_some(counted.worked)
        && clock.paused_since == time(counted.paused)
        && clock.ended_at == time(counted.ended)
        && same(clock.due_at, counted.due, from, counted.paused.is_some())
        && (counted.warns.is_none() && clock.warn_at.is_none()
            || counted.warns.is_some() && same(clock.warn_at, counted.warned, from, counted.paused.is_some()))
}

/// Multiples of 20 minutes, so that their shares are whole minutes.
fn any_goals(dice: &mut Dice) -> Goals {
    let mut goal = |most: i64| (dice.below(8) > 0).then(|| 20 * (1 + dice.below(most)));
    let (first, next, chat, solution) = (goal(30), goal(30), goal(6), goal(120));
    Goals { first, next, chat, solution, percent: dice.one(&[25, 50, 75, 75, 100]) }
}

/// The times that the calendar itself tells, against the minutes.
fn check_hours(dice: &mut Dice, hours: &Hours, open: &[bool], from: Timestamp, place: &str) {
    for _ in 0..20 {
        let (a, b) = (dice.below(WINDOW_MIN), dice.below(WINDOW_MIN));
        let minutes = |a: i64, b: i64| (a..b).filter(|minute| open[usize::try_from(*minute).expect("a place")]).count();
        let worked = u64::try_from(minutes(a, b)).expect("few") * 60;
        assert_eq!(hours.worked(instant(from, a), instant(from, b)).as_secs(), worked, "{place}: {a} to {b}");
        assert_eq!(hours.is_open(instant(from, a)), open[usize::try_from(a).expect("a place")], "{place}: {a}");
        let next = (a..WINDOW_MIN).find(|minute| open[usize::try_from(*minute).expect("a place")]);
        assert!(
            same(hours.next_open(instant(from, a)).map(|at| at.max(instant(from, a))), next, from, false)
                || next.is_none(),
            "{place}: after {a}"
        );
    }
}

#[test]
fn ten_thousand_histories_minute_by_minute() {
    let mut dice = Dice(33);
    let (mut seen, mut clocks_seen, mut ended, mut breached, mut paused) = (0, 0, 0, 0, 0);
    let places: Vec<(&str, &str)> =
        ZONES.iter().flat_map(|zone| WINDOWS.iter().map(move |from| (*zone, *from))).collect();
    let per_place = HISTORIES.div_ceil(places.len() * 4);
    for (name, from) in places {
        let zone = zone(name);
        let from: Timestamp = format!("{from}T00:00:00Z").parse().expect("a time");
        let wall = wall(&zone, from);
        for _ in 0..4 {
            let table = Table::any(&mut dice, &wall);
            let open: Vec<bool> = wall.iter().map(|shown| table.is_open(*shown)).collect();
            let hours = table.hours(&zone);
            check_hours(&mut dice, &hours, &open, from, &format!("{name} {from} {table:?}"));
            for _ in 0..per_place {
                let (history, goals) = (any_history(&mut dice), any_goals(&mut dice));
                let counted = count(&history, &goals, &open);
                let found = found(&history, &goals, &hours, from, &mut dice);
                let all = found.len() == counted.len() && found.iter().zip(&counted).all(|(a, b)| agree(a, b, from));
                assert!(all, "{name} {from} {table:?}\n{history:?}\nfound {found:#?}\ncounted {counted:#?}");
                seen += 1;
                clocks_seen += found.len();
                ended += found.iter().filter(|clock| clock.ended_at.is_some()).count();
                paused += found.iter().filter(|clock| clock.paused_since.is_some()).count();
                breached += counted
                    .iter()
                    .filter(|clock| clock.due.is_some_and(|due| clock.ended.is_none_or(|e| due < e)))
                    .count();
            }
        }
    }
    // What is compared is worth it.
    assert!(seen >= HISTORIES && clocks_seen > 2 * seen, "{seen} histories, {clocks_seen} clocks");
    for (what, count) in [("ended", ended), ("breached", breached), ("paused", paused)] {
        assert!(count > 500, "{count} clocks {what}");
    }
}

/// The clocks as lanka has them, the happenings read in any order.
fn found(history: &[(i64, usize, bool)], goals: &Goals, hours: &Hours, from: Timestamp, dice: &mut Dice) -> Vec<Clock> {
    let target = |minutes: Option<i64>| Some(Duration::from_secs(u64::try_from(minutes? * 60).expect("positive")));
    let targets = Targets {
        first_answer: target(goals.first),
        next_answer: target(goals.next),
        next_on: BTreeMap::from([("z-chat".to_owned(), target(goals.chat))]),
        solution: target(goals.solution),
        warn_percent: u8::try_from(goals.percent).expect("a share"),
    };
    let happening = |(minute, what, chat): &(i64, usize, bool)| Happening {
        at: instant(from, *minute),
        what: HAPPENED[*what],
        channel: Some(if *chat { "z-chat" } else { "mail" }.to_owned()),
    };
    let mut happenings: Vec<Happening> = history.iter().map(happening).collect();
    for place in (1..happenings.len()).rev() {
        let other = dice.below(i64::try_from(place + 1).expect("few"));
        happenings.swap(place, usize::try_from(other).expect("a place"));
    }
    clocks(&happenings, &targets, hours)
}
