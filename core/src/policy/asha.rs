//! Asynchronous successive halving in its stopping form (Li et al., "A System for Massively
//! Parallel Hyperparameter Tuning", MLSys 2020, section 3; the stopping variant as in Syne Tune
//! and Optuna): nobody waits at a rung, and no stopped trial is revived.

use super::{Policy, objective_at};
use crate::ids::{Epoch, TrialId};
use crate::journal::Decision;
use crate::study::Study;

/// Rungs at `min_epochs · eta^k`. At its rung a trial goes on if and only if it is among the best
/// max(1, ⌊n / eta⌋) of the n trials that have reached the rung so far, itself included.
#[derive(Debug, Clone, Copy)]
pub struct Asha {
    /// The first rung, in epochs; at least 1.
    pub min_epochs: u32,
    /// One in `eta` passes; at least 2.
    pub eta: u32,
}

impl Asha {
    /// Whether trials are compared after this epoch.
    fn is_rung(&self, epoch: Epoch) -> bool {
        let mut rung = u64::from(self.min_epochs.max(1));
        while rung < u64::from(epoch.0) {
            rung *= u64::from(self.eta.max(2));
        }
        rung == u64::from(epoch.0)
    }
}

impl Policy for Asha {
    fn decide(&self, study: &Study, trial: TrialId, epoch: Epoch) -> Decision {
        if !self.is_rung(epoch) {
            return Decision::Continue;
        }
        let direction = study.creation.spec.objective.direction;
        let at = |id| study.trial(id).and_then(|trial| objective_at(study, trial, epoch));
        let Some(value) = at(trial) else { return Decision::Continue };
        let others = study.trials.iter().filter(|other| other.id != trial);
        let (mut reached, mut ahead) = (1, 0);
        for other in others.filter_map(|other| objective_at(study, other, epoch)) {
            reached += 1;
            ahead += usize::from(direction.better(other, value));
        }
        let places = (reached / self.eta.max(2) as usize).max(1);
        if ahead < places { Decision::Continue } else { Decision::Stop }
    }
}
