//! One page a thread, for people without a tool and for the link in a ticket: rendered here, without JavaScript.
//!
//! | route | does |
//! |---|---|
//! | `GET /threads/{ticket}` | the thread: its people, what is suggested, the timeline over all channels, 200 messages a page |
//! | `GET /threads/{ticket}/messages/{id}` | one message whole |
//! | `GET /threads/{ticket}/files/{message}/{n}` | the bytes of a file, for saving |
//! | `POST /threads/{ticket}/review/{suggestion}` | `answer=accept` or `answer=reject` |
//!
//! Who may see it comes with a bearer token of the API, or with a signed link ([`link`]) in the query, which stays there:
//! there are no cookies, so that no other site can make a browser do what its user does not want.
//!
//! **Invariants:** whatever came from outside is escaped by the templates; the policy of every answer runs no script,
//! loads nothing and lets nobody frame it. Nothing is answered of a thread that the token's firm does not have, or the
//! link does not name. The page is kept nowhere, and no other site is told its address.

pub mod link;
mod show;
mod words;

use crate::pure::domain::Timestamp;
use crate::pure::domain::id::{ContactId, MessageId, TicketId};
use crate::shell::api::{Api, Refusal};
use crate::shell::store::StoreError;
use crate::shell::store::api_token::{ApiToken, Scope};
use askama::Template;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use link::Refused;
use sha2::{Digest, Sha256};
use show::{CSS, OnePage, Showing, ThreadPage};
use std::sync::LazyLock;
use std::time::Instant;
use words::Words;

/// Messages on one page, and bytes of their texts.
const MESSAGES_MAX: (usize, i64) = (200, 4 * 1024 * 1024);

/// Who answers with a link that names nobody.
const BEARER: &str = "a link to the thread";

/// Largest body: the answer to a suggestion.
const BODY_BYTES_MAX: usize = 1_024;

/// The page of every thread. Cheap to clone; clones are one.
#[derive(Clone)]
pub struct Page {
    api: Api,
}

/// Who asks, for which thread, and what he may.
struct Visit {
    token: ApiToken,
    ticket: TicketId,
    /// The link that he came with, as it stands in the query; empty with a token.
    query: String,
    /// Another id than the thread's was named.
    is_alias: bool,
}

/// What is asked beside the path.
#[derive(Default)]
struct Asked {
    link: Option<String>,
    after: Option<(Timestamp, MessageId)>,
    done: Option<String>,
}

impl Page {
    /// The page over an API.
    pub fn new(api: Api) -> Self {
        Self { api }
    }

    /// Its routes.
    pub fn routes(&self) -> Router {
        Router::new()
            .route("/threads/{ticket}", get(thread))
            .route("/threads/{ticket}/messages/{message}", get(message))
            .route("/threads/{ticket}/files/{message}/{n}", get(file))
            .route("/threads/{ticket}/review/{suggestion}", post(review))
            .layer(axum::extract::DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(self.clone())
    }

    fn words(&self) -> &'static Words {
        Words::of(self.api.store().reader.language)
    }

    /// Lets somebody in who may see a thread.
    async fn visit(&self, text: &str, asked: &Asked, headers: &HeaderMap, scope: Scope) -> Result<Visit, Refusal> {
        let (token, only, query) = match &asked.link {
            Some(link) if !headers.contains_key(AUTHORIZATION) => {
                let (token, ticket) = self.bearer(link)?;
                (token, Some(ticket), format!("?link={link}"))
            }
            _ => (self.api.admit(headers, scope).await?, None, String::new()),
        };
        if !token.scopes.contains(&scope) {
            return Err(refusal(StatusCode::FORBIDDEN, "scope_missing"));
        }
        let store = self.api.store();
        let found = self.api.look(async {
            let ticket = store.ticket_in(&token.tenant, text).await?;
            let opened = match only {
                Some(only) => store.ticket_in(&token.tenant, &only.to_string()).await?,
                None => ticket,
            };
            Ok(ticket.filter(|_| ticket == opened))
        });
        let ticket = found.await?.ok_or_else(|| refusal(StatusCode::NOT_FOUND, "ticket_unknown"))?;
        let is_alias = text.parse().is_ok_and(|named: TicketId| named != ticket);
        Ok(Visit { token, ticket, query, is_alias })
    }

