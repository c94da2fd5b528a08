//! Values as people write them in the configuration, read into what the sections and several kinds of
//! channels and mirrors share.
//!
//! **Invariant:** what a function here returns needs no further check; what it refuses, it refuses
//! with a sentence that says what to write.

use super::settings::nearest;
use rlibphonenumber::PHONE_NUMBER_UTIL;
use serde::Deserializer;
use serde::de::{Error, Visitor};
use std::fmt;
use std::path::PathBuf;

/// Reads text and hands it to `parse`; other types are refused by naming `wanted`.
struct Text<F> {
    wanted: &'static str,
    parse: F,
}

impl<T, F: FnOnce(&str) -> Result<T, String>> Visitor<'_> for Text<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wanted)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).map_err(E::custom)
    }
}

/// Text as `parse` takes it; other types are refused by naming what is `wanted`.
///
/// # Errors
/// What `parse` says.
pub fn text<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    wanted: &'static str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, D::Error> {
    deserializer.deserialize_any(Text { wanted, parse })
}

/// A file or directory, from the root on: the directory a program is started in is nobody's intention.
///
/// # Errors
/// A sentence with what to write.
pub fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    text(deserializer, "a path like \"/var/lib/lanka\"", |text| {
        let path = PathBuf::from(text);
        match text {
            "" => Err("is empty: write a whole path, like \"/var/lib/lanka\", or leave it out".to_owned()),
            _ if text.contains('\0') => Err("holds a NUL, as no path does".to_owned()),
            _ if !path.is_absolute() => Err(format!(
                "\"{text}\" is not a whole path: write it from the root on, like \"/var/lib/{}\"",
                plain(text)
            )),
            _ => Ok(path),
        }
    })
}

/// [`path`] of a key that may be left out.
///
/// # Errors
/// As [`path`].
pub fn path_opt<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    path(deserializer).map(Some)
}

/// A relative path without what only means something where a program was started.
fn plain(text: &str) -> &str {
    text.trim_start_matches(['.', '/', '~'])
}

/// The region of phone numbers of no country, which the library counts among the known ones.
const NO_COUNTRY: [&str; 2] = ["ZZ", "001"];

/// A country whose national phone numbers are known.
///
/// # Errors
/// A sentence with the nearest country code.
pub fn region<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    text(deserializer, "a country code like \"FI\"", |text| {
        let known: Vec<String> = PHONE_NUMBER_UTIL.get_supported_regions().map(|region| region.to_string()).collect();
        let known: Vec<String> = known.into_iter().filter(|region| !NO_COUNTRY.contains(&region.as_str())).collect();
        match known.iter().find(|region| *region == text) {
            Some(region) => Ok(region.clone()),
            None => Err(match known.iter().find(|region| region.eq_ignore_ascii_case(text)) {
                Some(region) => format!("\"{text}\" is not a country code, did you mean \"{region}\"?"),
                None => format!(
                    "\"{text}\" is not a country code: two capital letters of ISO 3166 like \"FI\", \"SE\", \"EE\""
                ),
            }),
        }
    })
}

/// [`region`] of a key that may be left out.
///
/// # Errors
/// As [`region`].
pub fn region_opt<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    region(deserializer).map(Some)
}

/// A zone of the IANA database.
///
/// # Errors
/// A sentence with the nearest zone.
pub fn time_zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<jiff::tz::TimeZone, D::Error> {
    text(deserializer, "a time zone like \"Europe/Helsinki\"", |text| {
        jiff::tz::TimeZone::get(text).map_err(|_| {
            let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
            match nearest(text, names.iter().map(String::as_str)) {
                Some(near) => format!("\"{text}\" is not a time zone, did you mean \"{near}\"?"),
                None => format!("\"{text}\" is not a time zone: write one like \"Europe/Helsinki\""),
            }
        })
    })
}

/// [`time_zone`] of a key that may be left out.
///
/// # Errors
/// As [`time_zone`].
pub fn time_zone_opt<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<jiff::tz::TimeZone>, D::Error> {
    time_zone(deserializer).map(Some)
}
