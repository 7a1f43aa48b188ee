//! How use may go on: as is expected, or so that less or more is used in nine cases of ten.

use jiff::tz::TimeZone;

use crate::domain::forecast::{Expected, Forecast, Used};
use crate::domain::reading::AllowanceKind;
use crate::domain::time::{Secs, UnixTime};

/// Nine of ten lie within 1.645 standard deviations of the average; a fifth more, since average and deviation are themselves
/// told from what little was seen.
const NINE_OF_TEN: f64 = 1.97;

/// One way in which use may go on. Where less is used everything else is late as well: what is due is seen only when the card
/// is read next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As is expected.
    Likely,
    /// More is used.
    More,
    /// Less is used.
    Less,
}

impl Way {
    const fn deviations(self) -> f64 {
        match self {
            Self::Likely => 0.0,
            Self::More => NINE_OF_TEN,
            Self::Less => -NINE_OF_TEN,
        }
    }
}

/// What is expected of each kind whose use is known, from the last reading on.
pub(super) struct Expectations(Vec<(AllowanceKind, Expected)>);

impl Expectations {
    pub(super) fn of(uses: &[(AllowanceKind, Forecast)], from: UnixTime, until: UnixTime, zone: &TimeZone) -> Self {
        let days = usize::try_from(until.since(from).0 / Secs::DAY.0).unwrap_or(0) + 2;
        let known = uses.iter().filter_map(|(kind, used)| Some((*kind, used.habit()?)));
        Self(known.map(|(kind, habit)| (kind, Expected::of(habit, from, zone, days))).collect())
    }

    /// Whether nothing is expected to change but by dates.
    pub(super) fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn path(&self, way: Way) -> Path {
        Path(self.0.iter().map(|(kind, expected)| (*kind, expected.used(way.deviations()))).collect())
    }
}

/// What is used of each kind up to each instant.
pub(super) struct Path(Vec<(AllowanceKind, Used)>);

impl Path {
    fn of(&self, wanted: AllowanceKind) -> Option<&Used> {
        self.0.iter().find(|(kind, _)| *kind == wanted).map(|(_, used)| used)
    }

    pub(super) fn kinds(&self) -> impl Iterator<Item = AllowanceKind> + '_ {
        self.0.iter().map(|(kind, _)| *kind)
    }

    /// What is used between two instants, in whole units that add up.
    pub(super) fn used(&self, kind: AllowanceKind, from: UnixTime, until: UnixTime) -> i64 {
        // Far beyond what fits, the largest stands for it.
        self.of(kind).map_or(0, |used| used.at(until).floor() as i64 - used.at(from).floor() as i64)
    }

    /// When so much has been used since `from`, and not a unit less; none if nobody can tell, or only after the last day that
    /// is looked at.
    pub(super) fn when(&self, kind: AllowanceKind, from: UnixTime, amount: i64) -> Option<UnixTime> {
        let used = self.of(kind)?;
        used.reaches(used.at(from).floor() + amount as f64 + 1.0).map(|at| at.max(from).plus(Secs(1)))
    }
}
