//! What is answered piece by piece: the bytes of files.
//!
//! **Invariants:** bytes that customers sent are never a page of lanka's: whatever they say of themselves, they are for
//! saving, and no browser runs anything of them. Who takes no more for [`STALL_MAX`] is left. So many are answered at
//! once, and no more.

use super::Call;
use super::problem::{Kind, Problem};
use crate::pure::domain::id::MessageId;
use crate::shell::content::ContentHash;
use crate::shell::store::Store;
use crate::shell::store::listing::AttachmentRow;
use axum::body::{Body, Bytes};
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Response as HttpResponse};
use axum::response::Response;
use futures::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Longest wait for a client to take the next piece.
const STALL_MAX: Duration = Duration::from_secs(30);

/// Pieces that wait for a client.
const PIECES_MAX: usize = 2;

/// Characters of a file's name.
const NAME_CHARS_MAX: usize = 120;

/// Media types that are said as they are; every other is said to be bytes. None of them is run by any program.
const HARMLESS: [&str; 12] = [
    "application/pdf",
    "audio/aac",
    "audio/amr",
    "audio/mpeg",
    "audio/mp4",
    "audio/ogg",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/plain",
    "video/mp4",
];

pub(super) async fn attachment(call: Call) -> Result<Response, Problem> {
    let message = call.message(&call.id).await?;
    let ordinal: i32 = call.part.parse().ok().filter(|n| *n >= 0).ok_or_else(|| no_file(&call.part))?;
    let permit = free(&call.api.shared.streams)?;
    file(call.store(), message, ordinal, permit).await
}

/// A place among the answers under way.
pub(super) fn free(streams: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    let too_many = |_| Problem::new(Kind::Busy, "too many files and live updates are under way");
    Arc::clone(streams).try_acquire_owned().map_err(too_many)
}

fn no_file(text: &str) -> Problem {
    Problem::new(Kind::AttachmentUnknown, format!("the message has no file {}", super::looks::shown(text)))
}

/// The answer with a file's bytes.
pub(super) async fn file(
    store: &Store,
    message: MessageId,
    ordinal: i32,
    permit: OwnedSemaphorePermit,
) -> Result<Response, Problem> {
    let row = store.attachment_in(message, ordinal).await?.ok_or_else(|| no_file(&ordinal.to_string()))?;
    let Some(content) = row.content else {
        let why = row.lost.clone().unwrap_or_else(|| "it is being fetched from the vendor".to_owned());
        return Err(Problem::new(Kind::AttachmentAbsent, format!("the file is not here: {why}")));
    };
    let failed = |error| Problem::from(crate::shell::store::StoreError::from(error));
    let (bytes, mut pieces) = store.content.get_stream(ContentHash(content)).await.map_err(failed)?;
    let (give, take) = mpsc::channel::<Result<Bytes, std::io::Error>>(PIECES_MAX);
    tokio::spawn(async move {
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(std::io::Error::other);
            let is_over = piece.is_err();
            match tokio::time::timeout(STALL_MAX, give.send(piece)).await {
                Ok(Ok(())) if !is_over => {}
                _ => break,
            }
        }
        drop(permit);
    });
    let taken = futures::stream::unfold(take, |mut take| async move { Some((take.recv().await?, take)) });
    Ok(saved(&row, bytes, Body::from_stream(taken)))
}

/// The head of an answer with a file: it is saved under a name, and nothing of it is shown or run.
fn saved(row: &AttachmentRow, bytes: u64, body: Body) -> Response {
    let media_type = HARMLESS.into_iter().find(|known| *known == row.media_type).unwrap_or("application/octet-stream");
    let mut response = HttpResponse::new(body);
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(CONTENT_TYPE, media_type);
    set(CONTENT_LENGTH, &bytes.to_string());
    set(CONTENT_DISPOSITION, &disposition(row.name.as_deref().unwrap_or_default()));
    set(CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'");
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

/// Under which name a file is saved (RFC 6266): no path, nothing that a file system or a reader would be led astray by.
fn disposition(name: &str) -> String {
    let name: String = name.chars().map(|c| if is_unfit(c) { '_' } else { c }).take(NAME_CHARS_MAX).collect();
    let name = name.trim_matches([' ', '.']);
    let name = if name.is_empty() { "file" } else { name };
    let ascii: String = name.chars().map(|c| if c.is_ascii() && c != '"' && c != '%' { c } else { '_' }).collect();
    // What may stand in an extended value as it is (RFC 8187, 3.2.1), and little of that.
    let coded = name.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{}", coded.collect::<String>())
}

/// Separators of paths, what Windows takes for more, controls, and marks that turn the order of letters round.
fn is_unfit(c: char) -> bool {
    c.is_control()
        || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_saved_under_a_harmless_name() {
        let table = [
            ("a.pdf", "attachment; filename=\"a.pdf\"; filename*=UTF-8''a.pdf"),
            ("", "attachment; filename=\"file\"; filename*=UTF-8''file"),
            ("../../etc/passwd", "attachment; filename=\"_.._etc_passwd\"; filename*=UTF-8''_.._etc_passwd"),
            (
                "a\"; x=\"b\r\nSet-Cookie: a",
                "attachment; filename=\"a_; x=_b__Set-Cookie_ a\"; filename*=UTF-8''a_%3B%20x%3D_b__Set-Cookie_%20a",
            ),
            ("kuva\u{202e}gpj.exe", "attachment; filename=\"kuva_gpj.exe\"; filename*=UTF-8''kuva_gpj.exe"),
            ("订.png", "attachment; filename=\"_.png\"; filename*=UTF-8''%E8%AE%A2.png"),
        ];
        for (name, expected) in table {
            assert_eq!(disposition(name), expected, "{name}");
        }
        assert!(disposition(&"ä".repeat(9_999)).len() < 2_000);
    }
}
