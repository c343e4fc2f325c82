//! A coordinator among simulated nodes that compute at once or die: what it promises.

mod copies;
mod found;
mod removal;

use super::*;
use crate::ids::Stamp;
use crate::simulation::computed;
use crate::study::Phase;
use crate::testing::creation;
use std::collections::BTreeMap;

/// A node's disk, and the units that it has been ordered to run.
#[derive(Default)]
struct Fake {
    boot: u64,
    alive: bool,
    blobs: BTreeSet<Digest>,
    orders: Vec<(StudyId, crate::engine::Start)>,
}

struct World {
    coordinator: Coordinator,
    catalog: Catalog,
    now: u64,
    nodes: BTreeMap<NodeId, Fake>,
    random: u64,
    copies: u64,
    /// Blobs that have come to nodes so far.
    stamps: u64,
    units: BTreeMap<(StudyId, NodeId), u32>,
}

const CLASS: Digest = Digest([7; 32]);

impl World {
    fn new(nodes: u64) -> Self {
        let coordinator = Coordinator::new(&Catalog::default(), Term(1), CLASS, 2, Moment(0));
        let mut world = Self {
            coordinator,
            catalog: Catalog::default(),
            now: 0,
            nodes: BTreeMap::new(),
            random: 1,
            copies: 0,
            stamps: 0,
            units: BTreeMap::new(),
        };
        for id in 1..=nodes {
            world.join(NodeId(id));
        }
        world
    }

