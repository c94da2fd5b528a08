//! `lanka dust`: what nobody looks at, the oldest first.

use super::output::{Output, ago, clock};
use super::{Bench, Failure};
use crate::pure::decide::dust::since;
use crate::pure::domain::Timestamp;
use crate::pure::domain::dust::{Dust as Line, DustCount, DustKind};
use crate::pure::domain::say::Language;
use crate::shell::report::advice;
use crate::shell::store::dust::COUNTED_MAX;

#[derive(Debug, clap::Args)]
pub(super) struct Dust {
    /// Only these kinds.
    #[arg(long, value_name = "KIND", value_parser = DustKind::WORDS)]
    kind: Vec<String>,
    /// Only this firm's.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Rows at most.
    #[arg(long, value_name = "ROWS", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

impl Dust {
    pub(super) async fn run(self, bench: Bench, output: &mut Output) -> Result<(), Failure> {
        bench
            .with(async |settings, deployment| {
                let (now, zone) = (Timestamp::now(), &settings.defaults.time_zone);
                let mut tenants = settings.tenants();
                if let Some(wanted) = &self.tenant {
                    tenants.retain(|tenant| tenant == wanted);
                    if tenants.is_empty() {
                        return Err(Failure::Usage(format!("no channel and no mirror has the tenant \"{wanted}\"")));
                    }
                }
                let asked: Vec<DustKind> = self.kind.iter().filter_map(|word| DustKind::parse(word)).collect();
                let wanted = |kind: &DustKind| asked.is_empty() || asked.contains(kind);
                let kinds: Vec<DustKind> = DustKind::ALL.into_iter().filter(wanted).collect();
                let before = since(&settings.dust.limits(), &settings.service().hours, now);
                let (lines, counts) = deployment.store.dust(&tenants, &kinds, &before, i64::from(self.limit)).await?;
                let cells = |line: &Line| {
                    vec![
                        line.kind.as_str().to_owned(),
                        clock(line.since, zone),
                        ago(line.since, now),
                        line.number.map(|number| format!("#{number}")).or(line.item.clone()).unwrap_or_default(),
                        line.owner.clone().unwrap_or_default(),
                        advice(Language::English, line.kind).to_owned(),
                        line.title.clone().unwrap_or_default(),
                    ]
                };
                let header = ["what", "since", "for", "ticket", "owner", "what to do", "title"];
                output.rows(&header, &lines, cells, "nothing gathers dust")?;
                more(output, &lines, &counts)
            })
            .await
    }
}

/// How many there are beside those shown, for people; programs ask for as many as they want.
fn more(output: &mut Output, lines: &[Line], counts: &[DustCount]) -> Result<(), Failure> {
    let shown = |kind| i64::try_from(lines.iter().filter(|line| line.kind == kind).count()).unwrap_or(i64::MAX);
    let each = |count: &DustCount| {
        let at_least = if count.count == COUNTED_MAX { "at least " } else { "" };
        let left = count.count - shown(count.kind);
        (left > 0).then(|| format!("{at_least}{left} {}", count.kind.as_str()))
    };
    let left: Vec<String> = counts.iter().filter_map(each).collect();
    if left.is_empty() || output.is_json() {
        return Ok(());
    }
    output.text(&format!("and more: {}; --kind and --limit show them", left.join(", ")))
}
