//! Values of header fields: unfolding, encoded words, addresses, ids, parameters (RFC 5322, RFC 2047, RFC 2231).
//!
//! **Invariant:** no more than [`FIELD_BYTES_MAX`] of a value are read, whatever it holds.

use super::decode::{clean_line, decode_charset, is_gb2312};
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::parsers::MessageStream;
use mail_parser::{Address, ContentType, HeaderValue};
use std::borrow::Cow;

/// Bytes read of one field's value: 16 KiB hold some 300 recipients or references.
pub const FIELD_BYTES_MAX: usize = 16 * 1024;
/// Encoded words read in one field; reading an unfinished one costs the rest of the field.
const ENCODED_WORDS_MAX: usize = 256;

/// A field's value on one line, in Unicode, without control characters, cut to [`FIELD_BYTES_MAX`].
/// Raw bytes that are not UTF-8 (RFC 6532) are read as windows-1252, as old clients meant them.
pub fn unfold(value: &[u8]) -> String {
    unfold_as(value, None)
}

/// The same, where it is known which charset the sender's program uses.
fn unfold_as(value: &[u8], charset: Option<&str>) -> String {
    let value = &value[..value.len().min(FIELD_BYTES_MAX)];
    let text = match std::str::from_utf8(value) {
        Ok(text) => Cow::Borrowed(text),
        Err(error) if value.len() - error.valid_up_to() < 4 && value.len() == FIELD_BYTES_MAX => {
            String::from_utf8_lossy(&value[..error.valid_up_to()])
        }
        // The program's charset says little of a header that was written in Chinese.
        Err(_) if is_gb2312(value) => Cow::Owned(decode_charset(value, None)),
        Err(_) => Cow::Owned(decode_charset(value, charset.filter(|label| is_eight_bit(label)))),
    };
    text.chars().filter(|&c| c == '\t' || !c.is_control()).map(|c| if c == '\t' { ' ' } else { c }).collect()
}

/// Whether text in the charset could be what stands raw in a header.
fn is_eight_bit(label: &str) -> bool {
    !label.to_ascii_lowercase().starts_with("utf") && charset_decoder(label.as_bytes()).is_some()
}

/// A value as `mail-parser` wants it: one line, ended, encoded words joined and limited.
fn prepared(value: &[u8], charset: Option<&str>) -> Vec<u8> {
    let value = &value[..value.len().min(FIELD_BYTES_MAX)];
    let has_words = value.windows(2).any(|window| window == b"=?");
    if has_words && std::str::from_utf8(value).is_err() {
        // Raw bytes within encoded words are in the charset that the word names.
        let mut line: Vec<u8> = value.iter().copied().filter(|byte| !byte.is_ascii_control()).collect();
        let end = line.windows(2).enumerate().filter(|(_, window)| *window == b"=?").nth(ENCODED_WORDS_MAX);
        line.truncate(end.map_or(line.len(), |(at, _)| at));
        line.push(b'\n');
        return line;
    }
    let text = join_encoded_words(&unfold_as(value, charset));
    let end = text.match_indices("=?").nth(ENCODED_WORDS_MAX).map_or(text.len(), |(at, _)| at);
    let mut line = text.as_bytes()[..end].to_vec();
    line.push(b'\n');
    line
}

/// Joins neighbouring encoded words of one charset and encoding, for many clients cut them in the
/// middle of a character, which RFC 2047 5 forbids.
fn join_encoded_words(text: &str) -> String {
    if text.matches("=?").take(2).count() < 2 {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut open: Option<(&str, bool)> = None;
    while let Some(at) = rest.find("=?") {
        let (before, word) = rest.split_at(at);
        let Some((head, payload, length)) = encoded_word(word) else {
            out.push_str(&rest[..at + 2]);
            rest = &rest[at + 2..];
            open = None;
            continue;
        };
        let is_base64 = head.ends_with("?b?") || head.ends_with("?B?");
        let joins = open.is_some_and(|(head_before, whole)| whole && head_before.eq_ignore_ascii_case(head));
        if joins && before.chars().all(char::is_whitespace) {
            out.truncate(out.len() - 2);
        } else {
            out.push_str(before);
            out.push_str(head);
        }
        out.push_str(payload);
        out.push_str("?=");
        open = Some((head, !is_base64 || (payload.len() % 4 == 0 && !payload.ends_with('='))));
        rest = &word[length..];
    }
    out.push_str(rest);
    out
}

/// Splits `=?charset?q?payload?=…` into its head, its payload and its length.
fn encoded_word(text: &str) -> Option<(&str, &str, usize)> {
    // RFC 2047 2 allows 75 characters; clients write whole subjects into one.
    let charset_end = text[2..].find('?').filter(|&at| at > 0 && at < 50)? + 2;
    let head_end = charset_end + 3;
    let is_encoding = text.as_bytes().get(charset_end + 1).is_some_and(|b| b"bBqQ".contains(b));
    if !is_encoding || text.as_bytes().get(charset_end + 2) != Some(&b'?') {
        return None;
    }
    let payload_end = head_end + text.get(head_end..)?.find('?')?;
    (text.get(payload_end..payload_end + 2) == Some("?="))
        .then(|| (&text[..head_end], &text[head_end..payload_end], payload_end + 2))
}

/// A field of free text, decoded (RFC 2047) and on one line. `charset` is what raw bytes are taken for.
pub fn decode_unstructured(value: &[u8], charset: Option<&str>) -> String {
    match MessageStream::new(&prepared(value, charset)).parse_unstructured() {
        HeaderValue::Text(text) => clean_line(&text, FIELD_BYTES_MAX),
        _ => String::new(),
    }
}

/// Name and address as written; either may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Display name or comment, decoded.
    pub name: String,
    /// What stands where an address should.
    pub address: String,
}

