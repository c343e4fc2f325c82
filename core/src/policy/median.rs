//! The median stopping rule (Golovin et al., "Google Vizier", KDD 2017, section 3.2.2).

use super::{Policy, objective_at};
use crate::ids::{Epoch, TrialId};
use crate::journal::Decision;
use crate::study::Study;
use crate::trial::Trial;

/// Stops a trial whose running mean of the objective is worse than the median of the other
/// trials' running means at the same epoch.
#[derive(Debug, Clone, Copy)]
pub struct Median {
    /// No decision before this epoch.
    pub grace_epochs: u32,
    /// No decision before this many other trials have reached the epoch.
    pub min_trials: u32,
}

impl Policy for Median {
    fn decide(&self, study: &Study, trial: TrialId, epoch: Epoch) -> Decision {
        if epoch.0 < self.grace_epochs {
            return Decision::Continue;
        }
        let direction = study.creation.spec.objective.direction;
        let own = study.trial(trial).and_then(|trial| running_mean(study, trial, epoch));
        let others = study.trials.iter().filter(|other| other.id != trial);
        let means: Vec<f64> = others.filter_map(|t| running_mean(study, t, epoch)).collect();
        if means.len() < self.min_trials.max(1) as usize {
            return Decision::Continue;
        }
        match own {
            Some(own) if direction.better(median(means), own) => Decision::Stop,
            _ => Decision::Continue,
        }
    }
}

/// The mean of the objective over the epochs up to `epoch`, if all of them are validated.
fn running_mean(study: &Study, trial: &Trial, epoch: Epoch) -> Option<f64> {
    let values = (1..=epoch.0).map(|e| objective_at(study, trial, Epoch(e)));
    let sum = values.sum::<Option<f64>>()?;
    Some(sum / f64::from(epoch.0))
}

/// The middle value, or the mean of the two in the middle. `values` is not empty.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}
