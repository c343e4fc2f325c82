//! Blobs that were changed or removed: named and never used, made again where that is possible.

use crate::run_record::{RunRecord, flip_byte};
use crate::sandbox::Sandbox;
use std::fs;
use wallaby::wallaby_core::journal::{Pause, Record};

/// Pauses a run in its middle, in order, after an epoch of some trial.
fn paused(sandbox: &Sandbox, run: &str) -> RunRecord {
    let mut process = sandbox.study(run, &["--json"]).faults("delay:5").start();
    process.await_event("epoch_finished");
    process.signal("INT");
    process.finish().expect(12);
    RunRecord::read(&sandbox.path(run))
}

/// The path as the program, run in the sandbox, names it.
fn name_of(sandbox: &Sandbox, path: &std::path::Path) -> String {
    path.strip_prefix(sandbox.path("")).unwrap().display().to_string()
}

#[test]
fn a_damaged_checkpoint_is_named_and_its_trial_rolled_back() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    let record = paused(&sandbox, "run");
    let trial = record.study.active().find(|trial| trial.newest().is_some()).unwrap().id.0;
    let checkpoint = record.newest_checkpoint(trial as usize);
    flip_byte(&checkpoint, 300);
    let resumed = sandbox.wallaby(&["resume", "run", "--json"]).finish().expect(0);
    let failed = resumed.events_named("unit_failed");
    assert_eq!((failed.len(), &failed[0]["trial"]), (1, &trial.into()));
    let words = failed[0]["failure"].as_str().unwrap();
    assert!(words.contains(&name_of(&sandbox, &checkpoint)), "{words}");
    assert_eq!(resumed.events_named("trial_rolled_back")[0]["trial"], trial);
    assert_eq!(sandbox.hashes("run"), expected);
}

#[test]
fn a_run_without_any_of_its_blobs_starts_its_trials_again_to_the_same_end() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    paused(&sandbox, "run");
    fs::remove_dir_all(sandbox.path("run/blobs")).unwrap();
    let resumed = sandbox.wallaby(&["resume", "run"]).finish().expect(0);
    assert!(resumed.out.contains("goes on from its start"), "{}", resumed.out);
    assert_eq!(sandbox.hashes("run"), expected);
    sandbox.wallaby(&["verify", "run"]).finish().expect(0);
}

#[test]
fn a_damaged_partition_is_read_from_its_source_again() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    let record = paused(&sandbox, "run");
    let before = fs::read(record.partition(1)).unwrap();
    flip_byte(&record.partition(1), 200);
    sandbox.wallaby(&["resume", "run"]).finish().expect(0);
    assert_eq!(sandbox.hashes("run"), expected);
    assert_eq!(fs::read(record.partition(1)).unwrap(), before, "the blob is whole again");
}

#[test]
fn a_partition_that_is_nowhere_pauses_the_study_until_its_source_is_back() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    let record = paused(&sandbox, "run");
    flip_byte(&record.partition(1), 200);
    fs::rename(sandbox.path("classes.csv"), sandbox.path("elsewhere.csv")).unwrap();
    let stopped = sandbox.wallaby(&["resume", "run"]).finish().expect(7);
    let stopped = stopped.complains("no living node holds partition 1");
    let stopped = stopped.complains("classes.csv is not the data that the study began with");
    stopped.complains("`wallaby resume run` goes on");
    let pause = RunRecord::read(&sandbox.path("run")).records.pop();
    assert!(matches!(pause, Some(Record::StudyPaused { cause: Pause::DataLost(_) })), "{pause:?}");

    fs::rename(sandbox.path("elsewhere.csv"), sandbox.path("classes.csv")).unwrap();
    sandbox.wallaby(&["resume", "run"]).finish().expect(0);
    assert_eq!(sandbox.hashes("run"), expected);
}

#[test]
fn a_best_model_that_is_lost_at_the_end_is_trained_again() {
    let sandbox = Sandbox::new();
    sandbox.undisturbed(&[]);
    let weights = fs::read(sandbox.path("undisturbed/best/model.safetensors")).unwrap();
    fs::remove_dir_all(sandbox.path("undisturbed/blobs")).unwrap();
    fs::remove_dir_all(sandbox.path("undisturbed/best")).unwrap();
    let resumed = sandbox.wallaby(&["resume", "undisturbed"]).finish().expect(0);
    resumed.complains("is trained again from the journal");
    let again = fs::read(sandbox.path("undisturbed/best/model.safetensors")).unwrap();
    assert_eq!(again, weights);
    sandbox.run("undisturbed", &[]);
}

#[test]
fn a_best_model_that_is_lost_with_its_data_is_named() {
    let sandbox = Sandbox::new();
    sandbox.undisturbed(&[]);
    fs::remove_dir_all(sandbox.path("undisturbed/blobs")).unwrap();
    fs::remove_file(sandbox.path("classes.csv")).unwrap();
    let refused = sandbox.wallaby(&["resume", "undisturbed"]).finish().expect(7);
    let refused = refused.complains("cannot be trained again");
    refused.complains("classes.csv: no such file");
}
