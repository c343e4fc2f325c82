//! Lost nodes, slots, trainers and checkpoints.

use super::*;

/// Two nodes of one slot: the first has partition 0, the second partition 1.
fn two_nodes() -> [Offer; 2] {
    [offer(1, [0]), offer(1, [1])]
}

/// A lone trial after so many of its units over two nodes, and its next try.
fn after(units: usize) -> (Leader, Try) {
    let (mut leader, tries) = Leader::with_nodes(creation(1, 3, 2), two_nodes());
    let attempt = leader.advance(tries[0], units, 0.5);
    (leader, attempt)
}

#[test]
fn a_lost_node_gives_its_units_back() {
    let nodes = [offer(1, [0]), Offer { partitions: [(PARTITION_0, 1)].into(), ..offer(1, []) }];
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 1), nodes);
    let commands = leader.tell(left(1, 1));
    assert_eq!(commands, [append(3, 0, [failed(tries[0], Failure::TrainerLost)])]);
    assert_eq!(leader.persist(), [closing(begin(slot(2, 0), train(0, 1, 0), fence(1, 2)))]);
}

const PARTITION_0: crate::ids::PartitionId = crate::ids::PartitionId(0);

#[test]
fn a_unit_that_was_lost_with_its_node_goes_before_trials_that_have_waited_for_long() {
    let both = |rank| Offer { partitions: [(PARTITION_0, rank)].into(), ..offer(1, []) };
    let (mut leader, tries) = Leader::with_nodes(creation(6, 1, 1), [both(0), both(1)]);
    let [lost, other] = tries[..] else { panic!("both nodes run something: {tries:?}") };
    assert_eq!(leader.settle(left(1, 1)), [], "the other node is busy");
    let next = leader.complete(other, 0.5);
    assert_eq!(next.iter().map(|attempt| attempt.unit).collect::<Vec<_>>(), [lost.unit]);
}

#[test]
fn a_node_that_leaves_under_another_boot_number_stays() {
    let (mut leader, attempt) = after(0);
    assert_eq!(leader.tell(left(1, 0)), []);
    assert_eq!(leader.tell(left(1, 2)), []);
    assert_eq!(leader.engine.running().copied().collect::<Vec<_>>(), [attempt]);
}

#[test]
fn a_node_that_comes_back_as_another_has_lost_its_units() {
    let (mut leader, attempt) = after(0);
    let commands = leader.tell(joined(1, 2, offer(1, [0])));
    assert_eq!(commands, [append(3, 0, [failed(attempt, Failure::TrainerLost)])]);
    assert_eq!(leader.persist(), [begin(slot(1, 0), train(0, 1, 0), fence(1, 2))]);
    assert_eq!(leader.tell(joined(1, 1, offer(0, []))), [], "news of its earlier life");
}

#[test]
fn a_node_that_offers_anew_keeps_its_units_and_starts_new_ones() {
    let (mut leader, tries) = Leader::with_nodes(creation(2, 1, 1), [offer(1, [0])]);
    let second = closing(begin(slot(1, 1), train(1, 1, 0), fence(1, 2)));
    assert_eq!(leader.tell(joined(1, 1, offer(2, [0]))), [second]);
    assert!(leader.engine.running().any(|attempt| *attempt == tries[0]));
}

#[test]
fn a_node_that_offers_fewer_slots_gives_back_what_ran_on_the_others() {
    let (mut leader, tries) = Leader::with_nodes(creation(2, 1, 1), [offer(2, [0])]);
    let commands = leader.tell(joined(1, 1, offer(1, [0])));
    assert_eq!(commands, [append(4, 0, [failed(tries[1], Failure::TrainerLost)])]);
    assert_eq!(leader.persist(), []);
}

#[test]
fn a_lost_slot_gives_its_unit_back_and_takes_units_again() {
    let (mut leader, attempt) = after(0);
    let commands = leader.tell(Event::SlotLost(slot(1, 0)));
    assert_eq!(commands, [append(3, 0, [failed(attempt, Failure::TrainerLost)])]);
    assert_eq!(leader.persist(), [begin(slot(1, 0), train(0, 1, 0), fence(1, 2))]);
    assert_eq!(leader.tell(Event::SlotLost(slot(2, 0))), [], "it was idle");
}

#[test]
fn a_unit_goes_on_although_the_node_it_came_from_is_lost() {
    let (mut leader, attempt) = after(1);
    assert_eq!(attempt.slot, slot(2, 0));
    assert_eq!(leader.tell(left(1, 1)), []);
    assert_eq!(appended(&leader.finish(attempt, 0.5)).len(), 1);
}

#[test]
fn a_lost_node_costs_only_the_unit_in_flight_if_the_checkpoint_before_it_lives() {
    let (mut leader, attempt) = after(1);
    let commands = leader.tell(left(2, 1));
    assert_eq!(commands, [append(4, 0, [failed(attempt, Failure::TrainerLost)])]);
    assert_eq!(leader.persist(), [], "nobody else has partition 1");
    let again = closing(go_on(slot(2, 0), train(0, 1, 1), fence(1, 3), state(0, 1, 1), 1));
    assert_eq!(leader.tell(joined(2, 2, offer(1, [1]))), [again]);
}

