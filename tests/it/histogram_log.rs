//! The latency log read by the tool of HDR histogram's own authors, which comes with every Kafka.

use std::fs;
use std::time::SystemTime;

use tandem::measure::latency::{LatencyRecorder, LogInterval, write_interval_log};

use crate::kafka_tools::kafka_tool;

#[test]
fn the_log_processor_of_hdr_histogram_finds_what_was_recorded() {
    let (mut first, mut second, mut other) = (
        LatencyRecorder::default(),
        LatencyRecorder::default(),
        LatencyRecorder::default(),
    );
    (1..=500).for_each(|number| first.record_ns(number * 1_000_000));
    (501..=1_000).for_each(|number| second.record_ns(number * 1_000_000));
    other.record_ns(7);
    let interval = |tag, second: u64, latency| LogInterval {
        tag,
        from_ns: second * 1_000_000_000,
        length_ns: 1_000_000_000,
        latency: std::borrow::Cow::Borrowed(latency),
    };
    let intervals = [
        interval("response", 0, &first),
        interval("work", 0, &other),
        interval("response", 1, &second),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latency.hlog");
    let mut file = fs::File::create(&path).unwrap();
    write_interval_log(&mut file, SystemTime::now(), intervals).unwrap();
    let arguments = ["-tag", "response", "-i", path.to_str().unwrap()];
    let said = kafka_tool("org.HdrHistogram.HistogramLogProcessor", &arguments).replace(' ', "");
    // In milliseconds, over both intervals: 1 to 1,000.
    assert!(said.contains("Totalcount=1000]"), "{said}");
    assert!(said.contains("#[Mean=500."), "{said}");
    assert!(said.contains("#[Max=1000."), "{said}");
}
