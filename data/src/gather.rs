//! Copies rows of a table into partitions: scales them if asked, then rounds to 32 bits.
//! Never decides which rows.

use crate::partition::{Partition, Target};
use crate::scaling::Scaling;
use crate::table::Table;
use crate::target_scaling::TargetScaling;

/// What is to be predicted, for each row of a table.
pub(crate) enum Targets<'a> {
    /// Class numbers.
    Classes(Vec<u32>),
    /// Numbers as in the file.
    Values(&'a [f64]),
}

/// A table and how its rows are scaled.
pub(crate) struct Gather<'a> {
    table: &'a Table,
    targets: Targets<'a>,
    /// How features are scaled.
    pub(crate) scaling: Option<Scaling>,
    /// How the target of a regression is scaled.
    pub(crate) target_scaling: Option<TargetScaling>,
}

impl<'a> Gather<'a> {
    /// Rows as they are.
    pub(crate) fn plain(table: &'a Table, targets: Targets<'a>) -> Self {
        Self { table, targets, scaling: None, target_scaling: None }
    }

    /// Rows standardised by the statistics of these `training` rows.
    pub(crate) fn standardized(table: &'a Table, targets: Targets<'a>, training: &[usize]) -> Self {
        let scaling = Scaling::of(training.iter().map(|row| table.row(*row)), table.width());
        let target_scaling = match &targets {
            Targets::Classes(_) => None,
            Targets::Values(values) => {
                Some(TargetScaling::of(training.iter().map(|row| &values[*row])))
            }
        };
        Self { table, targets, scaling: Some(scaling), target_scaling }
    }

    /// A partition of these rows.
    pub(crate) fn rows(&self, rows: &[usize]) -> Partition {
        let width = self.table.width();
        let mut features = Vec::with_capacity(rows.len() * width);
        for row in rows.iter().map(|row| self.table.row(*row)) {
            match &self.scaling {
                Some(scaling) => features.extend(scaling.scale(row)),
                None => features.extend(row.iter().map(|value| *value as f32)),
            }
        }
        Partition { width: width as u32, features, target: self.target(rows) }
    }

    fn target(&self, rows: &[usize]) -> Target {
        match &self.targets {
            Targets::Classes(classes) => {
                Target::Classes(rows.iter().map(|row| classes[*row]).collect())
            }
            Targets::Values(values) => {
                Target::Values(rows.iter().map(|row| self.scaled(values[*row])).collect())
            }
        }
    }

    fn scaled(&self, value: f64) -> f32 {
        self.target_scaling.map_or(value as f32, |scaling| scaling.scale(value))
    }
}
