//! What a live or mixed trial needs beforehand: its own topics, in a mixed trial with a backlog in them, and the orders
//! of its producers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use super::dataset::{self, DatasetError, Filling};
use crate::kafka::admin::Admin;
use crate::kafka::client::ClientProperties;
use crate::load::ScheduleError;
use crate::measure::OrderedLoad;
use crate::names;
use crate::protocol::{LoadTopic, OffsetRange, PrepareProducer, Secret, TopicTarget};
use crate::scenario::{ClusterSpec, Configuration, DatasetSpec, Load, Mode};
use crate::trial::LoadSpec;

/// How long members of a live trial fetch before the producers start: they sit at the end by then.
const LEAD: Duration = Duration::from_millis(500);

/// Why a live trial could not be prepared.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArrivalsError {
    /// Its topics could not be made.
    #[error(transparent)]
    Topics(#[from] DatasetError),
    /// A broker ended meanwhile.
    #[error("{0}")]
    Lost(String),
    /// A client property has no value.
    #[error(transparent)]
    Property(#[from] crate::kafka::client::PropertyError),
    /// Its rate cannot be planned.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
}

/// All that decides on the arrivals of one trial.
pub(super) struct Arrivals<'a> {
    pub(super) configuration: &'a Configuration,
    pub(super) load: &'a Load,
    pub(super) ordered: OrderedLoad,
    pub(super) topics: &'a DatasetSpec,
    pub(super) cluster: &'a ClusterSpec,
    /// Address of the brokers as each of the producers sees them.
    pub(super) bootstraps: &'a [String],
    /// Start of the names of topics and clients, unique within the cluster.
    pub(super) trial: &'a str,
    /// Of arrivals and contents.
    pub(super) seed: u64,
}

/// What is to be read and sent in such a trial.
pub(super) struct Arriving {
    pub(super) topics: Vec<TopicTarget>,
    pub(super) load: LoadSpec,
    pub(super) producers: Vec<PrepareProducer>,
}

impl Arrivals<'_> {
    /// Names of the trial's topics.
    pub(super) fn names(&self) -> Vec<String> {
        self.topics
            .topic_names(|topic| names::arrivals_topic(self.trial, topic))
    }

    /// Makes the topics, with a backlog where the trial is mixed, and says what is to be read and sent.
    pub(super) async fn prepare(
        &self,
        admin: &Admin,
        properties: &std::collections::BTreeMap<String, Secret>,
        interrupted: Arc<AtomicBool>,
    ) -> Result<Arriving, ArrivalsError> {
        let empty = DatasetSpec {
            records: 0,
            ..self.topics.clone()
        };
        let spec = match self.configuration.mode {
            Mode::Mixed(_) => self.topics,
            Mode::Live(_) | Mode::Backlog => &empty,
        };
        let produced = Arc::new(AtomicU64::new(0));
        let bootstrap = admin.bootstrap();
        let filling = Filling::new(
            bootstrap,
            properties,
            spec,
            &self.names(),
            self.seed,
            produced,
            interrupted,
        );
        let backlog = dataset::fill(admin, filling).await?.topics;
        let ends = |topic: &TopicTarget| topic.partitions.iter().map(|range| range.end).collect();
        let backlog_ends: Vec<Vec<i64>> = backlog.iter().map(ends).collect();
        let open = |topic: TopicTarget| TopicTarget {
            partitions: vec![OffsetRange { low: 0, end: i64::MAX }; topic.partitions.len()],
            name: topic.name,
        };
        let topics = backlog.into_iter().map(open).collect();
        let (load, producers) = self.load(backlog_ends)?;
        Ok(Arriving {
            topics,
            load,
            producers,
        })
    }

    fn load(&self, backlog_ends: Vec<Vec<i64>>) -> Result<(LoadSpec, Vec<PrepareProducer>), ArrivalsError> {
        let OrderedLoad { rate, duration_ns } = self.ordered;
        let schedule = self.load.schedule(rate, duration_ns, self.seed)?;
        let properties = |bootstrap: &String| {
            ClientProperties::of_producers(self.cluster, self.load, self.topics.compression, bootstrap).resolve()
        };
        let properties: Vec<_> = self.bootstraps.iter().map(properties).collect::<Result<_, _>>()?;
        let topics: Vec<LoadTopic> = (self.names().into_iter())
            .map(|name| LoadTopic {
                name,
                partitions: self.topics.partitions,
            })
            .collect();
        let producers = (0..self.load.producers)
            .zip(properties)
            .map(|(producer, properties)| PrepareProducer {
                client_id: format!("{}-producer-{}", self.trial, producer + 1),
                topics: topics.clone(),
                properties,
                schedule: schedule.clone(),
                warmup_ns: self.load.warmup_ns,
                producer,
                producers: self.load.producers,
                size: self.topics.size,
                keys: self.topics.keys,
                seed: self.seed,
                stamp_offset_ns: 0,
            });
        let producers = producers.collect();
        let load = LoadSpec {
            lead: if backlog_ends.iter().flatten().any(|end| *end > 0) {
                Duration::ZERO
            } else {
                LEAD
            },
            warmup: Duration::from_nanos(self.load.warmup_ns),
            backlog_ends,
            schedule,
            beside: self.configuration.producers_beside(),
        };
        Ok((load, producers))
    }
}
