//! Periods that reports are made of: whole days of a time zone.

use super::Timestamp;
use jiff::civil::{Date, ISOWeekDate, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use std::fmt;

/// Days of the longest period.
const DAYS_MAX: i32 = 3 * 366;

/// A calendar's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// From midnight to midnight.
    Day,
    /// From Monday on (ISO 8601).
    Week,
    /// Of the year.
    Month,
    /// Three months of the year, the first from January on.
    Quarter,
    /// From January on.
    Year,
}

impl Unit {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Day, Self::Week, Self::Month, Self::Quarter, Self::Year];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// The unit of a stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.as_str() == word)
    }

    /// The one that holds a day.
    pub fn holding(self, day: Date) -> Period {
        let first = match self {
            Self::Day => day,
            Self::Week => day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days()),
            Self::Month => day.first_of_month(),
            Self::Quarter => day.first_of_month().saturating_sub(Span::new().months(i64::from((day.month() - 1) % 3))),
            Self::Year => day.first_of_year(),
        };
        Period { first, end: first.saturating_add(self.span()) }
    }

    fn span(self) -> Span {
        match self {
            Self::Day => 1.day(),
            Self::Week => 1.week(),
            Self::Month => 1.month(),
            Self::Quarter => 3.months(),
            Self::Year => 1.year(),
        }
    }
}

/// Some whole days in a row, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    /// The first.
    pub first: Date,
    /// The one after the last.
    pub end: Date,
}

impl Period {
    /// A period as people write it: `2026`, `2026-Q3`, `2026-10`, `2026-W41`, `2026-10-05`, two days with `..` between them
    /// (the last is part of it), or `this-` and `last-` before the name of a unit.
    ///
    /// # Errors
    /// What would be right, for people.
    pub fn parse(text: &str, today: Date) -> Result<Self, String> {
        let wrong = || {
            format!(
                "\"{text}\" is no period: write 2026, 2026-Q3, 2026-10, 2026-W41, 2026-10-05, 2026-10-05..2026-10-11, \
                 or this-month, last-month (or week, quarter, year, day)"
            )
        };
        let period = match text.split_once("..") {
            Some((first, last)) => {
                let (first, last) = (day(first).ok_or_else(wrong)?, day(last).ok_or_else(wrong)?);
                Self { first, end: last.tomorrow().map_err(|_| wrong())? }
            }
            None => named(text, today).ok_or_else(wrong)?,
        };
        match period.days() {
            ..1 => Err(format!("\"{text}\" ends before it begins")),
            1..=DAYS_MAX => Ok(period),
            _ => Err(format!("\"{text}\" is longer than three years")),
        }
    }

    /// How many days it has.
    pub fn days(&self) -> i32 {
        self.first.until(self.end).map_or(0, |span| span.get_days())
    }

    /// The one of as many days, or months, before it.
    pub fn before(&self) -> Self {
        let by_month = self.first.day() == 1 && self.end.day() == 1;
        let months = i32::from(self.end.year() - self.first.year()) * 12 + i32::from(self.end.month())
            - i32::from(self.first.month());
        let span = if by_month { Span::new().months(months) } else { Span::new().days(self.days()) };
        Self { first: self.first.saturating_sub(span), end: self.first }
    }

    /// From its first instant to the one after its last, in a time zone.
    pub fn instants(&self, zone: &TimeZone) -> (Timestamp, Timestamp) {
        let midnight = |day: Date| {
            zone.to_ambiguous_zoned(day.at(0, 0, 0, 0)).compatible().map_or(Timestamp::MAX, |zoned| zoned.timestamp())
        };
        (midnight(self.first), midnight(self.end))
    }

    /// Its last day.
    pub fn last(&self) -> Date {
        self.end.yesterday().unwrap_or(self.end)
    }
}

/// As it is written: the shortest form that says it.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = Unit::ALL.into_iter().find(|unit| unit.holding(self.first) == *self);
        let first = self.first;
        match unit {
            Some(Unit::Day) => write!(f, "{first}"),
            Some(Unit::Week) => {
                let week = first.iso_week_date();
                write!(f, "{:04}-W{:02}", week.year(), week.week())
            }
            Some(Unit::Month) => write!(f, "{:04}-{:02}", first.year(), first.month()),
            Some(Unit::Quarter) => write!(f, "{:04}-Q{}", first.year(), (first.month() - 1) / 3 + 1),
            Some(Unit::Year) => write!(f, "{:04}", first.year()),
            None => write!(f, "{first}..{}", self.last()),
        }
    }
}

