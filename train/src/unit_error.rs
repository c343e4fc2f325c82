//! What can go wrong in a unit, other than a panic. Never says what to do about it: that is the
//! study's decision.

use crate::checkpoint::CheckpointError;
use thiserror::Error;

/// Why a unit gave no result.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum UnitError {
    /// The configuration has a missing or unacceptable value.
    #[error("parameter {parameter} is {found}, expected {expected}")]
    BadConfig {
        /// The parameter's name.
        parameter: String,
        /// The value as given, or "missing".
        found: String,
        /// What would have been accepted.
        expected: String,
    },
    /// The partition does not fit the problem.
    #[error("the partition {reason}")]
    BadPartition {
        /// What is wrong, as the rest of a sentence.
        reason: String,
    },
    /// The network does not keep its contract.
    #[error("the network of family {family} {reason}")]
    BadNetwork {
        /// The family's name.
        family: &'static str,
        /// What is wrong, as the rest of a sentence.
        reason: String,
    },
    /// The state is damaged, or is not a state of this model.
    #[error("the state cannot be restored: {0}")]
    BadState(#[from] CheckpointError),
    /// The loss or a weight is not finite: the trial cannot go on.
    #[error("the {quantity} is not finite after {steps} steps")]
    Diverged {
        /// What is not finite.
        quantity: &'static str,
        /// Optimizer steps taken since the trial began.
        steps: u64,
    },
    /// The device failed to compute or to hand over a result.
    #[error("the device failed: {reason}")]
    Device {
        /// The device's own words.
        reason: String,
    },
    /// The family has no answer to give for single rows.
    #[error("family {family} cannot predict, expected one that implements it")]
    NoPrediction {
        /// The family's name.
        family: &'static str,
    },
}

impl UnitError {
    /// A failure reported by the device.
    pub(crate) fn device(error: impl ToString) -> Self {
        Self::Device { reason: error.to_string() }
    }
}
