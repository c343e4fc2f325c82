//! Overrides of the command line, `KEY=VALUE`, written into the tree before it is checked.
//! Whether a key or a value makes sense is the checker's affair.

use super::node::{Content, Node, Origin, Table};
use super::report::Report;
use super::toml_tree;
use std::collections::BTreeMap;

/// Where parameters are fixed, and where they are searched.
const MODEL: &[&str] = &["model"];
const SPACE: &[&str] = &["search", "space"];

/// Deeper than any key of a study file.
const DEPTH_MAX: usize = 8;

/// Applies `overrides` in their order; of two for one key the later wins. One that fixes a
/// parameter which the file searches, or the other way round, takes the file's word away: a
/// parameter can only be one of the two.
pub(super) fn apply(root: &mut Table, overrides: &[String], report: &mut Report) {
    for text in overrides {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        let path: Vec<&str> = key.split('.').map(str::trim).collect();
        let usable = path.len() <= DEPTH_MAX && path.iter().all(|part| !part.is_empty());
        if !text.contains('=') || !usable {
            let problem = "expected KEY=VALUE, for example budget.epochs=3";
            report.add(Origin::Override, text, None, problem, None);
            continue;
        }
        set(root, &path, toml_tree::parse_override(value.trim()));
    }
    settle_parameters(root);
}

/// Where both are from the command line, or both from the file, they stay for the checker.
fn settle_parameters(root: &mut Table) {
    let said = |path: &[&str]| -> BTreeMap<String, bool> {
        let entries = inner(root, path).into_iter().flatten();
        entries.map(|(name, node)| (name.clone(), is_overridden(node))).collect()
    };
    let (fixed, searched) = (said(MODEL), said(SPACE));
    for (name, fixed) in fixed {
        match (fixed, searched.get(&name)) {
            (true, Some(false)) => remove(root, SPACE, &name),
            (false, Some(true)) => remove(root, MODEL, &name),
            _ => {}
        }
    }
}

/// Whether any part of the value is from the command line.
fn is_overridden(node: &Node) -> bool {
    let inside = match &node.content {
        Content::Table(table) => table.values().any(is_overridden),
        _ => false,
    };
    inside || node.origin == Origin::Override
}

/// The table at `path`, if there is one.
fn inner<'a>(table: &'a Table, path: &[&str]) -> Option<&'a Table> {
    path.iter().try_fold(table, |table, key| match &table.get(*key)?.content {
        Content::Table(inner) => Some(inner),
        _ => None,
    })
}

fn remove(table: &mut Table, path: &[&str], name: &str) {
    let [key, rest @ ..] = path else {
        table.remove(name);
        return;
    };
    if let Some(Node { content: Content::Table(inner), .. }) = table.get_mut(*key) {
        remove(inner, rest, name);
    }
}

/// Anything on the way that is no table is replaced by one.
fn set(table: &mut Table, path: &[&str], value: Node) {
    let [key, rest @ ..] = path else { return };
    if rest.is_empty() {
        table.insert((*key).to_owned(), value);
        return;
    }
    let empty = || Node { origin: Origin::Override, content: Content::Table(Table::new()) };
    let node = table.entry((*key).to_owned()).or_insert_with(empty);
    if !matches!(node.content, Content::Table(_)) {
        *node = empty();
    }
    if let Content::Table(inner) = &mut node.content {
        set(inner, rest, value);
    }
}
