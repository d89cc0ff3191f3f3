//! A summary or a comparison as JSON, for other programs.

use serde::Serialize;

use super::compare::CompareInput;
use super::input::ReportInput;

/// `summary.json`: the summary's own type, indented.
pub fn summary_json(input: &ReportInput) -> String {
    pretty(input.summary)
}

/// The comparison's own type, indented.
pub fn compare_json(input: &CompareInput) -> String {
    pretty(input.comparison)
}

fn pretty(value: &impl Serialize) -> String {
    // Neither type has a map with other keys than text or a value that can fail, so each always has a JSON form.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::summary::Summary;
    use crate::testing::report::Fixture;

    #[test]
    fn the_summary_can_be_read_back() {
        let live = [Fixture::latency(), Fixture::catch_up(), Fixture::capacity()];
        for fixture in [Fixture::one_vs_two()].into_iter().chain(live) {
            let text = super::summary_json(&fixture.input());
            assert_eq!(serde_json::from_str::<Summary>(&text).unwrap(), fixture.summary);
        }
    }
}
