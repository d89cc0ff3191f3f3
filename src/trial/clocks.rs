//! The clocks of a trial's hosts, and the door through which every time passes between a worker's clock and the
//! coordinator's. A host is compared by several exchanges with one of its processes, before its workers get their orders
//! and again after the results; processes of the coordinator's host need none.

use std::collections::BTreeMap;
use std::time::Duration;

use super::cast::ActorId;
use crate::protocol::{FIRST_WITH_HOST, FromWorker, Hello, ToWorker};
use crate::time::{CommonTime, Exchange, HostClock, HostClocks, HostId, HostTime};

/// Exchanges of a comparison, of which the one with the shortest ways counts.
const EXCHANGES: u32 = 8;

/// What is wrong with an answer to no question.
const UNASKED: &str = "it answered `query_clock` without having been asked";

/// A question for a process.
pub type Question = (ActorId, ToWorker);

/// Which clock each actor reads, and what is known of it.
#[derive(Debug)]
pub struct Clocks {
    /// Before the first process was started.
    began_ns: u64,
    /// Name of the coordinator's host.
    here: Option<String>,
    hosts: BTreeMap<ActorId, HostId>,
    /// In the order of their ids.
    others: Vec<OtherHost>,
    queries: u64,
}

#[derive(Debug)]
struct OtherHost {
    /// As its workers name it; a worker without a name has a host of its own.
    name: Option<String>,
    /// The process that is asked.
    asked: ActorId,
    /// The query under way, and when it was sent.
    query: Option<(u64, u64)>,
    /// Exchanges of the comparison under way, and the best of them.
    exchanges: u32,
    best: Option<HostClock>,
    /// What the first comparison found, and when; after the second with a bound that holds from one to the other.
    clock: Option<(HostClock, u64)>,
}

impl Clocks {
    /// A trial whose first process is about to be started.
    pub fn new(began_ns: u64) -> Self {
        Clocks {
            began_ns,
            here: None,
            hosts: BTreeMap::new(),
            others: Vec::new(),
            queries: 0,
        }
    }

    /// Names the coordinator's host.
    pub fn be_on(&mut self, host: Option<String>) {
        self.here = host;
    }

    /// Learns from its introduction on which host an actor is. The question is the first to a host that was not known.
    pub fn meet(&mut self, now_ns: u64, actor: ActorId, hello: &Hello) -> Option<Question> {
        if hello.protocol < FIRST_WITH_HOST || hello.host == self.here {
            return None;
        }
        let known = |other: &OtherHost| hello.host.is_some() && other.name == hello.host;
        let index = self.others.iter().position(known);
        self.hosts
            .insert(actor, HostId::other(index.unwrap_or(self.others.len())));
        if index.is_some() {
            return None;
        }
        self.others.push(OtherHost {
            name: hello.host.clone(),
            asked: actor,
            query: None,
            exchanges: 0,
            best: None,
            clock: None,
        });
        self.ask(now_ns, self.others.len() - 1)
    }

    /// Begins to compare all hosts once more.
    pub fn compare_again(&mut self, now_ns: u64) -> Vec<Question> {
        (0..self.others.len())
            .filter_map(|index| self.ask(now_ns, index))
            .collect()
    }

    fn ask(&mut self, now_ns: u64, index: usize) -> Option<Question> {
        self.queries += 1;
        let query = self.queries;
        let other = self.others.get_mut(index)?;
        other.query = Some((query, now_ns));
        Some((other.asked, ToWorker::QueryClock { query }))
    }

    /// Takes an answer. The next question; `None` where that was the last of a comparison. The error is what is wrong with
    /// the answer, or with the clock.
    pub fn on_answer(
        &mut self,
        now_ns: u64,
        actor: ActorId,
        answered: u64,
        (received_ns, sent_ns): (u64, u64),
    ) -> Result<Option<Question>, String> {
        let index = self.host_of(actor).index().unwrap_or(usize::MAX);
        let other = self.others.get_mut(index).filter(|other| other.asked == actor);
        let Some((other, (query, asked_ns))) = other.and_then(|other| other.query.map(|query| (other, query))) else {
            return Err(UNASKED.to_owned());
        };
        if query != answered {
            return Err(UNASKED.to_owned());
        }
        let exchange = Exchange {
            asked_ns,
            received_ns,
            sent_ns,
            answered_ns: now_ns,
        };
        let clock = HostClock::of(exchange).ok_or_else(|| {
            format!("its answer to `query_clock` cannot be true: received at {received_ns}, sent at {sent_ns}")
        })?;
        let best = other.best.filter(|best| best.bound_ns <= clock.bound_ns);
        other.best = Some(best.unwrap_or(clock));
        other.exchanges += 1;
        if other.exchanges < EXCHANGES {
            return Ok(self.ask(now_ns, index));
        }
        other.end_comparison(now_ns).map(|()| None)
    }

    /// A process that has not answered yet.
    pub fn silent(&self) -> Option<ActorId> {
        let silent = self.others.iter().find(|other| other.query.is_some());
        silent.map(|other| other.asked)
    }

