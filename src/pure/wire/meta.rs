//! What the webhooks of Meta's platforms share: signature, handshake and envelope.
//!
//! `X-Hub-Signature-256: sha256=<hex>` is HMAC-SHA256 of the raw body with the *app* secret
//! (developers.facebook.com/docs/messenger-platform/webhooks). Meta signs the body with non-ASCII
//! escaped (`\u00e4`): a body that was decoded and encoded again no longer fits. The older SHA-1
//! header is never looked at. The signature has no time in it, so that a replay is genuine; it ends
//! as a repeat of what is already stored.
//!
//! **Invariant:** without a configured secret nothing is genuine, and every comparison with a secret
//! takes the same time wherever the difference lies.

use super::batch::Batch;
use super::delivery::{Delivery, Forged, Handshake};
use super::json;
use super::media::{self, MediaReply, MediaRequest, MediaStep};
use super::profile::{Profile, ProfileRequest};
use super::settings::SettingsProblem;
use crate::pure::domain::secret::Secret;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The header with the signature.
pub const SIGNATURE_HEADER: &str = "x-hub-signature-256";

/// Longest challenge echoed, in bytes; Meta's are ten digits.
const CHALLENGE_BYTES_MAX: usize = 256;

/// What an app proves its webhooks with. Without secrets (a dry run) it takes none.
#[derive(Debug, Clone, Default)]
pub struct App {
    secrets: Option<(Secret, Secret)>,
}

impl App {
    /// An app with its secret, which signs deliveries, and its verify token, which the handshake asks for.
    ///
    /// # Errors
    /// A problem for each that is empty: HMAC with an empty key is a signature anybody can make.
    pub fn new(app_secret: Secret, verify_token: Secret) -> Result<Self, Vec<SettingsProblem>> {
        let mut problems = Vec::new();
        for (key, secret) in [("app_secret", &app_secret), ("verify_token", &verify_token)] {
            if secret.expose().trim().is_empty() {
                problems.push(SettingsProblem::new(key, "is empty; take it from the app's dashboard at Meta"));
            }
        }
        if problems.is_empty() { Ok(Self { secrets: Some((app_secret, verify_token)) }) } else { Err(problems) }
    }

    /// Whether Meta signed the delivery.
    ///
    /// # Errors
    /// [`Forged::Missing`] without the header (twice counts as absent), [`Forged::Malformed`],
    /// [`Forged::Mismatch`], and [`Forged::NotAWebhook`] for an app without secrets.
    pub fn verify(&self, delivery: &Delivery<'_>) -> Result<(), Forged> {
        let (app_secret, _) = self.secrets.as_ref().ok_or(Forged::NotAWebhook)?;
        let header = delivery.header(SIGNATURE_HEADER).ok_or(Forged::Missing)?;
        let signature = header.strip_prefix(b"sha256=").and_then(|digits| hex::decode(digits).ok());
        let signature = signature.ok_or(Forged::Malformed)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(app_secret.expose().as_bytes()).map_err(|_| Forged::Mismatch)?;
        mac.update(delivery.body);
        mac.verify_slice(&signature).map_err(|_| Forged::Mismatch)
    }

    /// The answer to `GET ?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock`.
    /// A parameter that stands twice counts as absent.
    pub fn handshake(&self, query: &[(String, String)]) -> Handshake {
        let only = |name: &str| {
            let mut values = query.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str());
            values.next().filter(|_| values.next().is_none())
        };
        let Some((_, verify_token)) = &self.secrets else { return Handshake::Refused };
        let known = only("hub.verify_token")
            .is_some_and(|token| token.as_bytes().ct_eq(verify_token.expose().as_bytes()).into());
        match (only("hub.mode"), only("hub.challenge")) {
            (Some("subscribe"), Some(challenge)) if known && is_plain(challenge) => {
                Handshake::Echo(challenge.to_owned())
            }
            _ => Handshake::Refused,
        }
    }
}

