//! What a run shows while it runs. One implementation a manner.

mod events;
mod live;
mod metrics_file;
mod news;
mod pace;
mod plain;
mod warnings;

pub(crate) use events::{END_WORDS, Events, end_word, event_now, pause_words};
pub(crate) use live::{Live, Stage, Surroundings};
pub(crate) use metrics_file::{MetricsFile, metrics_csv};
pub(crate) use plain::{Plain, duration, number};
pub(crate) use warnings::Warnings;

use wallaby_core::journal::Entry;
use wallaby_core::study::Study;

/// Sees every record of a study in order, each with the study as it is after it.
pub(crate) trait Progress: Send {
    /// A record has become durable.
    fn entry(&mut self, study: &Study, entry: &Entry);
}

/// Several at once.
pub(crate) struct All(pub(crate) Vec<Box<dyn Progress>>);

impl Progress for All {
    fn entry(&mut self, study: &Study, entry: &Entry) {
        self.0.iter_mut().for_each(|progress| progress.entry(study, entry));
    }
}

/// How much of a study is done, in units: done and expected. Trials that ended early count whole.
pub(crate) fn extent(study: &Study) -> (f64, f64) {
    let spec = &study.creation.spec;
    let units = f64::from(study.partitions()) + 1.0;
    let whole = units * f64::from(spec.budget.epochs);
    let done = study.trials.iter().map(|trial| match trial.end {
        Some(_) => whole,
        None => f64::from(trial.epoch.0 - 1) * units + trial.visited.len() as f64,
    });
    let trials = spec.trials_max().max(study.trials.len() as u64);
    (done.sum(), whole * trials as f64)
}
