//! The plan that follows from a seed.

use super::chance::{Chance, MS};
use super::deed::{Deed, Planned};
use super::mischief::{Breach, Deafness, Error, GivesUp, Mischief, What};
use super::plan::{Plan, Records};
use crate::measure::{BrokerRole, TopicPartition};
use crate::protocol::Capability;
use crate::trial::{ActorId, StepTarget};

/// The plan that follows from a seed. Two in seven have no mischief.
pub fn plan_of(seed: u64) -> Plan {
    let mut chance = Chance::new(seed);
    let records = chance.of(&[Records::Backlog, Records::Existing, Records::Arriving]);
    let manual = chance.once_in(5);
    let groups = chance.of(&[1, 1, 1, 2, 3]);
    let processes = chance.of(&[1, 1, 2, 2, 2, 3, 4, 8]);
    let consumers = chance.of(&[1, 1, 1, 2, 3]);
    let producers = match records {
        Records::Arriving => chance.of(&[1, 1, 2, 3]),
        Records::Backlog | Records::Existing => 0,
    };
    let has_backlog = records != Records::Arriving || chance.once_in(2);
    let topics = chance.of(&[1, 1, 2]);
    let partitions = (0..topics).map(|_| partitions(&mut chance, has_backlog)).collect();
    let readers = groups * processes;
    let capabilities = (0..readers)
        .map(|_| capabilities(&mut chance, records, manual))
        .collect();
    let mut plan = Plan {
        seed,
        records,
        manual,
        has_targets: chance.once_in(2),
        groups,
        processes,
        consumers,
        producers,
        capabilities,
        partitions,
        removed: if chance.once_in(4) { chance.between(1, 40) } else { 0 },
        delay_ns: chance.of(&[0, 1, 5, 30, 150]) * MS,
        settling_ns: chance.of(&[10, 100, 400]) * MS,
        burst: chance.between(5, 80),
        rate: chance.between(20, 300),
        drain_ns: chance.of(&[300, 2_000, 4_000]) * MS,
        mischiefs: Vec::new(),
        deeds: Vec::new(),
        ahead_ns: 0,
        drift_ppm: 0,
        brokers: 0,
        has_store: false,
    };
    for _ in 0..chance.of(&[0, 0, 1, 1, 1, 2, 3]) {
        let mischief = mischief(&plan, &mut chance);
        plan.mischiefs.push(mischief);
    }
    if chance.once_in(3) {
        plan.deeds = deeds(&plan, &mut chance);
    }
    if chance.once_in(4) {
        plan.ahead_ns = chance.of(&[100_000_000_000, -7_300_000, -300_000_000_000]);
        // Not by chance, so that a seed means what it meant before clocks drifted.
        plan.drift_ppm = [0, 50, -50][(seed % 3) as usize];
    }
    if chance.once_in(3) {
        plan.brokers = chance.of(&[1, 2, 3, 3]);
        plan.has_store = chance.once_in(3);
        let faults = faults(&plan, &mut chance);
        plan.deeds.extend(faults);
    }
    plan
}

/// Planned acts on one reader or two.
fn deeds(plan: &Plan, chance: &mut Chance) -> Vec<Deed> {
    let mut deeds: Vec<Deed> = Vec::new();
    for _ in 0..chance.of(&[1, 1, 2]) {
        let target = StepTarget::Actor(ActorId::Reader(chance.index(plan.readers())));
        let is_new = deeds.iter().all(|deed| deed.target != target);
        let for_ns = chance.of(&[50, 400, 1_500]) * MS;
        let what = chance.of(&[
            Planned::Kill,
            Planned::Leave,
            Planned::Restart(for_ns),
            Planned::Pause(for_ns),
            Planned::StartLate,
        ]);
        if is_new && plan.may_act_on(target) {
            let after_ns = chance.up_to(1_500 * MS);
            deeds.push(Deed { after_ns, target, what });
        }
    }
    deeds
}

/// Planned acts on up to three of brokers, named or by their roles, the store and the load.
fn faults(plan: &Plan, chance: &mut Chance) -> Vec<Deed> {
    let mut deeds: Vec<Deed> = Vec::new();
    for _ in 0..chance.of(&[1, 1, 2, 3]) {
        let topic = chance.index(plan.partitions.len());
        let partition = i32::try_from(chance.index(plan.partitions[topic].len())).unwrap();
        let topic = u32::try_from(topic).unwrap();
        let group = u32::try_from(chance.index(plan.groups as usize)).unwrap();
        let broker = chance.index(plan.brokers as usize);
        let target = chance.of(&[
            StepTarget::Actor(ActorId::Broker(broker)),
            StepTarget::Role(BrokerRole::LeaderOf(TopicPartition { topic, partition })),
            StepTarget::Role(BrokerRole::Controller),
            StepTarget::Role(BrokerRole::CoordinatorOf(group)),
            StepTarget::Actor(ActorId::Store),
            StepTarget::Actor(ActorId::Load),
        ]);
        let for_ns = chance.of(&[50, 400, 1_500]) * MS;
        let what = match target {
            StepTarget::Actor(ActorId::Load) => Planned::Rate(chance.up_to(400)),
            _ => chance.of(&[
                Planned::Kill,
                Planned::Leave,
                Planned::Restart(for_ns),
                Planned::Restart(for_ns),
                Planned::Pause(for_ns),
            ]),
        };
        let is_new = deeds.iter().all(|deed| deed.target != target);
        if is_new && plan.may_act_on(target) {
            let after_ns = chance.up_to(1_500 * MS);
            deeds.push(Deed { after_ns, target, what });
        }
    }
    deeds
}

