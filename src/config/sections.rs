//! The sections of the configuration, but for channels and mirrors.
//!
//! No field has a default here: the defaults are `config/default.toml`, which lies beneath every
//! configuration. What may be left out altogether is an `Option`.

use super::letters::LetterSection;
use super::problem::Report;
use super::routing::Routing;
use super::secrets::Key;
use super::service::{ContractSection, ServiceSection};
use super::values::{
    self, AddressPattern, AgentPattern, Domain, Language, MatterPattern, NameServer, NoticeText, NoticeTextName,
    Phrase, PublicDomain, RuleName, TrustedRelay,
};
use crate::pure::domain::dust::DustLimits;
use crate::pure::domain::incident::{AgainRules, IncidentPolicy, IncidentWords, OutageRules};
use crate::pure::domain::lexicon::{Entry, Lexicon};
use crate::pure::domain::notice::{self, NoticeKind};
use crate::pure::domain::phrases::Phrases;
use crate::pure::domain::policy;
use crate::pure::domain::say;
use crate::pure::domain::secret::Secret;
use crate::pure::domain::triage::Urgency;
use crate::pure::wire::written;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Everything but channels and mirrors.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sections {
    /// Where the private Postgres, the key and the content store live.
    #[serde(deserialize_with = "written::path")]
    pub data_dir: PathBuf,
    /// Longest time a graceful stop may take before what is left is dropped.
    #[serde(deserialize_with = "values::duration::<_, 1, 600>")]
    pub stop_timeout: Duration,
    /// `[database]`
    pub database: Database,
    /// `[security]`
    pub security: Security,
    /// `[http]`
    pub http: Http,
    /// `[defaults]`
    pub defaults: Defaults,
    /// `[identity]`
    pub identity: IdentityRules,
    /// `[mail_auth]`
    pub mail_auth: MailAuth,
    /// `[matters]`: patterns by name.
    pub matters: BTreeMap<String, MatterPattern>,
    /// `[phrases]`
    pub phrases: PhraseSections,
    /// `[routing]`
    pub routing: Routing,
    /// `[triage]`
    pub triage: TriageSection,
    /// `[urgency]`
    pub urgency: UrgencySection,
    /// `[windows]`
    pub windows: Windows,
    /// `[service]`
    pub service: ServiceSection,
    /// `[contracts.*]`
    #[serde(default)]
    pub contracts: BTreeMap<String, ContractSection>,
    /// `[retention]`
    pub retention: Retention,
    /// `[ingest]`
    pub ingest: Ingest,
    /// `[deliver]`
    pub deliver: Deliver,
    /// `[answers]`
    pub answers: Answers,
    /// `[notices]`
    pub notices: Notices,
    /// `[ready_answers]`
    pub ready_answers: ReadyAnswers,
    /// `[dust]`
    pub dust: Dust,
    /// `[letters.*]`
    #[serde(default)]
    pub letters: BTreeMap<String, LetterSection>,
    /// `[media]`
    pub media: Media,
    /// `[content]`
    pub content: Content,
    /// `[log]`
    pub log: Log,
    /// `[alerts]`
    pub alerts: Alerts,
    /// `[incidents]`
    pub incidents: Incidents,
}

/// Texts that agents answer with, offered by what was asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadyAnswers {
    /// Where their files are; `None` means that there are none.
    #[serde(default, deserialize_with = "written::path_opt")]
    pub dir: Option<PathBuf>,
    /// Whether tools are told of those that fit, as a note for agents.
    pub note: bool,
    /// Mirrors that are told nothing of them.
    pub not_in: Vec<String>,
    /// How often it is looked whether files changed.
    #[serde(deserialize_with = "values::duration::<_, 1, 86_400>")]
    pub look_every: Duration,
}

