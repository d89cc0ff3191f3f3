//! Watches over a trial: whether the coordinator runs, whether the brokers on this machine do, and whether brokers
//! elsewhere answer and stay. Knows nothing of trials; what follows from it is decided in `measure::standstill`.

use std::fs;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::listeners::processes_at;
use super::processes::{ProcessIdentity, is_stopped};
use crate::kafka::admin::{Admin, BrokerAddress};
use crate::kafka::local::Broker;
use crate::measure::usage::cpu_ns_of;
use crate::measure::{
    BEAT_INTERVAL, BrokerChange, BrokerPause, Interruptions, Pulse, RECORDED_FROM_NS, Stretch, clock,
};

/// How often a cluster elsewhere is asked for its brokers.
const ASK_INTERVAL: Duration = Duration::from_millis(500);

/// How often a broker that went away is looked for.
const RETURN_INTERVAL_NS: u64 = 500_000_000;

/// A broker and its processes on this machine, none where it runs elsewhere.
#[derive(Debug, Clone)]
pub struct Watched {
    /// As the cluster names it.
    pub broker: BrokerAddress,
    /// True where it ran on this machine when the cluster was opened.
    pub is_here: bool,
    /// Its processes here.
    pub processes: Vec<ProcessIdentity>,
}

impl Watched {
    /// A broker with its processes on this machine.
    pub fn found(broker: BrokerAddress) -> Self {
        let processes = find_processes(&broker);
        Watched {
            is_here: !processes.is_empty(),
            broker,
            processes,
        }
    }

    /// A broker that tandem runs.
    pub fn own(broker: &Broker) -> Self {
        let address = broker.listeners().first().map(|listener| listener.advertised.as_str());
        let (host, port) = address.and_then(|address| address.rsplit_once(':')).unwrap_or_default();
        Watched {
            broker: BrokerAddress {
                id: broker.id().cast_signed(),
                host: host.to_owned(),
                port: port.parse().unwrap_or(0),
            },
            is_here: true,
            processes: broker.pid().and_then(ProcessIdentity::of).into_iter().collect(),
        }
    }

    /// True where it ran here and does not any more.
    pub fn has_ended(&self) -> bool {
        self.is_here && !self.processes.iter().any(|process| process.is_running())
    }

    /// True where its processes say by themselves whether it runs: a proxy in front of a broker sleeps when there is
    /// nothing to do, while a Java machine has threads that wake up many times a second.
    fn ticks(&self) -> bool {
        let is_java = |process: &ProcessIdentity| {
            fs::read_to_string(format!("/proc/{}/comm", process.pid)).is_ok_and(|name| name.trim_end() == "java")
        };
        self.processes.iter().any(is_java)
    }
}

/// The watch over one trial.
pub struct Watch {
    stop: Sender<()>,
    thread: JoinHandle<Interruptions>,
    asking: Option<(tokio::task::JoinHandle<()>, Arc<Mutex<Asked>>)>,
}

impl Watch {
    /// Begins. `topic` is one that the cluster has: asked for it alone, it need not list all.
    pub fn start(brokers: Vec<Watched>, admin: &Admin, topic: Option<String>) -> Self {
        let asking = (!brokers.iter().all(Watched::ticks)).then(|| {
            let asked = Arc::new(Mutex::new(Asked::new(&brokers)));
            let task = tokio::spawn(ask(admin.clone(), topic, Arc::clone(&asked)));
            (task, asked)
        });
        let here = brokers.into_iter().filter(|broker| broker.is_here);
        let mut here: Vec<Here> = here.map(Here::new).collect();
        let (stop, stopped) = channel();
        let thread = thread::spawn(move || {
            let mut interruptions = Interruptions::default();
            let mut pauses = Vec::new();
            let mut pulse = Pulse::new(clock::now_ns(), clock::boot_ns());
            while stopped.recv_timeout(BEAT_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                let now_ns = clock::now_ns();
                let (pause, suspension) = pulse.beat(now_ns, clock::boot_ns());
                let was_away = pause.is_some() || suspension.is_some();
                pauses.extend(pause);
                interruptions.suspended.extend(suspension);
                for broker in &mut here {
                    let look = broker.look(now_ns);
                    broker.note(now_ns, look, was_away, &mut interruptions);
                }
            }
            let now_ns = clock::now_ns();
            for broker in &mut here {
                broker.end_pause(now_ns, &mut interruptions);
            }
            interruptions.add_process("the coordinator", Some(&pauses));
            interruptions
        });
        Watch { stop, thread, asking }
    }

    /// Ends, with what was recorded.
    pub fn end(self) -> Interruptions {
        drop(self.stop);
        // It only reads clocks and files; were it to panic, the trial would go without.
        let mut interruptions = self.thread.join().unwrap_or_default();
        if let Some((task, asked)) = self.asking {
            task.abort();
            let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.end_silence(clock::now_ns());
            interruptions.unanswered.append(&mut asked.unanswered);
            interruptions.changes.append(&mut asked.changes);
        }
        interruptions
    }
}

/// What a look at a broker's processes showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// They have ended.
    Gone,
    /// They are stopped by a signal.
    Stopped,
    /// They have used so much CPU time.
    Used(u64),
}

/// A broker on this machine.
struct Here {
    watched: Watched,
    ticks: bool,
    cpu_ns: u64,
    /// When its processes last ran, as far as is known.
    ran_ns: u64,
    /// When it was looked for last, once it had gone.
    gone_ns: Option<u64>,
}

