//! libFuzzer hands bytes to the property `text_messages`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| simkeeper_fuzz::check("text_messages", data));
