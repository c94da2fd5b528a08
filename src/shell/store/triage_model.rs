//! What corrections taught, by version, and the corrections themselves.

use super::{Store, StoreError, facts, sql_time};
use crate::pure::decide::learn::{Correction, Trained};
use crate::pure::domain::Timestamp;
use crate::pure::domain::learnt::{Model, answers};
use crate::pure::domain::ticket::Priority;
use serde::Serialize;
use sqlx::Row;

/// Corrections that are learnt from: the latest.
const CORRECTIONS_MAX: i64 = 50_000;
/// Bytes of a text that are read for it: what is urgent is said at the beginning.
const TEXT_CHARS: i32 = 8_192;
/// Versions that are kept of one firm.
const VERSIONS_MAX: i32 = 30;

/// A version, as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct ModelLine {
    /// Whose.
    pub tenant: String,
    /// Which.
    pub version: i32,
    /// When it was trained.
    pub trained_at: Timestamp,
    /// On how many corrections.
    pub corrections: i32,
    /// How many of them were held back to compare by.
    pub held_back: i32,
    /// Macro F1 of kind of the rules on those.
    pub rules_f1: f32,
    /// The same of the model.
    pub model_f1: f32,
    /// It was better, and there were enough; the latest is in force if it is on.
    pub is_on: bool,
}

impl Store {
    /// What agents said of messages, in the order in which they said it, and when the last of it was said.
    pub async fn corrections(&self, tenant: &str) -> Result<(Vec<Correction>, Option<Timestamp>), StoreError> {
        let rows = sqlx::query(
            "SELECT concat_ws(E'\\n', subject, left(coalesce(own_text, text), $3)) AS words, classified, priority FROM (
                SELECT * FROM message WHERE tenant = $1 AND classified ? 'kind' AND redacted_at IS NULL
                ORDER BY classified->>'at' DESC LIMIT $2
             ) m ORDER BY classified->>'at', classified->>'act'",
        )
        .bind(tenant)
        .bind(CORRECTIONS_MAX)
        .bind(TEXT_CHARS)
        .fetch_all(&self.pool)
        .await?;
        let (mut corrections, mut said_at) = (Vec::with_capacity(rows.len()), None);
        for row in &rows {
            let Some(said) = facts::classified(row)? else { continue };
            said_at = said_at.max(Some(said.at));
            let words = Priority::parse(row.try_get("priority")?).unwrap_or(Priority::Normal);
            let answers = answers(said.kind.as_deref().unwrap_or_default(), said.priority.unwrap_or(words));
            corrections.push(Correction { text: row.try_get("words")?, answers });
        }
        Ok((corrections, said_at))
    }

    /// Nothing is learnt any more: all versions go.
    pub async fn forget_models(&self, tenant: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM triage_model WHERE tenant = $1").bind(tenant).execute(&self.pool).await?;
        Ok(())
    }

    /// Writes down a training, as the next version.
    pub async fn put_model(&self, tenant: &str, trained: &Trained, now: Timestamp) -> Result<ModelLine, StoreError> {
        let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        #[expect(clippy::cast_possible_truncation, reason = "a share of one, shown with three digits")]
        let (rules_f1, model_f1) = (trained.rules_f1 as f32, trained.model_f1 as f32);
        let version: i32 = sqlx::query_scalar(
            "INSERT INTO triage_model (tenant, version, trained_at, corrections, held_back, rules_f1, model_f1, is_on, model)
             SELECT $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5, $6, $7, $8 FROM triage_model WHERE tenant = $1
             RETURNING version",
        )
        .bind(tenant)
        .bind(sql_time(now))
        .bind(count(trained.corrections))
        .bind(count(trained.held_back))
        .bind(rules_f1)
        .bind(model_f1)
        .bind(trained.is_on)
        .bind(serde_json::to_value(&trained.model).unwrap_or_default())
        .fetch_one(&self.pool)
        .await?;
        // Of those before the figures stay: what an erased message taught is in no counts any more.
        for statement in [
            "DELETE FROM triage_model WHERE tenant = $1 AND version <= $2 - $3",
            "UPDATE triage_model SET model = 'null' WHERE tenant = $1 AND version < $2 AND version > $2 - $3 AND model <> 'null'",
        ] {
            sqlx::query(statement).bind(tenant).bind(version).bind(VERSIONS_MAX).execute(&self.pool).await?;
        }
        Ok(ModelLine {
            tenant: tenant.to_owned(),
            version,
            trained_at: now,
            corrections: count(trained.corrections),
            held_back: count(trained.held_back),
            rules_f1,
            model_f1,
            is_on: trained.is_on,
        })
    }

    /// The versions there are, the latest first.
    pub async fn models(&self) -> Result<Vec<ModelLine>, StoreError> {
        let rows = sqlx::query(
            "SELECT tenant, version, trained_at, corrections, held_back, rules_f1, model_f1, is_on FROM triage_model
             ORDER BY tenant, version DESC",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(ModelLine {
                    tenant: row.try_get("tenant")?,
                    version: row.try_get("version")?,
                    trained_at: facts::time(row, "trained_at")?,
                    corrections: row.try_get("corrections")?,
                    held_back: row.try_get("held_back")?,
                    rules_f1: row.try_get("rules_f1")?,
                    model_f1: row.try_get("model_f1")?,
                    is_on: row.try_get("is_on")?,
                })
            })
            .collect()
    }

    /// The model of a version; one that cannot be read says nothing.
    pub async fn model(&self, tenant: &str, version: i32) -> Result<Option<Model>, StoreError> {
        let model: Option<serde_json::Value> =
            sqlx::query_scalar("SELECT model FROM triage_model WHERE tenant = $1 AND version = $2")
                .bind(tenant)
                .bind(version)
                .fetch_optional(&self.pool)
                .await?;
        Ok(model.and_then(|model| serde_json::from_value(model).ok()))
    }
}
