//! Broken configurations: each gets its answer with place and remedy, all of them at once, in words.

use crate::config::{CERTIFICATE, channel, environment, files, good, load_text, mistakes, shown};
use lanka::config::{Problem, Settings, check};
use std::path::Path;

type Row<'a> = (&'a str, &'a [(usize, &'a str, &'a str)]);

/// What gives away that an error was printed for programmers.
const DEBUG_FORMS: &[&str] =
    &["Some(", "Err(", "Error {", "Os {", "Custom {", "kind:", "ErrorKind", "PosOverflow", "NoneError", "\\u{"];

fn reads_well(problems: &[Problem]) {
    let text = shown(problems);
    for form in DEBUG_FORMS {
        assert!(!text.contains(form), "{form} in {text}");
    }
    assert!(problems.iter().all(|p| p.message.len() > 8 && !p.message.contains('\n')), "{text}");
}

fn attack(rows: &[Row<'_>]) {
    let failed = |(text, expected): &&Row<'_>| {
        std::panic::catch_unwind(|| {
            mistakes(text, expected);
            reads_well(&load_text(text, &[]).err().unwrap_or_default());
        })
        .is_err()
    };
    let failed: Vec<&str> = rows.iter().filter(failed).map(|(text, _)| *text).collect();
    assert!(failed.is_empty(), "{} of {} as above:\n{}", failed.len(), rows.len(), failed.join("\n--\n"));
}

#[test]
fn one_key_does_not_hide_another() {
    attack(&[
        (
            "[channels.a]\nkind = \"asterisk\"\ncolumns = [\"src\", \"dts\", \"start\", \"disposition\", \"start\"]\nown_numbers = [\"call us\"]\ntime_zone = \"Helsinki\"\nregion = \"ZZ\"\npoll_interval_s = 0\n",
            &[
                (1, "channels.a.path", "required, and missing"),
                (3, "channels.a.columns.1", "did you mean \"dst\"?"),
                (3, "channels.a.columns.4", "twice"),
                (4, "channels.a.own_numbers.0", "is neither a number"),
                (5, "channels.a.time_zone", "not a time zone"),
                (6, "channels.a.region", "not a country code"),
                (7, "channels.a.poll_interval_s", "at least 1"),
            ],
        ),
        // The country is wrong, not the number written as there.
        (
            "[channels.a]\nkind = \"asterisk\"\npath = \"/x\"\nregion = \"ZZ\"\nown_numbers = [\"08-123\", \"08 123 456 78\"]\n",
            &[(4, "channels.a.region", "not a country code"), (5, "channels.a.own_numbers.0", "is neither")],
        ),
        (
            "[channels.a]\nkind = \"imap\"\nafter = \"burn\"\ntls = \"none\"\nport = 0\nfolders = [1, \"A\", \"A\"]\naddresses = [\"x\", 5]\ntimeout_s = 0\n",
            &[
                (1, "channels.a.host", "required, and missing"),
                (1, "channels.a.password", "{ env = \"NAME\" } or { file = \"PATH\" }"),
                (1, "channels.a.user", "required, and missing"),
                (3, "channels.a.after", "move:Folder"),
                (5, "channels.a.port", "leave it out"),
                (6, "channels.a.folders.0", "text in quotes"),
                (6, "channels.a.folders.2", ""),
                (7, "channels.a.addresses.0", "support@example.fi"),
                (7, "channels.a.addresses.1", "text in quotes"),
                (8, "channels.a.timeout_s", "between 1 and 600"),
            ],
        ),
        (
            "[channels.a]\nkind = \"maildir\"\npath = \"/var/mail/x\"\n[channels.b]\nkind = \"maildir\"\npath = \"/var/mail/./x/\"\ntenant = \"Main\"\n",
            &[
                (1, "channels.a.addresses", "at least one address"),
                (4, "channels.b", "channels.a reads the directory"),
                (4, "channels.b.addresses", "at least one address"),
                (7, "channels.b.tenant", "like \"main\""),
            ],
        ),
        // Nothing is said of two channels whose paths are not known.
        (
            "[channels.a]\nkind = \"maildir\"\naddresses = [\"a@example.fi\"]\n[channels.b]\nkind = \"maildir\"\naddresses = [\"a@example.fi\"]\n",
            &[(1, "channels.a.path", "required"), (4, "channels.b.path", "required")],
        ),
        (
            "[mirrors.m]\nkind = \"webhook\"\ninsecure_http = \"yes\"\nurl = \"http://desk.example.fi/\"\ntimeout_s = 0\nattempts_max = 0\n",
            &[
                (1, "mirrors.m.secret", "required, and missing"),
                (3, "mirrors.m.insecure_http", "true or false"),
                (5, "mirrors.m.timeout_s", "1 to 60"),
                (6, "mirrors.m.attempts_max", "at least 1"),
            ],
        ),
        (
            "[channels.a]\nkind = \"whatsapp\"\napi_url = \"http://x.example\"\nportfolio = \"\"\nown_numbers = [\"12\"]\nverify_token = { env = \"NOT_SET\" }\n",
            &[
                (1, "channels.a.app_secret", "required, and missing"),
                (3, "channels.a.api_url", "https://"),
                (4, "channels.a.portfolio", "leave it out"),
                (5, "channels.a.own_numbers.0", ""),
                (6, "channels.a.verify_token", "NOT_SET is not set"),
            ],
        ),
        (
            "[channels.a]\nkind = \"webchat\"\nprevious_secrets = [{ env = \"META_VERIFY_TOKEN\" }]\n",
            &[(1, "channels.a.secret", "required, and missing"), (3, "channels.a.previous_secrets.0", "")],
        ),
    ]);
}

