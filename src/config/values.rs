//! Words, numbers and times as they are written in the configuration, read into domain types.
//!
//! **Invariant:** what a function here returns needs no further check; what it refuses, it refuses
//! with a sentence that says what to write.

use crate::pure::domain::identity::EmailAddress;
use crate::pure::domain::lexicon::{self, Sign};
use crate::pure::domain::message::MatterRole;
use crate::pure::domain::notice::{self, NoticeKind, TextName, text_name};
use crate::pure::domain::phrases::GAP;
use crate::pure::domain::rule::Rule;
use crate::pure::domain::secret::Secret;
use crate::pure::wire::relays::Relay;
use crate::pure::wire::settings::unknown_word;
use crate::pure::wire::written::text;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// Longest name of a channel, mirror, tenant or matter: it is part of URLs, metrics and file names.
const NAME_CHARS_MAX: usize = 63;
/// Most memory one compiled pattern may take; a pattern of ordinary size takes a few KiB.
const PATTERN_BYTES_MAX: usize = 1024 * 1024;

/// A whole number within bounds, both included.
pub(super) fn within<'de, D, T, const MIN: u64, const MAX: u64>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let number = i64::deserialize(deserializer)?;
    let fits = u64::try_from(number).ok().filter(|n| (MIN..=MAX).contains(n)).and_then(|n| T::try_from(n).ok());
    fits.ok_or_else(|| D::Error::custom(format!("{number} is out of range: {MIN} to {MAX}")))
}

/// A length of time within bounds, in seconds, both included.
pub(super) fn duration<'de, D: Deserializer<'de>, const MIN_S: u64, const MAX_S: u64>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    text(deserializer, "a length of time like \"45m\"", |text| bounded(text, MIN_S, MAX_S))
}

/// Like [`duration`], for a key that may be left out.
pub(super) fn duration_opt<'de, D: Deserializer<'de>, const MIN_S: u64, const MAX_S: u64>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    duration::<D, MIN_S, MAX_S>(deserializer).map(Some)
}

/// How long something is kept: a length of time, or `forever`.
pub(super) fn kept<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    unending(deserializer, "a length of time like \"90d\", or \"forever\"", "forever")
}

/// How long something may take before it is said aloud: a length of time, or `never`.
pub(super) fn said_after<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    unending(deserializer, "a length of time like \"7d\", or \"never\"", "never")
}

/// After how long something is dust: a length of time, or `none`.
pub(super) fn none_or_after<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    unending(deserializer, "a length of time like \"8h\", or \"none\"", "none")
}

fn unending<'de, D: Deserializer<'de>>(
    deserializer: D,
    wanted: &'static str,
    word: &'static str,
) -> Result<Option<Duration>, D::Error> {
    text(deserializer, wanted, |text| match bounded(text, 60, 100 * YEAR_S) {
        _ if text == word => Ok(None),
        Ok(duration) => Ok(Some(duration)),
        Err(message) => Err(format!("{message}, or \"{word}\"")),
    })
}

/// A year as retention counts it.
const YEAR_S: u64 = 365 * 86_400;

fn bounded(text: &str, min_s: u64, max_s: u64) -> Result<Duration, String> {
    let duration = parse_duration(text)?;
    let range = Duration::from_secs(min_s)..=Duration::from_secs(max_s);
    // A minimum of zero seconds still means more than nothing: a poll every 0 ms would spin.
    if !range.contains(&duration) || duration.is_zero() {
        return Err(format!("\"{text}\" is out of range: {} to {}", spelled(min_s), spelled(max_s)));
    }
    Ok(duration)
}

/// Reads `45m`, `14d`, `1h30m`, `250ms`. The error is a sentence that says what to write.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let refuse = || {
        format!(
            "\"{text}\" is not a length of time: write numbers with units, \"250ms\", \"30s\", \"45m\", \"12h\", \"14d\", \"3y\""
        )
    };
    let mut rest = text;
    let mut total_ms: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(refuse)?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let unit_ms = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 7 * 86_400_000,
            "y" => YEAR_S * 1000,
            _ => return Err(refuse()),
        };
        let part = number.parse::<u64>().ok().and_then(|n| n.checked_mul(unit_ms)).ok_or_else(refuse)?;
        total_ms = total_ms.checked_add(part).ok_or_else(refuse)?;
        rest = tail;
    }
    if text.is_empty() { Err(refuse()) } else { Ok(Duration::from_millis(total_ms)) }
}

