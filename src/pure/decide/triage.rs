//! What kind of matter a message brings and how soon it must be seen to.
//!
//! The words are in the configuration (`config/triage.toml`): phrases by sign ([`Sign`]), each of weight 1 or 2. Here is
//! how they add up. Palvelu, pulma, palaute: one message may bring all three. Only the person's own words are
//! read. Nothing here is evidence of whose it is.
//!
//! **Invariant:** a function of the words alone, and every sign that counted is among the reasons: by the configured
//! phrase, never by more of the text.

use super::extract::scan::cut;
use super::language::language;
use crate::pure::domain::decision::Reason;
use crate::pure::domain::learnt::{self, Guess};
use crate::pure::domain::lexicon::{Found, Lexicon, Sign};
use crate::pure::domain::message::{Content, Incoming};
use crate::pure::domain::phrases::flatten;
use crate::pure::domain::policy::Policy;
use crate::pure::domain::say::OnTriage;
use crate::pure::domain::ticket::{MatterKind, Priority};
use crate::pure::domain::triage::{Effect, FeedbackKind, ProblemKind, Triage};
use crate::pure::domain::weights::{self, Weighed};
use std::collections::{BTreeMap, BTreeSet};

/// Text read. Bytes: what is urgent is said at the beginning.
const READ_BYTES_MAX: usize = 8 * 1024;
/// Points from which a sign holds where a strong phrase is among them.
const HOLDS: u32 = 2;
/// Points from which weak phrases alone are enough: words that everybody uses say little one by one.
const HOLDS_WEAK: u32 = 3;
/// Words without any that tells the kind from which a text is a matter, and not an answer ("the
/// number is 4001…") that adds nothing to its ticket's kind.
const SENTENCE_WORDS_MIN: usize = 6;
/// Points of a sign that are weighed: more of the same is no more.
const POINTS_WEIGHED_MAX: u32 = 4;
/// What each sign of feedback says; where nothing tells them apart, the first.
const FEEDBACK: [(Sign, FeedbackKind); 3] = [
    (Sign::Complaint, FeedbackKind::Complaint),
    (Sign::Wish, FeedbackKind::Wish),
    (Sign::Praise, FeedbackKind::Praise),
];
/// Phrases of a sign that are named in its reason.
const NAMED_MAX: usize = 4;

/// Kind and urgency of a message. A greeting has no kind and low priority; so has automatic mail.
/// A call without words has no kind, but is never low: somebody wanted something.
/// Where the channel says both, they are those.
pub fn triage(
    incoming: &Incoming,
    subject: Option<&str>,
    own_text: &str,
    says_nothing: bool,
    policy: &Policy,
) -> Triage {
    if let Some(said) = &incoming.triage {
        return said.clone();
    }
    if incoming.auto.is_some() || says_nothing {
        return Triage::none(Priority::Low);
    }
    let text = format!("{}\n{}", subject.unwrap_or(""), cut(own_text, READ_BYTES_MAX));
    let mut triage = of_words(&text, &policy.lexicon);
    // A word that stands in no list may be the customer's name.
    let may_tell = |word: &str| !policy.lexicon.find(word, READ_BYTES_MAX).is_empty();
    if let Some(guess) = policy.learnt.model().and_then(|model| model.guess(&text, may_tell)) {
        correct(&mut triage, guess);
    }
    if matches!(incoming.content, Content::Call(..)) && triage.priority == Priority::Low {
        triage.priority = Priority::Normal;
        triage.why.push(Reason::new("triage", OnTriage::CallToReturn));
    }
    triage
}

/// What corrections taught stands over the rules, where it is in force; but what the rules call urgent stays so.
fn correct(triage: &mut Triage, guess: Guess) {
    let Guess { answers, words } = guess;
    answer(triage, learnt::kinds(&answers), triage.priority == Priority::High || answers[learnt::URGENT]);
    triage.why.push(Reason::new("triage", OnTriage::Learnt { words: words.join(", ") }));
}

