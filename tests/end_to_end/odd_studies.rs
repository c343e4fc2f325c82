//! Studies at the edge of what is allowed, and folders with names that nobody would choose.

use crate::process::Invocation;
use crate::run_record::RunRecord;
use crate::sandbox::Sandbox;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

#[test]
fn one_of_everything_is_a_study() {
    let sandbox = Sandbox::new();
    let one =
        ["--set", "budget.trials=1", "--set", "budget.epochs=1", "--set", "data.partitions=1"];
    sandbox.run("run", &[&one[..], &["--slots", "1"]].concat());
    let hashes = sandbox.hashes("run");
    assert_eq!(hashes.lines().count(), 1);
    sandbox.run("wide", &[&one[..], &["--slots", "16"]].concat());
    assert_eq!(sandbox.hashes("wide"), hashes);
}

#[test]
fn extreme_models_and_batches_run() {
    for set in [
        "model.hidden=[]",
        "model.hidden=[1, 1, 1]",
        "model.batch_size=65536",
        "model.batch_size=1",
        "data.partitions=100",
        "data.validation=0.99",
        "data.validation=0.001",
        "search.concurrency=1",
        "search.concurrency=1000",
    ] {
        let sandbox = Sandbox::new();
        let smaller = ["--set", "data.partitions=2", "--set", "budget.epochs=2", "--set", set];
        let run = sandbox.study("run", &smaller).finish();
        assert_eq!(run.code(), Some(0), "{set}: {run:#?}");
        assert!(RunRecord::read(&sandbox.path("run")).study.best().is_some(), "{set}");
    }
}

#[test]
fn trials_without_a_search_space_differ_by_their_seeds() {
    let sandbox = Sandbox::new();
    let text = sandbox.read("study.toml");
    let space = text.lines().filter(|line| !line.starts_with("learning_rate"));
    sandbox.write("study.toml", space.collect::<Vec<_>>().join("\n"));
    let hashes = sandbox.undisturbed(&[]);
    let mut states: Vec<&str> = hashes.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    states.sort_unstable();
    states.dedup();
    assert_eq!(states.len(), 6);
}

#[test]
fn paths_with_spaces_and_other_alphabets_work_from_anywhere() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    sandbox.write("mit Leer/dätä/クラス 1.csv", sandbox.read("classes.csv"));
    let text = sandbox.read("study.toml").replace("classes.csv", "クラス 1.csv");
    sandbox.write("mit Leer/dätä/stüdy file.toml", text);
    let program = Path::new(env!("CARGO_BIN_EXE_wallaby"));
    let here = sandbox.path("mit Leer");
    let arguments = ["run", "dätä/stüdy file.toml", "--run", "löpande försök", "--json"];
    let mut process = Invocation::new(program, &here, &arguments).faults("delay:5").start();
    process.await_event("epoch_finished");
    process.kill();

    // From another folder, and without the blobs, so that the data is needed again.
    let run = sandbox.path("mit Leer/löpande försök");
    std::fs::remove_dir_all(run.join("blobs")).unwrap();
    let run = run.to_str().unwrap();
    Invocation::new(program, Path::new("/"), &["resume", run]).finish().expect(0);
    assert_eq!(sandbox.hashes(run), expected);
}

#[test]
fn a_run_folder_may_have_a_name_that_is_no_text() {
    let sandbox = Sandbox::new();
    let name = OsStr::from_bytes(b"run-\xff");
    sandbox.wallaby(&["run", "study.toml", "--run"]).argument(name).finish().expect(0);
    sandbox.wallaby(&["hashes"]).argument(name).finish().expect(0);
}

#[test]
fn a_run_can_be_moved_and_goes_on() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    let mut process = sandbox.study("run", &["--json"]).faults("delay:5").start();
    process.await_event("epoch_finished");
    process.kill();
    std::fs::rename(sandbox.path("run"), sandbox.path("moved")).unwrap();
    sandbox.wallaby(&["resume", "moved", "--slots", "3"]).finish().expect(0);
    assert_eq!(sandbox.hashes("moved"), expected);
}
