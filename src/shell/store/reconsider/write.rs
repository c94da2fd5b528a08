//! What deciding anew changed.

use super::suggest;
use crate::pure::decide::anew::{self, History, Hood, Moved, People};
use crate::pure::decide::gather::Gathered;
use crate::pure::decide::ledger::{Tie, Word};
use crate::pure::decide::rethread::{Kept, Rethreaded};
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::*;
use crate::pure::domain::say::{OnPerson, Say};
use crate::pure::domain::ticket::Ticket;
use crate::shell::store::commit::queue;
use crate::shell::store::{StoreError, sql_time};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Everything that deciding anew found.
#[derive(Debug)]
pub struct Found<'a> {
    /// The firm.
    pub tenant: &'a str,
    /// What was known.
    pub hood: &'a Hood,
    /// Who is who.
    pub people: &'a People,
    /// What was said, and where it was.
    pub history: &'a History,
    /// Where it is now.
    pub rethreaded: &'a Rethreaded,
    /// The mirrors that hear of it.
    pub mirrors: &'a [String],
    /// Whether other processes are told that there is something to deliver.
    pub has_peers: bool,
    /// When it is written.
    pub now: Timestamp,
}

/// Writes what differs from what stands. Says whether anything does.
pub async fn write(connection: &mut PgConnection, found: &Found<'_>, mint: &mut IdMint) -> Result<bool, StoreError> {
    let regroups = !found.people.regrouped.is_empty();
    if regroups {
        regroup(connection, found, mint).await?;
    }
    shared(connection, &found.people.gathered).await?;
    let moved = anew::moved(found.history, found.rethreaded);
    let routed: BTreeSet<TicketId> = anew::routed(found.history, found.rethreaded).map(|(ticket, _)| ticket).collect();
    if !moved.is_empty() || !routed.is_empty() {
        tickets(connection, found, &moved, &routed, mint).await?;
    }
    suggest::write(connection, found, mint).await?;
    if !regroups && moved.is_empty() && routed.is_empty() {
        return Ok(false);
    }
    let touched: BTreeSet<TicketId> = moved.iter().flat_map(|moved| moved.from.into_iter().chain(moved.to)).collect();
    participants(connection, found, &touched).await?;
    beside(connection, found, &touched).await?;
    let told = anew::told(found.people, found.history, found.rethreaded, &moved);
    queue(connection, found.tenant, &told, found.mirrors, (found.now, found.has_peers), mint).await?;
    Ok(true)
}

async fn regroup(connection: &mut PgConnection, found: &Found<'_>, mint: &mut IdMint) -> Result<(), StoreError> {
    let Found { tenant, people, now, .. } = found;
    let People { regrouped, gathered, .. } = people;
    let ids: Vec<Uuid> = regrouped.iter().map(|moved| moved.identity.0).collect();
    let to: Vec<Uuid> = regrouped.iter().map(|moved| moved.to.0).collect();
    let from: BTreeSet<Uuid> = regrouped.iter().map(|moved| moved.from.0).collect();
    let touched: Vec<Uuid> =
        from.iter().copied().chain(to.iter().copied()).collect::<BTreeSet<_>>().into_iter().collect();
    for (statement, is_tenants) in [
        (
            "INSERT INTO contact (id, tenant, first_at) SELECT DISTINCT ON (t.contact) t.contact, $3, i.first_at
             FROM unnest($1::uuid[], $2::uuid[]) AS t(id, contact) JOIN identity i ON i.id = t.id ORDER BY t.contact, i.first_at
             ON CONFLICT (id) DO NOTHING",
            true,
        ),
        (
            "UPDATE identity i SET contact_id = t.contact FROM unnest($1::uuid[], $2::uuid[]) AS t(id, contact) WHERE i.id = t.id",
            false,
        ),
    ] {
        let query = sqlx::query(statement).bind(&ids).bind(&to);
        let query = if is_tenants { query.bind(*tenant) } else { query };
        query.execute(&mut *connection).await?;
    }
    // A contact has the id of one of its identities: where that is, there the contact is.
    for statement in [
        "UPDATE contact c SET merged_into = nullif(i.contact_id, c.id) FROM identity_now i
         WHERE i.id = c.id AND i.contact_id = ANY($1) AND c.merged_into IS DISTINCT FROM nullif(i.contact_id, c.id)",
        "DELETE FROM alias a USING identity_now i WHERE a.id = i.id AND i.contact_id = i.id AND i.contact_id = ANY($1)",
        "INSERT INTO alias (id, object, now, at) SELECT c.id, 'contact', i.contact_id, now() FROM contact c JOIN identity_now i ON i.id = c.id
         WHERE i.contact_id = ANY($1) AND i.contact_id <> c.id ON CONFLICT (id) DO UPDATE SET now = excluded.now",
        "UPDATE contact c SET first_at = i.first_at, name = i.name FROM (
            SELECT contact_id, min(first_at) AS first_at, (array_agg(names[1] ORDER BY first_at) FILTER (WHERE names[1] IS NOT NULL))[1] AS name
            FROM identity WHERE contact_id = ANY($1) GROUP BY contact_id
         ) i WHERE c.id = i.contact_id",
    ] {
        sqlx::query(statement).bind(&touched).execute(&mut *connection).await?;
    }
    journal(connection, found, mint).await?;
    edges(connection, tenant, gathered, mint, *now).await
}

