//! A mistake in a study file, and all of them together. Words only: finding them is the
//! checker's affair.

use super::node::Origin;
use std::fmt;
use thiserror::Error;

/// One thing to mend: where, what stands there, and what was expected.
///
/// Shown as `digits.toml:14: search.sampler = "randm": expected one of grid, random, sobol;
/// did you mean "random"?`, or with `--set` in place of file and line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct Mistake {
    pub(super) file: String,
    pub(super) origin: Origin,
    pub(super) key: String,
    pub(super) value: Option<String>,
    pub(super) problem: String,
    pub(super) hint: Option<String>,
}

impl Mistake {
    /// The line of the file, from 1; `None` for an override and for what is missing altogether.
    pub fn line(&self) -> Option<u32> {
        match self.origin {
            Origin::Line(line) => Some(line),
            _ => None,
        }
    }

    /// The dotted key, empty for an error of syntax.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin {
            Origin::File => write!(f, "{}: ", self.file)?,
            Origin::Line(line) => write!(f, "{}:{line}: ", self.file)?,
            Origin::Override => f.write_str("--set ")?,
            Origin::Flag(name) | Origin::Variable(name) => write!(f, "{name}: ")?,
        }
        match (&self.value, self.key.is_empty()) {
            (Some(value), _) => write!(f, "{} = {value}: ", self.key)?,
            (None, false) => write!(f, "{}: ", self.key)?,
            (None, true) => {}
        }
        f.write_str(&self.problem)?;
        match &self.hint {
            Some(hint) => write!(f, "; did you mean {hint}?"),
            None => Ok(()),
        }
    }
}

/// Every mistake of a study file, in the order of its lines; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct Mistakes(pub(super) Vec<Mistake>);

impl Mistakes {
    /// The mistakes, in the order of their lines, those of overrides last.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.0.iter()
    }
}

impl fmt::Display for Mistakes {
    /// One a line, without a line break at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, mistake) in self.0.iter().enumerate() {
            let line_break = if at == 0 { "" } else { "\n" };
            write!(f, "{line_break}{mistake}")?;
        }
        Ok(())
    }
}
