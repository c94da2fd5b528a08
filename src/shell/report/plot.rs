//! Plots of a report: rectangles and words at places, which the template writes as SVG.

use super::words::Writing;
use crate::pure::domain::period::{Period, Unit};
use crate::pure::domain::report::{Count, DayCount, Promised};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Of every plot, in its own units.
const WIDTH: usize = 720;

/// Bars that stand beside each other at the most.
const BARS_MAX: usize = 60;

/// Of the plot over time: what stands left of the bars and below them, and how high these are.
const LEFT: usize = 34;
const BELOW: usize = 20;
const HEIGHT: usize = 150;

/// Of plots with lying bars: one row, its bar, and what stands left and right of it.
const ROW: usize = 26;
const BAR: usize = 16;
const NAMES: usize = 190;
const FIGURES: usize = 70;

/// Rows at the most.
const ROWS_MAX: usize = 12;

/// A plot.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plot {
    pub(super) width: usize,
    pub(super) height: usize,
    /// What it shows, for those who cannot see it.
    pub(super) label: String,
    pub(super) bars: Vec<Bar>,
    pub(super) words: Vec<Word>,
}

/// A rectangle.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
    /// What it stands for, as styles know it.
    pub(super) class: &'static str,
    /// What is said of it.
    pub(super) title: String,
}

/// A word at a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) x: usize,
    pub(super) y: usize,
    /// `start`, `middle` or `end`.
    pub(super) anchor: &'static str,
    pub(super) text: String,
}

/// So much of a length, rounded; nothing of nothing.
fn part(of: i64, all: i64, length: usize) -> usize {
    let (of, all) = (usize::try_from(of).unwrap_or(0), usize::try_from(all).unwrap_or(0));
    (of * length + all / 2).checked_div(all).unwrap_or(0)
}

/// Tickets by day, week, month or quarter: as fine as [`BARS_MAX`] bars show it.
pub(super) fn over_time(days: &[DayCount], period: &Period, writing: &Writing) -> Plot {
    let spans = |unit: Unit| {
        let mut spans = vec![unit.holding(period.first)];
        while let Some(last) = spans.last().filter(|last| last.end < period.end && spans.len() <= BARS_MAX) {
            spans.push(unit.holding(last.end));
        }
        spans
    };
    let units = [Unit::Day, Unit::Week, Unit::Month, Unit::Quarter];
    let fine = units.into_iter().map(spans).find(|spans| spans.len() <= BARS_MAX);
    let spans: Vec<Period> = fine.unwrap_or_default();
    let mut counts: BTreeMap<Date, (i64, i64)> = spans.iter().map(|span| (span.first, (0, 0))).collect();
    for day in days {
        if let Some((_, (tickets, problems))) = counts.range_mut(..=day.day).next_back() {
            (*tickets, *problems) = (*tickets + day.tickets, *problems + day.problems);
        }
    }
    let most = counts.values().map(|(tickets, _)| *tickets).max().unwrap_or(0).max(1);
    let step = (WIDTH - LEFT) / spans.len().max(1);
    let mut plot = Plot {
        width: WIDTH,
        height: HEIGHT + BELOW + 10,
        label: format!("{}, {}", writing.say("over_time"), writing.say("of_them_problems")),
        ..Plot::default()
    };
    for (at, span) in spans.iter().enumerate() {
        let (tickets, problems) = counts.get(&span.first).copied().unwrap_or_default();
        let (high, low) = (part(tickets, most, HEIGHT), part(problems, most, HEIGHT));
        let title = format!("{}: {tickets}, {} {problems}", writing.period(span), writing.say("of_them_problems"));
        let bar = |height: usize, above: usize, class| Bar {
            x: LEFT + at * step + 1,
            y: 10 + HEIGHT - above - height,
            width: step.saturating_sub(2).clamp(1, 40),
            height,
            class,
            title: title.clone(),
        };
        plot.bars.extend([bar(high - low.min(high), low, "other"), bar(low, 0, "problem")]);
    }
    plot.bars.retain(|bar| bar.height > 0);
    let word = |x, y, anchor, text| Word { x, y, anchor, text };
    plot.words.push(word(LEFT - 6, 14, "end", most.to_string()));
    plot.words.push(word(LEFT - 6, 10 + HEIGHT, "end", "0".to_owned()));
    // Every label has room for a date.
    let every = 90_usize.div_ceil(step.max(1)).max(1);
    for (at, span) in spans.iter().enumerate().step_by(every) {
        plot.words.push(word(LEFT + at * step, HEIGHT + BELOW + 6, "start", writing.day(span.first)));
    }
    plot
}

/// Tickets by name, as lying bars, the first ones.
pub(super) fn by_name(counts: &[Count], label: &str, writing: &Writing) -> Plot {
    let counts = &counts[..counts.len().min(ROWS_MAX)];
    let most = counts.iter().map(|count| count.tickets).max().unwrap_or(0);
    let rows = counts.iter().map(|count| {
        let name = writing.say(&count.name).to_owned();
        (name, count.tickets.to_string(), vec![("other", count.tickets, String::new())])
    });
    lying(rows.collect(), most, label)
}

