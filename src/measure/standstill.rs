//! Whether a trial stood still: its processes, its brokers or its machine, or nothing arrived that should have. The rules
//! and their numbers are in docs/method.md.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::interruption::{BrokerChange, Interruptions, Stretch};
use super::load::LoadMeasurement;
use super::measurement::Measurement;
use super::member::{MemberMeasurement, Series};
use super::reading::ReadingTime;
use super::trial::join;

/// Beside the limit, a gap in the records over time must exceed so many times the usual gap.
const PACE_TIMES: u64 = 3;
/// The usual gap: this share of the others is no longer.
const PACE_SHARE: f64 = 0.9;
/// More gaps that are as long as the longest are a pace, however many short ones lie between them.
const PACE_EXCEPTIONS_MAX: usize = 3;
/// Where more than one part in so many of what was read is not delivered, long waits say nothing.
const PASSED_OVER_PART: u64 = 10;
/// A wait is no standstill until it exceeds the pauses of the client's settings by this much.
const SETTINGS_SLACK_NS: u64 = 500_000_000;
/// A load stood still where so many records had been sent when half of the gap was over. One may fall on its edge.
const SENT_MIN: u64 = 2;
/// Members that are named one by one.
const NAMED_MAX: usize = 3;

/// Something that stood still.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Standstill {
    /// Who did what, such as `broker 1 stood still`.
    what: String,
    stretch: Stretch,
}

impl Standstill {
    fn new(what: impl Into<String>, stretch: Stretch) -> Self {
        let what = what.into();
        Standstill { what, stretch }
    }

    fn sentence(&self, start_ns: u64) -> String {
        let seconds = self.stretch.length_ns() as f64 / 1e9;
        format!(
            "{} for {seconds:.1} s, {}",
            self.what,
            moment(self.stretch.from_ns, start_ns)
        )
    }
}

/// What stood still in a trial for at least `limit_ns`, with the seconds, from the start of its first process to its last
/// record; `None` where nothing did.
pub fn standstill(measurement: &Measurement, limit_ns: u64) -> Option<String> {
    let trial = Stretch::new(measurement.spawn_ns, measurement.end_ns);
    let mut found = observed(&measurement.interruptions.unplanned(&measurement.acts), trial, limit_ns);
    let explained: Vec<Stretch> = found.iter().map(|known| known.stretch).collect();
    let is_planned = |gap: &Stretch| measurement.acts.iter().any(|act| act.explains(*gap));
    let is_new = |gap: &Stretch| !explained.iter().any(|known| gap.is_mostly_within(*known)) && !is_planned(gap);
    let gaps: Vec<(String, Stretch)> = gaps(measurement, limit_ns)
        .into_iter()
        .filter(|(_, gap)| is_new(gap))
        .collect();
    found.extend(nothing_arrived(&gaps));
    sentences(&found, measurement.start_ns)
}

/// What is known to have stood still by the `end_ns` of a trial that failed, from its beginning.
pub fn standstill_before_failure(interruptions: &Interruptions, trial: Stretch, limit_ns: u64) -> Option<String> {
    sentences(&observed(interruptions, trial, limit_ns), trial.from_ns)
}

/// Brokers that went or came until `end_ns`, a sentence for each; `None` where none did.
pub fn broker_changes(interruptions: &Interruptions, start_ns: u64, end_ns: u64) -> Option<String> {
    let changes = || interruptions.changes.iter().filter(|change| change.at_ns <= end_ns);
    let brokers: BTreeSet<i32> = changes().map(|change| change.broker).collect();
    let sentences = brokers.into_iter().map(|broker| {
        let of_broker: Vec<&BrokerChange> = changes().filter(|change| change.broker == broker).collect();
        broker_sentence(&of_broker, start_ns)
    });
    join(&sentences.collect::<Vec<_>>())
}

/// One broker's changes: `broker 2 (host:9093) went away 3.1 s after the start and was back 4.0 s later`.
fn broker_sentence(changes: &[&BrokerChange], start_ns: u64) -> String {
    let mut parts = Vec::new();
    let mut went_ns = None;
    for change in changes {
        let after_start = moment(change.at_ns, start_ns);
        parts.push(match (change.came, went_ns.take()) {
            (true, Some(went_ns)) => {
                let seconds = change.at_ns.saturating_sub(went_ns) as f64 / 1e9;
                format!("was back {seconds:.1} s later")
            }
            (true, None) => format!("came {after_start}"),
            (false, _) => {
                went_ns = Some(change.at_ns);
                format!("went away {after_start}")
            }
        });
    }
    if went_ns.is_some() {
        parts.push("did not come back".to_owned());
    }
    let broker = changes
        .first()
        .map(|change| format!("broker {} ({})", change.broker, change.address));
    format!("{} {}", broker.unwrap_or_default(), parts.join(" and "))
}

fn sentences(found: &[Standstill], start_ns: u64) -> Option<String> {
    let sentences = found.iter().map(|standstill| standstill.sentence(start_ns));
    join(&sentences.collect::<Vec<_>>())
}

