//! What the parts of a mail hold: its text and its attachments.
//!
//! **Invariant:** every part ends as text, as an attachment or as the alternative of one that did; nothing
//! is dropped silently, and nothing that is kept exceeds its limit.

use super::mail_parts::{self, Mail, Part, clean_line, cut};
use super::{calendar, html, tnef};
use crate::pure::domain::message::{Attachment, AttachmentSource};
use bytes::Bytes;
use std::collections::HashMap;

/// Text kept of a mail, in bytes of UTF-8: a book of 250 pages.
pub const TEXT_BYTES_MAX: usize = 512 * 1024;
/// Encoded bytes read for the text, which may be HTML and base64.
const TEXT_SOURCE_BYTES_MAX: usize = 4 * TEXT_BYTES_MAX;
/// Text parts joined; a mail that alternates text and pictures has some thirty.
const TEXT_PARTS_MAX: usize = 100;
/// Attachments kept; a phone's photo export has some hundred.
const ATTACHMENTS_MAX: usize = 200;
/// Parts of Outlook's own format that are opened. A mail has one.
const PACKED_MAX: usize = 4;
/// Attachment name kept, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// What the parts hold.
#[derive(Default)]
pub struct Body {
    /// The text, invitations and what stands for a sealed text included; clean and cut.
    pub text: String,
    /// The decoded parts that the text was made of, HTML as it is: what the fingerprint covers, so
    /// that a better conversion later does not change it.
    pub source: Vec<String>,
    /// Every other part.
    pub attachments: Vec<Attachment>,
    /// The text was longer than what is kept.
    pub is_truncated: bool,
    /// There were more attachments than are kept.
    pub is_dropped: bool,
}

/// Which part the text is taken from, and how.
enum Piece {
    Plain(usize),
    Html(usize),
}

/// Reads the parts of a mail.
pub fn body(mail: &Mail) -> Body {
    let mut body = Body::default();
    let mut texts: Vec<String> = Vec::new();
    let chosen = choose(mail, Layout::Plain);
    for piece in &chosen.pieces {
        let (Piece::Plain(at) | Piece::Html(at)) = *piece;
        if texts.len() >= TEXT_PARTS_MAX || texts.iter().map(String::len).sum::<usize>() >= TEXT_BYTES_MAX {
            body.is_truncated = true;
            continue;
        }
        let (source, is_cut) = mail.body_text(&mail.parts[at], TEXT_SOURCE_BYTES_MAX);
        body.is_truncated |= is_cut;
        let text = match piece {
            Piece::Plain(_) => clean_text(&source),
            Piece::Html(_) => clean_text(&html::to_text(&source, TEXT_BYTES_MAX)),
        };
        if !text.is_empty() {
            texts.push(text);
        }
        body.source.push(cut(&source, TEXT_BYTES_MAX).to_owned());
    }
    let packed: Vec<tnef::Contents> = packed(mail).take(PACKED_MAX).collect();
    if texts.is_empty() {
        texts.extend(packed.iter().find_map(packed_text));
    }
    if texts.is_empty() {
        texts.extend(sealed(mail).map(str::to_owned));
    }
    if let Some(invitation) = invitation(mail) {
        texts.insert(0, invitation);
    }
    let text = texts.join("\n\n");
    body.is_truncated |= text.len() > TEXT_BYTES_MAX;
    body.text = cut(&text, TEXT_BYTES_MAX).to_owned();
    for (at, part) in files(mail, &chosen) {
        if body.attachments.len() >= ATTACHMENTS_MAX {
            body.is_dropped = true;
            break;
        }
        body.attachments.push(attachment(mail, part, at));
    }
    // Behind all others, so that those keep the places by which the HTML finds its pictures.
    for tnef::Contents { files, is_dropped, .. } in packed {
        let places = ATTACHMENTS_MAX.saturating_sub(body.attachments.len());
        body.is_dropped |= is_dropped || files.len() > places;
        body.attachments.extend(files.into_iter().take(places).map(unpacked));
    }
    body
}

