//! Mail as it was laid out, and mail that is passed on: what agents see of both.

use crate::desk::{Desk, mail};
use crate::endpoint::Endpoint;
use crate::mirrors::mirror;
use crate::sender_auth::event;
use lanka::pure::wire::mime;
use lanka::shell::alerts::{Alerts, Tool};
use lanka::shell::carriers::http::HttpCarrier;
use lanka::shell::deliver::{Deliver, Limits};
use serde_json::Value;

fn html_of(mail: &str) -> Option<String> {
    mime::html(&event(mail))
}

const PICTURES: &str = "Content-Type: multipart/related; boundary=r\n\n--r\n\
    Content-Type: multipart/alternative; boundary=a\n\n\
    --a\nContent-Type: text/plain\n\nHello\n\
    --a\nContent-Type: text/html\n\n<p onclick=x()>Hello <img src=\"cid:one@x\"><img src=\"cid:none@x\"><img src=\"https://spy.example/p.gif\"></p>\n--a--\n\
    --r\nContent-Type: application/pdf; name=terms.pdf\nContent-Disposition: attachment\n\nx\n\
    --r\nContent-Type: image/png; name=\"lo go.png\"\nContent-ID: <one@x>\n\nx\n--r--\n";

#[test]
fn html_is_shown_safely_or_not_at_all() {
    let nested = format!("Content-Type: text/html\n\n{}x", "<div>".repeat(100_000));
    let long = format!("Content-Type: text/html\n\n<p>{}</p>", "x ".repeat(800_000));
    let table: &[(&str, Option<&str>)] = &[
        ("\nHello", None),
        ("Content-Type: text/html\n\n<b>Hello</b>", Some("<b>Hello</b>")),
        ("Content-Type: text/html\n\n<script>x()</script><b>Hello</b>", Some("<b>Hello</b>")),
        (PICTURES, Some("<p>Hello <img src=\"attachment:1/lo%20go.png\"><img><img></p>\n")),
        (
            "Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: text/html\n\n<i>a</i>\n\
             --m\nContent-Type: text/plain\n\n1 < 2\n--m\nContent-Type: text/html; name=x.html\nContent-Disposition: attachment\n\n<u>b</u>\n--m--\n",
            Some("<i>a</i><pre>1 &lt; 2</pre>"),
        ),
        (&nested, None),
        (&long, None),
    ];
    let began = std::time::Instant::now();
    for (rest, expected) in table {
        let shown = html_of(&format!("From: a@example.com\nSubject: x\n{rest}"));
        let shown = shown.map(|shown| shown.trim_end().to_owned());
        assert_eq!(shown.as_deref(), expected.map(str::trim_end), "{rest:.120}");
    }
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
}

#[test]
fn the_author_of_what_is_passed_on_is_told() {
    let below = "---------- Forwarded message ---------\nFrom: Matti <matti@example.net>\nSubject: y\nTo: z\n\nHei";
    let enclosed = "Content-Type: multipart/mixed; boundary=m\n\n--m\n\nLook at this\n--m\nContent-Type: message/rfc822\n\n\
        From: =?utf-8?q?J=C3=A4rvi?= <jarvi@example.net>\nSubject: y\n\nHei\n--m--\n";
    let outlook = "\nKts. alla.\n\n-----Alkuperäinen viesti-----\nLähettäjä: Matti [mailto:matti@example.net]\n\
        Lähetetty: 6. syyskuuta 2026\nVastaanottaja: minna@example.com\nAihe: y\n\nHei";
    let table: &[(&str, &str, Option<&str>)] = &[
        ("Fwd: y", &format!("\nLook at this\n\n{below}"), Some("Matti <matti@example.net>")),
        ("y", &format!("\n{below}"), Some("Matti <matti@example.net>")),
        ("VL: y", outlook, Some("Matti <matti@example.net>")),
        ("VL: y", enclosed, Some("Järvi <jarvi@example.net>")),
        ("y", enclosed, None),
        ("Re: y", "\nOn Monday Matti <matti@example.net> wrote:\n> Hei", None),
        ("Fwd: y", "\nNothing below", None),
    ];
    for (subject, rest, expected) in table {
        let body = format!("From: Minna <minna@example.com>\nSubject: {subject}\n{rest}");
        let incoming = mime::read(&event(&body), &mime::MailSettings::default()).items.remove(0);
        assert_eq!(incoming.forwarded_from.as_deref(), *expected, "{subject}: {rest}");
        assert_eq!(incoming.sender.identities[0].identity.value, "minna@example.com");
    }
}

