//! The consumers of a worker process: makes them, lets them join and read, and reports what they recorded.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::consumer::{Closing, Member, NotReady};
use super::messages::{Failure, Process, Role, run};
use super::progress::{PROGRESS_INTERVAL, Reporter, send_seconds};
use super::reader::WaitOrder;
use super::reported::{News, NewsSink};
use super::shared::ReporterSignal;
use crate::measure::clock;
use crate::measure::limits::keep_to;
use crate::measure::usage::ProcessSnapshot;
use crate::protocol::{Capability, FLOW_REPORT_MS, FromWorker, MemberAssignment, Prepare, ToWorker, WorkerResult};
use crate::work::calibrate;

/// How long the members may take to leave their group.
const LEAVE_LIMIT: Duration = Duration::from_secs(3);

/// Runs a worker of consumers until it is to end; the exit code says whether it could do what it was asked.
/// With `cpus` it keeps to these processors, as all threads do that it and its clients start.
pub fn run_consumer(cpus: Option<&BTreeSet<u32>>) -> ExitCode {
    if let Some(Err(error)) = cpus.map(keep_to) {
        eprintln!("tandem worker: {error}");
        return ExitCode::FAILURE;
    }
    run(Capability::ALL, Consumers::new)
}

/// The consumers of a process.
struct Consumers {
    process: Process,
    members: Vec<Member>,
    manual: bool,
    report_interval: Duration,
    closing: Vec<Closing>,
    /// For the thread that reports progress, until it is started.
    signals: Option<(Sender<ReporterSignal>, Receiver<ReporterSignal>)>,
    window: Arc<Mutex<Window>>,
    reporter: Option<Reporter>,
}

/// Resources at the start and at the latest end of a partition.
#[derive(Default)]
struct Window {
    start: Option<ProcessSnapshot>,
    latest_end: Option<ProcessSnapshot>,
}

impl Role for Consumers {
    fn on(&mut self, message: ToWorker) -> Result<Option<FromWorker>, Failure> {
        match message {
            ToWorker::Calibrate => Ok(Some(FromWorker::Calibrated(calibrate()))),
            ToWorker::Prepare(prepare) => self.prepare(&prepare).map(Some),
            ToWorker::Subscribe => self.subscribe(),
            ToWorker::QueryAssignments { query } => self.assignments(query).map(Some),
            ToWorker::Start { at_ns } => {
                self.start(at_ns);
                Ok(None)
            }
            ToWorker::Stop => self.stop().map(Some),
            ToWorker::PrepareProducer(_) => Err(Failure::new("this worker was started to consume, not to produce")),
            ToWorker::Exit | ToWorker::Ping | ToWorker::QueryClock => Ok(None),
        }
    }

