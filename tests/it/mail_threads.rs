//! The reference part of threading (`decide::pointers`), over public mailboxes whose threads are known
//! (`../shared/mail`) where they are, and over cases of our own through the real desk.
//!
//! Over a mailbox nobody's right to a ticket is asked: its people are subscribers of lists, no customers. What is
//! measured is the pairs of mails that are put on one thread.

use crate::desk::{Desk, mail};
use crate::normalise::policy;
use lanka::pure::decide::lookup::{Keyer, lookup};
use lanka::pure::decide::normalise::normalise;
use lanka::pure::decide::pointers::{Evidence, Pointer, anchors, pointers};
use lanka::pure::domain::Timestamp;
use lanka::pure::domain::facts::{ANCHORS_MAX, Anchor, Facts, Lookup};
use lanka::pure::domain::id::{IdMint, MessageId, TicketId};
use lanka::pure::domain::message::{Message, RawEvent};
use lanka::pure::domain::policy::Policy;
use lanka::pure::wire::mime::{self, MailSettings};
use lanka::pure::wire::subject;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A message with its keys.
type Asked = (Message, Lookup);

/// A set of the public corpora; says so when it is missing.
fn shared(set: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/mail").join(set);
    let found = path.is_dir().then_some(path);
    if found.is_none() {
        println!("not run: the corpus {set} is missing");
    }
    found
}

/// The mails of an mbox, `>From ` undone.
fn mails(path: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(path).expect("an mbox");
    let mut mails: Vec<Vec<u8>> = Vec::new();
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        if line.starts_with(b"From ") {
            mails.push(Vec::new());
        } else if let Some(mail) = mails.last_mut() {
            let quoted = line.iter().take_while(|b| **b == b'>').count();
            let is_escaped = quoted > 0 && line[quoted..].starts_with(b"From ");
            mail.extend_from_slice(&line[usize::from(is_escaped)..]);
        }
    }
    mails
}

/// A mail without the fields by which it names others.
fn stripped(mail: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    let (mut is_header, mut is_dropped) = (true, false);
    for line in mail.split_inclusive(|b| *b == b'\n') {
        if is_header && !line.starts_with(b" ") && !line.starts_with(b"\t") {
            is_header = !matches!(line, b"\n" | b"\r\n");
            let name = String::from_utf8_lossy(line).split(':').next().unwrap_or_default().to_lowercase();
            is_dropped = is_header && matches!(name.as_str(), "in-reply-to" | "references" | "thread-index");
        }
        if !is_dropped {
            kept.extend_from_slice(line);
        }
    }
    kept
}

/// The messages of a mailbox, as the daemon would look them up.
fn messages(mails: &[Vec<u8>], policy: &Policy) -> Vec<Asked> {
    let keyer = Keyer::new(policy, "main");
    let mut mint = IdMint::new(7);
    let messages = mails.iter().enumerate().map(|(at, body)| {
        // The real time of arrival is not kept in such files; that of writing stands for it.
        let noted = Timestamp::from_second(1_203_693_900 + at as i64).expect("a time");
        let received_at = mime::stamps(body).1.unwrap_or(noted);
        let event = RawEvent {
            id: mint.dated(received_at),
            tenant: "main".to_owned(),
            channel: "support".to_owned(),
            kind: "any".to_owned(),
            received_at,
            trusted_at: None,
            origin: String::new(),
            body: bytes::Bytes::copy_from_slice(body),
        };
        let incoming = mime::read(&event, &MailSettings::default()).items.remove(0);
        let message = normalise(&event, 0, incoming, mint.dated(received_at), policy);
        let lookup = lookup(&message, &keyer);
        (message, lookup)
    });
    messages.collect()
}

/// What a message is put beside: what it names first; where that is not here, the rest.
fn followed<'a>(pointers: &[Pointer<'a>]) -> Vec<Pointer<'a>> {
    let chosen: Vec<Pointer<'a>> = pointers.iter().filter(|pointer| pointer.is_one_thread).copied().collect();
    if chosen.is_empty() { pointers.first().copied().into_iter().collect() } else { chosen }
}

