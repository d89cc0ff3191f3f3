//! What is gained by more consumers, processes or threads, and which axis explains how much: tables and sentences.

use std::fmt::Write as _;

use super::{ReportInput, Table};
use crate::report::format::{UNKNOWN, count, or_unknown, percent, printable, rate, rate_estimate, ratio_estimate};
use crate::report::labels::Labels;
use crate::stats::{Estimate, Law, Parameter, ScalingFit};
use crate::summary::{Along, EffectsOutcome, EffectsSummary, Fit, Gain, ScalingPoint, ScalingSeries};

/// The words of scaling, for those who read the table.
pub(in crate::report) const GLOSSARY: [(&str, &str); 4] = [
    (
        "Speed-up",
        "how many times as many records per second as with the smallest number of the series, from pairs of trials within blocks.",
    ),
    (
        "Efficiency",
        "the speed-up as a share of the ideal, in which twice the members are twice as fast.",
    ),
    (
        "Contention",
        "in a fitted law the share of the work that only one member can do at a time. It bounds the speed-up.",
    ),
    (
        "Coherency",
        "in a fitted law what each pair of members costs, by waiting for each other. With it more members end up slower.",
    ),
];

/// True where there is a series to be told.
pub(in crate::report) fn has_scaling(input: &ReportInput) -> bool {
    !input.summary.scaling.is_empty()
}

/// What a series has in common, or what it runs along where there is nothing of the kind and `others` run along
/// something else.
pub(in crate::report) fn title(series: &ScalingSeries, others: &[ScalingSeries]) -> String {
    let name = printable(&series.name);
    if others.iter().all(|other| other.along == series.along) {
        return name;
    }
    let along = series.along.nouns();
    if name.is_empty() {
        along.to_owned()
    } else {
        format!("{along}, {name}")
    }
}

/// A table for each series.
pub(in crate::report) fn scaling(input: &ReportInput) -> Vec<Table> {
    let labels = Labels::new(input.scenario);
    let all = &input.summary.scaling;
    all.iter()
        .map(|series| table(series, &labels, title(series, all)))
        .collect()
}

fn table(series: &ScalingSeries, labels: &Labels, caption: String) -> Table {
    let number = format!("#{}", series.along.nouns());
    let mut headers = vec![
        number.as_str(),
        "configuration",
        "#records/s\u{a0}[95\u{a0}%]",
        "#speed-up\u{a0}[95\u{a0}%]",
        "#efficiency",
        "#each one added\u{a0}[95\u{a0}%]",
    ];
    let with_idle = series.points.iter().any(|point| point.idle_members > 0);
    if with_idle {
        headers.push("#idle members");
    }
    let row = |point: &ScalingPoint| {
        let mut row = vec![
            point.count.to_string(),
            labels.short(point.configuration).to_owned(),
            rate_estimate(&point.records_per_second),
            point
                .speed_up
                .map_or_else(|| UNKNOWN.to_owned(), |speed| ratio_estimate(&speed)),
            or_unknown(point.efficiency.map(|e| e.point), percent),
            point.gain.map_or_else(String::new, |gain| added(gain, point.count)),
        ];
        if with_idle {
            row.push(point.idle_members.to_string());
        }
        row
    };
    Table::new(caption, &headers, series.points.iter().map(row).collect())
}

/// What each one added to the count before gained: `+2.1 % [−0.5, 4.8]`.
pub(in crate::report) fn added(gain: Gain, count: u32) -> String {
    let Some(ratio) = gain.ratio else {
        return UNKNOWN.to_owned();
    };
    let share = |ratio: f64| ratio.powf(1.0 / f64::from((count - gain.from).max(1))) - 1.0;
    let sign = if share(ratio.point) >= 0.0 { "+" } else { "" };
    format!("{sign}{}", share_estimate(&map(ratio, share)))
}