#[test]
fn sections_and_syntax() {
    attack(&[
        ("\u{feff}[http]\r\nlistne = 1\r\n", &[(2, "http.listne", "did you mean \"listen\"?")]),
        ("[http]\r\n\r\n\tlisten\t=\t\"x\"\r\n", &[(3, "http.listen", "127.0.0.1:8470")]),
        ("[HTTP]\nlisten = \"127.0.0.1:1\"", &[(1, "HTTP", "did you mean \"http\"?")]),
        ("[http]\nListen = \"127.0.0.1:1\"", &[(2, "http.Listen", "did you mean \"listen\"?")]),
        ("[[http]]\nlisten = \"127.0.0.1:1\"", &[(1, "http", "a table is wanted here, not an array")]),
        ("[[channels]]\nkind = \"imap\"", &[(1, "channels", "write [channels.NAME]")]),
        ("[[channels.a]]\nkind = \"imap\"", &[(1, "channels.a", "write [channels.a]")]),
        ("[http]\nmetrics = true\n[http]\nmetrics = true", &[(3, "http", "there twice")]),
        (
            "[mirrors.m]\nkind = \"webhook\"\ntimeout_s = 0\n[mirrors.m]\nkind = \"webhook\"",
            &[(3, "mirrors.m.timeout_s", "1 to 60"), (4, "mirrors.m", "there twice")],
        ),
        ("[http]\nlisten = \"127.0.0.1:1", &[(2, "", "not TOML")]),
        ("= 5", &[(1, "", "not TOML")]),
        ("[http]\nmetrics = True", &[(2, "", "not TOML")]),
        ("[http]\nmetrics = yes", &[(2, "", "not TOML")]),
        ("[http]\nlisten: \"127.0.0.1:1\"", &[(2, "", "not TOML")]),
        ("[matters]\norder = \"\\b4\\d\"", &[(2, "", "not TOML")]),
        ("{\"http\": {}}", &[(1, "", "not TOML")]),
        ("x = 99999999999999999999999", &[(1, "", "not TOML")]),
        ("[retention]\nraw = 1979-05-27", &[(2, "retention.raw", "\"forever\"")]),
        (
            "[mail_auth]\nverify = \"yes\"\nresolvers = [\"dns.example.fi\", \"127.0.0.1:0\", \"0.0.0.0\", 5]\n\
             trusted_relays = [\"192.0.2.0/40\", \"mx example.fi\", \"0.0.0.0/0\", \"mx.example.fi\"]\ntrusted_sealers = [\"*.example.fi\"]\n\
             age_max = \"forever\"\ntimeout = \"5m\"\nconcurrency = 0\nretry_first = 60\nresolver = \"9.9.9.9\"\n",
            &[
                (2, "mail_auth.verify", "true or false"),
                (3, "mail_auth.resolvers.0", "is not a name server's address"),
                (3, "mail_auth.resolvers.1", "is not a name server's address"),
                (3, "mail_auth.resolvers.2", "is not a name server's address"),
                (3, "mail_auth.resolvers.3", ""),
                (4, "mail_auth.trusted_relays.0", "192.0.2.0/24"),
                (4, "mail_auth.trusted_relays.1", "neither a server's name nor an address"),
                (4, "mail_auth.trusted_relays.2", "neither a server's name nor an address"),
                (5, "mail_auth.trusted_sealers.0", "not a domain"),
                (6, "mail_auth.age_max", ""),
                (7, "mail_auth.timeout", "out of range"),
                (8, "mail_auth.concurrency", "1 to 256"),
                (9, "mail_auth.retry_first", ""),
                (10, "mail_auth.resolver", "did you mean \"resolvers\"?"),
            ],
        ),
        (
            "[mail_auth]\nresolvers = [\"127.0.0.1\", \"[::1]:5353\", \"::1\", \"9.9.9.9:53\"]\n\
             trusted_relays = [\"192.0.2.0/24\", \"2001:db8::/32\", \"10.0.0.1\", \"mx.example.fi\", \"localhost\"]\n\
             trusted_sealers = [\"Lists.example.fi\"]\nage_max = \"30d\"\ntimeout = \"1s\"",
            &[],
        ),
        ("[http]\nlisten = nan", &[(2, "http.listen", "an address and port")]),
        ("mirrors = []", &[(1, "mirrors", "write [mirrors.NAME]")]),
        ("[channels.\"\"]\nkind = \"imap\"", &[(1, "channels.", "not a name")]),
        ("[channels.\"a/../b\"]\nkind = \"imap\"", &[(1, "channels.a/../b", "not a name")]),
        (
            "[channels.SHOP]\nkind = \"webchat\"\n[channels.Shop]\nkind = \"webchat\"",
            &[(1, "channels.SHOP", "like \"shop\""), (3, "channels.Shop", "like \"shop\"")],
        ),
    ]);
}

