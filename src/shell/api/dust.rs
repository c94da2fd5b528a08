//! What gathers dust, for programs.

use super::Call;
use super::looks::written;
use super::problem::Problem;
use crate::pure::decide::dust;
use crate::pure::domain::Timestamp;
use crate::pure::domain::dust::{DustKind, DustSince};
use serde_json::{Value, json};

pub(super) async fn list(call: Call) -> Result<Value, Problem> {
    let (firm, asked) = (&call.token.tenant, call.given.text("kind").and_then(DustKind::parse));
    let kinds = asked.map_or_else(|| DustKind::ALL.to_vec(), |kind| vec![kind]);
    let tenant = call.api.shared.registry.tenants.get(firm);
    let since = |now| tenant.map_or_else(DustSince::default, |of| dust::since(&of.dust, &of.service.hours, now));
    let (lines, counts) =
        call.store().dust(std::slice::from_ref(firm), &kinds, &since(Timestamp::now()), call.rows()).await?;
    let counts: serde_json::Map<String, Value> =
        counts.into_iter().map(|of| (of.kind.as_str().to_owned(), json!(of.count))).collect();
    Ok(json!({ "dust": written(&lines)?, "counts": counts }))
}