/// What the parts of Outlook's own format hold.
fn packed(mail: &Mail) -> impl Iterator<Item = tnef::Contents> {
    let is_packed = |part: &&Part| {
        matches!(part.media_type.as_str(), "application/ms-tnef" | "application/vnd.ms-tnef")
            || part.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("winmail.dat"))
    };
    mail.parts.iter().filter(is_packed).map(|part| tnef::read(&mail.body(part)))
}

/// The text of a mail that has none beside.
fn packed_text(packed: &tnef::Contents) -> Option<String> {
    let plain = packed.text.as_deref().map(clean_text);
    let html = || packed.html.as_deref().map(|html| clean_text(&html::to_text(html, TEXT_BYTES_MAX)));
    let rich = || packed.rich.as_deref().map(clean_text);
    let found = plain.filter(|text| !text.is_empty()).or_else(html).filter(|text| !text.is_empty());
    found.or_else(rich).filter(|text| !text.is_empty())
}

fn unpacked(file: tnef::File) -> Attachment {
    let tnef::File { name, media_type, bytes } = file;
    Attachment {
        name: name.as_deref().map(file_name).filter(|name| !name.is_empty()),
        media_type: media_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
        source: AttachmentSource::Inline(bytes),
        inline: false,
    }
}

/// HTML that is shown, in bytes once it is safe: the layout of a newsletter without its pictures.
const HTML_BYTES_MAX: usize = 512 * 1024;

/// The mail as it was laid out, made safe to be shown; `None` when it came without HTML, and when that is too
/// long or built to cost time: then its text is all there is. Pictures of the mail are named by their place
/// among its attachments and their name there: `attachment:0/logo.png`.
///
/// It is made when it is to be shown, from the stored mail: deciding needs none of it, and a mail is cleaned
/// as well as lanka can by then, whenever it came.
pub fn html(mail: &Mail) -> Option<String> {
    let chosen = choose(mail, Layout::Rich);
    if !chosen.pieces.iter().any(|piece| matches!(piece, Piece::Html(_))) {
        return None;
    }
    let pictures = pictures(mail);
    let mut shown = String::new();
    for piece in chosen.pieces.iter().take(TEXT_PARTS_MAX) {
        let (Piece::Plain(at) | Piece::Html(at)) = *piece;
        let (source, is_cut) = mail.body_text(&mail.parts[at], TEXT_SOURCE_BYTES_MAX);
        match piece {
            _ if is_cut => return None,
            Piece::Html(_) => shown.push_str(&html::sanitise(&source, &pictures)?),
            // What stands between pieces of HTML (some clients alternate them) keeps its lines.
            Piece::Plain(_) => {
                let text = clean_text(&source);
                shown.push_str("<pre>");
                shown.push_str(&text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
                shown.push_str("</pre>");
            }
        }
        if shown.len() > HTML_BYTES_MAX {
            return None;
        }
    }
    Some(shown)
}

/// Where the HTML finds its pictures: by Content-ID, the attachments as [`body`] lists them.
fn pictures(mail: &Mail) -> HashMap<String, String> {
    let (body, chosen) = (body(mail), choose(mail, Layout::Plain));
    let listed = files(mail, &chosen).zip(&body.attachments).enumerate();
    let named = listed.filter_map(|(at, ((_, part), attachment))| {
        let name = attachment.name.as_deref().unwrap_or_default();
        let name: String =
            url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20");
        Some((part.content_id.clone()?, format!("attachment:{at}/{name}")))
    });
    named.collect()
}

/// What the first invitation among the parts says.
fn invitation(mail: &Mail) -> Option<String> {
    let part = mail.parts.iter().find(|part| part.media_type == "text/calendar")?;
    calendar::lines(&mail.body_text(part, TEXT_BYTES_MAX).0)
}

/// What stands for the text of a mail that lanka cannot open. S/MIME under the general type is known by its name
/// (RFC 8551 3.2.1).
fn sealed(mail: &Mail) -> Option<&'static str> {
    let is_named = |part: &Part| part.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("smime.p7m"));
    mail.parts.iter().find_map(|part| match part.media_type.as_str() {
        "application/octet-stream" if is_named(part) => Some("[S/MIME: encrypted]"),
        "application/pgp-encrypted" => Some("[PGP: encrypted]"),
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => match part.smime_type.as_deref() {
            Some("signed-data") => Some("[S/MIME: signed, not readable without unpacking]"),
            Some("certs-only") => Some("[S/MIME: certificates]"),
            _ => Some("[S/MIME: encrypted]"),
        },
        "application/ms-tnef" | "application/vnd.ms-tnef" => Some("[winmail.dat: in a format of Outlook's own]"),
        _ => None,
    })
}