/// Contacts of identities that several people use are nobody's, and others are persons' again.
async fn shared(connection: &mut PgConnection, gathered: &Gathered) -> Result<(), StoreError> {
    let groups = gathered.groups.iter().filter(|group| !group.is_empty());
    let (shared, persons): (Vec<_>, Vec<_>) =
        groups.partition(|group| group.iter().any(|id| gathered.shared.contains(id)));
    let first = |groups: Vec<&BTreeSet<IdentityId>>| -> Vec<Uuid> {
        groups.iter().filter_map(|group| group.first()).map(|id| id.0).collect()
    };
    sqlx::query(
        "UPDATE contact SET kind = CASE WHEN id = ANY($1) THEN 'shared' ELSE 'person' END
         WHERE (id = ANY($1) AND kind = 'person') OR (id = ANY($2) AND kind = 'shared'
            AND NOT EXISTS (SELECT 1 FROM identity i WHERE i.contact_id = contact.id AND i.scheme = 'mailto'))",
    )
    .bind(first(shared))
    .bind(first(persons))
    .execute(connection)
    .await?;
    Ok(())
}

/// The journal of joins and splits.
async fn journal(connection: &mut PgConnection, found: &Found<'_>, mint: &mut IdMint) -> Result<(), StoreError> {
    let mut pairs: BTreeMap<(ContactId, ContactId), Vec<Uuid>> = BTreeMap::new();
    for moved in &found.people.regrouped {
        pairs.entry((moved.from, moved.to)).or_default().push(moved.identity.0);
    }
    let says = |ids: &[Uuid]| {
        let tie = found.people.gathered.joined.iter().find(|tie| ids.contains(&tie.from.0) || ids.contains(&tie.to.0));
        let said = |word| {
            found.people.words.iter().any(|(a, b, said)| *said == word && (ids.contains(&a.0) || ids.contains(&b.0)))
        };
        match tie {
            Some(tie) => tie.why.stored(),
            None if said(Word::Same) => Say::from(OnPerson::AgentSaysSame).stored(),
            None if said(Word::Apart) => Say::from(OnPerson::AgentSaysApart).stored(),
            None => Say::from(OnPerson::JoinGone).stored(),
        }
    };
    let ids: Vec<Uuid> = pairs.iter().map(|_| mint.next::<EventId>(found.now).0).collect();
    sqlx::query(
        "INSERT INTO contact_link (id, tenant, act, keep, other, identities, says, at)
         SELECT t.id, $1, CASE WHEN left_any THEN 'split' ELSE 'join' END,
            CASE WHEN left_any THEN t.gone ELSE t.here END, CASE WHEN left_any THEN t.here ELSE t.gone END, t.identities::uuid[], t.says, $7
         FROM (SELECT *, EXISTS (SELECT 1 FROM identity i WHERE i.contact_id = u.gone) AS left_any
            FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::jsonb[]) AS u(id, gone, here, identities, says)) t",
    )
    .bind(found.tenant)
    .bind(ids)
    .bind(pairs.keys().map(|(from, _)| from.0).collect::<Vec<_>>())
    .bind(pairs.keys().map(|(_, to)| to.0).collect::<Vec<_>>())
    .bind(pairs.values().map(|ids| format!("{{{}}}", ids.iter().map(Uuid::to_string).collect::<Vec<_>>().join(","))).collect::<Vec<_>>())
    .bind(pairs.values().map(|ids| says(ids)).collect::<Vec<_>>())
    .bind(sql_time(found.now))
    .execute(connection)
    .await?;
    Ok(())
}

