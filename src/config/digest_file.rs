//! `digest` of a person and of `[schedule]`: when all cards are wanted at a glance.

use std::collections::BTreeSet;

use jiff::civil::date;
use jiff::tz::TimeZone;

use super::containers::OneOrMore;
use super::declare::texts;
use super::reader::{At, Field, Notes};
use crate::domain::card::Name;
use crate::domain::digest::Rhythm;
use crate::domain::time::LocalHours;

/// When a digest is wanted, or that none is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DigestWish {
    Never,
    At(Rhythm),
}

impl DigestWish {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "never" { Ok(Self::Never) } else { Rhythm::parse(text).map(Self::At) }
    }

    const fn rhythm(self) -> Option<Rhythm> {
        match self {
            Self::Never => None,
            Self::At(rhythm) => Some(rhythm),
        }
    }
}

texts! {
    DigestWish, "Digest", "a time for digests", r"^(never|(daily|(weekly )?(Mon|Tue|Wed|Thu|Fri|Sat|Sun)|weekly|monthly( [1-9]| [12][0-9]| 3[01])?)( [0-2][0-9]:[0-5][0-9])?)$", "Mon 08:00", DigestWish::parse;
}

/// The digests that are asked for; none if nothing is said.
pub(super) fn digests(field: &Field<OneOrMore<DigestWish>>, notes: &mut Notes<'_>) -> Option<Vec<Rhythm>> {
    let wishes = &field.good()?.value.0;
    let mut seen = BTreeSet::new();
    for At { value, span, .. } in wishes {
        match value.rhythm() {
            None if wishes.len() > 1 => {
                notes.contradiction(
                    span,
                    "`never` stands beside a time",
                    "digest = \"never\", or leave it out".to_owned(),
                );
            }
            None => {}
            Some(rhythm) if seen.insert(rhythm.span()) => {}
            Some(rhythm) => {
                let message = format!("there is a {} digest already", rhythm.span().as_str());
                notes.contradiction(span, message, "name one daily, one weekly and one monthly at most".to_owned());
            }
        }
    }
    Some(wishes.iter().filter_map(|at| at.value.rhythm()).collect())
}

/// Warns of digests that would come in hours in which nothing is sent.
pub(super) fn check_quiet(
    person: &Name,
    field: &Field<OneOrMore<DigestWish>>,
    quiet: LocalHours,
    notes: &mut Notes<'_>,
) {
    // Hours of the day are compared, so that any day serves.
    let is_quiet = |rhythm: Rhythm| quiet.contains(rhythm.at(date(2026, 1, 5), &TimeZone::UTC), &TimeZone::UTC);
    for at in field.get().into_iter().flat_map(|list| &list.0) {
        if at.value.rhythm().is_some_and(is_quiet) {
            let help = "name a later hour, such as \"daily 08:00\"".to_owned();
            notes.warning(&at.span, format!("this digest waits for the end of the quiet hours of `{person}`"), help);
        }
    }
}
