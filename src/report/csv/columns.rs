//! The columns of `summary.csv` and `trials.csv`.

use super::{SummaryRow, TrialRow, failure, flags, kind, optional, point};
use crate::figures::{FIGURES, Figure, FigureId};
use crate::measure::{FlagKind, LoadJudgement};
use crate::report::format::work;
use crate::scenario::{Configuration, DatasetSpec};
use crate::summary::CapacitySummary;

/// A column and how its value is found; an empty value says that it is not known.
pub(super) struct Column<R> {
    pub(super) name: String,
    /// Its unit and its meaning, of which the documentation is made.
    #[cfg_attr(not(test), allow(dead_code, reason = "a test makes the documentation"))]
    pub(super) about: [String; 2],
    pub(super) value: Box<dyn Fn(&R) -> String>,
}

/// What a row of either file has.
pub(super) trait Row {
    fn configuration(&self) -> (&Configuration, &DatasetSpec);
    fn figure(&self, figure: &Figure) -> String;
    /// Whether the load was reached and held; `None` where no records arrived.
    fn load(&self) -> Option<LoadState>;
    fn capacity(&self) -> Option<CapacitySummary>;
}

/// What became of a load.
pub(super) struct LoadState {
    pub(super) reached: bool,
    pub(super) overloaded: bool,
    pub(super) judgement: Option<LoadJudgement>,
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
    type R<'a> = SummaryRow<'a>;
    let end = |name, meaning, of: fn((f64, f64)) -> f64| {
        column(name, "records/s", meaning, move |r: &R| {
            let estimate = r.summary.estimate(FigureId::RecordsPerSecond);
            optional(estimate.and_then(|estimate| estimate.interval).map(of))
        })
    };
    Own {
        first: Vec::new(),
        middle: vec![
            column("trials_planned", "trials", "counted trials of the plan", |r: &R| {
                r.summary.trials_planned.to_string()
            }),
            column("trials_used", "trials", "trials in the estimates", |r: &R| {
                r.summary.trials_used.to_string()
            }),
            column(
                "trials_failed",
                "trials",
                "counted trials that failed, or lost or repeated records",
                |r: &R| r.summary.trials_failed.to_string(),
            ),
            column(
                "trials_excluded",
                "trials",
                "counted trials that ended but broke a rule of the method",
                |r: &R| r.summary.trials_excluded.to_string(),
            ),
        ],
        last: vec![
            end(
                "records_per_second_low",
                "lower end of the 95 % confidence interval of `records_per_second`",
                |(low, _)| low,
            ),
            end("records_per_second_high", "upper end of it", |(_, high)| high),
            column(
                "bottleneck",
                "",
                "[what limits it](method.md#why): `consumer-work`, `reader-thread`, `all-cores`, `brokers`, `quota`, \
                 `producers`, `fetch-settings`, `skew`, `idle-members`, `limit` or `unknown`",
                |r: &R| r.summary.bottleneck.kind.as_str().to_owned(),
            ),
            column(
                "bottleneck_evidence",
                "",
                "the figures that led to it, medians over the used trials; where it is unknown, what was seen",
                |r: &R| r.summary.bottleneck.evidence.clone(),
            ),
            column(
                "speed_up",
                "",
                "how many times as fast as the smallest number of its series ([what that is](method.md#how-much-more-brings)); \
                 empty in none",
                |r: &R| point(r.scaling.and_then(|p| p.speed_up.as_ref())),
            ),
            column("efficiency", "", "speed-up as a share of the ideal", |r: &R| {
                point(r.scaling.and_then(|p| p.efficiency.as_ref()))
            }),
        ],
    }
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
                |r: &R| kind(r.trial.order.kind).to_owned(),
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
    let names: Vec<String> = FlagKind::ALL
        .iter()
        .map(|kind| format!("`{}`", kind.as_str()))
        .collect();
    format!(
        "names of what was noteworthy, separated by spaces: {}",
        names.join(", ")
    )
}