/// After how long what nobody looks at is said to gather dust; `None`: never.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dust {
    /// Nothing was said or done on an open ticket.
    #[serde(deserialize_with = "values::none_or_after")]
    pub silent_after: Option<Duration>,
    /// The same while the customer is waited for.
    #[serde(deserialize_with = "values::none_or_after")]
    pub awaited_after: Option<Duration>,
    /// A customer had the last word; service time.
    #[serde(deserialize_with = "values::none_or_after")]
    pub unanswered_after: Option<Duration>,
    /// A ticket's owner has said and done nothing on any.
    #[serde(deserialize_with = "values::none_or_after")]
    pub orphaned_after: Option<Duration>,
    /// A call that nobody took was not returned; service time.
    #[serde(deserialize_with = "values::none_or_after")]
    pub calls_after: Option<Duration>,
    /// A suggestion was not reviewed.
    #[serde(deserialize_with = "values::none_or_after")]
    pub suggestions_after: Option<Duration>,
    /// A delivery lies in quarantine.
    #[serde(deserialize_with = "values::none_or_after")]
    pub quarantine_after: Option<Duration>,
}

impl Dust {
    /// As deciding takes them.
    pub fn limits(&self) -> DustLimits {
        DustLimits {
            silent: self.silent_after,
            awaited: self.awaited_after,
            unanswered: self.unanswered_after,
            orphaned: self.orphaned_after,
            calls: self.calls_after,
            suggestions: self.suggestions_after,
            quarantine: self.quarantine_after,
        }
    }
}

/// Postgres.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Where it is; `None` means a private cluster under `data_dir`.
    #[serde(default, deserialize_with = "values::database_url")]
    pub url: Option<Secret>,
    /// Connections of one daemon.
    #[serde(deserialize_with = "values::within::<_, _, 4, 500>")]
    pub connections_max: u32,
    /// Whether `run` brings the schema up to date.
    pub migrate: bool,
    /// Where `initdb` and `postgres` are; `None` means looked for.
    #[serde(default, deserialize_with = "written::path_opt")]
    pub bin_dir: Option<PathBuf>,
}

/// The daemon's own keys.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Security {
    /// The first signs, all verify.
    pub keys: Vec<Key>,
}

/// The HTTP server and outgoing requests.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Address and port.
    #[serde(deserialize_with = "values::listen")]
    pub listen: SocketAddr,
    /// The daemon's address as vendors see it.
    #[serde(default, deserialize_with = "values::public_url")]
    pub public_url: Option<url::Url>,
    /// Whether outgoing requests may go to private and loopback addresses.
    pub allow_private_addresses: bool,
    /// Largest body of a delivery, in bytes.
    #[serde(deserialize_with = "values::within::<_, _, 1_024, 104_857_600>")]
    pub body_bytes_max: usize,
    /// Longest time from a request's first byte to its answer, in seconds.
    #[serde(deserialize_with = "values::within::<_, _, 1, 300>")]
    pub request_timeout_s: u64,
    /// Requests handled at once; more are told to come back.
    #[serde(deserialize_with = "values::within::<_, _, 1, 100_000>")]
    pub concurrent_max: usize,
    /// Whether `/metrics` is served.
    pub metrics: bool,
}

impl Http {
    /// [`Self::request_timeout_s`] as a length of time.
    pub fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_s)
    }
}

/// How things are read that do not say it themselves.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// Country of national phone numbers.
    #[serde(deserialize_with = "written::region")]
    pub region: String,
    /// Zone of wall clocks without one.
    #[serde(deserialize_with = "written::time_zone")]
    pub time_zone: jiff::tz::TimeZone,
    /// Languages of the desk, the preferred one first.
    pub languages: Vec<Language>,
}

impl Defaults {
    /// The language in which agents are told things: the first of the desk's that lanka speaks, else English.
    pub fn language(&self) -> say::Language {
        say::Language::first_of(self.languages.iter().map(|language| language.0.as_str()))
    }
}

/// Who is who.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityRules {
    /// The desk's own domains.
    pub own_domains: Vec<Domain>,
    /// Those who answer customers.
    pub agents: Vec<AgentPattern>,
    /// Added to the built-in list of free mail and access providers, or taken off it.
    pub public_domains: Vec<PublicDomain>,
    /// Firms known to be one customer each.
    pub organisations: Vec<Domain>,
    /// Rules left out, to measure what they are worth.
    pub without: Vec<RuleName>,
}