/// Kinds and urgency as they were found otherwise than by the signs, and what hangs on them.
fn answer(triage: &mut Triage, kind: Vec<MatterKind>, is_high: bool) {
    let was_idle = is_idle(&triage.kind);
    triage.kind = kind;
    let is = |kind: MatterKind| triage.kind.contains(&kind);
    if !is(MatterKind::Problem) {
        (triage.problem, triage.effect) = (None, None);
    } else if triage.problem.is_none() {
        triage.problem = Some(ProblemKind::Unclear);
    }
    if !is(MatterKind::Feedback) {
        triage.feedback.clear();
    } else if triage.feedback.is_empty() {
        triage.feedback.push(FEEDBACK[0].1);
    }
    triage.priority = match triage.priority {
        _ if is_high => Priority::High,
        _ if is_idle(&triage.kind) => Priority::Low,
        // It has no hurry.
        Priority::Low if !was_idle => Priority::Low,
        _ => Priority::Normal,
    };
}

/// Nobody waits for anything.
fn is_idle(kind: &[MatterKind]) -> bool {
    matches!(kind, [] | [MatterKind::Feedback])
}

/// Kind and urgency of a text, by its words: what the signs say, and over that what single words weigh together with them.
pub fn of_words(text: &str, lexicon: &Lexicon) -> Triage {
    let signs = Signs::of(text, lexicon);
    let mut triage = signs.triage();
    if lexicon.weights().is_empty() || signs.holds(Sign::Automatic) {
        return triage;
    }
    let Weighed { kinds, is_high, terms } = lexicon.weights().weigh(&signs.terms(text, &triage));
    let was = (triage.kind.clone(), triage.priority);
    if kinds.contains(&MatterKind::Problem) && triage.problem.is_none() {
        (triage.problem, triage.effect) = problem(&signs);
    }
    if kinds.contains(&MatterKind::Feedback) && triage.feedback.is_empty() {
        triage.feedback.push(signs.likeliest_feedback());
    }
    // Who says that there is no hurry knows.
    answer(&mut triage, kinds, (is_high && !signs.holds(Sign::Patience)) || signs.holds(Sign::Danger));
    if was != (triage.kind.clone(), triage.priority) {
        triage.why.push(Reason::new("triage", OnTriage::Weighed { words: terms.join(", ") }));
    }
    triage
}

/// The terms of a text as what single words weigh takes them, its signs among them: for those who learn.
pub fn terms_of(text: &str, lexicon: &Lexicon) -> BTreeMap<String, f32> {
    let signs = Signs::of(text, lexicon);
    let triage = signs.triage();
    signs.terms(text, &triage)
}

/// Which kinds, and what feedback says.
fn kinds(signs: &Signs<'_>, triage: &mut Triage) {
    for (sign, kind) in FEEDBACK {
        triage.feedback.extend(signs.holds(sign).then_some(kind));
    }
    let is_problem = signs.is_problem(!triage.feedback.is_empty());
    let is_service = match (is_problem, triage.feedback.is_empty()) {
        (true, _) => signs.holds(Sign::Beside),
        (false, true) => signs.asks() >= HOLDS,
        // An idea is worded as a question, and thanks name what was ordered.
        (false, false) => signs.has_strong(Sign::Want) && signs.has_strong(Sign::Ask) || signs.holds(Sign::Beside),
    };
    triage.kind.extend(is_service.then_some(MatterKind::Service));
    triage.kind.extend(is_problem.then_some(MatterKind::Problem));
    triage.kind.extend((!triage.feedback.is_empty()).then_some(MatterKind::Feedback));
    if !triage.kind.is_empty() {
        return;
    }
    // Who wants something asks for it; who only tells how things are tells of trouble.
    if signs.questions > 0 || signs.asks() > signs.points(Sign::Trouble) {
        triage.kind.push(MatterKind::Service);
        triage.why.push(Reason::new("triage", OnTriage::Question));
    } else if signs.words >= SENTENCE_WORDS_MIN || signs.points(Sign::Trouble) > 0 {
        triage.kind.push(MatterKind::Problem);
        triage.why.push(Reason::new("triage", OnTriage::MatterUnnamed));
    }
}

