//! A person's own words, apart from what is quoted and from the signature.
//!
//! Numbers and names are read from the own words and the signature only: a quotation is what somebody
//! else said. It works by lines, on plain text or what [`html`](super::html) made of HTML.
//!
//! **Invariant:** linear time: each line is looked at a bounded number of times, and only the first
//! bytes of a long one. Nothing is lost by being wrong: the whole text stays with the message.

/// What a text consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    /// The person's own words; several stretches when answers stand between quotations.
    pub own: String,
    /// What stands below the sign-off or the signature delimiter, without either: name, firm, phone.
    pub signature: String,
}

/// A line longer than this is a paragraph, never an attribution, a header or a sign-off. Bytes.
const MARKER_BYTES_MAX: usize = 300;
/// Lines an attribution is broken into by clients that wrap at 72 columns.
const ATTRIBUTION_LINES_MAX: usize = 3;
/// A quoted line at least this long may have been broken by a client that wraps. Bytes.
const WRAPPED_BYTES_MIN: usize = 60;
/// Bytes of a line that are compared with separators; the longest has 48.
const SEPARATOR_BYTES_MAX: usize = 64;
/// Lines searched for the labels of a quoted header.
const HEADER_LINES_MAX: usize = 8;
/// Lines below a sign-off, blank ones not counted; more is another paragraph.
const SIGNATURE_LINES_MAX: usize = 10;
/// Lines below `-- `, which says by itself that they are a signature.
const DELIMITED_LINES_MAX: usize = 30;
/// A signature's line is short. Characters.
const SIGNATURE_LINE_CHARS_MAX: usize = 80;

/// Takes a text apart.
pub fn split(text: &str) -> Parts {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut own = own_lines(&lines);
    let signature = take_signature(&mut own);
    Parts { own: joined(&own), signature: joined(&signature) }
}

fn joined(lines: &[&str]) -> String {
    let text = lines.join("\n");
    let text = text.trim_matches('\n').trim_end();
    text.to_owned()
}

