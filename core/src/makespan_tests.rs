//! The goals of the planner, on the cases of `wallaby bench schedule` with fewer draws.

use super::*;

const DRAWS: u64 = 8;

fn mean(trials: u32, nodes: u32, costs: Costs, policy: Policy) -> f64 {
    let case = Case { trials, nodes, costs, epochs: 5, jitter: 0.03 };
    (0..DRAWS).map(|seed| ratio(&case, policy, seed)).sum::<f64>() / DRAWS as f64
}

const SIZES: [(u32, u32); 4] = [(8, 8), (16, 8), (16, 16), (32, 8)];
const ALL_COSTS: [Costs; 3] = [Costs::Equal, Costs::Models, Costs::Nodes];

#[test]
fn rotation_is_within_two_percent_of_the_bound_everywhere() {
    for ((trials, nodes), costs) in SIZES.into_iter().flat_map(|s| ALL_COSTS.map(|c| (s, c))) {
        let mean = mean(trials, nodes, costs, Policy::Planner(Order::Rotation));
        assert!(mean <= 1.02, "{trials} × {nodes} {costs:?}: {mean}");
    }
}

#[test]
fn free_is_within_two_percent_where_trials_are_plenty_and_five_where_not() {
    for ((trials, nodes), costs) in SIZES.into_iter().flat_map(|s| ALL_COSTS.map(|c| (s, c))) {
        let mean = mean(trials, nodes, costs, Policy::Planner(Order::Free));
        let goal = if trials >= 2 * nodes { 1.02 } else { 1.05 };
        assert!(mean <= goal, "{trials} × {nodes} {costs:?}: {mean}");
    }
}

#[test]
fn barriers_and_random_order_cost_what_others_measured() {
    let mean = mean(8, 8, Costs::Equal, Policy::Cerebro);
    assert!((1.1..1.3).contains(&mean), "{mean}");
}

#[test]
fn a_single_trial_on_a_single_node_takes_the_shortest_time() {
    let case = Case { trials: 1, nodes: 1, costs: Costs::Models, epochs: 2, jitter: 0.1 };
    for policy in [Policy::Planner(Order::Rotation), Policy::Planner(Order::Free), Policy::Cerebro]
    {
        assert!((ratio(&case, policy, 1) - 1.0).abs() < 1e-9, "{policy:?}");
    }
}
