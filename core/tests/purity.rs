//! Core stays pure: no runtime, no storage, no clock and no randomness of the machine among its
//! dependencies, and no way to them in its sources.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Crates that act, or that know a clock or the randomness of the operating system.
const ACTING: [&str; 13] = [
    "burn",
    "chrono",
    "fastrand",
    "getrandom",
    "mio",
    "openraft",
    "ractor",
    "rand",
    "rayon",
    "redb",
    "socket2",
    "time",
    "tokio",
];

/// What would make a decision depend on the machine or on the order of a hash table.
const IMPURE: [&str; 14] = [
    "std::time::Instant",
    "SystemTime",
    "std::fs",
    "std::net",
    "std::thread",
    "std::env",
    "std::process",
    "std::io",
    "HashMap",
    "HashSet",
    "RandomState",
    "thread_local!",
    "static mut",
    "async fn",
];

/// The names of all crates that a build of core links.
fn linked_crates() -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "-p", "wallaby-core", "-e", "normal", "--prefix", "none", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo can be run");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree failed: {errors}");
    let text = String::from_utf8(output.stdout).expect("cargo prints UTF-8");
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// All source files under `directory`.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("the sources are there");
    let paths = entries.map(|entry| entry.expect("a directory can be listed").path());
    let below = |path: PathBuf| if path.is_dir() { sources(&path) } else { vec![path] };
    paths.flat_map(below).collect()
}

#[test]
fn core_links_nothing_that_acts() {
    let linked = linked_crates();
    assert!(linked.contains("wallaby-core") && linked.contains("blake3"), "{linked:?}");
    let acting: Vec<&str> = ACTING.into_iter().filter(|name| linked.contains(*name)).collect();
    assert!(acting.is_empty(), "core links {acting:?}");
    let ours: Vec<&String> = linked.iter().filter(|name| name.starts_with("wallaby")).collect();
    assert_eq!(ours, ["wallaby-core"], "core depends on no other room");
}

#[test]
fn core_names_no_clock_no_file_no_thread_and_no_hash_table() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(sources.len() > 40, "only {} sources were found", sources.len());
    for path in sources {
        let text = std::fs::read_to_string(&path).expect("a source is text");
        for word in IMPURE {
            assert!(!text.contains(word), "{} names {word}", path.display());
        }
    }
}