fn spelled(seconds: u64) -> String {
    let units = [(YEAR_S, "y"), (86_400, "d"), (3_600, "h"), (60, "m")];
    let whole = units.into_iter().find(|(size, _)| seconds >= *size && seconds.is_multiple_of(*size));
    whole.map_or_else(|| format!("{}s", seconds.max(1)), |(size, unit)| format!("{}{unit}", seconds / size))
}

/// A language's code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Language(pub String);

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "a language code like \"fi\"", |text| match text.len() {
            2 | 3 if text.bytes().all(|b| b.is_ascii_lowercase()) => Ok(Self(text.to_owned())),
            _ => Err(format!(
                "\"{text}\" is not a language code: two or three small letters like \"fi\", \"sv\", \"en\""
            )),
        })
    }
}

/// Longest phrase. Characters: it is a few words and their forms, not a sentence.
const PHRASE_CHARS_MAX: usize = 200;

/// Words to listen for.
#[derive(Debug, Clone)]
pub struct Phrase(pub String);

impl<'de> Deserialize<'de> for Phrase {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "words like \"new matter\"", |text| {
            let mut words = text.split_whitespace().filter(|word| *word != GAP);
            let mut forms = words.clone().flat_map(|word| word.split('|'));
            let is_gap = |word: Option<&str>| word == Some(GAP);
            match text {
                _ if !words.any(|word| word.contains(char::is_alphanumeric)) => {
                    Err(format!("\"{text}\" holds no word to listen for"))
                }
                _ if forms.any(|form| form.strip_suffix('*').unwrap_or(form).contains('*')) => {
                    Err(format!("\"{text}\": a * may stand at the end of a word only, which it leaves open"))
                }
                _ if is_gap(text.split_whitespace().next()) || is_gap(text.split_whitespace().next_back()) => {
                    Err(format!("\"{text}\": .. stands for words between others: write one on either side"))
                }
                _ if text.chars().count() > PHRASE_CHARS_MAX => {
                    Err(format!("\"{text}\" is too long for a phrase: at most {PHRASE_CHARS_MAX} characters"))
                }
                _ => Ok(Self(text.to_owned())),
            }
        })
    }
}

/// What the words of a list are a sign of: the sign's name, with `_weak` behind it where one phrase alone is too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignKey {
    /// The sign.
    pub sign: Sign,
    /// What a phrase weighs.
    pub weight: u8,
}

impl<'de> Deserialize<'de> for SignKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "the name of a sign", |text| {
            let (name, weight) = text.strip_suffix("_weak").map_or((text, 2), |name| (name, 1));
            let names: Vec<&str> = Sign::ALL.iter().map(|sign| sign.as_str()).collect();
            Sign::parse(name).map(|sign| Self { sign, weight }).ok_or_else(|| unknown_word(name, &names))
        })
    }
}

/// Phrases of one sign, written as one text with commas between.
#[derive(Debug, Clone, Default)]
pub struct SignWords(pub Vec<String>);

impl<'de> Deserialize<'de> for SignWords {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "phrases with commas between", |text| {
            let trimmed = text.split(',').map(|phrase| phrase.split_whitespace().collect::<Vec<_>>().join(" "));
            let phrases: Vec<String> = trimmed.filter(|phrase| !phrase.is_empty()).collect();
            if phrases.len() > lexicon::PHRASES_MAX {
                return Err(format!("{} phrases, and {} are the most", phrases.len(), lexicon::PHRASES_MAX));
            }
            for phrase in &phrases {
                lexicon::check(phrase).map_err(|why| format!("\"{phrase}\" {why}"))?;
            }
            Ok(Self(phrases))
        })
    }
}

/// A domain, in lower case and ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain(pub String);

