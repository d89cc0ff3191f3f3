//! What a user may do, and the command that grants a missing right.

use super::credentials;
use super::patient::Patient;
use crate::kafka::admin::AdminError;

/// A right that a user may lack, in the terms of Kafka's access control lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// Operations, such as `Read`.
    operations: Vec<&'static str>,
    /// Such as `--topic orders`.
    resource: String,
}

impl Right {
    /// Operations on one topic.
    pub(super) fn on_topic(operations: &[&'static str], topic: &str) -> Self {
        Self::on(operations, format!("--topic {topic}"))
    }

    /// Operations on all topics whose names start so.
    pub(super) fn on_topics(operations: &[&'static str], prefix: &str) -> Self {
        Self::on(operations, format!("--topic {prefix} --resource-pattern-type prefixed"))
    }

    /// Operations on all groups whose names start so.
    pub(super) fn on_groups(operations: &[&'static str], prefix: &str) -> Self {
        Self::on(operations, format!("--group {prefix} --resource-pattern-type prefixed"))
    }

    /// Operations on one group.
    pub(super) fn on_group(operations: &[&'static str], group: &str) -> Self {
        Self::on(operations, format!("--group {group}"))
    }

    fn on(operations: &[&'static str], resource: String) -> Self {
        Right {
            operations: operations.to_vec(),
            resource,
        }
    }
}

/// Who asks a cluster, as its access control lists name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// Such as `User:reader`, or words in angle brackets where the name is not known.
    principal: String,
    /// An address of the cluster.
    bootstrap: String,
    /// Start of the names of topics and groups.
    prefix: String,
    /// The one group to read in, where the scenario fixes it.
    group: Option<String>,
}

impl Asker {
    /// The user of a client with these properties. A name from the environment or a file is left out.
    pub fn of(patient: &Patient) -> Self {
        let principal = if patient.uses_sasl() {
            patient.user.clone().map(|user| format!("User:{user}"))
        } else if patient.uses_tls() && credentials::shows_certificate(patient) {
            credentials::distinguished_name(patient).map(|name| format!("User:{name}"))
        } else {
            Some("User:ANONYMOUS".to_owned())
        };
        let first = patient.bootstrap.split(',').next().unwrap_or_default();
        Asker {
            principal: principal.unwrap_or_else(|| "User:<the name of this user>".to_owned()),
            bootstrap: first.trim().to_owned(),
            prefix: patient.prefix.clone(),
            group: patient.group.clone(),
        }
    }

    /// The command that grants a right.
    pub(super) fn grant(&self, right: &Right) -> String {
        let operations: Vec<String> = right
            .operations
            .iter()
            .map(|name| format!("--operation {name}"))
            .collect();
        format!(
            "kafka-acls --bootstrap-server {} --add --allow-principal {} {} {}",
            self.bootstrap,
            quoted(&self.principal),
            operations.join(" "),
            right.resource
        )
    }

    /// The fix for a missing right to create topics.
    pub(super) fn fix_create(&self) -> String {
        let right = Right::on_topics(&["Create", "Describe", "Read", "Write", "Delete"], &self.prefix);
        format!(
            "{}; or read a topic that is there ([dataset] topic = \"...\"), or set another [cluster] prefix",
            self.grant(&right)
        )
    }

    /// The fix for a missing right to read in groups.
    pub(super) fn fix_group(&self) -> String {
        if let Some(group) = &self.group {
            let right = Right::on_group(&["Read", "Describe"], group);
            return format!("{}; or name another group in [consumer]", self.grant(&right));
        }
        let right = Right::on_groups(&["Read", "Describe", "Delete"], &self.prefix);
        format!(
            "{}; or set another [cluster] prefix, with which names of groups start",
            self.grant(&right)
        )
    }

    /// The fix for a missing right on an existing topic.
    pub(super) fn fix_topic(&self, operations: &[&'static str], topic: &str) -> String {
        self.grant(&Right::on_topic(operations, topic))
    }

    /// The fix for what a cluster has refused; `None` where no right was missing. `refusal` is the message of a client or a
    /// tool, `topics` are the existing topics that are read.
    pub fn fix_refusal(&self, refusal: &str, topics: &[String]) -> Option<String> {
        match Missing::of(refusal)? {
            Missing::Group => Some(self.fix_group()),
            Missing::Topic if topics.is_empty() => Some(self.fix_create()),
            Missing::Topic => {
                let grants = topics.iter().map(|topic| self.fix_topic(&["Read", "Describe"], topic));
                Some(grants.collect::<Vec<_>>().join("; "))
            }
            Missing::Cluster => Some(self.grant(&Right::on(&["IdempotentWrite"], "--cluster".to_owned()))),
        }
    }
}

/// What kind of thing a right is missing for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Topic,
    Group,
    Cluster,
}

impl Missing {
    /// From the words that brokers, the client library and other clients have for it.
    pub(super) fn of(refusal: &str) -> Option<Self> {
        let squeezed: String = refusal.to_ascii_lowercase().replace([' ', '_'], "");
        let has = |kind: &str| {
            squeezed.contains(&format!("{kind}authorizationfail"))
                || squeezed.contains(&format!("{kind}authorizationexception"))
        };
        if has("topic") {
            Some(Missing::Topic)
        } else if has("group") {
            Some(Missing::Group)
        } else if has("cluster") {
            Some(Missing::Cluster)
        } else {
            None
        }
    }
}

/// True where a right was missing.
pub fn is_permission(error: &AdminError) -> bool {
    Missing::of(&error.to_string()).is_some()
}

pub(super) fn cause(error: &AdminError) -> String {
    match error {
        AdminError::Refused { cause, .. } => cause.clone(),
        other => other.to_string(),
    }
}

/// A word for a shell.
pub(super) fn quoted(word: &str) -> String {
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || ":_-.=,".contains(c));
    if plain {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn asker(principal: &str) -> Asker {
        Asker {
            principal: principal.into(),
            bootstrap: "kafka:9092".into(),
            prefix: "tandem-".into(),
            group: None,
        }
    }

    #[test]
    fn a_group_that_the_scenario_fixes_is_allowed_by_its_own_name() {
        let who = Asker {
            group: Some("orders-bench".into()),
            ..asker("User:reader")
        };
        let fix = who.fix_refusal("GROUP_AUTHORIZATION_FAILED", &[]).unwrap();
        assert!(
            fix.contains("--group orders-bench;") && !fix.contains("prefixed"),
            "{fix}"
        );
    }

    #[test]
    fn a_refusal_is_reported_with_the_command_that_allows_it() {
        let who = asker("User:reader");
        let group = who.fix_refusal("GroupAuthorizationFailed (Broker: Group authorization failed)", &[]);
        assert_eq!(
            group.unwrap().split(';').next().unwrap(),
            "kafka-acls --bootstrap-server kafka:9092 --add --allow-principal User:reader --operation Read --operation \
             Describe --operation Delete --group tandem- --resource-pattern-type prefixed"
        );
        let topic = who.fix_refusal(
            "org.apache.kafka.common.errors.TopicAuthorizationException: x",
            &["orders".into()],
        );
        assert_eq!(
            topic.unwrap(),
            "kafka-acls --bootstrap-server kafka:9092 --add --allow-principal User:reader --operation Read --operation \
             Describe --topic orders"
        );
        let create = who.fix_refusal("TOPIC_AUTHORIZATION_FAILED", &[]).unwrap();
        assert!(
            create.contains("--operation Create") && create.contains("[dataset] topic"),
            "{create}"
        );
        assert_eq!(who.fix_refusal("connection refused", &[]), None);
    }

    #[test]
    fn a_principal_with_blanks_is_quoted_for_the_shell() {
        assert_eq!(quoted("User:CN=client,O=Example"), "User:CN=client,O=Example");
        assert_eq!(quoted("User:CN=The Client's"), "'User:CN=The Client'\\''s'");
    }
}
