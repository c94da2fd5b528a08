//! The mailbox mirror over a real Dovecot: what agents see in their folder, and what becomes of their replies.

use crate::desk::{Desk, call, chat, mail, messenger, quoting};
use crate::dovecot::{Dovecot, Lying, PASSWORD, USER};
use crate::graph::Graph;
use lanka::pure::domain::Timestamp;
use lanka::shell::deliver::{Deliver, Limits};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A desk whose agents work in a folder.
struct Office {
    desk: Desk,
    deliver: Deliver,
    dovecot: Dovecot,
    graph: Graph,
}

impl Office {
    async fn open() -> Self {
        let (dovecot, graph) = (Dovecot::start().await, Graph::open().await);
        let meta = format!(
            "verify_token = {{ env = \"SECRET\" }}\naccess_token = {{ env = \"SECRET\" }}\napi_url = \"{}\"",
            graph.url()
        );
        std::fs::write(dovecot.authority().with_file_name("password"), PASSWORD).expect("a password");
        let inbox = format!(
            "[mirrors.inbox]\nkind = \"mailbox\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nuser = \"{USER}\"\n\
             password = {{ file = \"{}\" }}\nfolder = \"Tukipyynnöt\"\naddress = \"asiakaspalvelu@kauppa.example\"\n",
            dovecot.port,
            dovecot.authority().with_file_name("password").display(),
        );
        let desk = Desk::open_with(|config| {
            let (before, _) = config.split_once("[mirrors.desk]").expect("the mirror of the desk");
            before.replace("verify_token = { env = \"SECRET\" }", &meta)
                + &inbox
                + "\n[http]\nallow_private_addresses = true\n\n[channels.agents]\nkind = \"desk\"\nsecret = { env = \"WHSEC\" }\n"
        })
        .await;
        let deliver = desk.deliverer(Limits { backoff_first: Duration::from_millis(300), ..Limits::default() });
        Self { desk, deliver, dovecot, graph }
    }

    async fn take(&self, channel: &str, body: impl Into<Vec<u8>>) {
        self.desk.take(channel, &now(), body).await;
        self.deliver().await;
    }

    async fn deliver(&self) {
        self.deliver.until_idle().await.expect("delivered");
        let left = self.desk.count("SELECT count(*) FROM outbox WHERE state <> 'delivered'").await;
        assert_eq!(left, 0, "all is delivered");
    }

    /// What lies in the folder, by UID.
    async fn folder(&self) -> Vec<Lying> {
        self.dovecot.lying(FOLDER).await
    }

    /// The conversations that the server makes of the folder.
    async fn conversations(&self) -> BTreeSet<BTreeSet<u32>> {
        self.dovecot.conversations(FOLDER).await
    }

    /// Mails by the ticket that they say they are of.
    async fn tickets(&self) -> BTreeMap<String, BTreeSet<u32>> {
        let mut tickets: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
        for mail in self.folder().await {
            tickets.entry(mail.header("X-Lanka-Ticket")).or_default().insert(mail.uid);
        }
        tickets
    }

    /// A mail of an agent to where a mail of the folder is to be replied to.
    fn reply(&self, to: &Lying, from: &str, results: &str, text: &str) -> String {
        let address = to.header("Reply-To").trim_matches(['<', '>']).to_owned();
        let headers =
            format!("In-Reply-To: {}\r\nReferences: {}\r\n", to.header("Message-ID"), to.header("References"));
        let id = format!("r{}@kauppa.example", Timestamp::now().as_microsecond());
        let quoted = "\r\n\r\nAm 23.11.2026 um 10:00 schrieb Minna:\r\n> [facebook] 2026-11-23\r\n> Tilaus puuttuu\r\n";
        mail(&id, from, &date(), results, &headers, "Re: Tilaus", &format!("{text}{quoted}"))
            .replace("To: asiakaspalvelu@kauppa.example", &format!("To: {address}"))
    }
}

/// "Tukipyynnöt" on the wire (RFC 3501 5.1.3).
const FOLDER: &str = "Tukipyynn&APY-t";
const MINNA: &str = "Minna Virtanen <minna@posti.example>";
const PASS: &str = "dmarc=pass header.from=posti.example";
const AINO: &str = "Aino Aalto <aino@kauppa.example>";
const OURS: &str = "dmarc=pass header.from=kauppa.example";

