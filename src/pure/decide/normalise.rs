//! Incoming → Message: the only place where one is made.
//!
//! **Invariants:** whatever a channel read, a message holds no NUL and no other control character
//! but tab and newline, no text above its limit, no identity twice, and none of the desk's own as a
//! customer's. Its three times never lie after the arrival. Nothing here can fail.

use super::extract::{self, OwnWords, SEARCH_BYTES_MAX, scan::cut};
use super::{phrases, prints, queue, triage};
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::OnTicket;
use crate::pure::domain::id::MessageId;
use crate::pure::domain::identity::{Assurance, CONTRADICTED_SCOPE, EmailAddress, Identity, TEL};
use crate::pure::domain::message::{
    Attachment, Authentication, Auto, Content, Denied, Direction, FactValue, Incoming, Mark, MatterRole, Message,
    MessageFact, Place, RawEvent, ReferenceKind, Sender, SenderIdentity, What,
};
use crate::pure::domain::policy::Policy;
use crate::pure::domain::rule::Rule;
use crate::pure::wire::mail_parts::decode_addresses;
use crate::pure::wire::quote::{self, Parts};
use crate::pure::wire::subject;
use jiff::SignedDuration;
use sha2::{Digest, Sha256};

/// Text kept in the database. Bytes. The raw event keeps the rest.
pub const TEXT_BYTES_MAX: usize = 256 * 1024;
/// A longer subject is a body in the wrong place. Characters.
pub const SUBJECT_CHARS_MAX: usize = 1000;
/// A longer display name is an advertisement. Characters.
pub const NAME_CHARS_MAX: usize = 200;
/// File systems stop at 255; the name is for show only. Characters.
const FILE_NAME_CHARS_MAX: usize = 255;
/// An index row of Postgres ends at 2,704 bytes; vendors' ids are far shorter.
const KEY_BYTES_MAX: usize = 1000;
/// Identities of one person in one message (IDENTITY.md 4.3, rule 5).
const IDENTITIES_MAX: usize = 12;
/// References kept, the best first; a thread that long repeats its beginning.
const REFERENCES_MAX: usize = 64;
/// How long before the trusted time a mail may say that it was written (DESIGN 2).
const DATE_BEFORE_MAX: SignedDuration = SignedDuration::from_hours(48);
/// How far ahead a sender's clock may be before it is called doubtful. An hour forgives a wrong
/// summer time; the trusted time stands in either case.
const DATE_AHEAD_MAX: SignedDuration = SignedDuration::from_hours(1);
/// A time before this is no time but an unset clock (1970) or an empty field (0): no mail, chat or call
/// log in use is from before 1980.
const OLDEST: Timestamp = Timestamp::constant(315_532_800, 0);
/// Text in which "this is a new matter" is looked for. Bytes.
const PHRASES_BYTES_MAX: usize = 8 * 1024;

/// Makes the message of an item. `item` is its position in the delivery, `id` is allotted by the
/// shell.
pub fn normalise(event: &RawEvent, item: u32, incoming: Incoming, id: MessageId, policy: &Policy) -> Message {
    let mut incoming = known_queues(bounded(as_agents(incoming, policy), policy), policy);
    let times = times(event, &mut incoming);
    let Words { own: words, passed_on, quoted } = own_words(&incoming);
    let mut facts = extract::facts(&incoming, &words, policy);
    let denies = denies(&incoming, &words, policy);
    let customer = match incoming.direction {
        Direction::FromCustomer => &incoming.sender,
        Direction::FromAgent => &incoming.recipient,
    };
    let assurance = customer.identities.iter().map(|own| own.assurance).max().unwrap_or(Assurance::Asserted);
    let Says { new_matter, is_back, refers_back, nothing, not_mine } = says(&incoming, &words, &facts, policy);
    if not_mine {
        disown(&mut facts);
    }
    if policy.rules.heed(Rule::Swapped) {
        doubt_swapped(&mut facts);
    }
    let passages = if may_be_quoted(&incoming) { prints::prints(&words.own, prints::OWN_MAX) } else { Vec::new() };
    let own_text = if words.own.is_empty() { passed_on } else { words.own };
    // The subject of an answer is the thread's, whoever worded it.
    let subject = incoming.subject.as_deref().filter(|_| !is_answer(&incoming));
    let triage = triage::triage(&incoming, subject, &own_text, nothing, policy);
    let routes = match incoming.what {
        What::Message => queue::candidates(&incoming, &own_text, &triage, &event.channel, policy),
        _ => Vec::new(),
    };
    if denies_owner(&incoming, policy) {
        incoming.marks.push(Mark::NotOwner);
        // What the caller said of himself is as true as his number.
        facts.clear();
    }
    mark(&mut incoming);
    Message {
        id,
        raw_event: event.id,
        item,
        tenant: event.tenant.clone(),
        channel: event.channel.clone(),
        kind: event.kind.clone(),
        passages,
        quoted: if answers_quotation(&incoming) { prints::prints(&quoted, prints::QUOTED_MAX) } else { Vec::new() },
        own_text,
        occurred_at: times.occurred,
        trusted_at: times.trusted,
        received_at: event.received_at,
        assurance,
        facts,
        says_new_matter: new_matter,
        says_is_back: is_back,
        refers_back,
        says_nothing: nothing,
        denies,
        triage,
        routes,
        incoming,
    }
}

