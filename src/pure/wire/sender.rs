//! Whether a mail is from the domain it names, as lanka finds out itself: DKIM (RFC 6376), SPF (RFC 7208),
//! DMARC (RFC 9989) and ARC (RFC 8617), where no server of ours has done so before
//! ([`super::authentication`]).
//!
//! The questions to name servers are the shell's, and are asked before the mail is parsed. This file says
//! which mail there is a question about ([`question`]) and what the answers are worth ([`conclude`]).
//!
//! **Invariants:** only what is about the domain in From counts; a mail that could be read in two ways
//! counts for nothing; an answer that did not come is never a pass and never a failure.

use super::authentication;
use super::mail_parts::{self, Field};
use crate::pure::domain::message::{Authentication, Finding, SenderCheck};

/// Bytes of a mail that is checked: the hash runs over all of it, and large providers deliver no more.
const MAIL_BYTES_MAX: usize = 50 * 1024 * 1024;
/// Bytes of its header; signatures name fields, and are compared with all there are.
const HEADER_BYTES_MAX: usize = 256 * 1024;
/// Fields that carry signatures and seals; a mail that passed ten lists has some forty.
const SIGNATURE_FIELDS_MAX: usize = 60;

/// Fields that a mail has once at most (RFC 5322 3.6, RFC 2045 3). A signature covers the last of them, and
/// people are shown the first: who repeats one may show what was never signed.
const SINGLE_FIELDS: &[&str] = &[
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
];

/// What there is to find out about a mail's sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderQuestion {
    /// The domain in From, in ASCII and lower case: the only one that anything is asked about.
    pub domain: String,
    /// Nothing needs to be asked: the mail is not built as mails are.
    pub is_refused: bool,
}

/// The question about a mail from `domain`. `bytes` is the whole mail, `fields` its header.
pub fn question(bytes: &[u8], fields: &[Field], domain: &str) -> SenderQuestion {
    let twice = |name: &&str| fields.iter().filter(|field| field.name == **name).count() > 1;
    let is_signature = |field: &&Field| {
        matches!(
            field.name.as_str(),
            "dkim-signature" | "arc-seal" | "arc-message-signature" | "arc-authentication-results"
        )
    };
    let is_refused = bytes.len() > MAIL_BYTES_MAX
        || !is_plain_header(bytes)
        || fields.len() >= mail_parts::FIELDS_MAX
        || fields.iter().filter(is_signature).count() > SIGNATURE_FIELDS_MAX
        || SINGLE_FIELDS.iter().any(twice);
    SenderQuestion { domain: domain.to_ascii_lowercase(), is_refused }
}

/// Whether every reader finds the same header: fields and their continuations down to an empty line, no
/// stray line ends, not too long. Otherwise what was signed and what is shown could be two things.
fn is_plain_header(bytes: &[u8]) -> bool {
    let mut at = 0;
    while at < bytes.len().min(HEADER_BYTES_MAX) {
        let end = bytes[at..].iter().position(|&b| b == b'\n').map_or(bytes.len(), |found| at + found);
        let line = bytes[at..end].strip_suffix(b"\r").unwrap_or(&bytes[at..end]);
        if line.is_empty() {
            return at > 0;
        }
        let is_folded = matches!(line[0], b' ' | b'\t') && at > 0;
        // RFC 5322 2.2: printable characters but the colon.
        let name = line.iter().position(|&b| b == b':').map(|colon| &line[..colon]);
        let is_field = name.is_some_and(|name| !name.is_empty() && name.iter().all(|b| b.is_ascii_graphic()));
        if !(is_folded || is_field) || line.contains(&b'\r') || line.contains(&0) {
            return false;
        }
        at = end + 1;
    }
    bytes.len() <= HEADER_BYTES_MAX
}

/// What signatures of the sender's domain say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// One holds, and is aligned as the domain's policy wants it.
    Good,
    /// None holds.
    Broken,
    /// Its key was not to be had.
    Unanswered,
    /// All signatures are of other domains.
    Unaligned,
    /// There is none.
    Absent,
}

/// What our own record of the handover says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handed {
    /// By an address of the sender's domain.
    ByDomain,
    /// By another.
    ByOther,
    /// By another, and the domain says that no other may (SPF `fail`, RFC 7208 2.6.4).
    ByForbidden,
    /// The domain's list was not to be had.
    Unanswered,
    /// It is not known who handed it over.
    Unknown,
}