impl Here {
    fn new(watched: Watched) -> Self {
        Here {
            ticks: watched.ticks(),
            watched,
            cpu_ns: 0,
            ran_ns: clock::now_ns(),
            gone_ns: None,
        }
    }

    /// Looks at its processes; of one that has gone, whether there is another at its address, from time to time.
    fn look(&mut self, now_ns: u64) -> Look {
        if self
            .gone_ns
            .is_some_and(|gone_ns| now_ns >= gone_ns + RETURN_INTERVAL_NS)
        {
            self.gone_ns = Some(now_ns);
            self.watched.processes = find_processes(&self.watched.broker);
        }
        self.watched.processes.retain(|process| process.is_running());
        let pids = || self.watched.processes.iter().map(|process| process.pid);
        if self.watched.processes.is_empty() {
            Look::Gone
        } else if pids().all(is_stopped) {
            Look::Stopped
        } else {
            Look::Used(pids().filter_map(cpu_ns_of).sum())
        }
    }

    /// Records a check of the broker. If the coordinator itself did not run (`was_away`), the state of the broker in
    /// that time is unknown.
    fn note(&mut self, now_ns: u64, look: Look, was_away: bool, interruptions: &mut Interruptions) {
        if (look == Look::Gone) != self.gone_ns.is_some() {
            let came = look != Look::Gone;
            self.gone_ns = (!came).then_some(now_ns);
            self.ran_ns = now_ns;
            interruptions.changes.push(change(&self.watched.broker, now_ns, came));
        }
        let ran = match look {
            Look::Gone => return,
            Look::Stopped => false,
            Look::Used(cpu_ns) => std::mem::replace(&mut self.cpu_ns, cpu_ns) != cpu_ns || !self.ticks,
        };
        if was_away {
            self.ran_ns = now_ns;
        } else if ran {
            self.end_pause(now_ns, interruptions);
        }
    }

    /// It ran now, or nobody looks any longer.
    fn end_pause(&mut self, now_ns: u64, interruptions: &mut Interruptions) {
        let pause = Stretch::new(std::mem::replace(&mut self.ran_ns, now_ns), now_ns);
        if pause.length_ns() >= RECORDED_FROM_NS && self.gone_ns.is_none() {
            let broker = self.watched.broker.id;
            interruptions.brokers.push(BrokerPause { broker, pause });
        }
    }
}

/// The processes of this machine that listen at a broker's address.
pub fn find_processes(broker: &BrokerAddress) -> Vec<ProcessIdentity> {
    let Ok(port) = u16::try_from(broker.port) else {
        return Vec::new();
    };
    let pids = processes_at(&[(broker.host.clone(), port)]).into_iter();
    pids.filter_map(ProcessIdentity::of).collect()
}

fn change(broker: &BrokerAddress, at_ns: u64, came: bool) -> BrokerChange {
    BrokerChange {
        broker: broker.id,
        address: format!("{}:{}", broker.host, broker.port),
        at_ns,
        came,
    }
}

/// What a cluster elsewhere answers.
struct Asked {
    /// The brokers that the watch began with, and those that came.
    known: Vec<BrokerAddress>,
    present: Vec<i32>,
    /// Brokers that are new in the first answer came before the watch began.
    has_answered: bool,
    /// Since when an answer is missing.
    silent_ns: Option<u64>,
    unanswered: Vec<Stretch>,
    changes: Vec<BrokerChange>,
}

impl Asked {
    fn new(brokers: &[Watched]) -> Self {
        let known: Vec<BrokerAddress> = brokers.iter().map(|watched| watched.broker.clone()).collect();
        Asked {
            present: known.iter().map(|broker| broker.id).collect(),
            known,
            has_answered: false,
            silent_ns: None,
            unanswered: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// The cluster answered with these brokers.
    fn answered(&mut self, now_ns: u64, brokers: Vec<BrokerAddress>) {
        self.end_silence(now_ns);
        let is_there = |id: i32| brokers.iter().any(|broker| broker.id == id);
        for known in &self.known {
            let (was_there, is_there) = (self.present.contains(&known.id), is_there(known.id));
            if was_there != is_there {
                self.changes.push(change(known, now_ns, is_there));
            }
        }
        self.present = brokers.iter().map(|broker| broker.id).collect();
        let new = brokers
            .into_iter()
            .filter(|broker| self.known.iter().all(|known| known.id != broker.id));
        let new: Vec<BrokerAddress> = new.collect();
        if std::mem::replace(&mut self.has_answered, true) {
            self.changes
                .extend(new.iter().map(|broker| change(broker, now_ns, true)));
        }
        self.known.extend(new);
    }

    fn end_silence(&mut self, now_ns: u64) {
        let silence = self.silent_ns.take().map(|silent_ns| Stretch::new(silent_ns, now_ns));
        self.unanswered
            .extend(silence.filter(|silence| silence.length_ns() >= RECORDED_FROM_NS));
    }
}

/// Asks a cluster again and again which brokers it has.
async fn ask(admin: Admin, topic: Option<String>, asked: Arc<Mutex<Asked>>) {
    let lock = || asked.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        lock().silent_ns.get_or_insert(clock::now_ns());
        if let Ok(brokers) = admin.brokers_of(topic.clone()).await {
            lock().answered(clock::now_ns(), brokers);
        }
        tokio::time::sleep(ASK_INTERVAL).await;
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
