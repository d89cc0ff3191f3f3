//! From a name to somebody who speaks: resolution, TCP, what listens there; first for the addresses that the user gave,
//! then for those that the brokers advertise, which is where clients really go.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::thread;

use super::wire::{self, Dialogue, Mechanism, Spoken, Versions};
use super::{Check, LIMIT, Patient, tls};
use crate::kafka::admin::BrokerAddress;

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
fn address(text: &str) -> Result<Address, Check> {
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
    let mut reached = None;
    let mut failures = Vec::new();
    for text in patient.bootstrap.split(',') {
        let mut failed = None;
        let mut told = |check: Check| {
            if check.mend.is_some() {
                failed.get_or_insert(check);
            } else {
                tell(check);
            }
        };
        let well = match address(text) {
            Ok(address) => reach(patient, &address, &mut told),
            Err(check) => {
                told(check);
                None
            }
        };
        reached = reached.or(well);
        failures.extend(failed);
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

/// From a name to a broker that speaks as the client's settings suppose.
fn reach(patient: &Patient, address: &Address, tell: &mut dyn FnMut(Check)) -> Option<Versions> {
    let resolved = resolve(address, tell)?;
    let open = connect(address, &resolved, tell)?;
    speak(patient, address, open, tell)
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
    let tried = resolved.iter().map(|ip| (ip, try_tcp(*ip)));
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

/// What listens there, and whether the client's settings fit it.
fn speak(
    patient: &Patient,
    address: &Address,
    open: SocketAddr,
    tell: &mut dyn FnMut(Check),
) -> Option<Versions> {
    let name = format!("protocol of {address}");
    let wants_tls = patient.uses_tls();
    let (detail, mend) = match wire::ask(open, LIMIT) {
        Ok(Spoken::Kafka(versions)) if !wants_tls => return without_tls(patient, name, open, versions, tell),
        Ok(Spoken::Tls | Spoken::Closed) if wants_tls => {
            let session = tls::handshake(patient, address, open, tell)?;
            return with_tls(patient, name, Dialogue::over(session), tell);
        }
        Ok(Spoken::Kafka(_)) => other_security(patient, "the listener talks without TLS", "plaintext", "with TLS"),
        Ok(Spoken::Tls | Spoken::Closed) if tls::is_spoken(open) => {
            other_security(patient, "the listener wants TLS", "ssl", "without TLS")
        }
        Ok(Spoken::Tls | Spoken::Closed) => (
            "it takes the connection and closes it without a word".to_owned(),
            "is this a Kafka broker's client port, and not a controller's or a proxy without a broker behind it? Brokers \
             before 0.10 do so, too; tandem measures brokers of versions 3.9 to 4.x"
                .into(),
        ),
        Ok(Spoken::Silent) => (
            format!("it takes the connection and says nothing for {} s", LIMIT.as_secs()),
            "is the broker's process stopped or overloaded, or is this a proxy without a broker behind it?".into(),
        ),
        Ok(Spoken::Other(text)) => (
            format!("it is no Kafka broker: it says {text:?}"),
            "use the port of a Kafka listener".into(),
        ),
        Err(error) => (error.to_string(), "is the broker running?".into()),
    };
    tell(Check::failed(name, detail, mend));
    None
}

/// What is wrong where a listener's security is not the client's, and the setting that would fit it.
fn other_security(patient: &Patient, found: &str, right: &str, other: &str) -> (String, String) {
    let security = patient.security().to_ascii_lowercase();
    let sasl = if patient.uses_sasl() { "sasl_" } else { "" };
    let detail = format!("{found}, but security.protocol is {security}");
    let mend = format!(
        "set \"security.protocol\" = \"{sasl}{right}\" under [cluster.client] (sasl_{right} where users authenticate), or \
         use the port of a listener {other}"
    );
    (detail, mend)
}

/// A broker without TLS.
fn without_tls(
    patient: &Patient,
    name: String,
    open: SocketAddr,
    versions: Versions,
    tell: &mut dyn FnMut(Check),
) -> Option<Versions> {
    match Dialogue::plain(open, LIMIT) {
        Ok(dialogue) => broker(patient, name, dialogue, versions, tell),
        Err(error) => {
            tell(Check::failed(name, error.to_string(), "is the broker running?"));
            None
        }
    }
}

/// What is behind TLS.
fn with_tls(
    patient: &Patient,
    name: String,
    mut dialogue: Dialogue,
    tell: &mut dyn FnMut(Check),
) -> Option<Versions> {
    let (detail, mend) = match dialogue.versions() {
        Ok(Some(versions)) => return broker(patient, name, dialogue, versions, tell),
        Ok(None) => (
            "it speaks TLS, but it is no Kafka broker".to_owned(),
            "use the port of a Kafka listener".to_owned(),
        ),
        Err(error) if tls::is_refusal(&error.to_string()) => tls::refused_client(patient, &error.to_string()),
        Err(error) => (
            format!("after the TLS handshake it says nothing of Kafka ({error})"),
            "is the broker's process stopped or overloaded, or is this a proxy without a broker behind it?".to_owned(),
        ),
    };
    tell(Check::failed(name, detail, mend));
    None
}

/// A Kafka broker: is it recent, and does its listener authenticate users as the client would.
fn broker(
    patient: &Patient,
    name: String,
    mut dialogue: Dialogue,
    versions: Versions,
    tell: &mut dyn FnMut(Check),
) -> Option<Versions> {
    let tls = if patient.uses_tls() { "with" } else { "without" };
    let speaks = format!("Kafka {tls} TLS, {} kinds of requests", versions.requests());
    if !versions.is_recent() {
        tell(Check::failed(
            name,
            format!("{speaks}; the broker is older than Kafka 3.9"),
            "tandem measures brokers of versions 3.9 to 4.x: upgrade the broker",
        ));
        return None;
    }
    if let Some((detail, mend)) = authentication(patient, &mut dialogue, &versions) {
        tell(Check::failed(name, detail, mend));
        return None;
    }
    tell(if versions.has_consumer_protocol() {
        Check::ok(name, format!("{speaks}; knows the consumer group protocol (KIP-848)"))
    } else {
        let lacks = format!("{speaks}; it has no finished consumer group protocol (KIP-848), only classic groups");
        if patient.needs_consumer_protocol {
            let mend = "the scenario has protocol = \"consumer\": set protocol = \"classic\", or measure brokers of version \
                        4.0 or later";
            tell(Check::failed(name, lacks, mend));
            return None;
        }
        Check::warning(name, format!("{lacks}: protocol = \"consumer\" cannot be measured here"))
    });
    Some(versions)
}

/// What is wrong where a listener authenticates its users otherwise than the client would, and what would mend it.
fn authentication(patient: &Patient, dialogue: &mut Dialogue, versions: &Versions) -> Option<(String, String)> {
    let security = patient.security().to_ascii_lowercase();
    let tls = if patient.uses_tls() { "ssl" } else { "plaintext" };
    if !patient.uses_sasl() {
        if dialogue.answers_strangers(versions) != Some(false) {
            return None;
        }
        let detail = format!("the listener wants a user to authenticate (SASL), but security.protocol is {security}");
        let mend = format!(
            "set \"security.protocol\" = \"sasl_{tls}\", \"sasl.mechanism\", \"sasl.username\" and \"sasl.password\" under \
             [cluster.client]; secrets as {{ env = \"VARIABLE\" }} or {{ file = \"PATH\" }}"
        );
        return Some((detail, mend));
    }
    let wanted = patient.mechanism();
    match dialogue.mechanism(wanted)? {
        Mechanism::Offered => None,
        Mechanism::NotAmong(names) => {
            let offered = names.join(", ");
            let detail = format!("the listener does not offer the mechanism {wanted}, but {offered}");
            let mend = format!("set \"sasl.mechanism\" under [cluster.client] to one that it offers: {offered}");
            Some((detail, mend))
        }
        Mechanism::NoUsers => {
            let detail = format!("the listener authenticates nobody, but security.protocol is {security}");
            let mend = format!(
                "set \"security.protocol\" = \"{tls}\" under [cluster.client], or use the port of a listener with SASL"
            );
            Some((detail, mend))
        }
    }
}

/// Whether a listener knows a user of SCRAM; `None` where that cannot be told.
pub(super) fn knows_user(patient: &Patient) -> Option<bool> {
    let mechanism = patient.mechanism();
    let user = patient.property("sasl.username")?;
    if !patient.uses_sasl() || !mechanism.starts_with("SCRAM-") {
        return None;
    }
    patient.bootstrap.split(',').find_map(|text| {
        let address = address(text).ok()?;
        let open = lookup(&address).ok()?.into_iter().find(|ip| try_tcp(*ip).is_ok())?;
        let mut dialogue = if patient.uses_tls() {
            Dialogue::over(tls::handshake(patient, &address, open, &mut |_| ())?)
        } else {
            Dialogue::plain(open, LIMIT).ok()?
        };
        (dialogue.mechanism(mechanism)? == Mechanism::Offered).then(|| dialogue.knows_scram_user(user))?
    })
}

/// Looks whether the address that each broker advertises can be reached from here; `false` where one cannot.
pub(super) fn reach_advertised(patient: &Patient, brokers: &[BrokerAddress], tell: &mut dyn FnMut(Check)) -> bool {
    let mut all = true;
    for broker in brokers {
        let name = format!("advertised listener of broker {}", broker.id);
        let Ok(port) = u16::try_from(broker.port) else { continue };
        let address = Address {
            host: broker.host.clone(),
            port,
        };
        let unreachable = match lookup(&address) {
            Err(cause) => Some(format!("{address}, which does not resolve here ({cause})")),
            Ok(resolved) => {
                let causes: Vec<String> = resolved.iter().filter_map(|ip| try_tcp(*ip).err()).collect();
                let first = causes.first().filter(|_| causes.len() == resolved.len());
                first.map(|cause| format!("{address}, which cannot be reached from here ({cause})"))
            }
        };
        match unreachable {
            None => tell(Check::ok(name, format!("{address} can be reached"))),
            Some(problem) => {
                all = false;
                tell(Check::failed(
                    name,
                    format!(
                        "{} answers, but the broker advertises {problem}; clients read and write there, not at the \
                         bootstrap address",
                        patient.bootstrap
                    ),
                    mend_advertised(patient, broker.id, &address, brokers.len()),
                ));
            }
        }
    }
    all
}

/// The line of the broker's settings that would mend an advertised address.
fn mend_advertised(patient: &Patient, broker: i32, advertised: &Address, brokers: usize) -> String {
    let reachable = patient
        .bootstrap
        .split(',')
        .next()
        .and_then(|first| address(first).ok());
    let right = match reachable {
        // Of several brokers the bootstrap address may be that of another.
        Some(bootstrap) if brokers == 1 => bootstrap.to_string(),
        _ => format!("<a name of broker {broker} that resolves here>:{}", advertised.port),
    };
    format!(
        "in that broker's server.properties: advertised.listeners={}://{right} (with the name of its listener in front), \
         then restart it; or make {} lead to the broker from this machine",
        patient.security(),
        advertised.host
    )
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
