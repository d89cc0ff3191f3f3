//! What members and the server of their store show about transactions, over the used trials of a configuration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::of_trial::{ratio, working};
use crate::measure::{Holdup, Measurement, SessionState, SessionsMet, StoreActivity, StoreUse};
use crate::scenario::{Configuration, Work};
use crate::stats::median;

/// The transactions of a configuration.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StoreSummary {
    /// Share of the time of the members' working threads that was spent in transactions; median over the trials.
    pub in_transactions: Option<f64>,
    /// Share of the time of all of the members' working threads that was spent in transactions, until the end of the
    /// trial and those that read nothing included: the sessions that are looked at are theirs. Median over the trials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_transactions_of_all: Option<f64>,
    /// Mean rows of a transaction.
    pub rows: Option<f64>,
    /// Mean milliseconds of a transaction, repetitions included.
    pub transaction_ms: Option<f64>,
    /// Transactions that were tried again.
    pub retries: u64,
    /// Cores that the server's processes used, median over the trials; `None` where that was not observed.
    pub cores: Option<f64>,
    /// What the members' sessions were met in; `None` where the server was not looked at.
    pub sessions: Option<SessionShares>,
}

/// What the members' sessions were met in, as shares of all that were met.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SessionShares {
    /// Sessions met, each once for each look.
    pub met: u64,
    /// Held up by the server's disk.
    pub disk: f64,
    /// Running in the server, or ready to.
    pub cpu: f64,
    /// Held up by locks of others.
    pub lock: f64,
    /// In a transaction, with nothing to do until the member sends more.
    pub member: f64,
    /// Held up by something else.
    pub other: f64,
    /// The waits of statements, the most frequent first.
    pub waits: Vec<WaitShare>,
}

/// A wait of statements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaitShare {
    /// By the server's name.
    pub name: String,
    /// Whose it is.
    pub holdup: Holdup,
    /// Of all sessions that were met, the share that was in it.
    pub share: f64,
}

/// How the time in transactions divides; the parts add up to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Parts {
    pub(super) disk: f64,
    pub(super) cpu: f64,
    pub(super) lock: f64,
    /// The members themselves and the way to the server: the server waited for what comes next.
    pub(super) member: f64,
    pub(super) other: f64,
}

impl Parts {
    /// Each with its name.
    pub(super) fn all(&self) -> [(Holdup, f64); 5] {
        [
            (Holdup::Disk, self.disk),
            (Holdup::Cpu, self.cpu),
            (Holdup::Lock, self.lock),
            (Holdup::Member, self.member),
            (Holdup::Other, self.other),
        ]
    }

    /// What takes the largest.
    pub(super) fn largest(&self) -> Holdup {
        let largest = self.all().into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        largest.map_or(Holdup::Other, |(holdup, _)| holdup)
    }
}

impl StoreSummary {
    /// Of the used trials of a configuration; `None` where its members write to no store.
    pub(in crate::summary) fn of(configuration: &Configuration, trials: &[&Measurement]) -> Option<Self> {
        if configuration.work != Work::Store {
            return None;
        }
        let of_each = |figure: &dyn Fn(&Measurement) -> Option<f64>| {
            median(&trials.iter().filter_map(|m| figure(m)).collect::<Vec<f64>>())
        };
        let members = || trials.iter().flat_map(|m| &m.members);
        let used: Vec<(StoreUse, u64)> = members()
            .filter_map(|member| Some((member.store?, member.work_ns?)))
            .collect();
        let sum = |count: fn(&(StoreUse, u64)) -> u64| used.iter().map(count).sum::<u64>();
        let transactions = sum(|(used, _)| used.transactions) as f64;
        let threads = f64::from(configuration.threads);
        Some(StoreSummary {
            in_transactions: of_each(&|m| working(m, threads)),
            in_transactions_of_all: of_each(&|m| {
                let work_ns: u64 = m.members.iter().filter_map(|member| member.work_ns).sum();
                let length_ns = m.end_ns.saturating_sub(m.start_ns) as f64;
                ratio(work_ns as f64, length_ns * threads * m.members.len() as f64)
            }),
            rows: ratio(sum(|(used, _)| used.rows) as f64, transactions),
            transaction_ms: ratio(sum(|(_, work_ns)| *work_ns) as f64 / 1e6, transactions),
            retries: sum(|(used, _)| used.retries),
            cores: of_each(&|m| ratio(m.host.store_cpu_ns? as f64, m.host.wall_ns as f64)),
            sessions: SessionShares::of(trials.iter().filter_map(|m| m.store.as_ref()?.activity.as_ref())),
        })
    }

