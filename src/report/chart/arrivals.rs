//! Trials in which records arrive: which of them represents a configuration, and what happened in them on the time axis
//! that their charts share.

use super::scale::axis_end;
use super::spec::Event;
use super::words::{full_title, with_panel};
use crate::measure::latency::{LatencyPart, LatencyRecorder};
use crate::measure::{LoadMeasurement, LoadVerdict, Measurement, Status, Trial, TrialKind};
use crate::report::format::significant;
use crate::report::input::ReportInput;
use crate::report::labels::Labels;
use crate::summary::ConfigurationSummary;
use crate::wording::joined;

/// Changes of the assignment within so many seconds are one rebalance.
const REBALANCE_S: f64 = 1.0;
/// With more rebalances than this only the first is named.
const NAMED_REBALANCES_MAX: usize = 3;

/// A trial with what it recorded of the records that arrived.
#[derive(Clone, Copy)]
pub(super) struct LiveTrial<'a> {
    pub(super) trial: &'a Trial,
    pub(super) measurement: &'a Measurement,
    pub(super) load: &'a LoadMeasurement,
}

impl<'a> LiveTrial<'a> {
    /// `None` for a trial without load, and for one that failed.
    pub(super) fn of(trial: &'a Trial) -> Option<Self> {
        let measurement = trial.measurement.as_ref()?;
        let load = measurement.load.as_ref()?;
        (!matches!(trial.status, Status::Failed(_))).then_some(LiveTrial {
            trial,
            measurement,
            load,
        })
    }

    /// Records per second that the trial was to send.
    pub(super) fn rate(&self) -> f64 {
        let ordered = self.trial.order.load.map(|load| load.rate);
        ordered.unwrap_or(self.load.offered_per_second)
    }

    /// Response times of all records of the window.
    pub(super) fn response(&self) -> Option<LatencyRecorder> {
        self.measurement.latency(LatencyPart::Response)
    }

    /// Why its latencies say nothing about the readers; `None` where they do.
    fn remark(&self) -> Option<&'static str> {
        match self.load {
            load if load.overload.is_some() => Some("overloaded"),
            load if !load.reached => Some("load not reached"),
            load if load.unread > 0 => Some("records were left unread"),
            load if load.verdict() == LoadVerdict::CannotSay => Some("cannot say whether the load is held"),
            _ => None,
        }
    }

    /// Seconds since the load began.
    pub(super) fn seconds(&self, at_ns: u64) -> f64 {
        at_ns.saturating_sub(self.load.start_ns) as f64 / 1e9
    }

    /// Seconds from the beginning of the load to the end of what charts over time show.
    fn end_s(&self) -> f64 {
        let seconds = self
            .load
            .seconds
            .last()
            .map_or(0.0, |last| f64::from(last.second) + 1.0);
        let last_lag = self.load.lag.at_ns.last().copied().unwrap_or(0);
        let latest_ns = last_lag.max(self.load.window_end_ns);
        seconds.max(self.seconds(latest_ns))
    }

    /// The ranges outside the window: the warm-up, and what was read when the load had ended.
    pub(super) fn outside_window(&self, x_max: f64) -> Vec<(f64, f64)> {
        let window = (
            self.seconds(self.load.window_from_ns),
            self.seconds(self.load.window_end_ns),
        );
        vec![(0.0, window.0), (window.1, x_max)]
    }

    /// What happened, in order of time.
    pub(super) fn events(&self) -> Vec<Event> {
        let event = |at_ns: u64, text: &str| Event {
            x: self.seconds(at_ns),
            text: text.to_owned(),
        };
        let mut events = self.rebalances();
        if self.load.window_from_ns > self.load.start_ns {
            events.push(event(self.load.window_from_ns, "warm-up ends"));
        }
        events.push(event(self.load.window_end_ns, "load ends"));
        events.extend(self.load.caught_up_ns.map(|at_ns| event(at_ns, "caught up")));
        events.sort_by(|a, b| a.x.total_cmp(&b.x));
        events
    }

    /// Changes of members' assignments while they read. The assignments before and the revocations after are how every
    /// trial begins and ends.
    fn rebalances(&self) -> Vec<Event> {
        let m = self.measurement;
        let all = m.members.iter().flat_map(|member| &member.rebalances);
        let mut times_s: Vec<f64> = all
            .filter(|change| change.at_ns > self.load.start_ns && change.at_ns < m.end_ns)
            .map(|change| self.seconds(change.at_ns))
            .collect();
        times_s.sort_by(f64::total_cmp);
        times_s.dedup_by(|later, earlier| *later - *earlier < REBALANCE_S);
        let many = times_s.len() > NAMED_REBALANCES_MAX;
        let name = |i: usize| match i {
            _ if !many => "rebalance".to_owned(),
            0 => format!("{} rebalances", times_s.len()),
            _ => String::new(),
        };
        let events = times_s.iter().enumerate().map(|(i, time_s)| Event {
            x: *time_s,
            text: name(i),
        });
        events.collect()
    }
}

