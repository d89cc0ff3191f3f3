//! What a bottleneck is looked for in: a configuration, and what its trials show.

use std::collections::BTreeSet;

use super::observed::Observed;
use super::thresholds::SHORT_SECONDS;
use crate::clients::ClientKind;
use crate::figures::Figures;
use crate::measure::{LoadJudgement, Measurement};
use crate::scenario::{Configuration, DatasetSpec, Place, Scenario, StoreWrite, can};
use crate::stats::count;
use crate::summary::live_model::LiveSummary;

/// What a bottleneck is looked for in.
pub(super) struct Case<'a> {
    pub(super) configuration: &'a Configuration,
    pub(super) dataset: &'a DatasetSpec,
    /// The library of its consumers.
    pub(super) client: ClientKind,
    /// True if its app can work records on several threads.
    pub(super) has_threads: bool,
    /// Processors that its places leave to it, where each of them names some.
    pub(super) cpus: Option<u32>,
    /// True where the readers did not hold what was asked of them, whatever the load's own measurement says.
    pub(super) is_beyond: bool,
    /// Whether the load is held, as the trials say it together.
    pub(super) judged: Option<LoadJudgement>,
    /// Its figures: how long records waited, where the load was held.
    pub(super) figures: Figures,
    pub(super) observed: Observed,
    /// How its members write to a store, where they do.
    pub(super) store_write: Option<StoreWrite>,
}

impl<'a> Case<'a> {
    pub(super) fn new(
        scenario: &'a Scenario,
        index: usize,
        trials: &[&Measurement],
        live: Option<&LiveSummary>,
        figures: Figures,
        is_beyond: bool,
    ) -> Self {
        let configuration = &scenario.configurations[index];
        let dataset = &scenario.datasets[configuration.dataset];
        let judged = live.and_then(|live| live.judgement.clone());
        let mut observed = Observed::of(configuration, dataset, trials);
        if let (Some(load), Some(true)) = (&mut observed.load, live.map(|live| live.overloaded)) {
            load.behind = true;
        }
        let app = &scenario.apps[configuration.app];
        Case {
            configuration,
            dataset,
            client: app.kind(),
            has_threads: can(app, "threads"),
            cpus: cpus(scenario, configuration),
            is_beyond,
            judged,
            figures,
            observed,
            store_write: scenario.store.as_ref().map(|store| store.write),
        }
    }

    /// What its client calls a property of librdkafka, as code.
    pub(super) fn property(&self, librdkafka: &'static str) -> String {
        format!("`{}`", self.client.name_of(librdkafka).unwrap_or(librdkafka))
    }

    /// True where the readers fell behind what arrived.
    pub(super) fn is_behind(&self) -> bool {
        self.observed.load.as_ref().is_some_and(|load| load.behind)
    }

    /// True where the trials are too short for most figures.
    pub(super) fn is_short(&self) -> bool {
        self.observed.seconds.is_some_and(|seconds| seconds < SHORT_SECONDS)
    }

    /// The same over the part of the time in which records lay before the readers.
    pub(super) fn while_behind(&self) -> Option<Case<'a>> {
        Some(Case {
            judged: None,
            figures: Figures::default(),
            observed: self.observed.while_behind()?,
            ..*self
        })
    }

    /// True where there is always something to fetch. Readers that keep up with what arrives wait because nothing is
    /// there, in a live trial or once a backlog is gone; their waiting says nothing of the fetching.
    pub(super) fn is_never_without_records(&self) -> bool {
        self.observed.load.as_ref().is_none_or(|load| load.behind)
    }
}

/// The processors that the places of a configuration leave to it together, where each of them names some of one machine's.
fn cpus(scenario: &Scenario, configuration: &Configuration) -> Option<u32> {
    let places: Vec<&Place> = scenario.places_of(configuration).collect();
    let is_one_machine = places.iter().all(|place| place.ssh == places[0].ssh);
    let named: Option<Vec<BTreeSet<u32>>> = places.iter().map(|place| place.processors()).collect();
    let all: BTreeSet<u32> = named.filter(|_| is_one_machine)?.into_iter().flatten().collect();
    Some(count(all.len()))
}
