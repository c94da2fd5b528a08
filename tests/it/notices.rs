//! What customers are told by lanka itself: once, in their words, where their answers go; and nobody who could be a program.

use crate::answers::Office;
use crate::desk::{at, call, chat, mail, messenger};
use lanka::pure::domain::Timestamp;
use lanka::pure::domain::id::TicketId;
use lanka::shell::Clock;
use lanka::shell::deliver::{Deliver, Limits};
use serde_json::json;
use sqlx::Row;
use std::sync::Arc;
use std::time::Duration;

const PASS: &str = "dmarc=pass header.from=posti.example";

/// A mail of somebody at posti.example, received at an instant.
fn letter(id: &str, from: &str, received: &str, headers: &str, subject: &str, text: &str) -> String {
    let date = jiff::fmt::rfc2822::to_string(&at(received).to_zoned(jiff::tz::TimeZone::UTC)).expect("a date");
    mail(id, from, &date, PASS, headers, subject, text)
}

/// A clock that stands.
fn stands(at_: &str) -> Clock {
    let at = at(at_);
    Arc::new(move || at)
}

fn wall() -> Clock {
    Arc::new(Timestamp::now)
}

fn now() -> String {
    Timestamp::now().to_string()
}

impl Office {
    /// Keeps, decides and delivers until there is nothing to do.
    async fn settle(&self, now: &Clock) {
        let keeper = self.desk.keeper(now.clone());
        self.desk.decide().await;
        while keeper.until_idle().await.expect("kept") > 0 {
            self.desk.decide().await;
        }
        self.deliver().await;
    }

