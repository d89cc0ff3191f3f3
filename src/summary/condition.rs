//! Conditions that make a comparison fail, as continuous integration sets them, and the comparisons that they judge:
//! between runs, or within one. Pure; knows nothing of exit codes.

use std::fmt;
use std::str::FromStr;

use super::compare::{RunComparison, RunVerdict};
use super::model::Summary;
use crate::scenario::Scenario;
use crate::stats::SIGNIFICANCE;
use crate::verdict::{Comparison, Effect, Metric, Question, Verdict, pairs};

/// What makes a comparison fail.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Condition {
    /// A verdict "slower".
    Slower,
    /// A loss of at least this share, beyond doubt: all of the interval lies below.
    SlowerBy(f64),
    /// A verdict "undecided", or none.
    Undecided,
    /// So many trials of the run were disturbed that it is not to be trusted; says nothing of a comparison.
    Disturbed,
}

/// What a condition says of a comparison that must not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    /// The condition holds.
    Holds,
    /// Too few trials have a figure to say whether it holds.
    CannotBeJudged,
}

/// A comparison as conditions see it, whether its sides are two runs or two configurations of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// What is compared; no two of a command have the same.
    pub name: String,
    /// What it is compared with.
    pub baseline: String,
    /// By what; `None` where it is not compared.
    pub by: Option<JudgedBy>,
    /// How far it is from the baseline.
    pub effect: Option<Effect>,
    /// The interval about 0 and towards what is better: of the logarithm of the ratio, or of the difference.
    pub gain: Option<(f64, f64)>,
    /// p after Holm's correction; `None` where there is no test, as of capacities.
    pub p_holm: Option<f64>,
    /// What is concluded; `None` where it is not compared.
    pub verdict: Option<Verdict>,
    /// Why it is not compared, or has no verdict.
    pub note: Option<String>,
}

/// By what a comparison is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JudgedBy {
    /// A metric.
    Metric(Metric),
    /// The answers of two searches for capacity, of which there is no test.
    Capacity,
}

impl Judged {
    /// True if all of the interval lies beyond a loss of this share (0.05: at most 0.95 times as fast), and the
    /// corrected test agrees. The practical threshold plays no part: whoever names a loss has said what matters. Nor does it
    /// that the baseline has failed trials, which keep it from being called the faster one: a loss is a loss.
    fn is_slower_by(&self, loss: f64) -> bool {
        let beyond = self.gain.is_some_and(|(_, high)| high < (-loss).ln_1p());
        let is_untested = self.by == Some(JudgedBy::Capacity);
        beyond && (is_untested || self.p_holm.is_some_and(|p| p <= SIGNIFICANCE))
    }

    /// True where there is nothing to judge by: a side has too few trials with a figure.
    fn cannot_be_judged(&self) -> bool {
        self.verdict == Some(Verdict::Undecided) && self.gain.is_none()
    }
}

impl Condition {
    /// What it says of a comparison; `None` where that passes.
    pub fn alarm(self, judged: &Judged) -> Option<Alarm> {
        let holds = match (self, judged.verdict) {
            (Condition::Slower, Some(Verdict::Slower)) => true,
            // A baseline with failed trials is not called the faster one, and the loss is there all the same.
            (Condition::Slower, Some(Verdict::Undecided)) => judged.is_slower_by(0.0),
            (Condition::Slower, _) => false,
            (Condition::SlowerBy(loss), _) => judged.is_slower_by(loss),
            (Condition::Disturbed, _) => return None,
            (Condition::Undecided, verdict) => verdict.is_none_or(|verdict| verdict == Verdict::Undecided),
        };
        if holds {
            Some(Alarm::Holds)
        } else if judged.cannot_be_judged() {
            Some(Alarm::CannotBeJudged)
        } else {
            None
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Slower => f.write_str("slower"),
            // 2.5 % is not a binary share: without rounding, 2.5000000000000004 would be printed.
            Condition::SlowerBy(share) => write!(f, "slower:{}%", (share * 1e8).round() / 1e6),
            Condition::Undecided => f.write_str("undecided"),
            Condition::Disturbed => f.write_str("disturbed"),
        }
    }
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "slower" => Ok(Condition::Slower),
            None if text == "undecided" => Ok(Condition::Undecided),
            None if text == "disturbed" => Ok(Condition::Disturbed),
            Some(("slower", loss)) => {
                let percent = loss
                    .strip_suffix('%')
                    .and_then(|number| number.trim().parse::<f64>().ok());
                let share = percent
                    .filter(|percent| *percent > 0.0 && *percent < 100.0)
                    .map(|percent| percent / 100.0);
                let refused = || format!("{loss:?} must be a percentage above 0 and below 100, as in slower:5%");
                share.map(Condition::SlowerBy).ok_or_else(refused)
            }
            _ => Err(format!(
                "{text:?} is none of slower, slower:5%, undecided and disturbed"
            )),
        }
    }
}

