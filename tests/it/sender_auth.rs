//! Senders of mail, checked by lanka itself: against a name server on loopback, with keys made here.

use crate::desk::Desk;
use crate::name_server::{Answer, NameServer};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use lanka::pure::domain::Timestamp;
use lanka::pure::domain::id::RawEventId;
use lanka::pure::domain::identity::Assurance;
use lanka::pure::domain::message::Authentication::{self, Aligned, Fail, None as Nothing, Pass, Unknown};
use lanka::pure::domain::message::{Incoming, RawEvent};
use lanka::pure::wire::mime::{self, MailSettings};
use lanka::pure::wire::relays::{Relay, Relays};
use lanka::shell::sender::verify::{CheckLimits, Verifier};
use mail_auth::arc::ArcSealer;
use mail_auth::common::crypto::Ed25519Key;
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::{Canonicalization, DkimSigner};
use mail_auth::hickory_resolver::config::{NameServerConfig, ResolverConfig, ResolverOpts};
use mail_auth::{AuthenticatedMessage, AuthenticationResults, MessageAuthenticator};
use sqlx::Row;
use std::time::{Duration, Instant};

const BODY: &str = "Order 4001 2345 has not come.\r\n";

fn mail_from(from: &str) -> String {
    format!(
        "From: {from}\r\nTo: desk@kauppa.example\r\nSubject: Order\r\nDate: Mon, 2 Mar 2026 10:00:00 +0200\r\n\
         Message-ID: <{}@firm.example>\r\n\r\n{BODY}",
        uuid::Uuid::now_v7().simple()
    )
}

fn mail() -> String {
    mail_from("Anna <anna@firm.example>")
}

/// A key of Ed25519, and its record.
struct Key {
    pkcs8: Vec<u8>,
    record: String,
}

fn key() -> Key {
    let pkcs8 = Ed25519Key::generate_pkcs8().expect("a key");
    let public = Ed25519Key::from_pkcs8_der(&pkcs8).expect("the same key").public_key();
    Key { record: format!("v=DKIM1; k=ed25519; p={}", BASE64_STANDARD.encode(public)), pkcs8 }
}

impl Key {
    fn ed25519(&self) -> Ed25519Key {
        Ed25519Key::from_pkcs8_der(&self.pkcs8).expect("a key")
    }

    /// The mail with a signature of the domain above it.
    fn sign(&self, domain: &str, mail: &str) -> String {
        self.sign_with(domain, mail, &["From", "To", "Subject", "Date", "Message-ID"], 0, false)
    }

    fn sign_with(&self, domain: &str, mail: &str, fields: &[&str], expires_s: u64, partly: bool) -> String {
        let mut signer = DkimSigner::from_key(self.ed25519())
            .domain(domain)
            .selector("s1")
            .headers(fields.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>())
            .header_canonicalization(Canonicalization::Relaxed)
            .body_canonicalization(Canonicalization::Relaxed)
            .body_length(partly);
        if expires_s > 0 {
            signer = signer.expiration(expires_s);
        }
        format!("{}{mail}", signer.sign(mail.as_bytes()).expect("a signature").to_header())
    }
}

/// What a forwarder makes of a mail: `change` breaks the signatures, and the seals say what he saw before.
async fn forwarded(
    server: &NameServer,
    key: &Key,
    sealer: &str,
    mail: &str,
    change: impl Fn(&str) -> String,
) -> String {
    let mut config = NameServerConfig::udp_and_tcp(server.address.ip());
    config.connections.iter_mut().for_each(|connection| connection.port = server.address.port());
    let config = ResolverConfig::from_name_servers(vec![config]);
    let dns = MessageAuthenticator::new(config, ResolverOpts::default()).expect("a resolver");
    let before = AuthenticatedMessage::parse(mail.as_bytes()).expect("a mail");
    let chain = dns.verify_arc(&before).await;
    let signatures = dns.verify_dkim(&before).await;
    let seen = AuthenticationResults::new(sealer).with_dkim_results(&signatures, before.from());
    let changed = change(mail);
    let after = AuthenticatedMessage::parse(changed.as_bytes()).expect("a mail");
    let set = ArcSealer::from_key(key.ed25519())
        .domain(sealer)
        .selector("s1")
        .headers(["From", "To", "Subject", "Date", "Message-ID"])
        .seal(&after, &seen, &chain)
        .expect("a seal");
    format!("{}{changed}", set.to_header())
}

