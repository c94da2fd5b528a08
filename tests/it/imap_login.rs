//! Logging in: TLS that begins late, passwords, and tokens, from a stand-in of a token server (RFC 6749)
//! and against Dovecot, which asks that server whether a token is good (RFC 7662).

use super::dovecot::Dovecot;
use super::intake::{TestStore, store};
use super::intake_imap::{drain, mail, start};
use super::support::{eventually, scratch};
use lanka::pure::channels::{After, Credentials, Grant, ImapSource, OAuth, Tls};
use lanka::pure::domain::secret::Secret;
use lanka::shell::carriers::http::HttpCarrier;
use lanka::shell::intake::HealthState;
use lanka::shell::intake::imap::{ImapError, try_login};
use lanka::shell::tokens::Tokens;
use metrics_exporter_prometheus::PrometheusBuilder;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const CHANNEL: &str = "support-mail";

/// A mail server that answers each command in turn as a script says.
struct Dialogue {
    port: u16,
    heard: JoinHandle<Vec<String>>,
}

impl Dialogue {
    /// The first line is the greeting. `TAG` stands for the tag; a command is known by how it begins after its own.
    async fn start(script: &'static [(&'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let heard = tokio::spawn(async move {
            let mut heard = Vec::new();
            let (wire, _) = listener.accept().await.expect("a client");
            let mut wire = BufReader::new(wire);
            let mut tag = String::new();
            for (expected, answer) in script {
                if !expected.is_empty() || !tag.is_empty() {
                    let mut line = String::new();
                    if wire.read_line(&mut line).await.unwrap_or(0) == 0 {
                        return heard;
                    }
                    let line = line.trim_end().to_owned();
                    if let Some((first, command)) = line.split_once(' ').filter(|(first, _)| first.starts_with('L')) {
                        tag = first.to_owned();
                        assert!(command.starts_with(expected), "{command} instead of {expected}");
                        heard.push(command.to_owned());
                    } else {
                        heard.push(line);
                    }
                }
                if wire.write_all(answer.replace("TAG", &tag).as_bytes()).await.is_err() {
                    return heard;
                }
                if tag.is_empty() {
                    tag.push('-');
                }
            }
            let mut rest = Vec::new();
            let _ = wire.read_to_end(&mut rest).await;
            if !rest.is_empty() {
                heard.push(String::from_utf8_lossy(&rest).into_owned());
            }
            heard
        });
        Self { port, heard }
    }

    fn source(&self, credentials: Credentials) -> ImapSource {
        ImapSource {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            tls: Tls::None,
            ca_file: None,
            user: "tuki@example.fi".to_owned(),
            credentials,
            folders: vec!["INBOX".to_owned()],
            sent: None,
            after: After::Keep,
            message_bytes_max: 1_000_000,
            poll_interval: Duration::from_millis(200),
            timeout: Duration::from_secs(5),
        }
    }
}

const GREETING: (&str, &str) = ("", "* OK ready\r\n");
const OPENED: (&str, &str) = ("EXAMINE", "* 0 EXISTS\r\n* OK [UIDVALIDITY 1] v\r\n* OK [UIDNEXT 1] n\r\nTAG OK\r\n");
const BYE: (&str, &str) = ("LOGOUT", "* BYE\r\nTAG OK\r\n");

/// Logs in at a server of this script: what came of it (its code), and what the server heard.
async fn check(
    what: &str,
    (tls, credentials): (Tls, Credentials),
    script: &'static [(&'static str, &'static str)],
    (expected, heard): (&str, &[&str]),
) -> String {
    let server = Dialogue::start(script).await;
    let source = ImapSource { tls, ..server.source(credentials) };
    let dir = scratch();
    let tokens = Tokens::new(HttpCarrier::new(true).expect("a carrier"), dir.path());
    let result = try_login(&source, CHANNEL, &tokens).await;
    let code = result.as_ref().err().map_or("ok", ImapError::code);
    assert_eq!(code, expected, "{what}: {result:?}");
    assert_eq!(server.heard.await.expect("no panic"), heard, "{what}");
    result.err().map(|error| error.to_string()).unwrap_or_default()
}

