//! One line of the live view: its words and how they stand out. Knows no escape codes.

use console::{measure_text_width, truncate_str};

/// How a line stands out where colours are welcome; without them it loses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Like all text.
    Plain,
    /// The bar.
    Progress,
    /// What people look for.
    Strong,
    /// What nobody needs to look at.
    Dim,
}

/// A line without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) tone: Tone,
}

impl Line {
    /// `text` in at most `width` columns: cut short with a `…` if need be.
    pub(crate) fn new(text: &str, tone: Tone, width: usize) -> Self {
        let fitting = truncate_str(text.trim_end(), width, if width > 0 { "…" } else { "" });
        Self { text: fitting.into_owned(), tone }
    }

    /// How many columns it takes.
    pub(crate) fn width(&self) -> usize {
        measure_text_width(&self.text)
    }
}
