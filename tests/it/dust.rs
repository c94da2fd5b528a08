//! What gathers dust, and what does not.

use crate::desk::{Desk, at, call, mail};
use lanka::pure::domain::Timestamp;
use lanka::pure::domain::dust::{DustKind, DustSince};
use std::sync::Arc;

const PASS: &str = "dmarc=pass header.from=posti.example";

impl Desk {
    /// What stands since an instant or longer: kind and the vendor's id of the ticket's first message.
    async fn dusty(&self, before: &str) -> Vec<String> {
        let now = at(before);
        let keeper = self.keeper(Arc::new(move || now));
        keeper.until_idle().await.expect("kept");
        let same = Some(now);
        let since = DustSince {
            silent: same,
            awaited: None,
            unanswered: same,
            orphaned: same,
            calls: same,
            suggestions: same,
            quarantine: same,
        };
        let tenants = ["main".to_owned(), "other".to_owned()];
        let (lines, counts) = self.store.dust(&tenants, &DustKind::ALL, &since, 100).await.expect("dust");
        for count in &counts {
            let n = lines.iter().filter(|line| line.kind == count.kind).count();
            assert_eq!(i64::try_from(n), Ok(count.count), "{:?}", count.kind);
        }
        assert!(lines.is_sorted_by_key(|line| line.since), "{lines:?}");
        let mut found = Vec::new();
        for line in lines {
            let key: Option<String> = sqlx::query_scalar(
                "SELECT m.source_key FROM ticket k JOIN message m ON m.id = k.opened_by WHERE k.id = $1",
            )
            .bind(line.ticket.map(|ticket| ticket.0))
            .fetch_optional(&self.store.pool)
            .await
            .expect("its message");
            found.push(format!("{} {}", line.kind.as_str(), key.unwrap_or_default()));
        }
        found.sort();
        found
    }

    async fn letter(&self, id: &str, from: &str, received: &str, headers: &str, text: &str) {
        let date = jiff::fmt::rfc2822::to_string(&at(received).to_zoned(jiff::tz::TimeZone::UTC)).expect("a date");
        self.take("mail", received, mail(id, from, &date, PASS, headers, "Tulostin", text)).await;
    }

    async fn run(&self, sql: &'static str) {
        sqlx::query(sql).execute(&self.store.pool).await.expect(sql);
        sqlx::query("INSERT INTO touched (ticket_id) SELECT id FROM ticket")
            .execute(&self.store.pool)
            .await
            .expect("touched");
    }
}

