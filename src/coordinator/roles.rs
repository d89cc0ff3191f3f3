//! Which of the brokers that the run started has a role: who leads a partition, who coordinates a group, who is the active
//! controller. Asked once to find one, or again and again to record every change. Knows nothing of trials.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use crate::kafka::local::{Broker, ClusterRoles, RolesConnection};
use crate::measure::{BrokerRoles, LeaderSince, TopicPartition, clock};

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
                    // The newest of the answers.
                    Ok(answer) => found = found.max(answer),
                    Err(error) => silence = format!("broker {} does not say it: {error}", broker.id()),
                }
            }
            if let Some((_, broker)) = found {
                return u32::try_from(broker).map_err(|error| error.to_string());
            }
            if Instant::now() > deadline {
                return Err(format!("nobody was that for {} s ({silence})", FIND_LIMIT.as_secs()));
            }
            sleep(ASK_INTERVAL);
        }
    }

    /// Who has a role, as a broker says, with the age of that knowledge where it is known; higher is newer.
    fn ask(&self, broker: &Broker, wanted: &Wanted) -> io::Result<Option<(i32, i32)>> {
        let mut connection = RolesConnection::open(broker, ANSWER_LIMIT)?;
        Ok(match wanted {
            Wanted::LeaderOf { topic, partition } => {
                let known = connection.cluster(std::slice::from_ref(topic))?;
                let of_partition = known.partitions.iter().find(|known| known.partition == *partition);
                of_partition.and_then(|known| Some((known.epoch, known.leader?)))
            }
            Wanted::Controller => self.controller(&mut connection)?.map(|id| (0, id)),
            Wanted::CoordinatorOf(group) => connection.coordinator(group)?.map(|id| (0, id)),
        })
    }

    fn controller(&self, connection: &mut RolesConnection) -> io::Result<Option<i32>> {
        if self.has_zookeeper {
            return Ok(connection.cluster(&[])?.controller);
        }
        connection.active_controller()
    }
}

/// A watch over the roles of brokers.
pub struct RolesWatch {
    noted: Arc<Mutex<BrokerRoles>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl RolesWatch {
    /// Begins to ask the brokers for the leaders of these topics, the coordinators of these groups and the active
    /// controller.
    pub fn start(own: &OwnBrokers, topics: &[String], groups: &[String]) -> Self {
        let mut watch = RolesWatch {
            noted: Arc::default(),
            stop: Arc::default(),
            threads: Vec::new(),
        };
        // One that stands still answers late: each has a thread of its own.
        for broker in &own.brokers {
            let names = topics.to_vec();
            watch.ask(vec![Arc::clone(broker)], move |connection, noted| {
                let known = connection.cluster(&names)?;
                note_leaders(noted, &names, &known);
                Ok(())
            });
        }
        let asked = own.clone();
        watch.ask(own.brokers.clone(), move |connection, noted| {
            let controller = asked.controller(connection)?;
            noted(&|roles, at_ns| roles.note_controller(at_ns, controller));
            Ok(())
        });
        let groups = groups.to_vec();
        watch.ask(own.brokers.clone(), move |connection, noted| {
            for (number, group) in (0..).zip(&groups) {
                let coordinator = connection.coordinator(group)?;
                noted(&|roles, at_ns| roles.note_coordinator(at_ns, number, coordinator));
            }
            Ok(())
        });
        watch
    }

    /// Asks one of these brokers again and again, another one where it does not answer.
    fn ask(
        &mut self,
        brokers: Vec<Arc<Broker>>,
        question: impl Fn(&mut RolesConnection, &dyn Fn(Note<'_>)) -> io::Result<()> + Send + 'static,
    ) {
        let (noted, stop) = (Arc::clone(&self.noted), Arc::clone(&self.stop));
        self.threads.push(spawn(move || {
            let note = |change: Note<'_>| {
                let mut roles = noted.lock().unwrap_or_else(PoisonError::into_inner);
                change(&mut roles, clock::now_ns());
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
    pub fn end(mut self) -> BrokerRoles {
        self.stop.store(true, Ordering::Relaxed);
        for thread in std::mem::take(&mut self.threads) {
            // It reads answers; were it to panic, what it noted before would stay.
            let _ = thread.join();
        }
        std::mem::take(&mut self.noted.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for RolesWatch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Changes what was noted, at this time.
type Note<'a> = &'a dyn Fn(&mut BrokerRoles, u64);

fn note_leaders(noted: &dyn Fn(Note<'_>), topics: &[String], known: &ClusterRoles) {
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
