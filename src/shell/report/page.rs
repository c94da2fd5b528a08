//! A report as a page of its own.

use super::plot::{Plot, by_name, over_time, promises};
use super::words::Writing;
use crate::pure::domain::report::{Count, LINES_MAX, Promised, Report};
use askama::Template;

/// Characters of a title or name.
const LINE_CHARS_MAX: usize = 200;

#[derive(Template)]
#[template(path = "report.html", config = "src/shell/page/askama.toml")]
struct Page<'a> {
    css: &'static str,
    lang: &'static str,
    writing: &'a Writing,
    report: &'a Report,
    plots: Plots,
    counts: Vec<(&'static str, &'static str, &'a [Count])>,
}

struct Plots {
    over_time: Plot,
    channels: Plot,
    promises: Plot,
}

/// The report as HTML: whole, without a script, without anything that is loaded from elsewhere.
///
/// # Errors
/// None that is known: the template writes into memory.
pub fn page(report: &Report, writing: &Writing) -> Result<String, askama::Error> {
    let plots = Plots {
        over_time: over_time(&report.days, &report.period, writing),
        channels: by_name(&report.channels, writing.say("by_channel"), writing),
        promises: promises(&report.promises, writing),
    };
    let counts = vec![
        ("by_kind", "kind", report.kinds.as_slice()),
        ("by_problem", "kind", report.problems.as_slice()),
        ("by_priority", "priority", report.priorities.as_slice()),
        ("by_feedback", "kind", report.feedback_kinds.as_slice()),
    ];
    Page { css: include_str!("report.css"), lang: writing.language.code(), writing, report, plots, counts }.render()
}

impl Page<'_> {
    fn say<'a>(&self, name: &'a str) -> &'a str {
        self.writing.say(name)
    }

    fn title(&self) -> String {
        let who = match self.report.organisations.as_slice() {
            [] => format!("{}, {}", self.report.tenant, self.say("all_customers")),
            some => some.join(", "),
        };
        format!("{}: {who}", self.say("report"))
    }

    fn customer<'a>(&'a self, organisation: &'a Option<String>) -> &'a str {
        organisation.as_deref().unwrap_or(self.say("private"))
    }

    fn line(&self, text: &str) -> String {
        text.chars().take(LINE_CHARS_MAX).collect()
    }

    fn numbers(&self, numbers: &[i64], all: &usize) -> String {
        let named: Vec<String> = numbers.iter().map(|number| format!("#{number}")).collect();
        format!("{}{}", named.join(" "), if *all > numbers.len() { " …" } else { "" })
    }

    /// Kept of all promises, in percent.
    fn kept(&self) -> String {
        let sum = |of: fn(&Promised) -> i64| self.report.promises.iter().map(of).sum::<i64>();
        let (met, breached) = (sum(|of| of.met), sum(|of| of.breached));
        (met * 100).checked_div(met + breached).map_or_else(|| "–".to_owned(), |percent| format!("{percent} %"))
    }

    fn is_cut(&self, lines: usize) -> bool {
        lines == LINES_MAX
    }
}
