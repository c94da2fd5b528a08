//! Answers as mail: what every kind of mail channel is configured with for sending, and how a mail is written.
//!
//! The mail is threaded (RFC 5322 3.6.4): `In-Reply-To` is the customer's mail, `References` that and those before it. Its
//! Message-ID is lanka's own and nobody's to guess, so that whoever answers it may write on the ticket (DESIGN 5, rule 1);
//! with `reply_token` the address to reply to holds the same id, for the mail programs that lose headers. It carries no
//! quotation: what was said before went over several channels, and not all of it to this address.
//!
//! What a server's answer means (RFC 5321 4.2.1): 2xx is sent; 4xx, and 5xx about ourselves (530 to 535, 538: the login), is
//! tried again; any other 5xx is for good. A mail that is sent again after a crash has the same Message-ID, by which mail
//! programs show it once.
//!
//! **Invariant:** a header holds no line break of anybody's making.

use super::mail_write::{self, Submitted};
use super::settings::{MISSING_SECRET, Problems};
use super::step::{Link, MailServer, OutgoingMail, Patience, Reply, Step, Tls};
use super::written;
use crate::pure::domain::answer::{Carried, CarriedFile, Way};
use crate::pure::domain::identity::{EmailAddress, MAILTO};
use crate::pure::domain::letter::Letter;
use crate::pure::domain::outbox::LinkedKind;
use crate::pure::domain::secret::Secret;
use crate::pure::wire::subject;
use lettre::Address;
use lettre::message::{Mailbox, MessageBuilder, MultiPart, SinglePart};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Begins the part after `+` of an address to reply to, and the ids of answers.
pub const TOKEN: &str = "lanka.";

/// Hexadecimal digits after it: 128 bits.
const TOKEN_DIGITS: usize = 32;

/// Ids in `References`: a mail program needs the last few, and servers end lines of a kilobyte.
const REFERENCES_MAX: usize = 20;

/// Longest local part (RFC 5321 4.5.3.1.1), bytes.
const LOCAL_BYTES_MAX: usize = 64;

/// Longest subject and name written, in characters.
const SUBJECT_CHARS_MAX: usize = 500;
const NAME_CHARS_MAX: usize = 100;

/// How long a mail is tried. RFC 5321 4.5.4.1 wants four or five days; a customer who waits for an answer deserves to have
/// his agent told sooner.
const AGE_MAX: Duration = Duration::from_secs(2 * 24 * 3600);

/// The table `smtp` of a mail channel.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpSettings {
    /// Host name of the server that takes our mail; its certificate must carry it.
    host: String,
    /// TCP port; by default 465 for `implicit`, 587 for `starttls`, 25 for `none`.
    port: Option<u16>,
    /// `implicit` (default), `starttls`, or `none`, which only this machine may be reached by.
    #[serde(default = "implicit")]
    tls: Tls,
    /// Login name; left out, nobody logs in.
    user: Option<String>,
    /// `{ env = "NAME" }` or `{ file = "PATH" }`; wanted with `user`.
    password: Option<Secret>,
    /// Who answers: `Esimerkki Oy <support@example.fi>`. By default the address the customer wrote to, without a name.
    from: Option<String>,
    /// Whether the address to reply to holds a token (`support+lanka.…@example.fi`): the mailbox must take such addresses.
    #[serde(default)]
    reply_token: bool,
    /// Certificates (PEM) to trust beside the system's.
    #[serde(default, deserialize_with = "written::path_opt")]
    ca_file: Option<PathBuf>,
    /// Longest time the server may take for any one answer, in seconds.
    #[serde(default = "timeout_s")]
    timeout_s: u64,
}

fn implicit() -> Tls {
    Tls::Implicit
}
fn timeout_s() -> u64 {
    60
}