/// Senders of mail, where no server of ours has vouched for them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailAuth {
    /// Whether lanka checks them itself.
    pub verify: bool,
    /// Name servers to ask; empty means the system's.
    pub resolvers: Vec<NameServer>,
    /// Our own hops: by them SPF can be told.
    pub trusted_relays: Vec<TrustedRelay>,
    /// Forwarders whose seals are believed.
    pub trusted_sealers: Vec<Domain>,
    /// Older mail is not checked.
    #[serde(deserialize_with = "values::duration::<_, 3_600, 7_776_000>")]
    pub age_max: Duration,
    /// Longest time one mail may take.
    #[serde(deserialize_with = "values::duration::<_, 1, 60>")]
    pub timeout: Duration,
    /// Mails checked at once.
    #[serde(deserialize_with = "values::within::<_, _, 1, 256>")]
    pub concurrency: usize,
    /// Wait before a sender is asked about again for whom no name server answered; it doubles.
    #[serde(deserialize_with = "values::duration::<_, 1, 3_600>")]
    pub retry_first: Duration,
}

/// What customers write.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhraseSections {
    /// The message brings a matter of its own.
    pub new_matter: PhraseLists,
    /// An old matter is there again.
    pub is_back: PhraseLists,
    /// The same beside the number of the matter.
    pub again: PhraseLists,
    /// The writer speaks of what he said before.
    pub said_before: PhraseLists,
    /// The matter is somebody else's.
    pub not_mine: PhraseLists,
    /// The caller was not the owner of the number that it showed.
    pub not_owner: PhraseLists,
    /// A channel was not used.
    pub not_there: PhraseLists,
    /// Somebody else acted as the customer.
    pub not_me: PhraseLists,
    /// The customer has the number that he had.
    pub same_number: PhraseLists,
}

impl PhraseSections {
    /// Every list with its key.
    pub(super) fn lists(&self) -> [(&'static str, &PhraseLists); 9] {
        let Self { new_matter, is_back, again, said_before, not_mine, not_owner, not_there, not_me, same_number } =
            self;
        [
            ("new_matter", new_matter),
            ("is_back", is_back),
            ("again", again),
            ("said_before", said_before),
            ("not_mine", not_mine),
            ("not_owner", not_owner),
            ("not_there", not_there),
            ("not_me", not_me),
            ("same_number", same_number),
        ]
    }
}

/// What a matter is about, by words.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TriageSection {
    /// Lists of words by language or by a name of the desk's own, and by what they are a sign of.
    pub words: BTreeMap<String, BTreeMap<values::SignKey, values::SignWords>>,
    /// Phrases that are left out, as they are written in a list.
    pub without: Vec<String>,
    /// Whether single words weigh beside the phrases.
    pub weights: bool,
}

impl TriageSection {
    /// All words, as a text is searched for them.
    pub fn lexicon(&self) -> Lexicon {
        let lists =
            self.words.iter().flat_map(|(list, signs)| signs.iter().map(move |(key, words)| (list, key, words)));
        let entries = lists.flat_map(|(list, key, words)| {
            words.0.iter().map(move |phrase| Entry {
                list: list.clone(),
                sign: key.sign,
                weight: key.weight,
                phrase: phrase.clone(),
            })
        });
        let lexicon = Lexicon::of(entries.filter(|entry| !self.without.contains(&entry.phrase)));
        if self.weights { lexicon.with_weights(super::layers::weights()) } else { lexicon }
    }
}

/// What raises urgency beside the words.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UrgencySection {
    /// Mail domains whose problems are high.
    pub organisations: Vec<Domain>,
    /// Contracts whose organisations' problems are high, by name.
    pub contracts: Vec<String>,
    /// Whether a problem is high that somebody comes back with.
    pub came_back: bool,
    /// Messages in a row without an answer from which on a ticket is high; 0 is never.
    #[serde(deserialize_with = "values::within::<_, _, 0, 100>")]
    pub unanswered: u32,
}

