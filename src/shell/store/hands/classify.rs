//! What an agent says of a ticket's kind and urgency: written on the message that it began with, so that it goes where
//! that goes, and on the ticket. It stands over what the words say until it is taken back.

use super::*;
use crate::pure::decide::route;
use crate::pure::domain::ticket::{MatterKind, Priority};
use crate::pure::domain::triage::{Classified, Effect, Fault, FeedbackKind, ProblemKind, Triage, Verdict};
use crate::shell::store::commit::queue;
use crate::shell::store::facts::{BRINGS_MATTER, classified, feedback};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row};

/// What is said of a ticket.
#[derive(Debug, Clone, Default)]
pub struct Classifying {
    /// Its kinds, if anything is said of them; empty: it brings no matter.
    pub kind: Option<Vec<MatterKind>>,
    /// What the problem is; only with a problem.
    pub fault: Option<Fault>,
    /// What the feedback says; only with feedback.
    pub feedback: Vec<FeedbackKind>,
    /// Its urgency, if anything is said of it.
    pub priority: Option<Priority>,
    /// What was said is taken back: the words speak again.
    pub undo: bool,
}

impl Classifying {
    /// What is said in the stable words; words that are none say nothing. The kind `none` says that it brings no matter.
    pub fn of(kind: &[String], fault: Option<&str>, feedback: &[String], priority: Option<&str>, undo: bool) -> Self {
        Self {
            kind: (!kind.is_empty()).then(|| kind.iter().filter_map(|kind| MatterKind::parse(kind)).collect()),
            fault: fault.and_then(Fault::parse),
            feedback: feedback.iter().filter_map(|kind| FeedbackKind::parse(kind)).collect(),
            priority: priority.and_then(Priority::parse),
            undo,
        }
    }

    /// What cannot be, if anything.
    fn check(&self) -> Result<(), ActError> {
        let is = |kind: MatterKind| self.kind.as_ref().is_some_and(|kinds| kinds.contains(&kind));
        let says = self.kind.is_some() || self.priority.is_some();
        let refused = match self {
            Self { undo: true, .. } if says => "what is taken back cannot be said anew in one: do one after the other",
            Self { undo: false, .. } if !says => "nothing is said: name a kind, a priority, or take back what was said",
            Self { fault: Some(_), .. } if !is(MatterKind::Problem) => {
                "only a problem is own, unclear, hinders or prevents"
            }
            _ if !self.feedback.is_empty() && !is(MatterKind::Feedback) => {
                "only feedback is a complaint, a wish or praise"
            }
            _ => return Ok(()),
        };
        Err(ActError::Refused(refused.to_owned()))
    }

    /// As it is kept.
    fn said(&self, act: EventId, saying: Saying<'_>, at: Timestamp) -> Classified {
        let (mut kind, mut feedback) = (self.kind.clone(), self.feedback.clone());
        kind.iter_mut().for_each(|kind| {
            kind.sort();
            kind.dedup();
        });
        feedback.sort();
        feedback.dedup();
        Classified { at, act, by: saying.by.to_owned(), kind, fault: self.fault, feedback, priority: self.priority }
    }
}

impl Store {
    /// Writes what an agent says of a ticket, or takes it back. What he said before of the other half (kind, urgency) stands.
    /// The mirrors of its firm hear of what is otherwise from then on.
    pub async fn classify(
        &self,
        ticket: TicketId,
        classifying: &Classifying,
        saying: Saying<'_>,
        mirrors: impl Fn(&str) -> Vec<String>,
        now: Timestamp,
    ) -> Result<Written, ActError> {
        classifying.check()?;
        let mut tx = self.begin_act(now).await?;
        let ticket = threads::now_of(&mut tx, ticket).await?;
        let row = sqlx::query(
            "SELECT k.tenant, k.kind, k.fault_kind, k.feedback, k.priority, k.classified, m.id AS message FROM ticket k CROSS JOIN LATERAL (
                SELECT m.id FROM message m WHERE m.ticket_id = k.id ORDER BY m.id = k.opened_by DESC, m.occurred_at, m.id LIMIT 1
             ) m WHERE k.id = $1 FOR UPDATE OF k",
        )
        .bind(ticket.0)
        .fetch_optional(&mut *tx)
        .await?;
        let row = row.ok_or_else(|| ActError::Refused("nothing is on this ticket".to_owned()))?;
        let (tenant, message): (String, Uuid) = (row.try_get("tenant")?, row.try_get("message")?);
        let before = classified(&row)?;
        if classifying.undo && before.is_none() {
            return Err(ActError::Nothing("nobody said anything of this ticket".to_owned()));
        }
        let id: EventId = self.next_id(now);
        let after = (!classifying.undo).then(|| classifying.said(id, saying, now)).map(|said| over(said, before));
        let stands = write(&mut tx, (ticket, message), after.as_ref()).await?;
        let told: Vec<_> = route::of_verdict(ticket, &verdict(&row)?, &stands).into_iter().collect();
        let (mirrors, by) = (hearers(&mut tx, ticket, &mirrors(&tenant)).await?, (now, self.has_peers()));
        queue(&mut tx, &tenant, &told, &mirrors, by, &mut self.mint()).await?;
        let said = after.as_ref().map_or_else(|| serde_json::json!({ "undo": true }), |said| serde_json::json!(said));
        sqlx::query(
            "INSERT INTO ticket_event (tenant, id, ticket_id, message_id, kind, by, data, at)
             VALUES ($1, $2, $3, $4, 'classify', $5, $6, $7)",
        )
        .bind(&tenant)
        .bind(id.0)
        .bind(ticket.0)
        .bind(message)
        .bind(saying.by)
        .bind(serde_json::json!({ "why": saying.why, "said": said }))
        .bind(sql_time(now))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.deliver_wake.notify_one();
        let messages = BTreeSet::from([MessageId(message)]);
        Ok(Written { id, takes_back: None, identities: BTreeSet::new(), messages, end: End::Same })
    }
}

