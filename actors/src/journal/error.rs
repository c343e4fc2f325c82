//! What can go wrong with a journal, in words that name the file.
//! Never decides what to do about it, and never repairs anything.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;
use wallaby_core::ids::{NodeId, Seq, Term};

/// Why the journal could not do what was asked.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Stored bytes are not what was written, and nothing of them may be used.
    #[error("journal {place} {} is damaged: {found}", path.display())]
    Damaged {
        /// The journal's file.
        path: PathBuf,
        /// Which part of it.
        place: Place,
        /// What was found there.
        found: String,
    },
    /// A newer build wrote this journal.
    #[error("journal {} has format version {found}, expected at most {known}", path.display())]
    Newer {
        /// The journal's file.
        path: PathBuf,
        /// The version found in the file.
        found: u32,
        /// The newest version that this build reads.
        known: u32,
    },
    /// No space is left for the file to grow. The journal must be opened again once there is
    /// space; everything acknowledged before is then still there.
    #[error("no space left for journal {}", path.display())]
    Full {
        /// The journal's file.
        path: PathBuf,
    },
    /// Another process, or another handle of this one, has the journal open.
    #[error("journal {} is in use, expected no other process to have it open", path.display())]
    InUse {
        /// The journal's file.
        path: PathBuf,
    },
    /// There is no journal to read.
    #[error("journal {} does not exist", path.display())]
    Missing {
        /// The journal's file.
        path: PathBuf,
    },
    /// The journal is that of another member of the cluster.
    #[error("journal {} belongs to {owner}, expected {expected}", path.display())]
    Foreign {
        /// The journal's file.
        path: PathBuf,
        /// The node that created it.
        owner: NodeId,
        /// The node that tried to open it.
        expected: NodeId,
    },
    /// The file could not be read or written, for a reason outside the journal.
    #[error("journal {} cannot be read or written: {source}", path.display())]
    Storage {
        /// The journal's file.
        path: PathBuf,
        /// What the storage layer says.
        #[source]
        source: Arc<redb::Error>,
    },
    /// Nothing was given to append.
    #[error("nothing to append to journal {}, expected at least one entry", path.display())]
    Empty {
        /// The journal's file.
        path: PathBuf,
    },
    /// This node does not lead the journal's cluster, or lost the lead before the commit.
    #[error("this node does not lead journal {}: {found}", path.display())]
    NotLeader {
        /// The journal's file.
        path: PathBuf,
        /// What the cluster says.
        found: String,
    },
    /// This node does not lead in the term in which the entries were decided, or lost the lead
    /// before the commit. Unless its own log says so, they may still have been committed.
    #[error("this node does not lead journal {} in term {}", path.display(), term.0)]
    Deposed {
        /// The journal's file.
        path: PathBuf,
        /// The term in which the entries were decided.
        term: Term,
    },
    /// Too few members answered in time. What was asked may or may not come to pass.
    #[error("too few members of journal {} answer, expected more than half of its voters", path.display())]
    NoQuorum {
        /// The journal's file.
        path: PathBuf,
    },
    /// The members, or the next members, are not what was asked for.
    #[error("the members of journal {} stay as they are: {found}", path.display())]
    Members {
        /// The journal's file.
        path: PathBuf,
        /// What the cluster says.
        found: String,
    },
    /// Another member asked for something in bytes that mean nothing.
    #[error("a member of journal {} asked for what cannot be read: {found}", path.display())]
    Undecodable {
        /// The journal's file.
        path: PathBuf,
        /// What is wrong with the bytes.
        found: String,
    },
    /// The journal was closed, or stopped after an earlier failure.
    #[error("journal {} is closed", path.display())]
    Closed {
        /// The journal's file.
        path: PathBuf,
    },
}

/// A part of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// An entry that was appended.
    Record(Seq),
    /// An entry of the Raft log, by its index; it carries a group of records.
    LogEntry(u64),
    /// One of the single values: vote, purge position, applied state, snapshot.
    Field(&'static str),
    /// The file as such.
    File,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Record(seq) => write!(f, "{seq} of"),
            Place::LogEntry(index) => write!(f, "log entry {index} of"),
            Place::Field(name) => write!(f, "field {name} of"),
            Place::File => f.write_str("file"),
        }
    }
}

impl JournalError {
    /// Sorts an error of the storage layer into those that a user can act on.
    pub(super) fn from_storage(path: &Path, error: impl Into<redb::Error>) -> Self {
        let path = path.to_owned();
        match error.into() {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => {
                Self::InUse { path }
            }
            redb::Error::DatabaseClosed => Self::Closed { path },
            redb::Error::Corrupted(found) => Self::Damaged { path, place: Place::File, found },
            redb::Error::Io(error) => Self::from_io(path, error),
            unexpected @ (redb::Error::TableTypeMismatch { .. }
            | redb::Error::TableIsMultimap(_)
            | redb::Error::TableDoesNotExist(_)
            | redb::Error::TypeDefinitionChanged { .. }
            | redb::Error::UpgradeRequired(_)) => {
                Self::Damaged { path, place: Place::File, found: unexpected.to_string() }
            }
            other => Self::Storage { path, source: Arc::new(other) },
        }
    }

    fn from_io(path: PathBuf, error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full { path },
            ErrorKind::NotFound => Self::Missing { path },
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
                Self::Damaged { path, place: Place::File, found: error.to_string() }
            }
            _ => Self::Storage { path, source: Arc::new(redb::Error::Io(error)) },
        }
    }

    /// Whether the file as a whole was refused, without saying which part is to blame.
    pub(super) fn blames_the_file(&self) -> bool {
        matches!(self, Self::Damaged { place: Place::File, .. })
    }
}
