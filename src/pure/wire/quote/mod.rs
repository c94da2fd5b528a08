//! A person's own words, apart from what is quoted, from the signature and from what firms add below.
//!
//! Numbers and names are read from the own words and the signature only: a quotation is what somebody
//! else said. It works by lines, on plain text or what [`html`](super::html) made of HTML.
//!
//! **Invariant:** linear time: each line is looked at a bounded number of times, and only the first
//! bytes of a long one. When in doubt the text is the person's own; nothing is lost by being wrong,
//! for the whole text stays with the message.

mod announced;
mod attribution;
mod footer;
mod signature;

use announced::{Announced, announced};
use attribution::attribution;

/// What a text consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    /// The person's own words; several stretches when answers stand between quotations.
    pub own: String,
    /// What stands below the sign-off or the signature delimiter, without either: name, firm, phone.
    pub signature: String,
    /// What the person answers, as far as it is quoted: the own words of the mail one level below.
    pub quoted: String,
    /// Where there are no own words: what was passed on or quoted, its header and what it quotes
    /// itself left out. Somebody else's words: to be shown, never read for facts.
    pub passed_on: String,
    /// Who wrote the mail below, as its header says: `Minna Virtanen <minna@example.fi>`. Never this
    /// text's sender.
    pub quoted_from: Option<String>,
    /// The text says that the mail below was passed on, not answered.
    pub is_forwarded: bool,
}

/// A line longer than this is a paragraph, never an attribution, a header or a sign-off. Bytes.
const MARKER_BYTES_MAX: usize = 300;
/// A quoted line at least this long may have been broken by a client that wraps. Bytes.
const WRAPPED_BYTES_MIN: usize = 60;

/// What PGP makes of a text that it encrypts, and what it sends along (RFC 9580 6.2).
const PGP_ENCRYPTED: [&str; 2] = ["-----BEGIN PGP MESSAGE-----", "-----END PGP MESSAGE-----"];
const PGP_KEY: [&str; 2] = ["-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"];
/// What PGP writes around a text that it signs (RFC 9580 7).
const PGP_SIGNED: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const PGP_SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
/// Lines of its header, in which keys of several hashes are named.
const PGP_HEADER_LINES_MAX: usize = 6;

/// Takes a text apart.
pub fn split(text: &str) -> Parts {
    let whole = |line: &str| line == signature::DELIMITER;
    let lines: Vec<&str> = text.lines().map(|line| if whole(line) { line } else { line.trim_end() }).collect();
    let Lines { mut own, quoted, end: announced } = own_lines(&lines);
    let quoted = quoted_words(quoted, announced.as_ref().map_or(&[], |announced| &lines[announced.length..]));
    footer::take(&mut own);
    let signature = signature::take(&mut own);
    let own = joined(&own);
    let passed_on = match (own.is_empty(), &announced) {
        (false, _) => String::new(),
        (true, Some(announced)) => passed_on(&lines[announced.length..]),
        // Nothing but lines with `>`.
        (true, None) if signature.is_empty() => joined(&lines),
        (true, None) => String::new(),
    };
    let is_forwarded = announced.as_ref().is_some_and(|announced| announced.is_forwarded);
    let quoted_from = announced.and_then(|announced| announced.from);
    Parts { own, signature: joined(&signature), quoted, passed_on, quoted_from, is_forwarded }
}

/// The mail below what announces it, as it stands there; `None` where nothing is announced.
pub fn below(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let announced = own_lines(&lines).end?;
    Some(joined(&lines[announced.length..])).filter(|below| !below.is_empty())
}

/// The own words of a quotation: `quoted` are its lines without their `>`, `below` is what an announcement ended.
fn quoted_words<'a>(mut quoted: Vec<&'a str>, below: &[&'a str]) -> String {
    quoted.extend(below);
    if quoted.is_empty() {
        return String::new();
    }
    let mut own = own_lines(&quoted).own;
    footer::take(&mut own);
    signature::take(&mut own);
    joined(&own)
}

/// What a passed-on text says itself.
fn passed_on(lines: &[&str]) -> String {
    let own = joined(&own_lines(lines).own);
    if own.is_empty() { joined(lines) } else { own }
}

fn joined(lines: &[&str]) -> String {
    let text = lines.join("\n");
    let text = text.trim_matches('\n').trim_end();
    text.to_owned()
}

/// A text by lines.
struct Lines<'a> {
    /// Those that are not quoted, forwarded or announcing either.
    own: Vec<&'a str>,
    /// Those quoted, without the first `>`.
    quoted: Vec<&'a str>,
    /// What ended them, its `length` counted from the first line.
    end: Option<Announced>,
}

