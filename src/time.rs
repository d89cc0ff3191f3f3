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

/// A time on the clock of a host, in nanoseconds. It cannot be compared with others: [`HostClocks::to_common`] makes a
/// [`CommonTime`] of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostTime {
    /// Whose clock.
    pub host: HostId,
    /// What it shows.
    pub ns: u64,
}

/// A time on the coordinator's clock, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommonTime {
    /// In the middle of what is possible.
    pub ns: u64,
    /// The most by which it may have been earlier or later.
    pub bound_ns: u64,
}

impl CommonTime {
    /// It was not before.
    pub fn earliest_ns(self) -> u64 {
        self.ns.saturating_sub(self.bound_ns)
    }

    /// It was not after.
    pub fn latest_ns(self) -> u64 {
        self.ns.saturating_add(self.bound_ns)
    }
}

/// One exchange of clocks: the coordinator asks, a process of another host notes when the question came and when its
/// answer went.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_field_names, reason = "units belong in names")]
pub struct Exchange {
    /// The coordinator asked, at the latest when it says so.
    pub asked_ns: u64,
    /// The question came, on the other clock.
    pub received_ns: u64,
    /// The answer went, on the other clock.
    pub sent_ns: u64,
    /// The coordinator had the answer.
    pub answered_ns: u64,
}

/// The clock of another host, compared with the coordinator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostClock {
    /// What to add to its times.
    pub offset_ns: i64,
    /// The most by which that is wrong.
    pub bound_ns: u64,
}

impl HostClock {
    /// What an exchange says of it: the question was not received before it was asked, and the answer not sent after it
    /// came, however long each was on its way. `None` where both cannot be true.
    pub fn of(exchange: Exchange) -> Option<Self> {
        let wide = |ns: u64| i128::from(ns);
        // The clocks drift while the answer is made, too.
        let drift = exchange.sent_ns.checked_sub(exchange.received_ns)? / DRIFT_PARTS;
        let least = wide(exchange.asked_ns) - wide(exchange.received_ns) - wide(drift);
        let most = wide(exchange.answered_ns) - wide(exchange.sent_ns) + wide(drift);
        if least > most {
            return None;
        }
        let offset = least.midpoint(most);
        Some(HostClock {
            offset_ns: i64::try_from(offset).ok()?,
            bound_ns: u64::try_from((most - offset).max(offset - least)).ok()?,
        })
    }

    /// The same after a while in which the clocks have drifted apart.
    #[must_use]
    pub fn drifted(self, elapsed_ns: u64) -> Self {
        HostClock {
            bound_ns: self.bound_ns.saturating_add(elapsed_ns / DRIFT_PARTS),
            ..self
        }
    }

    /// One clock from this comparison until a later one. The offset stays, because times were converted with it; the bound
    /// holds at both and in between, where clocks drift steadily. `None` where they moved more than clocks drift.
    pub fn until(self, later: HostClock, elapsed_ns: u64) -> Option<Self> {
        let moved_ns = self.offset_ns.abs_diff(later.offset_ns);
        let allowed_ns = self.drifted(elapsed_ns).bound_ns.saturating_add(later.bound_ns);
        (moved_ns <= allowed_ns).then(|| HostClock {
            bound_ns: self.bound_ns.max(moved_ns.saturating_add(later.bound_ns)),
            ..self
        })
    }

    /// A time of this clock on the coordinator's.
    pub fn to_common(self, host_ns: u64) -> CommonTime {
        CommonTime {
            ns: host_ns.saturating_add_signed(self.offset_ns),
            bound_ns: self.bound_ns,
        }
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
        if one == other {
            return 0;
        }
        self.bound_ns(one).saturating_add(self.bound_ns(other))
    }

    fn bound_ns(&self, host: HostId) -> u64 {
        let clock = host.index().and_then(|index| self.0.get(index));
        clock.map_or(0, |clock| clock.bound_ns)
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
        fn exchange(self, asked_ns: u64, [there, own, back]: [u64; 3]) -> Exchange {
            Exchange {
                asked_ns,
                received_ns: self.at(asked_ns + there),
                sent_ns: self.at(asked_ns + there + own),
                answered_ns: asked_ns + there + own + back,
            }
        }
    }

    const SECOND_NS: u64 = 1_000_000_000;
    /// The coordinator's clock when the first exchange begins: hosts run for up to a year.
    const BEGIN_NS: u64 = 31_536_000 * SECOND_NS;

