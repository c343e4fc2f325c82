//! Does a trial again from its journaled visits and compares every state and every metric, bit
//! by bit. Uses the trainers' own computation, without their actors, and writes nothing but
//! partitions that were damaged.

use crate::cluster::Distant;
use crate::error::Error;
use crate::launch::workbench;
use crate::recorded::Recorded;
use crate::run_folder::Lock;
use std::collections::BTreeMap;
use std::sync::Arc;
use wallaby_actors::blobs::BlobStore;
use wallaby_actors::workbench::Workbench;
use wallaby_core::ids::{Digest, TrialId};
use wallaby_core::journal::{Commit, Entry, Record};
use wallaby_core::study::Study;
use wallaby_core::trial::Trial;
use wallaby_core::unit::Failure;
use wallaby_train::{Registry, canary};

/// What came of doing a trial again.
pub(crate) enum Verdict {
    /// Every bit is the same; so many units were done.
    Equal(usize),
    /// The first difference, in words.
    Different(String),
}

/// How far doing a trial again has come.
enum Retraced {
    /// To its end; so many units were done.
    Whole(usize),
    /// To the state that was looked for.
    Found(Vec<u8>),
    /// To the first difference, in words.
    Different(String),
}

/// Verifies trials of one run.
pub(crate) struct Verifier {
    entries: Vec<Entry>,
    study: Study,
    workbench: Arc<Workbench>,
    /// Of a run that was read: its blobs are nobody else's as long as it is verified.
    _lock: Option<Lock>,
    /// Of a study of a cluster: its blobs are here as long as it is verified.
    _distant: Option<Distant>,
}

impl Verifier {
    /// Of a journal that folds to `study`.
    pub(crate) fn new(entries: Vec<Entry>, study: Study, workbench: Arc<Workbench>) -> Self {
        Self { entries, study, workbench, _lock: None, _distant: None }
    }

    /// Of a run that was read.
    pub(crate) fn of_run(recorded: Recorded, registry: &Registry) -> Result<Self, Error> {
        recorded.bring_data()?;
        let file = recorded.study_file(registry)?;
        let facts = recorded.facts()?;
        let blobs = Arc::new(BlobStore::open(&recorded.folder.blobs())?);
        let workbench = workbench(&recorded.study, &file, &facts, blobs, registry)?;
        let verifier = Self::new(recorded.entries, recorded.study, Arc::new(workbench));
        Ok(Self { _lock: recorded.lock, _distant: recorded.distant, ..verifier })
    }

    /// The trials of the run.
    pub(crate) fn trials(&self) -> Vec<TrialId> {
        self.study.trials.iter().map(|trial| trial.id).collect()
    }

    /// Whether this machine is of the numerics class that the run was recorded on; a run that
    /// was recorded on several is on none.
    pub(crate) fn same_numerics(&self) -> Result<bool, Error> {
        let own = canary(&self.workbench.device).map_err(|e| Error::Unexpected(e.to_string()))?;
        Ok(self.study.numerics.iter().all(|class| *class == own))
    }

    /// Does a trial again.
    pub(crate) fn verify(&self, id: TrialId) -> Result<Verdict, Error> {
        Ok(match self.retrace(id, None)? {
            Retraced::Whole(units) => Verdict::Equal(units),
            Retraced::Different(what) => Verdict::Different(what),
            Retraced::Found(_) => unreachable!("no state was looked for"),
        })
    }

    /// Does a trial again until it has this state; the inner error says why it does not get there.
    pub(crate) fn state_of(
        &self,
        id: TrialId,
        wanted: Digest,
    ) -> Result<Result<Vec<u8>, String>, Error> {
        Ok(match self.retrace(id, Some(wanted)) {
            Ok(Retraced::Found(state)) => Ok(state),
            Ok(Retraced::Different(what)) => Err(what),
            Ok(Retraced::Whole(_)) => Err(format!("{id} never had state {wanted}")),
            // With its data the way back to the state is lost.
            Err(Error::NotRedone { failure: failure @ Failure::DataUnusable(_), unit }) => {
                Err(format!("{unit}: {failure}"))
            }
            Err(error) => return Err(error),
        })
    }

