//! A cluster in a few words.

use crate::coordinator::standing_cluster::StandingCluster;
use crate::report::duration;

pub(super) fn brokers(cluster: &StandingCluster) -> String {
    match cluster.brokers.len() {
        1 => "1 broker".to_owned(),
        number => format!("{number} brokers"),
    }
}

/// `Apache Kafka 4.3.1, 3 brokers`, or `Apache Kafka 2.8.1 on ZooKeeper 3.5.9, 1 broker`.
pub(super) fn what(cluster: &StandingCluster) -> String {
    let zookeeper = cluster.zookeeper.as_ref();
    let zookeeper = zookeeper.map_or(String::new(), |zookeeper| {
        format!(" on ZooKeeper {}", zookeeper.version)
    });
    format!("Apache Kafka {}{zookeeper}, {}", cluster.version, brokers(cluster))
}

pub(super) fn heading(cluster: &StandingCluster) -> String {
    let seconds = jiff::Timestamp::now().duration_since(cluster.started_at).as_secs_f64();
    format!("{}, up for {}", what(cluster), duration(seconds))
}
