//! Transfer encodings and charsets of a part's body (RFC 2045 6), and text cut to its limits.
//!
//! **Invariant:** nothing here fails, and nothing grows: what is decoded is no longer than three times its source.

use super::{TransferEncoding, line_end};
use mail_parser::decoders::charsets::map::charset_decoder;
use std::borrow::Cow;

/// Undoes a transfer encoding. Nothing fails: what does not belong is passed over.
pub(super) fn decode_transfer(bytes: &[u8], encoding: TransferEncoding) -> Cow<'_, [u8]> {
    match encoding {
        TransferEncoding::Identity => Cow::Borrowed(bytes),
        TransferEncoding::Base64 => Cow::Owned(decode_base64(bytes)),
        TransferEncoding::QuotedPrintable => Cow::Owned(decode_quoted_printable(bytes)),
        TransferEncoding::Uuencode => decode_uuencode(bytes).map_or(Cow::Borrowed(bytes), Cow::Owned),
    }
}

/// Base64, foreign characters passed over (RFC 2045 6.8). Padding ends a group, not the data: some
/// clients glue encoded pieces together.
pub fn decode_base64(bytes: &[u8]) -> Vec<u8> {
    const SKIP: u8 = 0xff;
    const TABLE: [u8; 256] = {
        let mut table = [SKIP; 256];
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut at = 0;
        while at < 64 {
            table[alphabet[at] as usize] = at as u8;
            at += 1;
        }
        table
    };
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3 + 3);
    let mut group: u32 = 0;
    let mut bits = 0;
    for &byte in bytes {
        let value = TABLE[usize::from(byte)];
        if value != SKIP {
            group = group << 6 | u32::from(value);
            bits += 6;
            if bits == 24 {
                out.extend_from_slice(&group.to_be_bytes()[1..]);
                (group, bits) = (0, 0);
            }
        } else if byte == b'=' {
            flush(&mut out, group, bits);
            (group, bits) = (0, 0);
        }
    }
    flush(&mut out, group, bits);
    out
}

/// Writes the whole bytes of a group that ended early.
fn flush(out: &mut Vec<u8>, group: u32, bits: u32) {
    match bits {
        12 => out.push((group >> 4) as u8),
        18 => out.extend_from_slice(&((group >> 2) as u16).to_be_bytes()),
        _ => {}
    }
}

/// Quoted-printable; an `=` that begins nothing stays as it is.
fn decode_quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let (end, next) = line_end(bytes, at, bytes.len());
        // Blanks at the end of a line were added on the way (RFC 2045 6.7 rule 3).
        let line = bytes[at..end].trim_ascii_end();
        let (line, is_soft) = line.strip_suffix(b"=").map_or((line, false), |line| (line, true));
        let mut i = 0;
        while i < line.len() {
            let hex = |at: usize| line.get(at).and_then(|&b| char::from(b).to_digit(16));
            match (line[i], hex(i + 1), hex(i + 2)) {
                (b'=', Some(high), Some(low)) => {
                    out.push((high * 16 + low) as u8);
                    i += 3;
                }
                (byte, ..) => {
                    out.push(byte);
                    i += 1;
                }
            }
        }
        if !is_soft {
            out.extend_from_slice(&bytes[end..next]);
        }
        at = next;
    }
    out
}

