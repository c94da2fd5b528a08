//! Every published capture of Meta's channels, with what became of each. They are run in place, where
//! they are at hand; one that is there and not in the table is read all the same, and named.

use lanka::pure::channels::{self, Setup};
use lanka::pure::domain::id::RawEventId;
use lanka::pure::domain::message::{AttachmentSource, Direction, Incoming, Parsed, RawEvent, SenderIdentity};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;

/// Kind, file, what became of it: an item or fault a line. An item reads: what (`>` before it: by the
/// desk), who, `"how the words begin"`, then the rest.
const TABLE: &[(&str, &str, &[&str])] = &[
    (
        "whatsapp",
        "batch_multiple_entries.json",
        &[
            "message whatsapp:PHONE_NUMBER \"MESSAGE_BODY\", named, 2022-11-23T20:02:58Z",
            "message whatsapp:PHONE_NUMBER \"MESSAGE_BODY2\", named, 2022-11-23T20:02:59Z",
        ],
    ),
    (
        "whatsapp",
        "bsuid_only_no_from_no_wa_id.json",
        &["message whatsapp:US.1234 \"Hello World\", named, 2016-01-30T01:57:09Z"],
    ),
    (
        "whatsapp",
        "contacts_three.json",
        &[
            "message whatsapp:US.13491208655302741918+tel:+972987654321 \"[contact card] C\", named, 2023-10-11T17:17:01Z",
        ],
    ),
    (
        "whatsapp",
        "duplicate_message_same_delivery.json",
        &[
            "message whatsapp:5678 \"Hello World\", named, 2016-01-30T01:57:09Z",
            "message whatsapp:5678 \"Hello World\", named, 2016-01-30T01:57:09Z",
        ],
    ),
    (
        "whatsapp",
        "edit_image_caption.json",
        &[
            "edit tel:+16505551234 \"Updated image ca\", file image/jpeg 1234567890, target wamid.HBgLMTQxMjU1NTA4MjkVAgASGBQzQUNCNjk5RDUwNUZGMUZEM0VBRAA=, 2025-06-13T22:42:55Z",
        ],
    ),
    (
        "whatsapp",
        "image_with_direct_url.json",
        &[
            "message whatsapp:US.13491208655302741918+tel:+972987654321 \"\", named, file image/jpeg 65463453, 2023-10-11T16:56:19Z",
        ],
    ),
    (
        "whatsapp",
        "interactive_without_body_value_errors.json",
        &[
            "message whatsapp:US.13491208655302741918+tel:+972987654321 \"[unsupported: in\", named, reply wamid.gvwegfretge==, !unsupported, 2023-11-20T18:38:14Z",
        ],
    ),
    (
        "whatsapp",
        "list_reply_integer_timestamp.json",
        &["message whatsapp:PHONE_NUMBER_ID \"list_reply_title\", named, 2022-11-23T20:02:58Z"],
    ),
    (
        "whatsapp",
        "order.json",
        &[
            "message whatsapp:US.13491208655302741918+tel:+972987654321 \"[order] 3 x HAMB\", named, 2023-10-11T17:17:48Z",
        ],
    ),
    (
        "whatsapp",
        "reaction.json",
        &[
            "reaction whatsapp:US.13491208655302741918+tel:+972987654321 \"😮\", named, target wamid.yzxyzx=, 2023-10-11T17:14:16Z",
        ],
    ),
    (
        "whatsapp",
        "reaction_removed_no_emoji.json",
        &[
            "reaction whatsapp:US.13491208655302741918+tel:+972987654321 \"\", named, target wamid.yzxyzx=, 2023-10-11T17:14:16Z",
        ],
    ),
    (
        "whatsapp",
        "referral_ctwa_ad.json",
        &[
            "message whatsapp:US.13491208655302741918+tel:+972987654321 \"BODY\", named, subject \"AD_TITLE\", 2023-10-11T17:23:20Z",
        ],
    ),
    (
        "whatsapp",
        "reply_with_context.json",
        &[
            "message whatsapp:US.13491208655302741918+tel:+972987654321 \"replied text\", named, reply wamid.xyzxyz==, 2023-10-11T17:19:06Z",
        ],
    ),
    (
        "whatsapp",
        "smb_message_echo_text.json",
        &["> message tel:+14169385443 \"Hi! Thanks for r\", 2024-06-26T17:00:00Z"],
    ),
    (
        "whatsapp",
        "status_failed_130472.json",
        &[
            "> status whatsapp:US.13491208655302741918+tel:+972987654321 \"failed\", named, subject \"130472 User's nu\", target wamid.xyzxyz, 2023-07-15T00:20:58Z",
        ],
    ),
    (
        "whatsapp",
        "status_sent.json",
        &[
            "> status whatsapp:US.13491208655302741918+tel:+972987654321 \"sent\", named, target wamid.xyzxyz, 2023-10-25T20:49:05Z",
        ],
    ),
    (
        "whatsapp",
        "system_number_change_no_contacts.json",
        &["notice tel:+972987654321 \"User A changed f\", now tel:+972912345678, 2025-07-30T04:55:15Z"],
    ),
    (
        "whatsapp",
        "template_quick_reply_button.json",
        &[
            "message whatsapp:US.13491208655302741918+tel:+972987654321 \"title\", named, reply wamid.xyzxyz==, 2023-10-25T21:23:47Z",
        ],
    ),
    (
        "whatsapp",
        "text.json",
        &["message whatsapp:US.13491208655302741918+tel:+972987654321 \"Body Text\", named, 2023-10-11T16:53:43Z"],
    ),
    (
        "whatsapp",
        "timestamp_not_a_number.json",
        &["message whatsapp:bla \"Hello World\", named, !date_doubtful, no time"],
    ),
    (
        "whatsapp",
        "unsupported_131051.json",
        &[
            "message whatsapp:US.13491208655302741918+tel:+972987654321 \"[unsupported: un\", named, !unsupported, 2023-10-11T17:18:26Z",
        ],
    ),
    ("whatsapp", "value_level_errors_only.json", &["fault vendor_error"]),
    (
        "whatsapp",
        "voice_note.json",
        &[
            "message whatsapp:US.13491208655302741918+tel:+972987654321 \"\", named, file audio/ogg 1234567890987654321, 2023-10-11T16:57:53Z",
        ],
    ),
    (
        "messenger",
        "attachment_fallback.json",
        &["message messenger:5678 \"[fallback] Foo M\", 2016-04-07T01:11:27.97Z"],
    ),
    (
        "messenger",
        "attachment_image.json",
        &["message messenger:5678 \"\", file image/* https://image-url/foo.png, 2016-04-07T01:11:27.97Z"],
    ),
    (
        "messenger",
        "delivery_without_timestamp.json",
        &[
            "> status messenger:USER_ID \"delivered\", target mid.1458668856218:ed81099e15d3f4f233, 2016-03-22T17:47:36.253Z",
        ],
    ),
    (
        "messenger",
        "duplicate_across_entries.json",
        &[
            "message messenger:5678 \"Hello World\", 2016-04-07T01:11:27.97Z",
            "message messenger:5678 \"Hello World\", 2016-04-07T01:11:27.97Z",
        ],
    ),
    ("messenger", "echo_is_echo.json", &["> message messenger:1433960459967306 \"Hi\", 2016-11-27T20:44:47.147Z"]),
    ("messenger", "optin_user_ref_no_sender.json", &["notice nobody \"[event: optin] o\", 2016-11-27T20:44:47.147Z"]),
    ("messenger", "postback.json", &["message messenger:1433960459967306 \"MY_PAYLOAD\", 2016-11-27T20:44:47.147Z"]),
    ("messenger", "quick_reply.json", &["message messenger:1433960459967306 \"Red\", 2016-11-27T20:44:47.147Z"]),
    ("messenger", "read_watermark.json", &["> status messenger:USER_ID \"read\", 2016-03-22T17:47:36.253Z"]),
    ("messenger", "text.json", &["message messenger:1433960459967306 \"Hi\", 2016-11-27T20:44:47.147Z"]),
    ("messenger", "thumbs_up_sticker.json", &["message messenger:5678 \"👍\", 2016-04-07T01:11:27.97Z"]),
    ("messenger", "timestamp_in_seconds.json", &["notice messenger:5678 \"[event: referral\", 2023-12-03T10:25:11Z"]),
    (
        "messenger",
        "unknown_event_foo.json",
        &["notice messenger:USER_ID \"[event: foo]\", !unsupported, 2016-03-22T17:47:36.463Z"],
    ),
    (
        "instagram",
        "dashboard_test_changes_shape.json",
        &["message instagram:12334 \"random_text\", 2018-05-27T22:23:44Z"],
    ),
    (
        "instagram",
        "echo.json",
        &["> message instagram:5678 \"[unsupported: me\", !unsupported, 2016-04-07T01:11:27.97Z"],
    ),
    (
        "instagram",
        "is_unsupported.json",
        &["message instagram:Sender-id-1 \"[unsupported: me\", !unsupported, 2021-09-08T06:34:04Z"],
    ),
    (
        "instagram",
        "standby_message.json",
        &["message instagram:Sender-id-1 \"This is the firs\", 2021-09-08T06:34:04Z"],
    ),
    ("instagram", "story_reply.json", &["message instagram:Sender-id-1 \"This is the stor\", 2021-09-08T06:34:04Z"]),
    ("instagram", "text.json", &["message instagram:5678 \"Hello World\", 2016-04-07T01:11:27.97Z"]),
    (
        "instagram",
        "unsent_is_deleted.json",
        &["delete instagram:5678 \"\", target external_id, 2019-09-23T18:14:45.349Z"],
    ),
];