impl UrgencySection {
    /// As deciding takes it.
    pub(super) fn policy(&self, contracts: &BTreeMap<String, ContractSection>) -> Urgency {
        let named = self.contracts.iter().filter_map(|name| Some((name, contracts.get(name)?)));
        let by_contract = named.flat_map(|(name, contract)| {
            contract.organisations.iter().map(move |domain| (domain.0.clone(), name.clone()))
        });
        let by_domain = self.organisations.iter().map(|domain| (domain.0.clone(), domain.0.clone()));
        Urgency {
            raised: by_contract.chain(by_domain).collect(),
            came_back: self.came_back,
            unanswered: self.unanswered,
        }
    }

    /// What cannot be: a contract that there is not, a domain where anybody can have an address.
    pub(super) fn check(&self, sections: &Sections, report: &mut Report) {
        let public = sections.identity.all_public_domains();
        for (at, Domain(domain)) in
            self.organisations.iter().enumerate().filter(|(_, domain)| public.contains(&domain.0))
        {
            let why = format!("anybody can have an address at {domain}: strangers there would be urgent");
            report.error_once(format!("urgency.organisations.{at}"), why);
        }
        for (at, name) in self.contracts.iter().enumerate().filter(|(_, name)| !sections.contracts.contains_key(*name))
        {
            let why = format!("there is no contract \"{name}\": write it as in [contracts.{name}]");
            report.error_once(format!("urgency.contracts.{at}"), why);
        }
    }
}

/// Phrases by language.
pub type PhraseLists = BTreeMap<Language, Vec<Phrase>>;

/// How long things belong together.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Windows {
    /// A pause within one chat.
    #[serde(deserialize_with = "values::duration::<_, 1, 31_536_000>")]
    pub chat_session: Duration,
    /// A contact's only open ticket takes a message that points nowhere.
    #[serde(deserialize_with = "values::duration::<_, 1, 315_360_000>")]
    pub one_open: Duration,
    /// A closed ticket is still the matter.
    #[serde(deserialize_with = "values::duration::<_, 1, 315_360_000>")]
    pub closed_continues: Duration,
}

impl Windows {
    /// As deciding takes them.
    pub(super) fn policy(&self) -> policy::Windows {
        policy::Windows {
            chat_session: self.chat_session,
            one_open: self.one_open,
            closed_continues: self.closed_continues,
        }
    }
}

/// Windows of one channel: those not given are the general ones.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChannelWindows {
    #[serde(default, deserialize_with = "values::duration_opt::<_, 1, 31_536_000>")]
    chat_session: Option<Duration>,
    #[serde(default, deserialize_with = "values::duration_opt::<_, 1, 315_360_000>")]
    one_open: Option<Duration>,
    #[serde(default, deserialize_with = "values::duration_opt::<_, 1, 315_360_000>")]
    closed_continues: Option<Duration>,
}

impl ChannelWindows {
    pub(super) fn over(&self, general: policy::Windows) -> policy::Windows {
        policy::Windows {
            chat_session: self.chat_session.unwrap_or(general.chat_session),
            one_open: self.one_open.unwrap_or(general.one_open),
            closed_continues: self.closed_continues.unwrap_or(general.closed_continues),
        }
    }
}

/// How long things are kept; `None` is for ever.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Raw deliveries.
    #[serde(deserialize_with = "values::kept")]
    pub raw: Option<Duration>,
    /// Messages and their attachments.
    #[serde(deserialize_with = "values::kept")]
    pub messages: Option<Duration>,
}

/// From stored deliveries to threads.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ingest {
    /// Deliveries in one batch.
    #[serde(deserialize_with = "values::within::<_, _, 1, 10_000>")]
    pub batch_rows_max: usize,
    /// Raw bytes in one batch; one larger delivery is a batch of its own.
    #[serde(deserialize_with = "values::within::<_, _, 65_536, 268_435_456>")]
    pub batch_bytes_max: usize,
    /// Batches worked on at once.
    #[serde(deserialize_with = "values::within::<_, _, 1, 64>")]
    pub workers: usize,
    /// Longest sleep without a look, should a wake-up be lost.
    #[serde(deserialize_with = "values::duration::<_, 0, 60>")]
    pub poll: Duration,
}

