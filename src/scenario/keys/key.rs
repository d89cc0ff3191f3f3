//! What a key is, and the macro that declares the keys of a table.

use std::collections::BTreeMap;
use std::ops::{Deref, Range};
use std::rc::Rc;

use serde_json::Value;

use super::configured::Configured;
use super::table::Table;
use crate::scenario::document::{Entry, Node};
use crate::scenario::kinds::Refusal;
use crate::scenario::problem::Problems;
use crate::wording::with_commas;

/// A key of the scenario file.
#[derive(Clone, Copy)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// Where it may stand.
    pub tables: &'static [Table],
    /// What it means, in a sentence.
    pub doc: &'static str,
    pub(crate) default: Default,
    pub(crate) role: Option<Role>,
    pub(super) allowed: fn() -> String,
    pub(super) schema: fn() -> Value,
    pub(super) takes: fn(&Node<'_>) -> bool,
    pub(super) value: fn(&Configured<'_>) -> Option<String>,
}

/// What holds where a key is not given.
#[derive(Clone, Copy)]
pub(crate) enum Default {
    /// The key must be given.
    Required,
    /// Nothing, or what follows from elsewhere, in words.
    Absent(&'static str),
    /// A value; this is its text.
    Value(fn() -> String),
}

/// What a key does to a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It is a part of the task: figures of configurations that differ in it say nothing about each other.
    Task,
    /// A part of the task in which all configurations of a family are equal, unless `compare_across` names it.
    Family,
    /// The same, and `compare_across` cannot name it: with another value other figures are measured.
    Incomparable,
    /// The means to the task: runs may be compared for just such a difference.
    Means,
    /// Another way to give a key of the role [`Role::Family`].
    Alternative,
}

impl Key {
    /// The values it takes, in words.
    pub fn allowed(&self) -> String {
        (self.allowed)()
    }

    /// What holds where it is not given, in words.
    pub fn default_text(&self) -> String {
        match self.default {
            Default::Required => "must be given".to_owned(),
            Default::Absent(text) => text.to_owned(),
            Default::Value(text) => {
                let text = text();
                text.parse::<u64>().map_or(text, with_commas)
            }
        }
    }

    /// True for a value that it takes.
    pub(crate) fn takes(&self, node: &Node<'_>) -> bool {
        (self.takes)(node)
    }

    /// The JSON Schema of its values.
    pub(crate) fn schema(&self) -> Value {
        (self.schema)()
    }

    /// Its value in a configuration as text; `None` where it means nothing there or nobody set it.
    pub(crate) fn value(&self, configured: &Configured<'_>) -> Option<String> {
        (self.value)(configured)
    }
}

/// A key that the file gives, with its places.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    /// The key; a property of consumers is prefixed with `client.`, one of producers with `producer.`.
    pub(crate) key: String,
    pub(crate) key_span: Range<usize>,
    pub(crate) span: Range<usize>,
    /// The value as it stands in names of configurations: equal for equal values, however they were written.
    pub(crate) text: String,
}

/// The keys that a table gives, by name.
pub(crate) type GivenKeys = BTreeMap<String, Given>;

/// A change of the values of a table's keys.
pub(crate) type Change<T> = Rc<dyn Fn(&mut T)>;

/// A value that was read: its text, and the change that puts it in its place.
pub(crate) struct Parsed<T> {
    pub(crate) text: String,
    pub(crate) change: Change<T>,
}

/// A given key with its value.
#[derive(Clone)]
pub(crate) struct Setting<T> {
    given: Given,
    change: Change<T>,
}

impl<T> Deref for Setting<T> {
    type Target = Given;

    fn deref(&self) -> &Given {
        &self.given
    }
}

impl<T> Setting<T> {
    /// The setting of `key` by a value at `node`, which stands at `entry`.
    pub(crate) fn new(key: String, entry: &Entry<'_>, node: &Node<'_>, parsed: Parsed<T>) -> Self {
        Setting {
            given: Given {
                key,
                key_span: entry.key_span.clone(),
                span: node.span(),
                text: parsed.text,
            },
            change: parsed.change,
        }
    }

    /// The same of a table, whose header has this place.
    pub(crate) fn placed(key: String, key_span: Range<usize>, span: Range<usize>, parsed: Parsed<T>) -> Self {
        let Parsed { text, change } = parsed;
        Setting {
            given: Given {
                key,
                key_span,
                span,
                text,
            },
            change,
        }
    }
}

/// A key with its reader.
pub(crate) struct Declared<T> {
    pub(crate) key: Key,
    pub(crate) read: fn(&Node<'_>) -> Result<Parsed<T>, Refusal>,
}

/// The values of the keys of a table, made by [`keys!`].
pub(crate) trait TableKeys: std::default::Default + Sized + 'static {
    /// The keys in the order of the documentation.
    const KEYS: &'static [Declared<Self>];

    /// The keys that the file gives.
    fn all_given(&self) -> &GivenKeys;
    /// The same, to add one.
    fn all_given_mut(&mut self) -> &mut GivenKeys;

