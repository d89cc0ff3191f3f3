//! Kinds of value that say when something is done on purpose, what, and to whom.

use std::fmt;

use serde_json::{Value, json};

use super::kind::{Kind, Refusal};
use super::time::{Time, time_text};
use crate::scenario::choice::Choice;
use crate::scenario::document::Node;
use crate::scenario::model::{Event, EventAct, EventTime, Party, RestartHow, Target};
use crate::scenario::suggest::did_you_mean_value;
use crate::wording::{with_commas, without_zeros};

const WEEK: i64 = 7 * 24 * 3_600 * 1_000_000_000;
const MS: i64 = 1_000_000;

/// Longest part of a time: how long somebody is away, and from one time to the next.
pub(crate) type Interval = Time<MS, WEEK>;
type AfterStart = Time<0, WEEK>;

/// Numbers in names of targets.
const NUMBER_MAX: u32 = 10_000;

/// A time after the common start, or a share of what is to be read.
pub(crate) enum Moment {}

impl Kind for Moment {
    type Value = EventTime;

    fn allowed() -> String {
        "a time after the common start, such as \"10s\", or in a backlog a share of what is to be read, such as \"30%\""
            .to_owned()
    }

    fn read(node: &Node<'_>) -> Result<EventTime, Refusal> {
        let share = node.get_ref().as_str().and_then(|text| text.strip_suffix('%'));
        let Some(share) = share else {
            let after = AfterStart::read(node).map(EventTime::After);
            return after.map_err(|_| Refusal::of::<Self>());
        };
        let digits = share.chars().all(|c| c.is_ascii_digit() || c == '.');
        let percent = share.parse::<f64>().ok().filter(|_| digits);
        let percent = percent.filter(|percent| (0.0..100.0).contains(percent));
        percent
            .map(|percent| EventTime::Progress(percent / 100.0))
            .ok_or_else(Refusal::of::<Self>)
    }

    fn text(value: &EventTime) -> String {
        value.to_string()
    }

    fn schema() -> Value {
        json!({ "anyOf": [
            { "type": "number", "minimum": 0, "maximum": WEEK as f64 / 1e9 },
            { "type": "string", "pattern": "^((0|[1-9][0-9]{0,14})(ns|us|ms|s|min|h|d)|[0-9]{1,2}(\\.[0-9]+)?%)$" }
        ] })
    }
}

/// What an event does, without for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Start,
    Leave,
    Kill,
    Stop,
    Pause,
    Restart,
}

impl Choice for Deed {
    const ALL: &'static [(&'static str, Self)] = &[
        ("start", Deed::Start),
        ("leave", Deed::Leave),
        ("kill", Deed::Kill),
        ("stop", Deed::Stop),
        ("pause", Deed::Pause),
        ("restart", Deed::Restart),
    ];
}

/// What may happen without failing the trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Unavailable,
}

impl Choice for Expected {
    const ALL: &'static [(&'static str, Self)] = &[("unavailable", Expected::Unavailable)];
}

impl Kind for Target {
    type Value = Target;

    fn allowed() -> String {
        "\"process 2\", \"each process\", these with \" of group 1\", \"broker 1\", \"each broker\", \"leader of 0\", \
         \"leader of 0 of topic 2\", \"controller\", \"coordinator of group 1\", \"store\" or \"load\""
            .to_owned()
    }

    fn read(node: &Node<'_>) -> Result<Target, Refusal> {
        const PLAIN: [&str; 9] = [
            "process 1",
            "each process",
            "broker 1",
            "each broker",
            "leader of 0",
            "controller",
            "coordinator of group 1",
            "store",
            "load",
        ];
        let text = node.get_ref().as_str();
        let help = || text.and_then(|text| did_you_mean_value(text, PLAIN));
        text.and_then(target).ok_or_else(|| Refusal::of::<Self>().help(help()))
    }

    fn text(value: &Target) -> String {
        value.to_string()
    }

    fn schema() -> Value {
        let pattern = "^(process [1-9][0-9]{0,4}( of group [1-9][0-9]{0,4})?|each process( of group [1-9][0-9]{0,4})?|\
                       broker [1-9][0-9]{0,4}|each broker|\
                       leader of (0|[1-9][0-9]{0,4})( of topic [1-9][0-9]{0,4})?|controller|\
                       coordinator of group [1-9][0-9]{0,4}|store|load)$";
        json!({ "type": "string", "pattern": pattern })
    }
}

