//! Somebody else's table, read and never written: the call records of an exchange.
//!
//! **Invariants:** the connection is read-only. Rows come one by one, however many there are. The URL,
//! which holds a password, is in no error.

use crate::pure::channels::TableSource;
use crate::pure::wire::cdr::TOO_LARGE;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use std::time::Duration;

/// Longest time the exchange's database may take for a connection, or for the next row.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Why a table cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The exchange's database cannot be reached, or refuses.
    #[error("the table {table} cannot be read: {error}. Check `database`, `table` and the rights of its user")]
    Database {
        /// As configured.
        table: String,
        /// The first line of what the database says; without the URL.
        error: String,
    },
    /// It does not answer.
    #[error("the database of {table} did not answer within {} s", ANSWER_TIMEOUT.as_secs())]
    Silent {
        /// As configured.
        table: String,
    },
    /// The column holds no time.
    #[error("the column {column} of {table} is {found}: `time_column` must name a timestamp")]
    Column {
        /// As configured.
        table: String,
        /// As configured.
        column: String,
        /// Its type, or that it is not there.
        found: String,
    },
}

/// A connection, and what the table is.
#[derive(Debug)]
pub struct Exchange {
    connection: PgConnection,
    source: TableSource,
    /// The type of the column of time.
    time_type: String,
}

/// A row of the table.
#[derive(Debug)]
pub struct ExchangeRow {
    /// One line of JSON; of a row that is too large, only how large it is.
    pub body: Bytes,
    /// The latest time up to here, as the database writes it.
    pub at: String,
}

impl Exchange {
    /// Connects, and looks whether the table is one.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub async fn connect(source: &TableSource) -> Result<Self, ExchangeError> {
        let options: PgConnectOptions = source.url.expose().parse().map_err(|error| unreadable(source, &error))?;
        let options = options.application_name("lanka").options([("default_transaction_read_only", "on")]);
        let mut connection = answer(source, PgConnection::connect_with(&options)).await?;
        let sql = "SELECT format_type(atttypid, NULL) FROM pg_attribute
                   WHERE attrelid = $1::regclass AND attname = $2 AND NOT attisdropped";
        let query = sqlx::query_scalar(sql).bind(quoted(&source.table)).bind(&source.time_column);
        let found: Option<String> = answer(source, query.fetch_optional(&mut connection)).await?;
        match found {
            Some(time_type) if time_type.starts_with("timestamp") => {
                Ok(Self { connection, source: source.clone(), time_type })
            }
            other => Err(ExchangeError::Column {
                table: source.table.clone(),
                column: source.time_column.clone(),
                found: other.unwrap_or_else(|| "not there".to_owned()),
            }),
        }
    }

    /// The time of the latest row; before all time in an empty table.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub async fn latest(&mut self) -> Result<String, ExchangeError> {
        let (table, column) = (quoted(&self.source.table), quoted(&self.source.time_column));
        let sql = format!("SELECT coalesce(max({column})::text, '-infinity') FROM {table}");
        answer(&self.source, sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut self.connection)).await
    }

    /// The rows from the source's overlap before `at` on, in order of their time.
    pub fn rows(&mut self, at: &str) -> BoxStream<'_, Result<ExchangeRow, ExchangeError>> {
        let source = &self.source;
        let (table, column, time) = (quoted(&source.table), quoted(&source.time_column), &self.time_type);
        let sql = format!(
            "SELECT CASE WHEN octet_length(j.row) <= $3 THEN j.row END AS row, octet_length(j.row)::bigint AS bytes,
                greatest(t.{column}, $1::text::{time})::text AS at, t.{column}::text AS began
             FROM {table} t CROSS JOIN LATERAL (SELECT to_json(t)::text AS row) j
             WHERE t.{column} >= $1::text::{time} - make_interval(secs => $2::double precision) ORDER BY t.{column}"
        );
        let overlap_s = i64::try_from(source.overlap.as_secs()).unwrap_or(i64::MAX);
        let bytes_max = i64::try_from(source.row_bytes_max).unwrap_or(i64::MAX);
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(at.to_owned()).bind(overlap_s).bind(bytes_max);
        let rows = rows.fetch(&mut self.connection);
        let each = futures::stream::try_unfold(rows, move |mut rows| async move {
            let next = answer(source, rows.try_next()).await?;
            let next = next.map(|row| taken(&row).map_err(|error| unreadable(source, &error))).transpose()?;
            Ok(next.map(|row| (row, rows)))
        });
        each.boxed()
    }
}

/// A row as a line, and where the cursor stands after it.
fn taken(row: &PgRow) -> Result<ExchangeRow, sqlx::Error> {
    let (body, at): (Option<String>, String) = (row.try_get("row")?, row.try_get("at")?);
    let body = match body {
        Some(body) => body,
        None => {
            let (bytes, began): (i64, String) = (row.try_get("bytes")?, row.try_get("began")?);
            serde_json::json!({ TOO_LARGE: bytes, "start": began }).to_string()
        }
    };
    Ok(ExchangeRow { body: Bytes::from(body), at })
}

/// The answer of the exchange's database, within the time it may take.
async fn answer<T>(
    source: &TableSource,
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, ExchangeError> {
    match tokio::time::timeout(ANSWER_TIMEOUT, asked).await {
        Ok(result) => result.map_err(|error| unreadable(source, &error)),
        Err(_) => Err(ExchangeError::Silent { table: source.table.clone() }),
    }
}

fn unreadable(source: &TableSource, error: &sqlx::Error) -> ExchangeError {
    // Of a database's answer its sentence alone: the rest may quote what was sent.
    let error = match error {
        sqlx::Error::Database(answer) => answer.message().to_owned(),
        other => other.to_string(),
    };
    ExchangeError::Database { table: source.table.clone(), error: error.lines().next().unwrap_or_default().to_owned() }
}

/// A name as SQL takes it; the settings let only letters, digits, `_`, `$` and one dot through.
fn quoted(name: &str) -> String {
    name.split('.').map(|part| format!("\"{part}\"")).collect::<Vec<_>>().join(".")
}
