//! The policies against tables worked out by hand.

use super::*;
use crate::journal::{End, Record};
use crate::spec::{Direction, PolicyKind};
use crate::testing::{creation, ended, epoch_of, proposed, study};
use crate::unit::Failure;

const ASHA: PolicyKind = PolicyKind::Asha { min_epochs: 1, eta: 2 };
const MEDIAN: PolicyKind = PolicyKind::Median { grace_epochs: 1, min_trials: 1 };

/// A study of trials of one partition with these objectives, epoch by epoch.
fn table(direction: Direction, trials: &[&[f64]]) -> Study {
    let mut creation = creation(99, 99, 1);
    creation.spec.objective.direction = direction;
    let mut records: Vec<Record> = (0..trials.len() as u32).map(proposed).collect();
    for (trial, objectives) in (0..).zip(trials) {
        for (epoch, objective) in (1..).zip(*objectives) {
            records.extend(epoch_of(trial, epoch, 1, *objective));
        }
    }
    study(creation, records)
}

/// What the policy says of the last trial of the table after the last of its epochs.
fn verdict(kind: PolicyKind, direction: Direction, trials: &[&[f64]]) -> Decision {
    let study = table(direction, trials);
    let trial = study.trials.last().expect("a table has a trial");
    policy(kind).decide(&study, trial.id, Epoch(trial.results.len() as u32))
}

/// The verdicts on trials that reach one after the other the first epoch.
fn verdicts(kind: PolicyKind, direction: Direction, objectives: &[f64]) -> String {
    let rows: Vec<[f64; 1]> = objectives.iter().map(|objective| [*objective]).collect();
    let rows: Vec<&[f64]> = rows.iter().map(<[f64; 1]>::as_slice).collect();
    let upto = (1..=rows.len()).map(|len| verdict(kind, direction, &rows[..len]));
    upto.map(|decision| if decision == Decision::Continue { '+' } else { '-' }).collect()
}

#[test]
fn without_a_policy_every_trial_goes_on() {
    let worst = [0.1, 0.2, 0.9, 5.0, 9.0];
    assert_eq!(verdicts(PolicyKind::None, Direction::Minimize, &worst), "+++++");
}

#[test]
fn every_policy_lets_the_first_trial_go_on() {
    for kind in [PolicyKind::None, ASHA, MEDIAN] {
        for direction in [Direction::Minimize, Direction::Maximize] {
            assert_eq!(verdict(kind, direction, &[&[1e9]]), Decision::Continue, "{kind:?}");
            assert_eq!(verdict(kind, direction, &[&[-1e9]]), Decision::Continue, "{kind:?}");
        }
    }
}

#[test]
fn asha_lets_the_best_of_each_two_pass() {
    // n = 1: 1 place; 2: 1; 3: 1; 4: 2; 5: 2; 6: 3.
    let values = [0.5, 0.6, 0.4, 0.45, 0.44, 0.46];
    assert_eq!(verdicts(ASHA, Direction::Minimize, &values), "+-+++-");
    let mirrored = values.map(|value| -value);
    assert_eq!(verdicts(ASHA, Direction::Maximize, &mirrored), "+-+++-");
    assert_eq!(verdicts(ASHA, Direction::Maximize, &values), "++---+");
}

#[test]
fn asha_of_a_larger_eta_is_stricter() {
    let thirds = PolicyKind::Asha { min_epochs: 1, eta: 3 };
    // One place until six have come, then two.
    let values = [0.5, 0.4, 0.6, 0.45, 0.41, 0.405];
    assert_eq!(verdicts(thirds, Direction::Minimize, &values), "++---+");
}

#[test]
fn asha_lets_equals_share_a_place() {
    assert_eq!(verdicts(ASHA, Direction::Minimize, &[0.5, 0.5, 0.5]), "+++");
    assert_eq!(verdicts(ASHA, Direction::Minimize, &[0.4, 0.5, 0.5]), "+--");
}

#[test]
fn asha_compares_only_at_its_rungs() {
    let kind = PolicyKind::Asha { min_epochs: 2, eta: 3 };
    let good = [0.1; 20];
    let stops = |epochs: usize| {
        let bad = vec![0.9; epochs];
        verdict(kind, Direction::Minimize, &[&good, &bad]) == Decision::Stop
    };
    let rungs: Vec<usize> = (1..=20).filter(|epoch| stops(*epoch)).collect();
    assert_eq!(rungs, [2, 6, 18]);
}