/// The evidence that joins stand on now; what stood before and does not any more is off.
async fn edges(
    connection: &mut PgConnection,
    tenant: &str,
    gathered: &Gathered,
    mint: &mut IdMint,
    now: Timestamp,
) -> Result<(), StoreError> {
    let joined = &gathered.joined;
    let members: Vec<Uuid> = gathered.groups.iter().flatten().map(|id| id.0).collect();
    let column = |f: &dyn Fn(&Tie) -> Uuid| joined.iter().map(f).collect::<Vec<Uuid>>();
    let ids: Vec<Uuid> = joined.iter().map(|_| mint.next::<EdgeId>(now).0).collect();
    sqlx::query(
        "UPDATE edge e SET state = 'off' WHERE state = 'active' AND class NOT IN ('same_id', 'agent_same', 'agent_apart')
            AND identity_a = ANY($1) AND identity_b = ANY($1)
            AND NOT EXISTS (SELECT 1 FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS t(a, b, class)
                WHERE t.class = e.class AND ((t.a, t.b) = (e.identity_a, e.identity_b) OR (t.b, t.a) = (e.identity_a, e.identity_b)))",
    )
    .bind(&members)
    .bind(column(&|tie| tie.from.0))
    .bind(column(&|tie| tie.to.0))
    .bind(joined.iter().map(|tie| tie.class.as_str()).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO edge (id, tenant, identity_a, identity_b, class, bits, message_id, by_message, at)
         SELECT t.id, $1, t.a, t.b, t.class, t.bits, t.message, t.by_message, $9
         FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::smallint[], $7::uuid[], $8::uuid[]) AS t(id, a, b, class, bits, message, by_message)
         WHERE t.message IS NOT NULL AND NOT EXISTS (SELECT 1 FROM edge e WHERE e.state = 'active' AND e.class = t.class
            AND ((e.identity_a = t.a AND e.identity_b = t.b) OR (e.identity_a = t.b AND e.identity_b = t.a)))",
    )
    .bind(tenant)
    .bind(ids)
    .bind(column(&|tie| tie.from.0))
    .bind(column(&|tie| tie.to.0))
    .bind(joined.iter().map(|tie| tie.class.as_str()).collect::<Vec<_>>())
    .bind(joined.iter().map(|tie| tie.bits).collect::<Vec<_>>())
    .bind(joined.iter().map(|tie| tie.messages.0.or(tie.messages.1).map(|id| id.0)).collect::<Vec<_>>())
    .bind(joined.iter().map(|tie| tie.messages.1.map(|id| id.0)).collect::<Vec<_>>())
    .bind(sql_time(now))
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes tickets as they stand now, and moves messages.
async fn tickets(
    connection: &mut PgConnection,
    found: &Found<'_>,
    moved: &[Moved<'_>],
    routed: &BTreeSet<TicketId>,
    mint: &mut IdMint,
) -> Result<(), StoreError> {
    let Found { tenant, history, rethreaded, .. } = found;
    let pinned = history.kept.iter().filter(|kept| kept.pinned_to.is_some());
    let held: BTreeSet<TicketId> = pinned.filter_map(|kept| rethreaded.ticket_of.get(&kept.id)).copied().collect();
    let moved_on = moved.iter().flat_map(|moved| moved.from.into_iter().chain(moved.to));
    let touched: BTreeSet<TicketId> = moved_on.chain(routed.iter().copied()).collect();
    let rows: Vec<&Ticket> = rethreaded.tickets.values().filter(|ticket| touched.contains(&ticket.id)).collect();
    // What it began with may be elsewhere now: then it begins with another that is there.
    let is_there = |by: &&MessageId, ticket: &Ticket| rethreaded.ticket_of.get(by) == Some(&ticket.id);
    let opened_by = |ticket: &Ticket| {
        history.opened.get(&ticket.id).filter(|by| is_there(by, ticket)).copied().unwrap_or(ticket.opened_by).0
    };
    sqlx::query(
        "INSERT INTO ticket (tenant, id, state, title, kind, priority, opened_at, last_at, closed_at, follow_up_of, opened_by, held, owner, owner_at,
            awaited_since, awaited_at, resumed_at, queue, queued, fault_kind, feedback, classified, unanswered)
         SELECT $1, id, state, title, coalesce(string_to_array(nullif(kind, ''), ','), '{}'), priority, opened_at, last_at, closed_at,
            follow_up_of, opened_by, held, owner, owner_at, awaited_since, awaited_at, resumed_at, queue, queued, fault_kind,
            coalesce(string_to_array(nullif(feedback, ''), ','), '{}'), classified, unanswered
         FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::timestamptz[],
            $10::uuid[], $11::uuid[], $12::bool[], $13::text[], $14::timestamptz[],
            $15::timestamptz[], $16::timestamptz[], $17::timestamptz[], $18::text[], $19::jsonb[],
            $20::text[], $21::text[], $22::jsonb[], $23::int[])
            AS t(id, state, title, kind, priority, opened_at, last_at, closed_at, follow_up_of, opened_by, held, owner, owner_at,
                awaited_since, awaited_at, resumed_at, queue, queued, fault_kind, feedback, classified, unanswered)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, title = excluded.title, kind = excluded.kind, priority = excluded.priority,
            opened_at = excluded.opened_at, last_at = excluded.last_at, closed_at = excluded.closed_at,
            follow_up_of = excluded.follow_up_of, opened_by = excluded.opened_by, held = excluded.held, owner = excluded.owner,
            owner_at = excluded.owner_at, awaited_since = excluded.awaited_since, awaited_at = excluded.awaited_at,
            resumed_at = excluded.resumed_at, queue = excluded.queue, queued = excluded.queued, fault_kind = excluded.fault_kind,
            feedback = excluded.feedback, classified = excluded.classified, unanswered = excluded.unanswered, merged_into = NULL",
    )
    .bind(tenant)
    .bind(rows.iter().map(|t| t.id.0).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| t.state.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| t.title.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| t.kind.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(",")).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| t.priority.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| sql_time(t.opened_at)).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| sql_time(t.last_at)).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| t.closed_at.map(sql_time)).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| t.follow_up_of.map(|id| id.0)).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| opened_by(t)).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| held.contains(&t.id)).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| t.owner.as_ref().and_then(|owner| owner.name.as_deref())).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| t.owner.as_ref().map(|owner| sql_time(owner.at))).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| t.awaited_since().map(sql_time)).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| t.awaiting.asked_at.map(sql_time)).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| t.awaiting.ended_at.map(sql_time)).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| t.queued.queue()).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| serde_json::to_value(&t.queued).unwrap_or_default()).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| t.fault.map(|fault| fault.as_str())).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| t.feedback.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(",")).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| t.classified.as_ref().and_then(|said| serde_json::to_value(said).ok())).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| i32::try_from(t.unanswered).unwrap_or(i32::MAX)).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    moves(connection, moved).await?;
    ends(connection, found).await?;
    numbers(connection, found).await?;
    journal_of_tickets(connection, found, moved, mint).await
}

