//! One leader a term, and results only of tries that a leader of the past or the present gave out.

use std::collections::{BTreeMap, BTreeSet};
use wallaby::wallaby_core::ids::Term;
use wallaby::wallaby_core::journal::{Entry, Record};

/// How many terms there were.
pub(super) fn check_reigns(reigns: &[(String, u64)], wrong: &mut Vec<String>) -> usize {
    let mut terms: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
    for (node, term) in reigns {
        terms.entry(*term).or_default().insert(node);
    }
    for (term, nodes) in terms.iter().filter(|(_, nodes)| nodes.len() > 1) {
        wrong.push(format!("term {term} has several leaders: {nodes:?}"));
    }
    terms.len()
}

/// The terms of fences never lie in the future, and no try counts twice.
pub(super) fn check_fences(entries: &[Entry], wrong: &mut Vec<String>) {
    let mut current = Term(0);
    let mut seen = BTreeMap::new();
    for (record, entry) in entries.iter().enumerate() {
        match &entry.record {
            Record::TermBegan { term, .. } => {
                if *term <= current {
                    wrong.push(format!("record {record}: {term} begins after {current}"));
                }
                current = *term;
            }
            Record::UnitCommitted(commit) => {
                let (unit, fence) = (commit.unit, commit.fence);
                if fence.term > current {
                    let term = fence.term;
                    wrong.push(format!("record {record}: {unit} is of {term}, after {current}"));
                }
                if let Some((before, _)) = seen.insert(fence, (record, unit.trial)) {
                    wrong.push(format!(
                        "record {record}: {unit} has {fence:?}, as record {before} has"
                    ));
                }
            }
            // The same result may count again, if its node still has it.
            Record::TrialRolledBack { trial, .. } => seen.retain(|_, (_, of)| of != trial),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_leaders_of_one_term_are_named() {
        let reign = |node: &str, term| (node.to_owned(), term);
        let mut wrong = Vec::new();
        check_reigns(&[reign("a", 1), reign("a", 1), reign("b", 2)], &mut wrong);
        assert_eq!(wrong, [""; 0]);
        assert_eq!(check_reigns(&[reign("a", 1), reign("b", 1)], &mut wrong), 1);
        assert_eq!(wrong, ["term 1 has several leaders: {\"a\", \"b\"}"]);
    }
}
