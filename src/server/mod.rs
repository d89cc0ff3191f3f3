//! Servers that a run starts on this machine, whatever they serve: a process that can end and be started again, its folder
//! with its log, free ports, and the marks by which all of it is found and removed. Everything blocks. Knows neither Kafka
//! nor databases.

mod error;
mod files;
mod ownership;
mod ports;
mod private;
mod process;
mod tool;

pub use error::{FileError, NoPort};
pub use files::{find_program, free_bytes, last_lines, unfinished_folder, write_private};
pub use ownership::{Keeper, NoKeeper, RUN_VARIABLE, make_directory, marker_name, remove_owned_directory};
pub use ports::Ports;
pub use private::{check_private, make_private};
pub use process::{OUTPUT, Server, ServerCommand, UserAccount, command_as};
pub use tool::{Tool, ToolEnd};

#[cfg(test)]
pub(crate) use files::tests::write_program;
