//! Each way in which a record can contradict those before it, and that it then changes nothing.

use super::*;
use crate::journal::Manifest;
use crate::testing::{fence, rolled_back, slot};
use crate::unit::Failure;
use proptest::prelude::*;

/// The refusal of `record` after `records`; the study must be left as it was.
fn refusal(records: Vec<Record>, record: Record) -> Contradiction {
    let mut study = study(creation(3, 3, 2), records);
    let before = study.clone();
    let contradiction = study.apply(&at(999, record)).unwrap_err();
    assert_eq!(study, before, "{contradiction}");
    contradiction
}

fn why(contradiction: Contradiction) -> String {
    match contradiction {
        Contradiction::Progress { why, .. } => why,
        other => other.to_string(),
    }
}

fn failed(trial: u32) -> Record {
    let (unit, fence, slot) = (train(trial, 1, 0), fence(1, 1), slot(1, 0));
    Record::UnitFailed { unit, fence, slot, failure: Failure::TrainerLost }
}

#[test]
fn a_journal_begins_with_the_creation_and_has_no_other() {
    assert_eq!(Study::replay(&[]), Err((0, Contradiction::Creation)));
    assert_eq!(Study::replay(&[at(0, proposed(0))]), Err((0, Contradiction::Creation)));
    let created = Record::StudyCreated(Box::new(creation(1, 1, 1)));
    let twice = journal(creation(1, 1, 1), vec![proposed(0), created]);
    assert_eq!(Study::replay(&twice), Err((2, Contradiction::Creation)));
}

#[test]
fn terms_rise() {
    for found in [2, 3] {
        let (current, found) = (Term(3), Term(found));
        let contradiction = refusal(vec![term_began(3)], term_began(found.0));
        assert_eq!(contradiction, Contradiction::Term { current, found });
    }
}

#[test]
fn trials_are_numbered_without_gaps() {
    for number in [0, 2] {
        let (expected, found) = (TrialId(1), TrialId(number));
        let contradiction = refusal(vec![proposed(0)], proposed(number));
        assert_eq!(contradiction, Contradiction::Numbering { expected, found });
    }
}

#[test]
fn nothing_happens_to_a_trial_that_does_not_exist() {
    let records = [
        committed(train(1, 1, 0), state(1, 1, 1), 0.5),
        decided(1, 1, Decision::Continue),
        rolled_back(1, 1, 0),
        ended(1, End::Completed),
        failed(1),
    ];
    for record in records {
        let contradiction = refusal(vec![proposed(0)], record);
        assert_eq!(contradiction, Contradiction::UnknownTrial(TrialId(1)));
    }
}

#[test]
fn nothing_happens_to_a_trial_that_has_ended() {
    let mut path = vec![proposed(0)];
    path.extend(epoch_of(0, 1, 2, 0.5).into_iter().take(3));
    path.push(ended(0, End::Completed));
    let records = [
        committed(train(0, 1, 0), state(0, 1, 1), 0.5),
        rolled_back(0, 1, 0),
        ended(0, End::Stopped),
        failed(0),
    ];
    for record in records {
        assert_eq!(why(refusal(path.clone(), record)), "the trial has ended");
    }
    let overdue = refusal(path, decided(0, 1, Decision::Stop));
    assert_eq!(why(overdue), "the trial is in epoch 1 and waits for no decision");
}

#[test]
fn a_unit_is_committed_once_in_its_epoch_and_in_its_turn() {
    let begun = vec![proposed(0), committed(train(0, 1, 0), state(0, 1, 1), 0.5)];
    let refused = |unit| why(refusal(begun.clone(), committed(unit, state(0, 9, 9), 0.5)));
    assert_eq!(refused(train(0, 1, 0)), "it is committed already");
    assert_eq!(refused(train(0, 2, 1)), "the trial is in epoch 1");
    assert_eq!(refused(train(0, 1, 2)), "there are only 2 partitions");
    assert_eq!(refused(validation(0, 1)), "only 1 of 2 partitions are visited");
}

#[test]
fn a_validated_epoch_waits_for_its_decision_and_gets_only_one() {
    let mut path = vec![proposed(0)];
    path.extend(epoch_of(0, 1, 2, 0.5));
    let undecided = path[..path.len() - 1].to_vec();
    let again = committed(validation(0, 1), state(0, 1, 2), 0.5);
    assert_eq!(why(refusal(undecided.clone(), again)), "epoch 1 waits for a decision");
    let early = why(refusal(undecided, decided(0, 2, Decision::Continue)));
    assert_eq!(early, "the trial is in epoch 1 and waits for no decision");
    let twice = why(refusal(path, decided(0, 1, Decision::Continue)));
    assert_eq!(twice, "the trial is in epoch 2 and waits for no decision");
}

