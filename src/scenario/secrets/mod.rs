//! Which names may hold a secret, and commands without the secrets in them.

mod command;
mod names;

pub(crate) use command::{HIDDEN, masked_command, secrets_of_command, serialize_command};
pub(crate) use names::{is_known_name, is_of_name, is_secret, is_suspicious, suspicious_names};
