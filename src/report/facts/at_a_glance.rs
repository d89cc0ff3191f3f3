//! What limits a run and whether to trust it, in a sentence or two each.

use std::fmt::Write as _;

use super::members::{Reason, reasons};
use crate::report::format::percent;
use crate::report::input::ReportInput;
use crate::summary::BottleneckKind;
use crate::wording::{capitalised, grouped, joined, plural};

/// Paragraphs with their names.
pub(crate) fn at_a_glance(input: &ReportInput) -> Vec<(&'static str, String)> {
    let notes = [("What limits it", limits(input)), ("Can it be trusted?", trust(input))];
    notes.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

/// The bottleneck of most configurations with its evidence and remedy, and the others by name.
fn limits(input: &ReportInput) -> String {
    let all = reasons(input);
    let known = all.iter().filter(|reason| reason.kind != BottleneckKind::Unknown);
    let mut kinds = grouped(known.map(|reason| (reason.meaning(), reason)));
    let number = |reasons: &[&Reason]| reasons.iter().map(|reason| reason.configurations.len()).sum::<usize>();
    kinds.sort_by_key(|(_, reasons)| std::cmp::Reverse(number(reasons)));
    let Some(((meaning, reasons), others)) = kinds.split_first() else {
        return String::new();
    };
    let configurations = input.summary.configurations.len();
    let share = |reasons: &[&Reason]| match number(reasons) {
        number if number == configurations => "everywhere".to_owned(),
        number => format!("in {number} of {configurations} configurations"),
    };
    let first = reasons.iter().max_by_key(|reason| reason.configurations.len());
    let mut text = format!("{} {}", capitalised(meaning), share(reasons));
    for (name, evidence) in first.iter().filter_map(|reason| reason.configurations.first()) {
        let _ = write!(text, ". {name}: {evidence}");
    }
    for (meaning, reasons) in others {
        let _ = write!(text, "; {meaning} {}", share(reasons));
    }
    let remedy = first.map_or("", |reason| reason.remedy.as_str());
    joined([&*(text + "."), remedy], " ")
}

/// How many trials the figures rest on, what disturbed them, and the smallest difference that they would show.
fn trust(input: &ReportInput) -> String {
    let quality = &input.summary.quality;
    if quality.trials_counted == 0 {
        return String::new();
    }
    let used = input.trials.iter().filter(|trial| trial.is_used()).count();
    let mut parts = vec![format!(
        "{used} of {} used",
        plural(u64::from(quality.trials_counted), "counted trial")
    )];
    parts.push(match quality.trials_disturbed {
        0 => "none disturbed by other programs".to_owned(),
        disturbed => format!("{disturbed} disturbed by other programs"),
    });
    if let Some(detectable) = quality.detectable {
        let threshold = percent(input.scenario.threshold);
        parts.push(format!(
            "differences from about {} on would show (threshold {threshold})",
            percent(detectable)
        ));
    }
    let warnings = input.summary.warnings.len();
    if warnings > 0 {
        parts.push(format!("{} below", plural(warnings as u64, "warning")));
    }
    format!("{}.", capitalised(&parts.join("; ")))
}
