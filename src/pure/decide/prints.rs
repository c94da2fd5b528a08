//! A few passages of a text, by which a quotation of it is known again.
//!
//! A passage is a sentence or a paragraph without one. Clients wrap and indent what they quote, so only letters
//! and digits count. Of all passages the few with the least hashes are taken, of the text and of a quotation
//! alike: however much else stands in either, those who quote the whole take the same ones.
//!
//! **Invariant:** linear time, nothing allocated but the result. What is kept of a passage is a keyed hash of
//! this one ([`Keyer::print`](super::lookup::Keyer::print)).

use crate::pure::domain::message::Print;

/// Shorter passages are phrases that many write. Letters and digits.
const LETTERS_MIN: usize = 24;
/// Text searched: nobody quotes more. Bytes.
const SEARCH_BYTES_MAX: usize = 16 * 1024;
/// Passages that a message leaves for those who quote it: two, so that one who cuts the other is still found.
pub const OWN_MAX: usize = 2;
/// Passages of a quotation that are looked up, for it may hold more than one message said.
pub const QUOTED_MAX: usize = 3;

/// FNV-1a, 64 bits (draft-eastlake-fnv): cheap, the same on every machine and for good.
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

/// The passages of a text with the least hashes, ascending, at most `max`.
pub fn prints(text: &str, max: usize) -> Vec<Print> {
    let text = &text[..text.floor_char_boundary(SEARCH_BYTES_MAX)];
    let mut least = Least { prints: Vec::new(), max };
    let (mut hash, mut letters) = (FNV_OFFSET, 0);
    let (mut is_ended, mut line_ends) = (false, 0);
    let mut bytes = [0; 4];
    for c in text.chars() {
        if c.is_whitespace() {
            line_ends += usize::from(c == '\n');
            if is_ended || line_ends > 1 {
                least.take(hash, letters);
                (hash, letters, is_ended) = (FNV_OFFSET, 0, false);
            }
            continue;
        }
        line_ends = 0;
        is_ended = matches!(c, '.' | '!' | '?' | ':' | '…' | '。');
        if c.is_ascii() {
            if c.is_ascii_alphanumeric() {
                letters += 1;
                hash = (hash ^ u64::from(c.to_ascii_lowercase() as u8)).wrapping_mul(FNV_PRIME);
            }
        } else if c.is_alphanumeric() {
            letters += 1;
            for lower in c.to_lowercase() {
                for byte in lower.encode_utf8(&mut bytes).bytes() {
                    hash = (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
                }
            }
        }
    }
    least.take(hash, letters);
    least.prints
}

struct Least {
    prints: Vec<Print>,
    max: usize,
}

impl Least {
    fn take(&mut self, hash: u64, letters: usize) {
        let print = Print(hash);
        if letters < LETTERS_MIN {
            return;
        }
        if let Err(at) = self.prints.binary_search(&print)
            && at < self.max
        {
            self.prints.truncate(self.max.saturating_sub(1));
            self.prints.insert(at, print);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Hei!\n\nOlen odottanut pakettia jo kaksi viikkoa. Seurannan mukaan se on yhä Vantaalla.\nVoitteko \
        selvittää, missä se oikeasti on?\n\nKiitos";

    #[test]
    fn a_quotation_is_known_however_it_is_wrapped() {
        let whole = prints(TEXT, OWN_MAX);
        assert_eq!(whole.len(), OWN_MAX);
        let wrapped = "hei\n\nolen odottanut pakettia\njo kaksi viikkoa.  Seurannan\nmukaan se on yhä\nVANTAALLA. \
            Voitteko\nselvittää, missä se oikeasti on?";
        assert_eq!(prints(wrapped, OWN_MAX), whole);
        let one = prints("Olen odottanut pakettia jo kaksi viikkoa.", QUOTED_MAX);
        assert!(prints(TEXT, 9).contains(&one[0]));
    }

    #[test]
    fn phrases_are_no_passages() {
        for text in ["", "Hei, kiitos viestistäsi!", "Ok.\n\nTerveisin\n\nMinna", "4001 2345"] {
            assert_eq!(prints(text, OWN_MAX), Vec::new(), "{text}");
        }
        let twice = format!("{TEXT}\n\n{TEXT}");
        assert_eq!(prints(&twice, 9), prints(TEXT, 9), "each once");
        assert_eq!(prints(&"sana ".repeat(1_000_000), OWN_MAX).len(), 1, "a long text is searched in part");
    }
}
