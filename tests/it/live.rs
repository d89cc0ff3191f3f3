//! Live, mixed and capacity trials with real processes: what a pause, an overload or a death makes of them. How exact
//! the figures are is checked by `scripts/evidence/run live`; the limits here leave room for a busy machine.

use std::fs;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use tandem::measure::latency::Latencies;
use tandem::measure::{FailureKind, LoadMeasurement, Measurement, Trial, clock};
use tandem::summary::Summary;

use crate::python_worker::python;
use crate::scene::{Running, Scene, failure, read_once, signal, undisturbed, wait_until};
use crate::shared_cluster;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

/// One counted trial of what the tables say, or a search.
fn scenario(prefix: &str, tables: &str) -> String {
    format!(
        "question = \"How long do records wait?\"\nrepetitions = 1\nwarmup_blocks = 0\n[cluster]\nprefix = \
         \"{prefix}\"\n{tables}"
    )
}

/// Starts of names that no other test uses.
fn prefix(name: &str) -> String {
    format!("live-{name}-{}-", std::process::id())
}

/// The one trial of a run, which must be complete, with everything read once.
fn only(scene: &Scene) -> Trial {
    let mut trials = scene.trials();
    assert_eq!(trials.len(), 1, "{trials:?}");
    read_once(&trials[0]);
    trials.remove(0)
}

fn measurement(trial: &Trial) -> &Measurement {
    trial.measurement.as_ref().unwrap()
}

fn load(trial: &Trial) -> &LoadMeasurement {
    measurement(trial).load.as_ref().unwrap()
}

fn flags(trial: &Trial) -> Vec<&str> {
    trial.flags.iter().map(|flag| flag.kind.as_str()).collect()
}

/// 1,000 records/s for 10 s, of which a process sleeps through one; what the trial measured.
fn with_a_pause(process: &str) -> Trial {
    let scene = Scene::on_shared_cluster();
    let prefix = prefix(process.split(' ').next_back().unwrap());
    let tables = "[load]\nrate = 1_000\nduration = 10\nwarmup = 0.5\n";
    let run = scene.scenario(scenario(&prefix, tables)).spawn_run(&[]);
    shared_cluster::wait_for_records(&prefix);
    thread::sleep(Duration::from_secs(3));
    let pids = scene.processes_of(process);
    assert_eq!(pids.len(), 1, "{:?}", scene.processes());
    let stopped_ns = clock::now_ns();
    signal(pids[0], Signal::SIGSTOP);
    thread::sleep(Duration::from_secs(1));
    signal(pids[0], Signal::SIGCONT);
    let went_on_ns = clock::now_ns();
    run.end().exits(0);
    let trial = only(&scene);
    let load = load(&trial);
    assert!(
        load.window_from_ns < stopped_ns && went_on_ns + 3 * SECOND < load.window_end_ns,
        "the test was too slow: {stopped_ns} to {went_on_ns} of {} to {}",
        load.window_from_ns,
        load.window_end_ns
    );
    assert!(
        load.is_meaningful(),
        "a pause is no overload: {:?} {:?}",
        trial.flags,
        load.producers
    );
    assert_eq!((load.sent, load.acknowledged), (load.due, load.due));
    trial
}

/// A tenth of the records wait, evenly up to a second: half of them, a twentieth of all, for more than half of it.
fn tells_of_a_second(latencies: &Latencies) {
    let response = &latencies.response;
    assert_eq!(response.count(), 10_000, "every record of the window counts");
    let [p80, p93, p95] = [0.8, 0.93, 0.95].map(|share| response.percentile_ns(share).unwrap() / MS);
    let max = response.max_ns().unwrap() / MS;
    eprintln!("response: p80 {p80} ms, p93 {p93} ms, p95 {p95} ms, max {max} ms");
    assert!(p80 < 100 && p93 > 100, "p80 {p80} ms, p93 {p93} ms");
    assert!((300..900).contains(&p95), "p95 {p95} ms");
    assert!((850..1_800).contains(&max), "max {max} ms");
}

