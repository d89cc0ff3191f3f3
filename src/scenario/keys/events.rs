//! The keys of `[[event]]`, and an event with its place in the file.

use std::ops::Range;

use super::key::{TableKeys as _, keys};
use super::table::Table;
use crate::scenario::kinds::{Count, Deed, Expected, Integer, Interval, Kind, Moment, OneOf, Warmup};
use crate::scenario::model::{Event, RestartHow, Target};

/// The name of the tables of events among keys.
pub(crate) const EVENT: &str = "event";

const TABLES: &[Table] = &[Table::Event];

keys! {
    /// `[[event]]`
    EventKeys {}

    "at" => at: Moment, TABLES, required(),
        "When it is done for the first time.";
    "do" => deed: OneOf<Deed>, TABLES, absent("must be given where `rate` is not"),
        "What is done: start, leave, kill, pause, restart for processes; stop, kill, pause, restart, start for the others.";
    "what" => target: Target, TABLES, absent("must be given with `do`"),
        "To whom. Numbers count from 1, those of partitions from 0.";
    "for" => for_ns: Interval, TABLES, absent("must be given with pause and restart"),
        "How long a pause lasts, or how long somebody is away that restarts.";
    "how" => how: OneOf<RestartHow>, TABLES, default(RestartHow::Clean),
        "How somebody ends that restarts: in order, or at once as in a crash.";
    "rate" => rate: Integer<1, 1_000_000_000>, TABLES, absent("none"),
        "Records per second of the load from then on, instead of `do`.";
    "every" => every_ns: Interval, TABLES, absent("once; with each, when the one before is over"),
        "Time from one to the next, with `times` or with each.";
    "times" => times: Count<1, 1_000>, TABLES, default(1),
        "How often it is done; with each, to each of them.";
    "spread" => spread_ns: Warmup, TABLES, default(0),
        "It is done later by up to this time, drawn anew for each block.";
    "expect" => expected: OneOf<Expected>, TABLES, absent("partitions stay available"),
        "What the event may cause: \"unavailable\" where replication cannot make up for a broker that is away.";
}

/// An event with its place.
#[derive(Debug, Clone)]
pub(crate) struct PlacedEvent {
    pub(crate) event: Event,
    pub(crate) keys: EventKeys,
    /// Its header.
    pub(crate) span: Range<usize>,
}

impl PlacedEvent {
    /// The place of a key's value, or of the header.
    pub(crate) fn span_of(&self, key: &str) -> Range<usize> {
        self.keys
            .given(key)
            .map_or_else(|| self.span.clone(), |given| given.span.clone())
    }
}

/// The events of a configuration as its value of [`EVENT`].
pub(crate) fn events_text<'a>(events: impl Iterator<Item = &'a Event>) -> String {
    let texts: Vec<String> = events.map(Event::to_string).collect();
    if texts.is_empty() {
        "none".to_owned()
    } else {
        texts.join("; ")
    }
}
