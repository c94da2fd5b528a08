//! One mail's sender, asked of name servers: DKIM, SPF, DMARC, ARC, by the `mail-auth` crate.
//!
//! Only what is about the domain in From is asked: signatures of other domains prove nothing here and cost
//! no look-up, so that whoever writes to us cannot make us ask about whomever he likes.
//!
//! Left out of what counts, though the crate would take it: `l=` (a signature over a part of the body lets
//! anybody add the rest), rsa-sha1 (RFC 8301), keys that say of themselves that they are only tried out
//! (`t=y`, RFC 6376 3.6.1), third-party signatures (ATPS), signatures that do not cover From.
//!
//! **Invariants:** signatures, look-ups and time of one mail are limited; what a limit cuts off is never a
//! pass. Results of name servers are kept by the resolver as long as they say, and no longer.

use crate::pure::domain::message::SenderCheck;
use crate::pure::wire::authentication::is_aligned;
use crate::pure::wire::mail_parts;
use crate::pure::wire::relays::{Handover, Relays, handover};
use crate::pure::wire::sender::{
    Evidence, Handed, Policy, REFUSED, Seals, SenderQuestion, Signature, UNANSWERED, conclude, was_authentic,
};
use bytes::Bytes;
use mail_auth::common::crypto::Algorithm;
use mail_auth::common::verify::VerifySignature;
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::hickory_resolver::config::{NameServerConfig, ResolverConfig, ResolverOpts};
use mail_auth::hickory_resolver::system_conf::read_system_conf;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    AuthenticatedMessage, DkimOutput, DkimResult, DmarcOutput, DmarcResult, DnsError, Error, MX, MessageAuthenticator,
    Parameters, RecordSet, ResolverCache, SpfOutput, SpfResult, Txt, dmarc,
};
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Signatures of the sender's domain that are verified: large senders make two, with two algorithms.
const SIGNATURES_MAX: usize = 4;
/// Fields that one signature may cover; each is looked for among all there are.
const SIGNED_FIELDS_MAX: usize = 100;
/// Sets of seals followed; each costs a look-up. RFC 8617 allows 50, and none is that long.
const SEALS_MAX: usize = 10;
/// Look-ups for one mail: four keys, eight policies, ten of SPF, some seals.
const LOOKUPS_MAX: usize = 32;
/// Answers that the resolver keeps: some megabytes.
const ANSWERS_KEPT_MAX: u64 = 8_192;
/// Longest that an absent record is believed absent: a domain that just published its key is not kept
/// waiting for hours.
const ABSENT_MAX: Duration = Duration::from_secs(300);
/// `t=y` among the flags of a key as the crate keeps them.
const KEY_FLAG_TESTING: u64 = 0x10;

/// How senders are checked.
#[derive(Debug, Clone)]
pub struct CheckLimits {
    /// The name servers; empty for the system's.
    pub resolvers: Vec<SocketAddr>,
    /// Our own hops.
    pub relays: Relays,
    /// Domains whose seals (ARC) are believed.
    pub sealers: Vec<String>,
    /// Longest time one mail may take.
    pub timeout: Duration,
}

/// Checks senders.
pub struct Verifier {
    dns: MessageAuthenticator,
    limits: CheckLimits,
}

impl Verifier {
    /// A verifier; it asks nobody yet.
    ///
    /// # Errors
    /// A sentence, when the system names no name servers.
    pub fn new(limits: CheckLimits) -> Result<Self, String> {
        let (config, mut options) = match limits.resolvers.as_slice() {
            [] => read_system_conf().map_err(|error| error.to_string())?,
            servers => {
                (ResolverConfig::from_name_servers(servers.iter().map(server).collect()), ResolverOpts::default())
            }
        };
        // Two tries within the time of a mail, which asks several things one after another.
        options.timeout = (limits.timeout / 2).min(Duration::from_secs(2));
        options.attempts = 1;
        options.cache_size = ANSWERS_KEPT_MAX;
        options.negative_max_ttl = Some(ABSENT_MAX);
        let dns = MessageAuthenticator::new(config, options).map_err(|error| error.to_string())?;
        Ok(Self { dns, limits })
    }

    /// What is to be known of the sender of a mail. Never fails: what could not be asked is unknown.
    pub async fn check(&self, question: &SenderQuestion, mail: &Bytes) -> SenderCheck {
        if question.is_refused {
            return REFUSED;
        }
        let Some(mut message) = AuthenticatedMessage::parse(mail) else { return REFUSED };
        // Both readers must see the same author, or what was signed is not what is shown.
        let is_same = |from: &String| {
            let domain = from.rsplit_once('@').map_or("", |(_, domain)| domain);
            idna::domain_to_ascii(domain).is_ok_and(|domain| domain == question.domain)
        };
        if message.from.is_empty() || !message.from.iter().all(is_same) {
            return REFUSED;
        }
        let answers = Answers::default();
        let asking = self.ask(question, mail, &mut message, &answers);
        let found = tokio::time::timeout(self.limits.timeout, asking).await.unwrap_or(UNANSWERED);
        // What would have to ask on and on is not asked again.
        let is_exhausted = answers.is_exhausted.load(Ordering::Relaxed);
        if is_exhausted && found == UNANSWERED { REFUSED } else { found }
    }

