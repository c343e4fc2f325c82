//! Grid search: every combination once.

use super::{Ask, Sampler};
use crate::value::Config;

/// Counts through the grid like an odometer: parameters ordered by name, the last one fastest.
#[derive(Debug, Clone, Copy)]
pub struct Grid;

impl Sampler for Grid {
    fn propose(&self, ask: &Ask<'_>) -> Option<Config> {
        let mut place = u64::from(ask.trial.0);
        if place >= ask.space.grid_len()? {
            return None;
        }
        let mut config = Config::new();
        for (name, domain) in ask.space.0.iter().rev() {
            let mut points = domain.grid().ok()?;
            let len = points.len() as u64;
            config.insert(name.clone(), points.swap_remove((place % len) as usize));
            place /= len;
        }
        Some(config)
    }
}
