//! Kinds of value that many keys use: numbers, lines of text, and choices.

use std::marker::PhantomData;

use serde_json::{Value, json};

use super::kind::{Kind, Refusal};
use crate::scenario::choice::Choice;
use crate::scenario::document::{Node, integer, number};
use crate::scenario::suggest::{any_value, did_you_mean_value};
use crate::wording::with_commas;

/// A whole number in a range.
pub(crate) enum Integer<const MIN: i64, const MAX: i64> {}

impl<const MIN: i64, const MAX: i64> Kind for Integer<MIN, MAX> {
    type Value = u64;

    fn allowed() -> String {
        if MAX == i64::MAX {
            return format!("a whole number from {} up", with_commas(MIN));
        }
        format!("a whole number from {} to {}", with_commas(MIN), with_commas(MAX))
    }

    fn read(node: &Node<'_>) -> Result<u64, Refusal> {
        let value = integer(node).and_then(|value| i64::try_from(value).ok());
        let value = value.filter(|value| (MIN..=MAX).contains(value));
        value
            .map(i64::unsigned_abs)
            .ok_or_else(|| Refusal::of::<Self>().help(without_quotes(node)))
    }

    fn text(value: &u64) -> String {
        value.to_string()
    }

    fn schema() -> Value {
        json!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// A whole number in a range whose end fits into 32 bits.
pub(crate) enum Count<const MIN: i64, const MAX: i64> {}

impl<const MIN: i64, const MAX: i64> Kind for Count<MIN, MAX> {
    type Value = u32;

    fn allowed() -> String {
        Integer::<MIN, MAX>::allowed()
    }

    fn read(node: &Node<'_>) -> Result<u32, Refusal> {
        let value = Integer::<MIN, MAX>::read(node)?;
        u32::try_from(value).map_err(|_| Refusal::of::<Self>())
    }

    fn text(value: &u32) -> String {
        value.to_string()
    }

    fn schema() -> Value {
        Integer::<MIN, MAX>::schema()
    }
}

fn without_quotes(node: &Node<'_>) -> Option<String> {
    let text = node.get_ref().as_str()?;
    text.parse::<f64>()
        .ok()
        .map(|_| format!("write it without quotes: {text}"))
}

/// A whole number, or all where nothing is given.
pub(crate) enum IntegerOrAll<const MAX: i64> {}

impl<const MAX: i64> Kind for IntegerOrAll<MAX> {
    type Value = Option<u64>;

    fn allowed() -> String {
        Integer::<1, MAX>::allowed()
    }

    fn read(node: &Node<'_>) -> Result<Option<u64>, Refusal> {
        Integer::<1, MAX>::read(node).map(Some)
    }

    fn text(value: &Option<u64>) -> String {
        value.map_or_else(|| "all".to_owned(), |value| value.to_string())
    }

    fn schema() -> Value {
        Integer::<1, MAX>::schema()
    }
}

/// True or false.
pub(crate) enum Switch {}

impl Kind for Switch {
    type Value = bool;

    fn allowed() -> String {
        "true or false".to_owned()
    }

    fn read(node: &Node<'_>) -> Result<bool, Refusal> {
        let quoted = matches!(node.get_ref().as_str(), Some("true" | "false"));
        let help = quoted.then(|| "write it without quotes".to_owned());
        node.get_ref().as_bool().ok_or_else(|| Refusal::of::<Self>().help(help))
    }

    fn text(value: &bool) -> String {
        value.to_string()
    }

    fn schema() -> Value {
        json!({ "type": "boolean" })
    }
}

/// A number in a range given in thousandths, so that it can stand in a type.
pub(crate) enum Decimal<const MIN: i64, const MAX: i64> {}

impl<const MIN: i64, const MAX: i64> Decimal<MIN, MAX> {
    const LOW: f64 = MIN as f64 / 1000.0;
    const HIGH: f64 = MAX as f64 / 1000.0;
}

impl<const MIN: i64, const MAX: i64> Kind for Decimal<MIN, MAX> {
    type Value = f64;

    fn allowed() -> String {
        format!("a number from {} to {}", Self::LOW, Self::HIGH)
    }

    fn read(node: &Node<'_>) -> Result<f64, Refusal> {
        let value = number(node).filter(|value| (Self::LOW..=Self::HIGH).contains(value));
        value.ok_or_else(|| Refusal::of::<Self>().help(without_quotes(node)))
    }

    fn text(value: &f64) -> String {
        value.to_string()
    }

    fn schema() -> Value {
        json!({ "type": "number", "minimum": Self::LOW, "maximum": Self::HIGH })
    }
}

/// A line of text that says something.
pub(crate) enum Line {}

const LINE_CHARACTERS_MAX: usize = 300;

impl Kind for Line {
    type Value = String;

    fn allowed() -> String {
        format!("a line of text of 1 to {LINE_CHARACTERS_MAX} characters in quotes")
    }

    fn read(node: &Node<'_>) -> Result<String, Refusal> {
        let text = node.get_ref().as_str().map(str::trim);
        let fits = |text: &&str| {
            !text.is_empty() && text.chars().count() <= LINE_CHARACTERS_MAX && !text.chars().any(char::is_control)
        };
        text.filter(fits).map(str::to_owned).ok_or_else(Refusal::of::<Self>)
    }

    fn text(value: &String) -> String {
        value.clone()
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "\\S", "maxLength": LINE_CHARACTERS_MAX })
    }
}

