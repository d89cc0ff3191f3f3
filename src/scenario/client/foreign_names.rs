//! What other clients and their frameworks call properties, and what this client has instead: Java's, with the prefixes
//! of Spring, Kafka Connect and Flink.

use super::table::{Clients, is_property, owned};
use crate::wording::listed;

/// What is written here instead of a foreign property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counterpart {
    /// These properties.
    Is(&'static [&'static str]),
    /// This property, and what is different about it.
    IsBut(&'static str, &'static str),
    /// This key of `[consumer]`.
    Key(&'static str),
    /// Nothing, and why.
    Nothing(&'static str),
}
use Counterpart::{Is, IsBut, Key, Nothing};

const JAVA_CLASSES: &str = "it names classes of Java";
const NO_OIDC: &str = "this client has no OpenID Connect";
const TLS_AGREES: &str = "both sides agree on the best that they have";
const NO_KERBEROS: &str = "this client has no Kerberos";
const CHOSEN: &str = "the client chooses partitions by \"partitioner\" alone";
const OF_SPRING: &str = "it is a setting of Spring itself";

/// Properties of Java's clients that librdkafka has not under that name. A name that ends with a dot stands for all that
/// begin with it. `tests/it/foreign_settings.rs` holds the list against the real clients.
const OF_JAVA: &[(&str, Counterpart)] = &[
    ("auto.include.jmx.reporter", Nothing(JAVA_CLASSES)),
    ("bootstrap.controllers", Nothing("tandem talks to brokers")),
    ("buffer.memory", IsBut("queue.buffering.max.kbytes", "in KiB")),
    ("compression.gzip.level", Is(&["compression.level"])),
    ("compression.lz4.level", Is(&["compression.level"])),
    ("compression.zstd.level", Is(&["compression.level"])),
    (
        "config.providers",
        Nothing("secrets come from { env = \"NAME\" } or { file = \"PATH\" }"),
    ),
    (
        "default.api.timeout.ms",
        Nothing("single requests have \"socket.timeout.ms\""),
    ),
    ("exclude.internal.topics", Nothing("topics are named")),
    ("fetch.max.wait.ms", Is(&["fetch.wait.max.ms"])),
    ("interceptor.classes", Nothing(JAVA_CLASSES)),
    ("key.deserializer", Nothing("keys and values stay bytes")),
    ("key.serializer", Nothing("keys and values are bytes")),
    (
        "max.block.ms",
        Nothing("a record that does not fit the producer's queue is sent late, which is measured"),
    ),
    (
        "max.poll.records",
        Nothing("this client hands over records one by one; `read` in [consumer] says how they are taken"),
    ),
    ("max.request.size", Is(&["message.max.bytes"])),
    ("metadata.max.idle.ms", Nothing("the client forgets topics by itself")),
    ("metric.reporters", Nothing(JAVA_CLASSES)),
    ("metrics.", Nothing("tandem reads the client's statistics itself")),
    ("partitioner.adaptive.partitioning.enable", Nothing(CHOSEN)),
    ("partitioner.availability.timeout.ms", Nothing(CHOSEN)),
    (
        "partitioner.class",
        IsBut(
            "partitioner",
            "of which \"murmur2_random\" places keys as Java's clients do",
        ),
    ),
    ("partitioner.ignore.keys", Nothing(CHOSEN)),
    ("receive.buffer.bytes", Is(&["socket.receive.buffer.bytes"])),
    ("sasl.client.callback.handler.class", Nothing(JAVA_CLASSES)),
    (
        "sasl.jaas.config",
        Is(&["sasl.mechanism", "sasl.username", "sasl.password"]),
    ),
    ("sasl.kerberos.", Nothing(NO_KERBEROS)),
    ("sasl.login.", Nothing(NO_OIDC)),
    ("sasl.oauthbearer.", Nothing(NO_OIDC)),
    ("security.providers", Nothing(JAVA_CLASSES)),
    ("send.buffer.bytes", Is(&["socket.send.buffer.bytes"])),
    ("share.", Nothing("tandem reads with consumer groups")),
    (
        "socket.connection.setup.timeout.max.ms",
        Is(&["socket.connection.setup.timeout.ms"]),
    ),
    ("ssl.enabled.protocols", Nothing(TLS_AGREES)),
    ("ssl.engine.factory.class", Nothing(JAVA_CLASSES)),
    ("ssl.keymanager.algorithm", Nothing(JAVA_CLASSES)),
    ("ssl.keystore.certificate.chain", Is(&["ssl.certificate.pem"])),
    ("ssl.keystore.key", Is(&["ssl.key.pem"])),
    (
        "ssl.keystore.type",
        Nothing(
            "\"ssl.keystore.location\" is a PKCS #12 file; PEM files are \"ssl.certificate.location\" and \"ssl.key.location\"",
        ),
    ),
    ("ssl.protocol", Nothing(TLS_AGREES)),
    ("ssl.provider", Nothing(JAVA_CLASSES)),
    ("ssl.secure.random.implementation", Nothing(JAVA_CLASSES)),
    ("ssl.trustmanager.algorithm", Nothing(JAVA_CLASSES)),
    ("ssl.truststore.certificates", Is(&["ssl.ca.pem"])),
    ("ssl.truststore.location", IsBut("ssl.ca.location", "a PEM file")),
    (
        "ssl.truststore.password",
        IsBut("ssl.ca.location", "which needs no password"),
    ),
    ("ssl.truststore.type", IsBut("ssl.ca.location", "a PEM file")),
    (
        "transaction.two.phase.commit.enable",
        Nothing("tandem has no transactions"),
    ),
    ("value.deserializer", Nothing("keys and values stay bytes")),
    ("value.serializer", Nothing("keys and values are bytes")),
];

/// What Spring calls in its own way what Java's clients have, once its dashes are dots.
const OF_SPRING_BOOT: &[(&str, &str)] = &[
    ("auto.commit.interval", "auto.commit.interval.ms"),
    ("fetch.max.wait", "fetch.max.wait.ms"),
    ("fetch.min.size", "fetch.min.bytes"),
    ("heartbeat.interval", "heartbeat.interval.ms"),
    ("max.poll.interval", "max.poll.interval.ms"),
    ("transaction.id.prefix", "transactional.id"),
];

/// Spring's own settings.
const SPRING_ALONE: &[(&str, Counterpart)] = &[
    ("listener.ack.mode", Key("commit")),
    ("listener.concurrency", Key("consumers")),
    ("listener.type", Key("read")),
    ("jaas.", Is(&["sasl.mechanism", "sasl.username", "sasl.password"])),
];

/// The prefix of settings of Spring itself.
const SPRING: &str = "spring.kafka.";

/// Prefixes with whose they are, longer ones before those that begin like them.
const PREFIXES: &[(&str, &str)] = &[
    ("spring.kafka.consumer.properties.", "Spring"),
    ("spring.kafka.producer.properties.", "Spring"),
    ("spring.kafka.admin.properties.", "Spring"),
    ("spring.kafka.properties.", "Spring"),
    ("spring.kafka.consumer.", "Spring"),
    ("spring.kafka.producer.", "Spring"),
    ("spring.kafka.admin.", "Spring"),
    (SPRING, "Spring"),
    ("consumer.override.", "Kafka Connect"),
    ("producer.override.", "Kafka Connect"),
    ("admin.override.", "Kafka Connect"),
    ("consumer.", "Kafka Connect"),
    ("producer.", "Kafka Connect"),
    ("admin.", "Kafka Connect"),
    ("properties.", "Flink"),
];

/// Names of properties that Java's clients have and this one has not.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    OF_JAVA
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !name.ends_with('.'))
}

