//! Checks the bootstrap addresses: name, TCP, and what listens there.

use std::net::SocketAddr;

use super::address::{Address, address};
use super::check::{Check, Outcome};
use super::listener;
use super::patient::Patient;
use super::tcp::{REFUSED, at_once, lookup, try_tcp};
use super::wire::Versions;

/// Checks whether a bootstrap address leads to a broker, and which requests that supports; `None` where none does.
pub(super) fn reach_bootstrap(patient: &Patient, report: &mut dyn FnMut(Check)) -> Option<Versions> {
    let texts: Vec<&str> = patient.addresses().collect();
    let mut reached = None;
    let mut failures = Vec::new();
    for (versions, checks) in at_once(&texts, |text| look(patient, text)) {
        reached = reached.or(versions);
        let (failed, others): (Vec<_>, Vec<_>) = checks.into_iter().partition(|check| check.fix.is_some());
        others.into_iter().for_each(&mut *report);
        failures.extend(failed.into_iter().next());
    }
    // One address that works is enough for a client; the others are then only worth a warning.
    for check in failures {
        report(if reached.is_some() {
            Check {
                outcome: Outcome::Warning,
                ..check
            }
        } else {
            check
        });
    }
    reached
}

/// Where one address leads, with the checks on the way.
fn look(patient: &Patient, text: &str) -> (Option<Versions>, Vec<Check>) {
    let mut checks = Vec::new();
    let versions = match address(text) {
        Ok(address) => reach(patient, &address, &mut |check| checks.push(check)),
        Err(check) => {
            checks.push(check);
            None
        }
    };
    (versions, checks)
}

/// From a name to a broker that fits the client's settings.
fn reach(patient: &Patient, address: &Address, report: &mut dyn FnMut(Check)) -> Option<Versions> {
    let resolved = resolve(address, report)?;
    let open = connect(address, &resolved, report)?;
    listener::speak(patient, address, open, report)
}

fn resolve(address: &Address, report: &mut dyn FnMut(Check)) -> Option<Vec<SocketAddr>> {
    let name = format!("name {}", address.host);
    match lookup(address) {
        Ok(resolved) => {
            let ips: Vec<String> = resolved.iter().map(|a| a.ip().to_string()).collect();
            if ips != [address.host.clone()] {
                report(Check::ok(name, format!("resolves to {}", ips.join(", "))));
            }
            Some(resolved)
        }
        Err(cause) => {
            let fix = format!(
                "check the spelling, or add {} to DNS or to /etc/hosts on this machine",
                address.host
            );
            report(Check::failed(name, format!("does not resolve here: {cause}"), fix));
            None
        }
    }
}

fn connect(address: &Address, resolved: &[SocketAddr], report: &mut dyn FnMut(Check)) -> Option<SocketAddr> {
    let name = format!("TCP {address}");
    let tried = resolved.iter().zip(at_once(resolved, |ip| try_tcp(*ip)));
    let (open, closed): (Vec<_>, Vec<_>) = tried.partition(|(_, result)| result.is_ok());
    let causes: Vec<String> = closed
        .iter()
        .filter_map(|(ip, result)| Some(format!("{}: {}", ip.ip(), result.as_ref().err()?)))
        .collect();
    let Some((first, _)) = open.first() else {
        let refused = causes.iter().all(|cause| cause.ends_with(REFUSED));
        let fix = if refused {
            "nothing listens there: is the broker running, and is this its port?"
        } else {
            "is the address right, and is a firewall or a missing route between here and there?"
        };
        report(Check::failed(name, causes.join("; "), fix));
        return None;
    };
    report(if causes.is_empty() {
        Check::ok(name, "connects")
    } else {
        // A client tries them in turn and loses time with each that is closed.
        Check::warning(
            name,
            format!("connects by {}, but not by {}", first.ip(), causes.join("; ")),
        )
    });
    Some(**first)
}
