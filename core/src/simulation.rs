//! The real engine in a simulated world: virtual time, seeded delays and faults, no machines.
//!
//! One seed is one history, the same on every run. The world delivers events late, twice and out
//! of order, kills nodes, trainers and leaders, damages checkpoints and raises false alarms; the
//! seven invariants are checked after every step, and an oracle judges the end.

mod faults;
mod node;
mod oracle;
mod random;
mod scenario;
mod world;

pub(crate) use node::output;
pub(crate) use oracle::{check_states, check_trial};
pub(crate) use random::Random;
pub use scenario::Scenario;

use thiserror::Error;

/// What one simulated history came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Events, messages and faults that took place.
    pub steps: u64,
    /// Units committed, those rolled back and done again included.
    pub commits: u64,
    /// Faults injected.
    pub faults: u64,
    /// Messages that were delivered twice.
    pub duplicates: u64,
    /// Trials rolled back to an older checkpoint.
    pub rollbacks: u64,
    /// Leaders that took over from another.
    pub elections: u64,
    /// Virtual time until the end of the study.
    pub millis: u64,
}

/// A history that broke a promise.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("seed {seed}: {what} (step {step}, {millis} ms)")]
pub struct Failed {
    /// The seed that gives the same history again.
    pub seed: u64,
    /// How many steps had been taken.
    pub step: u64,
    /// The virtual time.
    pub millis: u64,
    /// Which promise, and how it was broken.
    pub what: String,
}

/// Runs the history of `seed` to its end.
///
/// # Errors
/// The first broken promise.
pub fn simulate(seed: u64) -> Result<Outcome, Failed> {
    run(seed, Scenario::draw(seed))
}

/// Runs a given scenario with the randomness of `seed`.
///
/// # Errors
/// The first broken promise.
pub fn run(seed: u64, scenario: Scenario) -> Result<Outcome, Failed> {
    world::World::new(seed, scenario).run()
}

#[cfg(test)]
#[path = "simulation_tests.rs"]
mod tests;

/// What a node computes from a state: a pure function, as the real one is.
#[cfg(test)]
pub(crate) fn computed(
    unit: crate::unit::Unit,
    input: Option<crate::ids::Digest>,
) -> crate::unit::Output {
    node::output(unit, input, 10, false)
}
