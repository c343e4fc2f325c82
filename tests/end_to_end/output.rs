//! What the program shows, and to whom: people, scripts, and readers that have gone away.

use crate::cluster::waiting::{DEADLINE, await_some, holds};
use crate::sandbox::Sandbox;
use serde_json::Value as Json;

/// Every command, as `--help` lists them.
fn commands(sandbox: &Sandbox) -> Vec<String> {
    let help = sandbox.wallaby(&["--help"]).finish().expect(0).out;
    let listed = help.split_once("Commands:\n").unwrap().1.split_once("\n\n").unwrap().0;
    let names = listed.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.filter(|name| !["", "help"].contains(name)).map(str::to_owned).collect()
}

#[test]
fn quiet_shows_the_run_folder_and_nothing_else() {
    let sandbox = Sandbox::new();
    let run = sandbox.run("run", &["--quiet"]);
    assert_eq!((run.out.as_str(), run.err.as_str()), ("run\n", ""));
}

#[test]
fn every_line_of_json_is_an_event_and_together_they_tell_the_whole_run() {
    let sandbox = Sandbox::new();
    let run = sandbox.run("run", &["--json"]);
    let events = run.events();
    assert_eq!(events[0]["event"], "run_started");
    assert_eq!(events[0]["run"], "run");
    let count = |name: &str| run.events_named(name).len();
    assert_eq!(count("trial_proposed"), 6);
    assert_eq!(count("unit_committed"), crate::sandbox::TRAINING_UNITS);
    assert_eq!(count("epoch_finished"), 6 * 3);
    assert_eq!(count("trial_ended"), 6);
    let last = events.last().unwrap();
    assert_eq!((&last["event"], &last["phase"]), (&"run_finished".into(), &"ended".into()));
    let best = sandbox.wallaby(&["best", "run", "--json"]).finish().expect(0);
    assert_eq!(last["best"], serde_json::from_str::<Json>(&best.out).unwrap());
}

#[test]
fn progress_only_grows_and_ends_at_all() {
    let run = Sandbox::new().run("run", &["--json"]);
    let done: Vec<f64> = run
        .events_named("epoch_finished")
        .iter()
        .map(|event| event["done"].as_f64().unwrap())
        .collect();
    assert!(done.is_sorted() && done.iter().all(|share| (0.0..=1.0).contains(share)), "{done:?}");
    assert!(done.last().unwrap() > &0.95, "{done:?}");
}

#[test]
fn nothing_it_writes_steers_a_terminal() {
    let sandbox = Sandbox::new();
    sandbox.write("wrong.toml", "[study]\nname = 3\n");
    for arguments in [
        ["run", "study.toml", "--run", "run"].as_slice(),
        &["run", "study.toml", "--run", "run"],
        &["run", "wrong.toml"],
        &["check", "study.toml"],
        &["best", "run"],
        &["show", "run"],
        &["trials", "run"],
        &["list"],
        &["man"],
        &["verify", "run"],
        &["frobnicate"],
        &["--help"],
    ] {
        let finished = sandbox.wallaby(arguments).finish();
        assert!(!finished.out.contains('\x1b') && !finished.err.contains('\x1b'), "{finished:?}");
    }
}

#[test]
fn a_reader_that_goes_away_does_not_stop_the_study() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    for manner in [[].as_slice(), &["--json"]] {
        let run = format!("run{}", manner.len());
        let mut process = sandbox.study(&run, manner).faults("delay:2").start();
        process.next_line();
        process.hang_up();
        process.finish().expect(0);
        assert_eq!(sandbox.hashes(&run), expected);
    }
}

#[test]
fn the_help_of_every_command_shows_an_example() {
    let sandbox = Sandbox::new();
    let commands = commands(&sandbox);
    for command in &commands {
        let help = sandbox.wallaby(&[command, "--help"]).finish().expect(0).out;
        let example = help.split_once("Example:\n").unwrap_or_else(|| panic!("{help}")).1;
        let example = example.split("\n\n").next().unwrap();
        assert!(example.contains(&format!("wallaby {command}")), "{help}");
    }
    for known in ["run", "predict", "clean", "man", "node", "submit", "drain"] {
        assert!(commands.iter().any(|command| command == known), "{known}: {commands:?}");
    }
    assert!(commands.len() >= 30, "{commands:?}");
    let help = sandbox.wallaby(&["--help"]).finish().expect(0).out;
    assert!(help.contains("Exit codes:"), "{help}");
}

#[test]
fn a_wrong_command_line_is_told_with_the_right_one() {
    let sandbox = Sandbox::new();
    for arguments in [
        [].as_slice(),
        &["run"],
        &["frobnicate"],
        &["run", "study.toml", "--quiet", "--json"],
        &["run", "study.toml", "--slots", "many"],
        &["resume", "run", "--slots", "0"],
        &["simulate"],
        &["simulate", "--seeds", "0"],
    ] {
        let refused = sandbox.wallaby(arguments).finish();
        assert_eq!(refused.code(), Some(2), "{arguments:?}: {refused:#?}");
        assert!(refused.err.contains("--help"), "{arguments:?}: {refused:#?}");
    }
}

#[test]
fn a_measurement_that_is_interrupted_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    let before = sandbox.list("");
    for (name, times) in [("INT", 1), ("TERM", 2)] {
        let mut process = sandbox.wallaby(&["bench", "dispatch", "--unit", "100"]).start();
        await_some("a folder for the measurement", DEADLINE, || {
            let found = sandbox.list("");
            let made = found.iter().any(|name| name.starts_with(".wallaby-"));
            holds(made, || format!("{found:?}"))
        });
        for _ in 0..times {
            process.signal(name);
        }
        process.await_complaint("ending after the units at hand");
        process.finish().expect(130);
        assert_eq!(sandbox.list(""), before);
    }
}

#[test]
fn simulated_histories_keep_their_promises() {
    let simulated = Sandbox::new().wallaby(&["simulate", "--seeds", "50"]).finish().expect(0);
    assert!(simulated.out.starts_with("50 histories"), "{}", simulated.out);
    assert!(simulated.out.ends_with("0 broke a promise\n"), "{}", simulated.out);
}

#[test]
fn the_table_ranks_the_trials_with_the_best_first() {
    let sandbox = Sandbox::new();
    let run = sandbox.run("run", &[]);
    let table = run.out.split_once("\nrank ").unwrap().1;
    let ranks: Vec<&str> =
        table.lines().skip(1).take(6).map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(ranks, ["1", "2", "3", "4", "5", "6"]);
    let again = sandbox.run("run", &[]);
    assert!(again.out.contains(table), "a finished run shows the same: {}", again.out);
}