/// What an agent wrote in a tool of his, or mailed to an address that agents reply to: without what it quotes, and as its first line
/// says. What his mail program or the tool wrote by itself is for colleagues. (What comes by way of the API is taken as it is.)
fn as_agents(mut incoming: Incoming, policy: &Policy) -> Incoming {
    let Some(answer) = incoming.answer.as_ref() else { return incoming };
    let is_mailed = matches!(answer.on, OnTicket::Token(_));
    if !is_mailed && answer.given_in.is_none() {
        return incoming;
    }
    if is_mailed {
        incoming = proven_agents(incoming, policy);
    }
    let Some(answer) = incoming.answer.as_mut().filter(|_| incoming.what == What::Message) else { return incoming };
    // Two programs would answer each other for ever.
    if incoming.auto.is_some() {
        incoming.marks.retain(|mark| *mark != Mark::Internal);
        incoming.marks.extend([Mark::Internal, Mark::Automatic]);
        return incoming;
    }
    let (words, said) = said_in_reply(incoming.content.text());
    match said {
        Said::Answer { to } => answer.to = to.or(answer.to.take()),
        Said::Note => incoming.marks.push(Mark::Internal),
    }
    incoming.content = Content::Text(words);
    incoming
}

/// A mail to an address that agents reply to is an agent's answer if an agent wrote it: one of the desk's own, as our server or
/// lanka itself has proven, or out of its folder of sent mail. Anybody else's is a mail like any, and doubted: whoever has got hold
/// of such an address answers nobody.
fn proven_agents(mut incoming: Incoming, policy: &Policy) -> Incoming {
    let mut senders = incoming.sender.identities.iter().filter(|held| held.identity.scope.is_empty());
    let writes = senders.next().and_then(|held| EmailAddress::parse(&held.identity.value).ok());
    let is_agents = writes.as_ref().is_some_and(|address| policy.is_agent(address) || policy.is_own(address));
    let is_proven = matches!(incoming.authentication, Some(Authentication::Pass | Authentication::Aligned));
    let is_ours = incoming.direction == Direction::FromAgent || (is_agents && is_proven);
    if !is_ours {
        incoming.answer = None;
        if incoming.direction == Direction::FromCustomer {
            incoming.marks.push(Mark::Unverified);
        }
        return incoming;
    }
    incoming.direction = Direction::FromAgent;
    incoming.sender.identities.clear();
    incoming.recipient = Sender::default();
    incoming.references.clear();
    incoming.addressed.clear();
    incoming
}

/// What an agent means with his reply.
enum Said {
    /// To be carried; to whom, if he picked it.
    Answer { to: Option<String> },
    /// For colleagues.
    Note,
}

