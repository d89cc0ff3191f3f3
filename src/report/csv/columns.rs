//! The columns of `summary.csv` and `trials.csv`.

use super::rows::{Row, SummaryRow, TrialRow, optional};
use crate::figures::{FIGURES, FigureId};
use crate::measure::{FlagKind, Status, Trial};
use crate::report::format::work;
use crate::summary::BottleneckKind;

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
    vec![
        column("configuration", "", "its name", |r: &R| {
            r.configuration().0.name.clone()
        }),
        column("topics", "topics", "topics that every member subscribes to", |r: &R| {
            r.configuration().1.topics.to_string()
        }),
        column(
            "partitions",
            "partitions",
            "partitions of each topic; of existing topics, the most that one has",
            |r: &R| r.configuration().1.partitions.to_string(),
        ),
        column(
            "groups",
            "groups",
            "consumer groups, each reading everything",
            |r: &R| r.configuration().0.groups.to_string(),
        ),
        column("processes", "processes", "worker processes of each group", |r: &R| {
            r.configuration().0.processes.to_string()
        }),
        column(
            "consumers_per_process",
            "consumers",
            "consumers in each process",
            |r: &R| r.configuration().0.consumers.to_string(),
        ),
        column("members", "members", "groups x processes x consumers", |r: &R| {
            r.configuration().0.members().to_string()
        }),
        column("work", "", "what a member does with each record", |r: &R| {
            work(r.configuration().0.work)
        }),
    ]
}

fn figures<R: Row>(of_load: bool) -> Vec<Column<R>> {
    let wanted = FIGURES.iter().filter(|figure| figure.is_of_load() == of_load);
    wanted
        .map(|figure| {
            column(&figure.name, figure.unit.name(), &figure.meaning, |r: &R| {
                r.figure(figure)
            })
        })
        .collect()
}

pub(super) fn loads<R: Row>() -> Vec<Column<R>> {
    let flag = |value: Option<bool>| value.map_or(String::new(), |value| value.to_string());
    let judged = |r: &R| r.load().and_then(|load| load.judgement);
    vec![
        column(
            "load_reached",
            "true, false",
            "whether the producers kept to the schedule; of a configuration, in every used trial",
            move |r: &R| flag(r.load().map(|load| load.reached)),
        ),
        column(
            "overloaded",
            "true, false",
            "whether the readers fell behind; of a configuration, in more than half of the used trials",
            move |r: &R| flag(r.load().map(|load| load.overloaded)),
        ),
        column(
            "load_verdict",
            "`holds`, `cannot-say`, `overloaded`",
            "[what the window says](method.md#overload) of every member and partition; of a configuration, by more than \
             half of the used trials; empty in mixed trials",
            move |r: &R| judged(r).map_or(String::new(), |judged| judged.verdict.as_str().to_owned()),
        ),
        column(
            "load_resolution",
            "share",
            "the smallest growth of a lag that would have shown, as a share of what arrives",
            move |r: &R| optional(judged(r).map(|judged| judged.resolution)),
        ),
        column(
            "load_fullness",
            "share",
            "load of the fullest member or partition as a share of what it can do",
            move |r: &R| optional(judged(r).map(|judged| judged.fullness)),
        ),
    ]
}