    fn draw(&mut self, below: usize) -> usize {
        self.random =
            self.random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.random >> 33) as usize % below.max(1)
    }

    fn tell(&mut self, event: ClusterEvent) {
        self.coordinator.handle(Moment(self.now), event);
        self.obey();
    }

    /// What a node tells that has got a blob, now or again.
    fn arrival(&mut self, node: NodeId, blob: Digest) -> ClusterEvent {
        self.stamps += 1;
        ClusterEvent::Arrived { node, blob, stamp: Stamp(self.stamps) }
    }

    fn arrives(&mut self, node: NodeId, blob: Digest) {
        let event = self.arrival(node, blob);
        self.tell(event);
    }

    fn join(&mut self, id: NodeId) {
        let node = self.nodes.entry(id).or_default();
        node.boot += 1;
        node.alive = true;
        node.orders.clear();
        let report = Report {
            node: id,
            boot: node.boot,
            name: format!("node{}", id.0),
            slots: 1,
            numerics: CLASS,
            room: 1 << 30,
            held: node.blobs.iter().map(|blob| (*blob, Stamp(0))).collect(),
            draining: false,
            told: Vec::new(),
        };
        self.tell(ClusterEvent::NodeReported(report));
    }

    fn kill(&mut self, id: NodeId) {
        let node = self.nodes.get_mut(&id).unwrap();
        node.alive = false;
        let boot = node.boot;
        self.tell(ClusterEvent::NodeLeft { node: id, boot });
    }

    /// Submits a study of this name; its data is brought to where it is placed first.
    fn submit(&mut self, name: &str, trials: u32, partitions: u32, priority: u32) -> StudyId {
        let mut creation = creation(trials, 2, partitions);
        creation.spec.name = name.to_owned();
        let blobs: Vec<Digest> = creation.manifest.partitions.iter().map(|b| b.digest).collect();
        let placement = self.coordinator.plan(&vec![100; blobs.len()]);
        for (blob, holders) in blobs.iter().zip(&placement) {
            self.nodes.get_mut(&holders[0]).unwrap().blobs.insert(*blob);
            self.arrives(holders[0], *blob);
        }
        let first = *self.nodes.keys().next().unwrap();
        let validation = creation.manifest.validation.digest;
        self.nodes.get_mut(&first).unwrap().blobs.insert(validation);
        self.arrives(first, validation);
        let id = self.catalog.next_study();
        self.tell(ClusterEvent::Created { creation: Box::new(creation), placement, priority });
        id
    }

    fn obey(&mut self) {
        while let Some(command) = self.coordinator.poll() {
            match command {
                ClusterCommand::Append { ticket, records } => {
                    for record in records {
                        let bytes = record.encode();
                        let record = ClusterRecord::decode(&bytes).unwrap();
                        self.catalog.apply(&record).unwrap();
                    }
                    self.coordinator.handle(Moment(self.now), ClusterEvent::Durable(ticket));
                }
                ClusterCommand::Start { study, start, sources } => {
                    let node = start.attempt.slot.node;
                    if let Some(input) = start.attempt.input {
                        let has = |id: &NodeId| self.nodes[id].blobs.contains(&input);
                        assert!(sources.iter().any(has), "{input} is where it is said to be");
                    }
                    let fake = self.nodes.get_mut(&node).unwrap();
                    if fake.alive {
                        let blob = start.attempt.input.filter(|input| fake.blobs.insert(*input));
                        fake.orders.push((study, start));
                        if let Some(blob) = blob {
                            let arrived = self.arrival(node, blob);
                            self.coordinator.handle(Moment(self.now), arrived);
                        }
                    }
                }
                ClusterCommand::Copy { node, blob, sources, .. } => {
                    assert!(sources.iter().all(|id| self.nodes[id].blobs.contains(&blob)));
                    if self.nodes[&node].alive {
                        self.copies += 1;
                        self.nodes.get_mut(&node).unwrap().blobs.insert(blob);
                        let arrived = self.arrival(node, blob);
                        self.coordinator.handle(Moment(self.now), arrived);
                    }
                }
                ClusterCommand::Ask { .. } => {}
                ClusterCommand::Release { node, blob, .. } => {
                    self.nodes.get_mut(&node).unwrap().blobs.remove(&blob);
                }
            }
        }
        assert_eq!(self.coordinator.violation(), None);
    }

    /// One node finishes one unit; false if none has any.
    fn step(&mut self) -> bool {
        self.now += 10;
        let busy: Vec<NodeId> = {
            let busy = self.nodes.iter().filter(|(_, node)| !node.orders.is_empty());
            busy.map(|(id, _)| *id).collect()
        };
        if busy.is_empty() {
            self.now += 1_000;
            self.tell(ClusterEvent::Ticked);
            return false;
        }
        let id = busy[self.draw(busy.len())];
        let node = self.nodes.get_mut(&id).unwrap();
        let (study, start) = node.orders.remove(0);
        *self.units.entry((study, id)).or_default() += 1;
        let output = computed(start.attempt.unit, start.attempt.input);
        node.blobs.insert(output.state);
        self.arrives(id, output.state);
        let event = Event::UnitFinished(start.attempt, output);
        self.tell(ClusterEvent::Study { study, event });
        true
    }

    fn ended(&self) -> bool {
        self.catalog.studies().all(|(_, listed)| matches!(listed.study.phase, Phase::Ended(_)))
    }

    fn finish(&mut self) {
        for _ in 0..20_000 {
            if self.ended() {
                return;
            }
            self.step();
        }
        panic!("the studies do not end");
    }

    fn last_states(&self, study: StudyId) -> Vec<Option<Digest>> {
        let listed = self.catalog.study(study).unwrap();
        listed.study.trials.iter().map(|trial| trial.last_state).collect()
    }
}

/// The final states of a study, undisturbed on one node.
fn undisturbed(trials: u32, partitions: u32) -> Vec<Option<Digest>> {
    let mut world = World::new(1);
    let study = world.submit("alone", trials, partitions, PRIORITY);
    world.finish();
    world.last_states(study)
}

#[test]
fn any_number_of_nodes_gives_the_same_states() {
    let alone = undisturbed(6, 4);
    for nodes in 2..=5 {
        let mut world = World::new(nodes);
        let study = world.submit("study", 6, 4, PRIORITY);
        world.finish();
        assert_eq!(world.last_states(study), alone, "{nodes} nodes");
        let busy = (1..=nodes.min(4)).filter(|id| world.units.contains_key(&(study, NodeId(*id))));
        assert_eq!(busy.count() as u64, nodes.min(4), "{:?}", world.units);
    }
}

