//! The messages about wrong scenario files, word by word.

use super::{errors, said};
use crate::scenario::{ClusterSource, Instead, Source, parse};

#[test]
fn all_errors_are_reported_at_once_and_drawn_into_the_file() {
    let text = r#"repetitons = 5
threshold = "0.05"

[dataset]
partitions = 0
size = 2_000_000

[consumer]
work = "slep 5us"
comit = "auto"
"#;
    let errors = parse("mine", "mine.toml", text).unwrap_err();
    insta::assert_snapshot!("all_errors_plain", errors.plain());
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor()).with_width(100);
    let mut drawn = String::new();
    handler.render_report(&mut drawn, &errors).unwrap();
    insta::assert_snapshot!("all_errors_drawn", drawn);
}

/// One wrong file after the other, each with what is said about it.
#[test]
fn every_kind_of_error_says_what_is_allowed() {
    let wrong = [
        // Syntax.
        "[dataset\nsize = 1",
        "size 5",
        "seed = 1\nseed = 2",
        // Keys and tables.
        "[datset]\nsize = 1",
        "[case]\nname = 'a'",
        "[[dataset]]\nsize = 1",
        "case = 3",
        "consumers = 2",
        "[dataset]\nrepetitions = 5",
        "[dataset]\nconsumers = 5",
        "[consumer]\n\"fetch.min.bytes\" = 5",
        "[matrix]\nrecords = [5]",
        "[cluster]\nbroker = 3",
        // Values.
        "seed = -1",
        "threshold = 0",
        "repetitions = 99999999999999999999999999",
        "[dataset]\npartitions = 10_001",
        "[dataset]\npartitions = \"2\"",
        "[dataset]\nsize = { min = 5, max = 1 }",
        "[dataset]\nkeys = \"uniqe\"",
        "[dataset]\nkeys = { zipf = 1.0 }",
        "[dataset]\npartitions = 2\nweights = [0.5, 0.6]",
        "[dataset]\npartitions = 2\nweights = [1.5, -0.5]",
        "[dataset]\ncompression = \"zsdt\"",
        "[dataset]\ncompression_ratio = 0.5",
        "[dataset]\ncompression_ratio = \"text\"",
        "[consumer]\nwork = \"wait 1.5ms\"",
        "[consumer]\nwork = \"wait 1 ms\"",
        "[consumer]\nwork = \"cpu 1h\"",
        "[consumer]\ncommit = \"every\"",
        "[consumer]\nassignor = \"sticky\"",
        "[consumer]\nplace = \"there\"",
        "[consumer]\nread = \"steam\"",
        "[consumer]\nthreads = 0",
        "[consumer]\nordering = \"keys\"",
        "[trial]\nseconds = 1\nrecords = 5",
        "[trial]\nrecords = 2_000_000",
        "[cluster]\nversion = \"2.7.2\"",
        "[cluster]\nversion = \"2.7.2\"\nzookeeper = true",
        "[cluster]\nzookeeper = \"true\"",
        "[cluster]\nbootstrap = \"localhost\"",
        "[cluster]\nbootstrap = \"localhost:9092\"\nbrokers = 3",
        "[cluster]\nprefix = \"a b\"",
        "[[place]]\ncpus = \"0\"",
        "[[place]]\nname = \"here\"",
        "[[place]]\nname = \"a\"\nlauncher = \"ssh a\"",
        // Matrix and cases.
        "[matrix]\nconsumers = 2",
        "[matrix]\nconsumers = []",
        "[matrix]\nconsumers = [1, 1]",
        "[matrix]\nconsumers = [1, 2]\n[[case]]\nname = 'a'\nconsumers = 3",
        "[[case]]\nconsumers = 3",
        "[[case]]\nname = 'a'\n[[case]]\nname = 'a'",
        "[[case]]\nname = 'a'\n[[case]]\nname = 'a client.client.rack=x'\n[matrix.client]\n\"client.rack\" = ['x client.client.rack=y', 'y']",
        "baseline = \"tow\"\n[[case]]\nname = \"one\"\n[[case]]\nname = \"two\"",
        "baseline = \"consumers=3\"\n[matrix]\nconsumers = [1, 2]",
    ];
    insta::assert_snapshot!(said(&wrong));
}

