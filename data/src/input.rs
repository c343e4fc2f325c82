//! Opens a data file, plain or gzip, and says in plain words why it cannot.
//! Never looks at what the text means.

use crate::error::DataError;
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::Path;

const BUFFER_BYTES: usize = 1 << 16;

/// The first bytes of a gzip file (RFC 1952, section 2.3.1).
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// An open file, unpacked if its name ends in `.gz`.
pub(crate) struct Input {
    /// The path for messages.
    pub(crate) path: String,
    /// Whether errors may stem from the decoder.
    pub(crate) gzip: bool,
    /// The text.
    pub(crate) text: Box<dyn BufRead>,
}

impl Input {
    /// Opens `path`.
    ///
    /// # Errors
    /// Missing, not a file, not permitted, or any other refusal of the operating system; a name
    /// that ends in `.gz` over something else.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let name = path.display().to_string();
        // Asked before it is opened: opening a pipe waits for somebody to write.
        let kind = std::fs::metadata(path).map_err(|error| refused(&name, error))?.file_type();
        if !kind.is_file() {
            let kind = if kind.is_dir() { "a folder" } else { "a pipe or a device" };
            return Err(DataError::NotAFile { path: name, kind });
        }
        let file = File::open(path).map_err(|error| refused(&name, error))?;
        let mut plain = BufReader::with_capacity(BUFFER_BYTES, file);
        let gzip = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
        if gzip {
            let start = plain.fill_buf().map_err(|error| refused(&name, error))?;
            if !start.starts_with(&MAGIC[..MAGIC.len().min(start.len())]) {
                return Err(DataError::NotGzip { path: name });
            }
        }
        let text: Box<dyn BufRead> = if gzip {
            Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(plain)))
        } else {
            Box::new(plain)
        };
        Ok(Self { path: name, gzip, text })
    }
}

/// Tells the disk's errors, which carry a number of the operating system, from the decoder's.
pub(crate) fn read_error(path: &str, gzip: bool, source: io::Error) -> DataError {
    let path = path.to_owned();
    if gzip && source.raw_os_error().is_none() {
        DataError::Gzip { path, source }
    } else {
        DataError::Read { path, source }
    }
}

fn refused(path: &str, source: io::Error) -> DataError {
    let path = path.to_owned();
    match source.kind() {
        ErrorKind::NotFound => DataError::Missing { path },
        ErrorKind::PermissionDenied => DataError::Denied { path },
        _ => DataError::Read { path, source },
    }
}
