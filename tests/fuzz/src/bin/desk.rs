#![no_main]
libfuzzer_sys::fuzz_target!(|body: &[u8]| lanka_fuzz::delivery("desk", body));