/// Names for parts that have none, by what they are.
fn usual_name(media_type: &str) -> Option<&'static str> {
    match media_type {
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => Some("smime.p7s"),
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => Some("smime.p7m"),
        "application/pgp-signature" => Some("signature.asc"),
        "application/pgp-keys" => Some("public-key.asc"),
        "application/ms-tnef" | "application/vnd.ms-tnef" => Some("winmail.dat"),
        "text/calendar" => Some("invite.ics"),
        "text/vcard" | "text/x-vcard" | "text/directory" => Some("contact.vcf"),
        _ => None,
    }
}

/// The parts that are neither containers nor text nor another form of the text.
fn files<'a>(mail: &'a Mail, chosen: &Chosen) -> impl Iterator<Item = (usize, &'a Part)> {
    let mut used = vec![false; mail.parts.len()];
    for (at, part) in mail.parts.iter().enumerate() {
        used[at] = is_multipart(part) || chosen.passed_over.contains(&at);
    }
    for piece in &chosen.pieces {
        let (Piece::Plain(at) | Piece::Html(at)) = *piece;
        used[at] = true;
    }
    mail.parts.iter().enumerate().filter(move |(at, _)| !used[*at])
}

/// Which of alternatives is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// The plain one, for reading.
    Plain,
    /// HTML, for showing.
    Rich,
}

#[derive(Default)]
struct Chosen {
    /// Text parts in the order they are read.
    pieces: Vec<Piece>,
    /// Alternatives of what was chosen.
    passed_over: Vec<usize>,
}

/// Walks the tree in order and picks the text. Parts come before their children in `mail.parts`, so
/// one pass over the list is a walk; of alternatives only one branch is followed.
fn choose(mail: &Mail, layout: Layout) -> Chosen {
    let mut chosen = Chosen::default();
    let mut pending = vec![0];
    while let Some(at) = pending.pop() {
        let Some(part) = mail.parts.get(at) else { continue };
        match part.media_type.as_str() {
            "multipart/alternative" if !part.children.is_empty() => {
                let best = best_alternative(mail, &part.children, layout);
                for &child in part.children.iter().rev() {
                    let is_text = matches!(mail.parts[child].media_type.as_str(), "text/plain" | "text/html");
                    if Some(child) == best || is_multipart(&mail.parts[child]) && !has_text(mail, child, "text/") {
                        pending.push(child);
                    } else if is_text && !mail.parts[child].is_attachment {
                        chosen.passed_over.push(child);
                    } else if is_multipart(&mail.parts[child]) {
                        pass_over(mail, child, &mut chosen.passed_over);
                    }
                }
            }
            _ if is_multipart(part) => pending.extend(part.children.iter().rev()),
            "text/plain" if is_text_of_mail(part, at) => chosen.pieces.push(Piece::Plain(at)),
            "text/html" if is_text_of_mail(part, at) => chosen.pieces.push(Piece::Html(at)),
            _ => {}
        }
    }
    chosen
}

/// The texts of a branch that was not chosen; its pictures stay attachments.
fn pass_over(mail: &Mail, branch: usize, passed_over: &mut Vec<usize>) {
    let mut pending = vec![branch];
    while let Some(at) = pending.pop() {
        let part = &mail.parts[at];
        pending.extend(&part.children);
        if matches!(part.media_type.as_str(), "text/plain" | "text/html") && is_text_of_mail(part, at) {
            passed_over.push(at);
        }
    }
}

