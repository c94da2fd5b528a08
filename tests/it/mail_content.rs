//! What mails hold: a person's own words, automatic mail, reports, and what is no text. Measured over the
//! public corpora (`../shared/mail`) where they are, with a floor for each.

use crate::mail::{Tally, corpus, event, files, folded, json_file, mbox, only, read, settings, text};
use bytes::Bytes;
use lanka::pure::domain::message::{Auto, Incoming, Mark, ReferenceKind};
use lanka::pure::wire::{html, mime, quote};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Bounces, complaints and automatic replies of some sixty mail systems are told from wanted mail.
///
/// What is missed: a bounce that a person forwards (sisimai lhost-sendmail-14), two spam mails that the
/// authors count as bounces for what their text quotes (bounceparser spam-*), a list manager's alert.
/// What Amazon's notices are about stands in JSON: they are known as automatic, not as bounces.
#[test]
fn automatic_mail_is_known_as_such() {
    let (Some(sisimai), Some(bounceparser)) = (corpus("sisimai"), corpus("bounceparser")) else { return };
    let mut found = Automatic::default();
    let mut kinds = Tally::default();
    let expected = json_file(&sisimai.join("expected.json"));
    for path in below(&sisimai.join("bsd")) {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let entries = expected[&name].as_array().cloned().unwrap_or_default();
        let want = match entries.iter().filter_map(|entry| entry["reason"].as_str()).next() {
            Some("feedback") => Auto::Complaint,
            Some("vacation") => Auto::Vacation,
            Some(_) => Auto::Bounce,
            None => continue,
        };
        let incoming = only(read(std::fs::read(&path).expect("a mail")));
        found.automatic(&name, &incoming);
        kinds.compare(&name, &format!("{:?}", incoming.auto), &format!("{:?}", Some(want)));
        if want != Auto::Vacation {
            found.reports += 1;
            found.tied += usize::from(incoming.references.iter().any(|r| r.kind == ReferenceKind::Reply));
        }
    }
    let expected = json_file(&bounceparser.join("expected.json"));
    for (name, entry) in expected.as_object().expect("an object") {
        let incoming = only(read(std::fs::read(bounceparser.join(name)).expect("a mail")));
        if entry["is_bounce"] == json!(true) {
            found.automatic(name, &incoming);
        }
        if let Some(id) = entry["orig_message_id"].as_str() {
            let id = id.trim_matches(['<', '>']);
            assert!(incoming.references.iter().any(|r| r.key == id), "{name}: {id} is not among the references");
        }
    }
    for path in below(&sisimai.join("not")) {
        found.wanted(&path, &only(read(std::fs::read(&path).expect("a mail"))));
    }
    // Sets of mail that people wrote, or shops and lists. (Those of MIME libraries hold bounces.)
    for set in [
        "threads-spamassassin",
        "notmuch",
        "spamassassin/hard-ham-1",
        "perl-mail-thread",
        "otobo",
        "talon",
        "public-inbox",
        "kde-messagelib",
        "stalwart-mail-parser",
        "mime4j",
        "imaptest",
        "django-helpdesk",
        "roundcube",
    ] {
        let Some(root) = corpus(set) else { continue };
        for path in below(&root) {
            let content = std::fs::read(&path).expect("a file");
            let mails = if content.starts_with(b"From ") { mbox(&content) } else { vec![Bytes::from(content)] };
            for mail in mails {
                read(mail).items.iter().for_each(|incoming| found.wanted(&path, incoming));
            }
        }
    }
    kinds.conclude("sisimai: kind", 0.97);
    found.conclude();
}

fn below(dir: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    files(dir, &mut paths);
    paths
}

/// Counts what is taken for automatic. Mail of lists and newsletters is neither.
#[derive(Default)]
struct Automatic {
    hits: usize,
    misses: Vec<String>,
    wanted: usize,
    false_alarms: Vec<String>,
    reports: usize,
    tied: usize,
}

impl Automatic {
    fn automatic(&mut self, name: &str, incoming: &Incoming) {
        match incoming.auto {
            Some(auto) if auto != Auto::List => self.hits += 1,
            _ => self.misses.push(name.to_owned()),
        }
    }

    fn wanted(&mut self, path: &Path, incoming: &Incoming) {
        self.wanted += 1;
        if incoming.auto.is_some_and(|auto| auto != Auto::List) {
            self.false_alarms.push(format!("{}: {:?} {:?}", path.display(), incoming.auto, incoming.subject));
        }
    }