fn password(text: &str) -> Credentials {
    Credentials::Password(Secret::new(text))
}

#[tokio::test]
async fn nothing_is_said_in_the_clear_where_tls_is_wanted() {
    let said = check(
        "not offered",
        (Tls::Starttls, password("secret")),
        &[GREETING, ("STARTTLS", "TAG BAD unknown command\r\n")],
        ("tls_failed", &["STARTTLS"]),
    )
    .await;
    assert!(said.contains("does not change to TLS (BAD), and nothing is sent in the clear"), "{said}");
    let said = check(
        "injected",
        (Tls::Starttls, password("secret")),
        &[GREETING, ("STARTTLS", "TAG OK go ahead\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n")],
        ("tls_failed", &["STARTTLS"]),
    )
    .await;
    assert!(said.contains("behind the answer to STARTTLS"), "{said}");
    for (greeting, code) in [
        ("* PREAUTH you are anna\r\n", "command_refused"),
        ("* BYE [UNAVAILABLE] too many connections\r\n", "server_throttles"),
        ("HTTP/1.1 400 Bad Request\r\n", "answer_unreadable"),
    ] {
        let script: &'static [(&'static str, &'static str)] = Box::leak(Box::new([("", greeting)]));
        check(greeting, (Tls::Starttls, password("secret")), script, (code, &[])).await;
    }
}

#[tokio::test]
async fn passwords_go_the_way_the_server_takes() {
    const PLAIN: &str = "AUTHENTICATE PLAIN AHR1a2lAZXhhbXBsZS5maQBzZWNyZXQ=";
    check(
        "LOGIN",
        (Tls::None, password("a \"b\\c")),
        &[
            GREETING,
            ("CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\nTAG OK\r\n"),
            ("LOGIN", "TAG OK\r\n"),
            ("CAPABILITY", "* CAPABILITY IMAP4rev1\r\nTAG OK\r\n"),
            OPENED,
            BYE,
        ],
        (
            "ok",
            &["CAPABILITY", "LOGIN \"tuki@example.fi\" \"a \\\"b\\\\c\"", "CAPABILITY", "EXAMINE \"INBOX\"", "LOGOUT"],
        ),
    )
    .await;
    check(
        "PLAIN at once",
        (Tls::None, password("secret")),
        &[
            GREETING,
            ("CAPABILITY", "* CAPABILITY IMAP4rev2 LOGINDISABLED AUTH=PLAIN\r\nTAG OK\r\n"),
            ("AUTHENTICATE", "* CAPABILITY IMAP4rev2\r\nTAG NO [AUTHENTICATIONFAILED] tuki@example.fi unknown\r\n"),
        ],
        ("login_refused", &["CAPABILITY", PLAIN]),
    )
    .await;
    check(
        "PLAIN when asked",
        (Tls::None, password("secret")),
        &[
            GREETING,
            ("CAPABILITY", "* CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN\r\nTAG OK\r\n"),
            ("AUTHENTICATE PLAIN", "+\r\n"),
            ("", "TAG NO [UNAVAILABLE] later\r\n"),
        ],
        ("server_throttles", &["CAPABILITY", "AUTHENTICATE PLAIN", &PLAIN["AUTHENTICATE PLAIN ".len()..]]),
    )
    .await;
    let said = check(
        "neither",
        (Tls::None, password("secret")),
        &[GREETING, ("CAPABILITY", "* CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=XOAUTH2\r\nTAG OK\r\n")],
        ("login_refused", &["CAPABILITY"]),
    )
    .await;
    assert!(said.contains("use oauth"), "{said}");
}

/// What a token server answers next.
#[derive(Debug, Clone)]
struct Answer {
    status: u16,
    body: String,
}

