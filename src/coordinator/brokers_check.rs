//! What `tandem doctor --place` says of the brokers as workers at the place reach them, however the place is reached.

use std::net::UdpSocket;

use serde::Deserialize;

use crate::kafka::doctor::Check;
use crate::scenario::{ClusterSource, ClusterSpec, Place};

/// A place at which a worker was met.
pub(super) struct There<'a> {
    /// True for another machine.
    pub(super) elsewhere: bool,
    /// Has tandem's doctor there look at the brokers at these addresses.
    pub(super) doctor: &'a dyn Fn(&str) -> Result<Vec<Examined>, String>,
    /// How a person starts that doctor.
    pub(super) by_hand: String,
}

/// Whether workers there would reach the brokers.
pub(super) fn brokers(place: &Place, cluster: &ClusterSpec, there: &There<'_>, report: &mut dyn FnMut(Check)) {
    const NAME: &str = "brokers from there";
    match &cluster.source {
        ClusterSource::Local { address, .. } => report(match (address, &place.listener) {
            (Some(address), Some(listener)) if place.is_managed() => {
                Check::ok(NAME, format!("listener {listener} has the address {address}"))
            }
            (Some(address), None) => Check::ok(NAME, format!("tandem starts them with the address {address}")),
            (None, _) if there.elsewhere => Check::failed(
                NAME,
                "those that tandem starts are at 127.0.0.1, which is that machine itself there",
                address_that_would_do(),
            ),
            (_, Some(listener)) => Check::ok(NAME, format!("listener {listener} is on 127.0.0.1")),
            (None, None) => Check::ok(NAME, "tandem starts them at 127.0.0.1, which is this machine there too"),
        }),
        ClusterSource::Bootstrap(bootstrap) if cluster.client.is_empty() => match (there.doctor)(bootstrap) {
            Err(cause) => report(Check::failed(NAME, cause, &*there.by_hand)),
            Ok(checks) => {
                let wrong = checks.iter().filter(|check| check.outcome == "failed");
                let wrong: Vec<&Examined> = wrong.collect();
                for check in &wrong {
                    let name = format!("there: {}", check.name);
                    report(Check::failed(
                        name,
                        &*check.detail,
                        check.fix.clone().unwrap_or_default(),
                    ));
                }
                if wrong.is_empty() {
                    report(Check::ok(
                        NAME,
                        format!("{} checks of the doctor there are well", checks.len()),
                    ));
                }
            }
        },
        ClusterSource::Bootstrap(_) => report(Check::skipped(
            NAME,
            "the client properties of [cluster.client] are passed to workers only",
        )),
    }
}

/// What to write for `address`: the address that this machine has on its way to others, if it has such a way.
fn address_that_would_do() -> String {
    let own = || {
        let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
        // Nothing is sent. This is an address for documents, beyond every router.
        socket.connect("192.0.2.1:9").ok()?;
        Some(socket.local_addr().ok()?.ip()).filter(|address| !address.is_loopback())
    };
    let (address, any) = own().map_or(("...".to_owned(), "a"), |address| (address.to_string(), "or another"));
    format!(
        "add address = \"{address}\" to [cluster], {any} name or address of this machine that the other one reaches"
    )
}

/// A check of the doctor on the other host.
#[derive(Debug, Deserialize)]
pub(super) struct Examined {
    name: String,
    outcome: String,
    detail: String,
    #[serde(default)]
    fix: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Findings {
    checks: Vec<Examined>,
}

/// What tandem's doctor said as JSON, or why it said nothing of the kind.
pub(super) fn findings(stdout: &[u8], stderr: &[u8]) -> Result<Vec<Examined>, String> {
    let findings: Result<Findings, _> = serde_json::from_slice(stdout);
    let said = || String::from_utf8_lossy(stderr).trim().to_owned();
    Ok(findings.map_err(|_| said())?.checks)
}