    /// Of the waits for the disk and for other servers, the share of those that a transaction has once, however many rows it
    /// has.
    pub(super) fn once_share(&self) -> f64 {
        let waits = self.sessions.iter().flat_map(|seen| &seen.waits);
        let (mut once, mut all) = (0.0, 0.0);
        for wait in waits.filter(|wait| matches!(wait.holdup, Holdup::Disk | Holdup::Other)) {
            all += wait.share;
            if wait.is_of_commit() {
                once += wait.share;
            }
        }
        ratio(once, all).unwrap_or(0.0)
    }

    /// How the time in transactions divides, where enough sessions were met to say so. `None` where some were tried again:
    /// a server that is away cannot be looked at.
    pub(super) fn parts(&self, sessions_min: u64) -> Option<Parts> {
        if self.retries > 0 {
            return None;
        }
        let shares = self.sessions.as_ref().filter(|shares| shares.met >= sessions_min)?;
        let in_server = shares.disk + shares.cpu + shares.lock + shares.other;
        // Between two statements a session is idle while its member is still in the transaction's time.
        let in_transactions = self.in_transactions_of_all.or(self.in_transactions)?;
        let in_transactions = in_transactions.max(in_server + shares.member);
        let share = |part: f64| ratio(part, in_transactions);
        Some(Parts {
            disk: share(shares.disk)?,
            cpu: share(shares.cpu)?,
            lock: share(shares.lock)?,
            member: share(in_transactions - in_server)?,
            other: share(shares.other)?,
        })
    }
}

impl WaitShare {
    /// True where it is for the log, on the server's disk or on that of a standby server.
    fn is_of_commit(&self) -> bool {
        let event = self.name.split_once(':').map_or("", |(_, event)| event);
        ["WAL", "Wal", "SyncRep"].iter().any(|start| event.starts_with(start))
    }
}

impl SessionShares {
    /// The looks of all trials pooled.
    fn of<'a>(activities: impl Iterator<Item = &'a StoreActivity>) -> Option<Self> {
        let met: Vec<&SessionsMet> = activities.flat_map(|activity| &activity.sessions).collect();
        let all: u64 = met.iter().map(|sessions| sessions.met).sum();
        let share = |of: u64| of as f64 / all as f64;
        let held = |holdup| {
            let held = met.iter().filter(|sessions| sessions.holdup() == Some(holdup));
            share(held.map(|sessions| sessions.met).sum())
        };
        (all > 0).then(|| SessionShares {
            met: all,
            disk: held(Holdup::Disk),
            cpu: held(Holdup::Cpu),
            lock: held(Holdup::Lock),
            member: held(Holdup::Member),
            other: held(Holdup::Other),
            waits: waits(&met, all),
        })
    }
}

/// The waits of statements as shares of `all` sessions that were met, the most frequent first.
fn waits(met: &[&SessionsMet], all: u64) -> Vec<WaitShare> {
    let mut numbers: BTreeMap<(&str, Holdup), u64> = BTreeMap::new();
    for sessions in met {
        if let (Some(name), Some(holdup), SessionState::Active) = (&sessions.wait, sessions.holdup(), sessions.state) {
            *numbers.entry((name, holdup)).or_default() += sessions.met;
        }
    }
    let waits = numbers.into_iter().map(|((name, holdup), number)| WaitShare {
        name: name.to_owned(),
        holdup,
        share: number as f64 / all as f64,
    });
    let mut waits: Vec<WaitShare> = waits.collect();
    // Stable, so that equally frequent ones stay in the order of their names.
    waits.sort_by(|a, b| b.share.total_cmp(&a.share));
    waits
}
