//! `metrics.csv` in the run folder: a line for each validated epoch, written as they come.

use super::Progress;
use crate::error::Error;
use crate::run_folder::RunFolder;
use std::fs::File;
use std::io::Write;
use wallaby_core::journal::{Entry, Record};
use wallaby_core::study::Study;
use wallaby_core::trial::{EpochResult, Trial};
use wallaby_core::unit::Step;

/// Appends to `metrics.csv`.
pub(crate) struct MetricsFile {
    file: File,
    names: Vec<String>,
}

impl MetricsFile {
    /// Writes what the study has so far, and goes on from there.
    pub(crate) fn open(folder: &RunFolder, study: &Study, metrics: &[&str]) -> Result<Self, Error> {
        folder.write("metrics.csv", metrics_csv(study, metrics).as_bytes())?;
        let path = folder.join("metrics.csv");
        let file = File::options().append(true).open(&path);
        let file = file.map_err(|source| Error::file(&path, source))?;
        Ok(Self { file, names: columns(metrics) })
    }
}

impl Progress for MetricsFile {
    fn entry(&mut self, study: &Study, entry: &Entry) {
        let Record::UnitCommitted(commit) = &entry.record else { return };
        let trial = study.trial(commit.unit.trial).filter(|_| commit.unit.step == Step::Validate);
        if let Some((trial, result)) = trial.and_then(|trial| Some((trial, trial.results.last()?)))
        {
            // The journal has it too; the file is written anew at the end.
            let _ = self.file.write_all(line(trial, result, &self.names).as_bytes());
        }
    }
}

/// The whole file.
pub(crate) fn metrics_csv(study: &Study, metrics: &[&str]) -> String {
    let names = columns(metrics);
    let mut text = format!("trial,epoch,{}\n", names.join(","));
    for trial in &study.trials {
        text.extend(trial.results.iter().map(|result| line(trial, result, &names)));
    }
    text
}

fn columns(metrics: &[&str]) -> Vec<String> {
    metrics.iter().chain(&["train_loss"]).map(|name| (*name).to_owned()).collect()
}

fn line(trial: &Trial, result: &EpochResult, names: &[String]) -> String {
    let value = |name: &String| result.metrics.get(name).map(f64::to_string).unwrap_or_default();
    let values: Vec<String> = names.iter().map(value).collect();
    format!("{},{},{}\n", trial.id.0, result.epoch.0, values.join(","))
}
