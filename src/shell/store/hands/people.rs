//! Words on identities, and a contact with all that was said of it.

use super::*;
use crate::pure::domain::contact::CONTACT_IDENTITIES_MAX;
use crate::pure::domain::identity::Assurance;
use crate::shell::store::commit::json_word;
use crate::shell::store::facts::time;
use crate::shell::store::reader::{Reader, says};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// Rows of a contact's journal that are shown, the latest.
const JOURNAL_SHOWN_MAX: i64 = 200;

/// A contact with the history of its joins.
#[derive(Debug, Clone, Serialize)]
pub struct ContactShown {
    /// Its id.
    pub id: ContactId,
    /// The firm whose customer it is.
    pub tenant: String,
    /// Person, organisation or shared.
    pub kind: String,
    /// The best name known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was first heard of.
    pub first_at: Timestamp,
    /// Its addresses.
    pub identities: Vec<IdentityShown>,
    /// Ids that were merged into it and still work.
    pub aliases: Vec<ContactId>,
    /// Tickets it takes part in.
    pub tickets: Vec<TicketId>,
    /// What agents say of it, what they have withdrawn included.
    pub words: Vec<WordShown>,
    /// Joins and splits, and who said what; the latest last.
    pub journal: Vec<LinkShown>,
}

/// An address of a contact.
#[derive(Debug, Clone, Serialize)]
pub struct IdentityShown {
    /// Its id.
    pub id: IdentityId,
    /// `mailto`, `tel`, a platform's.
    pub scheme: String,
    /// Outside of which the value means nothing.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// The address.
    pub value: String,
    /// Which of the people who had it one after the other, from 1.
    pub epoch: i32,
    /// How well it was vouched for.
    pub assurance: String,
    /// Names it was used with.
    pub names: Vec<String>,
    /// When it was last heard of.
    pub last_at: Timestamp,
}

/// What an agent said of two identities.
#[derive(Debug, Clone, Serialize)]
pub struct WordShown {
    /// The one.
    pub one: IdentityId,
    /// The other.
    pub other: IdentityId,
    /// `agent_same` or `agent_apart`.
    pub class: String,
    /// Who said it.
    pub by: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: Timestamp,
    /// Who withdrew it, if it does not hold any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub off_by: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub off_why: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub off_at: Option<Timestamp>,
}

/// A row of the journal.
#[derive(Debug, Clone, Serialize)]
pub struct LinkShown {
    /// When.
    pub at: Timestamp,
    /// `join` and `split` happened; `link` and `unlink` were said.
    pub act: String,
    /// The contact that stayed.
    pub keep: ContactId,
    /// The other one.
    pub other: ContactId,
    /// Identities that went over.
    pub identities: Vec<IdentityId>,
    /// Who.
    pub by: String,
    /// Why: in the desk's language what lanka says, as he wrote it what an agent says.
    pub why: String,
    /// The stable code of what lanka says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// A contact, as far as acts need to know it.
pub(super) struct Side {
    pub(super) id: ContactId,
    pub(super) tenant: String,
    kind: String,
    pub(super) identities: Vec<(IdentityId, String)>,
}

impl Side {
    pub(super) fn ids(&self) -> BTreeSet<IdentityId> {
        self.identities.iter().map(|(id, _)| *id).collect()
    }
}

/// The contact of a contact's id, of one that was merged away, or of an identity's.
pub(super) async fn find(connection: &mut PgConnection, text: &str) -> Result<Side, ActError> {
    let unknown = || {
        ActError::Unknown(format!(
            "there is no contact \"{text}\": name it by its id, one that was merged away, or that of an identity; \
             `lanka export contacts` and `lanka thread show` name them"
        ))
    };
    let id: Uuid = text.parse().map_err(|_| unknown())?;
    let row: Option<(Uuid, String, String)> = sqlx::query_as(
        "SELECT c.id, c.tenant, c.kind FROM contact c WHERE c.erased_at IS NULL AND c.merged_into IS NULL
            AND c.id = coalesce((SELECT now FROM alias WHERE id = $1 AND object = 'contact'),
                (SELECT contact_id FROM identity WHERE id = $1), $1)",
    )
    .bind(id)
    .fetch_optional(&mut *connection)
    .await?;
    let (id, tenant, kind) = row.ok_or_else(unknown)?;
    let identities: Vec<(Uuid, String)> =
        sqlx::query_as("SELECT id, scheme || ':' || value FROM identity WHERE contact_id = $1 ORDER BY first_at, id")
            .bind(id)
            .fetch_all(connection)
            .await?;
    let identities = identities.into_iter().map(|(id, shown)| (IdentityId(id), shown)).collect();
    Ok(Side { id: ContactId(id), tenant, kind, identities })
}

impl Store {
    /// Says that two contacts are one person: agents' words that they are not are withdrawn.
    pub async fn say_same(
        &self,
        (one, other): (&str, &str),
        saying: Saying<'_>,
        now: Timestamp,
    ) -> Result<Written, ActError> {
        let mut tx = self.begin_act(now).await?;
        let (one, other) = (find(&mut tx, one).await?, find(&mut tx, other).await?);
        let written = join(self, &mut tx, &one, &other, saying, now).await?;
        tx.commit().await?;
        Ok(written)
    }

