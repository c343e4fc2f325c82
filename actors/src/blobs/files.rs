//! Blobs as files: `ab/cdef…` for the digest `abcdef…`. Writes aside, syncs, renames, verifies.
//! Keeps nothing in memory but which of its folders are known to survive a loss of power.

use super::error::BlobError;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use wallaby_core::ids::Digest;

/// How many digits of a digest name the folder.
const FOLDER_DIGITS: usize = 2;
/// How the name of a file begins that is not a blob yet.
const UNFINISHED: &str = ".unfinished-";

/// The files of a blob store.
#[derive(Debug)]
pub(super) struct Files {
    root: PathBuf,
    writes: AtomicU64,
    durable_folders: Mutex<BTreeSet<PathBuf>>,
}

impl Files {
    /// Takes over a folder, creating it if need be, and removes unfinished files.
    pub(super) fn open(root: &Path) -> Result<Self, BlobError> {
        fs::create_dir_all(root).map_err(|error| BlobError::from_io(root, error))?;
        let parent = root.parent().filter(|parent| !parent.as_os_str().is_empty());
        sync_folder(parent.unwrap_or(Path::new(".")))?;
        let files = Self {
            root: root.to_owned(),
            writes: AtomicU64::new(0),
            durable_folders: Mutex::default(),
        };
        files.visit(|_, name, path| match name.to_str() {
            Some(name) if name.starts_with(UNFINISHED) => remove_if_there(path).map(drop),
            _ => Ok(()),
        })?;
        Ok(files)
    }

    /// How many files were written since the opening.
    #[cfg(test)]
    pub(super) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// Bytes free where the files lie, for this process.
    pub(super) fn room(&self) -> u64 {
        let told = rustix::fs::statvfs(&self.root);
        told.map_or(u64::MAX, |told| told.f_bavail.saturating_mul(told.f_frsize))
    }

    /// Where a blob lies, or would lie.
    pub(super) fn path(&self, digest: &Digest) -> PathBuf {
        let digits = digest.to_string();
        let (folder, name) = digits.split_at(FOLDER_DIGITS);
        self.root.join(folder).join(name)
    }

    /// Where the bytes of a blob are gathered by the one who may go on with them later.
    pub(super) fn path_of_unfinished(&self, digest: &Digest) -> PathBuf {
        let path = self.path(digest);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.with_file_name(format!("{UNFINISHED}{name}"))
    }

    /// Where the bytes of a blob are written by one who ends at once; a new place each time.
    pub(super) fn path_aside(&self, digest: &Digest) -> PathBuf {
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        self.path(digest).with_file_name(format!("{UNFINISHED}{number}"))
    }

    /// Creates the folder that a blob lies in.
    pub(super) fn make_folder(&self, digest: &Digest) -> Result<(), BlobError> {
        let path = self.path(digest);
        let folder = folder_of(&path);
        fs::create_dir_all(folder).map_err(|error| BlobError::from_io(folder, error))
    }

    /// Opens a blob for reading; also returns its length.
    pub(super) fn open_read(&self, digest: &Digest) -> Result<(File, u64), BlobError> {
        let path = self.path(digest);
        let opened = File::open(&path).and_then(|file| {
            let length = file.metadata()?.len();
            Ok((file, length))
        });
        opened.map_err(|error| missing_or_io(digest, &path, error))
    }

    /// The length of a blob's file.
    pub(super) fn length(&self, digest: &Digest) -> Result<u64, BlobError> {
        let path = self.path(digest);
        let found = fs::metadata(&path).map(|found| found.len());
        found.map_err(|error| missing_or_io(digest, &path, error))
    }

