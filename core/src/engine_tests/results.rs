//! What comes back from trainers: results, failures, and reports that do not count.

use super::*;
use crate::spec::PolicyKind;

fn panicked() -> Failure {
    Failure::Panicked("index out of bounds".to_owned())
}

#[test]
fn a_finished_unit_frees_its_slot_at_once_while_its_trial_waits_for_the_journal() {
    let (mut leader, tries) = Leader::with_nodes(creation(2, 1, 2), [offer(1, [0, 1])]);
    assert_eq!(tries.len(), 1);
    let commands = leader.wait(100).finish(tries[0], 0.5);
    let committed = commit(tries[0], 0, output(state(0, 1, 1), 0.5));
    let other = begin(slot(1, 0), train(1, 1, 1), fence(1, 2));
    assert_eq!(commands, [other, append(4, 100, [committed])]);
    let since: Vec<_> = leader.engine.running_since().map(|(t, at)| (t.unit, at)).collect();
    assert_eq!(since, [(train(1, 1, 1), Moment(100))]);
    assert_eq!(leader.persist(), [], "the slot is taken");
}

#[test]
fn with_two_slots_the_trial_goes_on_when_its_result_is_durable() {
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 2), [offer(2, [0, 1])]);
    assert_eq!(started(&leader.finish(tries[0], 0.5)), []);
    let next = closing(go_on(slot(1, 0), train(0, 1, 1), fence(1, 2), state(0, 1, 1), 1));
    assert_eq!(leader.persist(), [next]);
}

#[test]
fn a_trial_hops_to_the_node_of_its_next_partition() {
    let nodes = [offer(1, [0]), offer(1, [1])];
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 2), nodes);
    assert_eq!(tries, [attempt(slot(1, 0), train(0, 1, 0), fence(1, 1), None)]);
    leader.finish(tries[0], 0.5);
    let hop = closing(go_on(slot(2, 0), train(0, 1, 1), fence(1, 2), state(0, 1, 1), 1));
    assert_eq!(leader.persist(), [hop]);
}

#[test]
fn reports_that_do_not_count_change_nothing() {
    let (mut leader, tries) = Leader::with_nodes(creation(2, 1, 2), [offer(2, [0, 1])]);
    let [first, second] = tries[..] else { panic!("expected two starts, got {tries:?}") };
    let result = leader.output_of(first, 0.5);
    let foreign = [
        Try { fence: fence(1, 9), ..first },
        Try { fence: fence(2, 1), ..first },
        Try { fence: second.fence, ..first },
        Try { slot: second.slot, ..first },
        Try { slot: slot(3, 0), ..first },
        Try { unit: train(0, 2, 0), ..first },
        Try { unit: train(9, 1, 0), ..first },
        Try { input: Some(state(0, 1, 1)), ..first },
    ];
    for report in foreign {
        assert_eq!(leader.tell(Event::UnitFinished(report, result.clone())), [], "{report:?}");
        assert_eq!(leader.tell(Event::UnitFailed(report, panicked())), [], "{report:?}");
        assert_eq!(leader.tell(Event::UnitRunning(report)), [], "{report:?}");
    }
    assert_eq!(leader.engine.running().copied().collect::<Vec<_>>(), tries);
    assert_eq!(appended(&leader.finish(first, 0.5)), [commit(first, 0, result)]);
}

#[test]
fn a_result_told_twice_counts_once() {
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 2), [offer(1, [0, 1])]);
    let result = leader.output_of(tries[0], 0.5);
    leader.tell(Event::UnitFinished(tries[0], result.clone()));
    let repeated = Event::UnitFinished(tries[0], result);
    assert_eq!(leader.tell(repeated.clone()), [], "before it is durable");
    assert_eq!(started(&leader.persist()).len(), 1);
    assert_eq!(leader.tell(repeated), [], "and after");
    assert_eq!(leader.tell(Event::UnitFailed(tries[0], panicked())), []);
}

#[test]
fn a_result_of_a_unit_that_was_taken_away_is_refused() {
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 1), [offer(1, [0])]);
    let result = leader.output_of(tries[0], 0.5);
    let again = leader.settle(Event::SlotLost(slot(1, 0)));
    assert_eq!(again, [Try { fence: fence(1, 2), ..tries[0] }]);
    assert_eq!(leader.tell(Event::UnitFinished(tries[0], result)), []);
}

#[test]
fn a_loss_that_is_no_number_fails_the_trial_and_the_study_goes_on() {
    for loss in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let (mut leader, tries) = Leader::with_nodes(creation(2, 1, 1), [offer(1, [0])]);
        let commands = leader.finish(tries[0], loss);
        let diverged = Failure::Diverged(format!("loss is {loss}"));
        let records = [failed(tries[0], diverged.clone()), ended(0, End::Failed(diverged))];
        let other = closing(begin(slot(1, 0), train(1, 1, 0), fence(1, 2)));
        assert_eq!(commands, [other, append(4, 0, records)]);
    }
}

#[test]
fn a_trial_that_the_model_refuses_is_not_tried_again() {
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 1), [offer(1, [0])]);
    let refused = Failure::Refused("width is 0, expected at least 1".to_owned());
    let commands = leader.tell(Event::UnitFailed(tries[0], refused.clone()));
    let over = Record::StudyEnded { cause: Conclusion::TrialsSpent };
    let records = [failed(tries[0], refused.clone()), ended(0, End::Failed(refused)), over];
    assert_eq!(commands, [append(3, 0, records)]);
}

