//! The configuration: both shipped files, every mistake with its place, layers and secrets.

use lanka::config::{Environment, KeyError, Level, Problem, Settings, check};
use lanka::pure::domain::identity::{EmailAddress, PhoneNumber};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A signing key of Standard Webhooks (32 bytes), one for everything here.
const SIGNING: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
/// A certificate of nobody, good for a hundred years.
pub const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\n\
MIIBljCCATugAwIBAgIUY6Qh8rlEi02GV+0zCogDwDX4jtowCgYIKoZIzj0EAwIw\n\
HzEdMBsGA1UEAwwUbGFua2EgdGVzdCBhdXRob3JpdHkwIBcNMjYxMTIyMDgzNTU3\n\
WhgPMjEyNjEwMjkwODM1NTdaMB8xHTAbBgNVBAMMFGxhbmthIHRlc3QgYXV0aG9y\n\
aXR5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEzYkuQlg3XxGvHDIZPW6NwXJl\n\
XiuW6raVj/AddM9CIdsjQU15XNHy8UOM1UqLkVXwARVwatrfiYq6h3obTMr9v6NT\n\
MFEwHQYDVR0OBBYEFBhk5Gm2mYErVD90o19pmKtX5lhHMB8GA1UdIwQYMBaAFBhk\n\
5Gm2mYErVD90o19pmKtX5lhHMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwID\n\
SQAwRgIhAIj8BWgceJ0opxXu5VkOEI2+dvJrWamHE9Oy2f5ioFNsAiEApH6/3CN/\n\
vQgzl1HmWxWns8Y9Y725xrjYoscJl2YrYuQ=\n\
-----END CERTIFICATE-----\n";
const KEY: &str = "5f0c6d7a1b9e4f2837465a6b7c8d9e0f5f0c6d7a1b9e4f2837465a6b7c8d9e0f";

/// The variables that the examples name.
pub fn variables() -> Vec<(&'static str, &'static str)> {
    vec![
        ("DATABASE_URL", "postgres://lanka:secret@db.example.fi/lanka"),
        ("LANKA_OLD_KEY", KEY),
        ("SHOP_CHAT_SECRET", SIGNING),
        ("AGENTS_SECRET", SIGNING),
        ("MONITORING_TOKEN", "a token of the monitoring"),
        ("SHOP_CHAT_IDENTITY_SECRET", "an identity secret of the shop"),
        ("HELPDESK_SECRET", SIGNING),
        ("ZAMMAD_TOKEN", "a token"),
        ("ZAMMAD_WEBHOOK_SECRET", "a secret"),
        ("CHATWOOT_TOKEN", "a token"),
        ("CHATWOOT_WEBHOOK_SECRET", "a secret"),
        ("ZENDESK_TOKEN", "a token"),
        ("ZENDESK_WEBHOOK_SECRET", "a secret"),
        ("META_APP_SECRET", "0123456789abcdef0123456789abcdef"),
        ("META_VERIFY_TOKEN", "meatyhamhock"),
        ("META_PAGE_TOKEN", "EAAtoken"),
        ("RT_TOKEN", "1-14-c2ab7fd9c2a3ba5c9c2f1d2d8f3a5d11"),
        ("DESK_MAILBOX_PASSWORD", "a password of the desk"),
        ("ROOM_WEBHOOK", "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"),
        ("EMPTY", ""),
    ]
}

pub fn environment(more: &[(&str, &str)]) -> Environment {
    Environment::of(variables().into_iter().chain(more.iter().copied()))
}

/// A directory with files of the given names and contents.
pub fn files(contents: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    for (name, text) in contents {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    directory
}

pub fn load_text(text: &str, more: &[(&str, &str)]) -> Result<Settings, Vec<Problem>> {
    let directory = files(&[("lanka.toml", text)]);
    Settings::load(&[directory.path().join("lanka.toml")], &environment(more))
}

pub fn good(loaded: Result<Settings, Vec<Problem>>) -> Settings {
    match loaded {
        Ok(settings) => settings,
        Err(problems) => panic!("{}", shown(&problems)),
    }
}

pub fn shown(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)
}

/// Checks that a text gives exactly the problems expected: line (0: none), key, part of the message.
pub fn mistakes(text: &str, expected: &[(usize, &str, &str)]) {
    let directory = files(&[("lanka.toml", text)]);
    let path = directory.path().join("lanka.toml");
    let problems = check(std::slice::from_ref(&path), &environment(&[]));
    let context = format!("{text}\n--- found:\n{}", shown(&problems));
    assert_eq!(problems.len(), expected.len(), "{context}");
    for (problem, (line, key, fragment)) in problems.iter().zip(expected) {
        assert_eq!(problem.file, path.display().to_string(), "{context}");
        assert_eq!(problem.line.unwrap_or(0), *line, "{context}");
        assert_eq!(problem.key, *key, "{context}");
        assert!(problem.message.contains(fragment), "wanted {fragment:?}\n{context}");
    }
}

#[test]
fn an_empty_configuration_is_one() {
    let settings = good(load_text("", &[]));
    assert!(settings.database.url.is_none());
    assert_eq!(settings.data_dir, Path::new("/var/lib/lanka"));
    assert_eq!(settings.http.listen.to_string(), "127.0.0.1:8470");
    assert_eq!(settings.http.body_bytes_max, 3 * 1024 * 1024);
    assert_eq!(settings.retention.raw.map(|raw| raw.as_secs()), Some(90 * 86_400));
    assert!(settings.channels.is_empty() && settings.tenants().is_empty());
}

