//! `[data]`: where the data lies and how it is cut. Never opens the file.

use super::field::{Field, Words};
use super::node::{Content, Origin, Table};
use super::report::Report;
use super::section::Section;
use std::collections::BTreeMap;
use std::path::Path;
use wallaby_core::spec::PARTITIONS;
use wallaby_data::{ColumnRef, CsvSource, DataError, Split, TaskKind};

/// The words for tasks.
pub(super) const TASKS: [(&str, TaskKind); 2] =
    [("classification", TaskKind::Classification), ("regression", TaskKind::Regression)];

const FORMATS: &Words<()> = &[("csv", ())];

/// The data of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSection {
    /// What `path` is relative to: the folder of the study file, unless the file says otherwise.
    pub folder: String,
    /// The CSV file, as given.
    pub path: String,
    /// Whether its first line names the columns.
    pub header: bool,
    /// What is to be predicted.
    pub target: ColumnRef,
    /// What stands between cells.
    pub delimiter: char,
    /// What is learnt; `None` to see it from the target.
    pub task: Option<TaskKind>,
    /// The share of the rows held back, above 0 and below 1.
    pub validation: f64,
    /// Number of training partitions, from 1 to 65536.
    pub partitions: u32,
    /// Whether features are scaled to mean 0 and deviation 1.
    pub standardize: bool,
}

/// Where keys stand.
pub(super) type Places = BTreeMap<&'static str, Origin>;

/// Keys that only the data itself can prove wrong.
const PROVED_BY_DATA: [&str; 4] = ["path", "target", "validation", "partitions"];

/// The key that a data error is about; `None` if it is about the data itself.
pub(super) fn key_of(error: &DataError) -> Option<&'static str> {
    match error {
        DataError::Missing { .. } | DataError::NotAFile { .. } | DataError::Denied { .. } => {
            Some("path")
        }
        DataError::NoTarget { .. } | DataError::TwoTargets { .. } => Some("target"),
        DataError::ConstantTarget { .. } | DataError::UnclearTask { .. } => Some("target"),
        DataError::Share { .. } | DataError::EmptySide { .. } => Some("validation"),
        DataError::Partitions { .. } => Some("partitions"),
        _ => None,
    }
}

impl DataSection {
    /// Where to read from.
    pub fn source(&self) -> CsvSource {
        CsvSource {
            path: Path::new(&self.folder).join(&self.path),
            header: self.header,
            target: self.target.clone(),
            delimiter: self.delimiter,
        }
    }

    /// How to cut what was read; `seed` decides the order of the rows.
    pub fn split(&self, seed: [u8; 32]) -> Split {
        Split {
            task: self.task,
            validation: self.validation,
            partitions: self.partitions,
            seed,
            standardize: self.standardize,
        }
    }
}

/// The section, read from the file; `folder` is the study file's.
pub(super) fn check(root: &Table, folder: &str, report: &mut Report) -> DataSection {
    let section = Section::of(root, "data", report);
    section.refuse_unknown(report);
    if let Some(format) = section.get("format") {
        format.word(FORMATS, report);
    }
    let path = section.require("path", "the path of a CSV file", report);
    let target = section.require("target", "the name or the number of a column", report);
    DataSection {
        folder: section
            .get("folder")
            .and_then(|field| field.text("a folder", report))
            .unwrap_or(folder)
            .to_owned(),
        path: path
            .and_then(|field| field.text("the path of a CSV file", report))
            .unwrap_or_default()
            .to_owned(),
        header: section.flag("header", true, report),
        target: target.and_then(|field| column(&field, report)).unwrap_or(ColumnRef::Number(-1)),
        delimiter: section
            .get("delimiter")
            .and_then(|field| delimiter(&field, report))
            .unwrap_or(','),
        task: section.get("task").and_then(|field| field.word(&TASKS, report)),
        validation: section.get("validation").and_then(|field| field.share(report)).unwrap_or(0.2),
        partitions: section
            .get("partitions")
            .and_then(|field| field.whole(PARTITIONS, report))
            .unwrap_or(8),
        standardize: section.flag("standardize", true, report),
    }
}

/// Where the keys stand that only the data itself can prove wrong.
pub(super) fn places(root: &Table) -> Places {
    let section = match root.get("data").map(|node| &node.content) {
        Some(Content::Table(section)) => section,
        _ => return Places::new(),
    };
    let place = |key: &'static str| Some((key, section.get(key)?.origin));
    PROVED_BY_DATA.into_iter().filter_map(place).collect()
}

fn column(field: &Field<'_>, report: &mut Report) -> Option<ColumnRef> {
    match &field.node.content {
        Content::Text(name) if !name.is_empty() => Some(ColumnRef::Name(name.clone())),
        Content::Int(number) => {
            let number = i64::try_from(*number).ok().filter(|number| number.abs() <= 1_000_000);
            if number.is_none() {
                field.wrong("expected a column number, from 0 or from the end by -1", report);
            }
            number.map(ColumnRef::Number)
        }
        _ => {
            field.wrong("expected the name or the number of a column", report);
            None
        }
    }
}

fn delimiter(field: &Field<'_>, report: &mut Report) -> Option<char> {
    if let Content::Text(text) = &field.node.content
        && let [byte] = text.as_bytes()
        && byte.is_ascii()
        && !matches!(byte, b'"' | b'\n' | b'\r')
    {
        return Some(char::from(*byte));
    }
    field.wrong("expected one ASCII character, no quote and no line break", report);
    None
}
