//! Which plan to buy: the first entry of the rule's list that is on sale for this card and does not outlast the trip.

use serde::Serialize;

use super::activity;
use super::ahead::{self, Ahead};
use super::card::Card;
use super::cover::{OUTLASTS_BY, Reckoning, share_of};
use super::data::DataSize;
use super::enough;
use super::forecast::Forecast;
use super::ledger::Spend;
use super::money::Money;
use super::plan::{Catalogue, Plan};
use super::reading::Reading;
use super::rule::{Choice, Line, Rule};
use super::time::{Secs, UnixTime, day_after};

/// An entry of the list that was not taken, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PassedOver {
    /// Its line.
    pub line: Line,
    /// Why.
    pub why: Passed,
}

/// Why an entry was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Passed {
    /// The operator does not sell it for this card at present.
    NotOnSale,
    /// "same", but no plan of this card is known.
    NoPlanKnown,
    /// It would outlast the rule's last day by more than the rule allows.
    OutlastsTrip,
    /// It would not lift the card above the rule's conditions.
    NotEnough,
    /// It would not, and it was bought once already.
    BoughtOnce,
    /// No plan on sale helps until the rule's last day within its limits.
    NothingCovers,
    /// Most of each plan that would help would be left over when the rule's last day is over.
    MostIsLeftOver,
}

/// What a choice may know.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// The card.
    pub card: &'a Card,
    /// The rule.
    pub rule: &'a Rule,
    /// The card as last read.
    pub reading: &'a Reading,
    /// The id of the plan that was bought last, if any was.
    pub last_plan: Option<&'a str>,
    /// How its data is used; looked at by entries that [look ahead](Rule::looks_ahead).
    pub data_use: &'a Forecast,
    /// What was spent on it lately; likewise.
    pub spends: &'a [Spend],
    /// Now.
    pub now: UnixTime,
}

/// What the list came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen<'a> {
    /// The plan, if an entry could be taken.
    pub plan: Option<&'a Plan>,
    /// Entries before it that could not.
    pub passed_over: Vec<PassedOver>,
    /// What the choice was reckoned by, where the entry looks ahead.
    pub reckoning: Option<Reckoning>,
    /// Whether nothing is bought because what is on the card lasts until the rule's last day is over.
    pub lasts: bool,
}

impl Chosen<'_> {
    const fn none(passed_over: Vec<PassedOver>) -> Self {
        Self { plan: None, passed_over, reckoning: None, lasts: false }
    }
}

/// Goes through the rule's list.
#[must_use]
pub fn choose<'a>(occasion: &Occasion<'_>, catalogue: &'a Catalogue) -> Chosen<'a> {
    let Occasion { card, rule, reading, last_plan, now, .. } = *occasion;
    let mut passed_over = Vec::new();
    let fits = |plan: &Plan| !outlasts(card, rule, plan, reading, now);
    for entry in &rule.buy {
        let found = match &entry.choice {
            Choice::Same => match reading.plan.as_deref().or(last_plan) {
                Some(id) => same(catalogue, id, last_plan).ok_or(Passed::NotOnSale),
                None => Err(Passed::NoPlanKnown),
            },
            Choice::Named(name) => catalogue.find(name).ok_or(Passed::NotOnSale),
            Choice::Cheapest { data, validity } => {
                // If all that cover the need are too long, the one to name is the cheapest of them.
                let any = || cheapest(catalogue, *data, *validity, &|_| true);
                cheapest(catalogue, *data, *validity, &fits).or_else(any).ok_or(Passed::NotOnSale)
            }
            Choice::Activity(counts) => {
                let any = || activity::cheapest(catalogue, counts, &|_| true);
                activity::cheapest(catalogue, counts, &fits).or_else(any).ok_or(Passed::NotOnSale)
            }
            Choice::Credit(amount) => credit(catalogue, *amount).ok_or(Passed::NotOnSale),
            Choice::Cover => match ahead::look(occasion, catalogue) {
                Ahead::Lasts => return Chosen { lasts: true, ..Chosen::none(passed_over) },
                // It begins when what is on the card is used up, which may be long before that ends.
                Ahead::Begin(plan, reckoning) => {
                    return Chosen { plan: Some(plan), reckoning: Some(reckoning), ..Chosen::none(passed_over) };
                }
                Ahead::NothingFits => Err(Passed::NothingCovers),
                Ahead::MostIsLeftOver => Err(Passed::MostIsLeftOver),
            },
        };
        match found {
            Ok(plan) if fits(plan) => match enough::instead(occasion, plan, catalogue, &fits) {
                Ok(plan) => return Chosen { plan: Some(plan), ..Chosen::none(passed_over) },
                Err(why) => passed_over.push(PassedOver { line: entry.line, why }),
            },
            Ok(_) => passed_over.push(PassedOver { line: entry.line, why: Passed::OutlastsTrip }),
            Err(why) => passed_over.push(PassedOver { line: entry.line, why }),
        }
    }
    Chosen::none(passed_over)
}

