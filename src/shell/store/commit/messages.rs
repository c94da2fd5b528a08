//! Messages, their attachments, and the items they came as.

use super::*;
use crate::pure::domain::name::PersonName;
use crate::pure::domain::outline::Outline;

/// Why a file of imported history is not fetched: importing calls nobody.
const IMPORTED: &str = "left with the vendor when history was imported";

const INSERT_MESSAGES: &str = "
    INSERT INTO message (tenant, id, raw_event, item, channel, kind, namespace, source_key, direction, identity_id, ticket_id,
        sender_name, occurred_at, trusted_at, received_at, subject, text, own_text, call, assurance, auto, marks, matter_kind,
        priority, numbers, forwarded_from, outline, names, answer_path, problem, effect, feedback)
    SELECT $1, id, raw_event, item, channel, kind, namespace, source_key, direction, identity_id, ticket_id, sender_name,
        occurred_at, trusted_at, received_at, subject, text, own_text, call, assurance, auto,
        coalesce(string_to_array(nullif(marks, ''), ','), '{}'), coalesce(string_to_array(nullif(matter_kind, ''), ','), '{}'),
        priority, coalesce(string_to_array(nullif(numbers, ''), E'\\n'), '{}'), forwarded_from, outline,
        coalesce(string_to_array(nullif(names, ''), E'\\n'), '{}'), answer_path, problem, effect,
        coalesce(string_to_array(nullif(feedback, ''), ','), '{}')
    FROM unnest($2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::uuid[],
        $11::uuid[], $12::text[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[], $16::text[], $17::text[],
        $18::text[], $19::jsonb[], $20::smallint[], $21::text[], $22::text[], $23::text[], $24::text[], $25::text[], $26::text[], $27::jsonb[], $28::text[], $29::text[],
        $30::text[], $31::text[], $32::text[])
        AS t(id, raw_event, item, channel, kind, namespace, source_key, direction, identity_id, ticket_id, sender_name,
            occurred_at, trusted_at, received_at, subject, text, own_text, call, assurance, auto, marks, matter_kind, priority,
            numbers, forwarded_from, outline, names, answer_path, problem, effect, feedback)";

impl<'a> Writer<'a> {
    pub(super) async fn messages(&mut self) -> Result<(), StoreError> {
        let rows = self.firsts();
        if rows.is_empty() {
            return Ok(());
        }
        let own = |d: &'a Decided| {
            let text = d.message.incoming.content.text();
            (d.message.own_text != text).then_some(d.message.own_text.as_str())
        };
        let call = |d: &'a Decided| match self.facts.calls.get(&d.decision.message) {
            Some(known) => serde_json::to_value(&known.call).ok(),
            None => None,
        };
        let text = |d: &'a Decided| match self.facts.calls.get(&d.decision.message) {
            Some(known) => known.text.as_str(),
            None => d.message.incoming.content.text(),
        };
        sqlx::query(INSERT_MESSAGES)
            .bind(self.tenant)
            .bind(column(&rows, |d| d.decision.message.0))
            .bind(column(&rows, |d| d.message.raw_event.0))
            .bind(column(&rows, |d| i32::try_from(d.message.item).unwrap_or(i32::MAX)))
            .bind(column(&rows, |d| d.message.channel.as_str()))
            .bind(column(&rows, |d| d.message.kind.as_str()))
            .bind(column(&rows, |d| d.message.incoming.namespace.as_str()))
            .bind(column(&rows, |d| d.message.incoming.source_key.as_str()))
            .bind(column(&rows, |d| word(d.message.incoming.direction)))
            .bind(column(&rows, |d| self.identity_of(d)))
            .bind(column(&rows, |d| self.ticket_of(d)))
            .bind(column(&rows, |d| d.message.incoming.sender.name.as_deref()))
            .bind(column(&rows, |d| sql_time(d.message.occurred_at)))
            .bind(column(&rows, |d| sql_time(d.message.trusted_at)))
            .bind(column(&rows, |d| sql_time(d.message.received_at)))
            .bind(column(&rows, |d| d.message.incoming.subject.as_deref()))
            .bind(column(&rows, |d| text(d)))
            .bind(column(&rows, |d| own(d)))
            .bind(column(&rows, |d| call(d)))
            .bind(column(&rows, |d| d.message.assurance.level()))
            .bind(column(&rows, |d| d.message.incoming.auto.map(|auto| json_word(&auto))))
            .bind(column(&rows, |d| marks(d)))
            .bind(column(&rows, |d| column(&d.decision.triage.kind, |kind| kind.as_str()).join(",")))
            .bind(column(&rows, |d| d.decision.triage.priority.as_str()))
            .bind(column(&rows, |d| d.message.numbers().map(|(_, _, value)| value).collect::<Vec<_>>().join("\n")))
            .bind(column(&rows, |d| d.message.incoming.forwarded_from.as_deref()))
            .bind(column(&rows, |d| outline(d)))
            .bind(column(&rows, |d| d.message.names().map(PersonName::written).collect::<Vec<_>>().join("\n")))
            .bind(column(&rows, |d| d.message.incoming.answer_path.as_deref()))
            .bind(column(&rows, |d| d.decision.triage.problem.map(|problem| problem.as_str())))
            .bind(column(&rows, |d| d.decision.triage.effect.map(|effect| effect.as_str())))
            .bind(column(&rows, |d| column(&d.decision.triage.feedback, |kind| kind.as_str()).join(",")))
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// A call's identity and ticket may come with a later leg of the same batch.
    fn identity_of(&self, d: &Decided) -> Option<Uuid> {
        let of_call = self.facts.calls.get(&d.decision.message).and_then(|known| known.identity);
        d.decision.identity.or(of_call).map(|id| id.0)
    }

    /// Further legs of calls that are stored: the last state of each.
    pub(super) async fn legs(&mut self) -> Result<(), StoreError> {
        let rows: BTreeMap<Uuid, &Decided> = self
            .decided
            .iter()
            .filter(|d| d.decision.role == ItemRole::Leg)
            .map(|d| (d.decision.message.0, d))
            .collect();
        let rows: Vec<_> =
            rows.iter().filter_map(|(id, d)| Some((*id, *d, self.facts.calls.get(&d.decision.message)?))).collect();
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE message m SET call = t.call, text = t.text, identity_id = t.identity_id, ticket_id = coalesce(t.ticket_id, m.ticket_id),
                occurred_at = least(m.occurred_at, t.occurred_at), direction = CASE WHEN t.customers THEN 'from_customer' ELSE m.direction END,
                marks = CASE WHEN t.call_back THEN array_append(array_remove(m.marks, 'call_back'), 'call_back')
                    ELSE array_remove(m.marks, 'call_back') END,
                matter_kind = coalesce(string_to_array(nullif(t.matter_kind, ''), ','), '{}'), problem = t.problem, effect = t.effect,
                feedback = coalesce(string_to_array(nullif(t.feedback, ''), ','), '{}'), priority = t.priority
             FROM unnest($1::uuid[], $2::jsonb[], $3::text[], $4::uuid[], $5::uuid[], $6::timestamptz[], $7::bool[], $8::bool[],
                    $9::text[], $10::text[], $11::text[], $12::text[], $13::text[])
                AS t(id, call, text, identity_id, ticket_id, occurred_at, customers, call_back, matter_kind, problem, effect, feedback, priority)
             WHERE m.id = t.id",
        )
        .bind(column(&rows, |(id, ..)| *id))
        .bind(column(&rows, |(.., known)| serde_json::to_value(&known.call).unwrap_or_default()))
        .bind(column(&rows, |(.., known)| known.text.as_str()))
        .bind(column(&rows, |(.., known)| known.identity.map(|id| id.0)))
        .bind(column(&rows, |(.., known)| known.ticket.map(|id| self.facts.ticket_now(id).0)))
        .bind(column(&rows, |(_, d, _)| sql_time(d.message.occurred_at)))
        .bind(column(&rows, |(.., known)| known.direction == Direction::FromCustomer))
        .bind(column(&rows, |(.., known)| known.is_to_be_returned()))
        .bind(column(&rows, |(_, d, _)| column(&d.decision.triage.kind, |kind| kind.as_str()).join(",")))
        .bind(column(&rows, |(_, d, _)| d.decision.triage.problem.map(|problem| problem.as_str())))
        .bind(column(&rows, |(_, d, _)| d.decision.triage.effect.map(|effect| effect.as_str())))
        .bind(column(&rows, |(_, d, _)| column(&d.decision.triage.feedback, |kind| kind.as_str()).join(",")))
        .bind(column(&rows, |(_, d, _)| d.decision.triage.priority.as_str()))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Who said earlier messages, where that was not known.
    pub(super) async fn told(&mut self) -> Result<(), StoreError> {
        let told = |d: &'a Decided| Some((d.decision.tells_sender_of?, d.decision.identity?));
        let rows: Vec<_> = self.decided.iter().filter_map(told).collect();
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE message m SET identity_id = t.identity FROM unnest($1::uuid[], $2::uuid[]) AS t(id, identity)
             WHERE m.id = t.id AND m.identity_id IS NULL",
        )
        .bind(column(&rows, |(message, _)| message.0))
        .bind(column(&rows, |(_, identity)| identity.0))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    pub(super) async fn attachments(&mut self) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        // Files that come after their message: those of a history, which are named without them first.
        for d in self.decided.iter().filter(|d| d.decision.role == ItemRole::Update && !self.is_waiting(d)) {
            for (ordinal, file) in d.message.incoming.attachments.iter().enumerate() {
                if d.message.incoming.what == What::Edit && matches!(file.source, AttachmentSource::Remote(_)) {
                    let ordinal = i32::try_from(ordinal).unwrap_or(i32::MAX);
                    rows.push((self.message_of(d), ordinal, file, Kept::Remote, d));
                }
            }
        }
        for d in self.firsts() {
            for (ordinal, (file, content)) in d.message.incoming.attachments.iter().zip(&d.contents).enumerate() {
                rows.push((d.decision.message.0, i32::try_from(ordinal).unwrap_or(i32::MAX), file, *content, d));
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let remote = |file: &'a Attachment| match &file.source {
            AttachmentSource::Remote(remote) => Some(remote.at.as_str()),
            AttachmentSource::Inline(_) => None,
        };
        sqlx::query(
            "INSERT INTO attachment (message_id, ordinal, name, media_type, bytes, content_hash, remote, inline, lost)
             SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::bigint[], $6::bytea[], $7::text[], $8::bool[], $9::text[])
                AS t(id, ordinal, name, media_type, bytes, content_hash, remote, inline, lost)
             WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = t.id AND m.redacted_at IS NOT NULL)
             ON CONFLICT (message_id, ordinal) DO NOTHING",
        )
        .bind(column(&rows, |r| r.0))
        .bind(column(&rows, |r| r.1))
        .bind(column(&rows, |r| r.2.name.as_deref()))
        .bind(column(&rows, |r| r.2.media_type.as_str()))
        .bind(column(&rows, |r| match r.3 {
            Kept::Here(Stored { bytes, .. }) | Kept::TooLarge(bytes) => i64::try_from(bytes).unwrap_or(i64::MAX),
            Kept::Remote => 0,
        }))
        .bind(column(&rows, |r| match r.3 {
            Kept::Here(stored) => Some(stored.hash.0.to_vec()),
            Kept::Remote | Kept::TooLarge(_) => None,
        }))
        .bind(column(&rows, |r| remote(r.2)))
        .bind(column(&rows, |r| r.2.inline))
        .bind(column(&rows, |r| match r.3 {
            Kept::TooLarge(_) => Some(media::TOO_LARGE),
            Kept::Remote if r.4.quiet => Some(IMPORTED),
            Kept::Remote | Kept::Here(_) => None,
        }))
        .execute(&mut *self.connection)
        .await?;
        let told = rows.iter().filter(|r| !r.4.quiet);
        let wanted: Vec<New<'_>> = told.filter_map(|r| wanted(r.0, r.1, r.2, r.4)).collect();
        media::want(&mut *self.connection, self.tenant, &wanted, self.now).await
    }

    pub(super) async fn items(&mut self) -> Result<(), StoreError> {
        let rows = self.decided;
        let is_erased = |d: &Decided| d.decision.role == ItemRole::Erased;
        let duplicate = |d: &Decided| (d.decision.role == ItemRole::Repeat).then(|| self.message_of(d));
        let message = |d: &Decided| match d.decision.role {
            ItemRole::Erased => None,
            // The key of its decision: who it is about. There is no such message.
            ItemRole::Move => Some(d.decision.message.0),
            _ if self.is_waiting(d) => None,
            _ => Some(self.message_of(d)),
        };
        sqlx::query(
            "INSERT INTO raw_item (raw_event, item, role, what, source_key, message_id, duplicate_of, redacted_at)
             SELECT raw_event, item, role, what, source_key, message_id, duplicate_of, CASE WHEN erased THEN now() END
             FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::boolean[])
                AS t(raw_event, item, role, what, source_key, message_id, duplicate_of, erased)
             ON CONFLICT (raw_event, item) DO NOTHING",
        )
        .bind(column(rows, |d| d.message.raw_event.0))
        .bind(column(rows, |d| i32::try_from(d.message.item).unwrap_or(i32::MAX)))
        .bind(column(rows, |d| d.decision.role.as_str()))
        .bind(column(rows, |d| json_word(&d.message.incoming.what)))
        // A vendor's id may hold the person's number.
        .bind(column(rows, |d| if is_erased(d) { "" } else { d.message.incoming.source_key.as_str() }))
        .bind(column(rows, message))
        .bind(column(rows, duplicate))
        .bind(column(rows, is_erased))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    pub(super) async fn seen(&mut self) -> Result<(), StoreError> {
        let rows: Vec<&Decided> =
            self.decided.iter().filter(|d| !matches!(d.decision.role, ItemRole::Repeat | ItemRole::Erased)).collect();
        if rows.is_empty() {
            return Ok(());
        }
        // A row that is there already means that another daemon took the message in meanwhile: the
        // constraint, not a look, is what holds, and the batch is decided again.
        sqlx::query("INSERT INTO seen (scope, key_hash, message_id, first_at) SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::timestamptz[])")
            .bind(column(&rows, |d| d.lookup.seen_scope.as_str()))
            .bind(column(&rows, |d| d.lookup.seen_key.0))
            .bind(column(&rows, |d| self.message_of(d)))
            .bind(column(&rows, |d| sql_time(d.message.received_at)))
            .execute(&mut *self.connection)
            .await
            .map_err(|error| match &error {
                sqlx::Error::Database(inner) if inner.is_unique_violation() => StoreError::Stale,
                _ => StoreError::Database(error),
            })?;
        Ok(())
    }
}

/// What placing the message anew needs.
fn outline(d: &Decided) -> serde_json::Value {
    serde_json::to_value(Outline::of(&d.message, &d.lookup, &d.decision)).unwrap_or_default()
}

fn marks(d: &Decided) -> String {
    let mut marks: BTreeSet<Mark> = d.message.incoming.marks.iter().copied().collect();
    if d.decision.message_id_reused {
        marks.insert(Mark::MessageIdReused);
    }
    marks.iter().map(json_word).collect::<Vec<_>>().join(",")
}

/// What is to be fetched of an attachment that the vendor has.
fn wanted<'a>(message: Uuid, ordinal: i32, file: &Attachment, d: &'a Decided) -> Option<New<'a>> {
    let AttachmentSource::Remote(remote) = &file.source else { return None };
    let expires_at = remote.kept.and_then(|kept| d.message.received_at.saturating_add(kept).ok());
    // The tool has it that the agent wrote in, whatever channel carries it.
    let given_in = d.message.incoming.answer.as_ref().and_then(|answer| answer.given_in.as_ref());
    let channel = given_in.map_or(d.message.channel.as_str(), |given_in| given_in.mirror.as_str());
    Some(New { message, ordinal, channel, sha256: remote.sha256, expires_at })
}