    /// Says that identities of a contact are not the same person's as the rest of it: by id, or as `mailto:…`.
    pub async fn say_apart(
        &self,
        contact: &str,
        identities: &[String],
        saying: Saying<'_>,
        now: Timestamp,
    ) -> Result<Written, ActError> {
        let mut tx = self.begin_act(now).await?;
        let side = find(&mut tx, contact).await?;
        let mut given: BTreeSet<IdentityId> = BTreeSet::new();
        for text in identities {
            let known = side.identities.iter().filter(|(id, shown)| text == shown || *text == id.to_string());
            let found: Vec<IdentityId> = known.map(|(id, _)| *id).collect();
            if found.is_empty() {
                return Err(ActError::Unknown(format!(
                    "contact {} has no identity \"{text}\"; `lanka contact show {}` names those it has",
                    side.id, side.id
                )));
            }
            given.extend(found);
        }
        let rest: BTreeSet<IdentityId> = side.ids().difference(&given).copied().collect();
        if rest.is_empty() {
            return Err(ActError::Nothing(format!(
                "these are all the identities of contact {}: nothing would stay to be apart from",
                side.id
            )));
        }
        let who = (side.tenant.as_str(), side.id, side.id);
        let id = part(self, &mut tx, who, (&given, &rest), saying, now).await?;
        due(&mut tx, &side.tenant, [side.id.0], now).await?;
        tx.commit().await?;
        let (identities, end) = (side.ids(), End::Two(given, rest));
        Ok(Written { id, takes_back: None, identities, messages: BTreeSet::new(), end })
    }

