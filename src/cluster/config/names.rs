//! The names of nodes: what one may look like, who votes, and the host's own.

use crate::study_file::field::Field;
use crate::study_file::node::Content;
use crate::study_file::report::Report;

const LENGTH_MAX: usize = 64;

/// What a name is.
pub(super) const EXPECTED: &str = "a name of at most 64 letters, digits, -, _ and .";

/// What the voters are.
pub(super) const VOTERS: &str = "the names of the 1, 3 or 5 nodes that vote, the same on all nodes";

/// Whether a node may have this name: it stands in addresses, certificates and paths.
pub(super) fn is_usable(name: &str) -> bool {
    let usable = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let begins = name.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    begins && name.len() <= LENGTH_MAX && name.chars().all(usable)
}

/// A node's name.
pub(super) fn of(field: &Field<'_>, report: &mut Report) -> Option<String> {
    let name = field.text(EXPECTED, report)?;
    if !is_usable(name) {
        field.wrong(format!("expected {EXPECTED}, a letter or a digit first"), report);
        return None;
    }
    Some(name.to_owned())
}

/// The voters, in their order.
pub(super) fn voters(field: &Field<'_>, report: &mut Report) -> Option<Vec<String>> {
    let Content::List(items) = &field.node.content else {
        field.wrong(format!("expected {VOTERS}"), report);
        return None;
    };
    let names: Option<Vec<String>> =
        items.iter().map(|item| of(&field.item(item), report)).collect();
    let names = names?;
    if !matches!(names.len(), 1 | 3 | 5) {
        let found = names.len();
        field.wrong(format!("has {found} names, expected 1, 3 or 5"), report);
        return None;
    }
    let twice = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
    if let Some((_, name)) = twice {
        field.wrong(format!("has {name:?} twice, expected distinct names"), report);
        return None;
    }
    Some(names)
}

/// The name of this host, if the system tells it.
pub(super) fn host() -> Option<String> {
    let told = ["/proc/sys/kernel/hostname", "/etc/hostname"];
    let told = told.iter().filter_map(|path| std::fs::read_to_string(path).ok());
    let told =
        told.chain(["HOSTNAME", "COMPUTERNAME"].iter().filter_map(|v| std::env::var(v).ok()));
    told.map(|name| name.trim().to_owned()).find(|name| !name.is_empty())
}
