//! Client properties in a scenario: which exist, which tandem sets itself, which values they take.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::de::DeValue;

use super::client_properties::{NOT_BUILT_IN, OF_JAVA, OWNED, OWNED_OF_PRODUCERS, PROPERTIES};
use super::document::{Entry, entries};
use super::error::{Grouped, Problem, any_value, did_you_mean, nearest};
use super::model::PropertyValue;
use super::secrets::{is_secret, is_suspicious};
use super::values::{Node, describe, describes_itself, integer};

/// A property of the client library.
#[derive(Debug, Clone, Copy)]
pub(super) struct Property {
    pub(super) name: &'static str,
    user: Use,
    values: Values,
    /// The name under which the library keeps it, where this is another name for it.
    alias_of: Option<&'static str>,
}

/// Who uses a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Consumer,
    Producer,
    Both,
}

/// What values a property takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    Integer(i64, i64),
    Boolean,
    OneOf(&'static [&'static str]),
    /// Any of these, with commas between them.
    SomeOf(&'static [&'static str]),
    Text,
}

impl Property {
    pub(super) const fn new(name: &'static str, user: Use, values: Values) -> Self {
        Property {
            name,
            user,
            values,
            alias_of: None,
        }
    }

    pub(super) const fn alias(name: &'static str, user: Use, values: Values, of: &'static str) -> Self {
        Property {
            alias_of: Some(of),
            ..Property::new(name, user, values)
        }
    }
}

/// A table of client properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clients {
    /// Of the consumers that are measured.
    Measured,
    /// Of the producers of load.
    Load,
    /// Of every client of the run.
    All,
}

/// What a property would need that this client has not.
fn missing(name: &str) -> Option<&'static str> {
    let begins = |start: &str| name == start || start.ends_with('.') && name.starts_with(start);
    let needs = NOT_BUILT_IN
        .iter()
        .find(|(start, _)| begins(start) && name != "sasl.oauthbearer.config");
    needs.map(|(_, needs)| *needs)
}

fn find(name: &str) -> Option<&'static Property> {
    PROPERTIES.iter().find(|property| property.name == name)
}

fn owned(name: &str, clients: Clients) -> Option<&'static str> {
    let list = match clients {
        Clients::Measured | Clients::All => OWNED,
        Clients::Load => OWNED_OF_PRODUCERS,
    };
    list.iter()
        .find(|(owned, _)| *owned == name)
        .map(|(_, instead)| *instead)
}

/// The library's own name of a property.
pub(crate) fn canonical(name: &str) -> &str {
    find(name).and_then(|property| property.alias_of).unwrap_or(name)
}

fn may_stand(property: &Property, clients: Clients) -> bool {
    let free = owned(property.name, clients).is_none() && missing(property.name).is_none();
    let unused = match clients {
        Clients::Measured => property.user == Use::Producer,
        Clients::Load => property.user == Use::Consumer,
        Clients::All => false,
    };
    free && !unused
}

/// The names of the properties that may stand in a table.
pub(super) fn names(clients: Clients) -> impl Iterator<Item = &'static str> {
    let standing = PROPERTIES.iter().filter(move |property| may_stand(property, clients));
    standing.map(|property| property.name)
}

/// Checks the name of a property in a client table.
pub(super) fn check_name(entry: &Entry<'_>, clients: Clients) -> Result<(), Problem> {
    let name = entry.key;
    let refused = |message: String, allowed: &str| Err(Problem::new(entry.key_span.clone(), message, allowed));
    let Some(property) = find(name) else {
        return Err(unknown(entry, clients));
    };
    if let Some(instead) = owned(name, clients) {
        return refused(format!("`{name}` is set by tandem itself"), instead);
    }
    if let Some(needs) = missing(name) {
        return refused(
            format!("`{name}` cannot be used here"),
            &format!("needs {needs}, which this client has not"),
        );
    }
    if may_stand(property, clients) {
        return Ok(());
    }
    if clients == Clients::Load {
        let message = format!("`{name}` is a property of consumers");
        return refused(message, "producers do not use it; consumers' go into [consumer.client]");
    }
    refused(
        format!("`{name}` is a property of producers"),
        "consumers do not use it; producers of load have [load.client]",
    )
}

