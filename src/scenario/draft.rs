//! The tables of a scenario file with every value valid by itself; the combinations are not checked yet.

use std::ops::Range;

use crate::clients::ClientKind;

use super::keys::{CapacityKeys, RequireKeys, Setting, Settings, StoreKeys, TableKeys as _, TopKeys, TrialKeys};
use super::model::{AppSpec, Capacity, ClusterSpec, Place, ResponseLimit, StoreSpec, TrialLength};

/// The tables of a file.
pub(super) struct Draft {
    pub(super) top: TopKeys,
    pub(super) trial: TrialKeys,
    /// The header of `[trial]`, where there is one.
    pub(super) trial_header: Option<Range<usize>>,
    pub(super) cluster: ClusterSpec,
    pub(super) places: Vec<Place>,
    /// tandem's own worker, then those of `[[app]]`.
    pub(super) apps: Vec<AppSpec>,
    /// By whose names `[consumer.client]` goes: those of the apps that the file names.
    pub(super) kinds: Vec<ClientKind>,
    /// Of `[dataset]`, `[consumer]` and `[load]`.
    pub(super) defaults: Vec<Setting<Settings>>,
    /// The header of `[load]`, where there is one: its configurations are live unless they say otherwise.
    pub(super) load_span: Option<Range<usize>>,
    pub(super) store: Option<DraftStore>,
    pub(super) capacity: Option<DraftCapacity>,
    pub(super) requirements: Vec<DraftRequirement>,
    pub(super) axes: Vec<DraftAxis>,
    /// At least one; unnamed where the file has none.
    pub(super) cases: Vec<DraftCase>,
}

/// A key of `[matrix]`.
pub(super) struct DraftAxis {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    /// At least one.
    pub(super) values: Vec<Setting<Settings>>,
}

/// A `[[require]]`.
pub(super) struct DraftRequirement {
    pub(super) keys: RequireKeys,
    pub(super) span: Range<usize>,
}

/// A `[[case]]`.
#[derive(Default)]
pub(super) struct DraftCase {
    pub(super) name: String,
    pub(super) span: Range<usize>,
    pub(super) settings: Vec<Setting<Settings>>,
}

/// `[store]`
pub(super) struct DraftStore {
    /// The header.
    pub(super) span: Range<usize>,
    pub(super) keys: StoreKeys,
}

/// `[capacity]`
pub(super) struct DraftCapacity {
    /// The header.
    pub(super) span: Range<usize>,
    pub(super) keys: CapacityKeys,
    pub(super) limit: Option<ResponseLimit>,
    /// The key of the limit, where there is one.
    pub(super) limit_span: Option<Range<usize>>,
}

impl DraftCapacity {
    /// How many times as long as a trial of the search the confirming one is, where nothing is given.
    const CONFIRM_FACTOR: u64 = 3;
}

impl Draft {
    /// The settings of the file without matrix and cases.
    pub(super) fn default_settings(&self) -> Settings {
        Settings::from_settings(&self.defaults)
    }

    /// What the search looks for; the length of its trials is that of the file.
    pub(super) fn search(&self) -> Option<Capacity> {
        let capacity = self.capacity.as_ref()?;
        let duration_ns = self.default_settings().duration_ns;
        let three_times = duration_ns.saturating_mul(DraftCapacity::CONFIRM_FACTOR);
        Some(Capacity {
            limit: capacity.limit,
            precision: capacity.keys.precision,
            confirm_ns: capacity.keys.confirm_ns.unwrap_or(three_times),
            is_quick: false,
        })
    }

    /// The store in which records end.
    pub(super) fn store(&self) -> Option<StoreSpec> {
        let StoreKeys {
            kind,
            write,
            url,
            on_error,
            ..
        } = self.store.as_ref()?.keys.clone();
        Some(StoreSpec {
            // A table without it was an error before.
            kind: kind?,
            write,
            url,
            on_error,
        })
    }

    /// The length of trials; those of existing topics read all of them where the file says nothing else.
    pub(super) fn trial_length(&self) -> TrialLength {
        match self.trial.records {
            Some(records) => TrialLength::Records(records),
            None if self.trial.given("seconds").is_none() && self.default_settings().reads_existing() => {
                TrialLength::Everything
            }
            None => TrialLength::Seconds(self.trial.seconds),
        }
    }

    /// The first values of the matrix and the settings of cases: what varies.
    pub(super) fn varying(&self) -> impl Iterator<Item = &Setting<Settings>> {
        let firsts = self.axes.iter().filter_map(|axis| axis.values.first());
        firsts.chain(self.cases.iter().flat_map(|case| &case.settings))
    }
}