/// A token endpoint and the introspection of what it gave, over HTTP on one port.
struct TokenServer {
    port: u16,
    /// Bodies of the token requests.
    asked: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<Vec<Answer>>>,
    /// Tokens that are good, and whose.
    good: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Drop for TokenServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl TokenServer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let (asked, good): (Arc<Mutex<Vec<String>>>, Arc<Mutex<Vec<String>>>) = Default::default();
        let answers: Arc<Mutex<Vec<Answer>>> = Arc::default();
        let (asks, replies, knows) = (Arc::clone(&asked), Arc::clone(&answers), Arc::clone(&good));
        let serving = tokio::spawn(async move {
            while let Ok((wire, _)) = listener.accept().await {
                tokio::spawn(answer(wire, Arc::clone(&asks), Arc::clone(&replies), Arc::clone(&knows)));
            }
        });
        Self { port, asked, answers, good, serving }
    }

    /// What the next requests are answered. The last one stays.
    fn will_answer(&self, answers: &[(u16, &str)]) {
        let answer = |(status, body): &(u16, &str)| Answer { status: *status, body: (*body).to_owned() };
        *self.answers.lock().expect("not poisoned") = answers.iter().map(answer).collect();
    }

    /// What is a token from now on.
    fn knows(&self, tokens: &[&str]) {
        *self.good.lock().expect("not poisoned") = tokens.iter().map(|token| (*token).to_owned()).collect();
    }

    /// The requests since the last look.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("not poisoned"))
    }

    fn oauth(&self, grant: Grant) -> OAuth {
        OAuth {
            token_url: format!("http://127.0.0.1:{}/token", self.port),
            client_id: "s6BhdRkqt3".to_owned(),
            client_secret: Some(Secret::new("7Fjfp0ZBr1KtDRbnfVdmIw")),
            scope: None,
            grant,
        }
    }
}

/// One connection of the token server; what a client sends must be as RFC 6749 has it.
async fn answer(
    wire: TcpStream,
    asked: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<Vec<Answer>>>,
    good: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    let mut wire = BufReader::new(wire);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if wire.read_line(&mut head).await.ok()? == 0 {
                return None;
            }
        }
        let small = head.to_lowercase();
        let length = small.lines().find_map(|line| line.strip_prefix("content-length: "))?.trim().parse().ok()?;
        let mut body = vec![0; length];
        wire.read_exact(&mut body).await.ok()?;
        let body = String::from_utf8(body).ok()?;
        let Answer { status, body } = if head.starts_with("POST /introspect") {
            let token = body.split('&').find_map(|pair| pair.strip_prefix("token=")).unwrap_or_default();
            let is_good = good.lock().expect("not poisoned").iter().any(|one| one == token);
            Answer { status: 200, body: format!("{{\"active\":{is_good},\"username\":\"{}\"}}", super::dovecot::USER) }
        } else {
            assert!(head.starts_with("POST /token HTTP/1.1\r\n"), "{head}");
            assert!(small.contains("content-type: application/x-www-form-urlencoded\r\n"), "{head}");
            asked.lock().expect("not poisoned").push(body);
            let mut answers = answers.lock().expect("not poisoned");
            if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() }
        };
        let reply = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json;charset=UTF-8\r\nCache-Control: no-store\r\n\
             Pragma: no-cache\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        wire.write_all(reply.as_bytes()).await.ok()?;
    }
}