/// A mail without the first field of a name.
fn without_field(mail: &str, name: &str) -> String {
    let at = mail.find(&format!("{name}:")).expect("the field");
    let rest = &mail[at..];
    let end = rest.match_indices("\r\n").map(|(end, _)| end + 2).find(|end| !rest[*end..].starts_with(['\t', ' ']));
    format!("{}{}", &mail[..at], &rest[end.expect("its end")..])
}

/// A mail as it was delivered.
pub fn event(body: &str) -> RawEvent {
    RawEvent {
        id: RawEventId(uuid::Uuid::now_v7()),
        tenant: "main".to_owned(),
        channel: "mail".to_owned(),
        kind: "maildir".to_owned(),
        received_at: Timestamp::now(),
        trusted_at: None,
        origin: "test".to_owned(),
        body: Bytes::from(body.to_owned()),
    }
}

fn limits(server: &NameServer) -> CheckLimits {
    CheckLimits {
        resolvers: vec![server.address],
        relays: Relays::default(),
        sealers: vec!["lists.example".to_owned()],
        timeout: Duration::from_secs(3),
    }
}

/// What a mail is taken for, by the way that ingest goes.
async fn read(limits: CheckLimits, mail: &str) -> Incoming {
    let settings = MailSettings::new(&["desk@kauppa.example".to_owned()], Some("mx.kauppa.example")).expect("settings");
    let event = event(mail);
    let check = match mime::sender_question(&event, &settings) {
        Some(question) => Some(Verifier::new(limits).expect("a verifier").check(&question, &event.body).await),
        None => None,
    };
    mime::read_checked(&event, &settings, check).items.remove(0)
}

async fn verdict(limits: CheckLimits, mail: &str) -> Authentication {
    read(limits, mail).await.authentication.expect("a verdict")
}

#[tokio::test]
async fn signatures_under_attack() {
    let server = NameServer::start().await;
    let (own, other) = (key(), key());
    server
        .text("s1._domainkey.firm.example", &own.record)
        .text("s1._domainkey.mail.firm.example", &own.record)
        .text("s1._domainkey.other.example", &other.record)
        .text("s1._domainkey.revoked.example", "v=DKIM1; k=ed25519; p=")
        .text("s1._domainkey.trying.example", &own.record.replace("v=DKIM1;", "v=DKIM1; t=y;"))
        .text("s1._domainkey.odd.example", "v=DKIM1; k=ed25519; p=%%%")
        .says("s1._domainkey.fails.example", Answer::Fails)
        .says("s1._domainkey.silent.example", Answer::Silent);
    let good = own.sign("firm.example", &mail());
    let of = |domain: &str| own.sign(domain, &mail_from(&format!("Anna <anna@{domain}>")));
    let fields = ["From", "To", "Subject", "Date", "Message-ID"];
    let many: String = (0..30)
        .map(|n| other.sign(&format!("d{n}.example"), &mail()).split("From:").next().expect("a field").to_owned())
        .collect();
    let twice = good.replacen("Subject: Order", "Subject: Order\r\nSubject: Refund", 1);
    let table: Vec<(&str, String, Authentication)> = vec![
        ("not signed", mail(), Nothing),
        ("good", good.clone(), Pass),
        ("good, of a subdomain", own.sign("mail.firm.example", &mail()), Pass),
        (
            "good, after a broken one",
            format!("DKIM-Signature: v=1; a=rsa-sha256; d=firm.example; s=s1; h=From; bh=AAAA; b=AAAA\r\n{good}"),
            Pass,
        ),
        ("wrong key", other.sign("firm.example", &mail()), Nothing),
        ("body changed", good.replace("4001", "4002"), Nothing),
        ("body added to", format!("{good}And call 0900 123.\r\n"), Nothing),
        ("blank lines at the end", format!("{good}\r\n\r\n"), Pass),
        ("From changed", good.replace("anna@firm", "toni@firm"), Nothing),
        ("From twice", format!("From: Boss <boss@firm.example>\r\n{good}"), Nothing),
        ("From twice, below", good.replacen("Subject:", "From: Boss <boss@firm.example>\r\nSubject:", 1), Nothing),
        ("two addresses in From", own.sign("firm.example", &mail_from("a@firm.example, b@other.example")), Nothing),
        ("Subject twice", twice, Nothing),
        ("Content-Type added twice", format!("Content-Type: text/html\r\nContent-Type: text/plain\r\n{good}"), Nothing),
        ("From not signed", own.sign_with("firm.example", &mail(), &["Subject"], 0, false), Nothing),
        ("a part of the body", own.sign_with("firm.example", &mail(), &fields, 0, true), Nothing),
        (
            "a part of the body, added to",
            format!("{}more", own.sign_with("firm.example", &mail(), &fields, 0, true)),
            Nothing,
        ),
        ("of another domain", other.sign("other.example", &mail()), Nothing),
        ("of a domain that ends alike", own.sign("notfirm.example", &mail()), Nothing),
        ("of the suffix", own.sign("example", &mail()), Nothing),
        ("key revoked", of("revoked.example"), Nothing),
        ("key tried out", of("trying.example"), Nothing),
        ("key unreadable", of("odd.example"), Nothing),
        ("no key", of("nokey.example"), Nothing),
        ("server fails", of("fails.example"), Unknown),
        ("server is silent", of("silent.example"), Unknown),
        ("rsa-sha1", good.replacen("a=ed25519-sha256", "a=rsa-sha1", 1), Nothing),
        ("a line that is no field", format!("Received: x\r\nHere is more\r\n{good}"), Nothing),
        ("thirty others above", format!("{many}{good}"), Pass),
        (
            "a hundred fields",
            format!(
                "{}{good}",
                "DKIM-Signature: v=1; a=rsa-sha256; d=firm.example; s=s1; h=From; bh=AAAA; b=AAAA\r\n".repeat(100)
            ),
            Nothing,
        ),
    ];
    for (name, mail, expected) in table {
        let began = Instant::now();
        let found = verdict(limits(&server), &mail).await;
        assert_eq!(found, expected, "{name}\n{mail}");
        assert!(began.elapsed() < Duration::from_secs(10), "{name} took {:?}", began.elapsed());
        let asked = server.asked();
        assert!(asked.len() <= 16, "{name}: {asked:?}");
        // Whoever writes to us cannot make us ask about whomever he likes.
        assert!(!asked.iter().any(|name| name.starts_with("s1._domainkey.d")), "{name}: {asked:?}");
    }
}