impl Domain {
    fn parse(text: &str) -> Result<Self, String> {
        let refuse = || format!("\"{text}\" is not a domain: write it like \"example.fi\", without @ and without *");
        let plain = !text.contains(['@', '*', '/']) && text.contains('.');
        let address = plain.then(|| EmailAddress::parse(&format!("x@{text}")).ok()).flatten().ok_or_else(refuse)?;
        Ok(Self(address.domain().to_owned()))
    }
}

impl<'de> Deserialize<'de> for Domain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "a domain like \"example.fi\"", Self::parse)
    }
}

/// An entry of `identity.public_domains`.
#[derive(Debug, Clone)]
pub struct PublicDomain {
    /// The domain.
    pub domain: Domain,
    /// `false` when it is taken off the built-in list (`!example.fi`).
    pub public: bool,
}

impl<'de> Deserialize<'de> for PublicDomain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "a domain like \"example.fi\"", |text| match text.strip_prefix('!') {
            Some(domain) => Ok(Self { domain: Domain::parse(domain)?, public: false }),
            None => Ok(Self { domain: Domain::parse(text)?, public: true }),
        })
    }
}

/// An entry of `identity.without`.
#[derive(Debug, Clone, Copy)]
pub struct RuleName(pub Rule);

impl<'de> Deserialize<'de> for RuleName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "the name of a rule", |text| {
            let names: Vec<&str> = Rule::ALL.iter().map(|rule| rule.as_str()).collect();
            Rule::parse(text).map(Self).ok_or_else(|| unknown_word(text, &names))
        })
    }
}

/// An entry of `identity.agents`: an address, or `*@domain`.
#[derive(Debug, Clone)]
pub struct AgentPattern(pub String);

impl AgentPattern {
    /// The domain of a pattern that takes in a whole one.
    pub fn whole_domain(&self) -> Option<&str> {
        self.0.strip_prefix("*@")
    }
}

impl<'de> Deserialize<'de> for AgentPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "an address like \"*@example.fi\"", |text| {
            let refuse = |_| {
                format!(
                    "\"{text}\" is not an agent's address: write \"anna@example.fi\", or \"*@example.fi\" for all of a domain"
                )
            };
            match text.strip_prefix("*@") {
                Some(domain) => Domain::parse(domain).map(|domain| Self(format!("*@{}", domain.0))).map_err(refuse),
                None if text.contains('*') => Err(refuse(String::new())),
                None => {
                    EmailAddress::parse(text).map(|a| Self(a.as_str().to_owned())).map_err(|e| refuse(e.to_string()))
                }
            }
        })
    }
}

/// An entry of `mail_auth.resolvers`.
#[derive(Debug, Clone, Copy)]
pub struct NameServer(pub SocketAddr);

impl<'de> Deserialize<'de> for NameServer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "an address like \"127.0.0.1\"", |text| {
            let port = |address: std::net::IpAddr| SocketAddr::new(address, 53);
            let found = text.parse().or_else(|_| text.parse().map(port));
            let found = found.ok().filter(|server: &SocketAddr| server.port() != 0 && !server.ip().is_unspecified());
            found.map(Self).ok_or_else(|| {
                format!(
                    "\"{text}\" is not a name server's address: write \"127.0.0.1\", \"9.9.9.9:53\" or \"[::1]:53\""
                )
            })
        })
    }
}

/// An entry of `mail_auth.trusted_relays`.
#[derive(Debug, Clone)]
pub struct TrustedRelay(pub Relay);

impl<'de> Deserialize<'de> for TrustedRelay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "a server of yours like \"mx.example.fi\"", |text| {
            Relay::parse(text).map(Self).ok_or_else(|| {
                format!("\"{text}\" is neither a server's name nor an address: write \"mx.example.fi\", \"192.0.2.7\" or \"192.0.2.0/24\"")
            })
        })
    }
}

/// A pattern under `[matters]`, written alone or with its role.
#[derive(Debug, Clone)]
pub struct MatterPattern {
    /// What finds the numbers.
    pub pattern: regex::Regex,
    /// What such a number proves.
    pub role: MatterRole,
}

