//! Compressed RTF (MS-OXRTFCP), as Outlook packs it into a `winmail.dat`, and the words in it.
//!
//! RTF is read for its words alone, as the specification of RTF 1.9.1 asks of readers: a group is passed over whose
//! destination is marked to be (`\*`), or holds no text; fonts, sizes and colours say nothing. What was HTML
//! (MS-OXRTFEX) reads the same way, for its tags stand in such groups.
//!
//! **Invariant:** what is broken ends the reading, and what was read before it counts. No input makes more than
//! [`RTF_BYTES_MAX`] of itself.

use super::mail_parts::{code_page, decode_charset};

/// RTF that is unpacked at most: text of 512 KiB with the control words around it. It is 17 times its packed size
/// at the most.
pub const RTF_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Groups within groups whose settings are kept. Outlook writes some ten.
const DEPTH_MAX: usize = 256;
/// Letters of a control word that are read; the longest in use has 24.
const WORD_BYTES_MAX: usize = 32;

/// What follows is compressed (MS-OXRTFCP 2.1.3.1.1).
const COMPRESSED: &[u8] = b"LZFu";
/// What follows is not.
const UNCOMPRESSED: &[u8] = b"MELA";
/// Size, raw size, kind and checksum. The sizes are often wrong, and nobody needs the checksum.
const HEADER_BYTES: usize = 16;
/// Size of the dictionary.
const DICTIONARY_BYTES: usize = 4096;
/// What the dictionary holds before anything is read (MS-OXRTFCP 2.1.3.1.2).
const PRELOADED: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \
    \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\
    \\b\\i\\u\\tab\\tx";

/// The words of a compressed RTF, of about `text_bytes_max` at most; empty when it is none.
pub fn packed_text(packed: &[u8], text_bytes_max: usize) -> String {
    match (packed.get(8..12), packed.get(HEADER_BYTES..)) {
        (Some(COMPRESSED), Some(content)) => text(&unpack(content), text_bytes_max),
        (Some(UNCOMPRESSED), Some(content)) => text(&content[..content.len().min(RTF_BYTES_MAX)], text_bytes_max),
        _ => String::new(),
    }
}

/// Undoes the compression: runs of eight, each a byte as it is, or a place in the dictionary and a length.
fn unpack(mut content: &[u8]) -> Vec<u8> {
    let (mut dictionary, mut at) = ([0; DICTIONARY_BYTES], PRELOADED.len());
    dictionary[..at].copy_from_slice(PRELOADED);
    let mut out = Vec::new();
    while let [control, rest @ ..] = content {
        content = rest;
        for bit in 0..8 {
            let (from, length) = match (control >> bit & 1, content) {
                (0, [byte, rest @ ..]) => {
                    content = rest;
                    dictionary[at] = *byte;
                    (at, 1)
                }
                (1, [high, low, rest @ ..]) => {
                    content = rest;
                    let token = usize::from(u16::from_be_bytes([*high, *low]));
                    (token >> 4, (token & 15) + 2)
                }
                _ => return out,
            };
            // The place where the next byte goes, as a token, is the end.
            if length > 1 && from == at || out.len() + length > RTF_BYTES_MAX {
                return out;
            }
            for n in 0..length {
                let byte = dictionary[(from + n) % DICTIONARY_BYTES];
                out.push(byte);
                dictionary[at] = byte;
                at = (at + 1) % DICTIONARY_BYTES;
            }
        }
    }
    out
}

/// Destinations without words of the text.
const PASSED_OVER: &[&[u8]] = &[
    b"author",
    b"bkmkend",
    b"bkmkstart",
    b"colortbl",
    b"datastore",
    b"fldinst",
    b"fonttbl",
    b"footer",
    b"footerf",
    b"footerl",
    b"footerr",
    b"header",
    b"headerf",
    b"headerl",
    b"headerr",
    b"info",
    b"nonshppict",
    b"objdata",
    b"pict",
    b"stylesheet",
    b"themedata",
    b"xmlnstbl",
];

/// What holds within a group.
#[derive(Clone, Copy)]
struct Group {
    is_passed_over: bool,
    /// Bytes after a `\u` that stand for it where it is not known.
    fallback: usize,
}

/// Words as they are read.
struct Reader {
    out: String,
    /// Bytes in the document's code page.
    bytes: Vec<u8>,
    /// Half of a character (UTF-16) that came alone so far.
    high: Option<u16>,
    charset: String,
    group: Group,
    /// Fallback bytes yet to be passed over.
    skipped: usize,
}

