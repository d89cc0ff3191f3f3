//! Asks before something is deleted.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::Result;

/// True if the user answers yes. Without a terminal, the message names `--yes`.
pub(super) fn may_delete(question: &str) -> Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        say!("nothing is deleted: there is no terminal to ask on; add --yes to delete it");
        return Ok(false);
    }
    eprint!("{question} [y/N] ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    let yes = matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes");
    if !yes {
        say!("nothing is deleted");
    }
    Ok(yes)
}
