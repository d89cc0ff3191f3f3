//! The properties of Java's clients, and what librdkafka has instead of the names that it does not have.

use std::slice;
use std::sync::LazyLock;

use super::counterpart::Counterpart::{self, Is, IsBut, Nothing};
use super::property::{Property, Use, Values, rows};

/// A property of Java's clients. A name that ends with a dot stands for all that begin with it.
struct OfJava {
    name: &'static str,
    /// As a property of the consumer, if it is one.
    of_consumer: Option<Property>,
    /// What librdkafka has instead, if it does not have the name.
    in_librdkafka: Option<Counterpart>,
}

/// The properties of the consumer of kafka-clients 4.3.1, and those of its other clients whose names librdkafka does not
/// have. `tests/it/foreign_settings.rs` compares them with the real clients.
static OF_JAVA: LazyLock<Vec<OfJava>> = LazyLock::new(|| rows(include_str!("java.tsv")).map(of_java).collect());

fn of_java([name, values, default, instead, remark]: [&'static str; 5]) -> OfJava {
    let property = Property {
        name,
        user: Use::Consumer,
        values: Values::read(values),
        alias_of: None,
        default: Some(default).filter(|default| !default.is_empty()),
    };
    OfJava {
        name,
        of_consumer: (!values.is_empty()).then_some(property),
        in_librdkafka: match (instead, remark) {
            ("", "") => None,
            ("", why) => Some(Nothing(why)),
            (names, "") => Some(Is(names.split(' ').collect::<Vec<_>>().leak())),
            (name, difference) => Some(IsBut(name, difference)),
        },
    }
}

/// The properties of the consumer, sorted by name.
pub(super) static CONSUMER: LazyLock<Vec<Property>> =
    LazyLock::new(|| OF_JAVA.iter().filter_map(|each| each.of_consumer).collect());

/// Names of properties that Java's clients have and librdkafka has not.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let foreign = OF_JAVA.iter().filter(|each| each.in_librdkafka.is_some());
    foreign.map(|each| each.name).filter(|name| !name.ends_with('.'))
}

/// What librdkafka has instead of a property of Java's clients.
pub(super) fn in_librdkafka(name: &str) -> Option<Counterpart> {
    let is = |known: &str| known == name || known.ends_with('.') && name.starts_with(known);
    let mut known = OF_JAVA.iter().filter(|each| is(each.name));
    known.find_map(|each| each.in_librdkafka)
}

/// What Java's consumer has instead of a property of librdkafka: the first of which that is the counterpart.
pub(super) fn of_librdkafka(name: &str) -> Counterpart {
    let is = |counterpart: Counterpart| match counterpart {
        Is(names) => names.contains(&name),
        IsBut(other, _) => other == name,
        Counterpart::Key(_) | Nothing(_) => false,
    };
    let mut of_consumer = OF_JAVA.iter().filter(|each| each.of_consumer.is_some());
    let found = of_consumer.find(|each| each.in_librdkafka.is_some_and(is));
    found.map_or(Nothing("it has nothing like it"), |each| {
        Is(slice::from_ref(&each.name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::ClientKind;

    #[test]
    fn what_is_missing_in_librdkafka_is_not_there_and_what_is_named_instead_is() {
        let is_property = |name: &str| ClientKind::Librdkafka.property(name).is_some();
        for OfJava {
            name, in_librdkafka, ..
        } in OF_JAVA.iter()
        {
            let Some(counterpart) = in_librdkafka else { continue };
            assert!(!is_property(name), "{name}");
            match counterpart {
                Is(instead) => assert!(instead.iter().all(|name| is_property(name)), "{instead:?}"),
                IsBut(instead, _) => assert!(is_property(instead), "{instead}"),
                Nothing(why) => {
                    let quoted = why.split('"').skip(1).step_by(2).filter(|name| name.contains('.'));
                    assert!(quoted.clone().all(is_property), "{why}");
                }
                Counterpart::Key(key) => panic!("{key}"),
            }
        }
    }

    #[test]
    fn every_property_of_javas_consumer_is_one_of_librdkafka_or_has_a_counterpart_or_none() {
        assert!(CONSUMER.len() > 100 && CONSUMER.is_sorted_by_key(|property| property.name));
        for Property { name, .. } in CONSUMER.iter() {
            let is_there = ClientKind::Librdkafka.property(name).is_some();
            assert_ne!(is_there, ClientKind::Librdkafka.instead_of(name).is_some(), "{name}");
        }
    }

    #[test]
    fn javas_client_knows_its_defaults_and_what_it_has_instead_of_a_property_of_librdkafka() {
        let java = ClientKind::Java;
        assert_eq!(java.default_of("max.poll.records").as_deref(), Some("500"));
        assert_eq!(java.default_of("group.id"), None);
        assert_eq!(
            java.instead_of("fetch.wait.max.ms"),
            Some((ClientKind::Librdkafka, Is(&["fetch.max.wait.ms"])))
        );
        assert_eq!(
            java.instead_of("queued.min.messages"),
            Some((ClientKind::Librdkafka, Nothing("it has nothing like it")))
        );
        assert_eq!(java.instead_of("fetch.min.bytes"), None, "both have it");
        assert_eq!(java.instead_of("fetch.mim.bytes"), None, "nobody has it");
    }
}
