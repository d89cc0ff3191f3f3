//! What follows from the settings of a configuration taken together.

use std::collections::BTreeSet;

use super::keys::{BYTES_PER_MIB, PRODUCER, Settings, Table, TableKeys as _};
use super::kinds::ModeName;
use super::model::{Keys, Load, Mode, Producers};
use super::problem::Problem;

/// Where nobody gives a rate a search begins with so many records, or MiB of them, per second: more than most programs
/// read, so that what they read of it is about what they can.
const OPEN_RATE_MAX: f64 = 100_000.0;
const OPEN_MIB_MAX: f64 = 20.0;

impl Settings {
    /// A problem at the place where the first of these keys was given.
    pub(super) fn problem_at(&self, keys: &[&str], message: &str, allowed: String) -> Option<Problem> {
        let given = keys.iter().find_map(|key| self.given(key))?;
        Some(Problem::new(given.span.clone(), message, allowed))
    }

    /// Partitions over all topics.
    pub(super) fn partitions_total(&self) -> u64 {
        u64::from(self.partitions) * u64::from(self.topics)
    }

    /// Members of one group.
    pub(super) fn members_per_group(&self) -> u64 {
        u64::from(self.processes) * u64::from(self.consumers)
    }

    /// Places that have a process.
    fn places_with_processes(&self) -> u32 {
        let used: BTreeSet<&String> = self.places.iter().take(self.processes as usize).collect();
        u32::try_from(used.len()).unwrap_or(u32::MAX)
    }

    /// True where every partition holds the same number of records.
    pub(super) fn partitions_are_equal(&self) -> bool {
        self.weights.is_empty() && self.keys == Keys::None
    }

    /// True where topics are read that exist.
    pub(super) fn reads_existing(&self) -> bool {
        self.topic.is_some()
    }

    /// True where records lie in topics of the run before a trial begins.
    pub(super) fn is_filled(&self) -> bool {
        self.mode_name() != ModeName::Live && !self.reads_existing()
    }

    /// What the trials do.
    pub(super) fn mode_name(&self) -> ModeName {
        self.mode.unwrap_or_default()
    }

    /// True where records arrive while others are read, or are all that is read.
    pub(super) fn has_load(&self) -> bool {
        self.mode_name() != ModeName::Backlog
    }

    /// The records that arrive; `None` for a backlog, and where no rate was given.
    pub(super) fn load(&self) -> Option<Load> {
        let by_bytes = |mib: f64| mib * BYTES_PER_MIB / self.size.mean_bytes();
        let rate = self.rate.or(self.mib_per_second.map(by_bytes));
        self.has_load().then(|| Load {
            rate: rate.unwrap_or_else(|| OPEN_RATE_MAX.min(by_bytes(OPEN_MIB_MAX))),
            rate_is_open: rate.is_none(),
            arrivals: self.arrivals,
            shape: self.profile.clone(),
            duration_ns: self.duration_ns,
            warmup_ns: self.warmup_ns,
            drain_ns: self.drain_ns,
            late_ns: self.late_ns,
            producers: match self.producers {
                Producers::Number(number) => number,
                Producers::Beside => self.places_with_processes(),
            },
            is_beside: self.producers == Producers::Beside,
            properties: self.producer_properties.clone(),
        })
    }

    /// The mode with its load. One that needs a load and has no rate was an error before.
    pub(super) fn mode(&self) -> Mode {
        match (self.mode_name(), self.load()) {
            (ModeName::Live, Some(load)) => Mode::Live(load),
            (ModeName::Mixed, Some(load)) => Mode::Mixed(load),
            (ModeName::Backlog, _) | (_, None) => Mode::Backlog,
        }
    }
}

/// True for a key that says how records arrive: those of `[load]`, but for `mode`.
pub(super) fn is_load_key(key: &str) -> bool {
    let of_load = Settings::key_in(Table::Load, key).is_some() && key != "mode";
    of_load || key.starts_with(PRODUCER)
}
