//! The rules over made measurements, one for each kind, and what comes before what. Those of loads and of how records are
//! spread are in `loads_tests.rs` and `spread_tests.rs`.

#![allow(clippy::unwrap_used)]

#[path = "limit_tests.rs"]
mod limits;

use std::collections::BTreeSet;

use super::*;
use crate::clients::ReadyMade;
use crate::figures::Figures;
use crate::measure::{
    ClientStatistics, HostCpu, HostFacts, LoadMeasurement, Measurement, OtherHost, Overload, PartitionMeasurement,
    ProcessUsage, ReadingTime, ThreadUsage,
};
use crate::plan::{Next, Plan};
use crate::scenario::{AppSpec, Commit, Membership, Scenario, Work, WorkOrdering, parse};
use crate::summary::{CapacitySummary, live};
use crate::testing::complete;

pub(super) const SECOND: u64 = 1_000_000_000;

/// A configuration with what one trial of it recorded.
pub(super) struct Made {
    pub(super) scenario: Scenario,
    pub(super) measurement: Measurement,
}

impl Made {
    /// One process of `members` consumers on `partitions` partitions that read for a second with a quiet machine of two
    /// cores around them: nothing is full, and nobody waits.
    pub(super) fn new(members: u32, partitions: u32) -> Self {
        let text = format!(
            "question = \"Why?\"\n[dataset]\nrecords = 80000\npartitions = {partitions}\n[consumer]\nconsumers = {members}\n\
             [trial]\nrecords = 80000\n"
        );
        let plan = plan(&text);
        let Next::Trial(order) = plan.next(&[], 1) else {
            panic!("a plan has a first trial");
        };
        let mut measurement = complete(&plan, order, 1, 1.0).measurement.unwrap();
        let start_ns = measurement.start_ns;
        measurement.host.wall_ns = SECOND;
        measurement.host.cpu = HostCpu {
            idle_ns: SECOND,
            ..HostCpu::default()
        };
        measurement.host.brokers_cpu_ns = vec![SECOND / 5];
        for process in &mut measurement.processes {
            process.window = Some(ProcessUsage {
                wall_ns: SECOND,
                cpu_ns: SECOND * 4 / 5,
                threads: vec![thread("rdk:broker1", 40, 2), thread("reader-0", 40, 2)],
                ..ProcessUsage::default()
            });
        }
        for member in &mut measurement.members {
            member.work_ns = None;
            member.reading = Some(ReadingTime {
                readers: 1,
                waiting_ns: SECOND / 4,
                committing_ns: 0,
                ..ReadingTime::default()
            });
            member.client = Some(ClientStatistics {
                from_ns: start_ns,
                until_ns: start_ns + SECOND,
                brokers: 1,
                fetches: 100,
                records: 80_000,
                awaited_ns: SECOND / 4,
                ..ClientStatistics::default()
            });
        }
        Made {
            scenario: plan.scenario,
            measurement,
        }
    }

    /// The same with the consumers of this ready-made client; `tandem` leaves it as it is.
    fn app(mut self, name: &str) -> Self {
        if let Some(which) = ReadyMade::named(name) {
            self.scenario.apps.push(AppSpec::ready_made(which, None));
            self.scenario.configurations[0].app = 1;
        }
        self
    }

    pub(super) fn working(mut self, work: Work, share_percent: u64) -> Self {
        self.scenario.configurations[0].work = work;
        for member in &mut self.measurement.members {
            member.work_ns = Some(SECOND / 100 * share_percent);
        }
        self
    }

    pub(super) fn waiting(mut self, waiting_percent: u64, awaited_percent: u64) -> Self {
        for member in &mut self.measurement.members {
            let reading = member.reading.as_mut().unwrap();
            reading.waiting_ns = SECOND / 100 * waiting_percent;
            member.client.as_mut().unwrap().awaited_ns = SECOND / 100 * awaited_percent;
        }
        self
    }

    pub(super) fn threads(mut self, threads: &[ThreadUsage]) -> Self {
        for process in &mut self.measurement.processes {
            process.window.as_mut().unwrap().threads = threads.to_vec();
        }
        self
    }

    pub(super) fn idle_cores(mut self, percent: u64) -> Self {
        self.measurement.host.cpu.idle_ns = SECOND / 100 * percent;
        self
    }

