//! The answer where records arrive: how long they wait, and how soon a backlog is gone.

use super::numbers::{SENTENCES_MAX, counts, figure, interval, percent, times};
use super::writer::Writer;
use crate::figures::{FigureId, RESPONSE_P99};
use crate::measure::{LoadJudgement, LoadVerdict};
use crate::scenario::{Mode, Shape};
use crate::stats::{Estimate, is_material};
use crate::verdict::{Comparison, Metric, Verdict};
use crate::wording::{capitalised, plural, thousands};

/// The axis that sentences write as a rate and not as a key with its value.
const RATE: &str = "rate";

impl Writer<'_> {
    /// A baseline of live or mixed trials with everything that is compared with it.
    pub(super) fn about_load(&self, baseline: usize, metric: Metric) -> String {
        let is_about_it = |c: &&Comparison| c.metric == metric && c.baseline == baseline;
        let against: Vec<&Comparison> = self.comparisons.iter().filter(is_about_it).collect();
        let sentence = match against[..] {
            [] => self.load_alone(baseline, metric),
            [only] => {
                let both = [only.baseline, only.configuration];
                let have_figures = both.iter().all(|&c| self.load_figure(c, metric).is_ok());
                let unsure = if have_figures {
                    self.unsure(&both, &self.held_equal(&[only]))
                } else {
                    String::new()
                };
                self.load_single(only) + &unsure
            }
            _ => self.load_several(baseline, metric, &against),
        };
        format!("{}.", capitalised(&sentence))
    }

    fn load_alone(&self, configuration: usize, metric: Metric) -> String {
        let name = self.label(configuration, &[]);
        let lead = self.load_lead(&[configuration], &[]);
        format!("{lead}{name} {}", self.clause(configuration, metric))
    }

    fn load_single(&self, comparison: &Comparison) -> String {
        let (metric, held) = (comparison.metric, self.held_equal(&[comparison]));
        let both = [comparison.baseline, comparison.configuration];
        let [base, subject] = both.map(|c| self.label(c, &held));
        let lead = self.load_lead(&both, &held);
        let (Ok(before), Ok(after)) = (
            self.load_figure(comparison.baseline, metric),
            self.load_figure(comparison.configuration, metric),
        ) else {
            let [of_base, of_subject] = both.map(|c| self.clause(c, metric));
            return format!("{lead}{base} {of_base}; {subject} {of_subject}");
        };
        let (before, after) = (time_text(metric, before), time_text(metric, after));
        let plain = match metric {
            Metric::CATCH_UP => format!("the lag is gone after {before} with {base} and after {after} with {subject}"),
            _ => format!("p99 is {before} with {base} and {after} with {subject}"),
        };
        let Some(ratio) = comparison.ratio() else {
            return format!("{lead}{plain}; no complete block has usable trials of both, so there is no verdict");
        };
        let blocks = plural(comparison.blocks, "block");
        let (changed, weakly) = (changed(comparison, ratio), self.weakly(comparison));
        let ratio = format!("ratio {}{}", figure(ratio.point), interval(ratio));
        match (comparison.verdict, metric) {
            (Verdict::Same, _) => format!("no difference worth having: {lead}{plain} ({ratio}, {blocks})"),
            (Verdict::Undecided, _) => {
                format!(
                    "undecided after {blocks}: {lead}{plain} ({ratio}){}",
                    self.why(comparison)
                )
            }
            (Verdict::Faster | Verdict::Slower, Metric::CATCH_UP) => {
                format!("{lead}{plain} ({changed}, {blocks}){weakly}")
            }
            (verdict, _) => {
                let moves = if verdict == Verdict::Faster { "falls" } else { "rises" };
                format!(
                    "{lead}p99 {moves} from {before} with {base} to {after} with {subject} ({changed}, {blocks}){weakly}"
                )
            }
        }
    }

    fn load_several(&self, baseline: usize, metric: Metric, against: &[&Comparison]) -> String {
        let held = self.held_equal(against);
        let all: Vec<usize> = std::iter::once(baseline)
            .chain(against.iter().map(|c| c.configuration))
            .collect();
        let lead = self.load_lead(&all, &held);
        let base = format!(
            "{lead}{} {}",
            self.label(baseline, &held),
            self.clause(baseline, metric)
        );
        if against.len() <= SENTENCES_MAX {
            let clauses: Vec<String> = against.iter().map(|c| self.load_one(c, &held)).collect();
            return format!("{base}. Against it: {}", clauses.join("; "));
        }
        let point = |c: &&&Comparison| c.ratio().map(|ratio| ratio.point);
        let measured = against.iter().filter(|c| point(c).is_some());
        let Some(best) = measured.max_by(|a, b| point(a).unwrap_or(0.0).total_cmp(&point(b).unwrap_or(0.0))) else {
            return format!("{base}. No other can be compared with it");
        };
        let words = [
            (Verdict::Faster, "shorter"),
            (Verdict::Slower, "longer"),
            (Verdict::Same, "without a difference worth having"),
            (Verdict::Undecided, "without a verdict"),
        ];
        let others = || {
            against
                .iter()
                .copied()
                .filter(|c| c.configuration != best.configuration)
        };
        format!(
            "{base}. Against it: {}; that is the shortest of those compared. Of the {} others: {}",
            self.load_one(best, &held),
            others().count(),
            counts(others(), words)
        )
    }

    /// `"two processes" holds it with p99 1.31 ms, 4.30 times shorter [4.1, 4.5]`.
    fn load_one(&self, comparison: &Comparison, held: &[usize]) -> String {
        let clause = self.clause(comparison.configuration, comparison.metric);
        let clauses = format!("{} {clause}", self.label(comparison.configuration, held));
        let Some(ratio) = comparison.ratio() else {
            return clauses;
        };
        match comparison.verdict {
            Verdict::Faster | Verdict::Slower => {
                format!("{clauses}, {}{}", changed(comparison, ratio), self.weakly(comparison))
            }
            Verdict::Same => format!("{clauses}, no difference worth having"),
            Verdict::Undecided => {
                let blocks = plural(comparison.blocks, "block");
                format!("{clauses}, undecided after {blocks}{}", self.why(comparison))
            }
        }
    }

    /// What keeps a difference from being surely worth having.
    fn weakly(&self, comparison: &Comparison) -> String {
        let interval = comparison.ratio().and_then(|ratio| ratio.interval);
        let material = interval.is_none_or(|interval| is_material(interval, self.scenario.threshold));
        let threshold = percent(self.scenario.threshold);
        if material {
            String::new()
        } else {
            format!(", though perhaps by less than {threshold} %")
        }
    }

    fn why(&self, comparison: &Comparison) -> String {
        self.why_undecided(comparison)
            .map_or(String::new(), |why| format!("; {why}"))
    }

    /// What follows a configuration's name: its figure, or why there is none.
    fn clause(&self, configuration: usize, metric: Metric) -> String {
        match self.load_figure(configuration, metric) {
            Ok(found) if metric == Metric::CATCH_UP => format!("has no lag left after {}", time_text(metric, found)),
            Ok(found) => {
                let p99 = time_text(metric, found);
                match self.judgement(configuration) {
                    Some(judgement) if judgement.verdict == LoadVerdict::CannotSay => {
                        format!("has p99 {p99}, {}", cannot_say(judgement))
                    }
                    Some(judgement) => {
                        let resolution = judgement.resolution_percent();
                        format!("holds it with p99 {p99} (the window resolves a growth of the lag of {resolution} %)")
                    }
                    None => format!("holds it with p99 {p99}"),
                }
            }
            Err(why) => why,
        }
    }

    fn judgement(&self, configuration: usize) -> Option<&LoadJudgement> {
        self.summaries[configuration].live.as_ref()?.judgement.as_ref()
    }

    /// Which of these cannot be said to keep up, where both have figures.
    fn unsure(&self, configurations: &[usize], held: &[usize]) -> String {
        let unsure = configurations.iter().filter_map(|&c| {
            let judgement = self.judgement(c).filter(|j| j.verdict == LoadVerdict::CannotSay)?;
            Some(format!("; {}, {}", self.label(c, held), cannot_say(judgement)))
        });
        unsure.collect()
    }

    /// The figure of a metric in its unit, or what is to be said in its place.
    fn load_figure(&self, configuration: usize, metric: Metric) -> Result<Estimate, String> {
        let summary = &self.summaries[configuration];
        let Some(live) = summary.live.as_ref().filter(|_| summary.trials_used > 0) else {
            return Err("has no usable trial".to_owned());
        };
        let growth = summary.point(FigureId::LagGrowth).unwrap_or(0.0);
        if live.overloaded {
            return Err(format!("is overloaded: its lag grows by {} records/s", rate(growth)));
        }
        if live.trials_meaningful == 0 && !live.load_reached {
            let sent = summary.point(FigureId::SentPerSecond).map_or("few".to_owned(), rate);
            let offered = summary.point(FigureId::OfferedPerSecond).map_or("the".to_owned(), rate);
            return Err(format!(
                "was not given the load ({sent} of {offered} records/s were sent), so nothing is said of its latency"
            ));
        }
        if live.trials_meaningful == 0 {
            return Err("left records unread, so nothing is said of its latency".to_owned());
        }
        if metric == Metric::CATCH_UP {
            return summary
                .estimate(FigureId::CatchUpSeconds)
                .ok_or_else(|| "never caught up".to_owned());
        }
        summary
            .estimate(RESPONSE_P99)
            .ok_or_else(|| "has too few records for a p99".to_owned())
    }

    /// `with work=none, at 2,000 records/s `: what these configurations have in common, with the rate in words.
    fn load_lead(&self, configurations: &[usize], held: &[usize]) -> String {
        let not_rate: Vec<usize> = held
            .iter()
            .copied()
            .filter(|&axis| self.scenario.axes[axis].key != RATE)
            .collect();
        let context = configurations.first().and_then(|&c| self.context(c, &not_rate));
        let context = context.map_or(String::new(), |context| format!("with {context}, "));
        let mut rates = configurations.iter().filter_map(|&c| self.rate_text(c));
        let Some(first) = rates.next().filter(|first| rates.all(|other| other == *first)) else {
            return context;
        };
        let mixed = configurations
            .iter()
            .any(|&c| matches!(self.configuration(c).mode, Mode::Mixed(_)));
        if mixed {
            format!("{context}with {first} arriving, ")
        } else {
            format!("{context}at {first} ")
        }
    }

    /// `2,000 records/s`, the mean where the rate changes over time.
    fn rate_text(&self, configuration: usize) -> Option<String> {
        let load = self.configuration(configuration).mode.load()?;
        let offered = self.summaries[configuration].point(FigureId::OfferedPerSecond);
        match (&load.shape, offered) {
            (Shape::Constant, _) | (_, None) => Some(format!("{} records/s", rate(load.rate))),
            (_, Some(offered)) => Some(format!("{} records/s on average", rate(offered))),
        }
    }
}

