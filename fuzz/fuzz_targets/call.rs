//! What the members of the journal ask each other.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wallaby_actors::fuzzing::call(bytes));
