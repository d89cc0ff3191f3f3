//! Limits before all other rules, and what cores are under them.

use super::*;
use crate::measure::Trial;
use crate::measure::limits::{MemoryEffect, MemoryLimit, Party, Quota, QuotaEffect};

impl Made {
    /// Under a quota of so many hundredths of a core, used up in this many of 10 periods.
    fn under_quota(mut self, hundredths: u64, throttled_periods: u64) -> Self {
        self.measurement.host.quotas = vec![QuotaEffect {
            quota: Quota {
                cgroup: "/box".to_owned(),
                place: None,
                quota_us: 1_000 * hundredths,
                period_us: 100_000,
            },
            of: vec![Party::Tandem, Party::Workers, Party::Brokers],
            covers_all: true,
            periods: 10,
            throttled_periods,
            throttled_ns: SECOND / 2,
            used_ns: Some(SECOND * hundredths / 100),
        }];
        self
    }

    /// Brokers read this share of the data from storage, under a memory limit or not.
    fn reading_storage(mut self, percent: u64, is_limited: bool) -> Self {
        let members = self.measurement.members.iter_mut();
        for partition in members.flat_map(|member| &mut member.partitions) {
            partition.bytes = 1_000_000;
        }
        let bytes = self.measurement.bytes();
        self.measurement.host.brokers_storage_read_bytes = Some(bytes / 100 * percent);
        if is_limited {
            self.measurement.host.memory_limits = vec![MemoryEffect {
                limit: MemoryLimit {
                    cgroup: "/box".to_owned(),
                    place: None,
                    bytes: 600 << 20,
                },
                of: vec![Party::Tandem, Party::Workers, Party::Brokers],
                used_bytes: 600 << 20,
                cache_bytes: 120 << 20,
                hits: 4_000,
                refaulted_bytes: Some(300 << 20),
                stalled_ns: None,
                killed: 0,
            }];
        }
        self
    }
}

#[test]
fn a_quota_on_another_machine_is_named_with_it_or_by_its_place() {
    let far = |cgroup: &str| {
        let mut made = Made::new(1, 4).under_quota(50, 7);
        let mut measured = std::mem::replace(&mut made.measurement.host, Made::new(1, 4).measurement.host);
        measured.quotas[0].quota.cgroup = cgroup.to_owned();
        measured.quotas[0].covers_all = false;
        made.measurement.other_hosts = vec![OtherHost {
            facts: HostFacts::of_this_machine(),
            ssh: "bench@far".to_owned(),
            places: BTreeSet::from(["there".to_owned()]),
            pods: 0,
            hosts: Vec::new(),
            measured,
        }];
        made
    };
    let named = "the CPU quota of the cgroup /box on host bench@far gives 0.5 cores";
    far("/box").is(BottleneckKind::Limit, &[named]);
    let of_place = far("/tandem-limits-r1/there:1");
    of_place.is(
        BottleneckKind::Limit,
        &["the `cpu_limit` of place there gives 0.5 cores"],
    );
    assert!(of_place.found().remedy.contains("A larger `cpu_limit` would help"));
}

#[test]
fn a_quota_that_is_used_up_is_named_before_anything_that_would_advise_more() {
    let made = [
        Made::new(1, 4).working(CPU, 97),
        Made::new(2, 4).working(WAIT, 97),
        Made::new(1, 4).threads(&[thread("reader-0", 99, 0)]),
        Made::new(1, 4).waiting(90, 5),
        Made::new(2, 4).uneven(0.9),
        Made::new(2, 2).load(false, false),
        Made::new(2, 2).load(true, false),
    ];
    for made in made {
        let made = made.under_quota(100, 7);
        made.is(
            BottleneckKind::Limit,
            &[
                "the CPU quota of the cgroup /box gives 1 core to tandem, workers and brokers",
                "used up in 7 of 10 periods (70 %)",
                "stood still for 0.50 s, summed over their processors, in 1.00 s",
            ],
        );
        let remedy = made.found().remedy;
        assert!(
            remedy.contains("larger CPU quota") && !remedy.contains("more members"),
            "{remedy}"
        );
    }
}

