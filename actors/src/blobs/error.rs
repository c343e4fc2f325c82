//! What can go wrong with a blob, in words that name it.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use thiserror::Error;
use wallaby_core::ids::Digest;

/// Why the blob store could not do what was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BlobError {
    /// The blob is not on this node.
    #[error("blob {digest} is not in the store")]
    Missing {
        /// The blob asked for.
        digest: Digest,
    },
    /// The file's bytes are not those of the blob; they must not be used.
    #[error("blob {} is damaged: its digest is {found}, expected {expected}", path.display())]
    Damaged {
        /// The blob's file.
        path: PathBuf,
        /// The digest of the blob asked for.
        expected: Digest,
        /// The digest of what the file holds.
        found: Digest,
    },
    /// Bytes that came in are not those of the blob they were announced as; none were kept.
    #[error("{bytes} bytes came as blob {expected}, but their digest is {found}")]
    Mismatch {
        /// The digest they were to have.
        expected: Digest,
        /// The digest they have.
        found: Digest,
        /// How many they were.
        bytes: u64,
    },
    /// Somebody else in this process is writing the blob.
    #[error("blob {digest} is being written already")]
    Busy {
        /// The blob.
        digest: Digest,
    },
    /// No space is left for the blob; nothing of it was kept.
    #[error("no space left for blob {}", path.display())]
    Full {
        /// The file that could not be written.
        path: PathBuf,
    },
    /// A file or folder could not be read or written.
    #[error("blob store cannot read or write {}: {source}", path.display())]
    Storage {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl BlobError {
    /// Tells a full disk from every other trouble with a file.
    pub(super) fn from_io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Storage { path, source },
        }
    }
}
