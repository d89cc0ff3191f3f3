use proptest::prelude::*;

use super::*;
use crate::clients::ClientKind;
use crate::scenario::client::{Clients, names};
use crate::scenario::secrets::{masked_command, secrets_of_command};

fn masked(text: &str) -> String {
    Masked::of(text).text
}

#[test]
fn values_of_secrets_become_stars_and_all_else_keeps_its_place() {
    let text = "a = 1\n\"sasl.password\" = \"hünter2\"\r\n\"fetch.min.bytes\" = 2\n";
    let masked = masked(text);
    assert_eq!(
        masked,
        "a = 1\n\"sasl.password\" = **********\r\n\"fetch.min.bytes\" = 2\n"
    );
    assert_eq!(masked.len(), text.len());
}

#[test]
fn secrets_of_shell_lines_are_found_on_every_line_and_after_options_too() {
    let masked_words = |words: &[&str]| {
        let command: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        masked_command(&command).join(" ")
    };
    for line in [
        "set -e\nDB_PASSWORD=X4711 exec {tandem}",
        "run --sasl-password X4711 --size 2",
        "PASSWORD=ab\"X4711\" run",
        "PASSWORD=ab\\ X4711 run",
    ] {
        let masked = masked_words(&["sh", "-c", line]);
        assert!(!masked.contains("4711") && masked.contains("(hidden)"), "{masked}");
    }
    let remote = masked_words(&["ssh", "host", "worker --password X4711"]);
    assert!(!remote.contains("4711"), "{remote}");
    assert_eq!(
        masked_words(&["sh", "-c", "run --password --size 2"]),
        "sh -c run --password --size 2"
    );
}

#[test]
fn secrets_in_comments_are_hidden_behind_values_and_over_several_lines_too() {
    let text = "question = '# no comment'\n\"sasl.password\" = { env = \"P\" } # sasl.password = \"X4711\"\n\
                # \"ssl.key.pem\" = \"\"\"\n# -----BEGIN4711\n# key4711\nsize = 1 # bytes\n";
    let stored = storable(text);
    assert!(!stored.contains("4711"), "{stored}");
    for kept in ["# no comment", "{ env = \"P\" } #", "size = 1 # bytes", "\n# "] {
        assert!(stored.contains(kept), "{stored}");
    }
    assert_eq!(stored.len(), text.len());
}

#[test]
fn a_secret_over_several_lines_is_hidden_to_its_end() {
    let text = "\"ssl.key.pem\" = \"\"\"\n-----BEGIN\nabc\n\"\"\"\nsize = 1\n";
    assert_eq!(masked(text), "\"ssl.key.pem\" = ***\n**********\n***\n***\nsize = 1\n");
}

#[test]
fn whatever_stands_beside_the_name_is_hidden_in_any_syntax() {
    let written = [
        "\"sasl.password\": \"X4711\"",
        "sasl.password: X4711",
        "sasl.password X4711",
        "sasl.password\n  X4711",
        "sasl.password =\n\n\"X4711\"",
        "\"basic.auth.user.info\" = \"u:X4711\"",
        "sasl.pass\nword = X4711",
        "sasl.password=\\\nX4711\nY = X4711",
        "- name: SASL_PASSWORD\n  value: X4711\n- name: OTHER",
        "ssl.key.pem: |\n  -----BEGIN PRIVATE KEY-----\n  X4711\n  abX4711=\n",
        "{\"size\": 1, \"sasl.jaas.config\": \"required user=u password=X4711;\", \"a\": 2}",
        "launcher = [\"env\", \"KAFKA_PASSWORD=X4711\"]",
        "\"X4711\" = \"sasl.password\"",
    ];
    for text in written {
        let masked = masked(text);
        assert!(!masked.contains("X4711") && masked.len() == text.len(), "{masked}");
    }
}

#[test]
fn what_follows_a_complete_value_is_printed() {
    let printed = masked("password: X4711\n\"sasl.mecanism\" = \"PLAIN\"\nauthor = \"me\"\n");
    assert_eq!(
        printed,
        "password: *****\n\"sasl.mecanism\" = \"PLAIN\"\nauthor = \"me\"\n"
    );
}

