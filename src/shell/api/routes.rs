//! Every route of the API.

use super::fields::{
    ANSWER, AWAIT, CLASSIFY, CONTACTS, DUST, Field, INCIDENTS, LINK, MERGE, OF_INCIDENT, OF_MESSAGES, PAGE, REPLY,
    REPORT, REVIEW, SEARCH, THREAD_LINK, TICKETS, TO_QUEUE, UNLINK,
};
use super::problem::{Kind, Problem};
use super::{Call, acts, dust, events, incidents, lists, looks, replies, report, streams};
use crate::shell::store::api_token::Scope;
use axum::response::Response;
use futures::future::BoxFuture;
use serde_json::Value;

/// What a route that answers with JSON does with a call.
type Run = fn(Call) -> BoxFuture<'static, Result<Value, Problem>>;

/// What a route does with a call.
#[derive(Clone, Copy)]
pub(super) enum Work {
    /// It answers with JSON.
    Json(Run),
    /// It answers with bytes that it has not all in memory.
    Stream(fn(Call) -> BoxFuture<'static, Result<Response, Problem>>),
}

/// A method of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Post,
}

impl Verb {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// One route.
pub(super) struct Route {
    pub(super) verb: Verb,
    /// Below the prefix.
    pub(super) path: &'static str,
    pub(super) scope: Scope,
    /// Its name for programs that are made of the document.
    pub(super) name: &'static str,
    /// What it does, in a sentence.
    pub(super) about: &'static str,
    pub(super) query: &'static [Field],
    /// Of an act.
    pub(super) body: Option<&'static [Field]>,
    /// The schema of its answer.
    pub(super) answer: &'static str,
    /// What its answer is written in.
    pub(super) media_type: &'static str,
    /// Problems of its own; those that every route has are not named.
    pub(super) problems: &'static [Kind],
    pub(super) run: Work,
}

const JSON: &str = "application/json";

const fn look(
    path: &'static str,
    name: &'static str,
    about: &'static str,
    query: &'static [Field],
    answer: &'static str,
    problems: &'static [Kind],
    run: Run,
) -> Route {
    let run = Work::Json(run);
    Route {
        verb: Verb::Get,
        path,
        scope: Scope::Read,
        name,
        about,
        query,
        body: None,
        answer,
        media_type: JSON,
        problems,
        run,
    }
}

const fn act(
    path: &'static str,
    scope: Scope,
    name: &'static str,
    about: &'static str,
    body: &'static [Field],
    problems: &'static [Kind],
    run: Run,
) -> Route {
    let (body, answer, run) = (Some(body), "Outcome", Work::Json(run));
    Route { verb: Verb::Post, path, scope, name, about, query: &[], body, answer, media_type: JSON, problems, run }
}

const OF_TICKETS: &[Kind] = &[Kind::TicketUnknown, Kind::MessageUnknown, Kind::MessageAmbiguous, Kind::NotPossible];

/// All of them, in the order of the document.
pub(super) const ROUTES: &[Route] = &[
    look(
        "/contacts",
        "contacts",
        "Contacts, the newest first, page by page; or those who have an address.",
        CONTACTS,
        "ContactPage",
        &[],
        |call| Box::pin(lists::contacts(call)),
    ),
    look(
        "/contacts/{id}",
        "contact",
        "A contact: addresses, tickets, what agents said of it, and how it came to be one.",
        &[],
        "Contact",
        &[Kind::ContactUnknown],
        |call| Box::pin(looks::contact(call)),
    ),
    act(
        "/contacts/{id}/link",
        Scope::Contacts,
        "linkContacts",
        "Says that two contacts are one person.",
        LINK,
        &[Kind::ContactUnknown, Kind::NotPossible],
        |call| Box::pin(acts::link(call)),
    ),
    act(
        "/contacts/{id}/unlink",
        Scope::Contacts,
        "unlinkIdentities",
        "Says that addresses of a contact are not the same person's as the rest of it.",
        UNLINK,
        &[Kind::ContactUnknown, Kind::IdentityUnknown, Kind::NotPossible],
        |call| Box::pin(acts::unlink(call)),
    ),
    Route {
        scope: Scope::Privacy,
        ..look(
            "/contacts/{id}/export",
            "exportContact",
            "All that is held about a person, row by row, with the deliveries that it came in. Files are named, not given.",
            &[],
            "Held",
            &[Kind::ContactUnknown, Kind::NotPossible],
            |call| Box::pin(looks::export(call)),
        )
    },
    Route {
        answer: "Erased",
        ..act(
            "/contacts/{id}/erase",
            Scope::Privacy,
            "eraseContact",
            "Forgets a person: all that he said, his names and addresses. It cannot be taken back.",
            ANSWER,
            &[Kind::ContactUnknown, Kind::NotPossible],
            |call| Box::pin(acts::erase(call)),
        )
    },
    look(
        "/tickets",
        "tickets",
        "Tickets, the one with the latest word first, page by page. One on which something is said meanwhile moves to the front.",
        TICKETS,
        "TicketPage",
        &[Kind::ContactUnknown, Kind::TooWide],
        |call| Box::pin(lists::tickets(call)),
    ),
    look(
        "/tickets/{id}",
        "ticket",
        "A ticket: state, title, who takes part.",
        &[],
        "Ticket",
        &[Kind::TicketUnknown],
        |call| Box::pin(looks::ticket(call)),
    ),
    look(
        "/tickets/{id}/messages",
        "messagesOfTicket",
        "What was said on a ticket, in order of its time, page by page.",
        PAGE,
        "MessagePage",
        &[Kind::TicketUnknown],
        |call| Box::pin(looks::messages(call)),
    ),
    look(
        "/tickets/{id}/acts",
        "actsOfTicket",
        "What was put together and apart on a ticket by hand, the latest last.",
        &[],
        "Acts",
        &[Kind::TicketUnknown],
        |call| Box::pin(looks::acts(call)),
    ),
    look(
        "/tickets/{id}/ready-answers",
        "readyAnswersOfTicket",
        "Ready answers that fit what the customer asks, the best first; none where nothing fits.",
        &[],
        "ReadyAnswers",
        &[Kind::TicketUnknown],
        |call| Box::pin(looks::ready_answers(call)),
    ),
    look(
        "/tickets/{id}/recurring",
        "recurringOfTicket",
        "The incidents that a ticket is on, and how often its customer has come about it.",
        &[],
        "Recurring",
        &[Kind::TicketUnknown],
        |call| Box::pin(incidents::of_ticket(call)),
    ),
    Route {
        answer: "ThreadLink",
        ..act(
            "/tickets/{id}/links",
            Scope::Tickets,
            "linkToThread",
            "Gives a signed link to the page of the thread, for people. The token needs the scopes of what the link allows too.",
            THREAD_LINK,
            &[Kind::TicketUnknown, Kind::NotPossible],
            |call| Box::pin(lists::thread_link(call)),
        )
    },
    act(
        "/tickets/{id}/move",
        Scope::Tickets,
        "moveMessages",
        "Puts messages on this ticket. What else is on theirs stays there.",
        OF_MESSAGES,
        OF_TICKETS,
        |call| Box::pin(acts::put_on(call)),
    ),
    act(
        "/tickets/{id}/classify",
        Scope::Tickets,
        "classifyTicket",
        "Says what kind of matter a ticket is and how soon it must be seen to. It stands over what the words say, and teaches.",
        CLASSIFY,
        &[Kind::TicketUnknown, Kind::FieldWrong, Kind::NotPossible],
        |call| Box::pin(acts::classify(call)),
    ),
    act(
        "/tickets/{id}/merge",
        Scope::Tickets,
        "mergeTickets",
        "Puts all that is on one ticket on another, whose id and number stay.",
        MERGE,
        &[Kind::TicketUnknown, Kind::FieldMissing, Kind::NotPossible],
        |call| Box::pin(acts::merge(call)),
    ),
    act(
        "/tickets/{id}/split",
        Scope::Tickets,
        "splitMessages",
        "Puts messages of this ticket on one of their own.",
        OF_MESSAGES,
        &[Kind::TicketUnknown, Kind::MessageUnknown, Kind::MessageAmbiguous, Kind::NotOnTicket, Kind::NotPossible],
        |call| Box::pin(acts::split(call)),
    ),
    Route {
        answer: "Reply",
        ..act(
            "/tickets/{id}/replies",
            Scope::Replies,
            "reply",
            "Answers the customer, on the channel and address where answers go; with `internal` a note for colleagues. Wants a header Idempotency-Key.",
            REPLY,
            &[Kind::TicketUnknown, Kind::ReadyAnswerUnknown, Kind::NotAnswerable, Kind::KeyMissing, Kind::KeyReused],
            |call| Box::pin(replies::reply(call)),
        )
    },
    Route {
        answer: "Ticket",
        ..act(
            "/tickets/{id}/queue",
            Scope::Tickets,
            "routeTicket",
            "Puts a ticket into a queue of the configuration. It stays there, whatever the rules say.",
            TO_QUEUE,
            &[Kind::TicketUnknown],
            |call| Box::pin(replies::route(call)),
        )
    },
    Route {
        answer: "Ticket",
        ..act(
            "/tickets/{id}/await",
            Scope::Tickets,
            "awaitCustomer",
            "Says that the desk waits for the customer, until he says something; with `over` that it waits no longer.",
            AWAIT,
            &[Kind::TicketUnknown],
            |call| Box::pin(replies::wait_for(call)),
        )
    },
    look(
        "/dust",
        "dust",
        "What nobody looks at, the oldest first, and how much there is of each kind (counted up to 10,000).",
        DUST,
        "DustList",
        &[],
        |call| Box::pin(dust::list(call)),
    ),
    look(
        "/report",
        "report",
        "What came in within a period, how soon it was seen to, and what recurs: of all customers, or of one.",
        REPORT,
        "Report",
        &[],
        |call| Box::pin(report::show(call)),
    ),
    look(
        "/incidents",
        "incidents",
        "What many spoke of at once, the latest first.",
        INCIDENTS,
        "Incidents",
        &[],
        |call| Box::pin(incidents::list(call)),
    ),
    look(
        "/incidents/{id}",
        "incident",
        "An incident, with the tickets that are on it.",
        &[],
        "Incident",
        &[Kind::IncidentUnknown],
        |call| Box::pin(incidents::one(call)),
    ),
    Route {
        answer: "Incident",
        ..act(
            "/incidents/{id}/close",
            Scope::Tickets,
            "closeIncident",
            "It is over, or was none.",
            ANSWER,
            &[Kind::IncidentUnknown],
            |call| Box::pin(incidents::close(call)),
        )
    },
    Route {
        answer: "Incident",
        ..act(
            "/incidents/{id}/link",
            Scope::Tickets,
            "linkIncident",
            "Puts a ticket on an incident.",
            OF_INCIDENT,
            &[Kind::IncidentUnknown, Kind::TicketUnknown],
            |call| Box::pin(incidents::link(call)),
        )
    },
    Route {
        answer: "Incident",
        ..act(
            "/incidents/{id}/unlink",
            Scope::Tickets,
            "unlinkIncident",
            "Takes a ticket off an incident. It stays off.",
            OF_INCIDENT,
            &[Kind::IncidentUnknown, Kind::TicketUnknown],
            |call| Box::pin(incidents::unlink(call)),
        )
    },
    look(
        "/messages/{id}",
        "message",
        "A message, and the route it took: its deliveries, what was decided of it and why, what was suggested, which tools heard of it.",
        &[],
        "MessageRoute",
        &[Kind::MessageUnknown, Kind::MessageAmbiguous],
        |call| Box::pin(lists::message(call)),
    ),
    Route {
        verb: Verb::Get,
        path: "/messages/{id}/attachments/{n}",
        scope: Scope::Read,
        name: "attachment",
        about: "The bytes of a file, by its place on its message, counted from 0. They are for saving: never shown as a page.",
        query: &[],
        body: None,
        answer: "Bytes",
        media_type: "application/octet-stream",
        problems: &[Kind::MessageUnknown, Kind::MessageAmbiguous, Kind::AttachmentUnknown, Kind::AttachmentAbsent],
        run: Work::Stream(|call| Box::pin(streams::attachment(call))),
    },
    Route {
        verb: Verb::Get,
        path: "/events",
        scope: Scope::Read,
        name: "events",
        about: "What changes, as server-sent events: `ready`, then a `change` for each, with ids to fetch; after `Last-Event-ID` what was missed, or `reset` when that is more than a day ago.",
        query: &[],
        body: None,
        answer: "Events",
        media_type: "text/event-stream",
        problems: &[],
        run: Work::Stream(|call| Box::pin(events::events(call))),
    },
    look(
        "/search",
        "search",
        "Messages, tickets and contacts in which words stand, the newest first, page by page.",
        SEARCH,
        "FoundPage",
        &[Kind::TooWide],
        |call| Box::pin(lists::search(call)),
    ),
    look(
        "/review",
        "suggestions",
        "Suggestions that wait for an answer, the latest first, page by page.",
        REVIEW,
        "SuggestionPage",
        &[],
        |call| Box::pin(looks::review(call)),
    ),
    act(
        "/review/{id}/accept",
        Scope::Review,
        "acceptSuggestion",
        "They are one: the contacts are joined, or the tickets merged.",
        ANSWER,
        &[Kind::SuggestionUnknown, Kind::AnsweredOtherwise, Kind::NotPossible],
        |call| Box::pin(acts::accept(call)),
    ),
    act(
        "/review/{id}/reject",
        Scope::Review,
        "rejectSuggestion",
        "They are not: they are kept apart, and it is not suggested again.",
        ANSWER,
        &[Kind::SuggestionUnknown, Kind::AnsweredOtherwise, Kind::NotPossible],
        |call| Box::pin(acts::reject(call)),
    ),
];
