//! How good the run was, as words and figures.

use crate::report::ReportInput;
use crate::report::format::{count, p_value};

/// What is known of the quality of the run; empty for a run without a trial that has a figure.
pub(in crate::report) fn quality(input: &ReportInput) -> Vec<(&'static str, String)> {
    let quality = &input.summary.quality;
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let mut facts = Vec::new();
    if quality.trials_counted > 0 {
        facts.push((
            "Disturbed",
            format!(
                "{} of {}",
                quality.trials_disturbed,
                count(u64::from(quality.trials_counted), "counted trial")
            ),
        ));
    }
    if let Some(noise) = quality.noise {
        facts.push((
            "Noise",
            format!(
                "{}: the standard deviation of one trial's figure, median over the configurations",
                percent(noise)
            ),
        ));
    }
    if let Some(detectable) = quality.detectable {
        facts.push((
            "Smallest difference to be told",
            format!(
                "about {} in the blocks made, with that noise; the threshold is {}",
                percent(detectable),
                percent(input.scenario.threshold)
            ),
        ));
    }
    if let Some(drift) = quality.drift {
        facts.push((
            "Drift",
            format!(
                "{:+.1} % from the first trial to the last, p {}",
                drift.change * 100.0,
                p_value(drift.p)
            ),
        ));
    }
    if let Some(serial) = quality.serial {
        facts.push((
            "Likeness of neighbours",
            format!(
                "correlation {:+.2} of each trial with the next, p {}",
                serial.lag_one,
                p_value(serial.p)
            ),
        ));
    }
    facts
}
