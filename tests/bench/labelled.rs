//! Messages labelled with their kind and urgency (`tests/fixtures/triage/README.md`), and what a judge of them got right.

#![allow(dead_code, reason = "a benchmark and a test take the parts they need")]

use lanka::pure::domain::triage::Triage;
use lanka::pure::wire::quote;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// One message and its labels.
#[derive(Debug, Clone, Deserialize)]
pub struct Labelled {
    pub id: String,
    #[serde(default)]
    pub language: String,
    #[serde(default)]
    pub channel: String,
    #[serde(default)]
    pub subject: Option<String>,
    pub text: String,
    pub kinds: Vec<String>,
    #[serde(default)]
    pub problem: Option<String>,
    #[serde(default)]
    pub effect: Option<String>,
    #[serde(default)]
    pub feedback: Vec<String>,
    pub urgency: String,
}

/// The messages of a file.
pub fn read(path: &Path) -> Vec<Labelled> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("a labelled message: {error}"))).collect()
}

/// Its words as the rules read them: of a mail without quotations and signature, and without the subject of an answer.
pub fn words(message: &Labelled) -> String {
    const ANSWERS: [&str; 6] = ["re:", "vs:", "sv:", "vs ", "fw:", "vl:"];
    let own = if message.channel == "mail" { quote::split(&message.text).own } else { message.text.clone() };
    let is_own = |subject: &&str| !ANSWERS.iter().any(|answer| subject.to_lowercase().starts_with(answer));
    format!("{}\n{own}", message.subject.as_deref().filter(is_own).unwrap_or_default())
}

/// Of one class: those rightly found, those wrongly found, those missed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Class {
    pub right: usize,
    pub wrong: usize,
    pub missed: usize,
}

impl Class {
    fn count(&mut self, is: bool, found: bool) {
        self.right += usize::from(is && found);
        self.wrong += usize::from(!is && found);
        self.missed += usize::from(is && !found);
    }

    pub fn precision(self) -> f64 {
        share(self.right, self.right + self.wrong)
    }

    pub fn recall(self) -> f64 {
        share(self.right, self.right + self.missed)
    }

    pub fn f1(self) -> f64 {
        share(2 * self.right, 2 * self.right + self.wrong + self.missed)
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of messages")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// What was got right of many messages.
#[derive(Debug, Clone, Default)]
pub struct Score {
    pub messages: usize,
    /// By class: of kinds (service, problem, feedback, none), of urgency, of the rest.
    pub classes: BTreeMap<&'static str, Class>,
    /// Kinds as they are, and as they were found.
    pub kinds: BTreeMap<(String, String), usize>,
    /// The same of urgency.
    pub urgency: BTreeMap<(String, String), usize>,
    /// Messages whose kinds are found exactly, whose urgency is.
    pub exact: (usize, usize),
}

const KINDS: [&str; 4] = ["service", "problem", "feedback", "none"];
const URGENCY: [&str; 3] = ["high", "normal", "low"];

impl Score {
    /// Counts one message.
    pub fn count(&mut self, is: &Labelled, found: &Triage) {
        self.messages += 1;
        let kinds: Vec<&str> = found.kind.iter().map(|kind| kind.as_str()).collect();
        for class in KINDS {
            let of = |kinds: &[&str]| if class == "none" { kinds.is_empty() } else { kinds.contains(&class) };
            let labels: Vec<&str> = is.kinds.iter().map(String::as_str).collect();
            self.classes.entry(class).or_default().count(of(&labels), of(&kinds));
        }
        let urgency = found.priority.as_str();
        for class in URGENCY {
            self.classes.entry(class).or_default().count(is.urgency == class, urgency == class);
        }
        // Whose a problem is and what it does is told only where both see one.
        if is.problem.is_some() && found.problem.is_some() {
            for class in ["own", "unclear", "fault"] {
                let found = found.problem.is_some_and(|problem| problem.as_str() == class);
                self.classes.entry(class).or_default().count(is.problem.as_deref() == Some(class), found);
            }
        }
        if is.effect.is_some() && found.effect.is_some() {
            for class in ["hinders", "prevents"] {
                let found = found.effect.is_some_and(|effect| effect.as_str() == class);
                self.classes.entry(class).or_default().count(is.effect.as_deref() == Some(class), found);
            }
        }
        for class in ["complaint", "wish", "praise"] {
            let found = found.feedback.iter().any(|kind| kind.as_str() == class);
            self.classes.entry(class).or_default().count(is.feedback.iter().any(|kind| kind == class), found);
        }
        let joined = |kinds: &[&str]| if kinds.is_empty() { "none".to_owned() } else { kinds.join("+") };
        let labels: Vec<&str> = is.kinds.iter().map(String::as_str).collect();
        let (truth, said) = (joined(&labels), joined(&kinds));
        self.exact.0 += usize::from(truth == said);
        self.exact.1 += usize::from(is.urgency == urgency);
        *self.kinds.entry((truth, said)).or_default() += 1;
        *self.urgency.entry((is.urgency.clone(), urgency.to_owned())).or_default() += 1;
    }

    pub fn class(&self, name: &str) -> Class {
        self.classes.get(name).copied().unwrap_or_default()
    }

    /// The mean of the F1 of service, problem, feedback and none.
    pub fn macro_f1(&self) -> f64 {
        KINDS.iter().map(|class| self.class(class).f1()).sum::<f64>() / 4.0
    }

    /// A table that a person can read.
    pub fn table(&self) -> String {
        let mut table = format!("{:<10} {:>5} {:>9} {:>6} {:>6}\n", "class", "is", "precision", "recall", "f1");
        let order = ["service", "problem", "feedback", "none", "high", "normal", "low", "own", "unclear", "fault"];
        for name in order.into_iter().chain(["hinders", "prevents", "complaint", "wish", "praise"]) {
            let class = self.class(name);
            let (precision, recall, f1) = (class.precision(), class.recall(), class.f1());
            let is = class.right + class.missed;
            let _ = writeln!(table, "{name:<10} {is:>5} {precision:>9.3} {recall:>6.3} {f1:>6.3}");
        }
        let exact = (share(self.exact.0, self.messages), share(self.exact.1, self.messages));
        let _ = writeln!(
            table,
            "macro F1 of kind {:.3}; exactly right: kinds {:.3}, urgency {:.3}",
            self.macro_f1(),
            exact.0,
            exact.1
        );
        for (title, counts) in [("kinds: is -> found", &self.kinds), ("urgency: is -> found", &self.urgency)] {
            let _ = writeln!(table, "{title}");
            for ((is, found), count) in counts {
                let _ = writeln!(table, "  {is:>24} -> {found:<24} {count:>4}");
            }
        }
        table
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        let round = |number: f64| (number * 1000.0).round() / 1000.0;
        let classes: BTreeMap<&str, Value> = self
            .classes
            .iter()
            .map(|(name, class)| {
                let (precision, recall, f1) = (round(class.precision()), round(class.recall()), round(class.f1()));
                (*name, json!({ "n": class.right + class.missed, "precision": precision, "recall": recall, "f1": f1 }))
            })
            .collect();
        json!({ "messages": self.messages, "macro_f1": round(self.macro_f1()), "classes": classes,
            "kinds_exact": round(share(self.exact.0, self.messages)), "urgency_exact": round(share(self.exact.1, self.messages)) })
    }
}
