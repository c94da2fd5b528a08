//! Identities, as dividing addresses anew finds them.

use crate::pure::decide::evidence::BITS_SAME_ID;
use crate::pure::decide::lookup::Keyer;
use crate::pure::decide::recast::{Cast, Recast};
use crate::pure::domain::Timestamp;
use crate::pure::domain::decision::EvidenceClass;
use crate::pure::domain::id::*;
use crate::shell::store::commit::joined_names;
use crate::shell::store::{StoreError, sql_time};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Writes whose the messages are now. Whose the identities are is gathered after it.
pub async fn recast(
    connection: &mut PgConnection,
    tenant: &str,
    keyer: &Keyer,
    recast: &Recast,
    now: Timestamp,
    mint: &mut IdMint,
) -> Result<(), StoreError> {
    if recast.is_empty() {
        return Ok(());
    }
    former(connection, tenant, recast).await?;
    identities(connection, tenant, keyer, &recast.identities).await?;
    believed(connection, tenant, recast).await?;
    moved(connection, recast).await?;
    edges(connection, tenant, recast, now, mint).await?;
    let ids: Vec<Uuid> = recast.identities.iter().map(|cast| cast.known.id.0).collect();
    sqlx::query(
        "UPDATE identity i SET last_ticket = (SELECT m.ticket_id FROM message m WHERE m.identity_id = i.id AND m.ticket_id IS NOT NULL
            ORDER BY m.occurred_at DESC, m.id DESC LIMIT 1)
         WHERE i.id = ANY($1)",
    )
    .bind(ids)
    .execute(connection)
    .await?;
    Ok(())
}

/// Identities that are part of others now, and such as are not any more.
async fn former(connection: &mut PgConnection, tenant: &str, recast: &Recast) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = recast.former.keys().map(|id| id.0).collect();
    let parts: Vec<Uuid> = recast.former.values().map(|(now, _)| now.0).collect();
    let brought: Vec<Uuid> = recast.former.values().map(|(_, by)| by.0).collect();
    let stand: Vec<Uuid> = recast.identities.iter().map(|cast| cast.known.id.0).collect();
    sqlx::query("DELETE FROM former_identity WHERE id = ANY($1)").bind(stand).execute(&mut *connection).await?;
    sqlx::query("DELETE FROM identity WHERE id = ANY($1)").bind(&ids).execute(&mut *connection).await?;
    sqlx::query(
        "UPDATE former_identity f SET now = t.now FROM unnest($1::uuid[], $2::uuid[]) AS t(id, now) WHERE f.now = t.id",
    )
    .bind(&ids)
    .bind(&parts)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO former_identity (tenant, id, now, opened_by) SELECT $1, t.* FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS t
         ON CONFLICT (id) DO UPDATE SET now = excluded.now",
    )
    .bind(tenant)
    .bind(ids)
    .bind(parts)
    .bind(brought)
    .execute(connection)
    .await?;
    Ok(())
}

async fn identities(
    connection: &mut PgConnection,
    tenant: &str,
    keyer: &Keyer,
    cast: &[Cast],
) -> Result<(), StoreError> {
    let column = |f: &dyn Fn(&Cast) -> Uuid| cast.iter().map(f).collect::<Vec<Uuid>>();
    let text = |f: fn(&Cast) -> &str| cast.iter().map(f).collect::<Vec<&str>>();
    let times = |f: fn(&Cast) -> Timestamp| cast.iter().map(|cast| sql_time(f(cast))).collect::<Vec<_>>();
    // Numbers of epochs change places.
    sqlx::query("UPDATE identity SET epoch = -epoch WHERE id = ANY($1)")
        .bind(column(&|cast| cast.known.id.0))
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "INSERT INTO identity (id, tenant, scheme, scope, value, epoch, contact_id, assurance, names, first_at, last_at, last_message,
            closed_at, claim_key, opened_by)
         SELECT id, $1, scheme, scope, value, epoch, contact_id, assurance, coalesce(string_to_array(nullif(names, ''), E'\\n'), '{}'),
            first_at, last_at, last_message, closed_at, claim_key, opened_by
         FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::int[], $7::uuid[], $8::smallint[], $9::text[],
            $10::timestamptz[], $11::timestamptz[], $12::uuid[], $13::timestamptz[], $14::uuid[], $15::uuid[])
            AS t(id, scheme, scope, value, epoch, contact_id, assurance, names, first_at, last_at, last_message, closed_at, claim_key, opened_by)
         ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, assurance = excluded.assurance, names = excluded.names,
            first_at = excluded.first_at, last_at = excluded.last_at, last_message = excluded.last_message, closed_at = excluded.closed_at,
            opened_by = excluded.opened_by",
    )
    .bind(tenant)
    .bind(column(&|cast| cast.known.id.0))
    .bind(text(|cast| &cast.known.identity.scheme))
    .bind(text(|cast| &cast.known.identity.scope))
    .bind(text(|cast| &cast.known.identity.value))
    .bind(cast.iter().map(|cast| cast.known.epoch).collect::<Vec<_>>())
    .bind(column(&|cast| cast.known.contact.0))
    .bind(cast.iter().map(|cast| cast.known.assurance.level()).collect::<Vec<_>>())
    .bind(cast.iter().map(|cast| joined_names(&cast.known)).collect::<Vec<_>>())
    .bind(times(|cast| cast.known.first_at))
    .bind(times(|cast| cast.known.last_at))
    .bind(cast.iter().map(|cast| cast.known.last_message.map(|id| id.0)).collect::<Vec<_>>())
    .bind(cast.iter().map(|cast| cast.known.closed_at.map(sql_time)).collect::<Vec<_>>())
    .bind(column(&|cast| keyer.claim(&cast.known.identity).0))
    .bind(column(&|cast| cast.opened_by.0))
    .execute(connection)
    .await?;
    Ok(())
}

