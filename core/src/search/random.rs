//! Random search (Bergstra & Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 2012).

use super::{Ask, Sampler};
use crate::seed::Seed;
use crate::value::Config;

/// Independent draws. A parameter's value depends on the study's seed, the trial and the
/// parameter's name: adding a parameter to the space leaves the values of the others alone.
#[derive(Debug, Clone, Copy)]
pub struct Random;

impl Sampler for Random {
    fn propose(&self, ask: &Ask<'_>) -> Option<Config> {
        let seed = Seed::of_trial(ask.seed, ask.trial).child("random search");
        Some(ask.space.at(|_, name| seed.child(name).unit_interval()))
    }
}