#[tokio::test]
async fn a_signature_that_ran_out_is_none() {
    let server = NameServer::start().await;
    let own = key();
    server.text("s1._domainkey.firm.example", &own.record);
    let signed = own.sign_with("firm.example", &mail(), &["From", "Subject"], 3, false);
    assert_eq!(verdict(limits(&server), &signed).await, Pass);
    tokio::time::sleep(Duration::from_millis(4_100)).await;
    assert_eq!(verdict(limits(&server), &signed).await, Nothing);
}

/// Made with a key of 512 bits and one of 1024 over the same mail: RFC 8301 refuses the first.
const RSA: [(&str, &str, &str); 2] = [
    (
        "rsa512",
        "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBANcQn8vAAOxEKwVMRSl8x13zjG9NC18SNW3NB/tgIYYpIZw7/dRgqXdiIvT999oEq06V344+e/gBeI5WvBlLvJECAwEAAQ==",
        "PpEvWg2haC8rMEew9c9/3sTAbMaYcAdCrPizXKbFh0fzr+9hhYqgaTOTdigXyuWYOlQGQ1XIhxrU4fm21pZ9Og==",
    ),
    (
        "rsa1024",
        "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDbUGNEjve7feyyV6jScSAmW/CHo1dfqVgUThEO1PI3mYbv0LKGxqlfIwnZPiUNB6NUVSwGcFO7cAFr9+acdEw1zoIvytEiliPdHSxHHtG4x08Zr3Oyur6HvHGOK+kXevyx9HcHv2R3m28UO9Qw3J4PLNvt3csqKvlLvdOcUZiHZQIDAQAB",
        "2nEjYXthkWgWft2HT3/KvuV84nlQRJXFLjGNJ1J9CpkslqimdnZCKkWy7D6PwKRHKG1Gv5r6KpjP9hmBYyIuUwSFXR6wLb7ZKZzCuVkNp2VjRDSBQUeeO1aMP9SNgBpwlkTyjMX8yLyiUmXPt6DBpLBGOODU4I6lu93V6siYkdM=",
    ),
];

#[tokio::test]
async fn keys_that_are_too_short_are_none() {
    let server = NameServer::start().await;
    for ((selector, public, signature), expected) in RSA.into_iter().zip([Nothing, Pass]) {
        server.text(&format!("{selector}._domainkey.firm.example"), &format!("v=DKIM1; k=rsa; p={public}"));
        let mail = format!(
            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=firm.example; s={selector}; h=From:Subject; \
             bh=AFIyL2X/OqbpuAYAtb0DU1tTI74r7JKs+tQL66MRFvk=; b={signature}\r\n\
             From: Anna <anna@firm.example>\r\nSubject: Order\r\n\r\n{BODY}"
        );
        assert_eq!(verdict(limits(&server), &mail).await, expected, "{selector}");
    }
}

