//! What a trial left in the store that its members write to, and what the store's server did meanwhile. Knows no database:
//! what sessions wait for is in the server's own words.

use serde::{Deserialize, Serialize};

/// Of the store of a trial, over all groups.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StoreMeasurement {
    /// What was counted in its tables after the trial; `None` where they could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<StoreAccount>,
    /// What the members' sessions did between start and end; `None` where nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<StoreActivity>,
}

/// The rows of a trial against the account of its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StoreAccount {
    /// Rows in its tables.
    pub rows: u64,
    /// Records with a row.
    pub stored: u64,
    /// Rows beyond the first of their record.
    pub stored_twice: u64,
    /// Of these, rows that neither a second delivery nor a commit without an answer nor a killed process explains.
    pub unexplained: u64,
    /// Records that a member reported as stored and that have no row.
    pub lost: u64,
    /// Partitions whose values have other lengths in all than those that were read.
    #[serde(default)]
    pub altered: u64,
    /// Rows whose record no member reported as stored.
    pub outside: u64,
}

impl std::ops::AddAssign for StoreAccount {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.stored += other.stored;
        self.stored_twice += other.stored_twice;
        self.unexplained += other.unexplained;
        self.lost += other.lost;
        self.altered += other.altered;
        self.outside += other.outside;
    }
}

/// What the members' sessions did at the looks between start and end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StoreActivity {
    /// Looks that the server answered.
    pub looks: u64,
    /// Sessions as they were met, once for each look, by state and wait; the most frequent first.
    pub sessions: Vec<SessionsMet>,
}

/// Sessions that were met in one state with one wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionsMet {
    /// The state.
    pub state: SessionState,
    /// What they waited for, as the server names it (PostgreSQL: `wait_event_type:wait_event`); `None` of those that ran
    /// or were ready to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<String>,
    /// How many.
    pub met: u64,
}

/// What a session is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionState {
    /// A statement.
    Active,
    /// A transaction, between two statements.
    InTransaction,
    /// Nothing: its member does something else.
    Idle,
}

/// What holds a session up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holdup {
    /// The server's disk, or another session that writes to it for both.
    Disk,
    /// Nothing: it ran, or was ready to.
    Cpu,
    /// A lock that another session has.
    Lock,
    /// The member, which has not sent what comes next.
    Member,
    /// Something else, such as a standby server.
    Other,
}

impl SessionsMet {
    /// What held them up; `None` of those that had nothing to do.
    pub fn holdup(&self) -> Option<Holdup> {
        let held = match self.state {
            SessionState::Idle => return None,
            SessionState::InTransaction => Holdup::Member,
            SessionState::Active => self.wait.as_deref().map_or(Holdup::Cpu, holdup_of),
        };
        Some(held)
    }
}

/// By PostgreSQL's names of what a statement waits for.
fn holdup_of(wait: &str) -> Holdup {
    match wait.split_once(':').unwrap_or((wait, "")) {
        // Whoever has this lock flushes the log for all that wait for it.
        ("IO", _) | ("LWLock", "WALWrite") => Holdup::Disk,
        ("Lock" | "LWLock" | "BufferPin" | "Buffer", _) => Holdup::Lock,
        ("Client", _) => Holdup::Member,
        _ => Holdup::Other,
    }
}

/// One look at the members' sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreLook {
    /// When the server had answered.
    pub at_ns: u64,
    /// What it answered.
    pub sessions: Vec<SessionsMet>,
}

impl StoreActivity {
    /// Sums up the looks between two times; `None` where there is none.
    pub fn between(looks: &[StoreLook], from_ns: u64, until_ns: u64) -> Option<Self> {
        let mut activity = StoreActivity::default();
        for look in looks.iter().filter(|look| (from_ns..=until_ns).contains(&look.at_ns)) {
            activity.looks += 1;
            for SessionsMet { state, wait, met } in &look.sessions {
                let known = (activity.sessions.iter_mut()).find(|known| known.state == *state && known.wait == *wait);
                match known {
                    Some(known) => known.met += met,
                    None => activity.sessions.push(SessionsMet {
                        state: *state,
                        wait: wait.clone(),
                        met: *met,
                    }),
                }
            }
        }
        // By name where they are equally frequent, so that two readings of the same looks are the same.
        let order = |a: &SessionsMet, b: &SessionsMet| {
            let frequent = b.met.cmp(&a.met);
            frequent.then_with(|| (a.state, &a.wait).cmp(&(b.state, &b.wait)))
        };
        activity.sessions.sort_by(order);
        (activity.looks > 0).then_some(activity)
    }

    /// Sessions met in any state.
    pub fn met(&self) -> u64 {
        self.sessions.iter().map(|sessions| sessions.met).sum()
    }

    /// Sessions that were held up so.
    pub fn held_up(&self, holdup: Holdup) -> u64 {
        let held = self
            .sessions
            .iter()
            .filter(|sessions| sessions.holdup() == Some(holdup));
        held.map(|sessions| sessions.met).sum()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn met(state: SessionState, wait: Option<&str>, met: u64) -> SessionsMet {
        let wait = wait.map(str::to_owned);
        SessionsMet { state, wait, met }
    }

    #[test]
    fn only_looks_between_start_and_end_count() {
        use SessionState::{Active, Idle, InTransaction};
        let look = |at_ns, sessions| StoreLook { at_ns, sessions };
        let looks = [
            look(99, vec![met(Idle, Some("Client:ClientRead"), 4)]),
            look(100, vec![met(Active, Some("IO:WALSync"), 1), met(Active, None, 1)]),
            look(
                200,
                vec![
                    met(Active, Some("IO:WALSync"), 2),
                    met(InTransaction, Some("Client:ClientRead"), 1),
                ],
            ),
            look(201, vec![met(Active, None, 4)]),
        ];
        let activity = StoreActivity::between(&looks, 100, 200).unwrap();
        assert_eq!((activity.looks, activity.met()), (2, 5));
        assert_eq!(activity.sessions[0], met(Active, Some("IO:WALSync"), 3));
        let held = [Holdup::Disk, Holdup::Cpu, Holdup::Member, Holdup::Lock].map(|holdup| activity.held_up(holdup));
        assert_eq!(held, [3, 1, 1, 0]);
        assert_eq!(StoreActivity::between(&looks, 300, 400), None);
    }

    #[test]
    fn a_wait_says_what_holds_a_statement_up() {
        let holdup = |wait| met(SessionState::Active, wait, 1).holdup();
        assert_eq!(holdup(None), Some(Holdup::Cpu));
        for wait in ["IO:WALSync", "IO:WALWrite", "IO:DataFileExtend", "LWLock:WALWrite"] {
            assert_eq!(holdup(Some(wait)), Some(Holdup::Disk), "{wait}");
        }
        for wait in [
            "Lock:transactionid",
            "Lock:extend",
            "LWLock:WALInsert",
            "LWLock:BufferContent",
        ] {
            assert_eq!(holdup(Some(wait)), Some(Holdup::Lock), "{wait}");
        }
        assert_eq!(holdup(Some("Client:ClientRead")), Some(Holdup::Member));
        assert_eq!(holdup(Some("IPC:SyncRep")), Some(Holdup::Other));
        let idle = met(SessionState::Idle, Some("Client:ClientRead"), 1);
        assert_eq!(idle.holdup(), None);
    }
}
