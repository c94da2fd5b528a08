//! Tools that are looked at for what agents did while the way to lanka was away: whatever came by the webhook, twice or never,
//! it is there once, and the customer has it once.

use super::chatwoot::Chatwoot;
use super::zammad::Zammad;
use super::zendesk::Zendesk;
use super::{Fault, Office, Stand, Tool, asked};
use crate::late::texts;
use lanka::pure::domain::Timestamp;
use lanka::shell::intake::poll::PollError;
use serde_json::json;

/// Looks until nothing is found, and decides; a look that fails is taken up again. Gives the sentences of those that failed.
async fn look<T: Tool>(office: &Office, stand: &Stand<T>) -> Vec<String> {
    let mut failed = Vec::new();
    for _ in 0..100 {
        stand.tool().wait();
        match office.desk.look("helpdesk").await {
            Ok(true) => {}
            Ok(false) => {
                office.desk.decide().await;
                return failed;
            }
            Err(why) => failed.push(why.to_string()),
        }
    }
    panic!("it never ends: {failed:#?}");
}

/// What customers got.
fn got(office: &Office) -> Vec<String> {
    office.graph.got().into_iter().map(|got| got.text).collect()
}

/// What lanka has: messages, internal ones, tickets that are closed, and deliveries.
async fn tally(office: &Office) -> [i64; 4] {
    [
        office.desk.count("SELECT count(*) FROM message").await,
        office.desk.count("SELECT count(*) FROM message WHERE 'internal' = ANY(marks)").await,
        office.desk.count("SELECT count(*) FROM ticket WHERE state = 'closed'").await,
        office.desk.count("SELECT count(*) FROM raw_event").await,
    ]
}

async fn open<T: Tool>() -> (Stand<T>, Office) {
    let stand = Stand::<T>::open().await;
    let office = Office::open(&T::config("helpdesk", &stand.url())).await;
    (stand, office)
}

/// Every webhook is lost.
async fn away<T: Tool>() {
    let (stand, office) = open::<T>().await;
    let ticket = asked::<T>(&office).await;
    stand.tool().write(&ticket, "Hankala asiakas.", true);
    stand.tool().write(&ticket, "Se lähti eilen.", false);
    tokio::time::sleep(T::TICK).await;
    stand.tool().close(&ticket);
    assert_eq!(look(&office, &stand).await, Vec::<String>::new());
    office.deliver().await;
    let before = tally(&office).await;
    assert_eq!((got(&office), &before[..3]), (vec!["Se lähti eilen.".to_owned()], &[3, 1, 1][..]));
    let by = texts(&office.desk, "SELECT sender_name FROM message WHERE text = 'Se lähti eilen.'").await;
    assert_eq!(by, ["Emma Taylor"]);

    // Our own articles are there too, and nothing else is new.
    look(&office, &stand).await;
    assert_eq!(tally(&office).await, before);
    // Where times are whole seconds, what was just done is looked at once more.
    tokio::time::sleep(3 * T::TICK).await;
    look(&office, &stand).await;
    let asked_before = stand.asked();
    look(&office, &stand).await;
    assert_eq!((stand.asked() - asked_before, tally(&office).await), (1, before), "one request where nothing is new");

    tokio::time::sleep(T::TICK).await;
    let now = Timestamp::now().to_string();
    office.desk.take("facebook", &now, crate::desk::messenger("m_2", "P1", &now, "Tilaus 40012345 ei tullut.")).await;
    office.deliver().await;
    look(&office, &stand).await;
    office.deliver().await;
    assert_eq!((office.ticket("m_2").await, &tally(&office).await[..3]), (ticket.clone(), &[4, 1, 0][..]));
    assert_eq!((stand.tool().state(&ticket), got(&office).len()), ("open".to_owned(), 1));
    assert_eq!((office.quarantined().await, stand.offences()), (0, Vec::new()));
}

/// What comes by the webhook and by a look, in either order, is one.
async fn both<T: Tool>() {
    let (stand, office) = open::<T>().await;
    assert!(office.desk.is_called("helpdesk"));
    let ticket = asked::<T>(&office).await;
    let first = stand.tool().write(&ticket, "Se lähti eilen.", false);
    office.hook::<T>("helpdesk", &first).await.expect("signed");
    look(&office, &stand).await;
    let second = stand.tool().write(&ticket, "Seuranta: 123.", false);
    look(&office, &stand).await;
    office.hook::<T>("helpdesk", &second).await.expect("signed");
    tokio::time::sleep(T::TICK).await;
    let closed = stand.tool().close(&ticket);
    office.hook::<T>("helpdesk", &closed).await.expect("signed");
    look(&office, &stand).await;
    office.deliver().await;
    look(&office, &stand).await;
    office.deliver().await;
    assert_eq!(got(&office), ["Se lähti eilen.", "Seuranta: 123."]);
    assert_eq!(tally(&office).await[..3], [3, 0, 1]);
    let closings = "SELECT count(*) FROM raw_item WHERE what = 'close' AND role <> 'repeat'";
    assert_eq!(office.desk.count(closings).await, 1);
    assert_eq!((office.quarantined().await, stand.offences()), (0, Vec::new()));
}

