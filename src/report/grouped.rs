//! Grouping of what shares a key, in the order of first appearance.

/// The items of each distinct key.
pub(super) fn grouped<K: PartialEq, T>(pairs: impl Iterator<Item = (K, T)>) -> Vec<(K, Vec<T>)> {
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    for (key, item) in pairs {
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, items)) => items.push(item),
            None => groups.push((key, vec![item])),
        }
    }
    groups
}

/// The parts that are not empty, with a separator between them.
pub(super) fn joined<'a>(parts: impl IntoIterator<Item = &'a str>, separator: &str) -> String {
    let known: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    known.join(separator)
}