/// Characters of a text that the table shows: enough to tell it.
const WORDS_CHARS_MAX: usize = 16;

fn read(kind: &str, body: Vec<u8>) -> Parsed {
    let time_zone = jiff::tz::TimeZone::UTC;
    let setup = Setup { name: "desk", region: "FI", time_zone: &time_zone };
    let event = RawEvent {
        id: RawEventId(uuid::Uuid::nil()),
        tenant: "main".to_owned(),
        channel: "desk".to_owned(),
        kind: kind.to_owned(),
        received_at: "2026-03-05T12:00:00Z".parse().expect("a time"),
        trusted_at: None,
        origin: "a test".to_owned(),
        body: body.into(),
    };
    (channels::kind(kind).expect("a kind").dry)(&setup).parse(&event)
}

fn lines(parsed: &Parsed) -> Vec<String> {
    let faults = parsed.faults.iter().map(|fault| format!("fault {}", fault.code));
    parsed.items.iter().map(shown).chain(faults).collect()
}

fn shown(item: &Incoming) -> String {
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let who = |side: &[SenderIdentity]| {
        let each = side.iter().map(|held| format!("{}:{}", held.identity.scheme, held.identity.value));
        if side.is_empty() { "nobody".to_owned() } else { each.collect::<Vec<_>>().join("+") }
    };
    let (by, customer) = match item.direction {
        Direction::FromCustomer => ("", &item.sender),
        Direction::FromAgent => ("> ", &item.recipient),
    };
    let begins = |text: &str| text.chars().take(WORDS_CHARS_MAX).collect::<String>();
    let what = word(json!(item.what));
    let mut parts = vec![format!("{by}{what} {} {:?}", who(&customer.identities), begins(item.content.text()))];
    parts.extend(customer.name.as_ref().map(|_| "named".to_owned()));
    if !item.moved_to.is_empty() {
        parts.push(format!("now {}", who(&item.moved_to)));
    }
    parts.extend(item.subject.as_ref().map(|subject| format!("subject {:?}", begins(subject))));
    for file in &item.attachments {
        let AttachmentSource::Remote(remote) = &file.source else { continue };
        parts.push(format!("file {} {}", file.media_type, remote.at));
    }
    parts.extend(item.references.iter().map(|to| format!("{} {}", word(json!(to.kind)), to.key)));
    parts.extend(item.marks.iter().map(|mark| format!("!{}", word(json!(mark)))));
    parts.push(item.occurred_at.map_or_else(|| "no time".to_owned(), |at| at.to_string()));
    parts.join(", ")
}

#[test]
fn every_capture_of_metas_channels() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures");
    if !dir.is_dir() {
        println!("not run: the captures under ../shared/fixtures are not there");
        return;
    }
    let mut wrong = Vec::new();
    for (kind, file, expected) in TABLE {
        let Ok(body) = std::fs::read(dir.join(kind).join(file)) else {
            println!("not run: {kind}/{file} is not there");
            continue;
        };
        let found = lines(&read(kind, body));
        if found != *expected {
            wrong.push(format!("(\"{kind}\", \"{file}\", &{found:#?}),"));
        }
    }
    let listed: BTreeSet<(&str, &str)> = TABLE.iter().map(|(kind, file, _)| (*kind, *file)).collect();
    for kind in ["whatsapp", "messenger", "instagram"] {
        for entry in std::fs::read_dir(dir.join(kind)).into_iter().flatten().flatten() {
            let file = entry.file_name().to_string_lossy().into_owned();
            if !listed.contains(&(kind, file.as_str())) {
                let found = lines(&read(kind, std::fs::read(entry.path()).unwrap_or_default()));
                assert!(!found.is_empty(), "{kind}/{file} became nothing");
                println!("not in the table: (\"{kind}\", \"{file}\", &{found:#?}),");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
