//! Which of the brokers that the run started has a role: who leads a partition, who coordinates a group, who is the active
//! controller. Asked once to find one, or again and again to record every change. Knows nothing of trials.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use crate::kafka::local::{Broker, ClusterRoles, Holder, RolesConnection};
use crate::measure::{BrokerRoles, GroupEpoch, LeaderSince, TopicPartition, clock};

/// How often each broker is asked, and how long its answer is waited for.
const ASK_INTERVAL: Duration = Duration::from_millis(50);
const ANSWER_LIMIT: Duration = Duration::from_millis(500);

/// For so long a role may have nobody, or nobody who says it, before it counts as not found.
const FIND_LIMIT: Duration = Duration::from_secs(10);

/// A role, by the names that the cluster knows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Wanted {
    LeaderOf { topic: String, partition: i32 },
    Controller,
    CoordinatorOf(String),
}

/// The brokers that the run started.
#[derive(Clone)]
pub struct OwnBrokers {
    /// By id.
    pub brokers: Vec<Arc<Broker>>,
    /// True where ZooKeeper keeps the metadata: then every broker knows the controller.
    pub has_zookeeper: bool,
}

impl OwnBrokers {
    /// Those whose process runs.
    fn running(&self) -> impl Iterator<Item = &Arc<Broker>> {
        self.brokers.iter().filter(|broker| broker.pid().is_some())
    }

    /// The broker that has a role now; the error is why none was found in ten seconds.
    pub async fn find(self, wanted: Wanted) -> Result<u32, String> {
        let found = tokio::task::spawn_blocking(move || self.find_blocking(&wanted)).await;
        found.map_err(|error| error.to_string())?
    }

    fn find_blocking(&self, wanted: &Wanted) -> Result<u32, String> {
        let deadline = Instant::now() + FIND_LIMIT;
        loop {
            let (mut found, mut silence) = (None, "no broker runs".to_owned());
            for broker in self.running() {
                match self.ask(broker, wanted) {
                    // The newest of the answers; of equally new ones, the one that names somebody.
                    Ok(answer) => found = found.max(Some(answer)),
                    Err(error) => silence = format!("broker {} does not say it: {error}", broker.id()),
                }
            }
            if let Some(broker) = found.and_then(|holder| holder.broker) {
                return u32::try_from(broker).map_err(|error| error.to_string());
            }
            if Instant::now() > deadline {
                return Err(format!("nobody was that for {} s ({silence})", FIND_LIMIT.as_secs()));
            }
            sleep(ASK_INTERVAL);
        }
    }

    /// Who has a role, as a broker says.
    fn ask(&self, broker: &Broker, wanted: &Wanted) -> io::Result<Holder> {
        let mut connection = RolesConnection::open(broker, ANSWER_LIMIT)?;
        Ok(match wanted {
            Wanted::LeaderOf { topic, partition } => {
                let known = connection.cluster(std::slice::from_ref(topic))?;
                let of_partition = known.partitions.iter().find(|known| known.partition == *partition);
                of_partition.map_or_else(Holder::default, |known| Holder {
                    epoch: known.epoch,
                    broker: known.leader,
                })
            }
            Wanted::Controller => self.controller(&mut connection)?,
            Wanted::CoordinatorOf(group) => {
                let coordinators = connection.coordinators(std::slice::from_ref(group))?;
                coordinators.first().copied().unwrap_or_default()
            }
        })
    }

    /// The active controller. ZooKeeper's has no epoch that brokers would say.
    fn controller(&self, connection: &mut RolesConnection) -> io::Result<Holder> {
        if !self.has_zookeeper {
            return connection.active_controller();
        }
        let broker = connection.cluster(&[])?.controller;
        Ok(Holder { epoch: 0, broker })
    }
}

