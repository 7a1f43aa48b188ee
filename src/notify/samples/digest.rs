//! Samples of digests: a family, one where all is well, and a fleet.

use super::facts::{ENDS, NOW, dollars, name};
use crate::domain::attempt::AttemptId;
use crate::domain::digest::{Comes, Digest, Ending, Expected, Purchase, Seen, SharedUse, Span, Trouble};
use crate::domain::last_safe::Loss;
use crate::domain::money::{Currency, Money};
use crate::domain::notice::Event;
use crate::domain::reading::{AllowanceKind, EndKind};
use crate::domain::time::Secs;

pub(super) fn every() -> Vec<Event> {
    let digests = [family(), all_well(), fleet(), every_trouble()];
    digests.into_iter().map(|digest| Event::Digest(Box::new(digest))).collect()
}

fn weekly() -> Digest {
    Digest::new(Span::Weekly, NOW.minus(Secs::days(7)), NOW, NOW.plus(Secs::days(7)))
}

fn seen(card: &str) -> Seen {
    Seen {
        card: name(card),
        is_silenced: false,
        is_watched: false,
        trouble: None,
        ending: None,
        bought: Vec::new(),
        coming: Vec::new(),
    }
}

fn ending(card: &str, loss: Loss, hours: i64, safe_hours: Option<i64>) -> Option<Ending> {
    let last_safe = safe_hours.map(|hours| NOW.plus(Secs::hours(hours)));
    Some(Ending { card: name(card), loss, ends: NOW.plus(Secs::hours(hours)), last_safe })
}

fn purchase(card: &str, plan: &str, charged: Money, days: i64, month_left: Option<Money>) -> Purchase {
    Purchase { card: name(card), plan: plan.to_owned(), charged, at: NOW.minus(Secs::days(days)), month_left }
}

fn expected(card: &str, days: i64, comes: Comes) -> Expected {
    Expected { card: name(card), at: NOW.plus(Secs::days(days)), comes }
}

fn buys(plan: &str, cents: i64) -> Comes {
    Comes::Buys { plan: plan.to_owned(), price: dollars(cents) }
}

fn family() -> Digest {
    let mut digest = weekly();
    let plan = "Canada 3 GB 7 days".to_owned();
    digest.add(&Seen {
        trouble: Some(Trouble::Decide { attempt: AttemptId(41), plan, price: dollars(1_550) }),
        ending: ending("canada-trip", Loss::Ends(EndKind::Plan), 51, Some(44)),
        ..seen("canada-trip")
    });
    digest.add(&Seen { trouble: Some(Trouble::Watched), ..seen("Oma 📱") });
    digest.add(&Seen {
        ending: ending("tablet", Loss::RunsOut(AllowanceKind::Data), 96, Some(70)),
        bought: vec![purchase("tablet", "1 GB 7 days", dollars(450), 3, Some(dollars(2_550)))],
        coming: vec![expected("tablet", 4, buys("1 GB 7 days", 450))],
        ..seen("tablet")
    });
    let euros = Money::new(100_000, Currency::EUR);
    digest.add(&Seen {
        ending: ending("de-number", Loss::Ends(EndKind::Number), 24 * 40, None),
        bought: vec![purchase("de-number", "10 EUR credit", euros, 5, None)],
        ..seen("de-number")
    });
    digest.add(&Seen { is_silenced: true, ..seen("drawer") });
    digest.add(&Seen { trouble: Some(Trouble::Paused), is_watched: true, ..seen("ben-phone") });
    digest.shared = vec![SharedUse { line: 42, spent: Some(dollars(3_150)), limit: dollars(20_000) }];
    digest
}

fn all_well() -> Digest {
    let mut digest = weekly();
    let ends = Ending { card: name("canada-trip"), loss: Loss::Ends(EndKind::Plan), ends: ENDS, last_safe: None };
    digest.add(&Seen { ending: Some(ends), ..seen("canada-trip") });
    digest.add(&seen("tablet"));
    digest
}

fn fleet() -> Digest {
    let mut digest = Digest::new(Span::Daily, NOW.minus(Secs::DAY), NOW, NOW.plus(Secs::DAY));
    for place in 0..480_i64 {
        let card = format!("router-{place:03}");
        let trouble = match place % 40 {
            11 => Some(Trouble::Unread { read_at: Some(NOW.minus(Secs::hours(50))), account: name("fleet") }),
            23 => Some(Trouble::Blocked),
            _ => None,
        };
        digest.add(&Seen {
            trouble,
            ending: ending(&card, Loss::Ends(EndKind::Plan), 20 + place, Some(12 + place)),
            bought: vec![purchase(&card, "500 MB", dollars(500), 0, None)],
            coming: vec![expected(&card, 1 + place % 3, buys("500 MB", 500))],
            ..seen(&card)
        });
    }
    digest
}

/// Every word that a digest can say about a card.
fn every_trouble() -> Digest {
    let mut digest = Digest::new(Span::Monthly, NOW.minus(Secs::days(30)), NOW, NOW.plus(Secs::days(31)));
    let troubles = [
        Trouble::Settle(AttemptId(7)),
        Trouble::Blocked,
        Trouble::CannotRenew,
        Trouble::Unread { read_at: None, account: name("airalo") },
        Trouble::Paused,
        Trouble::Unknown,
    ];
    let dear = |what: fn(String, Money) -> Comes| what("North America Unlimited Plus".to_owned(), dollars(9_900));
    let comes = [
        Comes::Unpriced,
        Comes::NothingOnSale,
        dear(|plan, price| Comes::OverLimit { plan, price }),
        dear(|plan, price| Comes::Asks { plan, price }),
    ];
    for (place, trouble) in troubles.into_iter().enumerate() {
        let card = format!("canada-trip-{place}");
        let coming = comes.get(place).map(|comes| expected(&card, 2, comes.clone())).into_iter().collect();
        digest.add(&Seen { trouble: Some(trouble), coming, ..seen(&card) });
    }
    digest.shared = vec![SharedUse { line: 42, spent: None, limit: dollars(20_000) }];
    digest
}
