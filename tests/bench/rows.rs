//! The limit: the very rows that ingest wrote, written again with nothing read and nothing decided,
//! by COPY and by UNNEST, 500 messages a transaction.

use crate::desk::Server;
use futures::TryStreamExt;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Messages of one transaction.
pub const SLICE_MESSAGES: i64 = 500;

/// Every table that ingest writes, in an order that foreign keys allow, and the slice of each row.
/// `by_message`, `by_contact` and `by_ticket` give the slices of those; `spread` shares rows out
/// evenly in an order.
const TABLES: &[(&str, &str)] = &[
    ("contact", "SELECT b.slice, t.* FROM contact t JOIN by_contact b ON b.id = t.id"),
    (
        "identity",
        "SELECT greatest(b.slice, (row_number() OVER (ORDER BY t.id) - 1) * slices() / count(*) OVER ()) AS slice, t.*
         FROM identity t JOIN by_contact b ON b.id = t.contact_id",
    ),
    ("ticket", "SELECT b.slice, t.* FROM ticket t JOIN by_ticket b ON b.id = t.id"),
    (
        "ticket_participant",
        "SELECT greatest(c.slice, k.slice) AS slice, t.* FROM ticket_participant t
         JOIN by_contact c ON c.id = t.contact_id JOIN by_ticket k ON k.id = t.ticket_id",
    ),
    (
        "ticket_reference",
        "SELECT coalesce(b.slice, 0) AS slice, t.* FROM ticket_reference t LEFT JOIN by_message b ON b.id = t.message_id",
    ),
    ("message", "SELECT b.slice, t.* FROM message t JOIN by_message b ON b.id = t.id"),
    ("attachment", "SELECT b.slice, t.* FROM attachment t JOIN by_message b ON b.id = t.message_id"),
    ("media_job", "SELECT b.slice, t.* FROM media_job t JOIN by_message b ON b.id = t.message_id"),
    (
        "raw_item",
        "SELECT (row_number() OVER (ORDER BY t.raw_event) - 1) * slices() / count(*) OVER () AS slice, t.* FROM raw_item t",
    ),
    (
        "seen",
        "SELECT (row_number() OVER (ORDER BY t.message_id) - 1) * slices() / count(*) OVER () AS slice, t.* FROM seen t
         WHERE t.scope NOT LIKE 'raw/%'",
    ),
    (
        "decision",
        "SELECT coalesce(b.slice, 0) AS slice, t.* FROM decision t LEFT JOIN by_message b ON b.id = t.message_id",
    ),
    ("fact", "SELECT coalesce(b.slice, 0) AS slice, t.* FROM fact t LEFT JOIN by_message b ON b.id = t.message_id"),
    ("edge", "SELECT coalesce(b.slice, 0) AS slice, t.* FROM edge t LEFT JOIN by_message b ON b.id = t.message_id"),
    (
        "contact_link",
        "SELECT coalesce(b.slice, 0) AS slice, t.* FROM contact_link t LEFT JOIN by_message b ON b.id = t.message_id",
    ),
    (
        "alias",
        "SELECT (row_number() OVER (ORDER BY t.id) - 1) * slices() / count(*) OVER () AS slice, t.* FROM alias t",
    ),
    (
        "suggestion",
        "SELECT coalesce(b.slice, 0) AS slice, t.* FROM suggestion t LEFT JOIN by_message b ON b.id = t.message_id",
    ),
    (
        "ticket_event",
        "SELECT coalesce(b.slice, 0) AS slice, t.* FROM ticket_event t LEFT JOIN by_message b ON b.id = t.message_id",
    ),
    ("lane", "SELECT b.slice, t.* FROM lane t JOIN by_ticket b ON b.id = t.ticket_id"),
    ("outbox", "SELECT coalesce(b.slice, 0) AS slice, t.* FROM outbox t LEFT JOIN by_message b ON b.id = t.message_id"),
];

/// Rows of one table in one slice, ready for both ways of writing.
struct Piece {
    copy: String,
    copied: Vec<u8>,
    insert: String,
    columns: Vec<Column>,
    rows: usize,
}

/// Everything that was written, by slices.
pub struct Written {
    slices: Vec<Vec<Piece>>,
    /// Messages.
    pub messages: u64,
    /// Rows in all tables.
    pub rows: u64,
}

