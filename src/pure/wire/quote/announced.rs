//! What announces a mail below: a drawn line with words in it, or its header.

use super::{MARKER_BYTES_MAX, beginning, has_time, is_rule};

/// Bytes of a line that are compared with separators; the longest has 48.
const SEPARATOR_BYTES_MAX: usize = 64;
/// Lines searched for the labels of a quoted header, blank ones counted.
const HEADER_LINES_MAX: usize = 12;
/// A label is a word or three. Bytes.
const LABEL_BYTES_MAX: usize = 40;
/// Underscores or dashes that Outlook draws above a header: 32, in some versions 20.
const DRAWN_RULE_CHARS_MIN: usize = 20;

/// An announcement: how many lines it takes, and who wrote what is forwarded.
pub(super) struct Announced {
    /// Lines from the first of the announcement to the end of the header that follows.
    pub length: usize,
    /// The value of From in that header.
    pub from: Option<String>,
    /// It says that a mail was passed on.
    pub is_forwarded: bool,
}

/// The announcement that begins at a line, if one does.
pub(super) fn announced(lines: &[&str], at: usize) -> Option<Announced> {
    let line = lines[at].trim_start_matches(['\u{feff}', ' ', '\t']);
    let separator = is_separator(line);
    if !separator && !is_quoted_header(lines, at) && !is_drawn_header(lines, at) {
        return None;
    }
    let blank = |at: &usize| lines.get(*at).is_some_and(|line| line.trim().is_empty());
    let mut end = if separator || is_rule(line) { at + 1 } else { at };
    end += (end..lines.len()).take_while(blank).count().min(2);
    let header = &lines[end.min(lines.len())..lines.len().min(end + HEADER_LINES_MAX)];
    let mut from = None;
    let mut length = 0;
    for (index, line) in header.iter().enumerate() {
        let known = label(line).filter(|label| is_from(label) || is_other(label));
        match known {
            Some(label) => {
                if from.is_none() && is_from(&label) {
                    from = line.split_once(':').map(|(_, value)| value.trim_matches(['*', ' ']).to_owned());
                }
                length = index + 1;
            }
            // A long list of recipients or a subject goes on below its label.
            None if length == index && index > 0 && !line.trim().is_empty() => length = index + 1,
            None if line.trim().is_empty() && next_is_label(header, index) => {}
            None => break,
        }
    }
    let is_forwarded = separator && FORWARDED.iter().any(|word| beginning(line, MARKER_BYTES_MAX).contains(word));
    Some(Announced { length: end - at + length, from: from.filter(|from| !from.is_empty()), is_forwarded })
}

fn next_is_label(header: &[&str], at: usize) -> bool {
    header.get(at + 1).and_then(|line| label(line)).is_some_and(|label| is_from(&label) || is_other(&label))
}

fn is_from(label: &str) -> bool {
    FROM_LABELS.contains(&label)
}

