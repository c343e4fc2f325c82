//! Does a trial again from its journaled visits and compares every state and every metric, bit
//! by bit. Uses the trainers' own computation, without their actors, and writes nothing but
//! partitions that were damaged.

use crate::error::Error;
use crate::launch::workbench;
use crate::recorded::Recorded;
use std::collections::BTreeMap;
use std::sync::Arc;
use wallaby_actors::blobs::BlobStore;
use wallaby_actors::workbench::Workbench;
use wallaby_core::ids::{Digest, TrialId};
use wallaby_core::journal::{Commit, Entry, Record};
use wallaby_core::study::Study;
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
}

impl Verifier {
    /// Of a journal that folds to `study`.
    pub(crate) fn new(entries: Vec<Entry>, study: Study, workbench: Arc<Workbench>) -> Self {
        Self { entries, study, workbench }
    }

    /// Of a run that was read.
    pub(crate) fn of_run(recorded: Recorded, registry: &Registry) -> Result<Self, Error> {
        let file = recorded.study_file(registry)?;
        let facts = recorded.facts()?;
        let blobs = Arc::new(BlobStore::open(&recorded.folder.blobs())?);
        let workbench = workbench(&recorded.study, &file, &facts, blobs, registry)?;
        Ok(Self::new(recorded.entries, recorded.study, Arc::new(workbench)))
    }

    /// The trials of the run.
    pub(crate) fn trials(&self) -> Vec<TrialId> {
        self.study.trials.iter().map(|trial| trial.id).collect()
    }

    /// Whether this machine is of the numerics class that the run was recorded on; a run that
    /// was recorded on several is on none.
    pub(crate) fn same_numerics(&self) -> Result<bool, Error> {
        let own = canary(&self.workbench.device).map_err(|e| Error::Unexpected(e.to_string()))?;
        Ok(self.study.numerics == [own])
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
        Ok(match self.retrace(id, Some(wanted))? {
            Retraced::Found(state) => Ok(state),
            Retraced::Different(what) => Err(what),
            Retraced::Whole(_) => Err(format!("{id} never had state {wanted}")),
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
        let input = trial.newest().map(|checkpoint| checkpoint.state);
        let input = input.and_then(|digest| Some((digest, states.get(&digest)?.as_slice())));
        let (next, metrics) = match self.workbench.compute(&unit, &trial.config, input) {
            Ok(computed) => computed,
            Err(failure) => return Ok(Some(format!("{unit}: {failure}"))),
        };
        let expected = commit.output.state;
        if let Some(next) = next {
            let found = Digest::of(&next);
            if found != expected {
                return Ok(Some(format!("{unit}: state {found}, journaled {expected}")));
            }
            states.insert(found, next);
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

fn commit_of(entry: &Entry, id: TrialId) -> Option<&Commit> {
    match &entry.record {
        Record::UnitCommitted(commit) if commit.unit.trial == id => Some(commit),
        _ => None,
    }
}

fn unknown(id: TrialId) -> Error {
    Error::Unexpected(format!("{id} is not in the journal"))
}
