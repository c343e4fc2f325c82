//! Where a trial can be rolled back to, and that going on from there leads to the same trial.

use super::*;
use crate::testing::rolled_back;

const PARTITIONS: u32 = 3;

/// Records of an epoch: a visit of each partition, the validation, the decision.
const EPOCH_LEN: usize = PARTITIONS as usize + 2;

/// A study of one trial after so many records of its undisturbed path.
fn after(records: usize) -> Study {
    let path = epochs(0, 3, PARTITIONS, 0.5).into_iter().take(records);
    study(creation(1, 9, PARTITIONS), std::iter::once(proposed(0)).chain(path).collect())
}

/// The places that the study accepts a roll-back to.
fn places(study: &Study) -> Vec<(u32, u32)> {
    let all = (0..6).flat_map(|epoch| (0..=PARTITIONS + 1).map(move |visited| (epoch, visited)));
    let accepts =
        |place: &(u32, u32)| study.clone().apply(&at(99, rolled_back(0, place.0, place.1))).is_ok();
    all.filter(accepts).collect()
}

#[test]
fn an_untrained_trial_can_only_begin() {
    assert_eq!(places(&after(0)), [(1, 0)]);
}

#[test]
fn in_the_middle_of_an_epoch_there_are_its_checkpoints_and_those_of_the_epoch_before() {
    assert_eq!(places(&after(2)), [(1, 0), (1, 1), (1, 2)]);
    let middle_of_second = EPOCH_LEN + 2;
    let boundary = [(1, 3), (2, 0)];
    assert_eq!(
        places(&after(middle_of_second)),
        [&[(1, 0), (1, 1), (1, 2)], &boundary[..], &[(2, 1), (2, 2)]].concat()
    );
}

#[test]
fn at_the_boundary_the_epoch_can_be_validated_again() {
    let visited = EPOCH_LEN - 2;
    for records in [visited, visited + 1] {
        assert_eq!(places(&after(records)), [(1, 0), (1, 1), (1, 2), (1, 3)], "{records}");
    }
    let decided = [(1, 0), (1, 1), (1, 2), (1, 3), (2, 0)];
    assert_eq!(places(&after(EPOCH_LEN)), decided);
}

#[test]
fn further_back_than_one_epoch_only_the_beginning_is_left() {
    let third = 2 * EPOCH_LEN;
    let before = [(1, 0), (2, 0), (2, 1), (2, 2), (2, 3), (3, 0)];
    assert_eq!(places(&after(third)), before);
    assert_eq!(places(&after(third + 1)), [&before[..], &[(3, 1)]].concat());
}

#[test]
fn a_refused_roll_back_says_what_is_missing() {
    let mut study = after(2 * EPOCH_LEN + 1);
    let refused = study.apply(&at(99, rolled_back(0, 1, 1))).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "roll-back of trial 0 to epoch 1 after 1 partitions does not fit: \
         no checkpoint of that progress is kept"
    );
}

#[test]
fn a_roll_back_forgets_what_came_after_the_place() {
    let mut study = after(EPOCH_LEN + 2);
    study.apply(&at(99, rolled_back(0, 1, 3))).unwrap();
    let trial = &study.trials[0];
    assert_eq!((trial.epoch, trial.visited.len(), trial.undecided), (Epoch(1), 3, false));
    assert_eq!(trial.results, []);
    assert_eq!(trial.last_state, Some(state(0, 1, 3)));
    assert_eq!(trial.decided, Epoch(1), "what the policy has said stays said");
    assert_eq!(trial.training_loss(), Some(0.5));
}

#[test]
fn the_best_epoch_survives_a_roll_back_to_the_beginning() {
    let mut study = after(2 * EPOCH_LEN);
    let best = study.best();
    assert!(best.is_some());
    study.apply(&at(99, rolled_back(0, 1, 0))).unwrap();
    assert_eq!(study.best(), best);
    assert_eq!((study.trials[0].newest(), study.trials[0].last_state), (None, None));
}

#[test]
fn from_every_place_at_every_time_the_same_path_leads_to_the_same_trial() {
    let path = epochs(0, 3, PARTITIONS, 0.5);
    let mut tried = 0;
    for progress in 0..=path.len() {
        let undisturbed = after(progress);
        for (epoch, visited) in places(&undisturbed) {
            let mut study = undisturbed.clone();
            study.apply(&at(99, rolled_back(0, epoch, visited))).unwrap();
            let done = (epoch as usize - 1) * EPOCH_LEN + visited as usize;
            for record in &path[done..progress.max(done)] {
                study.apply(&at(99, record.clone())).unwrap();
            }
            // Of the checkpoints before the place nothing is known any more.
            let known = &study.trials[0].checkpoints;
            assert!(known.iter().all(|c| undisturbed.trials[0].checkpoints.contains(c)));
            assert_eq!(known.last(), undisturbed.trials[0].checkpoints.last());
            study.trials[0].checkpoints = undisturbed.trials[0].checkpoints.clone();
            assert_eq!(study.trials, undisturbed.trials, "{progress} to {epoch}, {visited}");
            tried += 1;
        }
    }
    assert!(tried > 60, "only {tried} roll-backs were tried");
}

#[test]
fn a_trial_can_roll_back_twice_in_a_row() {
    let mut study = after(2 * EPOCH_LEN);
    study.apply(&at(98, rolled_back(0, 2, 2))).unwrap();
    assert_eq!(places(&study), [(1, 0), (2, 2)], "what epoch 2 began with may be gone");
    study.apply(&at(99, rolled_back(0, 1, 0))).unwrap();
    let trial = &study.trials[0];
    assert_eq!((trial.epoch, trial.visited.len()), (Epoch(1), 0));
    assert_eq!(trial.last_state, None);
}
