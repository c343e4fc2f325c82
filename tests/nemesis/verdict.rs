//! What is left of a cluster of containers, for the checker that the cluster's tests have too.

use crate::reference::undisturbed;
use crate::shared::checker::{Checked, Evidence, Expected, check, check_blobs};
use crate::stand::{Stand, await_that};
use crate::watch::Seen;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use wallaby::wallaby_core::ids::Digest;
use wallaby_actors::journal::read_journal;

/// How long copies and removals may take that are due at the end.
const TIDYING: Duration = Duration::from_secs(60);

/// What units at hand at each fault may leave behind for a while.
const GARBAGE_OF_A_FAULT: usize = 24;

/// Checks a study that has ended on a cluster that is whole again.
///
/// # Errors
/// Every promise that was broken, a sentence each.
pub(crate) fn check_all(
    stand: &Stand,
    seen: &Seen,
    study: &str,
    settings: &[String],
    faults: usize,
    voters: usize,
) -> Result<Checked, Vec<String>> {
    let reference = undisturbed(settings);
    let expected = Expected {
        undisturbed: BTreeMap::from([(study.to_owned(), &*reference)]),
        failing: BTreeSet::new(),
        copies: 2,
        garbage_max: GARBAGE_OF_A_FAULT * (faults + 1),
    };
    let claims = seen.leads.iter().filter(|(_, witness, _, leader)| witness == leader);
    let reigns: BTreeSet<(String, u64)> =
        claims.map(|(_, _, term, leader)| (seen.label(*leader), *term)).collect();
    let mut evidence = Evidence {
        studies: BTreeMap::from([(study.to_owned(), seen.entries.clone())]),
        journals: BTreeMap::new(),
        reigns: reigns.into_iter().collect(),
        blobs: BTreeMap::new(),
    };
    // What is not right then is told by the check.
    await_that(TIDYING, || {
        let there = stand.containers().into_iter().filter(|it| it.pid != 0);
        evidence.blobs = there.map(|it| (it.label(), blobs(it.pid))).collect();
        check_blobs(&evidence, &expected).is_ok()
    });
    // What was applied last is in the file only when the node has ended in order.
    stand.stop();
    evidence.journals = journals(stand);
    let found = evidence.journals.len();
    let checked = check(&evidence, &expected);
    if found == voters {
        return checked;
    }
    let mut wrong = checked.err().unwrap_or_default();
    wrong.push(format!("{found} journals could be read, expected {voters}"));
    Err(wrong)
}

/// The names in the blob store of the process's node.
fn blobs(pid: u32) -> BTreeSet<Digest> {
    let names = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect::<Vec<_>>()
    };
    let store = Path::new("/proc").join(pid.to_string()).join("root/data/blobs");
    let mut all = BTreeSet::new();
    for first in names(&store).into_iter().filter(|name| name.len() == 2) {
        let rest = names(&store.join(&first)).into_iter();
        all.extend(rest.filter_map(|rest| Digest::from_hex(&format!("{first}{rest}"))));
    }
    all
}

/// The records of each voter's journal; a disk that is in memory is gone by now.
fn journals(stand: &Stand) -> BTreeMap<String, Vec<Vec<u8>>> {
    let folder = TempDir::with_prefix("wallaby-journals-").unwrap();
    let voters = stand.containers().into_iter().filter(|it| it.service != "trainer");
    let read = voters.filter_map(|it| {
        let path = folder.path().join(&it.id);
        if !stand.copy_out(&it, "/data/journal.redb", &path) {
            return None;
        }
        let (records, _) = read_journal(&path).unwrap_or_else(|e| panic!("{}: {e}", it.label()));
        Some((it.label(), records.into_iter().map(|(_, bytes)| bytes).collect()))
    });
    read.collect()
}
