//! What our own boundary server found out about a mail's sender: Authentication-Results (RFC 8601).
//!
//! **Invariant:** nothing that a sender can write into a mail makes it authenticated. A result counts
//! only when it stands in the first field that carries exactly our server's id, above every trace of
//! a foreign server, is well-formed, and is about the domain in From. Where two results of that field
//! disagree, the worse one counts.
//!
//! It rests on two duties of the boundary server that RFC 8601 section 5 gives it: to write the
//! field above all others, and to remove fields that came in under its own id.

use super::mail_parts::{Field, unfold};
use crate::pure::domain::identity::registrable_domain;
use crate::pure::domain::message::Authentication;

/// Results read of one field; a server writes one for each method and signature.
const RESULTS_MAX: usize = 100;

/// What the topmost field of the trusted server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assessed {
    /// What it is worth.
    pub authentication: Authentication,
    /// Something passed, but for another domain than the sender's.
    pub is_unaligned: bool,
}

/// What the topmost field of the trusted server says about mail from `from_domain`; `None` when there is
/// no such field.
///
/// `fields` is the mail's header in order, `value` gives the bytes of a field, `trusted` is the
/// authserv-id of our server, `from_domain` the ASCII domain of the only From address.
pub fn assess<'a>(
    fields: &'a [Field],
    value: impl Fn(&'a Field) -> &'a [u8],
    trusted: &str,
    from_domain: &str,
) -> Option<Assessed> {
    for field in fields {
        match field.name.as_str() {
            "received" if is_foreign(&unfold(value(field)), trusted) => return None,
            "authentication-results" => {
                let text = unfold(value(field));
                match parse(&text) {
                    Some(results) if results.authserv_id.eq_ignore_ascii_case(trusted) => {
                        return Some(Assessed {
                            authentication: conclude(&results.results, from_domain),
                            is_unaligned: is_unaligned(&results.results, from_domain),
                        });
                    }
                    Some(_) => {}
                    // It may be ours, spoilt by something a sender got into it: then a forged one
                    // below must not take its place.
                    None if contains_ignoring_case(&text, trusted) => return None,
                    None => {}
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether results as a sealer writes them (authserv-id first) vouch for mail from a domain by more than
/// the address it came from.
pub fn vouches(results: &str, from_domain: &str) -> bool {
    parse(results).is_some_and(|results| conclude(&results.results, from_domain) == Authentication::Pass)
}

/// Whether something passed for another domain, and nothing for the sender's.
fn is_unaligned(results: &[MethodResult], from_domain: &str) -> bool {
    let about = |result: &MethodResult| {
        let (kind, name) = if result.method == "spf" { ("smtp", "mailfrom") } else { ("header", "d") };
        let domain = result.property(kind, name).or_else(|| result.property("header", "i"));
        domain.map(|domain| is_aligned(domain, from_domain))
    };
    let mut passed = results.iter().filter(|result| result.result == "pass").filter_map(about).peekable();
    passed.peek().is_some() && passed.all(|aligned| !aligned)
}

fn contains_ignoring_case(text: &str, part: &str) -> bool {
    text.to_ascii_lowercase().contains(&part.to_ascii_lowercase())
}

/// The strongest that the results carry for the domain.
fn conclude(results: &[MethodResult], from_domain: &str) -> Authentication {
    // A dmarc result about another From (there were several, or it was rewritten) says nothing here.
    // Without header.from a failure is taken for ours, a pass is not.
    let dmarc = |verdict: &str, unnamed: bool| {
        results
            .iter()
            .filter(|result| result.method == "dmarc" && result.result == verdict)
            .any(|result| result.property("header", "from").map_or(unnamed, |domain| is_aligned(domain, from_domain)))
    };
    let dkim = || results.iter().filter(|result| result.method == "dkim" && result.result == "pass");
    let spf = || results.iter().filter(|result| result.method == "spf");
    let signed = |result: &MethodResult| {
        let domain = result.property("header", "d").or_else(|| result.property("header", "i"));
        domain.is_some_and(|domain| is_aligned(domain, from_domain))
    };
    let sent = |result: &MethodResult| {
        result.property("smtp", "mailfrom").is_some_and(|domain| is_aligned(domain, from_domain))
    };
    if dmarc("fail", true) {
        Authentication::Fail
    } else if dmarc("pass", false) || dkim().any(signed) {
        Authentication::Pass
    } else if spf().any(|result| result.result == "pass" && sent(result))
        && spf().all(|result| result.result == "pass" || !sent(result))
    {
        Authentication::Aligned
    } else if spf().any(|result| result.result == "fail" && sent(result)) {
        // "An explicit statement that the client is not authorized to use the domain" (RFC 7208 2.6.4). A softfail is
        // none.
        Authentication::Fail
    } else {
        Authentication::None
    }
}

/// Whether two domains are under the same registrable one (relaxed alignment, RFC 7489 3.1). The
/// first may be an address; both may be in capitals or not yet in ASCII.
pub fn is_aligned(domain: &str, from_domain: &str) -> bool {
    let domain = domain.rsplit('@').next().unwrap_or_default().trim_matches(['.', '<', '>', ' ']);
    let Ok(domain) = idna::domain_to_ascii(domain) else { return false };
    let from_domain = from_domain.to_ascii_lowercase();
    match (registrable_domain(&domain), registrable_domain(&from_domain)) {
        (Some(one), Some(other)) => one == other,
        // A bare public suffix is nobody's.
        _ => false,
    }
}

/// Whether a Received field was written by a server of another organisation than the trusted one.
/// Bare names and addresses (`by backend3`, `by 10.0.0.7`) are hops within a provider.
fn is_foreign(received: &str, trusted: &str) -> bool {
    let Some(by) = received_by(received) else { return false };
    if by.eq_ignore_ascii_case(trusted) || by.parse::<std::net::IpAddr>().is_ok() {
        return false;
    }
    match (registrable_domain(&by), registrable_domain(&trusted.to_ascii_lowercase())) {
        // Names that the Public Suffix List knows nothing of are internal ones (`.local`, `.lan`).
        (Some(one), Some(other)) => one != other && psl::suffix(by.as_bytes()).is_some_and(|suffix| suffix.is_known()),
        _ => false,
    }
}

/// The host that wrote a Received field (`by …`), in lower case; comments do not count.
pub fn received_by(received: &str) -> Option<String> {
    let plain = without_comments(received);
    let mut words = plain.split([';']).next()?.split_whitespace();
    words.find(|word| word.eq_ignore_ascii_case("by"))?;
    words.next().map(|host| host.trim_matches(['[', ']', '.', ',']).to_ascii_lowercase())
}

/// A text without its comments, which may nest.
pub fn without_comments(text: &str) -> String {
    let mut depth = 0usize;
    let mut escaped = false;
    let keep = |c: &char| {
        match c {
            _ if escaped => escaped = false,
            '\\' if depth > 0 => escaped = true,
            '(' => depth += 1,
            ')' if depth > 0 => {
                depth -= 1;
                return false;
            }
            _ => {}
        }
        depth == 0
    };
    text.chars().filter(keep).collect()
}

/// A field, read.
#[derive(Debug, Default, PartialEq, Eq)]
struct Results {
    authserv_id: String,
    results: Vec<MethodResult>,
}

/// `dkim=pass reason="…" header.d=example.fi`; method, result, types and names in lower case.
#[derive(Debug, Default, PartialEq, Eq)]
struct MethodResult {
    method: String,
    result: String,
    properties: Vec<(String, String)>,
}

impl MethodResult {
    /// A property's value. Given twice it is worth nothing.
    fn property(&self, kind: &str, name: &str) -> Option<&str> {
        let is_it = |key: &str| key.split_once('.') == Some((kind, name));
        let mut values = self.properties.iter().filter(|(key, _)| is_it(key)).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (Some(value), None) => Some(value),
            (Some(_), Some(_)) => Some(""),
            _ => None,
        }
    }
}

/// Reads a field's value (RFC 8601 2.2): `[CFWS] authserv-id [version] *(";" resinfo)`. `None` when
/// there is no authserv-id, the version is unknown or a quote or comment is left open. A resinfo that
/// is not well-formed is left out.
fn parse(value: &str) -> Option<Results> {
    let tokens = tokens(value)?;
    let mut clauses = tokens.split(|token| *token == Token::Sign(';'));
    let mut head = clauses.next()?.iter();
    let authserv_id = match head.next()? {
        Token::Word(word) | Token::Quoted(word) => word.clone(),
        Token::Sign(_) => return None,
    };
    match (head.next(), head.next()) {
        (None, None) => {}
        (Some(Token::Word(version)), None) if version == "1" => {}
        _ => return None,
    }
    Some(Results { authserv_id, results: clauses.take(RESULTS_MAX).filter_map(resinfo).collect() })
}

/// `method [/version] = result [reason = value] *(ptype.property = value)`.
fn resinfo(tokens: &[Token]) -> Option<MethodResult> {
    let mut pairs = Vec::new();
    let mut rest = tokens;
    while !rest.is_empty() {
        // `dkim/1=pass`: the method's version is of no interest.
        let (key, after) = match rest {
            [Token::Word(key), Token::Sign('/'), Token::Word(_), Token::Sign('='), after @ ..] => (key, after),
            [Token::Word(key), Token::Sign('='), after @ ..] => (key, after),
            _ => return None,
        };
        // A value may be local-part@domain, its local part quoted.
        let (value, after) = match after {
            [Token::Quoted(local), Token::Word(domain), after @ ..] if domain.starts_with('@') => {
                (format!("{local}{domain}"), after)
            }
            [Token::Word(value) | Token::Quoted(value), after @ ..] => (value.clone(), after),
            _ => return None,
        };
        pairs.push((key.to_ascii_lowercase(), value));
        rest = after;
    }
    let mut pairs = pairs.into_iter();
    let (method, result) = pairs.next()?;
    (!method.contains('.')).then(|| MethodResult {
        method,
        result: result.to_ascii_lowercase(),
        properties: pairs.filter(|(key, _)| key.contains('.')).collect(),
    })
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Sign(char),
}

/// Cuts a value into words, quoted strings and signs; comments (which nest) separate. `None` when a
/// quote or comment is left open: what follows could be meant either way.
fn tokens(value: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    let mut chars = value.chars();
    let end_word = |word: &mut String, tokens: &mut Vec<Token>| {
        if !word.is_empty() {
            tokens.push(Token::Word(std::mem::take(word)));
        }
    };
    while let Some(c) = chars.next() {
        match c {
            '(' => {
                end_word(&mut word, &mut tokens);
                skip_comment(&mut chars)?;
            }
            '"' => {
                end_word(&mut word, &mut tokens);
                tokens.push(Token::Quoted(quoted(&mut chars)?));
            }
            // `/` belongs to values (selectors, policies) but separates a method's version.
            ';' | '=' => {
                end_word(&mut word, &mut tokens);
                tokens.push(Token::Sign(c));
            }
            '/' if tokens.last().is_none_or(|token| *token == Token::Sign(';')) => {
                end_word(&mut word, &mut tokens);
                tokens.push(Token::Sign(c));
            }
            c if c.is_whitespace() => end_word(&mut word, &mut tokens),
            c => word.push(c),
        }
    }
    end_word(&mut word, &mut tokens);
    Some(tokens)
}

fn skip_comment(chars: &mut std::str::Chars<'_>) -> Option<()> {
    let mut depth = 1;
    loop {
        match chars.next()? {
            '\\' => drop(chars.next()?),
            '(' => depth += 1,
            ')' if depth == 1 => return Some(()),
            ')' => depth -= 1,
            _ => {}
        }
    }
}

fn quoted(chars: &mut std::str::Chars<'_>) -> Option<String> {
    let mut text = String::new();
    loop {
        match chars.next()? {
            '\\' => text.push(chars.next()?),
            '"' => return Some(text),
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Authentication::{Aligned, Fail, None as Nothing, Pass};

    /// Header lines of a mail from `example.fi`, our server being `mx.example.fi`.
    fn check(header: &str) -> Authentication {
        let bytes = format!("{header}\n\n");
        let (fields, _) = super::super::mail_parts::fields(bytes.as_bytes(), 0..bytes.len());
        assess(&fields, |field| &bytes.as_bytes()[field.value.clone()], "mx.example.fi", "example.fi")
            .map_or(Nothing, |assessed| assessed.authentication)
    }

    #[test]
    fn results_of_our_server_count() {
        let table = [
            ("dmarc=pass header.from=example.fi", Pass),
            ("dmarc=pass (p=REJECT) header.from=Example.FI", Pass),
            ("DMARC=PASS HEADER.FROM=EXAMPLE.FI", Pass),
            ("dkim=pass header.d=example.fi header.s=2026", Pass),
            ("dkim=pass header.d=mail.example.fi", Pass),
            ("dkim=pass header.i=@example.fi", Pass),
            (
                "dkim=pass (2048-bit key; \\) unprotected) header.d=example.fi (comment (nested)) header.b=\"a/b=\"",
                Pass,
            ),
            ("dkim/1=pass header.d=example.fi header.b=abc/def", Pass),
            ("dkim=fail header.d=example.fi; dkim=pass header.d=example.fi", Pass),
            ("dkim=pass header.d=evil.example", Nothing),
            ("dkim=pass header.d=notexample.fi", Nothing),
            ("dkim=pass header.d=example.fi.evil.com", Nothing),
            ("dkim=pass header.d=fi", Nothing),
            ("dkim=pass header.d=evil.com header.d=example.fi", Nothing),
            ("dkim=pass", Nothing),
            ("dkim=neutral header.d=example.fi", Nothing),
            ("dkim=none; spf=pass smtp.mailfrom=bounce@example.fi", Aligned),
            ("spf=pass smtp.mailfrom=\"a;dmarc=pass\"@example.fi", Aligned),
            ("spf=pass smtp.mailfrom=\"dmarc=pass header.from=example.fi\"@evil.com", Nothing),
            ("spf=pass smtp.mailfrom=evil.com", Nothing),
            ("spf=pass smtp.helo=example.fi", Nothing),
            ("spf=softfail smtp.mailfrom=example.fi", Nothing),
            ("spf=fail reason=\"x; dmarc=pass header.from=example.fi\" smtp.mailfrom=evil.com", Nothing),
            ("spf=fail smtp.mailfrom=example.fi; dkim=none; dmarc=none header.from=example.fi", Fail),
            ("spf=fail smtp.mailfrom=example.fi; dkim=pass header.d=example.fi", Pass),
            ("spf=fail smtp.mailfrom=example.fi; dmarc=pass header.from=example.fi", Pass),
            ("spf=fail smtp.helo=example.fi", Nothing),
            ("spf=fail", Nothing),
            ("spf=pass smtp.mailfrom=example.fi; spf=fail smtp.mailfrom=example.fi", Fail),
            ("dmarc=fail (p=none dis=none) header.from=example.fi", Fail),
            ("dmarc=fail header.from=example.fi; dkim=pass header.d=example.fi", Fail),
            ("dmarc=pass header.from=example.fi; dmarc=fail header.from=example.fi", Fail),
            ("dmarc=pass header.from=evil.com", Nothing),
            ("dmarc=fail header.from=other.com", Nothing),
            ("dmarc=bestguesspass header.from=example.fi", Nothing),
            ("dmarc=pass", Nothing),
            ("dmarc=fail", Fail),
            ("none", Nothing),
            ("x-dmarc=pass header.from=example.fi", Nothing),
            ("spf=none (x) y; (dmarc=pass header.from=example.fi) dkim=none", Nothing),
            ("dkim=pass header.d=\"example.fi\"", Pass),
            ("dkim=pass header.d=example.fi (open", Nothing),
            ("dkim=pass header.d=\"example.fi", Nothing),
        ];
        for (results, expected) in table {
            assert_eq!(check(&format!("Authentication-Results: mx.example.fi; {results}")), expected, "{results}");
        }
    }

    #[test]
    fn only_our_topmost_field_counts() {
        let good = "dmarc=pass header.from=example.fi";
        let ours = "Received: from a (b [192.0.2.1]) by mx.example.fi (Postfix) id 1; Mon, 2 Mar 2026 10:00:00 +0200";
        let theirs = "Received: from x by relay.evil.com with SMTP; Mon, 2 Mar 2026 10:00:00 +0200";
        let table = [
            // A forged field below ours, or below a foreign server's trace.
            (
                format!(
                    "Authentication-Results: mx.example.fi; dmarc=none\n{ours}\nAuthentication-Results: mx.example.fi; {good}"
                ),
                Nothing,
            ),
            (format!("{ours}\n{theirs}\nAuthentication-Results: mx.example.fi; {good}"), Nothing),
            (format!("{theirs}\nAuthentication-Results: mx.example.fi; {good}"), Nothing),
            (
                format!(
                    "Received: (by mx.example.fi) from y by relay.evil.com; x\nAuthentication-Results: mx.example.fi; {good}"
                ),
                Nothing,
            ),
            // Where servers really put it: above or just below their own trace, behind internal hops.
            (format!("Authentication-Results: mx.example.fi; {good}\n{ours}\n{theirs}"), Pass),
            (format!("{ours}\nAuthentication-Results: mx.example.fi; {good}\n{theirs}"), Pass),
            (
                format!(
                    "Received: from mx by store3 with LMTP; x\nReceived: by 10.0.0.7; x\n{ours}\nAuthentication-Results: mx.example.fi; {good}"
                ),
                Pass,
            ),
            (
                format!(
                    "Received: by backend.local; x\nReceived: by imap.example.fi; x\nAuthentication-Results: mx.example.fi; {good}"
                ),
                Pass,
            ),
            // Ours, spoilt: what follows must not take its place.
            (
                format!(
                    "Authentication-Results: mx.example.fi; spf=none smtp.mailfrom=\"x\nAuthentication-Results: mx.example.fi; {good}"
                ),
                Nothing,
            ),
            (
                format!(
                    "Authentication-Results: spf=pass smtp.mailfrom=x\nAuthentication-Results: mx.example.fi; {good}"
                ),
                Pass,
            ),
            // Somebody else's id, however alike.
            (format!("Authentication-Results: mx.example.fi.evil.com; {good}"), Nothing),
            (format!("Authentication-Results: xmx.example.fi; {good}"), Nothing),
            (format!("Authentication-Results: mx.examp1e.fi; {good}"), Nothing),
            (format!("Authentication-Results: example.fi; {good}"), Nothing),
            (format!("Authentication-Results: evil.com (mx.example.fi); {good}"), Nothing),
            (format!("Authentication-Results: \"mx.example.fi; dmarc=fail\"; {good}"), Nothing),
            (format!("Authentication-Results: {good}"), Nothing),
            (format!("ARC-Authentication-Results: i=1; mx.example.fi; {good}"), Nothing),
            (format!("X-Authentication-Results: mx.example.fi; {good}"), Nothing),
            (
                format!(
                    "Authentication-Results: evil.com; {good}\nAuthentication-Results: mx.example.fi; dmarc=fail header.from=example.fi"
                ),
                Fail,
            ),
            // Forms of our own.
            (
                "Authentication-Results:\n\t(c) mx.example.fi\n\t(d) 1 ;\n\tdmarc=pass\n\t header.from=example.fi"
                    .to_owned(),
                Pass,
            ),
            (format!("AUTHENTICATION-RESULTS: MX.EXAMPLE.FI; {good}"), Pass),
            (format!("Authentication-Results: \"mx.example.fi\" 1; {good}"), Pass),
            (format!("Authentication-Results: mx.example.fi 2; {good}"), Nothing),
            (format!("Authentication-Results : mx.example.fi; {good}"), Pass),
            (String::new(), Nothing),
        ];
        for (header, expected) in table {
            assert_eq!(check(&header), expected, "{header}");
        }
    }
}
