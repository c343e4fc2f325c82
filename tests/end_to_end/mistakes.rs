//! Mistakes that people make, and what the program says to each: `docs/mistakes.md` is what they
//! are compared with, to the letter.
//!
//! `WALLABY_WRITE_SNAPSHOTS=1 cargo test --release --test end_to_end mistakes` writes it anew.

mod scenes;

use crate::sandbox::Sandbox;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/mistakes.md");

const HEAD: &str = "\
# Mistakes, and what Wallaby says

Every message names the file and the line where there is one, the value, what was expected and, \
where it is not plain, what to do. A test makes each of these mistakes and compares what is said \
with this page. Messages go to standard error; the number is the exit code.
";

/// A mistake: what it is, how it is made, what it says to that.
pub(super) struct Mistake {
    title: &'static str,
    /// The arguments, parted by blanks.
    command: &'static str,
    /// How it is made.
    scene: scenes::Scene,
}

/// A number of a process is another each time; so is the folder of a test.
fn normal(sandbox: &Sandbox, told: &str) -> String {
    let folder = sandbox.path("").display().to_string();
    let told = told.replace(&folder, "").replace(folder.trim_end_matches('/'), ".");
    let told = ["process ", "kill ", ".new-"].iter().fold(told, |told, prefix| {
        let mut parts = told.split(prefix);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| text + prefix + &without_number(part))
    });
    told.trim_end().to_owned()
}

/// A text whose first digits are always the same.
fn without_number(text: &str) -> String {
    let rest = text.trim_start_matches(|letter: char| letter.is_ascii_digit());
    if rest.len() == text.len() { text.to_owned() } else { format!("4711{rest}") }
}

fn section(number: usize, mistake: &Mistake) -> Option<String> {
    let sandbox = Sandbox::new();
    let finished = mistake.scene.play(&sandbox, mistake.command)?;
    let code = finished.code().unwrap();
    assert_ne!(code, 0, "{}: {finished:#?}", mistake.title);
    assert!(finished.err.lines().count() <= 12, "{}: {finished:#?}", mistake.title);
    let mut text = String::new();
    let told = normal(&sandbox, &finished.err);
    writeln!(text, "## {number}. {}\n", mistake.title).unwrap();
    writeln!(text, "`wallaby {}` (exit code {code})\n", mistake.command).unwrap();
    writeln!(text, "```text\n{}\n```", told).unwrap();
    Some(text)
}

/// The section of this number as it stands in the snapshot.
fn as_it_stands(snapshot: &str, number: usize) -> String {
    let head = format!("## {number}. ");
    let found = snapshot.split("\n## ").map(|part| format!("## {part}"));
    let found = found.map(|part| part.trim_end().to_owned() + "\n");
    found.into_iter().find(|part| part.starts_with(&head)).unwrap_or_default()
}

#[test]
fn what_is_said_to_every_mistake_is_what_is_documented() {
    let snapshot = fs::read_to_string(SNAPSHOT).unwrap_or_default();
    let sections = (1..).zip(scenes::MISTAKES).map(|(number, mistake)| {
        section(number, mistake).unwrap_or_else(|| {
            // Past the test runner, which keeps what is printed to itself.
            let words = format!("SKIPPED: {}, which cannot be made here\n", mistake.title);
            std::io::stderr().write_all(words.as_bytes()).unwrap();
            as_it_stands(&snapshot, number)
        })
    });
    let found = format!("{HEAD}\n{}", sections.collect::<Vec<_>>().join("\n"));
    if std::env::var_os("WALLABY_WRITE_SNAPSHOTS").is_some() {
        fs::write(SNAPSHOT, &found).unwrap();
        return;
    }
    assert!(found == snapshot, "{}", difference(&snapshot, &found));
}

/// The lines that are in one and not in the other.
fn difference(documented: &str, said: &str) -> String {
    let lines = |sign: &str, a: &str, b: &str| {
        let other: Vec<&str> = b.lines().collect();
        let lines = a.lines().filter(|line| !other.contains(line));
        lines.map(|line| format!("{sign} {line}\n")).collect::<String>()
    };
    format!(
        "docs/mistakes.md (-) is not what is said (+):\n{}{}\nif that is better, write it anew: \
         WALLABY_WRITE_SNAPSHOTS=1 cargo test --release --test end_to_end mistakes",
        lines("-", documented, said),
        lines("+", said, documented),
    )
}
