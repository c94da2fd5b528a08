//! URLs of tools in the configuration, judged before anything is sent to them.

use super::reach::{Refusal, refusal};
use url::{Host, Url};

/// What is wrong with the URL of a tool, if anything: a sentence with what to write.
pub fn problem(text: &str, insecure_http: bool, allow_private: bool) -> Option<String> {
    let Ok(url) = Url::parse(text) else {
        return Some("is not an absolute URL: write https://host/path".to_owned());
    };
    let (on_this_machine, refused) = match url.host() {
        Some(Host::Ipv4(address)) => (address.is_loopback(), refusal(address.into(), allow_private)),
        Some(Host::Ipv6(address)) => (address.is_loopback(), refusal(address.into(), allow_private)),
        Some(Host::Domain(name)) => {
            let here = name == "localhost" || name.ends_with(".localhost");
            (here, (here && !allow_private).then_some(Refusal::Private))
        }
        None => return Some("names no host: write https://host/path".to_owned()),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Some(
            "holds a user name or password: they have keys of their own, or are not needed; leave them out".to_owned(),
        );
    }
    match refused {
        Some(Refusal::Never) => return Some("is an address that nothing is ever sent to".to_owned()),
        Some(Refusal::Private) => {
            let remedy = "is on this machine or a private network, where nothing is sent: if that is meant, \
                          set allow_private_addresses = true under [http]";
            return Some(remedy.to_owned());
        }
        None => {}
    }
    match url.scheme() {
        "https" => None,
        "http" if on_this_machine || insecure_http => None,
        "http" => Some(
            "is not encrypted, and the requests hold customers' data: write https://, or set insecure_http = true"
                .to_owned(),
        ),
        other => Some(format!("has the scheme `{other}`: write https://")),
    }
}