#[test]
fn one_mistake_each() {
    let table: &[(&str, (usize, &str, &str))] = &[
        // Not TOML.
        ("data_dir = /var/lib", (1, "", "not TOML")),
        ("\n[http\nmetrics = true\n", (2, "", "not TOML")),
        ("stop_timeout = \"30s\"\nstop_timeout = \"31s\"", (2, "stop_timeout", "there twice")),
        ("[http]\nmetrics = true\n# again\nmetrics = false", (4, "http.metrics", "there twice")),
        // Unknown keys.
        ("data_dirr = \"/tmp\"", (1, "data_dirr", "did you mean \"data_dir\"?")),
        ("[htpp]\nlisten = \"127.0.0.1:1\"", (1, "htpp", "did you mean \"http\"?")),
        ("[chanels.a]\nkind = \"x\"", (1, "chanels", "did you mean \"channels\"?")),
        ("[http]\n\nlistne = \"127.0.0.1:1\"", (3, "http.listne", "did you mean \"listen\"?")),
        ("[database]\ncolour = 1", (2, "database.colour", "known here: url, connections_max, migrate, bin_dir")),
        ("[windows]\nchat-session = \"1h\"", (2, "windows.chat-session", "did you mean \"chat_session\"?")),
        (
            "[matters]\norder = { patern = 'x', pattern = 'y' }",
            (2, "matters.order.patern", "did you mean \"pattern\"?"),
        ),
        // Wrong types.
        ("[http]\nmetrics = \"yes\"", (2, "http.metrics", "true or false is wanted here")),
        ("[http]\nlisten = 8470", (2, "http.listen", "an address and port")),
        ("[ingest]\nworkers = \"two\"", (2, "ingest.workers", "a whole number")),
        ("[identity]\nagents = \"*@example.fi\"", (2, "identity.agents", "an array is wanted here")),
        ("[defaults]\nlanguages = [\"fi\", 3]", (2, "defaults.languages.1", "a language code")),
        ("[phrases.new_mater]\nfi = []", (1, "phrases.new_mater", "did you mean \"new_matter\"?")),
        ("[phrases.new_matter]\nfinnish = []", (2, "phrases.new_matter.finnish", "not a language code")),
        ("[phrases.new_matter]\nfi = \"uusi asia\"", (2, "phrases.new_matter.fi", "an array is wanted")),
        ("[phrases.is_back]\nfi = [\"?!\"]", (2, "phrases.is_back.fi.0", "holds no word")),
        ("[phrases.is_back]\nfi = [\"vi*ka\"]", (2, "phrases.is_back.fi.0", "at the end of a word only")),
        ("[phrases.is_back]\nfi = [\"vika ..\"]", (2, "phrases.is_back.fi.0", "on either side")),
        ("[windows]\none_open = 14", (2, "windows.one_open", "a length of time like \"45m\"")),
        ("http = 5", (1, "http", "a table is wanted here")),
        // Out of range.
        ("[http]\nbody_bytes_max = 12", (2, "http.body_bytes_max", "12 is out of range: 1024 to 104857600")),
        ("[database]\nconnections_max = -1", (2, "database.connections_max", "out of range: 4 to 500")),
        ("[http]\nrequest_timeout_s = 99999999999", (2, "http.request_timeout_s", "1 to 300")),
        ("[deliver]\nconcurrency = 0", (2, "deliver.concurrency", "out of range")),
        ("[ingest]\npoll = \"0ms\"", (2, "ingest.poll", "out of range")),
        ("stop_timeout = \"2h\"", (1, "stop_timeout", "1s to 10m")),
        ("[retention]\nraw = \"5s\"", (2, "retention.raw", "out of range")),
        // Words and forms.
        ("[log]\nformat = \"jsno\"", (2, "log.format", "did you mean \"json\"?")),
        ("[log]\nlevel = \"inof\"", (2, "log.level", "did you mean \"info\"?")),
        ("[routing]\ndefault = \"Big Sales\"", (2, "routing.default", "like \"big-sales\"")),
        ("[routing.rules.a]\nqueue = \"x\"", (1, "routing.rules.a", "names no condition")),
        (
            "[routing.rules.a]\nqueue = \"x\"\nlikes = [\"mail\"]\nlike = [\"mail\"]",
            (3, "routing.rules.a.likes", "did you mean \"like\"?"),
        ),
        (
            "[routing.rules.a]\nqueue = \"x\"\nlike = [\"email\"]\nkinds = [\"service\"]",
            (3, "routing.rules.a.like.0", "chat, mail, call"),
        ),
        (
            "[routing.rules.a]\nqueue = \"x\"\nto = [\"nobody\", \"600\"]",
            (3, "routing.rules.a.to.0", "no address and no number"),
        ),
        (
            "[routing.rules.a]\nqueue = \"x\"\nchannels = [\"suport\"]",
            (3, "routing.rules.a.channels.0", "no channel \"suport\""),
        ),
        (
            "[routing.rules.a]\nqueue = \"x\"\nkinds = [\"service\"]\nwithout_kinds = [\"service\"]",
            (4, "routing.rules.a.without_kinds", "stands under kinds too"),
        ),
        ("[log]\nlevel = \"info,lanka=loud\"", (2, "log.level", "one of: off, error")),
        ("[windows]\none_open = \"14 days\"", (2, "windows.one_open", "\"14d\"")),
        ("[retention]\nmessages = \"always\"", (2, "retention.messages", "not a length of time")),
        ("[defaults]\nregion = \"fi\"", (2, "defaults.region", "did you mean \"FI\"?")),
        ("[defaults]\nregion = \"Finland\"", (2, "defaults.region", "two capital letters")),
        ("[defaults]\ntime_zone = \"Europe/Helsinky\"", (2, "defaults.time_zone", "did you mean \"Europe/Helsinki\"?")),
        (
            "[defaults]\nlanguages = [\n  \"fi\",\n  \"Suomi\",\n]",
            (4, "defaults.languages.1", "two or three small letters"),
        ),
        ("[http]\nlisten = \"localhost\"", (2, "http.listen", "\"127.0.0.1:8470\"")),
        ("[http]\npublic_url = \"support.example.fi\"", (2, "http.public_url", "https://support.example.fi")),
        ("[http]\npublic_url = \"https://u:p@example.fi\"", (2, "http.public_url", "without user")),
        ("[http]\npublic_url = \"ftp://example.fi\"", (2, "http.public_url", "not a public URL")),
        (
            "[deliver]\nbackoff_first = \"30m\"\nbackoff_max = \"1m\"",
            (2, "deliver.backoff_first", "longer than backoff_max"),
        ),
        // Who is who.
        ("[identity]\nown_domains = [\"@example.fi\"]", (2, "identity.own_domains.0", "without @")),
        (
            "[identity]\nown_domains = [\"example.fi\", \"gmail.com\"]",
            (2, "identity.own_domains.1", "taken for colleagues"),
        ),
        ("[identity]\nagents = [\"*@gmail.com\"]", (2, "identity.agents.0", "taken for agents")),
        ("[identity]\nagents = [\"*\"]", (2, "identity.agents.0", "\"*@example.fi\" for all of a domain")),
        ("[identity]\norganisations = [\"kolumbus.fi\"]", (2, "identity.organisations.0", "one firm")),
        ("[urgency]\norganisations = [\"kolumbus.fi\"]", (2, "urgency.organisations.0", "strangers there")),
        ("[urgency]\ncontracts = [\"gold\"]", (2, "urgency.contracts.0", "no contract \"gold\"")),
        ("[urgency]\nunanswered = 101", (2, "urgency.unanswered", "100")),
        ("[identity]\nwithout = [\"gropu\"]", (2, "identity.without.0", "did you mean \"group\"?")),
        // Matters.
        ("[matters]\norder = '\\b4\\d{3'", (2, "matters.order", "not a pattern")),
        ("[matters]\norder = { pattern = '(', role = \"public\" }", (2, "matters.order.pattern", "unclosed group")),
        ("[matters]\norder = '\\d*'", (2, "matters.order", "where there is nothing")),
        (
            "[matters]\norder = { pattern = '\\d+', role = \"privat\" }",
            (2, "matters.order.role", "one of: secret, public, organisation"),
        ),
        ("[matters]\norder = { role = \"public\" }", (2, "matters.order.pattern", "required, and missing")),
        ("[matters]\n\"Order No\" = '\\d+'", (2, "matters.Order No", "not a name")),
        // Secrets and keys.
        ("[database]\nurl = \"postgres://u:p@h/d\"", (2, "database.url", "never written into the file")),
        ("[database]\nurl = \"mysql://h/d\"", (2, "database.url", "not a URL of Postgres")),
        (
            "[database]\nurl = { env = \"NOT_SET\" }\n[security]\nkeys = [{ id = \"a\", env = \"LANKA_OLD_KEY\" }]",
            (2, "database.url", "NOT_SET is not set"),
        ),
        ("[database]\nurl = { env = \"DATABASE_URL\" }", (2, "database.url", "openssl rand -hex 32")),
        (
            "[database]\nurl = { env = \"SHOP_CHAT_SECRET\" }\n[security]\nkeys = [{ id = \"a\", env = \"LANKA_OLD_KEY\" }]",
            (2, "database.url", "not a URL of Postgres"),
        ),
        ("[security]\nkeys = [{ id = \"a\", env = \"EMPTY\" }]", (2, "security.keys.0.env", "EMPTY is empty")),
        (
            "[security]\nkeys = [{ id = \"a\", file = \"no/such.key\" }]",
            (2, "security.keys.0.file", "there is no file"),
        ),
        ("[security]\nkeys = [{ id = \"a\", env = \"META_VERIFY_TOKEN\" }]", (2, "security.keys.0", "needs 32")),
        ("[security]\nkeys = [{ id = \"a\" }]", (2, "security.keys.0.file", "required, and missing")),
        ("[security]\nkeys = [{ id = \"a\", file = { env = \"X\" } }]", (2, "security.keys.0.file", "X is not set")),
        (
            "[security]\nkeys = [\n  { id = \"a\", env = \"LANKA_OLD_KEY\" },\n  { id = \"a\", env = \"LANKA_OLD_KEY\" },\n]",
            (4, "security.keys.1.id", "another key"),
        ),
        // Names of channels and mirrors.
        ("[channels.Support]\nkind = \"x\"", (1, "channels.Support", "like \"support\"")),
        ("[channels]\nsupport = \"x\"", (2, "channels.support", "write [channels.support]")),
        ("channels = 5", (1, "channels", "write [channels.NAME]")),
        ("[mirrors.help_desk]\nkind = \"x\"", (1, "mirrors.help_desk", "like \"help-desk\"")),
        ("[mirrors.helpdesk]\nurl = \"x\"", (1, "mirrors.helpdesk.kind", "required, and missing")),
        ("[mirrors.helpdesk]\nkidn = \"x\"", (2, "mirrors.helpdesk.kidn", "did you mean \"kind\"?")),
    ];
    for (text, expected) in table {
        mistakes(text, &[*expected]);
    }
}

