//! The handler with a real PostgreSQL.
#![allow(clippy::unwrap_used)]

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use super::{Store, StoreCounts, UnansweredRun};
use crate::database::{Address, Connection, quoted};
use crate::measure::StoreUse;
use crate::protocol::{Secret, StoreOrder};
use crate::scenario::{StoreErrors, StoreWrite};
use crate::testing::{Postgres, shared_postgres};
use crate::work::{Failure, Handler, Record};

/// A record of topic `t`.
struct Given {
    partition: i32,
    offset: i64,
    value: Vec<u8>,
}

impl Record for Given {
    fn topic(&self) -> Cow<'_, str> {
        Cow::Borrowed("t")
    }

    fn partition(&self) -> i32 {
        self.partition
    }

    fn offset(&self) -> i64 {
        self.offset
    }

    fn key(&self) -> Option<&[u8]> {
        None
    }

    fn value(&self) -> &[u8] {
        &self.value
    }
}

fn records(offsets: std::ops::Range<i64>) -> Vec<Given> {
    let record = |offset| Given {
        partition: 3,
        offset,
        // A tombstone is among them.
        value: vec![0xff; usize::try_from(offset).unwrap()],
    };
    offsets.map(record).collect()
}

/// Offset and length of the value of each row.
fn rows(offsets: std::ops::Range<i64>) -> Vec<(i64, i32)> {
    offsets.map(|offset| (offset, i32::try_from(offset).unwrap())).collect()
}

/// A table on a server, and what is asked of the server beside the handler.
struct Table<'a> {
    server: &'a Postgres,
    name: String,
    runtime: Runtime,
    connection: Option<Connection>,
}

impl<'a> Table<'a> {
    /// The table of a trial, with a key where rows are replaced.
    fn new(server: &'a Postgres, name: &str, constraint: &str) -> Self {
        let mut table = Table {
            server,
            name: quoted(name),
            runtime: Builder::new_current_thread().enable_all().build().unwrap(),
            connection: None,
        };
        table.connect();
        let name = &table.name;
        table.execute(&format!(
            "CREATE TABLE {name} (topic text NOT NULL, partition integer NOT NULL, \"offset\" bigint NOT NULL, value bytea \
             NOT NULL{constraint})"
        ));
        table
    }

    fn connect(&mut self) {
        let address = Address::parse(&Secret::new(self.server.url())).unwrap();
        let connection = self.runtime.block_on(Connection::open(&address, "test")).unwrap();
        self.connection = Some(connection);
    }

    fn execute(&self, sql: &str) {
        let client = &self.connection.as_ref().unwrap().client;
        self.runtime.block_on(client.batch_execute(sql)).unwrap();
    }

    /// What is in the table, by partition and offset.
    fn rows(&self) -> Vec<(i64, i32)> {
        let client = &self.connection.as_ref().unwrap().client;
        let sql = format!(
            "SELECT topic, partition, \"offset\", length(value), value FROM {} ORDER BY \"offset\"",
            self.name
        );
        let rows = self.runtime.block_on(client.query(&sql, &[])).unwrap();
        let row = |row: &tokio_postgres::Row| {
            assert_eq!((row.get::<_, &str>(0), row.get::<_, i32>(1)), ("t", 3));
            assert!(row.get::<_, &[u8]>(4).iter().all(|byte| *byte == 0xff));
            (row.get(2), row.get(3))
        };
        rows.iter().map(row).collect()
    }

    fn order(&self, write: StoreWrite, rows: u32) -> StoreOrder {
        StoreOrder {
            url: Secret::new(self.server.url()),
            table: self.name.clone(),
            write,
            rows,
            on_error: StoreErrors::Fail,
        }
    }
}

/// Counts, and what is reported as unanswered.
fn counts() -> (StoreCounts, Arc<Mutex<Vec<UnansweredRun>>>) {
    let reported: Arc<Mutex<Vec<UnansweredRun>>> = Arc::default();
    let reporting = Arc::clone(&reported);
    let counts = StoreCounts::reporting(move |runs| reporting.lock().unwrap().extend_from_slice(runs));
    (counts, reported)
}

fn opened(order: &StoreOrder) -> (Store, StoreCounts) {
    let (counts, _) = counts();
    let store = Store::open(order, "trial-g1-p1-c1", &counts);
    (store.unwrap_or_else(|cause| panic!("{cause}")), counts)
}

