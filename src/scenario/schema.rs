//! The JSON Schema of scenario files, for editors and other programs: made from the same list of keys and the same
//! kinds of value as the parser.

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::client::{self, Clients};
use super::keys::{KEYS, Key, Table};

/// The JSON Schema (draft 2020-12) of a scenario file.
pub fn json_schema() -> Value {
    let mut generator = SchemaGenerator::default();
    let mut schema = object(&mut generator, Table::Top);
    let tables = [
        (Table::Trial, "How long a trial is."),
        (Table::Cluster, "The brokers to run against."),
        (Table::Dataset, "What the topics are filled with."),
        (
            Table::Consumer,
            "How records are read, where neither matrix nor case says otherwise.",
        ),
        (
            Table::Matrix,
            "Keys with lists of values: every combination with every case is a configuration.",
        ),
    ];
    for (table, description) in tables {
        let mut inner = object(&mut generator, table);
        inner["description"] = description.into();
        schema["properties"][table.header().trim_matches(['[', ']'])] = inner;
    }
    for (table, description) in [
        (Table::Place, "Somewhere that worker processes can be started."),
        (Table::Case, "A named arrangement of consumers."),
    ] {
        let items = object(&mut generator, table);
        schema["properties"][table.header().trim_matches(['[', ']'])] =
            json!({ "type": "array", "description": description, "items": items });
    }
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "tandem scenario".into();
    schema["properties"]["trial"]["maxProperties"] = 1.into();
    let local = json!({ "anyOf": [{ "required": ["brokers"] }, { "required": ["version"] }] });
    schema["properties"]["cluster"]["not"] = json!({ "required": ["bootstrap"], "allOf": [local] });
    schema
}

/// A table with its keys.
fn object(generator: &mut SchemaGenerator, table: Table) -> Value {
    let keys: Vec<&Key> = KEYS.iter().filter(|key| key.tables.contains(&table)).collect();
    let mut properties = Map::new();
    for key in &keys {
        let value = key.schema(generator).to_value();
        let mut value = match table {
            Table::Matrix => json!({ "type": "array", "minItems": 1, "uniqueItems": true, "items": value }),
            _ => value,
        };
        if key.name == "client" {
            let properties = client::table_schema(generator, Clients::Measured, table == Table::Matrix).to_value();
            value = json!({ "anyOf": [value, properties] });
        }
        value["description"] = key.doc.into();
        properties.insert(key.name.to_owned(), value);
    }
    if table == Table::Cluster {
        let mut client = client::table_schema(generator, Clients::All, false).to_value();
        client["description"] = "Client properties of every client of the run.".into();
        properties.insert("client".to_owned(), client);
    }
    let required: Vec<&str> = keys
        .iter()
        .filter(|key| key.default.is_empty())
        .map(|key| key.name)
        .collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}
