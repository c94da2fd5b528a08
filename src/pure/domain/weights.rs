//! What single words weigh for what a message is about, beside the signs of the [`lexicon`](super::lexicon): learnt from
//! labelled messages (`cargo bench --bench kinds -- --learn`), and laid down in `config/triage-weights.tsv`, one term a
//! line, so that it can be read.
//!
//! A text is a set of terms: its short words (`ei`), how its longer ones begin (`rikko*`) and end (`*tteko`), neighbours
//! (`ei toimi`), the signs that were found (`<trouble>`) and what they say by themselves (`<rules problem>`). The sum of
//! the weights of its terms answers each question ([`QUESTIONS`]): above zero is yes. Who brings no matter brings no kind; who
//! brings one brings at least the likeliest.
//!
//! **Invariants:** a function of the text and its signs. The terms that are named for a verdict are those of the file,
//! never more of the text.

use super::phrases::flatten;
use super::ticket::MatterKind;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What is asked of a text: whether it brings each of three kinds, whether it is of high urgency, whether it brings none.
pub const QUESTIONS: usize = 5;
/// The kinds, as the first of the questions.
pub const KINDS: [MatterKind; 3] = [MatterKind::Service, MatterKind::Problem, MatterKind::Feedback];
/// The question of high urgency.
pub const HIGH: usize = 3;
/// The question whether there is no matter at all.
pub const NONE: usize = 4;

/// Text read. Bytes.
const READ_BYTES_MAX: usize = 8 * 1024;
/// Words read.
const WORDS_MAX: usize = 400;
/// Letters of a word that is a term by itself; of a longer one so many of its beginning are.
pub const SHORT_CHARS: usize = 5;
/// Letters of the longer beginning.
const LONG_CHARS: usize = 7;
/// Letters of an ending.
const ENDING_CHARS: usize = 4;
/// So many words and fewer are a term each.
const LENGTHS: [usize; 6] = [2, 4, 8, 15, 30, 60];
/// Words at the beginning and at the end of a text that are terms by where they are.
const EDGE_WORDS: usize = 3;
/// Terms named for an answer.
const NAMED_MAX: usize = 3;
/// The term that every text has.
pub const EVERY: &str = "<every>";
/// The term of a text in which a strong phrase says that there is a matter: then it is none without one.
pub const MATTER: &str = "<matter>";

/// The weights of terms, for each question. Copies share one table.
#[derive(Debug, Clone, Default)]
pub struct Weights(Arc<HashMap<String, [f32; QUESTIONS]>>);

/// What the weights say of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighed {
    /// Its kinds.
    pub kinds: Vec<MatterKind>,
    /// Whether it is of high urgency.
    pub is_high: bool,
    /// The terms of the text that weighed most for what is answered with yes, the heaviest first.
    pub terms: Vec<String>,
}

/// The kinds that such sums are, of a text that is sure to bring a matter or not.
pub fn kinds(sums: &[f32; QUESTIONS], is_matter: bool) -> Vec<MatterKind> {
    if sums[NONE] > 0.0 && !is_matter {
        return Vec::new();
    }
    let likeliest = sums[..NONE - 1].iter().copied().fold(f32::MIN, f32::max);
    let is = |sum: f32| sum > 0.0 || sum >= likeliest;
    KINDS.into_iter().zip(sums).filter(|(_, sum)| is(**sum)).map(|(kind, _)| kind).collect()
}

impl Weights {
    /// Of a file: `term`, and its weights for each question, tabs between. Lines that begin
    /// with `# ` are comments.
    ///
    /// # Errors
    ///
    /// The first line that is none, with its number.
    pub fn parse(file: &str) -> Result<Self, String> {
        let lines = file.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with("# "));
        let read = lines.map(|(at, line)| {
            let mut parts = line.split('\t');
            let term = parts.next().unwrap_or_default();
            let numbers: Vec<f32> = parts.filter_map(|part| part.parse().ok()).collect();
            let weights = <[f32; QUESTIONS]>::try_from(numbers);
            weights.map(|weights| (term.to_owned(), weights)).map_err(|_| format!("line {} is no weight", at + 1))
        });
        Ok(Self(Arc::new(read.collect::<Result<_, _>>()?)))
    }

    /// Whether there are none: then nothing is answered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The sum for each question over such terms.
    pub fn sums(&self, terms: &BTreeMap<String, f32>) -> [f32; QUESTIONS] {
        let mut sums = [0.0; QUESTIONS];
        for (weights, value) in terms.iter().filter_map(|(term, value)| Some((self.0.get(term)?, value))) {
            sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight * value);
        }
        sums
    }

    /// What they say of a text of such terms.
    pub fn weigh(&self, terms: &BTreeMap<String, f32>) -> Weighed {
        let sums = self.sums(terms);
        let (kinds, is_high) = (kinds(&sums, terms.contains_key(MATTER)), sums[HIGH] > 0.0);
        let mut said: Vec<usize> = (0..KINDS.len()).filter(|at| kinds.contains(&KINDS[*at])).collect();
        said.extend(is_high.then_some(HIGH));
        said.extend(kinds.is_empty().then_some(NONE));
        let heaviest = |term: &str| {
            let weights = self.0.get(term)?;
            let most = said.iter().map(|question| weights[*question]).fold(0.0_f32, f32::max);
            (most > 0.0 && term != EVERY).then_some(most)
        };
        let mut named: Vec<(f32, &str)> =
            terms.keys().filter_map(|term| Some((heaviest(term)?, term.as_str()))).collect();
        named.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(other.1)));
        let terms = named.into_iter().take(NAMED_MAX).map(|(_, term)| term.to_owned()).collect();
        Weighed { kinds, is_high, terms }
    }
}

