//! Tickets, who is on them, what finds them, and their journal.

use super::*;

const INSERT_TICKETS: &str = "
    INSERT INTO ticket (tenant, id, state, title, kind, priority, opened_at, last_at, closed_at, follow_up_of, opened_by, merged_into,
        owner, owner_at, awaited_since, awaited_at, resumed_at, queue, queued, fault_kind, feedback, classified, unanswered)
    SELECT $1, id, state, title, coalesce(string_to_array(nullif(kind, ''), ','), '{}'), priority, opened_at, last_at, closed_at,
        follow_up_of, opened_by, merged_into, owner, owner_at, awaited_since, awaited_at, resumed_at, queue, queued, fault_kind,
        coalesce(string_to_array(nullif(feedback, ''), ','), '{}'), classified, unanswered
    FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::timestamptz[],
        $10::uuid[], $11::uuid[], $12::uuid[], $13::text[], $14::timestamptz[], $15::timestamptz[], $16::timestamptz[],
        $17::timestamptz[], $18::text[], $19::jsonb[], $20::text[], $21::text[], $22::jsonb[], $23::int[])
        AS t(id, state, title, kind, priority, opened_at, last_at, closed_at, follow_up_of, opened_by, merged_into, owner, owner_at,
            awaited_since, awaited_at, resumed_at, queue, queued, fault_kind, feedback, classified, unanswered)";

const UPDATE_TICKETS: &str = "
    UPDATE ticket k SET state = t.state, title = t.title, kind = coalesce(string_to_array(nullif(t.kind, ''), ','), '{}'),
        priority = t.priority, opened_at = t.opened_at, last_at = t.last_at, closed_at = t.closed_at,
        owner = t.owner, owner_at = t.owner_at, awaited_since = t.awaited_since, awaited_at = t.awaited_at,
        resumed_at = t.resumed_at, queue = t.queue, queued = t.queued, fault_kind = t.fault_kind,
        feedback = coalesce(string_to_array(nullif(t.feedback, ''), ','), '{}'), classified = t.classified, unanswered = t.unanswered
    FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::timestamptz[],
        $10::uuid[], $11::uuid[], $12::uuid[], $13::text[], $14::timestamptz[], $15::timestamptz[], $16::timestamptz[],
        $17::timestamptz[], $18::text[], $19::jsonb[], $20::text[], $21::text[], $22::jsonb[], $23::int[])
        AS t(id, state, title, kind, priority, opened_at, last_at, closed_at, follow_up_of, opened_by, merged_into, owner, owner_at,
            awaited_since, awaited_at, resumed_at, queue, queued, fault_kind, feedback, classified, unanswered)
    WHERE k.tenant = $1 AND k.id = t.id";

/// Who did what nobody else did.
pub(in crate::shell::store) const BY_LANKA: &str = "lanka";

