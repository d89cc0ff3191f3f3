//! What a reading thread does with its time: the clock is read where it waits for records or for a commit, never for a
//! record.

use crate::measure::{ReadingTime, Stretch, clock};
use crate::scenario::Commit;

/// Adds up the waits of one reading thread.
#[derive(Debug, Default)]
pub(super) struct Stopwatch {
    spent: ReadingTime,
    /// Waiting after which no record has come yet: what follows the last record is no waiting for one.
    open_ns: u64,
    /// When that waiting began and ended.
    open: Option<Stretch>,
}

impl Stopwatch {
    /// Waits for records.
    pub(super) fn wait(&mut self, wait: impl FnOnce()) {
        let from_ns = clock::now_ns();
        wait();
        self.waited(from_ns, clock::now_ns());
    }

    /// It waited for records between these moments.
    pub(super) fn waited(&mut self, from_ns: u64, until_ns: u64) {
        self.open_ns += until_ns.saturating_sub(from_ns);
        self.open.get_or_insert(Stretch::new(from_ns, until_ns)).until_ns = until_ns;
    }

    /// A record of the trial came.
    #[inline]
    pub(super) fn record_came(&mut self) {
        if let Some(waited) = self.open.take() {
            self.spent.waiting_ns += std::mem::take(&mut self.open_ns);
            self.spent.longest_wait = Stretch::longer(self.spent.longest_wait, Some(waited));
        }
    }

    /// Commits; only what waits for an answer takes time that counts.
    pub(super) fn commit<T>(&mut self, commit: Commit, run: impl FnOnce() -> T) -> T {
        if !matches!(commit, Commit::PerBatch | Commit::Every(_)) {
            return run();
        }
        let from_ns = clock::now_ns();
        let done = run();
        let waited = Stretch::new(from_ns, clock::now_ns());
        self.spent.committing_ns += waited.length_ns();
        self.spent.longest_wait = Stretch::longer(self.spent.longest_wait, Some(waited));
        done
    }

    /// What one thread spent.
    pub(super) fn time(&self) -> ReadingTime {
        ReadingTime {
            readers: 1,
            ..self.spent
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;
    use std::time::Duration;

    use super::*;

    const PAUSE: Duration = Duration::from_millis(5);
    const PAUSE_NS: u64 = 5_000_000;

    #[test]
    fn waiting_after_the_last_record_is_no_waiting_for_one() {
        let mut stopwatch = Stopwatch::default();
        stopwatch.wait(|| sleep(PAUSE));
        stopwatch.wait(|| sleep(PAUSE));
        stopwatch.record_came();
        let until_last = stopwatch.time().waiting_ns;
        assert!(until_last >= 2 * PAUSE_NS, "{until_last}");
        stopwatch.wait(|| sleep(PAUSE));
        assert_eq!(stopwatch.time().waiting_ns, until_last);
    }

    #[test]
    fn the_longest_wait_spans_several_looks_and_ends_with_a_record() {
        let mut stopwatch = Stopwatch::default();
        stopwatch.waited(100, 200);
        stopwatch.waited(205, 700);
        stopwatch.record_came();
        stopwatch.waited(800, 900);
        stopwatch.record_came();
        assert_eq!(stopwatch.time().longest_wait, Some(Stretch::new(100, 700)));
        // No record came after it: there was none to come.
        stopwatch.waited(1_000, 9_000);
        assert_eq!(stopwatch.time().longest_wait, Some(Stretch::new(100, 700)));
    }

    #[test]
    fn only_commits_that_are_waited_for_take_time() {
        let mut stopwatch = Stopwatch::default();
        for commit in [Commit::None, Commit::Auto] {
            stopwatch.commit(commit, || sleep(PAUSE));
        }
        assert_eq!(stopwatch.time().committing_ns, 0);
        assert!(stopwatch.commit(Commit::Every(1), || {
            sleep(PAUSE);
            true
        }));
        assert!(stopwatch.time().committing_ns >= PAUSE_NS);
    }
}
