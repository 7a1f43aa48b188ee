//! How the tables of the two files are declared: once, as a Rust struct. From that one declaration come the reader of the
//! table, its list of known keys and its JSON schema, so that they cannot differ.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, json};

use super::reader::{Node, Notes, known_words, looks_secret, nearest};

/// One key of a table, for the schema.
pub(super) struct Key {
    /// Its name.
    pub(super) name: &'static str,
    /// What it means.
    pub(super) about: &'static str,
    /// Whether a table without it is wrong.
    pub(super) must: bool,
    /// What it may hold.
    pub(super) schema: Schema,
}

/// A table with known keys; [`table!`] implements it.
pub(super) trait Table: Default {
    /// What the table is for.
    const ABOUT: &'static str;

    /// The keys, described.
    fn keys(generator: &mut SchemaGenerator) -> Vec<Key>;

    /// The names of the keys.
    fn names() -> Vec<&'static str>;

    /// Reads one key; false if it is not known.
    fn fill(&mut self, key: &str, node: &Node<'_>, notes: &mut Notes<'_>) -> bool;

    /// The keys that must be there and are not.
    fn missing(&self) -> Vec<&'static str>;

    /// The table for which this one is easily taken.
    fn beside() -> Option<Beside> {
        None
    }
}

/// A table in which a key may have been meant to stand.
pub(super) struct Beside {
    /// Its head.
    pub(super) place: &'static str,
    /// The names of its keys.
    pub(super) names: Vec<&'static str>,
}

impl Beside {
    /// What to say about a key that is not among the `known` of the table in which it stands, if it is one of this.
    fn help(&self, key: &str, known: &[&str]) -> Option<String> {
        let Self { place, names } = self;
        if names.contains(&key) {
            return Some(format!("it belongs under {place}"));
        }
        let near = nearest(key, names.iter().copied()).filter(|_| nearest(key, known.iter().copied()).is_none());
        near.map(|near| format!("did you mean `{near}`, which belongs under {place}?"))
    }
}

/// A table of many keys, kept apart from the others of its set.
impl<T: Table> Table for Box<T> {
    const ABOUT: &'static str = T::ABOUT;

    fn keys(generator: &mut SchemaGenerator) -> Vec<Key> {
        T::keys(generator)
    }

    fn names() -> Vec<&'static str> {
        T::names()
    }

    fn fill(&mut self, key: &str, node: &Node<'_>, notes: &mut Notes<'_>) -> bool {
        T::fill(self, key, node, notes)
    }

    fn missing(&self) -> Vec<&'static str> {
        T::missing(self)
    }
}

/// Tables that differ by their `kind`; [`kinds!`] implements it.
pub(super) trait Kinds {
    /// All of them, described.
    fn kinds() -> Vec<OneKind>;
}

/// One of several tables, for people who look for their keys.
pub(super) struct OneKind {
    /// Its word in `kind = "…"`.
    pub(super) word: &'static str,
    /// What the table is for.
    pub(super) about: &'static str,
    /// Its keys.
    pub(super) keys: Vec<Key>,
}

impl OneKind {
    /// The kind of this word.
    pub(super) fn of<T: Table>(word: &'static str) -> Self {
        Self { word, about: T::ABOUT.trim(), keys: T::keys(&mut SchemaGenerator::default()) }
    }
}

