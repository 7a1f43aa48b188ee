//! What the loader takes, the schema takes, and both know the same keys.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;

/// A TOML text as an editor shows it to a JSON schema: dates become texts.
fn as_json(text: &str) -> Value {
    fn convert(value: toml::Value) -> Value {
        match value {
            toml::Value::String(text) => json!(text),
            toml::Value::Integer(number) => json!(number),
            toml::Value::Float(number) => json!(number),
            toml::Value::Boolean(truth) => json!(truth),
            toml::Value::Datetime(when) => json!(when.to_string()),
            toml::Value::Array(list) => list.into_iter().map(convert).collect(),
            toml::Value::Table(table) => table.into_iter().map(|(key, value)| (key, convert(value))).collect(),
        }
    }
    convert(toml::Value::Table(text.parse().unwrap()))
}

fn told_by_schema(which: Which, text: &str) -> Vec<String> {
    let validator = jsonschema::validator_for(&schema(which)).unwrap();
    validator.iter_errors(&as_json(text)).map(|error| error.to_string()).collect()
}

#[test]
fn what_the_loader_takes_the_schema_takes() {
    for (machine, rules) in [
        (SAMPLE_MACHINE, SAMPLE_RULES),
        (include_str!("full_machine.toml"), include_str!("full_rules.toml")),
        (MACHINE, ""),
    ] {
        parsed(machine, rules).unwrap();
        assert_eq!(told_by_schema(Which::Machine, machine), [""; 0]);
        assert_eq!(told_by_schema(Which::Rules, rules), [""; 0]);
    }
}

/// Every `properties` key of a schema.
fn schema_keys(value: &Value, keys: &mut BTreeSet<String>) {
    if let Some(properties) = value.get("properties").and_then(Value::as_object) {
        keys.extend(properties.keys().cloned());
    }
    match value {
        Value::Object(object) => object.values().for_each(|value| schema_keys(value, keys)),
        Value::Array(list) => list.iter().for_each(|value| schema_keys(value, keys)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Every key of a document that is not a name given by its owner.
fn document_keys(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| {
            keys.insert(key.clone());
            document_keys(value, keys);
        }),
        Value::Array(list) => list.iter().for_each(|value| document_keys(value, keys)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_key_of_the_schema_is_taken_by_the_loader() {
    // `every_key_arrives` shows that the loader takes these documents without a word about unknown keys.
    for (which, document) in
        [(Which::Machine, include_str!("full_machine.toml")), (Which::Rules, include_str!("full_rules.toml"))]
    {
        let (mut known, mut used) = (BTreeSet::new(), BTreeSet::new());
        schema_keys(&schema(which), &mut known);
        document_keys(&as_json(document), &mut used);
        assert_eq!(known.difference(&used).collect::<Vec<_>>(), [""; 0], "{which:?}");
    }
}

#[test]
fn what_the_loader_does_not_know_the_schema_refuses() {
    for (machine, rules) in [
        ("currency = \"CAD\"\nlanguge = \"en\"", ""),
        ("", ""),
        ("currency = \"CAD\"\n[operator.a]\nkind = \"airalo\"", ""),
        ("currency = \"CAD\"\n[operator.a]\nkind = \"sandbox\"\nclient_id = { file = \"/a\" }", ""),
        ("currency = \"CAD\"\n[operator.a]\nkind = \"sandbox\"\nkey = \"plain\"", ""),
        ("currency = \"CAD\"\n[operator.a]\nkind = \"sandbox\"\nkey = {}", ""),
        (MACHINE, "[card.a]\noperator = \"try\"\niccid = 8901260862291234563"),
        (MACHINE, "[rule.a]\nrenew_when = { data_belw = \"500 MB\" }"),
        (MACHINE, "[rule.a]\nrenew_when = { data_below = \"500 mb\" }"),
        (MACHINE, "[rule.a]\nbuy = [{ credit = \"1 CAD\", cheapest = {} }]"),
        (MACHINE, "[rule.a]\nmode = \"always\""),
    ] {
        assert!(parsed(machine, rules).is_err(), "{machine}{rules}");
        let told = [told_by_schema(Which::Machine, machine), told_by_schema(Which::Rules, rules)].concat();
        assert!(!told.is_empty(), "{machine}{rules}");
    }
}

#[test]
fn every_key_is_described() {
    fn undescribed(value: &Value, found: &mut Vec<String>) {
        for (key, about) in value.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if key != "kind" && about.get("description").and_then(Value::as_str).is_none_or(str::is_empty) {
                found.push(key.clone());
            }
        }
        match value {
            Value::Object(object) => object.values().for_each(|value| undescribed(value, found)),
            Value::Array(list) => list.iter().for_each(|value| undescribed(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    for which in [Which::Machine, Which::Rules] {
        let mut found = Vec::new();
        undescribed(&schema(which), &mut found);
        assert_eq!(found, [""; 0], "{which:?}");
    }
}