/// The plan on the card; if it cannot be bought under that id (a first plan often cannot), the one bought last.
fn same<'a>(catalogue: &'a Catalogue, on_card: &str, last: Option<&str>) -> Option<&'a Plan> {
    catalogue.find(on_card).or_else(|| last.and_then(|last| catalogue.find(last)))
}

/// The cheapest plan that covers the need; of equally cheap ones the one with more data, then the longer one. A plan
/// without a length does not end.
fn cheapest<'a>(
    catalogue: &'a Catalogue,
    data: Option<DataSize>,
    validity: Option<Secs>,
    fits: &impl Fn(&Plan) -> bool,
) -> Option<&'a Plan> {
    let currency = catalogue.plans.first()?.price.currency();
    catalogue
        .plans
        .iter()
        .filter(|plan| plan.price.currency() == currency)
        .filter(|plan| data.is_none_or(|data| plan.contents.covers(data)))
        .filter(|plan| validity.is_none_or(|needed| plan.validity().is_none_or(|lasts| lasts >= needed)))
        .filter(|plan| fits(plan))
        .min_by_key(|plan| {
            let data = if plan.contents.unlimited_data { u64::MAX } else { plan.contents.data_bytes.unwrap_or(0) };
            let lasts = plan.validity_secs.unwrap_or(i64::MAX);
            (plan.price.ten_thousandths(), std::cmp::Reverse(data), std::cmp::Reverse(lasts), &plan.id)
        })
}

fn credit(catalogue: &Catalogue, amount: Money) -> Option<&Plan> {
    let mut matching: Vec<&Plan> = catalogue.plans.iter().filter(|plan| plan.contents.credit == Some(amount)).collect();
    matching.sort_by_key(|plan| (plan.price.ten_thousandths(), &plan.id));
    matching.first().copied()
}

