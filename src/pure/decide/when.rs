//! An instant → how people say it, in their language and zone: "huomenna klo 10.00", "by 10:00 tomorrow".
//!
//! Within a week the day is called by its name, beyond by its date too. In a language that lanka does not speak it is
//! written in figures alone.

use crate::pure::domain::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

/// Promises are rounded up to so many minutes: nobody promises an answer by 10:03.
const ROUNDED_TO_MIN: i64 = 5;

/// By when something is promised.
pub fn by(due: Timestamp, now: Timestamp, zone: &TimeZone, language: &str) -> String {
    let step = ROUNDED_TO_MIN * 60;
    let rounded = due.as_second().div_euclid(step) + i64::from(due.as_second().rem_euclid(step) > 0);
    let due = Timestamp::from_second(rounded * step).unwrap_or(due);
    let when = said(due, now, zone, language);
    match language {
        "fi" => format!("viimeistään {when}"),
        "sv" => format!("senast {when}"),
        "en" => format!("by {when}"),
        _ => when,
    }
}

/// An instant to come.
pub fn said(at: Timestamp, now: Timestamp, zone: &TimeZone, language: &str) -> String {
    let (local, today) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()).date());
    let (date, hour, minute) = (local.date(), local.hour(), local.minute());
    let days = today.until(date).map_or(i64::from(i32::MAX), |span| i64::from(span.get_days()));
    let day = Day { date, days };
    match language {
        "fi" => format!("{} klo {hour}.{minute:02}", day.finnish()),
        "sv" => format!("{} kl. {hour}.{minute:02}", day.swedish()),
        "en" => format!("{hour}:{minute:02} {}", day.english()),
        _ => format!("{date} {hour:02}:{minute:02}"),
    }
}

/// Days to come that are called by the day of the week alone.
const NAMED_DAYS: std::ops::RangeInclusive<i64> = 2..=6;

/// A day, so many days from today.
struct Day {
    date: Date,
    days: i64,
}

impl Day {
    fn is_named(&self) -> bool {
        NAMED_DAYS.contains(&self.days)
    }

    fn finnish(&self) -> String {
        let day = weekday(
            self.date,
            ["maanantaina", "tiistaina", "keskiviikkona", "torstaina", "perjantaina", "lauantaina", "sunnuntaina"],
        );
        match self.days {
            0 => "tänään".to_owned(),
            1 => "huomenna".to_owned(),
            _ if self.is_named() => day.to_owned(),
            _ => format!("{day} {}.{}.", self.date.day(), self.date.month()),
        }
    }

    fn swedish(&self) -> String {
        let day = weekday(self.date, ["måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag"]);
        match self.days {
            0 => "i dag".to_owned(),
            1 => "i morgon".to_owned(),
            _ if self.is_named() => format!("på {day}"),
            _ => format!("{day} den {}.{}.", self.date.day(), self.date.month()),
        }
    }

    fn english(&self) -> String {
        match self.days {
            0 => "today".to_owned(),
            1 => "tomorrow".to_owned(),
            _ if self.is_named() => self.date.strftime("on %A").to_string(),
            _ => self.date.strftime("on %A %-d %B").to_string(),
        }
    }
}

fn weekday(date: Date, names: [&'static str; 7]) -> &'static str {
    names[match date.weekday() {
        Weekday::Monday => 0,
        Weekday::Tuesday => 1,
        Weekday::Wednesday => 2,
        Weekday::Thursday => 3,
        Weekday::Friday => 4,
        Weekday::Saturday => 5,
        Weekday::Sunday => 6,
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_are_said_as_people_say_them() {
        let zone = TimeZone::get("Europe/Helsinki").unwrap();
        let at = |local: &str| local.parse::<jiff::civil::DateTime>().unwrap().to_zoned(zone.clone()).unwrap();
        // Now, due, Finnish, Swedish, English; 2026-11-27 is a Friday.
        let table = [
            ("2026-11-27T09:10", "2026-11-27T09:40", "tänään klo 9.40", "i dag kl. 9.40", "9:40 today"),
            ("2026-11-27T22:10", "2026-11-28T10:00", "huomenna klo 10.00", "i morgon kl. 10.00", "10:00 tomorrow"),
            ("2026-11-27T15:50", "2026-11-30T08:20", "maanantaina klo 8.20", "på måndag kl. 8.20", "8:20 on Monday"),
            (
                "2026-12-23T15:50",
                "2026-12-30T08:03",
                "keskiviikkona 30.12. klo 8.05",
                "onsdag den 30.12. kl. 8.05",
                "8:05 on Wednesday 30 December",
            ),
            // Over midnight the day is the next one, though an hour away; rounded up, so is the day.
            ("2026-11-27T23:30", "2026-11-28T00:15", "huomenna klo 0.15", "i morgon kl. 0.15", "0:15 tomorrow"),
            ("2026-11-27T23:30", "2026-11-27T23:58", "huomenna klo 0.00", "i morgon kl. 0.00", "0:00 tomorrow"),
            // The clocks go back in the night.
            ("2026-10-24T20:00", "2026-10-25T08:00", "huomenna klo 8.00", "i morgon kl. 8.00", "8:00 tomorrow"),
        ];
        for (now, due, fi, sv, en) in table {
            let (now, due) = (at(now).timestamp(), at(due).timestamp());
            assert_eq!(by(due, now, &zone, "fi"), format!("viimeistään {fi}"));
            assert_eq!(by(due, now, &zone, "sv"), format!("senast {sv}"));
            assert_eq!(by(due, now, &zone, "en"), format!("by {en}"));
        }
        let (now, due) = (at("2026-11-27T22:10").timestamp(), at("2026-11-28T10:00").timestamp());
        assert_eq!(by(due, now, &zone, "et"), "2026-11-28 10:00");
    }
}
