//! Contacts: whom a message is from.

use super::Timestamp;
use super::id::{ContactId, IdentityId, MessageId, TicketId};
use super::identity::{Assurance, Identity, MAILTO};
use super::name::given::is_given;
use super::name::{PersonName, fold};

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

/// Adds names that came with an identity to those its owner goes by. With a later owner, a profile's name that is like
/// none of his own is still the former one's.
pub fn take_names(known: &mut Vec<PersonName>, is_first_owner: bool, names: &[PersonName], stated: &[PersonName]) {
    let his: Vec<PersonName> = known.iter().chain(stated).cloned().collect();
    let is_left_over = |name: &PersonName| {
        !is_first_owner
            && !stated.contains(name)
            && !his.is_empty()
            && !his.iter().any(|own| own.compare(name).agrees())
    };
    for name in names.iter().filter(|name| !is_left_over(name)) {
        if known.len() < IDENTITY_NAMES_MAX && !known.contains(name) {
            known.push(name.clone());
        }
    }
}

/// Local parts behind which a desk sits, not a person, compared in lower case
/// (IDENTITY.md 4.3, 1).
const ROLE_LOCAL_PARTS: &[&str] = &[
    "abuse",
    "accounting",
    "accounts",
    "accountspayable",
    "adm",
    "admin",
    "administration",
    "administrator",
    "ajanvaraus",
    "apteekki",
    "arveldus",
    "arvet",
    "asiakaspalvelu",
    "asoy",
    "asukaspalvelu",
    "aula",
    "bestellung",
    "bestellungen",
    "billing",
    "board",
    "bokforing",
    "bokning",
    "booking",
    "bookings",
    "buchhaltung",
    "buero",
    "buro",
    "campus",
    "choir",
    "clinic",
    "club",
    "complaints",
    "contact",
    "customerservice",
    "delivery",
    "dispatch",
    "dispecer",
    "dispetser",
    "duty",
    "einkauf",
    "ekonomi",
    "ekonomiavdelning",
    "empfang",
    "enquiries",
    "faktura",
    "fakturering",
    "fakturor",
    "feedback",
    "finance",
    "forening",
    "foreningen",
    "forsaljning",
    "gdpr",
    "haldur",
    "haldus",
    "hallinto",
    "hallitus",
    "hammaslaakari",
    "hausverwaltung",
    "hello",
    "helpdesk",
    "helpline",
    "hostel",
    "hostmaster",
    "hotel",
    "hotelli",
    "hotline",
    "hr",
    "huolto",
    "huoltopaivystys",
    "huoltopalvelu",
    "huoltoyhtio",
    "info",
    "inkop",
    "inquiries",
    "invoice",
    "isannointi",
    "isannointitoimisto",
    "isannoitsija",
    "it",
    "jasenpalvelu",
    "jasenrekisteri",
    "jobs",
    "johto",
    "jour",
    "journummer",
    "juhatus",
    "kansli",
    "kanslia",
    "kassa",
    "kauppa",
    "keittio",
    "kerho",
    "keskus",
    "kiinteisto",
    "kiinteistohuolto",
    "kirjaamo",
    "kirjanpito",
    "klienditugi",
    "klinik",
    "klinikka",
    "klubb",
    "klubben",
    "klubi",
    "kontakt",
    "kontor",
    "koulu",
    "kundendienst",
    "kundenservice",
    "kundservice",
    "kundtjanst",
    "kunnossapito",
    "kuoro",
    "lager",
    "lahettamo",
    "lasku",
    "laskut",
    "laskutus",
    "legal",
    "logistics",
    "logistiikka",
    "logistik",
    "loneavdelning",
    "loner",
    "mail",
    "mailer-daemon",
    "maintenance",
    "marketing",
    "marknad",
    "medlem",
    "medlemsservice",
    "muuk",
    "myyjat",
    "myynti",
    "myyntireskontra",
    "neuvonta",
    "no-reply",
    "noreply",
    "notdienst",
    "office",
    "order",
    "orders",
    "osakunta",
    "ostolaskut",
    "ostoreskontra",
    "ostot",
    "paivakoti",
    "paivystaja",
    "paivystys",
    "palaute",
    "palautukset",
    "palkanlaskenta",
    "palkat",
    "palvelu",
    "payments",
    "payroll",
    "post",
    "posti",
    "postmaster",
    "potilastoimisto",
    "praxis",
    "privacy",
    "project",
    "projekt",
    "projekti",
    "projektit",
    "purchasing",
    "raamatupidaja",
    "raamatupidamine",
    "rahasto",
    "ravintola",
    "reception",
    "receptionen",
    "rechnung",
    "rehtori",
    "reklamaatio",
    "reklamation",
    "rekry",
    "rental",
    "rentals",
    "reskontra",
    "respa",
    "restaurant",
    "returns",
    "rezeption",
    "sales",
    "secretary",
    "sekretariaat",
    "sekretariat",
    "service",
    "seura",
    "shop",
    "sihteeri",
    "sihteeristo",
    "skola",
    "skolan",
    "styrelse",
    "styrelsen",
    "support",
    "talonmies",
    "talous",
    "taloushallinto",
    "taloyhtio",
    "team",
    "tellimus",
    "tellimused",
    "tietohallinto",
    "tietosuoja",
    "tiimi",
    "tilaukset",
    "tilaus",
    "tilitoimisto",
    "toimisto",
    "toimitukset",
    "toimitus",
    "tootmine",
    "tuki",
    "tyomaa",
    "tyonjohto",
    "underhall",
    "uthyrning",
    "vaihde",
    "vaktmastare",
    "valitsus",
    "valve",
    "varasto",
    "varaukset",
    "varaus",
    "vastaanotto",
    "vastaavahoitaja",
    "vaxel",
    "vertrieb",
    "verwaltung",
    "vorstand",
    "vuokraus",
    "warehouse",
    "webmaster",
    "yhdistys",
    "yhteydenotto",
    "yhteys",
    "yritys",
];

/// Whether an e-mail address is a role's, so that no person is behind it alone: `toimisto@`, also `toimisto.pori@`
/// and `myynti2@`, but not `matti.posti@`.
pub fn is_role_address(identity: &Identity) -> bool {
    let Some((local, _)) = identity.value.split_once('@').filter(|_| identity.scheme == MAILTO) else { return false };
    let is_role = |word: &str| ROLE_LOCAL_PARTS.binary_search(&word).is_ok();
    let mut words = local.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    is_role(local) || (words.clone().any(is_role) && !words.any(|word| is_given(&fold(word)) || word.len() == 1))
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
        assert!(role("toimisto.pori@example.fi") && role("myynti2@example.fi") && role("hallitus@example.fi"));
        assert!(!role("matti.posti@example.fi") && !role("m.koulu@example.fi"));
        assert!(!role("minna.virtanen@example.fi") && !role("information@example.fi"));
    }
}
