//! The operators that simkeeper has an adapter for, in one list. A kind that stands here must pass the contract suite in
//! `tests/contract`.

use crate::domain::operator::{Capabilities, Terms};

/// One operator with an adapter of its own.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Its word in `kind = "…"`.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// What it can do.
    pub capabilities: Capabilities,
    /// What the adapter says about it for people and for checks.
    pub terms: fn() -> Terms,
}

/// All of them, by name.
pub const KINDS: &[Kind] = &[
    super::one_nce::KIND,
    super::airalo::KIND,
    super::dingconnect::KIND,
    super::dtone::KIND,
    super::emnify::KIND,
    super::esimaccess::KIND,
    super::esimgo::KIND,
    super::hologram::KIND,
    super::keepgo::KIND,
    super::reloadly::KIND,
    super::telnyx::KIND,
    super::things_mobile::KIND,
    super::tmf654::KIND,
];