#[test]
fn all_mistakes_of_a_file_at_once_in_its_order() {
    mistakes(
        r#"
stop_timeout = "soon"
[database]
url = "postgres://lanka:secret@db/lanka"
migrat = false
[http]
listen = 80
concurrent_max = 0
[defaults]
region = "Suomi"
time_zone = "Helsinki"
[identity]
own_domains = ["gmail.com", "ok.fi", "not a domain"]
[matters]
order = '('
[windows]
one_open = "2 weeks"
[nonsense]
"#,
        &[
            (2, "stop_timeout", "not a length of time"),
            (4, "database.url", "never written into the file"),
            (5, "database.migrat", "did you mean \"migrate\"?"),
            (7, "http.listen", "an address and port"),
            (8, "http.concurrent_max", "out of range"),
            (10, "defaults.region", "not a country code"),
            (11, "defaults.time_zone", "not a time zone"),
            (13, "identity.own_domains.0", "taken for colleagues"),
            (13, "identity.own_domains.2", "not a domain"),
            (15, "matters.order", "not a pattern"),
            (17, "windows.one_open", "\"14d\""),
            (18, "nonsense", "unknown key"),
        ],
    );
}

#[test]
fn problems_read_well() {
    let directory = files(&[("lanka.toml", "[http]\nlistne = 1\n")]);
    let path = directory.path().join("lanka.toml");
    let problems = check(std::slice::from_ref(&path), &environment(&[]));
    assert_eq!(shown(&problems), format!("{}:2: http.listne: unknown key, did you mean \"listen\"?\n", path.display()));
    let problems = check(&[directory.path().join("none.toml")], &environment(&[]));
    assert!(shown(&problems).contains("none.toml: cannot read the file: No such file"), "{}", shown(&problems));
    let problems = check(&[], &environment(&[("LANKA__HTTP__LISTNE", "1")]));
    assert_eq!(shown(&problems), "LANKA__HTTP__LISTNE: http.listne: unknown key, did you mean \"listen\"?\n");
}

#[test]
fn later_layers_win_key_by_key_and_lists_whole() {
    let directory = files(&[
        (
            "lanka.toml",
            "[http]\nlisten = \"127.0.0.1:1\"\nmetrics = false\n[identity]\nown_domains = [\"a.fi\", \"b.fi\"]\n",
        ),
        ("lanka.d/20-b.toml", "[http]\nlisten = \"127.0.0.1:3\"\n"),
        ("lanka.d/10-a.toml", "[http]\nlisten = \"127.0.0.1:2\"\n[identity]\nown_domains = [\"c.fi\"]\n"),
        ("lanka.d/30-c.toml.bak", "[http]\nlisten = \"127.0.0.1:4\"\n"),
    ]);
    let paths = [directory.path().join("lanka.toml"), directory.path().join("lanka.d")];
    let settings = good(Settings::load(&paths, &environment(&[])));
    assert_eq!(settings.http.listen.to_string(), "127.0.0.1:3");
    assert!(!settings.http.metrics);
    assert_eq!(settings.identity.own_domains.iter().map(|d| d.0.as_str()).collect::<Vec<_>>(), ["c.fi"]);
    let settings = good(Settings::load(&paths, &environment(&[("LANKA__HTTP__LISTEN", "127.0.0.1:5")])));
    assert_eq!(settings.http.listen.to_string(), "127.0.0.1:5");
    let reversed = good(Settings::load(&[paths[1].clone(), paths[0].clone()], &environment(&[])));
    assert_eq!(reversed.http.listen.to_string(), "127.0.0.1:1");
}