/// Threads of a mailbox, a number for each mail: as they are decided one after another, and as they would be if
/// all others were there already, for a mail may come before the one that it answers.
fn threads(messages: &[&Asked], policy: &Policy, counts: impl Fn(Evidence) -> bool) -> [Vec<usize>; 2] {
    let ask = |(message, lookup): &Asked, facts: &Facts| -> Vec<(TicketId, MessageId)> {
        let found = pointers(message, lookup, facts, policy.windows.one_open);
        let found: Vec<Pointer<'_>> = found.into_iter().filter(|pointer| counts(pointer.evidence)).collect();
        let anchors = followed(&found).into_iter().map(|pointer| pointer.anchor);
        anchors.filter_map(|anchor| Some((anchor.ticket?, anchor.message))).collect()
    };
    let number: BTreeMap<MessageId, usize> = messages.iter().enumerate().map(|(at, (m, _))| (m.id, at)).collect();
    let ticket = |at: usize| TicketId(messages[at].0.id.0);
    let mut facts = Facts::default();
    let mut at_arrival: Vec<usize> = Vec::new();
    let mut first: Vec<Vec<(TicketId, MessageId)>> = Vec::new();
    for (at, asked) in messages.iter().copied().enumerate() {
        let found = ask(asked, &facts);
        at_arrival.push(at);
        for (joined, _) in &found {
            let here = at_arrival[at];
            let other = number[&MessageId(joined.0)];
            at_arrival.iter_mut().filter(|thread| **thread == here).for_each(|thread| *thread = other);
            let anchors = facts.anchors.values_mut().flatten();
            anchors.filter(|a| a.ticket == Some(ticket(here))).for_each(|a| a.ticket = Some(*joined));
        }
        first.push(found);
        let (message, lookup) = asked;
        let here = Some(ticket(at_arrival[at]));
        for (kind, key, name) in anchors(message, lookup, &facts, here) {
            let (direction, at) = (message.incoming.direction, message.occurred_at);
            let left = facts.anchors.entry(key).or_default();
            let is_bare = name == Anchor::BARE;
            left.insert(0, Anchor { kind, ticket: here, message: message.id, direction, at, is_bare });
            left.truncate(ANCHORS_MAX);
        }
    }
    let mut in_the_end: Vec<usize> = (0..messages.len()).collect();
    for (at, asked) in messages.iter().copied().enumerate() {
        let found = ask(asked, &facts);
        for (_, message) in if found.is_empty() { &first[at] } else { &found } {
            let (here, other) = (in_the_end[at], in_the_end[number[message]]);
            in_the_end.iter_mut().filter(|thread| **thread == here).for_each(|thread| *thread = other);
        }
    }
    [at_arrival, in_the_end]
}

/// Pairs of mails that are on one thread here, in truth, and in both.
#[derive(Debug, Default, Clone, Copy)]
struct Pairs {
    here: usize,
    truth: usize,
    both: usize,
}

impl Pairs {
    /// Counts pairs; of those that are apart in truth, only where it knows that.
    fn of<A: Eq, B: Eq>(found: &[A], truth: &[B], is_known: impl Fn(usize, usize) -> bool) -> Self {
        let mut pairs = Self::default();
        for one in 0..found.len() {
            for other in one + 1..found.len() {
                let (here, there) = (found[one] == found[other], truth[one] == truth[other]);
                pairs.truth += usize::from(there);
                pairs.both += usize::from(here && there);
                pairs.here += usize::from(here && (there || is_known(one, other)));
            }
        }
        pairs
    }

    fn add(&mut self, other: Self) {
        self.here += other.here;
        self.truth += other.truth;
        self.both += other.both;
    }

    /// Precision, recall and F1.
    fn scores(self) -> [f64; 3] {
        let share = |of: usize| if of == 0 { 1.0 } else { self.both as f64 / of as f64 };
        [share(self.here), share(self.truth), 2.0 * self.both as f64 / (self.here + self.truth).max(1) as f64]
    }
}

