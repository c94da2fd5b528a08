//! What reports are made of: counted by the database, over what was asked within a period.
//!
//! **Invariants:** all of a report is of one instant: one snapshot, in which nothing is written. A constant number of
//! statements, whatever was asked for; what is listed has a limit.

use super::facts::{time, time_or_none};
use super::{Store, StoreError, sql_time};
use crate::pure::decide::recurring::Ticket;
use crate::pure::domain::Timestamp;
use crate::pure::domain::clock::ClockKind;
use crate::pure::domain::report::{
    Breach, Count, CustomerCount, DayCount, Feedback, IncidentLine, LINES_MAX, Promised, Report, ReportOf, Waited,
};
use crate::pure::domain::ticket::MatterKind;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres, Row};

/// Tickets that are read for what recurs, the latest.
const READ_MAX: i64 = 5_000;

/// Bytes, or rather characters, of a text that are read for it, and that are shown of feedback.
const READ_CHARS_MAX: i32 = 2_000;
const SHOWN_CHARS_MAX: i32 = 500;

/// Customers and channels that are counted by name.
const NAMES_MAX: i64 = 100;

/// One instant for all of a report, of which each statement may take the database so long.
const SNAPSHOT: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY";
const TIME_MAX: &str =
    "SELECT set_config('statement_timeout', '30s', true), set_config('plan_cache_mode', 'force_custom_plan', true)";

/// What customers asked within the period. $1: firm, $2 and $3: the period, $4: customers, null for all.
const ASKED: &str = "k AS MATERIALIZED (
    SELECT k.* FROM ticket k WHERE k.tenant = $1 AND k.asked_at >= $2 AND k.asked_at < $3 AND k.merged_into IS NULL
        AND ($4::text[] IS NULL OR k.organisation = ANY($4)))";

/// Promises that began within it, and how each stands at $5.
const PROMISES: &str = "c AS MATERIALIZED (
    SELECT c.*, k.number, k.title, k.organisation, k.owner, CASE WHEN c.due_at < c.ended_at THEN 'breached'
            WHEN c.ended_at IS NOT NULL THEN 'met' WHEN c.due_at <= $5 THEN 'breached' WHEN c.paused_since IS NOT NULL THEN 'paused'
            ELSE 'running' END AS state
    FROM ticket_clock c JOIN ticket k ON k.id = c.ticket_id
    WHERE c.tenant = $1 AND c.started_at >= $2 AND c.started_at < $3 AND k.merged_into IS NULL
        AND ($4::text[] IS NULL OR k.organisation = ANY($4)))";

/// What a report is made of.
pub struct Found {
    /// The report, but for its subjects.
    pub report: Report,
    /// Tickets to find subjects in, the latest first. They name no topics yet.
    pub tickets: Vec<Ticket>,
}

impl Store {
    /// What a report is made of, at an instant. Days are those of a time zone.
    ///
    /// # Errors
    /// When the database cannot be asked, or takes longer than half a minute for one of its statements.
    pub async fn report(&self, of: &ReportOf, zone: &TimeZone, now: Timestamp) -> Result<Found, StoreError> {
        let mut tx = self.pool.begin().await?;
        sqlx::query(SNAPSHOT).execute(&mut *tx).await?;
        sqlx::query(TIME_MAX).execute(&mut *tx).await?;
        let asked = Asked { of, span: of.period.instants(zone), zone, now };
        let mut report = asked.totals(&mut tx).await?;
        asked.counts(&mut tx, &mut report).await?;
        report.days = asked.days(&mut tx).await?;
        if of.organisations.is_empty() {
            report.customers = asked.customers(&mut tx).await?;
        }
        report.promises = asked.promises(&mut tx).await?;
        report.waits = asked.waits(&mut tx).await?;
        report.breaches = asked.breaches(&mut tx).await?;
        report.incidents = asked.incidents(&mut tx).await?;
        report.feedback = asked.feedback(&mut tx).await?;
        let tickets = asked.tickets(&mut tx).await?;
        tx.commit().await?;
        Ok(Found { report, tickets })
    }
}

/// What is asked for, as statements want it.
struct Asked<'a> {
    of: &'a ReportOf,
    span: (Timestamp, Timestamp),
    zone: &'a TimeZone,
    now: Timestamp,
}

