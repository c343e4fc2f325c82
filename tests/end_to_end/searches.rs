//! Samplers, policies, visit orders and tasks, each as a whole study.

use crate::run_record::RunRecord;
use crate::sandbox::{Sandbox, noise};
use std::collections::BTreeSet;
use wallaby::wallaby_core::journal::End;
use wallaby::wallaby_core::study::Study;

/// Runs the study with these arguments, verifies it whole, and gives what it recorded.
fn studied(sandbox: &Sandbox, arguments: &[&str]) -> Study {
    sandbox.run("run", arguments);
    let verified = sandbox.wallaby(&["verify", "run"]).finish().expect(0);
    let study = RunRecord::read(&sandbox.path("run")).study;
    assert_eq!(verified.out.matches("every bit equal").count(), study.trials.len());
    study
}

fn assert_ranked(study: &Study) {
    let values: Vec<f64> =
        study.ranking().iter().filter_map(|trial| trial.best.map(|best| best.value)).collect();
    assert!(values.is_sorted_by(|better, worse| better >= worse), "{values:?}");
    assert_eq!(study.best().unwrap().1.value, values[0]);
}

#[test]
fn trials_in_free_order_verify() {
    let study = studied(&Sandbox::new(), &["--set", "run.order=free", "--slots", "3"]);
    assert!(study.trials.iter().all(|trial| trial.end == Some(End::Completed)));
}

#[test]
fn early_stopping_stops_some_trials_and_ranks_them_all() {
    for policy in ["asha", "{ name = \"median\", grace_epochs = 1, min_trials = 2 }"] {
        let sandbox = Sandbox::new();
        let set = format!("search.policy={policy}");
        let study = studied(&sandbox, &["--set", &set, "--set", "budget.trials=12"]);
        let ended = |end: End| study.trials.iter().filter(|t| t.end.as_ref() == Some(&end)).count();
        let (stopped, completed) = (ended(End::Stopped), ended(End::Completed));
        assert!(stopped > 0 && completed > 0, "{policy}: {stopped} stopped, {completed} completed");
        assert_eq!(stopped + completed, 12);
        assert!(study.trials.iter().all(|trial| !trial.results.is_empty()));
        assert_ranked(&study);
        assert_eq!(sandbox.read("run/trials.csv").matches(",stopped,").count(), stopped);
    }
}

#[test]
fn a_grid_is_searched_whole_and_each_point_once() {
    let sandbox = Sandbox::new();
    let grid = sandbox.read("study.toml").replace("trials = 6\n", "").replace(
        "[search.space]",
        "[search]\nsampler = \"grid\"\n[search.space]\nactivation = [\"relu\", \"tanh\", \"silu\"]",
    );
    sandbox.write("study.toml", grid.replace("scale = \"log\"", "scale = \"log\", points = 2"));
    let study = studied(&sandbox, &[]);
    let points: BTreeSet<String> =
        study.trials.iter().map(|trial| format!("{:?}", trial.config)).collect();
    assert_eq!((study.trials.len(), points.len()), (6, 6));
}

#[test]
fn sobol_points_differ_from_random_ones_and_are_as_reproducible() {
    let sandbox = Sandbox::new();
    let random = sandbox.undisturbed(&[]);
    let study = studied(&sandbox, &["--set", "search.sampler=sobol"]);
    assert_eq!(study.trials.len(), 6);
    let sobol = sandbox.hashes("run");
    assert_ne!(sobol, random);
    sandbox.run("again", &["--set", "search.sampler=sobol", "--slots", "4"]);
    assert_eq!(sandbox.hashes("again"), sobol);
}

#[test]
fn a_line_with_noise_is_learned_by_regression() {
    let sandbox = Sandbox::new();
    let row = |row: usize| {
        let (x, y) = (noise(row, 0), noise(row, 1));
        format!("{x:.5},{y:.5},{:.5}\n", 3.0 * x - 2.0 * y + 0.01 * noise(row, 2))
    };
    sandbox.write("classes.csv", "x,y,label\n".to_owned() + &(0..300).map(row).collect::<String>());
    let goal = ["--set", "objective.metric=r2", "--set", "budget.epochs=8"];
    let study = studied(&sandbox, &goal);
    assert!(study.best().unwrap().1.value > 0.9, "{:?}", study.best());
    assert_ranked(&study);
    let head = sandbox.read("run/metrics.csv").lines().next().unwrap().to_owned();
    assert_eq!(head, "trial,epoch,loss,mae,r2,rmse,train_loss");
}

#[test]
fn large_targets_are_learned_and_their_errors_are_in_their_units() {
    let sandbox = Sandbox::new();
    let price = |row| 1e9 + 1e8 * (noise(row, 0) - noise(row, 1));
    let row = |row: usize| format!("{},{},{:.0}\n", noise(row, 0), noise(row, 1), price(row));
    sandbox.write("classes.csv", "x,y,label\n".to_owned() + &(0..300).map(row).collect::<String>());
    let goal = ["--set", "objective.metric=rmse", "--set", "budget.epochs=8"];
    let study = studied(&sandbox, &goal);
    let error = study.best().unwrap().1.value;
    assert!((1e4..1e7).contains(&error), "targets deviate by 4e7, the best model by {error}");
    sandbox.wallaby(&["verify", "run"]).finish().expect(0);
}

#[test]
fn times_in_seconds_tell_before_from_after() {
    let sandbox = Sandbox::new();
    let row = |row: usize| {
        let second = (200.0 * noise(row, 0)).floor() - 100.0;
        format!("{},{}\n", 1.7e9 + second, if second < 0.0 { "before" } else { "after" })
    };
    sandbox
        .write("classes.csv", "time,label\n".to_owned() + &(0..300).map(row).collect::<String>());
    let study = studied(&sandbox, &["--set", "budget.epochs=8"]);
    assert!(study.best().unwrap().1.value > 0.9, "{:?}", study.best());
}

#[test]
fn the_smallest_loss_is_best_where_loss_is_minimized() {
    let study = studied(&Sandbox::new(), &["--set", "objective.metric=loss"]);
    let least = study.trials.iter().filter_map(|trial| trial.best).map(|best| best.value);
    assert_eq!(study.best().unwrap().1.value, least.fold(f64::INFINITY, f64::min));
}