#[test]
fn values_of_every_section() {
    let too_many = format!("[phrases.not_there]\nfi = [{}\"ei siellä\"]", "\"ei ole {channel}ia\", ".repeat(500));
    attack(&[
        (&too_many, &[(1, "phrases.not_there", "phrases in all languages, and 500 are the most")]),
        ("data_dir = \"\"", &[(1, "data_dir", "write a whole path")]),
        ("data_dir = \"lanka\"", &[(1, "data_dir", "\"/var/lib/lanka\"")]),
        ("data_dir = \"./state\"", &[(1, "data_dir", "\"/var/lib/state\"")]),
        ("data_dir = \"~/lanka\"", &[(1, "data_dir", "from the root on")]),
        ("data_dir = \"/a\\u0000b\"", &[(1, "data_dir", "NUL")]),
        ("data_dir = [\"/a\"]", &[(1, "data_dir", "a path like")]),
        ("[content]\ndir = \"\"", &[(2, "content.dir", "or leave it out")]),
        ("[content]\ndir = \"files\"", &[(2, "content.dir", "from the root on")]),
        ("[database]\nbin_dir = \"bin\"", &[(2, "database.bin_dir", "from the root on")]),
        ("[database]\nurl = \"\"", &[(2, "database.url", "not a URL of Postgres")]),
        ("[database]\nurl = \"db.example.fi\"", &[(2, "database.url", "not a URL of Postgres")]),
        ("[defaults]\nregion = \"ZZ\"", &[(2, "defaults.region", "not a country code")]),
        ("[defaults]\nregion = \"\"", &[(2, "defaults.region", "not a country code")]),
        ("[defaults]\nregion = \"001\"", &[(2, "defaults.region", "not a country code")]),
        ("[defaults]\ntime_zone = \"\"", &[(2, "defaults.time_zone", "not a time zone")]),
        ("[defaults]\ntime_zone = \"+02:00\"", &[(2, "defaults.time_zone", "not a time zone")]),
        ("[defaults]\ntime_zone = \"../../etc/passwd\"", &[(2, "defaults.time_zone", "not a time zone")]),
        ("[defaults]\nlanguages = [\"\"]", &[(2, "defaults.languages.0", "small letters")]),
        ("[retention]\nmessages = \"ever\"", &[(2, "retention.messages", "\"forever\"")]),
        ("[retention]\nmessages = \"never\"", &[(2, "retention.messages", "\"forever\"")]),
        ("[alerts]\nchannel_silent_after = \"forever\"", &[(2, "alerts.channel_silent_after", "\"never\"")]),
        ("[windows]\nchat_session = \"45 min\"", &[(2, "windows.chat_session", "\"45m\"")]),
        ("[windows]\nchat_session = \"-45m\"", &[(2, "windows.chat_session", "\"45m\"")]),
        ("[windows]\nchat_session = \"0s\"", &[(2, "windows.chat_session", "1s to 1y")]),
        ("[windows]\none_open = \"999999999999999999999d\"", &[(2, "windows.one_open", "\"14d\"")]),
        ("[windows]\none_open = \"18446744073709551615y\"", &[(2, "windows.one_open", "\"14d\"")]),
        ("[windows]\none_open = \"\"", &[(2, "windows.one_open", "\"14d\"")]),
        ("[windows]\none_open = \"14D\"", &[(2, "windows.one_open", "\"14d\"")]),
        ("[http]\nlisten = \"127.0.0.1\"", &[(2, "http.listen", "\"127.0.0.1:8470\"")]),
        ("[http]\nlisten = \":8470\"", &[(2, "http.listen", "\"0.0.0.0:8470\"")]),
        ("[http]\nlisten = \"127.0.0.1:70000\"", &[(2, "http.listen", "\"127.0.0.1:8470\"")]),
        ("[http]\npublic_url = \"\"", &[(2, "http.public_url", "https://support.example.fi")]),
        ("[http]\npublic_url = \"//support.example.fi\"", &[(2, "http.public_url", "https://support.example.fi")]),
        ("[identity]\nown_domains = [\"*.example.fi\"]", &[(2, "identity.own_domains.0", "without *")]),
        (
            "[identity]\nown_domains = [\"example\", \"\"]",
            &[(2, "identity.own_domains.0", "not a domain"), (2, "identity.own_domains.1", "not a domain")],
        ),
        ("[identity]\nown_domains = [\"example .fi\"]", &[(2, "identity.own_domains.0", "not a domain")]),
        (
            "[identity]\nagents = [\"anna\", \"anna@*\", \"*@*.fi\", \"@example.fi\", \"\"]",
            &[
                (2, "identity.agents.0", "anna@example.fi"),
                (2, "identity.agents.1", "*@example.fi"),
                (2, "identity.agents.2", "*@example.fi"),
                (2, "identity.agents.3", "*@example.fi"),
                (2, "identity.agents.4", "*@example.fi"),
            ],
        ),
        (
            "[identity]\npublic_domains = [\"!\", \"!!a.fi\"]",
            &[(2, "identity.public_domains.0", "not a domain"), (2, "identity.public_domains.1", "not a domain")],
        ),
        ("[matters]\na = 5\nb = ['x']", &[(2, "matters.a", "a pattern"), (3, "matters.b", "a pattern")]),
        (
            "[matters]\na = '[a-'\nb = '(?=x)'\nc = '(a)(?P<a>b'",
            &[(2, "matters.a", "not a pattern"), (3, "matters.b", "not a pattern"), (4, "matters.c", "not a pattern")],
        ),
        ("[matters]\na = '(\\w{1000}){1000}'", &[(2, "matters.a", "too large")]),
        (
            "[matters]\na = ''\nb = '(x)?'",
            &[(2, "matters.a", "where there is nothing"), (3, "matters.b", "where there is nothing")],
        ),
        ("[log]\nlevel = \"\"", &[(2, "log.level", "one of")]),
        ("[log]\nlevel = \"INFO\"", &[(2, "log.level", "did you mean \"info\"?")]),
        ("[security]\nkeys = [{ id = \"\", env = \"LANKA_OLD_KEY\" }]", &[(2, "security.keys.0.id", "write a name")]),
        (
            "[security]\nkeys = { id = \"a\", env = \"LANKA_OLD_KEY\" }",
            &[(2, "security.keys", "an array is wanted here")],
        ),
        ("[security]\nkeys = [{ id = \"a\", file = \"\" }]", &[(2, "security.keys.0.file", "names no file")]),
        ("[security]\nkeys = [{ id = \"a\", file = \".\" }]", &[(2, "security.keys.0.file", "cannot read")]),
        ("[security]\nkeys = [\"5f0c\"]", &[(2, "security.keys.0", "")]),
    ]);
}