impl SmtpSettings {
    /// How answers are sent. What is wrong is added to the problems, below the key `smtp`. `addresses` are the channel's.
    pub fn read(self, addresses: &[EmailAddress], problems: &mut Problems) -> Option<MailAnswers> {
        let mut problem = |key: &str, message: &str| problems.add(format!("smtp.{key}"), message);
        if self.host.is_empty() || self.host.contains(|c: char| c.is_whitespace() || c == '/') {
            problem("host", "write the server's name alone, like smtp.example.fi");
        }
        let is_here = matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "::1");
        if self.tls == Tls::None && !is_here {
            problem("tls", "only this machine is reached without TLS: write \"implicit\" or \"starttls\"");
        }
        let login = match (self.user, self.password) {
            (Some(user), Some(password)) => Some((user, password)),
            (Some(_), None) => {
                problem("password", MISSING_SECRET);
                None
            }
            (None, Some(_)) => {
                problem("user", "there is a password, and nobody to log in as");
                None
            }
            (None, None) => None,
        };
        let from = self.from.as_deref().map(str::parse::<Mailbox>).transpose();
        if from.is_err() {
            problem("from", "write it as Esimerkki Oy <support@example.fi>");
        }
        let from = from.ok().flatten();
        let own = addresses.first().and_then(|address| address.as_str().parse::<Address>().ok());
        let address = from.as_ref().map(|from| from.email.clone()).or(own)?;
        if self.reply_token && address.user().len() + 1 + TOKEN.len() + TOKEN_DIGITS > LOCAL_BYTES_MAX {
            problem("reply_token", "the address is too long to hold a token before its @");
        }
        let port = self.port.unwrap_or(match self.tls {
            Tls::Implicit => 465,
            Tls::Starttls => 587,
            Tls::None => 25,
        });
        let server = MailServer {
            host: self.host,
            port,
            tls: self.tls,
            login,
            ca_file: self.ca_file,
            timeout: Duration::from_secs(self.timeout_s.clamp(1, 600)),
        };
        Some(MailAnswers { server, name: from.and_then(|from| from.name), address, reply_token: self.reply_token })
    }
}

/// What is noted of a customer's mail for its answer.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct MailPath {
    /// The address of ours that it was written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The ids that its References name, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
}

impl MailPath {
    /// As it is kept.
    pub fn written(mut self) -> Option<String> {
        let too_many = self.references.len().saturating_sub(REFERENCES_MAX);
        self.references.drain(..too_many);
        serde_json::to_string(&self).ok()
    }
}

/// Begins the part after `+` of an address that agents reply to.
pub const AGENTS: &str = "agent.";

/// What an address that agents reply to holds: of `support+agent.0123…@example.fi` the `0123…`.
pub fn agents_token_of(address: &str) -> Option<String> {
    let (local, _) = address.rsplit_once('@')?;
    let tag = local.rsplit_once('+')?.1.to_ascii_lowercase();
    let digits = tag.strip_prefix(AGENTS)?;
    let is_token = digits.len() == TOKEN_DIGITS && digits.bytes().all(|b| b.is_ascii_hexdigit());
    is_token.then(|| digits.to_owned())
}

/// The id of an answer that an address holds: of `support+lanka.0123…@example.fi` the `lanka.0123…@example.fi`.
pub fn token_of(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let (_, tag) = local.rsplit_once('+')?;
    let tag = tag.to_ascii_lowercase();
    let digits = tag.strip_prefix(TOKEN)?;
    let is_token = digits.len() == TOKEN_DIGITS && digits.bytes().all(|b| b.is_ascii_hexdigit());
    is_token.then(|| format!("{tag}@{}", domain.to_ascii_lowercase()))
}

/// Sends answers as mail.
#[derive(Debug, Clone)]
pub struct MailAnswers {
    server: MailServer,
    name: Option<String>,
    address: Address,
    reply_token: bool,
}

impl MailAnswers {
    /// The server that takes them.
    pub fn server(&self) -> &MailServer {
        &self.server
    }

    /// Mail takes answers at any time.
    pub fn way(&self) -> Way {
        let id_domain = Some(self.address.domain().to_ascii_lowercase());
        Way { window: None, is_session: false, id_domain, automatic_max: None, templates: Arc::default() }
    }