/// Whose the problem is, and what it does.
fn problem(signs: &Signs<'_>) -> (Option<ProblemKind>, Option<Effect>) {
    let is_grave = [Sign::Danger, Sign::Standstill].into_iter().any(|sign| signs.holds(sign));
    let effect = match (signs.points(Sign::Prevents), signs.points(Sign::Hinders)) {
        (_, hinders) if hinders >= HOLDS && !is_grave => Effect::Hinders,
        (prevents, _) if prevents >= HOLDS || is_grave => Effect::Prevents,
        _ => Effect::Hinders,
    };
    let is_said = signs.holds(Sign::Prevents) || signs.holds(Sign::Hinders) || is_grave;
    if signs.holds(Sign::Own) {
        return (Some(ProblemKind::Own), None);
    }
    if signs.holds(Sign::Unsure) {
        return (Some(ProblemKind::Unclear), is_said.then_some(effect));
    }
    (Some(ProblemKind::Fault), Some(effect))
}

/// How soon.
fn urgency(signs: &Signs<'_>, triage: &Triage) -> Priority {
    let is_problem = triage.kind.contains(&MatterKind::Problem);
    let is_matter = is_problem || triage.kind.contains(&MatterKind::Service);
    let presses = signs.points(Sign::Weight) + signs.points(Sign::Hurry).min(1);
    let is_patient = signs.holds(Sign::Patience);
    let is_borne = is_patient || signs.holds(Sign::Hinders);
    let is_high = signs.holds(Sign::Danger)
        || (is_problem && signs.points(Sign::Again) >= HOLDS && !is_patient)
        || (is_matter && signs.holds(Sign::Deadline) && !is_borne)
        || (is_problem && signs.holds(Sign::Standstill) && !is_borne)
        || (is_problem && triage.effect == Some(Effect::Prevents) && presses >= HOLDS && !is_borne);
    match triage.kind.as_slice() {
        _ if is_high => Priority::High,
        kind if is_idle(kind) => Priority::Low,
        _ if is_patient && triage.effect != Some(Effect::Prevents) => Priority::Low,
        [MatterKind::Problem] if signs.holds(Sign::Solved) => Priority::Low,
        _ => Priority::Normal,
    }
}

/// What a text has of each sign.
struct Signs<'a> {
    points: BTreeMap<Sign, u32>,
    /// Signs of which a strong phrase is there.
    strong: BTreeSet<Sign>,
    phrases: BTreeMap<Sign, Vec<&'a str>>,
    words: usize,
    questions: usize,
}

impl<'a> Signs<'a> {
    /// What they say by themselves.
    fn triage(&self) -> Triage {
        let mut triage = Triage::none(Priority::Normal);
        if !self.is_matter() {
            // A word of something, too little to tell what: an answer to a question of the desk's.
            let is_word = !self.is_empty() && self.asks() + self.points(Sign::Trouble) > 0;
            triage.priority = if is_word { Priority::Normal } else { Priority::Low };
            self.tell(&[Sign::Empty, Sign::Automatic], &mut triage.why);
            return triage;
        }
        kinds(self, &mut triage);
        let mut told = vec![];
        if triage.kind.contains(&MatterKind::Problem) {
            told.extend([Sign::Trouble, Sign::Own, Sign::Unsure, Sign::Prevents, Sign::Hinders]);
            (triage.problem, triage.effect) = problem(self);
        }
        if triage.kind.contains(&MatterKind::Service) {
            told.extend([Sign::Ask, Sign::Want, Sign::Beside]);
        }
        told.extend([Sign::Complaint, Sign::Wish, Sign::Praise]);
        told.extend([Sign::Danger, Sign::Standstill, Sign::Deadline, Sign::Weight, Sign::Hurry]);
        told.extend([Sign::Again, Sign::Patience, Sign::Solved]);
        self.tell(&told, &mut triage.why);
        triage.priority = urgency(self, &triage);
        triage
    }