    /// The first member reads this share, and the others end when they have read theirs.
    pub(super) fn uneven(mut self, share: f64) -> Self {
        let records = 80_000.0;
        let others = (self.measurement.members.len() - 1) as f64;
        let start_ns = self.measurement.start_ns;
        for (index, member) in self.measurement.members.iter_mut().enumerate() {
            let mine = if index == 0 { share } else { (1.0 - share) / others };
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let truncated = |part: f64| part as u64;
            let partition = member.partitions[0].partition;
            member.partitions = vec![PartitionMeasurement {
                partition,
                records: truncated(records * mine),
                ..PartitionMeasurement::default()
            }];
            member.last_record_ns = Some(start_ns + truncated(SECOND as f64 * mine / share));
        }
        self
    }

    pub(super) fn load(mut self, reached: bool, behind: bool) -> Self {
        let text = "question = \"Why?\"\n[dataset]\npartitions = 2\n[load]\nrate = 50000\nduration = \"1s\"\n";
        self.scenario.configurations[0].mode = plan(text).scenario.configurations[0].mode.clone();
        self.measurement.load = Some(LoadMeasurement {
            reached,
            offered_per_second: 50_000.0,
            sent_per_second: if reached { 50_000.0 } else { 31_000.0 },
            overload: behind.then_some(Overload {
                lag_growth_per_second: 900.0,
                lag_at_end: 900,
            }),
            window_end_ns: SECOND,
            ..LoadMeasurement::default()
        });
        self
    }

    pub(super) fn found(&self) -> Bottleneck {
        let used = [&self.measurement];
        let configuration = &self.scenario.configurations[0];
        let live = live::summarise(&configuration.mode, &used);
        find(
            &self.scenario,
            0,
            &used,
            live.as_ref(),
            &Figures::of_all(&used, configuration.has_work()),
        )
    }

    pub(super) fn is(&self, kind: BottleneckKind, evidence: &[&str]) {
        let found = self.found();
        assert_eq!(found.kind, kind, "{found:?}");
        for part in evidence {
            assert!(found.evidence.contains(part), "{part:?} is not in {found:#?}");
        }
    }
}

/// As the parser makes it.
pub(super) fn plan(text: &str) -> Plan {
    Plan::new(parse("why", "why.toml", text).unwrap())
}

pub(super) fn thread(name: &str, running_percent: u64, ready_percent: u64) -> ThreadUsage {
    ThreadUsage {
        name: name.to_owned(),
        cpu_ns: SECOND / 100 * running_percent,
        wait_ns: SECOND / 100 * ready_percent,
    }
}

pub(super) const WAIT: Work = Work::Wait { ns: 1_000_000 };
const CPU: Work = Work::Cpu { ns: 50_000 };

#[test]
fn members_that_are_in_work_most_of_their_time_are_limited_by_it() {
    let made = Made::new(2, 4).working(WAIT, 97);
    made.is(
        BottleneckKind::ConsumerWork,
        &["in work 97 % of their time", "1 of 2 cores idle"],
    );
    assert!(made.found().remedy.starts_with("More members would help"));
    let full = Made::new(2, 2).working(WAIT, 97).found();
    assert!(
        full.remedy
            .contains("more than 2 partitions with more members or threads"),
        "{full:?}"
    );
    Made::new(1, 4)
        .working(CPU, 97)
        .is(BottleneckKind::ConsumerWork, &["97 %"]);
    Made::new(1, 4)
        .working(CPU, 79)
        .is(BottleneckKind::Unknown, &["in work 79 %"]);
}

#[test]
fn waiting_for_commits_is_work_too() {
    let mut made = Made::new(1, 2);
    made.scenario.configurations[0].commit = Commit::PerBatch;
    made.measurement.members[0].reading.as_mut().unwrap().committing_ns = SECOND / 100 * 85;
    made.is(
        BottleneckKind::ConsumerWork,
        &["members waited for commits 85 % of their time"],
    );
    assert!(made.found().remedy.contains("Committing less often"));
}

