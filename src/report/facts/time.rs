//! Where the time of the run went.

use crate::report::format::{duration, percent};
use crate::report::input::ReportInput;
use crate::report::table::{Column, Table};
use crate::summary::{Part, TimeAccount, TimePart};

/// The parts of the run's time in their order, with their sum; no rows where the times are not known.
pub(crate) fn times(input: &ReportInput) -> Table {
    let account = input.summary.time.as_ref();
    let total = account.map_or(0.0, |account| account.seconds);
    let trials = account.map_or(1, |account| account.trials.max(1));
    let rows = account.map(|account| account.parts.clone()).unwrap_or_default();
    let each = move |part: &TimePart| match part.part {
        Part::Trial(_) => duration(part.seconds / f64::from(trials)),
        Part::Session(_) => String::new(),
    };
    let mut table = Table::of(
        "Where the time went",
        [
            Column::words("part", |part: &TimePart| part.part.to_string()),
            Column::figures("seconds", |part: &TimePart| format!("{:.1}", part.seconds)),
            Column::figures("share", move |part: &TimePart| percent(part.seconds / total)),
            Column::figures("each trial", each),
        ],
        rows,
    );
    if let Some(account) = account {
        let sum = [
            "all".to_owned(),
            format!("{:.1}", account.seconds),
            percent(1.0),
            String::new(),
        ];
        table.rows.push(sum.map(Into::into).into());
    }
    table
}

/// How much of the run's time was reading: `reading took 48 % of 1 min 44 s`; `None` where the times are not known.
pub(crate) fn reading_share(account: &TimeAccount) -> String {
    let share = percent(account.reading_share());
    format!("reading took {share} of {}", duration(account.seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Step;
    use crate::summary::TrialPhase;
    use crate::testing::report::Fixture;

    #[test]
    fn the_parts_of_the_time_are_listed_with_their_share_and_their_sum() {
        let mut fixture = Fixture::one_vs_two();
        assert!(
            times(&fixture.input()).rows.is_empty(),
            "of an old run nothing is known"
        );
        let part = |part, seconds| TimePart { part, seconds };
        let account = TimeAccount {
            seconds: 20.0,
            trials: 4,
            parts: vec![
                part(Part::Session(Step::Brokers), 6.0),
                part(Part::Trial(TrialPhase::Join), 4.0),
                part(Part::Trial(TrialPhase::Reading), 8.0),
                part(Part::Trial(TrialPhase::ReadingUncounted), 2.0),
            ],
        };
        assert_eq!(reading_share(&account), "reading took 50 % of 20.0 s");
        fixture.summary.time = Some(account);
        let table = times(&fixture.input());
        assert_eq!(
            table.texts(),
            [
                ["starting or reaching the brokers", "6.0", "30 %", ""],
                ["joining the group", "4.0", "20 %", "1.00 s"],
                ["reading, counted trials", "8.0", "40 %", "2.00 s"],
                ["reading, pilots and warm-up", "2.0", "10 %", "500 ms"],
                ["all", "20.0", "100 %", ""],
            ]
        );
    }
}
