//! Cuts a table into training partitions and a validation partition. A pure function of the
//! table and the [`Split`]: the same on every machine.

use crate::data_set::DataSet;
use crate::error::DataError;
use crate::partition::{Partition, Target};
use crate::problem::{Problem, Task};
use crate::scaling::Scaling;
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
    /// Whether features are scaled to mean 0 and deviation 1 over the training rows.
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
    /// A target that contradicts the task or never varies, a share that leaves a side without
    /// rows, more partitions than training rows.
    pub fn split(&self, split: &Split) -> Result<DataSet, DataError> {
        if !(split.validation > 0.0 && split.validation < 1.0) {
            return Err(DataError::Share { share: split.validation });
        }
        let (task, target) = self.settle(split.task)?;
        let sides = self.sides(split, &target)?;
        let (count, rows) = (split.partitions as usize, sides.train.len());
        if count == 0 || count > rows {
            let path = self.path.clone();
            return Err(DataError::Partitions { path, partitions: split.partitions, rows });
        }
        let training_rows = sides.train.iter().map(|row| self.row(*row));
        let scaling = split.standardize.then(|| Scaling::of(training_rows, self.width()));
        let gather = |rows: &[usize]| self.gather(rows, &target, scaling.as_ref());
        let cut = |part: usize| part * rows / count;
        let train = (0..count).map(|part| gather(&sides.train[cut(part)..cut(part + 1)]));
        Ok(DataSet {
            problem: Problem { features: self.feature_names(), task },
            train: train.collect(),
            validation: gather(&sides.validation),
            scaling,
        })
    }

    fn settle(&self, task: Option<TaskKind>) -> Result<(Task, Target), DataError> {
        let kind = match task {
            Some(kind) => kind,
            None => self.kind_seen()?,
        };
        match kind {
            TaskKind::Classification => {
                let Classes { labels, rows } = self.target.classes();
                self.refuse_constant(labels.len(), &labels[0], "labels")?;
                Ok((Task::Classification { labels }, Target::Classes(rows)))
            }
            TaskKind::Regression => {
                let values = self.target.values().ok_or_else(|| self.text_in_regression())?;
                let varies = values.iter().any(|value| *value != values[0]);
                self.refuse_constant(1 + usize::from(varies), &values[0].to_string(), "numbers")?;
                Ok((Task::Regression, Target::Values(values)))
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

    fn sides(&self, split: &Split, target: &Target) -> Result<Sides, DataError> {
        let quotas = match target {
            Target::Classes(classes) => class_quotas(classes, split.validation),
            Target::Values(values) => vec![rounded(values.len(), split.validation)],
        };
        let sides = deal(permutation(self.rows(), split.seed), target, quotas);
        let side = match (sides.validation.is_empty(), sides.train.is_empty()) {
            (false, false) => return Ok(sides),
            (true, _) => "validation",
            (_, true) => "training",
        };
        let (path, rows) = (self.path.clone(), self.rows());
        Err(DataError::EmptySide { path, share: split.validation, rows, side })
    }

    fn gather(&self, rows: &[usize], target: &Target, scaling: Option<&Scaling>) -> Partition {
        let width = self.width();
        let mut features = Vec::with_capacity(rows.len() * width);
        rows.iter().for_each(|row| features.extend_from_slice(self.row(*row)));
        if let Some(scaling) = scaling {
            features.chunks_exact_mut(width).for_each(|row| scaling.apply(row));
        }
        let target = match target {
            Target::Classes(classes) => {
                Target::Classes(rows.iter().map(|row| classes[*row]).collect())
            }
            Target::Values(values) => Target::Values(rows.iter().map(|row| values[*row]).collect()),
        };
        Partition { width: width as u32, features, target }
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
fn deal(order: Vec<usize>, target: &Target, mut quotas: Vec<usize>) -> Sides {
    let (validation, train) = order.into_iter().partition(|row| {
        let quota = match target {
            Target::Classes(classes) => &mut quotas[classes[*row] as usize],
            Target::Values(_) => &mut quotas[0],
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
