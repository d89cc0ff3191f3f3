//! What a client property is.

/// A property of a client library.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Property {
    pub(crate) name: &'static str,
    pub(crate) user: Use,
    pub(crate) values: Values,
    /// The name under which the library keeps it, where this is another name for it.
    pub(crate) alias_of: Option<&'static str>,
    /// Its default, if the library cannot be asked for it.
    pub(crate) default: Option<&'static str>,
}

/// What values a property takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    Integer(i64, i64),
    /// This word, or a number.
    WordOrInteger(&'static str, i64, i64),
    Boolean,
    OneOf(&'static [&'static str]),
    /// Any of these, with commas between them.
    SomeOf(&'static [&'static str]),
    Text,
}

/// Who uses a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Consumer,
    Producer,
    Both,
}

impl Values {
    /// `boolean`, `text`, `0..9`, `all|-1..9`, `one|of|these` or `some,of,these`.
    pub(super) fn read(text: &'static str) -> Self {
        let range = |text: &str| {
            let (min, max) = text.split_once("..")?;
            Some((min.parse().ok()?, max.parse().ok()?))
        };
        let list = |sign: char| &*text.split(sign).collect::<Vec<_>>().leak();
        if let Some((min, max)) = range(text) {
            return Values::Integer(min, max);
        }
        if let Some((word, Some((min, max)))) = text.split_once('|').map(|(word, rest)| (word, range(rest))) {
            return Values::WordOrInteger(word, min, max);
        }
        match text {
            "boolean" => Values::Boolean,
            "text" | "" => Values::Text,
            _ if text.contains(',') => Values::SomeOf(list(',')),
            _ => Values::OneOf(list('|')),
        }
    }
}

/// The rows of a table of properties below its heading; columns that a row lacks are empty.
pub(crate) fn rows<const COLUMNS: usize>(table: &'static str) -> impl Iterator<Item = [&'static str; COLUMNS]> {
    let lines = table.lines().skip(1);
    lines.map(|line| {
        let mut columns = line.split('\t');
        std::array::from_fn(|_| columns.next().unwrap_or_default())
    })
}