/// An unknown name: misspelt, or dotted without quotes, which TOML takes for tables within tables.
fn unknown(entry: &Entry<'_>, clients: Clients) -> Problem {
    let dotted = dotted_name(entry);
    let name = dotted.as_ref().map_or(entry.key, |(name, _)| name);
    let known = names(clients);
    if let Some((name, end)) = &dotted {
        let quoted = match nearest(name, known) {
            Some(property) if property != name => format!("did you mean \"{property}\", with quotes?"),
            _ => format!("write \"{name}\" = ..."),
        };
        return without_quotes(entry, name, *end).help(quoted);
    }
    let message = format!("the client has no property `{name}`");
    let instead = OF_JAVA.iter().find(|(java, _)| *java == name);
    let help = match instead {
        Some((_, instead)) => Some(format!("it is one of Java clients: use {instead}")),
        None => did_you_mean(name, known),
    };
    Problem::new(entry.key_span.clone(), message, "no such property in librdkafka 2.12.1").maybe_help(help)
}

/// A property of producers in `[matrix]` or a case whose dots, for want of quotes, made tables of it.
pub(super) fn producer_without_quotes(entry: &Entry<'_>) -> Option<Problem> {
    let (name, end) = dotted_name(entry)?;
    Some(without_quotes(entry, &name, end).help(format!("write \"{name}\" = ...")))
}

fn without_quotes(entry: &Entry<'_>, name: &str, end: usize) -> Problem {
    let message = format!("{name} has dots, so it needs quotes");
    Problem::new(entry.key_span.start..end, message, "must be quoted")
}

/// The whole name of a key whose dots made tables of it, and where it ends.
fn dotted_name(entry: &Entry<'_>) -> Option<(String, usize)> {
    let mut name = entry.key.to_owned();
    let mut end = entry.key_span.end;
    let mut value = entry.value;
    while let Some(table) = value.get_ref().as_table() {
        let inner = entries(table).into_iter().next()?;
        if ["env", "file"].contains(&inner.key) && table.len() == 1 && inner.value.get_ref().is_str() {
            break;
        }
        name.push('.');
        name.push_str(inner.key);
        end = inner.key_span.end;
        value = inner.value;
    }
    (end != entry.key_span.end).then_some((name, end))
}

/// Reads the value of a property whose name has been checked.
pub(super) fn read_value(name: &str, node: &Node<'_>) -> Result<PropertyValue, Problem> {
    if let DeValue::Table(table) = node.get_ref() {
        let only = |key: &str| table.get(key).filter(|_| table.len() == 1)?.get_ref().as_str();
        if let Some(env) = only("env").filter(|env| is_variable_name(env)) {
            return Ok(PropertyValue::Environment { env: env.to_owned() });
        }
        if let Some(file) = only("file").filter(|file| is_path(file)) {
            return Ok(PropertyValue::File { file: file.to_owned() });
        }
        let message = format!("`{name}` cannot be this table");
        let allowed = "must be { env = \"NAME\" }, the name of an environment variable, or { file = \"PATH\" }";
        return Err(Problem::new(node.span(), message, allowed));
    }
    if is_secret(name) {
        let message = format!("`{name}` is a secret and cannot stand in the file");
        let allowed = format!(
            "write \"{name}\" = {{ env = \"NAME\" }} and set that environment variable, or {{ file = \"PATH\" }}"
        );
        return Err(Problem::new(node.span(), message, allowed));
    }
    let values = find(name).map_or(Values::Text, |property| property.values);
    literal(values, node).map(PropertyValue::Literal).ok_or_else(|| {
        let shown = if is_suspicious(name) {
            "this value".to_owned()
        } else {
            describe(node)
        };
        Problem::new(
            node.span(),
            format!("`{name}` cannot be {shown}"),
            format!("must be {}", allowed(values)),
        )
    })
}

fn is_variable_name(name: &str) -> bool {
    let first = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    first && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_path(path: &str) -> bool {
    !path.is_empty() && !path.contains('\0')
}

/// The value as the client takes it, which is text; `None` where it does not fit.
fn literal(values: Values, node: &Node<'_>) -> Option<String> {
    let text = match node.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Integer(_) => integer(node)?.to_string(),
        _ => return None,
    };
    let fits = match values {
        Values::Integer(min, max) => text.parse::<i64>().is_ok_and(|value| (min..=max).contains(&value)),
        Values::Boolean => text == "true" || text == "false",
        Values::OneOf(names) => names.contains(&text.as_str()),
        Values::SomeOf(names) => text
            .split(',')
            .all(|part| names.contains(&part.trim_start_matches('-').trim())),
        Values::Text => !text.is_empty() && !text.contains('\0'),
    };
    fits.then_some(text)
}

fn allowed(values: Values) -> String {
    let grouped = |value: i64| {
        let sign = if value < 0 { "-" } else { "" };
        format!("{sign}{}", Grouped(u128::from(value.unsigned_abs())))
    };
    match values {
        Values::Integer(min, max) => format!("a whole number from {} to {}", grouped(min), grouped(max)),
        Values::Boolean => "true or false".to_owned(),
        Values::OneOf(names) => any_value(names.iter().copied()),
        Values::SomeOf(names) => format!(
            "{} or several of them with commas between",
            any_value(names.iter().copied())
        ),
        Values::Text => "text, a whole number, true, false, { env = \"NAME\" } or { file = \"PATH\" }".to_owned(),
    }
}