/// Asks Meta about people and files: with the token of a Page or account, if there is one.
///
/// `GET {api_url}/{id}?fields=first_name,last_name` → `{"first_name": "Minna", "last_name": "Virtanen", "id": "…"}`
/// (developers.facebook.com/documentation/business-messaging/messenger-platform/identity/user-profile), for Instagram
/// `fields=name,username` (…/instagram-messaging/features/user-profile). Refused where the person never
/// wrote, blocked the business, or the app lacks the feature.
///
/// `GET {api_url}/{media id}` → `{"url": "https://lookaside.fbsbx.com/…", "mime_type": "image/jpeg", "sha256": "<hex>",
/// "file_size": "303833", "id": "…", "messaging_product": "whatsapp"}`, then `GET url`, which lives five minutes, **with the
/// same token** (…/whatsapp/business-phone-numbers/media). A URL that has run out answers 404 and is asked for anew.
#[derive(Debug, Clone)]
pub struct Graph {
    api_url: String,
    token: Secret,
    /// `appsecret_proof`: shows that the token is used by the app it was given to.
    proof: String,
}

/// Errors of the Graph API that pass: unknown, service, rate of app, user, Page and calls
/// (developers.facebook.com/docs/graph-api/guides/error-handling), and 190, a token that ran out, which
/// somebody renews.
const PASSING_CODES: [u64; 8] = [1, 2, 4, 17, 32, 190, 613, 80_006];

impl Graph {
    /// With the app's secret for the proof. `None` without a token: names are optional.
    pub fn new(api_url: Option<String>, token: Option<Secret>, app_secret: &Secret) -> Option<Self> {
        let token = token?;
        let api_url = api_url.unwrap_or_else(|| API_URL.to_owned()).trim_end_matches('/').to_owned();
        Some(Self { api_url, proof: app_secret_proof(app_secret, &token), token })
    }

    /// The question for a person's name.
    pub fn ask(&self, id: &str, fields: &str) -> Option<ProfileRequest> {
        let mut url = url::Url::parse(&self.api_url).ok()?;
        url.path_segments_mut().ok()?.pop_if_empty().push(id);
        url.query_pairs_mut().append_pair("fields", fields).append_pair("appsecret_proof", &self.proof);
        Some(ProfileRequest { url: url.into(), bearer: self.token.clone() })
    }
}

/// Hosts of Meta's that files are given out by, with all below them: besides the API's own, the token is shown
/// to no other, whatever URL an answer names.
const FILE_HOSTS: [&str; 4] = ["fbsbx.com", "facebook.com", "fbcdn.net", "whatsapp.net"];

/// The error of an object that is not there, or that the token may not see.
const UNKNOWN_OBJECT: u64 = 100;

impl Graph {
    /// The steps for a file, by its media id, or by a URL where the delivery had no id.
    pub fn media(&self, remote: &str, replies: &[MediaReply]) -> MediaStep {
        let is_url = remote.starts_with("https://") || remote.starts_with("http://");
        match replies {
            [] if is_url => self.fetch(remote, None),
            [reply] if is_url => match judge_file(reply) {
                // There is no id to ask a newer one by.
                MediaStep::Later(_) if matches!(reply.status, 404 | 410) => media::by_url(remote, replies),
                step => step,
            },
            [] => match self.described(remote) {
                Some(request) => MediaStep::Ask(request),
                None => MediaStep::Lost("its id is none that could be asked for".to_owned()),
            },
            [reply] if reply.status == 200 => {
                let body = json::read(&reply.body).unwrap_or(Value::Null);
                let sha256 = json::text(&body, "sha256").and_then(|text| media::sha256(&text));
                match json::filled(&body, "url") {
                    Some(url) => self.fetch(&url, sha256),
                    None => MediaStep::Later("Meta's answer names no place where it is".to_owned()),
                }
            }
            [reply] => judge_question(reply),
            [.., reply] => judge_file(reply),
        }
    }

    /// An address below the API's, with the proof.
    pub fn url(&self, path: &[&str]) -> Option<String> {
        let mut url = url::Url::parse(&self.api_url).ok()?;
        url.path_segments_mut().ok()?.pop_if_empty().extend(path);
        url.query_pairs_mut().append_pair("appsecret_proof", &self.proof);
        Some(url.into())
    }

    /// The header that shows the token.
    pub fn authorization(&self) -> String {
        format!("Bearer {}", self.token.expose())
    }

    /// The question where a file is.
    fn described(&self, id: &str) -> Option<MediaRequest> {
        Some(MediaRequest { url: self.url(&[id])?, bearer: Some(self.token.clone()) })
    }

