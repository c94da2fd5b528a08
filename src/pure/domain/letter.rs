//! Letters: what the desk writes to its own people by the clock.

use super::Timestamp;
use super::answer::CarriedFile;
use super::period::{Period, Unit};
use super::say::Language;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

/// What a letter tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LetterAbout {
    /// What came in within the period that ended: the report.
    Report {
        /// Of these customers alone, by the domains of their mail; empty: of all.
        organisations: Vec<String>,
        /// Words of customers go with the feedback.
        with_texts: bool,
    },
    /// What gathers dust. Nothing is written when nothing does, or on a day without service.
    Dust,
}

/// A letter as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterPlan {
    /// Its name.
    pub name: String,
    /// The firm.
    pub tenant: String,
    /// What it tells.
    pub about: LetterAbout,
    /// How often: on the first day of each.
    pub every: Unit,
    /// When on that day.
    pub at: Time,
    /// Whom it goes to by mail.
    pub to: Vec<String>,
    /// The mail channel by whose server; none where it goes to nobody by mail.
    pub channel: Option<String>,
    /// Mirrors that it goes to.
    pub mirrors: Vec<String>,
    /// In which language.
    pub language: Language,
}

impl LetterPlan {
    /// The day that the letter which was due last is of, and since when it is due.
    pub fn slot(&self, zone: &TimeZone, now: Timestamp) -> (Date, Timestamp) {
        let of = |day: Date| (day, self.due(day, zone));
        let unit = self.every.holding(now.to_zoned(zone.clone()).date());
        let this = of(unit.first);
        if this.1 <= now { this } else { of(unit.before().first) }
    }

    /// When the letter of a day is due.
    pub fn due(&self, day: Date, zone: &TimeZone) -> Timestamp {
        let due = zone.to_ambiguous_zoned(day.to_datetime(self.at)).compatible();
        due.map_or(Timestamp::MAX, |due| due.timestamp())
    }

    /// What the letter of a day is about: the period that ended on it.
    pub fn period(&self, slot: Date) -> Period {
        self.every.holding(slot).before()
    }
}

/// A letter, ready to be written as a mail.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    /// What makes its Message-ID one of its own: letters and digits.
    pub key: String,
    /// When it was made.
    pub at: Timestamp,
    /// Whom it goes to.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// What is attached.
    pub files: Vec<CarriedFile>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_of_the_period_that_ended() {
        let zone = TimeZone::get("Europe/Helsinki").unwrap();
        let table = [
            (Unit::Day, "07:00", "2026-11-24T04:59:59Z", "2026-11-23", "2026-11-23T05:00:00Z", "2026-11-22"),
            (Unit::Day, "07:00", "2026-11-24T05:00:00Z", "2026-11-24", "2026-11-24T05:00:00Z", "2026-11-23"),
            (Unit::Week, "07:00", "2026-11-24T12:00:00Z", "2026-11-23", "2026-11-23T05:00:00Z", "2026-W47"),
            (Unit::Month, "07:00", "2026-11-01T04:00:00Z", "2026-10-01", "2026-10-01T04:00:00Z", "2026-09"),
            (Unit::Quarter, "07:00", "2026-11-24T12:00:00Z", "2026-10-01", "2026-10-01T04:00:00Z", "2026-Q3"),
            (Unit::Year, "00:00", "2026-11-24T12:00:00Z", "2026-01-01", "2025-12-31T22:00:00Z", "2025"),
            // The hour that is not there in spring is the next.
            (Unit::Day, "03:30", "2026-03-29T12:00:00Z", "2026-03-29", "2026-03-29T01:30:00Z", "2026-03-28"),
        ];
        for (every, at, now, slot, due, period) in table {
            let plan = LetterPlan {
                name: "x".to_owned(),
                tenant: "main".to_owned(),
                about: LetterAbout::Dust,
                every,
                at: at.parse().unwrap(),
                to: Vec::new(),
                channel: None,
                mirrors: Vec::new(),
                language: Language::Finnish,
            };
            let (day, since) = plan.slot(&zone, now.parse().unwrap());
            let told = (day.to_string(), since.to_string(), plan.period(day).to_string());
            assert_eq!(told, (slot.to_owned(), due.to_owned(), period.to_owned()), "{every:?} {now}");
        }
    }
}