    fn others() -> impl Strategy<Value = Other> {
        let ahead = -(BEGIN_NS as i64) / 2..i64::MAX / 4;
        (ahead, -400i64..400).prop_map(|(ahead_ns, ppm)| Other { ahead_ns, ppm })
    }

    fn ways() -> impl Strategy<Value = [u64; 3]> {
        let way = || prop_oneof![0u64..1_000, 0u64..200_000_000, Just(0)];
        [way(), way(), way()]
    }

    fn holds(time: CommonTime, true_ns: u64) -> bool {
        (time.earliest_ns()..=time.latest_ns()).contains(&true_ns)
    }

    proptest! {
        #[test]
        fn the_true_time_lies_in_the_interval_whatever_the_offset_and_however_uneven_the_ways(
            ahead_ns in -(BEGIN_NS as i64) / 2..i64::MAX / 4, ways in ways(), later_ns in 0..SECOND_NS,
        ) {
            let other = Other { ahead_ns, ppm: 0 };
            let clock = HostClock::of(other.exchange(BEGIN_NS, ways)).unwrap();
            let true_ns = BEGIN_NS + later_ns;
            let common = clock.to_common(other.at(true_ns));
            prop_assert!(holds(common, true_ns), "{common:?} of {true_ns}");
            // No wider than the ways explain: what the process took for itself is no part of it.
            prop_assert!(clock.bound_ns <= (ways[0] + ways[2]).div_ceil(2) + ways[1] / DRIFT_PARTS);
            // What a process is told and what it says of that moment are the same.
            prop_assert_eq!(clock.to_common(clock.to_host(true_ns)).ns, true_ns);
        }

        #[test]
        fn between_two_exchanges_the_true_time_lies_in_the_interval_of_the_clock_that_drifts(
            other in others(), first in ways(), second in ways(), seconds in 1u64..3_600, share in 0.0f64..1.0,
        ) {
            let length_ns = seconds * SECOND_NS;
            let before = HostClock::of(other.exchange(BEGIN_NS, first)).unwrap();
            let after = HostClock::of(other.exchange(BEGIN_NS + length_ns, second)).unwrap();
            let clock = before.until(after, length_ns).unwrap();
            #[allow(clippy::cast_sign_loss)]
            let true_ns = BEGIN_NS + SECOND_NS + ((length_ns - SECOND_NS) as f64 * share) as u64;
            let common = clock.to_common(other.at(true_ns));
            prop_assert!(holds(common, true_ns), "{common:?} of {true_ns}");
            let drifted = before.drifted(true_ns - BEGIN_NS).to_common(other.at(true_ns));
            prop_assert!(holds(drifted, true_ns), "{drifted:?} of {true_ns}");
        }

        #[test]
        fn a_clock_that_was_set_is_found(
            other in others(), ways in ways(), jump_ns in 500_000_000i64..i64::MAX / 4, back in any::<bool>(),
        ) {
            let before = HostClock::of(other.exchange(BEGIN_NS, ways)).unwrap();
            let jump_ns = if back { -jump_ns.min(BEGIN_NS as i64 / 4) } else { jump_ns };
            let jumped = Other { ahead_ns: other.ahead_ns + jump_ns, ..other };
            let after = HostClock::of(jumped.exchange(BEGIN_NS + 10 * SECOND_NS, ways)).unwrap();
            prop_assert_eq!(before.until(after, 10 * SECOND_NS), None);
        }
    }

    #[test]
    fn an_answer_that_took_longer_than_the_exchange_or_went_before_the_question_came_says_nothing() {
        let exchange = Exchange {
            asked_ns: 1_000,
            received_ns: 50,
            sent_ns: 60,
            answered_ns: 1_030,
        };
        let clock = HostClock::of(exchange).unwrap();
        assert_eq!((clock.offset_ns, clock.bound_ns), (960, 10));
        let longer = Exchange {
            sent_ns: 90,
            ..exchange
        };
        assert_eq!(HostClock::of(longer), None);
        let backwards = Exchange {
            sent_ns: 49,
            ..exchange
        };
        assert_eq!(HostClock::of(backwards), None);
    }

    #[test]
    fn a_difference_of_two_hosts_has_the_bounds_of_both_and_one_of_a_single_host_none() {
        let clock = |bound_ns| HostClock { offset_ns: 5, bound_ns };
        let clocks = HostClocks(vec![clock(30), clock(40)]);
        let [first, second] = [0, 1].map(HostId::other);
        assert_eq!(clocks.bound_between_ns(first, second), 70);
        assert_eq!(clocks.bound_between_ns(HostId::COORDINATOR, second), 40);
        assert_eq!(clocks.bound_between_ns(second, second), 0);
    }
}
