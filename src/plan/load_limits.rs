//! What arithmetic knows of a load before anything runs: how much the busiest member can work at most, and the smallest
//! growth of the lag that a window will tell from none.

use super::model::Plan;
use super::shares::Shares;
use crate::measure::overload::resolution_expected;
use crate::measure::percent;
use crate::scenario::{Configuration, DatasetSpec, Keys, Load, WorkOrdering};
use crate::wording::{plural, thousands};

const NS_PER_SECOND: f64 = 1e9;
/// From this share of the maximum rate on, a load counts as full: members have no time left over.
const FULL: f64 = 0.95;
/// Keys of a distribution beyond which the rest adds nothing worth having to the sum of the weights.
const KEYS_SUMMED: u64 = 1_000_000;

/// What is known of one configuration's load.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadLimit {
    /// Its index.
    pub configuration: usize,
    /// Records per second that its members can work at most; `None` where there is no work of a known length.
    pub at_most: Option<f64>,
    /// How that comes about: `4 members x 3 ms`.
    pub because: String,
    /// Records per second of the load; the mean where the rate changes.
    pub load: f64,
    /// The smallest growth of a lag that a window tells from none, as a share of what arrives.
    pub resolution: f64,
    /// Length of a window, seconds.
    pub window_seconds: f64,
    /// How the members share the partitions, where that alone decides what they can work: all records take equally
    /// long, all partitions have equally many, and each member works one record after the other.
    pub shares: Option<Shares>,
}

impl LoadLimit {
    /// The maximum rate of the members and whether it suffices, as a sentence; `None` if it is unknown.
    pub fn sentence(&self) -> Option<String> {
        let at_most = self.at_most?;
        let load = rate_text(self.load);
        let against = match self.load / at_most {
            share if share > 1.0 => format!("below the load of {load}/s"),
            share if share >= FULL => format!("which leaves nothing to spare at the load of {load}/s"),
            share => format!("{:.0} % of it used by the load of {load}/s", share * 100.0),
        };
        Some(format!(
            "{} = {}/s at most, {against}",
            self.because,
            rate_text(at_most)
        ))
    }

    /// True where the load is at least about what can be worked.
    pub fn is_full(&self) -> bool {
        self.at_most.is_some_and(|at_most| self.load >= at_most * FULL)
    }

    /// What growth of the lag a window will resolve.
    pub fn resolution_sentence(&self) -> String {
        format!(
            "a window of {} s tells a growth of the lag from none where it is at least {} % of what arrives; a trial \
             that shows less and has little to spare says \"cannot say\"",
            whole_or_tenth(self.window_seconds),
            percent(self.resolution)
        )
    }
}

/// How a group's work is divided, as far as that is known before.
struct Division {
    members: u32,
    /// Share of the arrivals that the busiest member has at least, and that of the busiest lane within a member.
    member_share: f64,
    lane_share: Option<f64>,
    /// Records that a member works at once.
    at_once: f64,
    /// Partitions of the busiest member, and of all.
    held: (u32, u32),
}

impl Division {
    fn of(configuration: &Configuration, dataset: &DatasetSpec) -> Division {
        let partitions = dataset.partitions_of_all().max(1);
        let members = configuration.members_per_group().clamp(1, partitions);
        // No assignment gives the busiest member fewer.
        let held = partitions.div_ceil(members);
        let hottest_key = hottest_key(dataset.keys) / f64::from(dataset.topics.max(1));
        let one_partition = 1.0 / f64::from(partitions);
        let threads = configuration.threads.max(1);
        let (at_once, lane_share) = match configuration.ordering {
            _ if threads == 1 => (1, None),
            WorkOrdering::None => (threads, None),
            WorkOrdering::Partition => (threads.min(held), Some(one_partition.max(hottest_key))),
            WorkOrdering::Key => (threads, Some(hottest_key).filter(|share| *share > 0.0)),
        };
        Division {
            members,
            member_share: (f64::from(held) * one_partition).max(hottest_key),
            lane_share,
            at_once: f64::from(at_once),
            held: (held, partitions),
        }
    }