#[test]
fn a_consumer_stopped_for_a_second_makes_the_records_of_that_second_late() {
    undisturbed(|_| {
        let trial = with_a_pause("worker consumer");
        let latencies = measurement(&trial).latencies().unwrap();
        tells_of_a_second(&latencies);
        let delay = latencies.producer_delay.percentile_ns(0.95).unwrap() / MS;
        assert!(delay < 100, "the producer was not stopped, but {delay} ms late");
    });
}

#[test]
fn a_producer_stopped_for_a_second_has_sent_no_less_and_its_records_count_from_when_they_were_due() {
    undisturbed(|_| {
        let trial = with_a_pause("worker producer");
        let latencies = measurement(&trial).latencies().unwrap();
        tells_of_a_second(&latencies);
        let delay = latencies.producer_delay.percentile_ns(0.95).unwrap() / MS;
        assert!((300..900).contains(&delay), "producer delay {delay} ms");
        let transit = latencies.transit.percentile_ns(0.95).unwrap() / MS;
        assert!(transit < 200, "nothing waited in between, but {transit} ms");
    });
}

#[test]
fn everything_that_arrives_is_read_once_and_measured_and_nothing_is_left_of_it() {
    undisturbed(|_| read_once_and_measured());
}

fn read_once_and_measured() {
    let scene = Scene::on_shared_cluster();
    let prefix = prefix("two");
    let tables = "[dataset]\npartitions = 2\n[consumer]\nprocesses = 2\ncommit = \"per-batch\"\n[load]\nrate = \
                  2_000\nduration = 2\nwarmup = 0.5\n";
    let ended = scene.scenario(scenario(&prefix, tables)).run(&[]).exits(0);
    scene.assert_no_processes();
    assert_eq!(shared_cluster::names(&prefix), (vec![], vec![]));
    assert!(!scene.out().join("leftovers.json").exists());

    let trial = only(&scene);
    let (measured, load) = (measurement(&trial), load(&trial));
    assert!(load.reached, "{:?}", trial.flags);
    assert_eq!((load.due, load.acknowledged, load.unread), (5_000, 5_000, 0));
    assert_eq!((measured.records(), measured.records_expected), (5_000, 5_000));
    assert!(
        measured.members.iter().all(|member| member.records() == 2_500),
        "{:?}",
        measured.members
    );
    assert_eq!(
        measured.latencies().unwrap().response.count(),
        4_000,
        "the warm-up is left out"
    );
    let of_seconds: u64 = load.seconds.iter().map(|second| second.response.unpack().count()).sum();
    assert_eq!(of_seconds, 5_000, "the warm-up is in the seconds");
    assert!(load.lag.at_ns.len() > 8, "{:?}", load.lag);
    assert!(
        load.lag.partitions.len() == 2 && load.lag.at_ns.is_sorted(),
        "{:?}",
        load.lag
    );
    assert!(
        load.lag
            .partitions
            .iter()
            .all(|of| of.lag.len() == load.lag.at_ns.len()),
        "{:?}",
        load.lag
    );

    let judgement = load.judgement.as_ref().unwrap();
    assert!(
        judgement.who.starts_with("group 1, process"),
        "every member is judged: {judgement:?}"
    );
    assert!(judgement.fullness > 0.0 && judgement.resolution > 0.0, "{judgement:?}");

    let log = fs::read_to_string(scene.out().join("trials/0001.hlog")).unwrap();
    assert!(
        log.contains("Tag=response,") && log.contains("Tag=window/transit,"),
        "{log}"
    );
    let percentiles = scene.table("trials/0001-percentiles.csv");
    assert!(
        percentiles
            .iter()
            .any(|row| row.values().any(|cell| cell == "response"))
    );
    let row = &scene.table("trials.csv")[0];
    assert!(row["response_p99_ms"].parse::<f64>().unwrap() > 0.0, "{row:?}");
    assert!(ended.stdout.contains("p99"), "{}", ended.stdout);
}