/// What the domain asks to be done with mail that it did not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Nothing is published.
    Absent,
    /// Nothing is to be done.
    Monitor,
    /// To put it aside, or to refuse it.
    Distrust,
    /// It was not to be had.
    Unanswered,
}

/// What a chain of seals says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seals {
    /// Trusted sealers saw that the mail was the domain's.
    Vouch,
    /// A key was not to be had.
    Unanswered,
    /// There are none, or none that count.
    Nothing,
}

/// The answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// DKIM.
    pub signature: Signature,
    /// SPF.
    pub handed: Handed,
    /// DMARC.
    pub policy: Policy,
    /// ARC.
    pub seals: Seals,
}

/// What the answers are worth.
///
/// A domain that asks to distrust what it did not sign is taken at its word although SPF was not asked (its
/// mail goes through forwarders, where SPF never holds). One that asks for nothing is taken to deny a mail
/// only where SPF was asked too: then DMARC says fail, as our own server would have written. One without a policy is
/// taken to deny what its SPF forbids.
pub fn conclude(evidence: Evidence) -> SenderCheck {
    let Evidence { signature, handed, policy, seals } = evidence;
    let unanswered = signature == Signature::Unanswered
        || seals == Seals::Unanswered
        || handed == Handed::Unanswered
        || policy == Policy::Unanswered;
    let is_denied = match policy {
        Policy::Distrust => true,
        Policy::Monitor => matches!(handed, Handed::ByOther | Handed::ByForbidden),
        Policy::Absent | Policy::Unanswered => handed == Handed::ByForbidden,
    };
    let (verdict, finding) = match (signature, seals, handed) {
        (Signature::Good, ..) => (Authentication::Pass, Finding::Signed),
        (_, Seals::Vouch, _) => (Authentication::Pass, Finding::Sealed),
        (Signature::Unanswered, ..) | (_, Seals::Unanswered, _) => (Authentication::Unknown, Finding::NoAnswer),
        (.., Handed::ByDomain) => (Authentication::Aligned, Finding::Sent),
        _ if unanswered => (Authentication::Unknown, Finding::NoAnswer),
        _ if is_denied => (Authentication::Fail, Finding::Denied),
        (Signature::Broken, ..) => (Authentication::None, Finding::Broken),
        (Signature::Unaligned, ..) => (Authentication::None, Finding::Unaligned),
        _ => (Authentication::None, Finding::Unsigned),
    };
    SenderCheck { verdict, finding }
}

/// A mail that nothing is asked about.
pub const REFUSED: SenderCheck = SenderCheck { verdict: Authentication::None, finding: Finding::Refused };

/// A mail whose questions nobody answered.
pub const UNANSWERED: SenderCheck = SenderCheck { verdict: Authentication::Unknown, finding: Finding::NoAnswer };

