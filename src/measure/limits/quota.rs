//! CPU quotas: so much CPU time in each period, after which every thread of the group stands still until the next.

use serde::{Deserialize, Serialize};

use super::cgroup::{Group, Hierarchies, Version};
use super::kernel::{Kernel, field};
use super::names::{Party, group_name, place_of_group};

/// A CPU quota (`cpu.max`, or `cpu.cfs_quota_us` of cgroup v1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// The control group that has it, by its path.
    pub cgroup: String,
    /// The place whose container that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// CPU time that the group may use in a period, microseconds.
    pub quota_us: u64,
    /// Length of a period, microseconds.
    pub period_us: u64,
}

impl Quota {
    /// Cores that it comes to.
    pub fn cores(&self) -> f64 {
        self.quota_us as f64 / self.period_us as f64
    }

    /// The same in thousandths of a core: an integer, which has a total order.
    pub(super) fn millicores(&self) -> u64 {
        self.quota_us.saturating_mul(1_000) / self.period_us
    }

    /// `CPU quota of the cgroup /x`, or ``cpu_limit` of place x``.
    pub fn name(&self) -> String {
        match self.place() {
            Some(place) => format!("`cpu_limit` of place {place}"),
            None => format!("CPU quota of {}", group_name(&self.cgroup)),
        }
    }

    /// The place whose processes the run itself, or a container engine for it, has put under it.
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref().or_else(|| place_of_group(&self.cgroup))
    }
}

/// What a quota did between two moments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaEffect {
    /// The quota.
    pub quota: Quota,
    /// Whose processes are under it.
    pub of: Vec<Party>,
    /// True if the coordinator and every worker are.
    #[serde(rename = "whole")]
    pub covers_all: bool,
    /// Periods in which some thread of the group wanted to run.
    pub periods: u64,
    /// Of these, periods in which the quota was used up.
    pub throttled_periods: u64,
    /// Time that threads stood still, summed over the processors that they would have run on.
    pub throttled_ns: u64,
    /// CPU time that the group used; `None` where the kernel does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_ns: Option<u64>,
}

impl QuotaEffect {
    /// Share of the periods in which the quota was used up.
    pub fn throttled_share(&self) -> f64 {
        if self.periods == 0 {
            return 0.0;
        }
        self.throttled_periods as f64 / self.periods as f64
    }

    /// What it did since the reading of the same quota among `earlier` ones; `None` where it was not there then.
    pub(in crate::measure) fn since_any(&self, earlier: &[QuotaEffect]) -> Option<QuotaEffect> {
        let before = earlier.iter().find(|before| before.quota == self.quota)?;
        Some(QuotaEffect {
            periods: self.periods.saturating_sub(before.periods),
            throttled_periods: self.throttled_periods.saturating_sub(before.throttled_periods),
            throttled_ns: self.throttled_ns.saturating_sub(before.throttled_ns),
            used_ns: (self.used_ns.zip(before.used_ns)).map(|(now, before)| now.saturating_sub(before)),
            ..self.clone()
        })
    }

    /// Adds what the same quota did at another time.
    pub fn add(&mut self, other: &QuotaEffect) {
        self.periods += other.periods;
        self.throttled_periods += other.throttled_periods;
        self.throttled_ns += other.throttled_ns;
        self.used_ns = self.used_ns.zip(other.used_ns).map(|(one, other)| one + other);
    }
}

/// The quotas around a process, the innermost first.
pub(super) fn around(kernel: &Kernel, hierarchies: &Hierarchies, membership: &str) -> Vec<(Group, Quota)> {
    let groups = hierarchies.around(membership, "cpu").into_iter();
    groups
        .filter_map(|group| quota_of(kernel, &group).map(|quota| (group, quota)))
        .collect()
}

fn quota_of(kernel: &Kernel, group: &Group) -> Option<Quota> {
    let (quota_us, period_us) = match group.version {
        // -1 says that there is none, and is no number here.
        Version::V1 => (
            kernel.number(group.folder.join("cpu.cfs_quota_us"))?,
            kernel.number(group.folder.join("cpu.cfs_period_us"))?,
        ),
        Version::V2 => {
            let text = kernel.read(group.folder.join("cpu.max"))?;
            let (quota, period) = text.trim().split_once(' ')?;
            // `max` says that there is none.
            (quota.parse().ok()?, period.parse().ok()?)
        }
    };
    (period_us > 0).then(|| Quota {
        cgroup: group.name.clone(),
        place: None,
        quota_us,
        period_us,
    })
}

/// How far a group's counters had come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct QuotaCounters {
    periods: u64,
    throttled_periods: u64,
    throttled_ns: u64,
    used_ns: Option<u64>,
}

impl QuotaCounters {
    /// Those of a quota that has not done anything yet.
    pub(super) fn zero() -> Self {
        QuotaCounters {
            used_ns: Some(0),
            ..QuotaCounters::default()
        }
    }

    /// Reads them; `accounting` is the group that counts CPU time in v1.
    pub(super) fn read(kernel: &Kernel, group: &Group, accounting: Option<&Group>) -> Self {
        let text = kernel.read(group.folder.join("cpu.stat")).unwrap_or_default();
        let microseconds = |name| field(&text, name).map(|us| us.saturating_mul(1_000));
        QuotaCounters {
            periods: field(&text, "nr_periods").unwrap_or(0),
            throttled_periods: field(&text, "nr_throttled").unwrap_or(0),
            throttled_ns: match group.version {
                Version::V1 => field(&text, "throttled_time"),
                Version::V2 => microseconds("throttled_usec"),
            }
            .unwrap_or(0),
            used_ns: match group.version {
                Version::V1 => accounting.and_then(|group| kernel.number(group.folder.join("cpuacct.usage"))),
                Version::V2 => microseconds("usage_usec"),
            },
        }
    }

    pub(super) fn since(&self, earlier: &QuotaCounters, quota: Quota, of: Vec<Party>, covers_all: bool) -> QuotaEffect {
        QuotaEffect {
            quota,
            of,
            covers_all,
            periods: self.periods.saturating_sub(earlier.periods),
            throttled_periods: self.throttled_periods.saturating_sub(earlier.throttled_periods),
            throttled_ns: self.throttled_ns.saturating_sub(earlier.throttled_ns),
            used_ns: (self.used_ns.zip(earlier.used_ns)).map(|(now, before)| now.saturating_sub(before)),
        }
    }
}
