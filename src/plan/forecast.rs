//! What a plan will cost: trials, time and data, before anything has been started.

use super::model::{Plan, count};
use super::records::{assumed_work_ns, fit};
use super::window::{FREQUENT_COMMIT_INTERVAL_NS, ObservedWindow, USUAL_COMMIT_INTERVAL_NS, window_ns};
use crate::scenario::{
    AppProgram, Capacity, Configuration, DatasetSpec, Family, GroupProtocol, Keys, Load, Membership, Mode, TrialLength,
    WorkOrdering,
};
use crate::verdict::first_look;

// What follows is as measured by `scripts/evidence/run account` on a machine of two cores; docs/performance.md has the
// parts, and a test holds these figures against it.

/// What comes once in a run: the start of a local broker, checks, the broker's end.
const RUN_SECONDS: f64 = 4.0;

/// Starting, joining and ending of a trial's processes.
const TRIAL_OVERHEAD_SECONDS: f64 = 0.37;

/// The same for a trial in which records arrive, with the making and deleting of its topic and the waiting for what is
/// on its way at the end of the load.
const LIVE_OVERHEAD_SECONDS: f64 = 1.4;

/// What joining takes longer with Kafka's own settings of groups, which brokers have in a run with events: a classic group
/// waits for more members (`group.initial.rebalance.delay.ms`), and of the consumer protocol members hear of their
/// partitions at a heartbeat (`group.consumer.heartbeat.interval.ms`). Kafka's defaults.
const CLASSIC_JOIN_SECONDS: f64 = 3.0;
const CONSUMER_JOIN_SECONDS: f64 = 5.0;

/// Trials in which a search for capacity usually comes to its answer, the second at its upper bound included and the
/// one that confirms it left out; then the same of its quick form.
const SEARCH_TRIALS: u32 = 9;
const QUICK_SEARCH_TRIALS: u32 = 7;
/// The same where no response time is limited: at the highest rate, and just above what is read then.
const UNLIMITED_SEARCH_TRIALS: u32 = 3;
const QUICK_UNLIMITED_SEARCH_TRIALS: u32 = 2;

/// The rates of a search are usually about this share of the highest one.
const SEARCHED_SHARE: f64 = 0.5;

/// Reading without work, bytes per second, where nothing has been measured yet.
const ASSUMED_READ_BYTES_PER_SECOND: f64 = 300e6;

/// Reading without work, records per second, where nothing has been measured yet.
const ASSUMED_READ_RECORDS_PER_SECOND: f64 = 3e6;

/// So many groups read without work as soon as one, on as many cores.
const GROUPS_AT_ONCE: f64 = 2.0;

/// Filling a data set of small records, records per second.
const FILL_RECORDS_PER_SECOND: f64 = 1.1e6;

/// Filling a data set of large records, bytes per second.
const FILL_BYTES_PER_SECOND: f64 = 350e6;

/// What a plan will probably cost. Times rest on what another machine of two cores took, and on no comparison's being
/// decided before the last look or on all being decided at the first; of programs that speak nothing, whose windows have a
/// number of commits, on their committing seldom or often.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// Pilots if none has to be repeated.
    pub pilots: u32,
    /// Trials of blocks that are not counted.
    pub warmup_trials: u32,
    /// Counted trials: the most there can be, where the run goes on until something holds.
    pub counted_trials: u32,
    /// Counted blocks if everything is decided at the first look; where their number is fixed, all of them.
    pub least_blocks: u32,
    /// Trials in which capacities are searched for, if the searches take as many as they usually do.
    pub search_trials: u32,
    /// Longer trials at the end of those searches.
    pub confirming_trials: u32,
    /// Data sets that are filled before the trials, over all clusters.
    pub data_sets: u32,
    /// Records to produce before the trials, over all data sets.
    pub fill_records: u64,
    /// Bytes of values to produce before the trials, before compression, one replica.
    pub fill_bytes: u64,
    /// Bytes of values in the topics that a live or mixed trial makes for itself, one replica; of the largest trial,
    /// because they are deleted after it.
    pub trial_bytes: u64,
    /// What the brokers' disks of each cluster have to hold, every replica counted, without compression.
    pub disk_bytes: u64,
    /// Seconds of filling before the trials.
    pub fill_seconds: f64,
    /// Seconds of all trials, their starting and ending included.
    pub trial_seconds: f64,
    /// The same with [`Forecast::least_blocks`], and of programs that commit often.
    pub least_trial_seconds: f64,
}

