//! Clocks where people and programs see them: the API and its lists, the page, the terminal.

use crate::api::Office;
use lanka::shell::store::api_token::Scope;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

/// The clocks of the ticket of a message: times in minutes from now, null where there is none.
async fn clock(office: &Office, of: &str, clock: &str, round: i32, times: [&str; 3], worked_s: &str) {
    let [due, paused, ended] = times.map(|minutes| format!("now() + make_interval(mins => {minutes})"));
    let ticket = office.of(of, "m.ticket_id").await;
    let sql = format!(
        "INSERT INTO ticket_clock (ticket_id, tenant, clock, round, started_at, target_s, worked_s, due_at, paused_since, ended_at,
            channel, rule, contract)
         VALUES ('{ticket}', 'main', '{clock}', {round}, now() - interval '1 hour' + make_interval(secs => {round}), 5400, {worked_s}, {due}, {paused}, {ended},
            'mail', 'rest', CASE WHEN '{clock}' = 'solution' THEN 'gold' END)"
    );
    sqlx::query(AssertSqlSafe(sql)).execute(&office.desk.store.pool).await.expect("a row");
}

/// Two tickets: Minna's is late in its answer, and waits for her; Pekka's is due in an hour. A third has nothing due.
async fn promised() -> (Office, String) {
    let office = Office::open().await;
    office.story().await;
    clock(&office, "a", "first_answer", 1, ["-30", "null", "-40"], "1200").await;
    clock(&office, "a", "next_answer", 1, ["-10", "null", "null"], "null").await;
    clock(&office, "a", "solution", 1, ["null", "-5", "null"], "3000").await;
    clock(&office, "b", "first_answer", 1, ["60", "null", "null"], "null").await;
    clock(&office, "b", "solution", 1, ["600", "null", "null"], "null").await;
    let token = office.token("helpdesk", "main", &[Scope::Read]).await;
    (office, token)
}

fn ids(page: &Value) -> Vec<&str> {
    page["tickets"].as_array().expect("a list").iter().filter_map(|line| line["id"].as_str()).collect()
}

#[tokio::test]
async fn a_ticket_tells_its_clocks() {
    let (office, token) = promised().await;
    let (a, b) = (office.of("a", "m.ticket_id").await, office.of("b", "m.ticket_id").await);
    assert_ne!(a, b);
    let (status, ticket) = office.ask(&token, &format!("GET /tickets/{a}")).await;
    assert_eq!(status, 200, "{ticket}");
    let told: Vec<Value> = ticket["clocks"]
        .as_array()
        .expect("clocks")
        .iter()
        .map(|clock| {
            assert_eq!(clock["due_at"].is_null(), clock["state"] == "paused", "{clock}");
            json!([
                clock["clock"],
                clock["round"],
                clock["state"],
                clock["target_s"],
                clock["worked_s"],
                clock["contract"]
            ])
        })
        .collect();
    let expected = json!([
        ["first_answer", 1, "met", 5400, 1200, null],
        ["next_answer", 1, "breached", 5400, null, null],
        ["solution", 1, "paused", 5400, 3000, "gold"],
    ]);
    assert_eq!(Value::from(told), expected);
    assert_eq!(ticket["clocks"][0]["rule"], "rest");

    // Of a long talk the latest rounds are told, and all that is no round of it.
    for round in 2..=40 {
        clock(&office, "a", "next_answer", round, ["-10", "null", "-20"], "60").await;
    }
    let (_, ticket) = office.ask(&token, &format!("GET /tickets/{a}")).await;
    let rounds: Vec<(Option<&str>, Option<i64>)> = ticket["clocks"]
        .as_array()
        .expect("clocks")
        .iter()
        .map(|c| (c["clock"].as_str(), c["round"].as_i64()))
        .collect();
    assert_eq!(rounds.len(), 22, "{rounds:?}");
    assert!(rounds.contains(&(Some("next_answer"), Some(40))) && !rounds.contains(&(Some("next_answer"), Some(20))));
    assert!(rounds.contains(&(Some("first_answer"), Some(1))) && rounds.contains(&(Some("solution"), Some(1))));
}

#[tokio::test]
async fn lists_by_what_is_due() {
    let (office, token) = promised().await;
    let (a, b) = (office.of("a", "m.ticket_id").await, office.of("b", "m.ticket_id").await);
    let hours = |hours: i64| {
        let at = lanka::pure::domain::Timestamp::now() + jiff::SignedDuration::from_hours(hours);
        at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    };
    let (soon, later) = (hours(2), hours(24));
    for (query, expected) in [
        ("overdue".to_owned(), vec![&a]),
        (format!("due_before={soon}&sort=due"), vec![&a, &b]),
        (format!("due_before={later}&sort=due&state=open"), vec![&a, &b]),
        ("sort=due".to_owned(), vec![&a, &b]),
        ("sort=due&overdue".to_owned(), vec![&a]),
        ("sort=due&state=closed".to_owned(), vec![]),
        ("overdue&priority=low".to_owned(), vec![]),
    ] {
        let (status, page) = office.ask(&token, &format!("GET /tickets?{query}")).await;
        assert_eq!((status, ids(&page)), (200, expected.into_iter().map(String::as_str).collect()), "{query}");
    }
    // Page by page, each once.
    let (_, first) = office.ask(&token, "GET /tickets?sort=due&limit=1").await;
    let next = first["next"].as_str().expect("more");
    let (_, second) = office.ask(&token, &format!("GET /tickets?sort=due&limit=1&cursor={next}")).await;
    assert_eq!((ids(&first), ids(&second)), (vec![a.as_str()], vec![b.as_str()]));
    assert!(second["next"].is_null() && first["tickets"][0]["due_at"].is_string(), "{first} {second}");
    for query in ["due_before=tomorrow", "sort=title", "overdue=perhaps"] {
        let (status, _) = office.ask(&token, &format!("GET /tickets?{query}")).await;
        assert_eq!(status, 400, "{query}");
    }
    // Another firm's are nobody's business.
    let other = office.token("other", "other", &[Scope::Read]).await;
    assert_eq!(ids(&office.ask(&other, "GET /tickets?sort=due").await.1), Vec::<&str>::new());

    let lines = office.desk.store.threads_due(None, 10).await.expect("threads");
    let due: Vec<String> = lines.iter().map(|line| line.id.to_string()).collect();
    assert_eq!(due, [a, b]);
    assert!(lines[0].due_at < lines[1].due_at);
    let all = office.desk.store.threads(None, None, 50).await.expect("threads");
    assert_eq!(all.iter().filter(|line| line.due_at.is_some()).count(), 2);
}
