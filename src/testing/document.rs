//! Tables and other parts of the documentation that are made from declarations in the program.

use std::fs;
use std::path::{Path, PathBuf};

/// A document whose parts between `<!-- made: NAME -->` and `<!-- end -->` are made by a test.
pub(crate) struct Document {
    path: PathBuf,
    before: String,
    text: String,
}

impl Document {
    /// Reads it; `path` is below the repository.
    pub(crate) fn read(path: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let before = fs::read_to_string(&path).unwrap();
        Document {
            path,
            text: before.clone(),
            before,
        }
    }

    /// Puts lines in their place.
    pub(crate) fn passage(&mut self, name: &str, lines: &str) {
        let begin = format!("<!-- made: {name} -->\n");
        let start = self.text.find(&begin);
        let from = start.unwrap_or_else(|| panic!("{begin:?} is not in {}", self.path.display())) + begin.len();
        let end = from + self.text[from..].find("<!-- end -->").unwrap();
        self.text.replace_range(from..end, lines);
    }

    /// Puts a table in its place.
    pub(crate) fn table(&mut self, name: &str, headers: &[&str], rows: &[Vec<String>]) {
        let line = |cells: &[String]| {
            format!(
                "|{}\n",
                cells
                    .iter()
                    .map(|cell| format!(" {cell} |").replace("  |", " |"))
                    .collect::<String>()
            )
        };
        let headers: Vec<String> = headers.iter().map(|&header| header.to_owned()).collect();
        let rule = format!("|{}\n", "---|".repeat(headers.len()));
        let table: String = [line(&headers), rule]
            .into_iter()
            .chain(rows.iter().map(|row| line(row)))
            .collect();
        self.passage(name, &table);
    }

    /// Fails where the file differs; with `INSTA_UPDATE=always` it is written instead.
    pub(crate) fn check(self) {
        if self.text == self.before {
            return;
        }
        if std::env::var("INSTA_UPDATE").is_ok_and(|value| value == "always") {
            fs::write(&self.path, &self.text).unwrap();
            return;
        }
        panic!(
            "{} is not as the program has it; run this test with INSTA_UPDATE=always, and look at the difference",
            self.path.display()
        );
    }
}
