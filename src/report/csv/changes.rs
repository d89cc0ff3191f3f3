//! `changes.csv`: every gap that a planned act caused, in its parts.

use super::columns::{Column, column, columns};
use super::text::table;
use crate::measure::changes::{Episode, Gap, episodes, is_recorded};
use crate::measure::{Measurement, Trial};
use crate::report::format::machine;
use crate::report::input::ReportInput;
use crate::scenario::Configuration;
use crate::summary::{PartSummary, act_in_words, gap_parts};

/// What the cells of a row are taken from.
pub(super) struct ChangeRow<'a> {
    trial: &'a Trial,
    measurement: &'a Measurement,
    configuration: &'a Configuration,
    number: usize,
    episode: &'a Episode,
    gap: &'a Gap,
    part: PartSummary,
}

/// `changes.csv`: a row for each part of each gap; `None` where nothing was planned.
pub fn changes_csv(input: &ReportInput) -> Option<String> {
    let planned = input.trials.iter().filter_map(|trial| {
        let measurement = trial.measurement.as_ref().filter(|m| !m.acts.is_empty())?;
        let configuration = input.scenario.configurations.get(trial.order.configuration)?;
        Some((trial, measurement, configuration))
    });
    let planned: Vec<_> = planned.collect();
    if planned.is_empty() {
        return None;
    }
    let recorded = planned
        .into_iter()
        .filter(|(_, measurement, _)| is_recorded(measurement));
    let recorded: Vec<_> = recorded
        .map(|(trial, measurement, configuration)| (trial, measurement, configuration, episodes(measurement)))
        .collect();
    let columns = change_columns();
    let headers = columns.iter().map(|column| column.name.clone()).collect();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (trial, measurement, configuration, episodes) in &recorded {
        for (number, episode) in episodes.iter().enumerate() {
            for gap in &episode.gaps {
                for part in gap_parts(configuration, measurement, &episode.act, gap) {
                    let row = ChangeRow {
                        trial,
                        measurement,
                        configuration,
                        number,
                        episode,
                        gap,
                        part,
                    };
                    rows.push(columns.iter().map(|column| (column.value)(&row)).collect());
                }
            }
        }
    }
    Some(table(headers, rows.into_iter()))
}

fn ms(ns: u64) -> String {
    machine(ns as f64 / 1e6)
}

fn offset(offset: Option<i64>) -> String {
    offset.map_or_else(String::new, |offset| offset.to_string())
}

pub(super) fn change_columns<'a>() -> Vec<Column<ChangeRow<'a>>> {
    columns![ChangeRow<'_>:
        "trial", "", "number of the trial, as in `trials.csv`" => |r| r.trial.order.number.to_string();
        "configuration", "", "name of its configuration" => |r| r.trial.configuration_name.clone();
        "act", "", "number of the planned act, from 1 in the order in which they were done" => |r| (r.number + 1).to_string();
        "what", "", "what was done" => |r| act_in_words(&r.episode.act, r.configuration.groups > 1);
        "at_seconds", "s", "when, from the common start" => |r| machine(r.measurement.since_start_s(r.episode.act.at_ns));
        "group", "", "the group that did not read, from 1" => |r| (r.gap.group + 1).to_string();
        "topic", "", "the topic, from 1" => |r| (r.gap.partition.topic + 1).to_string();
        "partition", "", "the partition" => |r| r.gap.partition.partition.to_string();
        "kind", "",
            "`moved` (another member read on), `away` (its owner was away or paused), `waiting` (a broker, the store or the load \
             kept its owner waiting), `collateral` (it kept its owner, to whom nothing was done)"
            => |r| <&str>::from(r.gap.kind).to_owned();
        "owner_before", "", "who read before" => |r| r.measurement.members[r.gap.members[0]].name();
        "owner_after", "", "who read after" => |r| r.measurement.members[r.gap.members[1]].name();
        "group_epochs", "", "epoch of the group before the act and when all was over, as `5-7`; only of acts on processes in the \
            consumer protocol, on brokers that tandem starts"
            => |r| r.episode.epochs.map_or_else(String::new, |(before, after)| format!("{before}-{after}"));
        "gap_ms", "ms", "from the last record before to the first after" => |r| ms(r.gap.stretch.length_ns());
        "redelivered", "records", "records read before and again after" => |r| r.gap.redelivered.to_string();
        "resumed_at", "", "the offset at which reading went on" => |r| offset(r.gap.resumed_at);
        "committed", "", "the last offset that the owner before had committed; empty where it does not say"
            => |r| offset(r.gap.committed);
        "part", "",
            "what went on in this part of the gap: `before-act`, `paused`, `absent`, `leaving`, `detection`, `election`, \
             `replication`, `rejoin`, `letting-go`, `division`, `joining`, `resuming`, `commit`, \
             `unwritten`, `standstill`, `first-record` or `unexplained`"
            => |r| r.part.kind.as_str().to_owned();
        "part_ms", "ms", "how long; the parts of a gap add up to it" => |r| machine(r.part.ms);
        "setting", "", "the setting that sets it" => |r| r.part.setting.as_ref().map_or_else(String::new, |s| s.name.clone());
        "setting_ms", "ms", "the setting's value, where it is known"
            => |r| r.part.setting.as_ref().and_then(|s| s.ms).map_or_else(String::new, machine);
    ]
}
