//! What planned acts cost, and what the longest gap of each is made of.

use crate::report::format::{UNKNOWN, duration, or_unknown, percent};
use crate::report::input::ReportInput;
use crate::report::labels::{Labels, family_title};
use crate::report::table::{Column, Table, with_rows};
use crate::summary::{
    ActSummary, ChangesSummary, ConfigurationSummary, DisturbedSummary, LateSummary, PartSummary, part_in_words,
};
use crate::wording::{capitalised, with_commas};

/// A time in milliseconds.
fn ms(value: f64) -> String {
    duration(value / 1e3)
}

fn acts<'a>(
    input: &ReportInput<'a>,
    family: usize,
    only_worst: bool,
) -> impl Iterator<Item = (&'a ConfigurationSummary, &'a ActSummary)> {
    let with_acts = input.of_family(family).filter_map(|c| Some((c, c.changes.as_ref()?)));
    let acts = with_acts.flat_map(move |(c, changes)| {
        let worst = changes.worst();
        let is_asked = move |act: &&ActSummary| !only_worst || worst.is_some_and(|worst| std::ptr::eq(worst, *act));
        changes.acts.iter().filter(is_asked).map(move |act| (c, act))
    });
    // What only ends a pause has no cost of its own.
    acts.filter(|(_, act)| act.gap_ms > 0.0 || !act.what.ends_with("resumed"))
}

/// What each planned act of each configuration cost, or the one with the longest gap.
pub(crate) fn changes(input: &ReportInput, only_worst: bool) -> Vec<Table> {
    type Row<'a> = (&'a ConfigurationSummary, &'a ActSummary);
    let labels = Labels::new(input.scenario);
    let tables = input.families().map(|family| {
        let any = |of: fn(&ActSummary) -> bool| acts(input, family, only_worst).any(|(_, act)| of(act));
        let columns = [
            Column::configuration(&labels, |(c, _): &Row| c.configuration),
            Column::words("change", |(_, act): &Row| act.what.clone()),
            Column::words("that broker", |(_, act): &Row| {
                act.broker.clone().unwrap_or_else(|| UNKNOWN.to_owned())
            })
            .dropped(8)
            .only_if(any(|act| act.broker.is_some())),
            Column::figures("at", |(_, act): &Row| duration(act.at_s)).dropped(7),
            Column::figures("longest gap", |(_, act): &Row| match act.resolution_ms {
                Some(resolution_ms) => format!("{} ± {}", ms(act.gap_ms), ms(resolution_ms)),
                None => ms(act.gap_ms),
            }),
            Column::figures("of all trials", |(_, act): &Row| {
                format!("{} to {}", ms(act.range_ms.0), ms(act.range_ms.1))
            })
            .dropped(1)
            .only_if(any(|act| act.trials > 1)),
            Column::figures("moved", |(_, act): &Row| act.moved.to_string()),
            Column::figures("stood still", |(_, act): &Row| act.stood_still.to_string()).dropped(2),
            Column::figures("of those longest", |(_, act): &Row| match act.stood_still {
                0 => UNKNOWN.to_owned(),
                _ => ms(act.still_ms),
            })
            .dropped(3)
            .only_if(any(|act| act.still_ms > 0.0)),
            Column::figures("redelivered", |(_, act): &Row| with_commas(act.redelivered)).dropped(5),
            Column::figures("all read after", |(_, act): &Row| ms(act.flowing_ms)).dropped(4),
            Column::figures("lag as before after", |(_, act): &Row| or_unknown(act.caught_up_ms, ms))
                .dropped(6)
                .only_if(any(|act| act.caught_up_ms.is_some())),
            Column::words("group's epoch", |(_, act): &Row| {
                or_unknown(act.epochs, |(before, after)| format!("{before} to {after}"))
            })
            .dropped(11)
            .only_if(any(|act| act.epochs.is_some())),
            Column::figures("not written for", |(_, act): &Row| or_unknown(act.unwritten_ms, ms))
                .dropped(9)
                .only_if(any(|act| act.unwritten_ms.is_some())),
            Column::figures("in sync after", |(_, act): &Row| or_unknown(act.restored_ms, ms))
                .dropped(10)
                .only_if(any(|act| act.restored_ms.is_some())),
        ];
        Table::of(
            family_title(input.scenario, family),
            columns,
            acts(input, family, only_worst),
        )
    });
    with_rows(tables)
}

