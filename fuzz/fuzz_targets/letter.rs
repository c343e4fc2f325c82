//! Orders and news, after their envelope.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wallaby_actors::fuzzing::letter(bytes));
