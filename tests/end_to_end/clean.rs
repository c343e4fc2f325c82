//! Making room: nothing goes without being asked for twice, and nothing that is needed goes.

use crate::sandbox::Sandbox;
use crate::small_disk::SmallDisk;
use serde_json::Value as Json;

/// The names in all folders of the blobs.
fn blobs(sandbox: &Sandbox, run: &str) -> usize {
    let folders = sandbox.list(&format!("{run}/blobs"));
    folders.iter().map(|folder| sandbox.list(&format!("{run}/blobs/{folder}")).len()).sum()
}

/// One run that has ended, one that was killed.
fn ended_and_killed() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.wallaby(&["run", "study.toml"]).finish().expect(0);
    let study = sandbox.wallaby(&["run", "study.toml", "--json"]);
    let mut process = study.faults("delay:5").start();
    process.await_event("epoch_finished");
    process.kill();
    sandbox
}

fn clean(sandbox: &Sandbox, arguments: &[&str]) -> Json {
    let arguments = [&["clean", "--json"], arguments].concat();
    serde_json::from_str(&sandbox.wallaby(&arguments).finish().expect(0).out).unwrap()
}

#[test]
fn without_yes_it_only_says_what_would_go() {
    let sandbox = ended_and_killed();
    let before = blobs(&sandbox, "runs/small-1");
    let told = sandbox.wallaby(&["clean"]).finish().expect(0);
    assert!(told.out.contains("runs/small-1: would remove"), "{}", told.out);
    assert!(told.out.contains("runs/small-2: stays, it has not ended"), "{}", told.out);
    sandbox.wallaby(&["clean", "--all"]).finish().expect(0).complains("--yes");
    assert_eq!(blobs(&sandbox, "runs/small-1"), before);
}

#[test]
fn what_is_left_of_a_run_that_ended_answers_and_verifies_as_before() {
    let sandbox = ended_and_killed();
    let predict = || {
        let arguments = ["predict", "runs/small-1", "--data", "classes.csv"];
        sandbox.wallaby(&arguments).finish().expect(0).out
    };
    let (answers, hashes) = (predict(), sandbox.hashes("runs/small-1"));
    let cleaned = clean(&sandbox, &["--yes"]);
    assert_eq!((&cleaned[0]["removed"], &cleaned[1]["removed"]), (&true.into(), &false.into()));
    assert_eq!(blobs(&sandbox, "runs/small-1"), 1, "the state of the best model");
    assert_eq!(predict(), answers);
    assert_eq!(sandbox.hashes("runs/small-1"), hashes);
    sandbox.wallaby(&["verify", "runs/small-1"]).finish().expect(0);
    sandbox.wallaby(&["resume", "runs/small-2"]).finish().expect(0);
    assert_eq!(sandbox.hashes("runs/small-2"), hashes, "the other run has lost nothing");
}

#[test]
fn cleaning_twice_finds_nothing_more() {
    let sandbox = Sandbox::new();
    sandbox.run("runs/small-1", &[]);
    assert!(clean(&sandbox, &["--yes"])[0]["bytes"].as_u64().unwrap() > 0);
    assert_eq!(clean(&sandbox, &["--yes"])[0]["files"], 0);
}

#[test]
fn whole_runs_go_only_if_they_have_ended_or_are_named() {
    let sandbox = ended_and_killed();
    clean(&sandbox, &["--all", "--yes"]);
    assert_eq!(sandbox.list("runs"), ["small-2"]);
    clean(&sandbox, &["--all", "--yes", "runs/small-2"]);
    assert_eq!(sandbox.list("runs"), [""; 0]);
}