#[test]
fn working_threads_share_the_time_of_their_member() {
    let mut made = Made::new(1, 4).working(WAIT, 390);
    made.scenario.configurations[0].threads = 4;
    made.is(BottleneckKind::ConsumerWork, &["in work 98 %"]);
    made.scenario.configurations[0].threads = 8;
    made.is(
        BottleneckKind::ConsumerWork,
        &["no more than 4 of 8 threads", "all 8 threads 49 %"],
    );
    made.scenario.configurations[0].ordering = WorkOrdering::None;
    made.is(BottleneckKind::Unknown, &["in work 49 %"]);
}

#[test]
fn a_full_machine_is_named_with_who_uses_it() {
    let mut made = Made::new(2, 4).idle_cores(3);
    made.measurement.host.brokers_cpu_ns = vec![SECOND / 2, SECOND * 3 / 10];
    made.measurement.host.pressure_ns = Some(SECOND * 3 / 5);
    made.is(
        BottleneckKind::AllCores,
        &[
            "machine saturated: 1.97 of 2 cores",
            "consumers 0.8 of them",
            "brokers 0.8 of them",
            "a core 60 % of the time",
        ],
    );
    made.measurement.host.others_cpu_ns = SECOND / 2;
    made.is(BottleneckKind::AllCores, &["programs outside of the run 0.5 of them"]);
    assert!(made.found().remedy.contains("no part of the run"));
    Made::new(2, 4)
        .idle_cores(20)
        .is(BottleneckKind::Unknown, &["1.8 of 2 cores busy"]);
}

#[test]
fn what_a_hypervisor_takes_is_no_core_that_is_idle() {
    let mut made = Made::new(2, 4).idle_cores(5);
    made.measurement.host.cpu.steal_ns = SECOND;
    made.is(BottleneckKind::AllCores, &["0.95 of 1 core"]);
}

#[test]
fn the_cores_of_a_place_can_be_full_where_the_machine_is_not() {
    let mut made = Made::new(1, 4);
    made.measurement.processes[0].window.as_mut().unwrap().cpu_ns = SECOND / 100 * 98;
    made.scenario.places[0].cpus = Some("0".to_owned());
    made.is(BottleneckKind::AllCores, &["used 0.98 cores of the 1 core"]);
}

#[test]
fn another_machine_that_is_full_is_named_and_this_one_is_not() {
    let mut made = Made::new(2, 4);
    let clients = |made: &mut Made, host| {
        let processes = made.measurement.processes.iter_mut();
        processes.for_each(|process| process.host = host);
    };
    clients(&mut made, crate::time::HostId::other(0));
    let mut measured = made.measurement.host.clone();
    measured.cpu.idle_ns = SECOND / 100;
    let facts = HostFacts::of_this_machine();
    made.measurement.other_hosts = vec![OtherHost {
        facts,
        ssh: "bench@far".to_owned(),
        places: BTreeSet::from(["there".to_owned()]),
        pods: 0,
        hosts: Vec::new(),
        measured,
    }];
    made.is(
        BottleneckKind::AllCores,
        &["host bench@far saturated: 1.99 of 2 cores, consumers 0.8 of them"],
    );
    assert!(made.found().remedy.contains("workers on further hosts"));
    // A machine that is full comes first: it has the brokers.
    let made = made.idle_cores(3);
    made.is(BottleneckKind::AllCores, &["machine saturated: 1.97 of 2 cores"]);
    assert!(
        !made.found().evidence.contains("consumers"),
        "{}",
        made.found().evidence
    );
}

#[test]
fn work_that_needs_no_core_comes_before_a_full_machine_and_work_that_does_after_it() {
    Made::new(2, 4)
        .working(WAIT, 97)
        .idle_cores(1)
        .is(BottleneckKind::ConsumerWork, &[]);
    Made::new(2, 4)
        .working(CPU, 97)
        .idle_cores(1)
        .is(BottleneckKind::AllCores, &[]);
}