#[test]
fn a_trial_rolls_back_to_the_checkpoint_on_a_living_node_in_the_middle_of_an_epoch() {
    let (mut leader, validation) = after(2);
    assert_eq!(validation.slot, slot(2, 0), "validated where it is");
    let commands = leader.tell(left(2, 1));
    let lost = failed(validation, Failure::TrainerLost);
    assert_eq!(commands, [append(5, 0, [lost, rolled_back(0, 1, 1)])]);
    assert_eq!(leader.persist(), [], "partition 1 is gone with the node");
    let again = closing(go_on(slot(2, 0), train(0, 1, 1), fence(1, 4), state(0, 1, 1), 1));
    assert_eq!(leader.tell(joined(2, 2, offer(1, [1]))), [again]);
}

#[test]
fn a_trial_rolls_back_to_the_boundary_of_its_epoch() {
    let (mut leader, attempt) = after(4);
    assert_eq!((attempt.slot, attempt.unit), (slot(2, 0), train(0, 2, 1)));
    leader.tell(Event::SlotLost(slot(2, 0)));
    let records = appended(&leader.tell(left(1, 1)));
    assert_eq!(records, [rolled_back(0, 2, 0)], "the state after epoch 1 is on node 2");
}

#[test]
fn a_trial_rolls_back_over_the_boundary_into_the_epoch_before() {
    let (mut leader, attempt) = after(3);
    assert_eq!((attempt.slot, attempt.unit), (slot(1, 0), train(0, 2, 0)));
    leader.tell(Event::SlotLost(slot(1, 0)));
    let records = appended(&leader.tell(left(2, 1)));
    assert_eq!(records, [rolled_back(0, 1, 1)], "the state before the last partition");
    assert_eq!(leader.engine.study().trials[0].results, []);
}

#[test]
fn a_trial_without_a_living_checkpoint_starts_again() {
    let (mut leader, attempt) = after(1);
    assert_eq!(leader.tell(left(1, 1)), []);
    let records = appended(&leader.tell(left(2, 1)));
    assert_eq!(records, [failed(attempt, Failure::TrainerLost), rolled_back(0, 1, 0)]);
    leader.tell(joined(1, 2, offer(1, [0])));
    let again = begin(slot(1, 0), train(0, 1, 0), fence(1, 3));
    assert_eq!(leader.persist(), [again]);
}

#[test]
fn a_copy_on_another_node_saves_a_checkpoint() {
    let (mut leader, attempt) = after(1);
    let state = state(0, 1, 1);
    assert_eq!(leader.tell(Event::StateStored { node: NodeId(2), state }), []);
    leader.tell(Event::SlotLost(slot(2, 0)));
    let records = appended(&leader.tell(left(1, 1)));
    assert_eq!(records, [], "node 2 has a copy");
    let again = closing(go_on(slot(2, 0), attempt.unit, fence(1, 3), state, 2));
    assert_eq!(leader.persist(), [again]);
}

#[test]
fn copies_on_a_lost_node_are_lost() {
    let (mut leader, _) = after(1);
    let state = state(0, 1, 1);
    leader.tell(Event::StateStored { node: NodeId(2), state });
    leader.tell(left(2, 1));
    leader.tell(joined(2, 2, offer(1, [])));
    assert_eq!(appended(&leader.tell(left(1, 1))), [rolled_back(0, 1, 0)]);
}

#[test]
fn a_copy_on_an_unknown_node_or_of_an_unknown_state_is_no_copy() {
    let (mut leader, _) = after(1);
    leader.tell(Event::StateStored { node: NodeId(9), state: state(0, 1, 1) });
    leader.tell(Event::StateStored { node: NodeId(2), state: state(5, 5, 5) });
    let known: BTreeSet<NodeId> = leader.engine.copies.values().flatten().copied().collect();
    assert_eq!((leader.engine.copies.len(), known), (1, [NodeId(1)].into()), "only who made it");
}

#[test]
fn an_unusable_checkpoint_rolls_its_trial_back_to_the_one_before() {
    let (mut leader, validation) = after(2);
    let newest = state(0, 1, 2);
    let failure = Failure::StateUnusable { state: newest, detail: "bad hash".to_owned() };
    let commands = leader.tell(Event::UnitFailed(validation, failure.clone()));
    assert_eq!(commands, [append(5, 0, [failed(validation, failure), rolled_back(0, 1, 1)])]);
    let again = closing(go_on(slot(2, 0), train(0, 1, 1), fence(1, 4), state(0, 1, 1), 1));
    assert_eq!(leader.persist(), [again]);
}

#[test]
fn a_report_about_a_state_that_the_trial_does_not_have_costs_only_the_try() {
    // In the middle of an epoch, before its validation, and at the start of the next one.
    for (units, epoch, visited) in [(1, 1, 1), (2, 1, 2), (3, 2, 0)] {
        let (mut leader, attempt) = after(units);
        let failure = Failure::StateUnusable { state: state(9, 9, 9), detail: "gone".to_owned() };
        let records = appended(&leader.tell(Event::UnitFailed(attempt, failure.clone())));
        assert_eq!(records, [failed(attempt, failure), rolled_back(0, epoch, visited)]);
        let again = only(&leader.persist());
        assert_eq!((again.unit, again.input), (attempt.unit, attempt.input));
    }
}

