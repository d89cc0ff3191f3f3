//! The search for capacity: from what the trials of a configuration said of the rates that were tried to the next one.
//! Starts at the highest rate, narrows the interval between the highest that held and the lowest that failed by halves,
//! confirms the answer with longer trials, and tries the rate that bounds it from above a second time, so that no
//! single trial decides the answer. Where no response time is limited, what overloaded readers read is their capacity, so
//! the rates just below and just above it are tried next. All that is known is in the stored trials.

use super::history::History;
use super::model::{Plan, Progress, count};
use super::window::{ObservedWindow, rate_min, window_ns};
use crate::measure::bounds::{Bounds, RateVerdict, Tried, Verdict, bounds, same_rate, verdicts};
use crate::measure::objective::Outcome;
use crate::measure::{OrderedLoad, Trial, TrialKind, TrialOrder};
use crate::scenario::{Capacity, Configuration, Load, SEARCH_WINDOW_MAX_NS};

/// Trials of one configuration's search after which the answer is what is known by then.
const SEARCH_TRIALS_MAX: usize = 30;
/// After so many trials at one rate that decided nothing, the search ends with what is known.
const UNDECIDED_MAX: usize = 3;
/// Readers that fell behind read at about their capacity: the next rate is this share of what they read, because response
/// times rise before readers fall behind.
const SHARE_OF_READ: f64 = 0.9;
/// Where no response time is limited, the next rate is below what they read by this share of the precision, and the one after
/// it above by the rest: a rate above must be so much too high that the window shows it.
const SHARE_BELOW_READ: f64 = 1.0 / 6.0;
/// Longer trials in which the answer of a search must hold.
pub const CONFIRMATIONS: u32 = 1;
/// Trials that the rate above the answer takes to bound it, and the same in the quick form.
const OPINIONS: usize = 2;
const QUICK_OPINIONS: usize = 1;
/// Bounds are as near as wanted if no more than this is missing: their ratio is a rounded one.
const ROUNDING: f64 = 1e-9;
/// Where nobody gave a rate and the first held, the next is so many times as high.
const OPEN_FACTOR: f64 = 4.0;
/// What comes next for one configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    /// Try this rate.
    Search(f64),
    /// Try it for longer.
    Confirm(f64),
    /// The answer is known, or will not be known better.
    Done,
}

/// A trial at a rate.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Attempt {
    tried: Tried,
    kind: TrialKind,
    /// Records per second that overloaded readers read.
    read_per_second: Option<f64>,
}

impl Attempt {
    fn of(trial: &Trial, wanted: &Capacity, groups: u32) -> Option<Self> {
        let load = trial
            .measurement
            .as_ref()
            .and_then(|measurement| measurement.load.as_ref());
        let read = load.and_then(|load| {
            let overload = load.overload?;
            let measurement = trial.measurement.as_ref()?;
            let growth = overload.lag_growth_per_second / f64::from(groups);
            // Committed offsets say themselves how much was read, a difference of large rates less exactly.
            let committed = measurement
                .outside
                .as_ref()
                .map(|_| measurement.records_per_second() / f64::from(groups));
            Some(committed.unwrap_or(load.sent_per_second - growth)).filter(|read| *read > 0.0)
        });
        let tried = Tried::of(trial, wanted.response_limit())?;
        Some(Attempt {
            // A trial that decides nothing leads nowhere either.
            read_per_second: read.filter(|_| tried.outcome == Outcome::Failed),
            tried,
            kind: trial.order.kind,
        })
    }
}

fn tries_of(attempts: &[Attempt]) -> Vec<Tried> {
    attempts.iter().map(|attempt| attempt.tried).collect()
}

/// The rate at which a search begins.
#[derive(Debug, Clone, Copy)]
struct First {
    rate: f64,
    /// True where higher ones follow if it holds.
    is_open: bool,
}

