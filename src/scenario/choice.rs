//! Values that are one of a few names.

/// A value that is one of a few names.
pub trait Choice: Copy + PartialEq + 'static {
    /// The names with the values they stand for.
    const ALL: &'static [(&'static str, Self)];

    /// The name as it stands in a scenario file.
    fn name(self) -> &'static str {
        let entry = Self::ALL.iter().find(|(_, choice)| *choice == self);
        entry.map_or("", |(name, _)| name)
    }

    /// The value of that name.
    fn named(name: &str) -> Option<Self> {
        let entry = Self::ALL.iter().find(|(known, _)| *known == name);
        entry.map(|(_, choice)| *choice)
    }
}