/// The mailboxes of an address field (RFC 5322 3.4), groups opened, at most `max`. `charset` is what
/// raw bytes are taken for.
pub fn decode_addresses(value: &[u8], charset: Option<&str>, max: usize) -> Vec<Mailbox> {
    let line = prepared(value, charset);
    let parsed = MessageStream::new(&line).parse_address();
    let addresses = match &parsed {
        HeaderValue::Address(Address::List(list)) => list.iter().take(max).collect::<Vec<_>>(),
        HeaderValue::Address(Address::Group(groups)) => {
            groups.iter().flat_map(|group| &group.addresses).take(max).collect()
        }
        _ => Vec::new(),
    };
    let text = |value: &Option<Cow<'_, str>>| value.as_deref().map(|v| clean_line(v, 998)).unwrap_or_default();
    addresses.iter().map(|a| Mailbox { name: text(&a.name), address: text(&a.address) }).collect()
}

/// Message ids of a field, without angle brackets, in order; garbage around them is left out, and a
/// lone id without brackets is taken.
pub fn decode_ids(value: &[u8], max: usize) -> Vec<String> {
    let text = unfold(value);
    let id = |text: &str| {
        let id: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        (!id.is_empty() && id.len() <= ID_BYTES_MAX).then_some(id)
    };
    let mut ids: Vec<String> = Vec::new();
    let mut rest = text.as_str();
    let mut is_bracketed = false;
    while let Some(start) = rest.find('<') {
        let Some(length) = rest[start + 1..].find('>') else { break };
        // An unclosed bracket before this one: the id is what follows the last of them.
        let inside = rest[start + 1..start + 1 + length].rsplit('<').next().unwrap_or_default();
        // `Message from Anna <anna@example.fi> of Monday <id>` (RFC 822 4.6.2): the first is no id.
        let is_author = rest[..start].split_whitespace().any(|word| word.eq_ignore_ascii_case("from"));
        ids.extend(id(inside).filter(|_| !is_author));
        is_bracketed = true;
        rest = &rest[start + length + 2..];
        if ids.len() >= max {
            return ids;
        }
    }
    if !is_bracketed {
        let words = text.split(|c: char| c.is_whitespace() || c == ',').map(|w| w.trim_matches(['<', '>', '"']));
        ids.extend(words.filter(|word| word.contains('@')).filter_map(id).take(max));
    }
    ids
}

/// Longest message id kept; RFC 5322 allows a line of 998.
const ID_BYTES_MAX: usize = 998;

pub(super) fn parse_content_type(value: &[u8]) -> Option<ContentType<'static>> {
    match MessageStream::new(&prepared(value, None)).parse_content_type() {
        HeaderValue::ContentType(content_type) => Some(ContentType {
            c_type: content_type.c_type.into_owned().into(),
            c_subtype: content_type.c_subtype.map(|s| s.into_owned().into()),
            attributes: content_type.attributes.map(|list| list.into_iter().map(owned).collect()),
        }),
        _ => None,
    }
}

fn owned(attribute: mail_parser::Attribute<'_>) -> mail_parser::Attribute<'static> {
    mail_parser::Attribute { name: attribute.name.into_owned().into(), value: attribute.value.into_owned().into() }
}

#[cfg(test)]
mod tests {
    use super::decode_ids;

    #[test]
    fn an_author_named_before_the_id_is_no_id() {
        for (field, ids) in [
            ("<a@x>", "a@x"),
            ("<a@x> <b@x>", "a@x b@x"),
            ("Message from \"Anna Aho\" <anna@posti.example> of \"Fri, 19 Jul 2002 15:22:26 BST.\" <a@x>", "a@x"),
            ("Message from Anna <anna@posti.example> of 23 Jul 2002", ""),
            ("Your message of \"Thu, 01 Aug 2002\" <a@x>", "a@x"),
            ("<a@x>; from anna@posti.example on Fri, Jul 19, 2002", "a@x"),
            ("<a@x> from Anna Aho <anna@posti.example> at Fri", "a@x"),
            ("a@x", "a@x"),
        ] {
            assert_eq!(decode_ids(field.as_bytes(), 9).join(" "), ids, "{field}");
        }
    }
}
