//! The reading side of the API: lists and searches page by page, whose they are, and files.

use crate::api::Office;
use crate::desk::mail;
use crate::late::{MINNA, Said, letter};
use lanka::shell::store::api_token::Scope;
use serde_json::Value;
use sqlx::AssertSqlSafe;
use std::collections::BTreeSet;

/// A mail with an HTML file that calls itself a picture, and a name that leads astray.
const WITH_FILES: &str = "From: Minna Virtanen <minna@posti.example>\r\nTo: asiakaspalvelu@kauppa.example\r\nMessage-ID: <files@x>\r\n\
    Date: Tue, 3 Mar 2026 10:00:00 +0200\r\nSubject: Kuvat\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n\
    --m\r\nContent-Type: text/plain\r\n\r\nLiitteet.\r\n\
    --m\r\nContent-Type: text/html; name=\"../a.html\"\r\nContent-Disposition: attachment; filename=\"../a.html\"\r\n\r\n<script>alert(1)</script>\r\n\
    --m\r\nContent-Type: image/png; name=\"b.png\"\r\nContent-Disposition: attachment; filename=\"b.png\"\r\n\r\nPNG\r\n--m--\r\n";

/// Every row of a list, page by page.
async fn all(office: &Office, token: &str, ask: &str, name: &str) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let (status, page) = office.ask(token, &format!("{ask}{cursor}")).await;
        assert_eq!(status, 200, "{ask}{cursor}: {page}");
        rows.extend(page[name].as_array().expect("a list").clone());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().filter_map(|row| row["id"].as_str()).collect()
}

/// Rows of `main`, a few of `other` between them, several of one instant.
async fn many(office: &Office) {
    for sql in [
        "INSERT INTO contact (id, tenant, name, first_at)
         SELECT gen_random_uuid(), CASE WHEN n % 5 = 0 THEN 'other' ELSE 'main' END, 'Somebody ' || n, now() FROM generate_series(1, 40) n",
        "INSERT INTO ticket (id, tenant, title, kind, state, opened_at, last_at, opened_by)
         SELECT gen_random_uuid(), CASE WHEN n % 5 = 0 THEN 'other' ELSE 'main' END, 'Lamppu ' || n,
            CASE WHEN n % 2 = 0 THEN ARRAY['problem'] ELSE '{}' END, CASE WHEN n % 3 = 0 THEN 'closed' ELSE 'open' END,
            now(), timestamptz '2026-02-01' + make_interval(secs => n / 4), gen_random_uuid() FROM generate_series(1, 40) n",
    ] {
        sqlx::query(sql).execute(&office.desk.store.pool).await.expect("rows");
    }
}

#[tokio::test]
async fn lists_come_in_pages_that_nothing_new_shifts() {
    let office = Office::open().await;
    office.story().await;
    many(&office).await;
    let token = office.token("helpdesk", "main", &[Scope::Read]).await;
    for (ask, name, expected) in [
        (
            "GET /tickets?limit=7",
            "tickets",
            "SELECT count(*) FROM ticket WHERE tenant = 'main' AND merged_into IS NULL",
        ),
        (
            "GET /contacts?limit=7",
            "contacts",
            "SELECT count(*) FROM contact WHERE tenant = 'main' AND merged_into IS NULL",
        ),
        (
            "GET /search?q=lamppu&limit=7",
            "found",
            "SELECT count(*) FROM ticket WHERE tenant = 'main' AND title LIKE 'Lamppu%'",
        ),
        (
            "GET /search?q=somebody&limit=7",
            "found",
            "SELECT count(*) FROM contact WHERE tenant = 'main' AND name LIKE 'Some%'",
        ),
    ] {
        let rows = all(&office, &token, ask, name).await;
        let unique: BTreeSet<&str> = ids(&rows).into_iter().collect();
        let expected = office.desk.count(expected).await;
        assert_eq!((unique.len() as i64, rows.len() as i64), (expected, expected), "{ask}");
    }
    // What comes between two pages is on neither of those that are left.
    let before = all(&office, &token, "GET /tickets?limit=9", "tickets").await;
    let (_, page) = office.ask(&token, "GET /tickets?limit=9").await;
    office
        .desk
        .deliver("mail", "2026-03-09T10:00:00Z", letter("n", "03-09 10:00", MINNA, "Uusi asia: tarjous.").body)
        .await;
    office.desk.decide().await;
    let next = page["next"].as_str().expect("more");
    let (_, second) = office.ask(&token, &format!("GET /tickets?limit=9&cursor={next}")).await;
    assert_eq!(ids(second["tickets"].as_array().unwrap()), ids(&before[9..18]));
    let newest = office.ask(&token, "GET /tickets?limit=1").await.1;
    assert_eq!(newest["tickets"][0]["id"], *office.of("n", "m.ticket_id").await);
    assert!(before.windows(2).all(|pair| pair[0]["last_at"].as_str() >= pair[1]["last_at"].as_str()));
}