#[tokio::test]
async fn policies_of_domains() {
    let server = NameServer::start().await;
    let own = key();
    for (domain, policy) in [
        ("none.example", "v=DMARC1; p=none"),
        ("quarantine.example", "v=DMARC1; p=quarantine"),
        ("reject.example", "v=DMARC1; p=reject"),
        ("strict.example", "v=DMARC1; p=reject; adkim=s"),
        ("sub.example", "v=DMARC1; p=none; sp=reject"),
        ("odd.example", "v=DMARC2; p=reject"),
    ] {
        server.text(&format!("_dmarc.{domain}"), policy).text(&format!("s1._domainkey.mail.{domain}"), &own.record);
        server.text(&format!("s1._domainkey.{domain}"), &own.record);
    }
    server.says("_dmarc.fails.example", Answer::Fails).says("_dmarc.silent.example", Answer::Silent);
    server.text("s1._domainkey.fails.example", &own.record).text("s1._domainkey.mail.fails.example", &own.record);
    let from = |domain: &str| mail_from(&format!("Anna <anna@{domain}>"));
    let signed = |by: &str, domain: &str| own.sign(by, &from(domain));
    let table: Vec<(&str, String, Authentication)> = vec![
        ("p=none, not signed", from("none.example"), Nothing),
        ("p=none, signed", signed("none.example", "none.example"), Pass),
        ("p=quarantine, not signed", from("quarantine.example"), Fail),
        ("p=quarantine, signed by a subdomain", signed("mail.quarantine.example", "quarantine.example"), Pass),
        ("p=reject, not signed", from("reject.example"), Fail),
        ("p=reject, broken", signed("reject.example", "reject.example").replace("4001", "4002"), Fail),
        ("p=reject, signed by another", signed("none.example", "reject.example"), Fail),
        ("p=reject, subdomain, not signed", from("news.reject.example"), Fail),
        ("p=reject, subdomain, signed above", signed("reject.example", "news.reject.example"), Pass),
        ("strict, signed by a subdomain", signed("mail.strict.example", "strict.example"), Fail),
        ("strict, signed", signed("strict.example", "strict.example"), Pass),
        ("sp=reject, the domain", from("sub.example"), Nothing),
        ("sp=reject, a subdomain", from("news.sub.example"), Fail),
        ("a policy of another version", from("odd.example"), Nothing),
        ("no policy", from("nothing.example"), Nothing),
        ("policy not to be had, not signed", from("fails.example"), Unknown),
        ("policy not to be had, signed", signed("fails.example", "fails.example"), Pass),
        ("policy not to be had, signed by a subdomain", signed("mail.fails.example", "fails.example"), Unknown),
        ("policy silent", from("silent.example"), Unknown),
    ];
    for (name, mail, expected) in table {
        assert_eq!(verdict(limits(&server), &mail).await, expected, "{name}");
        let asked = server.asked();
        assert!(asked.len() <= 16, "{name}: {asked:?}");
    }
}

