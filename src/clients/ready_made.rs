//! The ready-made clients: what each is, what its version means, and by which commands it is built and started. Declared
//! once; building, errors and docs/clients.md are made from it.

use serde::{Deserialize, Serialize};

use super::kind::ClientKind;

/// A client that comes with tandem as sources and is built on first use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadyMade {
    /// A poll loop of kafka-clients.
    Java,
    /// A `@KafkaListener` of Spring Boot.
    Spring,
    /// A loop of confluent-kafka, which is librdkafka.
    Python,
    /// A poll loop of franz-go.
    Go,
}

/// A program that builds or runs a client.
#[derive(Debug, PartialEq, Eq)]
pub struct Tool {
    /// Its name in the search path.
    pub program: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What installs it on Debian and Ubuntu.
    pub install: &'static str,
    /// True if what is built needs it, too.
    pub runs_it: bool,
}

/// A command of a build; `{version}` stands for the version, the rest for itself.
#[derive(Debug, PartialEq, Eq)]
pub struct BuildStep {
    /// The folder it runs in, below the copy of the sources.
    pub folder: &'static str,
    /// Program and arguments, with a space between them.
    pub command: &'static str,
    /// True for a step that is left out with the default version, which the sources name themselves.
    pub only_other_versions: bool,
}

/// What a ready-made client is.
#[derive(Debug)]
pub struct Recipe {
    /// As `app` names it.
    pub name: &'static str,
    /// How it reads, in a few words.
    pub reads_by: &'static str,
    /// The library whose version is given.
    pub library: &'static str,
    /// The version where none is given.
    pub default_version: &'static str,
    /// By whose names its properties go.
    pub kind: ClientKind,
    /// The folders and files of the sources that it is built from.
    pub sources: &'static [&'static str],
    /// What must be there to build it, and to run it.
    pub tools: &'static [Tool],
    /// How it is built.
    pub build: &'static [BuildStep],
    /// What is started: the program and its arguments, with a space between them.
    pub start: &'static str,
    /// True if what is built runs on processors and systems of one kind only.
    pub is_native: bool,
    /// What a shell on another host does with a copy, in its folder, so that it runs there.
    pub settle: Option<&'static str>,
    /// What another host must have to run a copy, and how it gets it.
    pub needs_there: &'static str,
    /// About how long it takes to build on two cores, in words.
    pub takes: &'static str,
    /// Seconds by which one process of it takes longer to start on two cores than tandem's own; those of several add up.
    /// Measured as the stopwatch less the read time of scenarios/clients.toml, less the same of tandem's own.
    pub start_seconds: f64,
}

const JAVA: Tool = Tool {
    program: "java",
    title: "Java 17 or later",
    install: "apt-get install openjdk-21-jdk-headless",
    runs_it: true,
};
const MAVEN: Tool = Tool {
    program: "mvn",
    title: "Maven",
    install: "apt-get install maven",
    runs_it: false,
};
const PYTHON: Tool = Tool {
    program: "python3",
    title: "Python 3 with venv",
    install: "apt-get install python3-venv",
    runs_it: true,
};
const GO: Tool = Tool {
    program: "go",
    title: "Go 1.26 or later",
    // Debian's own is older.
    install: "see go.dev/doc/install",
    runs_it: false,
};

const fn step(folder: &'static str, command: &'static str) -> BuildStep {
    BuildStep {
        folder,
        command,
        only_other_versions: false,
    }
}

/// Maven wants every module that the common pom names.
const OF_MAVEN: &[&str] = &["pom.xml", "jvm-protocol", "java", "spring"];

static OF_JAVA: Recipe = Recipe {
    name: "java",
    reads_by: "a poll loop in Java",
    library: "kafka-clients",
    default_version: "4.3.1",
    kind: ClientKind::Java,
    sources: OF_MAVEN,
    tools: &[JAVA, MAVEN],
    build: &[step(
        "",
        "mvn -q -B -f pom.xml -pl java -am package -DskipTests -Dkafka.version={version}",
    )],
    start: "java -jar {client}/java/target/tandem-java.jar",
    is_native: false,
    settle: None,
    needs_there: "Java 17 or later: apt-get install openjdk-21-jdk-headless",
    takes: "about a minute",
    start_seconds: 1.3,
};

static OF_SPRING: Recipe = Recipe {
    name: "spring",
    reads_by: "a `@KafkaListener` of spring-kafka",
    library: "Spring Boot",
    default_version: "4.1.2",
    kind: ClientKind::Java,
    sources: OF_MAVEN,
    tools: &[JAVA, MAVEN],
    build: &[step(
        "",
        "mvn -q -B -f pom.xml -pl spring -am package -DskipTests -Dspring-boot.version={version}",
    )],
    start: "java -jar {client}/spring/target/tandem-spring.jar",
    is_native: false,
    settle: None,
    needs_there: "Java 17 or later: apt-get install openjdk-21-jdk-headless",
    takes: "about a minute",
    start_seconds: 4.6,
};

