//! What is wrong with an expression, and where: shown with the expression and a mark below it.

use std::fmt;
use std::ops::Range;
use thiserror::Error;

/// The first mistake of an expression.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) struct FilterError {
    text: String,
    place: Range<usize>,
    problem: String,
}

impl FilterError {
    /// At these bytes of `text`.
    pub(super) fn new(text: &str, place: Range<usize>, problem: impl Into<String>) -> Self {
        Self { text: text.to_owned(), place, problem: problem.into() }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.text.get(..self.place.start).unwrap_or(&self.text).chars().count();
        let marked = self.text.get(self.place.clone()).unwrap_or("").chars().count().max(1);
        let line: String =
            self.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        writeln!(f, "--where: {}", self.problem)?;
        writeln!(f, "  {line}")?;
        write!(f, "  {}{}", " ".repeat(before), "^".repeat(marked))
    }
}
