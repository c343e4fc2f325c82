//! What a study is, as far as core decides anything from it: search, objective, budget, order.
//! Where the data lies and what device computes is not core's to know; see the study file.

mod check;

pub use check::{
    CONCURRENCY, EPOCHS, ETA, GRID_MAX, MIN_TRIALS, NAME_MAX, PARTITIONS, SpecError, is_name,
};

use crate::space::Space;
use crate::value::Config;
use serde::{Deserialize, Serialize};

/// The specification of a study. With the data and the seed it determines the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// The study's name.
    pub name: String,
    /// The root of all its randomness.
    pub seed: u64,
    /// The model family.
    pub family: String,
    /// Fixed settings of the model; completed with the family's defaults.
    pub model: Config,
    /// What is searched and how.
    pub search: Search,
    /// What is best.
    pub objective: Objective,
    /// When to stop.
    pub budget: Budget,
    /// In which order a trial meets the partitions.
    pub order: Order,
}

impl Spec {
    /// The largest number of trials that the study can have.
    pub fn trials_max(&self) -> u64 {
        let grid = match self.search.sampler {
            SamplerKind::Grid => self.search.space.grid_len(),
            SamplerKind::Random | SamplerKind::Sobol => None,
        };
        let budget = self.budget.trials.map(u64::from);
        budget.into_iter().chain(grid).min().unwrap_or(0)
    }
}

/// The search: space, sampler, policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// The searched parameters.
    pub space: Space,
    /// Who proposes configurations.
    pub sampler: SamplerKind,
    /// Who stops trials early.
    pub policy: PolicyKind,
    /// How many trials are under way at once; `None` for twice the number of slots.
    pub concurrency: Option<u32>,
}

/// The samplers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SamplerKind {
    /// Every point of the grid, in order of parameter names, the last name fastest.
    Grid,
    /// Independent uniform draws.
    Random,
    /// A scrambled Sobol sequence: draws that avoid each other.
    Sobol,
}

/// The policies, with their settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PolicyKind {
    /// Every trial runs all its epochs.
    None,
    /// The median rule: stop a trial whose running mean is worse than the median of the others'.
    Median {
        /// No decision before this epoch has been validated.
        grace_epochs: u32,
        /// No decision before this many other trials have reached the epoch.
        min_trials: u32,
    },
    /// Asynchronous successive halving, stopping form.
    Asha {
        /// The first rung, in epochs.
        min_epochs: u32,
        /// One in `eta` trials passes a rung; rungs are at `min_epochs · eta^k`.
        eta: u32,
    },
}

/// What is optimised: a metric of the validation, at the best epoch of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objective {
    /// The name of the metric, for example `accuracy`.
    pub metric: String,
    /// Which way is better.
    pub direction: Direction,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// Larger is better.
    Maximize,
    /// Smaller is better.
    Minimize,
}

impl Direction {
    /// Whether `a` is strictly better than `b`.
    pub fn better(self, a: f64, b: f64) -> bool {
        match self {
            Direction::Maximize => a > b,
            Direction::Minimize => a < b,
        }
    }

    /// Orders values from best to worst. Values that reach policies are finite.
    pub fn compare(self, a: f64, b: f64) -> std::cmp::Ordering {
        match self {
            Direction::Maximize => b.total_cmp(&a),
            Direction::Minimize => a.total_cmp(&b),
        }
    }
}

/// When the study ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// At most so many trials; `None` for the whole grid.
    pub trials: Option<u32>,
    /// Epochs of a trial that is not stopped.
    pub epochs: u32,
    /// No new unit starts after so many seconds of running time; interruptions do not count.
    pub wall_clock_seconds: Option<u64>,
}

/// In which order a trial meets the partitions of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// A fixed cycle that starts at `trial mod partitions`: results do not depend on timing.
    Rotation,
    /// Any partition not yet visited; the journal records the order.
    Free,
}
