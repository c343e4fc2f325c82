//! A cluster cut in two: the smaller side records nothing, the larger one goes on, and all tell
//! the same story when they hear of each other again.

use super::harness::{Cluster, Layout};
use super::measure::{await_progress, tell};
use super::network::Network;
use super::reference::Plot;
use super::waiting::{DEADLINE, await_some, holds};
use std::time::Instant;
use wallaby::wallaby_core::journal::Entry;
use wallaby_actors::cluster::api_types::{Hello, NodeState, Role, StudyPhase};

/// Long enough that it runs to the end of everything that is tried.
fn long() -> Plot {
    Plot { trials: 8, epochs: 4, ..Plot::default() }
}

/// What a node has that is on its own, as soon as it has given up asking others: all of it is
/// durable, for nothing else is given out.
#[track_caller]
fn records_of(cluster: &Cluster, name: &str, study: &str) -> Vec<Entry> {
    await_some(&format!("{name} answers for itself"), DEADLINE, || {
        cluster.api.records(cluster.node(name).address, study)
    })
}

/// While a node is alone, the others commit units and it records nothing, whatever it is asked for.
/// To be called when nothing can be recorded there any more that was decided before.
#[track_caller]
fn assert_records_nothing(cluster: &Cluster, alone: &str, plot: &Plot, cut: Instant) {
    let address = cluster.node(alone).address;
    let before = cluster.study(plot.name).unwrap().units_done;
    await_progress(cluster, plot.name, before + 3, cut);
    let stuck = records_of(cluster, alone, plot.name);
    let before = cluster.study(plot.name).unwrap().units_done;
    let refused = cluster.api.pause(address, plot.name).unwrap_err();
    tell("the minority has refused a command", cut.elapsed());
    assert!(refused.contains("503 Service Unavailable"), "{refused}");
    cluster.await_units(plot.name, before + 20);

    let now = records_of(cluster, alone, plot.name);
    assert_eq!(now.len(), stuck.len(), "the minority has recorded something");
    let stale = cluster.api.study(address, plot.name).unwrap();
    assert_eq!(stale.records, stuck.len() as u64, "it says what it has, no more: {stale:?}");
    let all = cluster.ask(|api, node| api.records(node, plot.name)).unwrap();
    assert!(all.len() >= stuck.len() + 20 && all.starts_with(&stuck), "the majority has forgotten");
}

/// Ends the cut, waits until all agree on who leads, and sees that nothing was done that the
/// minority has refused.
#[track_caller]
fn reunite(cluster: &mut Cluster, network: &Network, alone: &str, plot: &Plot) {
    let healed = Instant::now();
    network.heal();
    cluster.believe(alone, true);
    await_some(&format!("{alone} follows whom the others follow"), DEADLINE, || {
        let hellos = cluster.nodes().iter().map(|node| cluster.api.hello(node.address));
        let hellos: Vec<Hello> = hellos.collect::<Result<_, _>>()?;
        let leads = |hello: &Hello| (hello.leader, hello.term);
        let same = hellos.iter().all(|hello| leads(hello) == leads(&hellos[0]));
        holds(same && hellos[0].leader.is_some(), || format!("{hellos:?}"))
    });
    tell("the node that was alone follows", healed.elapsed());
    let study = cluster.study(plot.name).unwrap();
    assert_eq!(study.phase, StudyPhase::Running, "what the minority refused was done: {study:?}");
}

/// Three voters in the midst of a study.
fn three() -> Option<(Cluster, Network, Plot)> {
    let (cluster, network) = Layout::voters(3, "delay:300").start_apart()?;
    let plot = long();
    cluster.submit(&plot, &[]);
    cluster.await_units(plot.name, 10);
    Some((cluster, network, plot))
}

#[test]
fn a_leader_alone_commits_nothing_and_follows_the_one_that_the_majority_has_elected() {
    let Some((mut cluster, network, plot)) = three() else { return };
    let alone = cluster.leader();
    let cut = Instant::now();
    network.isolate(&alone);
    cluster.believe(&alone, false);
    let next = cluster.await_leader_but(&[&alone]);
    tell("the majority has another leader", cut.elapsed());
    assert_records_nothing(&cluster, &alone, &plot, cut);
    reunite(&mut cluster, &network, &alone, &plot);
    let back = cluster.await_state(&next, &alone, &[NodeState::Alive]);
    assert_eq!(back.role, Role::Voter, "{back:?}");
    let checked = cluster.conclude(&plot);
    assert!(checked.terms >= 2, "{checked:?}");
}

#[test]
fn a_follower_alone_commits_nothing_and_has_everything_when_it_is_back() {
    let Some((mut cluster, network, plot)) = three() else { return };
    let (leader, alone) = (cluster.leader(), cluster.followers().remove(0));
    let cut = Instant::now();
    network.isolate(&alone);
    cluster.believe(&alone, false);
    cluster.await_state(&leader, &alone, &[NodeState::Suspected, NodeState::Left]);
    tell("a node is known to be gone", cut.elapsed());
    assert_records_nothing(&cluster, &alone, &plot, cut);
    assert_eq!(cluster.leader(), leader, "nobody else was elected");
    reunite(&mut cluster, &network, &alone, &plot);
    cluster.conclude(&plot);
}
