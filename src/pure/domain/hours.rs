//! Service hours: a calendar by which the time is counted in which a desk is there.
//!
//! **What is counted.** An instant is service time if the clock on the desk's wall shows a time within a span of the
//! calendar. So real, elapsed time is counted also where the wall clock is put forward or back: a span of 00:00 to
//! 08:00 is seven hours long on the spring day and nine on the autumn day, and a span of 03:30 to 05:00 on the spring
//! day of Helsinki, when 03:00 is followed by 04:00, is one hour.
//!
//! **Which spans a date has.** Those written for the date itself, else none if it is a holiday, else those of its
//! weekday. A span that goes over midnight belongs to the date it begins on: the night shift of Thursday is worked to
//! its end although Friday is a holiday, and begins on no holiday. Where spans of two dates overlap (a night shift
//! and an early exception) the time is counted once.
//!
//! Between two changes of the wall clock, time is counted in whole spans; nothing steps through minutes.
//!
//! **Invariant:** nothing is counted further than ten years from where it begins, so that a calendar which never opens
//! is found out.

use super::Timestamp;
use super::holiday::Country;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{ControlFlow, Range};
use std::time::Duration;

/// Minutes of a day of the wall clock.
const DAY_MIN: u16 = 24 * 60;
const MINUTE_NS: i128 = 60 * 1_000_000_000;
const DAY_NS: i128 = DAY_MIN as i128 * MINUTE_NS;
/// How far from its beginning time is counted.
const HORIZON_NS: i128 = 3_653 * DAY_NS;

/// A calendar of service hours.
#[derive(Debug, Clone, PartialEq)]
pub struct Hours {
    /// The zone of the wall clock.
    zone: TimeZone,
    /// Spans by weekday, Monday first; `None` is always open.
    week: Option<Week>,
    /// Whose holidays are closed.
    holidays: Option<Country>,
    /// Dates with spans of their own; none is closed.
    dates: BTreeMap<Date, Vec<Span>>,
}

/// Spans by weekday, Monday first.
pub type Week = [Vec<Span>; 7];

/// From one time of the wall clock to another, on the same date or over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Minutes after midnight.
    opens: u16,
    /// Minutes after the same midnight: more than a day's, where it goes over the next.
    closes: u16,
}

impl Span {
    /// Reads `08:00-16:00`, `22:00-06:00` (over midnight) and `00:00-24:00`.
    ///
    /// # Errors
    /// A sentence that says what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        let refuse =
            || format!("\"{text}\" is not a span of time: write \"08:00-16:00\", or \"22:00-06:00\" over midnight");
        let (opens, closes) = text.split_once('-').ok_or_else(refuse)?;
        let (opens, closes) = (minutes(opens.trim()), minutes(closes.trim()));
        let (Some(opens), Some(closes)) = (opens.filter(|opens| *opens < DAY_MIN), closes) else {
            return Err(refuse());
        };
        if opens == closes {
            return Err(format!(
                "\"{text}\" ends where it begins: write \"00:00-24:00\" for the whole day, [] for a closed one"
            ));
        }
        Ok(Self { opens, closes: if closes > opens { closes } else { closes + DAY_MIN } })
    }

    /// Whether some time of the wall clock is in both, the other one a number of days later.
    fn meets(self, other: Self, days_later: u16) -> bool {
        let shift = days_later * DAY_MIN;
        self.opens < other.closes + shift && other.opens + shift < self.closes
    }
}

/// `08:00` in minutes after midnight, up to `24:00`.
fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (hour, minute): (u16, u16) =
        (digits(hour) && digits(minute)).then(|| Some((hour.parse().ok()?, minute.parse().ok()?)))??;
    Some(hour * 60 + minute).filter(|all| minute < 60 && *all <= DAY_MIN)
}

/// `08:00-16:00`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closes = if self.closes > DAY_MIN { self.closes - DAY_MIN } else { self.closes };
        write!(f, "{:02}:{:02}-{:02}:{:02}", self.opens / 60, self.opens % 60, closes / 60, closes % 60)
    }
}

/// The first two spans of one date that overlap, by their place.
pub fn overlap(spans: &[Span]) -> Option<(usize, usize)> {
    let later = |at: usize| (at + 1..spans.len()).map(move |other| (at, other));
    (0..spans.len()).flat_map(later).find(|(at, other)| spans[*at].meets(spans[*other], 0))
}

/// The first span of one date that the night before runs into, by its place; and by the place of that night's.
pub fn overlap_overnight(before: &[Span], spans: &[Span]) -> Option<(usize, usize)> {
    let places = (0..before.len()).flat_map(|night| (0..spans.len()).map(move |at| (night, at)));
    places.into_iter().find(|(night, at)| before[*night].meets(spans[*at], 1))
}

impl Hours {
    /// A calendar of the week, without the holidays of a country, and with dates that have spans of their own.
    pub fn new(zone: TimeZone, week: Week, holidays: Option<Country>, dates: BTreeMap<Date, Vec<Span>>) -> Self {
        let sorted = |mut spans: Vec<Span>| {
            spans.sort_unstable();
            spans
        };
        let dates = dates.into_iter().map(|(date, spans)| (date, sorted(spans))).collect();
        Self { zone, week: Some(week.map(sorted)), holidays, dates }
    }