/// The next step for a configuration whose search begins at `first` and whose answer must hold in `confirmations`
/// longer trials.
fn step(wanted: &Capacity, first: First, confirmations: u32, attempts: &[Attempt]) -> Step {
    let highest = first.rate;
    if attempts.len() >= SEARCH_TRIALS_MAX {
        return Step::Done;
    }
    let tries = tries_of(attempts);
    let verdicts = verdicts(&tries);
    let step = match (tied(&verdicts), bounds(&tries)) {
        (Some(rate), _) => Step::Search(rate),
        (
            None,
            Bounds {
                low: None, high: None, ..
            },
        ) => Step::Search(highest),
        (
            None,
            Bounds {
                low: None,
                high: Some(high),
                ..
            },
        ) => below(wanted, high, attempts),
        (
            None,
            Bounds {
                low: Some(low), high, ..
            },
        ) => match high {
            Some(high) if is_wide(wanted, low, high) => Step::Search(between(wanted, low, high, attempts)),
            None if first.is_open => Step::Search(low * OPEN_FACTOR),
            _ if !is_confirmed(low, confirmations, attempts) => Step::Confirm(low),
            Some(high) if opinions(high, &verdicts) < opinions_wanted(wanted) => Step::Search(high),
            _ => Step::Done,
        },
    };
    let rate = match step {
        Step::Search(rate) | Step::Confirm(rate) => rate,
        Step::Done => return Step::Done,
    };
    let undecided = |t: &&Tried| is_undecided_at(t, rate);
    let is_futile = rate < highest && rate < rate_min(wanted);
    if is_futile || tries.iter().filter(undecided).count() >= UNDECIDED_MAX {
        return Step::Done;
    }
    step
}

/// The lowest rate whose trials contradict each other, unless a lower one is not held.
fn tied(verdicts: &[RateVerdict]) -> Option<f64> {
    let open = |v: &&RateVerdict| matches!(v.verdict, Verdict::Held | Verdict::Tied);
    let up_to_high = verdicts.iter().take_while(open);
    let mut tied = up_to_high.filter(|v| v.verdict == Verdict::Tied);
    tied.next().map(|v| v.rate)
}

fn is_undecided_at(tried: &Tried, rate: f64) -> bool {
    tried.outcome == Outcome::NotDecided && same_rate(tried.rate, rate)
}

/// Trials that decided something at a rate.
fn opinions(rate: f64, verdicts: &[RateVerdict]) -> usize {
    let verdict = verdicts.iter().find(|v| same_rate(v.rate, rate));
    verdict.map_or(0, |v| v.tries)
}

fn opinions_wanted(wanted: &Capacity) -> usize {
    if wanted.is_quick { QUICK_OPINIONS } else { OPINIONS }
}

fn is_wide(wanted: &Capacity, low: f64, high: f64) -> bool {
    high / low > 1.0 + wanted.precision + ROUNDING
}

/// A rate just below what overloaded readers read, where no response time is limited.
fn below_read(wanted: &Capacity, read: f64) -> f64 {
    read * (1.0 - wanted.precision * SHARE_BELOW_READ)
}

/// A rate below the lowest that did not hold, where nothing lower has been tried.
fn below(wanted: &Capacity, high: f64, attempts: &[Attempt]) -> Step {
    let lowest = attempts.iter().filter(|a| same_rate(a.tried.rate, high));
    let read = lowest.filter_map(|a| a.read_per_second).min_by(f64::total_cmp);
    match read {
        // What was read is the capacity, so the longer trial comes at once. Where one decided nothing, a lower rate may.
        Some(read) if wanted.limit.is_none() => {
            let mut rate = below_read(wanted, read);
            while attempts.iter().any(|a| is_undecided_at(&a.tried, rate)) {
                rate /= 1.0 + wanted.precision;
            }
            Step::Confirm(rate)
        }
        // The rate that overloaded readers read estimates their capacity. The next rate is at most 0.9 of the one that
        // failed.
        Some(read) => Step::Search((read * SHARE_OF_READ).min(high * SHARE_OF_READ)),
        None => Step::Search(high / 2.0),
    }
}

