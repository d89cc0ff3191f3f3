//! Kafka's own command line tools, run as its scripts run them: tandem must count what they count.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use tandem::kafka::local::Distribution;
use tandem::scenario::DEFAULT_KAFKA_VERSION;

/// The output of a tool of Apache Kafka that must succeed.
#[track_caller]
pub fn kafka_tool(class: &str, arguments: &[&str]) -> String {
    let output = command(class, arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{class} {arguments:?}: {said}{complained}");
    said
}

/// The default version of Apache Kafka.
pub fn distribution() -> Distribution {
    Distribution::find_or_get(DEFAULT_KAFKA_VERSION, &|message| eprintln!("{message}")).unwrap()
}

fn command(class: &str, arguments: &[&str]) -> Command {
    let distribution = distribution();
    let jars: PathBuf = distribution.libs.join("*");
    let mut command = Command::new(&distribution.java.program);
    command
        .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"])
        .arg(jars)
        .arg(class)
        .args(arguments)
        .stdin(Stdio::null());
    command
}

/// Fills a topic with so many records of 100 bytes by `kafka-producer-perf-test`.
pub fn producer_performance(bootstrap: &str, topic: &str, records: u64, more: &[&str]) {
    let (records, bootstrap) = (records.to_string(), format!("bootstrap.servers={bootstrap}"));
    let mut arguments = vec![
        "--topic",
        topic,
        "--num-records",
        &records,
        "--record-size",
        "100",
        "--throughput",
        "-1",
        "--command-property",
        &bootstrap,
    ];
    arguments.extend(more);
    kafka_tool("org.apache.kafka.tools.ProducerPerformance", &arguments);
}

/// First and end offset of each partition by `kafka-get-offsets`.
pub fn offsets(bootstrap: &str, topic: &str) -> Vec<(i64, i64)> {
    let ask = |time| {
        let arguments = ["--bootstrap-server", bootstrap, "--topic", topic, "--time", time];
        let said = kafka_tool("org.apache.kafka.tools.GetOffsetShell", &arguments);
        let mut offsets: Vec<(u32, i64)> = said
            .lines()
            .filter_map(|line| {
                let mut parts = line.split(':').skip(1);
                Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
            })
            .collect();
        offsets.sort_unstable();
        offsets
    };
    let (first, end) = (ask("earliest"), ask("latest"));
    first
        .into_iter()
        .zip(end)
        .map(|((_, first), (_, end))| (first, end))
        .collect()
}

/// The records that `kafka-console-consumer` reads from the beginning, until none has come for five seconds.
pub fn console_consumer(bootstrap: &str, topic: &str, isolation: &str) -> Vec<String> {
    let arguments = [
        "--bootstrap-server",
        bootstrap,
        "--topic",
        topic,
        "--from-beginning",
        "--isolation-level",
        isolation,
        "--timeout-ms",
        "5000",
        "--formatter-property",
        "print.offset=true",
        "--formatter-property",
        "print.partition=true",
        "--formatter-property",
        "print.value=false",
    ];
    let said = kafka_tool("org.apache.kafka.tools.consumer.ConsoleConsumer", &arguments);
    said.lines()
        .filter(|line| line.contains("Offset:"))
        .map(str::to_owned)
        .collect()
}