/// What to write instead of a name of another client, as a sentence; `None` for a name that no known client has.
pub(crate) fn advice(name: &str, clients: Clients) -> Option<String> {
    let prefix = PREFIXES.iter().find(|(prefix, _)| name.starts_with(prefix));
    let Some((prefix, whose)) = prefix else {
        return java(name).map(|counterpart| sentence("Java's clients", counterpart));
    };
    let rest = &name[prefix.len()..];
    let plain = if *whose == "Spring" {
        of_spring(rest)
    } else {
        rest.to_owned()
    };
    if let Some(instead) = owned(&plain, clients) {
        return Some(format!("a property of {whose}: {instead}"));
    }
    if is_property(&plain) {
        return Some(format!("a property of {whose}; here it is \"{plain}\""));
    }
    if let Some(counterpart) = java(&plain) {
        return Some(sentence(whose, counterpart));
    }
    // An unknown name below `consumer.` or `properties.` is misspelt. An unknown name beside them is one of Spring's
    // own.
    let of_spring_itself = *prefix == SPRING;
    let own = SPRING_ALONE.iter().find(|(start, _)| plain.starts_with(start));
    let counterpart = own.map_or(Nothing(OF_SPRING), |(_, counterpart)| *counterpart);
    of_spring_itself.then(|| sentence(whose, counterpart))
}

