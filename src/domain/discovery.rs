//! Cards that an operator lists, held against those that are known: which are new, under what name they are added, and
//! which must be looked at by a person first.

use std::collections::{HashMap, HashSet};

use super::card::Name;
use super::identity::{Iccid, Msisdn, masked};
use super::operator::ListedCard;

/// Characters of an account's name that stand in the name of a card without a label of its own.
const ACCOUNT_LONGEST: usize = 60;

/// What makes a card of the record the one that is listed. Cards of every account count, since a second entry for one
/// card would pay for it twice; and retired ones, since what a person retired does not come back by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownCard {
    /// Its name.
    pub name: Name,
    /// Its number.
    pub iccid: Option<Iccid>,
    /// Its phone number.
    pub msisdn: Option<Msisdn>,
    /// Whether it is no longer kept.
    pub retired: bool,
}

/// What a listed card is to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not known: it would be added under this name.
    New {
        /// The name; no other card has it.
        name: Name,
    },
    /// Known; it is left alone.
    Known {
        /// Under this name.
        name: Name,
        /// Whether it is no longer kept.
        retired: bool,
    },
    /// A person has to look at it; it is left alone.
    Odd {
        /// Why.
        why: String,
    },
}

/// A listed card and what it is to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundCard {
    /// As the operator lists it.
    pub card: ListedCard,
    /// What it is to us.
    pub standing: Standing,
}

/// Holds a list against what is known. A card that the list names twice alike (lists change while they are read) is told
/// once.
#[must_use]
pub fn sort_out(account: &Name, listed: Vec<ListedCard>, known: &[KnownCard]) -> Vec<FoundCard> {
    let mut shelf = Shelf::default();
    // Live ones last, so that they stand before retired ones of the same number.
    for card in known.iter().filter(|card| card.retired).chain(known.iter().filter(|card| !card.retired)) {
        shelf.put(Holder {
            name: card.name.clone(),
            iccid: card.iccid.clone(),
            msisdn: card.msisdn.clone(),
            retired: card.retired,
            of_list: false,
        });
    }
    let mut names = Names::new(known);
    let mut found = Vec::with_capacity(listed.len());
    for card in listed {
        let standing = match shelf.standing(&card) {
            Some(Met::Again) => continue,
            Some(Met::Standing(standing)) => standing,
            None => {
                let name = names.give(account, &card);
                name.map_or_else(
                    || Standing::Odd { why: "no name could be made for it; add it by hand".to_owned() },
                    |name| Standing::New { name },
                )
            }
        };
        if let Standing::New { name } = &standing {
            shelf.put(Holder {
                name: name.clone(),
                iccid: card.iccid.clone(),
                msisdn: card.msisdn.clone(),
                retired: false,
                of_list: true,
            });
        }
        found.push(FoundCard { card, standing });
    }
    found
}

/// A card by whose numbers another one is known.
struct Holder {
    name: Name,
    iccid: Option<Iccid>,
    msisdn: Option<Msisdn>,
    retired: bool,
    of_list: bool,
}

/// What a listed card met.
enum Met {
    /// Itself, earlier in the list.
    Again,
    /// A card that decides what it is.
    Standing(Standing),
}

#[derive(Default)]
struct Shelf {
    holders: Vec<Holder>,
    by_iccid: HashMap<String, usize>,
    /// By the ICCID without its last digit, which may be the check digit.
    by_shorter: HashMap<String, usize>,
    by_msisdn: HashMap<String, usize>,
}

impl Shelf {
    fn put(&mut self, holder: Holder) {
        let place = self.holders.len();
        if let Some(iccid) = &holder.iccid {
            self.by_iccid.insert(iccid.digits().to_owned(), place);
            self.by_shorter.insert(shorter(iccid).to_owned(), place);
        }
        if let Some(number) = &holder.msisdn {
            self.by_msisdn.insert(number.digits().to_owned(), place);
        }
        self.holders.push(holder);
    }

    /// The card with this ICCID, with or without its check digit.
    fn with_iccid(&self, iccid: &Iccid) -> Option<&Holder> {
        let same = self.by_iccid.get(iccid.digits()).or_else(|| self.by_iccid.get(shorter(iccid)));
        self.holders.get(*same.or_else(|| self.by_shorter.get(iccid.digits()))?)
    }

    fn with_number(&self, number: &Msisdn) -> Option<&Holder> {
        self.holders.get(*self.by_msisdn.get(number.digits())?)
    }

    /// None if nothing is known of it.
    fn standing(&self, card: &ListedCard) -> Option<Met> {
        let odd = |why: String| Some(Met::Standing(Standing::Odd { why }));
        if card.iccid.is_none() && card.msisdn.is_none() {
            return odd("the operator tells neither its ICCID nor its number".to_owned());
        }
        let by_iccid = card.iccid.as_ref().and_then(|iccid| self.with_iccid(iccid));
        let by_number = card.msisdn.as_ref().and_then(|number| self.with_number(number));
        let holder = match (by_iccid, by_number) {
            (None, None) => return None,
            (Some(one), Some(other)) if one.name != other.name => {
                return odd(format!("its ICCID is that of `{}`, its number that of `{}`", one.name, other.name));
            }
            (None, Some(holder)) if card.iccid.is_some() && holder.iccid.is_some() => {
                return odd(format!("its number is that of `{}`, which has another ICCID", holder.name));
            }
            (Some(holder), _) | (None, Some(holder)) => holder,
        };
        if holder.of_list {
            let alike = card.iccid == holder.iccid && card.msisdn == holder.msisdn;
            return if alike { Some(Met::Again) } else { odd("the operator lists it twice, not alike".to_owned()) };
        }
        Some(Met::Standing(Standing::Known { name: holder.name.clone(), retired: holder.retired }))
    }
}