/// Messages go to the tickets that they belong to now.
async fn moves(connection: &mut PgConnection, moved: &[Moved<'_>]) -> Result<(), StoreError> {
    let messages: Vec<Uuid> = moved.iter().map(|moved| moved.kept.id.0).collect();
    let to: Vec<Option<Uuid>> = moved.iter().map(|moved| moved.to.map(|id| id.0)).collect();
    for statement in [
        "UPDATE message m SET ticket_id = t.ticket FROM unnest($1::uuid[], $2::uuid[]) AS t(id, ticket) WHERE m.id = t.id",
        "UPDATE ticket_reference r SET ticket_id = t.ticket FROM unnest($1::uuid[], $2::uuid[]) AS t(id, ticket) WHERE r.message_id = t.id",
    ] {
        sqlx::query(statement).bind(&messages).bind(&to).execute(&mut *connection).await?;
    }
    sqlx::query(
        "UPDATE identity i SET last_ticket = (SELECT m.ticket_id FROM message m WHERE m.identity_id = i.id AND m.ticket_id IS NOT NULL
            ORDER BY m.occurred_at DESC LIMIT 1)
         WHERE i.id IN (SELECT identity_id FROM message WHERE id = ANY($1))",
    )
    .bind(&messages)
    .execute(&mut *connection)
    .await?;
    Ok(())
}

