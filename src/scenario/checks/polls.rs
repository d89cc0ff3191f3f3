//! What the time between two polls forbids: a stream serves the membership only where it is read.

use crate::scenario::model::{Configuration, PropertyValue, Read};

/// The library's default of `max.poll.interval.ms`.
const MAX_POLL_MS: u64 = 300_000;

/// A warning where each record takes longer than its consumer may leave its group unserved.
pub(crate) fn warning(configurations: &[Configuration]) -> Option<String> {
    configurations.iter().find_map(|configuration| {
        let ns = configuration.work.ns()?;
        let max_ms = match configuration.client.properties.get("max.poll.interval.ms") {
            None => MAX_POLL_MS,
            Some(PropertyValue::Literal(value)) => value.trim().parse().ok()?,
            Some(PropertyValue::Environment { .. } | PropertyValue::File { .. }) => return None,
        };
        let leaves = configuration.read == Read::Stream && ns > max_ms.saturating_mul(1_000_000);
        leaves.then(|| {
            format!(
                "the work on a record in {:?} takes longer than max.poll.interval.ms = {max_ms}: with read = \"stream\" its \
                 consumers leave their group at every record, and its trials will fail; raise it, or read in batches",
                configuration.name
            )
        })
    })
}