impl Forecast {
    /// Pilots, warm-up and counted trials, and those of searches.
    pub fn trials(&self) -> u32 {
        self.pilots + self.warmup_trials + self.counted_trials + self.search_trials + self.confirming_trials
    }

    /// Seconds of the run: of the broker's start, of filling and of all trials.
    pub fn seconds(&self) -> f64 {
        RUN_SECONDS + self.fill_seconds + self.trial_seconds
    }

    /// Both in minutes: `2 to 4 min`, `about 5 min`.
    pub fn minutes(&self) -> String {
        let [least, most] = [self.least_seconds(), self.seconds()].map(|seconds| (seconds / 60.0).round().max(1.0));
        if least < most {
            format!("{least} to {most} min")
        } else {
            format!("about {most} min")
        }
    }

    /// The same if everything is decided at the first look.
    pub fn least_seconds(&self) -> f64 {
        RUN_SECONDS + self.fill_seconds + self.least_trial_seconds
    }
}

impl Plan {
    /// What the plan will probably cost.
    pub fn forecast(&self) -> Forecast {
        let scenario = &self.scenario;
        let configurations = count(scenario.configurations.len());
        let at_most = scenario.repetitions().at_most();
        let least = match scenario.repetitions().until() {
            Some(_) => count(first_look(scenario)).min(at_most),
            None => at_most,
        };
        let (pilots, warmup_blocks, repetitions, searches) = match scenario.capacity {
            Some(_) => (0, 0, 0, configurations),
            None => (self.pilots_wanted(), scenario.warmup_blocks, at_most, 0),
        };
        let search_trials = scenario.capacity.as_ref().map_or(0, search_trials);
        let filled: Vec<&DatasetSpec> = self.filled_data_sets().collect();
        // Each cluster gets all of them.
        let clusters = scenario.clusters().count() as u64;
        let fill_bytes = filled.iter().map(|d| d.value_bytes()).sum::<u64>() * clusters;
        let disk_bytes: u64 = filled
            .iter()
            .map(|d| d.value_bytes().saturating_mul(u64::from(d.replication)))
            .sum();
        let (trial_bytes, trial_disk_bytes) = self.largest_trial_bytes();
        Forecast {
            pilots,
            warmup_trials: configurations.saturating_mul(warmup_blocks),
            counted_trials: configurations.saturating_mul(repetitions),
            least_blocks: least.min(repetitions),
            search_trials: searches.saturating_mul(search_trials),
            confirming_trials: searches,
            data_sets: count(filled.len() * scenario.clusters().count()),
            fill_records: filled.iter().map(|d| d.records).sum::<u64>() * clusters,
            fill_bytes,
            trial_bytes,
            disk_bytes: disk_bytes.saturating_add(trial_disk_bytes),
            fill_seconds: filled.iter().map(|dataset| fill_seconds(dataset)).sum::<f64>() * clusters as f64,
            trial_seconds: self.trials_seconds(at_most, USUAL_COMMIT_INTERVAL_NS),
            least_trial_seconds: self.trials_seconds(least, FREQUENT_COMMIT_INTERVAL_NS),
        }
    }

    /// Parts of families whose record count a pilot has to find.
    fn pilots_wanted(&self) -> u32 {
        match self.scenario.trial {
            TrialLength::Seconds(_) => {
                let families = self.scenario.families.iter().filter(|f| self.is_backlog(f));
                count(families.map(|family| self.scenario.parts(family).len()).sum())
            }
            TrialLength::Records(_) | TrialLength::Everything => 0,
        }
    }

    /// True for a family that reads what lies there; all configurations of a family have one mode.
    fn is_backlog(&self, family: &Family) -> bool {
        let configurations = &self.scenario.configurations;
        family
            .configurations
            .iter()
            .all(|&c| configurations[c].mode == Mode::Backlog)
    }

    /// The data sets that are filled before the trials; those of live and mixed trials are made by each trial.
    fn filled_data_sets(&self) -> impl Iterator<Item = &DatasetSpec> {
        let read = |index: usize| {
            let mut configurations = self.scenario.configurations.iter();
            configurations.any(|c| c.dataset == index && c.mode == Mode::Backlog)
        };
        let sets = self.scenario.datasets.iter().enumerate();
        sets.filter(move |(index, dataset)| dataset.existing().is_none() && read(*index))
            .map(|(_, dataset)| dataset)
    }

