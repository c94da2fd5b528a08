//! Names of firms: told from persons' by their legal form.
//!
//! **Invariant:** a firm's name joins nobody: a firm has many people, and its name is on every lorry. With a
//! full name it is worth a suggestion (IDENTITY.md 4.2, `name_company`).

use super::name::fold;

/// Longest name of a firm, in characters; a longer line is a sentence.
const COMPANY_CHARS_MAX: usize = 60;
/// Most words of one, its legal form among them.
const COMPANY_WORDS_MAX: usize = 6;

/// Legal forms as they are written, dots aside. The case counts: "as" and "ag" are words, AS and AG are not.
const LEGAL_FORMS: &[&str] = &[
    "Oy", "OY", "oy", "Oyj", "OYJ", "oyj", "Ab", "AB", "Abp", "ABP", "Ky", "KY", "ky", "Tmi", "TMI", "tmi", "T:mi",
    "Ay", "ry", "RY", "rf", "OÜ", "oü", "AS", "MTÜ", "FIE", "UÜ", "TÜ", "HB", "KB", "Hb", "Kb", "GmbH", "gmbh", "GMBH",
    "mbH", "AG", "KG", "OHG", "UG", "eV", "eK", "Ltd", "LTD", "ltd", "Limited", "PLC", "plc", "Plc", "LLC", "LLP",
    "Inc", "INC", "ApS", "SIA", "UAB", "BV", "Osk", "OSK", "osk",
];

/// The name of a firm: as written, and folded for comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyName {
    written: String,
    key: String,
}

impl CompanyName {
    /// Reads the name of a firm. `None` for what has no legal form at its beginning or end, or is a sentence.
    pub fn parse(text: &str) -> Option<Self> {
        let written = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let written = written.trim_matches(|c: char| "\"'.,;:-–_()<>*|".contains(c)).to_owned();
        if written.chars().count() > COMPANY_CHARS_MAX || written.contains(['@', '?', '!', '=']) {
            return None;
        }
        let words: Vec<&str> = written.split(' ').collect();
        let is_form = |word: &&&str| LEGAL_FORMS.contains(&word.replace('.', "").as_str());
        let bare: Vec<&&str> = words.iter().filter(|word| !is_form(word)).collect();
        let at_an_end = [words.first(), words.last()].iter().flatten().any(is_form);
        let named = bare.iter().any(|word| word.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit()));
        if !at_an_end || !named || words.len() > COMPANY_WORDS_MAX {
            return None;
        }
        let key: Vec<String> = bare.iter().map(|word| fold(word)).filter(|word| !word.is_empty()).collect();
        let key = key.join(" ");
        (key.chars().count() > 1).then_some(Self { written, key })
    }

    /// As the person wrote it.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// A key equal for one name in any case, with any accents and any legal form or none.
    pub fn key(&self) -> &str {
        &self.key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn firms_are_told_by_their_legal_form() {
        let table = [
            ("Putki Itä Oy", Some("putki ita")),
            ("PUTKI ITÄ OY", Some("putki ita")),
            ("Oy Hartwall Ab", Some("hartwall")),
            ("Tmi Minna Virtanen", Some("minna virtanen")),
            ("Åbo Rör Ab", Some("abo ror")),
            ("Toru OÜ", Some("toru")),
            ("AS Toru", Some("toru")),
            ("Rohrbau GmbH & Co. KG", Some("rohrbau co")),
            ("Pipeworks Ltd.", Some("pipeworks")),
            ("Järven Pursiseura ry", Some("jarven pursiseura")),
            ("3D-Tulostus Oy", Some("3dtulostus")),
            ("Minna Virtanen", None),
            ("Oy", None),
            ("as soon as", None),
            ("Kuten sanoin, as", None),
            ("oy voi mitä tämä on", None),
            ("Hei! Olen Putki Oy", None),
            ("", None),
        ];
        for (text, key) in table {
            assert_eq!(CompanyName::parse(text).as_ref().map(CompanyName::key), key, "{text}");
        }
    }
}
