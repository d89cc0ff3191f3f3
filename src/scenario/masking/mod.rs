//! Takes secrets out of what is shown or stored of a scenario.

mod command;
mod file;
mod stored;
#[cfg(test)]
mod tests;

pub(crate) use command::{HIDDEN, masked_command, secrets_of_command, serialize_command};
pub(crate) use file::Masked;
pub use stored::storable;
