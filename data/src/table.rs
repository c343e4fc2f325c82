//! A file in memory: features as one dense matrix, and the target column. Checks every cell
//! as it comes in; never shuffles, splits or scales.

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
    pub(crate) features: Vec<f32>,
    pub(crate) target: TargetColumn,
}

const NUMBER: &str = "a finite number";
const NUMBER_OR_LABEL: &str = "a finite number or a label";

impl Table {
    pub(crate) fn new(path: String, names: Vec<String>, target_at: usize) -> Self {
        Self { path, names, target_at, features: Vec::new(), target: TargetColumn::default() }
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
    pub(crate) fn row(&self, row: usize) -> &[f32] {
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
            let cell = cell.trim();
            let accepted = if number == self.target_at {
                self.target.push(cell, &line)
            } else {
                self.push_feature(cell)
            };
            if !accepted {
                return Err(self.refuse(number, cell, line()));
            }
        }
        Ok(())
    }

    fn push_feature(&mut self, cell: &str) -> bool {
        let number = cell.parse::<f32>().ok().filter(|number| number.is_finite());
        self.features.extend(number);
        number.is_some()
    }

    fn refuse(&self, number: usize, cell: &str, line: u64) -> DataError {
        let (path, column) = (self.path.clone(), self.column(number));
        let expected = if number == self.target_at { NUMBER_OR_LABEL } else { NUMBER };
        if cell.is_empty() {
            return DataError::EmptyCell { path, line, column, expected };
        }
        DataError::Cell { path, line, column, value: shortened(cell), expected }
    }

    fn column(&self, number: usize) -> Column {
        Column { number, name: self.names[number].clone() }
    }
}

/// A cell for a message: no longer than a line of a terminal takes.
pub(crate) fn shortened(cell: &str) -> String {
    const SHOWN: usize = 40;
    match cell.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &cell[..end]),
        None => cell.to_owned(),
    }
}