/// Tickets on which nothing is any more: each goes on where the message is that it began with.
async fn ends(connection: &mut PgConnection, found: &Found<'_>) -> Result<(), StoreError> {
    let ends = found.history.opened.iter().filter_map(|(ticket, by)| {
        // One that stands has other messages by now than that which it began with.
        let now = match found.rethreaded.tickets.contains_key(ticket) {
            true => ticket,
            false => found.rethreaded.ticket_of.get(by)?,
        };
        Some((ticket.0, now.0))
    });
    let (tickets, now): (Vec<Uuid>, Vec<Uuid>) = ends.unzip();
    for statement in [
        "UPDATE ticket_reference r SET ticket_id = t.now FROM unnest($1::uuid[], $2::uuid[]) AS t(id, now)
         WHERE r.ticket_id = t.id AND t.id <> t.now",
        "UPDATE ticket k SET merged_into = nullif(t.now, t.id) FROM unnest($1::uuid[], $2::uuid[]) AS t(id, now)
         WHERE k.id = t.id AND k.merged_into IS DISTINCT FROM nullif(t.now, t.id)",
        "DELETE FROM alias a USING unnest($1::uuid[], $2::uuid[]) AS t(id, now) WHERE a.id = t.id AND t.id = t.now",
        "INSERT INTO alias (id, object, now, at) SELECT t.id, 'ticket', t.now, now() FROM unnest($1::uuid[], $2::uuid[]) AS t(id, now)
         WHERE t.id <> t.now ON CONFLICT (id) DO UPDATE SET now = excluded.now",
    ] {
        sqlx::query(statement).bind(&tickets).bind(&now).execute(&mut *connection).await?;
    }
    Ok(())
}

