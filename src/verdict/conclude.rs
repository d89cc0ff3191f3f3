//! Every configuration against its baseline, paired within blocks, and what is concluded.

use super::looks::Looks;
use super::model::{Comparison, Metric, Question, Verdict};
use super::pairs::{pairs, questions};
use super::scene::{Pair, Scene, side};
use crate::figures::By;
use crate::measure::Trial;
use crate::scenario::Scenario;
use crate::stats::{self, SIGNIFICANCE, Side, count};

/// All comparisons of a scenario's trials: question by question, metric by metric, each in the scenario's order. Every
/// question and metric is a family of its own in the correction for several comparisons.
pub fn compare(scenario: &Scenario, trials: &[Trial]) -> Vec<Comparison> {
    let scene = Scene::new(scenario, trials);
    let looks = Looks::of(&scene);
    let questions = questions(scenario).into_iter();
    questions
        .flat_map(|question| compare_for(&scene, question, &looks))
        .collect()
}

/// The comparisons of one question.
pub(super) fn compare_for(scene: &Scene, question: Question, looks: &Looks) -> Vec<Comparison> {
    let metrics = Metric::all(scene.scenario).into_iter();
    metrics
        .flat_map(|metric| family(scene, question, metric, looks))
        .collect()
}

/// The comparisons of one question by one metric. One that has stopped rests on the blocks until then.
fn family(scene: &Scene, question: Question, metric: Metric, looks: &Looks) -> Vec<Comparison> {
    let make = |pair: Pair| {
        let values = looks.kept(question, pair, scene.values(pair, metric));
        (scene.made(question, metric, pair, &values), values)
    };
    let pairs = pairs(scene.scenario, question, metric).into_iter();
    let paired: Vec<(Comparison, Vec<f64>)> = pairs.map(make).collect();
    // A comparison that could not be made keeps its place in the correction: its absence is no luck of the others.
    let p: Vec<f64> = paired.iter().map(|(c, _)| c.p.unwrap_or(1.0)).collect();
    let (corrected, all) = (stats::holm(&p), paired.len());
    let is_inferential = metric.is_inferential(scene.scenario);
    let concluded = |((mut comparison, values), p_holm): ((Comparison, Vec<f64>), f64)| {
        comparison.p_holm = comparison.p.filter(|_| is_inferential).map(|_| p_holm);
        conclude(scene, &mut comparison, &values, all);
        comparison
    };
    paired.into_iter().zip(corrected).map(concluded).collect()
}

/// The verdict, or what it would take.
fn conclude(scene: &Scene, comparison: &mut Comparison, values: &[f64], comparisons: usize) {
    let (baseline, configuration) = (comparison.baseline, comparison.configuration);
    let behind = scene.barred.behind[baseline] || scene.barred.behind[configuration];
    let side = side(comparison, scene.scenario);
    comparison.verdict = match side {
        Side::Equivalent if !behind => Verdict::Same,
        Side::Above if !scene.barred.is_no_winner(configuration) => Verdict::Faster,
        Side::Below if !scene.barred.is_no_winner(baseline) => Verdict::Slower,
        Side::Equivalent | Side::Above | Side::Below | Side::Open => Verdict::Undecided,
    };
    if side == Side::Open {
        // At the level that the correction leaves this comparison.
        let factor = match (comparison.p, comparison.p_holm) {
            (Some(p), Some(p_holm)) if p > 0.0 => (p_holm / p).clamp(1.0, comparisons.max(1) as f64),
            _ => 1.0,
        };
        let edge = comparison.metric.edge(scene.scenario);
        let needed = scene.rule.needed(values, edge, SIGNIFICANCE / factor);
        let fewest = match comparison.metric.comparing().by {
            By::Ratio => 0,
            By::Difference => stats::observations_to_tell(values),
        };
        let repetitions = scene.scenario.repetitions();
        let most = repetitions
            .until()
            .map_or(usize::MAX, |_| repetitions.at_most() as usize);
        let needed = needed.map(|needed| needed.max(fewest)).filter(|needed| *needed <= most);
        comparison.blocks_more = needed.map(|needed| count(needed - values.len()));
    }
}
