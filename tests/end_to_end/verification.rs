//! `wallaby verify`: says that bits differ only if they do, and has the run to itself meanwhile.

use crate::sandbox::Sandbox;
use std::fs;
use wallaby::wallaby_core::ids::{Digest, NodeId};
use wallaby::wallaby_core::journal::{Entry, Record};
use wallaby::wallaby_core::unit::Step;
use wallaby_actors::journal::{Journal, read_journal};
use wallaby_actors::journal_actor::decode_records;

/// Journals again what `change` makes of the records of a run.
fn rewrite(sandbox: &Sandbox, run: &str, change: impl Fn(&mut Record)) {
    let path = sandbox.path(run).join("journal.redb");
    let (records, _) = read_journal(&path).unwrap();
    let mut entries: Vec<Entry> = decode_records(records).unwrap();
    entries.iter_mut().for_each(|entry| change(&mut entry.record));
    fs::remove_file(&path).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let (journal, _) = Journal::open(&path, NodeId(1)).await.unwrap();
        journal.append(entries.iter().map(Entry::encode).collect()).await.unwrap();
        journal.close().await.unwrap();
    });
}

#[test]
fn a_run_that_is_verified_is_in_use() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &["--set", "budget.trials=24", "--set", "model.hidden=[64, 64]"]);
    let mut verifying = sandbox.wallaby(&["verify", "run"]).start();
    assert!(verifying.next_line().unwrap().contains("every bit equal"));
    verifying.signal("STOP");
    let words = format!("run is in use by process {}", verifying.id());
    for command in ["resume", "verify"] {
        sandbox.wallaby(&[command, "run"]).finish().expect(6).complains(&words);
    }
    verifying.signal("CONT");
    assert_eq!(verifying.finish().expect(0).out.matches("every bit equal").count(), 24);
}

#[test]
fn data_that_is_gone_is_not_taken_for_other_bits() {
    let sandbox = Sandbox::new();
    sandbox.undisturbed(&[]);
    fs::remove_dir_all(sandbox.path("undisturbed/blobs")).unwrap();
    fs::rename(sandbox.path("classes.csv"), sandbox.path("elsewhere.csv")).unwrap();
    let failed = sandbox.wallaby(&["verify", "undisturbed"]).finish().expect(7);
    assert_eq!(failed.out, "");
    failed.complains("cannot be done again").complains("classes.csv: no such file");
    fs::rename(sandbox.path("elsewhere.csv"), sandbox.path("classes.csv")).unwrap();
    sandbox.wallaby(&["verify", "undisturbed"]).finish().expect(0);
}

#[test]
fn a_validation_that_is_journaled_of_another_state_is_told() {
    let sandbox = Sandbox::new();
    sandbox.undisturbed(&[]);
    let other = Digest::of(b"another state");
    rewrite(&sandbox, "undisturbed", |record| {
        if let Record::UnitCommitted(commit) = record
            && (commit.unit.trial.0, commit.unit.step) == (2, Step::Validate)
        {
            commit.output.state = other;
        }
    });
    let failed = sandbox.wallaby(&["verify", "undisturbed"]).finish().expect(10);
    assert_eq!(failed.out.matches("every bit equal").count(), 5);
    let words = failed.out.lines().find(|line| line.contains("DIFFERENT")).unwrap();
    assert!(words.contains("trial 2 epoch 1 validation: state "), "{words}");
    assert!(words.ends_with(&format!("journaled {other}")), "{words}");
}
