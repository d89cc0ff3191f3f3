//! Flags a trial or leaves it out, by the measurement and the rules alone.

pub use super::rules::ExclusionRules;

use super::load::LoadVerdict;
use super::measurement::Measurement;
use super::member::{MemberMeasurement, Rebalance, RebalanceKind, partition_name};
use super::planned::Act;
use super::standstill::{broker_changes, standstill};
use super::trial::{Flag, FlagKind, join};
use crate::wording::plural;

/// Step of the machine's CPU times, nanoseconds.
const TICK_NS: f64 = 10e6;

/// The flags of a trial that read everything once, and the reason to leave it out, where there is one.
pub fn judge(measurement: &Measurement, rules: &ExclusionRules) -> (Vec<Flag>, Option<String>) {
    // A plan of before this rule goes on without it.
    let unplanned = measurement.interruptions.unplanned(&measurement.acts);
    let changes =
        broker_changes(&unplanned, measurement.start_ns, measurement.end_ns).filter(|_| rules.standstill_ms.is_some());
    let standstill = rules
        .standstill_ns()
        .and_then(|limit_ns| standstill(measurement, limit_ns));
    // While the run stands still, everything else has the machine for itself.
    let disturbed = disturbance(measurement, rules).filter(|_| standstill.is_none());
    let rebalances = rebalances(measurement);

    let mut reasons: Vec<String> = Vec::new();
    reasons.extend(changes.clone());
    reasons.extend(standstill.clone());
    reasons.extend(queued_at_start(measurement));
    reasons.extend(read_before_start(measurement));
    reasons.extend(all_removed(measurement));
    reasons.extend(
        joined_late(measurement)
            .map(|evidence| format!("the assignment was complete only after the start: {evidence}")),
    );
    reasons.extend(
        rebalances
            .clone()
            .map(|evidence| format!("rebalance during reading: {evidence}")),
    );
    reasons.extend(read_unheld(measurement));
    if rules.exclude_disturbed {
        reasons.extend(disturbed.clone().map(|evidence| format!("disturbed: {evidence}")));
    }

    let found = [
        (FlagKind::BrokersChanged, changes),
        (FlagKind::Standstill, standstill),
        (FlagKind::Disturbed, disturbed),
        (FlagKind::Rebalance, rebalances),
        (FlagKind::LateStart, late_starts(measurement, rules)),
        (FlagKind::Redelivered, redelivered(measurement)),
        (FlagKind::StoreRetried, store_retried(measurement)),
        (FlagKind::Throttled, throttled(measurement)),
        (FlagKind::Limited, limited(measurement, rules)),
        (FlagKind::Removed, removed(measurement)),
        (FlagKind::NotObserved, not_observed(measurement)),
        (FlagKind::LoadNotReached, load_not_reached(measurement)),
        (FlagKind::Overloaded, overloaded(measurement)),
        (FlagKind::CannotSay, cannot_say(measurement)),
        (FlagKind::Unread, unread(measurement)),
        (FlagKind::DeliveryErrors, delivery_errors(measurement)),
    ];
    let flags = found
        .into_iter()
        .filter_map(|(kind, evidence)| evidence.map(|evidence| Flag { kind, evidence }))
        .collect();
    (flags, (!reasons.is_empty()).then(|| reasons.join("; ")))
}