/// That a window is too short for a verdict on the load.
fn cannot_say(judgement: &LoadJudgement) -> String {
    format!(
        "but whether the load is held cannot be said: the window resolves only a growth of the lag of at least \
         {} % of what arrives",
        judgement.resolution_percent()
    )
}

/// `6.84 times shorter [6.72, 6.95]`, in the direction of the verdict.
fn changed(comparison: &Comparison, ratio: Estimate) -> String {
    let slower = comparison.verdict == Verdict::Slower;
    let word = match (comparison.metric, slower) {
        (Metric::CATCH_UP, false) => "sooner",
        (Metric::CATCH_UP, true) => "later",
        (_, false) => "shorter",
        (_, true) => "longer",
    };
    let ratio = if slower { ratio.map(f64::recip) } else { ratio };
    format!("{} {word}{}", times(ratio), interval(ratio))
}

/// Records per second to the integer; below 100 with three digits.
pub(super) fn rate(per_second: f64) -> String {
    if per_second.abs() < 99.5 {
        figure(per_second)
    } else {
        thousands(per_second)
    }
}

/// An estimate in the unit of its metric: milliseconds of a percentile, seconds of catching up.
fn time_text(metric: Metric, estimate: Estimate) -> String {
    match metric {
        Metric::CATCH_UP => time(estimate.point * 1e3),
        _ => time(estimate.point),
    }
}

/// A length of time from milliseconds, to three digits: `850 µs`, `41.2 ms`, `1.23 s`.
fn time(ms: f64) -> String {
    match ms {
        ms if ms < 0.999_5 => format!("{} µs", figure(ms * 1e3)),
        ms if ms < 999.5 => format!("{} ms", figure(ms)),
        ms => format!("{} s", figure(ms / 1e3)),
    }
}