#[tokio::test]
async fn each_kind_is_found_until_somebody_looks_at_it() {
    let desk = Desk::open().await;
    let question = "Tulostin ei toimi, voitteko auttaa?";
    desk.letter("a1@posti.example", "Minna <minna@posti.example>", "2026-11-02T08:00:00Z", "", question).await;
    desk.letter("b1@posti.example", "Pekka <pekka@posti.example>", "2026-11-03T08:00:00Z", "", question).await;
    let missed =
        call("0401234567", "2026-11-04T08:00:00Z", "1.1").replace("ANSWERED", "NO ANSWER").replace(",65,60,", ",65,0,");
    desk.take("phone", "2026-11-04T08:00:00Z", missed).await;
    let later = "2026-11-20T08:00:00Z";
    assert_eq!(desk.dusty("2026-11-01T08:00:00Z").await, [""; 0]);
    assert_eq!(desk.dusty("2026-11-02T09:00:00Z").await, ["unanswered a1@posti.example"]);
    let first = ["call 1.1", "unanswered a1@posti.example", "unanswered b1@posti.example"];
    assert_eq!(desk.dusty(later).await, first);

    // Answered, it is silent only; thanks do not change that, and another question does.
    let answer = |n: &str, marks: &str| {
        format!(
            "INSERT INTO message (id, tenant, raw_event, item, channel, kind, namespace, source_key, direction, identity_id, ticket_id, occurred_at,
                trusted_at, received_at, text, assurance, marks, sender_name)
             SELECT lanka_uuid_floor('2026-11-05T08:00:0{n}Z'), tenant, raw_event, {n}, channel, kind, namespace, 'r{n}', 'from_agent', identity_id,
                ticket_id, '2026-11-05T08:00:0{n}Z', '2026-11-05T08:00:0{n}Z', '2026-11-05T08:00:0{n}Z', 'Selvitämme.', 2, {marks}, 'Aino'
             FROM message WHERE source_key = 'a1@posti.example'"
        )
    };
    for (n, marks, is_answered) in [("1", "ARRAY['internal']", false), ("2", "'{}'::text[]", true)] {
        sqlx::query(sqlx::AssertSqlSafe(answer(n, marks))).execute(&desk.store.pool).await.expect("an answer");
        desk.run("SELECT 1").await;
        let a = if is_answered { "silent a1@posti.example" } else { "unanswered a1@posti.example" };
        let mut expected = vec!["call 1.1", a, "unanswered b1@posti.example"];
        expected.sort_unstable();
        assert_eq!(desk.dusty(later).await, expected, "{n}");
    }
    // A program's answer moves nothing, and asks nothing; a question of his own asks again.
    let on_it = "In-Reply-To: <a1@posti.example>\r\n";
    let from = "Minna <minna@posti.example>";
    let automatic = format!("{on_it}Auto-Submitted: auto-replied\r\n");
    desk.letter("a2@posti.example", from, "2026-11-12T08:00:00Z", &automatic, "Olen lomalla.").await;
    assert_eq!(
        desk.count("SELECT count(DISTINCT ticket_id) FROM message WHERE source_key LIKE 'a%@posti.example'").await,
        1
    );
    assert!(desk.dusty("2026-11-06T08:00:00Z").await.contains(&"silent a1@posti.example".to_owned()));
    desk.letter("a3@posti.example", from, "2026-11-13T08:00:00Z", on_it, question).await;
    assert!(!desk.dusty("2026-11-12T08:00:00Z").await.iter().any(|line| line.ends_with("a1@posti.example")));
    assert!(desk.dusty(later).await.contains(&"unanswered a1@posti.example".to_owned()));
    desk.run("UPDATE message SET redacted_at = now() WHERE source_key = 'a3@posti.example'").await;
    // It is Aino's, who was last seen then.
    desk.run("UPDATE ticket SET owner = 'Aino', owner_at = '2026-11-02T10:00:00Z' WHERE opened_by IN (SELECT id FROM message WHERE source_key = 'a1@posti.example')").await;
    assert!(!desk.dusty("2026-11-05T08:00:00Z").await.contains(&"orphaned a1@posti.example".to_owned()));
    assert!(desk.dusty("2026-11-05T08:00:03Z").await.contains(&"orphaned a1@posti.example".to_owned()));
    // The customer is waited for; the caller was called back; what is closed waits for nothing.
    desk.run(
        "UPDATE ticket SET awaited_since = '2026-11-05T09:00:00Z', owner = NULL, owner_at = NULL WHERE owner = 'Aino'",
    )
    .await;
    desk.take("phone", "2026-11-06T08:00:00Z", call("0401234567", "2026-11-06T08:00:00Z", "1.2")).await;
    desk.run("UPDATE ticket SET state = 'closed', closed_at = now() WHERE opened_by IN (SELECT id FROM message WHERE source_key = 'b1@posti.example')").await;
    let left = desk.dusty(later).await;
    assert!(left.iter().all(|line| line == "silent 1.1" || line == "silent 1.2"), "{left:?}");
    assert_eq!(
        desk.count("SELECT count(*) FROM ticket_wait w JOIN ticket k ON k.id = w.ticket_id WHERE k.state = 'closed'")
            .await,
        0
    );
    // Imported, it waits for nothing.
    desk.deliver_quietly(
        "mail",
        mail("h1@posti.example", "h@posti.example", "Mon, 2 Mar 2026 10:00:00 +0200", PASS, "", "Vanha", question),
    )
    .await;
    desk.decide().await;
    assert_eq!(desk.dusty(&Timestamp::now().to_string()).await.iter().filter(|line| line.contains("h1@")).count(), 0);
}