impl<'de> Deserialize<'de> for MatterPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            #[serde(deserialize_with = "pattern")]
            pattern: regex::Regex,
            #[serde(default = "secret_role")]
            role: MatterRole,
        }

        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = MatterPattern;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a pattern, or { pattern = '…', role = \"…\" },")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<MatterPattern, E> {
                Ok(MatterPattern { pattern: parse_pattern(text).map_err(E::custom)?, role: secret_role() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<MatterPattern, A::Error> {
                let Written { pattern, role } = Written::deserialize(MapAccessDeserializer::new(map))?;
                Ok(MatterPattern { pattern, role })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A number whose role is not given is known to the parties only, as order numbers are.
fn secret_role() -> MatterRole {
    MatterRole::Secret
}

fn pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<regex::Regex, D::Error> {
    text(deserializer, "a pattern in single quotes", parse_pattern)
}

fn parse_pattern(text: &str) -> Result<regex::Regex, String> {
    let regex = regex::RegexBuilder::new(text).size_limit(PATTERN_BYTES_MAX).build().map_err(|error| {
        if matches!(error, regex::Error::CompiledTooBig(_)) {
            return "the pattern is too large: repeat less, with smaller numbers in { }".to_owned();
        }
        let whole = error.to_string();
        let last = whole.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        format!("not a pattern: {last}")
    })?;
    if regex.is_match("") {
        return Err("the pattern matches where there is nothing: every message would name this number".to_owned());
    }
    Ok(regex)
}

/// The name of a notice's text: `acknowledged`, `solved_chat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoticeTextName(pub TextName);

impl<'de> Deserialize<'de> for NoticeTextName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "the name of a text like acknowledged_chat", |name| {
            let kinds = NoticeKind::ALL.map(NoticeKind::as_str).join(", ");
            let why = || format!("\"{name}\" is no text's name: one of {kinds}, alone or with _chat, _mail or _call");
            text_name(name).map(Self).ok_or_else(why)
        })
    }
}

/// The text of a notice.
#[derive(Debug, Clone)]
pub struct NoticeText(pub notice::Text);

/// Longest text, characters: it goes into a chat.
const NOTICE_CHARS_MAX: usize = 4_000;

impl<'de> Deserialize<'de> for NoticeText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "a text", |source| match source.chars().count() {
            0..=NOTICE_CHARS_MAX => notice::Text::parse(source).map(Self),
            long => Err(format!("{long} characters, and {NOTICE_CHARS_MAX} are the most")),
        })
    }
}

/// Addresses by how they begin or end.
#[derive(Debug, Clone)]
pub struct AddressPattern(pub String);

impl<'de> Deserialize<'de> for AddressPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "an address like \"*@alerts.example\"", |pattern| {
            let stars = pattern.matches('*').count();
            let is_at_an_end = stars == 0 || (stars == 1 && (pattern.starts_with('*') || pattern.ends_with('*')));
            match is_at_an_end && pattern.trim_matches('*').len() > 1 && !pattern.contains(char::is_whitespace) {
                true => Ok(Self(pattern.to_owned())),
                false => Err(format!("\"{pattern}\" is no address, nor \"*@alerts.example\" or \"robot@*\"")),
            }
        })
    }
}

/// Where Postgres is: a secret, or plain text without a password.
pub(super) fn database_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    struct UrlOrSecret;
    impl<'de> Visitor<'de> for UrlOrSecret {
        type Value = Secret;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("{ env = \"DATABASE_URL\" }, { file = \"PATH\" } or a postgres:// URL without password")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Secret, E> {
            let url = postgres_url(text).map_err(E::custom)?;
            let has_password = url.password().is_some() || url.query_pairs().any(|(key, _)| key == "password");
            match has_password {
                true => Err(E::custom(
                    "a password is never written into the file: use { env = \"DATABASE_URL\" } or { file = \"PATH\" }",
                )),
                false => Ok(Secret::new(text)),
            }
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Secret, A::Error> {
            let secret = Secret::deserialize(MapAccessDeserializer::new(map))?;
            postgres_url(secret.expose()).map_err(A::Error::custom)?;
            Ok(secret)
        }
    }
    deserializer.deserialize_any(UrlOrSecret).map(Some)
}

