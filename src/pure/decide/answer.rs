//! Where an answer goes (DESIGN 6).
//!
//! To the channel and address of the last message at verified assurance by somebody who takes part. What a stranger can
//! bring about (a Reply-To, a mail in a false name, an address that is only mentioned) is never among what is looked at
//! here: messages alone are, each with the address that it came from.
//!
//! **Invariants:** an answer goes to no other address because the first takes none: that is the agent's to pick. Who
//! is contradicted by his own domain is never answered, not even picked.

use super::lookup::{Keyer, lookup};
use super::template;
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::{AddressView, AnswerView, Heard, Obstacle, Route, Template, Way};
use crate::pure::domain::facts::Lookup;
use crate::pure::domain::id::{MessageId, TicketId};
use crate::pure::domain::identity::{Assurance, CONTRADICTED_SCOPE};
use crate::pure::domain::message::{Content, Incoming, Mark, Message, On, Sender, SenderIdentity, What};
use crate::pure::domain::ticket::TicketState;
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};

/// The least time: what is told at once comes in an order by it.
const INSTANT: SignedDuration = SignedDuration::from_micros(1);

/// Addresses that are offered beside the first.
const OFFERED_MAX: usize = 8;

/// A ticket on which agents do something.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Which.
    pub ticket: TicketId,
    /// What it is called.
    pub title: String,
    /// The last message on it, whoever said it.
    pub latest: Option<MessageId>,
    /// What those who take part have said, here and elsewhere.
    pub heard: Vec<Heard>,
    /// Whether it is open.
    pub state: TicketState,
    /// Whether it waits for the customer.
    pub is_awaited: bool,
    /// The queue that it is in.
    pub queue: Option<String>,
    /// Mirrors that are yet to hear of something by which they would open it or close it themselves.
    pub behind: BTreeSet<String>,
    /// What it was named by is the thread of a ticket that was joined into it: to close that, or to take it, says nothing of
    /// this one.
    pub is_of_joined: bool,
}

/// Tells what an agent did on a ticket which message it is on. An answer is told where it goes: then it is a message of that
/// channel, towards whoever is there; a closing of the ticket, or its opening again, is one of each of its conversations, and who
/// has it is told on the last that was said. `desk` is the ticket, if there is one.
pub fn bind(
    mut message: Message,
    keys: Lookup,
    desk: Option<&Desk>,
    ways: &dyn Fn(&str) -> Option<Way>,
    keyer: &Keyer,
) -> Vec<(Message, Lookup)> {
    let is_in_tool = message.incoming.answer.as_ref().is_some_and(|answer| answer.given_in.is_some());
    let desk_itself = desk.filter(|desk| !desk.is_of_joined && !is_echo(&message.incoming, desk));
    match message.incoming.what {
        What::Close | What::Reopen => of_each(&message, desk_itself, keyer),
        What::Await => {
            let Some(desk) = desk_itself else { return Vec::new() };
            let is_closed = is_in_tool && desk.state == TicketState::Closed;
            let opens = is_closed.then(|| of_each(&told(&message, What::Reopen, "reopen"), Some(desk), keyer));
            // To be opened again ends what was waited for before.
            let at = message.occurred_at;
            message.occurred_at = if is_closed { at.saturating_add(INSTANT).unwrap_or(at) } else { at };
            let waits = of_latest(message, desk, keyer);
            opens.into_iter().flatten().chain(waits).collect()
        }
        What::Route => {
            let queues: Vec<&str> = message.incoming.content.text().lines().collect();
            let is_there = |desk: &Desk| desk.queue.as_deref().is_some_and(|queue| queues.contains(&queue));
            let (desk, queue) = (desk_itself.filter(|desk| !is_there(desk)), queues.first().copied());
            let queue = queue.unwrap_or_default().to_owned();
            message.incoming.content = Content::Text(queue);
            desk.into_iter().flat_map(|desk| of_latest(message.clone(), desk, keyer)).collect()
        }
        What::Assign | What::Resume => {
            desk_itself.into_iter().flat_map(|desk| of_latest(message.clone(), desk, keyer)).collect()
        }
        _ => {
            let keys = bind_one(&mut message, keys, desk, ways, keyer);
            vec![(message, keys)]
        }
    }
}

