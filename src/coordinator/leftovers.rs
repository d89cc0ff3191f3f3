//! What a run would leave behind if it and its guardian were killed, written down while it runs and removed by the
//! next start. The record lies in the run's directory and, for finding it, in this user's state directory.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use super::containers::UsedEngine;
use super::kubectl::LeftJob;
use super::processes::{ProcessIdentity, end_all};
use crate::measure::limits::remove_run_group;
use crate::scenario::{PropertyValue, Variable};
use crate::server::{check_private, make_private, remove_owned_directory};

/// Version of the stored form of [`Leftovers`]; a record of another version is left alone.
pub const LEFTOVERS_SCHEMA_VERSION: u32 = 1;

/// Name of the record in a run's directory.
pub const LEFTOVERS_FILE: &str = "leftovers.json";

/// How long the processes of a dead run may take to end.
const END_LIMIT: Duration = Duration::from_secs(5);

/// Topics and groups on a cluster that is not tandem's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftTopics {
    /// Where the cluster is.
    pub bootstrap: String,
    /// Start of the names of the run's topics and groups.
    pub prefix: String,
    /// Client properties of the cluster; secrets by the name of their variable.
    pub client: BTreeMap<String, PropertyValue>,
}

/// Tables in a database that is not tandem's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftTables {
    /// The variable that holds the address of the database.
    pub variable: Variable,
    /// Host, port and name of the database, whatever the variable holds later; `None` in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Start of the names of the run's tables.
    pub prefix: String,
}

/// Everything of a run that must not outlive it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftovers {
    /// [`LEFTOVERS_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Id of the run.
    pub run_id: String,
    /// The run's directory.
    pub run_directory: PathBuf,
    /// Host it runs on.
    pub host: String,
    /// The host's boot, within which process identities hold.
    pub boot: String,
    /// The coordinator.
    pub coordinator: ProcessIdentity,
    /// Processes that it started and that have not ended.
    pub processes: BTreeSet<ProcessIdentity>,
    /// Directories that it made, each with the run's marker in it.
    pub directories: BTreeSet<PathBuf>,
    /// Control groups that it made for the limits of places.
    #[serde(default)]
    pub groups: BTreeSet<PathBuf>,
    /// Jobs that it made in Kubernetes clusters.
    #[serde(default)]
    pub jobs: BTreeSet<LeftJob>,
    /// Engines that may have containers with its label.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub engines: BTreeSet<UsedEngine>,
    /// Topics and groups on foreign clusters.
    #[serde(deserialize_with = "one_or_several")]
    pub topics: Vec<LeftTopics>,
    /// Tables in foreign databases.
    #[serde(default)]
    pub tables: Vec<LeftTables>,
}

/// Earlier records hold one cluster, or null, where later ones hold a list.
fn one_or_several<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<LeftTopics>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Topics {
        Several(Vec<LeftTopics>),
        One(Option<LeftTopics>),
    }
    Ok(match Topics::deserialize(from)? {
        Topics::Several(topics) => topics,
        Topics::One(topics) => topics.into_iter().collect(),
    })
}

impl Leftovers {
    fn is_empty(&self) -> bool {
        let on_this_machine = self.directories.is_empty() && self.groups.is_empty() && self.engines.is_empty();
        self.processes.is_empty() && on_this_machine && self.is_only_here()
    }

    /// True where nothing is left on clusters and in databases that are not tandem's.
    fn is_only_here(&self) -> bool {
        self.topics.is_empty() && self.tables.is_empty() && self.jobs.is_empty()
    }

    fn is_of_this_boot(&self) -> bool {
        self.boot == boot()
    }
}

/// The record of a run that goes on.
pub(super) struct Journal {
    record: Leftovers,
    files: [PathBuf; 2],
}

