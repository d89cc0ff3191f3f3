//! Free ports.

use std::net::TcpListener;

use rand::RngExt;

use super::error::NoPort;

/// Free ports under the range from which the kernel serves outgoing connections, so that no client's own connection
/// takes the port of a server that is down for a while.
#[derive(Debug, Default)]
pub struct Ports {
    taken: Vec<u16>,
}

impl Ports {
    /// A port that is free now, and is not given out twice.
    pub fn take(&mut self, host: &str) -> Result<u16, NoPort> {
        for _ in 0..1000 {
            let port = rand::rng().random_range(15_000..32_000);
            if self.take_this(host, port) {
                return Ok(port);
            }
        }
        Err(NoPort(host.to_owned()))
    }

    /// True where this port is free, and now given out.
    pub fn take_this(&mut self, host: &str, port: u16) -> bool {
        let is_free = !self.taken.contains(&port) && TcpListener::bind((host, port)).is_ok();
        if is_free {
            self.taken.push(port);
        }
        is_free
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::Ports;

    #[test]
    fn ports_are_given_out_once_and_an_address_that_is_not_here_has_none() {
        let mut ports = Ports::default();
        let (first, second) = (ports.take("127.0.0.1").unwrap(), ports.take("127.0.0.1").unwrap());
        assert_ne!(first, second);
        assert!(!ports.take_this("127.0.0.1", first));
        assert!(ports.take("192.0.2.1").is_err());
    }
}
