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
                if send_positions(&outbox, &members, &mut reported).is_err() || send_seconds(&outbox, &members).is_err()
                {
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

/// What was reported last: by each member of the process, and of each partition. Several members may know a partition that
/// has moved between them.
type LastReported = BTreeMap<(usize, TopicPartition), i64>;

/// Sends the positions that have moved since they were reported.
fn send_positions(outbox: &Outbox, members: &[Arc<MemberShared>], reported: &mut LastReported) -> io::Result<()> {
    let _until_sent: Vec<_> = members.iter().map(|member| member.hold_positions()).collect();
    let positions = news(members, reported);
    if positions.is_empty() {
        return Ok(());
    }
    outbox.send(&FromWorker::Progress { positions })
}

/// The positions that have moved since they were reported: on, or back, where a member reads again.
fn news(members: &[Arc<MemberShared>], reported: &mut LastReported) -> Vec<Position> {
    let slots = (0..)
        .zip(members)
        .flat_map(|(index, member)| member.slots().iter().map(move |slot| (index, slot)));
    let moved = slots.filter_map(|(member, slot)| {
        let (TopicPartition { topic, partition }, offset) = (slot.partition, slot.position()?);
        let last = reported.insert((member, slot.partition), offset);
        (last != Some(offset)).then_some(Position {
            topic,
            partition,
            offset,
        })
    });
    moved.collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Instant;

    use super::*;
    use crate::protocol::{OffsetRange, TopicTarget};

    fn member(signals: Sender<ReporterSignal>) -> Arc<MemberShared> {
        let topic = TopicTarget {
            name: "t".to_owned(),
            partitions: vec![OffsetRange { low: 0, end: 100 }],
        };
        Arc::new(MemberShared::new(&[topic], 1, signals))
    }

    #[test]
    fn a_member_that_reads_again_reports_lower_positions_and_one_that_lost_the_partition_is_silent() {
        let (signals, _received) = channel();
        let members = [member(signals.clone()), member(signals)];
        let (one, other) = (&members[0].slots()[0], &members[1].slots()[0]);
        let mut reported = LastReported::new();
        let mut said = || -> Vec<i64> { news(&members, &mut reported).iter().map(|at| at.offset).collect() };
        assert_eq!(said(), [0; 0]);
        one.set_finished(50);
        assert_eq!(said(), [50]);
        // The other member of the process begins from the first record, because nothing was committed.
        for offset in [10, 20] {
            other.set_finished(offset);
            assert_eq!(said(), [offset]);
            assert_eq!(said(), [0; 0]);
        }
        // And so does the first, when it gets the partition back.
        one.set_finished(5);
        assert_eq!(said(), [5]);
    }

    #[test]
    fn no_position_is_reported_after_the_beginning_of_a_reading_that_came_later() {
        let (signals, _received) = channel();
        let member = member(signals);
        let slot = &member.slots()[0];
        slot.set_finished(50);
        thread::scope(|scope| {
            let reporting = member.hold_positions();
            let begins = scope.spawn(|| member.begin_reading(slot, 2, 10));
            thread::sleep(Duration::from_millis(20));
            assert_eq!(slot.position(), Some(50), "the report under way is not out yet");
            drop(reporting);
            begins.join().unwrap();
        });
        assert_eq!(slot.position(), Some(10));
        // Once for each assignment.
        member.begin_reading(slot, 2, 30);
        assert_eq!(slot.position(), Some(10));
    }

    #[test]
    fn a_reporter_ends_without_waiting_for_its_next_report_and_counts_only_ends_of_partitions() {
        let (signals, received) = channel();
        let member = member(signals.clone());
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
