#![allow(clippy::unwrap_used, clippy::float_cmp)]
use std::collections::BTreeSet;

use super::*;
use crate::measure::{Measurement, Outside, Series};
use crate::scenario::Configuration;
use crate::testing::{one_and_two_with_work, run};

/// A configuration with work, and its trials.
fn working() -> (Configuration, Vec<Measurement>) {
    let plan = one_and_two_with_work().plan();
    let trials = run(&plan, |_| Some(0.5));
    let index = plan.scenario.configurations.len() - 1;
    let own_trials = trials
        .into_iter()
        .filter(|trial| trial.order.configuration == index && trial.is_used());
    let measurements = own_trials.filter_map(|trial| trial.measurement).collect();
    (plan.scenario.configurations[index].clone(), measurements)
}

#[test]
fn every_figure_has_a_name_of_its_own_and_says_what_it_is() {
    let names: BTreeSet<&str> = FIGURES.iter().map(|figure| figure.name.as_str()).collect();
    assert_eq!(names.len(), FIGURES.len());
    assert!(
        FIGURES
            .iter()
            .all(|figure| !figure.meaning.is_empty() && figure.id.figure().id == figure.id)
    );
}

#[test]
fn a_rate_is_all_records_over_the_common_window() {
    let (configuration, trials) = working();
    let figures = TrialFigures::of(&trials[0], configuration.has_work());
    let expected = trials[0].records() as f64 / ((trials[0].end_ns - trials[0].start_ns) as f64 / 1e9);
    assert!((figures.get(FigureId::RecordsPerSecond).unwrap() / expected - 1.0).abs() < 1e-12);
}

#[test]
fn the_rate_of_a_live_trial_is_that_of_its_window_and_not_of_the_draining() {
    let (configuration, mut trials) = working();
    let m = &mut trials[0];
    m.load = Some(crate::measure::LoadMeasurement {
        start_ns: m.start_ns,
        window_from_ns: m.start_ns + 1_000_000_000,
        window_end_ns: m.start_ns + 6_000_000_000,
        ..Default::default()
    });
    let partitions: Vec<_> = m.members.iter_mut().flat_map(|member| &mut member.partitions).collect();
    let steady = 7.0 * partitions.len() as f64;
    for partition in partitions {
        partition.series = Some(Series {
            bucket_ns: 1_000_000_000,
            counts: vec![7; 600],
        });
    }
    let rate = |m: &Measurement| {
        TrialFigures::of(m, configuration.has_work())
            .get(FigureId::RecordsPerSecond)
            .unwrap()
    };
    assert!((rate(m) / steady - 1.0).abs() < 1e-9, "{} of {steady}", rate(m));
    m.end_ns += 20_000_000_000;
    assert!((rate(m) / steady - 1.0).abs() < 1e-9, "a longer draining");
    // A worker without records over time has only the rate over the complete trial.
    m.members[0].partitions[0].series = None;
    let over_trial = m.records() as f64 / (m.read_ns() as f64 / 1e9);
    assert!((rate(m) / over_trial - 1.0).abs() < 1e-9);
}

#[test]
fn what_one_process_or_member_does_not_observe_is_not_known_of_the_trial() {
    let (configuration, mut trials) = working();
    let get = |m: &Measurement, id| TrialFigures::of(m, configuration.has_work()).get(id);
    assert!(get(&trials[0], FigureId::ClientCpu).is_some() && get(&trials[0], FigureId::WorkMean).is_some());
    trials[0].processes[0].window = None;
    trials[0].members[0].work_ns = None;
    assert_eq!(get(&trials[0], FigureId::ClientCpu), None);
    assert_eq!(get(&trials[0], FigureId::WorkMean), None);
}

#[test]
fn the_memory_of_the_clients_is_that_of_all_processes() {
    let (configuration, mut trials) = working();
    for process in &mut trials[0].processes {
        process.window.as_mut().unwrap().peak_memory_bytes = 3 << 20;
    }
    let expected = trials[0].processes.len() as f64 * f64::from(3 << 20);
    let get = |m: &Measurement| TrialFigures::of(m, configuration.has_work()).get(FigureId::ClientMemory);
    assert_eq!(get(&trials[0]), Some(expected));
    trials[0].processes[0].window = None;
    assert_eq!(get(&trials[0]), None);
}

