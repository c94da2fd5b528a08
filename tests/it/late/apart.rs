//! What was joined is taken apart, what an agent says stands, nobody holds others up, and mirrors hear of it all.

use super::*;

/// Rows of what stands, with what is given out named after what it is of: an identity and its contact by the
/// address, a message by its key, a ticket by the message that opened it.
async fn standing(desk: &Desk) -> Vec<String> {
    let pairs = "SELECT id::text || ' ' || scheme || ':' || value || '#' || epoch AS line FROM identity
        UNION ALL SELECT id::text || ' ' || source_key FROM message
        UNION ALL SELECT t.id::text || ' ticket-of-' || m.source_key FROM ticket t JOIN message m ON m.id = t.opened_by";
    let lines = "SELECT concat_ws(' ', 'contact', id, kind, name, first_at, 'in', merged_into) AS line FROM contact
        UNION ALL SELECT concat_ws(' ', 'identity', id, contact_id, assurance, names, first_at, last_at, last_message, closed_at,
            'on', coalesce((SELECT now FROM alias WHERE alias.id = last_ticket), last_ticket)) FROM identity
        UNION ALL SELECT concat_ws(' ', 'ticket', id, state, title, kind, priority, opened_at, last_at, closed_at, 'after', follow_up_of, 'in', merged_into) FROM ticket
        UNION ALL SELECT concat_ws(' ', 'part', contact_id, ticket_id, role, entitled_by, since) FROM ticket_participant
        UNION ALL SELECT concat_ws(' ', 'alias', object, id, now) FROM alias
        UNION ALL SELECT concat_ws(' ', 'message', id, identity_id, ticket_id) FROM message
        UNION ALL SELECT concat_ws(' ', 'reference', kind, name, ticket_id, message_id) FROM ticket_reference";
    let mut all = texts(desk, lines).await;
    for pair in texts(desk, pairs).await {
        let (id, name) = pair.split_once(' ').expect("two");
        for line in &mut all {
            *line = line.replace(id, name);
        }
    }
    all.sort();
    all
}

/// The rows themselves, without when an alias was written.
async fn bytes(desk: &Desk) -> Vec<String> {
    let tables = ["contact", "identity", "ticket", "ticket_participant", "ticket_reference"];
    let sql: Vec<String> =
        tables.iter().map(|table| format!("SELECT '{table} ' || t::text AS line FROM {table} t")).collect();
    let alias = "SELECT concat_ws(' ', 'alias', id, object, now) AS line FROM alias";
    texts(desk, &format!("{} UNION ALL {alias} ORDER BY line", sql.join(" UNION ALL "))).await
}

fn same(name: &str, found: &[String], expected: &[String]) {
    let missing: Vec<_> = expected.iter().filter(|line| !found.contains(line)).collect();
    let surplus: Vec<_> = found.iter().filter(|line| !expected.contains(line)).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "{name}\nmissing: {missing:#?}\nsurplus: {surplus:#?}");
}