    fn conclude(self) {
        let recall = self.hits as f64 / (self.hits + self.misses.len()) as f64;
        let precision = self.hits as f64 / (self.hits + self.false_alarms.len()) as f64;
        let tied = self.tied as f64 / self.reports.max(1) as f64;
        println!("automatic mail: recall {recall:.3} ({} found), missed {:?}", self.hits, self.misses);
        println!("  precision {precision:.3} against {} wanted, false alarms {:#?}", self.wanted, self.false_alarms);
        println!("  {} of {} reports name the mail they are about ({tied:.3})", self.tied, self.reports);
        assert!(recall >= 0.97, "recall {recall:.3} is below 0.97");
        assert!(precision >= 0.98, "precision {precision:.3} is below 0.98");
    }
}

/// A subject alone makes no automatic reply; with what such replies carry besides it does.
#[test]
fn automatic_replies_need_more_than_a_subject() {
    let mail = |header: &str, subject: &str, text: &str| {
        only(read(format!("From: Minna <minna@example.com>\n{header}Subject: {subject}\n\n{text}"))).auto
    };
    let away = "Olen lomalla 15.7. asti. Kiireellisissä asioissa ota yhteyttä vaihteeseen.";
    let table: &[(&str, &str, &str, Option<Auto>)] = &[
        ("Auto-Submitted: auto-replied\n", "Re: Tilaus", "Palaan maanantaina.", Some(Auto::Vacation)),
        ("Auto-Submitted: auto-generated\n", "Raportti", "Valmis.", Some(Auto::Generated)),
        ("Auto-Submitted: no\n", "Tilaus", "Missä se on?", None),
        ("X-Autoreply: yes\n", "Re: Tilaus", "x", Some(Auto::Vacation)),
        ("Precedence: auto_reply\n", "Re: Tilaus", "x", Some(Auto::Vacation)),
        ("X-Auto-Response-Suppress: All\n", "Tilaus", "x", Some(Auto::Generated)),
        ("", "Automaattinen vastaus: Tilaus", away, Some(Auto::Vacation)),
        ("In-Reply-To: <1@example.fi>\n", "Autosvar: Order", "x", Some(Auto::Vacation)),
        ("Return-Path: <>\n", "Automatische Antwort: Bestellung", "x", Some(Auto::Vacation)),
        ("", "Abwesenheitsnotiz", "Ich bin bis 3.8. nicht im Büro.", Some(Auto::Vacation)),
        ("", "Réponse automatique : commande", "Je suis absent jusqu'au 5 mai.", Some(Auto::Vacation)),
        // A person asks about the very thing.
        ("", "Automatic reply: how do I switch it off?", "It answers my own customers.", None),
        ("", "Poissa: kaksi laatikkoa", "Lähetyksestä puuttui kaksi laatikkoa.", None),
        ("", "Kesäloma", away, None),
        ("", "Delivery failure", "My parcel was not delivered, 550 euros.", None),
    ];
    for (header, subject, text, expected) in table {
        assert_eq!(mail(header, subject, text), *expected, "{header}{subject}: {text}");
    }
}

/// A bounce says whom it is about and what the other server said, and points at the mail.
#[test]
fn a_bounce_is_tied_to_its_mail() {
    let bounce = only(read(
        "From: MAILER-DAEMON@mx.example.net\nSubject: Undelivered\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
         --b\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n\
         Final-Recipient: rfc822; minna@example.com\nAction: failed\nStatus: 5.1.1\n\
         Diagnostic-Code: smtp; 550 no such user\n--b\nContent-Type: message/rfc822\n\n\
         Message-ID: <ticket-1@example.fi>\nSubject: Tilaus\n\nHei\n--b--\n",
    ));
    assert_eq!(bounce.auto, Some(Auto::Bounce));
    assert_eq!(text(&bounce), "Sorry.\nminna@example.com: failed 5.1.1 550 no such user");
    assert_eq!(bounce.references[0].key, "ticket-1@example.fi");
}