    /// The terms of the text, with those of the signs and of what they say.
    fn terms(&self, text: &str, triage: &Triage) -> BTreeMap<String, f32> {
        let mut terms = weights::terms(text);
        for (sign, points) in &self.points {
            #[expect(clippy::cast_precision_loss, reason = "at most 4")]
            let value = (*points).min(POINTS_WEIGHED_MAX) as f32 / f32::from(2_u8);
            terms.insert(format!("<{}>", sign.as_str()), value);
        }
        terms.extend(self.strong.iter().map(|sign| (format!("<{}!>", sign.as_str()), 1.0)));
        terms.extend(triage.kind.iter().map(|kind| (format!("<rules {}>", kind.as_str()), 1.0)));
        if triage.kind.is_empty() {
            terms.insert("<rules none>".to_owned(), 1.0);
        }
        terms.insert(format!("<rules {}>", triage.priority.as_str()), 1.0);
        if self.says_matter() {
            terms.insert(weights::MATTER.to_owned(), 1.0);
        }
        terms
    }

    fn of(text: &str, lexicon: &'a Lexicon) -> Self {
        let flat = flatten(text, READ_BYTES_MAX);
        let words = flat.split_whitespace().filter(|word| word.starts_with(char::is_alphabetic)).count();
        let questions = text.matches('?').count();
        let spoken = language(text);
        let found: Vec<Found<'a>> =
            lexicon.find(text, READ_BYTES_MAX).into_iter().filter(|one| is_spoken(&one.entry.list, spoken)).collect();
        let sentences = |sign: Sign| -> BTreeSet<usize> {
            let of_sign = found.iter().filter(|one| one.entry.sign == sign && !one.is_denied);
            of_sign.map(|one| one.sentence).collect()
        };
        let (offers, solved) = (sentences(Sign::Offer), sentences(Sign::Solved));
        let mut signs =
            Self { points: BTreeMap::new(), strong: BTreeSet::new(), phrases: BTreeMap::new(), words, questions };
        let mut counted = BTreeSet::new();
        for one in &found {
            let sign = one.entry.sign;
            let is_told_of =
                matches!(sign, Sign::Trouble | Sign::Prevents | Sign::Standstill | Sign::Danger | Sign::Weight);
            let is_void = is_told_of && (offers.contains(&one.sentence) || solved.contains(&one.sentence));
            if one.is_denied || is_void || !counted.insert((sign, one.entry.phrase.as_str())) {
                continue;
            }
            if u32::from(one.entry.weight) >= HOLDS {
                signs.strong.insert(sign);
            }
            *signs.points.entry(sign).or_default() += u32::from(one.entry.weight);
            signs.phrases.entry(sign).or_default().push(&one.entry.phrase);
        }
        signs
    }

    fn points(&self, sign: Sign) -> u32 {
        self.points.get(&sign).copied().unwrap_or_default()
    }

    /// A strong phrase says it, or several weak ones do.
    fn holds(&self, sign: Sign) -> bool {
        self.has_strong(sign) || self.points(sign) >= HOLDS_WEAK
    }

    fn has_strong(&self, sign: Sign) -> bool {
        self.strong.contains(&sign)
    }

    fn asks(&self) -> u32 {
        [Sign::Ask, Sign::Want, Sign::Beside].into_iter().map(|sign| self.points(sign)).sum()
    }

