//! What a run folder says, read with the program's own library: journal, study, blobs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use wallaby::wallaby_core::ids::Digest;
use wallaby::wallaby_core::journal::{Entry, Record};
use wallaby::wallaby_core::study::Study;
use wallaby::wallaby_core::unit::{Step, Unit};
use wallaby_actors::journal::read_journal;
use wallaby_actors::journal_actor::decode_records;

/// The record of a run that nobody has open.
pub(crate) struct RunRecord {
    folder: PathBuf,
    /// Everything recorded.
    pub(crate) records: Vec<Record>,
    /// What it folds to.
    pub(crate) study: Study,
}

impl RunRecord {
    /// Reads a run folder.
    pub(crate) fn read(folder: &Path) -> Self {
        let (journal, _) = read_journal(&folder.join("journal.redb")).unwrap();
        let entries: Vec<Entry> = decode_records(journal).unwrap();
        let study = Study::replay(&entries).unwrap();
        let records = entries.into_iter().map(|entry| entry.record).collect();
        Self { folder: folder.to_owned(), records, study }
    }

    /// How often each training unit was committed.
    pub(crate) fn training_commits(&self) -> BTreeMap<Unit, usize> {
        let mut commits = BTreeMap::new();
        for record in &self.records {
            if let Record::UnitCommitted(commit) = record
                && matches!(commit.unit.step, Step::Train(_))
            {
                *commits.entry(commit.unit).or_default() += 1;
            }
        }
        commits
    }

    /// Whether any record fits.
    pub(crate) fn has(&self, fits: impl Fn(&Record) -> bool) -> bool {
        self.records.iter().any(fits)
    }

    /// Where a blob lies.
    pub(crate) fn blob(&self, digest: Digest) -> PathBuf {
        let digits = digest.to_string();
        self.folder.join("blobs").join(&digits[..2]).join(&digits[2..])
    }

    /// Where the newest checkpoint of a trial lies.
    pub(crate) fn newest_checkpoint(&self, trial: usize) -> PathBuf {
        self.blob(self.study.trials[trial].newest().unwrap().state)
    }

    /// Where a partition lies.
    pub(crate) fn partition(&self, number: usize) -> PathBuf {
        self.blob(self.study.creation.manifest.partitions[number].digest)
    }
}

/// Flips every bit of one byte of a file.
pub(crate) fn flip_byte(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 0xff;
    fs::write(path, bytes).unwrap();
}
