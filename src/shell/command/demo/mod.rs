//! `lanka demo`: one customer, three channels, one thread.
//!
//! The whole daemon on a private Postgres, fed as the world would feed it: a signed webhook over HTTP, a
//! file in a Maildir, a line in a call log. [`story`] has the words, [`stage`] the place, [`page`] the
//! print. It needs no account and no network, and runs as root or not.
//!
//! **Invariants:** the daemon gets no help: what it decides here, it decides for anybody. Nothing stays
//! behind, also when the demo is interrupted or ends in failure.

mod page;
mod post;
mod stage;
mod story;

use super::output::Output;
use super::{Failure, start_logs};
use crate::config::{LogFormat, Settings};
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::{ContactId, TicketId};
use crate::shell::Deployment;
use crate::shell::api::new_token;
use crate::shell::daemon::Running;
use crate::shell::store::Store;
use crate::shell::store::api_token::{NewApiToken, Scope};
use crate::shell::telemetry::Metrics;
use jiff::tz::TimeZone;
use page::{BOLD, DIM, GREEN, PLAIN, Page, Thread, YELLOW};
use post::{PostOffice, header};
use stage::{Stage, Tool};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use story::{STORIES, Story};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Longest wait for one step. Each takes a fraction of a second on an idle machine.
const STEP_MAX: Duration = Duration::from_secs(30);

/// Between two looks while something is awaited.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// Tickets of the demo, at most.
const TICKETS_MAX: i64 = 100;

/// Play a customer's story through real sockets and files, and print the thread.
#[derive(Debug, clap::Args)]
pub(super) struct Demo {}

impl Demo {
    /// Plays both stories.
    ///
    /// # Errors
    /// When it is given a configuration or asked for JSON, when Postgres is missing, when a story does not end as it should, when it is interrupted.
    pub(super) async fn run(self, config: &[PathBuf], output: &mut Output) -> Result<(), Failure> {
        if !config.is_empty() {
            return Err(Failure::Usage("the demo plays on a configuration of its own: leave --config out".to_owned()));
        }
        if output.is_json() {
            return Err(Failure::Usage("the demo tells a story to people: leave --format json out".to_owned()));
        }
        start_logs(LogFormat::Text, "error")?;
        // From here on a signal ends the demo, not the process, so that everything is cleared away.
        let mut interruption = Interruption::listen()?;
        let stage = Stage::set()?;
        let result = perform(&stage, &mut interruption, output).await;
        stage.clear()?;
        result
    }
}

/// With the tool and the database, which end before the stage is cleared.
async fn perform(stage: &Stage, interruption: &mut Interruption, output: &mut Output) -> Result<(), Failure> {
    let began = Instant::now();
    let tool = Tool::listen(stage).await?;
    let post = PostOffice::open().await?;
    let settings = stage.settings(tool.address, post.address)?;
    let mut page = Page::new(output, settings.defaults.time_zone.clone());
    page.line(&[(BOLD, "lanka demo: one customer, three channels, one thread")])?;
    page.line(&[(DIM, "A private Postgres and the whole daemon start, on this machine only. Nothing of it stays.")])?;
    let deployment = Deployment::open(&settings, true).await?;
    let result = tokio::select! {
        result = play(&deployment, settings, stage, (&tool, &post), &mut page, began) => result,
        () = interruption.comes() => Err(Failure::failed("interrupted; everything is cleared away")),
    };
    deployment.close().await;
    result
}

/// With the daemon, which is stopped in good order unless the play is broken off.
async fn play(
    deployment: &Deployment,
    settings: Settings,
    stage: &Stage,
    (tool, post): (&Tool, &PostOffice),
    page: &mut Page<'_>,
    began: Instant,
) -> Result<(), Failure> {
    let zone = settings.defaults.time_zone.clone();
    let failed = |error: crate::shell::daemon::RunError| Failure::failed(error.to_string());
    let running = Running::start(deployment, settings, Metrics::start()).await.map_err(failed)?;
    let address = running.address();
    page.line(&[(
        DIM,
        &format!("Started in {:.1} s; it listens on http://{address}.", began.elapsed().as_secs_f64()),
    )])?;
    let house = House { store: &deployment.store, stage, letters: post, zone, root: format!("http://{address}") };
    let result = house.both_stories(tool, page).await;
    running.stop().await;
    result
}

/// What a story is played in.
struct House<'a> {
    store: &'a Store,
    stage: &'a Stage,
    letters: &'a PostOffice,
    zone: TimeZone,
    /// Where the daemon listens.
    root: String,
}

/// Shows what was done, how, and in what time.
fn step(page: &mut Page<'_>, what: &str, how: &str, done: &str, began: Instant) -> Result<(), Failure> {
    let took = format!("{done} in {} ms", began.elapsed().as_millis());
    page.line(&[(PLAIN, &format!("   {what:<26}")), (DIM, &format!("{how:<51}")), (GREEN, &took)])
}

/// How a story ended.
struct Ending {
    threads: Vec<Thread>,
    contacts: BTreeSet<ContactId>,
    /// Why lanka suggests that two of the contacts are one.
    suggested: Vec<String>,
}

