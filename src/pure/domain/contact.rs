//! Contacts: whom a message is from.

use super::Timestamp;
use super::id::{ContactId, IdentityId, MessageId, TicketId};
use super::identity::{Assurance, Identity};
use super::name::PersonName;

/// Identities one contact may have in all (IDENTITY.md 4.3, 5). A join beyond is suggested.
pub const CONTACT_IDENTITIES_MAX: usize = 12;

/// Names remembered for one identity; the first ones stand.
pub const IDENTITY_NAMES_MAX: usize = 4;

/// What a contact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContactKind {
    /// One human being.
    Person,
    /// A firm.
    Organisation,
    /// An identifier that several people use: info@, a switchboard, a family's telephone.
    Shared,
}

impl ContactKind {
    /// The stable word, as in SQL and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Organisation => "organisation",
            Self::Shared => "shared",
        }
    }

    /// The kind of a stable word; an unknown one is a person.
    pub fn parse(word: &str) -> Self {
        match word {
            "organisation" => Self::Organisation,
            "shared" => Self::Shared,
            _ => Self::Person,
        }
    }
}

/// A contact as deciding sees it.
#[derive(Debug, Clone)]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// Person, organisation or shared.
    pub kind: ContactKind,
    /// The best name known, for people to read.
    pub name: Option<String>,
    /// Trusted time of its first message: the older contact keeps its id when two are joined.
    pub first_at: Timestamp,
}

/// An identity that has been seen, with what is known of it.
#[derive(Debug, Clone)]
pub struct KnownIdentity {
    /// Its id.
    pub id: IdentityId,
    /// The address.
    pub identity: Identity,
    /// Counts the owners of a number that changed hands, from 1.
    pub epoch: i32,
    /// When the platform said that the person left it: what is later is somebody else's, of the next
    /// epoch. `None` while it is his.
    pub closed_at: Option<Timestamp>,
    /// Whose it is.
    pub contact: ContactId,
    /// The best assurance any delivery gave it.
    pub assurance: Assurance,
    /// Names that came with it, at most [`IDENTITY_NAMES_MAX`].
    pub names: Vec<PersonName>,
    /// Trusted time of its first message.
    pub first_at: Timestamp,
    /// Event time of its last message.
    pub last_at: Timestamp,
    /// The ticket of its last message.
    pub last_ticket: Option<TicketId>,
    /// Its last message, to look at.
    pub last_message: Option<MessageId>,
}

impl KnownIdentity {
    /// Whether it was still this person's at an instant.
    pub fn holds_at(&self, at: Timestamp) -> bool {
        self.closed_at.is_none_or(|closed| at < closed)
    }
}

/// Local parts behind which a desk sits, not a person, compared in lower case
/// (IDENTITY.md 4.3, 1).
const ROLE_LOCAL_PARTS: &[&str] = &[
    "abuse",
    "accounting",
    "accounts",
    "admin",
    "arvet",
    "asiakaspalvelu",
    "billing",
    "bokning",
    "booking",
    "bookings",
    "buchhaltung",
    "contact",
    "customerservice",
    "einkauf",
    "ekonomi",
    "enquiries",
    "faktura",
    "finance",
    "hallinto",
    "hello",
    "helpdesk",
    "helpline",
    "hostmaster",
    "hr",
    "huolto",
    "huoltopalvelu",
    "info",
    "inquiries",
    "invoice",
    "isannointi",
    "isannoitsija",
    "it",
    "kassa",
    "kauppa",
    "keskus",
    "kiinteisto",
    "kiinteistohuolto",
    "kirjaamo",
    "klienditugi",
    "kontakt",
    "kontor",
    "kundendienst",
    "kundenservice",
    "kundservice",
    "kundtjanst",
    "lasku",
    "laskut",
    "laskutus",
    "mail",
    "mailer-daemon",
    "marketing",
    "muuk",
    "myynti",
    "myyntireskontra",
    "neuvonta",
    "no-reply",
    "noreply",
    "office",
    "order",
    "orders",
    "ostolaskut",
    "ostoreskontra",
    "ostot",
    "palvelu",
    "payments",
    "post",
    "posti",
    "postmaster",
    "purchasing",
    "raamatupidamine",
    "reception",
    "rechnung",
    "reklamaatio",
    "rekry",
    "reskontra",
    "sales",
    "service",
    "shop",
    "support",
    "talonmies",
    "taloushallinto",
    "team",
    "tilaukset",
    "tilaus",
    "toimisto",
    "tuki",
    "vaihde",
    "varaukset",
    "varaus",
    "vastaanotto",
    "vertrieb",
    "webmaster",
    "yhteydenotto",
    "yhteys",
];

/// Whether an e-mail address is a role's, so that no person is behind it alone.
pub fn is_role_address(identity: &Identity) -> bool {
    identity.scheme == super::identity::MAILTO
        && identity.value.split_once('@').is_some_and(|(local, _)| ROLE_LOCAL_PARTS.binary_search(&local).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::identity::EmailAddress;

    #[test]
    fn role_addresses_are_found_by_binary_search() {
        let mut sorted = ROLE_LOCAL_PARTS.to_vec();
        sorted.sort();
        assert_eq!(sorted, ROLE_LOCAL_PARTS, "the list must be sorted");
        let role = |text: &str| is_role_address(&Identity::email(&EmailAddress::parse(text).unwrap()));
        assert!(role("Info@example.fi") && role("toimisto@example.fi"));
        assert!(!role("minna.virtanen@example.fi") && !role("information@example.fi"));
    }
}
