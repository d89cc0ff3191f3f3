//! The rules of the house, held against the source text: which room may know which, who may be unsafe, and what the
//! program itself may contain.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each room with the rooms that it may know. Whatever is not here is an error.
const ROOMS: &[(&str, &[&str])] = &[
    ("testing", &[]),
    ("wording", &[]),
    ("secret", &[]),
    ("client_errors", &[]),
    ("stats", &[]),
    ("load", &[]),
    ("scenario", &["load"]),
    ("contents", &["scenario"]),
    ("measure", &["wording"]),
    ("figures", &["stats", "scenario", "measure"]),
    ("verdict", &["stats", "scenario", "measure", "figures"]),
    ("plan", &["load", "scenario", "measure", "stats", "verdict"]),
    ("protocol", &["load", "scenario", "measure", "secret"]),
    ("kafka", &["scenario", "measure", "secret"]),
    (
        "worker",
        &[
            "protocol",
            "contents",
            "load",
            "scenario",
            "measure",
            "secret",
            "client_errors",
        ],
    ),
    ("store", &["plan", "scenario", "measure"]),
    (
        "summary",
        &["wording", "stats", "verdict", "plan", "scenario", "measure", "figures"],
    ),
    (
        "report",
        &["wording", "summary", "stats", "plan", "scenario", "measure", "figures"],
    ),
    (
        "coordinator",
        &[
            "protocol",
            "kafka",
            "store",
            "plan",
            "contents",
            "load",
            "scenario",
            "measure",
            "secret",
            "client_errors",
        ],
    ),
    (
        "cli",
        &[
            "coordinator",
            "worker",
            "report",
            "summary",
            "store",
            "kafka",
            "secret",
            "plan",
            "scenario",
            "measure",
        ],
    ),
];

/// What the tests of a room may know besides: the whole way through the program is theirs to make their scenes from.
const IN_TESTS: &[(&str, &[&str])] = &[("kafka", &["load"]), ("figures", &["plan"])];

/// Libraries that reports and all that they rest on must not need.
const RUNTIME: &[&str] = &["tokio", "rdkafka", "rdkafka_sys"];

/// The parser asks the client library which properties it knows; what it makes of the answer are plain values.
const PARSER: &str = "/src/scenario/client/library.rs";

/// Where code may be unsafe.
const UNSAFE: &[&str] = &["worker/reader", "kafka/ffi"];

/// A word or a sign of the source text; comments are gone and literals are one `"`.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Sign(char),
}

fn word(text: &str) -> Token {
    Token::Word(text.to_owned())
}

/// Cuts Rust source into tokens.
fn tokens(source: &str) -> Vec<Token> {
    let text: Vec<char> = source.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with(&['/', '/']) {
            at += rest.iter().position(|c| *c == '\n').unwrap_or(rest.len());
        } else if rest.starts_with(&['/', '*']) {
            at += block_comment(rest);
        } else if let Some(length) = literal(rest) {
            tokens.push(Token::Sign('"'));
            at += length;
        } else if rest[0].is_alphabetic() || rest[0] == '_' {
            let length = rest.iter().position(|c| !c.is_alphanumeric() && *c != '_');
            let length = length.unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..length].iter().collect()));
            at += length;
        } else {
            if !rest[0].is_whitespace() {
                tokens.push(Token::Sign(rest[0]));
            }
            at += 1;
        }
    }
    tokens
}

