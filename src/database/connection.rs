//! A connection to a database, served by a task of the runtime that opens it.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::Client;

use super::address::{Address, AddressError};
use super::error::DatabaseError;

/// A database that says nothing for so long does not answer.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// How long the reason of a lost connection may take to come after the loss.
const REASON_LIMIT: Duration = Duration::from_millis(100);

/// A connection to a database.
#[derive(Debug)]
pub struct Connection {
    /// Asks the database.
    pub client: Client,
    /// Serves the connection, and ends with what ended it.
    served: JoinHandle<Result<(), tokio_postgres::Error>>,
}

impl Connection {
    /// Connects under the name of this application. To be called within a tokio runtime, whose tasks then serve the
    /// connection.
    pub async fn open(address: &Address, application: &str) -> Result<Self, DatabaseError> {
        let connector = address.connector()?;
        let mut config = address.config.clone();
        config.application_name(application);
        let (client, connection) = answered(config.connect(connector)).await?;
        Ok(Connection {
            client,
            served: tokio::spawn(connection),
        })
    }

    /// The reason of an error: where the connection is gone, what the server said when it ended it.
    pub async fn reason(self, error: DatabaseError) -> DatabaseError {
        if error.code().is_some() {
            return error;
        }
        match timeout(REASON_LIMIT, self.served).await {
            Ok(Ok(Err(ended))) => ended.into(),
            _ => error,
        }
    }
}

/// The answer of the database, or an error where it takes longer than [`ANSWER_LIMIT`].
pub async fn answered<T>(answer: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, DatabaseError> {
    match timeout(ANSWER_LIMIT, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(DatabaseError::silence(ANSWER_LIMIT)),
    }
}

impl From<AddressError> for DatabaseError {
    fn from(error: AddressError) -> Self {
        DatabaseError::permanent(error.to_string())
    }
}