#[test]
fn a_quota_that_is_not_used_up_is_not_named_and_is_what_there_is_of_cores() {
    let mut made = Made::new(1, 4).working(CPU, 97).under_quota(150, 0);
    made.measurement.host.quotas[0].used_ns = Some(SECOND * 6 / 5);
    // No room for another member that computes.
    let gives = "the CPU quota of the cgroup /box gives 1.5 of 2 cores, of which 0.3 were idle";
    made.is(BottleneckKind::Limit, &[gives, "in work 97 % of their time"]);
    let remedy = made.found().remedy.to_lowercase();
    assert!(
        remedy.contains("larger cpu quota") && !remedy.contains("more members"),
        "{remedy}"
    );
    // v1 without cpuacct at the same place: what the run's own processes used.
    made.measurement.host.quotas[0].used_ns = None;
    made.measurement.host.others_cpu_ns = SECOND / 10;
    made.is(BottleneckKind::ConsumerWork, &["0.6 of 1.5 cores idle"]);
    // On a machine that others fill, the rest of the quota is no idle core.
    made.measurement.host.cpu.idle_ns = SECOND / 20;
    made.measurement.host.others_cpu_ns = SECOND;
    made.is(
        BottleneckKind::AllCores,
        &["1.45 of 1.5 cores", "programs outside of the run 1 of them"],
    );
    // One that is larger than the machine leaves all of it.
    let made = Made::new(1, 4).working(CPU, 97).under_quota(400, 0);
    made.is(BottleneckKind::ConsumerWork, &["1 of 2 cores idle"]);
}

#[test]
fn processors_that_may_not_be_used_are_no_cores_that_are_idle() {
    let mut made = Made::new(1, 4);
    made.measurement.host.cores = 1;
    made.measurement.host.machine_cores = Some(2);
    made.measurement.host.cpu.idle_ns = SECOND / 100;
    made.is(BottleneckKind::AllCores, &["0.99 of 1 core"]);
}

#[test]
fn brokers_that_have_no_room_for_the_data_are_limited_by_memory() {
    let made = Made::new(2, 4).waiting(70, 80).reading_storage(40, true);
    made.is(
        BottleneckKind::Limit,
        &[
            "brokers read 40 % of what was delivered from storage",
            "the memory limit of the cgroup /box leaves 600 MiB to tandem, workers and brokers, of which 120 MiB were page \
             cache",
            "reached 4000 times",
            "300 MiB were read again",
            "readers waited 70 % of the time",
        ],
    );
    assert!(made.found().remedy.starts_with("A larger memory limit"));
    let machine = Made::new(2, 4).waiting(70, 80).reading_storage(40, false);
    machine.is(BottleneckKind::Limit, &["this machine's memory did not hold it"]);
    Made::new(2, 4)
        .waiting(70, 80)
        .reading_storage(5, true)
        .is(BottleneckKind::Brokers, &[]);
    // Readers that do not wait lose nothing by it.
    Made::new(2, 4)
        .working(CPU, 97)
        .waiting(2, 20)
        .reading_storage(40, true)
        .is(BottleneckKind::ConsumerWork, &[]);
}

#[test]
fn the_answer_says_under_which_limits_it_holds() {
    let made = Made::new(2, 4).under_quota(150, 3).reading_storage(40, true);
    let plan = Plan::new(made.scenario.clone());
    let Next::Trial(order) = plan.next(&[], 1) else {
        panic!("a plan has a first trial");
    };
    let mut trial = complete(&plan, order, 1, 1.0);
    trial.order.kind = crate::measure::TrialKind::Counted;
    trial.measurement = Some(made.measurement);
    let said = |trials: &[Trial]| crate::summary::limits::sentence(trials);
    assert_eq!(
        said(&[trial.clone(), trial.clone()]).unwrap(),
        "This holds under limits: a CPU quota of the cgroup /box of 1.5 cores for tandem, workers and brokers, used up in \
         6 of 20 periods; a memory limit of the cgroup /box of 600 MiB for tandem, workers and brokers, reached 8000 times."
    );
    let host = &mut trial.measurement.as_mut().unwrap().host;
    (host.quotas, host.memory_limits) = (Vec::new(), Vec::new());
    assert_eq!(said(&[trial.clone()]), None);
    let host = &mut trial.measurement.as_mut().unwrap().host;
    (host.cores, host.machine_cores) = (1, Some(2));
    assert_eq!(
        said(&[trial]).unwrap(),
        "This holds under limits: 1 of 2 cores (CPU affinity or cpuset)."
    );
}
