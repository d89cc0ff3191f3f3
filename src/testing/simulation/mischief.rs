//! What can go wrong in a simulated trial.

use crate::trial::ActorId;

/// Something that goes wrong.
#[derive(Debug, Clone, Copy)]
pub struct Mischief {
    /// When, from the beginning of the trial, nanoseconds. A trial that is over by then is spared.
    pub after_ns: u64,
    pub what: What,
}

/// Ways of going wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Its process ends.
    Dies(ActorId),
    /// It does nothing for so many nanoseconds; `u64::MAX` is for ever.
    Pauses(ActorId, u64),
    /// It reports that it cannot go on.
    GivesUp(ActorId, GivesUp),
    /// It breaks the protocol.
    Breaks(ActorId, Breach),
    /// A reader reads, counts or reports wrongly.
    Errs(usize, Error),
    /// All members of a group give back their partitions and get others.
    Rebalances(usize),
    /// A reader's consumer goes on with a partition that the group gives to another.
    KeepsPartition(usize),
    /// A reader's consumer reads a partition of another, and nobody reports it.
    Poaches(usize),
    /// The group has a foreign member for so many nanoseconds.
    Stranger(usize, u64),
    /// The group does not settle for so many nanoseconds.
    Unsettled(usize, u64),
    /// The cluster answers with errors for so many nanoseconds, or not at all.
    Cluster(Deafness, u64),
    /// Retention removes these first offsets of every partition.
    Removes(u64),
    /// Deliveries of a producer fail; the records are written all the same where `written`.
    Fails { producer: usize, written: bool },
    /// The cluster acknowledges records to a producer and does not keep them.
    Forgets(usize),
}

/// How an actor says that it cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivesUp {
    /// Its process.
    Process,
    /// Its first consumer.
    Consumer,
    /// It cannot reach the cluster.
    Connect,
}

/// Ways of breaking the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breach {
    /// A line that is no message.
    Garbage,
    /// `hello` a second time.
    SecondHello,
    /// `ready` a second time, or early.
    SecondReady,
    /// A result that nobody asked for.
    EarlyResult,
    /// Results and assignments of one member too few.
    WrongMembers,
    /// A message of the other role.
    WrongRole,
    /// Another version of the protocol.
    OldProtocol,
}

/// Ways in which a reader errs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// It passes over a record.
    Loses,
    /// It reads a record twice.
    Doubles,
    /// Its result has records of a partition that is not part of the trial.
    Foreign,
    /// Its result has records beyond the end of a partition.
    Beyond,
    /// It counts another number of records than it read.
    Miscounts,
    /// It reports positions that it has not reached.
    Promises,
}

/// How the cluster does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deafness {
    /// With errors to questions about groups.
    GroupErrors,
    /// Never, to questions about groups.
    GroupLost,
    /// With errors to questions for the ends of partitions.
    EndsErrors,
    /// Never, to questions for the ends of partitions.
    EndsLost,
    /// With errors to questions for what it still delivers.
    StillErrors,
}
