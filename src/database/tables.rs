//! The tables of groups: made, counted, dropped, and found again by their names. Each is one statement of the coordinator's
//! own connection.

use std::time::Duration;

use tokio::time::timeout;

use super::connection::{Connection, answered};
use super::error::DatabaseError;
use super::sql;

/// How long rows may take to be counted.
const COUNT_LIMIT: Duration = Duration::from_secs(600);

/// How often the sessions of programs that have ended are looked for.
const SESSIONS_PAUSE: Duration = Duration::from_millis(20);

/// Longer names are cut by PostgreSQL.
pub const NAME_BYTES_MAX: usize = 63;

/// Consecutive offsets of a partition that have equally many rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedRun {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// First offset.
    pub first: i64,
    /// One past the last.
    pub end: i64,
    /// Rows of each.
    pub copies: u64,
    /// Bytes of the values of all these rows.
    pub bytes: u64,
}

/// Whether two rows of a table may be of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// A record may have several.
    Any,
    /// A record has one, which the next one replaces.
    OnePerRecord,
}

/// Makes a table. One that has the name already is an error.
pub async fn create(connection: &Connection, table: &str, rows: Rows) -> Result<(), DatabaseError> {
    answered(
        connection
            .client
            .batch_execute(&sql::create(table, rows == Rows::OnePerRecord)),
    )
    .await
}

/// Fails as making a table would, and makes none.
pub async fn try_create(connection: &Connection, table: &str) -> Result<(), DatabaseError> {
    let statements = format!("BEGIN; {}; ROLLBACK", sql::create(table, false));
    answered(connection.client.batch_execute(&statements)).await
}

/// Drops a table, if it is there.
pub async fn drop(connection: &Connection, table: &str) -> Result<(), DatabaseError> {
    answered(
        connection
            .client
            .batch_execute(&format!("DROP TABLE IF EXISTS {table}")),
    )
    .await
}

/// The rows of a table as runs of offsets, which do not overlap in a partition unless they have several rows.
pub async fn count(connection: &Connection, table: &str) -> Result<Vec<CountedRun>, DatabaseError> {
    let statement = sql::runs(table);
    let counting = connection.client.query(&statement, &[]);
    let rows = timeout(COUNT_LIMIT, counting)
        .await
        .map_err(|_| DatabaseError::silence(COUNT_LIMIT))??;
    let run = |row: &tokio_postgres::Row| -> Result<CountedRun, tokio_postgres::Error> {
        Ok(CountedRun {
            topic: row.try_get(0)?,
            partition: row.try_get(1)?,
            copies: row.try_get::<_, i64>(2)?.unsigned_abs(),
            first: row.try_get(3)?,
            end: row.try_get(4)?,
            bytes: row.try_get::<_, i64>(5)?.unsigned_abs(),
        })
    };
    Ok(rows.iter().map(run).collect::<Result<_, _>>()?)
}

/// Waits until no session of applications whose names start so is left: a server may still carry out what a killed client
/// has asked for, and what it writes then would not be counted. Sessions that stay for longer than the limit are an error.
pub async fn wait_for_sessions(connection: &Connection, prefix: &str, limit: Duration) -> Result<(), DatabaseError> {
    let deadline = tokio::time::Instant::now() + limit;
    loop {
        let row = answered(connection.client.query_one(sql::SESSIONS, &[&prefix])).await?;
        let count: i64 = row.try_get(0)?;
        if count == 0 {
            return Ok(());
        }
        if tokio::time::Instant::now() > deadline {
            return Err(DatabaseError::permanent(format!(
                "sessions of its members are still there after {} s and may write more rows: {count}",
                limit.as_secs()
            )));
        }
        tokio::time::sleep(SESSIONS_PAUSE).await;
    }
}

