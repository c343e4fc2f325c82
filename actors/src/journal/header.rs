//! What the first bytes of a redb file tell before it is opened: was it closed, how long should
//! it be, which of its two commit slots is the newest. Never writes, and trusts nothing it reads
//! further than to choose words and to mend the length of the file.
//!
//! Source: redb, `docs/design.md`, "Super-header" (file format 3, redb 4).

use super::error::{JournalError, Place};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

const MAGIC: &[u8; 9] = b"redb\x1A\x0A\xA9\x0D\x0A";
const FLAGS: usize = 9;
const PAGE_SIZE: usize = 12;
const HEADER_BYTES: usize = 320;

const SECOND_SLOT_IS_PRIMARY: u8 = 1;
const NOT_CLOSED: u8 = 2;

/// The part of a redb file's header that does not depend on its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Whether the last writer did not close the file.
    pub(super) unclean: bool,
    /// Which commit slot was written last, 0 or 1.
    pub(super) primary: u8,
    /// How large a page is, in bytes.
    pub(super) page_bytes: u64,
    /// How long the file should be, in bytes. After an unclean stop this may be outdated.
    pub(super) expected_bytes: u64,
    /// How long the file is, in bytes.
    pub(super) actual_bytes: u64,
}

impl Header {
    /// Reads the header of a journal's file.
    ///
    /// # Errors
    /// `Damaged` if the file is empty, too short, or no redb file at all.
    pub(super) fn read(path: &Path) -> Result<Self, JournalError> {
        let (bytes, actual_bytes) =
            read_start(path).map_err(|error| JournalError::from_storage(path, error))?;
        let refuse = |found: &str| JournalError::Damaged {
            path: path.to_owned(),
            place: Place::File,
            found: found.to_owned(),
        };
        if actual_bytes == 0 {
            return Err(refuse("it is empty, expected a journal"));
        }
        if !bytes.starts_with(&MAGIC[..bytes.len().min(MAGIC.len())]) {
            return Err(refuse("its first bytes are not those of a journal"));
        }
        if bytes.len() < HEADER_BYTES {
            return Err(refuse(&format!("it ends after {actual_bytes} bytes, inside its header")));
        }
        Ok(Self::parse(&bytes, actual_bytes))
    }

    fn parse(bytes: &[u8], actual_bytes: u64) -> Self {
        let number = |index: usize| {
            let at = PAGE_SIZE + 4 * index;
            u64::from(u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]))
        };
        let [page_bytes, region_head, region_pages, full_regions, rest] =
            std::array::from_fn(number);
        let rest_pages = if rest > 0 { region_head.saturating_add(rest) } else { 0 };
        let pages = full_regions
            .saturating_mul(region_head.saturating_add(region_pages))
            .saturating_add(rest_pages)
            .saturating_add(1);
        Self {
            unclean: bytes[FLAGS] & NOT_CLOSED != 0,
            primary: bytes[FLAGS] & SECOND_SLOT_IS_PRIMARY,
            page_bytes,
            expected_bytes: pages.saturating_mul(page_bytes),
            actual_bytes,
        }
    }
}

fn read_start(path: &Path) -> io::Result<(Vec<u8>, u64)> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    file.take(HEADER_BYTES as u64).read_to_end(&mut bytes)?;
    Ok((bytes, length))
}
