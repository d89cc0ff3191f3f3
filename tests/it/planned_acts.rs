//! Acts that a script plans, on real workers and brokers: what they cause is no failure, every record is accounted for, and
//! nothing is left. No scenario asks for acts yet, so these runs are made with the library.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tandem::coordinator::{self, Interrupt, Observer, RunEnd, RunOptions};
use tandem::measure::changes::{Episode, GapKind, Part, PartKind, episodes, is_recorded};
use tandem::measure::{Act, Measurement, MemberMeasurement, Status, Trial, TrialOrder};
use tandem::plan::{Plan, Progress};
use tandem::scenario::parse;
use tandem::store::RunDir;
use tandem::trial::{ActorId, Entry, Limits, Script, Step, StepTarget, When};

use crate::scene::{PROGRAM, within};
use crate::shared_cluster;

/// What the run says goes to the output of the test.
struct Told;

impl Observer for Told {
    fn preparing(&self, what: &str) {
        eprintln!("{what}");
    }
    fn filling(&self, _done: u64, _total: u64) {}
    fn trial_started(&self, _order: &TrialOrder, _configuration: &str, _progress: Progress) {}
    fn trial_happened(&self, _entry: &Entry) {}
    fn trial_ended(&self, trial: &Trial, _progress: Progress) {
        eprintln!("{:?} {:?}", trial.status, trial.flags);
    }
    fn note(&self, message: &str) {
        eprintln!("note: {message}");
    }
}

