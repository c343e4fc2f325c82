//! A study of a cluster for commands that read run folders: its records are at hand, its blobs
//! come when they are needed, into a folder for the moment.

use super::{Client, ClusterError, RemoteStudy, block_on};
use crate::error::Error;
use crate::scratch::Scratch;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wallaby_actors::blobs::BlobStore;
use wallaby_core::ids::Digest;
use wallaby_core::journal::Entry;
use wallaby_core::study::Study;

/// Where the rest of a study is.
pub(crate) struct Distant {
    name: String,
    client: Arc<Client>,
    scratch: Scratch,
}

impl Distant {
    /// The records of a study, what they fold to, and where the rest is.
    ///
    /// # Errors
    /// No folder for the moment.
    pub(crate) fn new(remote: RemoteStudy) -> Result<(Vec<Entry>, Study, Self), Error> {
        let RemoteStudy { client, name, entries, study } = remote;
        let scratch = Scratch::new(&std::env::temp_dir())?;
        Ok((entries, study, Self { name, client, scratch }))
    }

    /// The study's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The folder for the moment.
    pub(crate) fn folder(&self) -> PathBuf {
        self.scratch.join("run")
    }

    /// Brings blobs into the store at `blobs`.
    ///
    /// # Errors
    /// As [`bring`].
    pub(crate) fn bring(
        &self,
        digests: impl Iterator<Item = Digest>,
        blobs: &Path,
    ) -> Result<(), Error> {
        // A connection belongs to the runtime on which it was opened; this is another one.
        let client = Client::new(self.client.config().clone())?;
        let store = BlobStore::open(blobs)?;
        block_on(async move { bring(&client, digests, &store).await.map(|_| ()) })
    }
}

/// What was brought from a cluster.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Brought {
    /// How many bytes came.
    pub(super) bytes: u64,
    /// How many blobs are on no node.
    pub(super) missing: usize,
}

/// Brings blobs from a cluster into a store. One that is on no node stays away: whoever needs it
/// knows how else to get it, or says that it is missing.
///
/// # Errors
/// No answer, or no room.
pub(super) async fn bring(
    client: &Client,
    digests: impl Iterator<Item = Digest>,
    store: &BlobStore,
) -> Result<Brought, Error> {
    let mut came = Brought::default();
    for digest in digests {
        if store.contains(&digest) {
            continue;
        }
        match client.blob(digest).await {
            Ok(bytes) => {
                came.bytes += bytes.len() as u64;
                store.put(bytes, true)?;
            }
            Err(ClusterError::NoBlob { .. }) => came.missing += 1,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(came)
}
