//! The tables of a journal's file, and checked access to them inside one transaction.
//! Decides nothing: neither when to commit, nor what an entry means.

use super::codec::{self, Flaw};
use super::error::{JournalError, Place};
use redb::{ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};
use serde::{Serialize, de::DeserializeOwned};
use std::ops::{ControlFlow, Range, RangeBounds};
use std::path::Path;
use wallaby_core::ids::Seq;

/// A table of sealed payloads under consecutive numbers.
pub(super) struct Numbered {
    name: &'static str,
    place: fn(u64) -> Place,
}

/// The Raft log: index → entry.
pub(super) const LOG: Numbered = Numbered { name: "log", place: Place::LogEntry };
/// The state machine: sequence number → record.
pub(super) const RECORDS: Numbered =
    Numbered { name: "records", place: |number| Place::Record(Seq(number)) };

/// Records of a snapshot that has not come in as a whole: sequence number → record. Only in the
/// files of journals that have several members.
pub(super) const INCOMING: Numbered =
    Numbered { name: "incoming", place: |number| Place::Record(Seq(number)) };

/// Single values by name.
const FIELDS: TableDefinition<&str, &[u8]> = TableDefinition::new("fields");
/// The file's format version, which must be readable before anything else can be.
const FORMAT: TableDefinition<&str, u32> = TableDefinition::new("format");

impl Numbered {
    const fn definition(&self) -> TableDefinition<'static, u64, &'static [u8]> {
        TableDefinition::new(self.name)
    }

    /// The table's name, under which its payloads are sealed.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// The place of a number in this table.
    pub(super) fn place(&self, number: u64) -> Place {
        (self.place)(number)
    }

    fn unseal<'a>(
        &self,
        path: &Path,
        number: u64,
        sealed: &'a [u8],
    ) -> Result<&'a [u8], JournalError> {
        codec::unseal(self.name, number, sealed)
            .map_err(|flaw| flawed(path, self.place(number), flaw))
    }

    /// The error of a number that does not follow the one before it.
    pub(super) fn gap(&self, path: &Path, expected: u64) -> JournalError {
        let place = self.place(expected);
        JournalError::Damaged { path: path.to_owned(), place, found: "it is missing".to_owned() }
    }
}

/// A consistent view of the journal.
pub(super) struct View<'a> {
    pub(super) path: &'a Path,
    pub(super) transaction: &'a ReadTransaction,
}

impl View<'_> {
    /// The file's format version; an error if it is not known to this build.
    pub(super) fn check_format(&self) -> Result<(), JournalError> {
        let path = self.path.to_owned();
        let table = self.transaction.open_table(FORMAT).map_err(|error| self.error(error))?;
        match table.get("version").map_err(|error| self.error(error))?.map(|found| found.value()) {
            Some(codec::VERSION) => Ok(()),
            Some(found) if found > codec::VERSION => {
                Err(JournalError::Newer { path, found, known: codec::VERSION })
            }
            found => {
                let found = format!("format version {found:?}, expected {}", codec::VERSION);
                Err(JournalError::Damaged { path, place: Place::File, found })
            }
        }
    }

    /// Visits the payloads of a range of numbers in ascending order, checked, one at a time.
    pub(super) fn visit(
        &self,
        table: &Numbered,
        range: impl RangeBounds<u64>,
        mut visitor: impl FnMut(u64, &[u8]) -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        let stored = self.transaction.open_table(table.definition());
        let stored = stored.map_err(|error| self.error(error))?;
        visit_while(self.path, table, &stored, range, |number, payload| {
            visitor(number, payload).map(|()| ControlFlow::Continue(()))
        })
    }

    /// The first payloads of a range of numbers, checked: as many as have `bytes_max` together,
    /// but at least one.
    pub(super) fn some(
        &self,
        table: &Numbered,
        range: Range<u64>,
        bytes_max: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, JournalError> {
        let stored = self.transaction.open_table(table.definition());
        some(self.path, table, &stored.map_err(|error| self.error(error))?, range, bytes_max)
    }

    /// The highest number and its payload.
    pub(super) fn last(&self, table: &Numbered) -> Result<Option<(u64, Vec<u8>)>, JournalError> {
        let stored = self.transaction.open_table(table.definition());
        let stored = stored.map_err(|error| self.error(error))?;
        let Some((number, sealed)) = stored.last().map_err(|error| self.error(error))? else {
            return Ok(None);
        };
        let payload = table.unseal(self.path, number.value(), sealed.value())?;
        Ok(Some((number.value(), payload.to_vec())))
    }

    /// A single value, if it was ever set.
    pub(super) fn field<T: DeserializeOwned>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, JournalError> {
        let table = self.transaction.open_table(FIELDS).map_err(|error| self.error(error))?;
        field(self.path, &table, name)
    }

    fn error(&self, error: impl Into<redb::Error>) -> JournalError {
        JournalError::from_storage(self.path, error)
    }
}

/// A change of the journal that is not committed yet.
pub(super) struct Change<'a> {
    pub(super) path: &'a Path,
    pub(super) transaction: &'a WriteTransaction,
}