/// Whether a plan would last beyond the rule's last day by more than a quarter of its own length, or what the rule says. It
/// begins when the present plan ends, or now.
fn outlasts(card: &Card, rule: &Rule, plan: &Plan, reading: &Reading, now: UnixTime) -> bool {
    let (Some(until), Some(lasts)) = (rule.until, plan.validity()) else { return false };
    let begins = reading.plan_ends.map_or(now, |end| end.at.max(now));
    let beyond = share_of(lasts, rule.outlast.unwrap_or(OUTLASTS_BY));
    begins.plus(lasts) > day_after(until, &card.zone).plus(beyond)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::activity::Activity;
    use crate::domain::money::Currency;
    use crate::domain::rule::{Buy, Mode};
    use crate::domain::testing::{NOW, at, card, plan, reading, rule, usd, zone};
    use crate::domain::time::End;

    const GB: u64 = 1_000_000_000;
    const UNSEEN: Forecast = Forecast::unseen();

    fn catalogue(plans: Vec<Plan>) -> Catalogue {
        Catalogue::of(NOW, plans)
    }

    fn rule_with(choices: Vec<Choice>) -> Rule {
        let buy = choices.into_iter().zip(20..).map(|(choice, line)| Buy { choice, line }).collect();
        Rule { buy, ..rule(Mode::Auto, &[]) }
    }

    fn occasion<'a>(card: &'a Card, rule: &'a Rule, reading: &'a Reading, last: Option<&'a str>) -> Occasion<'a> {
        Occasion { card, rule, reading, last_plan: last, data_use: &UNSEEN, spends: &[], now: NOW }
    }

    /// The id of the plan that is chosen, and why entries before it were not.
    fn chosen(rule: &Rule, catalogue: &Catalogue, on_card: Option<&str>, last: Option<&str>) -> (String, Vec<Passed>) {
        let reading = Reading { plan: on_card.map(str::to_owned), ..reading(0) };
        let chosen = choose(&occasion(&card(), rule, &reading, last), catalogue);
        let id = chosen.plan.map_or("-", |plan| plan.id.as_str()).to_owned();
        (id, chosen.passed_over.iter().map(|passed| passed.why).collect())
    }

    #[test]
    fn the_next_entry_is_used_only_when_the_one_before_cannot_be() {
        let sale = catalogue(vec![plan("a", GB, 7, usd(5)), plan("b", GB, 7, usd(6))]);
        let list = rule_with(vec![Choice::Same, Choice::Named("gone".into()), Choice::Named("Plan b".into())]);
        assert_eq!(chosen(&list, &sale, Some("a"), None), ("a".into(), vec![]));
        assert_eq!(chosen(&list, &sale, None, Some("a")), ("a".into(), vec![]));
        assert_eq!(chosen(&list, &sale, Some("first"), Some("a")), ("a".into(), vec![]));
        assert_eq!(chosen(&list, &sale, Some("x"), None), ("b".into(), vec![Passed::NotOnSale, Passed::NotOnSale]));
        assert_eq!(chosen(&list, &sale, None, None), ("b".into(), vec![Passed::NoPlanKnown, Passed::NotOnSale]));
        let none = catalogue(vec![]);
        assert_eq!(chosen(&list, &none, Some("a"), None), ("-".into(), vec![Passed::NotOnSale; 3]));
        assert_eq!(chosen(&rule_with(vec![]), &sale, Some("a"), None), ("-".into(), vec![]));
    }

    #[test]
    fn lines_are_named_for_what_was_passed_over() {
        let sale = catalogue(vec![plan("b", GB, 7, usd(6))]);
        let list = rule_with(vec![Choice::Same, Choice::Named("b".into())]);
        let reading = reading(0);
        let card = card();
        let chosen = choose(&occasion(&card, &list, &reading, None), &sale);
        assert_eq!(chosen.passed_over, [PassedOver { line: 20, why: Passed::NoPlanKnown }]);
    }

    #[test]
    fn cheapest_covers_the_need_exactly_and_breaks_ties_by_what_one_gets() {
        let need = |data: u64, secs: i64| {
            rule_with(vec![Choice::Cheapest { data: Some(DataSize(data)), validity: Some(Secs(secs)) }])
        };
        let week = 7 * 86_400;
        let one = catalogue(vec![plan("a", GB, 7, usd(5))]);
        for (data, secs, id) in
            [(GB, week, "a"), (GB - 1, week - 1, "a"), (GB + 1, week, "-"), (GB, week + 1, "-"), (0, 0, "a")]
        {
            assert_eq!(chosen(&need(data, secs), &one, None, None).0, id, "{data} {secs}");
        }
        let mut endless = plan("endless", GB, 0, usd(5));
        endless.validity_secs = None;
        let mut unlimited = plan("unlimited", 0, 7, usd(5));
        unlimited.contents.unlimited_data = true;
        let euro = plan("euro", GB, 7, Money::new(1, Currency::EUR));
        let dear = plan("dear", 9 * GB, 90, usd(6));
        for (plans, id) in [
            (vec![plan("b", GB, 7, usd(5)), plan("a", GB, 7, usd(5))], "a"),
            (vec![plan("a", GB, 7, usd(5)), plan("b", GB, 8, usd(5))], "b"),
            (vec![plan("a", GB, 9, usd(5)), plan("b", GB + 1, 7, usd(5))], "b"),
            (vec![plan("a", GB, 999, usd(5)), endless], "endless"),
            (vec![plan("a", u64::MAX - 1, 999, usd(5)), unlimited], "unlimited"),
            (vec![dear, plan("a", GB, 7, usd(5))], "a"),
            (vec![plan("a", GB, 7, usd(5)), euro], "a"),
        ] {
            assert_eq!(chosen(&need(GB, week), &catalogue(plans), None, None).0, id);
        }
    }

    #[test]
    fn a_top_up_is_of_exactly_this_credit_at_the_lowest_price() {
        let credit = |id: &str, amount: Money, price: Money| {
            let mut plan = plan(id, 0, 0, price);
            plan.contents.credit = Some(amount);
            plan
        };
        let ten_euro = Money::new(100_000, Currency::EUR);
        let sale = catalogue(vec![
            credit("c", usd(10), usd(12)),
            credit("b", usd(10), usd(11)),
            credit("a", usd(10), usd(11)),
            credit("e", ten_euro, usd(1)),
            credit("l", usd(9), usd(1)),
        ]);
        assert_eq!(chosen(&rule_with(vec![Choice::Credit(usd(10))]), &sale, None, None).0, "a");
        assert_eq!(chosen(&rule_with(vec![Choice::Credit(ten_euro)]), &sale, None, None).0, "e");
        assert_eq!(chosen(&rule_with(vec![Choice::Credit(usd(11))]), &sale, None, None).0, "-");
        let any = rule_with(vec![Choice::Activity(vec![Activity::Credit])]);
        assert_eq!(chosen(&any, &sale, None, None), ("e".into(), vec![]), "the cheapest of any amount");
        assert_eq!(chosen(&any, &catalogue(vec![]), None, None), ("-".into(), vec![Passed::NotOnSale]));
    }

    #[test]
    fn nothing_outlasts_the_trip_by_more_than_a_quarter_of_itself() {
        // The last day is over at 2026-12-21T05:00:00Z in Toronto; eight days may last two days longer.
        let card = Card { zone: zone("America/Toronto"), ..card() };
        let rule = Rule { until: Some(date(2026, 12, 20)), ..rule(Mode::Auto, &[]) };
        let eight = plan("a", GB, 8, usd(5));
        let ends = |text: &str| Reading { plan_ends: Some(End::at(at(text))), ..reading(0) };
        for (begins, too_long) in [
            ("2026-12-15T04:59:59Z", false),
            ("2026-12-15T05:00:00Z", false),
            ("2026-12-15T05:00:01Z", true),
            ("2026-12-25T00:00:00Z", true),
        ] {
            let now = at("2026-12-01T00:00:00Z");
            assert_eq!(outlasts(&card, &rule, &eight, &ends(begins), now), too_long, "queued at {begins}");
            assert_eq!(outlasts(&card, &rule, &eight, &reading(0), at(begins)), too_long, "bought at {begins}");
            assert_eq!(outlasts(&card, &rule, &eight, &ends("2026-11-01T00:00:00Z"), at(begins)), too_long);
        }
        for validity_secs in [None, Some(i64::MIN), Some(-1), Some(0)] {
            let plan = Plan { validity_secs, ..eight.clone() };
            assert!(!outlasts(&card, &rule, &plan, &reading(0), NOW), "{validity_secs:?}");
        }
        let forever = Plan { validity_secs: Some(i64::MAX), ..eight.clone() };
        let _ = outlasts(&card, &rule, &forever, &reading(0), UnixTime::MAX);
        let no_end = Rule { until: None, ..rule.clone() };
        assert!(!outlasts(&card, &no_end, &forever, &reading(0), NOW));
        let last_year = Rule { until: Some(date(9999, 12, 31)), ..rule };
        assert!(!outlasts(&card, &last_year, &eight, &reading(0), UnixTime::MAX));
    }

    #[test]
    fn the_cheapest_that_fits_the_trip_is_taken_and_else_it_is_said_that_none_does() {
        let mut list = rule_with(vec![Choice::Cheapest { data: Some(DataSize(GB)), validity: None }]);
        list.until = Some(date(2026, 12, 20));
        let long = plan("long", GB, 90, usd(1));
        let sale = catalogue(vec![long.clone(), plan("short", GB, 5, usd(9))]);
        assert_eq!(chosen(&list, &sale, None, None), ("short".into(), vec![]));
        assert_eq!(chosen(&list, &catalogue(vec![long]), None, None), ("-".into(), vec![Passed::OutlastsTrip]));
    }
}
