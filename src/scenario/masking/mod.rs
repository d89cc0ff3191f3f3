//! Takes secrets out of a scenario file that is shown or stored.

mod file;
mod stored;
#[cfg(test)]
mod tests;

pub(crate) use file::Masked;
pub use stored::storable;