impl<'a> Writer<'a> {
    pub(super) async fn tickets(&mut self) -> Result<(), StoreError> {
        let mut touched: BTreeSet<TicketId> = BTreeSet::new();
        let acts = self
            .decided
            .iter()
            .filter(|d| d.decision.role == ItemRole::Update && d.message.incoming.what.is_of_ticket());
        for d in self.deciding().chain(acts) {
            touched.extend(d.decision.placement.ticket().map(|ticket| self.facts.ticket_now(ticket)));
            touched.extend(d.decision.placement.ticket());
            touched.extend(d.decision.moves.iter().flat_map(|m| [m.from, self.facts.ticket_now(m.to)]));
        }
        let row = |id: &TicketId| match self.facts.tickets.get(id) {
            Some(known) => Some((&known.ticket, None)),
            None => self.facts.gone_tickets.get(id).map(|ticket| (ticket, Some(self.facts.ticket_now(*id).0))),
        };
        let (old, new): (Vec<_>, Vec<_>) =
            touched.iter().filter_map(row).partition(|(ticket, _)| self.loaded.tickets.contains(&ticket.id));
        for (rows, statement) in [(new, INSERT_TICKETS), (old, UPDATE_TICKETS)] {
            if rows.is_empty() {
                continue;
            }
            sqlx::query(statement)
                .bind(self.tenant)
                .bind(column(&rows, |(t, _)| t.id.0))
                .bind(column(&rows, |(t, _)| t.state.as_str()))
                .bind(column(&rows, |(t, _)| t.title.as_str()))
                .bind(column(&rows, |(t, _)| t.kind.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(",")))
                .bind(column(&rows, |(t, _)| t.priority.as_str()))
                .bind(column(&rows, |(t, _)| sql_time(t.opened_at)))
                .bind(column(&rows, |(t, _)| sql_time(t.last_at)))
                .bind(column(&rows, |(t, _)| t.closed_at.map(sql_time)))
                .bind(column(&rows, |(t, _)| t.follow_up_of.map(|id| id.0)))
                .bind(column(&rows, |(t, _)| t.opened_by.0))
                .bind(column(&rows, |(_, into)| *into))
                .bind(column(&rows, |(t, _)| t.owner.as_ref().and_then(|owner| owner.name.as_deref())))
                .bind(column(&rows, |(t, _)| t.owner.as_ref().map(|owner| sql_time(owner.at))))
                .bind(column(&rows, |(t, _)| t.awaited_since().map(sql_time)))
                .bind(column(&rows, |(t, _)| t.awaiting.asked_at.map(sql_time)))
                .bind(column(&rows, |(t, _)| t.awaiting.ended_at.map(sql_time)))
                .bind(column(&rows, |(t, _)| t.queued.queue()))
                .bind(column(&rows, |(t, _)| serde_json::to_value(&t.queued).unwrap_or_default()))
                .bind(column(&rows, |(t, _)| t.fault.map(|fault| fault.as_str())))
                .bind(column(&rows, |(t, _)| column(&t.feedback, |kind| kind.as_str()).join(",")))
                .bind(column(&rows, |(t, _)| t.classified.as_ref().and_then(|said| serde_json::to_value(said).ok())))
                .bind(column(&rows, |(t, _)| i32::try_from(t.unanswered).unwrap_or(i32::MAX)))
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(())
    }

    /// Joins of tickets: everything on the one goes to the other, the old id stays valid.
    pub(super) async fn merge_tickets(&mut self) -> Result<(), StoreError> {
        let gone: BTreeMap<Uuid, Uuid> = self
            .deciding()
            .flat_map(|d| &d.decision.moves)
            .map(|m| (m.from.0, self.facts.ticket_now(m.from).0))
            .filter(|(from, to)| from != to)
            .collect();
        if gone.is_empty() {
            return Ok(());
        }
        let (other, keep): (Vec<Uuid>, Vec<Uuid>) = gone.into_iter().unzip();
        for statement in [
            "UPDATE message m SET ticket_id = t.keep FROM unnest($1::uuid[], $2::uuid[]) AS t(other, keep) WHERE m.ticket_id = t.other",
            "UPDATE ticket_reference r SET ticket_id = t.keep FROM unnest($1::uuid[], $2::uuid[]) AS t(other, keep) WHERE r.ticket_id = t.other",
            "UPDATE ticket k SET merged_into = m.keep FROM (
                SELECT other AS id, keep FROM unnest($1::uuid[], $2::uuid[]) AS t(other, keep)
                UNION ALL
                SELECT e.id, t.keep FROM unnest($1::uuid[], $2::uuid[]) AS t(other, keep)
                CROSS JOIN LATERAL (SELECT id FROM ticket WHERE merged_into = t.other OFFSET 0) e
             ) m WHERE k.id = m.id",
            "INSERT INTO ticket_participant (contact_id, ticket_id, role, entitled_by, since)
             SELECT p.contact_id, t.keep, p.role, p.entitled_by, p.since
             FROM unnest($1::uuid[], $2::uuid[]) AS t(other, keep) JOIN ticket_participant p ON p.ticket_id = t.other
             ON CONFLICT DO NOTHING",
            "DELETE FROM ticket_participant p USING unnest($1::uuid[], $2::uuid[]) AS t(other, keep) WHERE p.ticket_id = t.other",
        ] {
            sqlx::query(statement).bind(&other).bind(&keep).execute(&mut *self.connection).await?;
        }
        self.aliases("ticket", &other, &keep).await
    }