impl Journal {
    /// Begins the record of the run of this process.
    pub(super) fn begin(run_id: &str, run_directory: &Path, state: &Path) -> io::Result<Self> {
        let coordinator = ProcessIdentity::current().ok_or_else(|| io::Error::other("cannot read /proc/self/stat"))?;
        let record = Leftovers {
            schema_version: LEFTOVERS_SCHEMA_VERSION,
            run_id: run_id.to_owned(),
            run_directory: fs::canonicalize(run_directory)?,
            host: host(),
            boot: boot(),
            coordinator,
            processes: BTreeSet::new(),
            directories: BTreeSet::new(),
            groups: BTreeSet::new(),
            jobs: BTreeSet::new(),
            engines: BTreeSet::new(),
            topics: Vec::new(),
            tables: Vec::new(),
        };
        let denied = |cause: io::Error| {
            let advice = "set XDG_STATE_HOME to a folder that you may write to";
            io::Error::new(
                cause.kind(),
                format!("cannot write to {}: {cause}; {advice}", state.display()),
            )
        };
        make_private(state).map_err(denied)?;
        let files = [
            record.run_directory.join(LEFTOVERS_FILE),
            state.join(format!("{run_id}.json")),
        ];
        let journal = Journal { record, files };
        journal.write().map_err(denied)?;
        Ok(journal)
    }

    /// What is written down.
    pub(super) fn record(&self) -> &Leftovers {
        &self.record
    }

    /// Changes the record on disk before the change takes effect in the world.
    pub(super) fn update(&mut self, change: impl FnOnce(&mut Leftovers)) -> io::Result<()> {
        change(&mut self.record);
        self.write()
    }

    /// Ends the record: removes it if nothing is left.
    pub(super) fn end(&self) -> io::Result<()> {
        if self.record.is_empty() {
            self.files.iter().try_for_each(|file| remove_file(file))
        } else {
            Ok(())
        }
    }

    fn write(&self) -> io::Result<()> {
        let text = serde_json::to_string_pretty(&self.record)?;
        self.files.iter().try_for_each(|file| write_atomically(file, &text))
    }
}

impl fmt::Display for LeftTables {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.database {
            Some(database) => write!(
                out,
                "tables that start with {} in the database {database} ({})",
                self.prefix, self.variable
            ),
            None => write!(
                out,
                "tables that start with {} in the database of {}",
                self.prefix, self.variable
            ),
        }
    }
}

/// A dead run whose processes and directories are gone now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadRun {
    /// Its record.
    pub record: Leftovers,
    /// What could not be removed, in words; empty where all is gone but the topics.
    pub problems: Vec<String>,
    state_file: PathBuf,
}

impl DeadRun {
    /// Removes the record, once its topics are gone too.
    pub fn forget(&self) -> io::Result<()> {
        // The run's directory may hold the record of a later session already.
        let file = self.record.run_directory.join(LEFTOVERS_FILE);
        if read_record(&file).is_some_and(|record| record.run_id == self.record.run_id) {
            remove_file(&file)?;
        }
        remove_file(&self.state_file)
    }
}

/// The folder of records: `$XDG_STATE_HOME/tandem/runs`, by default `~/.local/state/tandem/runs`.
pub fn state_folder() -> PathBuf {
    let folder = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let state = folder("XDG_STATE_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/state")));
    state.unwrap_or_else(std::env::temp_dir).join("tandem/runs")
}

/// The runs of this host that are written down.
#[derive(Debug, Default)]
pub struct Recorded {
    /// Those that go on.
    pub alive: Vec<Leftovers>,
    /// Those whose coordinator is dead, with their files.
    pub dead: Vec<(Leftovers, PathBuf)>,
}

/// Looks which runs are written down, changing nothing. What others can write says nothing of this user's runs.
pub fn recorded(state: &Path) -> Recorded {
    if check_private(state).is_err() {
        return Recorded::default();
    }
    let files = fs::read_dir(state)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let mut found = Recorded::default();
    for state_file in files.filter(|file| file.extension().is_some_and(|end| end == "json")) {
        let Some(record) = read_record(&state_file) else {
            continue;
        };
        if record.host != host() || record.schema_version != LEFTOVERS_SCHEMA_VERSION {
            continue;
        }
        if record.is_of_this_boot() && record.coordinator.is_running() {
            found.alive.push(record);
        } else {
            found.dead.push((record, state_file));
        }
    }
    found
}

/// Ends the processes and removes the directories of every run whose coordinator is dead. Returns those of which
/// something is still to do, mostly topics on a foreign cluster or tables in a foreign database: remove them, then [`DeadRun::forget`].
pub fn clean_leftovers(state: &Path) -> Vec<DeadRun> {
    let mut dead = Vec::new();
    for (record, state_file) in recorded(state).dead {
        let run = clean(record, state_file);
        if !run.record.is_only_here() || !run.problems.is_empty() {
            dead.push(run);
        } else if let Err(error) = run.forget() {
            let problems = vec![format!(
                "the record {} cannot be removed: {error}",
                run.state_file.display()
            )];
            dead.push(DeadRun { problems, ..run });
        }
    }
    dead
}

