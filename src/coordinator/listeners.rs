//! Which process on this machine listens at an address: brokers that somebody else has started here are measured as
//! brokers, and not taken for other programs.

use std::collections::BTreeSet;
use std::fs;
use std::net::{TcpListener, ToSocketAddrs as _};

/// State of a listening socket in `/proc/net/tcp`.
const LISTENING: &str = "0A";

/// Processes of this machine that listen at one of these hosts and ports, ascending. Those of other users are seen by
/// root alone.
pub fn processes_at(addresses: &[(String, u16)]) -> Vec<u32> {
    let ports: BTreeSet<u16> = addresses
        .iter()
        .filter(|(host, _)| is_here(host))
        .map(|(_, port)| *port)
        .collect();
    let inodes = listening(&ports);
    if inodes.is_empty() {
        return Vec::new();
    }
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut found: Vec<u32> = pids.filter(|pid| holds_one(*pid, &inodes)).collect();
    found.sort_unstable();
    found
}

/// Of these the one whose program has one of these names, so that no proxy is taken for a server.
pub fn program_at(addresses: &[(String, u16)], programs: &[&str]) -> Option<u32> {
    let is_one = |pid: &u32| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        programs.contains(&name.trim_end())
    };
    processes_at(addresses).into_iter().find(is_one)
}

/// True where a name resolves to an address that this machine has: only those can be bound.
fn is_here(host: &str) -> bool {
    let mut resolved = (host, 0).to_socket_addrs().into_iter().flatten();
    resolved.any(|address| TcpListener::bind(address).is_ok())
}

/// `socket:[INODE]` of all sockets that listen at these ports.
fn listening(ports: &BTreeSet<u16>) -> BTreeSet<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap_or_default());
    let rows = tables.iter().flat_map(|table| table.lines().skip(1));
    rows.filter_map(|row| {
        let fields: Vec<&str> = row.split_whitespace().collect();
        let (_, port) = fields.get(1)?.rsplit_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        (*fields.get(3)? == LISTENING && ports.contains(&port)).then(|| fields.get(9).copied())?
    })
    .map(|inode| format!("socket:[{inode}]"))
    .collect()
}

fn holds_one(pid: u32, inodes: &BTreeSet<String>) -> bool {
    let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let mut targets = files.filter_map(|file| fs::read_link(file.path()).ok());
    targets.any(|target| target.to_str().is_some_and(|target| inodes.contains(target)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_process_that_listens_is_found_by_each_of_its_names_and_no_other_is() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let found_at = |host: &str| processes_at(&[(host.to_owned(), port)]);
        // A process that another test starts has all files of this one for the moment until it is another program.
        let settles_at = |host: &str, expected: &[u32]| {
            let mut found = found_at(host);
            for _ in 0..500 {
                if found == expected {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(10));
                found = found_at(host);
            }
            assert_eq!(found, expected, "{host}");
        };
        settles_at("127.0.0.1", &[std::process::id()]);
        settles_at("localhost", &[std::process::id()]);
        // The same port of another machine.
        assert_eq!(found_at("192.0.2.1"), [0_u32; 0]);
        drop(listener);
        settles_at("127.0.0.1", &[]);
    }
}
