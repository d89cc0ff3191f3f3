//! An OpenSSH server for a test: on a free port of the loopback, with keys of its own, and a client that knows no other.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::scene::{Scene, within};

const SSHD: &str = "/usr/sbin/sshd";

/// By which clients know the server.
pub const HOST: &str = "far";

/// What a shell in a mount namespace does to be on another machine: its boot gets another id.
pub const OTHER_BOOT: &str = "id=$(mktemp) && echo 00000000-aaaa-bbbb-cccc-000000000000 >\"$id\" && \
                              mount --bind \"$id\" /proc/sys/kernel/random/boot_id && rm \"$id\" && exec \"$@\"";

pub struct Server {
    folder: tempfile::TempDir,
    process: Child,
}

impl Server {
    /// Starts one whose processes are started by these words first, such as `unshare`; `None`, with the reason printed,
    /// where there is no sshd. Continuous integration has one.
    pub fn start(wrapper: &[&str]) -> Option<Self> {
        Self::start_with(wrapper, "")
    }

    /// The same for a server whose login shell does this first, and then what it is asked to do.
    pub fn start_with(wrapper: &[&str], first: &str) -> Option<Self> {
        Self::start_at("127.0.0.1", wrapper, first)
    }

    /// The same for a server that listens at this address.
    pub fn start_at(address: &str, wrapper: &[&str], first: &str) -> Option<Self> {
        if !Path::new(SSHD).exists() {
            assert!(
                std::env::var_os("CI").is_none(),
                "continuous integration must have {SSHD}"
            );
            eprintln!("skipped: there is no {SSHD}; it comes with openssh-server");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let in_folder = |name: &str| folder.path().join(name);
        for key in ["host", "user", "other"] {
            let file = in_folder(key);
            succeed(
                Command::new("ssh-keygen")
                    .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                    .arg(file),
            );
        }
        fs::copy(in_folder("user.pub"), in_folder("authorized")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder_name = folder.path().display();
        let server = format!(
            "ListenAddress {address}\nPort {port}\nHostKey {folder_name}/host\nAuthorizedKeysFile {folder_name}/authorized\n\
             PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin prohibit-password\nSetEnv XDG_CACHE_HOME={folder_name}/cache\n"
        );
        let server = match first {
            "" => server,
            first => format!("{server}ForceCommand {first}; eval \"$SSH_ORIGINAL_COMMAND\"\n"),
        };
        fs::write(in_folder("sshd_config"), server).unwrap();
        let host_key = fs::read_to_string(in_folder("host.pub")).unwrap();
        fs::write(in_folder("known"), format!("[{address}]:{port} {host_key}")).unwrap();
        let host = |name: &str, port: u16, key: &str, known: &str| {
            format!(
                "Host {name}\nHostName {address}\nPort {port}\nIdentityFile {folder_name}/{key}\nIdentitiesOnly yes\n\
                 IdentityAgent none\nUserKnownHostsFile {folder_name}/{known}\nStrictHostKeyChecking yes\n"
            )
        };
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let client = [
            host(HOST, port, "user", "known"),
            host("wrong-key", port, "other", "known"),
            host("unknown-host-key", port, "user", "known-to-nobody"),
            host("closed", closed, "user", "known"),
            host("asks", port, "user", "known-to-nobody").replace("Checking yes", "Checking ask"),
            host("behind", port, "user", "known") + "ProxyJump asks\n",
        ];
        fs::write(in_folder("ssh_config"), client.concat()).unwrap();
        // ssh looks for its configuration in the home of the account, whatever HOME says.
        fs::create_dir(in_folder("bin")).unwrap();
        let ssh = format!("#!/bin/sh\nexec /usr/bin/ssh -F {folder_name}/ssh_config \"$@\"\n");
        fs::write(in_folder("bin/ssh"), ssh).unwrap();
        fs::set_permissions(in_folder("bin/ssh"), fs::Permissions::from_mode(0o755)).unwrap();
        // Privilege separation of a server that root starts needs this folder.
        let _ = fs::create_dir("/run/sshd");
        let words = [wrapper, &[SSHD, "-D", "-e", "-f"]].concat();
        let process = Command::new(words[0])
            .args(&words[1..])
            .arg(in_folder("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(in_folder("log")).unwrap())
            .spawn()
            .unwrap();
        let server = Server { folder, process };
        let listens = || std::net::TcpStream::connect((address, port)).is_ok();
        assert!(within(Duration::from_secs(20), listens), "{}", server.log());
        Some(server)
    }

    /// One that is another machine to all that asks: its boot has another id. These flags of `unshare` come besides.
    pub fn other_machine(namespaces: &[&str]) -> Option<Self> {
        Self::other_machine_with(namespaces, "")
    }

    /// The same, whose login shell does this first.
    pub fn other_machine_with(namespaces: &[&str], first: &str) -> Option<Self> {
        let words = [&["unshare", "--mount"], namespaces, &["sh", "-c", OTHER_BOOT, "sh"]].concat();
        let can = Command::new(words[0]).args(&words[1..]).arg("true").status();
        if !can.is_ok_and(|status| status.success()) {
            assert!(
                std::env::var_os("CI").is_none(),
                "continuous integration must be able to mount"
            );
            eprintln!("skipped: mount and time namespaces need root");
            return None;
        }
        Server::start_with(&words, first)
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path().join("log")).unwrap_or_default()
    }

    /// A scene whose ssh knows this server.
    pub fn known_to(&self, scene: Scene) -> Scene {
        let path = std::env::var("PATH").unwrap();
        scene.environment("PATH", Some(&format!("{}/bin:{path}", self.path().display())))
    }

    /// True where something was made for copies of the program.
    pub fn has_folders(&self) -> bool {
        self.path().join("cache").exists()
    }

    /// The copies of the program that were taken to the host.
    pub fn copies(&self) -> Vec<PathBuf> {
        let folders = fs::read_dir(self.path().join("cache/tandem/programs"))
            .into_iter()
            .flatten();
        folders.map(|folder| folder.unwrap().path().join("tandem")).collect()
    }

    /// Processes of that copy, which are the workers on the host.
    pub fn workers(&self) -> Vec<u32> {
        let copies = self.copies();
        let pids = fs::read_dir("/proc").unwrap().flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let is_copy = |pid: &u32| fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| copies.contains(&exe));
        pids.filter(is_copy).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A wrapper that forks ends with its child, which it does not end itself.
        for pid in crate::ssh_server::children(self.process.id()) {
            crate::scene::signal(pid, nix::sys::signal::Signal::SIGKILL);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The processes that a process has started.
pub fn children(pid: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

#[track_caller]
fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