    /// What stands for a token with whoever brings a link, and the ticket that the link names.
    fn bearer(&self, text: &str) -> Result<(ApiToken, TicketId), Refusal> {
        let forged = || refusal(StatusCode::FORBIDDEN, "link_bad");
        let links = self.api.links().ok_or_else(forged)?;
        let link = links.read(text, Timestamp::now()).map_err(|refused| match refused {
            Refused::Forged => forged(),
            Refused::Expired => refusal(StatusCode::GONE, "link_expired"),
        })?;
        let scopes = if link.may_review { vec![Scope::Read, Scope::Review] } else { vec![Scope::Read] };
        let until = link.until();
        let name = link.name.unwrap_or_else(|| BEARER.to_owned());
        Ok((ApiToken::of_link(name, link.tenant, scopes, until), link.ticket))
    }

    async fn thread(&self, visit: &Visit, asked: &Asked) -> Result<Response, Refusal> {
        let store = self.api.store();
        let Visit { token, ticket: id, query, .. } = visit;
        let loaded = self.api.look(async {
            let Some(ticket) = store.ticket_view(*id).await? else { return Ok(None) };
            let people: Vec<ContactId> = ticket.participants.iter().map(|contact| contact.id).collect();
            let joins = store.joins_of(&people).await?;
            let suggestions = store.suggestions_on(&token.tenant, *id, &people).await?;
            let stretch = store.stretch(*id, asked.after, MESSAGES_MAX).await?;
            let offered = store.ready_offers(*id).await?;
            let recurring = store.recurring(*id).await?;
            Ok(Some((ticket, joins, suggestions, stretch, offered, recurring)))
        });
        let gone = || refusal(StatusCode::NOT_FOUND, "ticket_unknown");
        let (ticket, joins, suggestions, stretch, offered, recurring) = loaded.await?.ok_or_else(gone)?;
        let (words, base) = (self.words(), id.to_string());
        let showing = Showing { words, zone: &store.reader.time_zone, base: &base, query, whole: false };
        let next = stretch.messages.last().filter(|_| stretch.is_more).map(|last| {
            let place = URL_SAFE_NO_PAD.encode(format!("{} {}", last.occurred_at.as_microsecond(), last.id));
            format!("{base}{}after={place}", if query.is_empty() { "?".to_owned() } else { format!("{query}&") })
        });
        let until = token.expires_at.filter(|_| !query.is_empty());
        let page = ThreadPage {
            words,
            css: CSS,
            number: ticket.number,
            title: showing.title(&ticket),
            facts: showing.facts(&ticket, &recurring),
            done: asked.done.as_deref().and_then(|done| match done {
                "accept" => Some(words.accepted),
                "reject" => Some(words.rejected),
                _ => None,
            }),
            people: ticket.participants.iter().map(|contact| showing.person(contact, &joins)).collect(),
            suggestions: suggestions.iter().map(|suggestion| showing.suggestion(suggestion)).collect(),
            answers: offered.iter().map(|offered| showing.answer(offered)).collect(),
            may_review: token.scopes.contains(&Scope::Review) && !query.is_empty(),
            counted: words.counted(stretch.all),
            messages: stretch.messages.iter().map(|message| showing.message(&ticket, message)).collect(),
            has_before: asked.after.is_some(),
            next,
            footer: until.map(|until| words.good_until(&showing.moment(until))).unwrap_or_default(),
            base: &base,
            query,
        };
        Ok(html(StatusCode::OK, &page))
    }