/// Uuencoded data between `begin` and `end`; `None` when there is none.
fn decode_uuencode(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut lines = bytes.split(|&b| b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.find(|line| line.starts_with(b"begin "))?;
    let mut out = Vec::new();
    for line in lines {
        let Some((&first, data)) = line.split_first() else { continue };
        if line == b"end" {
            break;
        }
        let length = usize::from(first.wrapping_sub(32) & 63);
        let start = out.len();
        for group in data.chunks(4) {
            let value = |at: usize| u32::from(group.get(at).copied().unwrap_or(b' ').wrapping_sub(32) & 63);
            let group = value(0) << 18 | value(1) << 12 | value(2) << 6 | value(3);
            out.extend_from_slice(&group.to_be_bytes()[1..]);
        }
        out.truncate(start + length);
    }
    Some(out)
}

/// The name of a code page of Windows; the reader of charsets guesses where it is not known.
pub fn code_page(number: u32) -> String {
    match number {
        932 => "shift_jis".to_owned(),
        936 => "gbk".to_owned(),
        949 => "euc-kr".to_owned(),
        950 => "big5".to_owned(),
        20_866 => "koi8-r".to_owned(),
        21_866 => "koi8-u".to_owned(),
        28_591..=28_606 => format!("iso-8859-{}", number - 28_590),
        65_001 => "utf-8".to_owned(),
        _ => format!("windows-{number}"),
    }
}

/// Bytes in Unicode. ASCII, no charset and an unknown one mean UTF-8 where the bytes are that, and
/// windows-1252 where not; nothing fails.
pub fn decode_charset(bytes: &[u8], charset: Option<&str>) -> String {
    let label = charset.unwrap_or_default().trim().trim_matches(['"', '\'', '_']).to_ascii_lowercase();
    let label = label.split(['$', '*', ';']).next().unwrap_or_default();
    let label = label.strip_prefix("unicode-1-1-").unwrap_or(label);
    let is_plain = matches!(label, "" | "us-ascii" | "ascii" | "utf-8" | "utf8" | "ansi_x3.4-1968" | "unknown-8bit");
    if is_plain || charset_decoder(label.as_bytes()).is_none() {
        let is_escaped = label != "utf-8" && bytes.windows(2).any(|w| w == b"\x1b$");
        return match std::str::from_utf8(bytes) {
            Ok(_) if is_escaped => decode_with("iso-2022-jp", bytes),
            Ok(text) => text.to_owned(),
            // A character cut in half, or a few bad bytes in what is UTF-8 otherwise.
            Err(_) if label.starts_with("utf") => String::from_utf8_lossy(bytes).into_owned(),
            Err(error) if error.valid_up_to() + 4 > bytes.len() && error.error_len().is_none() => {
                String::from_utf8_lossy(bytes).into_owned()
            }
            Err(_) if is_gb2312(bytes) => decode_with("gbk", bytes),
            Err(_) => decode_with("windows-1252", bytes),
        };
    }
    decode_with(label, bytes)
}

/// Bytes of a text looked at to guess its charset.
const GUESS_BYTES_MAX: usize = 4 * 1024;
/// Runs of high bytes that must look like Chinese; letters with accents rarely stand in pairs.
const GUESS_RUNS_MIN: usize = 2;

/// Whether all high bytes stand in pairs as in GB 2312, in runs longer than any European word has.
pub(super) fn is_gb2312(bytes: &[u8]) -> bool {
    let window = &bytes[..bytes.len().min(GUESS_BYTES_MAX)];
    let is_cut = window.len() < bytes.len();
    let (mut runs, mut pairs) = (0, 0);
    for run in window.split(|byte| byte.is_ascii()).filter(|run| !run.is_empty()) {
        let is_last = is_cut && run.as_ptr_range().end == window.as_ptr_range().end;
        let is_pair = |pair: &[u8]| matches!(pair, [0xa1..=0xf7, 0xa1..=0xfe]);
        if !run.chunks_exact(2).all(is_pair) || (run.len() % 2 != 0 && !is_last) {
            return false;
        }
        runs += 1;
        pairs += run.len() / 2;
    }
    pairs >= GUESS_RUNS_MIN * 2 && pairs >= runs * 2
}

fn decode_with(label: &str, bytes: &[u8]) -> String {
    match charset_decoder(label.as_bytes()).map(|decode| decode(bytes)) {
        // The WHATWG table maps charsets that are a danger to browsers to a single U+FFFD.
        Some(text) if bytes.len() > 3 && text == "\u{fffd}" => String::from_utf8_lossy(bytes).into_owned(),
        Some(text) => text,
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// One line without control characters, trimmed, cut to `bytes_max` at a character.
pub fn clean_line(text: &str, bytes_max: usize) -> String {
    let line: String = text.chars().map(|c| if matches!(c, '\t' | '\n' | '\r') { ' ' } else { c }).collect();
    let line: String = line.chars().filter(|c| !c.is_control() && *c != '\u{feff}').collect();
    cut(line.trim(), bytes_max).to_owned()
}

/// At most `bytes_max` bytes, ending at a character.
pub fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}
