//! Files that are there whole or not at all: written aside, then renamed. Knows nothing of what is
//! in them.

use crate::error::Error;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Where a file is written before it has its name.
pub(crate) fn aside(path: &Path) -> PathBuf {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".new");
    aside.into()
}

/// Writes a file. Once this returns, it is there also after a loss of power.
///
/// # Errors
/// What the system says; nothing is left aside.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let aside = aside(path);
    let write = || -> io::Result<()> {
        let mut file = File::create(&aside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&aside, path)?;
        sync_name_of(path)
    };
    write().inspect_err(|_| {
        // On a full disk it would be in the way; if it cannot be removed, the next one will.
        let _ = fs::remove_file(&aside);
    })
}

/// Writes what a user asked for to where the user wants it: a link is followed, and what is
/// no file, such as `/dev/stdout`, is written to as it is.
///
/// # Errors
/// In words for the flag `--out`.
pub(crate) fn write_out(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let written = match fs::metadata(path) {
        Ok(about) if about.is_dir() => Err(ErrorKind::IsADirectory.into()),
        Ok(about) if about.is_file() => fs::canonicalize(path).and_then(|path| write(&path, bytes)),
        Ok(_) => File::options().write(true).open(path).and_then(|mut file| file.write_all(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => write(path, bytes),
        Err(error) => Err(error),
    };
    written.map_err(|source| Error::out(path, "a file to write", source))
}

/// Makes it durable that a file or folder has its name.
pub(crate) fn sync_name_of(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    sync_folder(parent.unwrap_or(Path::new(".")))
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Other systems have no folders that can be opened; their renames are journaled.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_leaves_nothing_aside_and_the_old_one_as_it_was() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("trials.csv");
        fs::create_dir(&path).unwrap();
        assert!(write(&path, b"rank").is_err());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
        fs::remove_dir(&path).unwrap();
        write(&path, b"rank").unwrap();
        fs::create_dir(aside(&path)).unwrap();
        assert!(write(&path, b"other").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"rank");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_a_device_a_device() {
        let root = tempfile::tempdir().unwrap();
        let (file, link) = (root.path().join("file"), root.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        write_out(&link, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        write_out(Path::new("/dev/null"), b"new").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