    /// Day and night, holidays included.
    pub fn always(zone: TimeZone) -> Self {
        Self { zone, week: None, holidays: None, dates: BTreeMap::new() }
    }

    /// Whether it never closes.
    pub fn is_always(&self) -> bool {
        self.week.is_none()
    }

    /// The zone of the wall clock, in which people are told of times.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The service time between two instants; none where the second is not later.
    pub fn worked(&self, from: Timestamp, to: Timestamp) -> Duration {
        let to = to.as_nanosecond();
        let mut worked = 0;
        self.stretches(from, |open| {
            worked += (open.end.min(to) - open.start).max(0);
            if open.end >= to { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        Duration::from_nanos(u64::try_from(worked).unwrap_or(u64::MAX))
    }

    /// The first instant at which so much service time has passed; `None` if that is not within ten years.
    pub fn after(&self, start: Timestamp, worked: Duration) -> Option<Timestamp> {
        if worked.is_zero() {
            return Some(start);
        }
        let mut left = i128::try_from(worked.as_nanos()).ok()?;
        let end = self.stretches(start, |open| {
            let length = open.end - open.start;
            if left <= length {
                return ControlFlow::Break(open.start + left);
            }
            left -= length;
            ControlFlow::Continue(())
        });
        Timestamp::from_nanosecond(end?).ok()
    }

    /// Whether the desk is there.
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.next_open(at) == Some(at)
    }

    /// The first instant from one on at which the desk is there; `None` if that is not within ten years.
    pub fn next_open(&self, at: Timestamp) -> Option<Timestamp> {
        let start = self.stretches(at, |open| ControlFlow::Break(open.start))?;
        Timestamp::from_nanosecond(start).ok()
    }

    /// Visits the stretches of service time from an instant on, in order, in nanoseconds of the epoch: between two
    /// changes of the wall clock, time is the wall clock's less its offset. What the visitor breaks with, if it does.
    fn stretches<T>(&self, from: Timestamp, mut visit: impl FnMut(Range<i128>) -> ControlFlow<T>) -> Option<T> {
        let mut at = from.as_nanosecond();
        let horizon = at + HORIZON_NS;
        let Some(week) = &self.week else { return visit(at..horizon).break_value() };
        while at < horizon {
            let instant = Timestamp::from_nanosecond(at).ok()?;
            let offset = self.zone.to_offset(instant);
            let shift = i128::from(offset.seconds()) * 1_000_000_000;
            let change = self.zone.following(instant).next();
            let until = change.map_or(horizon, |change| change.timestamp().as_nanosecond().min(horizon));
            let shown = at + shift..until + shift;
            let broken = self.shown(week, offset.to_datetime(instant).date(), shown, |open| {
                visit(open.start - shift..open.end - shift)
            });
            if broken.is_some() {
                return broken;
            }
            at = until;
        }
        None
    }

    /// Visits the open stretches within a stretch of the wall clock that runs evenly, given the date on which it begins.
    fn shown<T>(
        &self,
        week: &Week,
        first: Date,
        shown: Range<i128>,
        mut visit: impl FnMut(Range<i128>) -> ControlFlow<T>,
    ) -> Option<T> {
        let mut holidays = Holidays { country: self.holidays, year: None, days: Vec::new() };
        let mut counted = shown.start;
        // A span of the day before may reach into the first.
        let mut midnight = shown.start - shown.start.rem_euclid(DAY_NS) - DAY_NS;
        let mut date = first.yesterday().ok()?;
        while midnight < shown.end {
            for span in self.spans(week, date, &mut holidays) {
                let opens = (midnight + i128::from(span.opens) * MINUTE_NS).max(counted);
                let closes = (midnight + i128::from(span.closes) * MINUTE_NS).min(shown.end);
                if opens < closes {
                    counted = closes;
                    if let ControlFlow::Break(found) = visit(opens..closes) {
                        return Some(found);
                    }
                }
            }
            midnight += DAY_NS;
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// The spans that begin on a date.
    fn spans<'a>(&'a self, week: &'a Week, date: Date, holidays: &mut Holidays) -> &'a [Span] {
        if let Some(own) = self.dates.get(&date) {
            return own;
        }
        match holidays.has(date) {
            true => &[],
            false => &week[place(date.weekday())],
        }
    }
}

/// The place of a weekday in a [`Week`].
fn place(weekday: Weekday) -> usize {
    usize::try_from(weekday.to_monday_zero_offset()).unwrap_or_default()
}

/// The holidays of the year that was asked about last.
struct Holidays {
    country: Option<Country>,
    year: Option<i16>,
    days: Vec<Date>,
}

impl Holidays {
    fn has(&mut self, date: Date) -> bool {
        let Some(country) = self.country else { return false };
        if self.year != Some(date.year()) {
            self.year = Some(date.year());
            self.days = country.holidays(date.year());
        }
        self.days.contains(&date)
    }
}