#[tokio::test]
async fn tickets_are_filtered() {
    let office = Office::open().await;
    office.story().await;
    many(&office).await;
    let token = office.token("helpdesk", "main", &[Scope::Read]).await;
    let of_contact = format!("contact={}", office.of("a", "i.contact_id").await);
    for (query, condition) in [
        ("state=closed", "state = 'closed'"),
        ("kind=problem", "'problem' = ANY(kind)"),
        ("priority=high", "priority = 'high'"),
        ("channel=facebook", "EXISTS (SELECT 1 FROM message m WHERE m.ticket_id = t.id AND m.channel = 'facebook')"),
        ("channel=nowhere", "false"),
        ("since=2026-03-06T00:00:00Z", "last_at >= '2026-03-06'"),
        ("state=open&kind=problem", "state = 'open' AND 'problem' = ANY(kind)"),
        (
            of_contact.as_str(),
            "EXISTS (SELECT 1 FROM ticket_participant p JOIN contact c ON c.id = p.contact_id WHERE p.ticket_id = t.id AND c.name = 'Minna Virtanen')",
        ),
    ] {
        let rows = all(&office, &token, &format!("GET /tickets?{query}&limit=5"), "tickets").await;
        let sql = format!(
            "SELECT id::text FROM ticket t WHERE tenant = 'main' AND merged_into IS NULL AND {condition} ORDER BY last_at DESC, id DESC"
        );
        let expected: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&office.desk.store.pool).await.expect("ids");
        assert_eq!(ids(&rows), expected, "{query}");
    }
    let (_, of_minna) = office.ask(&token, &format!("GET /tickets?{of_contact}")).await;
    let line = &of_minna["tickets"][0];
    assert!(line["messages"].as_i64() >= Some(1) && line["channels"][0].is_string(), "{line}");
    assert!(line["participants"][0]["identities"][0].is_string(), "{line}");
}

