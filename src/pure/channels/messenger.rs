//! Facebook Messenger, over a Page.
//!
//! `POST /hooks/{channel}`, signed as all of Meta's webhooks (`wire::meta`); the events are read by
//! `wire::messaging`.
//!
//! **Namespace:** `messenger:` and the Page's id. **Identities:** the page-scoped id (PSID), which
//! means nothing outside that Page. The payload has no name; names come from the profile API.

use super::{
    Accounts, Answers, Built, Channel, Delivery, Forged, Form, Handshake, Intake, Kind, Like, MediaReply, MediaStep,
    Own, Profile, ProfileRequest, Redacted, Setup, Unfit,
};
use crate::pure::domain::identity::Identity;
use crate::pure::domain::message::{Parsed, RawEvent};
use crate::pure::domain::secret::Secret;
use crate::pure::wire::messaging_send::{Messages, TextMax};
use crate::pure::wire::{media, messaging, meta, settings};
use serde::Deserialize;

/// The kind, as the configuration knows it.
pub const KIND: Kind = Kind {
    name: NAME,
    form: Form::Body,
    like: Some(Like::Chat),
    accounts: Accounts { called: &["messenger", "facebook", "fb"], schemes: &[SCHEME] },
    build,
    dry,
};

const NAME: &str = "messenger";

/// The scheme of page-scoped ids: by it names of profiles find their people.
pub const SCHEME: &str = NAME;

const PRODUCT: messaging::Product = messaging::Product { name: NAME, object: "page" };

/// What does not work without `access_token`.
const WITHOUT_TOKEN: &str =
    "people have no names but those they sign with, for Meta tells names only to whoever shows the Page's token";

/// The channel's table in the configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The app's secret, which signs deliveries (not the access token).
    app_secret: Secret,
    /// The word agreed on for the handshake.
    verify_token: Secret,
    /// The Page's token, with which names are asked of Meta. Left out, none are.
    access_token: Option<Secret>,
    /// Where Meta's API is, if not at its usual place.
    api_url: Option<String>,
}

fn build(_setup: &Setup<'_>, table: toml::Table) -> Result<Built, Unfit> {
    let (settings, mut problems): (Settings, _) = settings::read_kind(table)?;
    problems.extend(meta::check_api_url(settings.api_url.as_deref()).err());
    problems.extend(meta::check_access_token(settings.access_token.as_ref()).err());
    let graph = meta::Graph::new(settings.api_url, settings.access_token, &settings.app_secret);
    let app = meta::App::new(settings.app_secret, settings.verify_token).map_err(|found| problems.extend(found));
    let messages = graph.clone().map(|graph| Messages {
        graph,
        text_max: TextMax::Chars(2000),
        is_echoed: true,
        names_are_ascii: false,
    });
    let channel = Box::new(Messenger { app: app.unwrap_or_default(), graph, messages });
    Built { channel, intake: Intake::Webhook, own: Own::default() }.unless(problems)
}

fn dry(_setup: &Setup<'_>) -> Box<dyn Channel> {
    Box::new(Messenger { app: meta::App::default(), graph: None, messages: None })
}

struct Messenger {
    app: meta::App,
    graph: Option<meta::Graph>,
    messages: Option<Messages>,
}

impl Channel for Messenger {
    fn verify(&self, delivery: &Delivery<'_>) -> Result<(), Forged> {
        self.app.verify(delivery)
    }

    fn handshake(&self, query: &[(String, String)]) -> Handshake {
        self.app.handshake(query)
    }

    fn lacks(&self) -> Option<settings::SettingsProblem> {
        meta::lacks_access_token(self.graph.as_ref(), WITHOUT_TOKEN)
    }

    fn parse(&self, event: &RawEvent) -> Parsed {
        messaging::read(PRODUCT, event)
    }

    fn profile_request(&self, identity: &Identity) -> Option<ProfileRequest> {
        self.graph.as_ref().filter(|_| identity.scheme == NAME)?.ask(&identity.value, "first_name,last_name")
    }

    fn profile(&self, status: u16, body: &[u8]) -> Profile {
        meta::profile(status, body)
    }

    fn redact(&self, event: &RawEvent, item: u32) -> Option<Redacted> {
        messaging::redact(PRODUCT, event, item)
    }

    fn answers(&self) -> Option<&dyn Answers> {
        self.messages.as_ref().map(|messages| messages as &dyn Answers)
    }

    fn media(&self, remote: &str, replies: &[MediaReply]) -> MediaStep {
        media::by_url(remote, replies)
    }
}
