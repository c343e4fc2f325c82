//! What an undisturbed run in one process comes to: the bits that every cluster must give.

use crate::docker::{repository, run};
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;
use wallaby::wallaby_core::journal::Entry;
use wallaby::wallaby_core::study::Study;
use wallaby_actors::journal::read_journal;

/// The study of every run.
pub(crate) const STUDY: &str = "examples/digits.toml";

/// The study with these settings at its end; each is run once.
pub(crate) fn undisturbed(settings: &[String]) -> Arc<Study> {
    static KNOWN: Mutex<BTreeMap<String, Arc<Study>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(known.entry(settings.join(" ")).or_insert_with(|| Arc::new(make(settings))))
}

fn make(settings: &[String]) -> Study {
    let folder = TempDir::with_prefix("wallaby-reference-").unwrap();
    let path = folder.path().join("run");
    let mut wallaby = Command::new(env!("CARGO_BIN_EXE_wallaby"));
    for name in ["WALLABY_FAULTS", "WALLABY_CLUSTER"] {
        wallaby.env_remove(name);
    }
    wallaby.args(["run", STUDY, "--quiet", "--run"]).arg(&path).args(settings);
    run(wallaby.current_dir(repository()));
    let (records, _) = read_journal(&path.join("journal.redb")).unwrap();
    let entries: Vec<Entry> = records.iter().map(|(_, it)| Entry::decode(it).unwrap()).collect();
    Study::replay(&entries).unwrap()
}