#[test]
fn messages_lose_what_is_hidden_in_the_file_cut_short_or_not() {
    let file = Masked::of("work = { \"sasl.pasword\" = \"X4711-and-more\" }");
    assert_eq!(
        file.message("`work` cannot be \"X4711-and-more\""),
        "`work` cannot be \"(hidden)\""
    );
    assert_eq!(
        file.message("`work` cannot be \"X4711-and..."),
        "`work` cannot be \"(hidden)..."
    );
}

/// Names that everybody knows: properties of librdkafka and of Java's clients.
fn public_names() -> Vec<&'static str> {
    names(Clients::All)
        .chain(ClientKind::Librdkafka.foreign_names())
        .collect()
}

#[test]
fn messages_keep_the_names_of_properties_whatever_is_hidden() {
    for name in public_names() {
        let file = Masked::of(&format!("\"{name}\" = \"username=u password=X4711-and-more\""));
        let message = format!("no property `{name}`; here it is \"sasl.username\" and \"sasl.password\"");
        assert_eq!(file.message(&message), message);
    }
    let file = Masked::of("\"sasl.jaas.config\" = \"X4711-and-more\"");
    assert_eq!(
        file.message("no property `sasl.jaas.config`, which cannot be X4711-and-more"),
        "no property `sasl.jaas.config`, which cannot be (hidden)"
    );
}

proptest! {
    #[test]
    fn messages_lose_a_secret_that_has_a_public_name_in_it(
        name in prop::sample::select(public_names()),
        key in prop::sample::select(vec!["sasl.password", "ssl.key.pem", "sasl.jaas.config", "sasl.pasword"]),
        sign in "[-+/.:@_ ]",
        rest in "X4711[a-zA-Z0-9]{0,12}",
        is_first: bool,
    ) {
        let secret = if is_first { format!("{name}{sign}{rest}") } else { format!("{rest}{sign}{name}") };
        let file = Masked::of(&format!("\"{key}\" = \"{secret}\""));
        let message = file.message(&format!("`{key}` cannot be \"{secret}\" or {secret}"));
        prop_assert!(!message.contains("4711"), "{message}");
    }
}

#[test]
fn commands_lose_the_values_of_secrets_and_nothing_else() {
    let command = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<String>>();
    let words = command(&[
        "env",
        "KAFKA_PASSWORD=a b",
        "TOKEN=$TOKEN",
        "--sasl-password",
        "X",
        "--api-key=X",
        "--password",
        "--verbose",
        "sh",
        "-c",
        "PASSWORD='a b' exec python3 worker.py password",
        "{tandem}",
    ]);
    let masked = command(&[
        "env",
        "KAFKA_PASSWORD=(hidden)",
        "TOKEN=$TOKEN",
        "--sasl-password",
        "(hidden)",
        "--api-key=(hidden)",
        "--password",
        "--verbose",
        "sh",
        "-c",
        "PASSWORD=(hidden) exec python3 worker.py password",
        "{tandem}",
    ]);
    assert_eq!(masked_command(&words), masked);
    assert_eq!(secrets_of_command(&words), ["a b", "X", "X", "a b"]);
}

#[test]
fn a_text_is_stored_without_the_secrets_of_launchers_and_comments_and_still_says_the_same() {
    let text = "question = 'Is a token: secret?'\n# \"sasl.password\" = \"X4711\"\n[[place]]\nname = 'there'\n\
                launcher = ['env', 'DB_PASSWORD=X4711', \"--sasl.password\", 'X4711', '{tandem}']\ncpus = '0'\n";
    let stored = storable(text);
    assert_eq!(
        stored,
        "question = 'Is a token: secret?'\n# \"sasl.password\" = *******\n[[place]]\nname = 'there'\n\
         launcher = ['env', \"DB_PASSWORD=(hidden)\", \"--sasl.password\", \"(hidden)\", '{tandem}']\ncpus = '0'\n"
    );
    assert_eq!(storable(&stored), stored);
    let plain = "question = 'q'\n# The password comes from a file.\n";
    assert_eq!(storable(plain), plain);
}
