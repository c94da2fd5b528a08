//! `winmail.dat`: what Outlook packs a mail into for other Outlooks (MS-OXTNEF). Its files are taken out, so that
//! those who have none of it see them too.
//!
//! A stream is a signature, a key and attributes, each with its length and a checksum that many programs get wrong
//! and nobody needs. An attachment begins with `attAttachRenddata`; its name and bytes follow as attributes, or as
//! properties of MAPI within one (MS-OXTNEF 2.1.3.3). A mail within the mail is a stream of its own there.
//!
//! Text that is only there as compressed RTF is read by `wire::rtf`.
//!
//! **Invariant:** what is broken ends the reading, and what was read before it counts. Bytes are not copied.

use super::mail_parts::{code_page, decode_charset};
use super::rtf;
use bytes::Bytes;

/// Opens a stream (MS-OXTNEF 2.1.3.1).
const SIGNATURE: u32 = 0x223e_9f78;
/// Mails within mails that are opened.
const DEPTH_MAX: usize = 4;
/// Files taken out.
const FILES_MAX: usize = 200;
/// Of a name so many bytes are read: 255 characters in UTF-16, and some to spare.
const NAME_BYTES_MAX: usize = 1024;
/// Of a text so many bytes are read.
const TEXT_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Attributes by the lower half of their ids; the upper half is the type (MS-OXTNEF 2.1.3.2).
mod attribute {
    pub const BODY: u16 = 0x800c;
    pub const ATTACH_DATA: u16 = 0x800f;
    pub const ATTACH_TITLE: u16 = 0x8010;
    pub const ATTACH_REND_DATA: u16 = 0x9002;
    pub const MESSAGE_PROPERTIES: u16 = 0x9003;
    pub const ATTACHMENT_PROPERTIES: u16 = 0x9005;
    pub const OEM_CODEPAGE: u16 = 0x9007;
}

/// Properties of MAPI (MS-OXPROPS).
mod property {
    pub const BODY: u16 = 0x1000;
    pub const RTF_COMPRESSED: u16 = 0x1009;
    pub const HTML: u16 = 0x1013;
    pub const DATA: u16 = 0x3701;
    pub const LONG_NAME: u16 = 0x3707;
    pub const MIME_TAG: u16 = 0x370e;
    /// From here on a property has a name, which stands before its value.
    pub const NAMED: u16 = 0x8000;
}

/// What was in it.
#[derive(Debug, Default)]
pub struct Contents {
    /// The files, those of mails within it among them.
    pub files: Vec<File>,
    /// The plain text.
    pub text: Option<String>,
    /// The text as HTML.
    pub html: Option<String>,
    /// The words of the text as RTF; read where there is no other.
    pub rich: Option<String>,
    /// There were more files than are taken out.
    pub is_dropped: bool,
}

/// One file.
#[derive(Debug)]
pub struct File {
    /// As its sender calls it.
    pub name: Option<String>,
    /// The media type, where one is stated.
    pub media_type: Option<String>,
    /// Its content.
    pub bytes: Bytes,
}

/// Reads a stream; one that is none has nothing in it.
pub fn read(stream: &Bytes) -> Contents {
    let mut contents = Contents::default();
    let mut rich = None;
    let _ = collect(stream, stream, 0, &mut contents, &mut rich);
    if contents.text.is_none() && contents.html.is_none() {
        contents.rich = rich.map(|packed| rtf::packed_text(packed, TEXT_BYTES_MAX));
    }
    contents
}

/// An attachment as far as it was read.
#[derive(Default)]
struct Draft<'a> {
    title: Option<String>,
    long_name: Option<String>,
    media_type: Option<String>,
    data: Option<&'a [u8]>,
    object: Option<&'a [u8]>,
}

