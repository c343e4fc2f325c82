//! Full disks and lost data: a study that cannot go on stands still and says why.

use super::*;

fn full() -> Failure {
    Failure::StorageFull("0 bytes left on /data".to_owned())
}

fn paused_for_storage() -> Record {
    let cause =
        Pause::StorageFull("its checkpoint cannot be stored: 0 bytes left on /data".to_owned());
    Record::StudyPaused { cause }
}

fn paused_for(what: &str) -> Record {
    Record::StudyPaused { cause: Pause::DataLost(format!("no living node holds {what}")) }
}

#[test]
fn a_full_disk_on_the_only_node_pauses_the_study() {
    let (mut leader, tries) = Leader::with_nodes(creation(2, 1, 1), [offer(2, [0])]);
    assert_eq!(leader.tell(Event::UnitFailed(tries[0], full())), [], "a unit is under way");
    let commands = leader.finish(tries[1], 0.5);
    let committed = commit(tries[1], 0, output(state(1, 1, 1), 0.5));
    assert_eq!(commands, [append(4, 0, [committed, paused_for_storage()])]);
    assert_eq!(leader.persist(), [Command::Rest]);
    assert_eq!(leader.tell(Event::Ticked), []);
}

#[test]
fn after_a_full_disk_a_resumed_study_tries_again() {
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 1), [offer(1, [0])]);
    leader.tell(Event::UnitFailed(tries[0], full()));
    assert_eq!(leader.persist(), [Command::Rest]);
    assert_eq!(leader.tell(Event::ResumeRequested), [append(4, 0, [Record::StudyResumed])]);
    let commands = leader.persist();
    assert_eq!(commands, [closing(begin(slot(1, 0), train(0, 1, 0), fence(1, 2)))]);

    let records = appended(&leader.tell(Event::UnitFailed(only(&commands), full())));
    assert_eq!(records, [paused_for_storage()], "still full");
}

#[test]
fn a_full_disk_sends_its_units_to_other_holders_and_costs_the_trial_nothing() {
    let second = Offer { partitions: [(crate::ids::PartitionId(0), 1)].into(), ..offer(1, []) };
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 1), [offer(1, [0]), second]);
    let commands = leader.tell(Event::UnitFailed(tries[0], full()));
    assert_eq!(commands, [closing(begin(slot(2, 0), train(0, 1, 0), fence(1, 2)))]);
    assert_eq!(leader.engine.study().trials[0].failures, 0);
}

#[test]
fn a_node_whose_disk_was_full_is_tried_again_after_a_while() {
    let second = Offer { partitions: [(crate::ids::PartitionId(0), 1)].into(), ..offer(1, []) };
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 1), [offer(1, [0]), second]);
    leader.tell(Event::UnitFailed(tries[0], full()));
    let standing =
        |leader: &Leader| leader.engine.view().node(NodeId(1)).map(|it| it.standing.clone());
    leader.wait(FULL_MILLIS - 1).tell(Event::Ticked);
    assert_eq!(standing(&leader), Some(crate::membership::Standing::Full));
    leader.wait(1).tell(Event::Ticked);
    assert_eq!(standing(&leader), Some(crate::membership::Standing::Alive));
}

#[test]
fn a_full_disk_on_the_only_holder_pauses_the_study_after_a_while() {
    let nodes = [offer(1, [0]), offer(1, [])];
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 1), nodes);
    assert_eq!(leader.tell(Event::UnitFailed(tries[0], full())), []);
    assert_eq!(leader.wait(STALL_MILLIS_MAX - 1).tell(Event::Ticked), []);
    let commands = leader.wait(1).tell(Event::Ticked);
    assert_eq!(commands, [append(3, STALL_MILLIS_MAX, [paused_for_storage()])]);
}

