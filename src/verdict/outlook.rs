//! Whether a run that goes on until something holds may stop, and if not, how many blocks it will probably take.

use super::conclude::{compare_for, side};
use super::model::{Comparison, Method, Question, Verdict};
use super::pairs::{paired_trials, paired_values};
use super::rule::Rule;
use crate::measure::{Trial, TrialKind};
use crate::scenario::{Scenario, Until};
use crate::stats::{Side, count};

/// The result of a look at the trials so far: stop or continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlook {
    /// Nothing that more blocks could bring is missing.
    pub stops: bool,
    /// The condition of `until` holds. Also false if the run stops because some comparisons can never be decided.
    pub holds: bool,
    /// Otherwise: the forecast of further blocks; `None` if there is no forecast or it exceeds the limit.
    pub blocks_more: Option<u32>,
}

/// The outlook of a run without a fixed number of blocks, of which some configurations were given up; `None` where the
/// number is fixed.
///
/// Only comparisons of the scenario's own question by metrics that answer it count. The run does not wait for a
/// comparison with a configuration that was given up, or without a figure in any block by the first look: neither will
/// be decided. A clear side counts as decided even if its verdict is barred, because more blocks would not change that.
pub fn outlook(scenario: &Scenario, trials: &[Trial], given_up: &[usize]) -> Option<Outlook> {
    let until = scenario.repetitions.until()?;
    let rule = Rule::of(scenario);
    let paired = paired_trials(trials);
    let blocks = whole_blocks(&paired);
    let looked = matches!(rule.method(), Method::Sequential { first_look, .. } if blocks >= first_look);
    let gone = |c: &&Comparison| given_up.contains(&c.baseline) || given_up.contains(&c.configuration);
    let comparisons: Vec<Comparison> = compare_for(scenario, trials, &rule, Question::Scenario)
        .into_iter()
        .filter(|c| c.metric.is_inferential(scenario))
        .collect();
    if comparisons.is_empty() {
        return Some(Outlook {
            stops: looked,
            holds: looked,
            blocks_more: None,
        });
    }
    let hopeless = |c: &&Comparison| gone(c) || (looked && c.blocks == 0);
    let is_open = |c: &&Comparison| !hopeless(c) && !is_clear(c, until, scenario);
    let open: Vec<&Comparison> = comparisons.iter().filter(is_open).collect();
    let barred = |c: &&Comparison| until == Until::Decided && c.verdict == Verdict::Undecided;
    let more = |c: &&Comparison| match until {
        Until::Decided => c.blocks_more,
        Until::HalfWidth(share) => {
            let logs = paired_values(scenario, &paired, (c.baseline, c.configuration), c.metric);
            let needed = rule.needed_for_width(&logs, share.ln_1p())?;
            Some(count(needed - logs.len()))
        }
    };
    let each: Option<Vec<u32>> = open.iter().map(more).collect();
    Some(Outlook {
        stops: open.is_empty(),
        holds: open.is_empty() && !comparisons.iter().any(|c| hopeless(&c) || barred(&c)),
        blocks_more: each.and_then(|each| each.into_iter().max()),
    })
}

fn is_clear(comparison: &Comparison, until: Until, scenario: &Scenario) -> bool {
    match until {
        Until::Decided => side(comparison, scenario) != Side::Open,
        // The reader of scenarios lets only ratios go on until a width.
        Until::HalfWidth(share) => comparison
            .gain()
            .is_some_and(|(low, high)| (high - low) / 2.0 <= share.ln_1p()),
    }
}

/// Counted blocks with used trials.
fn whole_blocks(paired: &[&Trial]) -> u32 {
    let counted = paired.iter().filter(|t| t.order.kind == TrialKind::Counted);
    let blocks: std::collections::BTreeSet<u32> = counted.map(|t| t.order.block).collect();
    count(blocks.len())
}
