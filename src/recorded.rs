//! A run as its journal tells it, for commands that only read.

use crate::error::Error;
use crate::run_folder::{Lock, RunFolder};
use crate::study_file::StudyFile;
use serde::{Deserialize, Serialize};
use wallaby_actors::journal::{Recovery, read_journal};
use wallaby_actors::journal_actor::decode_records;
use wallaby_core::journal::Entry;
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
    /// The right to the folder: nobody else uses it as long as this is used.
    pub(crate) lock: Option<Lock>,
}

impl Recorded {
    /// Reads a run. The folder must not be in use.
    ///
    /// # Errors
    /// No run, a run in use, a damaged or newer journal.
    pub(crate) fn read(folder: RunFolder) -> Result<Self, Error> {
        folder.require()?;
        let lock = Some(folder.lock()?);
        let (records, recovery) = read_journal(&folder.journal())?;
        let entries = decode_records(records)?;
        let study = replay(&folder, &entries)?;
        Ok(Self { folder, entries, study, recovery, lock })
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
    Study::replay(entries).map_err(|(at, why)| Error::Contradiction {
        path: folder.journal(),
        at,
        why: why.to_string(),
    })
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
