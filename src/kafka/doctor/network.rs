//! From a name to a connection, for the addresses that the user gave: resolution, TCP, and what listens there.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::thread;

use super::listener;
use super::wire::Versions;
use super::{Check, LIMIT, Patient};

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Splits `host:port`; a port that is left out is Kafka's usual one.
pub(super) fn address(text: &str) -> Result<Address, Check> {
    let text = text.trim();
    // The library allows a protocol in front.
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (host, port) = match bracketed {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => text
            .rsplit_once(':')
            .map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map_or(Ok(9092), str::parse::<u16>).ok().filter(|port| *port > 0);
    match port {
        Some(port) if !host.is_empty() => Ok(Address {
            host: host.to_owned(),
            port,
        }),
        _ => Err(Check::failed(
            format!("address {text}"),
            "it is no HOST:PORT",
            "write addresses as host:port, several with commas between them",
        )),
    }
}

/// Looks whether any of the addresses that the user gave leads to a broker, and what requests it knows; `None` where none
/// does.
pub(super) fn reach_bootstrap(patient: &Patient, tell: &mut dyn FnMut(Check)) -> Option<Versions> {
    let texts: Vec<&str> = patient.addresses().collect();
    let mut reached = None;
    let mut failures = Vec::new();
    for (versions, checks) in at_once(&texts, |text| look(patient, text)) {
        reached = reached.or(versions);
        let (failed, told): (Vec<_>, Vec<_>) = checks.into_iter().partition(|check| check.mend.is_some());
        told.into_iter().for_each(&mut *tell);
        failures.extend(failed.into_iter().next());
    }
    // One address that works is enough for a client; the others are then only worth a warning.
    for check in failures {
        tell(if reached.is_some() {
            Check {
                outcome: super::Outcome::Warning,
                ..check
            }
        } else {
            check
        });
    }
    reached
}

/// What one of the addresses leads to, and what was found on the way.
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

/// Looks at all of them at the same time, since each may need its whole limit; what was found, in their order.
pub(super) fn at_once<T: Sync, R: Send>(items: &[T], look: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let look = &look;
    thread::scope(|scope| {
        let looking: Vec<_> = items.iter().map(|item| scope.spawn(move || look(item))).collect();
        let found = looking.into_iter().map(|thread| match thread.join() {
            Ok(found) => found,
            Err(panicked) => std::panic::resume_unwind(panicked),
        });
        found.collect()
    })
}

/// From a name to a broker that speaks as the client's settings suppose.
fn reach(patient: &Patient, address: &Address, tell: &mut dyn FnMut(Check)) -> Option<Versions> {
    let resolved = resolve(address, tell)?;
    let open = connect(address, &resolved, tell)?;
    listener::speak(patient, address, open, tell)
}

fn resolve(address: &Address, tell: &mut dyn FnMut(Check)) -> Option<Vec<SocketAddr>> {
    let name = format!("name {}", address.host);
    match lookup(address) {
        Ok(resolved) => {
            let ips: Vec<String> = resolved.iter().map(|a| a.ip().to_string()).collect();
            if ips != [address.host.clone()] {
                tell(Check::ok(name, format!("resolves to {}", ips.join(", "))));
            }
            Some(resolved)
        }
        Err(cause) => {
            let mend = format!(
                "check the spelling, or add {} to DNS or to /etc/hosts on this machine",
                address.host
            );
            tell(Check::failed(name, format!("does not resolve here: {cause}"), mend));
            None
        }
    }
}

/// All addresses of a name, each once; the system's own patience with its name servers is cut short.
pub(super) fn lookup(address: &Address) -> Result<Vec<SocketAddr>, String> {
    let (sender, receiver) = mpsc::channel();
    let asked = address.clone();
    thread::spawn(move || {
        let found = (asked.host.as_str(), asked.port).to_socket_addrs();
        // Whoever asked may have given up.
        let _ = sender.send(
            found
                .map(Iterator::collect::<Vec<_>>)
                .map_err(|error| error.to_string()),
        );
    });
    let found = receiver
        .recv_timeout(LIMIT)
        .map_err(|_| format!("no name server answered within {} s", LIMIT.as_secs()))?;
    let mut addresses = found?;
    let mut seen = std::collections::BTreeSet::new();
    addresses.retain(|address| seen.insert(*address));
    if addresses.is_empty() {
        return Err("the name has no address".to_owned());
    }
    Ok(addresses)
}

fn connect(address: &Address, resolved: &[SocketAddr], tell: &mut dyn FnMut(Check)) -> Option<SocketAddr> {
    let name = format!("TCP {address}");
    let tried = resolved.iter().zip(at_once(resolved, |ip| try_tcp(*ip)));
    let (open, closed): (Vec<_>, Vec<_>) = tried.partition(|(_, result)| result.is_ok());
    let causes: Vec<String> = closed
        .iter()
        .filter_map(|(ip, result)| Some(format!("{}: {}", ip.ip(), result.as_ref().err()?)))
        .collect();
    let Some((first, _)) = open.first() else {
        let refused = causes.iter().all(|cause| cause.ends_with(REFUSED));
        let mend = if refused {
            "nothing listens there: is the broker running, and is this its port?"
        } else {
            "is the address right, and is a firewall or a missing route between here and there?"
        };
        tell(Check::failed(name, causes.join("; "), mend));
        return None;
    };
    tell(if causes.is_empty() {
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

const REFUSED: &str = "connection refused";

/// Why no connection comes about.
pub(super) fn try_tcp(address: SocketAddr) -> Result<(), String> {
    match TcpStream::connect_timeout(&address, LIMIT) {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.kind() {
            ErrorKind::ConnectionRefused => REFUSED.to_owned(),
            ErrorKind::TimedOut | ErrorKind::WouldBlock => format!("no answer within {} s", LIMIT.as_secs()),
            _ => error.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_are_read_as_clients_read_them() {
        let read = |text: &str| address(text).map(|a| a.to_string()).map_err(|check| check.name);
        assert_eq!(read("kafka:9093").unwrap(), "kafka:9093");
        assert_eq!(read(" kafka ").unwrap(), "kafka:9092");
        assert_eq!(read("[::1]:9093").unwrap(), "[::1]:9093");
        assert_eq!(read("SSL://kafka:9093").unwrap(), "kafka:9093");
        assert_eq!(read("kafka:http").unwrap_err(), "address kafka:http");
        assert_eq!(read(":9092").unwrap_err(), "address :9092");
    }
}
