//! Quasi-random search on an Owen-scrambled Sobol sequence (Burley, "Practical Hash-based Owen
//! Scrambling", JCGT 2020), which covers the space more evenly than independent draws.

use super::{Ask, Sampler};
use crate::seed::Seed;
use crate::value::Config;

/// The largest number of searched parameters: the sequence has no more dimensions.
pub const MAX_DIMENSIONS: usize = sobol_burley::NUM_DIMENSIONS as usize;

/// The largest number of trials: the sequence has no more points.
const MAX_POINTS: u32 = 1 << 16;

/// Point `trial` of the sequence; dimensions belong to parameters in order of name. After the
/// sequence's 65,536 points another scrambling begins.
#[derive(Debug, Clone, Copy)]
pub struct Sobol;

impl Sampler for Sobol {
    fn propose(&self, ask: &Ask<'_>) -> Option<Config> {
        if ask.space.0.len() > MAX_DIMENSIONS {
            return None;
        }
        let (round, point) = (ask.trial.0 / MAX_POINTS, ask.trial.0 % MAX_POINTS);
        let seed = Seed::of_study(ask.seed).child("sobol").child(&round.to_string());
        let scramble = seed.to_u64() as u32;
        Some(
            ask.space.at(|dimension, _| {
                f64::from(sobol_burley::sample(point, dimension as u32, scramble))
            }),
        )
    }
}