/// The middle of the bounds, or a rate near what overloaded readers read where that lies between the two: just above it
/// first.
fn between(wanted: &Capacity, low: f64, high: f64, attempts: &[Attempt]) -> f64 {
    let middle = (low * high).sqrt();
    let is_between = |rate: &f64| *rate > low * (1.0 + wanted.precision / 4.0) && *rate < high * (1.0 - ROUNDING);
    let reads = || attempts.iter().filter_map(|a| a.read_per_second);
    if wanted.limit.is_some() {
        let above = reads().map(|read| read * (1.0 + wanted.precision / 2.0));
        let lowest = above.filter(is_between).min_by(f64::total_cmp);
        return lowest.map_or(middle, |rate| middle.min(rate));
    }
    let just_below = || reads().map(|read| below_read(wanted, read));
    let just_above = just_below().map(|rate| rate * (1.0 + wanted.precision));
    let lowest_above = just_above.filter(is_between).min_by(f64::total_cmp);
    lowest_above
        .or_else(|| just_below().filter(is_between).max_by(f64::total_cmp))
        .unwrap_or(middle)
}

fn is_confirmed(low: f64, confirmations: u32, attempts: &[Attempt]) -> bool {
    let confirms =
        |a: &&Attempt| a.kind == TrialKind::Counted && a.tried.outcome == Outcome::Held && same_rate(a.tried.rate, low);
    count(attempts.iter().filter(confirms).count()) >= confirmations
}

/// The next step of a configuration's search; none for one that was given up.
fn step_of(wanted: &Capacity, history: &History, configuration: usize, load: &Load, attempts: &[Attempt]) -> Step {
    if history.skipped().contains(&configuration) {
        return Step::Done;
    }
    let first = First {
        rate: load.rate,
        is_open: load.rate_is_open,
    };
    step(wanted, first, CONFIRMATIONS, attempts)
}

impl Plan {
    /// The next trial of the searches. It takes the configuration with the fewest trials, so that all are measured over
    /// the complete run.
    pub(super) fn next_of_search(&self, wanted: &Capacity, history: &History) -> Option<TrialOrder> {
        let open = (0..self.scenario.configurations.len()).filter_map(|configuration| {
            let load = self.scenario.configurations[configuration].mode.load()?;
            let attempts = self.attempts(wanted, history, configuration);
            let step = step_of(wanted, history, configuration, load, &attempts);
            (step != Step::Done).then_some((attempts.len(), configuration, load, step))
        });
        let (_, configuration, load, step) = open.min_by_key(|(tried, configuration, ..)| (*tried, *configuration))?;
        let (kind, rate, duration_ns) = match step {
            Step::Search(rate) => (TrialKind::Search, rate, load.duration_ns),
            Step::Confirm(rate) => (TrialKind::Counted, rate, wanted.confirm_ns),
            Step::Done => return None,
        };
        let attempts = self.attempts(wanted, history, configuration);
        let undecided = attempts.iter().filter(|a| is_undecided_at(&a.tried, rate)).count();
        // A window that could not decide is doubled.
        let observed = self.observed_window(history, configuration);
        let first_ns = duration_ns.max(observed.map_or(0, |observed| observed.least_ns(rate)));
        let longer_ns = first_ns.saturating_mul(1 << undecided.min(UNDECIDED_MAX));
        let duration_ns = window_ns(
            wanted,
            observed,
            rate,
            longer_ns.min(SEARCH_WINDOW_MAX_NS.max(first_ns)),
        );
        let order = TrialOrder {
            number: history.next_number(),
            kind,
            block: count(history.trials_of(kind, configuration).count()),
            position: count(configuration),
            configuration,
            records: 0,
            load: None,
        };
        Some(self.with_load(&order, load, OrderedLoad { rate, duration_ns }))
    }

    /// How far the searches are: a block is done when every configuration has as many confirming trials.
    pub(super) fn progress_of_search(&self, wanted: &Capacity, history: &History, trials_done: u32) -> Progress {
        let confirmed = |configuration| count(history.trials_of(TrialKind::Counted, configuration).count());
        let fewest = (0..self.scenario.configurations.len()).map(confirmed).min();
        Progress {
            trials_done,
            trials_planned: trials_done + self.search_trials_left(wanted, history),
            blocks_done: fewest.unwrap_or(0).min(CONFIRMATIONS),
            blocks_planned: CONFIRMATIONS,
            blocks_at_most: None,
        }
    }

