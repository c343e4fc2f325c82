//! Says whether a cluster has kept its promises, from what is left at the end: the records of its
//! studies, the journals of its voters, the blobs of its nodes, and what the same studies come to
//! in one undisturbed process. Knows nothing of how the cluster was run or hurt.

mod blobs;
mod history;
mod journals;
mod results;
mod terms;

use std::collections::{BTreeMap, BTreeSet};
use wallaby::wallaby_core::ids::Digest;
use wallaby::wallaby_core::journal::Entry;
use wallaby::wallaby_core::study::Study;

/// What is left of a cluster.
pub(crate) struct Evidence {
    /// The records of each study, as a node gave them out.
    pub(crate) studies: BTreeMap<String, Vec<Entry>>,
    /// The records of the journal of each node that has one, read when it had ended.
    pub(crate) journals: BTreeMap<String, Vec<Vec<u8>>>,
    /// Who said that it leads, and in which term.
    pub(crate) reigns: Vec<(String, u64)>,
    /// What lay on each node that took part to the end.
    pub(crate) blobs: BTreeMap<String, BTreeSet<Digest>>,
}

/// What is expected of a cluster.
pub(crate) struct Expected<'a> {
    /// Each study at the end of an undisturbed run of one process, by its name in the cluster.
    pub(crate) undisturbed: BTreeMap<String, &'a Study>,
    /// Trials of any study that may have failed; nothing is expected of their results.
    pub(crate) failing: BTreeSet<u32>,
    /// How many nodes at least hold each partition at the end.
    pub(crate) copies: usize,
    /// The most blobs that may be left on all nodes together though nobody needs them.
    pub(crate) garbage_max: usize,
}

/// What was found in a cluster that has kept its promises.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// Results that were committed and rolled back: work that was done twice.
    pub(crate) repeated: usize,
    /// Tries that failed or were lost.
    pub(crate) failures: usize,
    /// Blobs that nobody needs.
    pub(crate) garbage: usize,
    /// Terms in which somebody led.
    pub(crate) terms: usize,
}

/// Checks everything.
///
/// # Errors
/// Every promise that was broken, in a sentence each.
pub(crate) fn check(evidence: &Evidence, expected: &Expected<'_>) -> Result<Checked, Vec<String>> {
    let mut wrong = Vec::new();
    let mut checked = Checked::default();
    for (name, undisturbed) in &expected.undisturbed {
        let Some(entries) = evidence.studies.get(name) else {
            wrong.push(format!("{name}: no node knows the study"));
            continue;
        };
        let study = match Study::replay(entries) {
            Ok(study) => study,
            Err((at, contradiction)) => {
                wrong.push(format!("{name}: record {at} cannot follow: {contradiction}"));
                continue;
            }
        };
        let mut found = Vec::new();
        let told = history::check(entries, &study, &expected.failing, &mut found);
        checked.repeated += told.repeated;
        checked.failures += told.failures;
        terms::check_fences(entries, &mut found);
        results::check(&study, undisturbed, &expected.failing, &mut found);
        wrong.extend(found.into_iter().map(|words| format!("{name}: {words}")));
    }
    checked.terms = terms::check_reigns(&evidence.reigns, &mut wrong);
    journals::check(evidence, &mut wrong);
    checked.garbage = blobs::check(evidence, expected, &mut wrong);
    if wrong.is_empty() { Ok(checked) } else { Err(wrong) }
}

/// What is wrong with the blobs alone, which may need time to come right.
pub(crate) fn check_blobs(evidence: &Evidence, expected: &Expected<'_>) -> Result<(), Vec<String>> {
    let mut wrong = Vec::new();
    blobs::check(evidence, expected, &mut wrong);
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}
