//! Why a cluster cannot be reached or used from here, step by step: names, TCP, TLS, the protocol, authentication, each
//! broker's advertised address, topics, groups, clocks; and what this machine offers. Blocks; every step has a limit.

mod address;
mod advertised;
mod check;
mod credentials;
mod existing;
mod groups;
mod here;
mod listener;
mod login;
mod network;
mod patient;
mod probe;
mod rights;
mod tcp;
mod tls;
mod wire;

pub use check::{Check, Outcome};
pub use here::machine;
pub use patient::Patient;
pub use rights::{Asker, is_permission};

/// Checks a cluster, reports each check as soon as it is done, and stops where the next step cannot work.
pub fn examine(patient: &Patient, report: &mut dyn FnMut(Check)) {
    let Some(versions) = reach(patient, usize::MAX, report) else {
        return;
    };
    if patient.is_stopped() {
        return;
    }
    if patient.topics.is_empty() {
        probe::records(patient, &versions, report);
    } else {
        existing::read(patient, &versions, report);
    }
}

/// The checks that every run needs, from the names to the advertised listeners; they leave nothing on the cluster. Returns
/// the warnings; `Err` with the failed checks.
pub fn reachable(patient: &Patient) -> Result<Vec<Check>, Vec<Check>> {
    let mut checks = Vec::new();
    // A broker that is down need not stop a run: it may lead no partition that is read. It is a warning.
    let reached = reach(patient, 1, &mut |check| checks.push(check)).is_some();
    if reached {
        for check in checks.iter_mut().filter(|check| check.outcome == Outcome::Failed) {
            check.outcome = Outcome::Warning;
        }
    }
    let worth = if reached { Outcome::Warning } else { Outcome::Failed };
    checks.retain(|check| check.outcome == worth);
    if reached { Ok(checks) } else { Err(checks) }
}

/// From names to the advertised listeners. Returns the requests that the brokers support; `None` where a check failed.
/// `fewest` is the number of brokers that must be reached, if the cluster has so many.
fn reach(patient: &Patient, fewest: usize, report: &mut dyn FnMut(Check)) -> Option<wire::Versions> {
    let versions = network::reach_bootstrap(patient, report)?;
    let cluster = login::connect(patient, report)?;
    let advertised = advertised::reach(patient, &cluster, report);
    (advertised.reached >= advertised.all.min(fewest)).then_some(versions)
}
