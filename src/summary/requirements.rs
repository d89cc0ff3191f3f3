//! Whether the figures of a run are what its scenario requires.

use super::checked::{CheckedRequirement, Met};
use super::configurations;
use super::model::ConfigurationSummary;
use crate::figures::{Better, Trials};
use crate::measure::Trial;
use crate::plan::Plan;
use crate::scenario::{Bound, Requirement};
use crate::stats::Estimate;
use crate::verdict::fell_behind;

/// Every requirement with each configuration that it is about, in the order of the file.
pub(super) fn check(plan: &Plan, trials: &[Trial], summaries: &[ConfigurationSummary]) -> Vec<CheckedRequirement> {
    let mut checked = Vec::new();
    for requirement in &plan.scenario.requirements {
        let about = requirement.configurations(&plan.scenario.configurations);
        if about.is_empty() {
            checked.push(CheckedRequirement {
                requirement: requirement.clone(),
                configuration: None,
                name: requirement.of.clone().unwrap_or_default(),
                estimate: None,
                outcome: Met::CannotSay,
                reason: Some("it was not run".to_owned()),
            });
        }
        checked.extend(about.into_iter().map(|c| one(plan, trials, &summaries[c], requirement)));
    }
    checked
}

fn one(plan: &Plan, trials: &[Trial], summary: &ConfigurationSummary, requirement: &Requirement) -> CheckedRequirement {
    let index = summary.configuration;
    let figure = requirement.figure.figure();
    let is_overloaded = summary.live.as_ref().is_some_and(|live| live.overloaded);
    let of_meaningful = figure.trials == Trials::Meaningful;
    let estimate = configurations::estimate(plan, trials, index, requirement.figure);
    let is_behind = of_meaningful && fell_behind(&plan.scenario.configurations[index].mode, trials, index);
    let is_less_better = requirement.figure.comparing().is_some_and(|c| c.better == Better::Less);
    let (outcome, reason) = match (decide(estimate, requirement.bound), requirement.bound) {
        // Records that wait in a growing lag wait longer than any limit.
        (_, Bound::Below(_)) if of_meaningful && is_overloaded && is_less_better => {
            (Met::No, Some("it is overloaded".to_owned()))
        }
        (Ok(Met::Yes), _) if is_behind => {
            let why = "in some trials its readers fell behind, and only its better ones have the figure";
            (Met::CannotSay, Some(why.to_owned()))
        }
        (Ok(outcome), _) => (outcome, None),
        (Err(why), _) => (Met::CannotSay, Some(why)),
    };
    CheckedRequirement {
        requirement: requirement.clone(),
        configuration: Some(index),
        name: summary.name.clone(),
        estimate,
        outcome,
        reason,
    }
}

/// Where the interval lies, or why that decides nothing.
fn decide(estimate: Option<Estimate>, bound: Bound) -> Result<Met, String> {
    let estimate = estimate.ok_or("no trial has the figure")?;
    let (low, high) = estimate.interval.ok_or("one trial alone has no interval")?;
    let (within, beyond) = match bound {
        Bound::Below(end) => (high < end, low >= end),
        Bound::Above(end) => (low > end, high <= end),
    };
    match (within, beyond) {
        (true, _) => Ok(Met::Yes),
        (_, true) => Ok(Met::No),
        _ => Err("the limit lies in the interval".to_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::figures::FigureId;
    use crate::measure::FailureKind;
    use crate::summary::summarise;
    use crate::testing::{failed, one_and_two, run};

    /// Read times of one and two seconds, with a scatter.
    fn checked(requirements: Vec<Requirement>) -> Vec<CheckedRequirement> {
        let mut plan = one_and_two().plan();
        plan.scenario.requirements = requirements;
        let trials = run(&plan, |order| {
            Some([1.0, 2.0][order.configuration] + 0.01 * f64::from(order.block % 3))
        });
        summarise(&plan, &trials).requirements
    }

    fn requirement(figure: FigureId, bound: Bound) -> Requirement {
        Requirement {
            figure,
            bound,
            of: None,
            strict: false,
        }
    }

    fn outcomes(figure: FigureId, bound: Bound) -> Vec<Met> {
        let checked = checked(vec![requirement(figure, bound)]);
        checked.iter().map(|checked| checked.outcome).collect()
    }

    #[test]
    fn a_requirement_fails_where_all_of_the_interval_lies_beyond() {
        let read = FigureId::ReadSeconds;
        assert_eq!(outcomes(read, Bound::Below(1.5)), [Met::Yes, Met::No]);
        assert_eq!(outcomes(read, Bound::Above(1.5)), [Met::No, Met::Yes]);
        // The limit lies in the interval of the first.
        assert_eq!(outcomes(read, Bound::Below(1.009)), [Met::CannotSay, Met::No]);
    }

    #[test]
    fn what_is_counted_or_the_largest_is_what_it_is() {
        assert_eq!(outcomes(FigureId::Lost, Bound::Below(1.0)), [Met::Yes, Met::Yes]);
        assert_eq!(outcomes(FigureId::Lost, Bound::Below(0.0)), [Met::No, Met::No]);
    }

    #[test]
    fn a_mean_without_an_interval_of_its_own_has_students_over_the_trials() {
        let checked = checked(vec![requirement(FigureId::JoinSeconds, Bound::Below(60.0))]);
        let estimate = checked[0].estimate.unwrap();
        assert_eq!((checked[0].outcome, estimate.observations), (Met::Yes, 10));
        assert!(estimate.interval.is_some());
    }

    #[test]
    fn what_cannot_be_said_fails_a_run_only_where_it_is_strict() {
        let mut loose = requirement(FigureId::ReadSeconds, Bound::Below(1.009));
        loose.of = Some("one".to_owned());
        let strict = Requirement {
            strict: true,
            ..loose.clone()
        };
        let checked = checked(vec![loose, strict]);
        let fails: Vec<bool> = checked.iter().map(CheckedRequirement::fails).collect();
        assert_eq!(fails, [false, true]);
        assert_eq!(checked[0].reason.as_deref(), Some("the limit lies in the interval"));
    }

    #[test]
    fn a_configuration_without_trials_or_that_was_not_run_cannot_be_judged() {
        let mut plan = one_and_two().plan();
        let left_out = Requirement {
            of: Some("three".to_owned()),
            ..requirement(FigureId::ReadSeconds, Bound::Below(5.0))
        };
        plan.scenario.requirements = vec![requirement(FigureId::ReadSeconds, Bound::Below(5.0)), left_out];
        let mut trials = run(&plan, |_| Some(1.0));
        for trial in trials.iter_mut().filter(|t| t.order.configuration == 1) {
            *trial = failed(&plan, trial.order.clone(), 1, FailureKind::Stall);
        }
        let checked = summarise(&plan, &trials).requirements;
        let said: Vec<(Met, Option<&str>)> = checked.iter().map(|c| (c.outcome, c.reason.as_deref())).collect();
        assert_eq!(
            said,
            [
                (Met::Yes, None),
                (Met::CannotSay, Some("no trial has the figure")),
                (Met::CannotSay, Some("it was not run")),
            ]
        );
    }
}
