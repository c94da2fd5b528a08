//! The webhook mirror and the HTTP carrier over real sockets.

use crate::endpoint::{self, Answer, Endpoint, SECRET};
use lanka::pure::domain::Timestamp;
use lanka::pure::domain::id::{OutboxId, TicketId};
use lanka::pure::domain::outbox::{Change, Links, Post, TicketView};
use lanka::pure::mirrors::{self, Mirror, Outgoing, Step};
use lanka::shell::carriers::http::{BODY_BYTES_MAX, CarrierError, HttpCarrier, Lookup, Refusal};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The mirror of an endpoint, through the door that the configuration uses.
pub fn mirror(url: &str) -> Arc<dyn Mirror> {
    let settings = format!(
        "url = '{url}'\nsecret = {{ \"\\u0001secret\" = '{SECRET}' }}\ntimeout_s = 2\nattempts_max = 3\n\
         give_up_after_days = 1\ninsecure_http = true"
    );
    let kind = mirrors::kind("webhook").expect("the kind");
    let setup = mirrors::Setup { name: "desk", allow_private_addresses: true };
    (kind.build)(&setup, settings.parse().unwrap()).unwrap_or_else(|problems| panic!("{problems:?}")).mirror.into()
}

fn outgoing(url: impl Into<String>) -> Outgoing {
    Outgoing { url: url.into(), method: "POST", headers: vec![], body: b"{}".to_vec(), timeout: Duration::from_secs(2) }
}

/// A resolver that knows one answer.
fn resolving_to(addresses: &[&str]) -> Lookup {
    let addresses: Vec<IpAddr> = addresses.iter().map(|a| a.parse().unwrap()).collect();
    Arc::new(move |_| {
        let addresses = addresses.clone();
        Box::pin(async move { Ok(addresses) })
    })
}

fn post() -> Post {
    Post {
        id: OutboxId(uuid::Uuid::now_v7()),
        change: Change::MessageAdded,
        sequence: 1,
        decided_at: Timestamp::now(),
        tenant: "main".to_owned(),
        ticket: TicketView {
            owner: None,
            awaited_since: None,
            queue: Some("support".to_owned()),
            queue_rule: None,
            id: TicketId(uuid::Uuid::now_v7()),
            number: 1,
            state: "open".to_owned(),
            title: "Broken lamp".to_owned(),
            kind: vec![],
            fault_kind: None,
            feedback: Vec::new(),
            classified_by: None,
            priority: "normal".to_owned(),
            participants: vec![],
            follow_up_of: None,
            merged_into: None,
            clocks: Vec::new(),
            notices: Vec::new(),
            answer: None,
        },
        other_ticket: None,
        message: None,
        detail: serde_json::Value::Null,
        links: Links::default(),
        token: String::new(),
        files: Vec::new(),
        answer: None,
    }
}

#[tokio::test]
async fn a_signed_change_reaches_the_endpoint() {
    let endpoint = Endpoint::start().await;
    let carrier = HttpCarrier::new(true).unwrap();
    let (mirror, post) = (mirror(&endpoint.url("/in")), post());
    let Step::Send(request) = mirror.next(&post, &[], Timestamp::now()) else { panic!("nothing to send") };
    let reply = carrier.send(request).await.unwrap();
    assert_eq!(mirror.next(&post, &[reply], Timestamp::now()), Step::Done(Vec::new()));
    let seen = endpoint.seen();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].is_signed());
    assert_eq!(seen[0].path, "/in");
    assert_eq!(seen[0].header("webhook-id"), Some(post.id.to_string().as_str()));
    assert_eq!(seen[0].header("content-type"), Some("application/cloudevents+json; charset=utf-8"));
    assert_eq!(seen[0].json()["type"], "lanka.message.added");
}

#[tokio::test]
async fn answers_come_back_with_their_retry_after() {
    let endpoint = Endpoint::start().await;
    let carrier = HttpCarrier::new(true).unwrap();
    let in_a_minute = Timestamp::now() + Duration::from_secs(60);
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&in_a_minute).unwrap();
    for (answer, status, retry_after_s) in [
        (Answer::Status(204), 204, None..=None),
        (Answer::With(429, "retry-after", "7".to_owned()), 429, Some(7)..=Some(7)),
        (Answer::With(503, "retry-after", date), 503, Some(55)..=Some(60)),
        (Answer::Status(410), 410, None..=None),
        (Answer::Status(500), 500, None..=None),
    ] {
        endpoint.answer([answer]);
        let reply = carrier.send(outgoing(endpoint.url("/"))).await.unwrap();
        assert_eq!(reply.status, status);
        assert!(retry_after_s.contains(&reply.retry_after_s), "{status}: {:?}", reply.retry_after_s);
    }
}

#[tokio::test]
async fn of_an_answer_only_the_beginning_is_read() {
    let endpoint = Endpoint::start().await;
    let carrier = HttpCarrier::new(true).unwrap();
    endpoint.answer([Answer::Body(200, vec![b'x'; 50_000_000])]);
    let reply = carrier.send(outgoing(endpoint.url("/"))).await.unwrap();
    assert_eq!((reply.status, reply.body.len()), (200, BODY_BYTES_MAX));
}