/// How long records took in the seconds that acts disturbed, beside the others.
pub(crate) fn disturbed(input: &ReportInput) -> Vec<Table> {
    type Row<'a> = (&'a ConfigurationSummary, &'a DisturbedSummary);
    let labels = Labels::new(input.scenario);
    let tables = input.families().map(|family| {
        let rows = || {
            input
                .of_family(family)
                .filter_map(|c| Some((c, c.changes.as_ref()?.response.as_ref()?)))
        };
        let counted =
            |c: &ConfigurationSummary, of: fn(&ChangesSummary) -> Option<u64>| c.changes.as_ref().and_then(of);
        let is_late = rows().any(|(_, response)| response.late.is_some());
        let columns = [
            Column::configuration(&labels, |(c, _): &Row| c.configuration),
            Column::figures("p99 of undisturbed seconds", |(_, response): &Row| {
                or_unknown(response.quiet_p99_ms, ms)
            }),
            Column::figures("p99 of disturbed seconds", |(_, response): &Row| {
                or_unknown(response.disturbed_p99_ms, ms)
            }),
            Column::figures("longest", |(_, response): &Row| ms(response.disturbed_max_ms)).dropped(2),
            Column::figures("records of disturbed seconds", |(_, response): &Row| {
                percent(response.disturbed_share)
            })
            .dropped(1),
            Column::figures("late of those", |(_, response): &Row| {
                late(response, |late| late.disturbed)
            })
            .only_if(is_late),
            Column::figures("late of the others", |(_, response): &Row| {
                late(response, |late| late.quiet)
            })
            .only_if(is_late),
            Column::figures("sent again", move |(c, _): &Row| {
                or_unknown(counted(c, |changes| changes.retried), with_commas)
            })
            .dropped(4)
            .only_if(rows().any(|(c, _)| counted(c, |changes| changes.retried).is_some())),
            Column::figures("not delivered", move |(c, _): &Row| {
                or_unknown(counted(c, |changes| changes.undelivered), with_commas)
            })
            .dropped(3),
        ];
        Table::of(family_title(input.scenario, family), columns, rows())
    });
    with_rows(tables)
}

/// Records that took longer than the load allows.
fn late(response: &DisturbedSummary, count: fn(&LateSummary) -> u64) -> String {
    response.late.as_ref().map_or_else(
        || UNKNOWN.to_owned(),
        |late| format!("{} (over {})", with_commas(count(late)), ms(late.limit_ms)),
    )
}

/// What the longest gap of each act is made of.
pub(crate) fn gap_parts(input: &ReportInput) -> Vec<Table> {
    type Row<'a> = (&'a ConfigurationSummary, &'a ActSummary, &'a PartSummary);
    let labels = Labels::new(input.scenario);
    let tables = input.families().map(|family| {
        let columns = [
            Column::configuration(&labels, |(c, ..): &Row| c.configuration),
            Column::words("change", |(_, act, _): &Row| act.what.clone()),
            Column::words("part of the gap", |(.., part): &Row| {
                capitalised(part_in_words(part.kind))
            }),
            Column::figures("time", |(.., part): &Row| ms(part.ms)),
            Column::figures("share", |(_, act, part): &Row| percent(part.ms / act.gap_ms)).dropped(1),
            Column::words("set by", |(.., part): &Row| match &part.setting {
                Some(setting) => {
                    let value = setting.ms.map_or_else(String::new, |value| format!(" = {}", ms(value)));
                    format!("{}{value}", setting.name)
                }
                None => UNKNOWN.to_owned(),
            })
            .dropped(3),
            Column::figures("gap with half of it", |(_, act, part): &Row| {
                or_unknown(act.gap_with_half(part), |gap| format!("about {}", ms(gap)))
            })
            .dropped(2),
        ];
        let rows = acts(input, family, false).flat_map(|(c, act)| act.parts.iter().map(move |part| (c, act, part)));
        Table::of(family_title(input.scenario, family), columns, rows)
    });
    with_rows(tables)
}
