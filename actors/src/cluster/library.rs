//! Everything the cluster's journal tells, folded: what a voter answers questions from, and what
//! a leader begins with. Follows the journal of this node, whoever leads.

use crate::journal::{Journal, Record};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use thiserror::Error;
use tokio::sync::watch;
use wallaby_core::cluster::{Catalog, ClusterRecord, StudyId};
use wallaby_core::ids::Seq;

/// Records that are folded at a time; readers come in between.
const BATCH: usize = 4096;

/// Why the journal cannot be followed.
#[derive(Debug, Clone, Error)]
#[error("the cluster's journal cannot be read: {0}")]
pub struct LibraryError(String);

#[derive(Default)]
struct Shelves {
    catalog: Catalog,
    /// The records of each study, encoded.
    entries: BTreeMap<StudyId, Vec<Arc<[u8]>>>,
}

/// The library; clones are the same one.
#[derive(Clone)]
pub struct Library {
    shelves: Arc<RwLock<Shelves>>,
    /// Records of the journal folded so far.
    folded: watch::Receiver<u64>,
}

impl Library {
    /// Begins to follow a journal, which ends when the journal is closed or contradicts itself:
    /// the error is told to `failed`.
    pub fn follow(journal: Journal, failed: impl FnOnce(LibraryError) + Send + 'static) -> Self {
        let (told, folded) = watch::channel(0);
        let shelves = Arc::new(RwLock::new(Shelves::default()));
        let library = Self { shelves: Arc::clone(&shelves), folded };
        tokio::spawn(async move {
            if let Err(error) = keep_folding(&journal, &shelves, &told).await {
                tracing::error!(%error, "the library ends");
                failed(error);
            }
        });
        library
    }

    /// Waits until `records` records are folded; false if that will never be.
    pub async fn reach(&self, records: u64) -> bool {
        let mut folded = self.folded.clone();
        folded.wait_for(|folded| *folded >= records).await.is_ok()
    }

    /// Tells how many records are folded; changes with every batch.
    pub fn folded(&self) -> watch::Receiver<u64> {
        self.folded.clone()
    }

    /// Reads the catalog.
    pub fn read<T>(&self, question: impl FnOnce(&Catalog) -> T) -> T {
        question(&self.shelves.read().unwrap_or_else(PoisonError::into_inner).catalog)
    }

    /// The records of a study from `from` on, encoded, at most about `bytes_max` bytes of them.
    pub fn entries(&self, study: StudyId, from: u64, bytes_max: usize) -> Vec<Arc<[u8]>> {
        let shelves = self.shelves.read().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = 0;
        let entries = shelves.entries.get(&study).into_iter().flatten().skip(from as usize);
        let fits = entries.take_while(|entry| {
            let first = bytes == 0;
            bytes += entry.len() + 4;
            first || bytes <= bytes_max
        });
        fits.cloned().collect()
    }
}

/// Takes in some records.
fn fold(records: &[Record], shelves: &RwLock<Shelves>) -> Result<(), String> {
    let decode = |(seq, bytes): &Record| {
        ClusterRecord::decode(bytes).map_err(|error| format!("{seq}: {error}"))
    };
    let decoded = records.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    let mut shelves = shelves.write().unwrap_or_else(PoisonError::into_inner);
    for record in decoded {
        shelves.catalog.apply(&record).map_err(|error| error.to_string())?;
        match record {
            ClusterRecord::Study { study, entry } => {
                shelves.entries.entry(study).or_default().push(entry.encode().into());
            }
            ClusterRecord::Removed { study } => drop(shelves.entries.remove(&study)),
            _ => {}
        }
    }
    Ok(())
}

async fn keep_folding(
    journal: &Journal,
    shelves: &RwLock<Shelves>,
    told: &watch::Sender<u64>,
) -> Result<(), LibraryError> {
    let failed = |error: String| LibraryError(error);
    let mut applied = journal.applied();
    let mut next = 0;
    loop {
        let records = journal.read(Seq(next)).await.map_err(|error| failed(error.to_string()))?;
        next += records.len() as u64;
        // A whole journal takes a while; nobody else's heartbeats shall wait for it.
        let folded = tokio::task::block_in_place(|| {
            records.chunks(BATCH).try_for_each(|records| fold(records, shelves))
        });
        folded.map_err(failed)?;
        told.send_replace(next);
        if *applied.borrow_and_update() > next {
            continue;
        }
        if applied.changed().await.is_err() {
            return Ok(());
        }
    }
}
