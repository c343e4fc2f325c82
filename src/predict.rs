//! Answers of the best model of a run for rows of a file. Scales as in training; trains nothing,
//! except that a best model that was lost is made again from the journal.

use crate::best_state::recorded_best_state;
use crate::error::Error;
use crate::launch::workbench;
use crate::recorded::{Facts, Recorded};
use std::path::Path;
use std::sync::Arc;
use wallaby_actors::blobs::BlobStore;
use wallaby_actors::workbench::Workbench;
use wallaby_core::ids::TrialId;
use wallaby_core::seed::Seed;
use wallaby_data::Task;
use wallaby_train::{Registry, Unit, UnitError};

/// Answers, row after row.
pub(crate) struct Answers {
    facts: Facts,
    /// Probabilities of all classes, or one value, for each row.
    numbers: Vec<f32>,
}

/// The answers of the best model for the rows of the file `data`, which is laid out as the data
/// of the study, with or without the target. `warn` is told if the model has to be made again.
///
/// # Errors
/// No result yet, wrong rows, a family that cannot predict, a model that is lost.
pub(crate) fn predict(
    recorded: &Recorded,
    registry: &Registry,
    data: &Path,
    warn: impl Fn(&str),
) -> Result<Answers, Error> {
    let (file, facts) = (recorded.study_file(registry)?, recorded.facts()?);
    let mut source = file.data.source();
    source.path = data.to_owned();
    recorded.bring_best()?;
    let scaling = facts.scaling.as_ref();
    let features = source.read_features(&facts.problem, scaling)?;
    let blobs = Arc::new(BlobStore::open(&recorded.folder.blobs())?);
    let bench = Arc::new(workbench(&recorded.study, &file, &facts, blobs, registry)?);
    let (trial, state) = recorded_best_state(recorded, &bench, warn)?;
    let numbers = answer(recorded, &bench, trial, &state, &features)?;
    let answers = Answers { facts, numbers };
    match answers.unanswered() {
        None => Ok(answers),
        Some(row) => {
            let Answers { facts, .. } = &answers;
            Err(source.why_no_answer(&facts.problem, facts.scaling.as_ref(), row)?.into())
        }
    }
}

fn answer(
    recorded: &Recorded,
    bench: &Workbench,
    trial: TrialId,
    state: &[u8],
    features: &[f32],
) -> Result<Vec<f32>, Error> {
    let found = recorded.study.trial(trial);
    let config = found.map(|trial| &trial.config).expect("the best trial is one of the study");
    let seed = Seed::of_trial(bench.seed, trial);
    let unit = Unit {
        config,
        problem: &bench.problem,
        trial_seed: seed,
        unit_seed: seed.child("prediction"),
        state: Some(state),
        device: &bench.device,
    };
    let numbers = bench.family.predict(&unit, features);
    numbers.map_err(|error| match error {
        UnitError::NoPrediction { .. } => Error::Usage(error.to_string()),
        _ => Error::Unexpected(format!("{trial}: {error}")),
    })
}

impl Answers {
    /// As CSV with a header: `class` and `probability_LABEL` for each label, or `value`.
    pub(crate) fn to_csv(&self) -> Vec<u8> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let whole = "rows of one length into memory";
        match &self.facts.problem.task {
            Task::Regression => {
                writer.write_record(["value"]).expect(whole);
                for value in &self.numbers {
                    writer
                        .write_record([format!("{:?}", self.facts.problem.restore(*value))])
                        .expect(whole);
                }
            }
            Task::Classification { labels } => {
                let probabilities = labels.iter().map(|label| format!("probability_{label}"));
                let head = std::iter::once("class".to_owned()).chain(probabilities);
                writer.write_record(head).expect(whole);
                for row in self.numbers.chunks_exact(labels.len().max(1)) {
                    let cells = row.iter().map(|number| format!("{number:?}"));
                    let label = labels[likeliest(row)].clone();
                    writer.write_record(std::iter::once(label).chain(cells)).expect(whole);
                }
            }
        }
        writer.into_inner().expect(whole)
    }

    /// The first row, from 0, to which the model says something that is no finite number.
    fn unanswered(&self) -> Option<usize> {
        let problem = &self.facts.problem;
        let said = |number: &f32| match problem.task {
            Task::Regression => problem.restore(*number).is_finite(),
            Task::Classification { .. } => number.is_finite(),
        };
        let at = self.numbers.iter().position(|number| !said(number))?;
        Some(at / problem.outputs().max(1))
    }

    /// How many rows were answered.
    pub(crate) fn rows(&self) -> usize {
        self.numbers.len() / self.facts.problem.outputs().max(1)
    }
}

/// The class of the highest probability, the first of equals, as validation counts it.
fn likeliest(row: &[f32]) -> usize {
    let mut best = 0;
    for (class, probability) in row.iter().enumerate() {
        if *probability > row[best] {
            best = class;
        }
    }
    best
}
