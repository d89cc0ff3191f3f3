//! How many blocks a run has.

use serde_json::{Value, json};

use super::basic::Count;
use super::kind::{Kind, Refusal};
use crate::scenario::document::{Entry, Node, entries};
use crate::scenario::model::{ALLOWED_UNTIL, AT_MOST, FIRST_LOOK_MIN, Repetitions, Until};
use crate::scenario::suggest::did_you_mean_value;

/// Blocks of a run whose number is fixed beforehand.
type Blocks = Count<1, 10_000>;

/// Blocks after which a run ends undecided; fewer than the first look takes could decide nothing.
type AtMost = Count<{ FIRST_LOOK_MIN as i64 }, 1_000>;

impl Kind for Repetitions {
    type Value = Repetitions;

    fn allowed() -> String {
        format!(
            "{}, or {{ until = \"decided\", at_most = {AT_MOST} }}",
            Blocks::allowed()
        )
    }

    fn read(node: &Node<'_>) -> Result<Repetitions, Refusal> {
        let Some(table) = node.get_ref().as_table() else {
            let blocks = Blocks::read(node).map_err(|refusal| Refusal {
                allowed: Self::allowed(),
                ..refusal
            })?;
            return Ok(Repetitions::Fixed(blocks));
        };
        let (mut until, mut at_most) = (None, AT_MOST);
        for entry in entries(table) {
            match entry.key {
                "until" => until = Some(read_until(&entry)?),
                "at_most" => at_most = at(&entry, AtMost::read(entry.value))?,
                unknown => {
                    let help = did_you_mean_value(unknown, ["until", "at_most"]);
                    let refusal = Refusal::new("a table of `until` and `at_most`").help(help);
                    return Err(Refusal {
                        span: Some(entry.key_span),
                        ..refusal
                    });
                }
            }
        }
        let none = || Refusal::new(format!("a table with `until`: {ALLOWED_UNTIL}"));
        let until = until.ok_or_else(none)?;
        Ok(Repetitions::until_holds(until, at_most))
    }

    fn text(repetitions: &Repetitions) -> String {
        repetitions.to_string()
    }

    fn schema() -> Value {
        json!({ "anyOf": [Blocks::schema(), {
            "type": "object",
            "properties": {
                "until": { "type": "string", "pattern": "^(decided|[0-9]{1,2}(\\.[0-9]{1,6})?%)$" },
                "at_most": AtMost::schema(),
            },
            "required": ["until"],
            "additionalProperties": false,
        }] })
    }
}

fn read_until(entry: &Entry<'_>) -> Result<Until, Refusal> {
    let text = entry.value.get_ref().as_str();
    let help = || text.and_then(|text| did_you_mean_value(text, ["decided"]));
    let read = text.and_then(|text| text.parse().ok());
    at(entry, read.ok_or_else(|| Refusal::new(ALLOWED_UNTIL).help(help())))
}

/// A refusal of a part of the table, at its own place and with its own name.
fn at<T>(entry: &Entry<'_>, read: Result<T, Refusal>) -> Result<T, Refusal> {
    read.map_err(|refusal| Refusal {
        span: refusal.span.or_else(|| Some(entry.value.span())),
        allowed: format!("a table whose `{}` is {}", entry.key, refusal.allowed),
        ..refusal
    })
}
