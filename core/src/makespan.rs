//! How close a schedule comes to the shortest possible time: the planner in a loop of its own,
//! without journal, losses or messages, against Cerebro's policy on the same cases.
//!
//! The lower bound is max(busiest slot, longest trial), with the durations that were drawn: open
//! shop, as in Nakandala et al., "Cerebro", VLDB 2020, section 5.1.

mod barriers;
mod race;

use crate::spec::Order;

/// Validation takes this part of a training unit.
const VALIDATION: f64 = 0.25;

/// How durations of units differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Costs {
    /// All trials and all nodes are alike.
    Equal,
    /// Trials are up to six-fold apart, uniformly.
    Models,
    /// Nodes are up to twice as slow as the fastest, in four steps.
    Nodes,
}

/// Who schedules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Our planner.
    Planner(Order),
    /// Cerebro's: a random ready unit for an idle worker, a barrier after each epoch; validation
    /// is not counted.
    Cerebro,
}

/// A study to schedule: one partition and one slot a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Case {
    /// Number of trials, all of them known from the start.
    pub trials: u32,
    /// Number of nodes, slots and partitions.
    pub nodes: u32,
    /// How durations differ.
    pub costs: Costs,
    /// Epochs of every trial.
    pub epochs: u32,
    /// A unit takes up to this part more or less than expected.
    pub jitter: f64,
}

/// Makespan over the lower bound, at least 1; `seed` decides durations and random choices.
pub fn ratio(case: &Case, policy: Policy, seed: u64) -> f64 {
    match policy {
        Policy::Planner(order) => race::Race::new(case, order, seed).run(),
        Policy::Cerebro => barriers::run(case, seed),
    }
}

/// What every policy is given: the drawn durations, and the account of who worked how long.
struct Durations {
    random: crate::simulation::Random,
    sizes: Vec<f64>,
    slowness: Vec<f64>,
    jitter: f64,
    busy: Vec<f64>,
    trained: Vec<f64>,
}

impl Durations {
    fn draw(case: &Case, seed: u64) -> Self {
        let mut random = crate::simulation::Random::new(seed);
        let mut size = |_| match case.costs {
            Costs::Models => 1.0 + 5.0 * random.real(),
            Costs::Equal | Costs::Nodes => 1.0,
        };
        let sizes = (0..case.trials).map(&mut size).collect();
        let slow = |node: u32| match case.costs {
            Costs::Nodes => 1.0 + f64::from(node % 4) / 3.0,
            Costs::Equal | Costs::Models => 1.0,
        };
        let slowness = (0..case.nodes).map(slow).collect();
        let (busy, trained) = (vec![0.0; case.nodes as usize], vec![0.0; case.trials as usize]);
        Self { random, sizes, slowness, jitter: case.jitter, busy, trained }
    }

    /// How long a unit of so many training units takes here and now; goes into the account.
    fn spend(&mut self, trial: usize, node: usize, units: f64) -> f64 {
        let luck = 1.0 + self.jitter * (2.0 * self.random.real() - 1.0);
        let duration = units * self.sizes[trial] * self.slowness[node] * luck;
        self.busy[node] += duration;
        self.trained[trial] += duration;
        duration
    }

    fn lower_bound(&self) -> f64 {
        self.busy.iter().chain(&self.trained).copied().fold(0.0, f64::max)
    }
}

#[cfg(test)]
#[path = "makespan_tests.rs"]
mod tests;