/// Length of a comment that may hold comments.
fn block_comment(text: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with(&['/', '*']) {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with(&['*', '/']) {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// Length of the string or character that begins here, if one does.
fn literal(text: &[char]) -> Option<usize> {
    let prefix = text.iter().take_while(|c| matches!(c, 'b' | 'c' | 'r')).count();
    let raw = text[..prefix].contains(&'r');
    let hashes = text[prefix..].iter().take_while(|c| **c == '#').count();
    if prefix <= 2 && raw && text.get(prefix + hashes) == Some(&'"') {
        let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
        let begin = prefix + hashes + 1;
        let length = (begin..text.len()).find(|at| text[*at..].starts_with(&end));
        return Some(length.map_or(text.len(), |at| at + end.len()));
    }
    match text.get(prefix) {
        Some('"') if prefix <= 1 => Some(quoted(text, prefix, '"')),
        // A lifetime has no second quote right behind its first letter.
        Some('\'') if prefix <= 1 && (text.get(prefix + 1) == Some(&'\\') || text.get(prefix + 2) == Some(&'\'')) => {
            Some(quoted(text, prefix, '\''))
        }
        _ => None,
    }
}

fn quoted(text: &[char], begin: usize, quote: char) -> usize {
    let mut at = begin + 1;
    while at < text.len() && text[at] != quote {
        at += if text[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(text.len())
}

/// One file of a room.
struct SourceFile {
    path: PathBuf,
    room: String,
    /// Length of the file's own module path: 1 for `src/plan.rs` and `src/kafka/mod.rs`.
    depth: usize,
    /// Compiled for tests only.
    test: bool,
    tokens: Vec<Token>,
}

/// All files of the library, with those that are tests marked.
fn sources() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                files.push(source_file(&root, &path));
            }
        }
    }
    let tests: BTreeSet<PathBuf> = files.iter().flat_map(test_files).collect();
    for file in &mut files {
        file.test = tests
            .iter()
            .any(|test| file.path == *test || file.path.starts_with(folder_of(test)));
    }
    assert!(
        files.len() > 50 && tests.len() > 3,
        "{} files, {} of tests",
        files.len(),
        tests.len()
    );
    files
}

/// The file of a module below a folder.
fn module_file(folder: &Path, name: &str) -> PathBuf {
    let file = folder.join(name).with_extension("rs");
    if file.is_file() {
        file
    } else {
        folder.join(name).join("mod.rs")
    }
}

/// The folder in which the modules below a module's file lie.
fn folder_of(file: &Path) -> PathBuf {
    if file.ends_with("mod.rs") {
        file.parent().unwrap().to_owned()
    } else {
        file.with_extension("")
    }
}

fn source_file(root: &Path, path: &Path) -> SourceFile {
    let inside = path.strip_prefix(root).unwrap();
    let mut module: Vec<String> = inside
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into())
        .collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    SourceFile {
        path: path.to_owned(),
        room: module[0].clone(),
        depth: module.len(),
        test: false,
        tokens: tokens(&fs::read_to_string(path).unwrap()),
    }
}

/// Files that `#[cfg(test)] mod name;` of a file (perhaps with a `#[path]`) stands for.
fn test_files(file: &SourceFile) -> Vec<PathBuf> {
    let text = fs::read_to_string(&file.path).unwrap();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let folder = file.path.parent().unwrap();
    let own = if file.path.ends_with("lib.rs") {
        folder.to_owned()
    } else {
        folder_of(&file.path)
    };
    let mut found = Vec::new();
    for (at, _) in lines.iter().enumerate().filter(|(_, line)| **line == "#[cfg(test)]") {
        let mut path = None;
        for line in &lines[at + 1..] {
            if let Some(given) = line
                .strip_prefix("#[path = \"")
                .and_then(|rest| rest.strip_suffix("\"]"))
            {
                path = Some(folder.join(given));
            } else if !line.starts_with("#[") {
                let module = line.split("mod ").nth(1).and_then(|rest| rest.strip_suffix(';'));
                found.extend(module.map(|name| path.unwrap_or_else(|| module_file(&own, name))));
                break;
            }
        }
    }
    for file in &found {
        assert!(file.is_file(), "{} is declared and not there", file.display());
    }
    found
}