#[test]
fn killed_nodes_change_no_state_and_cost_at_most_what_was_under_way() {
    let alone = undisturbed(8, 6);
    for seed in 0..40 {
        let mut world = World::new(4);
        world.random = seed * 977 + 5;
        let study = world.submit("study", 8, 6, PRIORITY);
        let mut down: Option<NodeId> = None;
        for at in 0..200 {
            if world.ended() {
                break;
            }
            world.step();
            if at % 12 == 11 {
                match down.take() {
                    Some(node) => world.join(node),
                    None => {
                        let node = NodeId(world.draw(4) as u64 + 1);
                        world.kill(node);
                        down = Some(node);
                    }
                }
            }
        }
        world.finish();
        assert_eq!(world.last_states(study), alone, "seed {seed}");
        let listed = world.catalog.study(study).unwrap();
        let needed = 8 * 2 * 7;
        assert!(listed.study.commits < needed + 40, "{} of {needed}", listed.study.commits);
    }
}

#[test]
fn the_newest_checkpoint_of_every_trial_lies_on_two_nodes() {
    let mut world = World::new(3);
    let study = world.submit("study", 6, 6, PRIORITY);
    for _ in 0..60 {
        world.step();
        let seat = &world.coordinator.seats[&study];
        for precious in seat.precious() {
            let holders = world.coordinator.holders(&precious.state);
            assert!(holders.len() >= 2, "{precious:?} on {holders:?}");
        }
    }
}

#[test]
fn a_new_leader_goes_on_from_the_catalog_and_what_the_nodes_have() {
    let alone = undisturbed(5, 4);
    let mut world = World::new(3);
    let study = world.submit("study", 5, 4, PRIORITY);
    for term in 2..8 {
        for _ in 0..7 {
            world.step();
        }
        let now = Moment(world.now);
        world.coordinator = Coordinator::new(&world.catalog, Term(term), CLASS, 2, now);
        world.obey();
        (1..=3).for_each(|id| world.join(NodeId(id)));
    }
    world.finish();
    assert_eq!(world.last_states(study), alone);
}

#[test]
fn studies_share_the_slots_by_priority_and_leave_none_idle() {
    let mut world = World::new(4);
    let low = world.submit("low", 40, 4, 10);
    let high = world.submit("high", 40, 4, 30);
    for _ in 0..30 {
        world.step();
    }
    world.units.clear();
    for _ in 0..200 {
        world.step();
        let running = world.coordinator.running().count();
        assert!(running >= 3, "{running} of 4 slots run");
    }
    let units =
        |study| world.units.iter().filter(|((id, _), _)| *id == study).map(|(_, n)| n).sum();
    let (low, high): (u32, u32) = (units(low), units(high));
    assert!((2.0..4.5).contains(&(f64::from(high) / f64::from(low))), "{high} to {low}");
}

#[test]
fn lost_data_is_restored_and_a_newcomer_gets_work() {
    let mut world = World::new(3);
    let study = world.submit("study", 30, 6, PRIORITY);
    world.step();
    world.kill(NodeId(2));
    world.now += REPLACE_MILLIS + 1;
    for _ in 0..3 {
        world.now += 1_000;
        world.tell(ClusterEvent::Ticked);
    }
    let placement = &world.catalog.study(study).unwrap().placement;
    assert!(placement.iter().all(|holders| holders.len() == 2 && !holders.contains(&NodeId(2))));
    world.join(NodeId(9));
    for _ in 0..60 {
        world.step();
        world.tell(ClusterEvent::Ticked);
    }
    assert!(world.units.get(&(study, NodeId(9))).is_some_and(|units| *units > 5));
    world.finish();
}

#[test]
fn a_newcomer_works_as_much_as_the_others_although_trials_can_stay_where_they_are() {
    let mut world = World::new(3);
    let study = world.submit("study", 10, 8, PRIORITY);
    for _ in 0..20 {
        world.step();
    }
    world.join(NodeId(4));
    world.tell(ClusterEvent::Ticked);
    let before = world.units.clone();
    for _ in 0..100 {
        world.step();
        world.tell(ClusterEvent::Ticked);
    }
    let done = |node| {
        let key = (study, NodeId(node));
        world.units.get(&key).unwrap_or(&0) - before.get(&key).unwrap_or(&0)
    };
    assert!(done(4) >= 15, "{:?}", [1, 2, 3, 4].map(done));
}