/// One column of values.
enum Column {
    Uuid(Vec<Option<Uuid>>),
    Text(Vec<Option<String>>),
    Time(Vec<Option<jiff_sqlx::Timestamp>>),
    Small(Vec<Option<i16>>),
    Int(Vec<Option<i32>>),
    Big(Vec<Option<i64>>),
    Bool(Vec<Option<bool>>),
    Bytes(Vec<Option<Vec<u8>>>),
    Json(Vec<Option<serde_json::Value>>),
}

impl Column {
    /// For a type, as Postgres calls it; arrays travel as text.
    fn of(kind: &str) -> Self {
        match kind {
            "uuid" => Self::Uuid(Vec::new()),
            "timestamp with time zone" => Self::Time(Vec::new()),
            "smallint" => Self::Small(Vec::new()),
            "integer" => Self::Int(Vec::new()),
            "bigint" => Self::Big(Vec::new()),
            "boolean" => Self::Bool(Vec::new()),
            "bytea" => Self::Bytes(Vec::new()),
            "jsonb" => Self::Json(Vec::new()),
            _ => Self::Text(Vec::new()),
        }
    }

    fn array(&self) -> &'static str {
        match self {
            Self::Uuid(_) => "uuid[]",
            Self::Text(_) => "text[]",
            Self::Time(_) => "timestamptz[]",
            Self::Small(_) => "smallint[]",
            Self::Int(_) => "int[]",
            Self::Big(_) => "bigint[]",
            Self::Bool(_) => "bool[]",
            Self::Bytes(_) => "bytea[]",
            Self::Json(_) => "jsonb[]",
        }
    }

    fn push(&mut self, row: &PgRow, index: usize) {
        match self {
            Self::Uuid(values) => values.push(row.get(index)),
            Self::Text(values) => values.push(row.get(index)),
            Self::Time(values) => values.push(row.get(index)),
            Self::Small(values) => values.push(row.get(index)),
            Self::Int(values) => values.push(row.get(index)),
            Self::Big(values) => values.push(row.get(index)),
            Self::Bool(values) => values.push(row.get(index)),
            Self::Bytes(values) => values.push(row.get(index)),
            Self::Json(values) => values.push(row.get(index)),
        }
    }
}

/// Reads back what ingest wrote into a database.
pub async fn read(server: &Server, database: &str) -> Written {
    let mut connection = server.connect(database).await;
    let ranks = format!(
        "CREATE TEMP TABLE by_message AS SELECT id, (row_number() OVER (ORDER BY id) - 1) / {SLICE_MESSAGES} AS slice FROM message;
         CREATE FUNCTION pg_temp.slices() RETURNS bigint LANGUAGE sql AS 'SELECT max(slice) + 1 FROM by_message';
         CREATE TEMP TABLE by_contact AS SELECT id, (row_number() OVER (ORDER BY id) - 1) * pg_temp.slices() / count(*) OVER () AS slice FROM contact;
         CREATE TEMP TABLE by_ticket AS SELECT id, (row_number() OVER (ORDER BY id) - 1) * pg_temp.slices() / count(*) OVER () AS slice FROM ticket;
         ANALYZE by_message, by_contact, by_ticket"
    );
    sqlx::raw_sql(AssertSqlSafe(ranks)).execute(&mut connection).await.expect("ranks");
    let messages: i64 =
        sqlx::query_scalar("SELECT count(*) FROM message").fetch_one(&mut connection).await.expect("a count");
    let count: i64 = sqlx::query_scalar("SELECT pg_temp.slices()").fetch_one(&mut connection).await.expect("a count");
    let mut slices: Vec<Vec<Piece>> = (0..count).map(|_| Vec::new()).collect();
    let mut rows = 0;
    for (table, query) in TABLES {
        let query = query.replace("slices()", "(SELECT pg_temp.slices())");
        for (slice, piece) in pieces(&mut connection, table, &query).await {
            rows += piece.rows as u64;
            slices[slice].push(piece);
        }
    }
    Written { slices, messages: messages as u64, rows }
}

