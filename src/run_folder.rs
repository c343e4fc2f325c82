//! The folder of a run: what lies where, whose it is, and who may write to it now.
//!
//! ```text
//! runs/digits-1/
//!   run.json          format, study, fingerprint, whether it has ended
//!   run.lock          held by the process that runs the study
//!   study.json        the effective study, in canonical form
//!   journal.redb      every decision and every result
//!   blobs/            partitions and checkpoints by digest
//!   running/          what the trainers run at this moment
//!   metrics.csv       a line for each validated epoch
//!   trials.csv        the ranking
//!   report.html       all of it as a page
//!   best/             model.safetensors, config.json
//! ```

use crate::refusal;
use crate::whole_file::{self, sync_name_of};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use thiserror::Error;
use wallaby_core::ids::Digest;

/// The version of the layout that this build writes, and the newest it reads.
pub const FORMAT: u32 = 1;

/// Why a run folder cannot be used.
#[derive(Debug, Error)]
pub enum FolderError {
    /// There is no run in it.
    #[error(
        "{path} is not a run folder: it has no run.json; `wallaby list` shows the runs there are",
        path = path.display()
    )]
    NotARun {
        /// The folder.
        path: PathBuf,
    },
    /// Something else lies there.
    #[error(
        "{path} is not empty and not a run folder, expected an empty or a new one; choose \
         another with --run",
        path = path.display()
    )]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// A file lies there.
    #[error(
        "{path} is a file, expected a folder: an empty or a new one; choose another with --run",
        path = path.display()
    )]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// A newer Wallaby made it.
    #[error(
        "{path} has format {found}, expected at most {FORMAT}: made by a newer wallaby, use that \
         version",
        path = path.display()
    )]
    Newer {
        /// The folder.
        path: PathBuf,
        /// Its format.
        found: u64,
    },
    /// `run.json` is not what was written.
    #[error("{path} is damaged: {why}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Another process uses it.
    #[error(
        "{path} is in use by process {process}, expected no other; wait for it, or stop it with \
         `kill {process}`",
        path = path.display()
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The other process.
        process: String,
    },
    /// It belongs to another study.
    #[error("{path} holds another study ({found}): the study file, the seed or the data differs", path = path.display())]
    OtherStudy {
        /// The folder.
        path: PathBuf,
        /// The study it holds.
        found: String,
    },
    /// `--new` on a folder that has a run already.
    #[error("{path} holds a run already, and --new starts another: choose another --run", path = path.display())]
    Taken {
        /// The folder.
        path: PathBuf,
    },
    /// The numbers of a study's runs are used up.
    #[error("{path} exists and no run can have a greater number: choose a --run", path = path.display())]
    NoNumber {
        /// The folder of the greatest number.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("{path}: {words}", path = path.display(), words = refusal(source))]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl FolderError {
    /// Whether the folder may be there to read, but not to write in.
    pub(crate) fn is_denied(&self) -> bool {
        let Self::File { source, .. } = self else { return false };
        matches!(source.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
    }
}

/// What the system says, and what to do about it.
fn refusal(source: &io::Error) -> String {
    let words = refusal::words(source);
    match source.kind() {
        ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::NotADirectory
        | ErrorKind::AlreadyExists
        | ErrorKind::InvalidFilename => {
            format!("{words}, expected a folder to read and write in; choose another with --run")
        }
        _ => words,
    }
}

/// The file that the lock is on.
const LOCK: &str = "run.lock";

/// Whether a file may lie in the folder of a process that died before it had written `run.json`.
fn is_early(name: &OsStr) -> bool {
    [LOCK, "study.json", "study.json.new", "run.json.new"].iter().any(|early| name == *early)
}

/// What `run.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The version of the layout.
    pub format: u32,
    /// The version of the program that made the folder.
    pub wallaby: String,
    /// The study's name.
    pub study: String,
    /// Digest of everything that determines the result: study file and data.
    pub fingerprint: String,
    /// Whether the study has ended.
    pub ended: bool,
}

/// A run folder; the paths in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder(PathBuf);

/// The command that goes on with a run, as a shell takes it.
pub(crate) fn resume_command(run: &Path) -> String {
    let path = run.display().to_string();
    let plain = |letter: char| letter.is_alphanumeric() || "/._-".contains(letter);
    if !path.starts_with('-') && path.chars().all(plain) {
        return format!("wallaby resume {path}");
    }
    format!("wallaby resume -- '{}'", path.replace('\'', r"'\''"))
}

