//! Why a configuration is as fast as it is: one bottleneck for each, by fixed rules over what its trials recorded, with
//! the figures that led to it and what would change it. The rules and their thresholds stand in `rules.rs`.

mod behind;
mod fetching;
mod limit;
#[cfg(test)]
mod loads_tests;
mod observed;
mod remedies;
mod response;
mod rules;
mod spread;
#[cfg(test)]
mod spread_tests;
#[cfg(test)]
mod tests;
mod threads;
mod words;

use serde::{Deserialize, Serialize};

use self::observed::Observed;
use crate::figures::Figures;
use crate::measure::limits::processors;
use crate::measure::{LoadJudgement, Measurement, Status, Trial};
use crate::scenario::{Configuration, DatasetSpec, Scenario};
use crate::summary::configurations::count;
use crate::summary::{CapacitySummary, LiveSummary, live};

/// What keeps a configuration from being faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BottleneckKind {
    /// What members do with each record, or the commits that they wait for.
    ConsumerWork,
    /// One thread of a consumer, the one that reads or one of its client library: it has a full core, or readers wait and
    /// its unpacking is the longest part of the fetching.
    ReaderThread,
    /// The cores of the machine, or those that the consumers may use.
    AllCores,
    /// The brokers, or the way to them.
    Brokers,
    /// A quota of the cluster.
    Quota,
    /// The producers of the load.
    Producers,
    /// When, or how much, the client library fetches.
    FetchSettings,
    /// One member, or one thread of a member, has more to do than the others.
    Skew,
    /// Members without a partition.
    IdleMembers,
    /// A CPU quota that is used up, or memory that has no room for the data in the page cache.
    Limit,
    /// None of these, or too little is known.
    Unknown,
}

impl BottleneckKind {
    /// Every kind, in the order in which the documents explain them.
    pub const ALL: [BottleneckKind; 11] = [
        BottleneckKind::Limit,
        BottleneckKind::Producers,
        BottleneckKind::IdleMembers,
        BottleneckKind::Skew,
        BottleneckKind::ConsumerWork,
        BottleneckKind::Quota,
        BottleneckKind::AllCores,
        BottleneckKind::ReaderThread,
        BottleneckKind::Brokers,
        BottleneckKind::FetchSettings,
        BottleneckKind::Unknown,
    ];

    /// As it stands in `summary.csv`.
    pub fn as_str(self) -> &'static str {
        match self {
            BottleneckKind::ConsumerWork => "consumer-work",
            BottleneckKind::ReaderThread => "reader-thread",
            BottleneckKind::AllCores => "all-cores",
            BottleneckKind::Brokers => "brokers",
            BottleneckKind::Quota => "quota",
            BottleneckKind::Producers => "producers",
            BottleneckKind::FetchSettings => "fetch-settings",
            BottleneckKind::Skew => "skew",
            BottleneckKind::IdleMembers => "idle-members",
            BottleneckKind::Limit => "limit",
            BottleneckKind::Unknown => "unknown",
        }
    }
}

/// What limits a configuration, how that is known, and what would change it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bottleneck {
    /// Which.
    pub kind: BottleneckKind,
    /// The figures that led to it, medians over the used trials; for an unknown one what was seen, or why nothing was.
    pub evidence: String,
    /// What would change it, and what would not.
    pub remedy: String,
}

impl Bottleneck {
    /// One that cannot be named, and why.
    fn unknown(reason: &str, remedy: &str) -> Self {
        Bottleneck {
            kind: BottleneckKind::Unknown,
            evidence: reason.to_owned(),
            remedy: remedy.to_owned(),
        }
    }
}

/// Of a summary that was stored before bottlenecks were named.
impl Default for Bottleneck {
    fn default() -> Self {
        Bottleneck::unknown("not looked for by the version that made this summary", "")
    }
}

