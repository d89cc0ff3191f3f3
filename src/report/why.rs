//! Why configurations are as fast as they are: those that the same would change stand together, each with its evidence.
//! Plain text: each form of the report escapes it as it needs.

use super::ReportInput;
use super::format::printable;
use crate::summary::BottleneckKind;

/// Configurations of one bottleneck that the same would change.
pub(super) struct Why {
    /// Which bottleneck, as in `summary.csv`.
    pub(super) kind: &'static str,
    /// What it means, in a few words.
    pub(super) meaning: &'static str,
    /// What would change it, and what would not; empty where that is not known.
    pub(super) remedy: String,
    /// The configurations' names with the evidence for each.
    pub(super) configurations: Vec<(String, String)>,
}

/// The bottlenecks of a run, in the order of its configurations.
pub(super) fn why(input: &ReportInput) -> Vec<Why> {
    let mut found: Vec<Why> = Vec::new();
    for summary in &input.summary.configurations {
        let bottleneck = &summary.bottleneck;
        let remedy = printable(&bottleneck.remedy);
        let told = (printable(&summary.name), printable(&bottleneck.evidence));
        let kind = bottleneck.kind.as_str();
        match found.iter_mut().find(|why| why.kind == kind && why.remedy == remedy) {
            Some(why) => why.configurations.push(told),
            None => found.push(Why {
                kind,
                meaning: meaning(bottleneck.kind),
                remedy,
                configurations: vec![told],
            }),
        }
    }
    found
}

/// A kind of bottleneck in a few words.
fn meaning(kind: BottleneckKind) -> &'static str {
    match kind {
        BottleneckKind::ConsumerWork => "the work on each record",
        BottleneckKind::ReaderThread => "one thread of the consumer",
        BottleneckKind::AllCores => "the processors",
        BottleneckKind::Brokers => "the brokers, or the way to them",
        BottleneckKind::Quota => "a quota of the cluster",
        BottleneckKind::Producers => "the producers of the load",
        BottleneckKind::FetchSettings => "when and how much the client fetches",
        BottleneckKind::Skew => "one member or thread has more to do than others",
        BottleneckKind::IdleMembers => "members without a partition",
        BottleneckKind::Limit => "what a container or the memory leaves",
        BottleneckKind::Unknown => "no bottleneck is named",
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn configurations_that_the_same_would_change_stand_together() {
        let fixture = Fixture::one_vs_two();
        let found = why(&fixture.input());
        let number: usize = found.iter().map(|why| why.configurations.len()).sum();
        assert_eq!(number, fixture.summary.configurations.len());
        let mut heads: Vec<_> = found.iter().map(|why| (why.kind, &why.remedy)).collect();
        heads.sort_unstable();
        heads.dedup();
        assert!(heads.len() == found.len() && heads.len() < number, "{heads:?}");
    }
}
