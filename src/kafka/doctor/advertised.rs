//! The addresses that brokers advertise and clients connect to: can each be reached from here, and does it lead to the
//! cluster that advertises it?

use super::address::{Address, address};
use super::check::Check;
use super::listener;
use super::login::{self, Cluster};
use super::patient::Patient;
use super::tcp::{at_once, lookup, try_tcp};
use crate::kafka::admin::BrokerAddress;

/// How many of the advertised addresses lead to the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Advertised {
    pub(super) reached: usize,
    pub(super) all: usize,
}

/// Checks where the advertised address of each broker leads from here, all at the same time.
pub(super) fn reach(patient: &Patient, cluster: &Cluster, report: &mut dyn FnMut(Check)) -> Advertised {
    let found = at_once(&cluster.brokers, |broker| problem(patient, cluster, broker));
    let all = found.len();
    let mut reached = 0;
    for (broker, problem) in cluster.brokers.iter().zip(found) {
        let name = format!("advertised listener of broker {}", broker.id);
        report(match problem {
            None => {
                reached += 1;
                Check::ok(name, format!("{} can be reached", place(broker)))
            }
            Some(problem) => Check::failed(
                name,
                format!(
                    "{} answers, but the broker advertises {}, {problem}; clients read and write there, not at the \
                     bootstrap address",
                    patient.bootstrap,
                    place(broker)
                ),
                fix(patient, broker, all),
            ),
        });
    }
    Advertised { reached, all }
}

fn place(broker: &BrokerAddress) -> Address {
    Address {
        host: broker.host.clone(),
        // The library keeps ports as 32 bits; none is larger than 16.
        port: u16::try_from(broker.port).unwrap_or_default(),
    }
}

/// What is wrong with the address of a broker, as the end of a sentence; `None` where it leads to the cluster.
fn problem(patient: &Patient, cluster: &Cluster, broker: &BrokerAddress) -> Option<String> {
    let place = place(broker);
    let shared = cluster
        .brokers
        .iter()
        .find(|other| other.id != broker.id && (&other.host, other.port) == (&broker.host, broker.port));
    if let Some(other) = shared {
        return Some(format!(
            "as broker {} does, so that only one of them can be there",
            other.id
        ));
    }
    let resolved = match lookup(&place) {
        Ok(resolved) => resolved,
        Err(cause) => return Some(format!("which does not resolve here ({cause})")),
    };
    let tried = at_once(&resolved, |ip| try_tcp(*ip));
    let Some(open) = resolved.iter().zip(&tried).find(|(_, tried)| tried.is_ok()) else {
        let cause = tried.into_iter().find_map(Result::err).unwrap_or_default();
        return Some(format!("which cannot be reached from here ({cause})"));
    };
    // The bootstrap address has already reported its cluster.
    if address(&patient.bootstrap).is_ok_and(|bootstrap| bootstrap == place) {
        return None;
    }
    let mut wrong = None;
    let mut keep_first = |check: Check| wrong = wrong.take().or(Some(check).filter(|check| check.fix.is_some()));
    if listener::speak(patient, &place, *open.0, &mut keep_first).is_none() {
        let detail = wrong.map_or_else(String::new, |check: Check| check.detail);
        return Some(format!("which takes connections from here, but there {detail}"));
    }
    match (login::cluster_id(&patient.at(&place)), &cluster.id) {
        (Err(cause), _) => Some(format!(
            "which takes connections from here, but nobody can log in there: {cause}"
        )),
        (Ok(found), Some(expected)) if found != *expected => Some(format!(
            "which leads from here to another cluster (its id is {found}, and {expected} is that of {})",
            patient.bootstrap
        )),
        (Ok(_), _) => None,
    }
}

/// The line of the broker's settings that fixes an advertised address.
fn fix(patient: &Patient, broker: &BrokerAddress, brokers: usize) -> String {
    let reachable = patient.addresses().next().and_then(|first| address(first).ok());
    let right = match reachable {
        // Of several brokers the bootstrap address may be that of another.
        Some(bootstrap) if brokers == 1 => bootstrap.to_string(),
        _ => format!(
            "<a name of broker {} that leads to it from here>:{}",
            broker.id, broker.port
        ),
    };
    format!(
        "in that broker's server.properties: advertised.listeners={}://{right} (with the name of its listener in front), \
         then restart it; or make {} lead to the broker from this machine",
        patient.security(),
        broker.host
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::scenario::ClusterSpec;

    #[test]
    fn brokers_that_advertise_the_same_address_are_named_without_asking_there() {
        let patient = Patient::new(&ClusterSpec::default(), "127.0.0.1:1").unwrap();
        let broker = |id| BrokerAddress {
            id,
            host: "127.0.0.1".to_owned(),
            port: 1,
        };
        let cluster = Cluster {
            id: None,
            brokers: vec![broker(1), broker(2)],
        };
        let mut reported = Vec::new();
        let advertised = reach(&patient, &cluster, &mut |check| reported.push(check.to_string()));
        assert_eq!(advertised, Advertised { reached: 0, all: 2 });
        assert!(
            reported[0].contains("advertises 127.0.0.1:1, as broker 2 does"),
            "{reported:?}"
        );
        assert!(reported[1].contains("as broker 1 does"), "{reported:?}");
    }
}
