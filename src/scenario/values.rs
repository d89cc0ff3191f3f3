//! The kinds of value that stand in a scenario file. Each reads itself from TOML, says in words what it allows, and
//! describes itself in JSON Schema, so that the three cannot part. Knows no key.

use std::borrow::Cow;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::Spanned;
use toml::de::DeValue;

use super::document::{Entry, entries};
use super::error::{Grouped, Problem, any_value, did_you_mean_value};

/// A value in the file, with its place.
pub(super) type Node<'a> = Spanned<DeValue<'a>>;

/// Why a value is refused; the reader of its key makes a problem of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The part of the value at fault, where it is not the whole.
    pub(super) span: Option<Range<usize>>,
    /// What is allowed.
    pub(super) allowed: String,
    /// How to put it right.
    pub(super) help: Option<String>,
}

impl Refusal {
    pub(super) fn new(allowed: impl Into<String>) -> Self {
        Refusal {
            span: None,
            allowed: allowed.into(),
            help: None,
        }
    }

    pub(super) fn help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    pub(super) fn problem(self, key: &str, node: &Node<'_>) -> Problem {
        let message = format!("`{key}` cannot be {}", describe(node));
        let span = self.span.unwrap_or_else(|| node.span());
        Problem::new(span, message, format!("must be {}", self.allowed)).maybe_help(self.help)
    }
}

/// A kind of value.
pub(super) trait FileValue: JsonSchema + Sized {
    /// What is allowed, in words that follow "must be".
    fn allowed() -> String;
    /// The value, or why it is none of these.
    fn read(node: &Node<'_>) -> Result<Self, Refusal>;
}

/// Implements the parts of [`JsonSchema`] that are alike for all kinds of value, which stand in place.
macro_rules! describes_itself {
    ($kind:ty, $name:literal, $schema:expr $(, const $parameter:ident)*) => {
        impl<$(const $parameter: i64),*> JsonSchema for $kind {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let schema: fn(&mut SchemaGenerator) -> Schema = $schema;
                schema(generator)
            }
        }
    };
}
pub(super) use describes_itself;

