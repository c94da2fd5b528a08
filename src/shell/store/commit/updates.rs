//! What changes a message that is stored, or waits for one that is not.

use super::*;

/// Why the files of a message are gone that its sender took back.
const TAKEN_BACK: &str = "taken back by its sender";

impl<'a> Writer<'a> {
    /// Updates about messages that have not come are kept under their keys.
    pub(super) async fn wait(&mut self, rows: &[(LookupKey, EventId, &Decided)]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO early_update (key_hash, event_id, raw_event, item, seen_scope, seen_key)
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::uuid[])",
        )
        .bind(column(rows, |(key, ..)| key.0))
        .bind(column(rows, |(_, event, _)| event.0))
        .bind(column(rows, |(.., d)| d.message.raw_event.0))
        .bind(column(rows, |(.., d)| i32::try_from(d.message.item).unwrap_or(i32::MAX)))
        .bind(column(rows, |(.., d)| d.lookup.seen_scope.as_str()))
        .bind(column(rows, |(.., d)| d.lookup.seen_key.0))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Stored updates whose message has come now are put where they would be, had it come first.
    pub(super) async fn attach(&mut self) -> Result<(), StoreError> {
        let has_stored = |d: &&Decided| d.decision.early.iter().any(|early| early.of_batch.is_none());
        let firsts = self.firsts().into_iter().filter(has_stored);
        let rows: Vec<(LookupKey, &Decided)> = firsts.filter_map(|d| Some((d.lookup.own_message()?, d))).collect();
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "WITH come AS (
                DELETE FROM early_update u USING unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS t(key_hash, message_id, ticket_id)
                WHERE u.key_hash = t.key_hash RETURNING u.*, t.message_id, t.ticket_id
             ), events AS (
                UPDATE ticket_event v SET ticket_id = come.ticket_id, message_id = come.message_id FROM come WHERE v.id = come.event_id
             ), items AS (
                UPDATE raw_item i SET message_id = come.message_id FROM come WHERE i.raw_event = come.raw_event AND i.item = come.item
             ), repeats AS (
                UPDATE raw_item i SET message_id = come.message_id, duplicate_of = come.message_id
                FROM come JOIN seen s ON s.scope = come.seen_scope AND s.key_hash = come.seen_key
                WHERE i.message_id = s.message_id AND i.role = 'repeat'
             )
             UPDATE seen s SET message_id = come.message_id FROM come WHERE s.scope = come.seen_scope AND s.key_hash = come.seen_key",
        )
        .bind(column(&rows, |(key, _)| key.0))
        .bind(column(&rows, |(_, d)| d.decision.message.0))
        .bind(column(&rows, |(_, d)| self.ticket_of(d)))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// A text that was taken back is redacted, one that was edited replaced; the journal keeps the fact.
    /// Gives the contents that nothing may name any more.
    pub(super) async fn updates(&mut self) -> Result<Vec<ContentHash>, StoreError> {
        let of_message = self.decided.iter().flat_map(|d| {
            let stored = d.decision.early.iter().filter(|early| early.of_batch.is_none());
            stored.map(move |early| (d.decision.message.0, early.what, early.text.as_str(), early.at))
        });
        let updates = self.decided.iter().filter(|d| d.decision.role == ItemRole::Update && !self.is_waiting(d));
        let of_batch = updates.map(|d| {
            let incoming = &d.message.incoming;
            (self.message_of(d), incoming.what, incoming.content.text(), d.message.occurred_at)
        });
        // One row a message: taken back is for good, and of several edits the latest stands, whatever came first.
        let mut last: BTreeMap<Uuid, (bool, Timestamp, &str)> = BTreeMap::new();
        for (id, what, text, at) in of_message.chain(of_batch) {
            let is_gone = what == What::Delete;
            if is_gone || what == What::Edit {
                let text = if is_gone { "" } else { text };
                let entry = last.entry(id).or_insert((is_gone, at, text));
                if (is_gone, at) >= (entry.0, entry.1) {
                    *entry = (is_gone, at, text);
                }
            }
        }
        let rows: Vec<_> = last.into_iter().collect();
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        sqlx::query(
            "UPDATE message m SET text = t.text, own_text = NULL, subject = CASE WHEN t.gone THEN NULL ELSE m.subject END,
                edited_at = CASE WHEN t.gone THEN NULL ELSE t.at END, redacted_at = CASE WHEN t.gone THEN $5 ELSE m.redacted_at END
             FROM unnest($1::uuid[], $2::text[], $3::bool[], $4::timestamptz[]) AS t(id, text, gone, at)
             WHERE m.id = t.id AND m.redacted_at IS NULL AND (t.gone OR m.edited_at IS NULL OR m.edited_at <= t.at)",
        )
        .bind(column(&rows, |(id, _)| *id))
        .bind(column(&rows, |(_, (.., text))| *text))
        .bind(column(&rows, |(_, (gone, ..))| *gone))
        .bind(column(&rows, |(_, (_, at, _))| sql_time(*at)))
        .bind(sql_time(self.now))
        .execute(&mut *self.connection)
        .await?;
        let gone: Vec<Uuid> = rows.iter().filter(|(_, (gone, ..))| *gone).map(|(id, _)| *id).collect();
        media::take_back(&mut *self.connection, &gone, TAKEN_BACK).await
    }

    /// Receipts of single messages: the greatest stands, whatever order they come in.
    pub(super) async fn progress(&mut self) -> Result<(), StoreError> {
        let of_message = self.decided.iter().flat_map(|d| {
            let stored = d.decision.early.iter().filter(|early| early.of_batch.is_none() && early.what == What::Status);
            stored.map(move |early| (d.decision.message.0, early.text.as_str(), early.why.as_deref()))
        });
        let of_batch = self.receipts().filter(|d| !self.is_waiting(d)).map(|d| {
            let incoming = &d.message.incoming;
            (self.message_of(d), incoming.content.text(), incoming.subject.as_deref())
        });
        let mut rows: BTreeMap<Uuid, (Progress, Option<&str>)> = BTreeMap::new();
        for (id, word, why) in of_message.chain(of_batch) {
            let Some(progress) = Progress::parse(word) else { continue };
            let entry = rows.entry(id).or_insert((progress, why));
            *entry = (*entry).max((progress, why));
        }
        if rows.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = rows.into_iter().collect();
        sqlx::query(
            "UPDATE message m SET progress = t.progress, progress_why = t.why
             FROM unnest($1::uuid[], $2::text[], $3::text[]) AS t(id, progress, why)
             WHERE m.id = t.id AND coalesce(array_position($4::text[], m.progress), 0) < array_position($4::text[], t.progress)",
        )
        .bind(column(&rows, |(id, _)| *id))
        .bind(column(&rows, |(_, (progress, _))| progress.as_str()))
        .bind(column(&rows, |(_, (_, why))| *why))
        .bind(Progress::WORDS.as_slice())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Receipts for all that was sent to a customer until an instant.
    pub(super) async fn progress_until(&mut self) -> Result<(), StoreError> {
        let until = |d: &'a Decided| {
            let progress = Progress::parse(d.message.incoming.content.text())?;
            let namespace = d.message.incoming.namespace.as_str();
            Some((d.decision.identity?.0, namespace, progress.as_str(), sql_time(d.message.occurred_at)))
        };
        let rows: Vec<_> = self.receipts().filter_map(until).collect();
        if rows.is_empty() {
            return Ok(());
        }
        // The greatest of several is taken first; a message is written once by one statement.
        sqlx::query(
            "UPDATE message m SET progress = t.progress, progress_why = NULL
             FROM (SELECT DISTINCT ON (n.id) n.id, t.progress
                FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS t(identity_id, namespace, progress, until)
                JOIN message n ON n.identity_id = t.identity_id AND n.namespace = t.namespace
                    AND n.direction = 'from_agent' AND n.occurred_at <= t.until
                WHERE coalesce(array_position($5::text[], n.progress), 0) < array_position($5::text[], t.progress)
                ORDER BY n.id, array_position($5::text[], t.progress) DESC) t
             WHERE m.id = t.id",
        )
        .bind(column(&rows, |r| r.0))
        .bind(column(&rows, |r| r.1))
        .bind(column(&rows, |r| r.2))
        .bind(column(&rows, |r| r.3))
        .bind(Progress::WORDS.as_slice())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    fn receipts(&self) -> impl Iterator<Item = &'a Decided> + use<'a> {
        let is_receipt = |d: &&Decided| d.decision.role == ItemRole::Update && d.message.incoming.what == What::Status;
        self.decided.iter().filter(is_receipt)
    }
}
