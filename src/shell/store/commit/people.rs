//! Contacts, their identities, and what was stated about them.

use super::*;
use crate::pure::decide::resolve::ANSWERED_MAX;

impl<'a> Writer<'a> {
    pub(super) async fn contacts(&mut self) -> Result<(), StoreError> {
        let here = self.facts.contacts.values().map(|contact| (contact, None));
        let gone =
            self.facts.gone_contacts.values().map(|contact| (contact, Some(self.facts.contact_now(contact.id).0)));
        let mut rows: Vec<_> = here.chain(gone).filter(|(c, _)| !self.loaded.contacts.contains(&c.id)).collect();
        rows.sort_by_key(|(contact, _)| contact.id);
        if !rows.is_empty() {
            sqlx::query(
                "INSERT INTO contact (id, tenant, kind, name, first_at, merged_into)
                 SELECT id, $1, kind, name, first_at, merged_into
                 FROM unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::uuid[]) AS t(id, kind, name, first_at, merged_into)",
            )
            .bind(self.tenant)
            .bind(column(&rows, |(c, _)| c.id.0))
            .bind(column(&rows, |(c, _)| c.kind.as_str()))
            .bind(column(&rows, |(c, _)| c.name.as_deref()))
            .bind(column(&rows, |(c, _)| sql_time(c.first_at)))
            .bind(column(&rows, |(_, into)| *into))
            .execute(&mut *self.connection)
            .await?;
        }
        let touched: BTreeSet<ContactId> = self
            .deciding()
            .filter_map(|d| d.decision.resolution.contact())
            .map(|contact| self.facts.contact_now(contact))
            .filter(|contact| self.loaded.contacts.contains(contact))
            .collect();
        let rows: Vec<_> = touched.iter().filter_map(|id| self.facts.contacts.get(id)).collect();
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE contact c SET name = t.name, first_at = t.first_at
             FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS t(id, name, first_at)
             WHERE c.id = t.id AND (c.name IS DISTINCT FROM t.name OR c.first_at <> t.first_at)",
        )
        .bind(column(&rows, |c| c.id.0))
        .bind(column(&rows, |c| c.name.as_deref()))
        .bind(column(&rows, |c| sql_time(c.first_at)))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    pub(super) async fn identities(&mut self) -> Result<(), StoreError> {
        let touched: BTreeSet<IdentityId> = self.deciding().flat_map(|d| d.decision.touched_ids()).collect();
        let (old, new): (Vec<_>, Vec<_>) = touched
            .iter()
            .filter_map(|id| self.facts.identity(*id))
            .partition(|known| self.loaded.identities.contains(&known.id));
        if !new.is_empty() {
            let brought = self.deciding().flat_map(|d| d.decision.identities.iter().map(move |touched| (d, touched)));
            let brought =
                brought.filter(|(_, touched)| touched.new).map(|(d, touched)| (touched.id, d.decision.message));
            let opened_by: HashMap<IdentityId, MessageId> = brought.collect();
            sqlx::query(
                "INSERT INTO identity (id, tenant, scheme, scope, value, epoch, contact_id, assurance, names, first_at, last_at, last_ticket, last_message, closed_at, claim_key, opened_by)
                 SELECT id, $1, scheme, scope, value, epoch, contact_id, assurance, coalesce(string_to_array(nullif(names, ''), E'\\n'), '{}'), first_at, last_at, last_ticket, last_message, closed_at, claim_key, opened_by
                 FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::int[], $7::uuid[], $8::smallint[], $9::text[],
                    $10::timestamptz[], $11::timestamptz[], $12::uuid[], $13::uuid[], $14::timestamptz[], $15::uuid[], $16::uuid[])
                    AS t(id, scheme, scope, value, epoch, contact_id, assurance, names, first_at, last_at, last_ticket, last_message, closed_at, claim_key, opened_by)",
            )
            .bind(self.tenant)
            .bind(column(&new, |k| k.id.0))
            .bind(column(&new, |k| k.identity.scheme.as_str()))
            .bind(column(&new, |k| k.identity.scope.as_str()))
            .bind(column(&new, |k| k.identity.value.as_str()))
            .bind(column(&new, |k| k.epoch))
            .bind(column(&new, |k| k.contact.0))
            .bind(column(&new, |k| k.assurance.level()))
            .bind(column(&new, |k| joined_names(k)))
            .bind(column(&new, |k| sql_time(k.first_at)))
            .bind(column(&new, |k| sql_time(k.last_at)))
            .bind(column(&new, |k| k.last_ticket.map(|id| id.0)))
            .bind(column(&new, |k| k.last_message.map(|id| id.0)))
            .bind(column(&new, |k| k.closed_at.map(sql_time)))
            .bind(column(&new, |k| self.keyer.claim(&k.identity).0))
            .bind(column(&new, |k| opened_by.get(&k.id).map(|id| id.0)))
            .execute(&mut *self.connection)
            .await?;
        }
        if old.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE identity i SET assurance = t.assurance, names = coalesce(string_to_array(nullif(t.names, ''), E'\\n'), '{}'),
                first_at = t.first_at, last_at = t.last_at, last_ticket = t.last_ticket, last_message = t.last_message,
                closed_at = t.closed_at
             FROM unnest($1::uuid[], $2::smallint[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::uuid[], $7::uuid[], $8::timestamptz[])
                AS t(id, assurance, names, first_at, last_at, last_ticket, last_message, closed_at)
             WHERE i.id = t.id",
        )
        .bind(column(&old, |k| k.id.0))
        .bind(column(&old, |k| k.assurance.level()))
        .bind(column(&old, |k| joined_names(k)))
        .bind(column(&old, |k| sql_time(k.first_at)))
        .bind(column(&old, |k| sql_time(k.last_at)))
        .bind(column(&old, |k| k.last_ticket.map(|id| id.0)))
        .bind(column(&old, |k| k.last_message.map(|id| id.0)))
        .bind(column(&old, |k| k.closed_at.map(sql_time)))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// People of whom something came that may change what was decided before.
    pub(super) async fn reconsider(&mut self) -> Result<(), StoreError> {
        let mut contacts: BTreeMap<Uuid, bool> = BTreeMap::new();
        for d in self.decided.iter().filter(|d| d.decision.is_late) {
            // A closing is by nobody: it is about whoever said what it is on.
            let closed = || self.facts.contact_of(self.facts.said.get(&d.decision.message)?.talk.identity?);
            if let Some(contact) = d.decision.resolution.contact().or_else(closed) {
                let quiet = contacts.entry(self.facts.contact_now(contact).0).or_insert(true);
                *quiet &= d.quiet;
            }
        }
        for (contact, quiet) in self.awaited().await? {
            *contacts.entry(contact).or_insert(true) &= quiet;
        }
        reconsider::want(self.connection, self.tenant, &contacts, self.now).await
    }

    /// Whose messages named one that has come only now: what it tells of them was not known when they came.
    async fn awaited(&mut self) -> Result<Vec<(Uuid, bool)>, StoreError> {
        let mut by: Vec<(Uuid, bool)> = Vec::new();
        let mut answers: Vec<(Uuid, Uuid)> = Vec::new();
        for d in self.deciding() {
            let Some(key) = d.lookup.own_message() else { continue };
            let anchors = self.facts.anchors.get(&key).into_iter().flatten();
            let waited = anchors.filter(|anchor| {
                matches!(anchor.kind, AnchorKind::Wanted | AnchorKind::Doubted) && anchor.message != d.message.id
            });
            let waited: Vec<&Anchor> = waited.collect();
            by.extend(waited.iter().map(|anchor| (anchor.message.0, d.quiet)));
            if d.decision.facts.iter().any(|fact| fact.kind == FactKind::DeskMessage && fact.key == key) {
                let is_answer = |anchor: &&&Anchor| {
                    anchor.kind == AnchorKind::Wanted && anchor.direction == Direction::FromCustomer
                };
                answers.extend(waited.iter().filter(is_answer).map(|anchor| (anchor.message.0, key.0)));
            }
        }
        self.late_answers(&answers).await?;
        if by.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<(Uuid, bool)> = sqlx::query_as(
            "SELECT i.contact_id, t.quiet FROM unnest($1::uuid[], $2::bool[]) AS t(id, quiet)
             JOIN message m ON m.id = t.id JOIN identity i ON i.id = m.identity_id",
        )
        .bind(column(&by, |(message, _)| *message))
        .bind(column(&by, |(_, quiet)| *quiet))
        .fetch_all(&mut *self.connection)
        .await?;
        Ok(rows)
    }

    /// What answers a message of the desk's that has come only now: as if it had been here before.
    async fn late_answers(&mut self, answers: &[(Uuid, Uuid)]) -> Result<(), StoreError> {
        if answers.is_empty() {
            return Ok(());
        }
        // The nearest that an answer names, as far as it is looked at when it comes.
        sqlx::query(
            "INSERT INTO fact (tenant, id, kind, key_hash, mask, place, identity_id, message_id, channel, assurance, at, received_at)
             SELECT $1, gen_random_uuid(), 'desk_message', t.key, '', 'header', m.identity_id, m.id, m.channel, m.assurance, m.trusted_at, m.received_at
             FROM unnest($2::uuid[], $3::uuid[]) AS t(message, key) JOIN message m ON m.id = t.message
             WHERE m.identity_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM fact f WHERE f.message_id = m.id AND f.key_hash = t.key)
                AND t.key::text IN (SELECT r.named->>1 FROM jsonb_array_elements(m.outline->'r') WITH ORDINALITY AS r(named, place)
                    WHERE r.named->>0 IN ('reply', 'ancestor') ORDER BY r.place LIMIT $4)",
        )
        .bind(self.tenant)
        .bind(column(answers, |(message, _)| *message))
        .bind(column(answers, |(_, key)| *key))
        .bind(i64::try_from(ANSWERED_MAX).unwrap_or(i64::MAX))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Joins of contacts: the identities go over, the journal says so, the old ids stay valid.
    pub(super) async fn merge_contacts(&mut self, mint: &mut IdMint) -> Result<(), StoreError> {
        let mut rows: Vec<(Uuid, Uuid, Uuid, Uuid, Option<serde_json::Value>)> = Vec::new();
        let mut edges: Vec<String> = Vec::new();
        for d in self.deciding() {
            let Resolution::Merge { keep, absorb } = &d.decision.resolution else { continue };
            for gone in absorb {
                let id: EventId = mint.dated(d.message.received_at);
                let why = d.decision.reasons.iter().find(|reason| reason.bits.is_some());
                rows.push((id.0, keep.0, gone.0, d.decision.message.0, why.map(|reason| reason.says.stored())));
                edges.push(format!("{{{}}}", column(&d.decision.edges, |edge| edge.id.to_string()).join(",")));
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO contact_link (id, tenant, act, keep, other, identities, edges, message_id, says, at)
             SELECT t.id, $1, 'join', t.keep, t.other,
                coalesce((SELECT array_agg(i.id ORDER BY i.id) FROM identity i WHERE i.contact_id = t.other), '{}'),
                t.edges::uuid[], t.message_id, t.says, $8
             FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::jsonb[]) AS t(id, keep, other, edges, message_id, says)",
        )
        .bind(self.tenant)
        .bind(column(&rows, |r| r.0))
        .bind(column(&rows, |r| r.1))
        .bind(column(&rows, |r| r.2))
        .bind(edges)
        .bind(column(&rows, |r| r.3))
        .bind(column(&rows, |r| r.4.clone()))
        .bind(sql_time(self.now))
        .execute(&mut *self.connection)
        .await?;
        let gone: BTreeMap<Uuid, Uuid> = rows.iter().map(|r| (r.2, self.facts.contact_now(ContactId(r.2)).0)).collect();
        let (other, keep): (Vec<Uuid>, Vec<Uuid>) = gone.into_iter().unzip();
        for statement in [
            "UPDATE identity i SET contact_id = t.keep FROM unnest($1::uuid[], $2::uuid[]) AS t(other, keep) WHERE i.contact_id = t.other",
            "UPDATE contact c SET merged_into = m.keep FROM (
                SELECT other AS id, keep FROM unnest($1::uuid[], $2::uuid[]) AS t(other, keep)
                UNION ALL
                SELECT e.id, t.keep FROM unnest($1::uuid[], $2::uuid[]) AS t(other, keep)
                CROSS JOIN LATERAL (SELECT id FROM contact WHERE merged_into = t.other OFFSET 0) e
             ) m WHERE c.id = m.id",
            "INSERT INTO ticket_participant (contact_id, ticket_id, role, entitled_by, since)
             SELECT t.keep, p.ticket_id, p.role, p.entitled_by, p.since
             FROM unnest($1::uuid[], $2::uuid[]) AS t(other, keep) JOIN ticket_participant p ON p.contact_id = t.other
             ON CONFLICT DO NOTHING",
            "DELETE FROM ticket_participant p USING unnest($1::uuid[], $2::uuid[]) AS t(other, keep) WHERE p.contact_id = t.other",
        ] {
            sqlx::query(statement).bind(&other).bind(&keep).execute(&mut *self.connection).await?;
        }
        self.aliases("contact", &other, &keep).await
    }

    pub(super) async fn kept_facts(&mut self) -> Result<(), StoreError> {
        let rows: Vec<(&Decided, Uuid, &KeptFact)> = self
            .deciding()
            .filter_map(|d| Some((d, d.decision.identity?.0)))
            .flat_map(|(d, identity)| d.decision.facts.iter().map(move |fact| (d, identity, fact)))
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO fact (tenant, id, kind, name, role, key_hash, mask, place, identity_id, message_id, channel, assurance, at, received_at, refused)
             SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::text[], $9::uuid[],
                $10::uuid[], $11::text[], $12::smallint[], $13::timestamptz[], $14::timestamptz[], $15::bool[])",
        )
        .bind(self.tenant)
        .bind(column(&rows, |(.., fact)| fact.id.0))
        .bind(column(&rows, |(.., fact)| fact.kind.as_str()))
        .bind(column(&rows, |(.., fact)| fact.name.as_str()))
        .bind(column(&rows, |(.., fact)| fact.role.map(|role| json_word(&role))))
        .bind(column(&rows, |(.., fact)| fact.key.0))
        .bind(column(&rows, |(.., fact)| fact.mask.as_str()))
        .bind(column(&rows, |(.., fact)| json_word(&fact.place)))
        .bind(column(&rows, |(_, identity, _)| *identity))
        .bind(column(&rows, |(d, ..)| d.decision.message.0))
        .bind(column(&rows, |(d, ..)| d.message.channel.as_str()))
        .bind(column(&rows, |(.., fact)| fact.assurance.level()))
        .bind(column(&rows, |(d, ..)| sql_time(d.message.trusted_at)))
        .bind(column(&rows, |(d, ..)| sql_time(d.message.received_at)))
        .bind(column(&rows, |(.., fact)| fact.refused))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    pub(super) async fn edges(&mut self) -> Result<(), StoreError> {
        let rows: Vec<(&Decided, &Edge)> =
            self.deciding().flat_map(|d| d.decision.edges.iter().map(move |edge| (d, edge))).collect();
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO edge (tenant, id, identity_a, identity_b, class, bits, message_id, by_message, at)
             SELECT $1, t.*, $9 FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::smallint[], $7::uuid[], $8::uuid[]) AS t",
        )
        .bind(self.tenant)
        .bind(column(&rows, |(_, edge)| edge.id.0))
        .bind(column(&rows, |(_, edge)| edge.from.0))
        .bind(column(&rows, |(_, edge)| edge.to.0))
        .bind(column(&rows, |(_, edge)| edge.class.as_str()))
        .bind(column(&rows, |(_, edge)| edge.bits))
        .bind(column(&rows, |(d, _)| d.decision.message.0))
        .bind(column(&rows, |(_, edge)| edge.by_message.map(|id| id.0)))
        .bind(sql_time(self.now))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    pub(super) async fn suggestions(&mut self) -> Result<(), StoreError> {
        let rows: Vec<(&Decided, &Suggestion)> = self
            .deciding()
            .flat_map(|d| d.decision.suggestions.iter().map(move |suggestion| (d, suggestion)))
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO suggestion (tenant, id, message_id, target_kind, target, by_message, class, bits, says, at)
             SELECT $1, t.*, $10 FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::smallint[], $9::jsonb[])
                AS t(id, message, kind, target, by_message, class, bits, says)",
        )
        .bind(self.tenant)
        .bind(column(&rows, |(_, s)| s.id.0))
        // What an agent writes down is about the message that it is on.
        .bind(column(&rows, |(d, _)| d.message.incoming.on.as_ref().and_then(|on| on.message).unwrap_or(d.decision.message).0))
        .bind(column(&rows, |(_, s)| suggestion_target(s.target).0))
        .bind(column(&rows, |(_, s)| suggestion_target(s.target).1))
        .bind(column(&rows, |(_, s)| s.message.0))
        .bind(column(&rows, |(_, s)| s.class.map(|class| class.as_str())))
        .bind(column(&rows, |(_, s)| s.bits))
        .bind(column(&rows, |(_, s)| s.why.stored()))
        .bind(sql_time(self.now))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }
}

/// Names as one text: arrays of arrays of different lengths do not exist in Postgres.
pub(crate) fn joined_names(known: &crate::pure::domain::contact::KnownIdentity) -> String {
    column(&known.names, |name| name.written()).join("\n")
}

/// The target of a suggestion in SQL: its kind, and which.
pub(crate) fn suggestion_target(target: SuggestionTarget) -> (&'static str, Uuid) {
    match target {
        SuggestionTarget::Contact(id) => ("contact", id.0),
        SuggestionTarget::Ticket(id) => ("ticket", id.0),
    }
}
