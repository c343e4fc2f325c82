//! Finds the record to blame when the storage layer refuses a file as a whole. Looks at the raw
//! bytes, page by page, because no tree that leads to them can be trusted any more. Never writes,
//! and nothing that it reads is used for anything but the words of an error.
//!
//! Source: redb, `docs/design.md`, "B-tree pages" (leaf pages, file format 3, redb 4).

use super::codec::{self, Flaw};
use super::error::{JournalError, Place};
use super::tables::{LOG, Numbered, RECORDS};
use std::path::Path;

const PAGE_BYTES: usize = 4096;
const LEAF: u8 = 1;
const COUNT: usize = 2;
const ENDS: usize = 4;

/// The same refusal, with the place of the damage if one can be found.
pub(super) fn blame(path: &Path, refusal: JournalError) -> JournalError {
    let Ok(bytes) = std::fs::read(path) else { return refusal };
    let Some(place) = damaged_place(&bytes) else { return refusal };
    JournalError::Damaged { path: path.to_owned(), place, found: Flaw::Checksum.to_string() }
}

/// The first damaged record; if there is none, the first damaged log entry.
fn damaged_place(bytes: &[u8]) -> Option<Place> {
    [&RECORDS, &LOG].into_iter().find_map(|table| {
        let pages = (0..bytes.len()).step_by(PAGE_BYTES).filter_map(|start| bytes.get(start..));
        let damaged = pages.flat_map(leaf_pairs).filter(|pair| pair.is_damaged(table));
        damaged.map(|pair| pair.number).min().map(|number| table.place(number))
    })
}

/// What a leaf page stores under one number.
struct Pair<'a> {
    number: u64,
    sealed: &'a [u8],
}

impl Pair<'_> {
    fn is_damaged(&self, table: &Numbered) -> bool {
        codec::claims(table.name(), self.sealed)
            && codec::unseal(table.name(), self.number, self.sealed) == Err(Flaw::Checksum)
    }
}

/// The pairs of a leaf page with numbers as keys: type, count, the ends of the values, the keys,
/// the values. Bytes that are no such page yield none, or pairs that claim no table.
fn leaf_pairs(page: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    let is_leaf = page.first() == Some(&LEAF);
    let count = page.get(COUNT..).and_then(|bytes| bytes.first_chunk().copied());
    let count = usize::from(count.map_or(0, u16::from_le_bytes));
    let keys = ENDS + 4 * count;
    let values = keys + 8 * count;
    let end = move |index: usize| {
        let at = page.get(ENDS + 4 * index..)?.first_chunk().copied()?;
        usize::try_from(u32::from_le_bytes(at)).ok()
    };
    let pair = move |index: usize| {
        let number = page.get(keys + 8 * index..)?.first_chunk().copied()?;
        let start = if index == 0 { values } else { end(index - 1)? };
        Some(Pair { number: u64::from_le_bytes(number), sealed: page.get(start..end(index)?)? })
    };
    (0..count).filter(move |_| is_leaf).filter_map(pair)
}
