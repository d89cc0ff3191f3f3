//! Names and sentences that several charts share.

use std::ops::Range;

use crate::report::input::ReportInput;
use crate::report::labels::{Labels, family_title};
use crate::scenario::Scenario;
use crate::wording::joined;

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
    let name = labels.short(configuration);
    if name.contains(&family) {
        return name.to_owned();
    }
    joined([name, &family], " · ")
}

/// The families whose configurations share a panel, and so an axis: one, or all of them where each has one
/// configuration, which on an axis of its own would say nothing.
pub(super) fn panels(scenario: &Scenario) -> Vec<Range<usize>> {
    let families = 0..scenario.families.len();
    if share_axis(scenario) {
        return vec![families];
    }
    families.map(|family| family..family + 1).collect()
}

fn share_axis(scenario: &Scenario) -> bool {
    let mut families = scenario.families.iter();
    scenario.families.len() > 1 && families.all(|family| family.configurations.len() == 1)
}

/// The title of a panel of these families: the family's, and none where several share it, because rows name theirs.
pub(super) fn panel_title(scenario: &Scenario, families: &Range<usize>) -> String {
    if families.len() == 1 {
        family_title(scenario, families.start)
    } else {
        String::new()
    }
}

/// A configuration's name beside its row: with its family's where families share a panel.
pub(super) fn row_title(input: &ReportInput, labels: &Labels, configuration: usize) -> String {
    if share_axis(input.scenario) {
        full_title(input, labels, configuration)
    } else {
        labels.short(configuration).to_owned()
    }
}

/// The figures of a description; nothing where there are too many.
pub(super) fn in_figures(sentences: &[String]) -> String {
    if sentences.is_empty() || sentences.len() > NAMED_MAX {
        String::new()
    } else {
        format!(" In figures: {}.", sentences.join("; "))
    }
}

/// What a description says of so many panels with a family each.
pub(super) fn own_scales(panels: usize) -> String {
    match panels {
        0 | 1 => String::new(),
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