/// The comparisons between runs: every verdict, then the configurations of the first run that are not compared.
pub fn judged_between(comparison: &RunComparison) -> Vec<Judged> {
    let baseline = comparison.runs.first().map_or("", |run| &run.name);
    let named = |configuration: &str, run: &str| format!("{configuration} in {run}").trim().to_owned();
    let verdicts = comparison.verdicts.iter().map(|v: &RunVerdict| Judged {
        name: named(&v.configuration, &v.run),
        baseline: baseline.to_owned(),
        by: Some(v.measure.metric().map_or(JudgedBy::Capacity, JudgedBy::Metric)),
        effect: v.ratio.map(Effect::Ratio),
        gain: v
            .ratio
            .and_then(|ratio| ratio.interval)
            .map(|(low, high)| (low.ln(), high.ln())),
        p_holm: v.p_holm,
        verdict: Some(v.verdict),
        note: v.note.clone(),
    });
    let missing = comparison.not_compared.iter().filter(|other| other.in_baseline);
    let missing = missing.map(|other| Judged {
        name: named(&other.configuration, &other.run),
        baseline: baseline.to_owned(),
        by: None,
        effect: None,
        gain: None,
        p_holm: None,
        verdict: None,
        note: Some(other.reason.clone()),
    });
    verdicts.chain(missing).collect()
}

/// The comparisons within a run that answer the scenario's own question: of clusters and builds where these are
/// compared, or else of configurations with their baselines.
pub fn judged_within(scenario: &Scenario, summary: &Summary) -> Vec<Judged> {
    let own = |c: &&Comparison| c.question == Question::Scenario && c.metric.is_inferential(scenario);
    let name = |index: usize| {
        let configuration = scenario.configurations.get(index);
        configuration.map_or_else(String::new, |c| c.name.clone())
    };
    let judged = |c: &Comparison| Judged {
        name: name(c.configuration),
        baseline: name(c.baseline),
        by: Some(JudgedBy::Metric(c.metric)),
        effect: c.effect,
        gain: c.gain(),
        p_holm: c.p_holm,
        verdict: Some(c.verdict),
        note: (c.blocks < 2).then(|| "fewer than two blocks hold a figure of both".to_owned()),
    };
    summary.comparisons.iter().filter(own).map(judged).collect()
}

