//! A real Apache Kafka run here: a distribution is found or fetched, brokers are started, and nothing of them stays.
//! Everything blocks: async callers run it on a thread that may. Knows nothing of scenarios, topics or trials.

mod broker;
mod classes;
mod cluster;
mod distribution;
mod error;
mod jars;
mod java;
mod layout;
mod maven;
mod options;
mod programs;
mod properties;
mod roles;
mod zookeeper;

pub use broker::Broker;
pub use classes::ClassArchive;
pub use cluster::LocalCluster;
pub use distribution::{Distribution, Sources};
pub use error::LocalError;
pub use java::Java;
pub use options::{ClusterOptions, READY_LIMIT};
pub use properties::{BrokerSettings, DEFAULT_HEAP_MIB, HOSTS, Listener, ListenerSpec, Security};
pub use roles::{ClusterRoles, Holder, PartitionRoles, RolesConnection};
pub use zookeeper::{ZOOKEEPER_HEAP_MIB, ZooKeeper};
