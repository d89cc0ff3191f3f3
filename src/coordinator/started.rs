//! How a program is started, wherever that is. Only the words.

use std::collections::BTreeMap;

/// How an app is started, without its role.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Started {
    /// Program and arguments.
    pub(super) command: Vec<String>,
    /// Variables of its environment besides those of this program.
    pub(super) env: BTreeMap<String, String>,
    /// True for tandem's own worker.
    pub(super) is_own: bool,
}
