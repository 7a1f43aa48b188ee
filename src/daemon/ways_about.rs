//! The ways on which something about a card is told: never only through the card itself, which may be the very thing that
//! does not work.

use super::live::{Live, Way};
use crate::config::Carries;
use crate::domain::card::{Card, Name};
use crate::domain::notice::NoticeKind;
use crate::domain::severity::Severity;

impl Live {
    /// As [`ways`](Self::ways), for a card. Whoever would be told through the card alone is told over their other ways as
    /// well, wanted or not; where nobody has one, somebody else is told.
    #[must_use]
    pub fn ways_about(&self, card: Option<&Card>, kind: NoticeKind) -> Vec<Way> {
        let Some(card) = card else { return self.ways(None, kind) };
        let mut ways = self.ways_in(&self.told_of(card), kind);
        let mut stranded: Vec<(Name, Severity)> = Vec::new();
        for way in ways.iter().filter(|way| way.carries != Carries::Document) {
            let alone =
                ways.iter().filter(|other| other.person == way.person).all(|other| self.goes_through(other, card));
            if alone && stranded.iter().all(|(person, _)| *person != way.person) {
                stranded.push((way.person.clone(), way.severity));
            }
        }
        for (person, severity) in &stranded {
            ways.extend(self.all_ways_to(person, *severity).filter(|way| !self.goes_through(way, card)));
        }
        let is_reached = ways.iter().any(|way| way.carries != Carries::Document && !self.goes_through(way, card));
        if let (false, Some((person, severity))) = (is_reached, stranded.first()) {
            ways.extend(self.stand_in(person, *severity, card));
        }
        ways
    }

    /// All ways to the first person who can be told without the card: of those who stand in for `person`, then of all.
    fn stand_in(&self, person: &Name, severity: Severity, card: &Card) -> Vec<Way> {
        let escalate = self.insistence(person).and_then(|wishes| wishes.escalate.as_ref());
        let named = escalate.into_iter().flat_map(|escalate| &escalate.to);
        let ways_to = |name: &Name| -> Vec<Way> {
            self.all_ways_to(name, severity).filter(|way| !self.goes_through(way, card)).collect()
        };
        named.chain(self.everybody()).map(ways_to).find(|ways| !ways.is_empty()).unwrap_or_default()
    }

    /// Whether what goes this way arrives at the card, or leaves by it.
    fn goes_through(&self, way: &Way, card: &Card) -> bool {
        let arrives = way.carries == Carries::Sms
            && card.msisdn.as_ref().is_some_and(|number| way.address.trim_start_matches('+') == number.digits());
        let post = self.posts().iter().find(|post| post.name == way.channel);
        arrives || post.is_some_and(|post| post.through.as_ref() == Some(&card.name))
    }
}