#[tokio::test]
async fn spf_only_where_our_hops_are_known() {
    let server = NameServer::start().await;
    server
        .text("firm.example", "v=spf1 ip4:9.9.9.0/24 -all")
        .text("soft.example", "v=spf1 ip4:9.9.9.0/24 ~all")
        .text("bulk.example", "v=spf1 ip4:9.9.9.0/24 -all")
        .text("monitored.example", "v=spf1 ip4:9.9.9.0/24 -all")
        .text("_dmarc.monitored.example", "v=DMARC1; p=none")
        .text("_dmarc.bulk.example", "v=DMARC1; p=none")
        .says("silent.example", Answer::Silent)
        .text("deep.example", "v=spf1 include:i1.deep.example include:i2.deep.example include:i3.deep.example -all");
    for n in 1..=3 {
        let includes: String = (0..10).map(|m| format!("include:x{n}{m}.deep.example ")).collect();
        server.text(&format!("i{n}.deep.example"), &format!("v=spf1 {includes}-all"));
    }
    let carried = |address: &str, path: &str, from: &str| {
        format!(
            "Return-Path: <{path}>\r\nReceived: from out.example (out.example [{address}]) by mx.kauppa.example id 1; \
             Mon, 2 Mar 2026 10:00:00 +0200\r\n{}",
            mail_from(from)
        )
    };
    let forged_hop = format!(
        "Return-Path: <anna@firm.example>\r\nReceived: from x (x [1.2.3.4]) by mx.kauppa.example id 1; x\r\n\
         Received: from y (y [9.9.9.9]) by mx.kauppa.example id 2; x\r\n{}",
        mail()
    );
    let table: Vec<(&str, &[&str], String, Authentication)> = vec![
        ("aligned", &["mx.kauppa.example"], carried("9.9.9.9", "b@firm.example", "a@firm.example"), Aligned),
        (
            "aligned, subdomain",
            &["mx.kauppa.example"],
            carried("9.9.9.9", "b@firm.example", "a@x.firm.example"),
            Aligned,
        ),
        ("without trusted relays", &[], carried("9.9.9.9", "b@firm.example", "a@firm.example"), Nothing),
        ("not our server", &["mx.other.example"], carried("9.9.9.9", "b@firm.example", "a@firm.example"), Nothing),
        ("from elsewhere", &["mx.kauppa.example"], carried("1.2.3.4", "b@firm.example", "a@firm.example"), Fail),
        ("elsewhere, doubted", &["mx.kauppa.example"], carried("1.2.3.4", "b@soft.example", "a@soft.example"), Nothing),
        ("another path", &["mx.kauppa.example"], carried("9.9.9.9", "b@bulk.example", "a@firm.example"), Nothing),
        (
            "another path, policy",
            &["mx.kauppa.example"],
            carried("9.9.9.9", "b@bulk.example", "a@monitored.example"),
            Fail,
        ),
        (
            "elsewhere, policy",
            &["mx.kauppa.example"],
            carried("1.2.3.4", "b@monitored.example", "a@monitored.example"),
            Fail,
        ),
        ("policy, relays unknown", &[], carried("1.2.3.4", "b@monitored.example", "a@monitored.example"), Nothing),
        ("a hop that the sender wrote", &["mx.kauppa.example"], forged_hop, Fail),
        ("silent", &["mx.kauppa.example"], carried("9.9.9.9", "b@silent.example", "a@silent.example"), Unknown),
        ("too many questions", &["mx.kauppa.example"], carried("9.9.9.9", "b@deep.example", "a@deep.example"), Nothing),
    ];
    for (name, relays, mail, expected) in table {
        let relays = relays.iter().map(|text| Relay::parse(text).expect("a relay")).collect();
        assert_eq!(verdict(CheckLimits { relays, ..limits(&server) }, &mail).await, expected, "{name}");
        let asked = server.asked();
        assert!(asked.len() <= 40, "{name}: {} questions", asked.len());
    }
}

#[tokio::test]
async fn what_our_own_server_wrote_is_asked_of_nobody() {
    let server = NameServer::start().await;
    let own = key();
    server.text("s1._domainkey.firm.example", &own.record);
    let signed = own.sign("firm.example", &mail());
    let results =
        |server: &str, results: &str, mail: &str| format!("Authentication-Results: {server};\r\n\t{results}\r\n{mail}");
    let ours = "mx.kauppa.example";
    let trace = "Received: from x (x [9.9.9.9]) by mx.kauppa.example id 1; Mon, 2 Mar 2026 10:00:00 +0200\r\n";
    let foreign = "Received: from x (x [9.9.9.9]) by relay.evil.com id 1; Mon, 2 Mar 2026 10:00:00 +0200\r\n";
    let table: Vec<(&str, String, Authentication, bool)> = vec![
        ("ours says pass", results(ours, "dmarc=pass header.from=firm.example", &mail()), Pass, false),
        ("ours says fail", results(ours, "dmarc=fail header.from=firm.example", &signed), Fail, false),
        ("ours says nothing of use", results(ours, "none", &signed), Nothing, false),
        (
            "a stranger's says pass",
            results("mx.evil.com", "dmarc=pass header.from=firm.example", &mail()),
            Nothing,
            true,
        ),
        ("a stranger's, signed", results("mx.evil.com", "dmarc=fail header.from=firm.example", &signed), Pass, true),
        // Inserted by the sender under our own name, beneath what our server wrote, and beneath a stranger's trace.
        (
            "ours above, forged beneath",
            results(
                ours,
                "dmarc=none",
                &format!("{trace}{}", results(ours, "dmarc=pass header.from=firm.example", &mail())),
            ),
            Nothing,
            false,
        ),
        (
            "forged beneath a stranger's trace",
            format!("{trace}{foreign}{}", results(ours, "dmarc=pass header.from=firm.example", &mail())),
            Nothing,
            true,
        ),
        ("spoilt", results(ours, "dmarc=pass (", &mail()), Nothing, true),
    ];
    for (name, mail, expected, asks) in table {
        assert_eq!(verdict(limits(&server), &mail).await, expected, "{name}");
        assert_eq!(!server.asked().is_empty(), asks, "{name}");
    }
}

