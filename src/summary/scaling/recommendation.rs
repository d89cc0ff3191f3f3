//! How many are worth having, by intervals: what is known, and what the run leaves open.

use super::model::{Recommendation, ScalingPoint, ScalingSeries};
use super::step::{Step, Worth, each};
use super::words;
use crate::stats::{Estimate, SIGNIFICANCE};

/// Goes up from the smallest count as long as a larger one is known to be worth it - the next, or, where the next is not
/// (three members on four partitions), one beyond it. What is gained for each one added, ratio^(1 / added), is held
/// against the threshold. A step is worth it only where the test of the verdicts agrees, too, with its p multiplied by
/// the number of counts to step to (Bonferroni): what no verdict would call faster is not recommended either.
pub(super) fn recommend(
    series: &ScalingSeries,
    threshold: f64,
    compare: impl Fn(&ScalingPoint, &ScalingPoint) -> (Option<Estimate>, Option<f64>, Option<u32>),
    is_barred: impl Fn(&ScalingPoint) -> bool,
) -> Option<Recommendation> {
    let points = &series.points;
    let step = |from: usize, to: usize| {
        let (from, to) = (&points[from], &points[to]);
        let (ratio, p, blocks_more) = compare(from, to);
        let interval = ratio.and_then(|ratio| each(ratio, to.count - from.count).interval);
        let worth = match interval {
            Some((low, _)) if low > 1.0 + threshold => Worth::Yes,
            Some((_, high)) if high < 1.0 + threshold => Worth::No,
            _ => Worth::Open,
        };
        let agrees = p.is_some_and(|p| p * (points.len() - 1) as f64 <= SIGNIFICANCE);
        let doubted = worth == Worth::Yes && !agrees;
        let barred = (worth == Worth::Yes && is_barred(to)) || (worth == Worth::No && is_barred(from));
        let worth = if barred || doubted { Worth::Open } else { worth };
        Step {
            from,
            to,
            ratio,
            worth,
            barred,
            doubted,
            blocks_more: blocks_more.filter(|_| worth == Worth::Open && !barred && !doubted),
        }
    };
    let mut reached = 0;
    let mut last = None;
    let ahead = loop {
        let ahead: Vec<Step> = (reached + 1..points.len()).map(|to| step(reached, to)).collect();
        // What is open is not gone past: a larger count may owe all that it gains to this one.
        let mut steps = ahead.iter().take_while(|step| step.worth != Worth::Open);
        let Some(up) = steps.position(|step| step.worth == Worth::Yes) else {
            break ahead;
        };
        last = Some((reached, reached + 1 + up));
        reached += 1 + up;
    };
    let here = points.get(reached)?;
    let certain = !ahead.is_empty() && ahead.iter().all(|step| step.worth == Worth::No);
    let last = last.map(|(from, to)| step(from, to));
    Some(Recommendation {
        count: here.count,
        certain,
        most_measured: ahead.is_empty(),
        blocks_more: ahead
            .iter()
            .find(|step| step.worth == Worth::Open)
            .and_then(|step| step.blocks_more),
        text: words::recommendation(series, here, &ahead, last, threshold),
    })
}