/// What a bottleneck is looked for in.
struct Case<'a> {
    configuration: &'a Configuration,
    dataset: &'a DatasetSpec,
    /// Processors that its place leaves to it, where that is less than the machine.
    cpus: Option<u32>,
    /// True where the readers did not hold what was asked of them, whatever the load's own measurement says.
    is_beyond: bool,
    /// Whether the load is held, as the trials say it together.
    judged: Option<LoadJudgement>,
    /// Its figures: how long records waited, where the load was held.
    figures: Figures,
    observed: Observed,
}

impl<'a> Case<'a> {
    fn new(
        scenario: &'a Scenario,
        index: usize,
        trials: &[&Measurement],
        live: Option<&LiveSummary>,
        figures: Figures,
        is_beyond: bool,
    ) -> Self {
        let configuration = &scenario.configurations[index];
        let dataset = &scenario.datasets[configuration.dataset];
        let place = scenario.places.get(configuration.place);
        let judged = live.and_then(|live| live.judgement.clone());
        let mut observed = Observed::of(configuration, dataset, trials);
        if let (Some(load), Some(true)) = (&mut observed.load, live.map(|live| live.overloaded)) {
            load.behind = true;
        }
        Case {
            configuration,
            dataset,
            cpus: place.and_then(|place| Some(count(processors(place.cpus.as_deref()?)?.len()))),
            is_beyond,
            judged,
            figures,
            observed,
        }
    }

    /// True where the readers fell behind what arrived.
    fn is_behind(&self) -> bool {
        self.observed.load.as_ref().is_some_and(|load| load.behind)
    }

    /// True where the trials are too short for most figures.
    fn is_short(&self) -> bool {
        self.observed
            .seconds
            .is_some_and(|seconds| seconds < rules::SHORT_SECONDS)
    }

    /// The same over the part of the time in which records lay before the readers.
    fn while_behind(&self) -> Option<Case<'a>> {
        Some(Case {
            judged: None,
            figures: Figures::default(),
            observed: self.observed.while_behind()?,
            ..*self
        })
    }
}

/// The bottleneck of a configuration, from its used trials.
pub(super) fn find(
    scenario: &Scenario,
    index: usize,
    used: &[&Measurement],
    live: Option<&LiveSummary>,
    figures: &Figures,
) -> Bottleneck {
    if used.is_empty() {
        return Bottleneck::unknown("no trial of it takes part in the figures", "");
    }
    rules::judge(&Case::new(scenario, index, used, live, figures.clone(), false))
}

/// What ends a capacity: the bottleneck at the lowest rate that was not held, from all trials of the search at it.
pub(super) fn of_capacity(scenario: &Scenario, index: usize, found: &CapacitySummary, trials: &[Trial]) -> Bottleneck {
    let of_search = |wanted: &dyn Fn(&Trial, &Measurement) -> bool| {
        let mine = trials
            .iter()
            .filter(|trial| trial.order.configuration == index && trial.status == Status::Complete);
        let measured = mine.filter_map(|trial| Some((trial, trial.measurement.as_ref()?)));
        let wanted = measured.filter(|(trial, measurement)| wanted(trial, measurement));
        wanted
            .map(|(_, measurement)| measurement)
            .collect::<Vec<&Measurement>>()
    };
    let is_reached = |m: &Measurement| m.load.as_ref().is_none_or(|load| load.reached);
    let beyond = if found.limited_by_load {
        of_search(&|_, m| !is_reached(m))
    } else {
        of_search(&|trial, _| trial.order.load.map(|load| load.rate) == found.high && found.high.is_some())
    };
    if beyond.is_empty() {
        let reason = "no rate that it was tried at was too high for it";
        return Bottleneck::unknown(reason, "a search that goes on to higher rates would show where it ends");
    }
    let configuration = &scenario.configurations[index];
    let live = live::summarise(&configuration.mode, &beyond);
    let case = Case::new(
        scenario,
        index,
        &beyond,
        live.as_ref(),
        Figures::of_all(configuration, &beyond),
        true,
    );
    let mut bottleneck = rules::judge(&case);
    bottleneck.evidence = format!("at the lowest rate that it did not hold: {}", bottleneck.evidence);
    bottleneck
}
