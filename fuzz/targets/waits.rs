//! libFuzzer hands bytes to the property `waits`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| simkeeper_fuzz::check("waits", data));
