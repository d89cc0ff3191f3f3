//! Times of several hosts. The monotonic clock of each host counts from a moment of its own, so a time of another host is
//! known here only within bounds. Pure: knows neither who exchanges clocks nor how.

use serde::{Deserialize, Serialize};

/// The most by which two clocks drift apart in a length of time: one part in so many. NTP slews each by at most 500 ppm;
/// clocks that nobody sets drift by 5 to 30 ppm.
const DRIFT_PARTS: u64 = 1_000;

/// A host, by its number in a trial. Processes of one host read the same clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HostId(u32);

impl HostId {
    /// The coordinator's host.
    pub const COORDINATOR: HostId = HostId(0);

    /// Another host, counted from 0 in the order in which the trial met them.
    pub fn other(index: usize) -> Self {
        HostId(u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1))
    }

    /// Its place among the other hosts, from 0; `None` for the coordinator's.
    pub fn index(self) -> Option<usize> {
        self.0.checked_sub(1).map(|index| index as usize)
    }

    /// True for the coordinator's.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
    pub fn is_coordinator(&self) -> bool {
        *self == HostId::COORDINATOR
    }
}

/// A time on the clock of a host, in nanoseconds. It cannot be compared with a time of another clock before
/// [`HostClock::to_common`] has made a [`CommonTime`] of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostTime(pub HostId, pub u64);

/// A time on the coordinator's clock, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommonTime {
    /// In the middle of what is possible.
    pub ns: u64,
    /// The most by which it was earlier or later.
    pub bound_ns: u64,
}

impl CommonTime {
    /// True where it may have been then.
    pub fn may_be_within(self, from_ns: u64, until_ns: u64) -> bool {
        self.ns.saturating_add(self.bound_ns) >= from_ns && self.ns.saturating_sub(self.bound_ns) <= until_ns
    }
}

/// The clock of a host, compared with the coordinator's; by default the coordinator's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HostClock {
    /// What to add to its times.
    pub offset_ns: i64,
    /// The most by which that is wrong, from the first comparison to the last.
    pub bound_ns: u64,
    /// Nanoseconds by which the offset grew in a second, where the clock was compared twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_ns_per_s: Option<i64>,
    /// The most by which times are wrong that were corrected for this drift ([`Drift`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fitted_bound_ns: Option<u64>,
}

/// How a clock moved against the coordinator's between two comparisons: steadily, as clocks drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_field_names, reason = "the unit belongs to each")]
pub struct Drift {
    from_ns: u64,
    length_ns: u64,
    moved_ns: i64,
}

impl Drift {
    /// Between two comparisons, each with its time on the coordinator's clock.
    pub fn between((from_ns, first): (u64, HostClock), (until_ns, second): (u64, HostClock)) -> Self {
        Drift {
            from_ns,
            length_ns: until_ns.saturating_sub(from_ns),
            moved_ns: second.offset_ns.saturating_sub(first.offset_ns),
        }
    }

    /// A time on the coordinator's clock that was converted by the first comparison alone, with the drift until then.
    pub fn corrected(self, converted_ns: u64) -> u64 {
        // By so much the time between the comparisons is shorter where it is converted by the first alone.
        let moved = i128::from(self.moved_ns);
        let converted_length = (i128::from(self.length_ns) - moved).max(1);
        let since = i128::from(converted_ns.saturating_sub(self.from_ns)).min(converted_length);
        let correction = moved * since / converted_length;
        converted_ns.saturating_add_signed(i64::try_from(correction).unwrap_or(0))
    }

    fn ns_per_s(self) -> i64 {
        let per_second = i128::from(self.moved_ns) * 1_000_000_000 / i128::from(self.length_ns.max(1));
        i64::try_from(per_second).unwrap_or(0)
    }
}

/// The bound of times between two comparisons of this bound: within an exchange, which takes at least as long as its
/// bound, the clock drifts too.
fn fitted_bound_ns(bound_ns: u64) -> u64 {
    const ROUNDING_NS: u64 = 5;
    bound_ns
        .saturating_add(bound_ns / DRIFT_PARTS * 2)
        .saturating_add(ROUNDING_NS)
}

