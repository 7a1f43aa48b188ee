//! Known-wrong designs, each of which the losses of power must show, and after how many of them they did.

use powercut::cases;
use powercut::chance::Chance;
use powercut::disk::Deaf;
use powercut::mutant::Mutant;
use powercut::run;
use powercut::tally::Tally;

/// Worlds within which a wrong design must be caught.
const WORLDS: u64 = 60;

#[test]
fn every_known_wrong_design_is_caught() {
    for mutant in Mutant::WRONG {
        let mut tally = Tally::default();
        let breach = (0..WORLDS).find_map(|seed| run::world(seed, mutant, &mut tally).err());
        match breach {
            Some(breach) => println!("{mutant:?}: caught after {} cuts: {}", tally.cuts, breach.why),
            None => panic!("{mutant:?} was not caught in {} cuts", tally.cuts),
        }
    }
}

/// What the order journal needs its syncs for, each of them: its lines, its name, and the cut of a torn line.
#[test]
fn every_sync_of_the_order_journal_is_needed() {
    for deaf in [Deaf::ToAll, Deaf::ToFolders, Deaf::ToLengths] {
        let mut tally = Tally::default();
        let told = (0..3_000).find_map(|seed| cases::journal_lives(10, deaf, &mut Chance::new(seed), &mut tally).err());
        match told {
            Some(why) => println!("{deaf:?}: caught after {} cuts: {why}", tally.cuts),
            None => panic!("{deaf:?} was not caught in {} cuts", tally.cuts),
        }
    }
}
