//! Where records arrive: which configurations hold the load, which fall behind, and what cannot be said.

use super::facts::{Facts, distinct, fits};
use super::names::listed_labels;
use crate::figures::{FigureId, RESPONSE_P99};
use crate::measure::LoadVerdict;
use crate::scenario::Mode;
use crate::summary::numbers::{rate, time};
use crate::verdict::Comparison;
use crate::wording::{capitalised, plural};

/// Groups that get a sentence each; the table has the others.
const SENTENCES_MAX: usize = 4;

/// What became of the load in the trials of a configuration.
#[derive(Debug, Clone)]
enum Held {
    /// With a figure: `holds with p99 6.01 ms`.
    Yes(String),
    FallsBehind,
    NotSent(String),
    LeftUnread,
    NeverCaughtUp,
    TooFewRecords,
    /// Of a program that speaks nothing: whether it keeps up cannot be said.
    CannotSay,
    NoTrial,
    /// A program that speaks nothing keeps up: how long its records take, nobody sees.
    KeepsUp,
}

impl Facts<'_> {
    /// Whether both configurations have figures that can be compared: none of them is overloaded, for example.
    pub(super) fn has_figures(&self, comparison: &Comparison) -> bool {
        let is_known = |c: usize| matches!(self.held(c), None | Some(Held::Yes(_)));
        is_known(comparison.baseline) && is_known(comparison.configuration)
    }

    /// Which hold the load and which do not, for each baseline with what belongs to it, where that is not said by a
    /// comparison.
    pub(super) fn about_load(&self) -> Vec<String> {
        let configurations = || 0..self.names.scenario.configurations.len();
        let baseline_of = |c: usize| {
            let baseline = self.names.configuration(c).baseline;
            let is_alike =
                |b: &usize| self.names.configuration(*b).mode.name() == self.names.configuration(c).mode.name();
            baseline.filter(is_alike).unwrap_or(c)
        };
        let loaded: Vec<usize> = configurations().filter(|&c| self.held(c).is_some()).collect();
        let baselines = distinct(loaded.iter().map(|&c| baseline_of(c)));
        let mut sentences: Vec<String> = baselines
            .iter()
            .filter_map(|&baseline| {
                let group: Vec<usize> = loaded.iter().copied().filter(|&c| baseline_of(c) == baseline).collect();
                self.about_group(&group)
            })
            .collect();
        if sentences.len() > SENTENCES_MAX {
            let more = sentences.len() + 1 - SENTENCES_MAX;
            sentences.truncate(SENTENCES_MAX - 1);
            sentences.push(format!("The table says the same of {}.", plural(more, "other load")));
        }
        sentences
    }

    fn about_group(&self, group: &[usize]) -> Option<String> {
        let states: Vec<(usize, Held)> = group.iter().filter_map(|&c| Some((c, self.held(c)?))).collect();
        let all_hold = states.iter().all(|(_, held)| matches!(held, Held::Yes(_)));
        if all_hold && group.len() > 1 {
            return None;
        }
        let common = if group.len() > 1 {
            self.names.common(group)
        } else {
            self.names.common(&[])
        };
        let context = self.names.context(group, &common);
        let context = if context.is_empty() { context } else { context + " " };
        // Those that do not hold it first.
        let mut kinds = distinct(states.iter().map(|(_, held)| held.kind()));
        kinds.sort_unstable();
        let named = |kind: u8, shorten: bool| {
            let own: Vec<&(usize, Held)> = states.iter().filter(|(_, held)| held.kind() == kind).collect();
            let names: Vec<String> = own.iter().map(|(c, _)| self.names.label(*c, &common)).collect();
            let held = &own[0].1;
            match &names[..] {
                [one] => format!("{one} {}", held.words(true)),
                several if shorten => format!("{} arrangements {}", several.len(), held.words(false)),
                several => format!("{} {}", listed_labels(several), held.words(false)),
            }
        };
        let sentence = |shorten: bool| {
            let parts: Vec<String> = kinds.iter().map(|kind| named(*kind, shorten)).collect();
            capitalised(&format!("{context}{}.", parts.join("; ")))
        };
        Some(sentence(false))
            .filter(|sentence| fits(sentence))
            .or_else(|| Some(sentence(true)))
    }

    /// What became of the load; `None` of a configuration without any.
    fn held(&self, configuration: usize) -> Option<Held> {
        let mode = &self.names.configuration(configuration).mode;
        mode.load()?;
        let summary = &self.names.summaries[configuration];
        let Some(live) = summary.live.as_ref().filter(|_| summary.trials_used > 0) else {
            return Some(Held::NoTrial);
        };
        if live.overloaded {
            return Some(Held::FallsBehind);
        }
        let is_silent = self
            .names
            .scenario
            .app_of(self.names.configuration(configuration))
            .silent()
            .is_some();
        if is_silent && live.load_reached && matches!(mode, Mode::Live(_)) {
            let judged = live.judgement.as_ref().map(|judgement| judgement.verdict);
            let keeps_up = judged == Some(LoadVerdict::Holds);
            return Some(if keeps_up { Held::KeepsUp } else { Held::CannotSay });
        }
        if live.trials_meaningful == 0 {
            if live.load_reached {
                return Some(Held::LeftUnread);
            }
            let text = |id| summary.point(id).map_or("few".to_owned(), rate);
            let (sent, offered) = (text(FigureId::SentPerSecond), text(FigureId::OfferedPerSecond));
            return Some(Held::NotSent(format!("{sent} of {offered} records/s sent")));
        }
        let has_events = !self.names.configuration(configuration).events.is_empty();
        let (figure, without) = match mode {
            Mode::Mixed(_) => (
                summary
                    .point(FigureId::CatchUpSeconds)
                    .map(|seconds| format!("has no lag left after {}", time(seconds * 1e3))),
                Held::NeverCaughtUp,
            ),
            _ => (
                summary.point(RESPONSE_P99).map(|ms| {
                    let judged = live.judgement.as_ref().map(|judgement| judgement.verdict);
                    let holds = match judged {
                        // What is done on purpose disturbs the window by which that is judged.
                        _ if has_events => "reads everything,",
                        Some(LoadVerdict::CannotSay) => "may hold",
                        _ => "holds",
                    };
                    format!("{holds} with p99 {}", time(ms))
                }),
                Held::TooFewRecords,
            ),
        };
        Some(figure.map_or(without, Held::Yes))
    }
}

