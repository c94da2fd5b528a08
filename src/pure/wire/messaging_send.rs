//! Answers on Messenger and Instagram (developers.facebook.com/docs/messenger-platform/reference/send-api).
//!
//! Messenger gives back in its echo what was sent along as `metadata`: by it the echo of an answer is known, also when the
//! daemon was killed before it learnt the id of what it had sent.

use super::mail_answer::TOKEN;
use super::meta::Graph;
use super::step::{Link, Reply, Step};
use super::{json, meta_send};
use crate::pure::domain::answer::{Carried, CarriedFile, Way};
use crate::pure::domain::message::Progress;
use crate::pure::domain::outbox::LinkedKind;
use std::sync::Arc;
use std::time::Duration;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Ends the `metadata` of all but the last piece of an answer.
const PART: &str = "/part";

/// What an echo's `metadata` says, if lanka wrote it: which answer, and how far that has come.
pub fn echoed(metadata: &str) -> Option<(&str, &'static str)> {
    let is_ours = metadata.starts_with(TOKEN);
    let read = metadata.strip_suffix(PART).map_or((metadata, Progress::Sent.as_str()), |key| (key, ""));
    is_ours.then_some(read)
}

/// Longest text that the platforms take at once, in characters of Messenger's (2,000) and Instagram's (1,000 bytes, which are
/// fewer characters: developers.facebook.com/docs/messenger-platform/instagram/features/send-message).
#[derive(Debug, Clone, Copy)]
pub enum TextMax {
    /// Characters.
    Chars(usize),
    /// Bytes of UTF-8.
    Bytes(usize),
}

/// Carries answers to people of a Page or account.
#[derive(Debug, Clone)]
pub struct Messages {
    /// Shows the token.
    pub graph: Graph,
    /// How much at once.
    pub text_max: TextMax,
    /// Whether the platform gives back in its echo what was sent along (`metadata`).
    pub is_echoed: bool,
    /// Whether names of files must be ASCII (Instagram: developers.facebook.com/documentation/business-messaging/
    /// instagram-messaging/features/attachment-upload, Limitations).
    pub names_are_ascii: bool,
}

/// How long after the customer's message the platforms take an answer
/// (developers.facebook.com/docs/messenger-platform/policy/policy-overview).
const WINDOW: Duration = Duration::from_secs(24 * 3600);

/// A name in ASCII: letters without their marks, `_` for what has no such letter.
fn ascii(name: &str) -> String {
    let plain = name.nfd().filter(|c| !is_combining_mark(*c));
    plain.map(|c| if c.is_ascii() { c } else { '_' }).collect()
}

impl Messages {
    /// Within a day.
    pub fn way() -> Way {
        Way { window: Some(WINDOW), is_session: false, id_domain: None, automatic_max: None, templates: Arc::default() }
    }

    /// `POST /me/messages` `{"recipient": {"id"}, "messaging_type": "RESPONSE", "message": {"text", "metadata"}}` →
    /// `{"recipient_id", "message_id"}`; files follow as forms with `filedata`.
    pub fn next(&self, answer: &Carried, replies: &[Reply]) -> Step {
        if let Some(step) = replies.last().and_then(meta_send::refusal) {
            return step;
        }
        let texts = match self.text_max {
            TextMax::Chars(max) => meta_send::pieces(&answer.text, max),
            // At most two bytes a letter in the scripts of Europe and the near East: cut for that.
            TextMax::Bytes(max) if answer.text.len() > answer.text.chars().count() * 2 => {
                meta_send::pieces(&answer.text, max / 4)
            }
            TextMax::Bytes(max) => meta_send::pieces(&answer.text, max / 2),
        };
        let recipient = serde_json::json!({ "id": answer.to.value });
        let sent = replies.len();
        let mut message = serde_json::json!({});
        if self.is_echoed {
            let is_last = sent + 1 == texts.len() + answer.files.len();
            message["metadata"] = if is_last { answer.key.clone() } else { format!("{}{PART}", answer.key) }.into();
        }
        let path = ["me", "messages"];
        if let Some(text) = texts.get(sent) {
            message["text"] = (*text).into();
            let body = serde_json::json!({ "recipient": recipient, "messaging_type": "RESPONSE", "message": message });
            return self.graph.send(&path, &body);
        }
        if let Some(file) = answer.files.get(sent - texts.len()) {
            let kind = match file.media_type.split('/').next() {
                Some("image") => "image",
                Some("video") => "video",
                Some("audio") => "audio",
                _ => "file",
            };
            message["attachment"] = serde_json::json!({ "type": kind, "payload": {} });
            let fields = [
                ("recipient", recipient.to_string()),
                ("messaging_type", "RESPONSE".to_owned()),
                ("message", message.to_string()),
            ];
            let plain = |file: &CarriedFile| CarriedFile { name: ascii(&file.name), ..file.clone() };
            let file = if self.names_are_ascii { plain(file) } else { file.clone() };
            return self.graph.send_file(&path, &fields, ("filedata", &file));
        }
        let ids =
            replies.iter().filter_map(|reply| json::filled(&json::read(reply.body.as_bytes()).ok()?, "message_id"));
        let link = |remote| Link { kind: LinkedKind::Message, object: answer.message.0, remote };
        Step::Done(ids.map(link).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_marks_and_nothing_else() {
        for (name, expected) in [
            ("lasku.pdf", "lasku.pdf"),
            ("Käyttöohje Åland (2).pdf", "Kayttoohje Aland (2).pdf"),
            ("Käyttöohje.pdf", "Kayttoohje.pdf"),
            ("文字.png", "__.png"),
            ("", ""),
        ] {
            assert_eq!(ascii(name), expected, "{name}");
        }
    }
}
