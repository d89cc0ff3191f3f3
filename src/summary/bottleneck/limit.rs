//! A limit as the bottleneck: a CPU quota that stops every thread under it, or memory that has no room for the data
//! besides what runs, so that brokers read from storage.

use super::fetching::is_never_without_records;
use super::observed::busy_cores;
use super::remedies::IDLE_FOR_A_THREAD;
use super::rules::WAITING_FOR_FULLER_SHARE;
use super::words::{self, cores, percent};
use super::{Bottleneck, BottleneckKind, Case};
use crate::measure::limits::{MemoryEffect, Quota, QuotaEffect, core_figure};
use crate::measure::{HostMeasurement, Measurement};
use crate::stats::median;
use crate::summary::limits::{memory_size, of_whom};

/// A CPU quota that was used up in this share of its periods limits whatever runs under it.
pub(super) const THROTTLED_SHARE: f64 = 0.10;
/// Brokers that read this share of what was delivered from storage have no room for the data in their page cache.
pub(super) const STORAGE_SHARE: f64 = 0.10;

/// What limits did in the trials of a configuration.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct LimitsSeen {
    /// The quota that was used up most often, summed over the trials.
    quota: Option<QuotaEffect>,
    /// Time of the trials that the quota was in force.
    wall_ns: u64,
    /// What the tightest quota on all clients left.
    left: Option<Left>,
    /// Share of what was delivered that brokers here read from storage; median.
    storage: Option<f64>,
    /// The tightest memory limit on the brokers, as it was in the last trial.
    memory: Option<MemoryEffect>,
}

/// What a quota on all clients left of the cores; medians.
#[derive(Debug, Clone, PartialEq)]
struct Left {
    quota: Quota,
    machine_cores: u32,
    /// Cores of the quota that were not used.
    idle: f64,
    /// Cores of the machine that were idle.
    machine_idle: f64,
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
    /// The same without what the quota left, which is known of whole trials only.
    pub(super) fn without_what_was_left(&self) -> Self {
        LimitsSeen {
            left: None,
            ..self.clone()
        }
    }

    pub(super) fn of(trials: &[&Measurement]) -> Self {
        let mut quotas: Vec<(QuotaEffect, u64)> = Vec::new();
        for host in trials.iter().map(|m| &m.host) {
            for effect in &host.quotas {
                match quotas.iter_mut().find(|(sum, _)| sum.quota == effect.quota) {
                    Some((sum, wall_ns)) => {
                        sum.add(effect);
                        *wall_ns += host.wall_ns;
                    }
                    None => quotas.push((effect.clone(), host.wall_ns)),
                }
            }
        }
        let worst = quotas
            .into_iter()
            .max_by(|(a, _), (b, _)| a.throttled_share().total_cmp(&b.throttled_share()));
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

/// A CPU quota that is used up, before everything else: whatever would need more CPU has no more, and whatever waits,
/// waits longer.
pub(super) fn quota(case: &Case) -> Option<Bottleneck> {
    let seen = &case.observed.limits;
    let quota = seen
        .quota
        .as_ref()
        .filter(|quota| quota.throttled_share() >= THROTTLED_SHARE)?;
    let seconds = |ns: u64| ns as f64 / 1e9;
    let evidence = format!(
        "the {} gives {} to {}; it was used up in {} of {} periods ({}), and threads stood still for {:.2} s, summed over \
         their processors, in {:.2} s",
        quota.quota.name(),
        cores(quota.quota.cores()),
        of_whom(&quota.of),
        quota.throttled_periods,
        quota.periods,
        percent(quota.throttled_share()),
        seconds(quota.throttled_ns),
        seconds(seen.wall_ns),
    );
    Some(Bottleneck {
        kind: BottleneckKind::Limit,
        evidence,
        remedy:
            "A larger CPU quota would help (`cpu.max`, `--cpus` of a container, or its CPU limit), or none. Consumers, \
                 processes and threads that are added under it only share it."
                .to_owned(),
    })
}

/// A quota that leaves no room for another thread, where the machine has it: what more threads would be advised for finds
/// none.
pub(super) fn no_room(case: &Case) -> Option<Bottleneck> {
    let left = case.observed.limits.left.as_ref()?;
    // Of a small quota half is as much as a thread of a large one leaves.
    let room = IDLE_FOR_A_THREAD.min(left.quota.cores() / 2.0);
    if left.idle >= room || left.machine_idle < left.idle || case.is_short() {
        return None;
    }
    let seen = words::figures(&case.observed)?;
    let evidence = format!(
        "the {} gives {} of {}, of which {} were idle, less than another thread would use; {seen}",
        left.quota.name(),
        core_figure(left.quota.cores()),
        cores(f64::from(left.machine_cores)),
        core_figure(left.idle.max(0.0)),
    );
    Some(Bottleneck {
        kind: BottleneckKind::Limit,
        evidence,
        remedy: "A larger CPU quota would help: a consumer, process or thread that is added finds only a part of a core. So \
                 would whatever makes each record cost less CPU."
            .to_owned(),
    })
}

/// Readers that wait for brokers that read from storage.
pub(super) fn memory(case: &Case) -> Option<Bottleneck> {
    let seen = &case.observed.limits;
    let share = seen.storage.filter(|share| *share >= STORAGE_SHARE)?;
    let waited = case.observed.waiting;
    if !is_never_without_records(case) || waited.is_some_and(|waited| waited < WAITING_FOR_FULLER_SHARE) {
        return None;
    }
    let waited = waited.map(|waited| format!("; readers waited {} of the time with an empty queue", percent(waited)));
    let evidence = format!(
        "brokers read {} of what was delivered from storage, because {}{}",
        percent(share),
        why_no_room(seen.memory.as_ref()),
        waited.unwrap_or_default()
    );
    let more = match seen.memory {
        Some(_) => "A larger memory limit",
        None => "More memory on the brokers' machine",
    };
    Some(Bottleneck {
        kind: BottleneckKind::Limit,
        evidence,
        remedy: format!(
            "{more} would help, or fewer or smaller records, so that what is read stays in the page cache. Consumers and \
             processes that are added take memory from it."
        ),
    })
}

fn why_no_room(memory: Option<&MemoryEffect>) -> String {
    let Some(effect) = memory else {
        return "this machine's memory did not hold it".to_owned();
    };
    let again = effect.refaulted_bytes.filter(|bytes| *bytes > 0).map(|bytes| {
        let bytes = memory_size(bytes);
        format!(", and in the last trial {bytes} were read again that it had made the kernel give up")
    });
    format!(
        "the {} leaves {} to {}, of which {} were page cache; the limit was reached {} times{}",
        effect.limit.name(),
        memory_size(effect.limit.bytes),
        of_whom(&effect.of),
        memory_size(effect.cache_bytes),
        effect.hits,
        again.unwrap_or_default()
    )
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
