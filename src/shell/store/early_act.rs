//! What agents did: the messages that it is on, and what waits for one that has not come.
//!
//! **Invariant:** whoever looks for a message and whoever brings it hold one lock, its key's: nothing waits
//! for a message that is there.

use super::raw_event::{self, ClaimedRaw};
use super::{Store, StoreError, lock_key, lock_sorted};
use crate::pure::decide::arrange::Target;
use crate::pure::domain::facts::LookupKey;
use crate::pure::domain::id::MessageId;
use crate::pure::domain::message::{Message, On};
use sqlx::{PgConnection, Row};
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// Acts that are taken up with one message: an agent does a few things about each.
const TAKEN_MAX: i64 = 100;

/// Locks the keys of messages that come and of those that are looked for.
pub async fn lock(connection: &mut PgConnection, keys: impl Iterator<Item = LookupKey>) -> Result<(), StoreError> {
    lock_sorted(connection, keys.map(|key| lock_key(key.0)).collect()).await
}

/// Of the messages that these are on, those that are stored: of several with one id the first that is not
/// denied by its sender's domain.
pub async fn targets(
    connection: &mut PgConnection,
    tenant: &str,
    wanted: &[(LookupKey, &On)],
) -> Result<HashMap<LookupKey, Target>, StoreError> {
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(
        "SELECT k.key, m.id, m.namespace FROM unnest($2::uuid[], $3::text[], $4::text[]) AS k(key, channel, source_key)
         CROSS JOIN LATERAL (
            SELECT id, namespace FROM message t WHERE hashtextextended(t.source_key, 0) = hashtextextended(k.source_key, 0)
                AND t.source_key = k.source_key AND t.channel = k.channel AND t.tenant = $1
            ORDER BY 'contradicted' = ANY(t.marks), t.id LIMIT 1
         ) m",
    )
    .bind(tenant)
    .bind(wanted.iter().map(|(key, _)| key.0).collect::<Vec<_>>())
    .bind(wanted.iter().map(|(_, on)| on.channel.as_str()).collect::<Vec<_>>())
    .bind(wanted.iter().map(|(_, on)| on.source_key.as_str()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let target = |row: &sqlx::postgres::PgRow| {
        let target = Target { message: MessageId(row.try_get("id")?), namespace: row.try_get("namespace")? };
        Ok((LookupKey(row.try_get("key")?), target))
    };
    rows.iter().map(target).collect()
}

/// Acts wait, each for the message of a key. They are items already, of a message that is not here.
pub async fn wait(connection: &mut PgConnection, waiting: &[(Message, LookupKey)]) -> Result<(), StoreError> {
    if waiting.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "WITH t AS (
            SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::text[]) AS t(key_hash, raw_event, item, what, source_key)
         ), items AS (
            INSERT INTO raw_item (raw_event, item, role, what, source_key) SELECT raw_event, item, 'update', what, source_key FROM t
            ON CONFLICT (raw_event, item) DO NOTHING
         )
         INSERT INTO early_act (key_hash, raw_event, item) SELECT key_hash, raw_event, item FROM t ON CONFLICT DO NOTHING",
    )
    .bind(waiting.iter().map(|(_, key)| key.0).collect::<Vec<_>>())
    .bind(waiting.iter().map(|(message, _)| message.raw_event.0).collect::<Vec<_>>())
    .bind(waiting.iter().map(|(message, _)| i32::try_from(message.item).unwrap_or(i32::MAX)).collect::<Vec<_>>())
    .bind(waiting.iter().map(|(message, _)| super::commit::json_word(&message.incoming.what)).collect::<Vec<_>>())
    .bind(waiting.iter().map(|(message, _)| message.incoming.source_key.as_str()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Deliveries with what waited for messages.
#[derive(Debug, Default)]
pub struct Taken {
    /// The deliveries.
    pub deliveries: Vec<ClaimedRaw>,
    /// The items of them that waited, and wait no more.
    pub items: HashSet<(Uuid, u32)>,
}

/// Takes up what waited for the messages of these keys.
pub async fn take(store: &Store, connection: &mut PgConnection, keys: &[LookupKey]) -> Result<Taken, StoreError> {
    let rows: Vec<(Uuid, i32)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "WITH come AS (
            SELECT e.* FROM unnest($1::uuid[]) AS k(key_hash) CROSS JOIN LATERAL (
                SELECT * FROM early_act t WHERE t.key_hash = k.key_hash ORDER BY t.raw_event, t.item LIMIT {TAKEN_MAX}
            ) e
         ), items AS (
            DELETE FROM raw_item i USING come WHERE i.raw_event = come.raw_event AND i.item = come.item
                AND i.role = 'update' AND i.message_id IS NULL
         )
         DELETE FROM early_act t USING come WHERE t.key_hash = come.key_hash AND t.raw_event = come.raw_event AND t.item = come.item
         RETURNING t.raw_event, t.item"
    )))
    .bind(keys.iter().map(|key| key.0).collect::<Vec<_>>())
    .fetch_all(&mut *connection)
    .await?;
    if rows.is_empty() {
        return Ok(Taken::default());
    }
    let ids: Vec<Uuid> = rows.iter().map(|(id, _)| *id).collect::<BTreeSet<_>>().into_iter().collect();
    let deliveries = raw_event::load_again(store, connection, &ids).await?;
    let items = rows.into_iter().filter_map(|(id, item)| Some((id, u32::try_from(item).ok()?))).collect();
    Ok(Taken { deliveries, items })
}