fn map(estimate: Estimate, of: impl Fn(f64) -> f64) -> Estimate {
    Estimate {
        point: of(estimate.point),
        interval: estimate.interval.map(|(low, high)| (of(low), of(high))),
        observations: estimate.observations,
    }
}

/// A share with its interval as a percentage: `4.2 % [3.1, 5.3]`, with the decimals that its size is worth.
pub(in crate::report) fn share_estimate(share: &Estimate) -> String {
    let largest = share
        .interval
        .map_or(share.point.abs(), |(low, high)| low.abs().max(high.abs()));
    let decimals = match largest * 100.0 {
        p if p >= 9.95 => 0,
        p if p >= 0.995 => 1,
        p if p >= 0.0995 => 2,
        _ => 3,
    };
    let number = |share: f64| {
        let text = format!("{:.decimals$}", share.abs() * 100.0);
        let is_zero = text.chars().all(|c| matches!(c, '0' | '.'));
        if share < 0.0 && !is_zero {
            format!("−{text}")
        } else {
            text
        }
    };
    let interval = share.interval.map_or(String::new(), |(low, high)| {
        format!(" [{}, {}]", number(low), number(high))
    });
    format!("{}\u{a0}%{interval}", number(share.point))
}

/// What is to be said of a series beside its table.
pub(in crate::report) struct Words {
    /// What it has in common.
    pub(in crate::report) title: String,
    /// How many are worth having; empty where nothing is told.
    pub(in crate::report) recommended: String,
    /// Which law fits, or why none is fitted.
    pub(in crate::report) law: String,
}

impl Words {
    /// Everything but the title.
    pub(in crate::report) fn all(&self) -> String {
        format!("{} {}", self.recommended, self.law).trim_start().to_owned()
    }
}

/// The words of each series, in the order of [`scaling`].
pub(in crate::report) fn scaling_words(input: &ReportInput) -> Vec<Words> {
    let all = &input.summary.scaling;
    let words = |series: &ScalingSeries| Words {
        title: title(series, all),
        recommended: series.recommendation.as_ref().map_or(String::new(), |found| {
            let text = printable(&found.text);
            let mut rest = text.chars();
            let capital: String = rest
                .next()
                .into_iter()
                .flat_map(char::to_uppercase)
                .chain(rest)
                .collect();
            format!("{capital}.")
        }),
        law: law(series),
    };
    all.iter().map(words).collect()
}

fn law(series: &ScalingSeries) -> String {
    let fit = match &series.fit {
        Fit::Law(fit) => fit,
        Fit::Refused(refusal) => {
            let idle = if series.points.iter().any(|point| point.idle_members > 0) {
                " (those with idle members cannot)"
            } else {
                ""
            };
            return format!("No law is fitted: {refusal}{idle}.");
        }
    };
    let one = format!("one {} reads {}", series.along.noun(), rate_estimate(&fit.lambda));
    let parameter = |p: Option<Parameter>| p.map_or_else(|| UNKNOWN.to_owned(), |p| share_estimate(&p.estimate));
    let said = match fit.law {
        Law::Linear => format!("A straight line fits: {one}, and each more as much; contention does not show"),
        Law::Amdahl => format!(
            "Amdahl's law fits best: contention {}, {one}{}",
            parameter(fit.alpha),
            limit(fit)
        ),
        Law::Universal => format!(
            "The Universal Scalability Law fits best: contention {}, coherency {}, {one}{}",
            parameter(fit.alpha),
            parameter(fit.beta),
            peak(series, fit)
        ),
    };
    let from = format!(
        "{} in {}",
        count(fit.observations as u64, "trial"),
        count(fit.blocks as u64, "block")
    );
    format!("{said} ({from}).{}", misfit(fit))
}

/// What contention alone bounds the speed-up to.
fn limit(fit: &ScalingFit) -> String {
    let alpha = fit.alpha.map_or(0.0, |alpha| alpha.estimate.point);
    if alpha > 0.0 && fit.misfit.is_none() {
        format!("; never more than {:.1} times that", 1.0 / alpha)
    } else {
        String::new()
    }
}

