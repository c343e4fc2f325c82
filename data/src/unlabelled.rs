//! Rows to predict for: the features of a file whose target column may be there or not. Finds
//! features by name where the file has a header, by place where it has none; scales as in training.

use crate::cell::{self, NUMBER, SINGLE, shortened};
use crate::column::Column;
use crate::csv_source::{ColumnRef, CsvSource};
use crate::error::DataError;
use crate::records::Records;
use crate::scaling::Scaling;
use csv::StringRecord;

/// How many names a message lists.
const NAMED_MAX: usize = 8;

impl CsvSource {
    /// The features of every row (rows × `features`, row after row), in the order of `features`,
    /// whatever order the file has them in, standardised by `scaling` if there is one. The target
    /// is skipped if it is there.
    ///
    /// # Errors
    /// A missing column and one too many by name, and whatever [`CsvSource::read`] refuses in
    /// the columns that are used.
    pub fn read_features(
        &self,
        features: &[String],
        scaling: Option<&Scaling>,
    ) -> Result<Vec<f32>, DataError> {
        let mut records = Records::open(&self.path, self.delimiter_byte()?)?;
        let path = records.path().to_owned();
        let no_rows = |found, expected| DataError::NoRows { path: path.clone(), found, expected };
        if !records.advance()? {
            return Err(no_rows("is empty", "rows to predict for"));
        }
        let (places, width) = (self.places(&records, features)?, records.record().len());
        if self.header && !records.advance()? {
            return Err(no_rows("has a header and no row", "at least one row"));
        }
        let mut numbers = Vec::new();
        loop {
            let row = read_row(&records, &places, features, width, scaling.is_none())?;
            match scaling {
                Some(scaling) => numbers.extend(scaling.scale(&row)),
                None => numbers.extend(row.iter().map(|number| *number as f32)),
            }
            if !records.advance()? {
                return Ok(numbers);
            }
        }
    }

    /// The place of each feature in a record.
    fn places(&self, records: &Records, features: &[String]) -> Result<Vec<usize>, DataError> {
        if self.header && all_differ(features) {
            self.places_by_name(records, features)
        } else {
            self.places_by_number(records, features.len())
        }
    }

    fn places_by_name(
        &self,
        records: &Records,
        features: &[String],
    ) -> Result<Vec<usize>, DataError> {
        let names = header(records.record());
        let place = |feature: &String| names.iter().position(|name| name == feature);
        let places: Vec<Option<usize>> = features.iter().map(place).collect();
        let missing = features.iter().zip(&places).filter(|(_, place)| place.is_none());
        let missing: Vec<&String> = missing.map(|(feature, _)| feature).collect();
        if !missing.is_empty() {
            let (path, line) = (records.path().to_owned(), records.line());
            return Err(DataError::MissingColumns { path, line, names: listed(&missing) });
        }
        let places: Vec<usize> = places.into_iter().flatten().collect();
        let others = (0..names.len()).filter(|place| !places.contains(place));
        let extra: Vec<usize> = others.filter(|at| !self.is_target(*at, &names)).collect();
        if extra.is_empty() {
            return Ok(places);
        }
        let names: Vec<&String> = extra.iter().map(|place| &names[*place]).collect();
        let (path, line) = (records.path().to_owned(), records.line());
        Err(DataError::ExtraColumns { path, line, names: listed(&names) })
    }

    /// Whether the column at `place` is the target, by name or by number.
    fn is_target(&self, place: usize, names: &[String]) -> bool {
        match &self.target {
            ColumnRef::Name(name) => names[place] == *name,
            ColumnRef::Number(_) => self.target_place(names.len()) == Some(place),
        }
    }

    fn target_place(&self, columns: usize) -> Option<usize> {
        match &self.target {
            ColumnRef::Number(number) if *number < 0 => {
                columns.checked_sub(usize::try_from(number.unsigned_abs()).ok()?)
            }
            ColumnRef::Number(number) => usize::try_from(*number).ok().filter(|at| *at < columns),
            ColumnRef::Name(_) => None,
        }
    }

    /// Without names the number of columns says whether the target is among them.
    fn places_by_number(
        &self,
        records: &Records,
        features: usize,
    ) -> Result<Vec<usize>, DataError> {
        let names = header(records.record());
        let found = names.len();
        if found == features {
            return Ok((0..features).collect());
        }
        let target = (0..found).find(|place| self.is_target(*place, &names));
        match target.filter(|_| found == features + 1) {
            Some(target) => Ok((0..found).filter(|place| *place != target).collect()),
            None => {
                let (path, line) = (records.path().to_owned(), records.line());
                Err(DataError::Width { path, line, found, features })
            }
        }
    }
}

/// The names of the columns, as reading a header for training gives them.
fn header(record: &StringRecord) -> Vec<String> {
    let name = |(number, cell): (usize, &str)| match cell.trim() {
        "" => Column::unnamed(number),
        name => name.to_owned(),
    };
    record.iter().enumerate().map(name).collect()
}

fn all_differ(names: &[String]) -> bool {
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    sorted.windows(2).all(|pair| pair[0] != pair[1])
}

/// The features of the current record; `single` if 32 bits must hold them.
fn read_row(
    records: &Records,
    places: &[usize],
    features: &[String],
    width: usize,
    single: bool,
) -> Result<Vec<f64>, DataError> {
    let record = records.record();
    if record.len() != width {
        let (path, line, cells) = (records.path().to_owned(), records.line(), record.len());
        return Err(DataError::Ragged { path, line, cells, expected: width });
    }
    let number = |(place, name): (&usize, &String)| {
        let cell = record[*place].trim();
        let refuse = |expected| {
            let column = Column { number: *place, name: name.clone() };
            let (path, line, value) = (records.path().to_owned(), records.line(), shortened(cell));
            match value.is_empty() {
                true => DataError::EmptyCell { path, line, column, expected },
                false => DataError::Cell { path, line, column, value, expected },
            }
        };
        match cell::finite(cell) {
            Some(number) if single && !cell::fits_single(number) => Err(refuse(SINGLE)),
            Some(number) => Ok(number),
            None => Err(refuse(cell::expected(cell, NUMBER))),
        }
    };
    places.iter().zip(features).map(number).collect()
}

fn listed(names: &[&String]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMED_MAX).map(|name| name.as_str()).collect();
    match names.len().checked_sub(NAMED_MAX) {
        None | Some(0) => shown.join(", "),
        Some(more) => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
#[path = "unlabelled_tests.rs"]
mod tests;
