//! The kept inputs of the fuzz targets, held against the same properties without a fuzzer: what was once found stays found,
//! on every machine and in every run of the tests.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a property that does not hold panics")]

#[path = "../fuzz/properties/mod.rs"]
mod properties;

use std::path::{Path, PathBuf};

fn kept(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let listed = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = listed.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

macro_rules! replayed {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                let files = kept(stringify!($name));
                assert!(files.len() >= 3, "too few kept inputs: {}", files.len());
                for file in files {
                    // Told first, since a property says what does not hold and not for which input.
                    println!("{}", file.display());
                    properties::check(stringify!($name), &std::fs::read(&file).unwrap());
                }
            }
        )*

        /// A property without a test here would only ever meet the fuzzer.
        #[test]
        fn every_property_is_replayed() {
            let replayed = [$(stringify!($name)),*];
            let all: Vec<&str> = properties::ALL.iter().map(|(name, _)| *name).collect();
            assert_eq!(replayed.as_slice(), all.as_slice());
        }
    };
}
replayed! {
    amounts card_list configuration documents journal mails numbers profile readings requests text_messages times ussd
    waits
}
