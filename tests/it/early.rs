//! Updates that come before the message they are about: the end is the same whatever the order.

use crate::desk::{Desk, at, messenger};
use serde_json::{Value, json};
use sqlx::Row;

/// Something about a message of Messenger, as the vendor delivers it.
fn update(page: &str, time: &str, kind: &str, what: &Value) -> String {
    let ms = at(time).as_millisecond();
    json!({"object": "page", "entry": [{"id": page, "time": ms, "messaging": [{
        "sender": {"id": "P1"}, "recipient": {"id": page}, "timestamp": ms, kind: what}]}]})
    .to_string()
}

fn message(mid: &str) -> String {
    messenger(mid, "P1", "2026-03-10T11:00:00Z", "Missä paketti 40012345?")
}

fn edit(time: &str, text: &str) -> String {
    update("PAGE", time, "message_edit", &json!({"mid": "m1", "text": text, "num_edit": 1}))
}

fn reaction() -> String {
    update("PAGE", "2026-03-10T11:03:00Z", "reaction", &json!({"mid": "m1", "action": "react", "emoji": "👍"}))
}

fn revoke() -> String {
    update("PAGE", "2026-03-10T11:04:00Z", "message", &json!({"mid": "m1", "is_deleted": true}))
}

/// What stands at the end, without ids.
async fn end(desk: &Desk) -> Vec<String> {
    let sql = "WITH m AS (SELECT * FROM message WHERE source_key = 'm1')
        SELECT concat_ws('|', 'message', text, own_text, subject, edited_at, redacted_at IS NOT NULL) AS line FROM m
        UNION ALL SELECT concat_ws('|', 'event', e.kind, e.message_id = m.id, e.ticket_id = m.ticket_id, e.data) FROM ticket_event e, m
        UNION ALL SELECT concat_ws('|', 'item', i.role, i.what, i.source_key, i.message_id = m.id, i.duplicate_of = m.id) FROM raw_item i, m
        UNION ALL SELECT concat_ws('|', 'seen', s.message_id = m.id) FROM seen s, m WHERE s.scope LIKE 'main/%'
        UNION ALL SELECT concat_ws('|', 'told', o.change, o.message_id = m.id, o.ticket_id = m.ticket_id) FROM outbox o, m
        UNION ALL SELECT concat_ws('|', 'waits', key_hash) FROM early_update ORDER BY line";
    let rows = sqlx::query(sql).fetch_all(&desk.store.pool).await.expect(sql);
    rows.iter().map(|row| row.get("line")).collect()
}

/// Delivers in this order, each decided by itself, or all in one batch.
async fn play(deliveries: &[&String], is_one_batch: bool) -> Vec<String> {
    let desk = Desk::open().await;
    for (minute, body) in deliveries.iter().enumerate() {
        desk.deliver("facebook", &format!("2026-03-10T12:{minute:02}:00Z"), body.as_str()).await;
        if !is_one_batch {
            desk.decide().await;
        }
    }
    desk.decide().await;
    end(&desk).await
}

#[tokio::test]
async fn updates_that_come_first_end_as_those_that_come_after() {
    let said = message("m1");
    let (first, second) = (edit("2026-03-10T11:01:00Z", "Missä?"), edit("2026-03-10T11:02:00Z", "Missä on?"));
    let (liked, gone) = (reaction(), revoke());
    let cases: [(&str, &[&String], &[&[usize]]); 3] = [
        (
            "edited twice, and liked",
            &[&said, &first, &second, &liked],
            &[&[1, 2, 3, 0], &[2, 1, 3, 0], &[3, 0, 2, 1], &[2, 0, 1, 3], &[1, 0, 3, 2]],
        ),
        (
            "edited and taken back",
            &[&said, &first, &gone],
            &[&[1, 2, 0], &[2, 1, 0], &[2, 0, 1], &[1, 0, 2], &[0, 2, 1]],
        ),
        ("delivered twice", &[&said, &liked, &liked, &first], &[&[1, 2, 3, 0], &[1, 0, 2, 3], &[3, 1, 0, 2]]),
    ];
    for (name, deliveries, orders) in cases {
        let expected = play(deliveries, false).await;
        assert!(expected.iter().any(|line| line.starts_with("message|")), "{name}: {expected:?}");
        assert!(!expected.iter().any(|line| line.starts_with("waits") || line.contains("|f|")), "{name}: {expected:?}");
        assert_eq!(play(deliveries, true).await, expected, "{name}: in one batch");
        for order in orders {
            let deliveries: Vec<&String> = order.iter().map(|place| deliveries[*place]).collect();
            for is_one_batch in [false, true] {
                assert_eq!(
                    play(&deliveries, is_one_batch).await,
                    expected,
                    "{name}: {order:?}, one batch: {is_one_batch}"
                );
            }
        }
    }
}

#[tokio::test]
async fn an_update_of_another_page_or_message_waits_for_its_own() {
    let elsewhere = update("OTHER", "2026-03-10T11:01:00Z", "message_edit", &json!({"mid": "m1", "text": "Huijaus"}));
    let of_another = update("PAGE", "2026-03-10T11:01:00Z", "message", &json!({"mid": "m2", "is_deleted": true}));
    let said = message("m1");
    for is_one_batch in [false, true] {
        let lines = play(&[&elsewhere, &of_another, &said], is_one_batch).await;
        let is_whole = |line: &String| line.starts_with("message|Missä paketti 40012345?") && line.ends_with("|f");
        assert!(lines.iter().any(is_whole), "{lines:?}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("waits")).count(), 2, "{lines:?}");
    }
}
