//! The clocks of a trial's hosts, and the door through which every time passes between a worker's clock and the
//! coordinator's. A host is compared by several exchanges with one of its processes, before its workers get their orders
//! and again after the results; processes of the coordinator's host need none.

use std::collections::BTreeMap;
use std::time::Duration;

use super::cast::ActorId;
use crate::protocol::{ClockReading, FIRST_WITH_HOST, FromWorker, Hello, ToWorker};
use crate::time::{Drift, HostClock, HostClocks, HostId, HostTime};

/// Exchanges of a comparison, of which the one with the shortest ways counts.
const EXCHANGES: usize = 16;

/// Which clock each actor reads, and what is known of it.
#[derive(Debug, Default)]
pub struct Clocks {
    /// Before the first process was started.
    began_ns: u64,
    /// Name of the coordinator's host.
    pub here: Option<String>,
    /// The actors of other hosts.
    hosts: BTreeMap<ActorId, HostId>,
    /// In the order of their ids.
    others: Vec<OtherHost>,
}

#[derive(Debug)]
struct OtherHost {
    /// As its workers name it; a worker without a name has a host of its own.
    name: Option<String>,
    /// The process that is asked.
    asked: ActorId,
    /// Since when, if a question is under way.
    asked_ns: Option<u64>,
    /// What each exchange found, and when: [`EXCHANGES`] of the first comparison, then those of the second.
    found: Vec<(u64, HostClock)>,
}

impl Clocks {
    /// Of a trial whose first process is about to be started.
    pub fn new(began_ns: u64) -> Self {
        Clocks {
            began_ns,
            ..Clocks::default()
        }
    }

    /// Learns from an actor's introduction on which host it is. True for the first actor of another host: its clock is to
    /// be read.
    pub fn meet(&mut self, now_ns: u64, actor: ActorId, hello: &Hello) -> bool {
        if hello.protocol < FIRST_WITH_HOST || hello.host == self.here {
            return false;
        }
        let is_known = |other: &OtherHost| hello.host.is_some() && other.name == hello.host;
        let known = self.others.iter().position(is_known);
        self.hosts
            .insert(actor, HostId::other(known.unwrap_or(self.others.len())));
        if known.is_none() {
            self.others.push(OtherHost {
                name: hello.host.clone(),
                asked: actor,
                asked_ns: Some(now_ns),
                found: Vec::new(),
            });
        }
        known.is_none()
    }

    /// Begins the second comparison of all hosts. Returns one process of each host that still runs: its clock is to be read.
    pub fn compare_again(&mut self, now_ns: u64, is_there: impl Fn(ActorId) -> bool) -> Vec<ActorId> {
        let mut asked = Vec::new();
        for (index, other) in self.others.iter_mut().enumerate() {
            let host = HostId::other(index);
            let mut of_host = self
                .hosts
                .iter()
                .filter(|(_, of)| **of == host)
                .map(|(actor, _)| *actor);
            let Some(actor) = of_host.find(|actor| is_there(*actor)) else {
                continue;
            };
            (other.asked, other.asked_ns) = (actor, Some(now_ns));
            asked.push(actor);
        }
        asked
    }

    /// Takes in an answer. True if it completes a comparison, false if the actor is to be asked again. The error says what
    /// is wrong with the answer or with the clock.
    pub fn on_answer(&mut self, now_ns: u64, actor: ActorId, read: ClockReading) -> Result<bool, String> {
        let mut others = self.others.iter_mut().filter(|other| other.asked == actor);
        let asked = others.find_map(|other| Some((other.asked_ns.take()?, other)));
        let (asked_ns, other) = asked.ok_or("it answered `query_clock` without having been asked")?;
        let clock = HostClock::of_exchange([asked_ns, now_ns], [read.received_ns, read.sent_ns]);
        let clock = clock.ok_or_else(|| format!("its answer to `query_clock` cannot be true: {read:?}"))?;
        other.found.push((now_ns, clock));
        let is_complete = other.found.len().is_multiple_of(EXCHANGES);
        other.asked_ns = (!is_complete).then_some(now_ns);
        other.clock().map(|_| is_complete)
    }

    /// A process that has not answered yet.
    pub fn silent(&self) -> Option<ActorId> {
        let mut others = self.others.iter();
        others.find_map(|other| other.asked_ns.map(|_| other.asked))
    }

    /// On which host an actor is.
    pub fn host_of(&self, actor: ActorId) -> HostId {
        self.hosts.get(&actor).copied().unwrap_or(HostId::COORDINATOR)
    }

    /// The other hosts whose names are such.
    pub fn named(&self, is_it: impl Fn(Option<&str>) -> bool) -> Vec<HostId> {
        let others = self.others.iter().enumerate();
        others
            .filter(|(_, other)| is_it(other.name.as_deref()))
            .map(|(index, _)| HostId::other(index))
            .collect()
    }

