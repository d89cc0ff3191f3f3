//! Which parts of a worker's messages are times of its clock. Lengths of time are the same on every clock.

use super::{FromWorker, ProducerResult, WorkerResult};
use crate::measure::Stretch;

impl FromWorker {
    /// All times in the message, to be converted to the coordinator's clock. Those of [`FromWorker::Clock`] stay as they
    /// are: clocks are compared by them.
    pub fn times_mut(&mut self) -> Vec<&mut u64> {
        use FromWorker::{
            Assignments, Began, Calibrated, Clock, Failed, Hello, ProducerProgress, ProducerResult, ProgramReady,
            Progress, Ready, Reported, Result, Seconds, Unanswered,
        };
        match self {
            Assignments { members, .. } => members.iter_mut().flat_map(|member| &mut member.assigned_ns).collect(),
            Result(result) => result.times_mut(),
            ProducerResult(result) => result.times_mut(),
            ProgramReady { at_ns } => vec![at_ns],
            Hello(_)
            | Ready
            | Progress { .. }
            | Began { .. }
            | Seconds { .. }
            | ProducerProgress(_)
            | Calibrated(_)
            | Clock(_)
            | Reported { .. }
            | Unanswered { .. }
            | Failed { .. } => Vec::new(),
        }
    }
}

impl WorkerResult {
    /// All times in it.
    pub fn times_mut(&mut self) -> Vec<&mut u64> {
        let mut times = Vec::new();
        let mut stretches: Vec<&mut Stretch> = self.pauses.iter_mut().flatten().collect();
        if let Some(program) = &mut self.program {
            times.push(&mut program.started_ns);
            times.extend(&mut program.ready_ns);
            times.extend(program.steps.iter_mut().map(|step| &mut step.at_ns));
        }
        for member in &mut self.members {
            for read in &mut member.partitions {
                times.extend([&mut read.first_ns, &mut read.last_ns].into_iter().flatten());
                times.extend(read.flow.iter_mut().map(|flow| &mut flow.from_ns));
            }
            if let Some(client) = &mut member.client {
                times.extend([&mut client.from_ns, &mut client.until_ns]);
            }
            times.extend(&mut member.heartbeats);
            stretches.extend(&mut member.slow_commits);
            times.extend(member.rebalances.iter_mut().map(|rebalance| &mut rebalance.at_ns));
            stretches.extend(member.reading.iter_mut().flat_map(|reading| &mut reading.longest_wait));
        }
        times.extend(ends(stretches));
        times
    }
}

impl ProducerResult {
    /// All times in it.
    pub fn times_mut(&mut self) -> Vec<&mut u64> {
        let delays = self.delays.iter_mut().map(|delay| &mut delay.delay);
        let stretches = delays.chain(self.pauses.iter_mut().flatten());
        self.last_sent_ns.iter_mut().chain(ends(stretches)).collect()
    }
}

/// The times at which stretches begin and end.
fn ends<'a>(stretches: impl IntoIterator<Item = &'a mut Stretch>) -> impl Iterator<Item = &'a mut u64> {
    let stretches = stretches.into_iter();
    stretches.flat_map(|stretch| [&mut stretch.from_ns, &mut stretch.until_ns])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// Keys of messages that are lengths of time and no times, wherever they stand.
    const LENGTHS: &[&str] = &[
        "awaited_ns",
        "bucket_ns",
        "committing_ns",
        "cpu_ns",
        "gc_ns",
        "idle_ns",
        "queue_full_ns",
        "sum_ns",
        "throttled_ns",
        "waited_ns",
        "waiting_ns",
        "wait_ns",
        "wall_ns",
        "work_ns",
    ];

    /// The numbers of all keys that end in `_ns` and are no lengths.
    fn times_in(value: &Value, found: &mut Vec<u64>) {
        match value {
            Value::Object(entries) => {
                for (key, value) in entries {
                    match value.as_u64() {
                        Some(ns) if key.ends_with("_ns") && !LENGTHS.contains(&key.as_str()) => found.push(ns),
                        _ => times_in(value, found),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| times_in(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_time_of_the_messages_in_the_document_is_converted() {
        let document = std::fs::read_to_string("docs/protocol.md").unwrap();
        let examples = document
            .split("```json\n")
            .skip(1)
            .map(|rest| rest.split("```").next().unwrap());
        let messages = examples.flat_map(|example| serde_json::Deserializer::from_str(example).into_iter::<Value>());
        let mut kinds = BTreeSet::new();
        for value in messages.map(Result::unwrap) {
            let Ok(mut message) = serde_json::from_value::<FromWorker>(value.clone()) else {
                continue;
            };
            let mut written = Vec::new();
            times_in(&value, &mut written);
            if matches!(message, FromWorker::Clock(_) | FromWorker::Calibrated(_)) {
                continue;
            }
            let mut converted: Vec<u64> = message.times_mut().into_iter().map(|ns| *ns).collect();
            written.sort_unstable();
            converted.sort_unstable();
            assert_eq!(converted, written, "{value}");
            if !written.is_empty() {
                kinds.insert(value["type"].as_str().unwrap().to_owned());
            }
        }
        let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
        assert_eq!(kinds, ["assignments", "producer_result", "result"]);
    }
}
