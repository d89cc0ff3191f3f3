//! The kind of value that says how many producers a load has, and where.

use serde_json::{Value, json};

use super::basic::Count;
use super::kind::{Kind, Refusal};
use crate::scenario::document::Node;
use crate::scenario::model::Producers;

/// Producers that one load may have.
type Number = Count<1, 64>;

const BESIDE: &str = "beside";

impl Kind for Producers {
    type Value = Producers;

    fn allowed() -> String {
        format!("{}, or {BESIDE:?}", Number::allowed())
    }

    fn read(node: &Node<'_>) -> Result<Producers, Refusal> {
        if node.get_ref().as_str() == Some(BESIDE) {
            return Ok(Producers::Beside);
        }
        let refusal = |refusal: Refusal| Refusal {
            allowed: Self::allowed(),
            ..refusal
        };
        Number::read(node).map(Producers::Number).map_err(refusal)
    }

    fn text(producers: &Producers) -> String {
        match producers {
            Producers::Number(number) => Number::text(number),
            Producers::Beside => BESIDE.to_owned(),
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": [Number::schema(), { "enum": [BESIDE] }] })
    }
}
