//! The standard HDR interval log, which the tools of all HDR histogram libraries read.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, IntervalLogWriterError, Tag};

use super::recorder::LatencyRecorder;

/// Values stand in the histograms in nanoseconds; the maximum beside each, for people, in milliseconds.
const NS_PER_MS: f64 = 1e6;

/// One line of the log: what was recorded in an interval.
#[derive(Debug, Clone)]
pub struct LogInterval<'a> {
    /// What it is of, such as `response` or `work/group-1-process-2-consumer-1`: no comma, blank or line end.
    pub tag: &'a str,
    /// Its beginning, from the log's start.
    pub from_ns: u64,
    /// Its length.
    pub length_ns: u64,
    /// What was recorded.
    pub latency: Cow<'a, LatencyRecorder>,
}

/// Writes a log that started at this time of day. Negative and overflowing latencies, for which the format has no
/// place, are said in a comment before the line.
pub fn write_interval_log<'a>(
    out: &mut impl Write,
    started: SystemTime,
    intervals: impl IntoIterator<Item = LogInterval<'a>>,
) -> io::Result<()> {
    let mut serializer = V2DeflateSerializer::new();
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment("[Histogram log format version 1.3]")
        .add_comment("Latencies in nanoseconds; Interval_Max in milliseconds")
        .with_start_time(started)
        .with_base_time(started)
        .with_max_value_divisor(NS_PER_MS)
        .begin_log_with(out, &mut serializer)?;
    for interval in intervals {
        let LogInterval { tag, latency, .. } = &interval;
        if latency.negative + latency.overflow > 0 {
            log.write_comment(&format!(
                "{tag}: {} below zero and {} above 10 minutes are not in the next histogram",
                latency.negative, latency.overflow
            ))?;
        }
        let named = Tag::new(tag).ok_or_else(|| {
            let message = format!("{tag:?} cannot be a tag of an interval log: it has a comma, a blank or a line end");
            io::Error::new(io::ErrorKind::InvalidInput, message)
        })?;
        let (from, length) = (
            Duration::from_nanos(interval.from_ns),
            Duration::from_nanos(interval.length_ns),
        );
        log.write_histogram(&latency.histogram, from, length, Some(named))
            .map_err(|error| match error {
                IntervalLogWriterError::IoError(error) => error,
                IntervalLogWriterError::SerializeError(error) => io::Error::other(error),
            })?;
    }
    Ok(())
}