/// The right to write to a run folder, until it is dropped.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code, reason = "held, not used")] File);

impl RunFolder {
    /// The folder at `path`, whether or not there is one.
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A path in the folder.
    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The journal's file.
    pub fn journal(&self) -> PathBuf {
        self.join("journal.redb")
    }

    /// The folder of partitions and checkpoints.
    pub fn blobs(&self) -> PathBuf {
        self.join("blobs")
    }

    /// Reads `run.json`; `None` if the folder does not exist, is empty, or was left by a process
    /// that died before it had written it.
    ///
    /// # Errors
    /// A newer format, a damaged file, or a folder of something else.
    pub fn about(&self) -> Result<Option<About>, FolderError> {
        let path = self.join("run.json");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return if self.is_vacant()? { Ok(None) } else { Err(self.occupied()) };
            }
            Err(_) if self.0.is_file() => {
                return Err(FolderError::NotAFolder { path: self.0.clone() });
            }
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                return Err(FolderError::Damaged { path, why: "it is not UTF-8".to_owned() });
            }
            Err(source) => return Err(FolderError::File { path, source }),
        };
        let damaged = |why: String| FolderError::Damaged { path: path.clone(), why };
        let json: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        let found = json.get("format").and_then(serde_json::Value::as_u64);
        let found = found.ok_or_else(|| damaged("it has no format".to_owned()))?;
        if found > u64::from(FORMAT) {
            return Err(FolderError::Newer { path: self.0.clone(), found });
        }
        let about = serde_json::from_value(json).map_err(|error| damaged(error.to_string()))?;
        Ok(Some(about))
    }

    /// As [`RunFolder::about`], for commands that need a run.
    ///
    /// # Errors
    /// Also if there is none.
    pub fn require(&self) -> Result<About, FolderError> {
        let none = || FolderError::NotARun { path: self.0.clone() };
        match self.about() {
            Ok(about) => about.ok_or_else(none),
            Err(FolderError::Occupied { .. } | FolderError::NotAFolder { .. }) => Err(none()),
            Err(error) => Err(error),
        }
    }

    /// Whether nothing lies here but what a process left that died early: its lock, and files
    /// that it writes before `run.json`. Without the lock they are somebody else's.
    fn is_vacant(&self) -> Result<bool, FolderError> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
            Err(source) => return Err(FolderError::File { path: self.0.clone(), source }),
        };
        let names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
        let locked = names.iter().any(|name| name == LOCK);
        Ok(names.is_empty() || locked && names.iter().all(|name| is_early(name)))
    }

    fn occupied(&self) -> FolderError {
        FolderError::Occupied { path: self.0.clone() }
    }

    /// Creates the folder if need be and takes its lock.
    ///
    /// # Errors
    /// [`FolderError::InUse`] while another process holds it.
    pub fn lock(&self) -> Result<Lock, FolderError> {
        self.create().map_err(|source| self.trouble(source))?;
        let path = self.join(LOCK);
        let open = File::options().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = open.map_err(|source| self.trouble(source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(self.in_use(file)),
            Err(TryLockError::Error(source)) => return Err(self.trouble(source)),
        }
        // The number is for messages only; the lock is what counts.
        let note = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        note.map_err(|source| self.trouble(source))?;
        Ok(Lock(file))
    }

    /// The right to read a folder in which this process may not write: as long as it is held, no
    /// other takes the lock. `None` if there is no lock to see; then nobody has it either.
    ///
    /// # Errors
    /// [`FolderError::InUse`] while another process holds the lock.
    pub(crate) fn lock_to_read(&self) -> Result<Option<Lock>, FolderError> {
        let Ok(file) = File::open(self.join(LOCK)) else { return Ok(None) };
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(Lock(file))),
            Err(TryLockError::WouldBlock) => Err(self.in_use(file)),
            // A file system that knows no locks.
            Err(TryLockError::Error(_)) => Ok(None),
        }
    }

    /// `lock` is held by the process whose number it holds.
    fn in_use(&self, mut lock: File) -> FolderError {
        let mut process = String::new();
        // Without the number the message is poorer, and true.
        let _ = lock.read_to_string(&mut process);
        FolderError::InUse { path: self.0.clone(), process: process.trim().to_owned() }
    }

    /// Creates what is missing of the folder and of those that it is in, so that all of it is
    /// still there after a loss of power.
    fn create(&self) -> io::Result<()> {
        let exists = |path: &Path| path.as_os_str().is_empty() || path.exists();
        let missing = self.0.ancestors().take_while(|path| !exists(path)).count();
        fs::create_dir_all(&self.0)?;
        self.0.ancestors().take(missing).try_for_each(sync_name_of)
    }

    /// Writes `run.json`.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_about(&self, about: &About) -> Result<(), FolderError> {
        let text = serde_json::to_string_pretty(about).expect("texts and numbers are JSON");
        self.write("run.json", (text + "\n").as_bytes())
    }

    /// Writes a whole file of the folder: aside, then renamed, so that it is never half there.
    /// Once this returns, it is there also after a loss of power.
    ///
    /// # Errors
    /// What the system says; nothing is left aside.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let path = self.join(name);
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        let written = folder.and_then(|()| whole_file::write(&path, bytes));
        written.map_err(|source| FolderError::File { path, source })
    }

    fn trouble(&self, source: io::Error) -> FolderError {
        FolderError::File { path: self.0.clone(), source }
    }

    /// The runs of a study under `runs/`, by number: `runs/<study>-<n>`.
    ///
    /// # Errors
    /// If `runs/` exists and cannot be read.
    pub fn runs_of(study: &str) -> Result<Vec<(u64, RunFolder)>, FolderError> {
        let root = Path::new("runs");
        let entries = match fs::read_dir(root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(FolderError::File { path: root.to_owned(), source }),
        };
        let number = |name: &str| number_in(name.strip_prefix(study)?.strip_prefix('-')?);
        let mut runs: Vec<(u64, RunFolder)> = entries
            .flatten()
            .filter_map(|entry| {
                Some((number(entry.file_name().to_str()?)?, RunFolder(entry.path())))
            })
            .collect();
        runs.sort_by_key(|(number, _)| *number);
        Ok(runs)
    }

    /// The folder for run `number` of a study.
    pub fn numbered(study: &str, number: u64) -> Self {
        Self(Path::new("runs").join(format!("{study}-{number}")))
    }
}

