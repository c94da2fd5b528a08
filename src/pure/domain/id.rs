//! One newtype per kind of id, and the mint that makes them.
//!
//! Every id is a UUID version 7 (RFC 9562, section 5.7): the first 48 bits are the time of arrival
//! in milliseconds. Tables that grow are partitioned by that prefix, so a look-up by id alone finds
//! its partition without being told the date.
//!
//! **Invariant:** an id is opaque. Nothing but [`IdMint`] and the partitioning of the store looks
//! inside.

use super::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> { text.parse().map(Self) }
        }
        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self { Self(uuid) }
        }
    )+};
}

ids! {
    /// One delivery, exactly as it arrived.
    RawEventId,
    /// One thing said by a customer or an agent.
    MessageId,
    /// A person, an organisation, or a shared identifier.
    ContactId,
    /// One address a contact is reached at.
    IdentityId,
    /// One thread of messages about one matter.
    TicketId,
    /// One name, number or claim read out of one message.
    FactId,
    /// Evidence between two identities.
    EdgeId,
    /// A join that evidence points to but does not carry.
    SuggestionId,
    /// One change on its way to one mirror.
    OutboxId,
    /// One row of a journal (`ticket_event`, `contact_link`).
    EventId,
    /// One thing that many speak of at once.
    IncidentId,
}

impl ContactId {
    /// The contact of an identity that is nobody's yet. A contact has the id of the oldest of its identities, so that
    /// what is joined and taken apart again has the ids that it had.
    pub fn of(identity: IdentityId) -> Self {
        Self(identity.0)
    }
}

/// Makes ids without a clock or a random source of its own: the shell gives the time of arrival
/// and a seed, and the same seed gives the same ids again.
///
/// Ids from one mint ascend, also within one millisecond and when the time given goes back.
#[derive(Debug, Clone)]
pub struct IdMint {
    last: u64,
    seed: u128,
    drawn: u64,
}

/// Bits of an id that count up within one millisecond. 2^18 ids in a millisecond is far more than
/// one process decides; past it the millisecond is borrowed from the future.
const COUNTER_BITS: u32 = 18;

impl IdMint {
    /// A mint over `seed`, which must be random: it is what keeps two processes apart.
    pub fn new(seed: u128) -> Self {
        Self { last: 0, seed, drawn: 0 }
    }

    /// The next id, whose time prefix is `at` (or a little later, to keep ids ascending).
    pub fn next<T: From<Uuid>>(&mut self, at: Timestamp) -> T {
        let floor = (at.as_millisecond().max(0) as u64) << COUNTER_BITS;
        self.last = if self.last < floor { floor } else { self.last + 1 };
        self.id_at(self.last)
    }

    /// The next id in the order of arrival, not of the mint: its time prefix is exactly `at`.
    /// For ids whose order does not matter, or whose time lies in the past (imported history).
    pub fn dated<T: From<Uuid>>(&mut self, at: Timestamp) -> T {
        let millis = (at.as_millisecond().max(0) as u64) << COUNTER_BITS;
        self.id_at(millis | (self.drawn & ((1 << COUNTER_BITS) - 1)))
    }

    fn id_at<T: From<Uuid>>(&mut self, tick: u64) -> T {
        self.drawn += 1;
        let random = mix(self.seed, self.drawn);
        let counter = tick & ((1 << COUNTER_BITS) - 1);
        // 12 bits of the counter follow the version, 6 follow the variant.
        let mut bytes = [0u8; 10];
        bytes[0] = (counter >> 14) as u8 & 0x0f;
        bytes[1] = (counter >> 6) as u8;
        bytes[2] = (counter & 0x3f) as u8;
        bytes[3..].copy_from_slice(&random.to_be_bytes()[1..]);
        T::from(uuid::Builder::from_unix_timestamp_millis(tick >> COUNTER_BITS, &bytes).into_uuid())
    }
}

/// 56 usable bits from a 128-bit seed and a counter (SplitMix64's finaliser over both halves).
fn mix(seed: u128, counter: u64) -> u64 {
    let step = |mut z: u64| {
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    step((seed as u64).wrapping_add(counter.wrapping_mul(0x9e37_79b9_7f4a_7c15))) ^ step((seed >> 64) as u64 ^ counter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_ascend_within_a_millisecond_and_when_time_goes_back() {
        let mut mint = IdMint::new(7);
        let now: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        let earlier: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let mut last: MessageId = mint.next(now);
        for i in 0..600_000 {
            let id: MessageId = mint.next(if i % 3 == 0 { earlier } else { now });
            assert!(id > last, "{id} after {last}");
            last = id;
        }
    }

    #[test]
    fn an_id_carries_its_time_version_and_variant() {
        let at: Timestamp = "2026-03-02T10:00:00.123Z".parse().unwrap();
        let id: MessageId = IdMint::new(1).next(at);
        assert_eq!(id.0.get_version_num(), 7);
        assert_eq!(id.0.get_variant(), uuid::Variant::RFC4122);
        let (seconds, nanos) = id.0.get_timestamp().unwrap().to_unix();
        assert_eq!((seconds as i64) * 1000 + i64::from(nanos / 1_000_000), at.as_millisecond());
    }

    #[test]
    fn two_seeds_share_no_id() {
        let at: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        let (mut one, mut other) = (IdMint::new(1), IdMint::new(2));
        let ones: std::collections::HashSet<MessageId> = (0..10_000).map(|_| one.next(at)).collect();
        assert!((0..10_000).all(|_| !ones.contains(&other.next::<MessageId>(at))));
    }
}