fn shorter(iccid: &Iccid) -> &str {
    let digits = iccid.digits();
    digits.get(..digits.len().saturating_sub(1)).unwrap_or_default()
}

/// The names that are taken.
struct Names {
    taken: HashSet<String>,
    counted: HashMap<String, u32>,
}

impl Names {
    fn new(known: &[KnownCard]) -> Self {
        let live = known.iter().filter(|card| !card.retired);
        Self { taken: live.map(|card| card.name.to_string()).collect(), counted: HashMap::new() }
    }

    /// The operator's label if it is a name that no other card has, else the account and the last digits, counted up
    /// until no other card has that.
    fn give(&mut self, account: &Name, card: &ListedCard) -> Option<Name> {
        // A name that begins with a hyphen is taken for an option on the command line.
        let label = card.label.as_deref().map(str::trim).filter(|label| !label.starts_with('-'));
        if let Some(name) = label.and_then(|label| Name::parse(label).ok())
            && self.taken.insert(name.to_string())
        {
            return Some(name);
        }
        let digits = card.iccid.as_ref().map(Iccid::digits).or_else(|| card.msisdn.as_ref().map(Msisdn::digits))?;
        let account: String = account.as_str().chars().take(ACCOUNT_LONGEST).collect();
        let plain = format!("{} {}", account.trim_end(), masked(digits));
        loop {
            let count = self.counted.entry(plain.clone()).and_modify(|count| *count += 1).or_insert(1);
            let text = if *count == 1 { plain.clone() } else { format!("{plain} {count}") };
            if self.taken.insert(text.clone()) {
                return Name::parse(&text).ok();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "8944501312167518236";
    const OTHER: &str = "8901260882277048945";

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn listed(iccid: &str, number: &str, label: &str) -> ListedCard {
        ListedCard {
            iccid: Iccid::parse(iccid).ok(),
            msisdn: Msisdn::parse(number).ok(),
            label: (!label.is_empty()).then(|| label.to_owned()),
            fields: Default::default(),
        }
    }

    fn known(text: &str, iccid: &str, number: &str, retired: bool) -> KnownCard {
        KnownCard { name: name(text), iccid: Iccid::parse(iccid).ok(), msisdn: Msisdn::parse(number).ok(), retired }
    }

    /// `+name` is new, `=name` known, `?why` odd.
    fn told(cards: Vec<ListedCard>, known: &[KnownCard]) -> Vec<String> {
        let found = sort_out(&name("travel"), cards, known);
        let word = |found: FoundCard| match found.standing {
            Standing::New { name } => format!("+{name}"),
            Standing::Known { name, retired } => format!("={name}{}", if retired { " retired" } else { "" }),
            Standing::Odd { why } => format!("?{why}"),
        };
        found.into_iter().map(word).collect()
    }

    #[test]
    fn a_card_is_known_by_either_form_of_its_iccid_and_by_its_number() {
        let here = [known("a", ONE, "", false), known("b", "", "+16135550123", false), known("c", OTHER, "", true)];
        for (iccid, number, expected) in [
            (ONE, "", "=a"),
            (&format!("{ONE}7"), "", "=a"),
            (&ONE[..18], "", "=a"),
            ("", "+1 613 555 0123", "=b"),
            (OTHER, "+16135550123", "?its ICCID is that of `c`, its number that of `b`"),
            (OTHER, "", "=c retired"),
            ("8944501312167518244", "+16135550123", "=b"),
            ("8944501312167518244", "", "+travel …8244"),
        ] {
            assert_eq!(told(vec![listed(iccid, number, "")], &here), [expected], "{iccid} {number}");
        }
    }

    #[test]
    fn what_a_person_must_look_at_is_odd() {
        let here = [known("a", ONE, "+16135550123", false)];
        assert_eq!(
            told(vec![listed(OTHER, "+16135550123", "")], &here),
            ["?its number is that of `a`, which has another ICCID"]
        );
        assert_eq!(told(vec![listed("", "", "x")], &here), ["?the operator tells neither its ICCID nor its number"]);
        let twice = vec![listed(OTHER, "", "x"), listed(OTHER, "", "x"), listed(OTHER, "+16135550199", "x")];
        assert_eq!(told(twice, &here), ["+x", "?the operator lists it twice, not alike"]);
    }

    #[test]
    fn a_live_card_stands_before_a_retired_one_of_the_same_number() {
        let here = [known("new", ONE, "", false), known("old", ONE, "", true)];
        assert_eq!(told(vec![listed(ONE, "", "")], &here), ["=new"]);
    }

    #[test]
    fn names_are_the_operators_where_they_are_free_and_else_made() {
        let here = [known("router", OTHER, "", false), known("travel …0014", "", "", false)];
        let list = vec![
            listed("8999900000000000014", "", "router"),
            listed("8999900000000010014", "", "router 2"),
            listed("8999900000000020014", "", "-x"),
            listed("8999900000000030014", "", "a\nb"),
            listed("", "+16135550123", ""),
        ];
        let expected = ["+travel …0014 2", "+router 2", "+travel …0014 3", "+travel …0014 4", "+travel …0123"];
        assert_eq!(told(list, &here), expected);
        let long = sort_out(&name(&"x".repeat(80)), vec![listed(ONE, "", "")], &[]);
        assert!(matches!(&long[0].standing, Standing::New { name } if name.as_str().chars().count() == 66));
    }
}
