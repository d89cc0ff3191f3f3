#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use proptest::prelude::*;

use super::*;

fn recorder(values: impl IntoIterator<Item = u64>) -> LatencyRecorder {
    let mut recorder = LatencyRecorder::default();
    values.into_iter().for_each(|value| recorder.record_ns(value));
    recorder
}

fn close(got: u64, wanted: u64) -> bool {
    got.abs_diff(wanted) <= wanted / 1_000 + 1
}

#[test]
fn each_part_is_the_time_between_its_two_moments() {
    let mut latencies = Latencies::default();
    latencies.record(&RecordTimes {
        intended_ns: 1_000_000,
        sent_ns: 1_000_100,
        received_ns: 1_002_100,
        started_ns: 1_032_100,
        finished_ns: 1_432_100,
    });
    let expected = [100, 2_000, 30_000, 400_000, 432_100];
    for (part, expected) in LatencyPart::ALL.into_iter().zip(expected) {
        let got = latencies.part(part).max_ns().unwrap();
        assert!(close(got, expected), "{}: {got}", part.name());
        assert_eq!(serde_json::to_value(part).unwrap(), part.name());
        assert!(serde_json::to_value(&latencies).unwrap()[part.name()]["histogram"].is_string());
    }
}

#[test]
fn a_latency_below_zero_or_above_ten_minutes_is_counted_and_not_dropped() {
    let mut latency = LatencyRecorder::default();
    latency.record(5, 4);
    latency.record(0, HIGHEST_NS);
    latency.record(0, HIGHEST_NS + 1);
    latency.record(0, u64::MAX);
    assert_eq!((latency.count(), latency.negative(), latency.overflow()), (4, 1, 2));
    assert_eq!(latency.max_ns(), Some(HIGHEST_NS));
    assert_eq!(latency.mean_ns(), Some(HIGHEST_NS as f64));
}

#[test]
fn overflowing_latencies_are_the_slowest_and_negative_ones_the_fastest_of_a_percentile() {
    let mut latency = recorder([1_000_000; 60]);
    (0..20).for_each(|_| latency.record_ns(HIGHEST_NS + 1));
    (0..20).for_each(|_| latency.record(1, 0));
    assert_eq!(latency.percentile_ns(0.2), Some(0));
    assert!(close(latency.percentile_ns(0.5).unwrap(), 1_000_000));
    assert_eq!(latency.percentile_ns(0.9), Some(HIGHEST_NS));
    assert_eq!(latency.percentile_ns(0.91), None);
}

#[test]
fn a_percentile_needs_ten_records_beyond_it() {
    let latency = recorder((1..=10_000).map(|value| value * 1_000));
    assert!(close(latency.percentile_ns(0.999).unwrap(), 9_990_000));
    assert_eq!(latency.percentile_ns(0.9991), None);
    assert_eq!(recorder(1..=19).percentile_ns(0.5), None);
    assert_eq!(recorder(1..=20).percentile_ns(0.5), Some(10));
    assert_eq!(LatencyRecorder::default().percentile_ns(0.5), None);
    assert_eq!(LatencyRecorder::default().max_ns(), None);
    assert_eq!(LatencyRecorder::default().mean_ns(), None);
}

#[test]
fn the_table_of_percentiles_ends_with_the_nines_that_the_sample_carries() {
    let latency = recorder((1..=100_000).map(|value| value * 100));
    let rows = percentile_rows(&latency);
    let percentiles: Vec<f64> = rows.iter().map(|row| row.percentile).collect();
    assert_eq!(percentiles, [50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99]);
    assert_eq!(rows[6].records_beyond, 10);
    let mut table = Vec::new();
    write_percentiles(&mut table, [("all", "response", &latency)]).unwrap();
    let table = String::from_utf8(table).unwrap();
    assert_eq!(table.lines().count(), 8);
    assert!(
        table.starts_with("of,part,percentile,latency_ns,records_beyond\nall,response,50,5"),
        "{table}"
    );
    assert!(table.contains("\nall,response,99.99,"), "{table}");
}

#[test]
fn memory_grows_with_the_longest_latency_and_stays_below_a_quarter_of_a_mebibyte() {
    let counters = |latency: &LatencyRecorder| latency.histogram.distinct_values() * 8;
    assert!(counters(&recorder([1_000])) <= 32 << 10);
    assert!(counters(&recorder([HIGHEST_NS])) <= 256 << 10);
}

