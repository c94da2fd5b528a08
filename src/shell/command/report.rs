//! `lanka report`: what came in within a period, how soon it was seen to, and what recurs.

use super::output::Output;
use super::{Bench, Failure, Format};
use crate::config::Settings;
use crate::pure::domain::Timestamp;
use crate::pure::domain::period::Period;
use crate::pure::domain::report::{
    Breach, Count, CustomerCount, Feedback, IncidentLine, LINES_MAX, Promised, Report as Made, ReportOf, Subject,
    Waited,
};
use crate::pure::domain::say::Language;
use crate::shell::report::{Writing, csv, make, page};
use crate::shell::{Deployment, Parts};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Report {
    /// Which days: 2026-10, 2026-Q3, 2026-W41, 2026, 2026-10-05, 2026-10-05..2026-10-11, or this-month, last-week and the like.
    #[arg(long, value_name = "PERIOD", default_value = "last-month")]
    period: String,
    /// Only this customer, by the domain of its mail; several times for several that are one.
    #[arg(long, value_name = "DOMAIN")]
    organisation: Vec<String>,
    /// The firm, where there are several.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// The language of the page: fi, sv or en. [default: the first of defaults.languages]
    #[arg(long, value_name = "CODE", value_parser = ["fi", "sv", "en"])]
    language: Option<String>,
    /// With the beginning of what customers said as feedback.
    #[arg(long)]
    texts: bool,
    /// Into this file: .html, .csv or .json. One that is there is replaced.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Report {
    pub(super) async fn run(self, bench: Bench, format: Format, output: &mut Output) -> Result<(), Failure> {
        let form = match self.out.as_deref().map(form_of) {
            Some(form) => form?,
            None => format,
        };
        let Bench { settings, deployment } = bench;
        let result = self.work(settings, &deployment, form, output).await;
        deployment.close().await;
        result
    }

    async fn work(
        &self,
        settings: Settings,
        deployment: &Deployment,
        form: Format,
        output: &mut Output,
    ) -> Result<(), Failure> {
        let now = Timestamp::now();
        let zone = settings.defaults.time_zone.clone();
        let today = now.to_zoned(zone.clone()).date();
        let of = ReportOf {
            tenant: self.tenant(&settings)?,
            organisations: self.organisation.iter().map(|domain| domain.trim().to_lowercase()).collect(),
            period: Period::parse(&self.period, today).map_err(Failure::Usage)?,
            with_texts: self.texts,
        };
        let language = match &self.language {
            Some(code) => Language::first_of([code.as_str()]),
            None => settings.defaults.language(),
        };
        let (parts, _) = Parts::of(settings, &deployment.keys);
        let Some(tenant) = parts.registry.tenants.get(&of.tenant) else {
            return Err(Failure::failed(format!("there is no firm {}", of.tenant)));
        };
        let report = make(&deployment.store, &of, tenant, now).await?;
        let written = match form {
            Format::Table => return show(&report, &Writing { language: Language::English, zone }, output),
            Format::Json => {
                format!("{}\n", serde_json::to_string(&report).map_err(|error| Failure::failed(error.to_string()))?)
            }
            Format::Csv => csv(&report),
            Format::Html => {
                page(&report, &Writing { language, zone }).map_err(|error| Failure::failed(error.to_string()))?
            }
        };
        match &self.out {
            None => output.whole(&written),
            Some(file) => {
                write(file, &written)?;
                output.text(&format!("{}: {} tickets", file.display(), report.tickets))
            }
        }
    }

    /// The firm that is meant: the one there is, unless one is named.
    fn tenant(&self, settings: &Settings) -> Result<String, Failure> {
        let tenants = settings.tenants();
        match (&self.tenant, tenants.as_slice()) {
            (Some(named), tenants) if tenants.contains(named) => Ok(named.clone()),
            (Some(named), _) => Err(Failure::Usage(format!("no channel and no mirror has the tenant \"{named}\""))),
            (None, [one]) => Ok(one.clone()),
            (None, several) => Err(Failure::Usage(format!("say whose report with --tenant: {}", several.join(", ")))),
        }
    }
}

/// What is written into a file, by its name.
fn form_of(file: &Path) -> Result<Format, Failure> {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html" | "htm") => Ok(Format::Html),
        Some("csv") => Ok(Format::Csv),
        Some("json") => Ok(Format::Json),
        _ => Err(Failure::Usage(format!("{}: name it .html, .csv or .json", file.display()))),
    }
}

/// The file is there whole, or as it was.
fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("{} cannot be written: {error}", file.display()));
    let mut beside = file.as_os_str().to_owned();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    std::fs::write(&beside, text).map_err(failed)?;
    std::fs::rename(&beside, file).map_err(|error| {
        let _ = std::fs::remove_file(&beside);
        failed(error)
    })
}

