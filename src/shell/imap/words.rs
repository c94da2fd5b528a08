//! Words that commands are made of: names of folders, sets of UIDs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::fmt::Write;

/// Ascending UIDs as IMAP writes a set: `4:6,9`. Ranges name only mails that were listed.
pub(in crate::shell) fn uid_set(uids: &[u32]) -> String {
    let mut set = String::new();
    for run in uids.chunk_by(|one, next| one.checked_add(1) == Some(*next)) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        let comma = if set.is_empty() { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = if first == last { write!(set, "{comma}{first}") } else { write!(set, "{comma}{first}:{last}") };
    }
    set
}

/// A name in modified UTF-7.
pub(in crate::shell) fn encoded(name: &str) -> String {
    let mut wire = String::new();
    for run in name.chars().collect::<Vec<_>>().chunk_by(|one, next| is_ascii(*one) == is_ascii(*next)) {
        if run.first().copied().is_some_and(is_ascii) {
            wire.extend(run.iter().map(|c| if *c == '&' { "&-".to_owned() } else { c.to_string() }));
        } else {
            let utf16: Vec<u8> = String::from_iter(run).encode_utf16().flat_map(u16::to_be_bytes).collect();
            let base64 = STANDARD_NO_PAD.encode(utf16).replace('/', ",");
            wire.extend(["&", &base64, "-"]);
        }
    }
    wire
}

/// A name out of modified UTF-7; what is none stays as it is.
pub(in crate::shell) fn decoded(wire: &str) -> String {
    let mut name = String::new();
    let mut rest = wire;
    while let Some((before, after)) = rest.split_once('&') {
        name.push_str(before);
        let Some((code, behind)) = after.split_once('-') else { return wire.to_owned() };
        if code.is_empty() {
            name.push('&');
        } else {
            let bytes = STANDARD_NO_PAD.decode(code.replace(',', "/"));
            let units = bytes
                .ok()
                .filter(|bytes| bytes.len() % 2 == 0)
                .map(|bytes| bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect::<Vec<_>>());
            match units.and_then(|units| String::from_utf16(&units).ok()) {
                Some(text) => name.push_str(&text),
                None => return wire.to_owned(),
            }
        }
        rest = behind;
    }
    name + rest
}

fn is_ascii(c: char) -> bool {
    (' '..='~').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uid_sets_are_short() {
        let table: [(&[u32], &str); 5] =
            [(&[], ""), (&[7], "7"), (&[1, 2, 3], "1:3"), (&[1, 3, 4, 9], "1,3:4,9"), (&[u32::MAX], "4294967295")];
        for (uids, set) in table {
            assert_eq!(uid_set(uids), set);
        }
    }
}