    /// What was told or withheld, by the vendor's id of the message: `kind` or `kind: why`.
    async fn noted(&self, source_key: &str) -> Vec<String> {
        let rows = sqlx::query(
            "SELECT n.kind || coalesce(': ' || n.withheld, '') FROM notice n JOIN message m ON m.id = n.message_id
             WHERE m.source_key = $1 ORDER BY n.at, 1",
        );
        let rows = rows.bind(source_key).fetch_all(&self.desk.store.pool).await.expect("notices");
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn act(&self, act: &str, ticket: TicketId, more: serde_json::Value) {
        let mut body =
            json!({"event_id": format!("{act}-{}", now()), "type": act, "ticket": ticket.to_string(), "at": now()});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        self.desk.deliver("agents", &now(), body.to_string()).await;
    }
}

#[tokio::test]
async fn what_was_received_is_said_once_in_his_language_and_by_when() {
    let office = Office::open().await;
    // A Friday of winter time: now, the mail's words, and what its writer is told of the time.
    let table = [
        ("2026-11-27T07:00:00Z", "Tulostin ei toimi, voitteko auttaa?", "Vastaamme viimeistään tänään klo 13.00."),
        ("2026-11-27T20:10:00Z", "Tulostin ei toimi, voitteko auttaa?", "Vastaamme viimeistään maanantaina klo 12.00."),
        (
            "2026-11-27T20:10:00Z",
            "Skrivaren fungerar inte, kan ni hjälpa mig?",
            "Vi svarar senast på måndag kl. 12.00.",
        ),
        (
            "2026-11-27T20:10:00Z",
            "Our printer does not work, could you please help us?",
            "We will answer by 12:00 on Monday.",
        ),
        // Independence day is a Sunday; the Friday after it is an ordinary one, Christmas Eve is none.
        ("2026-12-23T20:10:00Z", "Tulostin ei toimi, voitteko auttaa?", "Vastaamme viimeistään maanantaina klo 12.00."),
    ];
    for (n, (received, text, says)) in table.into_iter().enumerate() {
        let (id, from) = (format!("a{n}@posti.example"), format!("Minna <minna{n}@posti.example>"));
        office.desk.deliver("mail", received, letter(&id, &from, received, "", "Tulostin", text)).await;
        let clock = stands(received);
        for _ in 0..3 {
            office.settle(&clock).await;
        }
        let sent = office.post.taken();
        assert_eq!(sent.len(), n + 1, "{received} {text}");
        let notice = &sent[n];
        assert_eq!((notice.from.as_str(), notice.to[0].as_str()), ("", format!("minna{n}@posti.example").as_str()));
        assert_eq!(notice.header("Auto-Submitted").as_deref(), Some("auto-replied"));
        assert_eq!(notice.header("In-Reply-To"), Some(format!("<{id}>")));
        let number: i64 =
            sqlx::query_scalar("SELECT max(number) FROM ticket").fetch_one(&office.desk.store.pool).await.expect("it");
        let words = mail_text(&notice.text);
        assert!(words.contains(says) && words.contains(&format!("#{number}")), "{received} {text}: {words}");
        // What he says next is answered by people.
        let more = letter(
            &format!("b{n}@posti.example"),
            &from,
            received,
            &format!("In-Reply-To: <{id}>\r\n"),
            "Re: Tulostin",
            "Ja vielä yksi asia siitä.",
        );
        office.desk.deliver("mail", received, more).await;
        office.settle(&clock).await;
        assert_eq!(office.post.taken().len(), n + 1);
        assert_eq!(office.noted(&id).await, ["acknowledged"]);
    }
    // Agents see what was said, and it is no answer of theirs.
    let automatic = "SELECT count(*) FROM message WHERE direction = 'from_agent' AND auto = 'notice'";
    assert_eq!(office.desk.count(automatic).await, 5);
    assert_eq!(office.desk.count("SELECT count(*) FROM ticket WHERE first_response_at IS NOT NULL").await, 0);
    let running = "SELECT count(*) FROM ticket_clock WHERE clock = 'first_answer' AND ended_at IS NULL";
    assert_eq!(office.desk.count(running).await, 5);
}

/// The words of a mail of one part.
fn mail_text(mail: &str) -> String {
    let parsed = mail_parser::MessageParser::default().parse(mail.as_bytes()).expect("a mail");
    parsed.body_text(0).expect("words").into_owned()
}

#[tokio::test]
async fn programs_and_strangers_are_told_nothing() {
    let office = Office::open_with("\n[notices]\nnever_to = [\"*@robots.example\"]\n").await;
    let received = now();
    let question = "Tulostin ei toimi, voitteko auttaa?";
    // Its headers, From, what vouches for it, and what is noted.
    let pass = |domain: &str| format!("dmarc=pass header.from={domain}");
    let table = [
        ("Auto-Submitted: auto-replied\r\n", "a@posti.example", pass("posti.example"), None),
        ("Precedence: bulk\r\nList-Id: <all.posti.example>\r\n", "b@posti.example", pass("posti.example"), None),
        ("X-Autoreply: yes\r\n", "c@posti.example", pass("posti.example"), None),
        ("", "MAILER-DAEMON@posti.example", pass("posti.example"), None),
        ("", "noreply@posti.example", pass("posti.example"), Some("acknowledged: never_to")),
        ("", "x@robots.example", pass("robots.example"), Some("acknowledged: never_to")),
        ("", "d@posti.example", "dmarc=none".to_owned(), Some("acknowledged: unverified")),
        ("", "e@posti.example", "dmarc=fail header.from=posti.example".to_owned(), Some("acknowledged: unverified")),
        ("", "f@posti.example", pass("posti.example"), Some("acknowledged")),
    ];
    for (n, (headers, from, results, _)) in table.iter().enumerate() {
        let body =
            letter(&format!("{n}@x.example"), from, &received, headers, "Tulostin", question).replace(PASS, results);
        office.desk.deliver("mail", &received, body).await;
    }
    // Of an old mailbox that is read for the first time, nobody is told; nor of history.
    let long_ago = (Timestamp::now() - jiff::SignedDuration::from_hours(13)).to_string();
    office
        .desk
        .deliver("mail", &received, letter("old@x.example", "g@posti.example", &long_ago, "", "Tulostin", question))
        .await;
    office
        .desk
        .deliver_quietly("mail", letter("history@x.example", "h@posti.example", &received, "", "Tulostin", question))
        .await;
    office.settle(&wall()).await;
    office.settle(&wall()).await;
    for (n, (.., from, _, noted)) in table.iter().enumerate() {
        let expected: Vec<&str> = noted.iter().copied().collect();
        assert_eq!(office.noted(&format!("{n}@x.example")).await, expected, "{from}");
    }
    assert_eq!(office.noted("old@x.example").await, ["acknowledged: old"]);
    assert_eq!(office.noted("history@x.example").await, [""; 0]);
    let sent = office.post.taken();
    assert_eq!(sent.iter().map(|mail| mail.to[0].as_str()).collect::<Vec<_>>(), ["f@posti.example"]);
}

/// The other desk's program says nothing of what it is, has a subject of its own, and answers under a new one each time.
#[tokio::test]
async fn two_desks_acknowledge_each_other_once() {
    for threads in [true, false] {
        let office = Office::open().await;
        let from = "Toinen Tuki <tuki@posti.example>";
        let first =
            letter("0@posti.example", from, &now(), "", "Tilaus", "Haluaisimme tilata kolme tulostinta teiltä.");
        office.desk.deliver("mail", &now(), first).await;
        for round in 1..6 {
            office.settle(&wall()).await;
            let Some(ours) = office.post.taken().get(round - 1).and_then(|mail| mail.header("Message-ID")) else {
                break;
            };
            let (headers, subject) = match threads {
                true => (format!("In-Reply-To: {ours}\r\n"), "Re: Tilaus".to_owned()),
                false => (String::new(), format!("Olemme vastaanottaneet viestinne [{round}]")),
            };
            let text = format!("Kiitos viestistänne, uusi asia on kirjattu numerolla T-{round}. Palaamme siihen pian.");
            let body = letter(&format!("{round}@posti.example"), from, &now(), &headers, &subject, &text);
            office.desk.deliver("mail", &now(), body).await;
        }
        office.settle(&wall()).await;
        assert_eq!(office.post.taken().len(), 1, "answered on the thread: {threads}");
    }
}

/// A program that was killed while it sent may have sent: nobody is told twice.
#[tokio::test]
async fn a_restart_in_the_middle_tells_nobody_twice() {
    const PEOPLE: usize = 1_000;
    let office = Office::open().await;
    let received = now();
    for n in 0..PEOPLE {
        let from = format!("Minna <minna{n}@posti.example>");
        let body = letter(
            &format!("{n}@posti.example"),
            &from,
            &received,
            "",
            "Tulostin",
            "Tulostin ei toimi, voitteko auttaa?",
        );
        office.desk.deliver("mail", &received, body).await;
    }
    office.desk.decide().await;
    // The keeper too is stopped over and over, in whatever it does.
    let keeper = office.desk.keeper(wall());
    for ms in [1, 5, 20, 50] {
        let _ = tokio::time::timeout(Duration::from_millis(ms), keeper.until_idle()).await;
    }
    let given = crate::support::eventually("all are told", async || {
        keeper.until_idle().await.expect("kept");
        let left = office.desk.count("SELECT count(*) FROM touched").await;
        (left == 0).then_some(office.desk.count("SELECT count(*) FROM notice WHERE withheld IS NULL").await)
    });
    let all = i64::try_from(PEOPLE).expect("few");
    assert_eq!(given.await, all);
    office.desk.decide().await;
    assert_eq!(office.desk.count("SELECT count(*) FROM message WHERE auto = 'notice'").await, all);
    for ms in [60, 90, 150, 300] {
        let deliver: Deliver = office.desk.deliverer(Limits::default());
        let (_keep, stop) = tokio::sync::watch::channel(false);
        let killed = tokio::spawn(async move { deliver.run(stop).await });
        tokio::time::sleep(Duration::from_millis(ms)).await;
        killed.abort();
        let _ = killed.await;
    }
    office.deliver().await;
    let sent = office.post.taken();
    let mut to: Vec<&str> = sent.iter().map(|mail| mail.to[0].as_str()).collect();
    to.sort_unstable();
    let all = to.len();
    to.dedup();
    assert_eq!(all, to.len(), "somebody was told twice");
    assert!(all > PEOPLE / 2, "{all} of {PEOPLE} were told");
    let open = "SELECT count(*) FROM outbox WHERE change = 'answer.due' AND state <> 'delivered'";
    assert_eq!(office.desk.count(open).await, 0);
}

#[tokio::test]
async fn one_customer_is_not_told_for_every_ticket() {
    let office = Office::open().await;
    let from = "Minna <minna@posti.example>";
    for n in 0..5 {
        let text = format!("Uusi asia: tulostin numero {n} ei toimi, voitteko auttaa?");
        office
            .desk
            .deliver(
                "mail",
                &now(),
                letter(&format!("{n}@posti.example"), from, &now(), "", &format!("Asia {n}"), &text),
            )
            .await;
    }
    office.settle(&wall()).await;
    let tickets = office.desk.count("SELECT count(*) FROM ticket WHERE merged_into IS NULL").await;
    assert_eq!((tickets, office.post.taken().len()), (5, 1));
    assert_eq!(office.desk.count("SELECT count(*) FROM notice WHERE withheld = 'too_many'").await, 4);
}

#[tokio::test]
async fn customers_hear_how_it_goes_and_a_reply_to_done_opens_it_again() {
    let office = Office::open_with("\n[notices]\nsend = [\"acknowledged\", \"taken\", \"solved\"]\n").await;
    office
        .desk
        .deliver("facebook", &now(), messenger("m_1", "P1", &now(), "Tilaus 40012345 puuttuu, missä se on?"))
        .await;
    office.settle(&wall()).await;
    let ticket = office.ticket("m_1").await;
    office.act("assign", ticket, json!({"owner": "Aino"})).await;
    office.settle(&wall()).await;
    office.act("assign", ticket, json!({"owner": "Eero"})).await;
    office.settle(&wall()).await;
    office.give("k1", ticket, "Se lähti tänään.", None).await.expect("given");
    office.act("close", ticket, json!({})).await;
    office.settle(&wall()).await;
    let beginnings = |office: &Office| -> Vec<String> {
        let got = office.graph.got();
        got.iter().map(|got| got.text.split([' ', ',']).take(2).collect::<Vec<_>>().join(" ")).collect()
    };
    assert_eq!(beginnings(&office), ["Kiitos ", "Asiasi #1", "Se lähti", "Asiasi #1"], "{:?}", office.graph.got());
    assert!(office.graph.got()[3].text.contains("merkitty hoidetuksi"));
    // It was not.
    tokio::time::sleep(Duration::from_millis(20)).await;
    office
        .desk
        .deliver(
            "facebook",
            &now(),
            messenger("m_2", "P1", &now(), "Ei ole tullut vieläkään, missä tilaus 40012345 on?"),
        )
        .await;
    office.settle(&wall()).await;
    assert_eq!(office.ticket("m_2").await, ticket);
    assert_eq!(office.desk.count("SELECT count(*) FROM ticket WHERE state = 'open'").await, 1);
    office.act("close", ticket, json!({})).await;
    office.settle(&wall()).await;
    assert_eq!(office.graph.got().len(), 5, "done a second time is told a second time");
    let solution = "SELECT count(*) FROM ticket_clock WHERE clock = 'solution' AND ended_at IS NOT NULL";
    assert_eq!(
        (
            office.desk.count(solution).await,
            office.desk.count("SELECT count(*) FROM ticket WHERE solved_at IS NOT NULL").await
        ),
        (1, 1)
    );
}

#[tokio::test]
async fn who_is_waited_for_is_told_once_until_he_says_something() {
    let office = Office::open_with("\n[notices]\nsend = [\"awaited\"]\n").await;
    for customer in ["P1", "P2"] {
        let words = "Tilaus 40012345 puuttuu, missä se on?";
        office.desk.deliver("facebook", &now(), messenger(&format!("m_{customer}"), customer, &now(), words)).await;
    }
    office.settle(&wall()).await;
    let (one, other) = (office.ticket("m_P1").await, office.ticket("m_P2").await);
    // An agent's question says itself what is waited for.
    office.give("k1", other, "Mihin osoitteeseen?", None).await.expect("given");
    for ticket in [one, other] {
        office.act("await", ticket, json!({})).await;
    }
    for _ in 0..3 {
        office.settle(&wall()).await;
    }
    assert_eq!(office.noted("m_P1").await, ["awaited"]);
    assert_eq!(office.noted("m_P2").await, ["awaited: answered"]);
    let paused = "SELECT count(*) FROM ticket_clock WHERE clock = 'solution' AND paused_since IS NOT NULL";
    assert_eq!(office.desk.count(paused).await, 2);
    tokio::time::sleep(Duration::from_millis(20)).await;
    office.desk.deliver("facebook", &now(), messenger("m_3", "P1", &now(), "Kaupungin varastolle.")).await;
    office.settle(&wall()).await;
    assert_eq!((office.desk.count(paused).await, office.noted("m_3").await), (1, Vec::new()));
    office.act("await", one, json!({})).await;
    office.settle(&wall()).await;
    assert_eq!(office.noted("m_3").await, ["awaited"]);
    let told = office.graph.got().iter().filter(|got| got.text.starts_with("Odotamme vastaustasi")).count();
    assert_eq!(told, 2);
}

#[tokio::test]
async fn what_the_platform_does_not_take_is_shown_to_the_agent() {
    let office = Office::open().await;
    let before = (Timestamp::now() - jiff::SignedDuration::from_hours(25)).to_string();
    office
        .desk
        .deliver("facebook", &before, messenger("m_1", "P1", &before, "Tilaus 40012345 puuttuu, missä se on?"))
        .await;
    office.settle(&stands(&before)).await;
    let ticket = office.ticket("m_1").await;
    assert_eq!(office.noted("m_1").await, ["acknowledged"]);
    office.act("close", ticket, json!({})).await;
    office.settle(&wall()).await;
    office.settle(&wall()).await;
    assert_eq!(office.noted("m_1").await, ["acknowledged", "solved: window_closed"]);
    let notes: Vec<String> = sqlx::query_scalar("SELECT text FROM message WHERE 'internal' = ANY(marks)")
        .fetch_all(&office.desk.store.pool)
        .await
        .expect("notes");
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].starts_with("The customer was not told that his matter is done."), "{notes:?}");
}

