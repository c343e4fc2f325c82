//! A partition: a fixed slice of rows, as numbers in memory. Never knows what they mean.
//! Its bytes, under whose digest it is stored, are made in `partition_bytes`.

/// Rows ready for training: a dense matrix of features and one target a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Partition {
    /// Number of features of a row.
    pub width: u32,
    /// `rows × width` numbers, row after row.
    pub features: Vec<f32>,
    /// One target for each row.
    pub target: Target,
}

/// What is to be predicted.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// Class numbers, from 0.
    Classes(Vec<u32>),
    /// Real values (regression).
    Values(Vec<f32>),
}

impl Target {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Target::Classes(classes) => classes.len(),
            Target::Values(values) => values.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Partition {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.target.len()
    }
}