    /// What is known of the commits of a configuration whose program speaks nothing; nothing before its first trial.
    fn observed_window(&self, history: &History, configuration: usize) -> Option<ObservedWindow> {
        let configured = &self.scenario.configurations[configuration];
        self.scenario.app_of(configured).silent()?;
        let kinds = [TrialKind::Search, TrialKind::Counted].into_iter();
        let trials = kinds.flat_map(|kind| history.trials_of(kind, configuration));
        let intervals = trials.filter_map(|trial| trial.measurement.as_ref()?.outside.as_ref()?.commit_interval_ns);
        Some(ObservedWindow {
            commit_interval_ns: intervals.max()?,
            members: self.working_members(configured),
        })
    }

    /// Members of a group that can have partitions.
    pub(super) fn working_members(&self, configuration: &Configuration) -> u32 {
        let partitions = self.scenario.datasets[configuration.dataset].partitions_of_all();
        configuration.members_per_group().min(partitions).max(1)
    }

    fn attempts(&self, wanted: &Capacity, history: &History, configuration: usize) -> Vec<Attempt> {
        let groups = self.scenario.configurations[configuration].groups;
        let kinds = [TrialKind::Search, TrialKind::Counted];
        let trials = kinds
            .into_iter()
            .flat_map(|kind| history.trials_of(kind, configuration));
        trials.filter_map(|trial| Attempt::of(trial, wanted, groups)).collect()
    }

    /// Trials that the searches will probably still need.
    fn search_trials_left(&self, wanted: &Capacity, history: &History) -> u32 {
        let left = |configuration: usize| {
            let load = self.scenario.configurations[configuration].mode.load()?;
            let attempts = self.attempts(wanted, history, configuration);
            let step = step_of(wanted, history, configuration, load, &attempts);
            (step != Step::Done).then(|| trials_left(wanted, &attempts))
        };
        (0..self.scenario.configurations.len()).filter_map(left).sum()
    }
}

/// Trials that a search which is not at its end will probably still need, if no rate's trials contradict each other.
fn trials_left(wanted: &Capacity, attempts: &[Attempt]) -> u32 {
    let tries = tries_of(attempts);
    let known = bounds(&tries);
    let confirmed = known.low.is_some_and(|low| is_confirmed(low, CONFIRMATIONS, attempts));
    let confirmations = if confirmed { 0 } else { CONFIRMATIONS };
    let second_opinion = match (known.low, known.high) {
        (Some(_), None) => 0,
        (_, Some(high)) if steps_left(wanted, &known) == 0 => {
            opinions_wanted(wanted).saturating_sub(opinions(high, &verdicts(&tries)))
        }
        _ => opinions_wanted(wanted) - 1,
    };
    (steps_left(wanted, &known) + confirmations + count(second_opinion)).max(1)
}

/// Halvings until the bounds are as near as wanted.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a handful of halvings"
)]
fn steps_left(wanted: &Capacity, bounds: &Bounds) -> u32 {
    // Where one is missing, as usual: twice as high as low, after two trials to find that out.
    let (ratio, unknown) = match (bounds.low, bounds.high) {
        (Some(low), Some(high)) if !is_wide(wanted, low, high) => return 0,
        (Some(_), None) => return 0,
        // What overloaded readers read leaves one rate above it to try; the rate below is the one that is confirmed.
        (low, high) if wanted.limit.is_none() => return 1 + u32::from(low.or(high).is_none()),
        (Some(low), Some(high)) => (high / low, 0),
        (None, Some(_)) => (2.0, 1),
        (None, None) => (2.0, 2),
    };
    let halvings = (ratio.ln() / wanted.precision.ln_1p()).log2().ceil().max(0.0);
    unknown + halvings as u32
}

#[cfg(test)]
#[path = "capacity_tests.rs"]
mod tests;
