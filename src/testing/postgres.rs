//! A PostgreSQL for tests: the machine's own program with a data directory in a temporary folder. Also a part of
//! tests/it, so it knows nothing of ours.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use nix::unistd::{Uid, User};
use tempfile::TempDir;

const USER: &str = "tandem";
const PASSWORD: &str = "rather secret";
const PASSWORD_IN_URL: &str = "rather%20secret";

/// Ends the server when the test's process is gone, however it went: its end of the pipe is closed then.
const GUARD: &str = r#"
trap '' INT TERM HUP
cat > /dev/null
test -f "$1/data/postmaster.pid" && kill -QUIT "$(head -1 "$1/data/postmaster.pid")" 2> /dev/null
sleep 0.3
rm -rf "$1"
"#;

/// A server of its own user and port.
pub(crate) struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
    /// Ids of the user and the group that it runs as, where this is root.
    user: Option<(u32, u32)>,
    guard: Child,
}

/// The server that the tests of a process share; each uses tables of its own.
pub(crate) fn shared_postgres() -> &'static Postgres {
    static SHARED: LazyLock<Postgres> = LazyLock::new(Postgres::start);
    &SHARED
}

impl Postgres {
    /// Makes a data directory and starts a server on it.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let user = Uid::effective().is_root().then(unprivileged);
        if let Some((user, group)) = user {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Postgres {
            programs: programs(),
            folder,
            port,
            user,
            guard,
        };
        let password = server.path("password");
        fs::write(&password, PASSWORD).unwrap();
        server.give(&password);
        let initdb = [
            "--username",
            USER,
            "--auth=scram-sha-256",
            "--no-sync",
            "--encoding=UTF8",
            "--pwfile",
        ];
        server.run(
            "initdb",
            &[&initdb[..], &[text(&password), text(&server.path("data"))]].concat(),
        );
        server.resume();
        server
    }

    /// Starts the server again.
    pub(crate) fn resume(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off",
            self.port
        );
        let log = self.path("log");
        self.control(&["-w", "-o", &options, "-l", text(&log), "start"]);
    }

    /// Stops the server; its connections are lost.
    pub(crate) fn stop(&self) {
        self.control(&["-m", "immediate", "-w", "stop"]);
    }

    /// Its address, with password and database.
    pub(crate) fn url(&self) -> String {
        self.url_with(PASSWORD_IN_URL)
    }

    /// The same with another password.
    pub(crate) fn url_with(&self, password: &str) -> String {
        format!("postgresql://{USER}:{password}@127.0.0.1:{}/postgres", self.port)
    }

    /// Makes a file or folder the server's own.
    pub(crate) fn give(&self, path: &Path) {
        if let Some((user, group)) = self.user {
            chown(path, Some(user), Some(group)).unwrap();
        }
    }

    fn control(&self, arguments: &[&str]) {
        let data = self.path("data");
        self.run("pg_ctl", &[&["-D", text(&data)], arguments].concat());
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(self.programs.join(program));
        // A server that inherited the test's output would keep its reader waiting.
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        let status = command.stderr(Stdio::inherit()).status().unwrap();
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        assert!(status.success(), "{program} {arguments:?}: {status}\n{log}");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The user that the package makes, or the one that every machine has.
fn unprivileged() -> (u32, u32) {
    let user = |name| User::from_name(name).ok().flatten();
    let user = user("postgres").or_else(|| user("nobody")).unwrap();
    (user.uid.as_raw(), user.gid.as_raw())
}

/// Where the programs of the newest version are that the machine has.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders = versions.map(|version| version.path().join("bin"));
    let version = |folder: &PathBuf| {
        let name = folder.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        name.and_then(|name| name.parse::<u32>().ok())
    };
    folders
        .filter(|folder| folder.join("initdb").exists())
        .max_by_key(version)
        .unwrap_or_else(|| panic!("there is no /usr/lib/postgresql/*/bin/initdb: apt-get install postgresql"))
}
