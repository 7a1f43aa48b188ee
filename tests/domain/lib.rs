//! The room `domain` by itself; see `src/domain/mod.rs`.

#[path = "../../src/domain/mod.rs"]
pub mod domain;
