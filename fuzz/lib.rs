//! The way from a fuzz target to the property it is about.

#[path = "properties/mod.rs"]
mod properties;

/// Holds these bytes against the property of this name; panics if it does not hold.
pub fn check(property: &str, data: &[u8]) {
    properties::check(property, data);
}