/// Prints a line and holds F1 against a floor.
fn told(what: &str, scores: [f64; 3], floor: f64) {
    let [precision, recall, f1] = scores;
    println!("{what}: P {precision:.4} R {recall:.4} F1 {f1:.4}");
    assert!(f1 >= floor, "{what}: F1 {f1:.4} is below {floor}");
}

/// A mailbox of the corpus with its truth.
struct Archive {
    whole: Vec<Asked>,
    /// The same without the fields that name others.
    bare: Vec<Asked>,
    threads: Vec<String>,
    /// `Re:` without any id: nobody knows whose answer it was, so the truth begins a thread with it.
    is_lost: Vec<bool>,
    /// Answers whose fields are taken out in the corpus' own stripped form.
    is_stripped: Vec<bool>,
    /// Answers to a mail of the mailbox.
    is_answer: Vec<bool>,
}

fn lines(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).expect("a file of JSON lines");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

impl Archive {
    fn open(dir: &Path) -> Self {
        let mails = mails(&dir.join("full.mbox"));
        let truth = lines(&dir.join("truth.jsonl"));
        assert_eq!(mails.len(), truth.len());
        // The file holds one list behind the other; mail comes in the order of time.
        let mut both: Vec<(Vec<u8>, serde_json::Value)> = mails.into_iter().zip(truth).collect();
        both.sort_by_key(|(mail, _)| mime::stamps(mail).1);
        let (mails, truth): (Vec<_>, Vec<_>) = both.into_iter().unzip();
        let policy = policy();
        let bare: Vec<Vec<u8>> = mails.iter().map(|mail| stripped(mail)).collect();
        let word = |row: &serde_json::Value, name: &str| row[name].as_str().expect("a word").to_owned();
        let flags = |name: &str| truth.iter().map(|row| row[name].as_bool().expect("a flag")).collect();
        let stripped: BTreeSet<String> =
            lines(&dir.join("stripped.jsonl")).iter().map(|row| word(row, "message_id")).collect();
        Self {
            threads: truth.iter().map(|row| word(row, "thread_id")).collect(),
            is_lost: flags("reply_subject_without_ids"),
            is_answer: flags("parent_in_set"),
            is_stripped: truth.iter().map(|row| stripped.contains(&word(row, "message_id"))).collect(),
            whole: messages(&mails, &policy),
            bare: messages(&bare, &policy),
        }
    }

    /// A fifth of the answers, chosen by a seed.
    fn fifth(&self, seed: u64) -> BTreeSet<usize> {
        let mut answers: Vec<usize> = (0..self.whole.len()).filter(|at| self.is_answer[*at]).collect();
        let chance = |at: &usize| {
            let z = (*at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(seed.wrapping_mul(0xd1b5_4a32));
            let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)
        };
        answers.sort_by_key(chance);
        answers.truncate(answers.len() / 5);
        answers.into_iter().collect()
    }

