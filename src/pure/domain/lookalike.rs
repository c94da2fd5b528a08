//! Domains that are made to look like another: `examp1e.fi`, `exarnple.fi`, `exаmple.fi` with a Cyrillic letter,
//! `exmaple.fi`, `example.fi.secure.example`; and of a firm's domain with something put beside its name:
//! `example-oy.fi`, `example-support.com` ([`imitates`]).
//!
//! What is compared is what a person sees: letters of other scripts, accents and digits that look like a
//! letter are folded together first ([`skeleton`]); then one edit makes a look-alike of a name that is long
//! enough for chance not to.
//!
//! Refused: the whole confusables table of Unicode (UTS 39), 6,000 lines for scripts that no registry mixes
//! into a name; the letters here are those that pass for Latin ones in the fonts of mail clients.
//!
//! **Invariant:** a domain is no look-alike of itself, of its own subdomains or of its registrable domain.

use super::identity::registrable_domain;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Shortest label of which one edit makes a look-alike; short names have real neighbours. Characters.
const EDITED_CHARS_MIN: usize = 6;
/// Shortest public suffix that one edit makes another of: `com` and `co`, never `fi` and `fr`. Characters.
const EDITED_SUFFIX_CHARS_MIN: usize = 3;

/// Whether a domain is made to look like `own`. Both are in ASCII and lower case.
pub fn looks_like(domain: &str, own: &str) -> bool {
    let (Some(registrable), Some(ours)) = (registrable_domain(domain), registrable_domain(own)) else { return false };
    if registrable == ours {
        return false;
    }
    // `example.fi.secure.example`: what is read first is ours.
    let begins = |prefix: &str| domain.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.'));
    if begins(own) || begins(ours) {
        return true;
    }
    let (seen, seen_ours) = (skeleton(registrable), skeleton(ours));
    if seen == seen_ours {
        return true;
    }
    let (label, suffix) = seen.split_once('.').unwrap_or((&seen, ""));
    let (our_label, our_suffix) = seen_ours.split_once('.').unwrap_or((&seen_ours, ""));
    let is_long = label.chars().count().min(our_label.chars().count()) >= EDITED_CHARS_MIN;
    if suffix == our_suffix {
        return is_long && strsim::osa_distance(label, our_label) == 1;
    }
    let is_suffix_long = suffix.len().max(our_suffix.len()) >= EDITED_SUFFIX_CHARS_MIN;
    label == our_label && is_suffix_long && strsim::osa_distance(suffix, our_suffix) == 1
}

/// What is put beside a firm's name to pass for it: legal forms, countries, and what a firm's mail is about.
const AFFIXES: &str = "
    ab abp ag as asa bv co corp eg ev gmbh hb inc kb kg ky llc llp limited ltd mbh nv ohg osk ou oy oyj plc rf
    ry sa sarl srl tmi ug at ch com de deutschland dk ee eesti eu europe fi finland net no org se suomi sverige
    uk us account accounts admin asiakaspalvelu betalning billing care contact customer customers email epost
    faktura finance group help helpdesk hilfe info invoice invoices invoicing konto kontakt kundeservice
    kundenservice kundservice kundtjanst lasku laskut laskutus login mail maksu maksut office online palvelu
    palvelut pay payment payments portal post posti rechnung rechnungen secure security service services shop
    store support team tuki verify web zahlung
";
/// Of these, what is also written without a hyphen behind a name, and ends no common word.
const GLUED: &[&str] = &["gmbh", "ltd", "oyj", "oy"];

/// Whether one of two domains is made to look like the other, or is the other's name with something put beside it:
/// `example-oy.fi`, `support-example.fi`, `example.mail.fi`. A firm may well have both, so it says that who writes
/// from the one is not taken for who writes from the other, and no more. Symmetric; both are in ASCII and lower case.
pub fn imitates(one: &str, other: &str) -> bool {
    if one == other {
        return false;
    }
    looks_like(one, other) || looks_like(other, one) || is_dressed_up(one, other)
}

fn is_dressed_up(one: &str, other: &str) -> bool {
    let (Some(ours), Some(theirs)) = (registrable_domain(one), registrable_domain(other)) else { return false };
    let (our_label, their_label) = (first_label(ours), first_label(theirs));
    if ours == theirs {
        return false;
    }
    // `example.mail.fi`: what is read first is their name.
    let begins = |domain: &str, own: &str, label: &str| domain != own && is_name(label) && first_label(domain) == label;
    if begins(one, ours, their_label) || begins(other, theirs, our_label) {
        return true;
    }
    // `example-heating.fi`: whatever stands beside the whole name.
    let holds = |label: &str, name: &str| {
        let rest = label.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
        is_name(name) && rest.or_else(|| label.strip_suffix(name)?.strip_suffix('-')).is_some()
    };
    if holds(our_label, their_label) || holds(their_label, our_label) {
        return true;
    }
    let (bare, their_bare) = (undressed(our_label), undressed(their_label));
    our_label != their_label && bare == their_bare && is_name(bare)
}

fn first_label(domain: &str) -> &str {
    domain.split('.').next().unwrap_or_default()
}

/// Long enough for chance not to make another of it, and no word that anybody puts beside his name.
fn is_name(label: &str) -> bool {
    label.len() >= EDITED_CHARS_MIN && !is_affix(label)
}

fn is_affix(word: &str) -> bool {
    AFFIXES.split_ascii_whitespace().any(|affix| affix == word)
}