impl HostClock {
    /// What one exchange of clocks tells. By the coordinator's clock, it `asked` and was `answered`; by the other clock, the
    /// question was `received` and the answer `sent`. Each message arrives after it was sent, however long it takes. `None`
    /// for times that contradict this.
    pub fn of_exchange([asked, answered]: [u64; 2], [received, sent]: [u64; 2]) -> Option<Self> {
        // The clocks drift while the answer is made, too.
        let drift = i128::from(sent.checked_sub(received)? / DRIFT_PARTS);
        let least = i128::from(asked) - i128::from(received) - drift;
        let most = i128::from(answered) - i128::from(sent) + drift;
        let offset = least.midpoint(most);
        Some(HostClock {
            offset_ns: i64::try_from(offset).ok()?,
            // Negative where the least is more than the most.
            bound_ns: u64::try_from((most - offset).max(offset - least))
                .ok()
                .filter(|_| least <= most)?,
            ..HostClock::default()
        })
    }

    /// The same after a while in which the clocks have drifted apart.
    #[must_use]
    pub fn drifted(self, elapsed_ns: u64) -> Self {
        let bound_ns = self.bound_ns.saturating_add(elapsed_ns / DRIFT_PARTS);
        HostClock { bound_ns, ..self }
    }

    /// One clock from this comparison until a later one. The offset stays, because times were converted with it; the bound
    /// holds at both and in between, where clocks drift steadily. `None` where they moved more than clocks drift.
    pub fn until(self, later: HostClock, elapsed_ns: u64) -> Option<Self> {
        let moved_ns = self.offset_ns.abs_diff(later.offset_ns);
        let bound_ns = self.bound_ns.max(moved_ns.saturating_add(later.bound_ns));
        let most_ns = self.drifted(elapsed_ns).bound_ns.saturating_add(later.bound_ns);
        let drift = Drift::between((0, self), (elapsed_ns, later));
        (moved_ns <= most_ns).then_some(HostClock {
            bound_ns,
            drift_ns_per_s: Some(drift.ns_per_s()),
            fitted_bound_ns: Some(fitted_bound_ns(self.bound_ns.max(later.bound_ns))),
            ..self
        })
    }

    /// A time of this clock on the coordinator's.
    pub fn to_common(self, HostTime(_, ns): HostTime) -> CommonTime {
        let (ns, bound_ns) = (ns.saturating_add_signed(self.offset_ns), self.bound_ns);
        CommonTime { ns, bound_ns }
    }

    /// A time of the coordinator's clock on this one, to be given to a process of the host.
    pub fn to_host(self, common_ns: u64) -> u64 {
        common_ns.saturating_add_signed(self.offset_ns.saturating_neg())
    }
}

/// The clocks of all other hosts of a trial, in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HostClocks(pub Vec<HostClock>);

