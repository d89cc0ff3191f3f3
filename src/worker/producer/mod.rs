//! The producer of load: sends records at times that were fixed before, says in each when it should have been sent,
//! and counts what became of them. Knows the protocol, the schedule and the client library, and nothing of consumers.

mod client;
mod deliveries;
mod pace;
mod sender;
mod series;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender as Signal, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use client::Client;
use sender::{Sender, Sending, Sent};

use super::heartbeat::Heartbeat;
use super::messages::{Failure, Outbox, hello, input_lines, next_message};
use super::threads::spawn;
use crate::contents;
use crate::measure::clock;
use crate::measure::usage::ProcessSnapshot;
use crate::protocol::{Capability, FromWorker, PrepareProducer, ProducerProgress, ProducerResult, ToWorker};

/// How often progress is reported while sending.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Runs a producer until it is told to end or hears nothing more. The exit code says whether it could do what it was
/// told.
pub fn run_producer() -> ExitCode {
    let born = ProcessSnapshot::of_birth(clock::now_ns());
    let heartbeat = Heartbeat::start();
    let outbox = Outbox::default();
    if outbox.send(&FromWorker::Hello(hello(&[Capability::Usage]))).is_err() {
        return ExitCode::FAILURE;
    }
    let mut process = Process {
        born,
        heartbeat,
        outbox: outbox.clone(),
        prepared: None,
        running: None,
        ended: None,
    };
    let served = process.serve(&input_lines());
    process.abandon();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(&outbox),
    }
}

/// The process between its messages.
struct Process {
    born: ProcessSnapshot,
    heartbeat: Heartbeat,
    outbox: Outbox,
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
    sender: JoinHandle<Result<Sent, String>>,
    start: ProcessSnapshot,
    reporter: (Signal<()>, JoinHandle<()>),
}

impl Process {
    /// Serves messages until told to exit or nobody is there any more.
    fn serve(&mut self, lines: &Receiver<String>) -> Result<(), Failure> {
        while let Some(message) = next_message(lines)? {
            let answer = match message {
                ToWorker::Exit => return Ok(()),
                ToWorker::Ping => None,
                ToWorker::PrepareProducer(order) => Some(self.prepare(*order)?),
                ToWorker::Start { at_ns } => {
                    self.start(at_ns)?;
                    None
                }
                ToWorker::Stop => Some(self.stop()?),
                ToWorker::Prepare(_)
                | ToWorker::Subscribe
                | ToWorker::QueryAssignments { .. }
                | ToWorker::Calibrate => {
                    return Err(Failure::new("this worker was started to produce, not to consume"));
                }
            };
            if let Some(answer) = answer {
                self.outbox
                    .send(&answer)
                    .map_err(|error| Failure::new(format!("cannot answer: {error}")))?;
            }
        }
        Ok(())
    }

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
            return Err(Failure::new(
                "told to start without `prepare_producer`, or a second time",
            ));
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
        let (outbox, sending, deliveries) = (self.outbox.clone(), Arc::clone(sending), client.deliveries());
        let body = move || {
            loop {
                let told = stopped.recv_timeout(PROGRESS_INTERVAL);
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
                if told != Err(RecvTimeoutError::Timeout) {
                    return;
                }
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
            return Err(Failure::new("told to stop without having started"));
        };
        let Running {
            client,
            sending,
            sender,
            start,
            reporter,
        } = running;
        sending.stopped.store(true, Ordering::Release);
        let sent = sender
            .join()
            .unwrap_or_else(|_| Err("the sending thread panicked".to_owned()))
            .map_err(Failure::new)?;
        let count = sending.sent.load(Ordering::Acquire);
        client.settle(count);
        let (told, thread) = reporter;
        drop(told);
        // It only reads counters and writes lines; were it to panic, the result below still stands.
        let _ = thread.join();
        let deliveries = client.deliveries();
        let result = ProducerResult {
            due: sent.due,
            sent: count,
            refused: sent.refused,
            due_in_window: sent.of_window.0,
            sent_in_window: sent.of_window.1,
            acknowledged_in_window: deliveries.acknowledged_in_window(),
            acknowledged: deliveries.acknowledged(),
            failed: deliveries.failed(),
            errors: deliveries.errors(),
            partitions: deliveries.partitions(),
            lateness: sent.lateness,
            series: sent.series,
            last_sent_ns: sent.last_sent_ns,
            queue_full_ns: sent.queue_full_ns,
            window: Some(sent.end.since(&start)),
            stopwatch: Some(ProcessSnapshot::take().since(&self.born)),
            pauses: Some(self.heartbeat.pauses()),
        };
        self.ended = Some(client);
        Ok(FromWorker::ProducerResult(Box::new(result)))
    }

    /// Lets go of whatever is still under way: nobody wants to know any more.
    fn abandon(&mut self) {
        if let Some(running) = self.running.take() {
            running.sending.stopped.store(true, Ordering::Release);
        }
    }
}
