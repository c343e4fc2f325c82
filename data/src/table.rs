//! A file in memory: features as one dense matrix, and the target column. Checks every cell
//! as it comes in; never shuffles, splits or scales. Numbers keep their 64 bits, because scaling
//! must see them before they are rounded.

use crate::cell::{self, NUMBER, NUMBER_OR_LABEL, SINGLE, SINGLE_UNLESS_SCALED, shortened};
use crate::column::Column;
use crate::error::DataError;
use crate::target_column::TargetColumn;
use csv::StringRecord;

/// A whole data file, in file order.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub(crate) path: String,
    pub(crate) names: Vec<String>,
    pub(crate) target_at: usize,
    pub(crate) features: Vec<f64>,
    pub(crate) target: TargetColumn,
    /// The first feature and the first target that 32 bits cannot hold.
    beyond_single: [Option<Place>; 2],
}

/// A cell that was taken, but may prove wrong later.
#[derive(Debug, Clone, PartialEq)]
struct Place {
    line: u64,
    number: usize,
    value: String,
}

impl Table {
    pub(crate) fn new(path: String, names: Vec<String>, target_at: usize) -> Self {
        let (features, target) = (Vec::new(), TargetColumn::default());
        Self { path, names, target_at, features, target, beyond_single: [None, None] }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.target.len()
    }

    /// Number of features of a row.
    pub fn width(&self) -> usize {
        self.names.len() - 1
    }

    /// The names of the features, in their order.
    pub fn feature_names(&self) -> Vec<String> {
        let mut names = self.names.clone();
        names.remove(self.target_at);
        names
    }

    /// The column to be predicted.
    pub fn target(&self) -> Column {
        self.column(self.target_at)
    }

    /// The features of one row.
    pub(crate) fn row(&self, row: usize) -> &[f64] {
        &self.features[row * self.width()..][..self.width()]
    }

    /// Appends one record; `line` is asked only where it is needed.
    pub(crate) fn push(
        &mut self,
        record: &StringRecord,
        line: impl Fn() -> u64,
    ) -> Result<(), DataError> {
        if record.len() != self.names.len() {
            let (cells, expected) = (record.len(), self.names.len());
            return Err(DataError::Ragged {
                path: self.path.clone(),
                line: line(),
                cells,
                expected,
            });
        }
        for (number, cell) in record.iter().enumerate() {
            self.push_cell(number, cell.trim(), &line)?;
        }
        Ok(())
    }

    fn push_cell(
        &mut self,
        number: usize,
        cell: &str,
        line: &impl Fn() -> u64,
    ) -> Result<(), DataError> {
        let value = cell::finite(cell);
        let is_target = number == self.target_at;
        let accepted = if is_target {
            self.target.push(cell, line)
        } else {
            self.features.extend(value);
            value.is_some()
        };
        if !accepted {
            return Err(self.refuse(number, cell, line()));
        }
        if value.is_some_and(|value| !cell::fits_single(value)) {
            let first = &mut self.beyond_single[usize::from(is_target)];
            first.get_or_insert_with(|| Place { line: line(), number, value: shortened(cell) });
        }
        Ok(())
    }

    fn refuse(&self, number: usize, cell: &str, line: u64) -> DataError {
        let (path, column) = (self.path.clone(), self.column(number));
        let usual = if number == self.target_at { NUMBER_OR_LABEL } else { NUMBER };
        let expected = cell::expected(cell, usual);
        if cell.is_empty() {
            return DataError::EmptyCell { path, line, column, expected };
        }
        DataError::Cell { path, line, column, value: shortened(cell), expected }
    }

    /// Refuses a feature that 32 bits cannot hold.
    pub(crate) fn require_single_features(&self) -> Result<(), DataError> {
        self.require_single(0, SINGLE_UNLESS_SCALED)
    }

    /// Refuses a target that 32 bits cannot hold.
    pub(crate) fn require_single_targets(&self) -> Result<(), DataError> {
        self.require_single(1, SINGLE)
    }

    fn require_single(&self, side: usize, expected: &'static str) -> Result<(), DataError> {
        let Some(place) = &self.beyond_single[side] else { return Ok(()) };
        let Place { line, number, value } = place.clone();
        let (path, column) = (self.path.clone(), self.column(number));
        Err(DataError::Cell { path, line, column, value, expected })
    }

    fn column(&self, number: usize) -> Column {
        Column { number, name: self.names[number].clone() }
    }
}
