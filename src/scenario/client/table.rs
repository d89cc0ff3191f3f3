//! Which client properties exist, which may stand in which table, and which tandem sets itself.

use std::sync::LazyLock;

use crate::clients::{ClientKind, Property, Use, Values, rows};

/// A table of client properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clients {
    /// Of the consumers that are measured, whose app has this client.
    Measured(ClientKind),
    /// Of the producers of load.
    Load,
    /// Of the producers that fill data sets.
    Filling,
    /// Of every client of the run.
    All,
}

impl Clients {
    /// By whose names the properties of the table go.
    pub(crate) fn kind(self) -> ClientKind {
        match self {
            Clients::Measured(kind) => kind,
            Clients::Load | Clients::Filling | Clients::All => ClientKind::Librdkafka,
        }
    }
}

/// True for the name of a property, whoever sets it.
pub(crate) fn is_property(name: &str) -> bool {
    ClientKind::Librdkafka.property(name).is_some()
}

/// True for a property one value of which is several words with commas between them.
pub(crate) fn takes_several(name: &str) -> bool {
    let property = ClientKind::Librdkafka.property(name);
    property.is_some_and(|property| matches!(property.values, Values::SomeOf(_)))
}

/// Table, property, and what to write instead or why it cannot be set.
static OWNED: LazyLock<Vec<[&str; 3]>> = LazyLock::new(|| rows(include_str!("owned.tsv")).collect());

/// What to write instead of a property that tandem sets itself.
pub(crate) fn owned(name: &str, clients: Clients) -> Option<&'static str> {
    let tables: &[&str] = match clients {
        Clients::Measured(ClientKind::Java) => &["consumers", "java"],
        Clients::Measured(ClientKind::Librdkafka | ClientKind::FranzGo) | Clients::All => &["consumers"],
        Clients::Load => &["load"],
        Clients::Filling => &["filling"],
    };
    let row = OWNED.iter().find(|row| tables.contains(&row[0]) && row[1] == name);
    row.map(|row| row[2])
}

/// The client's own name of a property.
pub(crate) fn canonical(name: &str) -> &str {
    ClientKind::Librdkafka.canonical(name)
}

pub(super) fn may_stand(property: &Property, clients: Clients) -> bool {
    let free = owned(property.name, clients).is_none() && clients.kind().missing(property.name).is_none();
    let unused = match clients {
        Clients::Measured(_) => property.user == Use::Producer,
        Clients::Load => property.user == Use::Consumer,
        Clients::Filling => property.user != Use::Producer,
        Clients::All => false,
    };
    free && !unused
}

/// True for a property that this client has and that tandem leaves to the user.
pub(crate) fn may_be_set(name: &str, clients: Clients) -> bool {
    let property = clients.kind().property(name);
    property.is_some_and(|property| may_stand(property, clients))
}

/// The names of the properties that may stand in a table.
pub(crate) fn names(clients: Clients) -> impl Iterator<Item = &'static str> {
    let standing = clients
        .kind()
        .properties()
        .iter()
        .filter(move |property| may_stand(property, clients));
    standing.map(|property| property.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_tandem_owns_exists_and_is_in_a_table() {
        let counts =
            ["consumers", "java", "load", "filling"].map(|table| OWNED.iter().filter(|row| row[0] == table).count());
        assert_eq!(counts.iter().sum::<usize>(), OWNED.len());
        for [table, name, instead] in OWNED.iter() {
            let kind = if *table == "java" {
                ClientKind::Java
            } else {
                ClientKind::Librdkafka
            };
            assert!(kind.property(name).is_some() && !instead.is_empty(), "{name}");
        }
    }
}