#[test]
fn a_thread_with_a_full_core_is_named_in_words() {
    let reader = Made::new(1, 4).threads(&[thread("reader-0", 99, 0), thread("rdk:broker1", 30, 0)]);
    reader.is(
        BottleneckKind::ReaderThread,
        &["the reader thread of process 1 was at 99 % of a core; 1 of 2 cores idle"],
    );
    assert!(reader.found().remedy.contains("more partitions alone will not"));
    let remedy = |idle| {
        let reader = Made::new(1, 4).threads(&[thread("reader-0", 99, 0)]);
        reader.idle_cores(idle).found().remedy
    };
    assert!(remedy(100).contains("would probably help"), "{}", remedy(100));
    assert!(
        remedy(41).contains("Only 0.41 of a core is idle here"),
        "{}",
        remedy(41)
    );
    let fetcher = Made::new(1, 4).threads(&[thread("rdk:broker7", 80, 15)]);
    fetcher.is(
        BottleneckKind::ReaderThread,
        &["thread for broker 7", "95 % of the time (80 % on a core and 15 % ready"],
    );
    let only_partition = Made::new(1, 1).threads(&[thread("reader-0", 99, 0)]).found();
    assert!(
        only_partition.remedy.contains("only with more than 1 partition for"),
        "{only_partition:?}"
    );
    Made::new(1, 4)
        .threads(&[thread("reader-0", 89, 0)])
        .is(BottleneckKind::Unknown, &["89 %"]);
}

#[test]
fn readers_that_wait_are_limited_by_the_longest_part_of_the_fetching() {
    let pausing = Made::new(1, 2).waiting(83, 5).threads(&[thread("rdk:broker1", 10, 0)]);
    pausing.is(
        BottleneckKind::FetchSettings,
        &[
            "readers waited 83 % of the time with an empty queue",
            "awaited 5 %",
            "for 85 % of it nothing was asked for",
        ],
    );
    pausing
        .idle_cores(1)
        .is(BottleneckKind::FetchSettings, &["for 85 % of it"]);
    let brokers = Made::new(1, 2).waiting(83, 75).threads(&[thread("rdk:broker1", 10, 0)]);
    brokers.is(BottleneckKind::Brokers, &["awaited 75 %", "brokers used 0.2 cores"]);
    let unpacking = Made::new(1, 2).waiting(75, 30).threads(&[thread("rdk:broker1", 60, 8)]);
    unpacking.is(
        BottleneckKind::ReaderThread,
        &["thread for broker 1", "answers were awaited 30 %"],
    );
    Made::new(1, 2)
        .waiting(45, 50)
        .is(BottleneckKind::Unknown, &["readers waited 45 % of the time"]);
}

#[test]
fn readers_that_wait_for_a_client_fuller_than_they_are_are_limited_by_it() {
    let unpacking = |waiting, percent: u64| {
        let made = Made::new(1, 2).waiting(waiting, 35);
        made.threads(&[thread("rdk:broker1", percent - 8, 8), thread("reader-0", 50, 1)])
    };
    unpacking(49, 78).is(
        BottleneckKind::ReaderThread,
        &["thread for broker 1", "while readers waited 49 % of it"],
    );
    unpacking(26, 78).is(BottleneckKind::ReaderThread, &[]);
    // The reader is the fuller one, or waits too little to count.
    unpacking(21, 78).is(BottleneckKind::Unknown, &["readers waited 21 %"]);
    unpacking(24, 88).is(BottleneckKind::Unknown, &["readers waited 24 %"]);
    Made::new(1, 2)
        .waiting(45, 75)
        .is(BottleneckKind::Brokers, &["awaited 75 %"]);
    // Where records arrive, whoever has fallen behind has them in its queue, and its client awaits more.
    Made::new(1, 2)
        .waiting(33, 95)
        .load(true, true)
        .is(BottleneckKind::Unknown, &["readers waited 33 %"]);
}

#[test]
fn without_the_librarys_figures_the_brokers_processors_decide() {
    let unseen = |brokers_ns| {
        let mut made = Made::new(1, 2).waiting(83, 0);
        made.measurement.members[0].client = None;
        made.measurement.host.brokers_cpu_ns = vec![brokers_ns];
        made
    };
    unseen(SECOND / 10).is(BottleneckKind::FetchSettings, &["was not observed"]);
    unseen(SECOND * 9 / 10).is(BottleneckKind::Brokers, &["brokers used 0.9 cores"]);
    unseen(SECOND * 6 / 10).is(BottleneckKind::Unknown, &[]);
    // Another library may be busy while its reader waits.
    let of_go = |brokers_ns| {
        let mut made = unseen(brokers_ns).app("go");
        made.measurement.processes[0].window.as_mut().unwrap().threads = Vec::new();
        made
    };
    of_go(SECOND / 10).is(BottleneckKind::Unknown, &["readers waited 83 %"]);
}

