//! Expressions of `--where`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| wallaby::fuzzing::filter(text));
