//! The rules for the source text: which module may know which, where code may be unsafe, how long a file and a function
//! may be. The sources are read from lib.rs and main.rs along their `mod` lines, as the compiler reads them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Block, Expr, ExprLit, Ident, ImplItem, ImplItemFn, Item, ItemFn, ItemMod, ItemUse, Lit, Macro,
    Signature, UseTree, Visibility,
};

/// Each module with the modules that it may know. Anything else is an error.
const MODULES: &[(&str, &str)] = &[
    ("testing", ""),
    ("wording", ""),
    ("secret", ""),
    ("client_errors", ""),
    ("names", ""),
    ("clients", ""),
    ("stats", ""),
    ("load", ""),
    ("time", ""),
    ("measure", "wording time clients"),
    ("figures", "stats measure"),
    ("scenario", "wording clients load figures"),
    ("contents", "scenario"),
    ("verdict", "stats scenario measure figures"),
    ("plan", "wording load scenario measure stats verdict"),
    ("protocol", "load scenario measure secret"),
    ("server", "measure"),
    ("kafka", "wording server clients scenario measure secret client_errors"),
    (
        "trial",
        "wording protocol names load scenario measure time secret client_errors",
    ),
    ("database", "server scenario measure secret"),
    ("work", "database protocol scenario measure"),
    (
        "worker",
        "work protocol contents load scenario measure secret client_errors",
    ),
    ("store", "plan scenario measure"),
    ("summary", "wording clients stats verdict plan scenario measure figures"),
    ("report", "wording summary stats plan scenario measure figures"),
    (
        "coordinator",
        "wording trial protocol names clients server kafka database store plan contents load scenario measure secret client_errors",
    ),
    (
        "cli",
        "wording trial coordinator worker report summary store server kafka database names secret plan scenario measure",
    ),
];

/// What the tests of a module may know besides, to prepare what they test.
const IN_TESTS: &[(&str, &str)] = &[
    ("clients", "scenario"),
    ("kafka", "load"),
    ("figures", "plan scenario"),
    ("summary", "time"),
];

/// Libraries that reports and the modules below them must not need.
const RUNTIME: &[&str] = &["tokio", "rdkafka", "rdkafka_sys"];

/// The parser asks the client library which properties it knows, and turns the answer into plain values.
const PARSER: &str = "src/clients/library.rs";

/// Where code may be unsafe.
const UNSAFE: &[&str] = &["src/worker/reader", "src/kafka/ffi"];

const MAX_FILE_LINES: usize = 400;
const MAX_FUNCTION_LINES: usize = 60;

/// The segments of a path, from the root of the crate.
type Segments = Vec<String>;

/// One file of the program, as far as the rules look into it. What is compiled for tests only is left out, except in
/// `named` and `words`.
#[derive(Default)]
struct SourceFile {
    path: PathBuf,
    /// `["kafka", "doctor"]` for src/kafka/doctor/mod.rs.
    module: Segments,
    lines: usize,
    functions: Vec<(String, usize)>,
    /// Items that the file itself defines.
    defines: BTreeSet<String>,
    /// Names that the file makes visible, with what they stand for; `*` for all names of a module.
    exports: Vec<(String, Segments)>,
    /// Paths into the crate that the file names, and whether in tests.
    named: Vec<(Segments, bool)>,
    /// All words, those of macro calls included.
    words: BTreeSet<String>,
}

impl SourceFile {
    fn top(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }
}

/// Reads one file's syntax tree.
#[derive(Default)]
struct Reader {
    file: SourceFile,
    /// The module that is being read: the file's, or an inline module below it.
    scope: Segments,
    test: bool,
    /// Lines of items that are compiled for tests only.
    test_lines: usize,
    /// Paths as they are written, each with its scope and whether it is in tests.
    written: Vec<(Segments, Segments, bool)>,
    /// Modules that the file declares.
    children: BTreeSet<Segments>,
    /// Files of declared modules: where each may be, its module, whether it is compiled for tests only.
    declared: Vec<([PathBuf; 2], Segments, bool)>,
}

impl Reader {
    /// Reads an item, as part of the tests if its attributes say so.
    fn item(&mut self, attributes: &[Attribute], item: &impl Spanned, read: impl FnOnce(&mut Self)) {
        let outside = self.test;
        let is_test = |attribute: &Attribute| {
            let list = attribute.meta.require_list();
            list.is_ok_and(|list| list.path.is_ident("cfg") && list.tokens.to_string() == "test")
        };
        if !outside && attributes.iter().any(is_test) {
            self.test = true;
            self.test_lines += item.span().end().line - item.span().start().line + 1;
        }
        read(self);
        self.test = outside;
    }

