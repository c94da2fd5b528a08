//! Taking one item out of a delivery, so that what it said and who said it are no longer in the bytes.
//!
//! In JSON the element that an item was read from is replaced by `{"lanka_redacted": [2]}`, which holds
//! the positions of what was read from it; [`Batch`] puts placeholders there when
//! the rest is read again. Refused: taking the element out altogether, which would shift the positions
//! of the items after it.
//!
//! **Invariant:** all other items are read as before, at the same positions.

use super::batch::{Batch, Source, source_of};
use super::json;
use crate::pure::domain::message::Incoming;
use serde_json::{Value, json as object};
use std::collections::BTreeSet;

/// The key of what is left of an element.
const KEY: &str = "lanka_redacted";

/// A delivery without the content of some items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// The bytes to keep.
    pub body: Vec<u8>,
    /// The items that are gone: the one asked for, and others that were read from the same element.
    pub items: Vec<u32>,
}

/// The positions that are left of an element, if nothing else is.
pub fn positions(element: &Value) -> Option<Vec<usize>> {
    let fields = element.as_object().filter(|fields| fields.len() == 1)?;
    let positions = fields.get(KEY)?.as_array()?.iter().filter_map(Value::as_u64);
    Some(positions.filter_map(|position| usize::try_from(position).ok()).collect())
}

/// Items that share their source with one.
pub fn together(sources: &[Option<Source>], item: u32) -> Option<(Source, Vec<u32>)> {
    let source = (*sources.get(usize::try_from(item).ok()?)?)?;
    let same = (0u32..).zip(sources).filter(|(_, other)| **other == Some(source)).map(|(n, _)| n);
    Some((source, same.collect()))
}

/// Redacts an item of a JSON delivery, which `read` reads. `tidy` takes out what stands beside the
/// items and concerns nobody who is left in them. `None` when there is no such item (any more).
pub fn in_json(
    body: &[u8],
    item: u32,
    read: impl Fn(&Value) -> Batch,
    tidy: impl FnOnce(&mut Value, &[Incoming]),
) -> Option<Redacted> {
    let mut body = json::read(body).ok()?;
    let (_, sources) = read(&body).finish_with_sources();
    let (source, items) = together(&sources, item)?;
    let path = path_to(&body, source)?;
    let element = path.iter().try_fold(&mut body, |value, step| match step {
        Step::Key(key) => value.get_mut(key),
        Step::Index(index) => value.get_mut(index),
    })?;
    *element = object!({ KEY: items });
    let rest = read(&body).finish();
    tidy(&mut body, &rest.items);
    Some(Redacted { body: body.to_string().into_bytes(), items })
}

/// Every id of a person in the items, without the `+` of a number, with the name he has there.
pub fn people(items: &[Incoming]) -> BTreeSet<(&str, Option<&str>)> {
    let sides = items.iter().flat_map(|item| [&item.sender, &item.recipient]);
    let ids = sides.flat_map(|side| side.identities.iter().map(|held| (held, side.name.as_deref())));
    ids.map(|(held, name)| (held.identity.value.trim_start_matches('+'), name)).collect()
}

enum Step {
    Key(String),
    Index(usize),
}

/// The way to the element of a source. The depth of the recursion is the parser's limit, 128.
fn path_to(value: &Value, source: Source) -> Option<Vec<Step>> {
    if source_of(value) == source {
        return Some(Vec::new());
    }
    let (step, mut path) = match value {
        Value::Object(fields) => {
            fields.iter().find_map(|(key, value)| Some((Step::Key(key.clone()), path_to(value, source)?)))?
        }
        Value::Array(values) => {
            values.iter().enumerate().find_map(|(n, value)| Some((Step::Index(n), path_to(value, source)?)))?
        }
        _ => return None,
    };
    path.insert(0, step);
    Some(path)
}