    /// How long a mail is tried.
    pub fn patience() -> Patience {
        Patience { attempts_max: 12, age_max: AGE_MAX }
    }

    /// Send it; then what the server's answer means.
    pub fn next(&self, answer: &Carried, replies: &[Reply]) -> Step {
        let Some(reply) = replies.last() else {
            return match self.compose(answer) {
                Ok(mail) => Step::Mail(Box::new(mail)),
                Err(why) => Step::Reject { why },
            };
        };
        match Meaning::of(reply) {
            Meaning::Taken => Step::Done(vec![Link {
                kind: LinkedKind::Message,
                object: answer.message.0,
                remote: answer.key.clone(),
            }]),
            Meaning::Again(why) => Step::Retry { after: None, why },
            Meaning::Refused(why) => Step::Reject { why },
        }
    }

    /// A letter as a mail. Nobody is told
    /// when it does not arrive: the sender is empty.
    pub fn letter(&self, letter: &Letter) -> Result<OutgoingMail, String> {
        let to: Address = letter.to.parse().map_err(|_| "the address is none that mail goes to".to_owned())?;
        let builder = MessageBuilder::new()
            .raw_header(mail_write::dated(letter.at))
            .message_id(Some(format!("<letter.{}@{}>", letter.key, self.address.domain())))
            .from(Mailbox::new(self.name.clone(), self.address.clone()))
            .to(Mailbox::new(None, to.clone()))
            .subject(mail_write::line(&letter.subject, SUBJECT_CHARS_MAX));
        let builder = mail_write::automatic(builder, Submitted::Generated);
        let mail = with_files(builder, &letter.text, &letter.files, &letter.key)?;
        Ok(OutgoingMail { from: None, to: to.to_string(), mail })
    }

    fn compose(&self, answer: &Carried) -> Result<OutgoingMail, String> {
        if answer.to.scheme != MAILTO {
            return Err("the address is none that mail goes to".to_owned());
        }
        let to: Address = answer.to.value.parse().map_err(|_| "the address is none that mail goes to".to_owned())?;
        let path: MailPath =
            answer.path.as_deref().and_then(|path| serde_json::from_str(path).ok()).unwrap_or_default();
        let (key_local, _) = answer.key.split_once('@').unwrap_or((&answer.key, ""));
        let mut builder = MessageBuilder::new()
            .raw_header(mail_write::dated(answer.at))
            .message_id(Some(format!("<{}>", answer.key)))
            .from(Mailbox::new(
                answer.by.as_deref().and_then(|by| self.signed(by)).or(self.name.clone()),
                self.address.clone(),
            ))
            .to(Mailbox::new(None, to.clone()))
            .subject(reply_subject(answer.subject.as_deref().unwrap_or_default()));
        if self.reply_token
            && let Ok(token) = Address::new(format!("{}+{key_local}", self.address.user()), self.address.domain())
        {
            builder = builder.reply_to(Mailbox::new(self.name.clone(), token));
        }
        if let Some(answered) = answer.answers_key.as_deref().filter(|key| is_id(key)) {
            let before = path.references.iter().map(String::as_str).filter(|id| is_id(id) && *id != answered);
            let all: Vec<String> = before.chain([answered]).map(|id| format!("<{id}>")).collect();
            builder = builder.in_reply_to(format!("<{answered}>")).references(all.join(" "));
        }
        if answer.is_automatic {
            builder = mail_write::automatic(builder, Submitted::Replied);
        }
        let mail = with_files(builder, &answer.text, &answer.files, key_local)?;
        // Nobody is told of what could not be told by itself (RFC 3834 3.3).
        let from = (!answer.is_automatic).then(|| self.address.to_string());
        Ok(OutgoingMail { from, to: to.to_string(), mail })
    }

    /// The agent's name beside the desk's.
    fn signed(&self, by: &str) -> Option<String> {
        let by = mail_write::line(by, NAME_CHARS_MAX);
        match &self.name {
            _ if by.is_empty() || by.contains('@') => None,
            Some(desk) => Some(format!("{by} ({desk})")),
            None => Some(by),
        }
    }
}

