//! What people say by hand: joined and taken apart, both ways, with evidence that comes before and after it.
//!
//! A story is what was said; then acts, each with what stands after it: whose the messages are, and on which tickets
//! (`a b | c`). An act names messages by their keys and means their contacts, addresses or tickets: `link a b`,
//! `unlink b`, `merge b a`, `split b c`, `move b c to a`.

mod commands;
mod histories;

use crate::desk::Desk;
use crate::late::*;
use lanka::shell::hands::{ActError, Outcome, Saying};
use std::collections::BTreeSet;

const SAYING: Saying<'static> = Saying { by: "anna", why: "he called and said so" };

/// One value of a message.
async fn of(desk: &Desk, key: &str, column: &str) -> String {
    let sql = format!(
        "SELECT coalesce({column}::text, '') FROM message m LEFT JOIN identity i ON i.id = m.identity_id
         WHERE split_part(m.source_key, '@', 1) = '{key}'"
    );
    texts(desk, &sql).await.pop().unwrap_or_else(|| panic!("there is no message {key}"))
}

async fn all(desk: &Desk, keys: &[&str], column: &str) -> Vec<String> {
    let mut all = Vec::new();
    for key in keys {
        all.push(of(desk, key, column).await);
    }
    all
}

/// Does an act.
async fn act(desk: &Desk, text: &str) -> Result<Outcome, ActError> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let hands = desk.hands();
    match words.as_slice() {
        ["link", one, other] => {
            hands.link(&of(desk, one, "i.contact_id").await, &of(desk, other, "i.contact_id").await, SAYING).await
        }
        ["unlink", keys @ ..] => {
            let identities: BTreeSet<String> = all(desk, keys, "i.id").await.into_iter().collect();
            let identities: Vec<String> = identities.into_iter().collect();
            hands.unlink(&of(desk, keys[0], "i.contact_id").await, &identities, SAYING).await
        }
        ["merge", from, into] => {
            hands.merge(&of(desk, from, "m.ticket_id").await, &of(desk, into, "m.ticket_id").await, SAYING).await
        }
        ["split", keys @ ..] => hands.split(&all(desk, keys, "m.id").await, SAYING).await,
        ["move", keys @ .., "to", to] => {
            hands.move_to(&all(desk, keys, "m.id").await, &of(desk, to, "m.ticket_id").await, SAYING).await
        }
        _ => panic!("what is {text}?"),
    }
}

/// All that stands: `export assignments`, contacts, addresses, tickets, who takes part, aliases. Of tickets that were
/// made and ended since, whose ids stay valid for ever, nothing.
async fn standing(desk: &Desk, since: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut snapshot = desk.store.snapshot().await.expect("a snapshot");
    for assignment in snapshot.assignments(None).await.expect("assignments") {
        lines.push(format!("assignment {}", serde_json::to_string(&assignment).expect("JSON")));
    }
    let tables = ["contact", "identity", "ticket", "ticket_participant"];
    let sql: Vec<String> =
        tables.iter().map(|table| format!("SELECT '{table} ' || to_jsonb(t)::text AS line FROM {table} t")).collect();
    let alias = "SELECT concat_ws(' ', 'alias', id, object, now) AS line FROM alias";
    lines.extend(texts(desk, &format!("{} UNION ALL {alias} ORDER BY line", sql.join(" UNION ALL "))).await);
    if !since.is_empty() {
        let gone = "SELECT id::text FROM ticket WHERE merged_into IS NOT NULL
            UNION ALL SELECT id::text FROM contact WHERE merged_into IS NOT NULL";
        for id in texts(desk, gone).await {
            let is_born_since = |line: &&String| line.starts_with("contact") || line.starts_with("ticket");
            if !since.iter().filter(is_born_since).any(|line| line.contains(&format!("{{\"id\": \"{id}\""))) {
                let own =
                    [format!("alias {id}"), format!("ticket {{\"id\": \"{id}"), format!("contact {{\"id\": \"{id}")];
                lines.retain(|line| !own.iter().any(|own| line.starts_with(own)));
            }
        }
    }
    lines
}

fn same(name: &str, found: &[String], expected: &[String]) {
    let missing: Vec<_> = expected.iter().filter(|line| !found.contains(line)).collect();
    let surplus: Vec<_> = found.iter().filter(|line| !expected.contains(line)).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "{name}\nmissing: {missing:#?}\nsurplus: {surplus:#?}");
}

