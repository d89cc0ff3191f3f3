//! A broker with a file of its own, for what tandem's own brokers never are: secured, or in another network namespace.
//! A guardian ends it with this process, however that ends.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tandem::coordinator::guardian::Guardian;
use tandem::kafka::local::Distribution;
use tandem::scenario::DEFAULT_KAFKA_VERSION;
use tandem::server::{Keeper, RUN_VARIABLE, marker_name};

use crate::scene::PROGRAM;

/// A broker that runs until this is dropped.
pub struct Rigged {
    process: Child,
    distribution: Distribution,
    /// Holds certificates, logs and data.
    pub folder: PathBuf,
    guardian: Arc<Guardian>,
}

/// What makes a broker another than tandem's own.
pub struct Rig<'a> {
    /// Part of its mark.
    pub name: &'a str,
    /// Programs in front of Java, such as `ip netns exec`.
    pub launcher: &'a [&'a str],
    /// Further arguments of the formatting.
    pub format: Vec<String>,
}

/// A port that is free now, below those of outgoing connections.
pub fn free_port() -> u16 {
    loop {
        let port = rand::random_range(15_000..32_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Rigged {
    /// Formats and starts it; `properties` makes its file, given its folder. It takes a while until it answers.
    pub fn start(rig: &Rig, properties: impl FnOnce(&Path) -> String) -> Self {
        let distribution = Distribution::find_or_get(DEFAULT_KAFKA_VERSION, &|message| eprintln!("{message}")).unwrap();
        let parent = tempfile::tempdir().unwrap().keep();
        let run_id = format!("{}{}", rig.name, std::process::id());
        let guardian = Guardian::start(Path::new(PROGRAM), &run_id, &parent, &parent.join("state")).unwrap();
        let guardian = Arc::new(guardian);
        guardian.directory_planned(&parent);
        fs::write(parent.join(marker_name(&run_id)), "").unwrap();
        let folder = parent.join("broker");
        fs::create_dir(&folder).unwrap();
        let file = folder.join("server.properties");
        let common = format!(
            "node.id=1\nprocess.roles=broker,controller\ncontroller.listener.names=CONTROLLER\nlog.dirs={}\n\
             offsets.topic.replication.factor=1\noffsets.topic.num.partitions=3\nauto.create.topics.enable=false\n\
             group.initial.rebalance.delay.ms=150\ngroup.consumer.heartbeat.interval.ms=200\n\
             group.consumer.min.heartbeat.interval.ms=200\n",
            folder.join("data").display()
        );
        fs::write(&file, common + &properties(&folder)).unwrap();
        let java = |arguments: &[&str], log: &str| {
            let program = distribution.java.program.to_str().unwrap();
            let line: Vec<&str> = rig.launcher.iter().copied().chain([program]).collect();
            let output = File::create(folder.join(log)).unwrap();
            let mut command = Command::new(line[0]);
            command
                .args(&line[1..])
                .args([
                    "-Xmx300m",
                    "-XX:TieredStopAtLevel=1",
                    "-cp",
                    &format!("{}/*", distribution.libs.display()),
                ])
                .args(arguments)
                .env(RUN_VARIABLE, &run_id)
                .stdin(Stdio::null())
                .stdout(output.try_clone().unwrap())
                .stderr(output)
                .process_group(0);
            command
        };
        let path = file.to_str().unwrap();
        let formatted = java(
            &[
                "kafka.tools.StorageTool",
                "format",
                "-t",
                "dGFuZGVtLXJpZ2dlZC1jbA",
                "-c",
                path,
            ],
            "format.log",
        )
        .args(&rig.format)
        .status()
        .unwrap();
        let said = || fs::read_to_string(folder.join("format.log")).unwrap();
        assert!(formatted.success(), "{}", said());
        let process = java(&["kafka.Kafka", path], "server.log").spawn().unwrap();
        guardian.process_started(process.id());
        Rigged {
            process,
            distribution,
            folder,
            guardian,
        }
    }

    /// Runs one of Kafka's own tools to its end.
    pub fn tool(&self, class: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.distribution.java.program);
        command
            .args(["-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp"])
            .arg(format!("{}/*", self.distribution.libs.display()))
            .arg(class)
            .args(arguments);
        command
    }

    /// What it has logged, for a test that fails.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("server.log")).unwrap_or_default()
    }
}

impl Drop for Rigged {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.guardian.process_ended(self.process.id());
        if let Some(parent) = self.folder.parent() {
            let _ = fs::remove_dir_all(parent);
        }
    }
}