/// From the outbox to the agents' tools.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deliver {
    /// Changes under way at once towards one mirror, each of another ticket.
    #[serde(deserialize_with = "values::within::<_, _, 1, 1_000>")]
    pub concurrency: usize,
    /// Wait after the first failure; it doubles with each further one, with jitter.
    #[serde(deserialize_with = "values::duration::<_, 0, 3_600>")]
    pub backoff_first: Duration,
    /// Longest wait between two attempts.
    #[serde(deserialize_with = "values::duration::<_, 1, 86_400>")]
    pub backoff_max: Duration,
    /// Longest sleep without a look, should a wake-up be lost.
    #[serde(deserialize_with = "values::duration::<_, 0, 60>")]
    pub poll: Duration,
}

/// Answers to customers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// Automatic messages of one contact on one ticket within an hour, from which on mail to him is stopped.
    #[serde(deserialize_with = "values::within::<_, _, 1, 1_000>")]
    pub automatic_max: u32,
}

/// What customers are told by lanka itself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notices {
    /// What they are told.
    pub send: Vec<NoticeKind>,
    /// What happened longer ago is told no more.
    #[serde(deserialize_with = "values::duration::<_, 60, 31_536_000>")]
    pub max_age: Duration,
    /// Notices to one contact within an hour, at most.
    #[serde(deserialize_with = "values::within::<_, _, 1, 1_000>")]
    pub per_hour: u32,
    /// Acknowledgements by mail to one contact within an hour, at most.
    #[serde(deserialize_with = "values::within::<_, _, 1, 1_000>")]
    pub mail_per_hour: u32,
    /// Addresses that are told nothing.
    pub never_to: Vec<AddressPattern>,
    /// Texts by language and name.
    pub texts: BTreeMap<Language, BTreeMap<NoticeTextName, NoticeText>>,
}

impl Notices {
    /// As deciding takes them.
    pub(super) fn policy(&self, languages: &[Language], send_on: BTreeMap<String, Vec<NoticeKind>>) -> notice::Notices {
        let texts = |texts: &BTreeMap<NoticeTextName, NoticeText>| {
            texts.iter().map(|(name, text)| (name.0, text.0.clone())).collect()
        };
        notice::Notices {
            send: self.send.clone(),
            send_on,
            texts: self.texts.iter().map(|(language, of)| (language.0.clone(), texts(of))).collect(),
            languages: languages.iter().map(|language| language.0.clone()).collect(),
            max_age: self.max_age,
            per_hour: self.per_hour,
            mail_per_hour: self.mail_per_hour,
            never_to: self.never_to.iter().map(|pattern| pattern.0.clone()).collect(),
        }
    }
}

/// Files from the vendors.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Media {
    /// Files fetched at once.
    #[serde(deserialize_with = "values::within::<_, _, 1, 64>")]
    pub concurrency: usize,
    /// Longest time one attempt at a file may take.
    #[serde(deserialize_with = "values::duration::<_, 1, 3_600>")]
    pub timeout: Duration,
    /// Attempts after which a file is lost.
    #[serde(deserialize_with = "values::within::<_, _, 1, 1_000>")]
    pub attempts_max: i32,
    /// Wait after the first failure; it doubles with each further one, with jitter.
    #[serde(deserialize_with = "values::duration::<_, 0, 3_600>")]
    pub backoff_first: Duration,
    /// Longest wait between two attempts.
    #[serde(deserialize_with = "values::duration::<_, 1, 86_400>")]
    pub backoff_max: Duration,
}

/// Attachments and large bodies.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Where they are kept; `None` means `data_dir/content`.
    #[serde(default, deserialize_with = "written::path_opt")]
    pub dir: Option<PathBuf>,
    /// A larger attachment is named on its message, but not kept. Bytes.
    #[serde(deserialize_with = "values::within::<_, _, 1_024, 1_073_741_824>")]
    pub attachment_bytes_max: u64,
}

