//! The latency log read by the tool of HDR histogram's own authors, which comes with every Kafka.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::SystemTime;

use tandem::kafka::local::Distribution;
use tandem::measure::latency::{LatencyRecorder, LogInterval, write_interval_log};
use tandem::scenario::DEFAULT_KAFKA_VERSION;

/// The library's archive among those of the Kafka that the tests run.
fn library() -> PathBuf {
    Distribution::find_or_get(DEFAULT_KAFKA_VERSION, &|message| eprintln!("{message}")).unwrap();
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"),
        PathBuf::from,
    );
    let home = std::env::var_os("KAFKA_HOME").map_or_else(|| cache.join("tandem/kafka/4.3.1"), PathBuf::from);
    let files = fs::read_dir(home.join("libs"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut found = files.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("HdrHistogram-"));
    found.next().expect("Kafka's libraries hold HdrHistogram")
}

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
    let output = Command::new("java")
        .arg("-cp")
        .arg(library())
        .args(["org.HdrHistogram.HistogramLogProcessor", "-tag", "response", "-i"])
        .arg(&path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).replace(' ', "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // In milliseconds, over both intervals: 1 to 1,000.
    assert!(said.contains("Totalcount=1000]"), "{said}");
    assert!(said.contains("#[Mean=500."), "{said}");
    assert!(said.contains("#[Max=1000."), "{said}");
}
