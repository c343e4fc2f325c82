//! Cuts a table into training partitions and a validation partition. A pure function of the
//! table and the [`Split`]: the same on every machine.

use crate::data_set::DataSet;
use crate::error::DataError;
use crate::gather::{Gather, Targets};
use crate::problem::{Problem, Task};
use crate::shuffle::permutation;
use crate::table::Table;
use crate::target_column::{Classes, LABELS_MAX};
use serde::{Deserialize, Serialize};

/// What is learnt, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskKind {
    /// One class of several.
    Classification,
    /// A real number.
    Regression,
}

/// How a table is cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// What is learnt. `None` looks at the target. At most 100 different values, with a text
    /// among them: classification. At most 100 different whole numbers, each found twice or more
    /// on average: classification. Other numbers: regression. More values than that, with a text
    /// among them, is an error.
    pub task: Option<TaskKind>,
    /// The share of the rows held back, above 0 and below 1.
    pub validation: f64,
    /// Number of training partitions.
    pub partitions: u32,
    /// Decides the order of the rows.
    pub seed: [u8; 32],
    /// Whether features, and the target of a regression, are scaled to mean 0 and deviation 1
    /// over the training rows.
    pub standardize: bool,
}

/// Row numbers of the two sides, in shuffled order.
struct Sides {
    validation: Vec<usize>,
    train: Vec<usize>,
}

impl Table {
    /// Shuffles the rows, holds a share of them back for validation and cuts the rest into
    /// partitions. For classification each class gives the same share, rounded, but at least one
    /// row to either side; a class of a single row is only trained on.
    ///
    /// # Errors
    /// A target that contradicts the task or never varies, numbers that 32 bits cannot hold, a
    /// share that leaves a side without rows, more partitions than training rows.
    pub fn split(&self, split: &Split) -> Result<DataSet, DataError> {
        if !(split.validation > 0.0 && split.validation < 1.0) {
            return Err(DataError::Share { share: split.validation });
        }
        let (task, targets) = self.settle(split.task)?;
        if !split.standardize {
            self.require_single_features()?;
        }
        let sides = self.sides(split, &targets)?;
        let (count, rows) = (split.partitions as usize, sides.train.len());
        if count == 0 || count > rows {
            let path = self.path.clone();
            return Err(DataError::Partitions { path, partitions: split.partitions, rows });
        }
        let gather = match split.standardize {
            true => Gather::standardized(self, targets, &sides.train),
            false => Gather::plain(self, targets),
        };
        let cut = |part: usize| part * rows / count;
        let train = (0..count).map(|part| gather.rows(&sides.train[cut(part)..cut(part + 1)]));
        Ok(DataSet {
            train: train.collect(),
            validation: gather.rows(&sides.validation),
            problem: Problem {
                features: self.feature_names(),
                task,
                target: Some(self.target().name),
                target_scaling: gather.target_scaling,
            },
            scaling: gather.scaling,
        })
    }

    fn settle(&self, task: Option<TaskKind>) -> Result<(Task, Targets<'_>), DataError> {
        let kind = match task {
            Some(kind) => kind,
            None => self.kind_seen()?,
        };
        match kind {
            TaskKind::Classification => {
                let Classes { labels, rows } = self.target.classes();
                self.refuse_constant(labels.len(), &labels[0], "labels")?;
                Ok((Task::Classification { labels }, Targets::Classes(rows)))
            }
            TaskKind::Regression => {
                let values = self.target.values().ok_or_else(|| self.text_in_regression())?;
                let varies = values.iter().any(|value| *value != values[0]);
                self.refuse_constant(1 + usize::from(varies), &values[0].to_string(), "numbers")?;
                self.require_single_targets()?;
                Ok((Task::Regression, Targets::Values(values)))
            }
        }
    }

    fn kind_seen(&self) -> Result<TaskKind, DataError> {
        let distinct = self.target.distinct(LABELS_MAX);
        match self.target.first_text() {
            Some((line, value)) if distinct > LABELS_MAX => Err(DataError::UnclearTask {
                path: self.path.clone(),
                line: *line,
                column: self.target(),
                value: value.clone(),
                distinct,
                limit: LABELS_MAX,
            }),
            Some(_) => Ok(TaskKind::Classification),
            None if distinct <= LABELS_MAX
                && 2 * distinct <= self.rows()
                && self.target.is_whole() =>
            {
                Ok(TaskKind::Classification)
            }
            None => Ok(TaskKind::Regression),
        }
    }

    fn text_in_regression(&self) -> DataError {
        let (line, value) = self.target.first_text().cloned().unwrap_or_default();
        let (path, column) = (self.path.clone(), self.target());
        DataError::Cell { path, line, column, value, expected: "a finite number (regression)" }
    }

    fn refuse_constant(
        &self,
        distinct: usize,
        value: &str,
        what: &'static str,
    ) -> Result<(), DataError> {
        if distinct > 1 {
            return Ok(());
        }
        let (path, column) = (self.path.clone(), self.target());
        Err(DataError::ConstantTarget { path, column, value: value.to_owned(), what })
    }

    fn sides(&self, split: &Split, targets: &Targets<'_>) -> Result<Sides, DataError> {
        let quotas = match targets {
            Targets::Classes(classes) => class_quotas(classes, split.validation),
            Targets::Values(values) => vec![rounded(values.len(), split.validation)],
        };
        let sides = deal(permutation(self.rows(), split.seed), targets, quotas);
        let side = match (sides.validation.is_empty(), sides.train.is_empty()) {
            (false, false) => return Ok(sides),
            (true, _) => "validation",
            (_, true) => "training",
        };
        let (path, rows) = (self.path.clone(), self.rows());
        Err(DataError::EmptySide { path, share: split.validation, rows, side })
    }
}

fn rounded(rows: usize, share: f64) -> usize {
    (rows as f64 * share).round() as usize
}

/// How many rows of each class are held back.
fn class_quotas(classes: &[u32], share: f64) -> Vec<usize> {
    let mut counts = Vec::new();
    for class in classes {
        let class = *class as usize;
        counts.resize(counts.len().max(class + 1), 0usize);
        counts[class] += 1;
    }
    let quota = |rows: usize| match rows {
        0 | 1 => 0,
        rows => rounded(rows, share).clamp(1, rows - 1),
    };
    counts.into_iter().map(quota).collect()
}

/// Gives each row in `order` to validation as long as its class has a quota left.
fn deal(order: Vec<usize>, targets: &Targets<'_>, mut quotas: Vec<usize>) -> Sides {
    let (validation, train) = order.into_iter().partition(|row| {
        let quota = match targets {
            Targets::Classes(classes) => &mut quotas[classes[*row] as usize],
            Targets::Values(_) => &mut quotas[0],
        };
        let held_back = *quota > 0;
        *quota -= usize::from(held_back);
        held_back
    });
    Sides { validation, train }
}

#[cfg(test)]
#[path = "split_tests.rs"]
mod tests;
