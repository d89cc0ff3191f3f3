//! The connection that everything else is asked through. Every call has a time limit and runs outside the async threads,
//! because the client library blocks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::FromClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use tokio::task::spawn_blocking;

use super::error::{AdminError, connect_cause, settings_cause};
use crate::kafka::ffi;
use crate::secret::Secret;

/// How long [`Admin::connect`] tries.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(9);

/// Limit of one request to the brokers.
pub(super) const REQUEST_LIMIT: Duration = Duration::from_secs(10);

/// Limit of one request for the ends of partitions, which is repeated.
pub(super) const ENDS_LIMIT: Duration = Duration::from_secs(3);

/// How long a new topic may take to have all its leaders, a deleted one to go, and a group to lose its members.
pub(super) const SETTLE_LIMIT: Duration = Duration::from_secs(20);

/// A connection to a cluster for everything but reading and writing records. Cheap to clone.
#[derive(Clone)]
pub struct Admin {
    pub(super) client: Arc<AdminClient<DefaultClientContext>>,
    bootstrap: Arc<str>,
}

impl Admin {
    /// Makes a client with these properties and waits until a broker answers, for at most [`CONNECT_LIMIT`].
    pub async fn connect(bootstrap: &str, properties: &BTreeMap<String, Secret>) -> Result<Self, AdminError> {
        let admin = Self::new(bootstrap, properties)?;
        admin
            .blocking("connect", |admin| admin.wait_for_answer(CONNECT_LIMIT))
            .await?;
        Ok(admin)
    }

    /// Makes a client without waiting for an answer.
    pub(in crate::kafka) fn new(bootstrap: &str, properties: &BTreeMap<String, Secret>) -> Result<Self, AdminError> {
        let mut config = ClientConfig::new();
        for (name, value) in properties {
            config.set(name, value.reveal());
        }
        config.set("bootstrap.servers", bootstrap);
        config.set("client.id", "tandem-admin");
        // A request for a topic by name must not create it, and the end of a partition is its high watermark. The library
        // lists both as settings of consumers, but applies them here too.
        config.set("allow.auto.create.topics", "false");
        config.set("isolation.level", "read_uncommitted");
        let client = AdminClient::from_config(&config).map_err(|error| AdminError::Settings(settings_cause(&error)))?;
        Ok(Admin {
            client: Arc::new(client),
            bootstrap: bootstrap.into(),
        })
    }

    /// The addresses this client was made with.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// The id of the cluster; `None` where it does not report one.
    pub async fn cluster_id(&self) -> Option<String> {
        let id = self.blocking("ask for the cluster's id", |admin| {
            Ok(admin.client.inner().fetch_cluster_id(REQUEST_LIMIT))
        });
        id.await.ok().flatten()
    }

    /// Runs a blocking call on a thread that may block.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        action: &str,
        call: impl FnOnce(&Admin) -> Result<T, AdminError> + Send + 'static,
    ) -> Result<T, AdminError> {
        let admin = self.clone();
        let ended = spawn_blocking(move || call(&admin)).await;
        ended.unwrap_or_else(|error| Err(AdminError::refused(action, &format!("the call was cut off: {error}"))))
    }

    /// Waits until a broker answers.
    pub(in crate::kafka) fn wait_for_answer(&self, limit: Duration) -> Result<(), AdminError> {
        let client = self.client.inner();
        let metadata = client.fetch_metadata(None, limit);
        let messages = ffi::waiting_messages(client);
        match metadata {
            Ok(_) => Ok(()),
            Err(error) => Err(AdminError::Unreachable {
                bootstrap: self.bootstrap.to_string(),
                cause: connect_cause(&messages, &error, limit),
            }),
        }
    }

    pub(super) fn metadata(&self, action: &str, topic: Option<&str>, limit: Duration) -> Result<Metadata, AdminError> {
        let found = self.client.inner().fetch_metadata(topic, limit);
        found.map_err(|error| self.request_error(action, &error))
    }

    /// Distinguishes a cluster that cannot be reached from one that answers with an error.
    pub(super) fn request_error(&self, action: &str, error: &KafkaError) -> AdminError {
        let messages = ffi::waiting_messages(self.client.inner());
        match error.rdkafka_error_code() {
            Some(
                RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::Resolve,
            ) => AdminError::Unreachable {
                bootstrap: self.bootstrap.to_string(),
                cause: connect_cause(&messages, error, REQUEST_LIMIT),
            },
            Some(code) => AdminError::refused(action, &code),
            None => AdminError::refused(action, error),
        }
    }
}

pub(super) fn request_options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(REQUEST_LIMIT))
        .operation_timeout(Some(REQUEST_LIMIT))
}
