//! Answers over Meta's Graph API: one request for each piece of text and each file, and what its answer means.
//!
//! `POST {api_url}/{from}/messages` with the token (developers.facebook.com/docs/messenger-platform/reference/send-api,
//! …/docs/whatsapp/cloud-api/reference/messages). A long text goes in pieces, in order: the API refuses longer ones whole.
//! What has been sent of it is not sent again: the replies so far are kept with the answer.
//!
//! What an error means (developers.facebook.com/docs/messenger-platform/error-codes,
//! …/docs/whatsapp/cloud-api/support/error-codes): a token that ran out, a rate, a service that is away pass, and somebody
//! mends them; what is wrong with this very answer or its addressee does not.

use super::json;
use super::meta::Graph;
use super::step::{Outgoing, Reply, Step};
use super::tool::Form;
use crate::pure::domain::answer::CarriedFile;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Longest time one request may take; a file of some megabytes is in it.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Errors that are of this answer or its addressee, for good: a parameter (100), nobody there (551), the window (10, 131047),
/// undeliverable (131026), unsupported (131051), the same number (131021), a broken parameter (131008, 131009), not in the
/// allowed list (131030), an experiment (130472), a file that is too large or cannot be had (131052, 131053). Of templates: their
/// parameters (132000, 132012, 132018), none of that name or language, or not approved (132001), too long a text (132005), a
/// text against the rules (132007), paused or switched off (132015, 132016).
const FINAL_CODES: [u64; 21] = [
    10, 100, 551, 130_472, 131_008, 131_009, 131_021, 131_026, 131_030, 131_047, 131_051, 131_052, 131_053, 132_000,
    132_001, 132_005, 132_007, 132_012, 132_015, 132_016, 132_018,
];

impl Graph {
    /// A request below the API's address, in JSON.
    pub fn send(&self, path: &[&str], body: &Value) -> Step {
        self.post(path, "application/json".to_owned(), body.to_string().into_bytes())
    }

    /// A request with a file: fields, then the file under a name.
    pub fn send_file(&self, path: &[&str], fields: &[(&str, String)], file: (&str, &CarriedFile)) -> Step {
        let (content_type, body) = form(fields, file);
        self.post(path, content_type, body)
    }

    fn post(&self, path: &[&str], content_type: String, body: Vec<u8>) -> Step {
        let Some(url) = self.url(path) else {
            return Step::Reject { why: "the address of Meta's API is none that could be asked".to_owned() };
        };
        let headers =
            vec![("authorization".to_owned(), self.authorization()), ("content-type".to_owned(), content_type)];
        Step::Send(Outgoing { url, method: "POST", headers, body, timeout: TIMEOUT })
    }
}

/// What a reply means that is not the id of what was sent; `None` when it is one.
pub fn refusal(reply: &Reply) -> Option<Step> {
    let body = json::read(reply.body.as_bytes()).unwrap_or(Value::Null);
    let error = body.get("error");
    if error.is_none() && (200..300).contains(&reply.status) {
        return None;
    }
    let code = error.and_then(|error| error.get("code")).and_then(Value::as_u64);
    let subcode = error.and_then(|error| error.get("error_subcode")).and_then(Value::as_u64);
    let named = match (code, subcode) {
        (Some(code), Some(subcode)) => format!(" with error {code}/{subcode}"),
        (Some(code), None) => format!(" with error {code}"),
        (None, _) => String::new(),
    };
    let why = format!("Meta answers {}{named}", reply.status);
    let after = reply.retry_after_s.map(Duration::from_secs);
    let is_passing = error.and_then(|error| error.get("is_transient")?.as_bool()) == Some(true);
    Some(match code {
        Some(190) => Step::Retry { after, why: format!("{why}: renew access_token") },
        Some(code) if FINAL_CODES.contains(&code) && !is_passing => Step::Reject { why },
        _ => Step::Retry { after, why },
    })
}

/// A text in pieces of at most `chars_max` characters, cut at the end of a line or word where there is one in the last third.
pub fn pieces(text: &str, chars_max: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text.trim_end();
    while let Some((end, _)) = rest.char_indices().nth(chars_max) {
        let head = &rest[..end];
        let floor = head.char_indices().nth(chars_max * 2 / 3).map_or(0, |(at, _)| at);
        let cut = head.rfind('\n').or_else(|| head.rfind(' ')).filter(|at| *at > floor).unwrap_or(end);
        pieces.push(rest[..cut].trim_end());
        rest = rest[cut..].trim_start();
    }
    if !rest.is_empty() {
        pieces.push(rest);
    }
    pieces
}

/// A form with a file (RFC 7578). The boundary is a hash of the file, which cannot hold it.
fn form(fields: &[(&str, String)], (name, file): (&str, &CarriedFile)) -> (String, Vec<u8>) {
    // Nobody but who has the file knows its hash, so that nothing in it ends the form.
    let mut form = Form::of(&hex::encode(Sha256::digest(&file.bytes)));
    for (field, value) in fields {
        form.field(field, value);
    }
    form.file(name, file);
    form.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_words() {
        let table: &[(&str, usize, &[&str])] = &[
            ("", 10, &[]),
            ("lyhyt", 10, &["lyhyt"]),
            ("0123456789", 10, &["0123456789"]),
            ("01234567890", 10, &["0123456789", "0"]),
            ("yksi kaksi kolme", 11, &["yksi kaksi", "kolme"]),
            ("ensin\ntoinen rivi", 9, &["ensin\ntoi", "nen rivi"]),
            ("ensimmä\ntoinen", 9, &["ensimmä", "toinen"]),
            ("äöåäöå", 4, &["äöåä", "öå"]),
        ];
        for (text, chars_max, expected) in table {
            assert_eq!(pieces(text, *chars_max), *expected, "{text}");
        }
    }

    #[test]
    fn errors_pass_or_do_not() {
        let error = |code: u64| format!("{{\"error\": {{\"message\": \"(#{code}) …\", \"code\": {code}}}}}");
        let table: &[(u16, String, &str)] = &[
            (200, "{\"message_id\": \"m_1\"}".to_owned(), "sent"),
            (400, error(190), "retry"),
            (400, error(613), "retry"),
            (400, error(551), "reject"),
            (400, error(100), "reject"),
            (400, error(131_047), "reject"),
            (404, error(132_001), "reject"),
            (429, error(130_429), "retry"),
            (500, error(2), "retry"),
            (503, "<html>".to_owned(), "retry"),
            (400, "{\"error\": {\"code\": 100, \"is_transient\": true}}".to_owned(), "retry"),
            (200, error(131_026), "reject"),
        ];
        for (status, body, expected) in table {
            let found = match refusal(&Reply { status: *status, retry_after_s: None, body: body.clone() }) {
                None => "sent",
                Some(Step::Retry { .. }) => "retry",
                Some(Step::Reject { .. }) => "reject",
                Some(_) => "other",
            };
            assert_eq!(found, *expected, "{status} {body}");
        }
    }
}