    /// A contact with its journal.
    pub async fn contact(&self, text: &str) -> Result<ContactShown, ActError> {
        let mut connection = self.pool.acquire().await?;
        let Side { id, tenant, kind, identities } = find(&mut connection, text).await?;
        let ids: Vec<Uuid> = identities.iter().map(|(id, _)| id.0).collect();
        let (name, first_at): (Option<String>, jiff_sqlx::Timestamp) =
            sqlx::query_as("SELECT name, first_at FROM contact WHERE id = $1")
                .bind(id.0)
                .fetch_one(&mut *connection)
                .await?;
        let aliases: Vec<Uuid> =
            sqlx::query_scalar("SELECT id FROM alias WHERE now = $1 AND object = 'contact' ORDER BY id")
                .bind(id.0)
                .fetch_all(&mut *connection)
                .await?;
        let tickets: Vec<Uuid> = sqlx::query_scalar(
            "SELECT ticket_id FROM ticket_participant WHERE contact_id = $1 ORDER BY since, ticket_id",
        )
        .bind(id.0)
        .fetch_all(&mut *connection)
        .await?;
        let rows = sqlx::query("SELECT * FROM identity WHERE contact_id = $1 ORDER BY first_at, id")
            .bind(id.0)
            .fetch_all(&mut *connection)
            .await?;
        Ok(ContactShown {
            id,
            tenant,
            kind,
            name,
            first_at: first_at.to_jiff(),
            identities: rows.iter().map(shown).collect::<Result<_, _>>()?,
            aliases: aliases.iter().copied().map(ContactId).collect(),
            tickets: tickets.into_iter().map(TicketId).collect(),
            words: words(&mut connection, &ids).await?,
            journal: journal(&mut connection, id, (&aliases, &ids), &self.reader).await?,
        })
    }
}

/// Says that two contacts are one, and withdraws what was said against it.
pub(super) async fn join(
    store: &Store,
    connection: &mut PgConnection,
    one: &Side,
    other: &Side,
    saying: Saying<'_>,
    now: Timestamp,
) -> Result<Written, ActError> {
    if one.tenant != other.tenant {
        return Err(ActError::Tenants(format!(
            "contact {} is {}'s and contact {} is {}'s: nothing is joined across firms",
            one.id, one.tenant, other.id, other.tenant
        )));
    }
    if one.id == other.id {
        return Err(ActError::Nothing(format!("they are one contact already: {}", one.id)));
    }
    if let Some(shared) = [one, other].into_iter().find(|side| side.kind != "person") {
        return Err(ActError::Refused(format!(
            "contact {} is used by several people (it is {}), and is nobody's alone",
            shared.id, shared.kind
        )));
    }
    let count = one.identities.len() + other.identities.len();
    if count > CONTACT_IDENTITIES_MAX {
        return Err(ActError::Limit(format!(
            "together they would have {count} identities, and a contact holds at most {CONTACT_IDENTITIES_MAX}; \
             unlink what is not his first"
        )));
    }
    let pairs = pairs(&one.ids(), &other.ids());
    withdraw(connection, "agent_apart", &pairs, saying, now).await?;
    let edges = add(store, connection, (&one.tenant, "agent_same"), &pairs, saying, now).await?;
    let id =
        note(store, connection, &one.tenant, ("link", one.id, other.id), (&other.ids(), &edges), saying, now).await?;
    due(connection, &one.tenant, [one.id.0, other.id.0], now).await?;
    let all: BTreeSet<IdentityId> = one.ids().union(&other.ids()).copied().collect();
    Ok(Written { id, takes_back: None, identities: all.clone(), messages: BTreeSet::new(), end: End::One(all) })
}

/// Says that identities are not the same person's as others, and withdraws what was said against it.
pub(super) async fn part(
    store: &Store,
    connection: &mut PgConnection,
    (tenant, keep, other): (&str, ContactId, ContactId),
    (given, rest): (&BTreeSet<IdentityId>, &BTreeSet<IdentityId>),
    saying: Saying<'_>,
    now: Timestamp,
) -> Result<EventId, ActError> {
    let pairs = pairs(given, rest);
    withdraw(connection, "agent_same", &pairs, saying, now).await?;
    let edges = add(store, connection, (tenant, "agent_apart"), &pairs, saying, now).await?;
    note(store, connection, tenant, ("unlink", keep, other), (given, &edges), saying, now).await
}

fn pairs(some: &BTreeSet<IdentityId>, others: &BTreeSet<IdentityId>) -> (Vec<Uuid>, Vec<Uuid>) {
    some.iter().flat_map(|one| others.iter().map(|other| (one.0, other.0))).unzip()
}

async fn withdraw(
    connection: &mut PgConnection,
    class: &str,
    (some, others): &(Vec<Uuid>, Vec<Uuid>),
    saying: Saying<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE edge e SET state = 'off', off_by = $4, off_why = $5, off_at = $6 FROM unnest($2::uuid[], $3::uuid[]) AS t(a, b)
         WHERE e.state = 'active' AND e.class = $1
            AND ((e.identity_a = t.a AND e.identity_b = t.b) OR (e.identity_a = t.b AND e.identity_b = t.a))",
    )
    .bind(class)
    .bind(some)
    .bind(others)
    .bind(saying.by)
    .bind(saying.why)
    .bind(sql_time(now))
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes words that do not stand yet. Gives their ids.
async fn add(
    store: &Store,
    connection: &mut PgConnection,
    (tenant, class): (&str, &str),
    (some, others): &(Vec<Uuid>, Vec<Uuid>),
    saying: Saying<'_>,
    now: Timestamp,
) -> Result<Vec<Uuid>, StoreError> {
    let ids: Vec<Uuid> = some.iter().map(|_| store.next_id::<EdgeId>(now).0).collect();
    Ok(sqlx::query_scalar(
        "INSERT INTO edge (id, tenant, identity_a, identity_b, class, bits, by, why, at)
         SELECT t.id, $1, t.a, t.b, $2, 0, $6, $7, $8 FROM unnest($3::uuid[], $4::uuid[], $5::uuid[]) AS t(id, a, b)
         WHERE NOT EXISTS (SELECT 1 FROM edge e WHERE e.state = 'active' AND e.class = $2
            AND ((e.identity_a = t.a AND e.identity_b = t.b) OR (e.identity_a = t.b AND e.identity_b = t.a)))
         RETURNING id",
    )
    .bind(tenant)
    .bind(class)
    .bind(ids)
    .bind(some)
    .bind(others)
    .bind(saying.by)
    .bind(saying.why)
    .bind(sql_time(now))
    .fetch_all(connection)
    .await?)
}

/// The journal's row of a word.
async fn note(
    store: &Store,
    connection: &mut PgConnection,
    tenant: &str,
    (act, keep, other): (&str, ContactId, ContactId),
    (identities, edges): (&BTreeSet<IdentityId>, &[Uuid]),
    saying: Saying<'_>,
    now: Timestamp,
) -> Result<EventId, ActError> {
    let id: EventId = store.next_id(now);
    sqlx::query(
        "INSERT INTO contact_link (id, tenant, act, keep, other, identities, edges, by, why, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(id.0)
    .bind(tenant)
    .bind(act)
    .bind(keep.0)
    .bind(other.0)
    .bind(identities.iter().map(|id| id.0).collect::<Vec<_>>())
    .bind(edges)
    .bind(saying.by)
    .bind(saying.why)
    .bind(sql_time(now))
    .execute(connection)
    .await?;
    Ok(id)
}

fn shown(row: &PgRow) -> Result<IdentityShown, StoreError> {
    Ok(IdentityShown {
        id: IdentityId(row.try_get("id")?),
        scheme: row.try_get("scheme")?,
        scope: row.try_get("scope")?,
        value: row.try_get("value")?,
        epoch: row.try_get("epoch")?,
        assurance: json_word(&Assurance::from_level(row.try_get("assurance")?)),
        names: row.try_get("names")?,
        last_at: time(row, "last_at")?,
    })
}

async fn words(connection: &mut PgConnection, identities: &[Uuid]) -> Result<Vec<WordShown>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM edge WHERE class IN ('agent_same', 'agent_apart') AND (identity_a = ANY($1) OR identity_b = ANY($1)) ORDER BY at, id",
    )
    .bind(identities)
    .fetch_all(connection)
    .await?;
    let word = |row: &PgRow| {
        Ok(WordShown {
            one: IdentityId(row.try_get("identity_a")?),
            other: IdentityId(row.try_get("identity_b")?),
            class: row.try_get("class")?,
            by: row.try_get::<Option<String>, _>("by")?.unwrap_or_default(),
            why: row.try_get::<Option<String>, _>("why")?.unwrap_or_default(),
            at: time(row, "at")?,
            off_by: row.try_get("off_by")?,
            off_why: row.try_get("off_why")?,
            off_at: row.try_get::<Option<jiff_sqlx::Timestamp>, _>("off_at")?.map(|at| at.to_jiff()),
        })
    };
    rows.iter().map(word).collect()
}

async fn journal(
    connection: &mut PgConnection,
    id: ContactId,
    (aliases, identities): (&[Uuid], &[Uuid]),
    reader: &Reader,
) -> Result<Vec<LinkShown>, StoreError> {
    let contacts: Vec<Uuid> = aliases.iter().chain(identities).copied().chain([id.0]).collect();
    let rows = sqlx::query(
        "SELECT * FROM (SELECT * FROM contact_link WHERE keep = ANY($1) OR other = ANY($1) ORDER BY at DESC, id DESC LIMIT $2) l ORDER BY at, id",
    )
    .bind(contacts)
    .bind(JOURNAL_SHOWN_MAX)
    .fetch_all(connection)
    .await?;
    let link = |row: &PgRow| {
        let identities: Vec<Uuid> = row.try_get("identities")?;
        let says = says(row)?;
        Ok(LinkShown {
            at: time(row, "at")?,
            act: row.try_get("act")?,
            keep: ContactId(row.try_get("keep")?),
            other: ContactId(row.try_get("other")?),
            identities: identities.into_iter().map(IdentityId).collect(),
            by: row.try_get("by")?,
            why: says.in_language(reader.language),
            code: says.code_of_lanka(),
        })
    };
    rows.iter().map(link).collect()
}