/// How a ticket stands after what was done with it there, for what comes behind that.
pub fn follow(desk: &mut Desk, acts: &[(Message, Lookup)]) {
    for (act, _) in acts {
        match act.incoming.what {
            What::Await => desk.is_awaited = true,
            What::Close | What::Reopen | What::Resume => desk.is_awaited = false,
            What::Route => desk.queue = Some(act.incoming.content.text().to_owned()),
            _ => {}
        }
    }
}

/// Something that is done with a ticket is on the last that was said there.
fn of_latest(mut message: Message, desk: &Desk, keyer: &Keyer) -> Vec<(Message, Lookup)> {
    let Some(latest) = desk.latest else { return Vec::new() };
    message.incoming.on = Some(on_message(latest));
    let keys = lookup(&message, keyer);
    vec![(message, keys)]
}

/// The same, where what a tool says is something else.
fn told(message: &Message, what: What, variant: &str) -> Message {
    let mut told = message.clone();
    (told.incoming.what, told.incoming.variant) = (what, variant.to_owned());
    told
}

/// Whether a tool may only show what lanka brought about: it says that a ticket is open which is, or says anything before it has
/// heard what opens or closes it there.
fn is_echo(incoming: &Incoming, desk: &Desk) -> bool {
    let Some(answer) = incoming.answer.as_ref().filter(|answer| answer.may_echo) else { return false };
    let is_behind = answer.given_in.as_ref().is_some_and(|given_in| desk.behind.contains(&given_in.mirror));
    is_behind
        || match incoming.what {
            What::Reopen => desk.state == TicketState::Open && !desk.is_awaited,
            What::Await => desk.state == TicketState::Open && desk.is_awaited,
            What::Resume => !desk.is_awaited,
            _ => false,
        }
}

/// A closing, or opening, of each conversation on a ticket.
fn of_each(message: &Message, desk: Option<&Desk>, keyer: &Keyer) -> Vec<(Message, Lookup)> {
    let heard = desk.map(|desk| latest(&desk.heard)).unwrap_or_default();
    let mut last: BTreeMap<&str, MessageId> = BTreeMap::new();
    for heard in heard.into_iter().filter(|heard| heard.is_here) {
        last.entry(&heard.channel).or_insert(heard.message);
    }
    let act = |(channel, on): (&str, MessageId)| {
        let mut message = message.clone();
        message.incoming.variant = format!("{}:{channel}", message.incoming.variant);
        message.incoming.on = Some(on_message(on));
        let keys = lookup(&message, keyer);
        (message, keys)
    };
    last.into_iter().map(act).collect()
}

/// That something is on a message that is stored.
pub(super) fn on_message(on: MessageId) -> On {
    On { channel: String::new(), source_key: String::new(), is_answered_there: false, message: Some(on) }
}

