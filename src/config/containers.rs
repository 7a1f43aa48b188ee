//! Values made of values: lists, one or more of something, tables of names; and truth and counts, which are not texts.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::reader::{At, Entry, Named, Node, Notes, Value};
use crate::domain::card::Name;

impl Value for bool {
    fn read(node: &Node<'_>, notes: &mut Notes<'_>) -> Option<Self> {
        if node.as_bool().is_none() {
            notes.wrong_kind(node, "true or false", "true");
        }
        node.as_bool()
    }
}

macro_rules! counts {
    ($($type:ty)*) => {$(
        impl Value for $type {
            fn read(node: &Node<'_>, notes: &mut Notes<'_>) -> Option<Self> {
                let count = node.as_count().and_then(|count| Self::try_from(count).ok());
                if count.is_none() {
                    let found = node.as_digits().or_else(|| node.as_text().map(ToOwned::to_owned));
                    let found = found.map_or_else(|| node.what().to_owned(), |found| format!("`{found}`"));
                    let message = format!("`{}` takes a whole number from 0 to {}, not {found}", node.path, Self::MAX);
                    notes.error(&node.span, message, format!("such as {} = 25, without quotes", node.name()));
                }
                count
            }
        }
    )*};
}
counts!(u16 u32 u64);

impl<T: Value> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T: Value> Value for Vec<At<T>> {
    fn read(node: &Node<'_>, notes: &mut Notes<'_>) -> Option<Self> {
        let Some(items) = node.as_list() else {
            notes.wrong_kind(node, "a list", "[ … ]");
            return None;
        };
        let read: Vec<Option<At<T>>> = items
            .iter()
            .map(|item| Some(At { value: T::read(item, notes)?, key: item.key.clone(), span: item.span.clone() }))
            .collect();
        // A list that lacks an element would be another list, so that it counts as wrong as a whole.
        read.into_iter().collect()
    }
}

/// One value, or a list of them.
#[derive(Debug)]
pub(super) struct OneOrMore<T>(pub(super) Vec<At<T>>);

impl<T: Value> JsonSchema for OneOrMore<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMore{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (one, more) = (generator.subschema_for::<T>(), generator.subschema_for::<Vec<At<T>>>());
        json_schema!({ "anyOf": [one, more] })
    }
}

impl<T: Value> Value for OneOrMore<T> {
    fn read(node: &Node<'_>, notes: &mut Notes<'_>) -> Option<Self> {
        if node.as_list().is_some() {
            return Vec::read(node, notes).map(Self);
        }
        let value = T::read(node, notes)?;
        Some(Self(vec![At { value, key: node.span.clone(), span: node.span.clone() }]))
    }
}

impl<T: Value> JsonSchema for Named<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Named{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (name, value) = (generator.subschema_for::<Name>(), generator.subschema_for::<T>());
        json_schema!({ "type": "object", "propertyNames": name, "additionalProperties": value })
    }
}

impl<T: Value> Value for Named<T> {
    fn read(node: &Node<'_>, notes: &mut Notes<'_>) -> Option<Self> {
        let Some(entries) = node.as_table() else {
            notes.wrong_kind(node, "a table of names", "{ … }");
            return None;
        };
        let mut named = Vec::new();
        for (key, entry) in entries {
            let value = T::read(&entry, notes);
            match Name::parse(key) {
                Ok(name) => named.push(Entry { name, key: entry.key.clone(), value }),
                Err(why) => notes.error(&entry.key, why, None),
            }
        }
        Some(Self(named))
    }
}
