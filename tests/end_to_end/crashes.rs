//! Killed at any moment and started again: it goes on from the last committed unit, does nothing
//! twice, and ends with the bits of a run that nobody disturbed.

use crate::process::Process;
use crate::run_record::RunRecord;
use crate::sandbox::{Sandbox, TRAINING_UNITS};
use std::time::Duration;
use wallaby::wallaby_core::journal::Record;
use wallaby::wallaby_core::seed::Seed;
use wallaby::wallaby_core::unit::Failure;

/// So many processes of a run are killed before one is left alone.
const KILLS: u64 = 6;

/// A whole number below `limit`, always the same for the same seed and label.
fn draw(seed: u64, label: &str, limit: u64) -> u64 {
    Seed::of_study(seed).child(label).to_u64() % limit
}

/// Kills a process at a moment drawn from the seed: at once, after some events, or after a while.
fn kill_somewhere(mut process: Process, seed: u64, kill: u64) {
    let label = |what: &str| format!("{what} of kill {kill}");
    match draw(seed, &label("kind"), 4) {
        0 => {}
        1 => process.watch(Duration::from_micros(draw(seed, &label("moment"), 120_000))),
        _ => {
            for _ in 0..=draw(seed, &label("events"), 30) {
                process.next_event();
            }
        }
    }
    process.kill();
}

/// Kills run after run, each continued by `run` or by `resume`, and ends it undisturbed.
fn run_through_kills(sandbox: &Sandbox, run: &str, seed: u64, more: &[&str]) {
    let again = |kill: u64| {
        let begun = sandbox.path(run).join("run.json").exists();
        let resumes = begun && draw(seed, &format!("command of kill {kill}"), 2) == 0;
        let command = if resumes {
            sandbox.wallaby(&["resume", run, "--json"])
        } else {
            sandbox.study(run, &[more, &["--json"]].concat())
        };
        command.faults("delay:2")
    };
    for kill in 0..KILLS {
        kill_somewhere(again(kill).start(), seed, kill);
    }
    again(KILLS).finish().expect(0);
}

fn assert_every_unit_was_done_once(record: &RunRecord) {
    let commits = record.training_commits();
    assert_eq!(commits.len(), TRAINING_UNITS);
    let twice: Vec<_> = commits.iter().filter(|(_, times)| **times != 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let lost = |record: &Record| match record {
        // What was under way when the process died counts as a lost try of the unit.
        Record::UnitFailed { failure, .. } => *failure != Failure::TrainerLost,
        record => matches!(record, Record::TrialRolledBack { .. }),
    };
    assert!(!record.has(lost), "a kill loses nothing that was committed");
}

#[test]
fn kills_at_random_moments_leave_no_trace_in_the_bits() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    for seed in 0..4 {
        let run = format!("killed-{seed}");
        run_through_kills(&sandbox, &run, seed, &[]);
        assert_eq!(sandbox.hashes(&run), expected, "seed {seed}");
        assert_every_unit_was_done_once(&RunRecord::read(&sandbox.path(&run)));
    }
}

#[test]
fn a_run_whose_bits_depend_on_timing_verifies_after_kills() {
    let sandbox = Sandbox::new();
    for (run, set) in [("free", "run.order=free"), ("asha", "search.policy=asha")] {
        run_through_kills(&sandbox, run, 9, &["--set", set]);
        let verified = sandbox.wallaby(&["verify", run]).finish().expect(0);
        assert_eq!(verified.out.matches("every bit equal").count(), 6, "{}", verified.out);
    }
    assert_every_unit_was_done_once(&RunRecord::read(&sandbox.path("free")));
}

