//! Cerebro's schedule: random order, all wait for all after each epoch.

use super::{Case, Durations};

pub(super) fn run(case: &Case, seed: u64) -> f64 {
    let mut durations = Durations::draw(case, seed);
    let makespan: f64 = (0..case.epochs).map(|_| epoch(case, &mut durations)).sum();
    makespan / durations.lower_bound()
}

/// Time from one barrier to the next.
fn epoch(case: &Case, durations: &mut Durations) -> f64 {
    let (trials, nodes) = (case.trials as usize, case.nodes as usize);
    let mut open = vec![vec![true; nodes]; trials];
    let mut idle_trials = vec![true; trials];
    // What each node runs: until when, and for whom.
    let mut running: Vec<Option<(f64, usize)>> = vec![None; nodes];
    let mut now = 0.0;
    loop {
        for node in 0..nodes {
            let ready = |trial: &usize| idle_trials[*trial] && open[*trial][node];
            let ready: Vec<usize> = (0..trials).filter(ready).collect();
            if running[node].is_none() && !ready.is_empty() {
                let trial = durations.random.pick(&ready);
                (open[trial][node], idle_trials[trial]) = (false, false);
                running[node] = Some((now + durations.spend(trial, node, 1.0), trial));
            }
        }
        let next = (0..nodes).filter_map(|node| running[node].map(|(end, _)| (end, node)));
        let Some((end, node)) = next.min_by(|a, b| a.0.total_cmp(&b.0)) else { return now };
        now = end;
        if let Some((_, trial)) = running[node].take() {
            idle_trials[trial] = true;
        }
    }
}