#[test]
fn what_an_app_cannot_do_is_no_remedy_and_properties_have_the_names_of_its_client() {
    let work = Work::Wait { ns: 1_000_000 };
    let remedy = |app: &str, members, partitions| {
        let made = Made::new(members, partitions).working(work, 97).app(app);
        made.found().remedy
    };
    assert!(remedy("tandem", 1, 2).contains("threads per consumer"));
    for app in ["java", "spring", "python", "go"] {
        for (members, partitions) in [(1, 2), (2, 2)] {
            let remedy = remedy(app, members, partitions);
            assert!(
                remedy.contains("Quicker work") || remedy.contains("quicker work"),
                "{app}: {remedy}"
            );
            assert!(!remedy.contains("threads"), "{app}: {remedy}");
        }
    }
    let awaited = |app: &str| Made::new(1, 2).waiting(75, 95).app(app).found();
    for (app, name) in [
        ("tandem", "`fetch.min.bytes`"),
        ("java", "`fetch.min.bytes`"),
        ("go", "`FetchMinBytes`"),
    ] {
        let found = awaited(app);
        assert_eq!(found.kind, BottleneckKind::Brokers, "{app}");
        assert!(found.remedy.contains(name), "{app}: {}", found.remedy);
    }
}

#[test]
fn answers_that_a_quota_holds_back_are_not_the_brokers() {
    let throttled = |percent: u64, waiting| {
        let mut made = Made::new(1, 2).waiting(waiting, 95);
        made.measurement.host.brokers_cpu_ns = vec![SECOND / 100];
        made.measurement.members[0].client.as_mut().unwrap().throttled_ns = SECOND / 100 * percent;
        made
    };
    let quota = throttled(93, 96);
    quota.is(
        BottleneckKind::Quota,
        &[
            "because of a quota for 93 % of the time",
            "readers waited 96 % of it",
            "brokers used 0.01 cores",
        ],
    );
    assert!(
        quota.found().remedy.contains("faster brokers will not"),
        "{:?}",
        quota.found()
    );
    // A machine that is full is no reason where records are held back.
    throttled(60, 70).idle_cores(1).is(BottleneckKind::Quota, &[]);
    throttled(20, 96).is(BottleneckKind::Brokers, &[]);
    throttled(93, 20)
        .working(WAIT, 85)
        .is(BottleneckKind::ConsumerWork, &[]);
}

#[test]
fn a_trial_of_a_few_exchanges_says_only_what_needs_no_clock() {
    let short = |made: Made, ms: u64| {
        let mut made = made;
        let end_ns = made.measurement.start_ns + ms * SECOND / 1_000;
        made.measurement.end_ns = end_ns;
        for member in &mut made.measurement.members {
            member.client = None;
            member.last_record_ns = member.last_record_ns.map(|_| end_ns);
            member.reading.as_mut().unwrap().waiting_ns = ms * SECOND / 1_000 * 9 / 10;
        }
        made
    };
    short(Made::new(1, 2), 2).is(BottleneckKind::Unknown, &["trials of 2.0 ms are too short"]);
    short(Made::new(1, 2).threads(&[thread("reader-0", 99, 0)]), 2).is(BottleneckKind::Unknown, &["too short"]);
    short(Made::new(4, 2).idle_cores(1), 2).is(BottleneckKind::IdleMembers, &[]);
    short(Made::new(1, 2), 200).is(BottleneckKind::FetchSettings, &["90 %"]);
}

#[test]
fn one_member_with_most_of_the_records_is_skew_with_its_share() {
    let made = Made::new(2, 2).uneven(0.9);
    made.is(
        BottleneckKind::Skew,
        &[
            "partition 0 holds 90 % of the records",
            "consumer 1 read 90 %",
            "44 % of the members' time was left",
        ],
    );
    assert!(made.found().remedy.contains("more members will not"));
    Made::new(2, 2).uneven(0.55).is(BottleneckKind::Unknown, &[]);
    Made::new(1, 2).is(BottleneckKind::Unknown, &[]);
}

#[test]
fn skew_comes_before_what_limits_the_busiest_member() {
    Made::new(2, 2).uneven(0.9).idle_cores(1).is(BottleneckKind::Skew, &[]);
    Made::new(2, 2)
        .uneven(0.9)
        .threads(&[thread("reader-0", 99, 0)])
        .is(BottleneckKind::Skew, &[]);
}

