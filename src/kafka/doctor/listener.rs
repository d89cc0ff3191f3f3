//! Checks what listens at an address: a Kafka broker, with or without TLS, recent enough, and with the client's kind of
//! authentication?

use std::net::SocketAddr;

use super::address::{Address, address};
use super::check::Check;
use super::patient::Patient;
use super::tcp::{LIMIT, lookup, try_tcp};
use super::tls;
use super::wire::{self, Dialogue, Mechanism, Spoken, Versions};

/// What listens at an address, and whether the client's settings fit it.
pub(super) fn speak(
    patient: &Patient,
    address: &Address,
    open: SocketAddr,
    report: &mut dyn FnMut(Check),
) -> Option<Versions> {
    let name = format!("protocol of {address}");
    let wants_tls = patient.uses_tls();
    let spoken = wire::ask(open, LIMIT);
    // It may still be a broker with TLS: such servers answer plain text with an alert, a line of HTTP, or nothing.
    let speaks_tls = match &spoken {
        Ok(Spoken::Tls | Spoken::Closed) if wants_tls => true,
        Ok(Spoken::Tls | Spoken::Closed | Spoken::Silent | Spoken::Other(_)) => tls::is_spoken(open),
        Ok(Spoken::Kafka(_)) | Err(_) => false,
    };
    let (detail, fix) = match spoken {
        Ok(Spoken::Kafka(versions)) if !wants_tls => return without_tls(patient, name, open, versions, report),
        Ok(Spoken::Kafka(_)) => other_security(patient, "the listener talks without TLS", "plaintext", "with TLS"),
        Ok(_) if speaks_tls && wants_tls => {
            let session = tls::handshake(patient, address, open, report)?;
            return with_tls(patient, name, Dialogue::over(session), report);
        }
        Ok(_) if speaks_tls => {
            other_security(patient, "the listener wants TLS", "ssl", "without TLS")
        }
        Ok(Spoken::Tls | Spoken::Closed) => (
            "it takes the connection and closes it without a word".to_owned(),
            "is this a Kafka broker's client port, and not a controller's or a proxy without a broker behind it? Brokers \
             before 0.10 do so, too; tandem measures brokers of versions 2.8 to 4.x"
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
    report(Check::failed(name, detail, fix));
    None
}

/// The finding where a listener's security differs from the client's, and the setting that fits it.
fn other_security(patient: &Patient, found: &str, right: &str, other: &str) -> (String, String) {
    let security = patient.security().to_ascii_lowercase();
    let sasl = if patient.uses_sasl() { "sasl_" } else { "" };
    let detail = format!("{found}, but security.protocol is {security}");
    let fix = format!(
        "set \"security.protocol\" = \"{sasl}{right}\" under [cluster.client] (sasl_{right} where users authenticate), or \
         use the port of a listener {other}"
    );
    (detail, fix)
}

/// A broker without TLS.
fn without_tls(
    patient: &Patient,
    name: String,
    open: SocketAddr,
    versions: Versions,
    report: &mut dyn FnMut(Check),
) -> Option<Versions> {
    match Dialogue::plain(open, LIMIT) {
        Ok(dialogue) => broker(patient, name, dialogue, versions, report),
        Err(error) => {
            report(Check::failed(name, error.to_string(), "is the broker running?"));
            None
        }
    }
}

/// What is behind TLS.
fn with_tls(
    patient: &Patient,
    name: String,
    mut dialogue: Dialogue,
    report: &mut dyn FnMut(Check),
) -> Option<Versions> {
    let (detail, fix) = match dialogue.versions() {
        Ok(Some(versions)) => return broker(patient, name, dialogue, versions, report),
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
    report(Check::failed(name, detail, fix));
    None
}

/// A Kafka broker: is it recent, and does its listener authenticate users as the client would.
fn broker(
    patient: &Patient,
    name: String,
    mut dialogue: Dialogue,
    versions: Versions,
    report: &mut dyn FnMut(Check),
) -> Option<Versions> {
    let tls = if patient.uses_tls() { "with" } else { "without" };
    let speaks = format!("Kafka {tls} TLS, {} kinds of requests", versions.requests());
    if !versions.is_recent() {
        report(Check::failed(
            name,
            format!("{speaks}; the broker is older than Kafka 2.8"),
            "tandem measures brokers of versions 2.8 to 4.x: upgrade the broker",
        ));
        return None;
    }
    if let Some((detail, fix)) = authentication(patient, &mut dialogue, &versions) {
        report(Check::failed(name, detail, fix));
        return None;
    }
    report(if versions.has_consumer_protocol() {
        Check::ok(name, format!("{speaks}; knows the consumer group protocol (KIP-848)"))
    } else {
        let lacks = format!("{speaks}; it has no finished consumer group protocol (KIP-848), only classic groups");
        if patient.needs_consumer_protocol {
            let fix = "the scenario has protocol = \"consumer\": set protocol = \"classic\", or measure brokers of version \
                        4.0 or later";
            report(Check::failed(name, lacks, fix));
            return None;
        }
        Check::warning(
            name,
            format!("{lacks}: protocol = \"consumer\" cannot be measured here"),
        )
    });
    Some(versions)
}

/// The finding where a listener authenticates users in another way than the client does, and the fix.
fn authentication(patient: &Patient, dialogue: &mut Dialogue, versions: &Versions) -> Option<(String, String)> {
    let security = patient.security().to_ascii_lowercase();
    let tls = if patient.uses_tls() { "ssl" } else { "plaintext" };
    if !patient.uses_sasl() {
        if dialogue.answers_strangers(versions) != Some(false) {
            return None;
        }
        let detail = format!("the listener wants a user to authenticate (SASL), but security.protocol is {security}");
        let fix = format!(
            "set \"security.protocol\" = \"sasl_{tls}\", \"sasl.mechanism\", \"sasl.username\" and \"sasl.password\" under \
             [cluster.client]; secrets as {{ env = \"VARIABLE\" }} or {{ file = \"PATH\" }}"
        );
        return Some((detail, fix));
    }
    let mechanism = patient.mechanism();
    match dialogue.mechanism(mechanism)? {
        Mechanism::Offered => None,
        Mechanism::NotAmong(names) => {
            let offered = names.join(", ");
            let detail = format!("the listener does not offer the mechanism {mechanism}, but {offered}");
            let fix = format!("set \"sasl.mechanism\" under [cluster.client] to one that it offers: {offered}");
            Some((detail, fix))
        }
        Mechanism::NoUsers => {
            let detail = format!("the listener authenticates nobody, but security.protocol is {security}");
            let fix = format!(
                "set \"security.protocol\" = \"{tls}\" under [cluster.client], or use the port of a listener with SASL"
            );
            Some((detail, fix))
        }
    }
}

/// Whether a listener knows a user of SCRAM; `None` where that is unknown.
pub(super) fn knows_user(patient: &Patient) -> Option<bool> {
    let mechanism = patient.mechanism();
    let user = patient.property("sasl.username")?;
    if !patient.uses_sasl() || !mechanism.starts_with("SCRAM-") {
        return None;
    }
    patient.addresses().find_map(|text| {
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