fn own_lines<'a>(lines: &[&'a str]) -> Lines<'a> {
    let (mut own, mut quoted) = (Vec::new(), Vec::new());
    let mut end = None;
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at].trim_start_matches(['\u{feff}', ' ', '\t']);
        if line.starts_with(PGP_SIGNED) {
            // Its header (`Hash: SHA256`) ends at a blank line.
            at += lines[at..].iter().take(PGP_HEADER_LINES_MAX).take_while(|line| !line.is_empty()).count().max(1);
        } else if line.starts_with(PGP_SIGNATURE) {
            break;
        } else if let Some([begin, end]) =
            [PGP_ENCRYPTED, PGP_KEY].into_iter().find(|[begin, _]| line.starts_with(begin))
        {
            // Nobody's words, and letters that look like numbers of all kinds.
            own.extend((begin == PGP_ENCRYPTED[0]).then_some("[PGP: encrypted]"));
            at += lines[at..].iter().take_while(|line| !line.trim_start().starts_with(end)).count() + 1;
        } else if let Some(rest) = line.strip_prefix('>') {
            quoted.push(rest);
            at += 1;
            if is_wrapped_quote(lines, at - 1) {
                quoted.push(lines[at]);
                at += 1;
            }
        } else if let Some(found) = announced(lines, at) {
            end = Some(Announced { length: at + found.length, ..found });
            break;
        } else if let Some(length) = attribution(lines, at) {
            // Below an attribution everything is quoted, unless `>` says what is.
            let next = lines[at + length..].iter().find(|line| !line.is_empty());
            if next.is_some_and(|line| !line.trim_start().starts_with('>')) {
                end = Some(Announced { length: at + length, from: None, is_forwarded: false });
                break;
            }
            at += length;
        } else {
            own.push(lines[at]);
            at += 1;
        }
    }
    while own.last().is_some_and(|line| line.trim().is_empty() || is_rule(line)) {
        own.pop();
    }
    Lines { own, quoted, end }
}

/// A quoted line that a client broke in two, the second half without its `>`.
fn is_wrapped_quote(lines: &[&str], at: usize) -> bool {
    let Some(next) = lines.get(at + 1) else { return false };
    let ends = lines.get(at + 2).is_none_or(|line| line.is_empty() || line.starts_with('>'));
    ends && lines[at].len() >= WRAPPED_BYTES_MIN && next.starts_with(char::is_lowercase)
}

/// A line of dashes, underscores or stars alone, as clients draw above a quotation.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.chars().count() > 2 && line.chars().all(|c| matches!(c, '-' | '_' | '*' | '=' | '—' | '–'))
}

/// The beginning of a line, in lower case, of at most so many bytes.
fn beginning(line: &str, bytes_max: usize) -> String {
    line[..line.floor_char_boundary(bytes_max)].to_lowercase()
}

/// Holds something like 10:00 or 10.00.
fn has_time(text: &str) -> bool {
    text.as_bytes()
        .windows(4)
        .any(|w| w[0].is_ascii_digit() && matches!(w[1], b':' | b'.') && w[2].is_ascii_digit() && w[3].is_ascii_digit())
}

