//! `kill -9`: of a trainer, of the leader, of two at once, of everybody.

use super::harness::Layout;
use super::measure::{await_detection, await_progress, await_rerun, tell};
use super::reference::Plot;
use std::time::Instant;

#[test]
fn a_trainer_killed_in_mid_unit_costs_that_unit_and_nothing_else() {
    let mut cluster = Layout::voters(3, "delay:80").start();
    let victim = cluster.followers().remove(0);
    // Started anew with long units, so that it dies in the middle of one.
    cluster.kill(&victim);
    cluster.set_faults(&victim, "delay:3000");
    cluster.start(&victim);
    cluster.await_ready();
    let plot = Plot::default();
    cluster.submit(&plot, &[]);
    let lost = cluster.await_unit_on(plot.name, &victim);
    let witness = cluster.leader();
    let killed = Instant::now();
    cluster.kill(&victim);
    await_detection(&cluster, &witness, &victim, killed);
    await_rerun(&cluster, plot.name, &lost, killed);
    let checked = cluster.conclude(&plot);
    assert!(checked.failures >= 1, "the lost unit is recorded: {checked:?}");
}

#[test]
fn a_killed_leader_is_replaced_and_the_study_goes_on() {
    let mut cluster = Layout::voters(3, "delay:100").start();
    let plot = Plot::default();
    cluster.submit(&plot, &[]);
    let before = cluster.await_units(plot.name, 12).units_done;
    let leader = cluster.leader();
    let killed = Instant::now();
    cluster.kill(&leader);
    cluster.await_leader_but(&[&leader]);
    tell("another node leads", killed.elapsed());
    // What was under way may still arrive: that is no progress of the new leader.
    await_progress(&cluster, plot.name, before + 3, killed);
    let checked = cluster.conclude(&plot);
    assert!(checked.terms >= 2, "{checked:?}");
}

#[test]
fn five_voters_lose_their_leader_and_another_at_once() {
    // Three holders of each partition: two may go at once.
    let mut cluster = Layout { replicas: 3, ..Layout::voters(5, "delay:150") }.start();
    let plot = Plot::default();
    cluster.submit(&plot, &[]);
    let before = cluster.await_units(plot.name, 12).units_done;
    let (leader, other) = (cluster.leader(), cluster.followers().remove(0));
    let killed = Instant::now();
    cluster.kill(&leader);
    cluster.kill(&other);
    cluster.await_leader_but(&[&leader, &other]);
    tell("another node leads", killed.elapsed());
    await_progress(&cluster, plot.name, before + 5, killed);
    cluster.conclude(&plot);
}

#[test]
fn a_cluster_of_which_every_node_is_killed_goes_on_when_they_are_back() {
    let mut cluster = Layout::voters(3, "delay:80").start();
    let plot = Plot::default();
    cluster.submit(&plot, &[]);
    let before = cluster.await_units(plot.name, 20).units_done;
    let names = cluster.there();
    names.iter().for_each(|name| cluster.kill(name));
    let restarted = Instant::now();
    names.iter().for_each(|name| cluster.start(name));
    cluster.leader();
    tell("all were killed and started: somebody leads", restarted.elapsed());
    await_progress(&cluster, plot.name, before, restarted);
    let units = u64::from(plot.trials * plot.epochs * (plot.partitions + 1));
    assert!(before < units, "they were killed in mid-study");
    cluster.conclude(&plot);
}
