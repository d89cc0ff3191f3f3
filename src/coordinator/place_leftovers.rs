//! What killed runs have left at a place that is not this machine: Jobs, containers and worker processes, found by the mark of
//! their run, and removed by `tandem clean --place`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::containers::{LeftContainers, UsedEngine};
use super::kubectl::{Kubectl, LeftJob, MANAGED_BY, RUN_LABEL};
use super::leftovers::Recorded;
use super::place_error::PlaceError;
use super::pods::HOST_ANNOTATION;
use super::reached::quoted;
use super::remote::{Connection, SshError};
use crate::scenario::{Place, Reach};
use crate::server::RUN_VARIABLE;

/// How long the host of a place may take to list processes, and to end them.
const LIMIT: Duration = Duration::from_secs(30);

/// What one run has at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftThere {
    /// Id of the run.
    pub run_id: String,
    /// In words.
    pub what: String,
    /// Why it is not removed; `None` where it may be.
    pub stays_because: Option<String>,
    #[serde(skip)]
    target: Target,
}

/// What is to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Job(String),
    Containers,
    Processes(Vec<u32>),
}

/// A place that is looked at.
pub struct Visit<'a> {
    place: &'a Place,
    way: Way,
    /// What is started for the visit carries this as if it were a run.
    mark: String,
}

enum Way {
    Ssh {
        connection: Connection,
        /// Has the connection's socket.
        _folder: tempfile::TempDir,
    },
    Engine(UsedEngine),
    Cluster(Kubectl),
}

impl<'a> Visit<'a> {
    /// Reaches a place; `None` for this machine. Blocks.
    pub fn of(place: &'a Place, interrupted: &Arc<AtomicBool>) -> Result<Option<Self>, PlaceError> {
        let mark = format!("clean-{}", std::process::id());
        let way = match place.reach() {
            Reach::Here | Reach::Launcher(_) => return Ok(None),
            Reach::Ssh(target) => {
                let opened = || {
                    let folder = tempfile::Builder::new().prefix("tandem-ssh-").tempdir();
                    let folder = folder.map_err(|error| SshError::Folder(error.to_string()))?;
                    let connection = Connection::open(target, &folder.path().join("0"), &mark, interrupted)?;
                    Ok(Way::Ssh {
                        connection,
                        _folder: folder,
                    })
                };
                opened().map_err(|cause: SshError| PlaceError::new(place, cause))?
            }
            Reach::Container(container) => Way::Engine(UsedEngine::of(container.engine)),
            Reach::Kubernetes(pods) => {
                let found = Kubectl::find(pods, &mark, interrupted);
                Way::Cluster(found.map_err(|cause| PlaceError::new(place, cause))?)
            }
        };
        Ok(Some(Visit { place, way, mark }))
    }

    /// What runs have there; `recorded` are those that this machine knows. Blocks.
    pub fn list(&self, recorded: &Recorded) -> Result<Vec<LeftThere>, String> {
        match &self.way {
            Way::Ssh { connection, .. } => processes(connection, &self.mark, recorded),
            Way::Engine(engine) => Ok(containers(&engine.left()?, recorded)),
            Way::Cluster(kubectl) => {
                let jobs = kubectl.list("jobs", &[MANAGED_BY]);
                let jobs = jobs.map_err(|error| PlaceError::new(self.place, error).to_string())?;
                Ok(jobs.iter().filter_map(|item| job(item, recorded)).collect())
            }
        }
    }

    /// Removes what a run has there. Blocks.
    pub fn remove(&self, left: &LeftThere) -> Result<(), String> {
        match (&self.way, &left.target) {
            (Way::Cluster(kubectl), Target::Job(name)) => {
                let job = LeftJob {
                    name: name.clone(),
                    cluster: kubectl.cluster().clone(),
                };
                job.delete().map_err(|error| error.to_string())
            }
            (Way::Engine(engine), Target::Containers) => engine.remove_all(&left.run_id),
            (Way::Ssh { connection, .. }, Target::Processes(pids)) => end(connection, &left.run_id, pids),
            (_, Target::Job(_) | Target::Containers | Target::Processes(_)) => Ok(()),
        }
    }
}