    /// Which threads may be one though the truth has them apart: one of them holds an answer that names nothing,
    /// and they have a subject in common. A number for each mail.
    fn conversations(&self) -> Vec<usize> {
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        let mut number = |thread| {
            let next = numbers.len();
            *numbers.entry(thread).or_insert(next)
        };
        let own: Vec<usize> = self.threads.iter().map(|thread| number(thread)).collect();
        let lost: BTreeSet<usize> = (0..own.len()).filter(|at| self.is_lost[*at]).map(|at| own[at]).collect();
        let mut group = own.clone();
        let mut by_subject: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, (message, _)) in self.whole.iter().enumerate() {
            let written = message.incoming.subject.as_deref().unwrap_or_default();
            by_subject.entry(subject::read(written).folded()).or_default().push(at);
        }
        for same in by_subject.values() {
            for (one, other) in same.iter().flat_map(|one| same.iter().map(move |other| (*one, *other))) {
                if lost.contains(&own[one]) && group[one] != group[other] {
                    let (keep, gone) = (group[one], group[other]);
                    group.iter_mut().filter(|id| **id == gone).for_each(|id| *id = keep);
                }
            }
        }
        group
    }

    /// The threads found of some of the mails, at arrival and in the end.
    fn found(
        &self,
        kept: &[usize],
        is_stripped: impl Fn(usize) -> bool,
        counts: impl Fn(Evidence) -> bool,
    ) -> [Vec<usize>; 2] {
        let pick = |at: &usize| if is_stripped(*at) { &self.bare[*at] } else { &self.whole[*at] };
        let messages: Vec<&Asked> = kept.iter().map(pick).collect();
        threads(&messages, &policy(), counts)
    }

    /// Scores of the whole function, at arrival and in the end, without the mails of which the truth cannot say
    /// what they answer.
    fn held_out(&self, is_stripped: impl Fn(usize) -> bool) -> [Pairs; 2] {
        let kept: Vec<usize> = (0..self.whole.len()).filter(|at| !self.is_lost[*at]).collect();
        let truth: Vec<&str> = kept.iter().map(|at| self.threads[*at].as_str()).collect();
        self.found(&kept, is_stripped, |_| true).map(|found| Pairs::of(&found, &truth, |_, _| true))
    }

    /// Scores of the whole function in the end, over all mails: of all pairs, and without those of which the
    /// truth cannot say whether they belong together.
    fn whole(&self, is_stripped: impl Fn(usize) -> bool) -> [Pairs; 2] {
        let kept: Vec<usize> = (0..self.whole.len()).collect();
        let [_, found] = self.found(&kept, is_stripped, |_| true);
        let conversations = self.conversations();
        let is_known = |one: usize, other: usize| conversations[one] != conversations[other];
        [Pairs::of(&found, &self.threads, |_, _| true), Pairs::of(&found, &self.threads, is_known)]
    }
}

/// The truth of this mailbox was made from references alone, so 72 answers ("Re: …") whose programs write none
/// begin threads of their own there. They quote, and are put where they belong, which the truth calls wrong: its
/// figure over all pairs is told and no floor is held against it. Floors are held without those 72 mails, and over
/// all mails without the pairs that they leave unknown.
#[test]
fn threads_of_mailing_lists() {
    let Some(dir) = shared("threads-spamassassin") else { return };
    let archive = Archive::open(&dir);
    let all: Vec<usize> = (0..archive.whole.len()).collect();
    let is_named = |evidence| !matches!(evidence, Evidence::Quoted | Evidence::Subject);
    for (when, found) in ["at arrival", "in the end"].iter().zip(archive.found(&all, |_| false, is_named)) {
        let scores = Pairs::of(&found, &archive.threads, |_, _| true).scores();
        told(&format!("lists, references alone, {when}"), scores, 0.97);
    }
    let by_corpus = |at: usize| archive.is_stripped[at];
    let fifths: Vec<BTreeSet<usize>> = (1..=5).map(|seed| archive.fifth(seed)).collect();
    let forms: [(&str, f64, Vec<&dyn Fn(usize) -> bool>); 2] =
        [("with headers", 0.97, vec![&|_| false]), ("a fifth stripped, as the corpus chose", 0.93, vec![&by_corpus])];
    let seeded: Vec<_> = fifths.iter().map(|fifth| move |at: usize| fifth.contains(&at)).collect();
    let seeds = seeded.iter().map(|is_stripped| is_stripped as &dyn Fn(usize) -> bool).collect();
    for (what, floor, choices) in forms.into_iter().chain([("a fifth stripped, mean of five choices", 0.93, seeds)]) {
        let mean = |measure: &dyn Fn(&dyn Fn(usize) -> bool) -> [Pairs; 2]| {
            let mut sums = [[0.0; 3]; 2];
            for (sum, pairs) in choices.iter().flat_map(|choice| (0..2).zip(measure(*choice))) {
                sums[sum].iter_mut().zip(pairs.scores()).for_each(|(sum, score)| *sum += score / choices.len() as f64);
            }
            sums
        };
        let [at_arrival, in_the_end] = mean(&|choice| archive.held_out(choice));
        told(&format!("lists, {what}, 72 held out, at arrival"), at_arrival, floor);
        told(&format!("lists, {what}, 72 held out, in the end"), in_the_end, floor);
        let [strict, known] = mean(&|choice| archive.whole(choice));
        told(&format!("lists, {what}, known pairs"), known, floor);
        told(&format!("lists, {what}, all pairs (no floor)"), strict, 0.0);
    }
}