/// The mail whole: its text, and files beside it. `key` makes the boundary, so that it is the same at each attempt.
fn with_files(builder: MessageBuilder, text: &str, files: &[CarriedFile], key: &str) -> Result<Vec<u8>, String> {
    let text = SinglePart::plain(text.to_owned());
    let built = match files {
        [] => builder.singlepart(text),
        files => {
            let parts = MultiPart::mixed().boundary(format!("={key}")).singlepart(text);
            builder.multipart(files.iter().fold(parts, |parts, file| parts.singlepart(mail_write::attached(file))))
        }
    };
    Ok(built.map_err(|error| format!("the mail cannot be written: {error}"))?.formatted())
}

/// What a mail server means by its answer (RFC 5321 4.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// It has the mail.
    Taken,
    /// It may take it later, and why not now: for people, without an address.
    Again(String),
    /// It will not, and why.
    Refused(String),
}

impl Meaning {
    /// Of an answer.
    pub fn of(reply: &Reply) -> Self {
        let Reply { status, body, .. } = reply;
        match status {
            200..=399 => Self::Taken,
            530..=535 | 538 => Self::Again(format!("the mail server does not let us in ({status}): {body}")),
            500.. => Self::Refused(format!("the mail server refuses it ({status}): {body}")),
            _ => Self::Again(format!("the mail server answers {status}: {body}")),
        }
    }
}

/// An id that may stand in a header.
fn is_id(id: &str) -> bool {
    id.len() <= 250 && id.contains('@') && id.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>')
}