#[test]
fn every_unit_that_was_shown_before_a_kill_is_kept() {
    let sandbox = Sandbox::new();
    let mut process = sandbox.study("run", &["--json"]).faults("delay:5").start();
    for _ in 0..20 {
        process.await_event("unit_committed");
    }
    let shown = process.kill().events_named("unit_committed").len();
    let kept = RunRecord::read(&sandbox.path("run")).training_commits().len();
    assert!(kept >= shown, "{kept} of {shown}");
    let resumed = sandbox.wallaby(&["resume", "run", "--json"]).finish().expect(0);
    assert_eq!(resumed.events()[0]["event"], "run_resumed");
    assert_eq!(resumed.events_named("unit_committed").len(), TRAINING_UNITS - kept);
}

#[test]
fn a_kill_between_the_first_files_of_a_run_is_no_obstacle() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    let text = |name: &str| sandbox.read(&format!("undisturbed/{name}"));
    let (study, about) = (text("study.json"), text("run.json").replace("true", "false"));
    // In the order in which they are written.
    for (at, files) in [
        [("run.lock", ""), ("study.json.new", &study[..9])].as_slice(),
        &[("run.lock", "7"), ("study.json", &study)],
        &[("run.lock", "7"), ("study.json", &study), ("run.json.new", "{")],
        &[("run.lock", "7"), ("study.json", &study), ("run.json", &about)],
    ]
    .iter()
    .enumerate()
    {
        let run = format!("run-{at}");
        files.iter().for_each(|(name, text)| sandbox.write(&format!("{run}/{name}"), text));
        sandbox.run(&run, &[]);
        assert_eq!(sandbox.hashes(&run), expected);
    }
    sandbox.write("resumed/run.json", about);
    sandbox.write("resumed/study.json", study);
    sandbox.wallaby(&["resume", "resumed"]).finish().expect(0);
    assert_eq!(sandbox.hashes("resumed"), expected);
}

#[test]
fn a_run_that_had_not_recorded_its_data_begins_with_no_other() {
    let sandbox = Sandbox::new();
    sandbox.undisturbed(&[]);
    let about = sandbox.read("undisturbed/run.json").replace("true", "false");
    sandbox.write("begun/study.json", sandbox.read("undisturbed/study.json"));
    sandbox.write("begun/run.json", about);
    let data = sandbox.read("classes.csv");
    sandbox.write("classes.csv", format!("{data}0,0,0,0,class-0\n"));
    let refused = sandbox.wallaby(&["resume", "begun"]).finish().expect(4);
    refused.complains("classes.csv or begun/study.json is not what the study began with");
    sandbox.write("classes.csv", data);
    sandbox.wallaby(&["resume", "begun"]).finish().expect(0);
    assert_eq!(sandbox.hashes("begun"), sandbox.hashes("undisturbed"));
}

#[test]
fn a_process_that_dies_in_the_middle_of_a_unit_costs_only_that_unit() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    let died = sandbox.study("run", &["--quiet"]).faults("abort:2:2").finish();
    assert_eq!((died.code(), died.signal()), (None, Some(6)), "{died:#?}");
    let again = sandbox.study("run", &["--quiet"]).faults("abort:2:2").finish();
    assert_eq!(again.signal(), Some(6), "the same unit kills it again: {again:#?}");
    sandbox.run("run", &[]).complains("the journal was mended: it was not closed");
    assert_eq!(sandbox.hashes("run"), expected);
    assert_every_unit_was_done_once(&RunRecord::read(&sandbox.path("run")));
}

#[test]
fn a_unit_that_takes_the_process_down_every_time_fails_its_trial_and_no_other() {
    let sandbox = Sandbox::new();
    let others = |hashes: String| -> Vec<String> {
        hashes.lines().filter(|line| !line.starts_with("1 ")).map(str::to_owned).collect()
    };
    let expected = others(sandbox.undisturbed(&[]));
    let start = || sandbox.study("run", &["--quiet"]).faults("abort:1").finish();
    let starts = (1..=20).find(|_| start().code() == Some(0));
    assert!(starts.is_some_and(|starts| starts > 3), "ended after {starts:?} starts");
    assert_eq!(others(sandbox.hashes("run")), expected);
}