fn disturbance(measurement: &Measurement, rules: &ExclusionRules) -> Option<String> {
    let host = &measurement.host;
    let capacity_ns = host.wall_ns as f64 * f64::from(host.cores);
    if capacity_ns <= 0.0 {
        return None;
    }
    let mut evidence = Vec::new();
    // The kernel reports the machine's times in steps of 10 ms: less than two steps beyond the limit is not evidence.
    let slack = 2.0 * TICK_NS / capacity_ns;
    let others = host.others_cpu_ns as f64 / (host.wall_ns as f64 * f64::from(host.others_cores.unwrap_or(host.cores)));
    // Of a process that ended it is not known what it used: the rest is not that of other programs.
    let all_ran = (measurement.acts.iter()).all(|act| matches!(act.act, Act::Pause | Act::Resume | Act::SetRate(_)));
    if all_ran && others > rules.others_cpu_share_flag + slack {
        evidence.push(format!("other programs used {:.1} % of the machine", others * 100.0));
    }
    let steal = host.cpu.steal_ns as f64 / capacity_ns;
    if steal > rules.steal_share_flag + slack {
        evidence.push(format!("the hypervisor took {:.1} % of the machine", steal * 100.0));
    }
    join(&evidence)
}

fn rebalances(measurement: &Measurement) -> Option<String> {
    // What was checked at the barrier must still hold at the start.
    let window = measurement.joined_ns..measurement.end_ns;
    events(measurement, |member, event| {
        window.contains(&event.at_ns) && !completes_joining(member, event)
    })
}

/// Members whose clients were still taking over, at the start, what they had been given by the barrier.
fn joined_late(measurement: &Measurement) -> Option<String> {
    let window = measurement.start_ns..measurement.end_ns;
    events(measurement, |member, event| {
        window.contains(&event.at_ns) && completes_joining(member, event)
    })
}

/// True where a member was assigned what the barrier found it to hold: it reports that once its client is through, which
/// may be later. Whatever comes after that begins with a revocation or brings something else.
fn completes_joining(member: &MemberMeasurement, event: &Rebalance) -> bool {
    event.kind == RebalanceKind::Assigned
        && event.partitions.is_empty() == member.assigned.is_empty()
        && event
            .partitions
            .iter()
            .all(|partition| member.assigned.contains(partition))
}

/// The members with such events that nobody planned, and when these were.
fn events(measurement: &Measurement, which: impl Fn(&MemberMeasurement, &Rebalance) -> bool) -> Option<String> {
    let mut evidence = Vec::new();
    for member in &measurement.members {
        let is_planned = |event: &Rebalance| measurement.acts.iter().any(|act| act.rebalances(member, event.at_ns));
        let times: Vec<String> = (member.rebalances.iter())
            .filter(|event| which(member, event) && !is_planned(event))
            .map(|r| format!("{:.0} ms", (r.at_ns as f64 - measurement.start_ns as f64) / 1e6))
            .collect();
        if !times.is_empty() {
            evidence.push(format!("{} at {} after the start", member.name(), times.join(" and ")));
        }
    }
    join(&evidence)
}

/// Members that read a partition which they neither held at the barrier nor were given since. Somebody else held it then, or
/// the members were given others after their answers and before the barrier was passed. What one was given that was killed is
/// not known.
fn read_unheld(measurement: &Measurement) -> Option<String> {
    let members = measurement.members.iter().filter(|member| !member.was_killed);
    let evidence = members.filter_map(|member| {
        let held = member.held_since(measurement.start_ns);
        let is_unheld = |partition| !held.contains(&partition);
        let mut read = member.partitions.iter().filter(|read| read.records > 0);
        let unheld = read.find(|read| is_unheld(read.topic_partition()))?;
        Some(format!(
            "{} read {} records of {}, which it did not hold",
            member.name(),
            unheld.records,
            partition_name(unheld.topic_partition())
        ))
    });
    join(&evidence.collect::<Vec<_>>())
}

fn queued_at_start(measurement: &Measurement) -> Option<String> {
    let members = measurement.members.iter();
    let members = members.filter(|member| !measurement.was_started_later(member));
    let evidence = members.filter_map(|member| {
        let queued = member.queued_at_start.filter(|&records| records > 0)?;
        Some(format!(
            "{} had {queued} records queued before the start",
            member.name()
        ))
    });
    join(&evidence.collect::<Vec<_>>())
}

