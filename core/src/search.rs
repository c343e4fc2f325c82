//! Samplers: who proposes configurations. A sampler is a pure function of the space, the seed,
//! the trials so far and the number of the new trial; it keeps nothing and counts nothing.

mod grid;
mod random;
mod sobol;

use crate::ids::TrialId;
use crate::space::Space;
use crate::spec::{Direction, SamplerKind};
use crate::trial::Trial;
use crate::value::Config;

pub use grid::Grid;
pub use random::Random;
pub use sobol::{MAX_DIMENSIONS, Sobol};

/// What a sampler may look at.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The search space; names are the identity of parameters.
    pub space: &'a Space,
    /// The study's seed.
    pub seed: u64,
    /// The number of the trial to propose.
    pub trial: TrialId,
    /// The trials before it, in order of proposal.
    pub trials: &'a [Trial],
    /// Which way is better.
    pub direction: Direction,
}

/// Proposes configurations.
pub trait Sampler: Send + Sync {
    /// The searched part of the configuration of trial `ask.trial`; `None` if there is none left.
    fn propose(&self, ask: &Ask<'_>) -> Option<Config>;
}

/// The sampler of this kind.
pub fn sampler(kind: SamplerKind) -> Box<dyn Sampler> {
    match kind {
        SamplerKind::Grid => Box::new(Grid),
        SamplerKind::Random => Box::new(Random),
        SamplerKind::Sobol => Box::new(Sobol),
    }
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