#[test]
fn data_that_nobody_has_pauses_the_study_after_a_while() {
    let nodes = [offer(1, [0]), offer(1, [1])];
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 2), nodes);
    leader.tell(left(2, 1));
    assert_eq!(leader.complete(tries[0], 0.5), []);
    assert_eq!(leader.wait(STALL_MILLIS_MAX - 1).tell(Event::Ticked), []);
    let commands = leader.wait(1).tell(Event::Ticked);
    assert_eq!(commands, [append(4, STALL_MILLIS_MAX, [paused_for("partition 1")])]);
    assert_eq!(leader.persist(), [Command::Rest]);
}

#[test]
fn a_damaged_only_copy_pauses_the_study_after_a_while() {
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 1), [offer(1, [0])]);
    let damaged = Failure::DataUnusable("bad hash".to_owned());
    assert_eq!(leader.tell(Event::UnitFailed(tries[0], damaged)), []);
    let records = appended(&leader.wait(STALL_MILLIS_MAX).tell(Event::Ticked));
    assert_eq!(records, [paused_for("partition 0")]);
}

#[test]
fn missing_validation_rows_are_missing_data() {
    let without = Offer { validation: false, ..offer(1, [0]) };
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 1), [without]);
    assert_eq!(leader.complete(tries[0], 0.5), []);
    let records = appended(&leader.wait(STALL_MILLIS_MAX).tell(Event::Ticked));
    assert_eq!(records, [paused_for("validation")]);
}

/// A study that stands still because partition 1 went with node 2.
fn without_partition_1() -> Leader {
    let nodes = [offer(1, [0]), offer(1, [1])];
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 2), nodes);
    leader.tell(left(2, 1));
    leader.complete(tries[0], 0.5);
    leader.wait(STALL_MILLIS_MAX).settle(Event::Ticked);
    assert!(matches!(leader.engine.study().phase, Phase::Paused(Pause::DataLost(_))));
    leader
}

#[test]
fn a_study_without_data_goes_on_when_a_holder_comes() {
    let mut leader = without_partition_1();
    let commands = leader.tell(joined(3, 1, offer(1, [0])));
    assert_eq!(commands, [], "that one does not have it");
    let commands = leader.tell(joined(4, 1, offer(1, [1])));
    assert_eq!(commands, [append(5, STALL_MILLIS_MAX, [Record::StudyResumed])]);
    let next = go_on(slot(4, 0), train(0, 1, 1), fence(1, 2), state(0, 1, 1), 1);
    assert_eq!(leader.persist(), [closing(next)]);
}

#[test]
fn a_requested_pause_outlasts_missing_data() {
    let mut leader = without_partition_1();
    assert_eq!(leader.tell(Event::PauseRequested), []);
    assert_eq!(leader.tell(joined(4, 1, offer(1, [1]))), []);
    assert_eq!(appended(&leader.tell(Event::ResumeRequested)), [Record::StudyResumed]);
    assert_eq!(started(&leader.persist()).len(), 1);
}

#[test]
fn a_study_without_nodes_waits_for_them() {
    let (mut leader, _) = Leader::with_nodes(creation(1, 1, 1), [offer(1, [0])]);
    leader.settle(left(1, 1));
    for _ in 0..5 {
        assert_eq!(leader.wait(STALL_MILLIS_MAX).tell(Event::Ticked), []);
    }
    assert_eq!(leader.settle(joined(1, 2, offer(1, [0]))).len(), 1);
}

#[test]
fn a_checkpoint_that_nobody_brings_back_is_given_up_after_a_while() {
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 2), [offer(1, [0, 1])]);
    leader.complete(tries[0], 0.5);
    // A successor that never sees the node of the checkpoint, but another one with all data.
    let (mut second, _) = leader.successor();
    assert_eq!(second.settle(joined(2, 1, offer(1, [0, 1]))), []);
    assert_eq!(second.wait(STALL_MILLIS_MAX - 1).tell(Event::Ticked), []);
    let records = appended(&second.wait(1).tell(Event::Ticked));
    assert_eq!(records, [rolled_back(0, 1, 0)]);
    let again = begin(slot(2, 0), train(0, 1, 0), fence(2, 1));
    assert_eq!(second.persist(), [again]);
}
