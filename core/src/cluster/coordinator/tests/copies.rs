//! When copies are made, and what is told of those that are still to be made.

use super::*;

#[test]
fn a_checkpoint_is_copied_as_soon_as_it_counts() {
    let mut world = World::new(3);
    let study = world.submit("study", 4, 4, PRIORITY);
    for units in 1..=6 {
        // No tick: somebody always has something to do.
        assert!(world.step());
        let study = &world.catalog.study(study).unwrap().study;
        assert_eq!(study.commits, units);
        for checkpoint in study.trials.iter().filter_map(|trial| trial.newest()) {
            let holders = world.coordinator.holders(&checkpoint.state);
            assert!(holders.len() >= 2, "after {units} units: {holders:?}");
        }
    }
}

#[test]
fn what_lacks_copies_is_told_until_it_has_them() {
    let mut alone = World::new(1);
    let study = alone.submit("study", 1, 2, PRIORITY);
    assert_eq!(alone.coordinator.data_lacking(study), 0, "nobody else is there");
    let mut world = World::new(3);
    let study = world.submit("study", 4, 4, PRIORITY);
    assert_eq!(world.coordinator.data_lacking(study), 0, "all copies were made at once");
    world.kill(NodeId(2));
    assert!(world.coordinator.data_lacking(study) > 0, "what it has may be lost");
    assert_eq!(world.coordinator.data_lacking(StudyId(7)), 0);
    // Only one node had room when it was submitted.
    let mut world = World::new(3);
    let mut creation = creation(1, 1, 2);
    creation.spec.name = "study".to_owned();
    for blob in creation.manifest.partitions.iter().chain([&creation.manifest.validation]) {
        world.arrives(NodeId(3), blob.digest);
    }
    let (placement, priority) = (vec![vec![NodeId(3)]; 2], PRIORITY);
    let created = ClusterEvent::Created { creation: Box::new(creation), placement, priority };
    world.coordinator.handle(Moment(world.now), created);
    assert_eq!(world.coordinator.data_lacking(StudyId(0)), 3);
}
