//! How a PostgreSQL is reached by its address, what its errors mean, and what is said to it in SQL. Knows neither trials
//! nor workers.

mod address;
mod connection;
mod error;
mod sessions;
mod sql;

pub use address::{Address, AddressError};
pub use connection::{ANSWER_LIMIT, Connection, answered};
pub use error::DatabaseError;
pub use sessions::{Sessions, SessionsView};
pub use sql::{COLUMNS, copy, insert, quoted, upsert};
