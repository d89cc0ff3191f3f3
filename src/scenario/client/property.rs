//! What a client property is.

use super::values::Values;

/// A property of the client library.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Property {
    pub(crate) name: &'static str,
    pub(crate) user: Use,
    pub(crate) values: Values,
    /// The name under which the library keeps it, where this is another name for it.
    pub(crate) alias_of: Option<&'static str>,
}

/// Who uses a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Consumer,
    Producer,
    Both,
}

impl Property {
    pub(crate) const fn new(name: &'static str, user: Use, values: Values) -> Self {
        Property {
            name,
            user,
            values,
            alias_of: None,
        }
    }

    pub(crate) const fn alias(name: &'static str, user: Use, values: Values, of: &'static str) -> Self {
        Property {
            alias_of: Some(of),
            ..Property::new(name, user, values)
        }
    }
}
