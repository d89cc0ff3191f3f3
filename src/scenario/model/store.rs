//! The store in which records end: which kind it is, how rows are written, and what is done when it fails.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::scenario::choice::Choice;

/// The store of a scenario: each trial writes its records there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreSpec {
    /// What it is.
    pub kind: StoreKind,
    /// How a row gets there.
    pub write: StoreWrite,
    /// Where it is; `None` for one that tandem starts for the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Variable>,
    /// What a worker does when the store fails.
    pub on_error: StoreErrors,
}

/// The environment variable that holds a value; only its name is ever stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub env: String,
}

/// What a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreKind {
    /// PostgreSQL.
    Postgres,
}

/// How a row gets into the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreWrite {
    /// It is added: a record that is read again makes a second row.
    #[default]
    Insert,
    /// It is added, or takes the place of the row of the same topic, partition and offset.
    Upsert,
    /// It is added in bulk, by `COPY`.
    Copy,
}

/// What a worker does when the store fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreErrors {
    /// It ends with the error, and the trial fails.
    #[default]
    Fail,
    /// It writes the same rows again until that works, if the error may pass.
    Retry,
}

impl StoreKind {
    /// The ways of writing that it has.
    pub fn writes(self) -> &'static [StoreWrite] {
        match self {
            StoreKind::Postgres => &[StoreWrite::Insert, StoreWrite::Upsert, StoreWrite::Copy],
        }
    }
}

impl Choice for StoreKind {
    const ALL: &'static [(&'static str, Self)] = &[("postgres", StoreKind::Postgres)];
}

impl Choice for StoreWrite {
    const ALL: &'static [(&'static str, Self)] = &[
        ("insert", StoreWrite::Insert),
        ("upsert", StoreWrite::Upsert),
        ("copy", StoreWrite::Copy),
    ];
}

impl Choice for StoreErrors {
    const ALL: &'static [(&'static str, Self)] = &[("fail", StoreErrors::Fail), ("retry", StoreErrors::Retry)];
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for StoreWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for StoreErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// As it stands in names: only where the value comes from.
impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}", self.env)
    }
}
