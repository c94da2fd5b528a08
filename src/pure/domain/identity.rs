//! Identities: the addresses a person is reached at, and how well each is vouched for.
//!
//! **Invariant:** an [`EmailAddress`] or [`PhoneNumber`] exists only if `parse` accepted it, and an
//! [`Identity`] is compared whole. A value that does not parse stays text and matches nothing.

use rlibphonenumber::{NumberLengthType, PhoneNumberType};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How well the channel vouches that the sender controls the identity (IDENTITY.md 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assurance {
    /// The domain's own policy says this is not from it. Never joins the identity it names.
    Contradicted,
    /// Anybody could have typed it: an unsigned From, a web-chat field, a signature line.
    Asserted,
    /// Aligned SPF without DKIM, a caller id, a browser cookie.
    Plausible,
    /// Somebody answered what we sent to this identity.
    Proven,
    /// The platform, or aligned DMARC, vouches for it.
    Verified,
}

impl Assurance {
    /// The level as IDENTITY.md numbers it, -1 to 3; this is what SQL stores.
    pub fn level(self) -> i16 {
        self as i16 - 1
    }

    /// The assurance of a stored level; what is out of range counts as nothing (asserted).
    pub fn from_level(level: i16) -> Self {
        match level {
            i16::MIN..=-1 => Self::Contradicted,
            1 => Self::Plausible,
            2 => Self::Proven,
            3.. => Self::Verified,
            0 => Self::Asserted,
        }
    }
}

/// One address: scheme, the scope outside which it means nothing, and the normalised value.
///
/// Schemes are an open list, text in SQL. In use: `mailto` (scope empty), `tel` (scope empty),
/// `whatsapp` (business-scoped user id; scope: the business account), `messenger` (scope: the page), `webchat`
/// (visitor id; scope: the channel).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// What kind of address it is.
    pub scheme: String,
    /// The page, portfolio or channel the value is unique in; empty when it is unique in the world.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// The normalised value.
    pub value: String,
}

/// The scheme of e-mail addresses.
pub const MAILTO: &str = "mailto";
/// The scheme of telephone numbers in E.164.
pub const TEL: &str = "tel";
/// The scheme of somebody who gave no identity and was told of later: the id of what he said.
pub const TOLD: &str = "told";
/// The scope that keeps a sender whom his own domain contradicts away from the identity he names.
pub const CONTRADICTED_SCOPE: &str = "contradicted";

/// Longest value kept for an identity, in bytes; vendors' ids are far below (a BSUID has 133).
const VALUE_BYTES_MAX: usize = 512;

/// Why something is not an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// There was nothing, or only blanks.
    #[error("it is empty")]
    Empty,
    /// Longer than [`VALUE_BYTES_MAX`].
    #[error("it is longer than {VALUE_BYTES_MAX} bytes")]
    TooLong,
    /// Not `local@domain` with a domain that IDNA accepts.
    #[error("it is not an e-mail address")]
    NotAnAddress,
    /// Not a telephone number that can be dialled from abroad.
    #[error("it is not a telephone number with a country")]
    NotANumber,
    /// Holds control characters.
    #[error("it holds control characters")]
    Control,
}

impl Identity {
    /// The identity behind an e-mail address.
    pub fn email(address: &EmailAddress) -> Self {
        Self { scheme: MAILTO.to_owned(), scope: String::new(), value: address.as_str().to_owned() }
    }

    /// The identity behind a telephone number.
    pub fn phone(number: &PhoneNumber) -> Self {
        Self { scheme: TEL.to_owned(), scope: String::new(), value: number.as_str().to_owned() }
    }

    /// `scheme:value`, as people are shown it and pick it: without the scope.
    pub fn written(&self) -> String {
        format!("{}:{}", self.scheme, self.value)
    }