/// Why no condition can be set on a run of this scenario; `None` where [`judged_within`] will have something to judge.
pub fn why_unjudged(scenario: &Scenario) -> Option<&'static str> {
    let metrics = Metric::all(scenario);
    let mut inferential = metrics.iter().filter(|metric| metric.is_inferential(scenario));
    if inferential.any(|metric| !pairs(scenario, Question::Scenario, *metric).is_empty()) {
        return None;
    }
    Some(if scenario.capacity.is_some() {
        "a search for capacity has no verdicts within a run; compare two runs with `tandem compare`"
    } else {
        "this scenario compares nothing; add --binary OLD,NEW or --against HOST:PORT, or compare two runs with \
         `tandem compare`"
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::summary::summarise;
    use crate::testing::{one_and_two, run};

    fn judged(verdict: Verdict, interval: Option<(f64, f64)>, p_holm: Option<f64>) -> Judged {
        Judged {
            name: "two".to_owned(),
            baseline: "one".to_owned(),
            by: Some(JudgedBy::Metric(Metric::READ_TIME)),
            effect: None,
            gain: interval.map(|(low, high)| (low.ln(), high.ln())),
            p_holm,
            verdict: Some(verdict),
            note: None,
        }
    }

    #[test]
    fn conditions_are_read_and_others_say_what_would_be_right() {
        assert_eq!("slower".parse(), Ok(Condition::Slower));
        assert_eq!("slower:2.5%".parse(), Ok(Condition::SlowerBy(0.025)));
        assert_eq!("undecided".parse(), Ok(Condition::Undecided));
        assert_eq!("disturbed".parse(), Ok(Condition::Disturbed));
        for wrong in [
            "slow",
            "faster",
            "slower:",
            "slower:5",
            "slower:-1%",
            "slower:100%",
            "slower:x%",
            "undecided:5%",
        ] {
            let refused = wrong.parse::<Condition>();
            assert!(
                refused.as_ref().is_err_and(|said| said.contains("5%")),
                "{wrong}: {refused:?}"
            );
        }
        for text in ["slower", "slower:7%", "slower:2.5%", "slower:0.3%", "undecided"] {
            assert_eq!(text.parse::<Condition>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_loss_is_an_alarm_once_it_is_beyond_doubt() {
        let slow = judged(Verdict::Slower, Some((0.80, 0.90)), Some(0.01));
        assert_eq!(Condition::Slower.alarm(&slow), Some(Alarm::Holds));
        assert_eq!(Condition::SlowerBy(0.05).alarm(&slow), Some(Alarm::Holds));
        assert_eq!(Condition::SlowerBy(0.15).alarm(&slow), None);
        assert_eq!(Condition::Undecided.alarm(&slow), None);
        // What keeps the baseline from being called the faster one.
        let barred = judged(Verdict::Undecided, Some((0.80, 0.90)), Some(0.01));
        assert_eq!(Condition::Slower.alarm(&barred), Some(Alarm::Holds));
        let untested = judged(Verdict::Undecided, Some((0.80, 0.90)), Some(0.2));
        assert_eq!(Condition::Slower.alarm(&untested), None);
        assert_eq!(Condition::Undecided.alarm(&untested), Some(Alarm::Holds));
        let without_p = judged(Verdict::Undecided, Some((0.80, 0.90)), None);
        assert_eq!(Condition::SlowerBy(0.05).alarm(&without_p), None);
        // A capacity has no test to agree.
        let capacity = Judged {
            by: Some(JudgedBy::Capacity),
            ..without_p
        };
        assert_eq!(Condition::SlowerBy(0.05).alarm(&capacity), Some(Alarm::Holds));
        for verdict in [Verdict::Same, Verdict::Faster] {
            assert_eq!(
                Condition::Slower.alarm(&judged(verdict, Some((0.98, 1.2)), Some(0.01))),
                None
            );
        }
    }

    #[test]
    fn what_cannot_be_judged_does_not_pass_and_what_is_not_compared_is_undecided() {
        let blind = judged(Verdict::Undecided, None, None);
        for condition in [Condition::Slower, Condition::SlowerBy(0.05)] {
            assert_eq!(condition.alarm(&blind), Some(Alarm::CannotBeJudged));
        }
        assert_eq!(Condition::Undecided.alarm(&blind), Some(Alarm::Holds));
        let missing = Judged {
            verdict: None,
            by: None,
            ..blind
        };
        assert_eq!(Condition::Slower.alarm(&missing), None);
        assert_eq!(Condition::Undecided.alarm(&missing), Some(Alarm::Holds));
        // The same trials have no interval, and nothing is wrong with them.
        assert_eq!(Condition::Slower.alarm(&judged(Verdict::Same, None, None)), None);
    }

    #[test]
    fn within_a_run_each_configuration_is_judged_once_by_what_answers_its_question() {
        let plan = one_and_two().plan();
        assert_eq!(why_unjudged(&plan.scenario), None);
        let trials = run(&plan, |order| {
            Some([1.0, 2.0][order.configuration] + 0.001 * f64::from(order.block))
        });
        let judged = judged_within(&plan.scenario, &summarise(&plan, &trials));
        let [only] = &judged[..] else {
            panic!("{judged:?}");
        };
        assert_eq!(
            (only.by, only.verdict),
            (Some(JudgedBy::Metric(Metric::READ_TIME)), Some(Verdict::Slower))
        );
        assert_eq!(Condition::SlowerBy(0.4).alarm(only), Some(Alarm::Holds));
        assert_eq!(Condition::SlowerBy(0.6).alarm(only), None);
        let none = judged_within(&plan.scenario, &summarise(&plan, &[]));
        assert_eq!(Condition::Slower.alarm(&none[0]), Some(Alarm::CannotBeJudged));
    }

    #[test]
    fn a_scenario_that_compares_nothing_is_said_to() {
        let mut scenario = one_and_two().plan().scenario;
        scenario.configurations.truncate(1);
        assert!(why_unjudged(&scenario).unwrap().contains("--binary"));
    }
}
