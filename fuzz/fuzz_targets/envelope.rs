//! What the post of one node tells that of another.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wallaby_actors::fuzzing::envelope(bytes));
