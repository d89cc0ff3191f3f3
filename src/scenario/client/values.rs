//! What values properties of clients and settings of topics take, in the file and in words.

use serde_json::{Value, json};
use toml::de::DeValue;

pub(crate) use crate::clients::Values;
use crate::scenario::document::{Node, integer};
use crate::scenario::suggest::any_value;
use crate::wording::with_commas;

/// A value as text, which is what clients and topics take.
pub(crate) fn text_of(node: &Node<'_>) -> Option<String> {
    match node.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Boolean(value) => Some(value.to_string()),
        DeValue::Integer(_) => Some(integer(node)?.to_string()),
        _ => None,
    }
}

impl Values {
    /// The value as text; `None` where it does not fit.
    pub(crate) fn literal(self, node: &Node<'_>) -> Option<String> {
        text_of(node).filter(|text| self.fits(text))
    }

    /// True for text that is such a value.
    pub(crate) fn fits(self, text: &str) -> bool {
        let within = |min: i64, max: i64| text.parse::<i64>().is_ok_and(|value| (min..=max).contains(&value));
        match self {
            Values::Integer(min, max) => within(min, max),
            Values::WordOrInteger(word, min, max) => text.eq_ignore_ascii_case(word) || within(min, max),
            Values::Boolean => text == "true" || text == "false",
            Values::OneOf(names) => names.contains(&text),
            Values::SomeOf(names) => text
                .split(',')
                .all(|part| names.contains(&part.trim_start_matches('-').trim())),
            Values::Text => !text.is_empty() && !text.contains('\0'),
        }
    }

    /// What is allowed, in words that follow "must be".
    pub(crate) fn allowed(self) -> String {
        match self {
            Values::Integer(min, i64::MAX) => format!("a whole number from {} up", with_commas(min)),
            Values::Integer(min, max) => format!("a whole number from {} to {}", with_commas(min), with_commas(max)),
            Values::WordOrInteger(word, min, max) => {
                format!(
                    "\"{word}\" or a whole number from {} to {}",
                    with_commas(min),
                    with_commas(max)
                )
            }
            Values::Boolean => "true or false".to_owned(),
            Values::OneOf(names) => any_value(names.iter().copied()),
            Values::SomeOf(names) => format!(
                "{} or several of them with commas between",
                any_value(names.iter().copied())
            ),
            Values::Text => "text, a whole number, true, false, { env = \"NAME\" } or { file = \"PATH\" }".to_owned(),
        }
    }

    /// The schema of a value that stands in the file.
    pub(crate) fn schema(self) -> Value {
        match self {
            Values::Integer(min, max) => json!({ "anyOf": [
                { "type": "integer", "minimum": min, "maximum": max },
                { "type": "string", "pattern": "^-?[0-9]+$" }
            ] }),
            Values::WordOrInteger(word, min, max) => json!({ "anyOf": [
                { "enum": [word] }, Values::Integer(min, max).schema()
            ] }),
            Values::Boolean => json!({ "enum": [true, false, "true", "false"] }),
            Values::OneOf(names) => json!({ "enum": names }),
            Values::SomeOf(_) => json!({ "type": "string", "minLength": 1 }),
            Values::Text => json!({ "type": ["string", "integer", "boolean"] }),
        }
    }
}