#[test]
fn asha_compares_with_the_rung_and_not_with_later_epochs() {
    let late_bloomer: &[f64] = &[0.9, 0.1];
    let verdict = verdict(ASHA, Direction::Minimize, &[late_bloomer, &[0.5]]);
    assert_eq!(verdict, Decision::Continue);
}

#[test]
fn a_trial_that_never_reached_a_rung_does_not_count_there() {
    // Second rung, at epoch 2: trial 1 stopped or failed before it, so that 2 have reached it.
    let rows: [&[f64]; 3] = [&[0.5, 0.5], &[0.1], &[0.4, 0.6]];
    assert_eq!(verdict(ASHA, Direction::Minimize, &rows), Decision::Stop);
    let rows: [&[f64]; 3] = [&[0.5, 0.5], &[0.1], &[0.4, 0.4]];
    assert_eq!(verdict(ASHA, Direction::Minimize, &rows), Decision::Continue);
}

#[test]
fn a_trial_that_failed_counts_at_the_rungs_it_reached_and_at_no_other() {
    let mut study = table(Direction::Minimize, &[&[0.1], &[0.5, 0.5]]);
    let failed = ended(0, End::Failed(Failure::Diverged("loss is NaN".to_owned())));
    let at = crate::ids::Moment(9);
    study.apply(&crate::journal::Entry { at, record: failed }).unwrap();
    let decide = |epoch| policy(ASHA).decide(&study, TrialId(1), Epoch(epoch));
    assert_eq!((decide(1), decide(2)), (Decision::Stop, Decision::Continue));
}

#[test]
fn the_median_rule_stops_what_is_worse_than_half_of_the_others() {
    // Medians of the others: none, 0.5, 0.55, 0.55, 0.525.
    let values = [0.5, 0.6, 0.55, 0.4, 0.5];
    assert_eq!(verdicts(MEDIAN, Direction::Minimize, &values), "+-+++");
    let mirrored = values.map(|value| -value);
    assert_eq!(verdicts(MEDIAN, Direction::Maximize, &mirrored), "+-+++");
    assert_eq!(verdicts(MEDIAN, Direction::Maximize, &values), "+++--");
}

#[test]
fn the_median_rule_compares_running_means() {
    // Means after two epochs: 0.5 of the other; 0.45 and 0.55 of a trial that ends alike.
    let other: &[f64] = &[0.6, 0.4];
    let minimize = Direction::Minimize;
    assert_eq!(verdict(MEDIAN, minimize, &[other, &[0.3, 0.6]]), Decision::Continue);
    assert_eq!(verdict(MEDIAN, minimize, &[other, &[0.5, 0.6]]), Decision::Stop);
}

#[test]
fn the_median_rule_waits_for_its_epochs_and_for_enough_others() {
    let kind = PolicyKind::Median { grace_epochs: 2, min_trials: 2 };
    let (good, bad): (&[f64], &[f64]) = (&[0.1, 0.1, 0.1], &[0.9, 0.9]);
    let minimize = Direction::Minimize;
    assert_eq!(verdict(kind, minimize, &[good, good, &bad[..1]]), Decision::Continue, "grace");
    assert_eq!(verdict(kind, minimize, &[good, bad]), Decision::Continue, "too few");
    let short = &good[..1];
    assert_eq!(verdict(kind, minimize, &[good, short, bad]), Decision::Continue, "too few here");
    assert_eq!(verdict(kind, minimize, &[good, good, bad]), Decision::Stop);
}

#[test]
fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
    let rows = |own: f64| [[0.2], [0.4], [own]];
    for (own, expected) in
        [(0.29, Decision::Continue), (0.3, Decision::Continue), (0.31, Decision::Stop)]
    {
        let rows = rows(own);
        let rows: Vec<&[f64]> = rows.iter().map(<[f64; 1]>::as_slice).collect();
        assert_eq!(verdict(MEDIAN, Direction::Minimize, &rows), expected, "{own}");
    }
}