impl House<'_> {
    async fn both_stories(&self, tool: &Tool, page: &mut Page<'_>) -> Result<(), Failure> {
        let [first, second] = &STORIES;
        let ending = self.tell(1, first, page).await?;
        ending.must_be(1, 1)?;
        page.line(&[
            (GREEN, "  One contact, one ticket."),
            (PLAIN, " Whoever answers sees the question, the complaint and the call at once."),
        ])?;
        self.answered(first, &ending, page).await?;
        let ending = self.tell(2, second, page).await?;
        ending.must_be(2, 2)?;
        let [why] = ending.suggested.as_slice() else {
            return Err(wrong(format!("{} suggestions where one was to come", ending.suggested.len())));
        };
        page.line(&[(YELLOW, "  Two contacts, two tickets, and a suggestion"), (PLAIN, " that agents get with it:")])?;
        page.paragraph(YELLOW, 6, "", why)?;
        page.paragraph(PLAIN, 2, "", WHY_RIGHT)?;
        page.gap()?;
        self.told(tool, page).await
    }

    /// Plays a story, and shows what became of it.
    async fn tell(&self, number: usize, story: &Story, page: &mut Page<'_>) -> Result<Ending, Failure> {
        page.gap()?;
        page.line(&[(BOLD, &format!("{number}. {}", story.title))])?;
        page.paragraph(PLAIN, 3, "", story.plot)?;
        page.gap()?;
        let before: BTreeSet<TicketId> = self.tickets().await?.into_iter().collect();
        let now = Timestamp::now().to_zoned(self.zone.clone());
        let unmade = |error: anyhow::Error| Failure::failed(format!("the demo's messages cannot be made: {error}"));

        let began = self.count().await?;
        self.post_chat(&story.chat_body(&now).map_err(unmade)?).await?;
        self.decided(page, "A question on Messenger", "POST /hooks/facebook, signed with the app's secret", began)
            .await?;

        let began = self.count().await?;
        self.stage.put_mail(&story.mail_bytes(&now).map_err(unmade)?)?;
        self.decided(page, "A complaint by mail", "a file in the Maildir's new/", began).await?;

        let began = self.count().await?;
        self.stage.add_call(&story.call_line(&now))?;
        self.decided(page, "A call from the car", "a line at the end of the call log", began).await?;

        page.gap()?;
        let mut threads = Vec::new();
        for id in self.tickets().await?.into_iter().filter(|id| !before.contains(id)) {
            threads.extend(self.store.thread(id).await?);
        }
        threads.sort_by_key(|(ticket, _)| ticket.number);
        threads.iter().try_for_each(|thread| page.thread(thread))?;
        self.ending(threads).await
    }

    /// An agent answers by way of the API; the customer has it by mail, and answers that.
    async fn answered(&self, story: &Story, ending: &Ending, page: &mut Page<'_>) -> Result<(), Failure> {
        let Some((ticket, before)) = ending.threads.first() else { return Ok(()) };
        page.gap()?;
        page.paragraph(PLAIN, 3, "", story::ANSWERED)?;
        page.gap()?;
        let began = Instant::now();
        self.answer(ticket.id).await?;
        wait("An answer by mail", async || Ok(!self.letters.taken().is_empty())).await?;
        let mail = self.letters.taken().swap_remove(0);
        let field = |name| header(&mail, name).ok_or_else(|| wrong(format!("the answer has no field {name}")));
        step(page, "An answer by mail", &format!("over SMTP, to {}", field("To")?), "sent", began)?;
        let now = Timestamp::now().to_zoned(self.zone.clone());
        let unmade = |error: anyhow::Error| Failure::failed(format!("the demo's messages cannot be made: {error}"));
        let began = self.count().await?;
        self.stage.put_mail(&story.reply_bytes(field("Message-ID")?, field("Subject")?, &now).map_err(unmade)?)?;
        self.decided(page, "Her reply to it", "a file in the Maildir's new/", began).await?;
        page.gap()?;
        let (ticket, messages) =
            self.store.thread(ticket.id).await?.ok_or_else(|| wrong("the ticket is gone".into()))?;
        let added = messages.get(before.len()..).unwrap_or_default();
        for message in added {
            page.message(&ticket, message)?;
            page.gap()?;
        }
        match added.len() {
            2 => page.line(&[
                (GREEN, "  The same ticket."),
                (PLAIN, " The answer and her reply stand on it below the call."),
            ]),
            count => Err(wrong(format!("{count} messages came onto the ticket where 2 were to come"))),
        }
    }

    /// What an agent's program does to answer a ticket.
    async fn answer(&self, ticket: TicketId) -> Result<(), Failure> {
        let (token, hash) = new_token().map_err(|error| Failure::failed(error.to_string()))?;
        let new = NewApiToken { name: "agent", tenant: "main", scopes: &[Scope::Replies], hash, expires_at: None };
        self.store.create_api_token(&new, Timestamp::now()).await?;
        let body = serde_json::json!({ "text": story::ANSWER, "by": "Aino" }).to_string();
        let headers = [("authorization", format!("Bearer {token}")), ("idempotency-key", "demo-1".to_owned())];
        self.post(&format!("/api/v1/tickets/{ticket}/replies"), &headers, body).await
    }

    async fn ending(&self, threads: Vec<Thread>) -> Result<Ending, Failure> {
        let contacts = threads.iter().flat_map(|(ticket, _)| &ticket.participants).map(|contact| contact.id).collect();
        let mut suggested = BTreeMap::new();
        for message in threads.iter().flat_map(|(_, messages)| messages) {
            let route = self.store.route(message.id).await?;
            let about_contacts =
                route.into_iter().flat_map(|route| route.suggestions).filter(|line| line.target_kind == "contact");
            suggested.extend(about_contacts.map(|line| (line.id, line.why)));
        }
        Ok(Ending { threads, contacts, suggested: suggested.into_values().collect() })
    }

    async fn tickets(&self) -> Result<Vec<TicketId>, Failure> {
        Ok(self.store.threads(None, None, TICKETS_MAX).await?.into_iter().map(|line| line.id).collect())
    }

    /// Messages on all tickets, and the moment they were counted.
    async fn count(&self) -> Result<(i64, Instant), Failure> {
        let messages = self.store.threads(None, None, TICKETS_MAX).await?.iter().map(|line| line.messages).sum();
        Ok((messages, Instant::now()))
    }

    /// Waits until one more message is decided, and says how long that took.
    async fn decided(
        &self,
        page: &mut Page<'_>,
        what: &str,
        how: &str,
        (before, began): (i64, Instant),
    ) -> Result<(), Failure> {
        wait(what, async || Ok(self.count().await?.0 > before)).await?;
        step(page, what, how, "decided", began)
    }

    async fn post_chat(&self, body: &str) -> Result<(), Failure> {
        let signature = story::signature(&self.stage.app_secret, body);
        self.post("/hooks/facebook", &[("x-hub-signature-256", signature)], body.to_owned()).await
    }

    /// Posts JSON to the daemon.
    async fn post(&self, path: &str, headers: &[(&str, String)], body: String) -> Result<(), Failure> {
        let failed = |error: reqwest::Error| Failure::failed(format!("nothing can be posted to the daemon: {error}"));
        // Loopback must be reached whatever proxy the environment names.
        let client = reqwest::Client::builder().no_proxy().timeout(STEP_MAX).build().map_err(failed)?;
        let request = client.post(format!("{}{path}", self.root)).header("content-type", "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let response = request.body(body).send().await.map_err(failed)?;
        match response.status().is_success() {
            true => Ok(()),
            false => Err(wrong(format!("{path} was answered {}", response.status()))),
        }
    }

    /// What the agents' tool got to know.
    async fn told(&self, tool: &Tool, page: &mut Page<'_>) -> Result<(), Failure> {
        wait("delivery to the agents' tool", async || {
            Ok(self.store.outbox_states().await?.iter().all(|state| state.pending == 0))
        })
        .await?;
        let changes = tool.changes();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for change in &changes {
            *counts.entry(change.strip_prefix("lanka.").unwrap_or(change)).or_default() += 1;
        }
        let counts: Vec<String> = counts.iter().map(|(change, count)| format!("{count} × {change}")).collect();
        let text = format!("Meanwhile the agents' tool took {} signed requests: {}.", changes.len(), counts.join(", "));
        page.paragraph(PLAIN, 2, "", &text)
    }
}