#[tokio::test]
async fn seals_count_from_trusted_forwarders() {
    let server = NameServer::start().await;
    let (own, list, evil) = (key(), key(), key());
    server
        .text("s1._domainkey.reject.example", &own.record)
        .text("_dmarc.reject.example", "v=DMARC1; p=reject")
        .text("s1._domainkey.lists.example", &list.record)
        .text("s1._domainkey.evil.example", &evil.record);
    let signed = own.sign("reject.example", &mail_from("Anna <anna@reject.example>"));
    let unsigned = mail_from("Anna <anna@reject.example>");
    // A list adds its line to the body, which breaks the signature of the author's domain.
    let line = |mail: &str| mail.replace(BODY, &format!("{BODY}--\r\nthe list\r\n"));
    let again = |mail: &str| format!("{mail}and another\r\n");
    let by_list = forwarded(&server, &list, "lists.example", &signed, line).await;
    let by_evil = forwarded(&server, &evil, "evil.example", &signed, line).await;
    let table: Vec<(&str, String, Authentication)> = vec![
        ("changed, not sealed", line(&signed), Fail),
        ("sealed by a trusted list", by_list.clone(), Pass),
        ("sealed by a stranger", by_evil.clone(), Fail),
        ("changed after the seal", by_list.replace("the list", "THE LIST"), Fail),
        ("a stranger's key", forwarded(&server, &evil, "lists.example", &signed, line).await, Fail),
        ("the list saw no signature", forwarded(&server, &list, "lists.example", &unsigned, line).await, Fail),
        ("a seal is cut out", without_field(&by_list, "ARC-Seal"), Fail),
        (
            "the results are changed",
            by_list.replacen("dkim=pass", "dmarc=pass header.from=reject.example; dkim=pass", 1),
            Fail,
        ),
        ("through a stranger, then the list", forwarded(&server, &list, "lists.example", &by_evil, again).await, Fail),
        ("through the list, then a stranger", forwarded(&server, &evil, "evil.example", &by_list, again).await, Fail),
        ("through the list twice", forwarded(&server, &list, "lists.example", &by_list, again).await, Pass),
    ];
    for (name, mail, expected) in table {
        assert_eq!(verdict(limits(&server), &mail).await, expected, "{name}\n{mail}");
    }
    let untrusting = CheckLimits { sealers: Vec::new(), ..limits(&server) };
    assert_eq!(verdict(untrusting, &by_list).await, Fail, "no sealer is trusted");
    server.says("s1._domainkey.lists.example", Answer::Fails);
    assert_eq!(verdict(limits(&server), &by_list).await, Unknown, "the sealer's key is not to be had");
}

/// The desk, its senders checked by a name server of the test's own.
async fn desk(server: &NameServer, more: &str) -> Desk {
    let section =
        format!("[mail_auth]\nresolvers = [\"{}\"]\ntimeout = \"2s\"\nretry_first = \"5s\"\n{more}\n", server.address);
    Desk::open_checking(|config| config.replacen("[identity]", &format!("{section}\n[identity]"), 1)).await
}

async fn row(desk: &Desk, message_id_like: &str) -> (i16, Vec<String>, serde_json::Value) {
    let row = sqlx::query(
        "SELECT m.assurance, m.marks, d.reasons FROM message m JOIN decision d ON d.message_id = m.id WHERE m.source_key LIKE $1",
    )
    .bind(message_id_like)
    .fetch_one(&desk.store.pool)
    .await
    .expect("the message");
    // The mails here are of a fixed date.
    let marks: Vec<String> = row.get(1);
    (row.get(0), marks.into_iter().filter(|mark| mark != "date_doubtful").collect(), row.get(2))
}

fn now() -> String {
    Timestamp::now().to_string()
}

