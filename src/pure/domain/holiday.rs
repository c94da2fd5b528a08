//! Public holidays by rule: the days on which a country's desks are closed whatever the weekday.
//!
//! Every rule is a date, a day counted from Easter Sunday, or a weekday within a week. What counts beside the days
//! that the law names is what working life of the country takes off as a whole day: in Finland Christmas Eve and
//! Midsummer Eve (and no other eve: New Year's Eve, Maundy Thursday and May Day Eve are worked), in Sweden these two
//! and New Year's Eve (its law of annual leave counts all three as Sundays), in Estonia Christmas Eve and Victory Day,
//! which its law names. Days that are only shortened are written as dates of their own in the configuration.
//!
//! Refused: other countries, which a list in the configuration serves as well; and tables of years, which end.

use jiff::civil::{Date, Weekday, date};

/// A country whose holidays are known by rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Country {
    /// Finland.
    Finland,
    /// Sweden.
    Sweden,
    /// Estonia.
    Estonia,
}

impl Country {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Finland, Self::Sweden, Self::Estonia];

    /// Its code (ISO 3166).
    pub fn code(self) -> &'static str {
        match self {
            Self::Finland => "FI",
            Self::Sweden => "SE",
            Self::Estonia => "EE",
        }
    }

    /// The country of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|country| country.code() == code)
    }

    /// Its holidays of a year, in no order, holidays that fall on a Sunday included.
    pub fn holidays(self, year: i16) -> Vec<Date> {
        let rules = match self {
            Self::Finland => FINLAND,
            Self::Sweden => SWEDEN,
            Self::Estonia => ESTONIA,
        };
        rules.iter().filter_map(|rule| rule.day(year)).collect()
    }
}

/// How a holiday is found.
#[derive(Debug, Clone, Copy)]
enum Rule {
    /// Month and day.
    On(i8, i8),
    /// Days after Easter Sunday.
    Easter(i32),
    /// The first such weekday from a month and day on.
    From(Weekday, i8, i8),
}

impl Rule {
    fn day(self, year: i16) -> Option<Date> {
        let found = match self {
            Self::On(month, day) => Date::new(year, month, day),
            Self::Easter(days) => easter(year).checked_add(jiff::Span::new().days(days)),
            Self::From(weekday, month, day) => Date::new(year, month, day).and_then(|from| {
                let days = from.weekday().until(weekday);
                from.checked_add(jiff::Span::new().days(days))
            }),
        };
        found.ok()
    }
}

const FINLAND: &[Rule] = &[
    Rule::On(1, 1),
    Rule::On(1, 6), // loppiainen
    Rule::Easter(-2),
    Rule::Easter(0),
    Rule::Easter(1),
    Rule::On(5, 1),                        // vappu
    Rule::Easter(39),                      // helatorstai
    Rule::Easter(49),                      // helluntai
    Rule::From(Weekday::Friday, 6, 19),    // juhannusaatto
    Rule::From(Weekday::Saturday, 6, 20),  // juhannuspäivä
    Rule::From(Weekday::Saturday, 10, 31), // pyhäinpäivä
    Rule::On(12, 6),                       // itsenäisyyspäivä
    Rule::On(12, 24),
    Rule::On(12, 25),
    Rule::On(12, 26),
];

const SWEDEN: &[Rule] = &[
    Rule::On(1, 1),
    Rule::On(1, 6),
    Rule::Easter(-2),
    Rule::Easter(0),
    Rule::Easter(1),
    Rule::On(5, 1),
    Rule::Easter(39), // Kristi himmelsfärdsdag
    Rule::Easter(49),
    Rule::On(6, 6),                        // nationaldagen
    Rule::From(Weekday::Friday, 6, 19),    // midsommarafton
    Rule::From(Weekday::Saturday, 6, 20),  // midsommardagen
    Rule::From(Weekday::Saturday, 10, 31), // alla helgons dag
    Rule::On(12, 24),
    Rule::On(12, 25),
    Rule::On(12, 26),
    Rule::On(12, 31),
];

const ESTONIA: &[Rule] = &[
    Rule::On(1, 1),
    Rule::On(2, 24), // iseseisvuspäev
    Rule::Easter(-2),
    Rule::Easter(0),
    Rule::On(5, 1),
    Rule::Easter(49),
    Rule::On(6, 23), // võidupüha
    Rule::On(6, 24), // jaanipäev
    Rule::On(8, 20), // taasiseseisvumispäev
    Rule::On(12, 24),
    Rule::On(12, 25),
    Rule::On(12, 26),
];

/// Easter Sunday of a year of the Gregorian calendar (the rule of Meeus, Jones and Butcher).
fn easter(year: i16) -> Date {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let f = (b + 8) / 25;
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let days = h + l - 7 * m + 114;
    let (month, day) = (i8::try_from(days / 31), i8::try_from(days % 31 + 1));
    match (month, day) {
        (Ok(month @ 3..=4), Ok(day @ 1..=31)) => date(year, month, day),
        // Never of a year from 1 on, and nothing is counted in years before.
        _ => date(year, 3, 31),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the almanac of the University of Helsinki and the countries' own lists.
    #[test]
    fn holidays_of_years() {
        let (fi, se, ee) = (Country::Finland, Country::Sweden, Country::Estonia);
        let table: [(Country, i16, &str); 5] = [
            (fi, 2025, "01-01 01-06 04-18 04-20 04-21 05-01 05-29 06-08 06-20 06-21 11-01 12-06 12-24 12-25 12-26"),
            (fi, 2026, "01-01 01-06 04-03 04-05 04-06 05-01 05-14 05-24 06-19 06-20 10-31 12-06 12-24 12-25 12-26"),
            (fi, 2027, "01-01 01-06 03-26 03-28 03-29 05-01 05-06 05-16 06-25 06-26 11-06 12-06 12-24 12-25 12-26"),
            (
                se,
                2026,
                "01-01 01-06 04-03 04-05 04-06 05-01 05-14 05-24 06-06 06-19 06-20 10-31 12-24 12-25 12-26 12-31",
            ),
            (ee, 2026, "01-01 02-24 04-03 04-05 05-01 05-24 06-23 06-24 08-20 12-24 12-25 12-26"),
        ];
        for (country, year, expected) in table {
            let mut days = country.holidays(year);
            days.sort();
            let found: Vec<String> = days.iter().map(|day| day.strftime("%m-%d").to_string()).collect();
            assert_eq!(found.join(" "), expected, "{} {year}", country.code());
        }
    }

    #[test]
    fn easter_sundays() {
        for (year, month, day) in
            [(1818, 3, 22), (1943, 4, 25), (2000, 4, 23), (2008, 3, 23), (2024, 3, 31), (2038, 4, 25), (2049, 4, 18)]
        {
            assert_eq!(easter(year), date(year, month, day));
        }
    }
}