/// An agent's reply without what it quotes, and what its first line says of it: `/to mail` picks where it goes, `/note` keeps it
/// among colleagues.
fn said_in_reply(text: &str) -> (String, Said) {
    let Parts { own, signature, .. } = quote::split(text);
    // The sign-off stands between both.
    let end = (!signature.is_empty() && text.starts_with(&own)).then(|| text.find(&signature)).flatten();
    let whole = end.map_or(own.as_str(), |end| &text[..end + signature.len()]);
    let (first, rest) = whole.split_once('\n').unwrap_or((whole, ""));
    let first = first.trim();
    match first.split_once(' ') {
        Some(("/to", to)) => (rest.trim().to_owned(), Said::Answer { to: Some(to.trim().to_owned()) }),
        _ if first == "/note" => (rest.trim().to_owned(), Said::Note),
        _ => (whole.trim().to_owned(), Said::Answer { to: None }),
    }
}

/// Of queues into which a ticket is put those that there are: nobody looks into others.
fn known_queues(incoming: Incoming, policy: &Policy) -> Incoming {
    if incoming.what != What::Route {
        return incoming;
    }
    let known = policy.routing.queues();
    let named: Vec<&str> = incoming.content.text().lines().filter(|queue| known.contains(queue)).collect();
    let content = Content::Text(named.join("\n"));
    Incoming { content, ..incoming }
}

struct Times {
    occurred: Timestamp,
    trusted: Timestamp,
}

/// Event time and trusted time (DESIGN 2, Time).
fn times(event: &RawEvent, incoming: &mut Incoming) -> Times {
    let arrival = event.received_at;
    if incoming.occurred_at.take_if(|stated| *stated < OLDEST).is_some() {
        incoming.marks.push(Mark::DateDoubtful);
    }
    let vendor = incoming.occurred_at.filter(|_| incoming.occurred_trusted);
    let trusted = incoming.trusted_at.or(vendor).or(event.trusted_at).unwrap_or(arrival).min(arrival);
    let Some(stated) = incoming.occurred_at else { return Times { occurred: trusted, trusted } };
    let age = trusted.duration_since(stated);
    let ahead =
        stated.duration_since(arrival) > DATE_AHEAD_MAX || (!incoming.occurred_trusted && -age > DATE_AHEAD_MAX);
    let old = !incoming.occurred_trusted && age > DATE_BEFORE_MAX;
    if ahead || old {
        incoming.marks.push(Mark::DateDoubtful);
    }
    let believed = incoming.occurred_trusted || (!age.is_negative() && !old);
    Times { occurred: if believed { stated.min(arrival) } else { trusted }, trusted }
}

/// Texts cut and cleaned, identities each once, the desk's own taken out of the customer's.
fn bounded(mut incoming: Incoming, policy: &Policy) -> Incoming {
    let text = match &mut incoming.content {
        Content::Text(text) | Content::Call(_, text) => text,
    };
    clean(text);
    if text.len() > TEXT_BYTES_MAX {
        text.truncate(cut(text, TEXT_BYTES_MAX).len());
        incoming.marks.push(Mark::Truncated);
    }
    if let Some(own) = &mut incoming.own {
        clean(own);
        own.truncate(cut(own, TEXT_BYTES_MAX).len());
    }
    if let Content::Call(call, _) = &mut incoming.content {
        clean_line(&mut call.answered_by, NAME_CHARS_MAX);
        for leg in &mut call.legs {
            bound_key(&mut leg.key);
            clean_line(&mut leg.from, NAME_CHARS_MAX);
            clean_line(&mut leg.to, NAME_CHARS_MAX);
            clean_line(&mut leg.at, NAME_CHARS_MAX);
        }
    }
    if let Some(subject) = &mut incoming.subject {
        clean_line(subject, SUBJECT_CHARS_MAX);
    }
    for key in [&mut incoming.namespace, &mut incoming.source_key, &mut incoming.variant] {
        bound_key(key);
    }
    incoming.addressed.retain(|identity| !extract::is_own(identity, policy));
    incoming.addressed.truncate(IDENTITIES_MAX);
    incoming.written_to.truncate(IDENTITIES_MAX);
    incoming.references.truncate(REFERENCES_MAX);
    for reference in &mut incoming.references {
        bound_key(&mut reference.namespace);
        bound_key(&mut reference.key);
    }
    for Attachment { name, media_type, .. } in &mut incoming.attachments {
        if let Some(name) = name {
            *name = file_name(name);
        }
        name.take_if(|name| name.is_empty());
        clean_line(media_type, FILE_NAME_CHARS_MAX);
    }
    if let Some(on) = &mut incoming.on {
        bound_key(&mut on.source_key);
    }
    if let Some(number) = &mut incoming.ticket_ref {
        clean_line(number, SUBJECT_CHARS_MAX);
    }
    if policy.rules.heed(Rule::StaffForward) {
        hand_over(&mut incoming, policy);
    }
    speak_for_the_desk(&mut incoming, policy);
    if !policy.rules.heed(Rule::Denied) {
        overhear_denial(&mut incoming);
    }
    bound_sender(&mut incoming.sender);
    bound_sender(&mut incoming.recipient);
    // Nobody moves to where he is, nor to the desk's own address.
    let sender = &incoming.sender.identities;
    incoming
        .moved_to
        .retain(|to| !sender.iter().any(|from| from.identity == to.identity) && !extract::is_own(&to.identity, policy));
    incoming.moved_to.truncate(IDENTITIES_MAX);
    let customer = match incoming.direction {
        Direction::FromCustomer => &mut incoming.sender,
        Direction::FromAgent => &mut incoming.recipient,
    };
    without_ours(customer, policy);
    distrust_imitators(&mut incoming, policy);
    incoming
}

