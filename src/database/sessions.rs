//! What the sessions of some clients do, as the server says it.

use tokio_postgres::Statement;

use super::address::Address;
use super::connection::{Connection, answered};
use super::error::DatabaseError;

const SESSIONS: &str = "SELECT coalesce(state, ''), wait_event_type || ':' || wait_event, count(*) FROM pg_stat_activity \
                        WHERE starts_with(application_name, $1) GROUP BY 1, 2";

/// The most of an application's name that a server keeps.
const NAME_MAX: usize = 63;

/// Sessions in one state with one wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sessions {
    /// As the server names it, such as `idle in transaction`; empty where it does not say.
    pub state: String,
    /// Type and name of what they wait for, such as `IO:WALSync`.
    pub wait: Option<String>,
    /// How many.
    pub number: u64,
}

/// A connection that asks for sessions.
#[derive(Debug)]
pub struct SessionsView {
    connection: Connection,
    statement: Statement,
}

impl SessionsView {
    /// Connects under the name of this application.
    pub async fn open(address: &Address, application: &str) -> Result<Self, DatabaseError> {
        let connection = Connection::open(address, application).await?;
        let statement = answered(connection.client.prepare(SESSIONS)).await?;
        Ok(SessionsView { connection, statement })
    }

    /// The sessions of applications whose names begin so.
    pub async fn of(&self, applications: &str) -> Result<Vec<Sessions>, DatabaseError> {
        let begin = applications.get(..NAME_MAX).unwrap_or(applications);
        let rows = answered(self.connection.client.query(&self.statement, &[&begin])).await?;
        let sessions = rows.iter().map(|row| {
            Ok(Sessions {
                state: row.try_get(0)?,
                wait: row.try_get(1)?,
                number: row.try_get::<_, i64>(2)?.unsigned_abs(),
            })
        });
        Ok(sessions.collect::<Result<_, tokio_postgres::Error>>()?)
    }
}