impl Asked<'_> {
    /// A statement over [`ASKED`].
    fn query<'q>(&'q self, sql: &'q str) -> Query<'q, Postgres, PgArguments> {
        let customers = (!self.of.organisations.is_empty()).then_some(&self.of.organisations);
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned()))
            .bind(&self.of.tenant)
            .bind(sql_time(self.span.0))
            .bind(sql_time(self.span.1))
            .bind(customers)
    }

    async fn totals(&self, connection: &mut PgConnection) -> Result<Report, StoreError> {
        let sql = format!(
            "WITH {ASKED} SELECT count(*) AS tickets, count(*) FILTER (WHERE state = 'closed') AS closed,
                count(*) FILTER (WHERE EXISTS (SELECT 1 FROM again a WHERE a.ticket_id = k.id)) AS came_again,
                (SELECT count(*) FROM ticket b WHERE b.tenant = $1 AND b.asked_at >= $5 AND b.asked_at < $6 AND b.merged_into IS NULL
                    AND ($4::text[] IS NULL OR b.organisation = ANY($4))) AS before
             FROM k"
        );
        let (from, to) = self.of.period.before().instants(self.zone);
        let row = self.query(&sql).bind(sql_time(from)).bind(sql_time(to)).fetch_one(connection).await?;
        Ok(Report {
            tenant: self.of.tenant.clone(),
            organisations: self.of.organisations.clone(),
            period: self.of.period,
            from: self.span.0,
            to: self.span.1,
            as_of: self.now,
            tickets: row.try_get("tickets")?,
            tickets_before: row.try_get("before")?,
            closed: row.try_get("closed")?,
            came_again: row.try_get("came_again")?,
            kinds: Vec::new(),
            problems: Vec::new(),
            feedback_kinds: Vec::new(),
            priorities: Vec::new(),
            channels: Vec::new(),
            days: Vec::new(),
            customers: Vec::new(),
            promises: Vec::new(),
            waits: Vec::new(),
            breaches: Vec::new(),
            subjects: Vec::new(),
            incidents: Vec::new(),
            feedback: Vec::new(),
        })
    }

    /// By name: each list in the order of its words, channels by how many there are.
    async fn counts(&self, connection: &mut PgConnection, report: &mut Report) -> Result<(), StoreError> {
        let sql = format!(
            "WITH {ASKED}, n AS (
                SELECT 'kind' AS by, n.name, count(*) AS n FROM k, unnest(CASE k.kind WHEN '{{}}' THEN '{{none}}' ELSE k.kind END) AS n(name) GROUP BY 2
                UNION ALL SELECT 'problem', coalesce(fault_kind, 'none'), count(*) FROM k WHERE 'problem' = ANY(kind) GROUP BY 2
                UNION ALL SELECT 'feedback', n.name, count(*) FROM k, unnest(k.feedback) AS n(name) GROUP BY 2
                UNION ALL SELECT 'priority', priority, count(*) FROM k GROUP BY 2
                UNION ALL (SELECT 'channel', coalesce(asked_on, 'none'), count(*) FROM k GROUP BY 2 ORDER BY 3 DESC, 2 LIMIT {NAMES_MAX})
             ) SELECT * FROM n ORDER BY by, n DESC, name"
        );
        let mut by_channel = Vec::new();
        let mut known = [
            ("kind", vec!["service", "problem", "feedback", "none"]),
            ("problem", vec!["prevents", "hinders", "unclear", "own", "none"]),
            ("feedback", vec!["complaint", "wish", "praise"]),
            ("priority", vec!["high", "normal", "low"]),
        ]
        .map(|(by, names)| {
            let none = |name: &str| Count { name: name.to_owned(), tickets: 0 };
            (by, names.into_iter().map(none).collect::<Vec<_>>())
        });
        for row in self.query(&sql).fetch_all(connection).await? {
            let (by, name, tickets): (String, String, i64) =
                (row.try_get("by")?, row.try_get("name")?, row.try_get("n")?);
            match known.iter_mut().find(|(known, _)| *known == by) {
                None => by_channel.push(Count { name, tickets }),
                Some((_, counts)) => match counts.iter_mut().find(|count| count.name == name) {
                    Some(count) => count.tickets = tickets,
                    None => counts.push(Count { name, tickets }),
                },
            }
        }
        let [kinds, problems, feedback, priorities] = known.map(|(_, counts)| counts);
        (report.kinds, report.problems, report.feedback_kinds) = (kinds, problems, feedback);
        (report.priorities, report.channels) = (priorities, by_channel);
        Ok(())
    }

    async fn days(&self, connection: &mut PgConnection) -> Result<Vec<DayCount>, StoreError> {
        let sql = format!(
            "WITH {ASKED} SELECT (asked_at AT TIME ZONE $5)::date::text AS day, count(*) AS tickets,
                count(*) FILTER (WHERE 'problem' = ANY(kind)) AS problems FROM k GROUP BY 1 ORDER BY 1"
        );
        let zone = self.zone.iana_name().unwrap_or("UTC");
        let rows = self.query(&sql).bind(zone).fetch_all(connection).await?;
        let day = |row: &PgRow| {
            let day: Option<Date> = row.try_get::<String, _>("day")?.parse().ok();
            let (tickets, problems) = (row.try_get("tickets")?, row.try_get("problems")?);
            Ok(day.map(|day| DayCount { day, tickets, problems }))
        };
        Ok(rows.iter().map(day).collect::<Result<Vec<_>, StoreError>>()?.into_iter().flatten().collect())
    }

    async fn customers(&self, connection: &mut PgConnection) -> Result<Vec<CustomerCount>, StoreError> {
        let sql = format!(
            "WITH {ASKED}, {PROMISES}, t AS (
                SELECT organisation, 1 AS ticket, ('problem' = ANY(kind))::int AS problem, (priority = 'high')::int AS high, 0 AS breach FROM k
                UNION ALL SELECT organisation, 0, 0, 0, 1 FROM c WHERE state = 'breached'
             )
             SELECT organisation, sum(ticket) AS tickets, sum(problem) AS problems, sum(high) AS high, sum(breach) AS breaches
             FROM t GROUP BY 1 ORDER BY 2 DESC, 5 DESC, 1 NULLS LAST LIMIT {NAMES_MAX}"
        );
        let rows = self.query(&sql).bind(sql_time(self.now)).fetch_all(connection).await?;
        let customer = |row: &PgRow| {
            Ok(CustomerCount {
                organisation: row.try_get("organisation")?,
                tickets: row.try_get("tickets")?,
                problems: row.try_get("problems")?,
                high: row.try_get("high")?,
                breaches: row.try_get("breaches")?,
            })
        };
        rows.iter().map(customer).collect()
    }

    async fn promises(&self, connection: &mut PgConnection) -> Result<Vec<Promised>, StoreError> {
        let sql = format!(
            "WITH {PROMISES} SELECT clock, count(*) AS made, count(*) FILTER (WHERE state = 'met') AS met,
                count(*) FILTER (WHERE state = 'breached') AS breached, count(*) FILTER (WHERE state = 'running') AS running,
                count(*) FILTER (WHERE state = 'paused') AS paused, min(target_s) AS target_min, max(target_s) AS target_max,
                percentile_disc(0.5) WITHIN GROUP (ORDER BY worked_s) FILTER (WHERE ended_at IS NOT NULL) AS median,
                percentile_disc(0.9) WITHIN GROUP (ORDER BY worked_s) FILTER (WHERE ended_at IS NOT NULL) AS p90
             FROM c GROUP BY clock"
        );
        let rows = self.query(&sql).bind(sql_time(self.now)).fetch_all(connection).await?;
        let mut promises = Vec::new();
        for row in &rows {
            let Some(clock) = ClockKind::parse(row.try_get("clock")?) else { continue };
            promises.push(Promised {
                clock,
                made: row.try_get("made")?,
                met: row.try_get("met")?,
                breached: row.try_get("breached")?,
                running: row.try_get("running")?,
                paused: row.try_get("paused")?,
                target_s: (row.try_get("target_min")?, row.try_get("target_max")?),
                median_s: row.try_get("median")?,
                p90_s: row.try_get("p90")?,
            });
        }
        promises.sort_by_key(|promised| promised.clock);
        Ok(promises)
    }

    async fn waits(&self, connection: &mut PgConnection) -> Result<Vec<Waited>, StoreError> {
        let sql = format!(
            "WITH {ASKED}, w AS (
                SELECT 'first_answer' AS clock, extract(epoch FROM first_response_at - asked_at)::bigint AS s FROM k WHERE first_response_at >= asked_at
                UNION ALL SELECT 'solution', extract(epoch FROM solved_at - asked_at)::bigint FROM k WHERE state = 'closed' AND solved_at >= asked_at
             ) SELECT clock, count(*) AS done, percentile_disc(0.5) WITHIN GROUP (ORDER BY s) AS median,
                percentile_disc(0.9) WITHIN GROUP (ORDER BY s) AS p90 FROM w GROUP BY clock"
        );
        let mut waits = [ClockKind::FirstAnswer, ClockKind::Solution].map(|clock| Waited {
            clock,
            done: 0,
            median_s: None,
            p90_s: None,
        });
        for row in &self.query(&sql).fetch_all(connection).await? {
            let clock = ClockKind::parse(row.try_get("clock")?);
            if let Some(waited) = waits.iter_mut().find(|waited| Some(waited.clock) == clock) {
                waited.done = row.try_get("done")?;
                (waited.median_s, waited.p90_s) = (row.try_get("median")?, row.try_get("p90")?);
            }
        }
        Ok(waits.to_vec())
    }

    async fn breaches(&self, connection: &mut PgConnection) -> Result<Vec<Breach>, StoreError> {
        let sql = format!(
            "WITH {PROMISES} SELECT * FROM c WHERE state = 'breached' ORDER BY due_at DESC, number DESC, clock, round DESC LIMIT {LINES_MAX}"
        );
        let rows = self.query(&sql).bind(sql_time(self.now)).fetch_all(connection).await?;
        let mut breaches = Vec::with_capacity(rows.len());
        for row in &rows {
            let Some(clock) = ClockKind::parse(row.try_get("clock")?) else { continue };
            let (target_s, worked_s): (i64, Option<i64>) = (row.try_get("target_s")?, row.try_get("worked_s")?);
            let ended_at = time_or_none(row, "ended_at")?;
            breaches.push(Breach {
                number: row.try_get("number")?,
                title: row.try_get("title")?,
                organisation: row.try_get("organisation")?,
                clock,
                started_at: time(row, "started_at")?,
                due_at: time(row, "due_at")?,
                ended_at,
                target_s,
                over_s: worked_s.filter(|_| ended_at.is_some()).map(|worked_s| worked_s - target_s),
                owner: row.try_get("owner")?,
            });
        }
        Ok(breaches)
    }

    async fn incidents(&self, connection: &mut PgConnection) -> Result<Vec<IncidentLine>, StoreError> {
        let sql = format!(
            "WITH {ASKED} SELECT i.number, i.terms, i.began_at, i.ended_at, count(DISTINCT k.id) AS tickets
             FROM k JOIN incident_ticket t ON t.ticket_id = k.id AND t.off_at IS NULL AND NOT t.is_alert JOIN incident i ON i.id = t.incident_id
             GROUP BY i.id ORDER BY i.began_at DESC LIMIT {LINES_MAX}"
        );
        let rows = self.query(&sql).fetch_all(connection).await?;
        let incident = |row: &PgRow| {
            Ok(IncidentLine {
                number: row.try_get("number")?,
                terms: row.try_get("terms")?,
                began_at: time(row, "began_at")?,
                ended_at: time_or_none(row, "ended_at")?,
                tickets: row.try_get("tickets")?,
            })
        };
        rows.iter().map(incident).collect()
    }

    async fn feedback(&self, connection: &mut PgConnection) -> Result<Vec<Feedback>, StoreError> {
        let sql = format!(
            "WITH {ASKED} SELECT k.number, k.title, k.organisation, k.feedback, k.asked_at, coalesce(k.asked_on, '') AS asked_on, CASE WHEN $5 THEN
                (SELECT left(coalesce(m.own_text, m.text), {SHOWN_CHARS_MAX}) FROM message m WHERE m.ticket_id = k.id AND m.redacted_at IS NULL
                    AND m.direction = 'from_customer' AND m.feedback <> '{{}}' ORDER BY m.trusted_at, m.id LIMIT 1) END AS text
             FROM k WHERE k.feedback <> '{{}}' ORDER BY k.asked_at DESC, k.number DESC LIMIT {LINES_MAX}"
        );
        let rows = self.query(&sql).bind(self.of.with_texts).fetch_all(connection).await?;
        let feedback = |row: &PgRow| {
            Ok(Feedback {
                number: row.try_get("number")?,
                title: row.try_get("title")?,
                organisation: row.try_get("organisation")?,
                kinds: row.try_get("feedback")?,
                at: time(row, "asked_at")?,
                channel: row.try_get("asked_on")?,
                text: row.try_get("text")?,
            })
        };
        rows.iter().map(feedback).collect()
    }

    async fn tickets(&self, connection: &mut PgConnection) -> Result<Vec<Ticket>, StoreError> {
        let sql = format!(
            "WITH {ASKED} SELECT k.number, k.title, k.kind, coalesce(k.organisation, i.contact_id::text, k.id::text) AS customer,
                CASE WHEN m.redacted_at IS NULL THEN left(coalesce(m.own_text, m.text), {READ_CHARS_MAX}) END AS text
             FROM k LEFT JOIN message m ON m.id = k.opened_by LEFT JOIN identity i ON i.id = m.identity_id
             ORDER BY k.asked_at DESC, k.number DESC LIMIT {READ_MAX}"
        );
        let rows = self.query(&sql).fetch_all(connection).await?;
        let ticket = |row: &PgRow| {
            let kinds: Vec<String> = row.try_get("kind")?;
            Ok(Ticket {
                number: row.try_get("number")?,
                customer: row.try_get("customer")?,
                title: row.try_get("title")?,
                text: row.try_get::<Option<String>, _>("text")?.unwrap_or_default(),
                kinds: kinds.iter().filter_map(|kind| MatterKind::parse(kind)).collect(),
                topics: Vec::new(),
            })
        };
        rows.iter().map(ticket).collect()
    }
}
