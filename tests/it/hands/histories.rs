//! Random histories of acts over a small world, and back again: each act undone in turn, the last one first, leaves
//! what was there before it. The generator is seeded: a failure names its seed.

use super::*;
use crate::desk::at;
use lanka::pure::domain::Timestamp;

/// Histories.
const SEEDS: u64 = 30;

/// Acts of one.
const ACTS: usize = 12;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn draw(&mut self, of: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(of.max(1)).expect("small")).expect("small")
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.draw(of.len())]
    }

    fn some(&mut self, of: &[String]) -> Vec<String> {
        let some: Vec<String> = of.iter().filter(|_| self.draw(2) == 0).cloned().collect();
        if some.is_empty() { vec![self.one(of).clone()] } else { some }
    }
}

/// Nine messages of two to five people on two to nine tickets, with and without evidence between them.
fn world(dice: &mut Dice) -> Vec<Said> {
    const KEYS: [&str; 9] = ["a", "b", "c", "d", "e", "f", "g", "h", "k"];
    const TEXTS: [&str; 6] = [
        "Hei, lamppu on rikki.",
        "Tilaus 40012345 puuttuu.\n\nTerveisin\nMinna Virtanen",
        "Tilaus 40077777 puuttuu.",
        "Uusi asia: lasku on väärin.",
        "Onko uutta?",
        "Hei",
    ];
    let mut said: Vec<Said> = Vec::new();
    for (n, key) in KEYS.into_iter().enumerate() {
        let text = *dice.one(&TEXTS);
        let hour = n + 8;
        let day: &'static str = Box::leak(format!("03-{:02} {hour:02}:00", 1 + dice.draw(12)).into_boxed_str());
        let answered = said.iter().filter(|said| said.channel == "mail").map(|said| said.key).collect::<Vec<_>>();
        let headers = match answered.is_empty() || dice.draw(2) == 0 {
            true => String::new(),
            false => answer_to(&format!("{}@posti.example", dice.one(&answered))),
        };
        said.push(match dice.draw(5) {
            0 => letter_with(key, day, MINNA, "dmarc=pass", &headers, text),
            1 => letter_with(key, day, "Pekka Laine <pekka@posti.example>", "dmarc=pass", &headers, text),
            2 => facebook(key, day, "P1", text),
            3 => whatsapp(key, day, "358401234567", "Minna Virtanen", text),
            _ => phone(key, day, "0407654321"),
        });
    }
    said
}

/// Where each message is and whose, by key: `a contact ticket state`.
async fn partition(desk: &Desk) -> Vec<String> {
    let sql = "SELECT concat_ws(' ', split_part(m.source_key, '@', 1), i.contact_id, m.ticket_id, t.state) AS line FROM message m
        LEFT JOIN identity i ON i.id = m.identity_id LEFT JOIN ticket t ON t.id = m.ticket_id ORDER BY line";
    texts(desk, sql).await
}

/// What takes an act back.
enum Back {
    /// These are the identities of each contact: what was drawn along goes too.
    People(Vec<Vec<String>>),
    /// These messages go on a ticket, or on one of their own if it ended.
    Move(Vec<String>, String),
    Split(Vec<String>),
}

/// Does something at random, if it is possible. Says what, and what takes it back.
async fn random_act(desk: &Desk, dice: &mut Dice) -> Option<(String, Back)> {
    let hands = desk.hands();
    // In the order of what was said, so that the same seed does the same.
    let first = |of: &str| {
        format!("(SELECT min(m.source_key) FROM message m LEFT JOIN identity o ON o.id = m.identity_id WHERE {of})")
    };
    let contacts = format!(
        "SELECT c.id::text FROM contact c WHERE merged_into IS NULL AND kind = 'person' ORDER BY {}",
        first("o.contact_id = c.id")
    );
    let tickets =
        format!("SELECT t.id::text FROM ticket t WHERE merged_into IS NULL ORDER BY {}", first("m.ticket_id = t.id"));
    let (contacts, tickets) = (texts(desk, &contacts).await, texts(desk, &tickets).await);
    let on = async |ticket: &str| {
        texts(desk, &format!("SELECT id::text FROM message WHERE ticket_id = '{ticket}' ORDER BY source_key")).await
    };
    let of = async |contact: &str| {
        let own = first("o.id = i.id");
        texts(desk, &format!("SELECT i.id::text FROM identity i WHERE i.contact_id = '{contact}' ORDER BY {own}")).await
    };
    let ticket = dice.one(&tickets).clone();
    let other = dice.one(&tickets).clone();
    let mut people = Vec::new();
    for contact in &contacts {
        people.push(of(contact).await);
    }
    let done = match dice.draw(5) {
        0 => {
            let (one, other) = (dice.one(&contacts).clone(), dice.one(&contacts).clone());
            hands.link(&one, &other, SAYING).await.ok()?;
            (format!("link {one} {other}"), Back::People(people))
        }
        1 => {
            let contact = dice.one(&contacts).clone();
            let some = dice.some(&of(&contact).await);
            hands.unlink(&contact, &some, SAYING).await.ok()?;
            (format!("unlink {contact} {some:?}"), Back::People(people))
        }
        2 => {
            let messages = on(&ticket).await;
            hands.merge(&ticket, &other, SAYING).await.ok()?;
            (format!("merge {ticket} {other}"), Back::Split(messages))
        }
        3 => {
            let some = dice.some(&on(&ticket).await);
            hands.split(&some, SAYING).await.ok()?;
            (format!("split {some:?}"), Back::Move(some, ticket))
        }
        _ => {
            let some = dice.some(&on(&ticket).await);
            hands.move_to(&some, &other, SAYING).await.ok()?;
            (format!("move {some:?} to {other}"), Back::Move(some, ticket))
        }
    };
    Some(done)
}