#[test]
fn files_of_somebody_else_stay() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &[]);
    for format in ["csv", "json", "parquet"] {
        sandbox.wallaby(&["export", "run", "--format", format]).finish().expect(0);
    }
    let mine = ["notes.txt", "export/plot.py", "best/paper.md", "blobs/readme", "running/tests.sh"];
    for name in mine {
        sandbox.write(&format!("run/{name}"), "mine");
    }
    clean(&sandbox, &["--all", "--yes", "run"]);
    assert_eq!(sandbox.list("run"), ["best", "blobs", "export", "notes.txt", "running"]);
    let left = |folder: &str| sandbox.list(&format!("run/{folder}"));
    assert_eq!((left("export"), left("best")), (vec!["plot.py".into()], vec!["paper.md".into()]));
    assert_eq!((left("blobs"), left("running")), (vec!["readme".into()], vec!["tests.sh".into()]));
    sandbox.wallaby(&["clean", "--all", "--yes", "run"]).finish().expect(6);
    assert_eq!(sandbox.read("run/notes.txt"), "mine");
}

#[test]
fn what_a_link_leads_to_stays() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &[]);
    sandbox.copy("run/best", "models");
    std::fs::remove_dir_all(sandbox.path("run/best")).unwrap();
    std::os::unix::fs::symlink("../models", sandbox.path("run/best")).unwrap();
    clean(&sandbox, &["--all", "--yes", "run"]);
    assert_eq!(sandbox.list("models"), ["config.json", "model.safetensors"]);
    assert!(!sandbox.path("run").exists());
}

#[test]
fn of_several_named_runs_all_go_or_none() {
    let sandbox = Sandbox::new();
    sandbox.run("one", &[]);
    sandbox.run("two", &[]);
    let before = blobs(&sandbox, "one");
    let refused = sandbox.wallaby(&["clean", "--all", "--yes", "one", "two", "three"]).finish();
    assert_eq!(refused.expect(6).complains("three is not a run folder").out, "");
    assert_eq!(blobs(&sandbox, "one"), before);
    let done = sandbox.wallaby(&["clean", "--all", "--yes", "one", "./one", "two"]).finish();
    assert_eq!(done.expect(0).out.matches(": removed ").count(), 2);
    assert!(!sandbox.path("one").exists() && !sandbox.path("two").exists());
}

#[test]
fn what_cannot_be_removed_is_told_after_what_was() {
    let sandbox = Sandbox::new();
    for run in ["runs/a-1", "runs/a-2", "runs/a-3"] {
        sandbox.run(run, &[]);
    }
    let held = sandbox.path("runs/a-2/trials.csv");
    let Some(_held) = SmallDisk::hold(&held) else { return };
    let stopped = sandbox.wallaby(&["clean", "--all", "--yes"]).finish();
    assert!(stopped.out.contains("runs/a-1: removed "), "{stopped:#?}");
    assert!(
        stopped.out.contains("runs/a-2: stays, in part, runs/a-2/trials.csv: "),
        "{stopped:#?}"
    );
    assert!(stopped.out.contains("runs/a-3: removed "), "{stopped:#?}");
    assert_ne!(stopped.code(), Some(0));
}

#[test]
fn a_run_in_use_is_left_alone() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    let study = sandbox.wallaby(&["run", "study.toml", "--json"]);
    let mut process = study.faults("delay:5").start();
    process.await_event("epoch_finished");
    let cleaned = clean(&sandbox, &["--all", "--yes"]);
    assert!(cleaned[0]["why"].as_str().unwrap().contains("in use by process"), "{cleaned}");
    let named = ["clean", "--all", "--yes", "runs/small-1"];
    sandbox.wallaby(&named).finish().expect(6).complains("in use by process");
    process.finish().expect(0);
    assert_eq!(sandbox.hashes("runs/small-1"), expected);
}

#[test]
fn what_the_best_model_is_made_again_from_is_not_removed_while_it_is_needed() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &[]);
    let record = crate::run_record::RunRecord::read(&sandbox.path("run"));
    let best = record.blob(record.study.best().unwrap().1.state);
    crate::run_record::flip_byte(&best, 100);
    let told = sandbox.wallaby(&["clean", "run", "--yes"]).finish().expect(0);
    assert!(told.out.contains("its best model is not whole"), "{}", told.out);
    sandbox.wallaby(&["resume", "run"]).finish().expect(0);
    assert_eq!(clean(&sandbox, &["run", "--yes"])[0]["removed"], true);
}
