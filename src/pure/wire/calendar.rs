//! Invitations (iCalendar, RFC 5545; iTIP, RFC 5546) → the lines that an agent must see.
//!
//! **Invariant:** one pass, nothing kept but what is shown; times are shown as written, with their zone,
//! and never calculated with.

use super::mail_parts::{clean_line, cut};

/// Bytes read; an invitation with a long agenda and fifty guests has some twenty thousand.
const CALENDAR_BYTES_MAX: usize = 64 * 1024;
/// Bytes kept of a summary or a place.
const VALUE_BYTES_MAX: usize = 500;

/// What an invitation says, on up to four lines: `[REQUEST] Summary`, the time, the place; of an answer to one
/// `[REPLY: DECLINED] Summary`, and what was written with it. `None` when it holds no event.
pub fn lines(source: &str) -> Option<String> {
    let mut method = String::new();
    let mut event: [Option<String>; 5] = Default::default();
    let mut answer = None;
    let (mut depth, mut is_found) = (0_usize, false);
    for line in unfolded(cut(source, CALENDAR_BYTES_MAX)) {
        let Some((name, value)) = line.split_once(':').map(|_| split_value(&line)) else { continue };
        let (property, parameters) = name.split_once(';').unwrap_or((name, ""));
        match property.to_ascii_uppercase().as_str() {
            "BEGIN" if value.eq_ignore_ascii_case("VEVENT") && !is_found => (depth, is_found) = (1, true),
            "BEGIN" if depth > 0 => depth += 1,
            "END" if depth > 0 => depth -= 1,
            "METHOD" if depth == 0 => method = clean_line(value, 40).to_ascii_uppercase(),
            "SUMMARY" if depth == 1 => event[0] = Some(text(value)),
            "DTSTART" if depth == 1 => event[1] = Some(time(parameters, value)),
            "DTEND" if depth == 1 => event[2] = Some(time(parameters, value)),
            "LOCATION" if depth == 1 => event[3] = Some(text(value)),
            "COMMENT" if depth == 1 => event[4] = Some(text(value)),
            // Whoever answers is the only one named (RFC 5546 3.2.3).
            "ATTENDEE" if depth == 1 => answer = answer.or_else(|| parameter(parameters, "PARTSTAT")),
            _ => {}
        }
    }
    let [summary, start, end, place, comment] = event;
    let answer = answer.filter(|_| matches!(method.as_str(), "REPLY" | "COUNTER"));
    let method = [Some(method), answer].into_iter().flatten().collect::<Vec<_>>().join(": ");
    let method = if method.is_empty() { String::new() } else { format!("[{method}] ") };
    let title = format!("{method}{}", summary.unwrap_or_default());
    let times: Vec<String> = [start, end].into_iter().flatten().filter(|time| !time.is_empty()).collect();
    let all = [title.trim().to_owned(), times.join(" – "), place.unwrap_or_default(), comment.unwrap_or_default()];
    let shown: Vec<String> = all.into_iter().filter(|line| !line.is_empty()).collect();
    (is_found && !shown.is_empty()).then(|| shown.join("\n"))
}

/// Lines with those joined that were folded (RFC 5545 3.1).
fn unfolded(source: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in source.lines() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// Name with parameters, and value; a colon in a quoted parameter divides nothing.
fn split_value(line: &str) -> (&str, &str) {
    let mut is_quoted = false;
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b':' if !is_quoted => return (&line[..at], &line[at + 1..]),
            _ => {}
        }
    }
    (line, "")
}

/// The value of a parameter.
fn parameter(parameters: &str, name: &str) -> Option<String> {
    let mut pairs = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
    let (_, value) = pairs.find(|(found, _)| found.eq_ignore_ascii_case(name))?;
    Some(clean_line(value.trim_matches('"'), 60))
}

/// A text value, its escapes undone (RFC 5545 3.3.11).
fn text(value: &str) -> String {
    let plain = value.replace("\\n", " ").replace("\\N", " ").replace("\\,", ",").replace("\\;", ";");
    clean_line(&plain.replace("\\\\", "\\"), VALUE_BYTES_MAX)
}

/// `20260302T100000` with `TZID=Europe/Helsinki` → `2026-03-02 10:00 Europe/Helsinki`; what has another
/// form as it is.
fn time(parameters: &str, value: &str) -> String {
    let bytes = value.trim().as_bytes();
    let digits = |range: std::ops::Range<usize>| {
        bytes.get(range).filter(|b| b.iter().all(u8::is_ascii_digit)).map(|b| String::from_utf8_lossy(b).into_owned())
    };
    let (Some(year), Some(month), Some(day)) = (digits(0..4), digits(4..6), digits(6..8)) else {
        return clean_line(value, VALUE_BYTES_MAX);
    };
    let mut shown = format!("{year}-{month}-{day}");
    if let (Some(hour), Some(minute), Some(b'T')) = (digits(9..11), digits(11..13), bytes.get(8)) {
        shown.push_str(&format!(" {hour}:{minute}"));
        let zone = if bytes.ends_with(b"Z") { Some("UTC".to_owned()) } else { parameter(parameters, "TZID") };
        if let Some(zone) = zone {
            shown.push(' ');
            shown.push_str(&zone);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn an_invitation_says_what_when_and_where() {
        let table = [
            (
                "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\nDTSTART:16010101T000000\r\nEND:VTIMEZONE\r\n\
                 BEGIN:VEVENT\r\nSUMMARY;LANGUAGE=fi:Käynti\\, sähkö\r\n työt\r\nDTSTART;TZID=\"FLE Standard Time\":20260302T100000\r\n\
                 DTEND;TZID=\"FLE Standard Time\":20260302T110000\r\nLOCATION:Katu 1\r\nBEGIN:VALARM\r\nSUMMARY:no\r\nEND:VALARM\r\n\
                 END:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:second\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
                Some(
                    "[REQUEST] Käynti, sähkötyöt\n2026-03-02 10:00 FLE Standard Time – 2026-03-02 11:00 FLE Standard Time\nKatu 1",
                ),
            ),
            (
                "METHOD:CANCEL\nBEGIN:VEVENT\nDTSTART:20260302T080000Z\nEND:VEVENT",
                Some("[CANCEL]\n2026-03-02 08:00 UTC"),
            ),
            (
                "METHOD:REPLY\nBEGIN:VEVENT\nATTENDEE;CN=\"Minna; V\";PARTSTAT=DECLINED:mailto:minna@posti.example\nSUMMARY:Asennus\n\
                 DTSTART:20260302T080000Z\nCOMMENT:Käykö\\, tiistai?\nEND:VEVENT",
                Some("[REPLY: DECLINED] Asennus\n2026-03-02 08:00 UTC\nKäykö, tiistai?"),
            ),
            (
                "METHOD:REQUEST\nBEGIN:VEVENT\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:desk@shop.example\nSUMMARY:Asennus\nEND:VEVENT",
                Some("[REQUEST] Asennus"),
            ),
            ("BEGIN:VEVENT\nSUMMARY:Päivä\nDTSTART;VALUE=DATE:20260302\nEND:VEVENT", Some("Päivä\n2026-03-02")),
            ("BEGIN:VTODO\nSUMMARY:x\nEND:VTODO", None),
            ("", None),
        ];
        for (source, expected) in table {
            assert_eq!(lines(source).as_deref(), expected, "{source}");
        }
    }
}
