//! Why a blob could not be moved, in words that name the blob and every node that was asked.

use crate::blobs::BlobError;
use std::sync::Arc;
use thiserror::Error;
use wallaby_core::ids::Digest;

/// Why a blob did not come or go.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// None of the sources gave it; what came is kept and gone on with the next time.
    #[error("blob {digest} cannot be fetched: {}", together(said))]
    Sources {
        /// The blob.
        digest: Digest,
        /// What each source said last, in the order in which they were asked.
        said: Vec<Said>,
    },
    /// It cannot be read or kept on this node.
    #[error("blob {digest} cannot be moved: {source}")]
    Store {
        /// The blob.
        digest: Digest,
        /// What the store says.
        #[source]
        source: Arc<BlobError>,
    },
    /// The other node did not take it.
    #[error("blob {digest} cannot be given to {to}: {why}")]
    Push {
        /// The blob.
        digest: Digest,
        /// The other node's address.
        to: String,
        /// The status it answered with: 507 if its disk is full; `None` if it did not answer.
        status: Option<u16>,
        /// What it said, or why it did not answer.
        why: String,
    },
    /// The transfer ended without an end, as this process is stopping.
    #[error("the transfer of blob {digest} was broken off")]
    BrokenOff {
        /// The blob.
        digest: Digest,
    },
}

/// What one source of a blob said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its address.
    pub source: String,
    /// Why it did not give the blob.
    pub why: String,
}

impl FetchError {
    /// Whether this node's disk is full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Store { source, .. } if matches!(**source, BlobError::Full { .. }))
    }

    /// Whether every one of these sources was asked, or none of them could have helped.
    pub(super) fn speaks_for(&self, sources: &[String]) -> bool {
        match self {
            Self::Sources { said, .. } => {
                sources.iter().all(|source| said.iter().any(|said| said.source == *source))
            }
            _ => true,
        }
    }

    pub(super) fn store(digest: Digest, source: BlobError) -> Self {
        Self::Store { digest, source: Arc::new(source) }
    }
}

fn together(said: &[Said]) -> String {
    if said.is_empty() {
        return "no node is known to have it".to_owned();
    }
    let each = said.iter().map(|Said { source, why }| format!("{source}: {why}"));
    each.collect::<Vec<_>>().join("; ")
}