/// The counted trials of a configuration; those of the search where it has no counted ones. Where they were run at
/// several rates, those at the configuration's capacity, or at the highest.
fn at_one_rate<'a>(input: &ReportInput<'a>, c: &ConfigurationSummary) -> Vec<LiveTrial<'a>> {
    let of_kind = |kind: TrialKind| -> Vec<LiveTrial<'a>> {
        let own = input.trials_of(c.configuration);
        own.filter(|t| t.order.kind == kind && t.status == Status::Complete)
            .filter_map(LiveTrial::of)
            .collect()
    };
    let mut trials = of_kind(TrialKind::Counted);
    if trials.is_empty() {
        trials = of_kind(TrialKind::Search);
    }
    let near = |rate: f64, chosen: f64| (rate / chosen - 1.0).abs() < 1e-6;
    let capacity = c.live.as_ref().and_then(|live| live.capacity?.per_second);
    let chosen = capacity
        .filter(|chosen| trials.iter().any(|t| near(t.rate(), *chosen)))
        .unwrap_or_else(|| trials.iter().map(LiveTrial::rate).fold(0.0, f64::max));
    trials.retain(|t| near(t.rate(), chosen));
    trials
}

/// The trials of a configuration whose latencies are those of their load and of readers that kept up.
pub(super) fn meaningful<'a>(input: &ReportInput<'a>, c: &ConfigurationSummary) -> Vec<LiveTrial<'a>> {
    let mut trials = at_one_rate(input, c);
    trials.retain(|t| t.load.is_meaningful());
    trials
}

/// The trial of median p99: of the meaningful ones, where there are any.
fn representative<'a>(input: &ReportInput<'a>, c: &ConfigurationSummary) -> Option<LiveTrial<'a>> {
    let mut trials = meaningful(input, c);
    if trials.is_empty() {
        trials = at_one_rate(input, c);
    }
    let mut by_p99: Vec<(u64, LiveTrial)> = trials
        .into_iter()
        .map(|t| {
            let response = t.response().unwrap_or_default();
            let p99 = response.percentile_ns(0.99).or_else(|| response.max_ns());
            (p99.unwrap_or(0), t)
        })
        .collect();
    by_p99.sort_by_key(|(p99, _)| *p99);
    by_p99.get(by_p99.len() / 2).map(|(_, t)| *t)
}

/// A trial of one configuration in charts over time.
#[derive(Clone, Copy)]
pub(super) struct Chosen<'a> {
    family: usize,
    pub(super) configuration: usize,
    pub(super) live: LiveTrial<'a>,
}

impl Chosen<'_> {
    /// Whether both have the same scales: those of a family whose readers kept up. One that fell behind has its own,
    /// because it would flatten the others.
    pub(super) fn is_like(&self, other: &Chosen) -> bool {
        let kept_up = |chosen: &Chosen| chosen.live.remark().is_none();
        self.configuration == other.configuration || (self.family == other.family && kept_up(self) && kept_up(other))
    }

    /// The end of the time axis.
    pub(super) fn x_max(&self, all: &[Chosen]) -> f64 {
        axis_end(all.iter().filter(|s| self.is_like(s)).map(|s| s.live.end_s()))
    }

    /// The configuration's name, and why its figures cannot be compared.
    pub(super) fn title(&self, input: &ReportInput, labels: &Labels) -> String {
        let name = full_title(input, labels, self.configuration);
        joined([&*name, self.live.remark().unwrap_or_default()], ": ")
    }
}

