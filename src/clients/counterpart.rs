//! What one client has instead of a property of another.

/// What a client has instead of a property that it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counterpart {
    /// These properties.
    Is(&'static [&'static str]),
    /// This property, and what is different about it.
    IsBut(&'static str, &'static str),
    /// This key of `[consumer]`.
    Key(&'static str),
    /// Nothing, and why.
    Nothing(&'static str),
}