    async fn ask(
        &self,
        question: &SenderQuestion,
        mail: &[u8],
        message: &mut AuthenticatedMessage<'_>,
        answers: &Answers,
    ) -> SenderCheck {
        let domain = question.domain.as_str();
        let signed = !message.dkim_headers.is_empty() || message.has_dkim_errors;
        let had_own = keep_own_signatures(message, domain);
        let message = &*message;
        let signatures = self.dns.verify_dkim(answers.asked(message)).await;
        let signatures: Vec<DkimOutput<'_>> =
            signatures.into_iter().filter(|found| !answers.is_tried_out(found)).collect();
        let passed = |found: &&DkimOutput<'_>| *found.result() == DkimResult::Pass;
        let of_domain =
            |found: &DkimOutput<'_>| found.signature().is_some_and(|own| own.d.eq_ignore_ascii_case(domain));
        let mut evidence = Evidence {
            signature: Signature::Absent,
            handed: Handed::Unknown,
            policy: Policy::Absent,
            seals: Seals::Nothing,
        };
        // The domain's own signature is aligned whatever its policy says: nothing else needs to be asked.
        if signatures.iter().filter(passed).any(of_domain) {
            evidence.signature = Signature::Good;
            return conclude(evidence);
        }
        let handed = self.handed(mail, domain);
        let spf = match &handed {
            Some(handover) if is_aligned(&handover.mail_from, domain) => self.spf(handover, answers).await,
            _ => SpfOutput::new(String::new()),
        };
        let mail_from = handed.as_ref().map_or("", |handover| domain_of(&handover.mail_from));
        let parameters = DmarcParameters::new(message, &signatures, mail_from, &spf);
        let policy = self.dns.verify_dmarc(answers.asked(parameters)).await;
        evidence.policy = published(&policy);
        let is_unsure = signatures.iter().any(|found| is_unanswered(found.result()));
        let has_passed = signatures.iter().any(|found| passed(&found));
        evidence.signature = match (evidence.policy, policy.dkim_result()) {
            (_, DmarcResult::Pass) => Signature::Good,
            // No policy, so nobody asks for more than the same firm (RFC 6376 leaves it to us).
            (Policy::Absent, _) if has_passed => Signature::Good,
            (Policy::Unanswered, _) if has_passed => Signature::Unanswered,
            (_, DmarcResult::TempError(_)) => Signature::Unanswered,
            _ if is_unsure => Signature::Unanswered,
            _ if had_own => Signature::Broken,
            _ if signed => Signature::Unaligned,
            _ => Signature::Absent,
        };
        evidence.handed = match (&handed, evidence.policy, policy.spf_result(), spf.result()) {
            (None, ..) => Handed::Unknown,
            (_, _, DmarcResult::Pass, _) | (_, Policy::Absent, _, SpfResult::Pass) => Handed::ByDomain,
            (_, _, DmarcResult::TempError(_), _) | (.., SpfResult::TempError) => Handed::Unanswered,
            (.., SpfResult::Fail) => Handed::ByForbidden,
            _ => Handed::ByOther,
        };
        if evidence.signature != Signature::Good {
            evidence.seals = self.seals(message, domain, answers).await;
        }
        conclude(evidence)
    }

    fn handed(&self, mail: &[u8], domain: &str) -> Option<Handover> {
        let (fields, _) = mail_parts::fields(mail, 0..mail.len());
        let value = |field: &mail_parts::Field| mail.get(field.value.clone()).unwrap_or_default();
        handover(&fields, value, &self.limits.relays).filter(|_| !domain.is_empty())
    }

    async fn spf(&self, handover: &Handover, answers: &Answers) -> SpfOutput {
        let Handover { address, helo, mail_from } = handover;
        let parameters = SpfParameters::verify_mail_from(*address, helo, helo, mail_from);
        self.dns.verify_spf(answers.asked(parameters)).await
    }

    /// Follows the seals from the last one inwards, as far as their sealers are trusted.
    async fn seals(&self, message: &AuthenticatedMessage<'_>, domain: &str, answers: &Answers) -> Seals {
        let trusted = |sealer: &str| self.limits.sealers.iter().any(|own| own.eq_ignore_ascii_case(sealer));
        let sets = message.as_headers.len();
        let last = message.as_headers.last().is_some_and(|seal| trusted(&seal.header.d));
        if !last || sets > SEALS_MAX || message.ams_headers.iter().any(|set| set.header.a == Algorithm::RsaSha1) {
            return Seals::Nothing;
        }
        let chain = self.dns.verify_arc(answers.asked(message)).await;
        match chain.result() {
            DkimResult::Pass => {
                let believed = chain.sets().iter().rev().take_while(|set| trusted(&set.seal.header.d));
                // A sealer that only passed the mail on saw the seals before his own.
                match believed.into_iter().any(|set| was_authentic(set.results.value, domain)) {
                    true => Seals::Vouch,
                    false => Seals::Nothing,
                }
            }
            result if is_unanswered(result) => Seals::Unanswered,
            _ => Seals::Nothing,
        }
    }
}

