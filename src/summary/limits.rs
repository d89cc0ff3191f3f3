//! Under which limits a run was measured, in a sentence of the answer.

use crate::measure::limits::{AFFINITY, MemoryEffect, Party, Quota, QuotaEffect, cores};
use crate::measure::{HostMeasurement, Measurement, Trial, TrialKind};
use crate::wording::listed;

/// `600 MiB`, `1.5 GiB`.
pub(super) fn memory_size(bytes: u64) -> String {
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    if mebibytes >= 1024.0 {
        format!("{:.1} GiB", mebibytes / 1024.0)
    } else {
        format!("{mebibytes:.0} MiB")
    }
}

/// `tandem, workers and brokers`.
pub(super) fn of_whom(parties: &[Party]) -> String {
    let names: Vec<&str> = parties.iter().map(Into::into).collect();
    match names.as_slice() {
        [] => "nobody".to_owned(),
        names => listed(names),
    }
}

/// The limits that the counted trials ran under; `None` where there were none.
pub(super) fn sentence(trials: &[Trial]) -> Option<String> {
    let counted = trials.iter().filter(|trial| trial.order.kind == TrialKind::Counted);
    let measured: Vec<&Measurement> = counted.filter_map(|trial| trial.measurement.as_ref()).collect();
    let hosts: Vec<&HostMeasurement> = measured.iter().map(|measurement| &measurement.host).collect();
    let mut parts = Vec::new();
    let restricted = |host: &&&HostMeasurement| host.machine_cores.is_some();
    if let Some(host) = hosts.iter().find(restricted) {
        let machine = cores(f64::from(host.machine_cores.unwrap_or(host.cores)));
        parts.push(format!("{} of {machine} ({AFFINITY})", host.cores));
    }
    parts.extend(quotas(&measured).iter().map(quota));
    parts.extend(memory(&hosts).iter().map(memory_limit));
    (!parts.is_empty()).then(|| format!("This holds under limits: {}.", parts.join("; ")))
}

/// Quotas that leave less than the processors of their machine do, by their names, summed over the trials.
fn quotas(measured: &[&Measurement]) -> Vec<(String, QuotaEffect)> {
    let mut sums: Vec<(String, QuotaEffect)> = Vec::new();
    for on_host in measured.iter().flat_map(|measurement| measurement.quotas()) {
        let (name, effect) = (on_host.name(), on_host.effect);
        if effect.quota.cores() >= f64::from(on_host.measured.cores) {
            continue;
        }
        // Those of two processes of one place are one.
        let size = |quota: &Quota| (quota.quota_us, quota.period_us);
        let is_it =
            |(known, sum): &&mut (String, QuotaEffect)| *known == name && size(&sum.quota) == size(&effect.quota);
        match sums.iter_mut().find(is_it) {
            Some((_, sum)) => sum.add(effect),
            None => sums.push((name, effect.clone())),
        }
    }
    sums
}

fn quota((name, effect): &(String, QuotaEffect)) -> String {
    format!(
        "a {name} of {} for {}, used up in {} of {} periods",
        cores(effect.quota.cores()),
        of_whom(&effect.of),
        effect.throttled_periods,
        effect.periods
    )
}

/// Of each memory limit how often it was reached in all trials.
fn memory(hosts: &[&HostMeasurement]) -> Vec<MemoryEffect> {
    let mut sums: Vec<MemoryEffect> = Vec::new();
    for effect in hosts.iter().flat_map(|host| &host.memory_limits) {
        let is_one =
            |sum: &&mut MemoryEffect| (sum.limit.name(), sum.limit.bytes) == (effect.limit.name(), effect.limit.bytes);
        match sums.iter_mut().find(is_one) {
            Some(sum) => sum.hits += effect.hits,
            None => sums.push(effect.clone()),
        }
    }
    sums
}

fn memory_limit(effect: &MemoryEffect) -> String {
    format!(
        "a {} of {} for {}, reached {} times",
        effect.limit.name(),
        memory_size(effect.limit.bytes),
        of_whom(&effect.of),
        effect.hits
    )
}
