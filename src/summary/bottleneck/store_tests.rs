//! What is said of members that write to a store.

#![allow(clippy::unwrap_used)]

use super::tests::{Made, SECOND, plan};
use super::*;
use crate::measure::{SessionState, SessionsMet, StoreActivity, StoreMeasurement, StoreUse};
use crate::scenario::{Commit, Read, Size, Work};

/// Members that are in transactions for this share of their time.
fn storing(members: u32, partitions: u32, share_percent: u64) -> Made {
    let mut made = Made::new(members, partitions).working(Work::Store, share_percent);
    let text = "question = \"Why?\"\n[store]\nkind = \"postgres\"\n[consumer]\nwork = \"store\"\n";
    made.scenario.store = plan(text).scenario.store;
    made.measurement.host.store_cpu_ns = Some(SECOND * 3 / 10);
    made.transactions(250, 250)
}

impl Made {
    /// Each member made so many transactions with so many rows together.
    fn transactions(mut self, transactions: u64, rows: u64) -> Self {
        for member in &mut self.measurement.members {
            member.store = Some(StoreUse {
                transactions,
                rows,
                retries: 0,
            });
        }
        self
    }

    /// What the sessions were met in.
    fn sessions(mut self, met: &[(SessionState, Option<&str>, u64)]) -> Self {
        let sessions = met.iter().map(|(state, wait, met)| SessionsMet {
            state: *state,
            wait: wait.map(str::to_owned),
            met: *met,
        });
        let activity = Some(StoreActivity {
            looks: 100,
            sessions: sessions.collect(),
        });
        self.measurement.store = Some(StoreMeasurement {
            account: None,
            activity,
        });
        self
    }
}

const DISK: [(SessionState, Option<&str>, u64); 4] = [
    (SessionState::Active, Some("IO:WALSync"), 80),
    (SessionState::Active, Some("LWLock:WALWrite"), 8),
    (SessionState::Active, None, 6),
    (SessionState::Idle, Some("Client:ClientRead"), 6),
];

#[test]
fn commits_that_wait_for_the_disk_are_shared_by_larger_transactions() {
    let made = storing(1, 2, 97).sessions(&DISK);
    made.is(
        BottleneckKind::Store,
        &[
            "members were in transactions 97 % of their time (1 row each, 3.88 ms)",
            "of that 91 % was the server's disk (IO:WALSync, LWLock:WALWrite), 6 % running in the server, 3 % the members \
             and the way to the server",
            "the server used 0.3 cores",
            "1 of 2 cores idle",
            // 91 % of a transaction is the disk's, 85 % with the error of 100 sessions. With 50 rows 3 % of the time is left
            // and 0.85 / 50 + 0.15 of 97 %.
            "50 rows each would give at least 5 times as many records a second",
        ],
    );
    let remedy = made.found().remedy;
    assert!(
        remedy.starts_with("Larger transactions (`store_batch`) would help."),
        "{remedy}"
    );
    assert!(remedy.contains("More members"), "{remedy}");
}

#[test]
fn nothing_is_said_of_the_server_where_it_was_away_for_a_time() {
    let mut made = storing(1, 2, 97).sessions(&DISK);
    if let Some(used) = &mut made.measurement.members[0].store {
        used.retries = 30;
    }
    made.is(
        BottleneckKind::Store,
        &["that has the time of 30 attempts in it that failed"],
    );
    assert!(!made.found().evidence.contains("disk"), "{}", made.found().evidence);
    assert!(
        !made.found().evidence.contains("would give"),
        "{}",
        made.found().evidence
    );
}

#[test]
fn members_without_a_partition_do_not_make_the_disk_of_others_look_idle() {
    let mut made = storing(2, 2, 97).sessions(&DISK);
    let summary = |made: &Made| StoreSummary::of(&made.scenario.configurations[0], &[&made.measurement]).unwrap();
    let both = summary(&made);
    let idle = &mut made.measurement.members[1];
    (idle.work_ns, idle.last_record_ns) = (Some(0), None);
    // Half of the sessions are met idle.
    let idle = (SessionState::Idle, Some("Client:ClientRead"), 100);
    let one = summary(&made.sessions(&DISK.into_iter().chain([idle]).collect::<Vec<_>>()));
    let disk = |summary: &StoreSummary| summary.parts(0).unwrap().disk;
    assert!(
        (disk(&both) - disk(&one)).abs() < 0.01,
        "{} and {}",
        disk(&both),
        disk(&one)
    );
}

#[test]
fn no_gain_is_promised_for_commits_that_would_have_much_to_write() {
    let mut made = storing(1, 2, 97).sessions(&DISK);
    made.scenario.datasets[0].size = Size::Fixed(100_000);
    assert!(
        !made.found().evidence.contains("would give"),
        "{}",
        made.found().evidence
    );
}

