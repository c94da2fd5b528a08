//! Folders: what they are called, what they are for, and which of them are read.
//!
//! Names are as the server lists them, with the prefix of their namespace. On the wire they are in
//! modified UTF-7 (RFC 3501, 5.1.3). What a folder is for is said by attributes (RFC 6154): Gmail,
//! Exchange and others give them in every LIST, some only when they are asked for.
//!
//! **Invariant:** a name that a server sent goes back to it exactly as it came.

use super::mailbox::Mailbox;
use crate::pure::channels::{After, ImapSource};
use crate::shell::imap::ImapError;
use crate::shell::imap::login::quoted;
use crate::shell::imap::words::{decoded, encoded};

/// Folders looked at; accounts have hundreds.
const FOLDERS_MAX: usize = 20_000;

/// Names shown when one does not exist.
const NEAR_MAX: usize = 3;

/// How alike names must be to be shown, from 0 to 1.
const NEAR_MIN: f64 = 0.75;

/// A folder that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folder {
    /// As configured: what its cursor is kept under.
    pub(super) key: String,
    /// As people see it.
    pub(super) name: String,
    /// As the server knows it, quoted.
    pub(super) wire: String,
    /// What the desk sent.
    pub(super) is_sent: bool,
    /// Everything but spam and trash, drafts and sent mail too.
    pub(super) is_all: bool,
}

/// A folder as LIST tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Listed {
    /// As sent.
    raw: String,
    /// As people see it.
    name: String,
    delimiter: Option<char>,
    /// In small letters.
    attributes: Vec<String>,
}

impl Listed {
    fn is(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|one| one.eq_ignore_ascii_case(attribute))
    }

    fn can_be_opened(&self) -> bool {
        !self.is("\\Noselect") && !self.is("\\NonExistent")
    }

    fn last_part(&self) -> &str {
        self.delimiter.and_then(|delimiter| self.name.rsplit(delimiter).next()).unwrap_or(&self.name)
    }
}

/// What a session works on.
pub(super) struct Plan {
    /// The folders to read, that of sent mail first: so what the desk sent to itself too is known as its own.
    pub(super) folders: Vec<Folder>,
    /// Where stored mails are moved to, as the server knows it, quoted.
    pub(super) target: Option<String>,
}

impl Plan {
    /// Finds the folders of a source. The server is only asked where names do not say it all.
    pub(super) async fn make(source: &ImapSource, mailbox: &mut Mailbox) -> Result<Self, ImapError> {
        let target = match &source.after {
            After::Move(to) => Some(to),
            After::Keep | After::Seen | After::Delete => None,
        };
        let is_special = |name: &&String| name.starts_with('\\');
        let named = source.folders.iter().chain(&source.sent);
        let asks = mailbox.has_labels() || named.chain(target).any(|name| is_special(&name));
        let listed = if asks { list(mailbox).await? } else { Vec::new() };
        let mut folders = Vec::new();
        for (key, is_sent) in
            source.sent.iter().map(|name| (name, true)).chain(source.folders.iter().map(|name| (name, false)))
        {
            let found = find(&listed, key)?;
            let folder = Folder {
                key: key.clone(),
                name: found.map_or(key, |found| &found.name).clone(),
                wire: found.map_or_else(|| quoted(&encoded(key)), |found| quoted(&found.raw)),
                is_sent,
                is_all: found.is_some_and(|found| found.is("\\All")),
            };
            // A folder may be named by its use and by its name.
            if !folders.iter().any(|other: &Folder| other.wire == folder.wire) {
                folders.push(folder);
            }
        }
        let target = target.map(|to| {
            find(&listed, to).map(|found| found.map_or_else(|| quoted(&encoded(to)), |found| quoted(&found.raw)))
        });
        Ok(Self { folders, target: target.transpose()? })
    }
}

/// The listed folder that a name means; one of a special use must be there.
fn find<'a>(listed: &'a [Listed], name: &str) -> Result<Option<&'a Listed>, ImapError> {
    if !name.starts_with('\\') {
        return Ok(listed.iter().find(|folder| folder.name == *name));
    }
    match listed.iter().find(|folder| folder.is(name) && folder.can_be_opened()) {
        Some(folder) => Ok(Some(folder)),
        // Its name may say what the server does not.
        None => Err(ImapError::NoFolder { folder: name.to_owned(), near: near(listed, &name[1..]) }),
    }
}

/// What to say of a folder that the server did not open.
pub(super) async fn why_closed(mailbox: &mut Mailbox, folder: &Folder, answer: String) -> ImapError {
    let listed = match list(mailbox).await {
        Ok(listed) => listed,
        Err(error) => return error,
    };
    match listed.iter().any(|one| one.name == folder.name && one.can_be_opened()) {
        true => ImapError::FolderRefused { folder: folder.key.clone(), answer },
        false => ImapError::NoFolder { folder: folder.key.clone(), near: near(&listed, &folder.name) },
    }
}

/// The names most like one that does not exist.
fn near(listed: &[Listed], name: &str) -> Vec<String> {
    let last = |text: &str| text.rsplit(['/', '.', '\\']).next().unwrap_or(text).to_lowercase();
    let wanted = (name.to_lowercase(), last(name));
    let likeness = |folder: &Listed| match folder.last_part().to_lowercase() == wanted.1 {
        true => 1.0,
        false => strsim::jaro_winkler(&folder.name.to_lowercase(), &wanted.0),
    };
    let mut all: Vec<(f64, &str)> = listed
        .iter()
        .filter(|folder| folder.can_be_opened())
        .map(|folder| (likeness(folder), folder.name.as_str()))
        .filter(|(likeness, _)| *likeness >= NEAR_MIN)
        .collect();
    all.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    all.into_iter().take(NEAR_MAX).map(|(_, name)| name.to_owned()).collect()
}

