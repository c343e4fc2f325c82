//! Links between nodes that are cut, in both directions or in one, and links that lose packets.
//! Gossip finds a way around a cut between two, so nobody is taken for dead; what is silent there
//! is caught by sessions and leases.

use super::api::Api;
use super::harness::{Cluster, Layout};
use super::measure::{await_progress, await_rerun, tell};
use super::network::Network;
use super::reference::Plot;
use super::waiting::{DEADLINE, await_some, holds};
use std::time::Instant;
use wallaby::wallaby_core::ids::{NodeId, SlotId};
use wallaby::wallaby_core::journal::Record;
use wallaby::wallaby_core::unit::Unit;
use wallaby_actors::cluster::api_types::RunningInfo;

/// Long enough that it still runs when a lease has ended and the link is whole again.
fn long() -> Plot {
    Plot { trials: 8, epochs: 4, ..Plot::default() }
}

/// Three voters and a trainer without a vote.
fn four() -> Layout {
    Layout { nodes: 4, ..Layout::voters(3, "delay:300") }
}

/// Any node that votes and does not lead.
fn voter(cluster: &Cluster) -> String {
    let mut followers = cluster.followers().into_iter();
    followers.rfind(|name| name != "node4").unwrap()
}

/// The number of a node.
fn number(cluster: &Cluster, name: &str) -> Result<NodeId, String> {
    let known = cluster.ask(Api::nodes)?.into_iter().find(|node| node.name == name);
    known.map(|node| NodeId(node.id)).ok_or_else(|| format!("nobody knows {name}"))
}

/// What the records tell of a node: its results that count, and its units that were given up.
fn deeds(cluster: &Cluster, study: &str, name: &str) -> Result<(usize, Vec<Unit>), String> {
    let node = number(cluster, name)?;
    let entries = cluster.ask(|api, witness| api.records(witness, study))?;
    let (mut results, mut lost) = (0, Vec::new());
    for entry in entries {
        match entry.record {
            Record::UnitCommitted(commit) if commit.slot.node == node => results += 1,
            Record::UnitFailed { unit, slot, .. } if slot.node == node => lost.push(unit),
            _ => {}
        }
    }
    Ok((results, lost))
}

/// Waits until a node contributes to a study again.
#[track_caller]
fn await_contribution(cluster: &Cluster, study: &str, name: &str, since: Instant) {
    let (before, _) = deeds(cluster, study, name).unwrap();
    await_some(&format!("{name} contributes again"), DEADLINE, || {
        let (now, _) = deeds(cluster, study, name)?;
        holds(now > before, || format!("{before} results of {name} count"))
    });
    tell("the node contributes again", since.elapsed());
}

/// Waits until a unit of a node is given up.
#[track_caller]
fn await_loss(cluster: &Cluster, study: &str, name: &str, since: Instant) -> RunningInfo {
    let lost = await_some(&format!("{name} loses its unit"), DEADLINE, || {
        let (_, lost) = deeds(cluster, study, name)?;
        lost.first().copied().ok_or_else(|| "nothing was given up".to_owned())
    });
    tell("the unit of the node is given up", since.elapsed());
    let slot = SlotId { node: number(cluster, name).unwrap(), index: 0 };
    RunningInfo { slot, node: name.to_owned(), unit: lost.into(), since: 0 }
}

/// Cuts links of the leader and a node; its unit must run elsewhere, the study go on meanwhile, and
/// the node be of use when the links are whole again.
fn cut_from_the_leader(victim: impl Fn(&Cluster) -> String, cut: impl Fn(&Network, &str, &str)) {
    let Some((mut cluster, network)) = four().start_apart() else { return };
    let plot = long();
    cluster.submit(&plot, &[]);
    let before = cluster.await_units(plot.name, 10).units_done;
    let (leader, victim) = (cluster.leader(), victim(&cluster));
    let began = Instant::now();
    cut(&network, &leader, &victim);
    cluster.believe(&victim, false);
    await_progress(&cluster, plot.name, before + 4, began);
    let lost = await_loss(&cluster, plot.name, &victim, began);
    await_rerun(&cluster, plot.name, &lost, began);
    let before = cluster.study(plot.name).unwrap().units_done;
    await_some("the others go on without the node", DEADLINE, || {
        let given = cluster.running(plot.name)?.into_iter().find(|unit| unit.node == victim);
        assert!(given.is_none(), "{leader} cannot reach {victim}, and gave it {given:?}");
        let now = cluster.study(plot.name)?.units_done;
        holds(now >= before + 20, || format!("{now} units"))
    });
    let (_, lost) = deeds(&cluster, plot.name, &victim).unwrap();
    assert_eq!(lost.len(), 1, "{victim} has one slot, and was out of reach once: {lost:?}");
    assert_eq!(cluster.leader(), leader, "nobody else was elected");
    let healed = Instant::now();
    network.heal();
    cluster.believe(&victim, true);
    await_contribution(&cluster, plot.name, &victim, healed);
    cluster.conclude(&plot);
}

#[test]
fn a_voter_cut_off_from_the_leader_loses_its_unit_to_others_and_comes_back() {
    cut_from_the_leader(voter, |network, leader, voter| network.cut(leader, voter));
}

#[test]
#[ignore = "takes half a minute"]
fn a_trainer_cut_off_from_the_leader_loses_its_unit_to_others_and_comes_back() {
    cut_from_the_leader(|_| "node4".to_owned(), Network::cut);
}

#[test]
fn a_voter_that_the_leader_does_not_hear_loses_its_unit_to_others_and_comes_back() {
    cut_from_the_leader(voter, |network, leader, voter| network.mute(voter, leader));
}

#[test]
fn a_voter_that_does_not_hear_the_leader_loses_its_unit_to_others_and_comes_back() {
    cut_from_the_leader(voter, |network, leader, voter| network.mute(leader, voter));
}

/// Lets a node lose a fifth of what it sends and is sent, for a while in which units are committed.
fn lose_packets_of(victim: impl Fn(&Cluster) -> String) {
    let Some((mut cluster, network)) = four().start_apart() else { return };
    let plot = long();
    cluster.submit(&plot, &[]);
    let before = cluster.await_units(plot.name, 10).units_done;
    let victim = victim(&cluster);
    let began = Instant::now();
    network.lose(&victim, 0.2);
    await_progress(&cluster, plot.name, before + 60, began);
    let healed = Instant::now();
    network.heal();
    await_contribution(&cluster, plot.name, &victim, healed);
    cluster.conclude(&plot);
}

#[test]
fn a_leader_that_loses_every_fifth_packet_costs_time_and_nothing_else() {
    lose_packets_of(Cluster::leader);
}

#[test]
#[ignore = "takes half a minute"]
fn a_trainer_that_loses_every_fifth_packet_costs_time_and_nothing_else() {
    lose_packets_of(|_| "node4".to_owned());
}