    fn function(&mut self, signature: &Signature, block: &Block) {
        if !self.test {
            let lines = block.brace_token.span.close().end().line - signature.fn_token.span.start().line + 1;
            self.file.functions.push((signature.ident.to_string(), lines));
        }
    }

    fn name(&mut self, path: Segments) {
        self.written.push((self.scope.clone(), path, self.test));
    }

    fn import(&mut self, tree: &UseTree, mut path: Segments, exported: bool) {
        let (name, alias) = match tree {
            UseTree::Path(inner) => {
                path.push(inner.ident.to_string());
                return self.import(&inner.tree, path, exported);
            }
            UseTree::Group(group) => {
                let trees = group.items.iter();
                return trees.for_each(|tree| self.import(tree, path.clone(), exported));
            }
            UseTree::Name(inner) => (inner.ident.to_string(), None),
            UseTree::Rename(inner) => (inner.ident.to_string(), Some(inner.rename.to_string())),
            UseTree::Glob(_) => ("*".to_owned(), None),
        };
        if name != "self" {
            path.push(name);
        }
        let alias = alias.unwrap_or_else(|| path.last().unwrap().clone());
        if exported && !self.test {
            self.file.exports.push((alias, path.clone()));
        }
        self.name(path);
    }

    /// Names the paths in the tokens of a macro's call.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut next = 0;
        while let Some(token) = tokens.get(next) {
            next += 1;
            if let TokenTree::Group(group) = token {
                self.tokens(group.stream());
            } else if let TokenTree::Ident(first) = token {
                let mut path = vec![first.to_string()];
                while let [
                    TokenTree::Punct(sign),
                    TokenTree::Punct(_),
                    TokenTree::Ident(segment),
                    ..,
                ] = &tokens[next..]
                    && sign.as_char() == ':'
                {
                    path.push(segment.to_string());
                    next += 3;
                }
                self.name(path);
            }
        }
    }

    /// A written path from the root of the crate; nothing if it does not lead into the crate.
    fn resolve(&self, scope: &[String], path: &[String]) -> Option<Segments> {
        let ups = path.iter().take_while(|segment| *segment == "super").count();
        match path[0].as_str() {
            "crate" => Some(path[1..].to_vec()),
            "self" => Some([scope, &path[1..]].concat()),
            "super" => Some([&scope[..scope.len() - ups], &path[ups..]].concat()),
            _ if path.len() > 1 && self.children.contains(&[scope, &path[..1]].concat()) => {
                Some([scope, path].concat())
            }
            _ => None,
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name): (&[Attribute], Option<&Ident>) = match item {
            Item::Const(item) => (&item.attrs, Some(&item.ident)),
            Item::Enum(item) => (&item.attrs, Some(&item.ident)),
            Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
            Item::Static(item) => (&item.attrs, Some(&item.ident)),
            Item::Struct(item) => (&item.attrs, Some(&item.ident)),
            Item::Trait(item) => (&item.attrs, Some(&item.ident)),
            Item::Type(item) => (&item.attrs, Some(&item.ident)),
            Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
            Item::Impl(item) => (&item.attrs, None),
            Item::Mod(item) => (&item.attrs, None),
            Item::Use(item) => (&item.attrs, None),
            _ => (&[], None),
        };
        self.item(attributes, item, |reader| {
            if !reader.test && reader.scope == reader.file.module {
                reader.file.defines.extend(name.map(ToString::to_string));
            }
            visit::visit_item(reader, item);
        });
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes: &[Attribute] = if let ImplItem::Fn(function) = item {
            &function.attrs
        } else {
            &[]
        };
        self.item(attributes, item, |reader| visit::visit_impl_item(reader, item));
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.scope.push(module.ident.to_string());
        self.children.insert(self.scope.clone());
        if module.content.is_none() {
            let candidates = module_files(&self.file.path, module);
            self.declared.push((candidates, self.scope.clone(), self.test));
        }
        visit::visit_item_mod(self, module);
        self.scope.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.import(&item.tree, Vec::new(), !matches!(item.vis, Visibility::Inherited));
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    /// `pub(super)` uses nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.name(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}

/// Where the file of `mod name;` may be.
fn module_files(parent: &Path, module: &ItemMod) -> [PathBuf; 2] {
    let folder = parent.parent().unwrap();
    let own = if ["mod.rs", "lib.rs"].iter().any(|name| parent.ends_with(name)) {
        folder.to_owned()
    } else {
        parent.with_extension("")
    };
    let path_attribute = module.attrs.iter().find(|attribute| attribute.path().is_ident("path"));
    let beside = path_attribute.map(|attribute| match &attribute.meta.require_name_value().unwrap().value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(name), ..
        }) => folder.join(name.value()),
        _ => panic!("{}: a path attribute without a string", parent.display()),
    });
    let below = own.join(module.ident.to_string());
    [
        beside.unwrap_or_else(|| below.with_extension("rs")),
        below.join("mod.rs"),
    ]
}

