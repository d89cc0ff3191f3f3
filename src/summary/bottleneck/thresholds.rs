//! The numbers of the rules. `docs/method.md` ("Why") has them in its table; a change here is a change there.

/// Members that are in work, or wait for commits, for this share of their time are limited by that.
pub(super) const WORKING_SHARE: f64 = 0.80;
/// A machine, or the part of it that the consumers may use, is full at this share of its cores.
pub(super) const CORES_SHARE: f64 = crate::measure::FULL_SHARE;
/// A thread that wants a core for this share of the time is full: it runs, or is ready to and has none.
pub(super) const THREAD_SHARE: f64 = 0.90;
/// Readers that wait with an empty queue for this share of their time are limited by what comes before them.
pub(super) const WAITING_SHARE: f64 = 0.50;
/// So are those of a backlog that wait for this share of it, and for longer than their client can have paused: what comes
/// before them is the fuller of the two.
pub(super) const WAITING_FOR_FULLER_SHARE: f64 = 0.25;
/// So are those to which a quota holds answers back for this share of the time, and that wait for as long.
pub(super) const THROTTLED_SHARE: f64 = 0.25;
/// A client that for this share of the time neither awaits an answer nor unpacks one is limited by its pauses.
pub(super) const PAUSING_SHARE: f64 = 0.50;
/// The busiest member reads so many times an even share of its group's records where reading is uneven,
pub(super) const SKEW_TIMES: f64 = 1.25;
/// and this share of the members' time is left over when they have read theirs.
pub(super) const SKEW_LEFT_SHARE: f64 = 0.15;
/// A trial that is shorter, in seconds, is over after a few exchanges with the brokers, and before the kernel's ticks and
/// the client's statistics say anything: what it waited for and which cores were full is not known.
pub(super) const SHORT_SECONDS: f64 = 0.1;
/// Where the client says nothing of its fetching: brokers here that together use this many cores are busy,
pub(super) const BROKER_BUSY_CORES: f64 = 0.80;
/// and brokers that use less than this have nothing to do with it.
pub(super) const BROKER_IDLE_CORES: f64 = 0.50;

/// Transactions that wait for this share of their time for the store's disk, for locks or for another server are limited by
/// that, whatever the cores do.
pub(super) const STORE_WAITS_SHARE: f64 = 0.50;
/// Fewer sessions of the members, over all looks at the store's server, say nothing of what they wait for.
pub(super) const SESSIONS_MIN: u64 = 30;
/// Transactions with less than this share of the rows that they may have are as large as what a poll returns.
pub(super) const FULL_TRANSACTION: f64 = 0.90;

/// Idle cores that one more thread needs.
pub(super) const IDLE_FOR_A_THREAD: f64 = 0.5;

/// A CPU quota that was used up in this share of its periods limits whatever runs under it.
pub(super) const QUOTA_SHARE: f64 = 0.10;
/// Brokers that read this share of what was delivered from storage have too little page cache for the data.
pub(super) const STORAGE_SHARE: f64 = 0.10;

/// A part of the mean response time is named where it is more than this share of it.
pub(super) const LONGEST_SHARE: f64 = 0.50;
/// Members that are in work, or wait for commits, for this share of their time let the records behind wait in their
/// client's queue.
pub(super) const BUSY_SHARE: f64 = 0.50;
/// Less than this, in milliseconds, is no more than exchanges with brokers take, whatever they are asked to hold back.
pub(super) const HELD_MS: f64 = 5.0;

/// Records lie before the readers where there are more than arrive in this time. Positions are reported every 100 ms, so
/// that the lag seen is too large by up to what arrives meanwhile.
pub(super) const LAG_SECONDS: f64 = 0.25;
/// A shorter time with lag, in seconds, is not analysed by itself.
pub(super) const BEHIND_SECONDS_MIN: f64 = 0.5;
/// From this share of the trial on, the figures of the complete trial are those of the time with lag.
pub(super) const NEARLY_ALL: f64 = 0.95;