/// Why what a run has may be in use; `None` for a run that was killed on this machine.
fn may_go_on(run_id: &str, recorded: &Recorded) -> Option<String> {
    if is_alive(run_id, recorded) {
        return Some("the run goes on on this machine".to_owned());
    }
    let is_dead = recorded.dead.iter().any(|(record, _)| record.run_id == run_id);
    (!is_dead).then(|| "the run may go on elsewhere: your records on this machine do not know it".to_owned())
}

fn is_alive(run_id: &str, recorded: &Recorded) -> bool {
    recorded.alive.iter().any(|run| run.run_id == run_id)
}

/// The Job of a run; `None` for one that is no run's.
fn job(item: &Value, recorded: &Recorded) -> Option<LeftThere> {
    let metadata = &item["metadata"];
    let name = metadata["name"].as_str()?.to_owned();
    let run_id = metadata["labels"][RUN_LABEL].as_str()?.to_owned();
    let begun_on = metadata["annotations"][HOST_ANNOTATION].as_str().unwrap_or_default();
    let created = metadata["creationTimestamp"].as_str().unwrap_or("an unknown time");
    let seconds = item["spec"]["activeDeadlineSeconds"].as_u64().unwrap_or(0);
    let pods = item["status"]["active"].as_u64().unwrap_or(0);
    let in_use = match may_go_on(&run_id, recorded) {
        Some(why) if is_alive(&run_id, recorded) => Some(why),
        Some(why) if pods > 0 => Some(format!("{why}; if it is over: kubectl delete job {name}")),
        Some(_) | None => None,
    };
    Some(LeftThere {
        what: format!("Job {name} with {pods} pods, created at {created} on {begun_on}, ends after {seconds} s"),
        stays_because: in_use,
        target: Target::Job(name),
        run_id,
    })
}

/// The containers of each run.
fn containers(left: &BTreeMap<String, LeftContainers>, recorded: &Recorded) -> Vec<LeftThere> {
    let of_run = |(run_id, containers): (&String, &LeftContainers)| {
        let names: Vec<&str> = containers.names.iter().map(String::as_str).collect();
        let stopped = if containers.has_running {
            ""
        } else {
            ", none of which runs"
        };
        LeftThere {
            run_id: run_id.clone(),
            what: format!("containers {}{stopped}", names.join(", ")),
            stays_because: may_go_on(run_id, recorded).filter(|_| containers.has_running || is_alive(run_id, recorded)),
            target: Target::Containers,
        }
    };
    left.iter().map(of_run).collect()
}

/// The marked processes of a host, those of each run together. Those with this visit's own `mark` are left out: a host may
/// be this machine.
fn processes(connection: &Connection, mark: &str, recorded: &Recorded) -> Result<Vec<LeftThere>, String> {
    let script = format!(
        "for file in $(grep -lz '^{RUN_VARIABLE}=' /proc/[0-9]*/environ 2>/dev/null); do folder=${{file%/environ}}; \
         run=$(tr '\\0' '\\n' <$file | sed -n 's/^{RUN_VARIABLE}=//p' | head -n 1); state=$(sed 's/.*) //' $folder/stat); \
         echo \"process $run ${{folder#/proc/}} ${{state%% *}}\"; done"
    );
    let output = connection.run(&script, None, "listing processes", LIMIT);
    let output = output.map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut by_run: BTreeMap<&str, Vec<(u32, bool)>> = BTreeMap::new();
    for line in text.lines() {
        // A shell's start-up files may print something before.
        let words: Vec<&str> = line.split(' ').collect();
        if let ["process", run, pid, state] = words[..]
            && run != mark
            && let Ok(pid) = pid.parse()
        {
            by_run.entry(run).or_default().push((pid, state == "T"));
        }
    }
    let of_run = |(run, found): (&str, Vec<(u32, bool)>)| {
        let are_stopped = found.iter().all(|(_, is_stopped)| *is_stopped);
        let list: Vec<String> = found.iter().map(|(pid, _)| pid.to_string()).collect();
        let stopped = if are_stopped { ", stopped by a signal" } else { "" };
        LeftThere {
            run_id: run.to_owned(),
            what: format!("processes {}{stopped}", list.join(", ")),
            // Others end by themselves within 10 s after their run.
            stays_because: may_go_on(run, recorded).filter(|_| !are_stopped || is_alive(run, recorded)),
            target: Target::Processes(found.iter().map(|(pid, _)| *pid).collect()),
        }
    };
    Ok(by_run.into_iter().map(of_run).collect())
}

