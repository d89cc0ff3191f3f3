//! Laying a cluster out before anything runs: ports, folders, files, an id.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngExt;

use super::error::LocalError;
use super::options::ClusterOptions;
use super::ownership::{Keeper, marker_name};
use super::private::make_private;
use super::properties::{self, INTERNAL, Listener, Metadata, Node, Security};

/// Makes the cluster's folder with the run's marker in it; the keeper knows of it first.
pub(super) fn make_directory(options: &ClusterOptions, keeper: &dyn Keeper) -> Result<PathBuf, LocalError> {
    // Several clusters of one run, one after another or at once, have folders of their own.
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let parent = &options.data_parent;
    make_private(parent).map_err(LocalError::io("use", parent))?;
    let parent = fs::canonicalize(parent).map_err(LocalError::io("find the folder", parent))?;
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let directory = parent.join(format!(
        "tandem-{}-{}-kafka-{count}",
        options.run_id,
        std::process::id()
    ));
    keeper.directory_planned(&directory);
    let made = fs::create_dir(&directory).and_then(|()| fs::write(directory.join(marker_name(&options.run_id)), ""));
    made.map_err(LocalError::io("make the folder", &directory))?;
    Ok(directory)
}

/// Where the cluster keeps its metadata, and its nodes, with their ports.
pub(super) fn choose_nodes(options: &ClusterOptions) -> Result<(Metadata, Vec<Node>), LocalError> {
    let mut ports = Ports::default();
    // The brokers' come first: those that were asked for by number must not be given to another.
    let nodes = choose_brokers(options, &mut ports)?;
    let metadata = if options.zookeeper {
        Metadata::ZooKeeper(ports.take("127.0.0.1")?)
    } else {
        Metadata::KRaft
    };
    Ok((metadata, nodes))
}

fn choose_brokers(options: &ClusterOptions, ports: &mut Ports) -> Result<Vec<Node>, LocalError> {
    (1..=options.brokers)
        .map(|id| {
            let is_controller = !options.zookeeper && id <= properties::controllers(options.brokers);
            let controller_port = is_controller.then(|| ports.take("127.0.0.1")).transpose()?;
            let port = match options.port {
                Some(first) => ports.take_this("127.0.0.1", first, id - 1)?,
                None => ports.take("127.0.0.1")?,
            };
            let internal = format!("127.0.0.1:{port}");
            let mut listeners = vec![Listener {
                name: INTERNAL.to_owned(),
                bind: internal.clone(),
                advertised: internal,
                security: Security::Plaintext,
            }];
            for spec in &options.listeners {
                let port = ports.take(&spec.bind_host)?;
                let host = spec.advertised_host.as_ref().unwrap_or(&spec.bind_host);
                listeners.push(Listener {
                    name: spec.name.clone(),
                    bind: format!("{}:{port}", spec.bind_host),
                    advertised: format!("{host}:{}", spec.advertised_port.unwrap_or(port)),
                    security: spec.security,
                });
            }
            Ok(Node {
                id,
                controller_port,
                listeners,
            })
        })
        .collect()
}

/// Free ports under the range from which the kernel serves outgoing connections, so that no client's own connection
/// takes the port of a broker that is down for a while.
#[derive(Default)]
struct Ports {
    taken: Vec<u16>,
}

impl Ports {
    fn take(&mut self, host: &str) -> Result<u16, LocalError> {
        for _ in 0..1000 {
            let port = rand::rng().random_range(15_000..32_000);
            if !self.taken.contains(&port) && TcpListener::bind((host, port)).is_ok() {
                self.taken.push(port);
                return Ok(port);
            }
        }
        Err(LocalError::NoPort(host.to_owned()))
    }

    /// The port that lies so many after `first`, which must be free.
    fn take_this(&mut self, host: &str, first: u16, further: u32) -> Result<u16, LocalError> {
        let port = u32::from(first) + further;
        let number = u16::try_from(port).map_err(|_| LocalError::PortTaken { port })?;
        if self.taken.contains(&number) || TcpListener::bind((host, number)).is_err() {
            return Err(LocalError::PortTaken { port });
        }
        self.taken.push(number);
        Ok(number)
    }
}

/// 128 random bits in Kafka's form: URL-safe base 64 without padding. It begins with a letter or digit, because a
/// command-line option begins with a dash.
pub(super) fn random_cluster_id() -> String {
    loop {
        let id = URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 16]>());
        if id.starts_with(|first: char| first.is_ascii_alphanumeric()) {
            return id;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::{Ports, random_cluster_id};

    #[test]
    fn a_cluster_id_has_twenty_two_digits_and_does_not_look_like_an_option() {
        for _ in 0..200 {
            let id = random_cluster_id();
            assert!(
                id.len() == 22 && id.starts_with(|first: char| first.is_ascii_alphanumeric()),
                "{id}"
            );
        }
        assert_ne!(random_cluster_id(), random_cluster_id());
    }

    #[test]
    fn ports_are_given_out_once_and_an_address_that_is_not_here_has_none() {
        let mut ports = Ports::default();
        let (first, second) = (ports.take("127.0.0.1").unwrap(), ports.take("127.0.0.1").unwrap());
        assert_ne!(first, second);
        assert!(ports.take("192.0.2.1").is_err());
    }
}
