//! Members that real runs do not have: rebalances in the middle of reading, with every protocol, commits and several
//! threads; many members in one process; work slower than the client allows for.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use tandem::measure::ledger::Account;
use tandem::measure::{RebalanceKind, TopicPartition};
use tandem::protocol::{ConsumerOrder, Prepare, ToWorker, WorkerResult};
use tandem::scenario::{Commit, Read, Work, WorkOrdering};

use crate::scene::undisturbed;
use crate::worker_process::{Worker, account_of, filled_topic, keyed_topic, order, read_to_the_end};

const PARTITIONS: i32 = 4;
const RECORDS: i64 = 2_000;

/// Members learn of a rebalance at a heartbeat: by default, every three seconds.
const HEARTBEAT: (&str, &str) = ("heartbeat.interval.ms", "300");
const RANGE: &[(&str, &str)] = &[
    ("group.protocol", "classic"),
    ("partition.assignment.strategy", "range"),
    HEARTBEAT,
];
const COOPERATIVE: &[(&str, &str)] = &[
    ("group.protocol", "classic"),
    ("partition.assignment.strategy", "cooperative-sticky"),
    HEARTBEAT,
];
const CONSUMER: &[(&str, &str)] = &[("group.protocol", "consumer")];

/// A second worker joins in the middle of reading and leaves again; the first reads the rest.
fn one_comes_and_goes(name: &str, properties: &[(&str, &str)], change: impl Fn(&mut Prepare)) -> (Account, u64) {
    one_comes_and_goes_in(name, 4 * RECORDS, properties, |prepare| {
        change(prepare);
        // Alone it would take some five seconds: a cooperative rebalance takes two heartbeats.
        prepare.work = Work::Wait {
            ns: 600_000 * u64::from(prepare.threads),
        };
    })
}

/// The same with so many records in each partition, and no work but what `change` asks for.
fn one_comes_and_goes_in(
    name: &str,
    records: i64,
    properties: &[(&str, &str)],
    change: impl Fn(&mut Prepare),
) -> (Account, u64) {
    let topic = filled_topic(&format!("rebalance-{name}"), PARTITIONS, records);
    let prepare = |client: &str| {
        let mut prepare = order(&topic, client, properties);
        change(&mut prepare);
        prepare
    };
    let mut first = Worker::ready(prepare("first"));
    let mut second = Worker::ready(prepare("second"));
    first.join(usize::try_from(PARTITIONS).unwrap());
    first.start();
    thread::sleep(Duration::from_millis(300));
    second.say(&ToWorker::Subscribe);
    second.start();
    let deadline = Instant::now() + Duration::from_secs(30);
    while second.positions.values().filter(|position| **position > 0).count() < 2 {
        if Instant::now() > deadline {
            let rebalances = |worker: &mut Worker| worker.stop().members[0].rebalances.clone();
            let (of_first, of_second) = (rebalances(&mut first), rebalances(&mut second));
            panic!("{name}: the second got no records; first {of_first:#?}; second {of_second:#?}");
        }
        thread::sleep(Duration::from_millis(20));
        second.look();
    }
    thread::sleep(Duration::from_millis(300));
    let of_second = second.stop();
    let mut before = second.positions.clone();
    // What it read after its last report is in its result only.
    for read in of_second.members.iter().flat_map(|member| &member.partitions) {
        let (topic, partition) = (read.topic, read.partition);
        let end = read.runs.iter().flatten().map(|run| run.end).max();
        let known = before.entry(TopicPartition { topic, partition }).or_default();
        *known = end.unwrap_or(0).max(*known);
    }
    second.exit();
    read_to_the_end(&mut [&mut first], &before, &topic);
    let of_first = first.stop();
    first.exit();
    let revoked = |result: &WorkerResult| {
        let all = result.members.iter().flat_map(|member| &member.rebalances);
        all.filter(|rebalance| rebalance.kind == RebalanceKind::Revoked).count()
    };
    assert!(revoked(&of_first) > 0, "{name}: nothing was taken from the first");
    let commits = of_first.members[0].commits + of_second.members[0].commits;
    let account = account_of(&topic, &[("first", &of_first), ("second", &of_second)]);
    eprintln!("{name}: {account:?}, {commits} commits");
    (account, commits)
}

