//! What a node's trainers work with, for each study that they serve: made when a study's first
//! unit comes, from what the leader tells of the study.

use super::directory::Directory;
use crate::blobs::BlobStore;
use crate::exchange::{Exchange, Kind};
use crate::workbench::{Source, Workbench};
use bytes::Bytes;
use http::Method;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use wallaby_core::cluster::StudyId;
use wallaby_core::ids::Digest;
use wallaby_core::journal::{Creation, Entry, Record};
use wallaby_links::peers::Peers;

/// How long a node may take to say what a study is made of.
const ANSWER: Duration = Duration::from_secs(3);

/// How long it is tried to learn what a study is made of; below the lease of a unit.
const LEARN: Duration = Duration::from_secs(10);

/// How long to wait before it is tried again.
const AGAIN: Duration = Duration::from_millis(250);

/// For how many studies the workbenches are kept: each may have partitions in memory.
const BENCHES_MAX: usize = 4;

/// Makes what the units of a study work with; the last argument gives damaged or missing data
/// again. An error says why this node cannot serve the study.
pub type MakeBench =
    dyn Fn(&Creation, Arc<BlobStore>, Box<Source>) -> Result<Workbench, String> + Send + Sync;

/// The workbenches of a node; clones share them.
#[derive(Clone)]
pub(crate) struct Workshop {
    make: Arc<MakeBench>,
    blobs: Arc<BlobStore>,
    exchange: Exchange,
    peers: Peers,
    directory: Directory,
    benches: Arc<Mutex<BTreeMap<StudyId, Arc<Workbench>>>>,
}

impl Workshop {
    pub(crate) fn new(
        make: Arc<MakeBench>,
        blobs: Arc<BlobStore>,
        exchange: Exchange,
        peers: Peers,
        directory: Directory,
    ) -> Self {
        Self { make, blobs, exchange, peers, directory, benches: Arc::default() }
    }

    /// The workbench of a study, made if need be.
    pub(crate) async fn bench(&self, study: StudyId) -> Result<Arc<Workbench>, String> {
        if let Some(bench) = self.known(study) {
            return Ok(bench);
        }
        let creation = self.ask_for(study).await?;
        let (make, blobs, source) =
            (Arc::clone(&self.make), Arc::clone(&self.blobs), self.source());
        // Opening a device may take a while.
        let made = tokio::task::spawn_blocking(move || make(&creation, blobs, source)).await;
        let bench = Arc::new(made.map_err(|error| error.to_string())??);
        let mut benches = self.benches.lock().unwrap_or_else(PoisonError::into_inner);
        if benches.len() >= BENCHES_MAX {
            // The oldest study that no unit works for; it is most likely over.
            let idle = benches.iter().find(|(_, bench)| Arc::strong_count(bench) == 1);
            if let Some(oldest) = idle.map(|(id, _)| *id) {
                benches.remove(&oldest);
            }
        }
        Ok(Arc::clone(benches.entry(study).or_insert(bench)))
    }

    /// How many partitions of the studies served lie here.
    pub(crate) fn partitions(&self) -> usize {
        let benches: Vec<Arc<Workbench>> = {
            let benches = self.benches.lock().unwrap_or_else(PoisonError::into_inner);
            benches.values().cloned().collect()
        };
        let data = benches.iter().flat_map(|bench| &bench.manifest.partitions);
        data.filter(|blob| self.blobs.contains(&blob.digest)).count()
    }

    fn known(&self, study: StudyId) -> Option<Arc<Workbench>> {
        self.benches.lock().unwrap_or_else(PoisonError::into_inner).get(&study).cloned()
    }

    /// The first record of the study, from whoever answers.
    async fn ask_for(&self, study: StudyId) -> Result<Creation, String> {
        let deadline = Instant::now() + LEARN;
        loop {
            let asked = self.ask_once(study).await;
            // A new leader may be on its way, and followers may not have the study yet.
            if asked.is_ok() || Instant::now() > deadline {
                return asked;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Asks everybody who is there at the same time: whoever has just died must not be waited for.
    async fn ask_once(&self, study: StudyId) -> Result<Creation, String> {
        let mut asking = JoinSet::new();
        for address in self.directory.present() {
            let (peers, path) = (self.peers.clone(), format!("/v1/creations/{}", study.0));
            asking.spawn(async move {
                let asked = peers.request(&address, Method::GET, &path, Bytes::new(), ANSWER);
                let answer = asked.await.map_err(|error| error.to_string())?;
                match Entry::decode(&answer.body).map(|entry| entry.record) {
                    Ok(Record::StudyCreated(creation)) => Ok(*creation),
                    Ok(_) => Err(format!("{address} sent another record")),
                    Err(error) => Err(format!("{address}: {error}")),
                }
            });
        }
        let mut said = "nobody is there".to_owned();
        while let Some(answered) = asking.join_next().await {
            match answered.map_err(|error| error.to_string()).flatten() {
                Ok(creation) => return Ok(creation),
                Err(why) => said = why,
            }
        }
        Err(format!("{study} cannot be learnt: {said}"))
    }

    /// Data from whichever node has it. Called on a trainer's thread, which may wait.
    fn source(&self) -> Box<Source> {
        let (exchange, directory, blobs) =
            (self.exchange.clone(), self.directory.clone(), Arc::clone(&self.blobs));
        let runtime = Handle::current();
        Box::new(move |digest: Digest| {
            // A damaged copy would count as being here.
            blobs.remove(&digest).map_err(|error| error.to_string())?;
            let sources = directory.present();
            let fetched = exchange.fetch(digest, &sources, true, Kind::Partition);
            runtime.block_on(fetched).map_err(|error| error.to_string())?;
            let bytes = blobs.get(&digest).map_err(|error| error.to_string())?;
            Ok(bytes.to_vec())
        })
    }
}
