//! The estimates of each configuration, from its used trials alone; what went wrong is counted over all.

use super::{ConfigurationSummary, bottleneck, capacity, idle, live};
use crate::measure::{Measurement, Status, Trial, TrialKind};
use crate::plan::Plan;
use crate::scenario::Work;
use crate::stats::{Estimate, mean, median};
use crate::verdict::{read_seconds, stopwatch_seconds};

const NS_PER_SECOND: f64 = 1e9;
const BYTES_PER_MIB: f64 = 1_048_576.0;

/// One summary per configuration, in the scenario's order. `trials` are in run order.
pub(super) fn summarise(plan: &Plan, trials: &[Trial]) -> Vec<ConfigurationSummary> {
    let blocks = plan.blocks(trials);
    (0..plan.scenario.configurations.len())
        .map(|index| {
            let of = |trial: &&Trial| trial.order.kind == TrialKind::Counted && trial.order.configuration == index;
            let counted: Vec<&Trial> = trials.iter().filter(of).collect();
            // A search runs another longer trial where one did not confirm its answer.
            let planned = if plan.scenario.capacity.is_some() {
                blocks.max(count(counted.len()))
            } else {
                blocks
            };
            let mut summary = summarise_one(plan, index, planned, &counted);
            if let Some(wanted) = &plan.scenario.capacity {
                let found = capacity::summarise(wanted, index, trials);
                // The longer trials may be of several rates; what is told are those at the answer.
                let at_answer =
                    |t: &&&Trial| found.per_second.is_some() && t.order.load.map(|l| l.rate) == found.per_second;
                let confirming: Vec<&Trial> = counted.iter().filter(at_answer).copied().collect();
                summary.live = live::summarise(&plan.scenario.configurations[index].mode, &used(&confirming));
                summary.bottleneck = bottleneck::of_capacity(&plan.scenario, index, &found, trials);
                if let Some(live) = &mut summary.live {
                    live.capacity = Some(found);
                }
            }
            summary
        })
        .collect()
}

fn summarise_one(plan: &Plan, index: usize, planned: u32, counted: &[&Trial]) -> ConfigurationSummary {
    let configuration = &plan.scenario.configurations[index];
    let used = used(counted);
    let idle = idle::idle(configuration, &plan.scenario.datasets[configuration.dataset], &used);
    let status = |wanted: fn(&Status) -> bool| count(counted.iter().filter(|t| wanted(&t.status)).count());
    let sum = |of: fn(&Measurement) -> u64| counted.iter().filter_map(|t| t.measurement.as_ref()).map(of).sum();
    let each = |of: fn(&Measurement) -> f64| used.iter().map(|m| of(m)).collect::<Vec<f64>>();
    let observed = |of: fn(&Measurement) -> Option<f64>| used.iter().filter_map(|m| of(m)).collect::<Vec<f64>>();
    let live = live::summarise(&configuration.mode, &used);
    ConfigurationSummary {
        configuration: index,
        name: configuration.name.clone(),
        family: configuration.family,
        members: configuration.members(),
        idle_members: idle.members,
        idle_explanation: idle.explanation,
        trials_planned: planned,
        trials_used: count(used.len()),
        trials_failed: status(|s| matches!(s, Status::Failed(_))),
        trials_excluded: status(|s| matches!(s, Status::Excluded { .. })),
        record_bytes: record_bytes(&used),
        records: median_count(&used),
        records_per_second: Estimate::geometric(&each(Measurement::records_per_second)),
        mib_per_second: Estimate::geometric(&each(mib_per_second)).map(|estimate| estimate.point),
        read_seconds: Estimate::geometric(&each(read_seconds)),
        join_seconds: median(&each(|m| m.join_ns() as f64 / NS_PER_SECOND)),
        stopwatch_seconds: Estimate::geometric(&each(stopwatch_seconds)),
        first_record_ms: first_record_ms(&used),
        client_cpu_seconds_per_million: mean(&observed(|m| {
            per_million(
                m,
                m.processes
                    .iter()
                    .map(|p| Some(p.window.as_ref()?.cpu_ns))
                    .sum::<Option<u64>>()?,
            )
        })),
        client_cpu_seconds_per_million_stopwatch: mean(&observed(|m| {
            per_million(
                m,
                m.processes
                    .iter()
                    .map(|p| Some(p.stopwatch.as_ref()?.cpu_ns))
                    .sum::<Option<u64>>()?,
            )
        })),
        broker_cpu_seconds_per_million: mean(&observed(|m| {
            let brokers = &m.host.brokers_cpu_ns;
            (!brokers.is_empty())
                .then(|| per_million(m, brokers.iter().sum()))
                .flatten()
        })),
        lost: sum(|m| m.lost),
        duplicated: sum(|m| m.duplicated),
        not_delivered: sum(|m| m.not_delivered),
        redelivered: sum(|m| m.redelivered),
        work_us_mean: work_us_mean(configuration.work, &used),
        bottleneck: bottleneck::find(&plan.scenario, index, &used, live.as_ref()),
        live,
    }
}

fn used<'a>(trials: &[&'a Trial]) -> Vec<&'a Measurement> {
    let used = trials.iter().filter(|trial| trial.is_used());
    used.filter_map(|trial| trial.measurement.as_ref()).collect()
}

fn per_million(measurement: &Measurement, cpu_ns: u64) -> Option<f64> {
    let millions = measurement.records() as f64 / 1e6;
    (millions > 0.0).then(|| cpu_ns as f64 / NS_PER_SECOND / millions)
}

fn record_bytes(used: &[&Measurement]) -> f64 {
    let records: u64 = used.iter().map(|m| m.records()).sum();
    let bytes: u64 = used.iter().map(|m| m.bytes()).sum();
    if records == 0 {
        0.0
    } else {
        bytes as f64 / records as f64
    }
}

fn mib_per_second(measurement: &Measurement) -> f64 {
    let bytes = measurement.bytes() as f64 / measurement.records().max(1) as f64;
    measurement.records_per_second() * bytes / BYTES_PER_MIB
}

fn median_count(used: &[&Measurement]) -> u64 {
    let mut counts: Vec<u64> = used.iter().map(|m| m.records()).collect();
    counts.sort_unstable();
    counts.get(counts.len() / 2).copied().unwrap_or(0)
}

fn first_record_ms(used: &[&Measurement]) -> Option<f64> {
    let waits: Vec<f64> = used
        .iter()
        .flat_map(|m| {
            m.members
                .iter()
                .filter_map(|member| Some((member.first_record_ns?, m.start_ns)))
        })
        .map(|(first_ns, start_ns)| first_ns.saturating_sub(start_ns) as f64 / 1e6)
        .collect();
    median(&waits)
}

fn work_us_mean(work: Work, used: &[&Measurement]) -> Option<f64> {
    if work == Work::None {
        return None;
    }
    let members = used.iter().flat_map(|m| &m.members);
    let observed: Vec<(u64, u64)> = members.filter_map(|m| Some((m.work_ns?, m.records()))).collect();
    let work_ns: u64 = observed.iter().map(|(ns, _)| ns).sum();
    let records: u64 = observed.iter().map(|(_, records)| records).sum();
    (records > 0).then(|| work_ns as f64 / 1e3 / records as f64)
}

/// Trials and members are counted in `u32`, as their files and processes are.
pub(super) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
