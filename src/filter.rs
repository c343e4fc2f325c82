//! `--where EXPR`: which rows of a sheet are wanted, in words like
//! `accuracy > 0.95 and end == completed`. Parsed against the sheet's columns, so that a wrong
//! name or kind is told before anything is shown; never panics, whatever is typed.

mod error;
mod expression;
mod parser;
mod token;

pub(crate) use error::FilterError;

use crate::sheet::{Cell, Sheet};
use expression::Expression;

/// An expression over the columns of one sheet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filter(Expression);

impl Filter {
    /// Reads an expression:
    ///
    /// ```text
    /// expression = conjunction { "or" conjunction }
    /// conjunction = term { "and" term }
    /// term = "not" term | "(" expression ")" | COLUMN operator value
    /// operator = "==" | "=" | "!=" | "<" | "<=" | ">" | ">="
    /// value = NUMBER | WORD | "quoted text" | [list] | none
    /// ```
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub(crate) fn parse(text: &str, sheet: &Sheet) -> Result<Self, FilterError> {
        parser::parse(text, sheet).map(Self)
    }

    /// Whether a row of that sheet is wanted. A comparison with a cell that is empty is false,
    /// `!=` is true.
    pub(crate) fn accepts(&self, row: &[Cell]) -> bool {
        self.0.holds(row)
    }
}

#[cfg(test)]
#[path = "filter/filter_tests.rs"]
mod tests;
