//! Changes of leader: what a successor takes over, and what it refuses.

use super::*;
use crate::spec::PolicyKind;

/// One trial over two partitions on one node of one slot: its first try, under way, and a
/// successor that has heard of the node. Nothing that the successor wrote is durable.
fn succeeded() -> (Try, Leader) {
    let (leader, tries) = Leader::with_nodes(creation(1, 1, 2), [offer(1, [0, 1])]);
    let (mut second, commands) = leader.successor();
    assert_eq!(commands, [append(3, 0, [term_began(2)])]);
    assert_eq!(second.tell(joined(1, 1, offer(1, [0, 1]))), []);
    (tries[0], second)
}

/// The same try under the successor.
fn restarted(attempt: Try) -> Try {
    Try { fence: fence(2, 1), ..attempt }
}

#[test]
fn a_successor_starts_nothing_before_its_term_is_durable() {
    let (attempt, mut second) = succeeded();
    assert_eq!(second.tell(Event::Ticked), []);
    assert_eq!(started(&second.persist()), [restarted(attempt)]);
}

#[test]
fn a_successor_adopts_what_an_earlier_leader_started() {
    let (running, mut second) = succeeded();
    assert_eq!(second.tell(Event::UnitRunning(running)), []);
    assert_eq!(second.persist(), [], "it is not started again");
    assert_eq!(second.engine.running().copied().collect::<Vec<_>>(), [running]);

    let result = second.output_of(running, 0.5);
    let commands = second.wait(70).tell(Event::UnitFinished(running, result.clone()));
    assert_eq!(commands, [append(4, 70, [commit(running, 0, result)])]);
    let next = closing(go_on(slot(1, 0), train(0, 1, 1), fence(2, 1), state(0, 1, 1), 1));
    assert_eq!(second.persist(), [next]);
}

#[test]
fn an_adopted_unit_has_a_lease_like_any_other() {
    let (running, mut second) = succeeded();
    second.tell(Event::UnitRunning(running));
    let records = appended(&second.wait(LEASE_MILLIS_MAX + 1).tell(Event::Ticked));
    assert_eq!(records, [failed(running, Failure::TrainerLost)]);
}

#[test]
fn a_result_of_the_earlier_term_counts_although_nobody_spoke_of_the_unit() {
    let (running, mut second) = succeeded();
    let result = second.output_of(running, 0.5);
    let commands = second.wait(70).tell(Event::UnitFinished(running, result.clone()));
    assert_eq!(commands, [append(4, 70, [commit(running, 70, result)])]);
}

#[test]
fn a_result_of_the_earlier_term_is_refused_when_the_unit_was_started_again() {
    let (earlier, mut second) = succeeded();
    let again = only(&second.persist());
    let result = second.output_of(earlier, 0.5);
    assert_eq!(second.tell(Event::UnitRunning(earlier)), []);
    assert_eq!(second.tell(Event::UnitFinished(earlier, result.clone())), []);
    assert_eq!(appended(&second.finish(again, 0.5)), [commit(again, 0, result.clone())]);
    assert_eq!(second.tell(Event::UnitFinished(earlier, result)), [], "committed already");
}

#[test]
fn what_does_not_fit_the_trial_is_not_inherited() {
    let (earlier, mut second) = succeeded();
    let result = second.output_of(earlier, 0.5);
    let misfits = [
        Try { fence: fence(3, 1), ..earlier },
        Try { fence: fence(2, 1), ..earlier },
        Try { unit: train(0, 2, 0), ..earlier },
        Try { unit: train(0, 1, 2), ..earlier },
        Try { unit: validation(0, 1), ..earlier },
        Try { unit: train(1, 1, 0), ..earlier },
        Try { input: Some(state(0, 1, 1)), ..earlier },
        Try { slot: slot(2, 0), ..earlier },
    ];
    for misfit in misfits {
        assert_eq!(second.tell(Event::UnitRunning(misfit)), []);
        assert_eq!(second.tell(Event::UnitFinished(misfit, result.clone())), [], "{misfit:?}");
        assert_eq!(second.tell(Event::UnitFailed(misfit, Failure::TrainerLost)), []);
    }
    assert_eq!(second.engine.running().count(), 0);
}