/// Nothing is unsound, and deciding anew changes nothing.
async fn settled(desk: &Desk, name: &str) {
    assert_eq!(unsound(desk).await, Vec::<String>::new(), "{name}");
    let before = rows(desk).await;
    anew(desk).await;
    same(&format!("{name}: decided anew"), &rows(desk).await, &before);
}

type Step = (&'static str, &'static str, &'static str);

/// Plays a story and acts.
async fn played(name: &str, said: &[Said], people: &str, tickets: &str, steps: &[Step]) -> Desk {
    let desk = open().await;
    play(&desk, &said.iter().collect::<Vec<_>>(), false).await;
    assert_eq!(end(&desk).await, (sorted(people), sorted(tickets)), "{name}: before");
    for (text, people, tickets) in steps {
        act(&desk, text).await.unwrap_or_else(|error| panic!("{name}: {text}: {error}"));
        assert_eq!(end(&desk).await, (sorted(people), sorted(tickets)), "{name}: after {text}");
        settled(&desk, &format!("{name}: {text}")).await;
    }
    desk
}

/// An act and its opposite leave what was there before, to the byte.
async fn check(name: &str, said: Vec<Said>, (people, tickets): (&str, &str), acts: [Step; 1], opposite: &'static str) {
    let desk = played(name, &said, people, tickets, &[]).await;
    let before = standing(&desk, &[]).await;
    // Twice: what was taken apart once is joined and taken apart again.
    for _ in 0..2 {
        for (text, people, tickets) in acts {
            act(&desk, text).await.unwrap_or_else(|error| panic!("{name}: {text}: {error}"));
            assert_eq!(end(&desk).await, (sorted(people), sorted(tickets)), "{name}: after {text}");
            settled(&desk, &format!("{name}: {text}")).await;
        }
        act(&desk, opposite).await.unwrap_or_else(|error| panic!("{name}: {opposite}: {error}"));
        assert_eq!(end(&desk).await, (sorted(people), sorted(tickets)), "{name}: after {opposite}");
        settled(&desk, &format!("{name}: {opposite}")).await;
        same(&format!("{name}: {opposite}"), &standing(&desk, &before).await, &before);
    }
}

const NUMBER: &str = "Tilausnumero 40012345.\n\nMinna Virtanen";

fn minna(key: &'static str, day: &str, text: &str) -> Said {
    letter(key, day, MINNA, text)
}

fn pekka(key: &'static str, day: &str, text: &str) -> Said {
    letter(key, day, PEKKA, text)
}

#[tokio::test]
async fn people_joined_and_taken_apart() {
    check(
        "a chat and a mail that nothing ties",
        vec![facebook("f", "03-03 08:00", "P1", "Lamppu on rikki."), minna("a", "03-05 10:00", "Lamppu on rikki.")],
        ("a | f", "a | f"),
        [("link a f", "a f", "a f")],
        "unlink f",
    )
    .await;
    check(
        "the other one goes",
        vec![facebook("f", "03-03 08:00", "P1", "Lamppu on rikki."), minna("a", "03-05 10:00", "Lamppu on rikki.")],
        ("a | f", "a | f"),
        [("link f a", "a f", "a f")],
        "unlink a",
    )
    .await;
    check(
        "what evidence had joined",
        vec![facebook("f", "03-03 08:00", "P1", ORDER), minna("a", "03-05 10:00", NUMBER)],
        ("a f", "a f"),
        [("unlink f", "a | f", "a | f")],
        "link a f",
    )
    .await;
    check(
        "people of other names",
        vec![minna("a", "03-03 08:00", "Lamppu on rikki.\n\nMinna Virtanen"), pekka("b", "03-05 10:00", "Lasku.")],
        ("a | b", "a | b"),
        [("link a b", "a b", "a b")],
        "unlink b",
    )
    .await;
}

#[tokio::test]
async fn tickets_joined_and_taken_apart() {
    let two = || {
        vec![
            minna("a", "03-05 10:00", "Tilaus 40012345 puuttuu."),
            pekka("b", "03-06 10:00", "Tilaus 40099999 puuttuu."),
            letter_with("c", "03-07 10:00", MINNA, "dmarc=pass", &answer_to("a@posti.example"), "Onko uutta?"),
            pekka("d", "03-08 10:00", "Entä minun?"),
        ]
    };
    let stand = ("a c | b d", "a c | b d");
    for (name, act, tickets, opposite) in [
        ("merged into the older", "merge b a", "a b c d", "split b d"),
        ("merged into the younger", "merge a b", "a b c d", "split a c"),
        ("the later one moved", "move c to b", "a | b c d", "move c to a"),
        ("the first moved", "move a to b", "a b d | c", "move a to c"),
        ("both moved", "move a c to b", "a b c d", "split a c"),
        ("the later one split off", "split c", "a | b d | c", "merge c a"),
        ("and moved back", "split c", "a | b d | c", "move c to a"),
        ("the first split off", "split a", "a | b d | c", "merge a c"),
    ] {
        check(name, two(), stand, [(act, stand.0, tickets)], opposite).await;
    }
}

#[tokio::test]
async fn what_stays_is_not_drawn_along() {
    let chat = vec![
        facebook("f", "03-03 08:00", "P1", "Hei, lamppu on rikki."),
        facebook("g", "03-03 08:05", "P1", "Ja lasku on väärin."),
        facebook("h", "03-03 08:10", "P1", "Se lamppu on keittiössä."),
        pekka("b", "03-03 09:00", "Tilaus 40099999 puuttuu."),
    ];
    let people = "f g h | b";
    let steps: [Step; 4] = [
        ("split g", people, "f h | g | b"),
        ("move f to b", people, "f b | h | g"),
        ("merge h g", people, "f b | h g"),
        ("split f", people, "f | b | h g"),
    ];
    let desk = played("a chat of two matters", &chat, people, "f g h | b", &steps).await;
    // What comes then goes by the rules; which of the three is not guessed.
    let more = facebook("k", "03-03 08:15", "P1", "Oletteko siellä?");
    play(&desk, &[&more], false).await;
    assert_eq!(end(&desk).await.1, sorted("f | b | h g k"), "a pause after h");
    settled(&desk, "later").await;
}

#[tokio::test]
async fn words_stand_against_what_comes_later() {
    let two = vec![facebook("f", "03-03 08:00", "P1", ORDER), minna("a", "03-05 10:00", NUMBER)];
    let desk = played("apart", &two, "a f", "a f", &[("unlink f", "a | f", "a | f")]).await;
    let more = [
        minna("c", "03-06 10:00", "Tilaus 40077777 myös.\n\nMinna Virtanen"),
        facebook("g", "03-07 08:00", "P1", "Tilaus 40077777!\n\nT. Minna Virtanen"),
    ];
    play(&desk, &more.iter().collect::<Vec<_>>(), false).await;
    assert_eq!(end(&desk).await.0, sorted("a c | f g"), "an agent's word is more than a number and a name");
    let told = "SELECT count(*) FROM outbox WHERE change = 'contact.merged' AND decided_at > (SELECT max(at) FROM contact_link WHERE act = 'unlink')";
    assert_eq!(desk.count(told).await, 0, "not even for a moment");
    let suggested = "SELECT count(*) FROM suggestion WHERE target_kind = 'contact' AND state = 'open'";
    assert_eq!(desk.count(suggested).await, 0, "nor suggested");
    settled(&desk, "apart").await;

    let two = vec![facebook("f", "03-03 08:00", "P1", "Hei."), minna("a", "03-05 10:00", "Hei.\n\nMinna Virtanen")];
    let desk = played("same", &two, "a | f", "a | f", &[("link a f", "a f", "a f")]).await;
    play(&desk, &[&facebook("g", "03-07 08:00", "P1", "Hei.\n\nT. Pekka Laine")], false).await;
    assert_eq!(end(&desk).await.0, sorted("a f g"), "and more than names that differ");
    settled(&desk, "same").await;

    // What is older than all opens no ticket for others, and what answers one that was moved goes where that is.
    let three = vec![
        minna("a", "03-05 10:00", "Lamppu on rikki."),
        minna("c", "03-06 10:00", "Ja valo vilkkuu."),
        pekka("b", "03-06 11:00", "Tilaus 40099999 puuttuu."),
    ];
    let desk = played("pins", &three, "a c | b", "a c | b", &[("move c to b", "a c | b", "a | b c")]).await;
    let late = [
        letter_with("e", "03-04 10:00", MINNA, "dmarc=pass", "", "Hei, lamppu ei syty."),
        letter_with("g", "03-07 10:00", MINNA, "dmarc=pass", &answer_to("c@posti.example"), "Kiitos."),
    ];
    play(&desk, &late.iter().collect::<Vec<_>>(), false).await;
    assert_eq!(end(&desk).await.1, sorted("a | b c g | e"), "pins stand");
    settled(&desk, "pins").await;
}
