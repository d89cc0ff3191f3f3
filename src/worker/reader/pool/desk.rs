//! What the reader and its threads share, and what a thread does: it takes records, has them handled and says that they
//! are finished.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::super::reading::{IDLE_WAIT, Reader};
use super::super::source::{Consumption, Message, Source};
use super::super::waits::{Handling, Waited, Waits};
use super::super::window::{Advance, Window};
use super::handover::{Handover, Next};
use crate::measure::clock;
use crate::work::Handler;

/// A record on its way to a thread, which destroys it after the work.
pub(super) struct Job<M> {
    pub(super) message: M,
    pub(super) slot: usize,
    pub(super) epoch: u32,
    pub(super) ticket: u64,
    pub(super) received_ns: u64,
}

/// What the reader and its threads share.
pub(super) struct Desk<'a, S: Source, O> {
    pub(super) reader: &'a Reader<'a, S, O>,
    pub(super) handover: Handover<Job<S::Message<'a>>>,
    pub(super) windows: Vec<Mutex<Window>>,
    pub(super) finished: AtomicU64,
    pub(super) work_ns: AtomicU64,
}

impl<S: Source, O: Consumption> Desk<'_, S, O> {
    /// A thread's life: works what comes until the reading ends, and nothing more once the member has stopped.
    pub(super) fn work(&self, mut handler: impl Handler) -> Option<Waited> {
        handler.begin();
        let mut waits = self.reader.waits.map(|order| Waits::new(order, self.reader.shared));
        let mut work_ns = 0;
        let (mut taken, mut jobs, mut finished) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            match self.handover.next(&mut finished, &mut taken, IDLE_WAIT) {
                Next::Records => {}
                Next::Nothing => {
                    // Hands over the seconds that have passed.
                    if let Some(waits) = &mut waits {
                        waits.passed(clock::now_ns());
                    }
                }
                Next::Closed => break,
            }
            let mut coming = taken.drain(..);
            while coming.len() > 0 {
                for (strand, job) in coming.by_ref().take(handler.at_once().get()) {
                    finished.push(strand);
                    jobs.push(job);
                }
                work_ns += self.work_on(&mut jobs, &mut handler, waits.as_mut());
            }
        }
        self.work_ns.fetch_add(work_ns, Ordering::Relaxed);
        waits.map(Waits::close)
    }

    /// Has those records handled that the member still holds, and returns how long that took. Between two tries a
    /// revocation may take them away.
    fn work_on<M: Message>(
        &self,
        jobs: &mut Vec<Job<M>>,
        handler: &mut impl Handler,
        mut waits: Option<&mut Waits<'_>>,
    ) -> u64 {
        let shared = self.reader.shared;
        let slot_of = |job: &Job<M>| &shared.slots()[job.slot];
        let from_ns = clock::now_ns();
        loop {
            jobs.retain(|job| !shared.is_stopped() && shared.begin_work(slot_of(job), job.epoch));
            if jobs.is_empty() {
                return 0;
            }
            let Err(failure) = handler.handle(jobs.iter().map(|job| &job.message)) else {
                break;
            };
            for job in jobs.iter() {
                shared.end_work(slot_of(job), job.epoch);
            }
            shared.work_failed(failure);
        }
        let mut now_ns = from_ns;
        for job in jobs.drain(..) {
            let slot = slot_of(&job);
            let stamped = waits
                .as_mut()
                .map(|waits| (waits.stamp_of(job.slot, &job.message), waits));
            drop(job.message);
            now_ns = clock::now_ns();
            if let Some((stamp, waits)) = stamped {
                let handling = Handling {
                    received_ns: job.received_ns,
                    started_ns: from_ns,
                    finished_ns: now_ns,
                };
                waits.finished(job.slot, stamp, handling);
            }
            self.finish(job.slot, job.ticket, (from_ns, now_ns));
            shared.end_work(slot, job.epoch);
        }
        now_ns - from_ns
    }

    fn finish(&self, index: usize, ticket: u64, (from_ns, now_ns): (u64, u64)) {
        let slot = &self.reader.shared.slots()[index];
        let elapsed_ns = now_ns.saturating_sub(self.reader.start_ns);
        let mut window = self.windows[index].lock().unwrap_or_else(PoisonError::into_inner);
        let advance = window.finish(ticket, now_ns, elapsed_ns);
        if advance != Advance::None {
            window.flowed(from_ns, now_ns);
        }
        match advance {
            Advance::None => {}
            // Under the lock, so that positions only grow.
            Advance::To(offset) => slot.set_finished(offset),
            Advance::ToEnd(offset) => {
                slot.set_finished(offset);
                slot.set_passed();
            }
        }
        drop(window);
        self.finished.fetch_add(1, Ordering::Relaxed);
        if matches!(advance, Advance::ToEnd(_)) {
            self.reader.shared.partition_ended();
        }
    }
}
