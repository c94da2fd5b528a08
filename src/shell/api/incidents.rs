//! What many speak of at once, and what one customer comes back for, for programs.

use super::Call;
use super::acts::{Done, Said};
use super::looks::{shown, written};
use super::problem::{Kind, Problem};
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::IncidentId;
use crate::shell::hands::Hands;
use crate::shell::store::incident::IncidentShown;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

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

pub(super) async fn close(mut call: Call) -> Result<Value, Problem> {
    let (incident, store) = (call.incident().await?, call.store().clone());
    let work = async move |_: Hands, said: Said| {
        store.close_incident(incident.id, said.saying().by, Timestamp::now()).await?;
        Ok(Incident(incident.id))
    };
    call.act("closing of an incident", work).await??;
    call.whole(&call.incident().await?).await
}

pub(super) async fn link(mut call: Call) -> Result<Value, Problem> {
    let (incident, store) = (call.incident().await?, call.store().clone());
    let ticket = call.ticket(call.given.text("ticket").unwrap_or_default()).await?;
    let (tenant, registry) = (call.token.tenant.clone(), &call.api.shared.registry);
    let mirrors = registry.tenants.get(&tenant).map(|firm| firm.policy.mirrors.clone()).unwrap_or_default();
    let work = async move |_: Hands, said: Said| {
        store.link_incident((&incident, &tenant), ticket, &mirrors, said.saying().by, Timestamp::now()).await?;
        Ok(Incident(incident.id))
    };
    call.act("putting on an incident", work).await??;
    call.whole(&call.incident().await?).await
}

pub(super) async fn unlink(mut call: Call) -> Result<Value, Problem> {
    let (incident, store) = (call.incident().await?, call.store().clone());
    let ticket = call.ticket(call.given.text("ticket").unwrap_or_default()).await?;
    let tenant = call.token.tenant.clone();
    let work = async move |_: Hands, said: Said| {
        store.unlink_incident((incident.id, &tenant), ticket, said.saying().by, Timestamp::now()).await?;
        Ok(Incident(incident.id))
    };
    call.act("taking off an incident", work).await??;
    call.whole(&call.incident().await?).await
}

/// An incident that something was done with.
#[derive(Serialize)]
struct Incident(IncidentId);

impl Done for Incident {
    fn id(&self) -> Uuid {
        self.0.0
    }
}

impl Call {
    /// The incident that the path names.
    async fn incident(&self) -> Result<IncidentShown, Problem> {
        let found = self.store().incident(Some(&self.token.tenant), &self.id).await?;
        let unknown = || Problem::new(Kind::IncidentUnknown, format!("there is no incident \"{}\"", shown(&self.id)));
        Ok(found.ok_or_else(unknown)?.0)
    }

    /// It, with its tickets.
    async fn whole(&self, incident: &IncidentShown) -> Result<Value, Problem> {
        let tickets = self.store().tickets_of_incident(incident.id).await?;
        let mut whole = written(incident)?;
        whole["on_it"] = written(&tickets)?;
        Ok(whole)
    }
}
