//! The nemesis: tries to break a cluster of real containers, one fault at a time, two at a time,
//! and by seeded random schedules. Every run ends with the checker of the cluster tests: no unit
//! lost or committed twice, one leader a term, journals that agree, the weights and the best trial
//! of one undisturbed process.
//!
//! ```sh
//! cargo test --release --test nemesis                          # a short selection
//! cargo test --release --test nemesis -- --ignored --nocapture # everything, about an hour
//! ```
//! Needs a Docker engine on this machine and root, which reaches into the containers' networks;
//! says loudly when it has neither, and fails then if `WALLABY_NEMESIS_REQUIRED` is set. Each run
//! leaves a page with its timeline and its figures in `target/tmp/nemesis` or in
//! `WALLABY_NEMESIS_REPORTS`. `WALLABY_NEMESIS_SEED` and `WALLABY_NEMESIS_ONLY` choose a random
//! schedule and runs by their names, `WALLABY_NEMESIS_SOAK` the seconds of the soak.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table is for reading")]

mod docker;
mod drive;
mod fault;
mod measure;
mod plan;
mod reference;
mod report;
#[path = "../end_to_end/cluster"]
mod shared {
    pub(crate) mod checker;
}
mod stand;
mod timeline;
mod verdict;
mod watch;

use drive::{Outcome, run, run_with, undisturbed_time};
use plan::Plan;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// One cluster at a time: the others would disturb it.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs all of these that are asked for, and requires every promise of each.
fn nemesis(title: &str, plans: &[Plan]) {
    if !docker::present() {
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let asked = |plan: &&Plan| is_asked(&plan.name);
    let mut outcomes: Vec<(Outcome, u64)> = Vec::new();
    for plan in plans.iter().filter(asked) {
        let undisturbed = undisturbed_time(plan.study, plan.trainers);
        outcomes.push((run(plan), undisturbed));
        let (outcome, _) = &outcomes[outcomes.len() - 1];
        println!("{}: {}", plan.name, report::figures(outcome)["seconds"]);
        let table = report::table(&outcomes);
        std::fs::write(docker::reports().join(format!("{title}.md")), &table).unwrap();
    }
    println!("{}", report::table(&outcomes));
    let broken = outcomes.iter().filter_map(|(outcome, _)| outcome.verdict.as_ref().err());
    let broken: Vec<String> = broken.flatten().cloned().collect();
    assert!(broken.is_empty(), "{}\nsee {}", broken.join("\n"), docker::reports().display());
}

/// Whether a run is asked for. A name that no run has is no way to ask for none.
fn is_asked(name: &str) -> bool {
    let only = std::env::var("WALLABY_NEMESIS_ONLY").unwrap_or_default();
    let all: Vec<Plan> = plan::singles().into_iter().chain(plan::pairs()).collect();
    for wanted in only.split(',').filter(|wanted| !wanted.is_empty()) {
        let known = all.iter().any(|plan| plan.name == wanted)
            || wanted == "soak"
            || wanted.starts_with("random-");
        assert!(known, "WALLABY_NEMESIS_ONLY: there is no run {wanted:?}");
    }
    only.is_empty() || only.split(',').any(|wanted| wanted == name)
}

fn named(plans: Vec<Plan>, names: &[&str]) -> Vec<Plan> {
    plans.into_iter().filter(|plan| names.contains(&plan.name.as_str())).collect()
}

fn seed(otherwise: u64) -> u64 {
    let chosen = std::env::var("WALLABY_NEMESIS_SEED").ok();
    chosen.map_or(otherwise, |seed| seed.parse().expect("WALLABY_NEMESIS_SEED is a number"))
}

#[test]
fn a_short_selection_of_faults_leaves_no_trace() {
    let mut plans = named(plan::singles(), &["kill-leader-and-trainer", "cut"]);
    plans.extend(named(plan::pairs(), &["freeze-leader+kill-voter"]));
    let random = plan::random(seed(1), Duration::from_secs(30), Duration::from_secs(6));
    plans.push(random);
    nemesis("selection", &plans);
}

#[test]
#[ignore = "takes about half an hour"]
fn no_fault_leaves_a_trace() {
    nemesis("singles", &plan::singles());
}

#[test]
#[ignore = "takes about ten minutes"]
fn no_two_faults_leave_a_trace() {
    nemesis("pairs", &plan::pairs());
}

#[test]
#[ignore = "takes about ten minutes"]
fn no_random_schedule_leaves_a_trace() {
    let first = seed(1);
    let random = |seed| plan::random(seed, Duration::from_secs(60), Duration::from_secs(6));
    nemesis("random", &(first..first + 5).map(random).collect::<Vec<_>>());
}

#[test]
#[ignore = "takes twenty minutes, or the seconds of WALLABY_NEMESIS_SOAK"]
fn a_fault_every_twenty_seconds_costs_less_than_a_tenth_and_no_memory() {
    if !docker::present() || !is_asked("soak") {
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let chosen = std::env::var("WALLABY_NEMESIS_SOAK").ok();
    let seconds = chosen.map_or(1200, |it| it.parse().expect("WALLABY_NEMESIS_SOAK is a number"));
    let length = Duration::from_secs(seconds);
    let mut plan = plan::random(seed(7), length, Duration::from_secs(20));
    plan.name = "soak".to_owned();
    // About ten units a second on five slots.
    let (trials, partitions) = (64, 8);
    let epochs = (seconds * 10 / (trials * (partitions + 1))).max(2);
    let settings = [format!("budget.trials={trials}"), format!("budget.epochs={epochs}")];
    let settings: Vec<String> =
        settings.into_iter().flat_map(|it| ["--set".to_owned(), it]).collect();
    let outcome = run_with(&plan, &settings, trials * epochs * (partitions + 1));
    println!("{:#}", report::figures(&outcome));
    outcome.require();
    let (goodput, ..) = measure::goodput(&outcome.seen, &outcome.happened);
    assert!(goodput >= 0.9, "goodput {goodput:.3}, expected at least 0.9");
    for life in report::memory(&outcome) {
        let size = |key: &str| life[key].as_f64().unwrap();
        let (early, late) = (size("second_quarter_mib"), size("last_quarter_mib"));
        assert!(late < early * 1.25 + 16.0, "the memory grows: {life}");
    }
}
