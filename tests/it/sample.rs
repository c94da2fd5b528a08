//! The page to try web chat with, through the daemon's socket.

use crate::endpoint::SECRET;
use crate::support::eventually;
use crate::support::{TestDb, database, scratch};
use lanka::config::{Environment, Settings};
use std::process::{Child, Command, Stdio};

fn config(dir: &std::path::Path, listen: &str) -> String {
    format!(
        "data_dir = \"{}/data\"\n[database]\nurl = {{ env = \"URL\" }}\n[security]\nkeys = [{{ id = \"1\", env = \"KEY\" }}]\n\
         [http]\nlisten = \"{listen}\"\n[channels.chat]\nkind = \"webchat\"\nsecret = {{ env = \"WHSEC\" }}\nsample_page = true\n\
         [channels.quiet]\nkind = \"webchat\"\nsecret = {{ env = \"WHSEC\" }}\n",
        dir.display()
    )
}

struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(db: &TestDb, dir: &std::path::Path, port: u16) -> Daemon {
    let file = dir.join("lanka.toml");
    std::fs::write(&file, config(dir, &format!("127.0.0.1:{port}"))).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanka"));
    command.args(["run", "--config"]).arg(file).env("URL", &db.url).env("WHSEC", SECRET);
    command.env("KEY", "0123456789abcdef0123456789abcdef").stdin(Stdio::null());
    Daemon(command.spawn().unwrap())
}

#[tokio::test]
async fn what_is_sent_from_the_page_is_a_real_message() {
    let (db, dir) = (database().await, scratch());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let _daemon = start(&db, dir.path(), port);
    lanka::shell::carriers::install_tls_provider();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
    eventually("the daemon listens", async || client.get(url("/healthz")).send().await.ok()).await;

    let page = client.get(url("/sample/chat")).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    let text = page.text().await.unwrap();
    assert!(text.contains("lanka-chat") && !text.contains("whsec_"), "the key is never in the page");

    let event = r#"{"event_id":"e1","type":"message","conversation_id":"c","visitor":{"id":"v-1"},"text":"Hei","sent_at":"2026-03-03T05:52:11Z"}"#;
    let post = |path: &str, headers: &[(&'static str, String)]| {
        let request = client.post(url(path)).body(event);
        headers.iter().fold(request, |request, (name, value)| request.header(*name, value)).send()
    };
    let json = ("content-type", "application/json".to_owned());
    let here = ("origin", url(""));
    for (path, headers, expected) in [
        ("/sample/chat", vec![json.clone(), here.clone()], 200),
        ("/sample/quiet", vec![json.clone(), here.clone()], 404),
        ("/sample/nobody", vec![json.clone(), here.clone()], 404),
        ("/sample/chat", vec![here.clone()], 404),
        ("/sample/chat", vec![json.clone(), ("origin", "https://evil.example".to_owned())], 404),
        ("/sample/chat", vec![json.clone(), ("host", "support.example.fi".to_owned())], 404),
        ("/sample/chat", vec![json.clone(), ("x-forwarded-for", "193.166.3.2".to_owned())], 404),
        ("/hooks/chat", vec![json.clone(), here], 401),
    ] {
        let answer = post(path, &headers).await.unwrap();
        assert_eq!(answer.status(), expected, "{path} {headers:?}");
    }
    let forwarded = client.get(url("/sample/chat")).header("host", "support.example.fi").send().await.unwrap();
    assert_eq!(forwarded.status(), 404);
    eventually("the message", async || {
        let text: Option<String> =
            sqlx::query_scalar("SELECT text FROM message").fetch_optional(&db.pool).await.unwrap();
        text.filter(|text| text == "Hei")
    })
    .await;
    let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM raw_event").fetch_one(&db.pool).await.unwrap();
    assert_eq!(stored, 1, "only what came from the page");
}

#[test]
fn the_page_is_for_this_machine_alone() {
    for (listen, expected) in [("127.0.0.1:8470", false), ("[::1]:8470", false), ("0.0.0.0:8470", true)] {
        let dir = scratch();
        let file = dir.path().join("lanka.toml");
        std::fs::write(&file, config(dir.path(), listen)).unwrap();
        let environment = Environment::of([
            ("URL", "postgres://localhost/lanka"),
            ("WHSEC", SECRET),
            ("KEY", "0123456789abcdef0123456789abcdef"),
        ]);
        let problems = Settings::load(&[file], &environment).err().unwrap_or_default();
        let told: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(told, if expected { vec!["channels.chat.sample_page"] } else { vec![] }, "{listen}");
    }
}
