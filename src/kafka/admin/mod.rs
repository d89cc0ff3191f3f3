//! Topics, groups and brokers of a cluster, through one admin client.

mod brokers;
mod connection;
mod error;
mod groups;
mod removal;
mod settings;
mod topics;

pub use brokers::BrokerAddress;
pub use connection::{Admin, CONNECT_LIMIT};
pub(super) use error::connect_cause;
pub use error::{AdminError, settings_cause};
pub use removal::DEFAULT_SESSION;
pub use topics::PartitionInfo;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::collections::BTreeMap;
    use std::time::Instant;

    use super::{Admin, AdminError};
    use crate::secret::Secret;

    #[tokio::test]
    async fn an_unreachable_cluster_is_named_with_the_cause_within_ten_seconds() {
        let began = Instant::now();
        let error = Admin::connect("127.0.0.1:1", &BTreeMap::new()).await.err().unwrap();
        assert!(began.elapsed().as_secs() < 10);
        let message = error.to_string();
        assert!(
            message.contains("127.0.0.1:1") && message.contains("refused"),
            "{message}"
        );
    }

    #[tokio::test]
    async fn a_refused_property_is_named_without_its_value() {
        let properties = BTreeMap::from([("sasl.mechanisms.x".to_owned(), Secret::new("hunter2"))]);
        let error = Admin::connect("127.0.0.1:1", &properties).await.err().unwrap();
        assert!(matches!(error, AdminError::Settings(_)));
        assert!(
            error.to_string().contains("sasl.mechanisms.x") && !error.to_string().contains("hunter2"),
            "{error}"
        );
    }
}