    /// On which host an actor is.
    pub fn host_of(&self, actor: ActorId) -> HostId {
        self.hosts.get(&actor).copied().unwrap_or(HostId::COORDINATOR)
    }

    /// True where times can be converted for an actor.
    pub fn knows(&self, actor: ActorId) -> bool {
        let host = self.host_of(actor);
        host.is_coordinator() || self.clock_of(host).is_some()
    }

    /// How long a message may be on its way to the furthest host, over what it is within one.
    pub fn longest_way(&self) -> Duration {
        let clocks = self.others.iter().filter_map(|other| other.clock);
        // The bound is half of the shortest way there and back.
        Duration::from_nanos(
            clocks
                .map(|(clock, _)| clock.bound_ns.saturating_mul(2))
                .max()
                .unwrap_or(0),
        )
    }

    /// The clocks of the other hosts.
    pub fn of_others(&self) -> HostClocks {
        HostClocks(self.others.iter().filter_map(|other| Some(other.clock?.0)).collect())
    }

    fn clock_of(&self, host: HostId) -> Option<(HostClock, u64)> {
        self.others.get(host.index()?)?.clock
    }

    /// A message of an actor with its times on the coordinator's clock. The error names a time that cannot be: before any
    /// process was started, or after the message came.
    pub fn to_common(&self, now_ns: u64, actor: ActorId, mut message: FromWorker) -> Result<FromWorker, String> {
        let host = self.host_of(actor);
        for ns in message.times_mut() {
            let time = self.common(now_ns, HostTime { host, ns: *ns });
            let time = time.ok_or("it gave a time before its clock was compared")?;
            if time.latest_ns() < self.began_ns || time.earliest_ns() > now_ns {
                return Err(self.contradiction(now_ns, actor, time));
            }
            *ns = time.ns;
        }
        Ok(message)
    }

    /// A time on the coordinator's clock, as far as it is known now.
    fn common(&self, now_ns: u64, time: HostTime) -> Option<CommonTime> {
        if time.host.is_coordinator() {
            let (ns, bound_ns) = (time.ns, 0);
            return Some(CommonTime { ns, bound_ns });
        }
        let (clock, compared_ns) = self.clock_of(time.host)?;
        Some(clock.drifted(now_ns.saturating_sub(compared_ns)).to_common(time.ns))
    }

    fn contradiction(&self, now_ns: u64, actor: ActorId, time: CommonTime) -> String {
        let (apart_ns, what) = if time.ns > now_ns {
            (time.ns - now_ns, "after its message came")
        } else {
            (self.began_ns.saturating_sub(time.ns), "before the trial began")
        };
        let why = if self.host_of(actor).is_coordinator() {
            "its clock is not that of the coordinator's host; a worker on another host must speak protocol 2 and say \
             `host`"
        } else {
            "its clock was set since it was compared, or its host stood still"
        };
        format!("it gave a time {:.3} s {what}: {why}", apart_ns as f64 / 1e9)
    }

    /// Puts the times of a message for an actor on the clock of its host.
    pub fn to_host(&self, actor: ActorId, message: &mut ToWorker) {
        let Some((clock, _)) = self.clock_of(self.host_of(actor)) else {
            return;
        };
        match message {
            ToWorker::Start { at_ns } => *at_ns = clock.to_host(*at_ns),
            ToWorker::PrepareProducer(order) => order.stamp_offset_ns = clock.offset_ns,
            ToWorker::Prepare(order) => {
                if let Some(stamps) = &mut order.stamps {
                    stamps.stamp_offset_ns = clock.offset_ns;
                }
            }
            ToWorker::Subscribe
            | ToWorker::QueryAssignments { .. }
            | ToWorker::QueryClock { .. }
            | ToWorker::Stop
            | ToWorker::Exit
            | ToWorker::Ping
            | ToWorker::Calibrate => {}
        }
    }
}

impl OtherHost {
    /// Ends a comparison; the error is that the clock has jumped since the one before.
    fn end_comparison(&mut self, now_ns: u64) -> Result<(), String> {
        (self.query, self.exchanges) = (None, 0);
        let Some(found) = self.best.take() else { return Ok(()) };
        let Some((first, compared_ns)) = self.clock else {
            self.clock = Some((found, now_ns));
            return Ok(());
        };
        let elapsed_ns = now_ns.saturating_sub(compared_ns);
        let clock = first.until(found, elapsed_ns).ok_or_else(|| {
            format!(
                "its host's clock moved by {:.3} ms against the coordinator's within {:.1} s, more than clocks drift: it was \
                 set, or a host stood still",
                first.offset_ns.abs_diff(found.offset_ns) as f64 / 1e6,
                elapsed_ns as f64 / 1e9
            )
        })?;
        self.clock = Some((clock, now_ns));
        Ok(())
    }
}

#[cfg(test)]
#[path = "clocks_tests.rs"]
mod tests;