/// Forgets the topics and groups that dead runs have left on a cluster that is gone with all its data.
pub fn forget_cluster(state: &Path, bootstrap: &str) -> io::Result<()> {
    for (mut record, state_file) in recorded(state).dead {
        let on_others: Vec<LeftTopics> = record
            .topics
            .iter()
            .filter(|topics| topics.bootstrap != bootstrap)
            .cloned()
            .collect();
        if on_others.len() < record.topics.len() {
            record.topics = on_others;
            write_atomically(&state_file, &serde_json::to_string_pretty(&record)?)?;
        }
    }
    Ok(())
}

fn clean(record: Leftovers, state_file: PathBuf) -> DeadRun {
    let mut problems = Vec::new();
    if record.is_of_this_boot() {
        let running = end_all(&record.run_id, &record.processes, END_LIMIT);
        problems.extend(
            running
                .iter()
                .map(|process| format!("process {} cannot be ended", process.pid)),
        );
    }
    for directory in &record.directories {
        if let Err(error) = remove_owned_directory(directory, &record.run_id) {
            problems.push(format!("{} cannot be removed: {error}", directory.display()));
        }
    }
    // Those of an earlier boot are gone with it.
    for group in &record.groups {
        if let Err(error) = remove_run_group(group) {
            problems.push(format!("{} cannot be removed: {error}", group.display()));
        }
    }
    for engine in &record.engines {
        if let Err(error) = engine.remove_all(&record.run_id) {
            problems.push(format!(
                "containers of the run {} cannot be removed: {error}",
                record.run_id
            ));
        }
    }
    DeadRun {
        record,
        problems,
        state_file,
    }
}

fn read_record(file: &Path) -> Option<Leftovers> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

pub(super) fn write_atomically(file: &Path, text: &str) -> io::Result<()> {
    let folder = file
        .parent()
        .ok_or_else(|| io::Error::other("a file without a folder"))?;
    let mut unfinished = tempfile::NamedTempFile::new_in(folder)?;
    unfinished.write_all(text.as_bytes())?;
    unfinished.persist(file)?;
    Ok(())
}

