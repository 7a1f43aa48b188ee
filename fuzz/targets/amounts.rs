//! libFuzzer hands bytes to the property `amounts`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| simkeeper_fuzz::check("amounts", data));
