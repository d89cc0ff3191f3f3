//! Cells that several tables have.

use std::fmt::Write as _;

use crate::report::conclusion::Conclusion;
use crate::report::input::ReportInput;
use crate::summary::{Comparison, ConfigurationSummary, Undecided};

/// What is concluded of a configuration that is compared with no other.
pub(super) fn without_comparison(input: &ReportInput, c: &ConfigurationSummary) -> Conclusion {
    if input.is_baseline(c.configuration) {
        Conclusion::Baseline
    } else {
        Conclusion::Unknown
    }
}

/// The verdict of a comparison, or why there is none.
pub(super) fn verdict(input: &ReportInput, compared: &Comparison) -> Conclusion {
    match Conclusion::of(compared.verdict, compared.ratio, input.scenario.threshold) {
        Conclusion::Undecided(_) => {
            let all = &input.summary.comparisons;
            Conclusion::Undecided(Undecided::of(input.scenario, input.trials, all, compared))
        }
        decided => decided,
    }
}

/// `8 of 10, 1 failed, 1 excluded`: the trials in the figures, those planned, and what became of the others.
pub(super) fn trials_cell(c: &ConfigurationSummary, used: u32) -> String {
    let mut text = format!("{used} of {}", c.trials_planned);
    for (number, what) in [(c.trials_failed, "failed"), (c.trials_excluded, "excluded")] {
        if number > 0 {
            let _ = write!(text, ", {number} {what}");
        }
    }
    text
}