fn day(text: &str) -> Option<Date> {
    let is_date = text.len() == 10
        && text.bytes().enumerate().all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
    is_date.then(|| text.parse().ok()).flatten()
}

fn named(text: &str, today: Date) -> Option<Period> {
    if let Some(unit) = text.strip_prefix("this-") {
        return Some(Unit::parse(unit)?.holding(today));
    }
    if let Some(unit) = text.strip_prefix("last-") {
        return Some(Unit::parse(unit)?.holding(today).before());
    }
    if let Some(day) = day(text) {
        return Some(Unit::Day.holding(day));
    }
    let (year, rest) = text.split_once('-').unwrap_or((text, ""));
    let is_year = year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit());
    let year: i16 = year.parse().ok().filter(|_| is_year)?;
    let number = |digits: &str, count| {
        (digits.len() == count && digits.bytes().all(|b| b.is_ascii_digit()))
            .then(|| digits.parse::<i8>().ok())
            .flatten()
    };
    match rest.split_at_checked(1) {
        None => (text.len() == 4).then(|| Some(Unit::Year.holding(Date::new(year, 1, 1).ok()?)))?,
        Some(("Q", quarter)) => {
            let quarter = number(quarter, 1).filter(|quarter| (1..=4).contains(quarter))?;
            Some(Unit::Quarter.holding(Date::new(year, quarter * 3 - 2, 1).ok()?))
        }
        Some(("W", week)) => {
            let monday = ISOWeekDate::new(year, number(week, 2)?, Weekday::Monday).ok()?;
            Some(Unit::Week.holding(monday.date()))
        }
        Some(_) => Some(Unit::Month.holding(Date::new(year, number(rest, 2)?, 1).ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_as_people_write_them() {
        let today = jiff::civil::date(2026, 11, 24);
        let table = [
            ("2026", Some(("2026-01-01", "2026-12-31"))),
            ("2026-Q3", Some(("2026-07-01", "2026-09-30"))),
            ("2026-Q5", None),
            ("2026-02", Some(("2026-02-01", "2026-02-28"))),
            ("2026-13", None),
            ("2026-W01", Some(("2025-12-29", "2026-01-04"))),
            ("2026-W53", Some(("2026-12-28", "2027-01-03"))),
            ("2025-W53", None),
            ("2026-10-05", Some(("2026-10-05", "2026-10-05"))),
            ("2026-10-05..2026-10-11", Some(("2026-10-05", "2026-10-11"))),
            ("2026-10-11..2026-10-05", None),
            ("2020-01-01..2026-10-05", None),
            ("2026-02-30", None),
            ("this-month", Some(("2026-11-01", "2026-11-30"))),
            ("last-month", Some(("2026-10-01", "2026-10-31"))),
            ("last-week", Some(("2026-11-16", "2026-11-22"))),
            ("last-quarter", Some(("2026-07-01", "2026-09-30"))),
            ("last-day", Some(("2026-11-23", "2026-11-23"))),
            ("last-year", Some(("2025-01-01", "2025-12-31"))),
            ("last-fortnight", None),
            ("october", None),
            ("", None),
            ("26-10", None),
            ("2026-1", None),
            ("2026-+1", None),
            ("2026-€", None),
            ("2026-", None),
        ];
        for (text, expected) in table {
            let read = Period::parse(text, today);
            let days = read.as_ref().ok().map(|period| (period.first.to_string(), period.last().to_string()));
            let expected = expected.map(|(first, last)| (first.to_owned(), last.to_owned()));
            assert_eq!(days, expected, "{text}");
            if let Ok(period) = read {
                assert_eq!(Period::parse(&period.to_string(), today), Ok(period), "{text} → {period}");
            }
        }
    }

    #[test]
    fn before_one_is_one_as_long() {
        let today = jiff::civil::date(2026, 11, 24);
        let table = [
            ("2026-Q1", "2025-Q4"),
            ("2026-03", "2026-02"),
            ("2026-W01", "2025-W52"),
            ("2026", "2025"),
            ("2026-10-05..2026-10-14", "2026-09-25..2026-10-04"),
            ("2026-03-01", "2026-02-28"),
        ];
        for (text, expected) in table {
            assert_eq!(Period::parse(text, today).unwrap().before().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn days_are_those_of_the_zone() {
        let zone = TimeZone::get("Europe/Helsinki").unwrap();
        let (from, to) = Period::parse("2026-10-25", jiff::civil::date(2026, 11, 24)).unwrap().instants(&zone);
        assert_eq!(
            (from.to_string().as_str(), to.to_string().as_str()),
            ("2026-10-24T21:00:00Z", "2026-10-25T22:00:00Z")
        );
    }
}