/// A Dovecot that takes tokens, as far as its version is one whose settings are known here.
async fn dovecot_with(tokens: &TokenServer) -> Option<(Dovecot, tempfile::TempDir)> {
    let version =
        std::process::Command::new("doveconf").arg("-n").output().map(|output| output.stdout).unwrap_or_default();
    if !String::from_utf8_lossy(&version).starts_with("# 2.3.") {
        eprintln!("not run: tokens against Dovecot are set up for 2.3 only");
        return None;
    }
    let dir = scratch();
    let path = dir.path().join("oauth2.conf");
    let introspection = format!(
        "introspection_mode = post\nintrospection_url = http://127.0.0.1:{}/introspect\nusername_attribute = username\n\
         active_attribute = active\nactive_value = true\n",
        tokens.port
    );
    std::fs::write(&path, introspection).expect("its settings");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("its mode");
    let settings = format!(
        "auth_mechanisms = plain login xoauth2\npassdb {{\n  driver = oauth2\n  mechanisms = xoauth2\n  args = {}\n}}\n",
        path.display()
    );
    Some((Dovecot::start_with(&settings).await, dir))
}

fn by(oauth: OAuth, server: &Dovecot) -> ImapSource {
    ImapSource { credentials: Credentials::Token(Box::new(oauth)), ..server.source() }
}

#[tokio::test]
async fn a_token_opens_the_mailbox_and_is_asked_for_anew_when_it_is_refused() {
    let tokens = TokenServer::start().await;
    let Some((server, _settings)) = dovecot_with(&tokens).await else { return };
    let store = store().await;
    let source = by(tokens.oauth(Grant::ClientCredentials), &server);
    let held = store.tokens();
    tokens.will_answer(&[
        (200, "{\"access_token\":\"first\",\"token_type\":\"Bearer\",\"expires_in\":3600}"),
        (200, "{\"access_token\":\"second\",\"token_type\":\"bearer\",\"expires_in\":\"3600\"}"),
    ]);
    tokens.knows(&["first"]);
    for _ in 0..3 {
        try_login(&source, CHANNEL, &held).await.expect("logged in");
    }
    let form = "grant_type=client_credentials&client_id=s6BhdRkqt3&client_secret=7Fjfp0ZBr1KtDRbnfVdmIw";
    assert_eq!(tokens.asked(), [form], "one token for all of them");
    tokens.knows(&["second"]);
    try_login(&source, CHANNEL, &held).await.expect("logged in with another");
    assert_eq!(tokens.asked(), [form]);
    // Neither is good any more: it is asked once, not for ever.
    tokens.knows(&[]);
    let refused = try_login(&source, CHANNEL, &held).await.expect_err("refused");
    assert!(matches!(refused, ImapError::TokenRejected { .. }), "{refused:?}");
    assert_eq!(tokens.asked(), [form]);
    assert!(!format!("{refused} {refused:?}").contains("second"));

    // Over the whole way, with the mail.
    tokens.knows(&["second"]);
    server.put([mail("by token")]);
    drain(&source, &store).await.0.expect("drained");
    assert_eq!(store.count().await, 1);
}

/// Asks for a token, as a login would.
async fn access(store: &TestStore, oauth: &OAuth) -> Result<String, String> {
    let access = store.tokens().access(CHANNEL, oauth).await;
    access.map(|access| access.token.expose().to_owned()).map_err(|error| format!("{}: {error}", error.code()))
}