#[tokio::test]
async fn what_was_said_is_found_by_its_words_whoever_asks() {
    let office = Office::open().await;
    office.story().await;
    let odd = [
        letter("zh", "03-07 10:00", MINNA, "我的订单还没有到"),
        letter("ar", "03-07 11:00", MINNA, "أين طلبي؟ مشكلة"),
        letter(
            "pa",
            "03-07 12:00",
            MINNA,
            "Osoite on tie/7b. Viite RF18-5390. Maksoin <b>kahdesti</b>, 100 % varma.\n\n> lainattu salaisuus\n",
        ),
    ];
    for Said { channel, at, body, .. } in odd {
        office.desk.deliver(channel, &at, body).await;
    }
    office.desk.decide().await;
    let token = office.token("helpdesk", "main", &[Scope::Read]).await;
    let other = office.token("elsewhere", "other", &[Scope::Read]).await;
    let table: &[(&str, &[&str])] = &[
        ("tilausnumero", &["a"]),
        ("TILAUSNUM", &["a"]),
        ("40012345", &["a", "f"]),
        ("订单", &["zh"]),
        ("单订", &[]),
        ("طلبي", &["ar"]),
        ("5390", &["pa"]),
        ("RF18-5390", &["pa"]),
        ("kahdesti varma", &["pa"]),
        ("tie/7b", &["pa"]),
        ("salaisuus", &[]),
        ("uusi' | 'x", &[]),
    ];
    for (text, keys) in table {
        let query: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let found = all(&office, &token, &format!("GET /search?q={query}&in=messages"), "found").await;
        let mut expected = Vec::new();
        for key in *keys {
            expected.push(office.of(key, "m.id").await);
        }
        expected.sort();
        let mut found_ids = ids(&found);
        found_ids.sort_unstable();
        assert_eq!(found_ids, expected, "{text}: {found:?}");
        assert_eq!(
            all(&office, &other, &format!("GET /search?q={query}"), "found").await,
            Vec::<Value>::new(),
            "{text}"
        );
    }
    for text in ["minna@posti", "MINNA@posti.example", "Virtanen", "mailto:minna@posti.example", "posti.example"] {
        let found = all(&office, &token, &format!("GET /search?q={text}&in=contacts"), "found").await;
        assert!(
            found.iter().any(|row| row["contact"]["identities"].to_string().contains("minna@")),
            "{text}: {found:?}"
        );
        assert_eq!(
            all(&office, &other, &format!("GET /search?q={text}"), "found").await,
            Vec::<Value>::new(),
            "{text}"
        );
    }
    let (_, page) = office.ask(&token, "GET /search?q=tilausnumero").await;
    assert!(page["found"][0]["excerpt"].as_str().is_some_and(|text| text.contains("Tilausnumero 40012345")), "{page}");
    assert!(page["found"][0]["ticket"]["number"].is_i64(), "{page}");
}

#[tokio::test]
async fn what_is_erased_is_found_no_more() {
    let office = Office::open().await;
    office.story().await;
    let token = office.token("helpdesk", "main", &Scope::ALL).await;
    let asks = ["GET /search?q=40099999", "GET /search?q=pekka", "GET /contacts?identity=mailto:pekka@kirje.example"];
    for ask in asks {
        let (_, page) = office.ask(&token, ask).await;
        assert!(page.to_string().contains("ekka"), "{ask}: {page}");
    }
    let (status, body) = office.ask(&token, "POST /contacts/<contact b>/erase").await;
    assert_eq!(status, 200, "{body}");
    for ask in asks {
        let (_, page) = office.ask(&token, ask).await;
        assert!(!page.to_string().contains("ekka") && !page.to_string().contains("40099999"), "{ask}: {page}");
    }
}

#[tokio::test]
async fn another_firms_things_are_in_no_list() {
    let office = Office::open().await;
    office.story().await;
    let main = office.token("main", "main", &[Scope::Read]).await;
    let other = office.token("other", "other", &[Scope::Read]).await;
    for (ask, name) in [("GET /tickets?limit=5", "tickets"), ("GET /contacts?limit=5", "contacts")] {
        let (ours, theirs) = (all(&office, &main, ask, name).await, all(&office, &other, ask, name).await);
        assert!(!ours.is_empty() && !theirs.is_empty(), "{ask}");
        let ours: BTreeSet<&str> = ids(&ours).into_iter().collect();
        assert!(ids(&theirs).iter().all(|id| !ours.contains(id)), "{ask}");
    }
    for ask in [
        "GET /messages/<message a>",
        "GET /messages/a@posti.example",
        "GET /messages/<message a>/attachments/0",
        "GET /tickets?contact=<contact a>",
    ] {
        assert_eq!(office.ask(&other, ask).await.0, 404, "{ask}");
    }
    assert_eq!(
        office.ask(&other, "GET /contacts?identity=mailto:minna@posti.example").await.1["contacts"],
        serde_json::json!([])
    );
}