#[test]
fn an_interval_log_is_read_back_by_the_librarys_own_parser() {
    let (work, mut response) = (recorder([1_000, 2_000, 3_000]), recorder(1..=5_000));
    response.record(1, 0);
    let interval = |tag, from_ns, latency| LogInterval {
        tag,
        from_ns,
        length_ns: 1_000_000_000,
        latency: std::borrow::Cow::Borrowed(latency),
    };
    let intervals = [
        interval("work", 0, &work),
        interval("response/group-1-process-1-consumer-1", 1_500_000_000, &response),
    ];
    let mut text = Vec::new();
    let started = UNIX_EPOCH + Duration::from_millis(1_700_000_000_250);
    write_interval_log(&mut text, started, intervals.clone()).unwrap();
    let entries: Vec<LogEntry<'_>> = IntervalLogIterator::new(&text).map(Result::unwrap).collect();
    assert!(entries.contains(&LogEntry::StartTime(Duration::from_millis(1_700_000_000_250))));
    let histograms = entries.iter().filter_map(|entry| match entry {
        LogEntry::Interval(interval) => Some(interval),
        _ => None,
    });
    for (read, written) in histograms.zip(intervals) {
        assert_eq!(read.tag().unwrap().as_str(), written.tag);
        assert_eq!(read.start_timestamp(), Duration::from_nanos(written.from_ns));
        assert_eq!(read.duration(), Duration::from_nanos(written.length_ns));
        let bytes = STANDARD.decode(read.encoded_histogram()).unwrap();
        let histogram: Histogram<u64> = Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
        assert_eq!(histogram, written.latency.histogram);
    }
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.lines().filter(|line| line.starts_with("Tag=")).count(), 2);
    assert!(text.contains("1 below zero and 0 above 10 minutes"), "{text}");
}

#[test]
fn what_is_stored_is_written_again_in_the_same_form() {
    let written = serde_json::to_string(&recorder(std::iter::repeat_n(1_000, 49_000))).unwrap();
    let read: LatencyRecorder = serde_json::from_str(&written).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), written);
}

#[test]
fn a_tag_that_would_break_the_log_is_refused() {
    let latency = recorder([1]);
    for tag in ["a,b", "a b", "a\nb"] {
        let interval = LogInterval {
            tag,
            from_ns: 0,
            length_ns: 1,
            latency: std::borrow::Cow::Borrowed(&latency),
        };
        let refused = write_interval_log(&mut Vec::new(), SystemTime::now(), [interval]).unwrap_err();
        assert!(refused.to_string().contains("cannot be a tag"), "{refused}");
    }
}

#[test]
fn a_stored_histogram_that_is_none_of_ours_says_why() {
    let good = SavedLatency::from(recorder([1, 2, 3]));
    let read = |saved: SavedLatency| LatencyRecorder::try_from(saved).unwrap_err().to_string();
    let encode = |histogram: Histogram<u64>| {
        let mut bytes = Vec::new();
        let mut serializer = hdrhistogram::serialization::V2DeflateSerializer::new();
        hdrhistogram::serialization::Serializer::serialize(&mut serializer, &histogram, &mut bytes).unwrap();
        STANDARD.encode(bytes)
    };
    let with = |histogram: String| SavedLatency {
        histogram,
        ..good.clone()
    };
    assert!(read(with("?".into())).contains("base64"));
    assert!(read(with("AAAA".into())).contains("V2"));
    assert!(read(with(encode(Histogram::new(2).unwrap()))).contains("2 significant digits"));
    let mut long = Histogram::new(3).unwrap();
    long.record(2 * HIGHEST_NS).unwrap();
    assert!(read(with(encode(long))).contains("overflow"));
    let sum = SavedLatency {
        sum_ns: -1.0,
        ..good.clone()
    };
    assert!(read(sum).contains("-1"));
}

proptest! {
    #[test]
    fn merging_is_recording_everything_in_one(
        first in prop::collection::vec(0u64..HIGHEST_NS + 1_000_000, 0..200),
        second in prop::collection::vec(0u64..2_000_000, 0..200),
    ) {
        let mut merged = recorder(first.clone());
        merged.merge(&recorder(second.clone()));
        prop_assert_eq!(merged, recorder(first.into_iter().chain(second)));
    }

    #[test]
    fn a_histogram_is_stored_and_read_again_without_loss(
        values in prop::collection::vec(0u64..=HIGHEST_NS, 0..300), negative in 0u64..5, overflow in 0u64..5,
    ) {
        let mut latency = recorder(values);
        (0..negative).for_each(|_| latency.record(1, 0));
        (0..overflow).for_each(|_| latency.record_ns(u64::MAX));
        let text = serde_json::to_string(&latency).unwrap();
        let read: LatencyRecorder = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read, latency);
    }

    #[test]
    fn percentiles_are_those_of_the_sorted_values_to_three_digits(
        mut values in prop::collection::vec(1_000u64..=HIGHEST_NS, 30..400), thousandths in 1u32..1_000,
    ) {
        let latency = recorder(values.clone());
        values.sort_unstable();
        let rank = (values.len() * thousandths as usize).div_ceil(1_000).max(1);
        let got = latency.percentile_ns(f64::from(thousandths) / 1e3);
        if values.len() - rank >= 10 {
            let got = got.unwrap();
            prop_assert!(close(got, values[rank - 1]), "{} for {}", got, values[rank - 1]);
        } else {
            prop_assert_eq!(got, None);
        }
    }
}