    fn retrace(&self, id: TrialId, wanted: Option<Digest>) -> Result<Retraced, Error> {
        let first = self.entries.first().map(|entry| &entry.record);
        let Some(Record::StudyCreated(creation)) = first else {
            return Err(Error::Unexpected("the journal has no beginning".to_owned()));
        };
        let mut study = Study::new((**creation).clone());
        let mut states: BTreeMap<Digest, Vec<u8>> = BTreeMap::new();
        let mut units = 0;
        for entry in self.entries.iter().skip(1) {
            if let Some(commit) = commit_of(entry, id) {
                units += 1;
                if let Some(difference) = self.redo(&study, commit, &mut states)? {
                    return Ok(Retraced::Different(difference));
                }
                if let Some(state) = wanted.and_then(|wanted| states.remove(&wanted)) {
                    return Ok(Retraced::Found(state));
                }
            }
            study.apply(entry).map_err(|why| Error::Unexpected(why.to_string()))?;
            let trial = study.trial(id).filter(|_| commit_of(entry, id).is_some());
            if let Some(trial) = trial {
                states.retain(|state, _| trial.checkpoints.iter().any(|c| c.state == *state));
            }
        }
        Ok(Retraced::Whole(units))
    }

    /// Does one unit again; says what differs.
    fn redo(
        &self,
        study: &Study,
        commit: &Commit,
        states: &mut BTreeMap<Digest, Vec<u8>>,
    ) -> Result<Option<String>, Error> {
        let unit = commit.unit;
        let trial = study.trial(unit.trial).ok_or_else(|| unknown(unit.trial))?;
        let input = input_of(trial, commit, states)?;
        let (next, metrics) = match self.workbench.compute(&unit, &trial.config, input) {
            Ok(computed) => computed,
            Err(failure) if is_verdict(&failure) => return Ok(Some(format!("{unit}: {failure}"))),
            Err(failure) => return Err(Error::NotRedone { unit, failure }),
        };
        // A validation leaves the state as it is.
        let found = next.as_deref().map(Digest::of).or(input.map(|(digest, _)| digest));
        let expected = commit.output.state;
        if let Some(found) = found.filter(|found| *found != expected) {
            return Ok(Some(format!("{unit}: state {found}, journaled {expected}")));
        }
        if let Some(next) = next {
            states.insert(expected, next);
        }
        let same = |(name, value): (&String, &f64)| {
            metrics.get(name).is_some_and(|found| found.to_bits() == value.to_bits())
        };
        let differs = commit.output.metrics.iter().find(|metric| !same(*metric));
        Ok(differs.map(|(name, value)| {
            format!("{unit}: {name} {:?}, journaled {value}", metrics.get(name))
        }))
    }
}

/// The state that a unit starts from; `None` for the untrained one.
fn input_of<'a>(
    trial: &Trial,
    commit: &Commit,
    states: &'a BTreeMap<Digest, Vec<u8>>,
) -> Result<Option<(Digest, &'a [u8])>, Error> {
    let Some(state) = trial.newest().map(|checkpoint| checkpoint.state) else { return Ok(None) };
    let bytes = states.get(&state).ok_or(Error::StateUnknown { unit: commit.unit, state })?;
    Ok(Some((state, bytes)))
}

/// Whether a failure says that the bits are others; the rest is the machine's.
fn is_verdict(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Diverged(_)
            | Failure::Refused(_)
            | Failure::Panicked(_)
            | Failure::StateUnusable { .. }
    )
}

fn commit_of(entry: &Entry, id: TrialId) -> Option<&Commit> {
    match &entry.record {
        Record::UnitCommitted(commit) if commit.unit.trial == id => Some(commit),
        _ => None,
    }
}

fn unknown(id: TrialId) -> Error {
    Error::Unexpected(format!("{id} is not in the journal"))
}