    fn fetch(&self, url: &str, sha256: Option<[u8; 32]>) -> MediaStep {
        let bearer = self.may_see_token(url).then(|| self.token.clone());
        MediaStep::Fetch { request: MediaRequest { url: url.to_owned(), bearer }, sha256 }
    }

    /// Whether a URL is on a host of Meta's, over TLS, or on that of the API as configured.
    fn may_see_token(&self, url: &str) -> bool {
        let (Ok(url), Ok(api)) = (url::Url::parse(url), url::Url::parse(&self.api_url)) else { return false };
        let is_below =
            |host: &str, of: &str| host.strip_suffix(of).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        let is_metas = |host: &str| FILE_HOSTS.iter().any(|of| is_below(host, of));
        url.origin() == api.origin() || (url.scheme() == "https" && url.host_str().is_some_and(is_metas))
    }
}

/// What an answer means that does not say where a file is.
fn judge_question(reply: &MediaReply) -> MediaStep {
    let status = reply.status;
    let body = json::read(&reply.body).unwrap_or(Value::Null);
    let code = body.get("error").and_then(|error| error.get("code")).and_then(Value::as_u64);
    match (status, code) {
        (_, Some(190)) | (401, _) => {
            MediaStep::Later(format!("Meta refuses the access token (answer {status}); renew access_token"))
        }
        (_, Some(UNKNOWN_OBJECT)) => MediaStep::Later(format!(
            "Meta knows no such file, or access_token may not see it (answer {status}, error {UNKNOWN_OBJECT})"
        )),
        (_, Some(code)) => MediaStep::Later(format!("Meta answers {status} with error {code}")),
        (404 | 410, None) => MediaStep::Lost(format!("Meta no longer has it (answer {status})")),
        (status, None) => MediaStep::Later(format!("Meta answers {status}")),
    }
}

/// What an answer means that should have been a file.
fn judge_file(reply: &MediaReply) -> MediaStep {
    MediaStep::Later(match reply.status {
        status @ (401 | 403) => {
            format!("Meta refuses the access token for the file (answer {status}); look at access_token")
        }
        status @ (404 | 410) => format!("its address had run out (answer {status})"),
        status => format!("Meta answers {status} instead of the file"),
    })
}

/// Where Meta's API is.
const API_URL: &str = "https://graph.facebook.com";

/// Hex HMAC-SHA256 of the token with the app's secret.
fn app_secret_proof(app_secret: &Secret, token: &Secret) -> String {
    match Hmac::<Sha256>::new_from_slice(app_secret.expose().as_bytes()) {
        Ok(mac) => hex::encode(mac.chain_update(token.expose().as_bytes()).finalize().into_bytes()),
        Err(_) => String::new(),
    }
}

/// What Meta's answer says: the name in `name`, else in `first_name` and `last_name`, else `username`.
pub fn profile(status: u16, body: &[u8]) -> Profile {
    let body = json::read(body).unwrap_or(Value::Null);
    if let Some(error) = body.get("error") {
        let code = error.get("code").and_then(Value::as_u64).unwrap_or_default();
        let passes = error.get("is_transient").and_then(Value::as_bool) == Some(true);
        return match passes || status >= 500 || status == 429 || PASSING_CODES.contains(&code) {
            true => Profile::Later(format!("Meta answers {status} with error {code}")),
            false => Profile::Nameless,
        };
    }
    if status != 200 {
        return match status {
            404 | 410 => Profile::Nameless,
            _ => Profile::Later(format!("Meta answers {status}")),
        };
    }
    let parts = [json::filled(&body, "first_name"), json::filled(&body, "last_name")];
    let joined = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let joined = (!joined.is_empty()).then_some(joined);
    let name = json::filled(&body, "name").or(joined).or_else(|| json::filled(&body, "username"));
    name.map_or(Profile::Nameless, |name| Profile::Named(name.trim().chars().take(NAME_CHARS_MAX).collect()))
}

/// Longest name kept, in characters.
const NAME_CHARS_MAX: usize = 200;

/// A challenge that is safe to say back: no markup, nothing long.
fn is_plain(challenge: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~+/=".contains(&byte);
    !challenge.is_empty() && challenge.len() <= CHALLENGE_BYTES_MAX && challenge.bytes().all(plain)
}