impl Change<'_> {
    /// Creates all tables of a new file and marks it with the format version.
    pub(super) fn create_tables(&self, version: u32) -> Result<(), JournalError> {
        for table in [&LOG, &RECORDS] {
            let created = self.transaction.open_table(table.definition());
            created.map_err(|error| self.error(error))?;
        }
        self.transaction.open_table(FIELDS).map_err(|error| self.error(error))?;
        let mut format = self.transaction.open_table(FORMAT).map_err(|error| self.error(error))?;
        format.insert("version", version).map_err(|error| self.error(error))?;
        Ok(())
    }

    /// The first payloads of a range of numbers, as [`View::some`] gives them.
    pub(super) fn some(
        &self,
        table: &Numbered,
        range: Range<u64>,
        bytes_max: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, JournalError> {
        let stored = self.transaction.open_table(table.definition());
        some(self.path, table, &stored.map_err(|error| self.error(error))?, range, bytes_max)
    }

    /// Stores payloads under their numbers.
    pub(super) fn put(
        &self,
        table: &Numbered,
        payloads: impl IntoIterator<Item = (u64, Vec<u8>)>,
    ) -> Result<(), JournalError> {
        let stored = self.transaction.open_table(table.definition());
        let mut stored = stored.map_err(|error| self.error(error))?;
        for (number, payload) in payloads {
            let sealed = codec::seal(table.name, number, &payload);
            stored.insert(number, sealed.as_slice()).map_err(|error| self.error(error))?;
        }
        Ok(())
    }

    /// Removes a range of numbers.
    pub(super) fn remove(
        &self,
        table: &Numbered,
        range: impl RangeBounds<u64>,
    ) -> Result<(), JournalError> {
        let stored = self.transaction.open_table(table.definition());
        let mut stored = stored.map_err(|error| self.error(error))?;
        stored.retain_in(range, |_, _| false).map_err(|error| self.error(error))
    }

    /// A single value, if it was ever set.
    pub(super) fn field<T: DeserializeOwned>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, JournalError> {
        let table = self.transaction.open_table(FIELDS).map_err(|error| self.error(error))?;
        field(self.path, &table, name)
    }

    /// Sets a single value.
    pub(super) fn set_field(
        &self,
        name: &'static str,
        value: &impl Serialize,
    ) -> Result<(), JournalError> {
        let mut table = self.transaction.open_table(FIELDS).map_err(|error| self.error(error))?;
        let sealed = codec::seal(name, 0, &encode(value));
        table.insert(name, sealed.as_slice()).map_err(|error| self.error(error))?;
        Ok(())
    }

    fn error(&self, error: impl Into<redb::Error>) -> JournalError {
        JournalError::from_storage(self.path, error)
    }
}

/// The bytes of a value; the reverse of [`decode`].
pub(super) fn encode(value: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(value).expect("the journal's own types have a binary form")
}

/// The value of bytes that [`encode`] made.
pub(super) fn decode<T: DeserializeOwned>(
    path: &Path,
    place: Place,
    bytes: &[u8],
) -> Result<T, JournalError> {
    postcard::from_bytes(bytes).map_err(|error| JournalError::Damaged {
        path: path.to_owned(),
        place,
        found: format!("cannot be decoded: {error}"),
    })
}

fn field<T: DeserializeOwned>(
    path: &Path,
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    name: &'static str,
) -> Result<Option<T>, JournalError> {
    let stored = table.get(name).map_err(|error| JournalError::from_storage(path, error))?;
    let Some(sealed) = stored else { return Ok(None) };
    let place = Place::Field(name);
    let payload =
        codec::unseal(name, 0, sealed.value()).map_err(|flaw| flawed(path, place, flaw))?;
    decode(path, place, payload).map(Some)
}

fn visit_while(
    path: &Path,
    table: &Numbered,
    stored: &impl ReadableTable<u64, &'static [u8]>,
    range: impl RangeBounds<u64>,
    mut visitor: impl FnMut(u64, &[u8]) -> Result<ControlFlow<()>, JournalError>,
) -> Result<(), JournalError> {
    let failed = |error| JournalError::from_storage(path, error);
    for item in stored.range(range).map_err(failed)? {
        let (number, sealed) = item.map_err(failed)?;
        let payload = table.unseal(path, number.value(), sealed.value())?;
        if visitor(number.value(), payload)?.is_break() {
            break;
        }
    }
    Ok(())
}

fn some(
    path: &Path,
    table: &Numbered,
    stored: &impl ReadableTable<u64, &'static [u8]>,
    range: Range<u64>,
    bytes_max: usize,
) -> Result<Vec<(u64, Vec<u8>)>, JournalError> {
    let mut some = Vec::new();
    let mut bytes = 0;
    visit_while(path, table, stored, range, |number, payload| {
        bytes += payload.len();
        if bytes > bytes_max && !some.is_empty() {
            return Ok(ControlFlow::Break(()));
        }
        some.push((number, payload.to_vec()));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(some)
}

fn flawed(path: &Path, place: Place, flaw: Flaw) -> JournalError {
    let path = path.to_owned();
    match flaw {
        Flaw::Newer(found) => JournalError::Newer { path, found, known: codec::VERSION },
        flaw => JournalError::Damaged { path, place, found: flaw.to_string() },
    }
}
