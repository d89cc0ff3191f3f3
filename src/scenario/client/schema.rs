//! The JSON Schema of client properties.

use serde_json::{Map, Value, json};

use super::table::{Clients, names};
use super::values::Values;
use crate::clients::ClientKind;
use crate::scenario::secrets::is_secret;

/// The schema of a client table; `list` makes each value a list of values, as in a matrix.
pub(crate) fn table_schema(clients: Clients, list: bool) -> Value {
    let properties: Map<String, Value> = names(clients)
        .map(|name| (name.to_owned(), property_schema(name, list)))
        .collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// The schema of one property's value: what [`definitions`] has for it.
pub(crate) fn property_schema(name: &str, list: bool) -> Value {
    let value = reference(name);
    if list {
        json!({ "type": "array", "minItems": 1, "items": value })
    } else {
        value
    }
}

/// What the schemas of properties refer to, by name; each property stands in several tables.
pub(crate) fn definitions() -> Map<String, Value> {
    let all = [
        Clients::Measured(ClientKind::Librdkafka),
        Clients::Load,
        Clients::Filling,
        Clients::All,
    ];
    let names = all.into_iter().flat_map(names);
    let mut definitions: Map<String, Value> = names.map(|name| (name.to_owned(), definition(name))).collect();
    definitions.insert(OUTSIDE.to_owned(), from_outside());
    definitions
}

/// The name of the definition of a value that does not stand in the scenario.
const OUTSIDE: &str = "outside";

fn reference(definition: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{definition}") })
}

fn definition(name: &str) -> Value {
    if is_secret(name) {
        return reference(OUTSIDE);
    }
    let values = ClientKind::Librdkafka
        .property(name)
        .map_or(Values::Text, |property| property.values);
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