/// How promises were kept: one bar each, as long as all of its kind.
pub(super) fn promises(promises: &[Promised], writing: &Writing) -> Plot {
    let rows = promises.iter().map(|promised| {
        let parts =
            [("met", promised.met), ("breached", promised.breached), ("waits", promised.running + promised.paused)];
        let known = promised.met + promised.breached;
        let all = known + promised.running + promised.paused;
        // As shares, so that each fills its row.
        let shares = parts.map(|(class, n)| {
            let name = match class {
                "met" => writing.say("met"),
                "breached" => writing.say("breached"),
                _ => writing.say("running"),
            };
            (class, n * 1000 / all.max(1), format!("{name}: {n}"))
        });
        let kept = promised.kept_percent().map_or_else(|| "–".to_owned(), |percent| format!("{percent} %"));
        (writing.say(promised.clock.as_str()).to_owned(), kept, shares.to_vec())
    });
    lying(rows.collect(), 1000, writing.say("promises"))
}

/// A row: its name, its figure, its parts.
type Row = (String, String, Vec<(&'static str, i64, String)>);

fn lying(rows: Vec<Row>, most: i64, label: &str) -> Plot {
    let mut plot = Plot { width: WIDTH, height: rows.len() * ROW + 4, label: label.to_owned(), ..Plot::default() };
    for (at, (name, figure, parts)) in rows.into_iter().enumerate() {
        let (top, mut x) = (at * ROW + 4, NAMES);
        let text = |x, anchor, text| Word { x, y: top + BAR - 3, anchor, text };
        plot.words.push(text(NAMES - 8, "end", name.chars().take(28).collect()));
        for (class, n, said) in parts {
            let width = part(n, most, WIDTH - NAMES - FIGURES);
            if width > 0 {
                let title = if said.is_empty() { format!("{name}: {n}") } else { format!("{name}, {said}") };
                plot.bars.push(Bar { x, y: top, width, height: BAR, class, title });
            }
            x += width;
        }
        plot.words.push(text(x + 6, "start", figure));
    }
    plot
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::clock::ClockKind;
    use crate::pure::domain::say::Language;
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    fn writing() -> Writing {
        Writing { language: Language::English, zone: TimeZone::UTC }
    }

    #[test]
    fn bars_are_as_high_as_counts_and_stay_inside() {
        let count = |month, day, tickets, problems| DayCount { day: date(2026, month, day), tickets, problems };
        let days = [count(7, 1, 4, 1), count(7, 9, 2, 2), count(9, 30, 1, 0)];
        for (period, bars, high) in [
            ("2026-07", 31, HEIGHT),
            ("2026-Q3", 14, HEIGHT),
            ("2026", 53, HEIGHT),
            ("2024-02-01..2026-12-31", 35, HEIGHT),
        ] {
            let period = Period::parse(period, date(2026, 11, 24)).unwrap();
            let within: Vec<DayCount> = days.iter().filter(|day| day.day < period.end).cloned().collect();
            let plot = over_time(&within, &period, &writing());
            let tops: BTreeMap<usize, usize> = plot.bars.iter().fold(BTreeMap::new(), |mut tops, bar| {
                *tops.entry(bar.x).or_default() += bar.height;
                tops
            });
            assert_eq!(tops.values().max(), Some(&high), "{period}");
            assert!(plot.bars.iter().all(|bar| bar.x + bar.width <= plot.width && bar.y + bar.height <= plot.height));
            assert!(plot.words.iter().all(|word| word.x <= plot.width && word.y <= plot.height), "{period}");
            let wide = (WIDTH - LEFT) / bars;
            assert!(plot.bars.iter().all(|bar| (bar.x - LEFT - 1).is_multiple_of(wide)), "{period}: {wide}");
        }
        let none = over_time(&[], &Period::parse("2026-07", date(2026, 11, 24)).unwrap(), &writing());
        assert!(none.bars.is_empty());
    }

    #[test]
    fn shares_fill_their_row() {
        let promised = Promised {
            clock: ClockKind::FirstAnswer,
            made: 4,
            met: 2,
            breached: 1,
            running: 1,
            paused: 0,
            target_s: (60, 60),
            median_s: None,
            p90_s: None,
        };
        let plot = promises(&[promised], &writing());
        let widths: Vec<(&str, usize)> = plot.bars.iter().map(|bar| (bar.class, bar.width)).collect();
        assert_eq!(widths, [("met", 230), ("breached", 115), ("waits", 115)]);
        assert!(plot.words.iter().any(|word| word.text == "66 %"), "{plot:?}");
        let counts = ["mail", "chat"].map(|name| Count { name: name.to_owned(), tickets: 0 });
        assert!(by_name(&counts, "x", &writing()).bars.is_empty());
    }
}
