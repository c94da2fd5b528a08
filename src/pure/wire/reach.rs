//! Which addresses requests may go to: the public internet, and private networks where that is allowed.
//!
//! The configuration judges what is written with it, the carrier every address that a name resolves
//! to, so that both say the same.
//!
//! **Invariant:** nothing ever goes to link-local, metadata, multicast or reserved addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address that requests never go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Private, and private addresses are not allowed.
    #[error("the host is on a private network; set http.allow_private_addresses = true if that is meant")]
    Private,
    /// No host that requests may go to, whatever is allowed.
    #[error("the host is a link-local, metadata, multicast or reserved address, to which requests never go")]
    Never,
}

/// What kind of address it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Public,
    Private,
    Never,
}

/// Why an address is refused, if it is.
pub fn refusal(address: IpAddr, allow_private: bool) -> Option<Refusal> {
    let (reach, embedded) = match address {
        IpAddr::V4(address) => (reach_v4(address), false),
        IpAddr::V6(address) => reach_v6(address),
    };
    match reach {
        Reach::Never => Some(Refusal::Never),
        Reach::Private if !allow_private => Some(Refusal::Private),
        // No resolver answers with a mapped address: it is written to get round a check like this.
        Reach::Public if embedded && !allow_private => Some(Refusal::Private),
        Reach::Private | Reach::Public => None,
    }
}

/// By the IANA special-purpose registry (RFC 6890 and its updates).
fn reach_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        // Azure's host services answer here, on an address that is otherwise public.
        [168, 63, 129, 16] => Reach::Never,
        // Alibaba's metadata service, inside the range of carrier-grade NAT.
        [100, 100, 100, 200] => Reach::Never,
        [0, ..] | [169, 254, ..] | [224..=255, ..] => Reach::Never,
        // IETF protocol assignments (Oracle's metadata service among them), the three
        // documentation ranges, the former 6to4 relays.
        [192, 0, 0, _] | [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [192, 88, 99, _] => Reach::Never,
        [10, ..] | [127, ..] | [172, 16..=31, ..] | [192, 168, ..] => Reach::Private,
        [100, 64..=127, ..] | [198, 18..=19, ..] => Reach::Private,
        _ => Reach::Public,
    }
}

/// The reach, and whether it is that of an IPv4 address written as IPv6.
fn reach_v6(address: Ipv6Addr) -> (Reach, bool) {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return (reach_v4(mapped), true);
    }
    let segments = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    let reach = match segments {
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Private,
        // NAT64 (RFC 6052): what a network without IPv4 uses for every public IPv4 host.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => reach_v4(v4(high, low)),
        // 6to4 (RFC 3056) carries an IPv4 address.
        [0x2002, high, low, ..] => reach_v4(v4(high, low)),
        // Amazon's metadata service, inside the unique local range.
        [0xfd00, 0x0ec2, ..] => Reach::Never,
        [0xfc00..=0xfdff, ..] => Reach::Private,
        // Protocol assignments with Teredo, documentation twice.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Reach::Never,
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Never,
    };
    (reach, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart() {
        use Reach::{Never, Private, Public};
        for (address, expected) in [
            ("193.166.3.2", Public),
            ("8.8.8.8", Public),
            ("172.15.255.255", Public),
            ("172.32.0.1", Public),
            ("100.63.255.255", Public),
            ("100.128.0.0", Public),
            ("198.20.0.1", Public),
            ("2001:708:10:9::20", Public),
            ("2a00:1450:4026:804::200e", Public),
            ("64:ff9b::c1a6:302", Public),
            ("10.0.0.1", Private),
            ("127.0.0.1", Private),
            ("127.255.255.254", Private),
            ("172.16.0.1", Private),
            ("172.31.255.255", Private),
            ("192.168.1.1", Private),
            ("100.64.0.1", Private),
            ("198.18.0.1", Private),
            ("::1", Private),
            ("fc00::1", Private),
            ("fd12:3456::1", Private),
            ("64:ff9b::7f00:1", Private),
            ("64:ff9b::a00:1", Private),
            ("2002:7f00:1::", Private),
            ("::ffff:127.0.0.1", Private),
            ("::ffff:10.0.0.1", Private),
            ("0.0.0.0", Never),
            ("0.1.2.3", Never),
            ("169.254.169.254", Never),
            ("169.254.0.1", Never),
            ("168.63.129.16", Never),
            ("100.100.100.200", Never),
            ("192.0.0.192", Never),
            ("192.0.2.1", Never),
            ("198.51.100.1", Never),
            ("203.0.113.1", Never),
            ("224.0.0.1", Never),
            ("239.255.255.255", Never),
            ("240.0.0.1", Never),
            ("255.255.255.255", Never),
            ("::", Never),
            ("fe80::1", Never),
            ("ff02::1", Never),
            ("fd00:ec2::254", Never),
            ("::ffff:169.254.169.254", Never),
            ("2002:a9fe:a9fe::1", Never),
            ("64:ff9b::a9fe:a9fe", Never),
            ("64:ff9b:1::1", Never),
            ("2001::1", Never),
            ("2001:db8::1", Never),
            ("::7f00:1", Never),
            ("5f00::1", Never),
            ("100::1", Never),
        ] {
            let reach = match address.parse().unwrap() {
                IpAddr::V4(v4) => reach_v4(v4),
                IpAddr::V6(v6) => reach_v6(v6).0,
            };
            assert_eq!(reach, expected, "{address}");
        }
        let mapped_public: IpAddr = "::ffff:8.8.8.8".parse().unwrap();
        assert_eq!(refusal(mapped_public, false), Some(Refusal::Private));
        assert_eq!(refusal(mapped_public, true), None);
    }
}
