//! The wall-clock budget: it ends a study with what it has, and not one that has time left.
//! Generous to a busy machine: that interruptions do not count is proven in core, without a clock.

use crate::run_record::RunRecord;
use crate::sandbox::Sandbox;
use std::time::{Duration, Instant};
use wallaby::wallaby_core::journal::{Conclusion, End};
use wallaby::wallaby_core::study::Phase;

#[test]
fn a_spent_wall_clock_ends_the_study_with_a_result() {
    let sandbox = Sandbox::new();
    // A trial's first epoch takes a third of a second at least, the study half a minute.
    let set = ["--set", "budget.wall_clock=4s", "--set", "budget.trials=64", "--json"];
    let since = Instant::now();
    let run = sandbox.study("spent", &set).faults("delay:60").finish().expect(0);
    assert!(since.elapsed() >= Duration::from_secs(4));
    assert_eq!(run.events_named("study_ended")[0]["cause"], "wall_clock");
    let study = RunRecord::read(&sandbox.path("spent")).study;
    assert_eq!(study.phase, Phase::Ended(Conclusion::WallClockSpent));
    assert!(study.best().is_some());
    assert!(study.trials.iter().any(|trial| trial.end == Some(End::OutOfBudget)));
    assert!(sandbox.read("spent/trials.csv").contains(",out_of_budget,"));
    sandbox.wallaby(&["verify", "spent"]).finish().expect(0);
}

#[test]
fn an_interrupted_study_with_time_left_is_not_cut_short() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    let budget = ["--set", "budget.wall_clock=60s", "--json"];
    let mut interrupted = sandbox.study("interrupted", &budget).faults("delay:5").start();
    interrupted.await_event("unit_committed");
    interrupted.kill();
    let resumed = sandbox.study("interrupted", &budget).finish().expect(0);
    assert_eq!(resumed.events_named("study_ended")[0]["cause"], "trials");
    assert_eq!(sandbox.hashes("interrupted"), expected);
}

#[test]
fn a_wall_clock_that_is_spent_before_the_first_epoch_is_told_as_the_cause() {
    let sandbox = Sandbox::new();
    let budget = ["--set", "budget.wall_clock=1s", "--quiet"];
    let run = sandbox.study("run", &budget).faults("delay:400").finish().expect(9);
    run.complains("the wall-clock budget was spent before an epoch was validated");
}
