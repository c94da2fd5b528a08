//! What is read out of one delivery, gathered within limits.
//!
//! **Invariant:** nothing is left out in silence: past a limit the count of what was left out is
//! itself a fault, so that the delivery lies in quarantine, whole.

use crate::pure::domain::message::{Fault, Incoming, Parsed};

/// Items taken from one delivery. Meta's largest batches hold 1,000 changes; ten times that many
/// still fits the memory of a batch of deliveries.
const ITEMS_MAX: usize = 10_000;

/// Faults told one by one. Whoever looks at a quarantined delivery needs the first few, not a
/// million sentences about one broken file.
const FAULTS_MAX: usize = 1_000;

/// Items and faults of one delivery, in the order of the payload.
#[derive(Debug, Default)]
pub struct Batch {
    parsed: Parsed,
    items_left_out: usize,
    faults_left_out: usize,
}

impl Batch {
    /// Adds an item. Past `ITEMS_MAX` it is counted only.
    pub fn item(&mut self, incoming: Incoming) {
        match self.parsed.items.len() < ITEMS_MAX {
            true => self.parsed.items.push(incoming),
            false => self.items_left_out += 1,
        }
    }

    /// Adds a fault. Past `FAULTS_MAX` it is counted only.
    pub fn fault(&mut self, code: &'static str, detail: impl Into<String>) {
        match self.parsed.faults.len() < FAULTS_MAX {
            true => self.parsed.faults.push(Fault::new(code, detail)),
            false => self.faults_left_out += 1,
        }
    }

    /// How many items and faults there are so far, those left out included.
    pub fn len(&self) -> usize {
        self.parsed.items.len() + self.parsed.faults.len() + self.items_left_out + self.faults_left_out
    }

    /// Whether nothing was read so far, not even a fault.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of it. A delivery with nothing in it is a fault as well: somebody sent it for a reason.
    pub fn finish(mut self) -> Parsed {
        if self.is_empty() {
            self.fault("empty_delivery", "there is nothing in the delivery");
        }
        let (items, faults) = (self.items_left_out, self.faults_left_out);
        if items > 0 {
            let detail =
                format!("{items} items past the first {ITEMS_MAX} were left out; split the delivery and import it");
            self.parsed.faults.push(Fault::new("too_many_items", detail));
        }
        if faults > 0 {
            let detail = format!("{faults} more faults past the first {FAULTS_MAX}");
            self.parsed.faults.push(Fault::new("too_many_faults", detail));
        }
        self.parsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_said() {
        let mut batch = Batch::default();
        for n in 0..ITEMS_MAX + 3 {
            batch.item(Incoming::new("n", n.to_string()));
        }
        for _ in 0..FAULTS_MAX + 2 {
            batch.fault("bad", "bad");
        }
        let parsed = batch.finish();
        assert_eq!(parsed.items.len(), ITEMS_MAX);
        let said: Vec<_> =
            parsed.faults[FAULTS_MAX..].iter().map(|fault| (fault.code, fault.detail.as_str())).collect();
        assert_eq!(
            said,
            [
                ("too_many_items", "3 items past the first 10000 were left out; split the delivery and import it"),
                ("too_many_faults", "2 more faults past the first 1000"),
            ]
        );
    }

    #[test]
    fn nothing_is_a_fault() {
        assert_eq!(Batch::default().finish().faults[0].code, "empty_delivery");
    }
}