/// Tables for the terminal.
fn show(report: &Made, writing: &Writing, output: &mut Output) -> Result<(), Failure> {
    let whose = match report.organisations.as_slice() {
        [] => format!("{}, all customers", report.tenant),
        some => some.join(", "),
    };
    output.heading(&format!("{whose}: {} ({})", report.period, writing.period(&report.period)))?;
    output.text(&format!(
        "{} tickets ({} the period before), {} closed, {} came again",
        report.tickets, report.tickets_before, report.closed, report.came_again
    ))?;
    let counts = [
        ("kind", &report.kinds),
        ("problem", &report.problems),
        ("urgency", &report.priorities),
        ("feedback", &report.feedback_kinds),
        ("channel", &report.channels),
    ];
    for (title, counts) in counts.into_iter().filter(|(_, counts)| !counts.is_empty()) {
        output.text("")?;
        output.rows(&[title, "tickets"], counts, |of: &Count| vec![of.name.clone(), of.tickets.to_string()], "")?;
    }
    times(report, writing, output)?;
    lists(report, writing, output)
}

fn times(report: &Made, writing: &Writing, output: &mut Output) -> Result<(), Failure> {
    output.text("")?;
    let header = ["promise", "made", "kept", "broken", "running", "paused", "target", "median", "90 %"];
    let promised = |of: &Promised| {
        let numbers = [of.made, of.met, of.breached, of.running, of.paused].map(|n| n.to_string());
        let times = [writing.target(of.target_s), writing.lasted(of.median_s, false), writing.lasted(of.p90_s, false)];
        [vec![of.clock.as_str().to_owned()], numbers.to_vec(), times.to_vec()].concat()
    };
    output.rows(&header, &report.promises, promised, "no promises about time began then")?;
    output.text("")?;
    let waited = |of: &Waited| {
        let times = [writing.lasted(of.median_s, true), writing.lasted(of.p90_s, true)];
        [vec![of.clock.as_str().to_owned(), of.done.to_string()], times.to_vec()].concat()
    };
    output.rows(&["by the clock", "done", "median", "90 %"], &report.waits, waited, "")
}

fn lists(report: &Made, writing: &Writing, output: &mut Output) -> Result<(), Failure> {
    output.text("")?;
    let breach = |of: &Breach| {
        vec![
            format!("#{}", of.number),
            of.clock.as_str().to_owned(),
            writing.at(of.due_at),
            of.over_s.map_or_else(|| "not done".to_owned(), |over_s| writing.lasting(over_s, false)),
            of.owner.clone().unwrap_or_default(),
            of.title.clone(),
        ]
    };
    output.rows(
        &["broken", "promise", "due", "over by", "owner", "title"],
        &report.breaches,
        breach,
        "no promise was broken",
    )?;
    more(report.breaches.len(), output)?;
    output.text("")?;
    let subject = |of: &Subject| {
        let numbers: Vec<String> = of.numbers.iter().map(|number| format!("#{number}")).collect();
        vec![of.words.join(" "), of.tickets.to_string(), of.customers.to_string(), numbers.join(" ")]
    };
    output.rows(&["recurs", "tickets", "customers", "some of them"], &report.subjects, subject, "nothing recurs")?;
    if !report.incidents.is_empty() {
        output.text("")?;
        let incident = |of: &IncidentLine| {
            vec![format!("#{}", of.number), writing.at(of.began_at), of.tickets.to_string(), of.terms.join(" ")]
        };
        output.rows(&["incident", "began", "tickets", "terms"], &report.incidents, incident, "")?;
    }
    if !report.customers.is_empty() {
        output.text("")?;
        let customer = |of: &CustomerCount| {
            let name = of.organisation.clone().unwrap_or_else(|| "(private and unknown)".to_owned());
            let numbers = [of.tickets, of.problems, of.high, of.breaches].map(|n| n.to_string());
            [vec![name], numbers.to_vec()].concat()
        };
        output.rows(&["customer", "tickets", "problems", "high", "broken"], &report.customers, customer, "")?;
    }
    output.text("")?;
    let feedback = |of: &Feedback| {
        let said = of.text.as_deref().map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
        let title = [Some(of.title.clone()), said].into_iter().flatten().collect::<Vec<_>>().join(": ");
        vec![format!("#{}", of.number), writing.at(of.at), of.kinds.join(", "), title]
    };
    output.rows(&["feedback", "at", "kind", "title"], &report.feedback, feedback, "no feedback")?;
    more(report.feedback.len(), output)
}

/// Where a list was cut.
fn more(lines: usize, output: &mut Output) -> Result<(), Failure> {
    match lines {
        LINES_MAX => output.text(&format!("and more: the latest {LINES_MAX} are shown")),
        _ => Ok(()),
    }
}
