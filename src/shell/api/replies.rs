//! Answers to customers, and notes for colleagues.

use super::Call;
use super::fields::GivenFile;
use super::looks::{self, shown, written};
use super::problem::{Kind, Problem};
use crate::pure::channels::desk::Doing;
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::CarriedFile;
use crate::pure::wire::settings::unknown_word;
use crate::shell::answers::Acting;
use crate::shell::answers::{GiveError, Giving};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

/// What tells requests apart (draft-ietf-httpapi-idempotency-key-header).
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Characters of an `Idempotency-Key`.
const KEY_CHARS_MAX: usize = 200;

/// Most bytes of files in one answer: mail servers and platforms seldom take more.
pub(super) const FILES_BYTES_MAX: usize = 20 * 1024 * 1024;

/// The files of an answer. One that would not be kept is refused: an answer without its file is another answer.
fn files(call: &Call) -> Result<Vec<CarriedFile>, Problem> {
    let wrong = |why: String| Problem::new(Kind::FieldWrong, format!("\"attachments\" {why}"));
    let mut files = Vec::new();
    let mut all = 0;
    for GivenFile { name, media_type, data } in call.given.files("attachments") {
        let n = files.len();
        let bytes =
            BASE64.decode(&data).map_err(|_| wrong(format!("has a file, number {n} from 0, that is not base64")))?;
        let bytes_max = call.api.shared.limits.file_bytes_max;
        if bytes.is_empty() || bytes.len() as u64 > bytes_max {
            return Err(wrong(format!(
                "has a file, number {n} from 0, that is empty or has more than {bytes_max} bytes"
            )));
        }
        all += bytes.len();
        if all > FILES_BYTES_MAX {
            return Err(wrong(format!("has more than {FILES_BYTES_MAX} bytes together")));
        }
        files.push(CarriedFile {
            name: name.trim().to_owned(),
            media_type: media_type.to_lowercase(),
            bytes: bytes.into(),
        });
    }
    Ok(files)
}

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
    let ready = call.given.text("ready_answer").map(str::to_owned);
    if let Some(id) = &ready
        && !call.store().has_ready_answer(&call.token.tenant, id).await?
    {
        let detail = format!("there is no ready answer \"{}\": `lanka ready list` shows those there are", shown(id));
        return Err(Problem::new(Kind::ReadyAnswerUnknown, detail));
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
        files: files(&call)?,
    };
    let shared = &call.api.shared;
    match shared.answers.give(&giving, shared.limits.answer_wait).await {
        Ok(given) => {
            tracing::info!(token.name = call.token.name, message.id = %given.message, "an answer by way of the API");
            // A note for colleagues is no answer. Whoever asks again under his key brings it here again.
            if let Some(id) = ready.filter(|_| !giving.is_note) {
                let uses = [(given.message, giving.tenant.clone(), id)];
                call.store().note_ready_use(&uses, "said", Timestamp::now()).await?;
            }
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

/// Puts a ticket into a queue.
pub(super) async fn route(call: Call) -> Result<Value, Problem> {
    let queue = call.given.text("queue").unwrap_or_default().to_owned();
    let tenant = call.api.shared.registry.tenants.get(&call.token.tenant);
    let known: Vec<&str> =
        tenant.map(|tenant| tenant.policy.routing.queues()).unwrap_or_default().into_iter().collect();
    if !known.contains(&queue.as_str()) {
        return Err(Problem::new(Kind::FieldWrong, format!("\"queue\": {}", unknown_word(&queue, &known))));
    }
    act(call, Doing::Route(&queue)).await
}

/// Says that the desk waits for a customer, or no longer.
pub(super) async fn wait_for(call: Call) -> Result<Value, Problem> {
    let what = if call.given.flag("over") { Doing::Resume } else { Doing::Await };
    act(call, what).await
}

/// Does something with a ticket, and shows how it stands then.
async fn act(call: Call, what: Doing<'_>) -> Result<Value, Problem> {
    let ticket = call.ticket(&call.id).await?;
    let key = format!("{}/{}", call.token.id(), uuid::Uuid::now_v7());
    let by = call.given.text("by").unwrap_or(&call.token.name);
    let shared = &call.api.shared;
    let acting = Acting { tenant: &call.token.tenant, key: &key, ticket, what, by };
    match shared.answers.act(&acting, shared.limits.answer_wait).await {
        Ok(()) => looks::ticket(call).await,
        Err(GiveError::Store(error)) => Err(error.into()),
        Err(_) => Err(Problem::new(Kind::StillWorking, "it is taken, and not decided on yet")),
    }
}