/// Ends the processes of a run that still carry its mark.
fn end(connection: &Connection, run_id: &str, pids: &[u32]) -> Result<(), String> {
    let mark = quoted(&format!("{RUN_VARIABLE}={run_id}"));
    let list: Vec<String> = pids.iter().map(u32::to_string).collect();
    let script = format!(
        "for pid in {}; do if tr '\\0' '\\n' </proc/$pid/environ 2>/dev/null | grep -qxF {mark}; then kill -s KILL $pid; fi; \
         done",
        list.join(" ")
    );
    let output = connection.run(&script, None, "ending processes", LIMIT);
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::coordinator::leftovers::Leftovers;

    fn item(run_id: &str, active: u32) -> Value {
        json!({
            "metadata": {
                "name": "tandem-0a1b-0",
                "labels": { "tandem-run": run_id },
                "annotations": { "tandem-host": "desk" },
                "creationTimestamp": "2026-11-30T19:00:00Z",
            },
            "spec": { "activeDeadlineSeconds": 700 },
            "status": { "active": active },
        })
    }

    fn record(run_id: &str) -> Leftovers {
        serde_json::from_value(json!({
            "schema_version": 1, "run_id": run_id, "run_directory": "/r", "host": "h", "boot": "b",
            "coordinator": { "pid": 1, "start_time": 1 }, "processes": [], "directories": [], "topics": [],
        }))
        .unwrap()
    }

    #[test]
    fn what_a_killed_run_has_left_may_be_removed_and_what_may_be_in_use_stays() {
        let recorded = Recorded {
            alive: vec![record("alive")],
            dead: vec![(record("0a1b"), "/r.json".into())],
        };
        let ours = job(&item("0a1b", 2), &recorded).unwrap();
        assert_eq!((ours.run_id.as_str(), ours.stays_because), ("0a1b", None));
        assert!(
            ours.what.contains("with 2 pods") && ours.what.contains("ends after 700 s"),
            "{}",
            ours.what
        );
        let unknown = job(&item("0a1c", 2), &recorded).unwrap().stays_because.unwrap();
        assert!(
            unknown.contains("may go on elsewhere") && unknown.contains("kubectl delete job"),
            "{unknown}"
        );
        // Its pods have ended.
        assert_eq!(job(&item("0a1c", 0), &recorded).unwrap().stays_because, None);
        let stays = |run_id: &str, has_running| {
            let names = ["tandem-1".to_owned()].into();
            let left = [(run_id.to_owned(), LeftContainers { names, has_running })].into();
            containers(&left, &recorded)[0].stays_because.clone()
        };
        assert_eq!((stays("0a1b", true), stays("0a1c", false)), (None, None));
        assert!(stays("0a1c", true).is_some() && stays("alive", false).is_some());
        let alive = job(&item("alive", 2), &recorded).unwrap().stays_because.unwrap();
        assert!(alive.contains("goes on on this machine"), "{alive}");
        assert_eq!(job(&json!({ "metadata": { "name": "x" } }), &recorded), None);
    }
}
