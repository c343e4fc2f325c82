//! The records of a CSV file one after the other, each with the line where it starts.
//! Knows quoting and delimiters, never what a cell means.

use crate::error::DataError;
use crate::input::{Input, read_error};
use crate::lines::{LINE_BYTES_MAX, LineError, Lines};
use csv::StringRecord;
use std::io::{self, BufRead};
use std::path::Path;

/// An open CSV file and its current record.
pub(crate) struct Records {
    path: String,
    gzip: bool,
    reader: csv::Reader<Lines<Box<dyn BufRead>>>,
    record: StringRecord,
}

impl Records {
    /// Opens `path`; there is no record until [`Records::advance`].
    pub(crate) fn open(path: &Path, delimiter: u8) -> Result<Self, DataError> {
        let Input { path, gzip, text } = Input::open(path)?;
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(Lines::new(text, delimiter));
        Ok(Self { path, gzip, reader, record: StringRecord::new() })
    }

    /// Moves to the next record, skipping blank lines; `false` at the end.
    pub(crate) fn advance(&mut self) -> Result<bool, DataError> {
        self.reader.read_record(&mut self.record).map_err(|error| self.explain(error))
    }

    /// The current record.
    pub(crate) fn record(&self) -> &StringRecord {
        &self.record
    }

    /// The path, for messages.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The line where the current record starts, from 1. Counted back from its end, because the
    /// reader's own start of a record lies before any blank lines.
    pub(crate) fn line(&self) -> u64 {
        let breaks: usize = self.record.iter().map(|cell| cell.matches('\n').count()).sum();
        self.reader.position().line().saturating_sub(1 + breaks as u64).max(1)
    }

    fn explain(&self, error: csv::Error) -> DataError {
        let path = self.path.clone();
        let source = match error.into_kind() {
            csv::ErrorKind::Io(source) => source,
            other => io::Error::other(format!("{other:?}")),
        };
        match source.get_ref().and_then(|inner| inner.downcast_ref::<LineError>()) {
            Some(LineError::NotUtf8(line)) => DataError::NotUtf8 { path, line: *line },
            Some(LineError::OpenQuote(line)) => DataError::OpenQuote { path, line: *line },
            Some(LineError::TooLong(line)) => {
                DataError::LongLine { path, line: *line, limit: LINE_BYTES_MAX }
            }
            None => read_error(&path, self.gzip, source),
        }
    }
}
