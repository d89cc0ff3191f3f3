//! Asks a broker run here who leads the partitions of a topic, who coordinates a group, and who is the active controller. The
//! client library does not say the last one, and its metadata are those of any broker, however old.

use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::broker::Broker;
use crate::kafka::bytes::{
    body, read_answer, request, take_all, take_bool, take_compact_text, take_i16, take_i32, take_text,
    take_text_or_none, take_variable, text,
};

/// The requests with versions that Kafka 2.3 and all later ones speak.
const METADATA: (i16, i16) = (3, 8);
/// Since Kafka 3.3.
const DESCRIBE_QUORUM: (i16, i16) = (55, 0);
/// Where groups have the consumer protocol. The client library asks this too, and hands the epochs out to nobody.
const CONSUMER_GROUP_DESCRIBE: (i16, i16) = (69, 0);

/// The name of these connections.
const CLIENT_ID: &str = "tandem-roles";

/// The topic in which controllers keep the metadata, and its only partition.
const METADATA_TOPIC: &str = "__cluster_metadata";

/// The topic in which groups keep their commits.
const OFFSETS_TOPIC: &str = "__consumer_offsets";

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

/// Who has a role, as one broker knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Holder {
    /// Counts those who had the role: of two answers, the one with the higher epoch is newer.
    pub epoch: i32,
    /// Broker id; `None` while nobody has it.
    pub broker: Option<i32>,
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

    /// The active controller among those that keep the metadata themselves.
    pub fn active_controller(&mut self) -> io::Result<Holder> {
        self.ask(DESCRIBE_QUORUM, &quorum_request(), read_quorum)
    }

    /// The coordinator of each of these groups: the leader of the partition in which its commits are.
    pub fn coordinators(&mut self, groups: &[String]) -> io::Result<Vec<Holder>> {
        let known = self.cluster(&[OFFSETS_TOPIC.to_owned()])?;
        Ok(groups.iter().map(|group| coordinator(&known, group)).collect())
    }

    /// The epochs of a group of the consumer protocol, if this broker coordinates it: that of the group, which rises when it
    /// must divide its partitions anew, and that for which it has done so.
    pub fn group_epochs(&mut self, group: &str) -> io::Result<Option<(i32, i32)>> {
        let (error, epochs) = self.ask(CONSUMER_GROUP_DESCRIBE, &group_request(group), read_group)?;
        Ok((error == 0).then_some(epochs))
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
    let header_additions = [0];
    let (one_topic, one_partition, partition) = ([2], [2], 0_i32.to_be_bytes());
    let additions = [0, 0, 0];
    [
        &header_additions[..],
        &one_topic,
        &compact_text(METADATA_TOPIC),
        &one_partition,
        &partition,
        &additions,
    ]
    .concat()
}

fn read_quorum(rest: &mut &[u8]) -> Option<Holder> {
    let nobody = Holder::default();
    let _header_additions = take_variable(rest)?;
    if take_i16(rest)? != 0 || take_variable(rest)? < 2 {
        return Some(nobody);
    }
    let _topic = take_compact_text(rest)?;
    if take_variable(rest)? < 2 {
        return Some(nobody);
    }
    let (_partition, error) = (take_i32(rest)?, take_i16(rest)?);
    let (leader, epoch) = (take_i32(rest)?, take_i32(rest)?);
    let broker = id(leader);
    Some(if error == 0 { Holder { epoch, broker } } else { nobody })
}

/// A text with one more than its length before it. No name of Kafka's is longer than 249 characters.
fn compact_text(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len() + 1).unwrap_or(u8::MAX);
    // Seven bits in each byte, the lowest first.
    let length = if length < 128 { vec![length] } else { vec![length, 1] };
    [&length, text.as_bytes()].concat()
}

/// In the newer form, too.
fn group_request(group: &str) -> Vec<u8> {
    let (header_additions, one_group) = ([0], [2]);
    // Does not ask what the user may do.
    let (operations, additions) = ([0], [0]);
    [
        &header_additions[..],
        &one_group,
        &compact_text(group),
        &operations,
        &additions,
    ]
    .concat()
}

