//! The summary as JSON, for other programs.

use super::ReportInput;

/// `summary.json`: the summary's own type, indented.
pub fn summary_json(input: &ReportInput) -> String {
    // The summary has neither maps with other keys than text nor values that refuse, so it always has a JSON form.
    let mut text = serde_json::to_string_pretty(input.summary).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::fixture::Fixture;
    use crate::summary::Summary;

    #[test]
    fn the_summary_can_be_read_back() {
        let live = [Fixture::latency(), Fixture::catch_up(), Fixture::capacity()];
        for fixture in [Fixture::one_vs_two()].into_iter().chain(live) {
            let text = super::summary_json(&fixture.input());
            assert_eq!(serde_json::from_str::<Summary>(&text).unwrap(), fixture.summary);
        }
    }
}
