//! A thousand histories, and the ones that once found a bug.

use super::*;

/// Seeds whose histories broke a promise of an earlier version: each stays as a named scenario.
#[test]
fn a_thousand_histories_keep_every_promise() {
    let outcomes: Vec<Outcome> = (0..1000)
        .map(|seed| match simulate(seed) {
            Ok(outcome) => outcome,
            Err(failed) => {
                panic!("{failed}; replay: wallaby simulate --seeds 1 --first-seed {seed}")
            }
        })
        .collect();
    let sum = |count: fn(&Outcome) -> u64| outcomes.iter().map(count).sum::<u64>();
    assert!(sum(|o| o.faults) > 5_000, "the weather was too good");
    assert!(sum(|o| o.rollbacks) > 100 && sum(|o| o.elections) > 200);
    assert!(sum(|o| o.duplicates) > 1_000);
}

#[test]
fn a_seed_gives_the_same_history_every_time() {
    for seed in [1, 2, 3] {
        assert_eq!(simulate(seed), simulate(seed));
    }
}
