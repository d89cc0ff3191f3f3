//! The figures of the catalogue, and the parts of the latency.

use super::live::{obstacle, with_load};
use crate::figures::{FIGURES, FigureId, Statistic, Unit};
use crate::measure::latency::LatencyPart;
use crate::report::format::figure_text;
use crate::report::input::ReportInput;
use crate::report::labels::{Labels, family_title};
use crate::report::table::{Column, Table, with_rows};
use crate::summary::ConfigurationSummary;

/// What else was measured of each family: the figures of the catalogue that have a header and that some configuration has.
pub(crate) fn details(input: &ReportInput) -> Vec<Table> {
    type Row<'a> = &'a ConfigurationSummary;
    let labels = Labels::new(input.scenario);
    let tables = input.families().map(|family| {
        let name = Column::configuration(&labels, |c: &Row| c.configuration);
        let figures = FIGURES.iter().filter_map(|figure| {
            let cell = |c: &Row| figure_text(figure.unit, c.figures.get(figure.id));
            let is_measured = input
                .summary
                .configurations
                .iter()
                .any(|c| c.figures.get(figure.id).is_some());
            Some(Column::figures(figure.header?, cell).only_if(is_measured))
        });
        let columns = std::iter::once(name).chain(figures);
        Table::of(family_title(input.scenario, family), columns, input.of_family(family))
    });
    with_rows(tables)
}

/// The parts of the latency of every configuration that has any.
pub(crate) fn latencies(input: &ReportInput) -> Vec<Table> {
    type Row<'a> = (&'a ConfigurationSummary, LatencyPart);
    const HEADERS: [&str; Statistic::ALL.len()] = ["mean", "p50", "p90", "p99", "p99.9", "max"];
    let labels = Labels::new(input.scenario);
    let tables = input.families().map(|family| {
        let names = [
            Column::configuration(&labels, |(c, _): &Row| c.configuration),
            Column::words("part", |(_, part): &Row| part.name().replace('_', " ")),
        ];
        let figures = Statistic::ALL.into_iter().zip(HEADERS).map(|(statistic, header)| {
            Column::figures(header, move |(c, part): &Row| {
                let value = c.figures.get(FigureId::Latency(*part, statistic));
                figure_text(Unit::Milliseconds, value)
            })
        });
        let loaded = with_load(input, family, |mode| mode.load().is_some());
        let meaningful = loaded.filter(|(c, live)| obstacle(c, live).is_none());
        let rows = meaningful.flat_map(|(c, _)| LatencyPart::ALL.map(|part| (c, part)));
        let is_measured = |(c, part): &Row| c.point(FigureId::Latency(*part, Statistic::Max)).is_some();
        let columns = names.into_iter().chain(figures);
        Table::of(family_title(input.scenario, family), columns, rows.filter(is_measured))
    });
    with_rows(tables)
}
