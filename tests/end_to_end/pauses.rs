//! Signals: the first pauses after the units at hand, the second leaves at once, both resume.

use crate::process::Invocation;
use crate::run_record::RunRecord;
use crate::sandbox::Sandbox;
use std::path::Path;
use wallaby::wallaby_core::journal::{Pause, Record};

fn is_requested_pause(record: &Record) -> bool {
    matches!(record, Record::StudyPaused { cause: Pause::Requested })
}

#[test]
fn a_signal_pauses_in_order_and_says_how_to_go_on() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    for signal in ["INT", "TERM"] {
        let mut process = sandbox.study(signal, &["--json"]).faults("delay:20").start();
        process.await_event("unit_committed");
        process.signal(signal);
        let paused = process.finish().expect(12);
        assert_eq!(paused.events_named("study_paused")[0]["cause"], "requested");
        assert_eq!(paused.events().last().unwrap()["phase"], "paused");
        let paused = paused.complains(&format!("`wallaby resume {signal}` goes on"));
        let record = RunRecord::read(&sandbox.path(signal));
        assert!(is_requested_pause(record.records.last().unwrap()), "{paused:#?}");

        let resumed = sandbox.run(signal, &["--json"]);
        assert_eq!(resumed.events_named("study_resumed").len(), 1);
        assert_eq!(resumed.err, "", "a run that was paused in order needs no mending");
        assert_eq!(sandbox.hashes(signal), expected);
    }
}

#[test]
fn a_hang_up_does_not_touch_a_run_that_was_told_to_ignore_it() {
    let sandbox = Sandbox::new();
    let program = env!("CARGO_BIN_EXE_wallaby");
    let arguments = [program, "run", "study.toml", "--run", "run", "--json"];
    let ignoring = Invocation::new(Path::new("nohup"), &sandbox.path(""), &arguments);
    let mut ignoring = ignoring.faults("delay:5").start();
    ignoring.await_event("unit_committed");
    ignoring.signal("HUP");
    assert_eq!(ignoring.finish().expect(0).events().last().unwrap()["phase"], "ended");
}

#[test]
fn a_paused_run_has_its_results_so_far() {
    let sandbox = Sandbox::new();
    let mut process = sandbox.study("run", &["--json"]).faults("delay:10").start();
    process.await_event("epoch_finished");
    process.signal("INT");
    process.finish().expect(12);
    assert!(sandbox.read("run/trials.csv").contains(",running,"));
    assert!(sandbox.read("run/metrics.csv").lines().count() >= 2);
    sandbox.wallaby(&["best", "run"]).finish().expect(0);
}

#[test]
fn a_second_signal_leaves_at_once_and_resumes() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    // Units that would keep the pause waiting past every deadline.
    let mut process = sandbox.study("run", &["--json"]).faults("delay:600000").start();
    process.await_event("trial_proposed");
    process.signal("INT");
    process.await_complaint("once more to leave at once");
    process.signal("INT");
    process.finish().expect(130);
    let record = RunRecord::read(&sandbox.path("run"));
    assert!(!record.has(is_requested_pause));
    sandbox.wallaby(&["resume", "run"]).finish().expect(0);
    assert_eq!(sandbox.hashes("run"), expected);
}