fn is_other(label: &str) -> bool {
    OTHER_LABELS.contains(&label)
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
    "původní zpráva",
    "pôvodná správa",
    "eredeti üzenet",
    "továbbított üzenet",
    "mesaj original",
    "mesajul original",
    "mesaj redirecționat",
    "оригинално съобщение",
    "препратено съобщение",
    "αρχικό μήνυμα",
    "προωθημένο μήνυμα",
    "özgün ileti",
    "iletilen mesaj",
    "izvorna poruka",
    "originalna poruka",
    "proslijeđena poruka",
    "prosleđena poruka",
    "izvirno sporočilo",
    "posredovano sporočilo",
    "preposlaná správa",
    "přeposlaná zpráva",
    "pradinis laiškas",
    "persiųstas laiškas",
    "sākotnējais ziņojums",
    "pārsūtīts ziņojums",
    "upprunaleg skilaboð",
    "missatge original",
    "wiadomość przekazana",
    "przekazana wiadomość",
    "doorgestuurde e-mail",
    "переслане повідомлення",
    "пересланное сообщение",
    "mensagem reencaminhada",
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

/// Words of the above that mean that a mail was passed on, not answered.
const FORWARDED: &[&str] = &[
    "forward",
    "välitetty",
    "edelleenlähetetty",
    "vidarebefordra",
    "videresend",
    "edastatud",
    "weitergeleitet",
    "transféré",
    "réexpédié",
    "reenviado",
    "inoltrat",
    "encaminhada",
    "reencaminhada",
    "doorgestuurd",
    "пересылаем",
    "переслан",
    "továbbított",
    "redirecționat",
    "препратен",
    "προωθημένο",
    "iletilen",
    "proslijeđena",
    "prosleđena",
    "posredovano",
    "preposlaná",
    "přeposlaná",
    "persiųstas",
    "pārsūtīts",
    "przekazan",
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
    "feladó",
    "de la",
    "expeditor",
    "από",
    "kimden",
    "gönderen",
    "šalje",
    "pošiljatelj",
    "nuo",
    "siuntėjas",
    "no",
    "frá",
    "від",
    "odesílatel",
    "odosielateľ",
    "remitente",
    "mittente",
    "remetente",
    "afzender",
    "absender",
    "подател",
    "отправитель",
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
    "odesláno",
    "odoslané",
    "komu",
    "předmět",
    "predmet",
    "kopie",
    "elküldve",
    "küldve",
    "dátum",
    "címzett",
    "tárgy",
    "másolat",
    "trimis",
    "către",
    "subiect",
    "изпратено",
    "до",
    "относно",
    "копие",
    "στάλθηκε",
    "ημερομηνία",
    "προς",
    "θέμα",
    "κοιν.",
    "gönderildi",
    "gönderme tarihi",
    "tarih",
    "kime",
    "bilgi",
    "konu",
    "poslano",
    "poslato",
    "za",
    "prima",
    "zadeva",
    "išsiųsta",
    "kam",
    "gavėjas",
    "nosūtīts",
    "tēma",
    "dagsetning",
    "efni",
    "відправлено",
    "надіслано",
    "копія",
    "enviat",
    "per a",
    "assumpte",
    "destinatario",
    "destinataire",
    "empfänger",
    "mottagare",
    "odbiorca",
    "ontvanger",
    "wysłane",
    "data wysłania",
];

/// Labels of the times and subjects of quoted headers: what a form or a timetable (`From: Turku`,
/// `To: Helsinki`) has not.
const TELLING_LABELS: &[&str] = &[
    "sent",
    "subject",
    "lähetetty",
    "aihe",
    "skickat",
    "skickad",
    "ämne",
    "sendt",
    "emne",
    "saadetud",
    "teema",
    "gesendet",
    "betreff",
    "envoyé",
    "envoyé le",
    "objet",
    "sujet",
    "enviado",
    "enviado el",
    "asunto",
    "inviato",
    "oggetto",
    "enviada em",
    "enviado em",
    "assunto",
    "verzonden",
    "onderwerp",
    "wysłano",
    "temat",
    "отправлено",
    "тема",
];

/// Three fields of a header, From among them and one of the first two: clients quote no less. An
/// address, a time or a subject is among them.
fn is_quoted_header(lines: &[&str], at: usize) -> bool {
    let Some(first) = label(lines[at]) else { return false };
    if !is_from(&first) && !is_other(&first) {
        return false;
    }
    let window = &lines[at..lines.len().min(at + HEADER_LINES_MAX)];
    let (mut froms, mut others, mut is_telling, mut after_blank) = (0, 0, false, false);
    let mut has_address = false;
    for line in window {
        let found = label(line).filter(|label| is_from(label) || is_other(label));
        match &found {
            None if line.trim().is_empty() && froms + others > 0 && !after_blank => {
                after_blank = true;
                continue;
            }
            // Below a blank line only another label belongs to the header.
            None if after_blank || line.trim().is_empty() => break,
            None => continue,
            Some(label) => {
                froms += usize::from(is_from(label));
                others += usize::from(is_other(label));
                has_address |= line.contains('@');
                is_telling |= TELLING_LABELS.contains(&label.as_str()) || line.contains('@') || has_time(line);
            }
        }
        after_blank = false;
    }
    // Without any address it must stand apart, as clients write it and forms often do not.
    let stands_apart = || {
        let above = at.checked_sub(1).map_or("", |above| lines[above].trim());
        above.is_empty() || is_rule(above)
    };
    froms >= 1 && others >= 2 && is_telling && (has_address || stands_apart())
}

/// Outlook's line of underscores, or a drawn line with words in it, right above three labels with an
/// address or a time among them: a header in whatever language.
fn is_drawn_header(lines: &[&str], at: usize) -> bool {
    let line = lines[at].trim();
    let is_drawn = |line: &str, chars: usize| line.bytes().take_while(|b| matches!(b, b'_' | b'-')).count() >= chars;
    let is_line = is_rule(line) && is_drawn(line, DRAWN_RULE_CHARS_MIN);
    let is_words = is_drawn(line, 5) && line.ends_with("---") && !is_rule(line) && line.len() <= MARKER_BYTES_MAX;
    if !is_line && !is_words {
        return false;
    }
    let fields = lines[at + 1..].iter().skip_while(|line| line.trim().is_empty()).take(3);
    let fields: Vec<&&str> = fields.filter(|line| label(line).is_some() && line.len() <= MARKER_BYTES_MAX).collect();
    fields.len() == 3 && fields.iter().any(|line| line.contains('@') || has_time(line))
}

/// The label of `Label: value`, lower case, its emphasis (`*From:*`) off.
fn label(line: &str) -> Option<String> {
    let head = line.get(..line.floor_char_boundary(LABEL_BYTES_MAX))?;
    let (label, _) = head.split_once(':')?;
    let label = label.trim_matches(|c: char| matches!(c, '*' | '_' | '|') || c.is_whitespace());
    (!label.is_empty()).then(|| label.to_lowercase())
}
