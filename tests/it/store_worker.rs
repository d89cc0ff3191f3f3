//! A worker that writes to a PostgreSQL while it goes away and comes back.

use std::thread;
use std::time::{Duration, Instant};

use tandem::database::{Address, Connection, quoted};
use tandem::measure::TopicPartition;
use tandem::protocol::{Prepare, Secret, StoreOrder, TopicTarget};
use tandem::scenario::{Commit, StoreErrors, StoreWrite, Work};
use tokio::runtime::{Builder, Runtime};

use crate::postgres::Postgres;
use crate::worker_process::{Worker, account_of, filled_topic, order, read_to_the_end};

const RECORDS: i64 = 3_000;

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// What a query answers with two numbers, or what a statement without an answer does.
fn ask(server: &Postgres, sql: &str) -> Option<(i64, i64)> {
    let address = Address::parse(&Secret::new(server.url())).unwrap();
    runtime().block_on(async {
        let connection = Connection::open(&address, "test").await.unwrap();
        let rows = connection.client.query(sql, &[]).await.unwrap();
        rows.first().map(|row| (row.get(0), row.get(1)))
    })
}

/// A worker that reads a topic of its own into a table of the server, and is at work on it.
fn at_work(server: &Postgres, name: &str, on_error: StoreErrors) -> (Worker, TopicTarget) {
    let topic = filled_topic(name, 2, RECORDS);
    let table = quoted(name);
    ask(
        server,
        &format!(
            "CREATE TABLE {table} (topic text NOT NULL, partition integer NOT NULL, \"offset\" bigint NOT NULL, value bytea \
             NOT NULL, PRIMARY KEY (topic, partition, \"offset\"))"
        ),
    );
    let mut worker = Worker::ready(Prepare {
        work: Work::Store,
        store: Some(StoreOrder {
            url: Secret::new(server.url()),
            table,
            write: StoreWrite::Upsert,
            rows: 1,
            on_error,
        }),
        commit: Commit::Every(100),
        ..order(&topic, name, &[])
    });
    worker.join(2);
    worker.start();
    let deadline = Instant::now() + Duration::from_secs(30);
    while worker.positions.is_empty() {
        assert!(Instant::now() < deadline, "nothing is stored");
        thread::sleep(Duration::from_millis(10));
        worker.look();
    }
    (worker, topic)
}

#[test]
#[ignore = "scripts/test --all; a_store_that_goes_away_fails_for_good_or_until_it_is_back tests the handler alone"]
fn a_worker_that_tries_again_stores_every_record_through_an_outage() {
    let server = Postgres::start();
    let (mut worker, topic) = at_work(&server, "store-outage", StoreErrors::Retry);
    server.stop();
    worker.look();
    let before = worker.positions.clone();
    thread::sleep(Duration::from_secs(3));
    worker.look();
    let left =
        |positions: &std::collections::BTreeMap<TopicPartition, i64>| 2 * RECORDS - positions.values().sum::<i64>();
    assert!(left(&worker.positions) > 0, "the outage came too late");
    // What was reported just before the end may be on its way.
    assert!(
        left(&before) - left(&worker.positions) < 200,
        "it went on without its store"
    );
    server.resume();
    read_to_the_end(&mut [&mut worker], &before, &topic);
    let result = worker.stop();
    let read = account_of(&topic, &[("it", &result)]);
    assert!(read.is_exact(), "{read:?}");
    let stored = result.members[0].store.unwrap();
    assert!(stored.retries > 5, "{stored:?}");
    assert_eq!(stored.rows, 2 * RECORDS.unsigned_abs());
    worker.exit();
    let rows = ask(
        &server,
        "SELECT count(*), count(DISTINCT (partition, \"offset\")) FROM \"store-outage\"",
    );
    assert_eq!(rows, Some((2 * RECORDS, 2 * RECORDS)));
}

#[test]
#[ignore = "scripts/test --all; a_store_that_goes_away_fails_for_good_or_until_it_is_back tests the handler alone"]
fn a_worker_that_does_not_try_again_names_what_the_store_said() {
    let server = Postgres::start();
    let (mut worker, _) = at_work(&server, "store-gone", StoreErrors::Fail);
    let gone = Instant::now();
    server.stop();
    let failure = worker.failure();
    assert!(gone.elapsed() < Duration::from_secs(10), "{:?}", gone.elapsed());
    assert!(failure.starts_with("the work failed: "), "{failure}");
}