    pub(super) async fn participants(&mut self) -> Result<(), StoreError> {
        let mut rows: BTreeMap<(Uuid, Uuid), (&str, Timestamp)> = BTreeMap::new();
        for d in self.deciding() {
            let contact = d.decision.resolution.contact().map(|contact| self.facts.contact_now(contact).0);
            if let (Some(contact), Some(ticket), Some(by)) = (contact, self.ticket_of(d), d.decision.entitled_by) {
                rows.entry((contact, ticket)).or_insert((by.as_str(), d.message.received_at));
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = rows.into_iter().collect();
        sqlx::query(
            "INSERT INTO ticket_participant (contact_id, ticket_id, entitled_by, since)
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[]) ON CONFLICT DO NOTHING",
        )
        .bind(column(&rows, |((contact, _), _)| *contact))
        .bind(column(&rows, |((_, ticket), _)| *ticket))
        .bind(column(&rows, |(_, (by, _))| *by))
        .bind(column(&rows, |(_, (_, since))| sql_time(*since)))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    pub(super) async fn references(&mut self) -> Result<(), StoreError> {
        let rows: Vec<(&Decided, &(AnchorKind, LookupKey, String))> =
            self.deciding().flat_map(|d| d.decision.anchors.iter().map(move |anchor| (d, anchor))).collect();
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO ticket_reference (tenant, key_hash, kind, name, ticket_id, message_id, direction, at)
             SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::timestamptz[])",
        )
        .bind(self.tenant)
        .bind(column(&rows, |(_, (_, key, _))| key.0))
        .bind(column(&rows, |(_, (kind, ..))| kind.as_str()))
        .bind(column(&rows, |(_, (.., name))| name.as_str()))
        .bind(column(&rows, |(d, _)| self.ticket_of(d)))
        .bind(column(&rows, |(d, _)| d.decision.message.0))
        .bind(column(&rows, |(d, _)| word(d.message.incoming.direction)))
        .bind(column(&rows, |(d, _)| sql_time(d.message.occurred_at)))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Senders who could not be checked are checked again later.
    pub(super) async fn sender_checks(&mut self) -> Result<(), StoreError> {
        let unknown = |d: &&Decided| d.message.incoming.authentication == Some(Authentication::Unknown);
        let firsts = self.firsts();
        let rows: Vec<(Uuid, Uuid, &str, Timestamp)> = firsts
            .iter()
            .copied()
            .filter(unknown)
            .map(|d| (d.decision.message.0, d.message.raw_event.0, d.message.channel.as_str(), d.message.received_at))
            .collect();
        sender_check::want(self.connection, self.tenant, &rows, self.now).await
    }

    pub(super) async fn decisions(&mut self) -> Result<(), StoreError> {
        let rows: Vec<&Decided> = self.deciding().collect();
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO decision (tenant, message_id, contact_id, ticket_id, resolution, placement, reasons, at)
             SELECT $1, t.*, $8 FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::jsonb[]) AS t",
        )
        .bind(self.tenant)
        .bind(column(&rows, |d| d.decision.message.0))
        .bind(column(&rows, |d| d.decision.resolution.contact().map(|id| id.0)))
        .bind(column(&rows, |d| d.decision.placement.ticket().map(|id| id.0)))
        .bind(column(&rows, |d| match d.decision.resolution {
            Resolution::Known(_) => "known",
            Resolution::New(_) => "new",
            Resolution::Merge { .. } => "merge",
            Resolution::Nobody => "nobody",
        }))
        .bind(column(&rows, |d| match d.decision.placement {
            Placement::Join(_) => "join",
            Placement::Reopen(_) => "reopen",
            Placement::Open { .. } => "open",
            Placement::Close { .. } => "close",
            Placement::None => "none",
        }))
        .bind(column(&rows, |d| serde_json::to_value(&d.decision.reasons).unwrap_or_default()))
        .bind(sql_time(self.now))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    pub(super) async fn ticket_events(&mut self, mint: &mut IdMint) -> Result<(), StoreError> {
        let mut rows: Vec<(EventId, Option<Uuid>, String, Option<Uuid>, serde_json::Value, &str)> = Vec::new();
        let mut waiting: Vec<(LookupKey, EventId, &Decided)> = Vec::new();
        for d in self.decided {
            let at = d.message.received_at;
            let ticket = d.decision.placement.ticket().map(|id| id.0);
            let message = Some(self.message_of(d));
            // What agents did in a tool of theirs is known by the channel that told of it.
            let by = if d.message.incoming.on.is_some() { d.message.channel.as_str() } else { BY_LANKA };
            if matches!(d.decision.role, ItemRole::Update | ItemRole::Move) {
                let incoming = &d.message.incoming;
                let data = serde_json::json!({
                    "text": incoming.content.text(), "direction": incoming.direction, "occurred_at": d.message.occurred_at,
                    "why": incoming.subject,
                });
                let event = mint.dated(at);
                rows.push((event, self.ticket_of(d), json_word(&incoming.what), message, data, by));
                waiting.extend(d.lookup.target(&d.message).filter(|_| self.is_waiting(d)).map(|key| (key, event, d)));
            }
            for moved in &d.decision.moves {
                let data = serde_json::json!({ "into": self.facts.ticket_now(moved.to), "says": moved.why });
                rows.push((mint.dated(at), Some(moved.from.0), "merged".to_owned(), message, data, BY_LANKA));
            }
            match &d.decision.placement {
                Placement::Open { follow_up_of, .. } if d.decision.role != ItemRole::Update => {
                    let data = serde_json::json!({ "follow_up_of": follow_up_of });
                    rows.push((mint.dated(at), ticket, "opened".to_owned(), message, data, by));
                }
                Placement::Reopen(_) => {
                    rows.push((mint.dated(at), ticket, "reopened".to_owned(), message, serde_json::json!({}), by))
                }
                Placement::Close { at: closed_at, .. } => {
                    let data = serde_json::json!({ "occurred_at": closed_at });
                    rows.push((mint.dated(at), ticket, "closed".to_owned(), message, data, by));
                }
                _ => {}
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO ticket_event (tenant, id, ticket_id, kind, message_id, data, by, at)
             SELECT $1, t.*, $8 FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::jsonb[], $7::text[]) AS t",
        )
        .bind(self.tenant)
        .bind(column(&rows, |r| r.0.0))
        .bind(column(&rows, |r| r.1))
        .bind(column(&rows, |r| r.2.as_str()))
        .bind(column(&rows, |r| r.3))
        .bind(column(&rows, |r| r.4.clone()))
        .bind(column(&rows, |r| r.5))
        .bind(sql_time(self.now))
        .execute(&mut *self.connection)
        .await?;
        self.wait(&waiting).await
    }
}
