//! Settings of brokers and topics that are not the defaults.

use rdkafka::admin::{AlterConfig, ConfigSource, ResourceSpecifier};

use super::connection::{Admin, request_options};
use super::error::AdminError;
use crate::measure::Setting;
use crate::scenario::GroupTimeouts;

/// The reason given for a setting of a topic.
const SET_ON_TOPIC: &str = "set on the topic";

impl Admin {
    /// Settings of a broker that were set on it or on the cluster; secrets are hidden. The broker may refuse the request.
    pub async fn broker_settings(&self, broker: i32) -> Result<Vec<Setting>, AdminError> {
        let action = format!("read the settings of broker {broker}");
        self.settings(&ResourceSpecifier::Broker(broker), action).await
    }

    /// Settings that were set on a topic. The broker may refuse the request.
    pub async fn topic_settings(&self, topic: &str) -> Result<Vec<Setting>, AdminError> {
        let action = format!("read the settings of topic {topic}");
        let mut settings = self.settings(&ResourceSpecifier::Topic(topic), action).await?;
        settings.retain(|setting| setting.reason == SET_ON_TOPIC);
        Ok(settings)
    }

    /// Sets the timeouts of a group of the consumer protocol, which need not exist yet; what else was set on it is unset.
    pub async fn set_group_timeouts(&self, group: &str, timeouts: GroupTimeouts) -> Result<(), AdminError> {
        let action = format!("set the timeouts of group {group}");
        let text = |value: Option<u64>| value.map(|ms| ms.to_string());
        let (session_ms, heartbeat_ms) = (text(timeouts.session_ms), text(timeouts.heartbeat_ms));
        let mut change = AlterConfig::new(ResourceSpecifier::Group(group));
        if let Some(session_ms) = &session_ms {
            change = change.set("consumer.session.timeout.ms", session_ms);
        }
        if let Some(heartbeat_ms) = &heartbeat_ms {
            change = change.set("consumer.heartbeat.interval.ms", heartbeat_ms);
        }
        let changed = self.client.alter_configs([&change], &request_options()).await;
        for result in changed.map_err(|error| self.request_error(&action, &error))? {
            result.map_err(|(_, code)| AdminError::refused(action.clone(), &code))?;
        }
        Ok(())
    }

    async fn settings(&self, resource: &ResourceSpecifier<'_>, action: String) -> Result<Vec<Setting>, AdminError> {
        let results = self.client.describe_configs([resource], &request_options()).await;
        let mut settings = Vec::new();
        for result in results.map_err(|error| self.request_error(&action, &error))? {
            let resource = result.map_err(|code| AdminError::refused(action.clone(), &code))?;
            for entry in resource.entries {
                let Some(reason) = source_reason(&entry.source) else {
                    continue;
                };
                let value = if entry.is_sensitive { None } else { entry.value };
                let value = value.unwrap_or_else(|| "(hidden)".to_owned());
                settings.push(Setting {
                    name: entry.name,
                    value,
                    reason: reason.to_owned(),
                });
            }
        }
        settings.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(settings)
    }
}

/// Why a setting of a broker or a topic is not the default; `None` where it is the default, or the source is unknown.
fn source_reason(source: &ConfigSource) -> Option<&'static str> {
    match source {
        ConfigSource::StaticBroker => Some("set in the broker's file"),
        ConfigSource::DynamicBroker => Some("set on the broker while it ran"),
        ConfigSource::DynamicDefaultBroker => Some("set on the cluster while it ran"),
        ConfigSource::DynamicTopic => Some(SET_ON_TOPIC),
        ConfigSource::Unknown | ConfigSource::Default => None,
    }
}