/// The lines that are not quoted, forwarded or announcing either.
fn own_lines<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let mut own = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at].trim_start_matches(['\u{feff}', ' ', '\t']);
        if line.starts_with('>') {
            at += if is_wrapped_quote(lines, at) { 2 } else { 1 };
        } else if is_separator(line) || is_quoted_header(lines, at) {
            break;
        } else if let Some(length) = attribution(lines, at) {
            // Below an attribution everything is quoted, unless `>` says what is.
            let next = lines[at + length..].iter().find(|line| !line.is_empty());
            if next.is_some_and(|line| !line.trim_start().starts_with('>')) {
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
    own
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

/// What clients call the mail below, in lower case.
const SEPARATORS: &[&str] = &[
    "original message",
    "original mail",
    "original e-mail",
    "original email",
    "alkuperäinen viesti",
    "alkuperäinen sähköposti",
    "ursprungligt meddelande",
    "originalmeddelande",
    "oprindelig meddelelse",
    "opprinnelig melding",
    "algne sõnum",
    "algne kiri",
    "algsõnum",
    "ursprüngliche nachricht",
    "originalnachricht",
    "message d'origine",
    "message original",
    "mensaje original",
    "messaggio originale",
    "mensagem original",
    "oorspronkelijk bericht",
    "wiadomość oryginalna",
    "исходное сообщение",
    "reply message",
    "forwarded message",
    "välitetty viesti",
    "edelleenlähetetty viesti",
    "vidarebefordrat meddelande",
    "videresendt",
    "edastatud kiri",
    "edastatud sõnum",
    "weitergeleitete nachricht",
    "message transféré",
    "mensaje reenviado",
    "messaggio inoltrato",
    "mensagem encaminhada",
    "doorgestuurd bericht",
    "пересылаемое сообщение",
    "forwarded by",
    "forwarded mail",
];

/// Lines that stand alone as an announcement, without dashes.
const ANNOUNCEMENTS: &[&str] = &[
    "begin forwarded message:",
    "välitetty viesti alkaa:",
    "vidarebefordrat brev:",
    "början på vidarebefordrat brev:",
    "anfang der weitergeleiteten nachricht:",
    "début du message réexpédié",
    "inicio del mensaje reenviado:",
    "inizio messaggio inoltrato:",
    "please type your reply above this line",
    "please reply above this line",
    "reply above this line",
    "kirjoita vastauksesi tämän rivin yläpuolelle",
    "svara ovanför denna rad",
];

fn is_separator(line: &str) -> bool {
    if line.len() > MARKER_BYTES_MAX || line.len() < 8 {
        return false;
    }
    let is_mark = |c: char| matches!(c, '-' | '_' | '*' | '=' | '#' | '—' | '–' | ':') || c.is_whitespace();
    let line = line.trim();
    let bare = line.trim_matches(is_mark);
    let is_drawn = line.starts_with(['-', '_', '*', '=', '—', '–']) && bare.len() + 3 < line.len();
    // Most lines are neither drawn nor begin as an announcement does: they need no lower case.
    if !is_drawn && !bare.starts_with(|c: char| "bvadiprksBVADIPRKS".contains(c)) {
        return false;
    }
    let lower = bare.get(..bare.floor_char_boundary(SEPARATOR_BYTES_MAX)).unwrap_or_default().to_lowercase();
    (is_drawn && SEPARATORS.iter().any(|text| lower.starts_with(text)))
        || ANNOUNCEMENTS.iter().any(|text| lower.starts_with(text.trim_end_matches(':')))
}

/// Names of From in quoted headers.
const FROM_LABELS: &[&str] = &[
    "from",
    "lähettäjä",
    "keneltä",
    "från",
    "fra",
    "avsändare",
    "saatja",
    "kellelt",
    "von",
    "de",
    "expéditeur",
    "da",
    "van",
    "od",
    "nadawca",
    "от",
    "от кого",
    "reply-to",
];

/// Names of the other fields in quoted headers.
const OTHER_LABELS: &[&str] = &[
    "sent",
    "date",
    "to",
    "cc",
    "bcc",
    "subject",
    "importance",
    "reply to",
    "attachments",
    "lähetetty",
    "päiväys",
    "päivämäärä",
    "pvm",
    "vastaanottaja",
    "vastaanottajat",
    "kenelle",
    "kopio",
    "aihe",
    "liitteet",
    "tärkeys",
    "skickat",
    "skickad",
    "datum",
    "till",
    "kopia",
    "ämne",
    "sendt",
    "dato",
    "til",
    "kopi",
    "emne",
    "saadetud",
    "kuupäev",
    "saaja",
    "adressaat",
    "kellele",
    "koopia",
    "teema",
    "gesendet",
    "an",
    "betreff",
    "envoyé",
    "envoyé le",
    "date",
    "à",
    "objet",
    "sujet",
    "message du",
    "copie à",
    "enviado",
    "enviado el",
    "fecha",
    "para",
    "asunto",
    "inviato",
    "data",
    "a",
    "oggetto",
    "enviada em",
    "enviado em",
    "assunto",
    "verzonden",
    "aan",
    "onderwerp",
    "wysłano",
    "do",
    "dw",
    "temat",
    "отправлено",
    "дата",
    "кому",
    "тема",
    "копия",
];

/// Three fields of a header, From among them and one of the first two: clients quote no less.
fn is_quoted_header(lines: &[&str], at: usize) -> bool {
    let Some(first) = label(lines[at]) else { return false };
    let is_from = |label: &str| FROM_LABELS.contains(&label);
    if !is_from(&first) && !OTHER_LABELS.contains(&first.as_str()) {
        return false;
    }
    let window = &lines[at..lines.len().min(at + HEADER_LINES_MAX)];
    let labels: Vec<String> =
        window.iter().take_while(|line| !line.trim().is_empty()).filter_map(|l| label(l)).collect();
    let froms = labels.iter().filter(|label| is_from(label)).count();
    let others = labels.iter().filter(|label| OTHER_LABELS.contains(&label.as_str())).count();
    froms >= 1 && others >= 2
}

/// The label of `Label: value`, lower case, its emphasis (`*From:*`) off.
fn label(line: &str) -> Option<String> {
    let head = line.get(..line.floor_char_boundary(40))?;
    let (label, _) = head.split_once(':')?;
    let label = label.trim_matches(|c: char| matches!(c, '*' | '_' | '|') || c.is_whitespace());
    (!label.is_empty()).then(|| label.to_lowercase())
}

/// Verbs of attributions, with the blank before them where they could end another word.
const WROTE: &[&str] = &[
    " wrote",
    " writes",
    " kirjoitti",
    " kirjoittaa",
    " skrev",
    " kirjutas",
    " schrieb",
    " a écrit",
    " écrivait",
    " escribió",
    " ha scritto",
    " escreveu",
    " napisał",
    " schreef",
    "geschreven",
    " написал",
    " пише",
    " пишет",
];

/// First words of attributions that are broken into several lines.
const ATTRIBUTION_STARTS: &[&str] = &[
    "on", "le", "am", "den", "el", "em", "il", "op", "dnia", "w", "på", "kontakt", "ma", "ti", "ke", "to", "pe", "la",
    "su", "mån", "tis", "ons", "tors", "fre", "lör", "sön", "il", "at", "quoting",
];

/// How many lines an attribution (`On … wrote:`) at this place has, if there is one.
fn attribution(lines: &[&str], at: usize) -> Option<usize> {
    if is_attribution(lines[at], next_is_quote(lines, at + 1)) {
        return Some(1);
    }
    if !begins_attribution(lines[at]) {
        return None;
    }
    let mut joined = lines[at].trim().to_owned();
    for length in 2..=ATTRIBUTION_LINES_MAX {
        let line = lines.get(at + length - 1)?.trim();
        // A line that begins one itself would swallow the words above it.
        if line.is_empty() || begins_attribution(line) {
            return None;
        }
        joined.push(' ');
        joined.push_str(line);
        if is_attribution(&joined, next_is_quote(lines, at + length)) {
            return Some(length);
        }
    }
    None
}

fn begins_attribution(line: &str) -> bool {
    // They all carry a date.
    if !line.bytes().take(MARKER_BYTES_MAX).any(|b| b.is_ascii_digit()) {
        return false;
    }
    let line = line.trim_start_matches(['-', ' ', '*', '\t']);
    let word: String = line.chars().take(10).take_while(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
    let begins = ATTRIBUTION_STARTS.contains(&word.as_str()) || line.starts_with(|c: char| c.is_ascii_digit());
    begins && line.len() <= MARKER_BYTES_MAX
}

fn next_is_quote(lines: &[&str], at: usize) -> bool {
    let next = lines.get(at..).unwrap_or_default().iter().take(3).find(|line| !line.trim().is_empty());
    next.is_some_and(|line| line.trim_start().starts_with('>'))
}

fn is_attribution(line: &str, before_quote: bool) -> bool {
    if line.len() > MARKER_BYTES_MAX || line.len() < 8 {
        return false;
    }
    let bare = line.trim_matches(|c: char| matches!(c, '-' | '*' | '_') || c.is_whitespace());
    if !bare.ends_with(':') && !bare.contains('@') {
        return false;
    }
    let lower = bare.to_lowercase();
    let has_address = lower.contains('@');
    let has_digit = lower.contains(|c: char| c.is_ascii_digit());
    let verb = WROTE.iter().filter_map(|verb| lower.rfind(verb).map(|at| &lower[at + verb.len()..])).next();
    let ends = lower.ends_with(':');
    match verb {
        // `… kirjoitti:`, `… wrote ----`: the verb ends it.
        Some(after) if after.chars().filter(|c| c.is_alphanumeric()).count() <= 1 => {
            (has_digit || has_address || before_quote) && (ends || has_address && has_digit)
        }
        // `Den 3 mars 2026 kl. 10:00 skrev Anna <…>:`: the name follows the verb.
        Some(_) => ends && has_digit && (has_address || before_quote || has_time(&lower)),
        // `30.9.2017, 18.30, "Anna" <anna@example.fi>:` and `2026-03-02 10:00 GMT+02:00 Anna <…>:`
        None => ends && has_address && has_time(&lower) && has_year(&lower) && !lower.contains("mailto:"),
    }
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

/// Cuts the signature off the own lines and gives its lines.
fn take_signature<'a>(own: &mut Vec<&'a str>) -> Vec<&'a str> {
    let mut signature = Vec::new();
    if let Some(at) = delimiter(own) {
        signature = own.split_off(at);
        signature.remove(0);
    }
    while let Some(at) = mobile_line(own) {
        let rest = own.split_off(at);
        signature.splice(0..0, rest.into_iter().skip(1));
    }
    if let Some((at, after)) = sign_off(own) {
        let mut rest = own.split_off(at);
        match after {
            Some(name) => rest[0] = name,
            None => drop(rest.remove(0)),
        }
        signature.splice(0..0, rest);
    }
    trim_blank(own);
    let blank = signature.iter().take_while(|line| line.trim().is_empty()).count();
    signature.drain(..blank);
    trim_blank(&mut signature);
    signature
}

fn trim_blank(lines: &mut Vec<&str>) {
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
}

/// The first `-- ` (RFC 3676 4.3), or what clients draw for it, with no more below than a signature has.
fn delimiter(own: &[&str]) -> Option<usize> {
    let mut below = 0;
    let mut found = None;
    for (at, line) in own.iter().enumerate().rev() {
        let bare = line.trim();
        let is_drawn = bare.len() >= 2 && bare.chars().all(|c| matches!(c, '-' | '—' | '–' | '_' | '*'));
        if bare == "--" || bare == "---" || (is_drawn && below <= SIGNATURE_LINES_MAX && at > 0) {
            found = Some(at);
        }
        below += usize::from(!bare.is_empty());
        if below > DELIMITED_LINES_MAX {
            break;
        }
    }
    found.filter(|&at| own[at..].iter().filter(|line| line.chars().count() > 2 * SIGNATURE_LINE_CHARS_MAX).count() <= 2)
}

/// Beginnings of the lines that phones and mail programs add, in lower case.
const MOBILE_LINES: &[&str] = &[
    "sent from my ",
    "sent from ",
    "sent via ",
    "sent with ",
    "sent on the go",
    "get outlook for",
    "download outlook",
    "lähetetty iphone",
    "lähetetty ipad",
    "lähetetty android",
    "lähetetty samsung",
    "lähetetty outlook",
    "lähetetty puhelimesta",
    "lähetetty minun",
    "lähetetty laitteesta",
    "lähetetty huawei",
    "lähetetty oneplus",
    "lähetetty galaxy",
    "lähetetty gmail",
    "lähetetty matkapuhelimesta",
    "lähetetty windows",
    "hanki outlook",
    "lataa outlook",
    "skickat från",
    "skickad från",
    "hämta outlook",
    "saadetud minu",
    "saadetud telefonist",
    "saadetud iphone",
    "hangi outlook",
    "laadi alla outlook",
    "von meinem ",
    "gesendet von",
    "gesendet mit",
    "envoyé de ",
    "envoyé à partir de ",
    "sent by ",
    "from my iphone",
    "diese nachricht wurde von meinem",
    "verzonden met",
    "envoyé depuis",
    "enviado desde",
    "enviado de",
    "enviado do",
    "inviato da",
    "verzonden vanaf",
    "verstuurd vanaf",
    "sendt fra",
    "wysłano z",
    "отправлено с",
    "yahoo mail on android",
];

/// A phone's line with at most two lines below it.
fn mobile_line(own: &[&str]) -> Option<usize> {
    let mut below = 0;
    for (at, line) in own.iter().enumerate().rev().filter(|(_, line)| !line.trim().is_empty()) {
        let lower =
            line.trim_start_matches(['<', '[', '(', '*', '_', ' ']).get(..60.min(line.len())).map(str::to_lowercase);
        let lower = lower.unwrap_or_else(|| line.chars().take(40).collect::<String>().to_lowercase());
        // A sentence that begins so is the text's; phones end theirs without a full stop.
        let is_short = line.chars().count() <= 2 * SIGNATURE_LINE_CHARS_MAX && !line.ends_with(['.', '?', '!']);
        if is_short && MOBILE_LINES.iter().any(|text| lower.starts_with(text)) {
            return Some(at);
        }
        below += 1;
        if below > 2 {
            break;
        }
    }
    None
}

/// Sign-offs that are nothing else, in lower case without punctuation.
const SIGN_OFFS: &[&str] = &[
    "terveisin",
    "t",
    "tv",
    "terv",
    "terkuin",
    "ystävällisin terveisin",
    "ystävällisesti",
    "yst terv",
    "yst. terv",
    "yt",
    "parhain terveisin",
    "parhaimmin terveisin",
    "hyvin terveisin",
    "kunnioittavasti",
    "kunnioittaen",
    "kiittäen",
    "kiitoksin",
    "lämpimin terveisin",
    "aurinkoisin terveisin",
    "syysterveisin",
    "kesäterveisin",
    "talviterveisin",
    "kevätterveisin",
    "mvh",
    "med vänlig hälsning",
    "med vänliga hälsningar",
    "vänliga hälsningar",
    "vänligen",
    "hälsningar",
    "bästa hälsningar",
    "med venlig hilsen",
    "venlig hilsen",
    "vennlig hilsen",
    "med vennlig hilsen",
    "hilsen",
    "best regards",
    "kind regards",
    "warm regards",
    "with best regards",
    "regards",
    "with kind regards",
    "best wishes",
    "br",
    "sincerely",
    "sincerely yours",
    "yours sincerely",
    "yours faithfully",
    "yours truly",
    "respectfully",
    "cordially",
    "lugupidamisega",
    "parimate soovidega",
    "tervitades",
    "tervitustega",
    "mit freundlichen grüßen",
    "mit freundlichen grüssen",
    "mit freundlichem gruß",
    "freundliche grüße",
    "viele grüße",
    "beste grüße",
    "liebe grüße",
    "mfg",
    "cordialement",
    "bien cordialement",
    "bien à vous",
    "sincères salutations",
    "saludos",
    "un saludo",
    "atentamente",
    "saludos cordiales",
    "cordiali saluti",
    "distinti saluti",
    "saluti",
    "atenciosamente",
    "cumprimentos",
    "met vriendelijke groet",
    "met vriendelijke groeten",
    "pozdrawiam",
    "z poważaniem",
    "с уважением",
];

/// Sign-offs that may as well be said in passing: only above a name.
const WEAK_SIGN_OFFS: &[&str] = &[
    "thanks",
    "many thanks",
    "thank you",
    "thanks and regards",
    "cheers",
    "best",
    "kiitos",
    "kiitos etukäteen",
    "kiitos jo etukäteen",
    "kiitti",
    "tack",
    "tack på förhand",
    "aitäh",
    "danke",
    "merci",
    "gracias",
    "grazie",
];

/// The sign-off nearest the end with nothing but a signature below it, and the name that stands
/// on its own line (`T. Matti`).
fn sign_off<'a>(own: &[&'a str]) -> Option<(usize, Option<&'a str>)> {
    let mut below = 0;
    let mut nearest = None;
    for (at, line) in own.iter().enumerate().rev() {
        if line.trim().is_empty() {
            continue;
        }
        if let Some(name) = as_sign_off(line, &own[at + 1..]) {
            nearest = Some((at, name));
            if name.is_none() || below > 0 {
                break;
            }
        }
        below += 1;
        if below > SIGNATURE_LINES_MAX || line.chars().count() > SIGNATURE_LINE_CHARS_MAX {
            break;
        }
    }
    nearest
}

