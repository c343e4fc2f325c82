//! What a data set asks of a model: how many inputs, and what kind of answer.

use serde::{Deserialize, Serialize};

/// The shape of a learning problem; every partition of a data set has the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// Names of the features, in the order of the columns of [`crate::Partition::features`].
    pub features: Vec<String>,
    /// What is to be predicted.
    pub task: Task,
}

/// The kind of answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Task {
    /// One class of several; class numbers index this list of labels.
    Classification {
        /// The labels as they stand in the data, in class order.
        labels: Vec<String>,
    },
    /// A real number.
    Regression,
}

impl Problem {
    /// Number of inputs of the model.
    pub fn inputs(&self) -> usize {
        self.features.len()
    }

    /// Number of outputs of the model: one a class, or one for a real number.
    pub fn outputs(&self) -> usize {
        match &self.task {
            Task::Classification { labels } => labels.len(),
            Task::Regression => 1,
        }
    }

    /// The validation metrics that a model of this problem reports.
    pub fn metrics(&self) -> &'static [&'static str] {
        match self.task {
            Task::Classification { .. } => &["accuracy", "loss"],
            Task::Regression => &["loss", "mae", "r2", "rmse"],
        }
    }
}