/// The customer's subject with one prefix of an answer.
fn reply_subject(asked: &str) -> String {
    let asked = mail_write::line(asked, SUBJECT_CHARS_MAX);
    match subject::read(&asked).is_answer {
        true => asked,
        false => format!("Re: {}", asked.trim()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::id::MessageId;
    use crate::pure::domain::identity::Identity;

    const KEY: &str = "lanka.0123456789abcdef0123456789abcdef@example.fi";

    fn answers(reply_token: bool) -> MailAnswers {
        let settings = format!(
            "host = \"smtp.example.fi\"\nfrom = \"Esimerkki Oy <support@example.fi>\"\nreply_token = {reply_token}"
        );
        let settings: SmtpSettings = toml::from_str(&settings).unwrap();
        let mut problems = Problems::default();
        let answers = settings.read(&[], &mut problems).unwrap();
        assert!(problems.is_empty());
        answers
    }

    fn carried() -> Carried {
        Carried {
            message: MessageId(uuid::Uuid::nil()),
            key: KEY.to_owned(),
            to: Identity { scheme: MAILTO.to_owned(), scope: String::new(), value: "minna@posti.example".to_owned() },
            by: Some("Aino".to_owned()),
            at: "2026-03-03T08:00:00Z".parse().unwrap(),
            text: "Lähetys lähti maanantaina.".to_owned(),
            files: Vec::new(),
            answers_key: Some("a1@posti.example".to_owned()),
            subject: Some("Tilaus 4500 1234".to_owned()),
            path: MailPath { to: None, references: vec!["a0@posti.example".to_owned()] }.written(),
            last_heard_at: "2026-03-03T07:00:00Z".parse().unwrap(),
            progress: None,
            template: None,
            is_automatic: false,
            may_be_sent: false,
        }
    }

    fn mail(answers: &MailAnswers, carried: &Carried) -> String {
        let Step::Mail(mail) = answers.next(carried, &[]) else { panic!("no mail") };
        let from = if carried.is_automatic { None } else { Some("support@example.fi") };
        assert_eq!((mail.from.as_deref(), mail.to.as_str()), (from, "minna@posti.example"));
        String::from_utf8(mail.mail).unwrap()
    }

    #[test]
    fn what_nobody_wrote_says_so() {
        let by_nobody = Carried { by: None, is_automatic: true, ..carried() };
        let (notice, answer) = (mail(&answers(false), &by_nobody), mail(&answers(false), &carried()));
        for header in ["Auto-Submitted: auto-replied\r\n", "X-Auto-Response-Suppress: All\r\n"] {
            assert_eq!((notice.matches(header).count(), answer.matches(header).count()), (1, 0), "{header}");
        }
        assert!(notice.contains("From: \"Esimerkki Oy\" <support@example.fi>\r\n"), "{notice}");
    }

    #[test]
    fn a_mail_is_threaded_and_the_same_at_each_attempt() {
        let text = mail(&answers(false), &carried());
        for line in [
            "From: =?utf-8?b?QWlubyAoRXNpbWVya2tpIE95KQ==?= <support@example.fi>",
            "To: minna@posti.example",
            "Subject: Re: Tilaus 4500 1234",
            "In-Reply-To: <a1@posti.example>",
            "References: <a0@posti.example> <a1@posti.example>",
            "Message-ID: <lanka.0123456789abcdef0123456789abcdef@example.fi>",
            "Date: Tue, 03 Mar 2026 08:00:00 +0000",
        ] {
            assert!(text.contains(&format!("{line}\r\n")), "{line}\n{text}");
        }
        assert!(!text.contains("\r\nReply-To: "), "{text}");
        let file =
            CarriedFile { name: "kuitti.pdf".to_owned(), media_type: "application/pdf".to_owned(), bytes: "x".into() };
        let with_file = Carried { files: vec![file], ..carried() };
        assert_eq!(mail(&answers(false), &with_file), mail(&answers(false), &with_file));
        assert!(mail(&answers(false), &with_file).contains("filename=\"kuitti.pdf\""));
    }

    #[test]
    fn the_address_to_reply_to_holds_the_answers_id() {
        let text = mail(&answers(true), &carried());
        let line = text.replace("\r\n ", " ").lines().find(|line| line.starts_with("Reply-To: ")).map(str::to_owned);
        let expected = "<support+lanka.0123456789abcdef0123456789abcdef@example.fi>";
        assert!(line.is_some_and(|line| line.ends_with(expected)), "{text}");
        let table = [
            ("support+lanka.0123456789abcdef0123456789abcdef@example.fi", Some(KEY)),
            ("Support+LANKA.0123456789ABCDEF0123456789abcdef@Example.FI", Some(KEY)),
            ("a+b+lanka.0123456789abcdef0123456789abcdef@example.fi", Some(KEY)),
            ("support+lanka.0123@example.fi", None),
            ("support+lanka.0123456789abcdef0123456789abcdeg@example.fi", None),
            ("lanka.0123456789abcdef0123456789abcdef@example.fi", None),
            ("support@example.fi", None),
            ("", None),
        ];
        for (address, expected) in table {
            assert_eq!(token_of(address).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn nothing_that_customers_write_breaks_out_of_a_header() {
        let hostile = "Moi\r\nBcc: eve@evil.example\r\n\r\nbody";
        let carried = Carried {
            subject: Some(hostile.to_owned()),
            answers_key: Some("x@y>\r\nBcc: <eve@evil.example".to_owned()),
            by: Some(hostile.to_owned()),
            path: MailPath { to: None, references: vec![hostile.to_owned()] }.written(),
            ..carried()
        };
        let text = mail(&answers(false), &carried);
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        assert!(!head.contains("\r\nBcc:") && !head.contains("In-Reply-To"), "{head}");
    }

    #[test]
    fn what_servers_answer() {
        let table: &[(u16, &str)] = &[
            (250, "done"),
            (421, "retry"),
            (451, "retry"),
            (535, "retry"),
            (538, "retry"),
            (550, "reject"),
            (554, "reject"),
        ];
        for (status, expected) in table {
            let reply = Reply { status: *status, retry_after_s: None, body: String::new() };
            let step = match answers(false).next(&carried(), &[reply]) {
                Step::Done(_) => "done",
                Step::Retry { .. } => "retry",
                Step::Reject { .. } => "reject",
                Step::Send(_) | Step::Mail(_) | Step::Mailbox(_) => "send",
            };
            assert_eq!(step, *expected, "{status}");
        }
    }
}
