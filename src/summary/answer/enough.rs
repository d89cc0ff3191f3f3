//! How many members are enough for a load: the fewest of those measured that hold it, what they have to spare, and what
//! other numbers of members can work where partitions and the length of the work decide that.

use crate::figures::FigureId;
use crate::measure::LoadVerdict;
use crate::plan::{LoadLimit, Plan, Shares};
use crate::scenario::{Configuration, Mode, Shape};
use crate::summary::model::ConfigurationSummary;
use crate::summary::numbers::rate;
use crate::wording::{grouped, plural};

/// From this share of what the members can work on, the next larger number is of more interest than the next smaller.
const LITTLE_TO_SPARE: f64 = 0.8;
/// Loads that get a sentence; the tables have the others.
const SENTENCES_MAX: usize = 4;

/// A sentence for each load that different numbers of members were given.
pub(super) fn enough(plan: &Plan, summaries: &[ConfigurationSummary]) -> Vec<String> {
    if plan.scenario.capacity.is_some() {
        return Vec::new();
    }
    let limits = plan.load_limits();
    let measured = limits.iter().filter_map(|limit| {
        let configuration = &plan.scenario.configurations[limit.configuration];
        let measured = Measured::of(configuration, &summaries[limit.configuration], limit)?;
        Some((but_for_members(configuration), measured))
    });
    let groups = grouped(measured).into_iter().filter_map(|(_, group)| Group::of(group));
    groups.map(|group| group.sentence()).take(SENTENCES_MAX).collect()
}

/// What is equal in configurations that differ in nothing but their number of members.
fn but_for_members(configuration: &Configuration) -> Configuration {
    Configuration {
        processes: 1,
        consumers: 1,
        ..configuration.unnamed()
    }
}

/// What became of a load that so many members were given.
struct Measured {
    members: u32,
    noun: &'static str,
    load: f64,
    shares: Shares,
    /// The time of a record as measured over the time that it was to take; 1 where that was not measured.
    longer: f64,
    outcome: LoadVerdict,
}

impl Measured {
    /// `None` where the load varies, nothing was measured, or other things than the members decide what can be worked.
    fn of(configuration: &Configuration, summary: &ConfigurationSummary, limit: &LoadLimit) -> Option<Self> {
        let Mode::Live(load) = &configuration.mode else {
            return None;
        };
        let shares = limit
            .shares
            .filter(|_| load.shape == Shape::Constant && configuration.groups == 1)?;
        let live = summary.live.as_ref().filter(|_| summary.trials_used > 0)?;
        let outcome = match &live.judgement {
            _ if live.overloaded => LoadVerdict::Overloaded,
            _ if live.trials_meaningful == 0 => return None,
            Some(judgement) => judgement.verdict,
            None => LoadVerdict::Holds,
        };
        let work_us = summary.point(FigureId::WorkMean);
        Some(Measured {
            members: configuration.members_per_group(),
            noun: match (configuration.processes, configuration.consumers) {
                (1, _) => "consumer",
                (_, 1) => "process",
                _ => "member",
            },
            load: limit.load,
            shares,
            longer: work_us.map_or(1.0, |us| us * 1e3 / shares.work_ns as f64),
            outcome,
        })
    }
}

/// Different numbers of members at one load, the fewest first.
struct Group {
    measured: Vec<Measured>,
    noun: &'static str,
    longer: f64,
}

impl Group {
    /// `None` where arrangements of one number of members fare differently, so that the number says nothing.
    fn of(mut measured: Vec<Measured>) -> Option<Self> {
        measured.sort_by_key(|each| each.members);
        let is_contradicted = |two: &[Measured]| two[0].members == two[1].members && two[0].outcome != two[1].outcome;
        if measured.windows(2).any(is_contradicted) {
            return None;
        }
        let (first, last) = (measured.first()?, measured.last()?);
        let nouns = || measured.iter().filter(|each| each.members > 1).map(|each| each.noun);
        let noun = nouns().next().filter(|first| nouns().all(|noun| noun == *first));
        Some(Group {
            noun: noun.unwrap_or("member"),
            longer: last.longer.max(first.longer),
            measured,
        })
        .filter(Group::is_asked)
    }