#[test]
fn after_the_end_only_leaders_come_and_go() {
    let over = vec![proposed(0), Record::StudyEnded { cause: Conclusion::TrialsSpent }];
    let records = [proposed(1), Record::StudyResumed, ended(0, End::Completed), failed(0)];
    for record in records {
        assert_eq!(refusal(over.clone(), record), Contradiction::Ended);
    }
    let mut study = study(creation(3, 3, 2), over);
    assert_eq!(study.apply(&at(9, term_began(1))), Ok(()));
}

/// One step of a random journal: mostly the record that would come next, else any.
#[derive(Debug, Clone)]
enum Move {
    Next(u32),
    Any(Record),
}

fn any_record() -> impl Strategy<Value = Record> {
    let (trial, epoch, small) = (0u32..4, 0u32..4, 0u32..4);
    let manifest = Manifest { partitions: vec![], ..creation(1, 1, 1).manifest };
    let created = Box::new(Creation { manifest, ..creation(1, 1, 1) });
    let unit = (trial.clone(), epoch.clone(), prop::option::of(small.clone())).prop_map(
        |(trial, epoch, partition)| match partition {
            Some(partition) => train(trial, epoch, partition),
            None => validation(trial, epoch),
        },
    );
    let place =
        (trial.clone(), prop_oneof![epoch, Just(u32::MAX)], prop_oneof![small, Just(u32::MAX)]);
    let pause = Pause::DataLost("partition 0".to_owned());
    prop_oneof![
        1 => Just(Record::StudyCreated(created)),
        1 => (0u64..5).prop_map(term_began),
        2 => trial.clone().prop_map(proposed),
        4 => (unit, 0u32..3).prop_map(|(u, s)| committed(u, state(u.trial.0, u.epoch.0, s), 0.5)),
        2 => place.clone().prop_map(|(t, e, _)| decided(t, e, Decision::Continue)),
        2 => place.clone().prop_map(|(t, e, _)| decided(t, e, Decision::Stop)),
        6 => place.prop_map(|(t, e, v)| rolled_back(t, e, v)),
        1 => trial.clone().prop_map(|trial| ended(trial, End::Stopped)),
        2 => trial.prop_map(failed),
        1 => Just(Record::StudyPaused { cause: pause }),
        1 => Just(Record::StudyResumed),
    ]
}

/// What would come next for a trial in rotation.
fn next(study: &Study, id: u32) -> Record {
    let Some(trial) = study.trial(TrialId(id)) else { return proposed(study.trials.len() as u32) };
    let (epoch, visited) = (trial.epoch.0, trial.visited.len() as u32);
    if trial.undecided {
        return decided(id, epoch, Decision::Continue);
    }
    let unvisited = |p: &u32| !trial.visited.contains(&PartitionId(*p));
    match (0..study.partitions()).find(unvisited) {
        Some(partition) => {
            committed(train(id, epoch, partition), state(id, epoch, visited + 1), 0.5)
        }
        None => committed(validation(id, epoch), state(id, epoch, visited), 0.5),
    }
}

/// Applies `record` to a copy as well: a refusal leaves no trace, acceptance is repeatable.
fn apply_checked(study: &mut Study, entry: &Entry) -> Result<bool, TestCaseError> {
    let mut copy = study.clone();
    let outcome = copy.apply(entry);
    if outcome.is_err() {
        prop_assert_eq!(&copy, &*study);
    }
    prop_assert_eq!(study.apply(entry), outcome.clone());
    prop_assert_eq!(&copy, &*study);
    for trial in &study.trials {
        let newest = trial.newest().map(|checkpoint| checkpoint.state);
        prop_assert_eq!(trial.last_state, newest);
        prop_assert!(trial.visited.len() <= study.partitions() as usize);
    }
    Ok(outcome.is_ok())
}

proptest! {
    #[test]
    fn no_sequence_of_records_panics_and_a_refused_one_changes_nothing(
        partitions in 0u32..4,
        moves in prop::collection::vec(
            (
                prop_oneof![
                    3 => (0u32..3).prop_map(Move::Next),
                    1 => any_record().prop_map(Move::Any),
                ],
                prop_oneof![0u64..100, any::<u64>()],
            ),
            1..80,
        ),
    ) {
        let mut study = Study::new(creation(3, 3, partitions));
        for (step, millis) in moves {
            let record = match step {
                Move::Next(trial) => next(&study, trial),
                Move::Any(record) => record,
            };
            apply_checked(&mut study, &at(millis, record))?;
        }
    }

    #[test]
    fn a_shuffled_journal_is_refused_or_sound_record_by_record(
        records in Just([vec![proposed(0), proposed(1)], epochs(0, 2, 2, 0.5), epochs(1, 2, 2, 0.25)].concat())
            .prop_shuffle(),
    ) {
        let mut study = Study::new(creation(2, 3, 2));
        let mut accepted = 0;
        for (record, millis) in records.into_iter().zip(0..) {
            accepted += usize::from(apply_checked(&mut study, &at(millis, record))?);
        }
        prop_assert!(accepted >= 1, "one of the two proposals comes before the other");
    }
}
