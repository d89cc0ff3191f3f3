//! The databases in which records end: how a PostgreSQL is reached by its address, what its errors mean, what is said to it
//! in SQL, and one that a run starts for itself. Knows neither trials nor workers.

mod address;
mod connection;
mod error;
mod local;
mod sessions;
mod sql;
pub mod tables;

pub use address::{Address, AddressError};
pub use connection::{ANSWER_LIMIT, Connection, answered};
pub use error::DatabaseError;
pub use local::{PrivateError, PrivateOptions, PrivatePostgres, Programs};
pub use sessions::{Sessions, SessionsView};
pub use sql::{COLUMNS, copy, insert, insert_all_of, quoted, upsert, upsert_all_of};
