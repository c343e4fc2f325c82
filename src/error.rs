//! Everything that ends a command early, with the exit code that scripts rely on.

use crate::cluster::ClusterError;
use crate::refusal;
use crate::run_folder::{FolderError, resume_command};
use crate::study_file::Mistakes;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use thiserror::Error;
use wallaby_actors::blobs::BlobError;
use wallaby_actors::cluster::founding::FoundingError;
use wallaby_actors::cluster::node::ClusterNodeError;
use wallaby_actors::journal::JournalError;
use wallaby_actors::journal_actor::ReplayError;
use wallaby_actors::node::NodeError;
use wallaby_core::ids::{Digest, TrialId};
use wallaby_core::journal::DecodeError;
use wallaby_core::unit::{Failure, Unit};
use wallaby_data::DataError;
use wallaby_train::DeviceError;

/// The exit codes, as documented in the README and in `wallaby --help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// The command did what it was asked.
    Done = 0,
    /// Something unexpected; a bug or a broken machine.
    Unexpected = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The study file is wrong.
    StudyFile = 3,
    /// The data is wrong.
    Data = 4,
    /// The device is not there.
    Device = 5,
    /// The run folder is in use, of another study, of a newer version, or none.
    RunFolder = 6,
    /// The journal or a blob is damaged.
    Damaged = 7,
    /// No space left.
    StorageFull = 8,
    /// The study ended without a single trial that validated an epoch.
    NoResult = 9,
    /// A check failed: `verify` found other bits, `simulate` a broken promise.
    CheckFailed = 10,
    /// The bits cannot be compared: this machine is of another numerics class.
    OtherNumerics = 11,
    /// The study is paused; the same command goes on.
    Paused = 12,
    /// No node of the cluster answers, or none leads it.
    Unreachable = 13,
    /// The nodes of the cluster have another secret, or speak another protocol.
    NotAdmitted = 14,
    /// The time that was given is over (`wait`, `dev`).
    TimedOut = 15,
    /// The study was cancelled.
    Cancelled = 16,
}

/// Why a command ended early.
#[derive(Debug, Error)]
pub enum Error {
    /// Mistakes in the study file, one a line.
    #[error("{0}")]
    Mistakes(Mistakes),
    /// Mistakes in the configuration of a cluster, one a line.
    #[error("{0}")]
    Configuration(Mistakes),
    /// The cluster does not do what was asked.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The time that was given is over.
    #[error("{0}")]
    TimedOut(String),
    /// A node of a cluster cannot start, or cannot go on.
    #[error(transparent)]
    ClusterNode(#[from] ClusterNodeError),
    /// A study file that is no text.
    #[error("{path}:{line}: not UTF-8, expected a text file in UTF-8", path = path.display())]
    NotUtf8 {
        /// The study file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// A file could not be read or written.
    #[error("{path}: {words}", path = path.display(), words = refusal::words(source))]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// What was asked for could not be written to where it was wanted.
    #[error(
        "{path}: {words}, expected {expected}{remedy}",
        path = path.display(), words = refusal::words(source), remedy = remedy(source)
    )]
    Out {
        /// Where to.
        path: PathBuf,
        /// What should be there.
        expected: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The data is of no use.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The data of a study is of no use.
    #[error("{blame}{error}")]
    StudyData {
        /// The place in the study file that is to blame, as the front of the sentence.
        blame: String,
        /// What is wrong.
        error: Box<DataError>,
    },
    /// The data was read before, and is not what it was; or the study's own copy of its file is
    /// not what it was.
    #[error(
        "{data} or {study} is not what the study began with",
        data = data.display(), study = study.display()
    )]
    DataChanged {
        /// Which data.
        data: PathBuf,
        /// Which study file.
        study: PathBuf,
    },
    /// The device cannot be used.
    #[error("run.device: {0}")]
    Device(#[from] DeviceError),
    /// The run folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal holds something else than records.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The journal's records contradict each other.
    #[error("{path}: record {at} is damaged: {why}", path = path.display())]
    Contradiction {
        /// The journal.
        path: PathBuf,
        /// Which record.
        at: usize,
        /// What is wrong.
        why: String,
    },
    /// A blob cannot be used.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The best model is gone.
    #[error("{lost}, and {trial} cannot be trained again: {why}")]
    BestStateLost {
        /// Whose state it was.
        trial: TrialId,
        /// What happened to it.
        lost: BlobError,
        /// Why it cannot be made again.
        why: String,
    },
    /// A unit could not be done again for a reason that says nothing about its bits.
    #[error("{unit} cannot be done again: {failure}")]
    NotRedone {
        /// Which unit.
        unit: Unit,
        /// Why not.
        failure: Failure,
    },
    /// A journal has a unit that starts from a state that no unit before it has made.
    #[error(
        "{unit} cannot be done again: the journal does not tell how its state {state} was made"
    )]
    StateUnknown {
        /// Which unit.
        unit: Unit,
        /// The state.
        state: Digest,
    },
    /// The node gave up.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The study stands still for want of something.
    #[error("the study is paused: {why}")]
    StoodStill {
        /// What is missing, and what to do.
        why: String,
        /// The exit code.
        code: Code,
    },
    /// No trial validated a single epoch.
    #[error("no trial of {run} has a result{why}", run = run.display())]
    NoResult {
        /// The run folder.
        run: PathBuf,
        /// Why not, as the rest of the sentence.
        why: String,
    },
    /// A check that was asked for failed.
    #[error("{0}")]
    CheckFailed(String),
    /// Bits of different numerics classes.
    #[error("{0}")]
    OtherNumerics(String),
    /// The command line asks for something that does not exist.
    #[error("{0}")]
    Usage(String),
    /// Something that should not happen.
    #[error("{0}")]
    Unexpected(String),
}

