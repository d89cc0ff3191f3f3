//! A verdict for each configuration of a run against the same one of the first run.

use std::collections::BTreeSet;

use super::figures::{measure_of, speeds};
use super::matching::Matching;
use super::model::{Measure, RunVerdict};
use super::run::{StoredRun, run_name};
use crate::scenario::Mode;
use crate::stats::{self, Estimate, SIGNIFICANCE, Side};
use crate::summary::capacity;
use crate::summary::live_model::CapacitySummary;
use crate::verdict::{Verdict, fell_behind, is_tainted};

/// Fewer trials of a run have no interval.
const TRIALS_MIN: usize = 2;

/// All verdicts. The comparisons by one measure are corrected together, over configurations and runs: they are what one
/// command asks. Those of a run with itself are none, and take no part.
pub(super) fn verdicts(runs: &[StoredRun], matched: &[Matching], same: &[bool], threshold: f64) -> Vec<RunVerdict> {
    let mut all = Vec::new();
    for (place, matching) in matched.iter().enumerate() {
        let verdict_on = |pair: &(usize, usize)| Versus::of(runs, place + 1, *pair, same[place]);
        all.extend(matching.pairs.iter().map(verdict_on));
    }
    let tested: BTreeSet<Measure> = all
        .iter()
        .map(|v| v.verdict.measure)
        .filter(|m| m.metric().is_some())
        .collect();
    for measure in tested {
        let family = || {
            all.iter()
                .enumerate()
                .filter(|(_, v)| v.verdict.measure == measure && !v.is_same_run)
        };
        let places: Vec<usize> = family().map(|(place, _)| place).collect();
        // One that could not be made keeps its place in the correction.
        let p: Vec<f64> = family().map(|(_, v)| v.verdict.p.unwrap_or(1.0)).collect();
        for (place, p_holm) in places.into_iter().zip(stats::holm(&p)) {
            let verdict = &mut all[place].verdict;
            verdict.p_holm = verdict.p.map(|_| p_holm);
        }
    }
    all.sort_by_key(|v| (v.place, v.verdict.measure));
    all.into_iter().map(|v| v.conclude(threshold)).collect()
}

/// A comparison before its conclusion.
struct Versus {
    /// Place of the run.
    place: usize,
    is_same_run: bool,
    /// In the first run and in the other: trials failed, or lost or doubled records.
    tainted: [bool; 2],
    /// In either, readers fell behind in some trial.
    behind: [bool; 2],
    /// In a search for capacity, what both found.
    capacities: Option<[CapacitySummary; 2]>,
    /// Still without its verdict.
    verdict: RunVerdict,
}

impl Versus {
    fn of(runs: &[StoredRun], place: usize, pair: (usize, usize), is_same_run: bool) -> Self {
        let sides = [(&runs[0], pair.0), (&runs[place], pair.1)];
        let scenario = &runs[0].plan.scenario;
        let c = &scenario.configurations[pair.0];
        let measure = measure_of(runs, &c.mode);
        let [first, other] = sides.map(|(run, index)| speeds(run, index, measure));
        let logs = |speeds: &[f64]| speeds.iter().map(|speed| speed.ln()).collect::<Vec<f64>>();
        let capacities = scenario.capacity.as_ref().filter(|_| measure == Measure::Capacity);
        let capacities =
            capacities.map(|wanted| sides.map(|(run, index)| capacity::summarise(wanted, index, run.trials)));
        // In a search rates that are too high are what it looks for.
        let fell_behind =
            |mode: &Mode, run: &StoredRun, index| measure != Measure::Capacity && fell_behind(mode, run.trials, index);
        Versus {
            place,
            is_same_run,
            tainted: sides.map(|(run, index)| is_tainted(run.trials, index)),
            behind: sides.map(|(run, index)| fell_behind(&c.mode, run, index)),
            verdict: RunVerdict {
                run: run_name(place),
                configuration: c.name.clone(),
                measure,
                ratio: match &capacities {
                    Some([first, other]) => ratio_of_capacities(first, other),
                    None => Estimate::unpaired_ratio(&first, &other),
                },
                p: stats::permutation_p(&logs(&first), &logs(&other), scenario.seed).filter(|_| !is_same_run),
                p_holm: None,
                trials_baseline: first.len(),
                trials: other.len(),
                verdict: Verdict::Undecided,
                note: None,
            },
            capacities,
        }
    }

