//! No error of a file shows a secret that stands in it, however the file is broken.

use std::fmt::Write as _;

use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::scenario::{Scenario, parse};

const CANARY: &str = "Zq7319Xw-kJ82Gv";

/// So many characters of the canary in a row are too many.
const PRINTED_MAX: usize = 5;

/// Mutations of each file below.
const MUTATIONS: u64 = 40;

/// Secrets as people write them, of whatever syntax.
const WRITTEN: &[&str] = &[
    "\"sasl.password\" = \"CANARY\"",
    "\"sasl.password\": \"CANARY\"",
    "sasl.password: CANARY",
    "sasl.password=CANARY",
    "\"sasl.password\" \"CANARY\"",
    "\"sasl.password\" =\n\"CANARY\"",
    "'sasl.password' = 'CANARY'",
    "sasl.password = CANARY",
    "\"basic.auth.user.info\" = \"u:CANARY\"",
    "\"ssl.key.password\" = \"CANARY\"",
    "\"ssl.keystore.password\" = \"CANARY\"",
    "\"ssl.key.pem\" = \"\"\"\n-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----\n\"\"\"",
    "ssl.key.pem: |\n  -----BEGIN PRIVATE KEY-----\n  CANARY\n  -----END PRIVATE KEY-----",
    "\"sasl.jaas.config\" = 'org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" password=\"CANARY\";'",
    "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\\n username=\"u\" \\\n password=\"CANARY\";",
    "\"sasl.oauthbearer.client.secret\" = \"CANARY\"",
    "\"sasl.oauthbearer.config\" = \"principal=u clientSecret=CANARY\"",
    "client.secret = { value = \"CANARY\" }",
    "{\"sasl.username\": \"u\", \"sasl.password\": \"CANARY\", \"acks\": \"all\"}",
    "- name: KAFKA_PASSWORD\n  value: CANARY\n- name: OTHER\n  value: x",
    "[[place]]\nname = \"there\"\nlauncher = [\"env\", \"KAFKA_PASSWORD=CANARY\", \"{tandem}\", \"worker\"]",
    "[[place]]\nname = \"there\"\nlauncher = [\n  \"client\",\n  \"--sasl-password\",\n  \"CANARY\",\n]",
    "[[app]]\nname = \"there\"\ncommand = [\"client\", \"--sasl-password\", \"CANARY\"]",
    "[[app]]\nname = \"there\"\ncommand = [\"client\"]\nenv = { KAFKA_PASSWORD = \"CANARY\" }",
    "export KAFKA_CLIENT_SECRET=CANARY",
    "# \"sasl.password\" = \"CANARY\"",
];

/// A file in which a secret is written like that.
fn file(written: &str) -> String {
    let written = written.replace("CANARY", CANARY);
    format!(
        "question = \"Does it hold?\"\nrepetitions = 5\n\n[dataset]\npartitions = 2\nrecords = 1000\n\n[cluster]\n\
         bootstrap = \"host:9093\"\n\n[cluster.client]\n\"security.protocol\" = \"sasl_ssl\"\n\"sasl.mechanism\" = \"PLAIN\"\n\
         \"sasl.username\" = \"u\"\n{written}\n\"ssl.ca.location\" = \"/etc/ca.pem\"\n\n[[case]]\nname = \"one\"\n"
    )
}

/// Puts something wrong into the text.
fn mutate(text: &str, random: &mut ChaCha8Rng) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let any = |random: &mut ChaCha8Rng| {
        *"\"'=:,{}[]#\n \t.-_;aZ0\\"
            .chars()
            .collect::<Vec<_>>()
            .choose(random)
            .unwrap_or(&' ')
    };
    for _ in 0..random.random_range(1..=2) {
        let place = random.random_range(0..characters.len());
        match random.random_range(0..3) {
            0 => drop(characters.remove(place)),
            1 => characters.insert(place, any(random)),
            _ => characters[place] = any(random),
        }
    }
    let text: String = characters.into_iter().collect();
    match random.random_range(0..8) {
        0 => text.replace(" = ", ": "),
        1 => text.replace('"', "'"),
        2 => text.replace('"', ""),
        3 => text.replace('\n', "\n    "),
        4 => text.replace(" = ", " =\n"),
        5 => text.replace('.', "_"),
        6 => text.replace(" = ", " "),
        _ => text,
    }
}

