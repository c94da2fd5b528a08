//! Subjects of mails: what clients put before them, and what is left.
//!
//! **Invariant:** linear time, and only prefixes that clients write are taken off: a subject never becomes
//! that of another matter, and one of prefixes alone becomes empty.

/// What clients put before the subject of an answer, in lower case. `vs`, `sv` and `vast` are Finnish, Swedish
/// and Estonian.
const ANSWERS: &[&str] = &[
    "re", "vs", "sv", "aw", "antw", "vast", "res", "ynt", "odp", "rif", "ré", "vá", "atb", "ats", "отв", "απ", "回复",
    "回覆", "答复",
];
/// What clients put before the subject of a mail that they pass on.
const FORWARDS: &[&str] =
    &["fwd", "fw", "vl", "vb", "wg", "tr", "rv", "enc", "doorst", "pd", "i", "edasi", "továbbítás", "přeposláno"];
/// A longer word before a colon is no client's prefix. Bytes.
const PREFIX_BYTES_MAX: usize = 24;
/// A longer bracket at the beginning is no list's or ticket's tag. Bytes.
const TAG_BYTES_MAX: usize = 60;
/// Letters of a word that tells something.
const WORD_LETTERS_MIN: usize = 3;
/// Words that a subject must have to tell one matter from another, and letters in all of them together.
const TELLING_WORDS_MIN: usize = 2;
/// "Hello there" has 10, "Tilaus puuttuu" 13.
const TELLING_LETTERS_MIN: usize = 11;

/// Words of subjects that say nothing of the matter; `*` leaves the end open.
const COMMON: &str = "
    hei moi terve asia asiaa kysymy* kysely tilau* tilaus* lasku* palaut* reklamaatio* toimitu* viesti* apua ongelma*
    vika vikailmoitus kiireellinen yhteyden* yhteys* tarjou* peru* muutos* kiitos vastaus tiedustelu tiketti pyyntö*
    asiakaspalvelu* huolto* varaus* aika sopimus*
    hej hallå ärende* fråg* beställ* faktura* problem* hjälp fel felanmälan brådskande kontakt* offert* avbok* ändr*
    tack svar förfrågan kundservice
    hello hi hey dear matter question* order* invoice* bill* return* complaint* delivery help issue* fault* error*
    urgent contact* quote* cancel* change* thanks thank reply request* enquiry inquiry support ticket feedback message
    your our the and for about with new
    hallo anliegen frage* bestell* rechnung* reklamation* lieferung* hilfe dringend kontakt* angebot* kündigung*
    änderung* danke antwort anfrage* fehler störung ihre unsere
    tere asi küsimu* tellimu* arve* tagastu* kaebus* tarne* abi mure probleem* kiire pakkumi* tühista* aitäh vastus
    päring* viga
";

/// What a client says by its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefix {
    Answer,
    Forward,
}

/// A subject taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// What is left without prefixes (`Re:`, `VS:`, `Fwd:`, `Re[2]:`) and tags (`[list]`, `[KK-12345]`) before
    /// it and `(fwd)` behind it.
    pub base: &'a str,
    /// The outermost prefix is an answer's: "Fwd: Re: …" is none.
    pub is_answer: bool,
    /// The outermost prefix says that a mail is passed on.
    pub is_forward: bool,
}

/// Takes a subject apart.
pub fn read(subject: &str) -> Subject<'_> {
    let mut rest = subject.trim();
    let mut outermost = None;
    loop {
        if let Some((prefix, behind)) = prefix(rest) {
            outermost = outermost.or(Some(prefix));
            rest = behind.trim_start();
        } else if let Some(behind) = tag(rest) {
            rest = behind.trim_start();
        } else {
            break;
        }
    }
    while let Some(before) = rest
        .get(..rest.len().saturating_sub(5))
        .filter(|_| rest.get(rest.len().saturating_sub(5)..).is_some_and(|end| end.eq_ignore_ascii_case("(fwd)")))
    {
        rest = before.trim_end();
    }
    let (is_answer, is_forward) = (outermost == Some(Prefix::Answer), outermost == Some(Prefix::Forward));
    Subject { base: rest, is_answer, is_forward }
}

