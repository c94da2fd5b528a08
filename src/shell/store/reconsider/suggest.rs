//! Suggestions, as deciding anew finds them.

use super::write::Found;
use crate::pure::decide::suggest::{self, Changed, Made, Suggested};
use crate::pure::domain::decision::{EvidenceClass, SuggestionState, SuggestionTarget};
use crate::pure::domain::id::*;
use crate::shell::store::commit::suggestion_target;
use crate::shell::store::{StoreError, reader, sql_time};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Those of messages that were placed ($1), of people ($2: their identities), and those that point to these ($3: their
/// contacts).
const MADE: &str = "
    SELECT s.id, s.message_id, s.target_kind, coalesce(a.now, s.target) AS target, s.by_message, s.class, s.bits, s.says, s.why, s.state,
        m.ticket_id, mi.contact_id AS of, bi.contact_id AS by
    FROM (
        SELECT id FROM suggestion WHERE message_id = ANY($1)
        UNION SELECT t.id FROM message o JOIN suggestion t ON t.message_id = o.id WHERE o.identity_id = ANY($2)
        UNION SELECT id FROM suggestion WHERE target = ANY($3)
        UNION SELECT t.id FROM alias o JOIN suggestion t ON t.target = o.id WHERE o.now = ANY($3)
    ) k JOIN suggestion s ON s.id = k.id LEFT JOIN alias a ON a.id = s.target
    JOIN message m ON m.id = s.message_id LEFT JOIN identity mi ON mi.id = m.identity_id
    LEFT JOIN message b ON b.id = s.by_message LEFT JOIN identity bi ON bi.id = b.identity_id";

/// Writes what is suggested now, and withdraws what does not hold any more.
pub(super) async fn write(
    connection: &mut PgConnection,
    found: &Found<'_>,
    mint: &mut IdMint,
) -> Result<(), StoreError> {
    let Found { hood, people, history, rethreaded, .. } = found;
    let wanted = suggest::suggested(hood, people, rethreaded);
    let ids = suggest::looked_at(hood, people);
    let contacts: BTreeSet<Uuid> = people
        .gathered
        .groups
        .iter()
        .filter(|group| !group.is_disjoint(&ids))
        .filter_map(|group| group.first())
        .map(|first| ContactId::of(*first).0)
        .collect();
    let rows = sqlx::query(MADE)
        .bind(history.kept.iter().map(|kept| kept.id.0).collect::<Vec<_>>())
        .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
        .bind(contacts.into_iter().collect::<Vec<_>>())
        .fetch_all(&mut *connection)
        .await?;
    let made = rows.iter().map(made).collect::<Result<Vec<Made>, StoreError>>()?;
    let again = suggest::again(hood, people, &made);
    let again = again.into_iter().map(|contact| (contact.0, found.mirrors.is_empty())).collect();
    super::want(connection, found.tenant, &again, found.now).await?;
    let Changed { new, open, ended } = suggest::change(&wanted, &made, (hood, people), history, rethreaded);
    if !ended.is_empty() {
        sqlx::query("UPDATE suggestion s SET state = t.state FROM unnest($1::uuid[], $2::text[]) AS t(id, state) WHERE s.id = t.id")
            .bind(ended.iter().map(|(id, _)| id.0).collect::<Vec<_>>())
            .bind(ended.iter().map(|(_, state)| state.as_str()).collect::<Vec<_>>())
            .execute(&mut *connection)
            .await?;
    }
    let again: Vec<(SuggestionId, &Suggested)> = open.iter().map(|(id, says)| (*id, says)).collect();
    let new: Vec<(SuggestionId, &Suggested)> = new.iter().map(|says| (mint.next(found.now), says)).collect();
    let rows: Vec<(SuggestionId, &Suggested)> = again.into_iter().chain(new).collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO suggestion AS s (tenant, id, message_id, target_kind, target, by_message, class, bits, says, at)
         SELECT $1, t.*, $10 FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::smallint[], $9::jsonb[]) AS t
         ON CONFLICT (id) DO UPDATE SET state = 'open', by_message = excluded.by_message, class = excluded.class, bits = excluded.bits,
            says = excluded.says, why = excluded.why",
    )
    .bind(found.tenant)
    .bind(rows.iter().map(|(id, _)| id.0).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, says)| says.message.0).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, says)| suggestion_target(says.target).0).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, says)| suggestion_target(says.target).1).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, says)| says.by_message.0).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, says)| says.class.map(EvidenceClass::as_str)).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, says)| says.bits).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, says)| says.why.stored()).collect::<Vec<_>>())
    .bind(sql_time(found.now))
    .execute(connection)
    .await?;
    Ok(())
}

fn made(row: &PgRow) -> Result<Made, StoreError> {
    let is_contact = row.try_get::<&str, _>("target_kind")? == "contact";
    let target = |id: Uuid| match is_contact {
        true => SuggestionTarget::Contact(ContactId(id)),
        false => SuggestionTarget::Ticket(TicketId(id)),
    };
    let of: Option<Uuid> = row.try_get(if is_contact { "of" } else { "ticket_id" })?;
    let class: Option<&str> = row.try_get("class")?;
    let state: &str = row.try_get("state")?;
    Ok(Made {
        id: SuggestionId(row.try_get("id")?),
        says: Suggested {
            message: MessageId(row.try_get("message_id")?),
            of: of.map(target),
            target: target(row.try_get("target")?),
            by_message: MessageId(row.try_get("by_message")?),
            class: class.and_then(EvidenceClass::parse),
            bits: row.try_get("bits")?,
            why: reader::says(row)?,
        },
        // The column allows no other; of what an agent may have said nothing is changed.
        state: SuggestionState::parse(state).unwrap_or(SuggestionState::Rejected),
        by: row.try_get::<Option<Uuid>, _>("by")?.map(ContactId),
    })
}
