//! Laying a cluster out before anything runs: nodes with their ports, an id.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngExt;

use super::error::LocalError;
use super::options::ClusterOptions;
use super::properties::{self, INTERNAL, Listener, Metadata, Node, Security};
use crate::server::Ports;

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
                Some(first) => take_this(ports, first, id - 1)?,
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

/// The port that lies so many after `first`, which must be free.
fn take_this(ports: &mut Ports, first: u16, further: u32) -> Result<u16, LocalError> {
    let port = u32::from(first) + further;
    let number = u16::try_from(port)
        .ok()
        .filter(|number| ports.take_this("127.0.0.1", *number));
    number.ok_or(LocalError::PortTaken { port })
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
    use super::random_cluster_id;

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
}