fn bind_one(
    message: &mut Message,
    keys: Lookup,
    desk: Option<&Desk>,
    ways: &dyn Fn(&str) -> Option<Way>,
    keyer: &Keyer,
) -> Lookup {
    let is_answer = !message.incoming.marks.contains(&Mark::Internal);
    let Some(answer) = &mut message.incoming.answer else { return keys };
    let wanted = Wanted {
        picked: answer.to.as_deref(),
        text: message.incoming.content.text(),
        has_files: !message.incoming.attachments.is_empty(),
    };
    let routed = desk.ok_or(Obstacle::TicketUnknown);
    let routed = routed.and_then(|desk| route(&desk.heard, wanted, ways, message.received_at));
    let answered = routed.as_ref().ok().map(|route| route.answers);
    let on = desk.and_then(|desk| {
        let here = latest(&desk.heard).into_iter().filter(|heard| heard.is_here);
        let first = here.clone().find(|heard| Some(heard.message) == answered);
        first.or(here.clone().next()).map(|heard| heard.message).or(desk.latest)
    });
    answer.route = is_answer.then(|| routed.clone());
    message.incoming.on = on.map(on_message);
    let (Ok(route), Some(desk), true) = (routed, desk, is_answer) else { return keys };
    let heard = desk.heard.iter().find(|heard| heard.message == route.answers);
    let key = keyer.answer(&message.channel, &message.incoming.source_key);
    let domain = ways(&route.channel).and_then(|way| way.id_domain).map(|domain| format!("@{domain}"));
    message.incoming.source_key = format!("{KEY_PREFIX}{}{}", key.0.simple(), domain.unwrap_or_default());
    if let Some(heard) = heard {
        message.incoming.namespace.clone_from(&heard.namespace);
    }
    // What the customer reads is what was said.
    if let Some(template) = &route.template {
        message.own_text.clone_from(&template.text);
        message.incoming.content = Content::Text(template.text.clone());
    }
    let identity = SenderIdentity { identity: route.address, assurance: Assurance::Asserted };
    message.incoming.recipient = Sender { identities: vec![identity], ..Sender::default() };
    (message.channel, message.kind) = (route.channel, route.kind);
    // However the answer is called there: what guards against a second delivery is the tool's id of it.
    let Lookup { seen_scope, seen_key, .. } = keys;
    Lookup { seen_scope, seen_key, ..lookup(message, keyer) }
}

/// Begins the ids of answers.
pub const KEY_PREFIX: &str = crate::pure::wire::mail_answer::TOKEN;

/// What an agent wants to be sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// The address or channel that he picked.
    pub picked: Option<&'a str>,
    /// What he wrote.
    pub text: &'a str,
    /// Files are to go along.
    pub has_files: bool,
}

/// Where an answer goes, and as which template if it asks for one. `heard` are the messages of those who take part, in any order; `ways` tells of a configured channel
/// how it can be answered, `None` where it cannot.
pub fn route(
    heard: &[Heard],
    wanted: Wanted<'_>,
    ways: &dyn Fn(&str) -> Option<Way>,
    now: Timestamp,
) -> Result<Route, Obstacle> {
    let asked = template::asked(wanted.text);
    let route = chosen(heard, wanted.picked, asked.is_some(), ways, now)?;
    let template = match &asked {
        Some(_) if wanted.has_files => return Err(Obstacle::TemplateFiles),
        Some(asked) => {
            let way = ways(&route.channel).ok_or(Obstacle::ChannelMute)?;
            Some(template::fill(asked, &way.templates)?)
        }
        None => None,
    };
    Ok(Route { template, ..route })
}

/// Whom an answer goes to.
fn chosen(
    heard: &[Heard],
    picked: Option<&str>,
    is_template: bool,
    ways: &dyn Fn(&str) -> Option<Way>,
    now: Timestamp,
) -> Result<Route, Obstacle> {
    let latest = latest(heard);
    let way = |heard: &Heard| way(heard, is_template, ways, now);
    match picked.map(str::trim).filter(|picked| !picked.is_empty()) {
        Some(picked) => {
            let mut found = latest.iter().filter(|heard| is_picked(heard, picked) && !is_denied(heard)).peekable();
            let first = found.peek().copied().ok_or(Obstacle::PickUnknown)?;
            let open = found.find(|heard| way(heard).is_ok());
            let heard = open.unwrap_or(first);
            way(heard).map(|until| route_to(heard, until))
        }
        None => {
            let here = || latest.iter().filter(|heard| heard.is_here);
            if here().next().is_none() {
                return Err(Obstacle::Nobody);
            }
            if let Some(heard) = here().find(|heard| is_vouched_for(heard, ways)) {
                if is_looping(heard, ways) {
                    return Err(Obstacle::MailLoop);
                }
                return way(heard).map(|until| route_to(heard, until));
            }
            let all_calls = here().all(|heard| heard.is_call);
            Err(if all_calls { Obstacle::CallBack } else { Obstacle::Unverified })
        }
    }
}