/// Members that did not wait for the common start, as far as their times or the end of the trial show it.
fn read_before_start(measurement: &Measurement) -> Option<String> {
    if !measurement.has_read_time() {
        return None;
    }
    let start_ns = measurement.start_ns;
    let members = measurement.members.iter();
    let early = members.filter(|member| member.first_record_ns.is_some_and(|first_ns| first_ns < start_ns));
    let mut evidence: Vec<String> = early
        .map(|member| format!("{} read its first record before the start", member.name()))
        .collect();
    if evidence.is_empty() && measurement.end_ns <= start_ns {
        evidence.push("everything had been read before the start".to_owned());
    }
    join(&evidence)
}

fn late_starts(measurement: &Measurement, rules: &ExclusionRules) -> Option<String> {
    // The first record of a load comes when it is sent.
    if measurement.load.is_some() {
        return None;
    }
    let with_partitions = measurement.members.iter().filter(|m| !m.assigned.is_empty());
    let evidence = with_partitions.filter_map(|member| {
        let waited_ms = member.first_record_ns?.saturating_sub(measurement.start_ns) as f64 / 1e6;
        (waited_ms > rules.late_start_flag_ms).then(|| {
            format!(
                "{} got its first record {waited_ms:.0} ms after the start",
                member.name()
            )
        })
    });
    join(&evidence.collect::<Vec<_>>())
}

fn redelivered(measurement: &Measurement) -> Option<String> {
    (measurement.redelivered > 0).then(|| {
        format!(
            "{} records were read again after a change of owner",
            measurement.redelivered
        )
    })
}

/// The time without the store is part of the trial, and so of its figures.
fn store_retried(measurement: &Measurement) -> Option<String> {
    if measurement.acted_on_store() {
        return None;
    }
    let retries = |member: &MemberMeasurement| Some((member.name(), member.store?.retries));
    let retried = measurement
        .members
        .iter()
        .filter_map(retries)
        .filter(|(_, retries)| *retries > 0);
    let each: Vec<String> = retried
        .map(|(name, retries)| format!("{name} tried transactions again, {}", plural(retries, "time")))
        .collect();
    join(&each)
}

/// Members to which brokers answered late on purpose.
fn throttled(measurement: &Measurement) -> Option<String> {
    let throttled_ns = |m: &MemberMeasurement| m.client.map_or(0, |client| client.throttled_ns);
    let total_ns: u64 = measurement.members.iter().map(throttled_ns).sum();
    let members = measurement
        .members
        .iter()
        .filter(|member| throttled_ns(member) > 0)
        .count();
    let who = if members == 1 { "one client" } else { "clients" };
    (total_ns > 0).then(|| {
        format!(
            "the cluster throttled {who} of this trial (quota): {:.0} ms over {members} of {} members",
            total_ns as f64 / 1e6,
            measurement.members.len()
        )
    })
}

/// What a CPU quota or want of memory held back. A plan of a version that did not look for it has no rule for it.
fn limited(measurement: &Measurement, rules: &ExclusionRules) -> Option<String> {
    let beyond = |share: f64, most: Option<f64>| most.is_some_and(|most| share > most);
    let quotas = measurement.host.quotas.iter();
    let throttled = quotas.filter(|effect| beyond(effect.throttled_share(), rules.throttled_share_flag));
    let mut evidence: Vec<String> = throttled
        .map(|effect| {
            let (used_up, periods) = (effect.throttled_periods, effect.periods);
            format!(
                "the {} was used up in {used_up} of {periods} periods",
                effect.quota.name()
            )
        })
        .collect();
    let storage = measurement.storage_share();
    evidence.extend(
        storage
            .filter(|share| beyond(*share, rules.storage_share_flag))
            .map(|share| {
                let limit = measurement.host.memory_of_brokers();
                let under = limit.map(|effect| format!(", under the {}", effect.limit.name()));
                let under = under.unwrap_or_default();
                format!(
                    "brokers read {:.0} % of what was delivered from storage{under}",
                    share * 100.0
                )
            }),
    );
    join(&evidence)
}

