//! What many speak of at once, and what one customer comes back for, for programs.

use super::Call;
use super::looks::{shown, written};
use super::problem::{Kind, Problem};
use crate::pure::domain::Timestamp;
use crate::shell::store::incident::IncidentShown;
use serde_json::{Value, json};

pub(super) async fn list(call: Call) -> Result<Value, Problem> {
    let found = call.store().incidents(Some(&call.token.tenant), call.given.text("state"), call.rows()).await?;
    Ok(json!({ "incidents": written(&found)? }))
}

pub(super) async fn one(call: Call) -> Result<Value, Problem> {
    let incident = call.incident().await?;
    call.whole(&incident).await
}

pub(super) async fn of_ticket(call: Call) -> Result<Value, Problem> {
    let ticket = call.ticket(&call.id).await?;
    written(&call.store().recurring(ticket).await?)
}

pub(super) async fn close(call: Call) -> Result<Value, Problem> {
    let incident = call.incident().await?;
    call.store().close_incident(incident.id, call.by(), Timestamp::now()).await?;
    call.whole(&call.incident().await?).await
}

pub(super) async fn link(call: Call) -> Result<Value, Problem> {
    let incident = call.incident().await?;
    let ticket = call.ticket(call.given.text("ticket").unwrap_or_default()).await?;
    let (tenant, registry) = (&call.token.tenant, &call.api.shared.registry);
    let mirrors = registry.tenants.get(tenant).map(|firm| firm.policy.mirrors.clone()).unwrap_or_default();
    call.store().link_incident((&incident, tenant), ticket, &mirrors, call.by(), Timestamp::now()).await?;
    call.whole(&call.incident().await?).await
}

pub(super) async fn unlink(call: Call) -> Result<Value, Problem> {
    let incident = call.incident().await?;
    let ticket = call.ticket(call.given.text("ticket").unwrap_or_default()).await?;
    call.store().unlink_incident((incident.id, &call.token.tenant), ticket, call.by(), Timestamp::now()).await?;
    call.whole(&call.incident().await?).await
}

impl Call {
    /// The incident that the path names.
    async fn incident(&self) -> Result<IncidentShown, Problem> {
        let found = self.store().incident(Some(&self.token.tenant), &self.id).await?;
        let unknown = || Problem::new(Kind::IncidentUnknown, format!("there is no incident \"{}\"", shown(&self.id)));
        Ok(found.ok_or_else(unknown)?.0)
    }

    fn by(&self) -> &str {
        self.given.text("by").unwrap_or(&self.token.name)
    }

    /// It, with its tickets.
    async fn whole(&self, incident: &IncidentShown) -> Result<Value, Problem> {
        let tickets = self.store().tickets_of_incident(incident.id).await?;
        let mut whole = written(incident)?;
        whole["on_it"] = written(&tickets)?;
        Ok(whole)
    }
}
