//! What lies about because nobody looks at it: what an open ticket waits for, and since when that is dust.
//!
//! What a ticket waits for is a function of its rows, worked out anew with its clocks ([`keep`](super::keep)). Whether it is
//! dust is a matter of time alone: an instant for each kind, before which it is. So nothing has to be written when time
//! passes.
//!
//! **Meaning.** Somebody answers by an answer or a call that is taken, and closes what he has answered otherwise; notes and
//! automatic messages answer nothing. A call that nobody took asks for a call, not for an answer: it is counted as one or
//! the other, never as both. A ticket of which all is history that was read in waits for nothing.

use super::keep::{Line, Rows};
use crate::pure::domain::Timestamp;
use crate::pure::domain::clock::Happened;
use crate::pure::domain::dust::{DustLimits, DustSince, Wait};
use crate::pure::domain::hours::Hours;
use crate::pure::domain::message::CallOutcome;
use std::time::Duration;

/// As far back as service time is counted. A limit that is not used up in so many days never is.
const BACK_DAYS_MAX: i64 = 730;

/// What an open ticket waits for; its lines are in order. `None` while it is closed, or nothing but history.
pub fn wait(rows: &Rows, lines: &[&Line]) -> Option<Wait> {
    if rows.closed_at.is_some() || lines.iter().all(|line| line.is_imported) {
        return None;
    }
    let closed_at = rows.acts.iter().filter(|(what, _)| *what == Happened::Closed).map(|(_, at)| *at).max();
    let (mut asked_at, mut called, mut is_first) = (None, None, true);
    for line in lines {
        if line.is_answer() || (line.is_customers() && line.call == Some(CallOutcome::Answered)) {
            (asked_at, called, is_first) = (None, None, false);
        } else if line.is_customers() {
            let is_settled = closed_at.is_some_and(|closed_at| line.at <= closed_at);
            let asks = is_first || line.says_something;
            is_first = false;
            match line.call {
                _ if is_settled => {}
                Some(_) => called = called.or(Some((line.at, line.id))),
                None if asks => asked_at = asked_at.or(Some(line.at)),
                None => {}
            }
        }
    }
    let said = lines.iter().filter(|line| !line.is_automatic).map(|line| line.at);
    let done = rows.acts.iter().map(|(_, at)| *at);
    let moved = said.chain(done).chain(rows.owner.as_ref().map(|owner| owner.at)).chain(rows.awaited_since).max();
    let moved_at = moved.or_else(|| lines.first().map(|line| line.at))?;
    Some(Wait { moved_at, is_awaited: rows.awaited_since.is_some(), asked_at, called })
}

/// Since when something stands that is dust now.
pub fn since(limits: &DustLimits, hours: &Hours, now: Timestamp) -> DustSince {
    let ago = |limit: Option<Duration>| now.checked_sub(jiff::SignedDuration::try_from(limit?).ok()?).ok();
    let worked = |limit: Option<Duration>| before(hours, now, limit?);
    DustSince {
        silent: ago(limits.silent),
        awaited: ago(limits.awaited),
        unanswered: worked(limits.unanswered),
        orphaned: ago(limits.orphaned),
        calls: worked(limits.calls),
        suggestions: ago(limits.suggestions),
        quarantine: ago(limits.quarantine),
    }
}

/// The last second from which on so much service time has passed; `None` if it is not within two years.
fn before(hours: &Hours, now: Timestamp, limit: Duration) -> Option<Timestamp> {
    let second = |second: i64| Timestamp::from_second(second).ok();
    let has_passed = |at: i64| second(at).is_some_and(|at| hours.worked(at, now) >= limit);
    let mut latest = now.as_second();
    let mut passed = latest - BACK_DAYS_MAX * 86_400;
    if !has_passed(passed) {
        return None;
    }
    while latest - passed > 1 {
        let middle = passed + (latest - passed) / 2;
        *(if has_passed(middle) { &mut passed } else { &mut latest }) = middle;
    }
    second(passed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::hours::Span;
    use jiff::tz::TimeZone;
    use std::collections::BTreeMap;

    #[test]
    fn service_time_is_counted_back() {
        let day = vec![Span::parse("08:00-16:00").unwrap()];
        let week = std::array::from_fn(|at| if at < 5 { day.clone() } else { Vec::new() });
        let office = Hours::new(TimeZone::UTC, week, None, BTreeMap::new());
        let closed = Hours::new(TimeZone::UTC, Default::default(), None, BTreeMap::new());
        // 2026-11-23 is a Monday.
        let table = [
            (&office, "2026-11-23T12:00:00Z", 4, Some("2026-11-23T08:00:00Z")),
            (&office, "2026-11-23T12:00:00Z", 5, Some("2026-11-20T15:00:00Z")),
            (&office, "2026-11-23T03:00:00Z", 8, Some("2026-11-20T08:00:00Z")),
            (&office, "2026-11-24T08:00:00Z", 8, Some("2026-11-23T08:00:00Z")),
            (&closed, "2026-11-24T08:00:00Z", 1, None),
        ];
        for (hours, now, limit, expected) in table {
            let found = before(hours, now.parse().unwrap(), Duration::from_secs(limit * 3600));
            assert_eq!(found, expected.map(|at| at.parse().unwrap()), "{now} {limit}");
        }
    }
}
