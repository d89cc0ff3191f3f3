//! Clients of the tests' own: administrators, producers, and members of other people's groups.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use tandem::kafka::admin::Admin;
use tokio::runtime::Runtime;

use crate::scene::wait_until;

/// How long a client may take for one thing.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Lets an administrator of a cluster do something, and waits for it.
pub fn administer<T>(bootstrap: &str, task: impl AsyncFnOnce(&Admin) -> T) -> T {
    Runtime::new().unwrap().block_on(async {
        let admin = Admin::connect(bootstrap, &BTreeMap::new()).await.unwrap();
        task(&admin).await
    })
}

pub fn create_topic(bootstrap: &str, name: &str, partitions: u32) {
    administer(bootstrap, async |admin| {
        admin.create_topic(name, partitions, 1, &[]).await.unwrap();
    });
}

pub fn delete_topic(bootstrap: &str, name: &str) {
    administer(bootstrap, async |admin| {
        admin.delete_topics(&[name.to_owned()]).await.unwrap();
    });
}

/// Topics and groups of a cluster whose names start with a prefix.
pub fn names_on(bootstrap: &str, prefix: &str) -> (Vec<String>, Vec<String>) {
    administer(bootstrap, async |admin| {
        (admin.topics(prefix).await.unwrap(), admin.groups(prefix).await.unwrap())
    })
}

/// The properties of a client of a cluster, with these besides.
pub fn client(bootstrap: &str, more: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    for (name, value) in more {
        config.set(*name, *value);
    }
    config
}

/// Sends records, which each belong to a partition, and waits until the brokers have them.
pub fn send<'a>(producer: &BaseProducer, records: impl Iterator<Item = BaseRecord<'a, str, [u8]>>) {
    for mut record in records {
        while let Err((error, again)) = producer.send(record) {
            assert_eq!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::QueueFull));
            producer.poll(Duration::from_millis(10));
            record = again;
        }
    }
    producer.flush(PATIENCE).unwrap();
}

/// A consumer of a group that commits nothing by itself.
pub fn consumer(bootstrap: &str, group: &str, more: &[(&str, &str)]) -> BaseConsumer {
    let own = [("group.id", group), ("enable.auto.commit", "false")];
    client(bootstrap, &[&own[..], more].concat()).create().unwrap()
}

/// A member of a group that holds a partition of a topic until it is dropped.
pub fn member(bootstrap: &str, group: &str, client_id: &str, topic: &str) -> BaseConsumer {
    let consumer = consumer(bootstrap, group, &[("client.id", client_id)]);
    consumer.subscribe(&[topic]).unwrap();
    wait_until("the member has its partition", || {
        let _ = consumer.poll(Duration::from_millis(50));
        consumer.assignment().unwrap().count() > 0
    });
    consumer
}
