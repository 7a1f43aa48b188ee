//! libFuzzer hands bytes to the property `profile`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| simkeeper_fuzz::check("profile", data));
