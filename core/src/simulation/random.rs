//! The dice of a simulation: seeded, and never used outside simulated worlds.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use std::ops::RangeInclusive;

/// A seeded generator.
#[derive(Debug, Clone)]
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A whole number from `range`.
    pub(crate) fn from(&mut self, range: RangeInclusive<u64>) -> u64 {
        let width = range.end() - range.start() + 1;
        range.start() + self.0.next_u64() % width
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.real() < probability
    }

    /// A number in [0, 1).
    pub(crate) fn real(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// One of `items`.
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.from(0..=items.len() as u64 - 1) as usize]
    }
}