#[test]
fn readers_that_fall_behind_are_called_overloaded_and_nothing_is_said_of_their_latency() {
    undisturbed(|_| {
        let scene = Scene::on_shared_cluster();
        let tables = "[consumer]\nwork = \"wait 2ms\"\n[load]\nrate = 1_000\nduration = 3\nwarmup = 0.5\n";
        let ended = scene.scenario(scenario(&prefix("over"), tables)).run(&[]).exits(0);
        let trial = only(&scene);
        assert!(flags(&trial).contains(&"overloaded"), "{:?}", trial.flags);
        let growth = load(&trial).overload.unwrap().lag_growth_per_second;
        assert!(
            (400.0..1_000.0).contains(&growth),
            "half of it and more is left: {growth}"
        );
        assert!(ended.stdout.contains("falls behind"), "{}", ended.stdout);
        let row = &scene.table("summary.csv")[0];
        assert_eq!(
            (row["overloaded"].as_str(), row["response_p99_ms"].as_str()),
            ("true", "")
        );
    });
}

#[test]
fn a_load_that_is_not_reached_is_called_so_and_nothing_is_said_of_latency() {
    let scene = Scene::on_shared_cluster();
    let tables = "[load]\nrate = 5_000\nduration = 2\nwarmup = 0.5\n[load.client]\n\"queue.buffering.max.messages\" \
                  = 10\n\"linger.ms\" = 100\n";
    let ended = scene.scenario(scenario(&prefix("few"), tables)).run(&[]).exits(0);
    let trial = only(&scene);
    assert!(flags(&trial).contains(&"load-not-reached"), "{:?}", trial.flags);
    let load = load(&trial);
    assert!(
        !load.reached && load.sent_per_second < 2_500.0,
        "{}",
        load.sent_per_second
    );
    assert!(load.producers[0].queue_full_ns > SECOND, "{:?}", load.producers);
    assert_eq!(load.acknowledged, measurement(&trial).records());
    assert!(ended.stdout.contains("was not given the load"), "{}", ended.stdout);
    let row = &scene.table("summary.csv")[0];
    assert_eq!(
        (row["load_reached"].as_str(), row["response_p99_ms"].as_str()),
        ("false", "")
    );
}

#[test]
fn a_backlog_with_arrivals_behind_it_is_caught_up_with() {
    undisturbed(|_| {
        let scene = Scene::on_shared_cluster();
        let tables = "[dataset]\nrecords = 5_000\n[consumer]\nwork = \"wait 200us\"\n[load]\nmode = \"mixed\"\nrate = \
                  500\nduration = 5\nwarmup = 0\n";
        let ended = scene.scenario(scenario(&prefix("mixed"), tables)).run(&[]).exits(0);
        let trial = only(&scene);
        let (measured, load) = (measurement(&trial), load(&trial));
        assert_eq!((load.acknowledged, measured.records_expected), (2_500, 7_500));
        let took = load.caught_up_ns.unwrap() - measured.start_ns;
        // 5,000 records of 200 us take a second, and those that arrive meanwhile a little more.
        assert!((SECOND..5 * SECOND).contains(&took), "{took}");
        let lag = load.lag.totals();
        assert!(lag[0] > 2_500 && *lag.last().unwrap() < 200, "{lag:?}");
        assert!(ended.stdout.contains("has no lag left after"), "{}", ended.stdout);
    });
}

