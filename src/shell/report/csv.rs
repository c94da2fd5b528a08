//! A report as CSV (RFC 4180): one figure a line, `section,name,measure,value`, for spreadsheets and programs.

use crate::pure::domain::report::Report;

/// The report. Words are the stable ones, times are seconds, instants are UTC.
pub fn csv(report: &Report) -> String {
    let mut csv = Csv::default();
    csv.line(["section", "name", "measure", "value"]);
    csv.add("report", "", "tenant", &report.tenant);
    csv.add("report", "", "organisations", &report.organisations.join(" "));
    csv.add("report", "", "period", &report.period);
    csv.add("report", "", "from", &report.from);
    csv.add("report", "", "to", &report.to);
    csv.add("report", "", "as_of", &report.as_of);
    csv.add("report", "", "tickets", &report.tickets);
    csv.add("report", "", "tickets_before", &report.tickets_before);
    csv.add("report", "", "closed", &report.closed);
    csv.add("report", "", "came_again", &report.came_again);
    let counts = [
        ("kind", &report.kinds),
        ("problem", &report.problems),
        ("feedback_kind", &report.feedback_kinds),
        ("priority", &report.priorities),
        ("channel", &report.channels),
    ];
    for (section, counts) in counts {
        counts.iter().for_each(|count| csv.add(section, &count.name, "tickets", &count.tickets));
    }
    for day in &report.days {
        csv.add("day", &day.day.to_string(), "tickets", &day.tickets);
        csv.add("day", &day.day.to_string(), "problems", &day.problems);
    }
    for customer in &report.customers {
        let name = customer.organisation.as_deref().unwrap_or_default();
        let figures = [
            ("tickets", customer.tickets),
            ("problems", customer.problems),
            ("high", customer.high),
            ("breaches", customer.breaches),
        ];
        figures.iter().for_each(|(measure, n)| csv.add("customer", name, measure, n));
    }
    csv.times(report);
    csv.lists(report);
    csv.text
}

#[derive(Default)]
struct Csv {
    text: String,
}

impl Csv {
    fn times(&mut self, report: &Report) {
        for promised in &report.promises {
            let figures = [
                ("made", Some(promised.made)),
                ("met", Some(promised.met)),
                ("breached", Some(promised.breached)),
                ("running", Some(promised.running)),
                ("paused", Some(promised.paused)),
                ("target_min_s", Some(promised.target_s.0)),
                ("target_max_s", Some(promised.target_s.1)),
                ("median_s", promised.median_s),
                ("p90_s", promised.p90_s),
            ];
            self.known("promise", promised.clock.as_str(), &figures);
        }
        for waited in &report.waits {
            let figures = [("done", Some(waited.done)), ("median_s", waited.median_s), ("p90_s", waited.p90_s)];
            self.known("wait", waited.clock.as_str(), &figures);
        }
    }

    fn lists(&mut self, report: &Report) {
        for breach in &report.breaches {
            let name = format!("#{} {}", breach.number, breach.clock.as_str());
            self.add("breach", &name, "title", &breach.title);
            self.add("breach", &name, "organisation", &breach.organisation.as_deref().unwrap_or_default());
            self.add("breach", &name, "due_at", &breach.due_at);
            if let Some(ended_at) = breach.ended_at {
                self.add("breach", &name, "ended_at", &ended_at);
            }
            self.known("breach", &name, &[("target_s", Some(breach.target_s)), ("over_s", breach.over_s)]);
        }
        for subject in &report.subjects {
            let name = subject.words.join(" ");
            let numbers: Vec<String> = subject.numbers.iter().map(|number| format!("#{number}")).collect();
            self.add("subject", &name, "tickets", &subject.tickets);
            self.add("subject", &name, "customers", &subject.customers);
            self.add("subject", &name, "numbers", &numbers.join(" "));
        }
        for incident in &report.incidents {
            let name = format!("#{}", incident.number);
            self.add("incident", &name, "began_at", &incident.began_at);
            self.add("incident", &name, "tickets", &incident.tickets);
        }
        for feedback in &report.feedback {
            let name = format!("#{}", feedback.number);
            self.add("feedback", &name, "kinds", &feedback.kinds.join(" "));
            self.add("feedback", &name, "at", &feedback.at);
            self.add("feedback", &name, "channel", &feedback.channel);
            self.add("feedback", &name, "organisation", &feedback.organisation.as_deref().unwrap_or_default());
            self.add("feedback", &name, "title", &feedback.title);
            if let Some(text) = &feedback.text {
                self.add("feedback", &name, "text", text);
            }
        }
    }

    fn known(&mut self, section: &str, name: &str, figures: &[(&str, Option<i64>)]) {
        for (measure, figure) in figures {
            if let Some(figure) = figure {
                self.add(section, name, measure, figure);
            }
        }
    }

    fn add(&mut self, section: &str, name: &str, measure: &str, value: &dyn std::fmt::Display) {
        self.line([section, name, measure, &value.to_string()]);
    }

    fn line(&mut self, fields: [&str; 4]) {
        for (at, field) in fields.into_iter().enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            self.text.push_str(&cell(field));
        }
        self.text.push_str("\r\n");
    }
}

/// A cell, in quotes where it must be. What a spreadsheet would take for a formula gets an apostrophe before it, since
/// anybody may have written it (OWASP, "CSV injection").
fn cell(text: &str) -> String {
    let is_number = text.parse::<i64>().is_ok();
    let computes = !is_number && text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    let text = if computes { format!("'{text}") } else { text.to_owned() };
    match text.contains([',', '"', '\r', '\n', ';', '\t']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_compute_nothing() {
        let table = [
            ("mail", "mail"),
            ("-5", "-5"),
            ("Hei, taas", "\"Hei, taas\""),
            ("\"sic\"", "\"\"\"sic\"\"\""),
            ("=HYPERLINK(\"http://evil.example\")", "\"'=HYPERLINK(\"\"http://evil.example\"\")\""),
            ("+358", "+358"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("@SUM(1)", "'@SUM(1)"),
            ("a\r\nb", "\"a\r\nb\""),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(cell(text), expected);
        }
    }
}
