//! The JSON schema of the two files, from the declarations by which the loader reads them.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::machine_file::MachineTable;
use super::rules_file::RulesTable;

/// One of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// `simkeeper.toml`
    Machine,
    /// `rules.toml`
    Rules,
}

/// The schema of a file, in draft 7, which editors for TOML understand best. An editor that is told where it lies helps
/// with keys and values; the first line of the sample shows how.
#[must_use]
pub fn schema(which: Which) -> Value {
    let generator = || SchemaGenerator::new(SchemaSettings::draft07());
    match which {
        Which::Machine => generator().into_root_schema_for::<MachineTable>().to_value(),
        Which::Rules => generator().into_root_schema_for::<RulesTable>().to_value(),
    }
}
