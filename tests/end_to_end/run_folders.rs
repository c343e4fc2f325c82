//! Which folder a run is in, and who may use it: one process at a time, one study, no newer
//! version, nothing that is not a run.

use crate::sandbox::Sandbox;
use crate::small_disk::SmallDisk;
use std::fs;

#[test]
fn an_unfinished_run_is_continued_and_a_finished_one_left_alone() {
    let sandbox = Sandbox::new();
    let mut process = sandbox.wallaby(&["run", "study.toml", "--json"]).faults("delay:5").start();
    process.await_event("unit_committed");
    process.kill();
    sandbox.wallaby(&["run", "study.toml"]).finish().expect(0);
    assert_eq!(sandbox.list("runs"), ["small-1"]);
    let next = sandbox.wallaby(&["run", "study.toml", "--quiet"]).finish().expect(0);
    assert_eq!(next.out, "runs/small-2\n");
    assert_eq!(sandbox.hashes("runs/small-1"), sandbox.hashes("runs/small-2"));
}

#[test]
fn new_starts_another_run_beside_an_unfinished_one() {
    let sandbox = Sandbox::new();
    let mut process = sandbox.wallaby(&["run", "study.toml", "--json"]).faults("delay:5").start();
    process.await_event("unit_committed");
    process.kill();
    let new = sandbox.wallaby(&["run", "study.toml", "--new", "--quiet"]).finish().expect(0);
    assert_eq!(new.out, "runs/small-2\n");
    let taken = sandbox.study("runs/small-1", &["--new"]).finish().expect(6);
    taken.complains("runs/small-1 holds a run already");
}

#[test]
fn a_second_process_is_told_who_has_the_run() {
    let sandbox = Sandbox::new();
    let mut first = sandbox.study("run", &["--json"]).faults("delay:600000").start();
    first.await_event("trial_proposed");
    let words = format!("run is in use by process {}", first.id());
    for command in ["resume", "verify"] {
        sandbox.wallaby(&[command, "run"]).finish().expect(6).complains(&words);
    }
    sandbox.study("run", &[]).finish().expect(6).complains(&words);
    first.kill();
    sandbox.run("run", &[]);
}

#[test]
fn processes_that_start_together_do_not_share_a_folder() {
    let sandbox = Sandbox::new();
    let start = || sandbox.wallaby(&["run", "study.toml", "--new", "--quiet"]).start();
    let mut folders: Vec<String> =
        [start(), start(), start()].map(|process| process.finish().expect(0).out).into();
    folders.sort();
    folders.dedup();
    assert_eq!(folders.len(), 3);
}

#[test]
fn studies_that_start_together_do_not_share_a_folder() {
    let sandbox = Sandbox::new();
    let start = |seed: &str| sandbox.study("shared", &["--quiet", "--seed", seed]).start();
    let seeds = ["1", "2", "3"];
    let processes = seeds.map(start).map(|process| process.finish());
    let (done, refused): (Vec<_>, Vec<_>) =
        seeds.iter().zip(&processes).partition(|(_, process)| process.code() == Some(0));
    assert!(refused.iter().all(|(_, process)| process.code() == Some(6)), "{refused:#?}");
    let [(seed, _)] = done[..] else { panic!("one study has it: {done:#?}") };
    sandbox.run("alone", &["--seed", seed]);
    assert_eq!(sandbox.hashes("shared"), sandbox.hashes("alone"));
}

#[test]
fn odd_numbers_of_runs_are_no_obstacle_until_there_is_none_left() {
    let sandbox = Sandbox::new();
    let run = || sandbox.wallaby(&["run", "study.toml", "--quiet"]).finish();
    for odd in ["small-+1", "small-007", "small-18446744073709551616", "small-"] {
        fs::create_dir_all(sandbox.path("runs").join(odd)).unwrap();
    }
    assert_eq!(run().expect(0).out, "runs/small-1\n");
    fs::create_dir(sandbox.path("runs/small-18446744073709551615")).unwrap();
    run().expect(6).complains("no run can have a greater number: choose a --run");
}

#[test]
fn a_run_of_a_newer_version_is_refused_and_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.wallaby(&["run", "study.toml"]).finish().expect(0);
    let newer = sandbox.read("runs/small-1/run.json").replace("\"format\": 1", "\"format\": 99");
    sandbox.write("runs/small-1/run.json", &newer);
    for arguments in [
        ["hashes", "runs/small-1"].as_slice(),
        &["resume", "runs/small-1"],
        &["run", "study.toml", "--run", "runs/small-1"],
    ] {
        let refused = sandbox.wallaby(arguments).finish().expect(6);
        refused.complains("runs/small-1 has format 99, expected at most 1");
    }
    assert_eq!(sandbox.read("runs/small-1/run.json"), newer);
    let other = sandbox.wallaby(&["run", "study.toml", "--quiet"]).finish().expect(0);
    assert_eq!(other.out, "runs/small-2\n", "it is not in the way of a new run");
}

#[test]
fn a_damaged_run_json_is_named() {
    let sandbox = Sandbox::new();
    sandbox.undisturbed(&[]);
    for text in ["", "{", "{}", "[1]", "{\"format\": 1}", "{\"format\": \"one\"}"] {
        sandbox.write("undisturbed/run.json", text);
        let refused = sandbox.wallaby(&["resume", "undisturbed"]).finish().expect(6);
        refused.complains("undisturbed/run.json is damaged");
    }
}

#[test]
fn what_is_no_run_is_neither_read_nor_written() {
    let sandbox = Sandbox::new();
    sandbox.write("letters/mother.txt", "dear mother");
    for run in ["letters", "nowhere", "classes.csv"] {
        for command in ["resume", "hashes", "best", "verify"] {
            let refused = sandbox.wallaby(&[command, run]).finish();
            assert_eq!(refused.code(), Some(6), "{command} {run:?}: {refused:#?}");
        }
    }
    sandbox.study("letters", &[]).finish().expect(6).complains("letters is not empty");
    sandbox.study("classes.csv", &[]).finish().expect(6);
    assert_eq!(sandbox.list("letters"), ["mother.txt"]);
    assert!(!sandbox.path("nowhere").exists());
}

#[test]
fn a_study_file_is_not_overwritten_by_a_run_in_its_own_folder() {
    let sandbox = Sandbox::new();
    sandbox.write("own/study.json", "{}");
    sandbox.study("own", &[]).finish().expect(6).complains("own is not empty");
    assert_eq!(sandbox.read("own/study.json"), "{}");
}

#[test]
fn the_folder_of_another_study_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.undisturbed(&[]);
    for change in ["study.seed=2", "budget.trials=7", "model.hidden=[9]", "data.partitions=3"] {
        let refused = sandbox.study("undisturbed", &["--set", change]).finish().expect(6);
        refused.complains("undisturbed holds another study (small)");
    }
    sandbox.run("undisturbed", &["--slots", "3"]);
}

#[test]
fn a_run_that_cannot_be_written_to_is_read_and_not_resumed() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("disk");
    fs::create_dir(&folder).unwrap();
    let Some(disk) = SmallDisk::mount(&folder, 64 << 10) else { return };
    sandbox.run("disk/run", &[]);
    disk.protect();
    sandbox.wallaby(&["resume", "disk/run"]).finish().expect(6).complains("disk/run: ");
    for command in ["hashes", "show"] {
        sandbox.wallaby(&[command, "disk/run"]).finish().expect(0);
    }
}

#[test]
fn an_empty_folder_may_become_a_run() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("run")).unwrap();
    sandbox.run("run", &[]);
    sandbox.run("deep/down/run", &[]);
}
