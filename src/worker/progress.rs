//! The thread that reports while the members of a process read: how far they are, and the seconds that are over.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::messages::Outbox;
use super::seconds;
use super::shared::MemberShared;
use crate::measure::TopicPartition;
use crate::protocol::{FromWorker, Position};

/// How often progress is reported while reading.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// A thread that reports until it is told to end.
pub(super) struct Reporter {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Reporter {
    /// Reports regularly, and at once where a partition's end is reached: then `on_end` is called first.
    pub(super) fn start(
        outbox: Outbox,
        members: Vec<Arc<MemberShared>>,
        ended: Receiver<()>,
        on_end: impl Fn() + Send + 'static,
    ) -> Self {
        let (stop, stopped) = channel();
        let body = move || {
            let mut told = BTreeMap::new();
            loop {
                if ended.recv_timeout(PROGRESS_INTERVAL).is_ok() {
                    on_end();
                }
                if !matches!(stopped.try_recv(), Err(TryRecvError::Empty)) {
                    return;
                }
                let positions = news(&members, &mut told);
                if !positions.is_empty() && outbox.send(&FromWorker::Progress { positions }).is_err() {
                    return;
                }
                if send_seconds(&outbox, &members).is_err() {
                    return;
                }
            }
        };
        Reporter {
            stop,
            thread: thread::spawn(body),
        }
    }

    /// Ends the thread. What it has not sent by then stays with the members.
    pub(super) fn end(self) {
        drop(self.stop);
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

/// The positions that have moved since they were told.
fn news(members: &[Arc<MemberShared>], told: &mut BTreeMap<TopicPartition, i64>) -> Vec<Position> {
    let mut positions = Vec::new();
    for slot in members.iter().flat_map(|member| member.slots()) {
        let Some(offset) = slot.position() else { continue };
        let known = told.entry(slot.partition).or_insert(-1);
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