/// All folders that the server tells of.
async fn list(mailbox: &mut Mailbox) -> Result<Vec<Listed>, ImapError> {
    let connection = &mut mailbox.connection;
    let asks_uses = connection.can("SPECIAL-USE") && connection.can("LIST-EXTENDED");
    let command = if asks_uses { "LIST \"\" \"*\" RETURN (SPECIAL-USE)" } else { "LIST \"\" \"*\"" };
    let mut listed = Vec::new();
    connection
        .command("LIST", command, |heard| {
            if listed.len() < FOLDERS_MAX {
                listed.extend(parse(heard.bytes));
            }
            Ok(())
        })
        .await?;
    Ok(listed)
}

/// `* LIST (\HasNoChildren \Sent) "/" "Sent"`; the parser of the family keeps escapes in names.
fn parse(bytes: &[u8]) -> Option<Listed> {
    let text = String::from_utf8_lossy(bytes);
    let rest = text.strip_prefix("* ")?;
    let rest = rest.get(..5).filter(|word| word.eq_ignore_ascii_case("LIST ")).map(|_| &rest[5..])?;
    let (attributes, rest) = rest.trim_start().strip_prefix('(')?.split_once(')')?;
    let (delimiter, rest) = string(rest.trim_start())?;
    let (raw, _) = string(rest.trim_start())?;
    Some(Listed {
        name: decoded(&raw),
        raw,
        delimiter: if delimiter.eq_ignore_ascii_case("NIL") { None } else { delimiter.chars().next() },
        attributes: attributes.split_ascii_whitespace().map(str::to_ascii_lowercase).collect(),
    })
}

/// A quoted string, a literal or an atom; and what follows it.
fn string(text: &str) -> Option<(String, &str)> {
    if let Some(rest) = text.strip_prefix('{') {
        let (size, rest) = rest.split_once("}\r\n")?;
        let size: usize = size.parse().ok()?;
        return Some((rest.get(..size)?.to_owned(), rest.get(size..)?));
    }
    let Some(inner) = text.strip_prefix('"') else {
        let end = text.find([' ', '\r', '\n']).unwrap_or(text.len());
        return (end > 0).then(|| (text[..end].to_owned(), &text[end..]));
    };
    let (mut value, mut is_escaped) = (String::new(), false);
    for (at, c) in inner.char_indices() {
        match c {
            '"' if !is_escaped => return Some((value, &inner[at + 1..])),
            '\\' if !is_escaped => is_escaped = true,
            _ => {
                value.push(c);
                is_escaped = false;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_and_decoded() {
        let table = [
            ("INBOX", "INBOX"),
            ("Asiakas/Käsitellyt", "Asiakas/K&AOQ-sitellyt"),
            ("Tom & Jerry", "Tom &- Jerry"),
            ("台北", "&U,BTFw-"),
            ("😀 x", "&2D3eAA- x"),
            ("line\r\nbreak", "line&AA0ACg-break"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ];
        for (name, wire) in table {
            assert_eq!((encoded(name).as_str(), decoded(wire).as_str()), (wire, name), "{name:?}");
        }
        for broken in ["a&b", "&A-", "&2D0-", "&!!-"] {
            assert_eq!(decoded(broken), broken);
        }
    }

    #[test]
    fn lists_are_read() {
        for (line, expected) in [
            ("* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent\"\r\n", "Sent / \\hasnochildren \\sent"),
            ("* list () NIL INBOX\r\n", "INBOX - "),
            ("* LIST (\\All) \"/\" \"[Gmail]/Kaikki &AOQ-\"\r\n", "[Gmail]/Kaikki ä / \\all"),
            ("* LIST () \"\\\\\" \"a\\\"b\\\\c\"\r\n", "a\"b\\c \\ "),
            ("* LIST () \".\" {6}\r\na b\r\nc\r\n", "a b\r\nc . "),
            ("* LIST () \"/\" \"open\r\n", ""),
            ("* LSUB () \"/\" x\r\n", ""),
            ("* LIST\r\n", ""),
        ] {
            let found = parse(line.as_bytes());
            let shown = found.map(|Listed { name, delimiter, attributes, .. }| {
                format!("{name} {} {}", delimiter.unwrap_or('-'), attributes.join(" "))
            });
            assert_eq!(shown.unwrap_or_default(), expected, "{line:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_list_breaks_it(line in "\\* LIST \\([^)]{0,10}\\) ?(\"[^\"]{0,3}\"|NIL|\\{[0-9]{0,2}\\}\r\n).{0,40}", name in ".{0,20}") {
            let _ = parse(line.as_bytes());
            proptest::prop_assert_eq!(decoded(&encoded(&name)), name);
        }
    }

    #[test]
    fn the_nearest_names_are_named() {
        let lines = ["INBOX", "INBOX.Sent", "INBOX.Drafts", "Asiakkaat.Vanhat", "Saapuneet"];
        let listed: Vec<Listed> =
            lines.iter().filter_map(|name| parse(format!("* LIST () \".\" \"{name}\"\r\n").as_bytes())).collect();
        for (name, expected) in [
            ("Sent", &["INBOX.Sent"][..]),
            ("inbox", &["INBOX", "INBOX.Sent", "INBOX.Drafts"]),
            ("Archive/Drafts", &["INBOX.Drafts"]),
            ("Asiakkaat/Vanhat", &["Asiakkaat.Vanhat"]),
            ("zzz", &[]),
        ] {
            assert_eq!(near(&listed, name), *expected, "{name}");
        }
    }
}