/// Nobody knows any more what a message stated; gives it, to state it again.
async fn unsay(desk: &Desk, key: &str) {
    let sql = format!(
        "CREATE TABLE IF NOT EXISTS said_before (LIKE fact); INSERT INTO said_before SELECT * FROM fact WHERE message_id IN
            (SELECT id FROM message WHERE split_part(source_key, '@', 1) = '{key}') AND kind <> 'name';
         DELETE FROM fact WHERE id IN (SELECT id FROM said_before)"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&desk.store.pool).await.expect("unsaid");
    anew(desk).await;
}

async fn say_again(desk: &Desk) {
    let sql = "INSERT INTO fact SELECT * FROM said_before; DELETE FROM said_before";
    sqlx::raw_sql(sql).execute(&desk.store.pool).await.expect("said again");
    anew(desk).await;
}

/// Joins, takes apart by what `said[at]` stated, and compares with the stream in which `plain` was said instead.
async fn check_apart(name: &str, said: Vec<Said>, at: usize, plain: Said) {
    for order in orders(said.len()) {
        let (joined, apart) = (open().await, open().await);
        let of = |said: &[Said]| order.iter().map(|n| said[*n].clone()).collect::<Vec<_>>();
        play(&joined, &of(&said).iter().collect::<Vec<_>>(), false).await;
        let is_one = joined.count("SELECT count(DISTINCT contact_id) FROM identity").await;
        let mut without = said.clone();
        without[at] = plain.clone();
        play(&apart, &of(&without).iter().collect::<Vec<_>>(), false).await;
        assert!(
            is_one < apart.count("SELECT count(DISTINCT contact_id) FROM identity").await,
            "{name}: nothing joined"
        );
        unsay(&joined, said[at].key).await;
        assert_eq!(unsound(&joined).await, Vec::<String>::new(), "{name}, {order:?}");
        // What it named is forgotten as a fact; that it stands in the message is not.
        let named =
            |line: &String| !(line.starts_with("reference number") && line.contains(&format!(" {}", said[at].key)));
        let found: Vec<String> = standing(&joined).await.into_iter().filter(named).collect();
        let expected = standing(&apart).await;
        same(&format!("{name}, {order:?}: taken apart"), &found, &expected);
        let first = bytes(&joined).await;
        say_again(&joined).await;
        assert_eq!(unsound(&joined).await, Vec::<String>::new(), "{name}, {order:?}");
        assert_eq!(
            joined.count("SELECT count(DISTINCT contact_id) FROM identity").await,
            is_one,
            "{name}: joined again"
        );
        let again = bytes(&joined).await;
        unsay(&joined, said[at].key).await;
        same(&format!("{name}, {order:?}: taken apart again"), &bytes(&joined).await, &first);
        say_again(&joined).await;
        same(&format!("{name}, {order:?}: joined again"), &bytes(&joined).await, &again);
    }
}

#[tokio::test]
async fn what_is_taken_apart_is_as_if_it_had_never_been_joined() {
    check_apart(
        "a mail that named the number of a chat",
        vec![
            facebook("f", "03-03 08:00", "P1", ORDER),
            letter("a", "03-05 10:00", MINNA, "Tilausnumero 40012345.\n\nMinna Virtanen"),
        ],
        1,
        letter("a", "03-05 10:00", MINNA, "Tilausnumero on se.\n\nMinna Virtanen"),
    )
    .await;
    check_apart(
        "a chat that named the number of a mail",
        vec![
            facebook("f", "03-03 08:00", "P1", "Lamppu on rikki.\n\nT. Minna Virtanen"),
            letter("a", "03-05 10:00", MINNA, "Tilausnumero 40012345.\n\nMinna Virtanen"),
            facebook("g", "03-06 08:00", "P1", "Tilaus on 40012345."),
        ],
        2,
        facebook("g", "03-06 08:00", "P1", "Tilaus on se."),
    )
    .await;
    check_apart(
        "a caller named before the call",
        vec![
            letter("a", "03-05 10:00", MINNA, "Lamppu on rikki.\n\nMinna Virtanen\nPuh. 040 123 4567"),
            phone("c", "03-06 14:00", PHONE),
        ],
        0,
        letter("a", "03-05 10:00", MINNA, "Lamppu on rikki.\n\nMinna Virtanen"),
    )
    .await;
}

/// What mirrors heard, in the order in which it was decided.
async fn told(desk: &Desk) -> Vec<String> {
    let sql = "SELECT concat_ws(' ', o.change, split_part(m.source_key, '@', 1), CASE WHEN o.after_id IS NOT NULL THEN 'waits' END) AS line
        FROM outbox o LEFT JOIN message m ON m.id = o.message_id ORDER BY o.id";
    texts(desk, sql).await
}

#[tokio::test]
async fn mirrors_hear_of_joins_splits_and_moves() {
    let desk = open().await;
    let said = [
        facebook("f", "03-03 08:00", "P1", "Lamppu on rikki.\n\nT. Minna Virtanen"),
        letter("a", "03-05 10:00", MINNA, "Tilausnumero 40012345.\n\nMinna Virtanen"),
    ];
    play(&desk, &said.iter().collect::<Vec<_>>(), false).await;
    let before = told(&desk).await.len();
    let joining = facebook("g", "03-06 08:00", "P1", "Tilaus on 40012345.");
    play(&desk, &[&joining], false).await;
    let heard = told(&desk).await.split_off(before);
    assert!(heard.iter().any(|line| line.starts_with("contact.merged")), "{heard:#?}");
    let before = told(&desk).await.len();
    unsay(&desk, "g").await;
    let heard = told(&desk).await.split_off(before);
    assert!(heard.iter().any(|line| line.starts_with("contact.split")), "{heard:#?}");
    assert_eq!(unsound(&desk).await, Vec::<String>::new());

    let desk = open().await;
    let said = [
        letter("a", "03-05 10:00", MINNA, "Lamppu on rikki.\n\nMinna Virtanen\nPuh. 040 123 4567"),
        phone("c", "03-06 14:00", PHONE),
        letter("b", "03-10 10:00", PEKKA, "Laskusta puuttuu rivi.\n\nPekka Laine\nPuh. 040 123 4567"),
    ];
    play(&desk, &said.iter().collect::<Vec<_>>(), false).await;
    let heard = told(&desk).await;
    for line in ["message.moved c", "message.moved c waits", "contact.split"] {
        assert!(heard.iter().any(|heard| heard == line), "{line}: {heard:#?}");
    }
    assert_eq!(unsound(&desk).await, Vec::<String>::new());
    let detail = "SELECT count(*) FROM outbox o WHERE o.change = 'contact.split' AND (SELECT count(*) FROM contact c
        WHERE c.merged_into IS NULL AND c.id::text IN (o.detail->>'contact', o.detail->>'split')) = 2";
    assert_eq!(desk.count(detail).await, 1, "a split names both who stand now");

    let desk = open().await;
    let said = [
        letter("a", "03-01 10:00", MINNA, "Lamppu on rikki."),
        letter("b", "03-20 10:00", MINNA, "Onko uutta?"),
        letter("c", "03-10 10:00", MINNA, "Hei, odotan vastausta."),
    ];
    play(&desk, &said.iter().collect::<Vec<_>>(), false).await;
    let heard = told(&desk).await;
    // What came between had two open tickets before it, and a third of its own.
    assert_eq!(heard.iter().filter(|line| *line == "ticket.merged").count(), 2, "{heard:#?}");
    assert_eq!(heard.iter().filter(|line| *line == "ticket.merged waits").count(), 2, "{heard:#?}");
    assert_eq!(unsound(&desk).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_an_agent_put_somewhere_stays_there() {
    let desk = open().await;
    let said = [
        letter("a", "03-05 10:00", MINNA, "Tilaus 40012345 puuttuu."),
        letter("b", "03-06 10:00", PEKKA, "Tilaus 40099999 puuttuu."),
        letter("c", "03-07 10:00", PEKKA, "Uusi asia: lasku on väärin."),
    ];
    play(&desk, &said.iter().collect::<Vec<_>>(), false).await;
    assert_eq!(end(&desk).await.1, "a | b | c");
    // An agent finds that Pekka's last mail is about Minna's matter.
    let put = "UPDATE message SET pinned_to = (SELECT id FROM message WHERE text LIKE '%40012345%') WHERE text LIKE 'Uusi asia%';
        UPDATE ticket SET held = true";
    sqlx::raw_sql(put).execute(&desk.store.pool).await.expect("put");
    anew(&desk).await;
    assert_eq!(end(&desk).await.1, "a c | b");
    sqlx::query("UPDATE message SET pinned_to = NULL").execute(&desk.store.pool).await.expect("let go");
    anew(&desk).await;
    assert_eq!(end(&desk).await.1, "a | b | c", "without his word it goes where it came from");
}

#[tokio::test]
async fn who_has_said_too_much_stays_as_he_is_and_holds_nobody_up() {
    let desk = open().await;
    let said = [letter("a", "03-05 10:00", MINNA, "Hei"), letter("b", "03-06 10:00", PEKKA, "Hei")];
    play(&desk, &said.iter().collect::<Vec<_>>(), false).await;
    let more = "INSERT INTO message SELECT (jsonb_populate_record(m, jsonb_build_object('id', lanka_uuid_floor(m.received_at + n * interval '1 ms')))).*
        FROM message m, generate_series(1, 2001) n WHERE m.sender_name LIKE 'Minna%'";
    sqlx::query(more).execute(&desk.store.pool).await.expect("much");
    // What is wrong with Pekka's ticket is mended beside her.
    sqlx::query("UPDATE message SET ticket_id = NULL WHERE sender_name LIKE 'Pekka%'")
        .execute(&desk.store.pool)
        .await
        .expect("lost");
    let hers = "SELECT count(*) FROM message WHERE sender_name LIKE 'Minna%' AND ticket_id IS NOT NULL";
    let before = desk.count(hers).await;
    anew(&desk).await;
    assert_eq!((before, desk.count(hers).await), (2002, 2002), "she stays as she is");
    assert_eq!(desk.count("SELECT count(*) FROM message WHERE ticket_id IS NULL").await, 0, "he is decided on");
    assert_eq!(desk.count("SELECT count(*) FROM reconsider").await, 0, "nobody waits");
}
