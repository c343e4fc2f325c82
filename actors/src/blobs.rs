//! The blobs of one node: partitions and checkpoints under the digest of their bytes.
//! Owns a folder and a bounded cache; never knows what a blob means, nor where else it lies.
//!
//! A blob is written aside and renamed, so under a digest there is a whole blob or none. All
//! calls read or write files: from a task, call them where blocking is allowed.

mod cache;
mod error;
mod files;
mod stamps;
mod unfinished;

pub use error::BlobError;
pub use unfinished::Unfinished;

use cache::Cache;
use files::Files;
use stamps::Stamps;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wallaby_core::ids::{Digest, Stamp};

/// Bytes of blobs that are kept in memory unless it is said otherwise.
pub const CACHE_BYTES: usize = 256 << 20;

/// A content-addressed store in one folder, for one process at a time; share it by `Arc`.
#[derive(Debug)]
pub struct BlobStore {
    files: Files,
    cache: Mutex<Cache>,
    /// What is being written so that it can be gone on with.
    under_way: Mutex<BTreeSet<Digest>>,
    /// Held by whoever removes a blob, so that none is removed that has just come anew.
    stamps: Mutex<Stamps>,
}

impl BlobStore {
    /// Opens the store in `folder`, or creates it, with a cache of [`CACHE_BYTES`]. What a crash
    /// left half-written is removed.
    ///
    /// # Errors
    /// `Full` or `Storage` if the folder cannot be created, read or cleaned.
    pub fn open(folder: &Path) -> Result<Self, BlobError> {
        Self::open_with_cache(folder, CACHE_BYTES)
    }

    /// As [`BlobStore::open`], with a cache of at most `cache_bytes`; 0 keeps nothing in memory.
    ///
    /// # Errors
    /// As [`BlobStore::open`].
    pub fn open_with_cache(folder: &Path, cache_bytes: usize) -> Result<Self, BlobError> {
        let files = Files::open(folder)?;
        let cache = Mutex::new(Cache::new(cache_bytes));
        Ok(Self { files, cache, under_way: Mutex::default(), stamps: Mutex::default() })
    }

