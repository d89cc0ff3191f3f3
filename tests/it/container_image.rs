//! An image with the program under test, in the Docker engine that the tests find, and the containers of a run.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;

use crate::scene::PROGRAM;

/// An image, removed with this.
pub struct Image {
    pub name: String,
}

/// What the engine's program says.
pub fn docker(arguments: &[&str]) -> Output {
    Command::new("docker").args(arguments).output().unwrap()
}

/// Its standard output, where it must succeed.
pub fn docker_says(arguments: &[&str]) -> String {
    let output = docker(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "docker {arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Image {
    /// Makes one with the program and the libraries that it needs; `None`, with the reason printed, where there is no engine.
    pub fn with_program() -> Option<Self> {
        let engine = Command::new("docker").arg("info").output();
        if !engine.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: there is no Docker engine: `docker info` fails");
            return None;
        }
        let architecture = docker_says(&["version", "--format", "{{.Server.Arch}}"]);
        Some(Image::made(&architecture, |root| {
            let copy = root.join("usr/local/bin/tandem");
            // Symbols would be most of the image.
            let stripped = Command::new("strip").arg("-o").arg(&copy).arg(PROGRAM).status();
            if !stripped.is_ok_and(|status| status.success()) {
                fs::copy(PROGRAM, &copy).unwrap();
            }
            for library in libraries(Path::new(PROGRAM)) {
                let there = root.join(library.trim_start_matches('/'));
                fs::create_dir_all(there.parent().unwrap()).unwrap();
                fs::copy(&library, there).unwrap();
            }
        }))
    }

    /// Makes one without any program.
    pub fn empty(architecture: &str) -> Self {
        Image::made(architecture, |_| {})
    }

    /// Makes one for these processors from a folder that is filled.
    fn made(architecture: &str, fill: impl FnOnce(&Path)) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let folder = tempfile::tempdir().unwrap();
        let in_folder = |name: &str| folder.path().join(name);
        let root = in_folder("root");
        fs::create_dir_all(root.join("usr/local/bin")).unwrap();
        fs::create_dir(root.join("tmp")).unwrap();
        fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777)).unwrap();
        fill(&root);
        pack(&root, &in_folder("layer.tar"), &["."]);
        let sum = Command::new("sha256sum").arg(in_folder("layer.tar")).output().unwrap();
        let sum = String::from_utf8(sum.stdout).unwrap();
        let layer = format!("sha256:{}", sum.split(' ').next().unwrap());
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tandem-test:{}-{number}", std::process::id());
        let config = json!({
            "architecture": architecture,
            "os": "linux",
            "config": { "Env": ["PATH=/usr/local/bin"] },
            "rootfs": { "type": "layers", "diff_ids": [layer] },
        });
        fs::write(in_folder("config.json"), config.to_string()).unwrap();
        let manifest = json!([{ "Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"] }]);
        fs::write(in_folder("manifest.json"), manifest.to_string()).unwrap();
        let archive = in_folder("image.tar");
        pack(folder.path(), &archive, &["manifest.json", "config.json", "layer.tar"]);
        docker_says(&["load", "--quiet", "--input", archive.to_str().unwrap()]);
        Image { name }
    }

    /// A place of this name with this image, and further keys.
    pub fn place(&self, name: &str, keys: &str) -> String {
        format!(
            "[[place]]\nname = '{name}'\ncontainer = {{ image = '{}' }}\n{keys}\n",
            self.name
        )
    }

    /// Names of the containers that were made from it and are there, stopped ones too.
    pub fn containers(&self) -> Vec<String> {
        let all = docker_says(&["ps", "--all", "--format", "{{.Names}} {{.Image}}"]);
        let own = all.lines().filter_map(|line| line.split_once(' '));
        own.filter(|(_, image)| *image == self.name)
            .map(|(name, _)| name.to_owned())
            .collect()
    }

    /// Those of them in which a worker has got as far as to have its readers.
    pub fn reading(&self) -> Vec<String> {
        self.containers()
            .into_iter()
            .filter(|name| !readers(name).is_empty())
            .collect()
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // Only where a test failed is there a container left.
        for name in self.containers() {
            docker(&["rm", "--force", &name]);
        }
        docker(&["rmi", "--force", &self.name]);
    }
}

/// Ids of the processes here that are workers with readers in a container.
pub fn readers(container: &str) -> Vec<u32> {
    let top = docker(&["top", container, "-eo", "pid"]);
    let text = String::from_utf8_lossy(&top.stdout).into_owned();
    let pids = text.lines().skip(1).filter_map(|line| line.trim().parse().ok());
    pids.filter(|pid| has_readers(*pid)).collect()
}

fn has_readers(pid: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let mut names = threads.filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok());
    names.any(|name| name.starts_with("reader-"))
}

/// Packs files of a folder.
fn pack(folder: &Path, archive: &Path, files: &[&str]) {
    let packed = Command::new("tar")
        .arg("-C")
        .arg(folder)
        .arg("-cf")
        .arg(archive)
        .args(files)
        .status();
    assert!(packed.unwrap().success());
}

/// The files of the libraries that a program is linked to, its loader among them.
fn libraries(program: &Path) -> Vec<String> {
    let listed = Command::new("ldd").arg(program).output().unwrap();
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let paths = text.split_whitespace().filter(|word| word.starts_with('/'));
    paths.map(str::to_owned).collect()
}