/// Where an answer would go now, and what can be picked instead.
pub fn view(heard: &[Heard], ways: &dyn Fn(&str) -> Option<Way>, now: Timestamp) -> AnswerView {
    let chosen = route(heard, Wanted::default(), ways, now);
    let taken = chosen.as_ref().ok().map(|route| (route.channel.clone(), route.address.clone()));
    let mut seen = BTreeSet::new();
    let mut others = Vec::new();
    for heard in latest(heard) {
        let Ok(until) = way(heard, false, ways, now) else { continue };
        let is_first =
            taken.as_ref().is_some_and(|(channel, address)| (channel, address) == (&heard.channel, &heard.address));
        let is_new = seen.insert((&heard.channel, &heard.address));
        if !heard.is_call && !is_first && !is_denied(heard) && is_new && others.len() < OFFERED_MAX {
            others.push(AddressView::from(&route_to(heard, until)));
        }
    }
    let obstacle = chosen.as_ref().err().copied();
    let templates = match obstacle {
        Some(Obstacle::WindowClosed) => templates(heard, ways),
        _ => Vec::new(),
    };
    let says = obstacle.map(|obstacle| match templates.is_empty() {
        true => obstacle.says(),
        false => Obstacle::SAYS_OF_TEMPLATES,
    });
    AnswerView { to: chosen.as_ref().ok().map(AddressView::from), obstacle, says, templates, others }
}

/// The templates of the channel that answers go to.
fn templates(heard: &[Heard], ways: &dyn Fn(&str) -> Option<Way>) -> Vec<Template> {
    let vouched = latest(heard).into_iter().filter(|heard| heard.is_here).find(|heard| is_vouched_for(heard, ways));
    let way = vouched.and_then(|heard| ways(&heard.channel));
    way.map(|way| way.templates.to_vec()).unwrap_or_default()
}

/// The latest first, those of the ticket before those of others.
fn latest(heard: &[Heard]) -> Vec<&Heard> {
    let mut latest: Vec<&Heard> = heard.iter().collect();
    latest.sort_by_key(|heard| std::cmp::Reverse((heard.is_here, heard.at, heard.message)));
    latest
}

fn is_denied(heard: &Heard) -> bool {
    heard.assurance == Assurance::Contradicted || heard.address.scope == CONTRADICTED_SCOPE
}

/// Whether an answer may go to where a message came from without anybody's word.
fn is_vouched_for(heard: &Heard, ways: &dyn Fn(&str) -> Option<Way>) -> bool {
    let is_session = || ways(&heard.channel).is_some_and(|way| way.is_session);
    !heard.is_call && !is_denied(heard) && ((heard.assurance >= Assurance::Proven && !heard.is_doubted) || is_session())
}

/// Whether programs have answered there so often of late that an answer would only bring the next.
fn is_looping(heard: &Heard, ways: &dyn Fn(&str) -> Option<Way>) -> bool {
    let max = ways(&heard.channel).and_then(|way| way.automatic_max);
    max.is_some_and(|max| heard.automatic >= max)
}

