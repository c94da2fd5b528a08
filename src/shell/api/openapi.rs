//! The document at `/api/v1/openapi.json` (OpenAPI 3.1), made of the list of routes.
//!
//! What answers hold is written by hand in `schemas.json`, and held to what is answered by a test. Keys may be added to
//! answers; clients pass over those that they do not know.

use super::fields::{FILES_MAX, NAMES_MAX};
use super::fields::{Field, PAGE_ROWS_MAX, What};
use super::problem::Kind;
use super::routes::{ROUTES, Route, Verb};
use super::{DOCUMENT, PREFIX};
use crate::shell::store::api_token::Scope;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// The schemas of answers, by name.
const SCHEMAS: &str = include_str!("schemas.json");

/// The document, as it is answered.
pub(super) fn document() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(|| written().to_string());
    ([(CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}

fn written() -> Value {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for route in ROUTES {
        let path = paths.entry(format!("{PREFIX}{}", route.path)).or_default();
        path.insert(route.verb.word().to_lowercase(), operation(route));
    }
    let own = json!({"operationId": "document", "summary": "This document.", "security": [],
        "responses": {"200": {"description": "The document.", "content": {"application/json": {"schema": {"type": "object"}}}},
            "405": failure(&[Kind::MethodWrong])}});
    paths.entry(format!("{PREFIX}{DOCUMENT}")).or_default().insert("get".to_owned(), own);
    json!({
        "openapi": "3.1.0",
        "info": {"title": "lanka", "version": env!("CARGO_PKG_VERSION"), "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "What people see, and what they do by hand: who is who, and which message is on which ticket. A token belongs to one firm, and \
                sees and changes nothing of another. What stands already as it is asked for is answered 200 with `already`, so that \
                every act may be asked for again."},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer",
                "description": format!("Made by `lanka token create`. Scopes: {}.", Scope::ALL.map(Scope::word).join(", "))}},
            "schemas": schemas(),
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut parameters = Vec::new();
    for name in route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        parameters.push(json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
    }
    for field in route.query {
        parameters
            .push(json!({"name": field.name, "in": "query", "required": field.is_required, "description": field.about,
            "allowEmptyValue": field.what == What::Flag, "schema": schema_of(field)}));
    }
    let mut operation = json!({
        "operationId": route.name,
        "summary": route.about,
        "description": format!("Scope `{}`.", route.scope.word()),
        "parameters": parameters,
        "responses": responses(route),
    });
    if let Some(fields) = route.body {
        let required: Vec<&str> = fields.iter().filter(|field| field.is_required).map(|field| field.name).collect();
        let properties: Map<String, Value> =
            fields.iter().map(|field| (field.name.to_owned(), schema_of(field))).collect();
        let schema =
            json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
        operation["requestBody"] =
            json!({"required": !required.is_empty(), "content": {"application/json": {"schema": schema}}});
    }
    operation
}

fn schema_of(field: &Field) -> Value {
    let mut schema = match field.what {
        What::Text(chars_max) | What::Lines(chars_max) => json!({"type": "string", "maxLength": chars_max}),
        What::Files => {
            let word = || json!({"type": "string", "minLength": 1, "maxLength": 255});
            json!({"type": "array", "minItems": 1, "maxItems": FILES_MAX, "items": {"type": "object",
                "properties": {"name": word(), "type": word(), "data": {"type": "string", "contentEncoding": "base64"}},
                "required": ["name", "type", "data"], "additionalProperties": false}})
        }
        What::Texts => json!({"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": NAMES_MAX}),
        What::Flag => json!({"type": "boolean"}),
        What::Rows => json!({"type": "integer", "minimum": 1, "maximum": PAGE_ROWS_MAX}),
        What::Word(words) => json!({"type": "string", "enum": words}),
        What::Instant => json!({"type": "string", "format": "date-time"}),
    };
    schema["description"] = Value::String(field.about.to_owned());
    schema
}

/// Problems that a route may answer beside its own.
const OF_ALL: &[Kind] = &[
    Kind::TokenMalformed,
    Kind::TokenMissing,
    Kind::TokenUnknown,
    Kind::TokenExpired,
    Kind::TokenRevoked,
    Kind::ScopeMissing,
    Kind::QueryWrong,
    Kind::MethodWrong,
    Kind::Busy,
    Kind::DatabaseAway,
    Kind::Internal,
];

/// Problems of acts.
const OF_ACTS: &[Kind] = &[
    Kind::BodyMalformed,
    Kind::BodyBrokenOff,
    Kind::FieldUnknown,
    Kind::FieldMissing,
    Kind::FieldWrong,
    Kind::BodyTooSlow,
    Kind::BodyTooLarge,
    Kind::BodyNotJson,
    Kind::Undone,
    Kind::StillWorking,
];

fn responses(route: &Route) -> Value {
    let of_act: &[Kind] = if route.verb == Verb::Post { OF_ACTS } else { &[] };
    let mut by_status: BTreeMap<u16, Vec<Kind>> = BTreeMap::new();
    for &kind in OF_ALL.iter().chain(of_act).chain(route.problems) {
        let kinds = by_status.entry(kind.status().as_u16()).or_default();
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let mut responses: Map<String, Value> =
        by_status.iter().map(|(status, kinds)| (status.to_string(), failure(kinds))).collect();
    let schema = json!({"$ref": format!("#/components/schemas/{}", route.answer)});
    let answer = json!({"description": "As asked.", "content": {(route.media_type): {"schema": schema}}});
    responses.insert("200".to_owned(), answer);
    Value::Object(responses)
}

/// A status that is no success, with the codes it may have.
fn failure(kinds: &[Kind]) -> Value {
    let codes: BTreeSet<&str> = kinds.iter().map(|kind| kind.code()).collect();
    let status = kinds.first().map(|kind| kind.status()).unwrap_or_default();
    let mut failure = json!({
        "description": format!("{}: {}.", status.canonical_reason().unwrap_or_default(), codes.into_iter().collect::<Vec<_>>().join(", ")),
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    });
    let header = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Some("WWW-Authenticate"),
        StatusCode::SERVICE_UNAVAILABLE => Some("Retry-After"),
        StatusCode::METHOD_NOT_ALLOWED => Some("Allow"),
        _ => None,
    };
    if let Some(header) = header {
        failure["headers"] = json!({header: {"schema": {"type": "string"}}});
    }
    failure
}

/// What answers hold. A test reads it, and holds it to what is answered.
fn schemas() -> Value {
    let mut schemas: Value = serde_json::from_str(SCHEMAS).unwrap_or_default();
    let codes: Vec<&str> = Kind::ALL.iter().map(|kind| kind.code()).collect();
    schemas["Problem"]["properties"]["code"]["enum"] = json!(codes);
    schemas
}