#[tokio::test]
async fn a_number_is_looked_up_as_it_is_dialled() {
    let office = Office::open().await;
    office.story().await;
    let id: uuid::Uuid = office.of("a", "i.contact_id").await.parse().expect("an id");
    sqlx::query("INSERT INTO identity (id, tenant, scheme, value, contact_id, assurance, first_at, last_at) VALUES (gen_random_uuid(), 'main', 'tel', '+358401234567', $1, 2, now(), now())")
        .bind(id).execute(&office.desk.store.pool).await.expect("a number");
    let token = office.token("helpdesk", "main", &[Scope::Read]).await;
    for ask in [
        "contacts?identity=tel:040%201234567",
        "contacts?identity=tel:%2B358401234567",
        "search?q=040%201234567&in=contacts",
    ] {
        let (status, page) = office.ask(&token, &format!("GET /{ask}")).await;
        assert_eq!(status, 200, "{ask}: {page}");
        assert!(page.to_string().contains(&id.to_string()), "{ask}: {page}");
    }
}

#[tokio::test]
async fn files_are_for_saving_and_nothing_else() {
    let office = Office::open().await;
    office.desk.take("mail", "2026-03-03T08:00:01Z", WITH_FILES).await;
    office
        .desk
        .take(
            "mail",
            "2026-03-03T09:00:01Z",
            mail("p@x", MINNA, "Tue, 3 Mar 2026 11:00:00 +0200", "dmarc=pass", "", "x", "y"),
        )
        .await;
    let token = office.token("reading", "main", &[Scope::Read]).await;
    let other = office.token("other", "other", &[Scope::Read]).await;
    let message = office.of("files", "m.id").await;
    for (n, media_type, name, bytes) in [
        (0, "application/octet-stream", "a.html\"", "<script>alert(1)</script>"),
        (1, "image/png", "filename=\"b.png\"", "PNG"),
    ] {
        let url = office.url(&format!("/messages/{message}/attachments/{n}"));
        let response = office.client.get(&url).bearer_auth(&token).send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        let header = |name: &str| response.headers()[name].to_str().expect("text").to_owned();
        assert_eq!(
            (header("content-type").as_str(), header("x-content-type-options").as_str()),
            (media_type, "nosniff")
        );
        assert_eq!(header("content-security-policy"), "sandbox; default-src 'none'");
        assert_eq!((header("cache-control").as_str(), header("content-length")), ("no-store", bytes.len().to_string()));
        let disposition = header("content-disposition");
        assert!(
            disposition.starts_with("attachment; ") && disposition.contains(name) && !disposition.contains("../"),
            "{disposition}"
        );
        assert_eq!(response.text().await.expect("the bytes").trim_end(), bytes);
        assert_eq!(office.client.get(&url).bearer_auth(&other).send().await.expect("an answer").status(), 404);
        assert_eq!(office.client.get(&url).send().await.expect("an answer").status(), 401);
    }
    for (part, status) in [("2", 404), ("-1", 404), ("99999999999", 404), ("0x", 404)] {
        let (found, body) = office.ask(&token, &format!("GET /messages/{message}/attachments/{part}")).await;
        assert_eq!(found, status, "{part}: {body}");
    }
    sqlx::query("UPDATE attachment SET content_hash = NULL, lost = 'too large' WHERE ordinal = 1")
        .execute(&office.desk.store.pool)
        .await
        .expect("lost");
    let (status, body) = office.ask(&token, &format!("GET /messages/{message}/attachments/1")).await;
    assert_eq!((status, body["code"].as_str()), (409, Some("attachment_absent")), "{body}");
    assert!(body["detail"].as_str().is_some_and(|detail| detail.contains("too large")), "{body}");
}