/// A watch over what brokers report, which is noted as a `T`.
pub struct BrokersWatch<T> {
    noted: Arc<Mutex<T>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// A watch over the roles of brokers.
pub type RolesWatch = BrokersWatch<BrokerRoles>;

/// A watch over the epochs of groups of the consumer protocol.
pub type EpochsWatch = BrokersWatch<Vec<GroupEpoch>>;

impl RolesWatch {
    /// Begins to ask the brokers for the leaders of these topics, the coordinators of these groups and the active
    /// controller.
    pub fn start(own: &OwnBrokers, topics: &[String], groups: &[String]) -> Self {
        let mut watch = RolesWatch::new();
        // One that stands still answers late: each has a thread of its own.
        for broker in &own.brokers {
            let names = topics.to_vec();
            watch.ask(vec![Arc::clone(broker)], move |connection, noted| {
                let known = connection.cluster(&names)?;
                note_leaders(noted, &names, &known);
                Ok(())
            });
        }
        let (asked, newest) = (own.clone(), AtomicI32::default());
        watch.ask(own.brokers.clone(), move |connection, noted| {
            let controller = asked.controller(connection)?;
            if is_newest(&newest, controller) {
                noted(&|roles, at_ns| roles.note_controller(at_ns, controller.broker));
            }
            Ok(())
        });
        let groups = groups.to_vec();
        let newest: Vec<AtomicI32> = groups.iter().map(|_| AtomicI32::default()).collect();
        watch.ask(own.brokers.clone(), move |connection, noted| {
            let coordinators = connection.coordinators(&groups)?;
            for ((number, coordinator), newest) in (0..).zip(coordinators).zip(&newest) {
                if is_newest(newest, coordinator) {
                    noted(&|roles, at_ns| roles.note_coordinator(at_ns, number, coordinator.broker));
                }
            }
            Ok(())
        });
        watch
    }
}

impl EpochsWatch {
    /// Begins to ask the brokers for the epochs of these groups. Only the coordinator of a group answers.
    pub fn start(own: &OwnBrokers, groups: &[String]) -> Self {
        let mut watch = EpochsWatch::new();
        for broker in &own.brokers {
            let groups = groups.to_vec();
            watch.ask(vec![Arc::clone(broker)], move |connection, noted| {
                for (number, group) in (0..).zip(&groups) {
                    if let Some(epochs) = connection.group_epochs(group)? {
                        noted(&|all, at_ns| note_epochs(all, at_ns, number, epochs));
                    }
                }
                Ok(())
            });
        }
        watch
    }
}

/// Notes the epochs of a group if they are newer than those noted.
fn note_epochs(all: &mut Vec<GroupEpoch>, at_ns: u64, group: u32, (epoch, assignment_epoch): (i32, i32)) {
    let last = all.iter().rfind(|noted| noted.group == group);
    let is_new = last.is_none_or(|last| (epoch, assignment_epoch) > (last.epoch, last.assignment_epoch));
    all.extend(is_new.then_some(GroupEpoch {
        at_ns,
        group,
        epoch,
        assignment_epoch,
    }));
}

impl<T: Default + Send + 'static> BrokersWatch<T> {
    fn new() -> Self {
        BrokersWatch {
            noted: Arc::default(),
            stop: Arc::default(),
            threads: Vec::new(),
        }
    }

    /// Asks one of these brokers again and again, another one where it does not answer.
    fn ask(
        &mut self,
        brokers: Vec<Arc<Broker>>,
        question: impl Fn(&mut RolesConnection, &dyn Fn(Note<'_, T>)) -> io::Result<()> + Send + 'static,
    ) {
        let (noted, stop) = (Arc::clone(&self.noted), Arc::clone(&self.stop));
        self.threads.push(spawn(move || {
            let note = |change: Note<'_, T>| {
                let mut so_far = noted.lock().unwrap_or_else(PoisonError::into_inner);
                change(&mut so_far, clock::now_ns());
            };
            let mut connections = brokers
                .iter()
                .cycle()
                .map(|broker| RolesConnection::open(broker, ANSWER_LIMIT));
            let mut open = None;
            while !stop.load(Ordering::Relaxed) {
                if open.is_none() {
                    open = connections.next().and_then(Result::ok);
                }
                if let Some(connection) = &mut open
                    && question(connection, &note).is_err()
                {
                    open = None;
                }
                sleep(ASK_INTERVAL);
            }
        }));
    }

    /// Ends, with what was reported.
    pub fn end(mut self) -> T {
        self.stop.store(true, Ordering::Relaxed);
        for thread in std::mem::take(&mut self.threads) {
            // It reads answers; were it to panic, what it noted before would stay.
            let _ = thread.join();
        }
        std::mem::take(&mut self.noted.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Drop for BrokersWatch<T> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// True unless a newer answer came before: a broker that has not heard of a change says what was.
fn is_newest(newest: &AtomicI32, answer: Holder) -> bool {
    newest.fetch_max(answer.epoch, Ordering::Relaxed) <= answer.epoch
}

/// Changes what was noted, at this time.
type Note<'a, T> = &'a dyn Fn(&mut T, u64);

fn note_leaders(noted: &dyn Fn(Note<'_, BrokerRoles>), topics: &[String], known: &ClusterRoles) {
    noted(&|roles, at_ns| {
        for partition in &known.partitions {
            let topic = topics.iter().position(|topic| *topic == partition.topic);
            let Some(topic) = topic.and_then(|topic| u32::try_from(topic).ok()) else {
                continue;
            };
            roles.note_leader(LeaderSince {
                at_ns,
                partition: TopicPartition {
                    topic,
                    partition: partition.partition,
                },
                leader: partition.leader,
                epoch: partition.epoch,
                replicas: u32::try_from(partition.replicas.len()).unwrap_or(u32::MAX),
                in_sync: partition.in_sync.clone(),
            });
        }
    });
}