/// The schema of a client table; `list` makes each value a list of values, as in a matrix.
pub(super) fn table_schema(generator: &mut SchemaGenerator, clients: Clients, list: bool) -> Schema {
    let mut properties = serde_json::Map::new();
    for name in names(clients) {
        properties.insert(name.to_owned(), property_schema(generator, name, list).to_value());
    }
    json_schema!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// The schema of one property's value.
pub(super) fn property_schema(generator: &mut SchemaGenerator, name: &str, list: bool) -> Schema {
    let value = if is_secret(name) {
        from_outside(generator)
    } else {
        value_schema(generator, find(name).map_or(Values::Text, |property| property.values))
    };
    if list {
        json_schema!({ "type": "array", "minItems": 1, "items": value })
    } else {
        value
    }
}

fn value_schema(generator: &mut SchemaGenerator, values: Values) -> Schema {
    let literal = match values {
        Values::Integer(min, max) => json_schema!({ "anyOf": [
            { "type": "integer", "minimum": min, "maximum": max },
            { "type": "string", "pattern": "^-?[0-9]+$" }
        ] }),
        Values::Boolean => json_schema!({ "enum": [true, false, "true", "false"] }),
        Values::OneOf(names) => json_schema!({ "enum": names }),
        Values::SomeOf(_) => json_schema!({ "type": "string", "minLength": 1 }),
        Values::Text => json_schema!({ "type": ["string", "integer", "boolean"] }),
    };
    json_schema!({ "anyOf": [literal, from_outside(generator)] })
}

/// A value that does not stand in the scenario.
fn from_outside(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [
        generator.subschema_for::<FromEnvironment>(), generator.subschema_for::<FromFile>()
    ] })
}

/// `{ env = "NAME" }`.
struct FromEnvironment;

describes_itself!(FromEnvironment, "from_environment", |_| {
    json_schema!({
        "type": "object", "description": "The value of an environment variable; a secret comes so or from a file.",
        "properties": { "env": { "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" } },
        "required": ["env"], "additionalProperties": false
    })
});

/// `{ file = "PATH" }`.
struct FromFile;

describes_itself!(FromFile, "from_file", |_| {
    json_schema!({
        "type": "object", "description": "The contents of a file, without the line's end after them.",
        "properties": { "file": { "type": "string", "minLength": 1 } },
        "required": ["file"], "additionalProperties": false
    })
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::client_properties::REFUSED_BY_CONSUMER_PROTOCOL;

    /// Why the client refuses the property, given a value of its kind.
    fn refusal(property: &Property) -> Option<String> {
        let value = match property.values {
            Values::Integer(_, max) => max.to_string(),
            Values::Boolean => "true".to_owned(),
            Values::OneOf(names) | Values::SomeOf(names) => names[0].to_owned(),
            Values::Text => "/dev/null".to_owned(),
        };
        let mut config = rdkafka::ClientConfig::new();
        let refused = config.set(property.name, value).create_native_config().err()?;
        Some(format!("{}: {refused}", property.name))
    }

    #[test]
    fn the_client_accepts_every_property_of_the_list_that_is_built_in() {
        // A plugin would have to exist.
        let built_in =
            |property: &&Property| missing(property.name).is_none() && property.name != "plugin.library.paths";
        let refused: Vec<String> = PROPERTIES.iter().filter(built_in).filter_map(refusal).collect();
        assert!(refused.is_empty(), "{refused:#?}");
    }

    #[test]
    fn the_client_refuses_what_is_said_not_to_be_built_in() {
        let without = PROPERTIES.iter().filter(|property| missing(property.name).is_some());
        let accepted: Vec<&str> = without
            .filter(|property| refusal(property).is_none())
            .map(|property| property.name)
            .collect();
        assert!(accepted.is_empty(), "{accepted:?}");
    }

    #[test]
    fn the_list_is_sorted_and_names_are_unique() {
        assert!(PROPERTIES.windows(2).all(|pair| pair[0].name < pair[1].name));
    }

    #[test]
    fn everything_that_tandem_owns_exists() {
        let owned = OWNED.iter().chain(OWNED_OF_PRODUCERS);
        let missing: Vec<_> = owned.filter(|(name, _)| find(name).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert!(REFUSED_BY_CONSUMER_PROTOCOL.iter().all(|name| find(name).is_some()));
    }
}
