//! One key of the file with its value, read as the type that is expected there.
//! What does not fit goes to the report; the caller goes on with `None`.

use super::nearest::nearest;
use super::node::{Content, Node};
use super::report::Report;
use std::fmt::Display;
use std::ops::RangeInclusive;

/// The longest value shown in a message, in characters.
const SHOWN: usize = 60;

/// Words of the file and what they stand for.
pub(crate) type Words<T> = [(&'static str, T)];

/// A value under its dotted key.
#[derive(Clone)]
pub(crate) struct Field<'a> {
    pub(crate) key: String,
    pub(crate) node: &'a Node,
}

impl<'a> Field<'a> {
    /// An element of this list, or a member of this table, that is reported under this key.
    pub(crate) fn item(&self, node: &'a Node) -> Field<'a> {
        Field { key: self.key.clone(), node }
    }

    /// Reports this value as wrong.
    pub(crate) fn wrong(&self, problem: impl Into<String>, report: &mut Report) {
        self.wrong_with_hint(problem, None, report);
    }

    /// Reports this value as wrong, with a guess at what was meant.
    pub(crate) fn wrong_with_hint(
        &self,
        problem: impl Into<String>,
        hint: Option<String>,
        report: &mut Report,
    ) {
        report.add(self.node.origin, &self.key, Some(self.shown()), problem, hint);
    }

    /// Reports something about this key for which its value need not be repeated.
    pub(crate) fn remark(&self, problem: impl Into<String>, report: &mut Report) {
        report.add(self.node.origin, &self.key, None, problem, None);
    }

    fn shown(&self) -> String {
        let text = self.node.content.to_string();
        match text.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }

    /// A text that is not empty; `expected` says what it is for.
    pub(crate) fn text(&self, expected: &str, report: &mut Report) -> Option<&'a str> {
        match &self.node.content {
            Content::Text(text) if !text.is_empty() => Some(text),
            _ => {
                self.wrong(format!("expected {expected}"), report);
                None
            }
        }
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, report: &mut Report) -> Option<bool> {
        match self.node.content {
            Content::Bool(flag) => Some(flag),
            _ => {
                self.wrong("expected true or false", report);
                None
            }
        }
    }

    /// A whole number of `range`.
    pub(crate) fn whole<T>(&self, range: RangeInclusive<T>, report: &mut Report) -> Option<T>
    where
        T: TryFrom<i128> + PartialOrd + Display,
    {
        let number = match self.node.content {
            Content::Int(number) => T::try_from(number).ok(),
            _ => None,
        };
        let fitting = number.filter(|number| range.contains(number));
        if fitting.is_none() {
            let (low, high) = (range.start(), range.end());
            self.wrong(format!("expected a whole number from {low} to {high}"), report);
        }
        fitting
    }

    /// A number above 0 and below 1.
    pub(crate) fn share(&self, report: &mut Report) -> Option<f64> {
        match self.node.content {
            Content::Float(share) if share > 0.0 && share < 1.0 => Some(share),
            _ => {
                self.wrong("expected a number above 0 and below 1", report);
                None
            }
        }
    }

    /// One of these words.
    pub(crate) fn word<T: Clone>(&self, words: &Words<T>, report: &mut Report) -> Option<T> {
        let names = words.iter().map(|(name, _)| *name);
        let given = match &self.node.content {
            Content::Text(text) => text.as_str(),
            _ => "",
        };
        if let Some((_, meaning)) = words.iter().find(|(name, _)| *name == given) {
            return Some(meaning.clone());
        }
        let hint = nearest(given, names.clone()).map(|word| format!("{word:?}"));
        let names: Vec<&str> = names.collect();
        self.wrong_with_hint(format!("expected one of {}", names.join(", ")), hint, report);
        None
    }
}

/// The word that stands for `meaning`.
pub(crate) fn word_for<T: PartialEq>(words: &Words<T>, meaning: &T) -> &'static str {
    let found = words.iter().find(|(_, other)| other == meaning);
    found.map(|(word, _)| *word).expect("every meaning has a word in its table")
}
