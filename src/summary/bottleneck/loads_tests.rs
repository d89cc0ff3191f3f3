//! What makes the response time of a load that is held, and what limits readers while records lie before them.

#![allow(clippy::unwrap_used)]

use super::tests::{Made, SECOND, WAIT};
use super::*;
use crate::measure::latency::{Latencies, RecordTimes};
use crate::measure::{LagSeries, PartitionLag, Series};
use crate::scenario::{Mode, PropertyValue};

const MS: u64 = 1_000_000;

/// A load that was held, each of whose records took this long on its way, in milliseconds: until it was sent, until it was
/// handed over, until its work began, and for its work.
fn held(parts_ms: [u64; 4]) -> Made {
    let mut made = Made::new(1, 2).waiting(80, 90).load(true, false);
    let mut latencies = Latencies::default();
    let mut moments = [MS; 5];
    for (index, ms) in parts_ms.into_iter().enumerate() {
        moments[index + 1] = moments[index] + ms * MS;
    }
    let [intended_ns, sent_ns, received_ns, started_ns, finished_ns] = moments;
    for _ in 0..100 {
        latencies.record(&RecordTimes {
            intended_ns,
            sent_ns,
            received_ns,
            started_ns,
            finished_ns,
        });
    }
    made.measurement.members[0].partitions[0].latencies = Some(latencies);
    made
}

fn literal(value: &str) -> PropertyValue {
    PropertyValue::Literal(value.to_owned())
}

impl Made {
    fn consumer(mut self, name: &str, value: &str) -> Self {
        let properties = &mut self.scenario.configurations[0].client.properties;
        properties.insert(name.to_owned(), literal(value));
        self
    }

    fn producer(mut self, name: &str, value: &str) -> Self {
        if let Mode::Live(load) = &mut self.scenario.configurations[0].mode {
            load.properties.insert(name.to_owned(), literal(value));
        }
        self
    }
}

#[test]
fn fetches_that_the_broker_holds_are_named_with_their_settings() {
    let made = held([0, 514, 0, 1]).consumer("fetch.min.bytes", "1000000");
    made.is(
        BottleneckKind::FetchSettings,
        &[
            "514 ms of 515 ms of mean response time passed between",
            "the broker held the fetch: `fetch.min.bytes` = 1000000, `fetch.wait.max.ms` as the library has it",
        ],
    );
    assert!(made.found().remedy.contains("A smaller `fetch.min.bytes`"));
    held([0, 90, 1, 1])
        .consumer("fetch.min.bytes", "5000")
        .consumer("fetch.wait.max.ms", "100")
        .is(BottleneckKind::FetchSettings, &["`fetch.wait.max.ms` = 100"]);
    // Without the setting nothing is held back, and in two milliseconds neither.
    held([0, 90, 1, 1]).is(
        BottleneckKind::Unknown,
        &["nothing limited it", "90 ms of 92 ms of mean response time"],
    );
    held([0, 2, 0, 0])
        .consumer("fetch.min.bytes", "5000")
        .is(BottleneckKind::Unknown, &["2.0 ms of 2.0 ms"]);
}

#[test]
fn every_part_of_the_response_time_can_be_the_longest() {
    held([0, 60, 0, 1]).producer("linger.ms", "100").is(
        BottleneckKind::Producers,
        &["producers collected records: `linger.ms` = 100"],
    );
    held([30, 2, 0, 1]).is(
        BottleneckKind::Producers,
        &["30 ms of 33 ms", "before the producers sent"],
    );
    let work = held([0, 1, 1, 20]).working(WAIT, 30);
    work.is(
        BottleneckKind::ConsumerWork,
        &["20 ms of 22 ms", "were the work on the record"],
    );
    assert!(work.found().remedy.contains("more members will not"));
    let queued = held([0, 1, 30, 2]).working(WAIT, 70);
    queued.is(
        BottleneckKind::ConsumerWork,
        &["30 ms of 33 ms", "members were in work 70 % of their time"],
    );
    // Records lie in the client's queue while their member works others.
    held([0, 30, 2, 2])
        .waiting(20, 90)
        .working(WAIT, 75)
        .is(BottleneckKind::ConsumerWork, &["members were in work 75 %"]);
    // No part is longer than all others together.
    held([0, 5, 4, 4]).is(BottleneckKind::Unknown, &["5.0 ms of 13 ms"]);
}

/// Ten seconds in which 500 records a second arrive, with 20,000 records before the readers in the first `behind` of its
/// tenths, in which 72,000 of all 80,000 are read.
fn with_lag(behind: usize) -> Made {
    let mut made = Made::new(1, 2).load(true, false);
    let start_ns = made.measurement.start_ns;
    made.measurement.end_ns = start_ns + 10 * SECOND;
    let load = made.measurement.load.as_mut().unwrap();
    load.offered_per_second = 500.0;
    load.lag = LagSeries {
        at_ns: (0..=100).map(|tenth| start_ns + tenth * SECOND / 10).collect(),
        partitions: vec![PartitionLag {
            group: 0,
            topic: 0,
            partition: 0,
            lag: (0..=100)
                .map(|tenth| if tenth <= behind * 10 { 20_000 } else { 40 })
                .collect(),
        }],
    };
    let read = &mut made.measurement.members[0].partitions;
    read.truncate(1);
    read[0].records = 80_000;
    let within = u64::try_from(behind).unwrap();
    read[0].series = Some(Series {
        bucket_ns: SECOND,
        counts: (0..10)
            .map(|second| {
                if second < within {
                    72_000 / within
                } else {
                    8_000 / (10 - within)
                }
            })
            .collect(),
    });
    let member = &mut made.measurement.members[0];
    member.last_record_ns = Some(start_ns + 10 * SECOND);
    member.reading.as_mut().unwrap().waiting_ns = 7 * SECOND;
    made
}

#[test]
fn what_limits_readers_is_judged_over_the_time_with_lag() {
    // Two seconds of work, nine tenths of which fall into two seconds of ten.
    let mut made = with_lag(2).working(WAIT, 212);
    let expected =
        "while records lay before the readers (2.0 s, 20 % of the time): members were in work 95 % of their time";
    made.is(BottleneckKind::ConsumerWork, &[expected]);
    // A backlog behind which more arrives is no different.
    let Mode::Live(load) = made.scenario.configurations[0].mode.clone() else {
        panic!("a live load");
    };
    made.scenario.configurations[0].mode = Mode::Mixed(load);
    made.is(BottleneckKind::ConsumerWork, &[expected]);
    // The same work over eight seconds of ten limits nothing.
    with_lag(8)
        .working(WAIT, 212)
        .is(BottleneckKind::Unknown, &["nothing limited it"]);
    // A lag of less than what arrives in a quarter of a second is no backlog.
    let mut small = with_lag(2).working(WAIT, 212);
    small.measurement.load.as_mut().unwrap().lag.partitions[0].lag.fill(120);
    small.is(BottleneckKind::Unknown, &["nothing limited it"]);
}
