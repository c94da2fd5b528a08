//! The story lanka must serve: a question on Messenger, a complaint by mail, a call from the car.

use crate::desk::{Desk, call, mail, messenger};

const PASS: &str = "dmarc=pass header.from=posti.example";

fn chat(number: bool) -> String {
    let order = if number { " Tilaus 40012345." } else { "" };
    messenger(
        "m_1",
        "PSID-77",
        "2026-03-03T08:00:00Z",
        &format!("Hei, milloin kahvinkeitin tulee?{order}\n\nT. Minna Virtanen"),
    )
}

fn complaint() -> String {
    mail(
        "a1@posti.example",
        "Minna Virtanen <minna.virtanen@posti.example>",
        "Thu, 05 Mar 2026 10:00:00 +0000",
        PASS,
        "",
        "Reklamaatio",
        "Hei,\r\n\r\nkahvinkeitin tuli rikki. Tilausnumero 40012345.\r\n\r\nTerveisin\r\nMinna Virtanen\r\nPuh. 040 123 4567",
    )
}

fn phone() -> String {
    call("0401234567", "2026-03-06T14:00:00Z", "1772805600.1")
}

pub async fn run(order: [&str; 3], number: bool) -> Desk {
    let desk = Desk::open().await;
    for (step, which) in order.into_iter().enumerate() {
        let received = format!("2026-03-06T15:0{step}:00Z");
        match which {
            "chat" => desk.take("facebook", &received, chat(number)).await,
            "mail" => desk.take("mail", &received, complaint()).await,
            _ => desk.take("phone", &received, phone()).await,
        }
    }
    desk
}

#[tokio::test]
async fn the_story_is_one_contact_and_one_ticket_whichever_comes_first() {
    for order in [
        ["chat", "mail", "call"],
        ["chat", "call", "mail"],
        ["mail", "chat", "call"],
        ["mail", "call", "chat"],
        ["call", "chat", "mail"],
        ["call", "mail", "chat"],
    ] {
        let desk = run(order, true).await;
        assert_eq!(desk.tally().await, (1, 1, 0), "{order:?}");
        let ticket = desk.store.threads(None, None, 10).await.expect("threads").remove(0);
        assert_eq!(ticket.messages, 3, "{order:?}");
        assert_eq!(ticket.participants, ["Minna Virtanen"], "{order:?}");
        let gaps = desk.count("SELECT count(*) FROM lane l WHERE l.last_sequence <> (SELECT count(*) FROM outbox o WHERE o.ticket_id = l.ticket_id)").await;
        assert_eq!(gaps, 0, "{order:?}: a lane has a gap");
    }
}

#[tokio::test]
async fn the_story_in_one_batch_is_the_same() {
    let desk = Desk::open().await;
    desk.deliver("phone", "2026-03-06T15:00:00Z", phone()).await;
    desk.deliver("facebook", "2026-03-06T15:00:01Z", chat(true)).await;
    desk.deliver("mail", "2026-03-06T15:00:02Z", complaint()).await;
    desk.decide().await;
    assert_eq!(desk.tally().await, (1, 1, 0));
}

#[tokio::test]
async fn without_the_number_the_chat_stays_apart_and_is_suggested() {
    for order in [["chat", "mail", "call"], ["mail", "call", "chat"], ["call", "chat", "mail"]] {
        let desk = run(order, false).await;
        assert_eq!(desk.tally().await, (2, 2, 0), "{order:?}");
        assert_eq!(
            desk.count("SELECT count(*) FROM suggestion WHERE target_kind = 'contact' AND state = 'open'").await,
            1,
            "{order:?}"
        );
    }
}
