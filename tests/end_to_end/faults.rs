//! Trials that fail: a model that panics, a loss that is no number. The study goes on without them.

use crate::process::Finished;
use crate::sandbox::Sandbox;

fn without_trial(hashes: &str, trial: &str) -> Vec<String> {
    let other = |line: &&str| line.split(' ').next() != Some(trial);
    hashes.lines().filter(other).map(str::to_owned).collect()
}

fn ends(run: &Finished) -> Vec<(u64, String)> {
    let end = |event: serde_json::Value| {
        (event["trial"].as_u64().unwrap(), event["end"].as_str().unwrap().to_owned())
    };
    let mut ends: Vec<_> = run.events_named("trial_ended").into_iter().map(end).collect();
    ends.sort();
    ends
}

#[test]
fn a_model_that_panics_fails_its_trial_after_three_tries_and_no_other() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    let run = sandbox.study("run", &[]).faults("panic:3").finish().expect(0);
    assert_eq!(run.out.matches("the model panicked: injected into trial 3").count(), 3, "{run:#?}");
    assert_eq!(run.err, "", "a caught panic is told once, in the story");
    assert!(run.out.contains("trial 3 failed; the study goes on"));
    let hashes = sandbox.hashes("run");
    assert!(hashes.contains("3 0 -\n"), "{hashes}");
    assert_eq!(without_trial(&hashes, "3"), without_trial(&expected, "3"));
    sandbox.wallaby(&["verify", "run"]).finish().expect(0);
}

#[test]
fn a_trial_that_panics_late_keeps_its_earlier_epochs() {
    let sandbox = Sandbox::new();
    let run = sandbox.study("run", &["--json"]).faults("panic:0:3").finish().expect(0);
    assert_eq!(ends(&run)[0], (0, "failed".to_owned()));
    assert!(sandbox.hashes("run").starts_with("0 2 "));
    let failed = run.events_named("unit_failed");
    assert_eq!(failed.len(), 3);
    assert!(failed.iter().all(|event| event["epoch"] == 3), "{failed:?}");
}

/// A grid of a learning rate that learns and one that no float survives.
const ONE_DIVERGES: [&str; 8] = [
    "--set",
    "search.sampler=grid",
    "--set",
    "search.space.learning_rate=[0.01, 1e30]",
    "--set",
    "model.optimizer=sgd",
    "--set",
    "data.standardize=false",
];

#[test]
fn a_trial_that_diverges_fails_at_once_and_no_other() {
    let sandbox = Sandbox::new();
    let run = sandbox.run("run", &[&ONE_DIVERGES[..], &["--json"]].concat());
    assert_eq!(ends(&run), [(0, "completed".to_owned()), (1, "failed".to_owned())]);
    let failed = run.events_named("unit_failed");
    assert_eq!(failed.len(), 1, "the same again would give the same");
    assert!(failed[0]["failure"].as_str().unwrap().contains("diverged"), "{failed:?}");
    let table = sandbox.wallaby(&["resume", "run"]).finish().expect(0).out;
    assert!(table.contains("1.000e30"), "{table}");
}

#[test]
fn a_study_of_which_every_trial_diverges_ends_without_a_result_and_says_why() {
    let sandbox = Sandbox::new();
    let all = [&ONE_DIVERGES[..], &["--set", "search.space.learning_rate=[1e30]"]].concat();
    let run = sandbox.study("run", &all).finish().expect(9);
    let run = run.complains("no trial of run has a result: trial 0 diverged");
    assert!(!run.out.contains("best/"), "it promises no model: {run:#?}");
    assert_eq!(sandbox.list("run/best"), [""; 0]);
    sandbox.wallaby(&["best", "run"]).finish().expect(9);
    sandbox.study("run", &all).finish().expect(9);
}

#[test]
fn an_unknown_fault_is_refused() {
    let sandbox = Sandbox::new();
    let refused = sandbox.study("run", &[]).faults("frobnicate:3").finish().expect(2);
    refused.complains("fault \"frobnicate:3\" is unknown");
}
