//! What is concluded of every configuration at one glance: configurations down, the rest of the matrix across.

use std::collections::BTreeMap;

use super::cells::{effect, verdict, without_comparison};
use super::live::{self, capacity_cell};
use crate::figures::FigureId;
use crate::report::conclusion::Conclusion;
use crate::report::format::{figure_text, or_unknown, rate, rate_estimate, ratio_estimate};
use crate::report::input::ReportInput;
use crate::report::labels::{Labels, family_title, varying_axes};
use crate::report::table::{Cell, Column, Table, Tone, with_rows};
use crate::summary::{ConfigurationSummary, Metric, ScalingPoint};

/// With more columns than this the matrix is turned.
const COLUMNS_MAX: usize = 8;

/// The matrix; none for a run without configurations.
pub(crate) fn verdict_matrix(input: &ReportInput) -> Vec<Table> {
    let layout = Layout::of(input);
    let scaling = scaling_cells(input, &layout);
    let places = places(input, &layout);
    let mut down = distinct(places.iter().map(|(down, _, _)| down));
    let mut across = distinct(places.iter().map(|(_, across, _)| across));
    let turned = across.len() > COLUMNS_MAX && down.len() < across.len();
    let mut cells: BTreeMap<(&str, &str), Cell> = BTreeMap::new();
    for (row, column, c) in &places {
        let key = if turned { (column, row) } else { (row, column) };
        let cell = scaling.get(&c.configuration).cloned();
        let cell = cell.unwrap_or_else(|| concluded(input, c)).about(c.configuration);
        cells.insert((key.0, key.1), cell);
    }
    if turned {
        std::mem::swap(&mut down, &mut across);
    }
    let names = std::iter::once(Column::words("configuration", |row: &&str| *row));
    let figures = across.iter().map(|column| {
        let header = if column.is_empty() { "verdict" } else { column };
        Column::words(header, |row: &&str| {
            cells.get(&(*row, *column)).cloned().unwrap_or_default()
        })
    });
    let table = Table::of("", names.chain(figures), down.iter().copied());
    with_rows(std::iter::once(table))
}

/// Whether the question of a run is how many are worth having.
pub(crate) fn is_scaling(input: &ReportInput) -> bool {
    matches!(Layout::of(input), Layout::Scaling { .. })
}

/// What stands down and across.
#[derive(Clone, Copy)]
enum Layout {
    /// The names of configurations in their family, and the families.
    Families,
    /// The values of two axes.
    Axes { down: usize, across: usize },
    /// The same, and the second is the one along which series run; `None` down where there is one series.
    Scaling { down: Option<usize>, across: usize },
}

impl Layout {
    fn of(input: &ReportInput) -> Self {
        let scenario = input.scenario;
        let one_case = scenario
            .configurations
            .windows(2)
            .all(|pair| pair[0].case == pair[1].case);
        if scenario.families.len() != 1 || !one_case {
            return Layout::Families;
        }
        let axes = varying_axes(scenario, 0);
        let along = |axis: &&usize| {
            let key = scenario.axes[**axis].key.as_str();
            let mut series = input.summary.scaling.iter();
            !input.summary.scaling.is_empty() && series.all(|series| series.along.nouns() == key)
        };
        match (axes.iter().find(along), &axes[..]) {
            (Some(across), [_] | [_, _]) => Layout::Scaling {
                down: axes.iter().find(|axis| *axis != across).copied(),
                across: *across,
            },
            (None, [down, across]) => Layout::Axes {
                down: *down,
                across: *across,
            },
            _ => Layout::Families,
        }
    }
}

/// Where each configuration stands: its row and its column.
fn places<'a>(input: &ReportInput<'a>, layout: &Layout) -> Vec<(String, String, &'a ConfigurationSummary)> {
    let labels = Labels::new(input.scenario);
    let value = |c: &ConfigurationSummary, axis| {
        let configuration = &input.scenario.configurations[c.configuration];
        input.scenario.axis_value(configuration, axis)
    };
    let place = |c: &ConfigurationSummary| match *layout {
        Layout::Families => (
            labels.short(c.configuration).to_owned(),
            family_title(input.scenario, c.family),
        ),
        Layout::Axes { down, across } => (value(c, down), value(c, across)),
        Layout::Scaling { down, across } => (down.map_or_else(String::new, |down| value(c, down)), value(c, across)),
    };
    let placed = input.by_family().map(|c| (place(c), c));
    placed.map(|((down, across), c)| (down, across, c)).collect()
}

fn distinct<'a>(names: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    let mut distinct: Vec<&str> = Vec::new();
    for name in names {
        if !distinct.contains(&name.as_str()) {
            distinct.push(name);
        }
    }
    distinct
}

/// The verdict of a configuration with its evidence on the line below.
fn concluded(input: &ReportInput, c: &ConfigurationSummary) -> Cell {
    if let Some(found) = c.live.as_ref().and_then(|live| live.capacity.as_ref()) {
        return capacity_cell(found);
    }
    let compared = input.own_comparison(c.configuration);
    let conclusion = match (&c.live, compared) {
        (Some(live), _) => live::conclusion(input, &(c, live)),
        (None, Some(compared)) => verdict(input, compared),
        (None, None) => without_comparison(input, c),
    };
    let evidence = match compared.filter(|compared| compared.effect.is_some()) {
        Some(compared) => effect(compared),
        None if conclusion == Conclusion::Baseline || conclusion == Conclusion::Unknown => own_figure(input, c),
        None => String::new(),
    };
    Cell::from(conclusion).below(&evidence)
}

/// The figure by which configurations are compared, of one of them; of a read time its rate.
fn own_figure(input: &ReportInput, c: &ConfigurationSummary) -> String {
    let metric = input.mode(c.configuration).map(|mode| Metric::of(input.scenario, mode));
    match metric {
        Some(metric) if metric != Metric::READ_TIME => {
            let figure = metric.figure().figure();
            figure_text(figure.unit, c.figures.get(figure.id))
        }
        _ => or_unknown(c.estimate(FigureId::RecordsPerSecond), |estimate| {
            rate_estimate(&estimate)
        }),
    }
}

/// The points of series, which say how much each further member adds; the number worth having is marked.
fn scaling_cells(input: &ReportInput, layout: &Layout) -> BTreeMap<usize, Cell> {
    if !matches!(layout, Layout::Scaling { .. }) {
        return BTreeMap::new();
    }
    let series = input.summary.scaling.iter();
    let points = series.flat_map(|series| {
        let worth = series.recommendation.as_ref().map(|found| found.count);
        series
            .points
            .iter()
            .map(move |point| (point, worth == Some(point.count)))
    });
    points
        .map(|(point, is_worth)| (point.configuration, scaling_cell(point, is_worth)))
        .collect()
}

fn scaling_cell(point: &ScalingPoint, is_worth: bool) -> Cell {
    let (word, tone) = match point {
        _ if is_worth => ("worth having", Tone::Good),
        point if point.idle_members > 0 => ("idle members", Tone::Caution),
        _ => ("", Tone::Plain),
    };
    let speed = point.speed_up.filter(|speed| speed.interval.is_some());
    let text = match speed {
        Some(speed) => ratio_estimate(&speed),
        None => rate(point.records_per_second.point),
    };
    let first = Cell {
        text: if word.is_empty() { text.clone() } else { word.to_owned() },
        tone,
        ..Cell::default()
    };
    if word.is_empty() { first } else { first.below(&text) }
}
