//! libFuzzer hands bytes to the property `times`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| simkeeper_fuzz::check("times", data));
