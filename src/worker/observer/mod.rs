//! The observer: starts a program that speaks nothing, and says of it what is seen from outside: whether it runs, what it
//! uses, and the offsets that its group commits. Knows nothing of what the program does with records.

mod committed;
mod program;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use nix::unistd::{AccessFlags, access};

use committed::Committed;
use program::{Ending, Running};

use super::messages::{Failure, Process, Role, run_with};
use crate::measure::clock;
use crate::measure::limits::keep_to;
use crate::measure::usage::ProcessSnapshot;
use crate::protocol::{Capability, FromWorker, MemberResult, Prepare, Program, ProgramResult, ToWorker, WorkerResult};

/// Runs an observer until it is to end; the exit code says whether it could do what it was asked.
/// With `cpus` it keeps to these processors, as its program does. Without the `program` it fails at once.
pub fn run_observer(cpus: Option<&BTreeSet<u32>>, program: Option<&Path>) -> ExitCode {
    let missing = program.filter(|name| !can_be_started(name));
    let missing = missing.map(|name| format!("there is no program {} here that can be started", name.display()));
    let refused = cpus.and_then(|cpus| keep_to(cpus).err());
    if let Some(error) = missing.or(refused) {
        eprintln!("tandem worker: {error}");
        return ExitCode::FAILURE;
    }
    // Which client the program has is not known.
    let client = ("observed".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    run_with(client, &[Capability::Usage, Capability::Pauses], Observer::new)
}

/// True for a program at this path, or of this name in the search path.
fn can_be_started(name: &Path) -> bool {
    let is_program = |path: &Path| path.is_file() && access(path, AccessFlags::X_OK).is_ok();
    if name.components().count() > 1 {
        return is_program(name);
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| is_program(&folder.join(name)))
}

/// The observer of one process of a program.
struct Observer {
    process: Process,
    prepared: Option<Prepared>,
    running: Option<Running>,
    committed: Option<Committed>,
    /// What the program had used at the common start.
    start: Option<ProcessSnapshot>,
}

/// A program that has not been started yet.
struct Prepared {
    order: Prepare,
    program: Program,
}

impl Role for Observer {
    fn on(&mut self, message: ToWorker) -> Result<Option<FromWorker>, Failure> {
        match message {
            ToWorker::Prepare(prepare) => self.prepare(*prepare).map(Some),
            ToWorker::Subscribe => self.subscribe(),
            ToWorker::Start { at_ns } => {
                thread::sleep(Duration::from_nanos(at_ns.saturating_sub(clock::now_ns())));
                self.start = self.running.as_ref().map(Running::used);
                if let Some(committed) = &self.committed {
                    committed.say_again();
                }
                Ok(None)
            }
            ToWorker::Stop => self.stop().map(Some),
            ToWorker::PrepareProducer(_) | ToWorker::QueryAssignments { .. } | ToWorker::Calibrate => {
                Err(Failure::new("this worker was started to observe a program"))
            }
            ToWorker::Exit | ToWorker::Ping | ToWorker::QueryClock => Ok(None),
        }
    }

    /// Ends the program with all that it has started.
    fn end(&mut self) {
        self.committed = None;
        let Some(running) = self.running.take() else { return };
        let Ending { left_behind } = running.end();
        if let Some(message) = left_behind {
            let reported = FromWorker::Reported {
                consumer: None,
                message,
                times: 1,
            };
            // Where the coordinator is gone, nobody asks.
            let _ = self.process.outbox.send(&reported);
        }
    }
}

impl Observer {
    fn new(process: Process) -> Self {
        Observer {
            process,
            prepared: None,
            running: None,
            committed: None,
            start: None,
        }
    }

    /// Reaches the cluster, so that a program that does not is to blame for it itself.
    fn prepare(&mut self, order: Prepare) -> Result<FromWorker, Failure> {
        let program = order.program.clone();
        let program = program.ok_or_else(|| Failure::new("an observer was given no program"))?;
        if program.asks_offsets {
            let committed = Committed::connect(&order, self.process.outbox.clone());
            self.committed = Some(committed.map_err(|message| Failure {
                connect: true,
                ..Failure::new(message)
            })?);
        }
        self.prepared = Some(Prepared { order, program });
        Ok(FromWorker::Ready)
    }

    fn subscribe(&mut self) -> Result<Option<FromWorker>, Failure> {
        let Some(Prepared { order, program }) = &self.prepared else {
            return Err(Failure::new("there is no program to start"));
        };
        let member = order.consumers.first().map(|consumer| consumer.client_id.as_str());
        let running = Running::start(program, member.unwrap_or_default(), &self.process.outbox);
        self.running = Some(running.map_err(Failure::new)?);
        if let Some(committed) = &mut self.committed {
            committed.watch().map_err(Failure::new)?;
        }
        Ok(None)
    }

    fn stop(&mut self) -> Result<FromWorker, Failure> {
        let (Some(running), Some(Prepared { order, .. })) = (&self.running, &self.prepared) else {
            return Err(Failure::new("there is no program to stop"));
        };
        let used = running.used();
        let steps = self.committed.as_mut().map(Committed::stop).unwrap_or_default();
        Ok(FromWorker::Result(Box::new(WorkerResult {
            members: vec![MemberResult::default(); order.consumers.len()],
            window: self.start.take().map(|start| used.since(&start)),
            stopwatch: Some(used.since(&ProcessSnapshot::of_birth(running.started_ns()))),
            pauses: Some(self.process.pauses()),
            program: Some(ProgramResult {
                pid: running.pid(),
                started_ns: running.started_ns(),
                ready_ns: running.ready_ns(),
                steps,
            }),
        })))
    }
}