/// A label without what is put beside a name.
fn undressed(label: &str) -> &str {
    let mut bare = label;
    loop {
        let behind = bare.rsplit_once('-').filter(|(_, affix)| is_affix(affix)).map(|(rest, _)| rest);
        let before = || bare.split_once('-').filter(|(affix, _)| is_affix(affix)).map(|(_, rest)| rest);
        match behind.or_else(before) {
            Some(rest) => bare = rest,
            None => break,
        }
    }
    let glued = GLUED.iter().find_map(|form| bare.strip_suffix(form));
    glued.filter(|rest| is_name(rest)).unwrap_or(bare)
}

/// What a domain looks like: every character as the plain one it passes for.
fn skeleton(domain: &str) -> String {
    let (shown, _) = idna::domain_to_unicode(domain);
    let plain: String =
        shown.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).map(passes_for).collect();
    // Pairs that run together, and letters that differ by a stroke.
    plain.replace("rn", "m").replace("vv", "w").replace("cl", "d").replace('i', "l")
}

/// The letter or digit that a character passes for.
fn passes_for(c: char) -> char {
    match c {
        '1' | '|' | 'ı' | 'ɩ' | 'ɪ' | 'ӏ' | 'і' | 'ι' | 'ł' | 'ǀ' => 'l',
        '0' | 'о' | 'ο' | 'օ' | 'ø' | 'ɵ' | 'σ' => 'o',
        'а' | 'α' | 'ɑ' => 'a',
        'в' | 'ʙ' | 'ь' | 'β' => 'b',
        'с' | 'ϲ' | 'ᴄ' => 'c',
        'ԁ' | 'đ' | 'ɗ' => 'd',
        'е' | 'ε' | 'ҽ' | 'є' | 'ə' => 'e',
        'ɡ' | 'ց' => 'g',
        'һ' | 'н' | 'հ' => 'h',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'м' => 'm',
        'п' | 'ո' | 'η' => 'n',
        'р' | 'ρ' => 'p',
        'ԛ' | 'գ' => 'q',
        'г' => 'r',
        'ѕ' | 'ꜱ' | '5' | 'ß' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ս' | 'ц' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ω' | 'ш' | 'ѡ' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' | 'ү' => 'y',
        'ᴢ' => 'z',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_are_told_from_neighbours() {
        let table = [
            ("examp1e.fi", true),
            ("exarnple.fi", true),
            ("exampie.fi", true),
            ("exmaple.fi", true),
            ("exampl.fi", true),
            ("examplee.fi", true),
            ("example-.fi", true),
            ("ехаmple.fi", true),
            ("éxample.fi", true),
            ("mail.examp1e.fi", true),
            ("example.fi.secure.example", true),
            ("desk.example.fi.secure.example", false),
            ("example.fl", true),
            // Ours, and those that only resemble it.
            ("example.fi", false),
            ("mail.example.fi", false),
            ("example.com", false),
            ("example.fr", false),
            ("other.fi", false),
            ("samples.fi", false),
            ("xn--.fi", false),
            ("fi", false),
            ("", false),
        ];
        for (domain, expected) in table {
            let ascii = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_owned());
            assert_eq!(looks_like(&ascii, "example.fi"), expected, "{domain}");
        }
        let table = [
            ("posti.fi", "postl.fi", true),
            // Short names have real neighbours.
            ("kela.fi", "kelo.fi", false),
            ("kela.fi", "keia.fi", true),
            ("yritys.com", "yritys.co", true),
            ("yritys.com", "yritys.cm", true),
            ("yritys.com", "yritys.org", false),
            ("yritys.fi", "yritys.fo", false),
            ("desk.yritys.fi", "desk.yritys.fi.evil.com", true),
            ("desk.yritys.fi", "yrltys.fi", true),
        ];
        for (own, domain, expected) in table {
            assert_eq!(looks_like(domain, own), expected, "{domain} for {own}");
        }
    }

    #[test]
    fn what_is_put_beside_a_name_is_seen() {
        for (one, other, expected) in [
            ("tormanputki.fi", "tormanputki-oy.fi", true),
            ("tormanputki.fi", "tormanputki-oy.com", true),
            ("tormanputki.fi", "oy-tormanputki.fi", true),
            ("tormanputki.fi", "tormanputkioy.fi", true),
            ("tormanputki-oy.fi", "tormanputki-support.fi", true),
            ("tormanputki.fi", "tormanputki-mail-online.net", true),
            ("tormanputki.fi", "tormanputki.fi.secure.com", true),
            ("tormanputki.fi", "tormanputki.secure.com", true),
            ("mail.tormanputki.fi", "tormanputki-ab.se", true),
            ("tormanputki.fi", "tormanputkl.fi", true),
            // One firm's own, others', and what is nobody's name.
            ("tormanputki.fi", "tormanputki.fi", false),
            ("tormanputki.fi", "mail.tormanputki.fi", false),
            ("tormanputki.fi", "tormanputki.com", false),
            ("tormanputki.fi", "tormanputkimies.fi", false),
            ("tormanputki.fi", "tormanputki-tampere.fi", true),
            ("tormanputki.fi", "mail.secure.com", false),
            ("support.fi", "support.secure.com", false),
            ("kela.fi", "kela-oy.fi", false),
            ("poyry.fi", "poyryoy.fi", false),
        ] {
            assert_eq!(imitates(one, other), expected, "{one} / {other}");
            assert_eq!(imitates(other, one), expected, "{other} / {one}");
        }
    }
}