/// The rates of a search, each with what came of it.
fn tried(trials: &[Trial]) -> String {
    let line = |trial: &Trial| {
        let rate = trial.order.load.unwrap().rate;
        let p99 = measurement(trial).latencies().unwrap().response.percentile_ns(0.99);
        format!("{rate:.0}/s: p99 {} ms, {:?}", p99.unwrap_or(0) / MS, flags(trial))
    };
    trials.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_search_finds_about_the_rate_that_the_work_allows() {
    undisturbed(|_| {
        let scene = Scene::on_shared_cluster();
        let tables = "[consumer]\nwork = \"wait 1ms\"\n[load]\nrate = 3_000\nduration = 2\nwarmup = 0.5\n[capacity]\np99_ms \
                  = 150\nprecision = 0.2\nconfirm = 2\n";
        let ended = scene.scenario(scenario(&prefix("most"), tables)).run(&[]).exits(0);
        let trials = scene.trials();
        let not_observed = trials.iter().find(|trial| flags(trial).contains(&"not-observed"));
        assert_eq!(not_observed, None, "even where records were left unread");
        let work_ns = trials.iter().flat_map(|trial| &measurement(trial).members);
        let work_ns: u64 = work_ns.map(|member| member.work_ns.unwrap()).sum();
        let records: u64 = trials.iter().map(|trial| measurement(trial).records()).sum();
        let allowed = records as f64 / (work_ns as f64 / 1e9);
        let summary = fs::read_to_string(scene.out().join("summary.json")).unwrap();
        let summary: Summary = serde_json::from_str(&summary).unwrap();
        let found = summary.configurations[0].live.as_ref().unwrap().capacity.unwrap();
        let tried = tried(&trials);
        let share = found.per_second.unwrap_or_else(|| panic!("nothing held:\n{tried}")) / allowed;
        eprintln!("{share:.2} of the {allowed:.0}/s that the work allows:\n{tried}");
        assert!(
            (0.7..1.1).contains(&share),
            "{found:?}, where the work allows {allowed}/s"
        );
        assert!(found.high.is_some_and(|high| high > found.low.unwrap()), "{found:?}");
        assert!(ended.stdout.contains("records/s within p99 150 ms"), "{}", ended.stdout);
        assert_eq!(
            ended.stdout.contains("not confirmed"),
            !found.confirmed,
            "{}",
            ended.stdout
        );
    });
}

/// Long enough to be ended while records arrive.
const LONG: &str = "[dataset]\npartitions = 2\n[consumer]\nprocesses = 2\n[load]\nrate = 500\nduration = 60\n";

#[test]
fn a_live_run_whose_broker_is_killed_ends_with_the_cause_and_leaves_nothing() {
    let scene = Scene::new();
    let run = scene.scenario(scenario("live-", LONG)).spawn_run(&[]);
    wait_until("a producer", || !scene.processes_of("worker producer").is_empty());
    // The members have joined by then.
    thread::sleep(Duration::from_secs(4));
    let data = scene.data_folders();
    for pid in scene.processes_of("kafka.Kafka") {
        signal(pid, Signal::SIGKILL);
    }
    let ended = run.end().exits(1).says("broker 1 has ended").says("--resume");
    for wrong in ["panicked", "topics of the trial are left"] {
        assert!(!ended.stderr.contains(wrong), "{}", ended.stderr);
    }
    assert!(ended.took < Duration::from_secs(40), "{:?}", ended.took);
    scene.assert_no_processes();
    assert!(data.iter().all(|folder| !folder.exists()), "{data:?}");
    let trials = scene.trials();
    assert_eq!((trials.len(), failure(&trials[0]).kind), (1, FailureKind::BrokerLost));
}

#[test]
fn an_interrupted_live_run_leaves_nothing_on_the_cluster() {
    let scene = Scene::on_shared_cluster();
    let prefix = prefix("interrupted");
    let run: Running = scene.scenario(scenario(&prefix, LONG)).spawn_run(&[]);
    shared_cluster::wait_for_records(&prefix);
    run.signal(Signal::SIGINT);
    let ended = run.end().exits(130);
    assert!(ended.took < Duration::from_secs(40), "{:?}", ended.took);
    scene.assert_no_processes();
    assert_eq!(shared_cluster::names(&prefix), (vec![], vec![]));
}

#[test]
fn a_worker_that_measures_no_stamps_is_refused_in_words() {
    let scene = Scene::on_shared_cluster();
    let worker = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/worker.py");
    let tables = format!(
        "[[place]]\nname = \"python\"\nlauncher = [\"{}\", \"{worker}\"]\n[consumer]\nplace = \"python\"\n[load]\nrate \
         = 100\nduration = 1\nwarmup = 0\n",
        python().display()
    );
    let ended = scene.scenario(scenario(&prefix("stamps"), &tables)).run(&[]).exits(2);
    scene.assert_no_processes();
    let lacks = "the worker at place python cannot run this scenario: live trials need the capability `stamps`";
    assert!(ended.stderr.contains(lacks), "{}", ended.stderr);
    assert!(!scene.out().exists(), "before the first trial");
}