#[test]
fn a_unit_on_a_slot_that_is_gone_is_not_adopted() {
    let (leader, tries) = Leader::with_nodes(creation(2, 1, 1), [offer(2, [0])]);
    assert_eq!(tries[1].slot, slot(1, 1));
    let (mut second, _) = leader.successor();
    second.tell(joined(1, 2, offer(1, [0])));
    second.tell(Event::UnitRunning(tries[1]));
    assert_eq!(second.engine.running().count(), 0);
}

#[test]
fn a_failure_under_an_earlier_leader_is_counted_once() {
    let (earlier, mut second) = succeeded();
    let panicked = Event::UnitFailed(earlier, Failure::Panicked("no".to_owned()));
    assert_eq!(appended(&second.tell(panicked.clone())).len(), 1);
    for _ in 0..PANICS_MAX {
        assert_eq!(second.tell(panicked.clone()), [], "told again");
    }
    let (mut third, _) = second.successor();
    third.tell(joined(1, 1, offer(1, [0, 1])));
    assert_eq!(third.tell(panicked), [], "told to the next leader");
}

#[test]
fn a_successor_decides_what_was_left_undecided() {
    let mut creation = creation(1, 2, 1);
    creation.spec.search.policy = PolicyKind::Asha { min_epochs: 1, eta: 2 };
    let (mut leader, tries) = Leader::with_nodes(creation, [offer(1, [0])]);
    let validation = leader.advance(tries[0], 1, 0.5);
    leader.finish(validation, 0.5);
    let decision = leader.journal.pop().map(|entry| entry.record);
    assert_eq!(decision, Some(decided(0, 1, Decision::Continue)));

    let (_, commands) = leader.successor();
    let records = [term_began(2), decided(0, 1, Decision::Continue)];
    assert_eq!(commands, [append(5, 0, records)]);
}

#[test]
fn a_successor_ends_a_trial_whose_last_epoch_was_left_undecided() {
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 1), [offer(1, [0])]);
    let validation = leader.advance(tries[0], 1, 0.5);
    leader.finish(validation, 0.5);
    leader.journal.truncate(5);
    let (mut second, commands) = leader.successor();
    assert_eq!(commands, [append(5, 0, [term_began(2), ended(0, End::Completed)])]);
    let over = Record::StudyEnded { cause: Conclusion::TrialsSpent };
    assert_eq!(second.persist(), [append(7, 0, [over])]);
    assert_eq!(second.persist(), [Command::Rest]);
}

#[test]
fn the_successor_of_an_ended_study_rests_when_its_term_is_durable() {
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 1), [offer(1, [0])]);
    let validation = leader.advance(tries[0], 1, 0.5);
    leader.complete(validation, 0.5);
    let (mut second, commands) = leader.successor();
    assert_eq!(commands, [append(7, 0, [term_began(2)])]);
    assert_eq!(second.tell(joined(1, 1, offer(1, [0]))), []);
    assert_eq!(second.persist(), [Command::Rest]);
}

#[test]
fn a_successor_keeps_the_same_checkpoints_and_lets_go_of_the_same_ones() {
    let (mut leader, tries) = Leader::with_nodes(creation(2, 3, 2), [offer(2, [0, 1])]);
    let mut tries = tries;
    for loss in [0.5, 0.4, 0.3, 0.2, 0.6, 0.7, 0.8, 0.9] {
        tries = tries.into_iter().flat_map(|attempt| leader.complete(attempt, loss)).collect();
        let kept: Vec<Digest> = leader.engine.kept_states().collect();
        let (second, _) = leader.successor();
        let successors: Vec<Digest> = second.engine.kept_states().collect();
        assert!(kept.iter().all(|state| successors.contains(state)));
    }
}

#[test]
fn journals_of_many_leaders_replay_to_the_same_study() {
    let (mut leader, mut tries) = Leader::with_nodes(creation(2, 2, 2), [offer(1, [0, 1])]);
    let mut units = 0;
    while let Some(attempt) = tries.pop() {
        leader.complete(attempt, 0.5);
        units += 1;
        let (mut next, _) = leader.wait(10).successor();
        next.tell(joined(1, 1, offer(1, [0, 1])));
        tries = started(&next.persist());
        leader = next;
    }
    assert_eq!((units, leader.engine.study().term), (12, Term(13)));
    assert_eq!(leader.engine.study().phase, Phase::Ended(Conclusion::TrialsSpent));
}