/// `1.2 s after the start`.
fn moment(at_ns: u64, start_ns: u64) -> String {
    let seconds = at_ns.abs_diff(start_ns) as f64 / 1e9;
    match at_ns {
        _ if seconds < 0.05 => "at the start".to_owned(),
        _ if at_ns < start_ns => format!("{seconds:.1} s before the start"),
        _ => format!("{seconds:.1} s after the start"),
    }
}

/// Standstills of the machine, of processes and of brokers, as they were seen.
fn observed(interruptions: &Interruptions, trial: Stretch, limit_ns: u64) -> Vec<Standstill> {
    let cut = |stretch: Stretch| Some(stretch.within(trial)).filter(|part| part.length_ns() >= limit_ns);
    let mut found = Vec::new();
    let suspended = interruptions
        .suspended
        .iter()
        .filter(|suspension| suspension.length_ns >= limit_ns);
    let suspended = suspended.filter(|suspension| (trial.from_ns..=trial.until_ns).contains(&suspension.at_ns));
    found.extend(suspended.map(|suspension| {
        let stretch = Stretch::new(suspension.at_ns, suspension.at_ns + suspension.length_ns);
        Standstill::new("the machine was suspended", stretch)
    }));
    let pauses = interruptions.processes.iter();
    let pauses = pauses.filter_map(|process| Some((process.process.as_str(), cut(process.pause)?)));
    found.extend(of_processes(
        &pauses.collect::<Vec<_>>(),
        interruptions.processes_checked,
    ));
    let brokers = interruptions.brokers.iter();
    let brokers = brokers.filter_map(|broker| Some((broker.broker, cut(broker.pause)?)));
    found.extend(brokers.map(|(broker, pause)| Standstill::new(format!("broker {broker} stood still"), pause)));
    let unanswered = interruptions.unanswered.iter().filter_map(|silence| cut(*silence));
    found.extend(unanswered.map(|silence| Standstill::new("the cluster did not answer", silence)));
    found
}

/// One sentence where all processes stood still at once: that is a container, a virtual machine or a hand that stops all.
fn of_processes(pauses: &[(&str, Stretch)], checked: u32) -> Vec<Standstill> {
    let mut left: Vec<(&str, Stretch)> = pauses.to_vec();
    let mut found = Vec::new();
    while let Some((_, pause)) = left.first().copied() {
        let (same, others): (Vec<_>, Vec<_>) = left
            .iter()
            .copied()
            .partition(|(_, other)| other.is_mostly_within(pause) || pause.is_mostly_within(*other));
        let names: BTreeSet<&str> = same.iter().map(|(name, _)| *name).collect();
        if names.len() > 1 && names.len() >= checked as usize {
            found.push(Standstill::new(
                "every process of the run stood still (stopped or frozen)",
                pause,
            ));
        } else {
            let stood = |(name, pause): &(&str, Stretch)| Standstill::new(format!("{name} stood still"), *pause);
            found.extend(same.iter().map(stood));
        }
        left = others;
    }
    found
}

/// Whom nothing arrived for, all of those with about the same gap in one sentence.
fn nothing_arrived(gaps: &[(String, Stretch)]) -> Option<Standstill> {
    let longest = gaps.iter().map(|(_, gap)| *gap).max_by_key(Stretch::length_ns)?;
    let names: Vec<&str> = gaps.iter().map(|(name, _)| name.as_str()).take(NAMED_MAX).collect();
    let more = gaps.len() - names.len();
    let more = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    let what = format!("nothing arrived at {}{more}", names.join(" and at "));
    Some(Standstill::new(what, longest))
}

/// Stretches in which nothing arrived that should have, by whom it should have reached.
fn gaps(measurement: &Measurement, limit_ns: u64) -> Vec<(String, Stretch)> {
    let Some(load) = &measurement.load else {
        // The client delivers nothing while it passes over what aborted transactions left, however long that is.
        let records: u64 = measurement.members.iter().map(MemberMeasurement::records).sum();
        if measurement.not_delivered > records / PASSED_OVER_PART {
            return Vec::new();
        }
        let members = measurement.members.iter().filter(|member| member.records() > 0);
        let gap = |member: &MemberMeasurement| Some((member.name(), gap_of_backlog(measurement, member, limit_ns)?));
        return members.filter_map(gap).collect();
    };
    let settings_ns = settings_ns(measurement);
    let least_ns = |throttled_ns: u64| limit_ns.max(settings_ns).saturating_add(throttled_ns);
    let groups: BTreeSet<u32> = measurement.members.iter().map(|member| member.group).collect();
    let gap = |group: u32| {
        let members = measurement.members.iter().filter(|member| member.group == group);
        if members.clone().any(tried_again) {
            return None;
        }
        let series = members
            .flat_map(|member| &member.partitions)
            .filter_map(|partition| partition.series.as_ref());
        let gaps = distances(series, measurement.start_ns, Some(load.start_ns));
        let throttled = measurement.members.iter().filter(|member| member.group == group);
        let throttled = throttled.filter_map(|member| Some(member.client?.throttled_ns)).max();
        let gap = outstanding(&gaps, least_ns(throttled.unwrap_or(0))).filter(|gap| has_arrivals(load, *gap))?;
        Some((format!("any member of group {}", group + 1), gap))
    };
    groups.into_iter().filter_map(gap).collect()
}

