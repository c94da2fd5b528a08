//! Suggestions, and what people answered to them.

use super::people::{Side, find, join, part};
use super::threads::{Messages, Put, Putting, put};
use super::*;
use crate::shell::store::facts::time;
use crate::shell::store::reader::{Reader, says};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// What somebody says to a suggestion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// They are one.
    Accept,
    /// They are not.
    Reject,
}

/// A suggestion with both sides.
#[derive(Debug, Clone, Serialize)]
pub struct SuggestionShown {
    /// Its id.
    pub id: SuggestionId,
    /// `open`, `accepted`, `rejected`, or `overtaken` by what came later.
    pub state: String,
    /// `contact` or `ticket`: what would be joined.
    pub kind: String,
    /// Since when it stands.
    pub since: Timestamp,
    /// The class of the evidence; none between tickets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Its weight.
    pub bits: i16,
    /// One sentence, in the desk's language.
    pub why: String,
    /// Its stable code.
    pub code: String,
    /// The side that the message is on.
    pub one: SideShown,
    /// The side that it points to.
    pub other: SideShown,
    /// Who answered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_why: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
}

/// One side of a suggestion.
#[derive(Debug, Clone, Serialize)]
pub struct SideShown {
    /// The contact or ticket, as it stands now; none is left of somebody who gave no identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// A ticket's short number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<i64>,
    /// A contact's name, a ticket's title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A contact's addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<String>,
    /// A message to look at.
    pub message: MessageId,
}

type Statement<'q> = sqlx::query::Query<'q, Postgres, sqlx::postgres::PgArguments>;

const SUGGESTIONS: &str = "
    SELECT s.id, s.state, s.target_kind, s.at, s.class, s.bits, s.says, s.why, s.message_id, s.by_message, s.answered_by, s.answered_why,
        s.answered_at, p.one, p.other, a.number AS one_number, b.number AS other_number, coalesce(a.title, c.name) AS one_name,
        coalesce(b.title, d.name) AS other_name,
        (SELECT coalesce(array_agg(i.scheme || ':' || i.value ORDER BY i.first_at, i.id), '{}') FROM identity i WHERE i.contact_id = c.id) AS ones,
        (SELECT coalesce(array_agg(i.scheme || ':' || i.value ORDER BY i.first_at, i.id), '{}') FROM identity i WHERE i.contact_id = d.id) AS others
    FROM suggestion s LEFT JOIN message m ON m.id = s.message_id LEFT JOIN identity own ON own.id = m.identity_id
    CROSS JOIN LATERAL (SELECT CASE WHEN s.target_kind = 'ticket' THEN m.ticket_id ELSE own.contact_id END AS one,
        coalesce((SELECT now FROM alias WHERE id = s.target), s.target) AS other) p
    LEFT JOIN ticket a ON a.id = p.one AND s.target_kind = 'ticket' LEFT JOIN ticket b ON b.id = p.other AND s.target_kind = 'ticket'
    LEFT JOIN contact c ON c.id = p.one AND s.target_kind = 'contact' LEFT JOIN contact d ON d.id = p.other AND s.target_kind = 'contact'";

impl Store {
    /// Suggestions, the latest first: those that wait for somebody, or all.
    pub async fn suggestions(&self, all: bool, limit: i64) -> Result<Vec<SuggestionShown>, StoreError> {
        let sql = "$1 OR s.state = 'open' ORDER BY s.at DESC, s.id LIMIT $2";
        suggestions_where(self, sql, |query| query.bind(all).bind(limit)).await
    }