/// A customer's mail that one of us passes on to the desk is the customer's, on the word of the colleague, whom our
/// own server vouches for. Whoever else passes on a mail speaks for himself.
fn hand_over(incoming: &mut Incoming, policy: &Policy) {
    let is_vouched = matches!(incoming.authentication, Some(Authentication::Pass | Authentication::Aligned));
    let mut senders = incoming.sender.identities.iter();
    let is_ours = senders.any(|own| extract::is_own(&own.identity, policy)) && incoming.recipient == Sender::default();
    let passes_on = incoming.marks.contains(&Mark::Forwarded) && incoming.auto.is_none();
    let author = incoming.forwarded_from.as_deref().filter(|_| is_vouched && is_ours && passes_on);
    let Some(mailbox) = author.and_then(|author| decode_addresses(author.as_bytes(), None, 1).into_iter().next())
    else {
        return;
    };
    let Ok(address) = EmailAddress::parse(&mailbox.address) else { return };
    let identity = Identity::email(&address);
    if extract::is_own(&identity, policy) {
        return;
    }
    let name = Some(mailbox.name).filter(|name| !name.is_empty());
    let own = SenderIdentity { identity, assurance: Assurance::Plausible };
    incoming.sender = Sender { name, identities: vec![own], stated: Vec::new() };
    incoming.direction = Direction::FromCustomer;
    incoming.own = quote::below(incoming.content.text());
    incoming.marks.retain(|mark| *mark != Mark::Forwarded);
    incoming.forwarded_from = None;
}

/// What an agent writes to a customer from an address of his own, and the desk gets a copy of, is the desk's word,
/// where our own server vouches for him. What he writes to the desk alone is a colleague's.
fn speak_for_the_desk(incoming: &mut Incoming, policy: &Policy) {
    let is_vouched = matches!(incoming.authentication, Some(Authentication::Pass | Authentication::Aligned));
    let is_agents = incoming.sender.identities.iter().any(|own| extract::is_agents(&own.identity, policy));
    if incoming.direction != Direction::FromCustomer || !is_vouched || !is_agents {
        return;
    }
    let customer = incoming.addressed.iter().find(|identity| !extract::is_ours(identity, policy)).cloned();
    if let Some(identity) = customer {
        let identities = vec![SenderIdentity { identity, assurance: Assurance::Asserted }];
        incoming.direction = Direction::FromAgent;
        incoming.recipient = Sender { identities, ..Sender::default() };
    }
}

/// Whoever writes from a domain that is made to look like ours is not believed, whatever vouches for that
/// domain: it vouches for the wrong one.
fn distrust_imitators(incoming: &mut Incoming, policy: &Policy) {
    if incoming.direction != Direction::FromCustomer || !policy.rules.heed(Rule::ImitatedDesk) {
        return;
    }
    let mut is_imitator = false;
    for own in &mut incoming.sender.identities {
        if own.identity.mail_domain().is_some_and(|domain| policy.imitated(domain).is_some()) {
            own.assurance = own.assurance.min(Assurance::Asserted);
            is_imitator = true;
        }
    }
    if is_imitator {
        incoming.marks.push(Mark::Lookalike);
        incoming.authentication = match incoming.authentication {
            Some(Authentication::Pass | Authentication::Aligned) => Some(Authentication::None),
            other => other,
        };
    }
}

