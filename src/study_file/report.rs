//! Collects the mistakes of one check. Decides nothing about what is one.

use super::mistake::{Mistake, Mistakes};
use super::node::Origin;

/// The mistakes found so far.
pub(super) struct Report {
    file: String,
    mistakes: Vec<Mistake>,
}

impl Report {
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), mistakes: Vec::new() }
    }

    /// Adds a mistake about `key`.
    pub(super) fn add(
        &mut self,
        origin: Origin,
        key: &str,
        value: Option<String>,
        problem: impl Into<String>,
        hint: Option<String>,
    ) {
        let (file, key, problem) = (self.file.clone(), key.to_owned(), problem.into());
        self.mistakes.push(Mistake { file, origin, key, value, problem, hint });
    }

    /// `checked`, if there is no mistake.
    pub(super) fn finish<T>(self, checked: T) -> Result<T, Mistakes> {
        if self.mistakes.is_empty() { Ok(checked) } else { Err(self.into_mistakes()) }
    }

    /// The mistakes in the order of their lines.
    pub(super) fn into_mistakes(mut self) -> Mistakes {
        self.mistakes.sort_by(|a, b| (a.origin, &a.key).cmp(&(b.origin, &b.key)));
        Mistakes(self.mistakes)
    }
}
