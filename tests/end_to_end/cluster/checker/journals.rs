//! All journals tell the same story, some perhaps only its beginning, and it is the story that
//! the nodes have told.

use super::Evidence;
use std::collections::BTreeMap;
use wallaby::wallaby_core::cluster::{Catalog, ClusterRecord};
use wallaby::wallaby_core::journal::Entry;

pub(super) fn check(evidence: &Evidence, wrong: &mut Vec<String>) {
    let longest = evidence.journals.iter().max_by_key(|(_, records)| records.len());
    let Some((teller, longest)) = longest else {
        wrong.push("no voter has a journal".to_owned());
        return;
    };
    for (node, records) in &evidence.journals {
        let parted = records.iter().zip(longest).position(|(a, b)| a != b);
        if let Some(at) = parted {
            let (theirs, others) = (shown(&records[at]), shown(&longest[at]));
            wrong.push(format!(
                "the journals of {node} and {teller} part at record {at}: {theirs} and {others}"
            ));
        }
    }
    let told = match tell(longest) {
        Ok(told) => told,
        Err(words) => {
            wrong.push(format!("the journal of {teller}: {words}"));
            return;
        }
    };
    for (name, entries) in &evidence.studies {
        let recorded = told.get(name).map_or(&[][..], Vec::as_slice);
        if let Some(at) = entries.iter().zip(recorded).position(|(a, b)| a != b) {
            wrong.push(format!(
                "{name}: record {at} was told as {:?}, and {teller} has {:?}",
                entries[at].record, recorded[at].record
            ));
        } else if entries.len() != recorded.len() {
            let (given, found) = (entries.len(), recorded.len());
            wrong.push(format!("{name}: {given} records were told, {teller} has {found}"));
        }
    }
}

/// The records of each study.
fn tell(records: &[Vec<u8>]) -> Result<BTreeMap<String, Vec<Entry>>, String> {
    let mut catalog = Catalog::default();
    let mut entries: BTreeMap<_, Vec<Entry>> = BTreeMap::new();
    for (at, bytes) in records.iter().enumerate() {
        let record = ClusterRecord::decode(bytes).map_err(|e| format!("record {at}: {e}"))?;
        catalog.apply(&record).map_err(|error| format!("record {at}: {error}"))?;
        if let ClusterRecord::Study { study, entry } = record {
            entries.entry(study).or_default().push(entry);
        }
    }
    let named = catalog.studies().map(|(id, listed)| {
        (listed.study.creation.spec.name.clone(), entries.remove(&id).unwrap_or_default())
    });
    Ok(named.collect())
}

fn shown(bytes: &[u8]) -> String {
    match ClusterRecord::decode(bytes) {
        Ok(record) => format!("{record:?}").chars().take(200).collect(),
        Err(error) => error.to_string(),
    }
}
