//! The columns of `summary.csv` and `trials.csv`.

use super::rows::{Row, SummaryRow, TrialRow, optional};
use crate::figures::{FIGURES, FigureId};
use crate::measure::{FlagKind, LoadJudgement, Status, Trial};
use crate::summary::{BottleneckKind, ConfigurationSummary};

/// A column and how its value is found; an empty value says that it is not known.
pub(super) struct Column<R> {
    pub(super) name: String,
    /// Its unit and its meaning, of which the documentation is made.
    #[cfg_attr(not(test), allow(dead_code, reason = "a test makes the documentation"))]
    pub(super) about: [String; 2],
    pub(super) value: Box<dyn Fn(&R) -> String>,
}

/// The columns that one of the files has alone.
pub(super) struct Own<R> {
    /// Before all others.
    pub(super) first: Vec<Column<R>>,
    /// Behind what was run.
    pub(super) middle: Vec<Column<R>>,
    /// Behind the figures that do not need a load.
    pub(super) last: Vec<Column<R>>,
}

pub(super) fn column<R>(name: &str, unit: &str, meaning: &str, value: impl Fn(&R) -> String + 'static) -> Column<R> {
    Column {
        name: name.to_owned(),
        about: [unit.to_owned(), meaning.to_owned()],
        value: Box::new(value),
    }
}

/// Columns in the order of the file: name, unit, meaning => value.
macro_rules! columns {
    ($row:ty: $($name:expr, $unit:expr, $meaning:expr => |$r:pat_param| $value:expr;)+) => {
        vec![$(column($name, $unit, $meaning, |$r: &$row| $value)),+]
    };
}
pub(super) use columns;

/// All columns of a file: its own with those that both have between them.
pub(super) fn shared<R: Row>(own: Own<R>) -> Vec<Column<R>> {
    let groups = [
        own.first,
        what_was_run(),
        own.middle,
        figures(false),
        own.last,
        loads(),
        figures(true),
        capacities(),
    ];
    groups.into_iter().flatten().collect()
}

pub(super) fn what_was_run<R: Row>() -> Vec<Column<R>> {
    columns![R:
        "configuration", "", "its name" => |r| r.configuration().0.name.clone();
        "topics", "topics", "topics that every member subscribes to" => |r| r.configuration().1.topics.to_string();
        "partitions", "partitions", "partitions of each topic; of existing topics, the most that one has"
            => |r| r.configuration().1.partitions.to_string();
        "groups", "groups", "consumer groups, each reading everything" => |r| r.configuration().0.groups.to_string();
        "processes", "processes", "worker processes of each group" => |r| r.configuration().0.processes.to_string();
        "consumers_per_process", "consumers", "consumers in each process"
            => |r| r.configuration().0.consumers.to_string();
        "members", "members", "groups x processes x consumers" => |r| r.configuration().0.members().to_string();
        "work", "", "what a member does with each record" => |r| r.configuration().0.work.to_string();
    ]
}

fn figures<R: Row>(of_load: bool) -> Vec<Column<R>> {
    let figures = FIGURES.iter().filter(|figure| figure.is_of_load() == of_load);
    let columns = figures.map(|figure| {
        let value = |r: &R| r.figure(figure);
        column(&figure.name, figure.unit.name(), &figure.meaning, value)
    });
    columns.collect()
}

pub(super) fn loads<R: Row>() -> Vec<Column<R>> {
    fn judged<R: Row>(r: &R) -> Option<LoadJudgement> {
        r.load()?.judgement
    }
    columns![R:
        "load_reached", "true, false",
            "whether the producers kept to the schedule; of a configuration, in every used trial"
            => |r| known(r.load().map(|load| load.reached));
        "overloaded", "true, false",
            "whether the readers fell behind; of a configuration, in more than half of the used trials"
            => |r| known(r.load().map(|load| load.overloaded));
        "load_verdict", "`holds`, `cannot-say`, `overloaded`",
            "[what the window says](method.md#overload) of every member and partition; of a configuration, by more than \
             half of the used trials; empty in mixed trials"
            => |r| known(judged(r).map(|judged| judged.verdict.as_str()));
        "load_resolution", "share",
            "the smallest growth of a lag that the trial would have detected, as a share of what arrives"
            => |r| optional(judged(r).map(|judged| judged.resolution));
        "load_fullness", "share", "load of the fullest member or partition as a share of what it can do"
            => |r| optional(judged(r).map(|judged| judged.fullness));
    ]
}

fn known<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

pub(super) fn capacities<R: Row>() -> Vec<Column<R>> {
    columns![R:
        "capacity_per_second", "records/s",
            "capacity of the configuration: the highest rate that held the objective below every rate that did not, each \
             judged by the majority of its trials; empty but for a search for capacity"
            => |r| optional(r.capacity().and_then(|capacity| capacity.per_second));
        "capacity_per_second_low", "records/s", "lower end of the answer: that rate"
            => |r| optional(r.capacity().and_then(|capacity| capacity.low));
        "capacity_per_second_high", "records/s",
            "upper end of the answer: the lowest rate at which the readers failed; empty where they failed at none"
            => |r| optional(r.capacity().and_then(|capacity| capacity.high));
    ]
}

