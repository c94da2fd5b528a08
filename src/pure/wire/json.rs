//! JSON as vendors really send it: read piece by piece, so that one odd piece costs itself only.
//!
//! A payload becomes a [`Value`] and every field is asked for where it is needed. Refused: typed
//! structs for whole payloads, for one number where a text was promised would fail the batch.
//!
//! **Invariant:** no text that leaves this module holds a NUL (Postgres cannot store one), and
//! nothing here panics, recurses by the depth of the input or repeats the customer's data in a fault.

use super::batch::Batch;
use crate::pure::domain::Timestamp;
use crate::pure::domain::message::Fault;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// Longest vendor's id kept as it is, in bytes; those in use have up to 200. A longer one is not an id.
const ID_BYTES_MAX: usize = 512;

/// Longest vendor's word repeated in a text or fault, in characters.
const WORD_CHARS_MAX: usize = 40;

/// Below this a number of time is in seconds, from it on in milliseconds: 10^11 s is the year 5138,
/// 10^11 ms was in 1973.
const SECONDS_BELOW: u64 = 100_000_000_000;

/// The body as JSON.
///
/// A byte order mark is passed over. `\ud83d` without its other half, which a text cut in the middle
/// of an emoji leaves behind, becomes U+FFFD instead of costing the whole batch.
///
/// # Errors
/// The fault `not_json`: also for bytes that are not UTF-8 and for nesting deeper than 128 levels,
/// which is where the parser stops before its stack does.
pub fn read(body: &[u8]) -> Result<Value, Fault> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let first = match serde_json::from_slice(body) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if let Cow::Owned(mended) = without_lone_surrogates(body)
        && let Ok(value) = serde_json::from_slice(&mended)
    {
        return Ok(value);
    }
    Err(Fault::new("not_json", format!("the body is not JSON that can be read: {first}")))
}

/// Replaces escaped halves of surrogate pairs that stand alone by `\ufffd`, which is as long.
fn without_lone_surrogates(body: &[u8]) -> Cow<'_, [u8]> {
    let unit = |at: usize| -> Option<u16> {
        let hex = body.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
    };
    let mut mended = Cow::Borrowed(body);
    let mut at = 0;
    while at < body.len() {
        at += match (body[at], unit(at)) {
            (b'\\', Some(0xd800..=0xdbff)) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => 12,
            (b'\\', Some(0xd800..=0xdfff)) => {
                mended.to_mut()[at..at + 6].copy_from_slice(b"\\ufffd");
                6
            }
            // Also steps over `\\`, so that the `u` after it is not taken for an escape.
            (b'\\', _) => 2,
            _ => 1,
        };
    }
    mended
}

/// The text under a key, without NULs; `None` for anything that is no text.
pub fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(clean)
}

/// A text under a key that says something: not blank.
pub fn filled(value: &Value, key: &str) -> Option<String> {
    text(value, key).filter(|text| !text.trim().is_empty())
}

/// The text without what no database of ours can hold.
pub fn clean(text: &str) -> String {
    text.replace('\0', "")
}

/// A vendor's id under a key: a text or a whole number, as vendors change their minds.
/// `None` when it is blank or too long to be one.
pub fn id(value: &Value, key: &str) -> Option<String> {
    let id = match value.get(key)? {
        Value::String(text) => clean(text).trim().to_owned(),
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        _ => return None,
    };
    (!id.is_empty() && id.len() <= ID_BYTES_MAX).then_some(id)
}

/// The elements of the list under a key that were not redacted. Absent and null are an empty list; anything else that is no
/// list is the fault `not_a_list`.
pub fn list<'a>(value: &'a Value, key: &str, batch: &mut Batch) -> Vec<&'a Value> {
    match value.get(key) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(elements)) => elements.iter().filter(|element| !batch.is_redacted(element)).collect(),
        Some(_) => {
            batch.fault("not_a_list", format!("`{key}` is not a list"));
            Vec::new()
        }
    }
}

/// The elements of the list under a key, for lists whose shape is not worth a fault.
pub fn elements<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether there is anything under a key.
pub fn has(value: &Value, key: &str) -> bool {
    value.get(key).is_some_and(|found| !found.is_null())
}

/// A time: Unix seconds or milliseconds as number or digits, or ISO 8601; without a zone it is UTC.
pub fn timestamp(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|n| n as i64)).and_then(unix),
        Value::String(text) => {
            let text = text.trim();
            let iso = || text.parse().ok().or_else(|| in_utc(text));
            text.parse().ok().and_then(unix).or_else(iso)
        }
        _ => None,
    }
}