/// A number as [`RunFolder::numbered`] writes it: any other name is not one of ours.
fn number_in(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

impl About {
    /// A run that begins now.
    pub fn new(study: &str, fingerprint: Digest) -> Self {
        Self {
            format: FORMAT,
            wallaby: env!("CARGO_PKG_VERSION").to_owned(),
            study: study.to_owned(),
            fingerprint: fingerprint.to_string(),
            ended: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_to_go_on_can_be_pasted_into_a_shell() {
        let command = |run: &str| resume_command(Path::new(run));
        assert_eq!(command("runs/digits-1"), "wallaby resume runs/digits-1");
        assert_eq!(command("/tmp/försök_2.b"), "wallaby resume /tmp/försök_2.b");
        assert_eq!(command("my run"), "wallaby resume -- 'my run'");
        assert_eq!(command("it's"), r"wallaby resume -- 'it'\''s'");
        assert_eq!(command("-x"), "wallaby resume -- '-x'");
    }

    #[test]
    fn only_numbers_as_they_are_written_are_numbers_of_runs() {
        assert_eq!(number_in("7"), Some(7));
        assert_eq!(number_in("18446744073709551615"), Some(u64::MAX));
        for other in ["", "+1", "-1", "07", " 1", "1 ", "18446744073709551616", "best"] {
            assert_eq!(number_in(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_nothing_aside() {
        let root = tempfile::tempdir().unwrap();
        let folder = RunFolder::at(&root.path().join("deep/down"));
        let _lock = folder.lock().unwrap();
        fs::create_dir(folder.join("trials.csv")).unwrap();
        let error = folder.write("trials.csv", b"rank").unwrap_err().to_string();
        assert!(error.contains("trials.csv: "), "{error}");
        assert!(!folder.join("trials.csv.new").exists());
        folder.write("best/config.json", b"{}").unwrap();
        assert_eq!(fs::read(folder.join("best/config.json")).unwrap(), b"{}");
    }
}
