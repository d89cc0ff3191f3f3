//! The looks of a run that goes on until something holds: after which block each comparison stopped.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Comparison, Metric, Question};
use super::pairs::pairs;
use super::scene::{Pair, Scene, is_clear};
use crate::measure::{Trial, TrialKind};
use crate::scenario::Until;
use crate::stats::Stops;

/// When the comparisons of a scenario's own question stopped. Found again from the trials at each look, block by block:
/// what a look concluded rests on the blocks up to it, so later trials never change it.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// The block after which the first look was made.
    pub(super) first: Option<u32>,
    /// The last block of each comparison that has stopped.
    stopped: BTreeMap<Pair, u32>,
}

impl Looks {
    /// The looks at the blocks so far; none where the number of blocks is fixed, and where comparisons stop together.
    pub(super) fn of(scene: &Scene) -> Looks {
        let mut looks = Looks::default();
        let repetitions = scene.scenario.repetitions();
        let (Some(until), true) = (repetitions.until(), repetitions.leaving()) else {
            return looks;
        };
        let metrics = Metric::all(scene.scenario).into_iter();
        let inferential = metrics.filter(|metric| metric.is_inferential(scene.scenario));
        let mut families: Vec<Family> = inferential.map(|metric| Family::new(scene, metric)).collect();
        let blocks = blocks_with_pairs(&scene.trials);
        let looked_at = blocks
            .into_iter()
            .zip(1..)
            .filter(|(_, number)| scene.has_looked(*number));
        for (block, _) in looked_at {
            looks.first.get_or_insert(block);
            for family in &mut families {
                looks.stopped.extend(family.look(scene, until, block));
            }
        }
        looks
    }

    /// The last block of a comparison that has stopped.
    pub(super) fn last_block(&self, pair: Pair) -> Option<u32> {
        self.stopped.get(&pair).copied()
    }

    /// The values that a comparison rests on.
    pub(super) fn kept(&self, question: Question, pair: Pair, values: Vec<(u32, f64)>) -> Vec<f64> {
        let last = self.last_block(pair).filter(|_| question == Question::Scenario);
        let kept = values
            .into_iter()
            .filter(|(block, _)| last.is_none_or(|last| *block <= last));
        kept.map(|(_, value)| value).collect()
    }
}

/// Counted blocks with trials that take part in comparisons, ascending.
pub(super) fn blocks_with_pairs(paired: &[&Trial]) -> BTreeSet<u32> {
    let counted = paired.iter().filter(|t| t.order.kind == TrialKind::Counted);
    counted.map(|t| t.order.block).collect()
}

/// The comparisons by one metric, which are corrected together.
struct Family {
    metric: Metric,
    pairs: Vec<(Pair, Vec<(u32, f64)>)>,
    stops: Stops,
}

impl Family {
    fn new(scene: &Scene, metric: Metric) -> Self {
        let pairs = pairs(scene.scenario, Question::Scenario, metric).into_iter();
        let pairs: Vec<(Pair, Vec<(u32, f64)>)> = pairs.map(|pair| (pair, scene.values(pair, metric))).collect();
        Family {
            metric,
            stops: Stops::none(pairs.len()),
            pairs,
        }
    }

    /// A look after a block: the comparisons that stop at it. One without a figure in any block never will have one.
    fn look(&mut self, scene: &Scene, until: Until, block: u32) -> Vec<(Pair, u32)> {
        let before: Vec<bool> = (0..self.pairs.len())
            .map(|index| self.stops.has_stopped(index))
            .collect();
        let made = |(pair, values): &(Pair, Vec<(u32, f64)>)| {
            let values: Vec<f64> = values
                .iter()
                .filter(|(of, _)| *of <= block)
                .map(|(_, value)| *value)
                .collect();
            scene.made(Question::Scenario, self.metric, *pair, &values)
        };
        // Those that have stopped are not looked at again.
        let open = self.pairs.iter().zip(&before);
        let now: Vec<Option<Comparison>> = open.map(|(pair, stopped)| (!stopped).then(|| made(pair))).collect();
        let p = |index: usize| now[index].as_ref().and_then(|comparison| comparison.p).unwrap_or(1.0);
        let is_settled = |index: usize, p_holm: f64| {
            now[index].clone().is_some_and(|mut comparison| {
                comparison.p_holm = comparison.p.map(|_| p_holm);
                comparison.blocks == 0 || is_clear(&comparison, until, scene.scenario)
            })
        };
        self.stops.look(p, is_settled);
        let indices = 0..self.pairs.len();
        let stopped_now = indices.filter(|index| self.stops.has_stopped(*index) && !before[*index]);
        stopped_now.map(|index| (self.pairs[index].0, block)).collect()
    }
}
