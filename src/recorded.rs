//! A run as its journal tells it, for commands that only read.

use crate::cluster::{Distant, RemoteStudy};
use crate::error::Error;
use crate::results::best_json;
use crate::run_folder::{FolderError, Lock, RunFolder};
use crate::scratch::Scratch;
use crate::study_file::StudyFile;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::path::Path;
use wallaby_actors::journal::{Recovery, read_journal};
use wallaby_actors::journal_actor::decode_records;
use wallaby_core::ids::Digest;
use wallaby_core::journal::{Entry, Manifest};
use wallaby_core::study::Study;
use wallaby_data::{Problem, Scaling};
use wallaby_train::Registry;

/// What the manifest keeps about the data, opaque to core.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// What the data asks of a model.
    pub(crate) problem: Problem,
    /// How features were scaled; `None` if they were not.
    pub(crate) scaling: Option<Scaling>,
}

/// A run that was read.
pub(crate) struct Recorded {
    pub(crate) folder: RunFolder,
    pub(crate) entries: Vec<Entry>,
    pub(crate) study: Study,
    pub(crate) recovery: Recovery,
    /// The number of the process that runs it, if one does.
    pub(crate) in_use: Option<String>,
    /// The right to the folder: nobody else uses it as long as this is used. `None` for
    /// a copy, and where the caller holds it.
    pub(crate) lock: Option<Lock>,
    /// Where the rest is, if this is a study of a cluster; `folder` then is one for the moment.
    pub(crate) distant: Option<Distant>,
}

/// How often a journal that is being written is copied before it is left alone: a copy that a
/// commit overtook is found damaged, and the next one is most likely whole.
const COPIES_MAX: usize = 5;

impl Recorded {
    /// Reads a run. The folder must not be in use. Where this process may not write, it reads
    /// a copy of the journal, because opening a journal writes to it.
    ///
    /// # Errors
    /// No run, a run in use, a damaged or newer journal.
    pub(crate) fn read(folder: RunFolder) -> Result<Self, Error> {
        folder.require()?;
        let lock = match folder.lock() {
            Err(error) if error.is_denied() => {
                let _lock = folder.lock_to_read()?;
                return Self::from_copy(&folder);
            }
            lock => lock?,
        };
        let recorded = Self::read_locked(folder, &lock)?;
        Ok(Self { lock: Some(lock), ..recorded })
    }

    /// As [`Recorded::read`], for those who go on holding the lock.
    ///
    /// # Errors
    /// A damaged or newer journal.
    pub(crate) fn read_locked(folder: RunFolder, _lock: &Lock) -> Result<Self, Error> {
        let journal = folder.journal();
        Self::from_journal(folder, &journal)
    }

    /// As [`Recorded::read`], but reads a run that is in use from a copy of its journal: the run
    /// as it was a moment ago. What another process writes is never touched.
    ///
    /// # Errors
    /// As [`Recorded::read`]; a run in use only if there is no reading it.
    pub(crate) fn look(folder: RunFolder) -> Result<Self, Error> {
        match Self::read(folder.clone()) {
            Err(Error::Folder(FolderError::InUse { path, process })) => {
                let looked = (0..COPIES_MAX).find_map(|_| Self::from_copy(&folder).ok());
                let Some(mut recorded) = looked else {
                    return Err(FolderError::InUse { path, process }.into());
                };
                recorded.in_use = Some(process);
                // That a copy was not closed in order is no news.
                recorded.recovery.torn = None;
                Ok(recorded)
            }
            read => read,
        }
    }

    fn from_copy(folder: &RunFolder) -> Result<Self, Error> {
        let scratch = Scratch::new(&std::env::temp_dir())?;
        let (journal, copy) = (folder.journal(), scratch.join("journal.redb"));
        std::fs::copy(&journal, &copy).map_err(|source| Error::file(&journal, source))?;
        Self::from_journal(folder.clone(), &copy)
    }

    fn from_journal(folder: RunFolder, journal: &Path) -> Result<Self, Error> {
        let (records, recovery) = read_journal(journal)?;
        let entries = decode_records(records)?;
        let study = replay(&folder, &entries)?;
        Ok(Self { folder, entries, study, recovery, in_use: None, lock: None, distant: None })
    }