/// A tool that fails in the middle of a look: the next takes up what is left.
async fn failing<T: Tool>(fault: Fault, times: usize) {
    let (stand, office) = open::<T>().await;
    let ticket = asked::<T>(&office).await;
    stand.tool().write(&ticket, "Se lähti eilen.", false);
    stand.tool().write(&ticket, "Hankala asiakas.", true);
    tokio::time::sleep(T::TICK).await;
    stand.tool().close(&ticket);
    stand.fail(fault, times);
    assert!(office.desk.look("helpdesk").await.is_ok(), "where looks begin is kept before anything is asked");
    let failed = look(&office, &stand).await;
    assert!(failed.len() >= 2, "{fault:?}: {failed:?}");
    office.deliver().await;
    assert_eq!((got(&office), &tally(&office).await[..3]), (vec!["Se lähti eilen.".to_owned()], &[3, 1, 1][..]));
    assert_eq!((office.quarantined().await, stand.offences()), (0, Vec::new()), "{fault:?}");
}

/// That lanka closes a thread there and opens it again is nobody's act, however it is told back.
async fn echoes<T: Tool>() {
    let (stand, office) = open::<T>().await;
    let ticket = asked::<T>(&office).await;
    let acts = async || office.desk.count("SELECT count(*) FROM ticket_event WHERE kind IN ('reopen', 'assign')").await;
    let stands = async || texts(&office.desk, "SELECT state FROM ticket").await;
    look(&office, &stand).await;
    for n in 2..4 {
        tokio::time::sleep(T::TICK).await;
        let closed = json!({"event_id": format!("d-{n}"), "type": "close", "ticket": ticket, "at": Timestamp::now().to_string()});
        office.desk.take("api", &Timestamp::now().to_string(), closed.to_string()).await;
        office.deliver().await;
        assert_eq!((stand.tool().state(&ticket) == "open", stands().await), (false, vec!["closed".to_owned()]));
        look(&office, &stand).await;
        tokio::time::sleep(T::TICK).await;
        let now = Timestamp::now().to_string();
        let word = crate::desk::messenger(&format!("m_{n}"), "P1", &now, "Tilaus 40012345 ei tullut.");
        office.desk.take("facebook", &now, word).await;
        // The tool stands as it stood, for all that it has heard.
        look(&office, &stand).await;
        assert_eq!(stands().await, ["open"]);
        office.deliver().await;
        look(&office, &stand).await;
        office.deliver().await;
        assert_eq!((stand.tool().state(&ticket), stands().await), ("open".to_owned(), vec!["open".to_owned()]));
    }
    assert_eq!((acts().await, got(&office)), (0, Vec::<String>::new()));
    assert_eq!((office.quarantined().await, stand.offences()), (0, Vec::new()));
}

/// What lanka does there itself, a merge with all that the tool leaves of one, is not told back.
async fn ours<T: Tool>() {
    let (stand, office) = open::<T>().await;
    let first = asked::<T>(&office).await;
    let now = Timestamp::now().to_string();
    office.desk.take("facebook", &now, crate::desk::messenger("m_9", "P9", &now, "Hei, onko lamppuja?")).await;
    office.deliver().await;
    look(&office, &stand).await;
    tokio::time::sleep(T::TICK).await;
    let other = office.ticket("m_9").await;
    office.desk.hands().merge(&other, &first, super::SAYING).await.expect("merged");
    office.deliver().await;
    look(&office, &stand).await;
    office.deliver().await;
    assert_eq!(tally(&office).await[..2], [2, 0]);
    let open = texts(&office.desk, "SELECT state FROM ticket WHERE merged_into IS NULL").await;
    assert_eq!((open, got(&office)), (vec!["open".to_owned()], Vec::new()));
    assert_eq!((office.quarantined().await, stand.offences()), (0, Vec::new()));
}