impl Error {
    /// A file that could not be read or written.
    pub fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    /// Something that `--out` asks for could not be written: `expected` is what should be there.
    pub(crate) fn out(path: &Path, expected: &'static str, source: io::Error) -> Self {
        Self::Out { path: path.to_owned(), expected, source }
    }

    /// The exit code.
    pub fn code(&self) -> Code {
        match self {
            Error::Mistakes(_) | Error::NotUtf8 { .. } => Code::StudyFile,
            Error::File { source, .. } | Error::Out { source, .. } => code_of_io(source),
            Error::Data(_) | Error::StudyData { .. } | Error::DataChanged { .. } => Code::Data,
            Error::Device(_) => Code::Device,
            Error::Folder(FolderError::File { source, .. }) if is_full(source) => Code::StorageFull,
            Error::Folder(_) => Code::RunFolder,
            Error::Journal(error) | Error::Node(NodeError::Journal(error)) => {
                code_of_journal(error)
            }
            Error::Replay(ReplayError::Journal(error)) => code_of_journal(error),
            Error::Replay(ReplayError::Record { error: DecodeError::Newer { .. }, .. }) => {
                Code::RunFolder
            }
            Error::Replay(_) | Error::Contradiction { .. } => Code::Damaged,
            Error::Blob(BlobError::Full { .. }) => Code::StorageFull,
            Error::Blob(BlobError::Storage { .. }) => Code::Unexpected,
            Error::Blob(_) | Error::BestStateLost { .. } => Code::Damaged,
            Error::NotRedone { failure: Failure::StorageFull(_), .. } => Code::StorageFull,
            Error::NotRedone { failure: Failure::DataUnusable(_), .. } => Code::Damaged,
            Error::StateUnknown { .. } => Code::Damaged,
            Error::StoodStill { code, .. } => *code,
            Error::NoResult { .. } => Code::NoResult,
            Error::CheckFailed(_) => Code::CheckFailed,
            Error::OtherNumerics(_) => Code::OtherNumerics,
            Error::Usage(_) | Error::Configuration(_) => Code::Usage,
            Error::Cluster(error) => error.code(),
            Error::TimedOut(_) => Code::TimedOut,
            Error::ClusterNode(error) => code_of_node(error),
            Error::NotRedone { .. } | Error::Node(_) | Error::Unexpected(_) => Code::Unexpected,
        }
    }

    /// How the user can go on with a run that ended this way, if there is something to say.
    pub fn hint(&self, run: &Path) -> Option<String> {
        let resume = resume_command(run);
        match self.code() {
            Code::StorageFull => {
                Some(format!("`{resume}` goes on once there is room; nothing committed is lost"))
            }
            Code::Unexpected => Some(format!("`{resume}` goes on")),
            _ => None,
        }
    }
}

fn code_of_io(error: &io::Error) -> Code {
    match error.kind() {
        _ if is_full(error) => Code::StorageFull,
        ErrorKind::NotFound
        | ErrorKind::IsADirectory
        | ErrorKind::NotADirectory
        | ErrorKind::AlreadyExists
        | ErrorKind::InvalidFilename
        | ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem => Code::Usage,
        _ => Code::Unexpected,
    }
}

/// What to do about a place that cannot be written to.
fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        ErrorKind::NotFound => " in a folder that is there; make it, or choose another with --out",
        _ if is_full(source) => " on a disk with room; choose another with --out",
        _ => "; choose another with --out",
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

fn code_of_node(error: &ClusterNodeError) -> Code {
    match error {
        ClusterNodeError::Journal(error)
        | ClusterNodeError::Founding(FoundingError::Journal(error)) => code_of_journal(error),
        ClusterNodeError::Founding(_) | ClusterNodeError::Identity(_) => Code::RunFolder,
        ClusterNodeError::InUse { .. } => Code::RunFolder,
        ClusterNodeError::Blobs(BlobError::Full { .. }) => Code::StorageFull,
        ClusterNodeError::Folder { source, .. } => code_of_io(source),
        ClusterNodeError::Port(_) => Code::Usage,
        ClusterNodeError::Refused(_) => Code::NotAdmitted,
        _ => Code::Unexpected,
    }
}

fn code_of_journal(error: &JournalError) -> Code {
    match error {
        JournalError::Damaged { .. } => Code::Damaged,
        JournalError::Newer { .. } | JournalError::InUse { .. } => Code::RunFolder,
        JournalError::Foreign { .. } | JournalError::Missing { .. } => Code::RunFolder,
        JournalError::Full { .. } => Code::StorageFull,
        _ => Code::Unexpected,
    }
}