fn now() -> String {
    Timestamp::now().to_string()
}

fn date() -> String {
    jiff::fmt::rfc2822::to_string(&Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC)).expect("a date")
}

fn letter(id: &str, subject: &str, text: &str) -> String {
    mail(id, MINNA, &date(), PASS, "", subject, text)
}

#[tokio::test]
async fn a_ticket_is_one_conversation_over_all_channels() {
    let office = Office::open().await;
    office.take("facebook", messenger("m_1", "P1", &now(), "Tilaus 40012345 puuttuu.\n\nMinna Virtanen")).await;
    // A mail's time is to the second.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    office.take("mail", letter("a@posti.example", "Tilaus", "Tilausnumero 40012345.\n\nMinna Virtanen")).await;
    office.take("chat", chat("c1", "v1", "Onko teillä lamppuja? <script>alert(1)</script>")).await;
    office.take("phone", call("+358401234567", &now(), "1.1")).await;
    let folder = office.folder().await;
    assert_eq!(folder.len(), 4);
    let tickets = office.tickets().await;
    assert_eq!(tickets.len(), 3, "{tickets:?}");
    assert_eq!(office.conversations().await, tickets.into_values().collect());
    for mail in &folder {
        let addressed = ["From", "To", "Cc", "Reply-To"].map(|name| mail.header(name)).concat();
        assert!(!addressed.contains("minna@") && addressed.contains("asiakaspalvelu+agent."), "{addressed}");
    }
    let subjects: BTreeSet<String> = folder.iter().map(|mail| mail.header("Subject")).collect();
    assert_eq!(subjects.len(), 3);
    let of = |word: &str| folder.iter().find(|mail| mail.text.contains(word)).unwrap_or_else(|| panic!("{word}"));
    assert!(of("[facebook]").text.contains("messenger:P1"), "agents see where an answer goes");
    let phoned = of("[phone]").text.replace("=\r\n", "");
    assert!(phoned.contains("call back"), "{phoned}");

    // A day later the platform takes nothing any more; what is shown of a message is shown once, whatever happens to it.
    let edit = serde_json::json!({"object": "page", "entry": [{"id": "PAGE", "messaging": [{"sender": {"id": "P1"}, "recipient": {"id": "PAGE"},
        "timestamp": Timestamp::now().as_millisecond(), "message_edit": {"mid": "m_1", "text": "Tilaus 40012345 puuttuu yhä.", "num_edit": 1}}]}]});
    office.take("facebook", edit.to_string()).await;
    let folder = office.folder().await;
    assert_eq!(folder.len(), 4);
    assert_eq!(folder.iter().filter(|mail| mail.text.contains("yh=C3=A4")).count(), 1);
}

#[tokio::test]
async fn an_agent_answers_by_replying() {
    let office = Office::open().await;
    office.take("facebook", messenger("m_1", "P1", &now(), "Tilaus puuttuu.")).await;
    let lying = office.folder().await.remove(0);
    office.take("mail", office.reply(&lying, AINO, OURS, "Se lähti eilen.\r\n\r\nTerveisin\r\nAino")).await;
    let got = office.graph.got();
    assert_eq!((got.len(), got[0].to.as_str()), (1, "P1"));
    assert_eq!(got[0].text, "Se lähti eilen.\n\nTerveisin\nAino", "nothing that it quotes");
    // Colleagues see it in the conversation, read; the customer's mail is answered.
    let folder = office.folder().await;
    assert_eq!((folder.len(), office.conversations().await.len()), (2, 1));
    assert!(folder[0].flags.contains("\\Answered") && folder[1].flags.contains("\\Seen"), "{folder:?}");

    // A note stays among colleagues; an address is picked.
    office.take("mail", office.reply(&lying, AINO, OURS, "/note\r\nHankala asiakas.")).await;
    assert_eq!(office.graph.got().len(), 1);
    office.take("mail", office.reply(&lying, AINO, OURS, "/to messenger:P1\r\nToinen viesti.")).await;
    assert_eq!(office.graph.got()[1].text, "Toinen viesti.");
    assert_eq!(office.folder().await.len(), 4);
}

