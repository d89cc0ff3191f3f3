//! What each configuration came to, with the verdict against its baseline.

use super::cells::{chosen, chosen_metric, peak_memory, trials_cell, verdict, without_comparison};
use super::live;
use crate::figures::FigureId;
use crate::report::format::{UNKNOWN, duration, or_unknown, rate_estimate, ratio_estimate};
use crate::report::input::ReportInput;
use crate::report::labels::{Labels, family_title};
use crate::report::table::{Column, Table, stacked, with_rows};
use crate::summary::ConfigurationSummary;

/// The results of each family: a table for those that read a backlog, one for live and one for mixed ones, and in a
/// search for capacity one of its answers.
pub(crate) fn results(input: &ReportInput) -> Vec<Table> {
    let labels = Labels::new(input.scenario);
    let tables = input.families().flat_map(|family| {
        let backlog = backlog(input, &labels, family);
        std::iter::once(backlog).chain(live::results(input, &labels, family))
    });
    stacked(with_rows(tables))
}

fn backlog(input: &ReportInput, labels: &Labels, family: usize) -> Table {
    type Row<'a> = &'a ConfigurationSummary;
    let idle_members = |c: &ConfigurationSummary| c.count(FigureId::IdleMembers);
    let with_idle = input.summary.configurations.iter().any(|c| idle_members(c) > 0);
    let [figure, effect] = chosen(input, |c: &Row| *c);
    let columns = [
        Column::configuration(labels, |c: &Row| c.configuration),
        Column::figures("records/s\u{a0}[95\u{a0}%]", |c: &Row| {
            or_unknown(c.estimate(FigureId::RecordsPerSecond), |e| rate_estimate(&e))
        })
        .dropped_last(20),
        figure,
        effect,
        Column::figures(speed_header(input, family), |c: &Row| speed(input, c))
            .only_if(chosen_metric(input.scenario).is_none()),
        Column::words("verdict", |c: &Row| {
            let compared = input.own_comparison(c.configuration);
            compared.map_or_else(|| without_comparison(input, c), |compared| verdict(input, compared))
        }),
        Column::figures("read time", |c: &Row| {
            or_unknown(c.point(FigureId::ReadSeconds), duration)
        })
        .dropped(7),
        Column::figures("stopwatch", |c: &Row| {
            or_unknown(c.point(FigureId::StopwatchSeconds), duration)
        })
        .dropped(6),
        peak_memory(input, |c: &Row| *c),
        Column::figures("trials", |c: &Row| trials_cell(c, c.trials_used)).dropped(3),
        Column::figures("idle members", |c: &Row| match idle_members(c) {
            0 => "0".to_owned(),
            idle => format!("{idle} of {}", c.members),
        })
        .dropped(1)
        .only_if(with_idle),
    ];
    let is_backlog = |c: &Row| input.mode(c.configuration).is_none_or(|mode| mode.load().is_none());
    let rows = input.of_family(family).filter(is_backlog);
    Table::of(family_title(input.scenario, family), columns, rows)
}

/// Where configurations left the blocks, the rates of two rows rest on different blocks, and only the paired ratio
/// compares them.
fn speed_header(input: &ReportInput, family: usize) -> &'static str {
    let mut blocks = input.of_family(family).map(|c| c.trials_planned);
    let first = blocks.next();
    if blocks.any(|planned| Some(planned) != first) {
        "paired speed\u{a0}[95\u{a0}%]"
    } else {
        "speed\u{a0}[95\u{a0}%]"
    }
}

fn speed(input: &ReportInput, c: &ConfigurationSummary) -> String {
    match input.own_comparison(c.configuration) {
        Some(compared) => or_unknown(compared.ratio(), |ratio| ratio_estimate(&ratio)),
        None if input.is_baseline(c.configuration) => "1".to_owned(),
        None => UNKNOWN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::plan::Plan;
    use crate::scenario::{Repetitions, Until};
    use crate::summary::summarise;
    use crate::testing::report::Fixture;
    use crate::testing::{ScenarioBuilder, run};

    /// The results of a run of three configurations, the second much faster than the first and the third hardly.
    fn of(repetitions: Repetitions) -> Table {
        let cases = ScenarioBuilder::new()
            .case("one", 1, 1)
            .case("two", 2, 1)
            .case("three", 3, 1);
        let mut scenario = cases.build();
        scenario.repetitions = repetitions;
        let plan = Plan::new(scenario.clone());
        let trials = run(&plan, |order| {
            let phase = f64::from(order.block) * 2.3 + order.configuration as f64 * 1.7;
            Some([1.0, 0.5, 0.96][order.configuration] * (0.04 * phase.sin()).exp())
        });
        let mut fixture = Fixture::of(scenario, trials);
        fixture.summary = summarise(&plan, &fixture.trials);
        assert!(
            fixture.summary.complete && fixture.summary.warnings.is_empty(),
            "{:?}",
            fixture.summary.warnings
        );
        results(&fixture.input()).remove(0)
    }

    #[test]
    fn rows_of_different_blocks_are_compared_by_their_paired_speed() {
        let leaving = of(Repetitions::until_holds(Until::Decided, 20));
        assert!(
            leaving.headers().contains(&"paired speed\u{a0}[95\u{a0}%]"),
            "{:?}",
            leaving.headers()
        );
        let column = leaving.headers().iter().position(|header| *header == "trials").unwrap();
        let trials: Vec<&str> = leaving.texts().iter().map(|row| row[column]).collect();
        assert!(
            trials[1] == "7 of 7" && trials[0] == trials[2] && trials[0] != trials[1],
            "{trials:?}"
        );
        let fixed = of(Repetitions::Fixed(10));
        assert!(
            fixed.headers().contains(&"speed\u{a0}[95\u{a0}%]"),
            "{:?}",
            fixed.headers()
        );
    }
}
