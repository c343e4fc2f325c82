//! What the simulation of whole clusters has found, each as a small history.

use super::*;
use crate::unit::Failure;

/// A study on two nodes, some units on; nothing is under way in the hands of the fake nodes that
/// the coordinator does not know of.
fn under_way(nodes: u64) -> (World, StudyId) {
    let mut world = World::new(nodes);
    let study = world.submit("study", 4, 4, PRIORITY);
    (0..10).for_each(|_| {
        world.step();
    });
    (world, study)
}

fn report(world: &World, id: NodeId, boot: u64, name: &str) -> ClusterEvent {
    let held = world.nodes.get(&id).map(|node| node.blobs.iter().copied().collect());
    ClusterEvent::NodeReported(Report {
        node: id,
        boot,
        name: name.to_owned(),
        slots: 1,
        numerics: CLASS,
        room: 1 << 30,
        held: held.unwrap_or_default(),
        draining: false,
        told: Vec::new(),
    })
}

/// Ticks for so many seconds; the nodes that the coordinator asks for a report.
fn asked(world: &mut World, seconds: u64) -> Vec<NodeId> {
    let mut asked = Vec::new();
    for _ in 0..seconds {
        world.now += 1000;
        world.coordinator.handle(Moment(world.now), ClusterEvent::Ticked);
        while let Some(command) = world.coordinator.poll() {
            match command {
                ClusterCommand::Ask { node } => asked.push(node),
                ClusterCommand::Release { node, blob } => {
                    world.nodes.get_mut(&node).unwrap().blobs.remove(&blob);
                }
                _ => {}
            }
        }
    }
    asked
}

/// An order to remove a blob is lost with its session: the node kept it until the next leader.
#[test]
fn a_removal_that_was_lost_is_found_and_done_again() {
    let (mut world, _) = under_way(2);
    world.finish();
    assert!(world.coordinator.collected() > 0);
    let stale = Digest::of(b"removed by an order that was lost");
    let node = NodeId(1);
    world.tell(ClusterEvent::Arrived { node, blob: stale });
    asked(&mut world, 70);
    assert!(!world.coordinator.holders(&stale).contains(&node), "it is ordered to go");
    world.nodes.get_mut(&node).unwrap().blobs.insert(stale);
    assert!(asked(&mut world, 120).contains(&node), "its node is asked what it has");
    let boot = world.nodes[&node].boot;
    let told = report(&world, node, boot, "node1");
    world.tell(told);
    asked(&mut world, 70);
    assert!(!world.nodes[&node].blobs.contains(&stale));
}

/// A report may be older than an order to remove a blob that is already on its way.
#[test]
fn what_was_removed_a_moment_ago_is_not_believed_to_be_there() {
    let (mut world, _) = under_way(2);
    world.finish();
    let (node, stale) = (NodeId(1), Digest::of(b"stale"));
    world.tell(ClusterEvent::Arrived { node, blob: stale });
    asked(&mut world, 66);
    assert!(!world.coordinator.holders(&stale).contains(&node));
    world.nodes.get_mut(&node).unwrap().blobs.insert(stale);
    let boot = world.nodes[&node].boot;
    let told = report(&world, node, boot, "node1");
    world.tell(told);
    assert!(!world.coordinator.holders(&stale).contains(&node));
}

/// Nodes tell their last result again and again. Each time the coordinator believed that they had
/// the state that it had told them to remove, and told them again, for ever.
#[test]
fn a_result_that_is_told_again_brings_no_removed_state_back() {
    let mut world = World::new(1);
    let study = world.submit("study", 1, 2, PRIORITY);
    let mut told = Vec::new();
    for _ in 0..40 {
        let order = world.nodes[&NodeId(1)].orders.first().cloned();
        if let Some((_, start)) = order {
            let output = computed(start.attempt.unit, start.attempt.input);
            told.push((output.state, Event::UnitFinished(start.attempt, output)));
        }
        world.step();
    }
    assert!(world.ended());
    let gone = told.iter().find(|(state, _)| world.coordinator.holders(state).is_empty());
    let (state, _) = gone.expect("older checkpoints are released");
    let (_, last) = told.last().unwrap();
    let (Event::UnitFinished(_, output), state) = (last, *state) else { unreachable!() };
    world.coordinator.release(output.state);
    let removed = ClusterCommand::Release { node: NodeId(1), blob: state };
    world.tell(ClusterEvent::Study { study, event: last.clone() });
    assert!(world.coordinator.holders(&state).is_empty(), "{removed:?}");
    let host = world.coordinator.hosts.get_mut(&NodeId(1)).unwrap();
    host.remove(&output.state);
    world.tell(ClusterEvent::Study { study, event: last.clone() });
    assert!(world.coordinator.holders(&output.state).is_empty());
}

/// The gossip that would tell of the old life knows the new one instead, under the same name: the
/// old number kept its slots for ever, and every unit sent there was lost after its lease.
#[test]
fn a_node_that_comes_back_under_another_number_ends_its_earlier_life() {
    let (mut world, _) = under_way(3);
    let boot = world.nodes[&NodeId(2)].boot;
    world.nodes.insert(NodeId(1001), Fake { boot: boot + 1, alive: true, ..Fake::default() });
    let told = report(&world, NodeId(1001), boot + 1, "node2");
    world.nodes.get_mut(&NodeId(2)).unwrap().orders.clear();
    world.tell(told);
    assert!(!world.coordinator.hosts.contains_key(&NodeId(2)));
    assert!(world.coordinator.is_idle(NodeId(2)), "what it ran is lost");
    world.finish();
}

