//! The page of a thread through the socket: who gets in, what he sees of hostile texts, and suggestions answered without
//! JavaScript.

use crate::api::{Office, PUBLIC_URL};
use crate::commands::Place;
use crate::late::{MINNA, facebook, letter, titled};
use lanka::pure::domain::Timestamp;
use lanka::pure::domain::id::TicketId;
use lanka::shell::page::link::{Allow, Links, ThreadLink};
use lanka::shell::store::api_token::Scope;
use regex::Regex;
use std::collections::BTreeSet;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// What a browser gets.
struct Seen {
    status: u16,
    headers: reqwest::header::HeaderMap,
    text: String,
}

impl Office {
    fn link(&self, ticket: &str, allow: Allow, good_for: Duration) -> String {
        self.link_of(ticket, "main", allow, good_for, Timestamp::now())
    }

    fn link_of(&self, ticket: &str, tenant: &str, allow: Allow, good_for: Duration, now: Timestamp) -> String {
        let links = Links::new(&self.desk.keys, Some(PUBLIC_URL.parse().expect("a URL")));
        let ticket: TicketId = ticket.parse().expect("an id");
        links.sign(&ThreadLink::new((ticket, tenant), now, good_for, (allow, Some("Änna".to_owned()))))
    }

    async fn see(&self, path: &str, token: Option<&str>) -> Seen {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let mut request = client.get(format!("http://{}/threads/{path}", self.address));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        seen(request).await
    }

    async fn press(&self, path: &str, answer: &str, site: &str) -> Seen {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let request = client.post(format!("http://{}/threads/{path}", self.address)).header("sec-fetch-site", site);
        seen(request.header("content-type", "application/x-www-form-urlencoded").body(answer.to_owned())).await
    }
}

/// Sends, and holds every answer to what none may lack.
async fn seen(request: reqwest::RequestBuilder) -> Seen {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(headers.get(name).map(|value| value.to_str().unwrap()), Some(value), "{name}");
    }
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(!headers.contains_key("set-cookie"));
    Seen { status, headers, text: response.text().await.expect("a text") }
}

fn all(pattern: &str, text: &str) -> Vec<String> {
    Regex::new(pattern).unwrap().captures_iter(text).map(|found| found[1].to_owned()).collect()
}

#[tokio::test]
async fn a_thread_opens_to_its_link_and_to_a_token_and_to_nobody_else() {
    let office = Office::open().await;
    office.story().await;
    let (a, b) = (office.of("a", "m.ticket_id").await, office.of("b", "m.ticket_id").await);
    let x = office.of("x", "m.ticket_id").await;
    let good = office.link(&a, Allow::Read, DAY);
    let old = office.link_of(&a, "main", Allow::Read, DAY, Timestamp::now() - DAY);
    let of_other = office.link_of(&a, "other", Allow::Read, DAY, Timestamp::now());
    let mut forged = good.clone();
    forged.replace_range(5..6, if &good[5..6] == "A" { "B" } else { "A" });
    let reading = office.token("reading", "main", &[Scope::Read]).await;
    let acting = office.token("acting", "main", &[Scope::Tickets]).await;
    let other = office.token("other", "other", &[Scope::Read]).await;
    let message_b = office.of("b", "m.id").await;
    for (path, token, status) in [
        (format!("{a}?link={good}"), None, 200),
        (
            format!("2?utm_source=x&link={good}"),
            None,
            if office.of("a", "(SELECT number FROM ticket WHERE id = ticket_id)").await == "2" { 200 } else { 404 },
        ),
        (a.clone(), None, 401),
        (format!("{a}?link="), None, 403),
        (format!("{a}?link=%00%22%3E"), None, 403),
        (format!("{a}?link={forged}"), None, 403),
        (format!("{a}?link={old}"), None, 410),
        (format!("{a}?link={of_other}"), None, 404),
        (format!("{b}?link={good}"), None, 404),
        (format!("{x}?link={good}"), None, 404),
        (format!("nonsense?link={good}"), None, 404),
        (format!("{a}/messages/{message_b}?link={good}"), None, 404),
        (format!("{a}/files/{message_b}/0?link={good}"), None, 404),
        (a.clone(), Some(reading.as_str()), 200),
        (a.clone(), Some(acting.as_str()), 403),
        (a.clone(), Some(other.as_str()), 404),
        (a.clone(), Some("x"), 401),
        // A bad token is not made good by a link.
        (format!("{a}?link={good}"), Some("x"), 401),
    ] {
        let seen = office.see(&path, token).await;
        assert_eq!(seen.status, status, "{path}: {}", seen.text);
        let shows = seen.text.contains("40012345");
        assert_eq!(shows, status == 200, "{path}");
        assert!(!seen.text.contains("pekka@kirje.example") && !seen.text.contains("Laskusta"), "{path}");
    }
    // Merged away, the link leads to where the thread is now.
    office.desk.hands().merge(&a, &b, lanka::shell::hands::Saying { by: "anna", why: "" }).await.expect("merged");
    let seen = office.see(&format!("{a}?link={good}"), None).await;
    assert_eq!((seen.status, seen.headers["location"].to_str().unwrap()), (303, format!("{b}?link={good}").as_str()));
    let seen = office.see(&format!("{b}?link={good}"), None).await;
    assert!(seen.status == 200 && seen.text.contains("40012345") && seen.text.contains("40099999"), "{}", seen.text);
}