#[test]
fn what_stands_together_in_a_place_is_checked() {
    let place = |keys: &str| format!("[[place]]\nname = \"a\"\n{keys}");
    let at_a = |consumer: &str, more: &str| {
        format!("[consumer]\nplace = \"a\"\n{consumer}\n[[place]]\nname = \"a\"\nssh = \"h\"\n{more}")
    };
    let in_a = |consumer: &str, more: &str| {
        format!(
            "[consumer]\nplace = \"a\"\n{consumer}\n[[place]]\nname = \"a\"\ncontainer = {{ image = \"i\" }}\n{more}"
        )
    };
    let launcher = "launcher = [\"nice\", \"{tandem}\", \"worker\"]";
    let wrong = [
        place("cpu_limit = \"0.5\""),
        place("cpu_limit = 0.001"),
        place("memory_limit = 512"),
        place("memory_limit = \"1MiB\""),
        place("launcher = [\"nice\", \"{tandem}\"]"),
        place(&format!("cpu_limit = 0.5\n{launcher}")),
        place(&format!("ssh = \"h\"\n{launcher}")),
        place("ssh = \"-oProxyCommand=x\""),
        place("tandem = \"/opt/tandem\""),
        place("ssh = \"h\"\ntandem = \"tandem\""),
        at_a(
            "app = \"b\"",
            "[[app]]\nname = \"b\"\ncommand = [\"b\", \"--password\", \"x\"]",
        ),
        place("container = \"tandem:slim\""),
        place("container = { engine = \"podman\" }"),
        place("container = { image = \"-v\" }"),
        place("container = { image = \"a\", engine = \"dockr\" }"),
        place("container = { image = \"a\", netwrk = \"b\" }"),
        place("ssh = \"h\"\ncontainer = { image = \"a\" }"),
        place(&format!("container = {{ image = \"a\" }}\n{launcher}")),
        place("kubernetes = \"pods\""),
        place("kubernetes = { namespace = \"n\" }"),
        place("kubernetes = { image = \"i\", replicas = 2 }"),
        place("kubernetes = { image = \"i\", pods = -1 }"),
        place("kubernetes = { image = \"i\", limits = { cpu = \"500m\" } }"),
        place("kubernetes = { image = \"i\", requests = { memroy = \"1GiB\" } }"),
        place("kubernetes = { image = \"i\", requests = { cpu = 2 }, limits = { cpu = 1 } }"),
        place("kubernetes = { image = \"i\", node_selector = { disk = 1 } }"),
        place("cpu_limit = 1\nkubernetes = { image = \"i\" }"),
        place("ssh = \"h\"\nkubernetes = { image = \"i\" }"),
        place("container = { image = \"i\" }\nkubernetes = { image = \"i\" }"),
        place(&format!("{launcher}\nkubernetes = {{ image = \"i\" }}")),
        in_a("", "listener = \"INSIDE\""),
        in_a(
            "work = \"store\"",
            "listener = \"INSIDE\"\n[cluster]\naddress = \"h\"\n[store]\nkind = \"postgres\"",
        ),
        in_a(
            "app = \"b\"",
            "[[app]]\nname = \"b\"\ncommand = [\"b\"]\nenv = { B_PASSWORD = \"x\" }",
        ),
        "[cluster]\naddress = \"10.0.0.5:9092\"".to_owned(),
        "[cluster]\nbootstrap = \"h:9092\"\naddress = \"10.0.0.5\"".to_owned(),
    ];
    insta::assert_snapshot!(said(&wrong.each_ref().map(String::as_str)));
}

#[test]
fn what_is_wrong_with_a_list_of_places_or_with_producers_beside_is_said() {
    let own = "[[place]]\nname = \"own\"\nlauncher = [\"python3\", \"w.py\"]\n";
    let beside = "[load]\nrate = 5\nproducers = \"beside\"";
    let wrong = [
        "[consumer]\nplace = []".to_owned(),
        "[consumer]\nplace = [\"here\", \"hare\"]".to_owned(),
        "[consumer]\nplace = [\"here\", 3]".to_owned(),
        "[matrix]\nplace = [\"here\", []]".to_owned(),
        "[matrix]\nplace = [\"here\", [\"here\"]]".to_owned(),
        format!("{own}[consumer]\nplace = [\"here\", \"own\"]"),
        "[load]\nrate = 5\nproducers = \"besides\"".to_owned(),
        "[load]\nrate = 5\nproducers = 65".to_owned(),
        format!("{beside}\n[consumer]\napp = \"java\""),
        format!("{beside}\n[consumer]\nplace = \"own\"\n{own}"),
        format!("{beside}\n[dataset]\ntopic = \"orders\""),
    ];
    insta::assert_snapshot!(said(&wrong.each_ref().map(String::as_str)));
}

