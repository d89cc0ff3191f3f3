//! Whole runs as tandem decides them: Holm's correction over the comparisons, each of which stops by itself, and
//! configurations that leave the blocks when no comparison needs them any longer.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::noise::{Machine, Noise};
use crate::runs::THRESHOLD;
use tandem::stats::{Estimate, SIGNIFICANCE, Sequential, Side, Stops, decide, first_look};

/// Configurations with their true logarithms of speed, and which of them are compared: (baseline, configuration).
pub struct Layout {
    pub name: &'static str,
    pub truths: Vec<f64>,
    pub pairs: Vec<(usize, usize)>,
}

impl Layout {
    /// So many families, each of a baseline and of others with these true ratios to it.
    pub fn new(name: &'static str, families: &[&[f64]]) -> Self {
        let (mut truths, mut pairs) = (Vec::new(), Vec::new());
        for ratios in families {
            let baseline = truths.len();
            truths.push(0.0);
            for ratio in *ratios {
                pairs.push((baseline, truths.len()));
                truths.push(ratio.ln());
            }
        }
        Layout { name, truths, pairs }
    }

    /// The true logarithm of a comparison's ratio.
    pub fn truth(&self, comparison: usize) -> f64 {
        let (baseline, configuration) = self.pairs[comparison];
        self.truths[configuration] - self.truths[baseline]
    }
}

/// What is done with a comparison that is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// It stops, and its configurations leave the blocks.
    Leaves,
    /// It is decided anew at each look, until all are decided at one.
    Stays,
}

/// What a run concluded of each comparison, and what it took.
pub struct Finished {
    pub sides: Vec<Side>,
    pub ratios: Vec<Option<Estimate>>,
    pub trials: usize,
}

impl Finished {
    /// True where something is called faster or slower than what is as fast.
    pub fn has_false_verdict(&self, layout: &Layout) -> bool {
        let called = |side: &Side| matches!(side, Side::Above | Side::Below);
        let mut all = self.sides.iter().enumerate();
        all.any(|(index, side)| layout.truth(index) == 0.0 && called(side))
    }

    /// Comparisons whose interval contains the truth.
    pub fn covered(&self, layout: &Layout) -> usize {
        let covers = |(index, ratio): (usize, &Option<Estimate>)| {
            let truth = layout.truth(index).exp();
            let interval = ratio.and_then(|ratio| ratio.interval);
            interval.is_some_and(|(low, high)| low <= truth && truth <= high)
        };
        self.ratios.iter().enumerate().filter(|each| covers(*each)).count()
    }

    pub fn is_decided(&self) -> bool {
        !self.sides.contains(&Side::Open)
    }
}

/// One run of at most so many blocks.
pub fn run(noise: &Noise, layout: &Layout, at_most: usize, decided: Decided, random: &mut ChaCha8Rng) -> Finished {
    let method = Sequential::new(first_look(layout.pairs.len(), SIGNIFICANCE), at_most);
    let (all, comparisons) = (layout.truths.len(), layout.pairs.len());
    let mut machine = Machine::new(noise, at_most * all, random);
    let mut order: Vec<usize> = (0..all).collect();
    let (mut stops, mut trials) = (Stops::none(comparisons), 0);
    let mut logs: Vec<Vec<f64>> = vec![Vec::new(); comparisons];
    let mut sides = vec![Side::Open; comparisons];
    for block in 1..=at_most {
        let needs = |configuration: usize| {
            let mut open = (0..comparisons).filter(|index| !stops.has_stopped(*index));
            open.any(|index| layout.pairs[index].0 == configuration || layout.pairs[index].1 == configuration)
        };
        machine.block(&mut order, random);
        let mut figures = vec![f64::NAN; all];
        for &configuration in order.iter().filter(|configuration| needs(**configuration)) {
            figures[configuration] = machine.trial(layout.truths[configuration], random);
            trials += 1;
        }
        for (index, (baseline, configuration)) in layout.pairs.iter().enumerate() {
            if !stops.has_stopped(index) {
                logs[index].push(figures[*configuration] - figures[*baseline]);
            }
        }
        if block < method.first() {
            continue;
        }
        sides = look(&method, &logs, &mut stops, decided);
        if !sides.contains(&Side::Open) || block == at_most {
            let ratios = logs.iter().map(|logs| method.ratio(logs)).collect();
            return Finished { sides, ratios, trials };
        }
    }
    let ratios = vec![None; comparisons];
    Finished { sides, ratios, trials }
}

fn look(method: &Sequential, logs: &[Vec<f64>], stops: &mut Stops, decided: Decided) -> Vec<Side> {
    let side = |index: usize, p: f64| {
        let interval = method.ratio(&logs[index]).and_then(|ratio| ratio.interval);
        interval.map_or(Side::Open, |interval| decide(interval, THRESHOLD, p <= SIGNIFICANCE))
    };
    let p = |index: usize| method.p(&logs[index]).unwrap_or(1.0);
    let is_settled = |index: usize, p: f64| decided == Decided::Leaves && side(index, p) != Side::Open;
    let corrected = stops.look(p, is_settled);
    corrected
        .into_iter()
        .enumerate()
        .map(|(index, p)| side(index, p))
        .collect()
}

/// Simulated runs.
pub fn simulate(
    noise: &Noise,
    layout: &Layout,
    runs: usize,
    (at_most, decided): (usize, Decided),
    seed: u64,
) -> Vec<Finished> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..runs)
        .map(|_| run(noise, layout, at_most, decided, &mut random))
        .collect()
}
