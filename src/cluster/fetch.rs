//! Makes a run folder of a study of a cluster, as `run` would have left it: everything that reads
//! run folders works on it without the cluster.

use super::distant::bring;
use super::{Client, RemoteStudy};
use crate::best_state::recorded_best_state;
use crate::error::Error;
use crate::launch::{THIS_NODE, require_ours, workbench};
use crate::recorded::Recorded;
use crate::results::{write_best, write_report, write_tables};
use crate::run_folder::{About, FolderError, Lock, RunFolder};
use std::path::Path;
use std::sync::Arc;
use wallaby_actors::blobs::BlobStore;
use wallaby_actors::journal::{Journal, read_journal};
use wallaby_actors::journal_actor::decode_records;
use wallaby_core::journal::{Entry, Manifest};
use wallaby_core::study::Phase;
use wallaby_train::Registry;

/// Records in one commit.
const BATCH: usize = 1000;

/// What was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fetched {
    /// The records of the study.
    pub(crate) records: usize,
    /// The bytes of data and model that came over the network.
    pub(crate) bytes: u64,
    /// Whether the study has ended; if not, there is more to fetch later.
    pub(crate) ended: bool,
}

/// Fetches a study into a folder that is new, or of the same study. Without `data`, partitions
/// stay where they are: `verify` then reads the data from its source.
///
/// # Errors
/// No answer, no such study, another study's folder, no room.
pub(crate) async fn fetch(
    client: &Arc<Client>,
    name: &str,
    path: &Path,
    data: bool,
    registry: &Registry,
    warn: impl Fn(&str),
) -> Result<Fetched, Error> {
    client.nodes().await?;
    let remote = RemoteStudy::read(Arc::clone(client), name).await?;
    let (folder, study) = (RunFolder::at(path), &remote.study);
    let lock = begin(&folder, &remote)?;
    replace_journal(&folder, &remote.entries).await?;
    let store = BlobStore::open(&folder.blobs())?;
    let Manifest { partitions, validation, .. } = &study.creation.manifest;
    let rows = partitions.iter().chain([validation]).map(|blob| blob.digest);
    let best = study.best().map(|(_, best)| best.state);
    let wanted = best.into_iter().chain(rows.filter(|_| data));
    let brought = bring(client, wanted, &store).await?;
    if brought.missing > 0 {
        let missing = brought.missing;
        warn(&format!(
            "{missing} blobs of {name} are on no node that is there: fetch it again when the nodes \
             that have them are back; without data, `verify` reads it from its source"
        ));
    }
    let ended = matches!(study.phase, Phase::Ended(_));
    let records = remote.entries.len();
    // What follows computes, and speaks to nobody.
    leave_results(folder, &lock, registry, ended, warn)?;
    Ok(Fetched { records, bytes: brought.bytes, ended })
}

/// Makes the folder this study's, and nobody else's meanwhile.
fn begin(folder: &RunFolder, remote: &RemoteStudy) -> Result<Lock, Error> {
    let creation = &remote.study.creation;
    let fingerprint = creation.fingerprint.to_string();
    require_ours(folder, &fingerprint, false)?;
    let lock = folder.lock()?;
    require_ours(folder, &fingerprint, false)?;
    require_earlier(folder, &remote.entries)?;
    folder.write("study.json", creation.document.as_bytes())?;
    folder.set_about(&About::new(&creation.spec.name, creation.fingerprint))?;
    Ok(lock)
}

/// Refuses a folder whose journal has other records than those that are to replace it: the same
/// study, run elsewhere.
fn require_earlier(folder: &RunFolder, entries: &[Entry]) -> Result<(), Error> {
    if !folder.journal().exists() {
        return Ok(());
    }
    let (records, _) = read_journal(&folder.journal())?;
    if entries.starts_with(&decode_records(records)?) {
        return Ok(());
    }
    let why = "holds another run of this study, expected a new folder or one that this study was \
               fetched into";
    Err(Error::Usage(format!("{}: {why}", folder.path().display())))
}

/// Aside, then renamed: a fetch that is interrupted leaves the journal that was there.
async fn replace_journal(folder: &RunFolder, entries: &[Entry]) -> Result<(), Error> {
    let aside = folder.join("journal.redb.new");
    let refused = |source| FolderError::File { path: aside.clone(), source };
    match std::fs::remove_file(&aside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(refused(error).into());
        }
        _ => {}
    }
    let (journal, _) = Journal::open(&aside, THIS_NODE).await?;
    for batch in entries.chunks(BATCH) {
        journal.append(batch.iter().map(Entry::encode).collect()).await?;
    }
    journal.close().await?;
    Ok(std::fs::rename(&aside, folder.journal()).map_err(refused)?)
}

fn leave_results(
    folder: RunFolder,
    lock: &Lock,
    registry: &Registry,
    ended: bool,
    warn: impl Fn(&str),
) -> Result<(), Error> {
    let recorded = Recorded::read_locked(folder, lock)?;
    let (folder, study, facts) = (&recorded.folder, &recorded.study, recorded.facts()?);
    write_tables(folder, study, &facts)?;
    if study.best().is_some() {
        let file = recorded.study_file(registry)?;
        let blobs = Arc::new(BlobStore::open(&folder.blobs())?);
        let bench = Arc::new(workbench(study, &file, &facts, blobs, registry)?);
        let (_, state) = recorded_best_state(&recorded, &bench, warn)?;
        write_best(folder, study, &facts, &state)?;
    }
    write_report(folder, &recorded.entries, study, &facts)?;
    if ended {
        let mut about = folder.require()?;
        about.ended = true;
        folder.set_about(&about)?;
    }
    Ok(())
}