/// The names of tables that start so, not quoted.
pub async fn named(connection: &Connection, prefix: &str) -> Result<Vec<String>, DatabaseError> {
    let rows = answered(connection.client.query(sql::TABLES, &[&prefix])).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// The version of the server, its settings that differ from PostgreSQL's defaults among those that decide what writing
/// costs, and the connections that it allows.
pub async fn server(connection: &Connection) -> Result<ServerFacts, DatabaseError> {
    let rows = answered(connection.client.query(sql::SETTINGS, &[])).await?;
    let mut facts = ServerFacts::default();
    for row in rows {
        let (name, value, default): (String, String, Option<String>) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        match name.as_str() {
            "server_version" => {
                value
                    .split_whitespace()
                    .next()
                    .unwrap_or_default()
                    .clone_into(&mut facts.version);
            }
            "superuser_reserved_connections" => {
                facts.connections = facts.connections.saturating_sub(value.parse().unwrap_or(0));
            }
            "max_connections" => facts.connections = facts.connections.saturating_add(value.parse().unwrap_or(0)),
            _ if default.as_ref() != Some(&value) => facts.settings.push((name, value)),
            _ => {}
        }
    }
    Ok(facts)
}

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerFacts {
    /// Such as `15.13`.
    pub version: String,
    /// Connections for users without rights of their own.
    pub connections: u32,
    /// Names and values.
    pub settings: Vec<(String, String)>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::runtime::Builder;

    use super::*;
    use crate::database::{Address, quoted};
    use crate::secret::Secret;
    use crate::testing::shared_postgres;

    /// Runs a test with a connection to the tests' own server.
    fn connected(test: impl AsyncFnOnce(Connection)) {
        let address = Address::parse(&Secret::new(shared_postgres().url())).unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { test(Connection::open(&address, "tables-test").await.unwrap()).await });
    }

    const LIMIT: Duration = Duration::from_secs(5);

    async fn fill(connection: &Connection, table: &str, partition: i32, offsets: &str) {
        let select =
            format!("SELECT 'orders', {partition}, o, convert_to(o::text, 'UTF8') FROM ({offsets}) AS offsets (o)");
        connection
            .client
            .batch_execute(&format!("INSERT INTO {table} {select}"))
            .await
            .unwrap();
    }

    #[test]
    fn rows_are_counted_as_runs_of_offsets_with_equally_many_rows() {
        connected(async |connection| {
            let table = quoted("tables-runs");
            create(&connection, &table, Rows::Any).await.unwrap();
            fill(&connection, &table, 0, "SELECT generate_series(0, 9)").await;
            fill(&connection, &table, 0, "SELECT generate_series(4, 5)").await;
            fill(&connection, &table, 1, "VALUES (7), (9), (8), (20)").await;
            let counted = count(&connection, &table).await.unwrap();
            let runs: Vec<_> = counted
                .iter()
                .map(|run| (run.partition, run.first, run.end, run.copies, run.bytes))
                .collect();
            assert_eq!(
                runs,
                [
                    (0, 0, 4, 1, 4),
                    (0, 4, 6, 2, 4),
                    (0, 6, 10, 1, 4),
                    (1, 7, 10, 1, 3),
                    (1, 20, 21, 1, 2)
                ]
            );
            drop(&connection, &table).await.unwrap();
            drop(&connection, &table).await.unwrap();
        });
    }

    #[test]
    fn a_table_that_is_there_is_an_error_and_stays() {
        connected(async |connection| {
            let table = quoted("tables-there");
            create(&connection, &table, Rows::OnePerRecord).await.unwrap();
            fill(&connection, &table, 0, "VALUES (1)").await;
            let again = create(&connection, &table, Rows::Any).await.unwrap_err();
            assert_eq!(again.code(), Some("42P07"), "{again}");
            assert_eq!(count(&connection, &table).await.unwrap().len(), 1);
            drop(&connection, &table).await.unwrap();
        });
    }

    #[test]
    fn trying_makes_no_table_and_names_are_found_by_their_start() {
        connected(async |connection| {
            for name in ["tables_%named-1", "tables_%named-2", "tables__named-3"] {
                create(&connection, &quoted(name), Rows::Any).await.unwrap();
            }
            try_create(&connection, &quoted("tables_%named-9")).await.unwrap();
            assert_eq!(
                named(&connection, "tables_%named-").await.unwrap(),
                ["tables_%named-1", "tables_%named-2"]
            );
            for name in ["tables_%named-1", "tables_%named-2", "tables__named-3"] {
                drop(&connection, &quoted(name)).await.unwrap();
            }
        });
    }

    #[test]
    fn sessions_of_others_are_waited_for() {
        connected(async |connection| {
            let wait = |limit| wait_for_sessions(&connection, "tables-session-", limit);
            wait(LIMIT).await.unwrap();
            let address = Address::parse(&Secret::new(shared_postgres().url())).unwrap();
            let other = Connection::open(&address, "tables-session-1").await.unwrap();
            let ending = async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                std::mem::drop(other);
            };
            let (ended, ()) = tokio::join!(wait(LIMIT), ending);
            ended.unwrap();
        });
    }

    #[test]
    fn sessions_that_stay_refuse_the_count_by_their_number() {
        connected(async |connection| {
            let address = Address::parse(&Secret::new(shared_postgres().url())).unwrap();
            let _stays = Connection::open(&address, "tables-stays-1").await.unwrap();
            let refused = wait_for_sessions(&connection, "tables-stays-", Duration::ZERO).await;
            assert_eq!(
                refused.unwrap_err().to_string(),
                "sessions of its members are still there after 0 s and may write more rows: 1"
            );
        });
    }

    #[test]
    fn a_server_reports_its_version_and_what_differs_from_the_defaults() {
        connected(async |connection| {
            let facts = server(&connection).await.unwrap();
            assert!(
                facts.version.split('.').next().unwrap().parse::<u32>().unwrap() >= 10,
                "{facts:?}"
            );
            assert_eq!(facts.connections, 97);
            assert!(
                facts.settings.contains(&("fsync".to_owned(), "off".to_owned())),
                "{facts:?}"
            );
        });
    }
}
