//! Names and sentences that several charts share.

use crate::report::grouped::joined;
use crate::report::input::ReportInput;
use crate::report::labels::{Labels, family_title};
use crate::scenario::Scenario;

/// With more configurations than this a description names none of them.
const NAMED_MAX: usize = 6;
/// More panels than this would bury the page.
const PANELS_MAX: usize = 24;

/// What is drawn outside the window of a trial with arriving records.
pub(super) const OUTSIDE_WINDOW: &str = "outside the window: warm-up, and draining when the load has ended";
pub(super) const SECONDS_OF_LOAD: &str = "seconds since the load began";

/// A configuration's name with its family's.
pub(super) fn full_title(input: &ReportInput, labels: &Labels, configuration: usize) -> String {
    let family = input.scenario.configurations.get(configuration).map(|c| c.family);
    let family = family.map_or_else(String::new, |family| family_title(input.scenario, family));
    joined([labels.short(configuration), &family], " · ")
}

/// The figures of a description; nothing where there are too many.
pub(super) fn in_figures(sentences: &[String]) -> String {
    if sentences.is_empty() || sentences.len() > NAMED_MAX {
        String::new()
    } else {
        format!(" In figures: {}.", sentences.join("; "))
    }
}

/// What a description says of the panels where there are several families.
pub(super) fn own_scales(scenario: &Scenario) -> String {
    match scenario.families.len() {
        1 => String::new(),
        n => format!(" Each of the {n} families has its own scale."),
    }
}

/// The sentence of a description about configurations that the chart leaves out.
pub(super) fn left_out(drawn: usize, all: usize) -> String {
    if drawn < all {
        format!(" {drawn} of {all} configurations are drawn, evenly chosen; the files of the trials hold the others.")
    } else {
        String::new()
    }
}

/// The items that get a panel, evenly spaced where there are too many.
pub(super) fn with_panel<T: Copy>(items: &[T]) -> Vec<T> {
    evenly(items, PANELS_MAX)
}

/// At most `max` of the items, the first and the last among them, evenly spaced.
pub(super) fn evenly<T: Copy>(items: &[T], max: usize) -> Vec<T> {
    if items.len() <= max {
        return items.to_vec();
    }
    (0..max).map(|i| items[i * (items.len() - 1) / (max - 1)]).collect()
}