fn target(text: &str) -> Option<Target> {
    let words: Vec<&str> = text.split(' ').collect();
    let number = |word: &str| {
        let plain = !word.starts_with('0') && word.bytes().all(|byte| byte.is_ascii_digit());
        word.parse().ok().filter(|number| plain && *number <= NUMBER_MAX)
    };
    let from_0 = |word: &str| if word == "0" { Some(0) } else { number(word) };
    let party = match words[..] {
        ["each", "process"] => return Some(Target::EachProcess { group: None }),
        ["each", "process", "of", "group", group] => {
            return Some(Target::EachProcess {
                group: Some(number(group)?),
            });
        }
        ["each", "broker"] => return Some(Target::EachBroker),
        ["process", process] => Party::Process {
            group: None,
            process: number(process)?,
        },
        ["process", process, "of", "group", group] => Party::Process {
            group: Some(number(group)?),
            process: number(process)?,
        },
        ["broker", broker] => Party::Broker(number(broker)?),
        ["leader", "of", partition] => Party::LeaderOf {
            topic: None,
            partition: from_0(partition)?,
        },
        ["leader", "of", partition, "of", "topic", topic] => Party::LeaderOf {
            topic: Some(number(topic)?),
            partition: from_0(partition)?,
        },
        ["controller"] => Party::Controller,
        ["coordinator", "of", "group", group] => Party::CoordinatorOf(number(group)?),
        ["store"] => Party::Store,
        ["load"] => Party::Load,
        _ => return None,
    };
    Some(Target::One(party))
}

impl fmt::Display for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EventTime::After(ns) => f.write_str(&time_text(*ns)),
            EventTime::Progress(share) => {
                let percent = format!("{:.6}", share * 100.0);
                write!(f, "{}%", without_zeros(&percent))
            }
        }
    }
}

/// As it stands in the file.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::One(party) => write!(f, "{party}"),
            Target::EachProcess { group: None } => f.write_str("each process"),
            Target::EachProcess { group: Some(group) } => write!(f, "each process of group {group}"),
            Target::EachBroker => f.write_str("each broker"),
        }
    }
}

/// As it stands in the file.
impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Party::Process { group: None, process } => write!(f, "process {process}"),
            Party::Process {
                group: Some(group),
                process,
            } => write!(f, "process {process} of group {group}"),
            Party::Broker(broker) => write!(f, "broker {broker}"),
            Party::LeaderOf { topic: None, partition } => write!(f, "leader of {partition}"),
            Party::LeaderOf {
                topic: Some(topic),
                partition,
            } => write!(f, "leader of {partition} of topic {topic}"),
            Party::Controller => f.write_str("controller"),
            Party::CoordinatorOf(group) => write!(f, "coordinator of group {group}"),
            Party::Store => f.write_str("store"),
            Party::Load => f.write_str("load"),
        }
    }
}

/// What is done to whom and when, as in `10s kill process 2`; equal for equal events, however they were written.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.at)?;
        match self.act {
            EventAct::Start => write!(f, "start {}", self.target)?,
            EventAct::Leave => write!(f, "leave {}", self.target)?,
            EventAct::Kill => write!(f, "kill {}", self.target)?,
            EventAct::Stop => write!(f, "stop {}", self.target)?,
            EventAct::Pause { for_ns } => write!(f, "pause {} for {}", self.target, time_text(for_ns))?,
            EventAct::Restart { for_ns, how } => {
                write!(f, "restart {} for {}", self.target, time_text(for_ns))?;
                if how == RestartHow::Kill {
                    f.write_str(" by kill")?;
                }
            }
            EventAct::Rate(rate) => write!(f, "rate {}", with_commas(rate))?,
        }
        if let Some(every_ns) = self.every_ns {
            write!(f, " every {}", time_text(every_ns))?;
        }
        if self.times > 1 {
            write!(f, " {} times", self.times)?;
        }
        if self.spread_ns > 0 {
            write!(f, " spread {}", time_text(self.spread_ns))?;
        }
        if self.expects_unavailable {
            f.write_str(" expect unavailable")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_written_as_it_is_read() {
        for text in [
            "process 2",
            "process 2 of group 3",
            "each process",
            "each process of group 2",
            "broker 1",
            "each broker",
            "leader of 0",
            "leader of 12 of topic 2",
            "controller",
            "coordinator of group 1",
            "store",
            "load",
        ] {
            assert_eq!(target(text).map(|target| target.to_string()).as_deref(), Some(text));
        }
        for text in [
            "process 0",
            "process 01",
            "process",
            "broker 10001",
            "leader of",
            "leader of -1",
            "Broker 1",
        ] {
            assert_eq!(target(text), None, "{text}");
        }
    }
}
