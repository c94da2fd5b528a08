//! Whether a person wrote a mail: RFC 3834, RFC 3464, RFC 5965, RFC 8098, and what mail systems do instead.
//!
//! **Invariant:** the verdict rests on the form of the mail. A subject, or what the text says, counts only
//! beside other evidence. When in doubt a person wrote it: a missed auto-reply costs a look, a missed
//! customer costs the customer.

use super::mail_parts::{self, Mail};
use crate::pure::domain::identity::EmailAddress;
use crate::pure::domain::message::Auto;
use bytes::Bytes;

/// Encoded bytes of the text that are looked at; what mail systems say stands at the top.
const TEXT_BYTES_MAX: usize = 8 * 1024;

/// What the verdict is about, read once.
struct Evidence<'a> {
    mail: &'a Mail,
    /// Local part of the author's address, lower case, letters and digits only.
    local: String,
    /// The display name, lower case.
    name: String,
    /// Trimmed, lower case.
    subject: String,
    /// Nobody is to be answered: an empty Return-Path or an empty From.
    is_null: bool,
    /// Nobody is named.
    is_nobody: bool,
}

/// Why the mail is taken for automatic. `from` is its author's address, `name` his display name. `own`
/// are the desk's addresses: a list that is the desk's own distribution group does not make a customer's
/// mail bulk.
pub fn classify(mail: &Mail, from: &str, name: &str, subject: &str, own: &[EmailAddress]) -> Option<Auto> {
    let submitted = mail.raw("auto-submitted").unwrap_or_default().to_ascii_lowercase();
    let submitted = submitted.split([';', '(', ' ']).next().unwrap_or_default().to_owned();
    let local = from.rsplit_once('@').map_or(from, |(local, _)| local);
    let evidence = Evidence {
        mail,
        local: local.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect(),
        name: name.trim().to_lowercase(),
        subject: subject.trim().to_lowercase(),
        is_null: ["return-path", "from"].iter().any(|n| mail.raw(n).is_some_and(|path| path.replace(' ', "") == "<>")),
        is_nobody: from.is_empty(),
    };
    report(&evidence)
        .or_else(|| is_bounce(&evidence).then_some(Auto::Bounce))
        .or_else(|| is_complaint(&evidence).then_some(Auto::Complaint))
        .or_else(|| is_vacation(&evidence, &submitted).then_some(Auto::Vacation))
        .or_else(|| is_list(mail, own).then_some(Auto::List))
        .or_else(|| is_generated(mail, &submitted).then_some(Auto::Generated))
}

/// Whether a header that a tool keeps of a mail says that no person wrote it. (A list's mail is a person's.)
pub fn is_said_in(header: &str) -> bool {
    let mail = mail_parts::header(&Bytes::from(format!("{}\n\n", header.trim_end())));
    let from = mail.raw("from").unwrap_or_default().to_owned();
    let subject = mail.text("subject").unwrap_or_default();
    classify(&mail, &from, "", &subject, &[]).is_some_and(|auto| auto != Auto::List)
}

