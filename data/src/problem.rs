//! What a data set asks of a model: how many inputs, and what kind of answer.

use crate::target_scaling::TargetScaling;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The shape of a learning problem; every partition of a data set has the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// Names of the features, in the order of the columns of [`crate::Partition::features`].
    pub features: Vec<String>,
    /// What is to be predicted.
    pub task: Task,
    /// The name of the column to be predicted, as [`Problem::features`] are named. `None` in
    /// what was written before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// How the target of a regression was standardised; `None` if it is as in the file. Models
    /// learn and answer in the units of the partitions and need not look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_scaling: Option<TargetScaling>,
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
    /// A problem whose target is as in the file.
    pub fn new(features: Vec<String>, task: Task) -> Self {
        Self { features, task, target: None, target_scaling: None }
    }

    /// Brings the metrics that a model computed over partitions to the units of the file.
    pub fn restore_metrics(&self, metrics: &mut BTreeMap<String, f64>) {
        if let Some(scaling) = &self.target_scaling {
            scaling.restore_metrics(metrics);
        }
    }

    /// A model's answer for one row of a regression in the units of the file.
    pub fn restore(&self, answer: f32) -> f64 {
        self.target_scaling.map_or(f64::from(answer), |scaling| scaling.restore(answer))
    }

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
