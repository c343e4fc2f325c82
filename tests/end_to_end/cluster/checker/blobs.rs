//! What is kept lies on two nodes, data on as many as it was placed on, and nothing else is left.

use super::{Evidence, Expected};
use std::collections::BTreeSet;
use wallaby::wallaby_core::ids::Digest;
use wallaby::wallaby_core::study::Study;

/// How many nodes should have a checkpoint that is kept.
const COPIES: usize = 2;

/// How many blobs nobody needs.
pub(super) fn check(
    evidence: &Evidence,
    expected: &Expected<'_>,
    wrong: &mut Vec<String>,
) -> usize {
    let nodes = evidence.blobs.len();
    let mut needed: BTreeSet<Digest> = BTreeSet::new();
    let mut lies = |digest: Digest, copies: usize, what: String| {
        needed.insert(digest);
        let copies = copies.min(nodes);
        let holders: Vec<&String> = evidence
            .blobs
            .iter()
            .filter(|(_, held)| held.contains(&digest))
            .map(|(node, _)| node)
            .collect();
        if holders.len() < copies {
            wrong.push(format!("{what} ({digest}) lies on {holders:?}, expected {copies} nodes"));
        }
    };
    for (name, entries) in &evidence.studies {
        let Ok(study) = Study::replay(entries) else { continue };
        if let Some((trial, best)) = study.best() {
            lies(best.state, COPIES, format!("{name}: the best state, of {trial},"));
        }
        let manifest = &study.creation.manifest;
        for (number, partition) in manifest.partitions.iter().enumerate() {
            lies(partition.digest, expected.copies, format!("{name}: partition {number}"));
        }
        lies(manifest.validation.digest, expected.copies, format!("{name}: the validation rows"));
    }
    let useless: Vec<(&String, &Digest)> = evidence
        .blobs
        .iter()
        .flat_map(|(node, held)| held.iter().map(move |blob| (node, blob)))
        .filter(|(_, blob)| !needed.contains(blob))
        .collect();
    if useless.len() > expected.garbage_max {
        let (found, max) = (useless.len(), expected.garbage_max);
        let some: Vec<String> =
            useless.iter().take(5).map(|(node, blob)| format!("{blob} on {node}")).collect();
        let some = some.join(", ");
        wrong.push(format!("{found} blobs are of no use, expected at most {max}: {some} …"));
    }
    useless.len()
}