#[test]
fn a_problem_is_shown_where_the_last_layer_put_it() {
    let directory = files(&[
        ("lanka.toml", "[defaults]\nregion = \"FI\"\nlanguages = [\"fi\", \"Suomi\"]\n"),
        ("lanka.d/10-a.toml", "# ours\n[defaults]\nregion = \"XX\"\n"),
    ]);
    let problems = check(&[directory.path().join("lanka.toml"), directory.path().join("lanka.d")], &environment(&[]));
    let places: Vec<(bool, Option<usize>, &str)> =
        problems.iter().map(|p| (p.file.ends_with("10-a.toml"), p.line, p.key.as_str())).collect();
    assert_eq!(places, [(false, Some(3), "defaults.languages.1"), (true, Some(3), "defaults.region")]);
}

#[test]
fn the_environment_sets_every_type() {
    let settings = good(load_text(
        "[security]\nkeys = [{ id = \"a\", env = \"LANKA_OLD_KEY\" }]",
        &[
            ("LANKA__DATA_DIR", "/srv/lanka"),
            ("LANKA__HTTP__METRICS", "false"),
            ("LANKA__HTTP__BODY_BYTES_MAX", "4096"),
            ("LANKA__IDENTITY__OWN_DOMAINS", "[\"example.fi\", \"example.se\"]"),
            ("LANKA__MATTERS__ORDER", "{ pattern = '\\d{8}', role = \"public\" }"),
            ("LANKA__DATABASE__URL", "postgres://lanka:secret@db/lanka"),
            ("LANKA__LOG__LEVEL", "\"debug\""),
            ("LANKA_OTHER", "not ours"),
        ],
    ));
    assert_eq!(settings.data_dir, Path::new("/srv/lanka"));
    assert!(!settings.http.metrics);
    assert_eq!(settings.http.body_bytes_max, 4096);
    assert_eq!(settings.identity.own_domains.len(), 2);
    assert!(settings.matters["order"].pattern.is_match("12345678"));
    assert_eq!(settings.database.url.as_ref().map(|url| url.expose()), Some("postgres://lanka:secret@db/lanka"));
    assert_eq!(settings.log.level, "debug");

    let table: &[(&str, &str, &str)] = &[
        ("LANKA__HTTP__BODY_BYTES_MAX", "much", "LANKA__HTTP__BODY_BYTES_MAX: http.body_bytes_max: a whole number"),
        ("LANKA__HTTP", "5", "LANKA__HTTP: http: a table is wanted here"),
        ("LANKA__HTTP____LISTEN", "5", "LANKA__HTTP____LISTEN: not a key"),
        (
            "LANKA__DATABASE__URL",
            "mysql://u:hunter2@h/d",
            "LANKA__DATABASE__URL: database.url: it is not a URL of Postgres",
        ),
        ("LANKA__DATABASE__URL__ENV", "NOT_SET", "LANKA__DATABASE__URL__ENV: database.url: "),
    ];
    for (name, value, expected) in table {
        let problems = load_text("", &[(name, value)]).err().unwrap_or_default();
        let text = shown(&problems);
        assert!(text.lines().count() == 1 && text.starts_with(expected) && !text.contains("hunter2"), "{name}: {text}");
    }
}

#[test]
fn the_state_directory_is_a_default() {
    let state = ("STATE_DIRECTORY", "/run/state/lanka:/run/other");
    assert_eq!(good(load_text("", &[state])).data_dir, Path::new("/run/state/lanka"));
    assert_eq!(good(load_text("data_dir = \"/srv\"", &[state])).data_dir, Path::new("/srv"));
}

