//! The properties of franz-go: the names of its client's options, and what librdkafka has instead of them.

use std::slice;
use std::sync::LazyLock;

use super::counterpart::Counterpart::{self, Is, Nothing};
use super::property::{Property, Use, Values, rows};

/// An option, and the property of librdkafka that does the same.
struct OfGo {
    property: Property,
    in_librdkafka: Option<&'static str>,
}

static OF_GO: LazyLock<Vec<OfGo>> = LazyLock::new(|| {
    let rows = rows(include_str!("go.tsv"));
    rows.map(|[name, values, default, instead]| OfGo {
        property: Property {
            name,
            user: Use::Consumer,
            values: Values::read(values),
            alias_of: None,
            default: Some(default).filter(|default| !default.is_empty()),
        },
        in_librdkafka: Some(instead).filter(|instead| !instead.is_empty()),
    })
    .collect()
});

/// The options of a consumer, sorted by name.
pub(super) static CONSUMER: LazyLock<Vec<Property>> =
    LazyLock::new(|| OF_GO.iter().map(|each| each.property).collect());

/// What librdkafka has instead of an option of franz-go.
pub(super) fn in_librdkafka(name: &str) -> Option<Counterpart> {
    let option = OF_GO.iter().find(|each| each.property.name == name)?;
    Some(match &option.in_librdkafka {
        Some(name) => Is(slice::from_ref(name)),
        None => Nothing("it has nothing like it"),
    })
}

/// What franz-go has instead of a property of librdkafka.
pub(super) fn of_librdkafka(name: &str) -> Counterpart {
    let found = OF_GO.iter().find(|each| each.in_librdkafka == Some(name));
    found.map_or(Nothing("it has nothing like it"), |each| {
        Is(slice::from_ref(&each.property.name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::ClientKind;

    #[test]
    fn the_options_are_sorted_and_their_counterparts_exist() {
        assert!(CONSUMER.len() > 8 && CONSUMER.is_sorted_by_key(|property| property.name));
        for OfGo {
            property,
            in_librdkafka,
        } in OF_GO.iter()
        {
            assert!(!matches!(property.values, Values::OneOf([""])), "{}", property.name);
            let exists = in_librdkafka.is_none_or(|name| ClientKind::Librdkafka.property(name).is_some());
            assert!(exists, "{}: {in_librdkafka:?}", property.name);
        }
    }

    #[test]
    fn an_option_and_its_counterpart_lead_to_each_other() {
        assert_eq!(
            ClientKind::FranzGo.instead_of("fetch.min.bytes"),
            Some((ClientKind::Librdkafka, Is(&["FetchMinBytes"])))
        );
        assert_eq!(
            ClientKind::Librdkafka.instead_of("FetchMinBytes"),
            Some((ClientKind::FranzGo, Is(&["fetch.min.bytes"])))
        );
        assert_eq!(
            ClientKind::FranzGo.instead_of("fetch.max.wait.ms"),
            Some((ClientKind::Java, Is(&["FetchMaxWait"])))
        );
    }
}
