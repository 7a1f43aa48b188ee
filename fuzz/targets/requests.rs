//! libFuzzer hands bytes to the property `requests`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| simkeeper_fuzz::check("requests", data));