/// Removes a file that may be gone already.
pub(super) fn remove_file(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn host() -> String {
    nix::unistd::gethostname()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

pub(super) fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    use super::{
        Journal, LEFTOVERS_FILE, LeftTopics, Leftovers, clean_leftovers, forget_cluster, read_record, write_atomically,
    };
    use crate::coordinator::ProcessIdentity;
    use crate::server::{RUN_VARIABLE, marker_name};

    /// A state folder with the record of a run whose coordinator is another process.
    fn record_of(run_id: &str, folder: &Path, change: impl FnOnce(&mut Leftovers)) {
        let state = folder.join("state");
        let mut journal = Journal::begin(run_id, folder, &state).unwrap();
        journal.update(change).unwrap();
    }

    fn dead_process() -> ProcessIdentity {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let identity = ProcessIdentity::of(child.id()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        identity
    }

    #[test]
    fn a_run_whose_coordinator_lives_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::write(data.join(marker_name("live")), "").unwrap();
        record_of("live", folder.path(), |record| {
            record.directories.insert(data.clone());
        });
        assert!(clean_leftovers(&folder.path().join("state")).is_empty());
        assert!(data.exists() && folder.path().join(LEFTOVERS_FILE).exists());
    }

    #[test]
    fn a_dead_run_loses_its_processes_and_directories_and_its_record() {
        let folder = tempfile::tempdir().unwrap();
        let run = format!("dead-{}", std::process::id());
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::write(data.join(marker_name(&run)), "").unwrap();
        let mut marked = Command::new("sleep").arg("60").env(RUN_VARIABLE, &run).spawn().unwrap();
        let mut listed = Command::new("sleep").arg("60").spawn().unwrap();
        record_of(&run, folder.path(), |record| {
            record.coordinator = dead_process();
            record.directories.insert(data.clone());
            record.processes.insert(ProcessIdentity::of(listed.id()).unwrap());
        });
        assert_eq!(clean_leftovers(&folder.path().join("state")), []);
        assert!(!marked.wait().unwrap().success() && !listed.wait().unwrap().success());
        assert!(!data.exists() && !folder.path().join(LEFTOVERS_FILE).exists());
        assert_eq!(fs::read_dir(folder.path().join("state")).unwrap().count(), 0);
    }

    #[test]
    fn topics_of_a_dead_run_are_reported_until_they_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let topics = LeftTopics {
            bootstrap: "host:9092".into(),
            prefix: "tandem-x-".into(),
            client: BTreeMap::default(),
        };
        record_of("topics", folder.path(), |record| {
            record.coordinator = dead_process();
            record.topics = vec![topics.clone()];
        });
        let state = folder.path().join("state");
        for _ in 0..2 {
            let dead = clean_leftovers(&state);
            assert_eq!(dead.len(), 1);
            assert_eq!(dead[0].record.topics, std::slice::from_ref(&topics));
        }
        clean_leftovers(&state)[0].forget().unwrap();
        assert!(clean_leftovers(&state).is_empty());
    }

    #[test]
    fn topics_on_a_cluster_that_is_gone_are_forgotten_and_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let left = |bootstrap: &str| LeftTopics {
            bootstrap: bootstrap.into(),
            prefix: "tandem-x-".into(),
            client: BTreeMap::default(),
        };
        record_of("on-both", folder.path(), |record| {
            record.coordinator = dead_process();
            record.topics = vec![left("127.0.0.1:19092"), left("host:9092")];
        });
        let state = folder.path().join("state");
        forget_cluster(&state, "127.0.0.1:19092").unwrap();
        assert_eq!(clean_leftovers(&state)[0].record.topics, [left("host:9092")]);
        forget_cluster(&state, "host:9092").unwrap();
        assert_eq!(clean_leftovers(&state), []);
        assert_eq!(fs::read_dir(state).unwrap().count(), 0);
    }

    #[test]
    fn a_record_that_knows_one_cluster_or_none_is_still_read() {
        let folder = tempfile::tempdir().unwrap();
        record_of("old", folder.path(), |_| {});
        let file = folder.path().join(LEFTOVERS_FILE);
        let mut record: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let one = serde_json::json!({"bootstrap": "host:9092", "prefix": "tandem-x", "client": {}});
        for (topics, clusters) in [(one, 1), (serde_json::Value::Null, 0)] {
            record["topics"] = topics;
            fs::write(&file, record.to_string()).unwrap();
            assert_eq!(read_record(&file).unwrap().topics.len(), clusters);
        }
    }

    #[test]
    fn a_directory_without_marker_is_a_problem_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let precious = folder.path().join("precious");
        fs::create_dir(&precious).unwrap();
        fs::write(precious.join("file"), "").unwrap();
        record_of("unmarked", folder.path(), |record| {
            record.coordinator = dead_process();
            record.directories.insert(precious.clone());
        });
        let dead = clean_leftovers(&folder.path().join("state"));
        assert!(dead[0].problems[0].contains("precious"), "{:?}", dead[0].problems);
        assert!(precious.join("file").exists());
    }

    #[test]
    fn a_record_of_an_earlier_boot_ends_no_process() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        record_of("boot", folder.path(), |record| {
            record.boot = "earlier".into();
            record.processes.insert(ProcessIdentity::of(child.id()).unwrap());
        });
        assert!(clean_leftovers(&folder.path().join("state")).is_empty());
        assert!(child.try_wait().unwrap().is_none(), "a process of this boot was killed");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn forgetting_an_old_session_leaves_the_record_of_a_later_one() {
        let folder = tempfile::tempdir().unwrap();
        record_of("old", folder.path(), |record| record.coordinator = dead_process());
        record_of("new", folder.path(), |_| {});
        clean_leftovers(&folder.path().join("state"));
        assert_eq!(read_record(&folder.path().join(LEFTOVERS_FILE)).unwrap().run_id, "new");
    }

    #[test]
    fn a_file_that_is_no_record_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        write_atomically(&folder.path().join("x.json"), "{").unwrap();
        assert!(clean_leftovers(folder.path()).is_empty());
    }
}