fn cause(failure: Result<(), Failure>) -> String {
    match failure.unwrap_err() {
        Failure::Permanent(cause) => format!("permanent: {cause}"),
        Failure::Passing(cause) => format!("passing: {cause}"),
    }
}

const KEY: &str = ", PRIMARY KEY (topic, partition, \"offset\")";

#[test]
fn every_record_of_a_call_is_a_row_however_it_is_written() {
    for (write, constraint) in [
        (StoreWrite::Insert, ""),
        (StoreWrite::Upsert, KEY),
        (StoreWrite::Copy, ""),
    ] {
        let table = Table::new(shared_postgres(), &format!("every record {write}"), constraint);
        let (mut store, counts) = opened(&table.order(write, 100));
        assert_eq!(store.at_once(), NonZeroUsize::new(100).unwrap());
        store.handle(records(0..100).iter()).unwrap();
        store.handle(records(100..101).iter()).unwrap();
        assert_eq!(table.rows(), rows(0..101), "{write}");
        let used = StoreUse {
            transactions: 2,
            rows: 101,
            retries: 0,
        };
        assert_eq!(counts.so_far(), used, "{write}");
    }
}

#[test]
fn a_record_that_comes_again_is_a_second_row_of_an_insert_and_none_of_an_upsert() {
    for (write, constraint, times) in [(StoreWrite::Insert, "", 2), (StoreWrite::Upsert, KEY, 1)] {
        for at_once in [1, 7] {
            let table = Table::new(shared_postgres(), &format!("again {write} {at_once}"), constraint);
            let (mut store, _) = opened(&table.order(write, at_once));
            for _ in 0..2 {
                store.handle(records(5..5 + i64::from(at_once)).iter()).unwrap();
            }
            assert_eq!(table.rows().len(), times * at_once as usize, "{write}");
        }
    }
}

#[test]
fn a_transaction_that_fails_leaves_no_row_and_names_the_cause() {
    for write in [StoreWrite::Insert, StoreWrite::Copy] {
        let table = Table::new(shared_postgres(), &format!("fails {write}"), KEY);
        let order = StoreOrder {
            on_error: StoreErrors::Retry,
            ..table.order(write, 100)
        };
        let (mut store, counts) = opened(&order);
        store.handle(records(50..51).iter()).unwrap();
        // A row that is there already never goes away by itself.
        let cause = cause(store.handle(records(0..100).iter()));
        assert!(
            cause.starts_with("permanent: ERROR: duplicate key value") && cause.ends_with("(SQLSTATE 23505)"),
            "{cause}"
        );
        assert_eq!(table.rows(), rows(50..51), "{write}");
        assert_eq!((counts.so_far().rows, counts.so_far().retries), (1, 0));
    }
}

#[test]
fn a_store_that_refuses_is_named_before_the_member_is_ready_and_no_password_is_shown() {
    let table = Table::new(shared_postgres(), "refuses", "");
    let refused = |order: &StoreOrder| {
        Store::open(order, "member", &StoreCounts::reporting(|_| ()))
            .err()
            .unwrap()
    };
    let order = table.order(StoreWrite::Insert, 1);
    let no_table = StoreOrder {
        table: quoted("nowhere"),
        ..order.clone()
    };
    let cause = refused(&no_table);
    assert_eq!(cause, "ERROR: relation \"nowhere\" does not exist (SQLSTATE 42P01)");
    let wrong_password = StoreOrder {
        url: Secret::new(table.server.url_with("hunter2")),
        ..order.clone()
    };
    let cause = refused(&wrong_password);
    assert!(
        cause.contains("(SQLSTATE 28P01)") && !cause.contains("hunter2"),
        "{cause}"
    );
    let nobody_there = StoreOrder {
        url: Secret::new("postgresql://me:hunter2@127.0.0.1:1/mine"),
        ..order.clone()
    };
    let cause = refused(&nobody_there);
    assert!(cause.contains("refused") && !cause.contains("hunter2"), "{cause}");
    let other_columns = StoreOrder {
        table: quoted("other columns"),
        ..order
    };
    table.execute("CREATE TABLE \"other columns\" (id integer)");
    let cause = refused(&other_columns);
    assert!(
        cause.contains("column \"topic\"") && cause.contains("(SQLSTATE 42703)"),
        "{cause}"
    );
}

