//! Changes for the mirrors.

use super::*;
use crate::pure::domain::outbox::Change;
use std::collections::HashSet;

impl<'a> Writer<'a> {
    /// Changes for the mirrors, of what is not quiet.
    pub(super) async fn outbox(&mut self, mirrors: &[String], mint: &mut IdMint) -> Result<(), StoreError> {
        let mut told: Vec<Told> =
            self.decided.iter().filter(|d| !d.quiet).flat_map(|d| &d.decision.changes).cloned().collect();
        let mut known = self.suggested(&told).await?;
        // Each message of a thread may point to the same other one: agents hear of that once.
        told.retain(|told| suggested(told).is_none_or(|pair| known.insert(pair)));
        queue(self.connection, self.tenant, &told, mirrors, (self.now, self.has_peers), mint).await
    }

    /// Of what is suggested on tickets, what agents have heard of before.
    async fn suggested(&mut self, told: &[Told]) -> Result<HashSet<(Uuid, String)>, StoreError> {
        let (tickets, targets): (Vec<Uuid>, Vec<String>) = told.iter().filter_map(suggested).unzip();
        if tickets.is_empty() {
            return Ok(HashSet::new());
        }
        let known: Vec<(Uuid, String)> = sqlx::query_as(
            "SELECT DISTINCT k.ticket, k.target FROM unnest($1::uuid[], $2::text[]) AS k(ticket, target)
             JOIN outbox o ON o.ticket_id = k.ticket AND o.change = 'suggestion.made' AND o.detail->>'target' = k.target",
        )
        .bind(tickets)
        .bind(targets)
        .fetch_all(&mut *self.connection)
        .await?;
        Ok(known.into_iter().collect())
    }
}

/// The ticket on which something is suggested, and what.
fn suggested(told: &Told) -> Option<(Uuid, String)> {
    let detail = told.detail.as_deref().filter(|_| told.change == Change::SuggestionMade)?;
    let detail: serde_json::Value = serde_json::from_str(detail).ok()?;
    Some((told.ticket.0, detail.get("target")?.as_str()?.to_owned()))
}

/// Queues changes for mirrors, in this order: each lane's sequence is allotted here and has no gap. Others are told
/// when they are there.
pub(crate) async fn queue(
    connection: &mut PgConnection,
    tenant: &str,
    told: &[Told],
    mirrors: &[String],
    (now, has_peers): (Timestamp, bool),
    mint: &mut IdMint,
) -> Result<(), StoreError> {
    let mut counts: BTreeMap<(Uuid, &str), i64> = BTreeMap::new();
    for change in told {
        for mirror in change.hearers.among(mirrors) {
            *counts.entry((change.ticket.0, mirror)).or_default() += 1;
        }
    }
    if counts.is_empty() {
        return Ok(());
    }
    let counts: Vec<_> = counts.into_iter().collect();
    let ends: Vec<(Uuid, String, i64)> = sqlx::query_as(
        "INSERT INTO lane (ticket_id, mirror, last_sequence) SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[])
         ON CONFLICT (ticket_id, mirror) DO UPDATE SET last_sequence = lane.last_sequence + excluded.last_sequence
         RETURNING ticket_id, mirror, last_sequence",
    )
    .bind(column(&counts, |((ticket, _), _)| *ticket))
    .bind(column(&counts, |((_, mirror), _)| *mirror))
    .bind(column(&counts, |(_, count)| *count))
    .fetch_all(&mut *connection)
    .await?;
    let ends: BTreeMap<(Uuid, &str), i64> =
        ends.iter().map(|(ticket, mirror, end)| ((*ticket, mirror.as_str()), *end)).collect();
    let mut next: BTreeMap<(Uuid, &str), i64> =
        counts.iter().map(|(lane, count)| (*lane, ends.get(lane).map_or(1, |end| end - count + 1))).collect();
    let mut rows: Vec<(Uuid, &str, i64, &Told, Option<Uuid>)> = Vec::with_capacity(told.len() * mirrors.len());
    let mut previous: BTreeMap<&str, Uuid> = BTreeMap::new();
    for change in told {
        for mirror in change.hearers.among(mirrors) {
            let sequence = next.entry((change.ticket.0, mirror)).or_insert(1);
            let id: OutboxId = mint.next(now);
            let after = change.waits.then(|| previous.get(mirror).copied()).flatten();
            rows.push((id.0, mirror, *sequence, change, after));
            *sequence += 1;
            previous.insert(mirror, id.0);
        }
    }
    let detail = |r: &(Uuid, &str, i64, &Told, Option<Uuid>)| {
        r.3.detail.as_deref().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok())
    };
    sqlx::query(
        "INSERT INTO outbox (tenant, id, mirror, ticket_id, sequence, change, message_id, other_ticket, detail, after_id, decided_at, due_at)
         SELECT $1, t.*, $11, $11 FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::text[], $7::uuid[], $8::uuid[],
            $9::jsonb[], $10::uuid[]) AS t
         WHERE NOT $12 OR (SELECT pg_notify('lanka_deliver', '') IS NOT NULL)",
    )
    .bind(tenant)
    .bind(column(&rows, |r| r.0))
    .bind(column(&rows, |r| r.1))
    .bind(column(&rows, |r| r.3.ticket.0))
    .bind(column(&rows, |r| r.2))
    .bind(column(&rows, |r| r.3.change.as_str()))
    .bind(column(&rows, |r| r.3.message.map(|id| id.0)))
    .bind(column(&rows, |r| r.3.other.map(|id| id.0)))
    .bind(column(&rows, detail))
    .bind(column(&rows, |r| r.4))
    .bind(sql_time(now))
    .bind(has_peers)
    .execute(connection)
    .await?;
    Ok(())
}
