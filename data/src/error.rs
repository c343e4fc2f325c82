//! Everything that can be wrong with a data file, said so that its owner can mend it.
//! Lines are counted from 1 as in an editor, columns from 0 as in `target`.

use crate::column::Column;
use std::io;
use thiserror::Error;

/// Why a file is not a data set.
#[derive(Debug, Error)]
pub enum DataError {
    /// Nothing at that path.
    #[error("{path}: no such file, expected a CSV file")]
    Missing {
        /// The path as given.
        path: String,
    },
    /// A folder, a pipe or a device.
    #[error("{path}: is {kind}, expected a CSV file")]
    NotAFile {
        /// The path as given.
        path: String,
        /// What it is instead.
        kind: &'static str,
    },
    /// The operating system refuses to open the file.
    #[error("{path}: permission denied, expected a readable file")]
    Denied {
        /// The path as given.
        path: String,
    },
    /// Any other failure of the disk.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// The path as given.
        path: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// A `.gz` file that cannot be unpacked.
    #[error("{path}: damaged gzip ({source}), expected a whole .gz file")]
    Gzip {
        /// The path as given.
        path: String,
        /// What the decoder says.
        source: io::Error,
    },
    /// A `.gz` file that never was one.
    #[error("{path}: not gzip, expected a .gz file, or a name without .gz for a plain one")]
    NotGzip {
        /// The path as given.
        path: String,
    },
    /// Bytes that are not text.
    #[error("{path}:{line}: not UTF-8, expected a text file in UTF-8")]
    NotUtf8 {
        /// The path as given.
        path: String,
        /// The line.
        line: u64,
    },
    /// A line that no CSV file of numbers has.
    #[error("{path}:{line}: the line is longer than {limit} bytes, expected a CSV file")]
    LongLine {
        /// The path as given.
        path: String,
        /// The line.
        line: u64,
        /// The longest line accepted, in bytes.
        limit: usize,
    },
    /// A quote that is never closed.
    #[error(
        "{path}:{line}: a quote (\") opens here and never closes, \
         expected one at the end of the cell"
    )]
    OpenQuote {
        /// The path as given.
        path: String,
        /// The line of the quote.
        line: u64,
    },
    /// A delimiter that cannot part cells.
    #[error("delimiter = {delimiter:?}: expected one ASCII character, no quote and no line break")]
    Delimiter {
        /// The delimiter as given.
        delimiter: char,
    },
    /// No row at all, or a header and no row.
    #[error("{path}: {found}, expected {expected}")]
    NoRows {
        /// The path as given.
        path: String,
        /// What is there.
        found: &'static str,
        /// What should be there.
        expected: &'static str,
    },
    /// More columns than a model could take.
    #[error("{path}:{line}: {columns} columns, expected at most {limit}")]
    TooManyColumns {
        /// The path as given.
        path: String,
        /// The first line.
        line: u64,
        /// How many columns it has.
        columns: usize,
        /// How many are accepted.
        limit: usize,
    },
    /// Only the target, nothing to predict it from.
    #[error("{path}:{line}: one column only, expected the target and at least one feature{hint}")]
    NoFeatures {
        /// The path as given.
        path: String,
        /// The first line.
        line: u64,
        /// A guess at the true delimiter, or nothing.
        hint: String,
    },
    /// The target names no column.
    #[error("{path}: target = {target}: no such column, expected {expected}")]
    NoTarget {
        /// The path as given.
        path: String,
        /// The target as given.
        target: String,
        /// The columns there are.
        expected: String,
    },
    /// The target names several columns.
    #[error(
        "{path}: target = {target:?}: columns {first} and {second} both have this name, \
         expected a column number"
    )]
    TwoTargets {
        /// The path as given.
        path: String,
        /// The target as given.
        target: String,
        /// The first column of that name.
        first: usize,
        /// The second.
        second: usize,
    },
    /// Columns that nothing tells apart.
    #[error(
        "{path}:{line}: columns {first} and {second} are both named {name:?}, \
         expected a name of its own for each column{hint}"
    )]
    TwoColumns {
        /// The path as given.
        path: String,
        /// The line of the header.
        line: u64,
        /// The name.
        name: String,
        /// The first column of that name.
        first: usize,
        /// The second.
        second: usize,
        /// A guess at why, or nothing.
        hint: &'static str,
    },
    /// A row with too few or too many cells.
    #[error("{path}:{line}: {cells} cells, expected {expected} as in the first line")]
    Ragged {
        /// The path as given.
        path: String,
        /// The line where the row starts.
        line: u64,
        /// How many cells the row has.
        cells: usize,
        /// How many the first line has.
        expected: usize,
    },
    /// Rows to predict for without some of the features.
    #[error("{path}:{line}: no column {names}, expected every feature that the model learnt from")]
    MissingColumns {
        /// The path as given.
        path: String,
        /// The line of the header.
        line: u64,
        /// Their names.
        names: String,
    },
    /// Rows to predict for with columns that are neither feature nor target.
    #[error("{path}:{line}: columns {names}: the model knows no such feature, expected none")]
    ExtraColumns {
        /// The path as given.
        path: String,
        /// The line of the header.
        line: u64,
        /// Their names.
        names: String,
    },
    /// Rows to predict for whose features have names that do not tell them apart.
    #[error(
        "{path}:{line}: the model learnt from several columns of one name, expected all of its \
         columns in their order: {names}"
    )]
    OtherColumns {
        /// The path as given.
        path: String,
        /// The line of the header.
        line: u64,
        /// The names of the features.
        names: String,
    },
    /// Rows to predict for that the model answers with no number.
    #[error(
        "{path}:{line}: the model has no finite answer to this row; {column} = {value:?} is \
         furthest from what it learnt from, expected numbers nearer to the training data"
    )]
    NoAnswer {
        /// The path as given.
        path: String,
        /// The line where the row starts.
        line: u64,
        /// The column.
        column: Column,
        /// The cell, shortened if long.
        value: String,
    },
    /// Rows to predict for of another width.
    #[error(
        "{path}:{line}: {found} columns, expected {features} features, or {with} with the target",
        with = features + 1
    )]
    Width {
        /// The path as given.
        path: String,
        /// The first line.
        line: u64,
        /// How many columns it has.
        found: usize,
        /// How many features the model takes.
        features: usize,
    },
    /// A cell without content.
    #[error("{path}:{line}: {column} is empty, expected {expected}")]
    EmptyCell {
        /// The path as given.
        path: String,
        /// The line where the row starts.
        line: u64,
        /// The column.
        column: Column,
        /// What should be there.
        expected: &'static str,
    },
    /// A cell that cannot be used.
    #[error("{path}:{line}: {column} = {value:?}, expected {expected}")]
    Cell {
        /// The path as given.
        path: String,
        /// The line where the row starts.
        line: u64,
        /// The column.
        column: Column,
        /// The cell, shortened if long.
        value: String,
        /// What should be there.
        expected: &'static str,
    },
    /// A target with many texts: neither labels nor numbers.
    #[error(
        "{path}:{line}: {column} = {value:?}, and the column has {distinct} different values, \
         expected numbers or at most {limit} labels; set the task to say which"
    )]
    UnclearTask {
        /// The path as given.
        path: String,
        /// The line of the first text.
        line: u64,
        /// The target.
        column: Column,
        /// That text, shortened if long.
        value: String,
        /// How many different values there are.
        distinct: usize,
        /// How many would be taken for labels.
        limit: usize,
    },
    /// A target that is the same in all rows.
    #[error("{path}: {column} is {value:?} in every row, expected at least two different {what}")]
    ConstantTarget {
        /// The path as given.
        path: String,
        /// The target.
        column: Column,
        /// Its only value.
        value: String,
        /// Labels or numbers.
        what: &'static str,
    },
    /// A share outside of (0, 1).
    #[error("validation = {share}: expected a share above 0 and below 1")]
    Share {
        /// The share as given.
        share: f64,
    },
    /// A share of which one side has no row.
    #[error(
        "{path}: validation = {share} of {rows} rows leaves none for {side}, expected at least one"
    )]
    EmptySide {
        /// The path as given.
        path: String,
        /// The share as given.
        share: f64,
        /// Rows of the file.
        rows: usize,
        /// Training or validation.
        side: &'static str,
    },
    /// No partition, or more of them than rows.
    #[error(
        "{path}: partitions = {partitions}: expected from 1 to {rows}, the number of training rows"
    )]
    Partitions {
        /// The path as given.
        path: String,
        /// The number as given.
        partitions: u32,
        /// Rows left for training.
        rows: usize,
    },
}