/// Logs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// How lines look and where they go.
    pub format: LogFormat,
    /// Which are written: a level, or levels by module, in the form of `RUST_LOG`.
    #[serde(deserialize_with = "values::log_level")]
    pub level: String,
}

/// How log lines look and where they go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people, on standard error.
    Text,
    /// One object a line, on standard error.
    Json,
    /// To the journal, with fields; text where there is none.
    Journald,
}

/// When something is said aloud.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alerts {
    /// How often the state is looked at.
    #[serde(deserialize_with = "values::duration::<_, 1, 60>")]
    pub check_interval: Duration,
    /// A channel that has failed for so long is dead.
    #[serde(deserialize_with = "values::duration::<_, 1, 86_400>")]
    pub channel_dead_after: Duration,
    /// A channel that brought nothing for so long is silent; `None` means never.
    #[serde(deserialize_with = "values::said_after")]
    pub channel_silent_after: Option<Duration>,
    /// Longest a stored delivery may wait to be decided.
    #[serde(deserialize_with = "values::duration::<_, 1, 86_400>")]
    pub ingest_age_max: Duration,
    /// Longest a change may wait to reach a mirror, and a file to be fetched.
    #[serde(deserialize_with = "values::duration::<_, 1, 86_400>")]
    pub outbox_age_max: Duration,
}

/// The same thing again and again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incidents {
    /// Whether what many speak of at once is looked for.
    pub outages: bool,
    /// How far back.
    #[serde(deserialize_with = "values::duration::<_, 600, 86_400>")]
    pub window: Duration,
    /// Different customers, at the least.
    #[serde(deserialize_with = "values::within::<_, _, 3, 1_000>")]
    pub customers_min: usize,
    /// The same beside an alert that speaks of it.
    #[serde(deserialize_with = "values::within::<_, _, 1, 1_000>")]
    pub with_alert_min: usize,
    /// Different people of one organisation, at the least; 0 does not look for it.
    #[serde(deserialize_with = "values::within::<_, _, 0, 1_000>")]
    pub colleagues_min: usize,
    /// That chance does it is less likely than one in so many.
    #[serde(deserialize_with = "values::within::<_, _, 100, 1_000_000_000_000>")]
    pub odds_min: u64,
    /// Contacts from which on it is known what is usual.
    #[serde(deserialize_with = "values::within::<_, _, 0, 1_000_000>")]
    pub contacts_min: u32,
    /// Without a further contact for so long it is over.
    #[serde(deserialize_with = "values::duration::<_, 600, 604_800>")]
    pub quiet: Duration,
    /// Whether the same customer on the same thing is looked for.
    pub again: bool,
    /// From which time on that he comes.
    #[serde(deserialize_with = "values::within::<_, _, 2, 100>")]
    pub again_min: usize,
    /// Within how long.
    #[serde(deserialize_with = "values::duration::<_, 3_600, 31_536_000>")]
    pub again_within: Duration,
    /// By these something does not work.
    pub trouble: Vec<Phrase>,
    /// Words that stand for one thing, by its name.
    pub words: BTreeMap<String, Vec<Phrase>>,
}

impl Incidents {
    /// As the search takes them.
    pub fn policy(&self) -> IncidentPolicy {
        let of = |phrases: &Vec<Phrase>| Phrases::of(phrases.iter().map(|phrase| phrase.0.as_str()));
        IncidentPolicy {
            outages: self.outages,
            rules: OutageRules {
                window: self.window,
                customers_min: self.customers_min,
                with_alert_min: self.with_alert_min,
                colleagues_min: Some(self.colleagues_min).filter(|min| *min > 0),
                surprise_min: (self.odds_min as f64).ln(),
                contacts_min: f64::from(self.contacts_min),
                quiet: self.quiet,
            },
            again: self.again.then_some(AgainRules { times_min: self.again_min, within: self.again_within }),
            words: IncidentWords {
                groups: self.words.iter().map(|(name, phrases)| (name.clone(), of(phrases))).collect(),
                trouble: of(&self.trouble),
            },
        }
    }
}