#[tokio::test]
async fn what_others_wrote_is_text_whatever_it_says() {
    let office = Office::open().await;
    let hostile = "<script>alert(1)</script><img src=x onerror=alert(1)> javascript:alert(1) \"'&amp;";
    let from = "\"<b onclick=x()>Minna</b>\" <minna@posti.example>";
    office
        .desk
        .take(
            "mail",
            "2026-03-05T08:00:00Z",
            titled("a", "03-05 08:00", from, "<style>*{display:none}</style>", hostile).body,
        )
        .await;
    let ticket = office.of("a", "m.ticket_id").await;
    let odd = "UPDATE message SET sender_name = $1, forwarded_from = $2, progress = 'failed', progress_why = $3, text = text || $4";
    sqlx::query(odd)
        .bind("</bdi><script>")
        .bind("<a href=javascript:x>")
        .bind("<iframe>\u{1b}[0m")
        .bind("\n\u{202e}gnp.exe\u{7}\u{9b}")
        .execute(&office.desk.store.pool)
        .await
        .expect("odd");
    sqlx::query("UPDATE ticket SET title = $1")
        .bind("</title><script>alert(2)</script>\u{202e}")
        .execute(&office.desk.store.pool)
        .await
        .expect("odd");
    sqlx::query("UPDATE contact SET name = $1")
        .bind("<svg onload=x()>\u{0}".replace('\0', "\u{1}"))
        .execute(&office.desk.store.pool)
        .await
        .expect("odd");
    let message = office.of("a", "m.id").await;
    sqlx::query(
        "INSERT INTO attachment (message_id, ordinal, name, media_type, bytes) VALUES ($1::uuid, 0, $2, $3, 5)",
    )
    .bind(&message)
    .bind("\"><script>\u{202e}gnp.exe")
    .bind("text/html\"><x>")
    .execute(&office.desk.store.pool)
    .await
    .expect("odd");
    let link = office.link(&ticket, Allow::Review, DAY);
    let handler = Regex::new(r#"<[a-z]+[^>]*\son[a-z]+="#).unwrap();
    for path in [format!("{ticket}?link={link}"), format!("{ticket}/messages/{message}?link={link}")] {
        let seen = office.see(&path, None).await;
        assert_eq!(seen.status, 200, "{}", seen.text);
        let elements: BTreeSet<String> = all(r"<([a-zA-Z][a-zA-Z0-9]*)", &seen.text).into_iter().collect();
        let known: BTreeSet<String> = "a article bdi body br button div footer form h1 h2 h3 head header html li main meta ol p section span strong style time title ul"
            .split(' ').map(str::to_owned).collect();
        assert!(elements.is_subset(&known), "{elements:?}");
        assert_eq!(all(r"<(style)[ >]", &seen.text).len(), 1);
        assert!(!handler.is_match(&seen.text), "{}", seen.text);
        for href in all("(?:href|action)=\"([^\"]*)\"", &seen.text) {
            assert!(!href.contains("javascript") && !href.contains("://"), "{href}");
        }
        assert!(!seen.text.chars().any(|c| c.is_control() && c != '\n'), "{:?}", seen.text);
        assert!(
            seen.text.contains("&#60;script&#62;alert(1)&#60;/script&#62;")
                || seen.text.contains("&lt;script&gt;alert(1)"),
            "{}",
            seen.text
        );
        // Only within a text of its own may the order of letters be turned round.
        let turned = all("(?s)(<[^>]*>)[^<]*\u{202e}", &seen.text);
        assert!(turned.iter().all(|tag| tag == "<div class=\"text\" dir=\"auto\">"), "{turned:?}");
    }
}

#[tokio::test]
async fn a_suggestion_is_answered_by_a_form() {
    let office = Office::open().await;
    office.story().await;
    let ticket = office.of("a", "m.ticket_id").await;
    let link = office.link(&ticket, Allow::Review, DAY);
    let page = office.see(&format!("{ticket}?link={link}"), None).await;
    let forms = all("action=\"([^\"]*)\"", &page.text);
    assert!(!forms.is_empty(), "{}", page.text);
    let form = forms[0].replace("&amp;", "&").replace("&#38;", "&");
    let reading = office.link(&ticket, Allow::Read, DAY);
    let read_only = office.see(&format!("{ticket}?link={reading}"), None).await;
    assert!(!read_only.text.contains("<form"), "{}", read_only.text);
    let of_reader = form.replace(&link, &reading);
    let elsewhere = form.replace(&ticket, &office.of("b", "m.ticket_id").await);
    let nothing =
        Regex::new("review/[^?]*").unwrap().replace(&form, "review/01a201b7-a736-7000-833c-6468fcfd2fe6").into_owned();
    let bare = form.split('?').next().unwrap_or_default().to_owned();
    for (path, answer, site, status) in [
        (&of_reader, "answer=accept", "same-origin", 403),
        (&elsewhere, "answer=accept", "same-origin", 404),
        (&nothing, "answer=accept", "same-origin", 409),
        (&bare, "answer=accept", "same-origin", 401),
        (&form, "answer=accept", "cross-site", 403),
        (&form, "answer=perhaps", "same-origin", 400),
        (&form, "", "same-origin", 400),
    ] {
        let seen = office.press(path, answer, site).await;
        assert_eq!(seen.status, status, "{path} {answer} {site}: {}", seen.text);
    }
    assert_eq!(office.press(&form, &"x".repeat(5_000), "same-origin").await.status, 400);
    assert_eq!(office.desk.count("SELECT count(*) FROM suggestion WHERE state IN ('accepted', 'rejected')").await, 0);
    let seen = office.press(&form, "answer=accept", "same-origin").await;
    assert_eq!(seen.status, 303, "{}", seen.text);
    let place = seen.headers["location"].to_str().unwrap().to_owned();
    assert!(place.starts_with("../../") && place.contains(&link) && place.ends_with("#suggestions"), "{place}");
    let back = office.see(place.trim_start_matches("../../").split('#').next().unwrap(), None).await;
    assert!(back.status == 200 && back.text.contains("role=\"status\""), "{}", back.text);
    let by: Vec<String> = sqlx::query_scalar("SELECT DISTINCT answered_by FROM suggestion WHERE state = 'accepted'")
        .fetch_all(&office.desk.store.pool)
        .await
        .expect("who");
    assert_eq!(by, ["Änna"]);
    assert_eq!(office.press(&form, "answer=reject", "same-origin").await.status, 409, "it was accepted");
}

#[tokio::test]
async fn a_long_thread_comes_in_pages_and_a_long_text_by_itself() {
    let office = Office::open().await;
    office.desk.take("mail", "2026-03-05T08:00:00Z", letter("a", "03-05 08:00", MINNA, "Ensimmäinen.").body).await;
    let ticket = office.of("a", "m.ticket_id").await;
    sqlx::query(
        "INSERT INTO message (id, tenant, raw_event, item, channel, kind, namespace, source_key, direction, identity_id, ticket_id,
            occurred_at, trusted_at, received_at, text, assurance)
         SELECT lanka_uuid_floor(m.received_at + make_interval(secs => n)), tenant, raw_event, n, channel, kind, namespace, 'k' || n, direction, identity_id, ticket_id,
            occurred_at + make_interval(secs => n / 2), trusted_at, received_at, CASE WHEN n = 3 THEN repeat('pitkä ', 180000) ELSE 'viesti ' || n || '.' END, assurance
         FROM message m, generate_series(1, 450) n WHERE m.source_key LIKE 'a@%'",
    )
    .execute(&office.desk.store.pool)
    .await
    .expect("messages");
    let link = office.link(&ticket, Allow::Read, DAY);
    let (mut path, mut ids, mut pages) = (format!("{ticket}?link={link}"), Vec::new(), 0);
    loop {
        let page = office.see(&path, None).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.text.len() < 1_000_000, "{}", page.text.len());
        pages += 1;
        ids.extend(all("<li id=\"m([^\"]+)\"", &page.text));
        let links = all("class=\"more\" href=\"([^\"]*after=[^\"]*)\"", &page.text);
        match links.first() {
            Some(next) => path = next.replace("&amp;", "&").replace("&#38;", "&"),
            None => break,
        }
    }
    let unique: BTreeSet<&String> = ids.iter().collect();
    assert_eq!((pages, ids.len(), unique.len()), (3, 451, 451));
    let long = office.of("k3", "m.id").await;
    let whole = office.see(&format!("{ticket}/messages/{long}?link={link}"), None).await;
    assert_eq!(whole.text.matches("pitkä").count(), 180_000);
    assert_eq!(office.see(&format!("{ticket}?link={link}&after=nonsense"), None).await.status, 200);
}

