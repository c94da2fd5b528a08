//! Looking for what was said, for tickets and for people, by words and addresses.
//!
//! A word is found by how it begins, in any language: "tilau" finds "tilaus" and "tilauksen". No stemmer is asked, for
//! nobody knows beforehand in which language a message is, and a wrong one finds less than none. Signs of Han and kana
//! are words by themselves, and a text of them is found as it stands.
//!
//! **Invariants:** there is no copy of any text: indexes are over the rows themselves, so that what is erased or removed
//! by age is found no more. Newest first by id, which begins with the time of arrival and never changes, so that a page
//! ends where the next begins, whatever comes meanwhile. Every statement is bound to a tenant and to [`ANSWER_MAX`].

use super::facts::time;
use super::listing::{ANSWER_MAX, ContactLine, TicketLine};
use super::{Store, StoreError};
use crate::pure::domain::Timestamp;
use crate::pure::domain::identity::{EmailAddress, PhoneNumber};
use serde::Serialize;
use sqlx::{PgConnection, Row};
use std::collections::{BTreeMap, HashMap};
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

/// Words that are searched for.
const WORDS_MAX: usize = 8;

/// Shorter words are found whole only: too much begins with one letter.
const BEGINNING_CHARS_MIN: usize = 2;

/// Shortest beginning of an address that is looked for.
const ADDRESS_CHARS_MIN: usize = 3;

/// Characters of an excerpt before what was found, and from there on.
const EXCERPT_BEFORE: usize = 60;
const EXCERPT_AFTER: usize = 140;

/// Characters of a message that are looked at for an excerpt: the words of more are not kept.
const SEARCHED_CHARS_MAX: i32 = 20_000;

/// What is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// As `to_tsquery` takes it.
    query: String,
    /// The words, in lower case, for excerpts.
    words: Vec<String>,
    /// How an address begins, if it may be one.
    address: Option<String>,
}

/// Among what is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Among {
    /// What was said.
    Messages,
    /// Titles.
    Tickets,
    /// Names and addresses.
    Contacts,
}

impl Among {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Messages, Self::Tickets, Self::Contacts];
}

/// Something that was found.
#[derive(Debug, Clone, Serialize)]
pub struct Found {
    /// `message`, `ticket` or `contact`.
    pub what: &'static str,
    /// Its id.
    pub id: Uuid,
    /// When it was said; of a ticket when the last thing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Where the words stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// The channel of a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The ticket, or that of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<TicketLine>,
    /// The contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactLine>,
}

impl Wanted {
    /// What a text asks for. `region` is where national numbers are of. `None`: there is no word in it.
    pub fn of(text: &str, region: &str) -> Option<Self> {
        let text: String = text.nfc().collect();
        let text = text.trim();
        let mut phrases = Vec::new();
        let mut words = Vec::new();
        for word in text.split_whitespace().take(WORDS_MAX) {
            let parts: Vec<String> = parts(word);
            if let Some(last) = parts.len().checked_sub(1) {
                let part = |(n, part): (usize, &String)| {
                    let is_beginning = n == last && !is_whole(part);
                    format!("'{part}'{}", if is_beginning { ":*" } else { "" })
                };
                phrases.push(format!("({})", parts.iter().enumerate().map(part).collect::<Vec<_>>().join(" <-> ")));
                words.extend(parts.first().map(|part| part.to_lowercase()));
            }
        }
        let address = address(text, region);
        (!phrases.is_empty()).then(|| Self { query: phrases.join(" & "), words, address })
    }
}

/// A word without punctuation, as `lanka_words` cuts it.
fn parts(word: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(word.len());
    for c in word.chars() {
        match c {
            c if c.is_ascii_punctuation() || c.is_control() => spaced.push(' '),
            c if is_sign(c) => spaced.extend([' ', c, ' ']),
            c => spaced.push(c),
        }
    }
    spaced.split_whitespace().map(str::to_owned).collect()
}