/// What a multipart/report, or a part of one standing alone, says it is.
fn report(evidence: &Evidence) -> Option<Auto> {
    let mail = evidence.mail;
    // The parts of a mail that is only forwarded within this one are not looked into. A report that a
    // person sends along is an attachment; some mail systems call theirs so as well.
    let kind = mail.parts.first()?.report_type.as_deref().unwrap_or_default();
    let is_system = evidence.is_null || is_daemon(evidence) || is_postmaster(evidence);
    let is = |report: &str, part: &str| {
        kind == report || mail.parts.iter().any(|p| (is_system || !p.is_attachment) && p.media_type == part)
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
const DAEMONS: &[&str] = &["mailerdaemon", "maildaemon", "mdaemon", "maildeliverysystem", "maildeliverysubsystem"];

/// Names under which mail systems write.
const DAEMON_NAMES: &[&str] = &[
    "mail delivery system",
    "mail delivery subsystem",
    "mail delivery service",
    "mail delivery",
    "mailer-daemon",
    "mail system",
    "mail administrator",
    "system administrator",
    "postmaster",
    "internet mail delivery",
    "delivery status notification",
];

/// A machine that answers to nobody, whatever else it sends.
const NO_REPLY: &[&str] =
    &["noreply", "donotreply", "nepasrepondre", "alavastaa", "svarainte", "keineantwort", "noresponder"];

fn is_daemon(evidence: &Evidence) -> bool {
    DAEMONS.contains(&evidence.local.as_str())
}

fn is_postmaster(evidence: &Evidence) -> bool {
    evidence.local == "postmaster" || DAEMON_NAMES.iter().any(|name| evidence.name == *name)
}

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

fn is_bounce(evidence: &Evidence) -> bool {
    let Evidence { mail, subject, .. } = evidence;
    if mail.raw("x-failed-recipients").is_some() || (is_daemon(evidence) && !subject.starts_with("re:")) {
        return true;
    }
    let is_system = evidence.is_null || is_postmaster(evidence);
    if (is_system || evidence.is_nobody) && BOUNCE_SUBJECTS.iter().any(|text| subject.starts_with(text)) {
        return true;
    }
    let is_machine = is_system || NO_REPLY.iter().any(|local| evidence.local.contains(local));
    is_machine && (returns_mail(mail) || (is_system && tells_of_failure(&text(mail))))
}

/// Whether the mail brings another one back, whole or its header.
fn returns_mail(mail: &Mail) -> bool {
    let is_returned = |media_type: &str| {
        matches!(media_type, "message/rfc822" | "text/rfc822-headers" | "text/rfc822-header" | "message/partial")
    };
    mail.parts.iter().any(|part| is_returned(&part.media_type))
}

/// The beginning of the first text of the mail, lower case.
fn text(mail: &Mail) -> String {
    let part = mail.parts.iter().find(|part| part.media_type.starts_with("text/") && part.children.is_empty());
    part.map(|part| mail.body_text(part, TEXT_BYTES_MAX).0.to_lowercase()).unwrap_or_default()
}

/// A reply of an SMTP server (`550 5.1.1`, RFC 5321 4.2, RFC 3463) and a word about delivery.
fn tells_of_failure(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "deliver",
        "recipient",
        "returned",
        "rcpt to",
        "no such user",
        "user unknown",
        "mailbox",
        "mail from",
        "undeliver",
    ];
    let mut words = text.split(|c: char| c.is_whitespace() || matches!(c, ':' | '(' | ')' | '<' | '>' | '#'));
    let is_code = |word: &str| {
        let bytes = word.as_bytes();
        let is_reply = bytes.len() >= 3 && bytes[..3].iter().all(u8::is_ascii_digit) && matches!(bytes[0], b'4' | b'5');
        let is_status = matches!(bytes, [b'4' | b'5', b'.', second, b'.', ..] if second.is_ascii_digit());
        is_status || (is_reply && matches!(bytes.get(3), None | Some(b'-')) && bytes[1] < b'6')
    };
    words.any(is_code) && WORDS.iter().any(|word| text.contains(word))
}

/// Complaints that are no RFC 5965 report: the forms of Hotmail and of Apple Mail.
fn is_complaint(evidence: &Evidence) -> bool {
    let Evidence { mail, subject, .. } = evidence;
    (subject.starts_with("complaint about message from") && returns_mail(mail))
        || mail.raw("x-apple-unsubscribe").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// Beginnings of subjects that Exchange, Gmail and others give to automatic replies.
const VACATION_SUBJECTS: &[&str] = &[
    "automatic reply:",
    "automaattinen vastaus:",
    "automaattivastaus",
    "autosvar:",
    "automatiskt svar:",
    "automatisk svar:",
    "automaatvastus:",
    "automaatne vastus",
    "automatische antwort:",
    "automatische antwort von",
    "abwesenheitsnotiz",
    "abwesend:",
    "abwesenheit:",
    "réponse automatique",
    "absence du bureau",
    "absent du bureau",
    "reponse automatique",
    "respuesta automática",
    "respuesta automatica",
    "fuera de la oficina",
    "risposta automatica",
    "fuori sede",
    "resposta automática",
    "resposta automatica",
    "ausência temporária",
    "automatisch antwoord",
    "afwezig:",
    "afwezigheidsbericht",
    "odpowiedź automatyczna",
    "automatyczna odpowiedź",
    "autoodpowiedź",
    "automatická odpověď",
    "automatická odpoveď",
    "automatikus válasz",
    "răspuns automat",
    "автоматический ответ",
    "автоматичен отговор",
    "автоматична відповідь",
    "αυτόματη απάντηση",
    "otomatik yanıt",
    "automatski odgovor",
    "samodejni odgovor",
    "automatinis atsakymas",
    "automātiskā atbilde",
    "sjálfvirkt svar",
    "autoreply",
    "auto-reply",
    "auto reply",
    "autoresponse",
    "auto response",
    "auto:",
    "[auto-reply]",
    "out of office",
    "out of the office",
    "i am out of the office",
    "away from the office",
    "away from my mail",
    "on vacation",
    "vacation reply",
    "poissa:",
    "poissaoloilmoitus",
    "poissaolo:",
    "olen lomalla",
    "lomalla:",
    "frånvarande:",
    "frånvaro:",
    "frånvaromeddelande",
    "fravær:",
    "fraværsmelding",
    "ikke til stede",
    "kontorist väljas",
    "puhkusel",
];

/// What people write into such replies, in the subject or the text.
const ABSENCES: &[&str] = &[
    "out of office",
    "out of the office",
    "away from the office",
    "away from my e",
    "on vacation",
    "on holiday",
    "on annual leave",
    "on leave",
    "on parental leave",
    "maternity leave",
    "automatic reply",
    "automated re",
    "auto-reply",
    "limited access to",
    "will be back",
    "i will return",
    "olen lomalla",
    "lomalla",
    "poissa toimistolta",
    "poissa töistä",
    "olen poissa",
    "en ole paikalla",
    "automaattinen vastaus",
    "automaattivastaus",
    "palaan töihin",
    "virkavapaalla",
    "vanhempainvapaalla",
    "på semester",
    "semester till",
    "tjänstledig",
    "föräldraledig",
    "inte på kontoret",
    "är tillbaka",
    "autosvar",
    "på ferie",
    "ikke på kontoret",
    "tilbage igen",
    "puhkusel",
    "puhkuselt",
    "ei viibi",
    "kontorist väljas",
    "nicht im büro",
    "nicht im haus",
    "im urlaub",
    "abwesend",
    "abwesenheit",
    "nicht erreichbar",
    "wieder erreichbar",
    "absent",
    "en congé",
    "en vacances",
    "hors du bureau",
    "de retour le",
    "fuera de la oficina",
    "estoy fuera",
    "estaré fuera",
    "de vacaciones",
    "ausente",
    "fuori ufficio",
    "in ferie",
    "fuori sede",
    "fora do escritório",
    "estou fora",
    "estarei fora",
    "de férias",
    "afwezig",
    "met vakantie",
    "op vakantie",
    "niet op kantoor",
    "poza biurem",
    "na urlopie",
    "nieobecn",
    "mimo kancelář",
    "na dovolené",
    "mimo kanceláriu",
    "mimo kancelárie",
    "na dovolenke",
    "szabadság",
    "házon kívül",
    "concediu",
    "εκτός γραφείου",
    "ofis dışında",
    "van kantoor",
    "izvan ureda",
    "izven pisarne",
    "извън офиса",
    "вне офиса",
    "поза офісом",
    "ne biroje",
    "ārpus biroja",
    "в отпуске",
    "отсутств",
    "в отпуска",
    "у відпустці",
    "άδεια",
    "izinde",
    "na godišnjem",
    "na dopustu",
    "atostog",
    "atvaļinājum",
    "í fríi",
];

fn is_vacation(evidence: &Evidence, submitted: &str) -> bool {
    let Evidence { mail, subject, .. } = evidence;
    let says = |name: &str, words: &[&str]| {
        mail.raw(name).is_some_and(|value| words.is_empty() || words.contains(&value.to_ascii_lowercase().as_str()))
    };
    let by_header = submitted == "auto-replied"
        || says("x-autoreply", &["yes", "true", "1"])
        || says("x-autorespond", &[])
        || says("x-autoresponder", &[])
        || says("x-auto-reply", &[])
        || says("x-auto-reply-from", &[])
        || says("x-autoreply-from", &[])
        || says("x-mail-autoreply", &[])
        || says("x-autoresponse", &[])
        || says("x-vacation", &[])
        || says("x-autogenerated", &["reply"])
        || says("x-apple-action", &["vacation"])
        || says("precedence", &["auto_reply", "auto-reply"])
        || says("preference", &["auto_reply", "auto-reply"])
        || says("delivered-to", &["autoresponder"]);
    if by_header {
        return true;
    }
    let by_subject = VACATION_SUBJECTS.iter().any(|text| subject.starts_with(text));
    // A subject may be a person's: the mail must answer one, or to nobody, or speak of an absence.
    by_subject
        && (evidence.is_null
            || suppresses(mail)
            || says("in-reply-to", &[])
            || says("references", &[])
            || says("precedence", &[])
            || ABSENCES.iter().any(|words| subject.contains(words) && !subject.starts_with(words))
            || {
                let text = text(mail);
                ABSENCES.iter().any(|words| text.contains(words))
            })
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

/// Fields that only programs write.
const GENERATED_FIELDS: &[&str] = &[
    "x-autogenerated",
    "x-amz-sns-message-id",
    "x-ms-exchange-generated-message-source",
    "x-facebook-notify",
    "x-cron-env",
];

fn is_generated(mail: &Mail, submitted: &str) -> bool {
    (!submitted.is_empty() && submitted != "no")
        || suppresses(mail)
        || GENERATED_FIELDS.iter().any(|name| mail.raw(name).is_some())
}

/// Exchange's own field (MS-OXCMAIL 2.1.3.2.19): no automatic answer, please.
fn suppresses(mail: &Mail) -> bool {
    let suppress = mail.raw("x-auto-response-suppress").unwrap_or_default().to_ascii_lowercase();
    suppress.split(',').any(|word| matches!(word.trim(), "all" | "oof" | "autoreply"))
}
