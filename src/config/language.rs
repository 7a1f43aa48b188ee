//! How a language is named in the files: by its tag. Which there are is known from the files of texts.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::declare::read_word;
use super::reader::{Node, Notes, Value};
use crate::domain::notice::Language;

impl JsonSchema for Language {
    fn schema_name() -> Cow<'static, str> {
        "Language".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Language::ALL.map(Language::tag) })
    }
}

impl Value for Language {
    fn read(node: &Node<'_>, notes: &mut Notes<'_>) -> Option<Self> {
        read_word(node, notes, "a language", &Self::ALL.map(|language| (language.tag(), language)))
    }
}