/// Denied mails that are believed now: what they state is their sender's.
async fn believed(connection: &mut PgConnection, tenant: &str, recast: &Recast) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = recast.believed.iter().map(|id| id.0).collect();
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO fact (tenant, id, kind, name, role, key_hash, mask, place, identity_id, message_id, channel, assurance, at, received_at)
         SELECT $1, (h->>'id')::uuid, h->>'kind', h->>'name', h->>'role', (h->>'key')::uuid, h->>'mask', h->>'place', m.identity_id, m.id,
            m.channel, 2, m.trusted_at, m.received_at
         FROM message m CROSS JOIN LATERAL jsonb_array_elements(m.outline->'h') AS h WHERE m.id = ANY($2) ON CONFLICT (id) DO NOTHING",
    )
    .bind(tenant)
    .bind(&ids)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "UPDATE message SET assurance = 2, marks = array_remove(marks, 'contradicted'),
            outline = jsonb_set(jsonb_set(outline - 'h', '{a}', '\"none\"'), '{i,0,1}', '\"proven\"')
         WHERE id = ANY($1)",
    )
    .bind(&ids)
    .execute(connection)
    .await?;
    Ok(())
}

/// Messages go to other identities, with all that they state. A message may have several addresses, which are
/// written one after the other.
async fn moved(connection: &mut PgConnection, recast: &Recast) -> Result<(), StoreError> {
    let mut turns: Vec<BTreeMap<MessageId, (IdentityId, IdentityId)>> = Vec::new();
    for (message, from, to) in &recast.moved {
        match turns.iter_mut().find(|turn| !turn.contains_key(message)) {
            Some(turn) => _ = turn.insert(*message, (*from, *to)),
            None => turns.push(BTreeMap::from([(*message, (*from, *to))])),
        }
    }
    for turn in turns {
        for statement in [
            "UPDATE message m SET identity_id = CASE WHEN m.identity_id = t.gone THEN t.here ELSE m.identity_id END,
                outline = replace(m.outline::text, t.gone::text, t.here::text)::jsonb
             FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS t(id, gone, here) WHERE m.id = t.id",
            "UPDATE fact f SET identity_id = t.here FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS t(id, gone, here)
             WHERE f.message_id = t.id AND f.identity_id = t.gone",
        ] {
            sqlx::query(statement)
                .bind(turn.keys().map(|id| id.0).collect::<Vec<_>>())
                .bind(turn.values().map(|(from, _)| from.0).collect::<Vec<_>>())
                .bind(turn.values().map(|(_, to)| to.0).collect::<Vec<_>>())
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

/// What was said of identities is said of those that the messages are of now.
async fn edges(
    connection: &mut PgConnection,
    tenant: &str,
    recast: &Recast,
    now: Timestamp,
    mint: &mut IdMint,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE edge e SET identity_a = t.a, identity_b = t.b FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS t(id, a, b) WHERE e.id = t.id",
    )
    .bind(recast.words.iter().map(|word| word.id.0).collect::<Vec<_>>())
    .bind(recast.words.iter().map(|word| word.from.0).collect::<Vec<_>>())
    .bind(recast.words.iter().map(|word| word.to.0).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    let ids: Vec<Uuid> = recast.new_words.iter().map(|_| mint.next::<EdgeId>(now).0).collect();
    sqlx::query(
        "INSERT INTO edge (id, tenant, identity_a, identity_b, class, bits, message_id, at)
         SELECT t.id, $1, t.a, t.b, $6, $7, t.message, $8 FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[]) AS t(id, a, b, message)",
    )
    .bind(tenant)
    .bind(ids)
    .bind(recast.new_words.iter().map(|(from, ..)| from.0).collect::<Vec<_>>())
    .bind(recast.new_words.iter().map(|(_, to, _)| to.0).collect::<Vec<_>>())
    .bind(recast.new_words.iter().map(|(.., message)| message.0).collect::<Vec<_>>())
    .bind(EvidenceClass::SameId.as_str())
    .bind(BITS_SAME_ID)
    .bind(sql_time(now))
    .execute(connection)
    .await?;
    Ok(())
}
