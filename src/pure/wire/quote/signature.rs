//! Sign-offs, signatures, and the lines that phones add.

/// Lines below a sign-off, blank ones not counted; more is another paragraph.
const SIGNATURE_LINES_MAX: usize = 10;
/// Lines below `-- `, which says by itself that they are a signature.
const DELIMITED_LINES_MAX: usize = 30;
/// A signature's line is short. Characters.
const SIGNATURE_LINE_CHARS_MAX: usize = 80;
/// Bytes of a line compared with what phones add.
const MOBILE_BYTES_MAX: usize = 60;

/// Cuts the signature off the own lines and gives its lines.
pub(super) fn take<'a>(own: &mut Vec<&'a str>) -> Vec<&'a str> {
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

/// What RFC 3676 4.3 writes above a signature; without its blank it may be a line drawn between topics.
pub(super) const DELIMITER: &str = "-- ";

/// The first `-- ` (RFC 3676 4.3), or what clients draw for it, with no more below than a signature has.
fn delimiter(own: &[&str]) -> Option<usize> {
    let mut below = 0;
    let (mut sentences, mut rules) = (0, 0);
    let mut found = None;
    for (at, line) in own.iter().enumerate().rev() {
        let bare = line.trim();
        let is_drawn = bare.len() >= 2 && bare.chars().all(|c| matches!(c, '-' | '—' | '–' | '_' | '*'));
        // A motto is one sentence; two, or one above a further line of dashes, are paragraphs.
        let is_prose = sentences > 1 || (sentences > 0 && rules > 0);
        // A long rule is drawn above footers; people draw two or three dashes between topics.
        let is_signature = || bare.len() > 3 || bare.starts_with('_') || !(is_prose || begins_in_midst(&own[at + 1..]));
        let is_short = bare == "--" || bare == "---" || (below <= SIGNATURE_LINES_MAX && at > 0);
        if *line == DELIMITER || (is_drawn && is_short && is_signature()) {
            found = Some(at);
        }
        below += usize::from(!bare.is_empty());
        sentences += usize::from(is_sentence(bare));
        rules += usize::from(is_drawn);
        if below > DELIMITED_LINES_MAX {
            break;
        }
    }
    found.filter(|&at| own[at..].iter().filter(|line| line.chars().count() > 2 * SIGNATURE_LINE_CHARS_MAX).count() <= 2)
}

/// A line that says something, which a name, a title or an address does not.
fn is_sentence(line: &str) -> bool {
    const WORDS_MIN: usize = 5;
    line.ends_with(['.', '?', '!']) && line.split_whitespace().take(WORDS_MIN).count() == WORDS_MIN
}

/// What goes on in lower case below a line is no signature; a lone nickname is.
fn begins_in_midst(below: &[&str]) -> bool {
    let first = below.iter().map(|line| line.trim()).find(|line| !line.is_empty()).unwrap_or_default();
    first.starts_with(char::is_lowercase) && first.split_whitespace().count() > 2 && !first.contains(['@', '/', '|'])
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
    "yahoo mail for iphone",
    "sent using ",
    "odesláno z ",
    "odoslané z ",
    "küldve az ",
    "trimis de pe ",
    "trimis din ",
    "изпратено от ",
    "στάλθηκε από ",
    "poslano z ",
    "poslano iz ",
    "poslano s ",
    "išsiųsta iš ",
    "nosūtīts no ",
    "sent frá ",
    "надіслано з ",
    "enviat des ",
    "sendt via ",
    "skickat via ",
    "outlook für ios herunterladen",
    "télécharger outlook",
    "obtenir outlook",
    "obtener outlook",
    "scarica outlook",
    "outlook voor ",
    "pobierz aplikację outlook",
];

/// A phone's line with at most two lines below it.
fn mobile_line(own: &[&str]) -> Option<usize> {
    let mut below = 0;
    for (at, line) in own.iter().enumerate().rev().filter(|(_, line)| !line.trim().is_empty()) {
        let bare = line.trim_start_matches(['<', '[', '(', '*', '_', ' ']);
        let lower = super::beginning(bare, MOBILE_BYTES_MAX);
        // A sentence that begins so is the text's, unless it stands apart; phones end theirs without a full stop.
        let is_apart = at > 0 && own[at - 1].trim().is_empty() && below == 0;
        let ends = !line.ends_with(['?', '!']) && (is_apart || !line.ends_with('.'));
        let is_short = line.chars().count() <= 2 * SIGNATURE_LINE_CHARS_MAX && ends;
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