    fn conclude(self, threshold: f64) -> RunVerdict {
        let (verdict, note) = if self.is_same_run {
            (Verdict::Same, Some("the very same trials".to_owned()))
        } else {
            match self.side(threshold) {
                Ok(side) => self.verdict_of(side),
                Err(why) => (Verdict::Undecided, Some(why)),
            }
        };
        let mut concluded = self.verdict;
        if self.is_same_run {
            // A figure is as large as itself, however much its trials vary.
            concluded.ratio = concluded.ratio.map(|ratio| Estimate {
                interval: None,
                ..ratio
            });
        }
        (concluded.verdict, concluded.note) = (verdict, note);
        concluded
    }

    /// Where the interval lies, or why there is none.
    fn side(&self, threshold: f64) -> Result<Side, String> {
        if let Some([first, other]) = &self.capacities {
            return side_of_capacities(first, other, self.verdict.ratio, threshold, &self.verdict.run);
        }
        let counts = [
            (run_name(0), self.verdict.trials_baseline),
            (self.verdict.run.clone(), self.verdict.trials),
        ];
        if let Some((run, count)) = counts.into_iter().find(|(_, count)| *count < TRIALS_MIN) {
            let had = if count == 0 { "no trial" } else { "a single trial" };
            return Err(format!("{run} has {had} with this figure"));
        }
        let interval = self.verdict.ratio.and_then(|ratio| ratio.interval);
        let interval = interval.ok_or_else(|| "there is no interval".to_owned())?;
        let significant = self.verdict.p_holm.is_some_and(|p| p <= SIGNIFICANCE);
        Ok(stats::decide(interval, threshold, significant))
    }

    /// The same rules as within a run: who failed or fell behind wins nothing, and who fell behind is not as good.
    fn verdict_of(&self, side: Side) -> (Verdict, Option<String>) {
        let names = [run_name(0), self.verdict.run.clone()];
        let barred = |who: usize| {
            if self.tainted[who] {
                let name = &names[who];
                Some(format!(
                    "{name} is not called the faster one: trials of it failed, or lost or repeated records"
                ))
            } else if self.behind[who] {
                Some(format!(
                    "in {} readers fell behind, and only its better trials have figures",
                    names[who]
                ))
            } else {
                None
            }
        };
        let behind = (0..2).find(|who| self.behind[*who]).and_then(barred);
        let (verdict, obstacle) = match side {
            Side::Equivalent => (Verdict::Same, behind),
            Side::Above => (Verdict::Faster, barred(1)),
            Side::Below => (Verdict::Slower, barred(0)),
            Side::Open => (Verdict::Undecided, None),
        };
        if obstacle.is_some() {
            return (Verdict::Undecided, obstacle);
        }
        let note = (side == Side::Open).then(|| self.why_open());
        (verdict, note)
    }

    fn why_open(&self) -> String {
        let interval = self.verdict.ratio.and_then(|ratio| ratio.interval);
        let excludes_one = interval.is_some_and(|(low, high)| low > 1.0 || high < 1.0);
        if self.capacities.is_some() {
            "the searches leave both possible".to_owned()
        } else if excludes_one {
            "the interval excludes 1, but the corrected p is above 0.05".to_owned()
        } else {
            "the interval contains 1 and reaches beyond the threshold".to_owned()
        }
    }
}

/// How many times the capacity is what it was: of the rates that held, from the least to the most that is possible.
fn ratio_of_capacities(first: &CapacitySummary, other: &CapacitySummary) -> Option<Estimate> {
    let (before, now) = (first.low?, other.low?);
    let interval = first
        .high
        .zip(other.high)
        .map(|(before_high, now_high)| (now / before_high, now_high / before));
    Some(Estimate {
        point: now / before,
        interval,
        observations: 2,
    })
}

fn side_of_capacities(
    first: &CapacitySummary,
    other: &CapacitySummary,
    ratio: Option<Estimate>,
    threshold: f64,
    run: &str,
) -> Result<Side, String> {
    for (name, found) in [(run_name(0).as_str(), first), (run, other)] {
        if found.low.is_none() {
            return Err(format!("in {name} no rate held the objective"));
        }
        if !found.confirmed {
            return Err(format!("in {name} no longer trial confirmed the answer"));
        }
    }
    if let Some(interval) = ratio.and_then(|ratio| ratio.interval) {
        return Ok(stats::decide(interval, threshold, true));
    }
    // A run that failed at no rate still has the lower bound of the rate that it held.
    let beyond = |held: Option<f64>, failed: Option<f64>| held.zip(failed).is_some_and(|(held, failed)| held > failed);
    Ok(if beyond(other.low, first.high) {
        Side::Above
    } else if beyond(first.low, other.high) {
        Side::Below
    } else {
        Side::Open
    })
}
