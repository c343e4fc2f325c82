//! Paths of blobs, ranges, and heads of answers.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| wallaby_actors::fuzzing::transfer(text));
