//! Properties that tandem sets itself, which a scenario may not set, by the table in which they would stand.

use std::sync::LazyLock;

use super::table::Clients;
use crate::clients::rows;

/// Table, property, and what to write instead or why it cannot be set.
static OWNED: LazyLock<Vec<[&str; 3]>> = LazyLock::new(|| rows(include_str!("owned.tsv")).collect());

/// What to write instead of a property that tandem sets itself.
pub(super) fn owned(name: &str, clients: Clients) -> Option<&'static str> {
    let table = match clients {
        Clients::Measured | Clients::All => "consumers",
        Clients::Load => "load",
        Clients::Filling => "filling",
    };
    let row = OWNED.iter().find(|row| row[..2] == [table, name]);
    row.map(|row| row[2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::ClientKind;

    #[test]
    fn everything_that_tandem_owns_exists_and_is_in_a_table() {
        let counts = ["consumers", "load", "filling"].map(|table| OWNED.iter().filter(|row| row[0] == table).count());
        assert_eq!(counts.iter().sum::<usize>(), OWNED.len());
        for [_, name, instead] in OWNED.iter() {
            assert!(
                ClientKind::Librdkafka.property(name).is_some() && !instead.is_empty(),
                "{name}"
            );
        }
    }
}