/// Until when the channel of a message takes an answer. A template is taken at any time.
fn way(
    heard: &Heard,
    is_template: bool,
    ways: &dyn Fn(&str) -> Option<Way>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Obstacle> {
    let way = ways(&heard.channel).ok_or(if heard.is_call { Obstacle::CallBack } else { Obstacle::ChannelMute })?;
    let until = way.window.map(|window| heard.at.saturating_add(window).unwrap_or(Timestamp::MAX));
    match until {
        Some(until) if until <= now && is_template && !way.templates.is_empty() => Ok(None),
        Some(until) if until <= now => Err(Obstacle::WindowClosed),
        until => Ok(until),
    }
}

/// Whether an agent who writes `picked` means the address or channel of a message.
fn is_picked(heard: &Heard, picked: &str) -> bool {
    let is = |text: &str| text.eq_ignore_ascii_case(picked);
    is(&heard.address.written()) || is(&heard.address.value) || is(&heard.channel) || is(&heard.identity.to_string())
}

fn route_to(heard: &Heard, until: Option<Timestamp>) -> Route {
    Route {
        channel: heard.channel.clone(),
        kind: heard.kind.clone(),
        identity: heard.identity,
        address: heard.address.clone(),
        answers: heard.message,
        until,
        template: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::id::{ContactId, IdentityId, MessageId};
    use crate::pure::domain::identity::Identity;
    use std::sync::Arc;
    use std::time::Duration;
    use uuid::Uuid;

    const HOUR: i64 = 3600;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_772_500_000 + hours * HOUR).unwrap()
    }

    /// `channel address assurance hour` and words: `call`, `doubted`, `elsewhere`, `automatic=N`.
    fn heard(n: u128, line: &str) -> Heard {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [channel, address, assurance, hour, flags @ ..] = &words[..] else { panic!("{line}") };
        let (scheme, value) = address.split_once(':').unwrap();
        let scope = if *assurance == "contradicted" { CONTRADICTED_SCOPE } else { "" };
        Heard {
            message: MessageId(Uuid::from_u128(n)),
            channel: (*channel).to_owned(),
            kind: (*channel).to_owned(),
            namespace: (*channel).to_owned(),
            contact: ContactId(Uuid::from_u128(1)),
            identity: IdentityId(Uuid::from_u128(n + 100)),
            address: Identity { scheme: scheme.to_owned(), scope: scope.to_owned(), value: value.to_owned() },
            assurance: match *assurance {
                "contradicted" => Assurance::Contradicted,
                "asserted" => Assurance::Asserted,
                "plausible" => Assurance::Plausible,
                "proven" => Assurance::Proven,
                "verified" => Assurance::Verified,
                other => panic!("{other}"),
            },
            automatic: flags
                .iter()
                .find_map(|flag| flag.strip_prefix("automatic="))
                .map_or(0, |count| count.parse().unwrap()),
            is_doubted: flags.contains(&"doubted"),
            is_call: flags.contains(&"call"),
            is_here: !flags.contains(&"elsewhere"),
            at: at(hour.parse().unwrap()),
        }
    }

    fn ways(channel: &str) -> Option<Way> {
        let day = Some(Duration::from_secs(24 * 3600));
        let of_platform =
            Way { window: day, is_session: false, id_domain: None, automatic_max: None, templates: Arc::default() };
        match channel {
            "mail" => {
                let id_domain = Some("desk.example".to_owned());
                Some(Way {
                    window: None,
                    is_session: false,
                    id_domain,
                    automatic_max: Some(5),
                    templates: Arc::default(),
                })
            }
            "chat" => Some(Way { window: None, is_session: true, ..of_platform }),
            "facebook" => Some(of_platform),
            "whatsapp" => {
                let (name, language) = ("valmis".to_owned(), "fi".to_owned());
                let template = Template { name, language, text: "Hei {{1}}, asiasi on valmis.".to_owned() };
                Some(Way { templates: Arc::from([template]), ..of_platform })
            }
            _ => None,
        }
    }

    /// It is hour 100 in all of them.
    #[test]
    fn answers_go_to_the_last_who_is_vouched_for() {
        let facebook = "facebook messenger:p1 verified 99";
        let mail = "mail mailto:minna@posti.example verified 90";
        type Row<'a> = (&'a str, &'a [&'a str], Option<&'a str>, Result<&'a str, Obstacle>);
        let table: &[Row<'_>] = &[
            ("the last of two channels", &[mail, facebook], None, Ok("messenger:p1")),
            ("the order they are given in means nothing", &[facebook, mail], None, Ok("messenger:p1")),
            (
                "the agent picks the other",
                &[mail, facebook],
                Some("mailto:minna@posti.example"),
                Ok("mailto:minna@posti.example"),
            ),
            ("as he writes it", &[mail, facebook], Some(" Minna@posti.example "), Ok("mailto:minna@posti.example")),
            ("by the channel's name", &[mail, facebook], Some("mail"), Ok("mailto:minna@posti.example")),
            ("an address nobody there has", &[mail], Some("mailto:eve@posti.example"), Err(Obstacle::PickUnknown)),
            (
                "a later mail without proof",
                &[mail, "mail mailto:x@posti.example asserted 99 doubted"],
                None,
                Ok("mailto:minna@posti.example"),
            ),
            ("nothing but that", &["mail mailto:x@posti.example asserted 99 doubted"], None, Err(Obstacle::Unverified)),
            (
                "which the agent takes upon himself",
                &["mail mailto:x@posti.example asserted 99 doubted"],
                Some("mail"),
                Ok("mailto:x@posti.example"),
            ),
            (
                "who is denied by his domain is not to be picked",
                &["mail mailto:x@posti.example contradicted 99"],
                Some("mail"),
                Err(Obstacle::PickUnknown),
            ),
            (
                "who has answered what we sent",
                &["mail mailto:x@posti.example proven 99"],
                None,
                Ok("mailto:x@posti.example"),
            ),
            (
                "proven once, doubted now",
                &["mail mailto:x@posti.example proven 99 doubted"],
                None,
                Err(Obstacle::Unverified),
            ),
            ("a chat goes to whoever sits there", &["chat webchat:v1 plausible 99 doubted"], None, Ok("webchat:v1")),
            (
                "a day has passed, and he is not sent a mail unasked",
                &["facebook messenger:p1 verified 75", "mail mailto:minna@posti.example verified 70"],
                None,
                Err(Obstacle::WindowClosed),
            ),
            (
                "the agent may",
                &["facebook messenger:p1 verified 75", "mail mailto:minna@posti.example verified 70"],
                Some("mail"),
                Ok("mailto:minna@posti.example"),
            ),
            ("on the minute it is over", &["facebook messenger:p1 verified 76"], None, Err(Obstacle::WindowClosed)),
            ("an hour before it is not", &["facebook messenger:p1 verified 77"], None, Ok("messenger:p1")),
            ("calls alone", &["phone tel:+358401234567 plausible 99 call"], None, Err(Obstacle::CallBack)),
            (
                "a call after a mail",
                &[mail, "phone tel:+358401234567 plausible 99 call"],
                None,
                Ok("mailto:minna@posti.example"),
            ),
            (
                "a call and a doubtful mail",
                &["mail mailto:x@posti.example asserted 98 doubted", "phone tel:+358401234567 plausible 99 call"],
                None,
                Err(Obstacle::Unverified),
            ),
            (
                "a caller is picked by telephone",
                &["phone tel:+358401234567 plausible 99 call"],
                Some("phone"),
                Err(Obstacle::CallBack),
            ),
            ("a channel that cannot send", &["instagram instagram:i1 verified 99"], None, Err(Obstacle::ChannelMute)),
            (
                "a mail on another ticket is not taken",
                &["mail mailto:minna@posti.example verified 99 elsewhere"],
                None,
                Err(Obstacle::Nobody),
            ),
            (
                "unless it is picked",
                &[facebook, "mail mailto:minna@posti.example verified 9 elsewhere"],
                Some("mail"),
                Ok("mailto:minna@posti.example"),
            ),
            (
                "programs answer, but not too often",
                &["mail mailto:x@posti.example verified 99 automatic=4"],
                None,
                Ok("mailto:x@posti.example"),
            ),
            (
                "programs answer each other, and no other address is taken instead",
                &[facebook, "mail mailto:x@posti.example verified 99 automatic=5"],
                None,
                Err(Obstacle::MailLoop),
            ),
            (
                "which the agent takes upon himself too",
                &["mail mailto:x@posti.example verified 99 automatic=500"],
                Some("mail"),
                Ok("mailto:x@posti.example"),
            ),
            (
                "platforms have no such loops",
                &["facebook messenger:p1 verified 99 automatic=500"],
                None,
                Ok("messenger:p1"),
            ),
            ("nothing at all", &[], None, Err(Obstacle::Nobody)),
        ];
        for (name, lines, picked, expected) in table {
            let heard: Vec<Heard> = lines.iter().zip(1..).map(|(line, n)| heard(n, line)).collect();
            let wanted = Wanted { picked: *picked, text: "Hei.", has_files: false };
            let routed = route(&heard, wanted, &ways, at(100)).map(|route| route.address.written());
            assert_eq!(routed, expected.map(str::to_owned), "{name}");
        }
    }

    /// It is hour 100 in all of them.
    #[test]
    fn templates_go_where_answers_go_at_any_time() {
        let (open, closed) = ("whatsapp tel:+358401234567 verified 99", "whatsapp tel:+358401234567 verified 1");
        let facebook = "facebook messenger:p1 verified 1";
        let asked = "/template valmis\nMinna";
        type Row<'a> = (&'a str, &'a [&'a str], &'a str, bool, Option<&'a str>, Result<Option<&'a str>, Obstacle>);
        let table: &[Row<'_>] = &[
            ("outside the window", &[closed], asked, false, None, Ok(Some("Hei Minna, asiasi on valmis."))),
            ("inside it", &[open], asked, false, None, Ok(Some("Hei Minna, asiasi on valmis."))),
            ("words inside it", &[open], "Hei.", false, None, Ok(None)),
            ("words outside it", &[closed], "Hei.", false, None, Err(Obstacle::WindowClosed)),
            ("one that is not there", &[closed], "/template muu", false, None, Err(Obstacle::TemplateUnknown)),
            ("not filled in", &[closed], "/template valmis", false, None, Err(Obstacle::TemplateParameters)),
            ("with files", &[open], asked, true, None, Err(Obstacle::TemplateFiles)),
            (
                "a channel without them",
                &["mail mailto:x@posti.example verified 99"],
                asked,
                false,
                None,
                Err(Obstacle::TemplateNone),
            ),
            ("the same, closed", &[facebook], asked, false, None, Err(Obstacle::WindowClosed)),
            (
                "picked",
                &["mail mailto:x@posti.example verified 99", closed],
                asked,
                false,
                Some("whatsapp"),
                Ok(Some("Hei Minna, asiasi on valmis.")),
            ),
        ];
        for (name, lines, text, has_files, picked, expected) in table {
            let heard: Vec<Heard> = lines.iter().zip(1..).map(|(line, n)| heard(n, line)).collect();
            let wanted = Wanted { picked: *picked, text, has_files: *has_files };
            let routed = route(&heard, wanted, &ways, at(100));
            let said = routed.map(|route| route.template.map(|template| template.text));
            assert_eq!(said, expected.map(|text| text.map(str::to_owned)), "{name}");
        }
        let view = |line: &str| view(&[heard(1, line)], &ways, at(100));
        assert_eq!(view(closed).templates.len(), 1);
        assert_eq!(view(closed).says, Some(Obstacle::SAYS_OF_TEMPLATES));
        assert_eq!((view(open).templates.len(), view(facebook).templates.len()), (0, 0));
        assert_eq!(view(facebook).says, Some(Obstacle::WindowClosed.says()));
    }

    #[test]
    fn agents_are_told_before_they_write() {
        let lines = [
            "facebook messenger:p1 verified 75",
            "mail mailto:minna@posti.example verified 70",
            "mail mailto:minna@posti.example verified 60",
            "mail mailto:x@posti.example contradicted 99",
            "phone tel:+358401234567 plausible 99 call",
        ];
        let heard: Vec<Heard> = lines.iter().zip(1..).map(|(line, n)| heard(n, line)).collect();
        let view = view(&heard, &ways, at(100));
        assert_eq!(view.obstacle, Some(Obstacle::WindowClosed));
        let others: Vec<&str> = view.others.iter().map(|other| other.address.as_str()).collect();
        assert_eq!(others, ["mailto:minna@posti.example"]);
        assert_eq!(super::view(&heard, &ways, at(80)).to.unwrap().until, Some(at(99)));
    }
}