#[tokio::test]
async fn mirrors_get_the_layout_and_the_author_and_nobody_is_joined_by_it() {
    let desk = Desk::open().await;
    let results = "dmarc=pass header.from=firm.example";
    let date = "Mon, 2 Mar 2026 10:00:00 +0200";
    let of = |id: &str, from: &str, subject: &str, text: &str| {
        mail(id, from, date, results, "", subject, text).replace(
            "from=firm.example",
            &format!("from={}", from.split('@').next_back().unwrap_or_default().trim_end_matches('>')),
        )
    };
    // Matti writes himself; then Minna passes on something of his.
    desk.take(
        "mail",
        "2026-03-02T08:00:01Z",
        of("m1@x", "Matti Meri <matti@meri.example>", "Lamp", "My lamp is dark."),
    )
    .await;
    let forward = "Please see below.\r\n\r\n---------- Forwarded message ---------\r\nFrom: Matti Meri <matti@meri.example>\r\n\
        Subject: Lamp\r\nTo: minna@firm.example\r\n\r\nOrder 40012345, call 040 1234567";
    desk.take("mail", "2026-03-02T08:00:02Z", of("m2@x", "Minna <minna@firm.example>", "Fwd: Lamp", forward)).await;
    let html = format!(
        "From: Bo <bo@firm.example>\r\nTo: asiakaspalvelu@kauppa.example\r\nMessage-ID: <m3@x>\r\nDate: {date}\r\nSubject: Pictures\r\n{}",
        PICTURES.replace('\n', "\r\n")
    );
    desk.take("mail", "2026-03-02T08:00:03Z", html).await;

    let endpoint = Endpoint::start().await;
    let tools = vec![Tool { name: "desk".to_owned(), mirror: mirror(&endpoint.url("/hook")) }];
    let carrier = HttpCarrier::new(true).expect("a carrier");
    let deliver =
        Deliver::new(desk.store.clone(), desk.ingest.registry(), carrier, Alerts::logged(), tools, Limits::default());
    deliver.until_idle().await.expect("delivered");
    let messages: Vec<Value> =
        endpoint.seen().iter().map(|request| request.json()["data"]["message"].clone()).collect();
    let of = |subject: &str| {
        messages
            .iter()
            .find(|message| message["subject"] == subject)
            .unwrap_or_else(|| panic!("{subject}: {messages:?}"))
    };
    assert_eq!(of("Lamp")["html"], Value::Null);
    assert_eq!(of("Fwd: Lamp")["forwarded_from"], "Matti Meri <matti@meri.example>");
    assert_ne!(of("Fwd: Lamp")["contact"], of("Lamp")["contact"], "the author is not the sender");
    let pictures = of("Pictures");
    let html = pictures["html"].as_str().expect("HTML");
    assert!(
        html.contains("attachment:1/lo%20go.png") && !html.contains("spy.example") && !html.contains("onclick"),
        "{html}"
    );
    assert_eq!(pictures["attachments"][1]["name"], "lo go.png");
    assert_eq!(pictures["text"], "Hello");

    // What is passed on claims nothing: no fact of it is kept.
    let facts = "SELECT count(*) FROM fact f JOIN message m ON m.id = f.message_id WHERE m.source_key = 'm2@x' AND f.kind <> 'name'";
    assert_eq!(desk.count(facts).await, 0);
    assert_eq!(desk.count("SELECT count(*) FROM contact WHERE merged_into IS NULL").await, 3);

    // Taken back, it is shown no more.
    sqlx::query("UPDATE message SET redacted_at = now() WHERE source_key = 'm3@x'")
        .execute(&desk.store.pool)
        .await
        .expect("redacted");
    let id: uuid::Uuid = sqlx::query_scalar("SELECT id FROM message WHERE source_key = 'm3@x'")
        .fetch_one(&desk.store.pool)
        .await
        .expect("its id");
    let mail = desk.store.mail_of(lanka::pure::domain::id::MessageId(id)).await.expect("a look");
    assert!(mail.is_none());
}