#[test]
fn values_of_channels_and_mirrors() {
    let of = |kind: &str, more: &str| format!("[channels.a]\n{}", channel(kind, more));
    let mirror = |url: &str| {
        format!("[mirrors.m]\nkind = \"webhook\"\nurl = \"{url}\"\nsecret = {{ env = \"HELPDESK_SECRET\" }}\n")
    };
    attack(&[
        (
            &of("asterisk", "").replace("/var/log/Master.csv", "Master.csv"),
            &[(3, "channels.a.path", "from the root on")],
        ),
        (&of("maildir", "").replace("/var/mail/a", ""), &[(3, "channels.a.path", "is empty")]),
        (&of("lmtp", "").replace("/run/lanka/a.sock", ""), &[(3, "channels.a.socket", "is empty")]),
        (&of("lmtp", "").replace("/run/lanka/a.sock", "a.sock"), &[(3, "channels.a.socket", "from the root on")]),
        (&of("lmtp", "").replace("/run", &"/x".repeat(60)), &[(3, "channels.a.socket", "a shorter one")]),
        (
            &of("lmtp", "").replace("socket = \"/run/lanka/a.sock\"", "listen = \"0.0.0.0:2424\""),
            &[(3, "channels.a.listen", "allow_remote = true")],
        ),
        (
            &of("lmtp", "").replace("socket = \"/run/lanka/a.sock\"", "listen = \"mail.example.fi:24\""),
            &[(3, "channels.a.listen", "")],
        ),
        (&of("lmtp", "socket_mode = \"rw-rw----\""), &[(4, "channels.a.socket_mode", "octal digits")]),
        (&of("lmtp", "socket_mode = \"0060\""), &[(4, "channels.a.socket_mode", "octal digits")]),
        (&of("lmtp", "allow_remote = \"yes\""), &[(4, "channels.a.allow_remote", "true or false")]),
        (&of("lmtp", "connections_max = 100000"), &[(4, "channels.a.connections_max", "between 1 and 1000")]),
        (
            &of("asterisk", "columns = [\"src\", \"dst\", \"start\", \"disposition\", \"src\"]"),
            &[(4, "channels.a.columns.4", "twice")],
        ),
        (
            &of("asterisk", "columns = [\"src\", \"dst\", \"start\", \"disposition\", \"calldate\"]"),
            &[(4, "channels.a.columns.4", "twice")],
        ),
        (
            &of("asterisk", "columns = []"),
            &[
                (4, "channels.a.columns", "lack `src`"),
                (4, "channels.a.columns", "lack `dst`"),
                (4, "channels.a.columns", "lack `start`"),
                (4, "channels.a.columns", "lack `disposition`"),
            ],
        ),
        (
            "[channels.a]\nkind = \"asterisk\"\n",
            &[(1, "channels.a.path", "name the log (Master.csv), or the `database`")],
        ),
        (
            &of("asterisk", "database = { env = \"HELPDESK_SECRET\" }"),
            &[(4, "channels.a.database", "stands beside `path`")],
        ),
        (
            &of("asterisk", "table = \"cdr; DROP TABLE cdr\"\ntime_column = \"a b\"\noverlap_s = 999999999"),
            &[
                (4, "channels.a.table", "no name of a table"),
                (5, "channels.a.time_column", "no name of a column"),
                (6, "channels.a.overlap_s", "at most 604800"),
            ],
        ),
        (&of("asterisk", "table = \"a.b.c\""), &[(4, "channels.a.table", "no name of a table")]),
        (
            &of("asterisk", "recording_url = \"https://pbx.example.fi/rec\""),
            &[(4, "channels.a.recording_url", "with `{file}` in it")],
        ),
        (&of("asterisk", "recording_url = \"file:///{file}\""), &[(4, "channels.a.recording_url", "must be a URL")]),
        (&of("asterisk", "region = \"\""), &[(4, "channels.a.region", "not a country code")]),
        (&of("imap", "ca_file = \"/no/such/ca.pem\""), &[(6, "channels.a.ca_file", "cannot read /no/such/ca.pem")]),
        (&of("imap", "ca_file = \"/\""), &[(6, "channels.a.ca_file", "cannot read /")]),
        (&of("imap", "ca_file = \"/dev/null\""), &[(6, "channels.a.ca_file", "holds no certificate")]),
        (&of("imap", "ca_file = \"ca.pem\""), &[(6, "channels.a.ca_file", "from the root on")]),
        (&of("imap", "trusted_authserv = \"\""), &[(6, "channels.a.trusted_authserv", "mx.example.fi")]),
        (&of("imap", "").replace("imap.example.fi", ""), &[(3, "channels.a.host", "imap.example.fi")]),
        (&of("imap", "").replace("user = \"a\"", "user = \"\""), &[(4, "channels.a.user", "login name")]),
        (&of("imap", "folders = [\"\"]"), &[(6, "channels.a.folders.0", "")]),
        (&of("imap", "after = \"move:\""), &[(6, "channels.a.after", "move:Folder")]),
        (&of("imap", "after = \"delete\""), &[]),
        (&of("imap", "folders = ['\\All']\nafter = \"delete\""), &[(7, "channels.a.after", "all mail would be moved")]),
        (&of("imap", "folders = ['\\Al']"), &[(6, "channels.a.folders.0", "no special use")]),
        (&of("imap", "folders = ['\\Sent']"), &[(6, "channels.a.folders.0", "name it as `sent`")]),
        (&of("imap", "sent = \"INBOX\""), &[(6, "channels.a.sent", "among `folders`")]),
        (&of("imap", "sent = '\\Junk'"), &[(6, "channels.a.sent", "'\\Sent'")]),
        (&of("imap", "sent = 5"), &[(6, "channels.a.sent", "text in quotes")]),
        (&of("imap", "sent = \"Sent\"\nafter = \"move:Sent\""), &[(7, "channels.a.after", "is read itself")]),
        (&of("imap", "").replace("user = \"a\"", "user = \"a\\u0000b\""), &[(4, "channels.a.user", "login name")]),
        (&of("imap", "oauth = 5"), &[(6, "channels.a.oauth", "a table is wanted here")]),
        (
            &of(
                "imap",
                "oauth = { provider = \"yahoo\", client_id = \"a\", client_secret = { env = \"META_APP_SECRET\" } }",
            ),
            &[(6, "channels.a.oauth.provider", "one of: microsoft, google")],
        ),
        (
            &of(
                "imap",
                "oauth = { provider = \"microsoft\", client_id = \"a\", client_secret = { env = \"META_APP_SECRET\" } }",
            ),
            &[(6, "channels.a.oauth.directory", "tenant")],
        ),
        (
            &of("imap", "oauth = { provider = \"microsoft\", directory = \"x/../y\", client_id = \"a\" }"),
            &[
                (6, "channels.a.oauth.client_secret", "required, and missing"),
                (6, "channels.a.oauth.directory", "tenant"),
            ],
        ),
        (
            &of(
                "imap",
                "oauth = { provider = \"google\", client_id = \"a\", client_secret = { env = \"META_APP_SECRET\" } }",
            ),
            &[(6, "channels.a.oauth.refresh_token", "Google")],
        ),
        (
            &of(
                "imap",
                "oauth = { token_url = \"http://id.example.fi/\", client_id = \"\", refresh_token = { env = \"NOT_SET\" } }",
            ),
            &[
                (6, "channels.a.oauth.client_id", "registered"),
                (6, "channels.a.oauth.refresh_token", "NOT_SET is not set"),
                (6, "channels.a.oauth.token_url", "in the clear"),
            ],
        ),
        (
            &of("imap", "oauth = { token_ulr = \"x\", client_id = \"a\", client_secret = \"plain\" }"),
            &[
                (6, "channels.a.oauth.client_secret", "never written into the file"),
                (6, "channels.a.oauth.token_ulr", "did you mean \"token_url\"?"),
                (6, "channels.a.oauth.token_url", "provider = "),
            ],
        ),
        (
            &of(
                "imap",
                "oauth = { provider = \"google\", token_url = \"https://x.example/\", client_id = \"a\", refresh_token = { env = \"META_APP_SECRET\" } }",
            ),
            &[(6, "channels.a.oauth.token_url", "leave out one")],
        ),
        (&of("webchat", "tenant = \"\""), &[(4, "channels.a.tenant", "not a name")]),
        (&of("webchat", "windows = { one_open = \"0s\" }"), &[(4, "channels.a.windows.one_open", "out of range")]),
        (&of("webchat", "windows = 5"), &[(4, "channels.a.windows", "a table is wanted here")]),
        (&mirror(""), &[(3, "mirrors.m.url", "https://host/path")]),
        (&mirror("http://127.0.0.1:9/"), &[(3, "mirrors.m.url", "allow_private_addresses = true")]),
        (&mirror("https://192.168.1.7/"), &[(3, "mirrors.m.url", "allow_private_addresses = true")]),
        (&mirror("https://[::1]/"), &[(3, "mirrors.m.url", "allow_private_addresses = true")]),
        (&mirror("https://localhost/"), &[(3, "mirrors.m.url", "allow_private_addresses = true")]),
        (&mirror("https://169.254.169.254/"), &[(3, "mirrors.m.url", "nothing is ever sent to")]),
        (&mirror("ftp://desk.example.fi/"), &[(3, "mirrors.m.url", "write https://")]),
        (
            &format!(
                "{}[http]\nallow_private_addresses = true\n[channels.a]\n{}",
                mirror("http://localhost/"),
                channel("webchat", "")
            ),
            &[],
        ),
        (
            &format!("{}[http]\nallow_private_addresses = 1\n", mirror("http://localhost/")),
            &[(6, "http.allow_private_addresses", "true or false")],
        ),
    ]);
}

