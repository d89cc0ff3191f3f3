//! The log of a trial: everything that happened, when, and to whom. The measurement is a fold over it, the display follows
//! it. What the engine decides by is its state; what it has to tell is here, and nowhere else.

use super::cast::ActorId;
use super::happening::Happening;
use super::phase::Phase;
use crate::measure::TopicPartition;
use crate::protocol::{ProducerResult, WorkerResult};

/// An entry of the log.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Whom it happened to; `None` for the trial.
    pub actor: Option<ActorId>,
    /// When.
    pub at_ns: u64,
    /// What.
    pub what: Happening,
}

/// Everything that happened, in order.
#[derive(Debug, Default)]
pub struct TrialLog {
    entries: Vec<Entry>,
    /// Entries that were replaced.
    replaced: usize,
}

impl TrialLog {
    /// Adds what happened: every time of a trial enters here. Positions come ten times a second from each reader, so of
    /// those in a row only the latest is kept.
    pub fn push(&mut self, at_ns: u64, actor: impl Into<Option<ActorId>>, what: Happening) {
        if what.is_read() && self.entries.pop_if(|last| last.what.is_read()).is_some() {
            self.replaced += 1;
        }
        let actor = actor.into();
        self.entries.push(Entry { actor, at_ns, what });
    }

    /// Corrects the times within results, once it is known how the clocks of their hosts drifted.
    pub fn correct_results(&mut self, corrected: impl Fn(ActorId, u64) -> u64) {
        for entry in &mut self.entries {
            let Some(actor) = entry.actor else { continue };
            let times = match &mut entry.what {
                Happening::Result(result) => result.times_mut(),
                Happening::Produced(result) => result.times_mut(),
                _ => continue,
            };
            for ns in times {
                *ns = corrected(actor, *ns);
            }
        }
    }

    /// What a subscriber has not heard who heard so many, and how many there are by now.
    pub fn news(&self, heard: usize) -> (&[Entry], usize) {
        let all = self.entries.len() + self.replaced;
        let first = self.entries.len().saturating_sub(all - heard.min(all));
        (&self.entries[first..], all)
    }

    /// What happened that `pick` takes.
    pub fn all<'a, T: 'a>(
        &'a self,
        pick: impl Fn(&'a Happening) -> Option<T> + 'a,
    ) -> impl DoubleEndedIterator<Item = (&'a Entry, T)> {
        let entries = self.entries.iter();
        entries.filter_map(move |entry| Some((entry, pick(&entry.what)?)))
    }

    /// The latest that `pick` takes.
    pub fn latest<'a, T: 'a>(&'a self, pick: impl Fn(&'a Happening) -> Option<T> + 'a) -> Option<T> {
        self.all(pick).next_back().map(|(_, picked)| picked)
    }

    /// The latest that `pick` takes of an actor, with its time.
    pub fn of<'a, T: 'a>(&'a self, actor: ActorId, pick: impl Fn(&'a Happening) -> Option<T> + 'a) -> Option<(u64, T)> {
        let mut all = self.all(pick);
        let (entry, picked) = all.rfind(|(entry, _)| entry.actor == Some(actor))?;
        Some((entry.at_ns, picked))
    }

    /// When a phase began.
    pub fn began_ns(&self, phase: Phase) -> Option<u64> {
        let mut phases = self.all(Happening::try_as_phase_ref);
        let (entry, _) = phases.find(|(_, began)| **began == phase)?;
        Some(entry.at_ns)
    }

    /// What each consumer of a reader held when the barrier was passed; nothing before.
    pub fn held(&self, reader: usize) -> &[Vec<TopicPartition>] {
        let held = self.of(ActorId::Reader(reader), Happening::try_as_held_ref);
        held.map_or(&[], |(_, held)| held)
    }

    /// A reader's result.
    pub fn result(&self, reader: usize) -> Option<&WorkerResult> {
        let result = self.of(ActorId::Reader(reader), Happening::try_as_result_ref);
        result.map(|(_, result)| &**result)
    }

    /// The producers' results.
    pub fn sent(&self) -> impl Iterator<Item = &ProducerResult> {
        self.all(Happening::try_as_produced_ref).map(|(_, result)| &**result)
    }

    /// When an event of an actor happened that has nothing else to tell.
    pub fn at_ns(&self, actor: ActorId, is: fn(&Happening) -> bool) -> Option<u64> {
        let found = self.of(actor, |what| is(what).then_some(()));
        found.map(|(at_ns, ())| at_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(log: &mut TrialLog, done: u64) {
        log.push(done, None, Happening::Read { done, total: 100 });
    }

    fn times(entries: &[Entry]) -> Vec<u64> {
        entries.iter().map(|entry| entry.at_ns).collect()
    }

    #[test]
    fn of_positions_in_a_row_the_latest_is_kept_and_a_subscriber_hears_every_one_that_came_since() {
        let mut log = TrialLog::default();
        read(&mut log, 1);
        let (news, heard) = log.news(0);
        assert_eq!(times(news), [1]);
        assert_eq!(times(log.news(heard).0), [0; 0]);
        read(&mut log, 2);
        log.push(3, None, Happening::Phase(Phase::Collecting));
        let (news, heard) = log.news(heard);
        assert_eq!(times(news), [2, 3]);
        read(&mut log, 4);
        assert_eq!(times(log.news(heard).0), [4]);
        assert_eq!(times(log.news(0).0), [2, 3, 4]);
    }

    #[test]
    fn what_happened_to_an_actor_is_found_with_its_latest_time() {
        let mut log = TrialLog::default();
        for (at_ns, reader) in [(1, 0), (2, 1), (3, 0)] {
            log.push(at_ns, ActorId::Reader(reader), Happening::Started);
        }
        let started = |reader| log.at_ns(ActorId::Reader(reader), Happening::is_started);
        assert_eq!((started(0), started(1), started(2)), (Some(3), Some(2), None));
        assert_eq!(log.at_ns(ActorId::Reader(0), Happening::is_ready), None);
    }
}