fn server(address: &SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    for connection in &mut server.connections {
        connection.port = address.port();
    }
    server
}

fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// Takes out the signatures that say nothing about the sender, and gives whether any of his domain was there.
fn keep_own_signatures(message: &mut AuthenticatedMessage<'_>, domain: &str) -> bool {
    let had_own = message.dkim_headers.iter().any(|found| is_aligned(&found.header.d, domain));
    message.dkim_headers.retain(|found| {
        let signature = &found.header;
        is_aligned(&signature.d, domain)
            && signature.a != Algorithm::RsaSha1
            && signature.h.len() <= SIGNED_FIELDS_MAX
            && signature.h.iter().any(|name| name.eq_ignore_ascii_case("from"))
    });
    message.dkim_headers.truncate(SIGNATURES_MAX);
    for found in &mut message.dkim_headers {
        // Nobody is asked about third parties, and no reports are sent.
        (found.header.atps, found.header.r) = (None, false);
    }
    had_own
}

/// The domain's policy, as far as anything is to be concluded from it.
fn published(found: &DmarcOutput) -> Policy {
    match (found.dmarc_record(), found.policy()) {
        (Some(_), dmarc::Policy::Quarantine | dmarc::Policy::Reject) => Policy::Distrust,
        (Some(_), _) => Policy::Monitor,
        (None, _) if matches!(found.result(), DmarcResult::TempError(_)) => Policy::Unanswered,
        (None, _) => Policy::Absent,
    }
}

/// Whether the answer may be another one when asked again.
fn is_unanswered(result: &DkimResult) -> bool {
    matches!(result, DkimResult::TempError(_) | DkimResult::PermError(Error::Dns(DnsError::Resolver(_))))
}

/// What was answered for one mail, and how much may still be asked. It stands where the crate takes a
/// cache, and so sees every question; the cache proper is the resolver's.
#[derive(Default)]
struct Answers {
    texts: Mutex<HashMap<Box<str>, Txt>>,
    asked: AtomicUsize,
    is_exhausted: AtomicBool,
}

type Asked<'a, P> = Parameters<'a, P, Answers, Answers, Answers, Answers, Answers>;

impl Answers {
    fn asked<P>(&self, params: P) -> Asked<'_, P> {
        Parameters {
            params,
            cache_txt: Some(self),
            cache_mx: Some(self),
            cache_ptr: Some(self),
            cache_ipv4: Some(self),
            cache_ipv6: Some(self),
        }
    }

    /// Counts a question. Whether it may not be asked any more.
    fn is_over(&self) -> bool {
        let is_over = self.asked.fetch_add(1, Ordering::Relaxed) >= LOOKUPS_MAX;
        self.is_exhausted.fetch_or(is_over, Ordering::Relaxed);
        is_over
    }

    /// Whether a signature holds by a key that is only tried out: it counts as if it were not there.
    fn is_tried_out(&self, found: &DkimOutput<'_>) -> bool {
        let Some(signature) = found.signature() else { return false };
        let texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let key = texts.get(signature.domain_key().to_lowercase().as_str());
        matches!(key, Some(Txt::DomainKey(key)) if key.f & KEY_FLAG_TESTING != 0)
    }
}

impl ResolverCache<Box<str>, Txt> for Answers {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let known = self.texts.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        let over = || Txt::Error(Error::Dns(DnsError::Resolver("too many questions".to_owned())));
        known.or_else(|| self.is_over().then(over))
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, name: Box<str>, answer: Txt, _: Instant) {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).insert(name, answer);
    }
}

/// Addresses and the like are only counted: one mail asks for each of them once.
macro_rules! counted {
    ($($key:ty => $value:ty),* $(,)?) => {$(
        impl ResolverCache<$key, RecordSet<$value>> for Answers {
            fn get<Q>(&self, _: &Q) -> Option<RecordSet<$value>>
            where
                $key: Borrow<Q>,
                Q: Hash + Eq + ?Sized,
            {
                let none: [$value; 0] = [];
                let nothing = || RecordSet { rrset: none.into(), dnssec_status: Default::default() };
                self.is_over().then(nothing)
            }

            fn remove<Q>(&self, _: &Q) -> Option<RecordSet<$value>>
            where
                $key: Borrow<Q>,
                Q: Hash + Eq + ?Sized,
            {
                None
            }

            fn insert(&self, _: $key, _: RecordSet<$value>, _: Instant) {}
        }
    )*};
}

counted! {
    Box<str> => MX,
    Box<str> => Ipv4Addr,
    Box<str> => Ipv6Addr,
    IpAddr => Box<str>,
}