/// The entries of a delivery for `object`. Another object is the fault `wrong_object`: the vendor is
/// subscribed to something that another kind of channel reads.
pub fn entries<'a>(body: &'a Value, object: &str, batch: &mut Batch) -> Vec<&'a Value> {
    match json::text(body, "object") {
        Some(found) if found == object => {}
        Some(found) => {
            let found = json::word(&found);
            batch.fault("wrong_object", format!("the delivery is about `{found}`; this channel reads `{object}`"));
            return Vec::new();
        }
        None => {
            batch.fault("not_from_meta", "the delivery has no `object`, as every one from Meta has");
            return Vec::new();
        }
    }
    let entries = json::list(body, "entry", batch);
    if entries.is_empty() && batch.is_empty() {
        batch.fault("no_entry", "`entry` is empty or missing");
    }
    entries
}

/// The URL of the vendor's API in a channel's settings, checked.
///
/// # Errors
/// One problem at `api_url`. Tokens travel with every call, so that only TLS will do, but for a
/// stand-in on this machine.
pub fn check_api_url(api_url: Option<&str>) -> Result<(), SettingsProblem> {
    let Some(text) = api_url else { return Ok(()) };
    let problem = |message: &str| Err(SettingsProblem::new("api_url", message));
    let Ok(url) = url::Url::parse(text) else { return problem("is not a URL; write \"https://graph.facebook.com\"") };
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme() {
        "https" => Ok(()),
        "http" if loopback => Ok(()),
        _ => problem("must begin with https:// (http:// only for this machine)"),
    }
}

/// The access token in a channel's settings, checked.
///
/// # Errors
/// One problem at `access_token` when it is there and empty: an environment variable nobody set.
pub fn check_access_token(token: Option<&Secret>) -> Result<(), SettingsProblem> {
    match token {
        Some(token) if token.expose().trim().is_empty() => Err(SettingsProblem::new(
            "access_token",
            "is empty; leave it out or take it from the app's dashboard at Meta",
        )),
        _ => Ok(()),
    }
}