/// The error and the epochs of the one group that was asked for.
fn read_group(rest: &mut &[u8]) -> Option<(i16, (i32, i32))> {
    let _header_additions = take_variable(rest)?;
    let _throttled_ms = take_i32(rest)?;
    let _groups = take_variable(rest)?;
    let error = take_i16(rest)?;
    let _message_group_and_state = (
        take_compact_text(rest)?,
        take_compact_text(rest)?,
        take_compact_text(rest)?,
    );
    Some((error, (take_i32(rest)?, take_i32(rest)?)))
}

/// Who coordinates a group, by what is known of the topic of commits. Before the first commit there is no such topic.
fn coordinator(known: &ClusterRoles, group: &str) -> Holder {
    let number = partition_of(group, known.partitions.len());
    let partition = known.partitions.iter().find(|known| Some(known.partition) == number);
    partition.map_or_else(Holder::default, |known| Holder {
        epoch: known.epoch,
        broker: known.leader,
    })
}

/// The partition of a group among so many: Kafka takes the hash that Java gives the text.
fn partition_of(group: &str, partitions: usize) -> Option<i32> {
    let units = group.encode_utf16();
    let hash = units.fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    let count = i32::try_from(partitions).ok()?;
    // That of the lowest number is 0 to Kafka.
    hash.checked_abs().unwrap_or(0).checked_rem(count)
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
        let read = |answer: Vec<u8>| read_quorum(&mut &answer[..]).unwrap();
        assert_eq!(
            read(leader(0, 3)),
            Holder {
                epoch: 5,
                broker: Some(3)
            }
        );
        assert_eq!(read(leader(6, 3)).broker, None);
        assert_eq!(read(leader(0, -1)), Holder { epoch: 5, broker: None });
        assert_eq!(read(vec![0, 0, 41, 1]).broker, None);
        assert_eq!(read_quorum(&mut &leader(0, 3)[..20]), None);
    }

    #[test]
    fn a_group_of_the_consumer_protocol_has_epochs_where_it_is_coordinated() {
        let name = "tandem-".repeat(25);
        assert_eq!(group_request("g"), [0, 2, 2, b'g', 0, 0]);
        assert_eq!(group_request(&name)[..4], [0, 2, 0xb0, 1]);
        let answer = |error: i16| {
            let texts = [0, 2, b'g', 7, b'S', b't', b'a', b'b', b'l', b'e'];
            let group = [&error.to_be_bytes()[..], &texts, &numbers(&[12, 11]), &[1]].concat();
            [&[0, 0, 0, 0, 0, 2][..], &group].concat()
        };
        let read = |answer: &[u8]| read_group(&mut &*answer);
        assert_eq!(read(&answer(0)), Some((0, (12, 11))));
        // Another broker coordinates it.
        assert_eq!(read(&answer(16)).map(|(error, _)| error), Some(16));
        assert_eq!(read(&answer(0)[..18]), None);
    }

    #[test]
    fn the_leader_of_the_partition_with_a_groups_commits_is_its_coordinator() {
        // As Java has it: "a-group".hashCode() is 1575452179, that of "orders" -1008770331.
        assert_eq!(
            (partition_of("a-group", 50), partition_of("orders", 50)),
            (Some(29), Some(31))
        );
        assert_eq!((partition_of("", 50), partition_of("a", 0)), (Some(0), None));
        let known = |leader| ClusterRoles {
            controller: None,
            partitions: vec![PartitionRoles {
                topic: OFFSETS_TOPIC.to_owned(),
                partition: 0,
                leader,
                epoch: 7,
                replicas: vec![1, 2],
                in_sync: vec![2],
            }],
        };
        let (epoch, broker) = (7, Some(2));
        assert_eq!(coordinator(&known(broker), "orders"), Holder { epoch, broker });
        assert_eq!(coordinator(&known(None), "orders").broker, None);
    }
}
