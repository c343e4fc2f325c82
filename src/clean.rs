//! What may go of a run, and its removal: checkpoints and partitions of a run that has ended, or
//! a whole run. Never touches a run in use, a file that is not Wallaby's, or the best model.

use crate::error::Error;
use crate::portrait::weigh;
use crate::recorded::Recorded;
use crate::run_folder::{Lock, RunFolder};
use crate::whole_file::aside;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use thiserror::Error;
use wallaby_actors::blobs::BlobStore;
use wallaby_core::ids::Digest;
use wallaby_core::study::Phase;

/// The folders that Wallaby makes in a run folder. Others may have put something into them.
const FOLDERS: [&str; 4] = ["blobs", "running", "best", "export"];

/// The files that Wallaby writes, but for those of `blobs/` and `running/`. `run.json` goes last
/// but for the lock: as long as it is there, a removal that was interrupted can be done again.
const FILES: [&str; 15] = [
    "best/model.safetensors",
    "best/config.json",
    "export/trials.csv",
    "export/trials.json",
    "export/trials.parquet",
    "export/epochs.csv",
    "export/epochs.json",
    "export/epochs.parquet",
    "journal.redb",
    "metrics.csv",
    "trials.csv",
    "report.html",
    "study.json",
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
    Blobs(Box<BlobStore>, Vec<Digest>),
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
        Ok(Self {
            folder,
            doomed: Doomed::Blobs(Box::new(store), doomed),
            files,
            bytes,
            _lock: lock,
        })
    }

    fn of_run(folder: RunFolder, lock: Lock) -> Self {
        let paths = own(&folder);
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
                    remove_file(path).map_err(|source| Error::file(path, source))?;
                }
                remove_empty_folders(&self.folder.blobs());
                // Something of somebody else's may lie in them: then they stay.
                let folders = FOLDERS.map(|name| self.folder.join(name));
                for folder in folders.iter().map(PathBuf::as_path).chain([self.folder.path()]) {
                    let _ = fs::remove_dir(folder);
                }
            }
        }
        Ok(())
    }
}

/// What is Wallaby's in a run folder, in the order in which it goes. A link in place of a folder
/// goes itself, not what it leads to.
fn own(folder: &RunFolder) -> Vec<PathBuf> {
    let links = FOLDERS.map(|name| folder.join(name)).into_iter().filter(|path| path.is_symlink());
    let mut paths: Vec<PathBuf> = links.collect();
    let is_linked = |path: &PathBuf| paths.iter().any(|link| path.starts_with(link));
    let parts = entries(&folder.blobs()).into_iter().filter(|part| !part.is_symlink());
    let blobs = parts.flat_map(|part| entries(&part)).filter(|path| is_blob(path));
    let slots = entries(&folder.join("running")).into_iter().filter(|path| is_slot(path));
    let journals = entries(folder.path()).into_iter().filter(|path| is_journal_aside(path));
    let files =
        FILES.map(|name| folder.join(name)).into_iter().flat_map(|path| [aside(&path), path]);
    let all = blobs.chain(slots).chain(journals).chain(files);
    let own: Vec<PathBuf> = all.filter(|path| !is_linked(path)).collect();
    paths.extend(own);
    // A folder of such a name is not ours.
    paths.retain(|path| path.symlink_metadata().is_ok_and(|about| !about.is_dir()));
    paths
}

/// What lies in a folder; nothing if it is none.
fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Whether a file of the blob store has the name of a blob, or of one that was not finished.
fn is_blob(path: &Path) -> bool {
    let name = name_of(path);
    name.starts_with(".unfinished-")
        || name.len() == 62 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a file notes what a slot runs.
fn is_slot(path: &Path) -> bool {
    name_of(path).bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a file was to become the journal when its process died.
fn is_journal_aside(path: &Path) -> bool {
    name_of(path).starts_with("journal.redb.new-")
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Folders that hold something refuse to go.
fn remove_empty_folders(root: &Path) {
    for entry in entries(root) {
        let _ = fs::remove_dir(entry);
    }
}
