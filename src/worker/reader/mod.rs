//! The hot loop: takes records from a member's private queue, counts them, does the work, commits. One thread per
//! member runs it; the group membership is served elsewhere.

mod account;
mod queue;

use std::sync::Arc;
use std::thread;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::Offset;

use account::{Counted, PartitionAccount};
pub(super) use queue::{Batch, PrivateQueue};
use queue::{Record, TopicHandle};

use super::shared::MemberShared;
use super::work::Labour;
use crate::measure::clock;
use crate::protocol::PartitionResult;
use crate::scenario::{Commit, Read};

/// Most records taken at once.
const BATCH_RECORDS: usize = 1_000;
/// How long an idle reader waits before it looks whether it should stop.
const IDLE_WAIT_MS: i32 = 200;
/// How often a working reader notes its progress within a batch.
const NOTE_INTERVAL_NS: u64 = 10_000_000;

/// What a reader needs to run.
pub(super) struct Reader<C: ConsumerContext> {
    pub(super) consumer: Arc<BaseConsumer<C>>,
    pub(super) queue: Arc<PrivateQueue<C>>,
    pub(super) shared: Arc<MemberShared>,
    pub(super) labour: Labour,
    pub(super) commit: Commit,
    pub(super) read: Read,
}

/// What a reader recorded.
#[derive(Debug, Default)]
pub(super) struct ReaderResult {
    pub(super) partitions: Vec<PartitionResult>,
    pub(super) work_ns: Option<u64>,
    pub(super) commits: u64,
    /// The first error entry found in the queue.
    pub(super) error: Option<String>,
    /// The first commit that failed: the figures are then not those of a reader that commits.
    pub(super) commit_error: Option<String>,
}

impl<C: ConsumerContext + 'static> Reader<C> {
    /// Reads from the common start `start_ns` until the member is told to stop. Records that came `early`, before the
    /// start, are counted like any others.
    pub(super) fn run(self, start_ns: u64, early: Batch) -> ReaderResult {
        let mut batch = Batch::new(match self.read {
            // A worker refuses streams before it makes a reader.
            Read::Batch | Read::Stream => BATCH_RECORDS,
            Read::Poll => 1,
        });
        let mut pass = Pass::new(&self, start_ns);
        if !early.is_empty() {
            pass.consume(&early);
        }
        // Messages must not outlive the client.
        drop(early);
        while !self.shared.is_stopped() {
            self.queue.take(&mut batch, IDLE_WAIT_MS);
            if !batch.is_empty() {
                pass.consume(&batch);
            }
        }
        pass.into_result()
    }
}

/// The state of one reading.
struct Pass<'a, C: ConsumerContext> {
    reader: &'a Reader<C>,
    start_ns: u64,
    accounts: Vec<PartitionAccount>,
    /// Partitions with records since the last note.
    touched: Vec<usize>,
    is_touched: Vec<bool>,
    /// Partitions with records since the last commit, for the commit modes that need them.
    uncommitted: Vec<usize>,
    records_uncommitted: u64,
    /// First slot of each topic seen, by the client's handle of the topic.
    topics: Vec<(TopicHandle, usize)>,
    latest_topic: (TopicHandle, usize),
    work_ns: u64,
    commits: u64,
    error: Option<String>,
    commit_error: Option<String>,
}

