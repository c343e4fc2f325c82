//! A data set ready for a study: partitions to train on, one to validate on, and what is needed
//! to treat new rows the same way. Holds, never computes.

use crate::partition::Partition;
use crate::problem::Problem;
use crate::scaling::Scaling;

/// What [`crate::Table::split`] makes of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSet {
    /// The shape of the learning problem.
    pub problem: Problem,
    /// The training rows in slices whose sizes differ by at most one row.
    pub train: Vec<Partition>,
    /// The rows held back.
    pub validation: Partition,
    /// How the features were standardised; `None` if they are as in the file.
    pub scaling: Option<Scaling>,
}

impl DataSet {
    /// Number of training rows in all partitions.
    pub fn training_rows(&self) -> usize {
        self.train.iter().map(Partition::rows).sum()
    }
}