impl Subject<'_> {
    /// The base in one spelling: lower case, blanks folded.
    pub fn folded(&self) -> String {
        let mut folded = String::with_capacity(self.base.len());
        for word in self.base.split_whitespace() {
            if !folded.is_empty() {
                folded.push(' ');
            }
            folded.extend(word.chars().flat_map(char::to_lowercase));
        }
        folded
    }

    /// Whether it tells one matter from another: "Tilaus", "Hello" and "Order 4001" do not, for many
    /// matters are called so.
    pub fn is_telling(&self) -> bool {
        let letters = |word: &str| word.chars().filter(|c| c.is_alphabetic()).count();
        let words = self.base.split(|c: char| !c.is_alphanumeric()).map(letters).filter(|n| *n >= WORD_LETTERS_MIN);
        let (count, total) = words.fold((0, 0), |(count, total), n| (count + 1, total + n));
        count >= TELLING_WORDS_MIN && total >= TELLING_LETTERS_MIN
    }

    /// Whether it is what anybody calls any matter: "Tilaus", "Hello", "Order 4001". One word of its own, "Insuliini",
    /// tells a person's few matters apart, though not those of many.
    pub fn is_common(&self) -> bool {
        let mut words =
            self.base.split(|c: char| !c.is_alphabetic()).filter(|word| word.chars().count() >= WORD_LETTERS_MIN);
        let is_common = |word: &str| {
            let word = word.to_lowercase();
            COMMON.split_whitespace().any(|common| match common.strip_suffix('*') {
                Some(stem) => word.starts_with(stem),
                None => word == common,
            })
        };
        words.all(is_common)
    }
}

/// A client's prefix, and what follows it.
fn prefix(text: &str) -> Option<(Prefix, &str)> {
    let head = &text[..text.floor_char_boundary(PREFIX_BYTES_MAX)];
    let (word, _) = head.split_once([':', '：'])?;
    let behind = text[word.len()..].trim_start_matches([':', '：']);
    // Some count: "Re[2]:", "Re (3):", "AW^2:".
    let word = word.trim_end().trim_end_matches([']', ')']).trim_end_matches(|c: char| c.is_ascii_digit());
    let word = word.trim_end_matches(['[', '(', '^']).trim_end();
    let is = |known: &&str| word.chars().flat_map(char::to_lowercase).eq(known.chars());
    let prefix = match (ANSWERS.iter().any(&is), FORWARDS.iter().any(&is)) {
        (true, _) => Prefix::Answer,
        (_, true) => Prefix::Forward,
        _ => return None,
    };
    Some((prefix, behind))
}

/// What follows a tag; a subject that is a tag alone has none.
fn tag(text: &str) -> Option<&str> {
    let (tag, behind) = text.strip_prefix('[')?.split_once(']')?;
    (tag.len() <= TAG_BYTES_MAX && !behind.trim().is_empty()).then_some(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects() {
        let table: &[(&str, &str, bool, bool)] = &[
            ("Tilaus puuttuu", "tilaus puuttuu", false, false),
            ("Re: Tilaus puuttuu", "tilaus puuttuu", true, false),
            ("VS: Re: VS: Tilaus  puuttuu", "tilaus puuttuu", true, false),
            ("SV: Beställningen saknas", "beställningen saknas", true, false),
            ("Antw: AW: Bestellung", "bestellung", true, false),
            ("Re[2]: hwclock", "hwclock", true, false),
            ("RE (3) : hwclock", "hwclock", true, false),
            ("VL: Re: Tilaus", "tilaus", false, true),
            ("Re: Fwd: Tilaus", "tilaus", true, false),
            ("[KK-12345] Re: [Tuki] Tilaus", "tilaus", true, false),
            ("Re: Tilaus (fwd)", "tilaus", true, false),
            ("Re:", "", true, false),
            ("[lista]", "[lista]", false, false),
            ("Tilaus: 4001", "tilaus: 4001", false, false),
            ("Reklamaatio: rikki", "reklamaatio: rikki", false, false),
            ("回复：订单", "订单", true, false),
            ("", "", false, false),
        ];
        for (subject, is_common) in [
            ("Re: Tilaus", true),
            ("Order 40012345", true),
            ("Kysymys laskusta", true),
            ("Hello", true),
            ("12.5.", true),
            ("", true),
            ("Re: Insuliini", false),
            ("AW: Betonmischer", false),
        ] {
            assert_eq!(read(subject).is_common(), is_common, "{subject}");
        }
        for (subject, base, is_answer, is_forward) in table {
            let read = read(subject);
            let found = (read.folded(), read.is_answer, read.is_forward);
            assert_eq!(found, ((*base).to_owned(), *is_answer, *is_forward), "{subject}");
        }
    }

    #[test]
    fn subjects_that_tell_one_matter_from_another() {
        for (subject, telling) in [
            ("Tilaus", false),
            ("Hello", false),
            ("Order 4001", false),
            ("Your order", false),
            ("Re: Hei", false),
            ("Kysymys 2", false),
            ("Tilaus puuttuu", true),
            ("VS: Lasku kahteen kertaan", true),
            ("Where is my parcel?", true),
        ] {
            assert_eq!(read(subject).is_telling(), telling, "{subject}");
        }
    }
}