fn unix(number: i64) -> Option<Timestamp> {
    match number.unsigned_abs() < SECONDS_BELOW {
        true => Timestamp::from_second(number).ok(),
        false => Timestamp::from_millisecond(number).ok(),
    }
}

fn in_utc(text: &str) -> Option<Timestamp> {
    let local: jiff::civil::DateTime = text.parse().ok()?;
    Some(local.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

/// A vendor's word fit to be shown: letters, digits and `_.:-` only, cut short. What a vendor calls
/// a thing is no customer's data; what else stands in its place might be.
pub fn word(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_.:-".contains(c) { c } else { '_' };
    text.trim().chars().take(WORD_CHARS_MAX).map(plain).collect()
}

/// A key for what the vendor gave none: the same element gives the same key whenever it is
/// delivered, in whatever order its fields stand. `parts` tell elements apart that look alike.
pub fn made_key(parts: &[&str], element: &Value) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.update(element.to_string().as_bytes());
    format!("made:{}", hex::encode(&hash.finalize()[..16]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lone_surrogates_cost_one_character() {
        let table = [
            (r#"{"a":"\ud83d\ude00"}"#, "😀"),
            (r#"{"a":"cut \ud83d"}"#, "cut \u{fffd}"),
            (r#"{"a":"\ude00 cut"}"#, "\u{fffd} cut"),
            (r#"{"a":"\ud83d\ud83d\ude00"}"#, "\u{fffd}😀"),
            (r#"{"a":"\\ud83d"}"#, "\\ud83d"),
            (r#"{"a":"\\\ud83d"}"#, "\\\u{fffd}"),
            ("\u{feff}{\"a\":\"mark\"}", "mark"),
            (r#"{"a":"n\u0000ul"}"#, "nul"),
        ];
        for (body, expected) in table {
            assert_eq!(
                read(body.as_bytes()).ok().and_then(|value| text(&value, "a")).as_deref(),
                Some(expected),
                "{body}"
            );
        }
    }

    #[test]
    fn what_cannot_be_read_is_one_fault() {
        let deep = "[".repeat(5_000);
        for body in ["", "{", "\u{feff}", "{\"a\":\"\\ud83d\"", "nul", deep.as_str()] {
            assert_eq!(read(body.as_bytes()).unwrap_err().code, "not_json", "{:.20}", body);
        }
        assert_eq!(read(b"{\"a\":\"\xff\"}").unwrap_err().code, "not_json");
    }

    #[test]
    fn times_of_every_shape() {
        let at = "2022-11-23T20:02:58Z".parse::<Timestamp>().unwrap();
        for value in [
            json!("1669233778"),
            json!(1669233778),
            json!(1669233778000i64),
            json!("1669233778000"),
            json!(1669233778.4),
            json!("2022-11-23T20:02:58Z"),
            json!("2022-11-23T22:02:58+02:00"),
            json!("2022-11-23 20:02:58"),
        ] {
            assert_eq!(timestamp(&value), Some(at), "{value}");
        }
        for value in [json!("asdf"), json!(null), json!({}), json!(i64::MAX), json!(i64::MIN), json!(1e300), json!("")]
        {
            assert!(timestamp(&value).is_none_or(|t| t != at), "{value}");
        }
    }

    #[test]
    fn ids_are_texts_or_whole_numbers() {
        let table = [
            (json!(" a1 "), Some("a1")),
            (json!(5678), Some("5678")),
            (json!(1.5), None),
            (json!(""), None),
            (json!("x".repeat(513)), None),
            (json!(true), None),
            (json!("a\u{0}b"), Some("ab")),
        ];
        for (value, expected) in table {
            assert_eq!(id(&json!({ "id": value }), "id").as_deref(), expected);
        }
    }

    #[test]
    fn made_keys_depend_on_the_content_only() {
        let one = read(br#"{"a":1,"b":{"c":2,"d":3}}"#).unwrap();
        let same = read(br#"{ "b": {"d":3,"c":2}, "a":1 }"#).unwrap();
        assert_eq!(made_key(&["x"], &one), made_key(&["x"], &same));
        assert_ne!(made_key(&["x"], &one), made_key(&["y"], &one));
        assert_ne!(made_key(&["x", "y"], &one), made_key(&["xy", ""], &one));
    }
}