/// The pieces of one table.
async fn pieces(connection: &mut PgConnection, table: &str, query: &str) -> Vec<(usize, Piece)> {
    let kinds: Vec<(String, String)> = sqlx::query_as(
        "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute
         WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
    )
    .bind(table)
    .fetch_all(&mut *connection)
    .await
    .expect("columns");
    let names = kinds.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    let selected: Vec<String> = kinds
        .iter()
        .map(|(name, kind)| if kind.ends_with("[]") { format!("q.{name}::text") } else { format!("q.{name}") })
        .collect();
    let fetch = format!("SELECT q.slice::bigint, {} FROM ({query}) q ORDER BY q.slice", selected.join(", "));
    let copy_out =
        format!("COPY (SELECT q.slice, {} FROM ({query}) q ORDER BY q.slice) TO STDOUT", selected.join(", "));
    let inserted: Vec<String> = kinds
        .iter()
        .map(|(name, kind)| if kind.ends_with("[]") { format!("{name}::{kind}") } else { name.clone() })
        .collect();
    let arrays: Vec<String> =
        kinds.iter().enumerate().map(|(n, (_, kind))| format!("${}::{}", n + 1, Column::of(kind).array())).collect();
    let insert = format!(
        "INSERT INTO {table} ({names}) SELECT {} FROM unnest({}) AS t({names})",
        inserted.join(", "),
        arrays.join(", ")
    );
    let empty = || Piece {
        copy: format!("COPY {table} ({names}) FROM STDIN"),
        copied: Vec::new(),
        insert: insert.clone(),
        columns: kinds.iter().map(|(_, kind)| Column::of(kind)).collect(),
        rows: 0,
    };
    let mut pieces: std::collections::BTreeMap<usize, Piece> = std::collections::BTreeMap::new();
    for row in sqlx::query(AssertSqlSafe(fetch)).fetch_all(&mut *connection).await.expect("rows") {
        let piece = pieces.entry(row.get::<i64, _>(0) as usize).or_insert_with(empty);
        piece.rows += 1;
        for (index, column) in piece.columns.iter_mut().enumerate() {
            column.push(&row, index + 1);
        }
    }
    let chunks: Vec<_> = connection.copy_out_raw(&copy_out).await.expect("COPY").try_collect().await.expect("rows");
    for line in chunks.concat().split_inclusive(|byte| *byte == b'\n') {
        let tab = line.iter().position(|byte| *byte == b'\t').expect("a slice");
        let slice: usize = std::str::from_utf8(&line[..tab]).expect("digits").parse().expect("a number");
        pieces.get_mut(&slice).expect("a known slice").copied.extend_from_slice(&line[tab + 1..]);
    }
    pieces.into_iter().collect()
}

/// How the rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// `COPY … FROM STDIN`.
    Copy,
    /// `INSERT … SELECT … FROM unnest(…)`.
    Unnest,
}

impl Written {
    /// Writes everything into a database that has the schema; how long it took.
    pub async fn write(&self, server: &Server, database: &str, by: By) -> Duration {
        let mut connection = server.connect(database).await;
        let began = Instant::now();
        for slice in &self.slices {
            let mut tx = connection.begin().await.expect("a transaction");
            for piece in slice {
                match by {
                    By::Copy => {
                        let mut copy = tx.copy_in_raw(&piece.copy).await.expect("COPY");
                        copy.send(piece.copied.as_slice()).await.expect("rows");
                        copy.finish().await.unwrap_or_else(|error| panic!("{}: {error}", piece.copy));
                    }
                    By::Unnest => insert(&mut tx, piece).await,
                }
            }
            tx.commit().await.expect("a commit");
        }
        began.elapsed()
    }
}

async fn insert(connection: &mut PgConnection, piece: &Piece) {
    let mut query = sqlx::query(AssertSqlSafe(piece.insert.clone()));
    for column in &piece.columns {
        query = match column {
            Column::Uuid(values) => query.bind(values),
            Column::Text(values) => query.bind(values),
            Column::Time(values) => query.bind(values),
            Column::Small(values) => query.bind(values),
            Column::Int(values) => query.bind(values),
            Column::Big(values) => query.bind(values),
            Column::Bool(values) => query.bind(values),
            Column::Bytes(values) => query.bind(values),
            Column::Json(values) => query.bind(values),
        };
    }
    query.execute(connection).await.unwrap_or_else(|error| panic!("{}: {error}", piece.insert));
}
