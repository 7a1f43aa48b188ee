//! libFuzzer hands bytes to the property `mails`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| simkeeper_fuzz::check("mails", data));