/// Whoever has got hold of the address, or writes in an agent's name, answers nobody.
#[tokio::test]
async fn only_agents_answer() {
    let office = Office::open().await;
    office.take("facebook", messenger("m_1", "P1", &now(), "Tilaus puuttuu.")).await;
    let lying = office.folder().await.remove(0);
    let table = [
        ("a customer", MINNA, PASS),
        ("an agent's name, denied by the domain", AINO, "dmarc=fail header.from=kauppa.example"),
        ("an agent's name, unproven", AINO, "dmarc=none"),
        (
            "a lookalike domain",
            "Aino Aalto <aino@kauppa.example.evil.example>",
            "dmarc=pass header.from=kauppa.example.evil.example",
        ),
    ];
    for (name, from, results) in table {
        office.take("mail", office.reply(&lying, from, results, "Maksakaa tänne.")).await;
        assert_eq!(office.graph.got().len(), 0, "{name}");
    }
    let sent = office.desk.count("SELECT count(*) FROM message WHERE direction = 'from_agent'").await;
    assert_eq!(sent, 0);
}

/// What an agent's mail program writes by itself is shown to colleagues, says what it is, and goes to no customer.
#[tokio::test]
async fn mail_programs_answer_nobody() {
    let office = Office::open().await;
    office.take("facebook", messenger("m_1", "P1", &now(), "Tilaus puuttuu.")).await;
    let lying = office.folder().await.remove(0);
    assert_eq!(lying.header("Auto-Submitted"), "auto-generated", "mail programs answer no such mail");
    for (field, text) in [
        ("Auto-Submitted: auto-replied", "Olen lomalla."),
        ("X-Auto-Response-Suppress: All", "/to messenger:P1\r\nOlen yhä lomalla."),
        ("X-Failed-Recipients: aino@kauppa.example", "Delivery failed."),
    ] {
        let mail = office.reply(&lying, AINO, OURS, text).replace("MIME-Version", &format!("{field}\r\nMIME-Version"));
        office.take("mail", mail).await;
        assert_eq!(office.graph.got(), [], "{field}");
        let folder = office.folder().await;
        let shown = folder.iter().filter(|lying| lying.text.contains("! AUTOMATIC: a program wrote it")).count();
        assert_eq!(shown, folder.len() - 1, "{field}");
    }
    assert_eq!((office.folder().await.len(), office.conversations().await.len()), (4, 1));
    assert_eq!(office.desk.count("SELECT count(*) FROM ticket").await, 1);
}

#[tokio::test]
async fn what_happens_to_tickets_happens_in_the_folder() {
    let office = Office::open().await;
    office.take("facebook", messenger("m_1", "P1", &now(), "Lamppu on rikki.")).await;
    office.take("mail", letter("a@posti.example", "Lamppu", "Se ei syty.")).await;
    assert_eq!(office.conversations().await.len(), 2);
    // An agent says that they are one matter.
    let ids: Vec<uuid::Uuid> = sqlx::query_scalar("SELECT id FROM ticket ORDER BY opened_at")
        .fetch_all(&office.desk.store.pool)
        .await
        .expect("tickets");
    let saying = lanka::shell::hands::Saying { by: "aino", why: "sama asia" };
    let done = office.desk.hands().merge(&ids[1].to_string(), &ids[0].to_string(), saying).await.expect("merged");
    office.deliver().await;
    assert_eq!(office.conversations().await.len(), 1, "{done:?}");
    let shown = office.folder().await.iter().filter(|mail| !mail.header("X-Lanka-Message").is_empty()).count();
    assert_eq!(shown, 2);

    // Another is closed, and open again when he writes.
    office.take("facebook", messenger("m_2", "P2", &now(), "Tuoli on rikki.")).await;
    let ticket: uuid::Uuid = sqlx::query_scalar("SELECT ticket_id FROM message WHERE source_key = 'm_2'")
        .fetch_one(&office.desk.store.pool)
        .await
        .expect("it");
    let close = serde_json::json!({"event_id": "d-1", "type": "close", "ticket": ticket.to_string(), "at": now()});
    office.take("agents", close.to_string()).await;
    let closed = |folder: &[Lying]| folder.iter().filter(|mail| mail.flags.contains("$LankaClosed")).count();
    assert_eq!(closed(&office.folder().await), 1);
    tokio::time::sleep(Duration::from_millis(20)).await;
    office.take("facebook", quoting("m_3", "P2", "Tuoli on yhä rikki.", "m_2")).await;
    assert_eq!(closed(&office.folder().await), 0);

    // He is erased, and gone from the folder.
    let contact: uuid::Uuid = sqlx::query_scalar("SELECT i.contact_id FROM identity i WHERE i.value = 'P1'")
        .fetch_one(&office.desk.store.pool)
        .await
        .expect("him");
    let privacy = lanka::shell::privacy::Privacy::new(office.desk.store.clone(), office.desk.ingest.registry());
    let saying = lanka::shell::hands::Saying { by: "aino", why: "pyysi" };
    privacy.erase(Some("main"), &contact.to_string(), saying).await.expect("erased");
    office.deliver().await;
    let folder = office.folder().await;
    assert!(!folder.iter().any(|mail| mail.text.contains("Lamppu on rikki")), "{folder:?}");
    assert!(folder.iter().any(|mail| mail.text.contains("Tuoli")), "others stay");
}

