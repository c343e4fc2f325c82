//! What a study is after a journal: progress, results, ranking, running time.
//! Contradictions and roll-backs have files of their own.

#[path = "study_tests/contradictions.rs"]
mod contradictions;
#[path = "study_tests/roll_back.rs"]
mod roll_back;

use super::*;
use crate::ids::PartitionId;
use crate::journal::End;
use crate::spec::Direction;
use crate::testing::{
    committed, creation, decided, ended, epoch_of, journal, proposed, state, study, term_began,
    train, validation,
};
use crate::trial::Checkpoint;

fn at(millis: u64, record: Record) -> Entry {
    Entry { at: Moment(millis), record }
}

#[test]
fn a_hand_made_journal_gives_the_study_it_tells_of() {
    let records = vec![
        term_began(3),
        proposed(0),
        proposed(1),
        committed(train(1, 1, 1), state(1, 1, 1), 0.75),
        committed(train(1, 1, 0), state(1, 1, 2), 0.25),
        committed(validation(1, 1), state(1, 1, 2), 0.5),
        decided(1, 1, Decision::Continue),
        committed(train(1, 2, 1), state(1, 2, 1), 0.4),
    ];
    let study = study(creation(2, 3, 2), records);
    assert_eq!((study.term, study.commits, study.numerics.len()), (Term(3), 4, 1));
    assert_eq!(study.trial(TrialId(0)), Some(&Trial::new(TrialId(0), Default::default())));

    let trial = study.trial(TrialId(1)).unwrap();
    assert_eq!((trial.epoch, trial.decided, trial.undecided), (Epoch(2), Epoch(1), false));
    assert_eq!(trial.visited, [PartitionId(1)]);
    assert_eq!(trial.visited_before(), [PartitionId(1), PartitionId(0)]);
    assert_eq!(trial.last_state, Some(state(1, 2, 1)));
    let node = crate::ids::NodeId(1);
    let checkpoint = |epoch, visited| Checkpoint {
        state: state(1, epoch, visited),
        bytes: 5,
        epoch: Epoch(epoch),
        visited,
        node,
    };
    assert_eq!(trial.checkpoints, [checkpoint(1, 1), checkpoint(1, 2), checkpoint(2, 1)]);
    assert_eq!(trial.results.len(), 1);
    assert_eq!(trial.results[0].metrics["loss"], 0.5);
    assert_eq!(trial.results[0].metrics["train_loss"], 0.5, "the mean of 0.75 and 0.25");
    let best = Best { epoch: Epoch(1), value: 0.5, state: state(1, 1, 2) };
    assert_eq!(study.best(), Some((TrialId(1), best)));
}

#[test]
fn the_training_loss_of_an_epoch_weighs_partitions_by_their_rows() {
    let sized = |partition: u32, loss: f64, rows: f64| {
        let mut record = committed(train(0, 1, partition), state(0, 1, partition + 1), loss);
        if let Record::UnitCommitted(commit) = &mut record {
            commit.output.metrics.insert("rows".to_owned(), rows);
        }
        record
    };
    let records = vec![proposed(0), sized(0, 1.0, 30.0), sized(1, 2.0, 10.0)];
    let study = study(creation(1, 1, 2), records);
    assert_eq!(study.trials[0].training_loss(), Some(1.25));
}

#[test]
fn a_live_trial_needs_its_last_two_checkpoints_and_the_state_its_epoch_began_with() {
    let kept = |records: usize| {
        let path = epochs(0, 2, 4, 0.5);
        let records = std::iter::once(proposed(0)).chain(path.into_iter().take(records));
        let study = study(creation(1, 3, 4), records.collect());
        let progress = |c: &Checkpoint| (c.epoch.0, c.visited);
        study.trials[0].needed().map(progress).collect::<Vec<_>>()
    };
    assert_eq!(kept(1), [(1, 1)]);
    assert_eq!(kept(4), [(1, 3), (1, 4)]);
    assert_eq!(kept(6), [(1, 3), (1, 4)], "validation and decision change nothing");
    assert_eq!(kept(7), [(1, 4), (2, 1)]);
    assert_eq!(kept(8), [(1, 4), (2, 1), (2, 2)]);
    assert_eq!(kept(10), [(1, 4), (2, 3), (2, 4)]);
}

#[test]
fn a_live_trial_remembers_what_it_could_go_on_from() {
    let remembered = |partitions: u32, done: usize| {
        let path = epochs(0, 6, partitions, 0.5);
        let records = std::iter::once(proposed(0)).chain(path.into_iter().take(done));
        let study = study(creation(1, 6, partitions), records.collect());
        let progress = |c: &Checkpoint| (c.epoch.0, c.visited);
        study.trials[0].checkpoints.iter().map(progress).collect::<Vec<_>>()
    };
    assert_eq!(remembered(4, 6), [(1, 1), (1, 2), (1, 3), (1, 4)]);
    assert_eq!(remembered(4, 13), [(1, 4), (2, 1), (2, 2), (2, 3), (2, 4), (3, 1)]);
    assert_eq!(remembered(9, 9).len(), 8, "the newest eight");
    assert_eq!(remembered(9, 20)[0], (1, 9), "and the state that the epoch began with");
    assert_eq!(remembered(1, 13), [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]);
}

#[test]
fn a_numerics_class_is_noted_when_it_changes() {
    let began =
        |term, class: &[u8]| Record::TermBegan { term: Term(term), numerics: Digest::of(class) };
    let records = vec![began(1, b"a"), began(2, b"a"), began(5, b"b"), began(6, b"a")];
    let study = study(creation(1, 1, 1), records);
    assert_eq!(study.numerics, [b"a", b"b", b"a"].map(|class| Digest::of(class)));
}