    /// Records per second that a group can work at most where each takes so long.
    fn at_most(&self, work_seconds: f64) -> f64 {
        let by_members = self.at_once / work_seconds / self.member_share;
        let by_lanes = self.lane_share.map(|share| 1.0 / work_seconds / share);
        by_members.min(by_lanes.unwrap_or(f64::INFINITY))
    }

    fn because(&self, work_ns: u64) -> String {
        let members = plural(self.members, "member");
        let work = time(work_ns);
        let threads = if self.at_once > 1.0 {
            format!(" x {} threads", self.at_once)
        } else {
            String::new()
        };
        let by_lane = self
            .lane_share
            .is_some_and(|lane| lane * self.at_once > self.member_share * (1.0 + 1e-9));
        let even = f64::from(self.members) * self.member_share < 1.0 + 1e-9;
        match self.lane_share {
            Some(lane) if by_lane => {
                format!("{:.0} % of the records in an order of their own x {work}", lane * 100.0)
            }
            _ if even => format!("{members}{threads} x {work}"),
            _ if self.member_share > f64::from(self.held.0) / f64::from(self.held.1) + 1e-9 => {
                format!(
                    "{members}{threads} x {work}, {:.0} % of the records for one",
                    self.member_share * 100.0
                )
            }
            _ => {
                let (held, partitions) = self.held;
                format!("{members}{threads} x {work}, {held} of {partitions} partitions for the busiest")
            }
        }
    }
}

/// Share of the records that have the commonest key; all of them go to one partition. 0 where no key is common.
fn hottest_key(keys: Keys) -> f64 {
    match keys {
        Keys::None | Keys::Unique => 0.0,
        Keys::Zipf { exponent, count } => {
            let weights = (1..=count.clamp(1, KEYS_SUMMED)).map(|key| (key as f64).powf(-exponent));
            1.0 / weights.sum::<f64>()
        }
    }
}

impl Plan {
    /// What is known of every load, in the order of the configurations.
    pub fn load_limits(&self) -> Vec<LoadLimit> {
        let configurations = self.scenario.configurations.iter().enumerate();
        let limits = configurations.filter_map(|(index, configuration)| {
            let load = configuration.mode.load()?;
            let dataset = &self.scenario.datasets[configuration.dataset];
            let division = Division::of(configuration, dataset);
            // Where nobody knows beforehand how long the work takes, no limit is given.
            let work_ns = configuration.work.ns().filter(|ns| *ns > 0);
            let mean = self.mean_rate(load);
            let window_seconds = load.duration_ns as f64 / NS_PER_SECOND;
            let is_even = dataset.keys == Keys::None && dataset.weights.is_empty() && configuration.threads == 1;
            let records = mean * division.member_share * window_seconds;
            Some(LoadLimit {
                configuration: index,
                at_most: work_ns.map(|ns| division.at_most(ns as f64 / NS_PER_SECOND)),
                because: work_ns.map_or(String::new(), |ns| division.because(ns)),
                load: mean,
                resolution: resolution_expected(records, gap_variation(load, dataset, &division), window_seconds),
                window_seconds,
                shares: work_ns.filter(|_| is_even).map(|work_ns| Shares {
                    held: division.held.0,
                    partitions: division.held.1,
                    work_ns,
                }),
            })
        });
        limits.collect()
    }

    fn mean_rate(&self, load: &Load) -> f64 {
        let seconds = (load.duration_ns as f64 / NS_PER_SECOND).max(f64::MIN_POSITIVE);
        let schedule = load.schedule(load.rate, load.duration_ns, self.scenario.seed).ok();
        schedule.map_or(load.rate, |schedule| {
            (schedule.expected() - schedule.expected_until(load.warmup_ns)) / seconds
        })
    }
}

