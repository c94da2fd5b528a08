//! What firms and gateways add to a mail: disclaimers, notes about viruses and paper, warnings about
//! outside senders.
//!
//! Only whole paragraphs at the very end, or one at the very beginning, are taken for such; one that
//! speaks of its writer (`I`, `minä`, `ich`) is his own, and so is the only one there is.

/// Paragraphs at the end among which a disclaimer is looked for, each time one was found again.
const LAST_PARAGRAPHS: usize = 3;
/// Disclaimers taken off one below the other; firms that write theirs in three languages stay below.
const FOOTERS_MAX: usize = 12;
/// What may stand below a disclaimer: a firm's name, a link. Bytes.
const BELOW_BYTES_MAX: usize = 300;
/// Bytes of a paragraph that are read.
const PARAGRAPH_BYTES_MAX: usize = 4 * 1024;
/// A disclaimer has a sentence at least. Bytes.
const DISCLAIMER_BYTES_MIN: usize = 80;

/// What a disclaimer speaks of; three of the four in one paragraph make one.
const TOPICS: [&[&str]; 4] = [
    // What it is about.
    &[
        "this e-mail",
        "this email",
        "this message",
        "this communication",
        "this transmission",
        "tämä viesti",
        "tämä sähköposti",
        "tämän viestin",
        "tämän sähköpostin",
        "viesti ja sen",
        "detta meddelande",
        "detta e-post",
        "detta mail",
        "denna e-post",
        "denne e-mail",
        "denne e-post",
        "denne meldingen",
        "käesolev",
        "see e-kiri",
        "see kiri",
        "diese e-mail",
        "diese nachricht",
        "dieser e-mail",
        "ce message",
        "ce courriel",
        "cet e-mail",
        "ce courrier",
        "este mensaje",
        "este correo",
        "questo messaggio",
        "questa e-mail",
        "la presente e-mail",
        "esta mensagem",
        "este e-mail",
        "deze e-mail",
        "dit bericht",
        "dit e-mailbericht",
        "ta wiadomość",
        "niniejsza wiadomość",
        "tato zpráva",
        "tento e-mail",
        "ez az e-mail",
        "ezen üzenet",
        "acest mesaj",
        "acest e-mail",
        "это сообщение",
        "данное сообщение",
        "attachments",
        "liitteineen",
        "liitetiedostot",
    ],
    // That it is secret.
    &[
        "confidential",
        "privileged",
        "proprietary",
        "luottamuksell",
        "salassa pid",
        "konfidenti",
        "sekretess",
        "fortrolig",
        "konfidentsiaal",
        "vertraulich",
        "confidentiel",
        "confidencial",
        "riservat",
        "confidenzial",
        "vertrouwelijk",
        "poufn",
        "důvěrn",
        "dôvern",
        "bizalmas",
        "confidențial",
        "конфиденциальн",
        "поверител",
        "εμπιστευτικ",
        "gizli",
    ],
    // For whom it is.
    &[
        "intended recipient",
        "intended solely",
        "intended only",
        "intended for",
        "addressee",
        "named recipient",
        "tarkoitettu",
        "vastaanottaja",
        "avsedd",
        "avsett",
        "mottagare",
        "adressat",
        "tiltenkt",
        "tiltænkt",
        "mottaker",
        "modtager",
        "mõeldud",
        "adressaadi",
        "bestimmt",
        "empfänger",
        "destinataire",
        "destinatario",
        "destinatari",
        "destinatário",
        "geadresseerde",
        "bestemd",
        "odbiorc",
        "adresat",
        "určen",
        "címzett",
        "destinatar",
        "адресат",
        "получател",
        "παραλήπτη",
        "alıcı",
    ],
    // What to do about it.
    &[
        "notify",
        "delete",
        "destroy",
        "inform the sender",
        "unauthorized",
        "unauthorised",
        "prohibited",
        "ilmoit",
        "tuhoa",
        "poista",
        "hävit",
        "radera",
        "meddela",
        "underrätta",
        "slett",
        "slet ",
        "slette",
        "teavita",
        "kustuta",
        "hävita",
        "löschen",
        "vernichten",
        "informieren",
        "unbefugt",
        "unzulässig",
        "détruire",
        "supprim",
        "avertir",
        "elimin",
        "notif",
        "destru",
        "cancell",
        "distrugg",
        "avvis",
        "apag",
        "verwijder",
        "vernietig",
        "usun",
        "zniszcz",
        "smaž",
        "vymaž",
        "töröl",
        "ștergeți",
        "удалит",
        "уведом",
        "διαγρά",
    ],
];