/// Never repeats the text: it may hold a password.
fn postgres_url(text: &str) -> Result<url::Url, &'static str> {
    let refused = "it is not a URL of Postgres: postgres://user:password@host:5432/database";
    let url = url::Url::parse(text).map_err(|_| refused)?;
    if matches!(url.scheme(), "postgres" | "postgresql") { Ok(url) } else { Err(refused) }
}

/// The address of the daemon as vendors and customers reach it.
pub(super) fn public_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<url::Url>, D::Error> {
    text(deserializer, "a URL like \"https://support.example.fi\"", |text| {
        // The text is not repeated: it may hold a password.
        let refuse =
            || "not a public URL: write it like \"https://support.example.fi\", without user and query".to_owned();
        let url = url::Url::parse(text).map_err(|_| refuse())?;
        let plain =
            url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
        if matches!(url.scheme(), "https" | "http") && url.has_host() && plain { Ok(Some(url)) } else { Err(refuse()) }
    })
}

/// An address and port to listen on.
pub(super) fn listen<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    text(deserializer, "an address and port like \"127.0.0.1:8470\"", |text| {
        text.parse().map_err(|_| {
            format!(
                "\"{text}\" is not an address and port: write \"127.0.0.1:8470\", \"[::1]:8470\" or \"0.0.0.0:8470\""
            )
        })
    })
}

/// Which log lines are written: a level, or levels by module.
pub(super) fn log_level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];
    text(deserializer, "a level like \"info\"", |text| {
        for directive in text.split(',') {
            let (target, level) = directive.split_once('=').map_or((None, directive), |(t, l)| (Some(t), l));
            if !LEVELS.contains(&level) {
                return Err(unknown_word(level, LEVELS));
            }
            let module =
                |t: &str| !t.is_empty() && t.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
            if !target.is_none_or(module) {
                return Err(format!(
                    "\"{directive}\" is not a level of a module: write \"info\" or \"info,lanka::shell=debug\""
                ));
            }
        }
        Ok(text.to_owned())
    })
}

/// A tenant's name.
pub(super) fn tenant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    text(deserializer, "a name", |text| check_name(text).map(|()| text.to_owned()))
}

/// Whether something can name a channel, a mirror or a tenant. Lower case only: variables of the
/// environment know no case, and would otherwise make a second channel beside the one meant.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let letters = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if name.is_empty() || name.len() > NAME_CHARS_MAX || !letters || name.starts_with('-') || name.ends_with('-') {
        let lowered: String =
            name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let near = lowered.trim_matches('-').chars().take(NAME_CHARS_MAX).collect::<String>();
        let hint = if near.is_empty() { String::new() } else { format!(", like \"{near}\"") };
        return Err(format!(
            "\"{name}\" is not a name: small letters, digits and inner dashes, at most {NAME_CHARS_MAX}{hint}"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        let table: [(&str, Option<u64>); 14] = [
            ("250ms", Some(250)),
            ("30s", Some(30_000)),
            ("45m", Some(2_700_000)),
            ("1h30m", Some(5_400_000)),
            ("14d", Some(1_209_600_000)),
            ("2w", Some(1_209_600_000)),
            ("3y", Some(94_608_000_000)),
            ("", None),
            ("45", None),
            ("m", None),
            ("45 m", None),
            ("1.5h", None),
            ("-3s", None),
            ("99999999999999999999y", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse_duration(text).ok(), expected.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn names() {
        for (name, good) in [
            ("support-mail", true),
            ("a", true),
            ("", false),
            ("Support", false),
            ("a_b", false),
            ("-a", false),
            ("a.b", false),
        ] {
            assert_eq!(check_name(name).is_ok(), good, "{name}");
        }
        assert!(check_name("Support Mail").unwrap_err().ends_with("like \"support-mail\""));
        assert!(check_name(&"a".repeat(64)).is_err());
    }
}
