#![no_main]
libfuzzer_sys::fuzz_target!(|stream: &[u8]| lanka_fuzz::packed(stream));