#[tokio::test]
async fn a_refresh_token_that_is_replaced_is_kept() {
    let (tokens, store) = tokio::join!(TokenServer::start(), store());
    let form = |token: &str| {
        format!(
            "grant_type=refresh_token&refresh_token={token}&client_id=s6BhdRkqt3&client_secret=7Fjfp0ZBr1KtDRbnfVdmIw"
        )
    };
    let given = |token: &str| {
        format!(
            "{{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"expires_in\":3600,\"refresh_token\":\"{token}\"}}"
        )
    };
    let (second, third) = (given("second"), given("third"));
    let configured = tokens.oauth(Grant::RefreshToken(Secret::new("tGzv3JOkF0XG5Qx2TlKWIA")));
    tokens.will_answer(&[(200, &second), (200, &third), (200, "{\"access_token\":\"a\",\"token_type\":\"Bearer\"}")]);
    // Each time as after a restart.
    for _ in 0..4 {
        assert_eq!(access(&store, &configured).await, Ok("a".to_owned()));
    }
    assert_eq!(tokens.asked(), [form("tGzv3JOkF0XG5Qx2TlKWIA"), form("second"), form("third"), form("third")]);
    let path = store.dir.path().join("tokens").join(format!("{CHANNEL}.json"));
    assert_eq!(std::fs::metadata(&path).expect("it is kept").permissions().mode() & 0o777, 0o600);
    assert!(!std::fs::read_to_string(&path).expect("readable").contains("tGzv3JOkF0XG5Qx2TlKWIA"));

    // Somebody gave the program access anew.
    let anew = tokens.oauth(Grant::RefreshToken(Secret::new("anew")));
    assert_eq!(access(&store, &anew).await, Ok("a".to_owned()));
    assert_eq!(tokens.asked(), [form("anew")]);
    // A file that is none is as good as none.
    std::fs::write(&path, "{").expect("spoilt");
    assert_eq!(access(&store, &configured).await, Ok("a".to_owned()));
    assert_eq!(tokens.asked(), [form("tGzv3JOkF0XG5Qx2TlKWIA")]);
}

#[tokio::test]
async fn a_token_endpoint_that_gives_none_is_explained() {
    let (tokens, store) = tokio::join!(TokenServer::start(), store());
    let oauth = tokens.oauth(Grant::ClientCredentials);
    let long = format!("{{\"access_token\":\"{}\",\"token_type\":\"Bearer\"}}", "x".repeat(20_000));
    for (status, body, said) in [
        (
            400,
            "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS50173: for anna\"}",
            "token_refused: the token endpoint refused (invalid_grant, AADSTS50173): ",
        ),
        (
            401,
            "{\"error\":\"invalid_client\"}",
            "token_refused: the token endpoint refused (invalid_client): client_id or client_secret is wrong",
        ),
        (503, "", "token_unreachable: the token endpoint answers 503"),
        (302, "", "token_refused: what answers at the token endpoint (HTTP 302) is none: a redirect"),
        (200, "<html>", "token_refused: what answers at the token endpoint (HTTP 200) is none"),
        (200, long.as_str(), ""),
    ] {
        tokens.will_answer(&[(status, body)]);
        let found = access(&store, &oauth).await;
        assert!(
            found.as_ref().err().is_none_or(|error| error.starts_with(said) && !error.contains("anna")),
            "{found:?}"
        );
        assert_eq!(found.is_ok(), said.is_empty(), "{status} {body}: {found:?}");
    }
    // The guard of all that goes out.
    let guarded = Tokens::new(HttpCarrier::new(false).expect("a carrier"), store.dir.path());
    let error = guarded.access(CHANNEL, &oauth).await.expect_err("this machine").to_string();
    assert!(error.contains("private network"), "{error}");
    let nobody = OAuth { token_url: "http://127.0.0.1:1/".to_owned(), ..oauth };
    let error = access(&store, &nobody).await.expect_err("nobody there");
    assert!(error.starts_with("token_unreachable: no answer from the token endpoint"), "{error}");
}

