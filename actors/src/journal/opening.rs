//! Opens a journal's file: creates it whole or not at all, verifies every page of it, and takes
//! back what a crash left unfinished. Never reads what is stored, and never repairs a file whose
//! damage reaches behind its newest commit.

use super::blame::blame;
use super::codec;
use super::error::{JournalError, Place};
use super::header::Header;
use super::tables::Change;
use redb::{Builder, Database};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Pages that the storage layer keeps in memory.
const CACHE_BYTES: usize = 32 << 20;
/// A file that lost more than this at its end is not worth an attempt to mend it.
const MENDED_BYTES_MAX: u64 = 16 << 20;

/// An open file and, in words, what was wrong with its end.
pub(super) struct Opened {
    pub(super) database: Database,
    pub(super) torn: Option<String>,
}

/// Creates a file with empty tables if there is none.
pub(super) fn create_if_missing(path: &Path) -> Result<(), JournalError> {
    let fail = |error: io::Error| JournalError::from_storage(path, error);
    if path.try_exists().map_err(fail)? {
        return Ok(());
    }
    // Written aside and then named, so that an empty or half-made file under the journal's name
    // can only be a lost journal, never a new one.
    let aside = aside(path);
    let created = fill_new(&aside).and_then(|()| name_it(&aside, path).map_err(fail));
    let removed = fs::remove_file(&aside);
    created.and_then(|()| removed.map_err(fail))
}

fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".new-{}", std::process::id()));
    PathBuf::from(name)
}

fn fill_new(path: &Path) -> Result<(), JournalError> {
    let fail = |error: redb::Error| JournalError::from_storage(path, error);
    let database = Database::create(path).map_err(|error| fail(error.into()))?;
    let transaction = database.begin_write().map_err(|error| fail(error.into()))?;
    Change { path, transaction: &transaction }.create_tables(codec::VERSION)?;
    transaction.commit().map_err(|error| fail(error.into()))?;
    database.close().map_err(|error| fail(error.into()))
}

/// Gives a finished file its name, unless another process was first with the same.
fn name_it(aside: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(aside, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        done => done?,
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Opens an existing file and verifies the checksum of every page in use.
///
/// # Errors
/// `Damaged` if what is lost is more than the newest commit; the file's length is then as it was.
pub(super) fn open(path: &Path) -> Result<Opened, JournalError> {
    let before = Header::read(path)?;
    match verified(path) {
        Ok(database) => describe(path, database, before, None),
        Err(refusal) if refusal.blames_the_file() => mend_length(path, before, refusal),
        Err(error) => Err(error),
    }
}

/// Tries once more with the length that the file should have.
fn mend_length(path: &Path, before: Header, refusal: JournalError) -> Result<Opened, JournalError> {
    let Some(bytes) = mended_bytes(before) else { return Err(blame(path, refusal)) };
    let fail = |error: io::Error| JournalError::from_storage(path, error);
    set_length(path, bytes).map_err(fail)?;
    match verified(path) {
        Ok(database) => describe(path, database, before, Some(bytes)),
        Err(_) => {
            let refusal = blame(path, refusal);
            // What was cut off belonged to no journal, but a missing end should stay missing.
            set_length(path, bytes.min(before.actual_bytes)).map_err(fail)?;
            Err(refusal)
        }
    }
}

/// The length to give a file of the wrong length. After an unclean stop the file may rightly be
/// longer than its header says, but never by part of a page.
fn mended_bytes(header: Header) -> Option<u64> {
    let Header { page_bytes, expected_bytes, actual_bytes, .. } = header;
    if actual_bytes < expected_bytes {
        return Some(expected_bytes).filter(|bytes| bytes - actual_bytes <= MENDED_BYTES_MAX);
    }
    let whole_pages = actual_bytes - actual_bytes.checked_rem(page_bytes)?;
    let bytes = if header.unclean { whole_pages } else { expected_bytes };
    Some(bytes).filter(|bytes| *bytes != actual_bytes)
}

fn set_length(path: &Path, bytes: u64) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.set_len(bytes)
}

fn verified(path: &Path) -> Result<Database, JournalError> {
    let open = || {
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true).open(path)
    };
    match catch_unwind(AssertUnwindSafe(open)) {
        Ok(opened) => opened.map_err(|error| JournalError::from_storage(path, error)),
        Err(_) => Err(JournalError::Damaged {
            path: path.to_owned(),
            place: Place::File,
            found: "the storage layer failed on it".to_owned(),
        }),
    }
}

/// Says what the opening had to do. It ends with a commit of its own, in the slot that is not the
/// newest. So where the newest slot is the same as before, that slot was given up.
fn describe(
    path: &Path,
    database: Database,
    before: Header,
    mended: Option<u64>,
) -> Result<Opened, JournalError> {
    let after = Header::read(path)?;
    let mut found = Vec::new();
    if before.unclean {
        found.push("it was not closed".to_owned());
    }
    match mended {
        Some(bytes) if bytes > before.actual_bytes => {
            found.push(format!("{} bytes were missing at its end", bytes - before.actual_bytes));
        }
        Some(bytes) => {
            let surplus = before.actual_bytes - bytes;
            found.push(format!("{surplus} bytes that do not belong to it were cut off its end"));
        }
        None if !before.unclean && before.actual_bytes != before.expected_bytes => {
            found.push("its length was not the one it was closed with".to_owned());
        }
        None => {}
    }
    if before.primary == after.primary {
        found.push("its newest commit was incomplete, the newest intact one is used".to_owned());
    }
    let torn = Some(found.join("; ")).filter(|found| !found.is_empty());
    Ok(Opened { database, torn })
}
