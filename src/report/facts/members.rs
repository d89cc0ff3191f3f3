//! Why configurations are as fast as they are, and why members were idle. Configurations with the same reason stand
//! together.

use crate::report::input::ReportInput;
use crate::summary::{BottleneckKind, ConfigurationSummary};
use crate::wording::grouped;

/// A bottleneck with the configurations that it limits and that the same remedy would help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) kind: BottleneckKind,
    /// What would help, and what would not; empty where that is not known. Code stands between backticks.
    pub(crate) remedy: String,
    /// The configurations' names with the evidence for each.
    pub(crate) configurations: Vec<(String, String)>,
}

/// The bottlenecks of a run, in the order of its configurations.
pub(crate) fn reasons(input: &ReportInput) -> Vec<Reason> {
    let each = input.summary.configurations.iter().map(|c| {
        let bottleneck = &c.bottleneck;
        let key = (bottleneck.kind, &bottleneck.remedy);
        let name = input.scenario.shown_name(c.configuration);
        (key, (name, bottleneck.evidence.clone()))
    });
    let reason = |((kind, remedy), configurations): ((BottleneckKind, &String), Vec<_>)| Reason {
        kind,
        remedy: remedy.clone(),
        configurations,
    };
    grouped(each).into_iter().map(reason).collect()
}

impl Reason {
    /// The bottleneck in a few words.
    pub(crate) fn meaning(&self) -> &'static str {
        match self.kind {
            BottleneckKind::ConsumerWork => "the work on each record",
            BottleneckKind::Store => "the store that records are written to",
            BottleneckKind::ReaderThread => "one thread of the consumer",
            BottleneckKind::AllCores => "the processors",
            BottleneckKind::Brokers => "the brokers, or the network to them",
            BottleneckKind::Quota => "a quota of the cluster",
            BottleneckKind::Producers => "the producers of the load",
            BottleneckKind::FetchSettings => "when and how much the client fetches",
            BottleneckKind::Skew => "one member or thread has more to do than others",
            BottleneckKind::IdleMembers => "members without a partition",
            BottleneckKind::Limit => "the limits of a container or of the memory",
            BottleneckKind::Unknown => "no bottleneck was found",
        }
    }
}

/// Why members were idle: the names of the configurations and the explanation that they share.
pub(crate) fn idle(input: &ReportInput) -> Vec<(String, String)> {
    let all = input.summary.configurations.iter();
    let name = |c: &ConfigurationSummary| input.scenario.shown_name(c.configuration);
    let idle = all.filter_map(|c| Some((c.idle_explanation.as_ref()?, name(c))));
    let entry = |(why, names): (&String, Vec<String>)| (names.join("; "), why.clone());
    grouped(idle).into_iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::report::Fixture;

    #[test]
    fn configurations_with_the_same_remedy_stand_together() {
        let fixture = Fixture::one_vs_two();
        let found = reasons(&fixture.input());
        let number: usize = found.iter().map(|reason| reason.configurations.len()).sum();
        assert_eq!(number, fixture.summary.configurations.len());
        let mut heads: Vec<_> = found
            .iter()
            .map(|reason| (reason.kind.as_str(), &reason.remedy))
            .collect();
        heads.sort_unstable();
        heads.dedup();
        assert!(heads.len() == found.len() && heads.len() < number, "{heads:?}");
    }
}