/// Splits a file's tokens into those of the program and those of its inline test modules.
fn without_tests(tokens: &[Token]) -> (Vec<Token>, Vec<Token>) {
    let mark: Vec<Token> = "#[cfg(test)]"
        .split_inclusive(['#', '[', '(', ')', ']'])
        .flat_map(self::tokens)
        .collect();
    let (mut program, mut tests) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at..].starts_with(&mark) {
            let length = item(&tokens[at + mark.len()..]) + mark.len();
            tests.extend_from_slice(&tokens[at..at + length]);
            at += length;
        } else {
            program.push(tokens[at].clone());
            at += 1;
        }
    }
    (program, tests)
}

/// Tokens of the item that begins here: to its semicolon, or to the end of its braces.
fn item(tokens: &[Token]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign('{') => depth += 1,
            Token::Sign('}') if depth == 1 => return at + 1,
            Token::Sign('}') => depth -= 1,
            Token::Sign(';') if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// The rooms that tokens name by `crate::room`, `crate::{room, ...}`, or by going up out of their own room.
fn rooms_named(tokens: &[Token], file: &SourceFile) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (at, token) in tokens.iter().enumerate() {
        let Token::Word(first) = token else { continue };
        let own_word = at == 0 || tokens[at - 1] != Token::Sign(':');
        if first == "crate" && own_word {
            named.extend(after_path(&tokens[at + 1..]));
        } else if first == "super" && own_word {
            let mut ups = 1;
            while tokens[at + 3 * ups - 2..].starts_with(&[Token::Sign(':'), Token::Sign(':'), word("super")]) {
                ups += 1;
            }
            if ups >= file.depth {
                // At least the root of the crate, unless it stands in an inline module: then it names no room.
                let rooms = after_path(&tokens[at + 3 * ups - 2..]);
                named.extend(
                    rooms
                        .into_iter()
                        .filter(|name| ROOMS.iter().any(|(room, _)| room == name)),
                );
            }
        }
    }
    named.remove(&file.room);
    named
}

/// The first parts of the paths that follow `::`.
fn after_path(tokens: &[Token]) -> Vec<String> {
    let Some(rest) = tokens.strip_prefix(&[Token::Sign(':'), Token::Sign(':')]) else {
        return Vec::new();
    };
    match rest.first() {
        Some(Token::Word(name)) => vec![name.clone()],
        Some(Token::Sign('{')) => {
            let (mut depth, mut names, mut first) = (0, Vec::new(), false);
            for token in rest {
                match token {
                    Token::Sign('{') => (depth, first) = (depth + 1, depth == 0),
                    Token::Sign('}') if depth == 1 => break,
                    Token::Sign('}') => depth -= 1,
                    Token::Sign(',') => first = depth == 1,
                    Token::Word(name) if first => {
                        names.push(name.clone());
                        first = false;
                    }
                    _ => {}
                }
            }
            names
        }
        _ => vec!["*".to_owned()],
    }
}

fn allowed(list: &[(&str, &[&str])], room: &str) -> BTreeSet<String> {
    let rooms = list
        .iter()
        .find(|(name, _)| *name == room)
        .map_or(&[][..], |(_, rooms)| rooms);
    rooms.iter().map(|name| (*name).to_owned()).collect()
}

fn rooms_only(files: Vec<SourceFile>) -> impl Iterator<Item = SourceFile> {
    files
        .into_iter()
        .filter(|file| file.room != "lib" && file.room != "main")
}

