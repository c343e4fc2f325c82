//! A table of the file: hands out its fields, and reports keys that it does not have.

use super::field::Field;
use super::nearest::nearest;
use super::node::{Content, Node, Origin, Table};
use super::report::Report;

static EMPTY: Table = Table::new();

/// The sections of a file and their keys.
pub(crate) type Sections = &'static [(&'static str, &'static [&'static str])];

/// Those of a study file. `model` and `search.space` take the names of parameters besides.
pub(crate) const SECTIONS: Sections = &[
    ("study", &["name", "seed"]),
    (
        "data",
        &[
            "format",
            "path",
            "folder",
            "header",
            "target",
            "task",
            "validation",
            "partitions",
            "standardize",
            "delimiter",
        ],
    ),
    ("model", &["family"]),
    ("search", &["sampler", "policy", "concurrency", "space"]),
    ("objective", &["metric", "direction"]),
    ("budget", &["trials", "epochs", "wall_clock"]),
    ("run", &["slots", "device", "order"]),
];

/// A table under its dotted key; an absent or a wrong one reads as empty.
pub(crate) struct Section<'a> {
    pub(crate) key: String,
    origin: Origin,
    pub(crate) table: &'a Table,
    /// The table itself has been reported: that its keys are missing is no news.
    broken: bool,
}

impl<'a> Section<'a> {
    /// The section `name` of the file.
    pub(crate) fn of(root: &'a Table, name: &str, report: &mut Report) -> Self {
        match root.get(name) {
            Some(node) => Self::inside(&Field { key: name.to_owned(), node }, report),
            None => {
                let (key, origin) = (name.to_owned(), Origin::File);
                Self { key, origin, table: &EMPTY, broken: false }
            }
        }
    }

    /// The table that `field` should be.
    pub(crate) fn inside(field: &Field<'a>, report: &mut Report) -> Self {
        let (key, origin) = (field.key.clone(), field.node.origin);
        match &field.node.content {
            Content::Table(table) => Self { key, origin, table, broken: false },
            _ => {
                field.wrong("expected a table", report);
                Self { key, origin, table: &EMPTY, broken: true }
            }
        }
    }

    /// The value of `key`, if it is given.
    pub(crate) fn get(&self, key: &str) -> Option<Field<'a>> {
        self.table.get(key).map(|node| self.field(key, node))
    }

    /// The value of `key`; reported if it is not given.
    pub(crate) fn require(
        &self,
        key: &str,
        expected: &str,
        report: &mut Report,
    ) -> Option<Field<'a>> {
        let field = self.get(key);
        if field.is_none() && !self.broken {
            let problem = format!("missing, expected {expected}");
            report.add(self.origin, &format!("{}.{key}", self.key), None, problem, None);
        }
        field
    }

    /// The flag `key`, or `default`.
    pub(crate) fn flag(&self, key: &str, default: bool, report: &mut Report) -> bool {
        self.get(key).and_then(|field| field.flag(report)).unwrap_or(default)
    }

    /// All keys with their values.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'a str, Field<'a>)> {
        self.table.iter().map(|(key, node)| (key.as_str(), self.field(key, node)))
    }

    /// Reports every key that is not among `known`.
    pub(crate) fn refuse_others(&self, known: &[&str], report: &mut Report) {
        for (key, field) in self.fields().filter(|(key, _)| !known.contains(key)) {
            refuse(key, &field, known, report);
        }
    }

    /// Reports every key that this section of the file does not have.
    pub(crate) fn refuse_unknown(&self, report: &mut Report) {
        let section = report.sections.iter().find(|(name, _)| *name == self.key);
        self.refuse_others(section.map_or(&[], |(_, keys)| keys), report);
    }

    fn field(&self, key: &str, node: &'a Node) -> Field<'a> {
        Field { key: format!("{}.{key}", self.key), node }
    }
}

/// Reports every key of the file that is no section.
pub(crate) fn refuse_other_sections(root: &Table, report: &mut Report) {
    let known: Vec<&str> = report.sections.iter().map(|(name, _)| *name).collect();
    for (key, node) in root.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
        refuse(key, &Field { key: key.clone(), node }, &known, report);
    }
}

/// Reports `key` as unknown, with the known key or the section that was likely meant.
pub(crate) fn refuse(key: &str, field: &Field<'_>, known: &[&str], report: &mut Report) {
    let near = nearest(key, known.iter().copied()).map(str::to_owned);
    let hint = near.or_else(|| home_of(key, report.sections)).map(|key| format!("`{key}`"));
    let problem = format!("unknown key, expected one of {}", known.join(", "));
    field.wrong_with_hint(problem, hint, report);
}

/// Where a key of that very name belongs.
fn home_of(key: &str, sections: Sections) -> Option<String> {
    let home = sections.iter().find(|(_, keys)| keys.contains(&key));
    home.map(|(section, _)| format!("{section}.{key}"))
}
