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
    let held =
        world.nodes.get(&id).map(|node| node.blobs.iter().map(|blob| (*blob, Stamp(0))).collect());
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
                ClusterCommand::Release { node, blob, .. } => {
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
    world.arrives(node, stale);
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
    world.arrives(node, stale);
    asked(&mut world, 66);
    assert!(!world.coordinator.holders(&stale).contains(&node));
    world.nodes.get_mut(&node).unwrap().blobs.insert(stale);
    let boot = world.nodes[&node].boot;
    let told = report(&world, node, boot, "node1");
    world.tell(told);
    assert!(!world.coordinator.holders(&stale).contains(&node));
}

/// Nodes tell their last result again and again, and letters come late and twice. The coordinator
/// believed that they had the state that it had told them to remove, and told them again, for ever.
#[test]
fn what_is_told_again_brings_no_removed_state_back() {
    let (mut world, _) = under_way(2);
    let (node, state) = (NodeId(1), Digest::of(b"made by a unit that counts no more"));
    let told = world.arrival(node, state);
    world.tell(told.clone());
    assert_eq!(world.coordinator.holders(&state), [node]);
    world.coordinator.release(state);
    world.tell(told.clone());
    assert!(world.coordinator.holders(&state).is_empty());
    world.tell(ClusterEvent::NodeLeft { node, boot: world.nodes[&node].boot });
    let back = report(&world, node, world.nodes[&node].boot, "node1");
    world.tell(back);
    world.tell(told);
    assert!(world.coordinator.holders(&state).is_empty(), "nor when the same life is back");
}

/// A checkpoint was let go, a roll-back made it again on the same node, and the order to remove it
/// came after that: the trial's only state was gone, and the leader did not know.
#[test]
fn an_order_to_remove_a_blob_spares_one_that_has_come_anew_since() {
    let (mut world, _) = under_way(2);
    let (node, state) = (NodeId(1), Digest::of(b"let go, and made again"));
    let first = world.arrival(node, state);
    let ClusterEvent::Arrived { stamp: old, .. } = first else { unreachable!() };
    world.tell(first);
    let now = Moment(world.now);
    world.coordinator.handle(now, ClusterEvent::Ticked);
    world.coordinator.release(state);
    let mut orders = std::iter::from_fn(|| world.coordinator.poll());
    let order = orders.find_map(|command| match command {
        ClusterCommand::Release { blob, stamp, .. } if blob == state => Some(stamp),
        _ => None,
    });
    assert_eq!(order, Some(old), "it names what the leader knew of");
    world.arrives(node, state);
    assert_eq!(world.coordinator.holders(&state), [node], "what comes anew is believed");
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
    world.arrives(other, state);
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
    world.arrives(node, data);
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
    world.arrives(NodeId(1), manifest.validation.digest);
    let placement = vec![vec![NodeId(3)]; 2];
    for partition in &manifest.partitions {
        world.arrives(NodeId(3), partition.digest);
    }
    let (creation, priority) = (Box::new(creation), PRIORITY);
    let now = Moment(world.now);
    world.coordinator.handle(now, ClusterEvent::Created { creation, placement, priority });
    world.coordinator.handle(now, ClusterEvent::NodeDraining(NodeId(1)));
    assert!(!world.coordinator.is_drained(NodeId(1)));
    world.coordinator.handle(now, ClusterEvent::NodeDraining(NodeId(2)));
    let blob = manifest.validation.digest;
    let arrived = world.arrival(NodeId(2), blob);
    world.coordinator.handle(now, arrived);
    assert!(!world.coordinator.is_drained(NodeId(1)), "the other one leaves too");
    let arrived = world.arrival(NodeId(3), blob);
    world.coordinator.handle(now, arrived);
    assert!(world.coordinator.is_drained(NodeId(1)));
}

/// Data was brought to a node that was then let go before the study was submitted.
#[test]
fn a_node_does_not_go_with_data_that_was_brought_for_a_study_to_come() {
    let mut world = World::new(3);
    let blob = Digest::of(b"brought for a study to come");
    world.tell(ClusterEvent::Reserved(vec![blob]));
    world.arrives(NodeId(1), blob);
    world.tell(ClusterEvent::NodeDraining(NodeId(1)));
    assert!(!world.coordinator.is_drained(NodeId(1)));
    world.arrives(NodeId(2), blob);
    assert!(world.coordinator.is_drained(NodeId(1)));
}
