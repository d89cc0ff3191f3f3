//! The private server: laid out, initialised, started, ended and removed with all its data.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use rand::RngExt;

use super::error::PrivateError;
use super::place::Place;
use super::programs::Programs;
use crate::measure::Setting;
use crate::secret::Secret;
use crate::server::{
    Keeper, OUTPUT, Ports, Server, ServerCommand, Tool, ToolEnd, command_as, make_directory, remove_owned_directory,
    write_private,
};

/// How long initialising and starting may take, each.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// Pause between two looks at one that starts.
const PAUSE: Duration = Duration::from_millis(20);

/// How often a start is tried again when another program took the port in between.
const PORT_ATTEMPTS: u32 = 4;

/// Its user and its database; the password is made anew for each.
const USER: &str = "tandem";
const DATABASE: &str = "postgres";

/// What initdb takes from the environment of its user otherwise.
const INITIALISED: [(&str, &str); 2] = [("locale", "C"), ("encoding", "UTF8")];

/// Connections that PostgreSQL allows by default, and those of them that are not for workers: three are for superusers, and
/// the run has its own.
const DEFAULT_CONNECTIONS: u32 = 100;
const OTHER_CONNECTIONS: u32 = 10;

/// What database to run.
#[derive(Debug, Clone)]
pub struct PrivateOptions {
    /// The folder of brokers' data.
    pub data_parent: PathBuf,
    /// Id of the run, part of the folder's name and mark of all processes.
    pub run_id: String,
    /// Connections that workers have at once.
    pub connections: u32,
}

/// A PostgreSQL run here; killed and removed with its data when dropped.
pub struct PrivatePostgres {
    server: Server,
    directory: PathBuf,
    data: PathBuf,
    run_id: String,
    keeper: Arc<dyn Keeper>,
    version: String,
    url: Secret,
    settings: Vec<Setting>,
}

