//! What is done with records: work and commits.

use std::fmt;

use serde_json::{Value, json};

use super::kind::{Kind, Refusal};
use super::time::{time_in, units_of_work, whole_text};
use crate::scenario::document::Node;
use crate::scenario::model::{Commit, Work};
use crate::scenario::suggest::did_you_mean_value;

const WORK_NS_MAX: u64 = 10_000_000_000;

/// The work that is a word.
const NAMED: [(&str, Work); 2] = [("none", Work::None), ("store", Work::Store)];

impl Kind for Work {
    type Value = Work;

    fn allowed() -> String {
        "\"none\", \"store\", or cpu or wait and a whole time of at most 10 s in ns, us, ms or s, such as \"cpu 5us\""
            .to_owned()
    }

    fn read(node: &Node<'_>) -> Result<Work, Refusal> {
        let text = node.get_ref().as_str();
        let work = text.and_then(|text| match text.split_once(' ') {
            None => NAMED.iter().find(|(name, _)| *name == text).map(|(_, work)| *work),
            Some(("cpu", time)) => nanoseconds(time).map(|ns| Work::Cpu { ns }),
            Some(("wait", time)) => nanoseconds(time).map(|ns| Work::Wait { ns }),
            Some(_) => None,
        });
        let verb = text.and_then(|text| text.split(|c: char| c == ' ' || c.is_ascii_digit()).next());
        let verbs = || NAMED.iter().map(|(name, _)| *name).chain(["cpu", "wait"]);
        let verb = verb.filter(|verb| verbs().all(|known| known != *verb));
        let help = verb.and_then(|verb| did_you_mean_value(verb, verbs()));
        work.ok_or_else(|| Refusal::of::<Self>().help(help))
    }

    fn text(work: &Work) -> String {
        work.to_string()
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^(none|store|(cpu|wait) [1-9][0-9]{0,10}(ns|us|ms|s))$" })
    }
}

/// As a scenario has it, the time in the largest unit in which it is a whole number: `none`, `cpu 5us`, `wait 1ms`.
impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Work::None => f.write_str("none"),
            Work::Cpu { ns } => write!(f, "cpu {}", whole_text(*ns, units_of_work())),
            Work::Wait { ns } => write!(f, "wait {}", whole_text(*ns, units_of_work())),
            Work::Store => f.write_str("store"),
        }
    }
}

fn nanoseconds(time: &str) -> Option<u64> {
    time_in(time, units_of_work()).filter(|ns| (1..=WORK_NS_MAX).contains(ns))
}

impl Kind for Commit {
    type Value = Commit;

    fn allowed() -> String {
        "\"none\", \"auto\", \"per-batch\", or every and a number of records, such as \"every 1000\"".to_owned()
    }

    fn read(node: &Node<'_>) -> Result<Commit, Refusal> {
        let text = node.get_ref().as_str();
        let every = |count: &str| {
            let digits = (1..=12).contains(&count.len()) && count.bytes().all(|byte| byte.is_ascii_digit());
            let count = count.parse().ok().filter(|_| digits && !count.starts_with('0'));
            count.map(Commit::Every)
        };
        let commit = text.and_then(|text| match text {
            "none" => Some(Commit::None),
            "auto" => Some(Commit::Auto),
            "per-batch" => Some(Commit::PerBatch),
            _ => text.strip_prefix("every ").and_then(every),
        });
        let help = text.and_then(|text| did_you_mean_value(text, ["none", "auto", "per-batch"]));
        commit.ok_or_else(|| Refusal::of::<Self>().help(help))
    }

    fn text(commit: &Commit) -> String {
        match commit {
            Commit::None => "none".to_owned(),
            Commit::Auto => "auto".to_owned(),
            Commit::PerBatch => "per-batch".to_owned(),
            Commit::Every(records) => format!("every {records}"),
        }
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^(none|auto|per-batch|every [1-9][0-9]{0,11})$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_has_the_largest_unit_in_which_its_time_is_an_integer() {
        let text = |ns| Work::Wait { ns }.to_string();
        assert_eq!(
            [1_500, 5_000, 1_000_000].map(text),
            ["wait 1500ns", "wait 5us", "wait 1ms"]
        );
        assert_eq!(
            [Work::None, Work::Store].map(|work| work.to_string()),
            ["none", "store"]
        );
        assert_eq!(Work::Cpu { ns: 5_000 }.to_string(), "cpu 5us");
    }
}
