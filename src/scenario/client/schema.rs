//! The JSON Schema of client properties.

use serde_json::{Map, Value, json};

use super::table::{Clients, names};
use super::values::Values;
use crate::clients::ClientKind;
use crate::scenario::secrets::is_secret;

/// The clients by whose names the properties of measured consumers may go, and what their definitions are called.
const MEASURED: [(ClientKind, &str); 3] = [
    (ClientKind::Librdkafka, "librdkafka"),
    (ClientKind::Java, "java"),
    (ClientKind::FranzGo, "go"),
];

/// The schema of a client table; `list` makes each value a list of values, as in a matrix.
pub(crate) fn table_schema(clients: Clients, list: bool) -> Value {
    let properties: Map<String, Value> = names(clients)
        .map(|name| {
            (
                name.to_owned(),
                listed(reference(&definition_name(clients, name)), list),
            )
        })
        .collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// What holds for the properties of the measured consumers of one client.
pub(crate) fn own_table(kind: ClientKind) -> Value {
    reference(&table_name(kind, false))
}

/// The same where the file decides which client runs.
pub(crate) fn measured_tables(list: bool) -> impl Iterator<Item = Value> {
    MEASURED
        .into_iter()
        .map(move |(kind, _)| reference(&table_name(kind, list)))
}

/// The schema of one property's value: what [`definitions`] has for it.
pub(crate) fn property_schema(name: &str, list: bool) -> Value {
    listed(reference(name), list)
}

/// What the schemas of properties refer to, by name; each property stands in several tables.
pub(crate) fn definitions() -> Map<String, Value> {
    let of_librdkafka = [
        Clients::Measured(ClientKind::Librdkafka),
        Clients::Load,
        Clients::Filling,
        Clients::All,
    ];
    let measured = MEASURED.map(|(kind, _)| Clients::Measured(kind));
    let mut definitions = Map::new();
    for clients in of_librdkafka.into_iter().chain(measured) {
        for name in names(clients) {
            let of_kind = definition_name(clients, name);
            definitions
                .entry(of_kind)
                .or_insert_with(|| definition(clients.kind(), name));
        }
    }
    for (kind, _) in MEASURED {
        for list in [false, true] {
            let table = table_schema(Clients::Measured(kind), list);
            definitions.insert(table_name(kind, list), table);
        }
    }
    definitions.insert(OUTSIDE.to_owned(), from_outside());
    definitions
}

fn table_name(kind: ClientKind, list: bool) -> String {
    let name = MEASURED
        .iter()
        .find(|(known, _)| *known == kind)
        .map_or("", |(_, name)| name);
    let end = if list { " values" } else { "" };
    format!("{name} properties{end}")
}

/// A property of another client has a definition of its own where it takes other values than librdkafka's of that name.
fn definition_name(clients: Clients, name: &str) -> String {
    let kind = clients.kind();
    let values = |kind: ClientKind| kind.property(name).map(|property| property.values);
    if values(ClientKind::Librdkafka).is_none_or(|known| Some(known) == values(kind)) {
        return name.to_owned();
    }
    let whose = MEASURED
        .iter()
        .find(|(known, _)| *known == kind)
        .map_or("", |(_, whose)| whose);
    format!("{whose} {name}")
}

fn listed(value: Value, list: bool) -> Value {
    if list {
        json!({ "type": "array", "minItems": 1, "items": value })
    } else {
        value
    }
}

/// The name of the definition of a value that does not stand in the scenario.
const OUTSIDE: &str = "outside";

fn reference(definition: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{}", definition.replace(' ', "%20")) })
}

fn definition(kind: ClientKind, name: &str) -> Value {
    if is_secret(name) {
        return reference(OUTSIDE);
    }
    let values = kind.property(name).map_or(Values::Text, |property| property.values);
    let kinds = [Some(values.schema()), in_capitals(values), Some(reference(OUTSIDE))];
    json!({ "anyOf": kinds.into_iter().flatten().collect::<Vec<_>>() })
}

/// The library takes its own names in capitals too.
fn in_capitals(values: Values) -> Option<Value> {
    let names: Vec<String> = match values {
        Values::OneOf(names) => names.iter().map(|name| name.to_uppercase()).collect(),
        Values::Boolean => ["true", "false", "True", "False", "TRUE", "FALSE"]
            .map(str::to_owned)
            .to_vec(),
        _ => return None,
    };
    Some(json!({ "enum": names }))
}

/// A value that does not stand in the scenario: `{ env = "NAME" }` or `{ file = "PATH" }`.
fn from_outside() -> Value {
    json!({ "anyOf": [
        {
            "type": "object",
            "description": "The value of an environment variable; a secret comes so or from a file.",
            "properties": { "env": { "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" } },
            "required": ["env"], "additionalProperties": false
        },
        {
            "type": "object", "description": "The contents of a file, without the line's end after them.",
            "properties": { "file": { "type": "string", "minLength": 1 } },
            "required": ["file"], "additionalProperties": false
        }
    ] })
}