/// A ticket is found by the numbers that are named on it, also those that another message of a ticket named which it
/// was one with.
async fn numbers(connection: &mut PgConnection, found: &Found<'_>) -> Result<(), StoreError> {
    let numbers = &found.rethreaded.numbers;
    sqlx::query(
        "INSERT INTO ticket_reference (tenant, key_hash, kind, name, ticket_id, message_id, direction, at)
         SELECT DISTINCT ON (t.key, m.ticket_id) $1, t.key, 'number', t.name, m.ticket_id, m.id, m.direction, m.occurred_at
         FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS t(message, key, name) JOIN message m ON m.id = t.message
         WHERE m.ticket_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ticket_reference r
            WHERE r.key_hash = t.key AND r.kind = 'number' AND r.ticket_id = m.ticket_id)
         ORDER BY t.key, m.ticket_id, m.occurred_at, m.id",
    )
    .bind(found.tenant)
    .bind(numbers.iter().map(|(message, ..)| message.0).collect::<Vec<_>>())
    .bind(numbers.iter().map(|(_, key, _)| key.0).collect::<Vec<_>>())
    .bind(numbers.iter().map(|(.., name)| name.as_str()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn journal_of_tickets(
    connection: &mut PgConnection,
    found: &Found<'_>,
    moved: &[Moved<'_>],
    mint: &mut IdMint,
) -> Result<(), StoreError> {
    let reasons = |kept: &Kept| {
        let reasons = found.rethreaded.reasons.get(&kept.id);
        reasons.and_then(|reasons| serde_json::to_value(reasons).ok()).unwrap_or_else(|| serde_json::json!([]))
    };
    let events: Vec<Uuid> = moved.iter().map(|_| mint.next::<EventId>(found.now).0).collect();
    sqlx::query(
        "WITH t AS (
            SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::jsonb[]) AS t(event, message, gone, here, reasons)
         ), decided AS (
            INSERT INTO decision (tenant, message_id, contact_id, ticket_id, resolution, placement, reasons, at)
            SELECT $1, t.message, i.contact_id, t.here, 'known', 'moved', t.reasons, $7
            FROM t JOIN message m ON m.id = t.message LEFT JOIN identity i ON i.id = m.identity_id
         )
         INSERT INTO ticket_event (tenant, id, ticket_id, kind, message_id, data, at)
         SELECT $1, t.event, t.gone, 'moved', t.message, jsonb_build_object('to', t.here), $7 FROM t WHERE t.gone IS NOT NULL",
    )
    .bind(found.tenant)
    .bind(events)
    .bind(moved.iter().map(|moved| moved.kept.id.0).collect::<Vec<_>>())
    .bind(moved.iter().map(|moved| moved.from.map(|id| id.0)).collect::<Vec<_>>())
    .bind(moved.iter().map(|moved| moved.to.map(|id| id.0)).collect::<Vec<_>>())
    .bind(moved.iter().map(|moved| reasons(moved.kept)).collect::<Vec<_>>())
    .bind(sql_time(found.now))
    .execute(connection)
    .await?;
    Ok(())
}

/// People who were not decided on, and on whose tickets something changed all the same, are decided on next.
async fn beside(
    connection: &mut PgConnection,
    found: &Found<'_>,
    touched: &BTreeSet<TicketId>,
) -> Result<(), StoreError> {
    let is_touched = |kept: &&Kept| kept.is_beside && kept.ticket.is_some_and(|ticket| touched.contains(&ticket));
    let said = found.history.kept.iter().filter(is_touched);
    let ids: Vec<Uuid> = said.filter_map(|kept| Some(kept.identity?.0)).collect();
    let contacts: Vec<Uuid> = sqlx::query_scalar("SELECT DISTINCT contact_id FROM identity WHERE id = ANY($1)")
        .bind(ids)
        .fetch_all(&mut *connection)
        .await?;
    let contacts = contacts.into_iter().map(|contact| (contact, found.mirrors.is_empty())).collect();
    super::want(connection, found.tenant, &contacts, found.now).await
}

/// Who takes part in the tickets on which something changed: whoever said something there, and to whom the desk wrote.
async fn participants(
    connection: &mut PgConnection,
    found: &Found<'_>,
    touched: &BTreeSet<TicketId>,
) -> Result<(), StoreError> {
    let decided = || found.history.kept.iter().filter(|kept| !kept.is_beside);
    let before = decided().filter_map(|kept| kept.ticket);
    let after = decided().filter_map(|kept| found.rethreaded.ticket_of.get(&kept.id)).copied();
    let tickets: BTreeSet<Uuid> = before.chain(after).chain(touched.iter().copied()).map(|ticket| ticket.0).collect();
    let tickets: Vec<Uuid> = tickets.into_iter().collect();
    let entitled = &found.rethreaded.entitled;
    sqlx::query(
        "WITH here AS (
            SELECT i.contact_id, m.ticket_id, min(m.received_at) AS since FROM message m JOIN identity i ON i.id = m.identity_id
            WHERE m.ticket_id = ANY($1) AND coalesce(m.auto, 'alert') = 'alert' GROUP BY i.contact_id, m.ticket_id
         ), gone AS (
            DELETE FROM ticket_participant p WHERE p.ticket_id = ANY($1)
                AND NOT EXISTS (SELECT 1 FROM here h WHERE h.contact_id = p.contact_id AND h.ticket_id = p.ticket_id)
         )
         INSERT INTO ticket_participant AS p (contact_id, ticket_id, entitled_by, since)
         SELECT h.contact_id, h.ticket_id, coalesce(t.entitled_by, 'same_contact'), h.since
         FROM here h LEFT JOIN unnest($2::uuid[], $3::uuid[], $4::text[]) AS t(ticket, contact, entitled_by)
            ON t.ticket = h.ticket_id AND t.contact = h.contact_id
         ON CONFLICT (contact_id, ticket_id) DO UPDATE SET entitled_by = excluded.entitled_by, since = excluded.since
            WHERE (p.entitled_by, p.since) IS DISTINCT FROM (excluded.entitled_by, excluded.since)",
    )
    .bind(tickets)
    .bind(entitled.keys().map(|(ticket, _)| ticket.0).collect::<Vec<_>>())
    .bind(entitled.keys().map(|(_, contact)| contact.0).collect::<Vec<_>>())
    .bind(entitled.values().map(|by| by.as_str()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
