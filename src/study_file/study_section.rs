//! `[study]`: the name and the seed.

use super::field::Field;
use super::node::Table;
use super::report::Report;
use super::section::Section;
use wallaby_core::spec::{NAME_MAX, is_name};

/// Name and seed.
pub(super) fn check(root: &Table, report: &mut Report) -> (String, u64) {
    let section = Section::of(root, "study", report);
    section.refuse_unknown(report);
    let expected = format!("a name of at most {NAME_MAX} letters, digits, - and _");
    let name = section.require("name", &expected, report);
    let name = name.and_then(|field| name_of(&field, &expected, report)).unwrap_or_default();
    let seed = section.get("seed").and_then(|field| field.whole(0..=u64::MAX, report));
    (name, seed.unwrap_or(0))
}

fn name_of(field: &Field<'_>, expected: &str, report: &mut Report) -> Option<String> {
    let name = field.text(expected, report)?;
    if !is_name(name) {
        field.wrong(format!("expected {expected}"), report);
        return None;
    }
    Some(name.to_owned())
}
