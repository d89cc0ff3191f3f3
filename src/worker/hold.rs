//! The hold: a member has its partitions but fetches nothing until the common start, and then begins at once.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};

use super::consumer::{CONNECT_LIMIT, spawn};
use super::membership::MemberContext;
use super::reader::{Batch, PrivateQueue, Reader, ReaderResult};
use super::shared::MemberShared;
use super::work::Labour;
use crate::measure::clock;
use crate::protocol::Prepare;

/// A reader that waits for the start.
pub(super) struct HeldReader {
    pub(super) consumer: Arc<BaseConsumer<MemberContext>>,
    pub(super) queue: Arc<PrivateQueue<MemberContext>>,
    pub(super) shared: Arc<MemberShared>,
    /// One partition for each broker that leads any, to wake the client's broker threads at the start.
    pub(super) leaders: Vec<(String, i32)>,
    pub(super) queued_at_start: Arc<OnceLock<u64>>,
    pub(super) prepare: Prepare,
}

impl HeldReader {
    /// Waits for the start, releases the hold and reads. Ends at once where the member is closed before any start.
    pub(super) fn run(self, start_orders: &Receiver<u64>) -> ReaderResult {
        let labour = Labour::prepare(self.prepare.work, self.prepare.calibration);
        let Ok(at_ns) = start_orders.recv() else {
            return ReaderResult::default();
        };
        sleep_until(at_ns);
        // A record that lies in the queue already was fetched before the start.
        let mut early = Batch::new(1_000);
        self.queue.take(&mut early, 0);
        let _ = self.queued_at_start.set(early.records());
        self.release();
        let reader = Reader {
            consumer: self.consumer,
            queue: self.queue,
            shared: self.shared,
            labour,
            commit: self.prepare.commit,
            read: self.prepare.read,
        };
        reader.run(at_ns, early)
    }

    /// Resumes what is assigned and wakes the client's broker threads: without a request of some kind each would
    /// first finish a sleep of up to a second.
    fn release(&self) {
        let mut holding = self.shared.holding.lock().unwrap_or_else(PoisonError::into_inner);
        *holding = false;
        let resumed = self.consumer.assignment().and_then(|list| {
            if list.count() > 0 {
                self.consumer.resume(&list)?;
            }
            Ok(list.count())
        });
        drop(holding);
        match resumed {
            Ok(0) => {}
            Ok(_) => self.wake_leaders(),
            Err(error) => eprintln!("cannot resume: {error}"),
        }
    }

    /// Asks every leader for a watermark, from threads of their own: reading goes on meanwhile.
    fn wake_leaders(&self) {
        for (topic, partition) in self.leaders.iter().cloned() {
            let consumer = Arc::clone(&self.consumer);
            let woken = spawn("wake".to_owned(), move || {
                if let Err(error) = consumer.fetch_watermarks(&topic, partition, CONNECT_LIMIT) {
                    eprintln!("cannot wake the leader of {topic} [{partition}]: {error}");
                }
            });
            if let Err(error) = woken {
                eprintln!("{error}");
            }
        }
    }
}

/// Sleeps until shortly before the time and spends the rest waiting actively, so that all members begin together.
fn sleep_until(at_ns: u64) {
    const ACTIVE_NS: u64 = 200_000;
    let ahead = at_ns.saturating_sub(clock::now_ns());
    if ahead > ACTIVE_NS {
        thread::sleep(Duration::from_nanos(ahead - ACTIVE_NS));
    }
    while clock::now_ns() < at_ns {
        std::hint::spin_loop();
    }
}
