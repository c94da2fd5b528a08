//! Who handed a mail over to us: the connecting address, read from the Received fields of our own hops
//! (RFC 5321 4.4), for SPF (RFC 7208), which means nothing without it.
//!
//! Received fields are read from the top. A hop is ours when it was written by us: the topmost, for every
//! server writes one, and each one below that a hop of ours was handed the mail by. The first of them
//! whose other side is not ours names the address that SPF is about.
//!
//! **Invariant:** nothing that stands below the field of our outermost hop is believed, and a hop that can
//! be read in two ways gives no address.

use super::authentication::{received_by, without_comments};
use super::mail_parts::{Field, unfold};
use super::reach::refusal;
use std::net::IpAddr;

/// Hops of our own looked at; content filters and mailbox servers make some five.
const HOPS_MAX: usize = 12;

/// Our own hops (`mail_auth.trusted_relays`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relays {
    /// Networks from which only our own servers hand over.
    networks: Vec<Network>,
    /// Names that our servers write after `by`.
    hosts: Vec<String>,
}

/// Addresses that share their first bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u8,
}

/// What one entry of the list is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relay {
    /// `192.0.2.0/24`, or one address.
    Network(IpAddr, u8),
    /// A server's name.
    Host(String),
}

impl Relay {
    /// Reads an entry: an address, a network in CIDR, or a host name. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        if let Ok(address) = address.parse::<IpAddr>() {
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.map_or(Some(most), |bits| bits.parse().ok().filter(|bits| (1..=most).contains(bits)))?;
            return Some(Self::Network(address, bits));
        }
        let label = |label: &str| {
            (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        let is_name = bits.is_none() && text.len() <= 253 && text.split('.').all(label);
        // Four numbers that are no address are a slip, not a name.
        let is_number = text.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
        (is_name && !is_number).then(|| Self::Host(text.to_ascii_lowercase()))
    }
}

impl FromIterator<Relay> for Relays {
    fn from_iter<I: IntoIterator<Item = Relay>>(relays: I) -> Self {
        let mut all = Self::default();
        for relay in relays {
            match relay {
                Relay::Network(address, bits) => all.networks.push(Network { address, bits }),
                Relay::Host(host) => all.hosts.push(host),
            }
        }
        all
    }
}

impl Network {
    fn holds(self, address: IpAddr) -> bool {
        let top = |value: u128, width: u32| value >> (width - u32::from(self.bits));
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => top(u32::from(own).into(), 32) == top(u32::from(other).into(), 32),
            (IpAddr::V6(own), IpAddr::V6(other)) => top(own.into(), 128) == top(other.into(), 128),
            _ => false,
        }
    }
}

impl Relays {
    /// Whether nothing is known of our hops: then SPF is not asked.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty() && self.hosts.is_empty()
    }

    fn is_ours(&self, address: IpAddr) -> bool {
        // No stranger connects from a private network or from this machine.
        self.networks.iter().any(|network| network.holds(address)) || refusal(address, false).is_some()
    }

    /// Whether a hop that wrote itself into `by` may be ours. With networks alone, the topmost is taken
    /// for ours without its name, and those below by who handed the mail on.
    fn may_write(&self, by: &str) -> bool {
        self.hosts.is_empty()
            || self.hosts.iter().any(|host| host == by)
            || by.parse::<IpAddr>().is_ok_and(|address| self.is_ours(address))
    }
}

/// How a mail was handed over to our outermost server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// The address that connected.
    pub address: IpAddr,
    /// The name that it gave itself; empty when the field does not tell.
    pub helo: String,
    /// MAIL FROM, as our server noted it in Return-Path.
    pub mail_from: String,
}

/// Who handed the mail over. `None` when that cannot be told for certain, also when Return-Path is missing,
/// empty, or stands where a stranger may have written it.
///
/// `fields` is the mail's header in order, `value` gives the bytes of a field.
pub fn handover<'a>(fields: &'a [Field], value: impl Fn(&'a Field) -> &'a [u8], relays: &Relays) -> Option<Handover> {
    if relays.is_empty() {
        return None;
    }
    let mut mail_from = None;
    let mut hops = 0;
    for field in fields {
        match field.name.as_str() {
            "return-path" if mail_from.is_none() => mail_from = Some(return_path(&unfold(value(field)))?),
            "received" => {
                hops += 1;
                let text = unfold(value(field));
                if hops > HOPS_MAX || !relays.may_write(&received_by(&text)?) {
                    return None;
                }
                match connected(&text) {
                    // Handed on within one machine, without a connection to name.
                    From::Nobody => {}
                    From::Address(address) if relays.is_ours(address) => {}
                    From::Address(address) => {
                        return Some(Handover { address, helo: helo(&text), mail_from: mail_from? });
                    }
                    From::Unclear => return None,
                }
            }
            _ => {}
        }
    }
    None
}