impl Held {
    /// Which of them, whatever its figures; what does not hold the load comes first.
    fn kind(&self) -> u8 {
        match self {
            Held::FallsBehind => 0,
            Held::NotSent(_) => 1,
            Held::LeftUnread => 2,
            Held::NeverCaughtUp => 3,
            Held::TooFewRecords => 4,
            Held::CannotSay => 5,
            Held::NoTrial => 6,
            Held::KeepsUp => 7,
            Held::Yes(_) => 8,
        }
    }

    /// What one configuration does, or what several do.
    fn words(&self, is_one: bool) -> String {
        let (one, several) = match self {
            Held::Yes(figure) if is_one => return figure.clone(),
            Held::Yes(_) => ("holds", "hold"),
            Held::FallsBehind => ("falls behind", "fall behind"),
            Held::NotSent(figures) if is_one => return format!("was not given the load ({figures})"),
            Held::NotSent(_) => ("was not given the load", "were not given the load"),
            Held::LeftUnread => ("left records unread", "left records unread"),
            Held::NeverCaughtUp => ("never caught up", "never caught up"),
            Held::TooFewRecords => ("has too few records for a p99", "have too few records for a p99"),
            Held::CannotSay => (
                "reads in windows too short to say whether it keeps up",
                "read in windows too short to say whether they keep up",
            ),
            Held::NoTrial => ("has no usable trial", "have no usable trial"),
            Held::KeepsUp => ("keeps up", "keep up"),
        };
        (if is_one { one } else { several }).to_owned()
    }
}
