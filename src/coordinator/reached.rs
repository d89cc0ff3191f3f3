//! How a process is reached that was not started by this one on this machine: the words before a command that is to run
//! where it is, and what is said of it.

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::process::Command;
use tokio::time::timeout;

/// How long a signal may be on its way.
const SIGNAL_LIMIT: Duration = Duration::from_secs(10);

use super::pods::probe::PodProbe;

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
    /// How its pod is asked why a process there has ended; `None` outside of pods.
    pub probe: Option<PodProbe>,
}

/// A way to a machine.
#[derive(Clone)]
pub(super) struct WayToHost {
    /// As ssh or Kubernetes names the machine.
    pub(super) name: String,
    pub(super) remote: Remote,
    /// Pods of the place there; 0 without Kubernetes.
    pub(super) pods: usize,
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

    /// Sends a signal to a process there, and to the process group that it leads, if it leads one. It is done when the answer
    /// is here.
    pub fn signal(&self, pid: u32, signal: Signal) -> impl Future<Output = Result<(), String>> + Send + 'static {
        let words = self.command(&["sh".to_owned(), "-c".to_owned(), signalling(pid, signal)]);
        let what = self.what.clone();
        async move {
            let mut command = Command::new(&words[0]);
            command
                .args(&words[1..])
                .stdin(Stdio::null())
                // Ctrl-C is for the coordinator.
                .process_group(0)
                .kill_on_drop(true);
            let output = timeout(SIGNAL_LIMIT, command.output()).await;
            let output = output.map_err(|_| format!("{what}: no answer within {} s", SIGNAL_LIMIT.as_secs()))?;
            let output = output.map_err(|error| error.to_string())?;
            if output.status.success() {
                return Ok(());
            }
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("{what}: {}", said.trim()))
        }
    }
}

/// What a shell does to send a signal. `kill` is built into every shell, and a program of its own only on some systems.
fn signalling(pid: u32, signal: Signal) -> String {
    let name = signal.as_str().trim_start_matches("SIG");
    let one = format!("kill -s {name} {pid}");
    // The group of the first process of a container would be all processes.
    match pid {
        0 | 1 => one,
        _ => format!("kill -s {name} -- -{pid} 2>/dev/null || {one}"),
    }
}

/// A word as a shell reads it.
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
    use std::process::Command;

    use super::*;

    #[test]
    fn a_signal_comes_to_a_process_and_to_the_group_that_it_leads() {
        for leads in [true, false] {
            let mut command = Command::new("sleep");
            command.arg("60");
            if leads {
                command.process_group(0);
            }
            let mut child = command.spawn().unwrap();
            let script = signalling(child.id(), Signal::SIGTERM);
            assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
            assert_eq!(child.wait().unwrap().signal(), Some(15), "{script}");
        }
        assert_eq!(signalling(1, Signal::SIGSTOP), "kill -s STOP 1");
    }

    #[tokio::test]
    async fn nobody_waits_for_a_signal_to_another_host_but_who_sent_it() {
        let script = "sleep 0.4; exec \"$@\"";
        let remote = Remote {
            what: "a slow host".to_owned(),
            ended: "it is over".to_owned(),
            words: ["sh", "-c", script, "sh"].map(str::to_owned).to_vec(),
            is_shell: false,
            probe: None,
        };
        let mut child = Command::new("sleep").arg("60").process_group(0).spawn().unwrap();
        let sent = std::time::Instant::now();
        let signalled = tokio::spawn(remote.signal(child.id(), Signal::SIGTERM));
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(sent.elapsed() < Duration::from_millis(350));
        signalled.await.unwrap().unwrap();
        assert!(sent.elapsed() >= Duration::from_millis(400), "it is done at the answer");
        assert_eq!(child.wait().unwrap().signal(), Some(15));
        let gone = remote.signal(child.id(), Signal::SIGTERM).await.unwrap_err();
        assert!(
            gone.starts_with("a slow host: ") && gone.contains("No such process"),
            "{gone}"
        );
    }

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
            probe: None,
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