#[tokio::test]
async fn what_is_no_answer_says_why() {
    let endpoint = Endpoint::start().await;
    let carrier = HttpCarrier::new(true).unwrap();
    let unused = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (hangs_up, one) = endpoint::rude(false).await;
    let (silent, other) = endpoint::rude(true).await;

    let error = carrier.send(outgoing(format!("http://{unused}/"))).await.unwrap_err();
    assert!(matches!(&error, CarrierError::Unreachable(_)), "{error:?}");
    let error = carrier.send(outgoing(format!("http://{hangs_up}/"))).await.unwrap_err();
    assert!(matches!(&error, CarrierError::BrokenOff), "{error:?}");
    let error = carrier.send(outgoing(format!("https://{}/", endpoint.address))).await.unwrap_err();
    assert!(matches!(&error, CarrierError::Tls(_) | CarrierError::Unreachable(_)), "{error:?}");

    let started = Instant::now();
    for url in [format!("http://{silent}/"), endpoint.url("/late")] {
        endpoint.answer([Answer::Late(Duration::from_secs(60))]);
        let error = carrier.send(outgoing(url)).await.unwrap_err();
        assert_eq!(error, CarrierError::Timeout(2));
    }
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    one.abort();
    other.abort();
}

#[tokio::test]
async fn private_addresses_are_refused_in_every_spelling() {
    let endpoint = Endpoint::start().await;
    let port = endpoint.address.port();
    let closed = HttpCarrier::new(false).unwrap();
    let open = HttpCarrier::new(true).unwrap();
    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
        "①②⑦.⓪.⓪.①",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::127.0.0.1]",
        "10.0.0.1",
        "172.16.3.4",
        "192.168.0.1",
        "100.64.0.1",
        "[fd00::1]",
        "localhost",
    ] {
        let url = format!("http://{host}:{port}/");
        let error = closed.send(outgoing(url)).await.unwrap_err();
        assert_eq!(error, CarrierError::Refused(Refusal::Private), "{host}");
    }
    for host in [
        "0.0.0.0",
        "0",
        "169.254.169.254",
        "0xa9fea9fe",
        "[::ffff:169.254.169.254]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "224.0.0.1",
        "255.255.255.255",
        "[ff02::1]",
        "[::]",
        "100.100.100.200",
        "168.63.129.16",
    ] {
        for carrier in [&closed, &open] {
            let error = carrier.send(outgoing(format!("http://{host}:{port}/"))).await.unwrap_err();
            assert_eq!(error, CarrierError::Refused(Refusal::Never), "{host}");
        }
    }
    for url in ["file:///etc/passwd", "gopher://127.0.0.1/", "http://", "", "/in"] {
        assert!(matches!(closed.send(outgoing(url)).await, Err(CarrierError::Malformed(_))), "{url}");
    }
    assert!(endpoint.seen().is_empty(), "something got through");
}

#[tokio::test]
async fn names_are_judged_by_what_they_resolve_to() {
    let endpoint = Endpoint::start().await;
    let url = format!("http://desk.example.fi:{}/", endpoint.address.port());
    for addresses in
        [&["127.0.0.1"][..], &["10.1.2.3", "::1"], &["::ffff:127.0.0.1"], &["169.254.169.254"], &["fd00::1"]]
    {
        let carrier = HttpCarrier::with_lookup(false, resolving_to(addresses)).unwrap();
        let error = carrier.send(outgoing(&url)).await.unwrap_err();
        assert!(matches!(error, CarrierError::Refused(_)), "{addresses:?}: {error:?}");
    }
    let nothing = HttpCarrier::with_lookup(false, resolving_to(&[])).unwrap();
    assert_eq!(nothing.send(outgoing(&url)).await, Err(CarrierError::Unresolved));
    assert!(endpoint.seen().is_empty(), "something got through");
    let allowed = HttpCarrier::with_lookup(true, resolving_to(&["127.0.0.1"])).unwrap();
    assert_eq!(allowed.send(outgoing(&url)).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (endpoint, inside) = (Endpoint::start().await, Endpoint::start().await);
    let carrier = HttpCarrier::new(true).unwrap();
    let (mirror, post) = (mirror(&endpoint.url("/in")), post());
    for status in [301, 302, 303, 307, 308] {
        endpoint.answer([Answer::With(status, "location", inside.url("/metadata"))]);
        let Step::Send(request) = mirror.next(&post, &[], Timestamp::now()) else { panic!("nothing to send") };
        let reply = carrier.send(request).await.unwrap();
        assert_eq!(reply.status, status);
        assert!(matches!(mirror.next(&post, &[reply], Timestamp::now()), Step::Retry { after: None, .. }));
    }
    assert_eq!((endpoint.seen().len(), inside.seen().len()), (5, 0));
}
