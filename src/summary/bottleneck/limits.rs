//! What CPU quotas and memory limits did in the trials of a configuration.

use super::of_trial::busy_cores;
use crate::measure::limits::{MemoryEffect, Quota, QuotaEffect};
use crate::measure::{HostMeasurement, Measurement};
use crate::stats::median;

/// What limits did in the trials of a configuration.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct LimitsSeen {
    /// The quota that was used up most often, on whatever machine, by its name, and what it did in all trials.
    pub(super) quota: Option<(String, QuotaEffect)>,
    /// Time of the trials that the quota was in force.
    pub(super) wall_ns: u64,
    /// What the tightest quota on all clients left.
    pub(super) left: Option<Left>,
    /// Share of what was delivered that brokers here read from storage; median.
    pub(super) storage: Option<f64>,
    /// The tightest memory limit on the brokers, as it was in the last trial.
    pub(super) memory: Option<MemoryEffect>,
}

/// What a quota on all clients left of the cores; medians.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Left {
    pub(super) quota: Quota,
    pub(super) machine_cores: u32,
    /// Cores of the quota that were not used.
    pub(super) idle: f64,
    /// Cores of the machine that were idle.
    pub(super) machine_idle: f64,
}

impl Left {
    fn of(trials: &[&Measurement]) -> Option<Self> {
        let under: Vec<_> = trials.iter().filter_map(|m| Some((m, m.host.quota()?))).collect();
        let (first, effect) = under.first()?;
        let of_each = |figure: &dyn Fn(&Measurement) -> Option<f64>| {
            median(&under.iter().filter_map(|(m, _)| figure(m)).collect::<Vec<f64>>())
        };
        Some(Left {
            quota: effect.quota.clone(),
            machine_cores: first.host.machine_cores.unwrap_or(first.host.cores),
            idle: of_each(&|m| unused(&m.host, busy_cores(m)?))?,
            machine_idle: of_each(&|m| Some(f64::from(m.host.cores) - busy_cores(m)?))?,
        })
    }
}

impl LimitsSeen {
    /// The same without the idle share of the quota, which is known only for the complete trial.
    pub(super) fn without_what_was_left(&self) -> Self {
        LimitsSeen {
            left: None,
            ..self.clone()
        }
    }

    pub(super) fn of(trials: &[&Measurement]) -> Self {
        let mut quotas: Vec<((String, QuotaEffect), u64)> = Vec::new();
        for on_host in trials.iter().flat_map(|m| m.quotas()) {
            let (name, effect, wall_ns) = (on_host.name(), on_host.effect, on_host.measured.wall_ns);
            let is_it = |(known, sum): &(String, QuotaEffect)| *known == name && sum.quota == effect.quota;
            match quotas.iter_mut().find(|(known, _)| is_it(known)) {
                Some(((_, sum), in_all_ns)) => {
                    sum.add(effect);
                    *in_all_ns += wall_ns;
                }
                None => quotas.push(((name, effect.clone()), wall_ns)),
            }
        }
        let share = |((_, effect), _): &((String, QuotaEffect), u64)| effect.throttled_share();
        let worst = quotas.into_iter().max_by(|a, b| share(a).total_cmp(&share(b)));
        let (quota, wall_ns) = worst.unzip();
        let shares: Vec<f64> = trials.iter().filter_map(|m| m.storage_share()).collect();
        LimitsSeen {
            quota,
            wall_ns: wall_ns.unwrap_or(0),
            left: Left::of(trials),
            storage: median(&shares),
            memory: trials.last().and_then(|m| m.host.memory_of_brokers()).cloned(),
        }
    }
}

/// Cores between start and end, where a quota leaves fewer than the processors are: these, and those of them that were not
/// idle. What other programs took of the machine is not there for the group, whatever its quota.
pub(super) fn under_quota(host: &HostMeasurement, machine_busy: f64) -> Option<(f64, f64)> {
    let quota = host.quota()?.quota.cores();
    let idle = unused(host, machine_busy)?.min(f64::from(host.cores) - machine_busy);
    Some((quota, quota - idle.clamp(0.0, quota)))
}

/// Cores of the tightest quota on all clients that were not used.
fn unused(host: &HostMeasurement, machine_busy: f64) -> Option<f64> {
    let effect = host.quota()?;
    let in_cores = |ns: u64| ns as f64 / host.wall_ns as f64;
    let used = (effect.used_ns).map_or(machine_busy - in_cores(host.others_cpu_ns), in_cores);
    Some(effect.quota.cores() - used)
}
