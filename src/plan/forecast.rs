//! What a plan will cost: trials, time and data, before anything has been started.

use super::records::fit;
use super::{Plan, count};
use crate::scenario::{Configuration, DatasetSpec, Family, TrialLength, Work, WorkOrdering};

/// Starting, joining and ending of a trial's processes, seconds, as usual on a machine of a few cores.
const TRIAL_OVERHEAD_SECONDS: f64 = 1.2;

/// Reading without work, bytes per second, where nothing has been measured yet.
const ASSUMED_READ_BYTES_PER_SECOND: f64 = 300e6;

/// Reading without work, records per second, where nothing has been measured yet.
const ASSUMED_READ_RECORDS_PER_SECOND: f64 = 3e6;

/// Filling a data set, bytes per second, where nothing has been measured yet.
const ASSUMED_FILL_BYTES_PER_SECOND: f64 = 60e6;

/// What a plan will probably cost. Times are rough: they rest on assumed rates, not on this machine's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// Pilots if none has to be repeated.
    pub pilots: u32,
    /// Trials of blocks that are not counted.
    pub warmup_trials: u32,
    /// Counted trials.
    pub counted_trials: u32,
    /// Records to produce, over all data sets.
    pub fill_records: u64,
    /// Bytes of values to produce, before compression, one replica.
    pub fill_bytes: u64,
    /// The same with every replica: what the brokers' disks have to hold, without compression.
    pub disk_bytes: u64,
    /// Seconds of filling.
    pub fill_seconds: f64,
    /// Seconds of all trials, their starting and ending included.
    pub trial_seconds: f64,
}

impl Forecast {
    /// Pilots, warm-up and counted trials.
    pub fn trials(&self) -> u32 {
        self.pilots + self.warmup_trials + self.counted_trials
    }

    /// Seconds of filling and of all trials.
    pub fn seconds(&self) -> f64 {
        self.fill_seconds + self.trial_seconds
    }
}

impl Plan {
    /// What the plan will probably cost.
    pub fn forecast(&self) -> Forecast {
        let scenario = &self.scenario;
        let configurations = count(scenario.configurations.len());
        let pilots = match scenario.trial {
            TrialLength::Seconds(_) => count(scenario.families.len()),
            TrialLength::Records(_) => 0,
        };
        let warmup_trials = configurations.saturating_mul(scenario.warmup_blocks);
        let counted_trials = configurations.saturating_mul(scenario.repetitions);
        let blocks = f64::from(scenario.warmup_blocks) + f64::from(scenario.repetitions);
        let mut trial_seconds = 0.0;
        for family in &scenario.families {
            let records = self.forecast_records(family);
            for &configuration in &family.configurations {
                let seconds = self.read_seconds(&scenario.configurations[configuration], records);
                trial_seconds += blocks * (seconds + TRIAL_OVERHEAD_SECONDS);
            }
            if let TrialLength::Seconds(wanted) = scenario.trial {
                trial_seconds += wanted / 2.0 + TRIAL_OVERHEAD_SECONDS;
            }
        }
        let fill_bytes: u64 = scenario.datasets.iter().map(DatasetSpec::value_bytes).sum();
        let disk_bytes = scenario
            .datasets
            .iter()
            .map(|d| d.value_bytes().saturating_mul(u64::from(d.replication)));
        Forecast {
            pilots,
            warmup_trials,
            counted_trials,
            fill_records: scenario.datasets.iter().map(|d| d.records).sum(),
            fill_bytes,
            disk_bytes: disk_bytes.sum(),
            fill_seconds: fill_bytes as f64 / ASSUMED_FILL_BYTES_PER_SECOND,
            trial_seconds,
        }
    }

    /// Records that each group will probably read in a trial of the family.
    fn forecast_records(&self, family: &Family) -> u64 {
        match self.scenario.trial {
            TrialLength::Records(records) => fit(family, records as f64),
            TrialLength::Seconds(wanted) => {
                let first = family.configurations.first().map(|&c| &self.scenario.configurations[c]);
                let rate = first.map_or(1.0, |c| 1.0 / self.read_seconds(c, 1).max(1e-12));
                fit(family, wanted * rate)
            }
        }
    }

    /// Seconds in which a configuration will probably read so many records per group.
    fn read_seconds(&self, configuration: &Configuration, records: u64) -> f64 {
        let dataset = &self.scenario.datasets[configuration.dataset];
        let records = records as f64;
        let reading = (records / ASSUMED_READ_RECORDS_PER_SECOND)
            .max(records * dataset.size.mean_bytes() / ASSUMED_READ_BYTES_PER_SECOND)
            * f64::from(configuration.groups);
        let partitions = dataset.partitions * dataset.topics;
        let members = configuration.members_per_group().min(partitions).max(1);
        // In the order of their partitions no more records are worked at once than there are partitions.
        let at_once = match configuration.ordering {
            WorkOrdering::Partition => members.saturating_mul(configuration.threads).min(partitions).max(1),
            WorkOrdering::Key | WorkOrdering::None => members.saturating_mul(configuration.threads),
        };
        let work = match configuration.work {
            Work::None => 0.0,
            Work::Cpu { ns } | Work::Wait { ns } => records * ns as f64 / 1e9 / f64::from(at_once),
        };
        reading.max(work)
    }
}
