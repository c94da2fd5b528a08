//! An agent's answer, a ready answer → whether the one was made of the other.
//!
//! Agents put a greeting around a ready answer, leave a sentence out and fill in a date. So most of its sentences, by
//! their length, are to be found in what was said, with blanks and capitals as they may be.

/// How much of a ready answer is in an answer that was made of it, in percent of its letters.
const SHARE_MIN: usize = 60;

/// Letters of a ready answer of which it can be told at all: "thank you!" is in every answer.
const CHARS_MIN: usize = 24;

/// A ready answer's sentences, as they are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentences(Vec<String>);

impl Sentences {
    /// The sentences of a text. What is filled in by hand parts them.
    pub fn of(text: &str) -> Self {
        let mut open = text.to_owned();
        for place in crate::pure::domain::ready::PLACES {
            open = open.replace(&format!("{{{place}}}"), "\n");
        }
        let parts = open.split(['\n', '.', '!', '?']).map(normal);
        Self(parts.filter(|part| part.chars().filter(|c| c.is_alphanumeric()).nth(3).is_some()).collect())
    }

    /// Whether most of them are in what was said.
    pub fn are_in(&self, said: &Said) -> bool {
        let length = |part: &String| part.chars().count();
        let all: usize = self.0.iter().map(length).sum();
        let there: usize = self.0.iter().filter(|part| said.0.contains(part.as_str())).map(length).sum();
        all >= CHARS_MIN && there * 100 >= all * SHARE_MIN
    }
}

/// What an agent said, made ready to be looked through.
#[derive(Debug, Clone)]
pub struct Said(String);

impl Said {
    /// Of a text.
    pub fn of(text: &str) -> Self {
        Self(normal(text))
    }
}

/// A text in small letters, with one blank where there are several, and without what tools mark emphasis and quotes with.
fn normal(text: &str) -> String {
    let plain: String =
        text.chars().map(|c| if matches!(c, '*' | '_' | '`' | '>' | '\u{a0}') { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_made_of_a_ready_one_when_most_of_its_sentences_are_in_it() {
        let ready = "Hei {name}!\n\nPalautamme toisen maksun tilillesi viikon kuluessa. Sinun ei tarvitse tehdä mitään. \
                     Pahoittelemme vaivaa!";
        let table = [
            ("as it is", ready, true),
            (
                "in other lines, with a name and a greeting",
                "Moi Minna,\npalautamme toisen\nmaksun   tilillesi viikon kuluessa. Sinun ei tarvitse tehdä mitään.\n\nT. Pekka",
                true,
            ),
            (
                "emphasised",
                "> **Palautamme toisen maksun** tilillesi viikon kuluessa. _Sinun ei tarvitse tehdä mitään._",
                true,
            ),
            ("one sentence of three", "Pahoittelemme vaivaa! Soitan sinulle huomenna.", false),
            ("told in other words", "Saat rahat takaisin ensi viikolla.", false),
            ("nothing", "", false),
        ];
        for (what, said, expected) in table {
            assert_eq!(Sentences::of(ready).are_in(&Said::of(said)), expected, "{what}");
        }
        assert!(!Sentences::of("Kiitos!").are_in(&Said::of("Kiitos! Asia selvä.")), "too little to tell");
        assert!(!Sentences::of("").are_in(&Said::of("")), "nothing is in nothing");
    }
}
