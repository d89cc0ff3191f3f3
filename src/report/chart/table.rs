//! The table behind a chart, made from what it shows.

use super::spec::{ChartSpec, Mark, Panel, Row};
use crate::report::table::{Column, Table};

impl ChartSpec {
    /// A row for each row of a chart: its name, its pieces, its estimate and its trials.
    pub(super) fn table(&self) -> Table {
        type Item<'a> = (&'a Panel, &'a Row);
        let rows = || {
            self.panels
                .iter()
                .flat_map(|panel| panel.rows.iter().map(move |row| (panel, row)))
        };
        let in_full = |value: Option<f64>| value.map_or_else(String::new, |value| self.x.tick.in_full(value));
        let any = |is_kind: fn(&Mark) -> bool| rows().any(|(_, row)| row.marks.iter().any(is_kind));
        let mut pieces: Vec<&str> = Vec::new();
        for mark in rows().flat_map(|(_, row)| &row.marks) {
            if let Mark::Bar { name, .. } = mark
                && !pieces.contains(&name.as_str())
            {
                pieces.push(name);
            }
        }
        let names = [
            Column::words("family", |(panel, _): &Item| panel.title.clone())
                .only_if(self.panels.iter().any(|panel| !panel.title.is_empty())),
            Column::words("configuration", |(_, row): &Item| row.label.replace('\u{a0}', " ")),
            Column::words("in words", |(_, row): &Item| row.value.clone()),
        ];
        let pieces = pieces.into_iter().map(|piece| {
            let header = if piece.is_empty() { "figure" } else { piece };
            Column::figures(header, move |(_, row): &Item| in_full(row.bar(piece)))
        });
        let has_estimate = any(|mark| matches!(mark, Mark::Interval { .. }));
        let has_ends = has_estimate || any(|mark| matches!(mark, Mark::Whisker { .. }));
        let ends = [
            Column::figures("figure", move |(_, row): &Item| {
                in_full(row.interval().map(|ends| ends[1]))
            })
            .only_if(has_estimate),
            Column::figures("low", move |(_, row): &Item| {
                in_full(row.interval().map(|ends| ends[0]))
            })
            .only_if(has_ends),
            Column::figures("high", move |(_, row): &Item| {
                in_full(row.interval().map(|ends| ends[2]))
            })
            .only_if(has_ends),
        ];
        let trials = Column::words("each trial (in brackets: hollow)", move |(_, row): &Item| {
            let each = row.marks.iter().filter_map(|mark| match mark {
                Mark::Dot { x, hollow: true, .. } => Some(format!("({})", in_full(Some(*x)))),
                Mark::Dot { x, .. } => Some(in_full(Some(*x))),
                Mark::Interval { .. } | Mark::Bar { .. } | Mark::Whisker { .. } => None,
            });
            each.collect::<Vec<String>>().join(", ")
        })
        .only_if(any(|mark| matches!(mark, Mark::Dot { .. })));
        Table::of("", names.into_iter().chain(pieces).chain(ends).chain([trials]), rows())
    }
}

impl Row {
    /// The length of a piece of its bar.
    fn bar(&self, piece: &str) -> Option<f64> {
        self.marks.iter().find_map(|mark| match mark {
            Mark::Bar { from, to, name, .. } if name == piece => Some(to - from),
            _ => None,
        })
    }

    /// Low end, point and high end of its estimate.
    fn interval(&self) -> Option<[f64; 3]> {
        self.marks.iter().find_map(|mark| match mark {
            Mark::Interval { low, point, high } => Some([*low, *point, *high]),
            Mark::Whisker { low, high } => Some([*low, f64::NAN, *high]),
            Mark::Bar { .. } | Mark::Dot { .. } => None,
        })
    }
}