/// Reads one stream within the whole. `None` where it breaks off. `rich` is the text as compressed RTF.
fn collect<'a>(
    whole: &Bytes,
    stream: &'a [u8],
    depth: usize,
    contents: &mut Contents,
    rich: &mut Option<&'a [u8]>,
) -> Option<()> {
    let mut at = Cursor(stream);
    if at.u32()? != SIGNATURE {
        return None;
    }
    at.u16()?;
    let mut charset = String::new();
    let mut draft: Option<Draft<'_>> = None;
    while let Some((id, data)) = at.attribute() {
        match id {
            attribute::OEM_CODEPAGE => charset = code_page(Cursor(data).u32().unwrap_or_default()),
            attribute::BODY if depth == 0 => contents.text = Some(text(data, &charset)),
            attribute::MESSAGE_PROPERTIES if depth == 0 => {
                for value in Properties::of(data) {
                    match value.id {
                        property::BODY => contents.text = Some(value.text(&charset, TEXT_BYTES_MAX)),
                        property::HTML => contents.html = Some(html(value.data, &charset)),
                        property::RTF_COMPRESSED => *rich = Some(value.data),
                        _ => {}
                    }
                }
            }
            attribute::ATTACH_REND_DATA => {
                finish(whole, draft.replace(Draft::default()), depth, contents);
                if contents.is_dropped {
                    return None;
                }
            }
            attribute::ATTACH_TITLE => {
                draft.get_or_insert_default().title = Some(text(head(data, NAME_BYTES_MAX), &charset))
            }
            attribute::ATTACH_DATA => draft.get_or_insert_default().data = Some(data),
            attribute::ATTACHMENT_PROPERTIES => draft.get_or_insert_default().properties(data, &charset),
            _ => {}
        }
    }
    finish(whole, draft, depth, contents);
    Some(())
}

/// What an attachment turns out to be: a file, or a mail with files of its own.
fn finish(whole: &Bytes, draft: Option<Draft<'_>>, depth: usize, contents: &mut Contents) {
    let Some(Draft { title, long_name, media_type, data, object }) = draft else { return };
    // Behind the interface of an object (16 bytes) there may be a mail.
    if let Some(stream) = object.and_then(|object| object.get(16..))
        && depth < DEPTH_MAX
        && Cursor(stream).u32() == Some(SIGNATURE)
    {
        let _ = collect(whole, stream, depth + 1, contents, &mut None);
        return;
    }
    let Some(data) = data.or(object).filter(|data| !data.is_empty()) else { return };
    if contents.files.len() >= FILES_MAX {
        contents.is_dropped = true;
        return;
    }
    let name = long_name.or(title).filter(|name| !name.is_empty());
    contents.files.push(File { name, media_type, bytes: whole.slice_ref(data) });
}

impl<'a> Draft<'a> {
    fn properties(&mut self, data: &'a [u8], charset: &str) {
        for value in Properties::of(data) {
            match value.id {
                property::LONG_NAME => self.long_name = Some(value.text(charset, NAME_BYTES_MAX)),
                property::MIME_TAG => {
                    let stated = value.text(charset, NAME_BYTES_MAX).trim().to_ascii_lowercase();
                    self.media_type = Some(stated).filter(|stated| is_media_type(stated));
                }
                property::DATA if value.kind == Value::OBJECT => self.object = Some(value.data),
                property::DATA => self.data = self.data.or(Some(value.data)),
                _ => {}
            }
        }
    }
}

/// `type/subtype` of the characters that RFC 2045 allows, and no longer than any in use.
fn is_media_type(text: &str) -> bool {
    let is_token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    text.len() <= 127 && text.split_once('/').is_some_and(|(kind, sub)| is_token(kind) && is_token(sub))
}

/// One value of a list of properties.
struct Value<'a> {
    id: u16,
    kind: u16,
    data: &'a [u8],
}

impl Value<'_> {
    const STRING: u16 = 0x001e;
    const UNICODE: u16 = 0x001f;
    const OBJECT: u16 = 0x000d;
    const BINARY: u16 = 0x0102;
    const MULTIPLE: u16 = 0x1000;

    fn text(&self, charset: &str, bytes_max: usize) -> String {
        let data = head(self.data, bytes_max);
        if self.kind != Self::UNICODE {
            return text(data, charset);
        }
        let units = data.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        char::decode_utf16(units.take_while(|unit| *unit != 0))
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    }
}

/// The values of a list of properties (MS-OXTNEF 2.1.3.4), of each the first where it has several. Ends where the
/// list breaks off, or holds a type that is not known: nobody knows how long its value is.
struct Properties<'a> {
    at: Cursor<'a>,
    left: u32,
}

impl<'a> Properties<'a> {
    fn of(data: &'a [u8]) -> Self {
        let mut at = Cursor(data);
        let left = at.u32().unwrap_or_default();
        Self { at, left }
    }

