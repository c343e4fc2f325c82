//! Nodes that come, leave in order, and come back without their disk.

use super::evidence::Allowed;
use super::harness::Layout;
use super::measure::tell;
use super::reference::Plot;
use super::waiting::{DEADLINE, await_some, holds};
use std::time::Instant;
use wallaby::wallaby_core::journal::Record;
use wallaby_actors::cluster::api_types::{NodeState, Role, StudyPhase};

/// The exit code of a node whose data folder cannot be used.
const FOLDER_UNUSABLE: i32 = 6;

#[test]
fn a_wiped_voter_is_refused_under_its_old_number_and_votes_under_a_new_one() {
    let mut cluster = Layout::voters(3, "delay:150").start();
    let plot = Plot::default();
    cluster.submit(&plot, &[]);
    cluster.await_units(plot.name, 8);
    let victim = cluster.followers().remove(0);
    let witness = cluster.leader();
    let old = cluster.state_seen_by(&witness, &victim).unwrap();
    cluster.kill(&victim);
    cluster.wipe(&victim);
    cluster.start(&victim);
    assert_eq!(
        cluster.await_end(&victim),
        Some(FOLDER_UNUSABLE),
        "{}",
        cluster.node(&victim).tail()
    );
    let said = cluster.node(&victim).log_of_this_life();
    assert!(said.contains("it may not come back under its number"), "{said}");
    assert!(said.contains("--rejoin"), "{said}");

    let rejoined = Instant::now();
    cluster.start_with(&victim, &["--rejoin"]);
    let new = await_some("it votes under a new number", DEADLINE, || {
        let new = cluster.state_seen_by(&witness, &victim)?;
        let voters = cluster.api.hello(cluster.node(&witness).address)?.voters;
        let votes = new.role == Role::Voter && voters.iter().any(|voter| voter.id == new.id);
        let gone = voters.iter().all(|voter| voter.id != old.id);
        holds(votes && gone && new.id != old.id, || format!("{new:?}, {voters:?}")).map(|()| new)
    });
    tell("a wiped voter votes again", rejoined.elapsed());

    // It keeps the new number.
    cluster.kill(&victim);
    cluster.start(&victim);
    await_some("it is back under the new number", DEADLINE, || {
        let back = cluster.state_seen_by(&witness, &victim)?;
        let same = back.id == new.id && back.boot > new.boot;
        holds(same && back.state == NodeState::Alive, || format!("{back:?}"))
    });
    let allowed = Allowed { copies: Some(1), ..Allowed::default() };
    cluster.conclude_allowing(&[&plot], &allowed);
}

/// Three voters, and one more node that has no vote.
fn with_a_trainer(faults: &'static str) -> Layout {
    Layout { nodes: 4, ..Layout::voters(3, faults) }
}

#[test]
fn a_trainer_that_joins_in_mid_study_gets_work() {
    // One holder of each partition: the newcomer's share of them can be visited nowhere else.
    let mut cluster = Layout { replicas: 1, ..with_a_trainer("delay:150") }.set_up();
    ["node1", "node2", "node3"].iter().for_each(|name| cluster.start(name));
    cluster.await_ready();
    let plot = Plot::default();
    cluster.submit(&plot, &[]);
    cluster.await_units(plot.name, 10);
    let joined = Instant::now();
    cluster.start("node4");
    cluster.await_unit_on(plot.name, "node4");
    tell("a newcomer has work", joined.elapsed());
    let newcomer = cluster.state_seen_by("node1", "node4").unwrap();
    assert_eq!(newcomer.role, Role::Trainer, "{newcomer:?}");
    let checked = cluster.conclude(&plot);
    assert_eq!((checked.repeated, checked.failures), (0, 0), "{checked:?}");
}

#[test]
fn a_trainer_that_joins_in_mid_study_does_its_share_although_trials_could_stay_where_they_are() {
    let mut cluster = with_a_trainer("delay:100").set_up();
    ["node1", "node2", "node3"].iter().for_each(|name| cluster.start(name));
    cluster.await_ready();
    let plot = Plot { trials: 8, epochs: 3, partitions: 8, ..Plot::default() };
    cluster.submit(&plot, &[]);
    cluster.await_units(plot.name, 10);
    let joined = Instant::now();
    cluster.start("node4");
    cluster.await_unit_on(plot.name, "node4");
    tell("a newcomer has work, with two holders of each partition", joined.elapsed());
    let newcomer = cluster.state_seen_by("node1", "node4").unwrap().id;
    // From here on each node has a quarter of the work; the last units are few for four nodes.
    let began = cluster.study(plot.name).unwrap().records;
    cluster.await_phase(plot.name, StudyPhase::Ended, DEADLINE);
    let entries = cluster.ask(|api, node| api.records(node, plot.name)).unwrap();
    let commits = entries.iter().skip(began as usize).filter_map(|entry| match &entry.record {
        Record::UnitCommitted(commit) => Some(commit.slot.node.0),
        _ => None,
    });
    let (its, all) =
        commits.fold((0, 0), |(its, all), node| (its + u32::from(node == newcomer), all + 1));
    assert!(its * 6 >= all, "the newcomer did {its} of {all} units");
    cluster.conclude(&plot);
}

#[test]
fn a_drained_trainer_finishes_hands_over_and_leaves_and_nothing_is_done_twice() {
    let mut cluster = with_a_trainer("delay:150").start();
    let plot = Plot::default();
    cluster.submit(&plot, &[]);
    cluster.await_unit_on(plot.name, "node4");
    let drained = Instant::now();
    cluster.said(&["drain", "node4"]);
    assert_eq!(cluster.await_end("node4"), Some(0), "{}", cluster.node("node4").tail());
    tell("a drained trainer has left", drained.elapsed());
    cluster.await_state("node1", "node4", &[NodeState::Left]);
    let checked = cluster.conclude(&plot);
    assert_eq!((checked.repeated, checked.failures), (0, 0), "nothing was done twice: {checked:?}");
}

#[test]
fn a_drained_leader_leaves_and_another_one_leads() {
    let mut cluster = Layout::voters(3, "delay:150").start();
    let plot = Plot::default();
    cluster.submit(&plot, &[]);
    cluster.await_units(plot.name, 8);
    let leader = cluster.leader();
    let drained = Instant::now();
    cluster.said(&["drain", &leader]);
    assert_eq!(cluster.await_end(&leader), Some(0), "{}", cluster.node(&leader).tail());
    tell("a drained leader has left", drained.elapsed());
    cluster.await_leader_but(&[&leader]);
    let checked = cluster.conclude(&plot);
    assert_eq!((checked.repeated, checked.failures), (0, 0), "nothing was done twice: {checked:?}");
}