    /// One message whole.
    async fn message(&self, visit: &Visit, text: &str) -> Result<Response, Refusal> {
        let store = self.api.store();
        let id = self.message_on(visit.ticket, text).await?;
        let loaded =
            self.api.look(async { Ok((store.ticket_view(visit.ticket).await?, store.message_view(id).await?)) });
        let (Some(ticket), Some(message)) = loaded.await? else {
            return Err(refusal(StatusCode::NOT_FOUND, "message_unknown"));
        };
        let base = format!("../../{}", visit.ticket);
        let zone = &store.reader.time_zone;
        let showing = Showing { words: self.words(), zone, base: &base, query: &visit.query, whole: true };
        let page = OnePage {
            words: self.words(),
            css: CSS,
            title: format!("#{} {}", ticket.number, showing.title(&ticket)),
            text: None,
            message: Some(showing.message(&ticket, &message)),
            back: Some(format!("{base}{}", visit.query)),
        };
        Ok(html(StatusCode::OK, &page))
    }

    /// A message that is on the thread; whatever is elsewhere is not there.
    async fn message_on(&self, ticket: TicketId, text: &str) -> Result<MessageId, Refusal> {
        let unknown = || refusal(StatusCode::NOT_FOUND, "message_unknown");
        let id: MessageId = text.parse().map_err(|_| unknown())?;
        let places = self.api.look(self.api.store().places_of(&[id])).await?;
        places.contains(&(id, Some(ticket))).then_some(id).ok_or_else(unknown)
    }

    /// Answers a suggestion that the page of the thread shows.
    async fn review(&self, visit: Visit, id: &str, body: &[u8]) -> Result<Response, Refusal> {
        let answer = url::form_urlencoded::parse(body).find(|(name, _)| name == "answer").map(|(_, value)| value);
        let accepts = match answer.as_deref() {
            Some("accept") => true,
            Some("reject") => false,
            _ => return Err(refusal(StatusCode::BAD_REQUEST, "query_wrong")),
        };
        let store = self.api.store();
        let (tenant, ticket) = (visit.token.tenant.clone(), visit.ticket);
        let shown = self.api.look(async {
            let Some(view) = store.ticket_view(ticket).await? else { return Ok(false) };
            let people: Vec<ContactId> = view.participants.iter().map(|contact| contact.id).collect();
            let open = store.suggestions_on(&tenant, ticket, &people).await?;
            Ok::<_, StoreError>(open.iter().any(|suggestion| suggestion.id.to_string() == id))
        });
        if !shown.await? {
            return Err(refusal(StatusCode::CONFLICT, "answered_otherwise"));
        }
        let query = visit.query;
        self.api.answer_suggestion(visit.token, id.to_owned(), accepts).await?;
        // It may have been merged into the other one by this.
        let now = self.api.look(store.ticket_now(ticket)).await?;
        let sep = if query.is_empty() { "?" } else { "&" };
        let done = if accepts { "accept" } else { "reject" };
        Ok(see(&format!("../../{now}{query}{sep}done={done}#suggestions")))
    }

    /// What somebody is told who gets nothing.
    fn refused(&self, refusal: &Refusal) -> Response {
        let words = self.words();
        let (title, text) = match refusal.code {
            "link_bad" => words.link_bad,
            "link_expired" => words.link_expired,
            "ticket_unknown" | "message_unknown" | "attachment_unknown" | "suggestion_unknown" => words.not_there,
            "attachment_absent" => words.no_file,
            "scope_missing" => words.not_allowed,
            "answered_otherwise" | "not_possible" => words.answered_otherwise,
            code if code.starts_with("token_") => words.no_link,
            _ if refusal.status.is_client_error() => words.wrong,
            _ => words.later,
        };
        let page = OnePage { words, css: CSS, title: title.to_owned(), text: Some(text), message: None, back: None };
        html(refusal.status, &page)
    }

