//! How every way in and out does, said by the daemon that works it and read by commands.
//!
//! Several daemons may work one channel: then the row is the one's that has trouble, for as long as it says so. Whether
//! a report is fresh is judged by the database's clock alone.
//!
//! **Invariant:** a report that nobody renews is not taken for the present.

use super::facts::time;
use super::{Store, StoreError, sql_time};
use crate::pure::domain::Timestamp;
use serde::Serialize;
use sqlx::Row;
use std::collections::HashMap;
use uuid::Uuid;

/// A report that is older than this is of a daemon that is gone: it renews them every ten seconds.
const FRESH_S_MAX: i32 = 45;

/// A way in, or a way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// A channel.
    Channel,
    /// A mirror.
    Mirror,
}

impl Side {
    fn word(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Mirror => "mirror",
        }
    }
}

/// How something does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthWord {
    /// It began a moment ago, and has neither worked nor failed.
    Starting,
    /// Nothing was asked of it since the daemon began.
    Untried,
    /// It works.
    Ok,
    /// It does not work, and is tried again.
    Failing,
    /// It has not worked for so long that it was said aloud.
    Dead,
    /// A mirror that does not work: tried at long intervals, and said aloud.
    Parked,
    /// Switched off in the configuration.
    Off,
    /// No daemon says anything of it.
    Unknown,
}

impl HealthWord {
    /// The word, for tables and SQL.
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Untried => "untried",
            Self::Ok => "ok",
            Self::Failing => "failing",
            Self::Dead => "dead",
            Self::Parked => "parked",
            Self::Off => "off",
            Self::Unknown => "unknown",
        }
    }

    fn parse(word: &str) -> Self {
        let known = [Self::Starting, Self::Untried, Self::Ok, Self::Failing, Self::Dead, Self::Parked];
        known.into_iter().find(|known| known.word() == word).unwrap_or(Self::Unknown)
    }
}

/// What a daemon says of a channel or mirror.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthReport {
    /// Channel or mirror.
    pub side: Side,
    /// Its name.
    pub name: String,
    /// How it does.
    pub state: HealthWord,
    /// Since when.
    pub since: Timestamp,
    /// When it last worked, if it has since the daemon began.
    pub worked_at: Option<Timestamp>,
    /// Attempts in a row that failed.
    pub failures: u32,
    /// One sentence without customers' data; empty when all is well.
    pub why: String,
}

/// What is known of a channel or mirror now.
#[derive(Debug, Clone, Serialize)]
pub struct Health {
    /// How it does.
    pub state: HealthWord,
    /// Since when; for `unknown` since when nothing was said, if ever anything was.
    pub since: Option<Timestamp>,
    /// When it last worked, whichever daemon it was.
    pub worked_at: Option<Timestamp>,
    /// Attempts in a row that failed.
    pub failures: i64,
    /// What does not work, or why nothing is known.
    pub why: Option<String>,
}

impl Health {
    /// Of what no daemon ever said anything.
    pub fn unknown() -> Self {
        let why = Some("no daemon has reported yet: `lanka run`".to_owned());
        Self { state: HealthWord::Unknown, since: None, worked_at: None, failures: 0, why }
    }

    /// The same of what is switched off.
    pub fn off(self) -> Self {
        Self { state: HealthWord::Off, since: None, failures: 0, why: None, ..self }
    }
}

impl Store {
    /// Writes what the daemon `reporter` says. One statement, a few rows.
    pub async fn report_health(&self, reporter: Uuid, reports: &[HealthReport]) -> Result<(), StoreError> {
        let mut reports: Vec<&HealthReport> = reports.iter().collect();
        // In one order, so that two daemons do not wait for each other.
        reports.sort_by(|a, b| (a.side, &a.name).cmp(&(b.side, &b.name)));
        let sides: Vec<&str> = reports.iter().map(|report| report.side.word()).collect();
        let names: Vec<&str> = reports.iter().map(|report| report.name.as_str()).collect();
        let states: Vec<&str> = reports.iter().map(|report| report.state.word()).collect();
        let since: Vec<_> = reports.iter().map(|report| sql_time(report.since)).collect();
        let worked: Vec<_> = reports.iter().map(|report| report.worked_at.map(sql_time)).collect();
        let failures: Vec<i64> = reports.iter().map(|report| i64::from(report.failures)).collect();
        let whys: Vec<&str> = reports.iter().map(|report| report.why.as_str()).collect();
        sqlx::query(
            "INSERT INTO health AS h (side, name, state, since, worked_at, failures, why, reporter, reported_at)
             SELECT t.*, $8, now() FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::bigint[], $7::text[]) AS t
             ON CONFLICT (side, name) DO UPDATE SET state = excluded.state, since = excluded.since,
                worked_at = greatest(h.worked_at, excluded.worked_at), failures = excluded.failures, why = excluded.why,
                reporter = excluded.reporter, reported_at = excluded.reported_at
             WHERE h.reporter IS NULL OR h.reporter = excluded.reporter OR h.reported_at < now() - make_interval(secs => $9)
                OR (h.state IN ('starting', 'untried') AND excluded.state NOT IN ('starting', 'untried'))
                OR (excluded.state IN ('failing', 'dead', 'parked') AND h.state NOT IN ('failing', 'dead', 'parked'))",
        )
        .bind(sides)
        .bind(names)
        .bind(states)
        .bind(since)
        .bind(worked)
        .bind(failures)
        .bind(whys)
        .bind(reporter)
        .bind(FRESH_S_MAX)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The daemon `reporter` stops: what it said last is no longer the present.
    pub async fn retract_health(&self, reporter: Uuid) -> Result<(), StoreError> {
        sqlx::query("UPDATE health SET reporter = NULL WHERE reporter = $1").bind(reporter).execute(&self.pool).await?;
        Ok(())
    }

    /// What is known of every channel or every mirror that a daemon ever spoke of, by name.
    pub async fn health(&self, side: Side) -> Result<HashMap<String, Health>, StoreError> {
        let rows = sqlx::query(
            "SELECT name, state, since, worked_at, failures, why, reported_at,
                reporter IS NOT NULL AND reported_at >= now() - make_interval(secs => $2) AS fresh
             FROM health WHERE side = $1",
        )
        .bind(side.word())
        .bind(FRESH_S_MAX)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let worked_at = row.try_get::<Option<jiff_sqlx::Timestamp>, _>("worked_at")?.map(|at| at.to_jiff());
                let why: String = row.try_get("why")?;
                let health = match row.try_get("fresh")? {
                    true => Health {
                        state: HealthWord::parse(row.try_get("state")?),
                        since: Some(time(row, "since")?),
                        worked_at,
                        failures: row.try_get("failures")?,
                        why: Some(why).filter(|why| !why.is_empty()),
                    },
                    false => Health {
                        since: Some(time(row, "reported_at")?),
                        worked_at,
                        why: Some(match why.is_empty() {
                            true => "no daemon runs".to_owned(),
                            false => format!("no daemon runs; the last one said: {why}"),
                        }),
                        ..Health::unknown()
                    },
                };
                Ok((row.try_get("name")?, health))
            })
            .collect()
    }
}
