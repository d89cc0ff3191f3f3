//! Why the workers of a place with `ssh` cannot be started, each cause with what would fix it.

/// What is wrong with a host, or the way to it. `said` is what ssh said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SshError {
    /// There is no OpenSSH here.
    #[error("cannot start ssh: {0}; install an OpenSSH client")]
    Missing(String),
    /// No folder for the connections.
    #[error("cannot make a folder for the connection: {0}; set TMPDIR to a folder that you may write to")]
    Folder(String),
    /// The name of the host is unknown.
    #[error("the host's name is not known ({said}); write its address, or a Host of your ~/.ssh/config")]
    Name {
        /// What ssh said.
        said: String,
    },
    /// Nobody answers.
    #[error("the host cannot be reached ({said}); it must run sshd, and the way to its port must be open")]
    Unreachable {
        /// What ssh said.
        said: String,
    },
    /// The host has another key than the one that is known.
    #[error("the host's key is not the known one, or is not known yet ({said}); connect once by hand: ssh HOST true")]
    HostKey {
        /// What ssh said.
        said: String,
    },
    /// The user may not log in.
    #[error(
        "the host does not let this user in ({said}); tandem asks for no password: use a key, in the agent or by \
         IdentityFile in your ~/.ssh/config"
    )]
    Refused {
        /// What ssh said.
        said: String,
    },
    /// Something else ended the connection.
    #[error("ssh ended ({said}); try it by hand: ssh HOST true")]
    Ended {
        /// What ssh said, or how it ended.
        said: String,
    },
    /// It took too long.
    #[error("{what} took longer than {seconds} s; try it by hand: ssh HOST true")]
    Slow {
        /// What.
        what: &'static str,
        /// The limit.
        seconds: u64,
    },
    /// The program of this machine cannot run there.
    #[error(
        "its architecture is {there}, and this program is for {here}; install tandem there and name it by \
         tandem = \"/path/of/tandem\" in [[place]]"
    )]
    Architecture {
        /// As `uname -s -m` says it there.
        there: String,
        /// Of this program.
        here: String,
    },
    /// The program does not run there.
    #[error("{path} does not run there ({said}); build tandem for that host, and name it by `tandem` in [[place]]")]
    Program {
        /// Its path there.
        path: String,
        /// What was said.
        said: String,
    },
    /// Programs that ready-made clients need are missing there.
    #[error("{clients} cannot run there, because the host has no {tools}; install it there: {install}")]
    Lacks {
        /// Their names and versions.
        clients: String,
        /// What is missing.
        tools: String,
        /// The command that installs it.
        install: String,
    },
    /// A ready-made client cannot run on such a host.
    #[error(
        "client {client} was built for {here}, and the host is {there}; run it here, or at a place with `container`"
    )]
    ForOthers {
        /// Its name and version.
        client: String,
        /// As `uname -s -m` says it there.
        there: String,
        /// Of this machine.
        here: String,
    },
    /// A ready-made client could not be taken there.
    #[error(
        "client {client} cannot be copied there ({said}); the host must have tar, find and free space in ~/.cache/tandem"
    )]
    NotCopied {
        /// Its name and version.
        client: String,
        /// What was said.
        said: String,
    },
    /// A ready-made client does not run there.
    #[error("client {client} does not run there ({said}); the host must have {needs}")]
    Client {
        /// Its name and version.
        client: String,
        /// What was said.
        said: String,
        /// What it needs.
        needs: &'static str,
    },
    /// The limits of the place cannot be set there.
    #[error(
        "its limits cannot be set there ({said}); `cpu_limit` and `memory_limit` need control groups that the user there may \
         make: log in as root, or leave them out"
    )]
    Limits {
        /// What was said.
        said: String,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// The program could not be taken there.
    #[error("the program cannot be copied there ({0}); install it there, and name it by `tandem` in [[place]]")]
    Copy(String),
}

impl SshError {
    /// What is wrong, and what would fix it.
    pub fn parts(&self) -> (String, String) {
        let text = self.to_string();
        let (what, fix) = text.rsplit_once("; ").unwrap_or((&text, ""));
        (what.to_owned(), fix.to_owned())
    }

    /// What an end of ssh means, by what it said.
    pub(super) fn of(said: &str) -> Self {
        let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
        let is = |words: &[&str]| words.iter().any(|words| said.contains(words));
        let said = last.unwrap_or("it said nothing").to_owned();
        // What `env` says in its own words.
        if is(&["env: "]) && is(&["No such file or directory"]) {
            SshError::Missing(said)
        } else if is(&["Could not resolve hostname"]) {
            SshError::Name { said }
        } else if is(&["Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED"]) {
            SshError::HostKey { said }
        } else if is(&["Permission denied", "Too many authentication failures"]) {
            SshError::Refused { said }
        } else if is(&[
            "Connection refused",
            "Connection timed out",
            "No route to host",
            "Network is unreachable",
            "Operation timed out",
        ]) {
            SshError::Unreachable { said }
        } else {
            SshError::Ended { said }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SshError;

    #[test]
    fn what_ssh_says_names_the_cause() {
        let refused = "Warning: Permanently added.\nroot@h: Permission denied (publickey).\n";
        let said = "root@h: Permission denied (publickey).".to_owned();
        assert_eq!(SshError::of(refused), SshError::Refused { said });
        let unreachable = SshError::of("ssh: connect to host h port 22: Connection refused\r\n");
        assert!(matches!(unreachable, SshError::Unreachable { .. }));
        let name = SshError::of("ssh: Could not resolve hostname h: Name or service not known");
        assert!(matches!(name, SshError::Name { .. }));
        let key = SshError::of("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.");
        assert!(matches!(key, SshError::HostKey { .. }));
        let ended = SshError::of("");
        let (what, fix) = ended.parts();
        assert_eq!(
            (what.as_str(), fix.as_str()),
            ("ssh ended (it said nothing)", "try it by hand: ssh HOST true")
        );
    }
}
