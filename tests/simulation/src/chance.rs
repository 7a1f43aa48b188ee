//! Chance that can be had again: streams of numbers from the seed alone, one for each thing that is left to chance, so
//! that what happens to one card does not change another's fate.

/// A stream of numbers (SplitMix64).
#[derive(Clone, Copy, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The stream of this number under a seed.
    #[must_use]
    pub const fn new(seed: u64, stream: u64) -> Self {
        Self(mixed(seed ^ mixed(stream.wrapping_add(0x5851_f42d_4c95_7f2d))))
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// One of `count` numbers from zero; zero where there is none.
    pub const fn below(&mut self, count: u64) -> u64 {
        if count == 0 { 0 } else { self.next() % count }
    }

    /// A whole number from `low` to `high`, both included.
    pub const fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low {
            return low;
        }
        let span = high.wrapping_sub(low) as u64 + 1;
        low + self.below(span) as i64
    }

    /// Whether something happens that happens this often in a hundred times.
    pub const fn percent(&mut self, often: u64) -> bool {
        self.below(100) < often
    }

    /// One of a list that is not empty.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as u64) as usize]
    }
}

const fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
