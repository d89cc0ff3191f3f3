//! The gate between a member's reader and its rebalance callback: the reader is inside while it takes and works
//! records, and steps aside between two records when a callback waits. Knows neither records nor the client.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};

/// A gate with one reader and any number of callbacks.
pub(super) struct Gate {
    /// Callbacks that wait or are inside. Read by the reader without the lock.
    callbacks: AtomicUsize,
    reader_inside: Mutex<bool>,
    changed: Condvar,
    /// Rings where the reader may be blocked on something else than the gate.
    ring: Sender<()>,
    bell: Receiver<()>,
}

impl Gate {
    pub(super) fn new() -> Self {
        let (ring, bell) = bounded(1);
        Gate {
            callbacks: AtomicUsize::new(0),
            reader_inside: Mutex::new(false),
            changed: Condvar::new(),
            ring,
            bell,
        }
    }

    /// Lets the reader in as soon as no callback is there.
    pub(super) fn enter(&self) -> Inside<'_> {
        self.let_reader_in(self.lock());
        Inside(self)
    }

    /// Asks the reader to step aside, and to stay out from then on. `wake` ends its wait for records.
    pub(super) fn close(&self, wake: impl FnOnce()) -> Closing<'_> {
        self.callbacks.fetch_add(1, Ordering::SeqCst);
        self.ring();
        wake();
        Closing(self)
    }

    /// What the reader listens to while it is blocked; it then looks whether it is wanted, or should stop.
    pub(super) fn bell(&self) -> &Receiver<()> {
        &self.bell
    }

    /// Rings the bell. One ring that is not heard yet is enough.
    pub(super) fn ring(&self) {
        let _ = self.ring.try_send(());
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.reader_inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn let_reader_in(&self, mut inside: MutexGuard<'_, bool>) {
        while self.callbacks.load(Ordering::SeqCst) > 0 {
            inside = self.changed.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
        *inside = true;
    }
}

/// The reader is inside until this is dropped.
pub(super) struct Inside<'a>(&'a Gate);

impl Inside<'_> {
    /// True where a callback waits: the reader should step aside soon.
    #[inline]
    pub(super) fn is_wanted(&self) -> bool {
        self.0.callbacks.load(Ordering::Relaxed) > 0
    }

    /// Steps aside until every waiting callback is through.
    pub(super) fn step_aside(&mut self) {
        let mut inside = self.0.lock();
        *inside = false;
        self.0.changed.notify_all();
        self.0.let_reader_in(inside);
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        *self.0.lock() = false;
        self.0.changed.notify_all();
    }
}

/// The reader is asked to step aside, and kept out until this is dropped.
pub(super) struct Closing<'a>(&'a Gate);

impl Closing<'_> {
    /// Waits until the reader has stepped aside.
    pub(super) fn wait(&self) {
        let mut inside = self.0.lock();
        while *inside {
            inside = self.0.changed.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let _inside = self.0.lock();
        self.0.callbacks.fetch_sub(1, Ordering::SeqCst);
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_callback_never_meets_the_reader_and_waits_for_one_step_only() {
        let (gate, meets, stop) = (Gate::new(), AtomicUsize::new(0), AtomicBool::new(false));
        let inside = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut pass = gate.enter();
                while !stop.load(Ordering::SeqCst) {
                    inside.store(true, Ordering::SeqCst);
                    thread::sleep(Duration::from_micros(50));
                    inside.store(false, Ordering::SeqCst);
                    if pass.is_wanted() {
                        pass.step_aside();
                    }
                }
            });
            for _ in 0..200 {
                let closed = gate.close(|| {});
                closed.wait();
                meets.fetch_add(usize::from(inside.load(Ordering::SeqCst)), Ordering::SeqCst);
                thread::sleep(Duration::from_micros(20));
                meets.fetch_add(usize::from(inside.load(Ordering::SeqCst)), Ordering::SeqCst);
            }
            stop.store(true, Ordering::SeqCst);
        });
        assert_eq!(meets.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn a_gate_without_a_reader_lets_callbacks_through_at_once() {
        let gate = Gate::new();
        gate.close(|| {}).wait();
        drop(gate.enter());
        gate.close(|| {}).wait();
        assert!(gate.bell().try_recv().is_ok(), "a closing gate rings");
    }
}