/// Reads a table key by key; `also` names keys that the caller reads itself.
pub(super) fn read_table<T: Table>(node: &Node<'_>, notes: &mut Notes<'_>, also: &[&'static str]) -> Option<T> {
    let Some(entries) = node.as_table() else {
        notes.wrong_kind(node, "a table", "{ … }");
        return None;
    };
    let mut table = T::default();
    for (key, entry) in entries.iter().filter(|(key, _)| !also.contains(key)) {
        if !table.fill(key, entry, notes) {
            let known: Vec<_> = T::names().into_iter().chain(also.iter().copied()).collect();
            if nearest(key, known.iter().copied()).is_some_and(looks_secret) {
                notes.hide(&entry.span);
            }
            let elsewhere = T::beside().and_then(|beside| beside.help(key, &known));
            let help = elsewhere.unwrap_or_else(|| known_words(key, &known));
            notes.error(&entry.key, format!("`{}` is not a known key", entry.path), help);
        }
    }
    for key in table.missing() {
        notes.contradiction(&node.key, format!("`{}` is missing", node.path_of(key)), format!("add {key} = …"));
    }
    Some(table)
}

/// The schema of a table.
pub(super) fn table_schema<T: Table>(generator: &mut SchemaGenerator) -> Schema {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for key in T::keys(generator) {
        let mut schema = key.schema;
        // Beside a reference, a description stands for this use of the shared definition.
        schema.insert("description".to_owned(), json!(key.about.trim()));
        properties.insert(key.name.to_owned(), schema.to_value());
        if key.must {
            required.push(key.name);
        }
    }
    json_schema!({
        "type": "object",
        "description": T::ABOUT.trim(),
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// Declares a table: `may` keys can be left out, `must` keys cannot; `with` takes in the keys of another table, and `beside`
/// names one for which it is easily taken.
macro_rules! table {
    (
        $(#[doc = $about:literal])*
        struct $table:ident $(with $inner:ident: $other:ty)? $(, beside $place:literal: $neighbour:ty)? {
            $($(#[doc = $doc:literal])* $need:ident $key:ident: $value:ty,)*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Default)]
        pub(super) struct $table {
            $(/// The keys that it shares with other tables.
            pub(super) $inner: $other,)?
            $($(#[doc = $doc])* pub(super) $key: $crate::config::reader::Field<$value>,)*
        }

        impl $crate::config::declare::Table for $table {
            const ABOUT: &'static str = concat!($($about),*);

            fn keys(generator: &mut schemars::SchemaGenerator) -> Vec<$crate::config::declare::Key> {
                let own = vec![$($crate::config::declare::Key {
                    name: stringify!($key).trim_start_matches("r#"),
                    about: concat!($($doc),*),
                    must: stringify!($need) == "must",
                    schema: generator.subschema_for::<$value>(),
                }),*];
                let shared = std::iter::empty();
                $(let shared = shared.chain(<$other as $crate::config::declare::Table>::keys(generator));)?
                own.into_iter().chain(shared).collect()
            }

            fn names() -> Vec<&'static str> {
                let mut names = vec![$(stringify!($key).trim_start_matches("r#")),*];
                $(names.extend(<$other as $crate::config::declare::Table>::names());)?
                names.sort_unstable();
                names
            }

            fn fill(
                &mut self,
                key: &str,
                node: &$crate::config::reader::Node<'_>,
                notes: &mut $crate::config::reader::Notes<'_>,
            ) -> bool {
                $(if key == stringify!($key).trim_start_matches("r#") {
                    self.$key = $crate::config::reader::Field::read(node, notes);
                    return true;
                })*
                false $(|| $crate::config::declare::Table::fill(&mut self.$inner as &mut $other, key, node, notes))?
            }

            fn missing(&self) -> Vec<&'static str> {
                let mut missing = Vec::new();
                $(if stringify!($need) == "must" && self.$key.is_absent() {
                    missing.push(stringify!($key).trim_start_matches("r#"));
                })*
                $(missing.extend(<$other as $crate::config::declare::Table>::missing(&self.$inner));)?
                missing
            }

            $(fn beside() -> Option<$crate::config::declare::Beside> {
                let names = <$neighbour as $crate::config::declare::Table>::names();
                Some($crate::config::declare::Beside { place: $place, names })
            })?
        }

        impl schemars::JsonSchema for $table {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($table).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::config::declare::table_schema::<Self>(generator)
            }
        }

        impl $crate::config::reader::Value for $table {
            fn read(
                node: &$crate::config::reader::Node<'_>,
                notes: &mut $crate::config::reader::Notes<'_>,
            ) -> Option<Self> {
                $crate::config::declare::read_table(node, notes, &[])
            }
        }
    };
}

/// Declares tables that differ by their `kind`.
macro_rules! kinds {
    ($(#[doc = $about:literal])* enum $name:ident { $($word:literal => $variant:ident($table:ty),)* }) => {
        $(#[doc = $about])*
        #[derive(Debug)]
        pub(super) enum $name {
            $(#[doc = concat!("`kind = \"", $word, "\"`")] $variant($table),)*
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let kinds = vec![$($crate::config::declare::of_kind::<$table>($word, generator)),*];
                schemars::json_schema!({ "description": concat!($($about),*).trim(), "oneOf": kinds })
            }
        }

        impl $crate::config::declare::Kinds for $name {
            fn kinds() -> Vec<$crate::config::declare::OneKind> {
                vec![$($crate::config::declare::OneKind::of::<$table>($word)),*]
            }
        }

        impl $crate::config::reader::Value for $name {
            fn read(
                node: &$crate::config::reader::Node<'_>,
                notes: &mut $crate::config::reader::Notes<'_>,
            ) -> Option<Self> {
                match $crate::config::declare::read_kind(node, notes, &[$($word),*])? {
                    $($word => $crate::config::declare::read_table(node, notes, &["kind"]).map(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

/// The word under `kind`, if it is one of `known`.
pub(super) fn read_kind(node: &Node<'_>, notes: &mut Notes<'_>, known: &[&'static str]) -> Option<&'static str> {
    let Some(entries) = node.as_table() else {
        notes.wrong_kind(node, "a table", "{ kind = … }");
        return None;
    };
    let Some((_, entry)) = entries.into_iter().find(|(key, _)| *key == "kind") else {
        let help = format!("add kind = … with one of {}", known.join(", "));
        notes.contradiction(&node.key, format!("`{}` is missing", node.path_of("kind")), help);
        return None;
    };
    let word = entry.as_text().unwrap_or_default();
    let found = known.iter().find(|known| **known == word).copied();
    if found.is_none() {
        notes.error(
            &entry.span,
            format!("`{}` is not a kind of {}", shown_word(&entry), outer(&entry.path)),
            known_words(word, known),
        );
    }
    found
}

/// The schema of one kind.
pub(super) fn of_kind<T: Table>(word: &'static str, generator: &mut SchemaGenerator) -> Schema {
    let mut schema = table_schema::<T>(generator);
    if let Some(properties) = schema.get_mut("properties").and_then(|properties| properties.as_object_mut()) {
        properties.insert("kind".to_owned(), json!({ "const": word }));
    }
    if let Some(required) = schema.get_mut("required").and_then(|required| required.as_array_mut()) {
        required.push(json!("kind"));
    }
    schema
}

fn shown_word(node: &Node<'_>) -> String {
    node.as_text().map_or_else(|| node.what().to_owned(), ToOwned::to_owned)
}

fn outer(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}

/// Declares closed sets of words.
macro_rules! words {
    ($($type:ty, $about:literal: { $($word:literal => $value:expr,)* })*) => {$(
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": [$($word),*] })
            }
        }

        impl $crate::config::reader::Value for $type {
            fn read(
                node: &$crate::config::reader::Node<'_>,
                notes: &mut $crate::config::reader::Notes<'_>,
            ) -> Option<Self> {
                $crate::config::declare::read_word(node, notes, $about, &[$(($word, $value)),*])
            }
        }
    )*};
}

/// Reads one of `words`, each with what it stands for; there is at least one.
pub(super) fn read_word<T: Copy>(
    node: &Node<'_>,
    notes: &mut Notes<'_>,
    about: &str,
    words: &[(&'static str, T)],
) -> Option<T> {
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let Some(text) = node.as_text() else {
        notes.wrong_kind(node, about, &format!("\"{}\"", known[0]));
        return None;
    };
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        notes.error(&node.span, format!("`{text}` is not {about}"), known_words(text, &known));
    }
    found
}

/// Declares values that are written as texts: type, name in the schema, words, pattern, example, reader.
macro_rules! texts {
    ($($type:ty, $name:literal, $about:literal, $pattern:literal, $example:literal, $parse:expr;)*) => {$(
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "title": $about, "pattern": $pattern, "examples": [$example] })
            }
        }

        impl $crate::config::reader::Value for $type {
            fn read(
                node: &$crate::config::reader::Node<'_>,
                notes: &mut $crate::config::reader::Notes<'_>,
            ) -> Option<Self> {
                let text = $crate::config::values::text(node, notes, $about, $example)?;
                let parse: fn(&str) -> Result<$type, String> = $parse;
                parse(text).map_err(|why| notes.bad_text(node, &why, $example)).ok()
            }
        }
    )*};
}

pub(super) use {kinds, table, texts, words};
