//! Changes for the mirrors.

use super::*;

impl<'a> Writer<'a> {
    /// Changes for the mirrors, of what is not quiet.
    pub(super) async fn outbox(&mut self, mirrors: &[String], mint: &mut IdMint) -> Result<(), StoreError> {
        let told: Vec<Told> =
            self.decided.iter().filter(|d| !d.quiet).flat_map(|d| &d.decision.changes).cloned().collect();
        queue(self.connection, self.tenant, &told, mirrors, (self.now, self.has_peers), mint).await
    }
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