    /// A study of a cluster, as if its run folder lay here.
    ///
    /// # Errors
    /// No answer, no such study, no room for what is needed for a moment.
    pub(crate) fn of_cluster(remote: RemoteStudy) -> Result<Self, Error> {
        let (entries, study, distant) = Distant::new(remote)?;
        let folder = RunFolder::at(&distant.folder());
        let recovery = Recovery { entries: entries.len() as u64, torn: None };
        let distant = Some(distant);
        Ok(Self { folder, entries, study, recovery, in_use: None, lock: None, distant })
    }

    /// What the user calls it: the run folder, or the name of a study of a cluster.
    pub(crate) fn title(&self) -> String {
        match &self.distant {
            Some(distant) => distant.name().to_owned(),
            None => self.folder.path().display().to_string(),
        }
    }

    /// The best trial for scripts; a study of a cluster has its weights nowhere yet.
    pub(crate) fn best_json(&self, weights: Option<Digest>) -> Option<Json> {
        let mut best = best_json(&self.folder, &self.study, weights, None)?;
        if let (Some(_), Some(fields)) = (&self.distant, best.as_object_mut()) {
            fields.insert("weights".to_owned(), Json::Null);
        }
        Some(best)
    }

    /// Brings the state of the best trial here, if it is elsewhere.
    ///
    /// # Errors
    /// No answer. That it is on no node is none: it can be made again.
    pub(crate) fn bring_best(&self) -> Result<(), Error> {
        let best = self.study.best().map(|(_, best)| best.state);
        self.bring(best.into_iter())
    }

    /// Brings the data here, if it is elsewhere.
    ///
    /// # Errors
    /// No answer. That it is on no node is none: it can be read from its source.
    pub(crate) fn bring_data(&self) -> Result<(), Error> {
        let Manifest { partitions, validation, .. } = &self.study.creation.manifest;
        self.bring(partitions.iter().chain([validation]).map(|blob| blob.digest))
    }

    fn bring(&self, digests: impl Iterator<Item = Digest>) -> Result<(), Error> {
        match &self.distant {
            Some(distant) => distant.bring(digests, &self.folder.blobs()),
            None => Ok(()),
        }
    }

    /// The study file that the run was started from.
    pub(crate) fn study_file(&self, registry: &Registry) -> Result<StudyFile, Error> {
        study_file(&self.study, registry)
    }

    /// What is known of the data.
    pub(crate) fn facts(&self) -> Result<Facts, Error> {
        facts(&self.folder, &self.study)
    }
}

/// Folds a journal.
pub(crate) fn replay(folder: &RunFolder, entries: &[Entry]) -> Result<Study, Error> {
    if entries.is_empty() {
        let why = " yet: nothing is recorded, the same run or resume goes on".to_owned();
        return Err(Error::NoResult { run: folder.path().to_owned(), why });
    }
    let study = Study::replay(entries).map_err(|(at, why)| Error::Contradiction {
        path: folder.journal(),
        at,
        why: why.to_string(),
    })?;
    if folder.require()?.fingerprint != study.creation.fingerprint.to_string() {
        let why = "it names another study than the journal beside it".to_owned();
        return Err(FolderError::Damaged { path: folder.join("run.json"), why }.into());
    }
    Ok(study)
}

/// The study file in a journal.
pub(crate) fn study_file(study: &Study, registry: &Registry) -> Result<StudyFile, Error> {
    let families: Vec<_> = registry.families().map(|f| (f.name(), f.parameters())).collect();
    StudyFile::parse(&study.creation.document, "study.json", &[], &families)
        .map_err(Error::Mistakes)
}

/// The facts in a manifest.
pub(crate) fn facts(folder: &RunFolder, study: &Study) -> Result<Facts, Error> {
    serde_json::from_str(&study.creation.manifest.problem).map_err(|error| Error::Contradiction {
        path: folder.journal(),
        at: 0,
        why: error.to_string(),
    })
}
