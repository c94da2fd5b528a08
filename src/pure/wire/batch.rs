//! What is read out of one delivery, gathered within limits.
//!
//! **Invariant:** nothing is left out in silence: past a limit the count of what was left out is
//! itself a fault, so that the delivery lies in quarantine, whole. An item that was redacted keeps its
//! position.

use super::redact;
use crate::pure::domain::message::{Fault, Incoming, Parsed};
use serde_json::Value;
use std::collections::BTreeSet;

/// Items taken from one delivery. Meta's largest batches hold 1,000 changes; ten times that many
/// still fits the memory of a batch of deliveries.
const ITEMS_MAX: usize = 10_000;

/// Faults told one by one. Whoever looks at a quarantined delivery needs the first few, not a
/// million sentences about one broken file.
const FAULTS_MAX: usize = 1_000;

/// The address of the element of a payload that an item was read from. Items of one element have one
/// source. It means something only while the payload that was read is in memory.
pub type Source = usize;

/// The source of what is read from an element.
pub fn source_of<S: ?Sized>(element: &S) -> Source {
    std::ptr::from_ref(element).cast::<u8>().addr()
}

/// Items and faults of one delivery, in the order of the payload.
#[derive(Debug, Default)]
pub struct Batch {
    parsed: Parsed,
    /// Where in the payload each item was read, as the address of that element.
    sources: Vec<Source>,
    /// Positions of items that were redacted.
    redacted: BTreeSet<usize>,
    items_left_out: usize,
    faults_left_out: usize,
}

impl Batch {
    /// Adds an item read from an element of the payload: the smallest that holds all of it, and
    /// nothing of other items. Past `ITEMS_MAX` it is counted only.
    pub fn item<S: ?Sized>(&mut self, element: &S, incoming: Incoming) {
        match self.parsed.items.len() + self.redacted.len() < ITEMS_MAX {
            true => {
                self.parsed.items.push(incoming);
                self.sources.push(source_of(element));
            }
            false => self.items_left_out += 1,
        }
    }

    /// Keeps the place of an item that was redacted.
    pub fn redacted(&mut self, position: usize) {
        if position < ITEMS_MAX {
            self.redacted.insert(position);
        }
    }

    /// Whether nothing but the places of redacted items is left of an element; then they are kept.
    pub fn is_redacted(&mut self, element: &Value) -> bool {
        let positions = redact::positions(element);
        let is_redacted = positions.is_some();
        positions.into_iter().flatten().for_each(|position| self.redacted(position));
        is_redacted
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
        let items = self.parsed.items.len() + self.redacted.len() + self.items_left_out;
        items + self.parsed.faults.len() + self.faults_left_out
    }

    /// Whether nothing was read so far, not even a fault.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of it. A delivery with nothing in it is a fault as well: somebody sent it for a reason.
    pub fn finish(self) -> Parsed {
        self.finish_with_sources().0
    }

    /// The same with the source of each item; a redacted one has none any more.
    pub fn finish_with_sources(mut self) -> (Parsed, Vec<Option<Source>>) {
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
        let sources = self.put_in_places();
        (self.parsed, sources)
    }

    /// Puts the redacted items between the others, where they were.
    fn put_in_places(&mut self) -> Vec<Option<Source>> {
        if self.redacted.is_empty() {
            return self.sources.drain(..).map(Some).collect();
        }
        let mut read = std::mem::take(&mut self.parsed.items).into_iter().zip(self.sources.drain(..).map(Some));
        let mut all: Vec<(Incoming, Option<Source>)> = Vec::new();
        for position in &self.redacted {
            let missing = position.saturating_sub(all.len());
            all.extend(read.by_ref().take(missing));
            all.push((Incoming::redacted(), None));
        }
        let (items, sources) = all.into_iter().chain(read).unzip();
        self.parsed.items = items;
        sources
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_said() {
        let mut batch = Batch::default();
        for n in 0..ITEMS_MAX + 3 {
            batch.item(&n, Incoming::new("n", n.to_string()));
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