#[test]
fn a_unit_that_takes_its_node_down_every_time_fails_its_trial() {
    // The checkpoint goes with the node: in between, the unit before it is done again.
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 2), [offer(1, [0, 1])]);
    let mut attempt = leader.advance(tries[0], 1, 0.5);
    for boot in 1..u64::from(LOSSES_MAX) {
        let records = appended(&leader.tell(left(1, boot)));
        assert_eq!(records, [failed(attempt, Failure::TrainerLost), rolled_back(0, 1, 0)]);
        let again = leader.settle(joined(1, boot + 1, offer(1, [0, 1])))[0];
        attempt = leader.advance(again, 1, 0.5);
        assert_eq!(attempt.unit, train(0, 1, 1));
    }
    let records = appended(&leader.tell(left(1, u64::from(LOSSES_MAX))));
    assert_eq!(records[1], ended(0, End::Failed(Failure::TrainerLost)));
}

#[test]
fn a_state_that_cannot_be_fetched_time_and_again_fails_its_trial() {
    let (mut leader, mut hop) = after(1);
    let unusable = Failure::StateUnusable { state: state(0, 1, 1), detail: "timed out".to_owned() };
    for _ in 1..LOSSES_MAX {
        let again = leader.settle(Event::UnitFailed(hop, unusable.clone()))[0];
        hop = leader.advance(again, 1, 0.5);
    }
    let records = appended(&leader.tell(Event::UnitFailed(hop, unusable.clone())));
    assert_eq!(records[1], ended(0, End::Failed(unusable)));
}

#[test]
fn a_damaged_partition_is_served_by_another_holder() {
    let second = Offer { partitions: [(PARTITION_0, 1)].into(), ..offer(1, []) };
    let nodes = [offer(1, [0]), second];
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 1), nodes);
    let damaged = Failure::DataUnusable("bad hash".to_owned());
    let commands = leader.tell(Event::UnitFailed(tries[0], damaged));
    assert_eq!(commands, [closing(begin(slot(2, 0), train(0, 1, 0), fence(1, 2)))]);
    assert!(!leader.engine.view().holds(NodeId(1), Step::Train(PARTITION_0)));
}

#[test]
fn a_silent_trainer_loses_its_unit_when_the_lease_is_over() {
    let (mut leader, attempt) = after(0);
    assert_eq!(leader.wait(LEASE_MILLIS_MAX).tell(Event::Ticked), []);
    let commands = leader.wait(1).tell(Event::Ticked);
    let lost = failed(attempt, Failure::TrainerLost);
    assert_eq!(commands, [append(3, LEASE_MILLIS_MAX + 1, [lost])]);
    let again = leader.persist();
    assert_eq!(again, [begin(slot(1, 0), train(0, 1, 0), fence(1, 2))]);
    assert_eq!(leader.finish(attempt, 0.5), [], "too late");
}

#[test]
fn a_trainer_that_speaks_keeps_its_unit() {
    let (mut leader, attempt) = after(0);
    for _ in 0..5 {
        leader.wait(LEASE_MILLIS_MAX);
        assert_eq!(leader.tell(Event::UnitRunning(attempt)), []);
        assert_eq!(leader.tell(Event::Ticked), []);
    }
    let other = Try { fence: fence(1, 7), ..attempt };
    leader.wait(LEASE_MILLIS_MAX + 1).tell(Event::UnitRunning(other));
    assert_eq!(appended(&leader.tell(Event::Ticked)).len(), 1, "that was another try");
}

#[test]
fn a_suspected_node_finishes_its_unit_and_gets_no_other_until_it_is_trusted() {
    let (mut leader, tries) = Leader::with_nodes(creation(2, 1, 1), [offer(1, [0])]);
    assert_eq!(leader.tell(Event::NodeSuspected(NodeId(1))), []);
    let commands = leader.finish(tries[0], 0.5);
    assert_eq!((appended(&commands).len(), started(&commands).len()), (1, 0));
    assert_eq!(leader.persist(), []);
    let next = closing(begin(slot(1, 0), train(1, 1, 0), fence(1, 2)));
    assert_eq!(leader.tell(Event::NodeTrusted(NodeId(1))), [next]);
}

#[test]
fn a_draining_node_finishes_its_unit_and_gets_no_other_even_if_it_is_trusted_again() {
    let (mut leader, tries) = Leader::with_nodes(creation(2, 1, 1), [offer(1, [0])]);
    assert_eq!(leader.tell(Event::NodeDraining(NodeId(1))), []);
    assert_eq!(leader.complete(tries[0], 0.5), []);
    leader.tell(Event::NodeSuspected(NodeId(1)));
    assert_eq!(leader.tell(Event::NodeTrusted(NodeId(1))), []);
    assert_eq!(leader.settle(left(1, 1)), []);
    assert_eq!(leader.settle(joined(1, 2, offer(1, [0]))).len(), 1);
}