    fn value(&mut self) -> Option<Value<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (kind, id) = (self.at.u16()?, self.at.u16()?);
        if id >= property::NAMED {
            self.at.take(16)?;
            match self.at.u32()? {
                0 => self.at.take(4)?,
                _ => self.at.padded()?,
            };
        }
        let (single, is_multiple) = (kind & !Value::MULTIPLE, kind & Value::MULTIPLE != 0);
        let is_long = matches!(single, Value::STRING | Value::UNICODE | Value::OBJECT | Value::BINARY);
        let count = if is_long || is_multiple { self.at.u32()? } else { 1 };
        let mut data: &[u8] = &[];
        for n in 0..count {
            let value = match single {
                _ if is_long => self.at.padded()?,
                0x0001..=0x0004 | 0x000a | 0x000b => self.at.take(4)?,
                0x0005..=0x0007 | 0x0014 | 0x0040 => self.at.take(8)?,
                0x0048 => self.at.take(16)?,
                _ => return None,
            };
            if n == 0 {
                data = value;
            }
        }
        Some(Value { id, kind: single, data })
    }
}

impl<'a> Iterator for Properties<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        self.value()
    }
}

/// What is left to read.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    /// A value behind its length, filled up to a multiple of four bytes. The last one may not be.
    fn padded(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u32()?).ok()?;
        let value = self.take(length)?;
        let _ = self.take(length.wrapping_neg() % 4);
        Some(value)
    }

    /// The next attribute: level, id with type, length, value, checksum. The last may lack its checksum.
    fn attribute(&mut self) -> Option<(u16, &'a [u8])> {
        self.take(1)?;
        let id = self.u32()? as u16;
        let length = usize::try_from(self.u32()?).ok()?;
        let value = self.take(length)?;
        let _ = self.take(2);
        Some((id, value))
    }
}

fn head(data: &[u8], bytes_max: usize) -> &[u8] {
    &data[..data.len().min(bytes_max)]
}

/// Text up to its NUL, of at most [`TEXT_BYTES_MAX`].
fn text(data: &[u8], charset: &str) -> String {
    let data = head(data, TEXT_BYTES_MAX);
    let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    decode_charset(&data[..end], Some(charset))
}