/// A token that may not list is said, and stops no webhook.
async fn refused<T: Tool>() {
    let (stand, office) = open::<T>().await;
    let ticket = asked::<T>(&office).await;
    assert!(office.desk.look("helpdesk").await.is_ok());
    stand.fail(Fault::Refused(403), 1);
    let why = office.desk.look("helpdesk").await.expect_err("it is refused");
    assert!(matches!(&why, PollError::Later(why) if why.contains("403") && why.contains("README")), "{why}");
    let reply = stand.tool().write(&ticket, "Se lähti eilen.", false);
    office.hook::<T>("helpdesk", &reply).await.expect("signed");
    office.deliver().await;
    assert_eq!(got(&office), ["Se lähti eilen."]);
}

/// Without a webhook looks are all.
async fn alone<T: Tool>() {
    let stand = Stand::<T>::open().await;
    let config = T::config("helpdesk", &stand.url()).replace("webhook_secret = { env = \"SECRET\" }\n", "");
    assert!(!config.contains("webhook_secret"));
    let office = Office::open(&config).await;
    assert!(!office.desk.is_called("helpdesk"));
    let ticket = asked::<T>(&office).await;
    let reply = stand.tool().write(&ticket, "Se lähti eilen.", false);
    assert!(office.hook::<T>("helpdesk", &reply).await.is_err(), "nobody is believed");
    look(&office, &stand).await;
    office.deliver().await;
    assert_eq!(got(&office), ["Se lähti eilen."]);
}

/// More threads than one look takes, between those of others, over more than one page; and one with more messages than a page.
async fn pages<T: Tool>() {
    let (stand, office) = open::<T>().await;
    let customers = 1..=30;
    for n in customers.clone() {
        let now = Timestamp::now().to_string();
        let question = crate::desk::messenger(&format!("m_{n}"), &format!("P{n}"), &now, "Hei, onko lamppuja?");
        office.desk.deliver("facebook", &now, question).await;
    }
    office.desk.decide().await;
    office.deliver().await;
    for n in customers.clone() {
        let ticket = office.ticket(&format!("m_{n}")).await;
        let mut tool = stand.tool();
        tool.bustle(5);
        tool.write(&ticket, &format!("Vastaus {n}."), false);
    }
    let long = office.ticket("m_7").await;
    for n in 1..=45 {
        stand.tool().write(&long, &format!("Muistio {n}."), true);
    }
    let is_more = [office.desk.look("helpdesk").await, office.desk.look("helpdesk").await];
    assert!(is_more.iter().all(|is_more| matches!(is_more, Ok(true))), "{is_more:?}");
    look(&office, &stand).await;
    office.deliver().await;
    let mut got = got(&office);
    got.sort();
    let mut expected: Vec<String> = customers.map(|n| format!("Vastaus {n}.")).collect();
    expected.sort();
    assert_eq!(got, expected);
    assert_eq!(tally(&office).await[..2], [30 + 30 + 45, 45]);
    let notes =
        texts(&office.desk, "SELECT text FROM message WHERE 'internal' = ANY(marks) ORDER BY raw_event, item").await;
    assert_eq!(notes, (1..=45).map(|n| format!("Muistio {n}.")).collect::<Vec<_>>(), "in their order");
    assert_eq!((office.quarantined().await, stand.offences()), (0, Vec::new()));
}

macro_rules! looks {
    ($($module:ident: $tool:ty;)*) => {$(
        mod $module {
            use super::*;

            #[tokio::test]
            async fn what_no_webhook_told_is_found() {
                away::<$tool>().await;
            }

            #[tokio::test]
            async fn what_comes_both_ways_is_one() {
                both::<$tool>().await;
            }

            #[tokio::test]
            async fn a_look_that_fails_loses_nothing() {
                for status in [500, 403, 429] {
                    failing::<$tool>(Fault::Refused(status), usize::MAX).await;
                }
                failing::<$tool>(Fault::Busy, usize::MAX).await;
                failing::<$tool>(Fault::Lost, usize::MAX).await;
                failing::<$tool>(Fault::Late, 2).await;
            }

            #[tokio::test]
            async fn what_is_ours_does_not_come_back() {
                ours::<$tool>().await;
            }

            #[tokio::test]
            async fn what_lanka_closes_and_opens_is_no_act() {
                echoes::<$tool>().await;
            }

            #[tokio::test]
            async fn a_refusal_is_said_and_stops_no_webhook() {
                refused::<$tool>().await;
            }

            #[tokio::test]
            async fn without_a_webhook_looks_are_all() {
                alone::<$tool>().await;
            }

            #[tokio::test]
            async fn many_threads_come_over_many_pages() {
                pages::<$tool>().await;
            }
        }
    )*};
}

looks! {
    of_zammad: Zammad;
    of_chatwoot: Chatwoot;
    of_zendesk: Zendesk;
}
