//! One card under two forms of its number: with and without the check digit.

use std::collections::HashMap;

use crate::domain::identity::luhn_digit;

/// Whether two ICCIDs are of one card: equal, or one of them has one digit more, the Luhn digit of the other.
///
/// Operators print 19 or 20 digits for the same card, and one operator's own example has a wrong check digit, so a
/// longer number with another last digit is still taken where nothing else tells the cards apart.
pub(in crate::operators) fn same_card(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    !short.is_empty() && long.strip_prefix(short).is_some_and(|rest| rest.len() <= 1)
}

/// What a list tells, by ICCID in either form.
#[derive(Clone, Debug)]
pub(in crate::operators) struct IccidMap<T>(HashMap<String, T>);

impl<T> Default for IccidMap<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T> IccidMap<T> {
    /// Adds a row; of two rows with the same number the later one stays.
    pub(in crate::operators) fn insert(&mut self, iccid: String, row: T) {
        self.0.insert(iccid, row);
    }

    /// The row of a card, whose number may have one digit more or less than the list's.
    pub(in crate::operators) fn get(&self, iccid: &str) -> Option<&T> {
        let shorter = iccid.len().checked_sub(1).and_then(|end| iccid.get(..end));
        let longer = || format!("{iccid}{}", luhn_digit(iccid));
        self.0.get(iccid).or_else(|| self.0.get(shorter?)).or_else(|| self.0.get(&longer()))
    }

    /// How many rows there are.
    pub(in crate::operators) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_has_two_numbers() {
        let (short, long) = ("8988303000123456789", "89883030001234567894");
        assert!(same_card(short, long) && same_card(long, short) && same_card(short, short));
        assert!(
            !same_card(short, "8988303000123456788")
                && !same_card("", "1")
                && !same_card(short, "898830300012345678900")
        );
        let mut map = IccidMap::default();
        map.insert(long.to_owned(), 1);
        assert_eq!(map.get("8988303000123456789"), Some(&1));
        assert_eq!(map.get(long), Some(&1));
        let mut other = IccidMap::default();
        other.insert(short.to_owned(), 2);
        assert_eq!(other.get(long), Some(&2));
        assert_eq!((other.get("8988303000123456780"), other.get(""), other.len()), (None, None, 1));
    }
}
