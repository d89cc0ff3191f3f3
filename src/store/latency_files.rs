//! The latencies of a trial in the formats of other tools, beside the trial's own file: the standard HDR interval log
//! and a table of percentiles. Made from the trial alone.

use std::borrow::Cow;
use std::io;
use std::time::{Duration, SystemTime};

use crate::measure::latency::{
    Latencies, LatencyPart, LatencyRecorder, LogInterval, write_interval_log, write_percentiles,
};
use crate::measure::{LoadMeasurement, Measurement, Trial};

/// Nanoseconds of a second.
const SECOND_NS: u64 = 1_000_000_000;

/// The interval log and the table of percentiles; `None` for a trial without a load.
///
/// In the log, `response` is the response time second by second from the producers' start, warm-up and draining
/// included, and `window/PART` and `window/PART/MEMBER` are of the records intended in the window.
pub(super) fn files(trial: &Trial) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
    let Some((measurement, load)) = trial.measurement.as_ref().and_then(|m| Some((m, m.load.as_ref()?))) else {
        return Ok(None);
    };
    let of_window = of_window(measurement);
    let mut log = Vec::new();
    // Unpacked one at a time: a second takes a hundred times its packed size.
    let seconds = load.seconds.iter().map(|second| LogInterval {
        tag: "response",
        from_ns: u64::from(second.second) * SECOND_NS,
        length_ns: SECOND_NS,
        latency: Cow::Owned(second.response.unpack()),
    });
    let complete_window = of_window.iter().map(|named| LogInterval {
        tag: &named.tag,
        from_ns: load.window_from_ns.saturating_sub(load.start_ns),
        length_ns: load.window_ns(),
        latency: Cow::Borrowed(&named.latency),
    });
    write_interval_log(
        &mut log,
        started(trial, measurement, load),
        seconds.chain(complete_window),
    )?;
    let mut table = Vec::new();
    let rows = of_window
        .iter()
        .map(|named| (named.of.as_str(), named.part, &named.latency));
    write_percentiles(&mut table, rows).map_err(io::Error::other)?;
    Ok(Some((log, table)))
}

/// The time of day of the producers' start.
fn started(trial: &Trial, measurement: &Measurement, load: &LoadMeasurement) -> SystemTime {
    let after_spawn = Duration::from_nanos(load.start_ns.saturating_sub(measurement.spawn_ns));
    SystemTime::from(trial.started_at) + after_spawn
}

/// One part of the latency of all members, or of one.
struct Named {
    of: String,
    part: &'static str,
    tag: String,
    latency: LatencyRecorder,
}

fn of_window(measurement: &Measurement) -> Vec<Named> {
    let all = measurement
        .latencies()
        .into_iter()
        .map(|latencies| ("all".to_owned(), latencies));
    let of_members = (measurement.members.iter()).filter_map(|member| Some((member.name(), member.latencies()?)));
    all.chain(of_members)
        .flat_map(|(of, latencies)| parts(&of, &latencies))
        .collect()
}

fn parts(of: &str, latencies: &Latencies) -> Vec<Named> {
    // No comma or blank may be in a tag.
    let member = of.replace(", ", "-").replace(' ', "-");
    let suffix = if of == "all" {
        String::new()
    } else {
        format!("/{member}")
    };
    let named = |part: LatencyPart| Named {
        of: of.to_owned(),
        part: part.name(),
        tag: format!("window/{}{suffix}", part.name()),
        latency: latencies.part(part).clone(),
    };
    LatencyPart::ALL.into_iter().map(named).collect()
}