    /// Counts and times an answer, and sees to what every one says of itself.
    fn finished(&self, route: &'static str, began: Instant, answer: Result<Response, Refusal>) -> Response {
        let mut response = answer.unwrap_or_else(|refusal| self.refused(&refusal));
        let status = response.status().as_str().to_owned();
        metrics::counter!("lanka_page_requests_total", "route" => route, "status" => status).increment(1);
        metrics::histogram!("lanka_page_seconds", "route" => route).record(began.elapsed());
        let headers = response.headers_mut();
        for (name, value) in [
            (CACHE_CONTROL, "no-store"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (X_FRAME_OPTIONS, "DENY"),
            (REFERRER_POLICY, "no-referrer"),
            (HeaderName::from_static("x-robots-tag"), "noindex"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        // A file has a stricter one of its own.
        if !headers.contains_key(CONTENT_SECURITY_POLICY) {
            headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
        }
        response
    }
}

/// What a browser may do with the page: show it with its own styles, and send its forms back here.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(CSS.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
});

fn refusal(status: StatusCode, code: &'static str) -> Refusal {
    Refusal { status, code }
}

fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response(),
        Err(error) => {
            tracing::error!(code = "page_failed", %error, "a page cannot be written: please report it");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Sends a browser to another place.
fn see(place: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(place) = HeaderValue::from_str(place) {
        response.headers_mut().insert(LOCATION, place);
    }
    response
}

impl Asked {
    /// What a query asks. Unlike a program's, a browser's may hold more: mail scanners and chat tools add their own.
    fn of(query: Option<&str>) -> Self {
        let mut asked = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match name.as_ref() {
                // It is written into pages and headers again, so that nothing else than a link's letters may be in it.
                "link" if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) => {
                    asked.link = Some(value.into_owned());
                }
                "link" => asked.link = Some(String::new()),
                "after" => asked.after = place(&value),
                "done" => asked.done = Some(value.into_owned()),
                _ => {}
            }
        }
        asked
    }
}

/// The place after which a page begins.
fn place(text: &str) -> Option<(Timestamp, MessageId)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let (at_us, id) = text.split_once(' ')?;
    Some((Timestamp::from_microsecond(at_us.parse().ok()?).ok()?, id.parse().ok()?))
}

async fn thread(
    State(page): State<Page>,
    Path(text): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let (began, asked) = (Instant::now(), Asked::of(query.as_deref()));
    let answer = async {
        let visit = page.visit(&text, &asked, &headers, Scope::Read).await?;
        if visit.is_alias {
            return Ok(see(&format!("{}{}", visit.ticket, visit.query)));
        }
        page.thread(&visit, &asked).await
    };
    let answer = answer.await;
    page.finished("GET /threads/{ticket}", began, answer)
}

async fn message(
    State(page): State<Page>,
    Path((text, message)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let (began, asked) = (Instant::now(), Asked::of(query.as_deref()));
    let answer = async {
        let visit = page.visit(&text, &asked, &headers, Scope::Read).await?;
        page.message(&visit, &message).await
    };
    let answer = answer.await;
    page.finished("GET /threads/{ticket}/messages/{message}", began, answer)
}

async fn file(
    State(page): State<Page>,
    Path((text, message, n)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let (began, asked) = (Instant::now(), Asked::of(query.as_deref()));
    let answer = async {
        let visit = page.visit(&text, &asked, &headers, Scope::Read).await?;
        let message = page.message_on(visit.ticket, &message).await?;
        let n: i32 = n.parse().map_err(|_| refusal(StatusCode::NOT_FOUND, "attachment_unknown"))?;
        page.api.file(message, n).await
    };
    let answer = answer.await;
    page.finished("GET /threads/{ticket}/files/{message}/{n}", began, answer)
}

async fn review(
    State(page): State<Page>,
    Path((text, suggestion)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    let (began, asked) = (Instant::now(), Asked::of(query.as_deref()));
    let answer = async {
        let body = body.map_err(|_| refusal(StatusCode::BAD_REQUEST, "query_wrong"))?;
        // The link in the address is what nobody else knows; a browser that says so besides is believed.
        if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
            return Err(refusal(StatusCode::FORBIDDEN, "scope_missing"));
        }
        let visit = page.visit(&text, &asked, &headers, Scope::Review).await?;
        page.review(visit, &suggestion, &body).await
    };
    let answer = answer.await;
    page.finished("POST /threads/{ticket}/review/{suggestion}", began, answer)
}
