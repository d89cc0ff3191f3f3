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

/// What Kafka says for no broker.
const NOBODY: i32 = -1;

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
        self.ask(DESCRIBE_QUORUM, &quorum_request(), read_quorum).map(id)
    }

    /// Broker id of the coordinator of a group; `None` while there is none.
    pub fn coordinator(&mut self, group: &str) -> io::Result<Option<i32>> {
        // 0: a group, and no transaction.
        let question = [&text(group)[..], &[0]].concat();
        self.ask(FIND_COORDINATOR, &question, read_coordinator).map(id)
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

/// The id of the active controller, or [`NOBODY`].
fn read_quorum(rest: &mut &[u8]) -> Option<i32> {
    let _header_additions = take_variable(rest)?;
    if take_i16(rest)? != 0 || take_variable(rest)? < 2 {
        return Some(NOBODY);
    }
    let name_bytes = usize::try_from(take_variable(rest)?).ok()?.checked_sub(1)?;
    *rest = rest.split_at_checked(name_bytes)?.1;
    if take_variable(rest)? < 2 {
        return Some(NOBODY);
    }
    let (_partition, error, leader) = (take_i32(rest)?, take_i16(rest)?, take_i32(rest)?);
    Some(if error == 0 { leader } else { NOBODY })
}

/// The id of a coordinator, or [`NOBODY`].
fn read_coordinator(rest: &mut &[u8]) -> Option<i32> {
    let (_throttled_ms, error) = (take_i32(rest)?, take_i16(rest)?);
    let _message = take_text_or_none(rest)?;
    let broker = take_i32(rest)?;
    Some(if error == 0 { broker } else { NOBODY })
}

/// A broker's id, if it is one.
fn id(number: i32) -> Option<i32> {
    (number >= 0).then_some(number)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn numbers(all: &[i32]) -> Vec<u8> {
        all.iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    #[test]
    fn the_metadata_of_a_topic_say_leader_epoch_and_replicas_in_sync() {
        let partition = [
            &[0, 0][..],
            &numbers(&[3, 2, 7]),
            &numbers(&[2, 1, 2]),
            &numbers(&[2, 2, 1]),
            &numbers(&[0]),
        ];
        let topic = [
            &[0, 0][..],
            &text("t"),
            &[0],
            &numbers(&[1]),
            &partition.concat(),
            &numbers(&[0]),
        ];
        let broker = [&numbers(&[1])[..], &text("h"), &numbers(&[9092]), &[0xff, 0xff]];
        let answer = [
            &numbers(&[0, 1])[..],
            &broker.concat(),
            &text("cluster"),
            &numbers(&[-1, 1]),
            &topic.concat(),
            &numbers(&[0]),
        ];
        let answer = answer.concat();
        let known = read_metadata(&mut &answer[..]).unwrap();
        assert_eq!(known.controller, None);
        let partition = &known.partitions[0];
        assert_eq!((partition.topic.as_str(), partition.partition), ("t", 3));
        assert_eq!((partition.leader, partition.epoch), (Some(2), 7));
        assert_eq!(
            (&partition.replicas[..], &partition.in_sync[..]),
            (&[1, 2][..], &[1, 2][..])
        );
        for end in 0..answer.len() - 4 {
            assert_eq!(read_metadata(&mut &answer[..end]), None, "cut off after {end}");
        }
        let endless = [&numbers(&[0, i32::MAX])[..], &[0; 20]].concat();
        assert_eq!(read_metadata(&mut &endless[..]), None);
    }

    #[test]
    fn the_leader_of_the_quorum_is_the_active_controller_and_errors_mean_nobody() {
        let name = [&[0, 0, 0, 2, 19][..], METADATA_TOPIC.as_bytes(), &[2]].concat();
        let leader = |error: i16, leader: i32| {
            [&name[..], &numbers(&[0]), &error.to_be_bytes(), &numbers(&[leader, 5])].concat()
        };
        let read = |answer: Vec<u8>| read_quorum(&mut &answer[..]).and_then(id);
        assert_eq!(
            (read(leader(0, 3)), read(leader(6, 3)), read(leader(0, -1))),
            (Some(3), None, None)
        );
        assert_eq!(read(vec![0, 0, 41, 1]), None);
        assert_eq!(read_quorum(&mut &leader(0, 3)[..20]), None);
    }

    #[test]
    fn a_coordinator_that_is_not_available_is_nobody() {
        let answer = |error: i16, broker: i32| {
            [
                &numbers(&[0])[..],
                &error.to_be_bytes(),
                &[0xff, 0xff],
                &numbers(&[broker]),
            ]
            .concat()
        };
        let read = |answer: Vec<u8>| read_coordinator(&mut &answer[..]).and_then(id);
        assert_eq!((read(answer(0, 2)), read(answer(15, -1))), (Some(2), None));
    }
}
