//! Every trial with its status and remarks.

use crate::measure::{Measurement, Status, Trial, TrialKind};
use crate::report::format::{duration, or_unknown, rate};
use crate::report::input::ReportInput;
use crate::report::table::{Cell, Column, Table};
use crate::wording::{plural, with_commas};

/// All trials.
pub(crate) fn trials(input: &ReportInput) -> Table {
    table("Every trial, in the order of running", input.trials.iter())
}

/// Those that have a remark.
pub(crate) fn trials_with_remarks(input: &ReportInput) -> Table {
    table(
        "Trials with remarks",
        input.trials.iter().filter(|t| !remarks(t).is_empty()),
    )
}

fn table<'a>(caption: &str, trials: impl Iterator<Item = &'a Trial>) -> Table {
    type Row<'a> = &'a Trial;
    let time = |t: &Row, length_ns: fn(&Measurement) -> u64| {
        or_unknown(t.measurement.as_ref(), |m| duration(length_ns(m) as f64 / 1e9))
    };
    let columns = [
        Column::figures("number", |t: &Row| t.order.number.to_string()),
        Column::words("kind", |t: &Row| t.order.kind.as_str()),
        Column::figures("block", |t: &Row| (t.order.block + 1).to_string()),
        Column::words("configuration", |t: &Row| {
            Cell::from(t.configuration_name.clone()).about(t.order.configuration)
        }),
        Column::words("status", |t: &Row| t.status.as_str()),
        Column::figures("records/s", |t: &Row| {
            let read = t.measurement.as_ref().filter(|m| m.read_ns() > 0);
            or_unknown(read.map(Measurement::records_per_second), rate)
        }),
        Column::figures("read time", |t: &Row| time(t, Measurement::read_ns)),
        Column::figures("stopwatch", |t: &Row| time(t, Measurement::stopwatch_ns)),
        Column::words("remarks", |t: &Row| remarks(t)),
    ];
    Table::of(caption, columns, trials)
}

/// Why a trial is not in the estimates, and its flags with their evidence.
pub(crate) fn remarks(trial: &Trial) -> String {
    let status = match &trial.status {
        Status::Complete => None,
        Status::Excluded { reason } => Some(reason.clone()),
        Status::Failed(failure) => {
            let who = failure.who.as_ref().map(|who| format!(" ({who})")).unwrap_or_default();
            Some(format!("{}{who}: {}", failure.kind.describe(), failure.message))
        }
    };
    let flags = trial
        .flags
        .iter()
        .map(|f| format!("{}: {}", f.kind.as_str(), f.evidence));
    let session = (trial.session > 1).then(|| format!("session {}", trial.session));
    let remarks: Vec<String> = status.into_iter().chain(flags).chain(session).collect();
    remarks.join("; ")
}

/// How many trials there are and how they ended, in a sentence.
pub(crate) fn trials_sentence(input: &ReportInput) -> String {
    let counted = || input.trials.iter().filter(|t| t.order.kind == TrialKind::Counted);
    let number = |is_one: fn(&&Trial) -> bool| with_commas(counted().filter(is_one).count() as u64);
    let searched = input.trials.iter().any(|t| t.order.kind == TrialKind::Search);
    let others = if searched {
        "the others are warm-up and the search for the capacity"
    } else {
        "the others are pilots and warm-up"
    };
    format!(
        "{} run, {} of them counted ({others}): {} used, {} failed, {} excluded.",
        plural(input.trials.len() as u64, "trial"),
        with_commas(counted().count() as u64),
        number(|t| t.is_used()),
        number(|t| matches!(t.status, Status::Failed(_))),
        number(|t| matches!(t.status, Status::Excluded { .. })),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::report::Fixture;

    #[test]
    fn the_steps_of_a_search_are_no_pilots() {
        let sentence = |fixture: Fixture| trials_sentence(&fixture.input());
        assert!(sentence(Fixture::capacity()).contains("warm-up and the search for the capacity"));
        assert!(sentence(Fixture::latency()).contains("pilots and warm-up"));
    }

    #[test]
    fn remarks_name_the_failure_and_the_member() {
        let fixture = Fixture::one_vs_two();
        let mut trials = fixture.trials.iter();
        let failed = trials.find(|t| matches!(t.status, Status::Failed(_))).unwrap();
        assert_eq!(
            remarks(failed),
            "a worker died (group 1, process 2): the worker was ended by signal 9 (KILL)"
        );
        let table = trials_with_remarks(&fixture.input());
        assert_eq!(table.rows.len(), 3);
    }
}
