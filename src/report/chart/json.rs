//! Charts as JSON, small enough for a page.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::drawing::Chart;

/// The specs of all charts.
pub(crate) fn charts_json(charts: &[&Chart]) -> String {
    let specs: Vec<_> = charts.iter().map(|chart| &chart.spec).collect();
    let mut json = Vec::new();
    // Writing into memory cannot fail, and no spec has a map with other keys than text.
    let _ = specs.serialize(&mut Serializer::with_formatter(&mut json, Rounded));
    String::from_utf8(json).unwrap_or_default()
}

/// Writes figures with the digits that a drawing shows.
struct Rounded;

impl Formatter for Rounded {
    fn write_f64<W: ?Sized + Write>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        write!(out, "{}", rounded(value))
    }
}

/// Four significant digits. Shares near 1 keep their nines.
fn rounded(value: f64) -> f64 {
    if value > 0.99 && value < 1.0 {
        return ((1.0 - rounded(1.0 - value)) * 1e12).round() / 1e12;
    }
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
#[allow(clippy::float_cmp)]
mod tests {
    use super::*;
    use crate::report::chart::charts;
    use crate::testing::report::Fixture;

    #[test]
    fn figures_have_four_digits_and_shares_keep_their_nines() {
        let values = [4_081_234.0, 0.012_345, 1.0 - 1e-6, 0.0, 17.0];
        assert_eq!(values.map(rounded), [4_081_000.0, 0.012_35, 0.999_999, 0.0, 17.0]);
    }

    #[test]
    fn every_dot_of_a_spec_has_the_number_of_its_trial_and_every_row_its_configuration() {
        let fixture = Fixture::one_vs_two();
        let charts = charts(&fixture.input());
        let json: serde_json::Value =
            serde_json::from_str(&charts_json(&charts.iter().collect::<Vec<_>>())).unwrap_or_default();
        let rows = json[0]["panels"][0]["rows"].as_array().cloned().unwrap_or_default();
        assert_eq!(json[0]["kind"], "rows");
        assert_eq!(rows.len(), 4);
        for row in rows {
            let c = row["c"].as_u64();
            for dot in row["marks"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|mark| mark["k"] == "dot")
            {
                let trial = fixture
                    .trials
                    .iter()
                    .find(|t| Some(u64::from(t.order.number)) == dot["t"].as_u64());
                assert_eq!(trial.map(|t| t.order.configuration as u64), c);
            }
        }
    }
}