static OF_PYTHON: Recipe = Recipe {
    name: "python",
    reads_by: "a loop in Python",
    library: "confluent-kafka",
    default_version: "2.12.1",
    kind: ClientKind::Librdkafka,
    sources: &["python"],
    tools: &[PYTHON],
    build: &[
        step("", "python3 -m venv python/venv"),
        step(
            "",
            "python/venv/bin/pip install -q -r python/requirements.txt confluent-kafka=={version}",
        ),
    ],
    start: "{client}/python/venv/bin/python {client}/python/worker.py",
    is_native: true,
    settle: Some("rm -f python/venv/bin/python* && python3 -m venv --without-pip python/venv"),
    needs_there: "the version of Python that built it here: compare python3 --version",
    takes: "about half a minute",
    start_seconds: 0.1,
};

static OF_GO: Recipe = Recipe {
    name: "go",
    reads_by: "a poll loop in Go",
    library: "franz-go",
    default_version: "1.22.0",
    kind: ClientKind::FranzGo,
    sources: &["go"],
    tools: &[GO],
    build: &[
        BuildStep {
            folder: "go",
            command: "go get github.com/twmb/franz-go@v{version}",
            only_other_versions: true,
        },
        step("go", "go build -o worker ."),
    ],
    start: "{client}/go/worker",
    is_native: true,
    settle: None,
    needs_there: "a C library no older than the one here",
    takes: "about a minute",
    start_seconds: 0.0,
};

impl ReadyMade {
    /// All of them, in the order of the documents.
    pub const ALL: [ReadyMade; 4] = [ReadyMade::Java, ReadyMade::Spring, ReadyMade::Python, ReadyMade::Go];

    /// What it is.
    pub fn recipe(self) -> &'static Recipe {
        match self {
            ReadyMade::Java => &OF_JAVA,
            ReadyMade::Spring => &OF_SPRING,
            ReadyMade::Python => &OF_PYTHON,
            ReadyMade::Go => &OF_GO,
        }
    }

    /// As `app` names it.
    pub fn name(self) -> &'static str {
        self.recipe().name
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.name() == name)
    }
}

/// True for text that may be the version of a library: it stands in commands and in names of folders.
pub fn is_version(text: &str) -> bool {
    let starts = text.starts_with(|first: char| first.is_ascii_digit());
    starts && text.len() <= 40 && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-+".contains(c))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_client_is_found_by_its_name_and_names_its_version_where_it_is_built() {
        for client in ReadyMade::ALL {
            let recipe = client.recipe();
            assert_eq!(ReadyMade::named(recipe.name), Some(client));
            assert!(is_version(recipe.default_version));
            let versioned = |step: &BuildStep| step.command.contains("{version}");
            assert!(recipe.build.iter().any(versioned), "{}", recipe.name);
            assert!(
                recipe.start.split(' ').any(|word| word.starts_with("{client}/")),
                "{}",
                recipe.name
            );
        }
        assert_eq!(ReadyMade::named("tandem"), None);
    }

    #[test]
    fn the_image_with_clients_has_every_client_in_its_default_version_where_containers_look_for_it() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docker/Dockerfile");
        let text = std::fs::read_to_string(path).unwrap();
        for client in ReadyMade::ALL {
            let recipe = client.recipe();
            let variable = format!("{}_CLIENT", recipe.name.to_uppercase());
            let declared = format!("\nARG {variable}={}\n", recipe.default_version);
            assert!(text.contains(&declared), "{declared}");
            let listed = format!("{}-${{{variable}}}", recipe.name);
            let label = text
                .lines()
                .find(|line| line.starts_with("LABEL tandem.clients="))
                .unwrap();
            assert!(label.contains(&listed), "{listed} in {label}");
        }
    }

    /// `INSTA_UPDATE=always` renews the table.
    #[test]
    fn the_document_lists_every_client_with_what_builds_and_starts_it() {
        let row = |client: &ReadyMade| {
            let recipe = client.recipe();
            let tools: Vec<String> = recipe
                .tools
                .iter()
                .map(|tool| format!("{} (`{}`)", tool.title, tool.install))
                .collect();
            vec![
                format!("`{}`", recipe.name),
                recipe.reads_by.to_owned(),
                format!("{} {}", recipe.library, recipe.default_version),
                tools.join(", "),
                format!("`{}`", recipe.start),
            ]
        };
        let headers = ["app", "reads by", "its version is that of", "needs", "starts"];
        let rows: Vec<Vec<String>> = ReadyMade::ALL.iter().map(row).collect();
        let mut document = crate::testing::Document::read("docs/clients.md");
        document.table("ready-made clients", &headers, &rows);
        document.check();
    }

    #[test]
    fn a_version_cannot_leave_its_folder_or_begin_an_option() {
        for good in ["4.3.1", "4.1.2-SNAPSHOT", "2.12.1rc1", "1.22.0+meta"] {
            assert!(is_version(good), "{good}");
        }
        for bad in ["", "latest", "-1", "../4", "4/1", "4 1", "4.1;x", &"1".repeat(41)] {
            assert!(!is_version(bad), "{bad}");
        }
    }
}