pub(super) fn capacities<R: Row>() -> Vec<Column<R>> {
    vec![
        column(
            "capacity_per_second",
            "records/s",
            "capacity of the configuration: the highest rate that held the objective below every rate that did not, each \
             judged by the majority of its trials; empty but for a search for capacity",
            |r: &R| optional(r.capacity().and_then(|capacity| capacity.per_second)),
        ),
        column(
            "capacity_per_second_low",
            "records/s",
            "lower end of the answer: that rate",
            |r: &R| optional(r.capacity().and_then(|capacity| capacity.low)),
        ),
        column(
            "capacity_per_second_high",
            "records/s",
            "upper end of the answer: the lowest rate at which the readers failed; empty where they failed at none",
            |r: &R| optional(r.capacity().and_then(|capacity| capacity.high)),
        ),
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
    type R<'a> = SummaryRow<'a>;
    let number = |name, meaning, of: fn(&R) -> u32| column(name, "trials", meaning, move |r: &R| of(r).to_string());
    vec![
        number("trials_planned", "counted trials of the plan", |r| {
            r.summary.trials_planned
        }),
        number("trials_used", "trials in the estimates", |r| r.summary.trials_used),
        number(
            "trials_failed",
            "counted trials that failed, or lost or repeated records",
            |r| r.summary.trials_failed,
        ),
        number(
            "trials_excluded",
            "counted trials that ended but broke a rule of the method",
            |r| r.summary.trials_excluded,
        ),
    ]
}

fn conclusions<'a>() -> Vec<Column<SummaryRow<'a>>> {
    type R<'a> = SummaryRow<'a>;
    let end = |name, meaning, of: fn((f64, f64)) -> f64| {
        column(name, "records/s", meaning, move |r: &R| {
            let estimate = r.summary.estimate(FigureId::RecordsPerSecond);
            optional(estimate.and_then(|estimate| estimate.interval).map(of))
        })
    };
    vec![
        end(
            "records_per_second_low",
            "lower end of the 95 % confidence interval of `records_per_second`",
            |(low, _)| low,
        ),
        end("records_per_second_high", "upper end of it", |(_, high)| high),
        column("bottleneck", "", &bottleneck_names(), |r: &R| {
            r.summary.bottleneck.kind.as_str().to_owned()
        }),
        column(
            "bottleneck_evidence",
            "",
            "the figures that led to it, medians over the used trials; where it is unknown, what was found instead",
            |r: &R| r.summary.bottleneck.evidence.clone(),
        ),
        column(
            "speed_up",
            "",
            "how many times as fast as the smallest number of its series ([what that is](method.md#how-much-more-brings)); \
             empty in none",
            |r: &R| optional(r.scaling.and_then(|p| Some(p.speed_up?.point))),
        ),
        column("efficiency", "", "speed-up as a share of the ideal", |r: &R| {
            optional(r.scaling.and_then(|p| Some(p.efficiency?.point)))
        }),
    ]
}

fn bottleneck_names() -> String {
    let names = BottleneckKind::ALL.map(|kind| format!("`{}`", kind.as_str()));
    format!("[what limits it](method.md#why): {}", names.join(", "))
}

pub(super) fn trial_columns<'a>() -> Own<TrialRow<'a>> {
    type R<'a> = TrialRow<'a>;
    Own {
        first: vec![
            column(
                "number",
                "",
                "place in the run, from 1; names the file in `trials/`",
                |r: &R| r.trial.order.number.to_string(),
            ),
            column(
                "kind",
                "",
                "`pilot` (finds the record count), `search` (a step of a search for capacity), `warmup` (not counted) or \
                 `counted`",
                |r: &R| r.trial.order.kind.as_str().to_owned(),
            ),
            column(
                "block",
                "",
                "block of the trial, from 0 in each kind; a pilot's attempt",
                |r: &R| r.trial.order.block.to_string(),
            ),
            column("position", "", "place within the block, from 0", |r: &R| {
                r.trial.order.position.to_string()
            }),
            column("session", "", "1, and one more for every `--resume`", |r: &R| {
                r.trial.session.to_string()
            }),
            column("started_at", "UTC", "when the trial began", |r: &R| {
                r.trial.started_at.to_string()
            }),
            column("status", "", "`complete`, `excluded` or `failed`", |r: &R| {
                r.trial.status.as_str().to_owned()
            }),
            column(
                "failure",
                "",
                "why it failed or was excluded; empty for a complete trial",
                |r: &R| failure(&r.trial.status),
            ),
            column("flags", "", &flag_names(), |r: &R| flags(r.trial)),
        ],
        middle: Vec::new(),
        last: Vec::new(),
    }
}

fn flag_names() -> String {
    let names = FlagKind::ALL.map(|kind| format!("`{}`", kind.as_str()));
    format!(
        "names of what was noteworthy, separated by spaces: {}",
        names.join(", ")
    )
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
