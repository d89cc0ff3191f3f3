//! How good the run was, as words and figures.

use crate::figures::FigureId;
use crate::report::format::p_value;
use crate::report::input::ReportInput;
use crate::wording::plural;

/// What is known of the quality of the run; empty for a run without a trial that has a figure.
pub(crate) fn quality(input: &ReportInput) -> Vec<(&'static str, String)> {
    let quality = &input.summary.quality;
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let disturbed = (quality.trials_counted > 0).then(|| {
        let counted = plural(u64::from(quality.trials_counted), "counted trial");
        format!("{} of {counted}", quality.trials_disturbed)
    });
    let noise = quality.noise.map(|noise| {
        format!(
            "{}: the standard deviation of one trial's figure, median over the configurations",
            percent(noise)
        )
    });
    let detectable = quality.detectable.map(|detectable| {
        format!(
            "about {} in the blocks made, with that noise; the threshold is {}",
            percent(detectable),
            percent(input.scenario.threshold)
        )
    });
    let drift = quality.drift.map(|drift| {
        let (change, p) = (drift.change * 100.0, p_value(drift.p));
        format!("{change:+.1} % from the first trial to the last, p {p}")
    });
    let serial = quality.serial.map(|serial| {
        let p = p_value(serial.p);
        format!("correlation {:+.2} of each trial with the next, p {p}", serial.lag_one)
    });
    let bounds = input.summary.configurations.iter();
    let bounds = bounds.filter_map(|summary| summary.figures.point(FigureId::ClockBoundMs));
    let clocks = bounds.reduce(f64::max).map(|bound_ms| {
        format!(
            "compared with the coordinator's to within {bound_ms:.3} ms; times of two hosts may be wrong by so much{}",
            drift_of_clocks(input)
        )
    });
    let facts = [
        ("Disturbed", disturbed),
        ("Noise", noise),
        ("Smallest detectable difference", detectable),
        ("Drift", drift),
        ("Similarity of neighbours", serial),
        ("Clocks of other hosts", clocks),
    ];
    facts
        .into_iter()
        .filter_map(|(name, text)| Some((name, text?)))
        .collect()
}
/// How far the clocks of other hosts drifted between two comparisons.
fn drift_of_clocks(input: &ReportInput) -> String {
    let used = input.trials.iter().filter(|trial| trial.is_used());
    let clocks = used
        .filter_map(|trial| trial.measurement.as_ref())
        .flat_map(|m| &m.clocks.0);
    let drifts = clocks.filter_map(|clock| clock.drift_ns_per_s);
    let largest = drifts.map(i64::unsigned_abs).max();
    largest.map_or_else(String::new, |ns| {
        format!(", their drift of up to {:.1} µs in a second included", ns as f64 / 1e3)
    })
}
