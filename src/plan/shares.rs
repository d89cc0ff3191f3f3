//! What the members of a group can work where they share equal partitions and the busiest of them decides.

/// The most partitions that a member holds, of all. No assignment gives the busiest member fewer, so all numbers of
/// members between two bounds can work equally much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    /// Partitions of the busiest member.
    pub held: u32,
    /// Partitions of all.
    pub partitions: u32,
    /// Time that a record takes.
    pub work_ns: u64,
}

impl Shares {
    /// Records per second that all members together can work at most.
    pub fn at_most(&self) -> f64 {
        let per_second = 1e9 / self.work_ns.max(1) as f64;
        per_second * f64::from(self.partitions) / f64::from(self.held)
    }

    /// The fewest members with which the busiest holds no more.
    pub fn fewest(&self) -> u32 {
        self.partitions.div_ceil(self.held)
    }

    /// The most members with which the busiest still holds as many; `None` where each has one partition, and more
    /// members have none.
    pub fn most(&self) -> Option<u32> {
        Some(self.with_held(self.held - 1)?.fewest() - 1)
    }

    /// With the next larger number of members that changes anything.
    pub fn with_more(&self) -> Option<Shares> {
        // With 7 partitions 4 members hold 2 at most, as 5 and 6 do.
        let fewer = self.with_held(self.held - 1)?;
        fewer.with_held(self.partitions.div_ceil(fewer.fewest()))
    }

    /// With the next smaller number of members that changes anything.
    pub fn with_fewer(&self) -> Option<Shares> {
        let members = self.fewest().checked_sub(1).filter(|members| *members > 0)?;
        self.with_held(self.partitions.div_ceil(members))
    }

    /// The fewest members that can work so many records per second; `None` where no number of members can.
    pub fn enough_for(&self, per_second: f64) -> Option<Shares> {
        let single = 1..=self.partitions;
        let all = single.filter_map(|members| self.with_held(self.partitions.div_ceil(members)));
        all.into_iter().find(|shares| shares.at_most() >= per_second)
    }

    fn with_held(&self, held: u32) -> Option<Shares> {
        (held > 0).then_some(Shares { held, ..*self })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of_members(members: u32, partitions: u32) -> Shares {
        Shares {
            held: partitions.div_ceil(members),
            partitions,
            work_ns: 3_000_000,
        }
    }

    #[test]
    fn six_to_eleven_members_work_equally_much_of_twelve_partitions() {
        for members in 6..12 {
            let shares = of_members(members, 12);
            assert_eq!(
                (shares.fewest(), shares.most(), shares.at_most()),
                (6, Some(11), 2_000.0)
            );
        }
        let six = of_members(6, 12);
        let (twelve, four) = (six.with_more().unwrap(), six.with_fewer().unwrap());
        assert_eq!((twelve.fewest(), twelve.most(), twelve.at_most()), (12, None, 4_000.0));
        assert_eq!((four.fewest(), four.most()), (4, Some(5)));
        assert_eq!(twelve.with_more(), None);
        assert_eq!(of_members(1, 12).with_fewer(), None);
        assert_eq!(six.enough_for(1_900.0), Some(six));
        assert_eq!(six.enough_for(2_100.0), Some(twelve));
        assert_eq!(six.enough_for(4_001.0), None);
    }

    proptest! {
        #[test]
        fn the_bounds_are_those_of_trying_every_number_of_members(partitions in 1_u32..60, members in 1_u32..60) {
            let held = |members: u32| partitions.div_ceil(members);
            let members = members.min(partitions);
            let shares = of_members(members, partitions);
            let alike: Vec<u32> = (1..=partitions).filter(|m| held(*m) == shares.held).collect();
            prop_assert_eq!(shares.fewest(), alike[0]);
            if let Some(most) = shares.most() {
                prop_assert_eq!(most, *alike.last().unwrap());
                let more = shares.with_more().unwrap();
                prop_assert_eq!((more.fewest(), more.held), (most + 1, held(most + 1)));
            } else {
                prop_assert_eq!(shares.held, 1);
            }
            if let Some(fewer) = shares.with_fewer() {
                prop_assert_eq!(fewer.most(), Some(shares.fewest() - 1));
            }
        }
    }
}
