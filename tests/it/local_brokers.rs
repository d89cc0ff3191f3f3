//! Brokers run here, their administration, and the guardian: on a real Kafka, with real processes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::BaseRecord;
use tandem::coordinator::guardian::Guardian;
use tandem::kafka::admin::{Admin, AdminError};
use tandem::kafka::local::{ClusterOptions, Distribution, ListenerSpec, LocalCluster, LocalError, Security};
use tandem::measure::GroupState;
use tandem::scenario::Feature;
use tandem::secret::Secret;
use tandem::server::{Keeper, NoKeeper};

use crate::clients::{client, consumer, send};
use crate::guardian::run_id;
use crate::scene::{PROGRAM, within};
use crate::shared_cluster::{self, version};

fn options(brokers: u32, parent: &Path) -> ClusterOptions {
    shared_cluster::options(version(), brokers, parent, &format!("test{}", std::process::id()))
}

fn start(options: &ClusterOptions) -> LocalCluster {
    let distribution = Distribution::find_or_get(version(), &|message| eprintln!("{message}")).unwrap();
    let keeper: Arc<dyn Keeper> = Arc::new(NoKeeper);
    let began = Instant::now();
    let cluster =
        LocalCluster::start(&distribution, options, &keeper, &|_| {}, &AtomicBool::new(false)).expect("no cluster");
    eprintln!(
        "{} brokers ready after {:.2} s",
        options.brokers,
        began.elapsed().as_secs_f64()
    );
    cluster
}

async fn connect(cluster: &LocalCluster) -> Admin {
    Admin::connect(&cluster.bootstrap(None).unwrap(), &BTreeMap::new())
        .await
        .unwrap()
}

