//! What the cells of `summary.csv` and `trials.csv` are taken from.

use crate::figures::{Figure, FigureId, TrialFigures, Value};
use crate::measure::{LoadJudgement, Trial};
use crate::report::format::machine;
use crate::report::input::ReportInput;
use crate::scenario::{Configuration, DatasetSpec};
use crate::summary::{Along, CapacitySummary, ConfigurationSummary, ScalingPoint};

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

/// A row of `summary.csv`.
pub(super) struct SummaryRow<'a> {
    configuration: (&'a Configuration, &'a DatasetSpec),
    pub(super) summary: &'a ConfigurationSummary,
    pub(super) scaling: Option<&'a ScalingPoint>,
}

/// A row of `trials.csv`.
pub(super) struct TrialRow<'a> {
    configuration: (&'a Configuration, &'a DatasetSpec),
    pub(super) trial: &'a Trial,
    figures: Option<TrialFigures>,
    /// Of its configuration.
    capacity: Option<CapacitySummary>,
}

/// A row per configuration, in the scenario's order.
pub(super) fn summary_rows<'a>(input: &ReportInput<'a>) -> impl Iterator<Item = SummaryRow<'a>> {
    input.summary.configurations.iter().filter_map(|summary| {
        Some(SummaryRow {
            configuration: configuration(input, summary.configuration)?,
            summary,
            scaling: scaling_point(input, summary.configuration),
        })
    })
}

/// A row per trial, in the order of running.
pub(super) fn trial_rows<'a>(input: &ReportInput<'a>) -> impl Iterator<Item = TrialRow<'a>> {
    input.trials.iter().filter_map(|trial| {
        let index = trial.order.configuration;
        let configuration = configuration(input, index)?;
        let measurement = trial.measurement.as_ref();
        let summary = input.summary.configurations.iter().find(|c| c.configuration == index);
        Some(TrialRow {
            configuration,
            trial,
            figures: measurement.map(|measurement| TrialFigures::of(measurement, configuration.0.has_work())),
            capacity: summary.and_then(|c| c.live.as_ref()?.capacity),
        })
    })
}

fn configuration<'a>(input: &ReportInput<'a>, index: usize) -> Option<(&'a Configuration, &'a DatasetSpec)> {
    let configuration = input.scenario.configurations.get(index)?;
    Some((configuration, input.scenario.datasets.get(configuration.dataset)?))
}

/// The point of a configuration in the first series that has it. Series along members come before those along threads.
fn scaling_point<'a>(input: &ReportInput<'a>, configuration: usize) -> Option<&'a ScalingPoint> {
    let find = |along_threads: bool| {
        let all = input.summary.scaling.iter();
        all.filter(move |series| (series.along == Along::Threads) == along_threads)
            .flat_map(|series| &series.points)
            .find(|point| point.configuration == configuration)
    };
    find(false).or_else(|| find(true))
}

/// A figure that may be unknown.
pub(super) fn optional(value: Option<f64>) -> String {
    value.map(machine).unwrap_or_default()
}

impl Row for SummaryRow<'_> {
    fn configuration(&self) -> (&Configuration, &DatasetSpec) {
        self.configuration
    }

    fn figure(&self, figure: &Figure) -> String {
        match self.summary.figures.get(figure.id) {
            Some(Value::Count(count)) => count.to_string(),
            value => optional(value.map(|value| value.point())),
        }
    }

    fn load(&self) -> Option<LoadState> {
        let live = self.summary.live.as_ref()?;
        // Without a trial no load was reached and nothing overloaded.
        self.summary.point(FigureId::OfferedPerSecond)?;
        Some(LoadState {
            reached: live.load_reached,
            overloaded: live.overloaded,
            judgement: live.judgement.clone(),
        })
    }

    fn capacity(&self) -> Option<CapacitySummary> {
        self.summary.live.as_ref()?.capacity
    }
}

impl Row for TrialRow<'_> {
    fn configuration(&self) -> (&Configuration, &DatasetSpec) {
        self.configuration
    }

    fn figure(&self, figure: &Figure) -> String {
        let value = self.figures.as_ref().and_then(|figures| figures.get(figure.id));
        match value {
            Some(value) if figure.is_count() => format!("{value:.0}"),
            value => optional(value),
        }
    }

    fn load(&self) -> Option<LoadState> {
        let load = self.trial.measurement.as_ref()?.load.as_ref()?;
        Some(LoadState {
            reached: load.reached,
            overloaded: load.overload.is_some(),
            judgement: load.judgement.clone(),
        })
    }

    fn capacity(&self) -> Option<CapacitySummary> {
        self.capacity
    }
}