/// Processes that carry the mark of a run.
fn processes_of(run_id: &str) -> Vec<String> {
    let mark = format!("TANDEM_RUN={run_id}");
    let folders = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let marked = folders.filter(|folder| {
        let environment = fs::read(folder.join("environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|variable| variable == mark.as_bytes())
    });
    marked.map(|folder| folder.display().to_string()).collect()
}

/// Runs the scenario with these acts in each trial.
pub fn run(tables: &str, run_id: &str, steps: Vec<Step>) -> Vec<Trial> {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("question = 'q'\nwarmup_blocks = 0\n{tables}");
    let scenario = parse("planned", "planned.toml", &text).unwrap();
    let plan = Plan::new(scenario);
    let kept = std::env::var("KEEP_RUN").ok().map(|p| Path::new(&p).join(run_id));
    let dir = RunDir::create(&kept.unwrap_or(folder.path().join("out"))).unwrap();
    dir.write_plan(&plan).unwrap();
    let options = RunOptions {
        program: Path::new(PROGRAM).to_owned(),
        run_id: run_id.to_owned(),
        session: 1,
        data_parent: folder.path().to_owned(),
        state: folder.path().join("state"),
        limits: Limits::default(),
        script: Script { steps },
        log_workers: false,
        force: false,
        keep_data: false,
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ended = runtime.block_on(coordinator::run(
        &plan,
        &dir,
        &options,
        Arc::new(Told),
        &Interrupt::default(),
    ));
    assert_eq!(ended.unwrap(), RunEnd::Done);
    let left = || processes_of(run_id);
    assert!(
        within(Duration::from_secs(3), || left().is_empty()),
        "left: {:?}",
        left()
    );
    dir.read_trials().unwrap()
}

pub fn step(when: When, target: impl Into<StepTarget>, act: Act) -> Step {
    let target = target.into();
    Step { when, target, act }
}

/// Its measurement, where a trial is complete and nothing was lost or doubled.
pub fn complete(trial: &Trial) -> &Measurement {
    assert_eq!(trial.status, Status::Complete, "{:?}", trial.flags);
    let measurement = trial.measurement.as_ref().unwrap();
    assert_eq!((measurement.lost, measurement.duplicated), (0, 0));
    measurement
}

/// What its acts caused: parts of each gap add up to it, a new owner had the partition before its first record, and no
/// gap is left without an explanation.
fn accounted(measurement: &Measurement) -> Vec<Episode> {
    assert!(is_recorded(measurement), "{:?}", measurement.not_observed);
    let episodes = episodes(measurement);
    for gap in episodes.iter().flat_map(|episode| &episode.gaps) {
        let length = |part: &Part| part.stretch.length_ns();
        assert_eq!(gap.parts.iter().map(length).sum::<u64>(), gap.stretch.length_ns(), "{gap:#?}");
        let unexplained = gap.parts.iter().filter(|part| part.kind == PartKind::Unexplained);
        let unexplained_ns: u64 = unexplained.map(length).sum();
        let most_ns = (gap.stretch.length_ns() / 20).max(20_000_000);
        assert!(gap.kind != GapKind::Moved || unexplained_ns <= most_ns, "{gap:#?}");
    }
    eprintln!("{episodes:#?}");
    episodes
}

/// Records of a group, those that were read again counted once.
pub fn read_once(measurement: &Measurement) -> u64 {
    measurement.records() - measurement.redelivered
}

/// The shared broker, with a prefix for the names of topics and groups.
pub fn cluster(prefix: &str) -> String {
    let bootstrap = shared_cluster::bootstrap();
    format!("repetitions = 1\n[cluster]\nbootstrap = '{bootstrap}'\nprefix = '{prefix}'\n")
}

#[test]
fn a_reader_that_is_killed_and_started_again_in_a_backlog_costs_no_record() {
    let run_id = format!("planned-kill{}", std::process::id());
    // Some ten seconds of a group that misses a member after six.
    let tables = "[dataset]\npartitions = 4\nrecords = 20_000\nsize = 100\n[trial]\nrecords = 20_000\n\
                  [consumer]\nprocesses = 2\nwork = 'wait 1ms'\ncommit = 'per-batch'\n\
                  [consumer.client]\n'session.timeout.ms' = 6000\n'heartbeat.interval.ms' = 500\n";
    let second = ActorId::Reader(1);
    let steps = vec![
        step(When::AtProgress(0.2), second, Act::Kill),
        step(When::AfterStep(Duration::from_secs(1)), second, Act::Start),
    ];
    let trials = run(&(cluster("planned-kill-") + tables), &run_id, steps);
    let measurement = complete(&trials[0]);
    let members = measurement.members.iter();
    let lives: Vec<(u32, u32, bool)> = members
        .map(|member| (member.process, member.life, member.was_killed))
        .collect();
    assert_eq!(lives, [(0, 0, false), (1, 0, true), (1, 1, false)]);
    let unknown = measurement.records_expected - read_once(measurement);
    let said = format!("; {unknown} offsets may have been read so");
    assert!(
        measurement.not_observed[0].ends_with(&said),
        "{unknown}: {:?}",
        measurement.not_observed
    );
    assert!(measurement.members[2].records() > 0, "it reads again");
    let episodes = accounted(measurement);
    let longest = episodes[0].longest().unwrap();
    assert_eq!(longest.members[0], 1, "{episodes:#?}");
    assert_ne!(longest.kind, GapKind::Collateral, "{episodes:#?}");
    // It is missed when its session ends, or earlier, when it joins again.
    assert!(longest.stretch.length_ns() <= 9_000_000_000, "{longest:#?}");
    let detection = longest.parts.iter().find(|part| part.kind == PartKind::Detection);
    assert!(detection.is_some(), "the group waits for who is dead: {longest:#?}");
    let redelivered: u64 = episodes.iter().map(Episode::redelivered).sum();
    assert_eq!(redelivered, measurement.redelivered, "{episodes:#?}");
    assert_eq!(shared_cluster::names("planned-kill-"), (vec![], vec![]));
}

#[test]
#[ignore = "scripts/test --all; a_reader_that_is_killed_and_started_again_in_a_backlog_costs_no_record has no store"]
fn a_spring_process_that_is_killed_costs_no_row_and_doubles_none_where_rows_are_upserted() {
    let run_id = format!("planned-stored{}", std::process::id());
    let tables = "[dataset]\npartitions = 4\nrecords = 6_000\nsize = 100\n[trial]\nrecords = 6_000\n\
                  [store]\nkind = 'postgres'\nwrite = 'upsert'\n\
                  [consumer]\napp = 'spring'\nprocesses = 2\nwork = 'store'\ncommit = 'per-batch'\n\
                  [consumer.client]\n'session.timeout.ms' = 6000\n'heartbeat.interval.ms' = 500\n";
    let steps = vec![step(When::AtProgress(0.2), ActorId::Reader(1), Act::Kill)];
    let trials = run(&(cluster("planned-stored-") + tables), &run_id, steps);
    let account = complete(&trials[0]).store.as_ref().unwrap().account.unwrap();
    assert_eq!((account.rows, account.stored, account.stored_twice), (6_000, 6_000, 0));
    assert_eq!((account.lost, account.unexplained), (0, 0));
}

#[test]
fn after_a_clean_leave_in_a_live_trial_the_account_is_exact_and_who_comes_later_reads_too() {
    let run_id = format!("planned-leave{}", std::process::id());
    let tables = "[dataset]\npartitions = 4\nsize = 100\n[consumer]\nprocesses = 3\ncommit = 'per-batch'\n\
                  [load]\nrate = 500\nduration = 8\nwarmup = 1\n";
    let after_start = |seconds| When::At(Duration::from_secs(seconds));
    let steps = vec![
        step(after_start(3), ActorId::Reader(1), Act::Leave),
        step(after_start(5), ActorId::Reader(2), Act::Start),
    ];
    let trials = run(&(cluster("planned-leave-") + tables), &run_id, steps);
    let measurement = complete(&trials[0]);
    assert_eq!(measurement.redelivered, 0);
    assert_eq!(measurement.records(), measurement.records_expected);
    let records: Vec<u64> = measurement.members.iter().map(MemberMeasurement::records).collect();
    assert!(
        records.len() == 3 && records.iter().all(|records| *records > 0),
        "{records:?}"
    );
    assert_eq!(measurement.acts.len(), 2);
    let episodes = accounted(measurement);
    for (episode, what) in episodes.iter().zip(["left", "came"]) {
        assert!(episode.moved() > 0, "no partition moved when one {what}: {episodes:#?}");
        // Members learn of it with their next heartbeat, which the client sends every three seconds.
        let longest = episode.longest().unwrap();
        assert!(longest.stretch.length_ns() <= 6_000_000_000, "{longest:#?}");
        assert!(episode.caught_up_ns.is_some(), "{episode:#?}");
    }
    assert_eq!(shared_cluster::names("planned-leave-"), (vec![], vec![]));
}

#[test]
#[ignore = "scripts/test --all; the standard tier plans acts of members, and kills brokers: deaths.rs"]
fn one_of_three_brokers_is_killed_and_comes_back_within_each_of_two_trials() {
    let run_id = format!("planned-broker{}", std::process::id());
    let tables = "repetitions = 2\n[cluster]\nbrokers = 3\n[dataset]\npartitions = 4\nrecords = 30_000\nsize = 100\n\
                  replication = 2\n[trial]\nrecords = 30_000\n\
                  [consumer]\nprocesses = 2\nwork = 'wait 2ms'\ncommit = 'per-batch'\n";
    // On a busy machine a broker takes up to ten seconds to come back, and the trial reads for fifteen or more.
    let broker = ActorId::Broker(2);
    let steps = vec![
        step(When::At(Duration::from_secs(1)), broker, Act::Kill),
        step(When::AfterStep(Duration::from_secs(2)), broker, Act::Start),
    ];
    let trials = run(tables, &run_id, steps);
    assert_eq!(trials.len(), 2, "the second finds all brokers");
    for trial in &trials {
        let measurement = complete(trial);
        assert_eq!(read_once(measurement), measurement.records_expected);
        let changes = measurement.interruptions.changes.iter();
        let came: Vec<bool> = changes.map(|change| change.came).collect();
        assert_eq!(came, [false, true]);
    }
}
