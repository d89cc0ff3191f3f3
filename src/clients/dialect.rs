//! How frameworks name the properties of Java's clients: Spring, Kafka Connect and Flink.

use super::counterpart::Counterpart::{self, Is, Key, Nothing};

const OF_SPRING: &str = "it is a setting of Spring itself";

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

/// A name of a framework.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// Whose it is.
    pub whose: &'static str,
    /// The property of Java's clients for which it stands, whether there is one or not.
    pub plain: String,
    /// What tandem has instead if it is no property but a setting of the framework itself.
    pub setting: Option<Counterpart>,
}

impl Foreign {
    /// A name that begins as those of a framework do.
    pub fn of(name: &str) -> Option<Self> {
        let (prefix, whose) = PREFIXES.iter().find(|(prefix, _)| name.starts_with(prefix))?;
        let rest = &name[prefix.len()..];
        let plain = if *whose == "Spring" {
            of_spring(rest)
        } else {
            rest.to_owned()
        };
        // An unknown name below `consumer.` or `properties.` is misspelt. An unknown name beside them is one of Spring's
        // own.
        let own = SPRING_ALONE.iter().find(|(start, _)| plain.starts_with(start));
        let setting = own.map_or(Nothing(OF_SPRING), |(_, counterpart)| *counterpart);
        let setting = (*prefix == SPRING).then_some(setting);
        Some(Foreign { whose, plain, setting })
    }
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
    use crate::clients::ClientKind;

    #[test]
    fn what_spring_calls_in_its_own_way_is_a_property_of_javas_clients() {
        let java = |name: &str| {
            let librdkafka = ClientKind::Librdkafka;
            librdkafka.property(name).is_some() || librdkafka.instead_of(name).is_some()
        };
        assert!(OF_SPRING_BOOT.iter().all(|(_, name)| java(name)));
    }
}