    /// Stores bytes and returns their digest. A blob that is there already is not written again,
    /// unless it is damaged. With `durable` it survives a loss of power once this returns, also
    /// if it was stored without before.
    ///
    /// # Errors
    /// `Full` or `Storage`; there is then no blob, or the one that was there before.
    pub fn put(&self, bytes: impl Into<Arc<Vec<u8>>>, durable: bool) -> Result<Digest, BlobError> {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes);
        // Before it is there: from now on no earlier order removes it.
        self.stamps().renew(digest);
        if !self.files.holds(&digest, &bytes)? {
            let written = self.files.write(&digest, &bytes, durable);
            if matches!(written, Err(BlobError::Full { .. })) && self.clear_unfinished()? {
                self.files.write(&digest, &bytes, durable)?;
            } else {
                written?;
            }
        } else if durable {
            self.files.make_durable(&digest)?;
        }
        self.cache().insert(digest, bytes);
        Ok(digest)
    }

    /// The bytes of a blob: from memory, or from disk and then verified.
    ///
    /// # Errors
    /// `Missing` if it is not here, `Damaged` if its bytes have another digest, `Storage`.
    pub fn get(&self, digest: &Digest) -> Result<Arc<Vec<u8>>, BlobError> {
        if let Some(bytes) = self.cache().get(digest) {
            return Ok(bytes);
        }
        let bytes = Arc::new(self.files.read(digest)?);
        self.cache().insert(*digest, Arc::clone(&bytes));
        Ok(bytes)
    }

    /// As [`BlobStore::get`], for what is large or wanted once: it is not kept in memory.
    ///
    /// # Errors
    /// As [`BlobStore::get`].
    pub fn read(&self, digest: &Digest) -> Result<Arc<Vec<u8>>, BlobError> {
        let cached = self.cache().get(digest);
        cached.map_or_else(|| self.files.read(digest).map(Arc::new), Ok)
    }

    /// Opens a blob's file, to be read bit by bit, and returns its length in bytes. Nothing is
    /// verified: that is for the one who puts the bytes together.
    ///
    /// # Errors
    /// `Missing` if it is not here, `Storage`.
    pub fn open_read(&self, digest: &Digest) -> Result<(File, u64), BlobError> {
        self.files.open_read(digest)
    }

    /// The length in bytes of a blob. Does not verify it.
    ///
    /// # Errors
    /// `Missing` if it is not here, `Storage`.
    pub fn len(&self, digest: &Digest) -> Result<u64, BlobError> {
        self.files.length(digest)
    }

    /// Lets a blob that is here survive a loss of power. Does not verify it.
    ///
    /// # Errors
    /// `Missing` if it is not here, `Storage`.
    pub fn make_durable(&self, digest: &Digest) -> Result<(), BlobError> {
        self.files.make_durable(digest)
    }

    /// Begins to write a blob whose bytes come bit by bit, or goes on with what an earlier begin
    /// since the opening left: then [`Unfinished::length`] is not 0. One at a time for a digest.
    ///
    /// # Errors
    /// `Busy` if somebody is at it, `Full` or `Storage`.
    pub fn begin(self: &Arc<Self>, digest: Digest) -> Result<Unfinished, BlobError> {
        Unfinished::resume(Arc::clone(self), digest)
    }

    /// As [`BlobStore::begin`], but always anew, several at once if need be, and nothing stays of
    /// one that does not come to its end.
    ///
    /// # Errors
    /// `Full` or `Storage`.
    pub fn begin_aside(self: &Arc<Self>, digest: Digest) -> Result<Unfinished, BlobError> {
        Unfinished::aside(Arc::clone(self), digest)
    }

    /// Removes a blob, and what there is of it if it is unfinished and nobody is at it; returns
    /// whether it was here.
    ///
    /// # Errors
    /// `Storage` if it is here and cannot be removed.
    pub fn remove(&self, digest: &Digest) -> Result<bool, BlobError> {
        self.remove_locked(&mut self.stamps(), digest)
    }

    /// As [`BlobStore::remove`], unless the blob has come anew since it had this stamp.
    ///
    /// # Errors
    /// As [`BlobStore::remove`].
    pub fn remove_up_to(&self, digest: &Digest, stamp: Stamp) -> Result<bool, BlobError> {
        let mut stamps = self.stamps();
        let due = stamps.get(digest).is_none_or(|known| known <= stamp);
        if due { self.remove_locked(&mut stamps, digest) } else { Ok(false) }
    }

    fn remove_locked(&self, stamps: &mut Stamps, digest: &Digest) -> Result<bool, BlobError> {
        self.cache().remove(digest);
        self.remove_unfinished(digest)?;
        let removed = self.files.remove(digest)?;
        stamps.remove(digest);
        Ok(removed)
    }

    /// When a blob came; `None` if not since the store was opened, or if it is not here any more.
    pub fn stamp(&self, digest: &Digest) -> Option<Stamp> {
        self.stamps().get(digest)
    }

    /// Gives a blob that is here a new stamp, as if it had just come; `None` if it is not here.
    pub fn renew(&self, digest: &Digest) -> Option<Stamp> {
        let mut stamps = self.stamps();
        self.contains(digest).then(|| stamps.renew(*digest))
    }

    /// Removes what is left of blobs that nobody is at, for a disk that is full; returns whether
    /// there was any.
    fn clear_unfinished(&self) -> Result<bool, BlobError> {
        let mut removed = false;
        for digest in self.files.unfinished()? {
            removed |= self.remove_unfinished(&digest)?;
        }
        Ok(removed)
    }

    fn remove_unfinished(&self, digest: &Digest) -> Result<bool, BlobError> {
        let under_way = self.under_way();
        Ok(!under_way.contains(digest) && self.files.remove_unfinished(digest)?)
    }

    /// Whether a blob is on disk. Does not verify it.
    pub fn contains(&self, digest: &Digest) -> bool {
        self.files.path(digest).is_file()
    }

    /// The digests of all blobs, ascending.
    ///
    /// # Errors
    /// `Storage` if the folder cannot be read.
    pub fn list(&self) -> Result<Vec<Digest>, BlobError> {
        Ok(self.files.list()?.into_keys().collect())
    }

    /// Bytes that all blobs take on disk, not counting what the file system adds.
    ///
    /// # Errors
    /// `Storage` if the folder cannot be read.
    pub fn bytes_used(&self) -> Result<u64, BlobError> {
        Ok(self.files.list()?.into_values().sum())
    }

    /// Bytes free where the store lies; all there could be if the system does not tell.
    pub fn room(&self) -> u64 {
        self.files.room()
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        // No call of the cache can stop half way and leave it wrong.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stamps(&self) -> MutexGuard<'_, Stamps> {
        self.stamps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn under_way(&self) -> MutexGuard<'_, BTreeSet<Digest>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod blobs_tests;
#[cfg(test)]
mod unfinished_tests;
