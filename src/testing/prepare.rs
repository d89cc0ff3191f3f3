//! The orders of workers, as the coordinator makes it of a configuration without keys.

use std::collections::BTreeMap;

use super::configuration::configuration;
use super::script::spec_over;
use crate::load::Schedule;
use crate::protocol::{LoadTopic, Prepare, PrepareProducer, TopicTarget};
use crate::scenario::{Keys, Size};

/// The only worker of a trial over these topics: one consumer in a group, which only counts.
pub(crate) fn prepare(topics: Vec<TopicTarget>) -> Prepare {
    let reader = spec_over(&configuration(), Vec::new()).cast.readers.remove(0);
    Prepare {
        topics,
        ..reader.role.prepare
    }
}

/// The only producer of a load: values of 100 bytes without keys to topics of these names and partitions.
pub(crate) fn prepare_producer(topics: &[(&str, u32)], schedule: Schedule) -> PrepareProducer {
    let topic = |(name, partitions): &(&str, u32)| LoadTopic {
        name: (*name).to_owned(),
        partitions: *partitions,
    };
    PrepareProducer {
        client_id: "producer".to_owned(),
        topics: topics.iter().map(topic).collect(),
        properties: BTreeMap::new(),
        schedule,
        warmup_ns: 0,
        producer: 0,
        producers: 1,
        size: Size::Fixed(100),
        keys: Keys::None,
        seed: 1,
        stamp_offset_ns: 0,
    }
}
