//! What runs at this moment, in files that outlive the process: a unit that takes the process
//! down with it (out of memory, a crash in native code) would otherwise be started again for
//! ever, before all others.
//!
//! Each trainer notes its unit before it runs and strikes it out afterwards. What a start finds
//! noted was under way when the process died: the engine counts it as a lost try of the unit.
//! The notes need no fsync, because only the death of the process matters here.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use wallaby_core::cluster::StudyId;
use wallaby_core::engine::Try;

/// A folder with a file for each slot that runs a unit.
#[derive(Debug, Clone)]
pub struct BlackBox {
    folder: PathBuf,
}

impl BlackBox {
    /// Opens the folder, or creates it; gives back what was under way when the last process died.
    ///
    /// # Errors
    /// What the system says. A note that cannot be read is no note.
    pub fn open(folder: &Path) -> io::Result<(Self, Vec<(StudyId, Try)>)> {
        fs::create_dir_all(folder)?;
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let note: Option<(StudyId, Try)> =
                fs::read(&path).ok().and_then(|bytes| postcard::from_bytes(&bytes).ok());
            found.extend(note);
            fs::remove_file(&path)?;
        }
        found.sort_by_key(|(study, attempt): &(StudyId, Try)| (*study, attempt.fence));
        Ok((Self { folder: folder.to_owned() }, found))
    }

    /// Notes that a unit begins. Without a note it runs all the same.
    pub(crate) fn note(&self, study: StudyId, attempt: &Try) {
        let bytes = postcard::to_stdvec(&(study, attempt)).expect("numbers can be written");
        if let Err(error) = fs::write(self.path(attempt), bytes) {
            tracing::warn!(%error, unit = %attempt.unit, "a unit runs without a note");
        }
    }

    /// Strikes out a unit that has ended, in whatever way.
    pub(crate) fn strike_out(&self, attempt: &Try) {
        let _ = fs::remove_file(self.path(attempt));
    }

    fn path(&self, attempt: &Try) -> PathBuf {
        self.folder.join(attempt.slot.index.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wallaby_core::ids::{Epoch, Fence, NodeId, PartitionId, SlotId, Term, TrialId};
    use wallaby_core::unit::{Step, Unit};

    fn attempt(index: u32) -> Try {
        let unit = Unit { trial: TrialId(3), epoch: Epoch(1), step: Step::Train(PartitionId(2)) };
        let slot = SlotId { node: NodeId(1), index };
        let fence = Fence { term: Term(4), attempt: u64::from(index) };
        Try { slot, unit, fence, input: None }
    }

    #[test]
    fn what_was_under_way_is_found_once() {
        let folder = tempfile::tempdir().unwrap();
        let (black_box, found) = BlackBox::open(folder.path()).unwrap();
        assert_eq!(found, []);
        for index in [1, 0, 2] {
            black_box.note(StudyId(0), &attempt(index));
        }
        black_box.strike_out(&attempt(2));
        fs::write(folder.path().join("9"), b"torn").unwrap();
        let noted = [0, 1].map(|index| (StudyId(0), attempt(index)));
        assert_eq!(BlackBox::open(folder.path()).unwrap().1, noted);
        assert_eq!(BlackBox::open(folder.path()).unwrap().1, []);
    }
}
