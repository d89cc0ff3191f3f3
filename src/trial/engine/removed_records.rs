//! Existing topics: where nothing more comes of a partition, the cluster may have removed the rest of it.

use std::collections::BTreeMap;

use super::{Action, Phase, TrialMachine};
use crate::measure::{DeliveredTopics, TopicPartition};
use crate::protocol::{OffsetRange, TopicTarget, partitions_of};

impl TrialMachine {
    /// True while records of existing topics are being read.
    pub fn awaits_records(&self) -> bool {
        self.terms.reference.is_some() && self.phase == Phase::Reading
    }

    /// Notes what the cluster delivers still of what is missing in the end.
    pub fn note_still(&mut self, still: DeliveredTopics) {
        self.still = Some(still);
    }

    /// What some group has not read yet of the trial's partitions.
    pub fn unread_targets(&self) -> Vec<TopicTarget> {
        let mut targets = self.terms.topics.clone();
        let unread = self.unread();
        for (topic, target) in (0u32..).zip(&mut targets) {
            for (partition, range) in (0i32..).zip(&mut target.partitions) {
                let partition = TopicPartition { topic, partition };
                let groups = unread.iter().filter(|(_, unread)| *unread == partition);
                let positions = groups.map(|(group, _)| self.positions[*group].get(&partition).copied());
                let from = positions.map(|position| position.unwrap_or(range.low)).min();
                range.low = from.unwrap_or(range.end).max(range.low);
            }
        }
        targets
    }

    /// A partition of which the cluster no longer delivers anything that is still to be read is at its end. `asked` is what
    /// it was asked for, and `still` holds the first record of each: where there is one, no group is at the end, wherever it
    /// has come to meanwhile.
    pub(super) fn on_still(
        &mut self,
        now_ns: u64,
        asked: &[TopicTarget],
        still: Result<DeliveredTopics, String>,
    ) -> Vec<Action> {
        // A cluster that does not answer is asked again.
        let (Ok(still), true) = (still, self.awaits_records()) else {
            return Vec::new();
        };
        let asked_ranges: BTreeMap<TopicPartition, OffsetRange> = partitions_of(asked).collect();
        for (partition, OffsetRange { low, end }) in partitions_of(&self.terms.topics) {
            let Some(still) = still.of(partition.topic, partition.partition) else {
                continue;
            };
            let Some(range) = asked_ranges.get(&partition) else {
                continue;
            };
            if range.is_empty() || !still.is_gap(range.low, end) {
                continue;
            }
            for positions in &mut self.positions {
                let position = positions.entry(partition).or_insert(low);
                *position = (*position).max(end);
            }
        }
        self.end_when_read(now_ns)
    }
}
