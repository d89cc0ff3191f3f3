//! One transaction: its rows as statements that are sent without waiting between them, or as a bulk.

use std::borrow::Cow;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Statement};

use super::super::handler::Record;
use crate::database::{Address, Connection, DatabaseError, answered, copy, insert, upsert};
use crate::scenario::StoreWrite;

/// The types of the columns of a row.
const TYPES: [Type; 4] = [Type::TEXT, Type::INT4, Type::INT8, Type::BYTEA];

/// A row of the table.
pub(super) struct Row<'r> {
    topic: Cow<'r, str>,
    partition: i32,
    offset: i64,
    value: &'r [u8],
}

impl<'r> Row<'r> {
    /// The row of a record.
    pub(super) fn of(record: &'r impl Record) -> Self {
        Row {
            topic: record.topic(),
            partition: record.partition(),
            offset: record.offset(),
            value: record.value(),
        }
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 4] {
        [&self.topic, &self.partition, &self.offset, &self.value]
    }
}

/// A connection with what is prepared on it.
pub(super) struct Session {
    connection: Connection,
    statement: Statement,
    write: StoreWrite,
}

impl Session {
    /// Connects and prepares the statement that writes into the table.
    pub(super) async fn open(
        address: &Address,
        application: &str,
        table: &str,
        write: StoreWrite,
    ) -> Result<Self, DatabaseError> {
        let connection = Connection::open(address, application).await?;
        let prepared = match write {
            StoreWrite::Insert => answered(connection.client.prepare(&insert(table))).await,
            StoreWrite::Upsert => answered(connection.client.prepare(&upsert(table))).await,
            StoreWrite::Copy => answered(connection.client.prepare(&copy(table))).await,
        };
        match prepared {
            Ok(statement) => Ok(Session {
                connection,
                statement,
                write,
            }),
            Err(error) => Err(connection.reason(error).await),
        }
    }

    /// Writes the rows in one transaction. After a failure the session is gone, and with it what it had not committed.
    pub(super) async fn write(self, rows: &[Row<'_>]) -> Result<Self, DatabaseError> {
        let client = &self.connection.client;
        let written = match (self.write, rows) {
            (StoreWrite::Copy, _) => copy_all(client, &self.statement, rows).await,
            // A statement by itself is a transaction.
            (StoreWrite::Insert | StoreWrite::Upsert, [row]) => {
                answered(client.execute(&self.statement, &row.parameters()))
                    .await
                    .map(|_| ())
            }
            (StoreWrite::Insert | StoreWrite::Upsert, rows) => execute_all(client, &self.statement, rows).await,
        };
        match written {
            Ok(()) => Ok(self),
            Err(error) => Err(self.connection.reason(error).await),
        }
    }
}

/// `BEGIN` and a statement for each row, sent without waiting between them, and `COMMIT` when all are answered: what is
/// given up before that is rolled back, although the server has it all.
async fn execute_all(client: &Client, statement: &Statement, rows: &[Row<'_>]) -> Result<(), DatabaseError> {
    let parameters: Vec<[&(dyn ToSql + Sync); 4]> = rows.iter().map(Row::parameters).collect();
    let begin = Sent::request(client.batch_execute("BEGIN")).await?;
    let mut rows_sent = Vec::with_capacity(parameters.len());
    for parameters in &parameters {
        rows_sent.push(Sent::request(client.execute(statement, parameters)).await?);
    }
    begin.answer().await?;
    for row in rows_sent {
        row.answer().await?;
    }
    answered(client.batch_execute("COMMIT")).await
}

/// A request that was sent.
enum Sent<'a, T> {
    Waiting(Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>),
    Answered(T),
}

impl<'a, T> Sent<'a, T> {
    /// Sends a request without waiting for its answer: it is sent when it is first polled. One that fails at once was
    /// not sent.
    async fn request(request: impl Future<Output = Result<T, Error>> + Send + 'a) -> Result<Self, DatabaseError> {
        let mut request = Box::pin(request);
        let polled = poll_fn(|context| Poll::Ready(request.as_mut().poll(context))).await;
        Ok(match polled {
            Poll::Pending => Sent::Waiting(request),
            Poll::Ready(answer) => Sent::Answered(answer?),
        })
    }

    async fn answer(self) -> Result<T, DatabaseError> {
        match self {
            Sent::Waiting(request) => answered(request).await,
            Sent::Answered(answer) => Ok(answer),
        }
    }
}

/// One `COPY` with all rows, which is a transaction.
async fn copy_all(client: &Client, statement: &Statement, rows: &[Row<'_>]) -> Result<(), DatabaseError> {
    let sink = answered(client.copy_in(statement)).await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &TYPES));
    for row in rows {
        answered(writer.as_mut().write(&row.parameters())).await?;
    }
    answered(writer.finish()).await?;
    Ok(())
}