#[test]
fn what_an_app_is_and_what_it_can_do_are_checked() {
    const A: &str = "[[app]]\nname = \"a\"\ncommand = [\"a\"]";
    let of_a = |rest: &str| format!("{A}\n{rest}");
    let wrong = [
        "[consumer]\napp = \"jav\"".to_owned(),
        "[consumer]\napp = 3".to_owned(),
        "[consumer]\napp = \"tandem:0.2\"".to_owned(),
        "[consumer]\napp = \"java:latest\"".to_owned(),
        "[consumer]\napp = \"mine:1\"".to_owned(),
        "[matrix]\napp = [\"java\", \"java:4.3.1\"]".to_owned(),
        "[[app]]\nname = \"a\"".to_owned(),
        "[[app]]\ncommand = [\"a\"]".to_owned(),
        "[[app]]\nname = \"java\"\ncommand = [\"a\"]".to_owned(),
        "[[app]]\nname = \"a:b\"\ncommand = [\"a\"]".to_owned(),
        of_a(A),
        "[[app]]\nname = \"a\"\ncommand = \"a b\"".to_owned(),
        "[[app]]\nname = \"a\"\ncommand = [\"a\", \"{topc}\"]\nspeaks = \"nothing\"".to_owned(),
        "[[app]]\nname = \"a\"\ncommand = [\"a\", \"${HOME}\"]".to_owned(),
        "[[app]]\nname = \"a\"\ncommand = [\"a\", \"{topic\"]".to_owned(),
        "[[app]]\nname = \"a\"\ncommand = [\"a\", \"{topic}\"]".to_owned(),
        of_a("env = { \"A-B\" = \"x\" }"),
        of_a("ready = \"up\""),
        of_a("speaks = \"nothing\"\nready = \"(\""),
        of_a("speaks = \"nothing\"\n[app.client]\nx = 1"),
        of_a("place = \"here\""),
        "[consumer]\napp = \"go\"\nplace = \"b\"\n[[place]]\nname = \"b\"\nlauncher = [\"python3\", \"w.py\"]".to_owned(),
        "[consumer]\napp = \"go\"\nplace = \"b\"\n[[place]]\nname = \"b\"\nlauncher = [\"sh\", \"-c\", \"{tandem} worker\"]"
            .to_owned(),
        "[consumer]\napp = \"java\"\nthreads = 2\nwork = \"wait 1ms\"".to_owned(),
        "[consumer]\nread = \"stream\"\n[matrix]\napp = [\"tandem\", \"python\"]".to_owned(),
        "[consumer]\napp = \"spring\"\nassignment = \"manual\"".to_owned(),
        "[consumer]\napp = \"java\"\n[consumer.client]\n\"fetch.wait.max.ms\" = 5".to_owned(),
        "[consumer]\napp = \"go\"\n[consumer.client]\n\"fetch.min.bytes\" = 5".to_owned(),
        "[consumer.client]\n\"max.poll.records\" = 5\n[matrix]\napp = [\"tandem\", \"java\"]".to_owned(),
        "[consumer.client]\n\"fetch.max.bytes\" = 5\n[matrix]\napp = [\"java\", \"go\"]".to_owned(),
        "[consumer.java]\n\"max.pol.records\" = 5".to_owned(),
        "[consumer.java]\n\"key.deserializer\" = \"x\"".to_owned(),
        "[matrix.java]\n\"max.poll.records\" = [5]".to_owned(),
        "[consumer]\nwarmup_records = 5".to_owned(),
        "[consumer]\napp = \"java\"\nwarmup_records = 5\n[load]\nrate = 5".to_owned(),
        of_a("speaks = \"nothing\"\n[consumer]\napp = \"a\"\nwork = \"wait 1ms\"\n[consumer.client]\n\"fetch.min.bytes\" = 5"),
    ];
    let wrong: Vec<&str> = wrong.iter().map(String::as_str).collect();
    insta::assert_snapshot!(said(&wrong));
}

