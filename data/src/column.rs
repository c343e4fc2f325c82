//! How a column is named in messages: by number and name. Never looks into cells.

use std::fmt;

/// A column of a table, as it is shown to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Counted from 0, as in [`crate::ColumnRef::Number`].
    pub number: usize,
    /// The name in the header, or `column_N` where there is none.
    pub name: String,
}

impl Column {
    /// The name of column `number` in a file that does not name it.
    pub(crate) fn unnamed(number: usize) -> String {
        format!("column_{number}")
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {} ({})", self.number, self.name)
    }
}