    /// The key of that name in that table.
    fn key_in(table: Table, name: &str) -> Option<&'static Declared<Self>> {
        let matches = |declared: &&Declared<Self>| declared.key.name == name && declared.key.tables.contains(&table);
        Self::KEYS.iter().find(matches)
    }

    /// The places where a key was given; `None` where the default holds.
    fn given(&self, key: &str) -> Option<&Given> {
        self.all_given().get(key)
    }

    /// Puts a value in its place.
    fn apply(&mut self, setting: &Setting<Self>) {
        (setting.change)(self);
        self.all_given_mut()
            .insert(setting.given.key.clone(), setting.given.clone());
    }

    /// The defaults with these on top, later ones over earlier ones.
    fn from_settings<'a>(settings: impl IntoIterator<Item = &'a Setting<Self>>) -> Self {
        let mut values = Self::default();
        settings.into_iter().for_each(|setting| values.apply(setting));
        values
    }

    /// Reads an entry of the table; false for one that is none of its keys.
    fn read_entry(&mut self, table: Table, entry: &Entry<'_>, problems: &mut Problems) -> bool {
        let Some(declared) = Self::key_in(table, entry.key) else {
            return false;
        };
        let read = (declared.read)(entry.value).map_err(|refusal| refusal.problem(entry.key, entry.value));
        if let Some(parsed) = problems.keep(read) {
            self.apply(&Setting::new(entry.key.to_owned(), entry, entry.value, parsed));
        }
        true
    }
}

/// Declares the keys of a table. A line has: the key's name, the field that holds its value, the kind of value, the
/// tables where it may stand, its default, its role with its value in a configuration (or neither), and its meaning.
macro_rules! keys {
    ($(#[$about:meta])* $table:ident { $($(#[$other_about:meta])* $other:ident: $other_type:ty,)* }
     $($name:literal => $field:ident: $kind:ty, $tables:expr, $default:ident($($fallback:expr)?),
       $($role:ident($value:expr),)? $doc:literal;)*) => {
        $(#[$about])*
        #[derive(Debug, Clone)]
        pub(crate) struct $table {
            $(#[doc = $doc] pub(crate) $field: keys!(@type $default $kind),)*
            $($(#[$other_about])* pub(crate) $other: $other_type,)*
            given: $crate::scenario::keys::key::GivenKeys,
        }

        impl Default for $table {
            fn default() -> Self {
                $table {
                    $($field: keys!(@default $default($($fallback)?)),)*
                    $($other: <$other_type>::default(),)*
                    given: Default::default(),
                }
            }
        }

        impl $crate::scenario::keys::key::TableKeys for $table {
            const KEYS: &'static [$crate::scenario::keys::key::Declared<Self>] = &[
                $($crate::scenario::keys::key::Declared {
                    key: $crate::scenario::keys::key::Key {
                        name: $name,
                        tables: $tables,
                        doc: $doc,
                        default: keys!(@text $kind, $default($($fallback)?)),
                        role: keys!(@role $($role)?),
                        allowed: <$kind as Kind>::allowed,
                        schema: <$kind as Kind>::schema,
                        takes: |node| <$kind as Kind>::read(node).is_ok(),
                        value: keys!(@value $kind $(, $value)?),
                    },
                    read: |node| {
                        let value = <$kind as Kind>::read(node)?;
                        Ok($crate::scenario::keys::key::Parsed {
                            text: <$kind as Kind>::text(&value),
                            change: std::rc::Rc::new(move |table: &mut $table| {
                                table.$field = keys!(@given $default value.clone());
                            }),
                        })
                    },
                },)*
            ];

            fn all_given(&self) -> &$crate::scenario::keys::key::GivenKeys {
                &self.given
            }

            fn all_given_mut(&mut self) -> &mut $crate::scenario::keys::key::GivenKeys {
                &mut self.given
            }
        }
    };
    (@type default $kind:ty) => { <$kind as Kind>::Value };
    (@type $absent:ident $kind:ty) => { Option<<$kind as Kind>::Value> };
    (@default default($value:expr)) => { $value };
    (@default $absent:ident($($text:expr)?)) => { None };
    (@given default $value:expr) => { $value };
    (@given $absent:ident $value:expr) => { Some($value) };
    (@text $kind:ty, required()) => { $crate::scenario::keys::key::Default::Required };
    (@text $kind:ty, absent($text:expr)) => { $crate::scenario::keys::key::Default::Absent($text) };
    (@text $kind:ty, default($value:expr)) => {
        $crate::scenario::keys::key::Default::Value(|| <$kind as Kind>::text(&$value))
    };
    (@role) => { None };
    (@role $role:ident) => { Some($crate::scenario::keys::key::Role::$role) };
    (@value $kind:ty) => { |_| None };
    (@value $kind:ty, $value:expr) => {
        |configured| {
            let value: fn(&Configured<'_>) -> Option<<$kind as Kind>::Value> = $value;
            value(configured).map(|value| <$kind as Kind>::text(&value))
        }
    };
}
pub(super) use keys;
