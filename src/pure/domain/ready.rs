//! Ready answers: short texts that agents answer with.

use super::service::Like;
use super::ticket::MatterKind;
use serde::Serialize;
use std::sync::LazyLock;

/// A ready answer, as its file says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReadyAnswer {
    /// Its path below the directory, without the ending.
    pub id: String,
    /// What agents know it by.
    pub title: String,
    /// The language it is in (ISO 639-1).
    pub language: String,
    /// What it answers; empty when any kind of matter.
    pub kinds: Vec<MatterKind>,
    /// What kind of channel its tone fits; empty when any.
    pub like: Vec<Like>,
    /// Words that customers ask by, which stand in neither title nor text.
    pub words: Vec<String>,
    /// Domains of the customers it is for; empty when all.
    pub organisations: Vec<String>,
    /// The firm it is for; `None` when every firm.
    pub tenant: Option<String>,
    /// What is said.
    pub text: String,
}

/// A ready answer that is offered on a ticket.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Offered {
    /// Which.
    pub id: String,
    /// What agents know it by.
    pub title: String,
    /// Its language.
    pub language: String,
    /// How well it fits, from 0 to 1.
    pub score: f64,
    /// Words of the answer that the customer used, as they were compared: the stems.
    pub words: Vec<String>,
    /// What is said, with the places filled that can be.
    pub text: String,
}

/// Places in a text that are filled when it is offered.
pub const PLACES: [&str; 2] = ["name", "ticket"];

/// `{word}`: what looks like a place to fill.
static PLACE: LazyLock<Option<regex::Regex>> =
    LazyLock::new(|| regex::Regex::new(r"\{([A-Za-z_][A-Za-z0-9_ ]*)\}").ok());

/// What looks like a place to fill: where it begins, and its word.
pub fn places(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let found = PLACE.as_ref().map(|place| place.captures_iter(text));
    found.into_iter().flatten().filter_map(|found| {
        let whole = found.get(0)?;
        Some((whole.start(), found.get(1)?.as_str()))
    })
}

/// A text with its places filled: the ticket's number, and the customer's name if it is known; else its place stays, to
/// be seen.
pub fn filled(text: &str, number: i64, name: Option<&str>) -> String {
    let text = text.replace("{ticket}", &number.to_string());
    match name.map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => text.replace("{name}", name),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_with_what_is_known() {
        let table = [
            ("Hei {name}, tiketti {ticket}.", Some("Minna"), "Hei Minna, tiketti 7."),
            ("Hei {name}!", None, "Hei {name}!"),
            ("Hei {name}!", Some(" "), "Hei {name}!"),
            ("{a: 1} { name } {}", Some("Minna"), "{a: 1} { name } {}"),
        ];
        for (text, name, expected) in table {
            assert_eq!(filled(text, 7, name), expected, "{text}");
        }
        let found: Vec<_> = places("Hei {name}, {order number} {1} {} {ticket}").map(|(_, word)| word).collect();
        assert_eq!(found, ["name", "order number", "ticket"]);
    }
}