/// A trial for each configuration that has one of this kind, evenly chosen where there are too many, and how many there
/// are in all.
pub(super) fn representatives<'a>(
    input: &ReportInput<'a>,
    has_data: fn(&LoadMeasurement) -> bool,
) -> (Vec<Chosen<'a>>, usize) {
    let chosen = input.by_family().filter_map(|c| {
        let chosen = Chosen {
            family: c.family,
            configuration: c.configuration,
            live: representative(input, c)?,
        };
        has_data(chosen.live.load).then_some(chosen)
    });
    let all: Vec<Chosen> = chosen.collect();
    (with_panel(&all), all.len())
}

/// A rate with its unit, in full: `50,000 records/s`.
pub(super) fn records_per_second(rate: f64) -> String {
    format!("{} records/s", significant(rate, 3))
}

/// Milliseconds from nanoseconds.
pub(super) fn ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests {
    use super::*;
    use crate::measure::{Rebalance, RebalanceKind};
    use crate::testing::report::Fixture;

    fn with_rebalances(at_ms: &[u64]) -> Vec<Event> {
        let mut fixture = Fixture::latency();
        let trial = fixture.trials.iter_mut().find(|t| t.is_used()).unwrap();
        let m = trial.measurement.as_mut().unwrap();
        let start_ns = m.load.as_ref().unwrap().start_ns;
        m.members[0].rebalances = at_ms
            .iter()
            .map(|ms| Rebalance {
                at_ns: start_ns - 1_000_000_000 + ms * 1_000_000,
                kind: RebalanceKind::Assigned,
                partitions: Vec::new(),
            })
            .collect();
        LiveTrial::of(trial).unwrap().rebalances()
    }

    #[test]
    fn changes_close_together_are_one_rebalance_and_those_before_the_load_are_none() {
        let events = with_rebalances(&[500, 3_000, 3_400, 5_000]);
        assert_eq!(events.iter().map(|e| e.x).collect::<Vec<_>>(), [2.0, 4.0]);
        assert!(events.iter().all(|e| e.text == "rebalance"));
    }

    #[test]
    fn of_many_rebalances_the_first_bears_their_number() {
        let events = with_rebalances(&[2_000, 3_100, 4_200, 5_300]);
        let names: Vec<&str> = events.iter().map(|e| e.text.as_str()).collect();
        assert_eq!(names, ["4 rebalances", "", "", ""]);
    }

    #[test]
    fn the_trial_of_median_p99_stands_for_its_configuration() {
        let fixture = Fixture::latency();
        let input = fixture.input();
        let p99 = |t: &LiveTrial| t.response().unwrap().percentile_ns(0.99).unwrap();
        for index in [0, 5] {
            let c = &fixture.summary.configurations[index];
            let chosen = p99(&representative(&input, c).unwrap());
            let all: Vec<u64> = meaningful(&input, c).iter().map(p99).collect();
            let below = all.iter().filter(|other| **other < chosen).count();
            let above = all.iter().filter(|other| **other > chosen).count();
            assert!(below.abs_diff(above) <= 1, "{chosen} of {all:?}");
        }
        // One trial of two processes at the highest rate did not reach its load.
        assert_eq!(meaningful(&input, &fixture.summary.configurations[5]).len(), 7);
    }

    #[test]
    fn trials_at_the_capacity_stand_for_a_search() {
        let fixture = Fixture::capacity();
        for c in &fixture.summary.configurations {
            let capacity = c.live.as_ref().unwrap().capacity.unwrap();
            let trials = at_one_rate(&fixture.input(), c);
            assert!(!trials.is_empty() && trials.iter().all(|t| Some(t.rate()) == capacity.per_second));
        }
    }
}
