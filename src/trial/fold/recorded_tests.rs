#![allow(clippy::unwrap_used)]
//! Trials as they ran on a real broker, recorded with the version before the log: their events, and what was measured.

use std::fs;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::load::Schedule;
use crate::measure::{GroupDescription, GroupMember, GroupState};
use crate::protocol::{FromWorker, Prepare, PrepareProducer};
use crate::trial::cast::ActorId;
use crate::trial::cast::Cast;
use crate::trial::course::{Backlog, Course, Live};
use crate::trial::terms::Terms;
use crate::trial::{Event, Limits, LoadSpec, TrialMachine, TrialSpec};

#[derive(Deserialize)]
struct Recording {
    groups: Vec<String>,
    manual: bool,
    topics: Vec<TopicTarget>,
    readers: Vec<(usize, u32, Prepare)>,
    producers: Vec<PrepareProducer>,
    load: Option<RecordedLoad>,
    spawn_ns: u64,
    /// When each process was started, readers first.
    spawned: Vec<u64>,
    events: Vec<(u64, RecordedEvent)>,
    host: HostMeasurement,
    measurement: Value,
}

#[derive(Deserialize)]
struct RecordedLoad {
    schedule: Schedule,
    lead_ns: u64,
    warmup_ns: u64,
    backlog_ends: Vec<Vec<i64>>,
}

/// Topic and partition.
type Held = Vec<(String, i32)>;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RecordedEvent {
    Tick,
    Message((String, usize), FromWorker),
    /// Which group, its state, and of each member client, host, assignment and target.
    Group(usize, String, Vec<(String, String, Held, Option<Held>)>),
    Ends(Vec<Vec<i64>>),
}

impl From<RecordedEvent> for Event {
    fn from(event: RecordedEvent) -> Self {
        match event {
            RecordedEvent::Tick => Event::Tick,
            RecordedEvent::Message((role, number), message) => match role.as_str() {
                "reader" => Event::Message(ActorId::Reader(number), message),
                _ => Event::Message(ActorId::Producer(number), message),
            },
            RecordedEvent::Group(group, state, members) => {
                let state = match state.as_str() {
                    "Stable" => GroupState::Stable,
                    "PreparingRebalance" => GroupState::PreparingRebalance,
                    _ => GroupState::Unknown,
                };
                let member = |(client_id, host, assignment, target)| GroupMember {
                    client_id,
                    host,
                    assignment,
                    target,
                };
                let members = members.into_iter().map(member).collect();
                Event::Group(group, Ok(GroupDescription { state, members }))
            }
            RecordedEvent::Ends(ends) => Event::Ends(Ok(ends)),
        }
    }
}

/// Replays a recording: what is measured of it now, and what was then.
fn replayed(name: &str) -> (Value, Value) {
    let path = format!("{}/src/trial/fold/recorded/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let recording: Recording = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let course: Box<dyn Course> = match recording.load {
        None => Box::new(Backlog::of(4_000)),
        Some(load) => Box::new(Live::new(LoadSpec {
            schedule: load.schedule,
            lead: Duration::from_nanos(load.lead_ns),
            warmup: Duration::from_nanos(load.warmup_ns),
            backlog_ends: load.backlog_ends,
            beside: Vec::new(),
        })),
    };
    let reader = |(group, process, prepare)| {
        Actor::new(Reader {
            group,
            process,
            prepare,
        })
    };
    let cast = Cast {
        readers: recording.readers.into_iter().map(reader).collect(),
        producers: recording.producers.into_iter().map(Actor::new).collect(),
        ..Cast::default()
    };
    let terms = Terms {
        script: crate::trial::Script::default(),
        groups: recording.groups,
        manual: recording.manual,
        topics: recording.topics,
        limits: Limits {
            drain: Duration::from_secs(30),
            ..Limits::default()
        },
        fetch_pause_ns: 0,
        membership: None,
    };
    let mut machine = TrialMachine::new(TrialSpec { cast, terms, course }, recording.spawn_ns);
    for (actor, spawned_ns) in machine.cast.ids().zip(recording.spawned) {
        machine.start(spawned_ns, actor);
    }
    for (at_ns, event) in recording.events {
        machine.on(at_ns, event.into());
    }
    assert_eq!((machine.phase(), machine.failure()), (Phase::Over, None));
    let (measurement, failure) = measure(&machine.ended(), recording.host).unwrap();
    assert_eq!(failure, None);
    // Floats go through text as those of the recording did.
    let measured = serde_json::to_string(&measurement).unwrap();
    (serde_json::from_str(&measured).unwrap(), recording.measurement)
}

#[test]
fn a_recorded_backlog_trial_measures_what_it_measured_when_it_ran() {
    let (now, then) = replayed("backlog");
    assert_eq!(now, then);
    assert_eq!(then["members"].as_array().unwrap().len(), 2);
}

#[test]
fn a_recorded_mixed_trial_measures_what_it_measured_when_it_ran() {
    let (now, then) = replayed("mixed");
    assert_eq!(now, then);
    assert!(then["load"]["acknowledged"].as_u64().unwrap() > 100);
}
