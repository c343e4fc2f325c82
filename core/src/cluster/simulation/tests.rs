//! Three hundred clusters, and the ones that once found a bug.

use super::*;

fn history(seed: u64) -> Outcome {
    simulate(seed).unwrap_or_else(|failed| {
        panic!("{failed}; replay: wallaby simulate --cluster --seeds 1 --seed {seed}")
    })
}

#[test]
fn three_hundred_clusters_keep_every_promise() {
    let outcomes: Vec<Outcome> = (0..300).map(history).collect();
    let sum = |count: fn(&Outcome) -> u64| outcomes.iter().map(count).sum::<u64>();
    assert!(sum(|o| o.faults) > 2_000, "the weather was too good");
    assert!(sum(|o| o.elections) > 200 && sum(|o| o.rollbacks) > 20);
    assert!(sum(|o| o.duplicates) > 1_000 && sum(|o| o.lost) > 1_000);
    assert!(sum(|o| o.moved) > 5_000 && sum(|o| o.released) > 5_000);
    assert!(sum(|o| o.deleted) > 10);
}

#[test]
fn a_seed_gives_the_same_cluster_every_time() {
    for seed in [1, 2, 3] {
        assert_eq!(simulate(seed), simulate(seed));
    }
}