/// Whether a line is a sign-off; `Some(Some(name))` when a name follows on the line.
fn as_sign_off<'a>(line: &'a str, below: &[&str]) -> Option<Option<&'a str>> {
    let line = line.trim();
    if line.chars().count() > SIGNATURE_LINE_CHARS_MAX {
        return None;
    }
    let is_mark = |c: char| c.is_whitespace() || matches!(c, ',' | '.' | '!' | ':' | ';' | '-' | '–' | '/' | '*' | '_');
    let lower = line.to_lowercase();
    let bare = lower.trim_matches(is_mark);
    // Pictures that follow a word (`Cheers 🎉`) say nothing.
    let bare = bare.trim_end_matches(|c: char| !c.is_alphanumeric());
    let name_below = || below.iter().find(|line| !line.trim().is_empty()).is_some_and(|line| looks_like_name(line));
    if SIGN_OFFS.contains(&bare) {
        // A lone `T` or `br` above nothing is a word of the text.
        return (bare.len() > 3 || name_below()).then_some(None);
    }
    if WEAK_SIGN_OFFS.contains(&bare) {
        return name_below().then_some(None);
    }
    // A name on the same line: `Terveisin Matti`, `T: Matti Meikäläinen`.
    let phrase = SIGN_OFFS.iter().filter(|phrase| lower.starts_with(**phrase)).max_by_key(|phrase| phrase.len())?;
    let rest = line.get(phrase.len()..)?;
    let is_apart = rest.starts_with(is_mark) && (phrase.len() > 3 || rest.starts_with(['.', ':', ',', '/', '-']));
    let name = rest.trim_matches(is_mark);
    (is_apart && looks_like_name(name)).then_some(Some(name))
}

/// One to four words, the first in capitals, no sentence.
fn looks_like_name(line: &str) -> bool {
    let line = line.trim().trim_matches(['*', '_', ',', '/', '-']);
    let words = line.split_whitespace().count();
    (1..=5).contains(&words)
        && line.chars().count() <= 50
        && line.chars().find(|c| c.is_alphabetic()).is_some_and(|c| !c.is_lowercase() || words == 1)
        && !line.ends_with(['.', '?', ':', ';'])
        && !line.contains(['@', '='])
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
            ("", "", ""),
            ("> only quoted", "", ""),
        ];
        for (text, own, signature) in table {
            let parts = split(text);
            assert_eq!((parts.own.trim(), parts.signature.as_str()), (own.trim(), *signature), "{text}");
        }
    }

    #[test]
    fn hostile_texts_take_linear_time() {
        for piece in ["On\n", "From:\n", "On 1 wrote\n", "--\n", "T.\n", "a", "Sent from x\n", "1 ", "\n", "regards\n"]
        {
            let text = piece.repeat(200_000 / piece.len());
            assert!(split(&text).own.len() <= text.len(), "{piece:?}");
        }
    }
}
