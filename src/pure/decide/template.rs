//! Templates: what a platform lets send when its window is closed, in words that it has approved beforehand.
//!
//! An agent asks for one in the first line of his answer, `/template NAME` (or `/template NAME LANGUAGE` where the name stands for
//! several), with one parameter a line below. What platforms refuse of parameters (nothing, tabs, more than four spaces in a row) is
//! refused here, where he can be told.
//!
//! **Invariant:** an answer that asks for a template is sent as one, or not at all.

use crate::pure::domain::answer::{Filled, Obstacle, Template};

/// Asks for a template.
const WORD: &str = "/template";

/// Longest parameter, in characters.
const PARAMETER_CHARS_MAX: usize = 1024;

/// A template as an answer asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked<'a> {
    name: &'a str,
    language: Option<&'a str>,
    parameters: Vec<&'a str>,
}

/// The template that an answer asks for, if it does.
pub fn asked(text: &str) -> Option<Asked<'_>> {
    let mut lines = text.trim().lines();
    let mut words = lines.next()?.split_whitespace();
    words.next().filter(|word| word.eq_ignore_ascii_case(WORD))?;
    let (name, language) = (words.next().unwrap_or_default(), words.next());
    Some(Asked { name, language, parameters: lines.map(str::trim).collect() })
}

/// A template with what the agent filled in.
///
/// # Errors
/// Why it cannot be sent.
pub fn fill(asked: &Asked<'_>, templates: &[Template]) -> Result<Filled, Obstacle> {
    if templates.is_empty() {
        return Err(Obstacle::TemplateNone);
    }
    let is_meant = |template: &&Template| {
        template.name == asked.name && asked.language.is_none_or(|language| template.language == language)
    };
    let template = templates.iter().find(is_meant).ok_or(Obstacle::TemplateUnknown)?;
    let is_taken = |parameter: &&str| {
        !parameter.is_empty()
            && !parameter.contains(char::is_control)
            && !parameter.contains("     ")
            && parameter.chars().count() <= PARAMETER_CHARS_MAX
    };
    if asked.parameters.len() != template.places() || !asked.parameters.iter().all(is_taken) {
        return Err(Obstacle::TemplateParameters);
    }
    let parameters: Vec<String> = asked.parameters.iter().map(|&parameter| parameter.to_owned()).collect();
    let (name, language, text) = (template.name.clone(), template.language.clone(), template.filled(&parameters));
    Ok(Filled { name, language, parameters, text })
}

/// Whether a text asks for what was filled in.
pub fn is_of(text: &str, filled: &Filled) -> bool {
    asked(text).is_some_and(|asked| {
        asked.name == filled.name
            && asked.language.is_none_or(|language| language == filled.language)
            && asked.parameters == filled.parameters
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(name: &str, language: &str, text: &str) -> Template {
        Template { name: name.to_owned(), language: language.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn templates_are_asked_for_and_filled_in() {
        let templates = [
            template("vastaus_valmis", "fi", "Hei {{1}}, asiasi {{2}} on hoidettu. Terveisin {{1}}:n myyjä"),
            template("tervehdys", "fi", "Voimmeko palata asiaan?"),
            template("tervehdys", "sv", "Får vi återkomma?"),
        ];
        let long = format!("/template tervehdys\n{}", "x".repeat(1_025));
        let table: &[(&str, Option<Result<&str, Obstacle>>)] = &[
            ("Hei, asiasi on hoidettu.", None),
            ("Kirjoita /template tervehdys", None),
            ("/templates tervehdys", None),
            ("", None),
            (
                "/template vastaus_valmis\nMinna\n4001 2345",
                Some(Ok("Hei Minna, asiasi 4001 2345 on hoidettu. Terveisin Minna:n myyjä")),
            ),
            (
                " /Template  vastaus_valmis \r\n  Minna \r\n{{1}}\r\n\r\n",
                Some(Ok("Hei Minna, asiasi {{1}} on hoidettu. Terveisin Minna:n myyjä")),
            ),
            ("/template tervehdys", Some(Ok("Voimmeko palata asiaan?"))),
            ("/template tervehdys sv", Some(Ok("Får vi återkomma?"))),
            ("/template tervehdys de", Some(Err(Obstacle::TemplateUnknown))),
            ("/template Tervehdys", Some(Err(Obstacle::TemplateUnknown))),
            ("/template", Some(Err(Obstacle::TemplateUnknown))),
            ("/template tervehdys\nMinna", Some(Err(Obstacle::TemplateParameters))),
            ("/template vastaus_valmis\nMinna", Some(Err(Obstacle::TemplateParameters))),
            ("/template vastaus_valmis\nMinna\n1\n2", Some(Err(Obstacle::TemplateParameters))),
            ("/template vastaus_valmis\n\nMinna", Some(Err(Obstacle::TemplateParameters))),
            ("/template vastaus_valmis\nMinna\na\tb", Some(Err(Obstacle::TemplateParameters))),
            ("/template vastaus_valmis\nMinna\na     b", Some(Err(Obstacle::TemplateParameters))),
            (
                "/template vastaus_valmis\nMinna\na    b",
                Some(Ok("Hei Minna, asiasi a    b on hoidettu. Terveisin Minna:n myyjä")),
            ),
            (&long, Some(Err(Obstacle::TemplateParameters))),
        ];
        for (text, expected) in table {
            let filled = asked(text).map(|asked| fill(&asked, &templates));
            let said = filled.clone().map(|filled| filled.map(|filled| filled.text));
            assert_eq!(said, expected.map(|expected| expected.map(str::to_owned)), "{text}");
            if let Some(Ok(filled)) = filled {
                assert!(is_of(text, &filled) && !is_of("/template tervehdys de", &filled), "{text}");
            }
        }
        let asked = asked("/template tervehdys").unwrap();
        assert_eq!(fill(&asked, &[]), Err(Obstacle::TemplateNone));
    }
}
