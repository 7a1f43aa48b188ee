//! What a text can name: names and words as they are, counts by which a language chooses its plural, and amounts with the
//! decimal sign of the language.

use fluent_bundle::FluentValue;

use super::voice::Voice;
use crate::domain::approval::Code;
use crate::domain::card::Name;
use crate::domain::data::{DataSize, Percent};
use crate::domain::money::Money;

/// A fact in a text.
pub(in crate::notify) trait Fact {
    /// The fact as this voice says it.
    fn told(&self, voice: &Voice) -> FluentValue<'_>;
}

impl<T: Fact + ?Sized> Fact for &T {
    fn told(&self, voice: &Voice) -> FluentValue<'_> {
        T::told(self, voice)
    }
}

impl Fact for str {
    fn told(&self, _: &Voice) -> FluentValue<'_> {
        FluentValue::from(self)
    }
}

impl Fact for String {
    fn told(&self, _: &Voice) -> FluentValue<'_> {
        FluentValue::from(self.as_str())
    }
}

impl Fact for Name {
    fn told(&self, _: &Voice) -> FluentValue<'_> {
        FluentValue::from(self.as_str())
    }
}

impl Fact for Code {
    fn told(&self, _: &Voice) -> FluentValue<'_> {
        FluentValue::from(self.to_string())
    }
}

/// Whole numbers.
macro_rules! counts {
    ($($count:ty),*) => {$(
        impl Fact for $count {
            fn told(&self, _: &Voice) -> FluentValue<'_> {
                FluentValue::from(*self)
            }
        }
    )*};
}

/// What has a decimal sign.
macro_rules! amounts {
    ($($amount:ty),*) => {$(
        impl Fact for $amount {
            fn told(&self, voice: &Voice) -> FluentValue<'_> {
                FluentValue::from(voice.amount(self))
            }
        }
    )*};
}

counts!(i8, i16, u32, u64, i64, usize);
amounts!(Money, DataSize, Percent);