#[test]
fn a_store_that_goes_away_fails_for_good_or_until_it_is_back() {
    let server = Postgres::start();
    let mut table = Table::new(&server, "away", KEY);
    let order = table.order(StoreWrite::Insert, 10);
    let patient = StoreOrder {
        on_error: StoreErrors::Retry,
        ..order.clone()
    };
    let (mut failing, _) = opened(&order);
    let (counts, unanswered) = counts();
    let mut retrying = Store::open(&patient, "retrying", &counts).unwrap();
    retrying.handle(records(0..10).iter()).unwrap();
    server.stop();
    let lost = cause(failing.handle(records(10..20).iter()));
    assert!(lost.starts_with("permanent: "), "{lost}");
    for _ in 0..3 {
        let lost = cause(retrying.handle(records(10..20).iter()));
        assert!(lost.starts_with("passing: "), "{lost}");
    }
    server.resume();
    table.connect();
    retrying.handle(records(10..20).iter()).unwrap();
    assert_eq!(table.rows(), rows(0..20));
    assert_eq!(counts.so_far().retries, 3);
    // The connection was lost before the commit was sent, and then refused.
    assert_eq!(*unanswered.lock().unwrap(), []);
}

/// Ends the sessions of the handler as soon as one of them is busy.
fn end_sessions(server: &Postgres) {
    let address = Address::parse(&Secret::new(server.url())).unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let connection = Connection::open(&address, "test").await.unwrap();
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'unanswered' AND \
                   state = 'active'";
        while connection.client.query(end, &[]).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}

#[test]
fn rows_may_be_there_without_an_answer_only_if_their_commit_was_sent() {
    let table = Table::new(shared_postgres(), "unanswered", "");
    let unanswered = |write, at_once: u32, records: &[Given], meanwhile: &str| {
        let (counts, reported) = counts();
        let mut store = Store::open(&table.order(write, at_once), "unanswered", &counts).unwrap();
        table.execute(meanwhile);
        let failed = std::thread::scope(|scope| {
            scope.spawn(|| end_sessions(table.server));
            cause(store.handle(records.iter()))
        });
        table.execute("ROLLBACK");
        assert!(failed.contains("terminating connection"), "{failed}");
        // It is said before the handler gives the transaction back, so before another try.
        std::mem::take(&mut *reported.lock().unwrap())
    };
    let span = |first, end| UnansweredRun {
        topic: "t".to_owned(),
        partition: 3,
        first,
        end,
    };
    // Nobody gets a row in.
    let lock = "BEGIN; LOCK TABLE \"unanswered\"";
    assert_eq!(unanswered(StoreWrite::Insert, 2, &records(1..3), lock), []);
    assert_eq!(unanswered(StoreWrite::Copy, 2, &records(1..3), lock), []);
    assert_eq!(unanswered(StoreWrite::Insert, 2, &records(1..2), lock), [span(1, 2)]);
    // A trigger that runs when its transaction is committed.
    table.execute(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER late AFTER INSERT ON \"unanswered\" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
           EXECUTE FUNCTION wait()",
    );
    let mut two = records(1..3);
    two.extend(records(7..9));
    for write in [StoreWrite::Insert, StoreWrite::Copy] {
        assert_eq!(unanswered(write, 10, &two, ""), [span(1, 3), span(7, 9)], "{write}");
    }
    assert_eq!(table.rows(), []);
}

#[test]
fn a_store_that_says_nothing_is_a_failure_after_its_limit() {
    let table = Table::new(shared_postgres(), "silent", "");
    let (mut store, _) = opened(&table.order(StoreWrite::Insert, 2));
    // Nobody else gets a row in while this is held.
    table.execute("BEGIN; LOCK TABLE \"silent\"");
    let from = Instant::now();
    let cause = cause(store.handle(records(1..3).iter()));
    assert_eq!(cause, "permanent: the store did not answer within 5 s");
    assert!((5..9).contains(&from.elapsed().as_secs()), "{:?}", from.elapsed());
    table.execute("ROLLBACK");
    drop(store);
    // The server notices that its client is gone when it answers; nothing of it may be left.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(table.rows(), []);
}
