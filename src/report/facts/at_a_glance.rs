//! What limits a run and whether to trust it, in a sentence or two each.

use super::members::{Reason, reasons};
use crate::report::format::percent;
use crate::report::input::ReportInput;
use crate::summary::BottleneckKind;
use crate::wording::{capitalised, plural};

/// Paragraphs with their names.
pub(crate) fn at_a_glance(input: &ReportInput) -> Vec<(&'static str, String)> {
    let notes = [("What limits it", limits(input)), ("Can it be trusted?", trust(input))];
    notes.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

/// The bottleneck of most configurations with its evidence and remedy, and the others by name.
fn limits(input: &ReportInput) -> String {
    let mut found = reasons(input);
    found.retain(|reason| reason.kind != BottleneckKind::Unknown);
    found.sort_by_key(|reason| std::cmp::Reverse(reason.configurations.len()));
    let Some((first, others)) = found.split_first() else {
        return String::new();
    };
    let all = input.summary.configurations.len();
    let number = |reason: &Reason| format!("{} of {all}", reason.configurations.len());
    let (name, evidence) = &first.configurations[0];
    let mut text = format!("{}, in {} configurations", capitalised(first.meaning()), number(first));
    text += &format!(". {name}: {evidence}. {}", first.remedy);
    let others: Vec<String> = others
        .iter()
        .map(|other| format!("{} in {}", other.meaning(), number(other)))
        .collect();
    if !others.is_empty() {
        text += &format!(" Else: {}.", others.join("; "));
    }
    text.trim_end().to_owned()
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