fn add_words(tokens: TokenStream, words: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(word) => drop(words.insert(word.to_string())),
            TokenTree::Group(group) => add_words(group.stream(), words),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

fn read(path: &Path, module: &[String], test: bool, text: &str) -> Reader {
    let file = SourceFile {
        path: path.to_owned(),
        module: module.to_vec(),
        ..SourceFile::default()
    };
    let mut reader = Reader {
        file,
        scope: module.to_vec(),
        test,
        ..Reader::default()
    };
    reader.visit_file(&syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    add_words(text.parse().unwrap(), &mut reader.file.words);
    reader.file.lines = if test {
        0
    } else {
        text.lines().count() - reader.test_lines
    };
    let named = reader.written.iter();
    let named = named.filter_map(|(scope, path, test)| Some((reader.resolve(scope, path)?, *test)));
    reader.file.named = named.filter(|(path, _)| !path.is_empty()).collect();
    let exports = std::mem::take(&mut reader.file.exports).into_iter();
    let exports = exports.filter_map(|(name, path)| Some((name, reader.resolve(module, &path)?)));
    reader.file.exports = exports.collect();
    reader
}

/// The files that are reached from lib.rs along the declared modules, and main.rs.
fn read_all(source: &Path, text: &dyn Fn(&Path) -> Option<String>) -> Vec<SourceFile> {
    let root = |name: &str| [source.join(name), source.join(name)];
    let mut declared = vec![
        (root("lib.rs"), Vec::new(), false),
        (root("main.rs"), vec!["main".to_owned()], false),
    ];
    let mut files = Vec::new();
    while let Some((candidates, module, test)) = declared.pop() {
        let found = candidates.iter().find_map(|path| Some((path, text(path)?)));
        let (path, text) = found.unwrap_or_else(|| panic!("{} does not exist", candidates[0].display()));
        let reader = read(path, &module, test, &text);
        declared.extend(reader.declared);
        files.push(reader.file);
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

static SOURCES: LazyLock<Vec<SourceFile>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = read_all(Path::new("src"), &|path| fs::read_to_string(folder.join(path)).ok());
    assert!(files.len() > 50, "{} files", files.len());
    files
});

/// The file that defines what a path from the root names, with the item's name; of a module, its own file and name.
fn definition<'a>(modules: &BTreeMap<&[String], &'a SourceFile>, path: &[String]) -> (&'a SourceFile, String) {
    let mut file = modules[&[] as &[String]];
    for (index, name) in path.iter().enumerate() {
        let (here, rest) = path.split_at(index + 1);
        let mut exports = file.exports.iter();
        let export = exports.find(|(export, target)| export == name && target != here && name != "*");
        // `pub use plan::plan` makes a function visible under the name of its module.
        if let Some(child) = modules.get(here).filter(|_| export.is_none() || !rest.is_empty()) {
            file = child;
            continue;
        }
        if let Some((_, target)) = export {
            return definition(modules, &[target, rest].concat());
        }
        let mut found = (file, name.clone());
        let globs = file
            .exports
            .iter()
            .filter(|(export, _)| export == "*" && !file.defines.contains(name));
        for (_, target) in globs {
            let (file, item) = definition(
                modules,
                &[&target[..target.len() - 1], std::slice::from_ref(name)].concat(),
            );
            if file.defines.contains(&item) {
                found = (file, item);
            }
        }
        return found;
    }
    (file, path.last().cloned().unwrap_or_default())
}

/// For each file, the files of its module that it uses, with an item of each. Tests are left out.
fn uses(files: &[SourceFile]) -> BTreeMap<&Path, BTreeMap<&Path, String>> {
    let modules = files.iter().map(|file| (&file.module[..], file)).collect();
    let mut uses: BTreeMap<&Path, BTreeMap<&Path, String>> = BTreeMap::new();
    for file in modules_only(files) {
        let named = file
            .named
            .iter()
            .filter(|(path, test)| !test && path[0] == file.module[0]);
        for (target, item) in named.map(|(path, _)| definition(&modules, path)) {
            if target.path != file.path {
                uses.entry(&file.path).or_default().insert(&target.path, item);
            }
        }
    }
    uses
}

/// The shortest way along the uses from a file back to itself.
fn circle<'a>(uses: &BTreeMap<&'a Path, BTreeMap<&'a Path, String>>, start: &'a Path) -> Option<Vec<&'a Path>> {
    let mut ways = VecDeque::from([vec![start]]);
    let mut reached = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in uses.get(way.last()?).into_iter().flat_map(BTreeMap::keys) {
            let way = [&way[..], &[*next]].concat();
            if *next == start {
                return Some(way);
            }
            if reached.insert(*next) {
                ways.push_back(way);
            }
        }
    }
    None
}