/// There is no rate of nothing.
fn all_removed(measurement: &Measurement) -> Option<String> {
    let nothing = measurement.removed > 0 && measurement.records() == 0;
    nothing.then(|| "the cluster had removed all of its records".to_owned())
}

/// Its rate is that of the records that were read, so it is kept.
fn removed(measurement: &Measurement) -> Option<String> {
    (measurement.removed > 0).then(|| {
        format!(
            "{} records were not read because the cluster had removed them, by retention or by compaction",
            measurement.removed
        )
    })
}

fn not_observed(measurement: &Measurement) -> Option<String> {
    join(&measurement.not_observed)
}

fn load_not_reached(measurement: &Measurement) -> Option<String> {
    let load = measurement.load.as_ref().filter(|load| !load.reached)?;
    Some(format!(
        "load not reached: {:.0} of {:.0} records/s were sent",
        load.sent_per_second, load.offered_per_second
    ))
}

fn overloaded(measurement: &Measurement) -> Option<String> {
    let load = measurement.load.as_ref()?;
    let overload = load.overload?;
    let fullest = load.judgement.as_ref();
    let fullest = fullest.map_or(String::new(), |j| format!("; the fullest is {}", j.how_full()));
    Some(format!(
        "the readers fell behind: the lag grew by {:.0} records/s, to {} at the end of the load{fullest}",
        overload.lag_growth_per_second, overload.lag_at_end
    ))
}

/// Whether the readers kept up is not known: neither is a disturbance.
fn cannot_say(measurement: &Measurement) -> Option<String> {
    let load = measurement.load.as_ref()?;
    let judgement = load
        .judgement
        .as_ref()
        .filter(|_| load.verdict() == LoadVerdict::CannotSay)?;
    Some(format!(
        "a window of {:.1} s cannot say whether the readers keep up: {}, and no growth of its lag below {} % of what \
         arrives would show",
        load.window_ns() as f64 / 1e9,
        judgement.how_full(),
        judgement.resolution_percent()
    ))
}

fn unread(measurement: &Measurement) -> Option<String> {
    let unread = measurement.load.as_ref()?.unread;
    (unread > 0).then(|| format!("{unread} records had arrived and were not read in time"))
}

