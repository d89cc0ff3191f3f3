//! Why existing topics cannot be read.

use crate::kafka::admin::AdminError;
use crate::scenario::FoundError;

/// Why topics that exist cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ExistingError {
    /// Brokers that are started for the run hold nothing.
    #[error(
        "the scenario reads topics that exist, but on brokers that are started for the run there are none; name the \
         cluster that has them: bootstrap in [cluster], --bootstrap HOST:PORT, or --cluster local for the one of \
         tandem cluster up"
    )]
    OwnBrokers,
    /// Nothing has that name.
    #[error("there is no topic {wanted} on {bootstrap}, or no permission to see it; {known}")]
    NoTopic {
        /// As the scenario names it.
        wanted: String,
        /// The cluster.
        bootstrap: String,
        /// The names most like it.
        known: String,
    },
    /// Nothing matches.
    #[error("no topic on {bootstrap} that may be seen matches {pattern}; {known}")]
    NoMatch {
        /// As the scenario has it.
        pattern: String,
        /// The cluster.
        bootstrap: String,
        /// Some names.
        known: String,
    },
    /// The cluster refused or did not answer.
    #[error(transparent)]
    Cluster(#[from] AdminError),
    /// The first reading came to nothing.
    #[error("cannot read topic {topic}: {cause}")]
    Read {
        /// The topic.
        topic: String,
        /// What the client says.
        cause: String,
    },
    /// Somebody has changed the files of the run.
    #[error("delivered.json does not tell of the same data sets as plan.json: the run cannot go on")]
    Record,
    /// What is there does not fit the scenario.
    #[error(transparent)]
    Found(#[from] FoundError),
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
}
