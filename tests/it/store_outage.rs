//! Databases that do not answer for a while, in runs: a commit without an answer, a server that stands still, one that is away.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tandem::measure::{FailureKind, FlagKind, Measurement, Status, StoreAccount, Trial};

use crate::postgres::Postgres;
use crate::scene::{Running, Scene, failure, signal, undisturbed, wait_until};
use crate::store::{WITH_VARIABLE, ask, beside, folder_of, processes_in, storing, tamper, tell, titles};

fn measurement(trial: &Trial) -> &Measurement {
    trial.measurement.as_ref().unwrap()
}

fn account(trial: &Trial) -> StoreAccount {
    measurement(trial).store.as_ref().unwrap().account.unwrap()
}

/// The account of a trial whose rows are all explained.
fn explained(trial: &Trial) -> StoreAccount {
    let account = account(trial);
    let StoreAccount {
        lost,
        unexplained,
        outside,
        altered,
        ..
    } = account;
    assert_eq!((lost, unexplained, outside, altered), (0, 0, 0, 0));
    account
}

fn is_flagged_as_retried(trial: &Trial) -> bool {
    trial.flags.iter().any(|flag| flag.kind == FlagKind::StoreRetried)
}

#[test]
fn a_commit_without_an_answer_makes_a_second_row_of_an_insert_which_is_explained() {
    let server = Postgres::start();
    tell(&server, "CREATE SEQUENCE once");
    // The server goes on with the statement after its client has given up, and commits it.
    let body = "IF NEW.\"offset\" = 5 AND NEW.partition = 0 AND nextval('once') = 1 THEN PERFORM pg_sleep(6); END IF; \
                RETURN NULL;";
    tamper(&server, "AFTER", body);
    let scene = beside(&server);
    let store = format!("{WITH_VARIABLE}\non_error = 'retry'");
    let ended = scene.scenario(storing(400, "", &store)).run(&[]).exits(0);
    let trial = &scene.trials()[0];
    let expected = StoreAccount {
        rows: 401,
        stored: 400,
        stored_twice: 1,
        ..StoreAccount::default()
    };
    assert_eq!(account(trial), expected);
    assert!(is_flagged_as_retried(trial), "{:?}", trial.flags);
    ended.prints("tried transactions again because the store was away");
    // Nothing was left unobserved: all values have the same length.
    assert_eq!(measurement(trial).not_observed, Vec::<String>::new());
    assert_eq!(scene.table("trials.csv")[0]["stored_twice"], "1");
    let members = measurement(trial).members.iter();
    let unanswered: Vec<_> = members
        .flat_map(|member| &member.unanswered)
        .map(|span| (span.partition.partition, span.first, span.end))
        .collect();
    assert_eq!(unanswered, [(0, 5, 6)]);
}

#[test]
#[ignore = "scripts/test --all; a_commit_without_an_answer_makes_a_second_row_of_an_insert_which_is_explained is shorter"]
fn a_server_that_stands_still_for_seven_seconds_costs_no_row() {
    let scene = Scene::on_shared_cluster();
    scene.scenario(storing(20_000, "store_batch = 10\nprocesses = 2", "on_error = 'retry'"));
    let run = scene.spawn_run(&[]);
    let folder = folder_of(&scene);
    let is_writing = |title: &String| title.contains("INSERT") || title.contains("COMMIT");
    wait_until("rows are written", || titles(&folder).iter().any(is_writing));
    let pids = || {
        let all = processes_in(&folder).into_iter();
        all.filter_map(|path| path.file_name()?.to_str()?.parse().ok())
    };
    pids().for_each(|pid| signal(pid, Signal::SIGSTOP));
    std::thread::sleep(Duration::from_secs(7));
    pids().for_each(|pid| signal(pid, Signal::SIGCONT));
    run.end().exits(0);
    let trial = &scene.trials()[0];
    let account = explained(trial);
    assert_eq!((account.stored, account.rows), (20_000, 20_000 + account.stored_twice));
    assert!(is_flagged_as_retried(trial), "{:?}", trial.flags);
}

/// A load of 8 s into a server, which ends as soon as the first rows are there.
fn load_into_an_outage(server: &Postgres, on_error: &str) -> (Scene, Running) {
    let scene = beside(server);
    scene.scenario(format!(
        "question = 'q'\nrepetitions = 1\nwarmup_blocks = 0\n[cluster]\nprefix = 'tandem-store-'\n[dataset]\npartitions = 2\n\
         [consumer]\nprocesses = 2\nwork = 'store'\n[load]\nrate = 300\nduration = '8s'\nwarmup = '1s'\n\
         [store]\nkind = 'postgres'\n{WITH_VARIABLE}\non_error = '{on_error}'\n"
    ));
    let run = scene.spawn_run(&[]);
    let table = "SELECT relname::text FROM pg_stat_user_tables WHERE relname LIKE 'tandem-store-%' AND n_tup_ins > 500";
    wait_until("rows are stored", || !ask(server, table).is_empty());
    server.stop();
    (scene, run)
}

#[test]
#[ignore = "scripts/test --all; store_worker.rs has the worker alone"]
fn a_load_goes_on_through_an_outage_of_three_seconds_which_its_response_times_contain() {
    undisturbed(|_| {
        let server = Postgres::start();
        let (scene, run) = load_into_an_outage(&server, "retry");
        std::thread::sleep(Duration::from_secs(3));
        server.resume();
        run.end().exits(0);
        let trial = &scene.trials()[0];
        let measured = measurement(trial);
        assert_eq!(explained(trial).stored, measured.records_expected);
        let slowest_ns = measured.latencies().unwrap().response.max_ns().unwrap();
        assert!((3_000_000_000..6_000_000_000).contains(&slowest_ns), "{slowest_ns}");
        assert!(is_flagged_as_retried(trial), "{:?}", trial.flags);
    });
}

