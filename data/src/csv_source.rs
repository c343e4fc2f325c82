//! Where a CSV file lies and how it is read into a [`Table`]. Resolves the target column;
//! never decides what is trained on and what is held back.

use crate::cell;
use crate::column::Column;
use crate::error::DataError;
use crate::records::Records;
use crate::table::Table;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// More features than any of the model families takes in memory.
const COLUMNS_MAX: usize = 1_000_000;

/// A CSV file (RFC 4180, UTF-8) with one row an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvSource {
    /// The file; unpacked on the fly if its name ends in `.gz`.
    pub path: PathBuf,
    /// Whether the first line names the columns.
    pub header: bool,
    /// What is to be predicted; all other columns are features.
    pub target: ColumnRef,
    /// What stands between cells: one ASCII character.
    pub delimiter: char,
}

/// A column by its name or its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ColumnRef {
    /// Counted from 0, or from the end if negative: -1 is the last column.
    Number(i64),
    /// As in the header.
    Name(String),
}

impl fmt::Display for ColumnRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ColumnRef::Number(number) => write!(f, "{number}"),
            ColumnRef::Name(name) => write!(f, "{name:?}"),
        }
    }
}

impl CsvSource {
    /// Reads the whole file. Cells are trimmed of white space; blank lines are skipped; every
    /// feature is a finite number; the target is a finite number or a label.
    ///
    /// # Errors
    /// [`DataError`] for the first thing that is wrong, with its line and column.
    pub fn read(&self) -> Result<Table, DataError> {
        let mut records = Records::open(&self.path, self.delimiter_byte()?)?;
        if !records.advance()? {
            return Err(no_rows(&records, "is empty", "a header and rows"));
        }
        let mut table = self.table_for(&records)?;
        if self.header && !records.advance()? {
            return Err(no_rows(&records, "has a header and no row", "at least one row"));
        }
        table.push(records.record(), || records.line()).map_err(|error| self.in_first(error))?;
        while records.advance()? {
            table.push(records.record(), || records.line())?;
        }
        Ok(table)
    }

    /// What is wrong with the first row may be that it is a header.
    fn in_first(&self, error: DataError) -> DataError {
        match error {
            DataError::Cell { path, line, column, value, .. } if !self.header => {
                let expected = "a finite number; if this line names the columns, header = true";
                DataError::Cell { path, line, column, value, expected }
            }
            error => error,
        }
    }

    pub(crate) fn delimiter_byte(&self) -> Result<u8, DataError> {
        let usable = self.delimiter.is_ascii() && !matches!(self.delimiter, '"' | '\n' | '\r');
        u8::try_from(self.delimiter)
            .ok()
            .filter(|_| usable)
            .ok_or(DataError::Delimiter { delimiter: self.delimiter })
    }

    /// An empty table with the columns of the first record.
    fn table_for(&self, records: &Records) -> Result<Table, DataError> {
        let (first, path) = (records.record(), records.path().to_owned());
        let columns = first.len();
        if columns > COLUMNS_MAX {
            let (line, limit) = (records.line(), COLUMNS_MAX);
            return Err(DataError::TooManyColumns { path, line, columns, limit });
        }
        if columns < 2 {
            let hint = self.delimiter_hint(&first[0]);
            return Err(DataError::NoFeatures { path, line: records.line(), hint });
        }
        let names = first.iter().enumerate().map(|(number, cell)| match cell.trim() {
            name if self.header && !name.is_empty() => name.to_owned(),
            _ => Column::unnamed(number),
        });
        let names: Vec<String> = names.collect();
        let target = self.resolve_target(&path, &names)?;
        refuse_twins(records, &names)?;
        Ok(Table::new(path, names, target))
    }

    fn delimiter_hint(&self, line: &str) -> String {
        let others = [',', ';', '\t', '|'].into_iter().filter(|other| *other != self.delimiter);
        let likely = others.max_by_key(|other| line.matches(*other).count());
        match likely.filter(|other| line.contains(*other)) {
            Some(other) => format!("; is the delimiter {other:?}?"),
            None => String::new(),
        }
    }

    fn resolve_target(&self, path: &str, names: &[String]) -> Result<usize, DataError> {
        let missing = |expected: String| DataError::NoTarget {
            path: path.to_owned(),
            target: self.target.to_string(),
            expected,
        };
        let name = match &self.target {
            ColumnRef::Number(number) => {
                let last = names.len() as i64 - 1;
                let place = if *number < 0 { number.saturating_add(last + 1) } else { *number };
                let found = usize::try_from(place).ok().filter(|place| *place < names.len());
                return found.ok_or_else(|| missing(format!("from {} to {last}", -last - 1)));
            }
            ColumnRef::Name(name) => name,
        };
        let mut found = (0..names.len()).filter(|number| names[*number] == *name);
        match (found.next(), found.next()) {
            (Some(number), None) => Ok(number),
            (None, _) if !self.header => {
                Err(missing("a column number, as the file is read without a header".to_owned()))
            }
            (None, _) => Err(missing(format!("one of {}{}", listed(names), header_hint(names)))),
            (Some(first), Some(second)) => Err(DataError::TwoTargets {
                path: path.to_owned(),
                target: name.clone(),
                first,
                second,
            }),
        }
    }
}

fn no_rows(records: &Records, found: &'static str, expected: &'static str) -> DataError {
    DataError::NoRows { path: records.path().to_owned(), found, expected }
}

/// Refuses two columns of one name: a prediction finds features by their names.
pub(crate) fn refuse_twins(records: &Records, names: &[String]) -> Result<(), DataError> {
    let mut places = BTreeMap::new();
    for (second, name) in names.iter().enumerate() {
        if let Some(first) = places.insert(name, second) {
            let (path, line) = (records.path().to_owned(), records.line());
            let (name, hint) = (name.clone(), header_hint(names));
            return Err(DataError::TwoColumns { path, line, name, first, second, hint });
        }
    }
    Ok(())
}

/// A guess at why the names are not those that were expected.
fn header_hint(names: &[String]) -> &'static str {
    if names.iter().all(|name| cell::finite(name).is_some()) {
        "; the first line holds numbers only: is `header = false` meant, and a column number?"
    } else {
        ""
    }
}

/// The names in one line: all of a few, the ends of many.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 20;
    if names.len() <= SHOWN {
        return names.join(", ");
    }
    let (first, last) = (&names[..SHOWN - 1], &names[names.len() - 1]);
    format!("{}, … {last} ({} columns)", first.join(", "), names.len())
}

#[cfg(test)]
#[path = "csv_source_tests.rs"]
mod tests;
