//! A parsed TOML document: tables as entries in the order of the file, values with their places and as messages show
//! them.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::problem::Problem;

/// A value in the file, with its place.
pub(super) type Node<'a> = Spanned<DeValue<'a>>;

/// A key with its value.
#[derive(Debug, Clone)]
pub(super) struct Entry<'a> {
    pub(super) key: &'a str,
    pub(super) key_span: Range<usize>,
    pub(super) value: &'a Node<'a>,
}

/// The entries of a table in the order of the file; the parser keeps them by name.
pub(super) fn entries<'a>(table: &'a DeTable<'a>) -> Vec<Entry<'a>> {
    let entry = |(key, value): (&'a Spanned<DeString<'a>>, &'a Node<'a>)| Entry {
        key: key.get_ref(),
        key_span: key.span(),
        value,
    };
    let mut entries: Vec<Entry<'a>> = table.iter().map(entry).collect();
    entries.sort_by_key(|entry| entry.key_span.start);
    entries
}

/// The entry's value as a table.
pub(super) fn table<'a>(entry: &Entry<'a>) -> Result<&'a DeTable<'a>, Problem> {
    let key = entry.key;
    entry.value.get_ref().as_table().ok_or_else(|| {
        let message = format!("`{key}` cannot be {}", kind(entry.value));
        let double = matches!(entry.value.get_ref(), DeValue::Array(_));
        let help = double.then(|| format!("write [{key}] with single brackets, once"));
        Problem::new(entry.key_span.clone(), message, format!("must be a table: [{key}]")).maybe_help(help)
    })
}

/// The entry's value as a list of tables, each with its place.
pub(super) fn tables<'a>(entry: &Entry<'a>) -> Result<Vec<(&'a DeTable<'a>, Range<usize>)>, Problem> {
    let key = entry.key;
    let refused = |what: String, span: Range<usize>| {
        let allowed = format!("must be written [[{key}]] before each one");
        Problem::new(span, format!("`{key}` cannot be {what}"), allowed)
    };
    let list = entry.value.get_ref().as_array();
    let list = list.ok_or_else(|| refused(kind(entry.value), entry.key_span.clone()))?;
    list.iter()
        .map(|item| match item.get_ref() {
            DeValue::Table(table) => Ok((table, item.span())),
            _ => Err(refused(format!("a list with {} in it", kind(item)), item.span())),
        })
        .collect()
}

/// What a value is, without showing it: tables may hold secrets.
fn kind(node: &Node<'_>) -> String {
    match node.get_ref().type_str() {
        "array" => "a list".to_owned(),
        "integer" => "an integer".to_owned(),
        other => format!("a {other}"),
    }
}

/// A value as messages print it, shortened if it is long.
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