/// Whether a sign is a word by itself.
fn is_sign(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

fn is_whole(part: &str) -> bool {
    part.chars().count() < BEGINNING_CHARS_MIN || part.chars().all(is_sign)
}

/// How the address begins that a text may be: a number is read as it is dialled here.
fn address(text: &str, region: &str) -> Option<String> {
    let bare = text.split_once(':').map_or(text, |(_, value)| value);
    if let Ok(number) = PhoneNumber::parse_stated(bare, region) {
        return Some(number.as_str().to_owned());
    }
    let is_one = text.chars().count() >= ADDRESS_CHARS_MIN && !text.contains(char::is_whitespace);
    let parsed = EmailAddress::parse(bare).map(|address| address.as_str().to_owned());
    is_one.then(|| parsed.unwrap_or_else(|_| bare.to_lowercase()))
}

const MESSAGES: &str = "
    SELECT m.id FROM message m WHERE m.tenant = $1 AND lanka_words(coalesce(m.subject, '') || ' ' || coalesce(m.own_text, m.text)) @@ to_tsquery('simple', $2)
        AND ($3::uuid IS NULL OR m.id < $3) ORDER BY m.id DESC LIMIT $4";

const TICKETS: &str = "
    SELECT t.id FROM ticket t WHERE t.tenant = $1 AND t.merged_into IS NULL AND lanka_words(t.title) @@ to_tsquery('simple', $2)
        AND ($3::uuid IS NULL OR t.id < $3) ORDER BY t.id DESC LIMIT $4";

const CONTACTS: &str = "
    SELECT c.id FROM contact c WHERE c.tenant = $1 AND c.merged_into IS NULL AND c.erased_at IS NULL AND c.id IN (
        SELECT n.id FROM contact n WHERE lanka_words(n.name) @@ to_tsquery('simple', $2)
        UNION SELECT i.contact_id FROM identity i WHERE lanka_identity_words(i.value, i.names) @@ to_tsquery('simple', $2)
        UNION SELECT i.contact_id FROM identity i WHERE i.tenant = $1 AND i.value LIKE $5
    ) AND ($3::uuid IS NULL OR c.id < $3) ORDER BY c.id DESC LIMIT $4";

impl Store {
    /// What is found, the newest first: what is older than an id, at most `limit`.
    pub async fn search(
        &self,
        tenant: &str,
        wanted: &Wanted,
        among: &[Among],
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<Found>, StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(ANSWER_MAX).execute(&mut *tx).await?;
        let address = wanted.address.as_deref().map(beginning);
        let mut ids: BTreeMap<Uuid, Among> = BTreeMap::new();
        for &among in among {
            let sql = match among {
                Among::Messages => MESSAGES,
                Among::Tickets => TICKETS,
                Among::Contacts => CONTACTS,
            };
            let query = sqlx::query_scalar(sql).bind(tenant).bind(&wanted.query).bind(before).bind(limit);
            let query = if among == Among::Contacts { query.bind(&address) } else { query };
            let found: Vec<Uuid> = query.fetch_all(&mut *tx).await?;
            ids.extend(found.into_iter().map(|id| (id, among)));
        }
        let newest: Vec<(Uuid, Among)> = ids.into_iter().rev().take(usize::try_from(limit).unwrap_or(0)).collect();
        self.told(&mut tx, tenant, wanted, &newest).await
    }

    /// What was found, with what people want to see of it.
    async fn told(
        &self,
        connection: &mut PgConnection,
        tenant: &str,
        wanted: &Wanted,
        found: &[(Uuid, Among)],
    ) -> Result<Vec<Found>, StoreError> {
        let of = |kind: Among| found.iter().filter(move |(_, among)| *among == kind).map(|(id, _)| *id);
        let mut messages = messages(connection, tenant, &of(Among::Messages).collect::<Vec<_>>(), wanted).await?;
        let on = messages.values().filter_map(|(_, ticket)| *ticket);
        let tickets: Vec<Uuid> = of(Among::Tickets).chain(on).collect();
        let tickets = Self::ticket_lines(connection, tenant, &tickets, &self.reader).await?;
        let people = of(Among::Contacts).collect::<Vec<_>>();
        let mut contacts = Self::contact_lines(connection, tenant, &people).await?;
        let told = |&(id, among): &(Uuid, Among)| match among {
            Among::Messages => {
                let (found, on) = messages.remove(&id)?;
                Some(Found { ticket: on.and_then(|on| tickets.get(&on).cloned()), ..found })
            }
            Among::Tickets => {
                let line = tickets.get(&id)?.clone();
                Some(Found { at: Some(line.last_at), ticket: Some(line), ..bare("ticket", id) })
            }
            Among::Contacts => Some(Found { contact: Some(contacts.remove(&id)?), ..bare("contact", id) }),
        };
        Ok(found.iter().filter_map(told).collect())
    }
}

fn bare(what: &'static str, id: Uuid) -> Found {
    Found { what, id, at: None, excerpt: None, channel: None, ticket: None, contact: None }
}

/// The pattern of all that begins with a text.
fn beginning(text: &str) -> String {
    format!("{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}

/// Messages that were found, each with its ticket.
async fn messages(
    connection: &mut PgConnection,
    tenant: &str,
    ids: &[Uuid],
    wanted: &Wanted,
) -> Result<HashMap<Uuid, (Found, Option<Uuid>)>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, channel, occurred_at, ticket_id, left(concat_ws(E'\\n', subject, coalesce(own_text, text)), $3) AS text
         FROM message WHERE tenant = $1 AND id = ANY($2)",
    )
    .bind(tenant)
    .bind(ids)
    .bind(SEARCHED_CHARS_MAX)
    .fetch_all(connection)
    .await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let id: Uuid = row.try_get("id")?;
        let told = Found {
            at: Some(time(&row, "occurred_at")?),
            excerpt: Some(excerpt(row.try_get("text")?, &wanted.words)),
            channel: row.try_get("channel")?,
            ..bare("message", id)
        };
        found.insert(id, (told, row.try_get("ticket_id")?));
    }
    Ok(found)
}

