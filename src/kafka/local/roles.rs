//! Asks a broker run here who leads the partitions of a topic, who coordinates a group, and who is the active controller. The
//! client library does not say the last one, and its metadata are those of any broker, however old.

use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::broker::Broker;
use crate::kafka::bytes::{
    body, read_answer, request, take_all, take_bool, take_i16, take_i32, take_text, take_text_or_none, take_variable,
    text,
};

/// The requests with versions that Kafka 2.3 and all later ones speak.
const METADATA: (i16, i16) = (3, 8);
const FIND_COORDINATOR: (i16, i16) = (10, 2);
/// Since Kafka 3.3.
const DESCRIBE_QUORUM: (i16, i16) = (55, 0);

/// The name of these connections.
const CLIENT_ID: &str = "tandem-roles";

/// The topic in which controllers keep the metadata, and its only partition.
const METADATA_TOPIC: &str = "__cluster_metadata";

/// A partition, as a broker knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionRoles {
    /// Its topic.
    pub topic: String,
    /// Its number.
    pub partition: i32,
    /// Broker id of the leader; `None` where it has none.
    pub leader: Option<i32>,
    /// Counts its leaders: of two answers, the one with the higher epoch is newer.
    pub epoch: i32,
    /// Broker ids of the replicas.
    pub replicas: Vec<i32>,
    /// Broker ids of the replicas in sync, sorted.
    pub in_sync: Vec<i32>,
}

/// What a broker knows of its cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterRoles {
    /// Broker id of the controller. Without ZooKeeper, any broker's id.
    pub controller: Option<i32>,
    /// The partitions of the topics that were asked for.
    pub partitions: Vec<PartitionRoles>,
}

/// An open connection to a broker. After an error it must not be used: an answer that comes late would be taken for the next
/// one.
pub struct RolesConnection {
    stream: TcpStream,
    correlation: i32,
}

impl RolesConnection {
    /// Connects to the internal listener. No answer is waited for longer than `limit`.
    pub fn open(broker: &Broker, limit: Duration) -> io::Result<Self> {
        let internal = broker.listeners().first().map(|listener| listener.bind.as_str());
        let address: SocketAddr = internal.unwrap_or_default().parse().map_err(io::Error::other)?;
        let stream = TcpStream::connect_timeout(&address, limit)?;
        stream.set_read_timeout(Some(limit))?;
        stream.set_write_timeout(Some(limit))?;
        stream.set_nodelay(true)?;
        Ok(RolesConnection { stream, correlation: 0 })
    }

    /// What the broker knows of these topics, and who it says is the controller.
    pub fn cluster(&mut self, topics: &[String]) -> io::Result<ClusterRoles> {
        self.ask(METADATA, &metadata_request(topics), read_metadata)
    }

    /// Broker id of the active controller among those that keep the metadata themselves; `None` while there is none.
    pub fn active_controller(&mut self) -> io::Result<Option<i32>> {
        self.ask(DESCRIBE_QUORUM, &quorum_request(), read_quorum)
    }

    /// Broker id of the coordinator of a group; `None` while there is none.
    pub fn coordinator(&mut self, group: &str) -> io::Result<Option<i32>> {
        // 0: a group, and no transaction.
        self.ask(FIND_COORDINATOR, &[&text(group)[..], &[0]].concat(), read_coordinator)
    }

    fn ask<T>(&mut self, kind: (i16, i16), question: &[u8], read: fn(&mut &[u8]) -> Option<T>) -> io::Result<T> {
        self.correlation += 1;
        self.stream
            .write_all(&request(kind, self.correlation, CLIENT_ID, question))?;
        let answer = read_answer(&mut self.stream)?;
        if answer.is_empty() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let is_unreadable = || io::Error::new(ErrorKind::InvalidData, "an answer that cannot be read");
        let read = body(&answer).and_then(|mut rest| read(&mut rest));
        read.ok_or_else(is_unreadable)
    }
}

fn metadata_request(topics: &[String]) -> Vec<u8> {
    let count = i32::try_from(topics.len()).unwrap_or(i32::MAX);
    let names: Vec<u8> = topics.iter().flat_map(|topic| text(topic)).collect();
    // Neither creates a topic nor asks what the user may do.
    [&count.to_be_bytes()[..], &names, &[0, 0, 0]].concat()
}

fn read_metadata(rest: &mut &[u8]) -> Option<ClusterRoles> {
    let _throttled_ms = take_i32(rest)?;
    take_all(rest, |rest| {
        let _id_and_address = (take_i32(rest)?, take_text(rest)?, take_i32(rest)?);
        take_text_or_none(rest)
    })?;
    let _cluster_id = take_text_or_none(rest)?;
    let controller = id(take_i32(rest)?);
    let topics = take_all(rest, |rest| {
        let _error = take_i16(rest)?;
        let topic = take_text(rest)?;
        let _is_internal = take_bool(rest)?;
        let partitions = take_all(rest, |rest| read_partition(rest, &topic))?;
        let _operations = take_i32(rest)?;
        Some(partitions)
    })?;
    let partitions = topics.into_iter().flatten().collect();
    Some(ClusterRoles { controller, partitions })
}

fn read_partition(rest: &mut &[u8], topic: &str) -> Option<PartitionRoles> {
    let _error = take_i16(rest)?;
    let (partition, leader, epoch) = (take_i32(rest)?, id(take_i32(rest)?), take_i32(rest)?);
    let (replicas, mut in_sync) = (take_all(rest, take_i32)?, take_all(rest, take_i32)?);
    let _offline = take_all(rest, take_i32)?;
    in_sync.sort_unstable();
    Some(PartitionRoles {
        topic: topic.to_owned(),
        partition,
        leader,
        epoch,
        replicas,
        in_sync,
    })
}

/// In the newer form: counts are one higher and of variable length, and every part ends with a count of additions.
fn quorum_request() -> Vec<u8> {
    let name_length = u8::try_from(METADATA_TOPIC.len() + 1).unwrap_or(u8::MAX);
    let header_additions = [0];
    let (one_topic, one_partition, partition) = ([2, name_length], [2], 0_i32.to_be_bytes());
    let additions = [0, 0, 0];
    [
        &header_additions[..],
        &one_topic,
        METADATA_TOPIC.as_bytes(),
        &one_partition,
        &partition,
        &additions,
    ]
    .concat()
}

fn read_quorum(rest: &mut &[u8]) -> Option<Option<i32>> {
    let _header_additions = take_variable(rest)?;
    if take_i16(rest)? != 0 || take_variable(rest)? < 2 {
        return Some(None);
    }
    let name_bytes = usize::try_from(take_variable(rest)?).ok()?.checked_sub(1)?;
    *rest = rest.split_at_checked(name_bytes)?.1;
    if take_variable(rest)? < 2 {
        return Some(None);
    }
    let (_partition, error, leader) = (take_i32(rest)?, take_i16(rest)?, take_i32(rest)?);
    Some(id(leader).filter(|_| error == 0))
}

fn read_coordinator(rest: &mut &[u8]) -> Option<Option<i32>> {
    let (_throttled_ms, error) = (take_i32(rest)?, take_i16(rest)?);
    let _message = take_text_or_none(rest)?;
    let broker = take_i32(rest)?;
    Some(id(broker).filter(|_| error == 0))
}

/// Kafka says -1 for nobody.
fn id(number: i32) -> Option<i32> {
    (number >= 0).then_some(number)
}