fn delivery_errors(measurement: &Measurement) -> Option<String> {
    let errors = &measurement.load.as_ref()?.errors;
    let causes: Vec<String> = errors
        .iter()
        .map(|error| format!("{} times {}", error.records, error.cause))
        .collect();
    join(&causes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
pub(super) mod tests {
    use super::*;
    use crate::measure::limits::{Party, Quota, QuotaEffect};
    use crate::measure::{
        BrokerChange, BrokerPause, ClientStatistics, HostCpu, PartitionMeasurement, StoreUse, Stretch, TopicPartition,
    };
    use crate::testing::measurement;

    /// Two members on two cores for a second from 10 s, begun a second before.
    pub(in crate::measure) fn quiet() -> Measurement {
        let trial = measurement().processes(2).partitions(2).start_ns(10_000_000_000);
        Measurement {
            spawn_ns: 9_000_000_000,
            ..trial.build()
        }
    }

    fn names(flags: &[Flag]) -> Vec<&str> {
        flags.iter().map(|f| f.kind.as_str()).collect()
    }

    #[test]
    fn a_quiet_trial_is_neither_flagged_nor_left_out() {
        assert_eq!(judge(&quiet(), &ExclusionRules::default()), (Vec::new(), None));
    }

    #[test]
    fn a_broker_that_went_away_and_a_standstill_come_before_all_else_and_leave_the_trial_out() {
        let mut trial = quiet();
        trial.host.others_cpu_ns = 600_000_000;
        trial.end_ns = 13_000_000_000;
        trial.interruptions.brokers = vec![BrokerPause {
            broker: 1,
            pause: Stretch::new(10_500_000_000, 12_500_000_000),
        }];
        trial.interruptions.changes = vec![BrokerChange {
            broker: 2,
            address: "b:2".to_owned(),
            at_ns: 11_000_000_000,
            came: false,
        }];
        let (flags, reason) = judge(&trial, &ExclusionRules::default());
        assert_eq!(names(&flags), ["brokers-changed", "standstill"]);
        let went = "broker 2 (b:2) went away 1.0 s after the start and did not come back";
        let stood = "broker 1 stood still for 2.0 s, 0.5 s after the start";
        assert_eq!(reason, Some(format!("{went}; {stood}")));
    }

    #[test]
    fn a_plan_from_before_the_rule_leaves_no_standstill_out() {
        let old = r#"{"others_cpu_share_flag": 0.05, "steal_share_flag": 0.01, "late_start_flag_ms": 100.0,
                      "exclude_disturbed": false}"#;
        let rules: ExclusionRules = serde_json::from_str(old).unwrap();
        let mut trial = quiet();
        trial.interruptions.unanswered = vec![Stretch::new(9_000_000_000, 11_000_000_000)];
        assert_eq!(judge(&trial, &rules), (Vec::new(), None));
        let reason = "the cluster did not answer for 2.0 s, 1.0 s before the start";
        assert_eq!(judge(&trial, &ExclusionRules::default()).1.as_deref(), Some(reason));
    }

    #[test]
    fn a_disturbed_trial_is_flagged_and_kept_unless_the_rules_say_otherwise() {
        let mut trial = quiet();
        trial.host.others_cpu_ns = 130_000_000;
        trial.host.cpu = HostCpu {
            steal_ns: 50_000_000,
            ..HostCpu::default()
        };
        let mut rules = ExclusionRules::default();
        let (flags, reason) = judge(&trial, &rules);
        assert_eq!((names(&flags), reason), (vec!["disturbed"], None));
        let evidence = "other programs used 6.5 % of the machine; the hypervisor took 2.5 % of the machine";
        assert_eq!(flags[0].evidence, evidence);
        rules.exclude_disturbed = true;
        assert_eq!(judge(&trial, &rules).1, Some(format!("disturbed: {evidence}")));
    }

    #[test]
    fn what_the_kernel_s_coarse_clock_may_have_made_is_no_disturbance() {
        let mut trial = quiet();
        trial.host.others_cpu_ns = 118_000_000;
        trial.host.cpu.steal_ns = 30_000_000;
        assert_eq!(judge(&trial, &ExclusionRules::default()).0, []);
    }

    #[test]
    fn records_queued_before_the_start_leave_the_trial_out_and_name_the_member() {
        let mut trial = quiet();
        trial.members[1].queued_at_start = Some(17);
        let reason = "group 1, process 2, consumer 1 had 17 records queued before the start";
        assert_eq!(judge(&trial, &ExclusionRules::default()).1.as_deref(), Some(reason));
    }

    #[test]
    fn a_trial_that_did_not_wait_for_its_start_is_left_out() {
        let mut trial = quiet();
        trial.members[0].first_record_ns = Some(9_999_000_000);
        let reason = "group 1, process 1, consumer 1 read its first record before the start";
        assert_eq!(judge(&trial, &ExclusionRules::default()).1.as_deref(), Some(reason));
        // A worker that tells no times betrays itself by its end.
        trial.members[0].first_record_ns = None;
        trial.end_ns = trial.start_ns;
        let reason = "everything had been read before the start";
        assert_eq!(judge(&trial, &ExclusionRules::default()).1.as_deref(), Some(reason));
    }

    #[test]
    fn only_a_rebalance_between_start_and_end_leaves_the_trial_out() {
        let revoked_at = |at_ns| Rebalance {
            at_ns,
            kind: RebalanceKind::Revoked,
            partitions: Vec::new(),
        };
        let mut trial = quiet();
        trial.members[0].rebalances = vec![revoked_at(9_500_000_000), revoked_at(11_000_000_000)];
        assert_eq!(judge(&trial, &ExclusionRules::default()), (Vec::new(), None));
        trial.members[0].rebalances.push(revoked_at(10_250_000_000));
        let (flags, reason) = judge(&trial, &ExclusionRules::default());
        assert_eq!(names(&flags), ["rebalance"]);
        let expected = "rebalance during reading: group 1, process 1, consumer 1 at 250 ms after the start";
        assert_eq!(reason.as_deref(), Some(expected));
    }

    #[test]
    fn an_assignment_that_the_barrier_saw_is_no_rebalance_however_late_it_is_reported() {
        let partition = |partition| TopicPartition { topic: 0, partition };
        let event = |at_ns, kind, partitions| Rebalance {
            at_ns,
            kind,
            partitions,
        };
        let mut trial = quiet();
        let (assigned, own) = (RebalanceKind::Assigned, vec![partition(0)]);
        trial.members[0].rebalances = vec![event(9_985_000_000, assigned, own.clone())];
        // A member that holds nothing is assigned nothing.
        trial.members[1].assigned.clear();
        trial.members[1].partitions.clear();
        trial.members[1].rebalances = vec![event(9_990_000_000, assigned, Vec::new())];
        assert_eq!(judge(&trial, &ExclusionRules::default()), (Vec::new(), None));

        // Before, nothing was fetched; after the start, the wait for it is part of the reading.
        trial.members[0].rebalances[0].at_ns = 10_020_000_000;
        let reason = "the assignment was complete only after the start: group 1, process 1, consumer 1 at 20 ms after the \
                      start";
        assert_eq!(
            judge(&trial, &ExclusionRules::default()),
            (Vec::new(), Some(reason.to_owned()))
        );

        for another in [
            event(9_985_000_000, RebalanceKind::Revoked, own),
            event(9_985_000_000, assigned, vec![partition(0), partition(1)]),
            event(9_985_000_000, assigned, Vec::new()),
        ] {
            trial.members[0].rebalances = vec![another];
            let (flags, reason) = judge(&trial, &ExclusionRules::default());
            assert_eq!(names(&flags), ["rebalance"]);
            assert!(reason.is_some_and(|reason| reason.contains("at -15 ms after the start")));
        }
    }

    #[test]
    fn a_member_that_waits_for_its_first_record_is_named() {
        let mut trial = quiet();
        trial.members[1].first_record_ns = Some(10_420_000_000);
        let (flags, reason) = judge(&trial, &ExclusionRules::default());
        assert_eq!((names(&flags), reason), (vec!["late-start"], None));
        let evidence = "group 1, process 2, consumer 1 got its first record 420 ms after the start";
        assert_eq!(flags[0].evidence, evidence);
        // A member without partitions has nothing to wait for.
        trial.members[1].assigned.clear();
        assert!(judge(&trial, &ExclusionRules::default()).0.is_empty());
    }

    #[test]
    fn a_trial_that_a_quota_held_back_is_flagged_with_how_long() {
        let mut trial = quiet();
        let statistics = |throttled_ns| ClientStatistics {
            throttled_ns,
            ..ClientStatistics::default()
        };
        trial.members[0].client = Some(statistics(0));
        assert_eq!(judge(&trial, &ExclusionRules::default()).0, []);
        trial.members[1].client = Some(statistics(1_250_000_000));
        let (flags, reason) = judge(&trial, &ExclusionRules::default());
        assert_eq!((names(&flags), reason), (vec!["throttled"], None));
        let evidence = "the cluster throttled one client of this trial (quota): 1250 ms over 1 of 2 members";
        assert_eq!(flags[0].evidence, evidence);
    }

    #[test]
    fn a_trial_that_a_limit_held_back_is_flagged_by_the_plan_s_rule() {
        let mut trial = quiet();
        let quota = Quota {
            cgroup: "/x".to_owned(),
            place: None,
            quota_us: 100_000,
            period_us: 100_000,
        };
        trial.host.quotas = vec![QuotaEffect {
            quota,
            of: vec![Party::Workers],
            covers_all: true,
            periods: 20,
            throttled_periods: 1,
            throttled_ns: 1,
            used_ns: None,
        }];
        trial.host.brokers_storage_read_bytes = Some(50);
        trial.members[1].partitions.clear();
        trial.members[0].partitions = vec![PartitionMeasurement {
            bytes: 1_000,
            ..PartitionMeasurement::default()
        }];
        let rules = ExclusionRules::default();
        assert_eq!(judge(&trial, &rules), (Vec::new(), None));
        trial.host.quotas[0].throttled_periods = 2;
        trial.host.brokers_storage_read_bytes = Some(60);
        let (flags, reason) = judge(&trial, &rules);
        assert_eq!((names(&flags), reason), (vec!["limited"], None));
        let evidence = "the CPU quota of the cgroup /x was used up in 2 of 20 periods; brokers read 6 % of what was \
                        delivered from storage";
        assert_eq!(flags[0].evidence, evidence);
        assert!(rules.sentences().iter().any(|rule| rule.contains("flagged as limited")));
        // A run that was begun before there was the rule goes on without it.
        let mut stored = serde_json::to_value(rules).unwrap();
        stored
            .as_object_mut()
            .unwrap()
            .retain(|name, _| !name.ends_with("share_flag") || name.contains("cpu"));
        stored["steal_share_flag"] = 0.01.into();
        let earlier: ExclusionRules = serde_json::from_value(stored).unwrap();
        assert_eq!(judge(&trial, &earlier).0, []);
        assert_eq!(earlier.sentences().len(), rules.sentences().len() - 1);
    }

    #[test]
    fn a_trial_in_which_a_member_read_a_partition_of_another_is_left_out() {
        let mut trial = quiet();
        let of_another = trial.members[1].partitions[0].clone();
        trial.members[0].partitions.push(of_another);
        let (_, reason) = judge(&trial, &ExclusionRules::default());
        let evidence =
            "group 1, process 1, consumer 1 read 500 records of partition 1 of topic 1, which it did not hold";
        assert_eq!(reason.as_deref(), Some(evidence));
        // A member that was given the partition meanwhile had a rebalance.
        let partitions = vec![trial.members[1].assigned[0]];
        let at_ns = trial.start_ns + 1;
        trial.members[0].rebalances.push(Rebalance {
            at_ns,
            kind: RebalanceKind::Assigned,
            partitions,
        });
        let (_, reason) = judge(&trial, &ExclusionRules::default());
        assert!(reason.is_some_and(|reason| reason.contains("rebalance") && !reason.contains("did not hold")));
    }

    #[test]
    fn transactions_that_were_tried_again_flag_a_trial_and_keep_it() {
        let mut trial = quiet();
        let used = |retries| {
            Some(StoreUse {
                transactions: 9,
                rows: 9,
                retries,
            })
        };
        trial.members[0].store = used(0);
        assert_eq!(names(&judge(&trial, &ExclusionRules::default()).0), Vec::<&str>::new());
        trial.members[0].store = used(2);
        let (flags, reason) = judge(&trial, &ExclusionRules::default());
        assert_eq!((names(&flags), reason), (vec!["store-retried"], None));
        assert!(
            flags[0].evidence.ends_with("tried transactions again, 2 times"),
            "{flags:?}"
        );
    }

    #[test]
    fn what_was_read_again_or_not_observed_is_flagged() {
        let mut trial = quiet();
        trial.redelivered = 3;
        trial.not_observed = vec!["ledger: the worker keeps none".to_owned()];
        let (flags, reason) = judge(&trial, &ExclusionRules::default());
        assert_eq!((names(&flags), reason), (vec!["redelivered", "not-observed"], None));
    }
}
