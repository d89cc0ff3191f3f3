//! Why a run has no database.

use crate::database::{AddressError, DatabaseError, PrivateError};

/// Why the records of a run cannot end in its store.
#[derive(Debug, thiserror::Error)]
pub enum NoDatabase {
    /// The variable with the address is not set.
    #[error(
        "`url` in [store] is the environment variable {variable}, which is not set: set it to \
         postgresql://USER:PASSWORD@HOST:PORT/DATABASE, or leave `url` out for a PostgreSQL that tandem starts"
    )]
    Unset {
        /// Its name.
        variable: String,
    },
    /// It does not hold an address.
    #[error("`url` in [store], the environment variable {variable}: {cause}")]
    Address {
        /// Its name.
        variable: String,
        /// What is wrong.
        cause: AddressError,
    },
    /// Nothing answers there, or it refuses this user.
    #[error(
        "the database at {place} (`url` in [store], the environment variable {variable}) cannot be used: {cause}{}",
        advice(cause)
    )]
    Refused {
        /// The name of the variable.
        variable: String,
        /// Hosts and ports.
        place: String,
        /// What was answered.
        cause: DatabaseError,
    },
    /// The variable holds the address of another one than when a run was killed.
    #[error(
        "the environment variable {variable} holds the address of {now}; with that of {database} the next start of tandem \
         drops them"
    )]
    Another {
        /// Its name.
        variable: String,
        /// The one that the run used.
        database: String,
        /// The one that it names now.
        now: String,
    },
    /// The user may not make a table.
    #[error(
        "the database at {place} (`url` in [store], the environment variable {variable}) lets no table be made: {cause}"
    )]
    NoTable {
        /// The name of the variable.
        variable: String,
        /// Hosts and ports.
        place: String,
        /// What was answered.
        cause: DatabaseError,
    },
    /// It does not allow enough connections.
    #[error(
        "{configuration:?} has {needed} threads that work, each with a connection to the database at {place}, which allows \
         {allowed} in all: raise its max_connections, or lower processes, consumers or threads"
    )]
    Connections {
        /// Hosts and ports.
        place: String,
        /// The configuration.
        configuration: String,
        /// Connections that it needs.
        needed: u32,
        /// Connections that the database allows.
        allowed: u32,
    },
    /// The names of tables would be cut.
    #[error(
        "`prefix = {prefix:?}` in [cluster] makes names of tables such as {name}, which are longer than the {max} bytes of a \
         name in PostgreSQL; shorten it by {}", name.len() - max
    )]
    Prefix {
        /// Of the scenario.
        prefix: String,
        /// Such a name.
        name: String,
        /// The longest name in bytes.
        max: usize,
    },
    /// The private one does not run.
    #[error(transparent)]
    Private(#[from] PrivateError),
    /// The private one does not answer.
    #[error("the PostgreSQL that tandem has started does not answer: {0}")]
    Unanswered(DatabaseError),
}

/// What helps against the commonest refusals.
fn advice(cause: &DatabaseError) -> &'static str {
    match cause.code() {
        Some("28P01" | "28000") => "; check user and password",
        Some("3D000") => "; create it, or name another one",
        None if cause.passes() => "; does it run, and may this machine reach it?",
        Some(_) | None => "",
    }
}