    /// A vendor's opaque id. `scope` is the page, business or channel that it is unique in.
    pub fn opaque(scheme: &str, scope: &str, value: &str) -> Result<Self, IdentityError> {
        let value = value.trim();
        match value {
            "" => Err(IdentityError::Empty),
            _ if value.len() > VALUE_BYTES_MAX || scope.len() > VALUE_BYTES_MAX => Err(IdentityError::TooLong),
            _ if value.chars().chain(scope.chars()).any(char::is_control) => Err(IdentityError::Control),
            _ => Ok(Self { scheme: scheme.to_owned(), scope: scope.to_owned(), value: value.to_owned() }),
        }
    }

    /// The domain of an e-mail address; `None` for everything else.
    pub fn mail_domain(&self) -> Option<&str> {
        self.value.rsplit_once('@').filter(|_| self.scheme == MAILTO).map(|(_, domain)| domain)
    }

    /// A form that tells two identities apart for a person without giving either away:
    /// `m…@example.fi`, `+3584…567`, `PSID…9988`.
    pub fn masked(&self) -> String {
        mask(&self.scheme, &self.value)
    }
}

/// Masks a value for logs of decisions and explanations.
pub fn mask(scheme: &str, value: &str) -> String {
    let head = |n: usize| value.chars().take(n).collect::<String>();
    let tail = |n: usize| {
        let count = value.chars().count();
        value.chars().skip(count.saturating_sub(n)).collect::<String>()
    };
    match (scheme, value.split_once('@')) {
        (MAILTO, Some((_, domain))) => format!("{}…@{domain}", head(1)),
        _ if value.chars().count() <= 4 => "…".to_owned(),
        (TEL, _) => format!("{}…{}", head(4), tail(2)),
        _ => format!("{}…{}", head(2), tail(2)),
    }
}

/// Shows the mask only: identities never reach a log whole.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.scheme, self.masked())
    }
}

/// An e-mail address, normalised: domain in lower case and ASCII (IDNA), local part as written but
/// in lower case, for no provider in use tells case apart (RFC 5321 2.4 allows it, nobody does).
/// Dots and plus parts stay: folding them joins strangers at providers that do not.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads one address without display name or angle brackets.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(IdentityError::Empty);
        }
        // RFC 5321 4.5.3.1: 64 octets before the @, 255 after.
        if text.len() > 320 {
            return Err(IdentityError::TooLong);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(IdentityError::NotAnAddress)?;
        let quoted = local.len() > 1 && local.starts_with('"') && local.ends_with('"');
        let plain = |c: char| !c.is_control() && !c.is_whitespace() && !"<>()[]\\,;:@\"".contains(c);
        if local.is_empty() || local.chars().any(char::is_control) || !(quoted || local.chars().all(plain)) {
            return Err(IdentityError::NotAnAddress);
        }
        let domain = idna::domain_to_ascii(domain.trim_end_matches('.')).map_err(|_| IdentityError::NotAnAddress)?;
        let label = |l: &str| {
            !l.is_empty() && l.len() <= 63 && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        if domain.is_empty() || !domain.split('.').all(label) {
            return Err(IdentityError::NotAnAddress);
        }
        Ok(Self(format!("{}@{domain}", local.to_lowercase())))
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the last `@`.
    pub fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// What stands after the last `@`, in ASCII.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask(MAILTO, &self.0))
    }
}