/// Lets the consumers join and returns how long it took until the group was settled with each holding a partition.
async fn join(admin: &Admin, group: &str, consumers: &[BaseConsumer], topic: &str, partitions: usize) -> Duration {
    let began = Instant::now();
    for consumer in consumers {
        consumer.subscribe(&[topic]).unwrap();
    }
    loop {
        for consumer in consumers {
            consumer.poll(Duration::ZERO);
        }
        let description = admin.describe_group(group).await.unwrap();
        let held: usize = description.members.iter().map(|member| member.assignment.len()).sum();
        if description.is_settled() && description.members.len() == consumers.len() && held == partitions {
            return began.elapsed();
        }
        assert!(began.elapsed().as_secs() < 30, "not settled: {description:?}");
        sleep(Duration::from_millis(20));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_broker_serves_topics_watermarks_and_groups_in_both_protocols_and_leaves_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let cluster = start(&options(1, parent.path()));
    let bootstrap = cluster.bootstrap(None).unwrap();
    let admin = connect(&cluster).await;
    assert_eq!(admin.brokers().await.unwrap().len(), 1);
    assert!(
        fs::read_to_string(cluster.brokers()[0].log_path())
            .unwrap()
            .contains("started (kafka.server.")
    );
    assert!(cluster.brokers()[0].cpu_ns() > 100_000_000);

    admin
        .create_topic("local-a", 2, 1, &[("retention.ms", "-1")])
        .await
        .unwrap();
    admin.create_topic("local-b", 1, 1, &[]).await.unwrap();
    assert_eq!(admin.topics("local-").await.unwrap(), ["local-a", "local-b"]);
    let error = admin.create_topic("local-a", 2, 1, &[]).await.unwrap_err().to_string();
    assert!(error.contains("local-a") && error.contains("exists"), "{error}");
    let error = admin.create_topic("local-c", 1, 2, &[]).await.unwrap_err().to_string();
    assert!(error.contains("replication factor 2"), "{error}");
    let record = |partition| BaseRecord::to("local-a").partition(partition).payload(&b"x"[..]);
    let records = (0..10).map(|index| record(index % 2));
    send(&client(&bootstrap, &[]).create().unwrap(), records);
    assert_eq!(admin.watermarks("local-a", 1).await.unwrap(), (0, 5));
    assert!(matches!(
        admin.watermarks("local-a", 7).await,
        Err(AdminError::Refused { .. })
    ));

    assert_eq!(admin.describe_group("nobody").await.unwrap().state, GroupState::Dead);
    for protocol in ["classic", "consumer"] {
        if protocol == "consumer" && !version().has(Feature::ConsumerProtocol) {
            continue;
        }
        let mut times = Vec::new();
        for round in 0..2 {
            let group = format!("local-{protocol}-{round}");
            // Members learn of a rebalance at a heartbeat. In the other protocol, brokers set the interval.
            let heartbeat = [("heartbeat.interval.ms", "300")];
            let heartbeat = if protocol == "classic" { &heartbeat[..] } else { &[] };
            let consumers = ["one", "two"].map(|id| {
                let own = [("client.id", id), ("group.protocol", protocol)];
                consumer(&bootstrap, &group, &[&own[..], heartbeat].concat())
            });
            times.push(join(&admin, &group, &consumers, "local-a", 2).await);
            let description = admin.describe_group(&group).await.unwrap();
            let mut clients: Vec<_> = description
                .members
                .iter()
                .map(|member| member.client_id.as_str())
                .collect();
            clients.sort_unstable();
            assert_eq!(clients, ["one", "two"]);
            assert!(
                description.members.iter().all(|member| member.assignment.len() == 1),
                "{description:?}"
            );
            assert_eq!(description.members[0].target.is_some(), protocol == "consumer");
            drop(consumers);
            admin.delete_groups(std::slice::from_ref(&group)).await.unwrap();
            assert_eq!(admin.describe_group(&group).await.unwrap().state, GroupState::Dead);
        }
        times.sort();
        eprintln!("{protocol}: two consumers joined within {times:?}");
        // Brokers as they come wait 3 s for more members of every new group; these must not.
        assert!(times[0] < Duration::from_secs(2), "{protocol}: {times:?}");
    }

    let settings = admin.broker_settings(1).await.unwrap();
    assert!(
        settings
            .iter()
            .any(|setting| setting.name == "group.initial.rebalance.delay.ms"),
        "{settings:?}"
    );
    eprintln!("version that the broker reports: {:?}", admin.broker_version(1).await);
    admin
        .delete_topics(&["local-a".into(), "local-b".into(), "local-none".into()])
        .await
        .unwrap();
    assert!(admin.topics("local-").await.unwrap().is_empty());
    drop(admin);

    let (pid, directory) = (cluster.brokers()[0].pid().unwrap(), cluster.directory().to_owned());
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    let has_archive = String::from_utf8_lossy(&command).contains("-XX:SharedArchiveFile=");
    let distribution = Distribution::find_or_get(version(), &|_| {}).unwrap();
    assert_eq!(
        has_archive,
        distribution.classes.is_some(),
        "its classes come from an archive where Java has them"
    );
    assert!(directory.exists());
    cluster.stop().unwrap();
    assert!(!Path::new(&format!("/proc/{pid}")).exists() && !directory.exists());
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "scripts/test --all; the standard tier has one broker, and kills it in a run: deaths.rs"]
async fn of_three_brokers_one_is_killed_and_comes_back() {
    let parent = tempfile::tempdir().unwrap();
    let mut options = options(3, parent.path());
    options.listeners.push(ListenerSpec {
        name: "OUTSIDE".into(),
        bind_host: "127.0.0.1".into(),
        advertised_host: Some("localhost".into()),
        advertised_port: None,
        security: Security::Plaintext,
        properties: BTreeMap::new(),
    });
    let cluster = start(&options);
    assert_eq!(cluster.bootstrap(Some("NOBODY")), None);
    let outside = cluster.bootstrap(Some("OUTSIDE")).unwrap();
    assert!(
        outside.starts_with("localhost:") && outside.matches(',').count() == 2,
        "{outside}"
    );
    let by_outside = Admin::connect(&outside, &BTreeMap::new()).await.unwrap();
    assert!(
        by_outside
            .brokers()
            .await
            .unwrap()
            .iter()
            .all(|broker| broker.host == "localhost")
    );

    let admin = connect(&cluster).await;
    admin.create_topic("replicated", 4, 3, &[]).await.unwrap();
    let broker = &cluster.brokers()[1];
    let cpu_before = broker.cpu_ns();
    broker.kill().unwrap();
    assert!(broker.pid().is_none() && broker.exit_status().is_some());
    assert!(broker.cpu_ns() >= cpu_before);
    let deadline = Instant::now() + Duration::from_secs(30);
    while admin.brokers().await.unwrap().len() != 2 {
        assert!(Instant::now() < deadline, "the killed broker is still listed");
        sleep(Duration::from_millis(100));
    }
    broker.start().unwrap();
    cluster.wait_until_ready(&AtomicBool::new(false)).unwrap();
    assert_eq!(admin.brokers().await.unwrap().len(), 3);
    broker.suspend().unwrap();
    broker.resume().unwrap();
    broker.stop().unwrap();
    assert!(broker.pid().is_none());
    let directory = cluster.directory().to_owned();
    drop(cluster);
    assert!(!directory.exists());
}

#[test]
fn a_broker_that_cannot_start_is_reported_with_the_end_of_its_log_and_leaves_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let mut options = options(1, parent.path());
    options.listeners.push(ListenerSpec {
        name: "OUTSIDE".into(),
        bind_host: "127.0.0.1".into(),
        advertised_host: None,
        advertised_port: None,
        security: Security::Tls,
        properties: BTreeMap::from([("ssl.keystore.location".to_owned(), Secret::new("/nowhere.p12"))]),
    });
    let distribution = Distribution::find_or_get(version(), &|_| {}).unwrap();
    let keeper: Arc<dyn Keeper> = Arc::new(NoKeeper);
    let failed = LocalCluster::start(&distribution, &options, &keeper, &|_| {}, &AtomicBool::new(false));
    let error = failed.err().unwrap();
    assert!(matches!(error, LocalError::Broker { broker: 1, .. }), "{error}");
    assert!(
        error.to_string().contains("key store password is not specified"),
        "{error}"
    );
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}