/// A circle for each file that takes part in one, by module; files of a circle that is listed already are left out.
fn circles(files: &[SourceFile]) -> Vec<String> {
    let uses = uses(files);
    let mut listed = BTreeSet::new();
    let mut circles = Vec::new();
    for file in modules_only(files) {
        let Some(way) = circle(&uses, &file.path).filter(|_| !listed.contains(&*file.path)) else {
            continue;
        };
        let mut text = "files use each other in a circle:".to_owned();
        for step in way.windows(2) {
            write!(text, "\n  {} uses {} of", step[0].display(), uses[step[0]][step[1]]).unwrap();
        }
        write!(text, "\n  {}", file.path.display()).unwrap();
        listed.extend(way);
        circles.push(text);
    }
    circles
}

/// Files and functions that are longer than allowed.
fn too_long(files: &[SourceFile]) -> Vec<String> {
    let mut long = Vec::new();
    for file in modules_only(files) {
        let file_length = (file.lines > MAX_FILE_LINES).then(|| format!("{} lines", file.lines));
        let functions = file.functions.iter().filter(|(_, lines)| *lines > MAX_FUNCTION_LINES);
        for text in functions
            .map(|(name, lines)| format!("{lines} lines in {name}"))
            .chain(file_length)
        {
            long.push(format!("{}: {text}", file.path.display()));
        }
    }
    long
}