#[tokio::test]
async fn a_mail_is_decided_on_what_was_found() {
    let server = NameServer::start().await;
    let own = key();
    server
        .text("s1._domainkey.firm.example", &own.record)
        .text("_dmarc.reject.example", "v=DMARC1; p=reject")
        .text("s1._domainkey.kaupqa.example", &own.record);
    let desk = desk(&server, "").await;
    let of = |key: &str, mail: String| mail.replacen("Message-ID: <", &format!("Message-ID: <{key}-"), 1);
    let signed = |from: &str, domain: &str, key: &str| own.sign(domain, &of(key, mail_from(from)));
    desk.deliver("mail", &now(), signed("Anna <anna@firm.example>", "firm.example", "good")).await;
    desk.deliver("mail", &now(), of("plain", mail_from("Anna <anna@firm.example>"))).await;
    desk.deliver("mail", &now(), signed("Anna <anna@firm.example>", "kaupqa.example", "other")).await;
    desk.deliver("mail", &now(), of("denied", mail_from("Boss <boss@reject.example>"))).await;
    desk.deliver("mail", &now(), signed("Desk <desk@kaupqa.example>", "kaupqa.example", "alike")).await;
    desk.deliver("mail", &now(), of("two", mail_from("a@firm.example, b@reject.example"))).await;
    desk.decide().await;
    let table: &[(&str, Assurance, &[&str], &str)] = &[
        ("good-%", Assurance::Verified, &[], "\"signed\""),
        ("plain-%", Assurance::Asserted, &["unverified"], "\"unsigned\""),
        ("other-%", Assurance::Asserted, &["unverified", "unaligned"], "\"unaligned\""),
        ("denied-%", Assurance::Contradicted, &["contradicted"], "\"denied\""),
        ("alike-%", Assurance::Asserted, &["unverified", "lookalike"], "\"own\":\"kauppa.example\""),
        ("two-%", Assurance::Asserted, &["unverified", "several_senders"], "\"several_senders\""),
    ];
    for (key, assurance, expected, why) in table {
        let (level, mut marks, reasons) = row(&desk, key).await;
        let mut expected: Vec<String> = expected.iter().map(|mark| (*mark).to_owned()).collect();
        marks.sort();
        expected.sort();
        assert_eq!((Assurance::from_level(level), marks), (*assurance, expected), "{key} {reasons}");
        assert!(reasons.to_string().contains(why), "{key}: {reasons}");
    }
}

#[tokio::test]
async fn a_name_server_that_is_away_makes_nobody_wait_and_nobody_known() {
    let server = NameServer::start().await;
    let own = key();
    server.says("s1._domainkey.firm.example", Answer::Silent).says("_dmarc.firm.example", Answer::Silent);
    let desk = desk(&server, "").await;
    desk.deliver("mail", &now(), own.sign("firm.example", &mail())).await;
    // What comes by other channels, and after it, is not held back; no transaction is open meanwhile.
    desk.deliver("chat", &now(), crate::desk::chat("e1", "v1", "Hello there")).await;
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let ingest = desk.ingest.clone();
    let deciding = tokio::spawn(async move { ingest.run(stop, true).await });
    let began = Instant::now();
    crate::support::eventually("the chat is decided", async || {
        let (chats, open): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM message WHERE channel = 'chat'),
                (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'
                    AND now() - state_change > interval '300 ms')",
        )
        .fetch_one(&desk.store.pool)
        .await
        .expect("a look");
        assert_eq!(open, 0, "a transaction waits for a name server");
        (chats == 1).then_some(())
    })
    .await;
    assert!(began.elapsed() < Duration::from_millis(1_900), "the chat waited for the mail");
    deciding.await.expect("decided");
    let (level, marks, reasons) = row(&desk, "%@firm.example").await;
    assert_eq!(Assurance::from_level(level), Assurance::Asserted, "{reasons}");
    assert!(marks.contains(&"unchecked".to_owned()) && marks.contains(&"unverified".to_owned()), "{marks:?}");

    // Asked again while it is still away: nothing changes.
    let senders = desk.senders().expect("senders are checked");
    assert_eq!(senders.again(Timestamp::now()).await.expect("asked"), 1);
    assert_eq!(senders.again(Timestamp::now()).await.expect("asked"), 0, "not due yet");
    let (level, marks, _) = row(&desk, "%@firm.example").await;
    assert!(level == 0 && marks.contains(&"unchecked".to_owned()));

    server.text("s1._domainkey.firm.example", &own.record);
    let later = Timestamp::now() + Duration::from_secs(30);
    crate::support::eventually("it is asked again", async || {
        (senders.again(later).await.expect("asked") == 1).then_some(())
    })
    .await;
    let (level, marks, reasons) = row(&desk, "%@firm.example").await;
    assert_eq!((Assurance::from_level(level), marks), (Assurance::Verified, Vec::new()));
    assert!(reasons.to_string().contains("sender_checked_later"), "{reasons}");
    let (assurance, events, told): (i16, i64, i64) = sqlx::query_as(
        "SELECT (SELECT max(assurance) FROM identity WHERE scheme = 'mailto'),
            (SELECT count(*) FROM ticket_event WHERE kind = 'sender_checked'),
            (SELECT count(*) FROM outbox WHERE change = 'message.updated')",
    )
    .fetch_one(&desk.store.pool)
    .await
    .expect("rows");
    assert_eq!((assurance, events, told), (3, 1, 1));
    let left: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sender_check").fetch_one(&desk.store.pool).await.expect("a count");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_sender_who_is_denied_later_states_nothing() {
    let server = NameServer::start().await;
    server.says("_dmarc.firm.example", Answer::Fails);
    let desk = desk(&server, "").await;
    desk.deliver("mail", &now(), mail().replace("4001 2345", "40012345")).await;
    desk.decide().await;
    let facts = "SELECT count(*) FROM fact";
    let before: i64 = sqlx::query_scalar(facts).fetch_one(&desk.store.pool).await.expect("a count");
    assert!(before > 0);
    server.text("_dmarc.firm.example", "v=DMARC1; p=reject");
    let senders = desk.senders().expect("senders are checked");
    assert_eq!(senders.again(Timestamp::now()).await.expect("asked"), 1);
    let (level, marks, reasons) = row(&desk, "%@firm.example").await;
    assert_eq!((level, marks), (-1, vec!["contradicted".to_owned()]), "{reasons}");
    let after: i64 = sqlx::query_scalar(facts).fetch_one(&desk.store.pool).await.expect("a count");
    assert_eq!(after, 0);
}