#[test]
fn a_validation_without_the_objective_fails_the_trial() {
    let mut creation = creation(1, 1, 1);
    creation.spec.objective.metric = "accuracy".to_owned();
    let (mut leader, tries) = Leader::with_nodes(creation, [offer(1, [0])]);
    let validation = leader.complete(tries[0], 0.5)[0];
    let records = appended(&leader.finish(validation, 0.5));
    let refused = Failure::Refused("no metric named accuracy was reported".to_owned());
    assert_eq!(records[..2], [failed(validation, refused.clone()), ended(0, End::Failed(refused))]);
}

#[test]
fn the_third_panic_in_a_row_fails_the_trial() {
    let (mut leader, mut tries) = Leader::with_nodes(creation(1, 1, 1), [offer(1, [0])]);
    for _ in 1..PANICS_MAX {
        let panicking = tries[0];
        assert_eq!(
            appended(&leader.tell(Event::UnitFailed(panicking, panicked()))),
            [failed(panicking, panicked())]
        );
        tries = started(&leader.persist());
        assert_eq!(tries.len(), 1, "it is tried again");
    }
    let records = appended(&leader.tell(Event::UnitFailed(tries[0], panicked())));
    assert_eq!(records[1], ended(0, End::Failed(panicked())));
}

#[test]
fn panics_are_in_a_row_only_without_a_result_in_between() {
    let (mut leader, mut tries) = Leader::with_nodes(creation(1, 2, 2), [offer(1, [0, 1])]);
    for _ in 0..4 {
        for _ in 1..PANICS_MAX {
            tries = leader.settle(Event::UnitFailed(tries[0], panicked()));
        }
        tries = leader.complete(tries[0], 0.5);
    }
    assert_eq!(leader.engine.study().trials[0].end, None);
}

#[test]
fn a_lost_trainer_is_not_a_panic_of_the_model() {
    let (mut leader, mut tries) = Leader::with_nodes(creation(1, 1, 1), [offer(1, [0])]);
    for _ in 0..PANICS_MAX {
        tries = leader.settle(Event::SlotLost(slot(1, 0)));
    }
    tries = leader.settle(Event::UnitFailed(tries[0], panicked()));
    assert_eq!(leader.engine.study().trials[0].end, None);
    assert_eq!(tries.len(), 1);
}

#[test]
fn a_unit_that_kills_its_trainer_every_time_fails_its_trial() {
    let (mut leader, mut tries) = Leader::with_nodes(creation(1, 1, 1), [offer(1, [0])]);
    for _ in 1..LOSSES_MAX {
        tries = leader.settle(Event::SlotLost(slot(1, 0)));
        assert_eq!(tries.len(), 1);
    }
    let records = appended(&leader.tell(Event::SlotLost(slot(1, 0))));
    let over = Record::StudyEnded { cause: Conclusion::TrialsSpent };
    let lost = Failure::TrainerLost;
    assert_eq!(records, [failed(tries[0], lost.clone()), ended(0, End::Failed(lost)), over]);
}

#[test]
fn the_policy_is_asked_at_the_boundary_and_its_answer_is_recorded_with_the_result() {
    let mut creation = creation(2, 2, 1);
    creation.spec.search.policy = PolicyKind::Asha { min_epochs: 1, eta: 2 };
    creation.spec.search.concurrency = Some(1);
    let (mut leader, tries) = Leader::with_nodes(creation, [offer(1, [0])]);
    let validation = leader.advance(tries[0], 1, 0.5);
    let records = appended(&leader.finish(validation, 0.25));
    let result = commit(validation, 0, output(state(0, 1, 1), 0.25));
    assert_eq!(records, [result, decided(0, 1, Decision::Continue)]);

    let second_epoch = only(&leader.persist());
    assert_eq!(second_epoch.unit, train(0, 2, 0));
    let first_of_next = leader.advance(second_epoch, 2, 0.25);
    let validation = leader.advance(first_of_next, 1, 0.5);
    let records = appended(&leader.finish(validation, 0.75));
    let result = commit(validation, 0, output(state(1, 1, 1), 0.75));
    let over = Record::StudyEnded { cause: Conclusion::TrialsSpent };
    assert_eq!(records, [result, decided(1, 1, Decision::Stop), ended(1, End::Stopped), over]);
}

#[test]
fn the_policy_is_asked_once_about_an_epoch_that_is_validated_twice() {
    let mut creation = creation(2, 3, 1);
    creation.spec.search.policy = PolicyKind::Asha { min_epochs: 1, eta: 2 };
    let (mut leader, tries) = Leader::with_nodes(creation, [offer(2, [0])]);
    let [mut poor, mut good] = tries[..] else { panic!("expected two starts, got {tries:?}") };
    for _ in 0..2 {
        poor = leader.complete(poor, 0.9)[0];
    }
    for _ in 0..2 {
        good = leader.complete(good, 0.1)[0];
    }
    assert_eq!((poor.unit, good.unit), (train(0, 2, 0), train(1, 2, 0)));

    // Its only checkpoint turns out to be damaged: the poor trial does its first epoch again.
    let state = poor.input.expect("an epoch lies behind it");
    let damaged = Failure::StateUnusable { state, detail: "bad hash".to_owned() };
    let mut again = leader.settle(Event::UnitFailed(poor, damaged))[0];
    assert_eq!((again.unit, again.input), (train(0, 1, 0), None));
    again = leader.complete(again, 0.9)[0];
    let records = appended(&leader.finish(again, 0.9));
    assert_eq!(records[1..], [decided(0, 1, Decision::Continue)], "as it was decided before");
}