/// Beginnings of paragraphs that say what they are.
const BEGINNINGS: &[&str] = &[
    "disclaimer:",
    "confidentiality notice",
    "confidentiality note",
    "legal notice",
    "legal disclaimer",
    "please consider the environment",
    "please think of the environment",
    "think before you print",
    "ajattele ympäristöä",
    "säästä luontoa",
    "tänk på miljön",
    "bitte denken sie an die umwelt",
    "bitte prüfen sie, ob diese",
    "pensez à l'environnement",
    "antes de imprimir",
    "prima di stampare",
    "virus-free.",
    "viirusevaba.",
    "virusfritt.",
    "virenfrei.",
    "garanti sans virus",
    "libre de virus.",
    "this email has been checked for viruses",
    "this e-mail has been checked for viruses",
    "this email was scanned by",
    "diese e-mail wurde von avast",
    "vastuuvapauslauseke",
    "luottamuksellisuus:",
];

/// Words by which a writer speaks of himself; a disclaimer has none.
const FIRST_PERSON: &[&str] = &[
    "i", "i'm", "i've", "my", "me", "minä", "minun", "olen", "sain", "jag", "min", "mitt", "ich", "mein", "meine",
    "je", "j'ai", "mon", "ma", "yo", "mi", "io", "mio", "eu", "meu", "ik", "mijn", "mina", "minu", "jeg", "mit", "я",
    "мой",
];

/// Takes disclaimers and the like off the end, and a gateway's warning off the beginning.
pub(super) fn take(own: &mut Vec<&str>) {
    if let Some(length) = warning(own) {
        own.drain(..length);
    }
    for _ in 0..FOOTERS_MAX {
        let Some(at) = disclaimer(own) else { break };
        own.truncate(at);
        while own.last().is_some_and(|line| line.trim().is_empty() || super::is_rule(line)) {
            own.pop();
        }
    }
}

/// Where the last disclaimer begins; never at the first paragraph.
fn disclaimer(own: &[&str]) -> Option<usize> {
    let mut end = own.len();
    let mut below = 0;
    for _ in 0..LAST_PARAGRAPHS {
        let start = own[..end].iter().rposition(|line| line.trim().is_empty()).map_or(0, |blank| blank + 1);
        if own[..start].iter().all(|line| line.trim().is_empty()) || below > BELOW_BYTES_MAX {
            return None;
        }
        if is_disclaimer(&own[start..end]) {
            return Some(start);
        }
        below += own[start..end].iter().map(|line| line.len()).sum::<usize>();
        end = own[..start].iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1);
    }
    None
}

fn is_disclaimer(paragraph: &[&str]) -> bool {
    let text = lower(paragraph);
    let bare = text.trim_start_matches(|c: char| !c.is_alphabetic());
    if BEGINNINGS.iter().any(|beginning| bare.starts_with(beginning)) {
        return true;
    }
    if text.len() < DISCLAIMER_BYTES_MIN {
        return false;
    }
    let topics = TOPICS.iter().filter(|words| words.iter().any(|word| text.contains(word))).count();
    let is_personal = || text.split(|c: char| !c.is_alphabetic() && c != '\'').any(|word| FIRST_PERSON.contains(&word));
    topics >= 3 && !is_personal()
}

/// How many lines at the beginning a gateway wrote to warn of an outside sender.
fn warning(own: &[&str]) -> Option<usize> {
    const BEGINNINGS: &[&str] = &[
        "caution",
        "warning",
        "external",
        "attention",
        "varoitus",
        "huom",
        "varning",
        "obs",
        "achtung",
        "you don't often get",
    ];
    const OUTSIDE: &[&str] = &[
        "originated from outside",
        "originated outside",
        "outside of the organi",
        "outside your organi",
        "outside the organi",
        "external sender",
        "external email",
        "from an external",
        "often get email from",
        "ulkopuolelta",
        "ulkopuolinen lähettäjä",
        "extern avsändare",
        "utanför organisationen",
        "externen absender",
        "von extern",
        "expéditeur externe",
    ];
    let start = own.iter().position(|line| !line.trim().is_empty())?;
    let end = own[start..].iter().position(|line| line.trim().is_empty()).map(|length| start + length)?;
    let text = lower(&own[start..end]);
    let bare = text.trim_start_matches(|c: char| !c.is_alphabetic());
    let is_warning = BEGINNINGS.iter().any(|word| bare.starts_with(word)) && OUTSIDE.iter().any(|w| text.contains(w));
    is_warning.then_some(end)
}

/// The beginning of a paragraph on one line, in lower case.
fn lower(paragraph: &[&str]) -> String {
    let mut text = String::new();
    for line in paragraph {
        if text.len() + line.len() > PARAGRAPH_BYTES_MAX {
            text.push_str(&line[..line.floor_char_boundary(PARAGRAPH_BYTES_MAX.saturating_sub(text.len()))]);
            break;
        }
        text.push_str(line.trim());
        text.push(' ');
    }
    text.to_lowercase()
}