/// What is said now over what was said before: of what it says nothing, the earlier word stands.
fn over(said: Classified, before: Option<Classified>) -> Classified {
    let Some(before) = before else { return said };
    let (kind, fault, feedback) = match said.kind {
        Some(_) => (said.kind, said.fault, said.feedback),
        None => (before.kind, before.fault, before.feedback),
    };
    Classified { kind, fault, feedback, priority: said.priority.or(before.priority), ..said }
}

/// The mirrors that have heard of a ticket: history that was taken in quietly stays so.
async fn hearers(
    connection: &mut PgConnection,
    ticket: TicketId,
    mirrors: &[String],
) -> Result<Vec<String>, StoreError> {
    let query = sqlx::query_scalar("SELECT mirror FROM lane WHERE ticket_id = $1 AND mirror = ANY($2)");
    Ok(query.bind(ticket.0).bind(mirrors).fetch_all(connection).await?)
}

/// Kind and urgency of what is on a ticket ($1), and whether it was raised beside the words: what counts is what its
/// customers say.
fn said_on() -> String {
    format!(
        "SELECT m.matter_kind, m.problem, m.effect, m.feedback, m.priority, EXISTS (
            SELECT 1 FROM decision d WHERE d.message_id = m.id AND d.reasons @> '[{{\"rule\": \"urgency\"}}]') AS is_raised
         FROM message m WHERE m.ticket_id = $1 AND {BRINGS_MATTER}"
    )
}

/// Writes it on the message and the ticket; without it, the ticket is again what its messages say. Gives how it stands.
async fn write(
    connection: &mut PgConnection,
    (ticket, message): (TicketId, Uuid),
    said: Option<&Classified>,
) -> Result<Verdict, StoreError> {
    let json = said.map(|said| serde_json::json!(said));
    sqlx::query("UPDATE message SET classified = CASE WHEN id = $2 THEN $3::jsonb END WHERE ticket_id = $1 AND (id = $2 OR classified IS NOT NULL)")
        .bind(ticket.0)
        .bind(message)
        .bind(&json)
        .execute(&mut *connection)
        .await?;
    let mut stands = Verdict::default();
    for row in sqlx::query(AssertSqlSafe(said_on())).bind(ticket.0).fetch_all(&mut *connection).await? {
        let triage = triage(&row)?;
        let urgency = if row.try_get("is_raised")? { Priority::High } else { triage.priority };
        stands.add(&triage, urgency);
    }
    if let Some(said) = said {
        stands.heed(said);
    }
    stands.priority = stands.priority.or(Some(Priority::Normal));
    sqlx::query(
        "UPDATE ticket SET kind = $2, fault_kind = $3, feedback = $4, priority = $5, classified = $6 WHERE id = $1",
    )
    .bind(ticket.0)
    .bind(stands.kind.iter().map(|kind| kind.as_str().to_owned()).collect::<Vec<String>>())
    .bind(stands.fault.map(Fault::as_str))
    .bind(stands.feedback.iter().map(|kind| kind.as_str().to_owned()).collect::<Vec<String>>())
    .bind(stands.priority.map(Priority::as_str))
    .bind(&json)
    .execute(&mut *connection)
    .await?;
    Ok(stands)
}

/// What a message says, of a row.
fn triage(row: &PgRow) -> Result<Triage, StoreError> {
    let kinds: Vec<String> = row.try_get("matter_kind")?;
    Ok(Triage {
        kind: kinds.iter().filter_map(|kind| MatterKind::parse(kind)).collect(),
        problem: row.try_get::<Option<&str>, _>("problem")?.and_then(ProblemKind::parse),
        effect: row.try_get::<Option<&str>, _>("effect")?.and_then(Effect::parse),
        feedback: feedback(row)?,
        ..Triage::none(Priority::parse(row.try_get("priority")?).unwrap_or(Priority::Normal))
    })
}

/// How a ticket stands, of a row.
fn verdict(row: &PgRow) -> Result<Verdict, StoreError> {
    let kinds: Vec<String> = row.try_get("kind")?;
    Ok(Verdict {
        kind: kinds.iter().filter_map(|kind| MatterKind::parse(kind)).collect(),
        fault: row.try_get::<Option<&str>, _>("fault_kind")?.and_then(Fault::parse),
        feedback: feedback(row)?,
        priority: Priority::parse(row.try_get("priority")?),
    })
}