/// What cannot be read as text is named, invitations are read out, and a forwarded mail is marked.
/// What is in Outlook's own format comes out of it, beside it, whatever its writer got wrong.
#[test]
fn what_outlook_packs_is_unpacked() {
    use base64::Engine as _;
    let Some(samples) = corpus("tnef-samples") else { return };
    let packed = |name: &str| {
        let bytes = std::fs::read(samples.join(name)).expect("a sample");
        let content = base64::engine::general_purpose::STANDARD.encode(bytes);
        let mail = format!(
            "From: minna@example.com\nSubject: x\nMessage-ID: <1@example.com>\nMIME-Version: 1.0\n\
             Content-Type: application/ms-tnef\nContent-Transfer-Encoding: base64\n\n{content}\n"
        );
        let incoming = only(read(mail));
        let files: Vec<String> = incoming
            .attachments
            .iter()
            .map(|file| format!("{} {}", file.name.as_deref().unwrap_or("-"), file.media_type))
            .collect();
        (files.join(", "), text(&incoming).to_owned())
    };
    // Beside `winmail.dat` itself; the text is that of the mail, which has no other.
    let sealed = "[winmail.dat: in a format of Outlook's own]";
    let table: &[(&str, &str, &str)] = &[
        ("one-file.tnef", "AUTHORS application/octet-stream", sealed),
        ("two-files.tnef", "AUTHORS application/octet-stream, README application/octet-stream", sealed),
        ("data-before-name.tnef", "boot.ini application/octet-stream", "asdf"),
        (
            "long-filename.tnef",
            "allproductsmar2000.dat application/octet-stream",
            "I've attached a temp. license for QARun 4.7.",
        ),
        (
            "multi-value-attribute.tnef",
            "208225__5_seconds__Voice_Mail.mp3 audio/mp3",
            "You received a voice mail from Curie Conf Room at 208225.",
        ),
        (
            "umlaut.tnef",
            "TBZ PARIV GmbH.jpg application/octet-stream, image003.jpg image/jpeg, UmlautAnhang-äüö.txt application/octet-stream",
            "TEST äöü +-*/~",
        ),
        (
            "duplicate_filename.tnef",
            "file_abcdefgh.txt application/octet-stream, file_abcdefgh.txt application/octet-stream, VIA_Nytt_14021.htm application/octet-stream",
            "Det er jo en velkjent sak at bodødamene er",
        ),
        (
            "MAPI_ATTACH_DATA_OBJ.tnef",
            "VIA_Nytt_1402.doc application/octet-stream, VIA_Nytt_1402.pdf application/octet-stream, VIA_Nytt_14021.htm application/octet-stream",
            "Det er jo en velkjent sak at bodødamene er",
        ),
        (
            "missing-filenames.tnef",
            "generpts.src application/octet-stream, TechlibDEC99.doc application/octet-stream, TechlibDEC99-JAN00.doc application/octet-stream, TechlibNOV99.doc application/octet-stream",
            "Hi Stephen,",
        ),
        ("unicode-mapi-attr.tnef", "example.dat application/octet-stream", "\u{200b}hello world"),
        (
            "unicode-mapi-attr-name.tnef",
            "spaconsole2.cfg application/octet-stream, image001.png image/png, image002.png image/png, image003.png image/png",
            "Przesyłam poprawiony plik",
        ),
        ("body.tnef", "", "THE BILL OF RIGHTS"),
        ("triples.tnef", "", "Sample description"),
        ("rtf.tnef", "", "aafgag'alga'kgk"),
        ("IPM-DistList.tnef", "", "This is the first half of the list"),
        ("garbage-at-end.tnef", "", sealed),
        ("multi-name-property.tnef", "", sealed),
    ];
    for (name, files, text) in table {
        let (found, said) = packed(name);
        let files = ["winmail.dat application/ms-tnef", *files].join(", ");
        assert_eq!(found, files.trim_end_matches(", "), "{name}");
        assert!(said.starts_with(text), "{name}: {said}");
    }
}

#[test]
fn other_contents_are_named() {
    let mail = |rest: &str| {
        only(read(format!(
            "From: minna@example.com\nSubject: x\nMessage-ID: <1@example.com>\nMIME-Version: 1.0\n{rest}"
        )))
    };
    let table: &[(&str, &str, &str)] = &[
        (
            "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\nContent-Transfer-Encoding: base64\n\nAAAA\n",
            "[S/MIME: encrypted]",
            "smime.p7m application/pkcs7-mime",
        ),
        (
            "Content-Type: multipart/encrypted; boundary=b; protocol=\"application/pgp-encrypted\"\n\n--b\n\
             Content-Type: application/pgp-encrypted\n\nVersion: 1\n--b\nContent-Type: application/octet-stream; name=encrypted.asc\n\nx\n--b--\n",
            "[PGP: encrypted]",
            " application/pgp-encrypted, encrypted.asc application/octet-stream",
        ),
        (
            "Content-Type: multipart/signed; boundary=b\n\n--b\n\nHei\n--b\nContent-Type: application/pkcs7-signature\n\nx\n--b--\n",
            "Hei",
            "smime.p7s application/pkcs7-signature",
        ),
        (
            "Content-Type: multipart/alternative; boundary=b\n\n--b\n\nTule!\n--b\nContent-Type: text/calendar; method=REQUEST\n\n\
             BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:Asennus\nDTSTART:20260302T080000Z\nEND:VEVENT\nEND:VCALENDAR\n--b--\n",
            "[REQUEST] Asennus\n2026-03-02 08:00 UTC\n\nTule!",
            "invite.ics text/calendar",
        ),
    ];
    for (rest, expected, files) in table {
        let incoming = mail(rest);
        assert_eq!(text(&incoming), *expected);
        let found =
            incoming.attachments.iter().map(|a| format!("{} {}", a.name.as_deref().unwrap_or_default(), a.media_type));
        assert_eq!(found.collect::<Vec<_>>().join(", "), *files);
    }
    let forwarded = mail(
        "\nKatsotko tämän?\n\n---------- Forwarded message ---------\nFrom: Matti <matti@example.net>\nSubject: y\nTo: z\n\nHei",
    );
    assert!(forwarded.marks.contains(&Mark::Forwarded), "{:?}", forwarded.marks);
    assert_eq!(forwarded.sender.identities[0].identity.value, "minna@example.com");
    assert_eq!(quote::split(text(&forwarded)).quoted_from.as_deref(), Some("Matti <matti@example.net>"));
}

