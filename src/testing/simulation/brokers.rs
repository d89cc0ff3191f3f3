//! Simulated brokers, of which some are away for a while, and who takes over what they led.

use super::chance::MS;

/// So long nobody has a role whose broker went away.
const FAILOVER_NS: u64 = 400 * MS;

/// The brokers that a script may act on. Each role has a number: of a partition, of a group, or of the controller.
#[derive(Debug, Clone, Default)]
pub struct Brokers {
    /// Since when each is away.
    away: Vec<Option<u64>>,
}

impl Brokers {
    pub fn new(count: u32) -> Self {
        Brokers {
            away: vec![None; count as usize],
        }
    }

    /// Who has a role: its own broker, or the next one once that has been away for long enough.
    pub fn holder(&self, role: usize, now_ns: u64) -> Option<usize> {
        let count = self.away.len();
        let own = role.checked_rem(count)?;
        match self.away[own] {
            None => Some(own),
            Some(since_ns) if now_ns < since_ns + FAILOVER_NS => None,
            Some(_) => {
                let mut others = (1..count).map(|distance| (own + distance) % count);
                others.find(|other| self.away[*other].is_none())
            }
        }
    }

    /// True where somebody has the role; always where no script may act on brokers.
    pub fn serve(&self, role: usize, now_ns: u64) -> bool {
        self.away.is_empty() || self.holder(role, now_ns).is_some()
    }

    pub fn goes(&mut self, broker: usize, now_ns: u64) {
        self.away[broker].get_or_insert(now_ns);
    }

    pub fn comes(&mut self, broker: usize) {
        self.away[broker] = None;
    }
}
