//! One transaction: its rows as one statement, or as a bulk.

use std::borrow::Cow;
use std::pin::pin;

use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Statement};

use super::super::handler::Record;
use crate::database::{
    Address, Connection, DatabaseError, answered, copy, insert, insert_all_of, upsert, upsert_all_of,
};
use crate::scenario::StoreWrite;

/// The types of the columns of a row.
const TYPES: [Type; 4] = [Type::TEXT, Type::INT4, Type::INT8, Type::BYTEA];

/// A transaction that is not known to be committed.
#[derive(Debug)]
pub(super) struct NotWritten {
    pub(super) error: DatabaseError,
    /// True if its commit was sent and not answered: its rows may be there.
    pub(super) may_be_there: bool,
}

impl NotWritten {
    /// Nothing of it can be there.
    fn at_all(error: DatabaseError) -> Self {
        NotWritten {
            error,
            may_be_there: false,
        }
    }
}

impl From<DatabaseError> for NotWritten {
    fn from(error: DatabaseError) -> Self {
        NotWritten::at_all(error)
    }
}

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

    /// Where its record is.
    pub(super) fn place(&self) -> (&str, i32, i64) {
        (&self.topic, self.partition, self.offset)
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 4] {
        [&self.topic, &self.partition, &self.offset, &self.value]
    }
}

/// A connection with what is prepared on it.
pub(super) struct Session {
    connection: Connection,
    prepared: Prepared,
}

/// What writes rows.
enum Prepared {
    /// A statement of one row, and one of any number.
    Rows {
        one: Statement,
        many: Statement,
    },
    Copy(Statement),
}

impl Session {
    /// Connects and prepares what writes into the table.
    pub(super) async fn open(
        address: &Address,
        application: &str,
        table: &str,
        write: StoreWrite,
    ) -> Result<Self, DatabaseError> {
        let connection = Connection::open(address, application).await?;
        match Prepared::on(&connection.client, table, write).await {
            Ok(prepared) => Ok(Session { connection, prepared }),
            Err(error) => Err(connection.reason(error).await),
        }
    }

    /// Writes the rows in one transaction. After a failure the session is gone, and with it what it had not committed.
    pub(super) async fn write(self, rows: &[Row<'_>]) -> Result<Self, NotWritten> {
        let client = &self.connection.client;
        let mut commit = Commit::default();
        let written = match (&self.prepared, rows) {
            (Prepared::Copy(statement), _) => copy_all(client, statement, rows, &mut commit).await,
            // A statement by itself is a transaction.
            (Prepared::Rows { one, .. }, [row]) => {
                commit.note_sent_by(client);
                let executed = answered(client.execute(one, &row.parameters())).await;
                executed.map(|_| ())
            }
            (Prepared::Rows { many, .. }, rows) => insert_all(client, many, rows, &mut commit).await,
        };
        match written {
            Ok(()) => Ok(self),
            Err(error) => {
                let error = self.connection.reason(error).await;
                Err(NotWritten {
                    may_be_there: commit.was_sent && error.is_unanswered(),
                    error,
                })
            }
        }
    }
}

/// Whether the commit of a transaction has left this process.
#[derive(Default)]
struct Commit {
    was_sent: bool,
}

impl Commit {
    /// The client sends it now, if it still has its connection.
    fn note_sent_by(&mut self, client: &Client) {
        self.was_sent = !client.is_closed();
    }
}

impl Prepared {
    async fn on(client: &Client, table: &str, write: StoreWrite) -> Result<Self, DatabaseError> {
        let (one, many) = match write {
            StoreWrite::Insert => (insert(table), insert_all_of(table)),
            StoreWrite::Upsert => (upsert(table), upsert_all_of(table)),
            StoreWrite::Copy => return Ok(Prepared::Copy(answered(client.prepare(&copy(table))).await?)),
        };
        Ok(Prepared::Rows {
            one: answered(client.prepare(&one)).await?,
            many: answered(client.prepare(&many)).await?,
        })
    }
}

/// `BEGIN` and one statement with all rows, sent without waiting between them, and `COMMIT` when they are answered: what
/// is given up before that is rolled back, although the server has it all.
///
/// A statement for each row would cost the server half as much again, because this client asks it after each to answer
/// at once.
async fn insert_all(
    client: &Client,
    statement: &Statement,
    rows: &[Row<'_>],
    commit: &mut Commit,
) -> Result<(), DatabaseError> {
    let topics: Vec<&str> = rows.iter().map(|row| &*row.topic).collect();
    let partitions: Vec<i32> = rows.iter().map(|row| row.partition).collect();
    let offsets: Vec<i64> = rows.iter().map(|row| row.offset).collect();
    let values: Vec<&[u8]> = rows.iter().map(|row| row.value).collect();
    let parameters: [&(dyn ToSql + Sync); 4] = [&topics, &partitions, &offsets, &values];
    answered(async {
        // Requests are sent in the order in which they are polled first.
        let (begun, inserted) = tokio::join!(
            biased;
            client.batch_execute("BEGIN"),
            client.execute(statement, &parameters),
        );
        begun.and(inserted)
    })
    .await?;
    commit.note_sent_by(client);
    answered(client.batch_execute("COMMIT")).await
}

/// `BEGIN`, one `COPY` with all rows, and `COMMIT` when it is answered. The answer to a `COPY` by itself comes before its
/// commit, and this client does not wait for what follows.
async fn copy_all(
    client: &Client,
    statement: &Statement,
    rows: &[Row<'_>],
    commit: &mut Commit,
) -> Result<(), DatabaseError> {
    let sink = answered(async {
        let (begun, sink) = tokio::join!(biased; client.batch_execute("BEGIN"), client.copy_in(statement));
        begun.and(sink)
    })
    .await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &TYPES));
    for row in rows {
        answered(writer.as_mut().write(&row.parameters())).await?;
    }
    answered(writer.finish()).await?;
    commit.note_sent_by(client);
    answered(client.batch_execute("COMMIT")).await
}
