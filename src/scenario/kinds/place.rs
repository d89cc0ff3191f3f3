//! The kind of value that says where worker processes run.

use serde_json::{Value, json};
use toml::de::DeValue;

use super::basic::Line;
use super::kind::{Kind, Refusal};
use crate::scenario::document::Node;

/// Names of places over which the processes of a group are spread in turn.
pub(crate) enum PlaceNames {}

impl Kind for PlaceNames {
    type Value = Vec<String>;

    fn allowed() -> String {
        "the name of a place, or a list of names, such as [\"here\", \"other\"]".to_owned()
    }

    fn read(node: &Node<'_>) -> Result<Vec<String>, Refusal> {
        let items = match node.get_ref() {
            DeValue::Array(list) if list.is_empty() => {
                let help = "name one place or more in the brackets, or leave `place` out".to_owned();
                return Err(Refusal::of::<Self>().help(Some(help)));
            }
            DeValue::Array(list) => list.iter().collect(),
            _ => vec![node],
        };
        let name = |item: &Node<'_>| Line::read(item).map_err(|_| Refusal::of::<Self>().at(item));
        items.into_iter().map(name).collect()
    }

    fn text(names: &Vec<String>) -> String {
        names.join("+")
    }

    fn schema() -> Value {
        let name = Line::schema();
        json!({ "anyOf": [name, { "type": "array", "minItems": 1, "items": name }] })
    }
}