/// The member's store was away for a time, in which nothing was finished whatever arrived.
fn tried_again(member: &MemberMeasurement) -> bool {
    member.store.is_some_and(|store| store.retries > 0)
}

/// A wait of this length may be a pause that the client's settings make.
fn settings_ns(measurement: &Measurement) -> u64 {
    let pause_ns = measurement.interruptions.fetch_pause_ns;
    pause_ns.saturating_add(SETTINGS_SLACK_NS)
}

/// A member of a backlog has something to read until its last record. What it says of its own waiting is known best; work
/// that takes long is no waiting.
fn gap_of_backlog(measurement: &Measurement, member: &MemberMeasurement, limit_ns: u64) -> Option<Stretch> {
    let series = member
        .partitions
        .iter()
        .filter_map(|partition| partition.series.as_ref());
    let distances = distances(series, measurement.start_ns, None);
    // A worker may report how long it waited in total, and not its longest wait.
    let says =
        |reading: &ReadingTime| reading.longest_wait.is_some() || reading.waiting_ns + reading.committing_ns == 0;
    let Some(reading) = member.reading.filter(says) else {
        return outstanding(&distances, limit_ns).filter(|_| !tried_again(member));
    };
    let reading_time = Stretch::new(measurement.start_ns, measurement.end_ns);
    let wait = reading.longest_wait?.within(reading_time);
    let settings_ns = settings_ns(measurement);
    // Large answers over a slow network, or a quota that is not reported, make the member wait repeatedly.
    let paced_ns = limit_ns.saturating_add(pace(&distances));
    // A quota of which the client knows may have made all of the waiting that it made in this wait.
    let throttled_ns = member.client.map_or(0, |client| client.throttled_ns);
    let least_ns = limit_ns.max(settings_ns).max(paced_ns).saturating_add(throttled_ns);
    (wait.length_ns() >= least_ns).then_some(wait)
}

/// True where records of the load waited in a gap: they had been sent when half of it was over, or belonged to a backlog.
fn has_arrivals(load: &LoadMeasurement, gap: Stretch) -> bool {
    if load
        .caught_up_ns
        .is_some_and(|caught_up_ns| gap.until_ns <= caught_up_ns)
    {
        return true;
    }
    let half_ns = gap.from_ns + gap.length_ns() / 2;
    let buckets = load
        .producers
        .iter()
        .flat_map(|producer| spans(&producer.series, load.start_ns));
    let within = buckets.filter(|(span, _)| span.from_ns >= gap.from_ns && span.until_ns <= half_ns);
    within.map(|(_, records)| records).sum::<u64>() >= SENT_MIN
}

/// The buckets of a series that hold records.
fn spans(series: &Series, origin_ns: u64) -> impl Iterator<Item = (Stretch, u64)> + '_ {
    let buckets = (0u64..).zip(&series.counts).filter(|(_, records)| **records > 0);
    buckets.map(move |(index, records)| {
        let from_ns = origin_ns + index * series.bucket_ns;
        (Stretch::new(from_ns, from_ns + series.bucket_ns), *records)
    })
}

/// What lies between buckets with records, of length zero where they touch; from `begin_ns` on where that is given.
fn distances<'a>(series: impl Iterator<Item = &'a Series>, origin_ns: u64, begin_ns: Option<u64>) -> Vec<Stretch> {
    let mut filled: Vec<Stretch> = series
        .flat_map(|series| spans(series, origin_ns))
        .map(|(span, _)| span)
        .collect();
    filled.extend(begin_ns.map(|begin_ns| Stretch::new(begin_ns, begin_ns)));
    filled.sort_unstable_by_key(|span| span.from_ns);
    let mut reached_ns = None;
    let mut distances = Vec::new();
    for span in filled {
        if let Some(reached_ns) = reached_ns {
            distances.push(Stretch::new(reached_ns, span.from_ns.max(reached_ns)));
        }
        reached_ns = reached_ns.max(Some(span.until_ns));
    }
    distances
}

/// What a gap may have beyond the limit: a few times the usual distance, the longest one left out.
fn pace(distances: &[Stretch]) -> u64 {
    let mut lengths: Vec<u64> = distances.iter().map(Stretch::length_ns).collect();
    lengths.sort_unstable_by_key(|length| Reverse(*length));
    let others = lengths.get(1..).unwrap_or_default();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in a list"
    )]
    let place = ((others.len() as f64 * (1.0 - PACE_SHARE)) as usize).min(PACE_EXCEPTIONS_MAX);
    PACE_TIMES * others.get(place).copied().unwrap_or(0)
}

/// The longest distance, where it stands out.
fn outstanding(distances: &[Stretch], limit_ns: u64) -> Option<Stretch> {
    let longest = distances.iter().max_by_key(|distance| distance.length_ns())?;
    (longest.length_ns() >= limit_ns.saturating_add(pace(distances))).then_some(*longest)
}

#[cfg(test)]
#[path = "standstill_tests.rs"]
mod tests;
