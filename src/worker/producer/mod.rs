//! The producer of load: sends records at times that were fixed before, says in each when it should have been sent,
//! and counts what became of them. Knows the protocol, the schedule and the client library, and nothing of consumers.

mod client;
mod deliveries;
mod pace;
mod sender;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, Sender as Signal, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use client::Client;
use sender::{Sender, Sending};

use super::messages::{Failure, Process, Role, run};
use super::threads::spawn;
use crate::contents;
use crate::measure::clock;
use crate::measure::usage::ProcessSnapshot;
use crate::protocol::{Capability, FromWorker, PrepareProducer, ProducerProgress, ProducerResult, ToWorker};

/// How often progress is reported while sending.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Runs a producer until it is to end; the exit code says whether it could do what it was asked.
pub fn run_producer() -> ExitCode {
    run(&[Capability::Usage, Capability::Pauses], |process| Load {
        process,
        prepared: None,
        running: None,
        ended: None,
    })
}

/// The load that a process produces.
struct Load {
    process: Process,
    prepared: Option<Prepared>,
    running: Option<Running>,
    /// The client of a load that is over: to end it may take a while, and the result should not wait for that.
    ended: Option<Client>,
}

/// A client that has reached the cluster, and what it is to send.
struct Prepared {
    order: Arc<PrepareProducer>,
    text: Arc<[u8]>,
    client: Client,
}

/// A load under way.
struct Running {
    client: Client,
    sending: Arc<Sending>,
    sender: JoinHandle<Result<(ProducerResult, ProcessSnapshot), String>>,
    start: ProcessSnapshot,
    reporter: (Signal<()>, JoinHandle<()>),
}

impl Role for Load {
    fn on(&mut self, message: ToWorker) -> Result<Option<FromWorker>, Failure> {
        match message {
            ToWorker::PrepareProducer(order) => self.prepare(*order).map(Some),
            ToWorker::Start { at_ns } => self.start(at_ns).map(|()| None),
            ToWorker::Stop => self.stop().map(Some),
            ToWorker::Prepare(_) | ToWorker::Subscribe | ToWorker::QueryAssignments { .. } | ToWorker::Calibrate => {
                Err(Failure::new("this worker was started to produce, not to consume"))
            }
            ToWorker::Exit | ToWorker::Ping | ToWorker::QueryClock => Ok(None),
        }
    }

    /// Stops the sending, which nobody waits for any more.
    fn end(&mut self) {
        if let Some(running) = self.running.take() {
            running.sending.stopped.store(true, Ordering::Release);
        }
    }
}

impl Load {
    /// Makes the client and reaches the cluster.
    fn prepare(&mut self, order: PrepareProducer) -> Result<FromWorker, Failure> {
        client::check(&order).map_err(Failure::new)?;
        let text: Arc<[u8]> = contents::text(order.seed).into();
        sender::check(&order, &text).map_err(Failure::new)?;
        let client = Client::connect(&order).map_err(|message| Failure {
            connect: true,
            ..Failure::new(message)
        })?;
        self.prepared = Some(Prepared {
            text,
            client,
            order: Arc::new(order),
        });
        Ok(FromWorker::Ready)
    }

    /// Begins to send at `start_ns`.
    fn start(&mut self, start_ns: u64) -> Result<(), Failure> {
        let Some(Prepared { order, text, client }) = self.prepared.take() else {
            return Err(Failure::new("`start` without `prepare_producer`, or a second time"));
        };
        let sending = Arc::new(Sending::default());
        let sender = Sender {
            order,
            text,
            client: client.share(),
            deliveries: client.deliveries(),
            sending: Arc::clone(&sending),
        };
        let sender = spawn("sender".to_owned(), move || sender.run(start_ns)).map_err(Failure::new)?;
        thread::sleep(Duration::from_nanos(start_ns.saturating_sub(clock::now_ns())));
        let start = ProcessSnapshot::take();
        let reporter = self.report_progress(&client, &sending);
        self.running = Some(Running {
            client,
            sending,
            sender,
            start,
            reporter,
        });
        Ok(())
    }

    /// Starts the thread that says how far the sending is, until it has finished.
    fn report_progress(&self, client: &Client, sending: &Arc<Sending>) -> (Signal<()>, JoinHandle<()>) {
        let (stop, stopped) = channel::<()>();
        let (outbox, sending, deliveries) = (self.process.outbox.clone(), Arc::clone(sending), client.deliveries());
        let body = move || {
            loop {
                let is_stopped = stopped.recv_timeout(PROGRESS_INTERVAL) != Err(RecvTimeoutError::Timeout);
                if is_stopped {
                    return;
                }
                // Read before the counts, which then hold all that was sent.
                let over = sending.over.load(Ordering::Acquire);
                let sent = sending.sent.load(Ordering::Acquire);
                let (acknowledged, failed) = (deliveries.acknowledged(), deliveries.failed());
                let finished = over && acknowledged + failed == sent;
                let progress = ProducerProgress {
                    sent,
                    acknowledged,
                    failed,
                    finished,
                };
                if outbox.send(&FromWorker::ProducerProgress(progress)).is_err() || finished {
                    return;
                }
            }
        };
        (stop, thread::spawn(body))
    }

    /// Ends the sending, waits for what is under way, and reports everything.
    fn stop(&mut self) -> Result<FromWorker, Failure> {
        let Some(running) = self.running.take() else {
            return Err(Failure::new("`stop` before `start`"));
        };
        let Running {
            client,
            sending,
            sender,
            start,
            reporter,
        } = running;
        sending.stopped.store(true, Ordering::Release);
        let (result, end) = sender
            .join()
            .unwrap_or_else(|_| Err("the sending thread panicked".to_owned()))
            .map_err(Failure::new)?;
        let count = sending.sent.load(Ordering::Acquire);
        client.settle(count);
        let (stop, thread) = reporter;
        drop(stop);
        // It only reads counters and writes lines; were it to panic, the result below still stands.
        let _ = thread.join();
        let deliveries = client.deliveries();
        let result = ProducerResult {
            sent: count,
            acknowledged_in_window: deliveries.acknowledged_in_window(),
            acknowledged: deliveries.acknowledged(),
            failed: deliveries.failed(),
            errors: deliveries.errors(),
            partitions: deliveries.partitions(),
            delays: deliveries.delays(),
            retried: client.retried(count),
            window: Some(end.since(&start)),
            stopwatch: Some(self.process.used_until(&ProcessSnapshot::take())),
            pauses: Some(self.process.pauses()),
            ..result
        };
        self.ended = Some(client);
        Ok(FromWorker::ProducerResult(Box::new(result)))
    }
}