/// For measuring: a mail that its sender's domain denies counts as one that nobody vouches for.
fn overhear_denial(incoming: &mut Incoming) {
    for held in incoming.sender.identities.iter_mut().filter(|held| held.identity.scope == CONTRADICTED_SCOPE) {
        held.identity.scope.clear();
        held.assurance = Assurance::Asserted;
    }
    if incoming.authentication == Some(Authentication::Fail) {
        incoming.authentication = Some(Authentication::None);
    }
    incoming.marks.retain(|mark| *mark != Mark::Contradicted);
}

fn bound_sender(sender: &mut Sender) {
    if let Some(name) = &mut sender.name {
        clean_line(name, NAME_CHARS_MAX);
    }
    sender.name.take_if(|name| name.is_empty());
    // The strongest first; of equals the channel's order stands.
    sender.identities.sort_by_key(|own| std::cmp::Reverse(own.assurance));
    let mut kept: Vec<SenderIdentity> = Vec::with_capacity(sender.identities.len().min(IDENTITIES_MAX));
    for own in sender.identities.drain(..) {
        if kept.len() < IDENTITIES_MAX && !kept.iter().any(|other| other.identity == own.identity) {
            kept.push(own);
        }
    }
    sender.identities = kept;
    let mut stated = Vec::new();
    for identity in sender.stated.drain(..) {
        if stated.len() < IDENTITIES_MAX && !stated.contains(&identity) {
            stated.push(identity);
        }
    }
    sender.stated = stated;
}

/// A customer is never the desk. The name goes with the last identity: it is a colleague's.
fn without_ours(customer: &mut Sender, policy: &Policy) {
    let before = customer.identities.len();
    customer.identities.retain(|own| !extract::is_own(&own.identity, policy));
    if before > 0 && customer.identities.is_empty() {
        customer.name = None;
    }
}

/// Line ends as `\n`; no other control character but the tab (Postgres takes no NUL, terminals
/// obey the rest).
fn clean(text: &mut String) {
    let control = |b: u8| (b < 0x20 && b != b'\n' && b != b'\t') || b == 0x7f;
    if !text.bytes().any(control) {
        return;
    }
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    *text = lines.chars().filter(|c| !c.is_ascii() || !control(*c as u8)).collect();
}