/// Everything that may be printed of the text, as an error or stored and printed as a scenario.
fn printed(text: &str) -> String {
    match parse("test", "test.toml", text) {
        Ok(scenario) => stored(&scenario),
        Err(errors) => {
            let mut output = format!("{}{}{errors:?}", errors.plain(), errors.drawn());
            for error in errors.errors() {
                let _ = write!(output, "{error:?}");
            }
            output
        }
    }
}

fn stored(scenario: &Scenario) -> String {
    serde_json::to_string(scenario).unwrap()
}

fn contains_the_canary(output: &str) -> bool {
    let letters: Vec<char> = CANARY.chars().collect();
    letters
        .windows(PRINTED_MAX + 1)
        .any(|part| output.contains(&part.iter().collect::<String>()))
}

#[test]
fn no_secret_of_a_file_is_printed_however_it_is_written() {
    for written in WRITTEN {
        let printed = printed(&file(written));
        assert!(!contains_the_canary(&printed), "{printed}");
    }
}

#[test]
fn no_mutation_of_a_file_prints_its_secret() {
    let mut printed_count = 0;
    for (seed, written) in (0..).zip(WRITTEN) {
        // A launcher that is no longer NAME=VALUE is stored as it is, and may be anything.
        let launches = written.contains("launcher");
        for number in 0..MUTATIONS {
            let mut random = ChaCha8Rng::seed_from_u64(seed * MUTATIONS + number);
            let text = mutate(&file(written), &mut random);
            if launches && parse("test", "test.toml", &text).is_ok() {
                continue;
            }
            printed_count += 1;
            let printed = printed(&text);
            assert!(!contains_the_canary(&printed), "{text}\n\n{printed}");
        }
    }
    assert!(printed_count > 600, "{printed_count} mutations were errors");
}

#[test]
fn an_error_beside_a_secret_shows_its_own_line_and_place() {
    let text = "question = \"?\"\n[cluster.client]\n\"sasl.password\": \"hunter2\"\n\"sasl.mechanism\" = \"PLAIN\"\n";
    let errors = parse("test", "test.toml", text).unwrap_err();
    let drawn = errors.drawn();
    assert!(
        drawn.contains("\"sasl.password\": *********") && drawn.contains("\"sasl.mechanism\" = \"PLAIN\""),
        "{drawn}"
    );
    assert_eq!((errors.errors()[0].line, errors.errors()[0].column), (3, 16), "{drawn}");
}

#[test]
fn the_secret_of_a_launcher_is_started_with_it_and_stored_without() {
    let text =
        file("[[place]]\nname = \"there\"\nlauncher = [\"env\", \"KAFKA_PASSWORD=CANARY\", \"{tandem}\", \"worker\"]")
            .replace("\"ssl.ca.location\" = \"/etc/ca.pem\"", "");
    let scenario = parse("test", "test.toml", &text).unwrap();
    let place = &scenario.places[1];
    assert_eq!(place.launcher[1], format!("KAFKA_PASSWORD={CANARY}"));
    assert!(!place.lacks_secrets());
    let read: Scenario = serde_json::from_str(&stored(&scenario)).unwrap();
    assert_eq!(read.places[1].launcher[1], "KAFKA_PASSWORD=(hidden)");
    assert!(read.places[1].lacks_secrets());
    assert!(!contains_the_canary(&crate::scenario::storable(&text)));
}

#[test]
fn the_secrets_of_an_app_are_started_with_it_and_stored_without() {
    let text = file(
        "[[app]]\nname = \"mine\"\ncommand = [\"./mine\", \"--password=CANARY\"]\nenv = { KAFKA_PASSWORD = \"CANARY\", \
         A = \"b\" }",
    )
    .replace("\"ssl.ca.location\" = \"/etc/ca.pem\"", "");
    let scenario = parse("test", "test.toml", &text).unwrap();
    let app = &scenario.apps[1];
    let program = app.program().unwrap();
    assert_eq!(program.env["KAFKA_PASSWORD"].written(), CANARY);
    assert_eq!(app.secrets(), [CANARY, CANARY]);
    assert!(!app.lacks_secrets());
    let read: Scenario = serde_json::from_str(&stored(&scenario)).unwrap();
    assert!(read.apps[1].lacks_secrets());
    assert_eq!(read.apps[1].program().unwrap().env["A"].written(), "b");
    assert!(!contains_the_canary(&stored(&scenario)));
    assert!(!contains_the_canary(&crate::scenario::storable(&text)));
    assert!(
        scenario
            .meaning(0)
            .iter()
            .all(|meaning| !contains_the_canary(&meaning.value))
    );
}
