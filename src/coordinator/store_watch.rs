//! Looks again and again at what the sessions of a trial's members do in their store. Knows nothing of trials.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::database::{Address, DatabaseError, Sessions, SessionsView};
use crate::measure::{SessionState, SessionsMet, StoreActivity, StoreLook, clock};

/// How often the sessions are looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// The name under which the server has this connection.
const APPLICATION: &str = "tandem";

/// A watch over the sessions of a store.
#[derive(Debug)]
pub struct StoreWatch {
    noted: Arc<Mutex<Noted>>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Noted {
    looks: Vec<StoreLook>,
    /// Why the last look was refused, if one was.
    refused: Option<String>,
}

impl StoreWatch {
    /// Begins to look at the sessions of clients whose names begin so, until it is ended or dropped.
    pub fn start(address: Address, clients: String) -> Self {
        let noted = Arc::<Mutex<Noted>>::default();
        let task = tokio::spawn(look_again_and_again(address, clients, Arc::clone(&noted)));
        StoreWatch { noted, task }
    }

    /// What the sessions did between two times, or why the server does not say it. `None` where that time was over before
    /// the server was looked at.
    pub fn end(self, from_ns: u64, until_ns: u64) -> Result<Option<StoreActivity>, String> {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        match (StoreActivity::between(&noted.looks, from_ns, until_ns), &noted.refused) {
            (None, Some(refused)) => Err(refused.clone()),
            (activity, _) => Ok(activity),
        }
    }
}

impl Drop for StoreWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A server that goes away is looked for until it is back.
async fn look_again_and_again(address: Address, clients: String, noted: Arc<Mutex<Noted>>) {
    loop {
        let Err(error) = look(&address, &clients, &noted).await;
        noted.lock().unwrap_or_else(PoisonError::into_inner).refused = Some(error.to_string());
        sleep(LOOK_INTERVAL).await;
    }
}

async fn look(address: &Address, clients: &str, noted: &Mutex<Noted>) -> Result<Infallible, DatabaseError> {
    let view = SessionsView::open(address, APPLICATION).await?;
    let mut next = interval(LOOK_INTERVAL);
    next.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        next.tick().await;
        let sessions = view.of(clients).await?;
        let look = StoreLook {
            at_ns: clock::now_ns(),
            sessions: sessions.into_iter().filter_map(met).collect(),
        };
        noted.lock().unwrap_or_else(PoisonError::into_inner).looks.push(look);
    }
}

/// `None` of sessions whose state the server does not say.
fn met(sessions: Sessions) -> Option<SessionsMet> {
    let state = match sessions.state.as_str() {
        "active" | "fastpath function call" => SessionState::Active,
        "idle in transaction" | "idle in transaction (aborted)" => SessionState::InTransaction,
        "idle" => SessionState::Idle,
        _ => return None,
    };
    Some(SessionsMet {
        state,
        wait: sessions.wait,
        met: sessions.number,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_states_are_those_of_a_measurement_and_unknown_ones_are_left_out() {
        let state = |state: &str| {
            let wait = Some("Client:ClientRead".to_owned());
            let sessions = Sessions {
                state: state.to_owned(),
                wait,
                number: 2,
            };
            met(sessions).map(|met| met.state)
        };
        assert_eq!(state("active"), Some(SessionState::Active));
        assert_eq!(state("idle in transaction"), Some(SessionState::InTransaction));
        assert_eq!(
            state("idle in transaction (aborted)"),
            Some(SessionState::InTransaction)
        );
        assert_eq!(state("idle"), Some(SessionState::Idle));
        assert_eq!((state("disabled"), state("")), (None, None));
    }
}