#[tokio::test]
async fn chats_hear_a_line() {
    let office = Office::open().await;
    office.desk.deliver("chat", &now(), chat("c1", "v1", "Moi")).await;
    office.settle(&wall()).await;
    let seen = office.site.seen();
    assert_eq!(seen.len(), 1);
    let line = seen[0].json()["text"].as_str().expect("a text").to_owned();
    assert!(line.starts_with("Kiitos, viestisi on vastaanotettu (#") && !line.contains('\n'), "{line}");
}

/// He is known by WhatsApp, which vouches for his number; that matter is done, and his call is one of its own.
#[tokio::test]
async fn a_missed_call_is_acknowledged_where_the_number_is_vouched_for() {
    let windows = "\n[windows]\none_open = \"1s\"\nclosed_continues = \"1s\"\n\n[notices]\nsend = [\"acknowledged\"]\n";
    let office = Office::open_with(windows).await;
    office.desk.deliver("whatsapp", &now(), whatsapp("w1", "358401234567", "Onko teillä lamppuja?")).await;
    office.settle(&wall()).await;
    office.act("close", office.ticket("w1").await, json!({})).await;
    office.settle(&wall()).await;
    assert_eq!(office.graph.got().len(), 1);
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let missed = |n: &str, id: &str| call(n, &now(), id).replace("65,60,\"ANSWERED\"", "20,0,\"NO ANSWER\"");
    office.desk.deliver("phone", &now(), missed("+358401234567", "1.1")).await;
    office.desk.deliver("phone", &now(), missed("+358409999999", "2.1")).await;
    office.settle(&wall()).await;
    assert_ne!(office.ticket("1.1").await, office.ticket("w1").await);
    assert_eq!(office.noted("1.1").await, ["acknowledged"]);
    // Who only calls is called back.
    assert_eq!(office.noted("2.1").await, ["acknowledged: call_back"]);
    let got = office.graph.got();
    assert_eq!((got.len(), got[1].to.as_str()), (2, "358401234567"));
    assert!(got[1].text.starts_with("Hei, huomasimme puhelusi"), "{}", got[1].text);
}

/// A WhatsApp message.
fn whatsapp(id: &str, from: &str, text: &str) -> String {
    let at = Timestamp::now().as_second().to_string();
    json!({"object": "whatsapp_business_account", "entry": [{"id": "WABA", "changes": [{"field": "messages", "value": {
        "messaging_product": "whatsapp", "metadata": {"display_phone_number": "358942720001", "phone_number_id": "PN"},
        "contacts": [{"profile": {"name": "Minna"}, "wa_id": from}],
        "messages": [{"from": from, "id": id, "timestamp": at, "type": "text", "text": {"body": text}}]}}]}]})
    .to_string()
}
