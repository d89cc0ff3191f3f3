//! Takes secrets out of a scenario file before it is printed or stored.

mod file;
mod stored;
#[cfg(test)]
mod tests;

pub(crate) use file::Masked;
pub use stored::storable;