/// A telephone number in E.164 (`+358401234567`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads a number in a national or international spelling; `region` (ISO 3166, `FI`) is the
    /// country of national ones. Letters are refused: `040 l234567` is not a number, whatever a
    /// library makes of it. Emergency and short numbers have no country and are refused. It must be
    /// of a range that is in use, else any digits would be a number.
    pub fn parse(text: &str, region: &str) -> Result<Self, IdentityError> {
        Self::read(undressed(text)?, region, false)
    }

    /// Reads a number where something says that it is one (a label, a field for it, the exchange): its
    /// length will do, for ranges come into use, and some never do (`07700 900…` is kept for stories).
    pub fn parse_stated(text: &str, region: &str) -> Result<Self, IdentityError> {
        Self::read(undressed(text)?, region, true)
    }

    /// Reads a number of a range that is kept for films and handbooks.
    pub fn parse_kept(text: &str, region: &str) -> Result<Self, IdentityError> {
        let number = Self::read(undressed(text)?, region, true)?;
        is_kept_for_stories(&number.0).then_some(number).ok_or(IdentityError::NotANumber)
    }

    /// Reads a mobile number of the country as its own people write it.
    pub fn parse_mobile(text: &str, region: &str) -> Result<Self, IdentityError> {
        let number = Self::read(undressed(text)?, region, false)?;
        let read = rlibphonenumber::PhoneNumber::parse(&number.0, None).map_err(|_| IdentityError::NotANumber)?;
        let is_mobile = matches!(read.get_type(), PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile);
        is_mobile.then_some(number).ok_or(IdentityError::NotANumber)
    }

    fn read(text: &str, region: &str, by_length: bool) -> Result<Self, IdentityError> {
        let region = region.parse::<rlibphonenumber::Region>().ok();
        let number = rlibphonenumber::PhoneNumber::parse(text, region).map_err(|_| IdentityError::NotANumber)?;
        let has_length = || matches!(number.is_possible_with_reason(), Ok(NumberLengthType::IsPossible));
        let written = number.format_as(rlibphonenumber::PhoneNumberFormat::E164).into_owned();
        let is_accepted = number.is_valid() || (by_length && has_length());
        if !is_accepted {
            return Err(IdentityError::NotANumber);
        }
        Ok(Self(over_the_border(written)))
    }

    /// Reads digits that are international but carry no `+`, as WhatsApp and some exchanges write them.
    pub fn parse_international(digits: &str) -> Result<Self, IdentityError> {
        let digits = digits.trim().trim_start_matches('+');
        if digits.is_empty() {
            return Err(IdentityError::Empty);
        }
        Self::parse_stated(&format!("+{digits}"), "ZZ")
    }

    /// The number with its leading `+`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Ranges in which no number is ever given out, so that films, handbooks and trials may use them, each with how many
/// digits follow: Ofcom, "Telephone numbers for use in TV and radio drama programmes"; PTS, "Telefonnummer för
/// användning i böcker och filmer m.m.".
const KEPT_FOR_STORIES: &[(&str, usize)] = &[
    ("+441632960", 3),
    ("+447700900", 3),
    ("+442079460", 3),
    ("+441134960", 3),
    ("+441144960", 3),
    ("+441154960", 3),
    ("+441164960", 3),
    ("+441174960", 3),
    ("+441184960", 3),
    ("+441214960", 3),
    ("+441314960", 3),
    ("+441414960", 3),
    ("+441514960", 3),
    ("+441614960", 3),
    ("+441914980", 3),
    ("+442896496", 3),
    ("+442920180", 3),
    ("+463139006", 2),
    ("+464062804", 2),
    ("+468465004", 2),
    ("+469803192", 2),
    ("+467017406", 2),
];

fn is_kept_for_stories(number: &str) -> bool {
    let rest = |(range, digits): &(&str, usize)| number.strip_prefix(range).is_some_and(|rest| rest.len() == *digits);
    KEPT_FOR_STORIES.iter().any(rest)
}

/// Northern Ireland's 028 is dialled 048 in the Republic (ComReg, National Numbering Conventions), and shown so.
fn over_the_border(number: String) -> String {
    match number.strip_prefix("+35348") {
        Some(local) if local.len() == 8 => format!("+4428{local}"),
        _ => number,
    }
}

/// The digits as written, without a scheme; refused when it can be no number at all.
fn undressed(text: &str) -> Result<&str, IdentityError> {
    let text = text.trim();
    let text = text.strip_prefix("tel:").or_else(|| text.strip_prefix("whatsapp:")).unwrap_or(text);
    match text {
        "" => Err(IdentityError::Empty),
        _ if text.len() > 64 => Err(IdentityError::TooLong),
        _ if text.chars().any(char::is_alphabetic) => Err(IdentityError::NotANumber),
        _ => Ok(text),
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask(TEL, &self.0))
    }
}

/// The registrable domain of a host (`mail.example.co.uk` → `example.co.uk`), by the Public Suffix
/// List; `None` for a bare suffix.
pub fn registrable_domain(domain: &str) -> Option<&str> {
    psl::domain_str(domain)
}
