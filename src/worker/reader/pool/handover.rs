//! Where the reader leaves records and its threads take them: strands behind a lock, with waiting on both sides.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::strands::{Load, Strand, Strands};

/// A record on its way to a thread.
pub(super) struct Parcel<J> {
    pub(super) strand: Strand,
    /// Of its key and value.
    pub(super) bytes: u64,
    pub(super) job: J,
}

/// Between one reader and its threads.
pub(super) struct Handover<J> {
    state: Mutex<State<J>>,
    threads: usize,
    /// Most records that a thread takes at once.
    at_once: usize,
    /// Wakes a thread that waits for a record.
    filled: Condvar,
    /// Wakes the reader, which listens to its gate's bell as well.
    cleared: Sender<()>,
    space: Receiver<()>,
}

struct State<J> {
    strands: Strands<J>,
    /// Threads that wait for a record.
    idle: usize,
    reader_waits: bool,
    is_closed: bool,
}

/// What a thread that asks for records gets.
pub(super) enum Next {
    /// At least one.
    Records,
    /// None came within its wait.
    Nothing,
    /// None comes any more.
    Closed,
}

impl<J> Handover<J> {
    /// Without records, with space for so many, for threads that each take at most `at_once` records at a time.
    pub(super) fn new(space: Load, threads: usize, at_once: usize) -> Self {
        let (cleared, cleared_receiver) = bounded(1);
        Handover {
            state: Mutex::new(State {
                strands: Strands::new(space),
                idle: 0,
                reader_waits: false,
                is_closed: false,
            }),
            threads,
            at_once,
            filled: Condvar::new(),
            cleared,
            space: cleared_receiver,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over as many as there is space for, the first ones first. True where none is left; otherwise
    /// [`Handover::space`] receives when it is worth trying again.
    pub(super) fn put(&self, parcels: &mut VecDeque<Parcel<J>>) -> bool {
        let mut state = self.lock();
        let mut ready = 0;
        while state.strands.has_space() {
            let Some(Parcel { strand, bytes, job }) = parcels.pop_front() else {
                break;
            };
            ready += usize::from(state.strands.push(strand, bytes, job));
        }
        state.reader_waits = !parcels.is_empty();
        let to_wake = ready.div_ceil(self.at_once).min(state.idle);
        drop(state);
        for _ in 0..to_wake {
            self.filled.notify_one();
        }
        parcels.is_empty()
    }

    /// Receives when there is space again after not all could be put.
    pub(super) fn space(&self) -> &Receiver<()> {
        &self.space
    }

    /// Ends the work on records of these strands, and takes the next records for the thread, no more than its share of what
    /// is ready. Waits for one, at most so long.
    pub(super) fn next(&self, finished: &mut Vec<Strand>, taken: &mut Vec<(Strand, J)>, timeout: Duration) -> Next {
        let mut state = self.lock();
        for strand in finished.drain(..) {
            state.strands.release(strand);
        }
        if !state.is_closed && state.strands.ready() == 0 {
            state.idle += 1;
            state = (self.filled)
                .wait_timeout_while(state, timeout, |state| !state.is_closed && state.strands.ready() == 0)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            state.idle -= 1;
        }
        if state.is_closed {
            return Next::Closed;
        }
        let share = state.strands.ready().div_ceil(self.threads).min(self.at_once);
        taken.extend((0..share).map_while(|_| state.strands.take()));
        // What was released may be more than what was taken.
        let wakes_another = state.idle > 0 && state.strands.ready() > 0;
        // Where threads have nothing to do, a single record more may be what they wait for; otherwise the reader need not
        // come for each.
        let has_use = state.strands.has_much_space() || (state.strands.ready() == 0 && state.strands.has_space());
        let wakes_reader = state.reader_waits && has_use;
        state.reader_waits &= !wakes_reader;
        drop(state);
        if wakes_another {
            self.filled.notify_one();
        }
        if wakes_reader {
            // One signal that is not received yet is enough.
            let _ = self.cleared.try_send(());
        }
        if taken.is_empty() { Next::Nothing } else { Next::Records }
    }

    /// Ends the waiting of all threads, for good.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.filled.notify_all();
    }
}
