//! Questions about orders put to people, and what they are about.

use std::collections::BTreeMap;

use simkeeper::domain::attempt::Question;

/// Counts by what is asked, and by the operator's class.
#[derive(Clone, Debug, Default)]
pub struct Questions(BTreeMap<&'static str, [u64; 3]>);

impl Questions {
    pub(crate) fn count(&mut self, question: Question, class: usize) {
        self.0.entry(word(question)).or_default()[class] += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (word, counts) in &other.0 {
            let sums = self.0.entry(word).or_default();
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }

    /// All questions about operators of a class.
    #[must_use]
    pub fn of_class(&self, class: usize) -> u64 {
        self.0.values().map(|counts| counts[class]).sum()
    }

    /// What was asked, with the counts of the classes A, B and C.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, [u64; 3])> {
        self.0.iter().map(|(word, counts)| (*word, *counts))
    }
}

const fn word(question: Question) -> &'static str {
    match question {
        Question::NoEvidence => "no evidence",
        Question::KeyWindowOver => "key no longer honoured",
        Question::EndNear => "end is near",
        Question::Contradiction => "contradiction",
        Question::EffectMissing => "taken without effect",
        Question::Restored => "record restored",
    }
}