impl<'a, C: ConsumerContext + 'static> Pass<'a, C> {
    fn new(reader: &'a Reader<C>, start_ns: u64) -> Self {
        let slots = reader.shared.slots();
        Pass {
            reader,
            start_ns,
            accounts: slots.iter().map(|slot| PartitionAccount::new(slot.range)).collect(),
            touched: Vec::with_capacity(slots.len()),
            is_touched: vec![false; slots.len()],
            uncommitted: Vec::with_capacity(slots.len()),
            records_uncommitted: 0,
            topics: Vec::new(),
            latest_topic: (TopicHandle::NONE, 0),
            work_ns: 0,
            commits: 0,
            error: None,
            commit_error: None,
        }
    }

    /// Works off one batch.
    fn consume(&mut self, batch: &Batch) {
        let received_ns = clock::now_ns();
        if self.reader.labour.is_none() {
            self.count_all(batch, received_ns);
        } else {
            self.work_all(batch, received_ns);
        }
        self.note(clock::now_ns());
        self.commit_batch();
    }

    /// Counts a batch without work: the clock is read only where a partition ends.
    fn count_all(&mut self, batch: &Batch, received_ns: u64) {
        for record in batch.iter() {
            if let Some(slot) = self.count(record, received_ns) {
                if slot.counted == Counted::Last {
                    self.finish_partition(slot.index, clock::now_ns());
                }
                self.commit_every();
            }
        }
    }

    /// Counts a batch and does each record's work; a record's finish is the next one's start.
    fn work_all(&mut self, batch: &Batch, received_ns: u64) {
        let mut now_ns = received_ns;
        let mut note_ns = received_ns + NOTE_INTERVAL_NS;
        for record in batch.iter() {
            if self.reader.shared.is_stopped() {
                return;
            }
            let Some(slot) = self.count(record, received_ns) else {
                continue;
            };
            self.reader.labour.perform();
            let finished_ns = clock::now_ns();
            self.work_ns += finished_ns - now_ns;
            now_ns = finished_ns;
            if slot.counted == Counted::Last {
                self.finish_partition(slot.index, now_ns);
            } else if now_ns >= note_ns {
                self.note(now_ns);
                note_ns = now_ns + NOTE_INTERVAL_NS;
            }
            if self.commit_every() {
                // A commit is not work.
                now_ns = clock::now_ns();
            }
        }
    }

    /// Counts one record; `None` for what is not a record of this trial.
    #[inline]
    fn count(&mut self, record: Record<'_>, received_ns: u64) -> Option<CountedSlot> {
        if let Some(error) = record.error() {
            eprintln!("the client gave an error: {error}");
            self.error.get_or_insert(error);
            return None;
        }
        let first = self.first_slot(record)?;
        let index = first + usize::try_from(record.partition()).ok()?;
        let epoch = self.reader.shared.slots().get(index)?.epoch();
        let counted = self.accounts[index].count(record.offset(), record.bytes(), epoch, received_ns);
        if counted == Counted::Outside {
            return None;
        }
        if !self.is_touched[index] {
            self.is_touched[index] = true;
            self.touched.push(index);
        }
        Some(CountedSlot { index, counted })
    }

    /// The slot of partition 0 of the record's topic.
    #[inline]
    fn first_slot(&mut self, record: Record<'_>) -> Option<usize> {
        let handle = record.topic_handle();
        if handle == self.latest_topic.0 {
            return Some(self.latest_topic.1);
        }
        self.look_up_topic(record)
    }

    #[cold]
    fn look_up_topic(&mut self, record: Record<'_>) -> Option<usize> {
        let handle = record.topic_handle();
        let known = self.topics.iter().copied().find(|(topic, _)| *topic == handle);
        let entry = match known {
            Some(entry) => entry,
            None => {
                let entry = (handle, self.reader.shared.first_slot_of(&record.topic_name())?);
                self.topics.push(entry);
                entry
            }
        };
        self.latest_topic = entry;
        Some(entry.1)
    }

    /// The partition's last record is finished: says so at once and stops fetching what nobody will read.
    fn finish_partition(&mut self, index: usize, now_ns: u64) {
        self.accounts[index].finished(now_ns, now_ns.saturating_sub(self.start_ns));
        let slot = &self.reader.shared.slots()[index];
        slot.set_position(self.accounts[index].position());
        self.reader.shared.partition_ended();
        let mut list = TopicPartitionList::with_capacity(1);
        list.add_partition(self.reader.shared.topic_of(slot), slot.partition.partition);
        // What is fetched beyond the end is not counted, but costs the other partitions. The library answers a pause
        // from its main thread, for which the reader must not wait.
        let consumer = Arc::clone(&self.reader.consumer);
        thread::spawn(move || {
            if let Err(error) = consumer.pause(&list) {
                eprintln!("cannot pause a finished partition: {error}");
            }
        });
    }

    /// Makes what was counted visible: positions for the progress reports, records over time.
    fn note(&mut self, now_ns: u64) {
        let elapsed_ns = now_ns.saturating_sub(self.start_ns);
        let keeps_uncommitted = self.reader.commit != Commit::None;
        for index in self.touched.drain(..) {
            self.is_touched[index] = false;
            let account = &mut self.accounts[index];
            account.finished(now_ns, elapsed_ns);
            self.reader.shared.slots()[index].set_position(account.position());
            if keeps_uncommitted && !self.uncommitted.contains(&index) {
                self.uncommitted.push(index);
            }
        }
    }

    /// Commits or stores the positions after a batch, where the scenario says so.
    fn commit_batch(&mut self) {
        match self.reader.commit {
            Commit::None | Commit::Every(_) => {}
            Commit::Auto => {
                let list = self.positions();
                if let Err(error) = self.reader.consumer.store_offsets(&list) {
                    self.commit_failed("cannot store offsets", &error);
                }
            }
            Commit::PerBatch => self.commit_positions(),
        }
    }

    /// Commits after every N records. True where it did.
    #[inline]
    fn commit_every(&mut self) -> bool {
        let Commit::Every(records) = self.reader.commit else {
            return false;
        };
        self.records_uncommitted += 1;
        if self.records_uncommitted < records {
            return false;
        }
        self.records_uncommitted = 0;
        self.note(clock::now_ns());
        self.commit_positions();
        true
    }

    fn commit_positions(&mut self) {
        let list = self.positions();
        if list.count() == 0 {
            return;
        }
        match self.reader.consumer.commit(&list, CommitMode::Sync) {
            Ok(()) => self.commits += 1,
            Err(error) => self.commit_failed("cannot commit", &error),
        }
    }

    fn commit_failed(&mut self, what: &str, error: &KafkaError) {
        eprintln!("{what}: {error}");
        self.commit_error.get_or_insert_with(|| format!("{what}: {error}"));
    }

    /// The positions of the partitions read since the last call: never past a record whose work is not finished.
    fn positions(&mut self) -> TopicPartitionList {
        let shared = &self.reader.shared;
        let mut list = TopicPartitionList::with_capacity(self.uncommitted.len());
        for index in self.uncommitted.drain(..) {
            let slot = &shared.slots()[index];
            let offset = Offset::Offset(self.accounts[index].position());
            if let Err(error) = list.add_partition_offset(shared.topic_of(slot), slot.partition.partition, offset) {
                eprintln!("cannot note a position: {error}");
            }
        }
        list
    }

    fn into_result(self) -> ReaderResult {
        let slots = self.reader.shared.slots();
        let partitions = self
            .accounts
            .into_iter()
            .zip(slots)
            .filter(|(_, slot)| slot.epoch() > 0);
        ReaderResult {
            partitions: partitions
                .map(|(account, slot)| account.into_result(slot.partition.topic, slot.partition.partition))
                .collect(),
            work_ns: (!self.reader.labour.is_none()).then_some(self.work_ns),
            commits: self.commits,
            error: self.error,
            commit_error: self.commit_error,
        }
    }
}

struct CountedSlot {
    index: usize,
    counted: Counted,
}
