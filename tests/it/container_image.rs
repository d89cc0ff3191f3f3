//! An image with the program under test, in the Docker engine that the tests find, and the containers of a run.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

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
        Image::made(Some(Path::new(PROGRAM)), &[])
    }

    /// Makes one, whose only program is this one, or that has none, with these flags for the import.
    pub fn made(program: Option<&Path>, flags: &[&str]) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let engine = Command::new("docker").arg("info").output();
        if !engine.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: there is no Docker engine: `docker info` fails");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("usr/local/bin")).unwrap();
        fs::create_dir(root.join("tmp")).unwrap();
        fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777)).unwrap();
        if let Some(program) = program {
            let copy = root.join("usr/local/bin/tandem");
            // Symbols would be most of the image.
            let stripped = Command::new("strip").arg("-o").arg(&copy).arg(program).status();
            if !stripped.is_ok_and(|status| status.success()) {
                fs::copy(program, &copy).unwrap();
            }
            for library in libraries(program) {
                let there = root.join(library.trim_start_matches('/'));
                fs::create_dir_all(there.parent().unwrap()).unwrap();
                fs::copy(&library, there).unwrap();
            }
        }
        let archive = folder.path().join("image.tar");
        let (archive, root) = (archive.to_str().unwrap(), root.to_str().unwrap());
        let packed = Command::new("tar").args(["-C", root, "-cf", archive, "."]).status();
        assert!(packed.unwrap().success());
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tandem-test:{}-{number}", std::process::id());
        let path = ["--change", "ENV PATH=/usr/local/bin", archive, &name];
        docker_says(&[&["import"], flags, &path[..]].concat());
        Some(Image { name })
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

/// The files of the libraries that a program is linked to, its loader among them.
fn libraries(program: &Path) -> Vec<String> {
    let listed = Command::new("ldd").arg(program).output().unwrap();
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let paths = text.split_whitespace().filter(|word| word.starts_with('/'));
    paths.map(str::to_owned).collect()
}