/// `<anna@example.fi>`; `None` for the empty path of bounces and for what is no address.
fn return_path(value: &str) -> Option<String> {
    let address = value.trim().trim_start_matches('<').trim_end_matches('>').trim();
    let is_plain = !address.contains(['<', '>', ' ', ',']) && address.contains('@');
    is_plain.then(|| address.to_owned())
}

enum From {
    Nobody,
    Address(IpAddr),
    Unclear,
}

/// The part of a Received field that says who connected: from `from` to `by`, comments included.
fn from_clause(received: &str) -> Option<&str> {
    let received = received.trim_start();
    let rest = received.get(..5).filter(|word| word.eq_ignore_ascii_case("from ")).map(|_| &received[5..])?;
    let mut depth = 0usize;
    let mut before = b' ';
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b'b' | b'B' if depth == 0 && before.is_ascii_whitespace() && begins_by(&rest[at..]) => {
                return Some(&rest[..at]);
            }
            _ => {}
        }
        before = byte;
    }
    Some(rest)
}

fn begins_by(text: &str) -> bool {
    text.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("by "))
}

/// The address that connected. Servers write it into the comment (`from name (rdns [192.0.2.1])`), Exim in
/// front of it where it knows no name; what the other side said of itself (`helo=…`, the word after `from`)
/// may look just the same, and two different addresses decide nothing.
fn connected(received: &str) -> From {
    let Some(clause) = from_clause(received) else { return From::Nobody };
    let (outside, comments) = clause.split_once('(').unwrap_or((clause, ""));
    let mut words = comments.split(|c: char| c.is_whitespace() || "(),;".contains(c)).filter(|word| !word.is_empty());
    let mut found: Vec<IpAddr> = Vec::new();
    while let Some(word) = words.next() {
        let lower = word.to_ascii_lowercase();
        if lower == "helo" || lower == "ehlo" {
            words.next();
        } else if !lower.starts_with("helo=") && !lower.starts_with("ehlo=") {
            found.extend(literal(word));
        }
    }
    found.dedup();
    match (found.as_slice(), literal(outside.trim())) {
        ([only], _) => From::Address(*only),
        ([], Some(outside)) => From::Address(outside),
        ([], None) => From::Nobody,
        _ => From::Unclear,
    }
}

