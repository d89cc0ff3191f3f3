//! What only observers get and say: a program that speaks no protocol, and what is seen of it from outside.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::measure::TopicPartition;
use crate::secret::Secret;

/// Stands in a command for the path of the file that the observer writes.
pub const PROPERTIES_FILE: &str = "{properties_file}";

/// A program that speaks nothing. An observer starts it at `subscribe` and ends it at `exit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// The program and its arguments.
    pub command: Vec<Secret>,
    /// Variables that it gets beside those of the observer.
    #[serde(default)]
    pub env: BTreeMap<String, Secret>,
    /// Matches the line of its output by which it says that it is ready.
    #[serde(default)]
    pub ready: Option<String>,
    /// What the observer writes into a file of its own, a line `name=value` each, whose path takes the place of
    /// [`PROPERTIES_FILE`] in command and environment; `None` for no file.
    #[serde(default)]
    pub properties: Option<BTreeMap<String, Secret>>,
    /// Start of that file's name, by which the coordinator finds it if the observer cannot remove it.
    #[serde(default)]
    pub file_prefix: String,
    /// True for the one observer of a group that asks for the group's committed offsets.
    pub asks_offsets: bool,
    /// True where its output is to be passed on to standard error.
    #[serde(default)]
    pub log: bool,
}

/// What an observer saw of its program.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProgramResult {
    /// Its process id.
    pub pid: u32,
    /// When it was started.
    pub started_ns: u64,
    /// When it printed the line of [`Program::ready`].
    #[serde(default)]
    pub ready_ns: Option<u64>,
    /// How the committed offsets moved, of the observer that asks for them; in order of time.
    #[serde(default)]
    pub steps: Vec<CommittedStep>,
}

/// A committed offset that moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommittedStep {
    /// Whose.
    #[serde(flatten)]
    pub partition: TopicPartition,
    /// When the question went by which it was seen: it was committed since the one before.
    pub at_ns: u64,
    /// The offset.
    pub offset: i64,
}
