//! Rules for a limit as the bottleneck: a CPU quota that stops every thread under it, or memory that is too small for the
//! data besides what runs, so that brokers read from storage.

use super::case::Case;
use super::model::{Bottleneck, BottleneckKind};
use super::thresholds::{IDLE_FOR_A_THREAD, QUOTA_SHARE, STORAGE_SHARE, WAITING_FOR_FULLER_SHARE};
use super::words::{self, cores, percent};
use crate::measure::limits::{MemoryEffect, core_figure};
use crate::summary::limits::{memory_size, of_whom};

/// A CPU quota that is used up, before everything else: whatever would need more CPU has no more, and whatever waits,
/// waits longer.
pub(super) fn quota(case: &Case) -> Option<Bottleneck> {
    let limits = &case.observed.limits;
    let (name, quota) = limits
        .quota
        .as_ref()
        .filter(|(_, quota)| quota.throttled_share() >= QUOTA_SHARE)?;
    let seconds = |ns: u64| ns as f64 / 1e9;
    let evidence = format!(
        "the {name} gives {} to {}; it was used up in {} of {} periods ({}), and threads stood still for {:.2} s, summed over \
         their processors, in {:.2} s",
        cores(quota.quota.cores()),
        of_whom(&quota.of),
        quota.throttled_periods,
        quota.periods,
        percent(quota.throttled_share()),
        seconds(quota.throttled_ns),
        seconds(limits.wall_ns),
    );
    let remedy = if quota.quota.place().is_some() {
        "A larger `cpu_limit` would help, or more processes, each of which has a limit of its own. Consumers and threads that \
         are added to a process only share it."
    } else {
        "A larger CPU quota would help (`cpu.max`, `--cpus` of a container, or its CPU limit), or none. Consumers, processes \
         and threads that are added under it only share it."
    };
    Some(Bottleneck::new(BottleneckKind::Limit, evidence, remedy))
}

/// A quota that leaves less than half a core idle although the machine has more. More threads would not help, so this
/// rule comes before the rules that advise them.
pub(super) fn no_room(case: &Case) -> Option<Bottleneck> {
    let left = case.observed.limits.left.as_ref()?;
    // Of a small quota half is as much as a thread of a large one leaves.
    let idle_needed = IDLE_FOR_A_THREAD.min(left.quota.cores() / 2.0);
    if left.idle >= idle_needed || left.machine_idle < left.idle || case.is_short() {
        return None;
    }
    let figures = words::figures(&case.observed)?;
    let evidence = format!(
        "the {} gives {} of {}, of which {} were idle, less than another thread would use; {figures}",
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
    let limits = &case.observed.limits;
    let share = limits.storage.filter(|share| *share >= STORAGE_SHARE)?;
    let waited = case.observed.waiting;
    if !case.is_never_without_records() || waited.is_some_and(|waited| waited < WAITING_FOR_FULLER_SHARE) {
        return None;
    }
    let waited = waited.map(|waited| format!("; readers waited {} of the time with an empty queue", percent(waited)));
    let evidence = format!(
        "brokers read {} of what was delivered from storage, because {}{}",
        percent(share),
        why_no_room(limits.memory.as_ref()),
        waited.unwrap_or_default()
    );
    let more = match limits.memory {
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