/// A cut between two nodes failed trials: each try to fetch the checkpoint counted as a loss.
#[test]
fn a_checkpoint_that_cannot_be_fetched_costs_no_trial_while_another_node_has_it() {
    let (mut world, study) = under_way(3);
    let commits = world.catalog.study(study).unwrap().study.commits;
    let running = world.coordinator.running().find(|(_, a, _)| a.input.is_some());
    let attempt = *running.expect("some trial is past its first unit").1;
    let (node, state) = (attempt.slot.node, attempt.input.unwrap());
    let other = NodeId(node.0 % 3 + 1);
    world.nodes.get_mut(&node).unwrap().orders.clear();
    world.nodes.get_mut(&other).unwrap().blobs.insert(state);
    world.tell(ClusterEvent::Arrived { node: other, blob: state });
    world.coordinator.hosts.get_mut(&node).unwrap().remove(&state);
    let failure = Failure::StateUnusable { state, detail: "no way".to_owned() };
    let event = Event::UnitFailed(attempt, failure);
    world.tell(ClusterEvent::Study { study, event });
    let known = &world.catalog.study(study).unwrap().study;
    let trial = known.trial(attempt.unit.trial).unwrap();
    assert_eq!((trial.failures, known.commits), (0, commits), "nothing is counted");
    assert_eq!(trial.newest().map(|newest| newest.state), Some(state), "nor rolled back");
    world.finish();
}

/// Data that arrived made a node trusted that was suspected.
#[test]
fn a_suspected_node_stays_suspected_when_data_arrives() {
    let (mut world, study) = under_way(2);
    let node = NodeId(2);
    world.tell(ClusterEvent::NodeSuspected(node));
    let data = world.coordinator.seats[&study].partitions()[0];
    world.tell(ClusterEvent::Arrived { node, blob: data });
    let engine = world.coordinator.seats[&study].engine().unwrap();
    assert!(!engine.view().node(node).unwrap().takes_units());
    world.tell(ClusterEvent::NodeTrusted(node));
    let engine = world.coordinator.seats[&study].engine().unwrap();
    assert!(engine.view().node(node).unwrap().takes_units());
}

/// A slot computes a unit of one study, and a newer order of another one waits behind it: a new
/// leader that was told of both took both over, and the slot ran two units.
#[test]
fn of_two_units_of_two_studies_on_one_slot_only_one_is_taken_over() {
    let mut world = World::new(1);
    let low = world.submit("low", 3, 2, PRIORITY);
    let high = world.submit("high", 3, 2, PRIORITY);
    let mut attempts = BTreeMap::new();
    while attempts.len() < 2 {
        let running = world.coordinator.running().map(|(id, attempt, _)| (id, *attempt)).next();
        attempts.extend(running);
        world.step();
    }
    let now = Moment(world.now);
    world.coordinator = Coordinator::new(&world.catalog, Term(9), CLASS, 2, now);
    world.obey();
    world.join(NodeId(1));
    for (study, attempt) in [(low, attempts[&low]), (high, attempts[&high])] {
        world.tell(ClusterEvent::Study { study, event: Event::UnitRunning(attempt) });
    }
    assert!(world.coordinator.running().count() <= 1);
}

/// The validation rows were not counted as data that only the leaving node had, and a node that
/// leaves too was counted on: both left, and the study stood still for ever.
#[test]
fn a_node_does_not_go_while_only_it_or_another_leaver_has_the_validation_rows() {
    let mut world = World::new(3);
    let mut creation = creation(4, 1, 2);
    creation.spec.name = "study".to_owned();
    let manifest = creation.manifest.clone();
    world.tell(ClusterEvent::Arrived { node: NodeId(1), blob: manifest.validation.digest });
    let placement = vec![vec![NodeId(3)]; 2];
    for partition in &manifest.partitions {
        world.tell(ClusterEvent::Arrived { node: NodeId(3), blob: partition.digest });
    }
    let (creation, priority) = (Box::new(creation), PRIORITY);
    let now = Moment(world.now);
    world.coordinator.handle(now, ClusterEvent::Created { creation, placement, priority });
    world.coordinator.handle(now, ClusterEvent::NodeDraining(NodeId(1)));
    assert!(!world.coordinator.is_drained(NodeId(1)));
    world.coordinator.handle(now, ClusterEvent::NodeDraining(NodeId(2)));
    let blob = manifest.validation.digest;
    world.coordinator.handle(now, ClusterEvent::Arrived { node: NodeId(2), blob });
    assert!(!world.coordinator.is_drained(NodeId(1)), "the other one leaves too");
    world.coordinator.handle(now, ClusterEvent::Arrived { node: NodeId(3), blob });
    assert!(world.coordinator.is_drained(NodeId(1)));
}

/// Data was brought to a node that was then let go before the study was submitted.
#[test]
fn a_node_does_not_go_with_data_that_was_brought_for_a_study_to_come() {
    let mut world = World::new(3);
    let blob = Digest::of(b"brought for a study to come");
    world.tell(ClusterEvent::Reserved(vec![blob]));
    world.tell(ClusterEvent::Arrived { node: NodeId(1), blob });
    world.tell(ClusterEvent::NodeDraining(NodeId(1)));
    assert!(!world.coordinator.is_drained(NodeId(1)));
    world.tell(ClusterEvent::Arrived { node: NodeId(2), blob });
    assert!(world.coordinator.is_drained(NodeId(1)));
}