/// What a channel that has no access token says of it: `without` is what does not work then.
pub fn lacks_access_token(graph: Option<&Graph>, without: &str) -> Option<SettingsProblem> {
    let message = || format!("not set: {without}");
    graph.is_none().then(|| SettingsProblem::new("access_token", message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> App {
        App::new(Secret::new("app_secret"), Secret::new("meatyhamhock")).unwrap()
    }

    /// What is tried, headers, body, what must come of it.
    type Row<'a> = (&'a str, Vec<(&'a str, &'a str)>, &'a [u8], Result<(), Forged>);

    fn verify(app: &App, headers: &[(&str, &str)], body: &[u8]) -> Result<(), Forged> {
        let headers: Vec<_> = headers.iter().map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect();
        app.verify(&Delivery { headers: &headers, url: "", body, received_at: jiff::Timestamp::UNIX_EPOCH })
    }

    /// The escapes are literal: this is what Meta signs.
    const ESCAPED: &[u8] =
        br#"{"object":"page","entry":[{"id":"1","messaging":[{"message":{"mid":"m1","text":"\u00e4\u00f6\u00e5"}}]}]}"#;
    const GENUINE: &str = "sha256=a8a19e9d572448dabe99f351f60f393a6cde1238767e044424b55b123617d43a";

    #[test]
    fn signatures() {
        let decoded = r#"{"object":"page","entry":[{"id":"1","messaging":[{"message":{"mid":"m1","text":"äöå"}}]}]}"#;
        let of_decoded = "sha256=fab67bf21bde902d9c786c5dff180d9a6e53ad30f6f8768b88be6d3615353b92";
        let own = |value: &'static str| vec![(SIGNATURE_HEADER, value)];
        let sha1 = vec![("x-hub-signature", "sha1=0123456789012345678901234567890123456789")];
        let twice = [own(GENUINE), own(GENUINE)].concat();
        let longer = [ESCAPED, b"\n"].concat();
        let table: Vec<Row<'_>> = vec![
            ("genuine", own(GENUINE), ESCAPED, Ok(())),
            ("re-encoded", own(GENUINE), decoded.as_bytes(), Err(Forged::Mismatch)),
            ("signature of the re-encoded body", own(of_decoded), ESCAPED, Err(Forged::Mismatch)),
            ("a byte more", own(GENUINE), &longer, Err(Forged::Mismatch)),
            ("missing", vec![], ESCAPED, Err(Forged::Missing)),
            ("the SHA-1 header alone", sha1, ESCAPED, Err(Forged::Missing)),
            ("twice", twice, ESCAPED, Err(Forged::Missing)),
            ("no prefix", own(&GENUINE[7..]), ESCAPED, Err(Forged::Malformed)),
            ("no hex", own("sha256=zz"), ESCAPED, Err(Forged::Malformed)),
            ("cut", own(&GENUINE[..21]), ESCAPED, Err(Forged::Mismatch)),
            ("empty", own("sha256="), ESCAPED, Err(Forged::Mismatch)),
        ];
        for (name, headers, body, expected) in table {
            assert_eq!(verify(&app(), &headers, body), expected, "{name}");
        }
        assert_eq!(verify(&App::default(), &own(GENUINE), ESCAPED), Err(Forged::NotAWebhook));
    }

    #[test]
    fn people_are_asked_about_with_a_proof_and_without_the_token_in_the_url() {
        let (secret, token) = (Secret::new("app_secret"), Secret::new("page_token"));
        let request = Graph::new(None, Some(token), &secret).unwrap().ask("12/../34", "first_name,last_name").unwrap();
        assert_eq!(
            request.url,
            "https://graph.facebook.com/12%2F..%2F34?fields=first_name%2Clast_name&appsecret_proof=d3735fae6262c199d627c82fdbf84f4ef864821dec69f1a8a97ad588035cac6d"
        );
        assert!(Graph::new(None, None, &secret).is_none(), "without a token nobody is asked");
    }

    #[test]
    fn the_token_is_shown_to_hosts_of_metas_alone() {
        let graph =
            |api_url: &str| Graph::new(Some(api_url.to_owned()), Some(Secret::new("t")), &Secret::new("s")).unwrap();
        for (api_url, url, seen) in [
            ("https://graph.facebook.com", "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1", true),
            ("https://graph.facebook.com", "https://scontent.whatsapp.net/a", true),
            ("https://graph.facebook.com/v24.0", "https://graph.facebook.com/a", true),
            ("https://graph.facebook.com", "http://lookaside.fbsbx.com/a", false),
            ("https://graph.facebook.com", "https://lookaside.fbsbx.com.example/a", false),
            ("https://graph.facebook.com", "https://evilfbsbx.com/a", false),
            ("https://graph.facebook.com", "https://fbsbx.com@example.com/a", false),
            ("http://127.0.0.1:81", "http://127.0.0.1:81/a", true),
            ("http://127.0.0.1:81", "http://127.0.0.1:82/a", false),
            ("https://graph.facebook.com", "no url", false),
        ] {
            let answer = MediaReply { status: 200, body: serde_json::json!({ "url": url }).to_string().into() };
            let MediaStep::Fetch { request, .. } = graph(api_url).media("1", &[answer]) else { panic!("{url}") };
            assert_eq!((request.bearer.is_some(), request.url.as_str()), (seen, url), "{api_url}");
        }
    }

    #[test]
    fn answers_about_files() {
        let graph = Graph::new(None, Some(Secret::new("page_token")), &Secret::new("app_secret")).unwrap();
        let MediaStep::Ask(request) = graph.media("24/../23", &[]) else { panic!("a question first") };
        assert!(request.url.starts_with("https://graph.facebook.com/24%2F..%2F23?appsecret_proof=d3735fae"));
        assert!(request.bearer.is_some() && !request.url.contains("page_token"));
        let reply = |status, body: &str| MediaReply { status, body: body.as_bytes().to_vec() };
        let described = reply(200, r#"{"url":"https://lookaside.fbsbx.com/a","sha256":"00"}"#);
        for (replies, expected) in [
            (vec![reply(200, "{}")], "later"),
            (vec![reply(200, "<html>")], "later"),
            (vec![reply(400, r#"{"error":{"code":100,"error_subcode":33}}"#)], "later"),
            (vec![reply(400, r#"{"error":{"code":190}}"#)], "later"),
            (vec![reply(401, "")], "later"),
            (vec![reply(404, "")], "lost"),
            (vec![reply(410, "")], "lost"),
            (vec![reply(429, "")], "later"),
            (vec![reply(500, "")], "later"),
            (vec![described.clone(), reply(401, "")], "later"),
            (vec![described.clone(), reply(404, "")], "later"),
            (vec![described.clone(), reply(500, "")], "later"),
        ] {
            let word = match graph.media("2423", &replies) {
                MediaStep::Later(_) => "later",
                MediaStep::Lost(_) => "lost",
                other => panic!("{other:?}"),
            };
            assert_eq!(word, expected, "{replies:?}");
        }
        let gone = graph.media("https://lookaside.fbsbx.com/a", &[reply(404, "")]);
        assert!(matches!(gone, MediaStep::Lost(_)), "without an id there is no newer address");
    }

    #[test]
    fn answers_about_people() {
        let named = |name: &str| Profile::Named(name.to_owned());
        let later = |why: &str| Profile::Later(why.to_owned());
        for (status, body, expected) in [
            (200, r#"{"first_name":"Minna","last_name":"Virtanen","id":"1"}"#, named("Minna Virtanen")),
            (200, r#"{"first_name":"Minna","id":"1"}"#, named("Minna")),
            (200, r#"{"name":"Minna V","username":"minnav"}"#, named("Minna V")),
            (200, r#"{"name":null,"username":"minnav"}"#, named("minnav")),
            (200, r#"{"id":"1"}"#, Profile::Nameless),
            (
                400,
                r#"{"error":{"code":100,"error_subcode":33,"message":"Unsupported get request"}}"#,
                Profile::Nameless,
            ),
            (
                403,
                r#"{"error":{"code":230,"message":"User consent is required to access user profile"}}"#,
                Profile::Nameless,
            ),
            (400, r#"{"error":{"code":190,"message":"expired"}}"#, later("Meta answers 400 with error 190")),
            (400, r#"{"error":{"code":4,"message":"limit"}}"#, later("Meta answers 400 with error 4")),
            (400, r#"{"error":{"code":100,"is_transient":true}}"#, later("Meta answers 400 with error 100")),
            (503, "<html>", later("Meta answers 503")),
            (302, "", later("Meta answers 302")),
            (404, "", Profile::Nameless),
        ] {
            assert_eq!(profile(status, body.as_bytes()), expected, "{status} {body}");
        }
    }

    #[test]
    fn handshakes() {
        let ask = |pairs: &[(&str, &str)]| {
            let query: Vec<_> = pairs.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
            app().handshake(&query)
        };
        let (mode, token, challenge) =
            (("hub.mode", "subscribe"), ("hub.verify_token", "meatyhamhock"), ("hub.challenge", "1158201444"));
        assert_eq!(ask(&[mode, challenge, token]), Handshake::Echo("1158201444".to_owned()));
        for refused in [
            vec![],
            vec![mode, challenge],
            vec![mode, token],
            vec![challenge, token],
            vec![mode, challenge, ("hub.verify_token", "meatyhamhoc")],
            vec![mode, challenge, ("hub.verify_token", "")],
            vec![mode, challenge, token, token],
            vec![("hub.mode", "unsubscribe"), challenge, token],
            vec![mode, ("hub.challenge", "<script>"), token],
            vec![("hub_mode", "subscribe"), ("hub_challenge", "1"), ("hub_verify_token", "meatyhamhock")],
        ] {
            assert_eq!(ask(&refused), Handshake::Refused, "{refused:?}");
        }
    }

    #[test]
    fn empty_secrets_are_refused() {
        let problems = App::new(Secret::new(" "), Secret::new("")).unwrap_err();
        assert_eq!(problems.iter().map(|p| p.key.as_str()).collect::<Vec<_>>(), ["app_secret", "verify_token"]);
    }

    #[test]
    fn api_urls() {
        for (text, good) in [
            ("https://graph.facebook.com", true),
            ("http://127.0.0.1:8080/graph", true),
            ("http://graph.facebook.com", false),
            ("graph.facebook.com", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(check_api_url(Some(text)).is_ok(), good, "{text}");
        }
    }
}