impl PrivatePostgres {
    /// Initialises and starts a server and waits until it takes connections. Setting `interrupted` ends it early. Nothing
    /// is left of a start that fails.
    pub fn start(
        programs: &Programs,
        options: &PrivateOptions,
        keeper: &Arc<dyn Keeper>,
        interrupted: &AtomicBool,
    ) -> Result<Self, PrivateError> {
        let place = Place::find(&options.data_parent)?;
        let mut attempt = 1;
        loop {
            let postgres = Self::lay_out(programs, options, &place, keeper)?;
            postgres.initialise(programs, &place, interrupted)?;
            postgres.server.start()?;
            match postgres.wait_until_ready(interrupted) {
                Ok(()) => return Ok(postgres),
                Err(_) if attempt < PORT_ATTEMPTS && postgres.port_was_taken() => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// The folder in which that of a private server would be made.
    pub fn parent(data_parent: &Path) -> Result<PathBuf, PrivateError> {
        Ok(Place::find(data_parent)?.parent)
    }

    fn lay_out(
        programs: &Programs,
        options: &PrivateOptions,
        place: &Place,
        keeper: &Arc<dyn Keeper>,
    ) -> Result<Self, PrivateError> {
        let port = Ports::default().take("127.0.0.1")?;
        let directory = make_directory(&place.parent, &options.run_id, "postgresql", keeper.as_ref())?;
        let (data, mut settings) = (directory.join("data"), settings(port, options.connections));
        let mut arguments = vec!["-D".to_owned(), data.display().to_string()];
        let assigned = |setting: &Setting| ["-c".to_owned(), format!("{}={}", setting.name, setting.value)];
        arguments.extend(settings.iter().flat_map(assigned));
        settings.extend(
            INITIALISED.map(|(name, value)| setting(&format!("initdb --{name}"), value, "the same everywhere")),
        );
        let command = ServerCommand {
            program: programs.folder.join("postgres"),
            arguments,
            run_id: options.run_id.clone(),
            account: place.account.clone(),
            // Fast: clients are disconnected, and everything is written.
            stop: Signal::SIGINT,
            log: OUTPUT,
            failure_signs: &["ERROR: ", "FATAL: ", "PANIC: ", "could not "],
        };
        let password: String = hexadecimal(rand::rng().random::<u128>());
        // From here on dropping it removes the directory.
        let postgres = PrivatePostgres {
            server: Server::new(directory.clone(), command, Arc::clone(keeper)),
            data,
            run_id: options.run_id.clone(),
            keeper: Arc::clone(keeper),
            version: programs.version.clone(),
            url: Secret::new(format!("postgresql://{USER}:{password}@127.0.0.1:{port}/{DATABASE}")),
            settings,
            directory,
        };
        place.open(&postgres.directory)?;
        fs::create_dir(&postgres.data).map_err(PrivateError::io("make the folder", &postgres.data))?;
        place.give(&postgres.data)?;
        let file = postgres.password_file();
        write_private(&file, &password)?;
        place.give(&file)?;
        Ok(postgres)
    }

    /// Makes the files of an empty database.
    fn initialise(&self, programs: &Programs, place: &Place, interrupted: &AtomicBool) -> Result<(), PrivateError> {
        let password = self.password_file();
        let mut command = command_as(place.account.as_ref(), &programs.folder.join("initdb"));
        command
            .arg(format!("--pgdata={}", self.data.display()))
            .arg(format!("--username={USER}"))
            .arg(format!("--pwfile={}", password.display()))
            .arg("--auth=scram-sha-256")
            .args(INITIALISED.map(|(name, value)| format!("--{name}={value}")))
            .current_dir(&self.directory);
        let output = self.directory.join("initdb.log");
        let mut tool = Tool::start(&mut command, &output, &self.run_id, &self.keeper)?;
        let problem = match tool.wait(Instant::now() + READY_LIMIT, interrupted)? {
            ToolEnd::Exited(exit) if exit.success() => {
                return fs::remove_file(&password).map_err(PrivateError::io("remove", &password));
            }
            ToolEnd::Exited(exit) => format!("could not be initialised ({exit})"),
            ToolEnd::TimedOut => format!("was not initialised within {} s", READY_LIMIT.as_secs()),
            ToolEnd::Interrupted => return Err(PrivateError::Interrupted),
        };
        Err(self.failure(problem, tool.last_lines()))
    }

    /// Waits until it takes connections, for at most a minute; to be used after it was started again, too.
    pub fn wait_until_ready(&self, interrupted: &AtomicBool) -> Result<(), PrivateError> {
        let deadline = Instant::now() + READY_LIMIT;
        while !self.is_ready() {
            if interrupted.load(Ordering::Relaxed) {
                return Err(PrivateError::Interrupted);
            }
            if let Some(exit) = self.server.exit_status() {
                return Err(self.failure(format!("ended while it started ({exit})"), self.last_log_lines()));
            }
            if Instant::now() > deadline {
                let problem = format!("takes no connections after {} s", READY_LIMIT.as_secs());
                return Err(self.failure(problem, self.last_log_lines()));
            }
            sleep(PAUSE);
        }
        Ok(())
    }

    /// The server writes its process id into the first line of this file, and its status into the eighth.
    fn is_ready(&self) -> bool {
        let Some(pid) = self.server.pid() else { return false };
        let text = fs::read_to_string(self.data.join("postmaster.pid")).unwrap_or_default();
        let mut lines = text.lines().map(str::trim);
        lines.next() == Some(&pid.to_string()) && lines.nth(6) == Some("ready")
    }

    fn port_was_taken(&self) -> bool {
        self.server.last_log_lines().contains("could not bind")
    }

    fn password_file(&self) -> PathBuf {
        self.directory.join("password")
    }

    fn failure(&self, problem: String, log: String) -> PrivateError {
        PrivateError::Start {
            version: self.version.clone(),
            problem,
            log,
        }
    }

    /// How clients reach it, with the password.
    pub fn url(&self) -> &Secret {
        &self.url
    }

    /// The version of PostgreSQL.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Settings that differ from PostgreSQL's defaults, with the reason.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// The folder that holds all of its files.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Process id of the first of its processes, which has started the others; `None` while it does not run.
    pub fn pid(&self) -> Option<u32> {
        self.server.pid()
    }

    /// How it ended; `None` while it runs.
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.server.exit_status()
    }

    /// The failures in its log, or else its last lines.
    pub fn last_log_lines(&self) -> String {
        self.server.last_log_lines()
    }

    /// Starts its process again, unless it runs; [`PrivatePostgres::wait_until_ready`] waits until it answers.
    pub fn restart(&self) -> Result<(), PrivateError> {
        Ok(self.server.start()?)
    }

    /// Asks it to end in order: connections are closed, and everything is written. Killed after 15 s.
    pub fn stop(&self) -> io::Result<()> {
        self.server.stop()
    }

    /// Kills all of its processes at once (SIGKILL) and waits until they are gone.
    pub fn kill(&self) -> io::Result<()> {
        self.server.kill()
    }

    /// Suspends all of its processes (SIGSTOP): connections stay, and nothing answers.
    pub fn suspend(&self) -> io::Result<()> {
        self.server.suspend()
    }

    /// Lets it go on after [`PrivatePostgres::suspend`].
    pub fn resume(&self) -> io::Result<()> {
        self.server.resume()
    }

    /// Ends it and removes its data.
    pub fn close(mut self) -> Result<(), PrivateError> {
        self.remove()
    }

    fn remove(&mut self) -> Result<(), PrivateError> {
        // Immediately: nobody needs what it would write, and unlike a killed server it frees its shared memory.
        let ended = self.server.stop_by(Signal::SIGQUIT);
        ended.map_err(PrivateError::io("end the server of", &self.directory))?;
        let removed = remove_owned_directory(&self.directory, &self.run_id);
        removed.map_err(PrivateError::io("remove", &self.directory))?;
        self.keeper.directory_removed(&self.directory);
        Ok(())
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        // Nobody reads an error here; the guardian tries again.
        let _ = self.remove();
    }
}

/// What differs from PostgreSQL's defaults in every start. Durability does not: a commit waits for the disk.
fn settings(port: u16, connections: u32) -> Vec<Setting> {
    let needed = connections.saturating_add(OTHER_CONNECTIONS);
    let more = (needed > DEFAULT_CONNECTIONS).then(|| {
        let reason = format!("instead of {DEFAULT_CONNECTIONS}: each thread that works has a connection");
        setting("max_connections", &needed.to_string(), &reason)
    });
    let fixed = [
        setting("listen_addresses", "127.0.0.1", "clients are on this machine"),
        setting("port", &port.to_string(), "a free one"),
        setting(
            "unix_socket_directories",
            "",
            "clients connect by TCP, as to a server elsewhere",
        ),
        setting(
            "dynamic_shared_memory_type",
            "mmap",
            "its files lie in the data directory and go with it, even if the run is killed",
        ),
    ];
    fixed.into_iter().chain(more).collect()
}

fn setting(name: &str, value: &str, reason: &str) -> Setting {
    Setting {
        name: name.to_owned(),
        value: value.to_owned(),
        reason: reason.to_owned(),
    }
}

fn hexadecimal(number: u128) -> String {
    format!("{number:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_connections_are_allowed_only_where_workers_need_them() {
        let connections = |workers| {
            let settings = settings(15_000, workers);
            settings
                .into_iter()
                .find(|setting| setting.name == "max_connections")
                .map(|setting| setting.value)
        };
        assert_eq!((connections(90), connections(91)), (None, Some("101".to_owned())));
    }
}