#[test]
fn rooms_know_only_the_rooms_before_them() {
    let mut wrong = Vec::new();
    // What tests share knows the whole program, and the tests of every room know it.
    for file in rooms_only(sources()).filter(|file| file.room != "testing") {
        let (program, tests) = if file.test {
            (Vec::new(), file.tokens.clone())
        } else {
            without_tests(&file.tokens)
        };
        let may = allowed(ROOMS, &file.room);
        for room in rooms_named(&program, &file).difference(&may) {
            wrong.push(format!("{}: {} must not know {room}", file.path.display(), file.room));
        }
        let mut may: BTreeSet<String> = may.union(&allowed(IN_TESTS, &file.room)).cloned().collect();
        may.insert("testing".to_owned());
        for room in rooms_named(&tests, &file).difference(&may) {
            wrong.push(format!(
                "{}: the tests of {} must not know {room}",
                file.path.display(),
                file.room
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_list_of_rooms_is_complete_and_goes_one_way() {
    let there: BTreeSet<String> = rooms_only(sources()).map(|file| file.room).collect();
    let listed: BTreeSet<String> = ROOMS.iter().map(|(room, _)| (*room).to_owned()).collect();
    assert_eq!(there, listed);
    let mut before: BTreeSet<&str> = BTreeSet::new();
    for (room, may) in ROOMS {
        assert!(
            may.iter().all(|other| before.contains(other)),
            "{room} knows a room that is listed after it"
        );
        before.insert(room);
    }
}

#[test]
fn reports_and_what_they_rest_on_need_neither_brokers_nor_a_runtime() {
    let known: BTreeMap<&str, &[&str]> = ROOMS.iter().copied().collect();
    let mut reached = BTreeSet::from(["report", "summary", "stats", "store"]);
    loop {
        let more: BTreeSet<&str> = reached.iter().flat_map(|room| known[room]).copied().collect();
        if more.is_subset(&reached) {
            break;
        }
        reached.extend(more);
    }
    assert!(
        !reached.contains("kafka") && reached.contains("scenario"),
        "{reached:?}"
    );
    let files = sources();
    let reached = files.iter().filter(|file| reached.contains(file.room.as_str()));
    for file in reached.filter(|file| !file.path.to_string_lossy().ends_with(PARSER)) {
        let needs = RUNTIME.iter().find(|library| file.tokens.contains(&word(library)));
        assert_eq!(needs, None, "{}", file.path.display());
    }
}

#[test]
fn only_the_reader_and_the_binding_are_unsafe() {
    for file in sources().iter().filter(|file| file.tokens.contains(&word("unsafe"))) {
        let path = file.path.to_string_lossy();
        assert!(
            UNSAFE.iter().any(|place| path.contains(&format!("/src/{place}"))),
            "{path} is unsafe"
        );
    }
}

#[test]
fn the_program_hands_over_to_the_library_and_does_nothing_else() {
    let file = sources().into_iter().find(|file| file.room == "main").unwrap();
    let functions = file.tokens.iter().filter(|token| **token == word("fn")).count();
    let lines = fs::read_to_string(&file.path).unwrap().lines().count();
    assert!(functions == 1 && lines <= 20, "{functions} functions in {lines} lines");
}

#[test]
fn comments_and_literals_name_no_room_and_lifetimes_are_no_literals() {
    let source = r##"
        // crate::cli
        /* crate::a /* crate::b */ crate::c */
        fn f<'a>(x: &'a str) -> char { let _ = (r#"crate::"d"#, "\"crate::e", b'\'', 'x'); 'y' }
        use crate::{plan::{self, Next}, store as s};
        pub(crate) fn g() { crate::report::x(); super::super::kafka::y() }
    "##;
    let file = SourceFile {
        path: PathBuf::new(),
        room: "cli".into(),
        depth: 2,
        test: false,
        tokens: tokens(source),
    };
    let named: Vec<String> = rooms_named(&file.tokens, &file).into_iter().collect();
    assert_eq!(named, ["kafka", "plan", "report", "store"]);
    assert!(tokens("'a: loop { break 'a; }").contains(&word("loop")));
    assert!(!tokens("let x = 'u'; \"unsafe\"").contains(&word("unsafe")));
}

#[test]
fn inline_tests_are_told_from_the_program() {
    let text = "fn a() {} #[cfg(test)] mod tests { use crate::plan; fn b() { {} } } fn c() {}";
    let (program, tests) = without_tests(&tokens(text));
    assert!(program.contains(&word("c")) && !program.contains(&word("b")) && tests.contains(&word("plan")));
}
