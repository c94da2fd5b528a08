//! The API's door for the page of a thread: the same tokens, limits and acts, for people.
//!
//! **Invariant:** the page sees and does nothing but by way of this file, which asks of it what is asked of a program.

use super::access::{authenticate, authorise};
use super::fields::Given;
use super::problem::Problem;
use super::{Api, Call, acts, streams, turn, within};
use crate::pure::domain::id::MessageId;
use crate::shell::page::link::Links;
use crate::shell::store::Store;
use crate::shell::store::api_token::{ApiToken, Scope};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::sync::Arc;

/// Why something was not done, as far as people are told.
#[derive(Debug)]
pub(in crate::shell) struct Refusal {
    /// The status of the answer.
    pub(in crate::shell) status: StatusCode,
    /// The stable code.
    pub(in crate::shell) code: &'static str,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { status: problem.status(), code: problem.code() }
    }
}

impl Api {
    /// The same with links to threads, made and read.
    #[must_use]
    pub fn with_links(self, links: Links) -> Self {
        // Set once: the first stays.
        let _ = self.shared.links.set(links);
        self
    }

    /// Who makes and reads links, if somebody does.
    pub(in crate::shell) fn links(&self) -> Option<&Links> {
        self.shared.links.get()
    }

    pub(in crate::shell) fn store(&self) -> &Store {
        &self.shared.store
    }

    /// The token of a request, if it may be used for a scope.
    pub(in crate::shell) async fn admit(&self, headers: &HeaderMap, scope: Scope) -> Result<ApiToken, Refusal> {
        let asking = authenticate(&self.shared.store, headers, &self.shared.refused);
        let token = within(self.shared.limits.answer_wait, asking).await?;
        authorise(&token, scope)?;
        Ok(token)
    }

    /// Looks at the database, in turn with the API's requests and within their time.
    pub(in crate::shell) async fn look<T>(
        &self,
        look: impl Future<Output = Result<T, crate::shell::store::StoreError>>,
    ) -> Result<T, Refusal> {
        let limits = &self.shared.limits;
        let _turn = turn(limits.turn_wait, self.shared.looks.acquire()).await?;
        Ok(within(limits.answer_wait, async { Ok(look.await?) }).await?)
    }

    /// Answers a suggestion of the token's firm.
    pub(in crate::shell) async fn answer_suggestion(
        &self,
        token: ApiToken,
        id: String,
        accepts: bool,
    ) -> Result<(), Refusal> {
        authorise(&token, Scope::Review)?;
        let turn = turn(self.shared.limits.turn_wait, Arc::clone(&self.shared.acts).acquire_owned()).await?;
        let (part, headers, given) = (String::new(), HeaderMap::new(), Given::default());
        let call = Call { api: self.clone(), token, id, part, headers, given, turn: Some(turn) };
        match accepts {
            true => acts::accept(call).await?,
            false => acts::reject(call).await?,
        };
        Ok(())
    }

    /// The bytes of a file.
    pub(in crate::shell) async fn file(&self, message: MessageId, ordinal: i32) -> Result<Response, Refusal> {
        let permit = streams::free(&self.shared.streams)?;
        Ok(streams::file(&self.shared.store, message, ordinal, permit).await?)
    }
}
