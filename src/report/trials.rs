//! The trials as columns: rank, end, and their metrics by epoch.

use super::numbers::{differences, short};
use super::running_time::RunningTime;
use crate::progress::end_word;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use wallaby_core::ids::{Epoch, TrialId};
use wallaby_core::journal::{End, Entry, Record};
use wallaby_core::study::Study;
use wallaby_core::trial::Trial;
use wallaby_core::unit::Step;

/// All trials; each column is indexed by their number.
#[derive(Debug, Default, Serialize)]
pub(super) struct Trials {
    /// Their numbers, best first.
    ranking: Vec<u32>,
    ends: Vec<&'static str>,
    /// Why those failed that did.
    failures: BTreeMap<u32, String>,
    objective: Vec<Option<f64>>,
    best_epoch: Vec<Option<u32>>,
    /// A list of values by epoch for each trial, for each metric.
    curves: BTreeMap<String, Vec<Vec<Option<f64>>>>,
    /// Running time in milliseconds at which each of these epochs was validated, as differences.
    validated: Vec<Vec<i64>>,
}

impl Trials {
    /// The trials of a study.
    pub(super) fn of(entries: &[Entry], study: &Study, time: &RunningTime) -> Self {
        let trials = &study.trials;
        let when = validations(entries, time);
        let best = |trial: &Trial| trial.best;
        Self {
            ranking: study.ranking().iter().map(|trial| trial.id.0).collect(),
            ends: trials.iter().map(|trial| end_word(trial.end.as_ref())).collect(),
            failures: trials.iter().filter_map(failure).collect(),
            objective: trials.iter().map(|trial| short(best(trial)?.value)).collect(),
            best_epoch: trials.iter().map(|trial| Some(best(trial)?.epoch.0)).collect(),
            curves: curves(trials),
            validated: trials.iter().map(|trial| validated(trial, &when)).collect(),
        }
    }
}

fn failure(trial: &Trial) -> Option<(u32, String)> {
    match &trial.end {
        Some(End::Failed(failure)) => Some((trial.id.0, failure.to_string())),
        _ => None,
    }
}

fn curves(trials: &[Trial]) -> BTreeMap<String, Vec<Vec<Option<f64>>>> {
    let results = trials.iter().flat_map(|trial| &trial.results);
    let names: BTreeSet<&String> = results.flat_map(|result| result.metrics.keys()).collect();
    let curve = |trial: &Trial, name: &str| {
        let values = trial.results.iter().map(|result| result.metrics.get(name));
        values.map(|value| value.copied().and_then(short)).collect()
    };
    let all = |name: &String| trials.iter().map(|trial| curve(trial, name)).collect();
    names.into_iter().map(|name| (name.clone(), all(name))).collect()
}

/// When each epoch was validated; after a roll-back, when it was validated last.
fn validations(entries: &[Entry], time: &RunningTime) -> BTreeMap<(TrialId, Epoch), u64> {
    let mut when = BTreeMap::new();
    for Entry { at, record } in entries {
        if let Record::UnitCommitted(commit) = record
            && commit.unit.step == Step::Validate
        {
            when.insert((commit.unit.trial, commit.unit.epoch), time.at(*at));
        }
    }
    when
}

fn validated(trial: &Trial, when: &BTreeMap<(TrialId, Epoch), u64>) -> Vec<i64> {
    let epochs = trial.results.iter().map(|result| (trial.id, result.epoch));
    differences(epochs.map(|epoch| when.get(&epoch).copied().unwrap_or(0)))
}
