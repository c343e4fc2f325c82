//! What may go of a run, and its removal: checkpoints and partitions of a run that has ended, or
//! a whole run. Never touches a run in use, a file that is not Wallaby's, or the best model.

use crate::error::Error;
use crate::portrait::weigh;
use crate::recorded::Recorded;
use crate::run_folder::{Lock, RunFolder};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use thiserror::Error;
use wallaby_actors::blobs::BlobStore;
use wallaby_core::ids::Digest;
use wallaby_core::study::Phase;

/// What Wallaby writes in a run folder. `run.json` goes last but for the lock: as long as it is
/// there, a removal that was interrupted can be done again.
const OWN: [&str; 12] = [
    "blobs",
    "running",
    "best",
    "export",
    "journal.redb",
    "metrics.csv",
    "trials.csv",
    "report.html",
    "study.json",
    "run.json.new",
    "run.json",
    "run.lock",
];

/// How much of a run is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// The blobs of a run that has ended, but for the state of its best model.
    Blobs,
    /// All of a run that has ended.
    EndedRun,
    /// All of a run.
    AnyRun,
}

/// Why a run stays as it is.
#[derive(Debug, Error)]
pub(crate) enum Stays {
    /// It may go on.
    #[error("it has not ended")]
    Unfinished,
    /// The blobs may be what the best model is made again from.
    #[error("its best model is not whole; `wallaby resume` makes it again")]
    NoBestModel,
    /// It cannot be read or is in use.
    #[error("{0}")]
    Unusable(Error),
}

impl<E: Into<Error>> From<E> for Stays {
    fn from(error: E) -> Self {
        Stays::Unusable(error.into())
    }
}

/// What is to be removed of one run, and the right to do it.
pub(crate) struct Plan {
    folder: RunFolder,
    doomed: Doomed,
    /// How many files.
    pub(crate) files: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    _lock: Lock,
}

enum Doomed {
    Blobs(BlobStore, Vec<Digest>),
    Paths(Vec<PathBuf>),
}

impl Plan {
    /// What goes of a run; nothing is removed yet.
    ///
    /// # Errors
    /// Why the run stays as it is.
    pub(crate) fn new(folder: RunFolder, extent: Extent) -> Result<Self, Stays> {
        let about = folder.require()?;
        let lock = folder.lock()?;
        match extent {
            Extent::Blobs => Self::of_blobs(folder, lock),
            Extent::EndedRun if !about.ended => Err(Stays::Unfinished),
            Extent::EndedRun | Extent::AnyRun => Ok(Self::of_run(folder, lock)),
        }
    }

    fn of_blobs(folder: RunFolder, lock: Lock) -> Result<Self, Stays> {
        let recorded = Recorded::read_locked(folder.clone(), &lock)?;
        if !matches!(recorded.study.phase, Phase::Ended(_)) {
            return Err(Stays::Unfinished);
        }
        let store = BlobStore::open(&folder.blobs())?;
        let mut bytes = store.bytes_used()?;
        let mut doomed = store.list()?;
        if let Some((_, best)) = recorded.study.best() {
            // Read, and so verified: only then can the others be spared.
            let state = store.get(&best.state).map_err(|_| Stays::NoBestModel)?;
            bytes = bytes.saturating_sub(state.len() as u64);
            doomed.retain(|digest| *digest != best.state);
        }
        let files = doomed.len() as u64;
        Ok(Self { folder, doomed: Doomed::Blobs(store, doomed), files, bytes, _lock: lock })
    }

    fn of_run(folder: RunFolder, lock: Lock) -> Self {
        let paths = OWN.iter().map(|name| folder.join(name));
        let paths: Vec<PathBuf> = paths.filter(|path| path.symlink_metadata().is_ok()).collect();
        let weights = paths.iter().map(|path| weigh(path));
        let (files, bytes) = weights.fold((0, 0), |(files, bytes), (f, b)| (files + f, bytes + b));
        Self { folder, doomed: Doomed::Paths(paths), files, bytes, _lock: lock }
    }

    /// Removes it. The folder itself goes if nothing else lies in it.
    ///
    /// # Errors
    /// What the system says of the first file that stays.
    pub(crate) fn remove(self) -> Result<(), Error> {
        match self.doomed {
            Doomed::Blobs(store, digests) => {
                for digest in &digests {
                    store.remove(digest)?;
                }
                remove_empty_folders(&self.folder.blobs());
            }
            Doomed::Paths(paths) => {
                for path in &paths {
                    remove_path(path).map_err(|source| Error::file(path, source))?;
                }
                // Something of somebody else's may lie in it: then it stays.
                let _ = fs::remove_dir(self.folder.path());
            }
        }
        Ok(())
    }
}

/// A link goes itself, not what it leads to.
fn remove_path(path: &Path) -> io::Result<()> {
    let removed = match path.symlink_metadata()?.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Folders that hold something refuse to go.
fn remove_empty_folders(root: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let _ = fs::remove_dir(entry.path());
    }
}
