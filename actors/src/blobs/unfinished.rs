//! A blob on its way in: its bytes are written aside and hashed as they come, and get their name
//! only if they are right. Owns its file until then; never knows where the bytes come from.

use super::BlobStore;
use super::error::BlobError;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wallaby_core::ids::Digest;

/// A blob of at most this many bytes is kept in memory when it has arrived; a larger one is read
/// from disk when somebody wants it.
const KEPT_IN_MEMORY_BYTES: u64 = 4 << 20;
/// How much of a file is read at once to hash it.
const READ_BYTES: usize = 1 << 20;

/// A blob that is being written. What is dropped before its end stays for [`BlobStore::begin`] to
/// go on with if it was begun there, until the store is opened the next time; what was begun by
/// [`BlobStore::begin_aside`] is removed. All calls write or read files.
#[derive(Debug)]
pub struct Unfinished {
    store: Arc<BlobStore>,
    digest: Digest,
    path: PathBuf,
    /// `None` once nothing more can be done with it.
    file: Option<File>,
    hasher: Box<blake3::Hasher>,
    length: u64,
    /// All bytes so far, as long as they are few.
    small: Option<Vec<u8>>,
    /// Whether it is the one that others may not begin too.
    exclusive: bool,
    /// Whether what there is outlives a drop.
    kept: bool,
}

impl Unfinished {
    /// Goes on with what is left of this digest, or begins anew.
    pub(super) fn resume(store: Arc<BlobStore>, digest: Digest) -> Result<Self, BlobError> {
        if !store.under_way().insert(digest) {
            return Err(BlobError::Busy { digest });
        }
        let path = store.files.path_of_unfinished(&digest);
        // From here on the drop gives the digest free again.
        let mut unfinished = Self::new(store, digest, path, true);
        unfinished.open()?;
        Ok(unfinished)
    }

    /// Begins anew, beside whatever else is written under this digest.
    pub(super) fn aside(store: Arc<BlobStore>, digest: Digest) -> Result<Self, BlobError> {
        let path = store.files.path_aside(&digest);
        let mut unfinished = Self::new(store, digest, path, false);
        unfinished.open()?;
        Ok(unfinished)
    }

    fn new(store: Arc<BlobStore>, digest: Digest, path: PathBuf, exclusive: bool) -> Self {
        let (hasher, small) = (Box::new(blake3::Hasher::new()), Some(Vec::new()));
        let kept = exclusive;
        Self { store, digest, path, file: None, hasher, length: 0, small, exclusive, kept }
    }

    fn open(&mut self) -> Result<(), BlobError> {
        self.store.files.make_folder(&self.digest)?;
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(!self.exclusive);
        let opened = options.open(&self.path).and_then(|file| {
            let taken_in = self.take_in(&file);
            self.file = Some(file);
            taken_in
        });
        opened.map_err(|error| self.give_up(error))
    }

    /// Hashes what the file holds already; the file is then at its end.
    fn take_in(&mut self, file: &File) -> io::Result<()> {
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            file.take(READ_BYTES as u64).read_to_end(&mut buffer)?;
            if buffer.is_empty() {
                return Ok(());
            }
            self.count(&buffer);
        }
    }

    fn count(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        match &mut self.small {
            Some(small) if self.length <= KEPT_IN_MEMORY_BYTES => small.extend_from_slice(bytes),
            _ => self.small = None,
        }
    }

    /// The blob that this is to become.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Bytes that are there so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// `Full` or `Storage`; what there was is then removed, and every further call fails.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        let written = self.open_file().and_then(|mut file| file.write_all(bytes));
        written.map_err(|error| self.give_up(error))?;
        self.count(bytes);
        Ok(())
    }

    /// Forgets all bytes that are there so far.
    ///
    /// # Errors
    /// As [`Unfinished::write`].
    pub fn restart(&mut self) -> Result<(), BlobError> {
        let emptied = self.open_file().and_then(|mut file| {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0)).map(drop)
        });
        emptied.map_err(|error| self.give_up(error))?;
        self.hasher.reset();
        self.length = 0;
        self.small = Some(Vec::new());
        Ok(())
    }

    /// Gives the bytes their name if they are those of the blob, and returns how many they are.
    /// With `durable` the blob survives a loss of power once this returns.
    ///
    /// # Errors
    /// `Mismatch` if the bytes have another digest, `Full` or `Storage`; nothing stays of them.
    pub fn finish(mut self, durable: bool) -> Result<u64, BlobError> {
        let (expected, bytes) = (self.digest, self.length);
        let found = Digest(*self.hasher.finalize().as_bytes());
        if found != expected {
            self.discard();
            return Err(BlobError::Mismatch { expected, found, bytes });
        }
        let synced = match self.open_file() {
            Ok(file) if durable => file.sync_all(),
            opened => opened.map(drop),
        };
        // Before it is there: from now on no earlier order removes it.
        self.store.stamps().renew(expected);
        let named = synced.and_then(|()| fs::rename(&self.path, self.store.files.path(&expected)));
        named.map_err(|error| self.give_up(error))?;
        self.file = None;
        if durable {
            self.store.files.sync_folders_of(&expected)?;
        }
        if let Some(small) = self.small.take() {
            self.store.cache().insert(expected, Arc::new(small));
        }
        Ok(bytes)
    }

    /// Removes what is there so far.
    pub fn discard(mut self) {
        self.kept = false;
    }

    fn open_file(&self) -> io::Result<&File> {
        self.file.as_ref().ok_or_else(|| io::Error::other("it was given up after an error"))
    }

    /// Removes the file and says why.
    fn give_up(&mut self, error: io::Error) -> BlobError {
        if self.file.take().is_some() {
            remove(&self.path);
        }
        let error = BlobError::from_io(&self.store.files.path(&self.digest), error);
        if matches!(error, BlobError::Full { .. }) {
            // The next try finds the room that others left half-filled; this error is told first.
            let _ = self.store.clear_unfinished();
        }
        error
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let kept = self.kept && self.length > 0;
        if self.file.take().is_some() && !kept {
            remove(&self.path);
        }
        if self.exclusive {
            self.store.under_way().remove(&self.digest);
        }
    }
}

/// Removes a file that nobody needs; one that stays is removed at the next opening of the store.
fn remove(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "an unfinished blob stays on disk");
        }
        _ => {}
    }
}