/// HTML has a charset of its own, which is UTF-8 where it can be that.
fn html(data: &[u8], charset: &str) -> String {
    let data = head(data, TEXT_BYTES_MAX);
    decode_charset(data, std::str::from_utf8(data).is_err().then_some(charset))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn attribute(id: u16, data: &[u8]) -> Vec<u8> {
        [&[2][..], &u32::from(id).to_le_bytes(), &(data.len() as u32).to_le_bytes(), data, &[0, 0]].concat()
    }

    fn stream(attributes: &[Vec<u8>]) -> Bytes {
        [&SIGNATURE.to_le_bytes()[..], &[1, 0], &attributes.concat()].concat().into()
    }

    fn long(kind: u16, id: u16, data: &[u8]) -> Vec<u8> {
        let padding = &[0; 3][..data.len().wrapping_neg() % 4];
        let length = (data.len() as u32).to_le_bytes();
        [&kind.to_le_bytes()[..], &id.to_le_bytes(), &1u32.to_le_bytes(), &length, data, padding].concat()
    }

    fn properties(values: &[Vec<u8>]) -> Vec<u8> {
        [&(values.len() as u32).to_le_bytes()[..], &values.concat()].concat()
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
    }

    /// Name, media type and content of each file.
    fn shown(contents: &Contents) -> Vec<String> {
        let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let line = |file: &File| {
            format!("{} {} {}", word(&file.name), word(&file.media_type), String::from_utf8_lossy(&file.bytes))
        };
        contents.files.iter().map(line).collect()
    }

    #[test]
    fn files_come_out_with_their_names() {
        let begin = || attribute(attribute::ATTACH_REND_DATA, &[0; 14]);
        let title = |name: &[u8]| attribute(attribute::ATTACH_TITLE, name);
        let data = |data: &[u8]| attribute(attribute::ATTACH_DATA, data);
        let more = |values: &[Vec<u8>]| attribute(attribute::ATTACHMENT_PROPERTIES, &properties(values));
        let code_page = |n: u32| attribute(attribute::OEM_CODEPAGE, &[n.to_le_bytes(), [0; 4]].concat());
        // A property with a name, one with several values and one of a fixed size stand in the way.
        let named = [
            &[0x1e, 0, 1, 0x80][..],
            &[7; 16],
            &[1, 0, 0, 0, 2, 0, 0, 0, b'a', 0, 0, 0],
            &[1, 0, 0, 0, 1, 0, 0, 0, b'x', 0, 0, 0],
        ]
        .concat();
        let several = [&[0x03, 0x10, 9, 9, 2, 0, 0, 0][..], &[0; 8]].concat();
        let fixed = vec![0x40, 0, 8, 0x30, 0, 0, 0, 0, 0, 0, 0, 0];
        let long_name = || long(Value::UNICODE, property::LONG_NAME, &utf16("Päätös ja lasku.pdf"));
        let mime = |tag: &str| long(Value::STRING, property::MIME_TAG, format!("{tag}\0").as_bytes());
        let inner = stream(&[begin(), title(b"inner.txt\0"), data(b"deep")]);
        let object = long(Value::OBJECT, property::DATA, &[&[9; 16][..], &inner].concat());
        for (name, attributes, expected) in [
            ("nothing", vec![], vec![]),
            ("a title alone", vec![begin(), title(b"a.txt\0")], vec![]),
            (
                "two",
                vec![begin(), title(b"a.txt\0"), data(b"one"), begin(), data(b"two")],
                vec!["a.txt - one", "- - two"],
            ),
            (
                "a code page",
                vec![code_page(1251), begin(), title(b"\xd1\xf7\xb8\xf2.txt"), data(b"x")],
                vec!["Счёт.txt - x"],
            ),
            (
                "properties",
                vec![
                    begin(),
                    title(b"LASKU~1.PDF"),
                    data(b"x"),
                    more(&[named, several, fixed, mime("Application/PDF"), long_name()]),
                ],
                vec!["Päätös ja lasku.pdf application/pdf x"],
            ),
            ("a type that is none", vec![begin(), data(b"x"), more(&[mime("a b\r\nc/d")])], vec!["- - x"]),
            (
                "content as a property",
                vec![begin(), more(&[long(Value::BINARY, property::DATA, b"xyz")])],
                vec!["- - xyz"],
            ),
            (
                "a mail within",
                vec![begin(), title(b"Mail\0"), more(&[object]), begin(), title(b"b"), data(b"2")],
                vec!["inner.txt - deep", "b - 2"],
            ),
        ] {
            assert_eq!(shown(&read(&stream(&attributes))), expected, "{name}");
        }
        let texts = read(&stream(&[
            code_page(1252),
            attribute(attribute::BODY, b"Hyv\xe4\xe4\0"),
            attribute(
                attribute::MESSAGE_PROPERTIES,
                &properties(&[long(Value::BINARY, property::HTML, "<p>Hyvää</p>".as_bytes())]),
            ),
        ]));
        assert_eq!((texts.text.as_deref(), texts.html.as_deref()), (Some("Hyvää"), Some("<p>Hyvää</p>")));
    }

    #[test]
    fn what_is_broken_ends_it() {
        let begin = || attribute(attribute::ATTACH_REND_DATA, &[0; 14]);
        let whole = stream(&[
            begin(),
            attribute(attribute::ATTACH_DATA, b"one"),
            begin(),
            attribute(attribute::ATTACH_DATA, b"two"),
        ]);
        for cut in 0..whole.len() {
            let found = shown(&read(&whole.slice(..cut)));
            assert!(
                ["- - one", "- - two"].starts_with(&found.iter().map(String::as_str).collect::<Vec<_>>()),
                "{cut}: {found:?}"
            );
        }
        assert!(read(&Bytes::from_static(b"eJ8+Ig==")).files.is_empty());
        let many: Vec<Vec<u8>> = (0..300).flat_map(|_| [begin(), attribute(attribute::ATTACH_DATA, b"x")]).collect();
        let many = read(&stream(&many));
        assert!(many.files.len() == FILES_MAX && many.is_dropped);
    }

    #[test]
    fn a_count_that_lies_takes_no_time() {
        let liar = [&u32::MAX.to_le_bytes()[..], &[0x02, 0x11, 1, 0], &u32::MAX.to_le_bytes(), &[0; 64]].concat();
        let began = std::time::Instant::now();
        read(&stream(&[attribute(attribute::ATTACHMENT_PROPERTIES, &liar)]));
        assert!(began.elapsed() < std::time::Duration::from_secs(1));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600), at in 0usize..600) {
            let begin = attribute(attribute::ATTACH_REND_DATA, &[0; 14]);
            let mut whole = stream(&[begin, attribute(attribute::ATTACHMENT_PROPERTIES, &bytes), attribute(attribute::MESSAGE_PROPERTIES, &bytes)]).to_vec();
            read(&Bytes::from(bytes));
            if let Some(byte) = whole.get_mut(at) {
                *byte ^= 0x55;
            }
            read(&Bytes::from(whole));
        }
    }
}