/// The words of an RTF.
fn text(rtf: &[u8], bytes_max: usize) -> String {
    let group = Group { is_passed_over: false, fallback: 1 };
    let charset = code_page(1252);
    let mut reader = Reader { out: String::new(), bytes: Vec::new(), high: None, charset, group, skipped: 0 };
    let (mut rest, mut outer, mut deeper) = (rtf, Vec::new(), 0_usize);
    if !rtf.starts_with(b"{\\rtf") {
        return String::new();
    }
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'{' if outer.len() < DEPTH_MAX => outer.push(reader.group),
            b'{' => deeper += 1,
            b'}' if deeper > 0 => deeper -= 1,
            b'}' => match outer.pop() {
                Some(group) if !outer.is_empty() => (reader.group, reader.skipped) = (group, 0),
                _ => break,
            },
            b'\\' => rest = reader.control(rest),
            b'\r' | b'\n' | 0 => {}
            byte => reader.byte(*byte),
        }
        if reader.out.len() + reader.bytes.len() > bytes_max {
            break;
        }
    }
    reader.flush();
    reader.out
}

impl Reader {
    /// A control word or symbol, behind its backslash; gives what follows it.
    fn control<'a>(&mut self, rest: &'a [u8]) -> &'a [u8] {
        let letters = rest.iter().take(WORD_BYTES_MAX).take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (word, after) = rest.split_at(letters);
        if word.is_empty() {
            return self.symbol(rest);
        }
        let digits = |from: &[u8]| from.iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
        let sign = usize::from(after.first() == Some(&b'-'));
        let length = digits(&after[sign..]);
        let (number, after) = after.split_at(if length == 0 { 0 } else { sign + length });
        let number: Option<i64> = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
        let after = after.strip_prefix(b" ").unwrap_or(after);
        if word == b"bin" {
            let bytes = number.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or_default();
            return after.get(bytes..).unwrap_or_default();
        }
        self.word(word, number);
        after
    }

    fn word(&mut self, word: &[u8], number: Option<i64>) {
        match word {
            b"u" => {
                // Above 32767 they are written as negative numbers.
                let unit = number.map_or(0xfffd, |number| (number & 0xffff) as u16);
                self.unit(unit);
                self.skipped = self.group.fallback;
            }
            b"uc" => self.group.fallback = number.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(1).min(16),
            b"ansicpg" => self.charset = number.and_then(|n| u32::try_from(n).ok()).map(code_page).unwrap_or_default(),
            b"par" | b"line" | b"row" | b"sect" | b"page" => self.say('\n'),
            b"tab" | b"cell" => self.say('\t'),
            b"lquote" => self.say('‘'),
            b"rquote" => self.say('’'),
            b"ldblquote" => self.say('“'),
            b"rdblquote" => self.say('”'),
            b"endash" => self.say('–'),
            b"emdash" => self.say('—'),
            b"bullet" => self.say('•'),
            word if PASSED_OVER.contains(&word) => self.group.is_passed_over = true,
            _ => {}
        }
    }

    /// A backslash with something that is no letter.
    fn symbol<'a>(&mut self, rest: &'a [u8]) -> &'a [u8] {
        let Some((symbol, after)) = rest.split_first() else { return rest };
        match symbol {
            b'\'' => {
                let Some((digits, after)) = after.split_at_checked(2) else { return &[] };
                let mut byte = [0];
                if hex::decode_to_slice(digits, &mut byte).is_ok() && byte != [0] {
                    self.byte(byte[0]);
                }
                return after;
            }
            b'*' => self.group.is_passed_over = true,
            b'~' => self.say(' '),
            b'_' => self.say('-'),
            b'\\' | b'{' | b'}' => self.byte(*symbol),
            b'\r' | b'\n' => self.say('\n'),
            _ => {}
        }
        after
    }

    fn byte(&mut self, byte: u8) {
        if self.skipped > 0 {
            self.skipped -= 1;
        } else if !self.group.is_passed_over {
            self.high = None;
            self.bytes.push(byte);
        }
    }

    fn say(&mut self, c: char) {
        self.skipped = 0;
        if !self.group.is_passed_over {
            self.flush();
            self.out.push(c);
        }
    }

    /// A unit of UTF-16, of which two make a rarer character.
    fn unit(&mut self, unit: u16) {
        let high = self.high.take();
        match (unit, high) {
            (0, _) => {}
            (0xd800..=0xdbff, _) => self.high = Some(unit),
            _ => char::decode_utf16(high.into_iter().chain([unit])).flatten().for_each(|c| self.say(c)),
        }
    }

    /// Reads the bytes that have come together.
    fn flush(&mut self) {
        if !self.bytes.is_empty() {
            let bytes = std::mem::take(&mut self.bytes);
            self.out.push_str(&decode_charset(&bytes, Some(&self.charset)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAX: usize = 64 * 1024;

    #[test]
    fn the_examples_of_the_specification_unpack() {
        // MS-OXRTFCP 4.1.1 and 4.1.2, without their headers; the second crosses what it copies.
        for (packed, expected) in [
            (
                "03000a007263706731323542320af32068656c090020627705b06c647d0a800fa0",
                &b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"[..],
            ),
            ("410004205758595a0d6e7d010eb0", b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"),
        ] {
            let packed = hex::decode(packed).unwrap();
            assert_eq!(unpack(&packed), expected);
            for cut in 0..packed.len() {
                assert!(expected.starts_with(&unpack(&packed[..cut])), "{cut}");
            }
            let header = [&[0; 8][..], COMPRESSED, &[0; 4]].concat();
            let words = text(expected, MAX);
            assert_eq!(packed_text(&[header, packed].concat(), MAX), words);
        }
        let plain = [&[0; 8][..], UNCOMPRESSED, &[0; 4], b"{\\rtf1 Hei}"].concat();
        assert_eq!(packed_text(&plain, MAX), "Hei");
        assert_eq!(packed_text(b"{\\rtf1 Hei}", MAX), "");
    }

    #[test]
    fn words_are_read_and_nothing_else() {
        let deep = format!("{{\\rtf1 a{}b{}c}}", "{".repeat(5000), "}".repeat(5000));
        for (rtf, expected) in [
            (
                "{\\rtf1\\ansi{\\fonttbl{\\f0 Arial;}}{\\colortbl;\\red0;}\\f0\\fs20 Hei\\par\r\nmaailma}",
                "Hei\nmaailma",
            ),
            ("{\\rtf1\\ansicpg1252 P\\'e4\\'e4t\\'f6s \\'80 5}", "Päätös € 5"),
            ("{\\rtf1\\ansicpg1251 \\'d1\\'f7\\'b8\\'f2}", "Счёт"),
            ("{\\rtf1\\ansicpg932 \\'93\\'fa\\'96\\'7b}", "日本"),
            ("{\\rtf1\\uc1 \\u228 a\\u246?\\u-3913 ?x}", "äö\u{f0b7}x"),
            ("{\\rtf1\\uc2\\u8364\\'88\\'a4{\\uc0\\u228 b}\\u228 xyc}", "€äbäc"),
            ("{\\rtf1 \\u-10179 ?\\u-8704 ?!}", "😀!"),
            ("{\\rtf1 \\u-10179 ?a\\u-8704 ?b}", "ab"),
            ("{\\rtf1 a\\{b\\}c\\\\d\\~e\\_f\\-g}", "a{b}c\\d e-fg"),
            ("{\\rtf1 {\\*\\generator X;}{\\*\\unknown {deep} er}a{\\info{\\author Y}}b}", "ab"),
            (
                "{\\rtf1 {\\field{\\*\\fldinst HYPERLINK \"x\"}{\\fldrslt link}}\\tab\\lquote q\\rquote\\emdash}",
                "link\t‘q’—",
            ),
            ("{\\rtf1\\fromhtml1 {\\*\\htmltag64 <p>}\\htmlrtf {\\htmlrtf0 Hei\\htmlrtf\\par}\\htmlrtf0\r\n}", "Hei\n"),
            ("{\\rtf1 a{\\pict\\bin4 }}}}}b}", "ab"),
            ("{\\rtf1 a\\bin99999999999 b}", "a"),
            ("{\\rtf1 a}b", "a"),
            ("{\\rtf1 a}}}b", "a"),
            ("{\\rtf1 a\\'", "a"),
            ("{\\rtf1 a\\", "a"),
            ("{\\rtf1 a\\u", "a\u{fffd}"),
            ("{\\rtf1 a\0b\\'00\\u0 ?c}", "abc"),
            (&deep, "abc"),
            ("plain", ""),
            ("", ""),
        ] {
            assert_eq!(text(rtf.as_bytes(), MAX), expected, "{}", &rtf[..rtf.len().min(80)]);
        }
    }

    #[test]
    fn little_does_not_become_much() {
        // Every token copies 17 bytes.
        let bomb: Vec<u8> = std::iter::repeat_n([0xff, 0, 0xf], 1_000_000).flatten().collect();
        let began = std::time::Instant::now();
        assert!(unpack(&bomb).len() <= RTF_BYTES_MAX);
        let long = format!("{{\\rtf1 {}", "abc ".repeat(100_000));
        assert!(text(long.as_bytes(), 1000).len() <= 1100);
        assert!(began.elapsed() < std::time::Duration::from_secs(2));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), words in "[{}\\\\u'*a-z0-9 -]{0,200}") {
            unpack(&bytes);
            let mut rtf = b"{\\rtf1 ".to_vec();
            rtf.extend_from_slice(words.as_bytes());
            rtf.extend_from_slice(&bytes);
            prop_assert!(!text(&rtf, MAX).contains('\0'));
        }
    }
}