#[tokio::test]
async fn what_vendors_answer_to_a_token_is_understood() {
    // user=tuki@example.fi ^A auth=Bearer t ^A ^A
    const TOKEN: &str = "dXNlcj10dWtpQGV4YW1wbGUuZmkBYXV0aD1CZWFyZXIgdAEB";
    let tokens = TokenServer::start().await;
    tokens.will_answer(&[(200, "{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"expires_in\":3600}")]);
    let credentials = || Credentials::Token(Box::new(tokens.oauth(Grant::ClientCredentials)));
    let said = check(
        "Gmail refuses",
        (Tls::None, credentials()),
        &[
            GREETING,
            ("CAPABILITY", "* CAPABILITY IMAP4rev1 IDLE X-GM-EXT-1 SASL-IR AUTH=XOAUTH2\r\nTAG OK Thats all she wrote!\r\n"),
            ("AUTHENTICATE XOAUTH2 dXNl", "+ eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==\r\n"),
            ("", "TAG NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\r\n"),
        ],
        ("login_refused", &["CAPABILITY", &format!("AUTHENTICATE XOAUTH2 {TOKEN}"), ""]),
    )
    .await;
    assert!(said.contains("(NO [AUTHENTICATIONFAILED], status 400)"), "{said}");
    check(
        "without SASL-IR",
        (Tls::None, credentials()),
        &[
            GREETING,
            ("CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\nTAG OK\r\n"),
            ("AUTHENTICATE XOAUTH2", "+ \r\n"),
            ("", "TAG OK\r\n"),
            ("CAPABILITY", "* CAPABILITY IMAP4rev1\r\nTAG OK\r\n"),
            OPENED,
            BYE,
        ],
        ("ok", &["CAPABILITY", "AUTHENTICATE XOAUTH2", TOKEN, "CAPABILITY", "EXAMINE \"INBOX\"", "LOGOUT"]),
    )
    .await;
    let said = check(
        "Exchange without the right",
        (Tls::None, credentials()),
        &[
            GREETING,
            ("CAPABILITY", "* CAPABILITY IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT IDLE\r\nTAG OK\r\n"),
            ("AUTHENTICATE XOAUTH2", "TAG OK AUTHENTICATE completed.\r\n"),
            ("CAPABILITY", "* CAPABILITY IMAP4 IMAP4rev1\r\nTAG OK\r\n"),
            ("EXAMINE", "TAG BAD User is authenticated but not connected.\r\n"),
        ],
        (
            "login_refused",
            &["CAPABILITY", &format!("AUTHENTICATE XOAUTH2 {TOKEN}"), "CAPABILITY", "EXAMINE \"INBOX\""],
        ),
    )
    .await;
    assert!(said.contains("Add-MailboxPermission"), "{said}");
    let said = check(
        "not offered",
        (Tls::None, credentials()),
        &[GREETING, ("CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nTAG OK\r\n")],
        ("login_refused", &["CAPABILITY"]),
    )
    .await;
    assert!(said.contains("no login by XOAUTH2"), "{said}");
}

/// What is logged, kept for a look.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_login_that_begins_to_fail_is_said_once() {
    let (server, store) = tokio::join!(Dovecot::start(), store());
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let recorder = PrometheusBuilder::new().build_recorder();
    let _counted = metrics::set_default_local_recorder(&recorder);
    let source =
        ImapSource { credentials: password("wrong"), poll_interval: Duration::from_millis(200), ..server.source() };
    let running = start(&source, &store);
    eventually("three failures", async || (running.health.failures() >= 3).then_some(())).await;
    let HealthState::Failing { code: "login_refused", detail, .. } = running.health.state() else {
        panic!("{:?}", running.health)
    };
    assert!(detail.contains("check user and password"), "{detail}");
    running.stop().await;
    let text = String::from_utf8(log.0.lock().expect("not poisoned").clone()).expect("text");
    let warned: Vec<&str> = text.lines().filter(|line| line.contains("WARN")).collect();
    assert!(warned.len() == 1 && warned[0].contains("channel support-mail cannot log in: "), "{text}");
    assert!(!text.contains("wrong") && !text.contains("desk"), "{text}");
    let counted = recorder.handle().render();
    let line = "lanka_login_failures_total{channel=\"support-mail\",code=\"login_refused\"} ";
    let count = counted.lines().find_map(|counted| counted.strip_prefix(line)?.parse::<u64>().ok());
    assert!(count.is_some_and(|count| count >= 3), "{counted}");

    // Until idle, two refusals are enough: the third might lock the account.
    let (result, health) = drain(&source, &store).await;
    assert!(matches!(result, Err(ImapError::LoginRefused { .. })) && health.failures() == 2, "{result:?}");
}
