//! From a name to a TCP connection.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::address::Address;

/// Limit of one question to the network.
pub(super) const LIMIT: Duration = Duration::from_secs(3);

/// What the system says where nothing listens.
pub(super) const REFUSED: &str = "connection refused";

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

/// Checks all items at the same time, since each may need its full time limit. Results are in the order of the items.
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

/// All addresses of a name, each once. The system's own timeout for its name servers is too long.
pub(super) fn lookup(address: &Address) -> Result<Vec<SocketAddr>, String> {
    let (sender, receiver) = mpsc::channel();
    let looked_up = address.clone();
    thread::spawn(move || {
        let found = (looked_up.host.as_str(), looked_up.port).to_socket_addrs();
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
    let mut known = BTreeSet::new();
    addresses.retain(|address| known.insert(*address));
    if addresses.is_empty() {
        return Err("the name has no address".to_owned());
    }
    Ok(addresses)
}

/// A connection whose reads and writes have the same limit.
pub(super) fn connect(address: SocketAddr, limit: Duration) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    Ok(stream)
}