/// Where the machine is busy, a group may have gone on before the last commit of a member that loses its partitions: the
/// broker refuses that commit, and the records are rightly read again.
fn read_once(name: &str, properties: &[(&str, &str)], threads: u32, commit: Commit) {
    undisturbed(|time| {
        let name = format!("{name}-{time}");
        let (account, commits) = one_comes_and_goes(&name, properties, |prepare| {
            prepare.threads = threads;
            prepare.commit = commit;
            if commit == Commit::Auto {
                for (name, value) in [("enable.auto.commit", "true"), ("auto.commit.interval.ms", "100000")] {
                    prepare
                        .properties
                        .insert(name.to_owned(), tandem::protocol::Secret::new(value));
                }
            }
        });
        assert!(account.is_exact(), "{name}: {account:?}");
        assert_eq!(commits > 0, commit != Commit::Auto, "{name}");
    });
}

#[test]
#[ignore = "scripts/test --all; the standard tier has the cooperative and the consumer protocol"]
fn a_member_that_comes_and_goes_costs_no_record_in_the_eager_protocol() {
    read_once("range-1", RANGE, 1, Commit::PerBatch);
    read_once("range-4", RANGE, 4, Commit::Every(100));
}

#[test]
fn a_member_that_comes_and_goes_costs_no_record_in_the_cooperative_protocol() {
    read_once("cooperative-1", COOPERATIVE, 1, Commit::Every(100));
    read_once("cooperative-4", COOPERATIVE, 4, Commit::PerBatch);
}

#[test]
fn a_member_that_comes_and_goes_costs_no_record_in_the_consumer_protocol() {
    read_once("consumer-1", CONSUMER, 1, Commit::PerBatch);
    read_once("consumer-4", CONSUMER, 4, Commit::PerBatch);
}

#[test]
fn records_without_work_are_counted_once_where_a_member_comes_and_goes_between_two_of_them() {
    // What takes the time is a commit of each record.
    for (name, properties) in [("counted-range", RANGE), ("counted-consumer", CONSUMER)] {
        let (account, commits) = one_comes_and_goes_in(name, 1_000, properties, |prepare| {
            prepare.commit = Commit::Every(1);
        });
        assert!(account.is_exact(), "{name}: {account:?}");
        assert!(commits > 1_000, "{name}: {commits} commits");
    }
}

#[test]
fn stored_offsets_are_committed_before_a_partition_goes() {
    read_once("auto-1", COOPERATIVE, 1, Commit::Auto);
}

#[test]
fn without_order_only_what_was_finished_above_a_gap_is_worked_again() {
    for (name, ordering) in [("key-4", WorkOrdering::Key), ("none-4", WorkOrdering::None)] {
        let (account, _) = one_comes_and_goes(name, COOPERATIVE, |prepare| {
            prepare.threads = 4;
            prepare.ordering = ordering;
            prepare.commit = Commit::PerBatch;
        });
        assert_eq!(
            (account.lost, account.duplicated, account.outside),
            (0, 0, 0),
            "{account:?}"
        );
        // Keys are worked apart: the queues of the others go on above the gap of a slow one.
        let bound = if ordering == WorkOrdering::None {
            3 * 4 * 2
        } else {
            4 * 256
        };
        assert!(account.redelivered <= bound, "{name}: {account:?}");
    }
}

#[test]
fn a_stream_reads_everything_once_through_rebalances_and_on_several_threads() {
    for (name, threads) in [("stream-1", 1), ("stream-4", 4)] {
        let (account, commits) = one_comes_and_goes(name, COOPERATIVE, |prepare| {
            prepare.threads = threads;
            prepare.read = Read::Stream;
            prepare.commit = Commit::Every(50);
        });
        assert!(
            account.is_exact() && commits > 0,
            "{name}: {account:?}, {commits} commits"
        );
    }
}