/// Of alternatives: the wanted one that says something, else the other one, else the last.
fn best_alternative(mail: &Mail, children: &[usize], layout: Layout) -> Option<usize> {
    let of_type = |media_type| children.iter().copied().find(|&child| has_text(mail, child, media_type));
    let (first, second) = match layout {
        Layout::Plain => ("text/plain", "text/html"),
        Layout::Rich => ("text/html", "text/plain"),
    };
    of_type(first).or_else(|| of_type(second)).or(children.last().copied())
}

/// Whether a branch holds text of a type, other than blanks.
fn has_text(mail: &Mail, branch: usize, media_type: &str) -> bool {
    let mut pending = vec![branch];
    while let Some(at) = pending.pop() {
        let part = &mail.parts[at];
        pending.extend(&part.children);
        let is_it = part.media_type.starts_with(media_type) && part.children.is_empty();
        if is_it && is_text_of_mail(part, at) && !mail.slice(&part.body).iter().all(u8::is_ascii_whitespace) {
            return true;
        }
    }
    false
}

fn is_multipart(part: &Part) -> bool {
    !part.children.is_empty() || part.media_type.starts_with("multipart/")
}

/// A text that is part of what was said, not a file sent along. The mail's only part is its text
/// even when it has a name.
fn is_text_of_mail(part: &Part, at: usize) -> bool {
    !part.is_attachment && (part.name.is_none() || at == 0)
}

fn attachment(mail: &Mail, part: &Part, at: usize) -> Attachment {
    let bytes: Bytes = mail.body(part);
    let name = part.name.as_deref().map(file_name).filter(|name| !name.is_empty()).or_else(|| {
        match part.media_type.as_str() {
            // A forwarded mail is known by its subject.
            "message/rfc822" | "message/global" => {
                let (fields, _) = mail_parts::fields(&bytes, 0..bytes.len());
                let subject = fields.iter().find(|field| field.name == "subject")?;
                let subject = mail_parts::decode_unstructured(bytes.get(subject.value.clone())?, None);
                (!subject.is_empty()).then(|| format!("{}.eml", cut(&subject, NAME_BYTES_MAX - 4)))
            }
            other => usual_name(other).map(str::to_owned),
        }
    });
    Attachment {
        name,
        media_type: part.media_type.clone(),
        source: AttachmentSource::Inline(bytes),
        inline: part.is_inline && at > 0,
    }
}

/// The sender's name for a file, for show: encoded words read (against RFC 2231 many clients put
/// them there), no control characters, what some clients write of their own folders left out.
fn file_name(name: &str) -> String {
    let decoded =
        if name.contains("=?") { mail_parts::decode_unstructured(name.as_bytes(), None) } else { name.to_owned() };
    let last = decoded.rsplit(['/', '\\']).next().unwrap_or_default();
    clean_line(last, NAME_BYTES_MAX)
}

/// Lines end in LF; no control characters (Postgres refuses NUL), no byte order mark, no blanks
/// around the whole.
fn clean_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // Bytes that may begin something to take out: controls, C1 controls, a byte order mark.
    let is_suspect = |byte: u8| (byte < 0x20 && !matches!(byte, b'\n' | b'\t')) || matches!(byte, 0x7f | 0xc2 | 0xef);
    while let Some(at) = rest.bytes().position(is_suspect) {
        out.push_str(&rest[..at]);
        let mut after = rest[at..].chars();
        match after.next() {
            Some('\r') if !after.as_str().starts_with('\n') => out.push('\n'),
            Some(c) if !c.is_control() && c != '\u{feff}' => out.push(c),
            _ => {}
        }
        rest = after.as_str();
    }
    out.push_str(rest);
    let start = out.len() - out.trim_start_matches('\n').len();
    let text = out.trim_end();
    if start >= text.len() { String::new() } else { text[start..].to_owned() }
}
