//! Whether a run that goes on until something holds may stop, and if not, what is still measured and for how long.

use super::conclude::compare_for;
use super::looks::{Looks, blocks_with_pairs};
use super::model::{Comparison, Method, Question, Verdict};
use super::scene::{Pair, Scene, is_clear};
use crate::measure::Trial;
use crate::scenario::{Scenario, Until};
use crate::stats::count;

/// The result of a look at the trials so far: stop or continue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// Nothing that more blocks could bring is missing.
    pub stops: bool,
    /// The condition of `until` holds. Also false if the run stops because some comparisons can never be decided.
    pub holds: bool,
    /// Otherwise: the forecast of further blocks; `None` if there is no forecast or it exceeds the limit.
    pub blocks_more: Option<u32>,
    /// True where configurations leave the blocks.
    leaving: bool,
    /// The block after which the first look was made.
    first_look: Option<u32>,
    /// Blocks until the first look is made.
    blocks_to_first_look: u32,
    watched: Vec<Watched>,
}

/// A comparison that answers the scenario's question.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Watched {
    pair: Pair,
    /// One of the two was given up.
    is_gone: bool,
    /// Its last block, where it has stopped.
    last_block: Option<u32>,
    /// The run still waits for it.
    is_open: bool,
    /// The forecast of further blocks.
    blocks_more: Option<u32>,
}

impl Watched {
    fn needs(&self, configuration: usize) -> bool {
        self.pair.0 == configuration || self.pair.1 == configuration
    }
}

impl Outlook {
    /// Whether a configuration takes part in a block. Up to the first look all do; after it those whose comparison had
    /// not stopped before that block, and their baselines.
    pub fn is_measured(&self, block: u32, configuration: usize) -> bool {
        if !self.leaving || self.first_look.is_none_or(|first| block <= first) {
            return true;
        }
        let goes_on = |c: &Watched| !c.is_gone && c.last_block.is_none_or(|last| block <= last);
        self.watched.iter().any(|c| c.needs(configuration) && goes_on(c))
    }

    /// Whether a configuration will probably take part in the block that is so many `ahead`, the next being 1.
    pub fn is_expected(&self, ahead: u32, configuration: usize) -> bool {
        if !self.leaving || ahead <= self.blocks_to_first_look {
            return true;
        }
        let goes_on = |c: &Watched| c.is_open && c.blocks_more.is_none_or(|more| ahead <= more);
        self.watched.iter().any(|c| c.needs(configuration) && goes_on(c))
    }
}

/// The outlook of a run without a fixed number of blocks, of which some configurations were given up; `None` where the
/// number is fixed.
///
/// Only comparisons of the scenario's own question by metrics that answer it count. The run does not wait for a
/// comparison with a configuration that was given up, or without a figure in any block by the first look: neither will
/// be decided. A clear side counts as decided even if its verdict is barred, because more blocks would not change that.
pub fn outlook(scenario: &Scenario, trials: &[Trial], given_up: &[usize]) -> Option<Outlook> {
    let until = scenario.repetitions().until()?;
    let scene = Scene::new(scenario, trials);
    let looks = Looks::of(&scene);
    let blocks = count(blocks_with_pairs(&scene.trials).len());
    let looked = scene.has_looked(blocks);
    let is_gone = |pair: Pair| given_up.contains(&pair.0) || given_up.contains(&pair.1);
    let comparisons: Vec<Comparison> = compare_for(&scene, Question::Scenario, &looks)
        .into_iter()
        .filter(|c| c.metric.is_inferential(scenario))
        .collect();
    let pair_of = |c: &Comparison| (c.baseline, c.configuration);
    let hopeless = |c: &Comparison| is_gone(pair_of(c)) || (looked && c.blocks == 0);
    let barred = |c: &Comparison| until == Until::Decided && c.verdict == Verdict::Undecided;
    let watch = |c: &Comparison| {
        let last_block = looks.last_block(pair_of(c));
        let is_clear = last_block.is_some() || is_clear(c, until, scenario);
        Watched {
            pair: pair_of(c),
            is_gone: is_gone(pair_of(c)),
            last_block,
            is_open: !hopeless(c) && !is_clear,
            blocks_more: blocks_more(&scene, c, until),
        }
    };
    let watched: Vec<Watched> = comparisons.iter().map(watch).collect();
    let open = || watched.iter().filter(|c| c.is_open);
    let is_clear = open().next().is_none();
    let leaving = scenario.repetitions().leaving();
    let each: Option<Vec<u32>> = open().map(|c| c.blocks_more).collect();
    let first_look = match scene.rule.method() {
        Method::Sequential { first_look, .. } => first_look,
        Method::Fixed => 0,
    };
    // Nobody waits for comparisons that cannot be made, but single figures are worth the blocks up to the first look.
    let waits = comparisons.is_empty() || (leaving && given_up.len() < scenario.configurations.len());
    Some(Outlook {
        stops: is_clear && (looked || !waits),
        holds: is_clear && (looked || !waits) && !comparisons.iter().any(|c| hopeless(c) || barred(c)),
        blocks_more: each.and_then(|each| each.into_iter().max()),
        leaving,
        first_look: looks.first,
        blocks_to_first_look: first_look.saturating_sub(blocks),
        watched,
    })
}

/// The forecast of further blocks of an open comparison.
fn blocks_more(scene: &Scene, comparison: &Comparison, until: Until) -> Option<u32> {
    match until {
        Until::Decided => comparison.blocks_more,
        Until::HalfWidth(share) => {
            let logs = scene.values((comparison.baseline, comparison.configuration), comparison.metric);
            let logs: Vec<f64> = logs.into_iter().map(|(_, log)| log).collect();
            let needed = scene.rule.needed_for_width(&logs, share.ln_1p())?;
            Some(count(needed - logs.len()))
        }
    }
}