#[test]
fn a_draining_node_may_go_when_others_have_what_it_had() {
    let mut world = World::new(3);
    let study = world.submit("study", 10, 6, PRIORITY);
    for _ in 0..10 {
        world.step();
    }
    world.tell(ClusterEvent::NodeDraining(NodeId(2)));
    assert!(!world.coordinator.is_drained(NodeId(2)), "a unit is under way");
    for _ in 0..40 {
        world.step();
        world.tell(ClusterEvent::Ticked);
    }
    assert!(world.coordinator.is_drained(NodeId(2)));
    world.kill(NodeId(2));
    let commits = world.catalog.study(study).unwrap().study.commits;
    world.finish();
    let listed = world.catalog.study(study).unwrap();
    assert_eq!(listed.study.commits, 10 * 2 * 7, "nothing was done twice; {commits} before");
}

#[test]
fn nothing_stays_that_nobody_needs() {
    let mut world = World::new(3);
    world.submit("study", 6, 4, PRIORITY);
    world.submit("twin", 6, 4, PRIORITY);
    for at in 0..60 {
        world.step();
        if at == 30 {
            world.kill(NodeId(3));
            world.join(NodeId(3));
        }
    }
    world.finish();
    for _ in 0..40 {
        world.now += 5_000;
        world.tell(ClusterEvent::Ticked);
    }
    let needed: BTreeSet<Digest> =
        world.coordinator.seats.values().flat_map(|seat| seat.kept()).collect();
    for (id, node) in &world.nodes {
        let stays = |blob: &&Digest| !world.coordinator.is_needed(blob);
        assert_eq!(node.blobs.iter().find(stays), None, "{id}");
    }
    assert!(needed.iter().all(|state| world.coordinator.holders(state).len() >= 2));
}

#[test]
fn a_cancelled_study_ends_when_its_units_have() {
    let mut world = World::new(2);
    let study = world.submit("study", 10, 4, PRIORITY);
    for _ in 0..5 {
        world.step();
    }
    world.tell(ClusterEvent::Study { study, event: Event::CancelRequested });
    while world.step() {}
    assert!(world.ended());
    let trials = &world.catalog.study(study).unwrap().study.trials;
    assert!(trials.iter().all(|trial| trial.end == Some(crate::journal::End::Cancelled)));
}

#[test]
fn a_node_of_another_numerics_class_runs_nothing() {
    let mut world = World::new(2);
    let study = world.submit("study", 4, 4, PRIORITY);
    let report = Report {
        node: NodeId(5),
        boot: 1,
        name: "other".to_owned(),
        slots: 4,
        numerics: Digest([8; 32]),
        room: 1 << 30,
        held: Vec::new(),
        draining: false,
        told: Vec::new(),
    };
    world.nodes.insert(NodeId(5), Fake { boot: 1, alive: true, ..Fake::default() });
    world.tell(ClusterEvent::NodeReported(report));
    world.finish();
    assert!(!world.units.contains_key(&(study, NodeId(5))));
}

#[test]
fn what_users_want_outlives_the_leader_they_told() {
    for (event, phase) in [
        (Event::PauseRequested, Phase::Paused(crate::journal::Pause::Requested)),
        (Event::CancelRequested, Phase::Ended(crate::journal::Conclusion::Cancelled)),
    ] {
        let mut world = World::new(3);
        let study = world.submit("study", 10, 4, PRIORITY);
        for _ in 0..5 {
            world.step();
        }
        world.tell(ClusterEvent::Study { study, event });
        let now = Moment(world.now);
        world.coordinator = Coordinator::new(&world.catalog, Term(2), CLASS, 2, now);
        world.obey();
        (1..=3).for_each(|id| world.join(NodeId(id)));
        for _ in 0..40 {
            world.step();
        }
        assert_eq!(world.catalog.study(study).unwrap().study.phase, phase);
    }
}

#[test]
fn a_paused_study_goes_on_when_somebody_resumes_it() {
    let mut world = World::new(2);
    let study = world.submit("study", 4, 4, PRIORITY);
    world.tell(ClusterEvent::Study { study, event: Event::PauseRequested });
    while world.step() {}
    assert!(!world.ended());
    world.tell(ClusterEvent::Study { study, event: Event::ResumeRequested });
    world.finish();
    assert_eq!(world.last_states(study), undisturbed(4, 4));
}
