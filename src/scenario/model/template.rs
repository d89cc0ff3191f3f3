//! Text of a command with names in braces that are replaced when the command runs.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::scenario::choice::Choice;

/// A name in braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// The brokers' addresses.
    Bootstrap,
    /// The first topic.
    Topic,
    /// All topics, with commas between them.
    Topics,
    /// The consumer group.
    Group,
    /// A name that no other process of the trial has.
    ClientId,
    /// The number of the process in its group, from 1.
    Process,
    /// A file with the properties of the program's client.
    PropertiesFile,
}

impl Choice for Placeholder {
    const ALL: &'static [(&'static str, Self)] = &[
        ("bootstrap", Placeholder::Bootstrap),
        ("topic", Placeholder::Topic),
        ("topics", Placeholder::Topics),
        ("group", Placeholder::Group),
        ("client_id", Placeholder::ClientId),
        ("process", Placeholder::Process),
        ("properties_file", Placeholder::PropertiesFile),
    ];
}

/// Text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    written: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(Placeholder),
}

/// Why text is no template.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// Nothing has that name.
    #[error("{{{0}}} is no placeholder")]
    Unknown(String),
    /// A brace without its counterpart.
    #[error("a brace is opened and not closed; {{{{ stands for a brace")]
    Open,
}

impl Template {
    /// Reads text in which `{name}` is a placeholder; `{{` and `}}` stand for a brace each.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            rest = &rest[at..];
            let doubled = rest.starts_with("{{") || rest.starts_with("}}");
            if doubled || rest.starts_with('}') {
                literal.push_str(&rest[..1]);
                rest = &rest[if doubled { 2 } else { 1 }..];
                continue;
            }
            let (name, after) = rest[1..].split_once('}').ok_or(TemplateError::Open)?;
            let placeholder = Placeholder::named(name).ok_or_else(|| TemplateError::Unknown(name.to_owned()))?;
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Placeholder(placeholder));
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        let written = text.to_owned();
        Ok(Template { written, parts })
    }

    /// As it stands in the file.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Its placeholders, in order.
    pub fn placeholders(&self) -> impl Iterator<Item = Placeholder> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Placeholder(placeholder) => Some(*placeholder),
        })
    }

    /// The text with a value for each placeholder.
    pub fn filled(&self, value: impl Fn(Placeholder) -> String) -> String {
        let filled = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Placeholder(placeholder) => value(*placeholder),
        });
        filled.collect()
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Template::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        let value = |placeholder: Placeholder| placeholder.name().to_uppercase();
        Template::parse(text).unwrap().filled(value)
    }

    #[test]
    fn names_in_braces_are_replaced_and_doubled_braces_stand_for_themselves() {
        assert_eq!(filled("--topic={topic}"), "--topic=TOPIC");
        assert_eq!(
            filled("{group}{process}.{properties_file}"),
            "GROUPPROCESS.PROPERTIES_FILE"
        );
        assert_eq!(filled("{{topic}} and }"), "{topic} and }");
        assert_eq!(filled(r#"{{"topics": "{topics}"}}"#), r#"{"topics": "TOPICS"}"#);
        assert_eq!(filled(""), "");
    }

    #[test]
    fn an_unknown_name_and_an_open_brace_are_refused() {
        let error = |text: &str| Template::parse(text).unwrap_err();
        assert_eq!(error("{topc}"), TemplateError::Unknown("topc".to_owned()));
        assert_eq!(error("${HOME}/x"), TemplateError::Unknown("HOME".to_owned()));
        assert_eq!(error("{}"), TemplateError::Unknown(String::new()));
        assert_eq!(error("{topic"), TemplateError::Open);
    }

    #[test]
    fn a_template_is_stored_as_it_was_written() {
        let template = Template::parse("a {{ {topic} }}").unwrap();
        let stored = serde_json::to_string(&template).unwrap();
        assert_eq!(stored, r#""a {{ {topic} }}""#);
        assert_eq!(serde_json::from_str::<Template>(&stored).unwrap(), template);
    }
}