#[test]
fn a_disk_that_transactions_wait_for_is_named_even_where_all_cores_are_busy() {
    let made = storing(1, 2, 97).idle_cores(3);
    made.is(
        BottleneckKind::AllCores,
        &["machine saturated", "the store 0.3 of them"],
    );
    assert!(made.found().remedy.contains("the store on another machine"));
    made.sessions(&DISK).is(BottleneckKind::Store, &["IO:WALSync"]);
}

#[test]
fn a_listener_of_single_records_is_told_to_read_batches() {
    let mut made = storing(1, 2, 97).sessions(&DISK);
    made.scenario.configurations[0].read = Read::Poll;
    let remedy = made.found().remedy;
    assert!(remedy.contains("with `read = \"batch\"`"), "{remedy}");
}

#[test]
fn transactions_that_polls_do_not_fill_would_not_gain_from_a_larger_limit() {
    let mut made = storing(1, 2, 97).transactions(250, 1_000).sessions(&DISK);
    made.scenario.configurations[0].store_batch = 100;
    made.is(BottleneckKind::Store, &["(4 rows each"]);
    let remedy = made.found().remedy;
    assert!(remedy.starts_with("Larger polls would help"), "{remedy}");
    assert!(!made.found().evidence.contains("would give"), "{remedy}");
}

#[test]
fn transactions_that_are_large_already_change_little() {
    let running = [
        (SessionState::Active, None, 90),
        (SessionState::Active, Some("IO:WALSync"), 8),
    ];
    let mut made = storing(1, 2, 98).transactions(250, 25_000).sessions(&running);
    made.scenario.configurations[0].store_batch = 100;
    made.is(BottleneckKind::Store, &["of that 92 % was running in the server"]);
    let remedy = made.found().remedy;
    assert!(remedy.contains("may change little"), "{remedy}");
    assert!(remedy.contains("`write = \"copy\"`"), "{remedy}");
}

#[test]
fn sessions_that_wait_for_each_other_do_not_gain_from_more_members() {
    let locks = [
        (SessionState::Active, Some("Lock:extend"), 70),
        (SessionState::Active, None, 30),
    ];
    let made = storing(2, 4, 98).sessions(&locks);
    made.is(BottleneckKind::Store, &["70 % was locks (Lock:extend)"]);
    assert!(made.found().remedy.contains("More members will not help"));
}

#[test]
fn a_server_that_waits_for_its_members_is_far_away() {
    let between = [
        (SessionState::Active, None, 10),
        (SessionState::InTransaction, Some("Client:ClientRead"), 80),
        (SessionState::Idle, Some("Client:ClientRead"), 10),
    ];
    let made = storing(2, 4, 98).sessions(&between);
    made.is(
        BottleneckKind::Store,
        &["of that 90 % was the members and the way to the server"],
    );
    assert!(made.found().remedy.contains("shorter way to the server"));
}

#[test]
fn too_few_sessions_say_nothing_of_what_they_waited_for() {
    let few = [(SessionState::Active, Some("IO:WALSync"), 29)];
    for made in [storing(1, 2, 97), storing(1, 2, 97).sessions(&few)] {
        made.is(
            BottleneckKind::Store,
            &["what the server did meanwhile was not observed"],
        );
    }
}

#[test]
fn members_that_wait_longer_for_commits_to_kafka_than_for_the_store_are_not_limited_by_it() {
    let mut made = storing(1, 2, 30).sessions(&DISK);
    made.scenario.configurations[0].commit = Commit::PerBatch;
    made.measurement.members[0].reading.as_mut().unwrap().committing_ns = SECOND / 100 * 65;
    made.is(BottleneckKind::ConsumerWork, &["waited for commits 65 %"]);
    made.measurement.members[0].reading.as_mut().unwrap().committing_ns = SECOND / 100 * 20;
    made.is(BottleneckKind::Unknown, &["in work 30 %"]);
}

#[test]
fn what_was_stored_of_the_shares_reads_back() {
    let made = storing(1, 2, 97).sessions(&DISK);
    let used = [&made.measurement];
    let summary = StoreSummary::of(&made.scenario.configurations[0], &used).unwrap();
    let text = serde_json::to_string(&summary).unwrap();
    assert_eq!(serde_json::from_str::<StoreSummary>(&text).unwrap(), summary);
    let shares = summary.sessions.unwrap();
    assert_eq!((shares.met, shares.disk, shares.cpu), (100, 0.88, 0.06));
    assert_eq!(shares.waits[0].name, "IO:WALSync");
}
