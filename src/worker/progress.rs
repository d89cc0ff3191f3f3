//! The thread that reports while the members of a process read: how far they are, and the seconds that are over.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::messages::Outbox;
use super::seconds;
use super::shared::{MemberShared, ReporterSignal};
use crate::measure::TopicPartition;
use crate::protocol::{FromWorker, Position};

/// How often progress is reported while reading.
pub(super) const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// A thread that reports until it is ended.
pub(super) struct Reporter {
    signals: Sender<ReporterSignal>,
    thread: JoinHandle<()>,
}

impl Reporter {
    /// Reports after each interval, and at once when a partition's end is reached: then `on_end` is called first. The members send
    /// to the same channel as [`Reporter::end`].
    pub(super) fn start(
        interval: Duration,
        outbox: Outbox,
        members: Vec<Arc<MemberShared>>,
        (signals, received): (Sender<ReporterSignal>, Receiver<ReporterSignal>),
        on_end: impl Fn() + Send + 'static,
    ) -> Self {
        let body = move || {
            let mut reported = BTreeMap::new();
            loop {
                match received.recv_timeout(interval) {
                    Ok(ReporterSignal::PartitionEnded) => on_end(),
                    Ok(ReporterSignal::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => {}
                }
                let positions = news(&members, &mut reported);
                if !positions.is_empty() && outbox.send(&FromWorker::Progress { positions }).is_err() {
                    return;
                }
                if send_seconds(&outbox, &members).is_err() {
                    return;
                }
            }
        };
        Reporter {
            signals,
            thread: thread::spawn(body),
        }
    }

    /// Ends the thread at once; it does not finish its wait for the next report. What it has not sent by then stays with
    /// the members.
    pub(super) fn end(self) {
        // The thread is gone only when nobody reads its reports any more.
        let _ = self.signals.send(ReporterSignal::Stop);
        // It only reads counters and writes lines; were it to panic, the result still stands.
        let _ = self.thread.join();
    }
}

/// Sends the seconds that the members have handed over and that were not sent before.
pub(super) fn send_seconds(outbox: &Outbox, members: &[Arc<MemberShared>]) -> io::Result<()> {
    let seconds = seconds::take_all(members.iter().map(|member| member.seconds()));
    if seconds.is_empty() {
        return Ok(());
    }
    outbox.send(&FromWorker::Seconds { seconds })
}

/// The positions that have moved since they were reported.
fn news(members: &[Arc<MemberShared>], reported: &mut BTreeMap<TopicPartition, i64>) -> Vec<Position> {
    let mut positions = Vec::new();
    for slot in members.iter().flat_map(|member| member.slots()) {
        let Some(offset) = slot.position() else { continue };
        let known = reported.entry(slot.partition).or_insert(-1);
        if *known < offset {
            *known = offset;
            let (topic, partition) = (slot.partition.topic, slot.partition.partition);
            positions.push(Position {
                topic,
                partition,
                offset,
            });
        }
    }
    positions
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Instant;

    use super::*;
    use crate::protocol::TopicTarget;

    #[test]
    fn a_reporter_ends_without_waiting_for_its_next_report_and_counts_only_ends_of_partitions() {
        let (signals, received) = channel();
        let topic = TopicTarget {
            name: "t".to_owned(),
            partitions: Vec::new(),
        };
        let member = Arc::new(MemberShared::new(&[topic], 1, signals.clone()));
        let (ended, ends) = channel();
        let reporter = Reporter::start(
            PROGRESS_INTERVAL,
            Outbox::default(),
            vec![Arc::clone(&member)],
            (signals, received),
            move || {
                let _ = ended.send(());
            },
        );
        member.partition_ended();
        assert!(ends.recv_timeout(PROGRESS_INTERVAL).is_ok());
        let asked = Instant::now();
        reporter.end();
        assert!(
            asked.elapsed() < PROGRESS_INTERVAL / 2,
            "it waited {:?}",
            asked.elapsed()
        );
        assert!(ends.recv().is_err(), "its own end was taken for that of a partition");
    }
}