pub(super) fn summary_columns<'a>() -> Own<SummaryRow<'a>> {
    Own {
        first: Vec::new(),
        middle: trials_of_configuration(),
        last: conclusions(),
    }
}

fn trials_of_configuration<'a>() -> Vec<Column<SummaryRow<'a>>> {
    columns![SummaryRow<'_>:
        "trials_planned", "trials", "counted trials of the plan" => |r| r.summary.trials_planned.to_string();
        "trials_used", "trials", "trials in the estimates" => |r| r.summary.trials_used.to_string();
        "trials_failed", "trials", "counted trials that failed, or lost or repeated records"
            => |r| r.summary.trials_failed.to_string();
        "trials_excluded", "trials", "counted trials that ended but broke a rule of the method"
            => |r| r.summary.trials_excluded.to_string();
        "blocks", "blocks",
            "counted blocks in which it was run; fewer than others have if it left the blocks when it was decided"
            => |r| blocks_run(r.summary).to_string();
    ]
}

fn blocks_run(summary: &ConfigurationSummary) -> u32 {
    summary.trials_used + summary.trials_failed + summary.trials_excluded
}

fn conclusions<'a>() -> Vec<Column<SummaryRow<'a>>> {
    fn interval(r: &SummaryRow) -> Option<(f64, f64)> {
        r.summary.estimate(FigureId::RecordsPerSecond)?.interval
    }
    columns![SummaryRow<'_>:
        "records_per_second_low", "records/s", "lower end of the 95 % confidence interval of `records_per_second`"
            => |r| optional(interval(r).map(|(low, _)| low));
        "records_per_second_high", "records/s", "upper end of it" => |r| optional(interval(r).map(|(_, high)| high));
        "bottleneck", "", &bottleneck_names() => |r| r.summary.bottleneck.kind.as_str().to_owned();
        "bottleneck_evidence", "",
            "the figures that led to it, medians over the used trials; where it is unknown, what was found instead"
            => |r| r.summary.bottleneck.evidence.clone();
        "speed_up", "",
            "how many times as fast as the smallest number of its series ([what that is](method.md#how-much-more-brings)); \
             empty in none"
            => |r| optional(r.scaling.and_then(|p| Some(p.speed_up?.point)));
        "efficiency", "", "speed-up as a share of the ideal"
            => |r| optional(r.scaling.and_then(|p| Some(p.efficiency?.point)));
    ]
}

fn bottleneck_names() -> String {
    let names = as_code(BottleneckKind::ALL.iter().map(|kind| kind.as_str()));
    format!("[what limits it](method.md#why): {names}")
}

/// `a`, `b`, each between backticks.
fn as_code<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

pub(super) fn trial_columns<'a>() -> Own<TrialRow<'a>> {
    let first = columns![TrialRow<'_>:
        "number", "", "place in the run, from 1; names the file in `trials/`" => |r| r.trial.order.number.to_string();
        "kind", "",
            "`pilot` (finds the record count), `search` (a step of a search for capacity), `warmup` (not counted) or \
             `counted`"
            => |r| r.trial.order.kind.as_str().to_owned();
        "block", "", "block of the trial, from 0 in each kind; a pilot's attempt"
            => |r| r.trial.order.block.to_string();
        "position", "", "place within the block, from 0" => |r| r.trial.order.position.to_string();
        "session", "", "1, and one more for every `--resume`" => |r| r.trial.session.to_string();
        "started_at", "UTC", "when the trial began" => |r| r.trial.started_at.to_string();
        "status", "", "`complete`, `excluded` or `failed`" => |r| r.trial.status.as_str().to_owned();
        "failure", "", "why it failed or was excluded; empty for a complete trial" => |r| failure(&r.trial.status);
        "flags", "", &flag_names() => |r| flags(r.trial);
    ];
    Own {
        first,
        middle: Vec::new(),
        last: Vec::new(),
    }
}

fn flag_names() -> String {
    let names = as_code(FlagKind::ALL.iter().map(|kind| kind.as_str()));
    format!("names of what was noteworthy, separated by spaces: {names}")
}

fn failure(status: &Status) -> String {
    match status {
        Status::Complete => String::new(),
        Status::Excluded { reason } => reason.clone(),
        Status::Failed(failure) => {
            let who = failure.who.as_ref().map(|who| format!("{who}: ")).unwrap_or_default();
            format!("{}: {who}{}", failure.kind.describe(), failure.message)
        }
    }
}

fn flags(trial: &Trial) -> String {
    let names: Vec<&str> = trial.flags.iter().map(|flag| flag.kind.as_str()).collect();
    names.join(" ")
}
