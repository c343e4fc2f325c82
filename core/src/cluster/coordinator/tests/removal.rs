//! Studies that users remove, and data that they bring again.

use super::*;

/// How long it takes until blobs of no use are gone.
fn sweep(world: &mut World) {
    for _ in 0..40 {
        world.now += 5_000;
        world.tell(ClusterEvent::Ticked);
    }
}

#[test]
fn a_removed_study_leaves_no_blob_and_frees_its_name() {
    let mut world = World::new(3);
    let study = world.submit("study", 4, 4, PRIORITY);
    world.finish();
    world.tell(ClusterEvent::Removed(study));
    assert!(world.coordinator.is_removed(study));
    assert_eq!(world.coordinator.named("study"), None);
    assert!(world.catalog.named("study").is_none());
    for (id, node) in &world.nodes {
        assert_eq!(node.blobs, BTreeSet::new(), "{id}");
    }
    let again = world.submit("study", 4, 4, PRIORITY);
    assert_ne!(again, study);
    world.finish();
    assert_eq!(world.last_states(again), undisturbed(4, 4));
}

#[test]
fn a_study_under_way_is_not_removed() {
    let mut world = World::new(2);
    let study = world.submit("study", 4, 4, PRIORITY);
    world.step();
    world.tell(ClusterEvent::Removed(study));
    assert!(!world.coordinator.is_removed(study));
    world.finish();
    assert_eq!(world.last_states(study), undisturbed(4, 4));
}

#[test]
fn what_was_removed_stays_so_under_another_leader_and_data_of_others_stays() {
    let mut world = World::new(3);
    let study = world.submit("study", 4, 4, PRIORITY);
    world.finish();
    // The same data under another name.
    let twin = world.submit("twin", 4, 4, PRIORITY);
    world.tell(ClusterEvent::Removed(study));
    world.coordinator = Coordinator::new(&world.catalog, Term(2), CLASS, 2, Moment(world.now));
    world.obey();
    (1..=3).for_each(|id| world.join(NodeId(id)));
    assert!(world.coordinator.is_removed(study));
    world.finish();
    assert_eq!(world.last_states(twin), undisturbed(4, 4));
    sweep(&mut world);
    let seat = &world.coordinator.seats[&twin];
    let held = |blob: &Digest| world.coordinator.holders(blob).len();
    assert!(seat.data().all(|blob| held(blob) >= 2));
}

#[test]
fn data_that_was_lost_for_good_and_is_brought_again_lets_the_study_go_on() {
    let mut world = World::new(3);
    world.coordinator = Coordinator::new(&Catalog::default(), Term(2), CLASS, 1, Moment(0));
    (1..=3).for_each(|id| world.join(NodeId(id)));
    let study = world.submit("study", 4, 6, PRIORITY);
    world.step();
    // The only holder of its partitions dies, and its disk with it.
    world.kill(NodeId(2));
    world.nodes.remove(&NodeId(2));
    for _ in 0..60 {
        world.step();
    }
    assert!(!world.ended());
    let manifest = world.catalog.study(study).unwrap().study.creation.manifest.clone();
    let lost: Vec<Digest> = manifest.partitions.iter().map(|blob| blob.digest).collect();
    let lost = lost.into_iter().filter(|blob| world.coordinator.holders(blob).is_empty());
    let lost: Vec<Digest> = lost.collect();
    assert!(!lost.is_empty());
    for blob in lost {
        world.nodes.get_mut(&NodeId(3)).unwrap().blobs.insert(blob);
        world.arrives(NodeId(3), blob);
    }
    world.finish();
    assert_eq!(world.last_states(study), undisturbed(4, 6));
}

#[test]
fn nothing_of_a_study_goes_before_the_journal_tells_of_its_removal() {
    let mut world = World::new(3);
    let study = world.submit("study", 4, 4, PRIORITY);
    world.finish();
    world.coordinator.handle(Moment(world.now), ClusterEvent::Removed(study));
    let mut batch = None;
    while let Some(command) = world.coordinator.poll() {
        match command {
            ClusterCommand::Append { ticket, .. } => batch = Some(ticket),
            other => panic!("{other:?} before the removal is durable"),
        }
    }
    let durable = ClusterEvent::Durable(batch.expect("the removal is recorded"));
    world.coordinator.handle(Moment(world.now), durable);
    let released = std::iter::from_fn(|| world.coordinator.poll())
        .filter(|command| matches!(command, ClusterCommand::Release { .. }));
    assert!(released.count() >= 5, "four partitions and the validation rows, on each holder");
}