fn java(name: &str) -> Option<Counterpart> {
    let is = |known: &str| known == name || known.ends_with('.') && name.starts_with(known);
    OF_JAVA
        .iter()
        .find(|(known, _)| is(known))
        .map(|(_, counterpart)| *counterpart)
}

fn sentence(whose: &str, counterpart: Counterpart) -> String {
    let quoted = |name: &&str| format!("\"{name}\"");
    let here = match counterpart {
        Is(names) => {
            let names: Vec<String> = names.iter().map(quoted).collect();
            listed(&names.iter().map(String::as_str).collect::<Vec<_>>())
        }
        IsBut(name, difference) => format!("\"{name}\", {difference}"),
        Key(name) => format!("`{name}` in [consumer]"),
        Nothing(why) => {
            return format!("a property of {whose} that has no counterpart in librdkafka: leave it out, because {why}");
        }
    };
    format!("a property of {whose}; here it is {here}")
}

/// A name of Spring, which may be written with dashes or capitals, as Java's clients have it.
fn of_spring(name: &str) -> String {
    let mut dotted = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '-' | '_' => dotted.push('.'),
            capital if capital.is_ascii_uppercase() => dotted.extend(['.', capital.to_ascii_lowercase()]),
            other => dotted.push(other),
        }
    }
    let dotted = dotted
        .replace("trust.store", "truststore")
        .replace("key.store", "keystore");
    let known = OF_SPRING_BOOT.iter().find(|(spring, _)| *spring == dotted);
    known.map_or(dotted, |(_, java)| (*java).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::keys::{Settings, Table, TableKeys as _};

    fn advised(name: &str) -> String {
        advice(name, Clients::Measured).unwrap_or_default()
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
        assert_eq!(advice("fetch.mim.bytes", Clients::Measured), None);
        assert_eq!(advice("consumer.fetch.mim.bytes", Clients::Measured), None);
    }

    #[test]
    fn what_is_missing_is_not_here_and_what_is_named_instead_is() {
        let is_key = |name: &str| Settings::key_in(Table::Consumer, name).is_some();
        let names_in = |text: &str, sign: char| -> Vec<String> {
            text.split(sign).skip(1).step_by(2).map(str::to_owned).collect()
        };
        for (name, counterpart) in OF_JAVA.iter().chain(SPRING_ALONE) {
            assert!(!is_property(name), "{name}");
            match counterpart {
                Is(instead) => assert!(instead.iter().all(|name| is_property(name)), "{instead:?}"),
                IsBut(instead, _) => assert!(is_property(instead), "{instead}"),
                Key(key) => assert!(is_key(key), "{key}"),
                Nothing(why) => {
                    assert!(names_in(why, '`').iter().all(|key| is_key(key)), "{why}");
                    let mut properties = names_in(why, '"').into_iter().filter(|name| name.contains('.'));
                    assert!(properties.all(|name| is_property(&name)), "{why}");
                }
            }
        }
        assert!(
            OF_SPRING_BOOT
                .iter()
                .all(|(_, java)| is_property(java) || super::java(java).is_some())
        );
    }
}
