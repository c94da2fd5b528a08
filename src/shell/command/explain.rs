//! `lanka explain`: the route of one message and the reason of each step (promise P9).

use super::output::{Output, clock};
use super::{Bench, Failure};
use crate::shell::counted;
use crate::shell::store::commit::json_word;
use crate::shell::store::explain::Route;
use jiff::tz::TimeZone;

/// Messages that are named when a vendor's id is not unique.
const NAMED_MAX: i64 = 10;

#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    /// A message's id, or the vendor's id of it (Message-ID, wamid, mid …).
    message: String,
}

impl Explain {
    pub(super) async fn run(self, bench: Bench, output: &mut Output) -> Result<(), Failure> {
        bench
            .with(async |settings, deployment| {
                let store = &deployment.store;
                let text = &self.message;
                let unknown = || {
                    Failure::Failed(format!(
                        "there is no message \"{text}\"; `lanka export assignments` names all there are"
                    ))
                };
                let found = store.find_messages(text, NAMED_MAX).await?;
                let id = match found[..] {
                    [] => return Err(unknown()),
                    [id] => id,
                    _ => {
                        let ids: Vec<String> = found.iter().map(ToString::to_string).collect();
                        return Err(Failure::Failed(format!(
                            "\"{text}\" is the id of several messages; name one of {}",
                            ids.join(", ")
                        )));
                    }
                };
                let route = store.route(id).await?.ok_or_else(unknown)?;
                match output.is_json() {
                    true => output.json(&route),
                    false => tell(&route, &settings.defaults.time_zone, output),
                }
            })
            .await
    }
}

fn tell(route: &Route, zone: &TimeZone, output: &mut Output) -> Result<(), Failure> {
    output.heading(&format!("message {}", route.message_id))?;
    output.text(&format!(
        "{} by channel {} ({}), vendor's id {}",
        route.direction.replace('_', " "),
        route.channel,
        route.channel_kind,
        route.source_key
    ))?;
    output.text(&format!(
        "said {}, trusted {}, received {}",
        clock(route.occurred_at, zone),
        clock(route.trusted_at, zone),
        clock(route.received_at, zone)
    ))?;
    if !route.marks.is_empty() {
        output.text(&format!("marked {}", route.marks.join(", ")))?;
    }
    if let Some(auto) = &route.auto {
        output.text(&format!("automatic: {auto}"))?;
    }
    if !route.numbers.is_empty() {
        output.text(&format!("names {}", route.numbers.join(", ")))?;
    }
    deliveries(route, zone, output)?;
    whose(route, output)?;
    for decision in &route.decisions {
        output.heading(&format!(
            "decided {}: contact {}, ticket {}",
            clock(decision.at, zone),
            decision.resolution,
            decision.placement
        ))?;
        if let Some(sentence) = &decision.sentence {
            output.text(&format!("  {sentence}"))?;
        }
        for reason in &decision.reasons {
            let bits = reason.bits.map(|bits| format!(" ({bits} bits)")).unwrap_or_default();
            output.text(&format!("  · {}: {}{bits}", reason.rule, reason.text))?;
        }
    }
    for suggestion in &route.suggestions {
        let about = match suggestion.message_id == route.message_id {
            true => format!("suggested, after {}", suggestion.by_message),
            false => format!("suggested by {}", suggestion.message_id),
        };
        output.text(&format!(
            "{about} ({}): {} {}: {}",
            suggestion.state, suggestion.target_kind, suggestion.target, suggestion.why
        ))?;
    }
    went(route, zone, output)
}

fn deliveries(route: &Route, zone: &TimeZone, output: &mut Output) -> Result<(), Failure> {
    output.heading("came in")?;
    for delivery in &route.deliveries {
        output.text(&format!(
            "  {}: {} {} by {} ({}), {} bytes, delivery {} item {}",
            clock(delivery.received_at, zone),
            delivery.role,
            delivery.what,
            delivery.channel,
            delivery.origin,
            delivery.bytes,
            delivery.raw_event,
            delivery.item
        ))?;
    }
    Ok(())
}

fn whose(route: &Route, output: &mut Output) -> Result<(), Failure> {
    output.heading("stands now")?;
    match &route.identity {
        Some(identity) => {
            let scope = if identity.scope.is_empty() { String::new() } else { format!(" at {}", identity.scope) };
            output.text(&format!(
                "  identity {}:{}{scope}, {} in this delivery",
                identity.scheme,
                identity.value,
                json_word(&identity.assurance)
            ))?;
        }
        None => output.text("  no identity: nobody can be told by it")?,
    }
    if let Some(contact) = &route.contact {
        output.text(&format!(
            "  contact {} ({}) {}",
            contact.name.as_deref().unwrap_or("without a name"),
            contact.kind,
            contact.id
        ))?;
    }
    match &route.ticket {
        Some(ticket) => {
            output.text(&format!("  ticket #{} {} ({}) {}", ticket.number, ticket.title, ticket.state, ticket.id))
        }
        None => output.text("  on no ticket"),
    }
}

fn went(route: &Route, zone: &TimeZone, output: &mut Output) -> Result<(), Failure> {
    output.heading("went to")?;
    if route.outbox.is_empty() {
        output.text("  no mirror was told of it")?;
    }
    for post in &route.outbox {
        let settled = post.settled_at.map(|at| format!(" {}", clock(at, zone))).unwrap_or_default();
        let why = post.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        output.text(&format!(
            "  {}: {} as number {} of the ticket, {}{settled} after {}{why}",
            post.mirror,
            post.change,
            post.sequence,
            post.state,
            counted(post.attempts, "attempt", "attempts")
        ))?;
    }
    Ok(())
}