/// Squared coefficient of variation of the gaps at the busiest member, as [`crate::measure::overload`] takes it.
fn gap_variation(load: &Load, dataset: &DatasetSpec, division: &Division) -> f64 {
    let of_all = load.arrivals.gap_variation();
    if dataset.keys == Keys::None {
        of_all * division.member_share
    } else {
        of_all.max(1.0)
    }
}

/// A rate to the record, below ten with a decimal, with commas.
fn rate_text(rate: f64) -> String {
    if rate < 9.95 {
        format!("{rate:.1}")
    } else {
        thousands(rate)
    }
}

fn whole_or_tenth(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

/// `3 ms`, `250 us`.
fn time(ns: u64) -> String {
    if ns.is_multiple_of(1_000_000) {
        format!("{} ms", ns / 1_000_000)
    } else {
        format!("{} us", ns as f64 / 1e3)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    fn limits(tables: &str) -> Vec<LoadLimit> {
        let text = format!("question = '?'\nrepetitions = 6\n{tables}");
        Plan::new(parse("mine", "mine.toml", &text).unwrap()).load_limits()
    }

    fn said(tables: &str) -> String {
        limits(tables)[0].sentence().unwrap()
    }

    #[test]
    fn what_members_can_work_is_held_against_the_load() {
        let four = "[dataset]\npartitions = 4\n[consumer]\nconsumers = 4\nwork = 'wait 3ms'\n[load]\nrate = 2_000";
        assert_eq!(
            said(four),
            "4 members x 3 ms = 1,333/s at most, below the load of 2,000/s"
        );
        assert!(limits(four)[0].is_full());
        let one = "[consumer]\nwork = 'cpu 250us'\n[load]\nrate = 1_000";
        assert_eq!(
            said(one),
            "1 member x 250 us = 4,000/s at most, 25 % of it used by the load of 1,000/s"
        );
        assert!(!limits(one)[0].is_full());
    }

    #[test]
    fn the_busiest_member_counts_and_not_the_mean() {
        let eight = "[dataset]\npartitions = 12\n[consumer]\nconsumers = 8\nwork = 'wait 3ms'\n[load]\nrate = 2_000";
        assert_eq!(
            said(eight),
            "8 members x 3 ms, 2 of 12 partitions for the busiest = 2,000/s at most, which leaves nothing to spare at \
             the load of 2,000/s"
        );
        // Members without partitions work nothing.
        let idle = "[dataset]\npartitions = 2\n[consumer]\nconsumers = 8\nwork = 'wait 2ms'\n[load]\nrate = 2_000";
        assert_eq!(
            said(idle),
            "2 members x 2 ms = 1,000/s at most, below the load of 2,000/s"
        );
    }

    #[test]
    fn threads_work_at_once_as_far_as_the_order_lets_them() {
        let most_per_second = |ordering: &str, keys: &str| {
            let tables = format!(
                "[dataset]\npartitions = 2\n{keys}[consumer]\nwork = 'wait 1ms'\nthreads = 4\nordering = '{ordering}'\n\
                 [load]\nrate = 100"
            );
            limits(&tables)[0].at_most.unwrap().round().to_string()
        };
        assert_eq!(most_per_second("none", ""), "4000");
        assert_eq!(most_per_second("partition", ""), "2000");
        assert_eq!(most_per_second("key", "keys = { zipf = 0, count = 2 }\n"), "2000");
        assert_eq!(most_per_second("key", "keys = 'unique'\n"), "4000");
    }

    #[test]
    fn a_longer_window_resolves_less_growth_and_poisson_arrivals_more() {
        let resolution = |duration: u32, arrivals: &str| {
            let tables = format!("[load]\nrate = 500\nduration = {duration}\narrivals = '{arrivals}'");
            limits(&tables)[0].resolution
        };
        assert!(resolution(4, "poisson") > 2.0 * resolution(20, "poisson"));
        assert!(resolution(4, "poisson") > 4.0 * resolution(4, "constant"));
    }
}
