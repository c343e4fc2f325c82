//! For `--quiet`: nothing but what went wrong, on standard error.

use super::Progress;
use super::news::news;
use std::io::Write;
use wallaby_core::journal::{Entry, Record};
use wallaby_core::study::Study;
use wallaby_core::unit::Failure;

/// Writes a line for each failed unit; one that was lost with its process is no damage.
pub(crate) struct Warnings<W>(pub(crate) W);

impl<W: Write + Send> Progress for Warnings<W> {
    fn entry(&mut self, study: &Study, entry: &Entry) {
        let failed = match &entry.record {
            Record::UnitFailed { failure, .. } => *failure != Failure::TrainerLost,
            _ => false,
        };
        if let Some(news) = news(study, entry).filter(|_| failed) {
            // A reader that has gone away is no reason to stop the study.
            let _ = writeln!(self.0, "wallaby: {news}");
        }
    }
}
