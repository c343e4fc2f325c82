//! Rows to predict for: the features of a file whose target column may be there or not. Finds
//! features by name where the file has a header, by place where it has none; scales as in training.

use crate::cell::{self, NUMBER, SINGLE, shortened};
use crate::column::Column;
use crate::csv_source::{ColumnRef, CsvSource, refuse_twins};
use crate::error::DataError;
use crate::problem::Problem;
use crate::records::Records;
use crate::scaling::Scaling;
use csv::StringRecord;
use std::collections::{BTreeMap, BTreeSet};

/// How many names a message lists.
const NAMED_MAX: usize = 8;

/// A file at its first row, and where the features lie in a row.
struct Unlabelled {
    records: Records,
    places: Vec<usize>,
    width: usize,
}

impl CsvSource {
    /// The features of every row (rows × features, row after row), in the order of `problem`,
    /// whatever order the file has them in, standardised by `scaling` if there is one. The target
    /// is skipped if it is there.
    ///
    /// # Errors
    /// A missing column and one too many by name, and whatever [`CsvSource::read`] refuses in
    /// the columns that are used.
    pub fn read_features(
        &self,
        problem: &Problem,
        scaling: Option<&Scaling>,
    ) -> Result<Vec<f32>, DataError> {
        let mut rows = self.open_unlabelled(problem)?;
        let mut numbers = Vec::new();
        loop {
            let row = rows.read(&problem.features, scaling.is_none())?;
            match scaling {
                Some(scaling) => numbers.extend(scaling.scale(&row)),
                None => numbers.extend(row.iter().map(|number| *number as f32)),
            }
            if !rows.records.advance()? {
                return Ok(numbers);
            }
        }
    }

    /// Why a model may have no finite answer to a row, counted from 0: the cell that is furthest
    /// from what it learnt from.
    ///
    /// # Errors
    /// If the file cannot be read once more.
    pub fn why_no_answer(
        &self,
        problem: &Problem,
        scaling: Option<&Scaling>,
        row: usize,
    ) -> Result<DataError, DataError> {
        let mut rows = self.open_unlabelled(problem)?;
        for _ in 0..row {
            rows.records.advance()?;
        }
        let cells = rows.read(&problem.features, scaling.is_none())?;
        let scaled: Vec<f32> = match scaling {
            Some(scaling) => scaling.scale(&cells).collect(),
            None => cells.iter().map(|number| *number as f32).collect(),
        };
        let furthest =
            (0..scaled.len()).max_by(|a, b| scaled[*a].abs().total_cmp(&scaled[*b].abs()));
        let feature = furthest.expect("a model has a feature");
        let number = rows.places[feature];
        let value = shortened(rows.records.record()[number].trim());
        let column = Column { number, name: problem.features[feature].clone() };
        let (path, line) = (rows.records.path().to_owned(), rows.records.line());
        Ok(DataError::NoAnswer { path, line, column, value })
    }

    fn open_unlabelled(&self, problem: &Problem) -> Result<Unlabelled, DataError> {
        let mut records = Records::open(&self.path, self.delimiter_byte()?)?;
        let path = records.path().to_owned();
        let no_rows = |found, expected| DataError::NoRows { path: path.clone(), found, expected };
        if !records.advance()? {
            return Err(no_rows("is empty", "rows to predict for"));
        }
        let (places, width) = (self.places(&records, problem)?, records.record().len());
        if self.header && !records.advance()? {
            return Err(no_rows("has a header and no row", "at least one row"));
        }
        Ok(Unlabelled { records, places, width })
    }

    /// The place of each feature in a record.
    fn places(&self, records: &Records, problem: &Problem) -> Result<Vec<usize>, DataError> {
        if !self.header {
            return self.places_by_number(records, problem.features.len());
        }
        let names = header(records.record());
        if !all_differ(&problem.features) {
            return self.places_in_order(records, &names, problem);
        }
        refuse_twins(records, &names)?;
        self.places_by_name(records, &names, problem)
    }

    fn places_by_name(
        &self,
        records: &Records,
        names: &[String],
        problem: &Problem,
    ) -> Result<Vec<usize>, DataError> {
        let at: BTreeMap<&String, usize> = names.iter().zip(0..).collect();
        let missing = problem.features.iter().filter(|feature| !at.contains_key(feature));
        let missing: Vec<&String> = missing.collect();
        let (path, line) = (records.path().to_owned(), records.line());
        if !missing.is_empty() {
            return Err(DataError::MissingColumns { path, line, names: listed(&missing) });
        }
        let places: Vec<usize> = problem.features.iter().map(|feature| at[feature]).collect();
        let known: BTreeSet<usize> = places.iter().copied().collect();
        let extra = (0..names.len())
            .filter(|place| !known.contains(place) && !self.is_target(*place, names, problem));
        let extra: Vec<&String> = extra.map(|place| &names[place]).collect();
        match extra.is_empty() {
            true => Ok(places),
            false => Err(DataError::ExtraColumns { path, line, names: listed(&extra) }),
        }
    }

    /// The features of a run that learnt from several of one name, as was possible once: only
    /// the whole header says which is which.
    fn places_in_order(
        &self,
        records: &Records,
        names: &[String],
        problem: &Problem,
    ) -> Result<Vec<usize>, DataError> {
        let all: Vec<usize> = (0..names.len()).collect();
        let features = all.iter().copied().filter(|at| !self.is_target(*at, names, problem));
        let features: Vec<usize> = features.collect();
        let fits = |places: &Vec<usize>| places.iter().map(|at| &names[*at]).eq(&problem.features);
        [all, features].into_iter().find(fits).ok_or_else(|| {
            let (path, line) = (records.path().to_owned(), records.line());
            let names = listed(&problem.features.iter().collect::<Vec<_>>());
            DataError::OtherColumns { path, line, names }
        })
    }

    /// Whether the column at `place` is the target: by the name that it had in training, and only
    /// where that is not known by its number.
    fn is_target(&self, place: usize, names: &[String], problem: &Problem) -> bool {
        match (&self.target, &problem.target) {
            (ColumnRef::Name(name), _) | (_, Some(name)) => names[place] == *name,
            (ColumnRef::Number(_), None) => self.target_place(names.len()) == Some(place),
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
        let found = records.record().len();
        if found == features {
            return Ok((0..features).collect());
        }
        match self.target_place(found).filter(|_| found == features + 1) {
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

impl Unlabelled {
    /// The features of the current record; `single` if 32 bits must hold them.
    fn read(&self, features: &[String], single: bool) -> Result<Vec<f64>, DataError> {
        let (records, record) = (&self.records, self.records.record());
        if record.len() != self.width {
            let (path, line, cells) = (records.path().to_owned(), records.line(), record.len());
            return Err(DataError::Ragged { path, line, cells, expected: self.width });
        }
        let number = |(place, name): (&usize, &String)| {
            let cell = record[*place].trim();
            let refuse = |expected| {
                let column = Column { number: *place, name: name.clone() };
                let (path, line) = (records.path().to_owned(), records.line());
                let value = shortened(cell);
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
        self.places.iter().zip(features).map(number).collect()
    }
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