/// What a THREAD answer says (RFC 5256 4): the messages of each thread.
fn answered(line: &str) -> Vec<Vec<usize>> {
    let (mut threads, mut depth): (Vec<Vec<usize>>, usize) = (Vec::new(), 0);
    let spaced = line.replace('(', " ( ").replace(')', " ) ");
    for word in spaced.split_whitespace().skip(2) {
        match word {
            "(" => {
                if depth == 0 {
                    threads.push(Vec::new());
                }
                depth += 1;
            }
            ")" => depth -= 1,
            number => threads.last_mut().expect("a thread").push(number.parse().expect("a number")),
        }
    }
    threads
}

/// The THREAD=REFERENCES tests of an IMAP server. (ORDEREDSUBJECT puts together whatever bears one subject,
/// which is what subjects must not do.) Where it wants a mail that names one never seen to join by its subject
/// alone, lanka keeps it apart.
#[test]
fn threads_of_an_imap_server() {
    let Some(dir) = shared("imaptest") else { return };
    let policy = policy();
    let mut sum = Pairs::default();
    let mut others = Vec::new();
    for name in ["thread", "thread2", "thread3", "thread4", "thread5", "thread6", "thread7", "thread8"] {
        let all = messages(&mails(&dir.join(format!("{name}.mbox"))), &policy);
        let script = std::fs::read_to_string(dir.join(name)).expect("a test of the server");
        let mut mailbox: Vec<usize> =
            if script.contains("messages: all") { (0..all.len()).collect() } else { Vec::new() };
        let mut appended = mailbox.len();
        let mut deleted: Vec<usize> = Vec::new();
        for line in script.lines().map(str::to_lowercase) {
            if line == "ok append" {
                mailbox.push(appended);
                appended += 1;
            } else if let Some(rest) = line.strip_prefix("ok store ") {
                let numbers = rest.split(' ').next().unwrap_or_default().split(',');
                deleted = numbers.map(|number| number.parse::<usize>().expect("a number") - 1).collect();
            } else if line == "ok expunge" {
                let mut at = 0;
                mailbox.retain(|_| {
                    at += 1;
                    !deleted.contains(&(at - 1))
                });
            } else if line.starts_with("* thread") {
                let mut truth = vec![0; mailbox.len()];
                for (thread, members) in answered(&line).iter().enumerate() {
                    members.iter().for_each(|member| truth[member - 1] = thread);
                }
                let kept: Vec<&Asked> = mailbox.iter().map(|at| &all[*at]).collect();
                let [_, found] = threads(&kept, &policy, |_| true);
                let pairs = Pairs::of(&found, &truth, |_, _| true);
                if (pairs.here, pairs.both) != (pairs.truth, pairs.truth) {
                    others.push(name);
                }
                sum.add(pairs);
            }
        }
    }
    told("imaptest, in the end", sum.scores(), 0.97);
    assert_eq!(others, ["thread4"], "threads that come out otherwise");
}

/// Threads of three small archives, by JWZ's algorithm.
#[test]
fn threads_of_archives() {
    let Some(dir) = shared("perl-mail-thread") else { return };
    let policy = policy();
    let expected = std::fs::read_to_string(dir.join("expected.json")).expect("the expected threads");
    let expected: serde_json::Value = serde_json::from_str(&expected).expect("JSON");
    let mut sum = Pairs::default();
    for (name, archive) in expected.as_object().expect("archives") {
        let all = messages(&mails(&dir.join(name)), &policy);
        let mut root = String::new();
        let mut roots: BTreeMap<&str, String> = BTreeMap::new();
        for row in archive["tree"].as_array().expect("a tree") {
            let id = row["message_id"].as_str().expect("an id");
            if row["depth"] == 0 {
                id.clone_into(&mut root);
            }
            roots.insert(id, root.clone());
        }
        let shown: Vec<&Asked> =
            all.iter().filter(|(m, _)| roots.contains_key(m.incoming.source_key.as_str())).collect();
        assert!(shown.len() > 2, "{name}");
        let truth: Vec<&String> = shown.iter().map(|(m, _)| &roots[m.incoming.source_key.as_str()]).collect();
        let by_subject = archive["subject_gathering"] == true;
        let counts = |evidence| by_subject || !matches!(evidence, Evidence::Quoted | Evidence::Subject);
        let [_, found] = threads(&shown, &policy, counts);
        sum.add(Pairs::of(&found, &truth, |_, _| true));
    }
    told("perl-mail-thread, in the end", sum.scores(), 0.97);
}

