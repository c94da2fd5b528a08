#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lanka_fuzz::response(bytes));