#[tokio::test]
async fn the_page_says_where_things_came_from_and_why() {
    let office = Office::open().await;
    office.story().await;
    office
        .desk
        .take("facebook", "2026-03-08T08:00:00Z", facebook("g", "03-08 08:00", "P1", "مرحبا، أين طلبي 40012345؟").body)
        .await;
    let ticket = office.of("g", "m.ticket_id").await;
    let token = office.token("reading", "main", &[Scope::Read]).await;
    let page = office.see(&ticket, Some(&token)).await;
    let sentence =
        office.desk.store.message_view(office.of("g", "m.id").await.parse().unwrap()).await.unwrap().unwrap().sentence;
    for part in [
        "facebook",
        "40012345",
        "مرحبا",
        "dir=\"auto\"",
        "<html lang=\"en\">",
        "<time datetime=\"2026-03-08T08:00:00Z\">",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert!(!sentence.is_empty() && page.text.contains(sentence.split('\'').next().unwrap_or_default()), "{sentence}");
    assert!(!page.text.contains("<form") && !page.text.contains("<script"));
}

#[tokio::test]
async fn a_link_is_made_on_the_command_line_where_there_is_an_address() {
    let place = Place::new().await;
    let mbox = "From a@b Tue Mar  3 10:00:00 2026\nFrom: Minna <minna@posti.example>\nTo: asiakaspalvelu@kauppa.example\n\
        Message-ID: <a@x>\nDate: Tue, 3 Mar 2026 10:00:00 +0000\nSubject: Hei\n\nHei.\n";
    let mbox = place.write("history.mbox", mbox).display().to_string();
    let channel =
        "[channels.mail]\nkind = \"maildir\"\npath = \"DIR/mail\"\naddresses = [\"asiakaspalvelu@kauppa.example\"]\n";
    place.configure(channel);
    place.run(&["import", "--channel", "mail", &mbox]);
    let refused = |arguments: &[&str]| {
        let output = place.command(arguments).output().expect("it starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (exit, said) = refused(&["thread", "link", "1"]);
    assert!(exit == Some(1) && said.contains("http.public_url"), "{said}");
    place.configure(&format!("[http]\npublic_url = \"https://support.kauppa.example\"\n{channel}"));
    let url = place.run(&["thread", "link", "1", "--for", "12h", "--allow", "review", "--name", "Anna"]);
    assert!(url.starts_with("https://support.kauppa.example/threads/") && url.contains("?link="), "{url}");
    let row = place.row(&["thread", "link", "1"]);
    let expires_at: Timestamp = row["expires_at"].as_str().expect("an instant").parse().expect("an instant");
    let left_s = expires_at.duration_since(Timestamp::now()).as_secs();
    assert!((6 * 86_400..=7 * 86_400).contains(&left_s), "{left_s}");
    for (arguments, exit, part) in [
        (&["thread", "link", "99"][..], 1, "there is no ticket"),
        (&["thread", "link", "1", "--for", "2y"], 2, "366d"),
        (&["thread", "link", "1", "--for", "soon"], 2, "length of time"),
        (&["thread", "link", "1", "--allow", "everything"], 2, "invalid value"),
        (&["thread", "link", "1", "--name", " "], 2, "name who"),
    ] {
        let (found, said) = refused(arguments);
        assert!(found == Some(exit) && said.contains(part), "{arguments:?}: {found:?} {said}");
    }
}