    /// Leaves the groups, all at once, and gives a hanging client a limit.
    fn end(&mut self) {
        for member in self.members.drain(..) {
            member.stop();
            self.closing.push(member.finish().1);
        }
        let closing = self.closing.drain(..);
        let closing: Vec<_> = closing.map(|member| thread::spawn(move || member.close())).collect();
        let limit = Instant::now() + LEAVE_LIMIT;
        while closing.iter().any(|thread| !thread.is_finished()) {
            if Instant::now() > limit {
                let seconds = LEAVE_LIMIT.as_secs();
                eprintln!("tandem worker: the group was not left within {seconds} s");
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Consumers {
    fn new(process: Process) -> Self {
        Consumers {
            process,
            members: Vec::new(),
            manual: false,
            report_interval: PROGRESS_INTERVAL,
            closing: Vec::new(),
            signals: None,
            window: Arc::default(),
            reporter: None,
        }
    }

    /// Makes all members at once: each has to wait for the cluster.
    fn prepare(&mut self, prepare: &Prepare) -> Result<FromWorker, Failure> {
        if let Some(order) = &prepare.stamps {
            WaitOrder::check(order, &prepare.topics).map_err(Failure::new)?;
        }
        let (signals, received) = channel();
        let connected: Vec<Result<Member, NotReady>> = thread::scope(|scope| {
            let handles: Vec<_> = (0..prepare.consumers.len())
                .map(|index| {
                    let signals = signals.clone();
                    let news = self.news_sink(index);
                    scope.spawn(move || Member::connect(prepare, index, signals, news))
                })
                .collect();
            let join = |handle: thread::ScopedJoinHandle<'_, _>| {
                handle
                    .join()
                    .unwrap_or_else(|_| Err(NotReady::from("making the consumer panicked".to_owned())))
            };
            handles.into_iter().map(join).collect()
        });
        for (index, member) in connected.into_iter().enumerate() {
            let failed = |NotReady { connect, message }| Failure {
                connect,
                ..Failure::of(index, message)
            };
            self.members.push(member.map_err(failed)?);
        }
        self.manual = prepare.manual;
        if prepare.flow {
            self.report_interval = Duration::from_millis(FLOW_REPORT_MS);
        }
        self.signals = Some((signals, received));
        Ok(FromWorker::Ready)
    }

    /// How a member says from its own threads what its client reports, and that it cannot go on.
    fn news_sink(&self, index: usize) -> NewsSink {
        let (outbox, consumer) = (self.process.outbox.clone(), u32::try_from(index).unwrap_or(u32::MAX));
        Arc::new(move |news| {
            let message = match news {
                News::Failed(message) => FromWorker::Failed {
                    consumer: Some(consumer),
                    connect: false,
                    message,
                },
                News::Reported(report) => FromWorker::Reported {
                    consumer: Some(consumer),
                    message: report.text,
                    times: report.times,
                },
                News::Unanswered(records) => FromWorker::Unanswered { consumer, records },
                News::Began(position) => FromWorker::Began { consumer, position },
            };
            // Nobody listens any more only when the worker is about to end.
            let _ = outbox.send(&message);
        })
    }

    fn subscribe(&mut self) -> Result<Option<FromWorker>, Failure> {
        for (index, member) in self.members.iter().enumerate() {
            member
                .subscribe(self.manual)
                .map_err(|message| Failure::of(index, message))?;
        }
        Ok(None)
    }

    fn assignments(&self, query: u64) -> Result<FromWorker, Failure> {
        let mut members = Vec::with_capacity(self.members.len());
        for (consumer, member) in (0u32..).zip(&self.members) {
            let partitions = member.assignment();
            members.push(MemberAssignment {
                consumer,
                partitions: partitions.map_err(|message| Failure::of(consumer as usize, message))?,
                assigned_ns: member.shared().assigned_ns(),
            });
        }
        Ok(FromWorker::Assignments { query, members })
    }

    fn start(&mut self, at_ns: u64) {
        for member in &self.members {
            member.start(at_ns);
        }
        let pause = at_ns.saturating_sub(clock::now_ns());
        thread::sleep(Duration::from_nanos(pause));
        self.window.lock().unwrap_or_else(PoisonError::into_inner).start = Some(ProcessSnapshot::take());
        if let Some(signals) = self.signals.take() {
            let members = self.members.iter().map(Member::share).collect();
            let window = Arc::clone(&self.window);
            self.reporter = Some(Reporter::start(
                self.report_interval,
                self.process.outbox.clone(),
                members,
                signals,
                move || {
                    let snapshot = ProcessSnapshot::take();
                    window.lock().unwrap_or_else(PoisonError::into_inner).latest_end = Some(snapshot);
                },
            ));
        }
    }

    /// Ends the reading and reports everything.
    fn stop(&mut self) -> Result<FromWorker, Failure> {
        for member in &self.members {
            member.stop();
        }
        let end = ProcessSnapshot::take();
        if let Some(reporter) = self.reporter.take() {
            reporter.end();
        }
        let shared: Vec<_> = self.members.iter().map(Member::share).collect();
        let mut members = Vec::with_capacity(self.members.len());
        for (index, member) in self.members.drain(..).enumerate() {
            let (result, closing) = member.finish();
            self.closing.push(closing);
            members.push(result.map_err(|message| Failure::of(index, message))?);
        }
        // The last ones: each reader has handed over what it had when it ended.
        send_seconds(&self.process.outbox, &shared).map_err(|error| Failure::new(format!("cannot answer: {error}")))?;
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let last = window.latest_end.take().unwrap_or_else(|| end.clone());
        let usage = window.start.take().map(|start| last.since(&start));
        let stopwatch = Some(self.process.used_until(&end));
        Ok(FromWorker::Result(Box::new(WorkerResult {
            members,
            window: usage,
            stopwatch,
            pauses: Some(self.process.pauses()),
            program: None,
        })))
    }
}