/// Holds something like 2026.
fn has_year(text: &str) -> bool {
    text.as_bytes()
        .windows(4)
        .any(|w| (w.starts_with(b"19") || w.starts_with(b"20")) && w[2..].iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_words_and_signature() {
        let table: &[(&str, &str, &str)] = &[
            (
                "Hei\n\nTilaus 4001 2345 puuttuu.\n\nTerveisin\nMatti Meikäläinen\n040 1234567",
                "Hei\n\nTilaus 4001 2345 puuttuu.",
                "Matti Meikäläinen\n040 1234567",
            ),
            ("Puuttuu vielä.\nT. Matti", "Puuttuu vielä.", "Matti"),
            ("Puuttuu.\nTerveisin Minna Virtanen", "Puuttuu.", "Minna Virtanen"),
            (
                "Kiitos, tuli perille.\n\nti 3. maalisk. 2026 klo 10.00 Tuki (tuki@example.fi) kirjoitti:\n> Onko tullut?\n> T. Tuki",
                "Kiitos, tuli perille.",
                "",
            ),
            (
                "Kiitos!\n\nLähettäjä: Tuki <tuki@example.fi>\nLähetetty: tiistai 3. maaliskuuta 2026 10.00\nVastaanottaja: Minna\nAihe: VS: Tilaus\n\nOnko tullut?",
                "Kiitos!",
                "",
            ),
            (
                "Tack!\n\nMvh\nAnna Svensson\n\nDen tis 3 mars 2026 kl 10:00 skrev Tuki <tuki@example.fi>:\n\n> Har den kommit?",
                "Tack!",
                "Anna Svensson",
            ),
            (
                "Aitäh\n\nLugupidamisega\nMari Tamm\n\nKontakt Tugi (<tugi@example.ee>) kirjutas kuupäeval T, 3. märts 2026 kell 10:00:\n\n> Kas jõudis?",
                "Aitäh",
                "Mari Tamm",
            ),
            ("Ok\n\nLähetetty iPhonesta", "Ok", ""),
            (
                "Ok\n\nHämta Outlook för Android\n________________________________\nFrån: Tuki <tuki@example.fi>\nSkickat: den 3 mars 2026 10:00\nTill: Anna\nÄmne: Sv: Order",
                "Ok",
                "",
            ),
            ("yes\n-- \nJohn\nACME", "yes", "John\nACME"),
            ("see below\n\n-----Original Message-----\nFrom: A\n\nold", "see below", ""),
            ("FYI\n\n---------- Forwarded message ---------\nFrom: A <a@example.fi>\n\nold", "FYI", ""),
            ("On Mon, 2 Mar 2026, A <a@example.fi> wrote:\n> one?\n\nyes\n\n> two?\n\nno", "\nyes\n\n\nno", ""),
            (
                "On the other hand: no.\nFrom: nowhere\nto be seen",
                "On the other hand: no.\nFrom: nowhere\nto be seen",
                "",
            ),
            (
                "Anna kirjoitti eilen että kello 10:00: onko näin?",
                "Anna kirjoitti eilen että kello 10:00: onko näin?",
                "",
            ),
            // A header in a language that is not known here, below the line that Outlook draws.
            (
                "Selvä.\n\n________________________________\nKimdən: Destek <destek@example.com>\nGöndərilib: 3 mart 2026 10:00\nKimə: Anna\nMövzu: Sifariş\n\nKöhnə",
                "Selvä.",
                "",
            ),
            ("Köszönöm\n\n2026. márc. 3. 10:00 ezt írta (Anna <anna@example.hu>):\n\nrégi", "Köszönöm", ""),
            ("Děkuji\n\nDne út 3. 3. 2026 v 10:00 Podpora <podpora@example.cz> napsal:\n> staré", "Děkuji", ""),
            ("Dobrze\n\n> W dniu 3.03.2026 o 10:00 Anna pisze:\n> stare", "Dobrze", ""),
            // What travellers and forms write is theirs.
            (
                "Ticket please\nFrom: Turku\nTo: Helsinki\nDate: tomorrow",
                "Ticket please\nFrom: Turku\nTo: Helsinki\nDate: tomorrow",
                "",
            ),
            (
                "Nimi: Matti\nSähköposti: matti@example.fi\nAika: 2.3.2026 10:00\nViesti: missä paketti on?",
                "Nimi: Matti\nSähköposti: matti@example.fi\nAika: 2.3.2026 10:00\nViesti: missä paketti on?",
                "",
            ),
            (
                "Order details:\nFrom: London\nTo: Paris\nSubject: trip\n\nPlease confirm.",
                "Order details:\nFrom: London\nTo: Paris\nSubject: trip\n\nPlease confirm.",
                "",
            ),
            // A line between topics is no signature's.
            (
                "First\n\n---\n\nThe second topic matters to me as well.\n\n---\n\nThird",
                "First\n\n---\n\nThe second topic matters to me as well.",
                "Third",
            ),
            ("Tarvitsen:\n- yksi\n--\nja vielä kolme lisää", "Tarvitsen:\n- yksi\n--\nja vielä kolme lisää", ""),
            (
                "Hello\n-- \nwe sell boats and other things that float.",
                "Hello",
                "we sell boats and other things that float.",
            ),
            // Disclaimers go, the customer's own mention of them stays.
            (
                "Puuttuu vielä.\n\nTämä viesti on luottamuksellinen ja tarkoitettu vain vastaanottajalleen. Jos sait viestin erehdyksessä, ilmoita siitä lähettäjälle ja tuhoa viesti.",
                "Puuttuu vielä.",
                "",
            ),
            (
                "Please call.\n\nKind regards\nJohn Smith\n\nThis e-mail and any attachments are confidential and intended solely for the addressee. If you are not the intended recipient please notify the sender and delete it.\n\nACME Ltd, Registered in England",
                "Please call.",
                "John Smith",
            ),
            (
                "Hello\n\nI got this email by mistake, I am not the intended recipient of these confidential papers. Shall I delete it?",
                "Hello\n\nI got this email by mistake, I am not the intended recipient of these confidential papers. Shall I delete it?",
                "",
            ),
            (
                "CAUTION: This email originated from outside of the organization. Do not click links.\n\nWhere is it?",
                "Where is it?",
                "",
            ),
            (
                "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHei\n-----BEGIN PGP SIGNATURE-----\n\niQEz\n-----END PGP SIGNATURE-----",
                "Hei",
                "",
            ),
            (
                "-----BEGIN PGP MESSAGE-----\n\nwcBMA4822 7093\n=x4\n-----END PGP MESSAGE-----\n\nCall me about it.",
                "[PGP: encrypted]\n\nCall me about it.",
                "",
            ),
            ("-----BEGIN PGP MESSAGE-----\n\nwcBMA4822", "[PGP: encrypted]", ""),
            ("Hei\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQENB\n-----END PGP PUBLIC KEY BLOCK-----\n", "Hei", ""),
            ("", "", ""),
            ("> only quoted", "", ""),
        ];
        for (text, own, signature) in table {
            let parts = split(text);
            assert_eq!((parts.own.trim(), parts.signature.as_str()), (own.trim(), *signature), "{text}");
        }
    }

    #[test]
    fn what_is_passed_on_is_shown_and_its_author_named() {
        let table: &[(&str, &str, Option<&str>, bool)] = &[
            (
                "---------- Forwarded message ---------\nFrom: Minna <minna@example.fi>\nDate: Tue, 3 Mar 2026 10:00\nSubject: Order\nTo: <matti@example.com>\n\nWhere is it?\n\nOn Mon, 2 Mar 2026, Shop <shop@example.fi> wrote:\n> Sent.",
                "Where is it?",
                Some("Minna <minna@example.fi>"),
                true,
            ),
            ("> old\n> older", "> old\n> older", None, false),
            (
                "Von: Minna <minna@example.fi>\nGesendet: Dienstag, 3. März 2026 10:00\nAn: Shop\nBetreff: Paket\n\nWo ist es?",
                "Wo ist es?",
                Some("Minna <minna@example.fi>"),
                false,
            ),
            ("own\n> old", "", None, false),
        ];
        for (text, passed_on, from, is_forwarded) in table {
            let parts = split(text);
            assert_eq!(
                (parts.passed_on.as_str(), parts.quoted_from.as_deref(), parts.is_forwarded),
                (*passed_on, *from, *is_forwarded),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_answered_is_told_apart_from_what_that_answered() {
        let table: &[(&str, &str)] = &[
            ("Kyllä.\n\n> Sopiiko torstai?\n> > Milloin tulette?\n> T. Tuki\n", "Sopiiko torstai?"),
            ("> Sopiiko torstai?\n\nKyllä.\n\n> Entä aika?\n\nYhdeksän.", "Sopiiko torstai?\nEntä aika?"),
            (
                "Kyllä.\n\n-----Alkuperäinen viesti-----\nLähettäjä: Tuki\nLähetetty: maanantai\nAihe: Asennus\n\nSopiiko torstai?\n\n> Milloin tulette?",
                "Sopiiko torstai?",
            ),
            ("Kyllä.", ""),
            ("", ""),
        ];
        for (text, quoted) in table {
            let quoted: Vec<&str> = quoted.lines().collect();
            let found = split(text).quoted;
            assert_eq!(
                found.lines().filter(|line| !line.trim().is_empty()).map(str::trim).collect::<Vec<_>>(),
                quoted,
                "{text}"
            );
        }
    }

    #[test]
    fn hostile_texts_take_linear_time() {
        for piece in [
            ">",
            "> ",
            ">\n",
            "disclaimer:\n\n",
            "2026-03-03 17:21 GMT+1 A\n\n",
            "On 1 A\n@\n",
            "_____________________\na:\n",
            "On\n",
            "From:\n",
            "On 1 wrote\n",
            "--\n",
            "T.\n",
            "a",
            "Sent from x\n",
            "1 ",
            "\n",
            "regards\n",
        ] {
            let text = piece.repeat(1_000_000 / piece.len());
            assert!(split(&text).own.len() <= text.len(), "{piece:?}");
            // Between words it is not taken off at the end at once.
            let between = format!("hello\n{text}\nx");
            assert!(split(&between).own.len() <= between.len(), "{piece:?} between words");
        }
    }
}