#[test]
fn garbage_collection_and_allocations_are_those_of_all_processes_for_each_record() {
    let (configuration, mut trials) = working();
    for process in &mut trials[0].processes {
        let window = process.window.as_mut().unwrap();
        (window.gc_ns, window.allocated_bytes) = (Some(30_000_000), Some(1 << 30));
    }
    let get = |m: &Measurement, id| TrialFigures::of(m, configuration.has_work()).get(id);
    let (processes, records) = (trials[0].processes.len() as f64, trials[0].records() as f64);
    assert_eq!(
        get(&trials[0], FigureId::ClientGc),
        Some(processes * 0.03 / (records / 1e6))
    );
    let allocated = get(&trials[0], FigureId::ClientAllocated);
    assert_eq!(allocated, Some(processes * f64::from(1 << 30) / records));
    trials[0].processes[0].window.as_mut().unwrap().gc_ns = None;
    assert_eq!(get(&trials[0], FigureId::ClientGc), None);
    assert_eq!(get(&trials[0], FigureId::ClientAllocated), allocated);
}

#[test]
fn a_rate_that_grows_is_seen_and_one_of_too_few_buckets_is_not() {
    let (configuration, mut trials) = working();
    let mut change = |bucket_ns: u64, counts: &[u64]| {
        let start_ns = trials[0].start_ns;
        for member in &mut trials[0].members {
            member.first_record_ns = Some(start_ns);
            for partition in &mut member.partitions {
                partition.last_ns = Some(start_ns + bucket_ns * counts.len() as u64);
                partition.series = Some(Series {
                    bucket_ns,
                    counts: counts.to_vec(),
                });
            }
        }
        TrialFigures::of(&trials[0], configuration.has_work()).get(FigureId::RateChange)
    };
    let growing: Vec<u64> = (0..100).map(|bucket| if bucket < 50 { 10 } else { 30 }).collect();
    assert_eq!(change(10_000_000, &growing), Some(3.0));
    assert_eq!(change(10_000_000, &[7; 20]), Some(1.0));
    assert_eq!(change(10_000_000, &[7; 19]), None);
}

#[test]
fn the_mean_work_of_a_configuration_is_that_of_all_records_of_its_trials() {
    let (configuration, mut trials) = working();
    trials.truncate(2);
    for member in &mut trials[1].members {
        member.work_ns = member.work_ns.map(|ns| 3 * ns);
    }
    let each = |m: &Measurement| {
        TrialFigures::of(m, configuration.has_work())
            .get(FigureId::WorkMean)
            .unwrap()
    };
    let all: Vec<&Measurement> = trials.iter().collect();
    let both = Figures::of_all(&all, configuration.has_work())
        .point(FigureId::WorkMean)
        .unwrap();
    assert!((both / f64::midpoint(each(&trials[0]), each(&trials[1])) - 1.0).abs() < 1e-9);
}

#[test]
fn stored_figures_are_read_as_they_were() {
    let (configuration, trials) = working();
    let all: Vec<&Measurement> = trials.iter().collect();
    let figures = Figures::of_all(&all, configuration.has_work());
    let text = serde_json::to_string(&figures).unwrap();
    assert_eq!(serde_json::from_str::<Figures>(&text).unwrap(), figures);
    assert!(text.contains("\"offered_per_second\":null"), "{text}");
}

#[test]
fn what_nobody_sees_of_a_program_that_speaks_nothing_is_no_figure() {
    let (configuration, mut trials) = working();
    trials[0].outside = Some(Outside {
        commits: Vec::new(),
        commit_interval_ns: Some(1_000_000_000),
        left_behind: Vec::new(),
    });
    let figures = TrialFigures::of(&trials[0], configuration.has_work());
    for unknown in [
        FigureId::Lost,
        FigureId::Duplicated,
        FigureId::ReadSeconds,
        FigureId::RecordBytes,
        FigureId::RecordsPerSecond,
        FigureId::MibPerSecond,
    ] {
        assert_eq!(figures.get(unknown), None, "{unknown:?}");
    }
    assert!(figures.get(FigureId::StopwatchSeconds).is_some());
    assert_eq!(figures.get(FigureId::CommitIntervalMs), Some(1_000.0));
}
