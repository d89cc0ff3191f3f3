//! What a kind of value is. Each kind reads itself from TOML, says in words what it allows, writes itself as text and
//! describes itself in JSON Schema, so that these cannot disagree.

use std::fmt::Debug;
use std::ops::Range;

use serde_json::Value;

use crate::scenario::document::{Node, describe};
use crate::scenario::problem::Problem;

/// A kind of value.
pub(crate) trait Kind {
    /// What is read.
    type Value: Clone + Debug + 'static;

    /// What is allowed, in words that follow "must be".
    fn allowed() -> String;

    /// Reads the value, or says why it is refused.
    fn read(node: &Node<'_>) -> Result<Self::Value, Refusal>;

    /// The value as it stands in names of configurations: equal for equal values, however they were written.
    fn text(value: &Self::Value) -> String;

    /// The JSON Schema of the value.
    fn schema() -> Value;
}

/// Why a value is refused; the reader of its key makes a problem of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The part of the value at fault; `None` for all of it.
    pub(crate) span: Option<Range<usize>>,
    /// What is allowed.
    pub(crate) allowed: String,
    /// How to fix it.
    pub(crate) help: Option<String>,
    /// Whether the value may be secret, so that no message shows it.
    pub(crate) hides: bool,
}

impl Refusal {
    pub(crate) fn new(allowed: impl Into<String>) -> Self {
        Refusal {
            span: None,
            allowed: allowed.into(),
            help: None,
            hides: false,
        }
    }

    /// Refuses anything that is not of this kind.
    pub(crate) fn of<K: Kind + ?Sized>() -> Self {
        Refusal::new(K::allowed())
    }

    /// Refuses this part of a value.
    pub(crate) fn at(self, node: &Node<'_>) -> Self {
        Refusal {
            span: Some(node.span()),
            ..self
        }
    }

    pub(crate) fn help(self, help: Option<String>) -> Self {
        Refusal { help, ..self }
    }

    /// Keeps the value out of the message.
    pub(crate) fn hiding(self) -> Self {
        Refusal { hides: true, ..self }
    }

    pub(crate) fn problem(self, key: &str, node: &Node<'_>) -> Problem {
        let value = if self.hides {
            "this value".to_owned()
        } else {
            describe(node)
        };
        let message = format!("`{key}` cannot be {value}");
        let span = self.span.unwrap_or_else(|| node.span());
        Problem::new(span, message, format!("must be {}", self.allowed)).maybe_help(self.help)
    }
}
