//! Reports, for programs.

use super::Call;
use super::looks::written;
use super::problem::{Kind, Problem};
use crate::pure::domain::Timestamp;
use crate::pure::domain::period::Period;
use crate::pure::domain::report::ReportOf;
use crate::shell::report::make;
use serde_json::Value;

pub(super) async fn show(call: Call) -> Result<Value, Problem> {
    let (firm, now) = (&call.token.tenant, Timestamp::now());
    let unknown = || Problem::new(Kind::NotPossible, format!("the configuration knows no firm {firm} any more"));
    let tenant = call.api.shared.registry.tenants.get(firm).ok_or_else(unknown)?;
    let today = now.to_zoned(tenant.policy.time_zone.clone()).date();
    let period = Period::parse(call.given.text("period").unwrap_or("last-month"), today);
    let of = ReportOf {
        tenant: firm.clone(),
        organisations: call.given.text("organisation").map(str::to_lowercase).into_iter().collect(),
        period: period.map_err(|why| Problem::new(Kind::QueryWrong, why))?,
        with_texts: call.given.flag("texts"),
    };
    written(&make(call.store(), &of, tenant, now).await?)
}