/// Where the stand-in for a coordinator works; it does nothing without it.
const FOLDER: &str = "TANDEM_TEST_BROKER_STAND_IN";

/// Not a test: a coordinator with a guardian and a broker, for the test below to kill.
#[test]
#[ignore = "a test starts it as a process of its own"]
fn stand_in_for_a_coordinator_with_a_broker() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let program = Path::new(PROGRAM);
    let mut options = options(1, &folder.join("data"));
    options.run_id = run_id(&folder);
    let guardian = Guardian::start(program, &options.run_id, &folder, &folder.join("state")).unwrap();
    let keeper: Arc<dyn Keeper> = Arc::new(guardian);
    let distribution = Distribution::find_or_get(version(), &|_| {}).unwrap();
    let cluster = LocalCluster::start(&distribution, &options, &keeper, &|_| {}, &AtomicBool::new(false)).unwrap();
    fs::write(folder.join("ready"), "").unwrap();
    sleep(Duration::from_secs(60));
    drop(cluster);
}

/// Processes that have this folder in their command line.
fn processes_of(folder: &Path) -> Vec<u32> {
    let folder = folder.to_str().unwrap();
    let pids = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &u32| fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.contains(folder)))
        .collect()
}

#[test]
#[ignore = "scripts/test --all; the standard tier kills a run while brokers start and in a trial: deaths.rs"]
fn a_coordinator_killed_at_any_moment_of_a_broker_s_start_leaves_nothing_within_three_seconds() {
    Distribution::find_or_get(version(), &|_| {}).unwrap();
    for delay_ms in [Some(50), Some(400), Some(1500), None] {
        let folder = tempfile::tempdir().unwrap();
        let mut coordinator = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "local_brokers::stand_in_for_a_coordinator_with_a_broker",
                "--ignored",
                "--nocapture",
            ])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        match delay_ms {
            Some(delay_ms) => sleep(Duration::from_millis(delay_ms)),
            None => assert!(within(Duration::from_secs(60), || folder.path().join("ready").exists())),
        }
        let running = processes_of(&folder.path().join("data"));
        coordinator.kill().unwrap();
        coordinator.wait().unwrap();
        let killed = Instant::now();
        let left = || {
            let data = fs::read_dir(folder.path().join("data")).map_or(0, Iterator::count);
            processes_of(&folder.path().join("data")).len() + data
        };
        let gone = within(Duration::from_secs(3), || left() == 0);
        assert!(gone, "killed after {delay_ms:?} ms: {} left", left());
        eprintln!(
            "killed after {delay_ms:?} ms with {running:?} running: clean after {:?}",
            killed.elapsed()
        );
        assert!(delay_ms.is_some() || !running.is_empty(), "the broker never ran");
    }
}
