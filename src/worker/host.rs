//! Samples the machine of worker processes for a run whose coordinator is on another one: says what the machine is, and
//! answers each question with how far it has come. If the run dies, it ends the run's processes here.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::measure::limits::{Kernel, remove_groups_of};
use crate::measure::programs::{end_programs, remove_program_files};
use crate::measure::tree::{marked, start_time};
use crate::measure::{HostFacts, HostReading, RunMark, TrialOver};
use crate::protocol::SILENCE_LIMIT_MS;

/// How long processes of a dead run may take to end by themselves before they are killed.
const END_LIMIT: Duration = Duration::from_secs(3);

/// How long it is waited for the end of the run's connections after the end of the input. A coordinator that lives has only
/// lost this process.
const CONNECTION_LIMIT: Duration = Duration::from_secs(10);

/// From one look to the next.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs until the end of its input, or a silence of [`SILENCE_LIMIT_MS`]. An empty line is a sign of life. The mark of a run
/// is answered by a reading, and makes this process responsible for the run's processes here until the trial is over.
pub fn run_host() -> ExitCode {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let facts = serde_json::to_string(&HostFacts::of_this_machine());
    if facts.is_err() || facts.is_ok_and(|facts| !say(&facts)) {
        return ExitCode::FAILURE;
    }
    let mut run = None;
    match serve(&lines, &mut run) {
        End::InOrder => return ExitCode::SUCCESS,
        End::Unreadable => {
            eprintln!("tandem worker: a line is not the mark of a run");
            return ExitCode::FAILURE;
        }
        End::Input => {
            let Some(run) = run.filter(|run| !run.connections.is_empty()) else {
                return ExitCode::SUCCESS;
            };
            // Looked up now: a coordinator that lives may connect again and start others.
            let processes = of_run(&run.mark);
            let is_over = || !run.connections.iter().any(is_running);
            if !wait_until(CONNECTION_LIMIT, is_over) {
                return ExitCode::SUCCESS;
            }
            end_processes(&processes, &run.mark);
        }
        End::Silence => {
            if let Some(Run { mark, .. }) = run {
                end_processes(&of_run(&mark), &mark);
            }
        }
    }
    ExitCode::FAILURE
}

/// The run that has processes here.
struct Run {
    mark: RunMark,
    /// The processes that hold its connections, which end with the coordinator even if a worker is stopped.
    connections: BTreeSet<Started>,
}

/// How the conversation ended.
enum End {
    /// The trial is over.
    InOrder,
    /// The input has ended.
    Input,
    /// The coordinator has said nothing for too long.
    Silence,
    /// A line is no question.
    Unreadable,
}

fn serve(lines: &Receiver<String>, run: &mut Option<Run>) -> End {
    loop {
        let line = match lines.recv_timeout(Duration::from_millis(SILENCE_LIMIT_MS)) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => return End::Silence,
            Err(RecvTimeoutError::Disconnected) => return End::Input,
        };
        if line.is_empty() {
            continue;
        }
        if let Ok(over) = serde_json::from_str::<TrialOver>(&line) {
            end_programs(&over.run_id, &over.programs);
            remove_groups_of(&Kernel::running(), &over.run_id, false);
            return End::InOrder;
        }
        let Ok(mark) = serde_json::from_str::<RunMark>(&line) else {
            return End::Unreadable;
        };
        let answer = serde_json::to_string(&HostReading::take(&mark));
        run.get_or_insert_with(|| Run {
            connections: marked_with(&mark.connection_variable(), &mark.value),
            mark,
        });
        if answer.is_err() || answer.is_ok_and(|answer| !say(&answer)) {
            return End::Input;
        }
    }
}

/// A process and when it was started, in the kernel's ticks: process ids are used again.
type Started = (u32, String);

fn started(pid: u32) -> Option<Started> {
    Some((pid, start_time(pid)?))
}

fn is_running(process: &Started) -> bool {
    started(process.0).as_ref() == Some(process)
}

/// Processes on this machine whose environment has a variable with this value, this one left out.
fn marked_with(variable: &str, value: &str) -> BTreeSet<Started> {
    let found = marked(variable, |found| found == value);
    found.into_iter().filter_map(started).collect()
}

fn of_run(mark: &RunMark) -> BTreeSet<Started> {
    marked_with(&mark.variable, &mark.value)
}

/// Lets processes of a run go on that are stopped, so that they notice the end of their input, kills those that do not end,
/// and removes the files and the control groups that they have left.
fn end_processes(processes: &BTreeSet<Started>, mark: &RunMark) {
    let send = |signal: Signal| {
        for (pid, _) in processes.iter().filter(|process| is_running(process)) {
            // It may have ended in this moment.
            let _ = kill(Pid::from_raw(pid.cast_signed()), signal);
        }
    };
    send(Signal::SIGCONT);
    if !wait_until(END_LIMIT, || !processes.iter().any(is_running)) {
        send(Signal::SIGKILL);
    }
    remove_program_files(&mark.value);
    remove_groups_of(&Kernel::running(), &mark.value, true);
}

/// Looks until `holds` or the time is over; whether it held.
fn wait_until(limit: Duration, holds: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while !holds() {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(PAUSE);
    }
    true
}

/// Writes a line; false when nobody reads any more.
fn say(line: &str) -> bool {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}").and_then(|()| output.flush()).is_ok()
}
