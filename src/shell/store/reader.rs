//! For whom what is stored is put into words.
//!
//! **Invariant:** what lanka says is stored as a value ([`Say`]), never in words of a language: those are found here,
//! when somebody reads it. What people wrote themselves is shown as they wrote it.

use super::StoreError;
use crate::pure::domain::say::{Language, Say};
use jiff::tz::TimeZone;
use sqlx::Row;
use sqlx::postgres::PgRow;

/// Who reads.
#[derive(Debug, Clone)]
pub struct Reader {
    /// The language that he is told things in.
    pub language: Language,
    /// The zone of his clock.
    pub time_zone: TimeZone,
}

impl Default for Reader {
    /// English and UTC: for whom nothing is configured.
    fn default() -> Self {
        Self { language: Language::default(), time_zone: TimeZone::UTC }
    }
}

/// The sentence of a row: `says`, else the finished text of before there were codes, in `why`.
pub(super) fn says(row: &PgRow) -> Result<Say, StoreError> {
    Ok(match row.try_get::<Option<serde_json::Value>, _>("says")? {
        Some(value) => Say::of_stored(value),
        None => Say::plain(row.try_get::<String, _>("why")?),
    })
}