#[test]
fn secrets_are_read_from_where_they_are_named() {
    let text = "[database]\nurl = { file = \"url\" }\n[security]\nkeys = [{ id = \"1\", file = \"k/lanka.key\" }]\n";
    let url = "postgres://lanka:hunter2@db/lanka";
    let directory = files(&[
        ("etc/lanka.toml", text),
        ("etc/url", &format!("{url}\r\n")),
        ("etc/k/lanka.key", &format!("{KEY}\n")),
        ("credentials/url", &format!("{url}2\n")),
    ]);
    let path = [directory.path().join("etc/lanka.toml")];
    let settings = good(Settings::load(&path, &environment(&[])));
    assert_eq!(settings.database.url.as_ref().map(|u| u.expose()), Some(url));
    assert_eq!(settings.ensure_keys().unwrap().signing_id(), "1");
    // Everybody may read what this test wrote: that is said, once a file, and nothing of the content.
    assert_eq!(settings.warnings.len(), 2, "{}", shown(&settings.warnings));
    assert!(settings.warnings.iter().all(|w| w.level == Level::Warning && w.message.contains("chmod 600")));
    assert!(!shown(&settings.warnings).contains("hunter2"));
    // systemd's credentials come first, and what they lack is looked up beside the file.
    let credentials = directory.path().join("credentials");
    let settings =
        good(Settings::load(&path, &environment(&[("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap())])));
    assert_eq!(settings.database.url.as_ref().map(|u| u.expose()), Some(format!("{url}2").as_str()));
}

#[test]
fn a_later_layer_replaces_a_secret_of_another_form() {
    let directory = files(&[
        (
            "a.toml",
            "[database]\nurl = { env = \"NOT_SET\" }\n[security]\nkeys = [{ id = \"1\", env = \"LANKA_OLD_KEY\" }]\n",
        ),
        ("b.toml", "[database]\nurl = { file = \"url\" }\n"),
        ("url", "postgres://db/lanka"),
    ]);
    let paths = [directory.path().join("a.toml"), directory.path().join("b.toml")];
    assert!(good(Settings::load(&paths, &environment(&[]))).database.url.is_some());
}

#[test]
fn keys_are_made_once_and_derive_by_purpose() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("state").display().to_string();
    let settings = good(load_text("", &[("LANKA__DATA_DIR", &data_dir)]));
    let keys = settings.ensure_keys().unwrap();
    assert_eq!(keys.derive("a"), settings.ensure_keys().unwrap().derive("a"));
    assert_ne!(keys.derive("a"), keys.derive("b"));
    let made = Path::new(&data_dir).join("lanka.key");
    let mode = std::os::unix::fs::PermissionsExt::mode(&made.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(&data_dir).unwrap().count(), 1, "a draft is left");
    std::fs::write(&made, "short").unwrap();
    assert!(matches!(settings.ensure_keys(), Err(KeyError::Unfit { .. })));

    // A new key in front signs; the old one still verifies, and still makes the hashes looked up.
    let load = |keys: &str| {
        good(load_text(&format!("[security]\nkeys = [{keys}]"), &[("NEW", &KEY.replace('5', "e"))]))
            .ensure_keys()
            .unwrap()
    };
    let (old, new) = ("{ id = \"old\", env = \"LANKA_OLD_KEY\" }", "{ id = \"new\", env = \"NEW\" }");
    let (before, after) = (load(old), load(&format!("{new}, {old}")));
    assert_eq!(after.signing_id(), "new");
    assert_ne!(after.derive("x"), before.derive("x"));
    assert_eq!(after.derive_all("x")[1], ("old", before.derive("x")));
    assert_eq!(after.derive_lookup("x"), before.derive_lookup("x"));
}

/// The default file with every commented key taken in.
fn defaults_uncommented() -> String {
    let key = |line: &str| {
        line.strip_prefix('#').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '['))
    };
    let lines = lanka::config::DEFAULTS.lines().map(|line| if key(line) { &line[1..] } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_default_file_is_right_with_every_key_taken_in() {
    let directory = files(&[("ca.pem", CERTIFICATE)]);
    let ca_file = directory.path().join("ca.pem").display().to_string();
    let text = defaults_uncommented().replace("/etc/ssl/our-ca.pem", &ca_file);
    std::fs::write(directory.path().join("all.toml"), text).unwrap();
    let settings = good(Settings::load(
        &[directory.path().join("all.toml")],
        &environment(&[
            ("LANKA__SECURITY__KEYS", "[{ id = \"a\", env = \"LANKA_OLD_KEY\" }]"),
            ("SUPPORT_MAIL_PASSWORD", "x"),
            ("EXCHANGE_DATABASE", "postgres://lanka@pbx.example.fi/asterisk"),
            ("SUPPORT_MAIL_CLIENT_SECRET", "x"),
        ]),
    ));
    assert_eq!(shown(&settings.warnings), "");
    let kinds: BTreeSet<&str> = settings.channels.values().map(|channel| channel.kind).collect();
    assert_eq!(kinds, lanka::pure::channels::KINDS.iter().map(|kind| kind.name).collect());
    let kinds: BTreeSet<&str> = settings.mirrors.values().map(|mirror| mirror.kind).collect();
    assert_eq!(kinds, lanka::pure::mirrors::KINDS.iter().map(|kind| kind.name).collect());
}

/// The keys known in a section: the message for a key that is like no other lists them.
fn known_keys(section: &str, before: &str) -> BTreeSet<String> {
    let nonsense = "qqqqqqqqqqqqqqqqqqqq = 1";
    let text = if section.is_empty() { nonsense.to_owned() } else { format!("[{section}]\n{before}\n{nonsense}") };
    let problems = load_text(&text, &[]).err().unwrap_or_default();
    let listed = problems.iter().find_map(|problem| problem.message.split_once("known here: ")).unwrap().1;
    listed.split(", ").map(str::to_owned).collect()
}

#[test]
fn every_key_is_documented_in_the_default_file() {
    let table: toml::Table = defaults_uncommented().parse().unwrap();
    let check = |section: &str, before: &str, documented: &toml::Table| {
        let known = known_keys(section, before);
        let documented: BTreeSet<String> = documented.keys().cloned().collect();
        assert_eq!(known.difference(&documented).collect::<Vec<_>>(), Vec::<&String>::new(), "[{section}] {before}");
        known
    };
    check("", "", &table);
    for (name, section) in table.iter().filter_map(|(name, value)| Some((name, value.as_table()?))) {
        match name.as_str() {
            "matters" => {}
            "contracts" | "letters" => {
                for (entry_name, entry) in section {
                    check(&format!("{name}.{entry_name}"), "", entry.as_table().unwrap());
                }
            }
            "service" => {
                check(name, "", section);
                let hours = section["hours"].as_table().unwrap();
                check("service.hours", "", hours);
                let rule = section["targets"].as_table().unwrap()["rest"].as_table().unwrap();
                check("service.targets.rest", "", rule);
            }
            "channels" | "mirrors" => {
                let common: Vec<&str> = vec!["kind", "tenant", "enabled", "windows"];
                // A kind may be shown twice, where it is read in two ways.
                let mut kinds: BTreeMap<String, toml::Table> = BTreeMap::new();
                for entry in section.values().map(|value| value.as_table().unwrap()) {
                    kinds.entry(format!("kind = {}", entry["kind"])).or_default().extend(entry.clone());
                }
                for (kind, mut entry) in kinds {
                    entry.extend(common.iter().map(|key| ((*key).to_owned(), toml::Value::from(1))));
                    check(&format!("{name}.x"), &kind, &entry);
                }
            }
            _ => {
                check(name, "", section);
            }
        }
    }
}

#[test]
fn the_example_is_a_whole_deployment() {
    let credentials = files(&[("lanka.key", KEY), ("support-mail.password", "x\n")]);
    for name in ["lanka.key", "support-mail.password"] {
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(credentials.path().join(name), private).unwrap();
    }
    let directory = credentials.path().to_str().unwrap();
    let settings =
        good(Settings::load(&[shipped("example.toml")], &environment(&[("CREDENTIALS_DIRECTORY", directory)])));
    assert_eq!(shown(&settings.warnings), "");
    let kinds: BTreeSet<&str> = settings.channels.values().map(|channel| channel.kind).collect();
    assert_eq!(kinds, lanka::pure::channels::KINDS.iter().map(|kind| kind.name).collect());
    assert_eq!(settings.tenants(), ["main"]);
    assert!(!settings.channels["old-mail"].enabled);

    let keys = settings.ensure_keys().unwrap();
    let policy = settings.policy("main", &keys);
    let address = |text: &str| EmailAddress::parse(text).unwrap();
    assert!(
        policy.is_own(&address("info@example.fi")) && policy.own_addresses.contains(&address("helpdesk@example.fi"))
    );
    assert!(policy.is_agent(&address("Anna@Example.fi")) && !policy.is_agent(&address("anna@example.com")));
    assert!(
        policy.is_public("gmail.com")
            && policy.is_public("kaupunkinetti.example")
            && !policy.is_public("suurasiakas.fi")
    );
    assert!(policy.own_numbers.contains(&PhoneNumber::parse("09 1234 5601", "FI").unwrap()));
    assert_eq!(policy.matters.len(), 4);
    assert_eq!(policy.windows("shop-chat").chat_session.as_secs(), 7_200);
    assert_eq!(policy.windows("shop-chat").one_open, policy.windows("facebook").one_open);
    assert_eq!(policy.mirrors, ["helpdesk", "inbox", "tickets"]);
    assert_eq!(policy.fact_key, keys.derive_lookup("fact"));
    // Nothing of the secrets shows in what can be printed.
    let printed = format!("{:?} {:?}", settings.sections, environment(&[]));
    assert!(!printed.contains("lanka:secret") && !printed.contains(KEY), "{printed}");
}

/// A channel of each kind, complete; `more` are further keys.
pub fn channel(kind: &str, more: &str) -> String {
    let own = match kind {
        "imap" => "host = \"imap.example.fi\"\nuser = \"a\"\npassword = { env = \"META_VERIFY_TOKEN\" }",
        "maildir" => "path = \"/var/mail/a\"",
        "lmtp" => "socket = \"/run/lanka/a.sock\"",
        "desk" | "webchat" => "secret = { env = \"SHOP_CHAT_SECRET\" }",
        "alertmanager" => "token = { env = \"SHOP_CHAT_SECRET\" }",
        "instagram" | "messenger" | "whatsapp" => {
            "app_secret = { env = \"META_APP_SECRET\" }\nverify_token = { env = \"META_VERIFY_TOKEN\" }"
        }
        "asterisk" => "path = \"/var/log/Master.csv\"",
        other => panic!("{other}"),
    };
    let addresses = match kind {
        "imap" | "lmtp" | "maildir" if !more.contains("addresses") => "addresses = [\"a@example.fi\"]\n",
        _ => "",
    };
    format!("kind = \"{kind}\"\n{own}\n{more}\n{addresses}")
}

#[test]
fn mistakes_in_channels_and_mirrors() {
    let table: &[(&str, &str, (usize, &str, &str))] = &[
        ("imap", "tsl = \"implicit\"", (5, "channels.a.tsl", "did you mean \"tls\"?")),
        ("imap", "tls = \"ssl\"", (5, "channels.a.tls", "one of: implicit, starttls, none")),
        ("imap", "tls = \"none\"", (5, "channels.a.tls", "in the clear")),
        ("imap", "port = 70000", (5, "channels.a.port", "0 to 65535")),
        ("imap", "after = \"burn\"", (5, "channels.a.after", "move:Folder")),
        ("imap", "addresses = [\n  \"a@example.fi\",\n  \"not an address\",\n]", (7, "channels.a.addresses.1", "")),
        ("imap", "folders = []", (5, "channels.a.folders", "at least one")),
        ("imap", "tennant = \"b\"", (5, "channels.a.tennant", "did you mean \"tenant\"?")),
        ("imap", "tenant = \"The Firm\"", (5, "channels.a.tenant", "like \"the-firm\"")),
        ("imap", "enabled = \"no\"", (5, "channels.a.enabled", "true or false")),
        ("imap", "windows = { one_open = \"14\" }", (5, "channels.a.windows.one_open", "not a length of time")),
        (
            "imap",
            "windows = { chat_sesion = \"1h\" }",
            (5, "channels.a.windows.chat_sesion", "did you mean \"chat_session\"?"),
        ),
        ("maildir", "file_bytes_max = -1", (3, "channels.a.file_bytes_max", "")),
        ("lmtp", "sockt = \"/x\"", (3, "channels.a.sockt", "did you mean \"socket\"?")),
        ("lmtp", "socket_mode = 660", (3, "channels.a.socket_mode", "in quotes")),
        ("lmtp", "listen = \"127.0.0.1:2424\"", (2, "channels.a.socket", "write one of")),
        (
            "webchat",
            "previous_secrets = [\"whsec_abc\"]",
            (3, "channels.a.previous_secrets.0", "never written into the file"),
        ),
        ("webchat", "previous_secrets = [{ env = \"META_VERIFY_TOKEN\" }]", (3, "channels.a.previous_secrets.0", "")),
        (
            "webchat",
            "previous_secrets = [{ env = \"NOT_SET\" }]",
            (3, "channels.a.previous_secrets.0", "NOT_SET is not set"),
        ),
        ("webchat", "host = \"x\"", (3, "channels.a.host", "unknown key")),
        ("messenger", "access_token = \"EAAtoken\"", (4, "channels.a.access_token", "never written into the file")),
        ("messenger", "api_url = \"graph\"", (4, "channels.a.api_url", "")),
        ("whatsapp", "own_numbers = [\"+358 9 1234 5601\", \"call us\"]", (4, "channels.a.own_numbers.1", "")),
        (
            "whatsapp",
            "templates = [{ name = \"Valmis\", language = \"fi\", text = \"Hei.\" }]",
            (4, "channels.a.templates.0.name", "a-z"),
        ),
        (
            "whatsapp",
            "templates = [{ name = \"valmis\", language = \"Finnish\", text = \"Hei.\" }]",
            (4, "channels.a.templates.0.language", "en_US"),
        ),
        (
            "whatsapp",
            "templates = [{ name = \"valmis\", language = \"fi\", text = \"Hei {{1}} ja {{3}}.\" }]",
            (4, "channels.a.templates.0.text", "without a gap"),
        ),
        (
            "whatsapp",
            "templates = [{ name = \"valmis\", language = \"fi\", text = \"Hei {{nimi}}.\" }]",
            (4, "channels.a.templates.0.text", "{{1}}"),
        ),
        (
            "whatsapp",
            "templates = [{ name = \"valmis\", language = \"fi\", text = \" \" }]",
            (4, "channels.a.templates.0.text", "1 to 1024"),
        ),
        (
            "whatsapp",
            "templates = [{ name = \"a\", language = \"fi\", text = \"Hei.\" }, { name = \"a\", language = \"fi\", text = \"Moi.\" }]",
            (4, "channels.a.templates.1", "twice"),
        ),
        (
            "whatsapp",
            "templates = [{ name = \"a\", language = \"fi\", text = \"Hei.\", header = \"\" }]",
            (4, "channels.a.templates.0.header", "unknown key"),
        ),
        ("asterisk", "columns = [\"src\", \"dts\"]", (3, "channels.a.columns.1", "did you mean \"dst\"?")),
        ("asterisk", "time_zone = \"Helsinki\"", (3, "channels.a.time_zone", "")),
    ];
    for (kind, more, (line, key, fragment)) in table {
        mistakes(&format!("[channels.a]\n{}", channel(kind, more)), &[(line + 1, key, fragment)]);
    }
    let webhook = "[mirrors.m]\nkind = \"webhook\"\nurl = \"https://desk.example.fi/\"\nsecret = { env = \"HELPDESK_SECRET\" }\n[channels.c]\nkind = \"maildir\"\naddresses = [\"a@example.fi\"]\npath = \"/x\"\n";
    let table: &[(&str, &str, (usize, &str, &str))] = &[
        ("kind = \"webhook\"", "kind = \"webhok\"", (2, "mirrors.m.kind", "did you mean \"webhook\"?")),
        ("kind = \"webhook\"", "kind = 1", (2, "mirrors.m.kind", "text in quotes")),
        ("kind = \"maildir\"", "kind = \"maildirr\"", (6, "channels.c.kind", "did you mean \"maildir\"?")),
        ("kind = \"maildir\"", "kind = \"pigeon\"", (6, "channels.c.kind", "one of: ")),
        ("kind = \"maildir\"\n", "", (5, "channels.c.kind", "required, and missing; one of: ")),
        ("path = \"/x\"", "", (5, "channels.c.path", "required, and missing")),
        ("path = \"/x\"", "path = \"/x\"\n[channels.c]\nkind = \"maildir\"", (9, "channels.c", "there twice")),
        ("https://desk.example.fi/", "desk.example.fi", (3, "mirrors.m.url", "")),
        ("{ env = \"HELPDESK_SECRET\" }", "\"whsec_abc\"", (4, "mirrors.m.secret", "never written into the file")),
        (
            "{ env = \"HELPDESK_SECRET\" }",
            "{ envv = \"HELPDESK_SECRET\" }",
            (4, "mirrors.m.secret", "a secret is { env"),
        ),
        (
            "{ env = \"HELPDESK_SECRET\" }",
            "{ env = \"A\", file = \"B\" }",
            (4, "mirrors.m.secret", "a secret is { env"),
        ),
        ("{ env = \"HELPDESK_SECRET\" }", "{ env = 5 }", (4, "mirrors.m.secret", "a secret is { env")),
    ];
    for (from, to, expected) in table {
        assert!(webhook.contains(from));
        mistakes(&webhook.replacen(from, to, 1), &[*expected]);
    }
}

#[test]
fn two_channels_at_one_source() {
    let two = |kind: &str, first: &str, second: &str| {
        format!("[channels.a]\n{}[channels.b]\n{}", channel(kind, first), channel(kind, second))
    };
    mistakes(&two("imap", "", "port = 993"), &[(8, "channels.b", "channels.a reads the folder INBOX")]);
    mistakes(&two("imap", "", "folders = [\"Other\", \"inbox\"]"), &[(8, "channels.b", "the folder INBOX")]);
    mistakes(&two("asterisk", "", ""), &[(5, "channels.b", "channels.a reads the file /var/log/Master.csv")]);
    mistakes(&two("maildir", "", ""), &[(6, "channels.b", "the directory /var/mail/a")]);
    mistakes(&two("lmtp", "", ""), &[(6, "channels.b", "channels.a reads the socket /run/lanka/a.sock")]);
    mistakes(&two("imap", "", "folders = [\"Other\"]"), &[]);
    mistakes(&two("imap", "sent = \"Sent\"", "folders = [\"Sent\"]"), &[(8, "channels.b", "the folder Sent")]);
    mistakes(&two("maildir", "", "enabled = false"), &[]);
    mistakes(&two("webchat", "", ""), &[]);
}

#[test]
fn a_file_that_is_not_toml_hides_little() {
    // What stands in the part not understood is not said to be missing; the rest is checked.
    mistakes(
        "[channels.a]\nkind = \"maildir\"\naddresses = [\"a@example.fi\"]\npath = /var/mail\n[http]\nlistne = 1\n",
        &[(4, "", "not TOML"), (6, "http.listne", "\"listen\"")],
    );
    mistakes(
        "[log]\nlevel = \"loud\"\n[channels.a\nkind = \"maildir\"\npath = \"/x\"\n",
        &[(2, "log.level", "one of"), (3, "", "not TOML")],
    );
}

#[test]
fn what_is_switched_off_needs_no_secrets_but_the_right_spelling() {
    let off = "enabled = false\nprevious_secrets = [{ env = \"NOT_SET\" }]";
    mistakes(&format!("[channels.a]\n{}", channel("maildir", "enabled = false")), &[]);
    mistakes(
        &format!("[channels.a]\n{}", channel("imap", "enabled = false").replace("META_VERIFY_TOKEN", "NOT_SET")),
        &[],
    );
    mistakes(
        &format!(
            "[channels.a]\n{}",
            channel("imap", "enabled = false\ntsl = 1").replace("META_VERIFY_TOKEN", "NOT_SET")
        ),
        &[(7, "channels.a.tsl", "\"tls\"")],
    );
    mistakes(&format!("[channels.a]\n{}", channel("webchat", off)), &[]);
    for kind in ["webchat", "messenger", "whatsapp"] {
        let without = channel(kind, "enabled = false").replace("META_", "NOT_").replace("SHOP_", "NOT_");
        let settings = good(load_text(&format!("[channels.a]\n{without}"), &[]));
        assert!(settings.channels.contains_key("a") && settings.warnings.is_empty(), "{kind}");
    }
}

#[test]
fn what_does_not_work_without_a_token_is_said() {
    for (kind, without) in [
        ("messenger", "people have no names"),
        ("instagram", "people have no names"),
        ("whatsapp", "no picture, voice message or document can be fetched"),
    ] {
        let token = channel(kind, "access_token = { env = \"META_APP_SECRET\" }");
        for (entry, said) in [(channel(kind, ""), true), (token, false), (channel(kind, "enabled = false"), false)] {
            let warnings = good(load_text(&format!("[channels.a]\n{entry}"), &[])).warnings;
            let told = shown(&warnings);
            assert!(warnings.iter().all(|warning| warning.level == Level::Warning), "{told}");
            assert_eq!(
                told.contains(":1: warning: channels.a.access_token: not set: ") && told.contains(without),
                said,
                "{told}"
            );
            assert_eq!(told.is_empty(), !said, "{told}");
        }
    }
}

#[test]
fn tenants_are_kept_apart() {
    let text = format!(
        "[channels.a]\n{}[channels.b]\n{}[mirrors.m]\nkind = \"webhook\"\ntenant = \"other\"\nurl = \"https://d.example/\"\nsecret = {{ env = \"HELPDESK_SECRET\" }}\n",
        channel("imap", "addresses = [\"a@one.example\"]"),
        channel("maildir", "tenant = \"other\"\naddresses = [\"b@two.example\"]"),
    );
    let settings = good(load_text(&text, &[("LANKA__DATA_DIR", TempDir::new().unwrap().path().to_str().unwrap())]));
    assert_eq!(settings.tenants(), ["main", "other"]);
    let keys = settings.ensure_keys().unwrap();
    let own = |tenant: &str| {
        settings.policy(tenant, &keys).own_addresses.iter().map(|a| a.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((own("main"), own("other")), (vec!["a@one.example".to_owned()], vec!["b@two.example".to_owned()]));
    assert!(settings.policy("main", &keys).mirrors.is_empty());
    assert_eq!(settings.policy("other", &keys).mirrors, ["m"]);

    let slip = good(load_text(&text.replace("tenant = \"other\"\nurl", "tenant = \"othr\"\nurl"), &[]));
    assert_eq!(slip.warnings.len(), 1);
    assert!(
        slip.warnings[0]
            .to_string()
            .contains(": warning: mirrors.m.tenant: no channel has the tenant \"othr\", did you mean \"other\"?")
    );
}

#[test]
fn the_environment_reaches_channels_by_name() {
    let text = format!("[channels.support-mail]\n{}", channel("maildir", ""));
    let settings = good(load_text(&text, &[("LANKA__CHANNELS__SUPPORT_MAIL__TENANT", "other")]));
    assert_eq!(settings.channels.len(), 1);
    assert_eq!(settings.channels["support-mail"].tenant, "other");
    let problems = load_text(&text, &[("LANKA__CHANNELS__SUPPORT_MAIL__PATHH", "/x")]).err().unwrap_or_default();
    assert_eq!(
        shown(&problems),
        "LANKA__CHANNELS__SUPPORT_MAIL__PATHH: channels.support-mail.pathh: unknown key, did you mean \"path\"?\n"
    );
}

#[test]
fn bad_files_are_problems() {
    let directory = files(&[("a.toml", "")]);
    std::fs::write(directory.path().join("b.toml"), [0xff, 0xfe, b'=']).unwrap();
    std::fs::write(directory.path().join("c.toml"), "# x\n".repeat(2 * 1024 * 1024)).unwrap();
    std::fs::write(
        directory.path().join("d.toml"),
        "x = \"\\u0001env\\u0001\\u0001HOME\"\n[http]\n\"\\u0001secret\" = 1",
    )
    .unwrap();
    std::fs::write(directory.path().join("e.toml"), "[".repeat(100_000)).unwrap();
    let problems = check(&[directory.path().to_owned()], &environment(&[]));
    let of =
        |name: &str| problems.iter().filter(|p| p.file.ends_with(name)).map(|p| p.message.as_str()).collect::<Vec<_>>();
    assert!(of("b.toml")[0].contains("valid UTF-8"), "{}", shown(&problems));
    assert!(of("c.toml")[0].contains("larger than"));
    assert!(
        of("d.toml").iter().all(|message| message.contains("control character")) && of("d.toml").len() == 2,
        "{}",
        shown(&problems)
    );
    assert!(of("e.toml")[0].contains("not TOML"));
}

#[test]
fn a_matter_may_have_any_name() {
    let settings = good(load_text("[matters]\nfile = '\\bF-\\d+\\b'\n", &[]));
    assert!(settings.matters["file"].pattern.is_match("see F-12"));
}

#[test]
fn a_key_is_given_by_one_way_only() {
    let text = "[security]\nkeys = [{ id = \"a\", env = \"LANKA_OLD_KEY\", file = \"lanka.key\" }]";
    let directory = files(&[("lanka.toml", text), ("lanka.key", KEY)]);
    let problems = check(&[directory.path().join("lanka.toml")], &environment(&[]));
    assert!(problems.iter().any(|p| p.message.contains("given twice, or under two names")), "{}", shown(&problems));
}

#[test]
fn nesting_without_end_is_refused() {
    for text in [
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}", "{a=".repeat(100_000)),
        format!("a{} = 1", ".a".repeat(100_000)),
        format!("[a{}]", ".a".repeat(100_000)),
        "[[a]]\n".repeat(100_000),
    ] {
        assert!(load_text(&text, &[]).is_err());
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

    /// Whatever slips into a file: an answer, and each problem on a line that exists.
    #[test]
    fn no_slip_breaks_the_reader(cuts in proptest::collection::vec((0usize..12_000, 0usize..4, ".{0,3}"), 1..6)) {
        let mut text: Vec<char> = defaults_uncommented().chars().collect();
        for (at, length, put) in cuts {
            let at = at.min(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, put.chars());
        }
        let text: String = text.into_iter().collect();
        let lines = text.split('\n').count();
        for problem in load_text(&text, &[]).err().unwrap_or_default() {
            proptest::prop_assert!(problem.line.is_none_or(|line| (1..=lines).contains(&line)), "{problem}");
        }
    }
}

#[test]
fn nothing_configured_at_all_is_said() {
    let searched = ["/etc/lanka/lanka.toml", "/etc/lanka/lanka.d"];
    let is_there = searched.iter().any(|path| Path::new(path).exists());
    let nothing = Settings::load(&[], &Environment::of::<&str, &str>([]));
    let told = nothing.map_or_else(|problems| shown(&problems), |settings| shown(&settings.warnings));
    assert_eq!(told.contains("nor is anything else set"), !is_there, "{told}");
    let set = good(Settings::load(&[], &Environment::of([("LANKA__HTTP__LISTEN", "127.0.0.1:8471")])));
    assert!(!shown(&set.warnings).contains("nor is anything else set"), "a variable is something");
}

#[test]
fn no_colours_are_wanted_where_the_variable_is_not_empty() {
    for (variables, expected) in [(vec![("NO_COLOR", "1")], true), (vec![("NO_COLOR", "")], false), (vec![], false)] {
        assert_eq!(Environment::of(variables.clone()).is_without_colours(), expected, "{variables:?}");
    }
}
