//! Carries out the acts of a trial's script: on its worker processes, and on brokers and a store that the run started. Knows
//! neither when nor why.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use nix::sys::signal::Signal;

use super::fleet::{Fleet, Launch, Signalled};
use crate::database::PrivatePostgres;
use crate::kafka::local::Broker;
use crate::measure::{Act, clock};
use crate::protocol::ToWorker;
use crate::trial::ActorId;

/// Does this to a worker, and says when. It is asked to leave; all else is done to its process and whatever its launcher
/// has started. What is done on another host is done when that has answered.
pub fn act_on_worker(fleet: &mut impl Fleet, actor: ActorId, act: Act, launch: Option<&Launch>) -> Signalled {
    let at_ns = clock::now_ns();
    let done = match act {
        Act::Start => launch
            .ok_or_else(|| "it has no command line".to_owned())
            .and_then(|launch| fleet.start(actor, launch)),
        Act::Leave => {
            fleet.send(actor, &ToWorker::Exit);
            Ok(())
        }
        Act::Kill => return fleet.signal(actor, Signal::SIGKILL),
        Act::Pause => return fleet.signal(actor, Signal::SIGSTOP),
        Act::Resume => return fleet.signal(actor, Signal::SIGCONT),
        Act::SetRate(_) => Err("a process has no rate of its own".to_owned()),
    };
    Box::pin(ready(done.map(|()| at_ns)))
}

/// Does this to a broker, and says when it was done.
pub async fn act_on_broker(broker: Option<Arc<Broker>>, act: Act) -> Result<u64, String> {
    let broker = broker.ok_or("the run did not start it")?;
    blocking(move || carry_out(&broker, act)).await
}

/// Does this to the store, and says when it was done: of a start, when it takes connections.
pub async fn act_on_store(store: Option<Arc<PrivatePostgres>>, act: Act) -> Result<u64, String> {
    let store = store.ok_or("the run did not start it")?;
    blocking(move || carry_out_on_store(&store, act)).await
}

/// Lets a store go on, or starts it again, and waits until it takes connections.
pub async fn bring_back(store: Arc<PrivatePostgres>) -> Result<(), String> {
    // It fails only for one that has ended.
    let _ = store.resume();
    act_on_store(Some(store), Act::Start).await.map(|_| ())
}

/// Runs what blocks on a thread that may, and says when it was done.
async fn blocking(carry_out: impl FnOnce() -> Result<(), String> + Send + 'static) -> Result<u64, String> {
    let carried_out = tokio::task::spawn_blocking(carry_out).await;
    carried_out.map_err(|error| error.to_string())??;
    Ok(clock::now_ns())
}

fn carry_out_on_store(store: &PrivatePostgres, act: Act) -> Result<(), String> {
    let done = match act {
        Act::Start => {
            let started = store
                .restart()
                .and_then(|()| store.wait_until_ready(&AtomicBool::new(false)));
            return started.map_err(|error| error.to_string());
        }
        _ if store.exit_status().is_some() => return Err("it had ended before".to_owned()),
        Act::Leave => store.stop(),
        Act::Kill => store.kill(),
        Act::Pause => store.suspend(),
        Act::Resume => store.resume(),
        Act::SetRate(_) => return Err("a store has no rate".to_owned()),
    };
    done.map_err(|error| error.to_string())
}

fn carry_out(broker: &Broker, act: Act) -> Result<(), String> {
    if let Some(status) = broker.exit_status().filter(|_| act != Act::Start) {
        return Err(format!("it had ended before ({status})"));
    }
    let done = match act {
        Act::Start => return broker.start().map_err(|error| error.to_string()),
        Act::Leave => broker.stop(),
        Act::Kill => broker.kill(),
        Act::Pause => broker.suspend(),
        Act::Resume => broker.resume(),
        Act::SetRate(_) => return Err("a broker has no rate".to_owned()),
    };
    done.map_err(|error| error.to_string())
}
