//! libFuzzer hands bytes to the property `card_list`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| simkeeper_fuzz::check("card_list", data));
