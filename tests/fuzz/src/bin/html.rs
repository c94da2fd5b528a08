#![no_main]
libfuzzer_sys::fuzz_target!(|source: &[u8]| lanka_fuzz::page(source));
