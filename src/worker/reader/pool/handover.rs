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
    /// Wakes a thread that waits for a record.
    filled: Condvar,
    /// Wakes the reader, which listens to its gate's bell as well.
    cleared: Sender<()>,
    room: Receiver<()>,
}

struct State<J> {
    strands: Strands<J>,
    /// Threads that wait for a record.
    idle: usize,
    reader_waits: bool,
    is_closed: bool,
}

/// What a thread that asks for a record gets.
pub(super) enum Next<J> {
    Record(Strand, J),
    /// None came within its wait.
    Nothing,
    /// None comes any more.
    Closed,
}

impl<J> Handover<J> {
    /// Without records, with room for so many.
    pub(super) fn new(room: Load) -> Self {
        let (cleared, cleared_receiver) = bounded(1);
        Handover {
            state: Mutex::new(State {
                strands: Strands::new(room),
                idle: 0,
                reader_waits: false,
                is_closed: false,
            }),
            filled: Condvar::new(),
            cleared,
            room: cleared_receiver,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over as many as there is room for, the first ones first. True where none is left; otherwise
    /// [`Handover::room`] receives when it is worth trying again.
    pub(super) fn put(&self, parcels: &mut VecDeque<Parcel<J>>) -> bool {
        let mut state = self.lock();
        let mut ready = 0;
        while state.strands.has_room() {
            let Some(Parcel { strand, bytes, job }) = parcels.pop_front() else {
                break;
            };
            ready += usize::from(state.strands.push(strand, bytes, job));
        }
        state.reader_waits = !parcels.is_empty();
        let to_wake = ready.min(state.idle);
        drop(state);
        for _ in 0..to_wake {
            self.filled.notify_one();
        }
        parcels.is_empty()
    }

    /// Receives when there is room again after not all could be put.
    pub(super) fn room(&self) -> &Receiver<()> {
        &self.room
    }

    /// Ends the work on a record of a strand, and takes the next record for the thread. Waits for one, at most so long.
    pub(super) fn next(&self, finished: Strand, timeout: Duration) -> Next<J> {
        let mut state = self.lock();
        state.strands.release(finished);
        if !state.is_closed && !state.strands.is_ready() {
            state.idle += 1;
            state = (self.filled)
                .wait_timeout_while(state, timeout, |state| !state.is_closed && !state.strands.is_ready())
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            state.idle -= 1;
        }
        if state.is_closed {
            return Next::Closed;
        }
        let taken = state.strands.take();
        // Where a thread has nothing to do, a single record more may be what it waits for; otherwise the reader need not
        // come for each.
        let is_worth_waking = state.strands.has_much_room() || (!state.strands.is_ready() && state.strands.has_room());
        if state.reader_waits && is_worth_waking {
            state.reader_waits = false;
            // One signal that is not received yet is enough.
            let _ = self.cleared.try_send(());
        }
        match taken {
            Some((strand, job)) => Next::Record(strand, job),
            None => Next::Nothing,
        }
    }

    /// Ends the waiting of all threads, for good.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.filled.notify_all();
    }
}
