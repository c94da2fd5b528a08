//! Notifications in a chat room, over real sockets.

use crate::desk::{Desk, chat, messenger};
use crate::endpoint::{Answer, Endpoint};
use crate::support::scratch;
use lanka::pure::domain::Timestamp;
use lanka::shell::deliver::Limits;
use std::time::Duration;

#[tokio::test]
async fn a_room_hears_of_what_people_should_look_at() {
    let (room, dir) = (Endpoint::start().await, scratch());
    let address = dir.path().join("room.url");
    std::fs::write(&address, format!("{}\n", room.url("/services/T/B/x"))).expect("a secret");
    let desk = Desk::open_with(|config| {
        config.replace("https://desk.example/hook", &room.url("/hook"))
            + &format!(
                "\n[http]\nallow_private_addresses = true\n\n[mirrors.room]\nkind = \"slack\"\nurl = {{ file = \"{}\" }}\n\
                 ticket_url = \"https://desk.example/t/{{number}}\"\ncustomer_text = true\non = [\"opened\", \"message\"]\n",
                address.display()
            )
    })
    .await;
    let now = Timestamp::now().to_string();
    desk.take("facebook", &now, messenger("m_1", "P1", &now, "Missä lamppu <viipyy>?")).await;
    desk.take("chat", &now, chat("c_1", "v-1", "Moi @all")).await;
    // The room is away for a moment: what it was not told yet is told then, once.
    room.answer([Answer::Status(503), Answer::Status(503)]);
    let deliver = desk.deliverer(Limits { backoff_first: Duration::from_millis(50), ..Limits::default() });
    let told = || {
        let requests =
            room.seen().into_iter().filter(|request| request.path.starts_with("/services") && request.status == 200);
        let mut lines: Vec<String> =
            requests.map(|request| request.json()["text"].as_str().expect("a text").to_owned()).collect();
        lines.sort();
        lines
    };
    for _ in 0..100 {
        deliver.until_idle().await.expect("delivered");
        if told().len() >= 4 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(
        told(),
        [
            "New ticket <https://desk.example/t/1|#1> (problem): Missä lamppu &lt;viipyy&gt;?",
            "New ticket <https://desk.example/t/2|#2> (low priority): Moi @\u{200B}all",
            "The customer wrote on ticket <https://desk.example/t/1|#1> (problem, facebook): Missä lamppu &lt;viipyy&gt;?",
            "The customer wrote on ticket <https://desk.example/t/2|#2> (low priority, chat): Moi @\u{200B}all",
        ]
    );
}
