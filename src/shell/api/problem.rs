//! What went wrong, as a client is told: `application/problem+json` (RFC 9457).
//!
//! `code` is stable and for programs, `detail` says what happened, `advice` what to do. `type` is `about:blank`, which
//! leaves the meaning to the status and the code: there is no page that a type could lead to.
//!
//! **Invariant:** nothing that another firm has is named, and nothing of the database or of a panic is repeated.

use crate::shell::hands::ActError;
use crate::shell::store::StoreError;
use axum::http::header::{ALLOW, CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// `Retry-After` when there is too much at once.
const BUSY_RETRY_S: u64 = 2;

/// `Retry-After` when the database is away: a restart takes some seconds.
const AWAY_RETRY_S: u64 = 10;

macro_rules! kinds {
    ($($name:ident $code:literal $status:literal $advice:literal)+) => {
        /// A kind of problem. Each has a stable code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Kind { $($name),+ }

        impl Kind {
            /// All there are.
            pub(super) const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable code.
            pub(super) fn code(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            /// The status of the answer.
            pub(super) fn status(self) -> StatusCode {
                let status: u16 = match self { $(Self::$name => $status),+ };
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }

            /// What to do.
            fn advice(self) -> &'static str {
                match self { $(Self::$name => $advice),+ }
            }
        }
    };
}

kinds! {
    TokenMissing "token_missing" 401 "Send the header `Authorization: Bearer TOKEN`; `lanka token create` makes a token."
    TokenUnknown "token_unknown" 401 "Look whether it was copied whole; `lanka token list` shows those there are."
    TokenExpired "token_expired" 401 "Make a new one with `lanka token create`."
    TokenRevoked "token_revoked" 401 "Make a new one with `lanka token create`."
    TokenMalformed "token_malformed" 400 "Send one header `Authorization: Bearer TOKEN`, and the token nowhere else."
    ScopeMissing "scope_missing" 403 "Use a token that has the scope; `lanka token create --scope` gives it."
    RouteUnknown "route_unknown" 404 "Look into /api/v1/openapi.json for the routes there are."
    MethodWrong "method_wrong" 405 "Use a method that the header Allow names."
    ContactUnknown "contact_unknown" 404 "Name it by its id, one that was merged away, or that of one of its identities."
    IdentityUnknown "identity_unknown" 404 "Name it by its id, or as `mailto:…`, as GET /api/v1/contacts/{id} shows it."
    TicketUnknown "ticket_unknown" 404 "Name it by its id, one that was merged away, or its short number."
    MessageUnknown "message_unknown" 404 "Name it by lanka's id, or by the vendor's."
    IncidentUnknown "incident_unknown" 404 "GET /api/v1/incidents shows those there are; name it by its id, or its short number."
    SuggestionUnknown "suggestion_unknown" 404 "GET /api/v1/review shows those that wait; with ?all=true also the others."
    MessageAmbiguous "message_ambiguous" 409 "Name the message by lanka's own id."
    AttachmentUnknown "attachment_unknown" 404 "GET /api/v1/messages/{id} names the files of a message; they are counted from 0."
    ReadyAnswerUnknown "ready_answer_unknown" 404 "GET /api/v1/tickets/{id}/ready-answers names those that fit; leave ready_answer out if it is made of none."
    AttachmentAbsent "attachment_absent" 409 "The detail says whether it is still to come; then ask again later."
    NotOnTicket "not_on_ticket" 409 "Name the ticket that the messages are on; GET /api/v1/tickets/{id}/messages shows what is on one."
    AnsweredOtherwise "answered_otherwise" 409 "Join or take apart by hand: contacts/{id}/link and unlink, tickets/{id}/merge and split."
    NotAnswerable "not_answerable" 409 "GET /api/v1/tickets/{id} shows under `answer` what can be picked with `to`; nothing was sent."
    KeyMissing "key_missing" 400 "Send a header Idempotency-Key of your own making with each answer, and the same one when you ask again."
    KeyReused "key_reused" 409 "Send another Idempotency-Key with another answer."
    NotPossible "not_possible" 409 "The detail says why; nothing was done."
    QueryWrong "query_wrong" 400 "Take from /api/v1/openapi.json what may stand in the query."
    TooWide "too_wide" 400 "Ask for less: more or longer words, one kind of things, a later instant."
    BodyMalformed "body_malformed" 400 "Send one JSON object in UTF-8."
    FieldUnknown "field_unknown" 400 "Leave it out, or write it as the detail says."
    FieldMissing "field_missing" 400 "Add it."
    FieldWrong "field_wrong" 400 "Write it as the detail says."
    BodyBrokenOff "body_broken_off" 400 "Send the request again."
    BodyTooSlow "body_too_slow" 408 "Send the request again."
    BodyTooLarge "body_too_large" 413 "Name fewer things in one request."
    BodyNotJson "body_not_json" 415 "Send `Content-Type: application/json`, in UTF-8 and not compressed."
    Undone "undone" 503 "The word stands, and a daemon carries it out when it can. Ask again: the answer is what stands by then."
    StillWorking "still_working" 503 "The act goes on by itself. Ask again: the answer is what stands by then."
    Busy "busy" 503 "Send the request again after the time in Retry-After."
    DatabaseAway "database_away" 503 "Send the request again after the time in Retry-After."
    Internal "internal" 500 "Report it with the time; the daemon's log says more."
}

/// One problem.
#[derive(Debug)]
pub(super) struct Problem {
    kind: Kind,
    detail: String,
    header: Option<(HeaderName, String)>,
}

impl Problem {
    /// A problem of a kind: what happened, in a sentence.
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let retry = |after_s: u64| Some((RETRY_AFTER, after_s.to_string()));
        let header = match kind {
            Kind::Busy | Kind::StillWorking | Kind::Undone => retry(BUSY_RETRY_S),
            Kind::DatabaseAway => retry(AWAY_RETRY_S),
            _ => None,
        };
        Self { kind, detail: detail.into(), header }
    }

    /// A problem with the credentials, with the challenge of RFC 6750, section 3.
    pub(super) fn of_token(kind: Kind, detail: impl Into<String>, scope: Option<&str>) -> Self {
        let challenge = match (kind, scope) {
            (Kind::TokenMissing, _) => "Bearer realm=\"lanka\"".to_owned(),
            (Kind::TokenMalformed, _) => "Bearer realm=\"lanka\", error=\"invalid_request\"".to_owned(),
            (_, Some(scope)) => format!("Bearer realm=\"lanka\", error=\"insufficient_scope\", scope=\"{scope}\""),
            _ => "Bearer realm=\"lanka\", error=\"invalid_token\"".to_owned(),
        };
        Self { kind, detail: detail.into(), header: Some((WWW_AUTHENTICATE, challenge)) }
    }

    /// A method that the path does not take.
    pub(super) fn of_method(allowed: &str) -> Self {
        let detail = format!("this path takes {allowed}");
        Self { kind: Kind::MethodWrong, detail, header: Some((ALLOW, allowed.to_owned())) }
    }

    /// The code.
    pub(super) fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// The status of the answer.
    pub(super) fn status(&self) -> StatusCode {
        self.kind.status()
    }

    /// The same as a problem with the query.
    pub(super) fn within_query(self) -> Self {
        Self { kind: Kind::QueryWrong, ..self }
    }
}

#[cfg(test)]
impl Problem {
    /// What happened.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_outage() {
            return Self::new(Kind::DatabaseAway, "the database does not answer");
        }
        if error.is_race() {
            return Self::new(Kind::Busy, "somebody else changed the same at this moment");
        }
        tracing::error!(code = "api_failed", %error, "a request to the API failed: please report it");
        Self::new(Kind::Internal, "this request failed inside lanka")
    }
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Store(error) => error.into(),
            ActError::Undone(why) => Self::new(Kind::Undone, why),
            // What was named is there: it was looked up a moment ago. It went meanwhile, merged or erased.
            ActError::Unknown(why)
            | ActError::Tenants(why)
            | ActError::Nothing(why)
            | ActError::Limit(why)
            | ActError::Refused(why) => Self::new(Kind::NotPossible, why),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.kind.status();
        let body = json!({"type": "about:blank", "title": status.canonical_reason().unwrap_or_default(), "status": status.as_u16(),
            "code": self.kind.code(), "detail": self.detail, "advice": self.kind.advice()});
        let media_type = [(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
        let mut response = (status, media_type, body.to_string()).into_response();
        if let Some((name, value)) = self.header
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
