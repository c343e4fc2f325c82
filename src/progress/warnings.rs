//! For `--quiet`: nothing but what went wrong, on standard error.

use super::Progress;
use super::news::news;
use std::io::Write;
use wallaby_core::journal::{Entry, Record};
use wallaby_core::study::Study;

/// Writes a line for each failed unit.
pub(crate) struct Warnings<W>(pub(crate) W);

impl<W: Write + Send> Progress for Warnings<W> {
    fn entry(&mut self, study: &Study, entry: &Entry) {
        let failed = matches!(entry.record, Record::UnitFailed { .. });
        if let Some(news) = news(study, entry).filter(|_| failed) {
            // A reader that has gone away is no reason to stop the study.
            let _ = writeln!(self.0, "wallaby: {news}");
        }
    }
}
