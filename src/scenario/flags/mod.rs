//! A scenario without a file: flags of the command line are written as the text of a scenario file, which is then read
//! like any other. Knows the keys from their declarations, and nothing of the program's command line.

mod flag;
mod question;
mod setting;
#[cfg(test)]
mod tests;
mod value;
mod written;

pub use flag::{GivenFlag, SettingFlag, setting_flags};
pub use setting::FlagError;
pub use written::WrittenScenario;
