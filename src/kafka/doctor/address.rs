//! Addresses as users write them.

use std::fmt;

use super::check::Check;

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
