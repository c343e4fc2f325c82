//! The unit of work: one pass of one trial over one partition, or its validation.
//! Names a unit, what comes out of it, and how it can fail.

use crate::ids::{Digest, Epoch, PartitionId, TrialId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Named measurements of one unit or one epoch, for example `loss` or `accuracy`.
pub type Metrics = BTreeMap<String, f64>;

/// What a unit does with the trial's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Step {
    /// One sequential training pass over a partition.
    Train(PartitionId),
    /// Measures the state on the validation rows; the state does not change.
    Validate,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Train(partition) => write!(f, "{partition}"),
            Step::Validate => f.write_str("validation"),
        }
    }
}

/// The identity of a unit. Each is committed exactly once in the history of a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Unit {
    /// The trial whose state is restored.
    pub trial: TrialId,
    /// The epoch it belongs to, from 1.
    pub epoch: Epoch,
    /// Training on a partition, or validation.
    pub step: Step,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.trial, self.epoch, self.step)
    }
}

/// What a finished unit produced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// The trial's state afterwards; for a validation the state that was measured.
    pub state: Digest,
    /// Size of that state.
    pub bytes: u64,
    /// Training: `loss` (mean over the rows) and `rows`. Validation: the problem's metrics.
    pub metrics: Metrics,
    /// How long the unit ran.
    pub millis: u64,
}

/// Why a unit did not finish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// The loss or the weights are no longer finite. The same again would give the same.
    Diverged(String),
    /// The model refuses its configuration or its data. The same again would give the same.
    Refused(String),
    /// The model's code panicked.
    Panicked(String),
    /// The trainer died with the unit.
    TrainerLost,
    /// The node has no room for the checkpoint.
    StorageFull(String),
    /// The trial's state is damaged or missing on the node.
    StateUnusable {
        /// Which checkpoint.
        state: Digest,
        /// What was found.
        detail: String,
    },
    /// The node cannot read or write its storage, for another reason than want of space.
    StorageBroken(String),
    /// The node's copy of the partition (or of the validation rows) is damaged or missing.
    DataUnusable(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Diverged(detail) => write!(f, "diverged: {detail}"),
            Failure::Refused(detail) => write!(f, "refused by the model: {detail}"),
            Failure::Panicked(message) => write!(f, "the model panicked: {message}"),
            Failure::TrainerLost => f.write_str("its trainer was lost"),
            Failure::StorageFull(detail) => write!(f, "its checkpoint cannot be stored: {detail}"),
            Failure::StorageBroken(detail) => write!(f, "its storage does not work: {detail}"),
            Failure::StateUnusable { state, detail } => {
                write!(f, "checkpoint {state} is unusable: {detail}")
            }
            Failure::DataUnusable(detail) => write!(f, "its data is unusable: {detail}"),
        }
    }
}