    /// Bytes of values in the topics of the largest live or mixed trial, and the same with every replica.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a size that does not fit is the largest there is"
    )]
    fn largest_trial_bytes(&self) -> (u64, u64) {
        let confirm_ns = |configuration: &Configuration, load: &Load| {
            let capacity = self.scenario.capacity.as_ref()?;
            let observed = self.assumed_window(configuration, USUAL_COMMIT_INTERVAL_NS);
            Some(window_ns(capacity, observed, load.rate, capacity.confirm_ns))
        };
        let bytes = |configuration: &Configuration| {
            let load = configuration.mode.load()?;
            let dataset = &self.scenario.datasets[configuration.dataset];
            let arriving = self.arriving_records(load, confirm_ns(configuration, load).unwrap_or(load.duration_ns));
            let bytes = ((arriving + dataset.records as f64) * dataset.size.mean_bytes()) as u64;
            Some((bytes, bytes.saturating_mul(u64::from(dataset.replication))))
        };
        let all = self.scenario.configurations.iter().filter_map(bytes);
        all.fold((0, 0), |(bytes, disk), (b, d)| (bytes.max(b), disk.max(d)))
    }

    /// Records that a load sends, warm-up included.
    fn arriving_records(&self, load: &Load, duration_ns: u64) -> f64 {
        let schedule = load.schedule(load.rate, duration_ns, self.scenario.seed);
        schedule.map_or(0.0, |schedule| schedule.expected())
    }

    /// Seconds of all trials with so many counted blocks, or of a search in which programs that speak nothing commit so often.
    fn trials_seconds(&self, counted_blocks: u32, commit_interval_ns: u64) -> f64 {
        match &self.scenario.capacity {
            Some(capacity) => self.search_seconds(capacity, commit_interval_ns),
            None => self.block_seconds(counted_blocks),
        }
    }

    /// Seconds of pilots and blocks.
    fn block_seconds(&self, counted_blocks: u32) -> f64 {
        let scenario = &self.scenario;
        let blocks = f64::from(scenario.warmup_blocks) + f64::from(counted_blocks);
        let mut seconds = 0.0;
        for family in &scenario.families {
            let backlog = self.is_backlog(family);
            let records = if backlog { self.forecast_records(family) } else { 0 };
            for &configuration in &family.configurations {
                seconds += blocks * self.trial_seconds(&scenario.configurations[configuration], records);
            }
            if let TrialLength::Seconds(wanted) = scenario.trial
                && backlog
            {
                let parts = scenario.parts(family);
                let pilots = parts.iter().filter_map(|part| part.first());
                let starts = pilots
                    .map(|&c| self.start_seconds(&scenario.configurations[c]))
                    .sum::<f64>();
                seconds += parts.len() as f64 * (wanted / 2.0 + TRIAL_OVERHEAD_SECONDS) + starts;
            }
        }
        seconds
    }

    /// Seconds of one trial of a backlog of `records`.
    fn trial_seconds(&self, configuration: &Configuration, records: u64) -> f64 {
        match configuration.mode.load() {
            None => {
                self.read_seconds(configuration, records) + TRIAL_OVERHEAD_SECONDS + self.start_seconds(configuration)
            }
            Some(load) => self.live_seconds(configuration, load, load.duration_ns),
        }
    }

    /// Seconds by which the start of its processes takes longer than that of tandem's own.
    fn start_seconds(&self, configuration: &Configuration) -> f64 {
        let processes = f64::from(configuration.groups * configuration.processes);
        let joining = self.join_seconds(configuration);
        joining
            + match &self.scenario.apps[configuration.app].runs {
                AppProgram::ReadyMade { which, .. } => processes * which.recipe().start_seconds,
                // How long a program of the user's takes is not known.
                AppProgram::Tandem | AppProgram::Program(_) => 0.0,
            }
    }

    /// Seconds by which joining takes longer than with the settings that tandem's brokers have otherwise.
    fn join_seconds(&self, configuration: &Configuration) -> f64 {
        let all = self.scenario.configurations.iter();
        let mut here = all.filter(|c| c.variant.cluster == configuration.variant.cluster);
        let is_ours = self.scenario.cluster_of(configuration).bootstrap().is_none();
        if !is_ours || !here.any(|each| !each.events.is_empty()) {
            return 0.0;
        }
        match &configuration.membership {
            Membership::Manual => 0.0,
            Membership::Group(GroupProtocol::Classic { .. }) => CLASSIC_JOIN_SECONDS,
            Membership::Group(GroupProtocol::Consumer { .. }) => {
                let heartbeat = configuration.heartbeat_ms.map(|ms| ms as f64 / 1e3);
                heartbeat.unwrap_or(CONSUMER_JOIN_SECONDS)
            }
        }
    }

    /// Seconds of a trial in which records arrive; the backlog of a mixed one is filled first.
    fn live_seconds(&self, configuration: &Configuration, load: &Load, duration_ns: u64) -> f64 {
        let filling = fill_seconds(&self.scenario.datasets[configuration.dataset]);
        let starting = LIVE_OVERHEAD_SECONDS + self.start_seconds(configuration);
        (load.warmup_ns + duration_ns) as f64 / 1e9 + filling + starting
    }

    /// Seconds of the searches for capacity.
    fn search_seconds(&self, capacity: &Capacity, commit_interval_ns: u64) -> f64 {
        let seconds_of = |configuration: &Configuration| {
            let load = configuration.mode.load()?;
            let observed = self.assumed_window(configuration, commit_interval_ns);
            // What was read last is seen when it is committed.
            let last_commit = observed.map_or(0.0, |window| window.commit_interval_ns as f64 / 1e9);
            let seconds = |observed, duration_ns| {
                let window_ns = window_ns(capacity, observed, load.rate * SEARCHED_SHARE, duration_ns);
                self.live_seconds(configuration, load, window_ns) + last_commit
            };
            // The first trial shows how often a program commits.
            let first = seconds(None, load.duration_ns);
            let others = f64::from(search_trials(capacity) - 1) * seconds(observed, load.duration_ns);
            Some(first + others + seconds(observed, capacity.confirm_ns))
        };
        self.scenario.configurations.iter().filter_map(seconds_of).sum()
    }

    /// The windows of a program that speaks nothing and commits so often.
    fn assumed_window(&self, configuration: &Configuration, commit_interval_ns: u64) -> Option<ObservedWindow> {
        self.scenario.app_of(configuration).silent()?;
        Some(ObservedWindow {
            commit_interval_ns,
            members: self.working_members(configuration),
        })
    }

    /// Records that each group will probably read in a trial of the family.
    fn forecast_records(&self, family: &Family) -> u64 {
        match self.length_of(family) {
            TrialLength::Records(records) => fit(family, records as f64),
            TrialLength::Everything => family.records_max,
            TrialLength::Seconds(wanted) => {
                let parts = self.scenario.parts(family);
                let pilots = parts.iter().filter_map(|part| part.first());
                let seconds = pilots.map(|&c| self.read_seconds(&self.scenario.configurations[c], 1));
                fit(family, wanted / seconds.fold(1e-12, f64::max))
            }
        }
    }

    /// Seconds in which a configuration will probably read so many records per group.
    fn read_seconds(&self, configuration: &Configuration, records: u64) -> f64 {
        let dataset = &self.scenario.datasets[configuration.dataset];
        let records = records as f64;
        let reading = (records / ASSUMED_READ_RECORDS_PER_SECOND)
            .max(records * dataset.size.mean_bytes() / ASSUMED_READ_BYTES_PER_SECOND)
            * (f64::from(configuration.groups) / GROUPS_AT_ONCE).max(1.0);
        let partitions = dataset.partitions_of_all();
        let members = configuration.members_per_group().min(partitions).max(1);
        let threads = members.saturating_mul(configuration.threads);
        // In order, no more records are worked at once than there are partitions or keys.
        let at_once = match (configuration.ordering, dataset.keys) {
            (WorkOrdering::Partition, _) => threads.min(partitions).max(1),
            (WorkOrdering::Key, Keys::Zipf { count, .. }) => {
                threads.min(u32::try_from(count).unwrap_or(u32::MAX)).max(1)
            }
            (WorkOrdering::Key | WorkOrdering::None, _) => threads,
        };
        let work_ns = assumed_work_ns(configuration);
        reading.max(records * work_ns as f64 / 1e9 / f64::from(at_once))
    }
}

/// Trials of one configuration's search before the one that confirms its answer.
fn search_trials(capacity: &Capacity) -> u32 {
    match (capacity.limit, capacity.is_quick) {
        (Some(_), false) => SEARCH_TRIALS,
        (Some(_), true) => QUICK_SEARCH_TRIALS,
        (None, false) => UNLIMITED_SEARCH_TRIALS,
        (None, true) => QUICK_UNLIMITED_SEARCH_TRIALS,
    }
}

/// Seconds in which a data set is probably filled.
fn fill_seconds(dataset: &DatasetSpec) -> f64 {
    let by_bytes = dataset.value_bytes() as f64 / FILL_BYTES_PER_SECOND;
    by_bytes.max(dataset.records as f64 / FILL_RECORDS_PER_SECOND)
}

#[cfg(test)]
#[path = "forecast_tests.rs"]
mod tests;