/// The terms of a text by its words, each with how much of it there is.
pub fn terms(text: &str) -> BTreeMap<String, f32> {
    let flat = flatten(text, READ_BYTES_MAX);
    let words: Vec<&str> = flat.split_whitespace().take(WORDS_MAX).map(number).collect();
    let mut terms = BTreeMap::new();
    let mut add = |term: String| terms.insert(term, 1.0);
    add(EVERY.to_owned());
    for word in &words {
        match first(word, SHORT_CHARS) {
            Some(beginning) => {
                add(format!("{beginning}*"));
                add(format!("{}*", first(word, LONG_CHARS).unwrap_or(word)));
                add(format!("*{}", last(word, ENDING_CHARS)));
            }
            None => _ = add((*word).to_owned()),
        }
    }
    let cut = |word| first(word, SHORT_CHARS).unwrap_or(word);
    for word in words.iter().take(EDGE_WORDS) {
        add(format!("<first> {}", cut(word)));
    }
    for word in words.iter().rev().take(EDGE_WORDS) {
        add(format!("<last> {}", cut(word)));
    }
    for pair in words.windows(2) {
        add(format!("{} {}", cut(pair[0]), cut(pair[1])));
    }
    for length in LENGTHS.into_iter().filter(|length| words.len() <= *length) {
        add(format!("<{length} words>"));
    }
    let questions = text.matches('?').count();
    let marks =
        [("<?>", questions > 0), ("<??>", questions > 1), ("<!>", text.contains('!')), ("<loud>", is_loud(text))];
    for (mark, _) in marks.into_iter().filter(|(_, is)| *is) {
        add(mark.to_owned());
    }
    terms
}

/// All numbers are one word.
fn number(word: &str) -> &str {
    if word.bytes().all(|byte| byte.is_ascii_digit()) { "#" } else { word }
}

/// The first letters of a word that has more than so many.
fn first(word: &str, chars: usize) -> Option<&str> {
    word.char_indices().nth(chars).map(|(end, _)| &word[..end])
}

/// The last letters of a word.
fn last(word: &str, chars: usize) -> &str {
    word.char_indices().rev().nth(chars - 1).map_or(word, |(begin, _)| &word[begin..])
}

/// Four capitals in a row.
fn is_loud(text: &str) -> bool {
    let mut row = 0;
    text.chars().any(|c| {
        row = if c.is_uppercase() { row + 1 } else { 0 };
        row >= 4
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_its_terms() {
        let terms: Vec<String> = terms("Netti EI toiminutkaan 12345!").into_keys().collect();
        let expected = [
            "#",
            "*kaan",
            "<!>",
            "<15 words>",
            "<30 words>",
            "<4 words>",
            "<60 words>",
            "<8 words>",
            "<every>",
            "<first> ei",
            "<first> netti",
            "<first> toimi",
            "<last> #",
            "<last> ei",
            "<last> toimi",
            "ei",
            "ei toimi",
            "netti",
            "netti ei",
            "toimi #",
            "toimi*",
            "toiminu*",
        ];
        assert_eq!(terms, expected);
    }

    #[test]
    fn the_sums_answer_and_the_heaviest_words_are_named() {
        let file =
            "# term\tservice\nei\t-1\t0.5\t0\t0.1\t-2\nnetti\t0\t0.25\t0\t0\t0\n<every>\t0.5\t-0.5\t-1\t-1\t0.5\n";
        let weights = Weights::parse(file).unwrap();
        let told = |text: &str| weights.weigh(&terms(text));
        assert_eq!(weights.sums(&terms("netti ei toimi")), [-0.5, 0.25, -1.0, -0.9, -1.5]);
        assert_eq!((told("netti ei toimi").kinds, told("netti ei toimi").is_high), (vec![MatterKind::Problem], false));
        assert_eq!(told("netti ei toimi").terms, ["ei", "netti"]);
        assert_eq!(told("moi"), Weighed { kinds: vec![], is_high: false, terms: vec![] }, "no matter");
        for (none, is_matter, expected) in [(-1.0, false, 1), (1.0, false, 0), (1.0, true, 1)] {
            let found = kinds(&[-0.3, -0.2, -0.5, 0.0, none], is_matter);
            assert_eq!(found, [MatterKind::Problem][..expected], "the likeliest, where there is a matter");
        }
        assert_eq!(Weights::parse("ei\t1\t2").unwrap_err(), "line 1 is no weight");
        assert!(Weights::parse("").unwrap().is_empty());
    }
}
