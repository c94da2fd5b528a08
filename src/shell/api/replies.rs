//! Answers to customers, and notes for colleagues.

use super::Call;
use super::looks::written;
use super::problem::{Kind, Problem};
use crate::shell::answers::{GiveError, Giving};
use serde_json::Value;

/// What tells requests apart (draft-ietf-httpapi-idempotency-key-header).
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Characters of an `Idempotency-Key`.
const KEY_CHARS_MAX: usize = 200;

/// Gives an answer. Asked twice under one key, it is given once.
pub(super) async fn reply(call: Call) -> Result<Value, Problem> {
    let ticket = call.ticket(&call.id).await?;
    let key = call.headers.get(IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok()).unwrap_or_default();
    let is_plain = key.bytes().all(|b| b.is_ascii_graphic());
    if key.is_empty() || key.len() > KEY_CHARS_MAX || !is_plain {
        let detail =
            format!("the header Idempotency-Key is missing, or none: 1 to {KEY_CHARS_MAX} visible characters of ASCII");
        return Err(Problem::new(Kind::KeyMissing, detail));
    }
    let text = call.given.text("text").unwrap_or_default();
    if text.trim().is_empty() {
        return Err(Problem::new(Kind::FieldWrong, "\"text\" says nothing"));
    }
    let giving = Giving {
        tenant: call.token.tenant.clone(),
        // Two programs may count alike.
        key: format!("{}/{key}", call.token.id()),
        ticket,
        text: text.to_owned(),
        by: call.given.text("by").unwrap_or(&call.token.name).to_owned(),
        to: call.given.text("to").map(str::to_owned),
        is_note: call.given.flag("internal"),
    };
    let shared = &call.api.shared;
    match shared.answers.give(&giving, shared.limits.answer_wait).await {
        Ok(given) => {
            tracing::info!(token.name = call.token.name, message.id = %given.message, "an answer by way of the API");
            written(&given)
        }
        Err(GiveError::Nowhere(obstacle)) => {
            Err(Problem::new(Kind::NotAnswerable, format!("{}: {}", obstacle.code(), obstacle.says())))
        }
        Err(GiveError::KeyReused) => {
            Err(Problem::new(Kind::KeyReused, "this Idempotency-Key was used for another answer"))
        }
        Err(GiveError::Undecided) => {
            Err(Problem::new(Kind::StillWorking, "the answer is taken, and not decided on yet"))
        }
        Err(GiveError::Store(error)) => Err(error.into()),
    }
}
