//! A value that only the environment holds: the name of its variable.

use serde_json::{Value, json};

use super::kind::{Kind, Refusal};
use crate::scenario::client::is_variable_name;
use crate::scenario::document::Node;
use crate::scenario::model::Variable;

/// `{ env = "NAME" }`.
pub(crate) enum FromEnvironment {}

impl Kind for FromEnvironment {
    type Value = Variable;

    fn allowed() -> String {
        "{ env = \"NAME\" }, the name of the environment variable that holds it".to_owned()
    }

    fn read(node: &Node<'_>) -> Result<Variable, Refusal> {
        let table = node.get_ref().as_table().filter(|table| table.len() == 1);
        let env = table.and_then(|table| table.get("env")?.get_ref().as_str());
        let env = env.filter(|env| is_variable_name(env)).map(str::to_owned);
        // What stands there instead may have a password in it.
        env.map(|env| Variable { env })
            .ok_or_else(|| Refusal::of::<Self>().hiding())
    }

    fn text(value: &Variable) -> String {
        value.to_string()
    }

    fn schema() -> Value {
        let name = json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" });
        json!({ "type": "object", "properties": { "env": name }, "required": ["env"], "additionalProperties": false })
    }
}