/// Said below the second story.
const WHY_RIGHT: &str = "This is right. The chat and the mail share a name and nothing else, and a name is no proof: \
    many people have the same, and anybody can type one. Joined wrongly, one customer would be told what another one ordered. \
    What would join them by itself is evidence: the order's number in the chat, as in the first story. Without it, lanka keeps \
    them apart and leaves the last word to a person. (Mail and call are joined: the mail is authenticated, and named the \
    number before it called.)";

impl Ending {
    /// The story has so many contacts and tickets.
    fn must_be(&self, contacts: usize, tickets: usize) -> Result<(), Failure> {
        match (self.contacts.len(), self.threads.len()) == (contacts, tickets) {
            true => Ok(()),
            false => Err(wrong(format!(
                "{} contacts and {} tickets where {contacts} and {tickets} were to come",
                self.contacts.len(),
                self.threads.len()
            ))),
        }
    }
}

/// A demo that does not end as it should is a fault of lanka's.
fn wrong(what: String) -> Failure {
    Failure::failed(format!("the demo went wrong: {what}. Please report it with the lines above"))
}

/// Looks until something is so.
async fn wait(what: &str, mut is_so: impl AsyncFnMut() -> Result<bool, Failure>) -> Result<(), Failure> {
    let began = Instant::now();
    while !is_so().await? {
        if began.elapsed() > STEP_MAX {
            return Err(wrong(format!("{what}: nothing came of it within {} s", STEP_MAX.as_secs())));
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
    Ok(())
}

/// Ctrl-C, a stop from outside, a terminal that was closed.
struct Interruption([Signal; 3]);

impl Interruption {
    fn listen() -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::failed(format!("cannot listen for signals: {error}")));
        Ok(Self([listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?, listen(SignalKind::hangup())?]))
    }

    async fn comes(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