/// Trials of one epoch and one partition with these objectives; `None` for a trial without one.
fn ranked(direction: Direction, objectives: &[Option<f64>]) -> Study {
    let mut creation = creation(9, 2, 1);
    creation.spec.objective.direction = direction;
    let mut records: Vec<Record> = (0..objectives.len() as u32).map(proposed).collect();
    for (trial, objective) in (0..).zip(objectives) {
        records.extend(objective.iter().flat_map(|loss| epoch_of(trial, 1, 1, *loss)));
    }
    study(creation, records)
}

fn order(study: &Study) -> Vec<u32> {
    study.ranking().iter().map(|trial| trial.id.0).collect()
}

#[test]
fn the_ranking_follows_the_direction_and_puts_trials_without_results_last() {
    let objectives = [None, Some(0.5), Some(0.9), None, Some(0.5), Some(-1.0)];
    let least = ranked(Direction::Minimize, &objectives);
    assert_eq!(order(&least), [5, 1, 4, 2, 0, 3]);
    assert_eq!(least.best().map(|(trial, best)| (trial.0, best.value)), Some((5, -1.0)));
    let most = ranked(Direction::Maximize, &objectives);
    assert_eq!(order(&most), [2, 1, 4, 5, 0, 3]);
    assert_eq!(most.best().map(|(trial, best)| (trial.0, best.value)), Some((2, 0.9)));
}

#[test]
fn of_equal_trials_the_lower_number_is_best_whichever_came_first() {
    let mut records = vec![proposed(0), proposed(1)];
    records.extend(epoch_of(1, 1, 1, 0.5));
    records.extend(epoch_of(0, 1, 1, 0.5));
    let study = study(creation(2, 2, 1), records);
    assert_eq!(study.best().map(|(trial, _)| trial), Some(TrialId(0)));
    assert_eq!(order(&study), [0, 1]);
}

#[test]
fn a_trial_counts_with_its_best_epoch_and_of_equal_ones_with_the_earlier() {
    let mut records = vec![proposed(0)];
    for (epoch, loss) in [(1, 0.5), (2, 0.25), (3, 0.25), (4, 0.75)] {
        records.extend(epoch_of(0, epoch, 1, loss));
    }
    let study = study(creation(1, 9, 1), records);
    let best = Best { epoch: Epoch(2), value: 0.25, state: state(0, 2, 1) };
    assert_eq!(study.best(), Some((TrialId(0), best)));
}

#[test]
fn a_study_without_results_has_no_best_and_ranks_by_number() {
    let study = ranked(Direction::Minimize, &[None, None, None]);
    assert_eq!(study.best(), None);
    assert_eq!(order(&study), [0, 1, 2]);
}

#[test]
fn the_best_trial_stays_the_best_when_it_ends_or_fails() {
    let mut records = vec![proposed(0)];
    records.extend(epoch_of(0, 1, 1, 0.5));
    let failure = crate::unit::Failure::Diverged("loss is NaN".to_owned());
    records.push(ended(0, End::Failed(failure)));
    let study = study(creation(1, 2, 1), records);
    assert_eq!(study.best().map(|(trial, _)| trial), Some(TrialId(0)));
    assert_eq!(study.active().count(), 0);
}

#[test]
fn running_time_excludes_pauses_and_the_gaps_between_terms() {
    let mut study = Study::new(creation(3, 1, 1));
    let mut tell = |millis, record| {
        study.apply(&at(millis, record)).unwrap();
        (study.active_millis, study.active_millis_at(Moment(millis + 7)))
    };
    assert_eq!(tell(1_000, term_began(1)), (0, 7));
    assert_eq!(tell(1_250, proposed(0)), (250, 257));
    let cause = Pause::Requested;
    assert_eq!(tell(1_300, Record::StudyPaused { cause }), (300, 300), "the pause stops the clock");
    assert_eq!(
        tell(5_000, term_began(2)),
        (300, 300),
        "a leader of a paused study does not start it"
    );
    assert_eq!(tell(9_000, Record::StudyResumed), (300, 307));
    assert_eq!(tell(9_010, proposed(1)), (310, 317));
    assert_eq!(tell(70_000, term_began(3)), (310, 317), "nobody led in between");
    assert_eq!(tell(70_005, proposed(2)), (315, 322));
    assert_eq!(
        tell(70_001, ended(2, End::Completed)),
        (315, 322),
        "a step back takes nothing away"
    );
    let cause = Conclusion::TrialsSpent;
    assert_eq!(tell(70_101, Record::StudyEnded { cause }), (415, 415));
    assert_eq!(tell(99_000, term_began(4)), (415, 415));
}

#[test]
fn a_leader_with_an_absurd_clock_cannot_overflow_the_running_time() {
    let mut study = Study::new(creation(9, 1, 1));
    for trial in 0..6 {
        let millis = if trial % 2 == 0 { 0 } else { u64::MAX };
        study.apply(&at(millis, proposed(trial))).unwrap();
    }
    assert_eq!(study.active_millis_at(Moment(u64::MAX)), u64::MAX);
}

/// The records of the first epochs of a trial.
fn epochs(trial: u32, epochs: u32, partitions: u32, loss: f64) -> Vec<Record> {
    (1..=epochs).flat_map(|epoch| epoch_of(trial, epoch, partitions, loss)).collect()
}
