//! Study files: what is accepted survives its canonical form.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let name = if text.trim_start().starts_with('{') { "study.json" } else { "study.toml" };
    wallaby::fuzzing::study_file(text, name);
});
