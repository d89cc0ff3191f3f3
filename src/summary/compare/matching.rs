//! Which configurations of two runs mean the same, and whether two runs are one.

use std::collections::HashSet;

use super::model::NotCompared;
use super::run::{CompareError, StoredRun};
use crate::measure::Trial;
use crate::scenario::{Meaning, Part, Scenario};

/// Configurations named in an error before it says how many more there are.
const NAMED_MAX: usize = 3;

/// What of two runs is compared.
#[derive(Debug)]
pub(super) struct Matching {
    /// Indices of configurations that mean the same: in the first run, in the other.
    pub(super) pairs: Vec<(usize, usize)>,
    /// The others: name, whether the first run has it, and why it is not compared.
    others: Vec<(String, bool, Obstacle)>,
}

/// Why a configuration is not compared.
#[derive(Debug)]
enum Obstacle {
    OnlyInBaseline,
    OnlyInRun,
    /// Key, value in the first run, value in the other.
    Differs(Vec<(String, String, String)>),
}

impl Obstacle {
    fn text(&self, baseline: &str, run: &str) -> String {
        match self {
            Obstacle::OnlyInBaseline => format!("{run} has no configuration of this name"),
            Obstacle::OnlyInRun => format!("{baseline} has no configuration of this name"),
            Obstacle::Differs(keys) => {
                let one = |(key, before, now): &(String, String, String)| {
                    format!("{key} is {before} in {baseline} and {now} in {run}")
                };
                keys.iter().map(one).collect::<Vec<String>>().join("; ")
            }
        }
    }
}

impl Matching {
    pub(super) fn of(baseline: &StoredRun, run: &StoredRun) -> Result<Self, CompareError> {
        let (first, other) = (&baseline.plan.scenario, &run.plan.scenario);
        let mut matching = Matching {
            pairs: Vec::new(),
            others: Vec::new(),
        };
        for (index, c) in first.configurations.iter().enumerate() {
            match find(other, &c.name) {
                None => matching.others.push((c.name.clone(), true, Obstacle::OnlyInBaseline)),
                Some(found) => match differing(&first.meaning(index), &other.meaning(found), Part::Task) {
                    keys if keys.is_empty() => matching.pairs.push((index, found)),
                    keys => matching.others.push((c.name.clone(), true, Obstacle::Differs(keys))),
                },
            }
        }
        let new = other.configurations.iter().filter(|c| find(first, &c.name).is_none());
        matching
            .others
            .extend(new.map(|c| (c.name.clone(), false, Obstacle::OnlyInRun)));
        if matching.pairs.is_empty() {
            return Err(CompareError::NothingInCommon {
                baseline: baseline.folder.to_owned(),
                run: run.folder.to_owned(),
                reasons: matching.reasons(),
            });
        }
        let shared = shared(baseline.trials, run.trials);
        if shared > 0 && !is_same_run(baseline, run) {
            return Err(CompareError::SharedTrials {
                baseline: baseline.folder.to_owned(),
                run: run.folder.to_owned(),
                shared,
            });
        }
        Ok(matching)
    }

    pub(super) fn not_compared(&self, baseline: &str, run: &str) -> Vec<NotCompared> {
        let one = |(name, in_baseline, obstacle): &(String, bool, Obstacle)| NotCompared {
            configuration: name.clone(),
            run: run.to_owned(),
            in_baseline: *in_baseline,
            reason: obstacle.text(baseline, run),
        };
        self.others.iter().map(one).collect()
    }

    /// The first few obstacles, those of equal names first: they say what would have to be equal.
    fn reasons(&self) -> String {
        let mut others: Vec<&(String, bool, Obstacle)> = self.others.iter().collect();
        others.sort_by_key(|(_, _, obstacle)| !matches!(obstacle, Obstacle::Differs(_)));
        let named = others.iter().take(NAMED_MAX);
        let mut reasons: Vec<String> = named
            .map(|(name, _, obstacle)| {
                let name = if name.is_empty() {
                    "the only configuration"
                } else {
                    name
                };
                format!("{name}: {}", obstacle.text("the first", "the second"))
            })
            .collect();
        if others.len() > NAMED_MAX {
            reasons.push(format!("and {} more", others.len() - NAMED_MAX));
        }
        reasons.join("; ")
    }
}

fn find(scenario: &Scenario, name: &str) -> Option<usize> {
    scenario.configurations.iter().position(|c| c.name == name)
}

/// Keys of one part whose values differ, with both values; a key that only one has is `not set` in the other.
pub(super) fn differing(before: &[Meaning], now: &[Meaning], part: Part) -> Vec<(String, String, String)> {
    let value = |all: &[Meaning], key: &str| {
        let found = all.iter().find(|meaning| meaning.key == key);
        found.map_or_else(|| "not set".to_owned(), |meaning| meaning.value.clone())
    };
    let new = now
        .iter()
        .filter(|meaning| before.iter().all(|other| other.key != meaning.key));
    let all = before.iter().chain(new).filter(|meaning| meaning.part == part);
    all.map(|meaning| {
        (
            meaning.key.clone(),
            value(before, &meaning.key),
            value(now, &meaning.key),
        )
    })
    .filter(|(_, before, now)| before != now)
    .collect()
}

/// True where both hold the very same trials, wherever they are stored.
pub(super) fn is_same_run(one: &StoredRun, other: &StoredRun) -> bool {
    one.trials.len() == other.trials.len() && shared(one.trials, other.trials) == one.trials.len()
}

/// Trials that are in both: no two begin at the same nanosecond.
fn shared(one: &[Trial], other: &[Trial]) -> usize {
    let identity = |trial: &Trial| (trial.order.number, trial.started_at, trial.configuration_name.clone());
    let known: HashSet<_> = one.iter().map(identity).collect();
    other.iter().filter(|trial| known.contains(&identity(trial))).count()
}