    /// Whether numbers are what differs: of two that both hold the load, how long records wait is the question.
    fn is_asked(&self) -> bool {
        let all_hold = self.measured.iter().all(|each| each.outcome == LoadVerdict::Holds);
        let numbers = self.measured.chunk_by(|one, next| one.members == next.members).count();
        numbers > 2 || (numbers == 2 && !all_hold)
    }

    fn sentence(&self) -> String {
        let holds = |outcome| self.measured.iter().find(|each| each.outcome == outcome);
        // One that may hold is named only where none does for sure.
        let found = holds(LoadVerdict::Holds).or_else(|| holds(LoadVerdict::CannotSay));
        found.map_or_else(|| self.none_holds(), |fewest| self.hold(fewest))
    }

    fn hold(&self, fewest: &Measured) -> String {
        let (shares, load) = (fewest.shares, fewest.load);
        let may = match (fewest.outcome, fewest.members) {
            (LoadVerdict::Holds, 1) => "holds",
            (LoadVerdict::Holds, _) => "hold",
            _ => "may hold",
        };
        let share = load / self.at_most(shares);
        let held = format!(
            "{} {may} {} records/s, {:.0} % of the {}/s that",
            self.count(fewest.members),
            rate(load),
            share * 100.0,
            about(self.at_most(shares)),
        );
        let can = match shares.held {
            1 => "they can work".to_owned(),
            held => format!(
                "{} can work, as some have {held} of {} partitions",
                Self::range(shares),
                shares.partitions
            ),
        };
        let other = match (shares.with_more(), shares.with_fewer()) {
            (Some(more), _) if share >= LITTLE_TO_SPARE => {
                format!("; more takes {} ({}/s)", more.fewest(), about(self.at_most(more)))
            }
            (_, Some(fewer)) => self.too_few(fewer),
            _ => String::new(),
        };
        format!("{held} {can}{other}.")
    }

    fn none_holds(&self) -> String {
        let Measured { shares, load, .. } = self.measured[0];
        let needed = shares.enough_for(load * self.longer);
        let load = rate(load);
        let Some(needed) = needed else {
            let single = Shares { held: 1, ..shares };
            return format!(
                "No number of {} can work {load} records/s with {}: at most {}/s.",
                plural_of(self.noun),
                plural(shares.partitions, "partition"),
                about(self.at_most(single))
            );
        };
        let fewer = needed.with_fewer().map_or(String::new(), |fewer| self.too_few(fewer));
        format!(
            "None of those measured holds {load} records/s: it takes {}, which can work {}/s{fewer}.",
            self.count(needed.fewest()),
            about(self.at_most(needed))
        )
    }

    fn too_few(&self, fewer: Shares) -> String {
        format!(
            "; {} can work {}/s at most",
            Self::range(fewer),
            about(self.at_most(fewer))
        )
    }

    /// With the time that a record takes as measured.
    fn at_most(&self, shares: Shares) -> f64 {
        shares.at_most() / self.longer
    }

    fn count(&self, members: u32) -> String {
        plural(members, self.noun)
    }

    /// `6 to 11`.
    fn range(shares: Shares) -> String {
        match (shares.fewest(), shares.most()) {
            (fewest, Some(most)) if most > fewest => format!("{fewest} to {most}"),
            (fewest, _) => fewest.to_string(),
        }
    }
}

/// A rate that arithmetic gives, to three digits: the time of a record is not known better.
fn about(per_second: f64) -> String {
    let unit = 10_f64.powf(per_second.max(1.0).log10().floor() - 2.0);
    rate((per_second / unit).round() * unit)
}

fn plural_of(noun: &str) -> String {
    let two = plural(2, noun);
    two.trim_start_matches("2 ").to_owned()
}