/// What the sets of three reply parsers call the person's own words, each set alone. Two of them leave
/// sign-offs in; there the own words and the signature together are compared as well.
///
/// What differs: the first piece alone of a text with answers between quotations (crisp email_2); quotations
/// kept with the answer (discourse quote_and_text, embedded_email_17, spam_1: here somebody else's
/// words are shown only where there are no others); two signatures below each other (embedded_ception);
/// `Sent from my iPhone` as the text's (talon iphone).
#[test]
fn own_words_agree_with_reply_parsers() {
    let read = |path: PathBuf| String::from_utf8_lossy(&std::fs::read(path).expect("a text")).replace('\r', "");
    let (mut agreed, mut compared) = (0, 0);
    let mut conclude = |name: &str, tally: Tally| {
        agreed += tally.agreed;
        compared += tally.compared;
        tally.conclude(name, 0.85);
    };
    if let Some(root) = corpus("crisp-email-reply-parser") {
        let mut tally = Tally::default();
        for (name, expected) in json_file(&root.join("expected.json")).as_object().expect("an object") {
            let texts =
                [&expected["first_fragment_trimmed"], &expected["fragment_text"]["0"], &expected["visible_text"]];
            if let Some(expected) = texts.into_iter().find_map(Value::as_str) {
                tally.own_words(name, &read(root.join(name)), expected);
            }
        }
        conclude("own words, crisp", tally);
    }
    if let Some(root) = corpus("discourse-email-reply-trimmer") {
        let mut tally = Tally::default();
        for path in below(&root.join("emails")) {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let expected = read(root.join("trimmed").join(&name));
            tally.own_words(&name, &read(path), &expected);
        }
        conclude("own words, discourse", tally);
    }
    if let Some(root) = corpus("talon") {
        let mut tally = Tally::default();
        let mails = below(&root.join("standard_replies"));
        for path in mails.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "eml")) {
            let answer = PathBuf::from(format!("{}_reply_text", path.with_extension("").display()));
            let expected = if answer.exists() { read(answer) } else { "Hello".to_owned() };
            let incoming = only(mime::read(&event(std::fs::read(&path).expect("a mail")), &settings()));
            tally.own_words(&path.display().to_string(), text(&incoming), &expected);
        }
        for name in ["hotmail", "ms_outlook_2010", "yandex_ru"] {
            let source = read(root.join("html_replies").join(format!("{name}.html")));
            let source = html::to_text(&source, mime::TEXT_BYTES_MAX);
            tally.own_words(name, &source, "Hi. I am fine. Thanks, Alex");
        }
        conclude("own words, talon", tally);
    }
    if compared > 0 {
        let share = agreed as f64 / compared as f64;
        println!("own words: {agreed} of {compared} agree ({share:.3})");
        assert!(share >= 0.90, "own words: {share:.3} is below 0.90");
    }
}

impl Tally {
    /// Compares own words; where a set keeps sign-offs, those and the signature with them.
    fn own_words(&mut self, name: &str, source: &str, expected: &str) {
        let parts = quote::split(source);
        let with_signature = signature_kept(source, &parts);
        let own = if parts.own.is_empty() { parts.passed_on } else { parts.own };
        let found = if folded(&with_signature) == folded(expected) { with_signature } else { own };
        self.compare(name, &found, expected);
    }
}

/// The own words with the sign-off and what stands below it, as sets that keep signatures have it.
fn signature_kept(source: &str, parts: &quote::Parts) -> String {
    let end = parts.signature.lines().last().unwrap_or_default();
    let lines: Vec<&str> = source.lines().collect();
    match lines.iter().rposition(|line| !end.is_empty() && line.trim() == end.trim()) {
        Some(last) => {
            let own = folded(&parts.own);
            let whole = folded(&lines[..=last].join("\n"));
            if whole.starts_with(&own) { whole } else { parts.own.clone() }
        }
        None => parts.own.clone(),
    }
}