#[test]
fn idle_members_come_before_what_limits_the_others_which_is_said_beside() {
    let mut made = Made::new(4, 2).idle_cores(2);
    made.is(
        BottleneckKind::IdleMembers,
        &["2 of 4 members held no partition; of those that read: machine saturated"],
    );
    assert!(made.found().remedy.contains("More than 2 partitions"));
    made = made.idle_cores(100);
    made.is(BottleneckKind::IdleMembers, &["of those that read: no rule fits"]);
    made.scenario.datasets[0].partitions = 4;
    made.scenario.configurations[0].membership = Membership::Manual;
    assert!(made.found().remedy.contains("Another assignor"));
}

#[test]
fn a_load_that_was_not_reached_is_the_producers_whatever_else_is_full() {
    let made = Made::new(4, 2).idle_cores(1).load(false, true);
    made.is(
        BottleneckKind::Producers,
        &["of 50,000 records a second that were to arrive, producers sent 31,000"],
    );
}

#[test]
fn a_load_that_was_held_limits_nothing_and_one_that_was_not_is_judged_like_a_backlog() {
    let held = Made::new(1, 2).working(WAIT, 97).load(true, false);
    held.is(BottleneckKind::Unknown, &["nothing limited it: the load of 50,000"]);
    Made::new(1, 2)
        .working(WAIT, 97)
        .load(true, true)
        .is(BottleneckKind::ConsumerWork, &[]);
}

#[test]
fn the_end_of_a_capacity_is_the_bottleneck_at_the_rate_that_was_not_held() {
    let made = Made::new(1, 2).working(WAIT, 97).load(true, false);
    let text = "question = \"Why?\"\n[dataset]\nrecords = 80000\npartitions = 2\n[trial]\nrecords = 80000\n";
    let plan = plan(text);
    let Next::Trial(order) = plan.next(&[], 1) else {
        panic!("a plan has a first trial");
    };
    let mut trial = complete(&plan, order, 1, 1.0);
    trial.order.load = Some(crate::measure::OrderedLoad {
        rate: 900.0,
        duration_ns: SECOND,
    });
    trial.measurement = Some(made.measurement);
    let mut found = CapacitySummary {
        per_second: Some(800.0),
        low: Some(800.0),
        high: Some(900.0),
        confirmed: true,
        limited_by_load: false,
    };
    let named = of_capacity(&made.scenario, 0, &found, std::slice::from_ref(&trial));
    assert_eq!(named.kind, BottleneckKind::ConsumerWork, "{named:?}");
    assert!(
        named
            .evidence
            .starts_with("at the lowest rate that it did not hold: members were in work")
    );
    found.high = None;
    let named = of_capacity(&made.scenario, 0, &found, &[trial]);
    assert_eq!(named.kind, BottleneckKind::Unknown, "{named:?}");
}

#[test]
fn a_figure_is_the_median_of_the_trials_that_have_it() {
    let with = |percent| Made::new(2, 4).working(WAIT, percent);
    let (low, middle, high) = (with(10), with(90), with(95));
    let mut without = with(0);
    without
        .measurement
        .members
        .iter_mut()
        .for_each(|member| member.work_ns = None);
    let trials = [
        &low.measurement,
        &without.measurement,
        &high.measurement,
        &middle.measurement,
    ];
    let found = find(&low.scenario, 0, &trials, None, &Figures::default());
    assert!(found.evidence.contains("90 %"), "{found:?}");
}

#[test]
fn what_nobody_measured_is_unknown_with_the_reason() {
    let mut made = Made::new(1, 2);
    made.measurement.host.cpu = HostCpu::default();
    made.measurement
        .processes
        .iter_mut()
        .for_each(|process| process.window = None);
    for member in &mut made.measurement.members {
        (member.work_ns, member.reading, member.client) = (None, None, None);
    }
    made.is(BottleneckKind::Unknown, &["recorded nothing that says why"]);
    let none = find(&made.scenario, 0, &[], None, &Figures::default());
    assert_eq!(none.kind, BottleneckKind::Unknown);
    assert!(none.evidence.contains("no trial"));
}

#[test]
fn every_kind_is_written_as_it_is_stored() {
    for kind in BottleneckKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
}