impl HostClocks {
    /// True where all is one host.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The most by which a difference of times of two hosts is wrong.
    pub fn bound_between_ns(&self, one: HostId, other: HostId) -> u64 {
        let bound_ns = |host: HostId| Some(self.0.get(host.index()?)?.bound_ns);
        let bounds = [one, other].map(|host| bound_ns(host).unwrap_or(0));
        if one == other {
            0
        } else {
            bounds[0].saturating_add(bounds[1])
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    /// A clock of another host that shows `ahead_ns` more than the coordinator's and runs faster by so many ppm.
    #[derive(Debug, Clone, Copy)]
    struct Other {
        ahead_ns: i64,
        ppm: i64,
    }

    impl Other {
        fn at(self, common_ns: u64) -> u64 {
            let drift = i128::from(common_ns) * i128::from(self.ppm) / 1_000_000;
            u64::try_from(i128::from(common_ns) + i128::from(self.ahead_ns) + drift).unwrap()
        }

        /// Asked at a time, with the lengths of the way there, of its own doing, and of the way back.
        fn compared(self, asked_ns: u64, [there, own, back]: [u64; 3]) -> HostClock {
            let answered_ns = asked_ns + there + own + back;
            let own_ns = [asked_ns + there, asked_ns + there + own].map(|ns| self.at(ns));
            HostClock::of_exchange([asked_ns, answered_ns], own_ns).unwrap()
        }
    }

    const SECOND_NS: u64 = 1_000_000_000;
    /// The coordinator's clock when the first exchange begins: hosts run for up to a year.
    const BEGIN_NS: u64 = 31_536_000 * SECOND_NS;

    fn others() -> impl Strategy<Value = Other> {
        let ahead = -BEGIN_NS.cast_signed() / 2..i64::MAX / 4;
        (ahead, -400i64..400).prop_map(|(ahead_ns, ppm)| Other { ahead_ns, ppm })
    }

    fn ways() -> impl Strategy<Value = [u64; 3]> {
        let way = || prop_oneof![0u64..1_000, 0u64..200_000_000, Just(0)];
        [way(), way(), way()]
    }

    fn holds(time: CommonTime, true_ns: u64) -> bool {
        time.may_be_within(true_ns, true_ns)
    }

    fn of_other(ns: u64) -> HostTime {
        HostTime(HostId::other(0), ns)
    }

    proptest! {
        #[test]
        fn the_true_time_lies_in_the_interval_whatever_the_offset_and_however_uneven_the_ways(
            ahead_ns in -BEGIN_NS.cast_signed() / 2..i64::MAX / 4, ways in ways(), later_ns in 0..SECOND_NS,
        ) {
            let other = Other { ahead_ns, ppm: 0 };
            let clock = other.compared(BEGIN_NS, ways);
            let true_ns = BEGIN_NS + later_ns;
            let common = clock.to_common(of_other(other.at(true_ns)));
            prop_assert!(holds(common, true_ns), "{common:?} of {true_ns}");
            // No wider than the ways explain: what the process took for itself is no part of it.
            prop_assert!(clock.bound_ns <= (ways[0] + ways[2]).div_ceil(2) + ways[1] / DRIFT_PARTS);
            // What a process is given and what it reports of that moment are the same.
            prop_assert_eq!(clock.to_common(of_other(clock.to_host(true_ns))).ns, true_ns);
        }

        #[test]
        fn between_two_exchanges_the_true_time_lies_in_the_interval_of_the_clock_that_drifts(
            other in others(), first in ways(), second in ways(), seconds in 1u64..3_600, share in 0.0f64..1.0,
        ) {
            let length_ns = seconds * SECOND_NS;
            let before = other.compared(BEGIN_NS, first);
            let after = other.compared(BEGIN_NS + length_ns, second);
            let clock = before.until(after, length_ns).unwrap();
            #[allow(clippy::cast_sign_loss)]
            let true_ns = BEGIN_NS + SECOND_NS + ((length_ns - SECOND_NS) as f64 * share) as u64;
            let common = clock.to_common(of_other(other.at(true_ns)));
            prop_assert!(holds(common, true_ns), "{common:?} of {true_ns}");
            // With the drift between them, by a bound that the drift is no part of.
            let fit = Drift::between(
                (BEGIN_NS + first.iter().sum::<u64>(), before),
                (BEGIN_NS + length_ns + second.iter().sum::<u64>(), after),
            );
            let fitted = CommonTime {
                ns: fit.corrected(before.to_common(of_other(other.at(true_ns))).ns),
                bound_ns: clock.fitted_bound_ns.unwrap(),
            };
            prop_assert!(holds(fitted, true_ns), "{fitted:?} of {true_ns}");
            let drifted = before.drifted(true_ns - BEGIN_NS).to_common(of_other(other.at(true_ns)));
            prop_assert!(holds(drifted, true_ns), "{drifted:?} of {true_ns}");
        }

        #[test]
        fn a_clock_that_was_set_is_found(
            other in others(), ways in ways(), jump_ns in 500_000_000i64..i64::MAX / 4, back in any::<bool>(),
        ) {
            let before = other.compared(BEGIN_NS, ways);
            let jump_ns = if back { -jump_ns.min(BEGIN_NS.cast_signed() / 4) } else { jump_ns };
            let jumped = Other { ahead_ns: other.ahead_ns + jump_ns, ..other };
            let after = jumped.compared(BEGIN_NS + 10 * SECOND_NS, ways);
            prop_assert_eq!(before.until(after, 10 * SECOND_NS), None);
        }
    }

    #[test]
    fn an_answer_that_took_longer_than_the_exchange_or_went_before_the_question_came_says_nothing() {
        let clock = HostClock::of_exchange([1_000, 1_030], [50, 60]).unwrap();
        assert_eq!((clock.offset_ns, clock.bound_ns), (960, 10));
        assert_eq!(HostClock::of_exchange([1_000, 1_030], [50, 90]), None);
        assert_eq!(HostClock::of_exchange([1_000, 1_030], [50, 49]), None);
        assert_eq!(HostClock::of_exchange([0, 0], [u64::MAX, u64::MAX]), None);
    }

    #[test]
    fn a_difference_of_two_hosts_has_the_bounds_of_both_and_one_of_a_single_host_none() {
        let clock = |bound_ns| HostClock {
            offset_ns: 5,
            bound_ns,
            ..HostClock::default()
        };
        let clocks = HostClocks(vec![clock(30), clock(40)]);
        let [first, second] = [0, 1].map(HostId::other);
        assert_eq!(clocks.bound_between_ns(first, second), 70);
        assert_eq!(clocks.bound_between_ns(HostId::COORDINATOR, second), 40);
        assert_eq!(clocks.bound_between_ns(second, second), 0);
    }
}