    /// Answers a suggestion: what it would join is joined, or kept apart, and not suggested again.
    pub async fn answer(
        &self,
        id: SuggestionId,
        answer: Answer,
        saying: Saying<'_>,
        now: Timestamp,
    ) -> Result<Written, ActError> {
        let mut tx = self.begin_act(now).await?;
        let sql = format!("{SUGGESTIONS} WHERE s.id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.0).fetch_optional(&mut *tx).await?;
        let suggestion = row.as_ref().map(|row| shown(row, &self.reader)).transpose()?.ok_or_else(|| {
            ActError::Unknown(format!(
                "there is no suggestion \"{id}\"; `lanka review list --all` shows those there are"
            ))
        })?;
        let pair = pair(&suggestion)?;
        let written = match (suggestion.kind.as_str(), answer) {
            ("contact", Answer::Accept) => {
                let (one, other) = people(&mut tx, pair).await?;
                join(self, &mut tx, &one, &other, saying, now).await?
            }
            ("contact", Answer::Reject) => {
                let (one, other) = people(&mut tx, pair).await?;
                let who = (one.tenant.as_str(), one.id, other.id);
                let id = part(self, &mut tx, who, (&other.ids(), &one.ids()), saying, now).await?;
                due(&mut tx, &one.tenant, [one.id.0, other.id.0], now).await?;
                let end = End::Two(one.ids(), other.ids());
                let identities = one.ids().union(&other.ids()).copied().collect();
                Written { id, takes_back: None, identities, messages: BTreeSet::new(), end }
            }
            (_, Answer::Accept) => {
                let (messages, put_on) = (Messages::Of(TicketId(pair.0)), Put::On(TicketId(pair.1)));
                let putting = Putting { act: "merge", messages, put: put_on, may_take_back: false };
                put(self, &mut tx, &putting, saying, now).await?
            }
            (_, Answer::Reject) => Written {
                id: EventId(id.0),
                takes_back: None,
                identities: BTreeSet::new(),
                messages: BTreeSet::from([suggestion.one.message, suggestion.other.message]),
                end: End::Same,
            },
        };
        answered(&mut tx, &suggestion, pair, answer, saying, now).await?;
        tx.commit().await?;
        Ok(written)
    }
}

/// Suggestions that a condition on `s` picks; `bind` gives it its values.
pub(in crate::shell::store) async fn suggestions_where<'q>(
    store: &Store,
    condition: &'static str,
    bind: impl FnOnce(Statement<'q>) -> Statement<'q>,
) -> Result<Vec<SuggestionShown>, StoreError> {
    let sql = format!("{SUGGESTIONS} WHERE {condition}");
    let rows = bind(sqlx::query(sqlx::AssertSqlSafe(sql))).fetch_all(&store.pool).await?;
    rows.iter().map(|row| shown(row, &store.reader)).collect()
}

/// What an open suggestion would join.
fn pair(suggestion: &SuggestionShown) -> Result<(Uuid, Uuid), ActError> {
    let SuggestionShown { id, state, kind, one, other, .. } = suggestion;
    if state != "open" {
        let by = suggestion.answered_by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        return Err(ActError::Nothing(format!(
            "suggestion {id} is {state}{by} already; `lanka contact` and `lanka thread` join and take apart"
        )));
    }
    match (one.id, other.id) {
        (Some(one), Some(other)) if one != other => Ok((one, other)),
        (Some(_), Some(_)) => {
            Err(ActError::Nothing(format!("suggestion {id} is overtaken: both are one {kind} by now")))
        }
        _ => Err(ActError::Nothing(format!("one side of suggestion {id} is no {kind} any more"))),
    }
}

async fn people(connection: &mut PgConnection, (one, other): (Uuid, Uuid)) -> Result<(Side, Side), ActError> {
    Ok((find(connection, &one.to_string()).await?, find(connection, &other.to_string()).await?))
}

/// Notes the answer on all open suggestions of the same pair.
async fn answered(
    connection: &mut PgConnection,
    suggestion: &SuggestionShown,
    (one, other): (Uuid, Uuid),
    answer: Answer,
    saying: Saying<'_>,
    now: Timestamp,
) -> Result<(), ActError> {
    let state = match answer {
        Answer::Accept => "accepted",
        Answer::Reject => "rejected",
    };
    sqlx::query(
        "WITH same AS (
            SELECT s.id FROM (VALUES ($2::uuid, $3::uuid), ($3, $2)) AS p(here, target)
            CROSS JOIN LATERAL (
                SELECT id FROM message WHERE $4 = 'ticket' AND ticket_id = p.here
                UNION ALL SELECT m.id FROM identity i JOIN message m ON m.identity_id = i.id WHERE $4 = 'contact' AND i.contact_id = p.here
            ) m JOIN suggestion s ON s.message_id = m.id
            WHERE s.state = 'open' AND s.target_kind = $4 AND coalesce((SELECT now FROM alias WHERE id = s.target), s.target) = p.target
         )
         UPDATE suggestion s SET state = $5, answered_by = $6, answered_why = $7, answered_at = $8
         WHERE s.id = $1 OR s.id IN (SELECT id FROM same)",
    )
    .bind(suggestion.id.0)
    .bind(one)
    .bind(other)
    .bind(&suggestion.kind)
    .bind(state)
    .bind(saying.by)
    .bind(saying.why)
    .bind(sql_time(now))
    .execute(connection)
    .await?;
    Ok(())
}

fn shown(row: &PgRow, reader: &Reader) -> Result<SuggestionShown, StoreError> {
    let says = says(row)?;
    let side = |id: &str, number: &str, name: &str, identities: &str, message: &str| {
        Ok::<_, StoreError>(SideShown {
            id: row.try_get(id)?,
            number: row.try_get(number)?,
            name: row.try_get(name)?,
            identities: row.try_get(identities)?,
            message: MessageId(row.try_get(message)?),
        })
    };
    Ok(SuggestionShown {
        id: SuggestionId(row.try_get("id")?),
        state: row.try_get("state")?,
        kind: row.try_get("target_kind")?,
        since: time(row, "at")?,
        class: row.try_get("class")?,
        bits: row.try_get("bits")?,
        why: says.in_language(reader.language),
        code: says.code(),
        one: side("one", "one_number", "one_name", "ones", "message_id")?,
        other: side("other", "other_number", "other_name", "others", "by_message")?,
        answered_by: row.try_get("answered_by")?,
        answered_why: row.try_get("answered_why")?,
        answered_at: row.try_get::<Option<jiff_sqlx::Timestamp>, _>("answered_at")?.map(|at| at.to_jiff()),
    })
}
