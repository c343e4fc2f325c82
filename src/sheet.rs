//! Named columns of typed cells: the one form that trials and epochs have for everything that
//! lists, sorts, filters or exports them. Never knows where its numbers come from.

mod parquet;

use crate::json;
use crate::study_file::nearest;
use serde::{Serialize, Serializer};
use serde_json::Value as Json;
use std::cmp::Ordering;
use thiserror::Error;
use wallaby_core::value::Value;

/// One cell; `None` where there is nothing to tell.
pub(crate) type Cell = Option<Value>;

/// A table of typed cells; every row has a cell for each column.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Sheet {
    /// Names of the columns, all different.
    pub(crate) columns: Vec<String>,
    /// The cells, row after row.
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// A name that no column has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown column {name}{hint}")]
pub(crate) struct UnknownColumn {
    name: String,
    hint: String,
}

/// What the cells of a column have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No cell tells anything.
    Empty,
    /// `true` or `false`.
    Flag,
    /// Whole numbers.
    Whole,
    /// Numbers.
    Number,
    /// Words, lists, or several kinds.
    Text,
}

impl Sheet {
    /// The number of the column `name`.
    ///
    /// # Errors
    /// There is none; the nearest is named.
    pub(crate) fn require(&self, name: &str) -> Result<usize, UnknownColumn> {
        let found = self.columns.iter().position(|column| column == name);
        found.ok_or_else(|| UnknownColumn { name: name.to_owned(), hint: self.hint(name) })
    }

    /// A parameter without its `config.` counts as near.
    fn hint(&self, name: &str) -> String {
        let parameter = format!("config.{name}");
        let names = || self.columns.iter().map(String::as_str);
        let near = names().find(|column| *column == parameter).or_else(|| nearest(name, names()));
        match near {
            Some(column) => format!("; did you mean {column}?"),
            None => format!(", expected one of {}", self.columns.join(", ")),
        }
    }

    /// What a column holds.
    pub(crate) fn kind(&self, column: usize) -> Kind {
        let cells = self.rows.iter().filter_map(|row| row[column].as_ref());
        cells.map(kind_of).fold(Kind::Empty, common)
    }

    /// Whether some cell of a column is a number, or a text that reads as one.
    pub(crate) fn holds_a_number(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().filter_map(|row| row[column].as_ref());
        cells.any(|cell| cell.as_f64().is_some() || cell.to_string().parse::<f64>().is_ok())
    }

    /// Sorts the rows by a column, upwards or downwards; those without a value come last, equals
    /// stay in their order.
    pub(crate) fn sort(&mut self, column: usize, downwards: bool) {
        self.rows.sort_by(|a, b| match (&a[column], &b[column]) {
            (Some(a), Some(b)) if downwards => order(b, a),
            (Some(a), Some(b)) => order(a, b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        });
    }

    /// As CSV with a header; an empty cell where there is nothing to tell.
    pub(crate) fn to_csv(&self) -> Vec<u8> {
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        let text = |cell: &Cell| cell.as_ref().map(Value::to_string).unwrap_or_default();
        let whole = "rows of one length into memory";
        writer.write_record(&self.columns).expect(whole);
        for row in &self.rows {
            writer.write_record(row.iter().map(text)).expect(whole);
        }
        writer.into_inner().expect(whole)
    }

    /// As the text of a JSON array of an object for each row, its fields in the order of the
    /// columns; `null` where there is nothing to tell.
    pub(crate) fn to_json(&self) -> String {
        let rows: Vec<Row> = self.rows.iter().map(|row| Row(&self.columns, row)).collect();
        serde_json::to_string_pretty(&rows).expect("texts and numbers are JSON") + "\n"
    }

    /// As a Parquet file, uncompressed: whole numbers as INT64, numbers as DOUBLE, flags as
    /// BOOLEAN, everything else as UTF-8 text; all columns may hold nulls.
    ///
    /// # Errors
    /// What the library says, in words; none is known to happen in memory.
    pub(crate) fn to_parquet(&self, name: &str) -> Result<Vec<u8>, String> {
        parquet::write(self, name).map_err(|error| error.to_string())
    }
}

/// A row that keeps the order of its columns, which a JSON object in memory does not.
struct Row<'a>(&'a [String], &'a [Cell]);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cell = |cell: &Cell| cell.as_ref().map_or(Json::Null, json::value);
        serializer.collect_map(self.0.iter().zip(self.1.iter().map(cell)))
    }
}

fn kind_of(value: &Value) -> Kind {
    match value {
        Value::Bool(_) => Kind::Flag,
        Value::Int(_) => Kind::Whole,
        Value::Float(_) => Kind::Number,
        Value::Text(_) | Value::List(_) => Kind::Text,
    }
}

fn common(a: Kind, b: Kind) -> Kind {
    match (a, b) {
        (Kind::Empty, other) | (other, Kind::Empty) => other,
        (a, b) if a == b => a,
        (Kind::Whole, Kind::Number) | (Kind::Number, Kind::Whole) => Kind::Number,
        _ => Kind::Text,
    }
}

/// Numbers by size and before everything else, the rest by its text.
fn order(a: &Value, b: &Value) -> Ordering {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (None, None) => a.to_string().cmp(&b.to_string()),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

#[cfg(test)]
#[path = "sheet/sheet_tests.rs"]
mod tests;
