//! Processes that stand still and come back: what they say then is of the past.

use super::harness::{Cluster, Layout};
use super::measure::{await_detection, await_progress, await_rerun, tell};
use super::reference::Plot;
use super::waiting::{DEADLINE, await_some, holds};
use std::time::{Duration, Instant};
use wallaby_actors::cluster::api_types::{NodeState, Role};

/// Waits until so much time has passed: that is what is asked for.
fn await_moment(what: &str, since: Instant, span: Duration) {
    await_some(what, span + DEADLINE, || holds(since.elapsed() >= span, || "not yet".to_owned()));
}

/// How long a frozen node keeps its units at most.
const PATIENCE: Duration = Duration::from_secs(15);

/// Freezes a follower in mid-unit for a while in which the others go on, and checks the end.
fn freeze_a_trainer(faults: &'static str, span: Duration) {
    let mut cluster = Layout::voters(3, faults).start();
    let plot = Plot::default();
    let victim = cluster.followers().remove(0);
    let witness = cluster.leader();
    cluster.submit(&plot, &[]);
    let lost = cluster.await_unit_on(plot.name, &victim);
    let frozen = Instant::now();
    cluster.freeze(&victim);
    await_detection(&cluster, &witness, &victim, frozen);
    let before = cluster.study(plot.name).unwrap().units_done;
    await_progress(&cluster, plot.name, before, frozen);
    if span > PATIENCE {
        await_rerun(&cluster, plot.name, &lost, frozen);
    }
    await_moment("the freeze lasts", frozen, span);
    let thawed = Instant::now();
    cluster.thaw(&victim);
    cluster.await_state(&witness, &victim, &[NodeState::Alive]);
    tell("the thawed node is alive again", thawed.elapsed());
    cluster.await_unit_on(plot.name, &victim);
    tell("the thawed node works again", thawed.elapsed());
    cluster.conclude(&plot);
}

#[test]
fn a_trainer_frozen_for_five_seconds_holds_nobody_up_and_its_late_result_is_harmless() {
    freeze_a_trainer("delay:300", Duration::from_secs(5));
}

#[test]
#[ignore = "takes a minute"]
fn a_trainer_frozen_for_45_seconds_comes_back_as_if_nothing_had_been() {
    freeze_a_trainer("delay:1500", Duration::from_secs(45));
}

fn says_it_leads(cluster: &Cluster, name: &str) -> Result<bool, String> {
    let nodes = cluster.seen_by(name)?;
    Ok(nodes.iter().any(|node| node.name == name && node.role == Role::Leader))
}

#[test]
fn a_frozen_leader_is_replaced_and_leads_no_more_when_it_wakes() {
    let mut cluster = Layout::voters(3, "delay:250").start();
    let plot = Plot::default();
    cluster.submit(&plot, &[]);
    let before = cluster.await_units(plot.name, 10).units_done;
    let leader = cluster.leader();
    let frozen = Instant::now();
    cluster.freeze(&leader);
    let next = cluster.await_leader_but(&[&leader]);
    tell("another node leads", frozen.elapsed());
    await_progress(&cluster, plot.name, before + 3, frozen);
    await_detection(&cluster, &next, &leader, frozen);
    let thawed = Instant::now();
    cluster.thaw(&leader);
    await_some("the thawed leader says that another one leads", DEADLINE, || {
        holds(!says_it_leads(&cluster, &leader)?, || "it says that it leads".to_owned())
    });
    tell("the thawed leader leads no more", thawed.elapsed());
    cluster.await_state(&next, &leader, &[NodeState::Alive]);
    let checked = cluster.conclude(&plot);
    assert!(checked.terms >= 2, "{checked:?}");
}
