//! What kind of matter a message brings and how soon it must be seen to.
//!
//! Plain word lists ([`phrases`]): palvelu, pulma, palaute. One message may bring all
//! three. Nothing here is evidence of whose it is.

use super::extract::scan::cut;
use super::phrases::{self, FEEDBACK, PROBLEM, SERVICE, URGENT};
use crate::pure::domain::message::{Content, Incoming};
use crate::pure::domain::ticket::{MatterKind, Priority, Triage};

/// Text read. Bytes: what is urgent is said at the beginning.
const READ_BYTES_MAX: usize = 8 * 1024;

/// Words without any that tells the kind from which a text is a request, and not an answer ("the
/// number is 4001…") that adds nothing to its ticket's kind.
const SENTENCE_WORDS_MIN: usize = 6;

/// Kind and urgency of a message. A greeting has no kind and low priority; so has automatic mail.
/// A call without words has no kind, but is never low: somebody wanted something.
/// Where the channel says both, they are those.
pub fn triage(incoming: &Incoming, own_text: &str, says_nothing: bool) -> Triage {
    if let Some(said) = &incoming.triage {
        return said.clone();
    }
    if incoming.auto.is_some() || says_nothing {
        return Triage { kind: Vec::new(), priority: Priority::Low };
    }
    let text = format!("{}\n{}", incoming.subject.as_deref().unwrap_or(""), cut(own_text, READ_BYTES_MAX));
    let flat = phrases::flatten(&text, READ_BYTES_MAX);
    let urgent = URGENT.is_said_in(&flat);
    let mut kind = Vec::new();
    let problem = PROBLEM.is_in(&flat) || urgent;
    let feedback = FEEDBACK.is_in(&flat);
    if SERVICE.is_in(&flat) {
        kind.push(MatterKind::Service);
    }
    if problem {
        kind.push(MatterKind::Problem);
    }
    if feedback {
        kind.push(MatterKind::Feedback);
    }
    let call = matches!(incoming.content, Content::Call(..));
    let words = flat.split_whitespace().filter(|word| word.starts_with(char::is_alphabetic)).count();
    if kind.is_empty() && (text.contains('?') || words >= SENTENCE_WORDS_MIN) {
        kind.push(MatterKind::Service);
    }
    let priority = match (urgent, kind.as_slice()) {
        (true, _) => Priority::High,
        (false, [MatterKind::Feedback]) if !call => Priority::Low,
        (false, _) => Priority::Normal,
    };
    Triage { kind, priority }
}