/// A list of lines of text: a command with its arguments.
pub(crate) enum Command {}

impl Kind for Command {
    type Value = Vec<String>;

    fn allowed() -> String {
        "a list of texts, the program first, such as [\"ssh\", \"host\", \"{tandem}\", \"worker\"]".to_owned()
    }

    fn read(node: &Node<'_>) -> Result<Vec<String>, Refusal> {
        let list = node.get_ref().as_array().filter(|list| !list.is_empty());
        let list = list.ok_or_else(Refusal::of::<Self>)?;
        let word = |item: &Node<'_>| Line::read(item).map_err(|_| Refusal::of::<Self>().at(item));
        list.iter().map(word).collect()
    }

    fn text(value: &Vec<String>) -> String {
        value.join(" ")
    }

    fn schema() -> Value {
        json!({ "type": "array", "minItems": 1, "items": Line::schema() })
    }
}

/// Names of keys, each once; whether they are keys is checked with the keys.
pub(crate) enum KeyNames {}

impl Kind for KeyNames {
    type Value = Vec<String>;

    fn allowed() -> String {
        "a list of keys, such as [\"compression\"]".to_owned()
    }

    fn read(node: &Node<'_>) -> Result<Vec<String>, Refusal> {
        let list = node.get_ref().as_array().filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| Refusal::of::<Self>().help(in_brackets(node)))?;
        let mut names = Vec::with_capacity(list.len());
        for item in list {
            let name = Line::read(item).map_err(|_| Refusal::of::<Self>().at(item))?;
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn text(value: &Vec<String>) -> String {
        value.join(", ")
    }

    fn schema() -> Value {
        json!({ "type": "array", "minItems": 1, "items": Line::schema() })
    }
}

fn in_brackets(node: &Node<'_>) -> Option<String> {
    let text = node.get_ref().as_str()?;
    Some(format!("write it in brackets: [\"{text}\"]"))
}

/// Text of a certain form.
pub(crate) trait Form {
    /// What it is, in words that follow "must be".
    const ALLOWED: &'static str;
    /// The form as a regular expression, for the schema.
    const PATTERN: &'static str;
    /// The same in code.
    fn fits(text: &str) -> bool;
}

/// Text of the form `F`.
pub(crate) struct Formed<F>(PhantomData<F>);

impl<F: Form> Kind for Formed<F> {
    type Value = String;

    fn allowed() -> String {
        F::ALLOWED.to_owned()
    }

    fn read(node: &Node<'_>) -> Result<String, Refusal> {
        let text = node.get_ref().as_str().filter(|text| F::fits(text));
        text.map(str::to_owned).ok_or_else(Refusal::of::<Self>)
    }

    fn text(value: &String) -> String {
        value.clone()
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": F::PATTERN })
    }
}

/// One of the names of `C`.
pub(crate) struct OneOf<C>(PhantomData<C>);

impl<C: Choice> OneOf<C> {
    fn names() -> impl Iterator<Item = &'static str> {
        C::ALL.iter().map(|(name, _)| *name)
    }
}

impl<C: Choice + std::fmt::Debug> Kind for OneOf<C> {
    type Value = C;

    fn allowed() -> String {
        any_value(Self::names())
    }

    fn read(node: &Node<'_>) -> Result<C, Refusal> {
        let found = node.get_ref().as_str();
        let help = || found.and_then(|found| did_you_mean_value(found, Self::names()));
        let chosen = found.and_then(C::named);
        chosen.ok_or_else(|| Refusal::of::<Self>().help(help()))
    }

    fn text(value: &C) -> String {
        value.name().to_owned()
    }

    fn schema() -> Value {
        json!({ "type": "string", "enum": Self::names().collect::<Vec<_>>() })
    }
}
