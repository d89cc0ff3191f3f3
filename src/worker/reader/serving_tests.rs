//! A source that serves its own membership: rebalances come while records are taken.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::Reader;
use super::memory::{MemoryMessage, MemoryRecord, MemorySource, Nowhere, partitions, target};
use super::reading::Early;
use super::source::Source;
use crate::scenario::Work;
use crate::worker::shared::MemberShared;

/// A source that serves its own membership, as a stream does: its first wait loses the partition, gets it again, and
/// hands over the first record of the new assignment.
struct Serving<'a> {
    records: MemorySource,
    shared: &'a MemberShared,
    has_rebalanced: AtomicBool,
}

impl Source for Serving<'_> {
    type Message<'s>
        = MemoryMessage<'s>
    where
        Self: 's;

    const SERVES_MEMBERSHIP: bool = true;

    fn take<'s>(&'s self, batch: &mut Vec<MemoryMessage<'s>>) {
        if self.has_rebalanced.load(Ordering::SeqCst) {
            self.records.take(batch);
        }
    }

    fn wait<'s>(&'s self, batch: &mut Vec<MemoryMessage<'s>>, timeout: Duration) {
        if !self.has_rebalanced.swap(true, Ordering::SeqCst) {
            self.shared.end_epochs(&partitions(1));
            self.shared.revoke(&partitions(1));
            self.shared.begin_epochs(&partitions(1));
        }
        self.records.wait(batch, timeout);
    }
}

#[test]
fn a_record_that_comes_with_the_rebalance_that_brought_it_back_is_read() {
    let record = |offset| MemoryRecord {
        partition: 0,
        offset,
        key: None,
        value: Box::default(),
        error: None,
    };
    for threads in [1, 2] {
        let (ended_sender, ended) = channel();
        let shared = MemberShared::new(&[target(1, 3)], 1, ended_sender);
        shared.begin_epochs(&partitions(1));
        let source = Serving {
            records: MemorySource::new((0..3).map(record).collect()),
            shared: &shared,
            has_rebalanced: AtomicBool::new(false),
        };
        let reader = Reader {
            capacity: 1,
            ..Reader::counting(&source, &Nowhere, &shared, 0)
        };
        let accounts = thread::scope(|scope| {
            let (shared, records) = (&shared, &source.records);
            scope.spawn(move || {
                let limit = Duration::from_secs(5);
                // Where a record was dropped its partition's end is counted all the same: the account below shows it.
                ended.recv_timeout(limit).ok();
                shared.stop();
                records.wake();
            });
            reader.run_work(Work::Cpu { ns: 1 }, threads, Early::none())
        });
        let read: u64 = accounts.into_result(&shared).partitions.iter().map(|p| p.records).sum();
        assert_eq!(read, 3, "{threads} threads");
    }
}