#[test]
fn work_that_takes_longer_than_the_poll_interval_keeps_its_group() {
    let reads_slowly = |threads: u32| {
        let topic = filled_topic(&format!("slow-{threads}"), 1, 1);
        let limits = [("max.poll.interval.ms", "6000"), ("session.timeout.ms", "6000")];
        let mut prepare = order(&topic, "slow", &limits);
        prepare.work = Work::Wait { ns: 8_000_000_000 };
        prepare.threads = threads;
        prepare.ordering = WorkOrdering::None;
        prepare.commit = Commit::PerBatch;
        let mut worker = Worker::ready(prepare);
        worker.join(1);
        worker.start();
        read_to_the_end(&mut [&mut worker], &BTreeMap::new(), &topic);
        let result = worker.stop();
        worker.exit();
        let member = &result.members[0];
        assert_eq!(member.rebalances.len(), 1, "{:?}", member.rebalances);
        assert_eq!(member.commits, 1);
        assert!(account_of(&topic, &[("slow", &result)]).is_exact());
    };
    thread::scope(|scope| {
        scope.spawn(|| reads_slowly(1));
        scope.spawn(|| reads_slowly(2));
    });
}

/// CPU time of a process in nanoseconds and its resident memory in bytes.
fn usage(pid: u32) -> (u64, u64) {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let cpu = tasks.filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let memory: u64 = memory.trim().trim_end_matches(" kB").parse().unwrap();
    (cpu.sum(), memory * 1024)
}

#[test]
fn one_to_sixty_four_members_of_a_process_read_everything_once_and_idle_ones_cost_little() {
    undisturbed(|time| {
        let mut memory_of_one = 0;
        for members in [1usize, 8, 64] {
            let topic = filled_topic(&format!("members-{members}-{time}"), 64, 100);
            let mut prepare = order(&topic, "", CONSUMER);
            let one = prepare.consumers[0].clone();
            prepare.consumers = (0..members)
                .map(|number| ConsumerOrder {
                    client_id: format!("member-{number}"),
                    ..one.clone()
                })
                .collect();
            let mut worker = Worker::ready(prepare);
            worker.join(64);
            thread::sleep(Duration::from_secs(1));
            let (from, before) = (Instant::now(), usage(worker.pid()));
            thread::sleep(Duration::from_secs(2));
            let (cpu_ns, memory) = usage(worker.pid());
            let share = (cpu_ns - before.0) as f64 / from.elapsed().as_nanos() as f64 / members as f64;
            if members == 1 {
                memory_of_one = memory;
            }
            let each = memory.saturating_sub(memory_of_one) / (members as u64 - 1).max(1);
            eprintln!(
                "{members} members: {:.3} % of a core each, {memory} B in all, {each} B for one more",
                share * 100.0
            );
            assert!(share < 0.02, "{members} members: an idle member uses {share} of a core");
            worker.start();
            read_to_the_end(&mut [&mut worker], &BTreeMap::new(), &topic);
            let result = worker.stop();
            worker.exit();
            let account = account_of(&topic, &[("worker", &result)]);
            assert!(account.is_exact(), "{members}: {account:?}");
        }
    });
}

#[test]
fn a_reader_that_waits_for_its_work_keeps_the_rate_that_the_work_allows() {
    undisturbed(|time| {
        for (threads, ordering) in [
            (1, WorkOrdering::Partition),
            (4, WorkOrdering::Partition),
            (4, WorkOrdering::Key),
            (4, WorkOrdering::None),
        ] {
            // A key for each record of a partition: few would not share out evenly among the threads.
            let records = 1_500 * i64::from(threads);
            let topic = keyed_topic(&format!("pressure-{threads}-{ordering:?}-{time}"), 4, records, records);
            let mut prepare = order(&topic, "pressed", CONSUMER);
            prepare.work = Work::Wait { ns: 200_000 };
            prepare.threads = threads;
            prepare.ordering = ordering;
            let mut worker = Worker::ready(prepare);
            worker.join(4);
            worker.start();
            read_to_the_end(&mut [&mut worker], &BTreeMap::new(), &topic);
            let result = worker.stop();
            worker.exit();
            assert!(account_of(&topic, &[("worker", &result)]).is_exact());
            let member = &result.members[0];
            let first = member.partitions.iter().filter_map(|read| read.first_ns).min().unwrap();
            let last = member.partitions.iter().filter_map(|read| read.last_ns).max().unwrap();
            let kept = member.work_ns.unwrap() as f64 / f64::from(threads) / (last - first) as f64;
            eprintln!("{threads} threads, {ordering:?}: {kept:.3} of the rate that the work allows");
            assert!(kept > 0.8, "{threads} threads, {ordering:?}: {kept}");
        }
    });
}