/// Whether a sealer's own results (the value of an ARC-Authentication-Results field, RFC 8617 4.1.1) say
/// that the mail was from the domain when the sealer had it.
pub fn was_authentic(sealed_results: &[u8], from_domain: &str) -> bool {
    let text = mail_parts::unfold(sealed_results);
    // `i=1; mx.example.com; dkim=pass …`
    let Some((instance, results)) = text.split_once(';') else { return false };
    instance.trim().starts_with("i") && authentication::vouches(results, from_domain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Authentication::{Aligned, Fail, None as Nothing, Pass, Unknown};

    #[test]
    fn answers_are_worth_what_is_certain() {
        use Handed as H;
        use Policy as P;
        use Seals as A;
        use Signature as S;
        let table = [
            // Signature, handover, policy, seals.
            (S::Good, H::Unknown, P::Absent, A::Nothing, Pass),
            (S::Good, H::ByOther, P::Distrust, A::Nothing, Pass),
            (S::Good, H::Unanswered, P::Unanswered, A::Unanswered, Pass),
            (S::Broken, H::ByOther, P::Distrust, A::Vouch, Pass),
            (S::Absent, H::ByDomain, P::Distrust, A::Nothing, Aligned),
            (S::Broken, H::ByDomain, P::Absent, A::Nothing, Aligned),
            (S::Unanswered, H::ByDomain, P::Absent, A::Nothing, Unknown),
            (S::Unanswered, H::ByOther, P::Distrust, A::Nothing, Unknown),
            (S::Broken, H::Unknown, P::Distrust, A::Unanswered, Unknown),
            (S::Absent, H::Unanswered, P::Distrust, A::Nothing, Unknown),
            (S::Absent, H::ByOther, P::Unanswered, A::Nothing, Unknown),
            (S::Absent, H::Unknown, P::Absent, A::Nothing, Nothing),
            (S::Absent, H::Unknown, P::Monitor, A::Nothing, Nothing),
            (S::Absent, H::Unknown, P::Distrust, A::Nothing, Fail),
            (S::Unaligned, H::Unknown, P::Distrust, A::Nothing, Fail),
            (S::Broken, H::Unknown, P::Distrust, A::Nothing, Fail),
            (S::Broken, H::Unknown, P::Monitor, A::Nothing, Nothing),
            (S::Absent, H::ByOther, P::Monitor, A::Nothing, Fail),
            (S::Absent, H::ByOther, P::Absent, A::Nothing, Nothing),
            (S::Absent, H::ByForbidden, P::Absent, A::Nothing, Fail),
            (S::Broken, H::ByForbidden, P::Monitor, A::Nothing, Fail),
            (S::Absent, H::ByForbidden, P::Unanswered, A::Nothing, Unknown),
            (S::Good, H::ByForbidden, P::Absent, A::Nothing, Pass),
            (S::Broken, H::ByForbidden, P::Absent, A::Vouch, Pass),
        ];
        for (signature, handed, policy, seals, expected) in table {
            let evidence = Evidence { signature, handed, policy, seals };
            assert_eq!(conclude(evidence).verdict, expected, "{evidence:?}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_not_asked_about() {
        let many = "DKIM-Signature: v=1\n".repeat(SIGNATURE_FIELDS_MAX + 1);
        let long = format!("X: {}\n", "x".repeat(HEADER_BYTES_MAX));
        let table: &[(&str, bool)] = &[
            ("From: a@example.fi\nSubject: x\n\nbody", false),
            ("From: a@example.fi\r\nSubject: x\r\n y\r\n\r\nbody\r", false),
            ("From: a@example.fi\nSubject: x\nSubject: y\n\nbody", true),
            ("From: a@example.fi\nContent-Type: text/plain\nContent-Type: text/html\n\nbody", true),
            ("From: a@example.fi\nsomething else\nSubject: x\n\nbody", true),
            ("From: a@example.fi\rSubject: y\nX: x\n\nbody", true),
            ("From: a@example.fi\n", false),
            (" From: a@example.fi\n\nbody", true),
            ("From: a@example.fi\nX Y: x\n\nbody", true),
            ("\n\nFrom: a@example.fi\n\nbody", true),
            (&format!("{many}From: a@example.fi\n\nbody"), true),
            (&format!("{long}From: a@example.fi\n\nbody"), true),
        ];
        for (mail, expected) in table {
            let bytes = mail.as_bytes();
            let (fields, _) = mail_parts::fields(bytes, 0..bytes.len());
            let found = question(bytes, &fields, "Example.FI");
            assert_eq!((found.is_refused, found.domain.as_str()), (*expected, "example.fi"), "{mail:.80}");
        }
    }

    #[test]
    fn sealers_results_are_about_the_sender() {
        let table = [
            ("i=1; lists.example.com; dkim=pass header.d=example.fi", true),
            (" i=2; lists.example.com 1; dmarc=pass header.from=example.fi", true),
            ("i=1; lists.example.com; dkim=pass header.d=evil.com", false),
            ("i=1; lists.example.com; dmarc=fail header.from=example.fi; dkim=pass header.d=example.fi", false),
            ("i=1; lists.example.com; spf=pass smtp.mailfrom=example.fi", false),
            ("i=1; lists.example.com; none", false),
            ("dkim=pass header.d=example.fi", false),
            ("", false),
        ];
        for (results, expected) in table {
            assert_eq!(was_authentic(results.as_bytes(), "example.fi"), expected, "{results}");
        }
    }
}
