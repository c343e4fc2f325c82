//! What happens to a study out of the ordinary, in words: the same on a terminal as in a file.

use wallaby_core::ids::Epoch;
use wallaby_core::journal::{End, Entry, Record};
use wallaby_core::study::Study;
use wallaby_core::unit::Failure;

/// A line for a failure, a roll-back, or a trial that ends early; none for anything else.
pub(crate) fn news(study: &Study, entry: &Entry) -> Option<String> {
    match &entry.record {
        Record::UnitFailed { unit, failure, .. } => Some(format!("{unit}: {failure}")),
        Record::TrialRolledBack { trial, epoch, visited } => {
            let from = if (*epoch, *visited) == (Epoch(1), 0) {
                "from its start".to_owned()
            } else if *visited == 0 {
                format!("from the start of {epoch}")
            } else {
                format!("from {epoch} after {visited} partitions")
            };
            Some(format!("{trial} goes on {from}"))
        }
        Record::TrialEnded { trial, end: End::Stopped } => {
            let epoch = study.trial(*trial).map_or(Epoch(0), |trial| trial.epoch);
            Some(format!("{trial} stopped by the policy after {epoch}"))
        }
        Record::TrialEnded { trial, end: End::Failed(failure) } => {
            let again = if matches!(failure, Failure::TrainerLost) { " too often" } else { "" };
            Some(format!("{trial} failed{again}; the study goes on"))
        }
        _ => None,
    }
}
