//! Client properties in a scenario: which exist, which tandem sets itself, which values they take.

use rdkafka::ClientConfig;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::de::DeValue;

use super::client_properties::{NOT_BUILT_IN, OWNED, OWNED_OF_PRODUCERS, PROPERTIES};
use super::client_values::{Values, text_of};
use super::document::{Entry, entries};
use super::error::{Problem, nearest};
use super::foreign_names;
use super::model::PropertyValue;
use super::secrets::{is_secret, is_suspicious};
use super::values::{Node, describe, describes_itself};

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

/// True for the name of a property, whoever sets it.
pub(super) fn is_property(name: &str) -> bool {
    find(name).is_some()
}

/// What to write instead of a property that tandem sets itself.
pub(super) fn owned(name: &str, clients: Clients) -> Option<&'static str> {
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

/// An unknown name: of another client, misspelt, or dotted without quotes, which TOML takes for tables within tables.
fn unknown(entry: &Entry<'_>, clients: Clients) -> Problem {
    let dotted = dotted_name(entry);
    let name = dotted.as_ref().map_or(entry.key, |(name, _)| name);
    let advice = foreign_names::advice(name, clients);
    let meant = nearest(name, names(clients).chain(foreign_names::names())).filter(|meant| *meant != name);
    let meant = meant.filter(|_| advice.is_none());
    let of_other = meant
        .and_then(|meant| foreign_names::advice(meant, clients))
        .map_or(String::new(), |advice| format!(" {advice}"));
    if let Some((name, end)) = &dotted {
        let quoted = match meant {
            Some(property) => format!("did you mean \"{property}\", with quotes?{of_other}"),
            None => advice.unwrap_or_else(|| format!("write \"{name}\" = ...")),
        };
        return without_quotes(entry, name, *end).help(quoted);
    }
    let message = format!("the client has no property `{name}`");
    let help = advice.or(meant.map(|meant| format!("did you mean `{meant}`?{of_other}")));
    Problem::new(entry.key_span.clone(), message, "no such property in librdkafka 2.12.1").maybe_help(help)
}

/// A property of producers in `[matrix]` or a case whose dots, for want of quotes, made tables of it.
pub(super) fn producer_without_quotes(entry: &Entry<'_>) -> Option<Problem> {
    let (name, end) = dotted_name(entry)?;
    Some(without_quotes(entry, &name, end).help(format!("write \"{name}\" = ...")))
}

pub(super) fn without_quotes(entry: &Entry<'_>, name: &str, end: usize) -> Problem {
    let message = format!("{name} has dots, so it needs quotes");
    Problem::new(entry.key_span.start..end, message, "must be quoted")
}

/// The whole name of a key whose dots made tables of it, and where it ends.
pub(super) fn dotted_name(entry: &Entry<'_>) -> Option<(String, usize)> {
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
    let literal = values.literal(node).or_else(|| library_takes(name, values, node));
    literal.map(PropertyValue::Literal).ok_or_else(|| {
        let shown = if is_suspicious(name) {
            "this value".to_owned()
        } else {
            describe(node)
        };
        Problem::new(
            node.span(),
            format!("`{name}` cannot be {shown}"),
            format!("must be {}", values.allowed()),
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

/// The value in the library's own spelling, where it is one of several names that the library takes in other spellings
/// too, such as `READ_COMMITTED` or `True`.
fn library_takes(name: &str, values: Values, node: &Node<'_>) -> Option<String> {
    let named = matches!(values, Values::Boolean | Values::OneOf(_))
        .then(|| text_of(node))
        .flatten()?;
    let config = ClientConfig::new().set(name, named).create_native_config().ok()?;
    config.get(name).ok()
}

/// What is built into the library, by its own names with commas between them.
pub(super) fn features() -> String {
    let config = ClientConfig::new().create_native_config();
    config
        .and_then(|config| config.get("builtin.features"))
        .unwrap_or_default()
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
        let values = find(name).map_or(Values::Text, |property| property.values);
        json_schema!({ "anyOf": [values.schema(), in_capitals(values), from_outside(generator)] })
    };
    if list {
        json_schema!({ "type": "array", "minItems": 1, "items": value })
    } else {
        value
    }
}

/// The library takes its own names in capitals too.
fn in_capitals(values: Values) -> Schema {
    let names = match values {
        Values::OneOf(names) => names.iter().map(|name| name.to_uppercase()).collect(),
        Values::Boolean => ["true", "false", "True", "False", "TRUE", "FALSE"]
            .map(str::to_owned)
            .to_vec(),
        _ => Vec::new(),
    };
    json_schema!({ "enum": names })
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
            Values::WordOrInteger(word, ..) => word.to_owned(),
            Values::Boolean => "true".to_owned(),
            Values::OneOf(names) | Values::SomeOf(names) => names[0].to_owned(),
            Values::Text => "/dev/null".to_owned(),
        };
        let mut config = ClientConfig::new();
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

    /// What the client makes of a value of the file.
    fn taken(name: &str, value: &str) -> Option<PropertyValue> {
        let text = format!("x = {value}");
        let (document, _) = toml::de::DeTable::parse_recoverable(&text);
        read_value(name, document.get_ref().get("x")?).ok()
    }

    #[test]
    fn values_are_taken_as_the_client_takes_them_and_kept_in_its_own_spelling() {
        let literal = |text: &str| Some(PropertyValue::Literal(text.to_owned()));
        assert_eq!(taken("acks", "\"all\""), literal("all"));
        assert_eq!(taken("acks", "-1"), literal("-1"));
        assert_eq!(taken("security.protocol", "\"SASL_SSL\""), literal("sasl_ssl"));
        assert_eq!(
            taken("isolation.level", "\"READ_COMMITTED\""),
            literal("read_committed")
        );
        assert_eq!(taken("check.crcs", "\"True\""), literal("true"));
        assert_eq!(taken("compression.type", "\"LZ4\""), literal("lz4"));
        for (name, value) in [
            ("acks", "\"most\""),
            ("check.crcs", "\"yes\""),
            ("isolation.level", "\"committed\""),
            ("linger.ms", "\"5ms\""),
        ] {
            assert_eq!(taken(name, value), None, "{name} = {value}");
        }
    }

    #[test]
    fn every_value_of_the_list_is_taken_in_capitals_where_the_client_does() {
        for property in PROPERTIES.iter().filter(|property| missing(property.name).is_none()) {
            let Values::OneOf(names) = property.values else {
                continue;
            };
            for name in names {
                let capitals = name.to_uppercase();
                let mut config = ClientConfig::new();
                let client_takes = config.set(property.name, &capitals).create_native_config().is_ok();
                let taken = taken(property.name, &format!("{capitals:?}")).is_some();
                assert_eq!(taken, client_takes, "{} = {capitals}", property.name);
            }
        }
    }

    /// Whether the library makes a client with this mechanism.
    fn makes_client(mechanism: &str) -> bool {
        let mut config = ClientConfig::new();
        config
            .set("security.protocol", "sasl_plaintext")
            .set("sasl.mechanism", mechanism)
            .set("sasl.username", "u")
            .set("sasl.password", "p")
            .set("group.id", "g");
        config.create::<rdkafka::consumer::BaseConsumer>().is_ok()
    }

    #[test]
    fn the_library_has_the_mechanisms_that_are_named_and_not_those_that_are_refused() {
        let built_in = crate::scenario::mechanisms::built_in();
        assert_eq!(built_in, ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]);
        assert!(built_in.into_iter().all(makes_client));
        assert!(!["GSSAPI", "AWS_MSK_IAM", "plain"].into_iter().any(makes_client));
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