#[test]
fn client_properties_are_checked_one_by_one() {
    let wrong = [
        "[consumer.client]\nfetch.min.bytes = 1",
        "[consumer.client]\nfetch.mim.bytes = 1",
        "[consumer.client]\nfetch.wait.max.ms = { env = \"WAIT\" }",
        "[consumer.client]\n\"fetch.mim.bytes\" = 1",
        "[consumer.client]\n\"fetch.min.bytes\" = 0",
        "[consumer.client]\n\"fetch.min.bytes\" = [1]",
        "[consumer.client]\n\"isolation.level\" = \"commited\"",
        "[consumer.client]\n\"check.crcs\" = \"yes\"",
        "[consumer.client]\n\"linger.ms\" = 1",
        "[consumer.client]\n\"enable.auto.commit\" = true",
        "[consumer.client]\n\"group.protocol\" = \"consumer\"",
        "[consumer.client]\n\"sasl.oauthbearer.method\" = \"oidc\"",
        "[consumer.client]\n\"fetch.message.max.bytes\" = 5000\n[matrix.client]\n\"max.partition.fetch.bytes\" = [1000]",
        "[cluster.client]\n\"bootstrap.servers\" = \"a:1\"",
        "[cluster.client]\n\"sasl.password\" = { env = \"not a name\" }",
        "[matrix.client]\n\"fetch.min.bytes\" = 1",
        "[matrix.client]\n\"sasl.password\" = \"hunter2\"",
        "[matrix.client]\n\"sasl.password\" = [\"hunter2\"]",
        "[consumer]\nclient = \"default\"",
        "[consumer]\nprotocol = \"consumer\"\n[consumer.client]\n\"session.timeout.ms\" = 6000",
    ];
    insta::assert_snapshot!(said(&wrong));
}

#[test]
fn names_of_other_clients_are_distinguished_from_misspelt_ones() {
    let wrong = [
        "[consumer.client]\n\"max.poll.records\" = 500",
        "[consumer.client]\nmax.poll.records = 500",
        "[consumer.client]\n\"max.poll.record\" = 500",
        "[cluster.client]\n\"ssl.keystore.type\" = \"PKCS12\"",
        "[consumer.client]\n\"spring.kafka.consumer.fetch-min-size\" = 1",
        "[consumer.client]\n\"consumer.max.poll.interval.ms\" = 1",
        "[consumer.client]\n\"properties.group.id\" = \"g\"",
        "[cluster.client]\n\"sasl.mecanism\" = \"PLAIN\"",
    ];
    insta::assert_snapshot!(said(&wrong));
}

#[test]
fn mechanisms_that_the_client_has_not_are_refused() {
    let wrong = [
        "[cluster.client]\n\"security.protocol\" = \"SASL_SSL\"\n\"sasl.mechanism\" = \"GSSAPI\"",
        "[cluster.client]\n\"sasl.mechanisms\" = \"AWS_MSK_IAM\"",
        "[cluster.client]\n\"sasl.mechanism\" = \"OAUTHBEARER\"",
        "[matrix.client]\n\"sasl.mechanism\" = [\"PLAIN\", \"scram-sha-256\"]",
        "[cluster.client]\n\"security.protocol\" = \"SASL_SSL\"",
    ];
    insta::assert_snapshot!(said(&wrong));
    let unsigned =
        "[cluster.client]\n\"sasl.mechanism\" = \"OAUTHBEARER\"\n\"enable.sasl.oauthbearer.unsecure.jwt\" = true";
    assert_eq!(super::scenario(unsigned).cluster.client.len(), 2);
}