    /// The actors of an actor's host that have introduced themselves, if it is another than the coordinator's.
    pub fn neighbours(&self, actor: ActorId) -> Vec<ActorId> {
        let host = self.host_of(actor);
        let neighbours = self.hosts.iter().filter(|(_, of)| **of == host);
        neighbours.map(|(actor, _)| *actor).collect()
    }

    /// How long a message may be on its way to the furthest host, over what it is within one: the bound is half of the
    /// shortest way there and back.
    pub fn longest_way(&self) -> Duration {
        let bounds = self.others.iter().filter_map(|other| Some(other.best(0)?.1.bound_ns));
        Duration::from_nanos(bounds.max().unwrap_or(0).saturating_mul(2))
    }

    /// The clocks of the other hosts.
    pub fn of_others(&self) -> HostClocks {
        HostClocks(self.others.iter().filter_map(|other| other.clock().ok()?).collect())
    }

    /// The clock of an actor's host, as far as it is known at this time.
    pub fn clock_of(&self, now_ns: u64, actor: ActorId) -> Option<HostClock> {
        let Some(index) = self.host_of(actor).index() else {
            return Some(HostClock::default());
        };
        let (compared_ns, clock) = self.others.get(index)?.best(0)?;
        Some(clock.drifted(now_ns.saturating_sub(compared_ns)))
    }

    /// How the clock of an actor's host moved between its two comparisons; `None` where there were not two.
    pub fn drift_of(&self, actor: ActorId) -> Option<Drift> {
        let other = self.others.get(self.host_of(actor).index()?)?;
        Some(Drift::between(other.best(0)?, other.best(1)?))
    }

    /// A message of an actor with its times on the coordinator's clock. The error names a time that cannot be: before any
    /// process was started, or after the message came.
    pub fn to_common(&self, now_ns: u64, actor: ActorId, mut message: FromWorker) -> Result<FromWorker, String> {
        for ns in message.times_mut() {
            let clock = self.clock_of(now_ns, actor);
            let clock = clock.ok_or("it gave a time before its clock was compared")?;
            let time = clock.to_common(HostTime(self.host_of(actor), *ns));
            if !time.may_be_within(self.began_ns, now_ns) {
                let ahead_s = (time.ns as f64 - now_ns as f64) / 1e9;
                return Err(format!(
                    "it gave a time {:.3} s {} its message came, which cannot be: its clock is not that of the \
                     coordinator's host (a worker of another host names it, by protocol {FIRST_WITH_HOST}), or was set \
                     after it was compared",
                    ahead_s.abs(),
                    if ahead_s > 0.0 { "after" } else { "before" }
                ));
            }
            *ns = time.ns;
        }
        Ok(message)
    }

    /// Puts the times of a message for an actor on the clock of its host.
    pub fn to_host(&self, actor: ActorId, message: &mut ToWorker) {
        use ToWorker::{
            Calibrate, Exit, Ping, Prepare, PrepareProducer, QueryAssignments, QueryClock, Start, Stop, Subscribe,
        };
        let clock = self.clock_of(0, actor).unwrap_or_default();
        match message {
            Start { at_ns } => *at_ns = clock.to_host(*at_ns),
            PrepareProducer(order) => order.stamp_offset_ns = clock.offset_ns,
            Prepare(order) => {
                let stamps = order.stamps.iter_mut();
                stamps.for_each(|stamps| stamps.stamp_offset_ns = clock.offset_ns);
            }
            Subscribe | QueryAssignments { .. } | QueryClock | Stop | Exit | Ping | Calibrate => {}
        }
    }
}

impl OtherHost {
    /// The best exchange of a comparison that is complete, from 0, and when it was.
    fn best(&self, comparison: usize) -> Option<(u64, HostClock)> {
        let found = self.found.chunks_exact(EXCHANGES).nth(comparison)?;
        found.iter().copied().min_by_key(|(_, clock)| clock.bound_ns)
    }

    /// Its clock by all comparisons so far; the error is that it jumped in between.
    fn clock(&self) -> Result<Option<HostClock>, String> {
        let (Some((from_ns, first)), Some((until_ns, second))) = (self.best(0), self.best(1)) else {
            return Ok(self.best(0).map(|(_, first)| first));
        };
        let elapsed_ns = until_ns.saturating_sub(from_ns);
        let clock = first.until(second, elapsed_ns).ok_or_else(|| {
            let moved_ms = first.offset_ns.abs_diff(second.offset_ns) as f64 / 1e6;
            format!(
                "its host's clock moved by {moved_ms:.3} ms against the coordinator's within {:.1} s, more than clocks \
                 drift: it was set, or a host stood still",
                elapsed_ns as f64 / 1e9
            )
        });
        clock.map(Some)
    }
}

#[cfg(test)]
#[path = "clocks_tests.rs"]
mod tests;