#[test]
#[ignore = "scripts/test --all; store_worker.rs has the worker alone"]
fn a_load_whose_store_goes_away_fails_by_name_within_ten_seconds() {
    let server = Postgres::start();
    let (scene, run) = load_into_an_outage(&server, "fail");
    let gone = Instant::now();
    let trials = scene.out().join("trials");
    let is_stored = || trials.read_dir().is_ok_and(|mut files| files.next().is_some());
    wait_until("the trial is stored", is_stored);
    assert!(gone.elapsed() < Duration::from_secs(10), "{:?}", gone.elapsed());
    server.resume();
    run.end().exits(1);
    let failure = failure(&scene.trials()[0]).clone();
    assert_eq!(failure.kind, FailureKind::WorkerFailed, "{}", failure.message);
    assert!(failure.message.contains("the work failed: "), "{}", failure.message);
}

/// The trial of a load into this server, in which something happens to processes.
fn load(server: &Postgres, rate: u32, consumer: &str, events: &str) -> (Scene, Trial) {
    let scene = beside(server);
    scene
        .scenario(format!(
            "question = 'q'\nrepetitions = 1\nwarmup_blocks = 0\n[cluster]\nprefix = 'tandem-store-'\n[dataset]\npartitions = \
             2\n[consumer]\nwork = 'store'\nsession_timeout = '6s'\nheartbeat = '500ms'\n{consumer}\n\
             [load]\nrate = {rate}\nduration = '14s'\nwarmup = '1s'\n{events}\n\
             [store]\nkind = 'postgres'\n{WITH_VARIABLE}\non_error = 'retry'\n"
        ))
        .run(&[]);
    let trial = scene.trials().remove(0);
    (scene, trial)
}

/// A load of which a process is killed 8 s after its beginning. Before that the server lets a commit go unanswered, and does
/// this to rows too.
fn load_of_a_killed_process(body: &str) -> (Scene, Trial) {
    let server = Postgres::start();
    tell(&server, "CREATE SEQUENCE once");
    let slow = "IF NEW.\"offset\" = 40 AND NEW.partition = 1 AND nextval('once') = 1 THEN PERFORM pg_sleep(6); END IF;";
    tamper(&server, "AFTER", &format!("{slow} {body} RETURN NULL;"));
    let event = "[[event]]\nat = '9s'\ndo = 'kill'\nwhat = 'process 2'";
    load(&server, 100, "processes = 2\ncommit = 'auto'", event)
}

#[test]
#[ignore = "scripts/test --all; the tests of measure::rows have the account alone"]
fn a_process_that_is_killed_while_it_reads_again_what_it_had_reported_condemns_no_trial() {
    undisturbed(|_| {
        let server = Postgres::start();
        tamper(&server, "AFTER", "PERFORM pg_sleep(0.004); RETURN NULL;");
        // Nothing is committed, so all that are left begin again when one leaves. That takes longer than the process lives.
        let events = "[[event]]\nat = '5s'\ndo = 'leave'\nwhat = 'process 3'\n\
                      [[event]]\nat = '6500ms'\ndo = 'kill'\nwhat = 'process 2'";
        let (_scene, trial) = load(&server, 120, "processes = 3\ncommit = 'none'", events);
        assert_eq!(trial.status, Status::Complete, "{:?}", trial.status);
        let members = measurement(&trial).members.iter();
        let killed = members
            .filter(|member| member.was_killed)
            .flat_map(|member| &member.partitions);
        let runs: Vec<_> = killed.filter_map(|read| read.runs.as_deref()).collect();
        let is_read_again = runs
            .iter()
            .flat_map(|runs| runs.windows(2))
            .any(|pair| pair[1].first < pair[0].end);
        assert!(is_read_again, "{runs:?}");
        let StoreAccount { stored_twice, .. } = explained(&trial);
        assert!(stored_twice > 0);
    });
}

#[test]
#[ignore = "scripts/test --all; the tests of measure::rows have the account alone"]
fn a_process_that_is_killed_after_a_commit_without_an_answer_condemns_no_trial_and_excuses_no_other_row() {
    let (_scene, trial) = load_of_a_killed_process("");
    assert_eq!(trial.status, Status::Complete, "{:?}", trial.status);
    let members = measurement(&trial).members.iter();
    let killed: Vec<_> = members.filter(|member| member.was_killed).collect();
    let unanswered = killed.iter().map(|member| member.unanswered.len()).sum::<usize>();
    let of_others = measurement(&trial).members.len() - killed.len();
    assert!(of_others > 0 && killed.len() == 1, "{killed:?}");
    let StoreAccount { stored_twice, .. } = explained(&trial);
    assert!(stored_twice >= unanswered as u64, "{stored_twice} of {unanswered}");
    // Early and late in both partitions: neither the kill nor the retries explain it.
    let doubled = "IF NEW.\"offset\" = 20 AND pg_trigger_depth() = 1 THEN \
                   EXECUTE format('INSERT INTO %I SELECT $1.*', TG_TABLE_NAME) USING NEW; END IF;";
    let (_scene, trial) = load_of_a_killed_process(doubled);
    let failure = failure(&trial);
    assert_eq!(failure.kind, FailureKind::RowsTwice, "{}", failure.message);
    assert_eq!(account(&trial).unexplained, 2, "{}", failure.message);
    assert!(
        failure
            .message
            .contains("offset 20 of partition 0 of topic 1 has 2 rows"),
        "{}",
        failure.message
    );
}
