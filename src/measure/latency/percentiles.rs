//! The percentiles of a latency as rows of a table: as many nines as the sample carries.

use std::io::Write;

use serde::Serialize;

use super::recorder::LatencyRecorder;

/// Shares of the records, from the median on, before the nines begin.
const FIRST_SHARES: [f64; 5] = [0.5, 0.75, 0.9, 0.95, 0.99];
/// Nines after which no sample of ours carries any more.
const NINES: i32 = 9;

/// One percentile.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PercentileRow {
    /// Share of the records that were not slower, in percent.
    pub percentile: f64,
    /// Their latency in nanoseconds, to three digits.
    pub latency_ns: u64,
    /// Records that were slower, or as slow and behind it in order.
    pub records_beyond: u64,
}

/// The percentiles that the records carry, from the median up; none where there are too few records for any.
pub fn percentile_rows(latency: &LatencyRecorder) -> Vec<PercentileRow> {
    let nines = (3..=NINES).map(|nines| 1.0 - 10f64.powi(-nines));
    let shares = FIRST_SHARES.into_iter().chain(nines);
    shares
        .map_while(|share| {
            Some(PercentileRow {
                // To the digits that the nines have, without what binary fractions add.
                percentile: (share * 1e11).round() / 1e9,
                latency_ns: latency.percentile_ns(share)?,
                records_beyond: latency.count() - latency.rank(share),
            })
        })
        .collect()
}

/// Writes a table of percentiles as CSV: for each named latency (what it is of, and its part) its rows.
pub fn write_percentiles<'a>(
    out: impl Write,
    latencies: impl IntoIterator<Item = (&'a str, &'a str, &'a LatencyRecorder)>,
) -> csv::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(["of", "part", "percentile", "latency_ns", "records_beyond"])?;
    for (of, part, latency) in latencies {
        for row in percentile_rows(latency) {
            let (percentile, latency_ns) = (row.percentile.to_string(), row.latency_ns.to_string());
            writer.write_record([of, part, &percentile, &latency_ns, &row.records_beyond.to_string()])?;
        }
    }
    writer.flush()?;
    Ok(())
}
