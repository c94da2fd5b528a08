//! Changes for the mirrors.

use super::*;

impl<'a> Writer<'a> {
    /// Changes for the mirrors: each lane's sequence is allotted here and has no gap.
    pub(super) async fn outbox(&mut self, mirrors: &[String], mint: &mut IdMint) -> Result<(), StoreError> {
        let told: Vec<(&Decided, &Told)> = self
            .decided
            .iter()
            .filter(|d| !d.quiet)
            .flat_map(|d| d.decision.changes.iter().map(move |told| (d, told)))
            .collect();
        if told.is_empty() || mirrors.is_empty() {
            return Ok(());
        }
        let mut counts: BTreeMap<(Uuid, &str), i64> = BTreeMap::new();
        for (_, change) in &told {
            for mirror in mirrors {
                *counts.entry((self.lane(change), mirror.as_str())).or_default() += 1;
            }
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
        .fetch_all(&mut *self.connection)
        .await?;
        let ends: BTreeMap<(Uuid, &str), i64> =
            ends.iter().map(|(ticket, mirror, end)| ((*ticket, mirror.as_str()), *end)).collect();
        let mut next: BTreeMap<(Uuid, &str), i64> =
            counts.iter().map(|(lane, count)| (*lane, ends.get(lane).map_or(1, |end| end - count + 1))).collect();
        let mut rows: Vec<(Uuid, &str, Uuid, i64, &Told, Option<Uuid>)> =
            Vec::with_capacity(told.len() * mirrors.len());
        let mut previous: BTreeMap<&str, Uuid> = BTreeMap::new();
        for (_, change) in &told {
            let lane = self.lane(change);
            for mirror in mirrors {
                let sequence = next.entry((lane, mirror.as_str())).or_insert(1);
                let id: OutboxId = mint.next(self.now);
                let after = change.waits.then(|| previous.get(mirror.as_str()).copied()).flatten();
                rows.push((id.0, mirror, lane, *sequence, change, after));
                *sequence += 1;
                previous.insert(mirror, id.0);
            }
        }
        self.insert_outbox(&rows).await
    }

    /// The lane of a change: that of the ticket it names. A change told after its ticket was merged
    /// away goes to the lane of the ticket that stays, but the merge itself ends the old one.
    fn lane(&self, change: &Told) -> Uuid {
        change.ticket.0
    }

    async fn insert_outbox(&mut self, rows: &[(Uuid, &str, Uuid, i64, &Told, Option<Uuid>)]) -> Result<(), StoreError> {
        let detail = |r: &(Uuid, &str, Uuid, i64, &Told, Option<Uuid>)| {
            r.4.detail.as_deref().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok())
        };
        sqlx::query(
            "INSERT INTO outbox (tenant, id, mirror, ticket_id, sequence, change, message_id, other_ticket, detail, after_id, decided_at, due_at)
             SELECT $1, t.*, $11, $11 FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::text[], $7::uuid[], $8::uuid[],
                $9::jsonb[], $10::uuid[]) AS t
             WHERE NOT $12 OR (SELECT pg_notify('lanka_deliver', '') IS NOT NULL)",
        )
        .bind(self.tenant)
        .bind(column(rows, |r| r.0))
        .bind(column(rows, |r| r.1))
        .bind(column(rows, |r| r.2))
        .bind(column(rows, |r| r.3))
        .bind(column(rows, |r| r.4.change.as_str()))
        .bind(column(rows, |r| r.4.message.map(|id| id.0)))
        .bind(column(rows, |r| r.4.other.map(|id| id.0)))
        .bind(column(rows, detail))
        .bind(column(rows, |r| r.5))
        .bind(sql_time(self.now))
        .bind(self.has_peers)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }
}
