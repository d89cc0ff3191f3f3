//! Writes records to the store of the trial: a connection for each thread, and a transaction for the records of a call.

mod counts;
mod write;

use std::num::NonZeroUsize;

use tokio::runtime::{Builder, Runtime};

use self::write::{NotWritten, Row, Session};
use super::handler::{Failure, Handler, Record};
use crate::database::{Address, DatabaseError};
use crate::protocol::StoreOrder;
use crate::scenario::{StoreErrors, StoreWrite};

pub use self::counts::{StoreCounts, UnansweredRun};

/// The work of one thread. Whatever fails, the connection is given up: what the server makes of it is rolled back, and
/// the next try opens another one.
pub(super) struct Store {
    order: Order,
    /// Serves the connection while the thread waits for the store, and only then.
    runtime: Runtime,
    session: Option<Session>,
    counts: StoreCounts,
}

/// What a thread is to do, read from the order of its worker.
struct Order {
    address: Address,
    /// By which the store knows the connection.
    application: String,
    table: String,
    write: StoreWrite,
    rows: NonZeroUsize,
    on_error: StoreErrors,
}

impl Store {
    /// Connects. The counts are those of a member, for all of its threads.
    pub(super) fn open(order: &StoreOrder, application: &str, counts: &StoreCounts) -> Result<Self, String> {
        let rows = usize::try_from(order.rows).ok().and_then(NonZeroUsize::new);
        let order = Order {
            address: Address::parse(&order.url).map_err(|error| error.to_string())?,
            application: application.to_owned(),
            table: order.table.clone(),
            write: order.write,
            rows: rows.ok_or("a transaction must have at least one row")?,
            on_error: order.on_error,
        };
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("cannot make a runtime: {error}"))?;
        let session = runtime.block_on(order.connect()).map_err(|error| error.to_string())?;
        Ok(Store {
            order,
            runtime,
            session: Some(session),
            counts: counts.clone(),
        })
    }

    fn failure(&self, error: &DatabaseError) -> Failure {
        match self.order.on_error {
            StoreErrors::Retry if error.passes() => {
                self.counts.retried();
                Failure::Passing(error.to_string())
            }
            StoreErrors::Retry | StoreErrors::Fail => Failure::Permanent(error.to_string()),
        }
    }
}

impl Order {
    async fn connect(&self) -> Result<Session, DatabaseError> {
        Session::open(&self.address, &self.application, &self.table, self.write).await
    }

    /// Writes the rows by the open session or a new one, which is given back where it did.
    async fn store(&self, open: Option<Session>, rows: &[Row<'_>]) -> Result<Session, NotWritten> {
        let session = match open {
            Some(session) => session,
            None => self.connect().await?,
        };
        session.write(rows).await
    }
}

impl Handler for Store {
    fn at_once(&self) -> NonZeroUsize {
        self.order.rows
    }

    fn handle<'r, R: Record + 'r>(&mut self, records: impl Iterator<Item = &'r R>) -> Result<(), Failure> {
        let rows: Vec<Row<'_>> = records.map(Row::of).collect();
        let open = self.session.take();
        match self.runtime.block_on(self.order.store(open, &rows)) {
            Ok(session) => {
                self.session = Some(session);
                self.counts.committed(rows.len() as u64);
                Ok(())
            }
            Err(failed) => {
                if failed.may_be_there {
                    self.counts.unanswered(&rows);
                }
                Err(self.failure(&failed.error))
            }
        }
    }
}

#[cfg(test)]
mod tests;