/// Fails with what breaks a rule, a line each.
fn assert_none(broken: &[String]) {
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The files of the modules: without lib.rs, which only declares them, and main.rs.
fn modules_only(files: &[SourceFile]) -> impl Iterator<Item = &SourceFile> {
    files.iter().filter(|file| !["", "main"].contains(&file.top()))
}

fn knows(table: &[(&str, &str)], module: &str, other: &str) -> bool {
    let mut known = table.iter().filter(|(name, _)| *name == module);
    known.any(|(_, known)| known.split_whitespace().any(|name| name == other))
}

#[test]
fn a_module_names_only_the_modules_that_it_may_know() {
    let mut wrong = BTreeSet::new();
    // `testing` knows every module, and the tests of every module know it.
    for file in modules_only(&SOURCES).filter(|file| file.top() != "testing") {
        for (path, test) in file.named.iter().filter(|(path, test)| !test || path[0] != "testing") {
            let tables: &[_] = if *test { &[MODULES, IN_TESTS] } else { &[MODULES] };
            let named = path[0].as_str();
            if named != file.top() && !tables.iter().any(|table| knows(table, file.top(), named)) {
                let tests = if *test { "the tests of " } else { "" };
                wrong.insert(format!("{tests}{} must not know {named}", file.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_list_of_modules_is_complete_and_goes_one_way() {
    let existing: BTreeSet<&str> = modules_only(&SOURCES).map(SourceFile::top).collect();
    let mut before: BTreeSet<&str> = BTreeSet::new();
    for (module, known) in MODULES {
        assert!(
            known.split_whitespace().all(|other| before.contains(other)),
            "{module} knows a module that is listed after it"
        );
        before.insert(module);
    }
    assert_eq!(existing, before);
}

#[test]
fn the_files_of_a_module_use_each_other_in_no_circle() {
    assert_none(&circles(&SOURCES));
}

#[test]
fn files_and_functions_are_short() {
    assert_none(&too_long(&SOURCES));
}

#[test]
fn reports_and_the_modules_below_them_need_neither_brokers_nor_a_runtime() {
    let mut reached = BTreeSet::from(["report", "summary", "stats", "store"]);
    for (module, known) in MODULES.iter().rev() {
        if reached.contains(module) {
            reached.extend(known.split_whitespace());
        }
    }
    assert!(
        !reached.contains("kafka") && reached.contains("scenario"),
        "{reached:?}"
    );
    // A trial is pure itself; the errors that it lists are the library's.
    let below = modules_only(&SOURCES).filter(|file| reached.contains(file.top()) || file.top() == "trial");
    for file in below.filter(|file| file.path != Path::new(PARSER)) {
        let needs = RUNTIME.iter().find(|library| file.words.contains(**library));
        assert_eq!(needs, None, "{}", file.path.display());
    }
}

#[test]
fn only_the_reader_and_the_binding_are_unsafe() {
    for file in SOURCES.iter().filter(|file| file.words.contains("unsafe")) {
        let allowed = UNSAFE.iter().any(|place| file.path.starts_with(place));
        assert!(allowed, "{} is unsafe", file.path.display());
    }
}

#[test]
fn main_hands_over_to_the_library_and_does_nothing_else() {
    let file = SOURCES.iter().find(|file| file.module == ["main"]).unwrap();
    assert!(
        file.functions.len() == 1 && file.lines <= 20,
        "{:?} in {} lines",
        file.functions,
        file.lines
    );
}

/// The files of a library with one module, by name.
fn library(module: &str, texts: &[(&str, &str)]) -> Vec<SourceFile> {
    let root = format!("mod {module};");
    let all: BTreeMap<_, _> = [("main.rs", ""), ("lib.rs", &root)]
        .iter()
        .chain(texts)
        .copied()
        .collect();
    read_all(Path::new(""), &|path| all.get(path.to_str()?).map(ToString::to_string))
}

#[test]
fn comments_and_literals_name_no_module_and_macros_do() {
    let source = r##"
        // crate::cli
        /* crate::a /* crate::b */ crate::c */
        fn f<'a>(x: &'a str) -> char { let _ = (r#"crate::"d"#, "\"crate::e", b'\'', "unsafe"); 'y' }
        use crate::{plan::{self, Next}, store as s};
        pub(crate) fn g() { crate::report::x(); assert!([super::super::kafka::y()]); s::z() }
        #[cfg(test)] mod tests { use super::super::super::cli; }
    "##;
    let file = read(
        Path::new("cli/ask.rs"),
        &["cli", "ask"].map(str::to_owned),
        false,
        source,
    )
    .file;
    let named = |test| {
        file.named
            .iter()
            .filter(move |(_, tests)| *tests == test)
            .map(|(path, _)| &*path[0])
    };
    let [program, tests] = [false, true].map(|test| named(test).collect::<Vec<_>>().join(" "));
    assert_eq!((&*program, &*tests), ("plan plan store report kafka", "cli"));
    assert!(file.words.contains("kafka") && !file.words.contains("unsafe"));
}

/// The chain of the only circle among the files of kafka.
fn only_circle(texts: &[(&str, &str)]) -> String {
    let files = library("kafka", texts);
    circles(&files).join("\n")
}

#[test]
fn a_circle_is_found_through_what_files_re_export_and_written_as_a_chain() {
    let parent = "mod low; mod high; pub use low::Item; pub use high::*; pub struct Own;";
    let high = "use super::Item; pub struct High; #[cfg(test)] mod tests { use super::super::Own; }";
    let low = "pub struct Item;";
    let files = |parent, low| only_circle(&[("kafka/mod.rs", parent), ("kafka/low.rs", low), ("kafka/high.rs", high)]);
    assert_eq!(files(parent, low), "");
    assert_eq!(
        files(parent, "pub struct Item(super::High);"),
        "files use each other in a circle:\n  kafka/high.rs uses Item of\n  kafka/low.rs uses High of\n  kafka/high.rs"
    );
    assert_eq!(
        files(
            "mod low; mod high; pub use low::Item;",
            "pub struct Item(crate::kafka::Own);"
        ),
        "files use each other in a circle:\n  kafka/low.rs uses Own of\n  kafka/mod.rs uses Item of\n  kafka/low.rs"
    );
}

#[test]
fn lines_of_tests_are_not_counted() {
    let long = format!("fn long() {{\n{}}}\n", "// a reason\n".repeat(MAX_FUNCTION_LINES));
    let inline = format!("fn short() {{}}\n#[cfg(test)]\nmod tests {{\n{}}}\n", long.repeat(10));
    let found = |text| too_long(&library("plan", &[("plan.rs", text)])).join("\n");
    assert_eq!(found(&inline), "");
    assert_eq!(
        found(&long),
        format!("plan.rs: {} lines in long", MAX_FUNCTION_LINES + 2)
    );
}
