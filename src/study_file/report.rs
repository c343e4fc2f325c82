//! Collects the mistakes of one check. Decides nothing about what is one.

use super::mistake::{Mistake, Mistakes};
use super::node::Origin;
use super::section::Sections;

/// The mistakes found so far.
pub(crate) struct Report {
    file: String,
    /// What the file may say, for hints about keys in the wrong place.
    pub(crate) sections: Sections,
    mistakes: Vec<Mistake>,
}

impl Report {
    pub(crate) fn new(file: &str, sections: Sections) -> Self {
        Self { file: file.to_owned(), sections, mistakes: Vec::new() }
    }

    /// Adds a mistake about `key`.
    pub(crate) fn add(
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
    pub(crate) fn finish<T>(self, checked: T) -> Result<T, Mistakes> {
        if self.mistakes.is_empty() { Ok(checked) } else { Err(self.into_mistakes()) }
    }

    /// The mistakes in the order of their lines.
    pub(crate) fn into_mistakes(mut self) -> Mistakes {
        self.mistakes.sort_by(|a, b| (a.origin, &a.key).cmp(&(b.origin, &b.key)));
        Mistakes(self.mistakes)
    }
}