/// What lanka put into the folder is read by a mail channel: the channel reads that folder too, or an agent moves a mail of it
/// into the inbox, or has it delivered there.
#[tokio::test]
async fn what_lanka_put_there_is_no_news() {
    let office = Office::open().await;
    office.take("facebook", messenger("m_1", "P1", &now(), "Tilaus puuttuu.")).await;
    let lying = office.folder().await.remove(0);
    office.take("mail", office.reply(&lying, AINO, OURS, "Se lähti eilen.")).await;
    let count = "SELECT count(*) FROM message";
    assert_eq!((office.desk.count(count).await, office.graph.got().len()), (2, 1));
    let received = format!(
        "Received: from mail.kauppa.example (mail.kauppa.example [192.0.2.1])\r\n\tby mx.kauppa.example with ESMTPS id x1;\r\n\t{}\r\n\
         Authentication-Results: mx.kauppa.example;\r\n\t{OURS}\r\n",
        date()
    );
    for mail in office.folder().await {
        office.take("mail", mail.text.clone()).await;
        office.take("mail", format!("{received}{}", mail.text)).await;
    }
    assert_eq!((office.desk.count(count).await, office.graph.got().len()), (2, 1));
    assert_eq!(office.folder().await.len(), 2);
    assert_eq!(office.desk.tally().await.2, 0, "nor is anything the matter with it");
    // Who merely says that he is lanka keeps no mail of his from being seen.
    let forged = received.replace(OURS, "dmarc=none");
    office.take("mail", format!("{forged}{}", lying.text)).await;
    assert_eq!((office.desk.count(count).await, office.graph.got().len()), (3, 1));
}

/// The server goes away, connections break, daemons are killed: every mail is there once.
#[tokio::test]
async fn nothing_is_there_twice() {
    let mut office = Office::open().await;
    office.take("facebook", messenger("m_1", "P1", &now(), "Yksi.")).await;
    // Killed after the mail was put there, before that was written down.
    for _ in 0..3 {
        sqlx::query("UPDATE outbox SET state = 'pending', due_at = now()")
            .execute(&office.desk.store.pool)
            .await
            .expect("as after a crash");
        office.deliver().await;
    }
    assert_eq!(office.folder().await.len(), 1);
    office.dovecot.stop();
    for n in 2..5 {
        office.desk.take("facebook", &now(), messenger(&format!("m_{n}"), "P1", &now(), &format!("Numero {n}."))).await;
        office.deliver.until_idle().await.expect("tried");
    }
    office.dovecot.start_again().await;
    for _ in 0..40 {
        office.deliver.until_idle().await.expect("delivered");
        if office.desk.count("SELECT count(*) FROM outbox WHERE state <> 'delivered'").await == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    office.dovecot.kill_connections();
    office.take_again().await;
    let texts: Vec<String> = office.folder().await.iter().map(|mail| mail.header("X-Lanka-Message")).collect();
    assert_eq!((texts.len(), texts.iter().collect::<BTreeSet<_>>().len()), (5, 5));
    assert_eq!(office.conversations().await.len(), 1);
}

impl Office {
    /// A message while the connections of the carrier are broken: the first attempt fails, the next goes.
    async fn take_again(&self) {
        self.desk.take("facebook", &now(), messenger("m_9", "P1", &now(), "Viimeinen.")).await;
        for _ in 0..20 {
            self.deliver.until_idle().await.expect("tried");
            if self.desk.count("SELECT count(*) FROM outbox WHERE state <> 'delivered'").await == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        panic!("not delivered");
    }
}