/// Something that can go wrong in this plan.
fn mischief(plan: &Plan, chance: &mut Chance) -> Mischief {
    let after_ns = chance.up_to(4_000 * MS);
    loop {
        let what = anything(plan, chance);
        if plan.allows(what) {
            return Mischief { after_ns, what };
        }
    }
}

/// Somebody who takes part.
fn any_actor(plan: &Plan, chance: &mut Chance) -> ActorId {
    let index = chance.index(plan.readers() + plan.producers as usize);
    match index.checked_sub(plan.readers()) {
        None => ActorId::Reader(index),
        Some(producer) => ActorId::Producer(producer),
    }
}

/// Anything that can go wrong, whether the plan allows it or not.
fn anything(plan: &Plan, chance: &mut Chance) -> What {
    let actor = any_actor(plan, chance);
    let reader = chance.index(plan.readers());
    let group = chance.index(plan.groups as usize);
    let producer = chance.index(plan.producers.max(1) as usize);
    let for_ns = chance.of(&[200 * MS, 1_000 * MS, 3_000 * MS, u64::MAX]);
    match chance.between(0, 15) {
        0 | 1 => What::Dies(actor),
        2 | 3 => What::Pauses(actor, for_ns),
        4 => What::GivesUp(
            actor,
            chance.of(&[GivesUp::Process, GivesUp::Consumer, GivesUp::Connect]),
        ),
        5 | 6 => What::Breaks(
            actor,
            chance.of(&[
                Breach::Garbage,
                Breach::SecondHello,
                Breach::SecondReady,
                Breach::EarlyResult,
                Breach::WrongMembers,
                Breach::WrongRole,
                Breach::OldProtocol,
            ]),
        ),
        7 | 8 => What::Errs(
            reader,
            chance.of(&[
                Error::Loses,
                Error::Doubles,
                Error::Foreign,
                Error::Beyond,
                Error::Miscounts,
                Error::Promises,
            ]),
        ),
        9 => What::Rebalances(group),
        10 => What::KeepsPartition(reader),
        11 => What::Poaches(reader),
        12 => {
            if chance.once_in(2) {
                What::Stranger(group, for_ns)
            } else {
                What::Unsettled(group, for_ns)
            }
        }
        13 => What::Cluster(
            chance.of(&[
                Deafness::GroupErrors,
                Deafness::GroupLost,
                Deafness::EndsErrors,
                Deafness::EndsLost,
                Deafness::StillErrors,
            ]),
            for_ns,
        ),
        14 => What::Removes(chance.between(1, 150)),
        _ => {
            if chance.once_in(2) {
                let written = chance.once_in(2);
                What::Fails { producer, written }
            } else {
                What::Forgets(producer)
            }
        }
    }
}

/// Offsets of the partitions of a topic; some are empty, all of them where there is no backlog.
fn partitions(chance: &mut Chance, has_backlog: bool) -> Vec<u64> {
    let count = chance.of(&[1, 2, 2, 3, 4, 6, 12]);
    let mut partitions: Vec<u64> = (0..count)
        .map(|_| {
            let is_filled = has_backlog && !chance.once_in(6);
            if is_filled { chance.between(1, 200) } else { 0 }
        })
        .collect();
    if has_backlog {
        partitions[0] = partitions[0].max(1);
    }
    partitions
}

/// All capabilities, or some where a trial can do without the others.
fn capabilities(chance: &mut Chance, records: Records, manual: bool) -> Vec<Capability> {
    if !chance.once_in(3) {
        return Capability::ALL.to_vec();
    }
    let is_needed = |capability: Capability| match capability {
        // No trial here has a store or static members, and no account needs the times of reading: these change nothing.
        Capability::Manual | Capability::Store | Capability::Static | Capability::Flow => true,
        // Nobody else knows what members hold that assign by hand.
        Capability::Assignment => manual,
        Capability::Ledger | Capability::Stamps => records == Records::Arriving,
        Capability::Hold
        | Capability::Usage
        | Capability::Work
        | Capability::Calibrate
        | Capability::Threads
        | Capability::Reading
        | Capability::Statistics
        | Capability::Pauses => false,
    };
    let all = Capability::ALL.iter().copied();
    all.filter(|capability| is_needed(*capability) || chance.once_in(2))
        .collect()
}