/// A value as it may be shown in a message, cut where it is long.
pub(super) fn describe(node: &Node<'_>) -> String {
    const CHARACTERS_MAX: usize = 60;
    let text = match node.get_ref() {
        DeValue::Array(list) if list.is_empty() => "an empty list".to_owned(),
        _ => written(node),
    };
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// A value as it could stand in a file.
fn written(node: &Node<'_>) -> String {
    match node.get_ref() {
        DeValue::String(text) => format!("{:?}", &**text),
        DeValue::Integer(_) => integer(node).map_or_else(|| "so large a number".to_owned(), |value| value.to_string()),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(value) => format!("the date {value}"),
        DeValue::Array(list) => format!("[{}]", list.iter().map(written).collect::<Vec<_>>().join(", ")),
        DeValue::Table(table) => {
            let pair = |entry: Entry<'_>| format!("{} = {}", entry.key, written(entry.value));
            format!(
                "{{ {} }}",
                entries(table).into_iter().map(pair).collect::<Vec<_>>().join(", ")
            )
        }
    }
}

pub(super) fn integer(node: &Node<'_>) -> Option<i128> {
    let integer = node.get_ref().as_integer()?;
    i128::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()
}

/// A float, or an integer taken for one.
pub(super) fn number(node: &Node<'_>) -> Option<f64> {
    match node.get_ref() {
        DeValue::Float(float) => float
            .as_str()
            .replace('_', "")
            .parse()
            .ok()
            .filter(|value: &f64| value.is_finite()),
        DeValue::Integer(_) => integer(node).map(|value| value as f64),
        _ => None,
    }
}

/// A whole number in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Whole<const MIN: i64, const MAX: i64>(i64);

impl<const MIN: i64, const MAX: i64> Whole<MIN, MAX> {
    pub(super) fn get(self) -> u64 {
        self.0.unsigned_abs()
    }

    /// For kinds whose largest fits; larger ones are cut.
    pub(super) fn small(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

impl<const MIN: i64, const MAX: i64> FileValue for Whole<MIN, MAX> {
    fn allowed() -> String {
        let grouped = |value: i64| Grouped(u128::from(value.unsigned_abs()));
        if MAX == i64::MAX {
            return format!("a whole number from {} up", grouped(MIN));
        }
        format!("a whole number from {} to {}", grouped(MIN), grouped(MAX))
    }

    fn read(node: &Node<'_>) -> Result<Self, Refusal> {
        let value = integer(node).and_then(|value| i64::try_from(value).ok());
        let refusal = || Refusal::new(Self::allowed()).help(without_quotes(node));
        value
            .filter(|value| (MIN..=MAX).contains(value))
            .map(Whole)
            .ok_or_else(refusal)
    }
}

describes_itself!(Whole<MIN, MAX>, "whole", |_| {
    json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
}, const MIN, const MAX);

fn without_quotes(node: &Node<'_>) -> Option<String> {
    let text = node.get_ref().as_str()?;
    text.parse::<f64>()
        .ok()
        .map(|_| format!("write it without quotes: {text}"))
}

/// True or false.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Switch(pub(super) bool);

impl FileValue for Switch {
    fn allowed() -> String {
        "true or false".to_owned()
    }

    fn read(node: &Node<'_>) -> Result<Self, Refusal> {
        let quoted = matches!(node.get_ref().as_str(), Some("true" | "false"));
        let help = quoted.then(|| "write it without quotes".to_owned());
        let refusal = || Refusal::new(Self::allowed()).help(help);
        node.get_ref().as_bool().map(Switch).ok_or_else(refusal)
    }
}

describes_itself!(Switch, "switch", |_| json_schema!({ "type": "boolean" }));

/// A number in a range given in thousandths, so that it can stand in a type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Decimal<const MIN: i64, const MAX: i64>(f64);

impl<const MIN: i64, const MAX: i64> Decimal<MIN, MAX> {
    const LOW: f64 = MIN as f64 / 1000.0;
    const HIGH: f64 = MAX as f64 / 1000.0;

    pub(super) fn get(self) -> f64 {
        self.0
    }
}

impl<const MIN: i64, const MAX: i64> FileValue for Decimal<MIN, MAX> {
    fn allowed() -> String {
        format!("a number from {} to {}", Self::LOW, Self::HIGH)
    }

    fn read(node: &Node<'_>) -> Result<Self, Refusal> {
        let refusal = || Refusal::new(Self::allowed()).help(without_quotes(node));
        let value = number(node).filter(|value| (Self::LOW..=Self::HIGH).contains(value));
        value.map(Decimal).ok_or_else(refusal)
    }
}

describes_itself!(Decimal<MIN, MAX>, "decimal", |_| {
    json_schema!({ "type": "number", "minimum": Self::LOW, "maximum": Self::HIGH })
}, const MIN, const MAX);

/// A line of text that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line(pub(super) String);

const LINE_CHARACTERS_MAX: usize = 300;

impl FileValue for Line {
    fn allowed() -> String {
        format!("a line of text of 1 to {LINE_CHARACTERS_MAX} characters in quotes")
    }

    fn read(node: &Node<'_>) -> Result<Self, Refusal> {
        let text = node.get_ref().as_str().map(str::trim);
        let fits = |text: &&str| {
            !text.is_empty() && text.chars().count() <= LINE_CHARACTERS_MAX && !text.chars().any(char::is_control)
        };
        text.filter(fits)
            .map(|text| Line(text.to_owned()))
            .ok_or_else(|| Refusal::new(Self::allowed()))
    }
}

describes_itself!(Line, "line", |_| {
    json_schema!({ "type": "string", "pattern": "\\S", "maxLength": LINE_CHARACTERS_MAX })
});

/// A list of lines of text: a command with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command(pub(super) Vec<String>);

impl FileValue for Command {
    fn allowed() -> String {
        "a list of texts, the program first, such as [\"ssh\", \"host\", \"{tandem}\", \"worker\"]".to_owned()
    }

    fn read(node: &Node<'_>) -> Result<Self, Refusal> {
        let list = node.get_ref().as_array().filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| Refusal::new(Self::allowed()))?;
        let word = |item: &Node<'_>| {
            let refusal = Refusal {
                span: Some(item.span()),
                ..Refusal::new(Self::allowed())
            };
            Line::read(item).map(|line| line.0).map_err(|_| refusal)
        };
        list.iter().map(word).collect::<Result<_, _>>().map(Command)
    }
}

describes_itself!(Command, "command", |generator| {
    json_schema!({ "type": "array", "minItems": 1, "items": generator.subschema_for::<Line>() })
});

/// Text of a certain form.
pub(super) trait Form {
    /// What it is, in words that follow "must be".
    const ALLOWED: &'static str;
    /// The form as a regular expression, for the schema.
    const PATTERN: &'static str;
    /// The same in code.
    fn fits(text: &str) -> bool;
}

/// Text of the form `F`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Formed<F>(pub(super) String, std::marker::PhantomData<F>);

impl<F: Form> FileValue for Formed<F> {
    fn allowed() -> String {
        F::ALLOWED.to_owned()
    }

    fn read(node: &Node<'_>) -> Result<Self, Refusal> {
        let text = node.get_ref().as_str().filter(|text| F::fits(text));
        let formed = text.map(|text| Formed(text.to_owned(), std::marker::PhantomData));
        formed.ok_or_else(|| Refusal::new(Self::allowed()))
    }
}

impl<F: Form> JsonSchema for Formed<F> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "formed".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": F::PATTERN })
    }
}

/// A value that is one of a few names.
pub(super) trait Choice: Copy + 'static {
    /// The names with what they stand for.
    const ALL: &'static [(&'static str, Self)];
}

/// One of the names of `C`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OneOf<C>(pub(super) C);

impl<C: Choice> OneOf<C> {
    fn names() -> impl Iterator<Item = &'static str> {
        C::ALL.iter().map(|(name, _)| *name)
    }
}

impl<C: Choice> FileValue for OneOf<C> {
    fn allowed() -> String {
        any_value(Self::names())
    }

    fn read(node: &Node<'_>) -> Result<Self, Refusal> {
        let found = node.get_ref().as_str();
        let chosen = C::ALL.iter().find(|(name, _)| Some(*name) == found);
        let help = || found.and_then(|found| did_you_mean_value(found, Self::names()));
        chosen
            .map(|(_, choice)| OneOf(*choice))
            .ok_or_else(|| Refusal::new(Self::allowed()).help(help()))
    }
}

impl<C: Choice> JsonSchema for OneOf<C> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "choice".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Self::names().collect::<Vec<_>>() })
    }
}