/// A check that ends at the very moment at which nothing seems to wait any more leaves nothing behind.
#[tokio::test]
async fn whoever_waits_until_idle_finds_all_decided() {
    let server = NameServer::start().await;
    server.says("_dmarc.firm.example", Answer::Fails);
    let desk = desk(&server, "").await;
    for n in 0..150 {
        desk.deliver("mail", &now(), mail_from(&format!("A{n} <a{n}@firm.example>"))).await;
        desk.take_in().await;
        assert_eq!(desk.store.pending().await.expect("a count").0, 0, "after {n}");
    }
}

#[tokio::test]
async fn history_and_old_mail_are_not_checked() {
    let server = NameServer::start().await;
    let own = key();
    server.text("s1._domainkey.firm.example", &own.record);
    let desk = desk(&server, "age_max = \"1d\"").await;
    desk.deliver_aged("mail", Duration::from_secs(2 * 86_400), own.sign("firm.example", &mail())).await;
    desk.decide().await;
    let (level, marks, _) = row(&desk, "%@firm.example").await;
    assert_eq!((level, marks.contains(&"unchecked".to_owned())), (0, false));
    assert_eq!(server.asked(), Vec::<String>::new(), "nobody is asked");

    desk.deliver_quietly("mail", own.sign("firm.example", &mail_from("Bo <bo@firm.example>"))).await;
    desk.decide().await;
    assert_eq!(server.asked(), Vec::<String>::new(), "nobody is asked");

    desk.deliver_aged("mail", Duration::from_secs(3_600), own.sign("firm.example", &mail_from("Cy <cy@firm.example>")))
        .await;
    desk.decide().await;
    assert_eq!(server.asked(), ["s1._domainkey.firm.example"]);
}

#[tokio::test]
async fn a_batch_is_checked_side_by_side_and_answers_are_kept() {
    let server = NameServer::start().await;
    let own = key();
    server.text("s1._domainkey.firm.example", &own.record);
    for n in 0..20 {
        server.says(&format!("s1._domainkey.slow{n}.example"), Answer::Silent);
    }
    let desk = desk(&server, "").await;
    for n in 0..20 {
        let domain = format!("slow{n}.example");
        desk.deliver("mail", &now(), own.sign(&domain, &mail_from(&format!("a@{domain}")))).await;
        desk.deliver("mail", &now(), own.sign("firm.example", &mail())).await;
    }
    let began = Instant::now();
    desk.decide().await;
    assert!(began.elapsed() < Duration::from_secs(10), "one after another: {:?}", began.elapsed());
    let asked = server.asked().iter().filter(|name| *name == "s1._domainkey.firm.example").count();
    assert!(asked <= 20, "{asked}");
    let (verified, unknown): (i64, i64) = sqlx::query_as(
        "SELECT count(*) FILTER (WHERE assurance = 3), count(*) FILTER (WHERE 'unchecked' = ANY(marks)) FROM message",
    )
    .fetch_one(&desk.store.pool)
    .await
    .expect("counts");
    assert_eq!((verified, unknown), (20, 20));
    desk.deliver("mail", &now(), own.sign("firm.example", &mail())).await;
    desk.decide().await;
    assert_eq!(server.asked(), Vec::<String>::new(), "the answer was kept");
}