    /// Something is wrong: said so, or meant by what is told. In feedback and beside a request common words do not say it.
    fn is_problem(&self, is_feedback: bool) -> bool {
        let meant = [Sign::Danger, Sign::Standstill, Sign::Own].into_iter().any(|sign| self.holds(sign));
        let told = self.points(Sign::Trouble) + self.points(Sign::Unsure).min(1) + self.points(Sign::Prevents).min(1);
        let asked = self.has_strong(Sign::Ask) || self.has_strong(Sign::Want);
        let needed = if asked || is_feedback { HOLDS_WEAK + 1 } else { HOLDS_WEAK };
        meant || self.has_strong(Sign::Trouble) || self.has_strong(Sign::Unsure) && told > 0 || told >= needed
    }

    /// What feedback says of which no sign holds.
    fn likeliest_feedback(&self) -> FeedbackKind {
        let (_, likeliest) =
            FEEDBACK.into_iter().rev().max_by_key(|(sign, _)| self.points(*sign)).unwrap_or(FEEDBACK[0]);
        likeliest
    }

    /// A farewell, a stray, a program's answer.
    fn is_empty(&self) -> bool {
        self.holds(Sign::Empty) || self.holds(Sign::Automatic)
    }

    /// A phrase that everybody means says so.
    fn says_matter(&self) -> bool {
        let says = [Sign::Ask, Sign::Want, Sign::Beside, Sign::Complaint, Sign::Wish, Sign::Praise, Sign::Trouble];
        [Sign::Danger, Sign::Standstill, Sign::Own].into_iter().any(|sign| self.holds(sign))
            || says.into_iter().any(|sign| self.has_strong(sign))
    }

    /// Whether it is more than a greeting, thanks or a stray.
    fn is_matter(&self) -> bool {
        if self.holds(Sign::Automatic) {
            return false;
        }
        self.says_matter() || (!self.is_empty() && (self.questions > 0 || self.words >= SENTENCE_WORDS_MIN))
    }

    /// One reason for each of the signs that are there.
    fn tell(&self, signs: &[Sign], why: &mut Vec<Reason>) {
        for sign in signs {
            let Some(phrases) = self.phrases.get(sign) else { continue };
            let words = phrases.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
            let Some(says) = says(*sign, words) else { continue };
            let points = i16::try_from(self.points(*sign)).unwrap_or(i16::MAX);
            why.push(Reason { bits: Some(points), ..Reason::new("triage", says) });
        }
    }
}

/// Whether a list is of the language that is spoken, or of the desk's own, or nobody can tell what is spoken.
fn is_spoken(list: &str, spoken: Option<&str>) -> bool {
    let is_language = |code: &str| ["fi", "sv", "en", "et", "de"].contains(&code);
    spoken.is_none_or(|spoken| !is_language(spoken) || !is_language(list) || spoken == list)
}

fn says(sign: Sign, words: String) -> Option<OnTriage> {
    Some(match sign {
        Sign::Ask | Sign::Want => OnTriage::Asks { words },
        Sign::Beside => OnTriage::AsksBeside { words },
        Sign::Trouble => OnTriage::Trouble { words },
        Sign::Own => OnTriage::OwnDoing { words },
        Sign::Unsure => OnTriage::NobodyCanTell { words },
        Sign::Hinders => OnTriage::Hinders { words },
        Sign::Prevents => OnTriage::Prevents { words },
        Sign::Complaint => OnTriage::Complaint { words },
        Sign::Wish => OnTriage::Wish { words },
        Sign::Praise => OnTriage::Praise { words },
        Sign::Danger => OnTriage::Danger { words },
        Sign::Standstill => OnTriage::Standstill { words },
        Sign::Deadline => OnTriage::Deadline { words },
        Sign::Weight => OnTriage::Grave { words },
        Sign::Hurry => OnTriage::Hurry { words },
        Sign::Patience => OnTriage::NoHurry { words },
        Sign::Again => OnTriage::SaidAgain { words },
        Sign::Solved => OnTriage::WellAgain { words },
        Sign::Empty | Sign::Automatic => OnTriage::NoMatter { words },
        Sign::Offer | Sign::Ignore | Sign::Not => return None,
    })
}
