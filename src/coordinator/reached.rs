//! How a process is reached that was not started by this one on this machine: the words before a command that is to run
//! where it is, and what is said of it.

use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

/// How a process elsewhere is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Where it is, for messages: `ssh bench@host`, `pod tandem-1`.
    pub what: String,
    /// What is said where its process here has ended, before how that ended: `its session by ssh to bench@host is over`.
    pub ended: String,
    /// The words before a command that is to run there.
    pub words: Vec<String>,
    /// True if a shell there reads the words of the command as one text, as with ssh.
    pub is_shell: bool,
}

impl Remote {
    /// The command line here that runs a command there. A shell there turns into the command.
    pub fn command(&self, there: &[String]) -> Vec<String> {
        let mut words = self.words.clone();
        if self.is_shell {
            let quoted: Vec<String> = there.iter().map(|word| quoted(word)).collect();
            words.push(format!("exec {}", quoted.join(" ")));
        } else {
            words.extend(there.iter().cloned());
        }
        words
    }

    /// Sends a signal to a process there. Blocks for an exchange with the host.
    pub fn signal(&self, pid: u32, signal: Signal) -> Result<(), String> {
        let name = signal.as_str().trim_start_matches("SIG");
        // `kill` is built into every shell, and a program of its own only on some systems.
        let there = ["sh".to_owned(), "-c".to_owned(), format!("kill -s {name} {pid}")];
        let words = self.command(&there);
        let output = Command::new(&words[0])
            .args(&words[1..])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("{}: {}", self.what, said.trim()))
    }
}

/// A word as a shell reads it.
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_reaches_the_command_as_it_is() {
        let word = "it's $HOME; \"x\"\\ *";
        let output = Command::new("sh")
            .args(["-c", &format!("printf %s {}", quoted(word))])
            .output();
        let output = output.map(|output| output.stdout).unwrap_or_default();
        assert_eq!(String::from_utf8_lossy(&output), word);
    }

    #[test]
    fn a_command_is_one_text_for_a_shell_and_words_for_all_else() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let remote = |is_shell| Remote {
            what: "there".to_owned(),
            ended: "it is over".to_owned(),
            words: words("reach it"),
            is_shell,
        };
        let command = words("env A=1 tandem");
        assert_eq!(remote(false).command(&command), words("reach it env A=1 tandem"));
        let last = "exec 'env' 'A=1' 'tandem'".to_owned();
        assert_eq!(
            remote(true).command(&command),
            ["reach".to_owned(), "it".to_owned(), last]
        );
    }
}