/// An address as servers write it: bare, in brackets, with a port after them, with `IPv6:` in front.
fn literal(word: &str) -> Option<IpAddr> {
    let word = word.rsplit_once('@').map_or(word, |(_, host)| host);
    let bare = match word.strip_prefix('[') {
        Some(inner) => inner.split_once(']')?.0,
        None => word,
    };
    let bare = bare.strip_prefix("IPv6:").or_else(|| bare.strip_prefix("ipv6:")).unwrap_or(bare);
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// The first word after `from`: what most servers note as HELO. It decides only what SPF's macros say.
fn helo(received: &str) -> String {
    let clause = without_comments(from_clause(received).unwrap_or_default());
    clause.split_whitespace().next().unwrap_or_default().trim_matches(['[', ']']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(relays: &[&str], header: &str) -> Option<String> {
        let relays: Relays = relays.iter().map(|text| Relay::parse(text).expect("a relay")).collect();
        let bytes = format!("{header}\n\n");
        let (fields, _) = super::super::mail_parts::fields(bytes.as_bytes(), 0..bytes.len());
        let found = handover(&fields, |field| &bytes.as_bytes()[field.value.clone()], &relays)?;
        Some(format!("{} {} {}", found.address, found.helo, found.mail_from))
    }

    #[test]
    fn entries_are_addresses_networks_or_names() {
        let table: &[(&str, Option<Relay>)] = &[
            ("192.0.2.1", Some(Relay::Network("192.0.2.1".parse().expect("an address"), 32))),
            ("192.0.2.0/24", Some(Relay::Network("192.0.2.0".parse().expect("an address"), 24))),
            ("2001:db8::/32", Some(Relay::Network("2001:db8::".parse().expect("an address"), 32))),
            ("MX.example.fi", Some(Relay::Host("mx.example.fi".to_owned()))),
            ("192.0.2.0/33", None),
            ("0.0.0.0/0", None),
            ("192.0.2", None),
            ("mx.example.fi/24", None),
            ("mx example.fi", None),
            ("", None),
            ("*.example.fi", None),
        ];
        for (text, expected) in table {
            assert_eq!(Relay::parse(text), *expected, "{text}");
        }
    }

    #[test]
    fn only_our_own_hops_tell_who_connected() {
        let path = "Return-Path: <a@b.example>\n";
        let outer = "Received: from out.b.example (out.b.example [9.9.9.9]) by mx.example.fi (Postfix) id 1; x\n";
        let inner = "Received: from mx.example.fi (mx.example.fi [8.8.1.2]) by store.example.fi with LMTP id 2; x\n";
        let forged = "Received: from x (x [1.1.1.1]) by mx.example.fi id 3; x\n";
        let found = Some("9.9.9.9 out.b.example a@b.example");
        let named = ["mx.example.fi", "store.example.fi", "8.8.1.2"];
        let table: &[(&[&str], String, Option<&str>)] = &[
            (&[], format!("{path}{outer}"), None),
            (&["8.8.1.0/24"], format!("{path}{outer}"), found),
            (&["8.8.1.0/24"], format!("{path}{inner}{outer}{forged}"), found),
            (&named, format!("{path}{inner}{outer}{forged}"), found),
            // Not handed on by a hop of ours: what stands below is a stranger's.
            (&["10.0.0.0/8"], format!("{path}{inner}{outer}"), Some("8.8.1.2 mx.example.fi a@b.example")),
            (&["other.example.fi"], format!("{path}{outer}"), None),
            (&["mx.example.fi"], format!("{path}{inner}{outer}"), None),
            // Filters on the same machine and mailbox servers on the inside.
            (
                &["mx.example.fi"],
                format!(
                    "{path}Received: from localhost (localhost [127.0.0.1]) by mx.example.fi id 4; x\nReceived: by mx.example.fi id 5; x\n{outer}"
                ),
                found,
            ),
            // Without a Return-Path of ours nobody knows MAIL FROM.
            (&["8.8.1.0/24"], outer.to_owned(), None),
            (&["8.8.1.0/24"], format!("{outer}{path}"), None),
            (&["8.8.1.0/24"], format!("Return-Path: <>\n{outer}"), None),
            (&["8.8.1.0/24"], format!("Return-Path: <a@b.example>, <c@d.example>\n{outer}"), None),
        ];
        for (relays, header, expected) in table {
            assert_eq!(check(relays, header).as_deref(), *expected, "{relays:?}\n{header}");
        }
    }

    #[test]
    fn the_address_is_the_servers_own_word() {
        let table = [
            ("from a.example (b.example [9.9.9.9])", Some("9.9.9.9")),
            ("from a.example (unknown [IPv6:2620:fe::9])", Some("2620:fe::9")),
            ("from a.example (b.example. [9.9.9.9]:2525)", Some("9.9.9.9")),
            ("from [9.9.9.9] (helo=a.example)", Some("9.9.9.9")),
            ("from b.example ([9.9.9.9] helo=a.example)", Some("9.9.9.9")),
            ("from b.example ([9.9.9.9] helo=[1.1.1.1])", Some("9.9.9.9")),
            ("from [9.9.9.9] (helo=[1.1.1.1])", Some("9.9.9.9")),
            ("from unknown (HELO [1.1.1.1]) (9.9.9.9)", Some("9.9.9.9")),
            ("from unknown (HELO a.example) (anna@9.9.9.9)", Some("9.9.9.9")),
            // What the other side says of itself stands in front.
            ("from [1.1.1.1] (b.example [9.9.9.9])", Some("9.9.9.9")),
            ("from a.example ([1.1.1.1] [9.9.9.9])", None),
            ("from a.example", None),
            ("from a.example (by x [9.9.9.9])", Some("9.9.9.9")),
        ];
        for (from, expected) in table {
            let header = format!("Return-Path: <a@b.example>\nReceived: {from} by mx.example.fi id 1; x");
            let found = check(&["mx.example.fi"], &header);
            assert_eq!(found.as_deref().and_then(|found| found.split(' ').next()), expected, "{from}");
        }
    }
}
