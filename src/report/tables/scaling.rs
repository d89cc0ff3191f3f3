//! What more consumers, processes or threads gain, and which axis explains how much: tables and sentences.

use std::fmt::Write as _;

use crate::report::format::{
    UNKNOWN, mapped, or_unknown, percent, rate, rate_estimate, ratio_estimate, share_estimate,
};
use crate::report::input::ReportInput;
use crate::report::labels::Labels;
use crate::report::table::{Column, Table};
use crate::stats::{Estimate, Law, Parameter, ScalingFit};
use crate::summary::{Along, EffectsOutcome, EffectsSummary, Fit, Gain, ScalingPoint, ScalingSeries};
use crate::wording::{capitalised, grouped, joined, plural};

/// What a series has in common, behind what it runs along where `others` run along something else.
pub(crate) fn title(series: &ScalingSeries, others: &[ScalingSeries]) -> String {
    let is_one_kind = others.iter().all(|other| other.along == series.along);
    let along = if is_one_kind { "" } else { series.along.nouns() };
    joined([along, &series.name], ", ")
}

/// The points of a series.
pub(crate) fn series_table(labels: &Labels, series: &ScalingSeries, caption: String) -> Table {
    type Row<'a> = &'a ScalingPoint;
    let with_idle = series.points.iter().any(|point| point.idle_members > 0);
    let columns = [
        Column::figures(series.along.nouns(), |p: &Row| p.count.to_string()),
        Column::configuration(labels, |p: &Row| p.configuration).on_pages_only(),
        Column::figures("records/s\u{a0}[95\u{a0}%]", |p: &Row| {
            rate_estimate(&p.records_per_second)
        })
        .dropped(3),
        Column::figures("speed-up\u{a0}[95\u{a0}%]", |p: &Row| {
            or_unknown(p.speed_up, |speed| ratio_estimate(&speed))
        }),
        Column::figures("efficiency", |p: &Row| or_unknown(p.efficiency, |e| percent(e.point))).dropped(2),
        Column::figures("each one added\u{a0}[95\u{a0}%]", |p: &Row| added(p)),
        Column::figures("idle members", |p: &Row| p.idle_members.to_string())
            .dropped(1)
            .only_if(with_idle),
    ];
    Table::of(caption, columns, &series.points)
}

/// What each one added to the count before gained: `+2.1 % [−0.5, 4.8]`; empty for the first.
pub(crate) fn added(point: &ScalingPoint) -> String {
    let Some(Gain { from, ratio, .. }) = point.gain else {
        return String::new();
    };
    let Some(ratio) = ratio else {
        return UNKNOWN.to_owned();
    };
    let share = |ratio: f64| ratio.powf(1.0 / f64::from((point.count - from).max(1))) - 1.0;
    let sign = if share(ratio.point) >= 0.0 { "+" } else { "" };
    format!("{sign}{}", share_estimate(&mapped(ratio, share)))
}

/// How many are worth having, and which law fits. That none fits is said of all series together ([`refusals`]).
pub(crate) fn words(series: &ScalingSeries) -> String {
    let recommendation = series.recommendation.as_ref();
    let recommendation = recommendation.map_or(String::new(), |found| format!("{}.", capitalised(&found.text)));
    let law = series.fit.law().map_or(String::new(), |fit| law(series, fit));
    joined([&*recommendation, &law], " ")
}

/// Why no law fits, each reason once with the series that it concerns.
pub(crate) fn refusals(all: &[ScalingSeries]) -> Vec<String> {
    let refused = all.iter().filter_map(|series| match &series.fit {
        Fit::Law(_) => None,
        Fit::Refused(refusal) => Some((refusal.to_string(), series)),
    });
    let sentence = |(why, series): (String, Vec<&ScalingSeries>)| {
        let is_idle = |series: &&ScalingSeries| series.points.iter().any(|point| point.idle_members > 0);
        let idle = if series.iter().any(is_idle) {
            " (those with idle members cannot)"
        } else {
            ""
        };
        let titles: Vec<String> = series.iter().map(|one| title(one, all)).collect();
        let subjects = if series.len() == all.len() || titles.iter().any(String::is_empty) {
            String::new()
        } else {
            format!(" for {}", titles.join("; "))
        };
        format!("No law is fitted{subjects}: {why}{idle}.")
    };
    grouped(refused).into_iter().map(sentence).collect()
}

/// Which law fits a series.
fn law(series: &ScalingSeries, fit: &ScalingFit) -> String {
    let one = format!("one {} reads {}", series.along.noun(), rate_estimate(&fit.lambda));
    let parameter = |p: Option<Parameter>| or_unknown(p, |p| share_estimate(&p.estimate));
    let found = match fit.law {
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
    let (trials, blocks) = (fit.observations as u64, fit.blocks as u64);
    let from = format!("{} in {}", plural(trials, "trial"), plural(blocks, "block"));
    format!("{found} ({from}).{}", misfit(fit))
}

/// The bound that contention sets to the speed-up.
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
        " But the figures differ from this curve by more than chance, most of all at {} ({} {side} it): it describes \
         them roughly and predicts nothing.",
        misfit.members,
        percent((misfit.ratio - 1.0).abs())
    )
}

/// The shares of the axes, their interactions and the noise.
pub(crate) fn effects(input: &ReportInput) -> Option<Table> {
    let shares = shares(input.summary.effects.as_ref()?)?;
    let columns = [
        Column::words("axis", |(source, _): &(Source, Estimate)| source.to_string()),
        Column::figures(
            "share of the variance\u{a0}[95\u{a0}%]",
            |(_, share): &(Source, Estimate)| share_estimate(share),
        ),
    ];
    Some(Table::of("", columns, shares))
}

/// A source of variance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// An axis, or several that interact.
    Axes(String),
    /// Interactions of three axes and more.
    Higher,
    /// Trials of one configuration.
    Noise,
}

impl std::fmt::Display for Source {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Source::Axes(names) => names,
            Source::Higher => "interactions of three and more",
            Source::Noise => "noise",
        })
    }
}

/// Each share with its source: axes, interactions, noise.
pub(crate) fn shares(effects: &EffectsSummary) -> Option<Vec<(Source, Estimate)>> {
    let EffectsOutcome::Explained(shares) = &effects.outcome else {
        return None;
    };
    let axes = |factors: &[usize]| {
        let names: Vec<&str> = factors
            .iter()
            .filter_map(|f| Some(&**effects.factors.get(*f)?))
            .collect();
        Source::Axes(names.join(" × "))
    };
    let explained = shares.shares.iter().map(|e| (axes(&e.factors), e.share));
    let higher = shares.higher.map(|share| (Source::Higher, share));
    let noise = (Source::Noise, shares.noise);
    Some(explained.chain(higher).chain([noise]).collect())
}

/// The shares in a sentence, with what they rest on.
pub(crate) fn effects_words(input: &ReportInput) -> Option<String> {
    let effects = input.summary.effects.as_ref()?;
    let mut text = effects.text.clone();
    if let EffectsOutcome::Explained(shares) = &effects.outcome {
        let blocks = plural(shares.blocks as u64, "complete block");
        let left_out = match shares.blocks_left_out {
            0 => String::new(),
            n => format!(
                ", {} left out because a trial is missing or configurations had left",
                plural(n as u64, "block")
            ),
        };
        let _ = write!(
            text,
            " Omega squared, from {blocks}{left_out}. A share depends on the values that the axis was given."
        );
    }
    Some(text)
}

/// One figure of a fitted curve: `251 k/s`.
pub(crate) fn fitted(fit: Option<&ScalingFit>, number: u32) -> String {
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