/// What stands around the first of the words, on one line.
fn excerpt(text: &str, words: &[String]) -> String {
    let lower: String = text.chars().map(|c| c.to_lowercase().next().unwrap_or(c)).collect();
    let at = words.iter().filter_map(|word| lower.find(word.as_str())).min();
    let at = at.map_or(0, |at| lower[..at].chars().count());
    let from = at.saturating_sub(EXCERPT_BEFORE);
    let cut: String = text.chars().skip(from).take(at - from + EXCERPT_AFTER).collect();
    let line = cut.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_more = text.chars().nth(at + EXCERPT_AFTER).is_some();
    format!("{}{line}{}", if from > 0 { "…" } else { "" }, if is_more { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_never_more_than_words() {
        let table: &[(&str, Option<(&str, Option<&str>)>)] = &[
            ("Tilaus", Some(("('Tilaus':*)", Some("tilaus")))),
            ("where is it", Some(("('where':*) & ('is':*) & ('it':*)", None))),
            ("minna@posti.example", Some(("('minna' <-> 'posti' <-> 'example':*)", Some("minna@posti.example")))),
            (
                "mailto:Minna@Posti.example",
                Some(("('mailto' <-> 'Minna' <-> 'Posti' <-> 'example':*)", Some("minna@posti.example"))),
            ),
            ("040 1234567", Some(("('040':*) & ('1234567':*)", Some("+358401234567")))),
            ("订单", Some(("('订' <-> '单')", None))),
            ("a' | 'b", Some(("('a') & ('b')", None))),
            ("x:*&!(", Some(("('x')", Some("*&!(")))),
            ("\\'); DROP", Some(("('DROP':*)", None))),
            ("%_%", None),
            ("  ", None),
        ];
        for (text, expected) in table {
            let found = Wanted::of(text, "FI");
            let found = found.as_ref().map(|wanted| (wanted.query.as_str(), wanted.address.as_deref()));
            assert_eq!(found, *expected, "{text}");
        }
        assert_eq!(Wanted::of(&"x y ".repeat(99), "FI").map(|wanted| wanted.words.len()), Some(WORDS_MAX));
    }

    #[test]
    fn an_excerpt_is_around_the_word() {
        let long = format!("{} tilaus {}", "a ".repeat(200), "b ".repeat(200));
        let cut = excerpt(&long, &["tilaus".to_owned()]);
        assert!(cut.starts_with('…') && cut.ends_with('…') && cut.contains("a tilaus b"), "{cut}");
        assert_eq!(excerpt("Hei,\nTILAUS puuttuu.", &["tilaus".to_owned()]), "Hei, TILAUS puuttuu.");
        assert_eq!(excerpt("İİİİ ẞẞ tilaus", &["tilaus".to_owned()]), "İİİİ ẞẞ tilaus");
        assert_eq!(excerpt("", &["x".to_owned()]), "");
    }
}
