//! Overrides of the command line, `KEY=VALUE`, written into the tree before it is checked.
//! Whether a key or a value makes sense is the checker's affair.

use super::node::{Content, Node, Origin, Table};
use super::report::Report;
use super::toml_tree;

/// Deeper than any key of a study file.
const DEPTH_MAX: usize = 8;

/// Applies `overrides` in their order; of two for one key the later wins.
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
