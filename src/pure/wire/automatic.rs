//! Whether a person wrote a mail: RFC 3834, RFC 3464, RFC 5965, RFC 8098, and what mail systems do instead.
//!
//! **Invariant:** the verdict is about the form of the mail, never about its text, but for subjects
//! that mail systems themselves write. When in doubt a person wrote it: a missed auto-reply costs a
//! look, a missed customer costs the customer.

use super::mail_parts::Mail;
use crate::pure::domain::identity::EmailAddress;
use crate::pure::domain::message::Auto;

/// Why the mail is taken for automatic. `own` are the desk's addresses: a list that is the desk's
/// own distribution group does not make a customer's mail bulk.
pub fn classify(mail: &Mail, from: &str, subject: &str, own: &[EmailAddress]) -> Option<Auto> {
    let value = |name: &str| mail.raw(name).map(|value| value.to_ascii_lowercase());
    let submitted = value("auto-submitted").unwrap_or_default();
    let submitted = submitted.split([';', '(', ' ']).next().unwrap_or_default().to_owned();
    let subject = subject.trim().to_lowercase();
    report(mail)
        .or_else(|| is_bounce(mail, from, &subject).then_some(Auto::Bounce))
        .or_else(|| is_vacation(mail, &submitted, &subject).then_some(Auto::Vacation))
        .or_else(|| is_list(mail, own).then_some(Auto::List))
        .or_else(|| is_generated(mail, &submitted).then_some(Auto::Generated))
}

/// What a multipart/report, or a part of one standing alone, says it is.
fn report(mail: &Mail) -> Option<Auto> {
    // The parts of a mail that is only forwarded within this one are not looked into.
    let kind = mail.parts.first()?.report_type.as_deref().unwrap_or_default();
    let is = |report: &str, part: &str| {
        kind == report || mail.parts.iter().any(|p| !p.is_attachment && p.media_type == part)
    };
    if is("feedback-report", "message/feedback-report") {
        Some(Auto::Complaint)
    } else if is("disposition-notification", "message/disposition-notification") {
        Some(Auto::Receipt)
    } else if is("delivery-status", "message/delivery-status")
        || is("delivery-status", "message/global-delivery-status")
    {
        Some(Auto::Bounce)
    } else {
        None
    }
}

/// Senders that only mail systems use; the local part alone, for each has its own domain.
const BOUNCERS: &[&str] = &["mailer-daemon", "mailerdaemon", "mail-daemon", "maildaemon", "mailer_daemon", "mdaemon"];

/// Beginnings of subjects under which mail systems return mail.
const BOUNCE_SUBJECTS: &[&str] = &[
    "undelivered mail returned to sender",
    "undeliverable:",
    "undeliverable mail",
    "undeliverable message",
    "undelivered mail",
    "mail delivery fail",
    "mail delivery system",
    "mail delivery error",
    "mail system error",
    "delivery status notification",
    "delivery notification",
    "delivery failure",
    "delivery has failed",
    "delivery report",
    "delivery problem",
    "returned mail",
    "returning message",
    "failure notice",
    "failure delivery",
    "failed mail",
    "message delivery fail",
    "message delivery has been delayed",
    "warning: could not send message",
    "warning: message",
    "warning - delayed mail",
    "mail could not be delivered",
    "message undeliverable",
    "non delivery report",
    "nondeliverable mail",
    "non remis",
    "unzustellbar",
    "zustellung fehlgeschlagen",
    "olevererbart",
    "ej levererat",
    "ei toimitettu",
    "toimitus epäonnistui",
    "ei voitu toimittaa",
];

fn is_bounce(mail: &Mail, from: &str, subject: &str) -> bool {
    let local = from.rsplit_once('@').map_or(from, |(local, _)| local).to_ascii_lowercase();
    let is_daemon = BOUNCERS.contains(&local.as_str());
    let is_postmaster = local == "postmaster" || from.is_empty();
    let says_so = BOUNCE_SUBJECTS.iter().any(|text| subject.starts_with(text));
    let has_null_path = mail.raw("return-path").is_some_and(|path| path.replace(' ', "") == "<>");
    mail.raw("x-failed-recipients").is_some()
        || (is_daemon && !subject.starts_with("re:"))
        || ((is_postmaster || has_null_path) && says_so)
}

/// Beginnings of subjects that Exchange, Gmail and others give to automatic replies.
const VACATION_SUBJECTS: &[&str] = &[
    "automatic reply:",
    "automaattinen vastaus:",
    "autosvar:",
    "automatiskt svar:",
    "automatisk svar:",
    "automaatvastus:",
    "automatische antwort:",
    "abwesenheitsnotiz:",
    "réponse automatique",
    "respuesta automática:",
    "risposta automatica:",
    "automatisch antwoord:",
    "odpowiedź automatyczna:",
    "автоматический ответ:",
    "autoreply:",
    "auto-reply:",
    "auto reply:",
    "autoresponse:",
    "auto response:",
    "out of office:",
    "out of office autoreply:",
    "out of the office:",
    "poissa:",
    "poissaoloilmoitus",
    "frånvarande:",
];

fn is_vacation(mail: &Mail, submitted: &str, subject: &str) -> bool {
    let says = |name: &str, words: &[&str]| {
        mail.raw(name).is_some_and(|value| words.is_empty() || words.contains(&value.to_ascii_lowercase().as_str()))
    };
    submitted == "auto-replied"
        || says("x-autoreply", &["yes", "true", "1"])
        || says("x-autorespond", &[])
        || says("x-autoresponder", &[])
        || says("x-auto-reply", &[])
        || says("x-mail-autoreply", &[])
        || says("x-autogenerated", &["reply"])
        || says("x-apple-action", &["vacation"])
        || says("precedence", &["auto_reply", "auto-reply"])
        || VACATION_SUBJECTS.iter().any(|text| subject.starts_with(text))
}

fn is_list(mail: &Mail, own: &[EmailAddress]) -> bool {
    let is_bulk = mail
        .raw("precedence")
        .is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "bulk" | "list" | "junk"));
    let names = ["list-id", "list-post", "list-unsubscribe", "list-help", "list-subscribe"];
    let fields: Vec<String> = names.iter().filter_map(|name| mail.raw(name)).map(|v| v.to_lowercase()).collect();
    // Google Groups and the like put support@example.fi behind a list `support.example.fi`.
    let is_own = own.iter().any(|address| {
        let list = address.as_str().replacen('@', ".", 1);
        fields.iter().any(|field| {
            field.contains(&format!("<{list}>")) || field.contains(&format!("mailto:{}>", address.as_str()))
        })
    });
    (is_bulk || !fields.is_empty()) && !is_own
}

fn is_generated(mail: &Mail, submitted: &str) -> bool {
    let suppress = mail.raw("x-auto-response-suppress").unwrap_or_default().to_ascii_lowercase();
    let suppresses = suppress.split(',').any(|word| matches!(word.trim(), "all" | "oof" | "autoreply"));
    (!submitted.is_empty() && submitted != "no") || suppresses || mail.raw("x-autogenerated").is_some()
}
