//! A data set that outlives its run, as the environment file reports it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::wording::with_commas;

/// A data set that a run has kept for the next, or found kept by an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptData {
    /// Addresses of its cluster.
    pub bootstrap: String,
    /// Its topics.
    pub topics: Vec<String>,
    /// Records in all of them.
    pub records: u64,
    /// When it was filled and verified, UTC.
    pub since: Timestamp,
    /// True where an earlier run had filled it.
    pub reused: bool,
    /// Why an existing kept data set was filled again; `None` if there was none or it was used.
    #[serde(default)]
    pub refilled_because: Option<String>,
}

impl fmt::Display for KeptData {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (since, records) = (self.since.strftime("%Y-%m-%d %H:%M:%S UTC"), with_commas(self.records));
        let topics = self.topics.join(", ");
        match (self.reused, &self.refilled_because) {
            (true, _) => write!(
                out,
                "reads the data set kept since {since}, {records} records; nothing filled ({topics})"
            ),
            (false, None) => write!(out, "filled a data set that is kept, {records} records ({topics})"),
            (false, Some(because)) => write!(
                out,
                "filled a kept data set anew, {records} records ({topics}): {because}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_is_reported_since_when_the_data_are_kept_and_that_nothing_was_filled() {
        let mut kept = KeptData {
            bootstrap: "b:9092".into(),
            topics: vec!["tandem-data-0-1".into()],
            records: 10_000_000,
            since: Timestamp::UNIX_EPOCH,
            reused: true,
            refilled_because: None,
        };
        assert_eq!(
            kept.to_string(),
            "reads the data set kept since 1970-01-01 00:00:00 UTC, 10,000,000 records; nothing filled (tandem-data-0-1)"
        );
        kept.reused = false;
        kept.records = 999;
        assert_eq!(
            kept.to_string(),
            "filled a data set that is kept, 999 records (tandem-data-0-1)"
        );
        kept.refilled_because = Some("it was cut off".into());
        assert!(kept.to_string().ends_with("(tandem-data-0-1): it was cut off"));
    }
}