    /// Whether a blob is on disk with exactly these bytes.
    pub(super) fn holds(&self, digest: &Digest, bytes: &[u8]) -> Result<bool, BlobError> {
        let path = self.path(digest);
        let length = match fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            found => found.map_err(|error| BlobError::from_io(&path, error))?.len(),
        };
        if length != bytes.len() as u64 {
            return Ok(false);
        }
        // A file that cannot be read back is no blob; the writing that follows replaces it.
        Ok(fs::read(&path).is_ok_and(|stored| stored == bytes))
    }

    /// Reads a blob and verifies it.
    pub(super) fn read(&self, digest: &Digest) -> Result<Vec<u8>, BlobError> {
        let path = self.path(digest);
        let bytes = fs::read(&path).map_err(|error| missing_or_io(digest, &path, error))?;
        let found = Digest::of(&bytes);
        if found == *digest {
            return Ok(bytes);
        }
        Err(BlobError::Damaged { path, expected: *digest, found })
    }

    /// Writes a blob, whole or not at all.
    pub(super) fn write(
        &self,
        digest: &Digest,
        bytes: &[u8],
        durable: bool,
    ) -> Result<(), BlobError> {
        self.make_folder(digest)?;
        let (path, aside) = (self.path(digest), self.path_aside(digest));
        let written = write_file(&aside, bytes, durable).and_then(|()| fs::rename(&aside, &path));
        if let Err(error) = written {
            // The first error is the one to tell; what stays here goes at the next opening.
            let _ = fs::remove_file(&aside);
            return Err(BlobError::from_io(&path, error));
        }
        if durable { self.sync_folders_of(digest) } else { Ok(()) }
    }

    /// Lets a blob that is on disk survive a loss of power.
    pub(super) fn make_durable(&self, digest: &Digest) -> Result<(), BlobError> {
        let path = self.path(digest);
        let synced = File::open(&path).and_then(|file| file.sync_all());
        synced.map_err(|error| missing_or_io(digest, &path, error))?;
        self.sync_folders_of(digest)
    }

    /// Removes a blob; returns whether it was there.
    pub(super) fn remove(&self, digest: &Digest) -> Result<bool, BlobError> {
        remove_if_there(&self.path(digest))
    }

    /// Removes what there is of a blob that is not finished.
    pub(super) fn remove_unfinished(&self, digest: &Digest) -> Result<bool, BlobError> {
        remove_if_there(&self.path_of_unfinished(digest))
    }

    /// The blobs of which something is left that can be gone on with.
    pub(super) fn unfinished(&self) -> Result<Vec<Digest>, BlobError> {
        let mut left = Vec::new();
        self.visit(|folder, name, _| {
            let rest = name.to_str().and_then(|name| name.strip_prefix(UNFINISHED));
            let digits = folder.to_str().zip(rest);
            left.extend(
                digits.and_then(|(folder, rest)| Digest::from_hex(&format!("{folder}{rest}"))),
            );
            Ok(())
        })?;
        Ok(left)
    }

    /// All blobs and their lengths.
    pub(super) fn list(&self) -> Result<BTreeMap<Digest, u64>, BlobError> {
        let mut blobs = BTreeMap::new();
        self.visit(|folder, name, path| {
            let digits = folder.to_str().zip(name.to_str());
            let Some(digest) =
                digits.and_then(|(folder, name)| Digest::from_hex(&format!("{folder}{name}")))
            else {
                return Ok(());
            };
            match fs::metadata(path) {
                // Another thread may remove it while we look.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                found => {
                    let found = found.map_err(|error| BlobError::from_io(path, error))?;
                    blobs.insert(digest, found.len());
                }
            }
            Ok(())
        })?;
        Ok(blobs)
    }

    /// Visits every file of every folder: the folder's name, its own name, its path.
    fn visit(
        &self,
        mut visitor: impl FnMut(&OsString, &OsString, &Path) -> Result<(), BlobError>,
    ) -> Result<(), BlobError> {
        for folder in names_in(&self.root)? {
            let inside = self.root.join(&folder);
            if folder.len() != FOLDER_DIGITS || !inside.is_dir() {
                continue;
            }
            for name in names_in(&inside)? {
                visitor(&folder, &name, &inside.join(&name))?;
            }
        }
        Ok(())
    }

    /// Syncs the folder that names the blob, and the root if it may not yet name the folder.
    pub(super) fn sync_folders_of(&self, digest: &Digest) -> Result<(), BlobError> {
        let path = self.path(digest);
        let folder = folder_of(&path);
        sync_folder(folder)?;
        let mut durable = self.durable_folders.lock().unwrap_or_else(PoisonError::into_inner);
        if !durable.contains(folder) {
            sync_folder(&self.root)?;
            durable.insert(folder.to_owned());
        }
        Ok(())
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().expect("a blob lies in a folder of the store")
}

/// A file that is not there is a blob that is not here.
fn missing_or_io(digest: &Digest, path: &Path, error: io::Error) -> BlobError {
    match error.kind() {
        ErrorKind::NotFound => BlobError::Missing { digest: *digest },
        _ => BlobError::from_io(path, error),
    }
}

fn write_file(path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    if durable { file.sync_all() } else { Ok(()) }
}

fn sync_folder(folder: &Path) -> Result<(), BlobError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| BlobError::from_io(folder, error))
}

fn names_in(folder: &Path) -> Result<Vec<OsString>, BlobError> {
    let entries = fs::read_dir(folder).map_err(|error| BlobError::from_io(folder, error))?;
    let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
    names.collect::<io::Result<_>>().map_err(|error| BlobError::from_io(folder, error))
}

fn remove_if_there(path: &Path) -> Result<bool, BlobError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        removed => removed.map(|()| true).map_err(|error| BlobError::from_io(path, error)),
    }
}
