//! What to write instead of a name that another client or a framework has, in words.

use super::table::{Clients, owned};
use crate::clients::Counterpart::{self, Is, IsBut, Key, Nothing};
use crate::clients::{ClientKind, Foreign};
use crate::wording::listed;

/// What to write instead of a name of another client, as a sentence; `None` for a name that no known client has.
pub(super) fn advice(name: &str, clients: Clients) -> Option<String> {
    advice_of(clients.kind(), name, clients)
}

/// The same in a table of properties of that client.
fn advice_of(kind: ClientKind, name: &str, clients: Clients) -> Option<String> {
    let Some(Foreign { whose, plain, setting }) = Foreign::of(name) else {
        let (other, counterpart) = kind.instead_of(name)?;
        return Some(sentence(kind, other.name(), counterpart));
    };
    if let Some(instead) = owned(&plain, clients) {
        return Some(format!("a property of {whose}: {instead}"));
    }
    if kind.property(&plain).is_some() {
        return Some(format!("a property of {whose}; here it is \"{plain}\""));
    }
    let counterpart = kind.instead_of(&plain).map(|(_, counterpart)| counterpart);
    Some(sentence(kind, whose, counterpart.or(setting)?))
}

fn sentence(kind: ClientKind, whose: &str, counterpart: Counterpart) -> String {
    let quoted = |name: &&str| format!("\"{name}\"");
    let here = match counterpart {
        Is(names) => {
            let names: Vec<String> = names.iter().map(quoted).collect();
            listed(&names.iter().map(String::as_str).collect::<Vec<_>>())
        }
        IsBut(name, difference) => format!("\"{name}\", {difference}"),
        Key(name) => format!("`{name}` in [consumer]"),
        Nothing(why) => {
            let client = kind.name();
            return format!("a property of {whose} that has no counterpart in {client}: leave it out, because {why}");
        }
    };
    format!("a property of {whose}; here it is {here}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::keys::{Settings, Table, TableKeys as _};

    fn advised(name: &str) -> String {
        advice(name, Clients::Measured(ClientKind::Librdkafka)).unwrap_or_default()
    }

    #[test]
    fn names_of_other_clients_have_their_true_counterpart_or_none() {
        let expected = [
            ("max.poll.records", "has no counterpart in librdkafka: leave it out"),
            ("ssl.keystore.type", "has no counterpart in librdkafka: leave it out"),
            (
                "fetch.max.wait.ms",
                "a property of Java's clients; here it is \"fetch.wait.max.ms\"",
            ),
            (
                "spring.kafka.consumer.max-poll-records",
                "a property of Spring that has no counterpart",
            ),
            ("spring.kafka.consumer.fetch-min-size", "here it is \"fetch.min.bytes\""),
            ("spring.kafka.consumer.fetchMaxWait", "here it is \"fetch.wait.max.ms\""),
            (
                "spring.kafka.consumer.properties.session.timeout.ms",
                "here it is \"session.timeout.ms\"",
            ),
            (
                "spring.kafka.ssl.trust-store-location",
                "here it is \"ssl.ca.location\"",
            ),
            ("spring.kafka.consumer.group-id", "`group` in [consumer]"),
            ("spring.kafka.listener.concurrency", "`consumers` in [consumer]"),
            (
                "spring.kafka.template.default-topic",
                "it is a setting of Spring itself",
            ),
            (
                "consumer.max.partition.fetch.bytes",
                "a property of Kafka Connect; here it is \"max.partition.fetch.bytes\"",
            ),
            (
                "consumer.override.max.poll.records",
                "a property of Kafka Connect that has no counterpart",
            ),
            (
                "properties.auto.offset.reset",
                "a property of Flink: a trial reads each partition from its beginning",
            ),
            (
                "properties.fetch.max.bytes",
                "a property of Flink; here it is \"fetch.max.bytes\"",
            ),
        ];
        for (name, part) in expected {
            assert!(advised(name).contains(part), "{name}: {}", advised(name));
        }
        assert_eq!(
            advice("fetch.mim.bytes", Clients::Measured(ClientKind::Librdkafka)),
            None
        );
        assert_eq!(
            advice("consumer.fetch.mim.bytes", Clients::Measured(ClientKind::Librdkafka)),
            None
        );
    }

    #[test]
    fn keys_that_are_named_instead_of_a_property_exist() {
        let java = ClientKind::Java.properties().iter().map(|property| property.name);
        let spring = ["ack-mode", "concurrency", "type"].map(|name| format!("spring.kafka.listener.{name}"));
        let advised = java.map(advised).chain(spring.iter().map(|name| self::advised(name)));
        let mut keys = 0;
        for text in advised {
            for key in text
                .split('`')
                .skip(1)
                .step_by(2)
                .filter(|key| *key != "bootstrap" && *key != "prefix")
            {
                keys += 1;
                assert!(Settings::key_in(Table::Consumer, key).is_some(), "{text}");
            }
        }
        assert!(keys > 3, "{keys}");
    }

    #[test]
    fn an_app_with_javas_client_is_advised_by_its_own_names() {
        let advised = |name: &str| {
            advice_of(ClientKind::Java, name, Clients::Measured(ClientKind::Librdkafka)).unwrap_or_default()
        };
        assert_eq!(
            advised("fetch.wait.max.ms"),
            "a property of librdkafka; here it is \"fetch.max.wait.ms\""
        );
        assert_eq!(
            advised("queued.min.messages"),
            "a property of librdkafka that has no counterpart in Java's clients: leave it out, because it has nothing like \
             it"
        );
        assert_eq!(
            advised("spring.kafka.consumer.max-poll-records"),
            "a property of Spring; here it is \"max.poll.records\""
        );
    }
}
