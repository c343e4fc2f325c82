//! Policies: who decides, at an epoch boundary, whether a trial trains on. A policy is a pure
//! function of the study's validated epochs; it never sees a metric of an unfinished epoch.

mod asha;
mod median;

use crate::ids::{Epoch, TrialId};
use crate::journal::Decision;
use crate::spec::PolicyKind;
use crate::study::Study;
use crate::trial::Trial;

pub use asha::Asha;
pub use median::Median;

/// Decides at epoch boundaries.
pub trait Policy: Send + Sync {
    /// What becomes of `trial`, whose `epoch` has just been validated; `study` holds that result.
    fn decide(&self, study: &Study, trial: TrialId, epoch: Epoch) -> Decision;
}

/// The policy of this kind.
pub fn policy(kind: PolicyKind) -> Box<dyn Policy> {
    match kind {
        PolicyKind::None => Box::new(Never),
        PolicyKind::Median { grace_epochs, min_trials } => {
            Box::new(Median { grace_epochs, min_trials })
        }
        PolicyKind::Asha { min_epochs, eta } => Box::new(Asha { min_epochs, eta }),
    }
}

/// Stops nothing.
struct Never;

impl Policy for Never {
    fn decide(&self, _: &Study, _: TrialId, _: Epoch) -> Decision {
        Decision::Continue
    }
}

/// The objective of a trial at an epoch it has validated.
fn objective_at(study: &Study, trial: &Trial, epoch: Epoch) -> Option<f64> {
    let result = trial.results.get(epoch.0.checked_sub(1)? as usize)?;
    result.metrics.get(&study.creation.spec.objective.metric).copied()
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
