#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| offloop_fuzz::convert(data));