const PASS: &str = "dmarc=pass header.from=posti.example";
const FAIL: &str = "dmarc=fail header.from=posti.example";
const NONE: &str = "spf=none smtp.mailfrom=posti.example; dkim=none; dmarc=none header.from=posti.example";
const ELSEWHERE: &str = "dmarc=pass header.from=muu.example";
const MINNA: &str = "Minna Virtanen <minna@posti.example>";
const PEKKA: &str = "Pekka Laine <pekka@posti.example>";
const VILLE: &str = "Ville Vieras <ville@muu.example>";
/// What Minna wrote first, and second of another matter.
const FIRST: &str = "Paketti on ollut Vantaalla jo kaksi viikkoa eikä liiku.";
const SECOND: &str = "Uusi asia: laskutitte saman tuotteen kahteen kertaan.";

/// A mail: when, from whom, vouched for how, with which fields, under which subject, and what it says.
type Row<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, String);

/// Two matters of Minna's, then a row's mails. Expected: tickets, ticket suggestions, and the rule by which the
/// last mail found its ticket, or "" for a new one.
async fn check(name: &str, rows: &[Row<'_>], tickets: i64, suggestions: i64, rule: &str) {
    let desk = Desk::open().await;
    let before: [Row<'_>; 2] = [
        ("2026-03-02T09:00:00Z", MINNA, PASS, "", "Paketti kadonnut matkalla", FIRST.to_owned()),
        ("2026-03-02T10:00:00Z", MINNA, PASS, "", "Lasku kahteen kertaan", SECOND.to_owned()),
    ];
    for (at, (time, from, results, headers, subject, text)) in before.iter().chain(rows).enumerate() {
        let date = crate::desk::at(time).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
        desk.take("mail", time, mail(&format!("m{at}@x"), from, &date, results, headers, subject, text)).await;
    }
    assert_eq!(desk.tally().await.1, tickets, "{name}: tickets");
    let suggested = desk.count("SELECT count(*) FROM suggestion WHERE target_kind = 'ticket'").await;
    assert_eq!(suggested, suggestions, "{name}: suggestions");
    let last = "SELECT reasons::text FROM decision ORDER BY message_id DESC LIMIT 1";
    let reasons: String = sqlx::query_scalar(last).fetch_one(&desk.store.pool).await.expect("reasons");
    let by_rule = if rule.is_empty() { "\"new_ticket\"".to_owned() } else { format!("\"{rule}\"") };
    assert!(reasons.contains(&by_rule), "{name}: {reasons}");
}

fn quoting(own: &str, quoted: &str) -> String {
    format!("{own}\r\n\r\nma 2. maalisk. 2026 klo 9.00 Minna Virtanen kirjoitti:\r\n> {quoted}")
}

const LATER: &str = "2026-03-03T09:00:00Z";
const OTHER: &str = "Aivan toinen aihe";

#[tokio::test]
async fn a_mail_without_references_goes_where_it_quotes() {
    let asks = || quoting("Onko tästä jo tietoa?", FIRST);
    let wrapped = "Onko tästä jo tietoa?\r\n\r\n-----Alkuperäinen viesti-----\r\nLähettäjä: Minna Virtanen\r\n\
        Lähetetty: 2. maaliskuuta 2026 9:00\r\nAihe: Paketti\r\n\r\nPaketti on ollut Vantaalla jo\r\nkaksi viikkoa \
        eikä liiku.";
    let unknown = "In-Reply-To: <rewritten@gateway.example>\r\n";
    let passed_on = format!(
        "Tiedoksi.\r\n\r\n---------- Forwarded message ---------\r\nFrom: Minna Virtanen <minna@posti.example>\r\n\
        Date: Mon, 2 Mar 2026 9:00\r\nSubject: Paketti\r\n\r\n{FIRST}"
    );
    let both = quoting("Onko näistä tietoa?", &format!("{FIRST}\r\n> {SECOND}"));
    for (name, row, tickets, suggestions, rule) in [
        ("a quotation", (LATER, MINNA, PASS, "", OTHER, asks()), 2, 0, "quoted"),
        ("wrapped, below Outlook's line", (LATER, MINNA, PASS, "", OTHER, wrapped.to_owned()), 2, 0, "quoted"),
        ("a gateway wrote other ids", (LATER, MINNA, PASS, unknown, OTHER, asks()), 2, 0, "quoted"),
        ("a colleague who is vouched for", (LATER, PEKKA, PASS, "", OTHER, asks()), 2, 0, "quoted"),
        ("a stranger", (LATER, VILLE, ELSEWHERE, "", OTHER, asks()), 3, 1, ""),
        ("passed on", (LATER, MINNA, PASS, "", "VL: Paketti", passed_on.clone()), 3, 2, ""),
        ("passed on by a stranger", (LATER, VILLE, ELSEWHERE, "", "Fwd: Paketti", passed_on), 3, 0, ""),
        ("a contradicted sender", (LATER, MINNA, FAIL, "", OTHER, asks()), 3, 1, ""),
        ("of two matters at once", (LATER, MINNA, PASS, "", OTHER, both), 3, 2, ""),
        ("a new matter, he says", (LATER, MINNA, PASS, "", OTHER, quoting("Uusi asia: osoite.", FIRST)), 3, 0, ""),
        ("too short to tell", (LATER, MINNA, PASS, "", OTHER, quoting("No?", "Paketti on ollut")), 3, 2, ""),
        ("not quoted, but said again", (LATER, MINNA, PASS, "", OTHER, FIRST.to_owned()), 3, 2, ""),
    ] {
        check(name, &[row], tickets, suggestions, rule).await;
    }
    let again = ("2026-03-02T11:00:00Z", MINNA, PASS, "", OTHER, format!("Eri asia. {FIRST}"));
    check("a passage of two matters", &[again, (LATER, MINNA, PASS, "", OTHER, asks())], 4, 3, "").await;
}

#[tokio::test]
async fn an_answer_without_references_goes_by_its_subject() {
    let says = || "Onko tästä jo tietoa?".to_owned();
    let unknown = "References: <rewritten@gateway.example>\r\n";
    let copied = "Cc: Minna Virtanen <minna@posti.example>\r\n";
    for (name, row, tickets, suggestions, rule) in [
        ("an answer", (LATER, MINNA, PASS, "", "VS: Lasku kahteen kertaan", says()), 2, 0, "subject"),
        (
            "tagged, twice answered",
            (LATER, MINNA, PASS, "", "Re: [Tuki] SV: Lasku kahteen kertaan", says()),
            2,
            0,
            "subject",
        ),
        ("no answer", (LATER, MINNA, PASS, "", "Lasku kahteen kertaan", says()), 3, 2, ""),
        ("passed on", (LATER, MINNA, PASS, "", "VL: Re: Lasku kahteen kertaan", says()), 3, 2, ""),
        ("it names another mail", (LATER, MINNA, PASS, unknown, "Re: Lasku kahteen kertaan", says()), 3, 2, ""),
        ("too late", ("2026-03-17T11:00:00Z", MINNA, PASS, "", "Re: Lasku kahteen kertaan", says()), 3, 0, ""),
        ("a stranger", (LATER, VILLE, ELSEWHERE, "", "Re: Lasku kahteen kertaan", says()), 3, 0, ""),
        ("a stranger who copies her", (LATER, VILLE, ELSEWHERE, copied, "Re: Lasku kahteen kertaan", says()), 3, 0, ""),
        (
            "a colleague of an unconfirmed firm",
            (LATER, PEKKA, PASS, copied, "Re: Lasku kahteen kertaan", says()),
            3,
            0,
            "",
        ),
        ("a contradicted sender", (LATER, MINNA, FAIL, "", "Re: Lasku kahteen kertaan", says()), 3, 0, ""),
        (
            "a new matter, he says",
            (LATER, MINNA, PASS, "", "Re: Lasku kahteen kertaan", "Toinen asia.".to_owned()),
            3,
            0,
            "",
        ),
    ] {
        check(name, &[row], tickets, suggestions, rule).await;
    }
    for subject in ["Tilaus", "Hello", "Order 4001"] {
        let opens = ("2026-03-02T11:00:00Z", MINNA, PASS, "", subject, "Eri asia: varaosa.".to_owned());
        let answer = format!("Re: {subject}");
        check(subject, &[opens, (LATER, MINNA, PASS, "", &answer, says())], 4, 3, "").await;
    }
    let reused =
        ("2026-03-02T11:00:00Z", MINNA, PASS, "", "Lasku kahteen kertaan", "Eri asia, toinen lasku.".to_owned());
    let answer = (LATER, MINNA, PASS, "", "Re: Lasku kahteen kertaan", says());
    check("a subject of two matters", &[reused, answer], 4, 3, "").await;
}

#[tokio::test]
async fn mails_that_answer_an_absent_one_are_on_one_ticket() {
    let absent = "In-Reply-To: <absent@x>\r\n";
    let one = ("2026-03-02T11:00:00Z", MINNA, PASS, absent, "Re: Huolto", "Eri asia: sopiiko torstai?".to_owned());
    let other = |from, results| (LATER, from, results, absent, "Re: Huolto", "Vai perjantai?".to_owned());
    check("both hers", &[one.clone(), other(MINNA, PASS)], 3, 0, "same_parent").await;
    check("a stranger's", &[one.clone(), other(VILLE, ELSEWHERE)], 4, 1, "").await;

    // The mail between her first one and that answer comes last: the answer's ticket was none.
    let answer = ("2026-03-02T11:00:00Z", MINNA, PASS, "In-Reply-To: <m3@x>\r\n", "Re: A", "Eri asia?".to_owned());
    let between = (LATER, MINNA, PASS, "In-Reply-To: <m0@x>\r\n", "Re: A", "Lisäys edelliseen.".to_owned());
    check("its parent comes late", &[answer.clone(), between.clone()], 2, 0, "vendor_thread").await;
    let unsigned = (LATER, MINNA, NONE, between.3, between.4, between.5.clone());
    check("its parent might be forged", &[answer.clone(), unsigned], 3, 0, "vendor_thread").await;
    let forged = (LATER, VILLE, ELSEWHERE, "In-Reply-To: <m0@x>\r\n", "Re: A", "Lisäys edelliseen.".to_owned());
    check("a stranger is no parent", &[answer, forged], 4, 2, "").await;

    // Her answer that lost its references opened a ticket, which an answer to it that kept them shows to be none.
    let lost = ("2026-03-02T11:00:00Z", MINNA, PASS, "", "Toinen aihe", "Eri asia?".to_owned());
    let both = "In-Reply-To: <m2@x>\r\nReferences: <m0@x> <m2@x>\r\n";
    let kept = |from, results| (LATER, from, results, both, "Re: Toinen aihe", "Lisäys siihen.".to_owned());
    check("an answer to both", &[lost.clone(), kept(MINNA, PASS)], 2, 0, "vendor_thread").await;
    check("a stranger's answer to both", &[lost.clone(), kept(VILLE, ELSEWHERE)], 4, 2, "").await;
    let named = (lost.0, lost.1, lost.2, "In-Reply-To: <m1@x>\r\n", lost.4, lost.5.clone());
    check("it says itself what it answers", &[named, kept(MINNA, PASS)], 2, 0, "vendor_thread").await;
}