#[test]
fn settings_of_topics_are_checked_one_by_one() {
    let wrong = [
        "[dataset.topic]\n\"min.insync.replica\" = 1",
        "[dataset.topic]\nretention.ms = 1",
        "[dataset.topic]\n\"retention.ms\" = \"7d\"",
        "[dataset.topic]\n\"cleanup.policy\" = \"compact\"",
        "[dataset.topic]\n\"min.insync.replicas\" = 2",
        "[dataset]\n\"min.insync.replicas\" = 2",
    ];
    insta::assert_snapshot!(said(&wrong));
}

#[test]
fn combinations_that_cannot_be_are_errors() {
    let wrong = [
        "[consumer]\nassignment = \"manual\"\nconsumers = 3\n[dataset]\npartitions = 2",
        "[consumer]\nassignment = \"manual\"\nassignor = \"range\"\nprotocol = \"classic\"",
        "[consumer]\nprotocol = \"consumer\"\nassignor = \"cooperative-sticky\"",
        "[consumer]\nassignor = \"uniform\"",
        "[consumer]\nprotocol = \"consumer\"\n[cluster]\nversion = \"3.9.1\"",
        "[consumer]\nprotocol = \"consumer\"\n[cluster]\nversion = \"2.8.1\"",
        "[cluster]\nversion = \"4.0.0\"\nzookeeper = true",
        "[cluster]\nzookeeper = false\nversion = \"3.2.3\"",
        "[cluster]\nbootstrap = \"b:9092\"\nzookeeper = true",
        "[dataset]\nreplication = 3",
        "[dataset]\npartitions = 3\nweights = [0.5, 0.5]",
        "[dataset]\npartitions = 2\nweights = [0.5, 0.5]\nkeys = \"unique\"",
        "[dataset]\npartitions = 200\ntopics = 200",
        "[consumer]\nprocesses = 100\nconsumers = 100",
        "[consumer]\nprocesses = 10\nconsumers = 10\nthreads = 100\nwork = \"wait 1ms\"",
        "[consumer]\nthreads = 4\nordering = \"key\"\nwork = \"wait 1ms\"",
    ];
    insta::assert_snapshot!(said(&wrong));
}

#[test]
fn what_the_file_says_of_its_own_brokers_forbids_nothing_on_another_cluster() {
    for text in [
        "question = '?'\n[dataset]\nreplication = 3",
        "question = '?'\n[consumer]\nprotocol = \"consumer\"\n[cluster]\nversion = \"3.9.1\"",
        "question = '?'\n[cluster]\nzookeeper = true",
    ] {
        let source = Source {
            name: "mine".to_owned(),
            path: "mine.toml".to_owned(),
            text: text.to_owned(),
        };
        assert!(source.parse().is_err(), "{text}");
        let named = "b:9092".to_owned();
        let scenario = source.parse_on(Some(&Instead::Running(named.clone()))).unwrap();
        assert_eq!(scenario.cluster.source, ClusterSource::Bootstrap(named));
    }
}

#[test]
fn a_secret_in_the_file_is_an_error_that_does_not_show_it() {
    let text = "question = \"?\"\n[cluster.client]\n\"sasl.password\" = \"hunter2\"\n\"sasl.pasword\" = \"hunter2\"\n\
                [consumer.client]\n\"ssl.key.pem\" = \"\"\"\nhunter2\n\"\"\"\n";
    for text in [text.to_owned(), format!("{text}[broken\n")] {
        let errors = parse("mine", "mine.toml", &text).unwrap_err();
        let drawn = format!(
            "{:?}{errors:?}",
            miette::Report::new(parse("mine", "mine.toml", &text).unwrap_err())
        );
        assert!(
            !drawn.contains("hunter2") && !errors.plain().contains("hunter2"),
            "{drawn}"
        );
    }
    let errors = parse("mine", "mine.toml", text).unwrap_err();
    insta::assert_snapshot!(errors.plain());
}

#[test]
fn nesting_without_end_is_refused() {
    assert!(errors(&format!("a = {}", "[".repeat(100_000))).contains("TOML"));
    let dotted = errors(&format!("[dataset]\n{} = 1", vec!["a"; 200_000].join(".")));
    assert!(dotted.contains("TOML"), "{dotted}");
}

#[test]
fn columns_count_characters_and_not_bytes() {
    let text = "baseline = \"\u{e4}\u{f6}\" x";
    assert!(errors(text).starts_with("test.toml:2:17: "), "{}", errors(text));
}
