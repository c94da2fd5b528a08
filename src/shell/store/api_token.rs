//! Tokens of the API: what each may do, for which firm, until when.
//!
//! **Invariant:** a token is not in the database, only its SHA-256. A token is 256 random bits, so that nobody finds
//! one by trying, and its hash needs neither salt nor a slow function.

use super::facts::time;
use super::{Store, StoreError, sql_time};
use crate::pure::domain::Timestamp;
use serde::Serialize;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

/// The last use is kept to so many seconds: a token in steady use costs one write a minute.
const USED_EVERY_S: i64 = 60;

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Look at contacts, tickets and suggestions.
    Read,
    /// Say who is who.
    Contacts,
    /// Put messages together and apart.
    Tickets,
    /// Answer suggestions.
    Review,
    /// Answer customers.
    Replies,
    /// Hand people over, and erase them.
    Privacy,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Read, Self::Contacts, Self::Tickets, Self::Review, Self::Replies, Self::Privacy];

    /// What `write` stands for: what can be taken back.
    pub const WRITE: [Self; 3] = [Self::Contacts, Self::Tickets, Self::Review];

    /// The word for it, on the command line and in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Contacts => "contacts",
            Self::Tickets => "tickets",
            Self::Review => "review",
            Self::Replies => "replies",
            Self::Privacy => "privacy",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.word() == word)
    }
}

/// A token, without itself.
#[derive(Debug, Clone, Serialize)]
pub struct ApiToken {
    #[serde(skip)]
    id: Uuid,
    /// Its name: who acts with it, unless he says who he is.
    pub name: String,
    /// The firm whose customers it may see.
    pub tenant: String,
    /// What it may do. A scope of a later lanka is left out.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when it is good no more; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// Since when it is revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

impl ApiToken {
    /// What stands for a token where somebody comes with a signed link.
    pub fn of_link(name: String, tenant: String, scopes: Vec<Scope>, until: Timestamp) -> Self {
        let (id, created_at) = (Uuid::nil(), Timestamp::UNIX_EPOCH);
        Self { id, name, tenant, scopes, created_at, expires_at: Some(until), last_used_at: None, revoked_at: None }
    }

    /// What tells it from others for as long as it is there; nil for the bearer of a link.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Whether it has run out.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// A token that is to be made.
#[derive(Debug, Clone)]
pub struct NewApiToken<'a> {
    /// Its name; of two that are good at a time each has another.
    pub name: &'a str,
    /// The firm.
    pub tenant: &'a str,
    /// What it may do.
    pub scopes: &'a [Scope],
    /// SHA-256 of it.
    pub hash: [u8; 32],
    /// From when it is good no more.
    pub expires_at: Option<Timestamp>,
}

impl Store {
    /// Keeps a token. False: there is one of that name that is not revoked.
    pub async fn create_api_token(&self, new: &NewApiToken<'_>, now: Timestamp) -> Result<bool, StoreError> {
        let scopes: Vec<&str> = new.scopes.iter().map(|scope| scope.word()).collect();
        let made = sqlx::query(
            "INSERT INTO api_token (id, name, tenant, scopes, token_hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING",
        )
        .bind(self.next_id::<Uuid>(now))
        .bind(new.name)
        .bind(new.tenant)
        .bind(scopes)
        .bind(&new.hash[..])
        .bind(sql_time(now))
        .bind(new.expires_at.map(sql_time))
        .execute(&self.pool)
        .await?;
        Ok(made.rows_affected() == 1)
    }

    /// All tokens that are not revoked, by name; with `all` also those that are.
    pub async fn api_tokens(&self, all: bool) -> Result<Vec<ApiToken>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM api_token WHERE $1 OR revoked_at IS NULL ORDER BY name, revoked_at NULLS LAST")
                .bind(all)
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(read).collect()
    }

    /// Revokes the token of a name, from this moment on. False: there is none.
    pub async fn revoke_api_token(&self, name: &str, now: Timestamp) -> Result<bool, StoreError> {
        let revoked = sqlx::query("UPDATE api_token SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL")
            .bind(name)
            .bind(sql_time(now))
            .execute(&self.pool)
            .await?;
        Ok(revoked.rows_affected() == 1)
    }

    /// The token of a hash, whether it is good still or not.
    pub async fn api_token(&self, hash: &[u8; 32]) -> Result<Option<ApiToken>, StoreError> {
        let row = sqlx::query("SELECT * FROM api_token WHERE token_hash = $1")
            .bind(&hash[..])
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// Notes that a token was used, unless that was noted within the minute.
    pub async fn api_token_used(&self, token: &ApiToken, now: Timestamp) -> Result<(), StoreError> {
        if token.last_used_at.is_some_and(|at| now.as_second() - at.as_second() < USED_EVERY_S) {
            return Ok(());
        }
        // The condition once more: of many requests at a time one writes.
        sqlx::query(
            "UPDATE api_token SET last_used_at = $2 WHERE id = $1
                AND (last_used_at IS NULL OR last_used_at <= $2 - make_interval(secs => $3))",
        )
        .bind(token.id)
        .bind(sql_time(now))
        .bind(USED_EVERY_S as f64)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

fn read(row: &PgRow) -> Result<ApiToken, StoreError> {
    let instant = |column: &str| -> Result<Option<Timestamp>, StoreError> {
        Ok(row.try_get::<Option<jiff_sqlx::Timestamp>, _>(column)?.map(|at| at.to_jiff()))
    };
    let scopes: Vec<String> = row.try_get("scopes")?;
    Ok(ApiToken {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        tenant: row.try_get("tenant")?,
        scopes: scopes.iter().filter_map(|word| Scope::parse(word)).collect(),
        created_at: time(row, "created_at")?,
        expires_at: instant("expires_at")?,
        last_used_at: instant("last_used_at")?,
        revoked_at: instant("revoked_at")?,
    })
}