/// One line of at most so many characters: control characters and line ends become blanks.
fn clean_line(text: &mut String, chars_max: usize) {
    let control = |c: char| {
        c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.contains(control) || text.starts_with(' ') || text.ends_with(' ') {
        *text = text.split(control).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    }
    if let Some((at, _)) = text.char_indices().nth(chars_max) {
        text.truncate(at);
    }
}

/// The name of a file, for show: no directories, none that means a directory itself.
fn file_name(stated: &str) -> String {
    let mut name = stated.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    clean_line(&mut name, FILE_NAME_CHARS_MAX);
    if name.bytes().all(|b| b == b'.') { String::new() } else { name }
}

/// A vendor's key without control characters; one too long for an index keeps its head and its
/// hash, here and in every reference to it alike.
fn bound_key(key: &mut String) {
    if key.contains(char::is_control) {
        key.retain(|c| !c.is_control());
    }
    if key.len() > KEY_BYTES_MAX {
        let hash = hex::encode(Sha256::digest(key.as_bytes()));
        key.truncate(cut(key, KEY_BYTES_MAX - hash.len() - 1).len());
        key.push('#');
        key.push_str(&hash);
    }
}

/// The namespace that all mail channels share; quotes are a habit of mail.
const MAIL: &str = "mail";

struct Words {
    own: OwnWords,
    /// What to show where there are no own words: what a person passes on is not empty, but it is no word of his.
    passed_on: String,
    /// What the person answers, as far as it is quoted.
    quoted: String,
}

fn own_words(incoming: &Incoming) -> Words {
    let text = incoming.own.as_deref().unwrap_or_else(|| incoming.content.text());
    let text = &*extract::without_cards(text);
    let Parts { own, signature, passed_on, quoted, .. } = match incoming.namespace == MAIL {
        true => quote::split(text),
        false => Parts { own: text.to_owned(), ..Parts::default() },
    };
    if incoming.direction == Direction::FromAgent
        || !matches!(incoming.what, What::Message | What::Edit)
        || incoming.auto.is_some()
        || own.len() > SEARCH_BYTES_MAX
    {
        return Words { own: OwnWords { own, signature, signed: None }, passed_on, quoted };
    }
    Words { own: extract::own_words(&own, &signature, &extract::hints(&incoming.sender)), passed_on, quoted }
}

/// Whether what the message quotes is what it answers: who passes a mail on brings somebody else's matter, and his
/// words may stand on any ticket.
fn answers_quotation(incoming: &Incoming) -> bool {
    !incoming.marks.contains(&Mark::Forwarded)
}

/// Whether people answer such a message under a quotation of it: a person's mail.
fn may_be_quoted(incoming: &Incoming) -> bool {
    incoming.namespace == MAIL && matches!(incoming.auto, None | Some(Auto::List))
}

/// What the words say of the matter.
#[derive(Default)]
struct Says {
    new_matter: bool,
    is_back: bool,
    refers_back: bool,
    nothing: bool,
    not_mine: bool,
}

/// Numbers that came to somebody by mistake prove nothing of him.
fn disown(facts: &mut [MessageFact]) {
    for fact in facts {
        if let FactValue::Number { role: role @ MatterRole::Secret, .. } = &mut fact.value {
            *role = MatterRole::Public;
        }
    }
}

/// Who names a number and the same one with two digits swapped tells two matters apart, one of which is not his.
fn doubt_swapped(facts: &mut [MessageFact]) {
    let secret = |fact: &MessageFact| match &fact.value {
        FactValue::Number { matter, role: MatterRole::Secret, value } => Some((matter.clone(), value.clone())),
        _ => None,
    };
    let named: Vec<(String, String)> = facts.iter().filter_map(secret).collect();
    for fact in facts {
        if let FactValue::Number { matter, role, value } = &mut fact.value
            && named.iter().any(|(kind, other)| kind == matter && are_swapped(value, other))
        {
            *role = MatterRole::Public;
        }
    }
}

/// Whether two digits that stand side by side have changed places.
fn are_swapped(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let differs: Vec<usize> = (0..one.len().min(other.len())).filter(|at| one[*at] != other[*at]).collect();
    match differs[..] {
        [a, b] => {
            let are_digits = one[a].is_ascii_digit() && one[b].is_ascii_digit();
            one.len() == other.len() && b == a + 1 && one[a] == other[b] && one[b] == other[a] && are_digits
        }
        _ => false,
    }
}

/// Whether the text announces a new matter or the return of an old one, and whether it says nothing at all.
fn says(incoming: &Incoming, words: &OwnWords, facts: &[MessageFact], policy: &Policy) -> Says {
    if !matches!(incoming.what, What::Message | What::Edit) || incoming.auto.is_some() {
        return Says::default();
    }
    let own = phrases::flatten(&words.own, PHRASES_BYTES_MAX);
    let new_matter = policy.new_matter.is_said_in(&own);
    // "40012345 is back": beside the number of the matter a word is enough, and so it is in an answer.
    let names_matter = facts.iter().any(|fact| {
        matches!(fact.place, Place::Body | Place::Subject)
            && matches!(fact.value, FactValue::Number { role: MatterRole::Secret, .. })
    });
    let says_again = || policy.again.is_said_in(&phrases::without_greetings(&own));
    let is_back = policy.is_back.is_said_in(&own) || ((names_matter || points_back(incoming)) && says_again());
    let refers_back = policy.said_before.is_said_in(&own);
    // A number or address that was said is something; a form's fields, a signature and the subject
    // of the thread are not.
    let places: &[Place] = if is_answer(incoming) { &[Place::Body] } else { &[Place::Body, Place::Subject] };
    let stated = |fact: &MessageFact| {
        !matches!(fact.value, FactValue::Name(_) | FactValue::Company(_)) && places.contains(&fact.place)
    };
    let nothing = matches!(incoming.content, Content::Text(_))
        && !facts.iter().any(stated)
        && !new_matter
        && !is_back
        && phrases::says_nothing(&own)
        && subject_says_nothing(incoming)
        && shows_nothing(&incoming.attachments);
    let not_mine = incoming.direction == Direction::FromCustomer
        && policy.rules.heed(Rule::Disowned)
        && policy.not_mine.is_in(&own);
    Says { new_matter, is_back, refers_back, nothing, not_mine }
}

/// Whether an agent notes that a caller was not the owner of the number that it showed.
fn denies_owner(incoming: &Incoming, policy: &Policy) -> bool {
    incoming.marks.contains(&Mark::Internal)
        && incoming.auto.is_none()
        && policy.rules.heed(Rule::NotOwner)
        && policy.not_owner.is_in(&phrases::flatten(incoming.content.text(), PHRASES_BYTES_MAX))
}

/// What the writer says that he did not use; in a note, what whom it is of did not.
fn denies(incoming: &Incoming, words: &OwnWords, policy: &Policy) -> Vec<Denied> {
    let is_note = incoming.marks.contains(&Mark::Internal);
    let is_said = incoming.direction == Direction::FromCustomer
        && matches!(incoming.what, What::Message | What::Edit)
        && incoming.auto.is_none();
    if !(is_note || is_said) || !policy.rules.heed(Rule::NotThere) {
        return Vec::new();
    }
    let subject = incoming.subject.as_deref().filter(|_| !points_back(incoming)).unwrap_or_default();
    let flat = phrases::flatten(&format!("{subject}\n{}", words.own), PHRASES_BYTES_MAX);
    let schemes = |schemes: &[&str]| schemes.iter().map(|scheme| (*scheme).to_owned()).collect();
    let kinds = policy.not_there.kinds(&flat).map(|kind| Denied::Accounts(schemes(kind)));
    let is_rest = policy.not_me.is_in(&flat) || (is_note && policy.not_there.denies_rest(&flat));
    let is_number = policy.same_number.is_in(&flat);
    kinds.chain(is_number.then_some(Denied::Number)).chain(is_rest.then_some(Denied::Rest)).collect()
}

/// Whether it answers or quotes a message.
fn points_back(incoming: &Incoming) -> bool {
    incoming.references.iter().any(|reference| reference.kind == ReferenceKind::Reply)
}

/// Whether the subject is the thread's ("Re: …") and not the writer's own.
fn is_answer(incoming: &Incoming) -> bool {
    incoming.subject.as_deref().is_some_and(|written| subject::read(written).is_answer)
}

fn subject_says_nothing(incoming: &Incoming) -> bool {
    let subject = incoming.subject.as_deref().unwrap_or("");
    is_answer(incoming) || phrases::says_nothing(&phrases::flatten(subject, SUBJECT_CHARS_MAX))
}

/// A picture alone says nothing that can be read; a document, a recording or a film may.
fn shows_nothing(attachments: &[Attachment]) -> bool {
    attachments.iter().all(|attachment| attachment.inline || attachment.media_type.starts_with("image/"))
}

/// Adds what an agent must know; each mark once, in order.
fn mark(incoming: &mut Incoming) {
    if incoming.direction == Direction::FromCustomer {
        if incoming.authentication == Some(Authentication::Fail) {
            incoming.marks.push(Mark::Contradicted);
        } else if is_spoofable(incoming) {
            incoming.marks.push(Mark::Unverified);
        }
    }
    incoming.marks.sort();
    incoming.marks.dedup();
}

/// Whether the sender could have been forged: a From or a visitor's id that nothing vouches for, any caller id.
fn is_spoofable(incoming: &Incoming) -> bool {
    let identities = &incoming.sender.identities;
    if incoming.authentication == Some(Authentication::Pass)
        || identities.iter().any(|own| own.assurance >= Assurance::Proven)
    {
        return false;
    }
    identities.iter().any(|own| match own.identity.scheme.as_str() {
        TEL => own.assurance <= Assurance::Plausible,
        _ => own.assurance <= Assurance::Asserted,
    })
}