fn peak(series: &ScalingSeries, fit: &ScalingFit) -> String {
    let Some(peak) = fit.peak else {
        return String::new();
    };
    let interval = peak
        .members
        .interval
        .map_or(String::new(), |(low, high)| format!(" [{low:.1}, {high:.1}]"));
    let nouns = series.along.nouns();
    let beyond = if peak.extrapolated {
        ", which is beyond what was measured"
    } else {
        ""
    };
    let partitions = f64::from(series.partitions);
    let idle = if series.along != Along::Threads && peak.members.point > partitions + 0.5 {
        " and more than there are partitions"
    } else {
        ""
    };
    format!(
        "; the highest at {:.1} {nouns}{interval}{beyond}{idle}",
        peak.members.point
    )
}

fn misfit(fit: &ScalingFit) -> String {
    let Some(misfit) = fit.misfit else {
        return String::new();
    };
    let side = if misfit.ratio < 1.0 { "below" } else { "above" };
    format!(
        " But the figures leave this curve by more than chance, most of all at {} ({} {side} it): it describes them \
         roughly and foretells nothing.",
        misfit.members,
        percent((misfit.ratio - 1.0).abs())
    )
}

/// The shares of the axes, with what interacts and what is noise.
pub(in crate::report) fn effects(input: &ReportInput) -> Option<Table> {
    let rows = effect_rows(input.summary.effects.as_ref()?)?;
    let row = |(name, share): (String, Estimate)| vec![name, share_estimate(&share)];
    Some(Table::new(
        "",
        &["axis", "#share of the variance\u{a0}[95\u{a0}%]"],
        rows.into_iter().map(row).collect(),
    ))
}

/// Each share with its name: axes, interactions, noise.
pub(in crate::report) fn effect_rows(effects: &EffectsSummary) -> Option<Vec<(String, Estimate)>> {
    let EffectsOutcome::Explained(shares) = &effects.outcome else {
        return None;
    };
    let name = |factors: &[usize]| {
        let names: Vec<String> = factors
            .iter()
            .filter_map(|f| effects.factors.get(*f))
            .map(|n| printable(n))
            .collect();
        names.join(" × ")
    };
    let mut rows: Vec<(String, Estimate)> = shares.shares.iter().map(|e| (name(&e.factors), e.share)).collect();
    rows.extend(
        shares
            .higher
            .map(|share| ("interactions of three and more".to_owned(), share)),
    );
    rows.push(("noise".to_owned(), shares.noise));
    Some(rows)
}

/// The shares in a sentence, with what they rest on.
pub(in crate::report) fn effects_words(input: &ReportInput) -> Option<String> {
    let effects = input.summary.effects.as_ref()?;
    let mut text = printable(&effects.text);
    if let EffectsOutcome::Explained(shares) = &effects.outcome {
        let blocks = count(shares.blocks as u64, "whole block");
        let left_out = match shares.blocks_left_out {
            0 => String::new(),
            n => format!(", {} left out for a missing trial", count(n as u64, "block")),
        };
        let _ = write!(
            text,
            " Omega squared, from {blocks}{left_out}. A share depends on the values that the axis was given."
        );
    }
    Some(text)
}

/// One figure of a fitted curve: `251 k/s`.
pub(in crate::report) fn fitted(fit: Option<&ScalingFit>, number: u32) -> String {
    let nearest = |fit: &ScalingFit| {
        let away = |members: f64| (members - f64::from(number)).abs();
        let nearest = fit
            .curve
            .iter()
            .min_by(|a, b| away(a.members).total_cmp(&away(b.members)))?;
        (away(nearest.members) < 1e-6).then_some(nearest.per_second)
    };
    or_unknown(fit.and_then(nearest), rate)
}
