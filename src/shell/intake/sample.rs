//! A page to try a channel out with, `GET /sample/{channel}`, and what is sent from it, `POST` there.
//!
//! A channel's deliveries are signed by the site's own server, never by a page. For who has no such server yet, the
//! daemon stands in for it: it signs what the page sends and gives it to the channel's hook, as if it had come to
//! `/hooks/{channel}`. Only a channel whose settings say so has a page.
//!
//! Whoever reaches the page can write as any visitor. So it is served on this machine alone: the daemon must listen on
//! loopback, and a request must name this machine as its host and have come through no proxy. Another site's page in the
//! same browser is kept out by its `Origin`, and by the media type, which no browser lets it send unasked.
//!
//! Refused: the page under `/hooks/`, all of which proxies pass on.
//!
//! **Invariant:** what cannot be told from a request of somebody else's is answered 404, as if there were no page.

use super::webhook::{self, Webhooks};
use crate::pure::channels::Channel;
use crate::pure::domain::Timestamp;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::any;
use std::sync::Arc;
use url::{Host, Url};

/// Largest event that the page sends, in bytes: a message and some addresses.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// What the page may load and where it may send: itself, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

/// Headers that proxies add. Some add none, against which the name of the host helps.
const FORWARDED: [&str; 6] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/// The pages of channels that have one. For a daemon that listens on loopback.
pub fn routes(webhooks: &Webhooks) -> Router {
    Router::new().route("/sample/{channel}", any(serve)).with_state(webhooks.clone())
}

async fn serve(State(webhooks): State<Webhooks>, Path(name): Path<String>, request: Request) -> Response {
    let none = || (StatusCode::NOT_FOUND, "no such page\n").into_response();
    let Some(channel) = webhooks.reader(&name).filter(|channel| channel.sample().is_some()) else { return none() };
    if !is_local(request.headers()) {
        return none();
    }
    match *request.method() {
        Method::GET => page(channel.as_ref()),
        Method::POST if is_ours(request.headers()) => match signed(channel, request).await {
            Ok(request) => webhook::receive(State(webhooks), Path(name), request).await,
            Err(status) => status.into_response(),
        },
        Method::POST => none(),
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

fn page(channel: &dyn Channel) -> Response {
    let Some(sample) = channel.sample() else { return StatusCode::NOT_FOUND.into_response() };
    let headers: [(HeaderName, &str); 4] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    (headers, Html(sample.page())).into_response()
}

/// The delivery that the site's server would make of what the page sent.
async fn signed(channel: Arc<dyn Channel>, request: Request) -> Result<Request, StatusCode> {
    let body = axum::body::to_bytes(request.into_body(), BODY_BYTES_MAX).await;
    let body = body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    let sample = channel.sample().ok_or(StatusCode::NOT_FOUND)?;
    let id = format!("sample_{}", uuid::Uuid::now_v7().simple());
    let mut delivery = Request::post("/");
    for (name, value) in sample.sign(&id, &body, Timestamp::now()) {
        delivery = delivery.header(name, value);
    }
    delivery.body(Body::from(body)).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// Whether a request came straight from this machine, as far as it says.
fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let is_here = host.is_some_and(|host| names_this_machine(&format!("http://{host}")));
    is_here && FORWARDED.iter().all(|name| !headers.contains_key(*name))
}

/// Whether a page of ours sent it: no other may send JSON without being asked whether it may.
fn is_ours(headers: &HeaderMap) -> bool {
    let is = |name: HeaderName, judge: &dyn Fn(&str) -> bool| {
        headers.get(name).map(|value: &HeaderValue| value.to_str().is_ok_and(judge))
    };
    let same = headers.get(HOST).and_then(|host| host.to_str().ok()).map(|host| format!("http://{host}"));
    is(CONTENT_TYPE, &|found| found.split(';').next().is_some_and(|found| found.trim() == "application/json"))
        == Some(true)
        && is(ORIGIN, &|origin| same.as_deref() == Some(origin)) != Some(false)
}

fn names_this_machine(url: &str) -> bool {
    match Url::parse(url).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn who_is_served() {
        let here = ("host", "127.0.0.1:8470");
        for (pairs, expected) in [
            (&[here][..], true),
            (&[("host", "localhost:8470")], true),
            (&[("host", "[::1]:8470")], true),
            (&[], false),
            (&[("host", "support.example.fi")], false),
            (&[("host", "127.0.0.1.example.fi")], false),
            (&[("host", "localhost.example.fi:8470")], false),
            (&[here, ("x-forwarded-for", "193.166.3.2")], false),
            (&[here, ("forwarded", "for=193.166.3.2")], false),
            (&[here, ("via", "1.1 proxy")], false),
        ] {
            assert_eq!(is_local(&headers(pairs)), expected, "{pairs:?}");
        }
        let json = ("content-type", "application/json");
        for (pairs, expected) in [
            (&[here, json][..], true),
            (&[here, json, ("origin", "http://127.0.0.1:8470")], true),
            (&[here, ("content-type", "application/json; charset=utf-8")], true),
            (&[here], false),
            (&[here, ("content-type", "text/plain")], false),
            (&[here, json, ("origin", "https://evil.example")], false),
            (&[here, json, ("origin", "null")], false),
            (&[here, json, ("origin", "http://127.0.0.1:80")], false),
        ] {
            assert_eq!(is_ours(&headers(pairs)), expected, "{pairs:?}");
        }
    }
}
