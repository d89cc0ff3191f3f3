//! Why a data set cannot be made or kept.

use crate::kafka::admin::AdminError;

/// Why a data set could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The cluster refused or did not answer.
    #[error(transparent)]
    Cluster(#[from] AdminError),
    /// Records were not accepted.
    #[error("cannot fill {topic}: {cause}")]
    Produce {
        /// The topic.
        topic: String,
        /// What the client or the broker said.
        cause: String,
    },
    /// The topic does not hold what was produced.
    #[error("{topic} holds {found} records where {expected} were produced")]
    Watermarks {
        /// The topic, or topic and partition.
        topic: String,
        /// `high - low`.
        found: u64,
        /// As produced.
        expected: u64,
    },
    /// A data set that is to be kept cannot be found or written down.
    #[error("the kept data set: {0}")]
    Kept(String),
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
}
