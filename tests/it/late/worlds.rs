//! Small worlds made at random: people with several addresses, numbers of matters, a firm, a household's telephone, a
//! browser in a shop, the desk's answers and closings, a number that is given up. What was said is delivered as it was
//! said and in other orders, one by one and in one batch, some of it twice: the end must be the same.

use super::*;

/// Worlds that are played.
const WORLDS: u64 = 10;
/// Orders in which each is played beside its own.
const ORDERS: usize = 4;
/// Things that are said in a world.
const SAID: usize = 11;

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % n
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

struct Person {
    name: &'static str,
    mail: &'static str,
    page: &'static str,
    number: &'static str,
    phone: &'static str,
}

const PEOPLE: &[Person] = &[
    Person {
        name: "Minna Virtanen",
        mail: "minna@posti.example",
        page: "P1",
        number: "358401112233",
        phone: "0401112233",
    },
    Person {
        name: "Pekka Laine",
        mail: "pekka@kirje.example",
        page: "P2",
        number: "358402223344",
        phone: "0402223344",
    },
    Person {
        name: "Antti Aalto",
        mail: "antti@putki.example",
        page: "P3",
        number: "358403334455",
        phone: "0403334455",
    },
    Person {
        name: "Antti Aalto",
        mail: "a.aalto@putki.example",
        page: "P4",
        number: "358404445566",
        phone: "0404445566",
    },
];

/// The telephone of a household, and the browser of a shop.
const HOUSEHOLD: &str = "0405556677";
const BROWSER: &str = "V1";
const ORDERS_NAMED: &[&str] = &["40012345", "40099999", "40055555"];

fn key(n: usize) -> &'static str {
    Box::leak(format!("k{n}").into_boxed_str())
}

/// What is said in a world, in its order.
fn world(seed: u64) -> Vec<Said> {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut said: Vec<Said> = Vec::new();
    let mut hour = 0;
    for n in 0..SAID {
        hour += 1 + dice.below(60);
        if dice.below(8) == 0 {
            hour += 24 * 50;
        }
        let at =
            at("2026-01-02T08:00:00Z").checked_add(jiff::SignedDuration::from_hours(i64::try_from(hour).unwrap_or(0)));
        let day = at.expect("a day").strftime("%m-%d %H:%M").to_string();
        let person = &PEOPLE[dice.below(PEOPLE.len())];
        let order = dice.one_of(ORDERS_NAMED);
        let words = match dice.below(5) {
            0 => format!("Tilaus {order} puuttuu."),
            1 => format!("Tilausnumero on {order}, lasku puuttuu."),
            2 => "Lamppu on rikki.".to_owned(),
            3 => "Uusi asia: ovi ei mene kiinni.".to_owned(),
            _ => format!("Sähköpostini on {}.", person.mail),
        };
        let signed = match dice.below(4) {
            0 => format!("{words}\n\n{}\nPuh. {}", person.name, person.phone),
            1 => format!("{words}\n\n{}\nPuh. {HOUSEHOLD}", person.name),
            _ => format!("{words}\n\n{}", person.name),
        };
        let from = format!("{} <{}>", person.name, person.mail);
        let earlier: Vec<(&str, String)> = said.iter().filter_map(spoken_by).collect();
        let key = key(n);
        said.push(match dice.below(10) {
            0..=2 => letter(key, &day, &from, &signed),
            3 => facebook(key, &day, person.page, &signed),
            4 => whatsapp(key, &day, person.number, person.name, &words),
            5 => browser(key, &day, BROWSER, &signed),
            6 => match said.iter().rfind(|said| said.channel == "phone" && said.key.starts_with('k')) {
                Some(call) if dice.below(3) == 0 => {
                    note(key, &day, ("phone", call.key), "Soittaja ei ollut hän, jonka numero näkyi.")
                }
                _ => phone(key, &day, dice.one_of(&[person.phone, HOUSEHOLD])),
            },
            7 if !earlier.is_empty() => {
                let (channel, on) = &earlier[dice.below(earlier.len())];
                let on = (*channel, on.as_str());
                match dice.below(4) {
                    0 => reopen(key, &day, on),
                    1 => assign(key, &day, on, dice.one_of(&[Some("Aino"), Some("Eino"), None])),
                    _ => close(key, &day, on),
                }
            }
            8 if earlier.iter().any(|(channel, _)| *channel == "mail") => {
                let mails: Vec<&(&str, String)> = earlier.iter().filter(|(channel, _)| *channel == "mail").collect();
                let (channel, on) = mails[dice.below(mails.len())];
                let domain_of =
                    PEOPLE.iter().find(|person| on.ends_with(person.mail.rsplit_once('@').map_or("", |(_, d)| d)));
                answer(key, &day, (channel, on), domain_of.map_or("", |person| person.mail))
            }
            9 => changed_number(key, &day, PEOPLE[0].number, "358407778899"),
            _ => letter(key, &day, &from, &signed),
        });
    }
    said
}

/// What an agent may act on: the channel, and its id there.
fn spoken_by(said: &Said) -> Option<(&'static str, String)> {
    match said.channel {
        "mail" => {
            let from = said.body.lines().find(|line| line.starts_with("Message-ID:"))?;
            Some(("mail", from.trim_start_matches("Message-ID:").trim().trim_matches(['<', '>']).to_owned()))
        }
        "facebook" => Some(("facebook", said.key.to_owned())),
        _ => None,
    }
}

async fn stands(desk: &Desk) -> (String, String, Vec<String>) {
    let (people, tickets) = end(desk).await;
    // Whether somebody else has the name these days depends on people of whom no more is known than that: who has
    // none but his name to suggest him is found when one of the two is decided on, and not before.
    let suggested = suggested(desk).await.into_iter().filter(|line| !line.ends_with(" full_name"));
    (people, tickets, suggested.collect())
}

#[tokio::test]
async fn worlds_end_the_same_in_whatever_order_they_come() {
    let desk = open().await;
    let mut faults: Vec<String> = Vec::new();
    for seed in 1..=WORLDS {
        let said = world(seed);
        forget(&desk).await;
        play(&desk, &said.iter().collect::<Vec<_>>(), false).await;
        let expected = stands(&desk).await;
        let mut dice = Dice(seed);
        for turn in 0..ORDERS {
            let mut order: Vec<usize> = (0..said.len()).collect();
            for n in (1..order.len()).rev() {
                order.swap(n, dice.below(n + 1));
            }
            order.extend((0..turn).map(|_| dice.below(said.len())));
            forget(&desk).await;
            play(&desk, &order.iter().map(|n| &said[*n]).collect::<Vec<_>>(), turn % 2 == 1).await;
            let found = stands(&desk).await;
            let shown = format!("world {seed}, order {order:?}");
            if found != expected {
                faults.push(format!("{shown}:\n  {found:?}\n  {expected:?}"));
            }
            faults.extend(unsound(&desk).await.into_iter().map(|fault| format!("{shown}: {fault}")));
            let before = rows(&desk).await;
            anew(&desk).await;
            let after = rows(&desk).await;
            // As above: of namesakes.
            let counts = |row: &&String| !row.contains(",full_name,");
            let new = after.iter().filter(counts).filter(|row| !before.contains(row)).map(|row| format!("\n  + {row}"));
            let gone =
                before.iter().filter(counts).filter(|row| !after.contains(row)).map(|row| format!("\n  - {row}"));
            let differs: String = gone.chain(new).collect();
            if !differs.is_empty() {
                faults.push(format!("{shown}: deciding anew changes something{differs}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