#[test]
fn certificates_of_ones_own() {
    let directory = files(&[
        ("ca.pem", CERTIFICATE),
        ("bad.pem", &CERTIFICATE.replace("MIIB", "AAAA")),
        ("key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
    ]);
    for (name, expected) in
        [("ca.pem", None), ("bad.pem", Some("no certificate")), ("key.pem", Some("holds no certificate"))]
    {
        let path = directory.path().join(name).display().to_string();
        let loaded = load_text(&format!("[channels.a]\n{}", channel("imap", &format!("ca_file = \"{path}\""))), &[]);
        let text = shown(&loaded.err().unwrap_or_default());
        assert_eq!(text.is_empty(), expected.is_none(), "{text}");
        assert!(
            expected.is_none_or(|fragment| text.contains("channels.a.ca_file") && text.contains(fragment)),
            "{text}"
        );
    }
}

#[test]
fn one_source_under_two_names() {
    let directory = files(&[("real/Master.csv", ""), ("real/mail/new/x", "")]);
    std::os::unix::fs::symlink(directory.path().join("real"), directory.path().join("link")).unwrap();
    let at = directory.path().display().to_string();
    for (kind, one, other, same) in [
        ("asterisk", "real/Master.csv", "real/./Master.csv", true),
        ("asterisk", "real/Master.csv", "link/Master.csv", true),
        ("asterisk", "real/Master.csv", "real/mail/../Master.csv", true),
        ("asterisk", "real/not-yet.csv", "link/../real/not-yet.csv", true),
        ("asterisk", "none/a.csv", "none/../none/./a.csv", true),
        ("asterisk", "real/Master.csv", "real/Master.csv.1", false),
        ("maildir", "real/mail", "link/mail/", true),
    ] {
        let named = |path: &str| channel(kind, "").replace("/var/log/Master.csv", path).replace("/var/mail/a", path);
        let text =
            format!("[channels.a]\n{}[channels.b]\n{}", named(&format!("{at}/{one}")), named(&format!("{at}/{other}")));
        let text = shown(&load_text(&text, &[]).err().unwrap_or_default());
        assert_eq!(text.contains("channels.a reads the"), same, "{one} {other}: {text}");
    }
    let two = |first: &str, second: &str| {
        format!(
            "[channels.a]\n{}[channels.b]\n{}",
            channel("imap", first),
            channel("imap", second).replace("imap.example", "IMAP.Example")
        )
    };
    mistakes(&two("", "tls = \"starttls\""), &[(8, "channels.b", "the folder INBOX")]);
    mistakes(&two("", "port = 1993"), &[]);
}

#[test]
fn each_variable_is_named_for_its_own_mistake() {
    let problems = load_text(
        "",
        &[
            ("LANKA__CHANNELS__A__KIND", "imap"),
            ("LANKA__CHANNELS__B__KIND", "maildir"),
            ("LANKA__CHANNELS__B__PATH", "mail"),
            ("LANKA__CHANNELS__C__KIND", "webchat"),
            ("LANKA__CHANNELS__C__SECRET__FILE", "chat.secret"),
            ("LANKA__DEFAULTS__LANGUAGES", "[\"fi\", \"Suomi\"]"),
            ("LANKA__DELIVER__BACKOFF_MAX", "2s"),
            ("LANKA__DELIVER__BACKOFF_FIRST", "5s"),
            ("LANKA__HTTP", "{ metrics = false }"),
            ("LANKA__HTTP__LISTEN", "x"),
            ("LANKA__LOG", "loud"),
            ("LANKA__LOG__LEVEL", "info"),
        ],
    )
    .err()
    .unwrap_or_default();
    reads_well(&problems);
    let found: Vec<(&str, &str)> = problems.iter().map(|p| (p.file.as_str(), p.key.as_str())).collect();
    assert_eq!(
        found,
        [
            ("LANKA__CHANNELS__A__KIND", "channels.a.addresses"),
            ("LANKA__CHANNELS__A__KIND", "channels.a.host"),
            ("LANKA__CHANNELS__A__KIND", "channels.a.password"),
            ("LANKA__CHANNELS__A__KIND", "channels.a.user"),
            ("LANKA__CHANNELS__B__KIND", "channels.b.addresses"),
            ("LANKA__CHANNELS__B__PATH", "channels.b.path"),
            ("LANKA__CHANNELS__C__SECRET__FILE", "channels.c.secret"),
            ("LANKA__DEFAULTS__LANGUAGES", "defaults.languages.1"),
            ("LANKA__DELIVER__BACKOFF_FIRST", "deliver.backoff_first"),
            ("LANKA__HTTP__LISTEN", "http.listen"),
            ("LANKA__LOG", "log"),
            ("LANKA__LOG__LEVEL", "log.level"),
        ],
        "{}",
        shown(&problems)
    );
    // A table in a variable lies over the defaults as a file's does.
    let settings =
        good(load_text("", &[("LANKA__HTTP", "{ metrics = false }"), ("LANKA__HTTP__LISTEN", "127.0.0.1:1")]));
    assert!(!settings.http.metrics && settings.http.listen.port() == 1 && settings.http.concurrent_max == 512);
}

#[test]
fn what_is_switched_off_may_lack_its_secrets() {
    for kind in ["imap", "webchat", "messenger", "whatsapp"] {
        let text: String = channel(kind, "enabled = false")
            .lines()
            .filter(|line| !line.contains("env ="))
            .map(|line| format!("{line}\n"))
            .collect();
        let settings = good(load_text(&format!("[channels.a]\n{text}"), &[]));
        assert!(settings.channels.contains_key("a"), "{kind}");
    }
    let off = "[mirrors.m]\nkind = \"webhook\"\nenabled = false\nurl = \"https://desk.example.fi/\"\n";
    let settings = good(load_text(off, &[]));
    assert!(!settings.mirrors["m"].enabled);
    // All else is checked.
    mistakes(&off.replace("https:", "gopher:"), &[(4, "mirrors.m.url", "https://")]);
    mistakes(
        "[channels.a]\nkind = \"webchat\"\nenabled = false\nprevious_secrets = 5\n",
        &[(4, "channels.a.previous_secrets", "an array")],
    );
}

#[test]
fn files_that_are_none() {
    let directory = files(&[
        ("etc/lanka.toml", "[http]\nlistne = 1\n"),
        ("etc/lanka.d/10-broken.toml", "[log]\nlevel = \"info\n"),
        ("etc/lanka.d/20-bytes.toml", ""),
        ("etc/lanka.d/30-other.toml", "[defaults]\nregion = \"ZZ\"\n"),
        ("empty/readme.txt", ""),
    ]);
    let etc = directory.path().join("etc");
    std::fs::write(etc.join("lanka.d/20-bytes.toml"), b"[log]\nlevel = \"\xe4\"\n").unwrap();
    std::fs::create_dir(etc.join("lanka.d/40-dir.toml")).unwrap();
    std::os::unix::fs::symlink("/nowhere", etc.join("lanka.d/50-gone.toml")).unwrap();
    let paths =
        [etc.join("lanka.toml"), etc.join("lanka.d"), directory.path().join("empty"), directory.path().join("none")];
    let problems = check(&paths, &environment(&[]));
    reads_well(&problems);
    let name = |file: &str| Path::new(file).file_name().unwrap().to_string_lossy().into_owned();
    let found: Vec<(String, usize, &str, bool)> =
        problems.iter().map(|p| (name(&p.file), p.line.unwrap_or(0), p.key.as_str(), p.is_error())).collect();
    let expected = [
        ("empty", 0, "", false),
        ("lanka.toml", 2, "http.listne", true),
        ("10-broken.toml", 2, "", true),
        ("20-bytes.toml", 2, "", true),
        ("30-other.toml", 2, "defaults.region", true),
        ("50-gone.toml", 0, "", true),
        ("none", 0, "", true),
    ];
    assert_eq!(
        found,
        expected.map(|(file, line, key, error)| (file.to_owned(), line, key, error)),
        "{}",
        shown(&problems)
    );
}

#[test]
fn files_of_secrets() {
    let private = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    let table: &[(&str, &[u8], u32, &str)] = &[
        ("trailing newline", b"postgres://db/lanka\n", 0o600, ""),
        ("of the group", b"postgres://db/lanka", 0o640, ""),
        (
            "of everybody",
            b"postgres://db/lanka\r\n",
            0o644,
            "warning: database.url: everybody on this machine can read",
        ),
        ("empty", b"", 0o600, "is empty"),
        ("a line break alone", b"\n", 0o600, "is empty"),
        ("not text", b"\xff\xfe", 0o600, "not valid UTF-8"),
        ("not a URL", b"hunter2", 0o600, "not a URL of Postgres"),
    ];
    for (what, content, mode, expected) in table {
        let directory = files(&[(
            "lanka.toml",
            "[database]\nurl = { file = \"url\" }\n[security]\nkeys = [{ id = \"a\", env = \"LANKA_OLD_KEY\" }]\n",
        )]);
        std::fs::write(directory.path().join("url"), content).unwrap();
        private(&directory.path().join("url"), *mode);
        let problems = check(&[directory.path().join("lanka.toml")], &environment(&[]));
        reads_well(&problems);
        let text = shown(&problems);
        assert_eq!(problems.len(), usize::from(!expected.is_empty()), "{what}: {text}");
        assert!(text.contains(expected) && !text.contains("hunter2"), "{what}: {text}");
    }
}

#[test]
fn a_relative_file_of_the_configuration_is_its_own_directory() {
    // `--config lanka.toml` in the directory itself: what it names lies beside it, wherever that is.
    let settings = Settings::load(&[Path::new("config/default.toml").to_path_buf()], &environment(&[]));
    assert!(good(settings).channels.is_empty());
}

#[test]
fn domains_of_every_script_are_domains() {
    let settings = good(load_text("[identity]\nown_domains = [\"Jäätelö.fi\", \"EXAMPLE.FI\"]\n", &[]));
    assert_eq!(settings.identity.own_domains[1].0, "example.fi");
    assert!(settings.identity.own_domains[0].0.starts_with("xn--"), "{}", settings.identity.own_domains[0].0);
}