/// First what does not belong together goes apart, then what does is joined.
async fn people_back(desk: &Desk, groups: &[Vec<String>]) -> Result<(), ActError> {
    let hands = desk.hands();
    for group in groups {
        let with = format!(
            "SELECT id::text FROM identity WHERE contact_id = (SELECT contact_id FROM identity WHERE id = '{}')",
            group[0]
        );
        let strangers: Vec<String> = texts(desk, &with).await.into_iter().filter(|id| !group.contains(id)).collect();
        if !strangers.is_empty() {
            hands.unlink(&group[0], &strangers, SAYING).await?;
        }
    }
    for group in groups {
        for other in &group[1..] {
            match hands.link(&group[0], other, SAYING).await {
                Ok(_) | Err(ActError::Nothing(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

async fn take_back(desk: &Desk, back: &Back) -> Result<(), ActError> {
    let hands = desk.hands();
    match back {
        Back::People(groups) => people_back(desk, groups).await,
        Back::Split(messages) => hands.split(messages, SAYING).await.map(|_| ()),
        Back::Move(messages, ticket) => match hands.move_to(messages, ticket, SAYING).await {
            // It ended when they went: its id leads to where they are.
            Err(ActError::Nothing(_)) => hands.split(messages, SAYING).await.map(|_| ()),
            other => other.map(|_| ()),
        },
    }
}

async fn check(seed: u64) {
    let mut dice = Dice(seed);
    let desk = open().await;
    let said = world(&mut dice);
    // Each arrives later than the one before it, so that ids are in the order of arrival.
    let mut received = Timestamp::MIN;
    for said in &said {
        received = at(&said.at).max(received + std::time::Duration::from_secs(60));
        desk.take(said.channel, &received.to_string(), said.body.as_str()).await;
    }
    settled(&desk, &format!("seed {seed}: the world")).await;
    let mut history: Vec<(String, Back, Vec<String>)> = Vec::new();
    for _ in 0..ACTS * 3 {
        if history.len() == ACTS {
            break;
        }
        let before = partition(&desk).await;
        if let Some((text, back)) = random_act(&desk, &mut dice).await {
            settled(&desk, &format!("seed {seed}: {text}")).await;
            history.push((text, back, before));
        }
    }
    assert!(history.len() > ACTS / 2, "seed {seed}: hardly anything was done");
    while let Some((text, back, before)) = history.pop() {
        let name = format!("seed {seed}: back from {text}, after {}", history.len());
        take_back(&desk, &back).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        same(&name, &partition(&desk).await, &before);
        settled(&desk, &name).await;
    }
}

/// A share of the histories: each test is a process of its own, and they run beside each other.
async fn check_share(share: u64) {
    let shares = 5;
    for seed in (0..SEEDS).filter(|seed| seed % shares == share) {
        check(seed).await;
    }
}

#[tokio::test]
async fn random_acts_and_back_again_0() {
    check_share(0).await;
}

#[tokio::test]
async fn random_acts_and_back_again_1() {
    check_share(1).await;
}

#[tokio::test]
async fn random_acts_and_back_again_2() {
    check_share(2).await;
}

#[tokio::test]
async fn random_acts_and_back_again_3() {
    check_share(3).await;
}

#[tokio::test]
async fn random_acts_and_back_again_4() {
    check_share(4).await;
}
