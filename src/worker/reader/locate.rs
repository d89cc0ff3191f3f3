//! Which of the trial's partitions a record is of, without hashing: by the address of its topic.

use super::source::{Message, TopicHandle};
use crate::worker::shared::MemberShared;

/// Finds slots for one reading thread.
pub(super) struct Locator<'a> {
    shared: &'a MemberShared,
    /// First slot and number of slots of each topic met so far.
    topics: Vec<(TopicHandle, usize, usize)>,
    latest: (TopicHandle, usize, usize),
}

impl<'a> Locator<'a> {
    pub(super) fn new(shared: &'a MemberShared) -> Self {
        Locator {
            shared,
            topics: Vec::new(),
            latest: (TopicHandle::NONE, 0, 0),
        }
    }

    /// Index of the slot of a record's partition; `None` if it does not belong to the trial.
    #[inline]
    pub(super) fn slot_of(&mut self, record: &impl Message) -> Option<usize> {
        if record.topic_handle() != self.latest.0 {
            self.latest = self.look_up(record)?;
        }
        let (_, first, partitions) = self.latest;
        let partition = usize::try_from(record.partition()).ok()?;
        (partition < partitions).then_some(first + partition)
    }

    #[cold]
    fn look_up(&mut self, record: &impl Message) -> Option<(TopicHandle, usize, usize)> {
        let handle = record.topic_handle();
        if let Some(known) = self.topics.iter().find(|(topic, ..)| *topic == handle) {
            return Some(*known);
        }
        let (first, partitions) = self.shared.slots_of_topic(&record.topic())?;
        self.topics.push((handle, first, partitions));
        Some((handle, first, partitions))
    }
}
